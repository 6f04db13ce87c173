package account

import (
	"fmt"
	"slices"
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

// BenchmarkPurge deletes 100,000 accounts that nobody confirmed, with links and
// audit as a sign-up leaves them, while somebody else writes as fast as they
// can: "longest-wait-ms" is the longest that one of their writes took (R257).
func BenchmarkPurge(b *testing.B) {
	for _, engine := range dbtest.Engines {
		b.Run(engine, func(b *testing.B) {
			const many = 100_000
			var took, longest time.Duration
			var calm []time.Duration
			for range b.N {
				d := dbtest.Open(b, engine, schema.Files)
				now := time.Now()
				d.Now = func() time.Time { return now.Add(-purgeAfter) }
				signUps(b, d, many)
				d.Now = time.Now
				write := func() time.Duration {
					start := time.Now()
					if err := d.Write(b.Context(), func(tx *db.Tx) error {
						return audit.Record(tx, audit.Job, audit.Entry{Event: "other.work"})
					}); err != nil {
						b.Error(err)
					}
					return time.Since(start)
				}
				for range 200 {
					calm = append(calm, write())
				}
				done := make(chan error)
				start := time.Now()
				go func() { done <- Purge(b.Context(), d) }()
				for going := true; going; {
					select {
					case err := <-done:
						if going = false; err != nil {
							b.Fatal(err)
						}
					default:
						longest = max(longest, write())
					}
				}
				took += time.Since(start)
				left := 0
				if err := d.Read(b.Context(), func(tx *db.Tx) (err error) { left, err = db.Value[int](tx, `SELECT count(*) FROM account`); return err }); err != nil || left != 0 {
					b.Fatal(left, err)
				}
			}
			b.ReportMetric(float64(many*b.N)/took.Seconds(), "accounts/s")
			b.ReportMetric(float64(longest.Microseconds())/1000, "longest-wait-ms")
			b.ReportMetric(float64(slices.Max(calm).Microseconds())/1000, "longest-calm-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func signUps(b *testing.B, d *db.DB, many int) {
	for done := 0; done < many; done += 1000 {
		if err := d.Write(b.Context(), func(tx *db.Tx) error {
			for i := range 1000 {
				a, err := Create(tx, audit.Console, New{GivenName: "A", FamilyName: "B", Email: fmt.Sprintf("p%d@beispiel.example", done+i)})
				if err != nil {
					return err
				}
				if _, _, err := link.Issue(tx, a.ID, link.Confirm, "", "browser", confirmFor); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
}
