package departure

import (
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/identity/address"
	"zunft/internal/identity/factor"
)

// "Das waren nicht Sie?" in the mail about a new second factor takes that
// factor away again: else a stranger's passkey would open the secured account,
// and their app would keep its owner out. Others stay; after a week this one
// stays, too: a mailbox alone must not take away what somebody has used for long.
func TestDisavowANewFactor(t *testing.T) {
	each(t, func(w *world) {
		add := func() {
			anna := w.get(w.anna)
			w.must(func(tx *db.Tx) error {
				if _, err := tx.Exec(`INSERT INTO factor (id, account, kind, name, state, created_at) VALUES ($1, $2, 'totp', 'mine', 'active', $3)`, db.NewID(), w.anna.Account, tx.Now()); err != nil {
					return err
				}
				_, err := factor.UseMail(tx, w.anna, anna, "s")
				return err
			})
		}
		left := func() int { return w.count(`SELECT count(*) FROM factor WHERE account = $1`, w.anna.Account) }
		add()
		m := w.one("anna", "Einmal-Passwort per E-Mail hinzugefügt")
		w.pass(time.Hour)
		w.disavow(m)
		if n := left(); n != 1 || w.count(`SELECT count(*) FROM factor WHERE name = 'mine'`) != 1 {
			t.Error("the stranger's factor stays, or the owner's is gone:", n)
		}
		w.inbox()
		w.must(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE account SET state = 'active', lock_reason = ''`)
			return err
		})
		add()
		m = w.one("anna", "Einmal-Passwort per E-Mail hinzugefügt")
		w.pass(address.UndoFor + time.Hour)
		w.disavow(m)
		if n := left(); n != 3 {
			t.Error("a mailbox alone takes factors away:", n)
		}
	})
}
