// Package company holds the pages on which a person brings their company into
// the portal: register it, follow the application, activate it.
//
//	GET  POST /organizations/register     S07, S08: data, then summary
//	GET  POST /registrations/{id}       where the application stands; answer a question, withdraw
//	GET       /registrations/{id}/done  reference number after submitting
//	GET  POST /organizations/activate     S09, S10: the three values of the letter; a new letter
//	GET       /organizations/activated    R100
package company

import (
	"embed"
	"net/http"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/company"
	"zunft/internal/identity/registration"
)

//go:embed templates/*.html
var files embed.FS

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

var templates = web.Parse(files)

// Pages about a person's own company.
type Pages struct {
	DB   *db.DB
	Site *web.Site
	// MakeAdmin makes who activated the company its first admin (R101), in the
	// same transaction.
	MakeAdmin func(tx *db.Tx, by audit.Actor, organizationID, accountID string) error
}

// Mount adds the routes; all are for people who are signed in (R068).
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /organizations/register", p.showRegister)
	m.Signed("POST /organizations/register", p.register)
	m.Signed("GET /registrations/{id}", p.showStatus)
	m.Signed("GET /registrations/{id}/done", p.showDone)
	m.Signed("POST /registrations/{id}", p.answer)
	m.Signed("GET /organizations/activate", p.showActivate)
	m.Signed("POST /organizations/activate", p.activate)
	m.Signed("GET /organizations/activated", p.showActivated)
}

// fields of the form, in the order of S07.
var fields = []string{"name", "legal_form", "street", "house_number", "postcode", "place", "ident_number", "register_number", "register_court", "register_kind", "reason", "chamber", "way"}

func application(f *web.Form) registration.Application {
	return registration.Application{
		Company: company.Company{
			Name: f.Text("name"), LegalForm: f.Text("legal_form"), Street: f.Text("street"), HouseNumber: f.Text("house_number"),
			Postcode: f.Text("postcode"), Place: f.Text("place"), IdentNumber: f.Text("ident_number"),
			RegisterNumber: f.Text("register_number"), RegisterCourt: f.Text("register_court"), RegisterKind: f.Text("register_kind"),
		},
		Reason:  f.Lines("reason"),
		Chamber: f.Text("chamber"),
		Way:     f.Text("way"),
	}
}

func formOf(r registration.Registration) *web.Form {
	return web.NewForm("name", r.Name, "legal_form", r.LegalForm, "street", r.Street, "house_number", r.HouseNumber, "postcode", r.Postcode, "place", r.Place,
		"ident_number", r.IdentNumber, "register_number", r.RegisterNumber, "register_court", r.RegisterCourt, "register_kind", r.RegisterKind,
		"reason", r.Reason, "chamber", r.Chamber)
}

// lists are the choices of the form.
type lists struct{ LegalForms, Courts, Kinds, Chambers []web.Option }

func (p *Pages) lists(r *http.Request) (l lists) {
	text := func(key string) string { return p.Site.Catalog.Text(web.Lang(r), key) }
	l.LegalForms = []web.Option{{Text: text("company.choose")}}
	for _, f := range chamber.LegalForms() {
		l.LegalForms = append(l.LegalForms, web.Option{Value: f.Key, Text: f.Label})
	}
	l.Courts = []web.Option{{Text: text("company.none")}}
	for _, c := range chamber.RegisterCourts() {
		l.Courts = append(l.Courts, web.Option{Value: c.Key, Text: c.Label})
	}
	l.Kinds = []web.Option{{Text: text("company.none")}}
	for _, k := range chamber.RegisterKinds() {
		l.Kinds = append(l.Kinds, web.Option{Value: k.Key, Text: k.Key + " – " + k.Label})
	}
	return l
}

// A Fact is one line of a summary.
type Fact struct{ Label, Value string }

// facts are what was entered, in words.
func (p *Pages) facts(r *http.Request, reg registration.Registration) (all []Fact) {
	text := func(key string) string { return p.Site.Catalog.Text(web.Lang(r), key) }
	add := func(label, value string) {
		if value == "" {
			value = text("company.not_given")
		}
		all = append(all, Fact{text(label), value})
	}
	add("company.field.name", reg.Name)
	add("company.field.legal_form", chamber.LegalFormLabel(reg.LegalForm))
	add("company.field.address", reg.Address())
	add("company.field.ident_number", reg.IdentNumber)
	add("company.field.register_number", reg.RegisterNumber)
	add("company.field.register_court", chamber.RegisterCourtLabel(reg.RegisterCourt))
	add("company.field.register_kind", reg.RegisterKind)
	add("company.reason", reg.Reason)
	return all
}
