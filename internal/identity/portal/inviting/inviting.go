// Package inviting holds the pages by which an organization asks people in, and
// by which these answer.
//
//	GET       /organizations/{id}/invitations                    all of them, by state
//	GET  POST /organizations/{id}/invitations/new                "Benutzer hinzufügen" (S12, R106–R112)
//	POST      /organizations/{id}/invitations/remind             remind all that are open
//	GET       /organizations/{id}/invitations/{invitation}       one of them
//	POST      /organizations/{id}/invitations/{invitation}       remind, revoke, a slip of paper
//	GET  POST /invitations/{token}                               the link of the mail: who invites into what; accept, decline, sign up
//	GET  POST /invitations/code                                  the same by the code of a slip of paper
//	GET       /account/invitations                               what waits for the person who is signed in
//	POST      /account/invitations/{invitation}                  accept, decline
//
// The link's GET changes nothing (mail scanners); its POST acts. Somebody
// without an account makes one on the same page: the link has proved the
// mailbox, so a password and what the chamber's profile wants accepted are all
// that is asked (ux.md 1.2: two screens). What an admin sees is the same
// whether an address has an account or not.
package inviting

import (
	"embed"
	"net/http"
	"strings"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/password"
	"zunft/internal/identity/visitor"
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
	DB     *db.DB
	Site   *web.Site
	Door   *visitor.Door
	Hasher *password.Hasher
}

// Mount puts the pages into the route table.
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /organizations/{id}/invitations", p.list)
	m.Signed("GET /organizations/{id}/invitations/new", p.ask)
	m.Signed("POST /organizations/{id}/invitations/new", p.invite)
	m.Signed("POST /organizations/{id}/invitations/remind", p.remindAll)
	m.Signed("GET /organizations/{id}/invitations/{invitation}", p.one)
	m.Signed("POST /organizations/{id}/invitations/{invitation}", p.manage)
	m.Open("GET /invitations/{token}", p.look)
	m.Open("POST /invitations/{token}", p.answer)
	m.Open("GET /invitations/code", p.lookCode)
	m.Open("POST /invitations/code", p.answerCode)
	m.Signed("GET /account/invitations", p.mine)
	m.Signed("POST /account/invitations/{invitation}", p.answerMine)
}

// hashRate bounds the hashing that one address can ask for.
var hashRate = limit.Rate{Burst: 40, Every: 15 * time.Second}

func (p *Pages) text(r *http.Request, key string, args ...any) string {
	return p.Site.Catalog.Text(web.Lang(r), key, args...)
}

// complaint about a field, in words; or empty.
func (p *Pages) complaint(r *http.Request, f *web.Form, field string) string {
	for _, problem := range f.Problems {
		if problem.Field == field {
			return p.text(r, problem.Key, problem.Args...)
		}
	}
	return ""
}

// back leads to the company's card.
func (p *Pages) back(company organization.Organization) web.Link {
	return web.Link{Text: company.Name, Href: "/organizations/" + company.ID}
}

// A named role as people read it.
type named struct{ Application, Name, Description string }

func names(offers application.Offers, roles []membership.Role, lang string) (all []named) {
	for _, r := range roles {
		if app, declared, ok := offers.Role(r.Application, r.Key); ok {
			all = append(all, named{app.Name, declared.Name(lang), declared.Description(lang)})
		}
	}
	return all
}

// kinds are the tags of the states.
var kinds = map[string]string{
	invitation.Sent: "info", invitation.Bounced: "danger", invitation.Accepted: "success",
	invitation.Declined: "warning", invitation.Expired: "neutral", invitation.Revoked: "neutral",
}

// masked is an address that its owner recognizes: "l…@muster.de" (ux.md 2.9 no. 9).
func masked(email string) string {
	local, domain, _ := strings.Cut(email, "@")
	for i := range local {
		if i > 0 {
			local = local[:i]
			break
		}
	}
	return local + "…@" + domain
}
