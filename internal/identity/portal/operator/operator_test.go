package operator_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/openid"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/operator"
	"zunft/internal/identity/portal/portaltest"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
	"zunft/internal/identity/takeover"
)

// A world is the operator's pages with Otto and Olga, who run the portal, and
// Nora, who does not.
type world struct {
	*testing.T
	*portaltest.World
	ids                map[string]string
	otto, olga, nora   *portaltest.Person
	p                  *openid.Provider
	mux                *web.Mux
	app                application.Application
	organization, base string
}

func each(t *testing.T, f func(w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{T: t, World: portaltest.New(t, d), ids: map[string]string{}}
		site, door, m := w.Front(web.Phrases, account.Phrases, application.Phrases, chamber.Phrases, factor.Phrases, membership.Phrases, openid.Phrases, policy.Phrases, session.Phrases, takeover.Phrases, operator.Phrases)
		w.p = &openid.Provider{DB: d, Site: site, Door: door}
		w.mux = m
		(&operator.Pages{DB: d, Site: site, Door: door, OpenID: w.p}).Mount(m)
		w.Handler = m.Handler()
		w.Write(func(tx *db.Tx) error {
			if err := policy.EnsureDefault(tx); err != nil {
				return err
			}
			for _, name := range []string{"otto", "olga", "nora", "lena"} {
				a, err := account.Create(tx, audit.Console, account.New{GivenName: strings.ToUpper(name[:1]) + name[1:], FamilyName: "Beispiel", Username: name, Email: name + "@example.org", Password: "x", Confirmed: true})
				if err != nil {
					return err
				}
				w.ids[name] = a.ID
			}
			for _, name := range []string{"otto", "olga"} {
				if err := chamber.AddStaff(tx, audit.Console, w.ids[name], "", chamber.Operator); err != nil {
					return err
				}
			}
			c, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: "999", Name: "Kammer Musterland", ValidFrom: tx.Now().Add(-time.Hour)})
			if err != nil {
				return err
			}
			w.organization = db.NewID()
			if _, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court, management, company_key, name_key, state, registered_by, created_at)
				VALUES ($1, $2, '100017', 'Bäckerei Morgenrot', '', '', '', '', '', '', '', '', '', $1, '', 'active', $3, $4)`, w.organization, c.ID, w.ids["lena"], tx.Now()); err != nil {
				return err
			}
			w.app, err = application.Put(tx, audit.Console, application.Application{ClientID: "book", Name: "Berichtsheft", AuthMethod: "client_secret_basic", RedirectURIs: []string{"https://book.example/cb"}},
				[]application.Role{{Key: "trainer", NameDE: "Ausbilder:in"}, {Key: "apprentice", NameDE: "Auszubildende:r"}})
			if err != nil {
				return err
			}
			return membership.Grant(tx, audit.Console, w.organization, w.ids["lena"], false, membership.Role{Application: w.app.ID, Key: "apprentice"})
		})
		w.otto, w.olga, w.nora = w.signIn("otto"), w.signIn("olga"), w.signIn("nora")
		w.base = "/admin/apps/" + w.app.ID
		f(w)
	})
}

// signIn opens a browser in which somebody has just proved that it is them.
func (w *world) signIn(name string) *portaltest.Person {
	p := w.Person("192.0.2.7")
	w.Write(func(tx *db.Tx) (err error) {
		p.Cookies["t_session"], _, err = session.Start(tx, audit.Actor{Account: w.ids[name]}, w.ids[name], "pwd otp")
		return err
	})
	return p
}

func (w *world) records(event string) int {
	w.Helper()
	return w.Count(`SELECT count(*) FROM audit WHERE event = $1`, event)
}

// Nobody but operators gets in, by any route; and whoever is one proves that it
// is them before anything changes.
func TestDoor(t *testing.T) {
	each(t, func(w *world) {
		for _, route := range w.mux.Routes {
			method, path, found := strings.Cut(route.Pattern, " ")
			if !found {
				continue // files of the frame
			}
			path = strings.Replace(path, "{id}", w.app.ID, 1)
			form := url.Values(nil)
			if method == http.MethodPost {
				form = url.Values{"do": {"new"}}
			}
			if p := w.nora.Do(method, path, form); p.Status != http.StatusForbidden {
				w.Errorf("%s %s: %d for somebody who is no operator", method, path, p.Status)
			}
			if p := w.Person("192.0.2.9").Do(method, path, form); p.Status != http.StatusSeeOther || !strings.HasPrefix(p.To, "/login") {
				w.Errorf("%s %s: %d to %s for a stranger", method, path, p.Status, p.To)
			}
		}
		w.Pass(session.Fresh + time.Minute)
		w.otto.Get("/admin").Want(w.T, 200, "Betrieb")
		for _, path := range []string{w.base + "/secrets", w.base + "/edit", w.base + "/role", "/admin/chambers/new", w.base + "/claims-preview"} {
			w.otto.Get(path).Goes(w.T, "/account/confirm?next="+url.QueryEscape(path))
		}
		w.otto.Post(w.base+"/secrets", "do", "new", "days", "90").Goes(w.T, "/account/confirm?next=%2Fparked")
		if n := w.Count(`SELECT count(*) FROM application_secret`); n != 0 {
			w.Error(n, "secrets without a proof")
		}
	})
}

// R003: a new application is connected and changed without a program.
func TestR003Application(t *testing.T) {
	each(t, func(w *world) {
		p := w.otto.Post("/admin/apps/new", "client_id", "atlas", "client_name", "", "redirect_uris", "https://atlas.example/cb\r\n\r\n /relative", "auth_method", "client_secret_post", "alg", "ES256", "require_pkce", "1")
		p.Want(w.T, 422, "Geben Sie den Namen der Anwendung ein", "statt „/relative“")
		if !strings.Contains(p.Body, `value="atlas"`) || !strings.Contains(p.Body, "/relative</textarea>") {
			w.Error("what was typed is gone")
		}
		p = w.otto.Post("/admin/apps/new", "client_id", "atlas", "client_name", "Ausbildungsatlas", "redirect_uris", "https://atlas.example/cb\r\nhttps://atlas.example/cb2", "manual_uri", "https://atlas.example/help",
			"support", "help@atlas.example", "auth_method", "client_secret_post", "alg", "ES256", "require_pkce", "1")
		id := strings.TrimPrefix(p.To, "/admin/apps/")
		p.Goes(w.T, "/admin/apps/"+id)
		w.otto.Get(p.To).Want(w.T, 200, "Ausbildungsatlas", "https://atlas.example/cb2", "help@atlas.example", "client_secret_post, PKCE") // R223
		w.otto.Get("/admin").Want(w.T, 200, "Ausbildungsatlas: Geheimnis anlegen")
		w.otto.Post("/admin/apps/new", "client_id", "atlas", "client_name", "Noch einer", "auth_method", "none", "alg", "ES256").Want(w.T, 422, "Diese client_id hat schon eine andere Anwendung")

		// Two change at once: the second reads of it and loses nothing.
		change := func(p *portaltest.Person, name string) portaltest.Page {
			return p.Post("/admin/apps/"+id+"/edit", "version", "1", "client_name", name, "redirect_uris", "https://atlas.example/cb", "auth_method", "client_secret_basic", "alg", "RS256")
		}
		change(w.otto, "Atlas").Goes(w.T, "/admin/apps/"+id)
		change(w.olga, "Karte").Want(w.T, 409, "Inzwischen hat jemand diese Anwendung geändert")
		w.otto.Post("/admin/apps/"+id, "do", "disable").Goes(w.T, "/admin/apps/"+id)
		w.otto.Get("/admin/apps/"+id).Want(w.T, 200, "Niemand kommt in diese Anwendung", "Atlas")
		w.otto.Post("/admin/apps/"+id, "do", "enable").Goes(w.T, "/admin/apps/"+id)
		if w.records("application.registered") != 2 || w.records("application.changed") != 1 || w.records("application.disabled") != 1 || w.records("application.enabled") != 1 {
			w.Error("not recorded once each")
		}
		w.otto.Get("/admin/apps/"+db.NewID()).Want(w.T, 404)
	})
}

// The role catalogue: what it requires, excludes and ticks; order; a role that somebody holds stays.
func TestRoles(t *testing.T) {
	each(t, func(w *world) {
		w.otto.Post(w.base+"/role", "version", "1", "role", "", "name_de", "").Want(w.T, 422, "Jede Rolle braucht einen eigenen Schlüssel")
		w.otto.Post(w.base+"/role", "version", "1", "role", "trainer", "name_de", "Noch eine").Want(w.T, 422, "Diesen Schlüssel hat schon eine andere Rolle")
		w.otto.Post(w.base+"/role", "version", "1", "role", "examiner", "name_de", "Prüfer:in", "requires", "phr", "exclusive_with", "apprentice", "exclusive_with", "trainer", "invited", "1").Goes(w.T, w.base+"/roles")
		w.otto.Get(w.base+"/roles").Want(w.T, 200, "Prüfer:in", "verlangt Passkey", "bei Einladungen angekreuzt", "nicht zusammen mit: Ausbilder:in, Auszubildende:r")
		w.otto.Post(w.base+"/roles", "version", "2", "role", "examiner", "do", "up").Goes(w.T, w.base+"/roles")
		w.olga.Post(w.base+"/roles", "version", "2", "role", "examiner", "do", "up").Want(w.T, 409, "Inzwischen hat jemand diese Anwendung geändert")
		w.otto.Post(w.base+"/role?key=examiner", "version", "3", "name_de", "Prüfende Person", "requires", "", "exclusive_with", "trainer").Goes(w.T, w.base+"/roles")
		var roles []application.Role
		w.Write(func(tx *db.Tx) (err error) { roles, err = application.Catalogue(tx, w.app.ID); return err })
		if len(roles) != 3 || roles[1].Key != "examiner" || roles[1].NameDE != "Prüfende Person" || roles[1].Requires != "" || roles[1].Invited || strings.Join(roles[1].ExclusiveWith, " ") != "trainer" {
			w.Errorf("%+v", roles)
		}
		w.otto.Post(w.base+"/roles", "version", "4", "role", "apprentice", "do", "remove").Want(w.T, 409, "„apprentice“ ist noch vergeben")
		w.otto.Post(w.base+"/roles", "version", "4", "role", "trainer", "do", "remove").Goes(w.T, w.base+"/roles")
		w.otto.Get(w.base+"/role?key=trainer").Want(w.T, 404)
		w.otto.Get(w.base+"/holders?role=apprentice").Want(w.T, 200, "Eine Person hat diese Rolle", "Bäckerei Morgenrot")
		w.otto.Get(w.base+"/holders?role=trainer").Want(w.T, 404)
	})
}

var shown = regexp.MustCompile(`<p class="code code-small">([A-Za-z0-9_-]{43})</p>`)

// A secret is shown once, to who made it; two are active at most; each can be revoked.
func TestSecrets(t *testing.T) {
	each(t, func(w *world) {
		at := w.base + "/secrets"
		w.otto.Post(at, "do", "new", "days", "90").Goes(w.T, at)
		stolen := w.olga.Again()
		for name, value := range w.otto.Cookies { // the sealed cookie opens in no other session
			if name != "t_session" {
				stolen.Cookies[name] = value
			}
		}
		if p := stolen.Get(at); shown.MatchString(p.Body) {
			w.Error("another operator reads the secret")
		}
		p := w.otto.Get(at).Want(w.T, 200, "Es wird nur dieses eine Mal gezeigt")
		m := shown.FindStringSubmatch(p.Body)
		if m == nil {
			w.Fatal(p.Text)
		}
		if p := w.otto.Get(at); strings.Contains(p.Body, m[1]) || !strings.Contains(p.Text, "…"+m[1][39:]) {
			w.Error("it is shown twice, or not known by its end")
		}
		var group sync.WaitGroup
		for _, person := range []*portaltest.Person{w.otto, w.olga, w.otto.Again(), w.olga.Again()} {
			group.Go(func() { person.Post(at, "do", "new", "days", "0") })
		}
		group.Wait()
		if n := w.Count(`SELECT count(*) FROM application_secret WHERE revoked_at IS NULL`); n != 2 {
			w.Error(n, "secrets are active")
		}
		w.otto.Get(at).Want(w.T, 200, "Zwei Geheimnisse gelten")
		w.otto.Post(at, "do", "new", "days", "0").Want(w.T, 409, "Widerrufen Sie zuerst das ältere")
		var first string
		w.Write(func(tx *db.Tx) (err error) {
			first, err = db.Value[string](tx, `SELECT id FROM application_secret ORDER BY id LIMIT 1`)
			return err
		})
		w.otto.Post(at, "do", "revoke", "key", first).Goes(w.T, at)
		w.otto.Post(at, "do", "revoke", "key", first).Want(w.T, 409, "schon widerrufen")
		w.otto.Post(at, "do", "revoke", "key", db.NewID()).Want(w.T, 404)
		w.Pass(80 * 24 * time.Hour)
		if w.Count(`SELECT count(*) FROM audit WHERE detail LIKE '%' || $1 || '%'`, m[1]) != 0 {
			w.Error("the record holds a secret")
		}
	})
}

// A secret that ends soon is a task; so is what failed.
func TestOverview(t *testing.T) {
	each(t, func(w *world) {
		w.Write(func(tx *db.Tx) error {
			if _, _, err := application.NewSecret(tx, audit.Console, w.app.ID, 20); err != nil {
				return err
			}
			return application.Log(tx, []application.Event{{Application: w.app.ID, At: tx.Now(), Outcome: "authorize.redirect_uri", Reason: "application.differs_slash_missing", Sent: "https://book.example/c", Account: w.ids["lena"]}})
		})
		w.otto.Get("/admin").Want(w.T, 200, "Berichtsheft: Geheimnis austauschen", "gilt bis 22.11.2026", "Berichtsheft: Eine Anmeldung")
		w.otto.Get(w.base+"/log").Want(w.T, 200, "Unterscheidet sich am Ende: Es fehlt „/“", "https://book.example/c", "lena", "nicht gelungen")
		w.otto.Get(w.base+"/redirects?uri="+url.QueryEscape("https://book.example/cb/")).Want(w.T, 200, "Diese Adresse ist nicht eingetragen", "„/“ ist zu viel")
		w.otto.Get(w.base+"/redirects?uri="+url.QueryEscape("https://book.example/cb")).Want(w.T, 200, "Diese Adresse ist eingetragen")
	})
}

// The preview shows a person's claims by organization and scope; each look is on record.
func TestPreview(t *testing.T) {
	each(t, func(w *world) {
		at := w.base + "/claims-preview"
		w.otto.Post(at, "login", "nobody").Want(w.T, 422, "gibt es kein Konto")
		p := w.otto.Post(at, "login", "lena")
		if p.Status != 303 {
			w.Fatal(p.Text)
		}
		w.otto.Get(p.To).Want(w.T, 200, "Bäckerei Morgenrot", `"roles": [`, `"apprentice"`, `"email": "lena@example.org"`, `"chamber_number": "999"`)
		q := url.Values{"account": {w.ids["lena"]}, "organization": {w.organization}, "scope": {"openid"}}
		p = w.otto.Get(at+"?"+q.Encode()).Want(w.T, 200, `"sub": "`+w.ids["lena"]+`"`)
		if strings.Contains(p.Body, "lena@example.org") || strings.Contains(p.Text, `"roles"`) {
			w.Error("more than the scope allows")
		}
		q.Set("organization", "")
		w.otto.Get(at+"?"+q.Encode()).Want(w.T, 200, "Kein Code, kein Token")
		q.Set("organization", db.NewID())
		w.otto.Get(at+"?"+q.Encode()).Want(w.T, 404)
		if n := w.Count(`SELECT count(*) FROM audit WHERE event = 'claims.previewed' AND account = $1 AND actor = $2`, w.ids["lena"], w.ids["otto"]); n != 3 {
			w.Error("looks on record:", n)
		}
	})
}

// Chambers with validity and successor; the last day counts in the chambers' time.
func TestChambers(t *testing.T) {
	each(t, func(w *world) {
		w.otto.Post("/admin/chambers/new", "number", "99", "name", "", "valid_until", "morgen").Want(w.T, 422, "Geben Sie einen Tag ein")
		w.otto.Post("/admin/chambers/new", "number", "99", "name", "").Want(w.T, 422, "3 Ziffern", "Namen der Kammer")
		w.otto.Post("/admin/chambers/new", "number", "998", "name", "Kammer Nachbarland", "postcodes", "01, 02").Goes(w.T, "/admin/chambers")
		var old, next chamber.Chamber
		w.Write(func(tx *db.Tx) (err error) {
			if old, err = chamber.ByNumber(tx, "999"); err == nil {
				next, err = chamber.ByNumber(tx, "998")
			}
			return err
		})
		form := []string{"version", "1", "name", "Kammer Musterland", "postcodes", "00", "valid_until", "2026-12-31", "successor", next.ID, "phone", "0999 1234"}
		w.otto.Post("/admin/chambers/"+old.ID, form...).Goes(w.T, "/admin/chambers")
		w.olga.Post("/admin/chambers/"+old.ID, form...).Want(w.T, 409, "Inzwischen hat jemand")
		w.otto.Get("/admin/chambers").Want(w.T, 200, "gilt bis 31.12.2026, dann Kammer Nachbarland")
		w.otto.Get("/admin/chambers/"+old.ID).Want(w.T, 200, "999")
		w.Write(func(tx *db.Tx) (err error) { old, err = chamber.Get(tx, old.ID); return err })
		if got := old.ValidUntil.UTC().Format(time.RFC3339); got != "2026-12-31T23:00:00Z" {
			w.Error("the last day ends at", got)
		}
		w.otto.Get("/admin").Want(w.T, 200, "Kammer Musterland: Kammer läuft aus")
		w.Pass(61 * 24 * time.Hour)
		w.Write(func(tx *db.Tx) error {
			serving, err := chamber.Serving(tx, "00999", "")
			if len(serving) != 1 || serving[0].ID != next.ID {
				w.Errorf("after the last day %+v serves", serving)
			}
			return err
		})
	})
}

// Who becomes an operator signs in anew; the last one stays.
func TestUsers(t *testing.T) {
	each(t, func(w *world) {
		w.otto.Post("/admin/users", "do", "add", "login", "nobody@example.org").Want(w.T, 422, "gibt es kein Konto")
		w.otto.Post("/admin/users", "do", "add", "login", "nora").Goes(w.T, "/admin/users")
		w.nora.Get("/admin").Goes(w.T, "/login?next=%2Fadmin")
		w.signIn("nora").Get("/admin/users").Want(w.T, 200, "Nora Beispiel (Sie)")
		w.otto.Post("/admin/users", "do", "remove", "account", w.ids["olga"]).Goes(w.T, "/admin/users")
		w.olga.Get("/admin").Want(w.T, 403)
		w.otto.Post("/admin/users", "do", "remove", "account", w.ids["nora"]).Goes(w.T, "/admin/users")
		w.otto.Post("/admin/users", "do", "remove", "account", w.ids["otto"]).Want(w.T, 409, "Eine Person muss das Portal betreiben")
	})
}
