package story_test

import (
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/browser"
	"zunft/internal/identity/membership"
	"zunft/internal/story"
	"zunft/internal/training/registry"
)

// Who kept the book on paper for a year changes to the portal: the company
// switches it on for the occupation, the chamber reads that, the time on paper
// is one report that the trainer vouches for, and weeks begin the day after.
//
// R313 R314 R315 R316 R317 R318 R319 R320 R321 R322 R334
func TestThePaperYear(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			y := &year{t: t, c: &clock{}}
			y.set(y.moment("2028-08-16 10:00")) // a Wednesday of the second year
			y.w = start(t, engine, story.Options{Now: y.c.now})
			paperYear(t, y.w)
		})
	}
}

func paperYear(t *testing.T, w *story.World) {
	standingOffice(t, w)
	companyRole(t, w, "bert", "training_admin", membership.Details{})
	companyRole(t, w, "lena", "apprentice", membership.Details{ApprenticeNumber: "A-1001"})
	companyRole(t, w, "murat", "trainer", membership.Details{TrainerNumber: "T-17"})
	if _, err := registry.Import(t.Context(), w.TrainingDB, audit.Console, registry.Options{Chamber: story.ChamberNumber}, strings.NewReader(
		"Azubi-Identnummer;Vorname;Nachname;Identnummer;Ausbildungsberuf;Beginn;Ende;Ausbilder-Nr.;Bundesland\nA-1001;Lena;Lerche;100017;Bäckerin;02.08.2027;01.08.2030;T-17;NI\n")); err != nil {
		t.Fatal(err)
	}
	bert, lena, murat, clara := comesTo(t, w, "bert", 1280), onPhone(t, w, "lena"), comesTo(t, w, "murat", 1280), comesTo(t, w, "clara", 1280)

	// On paper: Lena can write nothing here, and what she typed is not lost (R316).
	electronic := func(on bool) {
		t.Helper()
		bert.Open(w.Training + "/company/settings/baecker")
		if on {
			bert.Choose("Elektronischer Ausbildungsnachweis")
		} else {
			bert.Unchoose("Elektronischer Ausbildungsnachweis")
		}
		bert.Press("Speichern")
		bert.HasText("Meldungen an die Kammer")
	}
	electronic(false)
	lena.Open(w.Training + "/reports/2028-W33")
	if lena.Has("Betriebliche Tätigkeiten") {
		lena.Fill("Betriebliche Tätigkeiten", "Brote gewirkt")
		lena.Press("Speichern")
	}
	lena.HasText("auf Papier")

	// The company changes the form, for this occupation (R315); the chamber reads
	// it without anybody writing a letter (R314).
	electronic(true)
	clara.Open(w.Training + "/chamber/form-changes")
	for _, text := range []string{"Bäckerei Morgenrot GmbH", "Bäcker/-in", "Elektronisch", "Auf Papier", "1 Ausbildungsverhältnis"} {
		clara.HasText(text)
	}

	// One week is begun here already; then the time on paper is entered.
	lena.Open(w.Training + "/reports/2028-W32")
	lena.Fill("Betriebliche Tätigkeiten", "Brote gewirkt")
	lena.Press("Speichern")
	lena.Open(w.Training + "/reports")
	lena.Follow("Papierzeit nachtragen")
	lena.HasText("auf Papier oder mit einem Textprogramm") // R322
	if lena.Value("Erster Tag") != "02.08.2027" {
		t.Error("the first day proposed is", lena.Value("Erster Tag"))
	}
	if lena.Value("Ausbildungsabschnitt") != "Ausbildungsnachweise sind schriftlich geführt worden" { // R319
		t.Error(lena.Value("Ausbildungsabschnitt"))
	}
	if lena.Value("Ausbildungsinhalte") != "Die Ausbildungsinhalte sind für den genannten Zeitraum schriftlich geführt und genehmigt worden." { // R320
		t.Error(lena.Value("Ausbildungsinhalte"))
	}
	for _, x := range []struct{ first, last, field, says string }{
		{"gestern", "31.07.2028", "Erster Tag", "Geben Sie den ersten Tag der Papierzeit ein"},
		{"01.08.2027", "31.07.2028", "Erster Tag", "Ihre Ausbildung begann am 02.08.2027"},
		{"02.08.2027", "", "Letzter Tag", "Geben Sie den letzten Tag der Papierzeit ein"},
		{"02.08.2027", "16.08.2028", "Letzter Tag", "Geben Sie höchstens den 15.08.2028 ein"},
		{"02.08.2027", "01.08.2027", "Letzter Tag", "Der letzte Tag liegt vor dem ersten"},
		{"02.08.2027", "08.08.2027", "Letzter Tag", "Bis zu sieben Tage schreiben Sie als Woche"},
		{"02.08.2027", "13.08.2028", "Letzter Tag", "Woche 32 (07.08. – 13.08.2028) haben Sie schon hier geschrieben"},
	} {
		lena.Fill("Erster Tag", x.first)
		lena.Fill("Letzter Tag", x.last)
		lena.Press("Prüfen und einreichen")
		if said := lena.Described(x.field); !strings.Contains(said, x.says) {
			t.Errorf("%s to %s: beside %q stands %q, wanted %q", x.first, x.last, x.field, said, x.says)
		}
		if lena.Value("Erster Tag") != x.first || lena.Value("Letzter Tag") != x.last {
			t.Error("what was typed is lost") // ux.md 2.5
		}
	}
	lena.Fill("Erster Tag", "2.8.2027")
	lena.Fill("Letzter Tag", "31.07.2028")
	lena.Press("Prüfen und einreichen")
	lena.HasText("02.08.2027 – 31.07.2028") // a year, and no week of seven days (R317)
	lena.Press("Jetzt einreichen")
	lena.HasText("Papierzeit")

	// Murat vouches for it (R321), or it is not signed.
	mail(t, w, "murat@example.org", "eingereicht")
	murat.Open(w.Training + "/reviews")
	murat.Follow("Lena Lerche, Papierzeit")
	murat.Press("Abzeichnen")
	murat.HasText("Bestätigen Sie, dass das Berichtsheft in dieser Zeit ordnungsgemäß auf Papier geführt wurde")
	murat.Choose("Ich bestätige: Das Berichtsheft wurde in dieser Zeit ordnungsgemäß auf Papier geführt.")
	murat.Press("Abzeichnen")
	murat.HasText("Keine offenen Nachweise")
	settled(t, w)
	mail(t, w, "lena@example.org", "abgezeichnet")

	// From the day after on there are weeks, of seven days at most (R318), and
	// nothing overlaps.
	lena.Open(w.Training + "/reports/2028-W31")
	lena.HasText("01.08. – 06.08.2028")
	lena.LacksText("Montag, 31.07.2028")
	lena.Fill("Betriebliche Tätigkeiten", "Erste Woche hier: Brötchen geformt")
	lena.Press("Prüfen und einreichen")
	lena.Press("Jetzt einreichen")
	lena.HasText("01.08. – 06.08.2028")
	lena.Open(w.Training + "/reports/2028-W30")
	lena.HasText("02.08.2027 – 31.07.2028") // instead of a week within it
	if lena.Has("Prüfen und einreichen") {
		t.Error("a week within the time on paper can be written:", lena.URL())
	}
	lena.Open(w.Training + "/reports/backfill") // it is signed: it stays as it is (R334), and there is one
	lena.HasText("Papierzeit")
	if lena.Has("Prüfen und einreichen") {
		t.Error("the signed time on paper can be changed")
	}
	if n := count(t, w.TrainingDB, `SELECT count(*) FROM report a JOIN report b ON a.apprentice = b.apprentice AND a.id < b.id AND a.first_day <= b.last_day AND b.first_day <= a.last_day`); n != 0 {
		t.Errorf("%d reports overlap", n)
	}
	// The year knows them: on paper, written, and what is still missing.
	lena.Open(w.Training + "/reports?view=list&year=2028")
	lena.HasText("Auf Papier geführt")
	lena.Open(w.Training + "/exam")
	lena.HasText("Berichtsheft vollständig")

	anna := &person{browser.New(t, browser.Options{Width: 360}), t, w, ""}
	anna.Open(w.Training + "/reports/backfill") // a stranger is asked to sign in
	anna.HasText("Passwort")
}
