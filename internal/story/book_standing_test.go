package story_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/browser"
	"zunft/internal/ground/db"
	"zunft/internal/identity/membership"
	"zunft/internal/story"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
)

// standingYear gives Lena an apprenticeship since the August before last, and
// a book with weeks of every state: what fifteen months of writing leave.
func standingYear(t *testing.T, w *story.World) {
	t.Helper()
	if err := w.TrainingDB.Write(t.Context(), func(tx *db.Tx) error {
		lena, err := db.Value[string](tx, `SELECT sub FROM person WHERE email = 'lena@example.org'`)
		if err != nil {
			return err
		}
		murat, err := db.Value[string](tx, `SELECT sub FROM person WHERE email = 'murat@example.org'`)
		if err != nil {
			return err
		}
		company, err := db.Value[string](tx, `SELECT company FROM company_role WHERE person = $1`, lena)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM apprenticeship WHERE person = $1`, lena); err != nil {
			return err
		}
		today := calendar.Today(tx.Now())
		start := calendar.WeekOf(tx.Now()).Add(-66).Date(1)
		id := db.NewID()
		if _, err := tx.Exec(`INSERT INTO apprenticeship (id, person, company, chamber_number, number, given_name, family_name, name_key, occupation, land, starts_on, ends_on, source, created_at, changed_at)
			VALUES ($1, $2, $3, $4, 'A-1001', 'Lena', 'Lerche', 'x', 'baecker', 'NI', $5, $6, 'company', $7, $7)`, id, lena, company, story.ChamberNumber, start, start.Add(3*365), tx.Now()); err != nil {
			return err
		}
		for k, week := 0, start.Week(); week.Date(7) < today; k, week = k+1, week.Add(1) {
			state, answer := "signed_off", ""
			switch {
			case k == 61:
				state, answer = "returned", "Welche Mengen waren es?"
			case k == 62:
				state = "draft"
			case k == 58 || k == 63: // a gap, and the last one that is due
				continue
			case k > 63:
				state = "submitted"
			}
			if err := standingReport(tx, lena, id, company, murat, week, k, state, answer); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func standingReport(tx *db.Tx, lena, id, company, murat string, week calendar.Week, k int, state, answer string) error {
	var days [7]book.Day
	for i := range 5 {
		days[i] = book.Day{Attendance: "company", Place: "Backstube", Minutes: 480, Sections: "4n3vxudo"}
		switch {
		case i == 1:
			days[i] = book.Day{Attendance: "school", Minutes: 360}
		case k%30 == 5:
			days[i] = book.Day{Attendance: "vacation"}
		case k%11 == 3:
			days[i] = book.Day{Attendance: "sick"}
		}
	}
	b, err := json.Marshal(days)
	if err != nil {
		return err
	}
	var sent, decided any
	by := ""
	if state != "draft" {
		sent = db.At(week.Day(5))
	}
	if state == "signed_off" || state == "returned" {
		decided, by = db.At(week.Day(7)), murat
	}
	_, err = tx.Exec(`INSERT INTO report (id, apprentice, apprenticeship, company, year, week, first_day, last_day, state, submitted_at, decided_at, decided_by, created_at, changed_at, department, answer, work, school, days)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, 'Backstube', $14, 'Roggenteige angesetzt, Brötchen geformt.', 'Hefe', $15)`,
		db.NewID(), lena, id, company, week.Year, week.Number, week.Date(1), week.Date(7), state, sent, decided, by, tx.Now(), answer, string(b))
	return err
}

// standingOffice lets Clara work for the chamber in the training portal, too.
func standingOffice(t *testing.T, w *story.World) {
	t.Helper()
	companyRole(t, w, "clara", "chamber_clerk", membership.Details{})
	bakery := rosterValue(t, w, `SELECT id FROM organization WHERE ident_number = '100017'`)
	if err := w.TrainingDB.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO chamber_office (company, chamber_number, added_at) VALUES ($1, $2, $3)`, bakery, story.ChamberNumber, tx.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// standingOf are things of this area that belong to one apprentice.
type standingOf struct{ apprenticeship, share, document string }

// standingThings gives an apprentice a look of the chamber and a document.
func standingThings(t *testing.T, w *story.World, sub string) (s standingOf) {
	t.Helper()
	s.share, s.document = db.NewID(), db.NewID()
	if err := w.TrainingDB.Write(t.Context(), func(tx *db.Tx) (err error) {
		if s.apprenticeship, err = db.Value[string](tx, `SELECT id FROM apprenticeship WHERE person = $1`, sub); err != nil {
			return err
		}
		for _, insert := range []struct {
			query string
			args  []any
		}{
			{`INSERT INTO share (id, person, chamber_number, ground, state, opened_at, opened_by, until_at) VALUES ($1, $2, '999', 'consent', 'open', $3, $2, $4)`, []any{s.share, sub, tx.Now(), tx.Now().Add(24 * time.Hour)}},
			{`INSERT INTO document (id, chamber_number, apprenticeship, kind, title, size, sha256, created_at, created_by) VALUES ($1, '999', $2, 'letter', 'Schreiben', 4, '', $3, $4)`, []any{s.document, s.apprenticeship, tx.Now(), sub}},
			{`INSERT INTO document_file (document, content) VALUES ($1, $2)`, []any{s.document, []byte("%PDF")}},
		} {
			if _, err = tx.Exec(insert.query, insert.args...); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

// comesTo signs somebody in at the training portal, on a screen of a width.
func comesTo(t *testing.T, w *story.World, key string, width int) *person {
	t.Helper()
	p := &person{browser.New(t, browser.Options{Width: width}), t, w, key}
	p.signIn()
	p.Open(w.Training + "/documents")
	return p
}

// A book of fifteen months: its owner sees the year, what is missing and for
// what (ux.md tasks 16, 13); her trainer reads the same in words; the chamber
// asks, is let in and is seen; a document is read with proof.
//
// R236 R308 R309 R310 R311 R312 R314 R333
func TestStandingOfABook(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		standingOffice(t, w)
		r, sample := newVisitor(t).get(w.Training + "/demo") // without an account
		if r.StatusCode != http.StatusOK || !strings.Contains(sample, "Roggenteige angesetzt") {
			t.Error("no sample book", r.StatusCode)
		}
		lena, murat, clara := comesTo(t, w, "lena", 320), comesTo(t, w, "murat", 1280), comesTo(t, w, "clara", 1280)
		standingYear(t, w)

		lena.Open(w.Training + "/")
		lena.HasText("Woche " + weekAgo(5).Name() + " überarbeiten")
		lena.HasText("Welche Mengen waren es?")
		lena.HasText("60 von 66 Wochen abgezeichnet")
		lena.Open(w.Training + "/reports")
		for _, text := range []string{"Fehlt noch", "Abgezeichnet", "Zurückgegeben"} {
			lena.HasText(text)
		}
		lena.Follow("Prüfungszulassung")
		lena.HasText("4 von 66 Wochen fehlen")
		lena.HasText("Noch kein Tag angegeben")
		lena.Press("Tag der Zwischenprüfung angeben")
		lena.Fill("Tag der Prüfung", time.Now().AddDate(0, 0, 3).Format("2006-01-02"))
		lena.Press("Speichern")
		lena.HasText("Geben Sie einen Tag ein, der schon war")
		lena.Fill("Tag der Prüfung", time.Now().AddDate(0, 0, -3).Format("2006-01-02"))
		lena.Press("Speichern")
		lena.HasText("Die Kammer bestätigt es")

		murat.Open(w.Training + "/trainees")
		murat.HasText("4 Wochen offen")
		murat.Follow("Lena Lerche")
		murat.HasText("60 von 66 Wochen abgezeichnet")
		murat.HasText("Ausbildungstagen gefehlt")

		// The chamber asks; Lena answers; the look is seen.
		clara.Open(w.Training + "/chamber/report-books")
		clara.Fill("Auszubildende Person", "lena lerche")
		clara.Press("Suchen")
		clara.Follow("Lena Lerche")
		clara.Press("Weiter")
		clara.HasText("Schreiben Sie, warum")
		clara.Fill("Grund", "Beratung am 1. Dezember")
		clara.Press("Weiter")
		clara.HasText("Die Person ist gefragt")
		mail(t, w, "lena@example.org", "Ihre Kammer bittet um Einsicht")
		lena.Open(w.Training + "/")
		lena.Follow("Anfrage Ihrer Kammer beantworten")
		lena.HasText("Beratung am 1. Dezember")
		lena.Press("Einsicht freigeben")
		lena.HasText("Die Kammer darf jetzt hineinsehen")
		lena.HasText("Bisher niemand")
		answer := mail(t, w, "clara@example.org", "freigegeben")
		clara.Open(link(t, answer, "/chamber/report-books/"))
		clara.HasText("60 von 66 Wochen abgezeichnet")
		clara.Press("Bestätigen")
		clara.HasText("Die Angabe ist bestätigt")
		clara.Follow("Woche " + weekAgo(1).Name())
		clara.HasText("Roggenteige angesetzt")
		lena.Reload()
		lena.HasText("hat Woche " + weekAgo(1).Name() + "/" + strconv.Itoa(weekAgo(1).Year) + " gelesen")
		lena.Press("Freigabe beenden")
		lena.HasText("Die Freigabe ist beendet")
		clara.Reload()
		if clara.Status() != http.StatusNotFound {
			t.Errorf("after the end the chamber sees %d", clara.Status())
		}
		lena.Open(w.Training + "/exam")
		lena.HasText("Teilgenommen am")

		standingDocument(t, w, lena, murat, clara)
		standingForm(t, w, clara)
	})
}

// standingForm: what a company reports of the form of its books is on the
// chamber's list.
func standingForm(t *testing.T, w *story.World, clara *person) {
	t.Helper()
	if err := w.TrainingDB.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO form_change (id, company, chamber_number, occupation, electronic, apprenticeships, changed_at, changed_by)
			SELECT $1, company, $2, 'baecker', FALSE, 1, $3, person FROM company_role WHERE role = 'trainer'`, db.NewID(), story.ChamberNumber, tx.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	clara.Open(w.Training + "/chamber/form-changes")
	for _, text := range []string{"Bäckerei Morgenrot GmbH", "Auf Papier", "1 Ausbildungsverhältnis"} {
		clara.HasText(text)
	}
}

// standingDocument is a confirmation from the chamber's desk to its readers.
func standingDocument(t *testing.T, w *story.World, lena, murat, clara *person) {
	t.Helper()
	paper := []byte("%PDF-1.7\n1 0 obj\n<< >>\nendobj\ntrailer\n<< >>\n%%EOF\n")
	path, wrong := filepath.Join(t.TempDir(), "bestaetigung.pdf"), filepath.Join(t.TempDir(), "bild.pdf")
	for name, content := range map[string][]byte{path: paper, wrong: []byte("GIF89a")} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	clara.Open(w.Training + "/chamber/documents/new")
	clara.Fill("Für wen?", "A-1001")
	clara.Press("Suchen")
	clara.Follow("Lena Lerche")
	clara.Fill("Titel", "Eintragungsbestätigung")
	clara.Upload("Datei", wrong)
	clara.Press("Bereitlegen")
	clara.HasText("Wählen Sie eine PDF-Datei")
	if clara.Value("Titel") != "Eintragungsbestätigung" {
		t.Error("the title is gone")
	}
	clara.Upload("Datei", path)
	clara.Press("Bereitlegen")
	clara.HasText("Das Dokument liegt bereit")
	clara.HasText("Noch nicht")
	if m := mail(t, w, "lena@example.org", "neues Dokument"); strings.Contains(m.Text, "Eintragungsbestätigung") {
		t.Error("the mail says what it is")
	}
	lena.Open(w.Training + "/")
	lena.Follow("Neues Dokument öffnen")
	lena.Press("Öffnen : Eintragungsbestätigung")
	lena.HasText("Das ist festgehalten")
	header, content := lena.Download("PDF speichern oder drucken")
	if !bytes.Equal(content, paper) || header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") || header.Get("Content-Security-Policy") != "sandbox" {
		t.Error(header, len(content))
	}
	lena.Open(w.Training + "/documents")
	lena.HasText("zuerst geöffnet am")
	lena.Open(w.Training + "/")
	lena.LacksText("Neues Dokument öffnen")
	murat.Open(w.Training + "/documents")
	murat.HasText("Neu")
	clara.Open(w.Training + "/chamber/documents")
	clara.Follow("Eintragungsbestätigung")
	clara.HasText("Lena Lerche (auszubildende Person)")
}

// Every page and state of this area, as people see it.
func TestGalleryBookStanding(t *testing.T) {
	t.Parallel() // they meet nobody: two look at once, on two cores
	w := start(t, "sqlite", story.Options{})
	standingOffice(t, w)
	lena, murat, clara := comesTo(t, w, "lena", 360), comesTo(t, w, "murat", 1280), comesTo(t, w, "clara", 1280)
	look := func(p *person, name, path string) {
		t.Helper()
		p.Open(w.Training + path)
		p.Inspect("standing/" + name)
	}
	look(lena, "first-board", "/")
	lena.HasText("Wochenmuster festlegen") // the first time, what to do once
	look(lena, "first-year", "/reports")
	look(lena, "first-exam", "/exam")
	look(lena, "first-attendance", "/attendance")
	look(lena, "first-plan", "/plan")
	look(lena, "first-documents", "/documents")
	look(murat, "first-trainees", "/trainees")
	look(clara, "first-books", "/chamber/report-books")
	look(clara, "first-documents-desk", "/chamber/documents")
	look(clara, "first-changes", "/chamber/form-changes")

	standingYear(t, w)
	look(lena, "board", "/")
	look(lena, "year", "/reports")
	look(lena, "year-list", "/reports?view=list")
	look(lena, "exam", "/exam")
	lena.Press("Tag der Zwischenprüfung angeben")
	lena.Press("Speichern")
	lena.Inspect("standing/exam-failed")
	look(lena, "attendance", "/attendance")
	look(lena, "plan", "/plan")
	lena.Open(w.Training + "/?lang=en")
	lena.Inspect("standing/en-board")
	look(lena, "en-year", "/reports")
	look(lena, "en-exam", "/exam")
	look(lena, "en-attendance", "/attendance")
	lena.Open(w.Training + "/?lang=de")
	look(lena, "shares", "/shares")
	look(murat, "board-trainer", "/")
	look(murat, "trainees", "/trainees")
	murat.Follow("Lena Lerche")
	murat.Inspect("standing/trainee")

	look(clara, "board-clerk", "/")
	look(clara, "books-found", "/chamber/report-books?q=A-1001")
	look(clara, "books-nobody", "/chamber/report-books?q=Niemand")
	look(clara, "books-found", "/chamber/report-books?q=A-1001")
	clara.Follow("Lena Lerche")
	clara.Press("Weiter")
	clara.Inspect("standing/ask-failed")
	clara.Choose("Überwachung der Ausbildung, § 76 BBiG")
	clara.Fill("Grund", "Beschwerde vom 16. November")
	clara.Press("Weiter")
	clara.Inspect("standing/chamber-book")
	clara.Follow("Woche " + weekAgo(1).Name())
	clara.Inspect("standing/chamber-report")
	look(clara, "books", "/chamber/report-books")
	look(lena, "shares-law", "/shares")
	look(clara, "document-find", "/chamber/documents/new?q=lerche")
	clara.Follow("Lena Lerche")
	clara.Inspect("standing/document-new")
	clara.Press("Bereitlegen")
	clara.Inspect("standing/document-failed")
	standingDocument(t, w, lena, murat, clara)
	clara.Inspect("standing/document")
	standingForm(t, w, clara)
	clara.Inspect("standing/changes")
	look(clara, "demo", "/demo")
	look(lena, "documents", "/documents")
	lena.Press("Öffnen : Eintragungsbestätigung")
	lena.Inspect("standing/document-opened")
	look(murat, "documents-company", "/documents")
	look(clara, "documents-desk", "/chamber/documents")
}
