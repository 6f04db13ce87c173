package story_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/browser"
	"zunft/internal/ground/db"
	groundmail "zunft/internal/ground/mail"
	"zunft/internal/outside"
	"zunft/internal/story"
)

// A person of the story with a window of their own, scripts off.
type person struct {
	*browser.Browser
	t   *testing.T
	w   *story.World
	key string
}

func walks(t *testing.T, w *story.World, key string) *person {
	return &person{browser.New(t, browser.Options{}), t, w, key}
}

func (p *person) signIn() {
	p.t.Helper()
	who := p.w.Person(p.key)
	p.Open(p.w.Identity + "/login")
	p.Fill("Benutzername", who.Username)
	p.Fill("Passwort", who.Password)
	p.Press("Anmelden")
}

// mail is the n-th mail to an address, once the mail server has it.
func mail(t *testing.T, w *story.World, to string, subject string) outside.Mail {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for n := 1; ; n++ {
		mails, err := w.Mail.Wait(ctx, to, n)
		if err != nil {
			t.Fatalf("no mail to %s with subject %q", to, subject)
		}
		for _, m := range mails {
			if strings.Contains(m.Subject, subject) {
				return m
			}
		}
		n = len(mails)
	}
}

func link(t *testing.T, m outside.Mail, part string) string {
	t.Helper()
	for _, l := range m.Links() {
		if strings.Contains(l, part) {
			return l
		}
	}
	t.Fatalf("no link with %s in the mail %q:\n%s", part, m.Subject, m.Text)
	return ""
}

// fillIn is the assistant's first step, up to the terms.
func (p *person) fillIn(given, family, username, email string) {
	p.Choose("keine Angabe")
	p.Fill("Vorname", given)
	p.Fill("Nachname", family)
	p.Fill("E-Mail-Adresse", email)
	p.Fill("E-Mail-Adresse wiederholen", email)
	p.Fill("Benutzername", username)
	p.Fill("Passwort", story.Password)
	p.Fill("Passwort wiederholen", story.Password)
	p.Press("Weiter")
	p.HasText("Ich akzeptiere die Informationspflichten.")
}

// register is the two-step assistant (R036–R057).
func (p *person) register(given, family, username, email string) {
	p.Open(p.w.Identity + "/")
	p.Follow("Jetzt registrieren")
	p.HasText("Registrierung")
	p.fillIn(given, family, username, email)
	p.Press("Registrierung abschicken") // without the tick
	p.HasText("Bitte prüfen Sie Ihre Angaben")
	p.Choose("Ich akzeptiere die Informationspflichten.")
	p.Press("Registrierung abschicken")
	p.HasText("Registrierung abschließen")
}

var (
	sixDigits  = regexp.MustCompile(`\b\d{6}\b`)
	letterCode = regexp.MustCompile(`\b[34679ACDEFGHJKMNPQRTWXY]{4}[- ][34679ACDEFGHJKMNPQRTWXY]{4}[- ][34679ACDEFGHJKMNPQRTWXY]{4}\b`)
)

