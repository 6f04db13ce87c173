// Package dbtest gives tests a database on both engines.
//
//	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) { … })
//
// runs the function twice, as "sqlite" and "postgres", each time with an
// empty, migrated database that nobody else uses and that is gone afterwards.
// The schema is migrated once; every test gets a copy, which costs
// milliseconds.
//
// PostgreSQL is the server named by ZUNFT_TEST_POSTGRES, where databases may
// be created and dropped (version 15 or newer), or else a private cluster that this test process
// starts and that ends with it. `make test` starts one for all packages
// (dbtest/cmd). A machine without PostgreSQL skips those tests; with CI=true
// that is a failure.
package dbtest

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"zunft/internal/ground/db"
)

// Engines are the names of the engines every test of SQL runs on.
var Engines = [...]string{"sqlite", "postgres"}

// Each runs f as a subtest for each engine, with a migrated, empty database.
func Each(t *testing.T, schema fs.FS, f func(t *testing.T, d *db.DB)) {
	t.Helper()
	for _, engine := range Engines {
		t.Run(engine, func(t *testing.T) { f(t, Open(t, engine, schema)) })
	}
}

// EachB is Each for benchmarks.
func EachB(b *testing.B, schema fs.FS, f func(b *testing.B, d *db.DB)) {
	b.Helper()
	for _, engine := range Engines {
		b.Run(engine, func(b *testing.B) { f(b, Open(b, engine, schema)) })
	}
}

// Open returns a migrated, empty database, closed when the test ends.
func Open(t testing.TB, engine string, schema fs.FS) *db.DB {
	t.Helper()
	address := Migrated(t, engine, schema)
	d, err := db.Connect(context.Background(), address) // the copy is migrated already
	if err != nil {
		t.Fatalf("open %s: %v", address, err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// Migrated is the address of a fresh database with the schema in it, for
// tests that open it themselves, perhaps more than once.
func Migrated(t testing.TB, engine string, schema fs.FS) string {
	t.Helper()
	name, err := fingerprint(schema)
	if err != nil {
		t.Fatalf("read the schema: %v", err)
	}
	if engine == "sqlite" {
		file, err := sqliteTemplate(name, schema)
		if err != nil {
			t.Fatalf("migrate the SQLite template: %v", err)
		}
		path := sqlitePath(t)
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		return "sqlite:" + path + db.Quick
	}
	s := postgres(t)
	template, err := s.template(name, schema)
	if err != nil {
		t.Fatalf("migrate the PostgreSQL template: %v", err)
	}
	return s.create(t, template)
}

// DSN is the address of a fresh database without any tables.
func DSN(t testing.TB, engine string) string {
	t.Helper()
	if engine == "sqlite" {
		return "sqlite:" + sqlitePath(t) + db.Quick
	}
	return postgres(t).create(t, "template0")
}

// Unavailable ends a test that needs something this machine lacks: a skip
// with a sentence, in CI (CI=true) a failure.
func Unavailable(t testing.TB, sentence string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(sentence)
	}
	t.Skip(sentence)
}

func sqlitePath(t testing.TB) string {
	return filepath.Join(t.TempDir(), "zunft.db")
}
