package story_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"zunft/internal/story"
)

// fortyPeople is the table of 1 August as a company keeps it: forty apprentices
// of two trainers, one with a day that does not exist.
func fortyPeople() [][]string {
	rows := [][]string{{"Name", "Vorname", "Azubi-Nr.", "Ausbildungsberuf", "Beginn", "Ende", "Ausbilder"}}
	for i := range 40 {
		begins, trainer := companyDay(0, 8, 1), "Ute Uhl"
		if i == 17 {
			begins = "32.08.2026"
		}
		if i%2 == 1 {
			trainer = "Olaf Otter"
		}
		rows = append(rows, []string{fmt.Sprintf("Ahorn%02d", i), "Ada", fmt.Sprintf("A-4%02d", i), "Bäcker/-in", begins, companyDay(3, 7, 31), trainer})
	}
	return rows
}

// ux.md 1.2 task 4, R232, R233: on 1 August forty apprentices come in with their
// trainers by one table in six clicks, although one day in it is a mistake.
func TestFortyApprenticesAreSixClicks_R232_R233(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		admin, bakery := companyBert(t, w)
		companyPeople(t, w, bakery, 0, "Ute Uhl", "Olaf Otter")
		bert := &clicks{person: admin}
		bert.Open(w.Training + "/company")
		bert.Follow("Auszubildende")
		bert.Follow("Liste einlesen")
		bert.Upload("Datei", rosterFile(t, "Azubis.xlsx", fortyPeople()))
		bert.n++ // the file dialog
		bert.Press("Liste einlesen")
		bert.HasText("39 Zeilen können übernommen werden")
		bert.HasText("1 ist zu korrigieren")
		bert.Fill("Beginn", companyDay(0, 8, 1))
		bert.Press("Zeilen speichern")
		bert.HasText("40 Zeilen können übernommen werden")
		bert.Press("40 Zeilen übernehmen")
		bert.HasText("Übernommen: 40 neu")
		if bert.n > 6 {
			t.Errorf("%d clicks, ux.md allows 6", bert.n)
		}
		if n := count(t, w.TrainingDB, `SELECT count(*) FROM assignment WHERE role = 'trainer'`); n != 40 {
			t.Errorf("%d have a trainer", n)
		}
	})
}

// What a company's list and an older book look like before they count: what was
// understood, what was left, what is to be mended.
func TestGalleryBookIntake(t *testing.T) {
	t.Parallel()
	w := start(t, "sqlite", story.Options{})
	bert, bakery := companyBert(t, w)
	companyPeople(t, w, bakery, 0, "Ute Uhl", "Olaf Otter")
	bert.Open(w.Training + "/company/trainees/import")
	rows := fortyPeople()[:12]
	rows[3][3], rows[3][6] = "Astronautin", "Niemand"
	rows[5] = rows[4]
	rows[8][4] = "bald"
	bert.Upload("Datei", rosterFile(t, "Azubis.xlsx", rows))
	bert.Choose("Alles oder nichts")
	bert.Press("Liste einlesen")
	bert.HasText("Sie wollten alles oder nichts")
	bert.Inspect("intake-company-list")
	bert.Open(bert.URL() + "?edit=3")
	bert.Choose("Diese Zeile weglassen")
	bert.Inspect("intake-company-row")
	bert.Press("Zeilen speichern")
	bert.Inspect("intake-company-left-out")

	lena := onPhone(t, w, "lena")
	lena.Open(w.Training + "/reports/import")
	lena.Inspect("intake-file")
	old := filepath.Join(t.TempDir(), "altes Heft.txt")
	a, b := weekAgo(3), weekAgo(2)
	text := "Berichtsheft von Lena Lerche\nAusbildungswoche " + a.Date(1).German() + " bis " + a.Date(7).German() + "\nSchule/Betrieb\nSchule:\nKaufvertrag, Hefe und ihre Führung\nBetrieb:\nSauerteig angesetzt und gepflegt,\nBrötchen geformt\n" +
		"Mo | " + a.Date(1).German() + " | Betrieb | anwesend 08:00\nDi | " + a.Date(2).German() + " | Schule | anwesend 06:30\nQualifikationen:\n- Waren annehmen\nMi | " + a.Date(3).German() + " | Urlaub | abwesend 00:00\nDauer gesamt: 14:30\n" +
		"Ausbilder Status\nBert Berg am 27.08. freigegeben.\nAusbildungswoche " + b.Date(1).German() + " bis " + b.Date(7).German() + "\nBetrieb:\nÖfen geputzt\n"
	if err := os.WriteFile(old, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	lena.Upload("Datei", old)
	lena.Press("Lesen und ansehen")
	lena.HasText("2 Wochen gefunden")
	lena.Inspect("intake-preview")
}
