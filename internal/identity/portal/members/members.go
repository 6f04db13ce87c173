// Package members holds the pages of one company as its members and admins see
// it: the card, the member list with roles, the inbox of requests, asking for
// roles, leaving.
//
//	GET  /organizations/{id}                          the company (R144)
//	GET  /organizations/{id}/members                  "Organisationsmitglieder" (S16, R142)
//	POST /organizations/{id}/members/{member}/roles   Ja or Nein to one role (R143)
//	POST /organizations/{id}/members/{member}/admin   administration yes or no: takes a proof, unless one steps down oneself
//	GET  /organizations/{id}/members/{member}         one member: site, end, numbers (R216), roles for a time or at a site
//	POST /organizations/{id}/members/{member}         save
//	POST /organizations/{id}/members/{member}/give    a role for a time, or at a site
//	POST /organizations/{id}/members/{member}/take    take one
//	GET  /organizations/{id}/members/{member}/why     why this person can, or cannot, use an application
//	GET  /organizations/{id}/roles-matrix             who holds which roles: tick and save
//	POST /organizations/{id}/roles-matrix             save
//	GET  /organizations/{id}/review                   half-yearly: still right?
//	POST /organizations/{id}/review                   keep, take the roles, remove
//	GET  /organizations/{id}/away                     absence and deputy of an admin
//	POST /organizations/{id}/away                     save
//	POST /organizations/{id}/back                     back again
//	GET  /organizations/{id}/members/{member}/remove  end a membership: sure?
//	POST /organizations/{id}/members/{member}/remove  end it; that of an admin takes a proof
//	GET  /organizations/{id}/requests                 the inbox (S15)
//	GET  /organizations/{id}/roles                    "Rolle beantragen" (S17)
//	POST /organizations/{id}/roles                    ask
//	GET  /organizations/{id}/leave                    leave: sure?
//	POST /organizations/{id}/leave                    leave
//
// Strangers find nothing here; members who are no admins see the card, ask for
// roles and leave.
package members

