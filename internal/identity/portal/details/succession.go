package details

import (
	"cmp"
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/succession"
)

// successionPage is all that succession.html may use.
type successionPage struct {
	company
	Letter  letter.Letter // the last with an organization password
	Live    bool          // … can be used
	Pending *succession.Succession
	Person  string // who is to join
}

func (p *Pages) succession(w http.ResponseWriter, r *http.Request) error {
	return p.showSuccession(w, r, web.NewForm())
}

func (p *Pages) showSuccession(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &successionPage{company: company{Form: f}}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		err := p.open(tx, r, &page.company, true)
		if err != nil {
			return err
		}
		page.Letter, err = letter.Last(tx, page.Company.ID, letter.Succession)
		if err != nil && !fault.Is(err, fault.KindNotFound) {
			return err
		}
		page.Live = page.Letter.Live(tx.Now())
		s, err := succession.Of(tx, web.Actor(r), page.Company.ID)
		if fault.Is(err, fault.KindNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		page.Pending = &s
		a, err := account.Get(tx, s.Account)
		page.Person = a.Name()
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "succession", page)
}

// changeSuccession asks for a letter, which gives power and so for a proof; or
// raises an objection, which only delays.
func (p *Pages) changeSuccession(w http.ResponseWriter, r *http.Request) error {
	f, by, id, phrase := web.ReadForm(r), web.Actor(r), r.PathValue("id"), "details.letter_requested"
	if f.Text("do") != "object" {
		if sure, err := p.Door.Sure(w, r); !sure {
			return err
		}
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		if f.Text("do") == "object" {
			phrase = "details.objected"
			return succession.Object(tx, by, id, f.Lines("reason"))
		}
		return succession.RequestLetter(tx, by, id)
	})
	if f.Take(err) {
		return p.showSuccession(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/organizations/"+id+"/succession", phrase)
}

// successionQueuePage is all that succession_queue.html may use.
type successionQueuePage struct {
	web.Frame
	Form  *web.Form
	Cases []succession.Case
	Open  string // id of the one that is about to be stopped
	After string
}

// Stopping reports whether the clerk is about to say no to this one: its form
// is open, and those of the others are not.
func (s *successionQueuePage) Stopping(id string) bool { return s.Open == id }

func (p *Pages) successionQueue(w http.ResponseWriter, r *http.Request) error {
	return p.showSuccessionQueue(w, r, web.NewForm())
}

func (p *Pages) showSuccessionQueue(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &successionQueuePage{Form: f, Frame: web.Frame{Back: web.Link{Text: p.text(r, "details.desk"), Href: "/chamber"}}}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		id, err := desk(tx, r)
		if err != nil {
			return err
		}
		page.Open = cmp.Or(f.Text("succession"), web.ReadQuery(r).Text("stop"))
		page.Cases, err = succession.Queue(tx, web.Actor(r), id, web.ReadQuery(r).Text("after"))
		return err
	})
	if err != nil {
		return err
	}
	if n := len(page.Cases); n == pageSize {
		page.After = page.Cases[n-1].ID
	}
	return p.Site.Show(w, r, f.Status(), templates, "succession_queue", page)
}

func (p *Pages) decideSuccession(w http.ResponseWriter, r *http.Request) error {
	f, by, phrase := web.ReadForm(r), web.Actor(r), "details.allowed"
	if f.Text("do") != "stop" { // it makes an admin
		if err := p.DB.Read(r.Context(), func(tx *db.Tx) error { _, err := desk(tx, r); return err }); err != nil {
			return err
		}
		if sure, err := p.Door.Sure(w, r); !sure {
			return err
		}
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		if f.Text("do") == "stop" {
			phrase = "details.stopped"
			return succession.Stop(tx, by, f.Text("succession"), f.Lines("answer"))
		}
		return succession.Allow(tx, by, f.Text("succession"))
	})
	if f.Take(err) {
		return p.showSuccessionQueue(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/chamber/successions", phrase)
}
