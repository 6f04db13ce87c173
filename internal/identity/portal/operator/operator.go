// Package operator holds the pages of who runs this installation: chambers,
// connected applications with their roles, secrets and events, and who else
// runs it.
//
//	GET  /admin                                     what is to do, and how much there is
//	GET  /admin/chambers                            all chambers, those of the past too
//	GET  /admin/chambers/new, /admin/chambers/{id}  one: address, contact, validity, successor
//	POST /admin/chambers/new, /admin/chambers/{id}
//	GET, POST /admin/chambers/{id}/takeover         hand an ended chamber's companies and clerks to its successor
//	GET  /admin/apps                                connected applications
//	GET  /admin/apps/new, /admin/apps/{id}/edit     register, change
//	POST /admin/apps/new, /admin/apps/{id}/edit
//	GET  /admin/apps/{id}                           one: what is registered, and where to go on
//	POST /admin/apps/{id}                           switch it off or on
//	GET  /admin/apps/{id}/roles                     the role catalogue
//	POST /admin/apps/{id}/roles                     move a role, take it out
//	GET  /admin/apps/{id}/role?key=                 one role; without a key a new one
//	POST /admin/apps/{id}/role?key=
//	GET  /admin/apps/{id}/holders?role=             who has this role, by organization
//	GET  /admin/apps/{id}/redirects                 the tester for redirect URIs
//	GET  /admin/apps/{id}/secrets                   two at most are active
//	POST /admin/apps/{id}/secrets                   make one, revoke one
//	GET  /admin/apps/{id}/claims-preview            what it would read of a person
//	POST /admin/apps/{id}/claims-preview            find the person
//	GET  /admin/apps/{id}/log                       what happened at its door
//	GET  /admin/users                               who runs this installation
//	POST /admin/users                               add or remove somebody
//
// Operators only. Every change, and every look at a person's claims, asks for a
// proof that it is them (visitor.Sure); that a sign-in needs a second factor is
// the policy's (Factor.Least). All of it is there as commands, too (cmd/zunft).
package operator

import (
	"embed"
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/openid"
	"zunft/internal/identity/visitor"
)

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed templates
var files embed.FS

var templates = web.Parse(files)

// Pages of the operator.
type Pages struct {
	DB     *db.DB
	Site   *web.Site
	Door   *visitor.Door
	OpenID *openid.Provider
}

// Mount puts the pages into the route table.
func (p *Pages) Mount(m *web.Mux) {
	for pattern, h := range map[string]web.Handler{
		"GET /admin":                     p.overview,
		"GET /admin/chambers":            p.chambers,
		"GET /admin/apps":                p.apps,
		"GET /admin/apps/{id}":           p.app,
		"GET /admin/apps/{id}/roles":     p.roles,
		"GET /admin/apps/{id}/holders":   p.holders,
		"GET /admin/apps/{id}/redirects": p.redirects,
		"GET /admin/apps/{id}/log":       p.log,
		"GET /admin/users":               p.users,
	} {
		m.Signed(pattern, p.operated(h))
	}
	for pattern, h := range map[string]web.Handler{
		"GET /admin/chambers/new":              p.newChamber,
		"POST /admin/chambers/new":             p.addChamber,
		"GET /admin/chambers/{id}":             p.chamber,
		"POST /admin/chambers/{id}":            p.changeChamber,
		"GET /admin/chambers/{id}/takeover":    p.takeover,
		"POST /admin/chambers/{id}/takeover":   p.takeOver,
		"GET /admin/apps/new":                  p.newApp,
		"POST /admin/apps/new":                 p.addApp,
		"GET /admin/apps/{id}/edit":            p.editApp,
		"POST /admin/apps/{id}/edit":           p.changeApp,
		"POST /admin/apps/{id}":                p.switchApp,
		"POST /admin/apps/{id}/roles":          p.changeRoles,
		"GET /admin/apps/{id}/role":            p.role,
		"POST /admin/apps/{id}/role":           p.saveRole,
		"GET /admin/apps/{id}/secrets":         p.secrets,
		"POST /admin/apps/{id}/secrets":        p.changeSecrets,
		"GET /admin/apps/{id}/claims-preview":  p.preview,
		"POST /admin/apps/{id}/claims-preview": p.findPerson,
		"POST /admin/users":                    p.changeUsers,
	} {
		m.Signed(pattern, p.operated(p.sure(h)))
	}
}

// operated lets operators pass. The rules ask again.
func (p *Pages) operated(h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !visitor.Of(r).Operator {
			return fault.Forbidden()
		}
		return h(w, r)
	}
}

func (p *Pages) sure(h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if sure, err := p.Door.Sure(w, r); !sure {
			return err
		}
		return h(w, r)
	}
}

// text is a phrase in the language of the request.
func (p *Pages) text(r *http.Request, key string, args ...any) string {
	return p.Site.Catalog.Text(web.Lang(r), key, args...)
}

// back is a frame whose page leads back.
func (p *Pages) back(text, href string) web.Frame {
	return web.Frame{Back: web.Link{Text: text, Href: href}}
}
