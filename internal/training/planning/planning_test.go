package planning_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/table"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
	"zunft/internal/training/person/persontest"
	"zunft/internal/training/planning"
	"zunft/internal/training/schema"
)

var (
	bg  = context.Background()
	now = time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC) // Wednesday of week 47
)

// comes signs somebody in and returns who acts, and their session.
func comes(t *testing.T, d *db.DB, sub, company string, roles ...string) (by audit.Actor, s person.Session) {
	t.Helper()
	d.Now = func() time.Time { return now }
	c := person.Claims{
		Roles: roles, Person: person.Person{Sub: sub, Name: sub, GivenName: sub, FamilyName: "Muster", Email: sub + "@beispiel.example", Language: "de"},
		Company: person.Company{ID: company, Name: company, ChamberNumber: "999"},
	}
	by = persontest.Comes(t, d, c)
	dbtest.Write(t, d, func(tx *db.Tx) (err error) { s, err = person.Acting(tx, by); return err })
	return by, s
}

// refused runs f and wants a problem of a field.
func refused(t *testing.T, d *db.DB, field, key string, f func(tx *db.Tx) error) {
	t.Helper()
	err := d.Write(bg, f)
	ft := fault.Of(err)
	if ft == nil || ft.Problems[0].Field != field || ft.Problems[0].Key != key {
		t.Errorf("answered %v, wanted %s at %q", err, key, field)
	}
}

func prefill(t *testing.T, d *db.DB, s person.Session, a apprenticeship.Apprenticeship, w string) (days [7]book.Day) {
	t.Helper()
	week, ok := calendar.ParseWeek(w)
	if !ok {
		t.Fatal(w)
	}
	if err := d.Read(bg, func(tx *db.Tx) (err error) { days, err = planning.Prefill(tx, s, a, week); return err }); err != nil {
		t.Fatal(err)
	}
	return days
}

// said is a week in short: "company 8 Backstube | school 6:30 | …".
func said(days [7]book.Day) string {
	var parts []string
	for _, d := range days {
		parts = append(parts, strings.TrimSpace(strings.Join(strings.Fields(d.Attendance+" "+book.Hours(d.Minutes)+" "+d.Place+" "+d.Text), " ")))
	}
	return strings.TrimRight(strings.Join(parts, " | "), " ")
}

