package story_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/browser"
	"zunft/internal/ground/db"
	groundmail "zunft/internal/ground/mail"
	"zunft/internal/identity/membership"
	"zunft/internal/story"
	"zunft/internal/training/calendar"
	"zunft/internal/training/chain"
	"zunft/internal/training/registry"
	"zunft/internal/training/reminder"
	"zunft/internal/training/review"
)

// A year of one book: the clock goes from day to day, and at nine and at six
// the portal does what it does by itself.
type year struct {
	t *testing.T
	w *story.World
	c *clock
}

// moment reads "2027-08-02 07:00", in Berlin's time.
func (y *year) moment(s string) time.Time {
	y.t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", s, groundmail.Berlin)
	if err != nil {
		y.t.Fatal(err)
	}
	return at
}

func (y *year) set(at time.Time) { y.c.ahead.Store(int64(time.Until(at))) }

// to lets time pass until a moment: no reminder is skipped on the way, as none
// is while the portal runs.
func (y *year) to(s string) {
	y.t.Helper()
	end := y.moment(s)
	for at := y.c.now().In(groundmail.Berlin); ; {
		next := time.Date(at.Year(), at.Month(), at.Day(), 9, 0, 0, 0, groundmail.Berlin)
		if at.Hour() >= 18 {
			next = next.AddDate(0, 0, 1)
		} else if at.Hour() >= 9 {
			next = time.Date(at.Year(), at.Month(), at.Day(), 18, 0, 0, 0, groundmail.Berlin)
		}
		if next.After(end) {
			break
		}
		y.set(next)
		at = next
		y.works()
	}
	y.set(end)
}

// works does what the portal's jobs do.
func (y *year) works() {
	y.t.Helper()
	if err := reminder.Run(y.t.Context(), y.w.TrainingDB); err != nil {
		y.t.Fatal(err)
	}
	if err := review.Settle(y.t.Context(), y.w.TrainingDB); err != nil {
		y.t.Fatal(err)
	}
}

// final lets the ten minutes pass after which a decision stands.
func (y *year) final() {
	y.t.Helper()
	y.c.pass(11 * time.Minute)
	y.works()
}

// A formHand sends the forms of pages as they are, without a browser around it: for
// the many weeks that are like others.
type formHand struct {
	*year
	key  string
	http *http.Client
}

func (y *year) hand(key string) *formHand { return &formHand{year: y, key: key} }

// comes signs in anew, as everybody does who was away for a day.
func (h *formHand) comes() {
	h.t.Helper()
	jar, _ := cookiejar.New(nil)
	h.http = &http.Client{Jar: jar, Timeout: 30 * time.Second}
	p := h.w.Person(h.key)
	r, err := h.http.PostForm(h.w.Identity+"/login", url.Values{"username": {p.Username}, "password": {p.Password}})
	if err != nil {
		h.t.Fatal(err)
	}
	r.Body.Close()
	h.status("/documents") // a page for people leads through the door
	if page := h.page("/"); !strings.Contains(page, "Abmelden") {
		h.t.Fatalf("%s does not come in:\n%s", h.key, page)
	}
}

func (h *formHand) read(r *http.Response, err error) (*http.Response, string) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return r, string(b)
}

// page opens a page that is there.
func (h *formHand) page(path string) string {
	h.t.Helper()
	r, body := h.read(h.http.Get(h.w.Training + path))
	if asked, _, _ := strings.Cut(path, "?"); r.StatusCode != http.StatusOK || r.Request.URL.Path != asked {
		h.t.Fatalf("%s opens %s: %d %s\n%s", h.key, path, r.StatusCode, r.Request.URL, inMain(body))
	}
	return body
}

func (h *formHand) status(path string) int {
	h.t.Helper()
	r, _ := h.read(h.http.Get(h.w.Training + path))
	return r.StatusCode
}

// send sends a form and is the page it leads to.
func (h *formHand) send(action string, form url.Values) string {
	h.t.Helper()
	r, body := h.read(h.http.PostForm(h.w.Training+action, form))
	if r.StatusCode != http.StatusOK {
		h.t.Fatalf("%s sends %s: %d\n%s", h.key, action, r.StatusCode, inMain(body))
	}
	return body
}

func (h *formHand) has(body string, texts ...string) {
	h.t.Helper()
	said := text(inMain(body))
	for _, text := range texts {
		if !strings.Contains(said, text) {
			h.t.Errorf("%s does not read %q:\n%s", h.key, text, said)
		}
	}
}

func inMain(body string) string {
	_, rest, _ := strings.Cut(body, "<main")
	rest, _, _ = strings.Cut(rest, "</main>")
	return "<main" + rest
}

