// Package details holds what a company says and settles of itself beside its
// people, with the chamber's side of each, and the door of the revocation letter.
//
//	GET  POST /revoke                             the management ends what it did not want; no account needed
//	GET  POST /organizations/{id}/details         what the admins say of their company (R065)
//	GET  POST /organizations/{id}/sites           branches and training sites (W25)
//	GET  POST /organizations/{id}/succession      a new organization password (R102); who is to join; an objection
//	GET  POST /organizations/{id}/close           close the account, or take that back (L07)
//	GET  POST /chamber/sites                      the chamber releases sites (R300)
//	GET  POST /chamber/successions                objections: the chamber decides
//	GET       /chamber/deviations                 what companies say other than the directory
package details

import (
	"embed"
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/closing"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/visitor"
)

//go:embed templates/*.html
var files embed.FS

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

var templates = web.Parse(files)

// Pages of a company's own settings.
type Pages struct {
	DB   *db.DB
	Site *web.Site
	Door *visitor.Door
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	m.Open("GET /revoke", p.showRevoke)
	m.Open("POST /revoke", p.revoke)
	m.Signed("GET /organizations/{id}/details", p.details)
	m.Signed("POST /organizations/{id}/details", p.changeDetails)
	m.Signed("GET /organizations/{id}/sites", p.sites)
	m.Signed("POST /organizations/{id}/sites", p.changeSites)
	m.Signed("GET /organizations/{id}/succession", p.succession)
	m.Signed("POST /organizations/{id}/succession", p.changeSuccession)
	m.Signed("GET /organizations/{id}/close", p.close)
	m.Signed("POST /organizations/{id}/close", p.changeClose)
	m.Signed("GET /chamber/sites", p.siteQueue)
	m.Signed("POST /chamber/sites", p.decideSite)
	m.Signed("GET /chamber/successions", p.successionQueue)
	m.Signed("POST /chamber/successions", p.decideSuccession)
	m.Signed("GET /chamber/deviations", p.deviations)
}

func (p *Pages) text(r *http.Request, key string, args ...any) string {
	return p.Site.Catalog.Text(web.Lang(r), key, args...)
}

// A company as the pages of its admins show it.
type company struct {
	web.Frame
	Form    *web.Form
	Company organization.Organization
	Chamber chamber.Chamber
	Admin   bool
}

// open reads the company for its members; admins says that they must be one.
func (p *Pages) open(tx *db.Tx, r *http.Request, c *company, admins bool) error {
	me, err := membership.In(tx, r.PathValue("id"), web.Actor(r).Account)
	if err != nil {
		return err
	}
	if c.Admin = me.Admin; admins && !me.Admin {
		return fault.Forbidden()
	}
	if c.Company, err = organization.Get(tx, r.PathValue("id")); err != nil {
		return err
	}
	c.Back = web.Link{Text: c.Company.Label(), Href: "/organizations/" + c.Company.ID}
	c.Chamber, err = chamber.Get(tx, c.Company.Chamber)
	return err
}

// desk is the chamber whose clerk is asking; nobody else gets further.
func desk(tx *db.Tx, r *http.Request) (string, error) {
	id, err := chamber.ClerkOf(tx, web.Actor(r).Account)
	if err == nil && id == "" {
		err = fault.Forbidden()
	}
	return id, err
}

// detailsPage is all that details.html may use.
type detailsPage struct {
	company
	Differences []organization.Difference
}

func (p *Pages) details(w http.ResponseWriter, r *http.Request) error {
	return p.showDetails(w, r, nil)
}

func (p *Pages) showDetails(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &detailsPage{}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		err := p.open(tx, r, &page.company, false)
		if err != nil {
			return err
		}
		page.Differences, err = organization.Differences(tx, page.Company)
		return err
	})
	if err != nil {
		return err
	}
	if page.Form = f; f == nil {
		o := page.Company.Own
		page.Form = web.NewForm("name", o.Name, "street", o.Street, "house_number", o.HouseNumber, "postcode", o.Postcode, "place", o.Place, "phone", o.Phone, "email", o.Email, "website", o.Website)
	}
	return p.Site.Show(w, r, page.Form.Status(), templates, "details", page)
}

func (p *Pages) changeDetails(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	own := organization.Own{
		Name: f.Text("name"), Street: f.Text("street"), HouseNumber: f.Text("house_number"), Postcode: f.Text("postcode"), Place: f.Text("place"),
		Phone: f.Text("phone"), Email: f.Text("email"), Website: f.Text("website"),
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		return organization.ChangeOwn(tx, web.Actor(r), r.PathValue("id"), f.Number("version"), own)
	})
	if f.Take(err) {
		return p.showDetails(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/organizations/"+r.PathValue("id")+"/details", "details.saved")
}

// closePage is all that close.html may use.
type closePage struct {
	company
	At      db.Time // when it would be, or is, closed
	Members int
}

func (p *Pages) close(w http.ResponseWriter, r *http.Request) error {
	return p.showClose(w, r, web.NewForm())
}

func (p *Pages) showClose(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &closePage{company: company{Form: f}}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		err := p.open(tx, r, &page.company, true)
		if err != nil {
			return err
		}
		if page.At = page.Company.ClosesAt; page.At.IsZero() {
			if page.At, err = closing.When(tx, page.Company); err != nil {
				return err
			}
		}
		page.Members, err = membership.Size(tx, page.Company.ID)
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "close", page)
}

// changeClose closes the account, or takes that back. Closing asks for a proof:
// nothing a company does here weighs more.
func (p *Pages) changeClose(w http.ResponseWriter, r *http.Request) error {
	f, id, phrase := web.ReadForm(r), r.PathValue("id"), "details.closing"
	if f.Text("do") != "undo" {
		if !f.Checked("sure") {
			f.Add("sure", "details.sure_missing")
			return p.showClose(w, r, f)
		}
		if sure, err := p.Door.Sure(w, r); !sure {
			return err
		}
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		if f.Text("do") == "undo" {
			phrase = "details.kept"
			return closing.Undo(tx, web.Actor(r), id)
		}
		_, err := closing.Ask(tx, web.Actor(r), id)
		return err
	})
	if f.Take(err) {
		return p.showClose(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/organizations/"+id+"/close", phrase)
}

// deviationsPage is all that deviations.html may use.
type deviationsPage struct {
	web.Frame
	All   []organization.Deviation
	Older string
}

func (p *Pages) deviations(w http.ResponseWriter, r *http.Request) error {
	page := &deviationsPage{Frame: web.Frame{Wide: true, Back: web.Link{Text: p.text(r, "details.desk"), Href: "/chamber"}}}
	var before db.Time
	if v := web.ReadQuery(r).Text("before"); v != "" && before.Scan(v) != nil {
		return fault.NotFound()
	}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		id, err := desk(tx, r)
		if err != nil {
			return err
		}
		all, last, err := organization.Deviations(tx, web.Actor(r), id, before)
		if page.All = all; !last.IsZero() {
			v, _ := last.Value()
			page.Older, _ = v.(string)
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "deviations", page)
}
