package terms

import (
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/account"
	"zunft/internal/identity/schema"
)

// R051, R054, R254: versions stand side by side, the newest valid one is
// asked for again, and what was given stays.
func TestTerms(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { return now }
		write := func(f func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Write(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		pending := func(id string) (n int) {
			write(func(tx *db.Tx) error { p, err := Pending(tx, id); n = len(p); return err })
			return n
		}
		var a account.Account
		write(func(tx *db.Tx) (err error) {
			a, err = account.Create(tx, audit.Console, account.New{GivenName: "Anna", FamilyName: "B", Email: "anna@beispiel.example", Confirmed: true})
			return err
		})
		write(EnsureDefaults)
		write(EnsureDefaults)
		write(func(tx *db.Tx) error {
			all, err := Current(tx)
			if len(all) != 1 || all[0].Version != "2026-11" || !all[0].Required || !strings.Contains(all[0].Body, "für die Zukunft widerrufen") {
				t.Errorf("%+v", all)
			}
			blocks := all[0].Blocks()
			if len(blocks) < 20 || blocks[0].Heading != "Wer ist verantwortlich?" || len(blocks[3].Items) != 4 {
				t.Errorf("%d blocks: %+v", len(blocks), blocks[:4])
			}
			return err
		})
		if pending(a.ID) != 1 {
			t.Error("nothing to accept")
		}
		give := func(tx *db.Tx) error {
			all, err := Current(tx)
			if err != nil {
				return err
			}
			return Give(tx, audit.Actor{Account: a.ID}, a.ID, all[0].ID)
		}
		write(give)
		write(give)
		if pending(a.ID) != 0 {
			t.Error("accepted, and still asked")
		}
		write(func(tx *db.Tx) error {
			return Publish(tx, audit.Console, Terms{Kind: InformationDuties, Version: "2027-01", Title: "Informationspflichten", Body: "Neu", Required: true, ValidFrom: tx.Now().Add(time.Hour)})
		})
		if pending(a.ID) != 0 {
			t.Error("asked before it is valid")
		}
		now = now.Add(time.Hour)
		if pending(a.ID) != 1 {
			t.Error("the new version is not asked for")
		}
		write(give)
		write(func(tx *db.Tx) error {
			n, err := db.Value[int](tx, `SELECT count(*) FROM audit WHERE event = 'consent.given'`)
			if n != 2 {
				t.Errorf("%d consents recorded", n)
			}
			return err
		})
	})
}
