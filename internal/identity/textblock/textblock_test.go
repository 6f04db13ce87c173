package textblock_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/textblock"
)

// Text blocks are written by who leads, read by all, in one order; that of
// another chamber is none.
func TestBlocks(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		write := func(f func(tx *db.Tx) error) error { return d.Write(t.Context(), f) }
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		var here, there string
		var clara, carl audit.Actor
		must(write(func(tx *db.Tx) error {
			for _, c := range []struct {
				number string
				id     *string
			}{{"999", &here}, {"998", &there}} {
				made, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: c.number, Name: "Kammer"})
				if err != nil {
					return err
				}
				*c.id = made.ID
			}
			for i, a := range []*audit.Actor{&clara, &carl} {
				made, err := account.Create(tx, audit.Console, account.New{GivenName: "Clara", FamilyName: "Kammer", Email: fmt.Sprintf("c%d@example.org", i), Password: "x", Confirmed: true})
				if err != nil {
					return err
				}
				*a = audit.Actor{Kind: audit.Person, Account: made.ID}
				if err := chamber.AddStaff(tx, audit.Console, made.ID, here, chamber.Clerk); err != nil { // the first one leads
					return err
				}
			}
			return nil
		}))
		add := func(by audit.Actor, title string) (b textblock.Block, err error) {
			err = write(func(tx *db.Tx) error {
				b, err = textblock.Add(tx, by, textblock.Block{Chamber: here, Purpose: textblock.Refusal, Title: title, Body: "  Text von " + title + "\n"})
				return err
			})
			return b, err
		}
		titles := func() (all []string) {
			must(d.Read(t.Context(), func(tx *db.Tx) error {
				blocks, err := textblock.List(tx, here, textblock.Refusal)
				for _, b := range blocks {
					all = append(all, b.Title)
				}
				return err
			}))
			return all
		}
		if _, err := add(carl, "Nein"); !fault.Is(err, fault.KindForbidden) {
			t.Error("a clerk who does not lead writes", err)
		}
		a, err := add(clara, "Eins")
		must(err)
		b, err := add(clara, "Zwei")
		must(err)
		if a.Body != "Text von Eins" || !slices.Equal(titles(), []string{"Eins", "Zwei"}) {
			t.Error(a, titles())
		}
		must(write(func(tx *db.Tx) error { return textblock.Up(tx, clara, here, b.ID) }))
		must(write(func(tx *db.Tx) error { return textblock.Up(tx, clara, here, b.ID) })) // is the first already
		if !slices.Equal(titles(), []string{"Zwei", "Eins"}) {
			t.Error(titles())
		}
		for name, bad := range map[string]textblock.Block{
			"title": {Purpose: "refusal", Body: "x"}, "body": {Purpose: "refusal", Title: "x", Body: " \n "}, "purpose": {Purpose: "poem", Title: "x", Body: "x"}, "long": {Purpose: "refusal", Title: "x", Body: strings.Repeat("ü", 501)},
		} {
			bad.Chamber = here
			if err := write(func(tx *db.Tx) error { _, err := textblock.Add(tx, clara, bad); return err }); !fault.Is(err, fault.KindInvalid) {
				t.Error(name, err)
			}
		}
		if err := write(func(tx *db.Tx) error { return textblock.Remove(tx, audit.Console, there, a.ID) }); !fault.Is(err, fault.KindNotFound) {
			t.Error("another chamber removes it", err)
		}

		// Of two who change one version at once, one wins.
		var group sync.WaitGroup
		var mu sync.Mutex
		won, lost := 0, 0
		for i := range 8 {
			group.Go(func() {
				err := write(func(tx *db.Tx) error {
					return textblock.Change(tx, clara, textblock.Block{ID: a.ID, Chamber: here, Title: fmt.Sprint("Neu ", i), Body: "x", Version: 1})
				})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else if fault.Is(err, fault.KindConflict) {
					lost++
				}
			})
		}
		group.Wait()
		if won != 1 || lost != 7 {
			t.Error("won", won, "lost", lost)
		}
		must(write(func(tx *db.Tx) error { return textblock.Remove(tx, clara, here, a.ID) }))
		if !slices.Equal(titles(), []string{"Zwei"}) {
			t.Error(titles())
		}
		for i := range textblock.MostOfOne - 1 {
			_, err := add(clara, fmt.Sprint("Noch ", i))
			must(err)
		}
		if _, err := add(clara, "Zu viel"); !fault.Is(err, fault.KindInvalid) {
			t.Error("no end of blocks", err)
		}
	})
}
