package portal_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/mail"
	"zunft/internal/training/outage"
	"zunft/internal/training/reminder"
	"zunft/internal/training/schema"
)

// moves sets the clock, in Berlin's time; who is named signs in again.
func (w *world) moves(moment string, again ...*visit) {
	w.t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", moment, mail.Berlin)
	if err != nil {
		w.t.Fatal(err)
	}
	w.d.Now = func() time.Time { return at }
	for _, v := range again {
		v.signIn()
	}
}

func (w *world) reminds() {
	w.t.Helper()
	if err := reminder.Run(w.t.Context(), w.d); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) sql(query string, args ...any) {
	w.t.Helper()
	if err := w.d.Write(context.Background(), func(tx *db.Tx) error { _, err := tx.Exec(query, args...); return err }); err != nil {
		w.t.Fatal(err)
	}
}

// learns gives an apprentice an apprenticeship that the company described.
func (w *world) learns(sub, company, from string) {
	w.t.Helper()
	w.sql(`INSERT INTO apprenticeship (id, person, company, name_key, starts_on, source, created_at, changed_at) VALUES ($1, $2, $3, $2, $4, 'company', $5, $5)`, db.NewID(), sub, company, from, db.At(now))
}

// got is how many mails an address has, and the last one.
func (w *world) got(to string, n int) mail.Message {
	w.t.Helper()
	all := w.mails(to)
	if len(all) != n {
		w.t.Fatalf("%s has %d mails, wanted %d: %+v", to, len(all), n, all)
	}
	if n == 0 {
		return mail.Message{}
	}
	return all[n-1]
}

func (w *world) says(m mail.Message, texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		if !strings.Contains(m.Subject+"\n"+m.Body, text) {
			w.t.Errorf("the mail lacks %q:\n%s\n%s", text, m.Subject, m.Body)
		}
	}
}

const (
	annas = "anna@beispiel.example"
	berts = "bert@beispiel.example"
)

