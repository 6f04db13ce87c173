package signup_test

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/job"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/captcha"
	"zunft/internal/identity/link"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/signin"
	"zunft/internal/identity/portal/signup"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
	"zunft/internal/identity/terms"
	"zunft/internal/identity/visitor"
)

// A world is both places of the door on a database of their own.
type world struct {
	t       *testing.T
	d       *db.DB
	handler http.Handler
	jobs    *job.Runner
	clock   atomic.Int64
	mu      sync.Mutex
	mails   []mail.Message
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) { f(t, newWorld(t, d)) })
}

func newWorld(t *testing.T, d *db.DB) *world {
	w := &world{t: t, d: d, jobs: &job.Runner{DB: d}}
	w.clock.Store(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC).UnixMicro())
	d.Now = func() time.Time { return time.UnixMicro(w.clock.Load()).UTC() }
	catalog, err := i18n.Load(web.Phrases, captcha.Phrases, notice.Phrases, account.Phrases, link.Phrases, password.Phrases, policy.Phrases, session.Phrases, terms.Phrases, signin.Phrases, signup.Phrases)
	if err != nil {
		t.Fatal(err)
	}
	site := &web.Site{Name: "Kammerkonto", Owner: "Kammer Musterland", Base: "http://portal.example", Cookies: "t", Catalog: catalog}
	door := &visitor.Door{DB: d, Site: site}
	site.SignIn = door.ToLogin
	site.Who = door.Who
	if err := d.Write(t.Context(), policy.EnsureDefault); err != nil {
		t.Fatal(err)
	}
	if err := d.Write(t.Context(), terms.EnsureDefaults); err != nil {
		t.Fatal(err)
	}
	m := web.NewMux(site)
	hasher := password.NewHasher(2)
	hasher.Cost = password.Cost{KiB: 64, Passes: 1, Lanes: 1} // the tests are about the way, not about its price
	(&signup.Pages{DB: d, Site: site, Door: door, Hasher: hasher}).Mount(m)
	(&signin.Pages{DB: d, Site: site, Door: door, Hasher: hasher}).Mount(m)
	m.Signed("GET /{$}", func(rw http.ResponseWriter, r *http.Request) error {
		_, err := rw.Write([]byte("Start: " + visitor.Of(r).Account.Name()))
		return err
	})
	w.handler = m.Handler()
	w.jobs.On(account.RecoverKind, account.Recover(d))
	w.jobs.On(session.EndedKind, func(context.Context, []byte) error { return nil })
	w.jobs.On(mail.Kind, func(_ context.Context, body []byte) error {
		var sealed struct{ ID, Mail string }
		if err := json.Unmarshal(body, &sealed); err != nil {
			return err
		}
		plain, err := d.Keys.Open("mail/"+sealed.ID, sealed.Mail)
		if err != nil {
			return err
		}
		var m mail.Message
		w.mu.Lock()
		defer w.mu.Unlock()
		err = json.Unmarshal(plain, &m)
		w.mails = append(w.mails, m)
		return err
	})
	return w
}

func (w *world) pass(d time.Duration) { w.clock.Add(d.Microseconds()) }

// inbox works off all jobs and returns the mails to an address since the last look.
func (w *world) inbox(to string) (got []mail.Message) {
	w.t.Helper()
	if err := w.jobs.Drain(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	rest := w.mails[:0]
	for _, m := range w.mails {
		if m.To == to {
			got = append(got, m)
		} else {
			rest = append(rest, m)
		}
	}
	w.mails = rest
	return got
}

// one is the only mail to an address.
func (w *world) one(to, subject string) mail.Message {
	w.t.Helper()
	got := w.inbox(to)
	if len(got) != 1 || !strings.HasPrefix(got[0].Subject, subject) {
		w.t.Fatalf("mails to %s: %+v, want one: %s", to, got, subject)
	}
	return got[0]
}

var (
	links = regexp.MustCompile(`/(?:confirm|recover/password)/[\w-]{43}`)
	codes = regexp.MustCompile(`(?m)^\d{6}$`)
)

func linkIn(m mail.Message) string { return links.FindString(m.Body) }
func code(m mail.Message) string   { return codes.FindString(m.Body) }

// count reads a number from the database.
func (w *world) count(query string, args ...any) (n int) {
	w.t.Helper()
	if err := w.d.Read(w.t.Context(), func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query, args...); return err }); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// A person has a browser: cookies and an address.
type person struct {
	w       *world
	cookies map[string]string
	ip      string
}

func (w *world) person(ip string) *person { return &person{w, map[string]string{}, ip} }

// A page as it came.
type page struct {
	status int
	to     string // Location
	body   string
	text   string // body without tags
	header http.Header
}

var tags = regexp.MustCompile(`<[^>]*>`)

func (p *person) do(method, path string, form url.Values) page {
	p.w.t.Helper()
	var r *http.Request
	if form != nil {
		r = httptest.NewRequest(method, "http://portal.example"+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		r = httptest.NewRequest(method, "http://portal.example"+path, nil)
	}
	r.Header.Set("Accept-Language", "de")
	r.RemoteAddr = p.ip + ":40000"
	for name, value := range p.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	rec := httptest.NewRecorder()
	p.w.handler.ServeHTTP(rec, r)
	for _, c := range rec.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(p.cookies, c.Name)
		} else {
			p.cookies[c.Name] = c.Value
		}
	}
	body := rec.Body.String()
	return page{rec.Code, rec.Header().Get("Location"), body, html.UnescapeString(tags.ReplaceAllString(body, "")), rec.Header()}
}

func (p *person) get(path string) page { p.w.t.Helper(); return p.do("GET", path, nil) }

// post sends a form given as name, value, name, value …
func (p *person) post(path string, pairs ...string) page {
	p.w.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return p.do("POST", path, form)
}

func (g page) want(t *testing.T, status int, texts ...string) page {
	t.Helper()
	if g.status != status {
		t.Fatalf("status %d, want %d; to %q\n%s", g.status, status, g.to, g.text)
	}
	for _, s := range texts {
		if !strings.Contains(g.text, s) {
			t.Fatalf("page lacks %q:\n%s", s, g.text)
		}
	}
	return g
}

func (g page) goes(t *testing.T, to string) {
	t.Helper()
	if g.status != http.StatusSeeOther || g.to != to {
		t.Fatalf("status %d to %q, want 303 to %q\n%s", g.status, g.to, to, g.text)
	}
}

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
func (p *person) register(changes ...string) page {
	p.w.t.Helper()
	p.do("POST", "/register", anna(changes...)).goes(p.w.t, "/register/terms")
	id := shownTerms.FindStringSubmatch(p.get("/register/terms").body)
	if id == nil {
		p.w.t.Fatal("no terms are shown")
	}
	return p.post("/register/terms", "do", "submit", "accept", "1", "terms", id[1])
}

func (p *person) signIn(login, plain string) page {
	p.w.t.Helper()
	return p.post("/login", "username", login, "password", plain)
}
