package story_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/chamber"
	"zunft/internal/story"
)

// sure proves, where a page asks for it, that it is them: with a code by mail,
// the next after those they have had.
func (p *person) sure() {
	p.t.Helper()
	if u, err := url.Parse(p.URL()); err != nil || u.Path != "/account/confirm" {
		return
	}
	had, err := p.w.Mail.Wait(p.t.Context(), p.w.Person(p.key).Email, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	codes := 0
	for _, m := range had {
		if strings.HasPrefix(m.Subject, "Ihr Einmal-Passwort") {
			codes++
		}
	}
	p.proves(codes + 1)
}

// oneID reads an id from the identity portal's database.
func oneID(t *testing.T, w *story.World, query string, args ...any) (id string) {
	t.Helper()
	err := w.IdentityDB.Read(t.Context(), func(tx *db.Tx) (err error) { id, err = db.Value[string](tx, query, args...); return err })
	if err != nil {
		t.Fatal(query, err)
	}
	return id
}

// Every page and state of the operator.
func TestGalleryOperator(t *testing.T) {
	t.Parallel() // they meet nobody: two look at once, on two cores
	w := start(t, "sqlite", story.Options{})
	book := "/admin/apps/" + oneID(t, w, `SELECT id FROM application WHERE client_id = 'training'`)
	km, gone := "/admin/chambers/"+oneID(t, w, `SELECT id FROM chamber`), ""
	me := oneID(t, w, `SELECT id FROM account WHERE username = 'otto.ostermann'`)
	// Something for the log.
	lena := as(t, w, "lena")
	lena.get(w.Identity + "/oauth2/authorize?client_id=training&response_type=code&scope=openid&redirect_uri=" + url.QueryEscape(w.Training+"/oidc/callback/"))
	lena.get(w.Identity + "/oauth2/authorize?client_id=training&response_type=code&scope=profile&redirect_uri=" + url.QueryEscape(w.Training+"/oidc/callback"))
	otto := walks(t, w, "otto")
	otto.signIn()
	look := func(name, path string) {
		t.Helper()
		otto.Open(w.Identity + path)
		otto.sure()
		otto.Inspect("operator-" + name)
	}
	look("overview", "/admin")
	look("chambers", "/admin/chambers")
	look("chamber", km)
	look("takeover-early", km+"/takeover")
	if err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error { // one that has ended, and what it left
		next, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: "998", Name: "Kammer Neuland"})
		if err != nil {
			return err
		}
		old, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: "997", Name: "Kammer Altland", ValidUntil: tx.Now().Add(-time.Hour), Successor: next.ID})
		if err != nil {
			return err
		}
		gone = "/admin/chambers/" + old.ID
		return chamber.AddStaff(tx, audit.Console, me, old.ID, chamber.Clerk)
	}); err != nil {
		t.Fatal(err)
	}
	look("chamber-ended", gone)
	look("takeover", gone+"/takeover")
	look("chamber-new", "/admin/chambers/new")
	otto.Fill("Kammernummer", "99")
	otto.Press("Speichern")
	otto.Inspect("operator-chamber-mistakes")
	look("apps", "/admin/apps")
	look("app", book)
	look("app-edit", book+"/edit")
	look("app-new", "/admin/apps/new")
	otto.Fill("redirect_uris", "/callback")
	otto.Press("Speichern")
	otto.Inspect("operator-app-mistakes")
	look("roles", book+"/roles")
	look("role", book+"/role?key=trainer")
	look("role-new", book+"/role")
	otto.Press("Speichern")
	otto.Inspect("operator-role-mistakes")
	look("holders", book+"/holders?role=apprentice")
	look("holders-none", book+"/holders?role=examiner")
	look("redirects", book+"/redirects")
	otto.Fill("Gesendete redirect_uri", w.Training+"/oidc/callback/")
	otto.Press("Prüfen")
	otto.HasText("„/“ ist zu viel")
	otto.Inspect("operator-redirects-differs")
	look("redirects-fits", book+"/redirects?uri="+url.QueryEscape(w.Training+"/oidc/callback"))
	look("secrets", book+"/secrets")
	otto.Press("Geheimnis anlegen")
	otto.Inspect("operator-secret-new")
	look("secrets-two", book+"/secrets")
	look("preview", book+"/claims-preview")
	otto.Press("Anzeigen")
	otto.Inspect("operator-preview-nobody")
	otto.Fill("Benutzername oder E-Mail-Adresse", "lena.lerche")
	otto.Press("Anzeigen")
	otto.HasText("Bäckerei Morgenrot")
	otto.Inspect("operator-preview-lena")
	otto.Fill("Benutzername oder E-Mail-Adresse", "nora.nagel")
	otto.Press("Anzeigen")
	otto.Inspect("operator-preview-refused")
	look("log", book+"/log")
	look("log-failed", book+"/log?only=failed")
	look("users", "/admin/users")
	otto.Press("Aufnehmen")
	otto.Inspect("operator-users-nobody")
	look("english", "/admin?lang=en")
	look("english-app", book)
	look("english-secrets", book+"/secrets")
	clara := walks(t, w, "clara")
	clara.signIn()
	clara.Open(w.Identity + "/admin")
	clara.Inspect("operator-forbidden")
}

var secretShown = regexp.MustCompile(`(?m)^[A-Za-z0-9_-]{43}$`)

