package book_test

import (
	"strings"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/schema"
)

func key(err error) string {
	if f := fault.Of(err); f != nil {
		return f.Key()
	}
	return ""
}

// R224, R317: a book has the days of its apprenticeship and no others: weeks
// outside are not there, days outside are nobody's and nobody asks for them.
func TestDaysOfTheApprenticeship_R224_R317(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna := comes(t, d, "anna", "korn", "apprentice")
		must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Save(tx, anna, week, 0, book.Text{Work: "x"}) })
		// From a Thursday to a Tuesday.
		dbtest.Exec(t, d, `UPDATE apprenticeship SET starts_on = '2026-09-03', ends_on = '2026-12-01', source = 'company'`)
		save := func(w book.Week, text book.Text) (book.Report, error) {
			return do(d, func(tx *db.Tx) (book.Report, error) { return book.Save(tx, anna, w, 0, text) })
		}
		for _, n := range []int{35, 50} {
			if _, err := save(book.Week{Year: 2026, Number: n}, book.Text{Work: "x"}); !fault.Is(err, fault.KindNotFound) {
				t.Errorf("week %d is outside: %v", n, err)
			}
		}
		var all book.Text
		for i := range all.Days {
			all.Days[i] = book.Day{Attendance: "vacation", Text: "Tag"}
		}
		for _, c := range []struct {
			n           int
			first, last calendar.Date
			inside      string
		}{{36, "2026-09-03", "2026-09-06", "   DDDD"}, {40, "2026-09-28", "2026-10-04", "DDDDDDD"}, {49, "2026-11-30", "2026-12-01", "DD     "}} {
			r, err := save(book.Week{Year: 2026, Number: c.n}, all)
			if err != nil || r.First != c.first || r.Last != c.last {
				t.Fatalf("week %d: %s to %s, %v", c.n, r.First, r.Last, err)
			}
			stored := must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Mine(tx, anna, r.Week) })
			for i, day := range stored.Text.Days {
				if (day.Text != "") != (c.inside[i] == 'D') {
					t.Errorf("week %d, day %d: %+v", c.n, i+1, day)
				}
			}
		}
		// Vacation on all days there are: nothing else is asked for, of the three
		// days before the first one least of all.
		for i := range all.Days {
			all.Days[i].Text = ""
		}
		r := must(t, d, func(tx *db.Tx) (book.Report, error) {
			return book.Save(tx, anna, book.Week{Year: 2026, Number: 36}, 1, all)
		})
		must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Submit(tx, anna, r.Week, r.Version) })
		// The time on paper, too, is within.
		for _, c := range []struct{ first, last, key string }{
			{"2026-09-02", "2026-09-20", "book.paper_early"},
			{"2026-09-03", "2026-09-20", "book.paper_overlap"},
		} {
			if _, err := do(d, func(tx *db.Tx) (book.Report, error) {
				return book.SavePaper(tx, anna, "", 0, calendar.Date(c.first), calendar.Date(c.last), onPaper)
			}); key(err) != c.key {
				t.Errorf("%s to %s: %v", c.first, c.last, err)
			}
		}
		emil := comes(t, d, "emil", "korn", "apprentice")
		must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Save(tx, emil, week, 0, book.Text{Work: "x"}) })
		dbtest.Exec(t, d, `UPDATE apprenticeship SET starts_on = '2026-01-01', ends_on = '2026-10-31' WHERE person = 'emil'`)
		if _, err := do(d, func(tx *db.Tx) (book.Report, error) {
			return book.SavePaper(tx, emil, "", 0, "2026-01-01", "2026-11-01", onPaper)
		}); key(err) != "book.paper_after" {
			t.Errorf("paper after the end: %v", err)
		}
	})
}

// R316: where the company keeps no electronic books nothing new is written; what
// was begun is finished. Another company's report is not written to (R224).
func TestWhereNothingIsWritten_R315_R316(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna := comes(t, d, "anna", "korn", "apprentice")
		begun := must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Save(tx, anna, week, 0, book.Text{Work: "x"}) })
		dbtest.Exec(t, d, `UPDATE apprenticeship SET occupation = 'baecker'`)
		set := func(occupation string, electronic bool) {
			dbtest.Exec(t, d, `INSERT INTO company_setting (company, occupation, electronic, mode, steps, due_days, changed_at) VALUES ('korn', $1, $2, 'week', 1, 7, $3)`, occupation, electronic, db.At(now))
		}
		tries := map[string]func(tx *db.Tx) (book.Report, error){
			"save": func(tx *db.Tx) (book.Report, error) {
				return book.Save(tx, anna, week.Add(-1), 0, book.Text{Work: "x"})
			},
			"begin": func(tx *db.Tx) (book.Report, error) { return book.Begin(tx, anna, week.Add(-1)) },
			"vacation": func(tx *db.Tx) (book.Report, error) {
				return book.Away(tx, anna, week.Add(-1), 0, book.Text{}, "vacation")
			},
			"paper": func(tx *db.Tx) (book.Report, error) {
				return book.SavePaper(tx, anna, "", 0, "2025-08-01", "2026-07-31", onPaper)
			},
		}
		refused := func() {
			t.Helper()
			for name, f := range tries {
				if _, err := do(d, f); key(err) != "book.not_electronic" {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		set("", false)
		refused()
		// What was begun is finished.
		r := must(t, d, func(tx *db.Tx) (book.Report, error) {
			return book.Save(tx, anna, week, begun.Version, book.Text{Work: "xy"})
		})
		must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Submit(tx, anna, week, r.Version) })
		// Said for the occupation, that holds (R315), either way.
		set("baecker", true)
		must(t, d, tries["save"])
		dbtest.Exec(t, d, `DELETE FROM report WHERE week = 46`)
		dbtest.Exec(t, d, `UPDATE company_setting SET electronic = (occupation = '')`)
		refused()

		// In the new company the old one's report is read, not written.
		dbtest.Exec(t, d, `DELETE FROM company_setting`)
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return book.TakeBack(tx, anna, week) })
		there := comes(t, d, "anna", "stahl", "apprentice")
		if mine := must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Mine(tx, there, week) }); mine.ID != r.ID || mine.Text.Work != "xy" {
			t.Errorf("the book does not belong to the person: %+v", mine)
		}
		for name, f := range map[string]func(tx *db.Tx) (book.Report, error){
			"save": func(tx *db.Tx) (book.Report, error) {
				return book.Save(tx, there, week, r.Version, book.Text{Work: "z"})
			},
			"begin": func(tx *db.Tx) (book.Report, error) { return book.Begin(tx, there, week) },
		} {
			if _, err := do(d, f); key(err) != "book.other_company" {
				t.Errorf("%s in another company: %v", name, err)
			}
		}
	})
}

