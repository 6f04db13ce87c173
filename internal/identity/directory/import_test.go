package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/schema"
)

// musterland is the invented chamber of all tests; "00" is its own prefix.
func musterland(t testing.TB, d *db.DB) chamber.Chamber {
	t.Helper()
	c := chamber.Chamber{Number: "999", Name: "Kammer Musterland", Place: "Musterstadt", Postcodes: []string{"00"}}
	dbtest.Write(t, d, func(tx *db.Tx) (err error) {
		c, err = chamber.Create(tx, audit.Console, c)
		return err
	})
	return c
}

func look(t testing.TB, d *db.DB, f func(tx *db.Tx) error) {
	t.Helper()
	if err := d.Read(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

func counts(r ImportReport) string {
	return fmt.Sprintf("rows %d created %d updated %d unchanged %d missing %d bad %d written %t", r.Rows, r.Created, r.Updated, r.Unchanged, r.Missing, r.BadRows, r.Written)
}

// rowsIn counts the directory and the audit rows of imports.
func rowsIn(t testing.TB, d *db.DB) string {
	t.Helper()
	var entries, audits int64
	look(t, d, func(tx *db.Tx) (err error) {
		if entries, err = db.Value[int64](tx, `SELECT COUNT(*) FROM directory_entry`); err != nil {
			return err
		}
		audits, err = db.Value[int64](tx, `SELECT COUNT(*) FROM audit WHERE event = 'directory.imported'`)
		return err
	})
	return fmt.Sprint(entries, " entries, ", audits, " audit rows")
}

// Issue A 1, R072: the way of a directory, import by import.
func TestR072ImportAddsRenewsAndReports(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		c := musterland(t, d)
		step := func(name, file string, o ImportOptions, wantCounts, wantRows string) ImportReport {
			t.Helper()
			r, err := Import(context.Background(), d, audit.Console, c.ID, strings.NewReader(file), o)
			if f := fault.Of(err); err != nil && (f == nil || f.Key() != "directory.strict_rows" || !o.Strict) {
				t.Fatalf("%s: %v", name, err)
			}
			if got := counts(r); got != wantCounts {
				t.Errorf("%s: %s, want %s", name, got, wantCounts)
			}
			if got := rowsIn(t, d); got != wantRows {
				t.Errorf("%s: %s, want %s", name, got, wantRows)
			}
			return r
		}
		first := heading + row("1", "Alpha GmbH") + row("2", "Beta GmbH") + row("x", "Bad") + row("3", "Gamma GmbH")
		step("dry run", first, ImportOptions{DryRun: true}, "rows 3 created 3 updated 0 unchanged 0 missing 0 bad 1 written false", "0 entries, 0 audit rows")
		r := step("strict", first, ImportOptions{Strict: true}, "rows 3 created 3 updated 0 unchanged 0 missing 0 bad 1 written false", "0 entries, 0 audit rows")
		if len(r.Bad) != 1 || r.Bad[0].Line != 4 || r.Bad[0].Column != 1 || r.Bad[0].Reason != "directory.row_ident" {
			t.Errorf("bad rows: %+v", r.Bad)
		}
		step("first", first, ImportOptions{}, "rows 3 created 3 updated 0 unchanged 0 missing 0 bad 1 written true", "3 entries, 1 audit rows")
		step("again", first, ImportOptions{}, "rows 3 created 0 updated 0 unchanged 3 missing 0 bad 1 written true", "3 entries, 2 audit rows")

		second := heading + row("0001", "Alpha GmbH") + strings.Replace(row("2", "Beta Neu GmbH"), "Hauptstraße;1", "Nebenweg;2", 1) + row("4", "Delta GmbH")
		step("dry run of changes", second, ImportOptions{DryRun: true}, "rows 3 created 1 updated 1 unchanged 1 missing 1 bad 0 written false", "3 entries, 2 audit rows")
		r = step("changes", second, ImportOptions{Strict: true}, "rows 3 created 1 updated 1 unchanged 1 missing 1 bad 0 written true", "4 entries, 3 audit rows")
		want := "[{2 name Beta GmbH Beta Neu GmbH} {2 street Hauptstraße Nebenweg} {2 house_number 1 2}]"
		if fmt.Sprint(r.Changes) != want {
			t.Errorf("changes %v, want %s", r.Changes, want)
		}
		look(t, d, func(tx *db.Tx) error {
			e, err := ByIdent(tx, c.ID, "000002999")
			if err != nil || e.Name != "Beta Neu GmbH" || e.Street != "Nebenweg" {
				t.Errorf("after the change: %+v, %v", e, err)
			}
			if n, at, err := Size(tx, c.ID); n != 4 || at.IsZero() || err != nil {
				t.Errorf("size %d, %v, %v", n, at, err)
			}
			return nil
		})
	})
}