// R323: once a week, at the chosen day and hour, apprentices are told which
// weeks are missing or came back; nothing missing or not wanted, no mail.
func TestApprenticesAreReminded(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		bert := w.comes(claims("bert", "Bert", "Backmann", "korn", "trainer"))
		old := w.comes(claims("otto", "Otto", "Alt", "korn", "apprentice"))
		w.learns("anna", "korn", "2026-10-26")
		w.learns("otto", "korn", "2018-07-31") // R323: from 1 August 2018 on
		w.reminds()
		w.got(annas, 0)
		anna.follow("/reports/2026-W44", "version", "0", "do", "save", "work", "Teige", "d1_attendance", "company")
		w.moves("2026-11-22 17:59", anna, bert, old)
		w.reminds()
		w.got(annas, 0)
		w.moves("2026-11-22 18:00")
		w.reminds()
		w.reminds()
		m := w.got(annas, 1)
		w.says(m, "3 Wochen fehlen im Berichtsheft", "- Woche 44 (26.10. – 01.11.2026)", "- Woche 46", "/reports/2026-W44", "/settings/reminders")
		if strings.Contains(m.Body, "Woche 47") || strings.Contains(m.Body, "Teige") {
			t.Errorf("this week runs, and no text goes out: %s", m.Body)
		}
		w.got("otto@beispiel.example", 0)

		// Another day and hour; in English; what was returned.
		w.moves("2026-11-23 10:00", anna)
		anna.get("/settings").is(200).has(`href="/settings/reminders"`, `href="/settings/pattern"`, `href="/absences"`, `href="/snippets"`, `href="/settings/tokens"`)
		anna.get("/settings/reminders").is(200).has("Sonntag", "18 Uhr", "29.11.2026, 18:00").lacks("Was auf Sie wartet")
		anna.post("/settings/reminders", "writing_day", "9", "writing_hour", "3").is(422).has("Wählen Sie einen Wochentag und eine Stunde von 6 bis 22 Uhr")
		for _, c := range [][2]string{{"8", "18"}, {"3", "5"}, {"3", "23"}, {"3", ""}} { // nobody is woken
			anna.post("/settings/reminders", "writing_day", c[0], "writing_hour", c[1]).is(422)
		}
		anna.follow("/settings/reminders", "writing_day", "3", "writing_hour", "7").has("Gespeichert.", "25.11.2026, 07:00")
		w.sql(`UPDATE person SET language = 'en' WHERE sub = 'anna'`)
		anna.follow("/reports/2026-W47", "version", "0", "do", "save", "work", "Brot") // not due yet, and returned
		w.sql(`UPDATE report SET state = 'returned' WHERE apprentice = 'anna'`)
		w.moves("2026-11-25 07:04")
		w.reminds()
		m = w.got(annas, 2)
		w.says(m, "4 weeks are missing", "returned to be changed:", "- week 44", "- week 47")
		if _, back, _ := strings.Cut(m.Body, "returned to be changed:"); !strings.Contains(back, "- week 44") || !strings.Contains(back, "- week 47") || strings.Contains(back, "- week 45") {
			t.Errorf("what came back: %s", m.Body)
		}
		w.moves("2026-11-29 18:04")
		w.reminds()
		w.got(annas, 2)

		// Two nodes at once send once.
		w.moves("2026-12-02 07:00")
		var nodes sync.WaitGroup
		for range 4 {
			nodes.Go(func() {
				if err := reminder.Run(context.Background(), d); err != nil {
					t.Error(err)
				}
			})
		}
		nodes.Wait()
		w.got(annas, 3)

		// Off, and on again; who does not write has nothing to choose there.
		w.moves("2026-12-03 10:00", anna, bert)
		anna.follow("/settings/reminders", "writing_day", "0", "writing_hour", "7").has("Gespeichert.").lacks("Nächster Termin:")
		bert.follow("/settings/reminders", "writing_day", "1", "writing_hour", "7", "reviewing_day", "5", "reviewing_hour", "9").has("Was auf Sie wartet").lacks("Was im Berichtsheft fehlt")
		w.moves("2026-12-06 18:01") // at the usual time, too
		w.reminds()
		w.got(annas, 3)
		w.moves("2026-12-13 18:05")
		w.reminds()
		w.got(annas, 3)
		w.moves("2026-12-14 09:00", anna)
		anna.follow("/settings/reminders", "writing_day", "1", "writing_hour", "10")
		w.sql(`UPDATE report SET state = 'submitted', submitted_at = changed_at`)
		w.sql(`UPDATE apprenticeship SET ended_on = '2026-11-01' WHERE person = 'anna'`)
		w.moves("2026-12-14 10:05")
		w.reminds()
		w.got(annas, 3) // nothing is missing
		w.moves("2028-03-01 10:00")
		if err := reminder.Sweep(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		w.sql(`INSERT INTO reminder_sent (person, kind, week, sent_at) VALUES ('anna', 'writing', '2026-W47', $1)`, db.At(now)) // forgotten

		stranger := w.comes(claims("tina", "Tina", "Still", "korn", "training_admin"))
		stranger.get("/settings/reminders").is(403)
		stranger.post("/settings/reminders", "writing_day", "1", "writing_hour", "7").is(403)
	})
}

// R323: who is reminded: apprenticeships from 1 August 2018 on, also retrainees,
// while they run and for sixty days after; not where books are kept on paper
// (R316), and not who has lost the role.
func TestWhoIsReminded_R323(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for name, c := range map[string]struct {
			from, until, occupation string
			reminded                bool
		}{
			"first":    {"2018-08-01", "", "", true},
			"before":   {"2018-07-31", "", "", false},
			"runs":     {"2025-08-01", "2028-07-31", "", true},
			"just":     {"2023-08-01", "2026-09-23", "", true}, // sixty days before Sunday
			"over":     {"2023-08-01", "2026-09-22", "", false},
			"paper":    {"2025-08-01", "", "konditor", false},
			"lost":     {"2025-08-01", "", "", false},
			"retrains": {"2025-08-01", "", "", true},
		} {
			role := "apprentice"
			if name == "retrains" {
				role = "retrainee"
			}
			w.comes(claims(name, "Vor", "Nach", "korn", role))
			w.learns(name, "korn", c.from)
			w.sql(`UPDATE apprenticeship SET ends_on = $2, occupation = $3 WHERE person = $1`, name, c.until, c.occupation)
			defer func() {
				if n := len(w.mails(name + "@beispiel.example")); n != map[bool]int{true: 1}[c.reminded] {
					t.Errorf("%s has %d mails", name, n)
				}
			}()
		}
		w.sql(`INSERT INTO company_setting (company, occupation, electronic, mode, steps, due_days, changed_at) VALUES ('korn', 'konditor', FALSE, 'week', 1, 7, $1)`, db.At(now))
		w.reminds()
		w.sql(`DELETE FROM company_role WHERE person = 'lost'`)
		w.moves("2026-11-22 18:00")
		w.reminds()
	})
}

