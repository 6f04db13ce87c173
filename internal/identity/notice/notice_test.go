package notice

import (
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/schema"
)

// Choices hold per person and topic; notices are news, not a record: they go
// after half a year; each is read by its owner only.
func TestNotices(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { return now }
		write := func(f func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Write(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		write(func(tx *db.Tx) error {
			for _, id := range []string{"anna", "bert"} {
				if _, err := tx.Exec(`INSERT INTO account (id, salutation, title, given_name, family_name, name_key, username, username_key, email, email_key, password, state, created_at)
					VALUES ($1, '', '', '', '', '', '', $1, '', $1, '', 'active', $2)`, id, tx.Now()); err != nil {
					return err
				}
			}
			return Tell(tx, "anna", "notice.removed", "/somewhere", "Bäckerei")
		})
		write(func(tx *db.Tx) error {
			if err := Choose(tx, "anna", map[Topic]bool{Answers: true}); err != nil {
				return err
			}
			silent, err := Silent(tx, Requests, "anna", "bert", "nobody")
			if err != nil || !silent["anna"] || silent["bert"] || silent["nobody"] {
				t.Error(silent, err)
			}
			for topic, want := range map[Topic]bool{Requests: false, Answers: true, Registrations: false} {
				if yes, err := Mails(tx, "anna", topic); err != nil || yes != want {
					t.Error(topic, yes, err)
				}
				if yes, err := Mails(tx, "bert", topic); err != nil || !yes {
					t.Error("without a choice it comes:", topic, err)
				}
			}
			all, err := Choices(tx, "anna")
			if len(all) != len(Topics()) || all[Requests] || !all[Answers] {
				t.Error(all)
			}
			return err
		})
		write(func(tx *db.Tx) error {
			all, err := List(tx, "anna", "")
			if err != nil || len(all) != 1 {
				t.Fatal(all, err)
			}
			if _, err := Read(tx, "bert", all[0].ID); !fault.Is(err, fault.KindNotFound) {
				t.Error("somebody else's", err)
			}
			if href, err := Read(tx, "anna", all[0].ID); err != nil || href != "/somewhere" {
				t.Error(href, err)
			}
			n, err := Unread(tx, "anna")
			if n != 0 {
				t.Error("still unread")
			}
			return err
		})
		left := func() (n int) {
			write(func(tx *db.Tx) (err error) {
				if _, err = Sweep(tx, 500); err != nil {
					return err
				}
				n, err = db.Value[int](tx, `SELECT count(*) FROM notice`)
				return err
			})
			return n
		}
		now = now.Add(kept - time.Second)
		if left() != 1 {
			t.Error("too early")
		}
		now = now.Add(time.Second)
		if left() != 0 {
			t.Error("kept")
		}
	})
}
