package profile_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
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
	"zunft/internal/identity/portal/portaltest"
	"zunft/internal/identity/portal/profile"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
)

// A world is the account's pages on a database of their own, with Anna, Bert
// and Lena, whose name comes from a contract.
type world struct {
	*testing.T
	*portaltest.World
	ids     map[string]string
	cookies map[string]string
	chamber chamber.Chamber
}

func each(t *testing.T, f func(w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{T: t, World: portaltest.New(t, d), ids: map[string]string{}, cookies: map[string]string{}}
		site, door, m := w.Front(web.Phrases, account.Phrases, address.Phrases, correction.Phrases, factor.Phrases, link.Phrases, notice.Phrases, password.Phrases,
			policy.Phrases, session.Phrases, profile.Phrases)
		(&profile.Pages{DB: d, Site: site, Door: door}).Mount(m)
		w.Handler = m.Handler()
		w.Write(func(tx *db.Tx) error {
			if err := policy.EnsureDefault(tx); err != nil {
				return err
			}
			var err error
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
	w.Write(func(tx *db.Tx) (err error) {
		w.cookies[name], _, err = session.Start(tx, audit.Actor{Account: w.ids[name]}, w.ids[name], amr)
		return err
	})
}

// mail is the newest mail to an address since the last look.
func (w *world) mail(to string) mail.Message {
	w.Helper()
	got := w.Inbox(to)
	if len(got) == 0 {
		w.Fatalf("no mail to %s", to)
	}
	return got[len(got)-1]
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
	w.Handler.ServeHTTP(rec, r)
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
