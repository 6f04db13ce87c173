// Package enrolling holds the pages by which an organization asks many people
// in at once (ux.md 0 no. 4: 40 apprentices in six clicks).
//
//	GET  POST /organizations/{id}/rosters                       a file, or rows pasted; the lists there are
//	GET       /organizations/{id}/rosters/example.csv           an empty list to fill in
//	GET       /organizations/{id}/rosters/{roster}              what was read, what came of it
//	POST      /organizations/{id}/rosters/{roster}/columns      which column is what
//	POST      /organizations/{id}/rosters/{roster}/rows         mend rows in place, leave them out
//	POST      /organizations/{id}/rosters/{roster}/defaults     what holds for all
//	GET  POST /organizations/{id}/rosters/{roster}/send         "37 einladen"
//	GET       /organizations/{id}/rosters/{roster}/remaining    the rest as a file
//	POST      /organizations/{id}/rosters/{roster}/remind       everybody who has not answered
//	GET  POST /organizations/{id}/rosters/{roster}/slips        slips of paper (A6) as PDF
//	GET  POST /organizations/{id}/rosters/{roster}/drop         forget a list: sure?
//
// While a list is being sent its page loads itself again every five seconds.
// A file is read in memory, within the bounds of package roster; what is too
// large is said before it has come in whole.
package enrolling

import (
	"embed"
	"net/http"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/roster"
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
	DB   *db.DB
	Site *web.Site
}

// Mount puts the pages into the route table.
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /organizations/{id}/rosters", p.ask)
	m.Signed("POST /organizations/{id}/rosters", p.upload)
	m.Signed("GET /organizations/{id}/rosters/example.csv", p.example)
	m.Signed("GET /organizations/{id}/rosters/{roster}", p.show)
	m.Signed("POST /organizations/{id}/rosters/{roster}/columns", p.columns)
	m.Signed("POST /organizations/{id}/rosters/{roster}/rows", p.mend)
	m.Signed("POST /organizations/{id}/rosters/{roster}/defaults", p.defaults)
	m.Signed("GET /organizations/{id}/rosters/{roster}/send", p.check)
	m.Signed("POST /organizations/{id}/rosters/{roster}/send", p.send)
	m.Signed("GET /organizations/{id}/rosters/{roster}/remaining", p.remaining)
	m.Signed("POST /organizations/{id}/rosters/{roster}/remind", p.remind)
	m.Signed("GET /organizations/{id}/rosters/{roster}/slips", p.slips)
	m.Signed("POST /organizations/{id}/rosters/{roster}/slips", p.makeSlips)
	m.Signed("GET /organizations/{id}/rosters/{roster}/drop", p.drop)
	m.Signed("POST /organizations/{id}/rosters/{roster}/drop", p.doDrop)
}

func (p *Pages) text(r *http.Request, key string, args ...any) string {
	return p.Site.Catalog.Text(web.Lang(r), key, args...)
}

// say is text for one who only takes a function.
func (p *Pages) say(r *http.Request) func(string, ...any) string {
	return func(key string, args ...any) string { return p.text(r, key, args...) }
}

// company is the organization of the address, for its admins.
func company(tx *db.Tx, r *http.Request) (o organization.Organization, err error) {
	if err := membership.MustAdminister(tx, web.Actor(r), r.PathValue("id")); err != nil {
		return o, err
	}
	if o, err = organization.Get(tx, r.PathValue("id")); err == nil && o.State != organization.Active {
		err = fault.NotFound()
	}
	return o, err
}

// here is the address of the list.
func here(r *http.Request) string {
	return "/organizations/" + r.PathValue("id") + "/rosters/" + r.PathValue("roster")
}

// list is the list of the address.
func list(tx *db.Tx, r *http.Request) (roster.Roster, error) {
	return roster.Get(tx, web.Actor(r), r.PathValue("id"), r.PathValue("roster"))
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 2<<20 {
		return 0
	}
	return n
}
