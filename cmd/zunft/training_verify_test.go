package main

import (
	"path/filepath"
	"testing"

	"zunft/internal/ground/dbtest"
)

// L16: the operator checks all chains; what was changed behind everybody's back
// is named, and the exit status says so.
func TestTrainingVerifyCommand_L16(t *testing.T) {
	c, dir := trainingConsole(t)
	d := signedBook(t, dir)
	exec := func(query string) { t.Helper(); dbtest.Exec(t, d, query) }
	heads := filepath.Join(dir, "heads")
	c.works("training verify --write "+heads, "1 books with 1 seals")
	c.works("training verify --heads " + heads)
	exec(`UPDATE report SET work = 'Torte'`)
	c.fails("training verify", "1 things do not fit")
	exec(`DELETE FROM report_seal`)
	exec(`DELETE FROM audit`)
	exec(`UPDATE report SET undo_until = '2026-01-01T00:00:00Z'`) // as if it was never sealed
	c.works("training verify")
	c.fails("training verify --heads "+heads, "1 things do not fit")
}
