// Package security is where a person proves themselves a second time, and keeps
// what they prove it with.
//
//	GET, POST /login/second-factor              the step of a sign-in (S20, S21)
//	GET, POST /login/setup                      a factor that a role needs, that is wanted (R165, R167) or offered (S25)
//	GET, POST /account/confirm                  before changes (R151–R160)
//	GET       /account/security                 "Anmeldung und Sicherheit"
//	GET, POST /account/security/two-step        "Zweistufige Verifizierung" (R161–R179)
//	GET, POST /account/security/authenticator   an app: QR code, key, first code
//	GET, POST /account/security/factors/{id}    its name, and taking it away
//	GET, POST /account/security/passkeys        with a script only
//	GET, POST /account/security/recovery-codes  shown once
//	GET, POST /account/security/password        a new password (R180)
//
// The steps of a sign-in do nothing but record what was proved and go back to
// the dispatcher at /login/next; everything under /account/security asks
// [visitor.Door.Sure] first.
package security

import (
	"embed"
	"net/http"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/password"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

//go:embed all:templates
var files embed.FS

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

var templates = web.Parse(files)

// Pages of this place.
type Pages struct {
	DB     *db.DB
	Site   *web.Site
	Door   *visitor.Door
	Hasher *password.Hasher

	// AllowNext lets the form of this page lead to the application that next
	// belongs to, and names that application; empty if it belongs to none. May be nil.
	AllowNext func(w http.ResponseWriter, r *http.Request, next string) (applicationName string)

	passkeys *factor.Passkeys // nil: not possible at this address
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	p.passkeys = factor.NewPasskeys(p.Site.Base, p.Site.Catalog.Text("de", p.Site.Name))
	m.Open("POST /login/passkey", p.passkeyLogin)
	m.Open("POST /login/passkey/options", p.loginOptions)
	m.Open("GET /login/second-factor", p.onTheWay(p.prove))
	m.Open("POST /login/second-factor", p.onTheWay(p.doProve))
	m.Open("POST /login/second-factor/passkey", p.onTheWay(p.proofOptions))
	m.Open("GET /login/setup", p.onTheWay(p.setUp))
	m.Open("POST /login/setup", p.onTheWay(p.doSetUp))
	m.Open("POST /login/setup/passkey", p.onTheWay(p.setUpOptions))
	m.Signed("GET /account/confirm", p.inside(p.prove))
	m.Signed("POST /account/confirm", p.inside(p.doProve))
	m.Signed("POST /account/confirm/passkey", p.inside(p.proofOptions))
	m.Signed("GET /account/security", p.inside(p.overview))
	m.Signed("GET /account/security/two-step", p.sure(p.twoStep))
	m.Signed("POST /account/security/two-step", p.sure(p.doTwoStep))
	m.Signed("GET /account/security/authenticator", p.sure(p.authenticator))
	m.Signed("POST /account/security/authenticator", p.sure(p.doAuthenticator))
	m.Signed("GET /account/security/factors/{id}", p.sure(p.one))
	m.Signed("POST /account/security/factors/{id}", p.sure(p.doOne))
	m.Signed("GET /account/security/passkeys", p.sure(p.passkeysOf))
	m.Signed("POST /account/security/passkeys", p.sure(p.addPasskey))
	m.Signed("POST /account/security/passkeys/options", p.sure(p.passkeyOptions))
	m.Signed("GET /account/security/recovery-codes", p.sure(p.codes))
	m.Signed("POST /account/security/recovery-codes", p.sure(p.doCodes))
	m.Signed("GET /account/security/password", p.sure(p.password))
	m.Signed("POST /account/security/password", p.sure(p.doPassword))
}

// A subject is who proves themselves: on the way in, or signed in already.
type subject struct {
	account account.Account
	session session.Session
	by      audit.Actor
	need    factor.Need
	login   bool
}

type handler func(w http.ResponseWriter, r *http.Request, s subject) error

// onTheWay lets those in whose sign-in has steps to go; everybody else goes to
// where steps are ordered, or to where one signs in.
func (p *Pages) onTheWay(h handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		v := visitor.Pending(r)
		switch {
		case v == nil && visitor.Of(r) != nil:
			return web.See(w, r, "/")
		case v == nil:
			return web.See(w, r, "/login")
		}
		s, err := p.subject(r, v)
		if err != nil {
			return err
		}
		if p.AllowNext != nil {
			p.AllowNext(w, r, s.session.Next)
		}
		return h(w, r, s)
	}
}

func (p *Pages) inside(h handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		s, err := p.subject(r, visitor.Of(r))
		if err != nil {
			return err
		}
		return h(w, r, s)
	}
}

// sure is inside, for those who have proved a moment ago who they are (R151, R163, R176).
func (p *Pages) sure(h handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if sure, err := p.Door.Sure(w, r); !sure {
			return err
		}
		return p.inside(h)(w, r)
	}
}

func (p *Pages) subject(r *http.Request, v *visitor.Visitor) (s subject, err error) {
	s = subject{account: v.Account, session: v.Session, by: web.Actor(r), login: v.Session.Pending}
	s.by.Account, s.by.Session = v.Account.ID, v.Session.ID
	return s, p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		s.need, err = factor.Due(tx, v.Account, v.Session)
		return err
	})
}

// text is a phrase in the language of the request.
func (p *Pages) text(r *http.Request, key string, args ...any) string {
	return p.Site.Catalog.Text(web.Lang(r), key, args...)
}

// proved notes the proof in the session, whose token changes with it.
func (p *Pages) proved(w http.ResponseWriter, r *http.Request, s *subject, prove func(tx *db.Tx) (amr string, err error)) error {
	var token string
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		amr, err := prove(tx)
		if err != nil {
			return err
		}
		token, s.session, err = session.Proved(tx, s.by, s.session, amr)
		return err
	})
	if err == nil {
		p.Door.SignIn(w, r, token, s.session)
	}
	return err
}
