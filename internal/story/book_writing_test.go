package story_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/browser"
	"zunft/internal/ground/db"
	"zunft/internal/story"
	"zunft/internal/training/book"
	"zunft/internal/training/planning"
)

// onPhone is somebody with a cracked phone of 360 × 640 pixels, signed in at
// the training portal.
func onPhone(t *testing.T, w *story.World, key string) *person {
	t.Helper()
	p := &person{browser.New(t, browser.Options{Width: 360}), t, w, key}
	p.signIn()
	p.Open(w.Training + "/reports")
	return p
}

// taps counts what a finger does: links, buttons, and fields touched to write.
type taps struct {
	*person
	n int
}

func (p *taps) tap(text string) { p.t.Helper(); p.n++; p.Press(text) }

func (p *taps) write(label, text string) { p.t.Helper(); p.n++; p.Fill(label, text) }

// weekAgo is a week before this one, as paths write it.
func weekAgo(n int) book.Week { return book.WeekOf(db.At(time.Now())).Add(-n) }

// ux.md task 6, flow 1.3: the normal week costs six taps plus writing, on a phone
// of 360 pixels without scripts; the first text box is on the first screen; what
// was not typed was filled in (R226, R230).
func TestTheNormalWeekIsSixTaps_R226_R230(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		lena := &taps{person: onPhone(t, w, "lena")}
		week := weekAgo(0)
		lena.Open(w.Training + "/")
		lena.n++ // signing in with one tap, as a mail's link asks for
		lena.n++
		lena.Follow("Woche " + week.Name() + " schreiben")
		if top := lena.Top("Betriebliche Tätigkeiten"); top > 640-100 {
			t.Errorf("the first text box begins at %d pixels: not on the first screen", top)
		}
		lena.HasText("Betrieb")
		lena.write("Betriebliche Tätigkeiten", "Roggenteige angesetzt, Brötchen geformt, Öfen bestückt und abgebacken.")
		lena.write("Themen der Berufsschule", "Hefe und Sauerteig")
		lena.tap("Prüfen und einreichen")
		lena.HasText("Std.")
		lena.tap("Jetzt einreichen")
		lena.HasText("Eingereicht")
		if lena.n > 6 {
			t.Errorf("%d taps, six are promised", lena.n)
		}

		// A week of vacation: open, one tap, submit.
		lena.n = 0
		away := weekAgo(1)
		lena.Open(w.Training + "/reports/" + away.String())
		lena.Press("Ganze Woche abwesend")
		lena.tap("Ganze Woche Urlaub")
		lena.HasText("Urlaub")
		lena.tap("Jetzt einreichen")
		lena.HasText("Eingereicht")
		if lena.n != 2 {
			t.Error(lena.n)
		}
	})
}

// The pattern once, then weeks that know it; files from the phone, of which the
// photo loses where it was taken; a qualification that the text suggests.
func TestWritingAWeek_R226_R228(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		lena := onPhone(t, w, "lena")
		week := weekAgo(0)
		lena.Open(w.Training + "/reports/" + week.String())
		lena.Press("Tage, Ort und Stunden")
		lena.Press("Wochenmuster festlegen")
		monday := lena.In("Montag")
		monday.Fill("Ort oder Abteilung", "Backstube")
		monday.Fill("Stunden", "7:30")
		lena.In("Dienstag").Fill("Meistens", "Berufsschule")
		lena.Press("Speichern")
		lena.HasText("Neue Wochen beginnen jetzt so")
		lena.Open(w.Training + "/reports/" + week.String())
		lena.HasText("1 × Berufsschule")
		lena.Fill("Betriebliche Tätigkeiten", "Müll getrennt und Energie gespart.")
		lena.Press("Dateien")
		lena.Press("Dateien hinzufügen")
		dir := t.TempDir()
		photo, fake := filepath.Join(dir, "Foto.jpg"), filepath.Join(dir, "Bombe.pdf")
		for name, b := range map[string][]byte{photo: somePhoto(), fake: []byte("PK\x03\x04 kein PDF")} {
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		lena.Upload("Dateien auswählen", photo, fake)
		lena.Press("Hochladen")
		lena.HasText("Bombe.pdf ist kein PDF, JPG, PNG oder HEIC")
		lena.HasText("Foto.jpg")
		header, content := lena.Download("Foto.jpg")
		if bytes.Contains(content, []byte("GPS")) || !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") {
			t.Error("the photo says where it was taken", header)
		}
		lena.Follow("Zurück zur Woche")
		lena.HasText("Dateien (1)")
		lena.Press("Prüfen und einreichen")
		lena.HasText("Backstube · 7:30 Std.")
		lena.Choose("S3 Umweltschutz und Nachhaltigkeit")
		lena.Press("Jetzt einreichen")
		lena.Follow("Nachweis ansehen")
		lena.HasText("S3 Umweltschutz und Nachhaltigkeit")
		lena.HasText("Foto.jpg")
	})
}

