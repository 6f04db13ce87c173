package story_test

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
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
	t.Parallel() // they meet nobody: two look at once, on two cores
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

	// Pages as they stand; the people do not meet here, so their windows are open at once.
	t.Run("pages", func(t *testing.T) {
		look := func(person string, pages ...string) {
			t.Run(person, func(t *testing.T) {
				t.Parallel()
				p := walks(t, w, person)
				if person != "stranger" {
					p.signIn()
				}
				for _, page := range pages {
					name, address, _ := strings.Cut(page, " ")
					p.Open(address)
					p.Inspect(person + "-" + name)
				}
			})
		}
		look("stranger", "start "+w.Identity+"/", "login "+w.Identity+"/login", "register "+w.Identity+"/register",
			"verify "+w.Identity+"/register/verify", "recover "+w.Identity+"/recover/password", "confirm-unknown "+w.Identity+"/confirm/nothing",
			"recover-unknown "+w.Identity+"/recover/password/nothing", "logged-out "+w.Identity+"/logged-out", "nowhere "+w.Identity+"/nowhere",
			"duties "+w.Identity+"/information-duties", "terms "+w.Identity+"/terms-of-use", "help "+w.Identity+"/help", "privacy "+w.Identity+"/privacy",
			"imprint "+w.Identity+"/imprint", "accessibility "+w.Identity+"/accessibility", "application-unknown "+w.Identity+"/oauth2/authorize?client_id=nobody",
			"training "+w.Training+"/", "training-nowhere "+w.Training+"/nowhere", "training-help "+w.Training+"/help", "training-imprint "+w.Training+"/imprint",
			"english "+w.Identity+"/?lang=en", "english-login "+w.Identity+"/login", "english-register "+w.Identity+"/register", "english-nowhere "+w.Identity+"/nowhere")
		look("anna", "dashboard "+w.Identity+"/", "requests "+w.Identity+"/requests", "request "+w.Identity+annas, "no-access "+w.Training+"/reports",
			"notifications "+w.Identity+"/notifications", "account "+w.Identity+"/account", "english "+w.Identity+"/?lang=en", "english-request "+w.Identity+annas)
		look("nora", "dashboard "+w.Identity+"/", "register "+w.Identity+"/organizations/register", "join "+w.Identity+"/organizations/join",
			"activate "+w.Identity+"/organizations/activate", "requests "+w.Identity+"/requests")
		look("frida", "dashboard "+w.Identity+"/", "registration "+w.Identity+"/registrations/"+fridas)
		look("bert", "dashboard "+w.Identity+"/", "organization "+w.Identity+bakery, "members "+w.Identity+bakery+"/members", "members-none "+w.Identity+bakery+"/members?q=nobody",
			"requests "+w.Identity+bakery+"/requests", "request "+w.Identity+annas, "roles "+w.Identity+bakery+"/roles", "leave "+w.Identity+bakery+"/leave",
			"notifications "+w.Identity+"/notifications", "no-access "+w.Training+"/reviews", "english "+w.Identity+"/?lang=en", "english-members "+w.Identity+bakery+"/members")
		look("clara", "dashboard "+w.Identity+"/", "desk "+w.Identity+"/chamber", "registrations "+w.Identity+"/chamber/registrations",
			"registrations-none "+w.Identity+"/chamber/registrations?status=mine", "registration "+w.Identity+"/chamber/registrations/"+fridas,
			"letters "+w.Identity+"/chamber/letters", "directory "+w.Identity+"/chamber/directory",
			"forbidden "+w.Identity+bakery, "english-registration "+w.Identity+"/chamber/registrations/"+fridas+"?lang=en")
		look("lena", "reports "+w.Training+"/reports", "start "+w.Training+"/", "dashboard "+w.Identity+"/", "organization "+w.Identity+bakery, "roles "+w.Identity+bakery+"/roles", "leave "+w.Identity+bakery+"/leave")
		look("murat", "reviews "+w.Training+"/reviews", "trainees "+w.Training+"/trainees", "start "+w.Training+"/")
	})

	// States that only come from doing: forms with mistakes, and what follows.
	// Each story has its own people.
	t.Run("doing", func(t *testing.T) {
		for name, story := range map[string]func(*testing.T){
			"account": func(t *testing.T) { galleryOfAccount(t, w) }, "company": func(t *testing.T) { galleryOfCompany(t, w, fridas) },
			"joining": func(t *testing.T) { galleryOfJoining(t, w, bakery, annas) }, "book": func(t *testing.T) { galleryOfBook(t, w) },
		} {
			t.Run(name, func(t *testing.T) { t.Parallel(); story(t) })
		}
	})
	t.Run("outside", func(t *testing.T) {
		p := browser.New(t, browser.Options{})
		for name, path := range map[string]string{"start": "/", "mail": "/mail", "letters": "/letters"} {
			p.Open(w.Mailbox + path)
			p.Inspect("outside-" + name)
		}
	})
}

