package portal_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/training/person"
	"zunft/internal/training/portal"
)

// now is a Wednesday in week 47.
var now = time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)

// world is a portal that people use through HTTP.
type world struct {
	t      testing.TB
	d      *db.DB
	portal *portal.Portal
	server *httptest.Server
	served time.Duration // what the portal took for the last request
}

func newWorld(t testing.TB, d *db.DB) *world {
	t.Helper()
	d.Now = func() time.Time { return now }
	w := &world{t: t, d: d}
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if token, yes := strings.CutPrefix(r.URL.Path, "/cookie/"); yes { // for browsers, which a test cannot hand a cookie
			w.portal.Door.SetSession(rw, token)
			http.Redirect(rw, r, "/", http.StatusSeeOther)
			return
		}
		begin := time.Now()
		defer func() { atomic.StoreInt64((*int64)(&w.served), int64(time.Since(begin))) }()
		w.portal.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.server.Close)
	p, err := portal.New(context.Background(), portal.Options{
		DB: d, Base: w.server.URL, Owner: "Kammer Musterland",
		Issuer: "http://127.0.0.1:1", ClientID: "training", ClientSecret: "secret",
	})
	if err != nil {
		t.Fatal(err)
	}
	w.portal = p
	return w
}

func claims(sub, given, family, company string, roles ...string) person.Claims {
	return person.Claims{
		Roles: roles, SID: "sid-" + sub,
		Person:  person.Person{Sub: sub, Name: given + " " + family, GivenName: given, FamilyName: family, Email: sub + "@beispiel.example", Language: "de"},
		Company: person.Company{ID: company, Name: "Bäckerei " + company, IdentNumber: "4711", ChamberNumber: "999"},
	}
}

// visit is one person's browser.
type visit struct {
	*world
	client *http.Client
	claims person.Claims
	actor  audit.Actor
	token  string
}

// comes signs a person in as a token would.
func (w *world) comes(c person.Claims) *visit {
	w.t.Helper()
	b := w.stranger()
	b.claims = c
	b.signIn()
	return b
}

func (b *visit) signIn() {
	b.t.Helper()
	var token string
	err := b.d.Write(context.Background(), func(tx *db.Tx) error {
		if err := person.Learn(tx, audit.Job, b.claims); err != nil {
			return err
		}
		var s person.Session
		var err error
		token, s, err = person.Start(tx, audit.Job, b.claims, "")
		b.actor = audit.Actor{Account: s.Person.Sub, Session: s.ID, Kind: audit.Person}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.token = token
	u, _ := url.Parse(b.server.URL)
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: "zunft_training_session", Value: token}})
}

func (w *world) stranger() *visit {
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &visit{world: w, client: client}
}

// page is an answer, read.
type page struct {
	t        testing.TB
	status   int
	location string
	header   http.Header
	body     string
}

func (b *visit) do(r *http.Request) page {
	b.t.Helper()
	res, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{b.t, res.StatusCode, res.Header.Get("Location"), res.Header, string(body)}
}

func (b *visit) get(path string) page {
	b.t.Helper()
	r, _ := http.NewRequest("GET", b.server.URL+path, nil)
	r.Header.Set("Accept-Language", "de")
	return b.do(r)
}

// post sends a form as a browser does: values are name, value, name, value …
func (b *visit) post(path string, values ...string) page {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(values); i += 2 {
		form.Add(values[i], values[i+1])
	}
	r, _ := http.NewRequest("POST", b.server.URL+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Accept-Language", "de")
	return b.do(r)
}

// follow is post and the page after it.
func (b *visit) follow(path string, values ...string) page {
	b.t.Helper()
	p := b.post(path, values...)
	if p.status != http.StatusSeeOther {
		b.t.Fatalf("POST %s answered %d, wanted 303:\n%s", path, p.status, main(p.body))
	}
	return b.get(p.location)
}

func main(body string) string {
	_, rest, _ := strings.Cut(body, "<main")
	rest, _, _ = strings.Cut(rest, "</main>")
	return rest
}

func (p page) is(status int) page {
	p.t.Helper()
	if p.status != status {
		p.t.Fatalf("answered %d, wanted %d (%s):\n%s", p.status, status, p.location, main(p.body))
	}
	return p
}

func (p page) has(texts ...string) page {
	p.t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.body, text) {
			p.t.Errorf("page lacks %q:\n%s", text, main(p.body))
		}
	}
	return p
}

func (p page) lacks(texts ...string) page {
	p.t.Helper()
	for _, text := range texts {
		if strings.Contains(p.body, text) {
			p.t.Errorf("page has %q:\n%s", text, main(p.body))
		}
	}
	return p
}

// version is the hidden field of a form.
func (p page) version() string {
	p.t.Helper()
	_, rest, ok := strings.Cut(p.body, `name="version" value="`)
	if !ok {
		p.t.Fatalf("no version on the page:\n%s", main(p.body))
	}
	v, _, _ := strings.Cut(rest, `"`)
	return v
}
