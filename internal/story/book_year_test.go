package story_test

import (
	"net/http"
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/browser"
	"zunft/internal/identity/membership"
	"zunft/internal/story"
	"zunft/internal/training/calendar"
	"zunft/internal/training/registry"
)

// One apprentice's book from August to July, through the front door: who
// decides on a phone and on paper that is sent, what is filled in beforehand,
// who is told what, and what it is in the end. Fifty-two weeks, to the day.
//
// R216 R224 R226 R227 R228 R229 R232 R268 R269 R323 R324 R325 R326 R327 R328
// R329 R330 R331 R332 R333 R334 R335
func TestAYearOfOneBook(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			y := &year{t: t, c: &clock{}}
			y.set(y.moment("2027-08-02 07:00"))
			y.w = start(t, engine, story.Options{Now: y.c.now})
			aYear(y)
		})
	}
}

func aYear(y *year) {
	t, w := y.t, y.w
	lena, murat, nora, bert := y.hand("lena"), y.hand("murat"), y.hand("nora"), y.hand("bert")
	phone, desk := &person{browser.New(t, browser.Options{Width: 360}), t, w, "lena"}, &person{browser.New(t, browser.Options{Width: 360}), t, w, "murat"}
	first := calendar.Date("2027-08-02").Week()
	next := first
	// until lets Lena write on Fridays, up to the week before one.
	until := func(stop string) {
		t.Helper()
		for ; next.String() != stop; next = next.Add(1) {
			y.to(string(next.Date(5)) + " 15:30")
			lena.comes()
			lena.writes(next, "work", "Teige geführt, Brötchen geformt, Öfen bestückt", "")
		}
	}

	// August: the registry knows the contract, the tokens know the numbers.
	companyRole(t, w, "bert", "training_admin", membership.Details{})
	companyRole(t, w, "lena", "apprentice", membership.Details{ApprenticeNumber: "A-1001"})
	companyRole(t, w, "murat", "trainer", membership.Details{TrainerNumber: "T-17"})
	companyRole(t, w, "nora", "trainer", membership.Details{TrainerNumber: "T-18"})
	report, err := registry.Import(t.Context(), w.TrainingDB, audit.Console, registry.Options{Chamber: story.ChamberNumber}, strings.NewReader(
		"Azubi-Identnummer;Vorname;Nachname;Identnummer;Ausbildungsberuf;Beginn;Ende;Ausbilder-Nr.;Bundesland\nA-1001;Lena;Lerche;100017;Bäckerin;02.08.2027;01.08.2030;T-17;NI\n"))
	if err != nil || report.Created != 1 {
		t.Fatal(report, err)
	}
	for _, h := range []*formHand{bert, murat, nora} {
		h.comes()
	}
	form := formOn(t, bert.page("/company/reminders"), "/company/reminders")
	form.Set("weeks", "2")
	bert.send("/company/reminders", form)
	phone.again("/exam")
	phone.HasText("Noch ist keine Woche abgezeichnet") // the list is there from the first day
	phone.HasText("steht im Verzeichnis der Kammer")
	lenasPlan(phone)

	// The first week, on the phone; signed, taken back, and signed (R332).
	y.to("2027-08-06 15:30")
	phone.again("/reports/" + first.String())
	phone.HasText("4 × Betrieb, 1 × Berufsschule, 38 Std.")
	phone.Fill("Betriebliche Tätigkeiten", "Backstube kennengelernt, Mehl gewogen. (Woche 31)")
	phone.Press("Prüfen und einreichen")
	phone.Press("Jetzt einreichen")
	phone.HasText("Murat Yılmaz")
	next = next.Add(1)
	y.to("2027-08-09 10:00")
	desk.again("/reviews")
	desk.Follow("Lena Lerche, Woche 31")
	desk.Press("Abzeichnen")
	desk.Press("Rückgängig")
	desk.HasText("ist zurückgenommen")
	desk.Open(w.Training + "/reviews")
	desk.Follow("Lena Lerche, Woche 31")
	desk.Press("Zurückgeben oder Bemerkung")
	desk.Fill("Bemerkung", "Guter Anfang.")
	desk.Press("Mit Bemerkung abzeichnen")
	y.final()
	mail(t, w, "lena@example.org", "Woche 31 ist abgezeichnet")
	until("2027-W35")
	y.to("2027-08-30 10:00")
	murat.signs(3)

	// September: returned with a reason, mended, signed (R331).
	until("2027-W39")
	y.to("2027-09-27 10:00")
	desk.again("/reviews")
	desk.HasText("4 Nachweise warten")
	desk.Follow("Lena Lerche, Woche 38")
	desk.Press("Zurückgeben oder Bemerkung")
	desk.Press("Zurückgeben")
	desk.HasText("Schreiben Sie, was noch anders werden soll") // R331: not without a reason
	desk.Fill("Bemerkung", "Welche Mengen waren es?")
	desk.Press("Zurückgeben")
	mailSaying(t, w, "lena@example.org", "Woche 38", "Welche Mengen waren es?")
	phone.again("/")
	phone.HasText("Welche Mengen waren es?")
	phone.Follow("Woche 38 überarbeiten")
	phone.Fill("Betriebliche Tätigkeiten", "20 kg Roggenteig geführt, 400 Brötchen geformt. (Woche 38)")
	phone.Press("Prüfen und einreichen")
	phone.Press("Jetzt einreichen")
	y.to("2027-09-28 10:00")
	murat.signs(4)

	// October: Murat is on vacation, Nora stands in.
	until("2027-W39")
	y.to("2027-10-01 09:30")
	murat.comes()
	form = formOn(t, murat.page("/substitute"), "/substitute")
	form.Set("deputy", personSub(t, w, "nora@example.org"))
	form.Set("from", "2027-10-04")
	form.Set("until", "2027-10-17")
	murat.has(murat.send("/substitute", form), "Nora Nagel", "04.10.2027 – 17.10.2027")
	mail(t, w, "nora@example.org", "Vertretung")
	until("2027-W41")
	y.to("2027-10-11 10:00")
	nora.signs(2)
	until("2027-W42")
	y.to("2027-10-18 10:00")
	nora.comes()
	nora.has(nora.page("/reviews"), "Keine offenen Nachweise") // it is over
	until("2027-W44")
	y.to("2027-11-01 10:00")
	murat.signs(3)

	// November: a week is forgotten. It runs out, and on Sunday a mail says so (R323).
	next = next.Add(1)
	until("2027-W46")
	y.to("2027-11-14 18:05")
	m := mail(t, w, "lena@example.org", "Eine Woche fehlt im Berichtsheft")
	if !strings.Contains(m.Text, "Woche 44 (01.11. – 07.11.2027)") || strings.Contains(m.Text, "Woche 45") {
		t.Errorf("the reminder says:\n%s", m.Text)
	}
	y.to("2027-11-15 08:00")
	phone.again("/")
	phone.Follow("Woche 44 einreichen")
	phone.Fill("Betriebliche Tätigkeiten", "Stollen gebacken. (Woche 44)")
	phone.Press("Prüfen und einreichen")
	phone.Press("Jetzt einreichen")
	// A school block fills two weeks in.
	for ; next.String() != "2027-W48"; next = next.Add(1) {
		y.to(string(next.Date(5)) + " 15:30")
		lena.comes()
		if days := lena.writes(next, "school", "Sauerteig: Führungsarten und Rechnen", ""); days != [7]string{"school", "school", "school", "school", "school"} {
			t.Errorf("the block of week %s is %v", next, days)
		}
		if next.String() == "2027-W46" { // R324: what waits, once a week
			y.to("2027-11-26 09:05")
			mailSaying(t, w, "murat@example.org", "3 Ausbildungsnachweise warten auf Sie", "der älteste seit dem 12.11.2027", "- Lena Lerche: 3")
		}
	}
	y.to("2027-11-29 10:00")
	murat.signs(4)
	until("2028-W01")
	y.to("2028-01-03 10:00")
	murat.signs(5)

	// January: silence. The company wants to know after two weeks; the apprentice
	// is told before, the trainer on the day, and both read it on their pages.
	until("2028-W02")
	y.to("2028-01-30 18:05")
	mail(t, w, "lena@example.org", "2 Wochen fehlen im Berichtsheft")
	mail(t, w, "murat@example.org", "Lena L. hat seit 3 Wochen nichts eingereicht")
	y.to("2028-01-31 07:00")
	phone.again("/")
	phone.HasText("Sie haben seit dem 07.01.2028 nichts eingereicht.")
	phone.HasText("Am 30.01.2028 haben wir es denen gesagt")
	phone.Open(w.Training + "/exam")
	phone.HasText("2 von 26 Wochen fehlen.")
	phone.HasText("1 Woche wartet auf die Durchsicht.")
	lena.comes()
	for range 3 {
		lena.writes(next, "work", "Nachgetragen: Brot und Brötchen", "")
		next = next.Add(1)
	}
	lena.has(lena.page("/exam"), "Alle 26 Wochen sind geschrieben.", "4 Wochen warten auf die Durchsicht.")
	murat.signs(4)
	y.to("2028-01-31 12:00")
	changeOfTrainer(y)

	// February: ill. Two taps, and the week is said (ux.md 2.8).
	y.to("2028-02-04 15:30")
	phone.again("/reports/2028-W05")
	phone.Press("Ganze Woche abwesend")
	phone.Press("Ganze Woche krank")
	phone.Press("Jetzt einreichen")
	phone.HasText("Nora Nagel")
	next = next.Add(1)
	// Who was the trainer sees nothing of it any more; who is, does (R333).
	murat.comes()
	murat.has(murat.page("/reviews"), "Keine offenen Nachweise")
	if said := murat.page("/trainees"); strings.Contains(said, "Lena Lerche") {
		t.Error("Murat still accompanies Lena")
	}
	if status := murat.status("/reviews/" + reportOf(t, w, calendar.Week{Year: 2028, Number: 5})); status != http.StatusNotFound {
		t.Errorf("Murat opens a week of Nora's: %d", status)
	}
	until("2028-W09")
	y.to("2028-02-28 10:00")
	nora.signs(4)
	until("2028-W10")
	y.to("2028-03-06 10:00")
	nora.signs(1)

	// March: a department whose head has no account.
	petra := petrasWeeks(y, lena)
	next = next.Add(4)
	if petra != 5 { // one a week, and that her address is confirmed
		t.Errorf("Petra got %d mails", petra)
	}

	// Spring: public holidays of Niedersachsen stand there already.
	holidays := map[string]int{"2028-W15": 5, "2028-W16": 1, "2028-W18": 1, "2028-W21": 4, "2028-W23": 1}
	spring := func(stop string) {
		t.Helper()
		for ; next.String() != stop; next = next.Add(1) {
			y.to(string(next.Date(5)) + " 15:30")
			lena.comes()
			days := lena.writes(next, "work", "Brote gewirkt, Kuchen belegt", "")
			for i, said := range days[:5] {
				if is := said == "holiday"; is != (holidays[next.String()] == i+1) {
					t.Errorf("week %s, day %d is %q", next, i+1, said)
				}
			}
		}
	}
	spring("2028-W18")
	y.to("2028-05-02 10:00")
	nora.signs(4)
	spring("2028-W19")
	reopened(y, phone)
	y.to("2028-05-10 12:00")
	nora.signs(2)
	spring("2028-W24")
	y.to("2028-06-12 10:00")
	nora.signs(5)
	until("2028-W25")

	// Summer: three weeks of vacation, planned last August. Nobody is reminded
	// meanwhile; on the Sunday after it one mail names the weeks that ended.
	y.to("2028-07-09 18:05")
	mails(t, w, "lena@example.org", "Wochen fehlen im Berichtsheft", 2)
	y.to("2028-07-10 08:00")
	lena.comes()
	for range 3 {
		if days := lena.writes(next, "work", "", ""); days != [7]string{"vacation", "vacation", "vacation", "vacation", "vacation"} {
			t.Errorf("vacation in week %s is %v", next, days)
		}
		next = next.Add(1)
	}
	until("2028-W29")
	y.to("2028-07-17 10:00")
	nora.signs(5)
	until("2028-W31")
	y.to("2028-07-31 10:00")
	nora.signs(2)
	wholeYear(y, phone)
}