// R324: where nobody trains, the training admin hears of a silence; who has not
// been here for half a year hears of nobody, for they may have left. A holiday of
// some places rests those alone who said that theirs is one.
func TestWhoHears_R324(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.moves("2026-06-01 08:00")
		anna, jana := w.comes(claims("anna", "Lena", "Berg", "korn", "apprentice")), w.comes(claims("jana", "Jana", "Korn", "korn", "training_admin"))
		bert := w.comes(claims("bert", "Bert", "Backmann", "korn", "trainer"))
		w.learns("anna", "korn", "2026-06-01")
		w.reminds()
		anna.submitTo("2026-W23", "Teige", "").is(303)
		single := len(w.mails(berts))
		w.moves("2026-11-29 18:00") // half a year later: what is overdue by months waits for its next day
		w.reminds()
		w.moves("2026-12-04 09:00")
		anna.signIn()
		w.reminds()
		w.got(berts, single)
		w.moves("2026-12-06 18:00")
		jana.signIn()
		w.reminds()
		w.says(w.got("jana@beispiel.example", 1), "Lena B. hat seit")
		w.got(berts, single)
		w.moves("2026-12-07 09:00")
		bert.signIn()
		w.moves("2026-12-11 09:00")
		w.reminds()
		w.says(w.got(berts, single+1), "Ein Ausbildungsnachweis wartet auf Sie")

		// Fronleichnam in Thuringia: a holiday in Eichsfeld, none in Jena.
		w.moves("2027-05-24 10:00")
		for name, regional := range map[string]string{"ei": "corpus_christi", "jena": ""} {
			v := w.comes(claims(name, "Vor", "Nach", "korn", "apprentice"))
			w.learns(name, "korn", "2027-05-01")
			w.sql(`UPDATE apprenticeship SET land = 'TH' WHERE person = $1`, name)
			w.sql(`INSERT INTO week_pattern (person, days, regional, land, changed_at) VALUES ($1, '[]', $2, '', $3)`, name, regional, db.At(now))
			v.follow("/settings/reminders", "writing_day", "4", "writing_hour", "8")
		}
		w.moves("2027-05-27 08:00")
		w.reminds()
		w.got("ei@beispiel.example", 0)
		w.got("jena@beispiel.example", 1)
	})
}

// R323, M20: no mail on a public holiday of one's Land, in planned absences, and
// hours late; it comes at the same hour of the next day that is none of it.
func TestRemindersRest(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		emil := w.comes(claims("emil", "Emil", "Ernst", "korn", "apprentice"))
		w.learns("anna", "korn", "2026-10-26")
		w.learns("emil", "korn", "2026-10-26")
		w.moves("2026-11-16 12:00", anna, emil)
		w.sql(`UPDATE apprenticeship SET land = CASE person WHEN 'anna' THEN 'SN' ELSE 'BY' END`)
		for _, v := range []*visit{anna, emil} { // Wednesday: Buß- und Bettag in Saxony alone
			v.follow("/settings/reminders", "writing_day", "3", "writing_hour", "8")
		}
		w.moves("2026-11-18 08:00")
		w.reminds()
		w.got("emil@beispiel.example", 1)
		w.got(annas, 0)
		w.moves("2026-11-19 07:59", anna, emil)
		w.reminds()
		w.got(annas, 0)
		w.moves("2026-11-19 08:00")
		w.reminds()
		w.got(annas, 1)

		// A week of vacation: the next one is the one after it.
		w.moves("2026-11-20 08:00", anna, emil)
		anna.follow("/absences", "attendance", "vacation", "from", "2026-11-23", "until", "2026-11-30") // nobody wants one on Tuesday and one on Wednesday
		emil.follow("/absences", "attendance", "sick", "from", "2026-11-25", "until", "2026-11-27")
		for day := 25; day <= 30; day++ {
			w.moves(fmt.Sprintf("2026-11-%d 08:01", day))
			w.reminds()
			w.got(annas, 1)
		}
		w.got("emil@beispiel.example", 2) // on Saturday
		w.moves("2026-12-01 08:01")
		w.reminds()
		w.got(annas, 1)
		w.moves("2026-12-02 08:01")
		w.reminds()
		w.got(annas, 2)

		// The portal was down at eight and is back in the night: nobody is woken.
		w.moves("2026-12-10 02:00")
		w.reminds()
		w.got(annas, 2)
		w.moves("2026-12-10 08:00")
		w.reminds()
		w.got(annas, 3)
	})
}

