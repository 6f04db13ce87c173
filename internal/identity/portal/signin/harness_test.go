package signin_test

import (
	"net/http"
	"regexp"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/link"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/portaltest"
	"zunft/internal/identity/portal/signin"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
	"zunft/internal/identity/terms"
	"zunft/internal/identity/visitor"
)

// A world is both places of the door on a database of their own.
type world struct {
	*portaltest.World
	pages *signin.Pages
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) { f(t, newWorld(t, d)) })
}

func newWorld(t testing.TB, d *db.DB) *world {
	w := &world{World: portaltest.New(t, d)}
	site, door, m := w.Front(web.Phrases, notice.Phrases, account.Phrases, link.Phrases, password.Phrases, policy.Phrases, session.Phrases, terms.Phrases, factor.Phrases, signin.Phrases)
	w.Write(policy.EnsureDefault)
	w.Write(terms.EnsureDefaults)
	w.pages = &signin.Pages{DB: d, Site: site, Door: door, Hasher: w.Hasher}
	w.pages.Mount(m)
	m.Signed("GET /{$}", func(rw http.ResponseWriter, r *http.Request) error {
		_, err := rw.Write([]byte("Start: " + visitor.Of(r).Account.Name()))
		return err
	})
	m.Signed("POST /echo", func(rw http.ResponseWriter, r *http.Request) error {
		_, err := rw.Write([]byte(r.PostForm.Encode()))
		return err
	})
	w.Handler = m.Handler()
	w.Jobs.On(account.RecoverKind, account.Recover(d))
	return w
}

var links = regexp.MustCompile(`/(?:confirm|recover/password)/[\w-]{43}`)

func linkIn(m mail.Message) string { return links.FindString(m.Body) }

// A person has a browser.
type person struct {
	*portaltest.Person
	w *world
}

func (w *world) person(ip string) *person { return &person{w.Person(ip), w} }

const plain = "Mehl Hefe Wasser Salz"

// create makes an account without going through the sign-up.
func (w *world) create(username string, confirmed bool) (a account.Account) {
	w.T.Helper()
	phc, err := w.Hasher.Hash(w.T.Context(), plain)
	if err != nil {
		w.T.Fatal(err)
	}
	err = w.D.Write(w.T.Context(), func(tx *db.Tx) (err error) {
		a, err = account.Create(tx, audit.Console, account.New{
			GivenName: "Anna", FamilyName: "Beispiel", Username: username,
			Email: username + "@beispiel.example", Password: phc, Confirmed: confirmed,
		})
		if err != nil {
			return err
		}
		return terms.GiveByAll(tx, audit.Console)
	})
	if err != nil {
		w.T.Fatal(err)
	}
	return a
}

func (p *person) signIn(login, plain string, more ...string) portaltest.Page {
	p.w.T.Helper()
	return p.Post("/login", append([]string{"username", login, "password", plain}, more...)...)
}
