package registry_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/table"
	"zunft/internal/training/person"
	"zunft/internal/training/registry"
)

func (w *world) keep(by audit.Actor, text string) (id string) {
	w.t.Helper()
	list, err := table.ReadText(text)
	if err != nil {
		w.t.Fatal(err)
	}
	rows, err := registry.ReadList(list)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(func(tx *db.Tx) (err error) {
		id, err = registry.Keep(tx, by, registry.List{Name: "Liste", Header: list.Header, Rows: rows})
		return err
	})
	return id
}

// state is what a list says, a row a line: its number, what it is, its problems.
func (w *world) state(by audit.Actor, id string) string {
	w.t.Helper()
	var s []string
	w.write(func(tx *db.Tx) error {
		l, err := registry.Look(tx, by, id)
		for _, r := range l.Rows {
			line := fmt.Sprintf("%d %s %s %s %s", r.Line, r.Wish.GivenName+" "+r.Wish.FamilyName, r.Wish.Occupation, r.Wish.StartsOn, r.Trainer)
			if r.Out {
				line += " out"
			}
			for _, p := range r.Problem {
				line += " " + p.Field
			}
			s = append(s, line)
		}
		return err
	})
	return strings.Join(s, "\n")
}

// A wrong date, name or trainer of a company's list is mended in place; columns
// that the list lacks are added; a row may be left out. Nobody else mends it, and
// nobody once it is taken.
func TestAListIsMendedInPlace_R232(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		jana := w.comes("jana", "training_admin", "", "")
		murat := w.comes("murat", "trainer", "", "T-4")
		id := w.keep(jana, "Name;Beruf;Beginn;Ende;Ausbilder-Nr.\nLerche, Lena;Bäckerin;31.02.2026;31.7.2029;T-9\nMax Muster;Astronaut;01.08.2026;31.7.2029;\nAda Ahorn;Bäckerin;01.08.2026;31.7.2029;T-4\nAda Ahorn;Bäckerin;01.08.2026;31.7.2029;\n")
		if got := w.state(jana, id); got != "2 Lena Lerche baecker  T-9 starts_on trainer\n3 Max Muster  2026-08-01  occupation\n4 Ada Ahorn baecker 2026-08-01 T-4\n5 Ada Ahorn baecker 2026-08-01  name" {
			t.Fatal(got)
		}
		mend := func(by audit.Actor, changes ...registry.Change) error {
			return w.d.Write(bg, func(tx *db.Tx) error { return registry.Mend(tx, by, id, changes) })
		}
		if err := mend(murat, registry.Change{Line: 2}); !fault.Is(err, fault.KindForbidden) {
			t.Error("a trainer mends:", err)
		}
		if err := mend(jana, registry.Change{Line: 2, Cells: map[string]string{"starts_on": "01.08.26", "trainer": "murat@beispiel.example", "site": "Filiale Süd", "given_name": "Lena Marie"}},
			registry.Change{Line: 3, Cells: map[string]string{"occupation": "Konditorin", "starts_on": "gestern"}}, registry.Change{Line: 5, Out: true}, registry.Change{Line: 99}); err != nil {
			t.Fatal(err)
		}
		if got := w.state(jana, id); got != "2 Lena Marie Lerche baecker 2026-08-01 murat@beispiel.example\n3 Max Muster konditor   starts_on\n4 Ada Ahorn baecker 2026-08-01 T-4\n5 Ada Ahorn baecker 2026-08-01  out" {
			t.Fatal(got)
		}
		// Two windows mend two rows at once: both stay.
		var group sync.WaitGroup
		for line, day := range map[int]string{3: "01.09.2026", 4: "01.10.2026"} {
			group.Go(func() {
				if err := mend(jana, registry.Change{Line: line, Cells: map[string]string{"starts_on": day}}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if got := w.state(jana, id); !strings.Contains(got, "konditor 2026-09-01") || !strings.Contains(got, "baecker 2026-10-01") {
			t.Fatal(got)
		}
		created := 0
		w.write(func(tx *db.Tx) (err error) { created, _, err = registry.Take(tx, jana, id); return err })
		if created != 3 {
			t.Errorf("%d created", created)
		}
		if err := mend(jana, registry.Change{Line: 3}); !fault.Is(err, fault.KindConflict) {
			t.Error("mended after it was taken:", err)
		}
		c := person.Claims{Roles: []string{"training_admin"}, Person: person.Person{Sub: "rosa", Name: "rosa"}, Company: person.Company{ID: "fremd", Name: "Fremd"}}
		rosa := audit.Actor{Kind: audit.Person, Account: "rosa"}
		w.write(func(tx *db.Tx) error {
			if err := person.Learn(tx, rosa, c); err != nil {
				return err
			}
			_, s, err := person.Start(tx, rosa, c, "")
			rosa.Session = s.ID
			return err
		})
		if err := mend(rosa, registry.Change{Line: 3}); !fault.Is(err, fault.KindNotFound) {
			t.Error("another company mends:", err)
		}
	})
}

// R232: a company's list that wants all or nothing is taken when nothing is left
// to mend: mended or left out, whatever the page still shows.
func TestAStrictListIsTakenWhole_R232(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		jana := w.comes("jana", "training_admin", "", "")
		list, err := table.ReadText("Name;Beruf;Beginn;Ende\nLena Lerche;Bäckerin;01.08.2026;31.7.2029\nMax Muster;Astronaut;01.08.2026;31.7.2029\n")
		if err != nil {
			t.Fatal(err)
		}
		rows, err := registry.ReadList(list)
		if err != nil {
			t.Fatal(err)
		}
		id := ""
		w.write(func(tx *db.Tx) error {
			id, err = registry.Keep(tx, jana, registry.List{Name: "Liste", Strict: true, Header: list.Header, Rows: rows})
			return err
		})
		take := func() (created int, err error) {
			err = w.d.Write(bg, func(tx *db.Tx) error { created, _, err = registry.Take(tx, jana, id); return err })
			return created, err
		}
		if _, err := take(); fault.Of(err) == nil || fault.Of(err).Key() != "registry.strict_rows" {
			t.Fatal("taken with a bad row:", err)
		}
		if n := dbtest.Count(t, w.d, `SELECT count(*) FROM apprenticeship`); n != 0 {
			t.Fatalf("%d apprenticeships of a refused list", n)
		}
		w.write(func(tx *db.Tx) error { return registry.Mend(tx, jana, id, []registry.Change{{Line: 3, Out: true}}) })
		if created, err := take(); err != nil || created != 1 {
			t.Fatal(created, err)
		}
		if _, err := take(); !fault.Is(err, fault.KindConflict) {
			t.Error("taken twice:", err)
		}
	})
}