// R226: a week is filled in before anybody writes: by the pattern, the planned
// times, the timetable and the holidays of the Land, in this order.
func TestPrefill_R226(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, s := comes(t, d, "anna", "korn", person.Apprentice)
		a := apprenticeship.Apprenticeship{Land: "SN"}
		// Nobody said anything: Monday to Friday; Wednesday is Buß- und Bettag in Saxony.
		if got := said(prefill(t, d, s, a, "2026-W47")); got != "company 8 | company 8 | holiday | company 8 | company 8 |  |" {
			t.Error(got)
		}
		if got := said(prefill(t, d, s, apprenticeship.Apprenticeship{}, "2026-W47")); got != "company 8 | company 8 | company 8 | company 8 | company 8 |  |" {
			t.Error(got)
		}
		pattern := planning.Pattern{Land: "SN", Regional: []string{"corpus_christi", "<script>"}}
		pattern.Days = [7]book.Day{
			{Attendance: "company", Place: "Backstube", Minutes: 480},
			{Attendance: "school", Place: "BSZ 1", Minutes: 390},
			{Attendance: "company", Minutes: 465},
			{Attendance: "company", Minutes: 480},
			{Attendance: "free"},
			{Attendance: "company", Place: "Verkauf", Minutes: 300},
		}
		dbtest.Write(t, d, func(tx *db.Tx) error { return planning.SavePattern(tx, anna, pattern) })
		none := apprenticeship.Apprenticeship{} // what the person said counts
		if got := said(prefill(t, d, s, none, "2026-W46")); got != "company 8 Backstube | school 6:30 BSZ 1 | company 7:45 | company 8 | free | company 5 Verkauf |" {
			t.Error(got)
		}
		if got := said(prefill(t, d, s, none, "2026-W47")); got != "company 8 Backstube | school 6:30 BSZ 1 | holiday | company 8 | free | company 5 Verkauf |" {
			t.Error(got)
		}
		if got := prefill(t, d, s, none, "2026-W23")[3].Attendance; got != "holiday" { // regional, and the person said so
			t.Error(got)
		}
		// A holiday on a day without work is none of theirs.
		if got := prefill(t, d, s, apprenticeship.Apprenticeship{Land: "BB"}, "2026-W14")[6].Attendance; got != "" {
			t.Error(got)
		}
		// Vacation does not use up holidays and free days; a department and a block have places.
		for _, p := range []planning.Time{
			{Attendance: "vacation", From: "2026-12-21", Until: "2027-01-03"},
			{Attendance: "company", From: "2026-12-07", Until: "2026-12-11", Place: "Konditorei"},
			{Attendance: "school", From: "2026-12-14", Until: "2026-12-18", Place: "Blockschule"},
			{Attendance: "sick", From: "2026-12-17", Until: "2026-12-17"},
		} {
			dbtest.Write(t, d, func(tx *db.Tx) error { return planning.Plan(tx, anna, p) })
			dbtest.Write(t, d, func(tx *db.Tx) error { return planning.Plan(tx, anna, p) }) // pressed twice
		}
		if got := said(prefill(t, d, s, none, "2026-W52")); got != "vacation | vacation | vacation | vacation | holiday | holiday |" {
			t.Error(got)
		}
		if got := said(prefill(t, d, s, none, "2026-W50")); got != "company 8 Konditorei | company 6:30 Konditorei | company 7:45 Konditorei | company 8 Konditorei | free | company 5 Verkauf |" {
			t.Error(got)
		}
		if got := said(prefill(t, d, s, none, "2026-W51")); got != "school 8 Blockschule | school 6:30 Blockschule | school 7:45 Blockschule | sick | free | company 5 Verkauf |" {
			t.Error(got)
		}
		// Lessons make a school day of any working day; reading them again mends them.
		lessons := []planning.Lesson{
			{Day: "2026-11-09", Starts: 8 * 60, Ends: 9*60 + 30, Subject: "Deutsch", Place: "BSZ 2"},
			{Day: "2026-11-09", Starts: 9*60 + 50, Ends: 13 * 60, Subject: "Fachkunde"},
			{Day: "2026-11-09", Starts: 13 * 60, Ends: 14 * 60, Subject: "Deutsch"},
			{Day: "2026-11-10", Starts: 10 * 60, Ends: 9 * 60, Subject: "rückwärts"},
			{Day: "heute", Starts: 0, Ends: 1, Subject: "kein Tag"},
		}
		for range 2 {
			dbtest.Write(t, d, func(tx *db.Tx) error {
				n, err := planning.AddLessons(tx, anna, lessons)
				if err == nil && n != 3 {
					err = fmt.Errorf("%d lessons kept, wanted 3", n)
				}
				return err
			})
		}
		if got := said(prefill(t, d, s, none, "2026-W46")); got != "school 6 BSZ 2 Deutsch, Fachkunde | school 6:30 BSZ 1 | company 7:45 | company 8 | free | company 5 Verkauf |" {
			t.Error(got)
		}
		// Days outside of the apprenticeship are nobody's.
		short := apprenticeship.Apprenticeship{StartsOn: "2026-11-11", EndsOn: "2026-11-12"}
		if got := said(prefill(t, d, s, short, "2026-W46")); got != " |  | company 7:45 | company 8 |  |  |" {
			t.Errorf("%q", got)
		}
		if got := prefill(t, d, s, short, "2026-W48"); got != [7]book.Day{} {
			t.Error(got)
		}
		// Somebody else's week knows nothing of it.
		_, other := comes(t, d, "emil", "korn", person.Apprentice)
		if got := said(prefill(t, d, other, none, "2026-W52")); got != "company 8 | company 8 | company 8 | company 8 | holiday |  |" {
			t.Error(got)
		}
		var times []planning.Time
		dbtest.Write(t, d, func(tx *db.Tx) (err error) { times, err = planning.Mine(tx, anna, "2026-11-18"); return err })
		if len(times) != 4 || times[0].Attendance != "company" || times[3].Attendance != "vacation" {
			t.Error(times)
		}
		dbtest.Write(t, d, func(tx *db.Tx) error { return planning.Unplan(tx, anna, times[3].ID) })
		dbtest.Write(t, d, func(tx *db.Tx) error { return planning.Unplan(tx, anna, times[3].ID) })
		if got := prefill(t, d, s, none, "2026-W52")[0].Attendance; got != "company" {
			t.Error(got)
		}
	})
}

