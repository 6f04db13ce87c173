package main

import (
	"path/filepath"
	"testing"

	"zunft/internal/ground/dbtest"
)

// Art. 17 GDPR by command: first what would be, then what may go at once, then
// the book; verify calls it erased, also beside heads from before.
func TestTrainingEraseCommand(t *testing.T) {
	c, dir := trainingConsole(t)
	d := signedBook(t, dir)
	dbtest.Exec(t, d, `UPDATE apprenticeship SET number = 'A-1', starts_on = '2026-08-01', ends_on = '2098-07-31' WHERE person = 'anna'`)
	heads := filepath.Join(dir, "heads")
	c.works("training verify --write "+heads, "1 books with 1 seals")

	c.fails("training erase", "")
	c.fails("training erase --person anna --apprenticeship A-1", "")
	c.fails("training erase --apprenticeship A-1", "needs --chamber")
	c.fails("training erase --apprenticeship A-2 --chamber 999", "no apprenticeship")
	c.fails("training erase --person emil", "was ever here")
	c.works("training erase --apprenticeship A-1 --chamber 999 --dry-run", "anna", "reports: 1, drafts among them: 0", "kept until 2101-12-31", "nothing erased")
	c.works("training erase --person anna --dry-run --set training.keep_years=1", "kept until 2099-12-31")
	c.fails("training erase --person anna --set training.keep_years=0", "from 1 to 50")
	c.works("training verify", "1 books with 1 seals")
	c.works("training erase --person anna", "1 reports stay until 2101-12-31")
	c.works("training verify --heads "+heads, "1 books with 1 seals")
	c.works("training erase --person anna --before-time", "erased")
	c.works("training verify --heads "+heads, "anna: erased on ", "0 books with 0 seals, 1 books erased since")
	c.works("training erase --person bert", "erased but for the name")
}
