package joining

import (
	"net/http"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/request"
	"zunft/internal/identity/visitor"
)

// Nobody mistypes a company more often; who lists companies does.
var (
	perPerson  = limit.Rate{Burst: 15, Every: 4 * time.Minute}
	perAddress = limit.Rate{Burst: 60, Every: time.Minute}
)

// companyPage is step 1: the company's data (S13).
type companyPage struct {
	web.Frame
	Form  *web.Form
	Query string // carried on
	Title string // the tenant's own word for it (R120)
}

func (p *Pages) company(w http.ResponseWriter, r *http.Request) error {
	return p.showCompany(w, r, web.NewForm())
}

func (p *Pages) showCompany(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	return p.Site.Show(w, r, f.Status(), templates, "company", &companyPage{Form: f, Query: carried(r), Title: visitor.Of(r).Words.Join.In(web.Lang(r))})
}

// find looks the company up. What is missing is said field by field; of what
// does not meet a company only as much as unknown lets through.
func (p *Pages) find(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	name, street, house, postcode, ident := f.Text("name"), f.Text("street"), f.Text("house_number"), f.Text("postcode"), f.Text("ident_number")
	for field, value := range map[string]string{"name": name, "street": street, "house_number": house, "postcode": postcode, "ident_number": ident} {
		if len(value) > 300 {
			f.Add(field, "joining.too_long")
		}
	}
	if name == "" {
		f.Add("name", "joining.name_required")
	}
	if street == "" {
		f.Add("street", "joining.street_required")
	}
	if house == "" {
		f.Add("house_number", "joining.house_number_required")
	}
	if postcode == "" {
		f.Add("postcode", "joining.postcode_required")
	}
	if !f.OK() {
		return p.showCompany(w, r, f)
	}
	actor := web.Actor(r)
	err := limit.Take(r.Context(), p.DB, "join/person/"+actor.Account, perPerson)
	if err == nil {
		err = limit.Take(r.Context(), p.DB, "join/ip/"+limit.Network(actor.IP), perAddress)
	}
	if f.Take(err) {
		return p.showCompany(w, r, f)
	}
	if err != nil {
		return err
	}
	var found organization.Organization
	err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		found, err = organization.FindForJoin(tx, name, street, house, postcode, ident)
		return err
	})
	if fault.Is(err, fault.KindNotFound) {
		if err := p.unknown(r, f); err != nil {
			return err
		}
		return p.showCompany(w, r, f)
	}
	if err != nil {
		return err
	}
	return web.See(w, r, "/join/"+p.sealed(r, found.ID)+carried(r))
}

// sealed names a company for this person alone.
func (p *Pages) sealed(r *http.Request, organizationID string) string {
	return p.DB.Keys.Seal("join/"+web.Actor(r).Account, []byte(organizationID))
}

func (p *Pages) opened(r *http.Request) (string, error) {
	id, err := p.DB.Keys.Open("join/"+web.Actor(r).Account, r.PathValue("company"))
	if err != nil {
		return "", fault.NotFound()
	}
	return string(id), nil
}

// reasonPage is step 2: why, and with which roles.
type reasonPage struct {
	web.Frame
	Form    *web.Form
	Company organization.Organization
	Options []web.Option
	Token   string
	Query   string
}

func (p *Pages) reason(w http.ResponseWriter, r *http.Request) error {
	return p.showReason(w, r, web.NewForm())
}

func (p *Pages) showReason(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &reasonPage{Form: f, Token: r.PathValue("company"), Query: carried(r)}
	id, err := p.opened(r)
	if err != nil {
		return err
	}
	err = p.DB.Read(r.Context(), func(tx *db.Tx) error {
		if page.Company, err = organization.Get(tx, id); err != nil {
			return err
		}
		if page.Company.State != organization.Active {
			return fault.NotFound()
		}
		offers, err := application.AllOffers(tx)
		q := r.URL.Query()
		page.Options = options(offers, web.Lang(r), func(app application.Application, key string) bool {
			return (q.Get("application") == app.ID || q.Get("application") == app.ClientID) && q.Get("role") == key
		})
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "reason", page)
}

func (p *Pages) ask(w http.ResponseWriter, r *http.Request) error {
	id, err := p.opened(r)
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	roles := chosen(f)
	var asked request.Request
	err = p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		asked, err = request.Submit(tx, web.Actor(r), id, f.Lines("reason"), roles)
		return err
	})
	if f.Take(err) {
		return p.showReason(w, r, f)
	}
	if err != nil {
		return err
	}
	return web.See(w, r, "/requests/"+asked.ID+"/sent"+carried(r))
}

// sentPage says what happens next.
type sentPage struct {
	web.Frame
	Request request.Request
	Company organization.Organization
	Next    string
}

func (p *Pages) sent(w http.ResponseWriter, r *http.Request) error {
	page := &sentPage{Next: next(r)}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.Request, err = request.Get(tx, web.Actor(r), r.PathValue("id")); err != nil {
			return err
		}
		if page.Request.Applicant != web.Actor(r).Account {
			return fault.NotFound()
		}
		page.Company, err = organization.Get(tx, page.Request.Organization)
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "sent", page)
}

// mineLimit is how many requests a page of "my requests" shows.
const mineLimit = 20

// minePage lists a person's own requests.
type minePage struct {
	web.Frame
	Entries []request.Entry
	More    string // id to go on from
}

func (p *Pages) mine(w http.ResponseWriter, r *http.Request) error {
	page := &minePage{}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		page.Entries, err = request.Asked(tx, web.Actor(r), r.URL.Query().Get("before"), mineLimit+1)
		return err
	})
	if err != nil {
		return err
	}
	if len(page.Entries) > mineLimit {
		page.Entries = page.Entries[:mineLimit]
		page.More = page.Entries[mineLimit-1].ID
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "mine", page)
}