// R232: the department to which somebody is assigned is where they are.
func TestPrefillKnowsTheDepartment_R232(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		_, s := comes(t, d, "anna", "korn", person.Apprentice)
		comes(t, d, "petra", "korn", person.Supervisor)
		var a apprenticeship.Apprenticeship
		dbtest.Write(t, d, func(tx *db.Tx) (err error) {
			if a, err = apprenticeship.Of(tx, s, "2026-11-16"); err != nil {
				return err
			}
			if a, err = apprenticeship.Ensure(tx, a); err != nil {
				return err
			}
			_, err = tx.Exec(`INSERT INTO assignment (id, apprenticeship, person, role, department, from_day, until_day, created_at) VALUES ('x', $1, 'petra', 'supervisor', 'Lager', '2026-11-17', '2026-11-18', $2)`, a.ID, tx.Now())
			return err
		})
		if got := said(prefill(t, d, s, a, "2026-W47")); got != "company 8 | company 8 Lager | company 8 Lager | company 8 | company 8 |  |" {
			t.Error(got)
		}
	})
}

// Bad input: each problem stands at its field; who keeps no book plans nothing.
func TestPlanningIsChecked(t *testing.T) {
	d := dbtest.Open(t, "sqlite", schema.Files)
	anna, _ := comes(t, d, "anna", "korn", person.Apprentice)
	bert, _ := comes(t, d, "bert", "korn", person.Trainer)
	emil, _ := comes(t, d, "emil", "korn", person.Retrainee)
	plan := func(p planning.Time) func(*db.Tx) error {
		return func(tx *db.Tx) error { return planning.Plan(tx, anna, p) }
	}
	refused(t, d, "attendance", "planning.kind_missing", plan(planning.Time{Attendance: "party", From: "2026-12-01"}))
	refused(t, d, "from", "planning.day_missing", plan(planning.Time{Attendance: "vacation"}))
	refused(t, d, "until", "planning.until_before", plan(planning.Time{Attendance: "vacation", From: "2026-12-02", Until: "2026-12-01"}))
	refused(t, d, "until", "planning.too_long", plan(planning.Time{Attendance: "vacation", From: "2026-12-02", Until: "2028-12-01"}))
	refused(t, d, "place", "planning.place_missing", plan(planning.Time{Attendance: "company", From: "2026-12-02"}))
	refused(t, d, "place", "book.place_long", plan(planning.Time{Attendance: "school", From: "2026-12-02", Place: strings.Repeat("ä", 101)}))
	bad := planning.Pattern{Land: "XX"}
	bad.Days[2] = book.Day{Attendance: "vacation", Minutes: -1}
	refused(t, d, "d3_attendance", "book.attendance_unknown", func(tx *db.Tx) error { return planning.SavePattern(tx, anna, bad) })
	refused(t, d, "text", "planning.snippet_missing", func(tx *db.Tx) error { return planning.AddSnippet(tx, anna, "") })
	refused(t, d, "text", "planning.snippet_long", func(tx *db.Tx) error { return planning.AddSnippet(tx, anna, strings.Repeat("x", 1001)) })
	refused(t, d, "", "planning.lessons_many", func(tx *db.Tx) error {
		_, err := planning.AddLessons(tx, anna, make([]planning.Lesson, 5001))
		return err
	})
	for i := range 31 {
		err := d.Write(bg, func(tx *db.Tx) error { return planning.AddSnippet(tx, anna, fmt.Sprint("Text ", min(i, 30))) })
		if (err != nil) != (i == 30) {
			t.Error(i, err)
		}
	}
	dbtest.Write(t, d, func(tx *db.Tx) error { return planning.AddSnippet(tx, anna, "Text 3") }) // is there
	var mine []planning.Snippet
	dbtest.Write(t, d, func(tx *db.Tx) (err error) { mine, err = planning.Snippets(tx, anna); return err })
	if len(mine) != 30 {
		t.Error(len(mine))
	}
	// Others neither read nor remove it.
	if err := d.Write(bg, func(tx *db.Tx) error { _, err := planning.SnippetOf(tx, emil, mine[0].ID); return err }); !fault.Is(err, fault.KindNotFound) {
		t.Error(err)
	}
	dbtest.Write(t, d, func(tx *db.Tx) error { return planning.RemoveSnippet(tx, emil, mine[0].ID) })
	dbtest.Write(t, d, func(tx *db.Tx) error { _, err := planning.SnippetOf(tx, anna, mine[0].ID); return err })
	for _, f := range []func(*db.Tx) error{
		func(tx *db.Tx) error { return planning.AddSnippet(tx, bert, "x") },
		func(tx *db.Tx) error { return planning.SavePattern(tx, bert, planning.Pattern{}) },
		func(tx *db.Tx) error {
			return planning.Plan(tx, bert, planning.Time{Attendance: "vacation", From: "2026-12-01"})
		},
		func(tx *db.Tx) error { _, err := planning.AddLessons(tx, bert, nil); return err },
	} {
		if err := d.Write(bg, f); !fault.Is(err, fault.KindForbidden) {
			t.Error(err)
		}
	}
}

