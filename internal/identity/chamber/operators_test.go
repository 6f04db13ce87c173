package chamber

import (
	"sync"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/schema"
)

// One operator stays always, also when all remove each other at once; who is
// none may neither look nor remove.
func TestOperators(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		people := []string{"otto", "olga", "omar", "olaf"}
		dbtest.Write(t, d, func(tx *db.Tx) error {
			for _, p := range people {
				if _, err := tx.Exec(`INSERT INTO account (id, salutation, title, given_name, family_name, name_key, username, username_key, email, email_key, password, state, created_at)
					VALUES ($1, '', '', 'A', 'B', '', $1, $1, '', $1, '', 'active', $2)`, p, tx.Now()); err != nil {
					return err
				}
				if err := AddStaff(tx, audit.Console, p, "", Operator); err != nil {
					return err
				}
			}
			return nil
		})
		var group sync.WaitGroup
		for i, p := range people {
			group.Go(func() {
				err := d.Write(t.Context(), func(tx *db.Tx) error {
					return RemoveOperator(tx, audit.Actor{Kind: audit.Person, Account: p}, people[(i+1)%len(people)])
				})
				if err != nil && fault.Of(err) == nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		var left []Employee
		dbtest.Write(t, d, func(tx *db.Tx) (err error) { left, err = Operators(tx, audit.Console); return err })
		if len(left) == 0 {
			t.Fatal("nobody runs the portal")
		}
		for _, e := range left[1:] {
			dbtest.Write(t, d, func(tx *db.Tx) error { return RemoveOperator(tx, audit.Console, e.Account) })
		}
		last := audit.Actor{Kind: audit.Person, Account: left[0].Account}
		err := d.Write(t.Context(), func(tx *db.Tx) error { return RemoveOperator(tx, last, last.Account) })
		if !fault.Is(err, fault.KindConflict) {
			t.Error("the last one goes:", err)
		}
		for _, f := range []func(tx *db.Tx) error{
			func(tx *db.Tx) error { _, err := Operators(tx, audit.Actor{Account: "nora"}); return err },
			func(tx *db.Tx) error { return RemoveOperator(tx, audit.Actor{Account: "nora"}, last.Account) },
		} {
			if err := d.Write(t.Context(), f); !fault.Is(err, fault.KindForbidden) {
				t.Error("who is no operator:", err)
			}
		}
	})
}
