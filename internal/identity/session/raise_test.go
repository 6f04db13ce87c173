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

// A session that a new role raises opens nothing until its person has gone
// through the sign-in's last step; then it is what it was. What has ended stays
// so, and what is pending already keeps where it was going.
func TestRaise(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { return now }
		write := func(f func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Write(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		var a account.Account
		write(func(tx *db.Tx) (err error) {
			a, err = account.Create(tx, audit.Console, account.New{GivenName: "Anna", FamilyName: "B", Email: "anna@beispiel.example", Confirmed: true})
			return err
		})
		by := audit.Actor{Account: a.ID}
		start := func() (token string, s Session) {
			write(func(tx *db.Tx) (err error) { token, s, err = Start(tx, by, a.ID, "pwd"); return err })
			return token, s
		}
		resolve := func(token string) (s Session, err error) {
			_ = d.Read(t.Context(), func(tx *db.Tx) error { s, err = Resolve(tx, token); return nil })
			return s, err
		}
		raise := func(s Session) { write(func(tx *db.Tx) error { return Raise(tx, s.ID) }) }

		token, s := start()
		otherToken, other := start()
		now = now.Add(time.Minute)
		raise(s)
		got, err := resolve(token)
		if err != nil || !got.Pending || got.ID != s.ID || got.AMR != "pwd" || !got.EndsAt.Equal(s.EndsAt.Time) {
			t.Fatalf("%+v %v", got, err)
		}
		if running, err := resolve(otherToken); err != nil || running.Pending {
			t.Error("another session is raised, too")
		}
		// Once the step is done it is whole, under a new token, with what it has shown.
		write(func(tx *db.Tx) (err error) {
			if token, s, err = Proved(tx, by, got, "otp mfa"); err != nil {
				return err
			}
			token, s, err = Complete(tx, by, s)
			return err
		})
		if got, err = resolve(token); err != nil || got.Pending || got.AMR != "pwd otp mfa" || got.ID != s.ID {
			t.Errorf("%+v %v", got, err)
		}
		// Ended stays ended.
		write(func(tx *db.Tx) error { return End(tx, by, s.ID) })
		raise(s)
		if _, err := resolve(token); !fault.Is(err, fault.KindNotFound) {
			t.Error("an ended session is back:", err)
		}
		// Pending keeps its way.
		write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE session SET pending = TRUE, next = '/requests' WHERE id = $1`, other.ID)
			return err
		})
		raise(other)
		write(func(tx *db.Tx) error {
			next, err := db.Value[string](tx, `SELECT next FROM session WHERE id = $1`, other.ID)
			if next != "/requests" {
				t.Errorf("next is %q", next)
			}
			return err
		})
	})
}
