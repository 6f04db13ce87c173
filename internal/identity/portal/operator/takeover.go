package operator

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/takeover"
)

// takeoverPage is all that takeover.html may use.
type takeoverPage struct {
	web.Frame
	Form *web.Form
	Plan takeover.Plan
}

func (p *Pages) takeover(w http.ResponseWriter, r *http.Request) error {
	return p.showTakeover(w, r, web.NewForm())
}

func (p *Pages) showTakeover(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	status := f.Status()
	page := &takeoverPage{Frame: p.back(p.text(r, "operator.chambers"), "/admin/chambers"), Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		page.Plan, err = takeover.Look(tx, web.Actor(r), r.PathValue("id"))
		return err
	})
	if err != nil && !f.Take(err) { // what is missing first is said on the page
		return err
	}
	return p.Site.Show(w, r, status, templates, "takeover", page)
}

func (p *Pages) takeOver(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	var done takeover.Plan
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		done, err = takeover.Do(tx, web.Actor(r), r.PathValue("id"))
		return err
	})
	if f.Take(err) {
		return p.showTakeover(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/admin/chambers", "operator.taken_over", done.From.Name, done.To.Name)
}
