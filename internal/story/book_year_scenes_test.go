package story_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"zunft/internal/ground/browser"
	"zunft/internal/ground/db"
	"zunft/internal/training/calendar"
	"zunft/internal/training/chain"
)

// lenasPlan: how weeks usually are, and what is known beforehand.
func lenasPlan(phone *person) {
	phone.Open(phone.w.Training + "/settings/pattern")
	for _, day := range []string{"Montag", "Mittwoch", "Donnerstag", "Freitag"} {
		phone.In(day).Fill("Ort oder Abteilung", "Backstube")
	}
	phone.In("Dienstag").Fill("Meistens", "Berufsschule")
	phone.In("Dienstag").Fill("Stunden", "6")
	phone.Press("Speichern")
	phone.HasText("Neue Wochen beginnen jetzt so")
	phone.Open(phone.w.Training + "/absences")
	for _, plan := range [][3]string{{"Berufsschule (Block)", "2027-11-15", "2027-11-26"}, {"Urlaub", "2028-06-19", "2028-07-07"}} {
		phone.Choose(plan[0])
		phone.Fill("Erster Tag", plan[1])
		phone.Fill("Letzter Tag", plan[2])
		phone.Press("Eintragen")
		phone.HasText("Eingetragen.")
	}
	phone.HasText("19 Tage") // with the weekends in between
}

// changeOfTrainer: from February on Nora (R232, R333).
func changeOfTrainer(y *year) {
	y.t.Helper()
	boss := &person{browser.New(y.t, browser.Options{Width: 360}), y.t, y.w, "bert"}
	boss.again("/company/trainees")
	boss.Follow("Lena Lerche")
	boss.HasText("Murat Yılmaz")
	boss.Follow("Zuordnung ändern")
	boss.Fill("Wer ist zuständig?", "Nora Nagel (Ausbilder:in)")
	boss.Fill("Ab", "2028-02-01")
	boss.Press("Zuordnung speichern")
	boss.HasText("Zuordnungen geändert: 1")
}

