package company

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/web"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/succession"
)

// An Awaited organization is one that the person registered and that waits for
// its letter to be answered.
type Awaited struct {
	Organization organization.Organization
	Letter       letter.Letter
	Live         bool // its code can be used now
}

// State is the phrase that says where the letter is.
func (a Awaited) State() string {
	switch {
	case a.Letter.State == letter.Queued:
		return "company.letter.queued"
	case a.Live && a.Letter.DispatchedAt.IsZero():
		return "company.letter.printed"
	case a.Live:
		return "company.letter.dispatched"
	case a.Letter.State == letter.Returned:
		return "company.letter.returned"
	case a.Letter.State == letter.Void:
		return "company.letter.void"
	}
	return "company.letter.expired"
}

type activatePage struct {
	web.Frame
	Form    *web.Form
	Awaited []Awaited
}

type activatedPage struct {
	web.Frame
	Organization organization.Organization
}

func (p *Pages) showActivate(w http.ResponseWriter, r *http.Request) error {
	return p.activateForm(w, r, web.NewForm())
}

func (p *Pages) activateForm(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &activatePage{Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		mine, err := organization.RegisteredBy(tx, web.Actor(r).Account)
		for _, o := range mine {
			if o.State != organization.AwaitingLetter {
				continue
			}
			l, err := letter.Current(tx, o.ID)
			if err != nil && !fault.Is(err, fault.KindNotFound) {
				return err
			}
			page.Awaited = append(page.Awaited, Awaited{o, l, l.Live(tx.Now())})
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "activate", page)
}

// activate takes the three values of the letter (R097), or asks for a new one (S10).
func (p *Pages) activate(w http.ResponseWriter, r *http.Request) error {
	f, by := web.ReadForm(r), web.Actor(r)
	if id := f.Text("letter"); id != "" {
		err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return organization.RequestLetter(tx, by, id) })
		if f.Take(err) {
			return p.activateForm(w, r, f)
		}
		if err != nil {
			return err
		}
		return p.Site.Done(w, r, "/organizations/activate", "company.letter_requested")
	}
	var o organization.Organization
	var s succession.Succession
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if o, s, err = succession.Activate(tx, by, f.Text("ident_number"), f.Text("chamber_number"), f.Text("code")); err != nil {
			return err
		}
		if s.ID != "" || p.MakeAdmin == nil {
			return nil
		}
		return p.MakeAdmin(tx, by, o.ID, by.Account)
	})
	if f.Take(err) {
		return p.activateForm(w, r, f)
	}
	if err != nil {
		return err
	}
	switch s.State {
	case succession.Done:
		return p.Site.Done(w, r, "/organizations/"+o.ID, "company.succession_done", o.Name)
	case succession.Waiting:
		return p.Site.Done(w, r, "/", "company.succession_waits", s.DueAt.In(mail.Berlin).Format("02.01.2006"), o.Name)
	}
	return web.See(w, r, "/organizations/activated?organization="+o.ID)
}

func (p *Pages) showActivated(w http.ResponseWriter, r *http.Request) error {
	page := &activatedPage{}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		page.Organization, err = organization.Get(tx, web.ReadQuery(r).Text("organization"))
		return err
	})
	if err == nil && (page.Organization.RegisteredBy != web.Actor(r).Account || page.Organization.State != organization.Active) {
		err = fault.NotFound()
	}
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "activated", page)
}
