package registry_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/person"
	"zunft/internal/training/registry"
	"zunft/internal/training/schema"
)

const (
	benchRows      = 20_000
	benchCompanies = 2000
)

// registryList is a chamber's list: twenty thousand apprenticeships of two
// thousand companies, half of which somebody has signed in from.
func registryList() string {
	var b strings.Builder
	b.WriteString(head)
	for i := range benchRows {
		fmt.Fprintf(&b, "A-%05d;Lena Marie;Lerche%d;%d;Kaufmann für Büromanagement;01.08.2026;31.07.2029;T-%d\n", i, i, 100_000+i%benchCompanies, i%benchCompanies)
	}
	return b.String()
}

// A chamber's registry comes in as a whole and, the next night, again. The
// yardstick writes as many rows of an apprenticeship and of the audit with bare
// statements, in transactions of the same size.
func BenchmarkRegistry(b *testing.B) {
	list := registryList()
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			for b.Loop() {
				d := dbtest.Open(b, engine, schema.Files)
				if err := d.Write(bg, func(tx *db.Tx) error {
					for i := range benchCompanies / 2 {
						c := person.Claims{
							Roles: []string{person.Trainer}, TrainerNumber: fmt.Sprint("T-", i), Person: person.Person{Sub: fmt.Sprint("t", i), Name: "Bert", Email: "b@example.org"},
							Company: person.Company{ID: fmt.Sprint("c", i), Name: "Betrieb", IdentNumber: fmt.Sprint(100_000 + i), ChamberNumber: "999"},
						}
						if err := person.Learn(tx, audit.Job, c); err != nil {
							return err
						}
					}
					return nil
				}); err != nil {
					b.Fatal(err)
				}
				var took [2]time.Duration
				for i := range took {
					begin := time.Now()
					r, err := registry.Import(bg, d, audit.Console, registry.Options{Chamber: "999"}, strings.NewReader(list))
					if took[i] = time.Since(begin); err != nil || r.BadRows > 0 || i == 0 && r.Created != benchRows || i == 1 && r.Unchanged != benchRows {
						b.Fatalf("%v %+v", err, r)
					}
				}
				begin := time.Now()
				for batch := range benchRows / 200 {
					if err := d.Write(bg, func(tx *db.Tx) error {
						for i := range 200 {
							if _, err := tx.Exec(`INSERT INTO apprenticeship (id, chamber_number, ident_number, number, given_name, family_name, name_key, words, occupation, starts_on, ends_on, source, created_at, changed_at)
								VALUES ($1, '888', '1', $2, 'Lena Marie', 'Lerche', 'lerche lena marie', 'lena marie lerche', 'kaufmann', '2026-08-01', '2029-07-31', 'registry', $3, $3)`, db.NewID(), fmt.Sprint(batch, "-", i), tx.Now()); err != nil {
								return err
							}
							if err := audit.Record(tx, audit.Console, audit.Entry{Event: "apprenticeship.created", Chamber: "888"}); err != nil {
								return err
							}
						}
						return nil
					}); err != nil {
						b.Fatal(err)
					}
				}
				bare := time.Since(begin)
				b.ReportMetric(took[0].Seconds(), "s/first")
				b.ReportMetric(took[1].Seconds(), "s/again")
				b.ReportMetric(bare.Seconds(), "s/bare")
				b.ReportMetric(bare.Seconds()/took[0].Seconds(), "of-bare")
			}
		})
	}
}
