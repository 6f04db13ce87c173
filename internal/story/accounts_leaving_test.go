package story_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/identity/departure"
	"zunft/internal/identity/policy"
	"zunft/internal/outside"
	"zunft/internal/story"
)

// Devices and sessions, the own lock, "Das war ich nicht", own data, and leaving
// with a way back, in a browser without scripts.
//
// R181 L05 L06 W12
func TestLeaving(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			c := &clock{}
			w := start(t, engine, story.Options{Now: c.now, Policy: rule(t, func(*policy.Policy) {})})
			t.Run("sessions", func(t *testing.T) { twoDevices(t, w) })
			t.Run("locked", func(t *testing.T) { ownLock(t, w) })
			t.Run("stranger", func(t *testing.T) { notMe(t, w) })
			t.Run("data", func(t *testing.T) { ownData(t, w) })
			t.Run("deleted", func(t *testing.T) { leaves(t, w, c) })
		})
	}
}

// nth is the n-th mail to somebody whose subject begins so.
func nth(t *testing.T, w *story.World, to, subject string, n int) outside.Mail {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for count := n; ; count++ {
		mails, err := w.Mail.Wait(ctx, to, count)
		if err != nil {
			t.Fatalf("no %d mails to %s: %s", n, to, subject)
		}
		seen := 0
		for _, m := range mails {
			if strings.HasPrefix(m.Subject, subject) {
				if seen++; seen == n {
					return m
				}
			}
		}
		count = len(mails)
	}
}

