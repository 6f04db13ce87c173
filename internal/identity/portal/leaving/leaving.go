// Package leaving is where a person takes their data along, locks or deletes
// their account, and comes back (R181).
//
//	GET  /account/lock                  "Konto sperren": what it means
//	POST /account/lock                  lock
//	GET  /unlock                        "Konto entsperren": ask for the link
//	POST /unlock                        send it
//	GET  /account/delete                "Konto löschen": what goes, what stays and why
//	POST /account/delete                begin the grace of 30 days
//	GET  /keep/{token}                  the link of the mails: shall it stay?
//	POST /keep/{token}                  it stays
//	GET  /login/keep                    signing in meanwhile asks the same
//	POST /login/keep                    it stays, and on
//	GET  /account/data                  "Meine Daten"
//	POST /account/data                  have them put together
//	GET  /account/data/{id}             read them
//	GET  /account/data/{id}/download    take them along
//
// What takes access away or gives data out asks for a proof first (R151, R160).
package leaving

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
	m.Signed("GET /account/lock", p.askLock)
	m.Signed("POST /account/lock", p.lock)
	m.Open("GET /unlock", p.askUnlock)
	m.Open("POST /unlock", p.unlock)
	m.Signed("GET /account/delete", p.askDelete)
	m.Signed("POST /account/delete", p.delete)
	m.Open("GET /keep/{token}", p.askKeep)
	m.Open("POST /keep/{token}", p.keep)
	m.Open("GET /login/keep", p.askBack)
	m.Open("POST /login/keep", p.back)
	m.Signed("GET /account/data", p.data)
	m.Signed("POST /account/data", p.askData)
	m.Signed("GET /account/data/{id}", p.read)
	m.Signed("GET /account/data/{id}/download", p.download)
}

// account leads to "Mein Konto".
func (p *Pages) account(r *http.Request) web.Frame {
	return web.Frame{Back: web.Link{Text: p.Site.Catalog.Text(web.Lang(r), "leaving.account"), Href: "/account"}}
}
