package standing_test

import (
	"fmt"
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
	"zunft/internal/training/schema"
	"zunft/internal/training/standing"
)

// A page of a trainer's list, and one book, with three years of reports: yardstick
// 20 ms of server time. The counts read the index alone.
func BenchmarkStanding(b *testing.B) {
	dbtest.EachB(b, schema.Files, func(b *testing.B, d *db.DB) {
		var jana audit.Actor
		err := d.Write(bg, func(tx *db.Tx) error {
			for i := range standing.Page {
				sub := fmt.Sprintf("azubi%02d", i)
				if err := person.Learn(tx, audit.Job, person.Claims{Roles: []string{"apprentice"}, Person: person.Person{Sub: sub, Name: sub}, Company: person.Company{ID: "korn", Name: "korn"}}); err != nil {
					return err
				}
				id := db.NewID()
				if _, err := tx.Exec(`INSERT INTO apprenticeship (id, person, company, name_key, starts_on, source, created_at, changed_at) VALUES ($1, $2, 'korn', $2, '2023-11-27', 'company', $3, $3)`, id, sub, tx.Now()); err != nil {
					return err
				}
				for w := calendar.Date("2023-11-27").Week(); w.Before(calendar.Week{Year: 2026, Number: 47}); w = w.Add(1) {
					if _, err := tx.Exec(`INSERT INTO report (id, apprentice, apprenticeship, company, year, week, first_day, last_day, state, submitted_at, created_at, changed_at, work, days)
						VALUES ($1, $2, $3, 'korn', $4, $5, $6, $7, 'signed_off', $8, $8, $8, $9, '[{"a":"company","m":480},{"a":"school","m":360},{"a":"company","m":480},{"a":"company","m":480},{"a":"sick"},{},{}]')`,
						db.NewID(), sub, id, w.Year, w.Number, w.Date(1), w.Date(7), tx.Now(), strings.Repeat("Brötchen ", 80)); err != nil {
						return err
					}
				}
			}
			c := person.Claims{Roles: []string{"training_admin"}, Person: person.Person{Sub: "jana", Name: "Jana"}, Company: person.Company{ID: "korn", Name: "korn"}}
			if err := person.Learn(tx, audit.Job, c); err != nil {
				return err
			}
			_, s, err := person.Start(tx, audit.Job, c, "")
			jana = audit.Actor{Account: "jana", Session: s.ID, Kind: audit.Person}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		run := func(name string, f func(tx *db.Tx) error) {
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					if err := d.Read(bg, f); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		run("list", func(tx *db.Tx) error { _, err := standing.Company(tx, jana, standing.Choice{}); return err })
		run("year", func(tx *db.Tx) error { _, err := standing.Read(tx, "azubi07", true); return err })
		run("trainee", func(tx *db.Tx) error { _, err := standing.TraineeOf(tx, jana, "azubi07"); return err })
	})
}
