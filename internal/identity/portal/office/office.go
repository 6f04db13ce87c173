// Package office holds the pages in which a chamber sets itself up.
//
//	GET  POST /chamber/templates           text blocks by purpose; put one higher
//	GET  POST /chamber/templates/new       a new one
//	GET  POST /chamber/templates/{id}      change or remove one
//	GET  POST /chamber/team                who works here; take in, let go, pass on the lead
//	GET  POST /chamber/settings            rules for companies and the desk, with a preview
//	GET  POST /chamber/settings/contact    how people reach the chamber, who signs letters
//
// Every clerk sees text blocks and team; leading clerks change them and settle
// the rest. Team and settings ask for a proof first.
package office

import (
	"embed"
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/clerk"
	"zunft/internal/identity/visitor"
)

//go:embed templates/*.html
var files embed.FS

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

var templates = web.Parse(files)

// Pages in which a chamber sets itself up.
type Pages struct {
	DB   *db.DB
	Site *web.Site
	Door *visitor.Door
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /chamber/templates", p.blocks)
	m.Signed("POST /chamber/templates", p.up)
	m.Signed("GET /chamber/templates/new", p.newBlock)
	m.Signed("POST /chamber/templates/new", p.addBlock)
	m.Signed("GET /chamber/templates/{id}", p.block)
	m.Signed("POST /chamber/templates/{id}", p.changeBlock)
	m.Signed("GET /chamber/team", p.team)
	m.Signed("POST /chamber/team", p.changeTeam)
	m.Signed("GET /chamber/settings", p.settings)
	m.Signed("POST /chamber/settings", p.saveSettings)
	m.Signed("GET /chamber/settings/contact", p.contact)
	m.Signed("POST /chamber/settings/contact", p.saveContact)
}

// mine is the chamber whose clerk is asking, and whether they lead its team.
func mine(tx *db.Tx, r *http.Request) (id string, lead bool, err error) {
	by := web.Actor(r).Account
	if id, err = chamber.ClerkOf(tx, by); err == nil && id == "" {
		err = fault.Forbidden()
	}
	if err != nil {
		return id, false, err
	}
	lead, err = chamber.IsLead(tx, by, id)
	return id, lead, err
}

// led is the chamber whose leading clerk is asking; nobody else gets further.
func led(tx *db.Tx, r *http.Request) (string, error) {
	id, lead, err := mine(tx, r)
	if err == nil && !lead {
		err = fault.Forbidden()
	}
	return id, err
}

// text is a phrase in the language of the request.
func (p *Pages) text(r *http.Request, key string, args ...any) string {
	return p.Site.Catalog.Text(web.Lang(r), key, args...)
}

// back leads to the work list.
func (p *Pages) back(r *http.Request) web.Link {
	return web.Link{Text: p.text(r, "office.desk"), Href: "/chamber"}
}

// A Colleague of the team with a name.
type Colleague struct {
	chamber.Colleague
	Name, Email string
	Self        bool
}

type teamPage struct {
	web.Frame
	Form *web.Form
	Team []Colleague
	Lead bool
}

func (p *Pages) team(w http.ResponseWriter, r *http.Request) error {
	return p.showTeam(w, r, web.NewForm())
}

func (p *Pages) showTeam(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &teamPage{Frame: web.Frame{Wide: true, Back: p.back(r)}, Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		id, lead, err := mine(tx, r)
		if err != nil {
			return err
		}
		page.Lead = lead
		team, err := chamber.Team(tx, id)
		if err != nil {
			return err
		}
		var ids []string
		for _, c := range team {
			ids = append(ids, c.Account)
		}
		people, err := account.GetMany(tx, ids)
		for _, c := range team {
			page.Team = append(page.Team, Colleague{c, people[c.Account].Name(), people[c.Account].Email, c.Account == web.Actor(r).Account})
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "team", page)
}

func (p *Pages) changeTeam(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	if sure, err := p.Door.Sure(w, r); !sure {
		return err
	}
	by, person, done, to, name := web.Actor(r), f.Text("person"), "", "/chamber/team", ""
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		id, err := led(tx, r)
		if err != nil {
			return err
		}
		switch f.Text("do") {
		case "add":
			done = "office.hired"
			a, err := clerk.Hire(tx, by, id, f.Text("email"))
			name = a.Name()
			return err
		case "remove":
			done = "office.dismissed"
			if person == by.Account {
				to = "/"
			}
			a, err := account.Get(tx, person)
			if err != nil {
				return err
			}
			name = a.Name()
			return clerk.Dismiss(tx, by, id, person)
		case "lead", "no_lead":
			done = "office.lead_changed"
			return chamber.SetLead(tx, by, id, person, f.Text("do") == "lead")
		}
		return fault.Invalid("", "web.form_unreadable")
	})
	if f.Take(err) {
		return p.showTeam(w, r, f)
	}
	if err != nil {
		return err
	}
	if name != "" {
		return p.Site.Done(w, r, to, done, name)
	}
	return p.Site.Done(w, r, to, done)
}