func twoDevices(t *testing.T, w *story.World) {
	here, there, stranger := walks(t, w, "lena"), walks(t, w, "lena"), as(t, w, "murat")
	here.signIn()
	here.Open(w.Training + "/reports")
	there.signIn()
	here.Open(w.Identity + "/account/sessions")
	here.HasText("Diese Sitzung")
	here.HasText("Ausbildungsportal") // what was opened from here
	var theirs string
	if err := w.IdentityDB.Read(t.Context(), func(tx *db.Tx) (err error) {
		theirs, err = db.Value[string](tx, `SELECT id FROM session WHERE account = (SELECT id FROM account WHERE email = 'lena@example.org') AND ended_at IS NULL ORDER BY id LIMIT 1`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if r, _ := stranger.post(w.Identity+"/account/sessions/"+theirs+"/end", url.Values{}); r.StatusCode != http.StatusNotFound {
		t.Error("somebody else's session can be ended:", r.StatusCode)
	}
	here.Press("Alle anderen Geräte abmelden")
	here.HasText("Sie sind auf keinem anderen Gerät angemeldet.")
	there.Open(w.Identity + "/account/sessions")
	there.at("/login")
	here.Follow("Verbundene Anwendungen")
	here.HasText("Ausbildungsportal")
	here.Press("Trennen")
	here.HasText("Zurzeit ist keine Anwendung verbunden.")
	here.Open(w.Identity + "/account/activity")
	for _, deed := range []string{"Angemeldet", "Abgemeldet", "Anwendung geöffnet", "Mitglied geworden", "Administration des Unternehmens", "Chrome auf Linux"} {
		here.HasText(deed)
	}
	here.Open(w.Identity + "/account/sessions")
	here.In("Diese Sitzung").Press("Abmelden")
	here.HasText("Sie sind abgemeldet")
}

func ownLock(t *testing.T, w *story.World) {
	nora := walks(t, w, "nora")
	nora.signIn()
	nora.Open(w.Identity + "/account/lock")
	nora.Press("Konto sperren")
	nora.HasText("Ihr Konto ist gesperrt.")
	nora.signIn()
	nora.at("/login") // not even with the right password
	nora.Open(link(t, nth(t, w, "nora@example.org", "Ihr Konto ist gesperrt", 1), "/unlock"))
	for _, login := range []string{"nobody.at.all", "bert.backmann", "nora@example.org"} { // W12: answered alike
		nora.Open(w.Identity + "/unlock")
		nora.Fill("Benutzername oder E-Mail-Adresse", login)
		nora.Press("Link anfordern")
		nora.HasText("Ist dieses Konto gesperrt, haben wir soeben einen Link an seine E-Mail-Adresse gesendet.")
	}
	nora.Open(link(t, nth(t, w, "nora@example.org", "Ihr Konto entsperren", 1), "/unlock/"))
	nora.Press("Konto entsperren")
	nora.signIn()
	nora.HasText("Abmelden")
}

// notMe: a stranger knows the password and is signed in; the owner has the mail.
func notMe(t *testing.T, w *story.World) {
	stranger, murat := walks(t, w, "murat"), walks(t, w, "murat")
	stranger.signIn()
	stranger.Open(w.Identity + "/account/lock")
	stranger.Press("Konto sperren")
	report := link(t, nth(t, w, "murat@example.org", "Ihr Konto ist gesperrt", 1), "/report-activity/")
	murat.Open(report) // opening it does nothing: mail scanners do
	murat.Open(report)
	murat.HasText("Das war ich nicht")
	murat.Press("Konto jetzt sichern")
	murat.HasText("Ihr Konto ist gesichert")
	murat.Fill("Neues Passwort", "Ganz neue Körner 8")
	murat.Fill("Neues Passwort wiederholen", "Ganz neue Körner 8")
	murat.Press("Passwort festlegen")
	stranger.signIn()
	stranger.at("/login")
	murat.Open(w.Identity + "/login")
	murat.Fill("Benutzername", "murat.yilmaz")
	murat.Fill("Passwort", "Ganz neue Körner 8")
	murat.Press("Anmelden")
	murat.HasText("Abmelden")
	murat.Open(w.Identity + "/account/activity")
	murat.HasText("Gemeldet: „Das war ich nicht“")
	murat.Open(report)
	murat.HasText("schon gesichert")
}

func ownData(t *testing.T, w *story.World) {
	anna, bert := walks(t, w, "anna"), as(t, w, "bert")
	anna.signIn()
	anna.Open(w.Identity + "/account/data")
	anna.Press("Daten zusammenstellen")
	nth(t, w, "anna@example.org", "Ihr Datenexport liegt bereit", 1)
	anna.Open(w.Identity + "/notifications")
	anna.HasText("Ihre Daten liegen bereit.")
	anna.In("Ihre Daten liegen bereit.").Press("Ansehen")
	anna.at("/account/data")
	anna.Follow("Daten vom")
	anna.proves(1)
	anna.HasText("anna@example.org")
	anna.HasText("Ich beginne am 1. September")
	if r, _ := bert.get(anna.URL()); r.StatusCode == http.StatusOK {
		t.Error("somebody else reads it")
	}
	header, file := anna.Download("Als Datei (JSON)")
	var all struct {
		Data map[string][]map[string]string
	}
	if err := json.Unmarshal(file, &all); err != nil || all.Data["account"][0]["family_name"] != "Amsel" || len(all.Data["requests"]) != 1 || !strings.Contains(header.Get("Content-Disposition"), "meine-daten.json") {
		t.Error(err, header, string(file))
	}
}

func leaves(t *testing.T, w *story.World, c *clock) {
	bert := walks(t, w, "bert")
	bert.signIn()
	bert.Open(w.Identity + "/account/delete")
	bert.HasText("Administration von Bäckerei Morgenrot GmbH übergeben") // L06
	bert.LacksText("Ja, ich möchte mein Konto löschen.")

	frida := walks(t, w, "frida")
	frida.signIn()
	ask := func(proof int) {
		frida.Open(w.Identity + "/account/delete")
		frida.Choose("Ja, ich möchte mein Konto löschen.")
		frida.Press("Konto löschen")
		frida.proves(proof)
		frida.Press("Jetzt absenden") // what was typed before the proof
		frida.HasText("Ihr Konto wird am")
		frida.LacksText("Abmelden")
	}
	ask(1)
	frida.signIn()
	frida.at("/login/keep")
	frida.Open(w.Identity + "/account")
	frida.at("/login/keep") // nothing opens before the answer
	frida.Press("Konto behalten und weiter")
	frida.HasText("Abmelden")
	nth(t, w, "frida@example.org", "Ihr Konto bleibt bestehen", 1)
	c.pass(time.Minute)
	ask(2)
	keep := link(t, nth(t, w, "frida@example.org", "Ihr Konto wird am", 2), "/keep/")
	frida.Open(keep)
	frida.HasText("Soll Ihr Konto bleiben?")
	// Lena goes, too; the training portal, where she was, hears of it and lets her go.
	lena := value(t, w.IdentityDB, `SELECT id FROM account WHERE email = 'lena@example.org'`)
	if n := count(t, w.TrainingDB, `SELECT count(*) FROM company_role WHERE person = $1`, lena); n == 0 {
		t.Fatal("Lena was never there")
	}
	if err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE account SET delete_at = $1 WHERE id = $2`, tx.Now(), lena)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	c.pass(departure.Grace + time.Hour)
	nth(t, w, "frida@example.org", "Ihr Konto ist gelöscht", 1)
	for limit := time.Now().Add(30 * time.Second); value(t, w.TrainingDB, `SELECT gone FROM person WHERE sub = $1`, lena) != "purged"; <-time.After(20 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("the training portal was not told")
		}
	}
	if n := count(t, w.TrainingDB, `SELECT (SELECT count(*) FROM company_role WHERE person = $1) + (SELECT count(*) FROM session WHERE person = $1 AND ended_at IS NULL)`, lena); n != 0 {
		t.Error("Lena may still come in")
	}
	frida.Press("Konto behalten") // too late
	frida.HasText("Diesen Link kennen wir nicht.")
	frida.signIn()
	frida.at("/login")
	if n := value(t, w.IdentityDB, `SELECT CAST(count(*) AS TEXT) FROM account WHERE given_name || family_name || email || username LIKE '%rida%'`); n != "0" {
		t.Error("a trace of Frida")
	}
	if n := value(t, w.IdentityDB, `SELECT state FROM registration WHERE state IN ('submitted', 'withdrawn')`); n != "withdrawn" {
		t.Error("her registration is", n)
	}
}

// Every page and state of leaving, sessions, history and notices (axe, 320 px, pictures).
func TestGalleryLeaving(t *testing.T) {
	t.Parallel() // they meet nobody: two look at once, on two cores
	c := &clock{}
	w := start(t, "sqlite", story.Options{Now: c.now, Policy: rule(t, func(*policy.Policy) {})})
	t.Run("sessions", func(t *testing.T) { t.Parallel(); galleryOfSessions(t, w) })
	t.Run("data", func(t *testing.T) { t.Parallel(); galleryOfData(t, w) })
	t.Run("lock", func(t *testing.T) { t.Parallel(); galleryOfLock(t, w) })
	t.Run("delete", func(t *testing.T) { t.Parallel(); galleryOfDelete(t, w) })
}

func galleryOfSessions(t *testing.T, w *story.World) {
	lena := walks(t, w, "lena")
	lena.signIn()
	lena.Open(w.Identity + "/account/sessions")
	lena.Inspect("leaving-sessions-one")
	lena.Open(w.Identity + "/account/apps")
	lena.Inspect("leaving-apps-none")
	lena.Open(w.Training + "/reports")
	other := walks(t, w, "lena")
	other.signIn()
	lena.Open(w.Identity + "/account/sessions")
	lena.Inspect("leaving-sessions")
	lena.Open(w.Identity + "/account/apps")
	lena.Inspect("leaving-apps")
	lena.Open(w.Identity + "/account/activity")
	lena.Inspect("leaving-activity")
	lena.Open(w.Identity + "/account/notifications")
	lena.Inspect("leaving-choices")
	lena.Unchoose("Eigene Anfragen und Mitgliedschaften")
	lena.Press("Speichern")
	lena.Inspect("leaving-choices-saved")
	lena.Open(w.Identity + "/notifications")
	lena.Inspect("leaving-bell")
	for _, page := range []string{"sessions", "activity", "notifications", "apps"} {
		lena.Open(w.Identity + "/account/" + page + "?lang=en")
		lena.Inspect("leaving-english-" + page)
	}
	lena.Open(w.Identity + "/account/sessions?lang=de")
	lena.Press("Alle anderen Geräte abmelden")
	lena.Inspect("leaving-sessions-ended")
}

func galleryOfData(t *testing.T, w *story.World) {
	murat := walks(t, w, "murat")
	murat.signIn()
	murat.Open(w.Identity + "/account/data")
	murat.Inspect("leaving-data")
	murat.Press("Daten zusammenstellen")
	murat.Inspect("leaving-data-asked")
	mail(t, w, "murat@example.org", "Datenexport")
	murat.Open(w.Identity + "/account/data")
	murat.Inspect("leaving-data-ready")
	murat.Follow("Daten vom")
	murat.proves(1)
	murat.HasText("Mitgliedschaften")
	murat.Inspect("leaving-dossier")
	murat.Open(murat.URL() + "?lang=en")
	murat.Inspect("leaving-english-dossier")
}

func galleryOfLock(t *testing.T, w *story.World) {
	nora := walks(t, w, "nora")
	nora.signIn()
	nora.Open(w.Identity + "/account/lock")
	nora.Inspect("leaving-lock")
	nora.Press("Konto sperren")
	nora.Inspect("leaving-locked")
	nora.Press("Link anfordern")
	nora.Inspect("leaving-unlock-mistake")
	nora.Fill("Benutzername oder E-Mail-Adresse", "nora.nagel")
	nora.Press("Link anfordern")
	nora.Inspect("leaving-unlock-sent")
	nora.Open(link(t, mail(t, w, "nora@example.org", "Ihr Konto ist gesperrt"), "/report-activity/"))
	nora.Inspect("leaving-report")
	report := nora.URL()
	nora.Press("Konto jetzt sichern")
	nora.Inspect("leaving-report-password")
	nora.Open(report)
	nora.Inspect("leaving-report-used")
	nora.Open(w.Identity + "/report-activity/nothing?lang=en")
	nora.Inspect("leaving-english-report-unknown")
}

func galleryOfDelete(t *testing.T, w *story.World) {
	bert := walks(t, w, "bert")
	bert.signIn()
	bert.Open(w.Identity + "/account/delete")
	bert.Inspect("leaving-delete-last-admin")
	frida := walks(t, w, "frida")
	frida.signIn()
	frida.Open(w.Identity + "/account/delete")
	frida.Inspect("leaving-delete")
	frida.Press("Konto löschen")
	frida.Inspect("leaving-delete-mistake")
	frida.Choose("Ja, ich möchte mein Konto löschen.")
	frida.Press("Konto löschen")
	frida.proves(1)
	frida.Inspect("leaving-delete-parked")
	frida.Press("Jetzt absenden")
	frida.Inspect("leaving-delete-going")
	frida.Open(link(t, mail(t, w, "frida@example.org", "Ihr Konto wird am"), "/keep/"))
	frida.Inspect("leaving-keep")
	keep := frida.URL()
	frida.signIn()
	frida.Inspect("leaving-keep-signing-in")
	frida.Press("Konto behalten und weiter")
	frida.Open(keep)
	frida.Inspect("leaving-keep-over")
	frida.Open(w.Identity + "/keep/nothing?lang=en")
	frida.Inspect("leaving-english-keep-unknown")
}
