package review_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/training/book"
	"zunft/internal/training/review"
	"zunft/internal/training/schema"
)

func key(err error) string {
	if f := fault.Of(err); f != nil {
		return f.Key()
	}
	return ""
}

// state is what a person sees of a report.
func seen(t *testing.T, d *db.DB, by audit.Actor, id string) (r book.Report) {
	t.Helper()
	if err := d.Read(bg, func(tx *db.Tx) (err error) { r, err = review.For(tx, by, id); return err }); err != nil {
		t.Fatal(err)
	}
	return r
}

func kinds(t *testing.T, d *db.DB, r book.Report) string {
	t.Helper()
	var all []string
	if err := d.Read(bg, func(tx *db.Tx) error {
		history, err := book.History(tx, r)
		for _, e := range history {
			all = append(all, e.Kind)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(all)
	return strings.Join(all, " ")
}

// R330, ux 1.3: ten minutes a sign-off can be taken back. So long the
// apprentice sees it in review and gets no mail; then it is final.
func TestUndo_R330(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, bert := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "bert", "korn", "trainer")
		berta := comes(t, d, "berta", "korn", "trainer")
		r := submitted(t, d, anna)
		mails := func() int { return dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`) }
		before := mails()
		undo := func(by audit.Actor, version int) (book.Report, error) {
			return do(d, func(tx *db.Tx) (book.Report, error) { return review.Undo(tx, by, r.ID, version) })
		}
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, bert, r.ID, r.Version, "Gut") })
		if mine := seen(t, d, anna, r.ID); mine.State != book.Checked || strings.Contains(kinds(t, d, mine), "signed_off") {
			t.Errorf("the apprentice sees %s: %s", mine.State, kinds(t, d, mine))
		}
		own := must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Mine(tx, anna, week) })
		if own.State != book.Checked {
			t.Errorf("the author reads %s", own.State)
		}
		if err := d.Read(bg, func(tx *db.Tx) error {
			year, err := book.Year(tx, anna, 2026)
			if len(year) != 1 || year[0].State != book.Checked {
				t.Errorf("the year tells it: %+v", year)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		later(t, d, review.UndoFor-time.Second)
		if mails() != before {
			t.Error("a mail left before the ten minutes were over")
		}
		if _, err := undo(berta, r.Version); key(err) != "review.undo_late" {
			t.Errorf("somebody else's: %v", err)
		}
		won := together(func(i int) error { _, err := undo(bert, r.Version); return err })
		if n := dbtest.Count(t, d, `SELECT count(*) FROM report_event WHERE event = 'undone'`); n != 1 || won != 64 { // pressing twice is harmless
			t.Errorf("%d undone, %d of 64 succeeded", n, won)
		}
		r = seen(t, d, bert, r.ID)
		if r.State != book.Submitted || r.DecidedBy != "" || dbtest.Count(t, d, `SELECT count(*) FROM decision`) != 0 {
			t.Errorf("after undo: %+v", r)
		}
		// Again, and this time it stays: the first moment after the ten minutes is too late.
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, bert, r.ID, r.Version, "Gut") })
		then := d.Now().Add(review.UndoFor)
		d.Now = func() time.Time { return then }
		if _, err := undo(bert, r.Version); key(err) != "review.undo_late" {
			t.Errorf("after ten minutes: %v", err)
		}
		if seen(t, d, anna, r.ID).State != book.SignedOff { // also when no job ran yet
			t.Error("after ten minutes it is not signed off for the apprentice")
		}
		together(func(int) error { return review.Settle(bg, d) })
		if n := mails() - before; n != 1 || dbtest.Count(t, d, `SELECT count(*) FROM report_seal`) != 1 || dbtest.Count(t, d, `SELECT count(*) FROM audit WHERE event = 'report.sealed'`) != 1 {
			t.Errorf("%d mails, %d seals", n, dbtest.Count(t, d, `SELECT count(*) FROM report_seal`))
		}
		if got := kinds(t, d, seen(t, d, anna, r.ID)); got != "submitted signed_off undone signed_off" {
			t.Errorf("history is %s", got)
		}
	})
}

// Undo and settling at the same moment: one of them.
func TestUndoOrSettled(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, bert := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "bert", "korn", "trainer")
		r := submitted(t, d, anna)
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, bert, r.ID, r.Version, "") })
		dbtest.Exec(t, d, `UPDATE report SET undo_until = $1`, db.At(now)) // so that both think their time has come
		together(func(i int) error {
			if i%2 == 0 {
				return review.Settle(bg, d)
			}
			_, err := do(d, func(tx *db.Tx) (book.Report, error) { return review.Undo(tx, bert, r.ID, r.Version) })
			return err
		})
		undone, sealed := dbtest.Count(t, d, `SELECT count(*) FROM report_event WHERE event = 'undone'`), dbtest.Count(t, d, `SELECT count(*) FROM report_seal`)
		if undone+sealed != 1 {
			t.Errorf("%d undone, %d sealed", undone, sealed)
		}
	})
}
