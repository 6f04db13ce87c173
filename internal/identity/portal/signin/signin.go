// Package signin is the door: signing in (S01), signing out, and a forgotten
// password (S36).
//
//	GET, POST /login                       ?next= where the person was going, ?again=1 to prove oneself again
//	GET       /login/next                  the dispatcher: on to the step of a sign-in that is still to go
//	GET, POST /login/terms                 texts that have a new version since
//	GET       /login/{entry}               the same for one kind of people (S35); /login/ways lists them
//	GET       /chambers                    which chamber is responsible (S51)
//	GET, POST /parked                      what was sent when the session had ended, to send it again
//	GET, POST /unlock/{token}              the link that ends one's own lock, or a day's pause
//	POST      /logout     GET /logged-out
//	GET, POST /recover/password            asks for the mail with the link
//	GET, POST /recover/password/{token}    sets the new password
//
// Every sign-in makes a new session and ends the one that was in the browser.
// What still has to happen after the password is ordered in one place, nextStep;
// until all of it is done the session is pending and opens nothing else.
package signin

import (
	"embed"
	"net/http"
	"slices"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
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

	// AllowNext lets the form of this page lead to the application that next
	// belongs to, and names that application; empty if it belongs to none. May be nil.
	AllowNext func(w http.ResponseWriter, r *http.Request, next string) (applicationName string)

	passkeys bool // this host can have them
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	p.passkeys = factor.NewPasskeys(p.Site.Base, p.Site.Name) != nil
	m.Open("GET /login", p.ask)
	m.Open("POST /login", p.signIn)
	m.Open("GET /login/next", p.next)
	m.Open("GET /login/ways", p.ways)
	m.Open("GET /login/{entry}", p.askEntry)
	m.Open("GET /login/terms", p.askTerms)
	m.Open("POST /login/terms", p.acceptTerms)
	m.Open("POST /logout", p.signOut)
	m.Open("GET /logged-out", p.signedOut)
	m.Open("GET /chambers", p.finder)
	m.Signed("GET /parked", p.parked)
	m.Signed("POST /parked", p.forget)
	m.Open("GET /unlock/{token}", p.showUnlock)
	m.Open("POST /unlock/{token}", p.unlock)
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
	Entry       entry  // the page of one kind of people, or empty
	Entries     []entry
	Label, Hint string          // phrases of what opens an account here
	Unknown     bool            // nobody has this name, and the policy says so (R280)
	Ways        bool            // lead to the pages of the kinds of people
	Passkeys    bool            // this host can have them
	SignUp      string          // what leads to the sign-up (R240); empty: our own words
	Offered     []policy.Policy // further profiles to sign up under
}

func (p *Pages) ask(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f := web.NewForm("next", web.LocalPath(q.Get("next")), "entry", r.PathValue("entry"))
	v := visitor.Of(r)
	if q.Get("again") == "1" && v != nil {
		f.Values.Set("again", "1")
	} else if v != nil {
		return web.See(w, r, f.Values.Get("next"))
	}
	if name := p.Site.Cookie(r, usernameCookie); name != "" {
		f.Values.Set("username", name)
		f.Values.Set("remember", "1")
	}
	if name := web.ReadQuery(r).Text("username"); name != "" { // an application's login_hint
		f.Values.Set("username", name)
	}
	return p.show(w, r, f, false)
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, f *web.Form, unknown bool) error {
	page := &loginPage{Form: f, Next: web.LocalPath(f.Values.Get("next")), Unknown: unknown}
	doors, err := p.doors(r)
	if err != nil {
		return err
	}
	rules := doors[0]
	page.look(rules.SignIn, f.Values.Get("entry"))
	page.SignUp, page.Offered = rules.SignUp.Link.In(web.Lang(r)), doors[1:]
	if v := visitor.Of(r); v != nil && f.Values.Get("again") == "1" {
		page.Again, page.Who = true, v.Account.Name()
		if f.Values.Get("username") == "" {
			f.Values.Set("username", loginOf(v.Account))
		}
	}
	if p.AllowNext != nil && page.Next != "/" {
		page.Application = p.AllowNext(w, r, page.Next)
	}
	if page.Passkeys = !page.Again && p.passkeys && rules.Factor.Allows(factor.Passkey); page.Passkeys {
		page.Script = "passkey.js"
	}
	return p.Site.Show(w, r, f.Status(), templates, "login", page)
}

// rules of whoever comes: nobody knows yet who it is.
func (p *Pages) rules(r *http.Request) (rules policy.Policy, err error) {
	err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) { rules, err = policy.Of(tx, ""); return err })
	return rules, err
}

// doors are the policies to sign up under, the default first: [policy.EnsureDefault]
// made one before anybody could come.
func (p *Pages) doors(r *http.Request) (doors []policy.Policy, err error) {
	err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) { doors, err = policy.Doors(tx); return err })
	if err == nil && len(doors) == 0 {
		err = fault.NotFound()
	}
	return doors, err
}

