package reminder_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
	"zunft/internal/training/reminder"
	"zunft/internal/training/schema"
)

var wednesday = time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)

// settle puts apprentices into a database, ten to a company, each with a
// number of weeks of which the last two but one are missing.
func settle(t testing.TB, d *db.DB, apprentices, weeks int) {
	t.Helper()
	d.Now = func() time.Time { return wednesday }
	first := calendar.Week{Year: 2026, Number: 47}.Add(-weeks)
	for from := 0; from < apprentices; from += 500 {
		err := d.Write(context.Background(), func(tx *db.Tx) error {
			for i := from; i < min(from+500, apprentices); i++ {
				sub, company := fmt.Sprintf("azubi%06d", i), fmt.Sprintf("betrieb%05d", i/10)
				if err := person.Learn(tx, audit.Job, person.Claims{Roles: []string{"apprentice"}, Person: person.Person{Sub: sub, Name: sub, Email: sub + "@beispiel.example"}, Company: person.Company{ID: company}}); err != nil {
					return err
				}
				id := db.NewID()
				if _, err := tx.Exec(`INSERT INTO apprenticeship (id, person, company, name_key, land, starts_on, source, created_at, changed_at) VALUES ($1, $2, $3, $2, 'BY', $4, 'company', $5, $5)`, id, sub, company, first.Date(1), tx.Now()); err != nil {
					return err
				}
				var rows []any
				for w := first; w.Before(calendar.Week{Year: 2026, Number: 45}); w = w.Add(1) {
					rows = append(rows, db.NewID(), sub, id, company, w.Year, w.Number, w.Date(1), w.Date(7), "signed_off", tx.Now(), tx.Now(), tx.Now())
				}
				if _, err := tx.Exec(`INSERT INTO report (id, apprentice, apprenticeship, company, year, week, first_day, last_day, state, submitted_at, created_at, changed_at) VALUES `+db.Rows(len(rows)/12, 12), rows...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := reminder.Run(context.Background(), d); err != nil { // gives everybody their row
		t.Fatal(err)
	}
}

func sunday(d *db.DB) {
	d.Now = func() time.Time { return time.Date(2026, 11, 22, 17, 2, 0, 0, time.UTC) }
}

// R323: a batch of apprentices costs a fixed number of questions, and one row
// per mail; twice as many apprentices are no more questions.
func TestRemindingCostsABatch(t *testing.T) {
	cost := func(apprentices int) int64 {
		address, executed := dbtest.Counting(t, dbtest.Migrated(t, "postgres", schema.Files))
		d, err := db.Connect(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		settle(t, d, apprentices, 6)
		sunday(d)
		before := executed.Load()
		if err := reminder.Run(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if n := dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`); n != apprentices {
			t.Errorf("%d mails for %d apprentices", n, apprentices)
		}
		return executed.Load() - before - int64(apprentices)
	}
	few, many := cost(40), cost(190)
	t.Logf("questions beside the mails: %d for 40 apprentices, %d for 190", few, many)
	if few != many || many > 25 {
		t.Error("they grow with the people")
	}
}

// Sunday, 18:00, for all of a large chamber at once.
func BenchmarkSundayEvening(b *testing.B) {
	const weeks = 30
	dbtest.EachB(b, schema.Files, func(b *testing.B, d *db.DB) {
		var longest time.Duration
		apprentices := 20000
		if d.Engine() != "sqlite" { // putting them there takes minutes
			apprentices = 2000
		}
		settle(b, d, apprentices, weeks)
		sunday(d)
		for b.Loop() { // the first takes all; later ones find nothing
			began := time.Now()
			if err := reminder.Run(context.Background(), d); err != nil {
				b.Fatal(err)
			}
			if took := time.Since(began); took > longest {
				longest = took
			}
		}
		b.ReportMetric(float64(longest.Milliseconds()), "ms/all")
		if n := dbtest.Count(b, d, `SELECT count(*) FROM reminder_sent`); n != apprentices {
			b.Fatalf("%d sent", n)
		}
	})
}
