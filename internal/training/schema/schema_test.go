package schema_test

import (
	"slices"
	"testing"

	"zunft/internal/ground/dbtest"
	"zunft/internal/training/schema"
)

// testdata/schema.sql is the data model on one page. Whoever changes a step
// sees there what becomes of it.
func TestSchemaOfToday(t *testing.T) {
	dbtest.Golden(t, "schema.sql", dbtest.Schema(t, schema.Files))
}

// Both engines have the same tables, columns and unique indexes.
func TestBothEnginesAreAlike(t *testing.T) {
	sqlite, postgres := dbtest.Shape(t, "sqlite", schema.Files), dbtest.Shape(t, "postgres", schema.Files)
	if len(sqlite) < 50 {
		t.Fatalf("only %d lines: %v", len(sqlite), sqlite)
	}
	for _, line := range sqlite {
		if !slices.Contains(postgres, line) {
			t.Errorf("PostgreSQL lacks %s", line)
		}
	}
	for _, line := range postgres {
		if !slices.Contains(sqlite, line) {
			t.Errorf("SQLite lacks %s", line)
		}
	}
}