func galleryOfAccount(t *testing.T, w *story.World) {
	p := walks(t, w, "stranger")
	p.Open(w.Identity + "/login")
	p.Press("Anmelden")
	p.Inspect("state-login-mistakes")
	p.Open(w.Identity + "/register")
	p.Press("Weiter")
	p.Inspect("state-register-mistakes")
	p.fillIn("Greta", "Grün", "greta", "greta@example.org")
	p.Inspect("state-register-terms")
	p.Press("Registrierung abschicken")
	p.Inspect("state-register-terms-mistake")
	p.Choose("Ich akzeptiere die Informationspflichten.")
	p.Press("Registrierung abschicken")
	p.Inspect("state-register-code")
	p.Press("E-Mail-Adresse bestätigen")
	p.Inspect("state-register-code-mistake")
	other := walks(t, w, "stranger")
	other.Open(w.Identity + "/login")
	other.Fill("Benutzername", "greta@example.org")
	other.Fill("Passwort", story.Password)
	other.Press("Anmelden")
	other.Inspect("state-login-unconfirmed")
	p.Open(link(t, mail(t, w, "greta@example.org", "Bestätigungscode"), "/confirm/"))
	p.Inspect("state-confirm")
	p.Press("E-Mail-Adresse bestätigen")
	p.Inspect("state-confirmed")
	p.Back()
	p.Reload()
	p.Inspect("state-confirm-used")
	p.Open(w.Identity + "/recover/password")
	p.Fill("Benutzername oder E-Mail-Adresse", "greta@example.org")
	p.Press("Absenden")
	p.Inspect("state-recover-asked")
	p.Open(link(t, mail(t, w, "greta@example.org", "Passwort"), "/recover/password/"))
	p.Inspect("state-recover")
	v := newVisitor(t)
	for range 20 {
		v.post(w.Identity+"/login", url.Values{"username": {"greta"}, "password": {"Ganz anders geraten 1"}})
	}
	p.Open(w.Identity + "/login")
	p.Fill("Benutzername", "greta")
	p.Fill("Passwort", "Ganz anders geraten 1")
	p.Press("Anmelden")
	p.Inspect("state-login-limited")
}

