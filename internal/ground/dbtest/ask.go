package dbtest

import (
	"testing"

	"zunft/internal/ground/db"
)

// Write runs what must succeed in one transaction.
func Write(t testing.TB, d *db.DB, f func(tx *db.Tx) error) {
	t.Helper()
	if err := d.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// Exec runs one statement that must succeed.
func Exec(t testing.TB, d *db.DB, query string, args ...any) {
	t.Helper()
	Write(t, d, func(tx *db.Tx) error { _, err := tx.Exec(query, args...); return err })
}

// Count is the number that a query answers.
func Count(t testing.TB, d *db.DB, query string, args ...any) (n int) {
	t.Helper()
	if err := d.Read(t.Context(), func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query, args...); return err }); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}