// The whole way, in a browser with scripts off: from an imported directory to
// a report that was signed off in a connected application.
//
// R001 R002 R005 R006 R025 R029 R030 R031 R033 R036 R037 R051 R053 R055
// R056 R057 R060 R069 R081 R088 R090 R091 R092 R094 R095 R097 R100 R101
// R118 R119 R124 R125 R126 R127 R131 R137 R141 R142 R143 R147 R148
// R224 R225 R227
func TestTheWholeWay(t *testing.T) {
	each(t, story.Options{Empty: true}, func(t *testing.T, w *story.World) {
		// 1. The chamber's directory comes in at the desk.
		file := filepath.Join(t.TempDir(), "mitglieder.csv")
		if err := os.WriteFile(file, append(story.Directory, []byte("7;Ohne Ort GmbH;GmbH;Weg;1;keine;;;;;\n")...), 0o600); err != nil {
			t.Fatal(err)
		}
		clara := walks(t, w, "clara")
		clara.signIn()
		proved(t, w)
		clara.Open(w.Identity + "/chamber/directory")
		clara.Choose("Übernehmen")
		clara.Upload("Datei", file)
		clara.Press("Datei einlesen")
		clara.HasText("PLZ") // the bad row is named by its column

		// 2. Two people sign up: one by the link, one by the code.
		berta := walks(t, w, "berta")
		berta.register("Berta", "Brotmann", "berta.brotmann", "berta@example.org")
		berta.Open(link(t, mail(t, w, "berta@example.org", "Bestätigungscode"), "/confirm/"))
		berta.Press("E-Mail-Adresse bestätigen")
		berta.HasText("Ihr Konto ist eingerichtet")
		berta.Follow("Zur Anmeldung")
		berta.Fill("Benutzername", "berta@example.org")
		berta.Fill("Passwort", story.Password)
		berta.Press("Anmelden")
		berta.HasText("Abmelden")
		mia := walks(t, w, "mia")
		mia.register("Mia", "Möwe", "mia.moewe", "mia@example.org")
		mia.Fill("Code aus der E-Mail", sixDigits.FindString(mail(t, w, "mia@example.org", "Bestätigungscode").Text))
		mia.Press("E-Mail-Adresse bestätigen")
		mia.HasText("Abmelden")

		// 3. Berta registers her company.
		berta.Follow("Neue Organisation anlegen")
		berta.Fill("Firmierung", "Spiel- und Spass GmbH")
		berta.Choose("Gesellschaft mit beschränkter Haftung (GmbH)")
		berta.Fill("Straße", "Schuteweg")
		berta.Fill("Hausnummer", "1")
		berta.Fill("PLZ", "00996")
		berta.Fill("Ort", "Musterhafen")
		berta.Press("Weiter")
		berta.HasText("Bitte prüfen Sie Ihre Angaben") // the reason is missing (R088)
		berta.Fill("Bitte begründen Sie Ihren Antrag.", "Ich leite die Ausbildung in diesem Unternehmen.")
		berta.Press("Weiter")
		berta.HasText("Kammer Musterland") // R081: filled in from the postcode
		berta.Press("Absenden")
		berta.HasText("Ihr Antrag ist eingegangen")
		reference := regexp.MustCompile(`R-[0-9A-Z]{4}-[0-9A-Z]{3}`).FindString(berta.Text())
		if reference == "" {
			t.Fatal("no reference number on the page")
		}

		// 4. Clara compares and approves.
		clara.Open(w.Identity + "/chamber/registrations")
		clara.HasText(reference)
		clara.Follow("Spiel- und Spass GmbH")
		clara.HasText("Spiel- und Spaß GmbH")
		clara.Press("Mir zuweisen")
		clara.Choose("Brief")
		clara.Press("Freigeben und Brief vormerken")
		mail(t, w, "berta@example.org", "freigegeben")
		berta.Open(w.Identity + "/")
		berta.HasText("Brief")

		// 5. The letter goes to the management.
		clara.Open(w.Identity + "/chamber/letters")
		clara.Press("1 Brief an die Druckerei geben")
		clara.surely() // the codes are on that paper
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
		letter := strings.Join(pages, "\n")
		for _, text := range []string{"Geschäftsführung", "Almut Meier", "100063", "999", "Spiel- und Spaß GmbH"} {
			if !strings.Contains(letter, text) {
				t.Errorf("the letter lacks %q:\n%s", text, letter)
			}
		}
		code := letterCode.FindString(letter)
		if code == "" {
			t.Fatalf("no code in the letter:\n%s", letter)
		}
		nowhereInDatabase(t, w.IdentityDB, strings.NewReplacer("-", "", " ", "").Replace(code))
		clara.Press("Als versandt markieren")
		clara.HasText("Clara Clausen")

		// 6. Berta activates.
		berta.Open(w.Identity + "/organizations/activate")
		berta.Fill("Identnummer", "100063")
		berta.Fill("Kammernummer", "999")
		berta.Fill("Passwort", "AAAA-AAAA-AAAA")
		berta.Press("Aktivieren")
		berta.HasText("Bitte prüfen Sie Ihre Angaben")
		berta.Fill("Identnummer", "100063")
		berta.Fill("Kammernummer", "999")
		berta.Fill("Passwort", strings.ToLower(code))
		berta.Press("Aktivieren")
		berta.HasText("Die Unternehmensregistrierung ist abgeschlossen")

		// 7. Mia asks to join; Berta takes the request on and lets her in, without a role yet.
		mia.Open(w.Identity + "/")
		mia.Follow("Unternehmen beitreten")
		mia.Fill("Firmierung", "SPIEL- UND SPASS GMBH")
		mia.Fill("Straße", "schuteweg")
		mia.Fill("Hausnummer", "1")
		mia.Fill("PLZ", "00996")
		mia.Press("Weiter")
		mia.Fill("Begründung", "Ich bin Azubi und möchte gerne mein Digitales Berichtsheft führen")
		mia.Press("Anfrage senden")
		mia.HasText("Anfrage gesendet")
		request := link(t, mail(t, w, "berta@example.org", "beitreten"), "/requests/")
		berta.Open(w.Identity + "/notifications")
		berta.HasText("Mia Möwe")
		berta.Open(request)
		berta.HasText("mia.moewe")
		berta.Press("Mir zuweisen")
		berta.Press("genehmigen")
		mail(t, w, "mia@example.org", "angenommen")

		// 8. The application: without a role a page that asks, with a role the way is free.
		mia.Open(w.Training + "/reports")
		mia.HasText("Ihnen fehlt eine Berechtigung")
		mia.HasText("Berta Brotmann")
		mia.Choose("Auszubildende:r")
		mia.Press("Rolle anfragen")
		berta.Open(link(t, mail(t, w, "berta@example.org", "Rollenanfrage"), "/requests/"))
		berta.Press("Mir zuweisen")
		berta.Press("genehmigen")
		mia.Open(w.Training + "/reports")
		mia.HasText("Berichtsheft")
		if !strings.HasPrefix(mia.URL(), w.Training) {
			t.Fatal("with a role the way is not free:", mia.URL())
		}
		// An administrator uses no application by that alone (R030); she gives herself the role (R025).
		berta.Open(w.Training + "/reviews")
		berta.HasText("Ihnen fehlt eine Berechtigung")
		berta.Follow("Rollen vergeben")
		berta.In("Berta Brotmann").Follow("Rollen Berta Brotmann")
		berta.In("Ausbilder:in").Press("Ja")
		berta.HasText("Die Rolle ist vergeben und gilt sofort.")
		berta.Open(w.Training + "/reviews") // now the training portal knows her, by her token
		berta.HasText("Keine offenen Nachweise")

		// 9. The first report.
		_, n := time.Now().In(groundmail.Berlin).ISOWeek()
		week := fmt.Sprint("Woche ", n)
		mia.Open(w.Training + "/")
		mia.Follow(week + " schreiben und einreichen")
		mia.Fill("Betriebliche Tätigkeiten", "Spielregeln geprüft, Würfel sortiert, Lager aufgeräumt.")
		mia.Press("Speichern")
		mia.HasText("Gespeichert.")
		mia.Press("Prüfen und einreichen")
		mia.Press("Jetzt einreichen")
		mia.HasText("Eingereicht")
		mia.HasText("Berta Brotmann") // who signs
		mail(t, w, "berta@example.org", "eingereicht")
		berta.Open(w.Training + "/reviews")
		berta.Follow("Mia Möwe")
		berta.HasText("Würfel sortiert")
		berta.Press("Zurückgeben oder Bemerkung")
		berta.Fill("Bemerkung", "Bitte die Maße ergänzen.")
		berta.Press("Zurückgeben")
		mail(t, w, "mia@example.org", "zurück")
		mia.Open(w.Training + "/")
		mia.HasText("Bitte die Maße ergänzen.")
		mia.Follow(week + " überarbeiten")
		mia.Fill("Betriebliche Tätigkeiten", "Spielregeln geprüft, 48 Würfel zu 16 mm sortiert, Lager aufgeräumt.")
		mia.Press("Prüfen und einreichen")
		mia.Press("Jetzt einreichen")
		berta.Open(w.Training + "/reviews")
		berta.Follow("Mia Möwe")
		berta.Press("Abzeichnen")
		settled(t, w)
		mail(t, w, "mia@example.org", "abgezeichnet")
		mia.Open(w.Training + "/reports")
		mia.HasText("Abgezeichnet")

		// 10. Out: at both.
		mia.Press("Abmelden")
		mia.HasText("Sie sind abgemeldet")
		mia.Open(w.Identity + "/requests")
		mia.HasText("Passwort")
		mia.Open(w.Training + "/reports")
		if u, _ := url.Parse(mia.URL()); u.Path != "/login" || !strings.HasPrefix(mia.URL(), w.Identity) {
			t.Error("still signed in at the training portal:", mia.URL())
		}
		// The application's address leads to the same sign-in and back to the page asked for (R006).
		mia.Fill("Benutzername", "mia.moewe")
		mia.Fill("Passwort", story.Password)
		mia.Press("Anmelden")
		mia.HasText("Berichtsheft")
		if !strings.HasPrefix(mia.URL(), w.Training+"/reports") {
			t.Error("signing in does not lead back:", mia.URL())
		}
		mia.Press("Abmelden")
		// And the other way round: out at the identity portal ends the application's session (back-channel).
		berta.Open(w.Training + "/reviews")
		berta.HasText("Abzeichnen")
		berta.Open(w.Identity + "/")
		berta.Press("Abmelden")
		ended(t, w.TrainingDB)
		berta.Open(w.Training + "/reviews")
		berta.HasText("Passwort")
	})
}

// ended waits until no session of the training portal is open.
func ended(t *testing.T, d *db.DB) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		n := 0
		err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
			n, err = db.Value[int](tx, `SELECT count(*) FROM session WHERE ended_at IS NULL`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(n, "sessions of the training portal are still open")
		}
		<-time.After(20 * time.Millisecond)
	}
}

// nowhereInDatabase looks for the code where letters, records, jobs and notices
// lie; TestSecretsStayHidden looks into every column.
func nowhereInDatabase(t *testing.T, d *db.DB, secret string) {
	t.Helper()
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		for _, q := range []string{`SELECT count(*) FROM letter WHERE code_mac LIKE $1`, `SELECT count(*) FROM audit WHERE detail LIKE $1`, `SELECT count(*) FROM job WHERE body LIKE $1`, `SELECT count(*) FROM notice WHERE args LIKE $1`} {
			n, err := db.Value[int](tx, q, "%"+secret+"%")
			if err != nil || n > 0 {
				t.Errorf("%s finds the code: %d %v", q, n, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