// R324: trainers are told how many wait, since when and of whom, as their queue
// says it. Who likes that better gets no mail per submission (M20).
func TestTrainersAreReminded(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		emil := w.comes(claims("emil", "Emil", "Ernst", "korn", "apprentice"))
		bert := w.comes(claims("bert", "Bert", "Backmann", "korn", "trainer"))
		w.comes(claims("nora", "Nora", "Nagel", "korn", "trainer"))
		w.comes(claims("olga", "Olga", "Otter", "mehl", "trainer"))
		w.reminds()
		for _, week := range []string{"2026-W45", "2026-W46"} {
			anna.submitTo(week, "Teige", "").is(303)
		}
		emil.submitTo("2026-W46", "Brot", "").is(303)
		w.says(w.got(berts, 3), "/settings/reminders") // M20 says where to get less of it
		w.moves("2026-11-20 09:00", bert)
		w.reminds()
		w.reminds()
		w.says(w.got(berts, 4), "3 Ausbildungsnachweise warten auf Sie", "seit dem 18.11.2026", "- Anna Muster: 2", "- Emil Ernst: 1", "/reviews", "/settings/reminders")
		w.got("olga@beispiel.example", 0)

		// M20 falls silent for Bert, not for others.
		nora := len(w.mails("nora@beispiel.example"))
		bert.get("/reviews").is(200).has(`href="/settings/reminders"`)
		bert.follow("/settings/reminders", "reviewing_day", "1", "reviewing_hour", "8", "reviewing_quiet", "yes").has("Gespeichert.", `checked`)
		w.moves("2026-11-21 12:00", emil, bert)
		emil.submitTo("2026-W45", "Brötchen", "").is(303)
		w.got(berts, 4)
		w.got("nora@beispiel.example", nora+1)
		w.moves("2026-11-23 08:00")
		w.reminds()
		w.says(w.got(berts, 5), "4 Ausbildungsnachweise warten")

		// While somebody stands in for Bert, the deputy gets it, with Bert's.
		w.sql(`INSERT INTO assignment (id, apprenticeship, person, role, from_day, created_at) SELECT 'x' || a.id, a.id, 'bert', 'trainer', '2026-11-01', a.created_at FROM apprenticeship a`)
		w.moves("2026-11-27 09:00")
		w.reminds()
		deputy := len(w.mails("nora@beispiel.example"))
		w.sql(`INSERT INTO substitute (id, company, person, deputy, from_day, until_day, created_at) VALUES ('s', 'korn', 'bert', 'nora', '2026-11-28', '2026-12-06', $1)`, db.At(now))
		w.moves("2026-11-30 08:01")
		w.reminds()
		w.got(berts, 5)
		w.moves("2026-12-04 09:01")
		w.reminds()
		w.got(berts, 5)
		w.says(w.got("nora@beispiel.example", deputy+1), "4 Ausbildungsnachweise warten")

		// No weekly mail: single ones again.
		w.moves("2026-12-07 09:00", bert, emil)
		bert.follow("/settings/reminders", "reviewing_day", "0", "reviewing_hour", "8", "reviewing_quiet", "yes")
		emil.submitTo("2026-W48", "Kuchen", "").is(303)
		w.says(w.got(berts, 6), "Emil Ernst hat Woche 48 eingereicht")
	})
}

