package security_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
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

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/job"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/link"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/security"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

// A world is these pages on a database of their own; what comes before and
// after them is played: /test/login begins a sign-in, /login/next ends it if
// nothing is due, /account/thing may be seen by those only who are sure.
type world struct {
	t       testing.TB
	d       *db.DB
	handler http.Handler
	jobs    *job.Runner
	hasher  *password.Hasher
	phc     string
	clock   atomic.Int64
	mu      sync.Mutex
	mails   []mail.Message
}

func each(t *testing.T, rule func(p *policy.Policy), f func(t *testing.T, w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) { f(t, newWorld(t, d, rule)) })
}

const plain = "Mehl Hefe Wasser Salz"

func newWorld(t testing.TB, d *db.DB, rule func(p *policy.Policy)) *world {
	w := &world{t: t, d: d, jobs: &job.Runner{DB: d}}
	w.clock.Store(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC).UnixMicro())
	d.Now = func() time.Time { return time.UnixMicro(w.clock.Load()).UTC() }
	catalog, err := i18n.Load(web.Phrases, notice.Phrases, account.Phrases, factor.Phrases, link.Phrases, password.Phrases, policy.Phrases, session.Phrases, security.Phrases)
	if err != nil {
		t.Fatal(err)
	}
	site := &web.Site{Name: "security.two_step", Owner: "Kammer Musterland", Base: "http://portal.example", Cookies: "t", Catalog: catalog}
	door := &visitor.Door{DB: d, Site: site}
	site.SignIn, site.Who = door.ToLogin, door.Who
	p, err := policy.Preset(policy.Standard)
	if err != nil {
		t.Fatal(err)
	}
	p.Default, p.Factor.Least = true, nil
	if rule != nil {
		rule(&p)
	}
	w.write(func(tx *db.Tx) error { return policy.Save(tx, audit.Console, p) })
	w.hasher = password.NewHasher(2)
	w.hasher.Cost = password.Cost{KiB: 64, Passes: 1, Lanes: 1} // the tests are about the way, not about its price
	if w.phc, err = w.hasher.Hash(t.Context(), plain); err != nil {
		t.Fatal(err)
	}
	m := web.NewMux(site)
	(&security.Pages{DB: d, Site: site, Door: door, Hasher: w.hasher}).Mount(m)
	m.Open("POST /test/login", func(rw http.ResponseWriter, r *http.Request) error {
		var token string
		var s session.Session
		w.write(func(tx *db.Tx) (err error) {
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
		w.write(func(tx *db.Tx) error {
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
	w.handler = m.Handler()
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

func (w *world) write(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.d.Write(context.WithoutCancel(w.t.Context()), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) pass(d time.Duration) { w.clock.Add(d.Microseconds()) }

// inbox works off all jobs and returns the mails since the last look.
func (w *world) inbox() (got []mail.Message) {
	w.t.Helper()
	if err := w.jobs.Drain(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	got, w.mails = w.mails, nil
	return got
}

var digits = regexp.MustCompile(`\b\d{6}\b`)

// code is the one-time password of the newest mail.
func (w *world) code() string {
	w.t.Helper()
	mails := w.inbox()
	if len(mails) == 0 {
		w.t.Fatal("no mail")
	}
	m := mails[len(mails)-1]
	code := digits.FindString(strings.ReplaceAll(m.Body, " ", ""))
	if code == "" {
		code = digits.FindString(m.Body)
	}
	if code == "" {
		w.t.Fatalf("no code in the mail: %s\n%s", m.Subject, m.Body)
	}
	return code
}

// subjects of the mails since the last look.
func (w *world) subjects() (all []string) {
	for _, m := range w.inbox() {
		all = append(all, m.Subject)
		if !strings.Contains(m.Body, "/report-activity/") {
			w.t.Errorf("the mail %q does not end with the link that secures the account", m.Subject)
		}
	}
	return all
}

func (w *world) count(query string, args ...any) (n int) {
	w.t.Helper()
	if err := w.d.Read(w.t.Context(), func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query, args...); return err }); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) create(username string) (a account.Account) {
	w.t.Helper()
	w.write(func(tx *db.Tx) (err error) {
		a, err = account.Create(tx, audit.Console, account.New{GivenName: "Anna", FamilyName: "Beispiel", Username: username, Email: username + "@beispiel.example", Password: w.phc, Confirmed: true})
		return err
	})
	return a
}

// totp is what an app shows for a key (RFC 6238), written a second time, for the test.
func (w *world) totp(key string) string {
	w.t.Helper()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(key, " ", ""))
	if err != nil {
		w.t.Fatal(err)
	}
	h := hmac.New(sha1.New, secret)
	binary.Write(h, binary.BigEndian, uint64(w.d.Now().Unix()/30))
	sum := h.Sum(nil)
	at := sum[19] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff)%1_000_000)
}

// A person has a browser: cookies and an address.
type person struct {
	w       *world
	cookies map[string]string
	ip      string
}

func (w *world) person(ip string) *person { return &person{w, map[string]string{}, ip} }

// again is the same browser a moment before: it keeps the cookies of now.
func (p *person) again() *person {
	c := map[string]string{}
	for k, v := range p.cookies {
		c[k] = v
	}
	return &person{p.w, c, p.ip}
}

// A page as it came.
type page struct {
	status         int
	to, body, text string
	header         http.Header
}

var tags = regexp.MustCompile(`<[^>]*>`)

func (p *person) do(method, path string, form url.Values) page {
	p.w.t.Helper()
	r := httptest.NewRequest(method, "http://portal.example"+path, nil)
	if form != nil {
		r = httptest.NewRequest(method, "http://portal.example"+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
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

// login goes through the password; what is due then is where it ends.
func (p *person) login(who string) string {
	p.w.t.Helper()
	p.post("/test/login", "who", who).goes(p.w.t, "/login/next")
	return p.get("/login/next").to
}

// sure goes through a step-up by mail.
func (p *person) sure() {
	p.w.t.Helper()
	p.w.inbox()
	p.post("/account/confirm", "do", "choose", "way", "mail")
	p.post("/account/confirm", "do", "prove", "way", "mail", "code", p.w.code()).goes(p.w.t, "/")
}

// app sets up an authenticator app and returns its key.
func (p *person) app() (key string) {
	p.w.t.Helper()
	g := p.get("/account/security/authenticator").want(p.w.t, 200)
	key = keyIn(p.w.t, g)
	p.post("/account/security/authenticator", "do", "app", "code", p.w.totp(key)).goes(p.w.t, "/account/security/two-step")
	p.w.pass(time.Minute) // a code is good once
	return key
}

var secretIn = regexp.MustCompile(`otpauth://[^"]*[?&;]secret=([A-Z2-7]{32})`)

func keyIn(t testing.TB, g page) string {
	t.Helper()
	m := secretIn.FindStringSubmatch(g.body)
	if m == nil {
		t.Fatalf("no key on the page:\n%s", g.text)
	}
	return m[1]
}

func (g page) want(t testing.TB, status int, texts ...string) page {
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

func (g page) goes(t testing.TB, to string) page {
	t.Helper()
	if g.status != http.StatusSeeOther || g.to != to {
		t.Fatalf("status %d to %q, want 303 to %q\n%s", g.status, g.to, to, g.text)
	}
	return g
}
