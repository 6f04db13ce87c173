package authorize

import (
	"net/http"
	"slices"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/session"
)

// choosePage asks for which company the person acts (R202).
type choosePage struct {
	web.Frame
	Form              *web.Form
	Application, Next string
	Options           []web.Option
}

func (p *Pages) choose(w http.ResponseWriter, r *http.Request) error {
	return p.showChoose(w, r, web.NewForm(), r.URL.Query().Get("next"))
}

func (p *Pages) showChoose(w http.ResponseWriter, r *http.Request, f *web.Form, next string) error {
	path, clientID := pending(next)
	if path == "" {
		return fault.NotFound()
	}
	page := &choosePage{Form: f, Next: path}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		var a application.Application
		a, page.Options, err = possible(tx, web.Actor(r).Account, clientID, web.Lang(r))
		page.Application = a.Name
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

// possible are the organizations in which the person has a role in the application.
func possible(tx *db.Tx, accountID, clientID, lang string) (a application.Application, options []web.Option, err error) {
	a, catalogue, err := declaring(tx, clientID)
	if err != nil {
		return a, nil, err
	}
	roles, err := membership.RolesFor(tx, accountID, a.ID)
	if err != nil {
		return a, nil, err
	}
	var ids []string
	for id := range roles {
		ids = append(ids, id)
	}
	orgs, err := organization.GetMany(tx, ids)
	if err != nil {
		return a, nil, err
	}
	for _, id := range ids {
		var held []string
		for _, role := range catalogue {
			if slices.Contains(roles[id], role.Key) {
				held = append(held, role.Name(lang))
			}
		}
		options = append(options, web.Option{Value: id, Text: orgs[id].Name, Hint: orgs[id].Address() + " · " + strings.Join(held, ", ")})
	}
	slices.SortFunc(options, func(a, b web.Option) int { return strings.Compare(a.Text+a.Value, b.Text+b.Value) })
	return a, options, nil
}

// chosen keeps the answer in the session and goes on with the request.
func (p *Pages) chosen(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	path, clientID := pending(f.Raw("next"))
	if path == "" {
		return fault.NotFound()
	}
	by, id := web.Actor(r), f.Text("organization")
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		_, options, err := possible(tx, by.Account, clientID, web.Lang(r))
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(options, func(o web.Option) bool { return o.Value == id }) {
			return fault.Invalid("organization", "authorize.choose_one")
		}
		return session.Choose(tx, by, by.Session, id)
	})
	if f.Take(err) {
		return p.showChoose(w, r, f, path)
	}
	if err != nil {
		return err
	}
	return web.See(w, r, path)
}
