package chamber

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/schema"
)

func TestChamberIsKeptAsItWasGiven(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		c := musterland(t, d)
		dbtest.Write(t, d, func(tx *db.Tx) error {
			next, err := Create(tx, audit.Console, Chamber{Number: "998", Name: "Kammer Nachfolge"})
			if err != nil {
				return err
			}
			c.Street, c.HouseNumber, c.Postcode, c.Phone, c.Hours, c.Email, c.Website, c.LetterSigner = "Am Markt", "1", "00001", "0000 123", "Mo–Fr 9–16 Uhr", "info@kammer.example", "https://kammer.example", "Clara Muster"
			c.Postcodes, c.ValidFrom, c.ValidUntil, c.Successor = []string{"00", "12345"}, tx.Now(), tx.Now().Add(48*3600e9), next.ID
			return Update(tx, audit.Console, c)
		})
		err := d.Write(t.Context(), func(tx *db.Tx) error { return Update(tx, audit.Console, c) })
		if f := fault.Of(err); f == nil || f.Key() != "chamber.changed_meanwhile" {
			t.Error("an older state was written over a newer one:", err)
		}
		c.Version++
		look(t, d, func(tx *db.Tx) error {
			got, err := ByNumber(tx, "999")
			if err != nil {
				return err
			}
			if fmt.Sprint(got) != fmt.Sprint(c) {
				t.Errorf("\n got %v\nwant %v", got, c)
			}
			all, err := All(tx)
			if err != nil || len(all) != 2 || all[0].Number != "998" {
				t.Errorf("all: %v, %v", all, err)
			}
			if _, err := Get(tx, db.NewID()); !fault.Is(err, fault.KindNotFound) {
				t.Errorf("no such chamber: %v", err)
			}
			return nil
		})
		for _, bad := range []struct {
			c   Chamber
			key string
		}{
			{Chamber{Number: "999", Name: "Zweite"}, "chamber.number_taken"},
			{Chamber{Number: "99", Name: "Kurz"}, "chamber.number_form"},
			{Chamber{Number: "997"}, "chamber.name_required"},
			{Chamber{Number: "997", Name: "A", Postcodes: []string{"0a"}}, "chamber.postcodes_form"},
			{Chamber{Number: "997", Name: "A", ValidFrom: c.ValidUntil, ValidUntil: c.ValidFrom}, "chamber.validity_order"},
		} {
			err := d.Write(context.Background(), func(tx *db.Tx) error { _, err := Create(tx, audit.Console, bad.c); return err })
			if f := fault.Of(err); f == nil || f.Key() != bad.key {
				t.Errorf("%+v: %v, want %s", bad.c, err, bad.key)
			}
		}
	})
}

// R081: who serves an address: own prefixes first, then the public list; a
// chamber whose term is over hands over to its successor.
func TestR081ServingChambers(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		musterland(t, d)
		dbtest.Write(t, d, func(tx *db.Tx) error {
			merged, err := Create(tx, audit.Console, Chamber{Number: "997", Name: "Kammer Nord"})
			if err != nil {
				return err
			}
			for _, c := range []Chamber{
				{Number: "131", Name: "Hamburg"},
				{Number: "150", Name: "Lübeck", ValidUntil: tx.Now(), Successor: merged.ID},
				{Number: "998", Name: "Kammer Klein", Postcodes: []string{"0012"}},
				{Number: "996", Name: "Kammer von morgen", Postcodes: []string{"00"}, ValidFrom: tx.Now().Add(3600e9)},
				{Number: "995", Name: "Kammer von gestern", Postcodes: []string{"00"}, ValidUntil: tx.Now()},
			} {
				if _, err := Create(tx, audit.Console, c); err != nil {
					return err
				}
			}
			for address, want := range map[string]string{
				"00001 Musterstadt": "[999]", "00123 Musterdorf": "[998 999]", "21039 Hamburg": "[131]", "21039 ": "[131 997]", "70174 Stuttgart": "[]", "x ": "[]", " ": "[]",
			} {
				postcode, place, _ := strings.Cut(address, " ")
				got, err := Serving(tx, postcode, place)
				var numbers []string
				for _, c := range got {
					numbers = append(numbers, c.Number)
				}
				if err != nil || fmt.Sprint(numbers) != want {
					t.Errorf("%q: %v, %v, want %s", address, numbers, err, want)
				}
			}
			if current, err := Current(tx); err != nil || len(current) != 4 {
				t.Errorf("current: %d, %v", len(current), err)
			}
			return nil
		})
	})
}

// musterland is the invented chamber of all tests; "00" is its own prefix.
func musterland(t testing.TB, d *db.DB) Chamber {
	t.Helper()
	c := Chamber{Number: "999", Name: "Kammer Musterland", Place: "Musterstadt", Postcodes: []string{"00"}}
	dbtest.Write(t, d, func(tx *db.Tx) (err error) {
		c, err = Create(tx, audit.Console, c)
		return err
	})
	return c
}

func look(t testing.TB, d *db.DB, f func(tx *db.Tx) error) {
	t.Helper()
	if err := d.Read(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}