// Two devices: of 64 that mend the same draft one wins, and the others read that
// it changed; nothing is mixed.
func TestMendOnce(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna := comes(t, d, "anna", "korn", "apprentice")
		r := must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Save(tx, anna, week, 0, book.Text{Work: "x"}) })
		won := together(func(i int) error {
			_, err := do(d, func(tx *db.Tx) (book.Report, error) {
				return book.Save(tx, anna, week, r.Version, book.Text{Work: strings.Repeat("y", i+1)})
			})
			if err != nil && key(err) != "book.changed_elsewhere" {
				t.Error(err)
			}
			return err
		})
		if now := must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Mine(tx, anna, week) }); won != 1 || now.Version != r.Version+1 {
			t.Errorf("%d winners, version %d", won, now.Version)
		}
	})
}

// R226: what fits, fits to the last character; one more is a complaint at its field.
func TestLimitsOfATextAreExact_R226(t *testing.T) {
	day := func(i int, d book.Day) (t book.Text) { t.Days[i] = d; return t }
	for field, c := range map[string][2]book.Text{
		"work":          {{Work: strings.Repeat("ß", 8000)}, {Work: strings.Repeat("ß", 8001)}},
		"instruction":   {{Instruction: strings.Repeat("ß", 8000)}, {Instruction: strings.Repeat("ß", 8001)}},
		"school":        {{School: strings.Repeat("ß", 8000)}, {School: strings.Repeat("ß", 8001)}},
		"department":    {{Department: strings.Repeat("ß", 100)}, {Department: strings.Repeat("ß", 101)}},
		"d1_text":       {day(0, book.Day{Text: strings.Repeat("ß", 2000)}), day(0, book.Day{Text: strings.Repeat("ß", 2001)})},
		"d7_place":      {day(6, book.Day{Place: strings.Repeat("ß", 100)}), day(6, book.Day{Place: strings.Repeat("ß", 101)})},
		"d2_hours":      {day(1, book.Day{Minutes: 24 * 60}), day(1, book.Day{Minutes: 24*60 + 1})},
		"d3_hours":      {day(2, book.Day{Minutes: 0}), day(2, book.Day{Minutes: -1})},
		"d4_attendance": {day(3, book.Day{Attendance: "sick"}), day(3, book.Day{Attendance: "strand"})},
		"d5_sections":   {day(4, book.Day{Sections: strings.Repeat("a", 400)}), day(4, book.Day{Sections: strings.Repeat("a", 401)})},
		"sections":      {{Sections: strings.Repeat("a", 400)}, {Sections: strings.Repeat("a", 401)}},
	} {
		if err := c[0].Check(); err != nil {
			t.Errorf("%s: what fits is refused: %v", field, err)
		}
		if f := fault.Of(c[1].Check()); f == nil || len(f.Problems) != 1 || f.Problems[0].Field != field {
			t.Errorf("%s: one more: %v", field, f)
		}
	}
}

// L16: the digest that binds a decision to what was read changes with everything
// that is read.
func TestDigestOfAllThatIsRead_L16(t *testing.T) {
	day := func(d book.Day) (t book.Text) { t.Days[6] = d; return t }
	seen := map[string]int{}
	all := []book.Text{
		{},
		{Department: "x"},
		{Work: "x"},
		{Instruction: "x"},
		{School: "x"},
		{Sections: "x"},
		day(book.Day{Attendance: "sick"}),
		day(book.Day{Place: "x"}),
		day(book.Day{Minutes: 1}),
		day(book.Day{Sections: "x"}),
		day(book.Day{Text: "x"}),
	}
	for i, text := range all {
		if other, twice := seen[text.Digest()]; twice {
			t.Errorf("%+v and %+v have one digest", text, all[other])
		}
		seen[text.Digest()] = i
	}
}

// What comes from programs and files has no marks that turn the direction of
// text and no control characters; lines stay.
func TestCleanLines(t *testing.T) {
	for in, want := range map[string]string{
		"a\u202eb\u202c\u2066c\u2069\u200fd": "abcd",
		" a\x00\x07\r\nb\rc\td ":             "a\nb\nc\td",
		"u\u0308":                            "ü",
		"👩🏽‍🍳\xff":                           "👩🏽‍🍳",
	} {
		if got := book.CleanLines(in); got != want {
			t.Errorf("%q is %q, wanted %q", in, got, want)
		}
	}
	if got := book.CleanLine(" a\n b\t\u202ec "); got != "a b c" {
		t.Errorf("%q", got)
	}
}
