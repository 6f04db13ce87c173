package details

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/organization"
)

// revokePage is all that revoke.html may use.
type revokePage struct {
	web.Frame
	Form    *web.Form
	Company organization.Organization // once the code fits
	Chamber chamber.Chamber
	Admin   string // who registered it
	Done    bool
}

func (p *Pages) showRevoke(w http.ResponseWriter, r *http.Request) error {
	return p.Site.Show(w, r, http.StatusOK, templates, "revoke", &revokePage{Form: web.NewForm()})
}

// revoke takes the code of the letter: first it shows what it would lock, then
// the button locks it. Nothing is kept between the two, so the code is sent twice.
func (p *Pages) revoke(w http.ResponseWriter, r *http.Request) error {
	f, by := web.ReadForm(r), web.Actor(r)
	page := &revokePage{Form: f, Done: f.Text("do") == "revoke"}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if page.Done {
			page.Company, err = organization.Revoke(tx, by, by.IP, f.Text("code"))
		} else {
			page.Company, _, err = organization.LookRevocation(tx, by, by.IP, f.Text("code"))
		}
		if err != nil {
			return err
		}
		if page.Company.State == organization.Closed {
			return fault.Conflict("organization.not_active", page.Company.Name)
		}
		if page.Chamber, err = chamber.Get(tx, page.Company.Chamber); err != nil {
			return err
		}
		a, err := account.Get(tx, page.Company.RegisteredBy)
		page.Admin = a.Name()
		return err
	})
	if f.Take(err) {
		return p.Site.Show(w, r, f.Status(), templates, "revoke", &revokePage{Form: f})
	}
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return p.Site.Show(w, r, http.StatusOK, templates, "revoke", page)
}
