package story_test

import (
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/membership"
	"zunft/internal/story"
	"zunft/internal/training/calendar"
	"zunft/internal/training/registry"
)

// § 43 BBiG, ux.md task 16: the list is there from the first day, says what is
// missing and whose turn it is, and in the end that nothing is.
func TestExamChecklist(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		standingOffice(t, w)
		companyRole(t, w, "lena", "apprentice", membership.Details{ApprenticeNumber: "A-1001"})
		begins, ends := string(weekAgo(12).Date(1)), string(calendar.Today(db.At(time.Now())).Add(40))
		if _, err := registry.Import(t.Context(), w.TrainingDB, audit.Console, registry.Options{Chamber: story.ChamberNumber}, strings.NewReader(
			"Azubi-Identnummer;Vorname;Nachname;Identnummer;Ausbildungsberuf;Beginn;Ende\nA-1001;Lena;Lerche;100017;Bäckerin;"+begins+";"+ends+"\n")); err != nil {
			t.Fatal(err)
		}
		lena, murat, clara := onPhone(t, w, "lena"), comesTo(t, w, "murat", 1280), comesTo(t, w, "clara", 1280)
		reads := func(texts ...string) {
			t.Helper()
			lena.Open(w.Training + "/exam")
			for _, text := range texts {
				lena.HasText(text)
			}
		}
		signs := func(n string) {
			t.Helper()
			murat.Open(w.Training + "/reviews")
			murat.Follow("Alle lesen")
			murat.Choose("Ich habe diese Nachweise durchgesehen")
			murat.Press("Abzeichnen")
			murat.HasText("Gemeinsam abgezeichnete Nachweise: " + n)
			settled(t, w)
		}

		// Nothing: two months before the end, and not one week is written.
		reads("3 Punkte sind noch offen.", "Die Ausbildung endet am", "steht im Verzeichnis der Kammer", "11 von 12 Wochen fehlen.", "Noch ist keine Woche abgezeichnet.", "Noch kein Tag angegeben.")

		// Gaps: a week is missing, ten wait, and then none waits.
		writes(t, w, "Lena Lerche", 12, 10, "", "Roggenteige angesetzt")
		reads("3 Punkte sind noch offen.", "1 von 12 Wochen fehlt.", "10 Wochen warten auf die Durchsicht.", "Murat Yılmaz")
		signs("10")
		reads("2 Punkte sind noch offen.", "1 von 12 Wochen fehlt.", "10 Wochen sind abgezeichnet, keine wartet.")

		// Complete: all weeks, and the chamber confirms what Lena said of the exam.
		writes(t, w, "Lena Lerche", 2, 2, "", "Brötchen geformt")
		signs("2")
		reads("Ein Punkt ist noch offen.", "Alle 12 Wochen sind geschrieben.", "12 Wochen sind abgezeichnet, keine wartet.")
		lena.Press("Tag der Zwischenprüfung angeben")
		lena.Fill("Tag der Prüfung", string(weekAgo(3).Date(2)))
		lena.Press("Speichern")
		reads("Ein Punkt ist noch offen.", "Die Kammer bestätigt es.")
		clara.Open(w.Training + "/chamber/report-books?q=A-1001")
		clara.Follow("Lena Lerche")
		clara.Choose("Überwachung der Ausbildung, § 76 BBiG")
		clara.Fill("Grund", "Anmeldung zur Prüfung")
		clara.Press("Weiter")
		clara.Press("Bestätigen")
		reads("Alles ist da, soweit wir es wissen.", "Teilgenommen am")
	})
}
