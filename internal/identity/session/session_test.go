package session

import (
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/schema"
)

// The policy of the package comment, moment by moment.
func TestPolicy(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { return now }
		write := func(f func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Write(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		var a, b account.Account
		write(func(tx *db.Tx) (err error) {
			if a, err = account.Create(tx, audit.Console, account.New{GivenName: "Anna", FamilyName: "B", Email: "anna@beispiel.example", Confirmed: true}); err != nil {
				return err
			}
			b, err = account.Create(tx, audit.Console, account.New{GivenName: "Bert", FamilyName: "B", Email: "bert@beispiel.example", Confirmed: true})
			return err
		})
		start := func() (token string, s Session) {
			write(func(tx *db.Tx) (err error) {
				token, s, err = Start(tx, audit.Actor{IP: "192.0.2.1"}, a.ID, "pwd")
				return err
			})
			return token, s
		}
		opens := func(token string) (yes bool) {
			write(func(tx *db.Tx) error {
				_, err := Resolve(tx, token)
				if yes = err == nil; !yes && !fault.Is(err, fault.KindNotFound) {
					return err
				}
				return nil
			})
			return yes
		}
		touch := func(s Session) { write(func(tx *db.Tx) error { return Touch(tx, s.ID) }) }

		// 30 minutes of rest, moved on by use
		token, s := start()
		now = now.Add(Idle - time.Microsecond)
		if !opens(token) {
			t.Error("ended too early")
		}
		touch(s)
		now = now.Add(Idle - time.Microsecond)
		if !opens(token) {
			t.Error("use did not move the end")
		}
		now = now.Add(time.Microsecond)
		if opens(token) {
			t.Error("rested 30 minutes, and still open")
		}
		touch(s)
		if opens(token) {
			t.Error("a touch woke a session that had ended")
		}
		// 12 hours at most
		token, s = start()
		for range 24 {
			now = now.Add(Idle - time.Second)
			touch(s)
		}
		if !opens(token) {
			t.Error("ended before 12 hours")
		}
		now = now.Add(24 * time.Second)
		if opens(token) {
			t.Error("still open after 12 hours")
		}
		// Nobody ends, chooses or renews for others
		token, s = start()
		other, self := audit.Actor{Kind: audit.Person, Account: b.ID}, audit.Actor{Kind: audit.Person, Account: a.ID, Session: s.ID}
		write(func(tx *db.Tx) error {
			if err := End(tx, other, s.ID); err != nil {
				return err
			}
			if err := EndAll(tx, other, a.ID, ""); !fault.Is(err, fault.KindForbidden) {
				t.Error(err)
			}
			if err := Choose(tx, other, s.ID, "x"); !fault.Is(err, fault.KindNotFound) {
				t.Error(err)
			}
			if _, _, err := Reauthenticated(tx, other, s.ID, "pwd"); !fault.Is(err, fault.KindNotFound) {
				t.Error(err)
			}
			return Choose(tx, self, s.ID, "org")
		})
		if !opens(token) {
			t.Error("somebody else ended the session")
		}
		// All but this one; each ending is told once
		second, _ := start()
		write(func(tx *db.Tx) error { return EndAll(tx, self, a.ID, s.ID) })
		write(func(tx *db.Tx) error { return EndAll(tx, self, a.ID, s.ID) })
		if opens(second) || !opens(token) {
			t.Error("the wrong one ended")
		}
		write(func(tx *db.Tx) error {
			n, err := db.Value[int](tx, `SELECT count(*) FROM job WHERE kind = $1`, EndedKind)
			if n != 3 { // the two that timed out were still on record
				t.Errorf("%d applications' jobs", n)
			}
			return err
		})
		// An account that is not active opens nothing (GHSA-wv3h-x6c4-r867)
		write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE account SET state = 'locked' WHERE id = $1`, a.ID)
			return err
		})
		if opens(token) {
			t.Error("a locked account is signed in")
		}
	})
}

// Rows of sessions go a day after their last possible moment, however many.
func TestSweep(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { return now }
		var live string
		start := func(n int) {
			t.Helper()
			if err := d.Write(t.Context(), func(tx *db.Tx) (err error) {
				a, err := account.Create(tx, audit.Console, account.New{GivenName: "Anna", FamilyName: "B", Email: now.Format("150405") + "@beispiel.example", Confirmed: true})
				for range n {
					if err == nil {
						live, _, err = Start(tx, audit.Actor{IP: "192.0.2.1"}, a.ID, "pwd")
					}
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		start(1203)
		now = now.Add(Lifetime + kept + time.Second)
		start(1)
		if err := Sweep(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		d.Read(t.Context(), func(tx *db.Tx) error {
			if n, err := db.Value[int](tx, `SELECT count(*) FROM session`); n != 1 || err != nil {
				t.Error(n, err)
			}
			_, err := Resolve(tx, live)
			if err != nil {
				t.Error("the running session is gone", err)
			}
			return nil
		})
	})
}
