package registration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/company"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/registration"
	"zunft/internal/identity/schema"
)

// crowd is a chamber with one busy postcode, a clerk, and n applications that
// are alike to what came in.
func crowd(b testing.TB, d *db.DB, n int) (chamberID string, clerk audit.Actor) {
	b.Helper()
	ctx := context.Background()
	fail := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	var applicant string
	fail(d.Write(ctx, func(tx *db.Tx) error {
		c, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: "999", Name: "Kammer Musterland", Place: "Musterstadt", Postcodes: []string{"00"}})
		if err != nil {
			return err
		}
		chamberID = c.ID
		for _, name := range []string{"clara", "anna"} {
			a, err := account.Create(tx, audit.Console, account.New{GivenName: name, FamilyName: "Beispiel", Username: name, Email: name + "@example.org", Language: "de", Password: "$argon2id$none", Confirmed: true})
			if err != nil {
				return err
			}
			if clerk = (audit.Actor{Kind: audit.Person, Account: a.ID}); name == "anna" {
				applicant = a.ID
			}
			if name == "clara" {
				if err := chamber.AddStaff(tx, audit.Console, a.ID, c.ID, chamber.Clerk); err != nil {
					return err
				}
				defer func(id string) { clerk.Account = id }(a.ID)
			}
		}
		return nil
	}))
	var file strings.Builder
	file.WriteString("Identnummer;Firmierung;Rechtsform;Straße;Hausnummer;PLZ;Ort;Registerart;HR-Nummer;Registergericht;Geschäftsführung\n")
	for i := range 9000 {
		fmt.Fprintf(&file, "%d;Betrieb %d GmbH;GmbH;Straße %d;%d;00001;Musterstadt;HRB;%d;Musterstadt;Person %d\n", 1000+i, i, i%97, i%200+1, i+1, i)
	}
	_, err := directory.Import(ctx, d, audit.Console, chamberID, strings.NewReader(file.String()), directory.ImportOptions{Strict: true})
	fail(err)
	fail(d.Write(ctx, func(tx *db.Tx) error {
		entries, err := db.Values[string](tx, `SELECT id FROM directory_entry WHERE chamber = $1 ORDER BY ident_number LIMIT 1000`, chamberID)
		if err != nil {
			return err
		}
		for i := range n {
			at := tx.Now().Add(-time.Duration(i) * time.Minute)
			state, decided := "submitted", db.Time{}
			if i%2 == 1 { // as many are done
				state, decided = "refused", at
			}
			if _, err := tx.Exec(`INSERT INTO registration (id, reference, chamber, applicant, name, legal_form, street, house_number, postcode, place, ident_number, register_kind, register_number, register_court,
				reason, company_key, state, score, entry, risk, submitted_at, decided_at) VALUES ($1, $2, $3, $4, $5, 'gmbh', 'Weg', '1', '00001', 'Musterstadt', '', '', '', '', 'Weil.', $6, $7, $8, $9, $10, $11, $12)`,
				db.NewID(), fmt.Sprintf("R-%06d", i), chamberID, applicant, fmt.Sprintf("Betrieb %d", i), fmt.Sprintf("betrieb %d|weg|1|00001", i), state, i%101, entries[i%len(entries)], 100-i%101+i%3*20, at, decided); err != nil {
				return err
			}
		}
		return nil
	}))
	if a, ok := b.(*testing.B); ok && d.Engine() == "postgres" {
		_ = a
		fail(d.Write(ctx, func(tx *db.Tx) error { _, err := tx.Exec(`ANALYZE`); return err }))
	}
	return chamberID, clerk
}

// Aim of issue C: each page of the queue under 50 ms, the same with 100 and
// with 10,000 open applications.
func BenchmarkQueue(b *testing.B) {
	for _, n := range []int{200, 20_000} { // half of them open
		b.Run(fmt.Sprint(n/2), func(b *testing.B) {
			dbtest.EachB(b, schema.Files, func(b *testing.B, d *db.DB) {
				chamberID, by := crowd(b, d, n)
				measure := func(name string, f func(tx *db.Tx) error) {
					const times = 20
					start := time.Now()
					for range times {
						if err := d.Read(context.Background(), f); err != nil {
							b.Fatal(name, err)
						}
					}
					b.ReportMetric(float64(time.Since(start).Microseconds())/1000/times, name+"-ms")
				}
				var first []registration.Item
				for _, f := range []registration.Filter{{}, {Sort: registration.ByRisk}, {Sort: registration.ByName}, {Status: registration.StatusMine}, {Status: registration.StatusDone}, {Status: registration.StatusSamples}} {
					measure("page-"+f.Status+f.Sort, func(tx *db.Tx) (err error) {
						first, err = registration.Queue(tx, by, chamberID, f)
						return err
					})
				}
				measure("deep", func(tx *db.Tx) error {
					middle, err := db.Value[string](tx, `SELECT id FROM registration WHERE chamber = $1 AND state = 'submitted' ORDER BY risk DESC, id DESC LIMIT 1 OFFSET $2`, chamberID, n/4)
					if err == nil {
						_, err = registration.Queue(tx, by, chamberID, registration.Filter{Sort: registration.ByRisk, After: middle})
					}
					return err
				})
				measure("next", func(tx *db.Tx) error {
					r, err := db.Value[string](tx, `SELECT id FROM registration WHERE chamber = $1 AND state = 'submitted' LIMIT 1`, chamberID)
					if err != nil {
						return err
					}
					at, err := registration.GetRegistration(tx, by, r)
					if err == nil {
						_, err = registration.Next(tx, by, at, registration.ByRisk)
					}
					return err
				})
				measure("counts", func(tx *db.Tx) error { _, err := registration.Count(tx, by, chamberID); return err })
				measure("candidates-9000", func(tx *db.Tx) error {
					_, err := directory.Candidates(tx, chamberID, company.Company{Name: "Betrieb 777 GmbH", Street: "Straße 1", HouseNumber: "7", Postcode: "00001"}, 5)
					return err
				})
				measure("deviates-9000", func(tx *db.Tx) error {
					_, err := organization.Deviates(tx, company.Company{Name: "Betrieb 777 GmbH", Street: "Straße 1", HouseNumber: "7", Postcode: "00001"})
					return err
				})
				_ = first
			})
		})
	}
}
