package standing_test

import (
	"encoding/json"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/schema"
	"zunft/internal/training/standing"
)

// Art. 5 (1) c GDPR, R333: who trained somebody until last year does not read in
// which weeks they are ill at their new company, and the new one does not read of
// the old.
func TestCompaniesDoNotSeeEachOther_R333(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		old, young := comes(t, d, "bert", "korn", "trainer"), comes(t, d, "rita", "stahl", "trainer")
		comes(t, d, "anna", "korn", "apprentice")
		comes(t, d, "anna", "stahl", "apprentice")
		first := learns(t, d, "anna", "korn", "2025-08-01", "2026-07-31")
		second := learns(t, d, "anna", "stahl", "2026-08-01", "2028-07-31")
		writes(t, d, "anna", "korn", first, calendar.Week{Year: 2026, Number: 10}, "signed_off")
		writes(t, d, "anna", "stahl", second, calendar.Week{Year: 2026, Number: 40}, "signed_off")
		dbtest.Exec(t, d, `UPDATE report SET days = $1 WHERE week = 10`, days(t, "vacation"))
		dbtest.Exec(t, d, `UPDATE report SET days = $1 WHERE week = 40`, days(t, "sick"))
		read(t, d, func(tx *db.Tx) error {
			there, err := standing.TraineeOf(tx, old, "anna")
			if err != nil {
				return err
			}
			here, err := standing.TraineeOf(tx, young, "anna")
			if err != nil {
				return err
			}
			for name, c := range map[string]struct {
				standing.Trainee
				kind string
			}{"before": {there, "vacation"}, "now": {here, "sick"}} {
				if k := c.Attendance.Kinds; len(k) != 1 || k[0].Name != c.kind {
					t.Errorf("%s: attendance %+v", name, k)
				}
				if n := len(c.Book.Reports); n != 1 {
					t.Errorf("%s: %d reports", name, n)
				}
			}
			own, err := standing.AttendanceOf(tx, "anna", true)
			if len(own.Kinds) != 2 {
				t.Errorf("her own: %+v", own.Kinds)
			}
			return err
		})
	})
}

// days of a week of one kind, as they are stored.
func days(t *testing.T, kind string) string {
	t.Helper()
	var w [7]book.Day
	for i := range 5 {
		w[i].Attendance = kind
	}
	b, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
