package joining

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/request"
)

// relayPage answers "who administers my company?" without a name: a message
// reaches the administration, who may answer.
type relayPage struct {
	web.Frame
	Form         *web.Form
	Company      organization.Organization
	Name, Email  string // of the person who asks: told to the administration
	Token, Query string
}

func (p *Pages) relay(w http.ResponseWriter, r *http.Request) error {
	return p.showRelay(w, r, web.NewForm())
}

func (p *Pages) showRelay(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &relayPage{Form: f, Token: r.PathValue("company"), Query: carried(r)}
	id, err := p.opened(r)
	if err != nil {
		return err
	}
	err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.Company, err = organization.Get(tx, id); err != nil {
			return err
		}
		if page.Company.State != organization.Active {
			return fault.NotFound()
		}
		a, err := account.Get(tx, web.Actor(r).Account)
		page.Name, page.Email = a.Name(), a.Email
		return err
	})
	if err != nil {
		return err
	}
	page.Back = web.Link{Text: p.Site.Catalog.Text(web.Lang(r), "joining.reason_title"), Href: "/join/" + page.Token + page.Query}
	return p.Site.Show(w, r, f.Status(), templates, "relay", page)
}

func (p *Pages) sendRelay(w http.ResponseWriter, r *http.Request) error {
	id, err := p.opened(r)
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	err = p.DB.Write(r.Context(), func(tx *db.Tx) error { return request.Relay(tx, web.Actor(r), id, f.Lines("message")) })
	if f.Take(err) {
		return p.showRelay(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/join/"+r.PathValue("company")+carried(r), "joining.relayed")
}
