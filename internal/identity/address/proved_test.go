package address

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
)

// ux.md 2.9 no. 9: an address whose mailbox a link has proved is confirmed at
// once, its owner's main address is told, and an open request for it is over.
// Somebody else's stays theirs, and there are never more than four (R043).
func TestAddProved(t *testing.T) {
	each(t, func(w *world) {
		add := func(by audit.Actor, email string) func(*db.Tx) error {
			return func(tx *db.Tx) error { return AddProved(tx, by, email) }
		}
		w.must(func(tx *db.Tx) error { return Add(tx, w.anna, "privat@anna.example") })
		asked := w.mail("privat@anna.example", "")
		w.must(add(w.anna, "Privat@Anna.example"))
		if w.opens("privat@anna.example") != w.anna.Account {
			w.Error("the address opens nothing")
		}
		if m := w.mail("anna@old.example", ""); !strings.Contains(m.Body, "/report-activity/") {
			w.Error("its owner is not told how to take it back", m.Body)
		}
		w.refused("link.spent", func(tx *db.Tx) error { _, err := Confirm(tx, w.anna, token(asked)); return err })
		w.refused("link.spent", add(w.bert, "privat@anna.example"))
		w.refused("link.spent", add(w.bert, "anna@old.example"))
		w.refused("account.email_form", add(w.anna, "kein@"))
		for n := range 3 {
			w.must(add(w.anna, fmt.Sprintf("nr%d@anna.example", n)))
		}
		w.refused("address.many", add(w.anna, "nr4@anna.example"))
		w.must(add(w.anna, "nr2@anna.example")) // one she has is no further one
	})
}

// Two people and a sign-up for one address at once: one has it.
func TestAddProvedRace(t *testing.T) {
	each(t, func(w *world) {
		for n := range 5 {
			email := fmt.Sprintf("race%d@example.org", n)
			var group sync.WaitGroup
			var mu sync.Mutex
			won := 0
			for _, f := range []func(*db.Tx) error{
				func(tx *db.Tx) error { return AddProved(tx, w.anna, email) },
				func(tx *db.Tx) error { return AddProved(tx, w.bert, email) },
				func(tx *db.Tx) error {
					if err := account.Turn(tx, email); err != nil {
						return err
					}
					_, err := account.Create(tx, audit.Console, account.New{GivenName: "Eva", FamilyName: "Dritte", Email: email, Password: "x", Confirmed: true})
					return err
				},
			} {
				group.Go(func() {
					if w.try(f) == nil {
						mu.Lock()
						won++
						mu.Unlock()
					}
				})
			}
			group.Wait()
			if won != 1 || w.opens(email) == "" {
				w.Errorf("%s: %d have it", email, won)
			}
			w.must(func(tx *db.Tx) error { _, err := tx.Exec(`DELETE FROM account_email`); return err })
		}
	})
}