import (
	"embed"
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/request"
	"zunft/internal/identity/visitor"
)

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed templates/*
var files embed.FS

var templates = web.Parse(files)

// Pages of a company.
type Pages struct {
	DB   *db.DB
	Site *web.Site
	Door *visitor.Door
}

// Mount puts the pages into the route table.
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /organizations/{id}", p.company)
	m.Signed("GET /organizations/{id}/members", p.list)
	m.Signed("GET /organizations/{id}/requests", p.inbox)
	m.Signed("GET /organizations/{id}/roles", p.roles)
	m.Signed("POST /organizations/{id}/roles", p.askRoles)
	m.Signed("GET /organizations/{id}/leave", p.leave)
	m.Signed("POST /organizations/{id}/leave", p.doLeave)
	m.Signed("POST /organizations/{id}/members/{member}/roles", p.setRole)
	m.Signed("POST /organizations/{id}/members/{member}/admin", p.setAdmin)
	m.Signed("GET /organizations/{id}/members/{member}", p.member)
	m.Signed("POST /organizations/{id}/members/{member}", p.saveMember)
	m.Signed("POST /organizations/{id}/members/{member}/give", p.give)
	m.Signed("POST /organizations/{id}/members/{member}/take", p.take)
	m.Signed("GET /organizations/{id}/members/{member}/why", p.why)
	m.Signed("GET /organizations/{id}/roles-matrix", p.matrix)
	m.Signed("POST /organizations/{id}/roles-matrix", p.saveMatrix)
	m.Signed("GET /organizations/{id}/review", p.review)
	m.Signed("POST /organizations/{id}/review", p.judge)
	m.Signed("GET /organizations/{id}/away", p.away)
	m.Signed("POST /organizations/{id}/away", p.setAway)
	m.Signed("POST /organizations/{id}/back", p.endAway)
	m.Signed("GET /organizations/{id}/members/{member}/remove", p.remove)
	m.Signed("POST /organizations/{id}/members/{member}/remove", p.doRemove)
}

// text is a phrase in the language of the request.
func (p *Pages) text(r *http.Request, key string, args ...any) string {
	return p.Site.Catalog.Text(web.Lang(r), key, args...)
}

// back leads to the company's card.
func (p *Pages) back(r *http.Request, company organization.Organization) web.Link {
	return web.Link{Text: company.Name, Href: "/organizations/" + company.ID}
}

// companyPage is the card of a company for its members.
type companyPage struct {
	web.Frame
	Company organization.Organization
	Chamber string
	Me      membership.Member
	Roles   []named
	Admins  []string // names
	More    int      // further admins
	Size    int      // members
	Counts  request.Counts
	Days    int // since the oldest open request waits
	Review  membership.Review
	Away    request.Absence
	Apps    []application.Application // to ask why (not) about
}

// named is a role as people read it.
type named struct{ Application, Role string }

const adminsShown = 5

func (p *Pages) company(w http.ResponseWriter, r *http.Request) error {
	page := &companyPage{}
	actor, id := web.Actor(r), r.PathValue("id")
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.Me, err = membership.In(tx, id, actor.Account); err != nil {
			return err
		}
		if page.Company, err = organization.Get(tx, id); err != nil {
			return err
		}
		c, err := chamber.Get(tx, page.Company.Chamber)
		if err != nil {
			return err
		}
		page.Chamber = c.Name
		offers, err := application.AllOffers(tx)
		if err != nil {
			return err
		}
		for _, o := range offers.WithRoles() {
			page.Apps = append(page.Apps, o.Application)
		}
		for _, role := range page.Me.Roles {
			if app, declared, ok := offers.Role(role.Application, role.Key); ok {
				page.Roles = append(page.Roles, named{app.Name, declared.Name(web.Lang(r))})
			}
		}
		if page.Admins, page.More, err = adminNames(tx, id); err != nil {
			return err
		}
		if !page.Me.Admin {
			return nil
		}
		if page.Size, err = membership.Size(tx, id); err != nil {
			return err
		}
		if page.Review, err = membership.ReviewOf(tx, page.Company); err != nil {
			return err
		}
		if page.Away, err = request.AwayOf(tx, id, actor.Account); err != nil {
			return err
		}
		if page.Counts, err = request.CountInbox(tx, actor, id); err == nil && page.Counts.Waiting() > 0 {
			page.Days = int(tx.Now().Sub(page.Counts.Oldest).Hours() / 24)
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "company", page)
}

// adminNames are for members of the organization only.
func adminNames(tx *db.Tx, organizationID string) (names []string, more int, err error) {
	ids, err := membership.Admins(tx, organizationID)
	if err != nil {
		return nil, 0, err
	}
	more = max(0, len(ids)-adminsShown)
	ids = ids[:len(ids)-more]
	people, err := account.GetMany(tx, ids)
	for _, id := range ids {
		names = append(names, people[id].Name())
	}
	return names, more, err
}

// leavePage asks whether to leave.
type leavePage struct {
	web.Frame
	Form    *web.Form
	Company organization.Organization
	Me      membership.Member
	Last    bool // the only admin: cannot leave yet (L06)
}

func (p *Pages) leave(w http.ResponseWriter, r *http.Request) error {
	return p.showLeave(w, r, web.NewForm())
}

func (p *Pages) showLeave(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &leavePage{Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.Me, err = membership.In(tx, r.PathValue("id"), web.Actor(r).Account); err != nil {
			return err
		}
		if page.Company, err = organization.Get(tx, r.PathValue("id")); err != nil {
			return err
		}
		page.Last, err = membership.IsLast(tx, page.Me)
		return err
	})
	if err != nil {
		return err
	}
	page.Back = p.back(r, page.Company)
	return p.Site.Show(w, r, f.Status(), templates, "leave", page)
}

func (p *Pages) doLeave(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	var company organization.Organization
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if err = membership.Leave(tx, web.Actor(r), r.PathValue("id")); err != nil {
			return err
		}
		company, err = organization.Get(tx, r.PathValue("id"))
		return err
	})
	if f.Take(err) {
		return p.showLeave(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/", "members.left", company.Name)
}