// R323, R324: after weeks of silence the trainer hears of it, once; the
// apprentice reads it on their page before. Days of rest do not count.
func TestTrainersHearOfSilence(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.moves("2026-10-05 08:00")
		anna := w.comes(claims("anna", "Lena", "Berg", "korn", "apprentice"))
		emil := w.comes(claims("emil", "Emil", "Ernst", "korn", "apprentice"))
		bert := w.comes(claims("bert", "Bert", "Backmann", "korn", "trainer"))
		jana := w.comes(claims("jana", "Jana", "Korn", "korn", "training_admin"))
		w.learns("anna", "korn", "2026-10-05")
		w.learns("emil", "korn", "2026-10-05")
		w.reminds()
		emil.follow("/absences", "attendance", "vacation", "from", "2026-10-12", "until", "2026-10-18") // a week later, then
		anna.get("/").is(200).lacks("nichts eingereicht")
		for _, day := range []string{"2026-10-11", "2026-10-18", "2026-10-25"} {
			w.moves(day+" 18:00", anna)
			w.reminds()
		}
		anna.get("/").is(200).has("Sie haben seit dem 05.10.2026 nichts eingereicht.", "Kommt bis zum 02.11.2026 nichts, sagen wir es denen, die Sie ausbilden.")
		w.moves("2026-11-01 18:00")
		w.reminds()
		w.says(w.mails(annas)[len(w.mails(annas))-1], "Sie haben seit dem 05.10.2026 nichts eingereicht", "bis zum 02.11.2026")
		w.got(berts, 0)
		w.moves("2026-11-08 18:00", anna, emil)
		w.reminds()
		w.reminds()
		w.says(w.got(berts, 1), "Lena B. hat seit 4 Wochen nichts eingereicht", "05.10.2026", "/settings/reminders")
		anna.get("/").is(200).has("Am 08.11.2026 haben wir es denen gesagt")
		emil.get("/").is(200).has("bis zum 09.11.2026")
		w.moves("2026-11-15 18:00", anna)
		w.reminds()
		if m := w.got(berts, 2); m.Subject != "Emil E. hat seit 5 Wochen nichts eingereicht" { // and nothing more of Lena
			t.Errorf("%s\n%s", m.Subject, m.Body)
		}

		// Who submits is not silent; a new silence begins.
		anna.submitTo("2026-W41", "Teige", "").is(303)
		n := len(w.mails(berts))
		anna.get("/").is(200).lacks("nichts eingereicht.")
		w.moves("2026-11-20 09:00")
		w.reminds()
		w.says(w.got(berts, n+1), "Ein Ausbildungsnachweis wartet auf Sie")
		w.moves("2026-11-22 18:00")
		w.reminds()
		w.got(berts, n+1)

		// The company's choice.
		w.moves("2026-11-23 10:00", jana, bert)
		bert.get("/company/reminders").is(403)
		bert.post("/company/reminders", "weeks", "2").is(403)
		jana.get("/company/settings").is(200).has(`href="/company/reminders"`)
		jana.get("/company/reminders").is(200).has(`<option value="4" selected`)
		jana.post("/company/reminders", "weeks", "5").is(422).has("nach wie vielen Wochen")
		jana.follow("/company/reminders", "weeks", "0").has("Gespeichert.", `<option value="0" selected`)
		w.moves("2027-01-31 18:00", anna)
		w.reminds()
		anna.get("/").is(200).lacks("nichts eingereicht.")
		for _, m := range w.mails(berts)[n:] {
			if strings.Contains(m.Subject, "nichts eingereicht") {
				t.Errorf("the company wanted to hear nothing: %s", m.Subject)
			}
		}
	})
}

