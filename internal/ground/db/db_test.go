package db_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
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

// Whatever ends a transaction early, the next one finds a clean connection.
func TestTheWriterSurvivesWhatEndsATransaction(t *testing.T) {
	d := open(t)
	put := func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO limit_bucket (bucket, tat) VALUES ('a', 1)`)
		return err
	}
	count := func() (n int) {
		t.Helper()
		if err := d.Read(t.Context(), func(tx *db.Tx) error { return tx.Scan(`SELECT count(*) FROM limit_bucket`, nil, &n) }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := d.Write(ctx, func(tx *db.Tx) error { cancel(); return put(tx) }); err == nil {
		t.Error("a canceled transaction was committed")
	}
	ctx, cancel = context.WithCancel(t.Context())
	if err := d.Write(ctx, func(tx *db.Tx) error { err := put(tx); cancel(); return err }); !errors.Is(err, context.Canceled) {
		t.Error("canceled before the commit:", err)
	}
	if err := d.Write(ctx, put); err == nil {
		t.Error("begun although canceled")
	}
	func() {
		defer func() { recover() }()
		d.Write(t.Context(), func(tx *db.Tx) error { put(tx); panic("boom") })
	}()
	if err := d.Write(t.Context(), func(tx *db.Tx) error { put(tx); _, err := tx.Exec(`INSERT INTO nowhere VALUES (1)`); return err }); err == nil {
		t.Error("no error for a statement that cannot be")
	}
	if n := count(); n != 0 {
		t.Errorf("%d rows of transactions that failed", n)
	}
	if err := d.Write(t.Context(), put); err != nil || count() != 1 {
		t.Error("the next transaction:", err)
	}
	var group sync.WaitGroup
	for i := range 200 {
		group.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%7)*100*time.Microsecond)
			defer cancel()
			d.Write(ctx, func(tx *db.Tx) error {
				for range 5 {
					if _, err := tx.Exec(`UPDATE limit_bucket SET tat = tat + 1`); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	group.Wait()
	d.Read(t.Context(), func(tx *db.Tx) error {
		if tat, err := db.Value[int](tx, `SELECT tat FROM limit_bucket`); err != nil || tat%5 != 1 {
			t.Error("half a transaction was kept:", tat, err)
		}
		return nil
	})
}

// One view has one answer; where something may be written, and after an error,
// it is asked again.
func TestOnce(t *testing.T) {
	d := open(t)
	type key string
	asked := 0
	ask := func(tx *db.Tx, k key, err error) int {
		n, got := db.Once(tx, k, func() (int, error) { asked++; return asked, err })
		if !errors.Is(got, err) {
			t.Errorf("%v, not %v", got, err)
		}
		return n
	}
	boom := errors.New("boom")
	read := func(tx *db.Tx) error {
		ask(tx, "a", boom)
		if first, again, other := ask(tx, "a", nil), ask(tx, "a", nil), ask(tx, "b", nil); first != again || other == first {
			t.Errorf("asked as %d, %d and %d", first, again, other)
		}
		return nil
	}
	for range 2 { // the next transaction is another view
		asked = 0
		if err := d.Read(t.Context(), read); err != nil || asked != 3 {
			t.Errorf("%d asked, %v", asked, err)
		}
	}
	asked = 0
	if err := d.Write(t.Context(), func(tx *db.Tx) error { ask(tx, "a", nil); ask(tx, "a", nil); return nil }); err != nil || asked != 2 {
		t.Errorf("%d asked while writing, %v", asked, err)
	}
}

// Who cancels while PostgreSQL commits does not learn less than who waits: an
// error means that nothing was kept. (A change, its audit row and its mail would
// else be kept and reported as failed.)
func TestACanceledCommitIsKnown(t *testing.T) {
	d := dbtest.Open(t, "postgres", schema.Files)
	ctx := t.Context()
	dbtest.Exec(t, d, `CREATE TABLE told (id TEXT PRIMARY KEY)`)
	// Committing a row waits for a lock that the test holds.
	dbtest.Exec(t, d, `CREATE FUNCTION waits() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END'`)
	dbtest.Exec(t, d, `CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON told DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION waits()`)

	canceled, cancel := context.WithCancel(ctx)
	kept := make(chan error, 1)
	err := d.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(`SELECT pg_advisory_xact_lock(4711)`); err != nil {
			return err
		}
		go func() {
			kept <- d.Write(canceled, func(tx *db.Tx) error {
				_, err := tx.Exec(`INSERT INTO told (id) VALUES ('a')`)
				return err
			})
		}()
		for waiting := 0; waiting == 0; { // until the other one commits
			if err := tx.Scan(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`, nil, &waiting); err != nil {
				return err
			}
		}
		cancel()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = <-kept
	if n := dbtest.Count(t, d, `SELECT count(*) FROM told`); err != nil || n != 1 {
		t.Errorf("%d rows were kept, and the one who wrote was told: %v", n, err)
	}
	// Before it commits, a canceled context still undoes everything.
	canceled, cancel = context.WithCancel(ctx)
	if err := d.Write(canceled, func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO told (id) VALUES ('b')`)
		cancel()
		return err
	}); !errors.Is(err, context.Canceled) || dbtest.Count(t, d, `SELECT count(*) FROM told`) != 1 {
		t.Errorf("a canceled change: %v", err)
	}
}
