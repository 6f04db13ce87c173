package story_test

import (
	"context"
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/search"
	"zunft/internal/identity/tally"
	"zunft/internal/identity/textblock"
	"zunft/internal/story"
)

// indexed waits for nothing: what the story settled is brought into search and figures.
func indexed(t testing.TB, w *story.World) {
	t.Helper()
	for _, f := range []func(context.Context, *db.DB) error{search.Follow, tally.Count} {
		if err := f(t.Context(), w.IdentityDB); err != nil {
			t.Fatal(err)
		}
	}
}

// idOf reads one id of the identity portal.
func idOf(t testing.TB, w *story.World, query string, args ...any) (id string) {
	t.Helper()
	if err := w.IdentityDB.Read(t.Context(), func(tx *db.Tx) (err error) { id, err = db.Value[string](tx, query, args...); return err }); err != nil {
		t.Fatal(query, err)
	}
	return id
}

// Clara looks a company and a person up, locks and unlocks them with a reason,
// writes a text block, takes a colleague in and settles what her chamber wants.
// R091, R092, R102: the desk sees a company's letters and sends a new one.
func TestTheDesk(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		indexed(t, w)
		clara := walks(t, w, "clara")
		clara.signIn()
		clara.Open(w.Identity + "/chamber")
		clara.HasText("Registrierungen")
		clara.HasText("Ältestes")

		// A company, by the beginnings of words; what was asked for stands in the address.
		clara.Open(w.Identity + "/chamber/organizations")
		clara.Fill("Name, Ort oder Nummer", "morgen status:aktiv")
		clara.Press("Suchen")
		if u, _ := url.Parse(clara.URL()); u.Query().Get("q") != "morgen status:aktiv" {
			t.Error("the search does not stand in the address:", clara.URL())
		}
		clara.Follow("Bäckerei Morgenrot GmbH")
		clara.HasText("Bert Backmann")
		clara.HasText("Identnummer 100017")
		clara.HasText("Brief")
		clara.Press("Neuen Brief vormerken")
		clara.HasText("Der Brief ist vorgemerkt")
		clara.HasText("Neue Administration")
		clara.Open(clara.URL())
		clara.Press("Organisationskonto sperren")
		clara.Press("Jetzt sperren") // without a reason
		clara.proves(1)
		clara.Press("Jetzt absenden") // what was pressed before the proof
		clara.HasText("Bitte prüfen Sie Ihre Angaben")
		clara.Fill("Grund", "Die Geschäftsführung hat uns angerufen.")
		clara.Press("Jetzt sperren")
		clara.HasText("Das Organisationskonto ist gesperrt.")
		if m := mail(t, w, "bert@example.org", "gesperrt"); !strings.Contains(m.Text, "Die Geschäftsführung hat uns angerufen.") {
			t.Error("the admin does not read why:", m.Text)
		}
		lena := walks(t, w, "lena")
		lena.signIn()
		lena.Open(w.Training + "/reports")
		lena.HasText("Ihnen fehlt eine Berechtigung") // nobody acts for a locked company
		clara.Press("Sperre aufheben")
		clara.HasText("Die Sperre ist aufgehoben.")
		lena.Open(w.Training + "/reports")
		lena.HasText("Berichtsheft")

		// A person; the look is recorded and the person can see it.
		clara.Open(w.Identity + "/chamber/persons")
		clara.Fill("Name, E-Mail-Adresse oder Nummer", "lerche")
		clara.Press("Suchen")
		clara.Follow("Lena Lerche")
		clara.HasText("Ihr Blick auf diese Seite ist verzeichnet.")
		clara.HasText("Bäckerei Morgenrot")
		clara.Press("Konto sperren")
		clara.Fill("Grund", "Das Telefon wurde gestohlen.")
		clara.Press("Jetzt sperren")
		clara.HasText("Das Konto ist gesperrt.")
		mail(t, w, "lena@example.org", "Ihre Kammer hat Ihr Konto gesperrt")
		lena.Open(w.Identity + "/account")
		lena.HasText("Passwort") // out everywhere
		clara.Press("Konto entsperren")
		clara.HasText("Das Konto ist wieder offen.")
		lena.signIn()
		lena.Open(w.Identity + "/account/activity")
		lena.HasText("Ihre Kammer hat Ihre Angaben angesehen")

		// A text block.
		clara.Open(w.Identity + "/chamber/templates/new?purpose=refusal")
		clara.Press("Speichern")
		clara.HasText("Geben Sie einen kurzen Titel ein")
		clara.Fill("Titel", "Nicht im Verzeichnis")
		clara.Fill("Text", "Wir finden Ihr Unternehmen nicht im Verzeichnis.")
		clara.Press("Speichern")
		clara.HasText("Nicht im Verzeichnis")

		// The team: Nora is taken in, and Clara cannot leave it without a lead.
		clara.Open(w.Identity + "/chamber/team")
		clara.Fill("E-Mail-Adresse der Person", "niemand@example.org")
		clara.Press("Person aufnehmen")
		clara.HasText("Zu dieser E-Mail-Adresse gibt es kein offenes Konto.")
		clara.Fill("E-Mail-Adresse der Person", "nora@example.org")
		clara.Press("Person aufnehmen")
		clara.HasText("Nora Nagel gehört jetzt zum Team.")
		mail(t, w, "nora@example.org", "Team")
		clara.In("Clara Clausen").Press("Ändern Clara Clausen")
		clara.In("Clara Clausen").Press("Leitung abgeben")
		clara.HasText("Eine Person muss das Team leiten.")

		// Settings, with what they would do.
		clara.Open(w.Identity + "/chamber/settings")
		clara.Fill("Ohne Prüfung freigeben ab Übereinstimmung von", "viel")
		clara.Press("Speichern")
		clara.HasText("Geben Sie eine Zahl von 0 bis 100 ein")
		clara.Fill("Ohne Prüfung freigeben ab Übereinstimmung von", "1")
		clara.Press("Auswirkung zeigen")
		clara.HasText("1 von 1 offenen Registrierungen")
		clara.Press("Speichern")
		clara.HasText("Die Einstellungen sind gespeichert")
		clara.Open(w.Identity + "/chamber/settings/contact")
		clara.Fill("Telefon", "0999 4321-0")
		clara.Press("Speichern")
		clara.HasText("Der Kontakt ist gespeichert.")

		// Nora is a clerk now, and leads nothing.
		nora := walks(t, w, "nora")
		nora.signIn()
		nora.Open(w.Identity + "/chamber/team")
		nora.HasText("Ändern können das die Leitenden des Teams.")
		nora.Open(w.Identity + "/chamber/settings")
		nora.HasText("Ihnen fehlt eine Berechtigung")

		// The record, as a file too.
		clara.Open(w.Identity + "/chamber/audit?event=person.locked")
		clara.HasText("Konto einer Person gesperrt")
		clara.HasText("Lena Lerche")
	})
}