// The plan: the chamber's own before everybody's, always what all occupations
// have in common; read again it keeps what reports say of it.
func TestTrainingPlan(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		comes(t, d, "anna", "korn", person.Apprentice)
		put := func(chamber string, sections ...planning.Section) {
			t.Helper()
			dbtest.Write(t, d, func(tx *db.Tx) error { return planning.PutPlan(tx, audit.Job, chamber, "baecker", sections) })
		}
		numbers := func(chamber, occupation string) (plan []planning.Section, short string) {
			t.Helper()
			dbtest.Write(t, d, func(tx *db.Tx) (err error) { plan, err = planning.PlanOf(tx, chamber, occupation); return err })
			for _, s := range plan {
				short += s.Number + " "
			}
			return plan, strings.TrimSpace(short)
		}
		put("", planning.Section{Number: "A1", Title: "Weizenbrot", Weeks: 8, Keywords: "Weizen Brötchen"}, planning.Section{Number: "A2", Title: "Feine Backwaren", Keywords: "Torte, Kuchen"})
		if _, got := numbers("999", "baecker"); got != "A1 A2 S1 S2 S3 S4" {
			t.Error(got)
		}
		if _, got := numbers("999", "koch"); got != "S1 S2 S3 S4" {
			t.Error(got)
		}
		before, _ := numbers("", "baecker")
		put("999", planning.Section{Number: "1", Title: "Brot nach Musterländer Art"})
		if _, got := numbers("999", "baecker"); got != "1 S1 S2 S3 S4" {
			t.Error(got)
		}
		// Read again: A2 is gone, A1 is the same section, and A2 keeps its name.
		put("", planning.Section{Number: "A1", Title: "Weizenbrot und Kleingebäck", Keywords: "Weizen Brötchen"}, planning.Section{Number: "A3", Title: "Neues"})
		after, got := numbers("", "baecker")
		if got != "A1 A3 S1 S2 S3 S4" || after[0].ID != before[0].ID {
			t.Error(got, after[0], before[0])
		}
		dbtest.Write(t, d, func(tx *db.Tx) error {
			named, err := planning.SectionsByID(tx, before[1].ID+" nichts "+before[0].ID)
			if err == nil && (len(named) != 2 || !slices.ContainsFunc(named, func(s planning.Section) bool { return s.Title == "Feine Backwaren" && !s.Current })) {
				t.Error(named)
			}
			return err
		})
		// Words speak for sections: beginnings, and parts of compounds.
		plan := before
		for text, want := range map[string]string{
			"Heute 200 BRÖTCHEN geformt":                    "A1",
			"Weizenmischbrote und eine Schwarzwälder Torte": "A1 A2",
			"Hochzeitstorten, Käsekuchen; Umweltschutz":     "A2 S3",
			"Nichts davon": "",
			"":             "",
		} {
			var got []string
			for _, s := range planning.Suggest(plan, text) {
				got = append(got, s.Number)
			}
			slices.Sort(got)
			if strings.Join(got, " ") != want {
				t.Errorf("%q suggests %v, wanted %s", text, got, want)
			}
		}
		for _, bad := range [][]planning.Section{nil, {{Number: "1"}}, {{Number: "1", Title: "x"}, {Number: " 1", Title: "y"}}, {{Number: "1", Title: "x", Weeks: 500}}, make([]planning.Section, 201)} {
			if err := d.Write(bg, func(tx *db.Tx) error { return planning.PutPlan(tx, audit.Job, "", "koch", bad) }); !fault.Is(err, fault.KindInvalid) {
				t.Error(err)
			}
		}
	})
}

