// Package joining holds the pages on which a person asks to join a company and
// its admins answer, and those on which requests of both kinds are read.
//
//	GET  /organizations/join           the company's data (S13, R121–R125)
//	POST /organizations/join           find it: exactly one company, or no word about any
//	GET  /join/{company} reason and wished roles (W24)
//	POST /join/{company} ask
//	GET  /join/{company}/message       "Wer verwaltet mein Unternehmen?": write to the administration
//	POST /join/{company}/message       send
//	GET  /requests                     my requests
//	GET  /requests/{id}                one request: its state for the applicant, the review for admins (S14, S18)
//	GET  /requests/{id}/sent           what happens next
//	POST /requests/{id}/claim          "Mir zuweisen"
//	POST /requests/{id}/release        put it back
//	POST /requests/{id}/hand-over      give it to another admin
//	POST /requests/{id}/approve        let in, with roles; an open one is taken on in the same step
//	POST /requests/{id}/deny           turn away, with a reason
//	POST /requests/{id}/withdraw       the applicant takes it back
//
// Company data are compared as a whole (W06); tries are counted per person and
// address, so that nobody can list companies. {company} is the found company
// sealed for this person: an id alone opens nothing.
package joining

import (
	"embed"
	"net/http"
	"net/url"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/visitor"
)

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed templates/*
var files embed.FS

var templates = web.Parse(files)

// Pages of joining.
type Pages struct {
	DB   *db.DB
	Site *web.Site
	Door *visitor.Door
}

// Mount puts the pages into the route table.
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /organizations/join", p.company)
	m.Signed("POST /organizations/join", p.find)
	m.Signed("GET /join/{company}", p.reason)
	m.Signed("POST /join/{company}", p.ask)
	m.Signed("GET /join/{company}/message", p.relay)
	m.Signed("POST /join/{company}/message", p.sendRelay)
	m.Signed("GET /requests", p.mine)
	m.Signed("GET /requests/{id}", p.request)
	m.Signed("GET /requests/{id}/sent", p.sent)
	m.Signed("POST /requests/{id}/claim", p.claim)
	m.Signed("POST /requests/{id}/release", p.release)
	m.Signed("POST /requests/{id}/hand-over", p.handOver)
	m.Signed("POST /requests/{id}/approve", p.approve)
	m.Signed("POST /requests/{id}/deny", p.deny)
	m.Signed("POST /requests/{id}/withdraw", p.withdraw)
}

// carried is what an application hands over when it sends a person here: the
// role it needs, and where to go on afterwards.
func carried(r *http.Request) string {
	q := url.Values{}
	for _, name := range []string{"application", "role", "next"} {
		if v := r.URL.Query().Get(name); v != "" && len(v) < 4000 {
			q.Set(name, v)
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// next is where to go on, if it is a path of this portal.
func next(r *http.Request) string {
	n := web.LocalPath(r.URL.Query().Get("next"))
	if n == "/" {
		return ""
	}
	return n
}

// options are the roles of all applications as one group of check boxes.
func options(offers application.Offers, lang string, selected func(app application.Application, key string) bool) (all []web.Option) {
	offers = offers.WithRoles()
	for _, o := range offers {
		for _, r := range o.Roles {
			text := r.Name(lang)
			if len(offers) > 1 {
				text += " – " + o.Application.Name
			}
			all = append(all, web.Option{Value: r.Application + " " + r.Key, Text: text, Hint: r.Description(lang), Selected: selected(o.Application, r.Key)})
		}
	}
	return all
}

// chosen are the roles ticked in a form.
func chosen(f *web.Form) (roles []membership.Role) {
	for _, v := range f.All("roles") {
		app, key, _ := strings.Cut(v, " ")
		roles = append(roles, membership.Role{Application: app, Key: key})
	}
	if f.Values["roles"] == nil {
		f.Values["roles"] = []string{} // nothing ticked is an answer, too
	}
	return roles
}
