package operator

import (
	"net/http"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
)

// appsPage is all that apps.html may use.
type appsPage struct {
	web.Frame
	Apps []appLine
}

type appLine struct {
	application.Application
	Failures int
	Secrets  application.Supply
}

func (p *Pages) apps(w http.ResponseWriter, r *http.Request) error {
	if err := p.OpenID.WriteEvents(r.Context()); err != nil {
		return err
	}
	page := &appsPage{Frame: p.back(p.text(r, "operator.title"), "/admin")}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		all, err := application.All(tx)
		if err != nil {
			return err
		}
		failed, err := application.Failures(tx)
		if err != nil {
			return err
		}
		secrets, err := application.LastSecrets(tx)
		for _, a := range all {
			page.Apps = append(page.Apps, appLine{a, failed[a.ID], secrets[a.ID]})
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "apps", page)
}

// appPage is all that app.html may use.
type appPage struct {
	web.Frame
	App       application.Application
	Roles     []string
	Secrets   application.Supply
	Failures  int
	Discovery string
}

func (p *Pages) app(w http.ResponseWriter, r *http.Request) error {
	if err := p.OpenID.WriteEvents(r.Context()); err != nil {
		return err
	}
	page := &appPage{Frame: p.back(p.text(r, "operator.apps"), "/admin/apps"), Discovery: p.Site.Base + "/.well-known/openid-configuration"}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.App, err = application.Get(tx, r.PathValue("id")); err != nil {
			return err
		}
		roles, err := application.Catalogue(tx, page.App.ID)
		if err != nil {
			return err
		}
		for _, one := range roles {
			page.Roles = append(page.Roles, one.Name(web.Lang(r)))
		}
		failed, err := application.Failures(tx)
		if err != nil {
			return err
		}
		secrets, err := application.LastSecrets(tx)
		page.Failures, page.Secrets = failed[page.App.ID], secrets[page.App.ID]
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "app", page)
}

func (p *Pages) switchApp(w http.ResponseWriter, r *http.Request) error {
	state, done := application.Active, "operator.app_enabled"
	if web.ReadForm(r).Text("do") == "disable" {
		state, done = application.Disabled, "operator.app_disabled"
	}
	var a application.Application
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if err = application.SetState(tx, web.Actor(r), r.PathValue("id"), state); err == nil {
			a, err = application.Get(tx, r.PathValue("id"))
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/admin/apps/"+a.ID, done, a.Name)
}

// formPage is all that app-form.html may use.
type formPage struct {
	web.Frame
	Form    *web.Form
	App     application.Application // empty: a new one
	Methods []web.Option
	Algs    []web.Option
}

func (p *Pages) newApp(w http.ResponseWriter, r *http.Request) error {
	return p.showForm(w, r, &formPage{Form: web.NewForm("require_pkce", "1", "alg", "ES256", "auth_method", "client_secret_basic")})
}

func (p *Pages) editApp(w http.ResponseWriter, r *http.Request) error {
	page := &formPage{}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) { page.App, err = application.Get(tx, r.PathValue("id")); return err })
	if err != nil {
		return err
	}
	a := page.App
	page.Form = web.NewForm("client_name", a.Name, "client_uri", a.ClientURI, "manual_uri", a.ManualURI, "support", a.Support, "redirect_uris", strings.Join(a.RedirectURIs, "\n"),
		"post_logout_redirect_uris", strings.Join(a.PostLogoutRedirectURIs, "\n"), "backchannel_logout_uri", a.BackchannelLogoutURI, "security_event_uri", a.SecurityEventURI, "auth_method", a.AuthMethod, "alg", a.IDTokenAlg)
	if a.RequirePKCE {
		page.Form.Values.Set("require_pkce", "1")
	}
	return p.showForm(w, r, page)
}