func galleryOfCompany(t *testing.T, w *story.World, fridas string) {
	nora, frida, clara := walks(t, w, "nora"), walks(t, w, "frida"), walks(t, w, "clara")
	nora.signIn()
	nora.Open(w.Identity + "/organizations/register")
	nora.Press("Weiter")
	nora.Inspect("state-company-mistakes")
	nora.Fill("Firmierung", "Tischlerei Nagel & Söhne GmbH & Co. KG")
	nora.Choose("GmbH & Co. KG")
	nora.Fill("Straße", "Hobelstr.")
	nora.Fill("Hausnummer", "7")
	nora.Fill("PLZ", "00997")
	nora.Fill("Ort", "Neu Muster")
	nora.Fill("Bitte begründen Sie Ihren Antrag.", "Ich führe die Geschäfte.")
	nora.Press("Weiter")
	nora.Inspect("state-company-check")
	nora.Press("Absenden")
	nora.Inspect("state-company-done")
	clara.signIn()
	clara.Open(w.Identity + "/chamber/registrations/" + fridas)
	clara.Press("Mir zuweisen")
	clara.Inspect("state-case-mine")
	clara.Press("Freigeben und Brief vormerken")
	clara.Inspect("state-case-mistake")
	clara.Press("Antrag ablehnen")
	clara.Press("Ablehnen")
	clara.Inspect("state-case-refuse-mistake")
	clara.Press("Rückfrage stellen")
	clara.Fill("Ihre Rückfrage", "Welche Hausnummer stimmt: 12 oder 12a?")
	clara.Press("Rückfrage")
	clara.Inspect("state-case-asked")
	frida.signIn()
	frida.Inspect("state-dashboard-question")
	frida.Open(w.Identity + "/registrations/" + fridas)
	frida.Inspect("state-registration-question")
	stale := walks(t, w, "frida") // a second window that is left behind
	stale.signIn()
	stale.Open(w.Identity + "/registrations/" + fridas)
	frida.Fill("Hausnummer", "12a")
	frida.Press("Antwort absenden")
	frida.Inspect("state-registration-answered")
	stale.Press("Antwort absenden")
	stale.Inspect("state-conflict")
	clara.Open(w.Identity + "/chamber/registrations/" + fridas)
	clara.Choose("Brief")
	clara.Press("Freigeben und Brief vormerken")
	clara.Inspect("state-case-approved")
	clara.Open(w.Identity + "/chamber/registrations/" + fridas)
	clara.Inspect("state-case-decided")
	clara.Open(w.Identity + "/chamber/letters")
	clara.Inspect("state-letters-waiting")
	clara.Press("1 Brief an die Druckerei geben")
	clara.surely()
	clara.Inspect("state-batch")
	clara.Press("Als versandt markieren")
	clara.Inspect("state-batch-dispatched")
	clara.Open(w.Identity + "/chamber/letters")
	clara.Inspect("state-letters")
	clara.Open(w.Identity + "/chamber/registrations?status=done")
	clara.Inspect("state-registrations-done")
	clara.Open(w.Identity + "/chamber/directory")
	clara.Press("Datei einlesen")
	clara.Inspect("state-directory-mistake")
	file := filepath.Join(t.TempDir(), "mitglieder.csv")
	if err := os.WriteFile(file, append(bytes.Replace(story.Directory, []byte("Mehlgasse"), []byte("Kornweg"), 1), []byte("7;Ohne Ort GmbH;GmbH;Weg;1;keine;;;;;\n")...), 0o600); err != nil {
		t.Fatal(err)
	}
	clara.Upload("Datei", file)
	clara.Press("Datei einlesen")
	clara.Inspect("state-directory-report")
	frida.Open(w.Identity + "/registrations/" + fridas)
	frida.Inspect("state-registration-letter")
	frida.Open(w.Identity + "/organizations/activate")
	frida.Fill("Identnummer", "100042")
	frida.Fill("Kammernummer", "999")
	frida.Fill("Passwort", "AAAA-AAAA-AAAA")
	frida.Press("Aktivieren")
	frida.Inspect("state-activate-mistake")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	batches, err := w.Prints.Wait(ctx, 1)
	if err != nil {
		t.Fatal("no letter at the print shop", err)
	}
	pages, err := batches[0].Text(ctx)
	if err != nil {
		t.Fatal(err)
	}
	frida.Fill("Identnummer", "100042")
	frida.Fill("Kammernummer", "999")
	frida.Fill("Passwort", letterCode.FindString(strings.Join(pages, "\n")))
	frida.Press("Aktivieren")
	frida.Inspect("state-activated")
	frida.Open(w.Identity + "/")
	frida.Inspect("state-dashboard-active")
}