// Only a clerk of this chamber, or the console, imports (R091).
func TestR091OnlyTheChambersClerksImport(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		c := musterland(t, d)
		stranger := audit.Actor{Account: db.NewID(), Kind: audit.Person}
		_, err := Import(context.Background(), d, stranger, c.ID, strings.NewReader(heading+row("1", "Alpha GmbH")), ImportOptions{})
		if !fault.Is(err, fault.KindForbidden) || rowsIn(t, d) != "0 entries, 0 audit rows" {
			t.Errorf("a stranger: %v, %s", err, rowsIn(t, d))
		}
		err = d.Write(context.Background(), func(tx *db.Tx) error {
			_, err := chamber.Create(tx, stranger, chamber.Chamber{Number: "998", Name: "Kammer Fremdland"})
			return err
		})
		if !fault.Is(err, fault.KindForbidden) {
			t.Errorf("a stranger made a chamber: %v", err)
		}
		_, err = Import(context.Background(), d, audit.Console, db.NewID(), strings.NewReader(heading), ImportOptions{})
		if !fault.Is(err, fault.KindNotFound) {
			t.Errorf("no such chamber: %v", err)
		}
	})
}

// Nothing half-done stays: a reader that breaks, a file that is none, an audit
// row that cannot be written.
func TestImportIsAllOrNothing(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		c := musterland(t, d)
		torn := io.MultiReader(strings.NewReader(heading+row("1", "Alpha GmbH")), failing{})
		if _, err := Import(context.Background(), d, audit.Console, c.ID, torn, ImportOptions{}); !errors.Is(err, errTorn) {
			t.Errorf("torn file: %v", err)
		}
		if _, err := Import(context.Background(), d, audit.Console, c.ID, strings.NewReader("PK\x03\x04"), ImportOptions{}); fault.Of(err) == nil {
			t.Errorf("a sheet: %v", err)
		}
		dbtest.Write(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec(`ALTER TABLE audit RENAME TO audit_away`)
			return err
		})
		if r, err := Import(context.Background(), d, audit.Console, c.ID, strings.NewReader(many(1200, "")), ImportOptions{}); err == nil || r.Written {
			t.Errorf("imported without an audit row: %+v", r)
		}
		dbtest.Write(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec(`ALTER TABLE audit_away RENAME TO audit`)
			return err
		})
		if got := rowsIn(t, d); got != "0 entries, 0 audit rows" {
			t.Error(got)
		}
	})
}

var errTorn = errors.New("torn")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errTorn }

// Two imports at once: both finish, the directory is whole.
func TestImportsOfOneChamberTakeTurns(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		c := musterland(t, d)
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				if _, err := Import(context.Background(), d, audit.Console, c.ID, strings.NewReader(many(1200, fmt.Sprint(" ", i))), ImportOptions{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := rowsIn(t, d); got != "1200 entries, 4 audit rows" {
			t.Error(got)
		}
	})
}

// many is a directory of n companies; the mark makes them differ from another's.
func many(n int, mark string) string {
	var b strings.Builder
	b.WriteString(heading)
	for i := range n {
		fmt.Fprintf(&b, "%d;Bäckerei Nummer %d%s GmbH & Co. KG;GmbH & Co. KG;Karl-Marx-Straße;%d a;%05d;Musterstadt;HRA;%d;Amtsgericht Stuttgart;Bert Bäcker\n", i+1, i+1, mark, i%200+1, i%100, i+1)
	}
	return b.String()
}

func TestImportTellsItsProgress(t *testing.T) {
	d := dbtest.Open(t, "sqlite", schema.Files)
	c := musterland(t, d)
	var told []int
	if _, err := Import(context.Background(), d, audit.Console, c.ID, strings.NewReader(many(2500, "")), ImportOptions{Progress: func(n int) { told = append(told, n) }}); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(told) != "[1000 2000 2500]" {
		t.Errorf("progress %v", told)
	}
}

// Aim of issue C: 200,000 rows under a minute on either engine.
func BenchmarkImport200000(b *testing.B) {
	dbtest.EachB(b, schema.Files, func(b *testing.B, d *db.DB) {
		c := musterland(b, d)
		for _, run := range []struct{ name, mark string }{{"first", ""}, {"unchanged", ""}, {"changed", " neu"}} {
			file := many(200_000, run.mark)
			start := time.Now()
			if _, err := Import(context.Background(), d, audit.Console, c.ID, strings.NewReader(file), ImportOptions{}); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(time.Since(start).Seconds(), run.name+"-s")
		}
	})
}
