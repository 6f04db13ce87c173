// Package authorize holds the pages that stand between an application's
// request and its answer:
//
//	GET, POST /authorize/no-access     which role is missing, who can give it, one button that asks for it (R029, R145–R148)
//	GET, POST /authorize/organization  for which company, where several are possible (R202)
//
// Nothing here issues a code. The pages lead back to the authorization
// request, and package openid decides anew.
package authorize

import (
	"embed"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
)

//go:embed templates
var files embed.FS

var templates = web.Parse(files)

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

// Pages of the authorization.
type Pages struct {
	DB   *db.DB
	Site *web.Site
	// AllowNext lets the form of a page that leads on to next end at the
	// application (CSP form-action); package openid provides it.
	AllowNext func(w http.ResponseWriter, r *http.Request, next string) (application string)
}

// Mount adds the pages.
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /authorize/no-access", p.noAccess)
	m.Signed("POST /authorize/no-access", p.ask)
	m.Signed("GET /authorize/organization", p.choose)
	m.Signed("POST /authorize/organization", p.chosen)
}

// declaring loads an active application that declares roles, with them. Any
// other has nothing to explain here.
func declaring(tx *db.Tx, clientID string) (a application.Application, roles []application.Role, err error) {
	if a, roles, err = serving(tx, clientID); err == nil && len(roles) == 0 {
		err = fault.NotFound()
	}
	return a, roles, err
}

// text: what both engines can compare.
func text(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// pending is the authorization request that next leads back to, with the
// client it is of; empty if next leads elsewhere.
func pending(next string) (path, clientID string) {
	place, query, _ := strings.Cut(web.LocalPath(next), "?")
	v, err := url.ParseQuery(query)
	if place != "/oauth2/authorize" || err != nil {
		return "", ""
	}
	return web.LocalPath(next), v.Get("client_id")
}
