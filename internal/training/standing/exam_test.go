package standing_test

import (
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/training/calendar"
	"zunft/internal/training/schema"
	"zunft/internal/training/standing"
)

// § 43 BBiG, ux.md task 16: each point has a state and whose turn it is; a day
// that was said is confirmed once, by the chamber that is responsible.
func TestExam(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		lena, jana := comes(t, d, "lena", "korn", "apprentice"), comes(t, d, "jana", "korn", "training_admin")
		dbtest.Exec(t, d, `INSERT INTO chamber_office (company, chamber_number, added_at) VALUES ('office', '999', $1), ('far', '111', $1)`, db.At(now))
		clara, kai := comes(t, d, "clara", "office", "chamber_clerk"), comes(t, d, "kai", "far", "chamber_clerk")
		id := learns(t, d, "lena", "korn", "2026-10-05", "2027-01-10")
		dbtest.Exec(t, d, `UPDATE apprenticeship SET chamber_number = '999'`)
		is := func(want map[string]string) {
			t.Helper()
			read(t, d, func(tx *db.Tx) error {
				b, err := standing.Read(tx, "lena", true)
				if err != nil {
					return err
				}
				at, err := standing.AttendanceOf(tx, "lena", true)
				if err != nil {
					return err
				}
				points, err := standing.Exam(tx, b, at)
				for _, p := range points {
					if got := p.State + " " + p.Owner; got != want[p.Key] {
						t.Errorf("%s: %q, wanted %q", p.Key, got, want[p.Key])
					}
				}
				if len(points) != len(want) {
					t.Errorf("%d points: %v", len(points), points)
				}
				return err
			})
		}
		is(map[string]string{"duration": "done ", "intermediate": "open apprentice", "registered": "open company", "complete": "open apprentice", "signed": "open apprentice"})

		// From the first day on, when nothing is due yet and nothing written, nothing is complete.
		dbtest.Exec(t, d, `UPDATE apprenticeship SET starts_on = '2026-11-16', ends_on = '2027-01-19'`) // 62 days ahead: it runs
		is(map[string]string{"duration": "running ", "intermediate": "open apprentice", "registered": "open company", "complete": "open apprentice", "signed": "open apprentice"})
		dbtest.Exec(t, d, `UPDATE apprenticeship SET ends_on = '2027-01-18'`) // 61
		is(map[string]string{"duration": "done ", "intermediate": "open apprentice", "registered": "open company", "complete": "open apprentice", "signed": "open apprentice"})
		dbtest.Exec(t, d, `UPDATE apprenticeship SET starts_on = '2026-10-05', ends_on = '2027-01-10'`)

		say := func(by audit.Actor, kind, day string) error {
			return d.Write(bg, func(tx *db.Tx) error { return standing.Say(tx, by, id, kind, dateOf(day)) })
		}
		for what, try := range map[string]func() error{
			"no day":                       func() error { return say(lena, standing.Intermediate, "") },
			"a day to come":                func() error { return say(lena, standing.Intermediate, "2026-11-19") },
			"a day before it began":        func() error { return say(lena, standing.Intermediate, "2026-10-01") },
			"registered, on a day to come": func() error { return say(jana, standing.Registered, "2027-01-01") },
		} {
			if err := try(); !fault.Is(err, fault.KindInvalid) {
				t.Errorf("%s: %v", what, err)
			}
		}
		for what, try := range map[string]func() error{
			"the company says the exam":        func() error { return say(jana, standing.Intermediate, "2026-11-01") },
			"the apprentice says the register": func() error { return say(lena, standing.Registered, "2026-11-01") },
			"another chamber confirms": func() error {
				return d.Write(bg, func(tx *db.Tx) error { return standing.Confirm(tx, kai, id, standing.Intermediate) })
			},
		} {
			if err := try(); !fault.Is(err, fault.KindNotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := say(lena, standing.Intermediate, "2026-11-02"); err != nil {
			t.Fatal(err)
		}
		if err := say(jana, standing.Registered, "2026-10-20"); err != nil {
			t.Fatal(err)
		}
		for number := 41; number <= 46; number++ {
			writes(t, d, "lena", "korn", id, w(number), "signed_off")
		}
		dbtest.Exec(t, d, `UPDATE report SET days = '[{"a":"company"},{"a":"school"},{"a":"company"},{"a":"vacation"},{"a":"holiday"},{},{}]'`)
		dbtest.Exec(t, d, `UPDATE report SET days = '[{"a":"company"},{"a":"school"},{"a":"company"},{"a":"sick"},{"a":"sick"},{},{}]' WHERE week IN (41, 42)`)
		is(map[string]string{
			"duration": "done ", "intermediate": "said chamber", "registered": "said chamber", "complete": "done ", "signed": "done ",
			"attendance": "hint chamber", // 4 of 22 days: vacation and holidays are no time of training
		})
		read(t, d, func(tx *db.Tx) error {
			at, err := standing.AttendanceOf(tx, "lena", true)
			if at.Missed != 4 || at.Days != 22 || at.Percent != 19 || !at.Hint() || len(at.Absent) != 6 {
				t.Errorf("%+v", at)
			}
			return err
		})
		confirmed := 0
		for range 3 {
			err := d.Write(bg, func(tx *db.Tx) error { return standing.Confirm(tx, clara, id, standing.Intermediate) })
			if err == nil {
				confirmed++
			} else if !fault.Is(err, fault.KindConflict) {
				t.Error(err)
			}
		}
		if confirmed != 1 {
			t.Errorf("confirmed %d times", confirmed)
		}
		if err := say(lena, standing.Intermediate, "2026-11-03"); !fault.Is(err, fault.KindConflict) {
			t.Errorf("said after it was confirmed: %v", err)
		}
		// One week missing in the middle: the book is not complete, and it is said which.
		dbtest.Exec(t, d, `UPDATE report SET state = 'draft' WHERE week = 43`)
		is(map[string]string{
			"duration": "done ", "intermediate": "done ", "registered": "said chamber", "complete": "open apprentice", "signed": "done ", "attendance": "hint chamber",
		})
		read(t, d, func(tx *db.Tx) error {
			b, err := standing.Read(tx, "lena", true)
			if err != nil {
				return err
			}
			points, err := standing.Exam(tx, b, standing.Attendance{})
			for _, p := range points {
				if p.Key == "complete" && (p.Week != w(43) || p.N != 1) {
					t.Errorf("missing are %d, from week %s on", p.N, p.Week)
				}
			}
			return err
		})
		dbtest.Exec(t, d, `UPDATE report SET state = 'signed_off' WHERE week = 43`)
		dbtest.Exec(t, d, `UPDATE apprenticeship SET source = 'registry', retraining = TRUE`)
		dbtest.Exec(t, d, `UPDATE report SET state = 'submitted' WHERE week = 46`)
		is(map[string]string{"duration": "done ", "registered": "done ", "complete": "done ", "signed": "open trainer", "attendance": "hint chamber"})
	})
}

func dateOf(s string) calendar.Date { return calendar.Date(s) }
