package book_test

import (
	"testing"

	"pgregory.net/rapid"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/schema"
)

var onPaper = book.Text{Department: "Ausbildungsnachweise sind schriftlich geführt worden", Work: "schriftlich geführt und genehmigt"}

// R313, R317, R318: the first report may be a year long, once, and before all
// weeks; afterwards a week has seven days at most, and none is in both.
func TestPaperTime_R317_R318(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna := comes(t, d, "anna", "korn", "apprentice")
		paper := func(version int, first, last calendar.Date) (book.Report, error) {
			return do(d, func(tx *db.Tx) (book.Report, error) {
				return book.SavePaper(tx, anna, "", version, first, last, onPaper)
			})
		}
		for _, c := range []struct{ first, last, key string }{
			{"", "2026-07-31", "book.paper_first"},
			{"2025-08-01", "", "book.paper_last"},
			{"2025-08-01", "2026-11-18", "book.paper_future"}, // today
			{"2026-07-31", "2025-08-01", "book.paper_order"},
			{"2026-07-27", "2026-08-02", "book.paper_short"}, // seven days are a week
			{"2019-08-01", "2026-07-31", "book.paper_long"},
		} {
			if _, err := paper(0, calendar.Date(c.first), calendar.Date(c.last)); !fault.Is(err, fault.KindInvalid) || fault.Of(err).Key() != c.key {
				t.Errorf("%s to %s: %v, wanted %s", c.first, c.last, err, c.key)
			}
		}
		r, err := paper(0, "2025-08-01", "2026-07-29") // ends on a Wednesday
		if err != nil || r.Kind != book.Paper || r.Week != (book.Week{Year: 2025, Number: 31}) {
			t.Fatal(r, err)
		}
		if again, err := paper(0, "2025-08-01", "2026-07-29"); err != nil || again.Version != 1 {
			t.Error("a second press of the button:", again.Version, err)
		}
		if _, err := paper(0, "2025-08-01", "2026-07-30"); !fault.Is(err, fault.KindConflict) {
			t.Error("another device's version was overwritten:", err)
		}
		// Weeks of the paper time are no weeks here; the one it ends in is shorter.
		mine := func(w book.Week) (r book.Report, err error) {
			err = d.Read(bg, func(tx *db.Tx) (err error) { r, err = book.Mine(tx, anna, w); return err })
			return r, err
		}
		if _, err := mine(book.Week{Year: 2026, Number: 10}); !fault.Is(err, fault.KindConflict) || fault.Of(err).Key() != "book.paper_week" {
			t.Error(err)
		}
		if r, err := mine(book.Week{Year: 2026, Number: 31}); err != nil || r.First != "2026-07-30" || r.Last != "2026-08-02" {
			t.Error(r.First, r.Last, err)
		}
		after := must(t, d, func(tx *db.Tx) (book.Report, error) {
			return book.Save(tx, anna, book.Week{Year: 2026, Number: 31}, 0, book.Text{Work: "Brot"})
		})
		if after.First.Days(after.Last) > 7 {
			t.Error(after.First, after.Last)
		}
		if _, err := paper(1, "2025-08-01", "2026-08-02"); !fault.Is(err, fault.KindInvalid) || fault.Of(err).Key() != "book.paper_overlap" {
			t.Error("a week is in both:", err)
		}
		if r, err := paper(1, "2025-08-01", "2026-07-26"); err != nil || r.Version != 2 {
			t.Error("the time can be shorter while it is a draft:", err)
		}
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return book.SubmitPaper(tx, anna, 2, "") })
		if r.State != book.Submitted {
			t.Error(r.State)
		}
		if _, err := paper(r.Version, "2025-08-01", "2026-07-25"); !fault.Is(err, fault.KindConflict) {
			t.Error("a submitted paper time was changed:", err)
		}
		// What is offered ends with the week before this one; it may end anywhere
		// before the first week written here, and not begin after one.
		emil := comes(t, d, "emil", "korn", "apprentice")
		if offered := must(t, d, func(tx *db.Tx) (book.Report, error) { return book.MyPaper(tx, emil, "") }); offered.Version != 0 || offered.Last != "2026-11-15" {
			t.Errorf("offered until %s", offered.Last)
		}
		must(t, d, func(tx *db.Tx) (book.Report, error) {
			return book.Save(tx, emil, book.Week{Year: 2026, Number: 10}, 0, book.Text{Work: "Brot"})
		})
		for _, c := range []struct{ first, last, key string }{
			{"2026-04-01", "2026-06-30", "book.paper_overlap"},
			{"2025-08-01", "2026-03-02", "book.paper_overlap"}, // Monday of week 10
			{"2025-08-01", "2026-03-01", ""},
		} {
			_, err := do(d, func(tx *db.Tx) (book.Report, error) {
				return book.SavePaper(tx, emil, "", 0, calendar.Date(c.first), calendar.Date(c.last), onPaper)
			})
			if f := fault.Of(err); (c.key == "") != (err == nil) || f != nil && f.Key() != c.key {
				t.Errorf("%s to %s before week 10: %v, wanted %q", c.first, c.last, err, c.key)
			}
		}
	})
}

