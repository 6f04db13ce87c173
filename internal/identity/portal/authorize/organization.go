package authorize

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/behalf"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/session"
)

const pageSize = 50

// choosePage asks for which company the person acts (R202, R301): for one they
// belong to, or for one that has given them a mandate.
type choosePage struct {
	web.Frame
	Form              *web.Form
	Application, Next string
	Options           []web.Option
	Search            string
	Searchable        bool   // more than fit on one page
	More              string // where the list goes on
}

func (p *Pages) choose(w http.ResponseWriter, r *http.Request) error {
	return p.showChoose(w, r, web.NewForm(), r.URL.Query().Get("next"))
}

func (p *Pages) showChoose(w http.ResponseWriter, r *http.Request, f *web.Form, next string) error {
	path, clientID := pending(next)
	if path == "" {
		return fault.NotFound()
	}
	q := web.ReadQuery(r)
	page, after := &choosePage{Form: f, Next: path, Search: q.Text("q")}, q.Text("after")
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		a, roles, err := serving(tx, clientID)
		if err != nil {
			return err
		}
		page.Application = a.Name
		found, err := behalf.Contexts(tx, web.Actor(r).Account, place(a, roles), page.Search, after, pageSize+1)
		if err != nil {
			return err
		}
		page.Searchable = len(found) > pageSize || page.Search != "" || after != ""
		if len(found) > pageSize {
			found = found[:pageSize]
			page.More = "/authorize/organization?" + url.Values{"next": {path}, "q": {page.Search}, "after": {found[pageSize-1].Value()}}.Encode()
		}
		page.Options, err = p.options(tx, r, a, roles, found)
		return err
	})
	if err != nil {
		return err
	}
	if p.AllowNext != nil {
		p.AllowNext(w, r, path)
	}
	return p.Site.Show(w, r, f.Status(), templates, "organization", page)
}

// serving loads an active application with the roles it declares, if any.
func serving(tx *db.Tx, clientID string) (a application.Application, roles []application.Role, err error) {
	if !text(clientID) {
		return a, nil, fault.NotFound()
	}
	if a, err = application.ByClientID(tx, clientID); err != nil {
		return a, nil, err
	}
	if roles, err = application.Catalogue(tx, a.ID); err == nil && a.State != application.Active {
		err = fault.NotFound()
	}
	return a, roles, err
}

// place is where contexts are looked for: with roles in the application, or
// wherever the person is a member if it declares none.
func place(a application.Application, roles []application.Role) string {
	if len(roles) == 0 {
		return behalf.AsMember
	}
	return a.ID
}

// options show a page of contexts, each with the roles held there, or what it
// rests on.
func (p *Pages) options(tx *db.Tx, r *http.Request, a application.Application, roles []application.Role, found []behalf.Context) (options []web.Option, err error) {
	held := map[string][]string{}
	if len(roles) > 0 {
		if held, err = behalf.RolesOf(tx, web.Actor(r).Account, a.ID, found); err != nil {
			return nil, err
		}
	}
	var via []string
	for _, c := range found {
		if c.Via != "" {
			via = append(via, c.Via)
		}
	}
	companies, err := organization.GetMany(tx, via)
	if err != nil {
		return nil, err
	}
	say := func(key string, args ...any) string { return p.Site.Catalog.Text(web.Lang(r), key, args...) }
	for _, c := range found {
		hints := []string{c.Address()}
		var names []string
		for _, role := range roles {
			if slices.Contains(held[c.Value()], role.Key) {
				names = append(names, role.Name(web.Lang(r)))
			}
		}
		if len(names) > 0 {
			hints = append(hints, strings.Join(names, ", "))
		}
		if c.Mandate != "" {
			hints = append(hints, say("authorize.by_mandate", c.LastDay()))
		}
		if c.Via != "" {
			hints = append(hints, say("authorize.via", companies[c.Via].Label()))
		}
		options = append(options, web.Option{Value: c.Value(), Text: c.Label(), Hint: strings.Join(hints, " · ")})
	}
	return options, nil
}

// chosen keeps the answer in the session and goes on with the request.
func (p *Pages) chosen(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	path, clientID := pending(f.Raw("next"))
	if path == "" {
		return fault.NotFound()
	}
	by := web.Actor(r)
	org, mandateID := behalf.ReadValue(f.Text("organization"))
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		a, roles, err := serving(tx, clientID)
		if err != nil {
			return err
		}
		c, err := behalf.Look(tx, by.Account, place(a, roles), org, mandateID)
		if fault.Is(err, fault.KindNotFound) {
			err = fault.Invalid("organization", "authorize.choose_one")
		}
		if err != nil {
			return err
		}
		return session.Choose(tx, by, by.Session, c.ID, c.Mandate)
	})
	if f.Take(err) {
		return p.showChoose(w, r, f, path)
	}
	if err != nil {
		return err
	}
	return web.See(w, r, path)
}
