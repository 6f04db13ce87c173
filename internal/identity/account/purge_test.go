package account

import (
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/link"
	"zunft/internal/identity/schema"
)

// Deleting an account looks into every table that refers to accounts. Each has
// an index for it, a whole one: purging 100,000 accounts scans nothing (R257).
func TestDeletingIsIndexed(t *testing.T) {
	d := dbtest.Open(t, "sqlite", schema.Files)
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		missing, err := db.Values[string](tx, `SELECT m.name || '.' || f."from" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f
			WHERE m.type = 'table' AND f."table" = 'account' AND NOT EXISTS (SELECT 1 FROM pragma_index_list(m.name) l JOIN pragma_index_info(l.name) i
				WHERE l.partial = 0 AND i.seqno = 0 AND i.name = f."from")`)
		if len(missing) > 0 {
			t.Error("no whole index:", missing)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Unconfirmed accounts go after seven days, batch by batch, with everything
// that hangs on them; nobody else does (R257).
func TestPurgeInBatches(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { return now }
		const many = 1203
		write := func(f func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Write(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		write(func(tx *db.Tx) error {
			for range many {
				a, err := Create(tx, audit.Console, New{GivenName: "A", FamilyName: "B", Username: "", Email: db.NewID() + "@beispiel.example"})
				if err != nil {
					return err
				}
				if _, _, err := link.Issue(tx, a.ID, link.Confirm, "", "browser", confirmFor); err != nil {
					return err
				}
			}
			_, err := Create(tx, audit.Console, New{GivenName: "A", FamilyName: "B", Email: "bleibt@beispiel.example", Confirmed: true})
			return err
		})
		left := func() (n int) {
			d.Read(t.Context(), func(tx *db.Tx) (err error) {
				n, err = db.Value[int](tx, `SELECT (SELECT count(*) FROM account) * 10000 + (SELECT count(*) FROM account_link)`)
				return err
			})
			return n
		}
		now = now.Add(purgeAfter - time.Second)
		if err := Purge(t.Context(), d); err != nil || left() != (many+1)*10000+many {
			t.Fatal("too early", left(), err)
		}
		now = now.Add(time.Second)
		if err := Purge(t.Context(), d); err != nil || left() != 10000 {
			t.Fatal(left(), err)
		}
	})
}
