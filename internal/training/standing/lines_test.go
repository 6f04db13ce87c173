package standing

import (
	"strings"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/schema"
)

// The weeks of a book lie as far apart in the table as they were written: with
// three million of them each would be a page of its own to fetch. Lists read
// them from one index, in its order.
func TestListsReadOneIndexAlone(t *testing.T) {
	d := dbtest.Open(t, "sqlite", schema.Files)
	for _, query := range []string{othersLines, ownLines} {
		var steps []string
		err := d.Read(t.Context(), func(tx *db.Tx) error {
			return tx.Each(`EXPLAIN QUERY PLAN `+query, []any{"anna", tx.Now()}, func(scan func(...any) error) error {
				var id, parent, unused int
				var step string
				err := scan(&id, &parent, &unused, &step)
				steps = append(steps, step)
				return err
			})
		})
		if plan := strings.Join(steps, "; "); err != nil || len(steps) != 1 || !strings.Contains(plan, "USING COVERING INDEX report_book") {
			t.Errorf("%s: %s, %v", query, plan, err)
		}
	}
}