func (p *Pages) showForm(w http.ResponseWriter, r *http.Request, page *formPage) error {
	page.Frame = p.back(p.text(r, "operator.apps"), "/admin/apps")
	if page.App.ID != "" {
		page.Frame = p.back(page.App.Name, "/admin/apps/"+page.App.ID)
	}
	for _, m := range []string{"client_secret_basic", "client_secret_post", "none"} {
		page.Methods = append(page.Methods, web.Option{Value: m, Text: p.text(r, "operator.method_"+m)})
	}
	for _, alg := range []string{"ES256", "RS256"} {
		page.Algs = append(page.Algs, web.Option{Value: alg, Text: p.text(r, "operator.alg_"+alg)})
	}
	return p.Site.Show(w, r, page.Form.Status(), templates, "app-form", page)
}

// fields of the form are called otherwise where the standard's name would keep
// the form from being parked (visitor: nothing called token is).
var fields = map[string]string{"token_endpoint_auth_method": "auth_method", "id_token_signed_response_alg": "alg"}

// take is Form.Take with the names of this form.
func take(f *web.Form, err error) bool {
	taken := f.Take(err)
	for i, problem := range f.Problems {
		if name := fields[problem.Field]; name != "" {
			f.Problems[i].Field = name
		}
	}
	return taken
}

func (p *Pages) addApp(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	a := readApp(f)
	a.ClientID = f.Text("client_id")
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) { a, err = application.Register(tx, web.Actor(r), a); return err })
	if take(f, err) {
		return p.showForm(w, r, &formPage{Form: f})
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/admin/apps/"+a.ID, "operator.app_added", a.Name)
}

func (p *Pages) changeApp(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	a := readApp(f)
	a.ID, a.Version = r.PathValue("id"), f.Number("version")
	var was application.Application
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if was, err = application.Get(tx, a.ID); err != nil {
			return err
		}
		return application.Change(tx, web.Actor(r), a)
	})
	if take(f, err) {
		return p.showForm(w, r, &formPage{Form: f, App: was})
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/admin/apps/"+a.ID, "operator.app_changed", a.Name)
}

func readApp(f *web.Form) application.Application {
	return application.Application{
		Name: f.Text("client_name"), ClientURI: f.Text("client_uri"), ManualURI: f.Text("manual_uri"), Support: f.Text("support"),
		RedirectURIs: lines(f, "redirect_uris"), PostLogoutRedirectURIs: lines(f, "post_logout_redirect_uris"), BackchannelLogoutURI: f.Text("backchannel_logout_uri"), SecurityEventURI: f.Text("security_event_uri"),
		AuthMethod: f.Text("auth_method"), IDTokenAlg: f.Text("alg"), RequirePKCE: f.Checked("require_pkce"),
	}
}

// lines of a field, without empty ones.
func lines(f *web.Form, field string) []string {
	all := []string{}
	for l := range strings.Lines(f.Lines(field)) {
		if l = strings.TrimSpace(l); l != "" {
			all = append(all, l)
		}
	}
	return all
}

// redirectsPage is all that redirects.html may use.
type redirectsPage struct {
	web.Frame
	Form   *web.Form
	App    application.Application
	Tested bool
	Fits   bool
	Why    string // in words
	Near   string // the registered address it was compared with
	Sent   string
}

func (p *Pages) redirects(w http.ResponseWriter, r *http.Request) error {
	page := &redirectsPage{Form: web.ReadQuery(r), Tested: r.URL.Query().Has("uri"), Sent: r.URL.Query().Get("uri")}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) { page.App, err = application.Get(tx, r.PathValue("id")); return err })
	if err != nil {
		return err
	}
	page.Frame = p.back(page.App.Name, "/admin/apps/"+page.App.ID)
	if page.Tested {
		var d application.Difference
		if d, page.Fits = application.Explain(page.App.RedirectURIs, page.Sent); !page.Fits {
			page.Why, page.Near = p.text(r, d.Phrase, d.Args...), d.Near
		}
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "redirects", page)
}
