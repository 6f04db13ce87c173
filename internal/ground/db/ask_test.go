package db_test

import (
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/schema"
)

// One question needs no transaction; a second one, or a change, is refused on
// both engines, however often it was asked before.
func TestAskIsOneQuestion(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		const count = `SELECT count(*) FROM limit_bucket`
		for range 4 { // from the third time on SQLite runs what it has parsed
			if err := d.Ask(t.Context(), func(tx *db.Tx) error { _, err := db.Value[int](tx, count); return err }); err != nil {
				t.Fatal(err)
			}
		}
		refused := func(what string, f func(*db.Tx) error) {
			t.Helper()
			defer func() {
				if recover() == nil {
					t.Error(what + " was not refused")
				}
			}()
			if d.Ask(t.Context(), f) != nil {
				panic("refused")
			}
		}
		refused("a second question", func(tx *db.Tx) error {
			_, err := db.Value[int](tx, count)
			if err == nil {
				_, err = db.Value[int](tx, count)
			}
			return err
		})
		for range 3 {
			refused("a change", func(tx *db.Tx) error {
				_, err := tx.Exec(`INSERT INTO limit_bucket (bucket, tat) VALUES ('a', 1)`)
				return err
			})
			refused("a change that answers", func(tx *db.Tx) error {
				_, err := db.Values[string](tx, `INSERT INTO limit_bucket (bucket, tat) VALUES ('a', 1) RETURNING bucket`)
				return err
			})
		}
		if err := d.Read(t.Context(), func(tx *db.Tx) error {
			n, err := db.Value[int](tx, count)
			if n != 0 {
				t.Error("something was written")
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	})
}
