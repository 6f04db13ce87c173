// Package signup is where somebody gets an account. What is asked, in which
// steps, and what must be accepted is the data of a policy (package policy,
// decision 3); these pages show it. The standard is the two-step assistant of
// S02 and S03.
//
//	GET, POST /register?profile=KEY   the first step; without a key the default profile
//	GET, POST /register/{step}        the further ones: /register/terms
//	GET       /register/captcha/{id}/{kind}  picture and sound, where a profile asks for it
//	GET, POST /register/verify        code from the mail, or a new mail
//	GET, POST /confirm/{token}        link from the mail: GET shows, POST confirms
//	GET       /register/done          what to do next
//
// What was typed waits in the database, sealed, under a secret that only this
// browser has (cookie "signup"); the password waits as its hash. The same
// secret later binds the code to this browser. Mail scanners open links:
// nothing is confirmed by GET or HEAD.
//
// Where the person was going (an application that sent them here) is kept in
// the cookie "next"; the sign-in place reads it.
package signup

import (
	"embed"
	"net/http"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/seal"
	"zunft/internal/ground/web"
	"zunft/internal/identity/password"
	"zunft/internal/identity/visitor"
)

//go:embed templates
var files embed.FS

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

var templates = web.Parse(files)

// Pages of the sign-up.
type Pages struct {
	DB     *db.DB
	Site   *web.Site
	Door   *visitor.Door
	Hasher *password.Hasher
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	m.Open("GET /register", p.ask)
	m.Open("POST /register", p.take)
	m.Open("GET /register/{step}", p.ask)
	m.Open("POST /register/{step}", p.take)
	m.Open("GET /register/captcha/{id}/{kind}", p.captcha)
	m.Open("GET /register/verify", p.askCode)
	m.Open("POST /register/verify", p.code)
	m.Open("GET /confirm/{token}", p.askConfirm)
	m.Open("POST /confirm/{token}", p.confirm)
	m.Open("GET /register/done", p.done)
}

const (
	browserCookie = "signup"
	nextCookie    = "next" // also read by the sign-in place
	maxNext       = 1500   // a cookie holds little
)

// hashRate bounds the hashing that one address can ask for.
var hashRate = limit.Rate{Burst: 40, Every: 15 * time.Second}

// browser is this browser's secret, or empty.
func (p *Pages) browser(r *http.Request) string {
	if c := p.Site.Cookie(r, browserCookie); len(c) == 43 {
		return c
	}
	return ""
}

// mark gives the browser a secret, if it has none.
func (p *Pages) mark(w http.ResponseWriter, r *http.Request) string {
	b := p.browser(r)
	if b == "" {
		b = seal.Token()
	}
	p.Site.SetCookie(w, browserCookie, b, 25*time.Hour) // outlives the code
	return b
}

// keepNext remembers where the person was going.
func (p *Pages) keepNext(w http.ResponseWriter, next string) {
	if next = web.LocalPath(next); next != "/" && len(next) <= maxNext {
		p.Site.SetCookie(w, nextCookie, next, 24*time.Hour)
	}
}

// home sends people who are signed in away: an account is for those who have none (R015).
func (p *Pages) home(w http.ResponseWriter, r *http.Request) bool {
	if visitor.Of(r) == nil {
		return false
	}
	web.See(w, r, "/")
	return true
}
