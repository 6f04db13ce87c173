package security_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/link"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/portaltest"
	"zunft/internal/identity/portal/security"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

// A world is these pages on a database of their own; what comes before and
// after them is played: /test/login begins a sign-in, /login/next ends it if
// nothing is due, /account/thing may be seen by those only who are sure.
type world struct {
	*portaltest.World
	phc string
}

func each(t *testing.T, rule func(p *policy.Policy), f func(t *testing.T, w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) { f(t, newWorld(t, d, rule)) })
}

const plain = "Mehl Hefe Wasser Salz"

func newWorld(t testing.TB, d *db.DB, rule func(p *policy.Policy)) *world {
	w := &world{World: portaltest.New(t, d)}
	site, door, m := w.Front(web.Phrases, notice.Phrases, account.Phrases, factor.Phrases, link.Phrases, password.Phrases, policy.Phrases, session.Phrases, security.Phrases)
	p, err := policy.Preset(policy.Standard)
	if err != nil {
		t.Fatal(err)
	}
	p.Default, p.Factor.Least = true, nil
	if rule != nil {
		rule(&p)
	}
	w.Write(func(tx *db.Tx) error { return policy.Save(tx, audit.Console, p) })
	if w.phc, err = w.Hasher.Hash(t.Context(), plain); err != nil {
		t.Fatal(err)
	}
	(&security.Pages{DB: d, Site: site, Door: door, Hasher: w.Hasher}).Mount(m)
	m.Open("POST /test/login", func(rw http.ResponseWriter, r *http.Request) error {
		var token string
		var s session.Session
		w.Write(func(tx *db.Tx) (err error) {
			a, err := account.ByLogin(tx, r.PostForm.Get("who"))
			if err == nil {
				token, s, err = session.StartPending(tx, web.Actor(r), a.ID, "pwd", "/")
			}
			return err
		})
		door.SignIn(rw, r, token, s)
		return web.See(rw, r, "/login/next")
	})
	m.Open("GET /login/next", func(rw http.ResponseWriter, r *http.Request) error {
		v := visitor.Pending(r)
		if v == nil {
			return web.See(rw, r, "/")
		}
		to, token, s := "", "", v.Session
		w.Write(func(tx *db.Tx) error {
			need, err := factor.Due(tx, v.Account, v.Session)
			switch {
			case err != nil:
				return err
			case need.Prove:
				to = "/login/second-factor"
			case need.SetUp, need.Offer:
				to = "/login/setup"
			default:
				token, s, err = session.Complete(tx, web.Actor(r), v.Session)
			}
			return err
		})
		if to != "" {
			return web.See(rw, r, to)
		}
		door.SignIn(rw, r, token, s)
		return web.See(rw, r, "/")
	})
	m.Signed("GET /{$}", func(rw http.ResponseWriter, r *http.Request) error {
		_, err := fmt.Fprint(rw, "Start: ", visitor.Of(r).Session.AMR)
		return err
	})
	m.Signed("GET /account/thing", func(rw http.ResponseWriter, r *http.Request) error {
		if sure, err := door.Sure(rw, r); !sure {
			return err
		}
		_, err := rw.Write([]byte("Offen"))
		return err
	})
	w.Handler = m.Handler()
	return w
}

var digits = regexp.MustCompile(`\b\d{6}\b`)

// code is the one-time password of the newest mail.
func (w *world) code() string {
	w.T.Helper()
	mails := w.Inbox()
	if len(mails) == 0 {
		w.T.Fatal("no mail")
	}
	m := mails[len(mails)-1]
	code := digits.FindString(strings.ReplaceAll(m.Body, " ", ""))
	if code == "" {
		code = digits.FindString(m.Body)
	}
	if code == "" {
		w.T.Fatalf("no code in the mail: %s\n%s", m.Subject, m.Body)
	}
	return code
}

// subjects of the mails since the last look.
func (w *world) subjects() (all []string) {
	for _, m := range w.Inbox() {
		all = append(all, m.Subject)
		if !strings.Contains(m.Body, "/report-activity/") {
			w.T.Errorf("the mail %q does not end with the link that secures the account", m.Subject)
		}
	}
	return all
}

func (w *world) create(username string) (a account.Account) {
	w.T.Helper()
	w.Write(func(tx *db.Tx) (err error) {
		a, err = account.Create(tx, audit.Console, account.New{GivenName: "Anna", FamilyName: "Beispiel", Username: username, Email: username + "@beispiel.example", Password: w.phc, Confirmed: true})
		return err
	})
	return a
}

// totp is what an app shows for a key (RFC 6238), written a second time, for the test.
func (w *world) totp(key string) string {
	w.T.Helper()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(key, " ", ""))
	if err != nil {
		w.T.Fatal(err)
	}
	h := hmac.New(sha1.New, secret)
	binary.Write(h, binary.BigEndian, uint64(w.D.Now().Unix()/30))
	sum := h.Sum(nil)
	at := sum[19] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff)%1_000_000)
}

// A person has a browser.
type person struct {
	*portaltest.Person
	w *world
}

func (w *world) person(ip string) *person { return &person{w.Person(ip), w} }

func (p *person) again() *person { return &person{p.Again(), p.w} }

// login goes through the password; what is due then is where it ends.
func (p *person) login(who string) string {
	p.w.T.Helper()
	p.Post("/test/login", "who", who).Goes(p.w.T, "/login/next")
	return p.Get("/login/next").To
}

// sure goes through a step-up by mail.
func (p *person) sure() {
	p.w.T.Helper()
	p.w.Inbox()
	p.Post("/account/confirm", "do", "choose", "way", "mail")
	p.Post("/account/confirm", "do", "prove", "way", "mail", "code", p.w.code()).Goes(p.w.T, "/")
}

// app sets up an authenticator app and returns its key.
func (p *person) app() (key string) {
	p.w.T.Helper()
	g := p.Get("/account/security/authenticator").Want(p.w.T, 200)
	key = keyIn(p.w.T, g)
	p.Post("/account/security/authenticator", "do", "app", "code", p.w.totp(key)).Goes(p.w.T, "/account/security/two-step")
	p.w.Pass(time.Minute) // a code is good once
	return key
}

var secretIn = regexp.MustCompile(`otpauth://[^"]*[?&;]secret=([A-Z2-7]{32})`)

func keyIn(t testing.TB, g portaltest.Page) string {
	t.Helper()
	m := secretIn.FindStringSubmatch(g.Body)
	if m == nil {
		t.Fatalf("no key on the page:\n%s", g.Text)
	}
	return m[1]
}
