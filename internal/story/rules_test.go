package story_test

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/story"
)

// Rules that hold for every page, or for both portals together.

// footer is the line under every page of the identity portal, in this order.
var footer = []string{"Informationspflichten", "Nutzungshinweise", "Hilfe und Kontakt", "Datenschutzerklärung", "Impressum"}

var handlers = regexp.MustCompile(`(?i)<[^>]*\s(on[a-z]+|style)\s*=|javascript:`)

// scripted pages may run passkey.js, which no other way can do; each of them
// works without it, too.
var scripted = map[string]bool{
	"/login": true, "/login/second-factor": true, "/login/setup": true, "/account/confirm": true,
	"/account/security": true, "/account/security/passkeys": true, "/account/security/passkeys/new": true,
}

// drafted pages of the training portal may run drafts.js: what is written there
// without a connection stays on the device (decision 0025).
var drafted = regexp.MustCompile(`^/(offline|reports/[^/]+(/day/[^/]+|/check|/submitted)?)$`)

var script = regexp.MustCompile(`<script src="/assets/(passkey|drafts)\.[0-9a-f]+\.js" defer></script>`)

// R010, R012, R304, R305: the same frame around every page, and nothing of a
// page is a script, so that a company that forbids scripts shuts nobody out.
func TestR010FrameOfEveryPage(t *testing.T) {
	w := start(t, "sqlite", story.Options{Listen: "localhost:0"}) // where passkeys are possible
	seen, ran := 0, 0
	for _, key := range []string{"", "anna", "bert", "clara", "otto"} {
		v := newVisitor(t)
		if key != "" {
			v = as(t, w, key)
		}
		for _, place := range []struct {
			base   string
			routes []web.Route
		}{{w.Identity, w.ID.Mux.Routes}, {w.Training, w.Book.Mux.Routes}} {
			for _, route := range place.routes {
				method, to := fill(route.Pattern)
				if method != "GET" {
					continue
				}
				r, body := v.get(place.base + to)
				if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") || r.StatusCode >= 300 && r.StatusCode < 400 {
					continue
				}
				seen++
				policy, scripts := r.Header.Get("Content-Security-Policy"), "script-src 'none'"
				if place.base == w.Identity && scripted[to] || place.base == w.Training && drafted.MatchString(to) { // nothing else (decision 8)
					if without := script.ReplaceAllString(body, ""); without != body {
						body, scripts = without, "script-src 'self'; connect-src 'self'; base-uri 'none'"
						ran++
					}
				}
				if strings.Contains(strings.ToLower(body), "<script") || handlers.MatchString(body) {
					t.Errorf("%s, %s: a script or an inline style: %s", to, key, handlers.FindString(body))
				}
				if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src") && !strings.Contains(policy, scripts) {
					t.Errorf("%s lets scripts run: %s", to, policy)
				}
				if place.base != w.Identity {
					continue
				}
				at := strings.Index(body, "<footer")
				for _, want := range footer {
					next := strings.Index(body[max(at, 0):], ">"+want+"<")
					if at < 0 || next < 0 {
						t.Errorf("%s, %s: the footer lacks %s at its place", to, key, want)
						break
					}
					at += next
				}
				head, _, _ := strings.Cut(body, "</header>")
				for _, want := range []string{"Mitteilungen", "Abmelden", "Profil"} {
					if strings.Contains(head, want) != (key != "") {
						t.Errorf("%s, %q: %s in the head", to, key, want)
					}
				}
			}
		}
	}
	if ran == 0 || ran > 20 {
		t.Errorf("%d pages run a script", ran)
	}
	if seen < 60 {
		t.Errorf("only %d pages seen", seen)
	}
	v := newVisitor(t)
	_, body := v.get(w.Identity + "/login")
	_, foot, _ := strings.Cut(body, "<footer")
	links := regexp.MustCompile(`<a href="(/[^"?]*)"`).FindAllStringSubmatch(foot, -1)
	if len(links) < len(footer) {
		t.Errorf("only %d links in the footer", len(links))
	}
	for _, link := range links {
		if r, _ := v.get(w.Identity + link[1]); r.StatusCode != http.StatusOK {
			t.Errorf("%s in the footer leads to %d", link[1], r.StatusCode)
		}
	}
}