// petrasWeeks are four weeks in the confectionery, sent to the address of its
// head: the first mail carries the PIN (R328), the others do not (R269), and
// with it she signs what was sent to her, and nothing else.
func petrasWeeks(y *year, lena *formHand) int {
	t, w := y.t, y.w
	const her = "petra@example.org"
	pin := ""
	for i, week := range []string{"2028-W10", "2028-W11", "2028-W12", "2028-W13"} {
		at, _ := calendar.ParseWeek(week)
		y.to(string(at.Date(5)) + " 15:30")
		lena.comes()
		lena.writes(at, "work", "Torten gefüllt und eingestrichen", her)
		m := mail(t, w, her, "Woche "+at.Name())
		_, rest, found := strings.Cut(m.Text, "PIN: ")
		if found != (i == 0) {
			t.Errorf("mail %d has a PIN: %v\n%s", i+1, found, m.Text)
		}
		if i > 0 && i < 3 {
			continue
		}
		if found {
			pin, _, _ = strings.Cut(rest, "\n")
			nora := y.hand("nora") // who answers for Lena says once whose address it is
			nora.comes()
			nora.has(nora.page("/reviews"), her)
			to := "/reviews/" + reportOf(t, w, at) + "/confirm"
			nora.has(nora.send(to, formOn(t, nora.page("/reviews"), to)), "ist bestätigt")
		}
		petra := &person{browser.New(t, browser.Options{Width: 360}), t, w, "petra"}
		petra.Open(link(t, m, "/supervisor/reports/"))
		petra.Fill("E-Mail-Adresse", her)
		petra.Fill("PIN", strings.TrimSpace(pin))
		petra.Press("Anmelden")
		petra.HasText("Torten gefüllt")
		petra.Press("Abzeichnen")
		petra.HasText("ist abgezeichnet")
		if i == 3 { // the same PIN for all that wait
			for _, name := range []string{"Woche 11", "Woche 12"} {
				petra.Open(w.Training + "/supervisor")
				petra.Follow("Lena Lerche, " + name)
				petra.Press("Abzeichnen")
				petra.HasText("ist abgezeichnet")
			}
		}
		y.final()
	}
	all, err := w.Mail.Wait(t.Context(), her, 1)
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// reopened: what Murat signed in October is returned by Nora in May (R335); until
// then it is locked (R334).
func reopened(y *year, phone *person) {
	t, w := y.t, y.w
	y.to("2028-05-09 10:00")
	phone.again("/reports/2027-W42")
	phone.HasText("Abgezeichnet")
	if phone.Has("Prüfen und einreichen") {
		t.Error("a signed week can be changed") // R334
	}
	head := &person{browser.New(t, browser.Options{Width: 360}), t, w, "nora"}
	head.again("/reviews/" + reportOf(t, w, calendar.Week{Year: 2027, Number: 42}))
	head.Press("Nachträglich zurückgeben")
	head.Fill("Was soll noch anders werden?", "Die Hygieneschulung fehlt.")
	head.In("Was soll noch anders werden?").Press("Zurückgeben")
	mailSaying(t, w, "lena@example.org", "Woche 42", "Die Hygieneschulung fehlt.")
	y.to("2028-05-10 08:00")
	phone.again("/reports/2027-W42")
	phone.HasText("Die Hygieneschulung fehlt.")
	phone.Fill("Unterweisungen, betrieblicher Unterricht, Schulungen", "Hygieneschulung am 20. Oktober")
	phone.Press("Prüfen und einreichen")
	phone.Press("Jetzt einreichen")
}

// wholeYear: what is there after a year, counted.
func wholeYear(y *year, phone *person) {
	t, w := y.t, y.w
	phone.again("/reports")
	phone.HasText("52 von 52 Wochen abgezeichnet · 0 offen · 0 eingereicht")
	for at, want := range map[string]int{"2027": 22, "2028": 30} {
		phone.Open(w.Training + "/reports?view=list&year=" + at)
		if n := strings.Count(phone.Text(), "Abgezeichnet"); n != want {
			t.Errorf("%d weeks of %s are signed, wanted %d:\n%s", n, at, want, phone.Text())
		}
	}
	phone.Open(w.Training + "/attendance")
	for _, text := range []string{"5 von 240 Ausbildungstagen gefehlt (3 %)", "179 Tage", "56 Tage", "15 Tage"} {
		phone.HasText(text)
	}
	phone.Open(w.Training + "/exam")
	phone.HasText("Ein Punkt ist noch offen.")
	phone.HasText("Alle 52 Wochen sind geschrieben.")
	phone.HasText("52 Wochen sind abgezeichnet, keine wartet.")
	phone.HasText("Noch kein Tag angegeben") // of the intermediate exam: that is what is open

	// The states, the seals and the signers, in the database.
	lena := personSub(t, w, "lena@example.org")
	for query, want := range map[string]int{
		`SELECT count(*) FROM report WHERE state = 'signed_off' AND undo_until IS NULL`: 52,
		`SELECT count(*) FROM report`:                                                                             52,
		`SELECT count(*) FROM report_seal`:                                                                        53, // one was opened again
		`SELECT count(*) FROM report_event WHERE event = 'undone'`:                                                1,
		`SELECT count(*) FROM report_event WHERE event = 'returned'`:                                              1,
		`SELECT count(*) FROM report_event WHERE event = 'reopened'`:                                              1,
		`SELECT count(*) FROM report r JOIN person p ON p.sub = r.decided_by WHERE p.email = 'murat@example.org'`: 23,
		`SELECT count(*) FROM report r JOIN person p ON p.sub = r.decided_by WHERE p.email = 'nora@example.org'`:  25,
		`SELECT count(*) FROM report r JOIN person p ON p.sub = r.decided_by WHERE p.email = 'petra@example.org'`: 4,
		`SELECT count(*) FROM reminder_sent WHERE kind = 'writing'`:                                               4,
		`SELECT count(*) FROM silence WHERE told_at IS NOT NULL`:                                                  1,
	} {
		if n := count(t, w.TrainingDB, query); n != want {
			t.Errorf("%d, wanted %d: %s", n, want, query)
		}
	}

	wholePDF(y, phone)

	// The chain holds; whoever changes a week behind the rules is found out.
	check := func() (f chain.Finding) {
		t.Helper()
		if err := w.TrainingDB.Read(t.Context(), func(tx *db.Tx) (err error) { f, err = chain.Check(tx, lena, chain.Seal{}); return err }); err != nil {
			t.Fatal(err)
		}
		return f
	}
	if f := check(); f.Seals != 53 || len(f.Misfits) > 0 {
		t.Errorf("%d seals, wanted 53; misfits: %v", f.Seals, f.Misfits)
	}
	if err := w.TrainingDB.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE report SET work = 'Alles gut.' WHERE year = 2027 AND week = 50`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if f := check(); len(f.Misfits) != 1 || f.Misfits[0].Week != "2027-W50" || f.Misfits[0].What != chain.Changed {
		t.Errorf("a week was changed past the rules, and the seals say %v", f.Misfits)
	}
}

// wholePDF: the book has every week with its signer, and is known.
func wholePDF(y *year, phone *person) {
	t, w := y.t, y.w
	phone.Open(w.Training + "/reports/export")
	phone.Press("PDF erstellen")
	phone.untilReady()
	phone.HasText("52 Nachweise, davon 52 abgezeichnet")
	_, pdf := phone.Download("PDF herunterladen")
	path := filepath.Join(t.TempDir(), "heft.pdf")
	if err := os.WriteFile(path, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	code := coverCode(t, path)
	out, err := exec.Command("pdftotext", "-layout", path, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	text := string(out)
	_, record, _ := strings.Cut(text, "Ausbildende sehen die Nachweise regelmäßig durch")
	for week := calendar.Date("2027-08-02").Week(); week.String() != "2028-W31"; week = week.Add(1) {
		if n := strings.Count(text, "Ausbildungsnachweis Woche "+week.Name()+"\n"); n != 1 {
			t.Errorf("week %s stands %d times in the book", week, n)
		}
	}
	for name, want := range map[string]int{"Murat Yılmaz": 23, "Nora Nagel": 25, "petra@example.org": 4} {
		if n := strings.Count(record, name); n != want {
			t.Errorf("%s signed %d weeks of the record, wanted %d", name, n, want)
		}
	}
	anybody := &person{browser.New(t, browser.Options{Width: 360}), t, w, ""}
	anybody.Open(w.Training + "/verify/" + strings.ReplaceAll(code, "-", ""))
	anybody.HasText("Dieses Dokument wurde hier erstellt")
	anybody.HasText("52, davon 52 abgezeichnet")
	anybody.LacksText("Lena")
	anybody.Upload("PDF-Datei", path)
	anybody.Press("Vergleichen")
	anybody.HasText("Die Datei ist echt")
}
