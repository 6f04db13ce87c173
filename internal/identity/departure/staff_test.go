package departure

import (
	"sync"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/chamber"
)

// The installation keeps an operator and a chamber's team somebody who leads it,
// also when their last ones want to go, one after the other or at once; whoever
// is on the way out does not count.
func TestLastOfTheStaffStay(t *testing.T) {
	each(t, func(w *world) {
		for key, s := range map[string]struct{ chamber, role string }{"chamber.operator_last": {"", chamber.Operator}, "chamber.last_lead": {w.chamber, chamber.Clerk}} {
			a, b := w.person("a"+s.role), w.person("b"+s.role)
			join := func(who audit.Actor) {
				w.must(func(tx *db.Tx) error {
					if err := chamber.AddStaff(tx, audit.Console, who.Account, s.chamber, s.role); err != nil || s.role == chamber.Operator {
						return err
					}
					_, err := tx.Exec(`UPDATE staff SET lead = TRUE WHERE account = $1`, who.Account)
					return err
				})
			}
			join(a)
			ask := func(who audit.Actor) func(tx *db.Tx) error {
				return func(tx *db.Tx) error { _, err := Ask(tx, who); return err }
			}
			w.refused(key, ask(a))
			join(b)
			var group sync.WaitGroup
			var mu sync.Mutex
			gone := 0
			for _, who := range []audit.Actor{a, b} {
				group.Go(func() {
					err := w.d.Write(w.Context(), ask(who))
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						gone++
					} else if fault.Of(err) == nil || fault.Of(err).Key() != key {
						w.Error(err)
					}
				})
			}
			group.Wait()
			if gone != 1 {
				w.Fatalf("%s: %d of the last two may go", s.role, gone)
			}
			going, stays := a, b
			if w.get(a).DeleteAt.IsZero() {
				going, stays = b, a
			}
			if s.role == chamber.Operator {
				w.refused(key, func(tx *db.Tx) error { return chamber.RemoveOperator(tx, going, stays.Account) })
			} else {
				w.refused(key, func(tx *db.Tx) error { return chamber.RemoveColleague(tx, going, w.chamber, stays.Account) })
				w.refused(key, func(tx *db.Tx) error { return chamber.SetLead(tx, stays, w.chamber, stays.Account, false) })
			}
			w.pass(Grace)
			if err := CarryOut(w.Context(), w.d); err != nil {
				w.Fatal(err)
			}
			if w.count(`SELECT count(*) FROM staff WHERE account = $1`, going.Account) != 0 || w.count(`SELECT count(*) FROM staff WHERE account = $1`, stays.Account) != 1 {
				w.Error("not the right ones are left", s.role)
			}
			w.inbox()
		}
	})
}
