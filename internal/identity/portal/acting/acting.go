// Package acting holds the pages about in whose name a person acts: switching
// between companies, and the mandates by which somebody acts for a company that
// they do not belong to.
//
//	GET, POST /acting                              for whom do you act? (R202, R302)
//	GET  /account/mandates                         a person's mandates, and those proposed to them
//	GET, POST /account/mandates/new                offer to act for a company (R295)
//	GET  /organizations/{id}/mandates              what a company gave and has
//	GET, POST /organizations/{id}/mandates/new     let somebody act, or offer to
//	GET  /mandates/{id}                            one mandate, for its two sides
//	POST /mandates/{id}                            accept, decline
//	GET, POST /mandates/{id}/people                which of one's people act (R297)
//	GET, POST /mandates/{id}/revoke                end it: sure?
//	GET  /mandates/{id}/form.pdf                   to print
//	GET  /representation/{token}                   the link of the mail, also for strangers (R298)
//	GET  /chamber/mandates, /chamber/mandates/{id} what the chamber approves
//	POST /chamber/mandates/{id}                    approve, refuse
//
// Giving power asks for a proof first ([visitor.Door.Sure]); taking it away and
// agreeing to act do not.
package acting

import (
	"embed"
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/behalf"
	"zunft/internal/identity/mandate"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed all:templates
var files embed.FS

var templates = web.Parse(files)

const pageSize = 50

// Pages about in whose name one acts.
type Pages struct {
	DB   *db.DB
	Site *web.Site
	Door *visitor.Door
}

// Mount puts the pages into the route table.
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /acting", p.contexts)
	m.Signed("POST /acting", p.choose)
	m.Signed("GET /account/mandates", p.mine)
	m.Signed("GET /account/mandates/new", p.propose)
	m.Signed("POST /account/mandates/new", p.doPropose)
	m.Signed("GET /organizations/{id}/mandates", p.ofCompany)
	m.Signed("GET /organizations/{id}/mandates/new", p.propose)
	m.Signed("POST /organizations/{id}/mandates/new", p.doPropose)
	m.Signed("GET /mandates/{id}", p.mandate)
	m.Signed("POST /mandates/{id}", p.answer)
	m.Signed("GET /mandates/{id}/people", p.people)
	m.Signed("POST /mandates/{id}/people", p.setPerson)
	m.Signed("GET /mandates/{id}/revoke", p.revoke)
	m.Signed("POST /mandates/{id}/revoke", p.doRevoke)
	m.Signed("GET /mandates/{id}/form.pdf", p.form)
	m.Open("GET /representation/{token}", p.link)
	m.Signed("GET /chamber/mandates", p.queue)
	m.Signed("GET /chamber/mandates/{id}", p.toDecide)
	m.Signed("POST /chamber/mandates/{id}", p.decide)
}

// text is a phrase in the language of the request.
func (p *Pages) text(r *http.Request, key string, args ...any) string {
	return p.Site.Catalog.Text(web.Lang(r), key, args...)
}

// Now is in whose name somebody acts at this moment: the context chosen in this
// session if it still holds, and whether there are several to choose from.
func Now(tx *db.Tx, v *visitor.Visitor) (c behalf.Context, several bool, err error) {
	if v.Session.Organization != "" {
		if c, err = behalf.Look(tx, v.Account.ID, behalf.Anyhow, v.Session.Organization, v.Session.Mandate); err != nil && !fault.Is(err, fault.KindNotFound) {
			return c, false, err
		}
	}
	_, several, err = behalf.Only(tx, v.Account.ID, behalf.Anyhow)
	if fault.Is(err, fault.KindNotFound) {
		err = nil
	}
	return c, several, err
}

// Fill writes the context line: whoever could act for several, or acts by a
// mandate, reads on every page for whom they do, and can switch (ux.md 2.3).
func Fill(s *web.Site, tx *db.Tx, v *visitor.Visitor, f *web.Frame) (c behalf.Context, err error) {
	c, several, err := Now(tx, v)
	if err != nil || !several && c.Mandate == "" {
		return c, err
	}
	f.ContextHref = "/acting"
	switch {
	case c.ID == "":
		f.Context = s.Catalog.Text(f.Lang, "acting.context_self")
	case c.Mandate != "":
		f.Context = s.Catalog.Text(f.Lang, "acting.context_mandate", c.Label(), c.LastDay())
	default:
		f.Context = s.Catalog.Text(f.Lang, "acting.context", c.Label())
	}
	return c, nil
}

// contextsPage lists for whom the person may act.
type contextsPage struct {
	web.Frame
	Form           *web.Form
	Now            behalf.Context
	Contexts       []behalf.Context
	Via            map[string]string // names of representing organizations
	Search         string
	Next           string
	Searchable     bool
	More           string
	Chosen, Nobody bool
}

func (p *Pages) contexts(w http.ResponseWriter, r *http.Request) error {
	return p.showContexts(w, r, web.NewForm(), r.URL.Query().Get("next"))
}

func (p *Pages) showContexts(w http.ResponseWriter, r *http.Request, f *web.Form, next string) error {
	q := web.ReadQuery(r)
	page, after := &contextsPage{Form: f, Search: q.Text("q"), Next: web.LocalPath(next)}, q.Text("after")
	v := visitor.Of(r)
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.Now, _, err = Now(tx, v); err != nil {
			return err
		}
		if page.Contexts, err = behalf.Contexts(tx, v.Account.ID, behalf.Anyhow, page.Search, after, pageSize+1); err != nil {
			return err
		}
		page.Searchable = len(page.Contexts) > pageSize || page.Search != "" || after != ""
		page.Nobody = len(page.Contexts) == 0 && !page.Searchable
		if len(page.Contexts) > pageSize {
			page.Contexts = page.Contexts[:pageSize]
			page.More = query("/acting", "next", page.Next, "q", page.Search, "after", page.Contexts[pageSize-1].Value())
		}
		page.Via, err = names(tx, page.Contexts)
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "contexts", page)
}

// choose keeps for whom the person acts until they switch or sign out.
func (p *Pages) choose(w http.ResponseWriter, r *http.Request) error {
	f, by := web.ReadForm(r), web.Actor(r)
	var c behalf.Context
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if value := f.Text("context"); value != "" {
			organizationID, mandateID := behalf.ReadValue(value)
			c, err = behalf.Look(tx, by.Account, behalf.Anyhow, organizationID, mandateID)
			if fault.Is(err, fault.KindNotFound) {
				err = fault.Conflict("acting.gone")
			}
		}
		if err != nil {
			return err
		}
		return session.Choose(tx, by, by.Session, c.ID, c.Mandate)
	})
	next := web.LocalPath(f.Raw("next"))
	if f.Take(err) {
		return p.showContexts(w, r, f, next)
	}
	if err != nil {
		return err
	}
	if c.ID == "" {
		return p.Site.Done(w, r, next, "acting.chosen_self")
	}
	return p.Site.Done(w, r, next, "acting.chosen", c.Label())
}

// roleNames of a mandate, as the application declares them.
func roleNames(offers application.Offers, m mandate.Mandate, lang string) (all []string) {
	for _, r := range m.Roles {
		if a, role, ok := offers.Role(r.Application, r.Key); ok {
			all = append(all, role.Name(lang)+" ("+a.Name+")")
		}
	}
	return all
}
