// Package desk holds the pages of a chamber's clerks: registrations, letters,
// member directory, record of deeds (R091, S11).
//
//	GET       /chamber                        what is to be done
//	GET       /chamber/registrations          the queue: ?status= &sort= &page=
//	GET  POST /chamber/registrations/{id}     application and directory side by side, the decision
//	GET  POST /chamber/letters                letters that wait, batches; print
//	GET  POST /chamber/letters/batches/{id}   one batch: dispatched, reprint, came back
//	GET       /chamber/letters/batches/{id}/sheet   its cover sheet
//	GET       /chamber/letters/returned       letters that came back
//	GET  POST /chamber/directory              import of the member directory
//	GET       /chamber/identities             names to be corrected: ?status= &page=
//	GET  POST /chamber/identities/{id}        the name as it is and as it is wanted
//	GET       /chamber/recoveries             people who lost everything: ?status= &page=
//	GET  POST /chamber/recoveries/{id}        what was claimed and the account side by side, the decision, the paper
//	GET       /chamber/audit                  who did what: ?event= &request= &organization= &from= &until=; audit.csv is the same as a file
//
// Only clerks of a chamber come in, and each sees that chamber alone. The
// commands ask again who acts. Printing codes, letting somebody recover an
// account and changing the directory, by which letters go, ask for a proof first.
package desk

import (
	"embed"
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/visitor"
)

//go:embed templates/*.html
var files embed.FS

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

var templates = web.Parse(files)

// Pages of the chamber's desk.
type Pages struct {
	DB        *db.DB
	Site      *web.Site
	Door      *visitor.Door
	PrintShop letter.PrintShop // nil: batches are downloaded only
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /chamber", p.start)
	m.Signed("GET /chamber/registrations", p.list)
	m.Signed("GET /chamber/registrations/{id}", p.showCase)
	m.Signed("POST /chamber/registrations/{id}", p.decide)
	m.Signed("GET /chamber/letters", p.showLetters)
	m.Signed("POST /chamber/letters", p.print)
	m.Signed("GET /chamber/letters/returned", p.returned)
	m.Signed("GET /chamber/letters/batches/{id}", p.showBatch)
	m.Signed("GET /chamber/letters/batches/{id}/sheet", p.sheet)
	m.Signed("POST /chamber/letters/batches/{id}", p.batch)
	m.Signed("GET /chamber/directory", p.showDirectory)
	m.Signed("POST /chamber/directory", p.upload)
	m.Signed("GET /chamber/recoveries", p.recoveries)
	m.Signed("GET /chamber/recoveries/{id}", p.showRecovery)
	m.Signed("POST /chamber/recoveries/{id}", p.decideRecovery)
	m.Signed("GET /chamber/audit", p.audit)
	m.Signed("GET /chamber/audit.csv", p.auditFile)
	m.Signed("GET /chamber/identities", p.identities)
	m.Signed("GET /chamber/identities/{id}", p.identity)
	m.Signed("POST /chamber/identities/{id}", p.decideIdentity)
}

// mine is the chamber whose clerk is asking; nobody else gets further.
func mine(tx *db.Tx, r *http.Request) (string, error) {
	id, err := chamber.ClerkOf(tx, web.Actor(r).Account)
	if err == nil && id == "" {
		err = fault.Forbidden()
	}
	return id, err
}

func (p *Pages) text(r *http.Request, key string, args ...any) string {
	return p.Site.Catalog.Text(web.Lang(r), key, args...)
}

// A clock tells ages in words.
type clock struct {
	now  db.Time
	text func(key string, args ...any) string
}

// Age is "heute" or "seit 3 Tagen".
func (c clock) Age(t db.Time) string {
	if days := int(c.now.Sub(t).Hours() / 24); days > 0 {
		return c.text("web.days_ago", days)
	}
	return c.text("desk.today")
}

func (p *Pages) clock(tx *db.Tx, r *http.Request) clock {
	return clock{tx.Now(), func(key string, args ...any) string { return p.text(r, key, args...) }}
}
