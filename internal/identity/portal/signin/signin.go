// Package signin is the door: signing in (S01), signing out, and a forgotten
// password (S36).
//
//	GET, POST /login                       ?next= where the person was going, ?again=1 to prove oneself again
//	POST      /logout     GET /logged-out
//	GET, POST /recover/password            asks for the mail with the link
//	GET, POST /recover/password/{token}    sets the new password
//
// Every sign-in makes a new session and ends the one that was in the browser.
// What still has to happen after it is ordered in one place, nextStep.
package signin

import (
	"embed"
	"net/http"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/password"
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

// Pages of the door.
type Pages struct {
	DB     *db.DB
	Site   *web.Site
	Door   *visitor.Door
	Hasher *password.Hasher
	Policy password.Rule // empty: password.Modern

	// AllowNext lets the form of this page lead to the application that next
	// belongs to, and names that application; empty if it belongs to none. May be nil.
	AllowNext func(w http.ResponseWriter, r *http.Request, next string) (applicationName string)
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	m.Open("GET /login", p.ask)
	m.Open("POST /login", p.signIn)
	m.Open("POST /logout", p.signOut)
	m.Open("GET /logged-out", p.signedOut)
	m.Open("GET /recover/password", p.askRecover)
	m.Open("POST /recover/password", p.recover)
	m.Open("GET /recover/password/{token}", p.askReset)
	m.Open("POST /recover/password/{token}", p.reset)
}

const (
	usernameCookie = "username" // the name only, never the session (R032)
	nextCookie     = "next"     // left by the sign-up place
	deviceCookie   = "device"   // opens nothing: see account.Device
	yearlong       = 365 * 24 * time.Hour
)

// loginPage is all that login.html may use.
type loginPage struct {
	web.Frame
	Form        *web.Form
	Next        string
	Application string // to which one is on the way
	Again       bool
	Who         string // who is to prove themselves again
}

func (p *Pages) ask(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f := web.NewForm("next", web.LocalPath(q.Get("next")))
	v := visitor.Of(r)
	if q.Get("again") == "1" && v != nil {
		f.Values.Set("again", "1")
	} else if v != nil {
		return web.See(w, r, p.nextStep(v.Account.ID, f.Values.Get("next")))
	}
	if name := p.Site.Cookie(r, usernameCookie); name != "" {
		f.Values.Set("username", name)
		f.Values.Set("remember", "1")
	}
	if name := web.ReadQuery(r).Text("username"); name != "" { // an application's login_hint
		f.Values.Set("username", name)
	}
	return p.show(w, r, f)
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &loginPage{Form: f, Next: web.LocalPath(f.Values.Get("next"))}
	if v := visitor.Of(r); v != nil && f.Values.Get("again") == "1" {
		page.Again, page.Who = true, v.Account.Name()
		if f.Values.Get("username") == "" {
			f.Values.Set("username", loginOf(v.Account))
		}
	}
	if p.AllowNext != nil && page.Next != "/" {
		page.Application = p.AllowNext(w, r, page.Next)
	}
	return p.Site.Show(w, r, f.Status(), templates, "login", page)
}

func loginOf(a account.Account) string {
	if a.Username != "" {
		return a.Username
	}
	return a.Email
}

func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	login, plain := f.Text("username"), f.Raw("password")
	if login == "" {
		f.Add("username", "account.login_missing")
	}
	if plain == "" {
		f.Add("password", "signin.password_missing")
	}
	if !f.OK() {
		return p.show(w, r, f)
	}
	proof, err := account.Authenticate(r.Context(), p.DB, p.Hasher, web.Actor(r), login, plain, p.Site.Cookie(r, deviceCookie))
	if f.Take(err) {
		return p.show(w, r, f)
	}
	if err != nil {
		return err
	}
	if proof.Ticket != "" {
		return p.Site.Show(w, r, http.StatusOK, templates, "unconfirmed", &unconfirmedPage{Email: proof.Account.Email, Ticket: proof.Ticket})
	}
	var token, device string
	var s session.Session
	var a account.Account
	err = p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		by := web.Actor(r)
		if a, err = account.Accept(tx, by, proof); err != nil {
			return err
		}
		device = account.Device(tx, a)
		if old := visitor.Of(r); old != nil {
			if old.Account.ID == a.ID && f.Text("again") == "1" {
				token, s, err = session.Reauthenticated(tx, by, old.Session.ID, "pwd")
				return err
			}
			if err = session.End(tx, by, old.Session.ID); err != nil {
				return err
			}
		}
		token, s, err = session.Start(tx, by, a.ID, "pwd")
		return err
	})
	if f.Take(err) {
		return p.show(w, r, f)
	}
	if err != nil {
		return err
	}
	p.Door.SignIn(w, r, token, s)
	p.Site.SetCookie(w, deviceCookie, device, yearlong)
	p.remember(w, r, f, a)
	next := web.LocalPath(f.Values.Get("next"))
	if kept := p.Site.Cookie(r, nextCookie); kept != "" {
		p.Site.SetCookie(w, nextCookie, "", -1)
		if next == "/" {
			next = web.LocalPath(kept)
		}
	}
	return web.See(w, r, p.nextStep(a.ID, next))
}

// remember keeps what was typed as name, or forgets it (R032).
func (p *Pages) remember(w http.ResponseWriter, r *http.Request, f *web.Form, a account.Account) {
	switch {
	case f.Checked("remember"):
		p.Site.SetCookie(w, usernameCookie, loginOf(a), yearlong)
	case p.Site.Cookie(r, usernameCookie) != "":
		p.Site.SetCookie(w, usernameCookie, "", -1)
	}
}

// unconfirmedPage is all that unconfirmed.html may use.
type unconfirmedPage struct {
	web.Frame
	Email, Ticket string
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) error {
	if v := visitor.Of(r); v != nil {
		if err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return session.End(tx, web.Actor(r), v.Session.ID) }); err != nil {
			return err
		}
	}
	p.Door.SignOut(w)
	return web.See(w, r, "/logged-out")
}

// loggedOutPage is all that logged-out.html may use.
type loggedOutPage struct{ web.Frame }

func (p *Pages) signedOut(w http.ResponseWriter, r *http.Request) error {
	if visitor.Of(r) != nil {
		return web.See(w, r, "/")
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "logged-out", &loggedOutPage{})
}
