package portal_test

import (
	"fmt"
	"net/http"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/calendar"
	"zunft/internal/training/schema"
)

// What the pages that everybody opens ask of PostgreSQL: every statement and
// every beginning and end of a transaction is a way there and back, and those
// are most of what a page costs. The numbers are what they need today; who needs
// one more says here why. With twenty apprentices more it is the same number.
func TestWaysToTheDatabase(t *testing.T) {
	address, ways := dbtest.CountingWays(t, dbtest.Migrated(t, "postgres", schema.Files))
	d, err := db.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	w := newWorld(t, d)
	learns := func(i int) *visit {
		return w.comes(claims(fmt.Sprintf("lehrling-%02d", i), "Kim", fmt.Sprint("Lehrling ", i), "korn", "apprentice"))
	}
	last, this, next := calendar.WeekOf(db.At(now)).Add(-1).String(), calendar.WeekOf(db.At(now)).String(), calendar.WeekOf(db.At(now)).Add(1).String()
	anna, bert := learns(0), w.comes(claims("bert", "Bert", "Meister", "korn", "trainer"))
	jana := w.comes(claims("jana", "Jana", "Chefin", "korn", "training_admin"))
	hand := func(v *visit, week string) {
		t.Helper()
		if p := v.post("/reports/"+week, "version", "0", "do", "save", "work", "Teige angesetzt"); p.status != http.StatusSeeOther {
			t.Fatal(p.status, main(p.body))
		}
		if p := v.post("/reports/"+week+"/submit", "version", "1"); p.status != http.StatusSeeOther {
			t.Fatal(p.status, main(p.body))
		}
	}
	hand(anna, last)
	report := ""
	if err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
		report, err = db.Value[string](tx, `SELECT id FROM report`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	anna.post("/reports/"+this, "version", "0", "do", "save", "work", "Brot 0")
	saved := 0
	pages := []struct {
		name string
		most int64
		do   func() page
	}{
		{"a page that asks nothing", 1, func() page { return anna.get("/imprint") }}, // who comes
		{"a week that was submitted", 9, func() page { return anna.get("/reports/" + last) }},
		{"the editor of a new week", 14, func() page { return anna.get("/reports/" + next) }},
		{"the editor of a written week", 12, func() page { return anna.get("/reports/" + this) }},
		{"saving it", 7, func() page {
			saved++
			return anna.post("/reports/"+this, "do", "save", "version", fmt.Sprint(saved), "work", fmt.Sprint("Brot ", saved))
		}},
		{"the year", 7, func() page { return anna.get("/reports") }},
		{"home of an apprentice", 10, func() page { return anna.get("/") }},
		{"the queue", 11, func() page { return bert.get("/reviews") }},
		{"a report of the queue", 17, func() page { return bert.get("/reviews/" + report) }},
		{"home of a trainer", 13, func() page { return bert.get("/") }},
		{"the trainer's apprentices", 13, func() page { return bert.get("/trainees") }},
		{"the company", 12, func() page { return jana.get("/company") }},
	}
	count := func() map[string]int64 {
		all := map[string]int64{}
		for _, p := range pages {
			for range 2 { // at the first time the driver asks for the statement, too
				before := ways.Load()
				if a := p.do(); a.status != http.StatusOK && a.status != http.StatusSeeOther {
					t.Fatal(p.name, a.status, main(a.body))
				}
				all[p.name] = ways.Load() - before
			}
		}
		return all
	}
	few := count()
	for i := range 20 {
		hand(learns(i+1), last)
	}
	many := count()
	for _, p := range pages {
		t.Logf("%2d: %s", few[p.name], p.name)
		if few[p.name] < 1 || few[p.name] > p.most || many[p.name] != few[p.name] {
			t.Errorf("%s: %d, at most %d; with twenty apprentices more %d", p.name, few[p.name], p.most, many[p.name])
		}
	}
}