// The record as a file holds what the page shows, and nothing that a
// spreadsheet would calculate; nobody but clerks gets it.
func TestTheRecordAsAFile(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		if err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
			if _, err := tx.Exec(`UPDATE account SET given_name = '=HYPERLINK(1)' WHERE username = $1`, w.Person("anna").Username); err != nil {
				return err
			}
			for _, table := range []string{"organization", "directory_entry"} { // a job keeps the two alike
				if _, err := tx.Exec(`UPDATE ` + table + ` SET name = '+Kosten; "1' WHERE ident_number = '100017'`); err != nil {
					return err
				}
			}
			c, err := chamber.ByNumber(tx, story.ChamberNumber)
			if err != nil {
				return err
			}
			anna, err := db.Value[string](tx, `SELECT id FROM account WHERE username = $1`, w.Person("anna").Username)
			if err != nil {
				return err
			}
			org, err := db.Value[string](tx, `SELECT id FROM organization WHERE ident_number = '100017'`)
			if err != nil {
				return err
			}
			for range 230 { // more than one part
				if err := audit.Record(tx, audit.Actor{Account: anna, IP: "@1.2.3.4"}, audit.Entry{Event: "registration.submitted", Organization: org, Chamber: c.ID}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		r, body := as(t, w, "clara").get(w.Identity + "/chamber/audit.csv?event=registration.submitted")
		if r.StatusCode != http.StatusOK || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/csv") || !strings.Contains(r.Header.Get("Content-Disposition"), "attachment") {
			t.Fatal(r.StatusCode, r.Header)
		}
		read := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff")))
		read.Comma = ';'
		rows, err := read.ReadAll()
		if err != nil || len(rows) < 231 {
			t.Fatal(len(rows), err)
		}
		guarded := 0
		for _, row := range rows {
			for _, cell := range row {
				if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
					t.Fatalf("a spreadsheet would calculate %q", cell)
				}
				if strings.HasPrefix(cell, "'=HYPERLINK") || strings.HasPrefix(cell, "'+Kosten; \"1") || cell == "'@1.2.3.4" {
					guarded++
				}
			}
		}
		if guarded != 3*230 {
			t.Error("guarded", guarded)
		}
		tomorrow := time.Now().AddDate(0, 0, 2).Format("2006-01-02")
		if _, body := as(t, w, "clara").get(w.Identity + "/chamber/audit.csv?from=" + tomorrow); strings.Count(body, "\n") != 1 {
			t.Error("a term that has not begun holds", body)
		}
		if r, _ := as(t, w, "clara").get(w.Identity + "/chamber/audit?from=gestern"); r.StatusCode != http.StatusUnprocessableEntity {
			t.Error("a day that is none:", r.StatusCode)
		}
		for _, who := range []string{"bert", "otto", "lena"} {
			for _, path := range []string{"/chamber/audit.csv", "/chamber/organizations", "/chamber/persons", "/chamber/statistics", "/chamber/requests", "/chamber/team", "/chamber/templates", "/chamber/settings", "/chamber/settings/contact"} {
				if r, _ := as(t, w, who).get(w.Identity + path); r.StatusCode != http.StatusForbidden {
					t.Error(who, path, r.StatusCode)
				}
			}
		}
	})
}

