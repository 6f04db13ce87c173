package signup_test

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/captcha"
	"zunft/internal/identity/link"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/portaltest"
	"zunft/internal/identity/portal/signin"
	"zunft/internal/identity/portal/signup"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
	"zunft/internal/identity/terms"
	"zunft/internal/identity/visitor"
)

// A world is both places of the door on a database of their own.
type world struct{ *portaltest.World }

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) { f(t, newWorld(t, d)) })
}

func newWorld(t *testing.T, d *db.DB) *world {
	w := &world{portaltest.New(t, d)}
	site, door, m := w.Front(web.Phrases, captcha.Phrases, notice.Phrases, account.Phrases, link.Phrases, password.Phrases, policy.Phrases, session.Phrases, terms.Phrases, signin.Phrases, signup.Phrases)
	w.Write(policy.EnsureDefault)
	w.Write(terms.EnsureDefaults)
	(&signup.Pages{DB: d, Site: site, Door: door, Hasher: w.Hasher}).Mount(m)
	(&signin.Pages{DB: d, Site: site, Door: door, Hasher: w.Hasher}).Mount(m)
	m.Signed("GET /{$}", func(rw http.ResponseWriter, r *http.Request) error {
		_, err := rw.Write([]byte("Start: " + visitor.Of(r).Account.Name()))
		return err
	})
	w.Handler = m.Handler()
	w.Jobs.On(account.RecoverKind, account.Recover(d))
	return w
}

var (
	links = regexp.MustCompile(`/(?:confirm|recover/password)/[\w-]{43}`)
	codes = regexp.MustCompile(`(?m)^\d{6}$`)
)

func linkIn(m mail.Message) string { return links.FindString(m.Body) }
func code(m mail.Message) string   { return codes.FindString(m.Body) }

// A person has a browser.
type person struct {
	*portaltest.Person
	w *world
}

func (w *world) person(ip string) *person { return &person{w.Person(ip), w} }

const plain = "Mehl Hefe Wasser Salz"

// anna is what Anna types in step 1; changes are name, value pairs.
func anna(changes ...string) url.Values {
	f := url.Values{}
	for _, p := range [][2]string{
		{"salutation", "ms"},
		{"given_name", "Anna"},
		{"family_name", "Beispiel"},
		{"email", "anna@beispiel.example"},
		{"email_repeat", "anna@beispiel.example"},
		{"username", "anna"},
		{"password", plain},
		{"password_repeat", plain},
		{"do", "next"},
	} {
		f.Set(p[0], p[1])
	}
	for i := 0; i+1 < len(changes); i += 2 {
		f.Set(changes[i], changes[i+1])
	}
	return f
}

var shownTerms = regexp.MustCompile(`name="terms" value="([\w-]+)"`)

// register does both steps.
func (p *person) register(changes ...string) portaltest.Page {
	p.w.T.Helper()
	p.Do("POST", "/register", anna(changes...)).Goes(p.w.T, "/register/terms")
	id := shownTerms.FindStringSubmatch(p.Get("/register/terms").Body)
	if id == nil {
		p.w.T.Fatal("no terms are shown")
	}
	return p.Post("/register/terms", "do", "submit", "accept", "1", "terms", id[1])
}

func (p *person) signIn(login, plain string) portaltest.Page {
	p.w.T.Helper()
	return p.Post("/login", "username", login, "password", plain)
}
