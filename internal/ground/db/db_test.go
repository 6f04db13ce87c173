package db_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/schema"
)

func open(t *testing.T) *db.DB {
	d, err := db.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "a.db"), schema.Files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestKeepCommitsTheFailedTry(t *testing.T) {
	d := open(t)
	put := func(tx *db.Tx) { tx.Exec(`INSERT INTO limit_bucket (bucket, tat) VALUES ('a', 1)`) }
	err := d.Write(t.Context(), func(tx *db.Tx) error { put(tx); return db.Keep(fault.Conflict("x")) })
	if !fault.Is(err, fault.KindConflict) {
		t.Fatal(err)
	}
	n := 0
	d.Read(t.Context(), func(tx *db.Tx) error { return tx.Scan(`SELECT count(*) FROM limit_bucket`, nil, &n) })
	if n != 1 {
		t.Fatal("the kept row is gone")
	}
	boom := errors.New("boom")
	if err := d.Write(context.Background(), func(tx *db.Tx) error { tx.Exec(`DELETE FROM limit_bucket`); return boom }); err != boom {
		t.Fatal(err)
	}
	d.Read(t.Context(), func(tx *db.Tx) error { return tx.Scan(`SELECT count(*) FROM limit_bucket`, nil, &n) })
	if n != 1 {
		t.Fatal("a failed transaction was committed")
	}
}

// What was acknowledged survives a power cut unless the address says otherwise.
func TestSQLiteIsDurableByDefault(t *testing.T) {
	for suffix, want := range map[string]int{"": 2, db.Quick: 1} { // FULL, NORMAL
		d, err := db.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "a?b #.db")+suffix, schema.Files)
		if err != nil {
			t.Fatal(err)
		}
		err = d.Write(t.Context(), func(tx *db.Tx) error {
			if got, err := db.Value[int](tx, `PRAGMA synchronous`); err != nil || got != want {
				t.Errorf("%q: synchronous %d, want %d: %v", suffix, got, want, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		d.Close()
	}
}
