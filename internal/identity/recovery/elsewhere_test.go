package recovery_test

import (
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/recovery"
)

// A clerk of a chamber that a person has nothing to do with takes nobody over:
// neither by a request that names them, nor after looking them up. Who belongs
// to both chambers, or to none, is helped.
func TestAClerkOfAnotherChamber(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.ask(claim())
		match := func() error {
			return w.try(func(tx *db.Tx) error { return recovery.Match(tx, w.clara, r.ID, w.lena.ID) })
		}
		there := func(chamber string) {
			w.write(func(tx *db.Tx) error {
				_, err := tx.Exec(`UPDATE account SET chamber = COALESCE((SELECT id FROM chamber WHERE number = $1), '') WHERE id = $2`, chamber, w.lena.ID)
				return err
			})
		}
		number := func(at string) {
			w.write(func(tx *db.Tx) error {
				_, err := tx.Exec(`INSERT INTO account_number (account, kind, chamber, number, number_key, since) SELECT $1, 'apprentice', id, '7', '7', $2 FROM chamber WHERE number = $3`, w.lena.ID, tx.Now(), at)
				return err
			})
		}
		refused := func(err error, what string) {
			t.Helper()
			if f := fault.Of(err); f == nil || f.Key() != "recovery.elsewhere" {
				t.Error(what, err)
			}
		}
		there("998")
		refused(match(), "chosen at the sign-up:")
		there("")
		number("998")
		refused(match(), "a number of another chamber:")
		number("999")
		if err := match(); err != nil {
			t.Error("of both:", err)
		}
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`DELETE FROM account_number WHERE chamber = $1`, w.chamber)
			return err
		})
		refused(w.try(func(tx *db.Tx) error { return recovery.Approve(tx, w.clara, r.ID, w.lena.ID, recovery.ByDesk, "") }), "approved though they moved:")
	})
}

// Whoever began to work for a chamber while the waiting time ran is not taken
// over at its end.
func TestStaffSinceTheApproval(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r, secret, code := w.ready()
		w.write(func(tx *db.Tx) error { return chamber.AddStaff(tx, audit.Console, w.lena.ID, w.chamber, "clerk") })
		if err := w.complete(r, secret, code); !fault.Is(err, fault.KindConflict) {
			t.Error("a clerk's account is taken over:", err)
		}
	})
}