// formOn is a form of a page as a browser would send it, without a button.
func formOn(t testing.TB, body, action string) url.Values {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	attr := func(n *html.Node, key string) (string, bool) {
		for _, a := range n.Attr {
			if a.Key == key {
				return a.Val, true
			}
		}
		return "", false
	}
	var form url.Values
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" {
			continue
		}
		if to, _ := attr(n, "action"); to != action {
			continue
		}
		form = url.Values{}
		for x := range n.Descendants() {
			name, named := attr(x, "name")
			if x.Type != html.ElementNode || !named {
				continue
			}
			value, _ := attr(x, "value")
			switch x.Data {
			case "input":
				kind, _ := attr(x, "type")
				if _, on := attr(x, "checked"); (kind == "checkbox" || kind == "radio") && !on {
					continue
				}
				form.Add(name, value)
			case "textarea":
				for c := range x.ChildNodes() {
					value += c.Data
				}
				form.Add(name, value)
			case "select":
				for o := range x.Descendants() {
					if _, on := attr(o, "selected"); on {
						value, _ = attr(o, "value")
					}
				}
				form.Add(name, value)
			}
		}
	}
	if form == nil {
		t.Fatalf("no form to %s on the page:\n%s", action, text(inMain(body)))
	}
	return form
}

// writes is a week: open, type, check, submit, to the trainers or an address.
// What was filled in beforehand comes back. Nothing said: an absence needs no text.
func (h *formHand) writes(week calendar.Week, field, said, to string) (days [7]string) {
	h.t.Helper()
	at := "/reports/" + week.String()
	form := formOn(h.t, h.page(at), at)
	for i := range days {
		days[i] = form.Get(fmt.Sprintf("d%d_attendance", i+1))
	}
	if said != "" {
		form.Set(field, said+" (Woche "+week.Name()+")")
	}
	form.Set("do", "check")
	form = formOn(h.t, h.send(at, form), at+"/submit")
	form.Set("approver", to)
	h.has(h.send(at+"/submit", form), "Eingereicht", "Woche "+week.Name())
	return days
}

// signs reads everything that waits and signs it off with one confirmation.
func (h *formHand) signs(want int) {
	h.t.Helper()
	h.comes()
	form := formOn(h.t, h.page("/reviews/all"), "/reviews/all")
	if n := len(form["report"]); n != want {
		h.t.Fatalf("%s has %d reports to read on %s, wanted %d", h.key, n, h.c.now().Format(time.DateOnly), want)
	}
	form.Set("read", "yes")
	h.has(h.send("/reviews/all", form), fmt.Sprintf("Gemeinsam abgezeichnete Nachweise: %d.", want))
	h.final()
}

// again signs somebody in at their window, another day.
func (p *person) again(path string) {
	p.t.Helper()
	p.signIn()
	p.Open(p.w.Training + "/documents") // leads through the door, as the first page does not
	p.Open(p.w.Training + path)
}

// One apprentice's book from August to July, through the front door: who
// decides on a phone and on paper that is sent, what is filled in beforehand,
// who is told what, and what it is in the end. Fifty-two weeks, to the day.
//
// R216 R224 R226 R227 R228 R229 R232 R268 R269 R323 R324 R325 R326 R327 R328
// R329 R330 R331 R332 R333 R334 R335
func TestAYearOfOneBook(t *testing.T) {
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
	if petra != 4 {
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

// personSub is who has an address, as the training portal knows them.
func personSub(t *testing.T, w *story.World, email string) (sub string) {
	t.Helper()
	if err := w.TrainingDB.Read(t.Context(), func(tx *db.Tx) (err error) {
		sub, err = db.Value[string](tx, `SELECT sub FROM person WHERE email = $1`, email)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return sub
}

// mails waits until an address has so many mails of a subject, and wants no more.
func mails(t *testing.T, w *story.World, to, subject string, want int) {
	t.Helper()
	n := 0
	for end := time.Now().Add(20 * time.Second); n < want && time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		all, err := w.Mail.Wait(t.Context(), to, 1)
		if err != nil {
			t.Fatal(err)
		}
		n = 0
		for _, m := range all {
			if strings.Contains(m.Subject, subject) {
				n++
			}
		}
	}
	if n != want {
		t.Fatalf("%s has %d mails %q, wanted %d", to, n, subject, want)
	}
}

// mailSaying waits for a mail to an address with a subject, and words in it.
func mailSaying(t *testing.T, w *story.World, to, subject string, texts ...string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		all, err := w.Mail.Wait(t.Context(), to, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			says := strings.Contains(m.Subject, subject)
			for _, text := range texts {
				says = says && strings.Contains(m.Text, text)
			}
			if says {
				return
			}
		}
	}
	t.Fatalf("%s got no mail %q that says %q", to, subject, texts)
}
