package authorize_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/jba/templatecheck"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/portal/authorize"
	"zunft/internal/identity/request"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

func TestTemplates(t *testing.T) {
	for name, page := range authorize.AllPages() {
		if err := templatecheck.CheckHTML(authorize.Template(name), page); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A world is the pages behind their front door.
type world struct {
	t       *testing.T
	d       *db.DB
	server  *httptest.Server
	door    *visitor.Door
	chamber string
	book    application.Application
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{t: t, d: d}
		catalog, err := i18n.Load(web.Phrases, authorize.Phrases, membership.Phrases, request.Phrases)
		if err != nil {
			t.Fatal(err)
		}
		site := &web.Site{Name: "test", Owner: "Kammer Musterland", Cookies: "zunft", Catalog: catalog}
		w.door = &visitor.Door{DB: d, Site: site}
		site.SignIn = w.door.ToLogin
		site.Who = w.door.Who
		m := web.NewMux(site)
		(&authorize.Pages{DB: d, Site: site}).Mount(m)
		w.server = httptest.NewServer(m.Handler())
		t.Cleanup(w.server.Close)
		w.write(func(tx *db.Tx) (err error) {
			w.chamber = db.NewID()
			if _, err := tx.Exec(`INSERT INTO chamber (id, number, name, short_name, created_at) VALUES ($1, '999', 'Kammer Musterland', 'Musterland', $2)`, w.chamber, tx.Now()); err != nil {
				return err
			}
			w.book, err = application.Put(tx, audit.Console, application.Application{ClientID: "book", Name: "Digitales Berichtsheft", ClientURI: "https://book.example/", SecretHash: application.HashSecret("x"), RedirectURIs: []string{"https://book.example/cb"}},
				[]application.Role{{Key: "trainer", NameDE: "Ausbilder:in"}, {Key: "apprentice", NameDE: "Auszubildende:r", DescriptionDE: "Schreibt Nachweise"}})
			return err
		})
		f(t, w)
	})
}