func somePhoto() []byte {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, image.NewRGBA(image.Rect(0, 0, 64, 48)), nil)
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00GPS 52.5 13.4"
	head := []byte{0xff, 0xd8, 0xff, 0xe1, 0, byte(len(exif) + 2)}
	return append(append(head, exif...), b.Bytes()[2:]...)
}

// Every page and state of writing: axe, light and dark, 320 pixels.
func TestGalleryBookWriting(t *testing.T) {
	t.Parallel() // they meet nobody: two look at once, on two cores
	w := start(t, "sqlite", story.Options{})
	lena := onPhone(t, w, "lena")
	week := weekAgo(0)
	at := w.Training + "/reports/" + week.String()
	lena.Open(w.Training + "/reports/backfill")
	lena.Inspect("writing-backfill")
	lena.Press("Prüfen und einreichen")
	lena.Inspect("writing-backfill-mistake")
	lena.Open(at)
	lena.Inspect("writing-new")
	lena.Press("Tage, Ort und Stunden")
	lena.Press("Qualifikationen")
	lena.Press("Dateien")
	lena.Press("Textbausteine")
	lena.Press("Ganze Woche abwesend")
	lena.Inspect("writing-open")
	lena.Open(w.Training + "/settings/pattern")
	lena.Inspect("writing-pattern")
	lena.In("Dienstag").Fill("Stunden", "viel")
	lena.In("Mittwoch").Fill("Meistens", "Berufsschule")
	lena.Press("Speichern")
	lena.Inspect("writing-pattern-mistake")
	lena.In("Dienstag").Fill("Stunden", "8")
	lena.Fill("Bundesland", "Sachsen")
	lena.Press("Speichern")
	lena.Inspect("writing-pattern-saved")
	lena.Open(w.Training + "/absences")
	lena.Inspect("writing-absences-empty")
	lena.Press("Eintragen")
	lena.Inspect("writing-absences-mistake")
	lena.Choose("Urlaub")
	lena.Fill("Erster Tag", weekAgo(-2).Day(1).Format("2006-01-02"))
	lena.Fill("Letzter Tag", weekAgo(-2).Day(5).Format("2006-01-02"))
	lena.Press("Eintragen")
	lena.Choose("Betrieb: andere Abteilung")
	lena.Fill("Erster Tag", weekAgo(-3).Day(1).Format("2006-01-02"))
	lena.Fill("Letzter Tag", weekAgo(-6).Day(5).Format("2006-01-02"))
	lena.Fill("Ort oder Abteilung", "Konditorei")
	lena.Press("Eintragen")
	lena.Inspect("writing-absences")
	lena.Open(w.Training + "/snippets")
	lena.Inspect("writing-snippets-empty")
	lena.Press("Textbaustein speichern")
	lena.Inspect("writing-snippets-mistake")
	lena.Fill("Neuer Textbaustein", "Öfen geputzt, Bleche gezählt und für den nächsten Tag vorbereitet\nKasse gezählt")
	lena.Press("Textbaustein speichern")
	lena.Inspect("writing-snippets")
	lena.Open(w.Training + "/reports/" + weekAgo(-2).String())
	lena.Inspect("writing-vacation")
	lena.Open(at)
	lena.Press("Tage, Ort und Stunden")
	lena.In("Donnerstag").Fill("Stunden", "25")
	lena.In("Donnerstag").Press("Nur zu diesem Tag schreiben")
	lena.In("Donnerstag").Fill("Tätigkeiten und Themen", "Torten gefüllt")
	lena.Fill("Betriebliche Tätigkeiten", "Müll getrennt, 200 Brötchen geformt.")
	lena.Press("Speichern")
	lena.Inspect("writing-mistake")
	lena.In("Donnerstag").Fill("Stunden", "8")
	lena.Press("Dateien")
	lena.Press("Dateien hinzufügen")
	lena.Inspect("writing-files-empty")
	dir := t.TempDir()
	photo, fake := filepath.Join(dir, "Foto vom Ofen.jpg"), filepath.Join(dir, "Bombe.pdf")
	_ = os.WriteFile(photo, somePhoto(), 0o600)
	_ = os.WriteFile(fake, []byte("PK\x03\x04"), 0o600)
	lena.Upload("Dateien auswählen", photo, fake)
	lena.Press("Hochladen")
	lena.Inspect("writing-files-mistake")
	lena.Follow("Zurück zur Woche")
	lena.Inspect("writing-week")
	lena.Press("Prüfen und einreichen")
	lena.Inspect("writing-check")
	lena.Press("Jetzt einreichen")
	lena.Inspect("writing-submitted")
	lena.Follow("Nachweis ansehen")
	lena.Inspect("writing-read")

	// Two devices; the list of settings; the same in English.
	two := w.Training + "/reports/" + weekAgo(2).String()
	other := onPhone(t, w, "lena")
	lena.Open(two)
	for _, p := range []*person{other, lena} {
		if p == other {
			p.Open(two)
		}
		p.Fill("Betriebliche Tätigkeiten", "Geschrieben am "+map[bool]string{true: "Rechner", false: "Telefon"}[p == other]+": Donaudampfschifffahrtsgesellschaftskapitänsmützenkuchen")
		p.Press("Speichern")
	}
	lena.HasText("Gespeicherte Fassung")
	lena.Inspect("writing-both")
	lena.Open(w.Training + "/settings")
	lena.Inspect("writing-settings")
	lena.Open(w.Training + "/settings?lang=en")
	lena.Inspect("writing-en-settings")
	for name, path := range map[string]string{"week": "/reports/" + weekAgo(3).String(), "check": "/reports/" + weekAgo(2).String() + "/check", "read": "/reports/" + week.String(), "pattern": "/settings/pattern", "absences": "/absences"} {
		lena.Open(w.Training + path)
		lena.Inspect("writing-en-" + name)
	}
	lena.Open(w.Training + "/settings?lang=de")

	// Day by day, with a plan of the occupation.
	if err := w.TrainingDB.Write(t.Context(), func(tx *db.Tx) error {
		if err := planning.PutPlan(tx, audit.Job, "", "", []planning.Section{{Number: "A1", Title: "Herstellen von Weizenbrot und Weizenkleingebäck", Weeks: 12, Keywords: "weizen brötchen"}, {Number: "A2", Title: "Herstellen von Feinen Backwaren aus Teigen", Weeks: 10, Keywords: "torte kuchen"}}); err != nil {
			return err
		}
		company, err := db.Value[string](tx, `SELECT company FROM report LIMIT 1`)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM company_setting WHERE company = $1`, company); err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO company_setting (company, occupation, electronic, mode, steps, due_days, changed_at) VALUES ($1, '', TRUE, 'day', 1, 7, $2)`, company, tx.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	before := weekAgo(1)
	lena.Open(w.Training + "/reports/" + before.String())
	lena.Inspect("writing-daily")
	lena.Press("Montag")
	lena.Inspect("writing-day")
	lena.Fill("Tätigkeiten und Themen", "Brötchen geformt")
	lena.Fill("Stunden", "8 bis 17")
	lena.Press("Speichern und nächster Tag")
	lena.Inspect("writing-day-mistake")
	lena.Fill("Stunden", "8")
	lena.Press("Speichern und nächster Tag")
	lena.HasText("Dienstag")
	lena.Press("Speichern und zur Woche")
	lena.Inspect("writing-daily-begun")
}
