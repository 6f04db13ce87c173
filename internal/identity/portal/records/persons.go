package records

import (
	"net/http"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/clerk"
	"zunft/internal/identity/openid"
	"zunft/internal/identity/search"
)

// personStates are how people call the states of an account in the search field.
var personStates = map[string]string{"aktiv": account.Active, "active": account.Active, "gesperrt": account.Locked, "locked": account.Locked}

type personsPage struct {
	searchPage
	Items []account.Account
}

// persons searches; a list of everybody is of no use at the desk and is not
// shown before somebody asks for somebody.
func (p *Pages) persons(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadQuery(r)
	page := &personsPage{searchPage: searchPage{Frame: web.Frame{Wide: true}, Form: f}}
	page.States = p.states(r, "records.person_state.", account.Active, account.Locked)
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		c, err := mine(tx, r)
		if err != nil {
			return err
		}
		q := search.Read(f.Text("q"), c.Number, personStates)
		if s := f.Text("status"); s != "" && personStates[s] == s {
			q.State = s
		}
		if page.Empty = q.Empty(); page.Empty {
			return nil
		}
		found, err := search.People(tx, web.Actor(r), c.ID, q, f.Text("after"), listSize)
		if err != nil {
			return err
		}
		page.page("/chamber/persons", f, found)
		people, err := account.GetMany(tx, found.IDs)
		for _, id := range found.IDs {
			if a := people[id]; a.State == account.Active || a.State == account.Locked { // gone since a moment
				page.Items = append(page.Items, a)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "persons", page)
}

type personPage struct {
	web.Frame
	Form    *web.Form
	View    clerk.View
	Self    bool
	Deeds   []Deed
	Locking bool
}

// told are the deeds on an account that help a clerk who is called: what opened
// and closed it. What the person does beyond that is their own affair.
var told = []string{
	"account.registered", "account.confirmed", "account.locked", "account.unlocked", "account.paused", "account.regained", "account.disavowed", "account.deletion_asked", "account.kept",
	"address.changed", "address.change_undone", "password.changed", "password.reset", "factor.added", "factor.removed", "factor.all_removed", "signin.failed", "account.name_corrected", "person.looked", "person.locked", "person.unlocked",
}

func (p *Pages) person(w http.ResponseWriter, r *http.Request) error {
	return p.showPerson(w, r, web.NewForm())
}

func (p *Pages) showPerson(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &personPage{Frame: web.Frame{Wide: true, Back: web.Link{Text: p.text(r, "records.persons"), Href: "/chamber/persons"}}, Form: f}
	page.Locking = f.Text("do") == "lock" && !f.OK()
	by, id := web.Actor(r), r.PathValue("id")
	page.Self = by.Account == id
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { // the look itself is recorded
		c, err := mine(tx, r)
		if err != nil {
			return err
		}
		if page.View, err = clerk.Look(tx, by, c.ID, id); err != nil {
			return err
		}
		rows, err := audit.List(tx, audit.Filter{Account: id, Limit: 200})
		if err != nil {
			return err
		}
		var some []audit.Row
		for _, row := range rows {
			if at := row.Entry.Chamber; at != "" && at != c.ID { // who works at another chamber is nobody's business here
				continue
			}
			for _, event := range told {
				if row.Entry.Event == event && len(some) < deedsShown {
					some = append(some, row)
				}
			}
		}
		page.Deeds, err = p.deeds(tx, r, some)
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "person", page)
}

func (p *Pages) changePerson(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	if sure, err := p.Door.Sure(w, r); !sure {
		return err
	}
	by, id, done := web.Actor(r), r.PathValue("id"), ""
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		c, err := mine(tx, r)
		if err != nil {
			return err
		}
		switch f.Text("do") {
		case "lock":
			done = "records.person_locked"
			if err := clerk.Lock(tx, by, c.ID, id, f.Lines("reason")); err != nil {
				return err
			}
			return openid.DisconnectAll(tx, by, id, "locked")
		case "unlock":
			done = "records.person_unlocked"
			return clerk.Unlock(tx, by, c.ID, id)
		}
		return fault.Invalid("", "web.form_unreadable")
	})
	if f.Take(err) {
		return p.showPerson(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/chamber/persons/"+id, done)
}
