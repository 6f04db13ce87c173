package members

import (
	"net/http"
	"net/url"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/request"
)

// rolesPage asks for roles (S17).
type rolesPage struct {
	web.Frame
	Form    *web.Form
	Company organization.Organization
	Options []web.Option
	Held    []named
	Admins  []string // who can give them
	More    int
	Pending string // id of the request that waits already
	Query   string // role and way back that an application handed over
}

// carried is what an application hands over: the role it needs, and where to
// go on afterwards.
func carried(r *http.Request) string {
	q := url.Values{}
	for _, name := range []string{"application", "role", "next"} {
		if v := r.URL.Query().Get(name); v != "" && len(v) < 4000 {
			q.Set(name, v)
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

func (p *Pages) roles(w http.ResponseWriter, r *http.Request) error {
	return p.showRoles(w, r, web.NewForm())
}

func (p *Pages) showRoles(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &rolesPage{Form: f, Query: carried(r)}
	actor, id, lang, q := web.Actor(r), r.PathValue("id"), web.Lang(r), r.URL.Query()
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		me, err := membership.In(tx, id, actor.Account)
		if err != nil {
			return err
		}
		if page.Company, err = organization.Get(tx, id); err != nil {
			return err
		}
		offers, err := application.AllOffers(tx)
		if err != nil {
			return err
		}
		offers = offers.WithRoles()
		for _, o := range offers {
			for _, role := range o.Roles {
				if me.Has(role.Application, role.Key) {
					page.Held = append(page.Held, named{o.Application.Name, role.Name(lang)})
					continue
				}
				text := role.Name(lang)
				if len(offers) > 1 {
					text += " – " + o.Application.Name
				}
				wanted := (q.Get("application") == role.Application || q.Get("application") == o.Application.ClientID) && q.Get("role") == role.Key
				page.Options = append(page.Options, web.Option{Value: role.Application + " " + role.Key, Text: text, Hint: role.Description(lang), Selected: wanted})
			}
		}
		if page.Admins, page.More, err = adminNames(tx, id); err != nil {
			return err
		}
		pending, err := request.Pending(tx, actor, 100)
		for _, e := range pending {
			if e.Organization == id && e.Kind == request.ForRoles {
				page.Pending = e.ID
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	page.Back = p.back(r, page.Company)
	return p.Site.Show(w, r, f.Status(), templates, "roles", page)
}

func (p *Pages) askRoles(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	var roles []membership.Role
	for _, v := range f.All("roles") {
		app, key, _ := strings.Cut(v, " ")
		roles = append(roles, membership.Role{Application: app, Key: key})
	}
	if f.Values["roles"] == nil {
		f.Values["roles"] = []string{} // nothing ticked is an answer, too
	}
	var asked request.Request
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		asked, err = request.SubmitRole(tx, web.Actor(r), r.PathValue("id"), f.Lines("reason"), roles)
		return err
	})
	if f.Take(err) {
		return p.showRoles(w, r, f)
	}
	if err != nil {
		return err
	}
	return web.See(w, r, "/requests/"+asked.ID+"/sent"+carried(r))
}
