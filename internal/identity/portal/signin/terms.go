package signin

import (
	"net/http"
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/terms"
	"zunft/internal/identity/visitor"
)

// newTermsPage is all that terms.html may use.
type newTermsPage struct {
	web.Frame
	Form  *web.Form
	Terms []shownTerms
}

// shownTerms is one text and its box to tick, never ticked beforehand (R051).
type shownTerms struct {
	ID, Title, Version, Box string
	Blocks                  []terms.Block
}

// askTerms shows the required texts that have a new version since (R254), or
// that whoever was imported has never seen.
func (p *Pages) askTerms(w http.ResponseWriter, r *http.Request) error {
	return p.showTerms(w, r, web.NewForm())
}

func (p *Pages) showTerms(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	v := visitor.Pending(r)
	if v == nil {
		return web.See(w, r, nextPath)
	}
	page := &newTermsPage{Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		all, err := terms.Pending(tx, v.Account)
		for _, t := range all {
			page.Terms = append(page.Terms, shownTerms{t.ID, t.Title, t.Version, t.Box.In(web.Lang(r)), t.Blocks()})
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(page.Terms) == 0 {
		return web.See(w, r, nextPath)
	}
	if p.AllowNext != nil {
		p.AllowNext(w, r, v.Session.Next)
	}
	return p.Site.Show(w, r, f.Status(), templates, "terms", page)
}

// acceptTerms keeps what was ticked. A text that came meanwhile is shown by the
// dispatcher.
func (p *Pages) acceptTerms(w http.ResponseWriter, r *http.Request) error {
	v := visitor.Pending(r)
	if v == nil {
		return web.See(w, r, nextPath)
	}
	f := web.ReadForm(r)
	shown := f.All("terms")
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		// A password alone accepts nothing in anybody's name.
		if step, err := nextStep(tx, v.Account, v.Session); err != nil || step != termsPath {
			return err
		}
		all, err := terms.Pending(tx, v.Account)
		if err != nil {
			return err
		}
		var ids []string
		for _, t := range all {
			if !slices.Contains(shown, t.ID) {
				continue
			}
			if !f.Checked("accept_" + t.ID) {
				f.Add("accept_"+t.ID, "signin.terms_missing", t.Title)
			}
			ids = append(ids, t.ID)
		}
		if !f.OK() {
			return nil
		}
		by := web.Actor(r)
		by.Account = v.Account.ID
		return terms.Give(tx, by, v.Account.ID, ids...)
	})
	if err != nil {
		return err
	}
	if !f.OK() {
		return p.showTerms(w, r, f)
	}
	return web.See(w, r, nextPath)
}