// look settles what the page asks for: one field, by whatever the policy lets
// an account be opened (W07), in the words of the entry (S35).
func (page *loginPage) look(rules policy.SignIn, key string) {
	page.Entry, _ = entryOf(key)
	page.Ways = rules.Ways && key == ""
	name, mail := slices.Contains(rules.By, "username"), slices.Contains(rules.By, "email")
	switch {
	case page.Entry.Key != "":
		page.Label = page.Entry.Label
	case name && mail:
		page.Label, page.Hint = "signin.username", "signin.username_hint"
	case mail:
		page.Label = "signin.email"
	case name:
		page.Label = "signin.username"
	default:
		page.Label = "signin.login_number"
	}
	if page.Unknown {
		page.Entries = entries
	}
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
		missing := "account.login_missing"
		if e, ok := entryOf(f.Text("entry")); ok {
			missing = e.Missing
		}
		f.Add("username", missing)
	}
	if plain == "" {
		f.Add("password", "signin.password_missing")
	}
	if !f.OK() {
		return p.show(w, r, f, false)
	}
	proof, err := account.Authenticate(r.Context(), p.DB, p.Hasher, web.Actor(r), login, plain, p.Site.Cookie(r, deviceCookie))
	if fault.Is(err, fault.KindInvalid) { // read for everybody: one read more would tell by the clock whom nobody knows
		rules, err := p.rules(r)
		if err != nil {
			return err
		}
		if proof.Unknown && rules.SignIn.Unknown == "tell" {
			f.Add("username", "signin.unknown_seed")
			return p.show(w, r, f, true)
		}
	}
	if f.Take(err) {
		return p.show(w, r, f, false)
	}
	if err != nil {
		return err
	}
	if proof.Ticket != "" {
		return p.Site.Show(w, r, http.StatusOK, templates, "unconfirmed", &unconfirmedPage{Email: proof.Account.Email, Ticket: proof.Ticket})
	}
	next := web.LocalPath(f.Values.Get("next"))
	kept := p.Site.Cookie(r, nextCookie)
	if kept != "" && next == "/" {
		next = web.LocalPath(kept)
	}
	in, err := p.begin(r, proof, next, f.Text("again") == "1")
	if f.Take(err) {
		return p.show(w, r, f, false)
	}
	if err != nil {
		return err
	}
	p.Door.SignIn(w, r, in.token, in.session)
	p.remember(w, r, f, in.account)
	if kept != "" {
		p.Site.SetCookie(w, nextCookie, "", -1)
	}
	if in.step != "" {
		return web.See(w, r, nextPath)
	}
	p.Site.SetCookie(w, deviceCookie, in.device, yearlong)
	return web.See(w, r, next)
}

// entered is what came of a right password.
type entered struct {
	account account.Account
	session session.Session
	token   string
	step    string // what is to go before the session is a whole one; empty: nothing
	device  string // the mark of this browser, once it is
}

// begin makes the session: a whole one if no step is to go, else a pending one.
// The one that was in the browser ends, or goes on for who proves themselves again.
func (p *Pages) begin(r *http.Request, proof account.Proof, next string, again bool) (in entered, err error) {
	err = p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		by := web.Actor(r)
		if in.account, err = account.Accept(tx, by, proof); err != nil {
			return err
		}
		old := visitor.Of(r)
		s := session.Session{AMR: "pwd"}
		if again = again && old != nil && old.Account.ID == in.account.ID; again {
			s.ID = old.Session.ID
		}
		if in.step, err = nextStep(tx, in.account, s); err != nil {
			return err
		}
		if !again {
			if old == nil {
				old = visitor.Pending(r)
			}
			if err = endOld(tx, by, old); err != nil {
				return err
			}
		}
		switch {
		case again && in.step != "":
			in.token, in.session, err = session.ReauthenticatePending(tx, by, s.ID, s.AMR, next)
		case again:
			in.token, in.session, err = session.Reauthenticated(tx, by, s.ID, s.AMR)
		case in.step != "":
			in.token, in.session, err = session.StartPending(tx, by, in.account.ID, s.AMR, next)
		default:
			in.token, in.session, err = session.Start(tx, by, in.account.ID, s.AMR)
		}
		if err != nil || in.step != "" {
			return err
		}
		in.device, err = p.welcome(tx, r, in.account, in.session)
		return err
	})
	return in, err
}

func endOld(tx *db.Tx, by audit.Actor, old *visitor.Visitor) error {
	if old == nil {
		return nil
	}
	by.Account = old.Account.ID
	return session.End(tx, by, old.Session.ID)
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
	v := visitor.Of(r)
	if v == nil {
		v = visitor.Pending(r)
	}
	if err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return endOld(tx, web.Actor(r), v) }); err != nil {
		return err
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
