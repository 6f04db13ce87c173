package profile_test

import (
	"context"
	"encoding/json"
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

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/job"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/address"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/correction"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/link"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/profile"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

// A world is the account's pages on a database of their own, with Anna, Bert
// and Lena, whose name comes from a contract.
type world struct {
	*testing.T
	d       *db.DB
	handler http.Handler
	clock   atomic.Int64
	jobs    *job.Runner
	mu      sync.Mutex
	mails   []mail.Message
	ids     map[string]string
	cookies map[string]string
	chamber chamber.Chamber
}

func each(t *testing.T, f func(w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{T: t, d: d, jobs: &job.Runner{DB: d}, ids: map[string]string{}, cookies: map[string]string{}}
		w.clock.Store(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC).UnixMicro())
		d.Now = func() time.Time { return time.UnixMicro(w.clock.Load()).UTC() }
		catalog, err := i18n.Load(web.Phrases, account.Phrases, address.Phrases, correction.Phrases, factor.Phrases, link.Phrases, notice.Phrases, password.Phrases,
			policy.Phrases, session.Phrases, profile.Phrases)
		if err != nil {
			t.Fatal(err)
		}
		site := &web.Site{Name: "Kammerkonto", Owner: "Kammer Musterland", Base: "http://portal.example", Cookies: "t", Catalog: catalog}
		door := &visitor.Door{DB: d, Site: site}
		site.SignIn, site.Who = door.ToLogin, door.Who
		m := web.NewMux(site)
		(&profile.Pages{DB: d, Site: site, Door: door}).Mount(m)
		w.handler = m.Handler()
		w.jobs.On(session.EndedKind, func(context.Context, []byte) error { return nil })
		w.jobs.On(mail.Kind, w.deliver)
		w.write(func(tx *db.Tx) error {
			if err := policy.EnsureDefault(tx); err != nil {
				return err
			}
			if w.chamber, err = chamber.Create(tx, audit.Console, chamber.Chamber{Number: "999", Name: "Kammer Musterland"}); err != nil {
				return err
			}
			for name, source := range map[string]string{"anna": "self", "bert": "self", "lena": "contract"} {
				a, err := account.Create(tx, audit.Console, account.New{
					GivenName: "Anna", FamilyName: "Beispiel", Username: name, Email: name + "@old.example", Password: "x", NameSource: source, Confirmed: true,
				})
				if err != nil {
					return err
				}
				w.ids[name] = a.ID
			}
			return nil
		})
		for name := range w.ids {
			w.signIn(name, "pwd otp")
		}
		f(w)
	})
}

// signIn begins a session; "otp" is a proof that opens changes.
func (w *world) signIn(name, amr string) {
	w.Helper()
	w.write(func(tx *db.Tx) (err error) {
		w.cookies[name], _, err = session.Start(tx, audit.Actor{Account: w.ids[name]}, w.ids[name], amr)
		return err
	})
}

func (w *world) deliver(_ context.Context, body []byte) error {
	var sealed struct{ ID, Mail string }
	if err := json.Unmarshal(body, &sealed); err != nil {
		return err
	}
	plain, err := w.d.Keys.Open("mail/"+sealed.ID, sealed.Mail)
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

// mail is the newest mail to an address.
func (w *world) mail(to string) mail.Message {
	w.Helper()
	if err := w.jobs.Drain(w.Context()); err != nil {
		w.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range slices.Backward(w.mails) {
		if m.To == to {
			return m
		}
	}
	w.Fatalf("no mail to %s", to)
	return mail.Message{}
}

func (w *world) write(f func(tx *db.Tx) error) {
	w.Helper()
	if err := w.d.Write(w.Context(), f); err != nil {
		w.Fatal(err)
	}
}

func (w *world) count(query string, args ...any) (n int) {
	w.Helper()
	w.write(func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query, args...); return err })
	return n
}

// A page as it came.
type page struct {
	w          *world
	status     int
	to, body   string
	setCookies []string
}

func (w *world) do(who, method, path string, form url.Values) page {
	r := httptest.NewRequestWithContext(w.Context(), method, "http://portal.example"+path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept-Language", "de")
	if c := w.cookies[who]; c != "" {
		r.AddCookie(&http.Cookie{Name: "t_session", Value: c})
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return page{w, rec.Code, rec.Header().Get("Location"), rec.Body.String(), rec.Header().Values("Set-Cookie")}
}

func (w *world) get(who, path string) page { return w.do(who, http.MethodGet, path, nil) }

func (w *world) post(who, path string, pairs ...string) page {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return w.do(who, http.MethodPost, path, form)
}

func (p page) want(status int, texts ...string) page {
	p.w.Helper()
	if p.status != status {
		p.w.Fatalf("status %d to %q, want %d\n%s", p.status, p.to, status, words(p.body))
	}
	for _, s := range texts {
		if !strings.Contains(words(p.body), s) {
			p.w.Errorf("page lacks %q:\n%s", s, words(p.body))
		}
	}
	return p
}

func (p page) goes(to string) {
	p.w.Helper()
	if p.status != http.StatusSeeOther || p.to != to {
		p.w.Fatalf("status %d to %q, want 303 to %q\n%s", p.status, p.to, to, words(p.body))
	}
}

var tags = regexp.MustCompile(`(?s)<[^>]*>`)

func words(page string) string {
	if _, main, ok := strings.Cut(page, "<main"); ok {
		page, _, _ = strings.Cut("<main"+main, "</main>")
	}
	return strings.Join(strings.Fields(tags.ReplaceAllString(page, " ")), " ")
}

var (
	digits = regexp.MustCompile(`(?m)^\d{6}$`)
	paths  = regexp.MustCompile(`/(?:confirm-email|undo)/[\w-]{43}`)
)
