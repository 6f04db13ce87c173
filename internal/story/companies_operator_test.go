package story_test

import (
	"net/url"
	"regexp"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/story"
)

// sure proves, where a page asks for it, that it is them: with a code by mail.
func (p *person) sure() {
	p.t.Helper()
	if u, err := url.Parse(p.URL()); err == nil && u.Path == "/account/confirm" {
		p.proves(1)
	}
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
	w := start(t, "sqlite", story.Options{})
	book := "/admin/apps/" + oneID(t, w, `SELECT id FROM application WHERE client_id = 'training'`)
	km := "/admin/chambers/" + oneID(t, w, `SELECT id FROM chamber`)
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

var secretShown = regexp.MustCompile(`\b[A-Za-z0-9_-]{43}\b`)