// R013: the page to sign in carries the mark, a way to the start and a heading.
func TestR013SignInPage(t *testing.T) {
	w := start(t, "sqlite", story.Options{})
	_, body := newVisitor(t).get(w.Identity + "/login")
	for _, want := range []string{`<img class="mark"`, `<a href="/">Zur Startseite</a>`, "<h1>Anmelden</h1>"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

// men are words for people that leave some out. The colon form, neutral words
// and words that are no persons ("Benutzername") do not match.
var men = regexp.MustCompile(`(?:^|[^\pL])((?:Ausbilder|Ausbildern|Administrator|Administratoren|Mitarbeiter|Mitarbeitern|Nutzer|Nutzern|Benutzer|Benutzern|Sachbearbeiter|Antragsteller|Bearbeiter|Ansprechpartner|Prüfer|Inhaber|Kunden|Anwender)(?:s|n)?)(?:[^\pL:*-]|$)`)

// R014: the German phrases and mails mean people of every gender.
func TestR014EverybodyIsMeant(t *testing.T) {
	if !men.MatchString("Fragen Sie Ihren Administrator.") || men.MatchString("Ausbilder:innen und der Benutzername") {
		t.Fatal("the pattern is broken")
	}
	seen := 0
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, d fs.DirEntry, err error) error {
		german := path.Base(name) == "de.json" || strings.HasSuffix(name, ".de.txt")
		if err != nil || d.IsDir() || !german {
			return err
		}
		b, err := os.ReadFile("../" + name)
		if err != nil {
			return err
		}
		seen++
		texts := map[string]any{name: string(b)}
		if path.Base(name) == "de.json" {
			if err := json.Unmarshal(b, &texts); err != nil {
				return err
			}
		}
		for key, text := range texts {
			if found := men.FindStringSubmatch(strings.TrimSpace(strings.Join(said(text), " "))); found != nil {
				t.Errorf("%s, %s: „%s“ leaves people out", name, key, found[1])
			}
		}
		return nil
	})
	if err != nil || seen < 20 {
		t.Fatal(seen, err)
	}
}

// said is a phrase's text, or its texts for one and for many.
func said(phrase any) (texts []string) {
	switch p := phrase.(type) {
	case string:
		texts = append(texts, p)
	case map[string]any:
		for _, v := range p {
			texts = append(texts, said(v)...)
		}
	}
	return texts
}

// R017 (W03): everybody with an account may begin to register a company, which
// makes them no administrator yet; strangers sign in first.
func TestR017WhoMayRegisterACompany(t *testing.T) {
	w := start(t, "sqlite", story.Options{})
	if r, _ := newVisitor(t).get(w.Identity + "/organizations/register"); r.StatusCode != http.StatusSeeOther || !strings.Contains(r.Header.Get("Location"), "/login") {
		t.Error("a stranger is not sent to sign in:", r.StatusCode)
	}
	for _, key := range []string{"anna", "lena", "bert"} {
		if r, body := as(t, w, key).get(w.Identity + "/organizations/register"); r.StatusCode != http.StatusOK || !strings.Contains(body, "Organisationskonto erstellen") {
			t.Errorf("%s cannot register a company: %d", key, r.StatusCode)
		}
	}
}

// R004, R067, R237: who wants to keep a report book asks the company, its
// administrator lets them in with the role, and the application opens; it is
// open for members of active companies only.
func TestR237ReportBookByWayOfJoining(t *testing.T) {
	w := start(t, "sqlite", story.Options{})
	anna, bert := as(t, w, "anna"), as(t, w, "bert")
	in := func(v *visitor) bool {
		r, _ := v.follow(w.Training + "/reports")
		return strings.HasPrefix(r.Request.URL.String(), w.Training+"/reports")
	}
	if in(anna) {
		t.Fatal("Anna is in without a company")
	}
	request := w.Identity + "/requests/" + value(t, w.IdentityDB, `SELECT r.id FROM request r JOIN account a ON a.id = r.applicant WHERE a.username = 'anna.amsel'`)
	if _, body := bert.get(request); !strings.Contains(text(body), "Berichtsheft") {
		t.Error("the request does not say what for")
	}
	bert.post(request+"/claim", nil)
	if r, body := bert.post(request+"/approve", url.Values{"roles": {value(t, w.IdentityDB, `SELECT application || ' ' || role FROM application_role WHERE role = 'apprentice'`)}}); r.StatusCode != http.StatusSeeOther {
		t.Fatal("not approved", r.StatusCode, text(body))
	}
	if !in(anna) {
		t.Error("Anna has the role and does not get in")
	}
	lena := as(t, w, "lena")
	if err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE organization SET state = 'closed'`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if in(lena) {
		t.Error("Lena gets in for a company that is closed")
	}
}

// R008 R009: help beside a field opens at an info icon, in the page itself.
func TestR009HelpAtTheField(t *testing.T) {
	w := start(t, "sqlite", story.Options{})
	_, body := as(t, w, "nora").get(w.Identity + "/organizations/register")
	for _, field := range []string{"ident_number", "register_number"} { // R086, R087
		_, rest, ok := strings.Cut(body, `id="`+field+`"`)
		help, _, closed := strings.Cut(rest, "</details>")
		if !ok || !closed || !strings.Contains(help, `<details class="help"><summary>`) || !strings.Contains(help, "#info") || !strings.Contains(help, `id="`+field+`-help"`) {
			t.Errorf("%s has no help behind an info icon", field)
		}
	}
	if !strings.Contains(body, "Mitgliedsnummer (= Identnummer)") || !strings.Contains(body, "E-Mail-Signatur") {
		t.Error("the help does not say where the numbers stand")
	}
}
