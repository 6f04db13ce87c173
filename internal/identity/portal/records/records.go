// Package records holds the pages in which a chamber's clerks look things up.
//
//	GET       /chamber/organizations         search: ?q= &status= &place= &after=
//	GET  POST /chamber/organizations/{id}    one company: data, letters, administration, record; lock, unlock, new letter
//	GET       /chamber/persons               search: ?q= &status= &after=
//	GET  POST /chamber/persons/{id}          one person: memberships, state; lock, unlock
//	GET       /chamber/requests              requests that no administration answers
//	GET       /chamber/statistics            counts, ages and times
//
// What is searched for stands in the address, so a search can be kept and
// handed on; "status:aktiv ort:Emden" works in the field, too. Only clerks come
// in, each to the companies and people of their own chamber. Locks ask for a
// proof first.
package records

import (
	"embed"
	"net/http"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/visitor"
)

//go:embed templates/*.html
var files embed.FS

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

var templates = web.Parse(files)

// listSize is how many rows a page has.
const listSize = 50

// Pages in which clerks look things up.
type Pages struct {
	DB   *db.DB
	Site *web.Site
	Door *visitor.Door
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /chamber/organizations", p.organizations)
	m.Signed("GET /chamber/organizations/{id}", p.organization)
	m.Signed("POST /chamber/organizations/{id}", p.changeOrganization)
	m.Signed("GET /chamber/persons", p.persons)
	m.Signed("GET /chamber/persons/{id}", p.person)
	m.Signed("POST /chamber/persons/{id}", p.changePerson)
	m.Signed("GET /chamber/requests", p.overdue)
	m.Signed("GET /chamber/statistics", p.statistics)
}

// mine is the chamber whose clerk is asking; nobody else gets further.
func mine(tx *db.Tx, r *http.Request) (c chamber.Chamber, err error) {
	id, err := chamber.ClerkOf(tx, web.Actor(r).Account)
	if err == nil && id == "" {
		err = fault.Forbidden()
	}
	if err != nil {
		return c, err
	}
	return chamber.Get(tx, id)
}

// text is a phrase in the language of the request.
func (p *Pages) text(r *http.Request, key string, args ...any) string {
	return p.Site.Catalog.Text(web.Lang(r), key, args...)
}

// A Deed is a row of the record in words.
type Deed struct {
	At      db.Time
	What    string
	Who     string
	Request string
}

// deeds puts rows of the record into words.
func (p *Pages) deeds(tx *db.Tx, r *http.Request, rows []audit.Row) (all []Deed, err error) {
	var ids []string
	for _, row := range rows {
		ids = append(ids, row.By.Account)
	}
	people, err := account.GetMany(tx, ids)
	for _, row := range rows {
		d := Deed{At: row.At, What: row.Entry.Event, Who: people[row.By.Account].Name(), Request: row.By.Request}
		for _, key := range []string{"audit.event." + row.Entry.Event, "activity.event." + row.Entry.Event} {
			if p.Site.Catalog.Has(key) {
				d.What = p.text(r, key)
				break
			}
		}
		if row.By.Kind != audit.Person {
			d.Who = p.text(r, "records.system")
		}
		all = append(all, d)
	}
	return all, err
}