// A plan comes as a list; what is missing or unreadable is said.
func TestReadPlan(t *testing.T) {
	read := func(text string) ([]planning.Section, error) {
		list, err := table.ReadText(text)
		if err != nil {
			t.Fatal(err)
		}
		return planning.ReadPlan(list)
	}
	sections, err := read("Nr.;Berufsbildposition;Zeitliche Richtwerte in Wochen;Stichworte\nA 1;Herstellen von Weizenbrot;12;weizen, brötchen\nA 2;Beraten;;kunde\n")
	if err != nil || len(sections) != 2 || sections[0] != (planning.Section{Number: "A 1", Title: "Herstellen von Weizenbrot", Weeks: 12, Keywords: "weizen, brötchen"}) || sections[1].Weeks != 0 {
		t.Error(sections, err)
	}
	for text, key := range map[string]string{"Nummer;Wochen\n1;2\n2;3\n": "planning.plan_columns", "Nummer;Titel;Wochen\n1;Brot;zwei\n": "planning.plan_weeks"} {
		if _, err := read(text); fault.Of(err) == nil || fault.Of(err).Key() != key {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Two devices at once: a pattern, a time and a timetable end as one of the two
// said, and nothing is there twice.
func TestPlanningAtOnce(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, _ := comes(t, d, "anna", "korn", person.Apprentice)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				err := d.Write(bg, func(tx *db.Tx) error {
					if err := planning.SavePattern(tx, anna, planning.Pattern{Days: [7]book.Day{{Attendance: "company", Minutes: 60 * (i + 1)}}}); err != nil {
						return err
					}
					_, err := planning.AddLessons(tx, anna, []planning.Lesson{{Day: "2026-11-20", Starts: 480, Ends: 540 + i, Subject: "Deutsch"}})
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, table := range []string{"week_pattern", "lesson"} {
			dbtest.Write(t, d, func(tx *db.Tx) error {
				n, err := db.Value[int](tx, `SELECT count(*) FROM `+table)
				if err == nil && n != 1 {
					err = fmt.Errorf("%d rows in %s, wanted 1", n, table)
				}
				return err
			})
		}
	})
}
