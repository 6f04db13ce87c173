package signup

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/terms"
)

// termsPage is all that terms.html may use.
type termsPage struct {
	web.Frame
	Form  *web.Form
	Terms []shownTerms
}

type shownTerms struct {
	ID, Title, Version string
	Blocks             []terms.Block
}

func (p *Pages) askTerms(w http.ResponseWriter, r *http.Request) error {
	if p.home(w, r) {
		return nil
	}
	if _, err := p.draft(r); fault.Is(err, fault.KindNotFound) {
		return p.Site.Done(w, r, "/register", "signup.draft_gone")
	} else if err != nil {
		return err
	}
	return p.showTerms(w, r, web.NewForm())
}

func (p *Pages) showTerms(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &termsPage{Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		all, err := terms.Current(tx)
		for _, t := range all {
			page.Terms = append(page.Terms, shownTerms{t.ID, t.Title, t.Version, t.Blocks()})
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "terms", page)
}

// terms takes step 2: the sign-up itself (R051–R053).
func (p *Pages) terms(w http.ResponseWriter, r *http.Request) error {
	if p.home(w, r) {
		return nil
	}
	f := web.ReadForm(r)
	if f.Text("do") == "back" {
		return web.See(w, r, "/register")
	}
	d, err := p.draft(r)
	if fault.Is(err, fault.KindNotFound) {
		return p.Site.Done(w, r, "/register", "signup.draft_gone")
	}
	if err != nil {
		return err
	}
	if !f.Checked("accept") {
		f.Add("accept", "signup.accept_missing")
		return p.showTerms(w, r, f)
	}
	b := p.mark(w, r)
	err = p.DB.Write(r.Context(), func(tx *db.Tx) error {
		a, err := account.SignUp(tx, web.Actor(r), d.new(web.Lang(r)), b)
		if err != nil {
			return err
		}
		// What was accepted is what was shown, even if a newer version came meanwhile.
		current, err := terms.Current(tx)
		if err != nil {
			return err
		}
		for _, t := range current {
			shown := false
			for _, id := range f.All("terms") {
				shown = shown || id == t.ID
			}
			if t.Required && !shown {
				return fault.Conflict("signup.terms_changed")
			}
			if err := terms.Give(tx, web.Actor(r), a.ID, t.ID); err != nil {
				return err
			}
		}
		return account.Undraft(tx, b)
	})
	if ft := fault.Of(err); ft != nil && ft.Problems[0].Field != "" {
		// Something of step 1 does not hold any more: the user name was taken meanwhile.
		g := &web.Form{Values: d.Values}
		g.Take(err)
		return p.showPerson(w, r, g, true)
	}
	if f.Take(err) {
		return p.showTerms(w, r, f)
	}
	if err != nil {
		return err
	}
	p.keepNext(w, d.Values.Get("next"))
	return web.See(w, r, "/register/verify")
}
