// Package consents shows a person what they accepted, and lets them take back
// and give again what is voluntary (R054, R250, R254).
//
//	GET  /account/consents        "Ihre Einwilligungen"
//	GET  /account/consents/{id}   one text in full
//	POST /account/consents/{id}   agree, or take back
//
// What an account needs is taken back by deleting the account.
package consents

import (
	"embed"
	"net/http"
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/terms"
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
	DB   *db.DB
	Site *web.Site
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /account/consents", p.list)
	m.Signed("GET /account/consents/{id}", p.text)
	m.Signed("POST /account/consents/{id}", p.decide)
}

// listPage is all that list.html may use.
type listPage struct {
	web.Frame
	Form  *web.Form
	Texts []shown
}

// textPage is all that text.html may use.
type textPage struct {
	web.Frame
	Text   shown
	Blocks []terms.Block
}

type shown struct {
	terms.Choice
	Says string // what the person agrees to; empty: the text is only shown
}

func (p *Pages) choices(r *http.Request) (all []shown, err error) {
	err = p.DB.Read(r.Context(), func(tx *db.Tx) error {
		choices, err := terms.Of(tx, visitor.Of(r).Account)
		for _, c := range choices {
			all = append(all, shown{c, c.Box.In(web.Lang(r))})
		}
		return err
	})
	return all, err
}

func (p *Pages) back(r *http.Request, key, href string) web.Frame {
	return web.Frame{Back: web.Link{Text: p.Site.Catalog.Text(web.Lang(r), key), Href: href}}
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	return p.show(w, r, web.NewForm())
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	all, err := p.choices(r)
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "list", &listPage{Frame: p.back(r, "consents.account", "/account"), Form: f, Texts: all})
}

func (p *Pages) text(w http.ResponseWriter, r *http.Request) error {
	all, err := p.choices(r)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(s shown) bool { return s.ID == r.PathValue("id") })
	if i < 0 {
		return fault.NotFound()
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "text", &textPage{Frame: p.back(r, "consents.heading", "/account/consents"), Text: all[i], Blocks: all[i].Blocks()})
}

func (p *Pages) decide(w http.ResponseWriter, r *http.Request) error {
	f, v, id := web.ReadForm(r), visitor.Of(r), r.PathValue("id")
	act, said := terms.Agree, "consents.given"
	if f.Text("do") == "withdraw" {
		act, said = terms.Withdraw, "consents.withdrawn"
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return act(tx, web.Actor(r), v.Account, id) })
	if f.Take(err) {
		return p.show(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/account/consents", said)
}

// OnlyShown: there is nothing to agree to.
func (s shown) OnlyShown() bool { return s.Box == (policy.Text{}) }

// MayGive: it is asked for and not given, in this version.
func (s shown) MayGive() bool { return !s.OnlyShown() && !s.Given }

// MayWithdraw: it is voluntary, and some version of it is given.
func (s shown) MayWithdraw() bool { return !s.OnlyShown() && !s.Must && (s.Given || s.Earlier != "") }