// Otto connects an application without a program and without a pause, and reads
// why a sign-in did not work; in a browser with scripts off.
//
// R003 R223
func TestOperator(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		const callback = "https://atlas.example/callback"
		otto := walks(t, w, "otto")
		otto.signIn()
		otto.Follow("Betrieb")
		otto.Follow("Anwendungen")
		otto.Follow("Anwendung anbinden")
		otto.sure()
		otto.Fill("client_id", "atlas")
		otto.Fill("Name", "Ausbildungsatlas")
		otto.Fill("Fragen zur Anwendung", "hilfe@atlas.example")
		otto.Fill("redirect_uris", callback)
		otto.Choose("Geheimnis im Formular (client_secret_post)")
		otto.Press("Speichern")
		otto.HasText("Ausbildungsatlas ist angebunden")
		otto.HasText("hilfe@atlas.example")
		otto.Follow("Geheimnisse")
		secret := func() string {
			t.Helper()
			otto.Press("Geheimnis anlegen")
			otto.HasText("Es wird nur dieses eine Mal gezeigt.")
			shown := secretShown.FindString(otto.Text())
			if shown == "" {
				t.Fatal("no secret on the page:", otto.Text())
			}
			nowhereInDatabase(t, w.IdentityDB, shown)
			return shown
		}
		first := secret()

		// Lena signs in there; the application has a slash too many, then not.
		lena := as(t, w, "lena")
		verifier := strings.Repeat("v", 43)
		sum := sha256.Sum256([]byte(verifier))
		ask := func(redirect string) (*http.Response, string) {
			return lena.get(w.Identity + "/oauth2/authorize?" + url.Values{
				"client_id": {"atlas"}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {"openid profile"},
				"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
			}.Encode())
		}
		signsIn := func(secret string) int {
			t.Helper()
			r, body := ask(callback)
			to, err := url.Parse(r.Header.Get("Location"))
			if err != nil || to.Query().Get("code") == "" {
				t.Fatal(r.Status, to, body)
			}
			r, _ = newVisitor(t).post(w.Identity+"/oauth2/token", url.Values{
				"grant_type": {"authorization_code"}, "code": {to.Query().Get("code")}, "redirect_uri": {callback},
				"code_verifier": {verifier}, "client_id": {"atlas"}, "client_secret": {secret},
			})
			return r.StatusCode
		}
		if r, _ := ask(callback + "/"); r.StatusCode != http.StatusBadRequest {
			t.Error("a redirect URI with a slash too many:", r.Status)
		}
		answers := func(secret string, status int) { // a change holds within a second
			t.Helper()
			for deadline := time.Now().Add(15 * time.Second); ; {
				got := signsIn(secret)
				if got == status {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("the token endpoint answers %d, want %d", got, status)
				}
			}
		}
		answers(first, http.StatusOK)

		// The log says why, the tester says the same.
		otto.Follow("Ausbildungsatlas")
		otto.Follow("Ereignisse")
		otto.HasText("Unterscheidet sich am Ende: „/“ ist zu viel")
		otto.HasText(callback + "/")
		otto.HasText("lena.lerche")
		otto.Follow("Ausbildungsatlas")
		otto.Follow("redirect_uri prüfen")
		otto.Fill("Gesendete redirect_uri", callback+"/")
		otto.Press("Prüfen")
		otto.HasText("Unterscheidet sich am Ende: „/“ ist zu viel")
		otto.Fill("Gesendete redirect_uri", callback)
		otto.Press("Prüfen")
		otto.HasText("Diese Adresse ist eingetragen")

		// The secret is exchanged without a pause.
		otto.Follow("Ausbildungsatlas")
		otto.Follow("Geheimnisse")
		second := secret()
		answers(second, http.StatusOK)
		answers(first, http.StatusOK)
		otto.HasText("Zwei Geheimnisse gelten.")
		otto.In("…" + first[39:]).Press("Widerrufen")
		otto.HasText("Es öffnet nichts mehr.")
		answers(first, http.StatusUnauthorized)
		answers(second, http.StatusOK)

		// A role: from now on only who has it gets in (R029).
		otto.Follow("Ausbildungsatlas")
		otto.Follow("Rollen")
		otto.Follow("Rolle anlegen")
		otto.Fill("Schlüssel", "viewer")
		otto.Fill("Name (Deutsch)", "Betrachter:in")
		otto.Choose("Einen zweiten Faktor")
		otto.Press("Speichern")
		otto.HasText("verlangt zweiten Faktor")
		if r, _ := ask(callback); !strings.Contains(r.Header.Get("Location"), "/authorize/no-access") {
			t.Error("without the role:", r.Header.Get("Location"))
		}
		otto.Follow("Ausbildungsatlas")
		otto.Follow("Claims-Vorschau")
		otto.Fill("Benutzername oder E-Mail-Adresse", "lena@example.org")
		otto.Press("Anzeigen")
		otto.HasText("Kein Code, kein Token")
		otto.HasText("Lena Lerche")

		// Off is off.
		otto.Follow("Ausbildungsatlas")
		otto.Press("Abschalten")
		otto.HasText("Niemand kommt in diese Anwendung")
		if r, _ := ask(callback); r.StatusCode != http.StatusBadRequest {
			t.Error("switched off:", r.Status)
		}

		// A chamber with a successor.
		otto.Follow("Kammern")
		otto.Follow("Kammer anlegen")
		otto.Fill("Kammernummer", "998")
		otto.Fill("Name", "Kammer Nachbarland")
		otto.Press("Speichern")
		otto.Follow("Kammer Musterland")
		otto.Fill("Letzter Tag", "2030-12-31")
		otto.Choose("998 Kammer Nachbarland")
		otto.Press("Speichern")
		otto.HasText("gilt bis 31.12.2030, dann Kammer Nachbarland")
	})
}
