package terms

import (
	"slices"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/policy"
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
		pending := func(a account.Account) (n int) {
			write(func(tx *db.Tx) error { p, err := Pending(tx, a); n = len(p); return err })
			return n
		}
		var a account.Account
		write(func(tx *db.Tx) (err error) {
			a, err = account.Create(tx, audit.Console, account.New{GivenName: "Anna", FamilyName: "B", Email: "anna@beispiel.example", Confirmed: true})
			return err
		})
		write(policy.EnsureDefault)
		write(EnsureDefaults)
		write(EnsureDefaults)
		write(func(tx *db.Tx) error {
			all, err := Current(tx)
			all = slices.DeleteFunc(all, func(t Terms) bool { return t.Kind != InformationDuties })
			if len(all) != 1 || all[0].Version != "2026-11" || !all[0].Required || !strings.Contains(all[0].Body, "für die Zukunft widerrufen") {
				t.Errorf("%+v", all)
			}
			blocks := all[0].Blocks()
			if len(blocks) < 20 || blocks[0].Heading != "Wer ist verantwortlich?" || len(blocks[3].Items) != 4 {
				t.Errorf("%d blocks: %+v", len(blocks), blocks[:4])
			}
			return err
		})
		if pending(a) != 1 {
			t.Error("nothing to accept")
		}
		give := func(tx *db.Tx) error {
			all, err := Pending(tx, a)
			if err != nil || len(all) == 0 {
				return err
			}
			return Give(tx, audit.Actor{Account: a.ID}, a.ID, all[0].ID)
		}
		write(give)
		write(give)
		if pending(a) != 0 {
			t.Error("accepted, and still asked")
		}
		write(func(tx *db.Tx) error {
			return Publish(tx, audit.Console, Terms{Kind: InformationDuties, Version: "2027-01", Title: "Informationspflichten", Body: "Neu", Required: true, ValidFrom: tx.Now().Add(time.Hour)})
		})
		if pending(a) != 0 {
			t.Error("asked before it is valid")
		}
		now = now.Add(time.Hour)
		if pending(a) != 1 {
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

// R054, R250, R254: a voluntary consent is given, taken back for the future and
// given again, each with its line; what an account needs stays until it goes.
func TestWithdraw(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { return now }
		write := func(f func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Write(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		var a account.Account
		var by audit.Actor
		write(policy.EnsureDefault)
		write(EnsureDefaults)
		write(func(tx *db.Tx) (err error) {
			p, err := policy.Preset("mein-ias")
			if err != nil {
				return err
			}
			if err := policy.Save(tx, audit.Console, p); err != nil {
				return err
			}
			a, err = account.Create(tx, audit.Console, account.New{GivenName: "Anna", FamilyName: "B", Email: "anna@beispiel.example", Policy: "mein-ias", Confirmed: true})
			by = audit.Actor{Kind: audit.Person, Account: a.ID}
			return err
		})
		said := func() (all []Choice) {
			t.Helper()
			write(func(tx *db.Tx) (err error) { all, err = Of(tx, a); return err })
			return all
		}
		all := said()
		if len(all) != 3 || all[0].Kind != Privacy || all[1].Kind != TermsOfUse || !all[1].Must || all[2].Kind != EmailUse || all[2].Must {
			t.Fatalf("%+v", all)
		}
		write(func(tx *db.Tx) error {
			p, err := Pending(tx, a)
			if len(p) != 1 || p[0].Kind != TermsOfUse || p[0].Box.De == "" {
				t.Errorf("pending %+v", p)
			}
			return err
		})
		write(func(tx *db.Tx) error { return Give(tx, by, a.ID, all[1].ID, all[2].ID) })
		now = now.Add(time.Hour)
		write(func(tx *db.Tx) error { return Withdraw(tx, by, a, all[2].ID) })
		write(func(tx *db.Tx) error { return Withdraw(tx, by, a, all[2].ID) })
		if c := said()[2]; c.Given || c.WithdrawnAt.IsZero() || c.GivenAt.IsZero() {
			t.Errorf("after taking back %+v", c)
		}
		write(func(tx *db.Tx) error { return Give(tx, by, a.ID, all[2].ID) })
		if c := said()[2]; !c.Given || !c.GivenAt.Equal(now) {
			t.Errorf("given again %+v", c)
		}
		// A new version: the consent to the old one is still there to be taken back.
		write(func(tx *db.Tx) error {
			return Publish(tx, audit.Console, Terms{Kind: EmailUse, Version: "2027-01", Title: "Neu", Body: "Neu"})
		})
		newer := said()[2]
		if newer.Given || newer.Earlier != "2026-11" || newer.Version != "2027-01" {
			t.Errorf("a new version: %+v", newer)
		}
		write(func(tx *db.Tx) error { return Withdraw(tx, by, a, newer.ID) })
		if c := said()[2]; c.Given || c.Earlier != "" {
			t.Errorf("the old version stays: %+v", c)
		}
		for _, id := range []string{all[0].ID, all[2].ID} { // only shown; not the current version
			if err := d.Write(t.Context(), func(tx *db.Tx) error { return Agree(tx, by, a, id) }); !fault.Is(err, fault.KindConflict) {
				t.Error("agreed to what is not asked:", err)
			}
		}
		write(func(tx *db.Tx) error { return Agree(tx, by, a, newer.ID) })
		for _, c := range []struct {
			id   string
			by   audit.Actor
			want fault.Kind
		}{{all[1].ID, by, fault.KindConflict}, {"nothing", by, fault.KindNotFound}, {newer.ID, audit.Actor{Kind: audit.Person, Account: "somebody"}, fault.KindForbidden}} {
			if err := d.Write(t.Context(), func(tx *db.Tx) error { return Withdraw(tx, c.by, a, c.id) }); !fault.Is(err, c.want) {
				t.Errorf("%s: %v", c.id, err)
			}
		}
		for event, want := range map[string]int{"consent.given": 4, "consent.withdrawn": 2} {
			write(func(tx *db.Tx) error {
				n, err := db.Value[int](tx, `SELECT count(*) FROM audit WHERE event = $1`, event)
				if n != want {
					t.Errorf("%d × %s", n, event)
				}
				return err
			})
		}
	})
}
