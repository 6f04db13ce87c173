package review_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/training/book"
	"zunft/internal/training/chain"
	"zunft/internal/training/review"
	"zunft/internal/training/schema"
)

// A paper model of a report: what state it is in, who decided, and until when
// that can be taken back.
type paperReport struct {
	state    book.State
	by       string // who decided; empty: nobody, or it was taken back
	checker  string
	undo     time.Time
	previous book.State // where taking back leads
	seals    int
	sealed   bool // this decision has its seal
}

// L15, R227, R330, R331, R334, R335: whatever people press in whatever order, a
// report moves as the model does and nowhere else, every refused press changes
// nothing, what is signed off cannot be written, and the chain holds what was
// signed for good.
func TestStatesOfAReport(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		comes(t, d, "vera", "zwei", "training_admin")
		twoSteps(t, d, "zwei")
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			two := rapid.Bool().Draw(rt, "two steps")
			company := map[bool]string{true: "zwei", false: "eins"}[two]
			sub := fmt.Sprint("azubi", n)
			anna := comes(t, d, sub, company, "apprentice")
			bert, petra := comes(t, d, "bert"+company, company, "trainer"), comes(t, d, "petra"+company, company, "supervisor")
			r := must(t, d, func(tx *db.Tx) (book.Report, error) {
				return book.Save(tx, anna, week, 0, book.Text{Work: "Brötchen"})
			})
			assigned(t, d, sub, bert.Account, "trainer", "2026-08-01", "")
			assigned(t, d, sub, petra.Account, "supervisor", "2026-08-01", "")
			m := paperReport{state: book.Draft}
			// settle is what the job does with a decision that stays.
			settle := func() {
				if m.state == book.SignedOff && !m.sealed && !m.undo.After(d.Now()) {
					m.seals++
					m.sealed = true
				}
			}
			for i := range rapid.IntRange(1, 14).Draw(rt, "presses") {
				press := rapid.SampledFrom([]string{"save", "submit", "take back", "sign", "sign", "return", "reopen", "undo", "wait", "stale"}).Draw(rt, "press")
				who := rapid.SampledFrom([]audit.Actor{bert, petra}).Draw(rt, "who")
				trainer := who.Account == bert.Account
				next, allowed := m, false
				version := r.Version
				var act func(tx *db.Tx) (book.Report, error)
				switch press {
				case "save":
					act = func(tx *db.Tx) (book.Report, error) {
						return book.Save(tx, anna, week, version, book.Text{Work: fmt.Sprint("Brötchen ", i)})
					}
					allowed = m.state == book.Draft || m.state == book.Returned
				case "submit":
					act = func(tx *db.Tx) (book.Report, error) { return book.Submit(tx, anna, week, version) }
					allowed = m.state == book.Draft || m.state == book.Returned
					next.state, next.by, next.checker = book.Submitted, "", ""
				case "take back":
					if m.state == book.Draft {
						continue // changes nothing, and says nothing
					}
					act = func(tx *db.Tx) (book.Report, error) { return book.TakeBack(tx, anna, week) }
					allowed = m.state == book.Submitted
					next.state = book.Draft
				case "sign", "stale":
					if press == "stale" {
						version--
					}
					act = func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, who, r.ID, version, "") }
					next.by, next.undo, next.previous, next.sealed = who.Account, d.Now().Add(review.UndoFor), m.state, false
					next.state = book.SignedOff
					switch {
					case press == "stale":
					case m.state == book.Submitted && !two:
						allowed = true
					case m.state == book.Submitted && !trainer: // the first of two steps
						allowed = true
						next.state, next.checker = book.Checked, who.Account
					case m.state == book.Checked && trainer:
						allowed = true
					}
				case "return":
					act = func(tx *db.Tx) (book.Report, error) { return review.Return(tx, who, r.ID, version, "Welche Teige?") }
					allowed = m.state == book.Submitted || m.state == book.Checked && trainer
					next.state, next.by, next.checker = book.Returned, who.Account, ""
				case "reopen":
					act = func(tx *db.Tx) (book.Report, error) {
						return review.Reopen(tx, who, r.ID, version, "Doch nicht vollständig")
					}
					allowed = trainer && m.state == book.SignedOff && !m.undo.After(d.Now())
					next.state, next.by, next.checker = book.Returned, who.Account, ""
				case "undo":
					act = func(tx *db.Tx) (book.Report, error) { return review.Undo(tx, who, r.ID, version) }
					allowed = (m.state == book.SignedOff || m.state == book.Checked) && m.by == who.Account && m.undo.After(d.Now())
					next.state, next.by = m.previous, ""
					if m.state == book.Checked {
						next.checker = ""
					}
				case "wait":
					later(t, d, time.Duration(rapid.IntRange(1, 11).Draw(rt, "minutes"))*time.Minute)
					settle()
					continue
				}
				after, err := do(d, act)
				if (err == nil) != allowed {
					rt.Fatalf("%s by %s while %s (two steps: %t): %v", press, who.Account, m.state, two, err)
				}
				if err != nil && fault.Of(err) == nil {
					rt.Fatalf("%s while %s: a defect: %v", press, m.state, err)
				}
				if allowed {
					if after.Version != r.Version+1 {
						rt.Fatalf("%s: version %d after %d", press, after.Version, r.Version)
					}
					m, r.Version = next, after.Version
				}
				var stored book.Report
				var found chain.Finding
				if err := d.Read(bg, func(tx *db.Tx) (err error) {
					if stored, err = book.Get(tx, r.ID); err != nil {
						return err
					}
					found, err = chain.Check(tx, sub, chain.Seal{})
					return err
				}); err != nil {
					rt.Fatal(err)
				}
				if stored.State != m.state || stored.Version != r.Version || stored.CheckedBy != m.checker || m.by != "" && stored.DecidedBy != m.by {
					rt.Fatalf("%s by %s: stored %s v%d checked %q decided %q, the model has %s v%d %q %q", press, who.Account,
						stored.State, stored.Version, stored.CheckedBy, stored.DecidedBy, m.state, r.Version, m.checker, m.by)
				}
				if len(found.Misfits) > 0 || found.Seals != m.seals {
					rt.Fatalf("after %s: %d seals of %d, %v", press, found.Seals, m.seals, found.Misfits)
				}
			}
		})
	})
}