func (w *world) write(f func(*db.Tx) error) {
	w.t.Helper()
	if err := w.d.Write(context.Background(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) person(given, username string) (a account.Account) {
	w.t.Helper()
	w.write(func(tx *db.Tx) (err error) {
		a, err = account.Create(tx, audit.Console, account.New{GivenName: given, FamilyName: "Beispiel", Username: username, Email: username + "@beispiel.example", Password: "x", Confirmed: true})
		return err
	})
	return a
}

func (w *world) organization(name string, admin account.Account, members ...account.Account) (id string) {
	w.t.Helper()
	id = db.NewID()
	w.write(func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court, management, company_key, name_key, state, registered_by, created_at)
			VALUES ($1, $2, $3, $4, 'GmbH', 'Schuteweg', '1', '26723', 'Emden', '', '', '', 'Bert Beispiel', $1, $4, 'active', $5, $6)`, id, w.chamber, name, name, admin.ID, tx.Now())
		if err != nil {
			return err
		}
		for _, m := range members {
			if err := membership.Grant(tx, audit.Console, id, m.ID, false); err != nil {
				return err
			}
		}
		return membership.Grant(tx, audit.Console, id, admin.ID, true)
	})
	return id
}

type browser struct {
	w *world
	c *http.Client
}

func (w *world) signedIn(a account.Account) *browser {
	w.t.Helper()
	var token string
	w.write(func(tx *db.Tx) (err error) {
		token, _, err = session.Start(tx, audit.Actor{}, a.ID, "pwd")
		return err
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	base, _ := url.Parse(w.server.URL)
	jar.SetCookies(base, []*http.Cookie{{Name: "zunft_session", Value: token}, {Name: "zunft_lang", Value: "de"}})
	return &browser{w, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (b *browser) get(path string) (int, string, string) {
	b.w.t.Helper()
	response, err := b.c.Get(b.w.server.URL + path)
	return b.read(response, err)
}

func (b *browser) post(path string, pairs ...string) (int, string, string) {
	b.w.t.Helper()
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	response, err := b.c.PostForm(b.w.server.URL+path, v)
	return b.read(response, err)
}

func (b *browser) read(response *http.Response, err error) (int, string, string) {
	b.w.t.Helper()
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return response.StatusCode, string(body), response.Header.Get("Location")
}

func (b *browser) reads(path string, has []string, hasNot ...string) {
	b.w.t.Helper()
	status, body, _ := b.get(path)
	if status != http.StatusOK {
		b.w.t.Fatalf("%s: %d", path, status)
	}
	for _, s := range has {
		if !strings.Contains(body, s) {
			b.w.t.Errorf("%s: %q is missing in %s", path, s, body)
		}
	}
	for _, s := range hasNot {
		if strings.Contains(body, s) {
			b.w.t.Errorf("%s: %q should not be there", path, s)
		}
	}
}

const noAccess = "/authorize/no-access?client_id=book"

// R029, R145–R148: what is missing, who gives it, one button that asks; the
// admin approves, and the page says that the way is free.
func TestR145AskForTheMissingRole(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna, bert := w.person("Anna", "anna"), w.person("Bert", "bert")
		bakery := w.organization("Bäckerei Beispiel", bert, anna)
		b := w.signedIn(anna)
		b.reads(noAccess, []string{"Ihnen fehlt eine Berechtigung", "Digitales Berichtsheft", "Bäckerei Beispiel", "Auszubildende:r", "Ausbilder:in", "Schreibt Nachweise", "Vergeben kann sie: Bert Beispiel", "Rolle anfragen", "https://book.example/"}, "code=")
		// R146: roles are to be chosen; what was typed stays.
		status, body, _ := b.post("/authorize/no-access", "client_id", "book", "organization", bakery, "reason", "Ich schreibe jede Woche.")
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, "Ich schreibe jede Woche.") || !strings.Contains(body, `href="#roles"`) {
			t.Errorf("nothing chosen: %d %s", status, body)
		}
		status, _, to := b.post("/authorize/no-access", "client_id", "book", "organization", bakery, "roles", "apprentice", "roles", "trainer")
		if status != http.StatusSeeOther || !strings.HasPrefix(to, "/authorize/no-access?") {
			t.Fatalf("%d %s", status, to)
		}
		// R147: it waits for the admin, and nothing is open yet.
		b.reads(to, []string{"Ihre Anfrage ist gestellt", "Ihre Anfrage ist offen", "Auszubildende:r (Digitales Berichtsheft)"}, "<textarea")
		b.reads(noAccess, []string{"Ihre Anfrage ist offen"}, "Ihre Anfrage ist gestellt")
		if status, _, to := b.post("/authorize/no-access", "client_id", "book", "organization", bakery, "roles", "trainer"); status != http.StatusSeeOther || to == "" {
			t.Errorf("asked twice: %d", status)
		}
		by := audit.Actor{Account: bert.ID, Kind: audit.Person}
		w.write(func(tx *db.Tx) error {
			waiting, err := request.Inbox(tx, by, bakery, request.OpenRoles, "", 10)
			if err != nil || len(waiting) != 1 {
				return fmt.Errorf("inbox: %+v, %w", waiting, err)
			}
			asked, err := request.Get(tx, by, waiting[0].ID)
			if err != nil || len(asked.Roles) != 2 || asked.Reason != "Ich möchte mit „Digitales Berichtsheft“ arbeiten." {
				return fmt.Errorf("request: %+v, %w", asked, err)
			}
			if err := request.Claim(tx, by, waiting[0].ID); err != nil {
				return err
			}
			return request.Approve(tx, by, waiting[0].ID, asked.Roles[:1])
		})
		b.reads(noAccess, []string{"Sie haben jetzt Zugang", "https://book.example/"}, "Rolle anfragen") // R148
	})
}

// R030: an admin has no role by itself, and reads how to give it; who belongs
// to nobody reads how to join; names of admins are for members only.
func TestR030WhatToDoNext(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna, bert, otto := w.person("Anna", "anna"), w.person("Bert", "bert"), w.person("Otto", "otto")
		bakery := w.organization("Bäckerei Beispiel", bert)
		w.signedIn(bert).reads(noAccess, []string{"Sie verwalten Bäckerei Beispiel", `href="/organizations/` + bakery + `/members"`}, "<textarea")
		b := w.signedIn(anna)
		b.reads(noAccess, []string{"/organizations/join", "Auszubildende:r"}, "Bert", "<textarea")
		b.reads(noAccess+"&organization="+bakery, []string{"/organizations/join"}, "Bert", "Bäckerei")
		if status, _, _ := b.post("/authorize/no-access", "client_id", "book", "organization", bakery, "roles", "trainer"); status != http.StatusNotFound {
			t.Errorf("a stranger asks an organization for a role: %d", status)
		}
		w.write(func(tx *db.Tx) error {
			_, err := request.Submit(tx, audit.Actor{Account: anna.ID, Kind: audit.Person}, bakery, "Ich fange an.", nil)
			return err
		})
		b.reads(noAccess, []string{"Ihre Beitrittsanfrage ist offen", "Bäckerei Beispiel"}, "Bert")
		// R202: of several companies one is shown, the others are a link away.
		mill := w.organization("Mühle Beispiel", otto, anna)
		w.organization("Zimmerei Beispiel", bert, anna)
		b.reads(noAccess, []string{"Anderes Unternehmen wählen", "Zimmerei Beispiel", "Vergeben kann sie: Otto Beispiel"})
		b.reads(noAccess+"&organization="+mill, []string{"Vergeben kann sie: Otto Beispiel"})
		for _, path := range []string{
			"/authorize/no-access", "/authorize/no-access?client_id=nobody", "/authorize/organization", "/authorize/organization?next=https://evil.example/",
			"/authorize/organization?next=/oauth2/authorize%3Fclient_id%3D%2500",
		} {
			if status, _, _ := b.get(path); status != http.StatusNotFound {
				t.Errorf("%s: %d", path, status)
			}
		}
		if status, _, _ := b.get("/authorize/no-access?client_id=%ff%00"); status != http.StatusBadRequest { // refused at the door
			t.Errorf("an address that is no text: %d", status)
		}
	})
}
