package dbtest

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zunft/internal/ground/db"
)

var update = flag.Bool("update", false, "write testdata anew instead of comparing with it")

// Golden compares a text with a file of testdata. `go test -update` writes it.
func Golden(t testing.TB, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if string(want) != got {
		t.Errorf("%s is not what it was (go test -update writes it anew):\n%s", file, firstDifference(string(want), got))
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := "(end)", "(end)"
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return fmt.Sprintf("line %d\n was  %s\n is   %s", i+1, a, b)
		}
	}
	return ""
}

// Schema is today's data model as SQLite shows it after migration: every table
// as it was written, with its indexes.
func Schema(t testing.TB, schema fs.FS) string {
	t.Helper()
	var b strings.Builder
	err := Open(t, "sqlite", schema).Read(t.Context(), func(tx *db.Tx) error {
		tables, err := db.Values[string](tx, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%' ORDER BY rowid`)
		if err != nil {
			return err
		}
		for _, table := range tables {
			parts, err := db.Values[string](tx, `SELECT sql FROM sqlite_master WHERE tbl_name = $1 AND sql IS NOT NULL ORDER BY type = 'index', rowid`, table)
			if err != nil {
				return err
			}
			b.WriteString(strings.Join(parts, ";\n") + ";\n\n")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// Shape is a schema as both engines can tell it: "table.column TYPE" and
// "table unique (columns)", sorted. A unique index over an expression or of a
// part of the rows says so.
func Shape(t testing.TB, engine string, schema fs.FS) []string {
	t.Helper()
	columns, uniques := sqliteColumns, sqliteUniques
	if engine == "postgres" {
		columns, uniques = postgresColumns, postgresUniques
	}
	var shape []string
	err := Open(t, engine, schema).Read(t.Context(), func(tx *db.Tx) error {
		for _, query := range []string{columns, uniques} {
			lines, err := db.Values[string](tx, query)
			if err != nil {
				return err
			}
			shape = append(shape, lines...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(shape)
	return shape
}

const sqliteColumns = `SELECT m.name || '.' || c.name || ' ' || c.type || CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN ' NOT NULL' ELSE '' END
	FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'goose_%'`

const sqliteUniques = `SELECT m.name || ' unique (' || (SELECT group_concat(coalesce(name, 'expression'), ', ') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) || ')' || CASE WHEN i.partial = 1 THEN ' in part' ELSE '' END
	FROM sqlite_master m JOIN pragma_index_list(m.name) i WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'goose_%' AND i."unique" = 1`

const postgresColumns = `SELECT c.relname || '.' || a.attname || ' ' || CASE format_type(a.atttypid, a.atttypmod) WHEN 'timestamp with time zone' THEN 'TIMESTAMPTZ' ELSE upper(format_type(a.atttypid, a.atttypmod)) END
		|| CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 AND NOT a.attisdropped AND c.relname NOT LIKE 'goose_%'`

const postgresUniques = `SELECT c.relname || ' unique (' || (SELECT string_agg(coalesce(a.attname, 'expression'), ', ' ORDER BY k.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, n)
		LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum AND k.attnum > 0) || ')' || CASE WHEN i.indpred IS NOT NULL THEN ' in part' ELSE '' END
	FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE i.indisunique AND c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname NOT LIKE 'goose_%'`
