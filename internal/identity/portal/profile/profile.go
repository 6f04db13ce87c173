// Package profile holds what a person sees and changes of their own account
// (R149–R151, R180–R183).
//
//	GET       /account                      Mein Konto: where everything is
//	GET       /account/profile              Meine persönlichen Daten
//	GET  POST /account/profile/edit         change them, after a proof
//	GET  POST /account/profile/correction   a name from the contract: the clerk corrects it
//	GET  POST /account/emails               main and further addresses
//	GET  POST /account/emails/add           a further address
//	GET  POST /account/emails/main          another main address
//	GET  POST /account/emails/confirm       the code of the mail
//	GET  POST /confirm-email/{token}        the link of the mail
//	GET  POST /undo/{token}                 the old main address takes the change back
//	POST      /account/preferences          light or dark
package profile

import (
	"embed"
	"net/http"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/address"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

//go:embed templates
var files embed.FS

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

var templates = web.Parse(files)

// Pages of a person's own account.
type Pages struct {
	DB   *db.DB
	Site *web.Site
	Door *visitor.Door
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /account", p.show)
	m.Signed("GET /account/profile", p.data)
	m.Signed("GET /account/profile/edit", p.edit)
	m.Signed("POST /account/profile/edit", p.save)
	m.Signed("GET /account/profile/correction", p.askCorrection)
	m.Signed("POST /account/profile/correction", p.correct)
	m.Signed("GET /account/emails", p.emails)
	m.Signed("POST /account/emails", p.changeEmails)
	m.Signed("GET /account/emails/add", p.askEmail)
	m.Signed("POST /account/emails/add", p.addEmail)
	m.Signed("GET /account/emails/main", p.askEmail)
	m.Signed("POST /account/emails/main", p.changeMain)
	m.Signed("GET /account/emails/confirm", p.askCode)
	m.Signed("POST /account/emails/confirm", p.code)
	m.Open("GET /confirm-email/{token}", p.askLink)
	m.Open("POST /confirm-email/{token}", p.useLink)
	m.Open("GET /undo/{token}", p.askUndo)
	m.Open("POST /undo/{token}", p.undo)
	m.Open("POST /account/preferences", p.prefer)
}

// accountPage is all that account.html may use.
type accountPage struct {
	web.Frame
	Account  account.Account
	Session  session.Session
	Form     *web.Form
	Themes   []web.Option
	Further  int // addresses that are confirmed
	Factors  factor.Kinds
	Sessions int
	Bell     int
	AdminOf  []string
}

// show is "Mein Konto": a tile for each thing one may do, with how it stands
// (R149, R180–R183).
func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	v := visitor.Of(r)
	text := func(key string) string { return p.Site.Catalog.Text(web.Lang(r), key) }
	theme := p.Site.Cookie(r, "theme")
	page := &accountPage{
		Account: v.Account, Session: v.Session, Form: web.NewForm(), Bell: v.Bell, AdminOf: v.AdminOf,
		Themes: []web.Option{
			{Value: "auto", Text: text("profile.theme_auto"), Selected: theme != "light" && theme != "dark"},
			{Value: "light", Text: text("profile.theme_light"), Selected: theme == "light"},
			{Value: "dark", Text: text("profile.theme_dark"), Selected: theme == "dark"},
		},
	}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		further, err := address.List(tx, v.Account.ID)
		if err != nil {
			return err
		}
		for _, f := range further {
			if f.Confirmed() {
				page.Further++
			}
		}
		if page.Factors, err = factor.Active(tx, v.Account.ID); err != nil {
			return err
		}
		sessions, err := session.List(tx, v.Account.ID)
		page.Sessions = len(sessions)
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "account", page)
}

func (p *Pages) prefer(w http.ResponseWriter, r *http.Request) error {
	age := 365 * 24 * time.Hour
	theme := web.ReadForm(r).Text("theme")
	if theme != "light" && theme != "dark" {
		theme, age = "", -1
	}
	p.Site.SetCookie(w, "theme", theme, age)
	return p.Site.Done(w, r, "/account", "profile.preferences_saved")
}