func galleryOfJoining(t *testing.T, w *story.World, bakery, annas string) {
	nora, bert, late := walks(t, w, "nora"), walks(t, w, "bert"), walks(t, w, "bert")
	nora.signIn()
	nora.Open(w.Training + "/reports")
	nora.Inspect("state-no-access")
	nora.Choose("Auszubildende:r")
	nora.Press("Unternehmen beitreten")
	nora.Press("Weiter")
	nora.Inspect("state-join-mistakes")
	nora.Fill("Firmierung", "Bäckerei Morgenrot GmbH")
	nora.Fill("Straße", "Mehlgasse")
	nora.Fill("Hausnummer", "4")
	nora.Fill("PLZ", "00999")
	nora.Press("Weiter")
	nora.Inspect("state-join-reason")
	if !nora.Chosen("Auszubildende:r") {
		t.Error("the role wished for on the page without access is not carried on")
	}
	nora.Fill("Begründung", "Ich helfe samstags im Verkauf.")
	nora.Press("Anfrage senden")
	nora.Inspect("state-join-sent")
	nora.Follow("Zurück zur Anwendung") // as Anna's, above
	bert.signIn()
	late.signIn()
	bert.Open(w.Identity + annas)
	bert.Press("Mir zuweisen")
	bert.Inspect("state-request-mine")
	late.Open(w.Identity + annas)
	bert.Press("ablehnen")
	bert.Inspect("state-request-mistake")
	bert.Press("genehmigen")
	bert.Inspect("state-request-approved")
	late.Fill("Grund bei Ablehnung", "Zu spät gesehen.")
	late.Press("ablehnen")
	late.Inspect("state-request-decided")
	bert.Open(w.Identity + bakery + "/members")
	bert.In("Lena Lerche").Follow("Rollen Lena Lerche")
	bert.Inspect("state-members-open")
	bert.In("Ausbildungsverwaltung").Press("Ja")
	bert.Inspect("state-members-given")
	bert.In("Lena Lerche").Follow("Aus dem Unternehmen entfernen")
	bert.Inspect("state-member-remove")
	bert.Open(link(t, mail(t, w, "bert@example.org", "Neue Anfrage: Nora"), "/requests/"))
	bert.Press("Mir zuweisen")
	bert.Fill("Grund bei Ablehnung", "Aushilfen brauchen kein Berichtsheft.")
	bert.Press("ablehnen")
	nora.Open(link(t, mail(t, w, "nora@example.org", "Anfrage an"), "/requests/"))
	nora.Inspect("state-request-denied")
	anna := walks(t, w, "anna")
	anna.signIn()
	anna.Open(w.Training + "/reports") // a member without a role
	anna.Inspect("state-no-access-member")
	anna.Press("Rolle anfragen")
	anna.Inspect("state-no-access-mistake")
	anna.Choose("Auszubildende:r")
	anna.Press("Rolle anfragen")
	anna.Inspect("state-no-access-waiting")
	bert.Open(w.Identity + bakery + "/requests")
	bert.Inspect("state-inbox")
	bert.Open(link(t, mail(t, w, "bert@example.org", "Rollenanfrage"), "/requests/"))
	bert.Press("Mir zuweisen")
	bert.Inspect("state-role-request")
	bert.Press("genehmigen")
	anna.Reload()
	anna.Inspect("state-no-access-over")
	anna.Open(w.Identity + "/")
	anna.Inspect("state-dashboard-member")
	anna.Open(w.Identity + annas)
	anna.Inspect("state-request-accepted")
	anna.Open(w.Identity + "/notifications")
	anna.Inspect("state-notifications")
	anna.Open(w.Training + "/reviews")
	anna.Inspect("state-training-no-role")
}

func galleryOfBook(t *testing.T, w *story.World) {
	lena, murat := walks(t, w, "lena"), walks(t, w, "murat")
	lena.signIn()
	lena.Open(w.Training + "/reports")
	_, n := time.Now().In(groundmail.Berlin).ISOWeek()
	lena.Follow(fmt.Sprint("Woche ", n))
	lena.Inspect("state-week")
	lena.Press("Tage, Ort und Stunden")
	lena.Inspect("state-week-days")
	lena.Press("Prüfen und einreichen")
	lena.Inspect("state-week-nothing")
	lena.Follow("Ändern")
	lena.Fill("Betriebliche Tätigkeiten", "Sauerteig angesetzt, Brötchen geformt, Kasse gemacht.")
	lena.Press("Prüfen und einreichen")
	lena.Inspect("state-week-check")
	lena.Press("Jetzt einreichen")
	lena.Inspect("state-week-submitted")
	murat.signIn()
	murat.Open(w.Training + "/reviews")
	murat.Inspect("state-queue")
	murat.Follow("Lena Lerche")
	murat.Inspect("state-review")
	murat.Press("Zurückgeben oder Bemerkung")
	murat.Press("Zurückgeben")
	murat.Inspect("state-review-mistake")
	murat.Fill("Bemerkung", "Bitte die Mengen ergänzen.")
	murat.Press("Zurückgeben")
	lena.Open(w.Training + "/")
	lena.Inspect("state-board-returned")
	lena.Follow("überarbeiten")
	lena.Inspect("state-week-returned")
	lena.Press("Prüfen und einreichen")
	lena.Press("Jetzt einreichen")
	murat.Open(w.Training + "/reviews")
	murat.Follow("Lena Lerche")
	murat.Inspect("state-review-second")
	murat.Press("Abzeichnen")
	murat.Inspect("state-queue-done")
	lena.Open(w.Training + "/reports")
	lena.Inspect("state-reports")
	lena.Follow(fmt.Sprint("Woche ", n))
	lena.Inspect("state-week-signed")
}
