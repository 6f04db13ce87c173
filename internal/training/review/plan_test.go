package review_test

import (
	"slices"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/book"
	"zunft/internal/training/planning"
	"zunft/internal/training/review"
	"zunft/internal/training/schema"
)

// R227: who signs reads the names of the plan's sections, whether the week
// names them or single days do, each once.
func TestSectionsAreReadByName_R227(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, bert := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "bert", "korn", "trainer")
		var plan []planning.Section
		r := must(t, d, func(tx *db.Tx) (r book.Report, err error) {
			if plan, err = planning.PlanOf(tx, "", ""); err != nil || len(plan) < 3 {
				t.Fatal(plan, err)
			}
			text := book.Text{Work: "Brötchen", Sections: plan[0].ID}
			text.Days[0] = book.Day{Attendance: "company", Text: "Teig", Sections: plan[0].ID + " " + plan[2].ID}
			if r, err = book.Save(tx, anna, week, 0, text); err != nil {
				return r, err
			}
			return book.Submit(tx, anna, week, r.Version)
		})
		var got []string
		if err := d.Read(bg, func(tx *db.Tx) error {
			r, err := review.For(tx, bert, r.ID)
			if err != nil {
				return err
			}
			v, err := review.Read(tx, r, func(key string, _ ...any) string { return key })
			got = v.Plan
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if want := []string{plan[0].Name(), plan[2].Name()}; !slices.Equal(got, want) {
			t.Errorf("read: %q, wanted %q", got, want)
		}
	})
}
