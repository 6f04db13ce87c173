package operator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/openid"
	"zunft/internal/identity/organization"
)

// previewPage is all that claims-preview.html may use.
type previewPage struct {
	web.Frame
	Form          *web.Form
	App           application.Application
	Person        account.Account // empty: nobody chosen yet
	Organizations []web.Option
	Many          bool // the person belongs to more than are offered
	Scopes        []web.Option
	Shown         bool
	Preview       openid.Preview
}

const organizationsOffered = 50

func (p *Pages) preview(w http.ResponseWriter, r *http.Request) error {
	return p.showPreview(w, r, web.ReadQuery(r))
}

func (p *Pages) showPreview(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &previewPage{Form: f}
	id := r.URL.Query().Get("account")
	// Looking is a deed: it is recorded, in the same transaction.
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if page.App, err = application.Get(tx, r.PathValue("id")); err != nil || id == "" {
			return err
		}
		if page.Person, err = account.Get(tx, id); err != nil {
			return err
		}
		if err := page.offer(tx, p.text(r, "operator.no_organization")); err != nil {
			return err
		}
		of := f.Text("organization")
		if !slices.ContainsFunc(page.Organizations, func(o web.Option) bool { return o.Value == of }) {
			return fault.NotFound()
		}
		if page.Shown = r.URL.Query().Has("scope"); !page.Shown {
			return nil
		}
		page.Preview, err = p.OpenID.Preview(tx, web.Actor(r), page.App, id, of, strings.Join(f.All("scope"), " "))
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = p.back(page.App.Name, "/admin/apps/"+page.App.ID)
	for _, s := range openid.Scopes() {
		if s != "openid" && s != "offline_access" { // always there; changes no claim
			page.Scopes = append(page.Scopes, web.Option{Value: s, Text: p.text(r, "operator.scope_"+s), Selected: !page.Shown})
		}
	}
	return p.Site.Show(w, r, f.Status(), templates, "claims-preview", page)
}

// offer lists the person's organizations.
func (page *previewPage) offer(tx *db.Tx, none string) error {
	page.Organizations = []web.Option{{Text: none}}
	members, err := membership.Of(tx, page.Person.ID)
	if err != nil {
		return err
	}
	if page.Many = len(members) > organizationsOffered; page.Many {
		members = members[:organizationsOffered]
	}
	var ids []string
	for _, m := range members {
		ids = append(ids, m.Organization)
	}
	all, err := organization.GetMany(tx, ids)
	for _, id := range ids {
		page.Organizations = append(page.Organizations, web.Option{Value: id, Text: all[id].Name})
	}
	return err
}

func (p *Pages) findPerson(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	q := url.Values{}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		a, err := find(tx, f.Text("login"))
		if err != nil {
			return err
		}
		q.Set("account", a.ID)
		members, err := membership.Of(tx, a.ID)
		if len(members) > 0 {
			q.Set("organization", members[0].Organization)
		}
		return err
	})
	if f.Take(err) {
		return p.showPreview(w, r, f)
	}
	if err != nil {
		return err
	}
	for _, s := range openid.Scopes() {
		if s != "openid" && s != "offline_access" {
			q.Add("scope", s)
		}
	}
	return web.See(w, r, "/admin/apps/"+r.PathValue("id")+"/claims-preview?"+q.Encode())
}