// TestGalleryDesk looks at every page of the desk that is not a queue, and at
// what they say when something is missing.
func TestGalleryDesk(t *testing.T) {
	t.Parallel() // they meet nobody: two look at once, on two cores
	w := start(t, "sqlite", story.Options{})
	indexed(t, w)
	busy(t, w)
	bakery := idOf(t, w, `SELECT id FROM organization WHERE ident_number = '100017'`)
	lena := idOf(t, w, `SELECT id FROM account WHERE username = $1`, w.Person("lena").Username)
	p := walks(t, w, "clara")
	p.signIn()
	look := func(name, path string) {
		p.Open(w.Identity + path)
		p.Inspect("desk-" + name)
	}
	look("start", "/chamber")
	look("organizations", "/chamber/organizations")
	look("organizations-found", "/chamber/organizations?q=b%C3%A4ck&status=active")
	look("organizations-none", "/chamber/organizations?q=Muster+ort:Nirgendwo")
	look("organization", "/chamber/organizations/"+bakery)
	look("persons", "/chamber/persons")
	look("persons-found", "/chamber/persons?q=l")
	look("persons-none", "/chamber/persons?q=niemand")
	look("person", "/chamber/persons/"+lena)
	look("statistics", "/chamber/statistics")
	look("overdue", "/chamber/requests")
	look("audit", "/chamber/audit")
	look("audit-company", "/chamber/audit?organization="+bakery)
	look("audit-day", "/chamber/audit?from=gestern")
	look("templates", "/chamber/templates")
	look("template-new", "/chamber/templates/new")
	p.Press("Speichern")
	p.Inspect("desk-template-mistakes")
	p.Open(w.Identity + "/chamber/templates")
	p.Follow("Firmierung weicht ab")
	p.Inspect("desk-template")
	look("team", "/chamber/team")
	p.In("Clara Clausen").Press("Ändern Clara Clausen")
	p.Inspect("desk-team-change")
	look("settings", "/chamber/settings")
	p.Fill("Ohne Prüfung freigeben ab Übereinstimmung von", "90")
	p.Press("Auswirkung zeigen")
	p.Inspect("desk-settings-preview")
	p.Fill("Tage bis zum Ende der Anfrage", "3")
	p.Press("Auswirkung zeigen")
	p.Inspect("desk-settings-mistakes")
	look("contact", "/chamber/settings/contact")
	p.Open(w.Identity + "/chamber/organizations/" + bakery)
	p.Press("Organisationskonto sperren")
	p.Press("Jetzt sperren")
	p.proves(1)
	p.Press("Jetzt absenden")
	p.Inspect("desk-organization-mistakes")
	p.Fill("Grund", "Wir klären gerade, wer das Unternehmen vertritt.")
	p.Press("Jetzt sperren")
	p.Inspect("desk-organization-locked")
	p.Open(w.Identity + "/chamber/persons/" + lena)
	p.Press("Konto sperren")
	p.Fill("Grund", "Das Telefon wurde gestohlen.")
	p.Press("Jetzt sperren")
	p.Inspect("desk-person-locked")
	look("english", "/chamber?lang=en")
	look("english-organization", "/chamber/organizations/"+bakery)
	look("english-settings", "/chamber/settings")
	look("english-statistics", "/chamber/statistics")
}

// busy gives the desk a past: a year of figures and two text blocks.
func busy(t testing.TB, w *story.World) {
	t.Helper()
	if err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
		c, err := chamber.ByNumber(tx, story.ChamberNumber)
		if err != nil {
			return err
		}
		for _, b := range [][2]string{{"Firmierung weicht ab", "Im Verzeichnis steht ein anderer Name. Bitte geben Sie den Namen so an, wie er im Register steht."}, {"Anschrift prüfen", "Bitte prüfen Sie Straße und Hausnummer."}} {
			if _, err := textblock.Add(tx, audit.Console, textblock.Block{Chamber: c.ID, Purpose: textblock.Question, Title: b[0], Body: b[1]}); err != nil {
				return err
			}
		}
		for i, n := range []int{14, 22, 31, 27, 40, 38, 35, 52, 61, 48, 44, 57} {
			month := time.Now().AddDate(0, i-12, 1-time.Now().Day()).Format("2006-01")
			for figure, amount := range map[string]int{"submitted": n, "approved": n - 4, "refused": 3, "automatic": n / 3, "median": 20 + i, "slow": 70 + i, "letters": n - 5, "returned": 1, "activated": n - 8} {
				if _, err := tx.Exec(`INSERT INTO tally (chamber, month, figure, amount) VALUES ($1, $2, $3, $4) ON CONFLICT (chamber, month, figure) DO UPDATE SET amount = excluded.amount`, c.ID, month, figure, amount); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
