// Package activity shows a person where they are signed in, which applications
// are connected, what happened with their account, and what comes by mail.
//
//	GET  /account/sessions              "Geräte und Sitzungen"
//	POST /account/sessions/{id}/end     sign one out
//	POST /account/sessions/end-others   sign all others out
//	GET  /account/apps                  "Verbundene Anwendungen"
//	POST /account/apps/{id}/disconnect  take everything given to one back
//	GET  /account/activity              "Kontoverlauf", in words
//	GET  /account/notifications         which notices come by mail, too
//	POST /account/notifications         choose
//	GET  /report-activity/{token}       "Das war ich nicht": what it will do
//	POST /report-activity/{token}       do it, and on to a new password
//
// The last two are reached by the link at the end of every mail about security
// and are open: who holds the link has shown that the mailbox is theirs.
package activity

import (
	"embed"
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/password"
	"zunft/internal/identity/visitor"
)

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed templates
var files embed.FS

var templates = web.Parse(files)

// Pages of this place.
type Pages struct {
	DB     *db.DB
	Site   *web.Site
	Door   *visitor.Door
	Hasher *password.Hasher

	// AllowNext lets the form of this page lead to the application that next
	// belongs to, and names that application; empty if it belongs to none. May be nil.
	AllowNext func(w http.ResponseWriter, r *http.Request, next string) (applicationName string)
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /account/sessions", p.sessions)
	m.Signed("POST /account/sessions/end-others", p.endOthers)
	m.Signed("POST /account/sessions/{id}/end", p.endOne)
	m.Signed("GET /account/apps", p.apps)
	m.Signed("POST /account/apps/{id}/disconnect", p.disconnect)
	m.Signed("GET /account/activity", p.history)
	m.Signed("GET /account/notifications", p.choices)
	m.Signed("POST /account/notifications", p.choose)
	m.Open("GET /report-activity/{token}", p.askReport)
	m.Open("POST /report-activity/{token}", p.report)
}

// text is a phrase in the language of the request.
func (p *Pages) text(r *http.Request, key string, args ...any) string {
	return p.Site.Catalog.Text(web.Lang(r), key, args...)
}

// frame has the way back to "Mein Konto".
func (p *Pages) frame(r *http.Request) web.Frame {
	return web.Frame{Back: web.Link{Text: p.text(r, "activity.account"), Href: "/account"}}
}
