package joining_test

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
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/link"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/home"
	"zunft/internal/identity/portal/joining"
	"zunft/internal/identity/portal/members"
	"zunft/internal/identity/request"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

// A world is the three places on a database of their own, with a bakery whose
// admin is Bert, a butcher's whose admin is Carl, and Anna, who is new.
type world struct {
	*testing.T
	d                *db.DB
	handler          http.Handler
	cookies          map[string]string // of people by user name
	ids              map[string]string
	bakery, butchery string
	app              application.Application
}

func each(t *testing.T, f func(w *world)) {
	t.Helper()
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) { f(newWorld(t, d)) })
}

func newWorld(t *testing.T, d *db.DB) *world {
	w := &world{T: t, d: d, cookies: map[string]string{}, ids: map[string]string{}, bakery: "bakery", butchery: "butchery"}
	catalog, err := i18n.Load(web.Phrases, notice.Phrases, account.Phrases, link.Phrases, password.Phrases, policy.Phrases, application.Phrases, chamber.Phrases, directory.Phrases, membership.Phrases, request.Phrases, organization.Phrases,
		home.Phrases, joining.Phrases, members.Phrases)
	if err != nil {
		t.Fatal(err)
	}
	site := &web.Site{Name: "Kammerkonto", Owner: "Kammer Musterland", Base: "http://portal.example", Cookies: "t", Catalog: catalog}
	door := &visitor.Door{DB: d, Site: site}
	site.SignIn = door.ToLogin
	site.Who = door.Who
	m := web.NewMux(site)
	(&home.Pages{DB: d, Site: site}).Mount(m)
	(&joining.Pages{DB: d, Site: site, Door: door}).Mount(m)
	(&members.Pages{DB: d, Site: site, Door: door}).Mount(m)
	w.handler = m.Handler()
	w.write(policy.EnsureDefault)
	w.write(func(tx *db.Tx) error {
		if _, err := tx.Exec(`INSERT INTO chamber (id, number, name, short_name, created_at) VALUES ('c', '999', 'Kammer Musterland', 'Musterland', $1)`, tx.Now()); err != nil {
			return err
		}
		for _, name := range []string{"Anna", "Bert", "Berta", "Carl"} {
			if err := w.person(tx, name); err != nil {
				return err
			}
		}
		if err := company(tx, w.bakery, "Bäckerei Brotmann GmbH", w.ids["bert"]); err != nil {
			return err
		}
		if err := company(tx, w.butchery, "Fleischerei Wurst e. K.", w.ids["carl"]); err != nil {
			return err
		}
		w.app, err = application.Put(tx, audit.Console, application.Application{
			ClientID: "training", Name: "Berichtsheft", ClientURI: "https://training.example/", ManualURI: "https://training.example/help",
			SecretHash: "x", RedirectURIs: []string{"https://training.example/cb"},
		}, []application.Role{
			{Key: "trainer", NameDE: "Ausbilder:in", NameEN: "Trainer", DescriptionDE: "Zeichnet Nachweise ab"},
			{Key: "apprentice", NameDE: "Auszubildende:r", NameEN: "Apprentice", DescriptionDE: "Schreibt Nachweise"},
		})
		if err != nil {
			return err
		}
		for name, org := range map[string]string{"bert": w.bakery, "berta": w.bakery, "carl": w.butchery} {
			if err := membership.Grant(tx, audit.Console, org, w.ids[name], true); err != nil {
				return err
			}
		}
		return nil
	})
	return w
}

// person makes an account that is signed in.
func (w *world) person(tx *db.Tx, name string) error {
	key := strings.ToLower(name)
	a, err := account.Create(tx, audit.Console, account.New{GivenName: name, FamilyName: "Beispiel", Username: key, Email: key + "@example.org", Password: "x", Confirmed: true})
	if err != nil {
		return err
	}
	w.ids[key] = a.ID
	if w.cookies[key], _, err = session.Start(tx, audit.Console, a.ID, "pwd otp"); err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE session SET proved_at = $1 WHERE account = $2`, tx.Now(), a.ID) // as after a second factor
	return err
}

func company(tx *db.Tx, id, name, by string) error {
	_, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
		management, company_key, name_key, state, registered_by, created_at) VALUES ($1, 'c', $4, $2, '', 'Hauptstraße', '1', '99999', 'Musterstadt', '', '', '', '', $3, $2, 'active', $5, $6)`,
		id, name, fold.CompanyKey(name, "Hauptstraße", "1", "99999"), map[string]string{"bakery": "4711"}[id]+id[:1], by, tx.Now())
	return err
}

func (w *world) write(f func(*db.Tx) error) {
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

// A reply is what the browser got.
type reply struct {
	w    *world
	code int
	body string
	to   string // where a redirect leads
}

// raw does a request without judging it; it may run in a goroutine.
func (w *world) raw(who, method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(w.Context(), method, "http://portal.example"+path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	r.Header.Set("Accept-Language", "de")
	if c := w.cookies[who]; c != "" {
		r.AddCookie(&http.Cookie{Name: "t_session", Value: c})
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec
}

func (w *world) do(who, method, path string, form url.Values, want int) reply {
	w.Helper()
	rec := w.raw(who, method, path, form)
	if rec.Code != want {
		w.Fatalf("%s: %s %s: %d, want %d\n%s", who, method, path, rec.Code, want, words(rec.Body.String()))
	}
	return reply{w, rec.Code, rec.Body.String(), rec.Header().Get("Location")}
}

func (w *world) get(who, path string) reply {
	w.Helper()
	return w.do(who, "GET", path, nil, 200)
}

func (w *world) post(who, path string, form url.Values) reply {
	w.Helper()
	return w.do(who, "POST", path, form, 303)
}

// shows fails unless the page holds all of the texts.
func (r reply) shows(texts ...string) reply {
	r.w.Helper()
	for _, text := range texts {
		if !strings.Contains(r.body, text) && !strings.Contains(words(r.body), text) {
			r.w.Errorf("page lacks %q:\n%s", text, words(r.body))
		}
	}
	return r
}

// hides fails if the page holds one of the texts.
func (r reply) hides(texts ...string) reply {
	r.w.Helper()
	for _, text := range texts {
		if strings.Contains(r.body, text) {
			r.w.Errorf("page shows %q:\n%s", text, words(r.body))
		}
	}
	return r
}

var tags = regexp.MustCompile(`(?s)<[^>]*>`)

// words is a page as it is read.
func words(page string) string {
	if _, main, ok := strings.Cut(page, "<main"); ok {
		page, _, _ = strings.Cut("<main"+main, "</main>")
	}
	return strings.Join(strings.Fields(tags.ReplaceAllString(page, " ")), " ")
}

type tx = db.Tx

func membershipID(tx *db.Tx, accountID, organizationID string) (string, error) {
	m, err := membership.In(tx, organizationID, accountID)
	return m.ID, err
}
