// Package profile holds what a person sees of their own account.
//
//	GET  /account              who I am here
//	POST /account/preferences  light or dark
package profile

import (
	"embed"
	"net/http"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
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
	m.Open("POST /account/preferences", p.prefer)
}

// accountPage is all that account.html may use.
type accountPage struct {
	web.Frame
	Account account.Account
	Session session.Session
	Form    *web.Form
	Themes  []web.Option
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	v := visitor.Of(r)
	text := func(key string) string { return p.Site.Catalog.Text(web.Lang(r), key) }
	theme := p.Site.Cookie(r, "theme")
	return p.Site.Show(w, r, http.StatusOK, templates, "account", &accountPage{
		Account: v.Account, Session: v.Session, Form: web.NewForm(),
		Themes: []web.Option{
			{Value: "auto", Text: text("profile.theme_auto"), Selected: theme != "light" && theme != "dark"},
			{Value: "light", Text: text("profile.theme_light"), Selected: theme == "light"},
			{Value: "dark", Text: text("profile.theme_dark"), Selected: theme == "dark"},
		},
	})
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
