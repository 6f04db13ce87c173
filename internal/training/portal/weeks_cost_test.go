package portal_test

import (
	"net/http"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/schema"
)

// Opening a week asks the database a fixed number of questions, whatever is
// planned, written and attached: none of them once per day, file or section.
func TestOpeningAWeekCosts(t *testing.T) {
	address, executed := dbtest.Counting(t, dbtest.Migrated(t, "postgres", schema.Files))
	d, err := db.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	w := newWorld(t, d)
	anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
	cost := func(path string) int64 {
		t.Helper()
		anna.get(path).is(http.StatusOK)
		before := executed.Load()
		anna.get(path).is(http.StatusOK)
		return executed.Load() - before
	}
	begun := cost("/reports/2026-W46")
	for i := range 8 {
		anna.follow("/absences", "attendance", "vacation", "from", "2026-11-09", "until", time.Date(2026, 11, 10+i, 0, 0, 0, 0, time.UTC).Format("2006-01-02"))
		anna.follow("/snippets", "text", "Text "+string(rune('a'+i)))
	}
	if n := cost("/reports/2026-W46"); n != begun {
		t.Errorf("a new week costs %d questions, with plans %d", begun, n)
	}
	anna.follow("/reports/2026-W47", "version", "0", "do", "save", "work", "Teige")
	written := cost("/reports/2026-W47")
	for i := range 8 {
		if p := anna.attach("/reports/2026-W47/attachments", "Beleg.pdf", aPDF+string("\n\r "[i%3])+string("\n\r "[i/3])); p.status != http.StatusSeeOther {
			t.Fatal(p.status, main(p.body))
		}
	}
	if n := cost("/reports/2026-W47"); n != written {
		t.Errorf("a week costs %d questions, with files %d", written, n)
	}
	t.Logf("opening a new week: %d questions, a written one: %d", begun, written)
	if begun > 12 || written > 12 {
		t.Error("more than 12")
	}
}
