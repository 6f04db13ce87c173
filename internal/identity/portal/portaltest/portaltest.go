// Package portaltest is what tests of single places of the portal share: a
// database with a clock and a mailbox, the front door without a network, and
// people with browsers. Whatever a place needs beyond that, its own tests add.
package portaltest

import (
	"context"
	"encoding/json"
	"html"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/job"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/web"
	"zunft/internal/identity/password"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

// Base is where the portal of the tests stands.
const Base = "http://portal.example"

// A World is some places of the portal on a database of their own. It begins on
// 2 November 2026 at 8:00 UTC, and time passes by [World.Pass] only.
type World struct {
	T       testing.TB
	D       *db.DB
	Handler http.Handler // set by the test, from the Mux of [World.Front]
	Jobs    *job.Runner
	Hasher  *password.Hasher // cheap: the tests are about the way, not about its price

	clock atomic.Int64
	mu    sync.Mutex
	mails []mail.Message
}

// New makes a world whose mails end in [World.Inbox].
func New(t testing.TB, d *db.DB) *World {
	w := &World{T: t, D: d, Jobs: &job.Runner{DB: d}, Hasher: password.NewHasher(2)}
	w.Hasher.Cost = password.Cost{KiB: 64, Passes: 1, Lanes: 1}
	w.clock.Store(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC).UnixMicro())
	d.Now = func() time.Time { return time.UnixMicro(w.clock.Load()).UTC() }
	w.Jobs.On(session.EndedKind, func(context.Context, []byte) error { return nil })
	w.Jobs.On(mail.Kind, w.deliver)
	return w
}

// Front is the site, its door and an empty map of routes; places are mounted on it.
func (w *World) Front(phrases ...fs.FS) (*web.Site, *visitor.Door, *web.Mux) {
	w.T.Helper()
	catalog, err := i18n.Load(phrases...)
	if err != nil {
		w.T.Fatal(err)
	}
	site := &web.Site{Name: "Kammerkonto", Owner: "Kammer Musterland", Base: Base, Cookies: "t", Catalog: catalog}
	door := &visitor.Door{DB: w.D, Site: site}
	site.SignIn, site.Who = door.ToLogin, door.Who
	return site, door, web.NewMux(site)
}

// Pass lets time pass.
func (w *World) Pass(d time.Duration) { w.clock.Add(d.Microseconds()) }

// Write changes the database.
func (w *World) Write(f func(tx *db.Tx) error) {
	w.T.Helper()
	if err := w.D.Write(w.T.Context(), f); err != nil {
		w.T.Fatal(err)
	}
}

// Exec changes the database by one statement.
func (w *World) Exec(query string, args ...any) {
	w.T.Helper()
	w.Write(func(tx *db.Tx) error { _, err := tx.Exec(query, args...); return err })
}

// Count reads a number from the database.
func (w *World) Count(query string, args ...any) (n int) {
	w.T.Helper()
	if err := w.D.Read(w.T.Context(), func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query, args...); return err }); err != nil {
		w.T.Fatal(err)
	}
	return n
}

func (w *World) deliver(_ context.Context, body []byte) error {
	var sealed struct{ ID, Mail string }
	if err := json.Unmarshal(body, &sealed); err != nil {
		return err
	}
	plain, err := w.D.Keys.Open("mail/"+sealed.ID, sealed.Mail)
	if err != nil {
		return err
	}
	var m mail.Message
	w.mu.Lock()
	defer w.mu.Unlock()
	err = json.Unmarshal(plain, &m)
	w.mails = append(w.mails, m)
	return err
}

// Inbox works off all jobs and returns the mails to some addresses, or to
// everybody, since the last look; mails to others stay.
func (w *World) Inbox(to ...string) (got []mail.Message) {
	w.T.Helper()
	if err := w.Jobs.Drain(w.T.Context()); err != nil {
		w.T.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var rest []mail.Message
	for _, m := range w.mails {
		if len(to) == 0 || slices.Contains(to, m.To) {
			got = append(got, m)
		} else {
			rest = append(rest, m)
		}
	}
	w.mails = rest
	return got
}

// NewDevice is the subject of the mail that many sign-ins cause by the way.
const NewDevice = "Neue Anmeldung bei Ihrem Konto"

// One is the only mail to an address, but for those about new devices; its
// subject begins as said.
func (w *World) One(to, subject string) mail.Message {
	w.T.Helper()
	got := w.Inbox(to)
	if subject != NewDevice {
		got = slices.DeleteFunc(got, func(m mail.Message) bool { return m.Subject == NewDevice })
	}
	if len(got) != 1 || !strings.HasPrefix(got[0].Subject, subject) {
		w.T.Fatalf("mails to %s: %+v, want one: %s", to, got, subject)
	}
	return got[0]
}

// A Person has a browser: cookies and an address.
type Person struct {
	Cookies map[string]string
	IP      string
	world   *World
}

// Person opens a browser without cookies.
func (w *World) Person(ip string) *Person { return &Person{map[string]string{}, ip, w} }

// Again is the same browser a moment before: it keeps the cookies of now.
func (p *Person) Again() *Person { return &Person{maps.Clone(p.Cookies), p.IP, p.world} }

// A Page as it came.
type Page struct {
	Status int
	To     string // Location
	Body   string
	Text   string // Body without tags
	Header http.Header
}

var tags = regexp.MustCompile(`<[^>]*>`)

// Do asks for a page in German; a form that is not nil is sent along.
func (p *Person) Do(method, path string, form url.Values) Page {
	p.world.T.Helper()
	r := httptest.NewRequest(method, Base+path, nil)
	if form != nil {
		r = httptest.NewRequest(method, Base+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept-Language", "de")
	r.RemoteAddr = p.IP + ":40000"
	for name, value := range p.Cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	rec := httptest.NewRecorder()
	p.world.Handler.ServeHTTP(rec, r)
	for _, c := range rec.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(p.Cookies, c.Name)
		} else {
			p.Cookies[c.Name] = c.Value
		}
	}
	body := rec.Body.String()
	return Page{rec.Code, rec.Header().Get("Location"), body, html.UnescapeString(tags.ReplaceAllString(body, "")), rec.Header()}
}

// Get asks for a page.
func (p *Person) Get(path string) Page { p.world.T.Helper(); return p.Do(http.MethodGet, path, nil) }

// Post sends a form given as name, value, name, value …
func (p *Person) Post(path string, pairs ...string) Page {
	p.world.T.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return p.Do(http.MethodPost, path, form)
}

// Want ends the test unless the page has this status and says all of the texts.
func (g Page) Want(t testing.TB, status int, texts ...string) Page {
	t.Helper()
	if g.Status != status {
		t.Fatalf("status %d, want %d; to %q\n%s", g.Status, status, g.To, g.Text)
	}
	for _, s := range texts {
		if !strings.Contains(g.Text, s) {
			t.Fatalf("page lacks %q:\n%s", s, g.Text)
		}
	}
	return g
}

// Goes ends the test unless the page leads to another by 303.
func (g Page) Goes(t testing.TB, to string) Page {
	t.Helper()
	if g.Status != http.StatusSeeOther || g.To != to {
		t.Fatalf("status %d to %q, want 303 to %q\n%s", g.Status, g.To, to, g.Text)
	}
	return g
}