// Days on which the portal was down for hours count for no deadline, and the
// pages say so. A clock that somebody moves is no outage.
func TestOutagesShiftDeadlines(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		w.learns("anna", "korn", "2026-11-09")
		beat := func(v *outage.Watch) {
			t.Helper()
			if err := v.Beat(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
		var first outage.Watch
		w.moves("2026-11-20 10:00", anna)
		beat(&first)
		w.moves("2026-11-20 16:00", anna)
		beat(&first) // it ran all the time: the clock was moved
		anna.get("/").is(200).has("bis Sonntag, 22.11.").lacks("nicht erreichbar")

		w.moves("2026-11-21 19:00", anna)
		var nodes sync.WaitGroup
		for range 3 { // started anew, three nodes at once: one outage of two days
			nodes.Go(func() {
				var v outage.Watch
				if err := v.Beat(context.Background(), d); err != nil {
					t.Error(err)
				}
			})
		}
		nodes.Wait()
		if err := d.Read(t.Context(), func(tx *db.Tx) error {
			n, err := db.Value[int](tx, `SELECT count(*) FROM outage`)
			lost, _ := outage.Lost(tx)
			if n != 1 || fmt.Sprint(lost) != "[2026-11-20 2026-11-21]" {
				t.Errorf("%d outages, lost %v", n, lost)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		anna.get("/").is(200).has("bis Dienstag, 24.11.", "Das Portal war am 21.11.2026 länger nicht erreichbar. Solche Tage zählen für keine Frist.")
		anna.get("/settings/reminders").is(200).has("Das Portal war am 21.11.2026")
		bert := w.comes(claims("bert", "Bert", "Backmann", "korn", "trainer"))
		w.moves("2026-11-24 12:00", anna, bert)
		anna.get("/reports").is(200).has("week-neutral\" href=\"/reports/2026-W46")
		bert.get("/trainees").is(200).has("Im Plan")
		w.moves("2026-11-25 12:00", anna, bert)
		anna.get("/reports").is(200).has("week-danger\" href=\"/reports/2026-W46")
		bert.get("/trainees").is(200).lacks("Im Plan")
		w.moves("2026-12-04 12:00", anna) // four weeks of silence since 18.11., and two lost days
		anna.get("/").is(200).has("seit dem 18.11.2026 nichts eingereicht", "Kommt bis zum 18.12.2026 nichts")
	})
}

var feedAddress = regexp.MustCompile(`/calendar/[A-Za-z0-9_-]{43}\.ics`)

// R323: due weeks in one's own calendar (RFC 5545), by an address that nobody
// can guess, that can be blocked, and that tells nothing anybody wrote.
func TestTheCalendarOfWeeks(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		bert := w.comes(claims("bert", "Bert", "Backmann", "korn", "trainer"))
		w.learns("anna", "korn", "2026-10-26")
		bert.post("/settings/reminders/calendar").is(403)
		bert.post("/settings/reminders/calendar/end").is(403)
		bert.get("/settings/reminders").is(200).lacks("Im eigenen Kalender")
		anna.submitTo("2026-W44", "Geheimer Teig", "").is(303)
		address := feedAddress.FindString(anna.post("/settings/reminders/calendar").is(200).has("nur dieses eine Mal").body)
		anna.get("/settings/reminders").is(200).has("Noch nicht abgerufen.").lacks(address)
		secret := strings.TrimSuffix(strings.TrimPrefix(address, "/calendar/"), ".ics")
		if err := d.Read(t.Context(), func(tx *db.Tx) error {
			n, err := db.Value[int](tx, `SELECT count(*) FROM calendar_feed WHERE token_hash = $1`, secret)
			if n != 0 {
				t.Error("the address lies readable in the database")
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}

		program := w.stranger()
		p := program.get(address).is(200)
		if kind := p.header.Get("Content-Type"); kind != "text/calendar; charset=utf-8" {
			t.Error(kind)
		}
		p.has("SUMMARY:Woche 45 einreichen", "SUMMARY:Woche 47 einreichen", "DTSTART;VALUE=DATE:20261115\r\nDTEND;VALUE=DATE:20261116").
			lacks("Woche 44", "Teig", "Anna", "Muster", "korn", "\r\r")
		if n := strings.Count(p.body, "BEGIN:VEVENT"); n != 3+12 {
			t.Errorf("%d weeks, wanted 3 that wait and 12 that come", n)
		}
		for i, line := range strings.SplitAfter(p.body, "\r\n") {
			if len(line) > 77 || strings.Contains(strings.TrimSuffix(line, "\r\n"), "\n") {
				t.Errorf("line %d has %d octets: %q", i, len(line), line)
			}
		}
		again := program.get(address).is(200)
		if uid := regexp.MustCompile(`UID:2026-W45\S+`); uid.FindString(p.body) == "" || uid.FindString(p.body) != uid.FindString(again.body) {
			t.Error("an event changes its name")
		}
		anna.get("/settings/reminders").is(200).has("Zuletzt abgerufen am")

		// One without weeks is still a calendar (RFC 5545, section 3.6: at least one component).
		w.sql(`UPDATE apprenticeship SET ended_on = '2026-11-01'`)
		program.get(address).is(200).has("BEGIN:VTIMEZONE").lacks("VEVENT")
		program.get("/calendar/" + secret).is(404)
		program.get("/calendar/" + strings.Repeat("x", 43) + ".ics").is(404)
		program.get("/calendar/x.ics").is(404)

		// A new one ends the old one; blocked is blocked; no role, no calendar.
		next := feedAddress.FindString(anna.post("/settings/reminders/calendar").is(200).body)
		program.get(address).is(404)
		program.get(next).is(200)
		w.sql(`DELETE FROM company_role WHERE person = 'anna'`)
		program.get(next).is(404)
		anna.signIn()
		program.get(next).is(200)
		anna.follow("/settings/reminders/calendar/end").has("Die Adresse ist gesperrt")
		anna.post("/settings/reminders/calendar/end").is(303)
		program.get(next).is(404)
		for range 40 { // who tries addresses waits
			p = program.get("/calendar/" + strings.Repeat("y", 43) + ".ics")
		}
		p.is(http.StatusTooManyRequests)
	})
}