// One paper time and the weeks beside it, begun at once: never a day in both.
func TestPaperTimeAndWeekAtOnce_R318(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna := comes(t, d, "anna", "korn", "apprentice")
		week := book.Week{Year: 2026, Number: 30}
		won := together(func(i int) error {
			_, err := do(d, func(tx *db.Tx) (book.Report, error) {
				if i%2 == 0 {
					return book.SavePaper(tx, anna, "", 0, "2025-08-01", "2026-07-31", onPaper)
				}
				return book.Save(tx, anna, week, 0, book.Text{Work: "Brot"})
			})
			return err
		})
		if n := dbtest.Count(t, d, `SELECT count(*) FROM report`); n != 1 || won == 0 {
			t.Errorf("%d reports of the same days, %d were told it worked", n, won)
		}
	})
}

// R318: whatever was on paper and in whatever order weeks are written, no day
// is in two reports and no week is longer than seven days.
func TestPeriodsNeverOverlap_R318(t *testing.T) {
	d := dbtest.Open(t, "sqlite", schema.Files)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		sub := "anna" + string(rune('a'+n%26)) + string(rune('a'+n/26%26)) + string(rune('a'+n/676))
		anna := comes(t, d, sub, "korn", "apprentice")
		day := rapid.Custom(func(rt *rapid.T) calendar.Date {
			return calendar.Date("2025-12-20").Add(rapid.IntRange(0, 60).Draw(rt, "days"))
		})
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			var err error
			if rapid.Bool().Draw(rt, "paper") {
				_, err = do(d, func(tx *db.Tx) (book.Report, error) {
					now, err := book.MyPaper(tx, anna, "")
					if err != nil {
						return now, err
					}
					return book.SavePaper(tx, anna, "", now.Version, day.Draw(rt, "first"), day.Draw(rt, "last"), onPaper)
				})
			} else {
				_, err = do(d, func(tx *db.Tx) (book.Report, error) {
					return book.Save(tx, anna, day.Draw(rt, "day").Week(), 0, book.Text{Work: "Brot"})
				})
			}
			if err != nil && !fault.Is(err, fault.KindInvalid) && !fault.Is(err, fault.KindConflict) {
				rt.Fatal(err)
			}
		}
		type span struct{ first, last calendar.Date }
		var all []span
		err := d.Read(bg, func(tx *db.Tx) (err error) {
			all, err = db.All(tx, func(s *span) []any { return []any{&s.first, &s.last} }, `SELECT first_day, last_day FROM report WHERE apprentice = $1 ORDER BY first_day`, sub)
			return err
		})
		if err != nil {
			rt.Fatal(err)
		}
		for i := 1; i < len(all); i++ {
			if all[i].first <= all[i-1].last {
				rt.Fatalf("%v and %v have days in common", all[i-1], all[i])
			}
			if all[i].first.Days(all[i].last) > 7 {
				rt.Fatalf("%v is longer than a week and not the first", all[i])
			}
		}
	})
}
