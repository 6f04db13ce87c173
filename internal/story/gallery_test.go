package story_test

import (
	"fmt"
	"testing"
	"time"

	"zunft/internal/ground/browser"
	"zunft/internal/ground/db"
	groundmail "zunft/internal/ground/mail"
	"zunft/internal/story"
)

// Every page as the people of the story see it: axe finds nothing in light and
// dark, nothing scrolls sideways at 320 px; with ZUNFT_SHOTS there are
// pictures at 360 and 1280 px (make gallery). Scripts are off.
func TestGallery(t *testing.T) {
	w := start(t, "sqlite", story.Options{})
	id := func(query string, args ...any) (id string) {
		t.Helper()
		err := w.IdentityDB.Read(t.Context(), func(tx *db.Tx) (err error) { id, err = db.Value[string](tx, query, args...); return err })
		if err != nil {
			t.Fatal(query, err)
		}
		return id
	}
	bakery := "/organizations/" + id(`SELECT id FROM organization WHERE ident_number = '100017'`)
	annas := "/requests/" + id(`SELECT id FROM request LIMIT 1`)
	fridas := id(`SELECT id FROM registration WHERE state = 'submitted'`)

	look := func(person string, pages ...[2]string) {
		t.Run(person, func(t *testing.T) {
			p := walks(t, w, person)
			if person != "stranger" {
				p.signIn()
			}
			for _, page := range pages {
				p.Open(page[1])
				p.Inspect(person + "-" + page[0])
			}
		})
	}
	look("stranger",
		[2]string{"start", w.Identity + "/"}, [2]string{"login", w.Identity + "/login"}, [2]string{"register", w.Identity + "/register"},
		[2]string{"verify", w.Identity + "/register/verify"}, [2]string{"recover", w.Identity + "/recover/password"}, [2]string{"confirm-unknown", w.Identity + "/confirm/nothing"},
		[2]string{"logged-out", w.Identity + "/logged-out"}, [2]string{"nowhere", w.Identity + "/nowhere"},
		[2]string{"duties", w.Identity + "/information-duties"}, [2]string{"help", w.Identity + "/help"}, [2]string{"imprint", w.Identity + "/imprint"},
		[2]string{"training", w.Training + "/"}, [2]string{"training-nowhere", w.Training + "/nowhere"}, [2]string{"training-help", w.Training + "/help"},
		[2]string{"english", w.Identity + "/?lang=en"})
	look("anna",
		[2]string{"dashboard", w.Identity + "/"}, [2]string{"requests", w.Identity + "/requests"}, [2]string{"request", w.Identity + annas}, [2]string{"join", w.Identity + "/organizations/join"},
		[2]string{"no-access", w.Training + "/reports"}, [2]string{"notifications", w.Identity + "/notifications"}, [2]string{"account", w.Identity + "/account"})
	look("nora",
		[2]string{"dashboard", w.Identity + "/"}, [2]string{"register", w.Identity + "/organizations/register"}, [2]string{"activate", w.Identity + "/organizations/activate"}, [2]string{"no-access", w.Training + "/reports"})
	look("frida",
		[2]string{"dashboard", w.Identity + "/"}, [2]string{"registration", w.Identity + "/organizations/registrations/" + fridas})
	look("bert",
		[2]string{"dashboard", w.Identity + "/"}, [2]string{"organization", w.Identity + bakery}, [2]string{"members", w.Identity + bakery + "/members"}, [2]string{"requests", w.Identity + bakery + "/requests"},
		[2]string{"request", w.Identity + annas}, [2]string{"roles", w.Identity + bakery + "/roles"}, [2]string{"leave", w.Identity + bakery + "/leave"}, [2]string{"notifications", w.Identity + "/notifications"},
		[2]string{"no-access", w.Training + "/reviews"})
	look("clara",
		[2]string{"dashboard", w.Identity + "/"}, [2]string{"desk", w.Identity + "/chamber"}, [2]string{"registrations", w.Identity + "/chamber/registrations"}, [2]string{"registration", w.Identity + "/chamber/registrations/" + fridas},
		[2]string{"letters", w.Identity + "/chamber/letters"}, [2]string{"directory", w.Identity + "/chamber/directory"}, [2]string{"audit", w.Identity + "/chamber/audit"})
	look("lena", [2]string{"start", w.Training + "/"}, [2]string{"reports", w.Training + "/reports"})
	look("murat", [2]string{"start", w.Training + "/"}, [2]string{"reviews", w.Training + "/reviews"}, [2]string{"trainees", w.Training + "/trainees"})

	// States that only come from doing: forms with mistakes, and what follows.
	t.Run("states", func(t *testing.T) {
		p := walks(t, w, "stranger")
		p.Open(w.Identity + "/login")
		p.Press("Anmelden")
		p.Inspect("state-login-mistakes")
		p.Open(w.Identity + "/register")
		p.Press("Weiter")
		p.Inspect("state-register-mistakes")
		p.register("Greta", "Grün", "greta", "greta@example.org")
		p.Inspect("state-register-code")
		p.Press("E-Mail-Adresse bestätigen")
		p.Inspect("state-register-code-mistake")
		p.Open(link(t, mail(t, w, "greta@example.org", "Bestätigungscode"), "/confirm/"))
		p.Inspect("state-confirm")
		p.Press("E-Mail-Adresse bestätigen")
		p.Inspect("state-confirmed")
		p.Open(w.Identity + "/recover/password")
		p.Fill("Benutzername oder E-Mail-Adresse", "greta@example.org")
		p.Press("Absenden")
		p.Inspect("state-recover-asked")
		p.Open(link(t, mail(t, w, "greta@example.org", "Passwort"), "/recover/password/"))
		p.Inspect("state-recover")
	})
	t.Run("register", func(t *testing.T) {
		p := walks(t, w, "nora")
		p.signIn()
		p.Open(w.Identity + "/organizations/register")
		p.Press("Weiter")
		p.Inspect("state-company-mistakes")
		p.Fill("Firmierung", "Tischlerei Nagel & Söhne GmbH & Co. KG")
		p.Choose("GmbH & Co. KG")
		p.Fill("Straße", "Hobelstr.")
		p.Fill("Hausnummer", "7")
		p.Fill("PLZ", "00997")
		p.Fill("Ort", "Neu Muster")
		p.Fill("Bitte begründen Sie Ihren Antrag.", "Ich führe die Geschäfte.")
		p.Press("Weiter")
		p.Inspect("state-company-check")
		p.Press("Absenden")
		p.Inspect("state-company-done")
	})
	t.Run("desk", func(t *testing.T) {
		p := walks(t, w, "clara")
		p.signIn()
		p.Open(w.Identity + "/chamber/registrations/" + fridas)
		p.Press("Mir zuweisen")
		p.Inspect("state-case-mine")
		p.Press("Freigeben und Brief vormerken")
		p.Inspect("state-case-mistake")
		p.Choose("Brief")
		p.Press("Freigeben und Brief vormerken")
		p.Inspect("state-case-approved")
		p.Open(w.Identity + "/chamber/letters")
		p.Inspect("state-letters-waiting")
		p.Press("1 Brief an die Druckerei geben")
		p.Inspect("state-batch")
		p.Press("Als versandt markieren")
		p.Inspect("state-batch-dispatched")
	})
	t.Run("join", func(t *testing.T) {
		p := walks(t, w, "bert")
		p.signIn()
		p.Open(w.Identity + annas)
		p.Press("Mir zuweisen")
		p.Press("ablehnen")
		p.Inspect("state-request-mistake")
		p.Choose("Auszubildende:r")
		p.Press("genehmigen")
		p.Inspect("state-request-approved")
	})
	t.Run("book", func(t *testing.T) {
		lena := walks(t, w, "lena")
		lena.signIn()
		lena.Open(w.Training + "/reports")
		_, n := time.Now().In(groundmail.Berlin).ISOWeek()
		lena.Follow(fmt.Sprint("Woche ", n))
		lena.Inspect("state-week")
		lena.Press("Prüfen und einreichen")
		lena.Inspect("state-week-mistake")
		lena.Fill("Betriebliche Tätigkeiten", "Sauerteig angesetzt, Brötchen geformt, Kasse gemacht.")
		lena.Press("Prüfen und einreichen")
		lena.Inspect("state-week-check")
		lena.Press("Jetzt einreichen")
		lena.Inspect("state-week-submitted")
		murat := walks(t, w, "murat")
		murat.signIn()
		murat.Open(w.Training + "/reviews")
		murat.Inspect("state-queue")
		murat.Follow("Lena Lerche")
		murat.Inspect("state-review")
		murat.Press("Zurückgeben")
		murat.Inspect("state-review-mistake")
		murat.Press("Abzeichnen")
		murat.Inspect("state-queue-done")
	})
	t.Run("outside", func(t *testing.T) {
		p := browser.New(t, browser.Options{})
		for name, path := range map[string]string{"start": "/", "mail": "/mail", "letters": "/letters"} {
			p.Open(w.Mailbox + path)
			p.Inspect("outside-" + name)
		}
	})
}
