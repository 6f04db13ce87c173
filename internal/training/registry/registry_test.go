package registry_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/assignment"
	"zunft/internal/training/person"
	"zunft/internal/training/person/persontest"
	"zunft/internal/training/registry"
	"zunft/internal/training/schema"
)

var bg = context.Background()

type world struct {
	t *testing.T
	d *db.DB
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		d.Now = func() time.Time { return time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC) }
		f(t, &world{t, d})
	})
}

func (w *world) write(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.d.Write(bg, f); err != nil {
		w.t.Fatal(err)
	}
}

// comes signs somebody in, as the door does.
func (w *world) comes(name, role, apprentice, trainer string) audit.Actor {
	w.t.Helper()
	return persontest.Comes(w.t, w.d, person.Claims{
		Roles: []string{role}, ApprenticeNumber: apprentice, TrainerNumber: trainer,
		Person:  person.Person{Sub: name, Name: name, GivenName: name, FamilyName: "Muster", Email: name + "@beispiel.example"},
		Company: person.Company{ID: "korn", Name: "Bäckerei", IdentNumber: "100017", ChamberNumber: "999"},
	}, apprenticeship.Link)
}

const head = "Azubi-Identnummer;Vorname;Nachname;Identnummer;Ausbildungsberuf;Beginn;Ende;Ausbilder-Identnummer\n"

func (w *world) load(text string, dry bool) registry.Report {
	w.t.Helper()
	r, err := registry.Import(bg, w.d, audit.Console, registry.Options{Chamber: "999", DryRun: dry}, strings.NewReader(text))
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) says(r registry.Report, created, changed, unchanged, bad int) {
	w.t.Helper()
	if r.Created != created || r.Changed != changed || r.Unchanged != unchanged || r.BadRows != bad {
		w.t.Errorf("%d created, %d changed, %d unchanged, %d bad %v; wanted %d %d %d %d", r.Created, r.Changed, r.Unchanged, r.BadRows, r.Bad, created, changed, unchanged, bad)
	}
}

func (w *world) all() (all []apprenticeship.Apprenticeship) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		known, _, err := apprenticeship.Known(tx, "999", []string{"A-1", "A-2", "A-3"}, []string{""})
		for _, n := range []string{"A-1", "A-2", "A-3"} {
			all = append(all, known[n]...)
		}
		return err
	})
	return all
}

// R216, R233, R333: the registry's list makes apprenticeships before anybody
// was here; whoever then signs in by their number finds theirs, and the trainer
// whom the contract names accompanies it. The same list changes nothing.
func TestR233RegistryAndPeople(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		list := head + "A-1;Lena;Lerche;100017;Bäckerin;01.08.2026;31.07.2029;T-4\nA-2;Max;Muster;100017;Konditor;2026-09-01;2029-08-31;\nA-9;Zoe;Zorn;4711;Bäcker;01.08.2026;31.07.2029;\n"
		w.says(w.load(list, true), 3, 0, 0, 0)
		if len(w.all()) != 0 {
			t.Fatal("a trial left something behind")
		}
		w.says(w.load(list, false), 3, 0, 0, 0)
		w.says(w.load(list, false), 0, 0, 3, 0)
		w.comes("murat", "trainer", "", "T-4")
		w.comes("lena", "apprentice", "A-1", "")
		all := w.all()
		if len(all) != 2 || all[0].Person != "lena" || all[0].Company != "korn" || all[0].Occupation != "baecker" || all[1].Company != "korn" || all[1].Person != "" {
			t.Errorf("%+v", all)
		}
		w.write(func(tx *db.Tx) error {
			there, err := assignment.Assigned(tx, all[0].ID)
			if len(there) != 1 || there[0].Person != "murat" || there[0].From != "2026-08-01" {
				t.Errorf("trainer of the contract: %+v", there)
			}
			return err
		})
		// The other way round: the people were here first.
		w.comes("ute", "trainer", "", "T-5")
		w.comes("mia", "apprentice", "A-3", "")
		w.says(w.load(head+"A-3;Mia;Möwe;100017;Bäckerin;01.08.2026;31.07.2029;T-5\n", false), 1, 0, 0, 0)
		if all := w.all(); all[2].Person != "mia" {
			t.Errorf("who was here is not found: %+v", all[2])
		}
	})
}

// The registry has the last word on occupation, days and number; the company's
// own words stay, and its description is completed, not doubled.
func TestRegistryAndCompany(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		jana := w.comes("jana", "training_admin", "", "")
		w.comes("lena", "apprentice", "", "")
		wish := apprenticeship.Wish{GivenName: "Lena", FamilyName: "Lerche", Occupation: "baecker", StartsOn: "2026-08-01", EndsOn: "2029-08-31", Site: "Filiale Nord", Land: "NI"}
		var a apprenticeship.Apprenticeship
		w.write(func(tx *db.Tx) (err error) { a, err = apprenticeship.Create(tx, jana, wish, "lena"); return err })
		w.says(w.load(head+"A-1;Lena;Lerche;100017;Bäckerin;01.08.2026;31.07.2029;\n", false), 0, 1, 0, 0)
		got := w.all()[0]
		if got.ID != a.ID || got.Person != "lena" || got.EndsOn != "2029-07-31" || got.Site != "Filiale Nord" || got.Land != "NI" || got.Source != apprenticeship.Registry {
			t.Errorf("%+v", got)
		}
		// Now the company changes what is its own only.
		wish.Occupation, wish.EndsOn, wish.Site = "konditor", "2030-01-01", "Filiale Süd"
		w.write(func(tx *db.Tx) (err error) {
			_, err = apprenticeship.Edit(tx, jana, got.ID, got.Version, wish)
			return err
		})
		if got = w.all()[0]; got.Occupation != "baecker" || got.EndsOn != "2029-07-31" || got.Site != "Filiale Süd" {
			t.Errorf("%+v", got)
		}
		// A change of occupation: the one before ends, the book goes on with the person.
		w.says(w.load(head+"A-1;Lena;Lerche;100017;Konditorin;01.02.2027;31.07.2029;\n", false), 1, 0, 0, 0)
		all := w.all()
		if len(all) != 2 || all[0].EndedOn != "2027-01-31" || all[1].Previous != all[0].ID || all[1].Person != "lena" {
			t.Errorf("%+v", all)
		}
		// A new company that nobody was here from: the row waits.
		w.says(w.load(head+"A-1;Lena;Lerche;4711;Konditorin;01.02.2028;31.07.2029;\n", false), 1, 0, 0, 0)
		if all = w.all(); len(all) != 3 || all[1].EndedOn != "2028-01-31" || all[2].Company != "" || all[2].Person != "" || all[2].Previous != all[1].ID {
			t.Errorf("%+v", all)
		}
		// The date was wrong: corrected, not doubled.
		w.says(w.load(head+"A-1;Lena;Lerche;4711;Konditorin;01.03.2028;31.07.2029;\n", false), 0, 1, 0, 0)
	})
}

// Bad rows are named with line and field, the good ones count; lists come in
// every encoding and with every separator.
func TestBadLists(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.load(head+
			";Lena;Lerche;100017;Bäckerin;01.08.2026;31.07.2029;\n"+
			"A-1;Lena;;100017;Bäckerin;01.08.2026;31.07.2029;\n"+
			"A-1;Lena;Lerche;;Bäckerin;01.08.2026;31.07.2029;\n"+
			"A-1;Lena;Lerche;100017;Astronautin;01.08.2026;31.07.2029;\n"+
			"A-1;Lena;Lerche;100017;Bäckerin;31.02.2026;31.07.2029;\n"+
			"A-1;Lena;Lerche;100017;Bäckerin;01.08.2026;31.07.2025;\n"+
			"A-1;Lena;Lerche;100017;Bäckerin;01.08.2026;31.07.2029;\n"+
			"A-1;Lena;Lerche;100017;Bäckerin;01.08.2026;31.07.2029;\n\n;;;\n", false)
		w.says(r, 1, 0, 0, 7)
		want := []string{"2 number", "3 family_name", "4 ident", "5 occupation", "6 starts_on", "7 ends_on", "9 number"}
		for i, b := range r.Bad {
			if i >= len(want) || fmt.Sprint(b.Line, " ", b.Field) != want[i] {
				t.Errorf("%d: %d %s %s", i, b.Line, b.Field, b.Key)
			}
		}
		w.says(w.load("\xEF\xBB\xBF"+strings.ReplaceAll(head, ";", ",")+"A-2,Max,\"Groß, gen. Klein\",100017,Kaufmann f\u00fcr B\u00fcromanagement,46235,47330,\n", false), 1, 0, 0, 0)
		if a := w.all()[1]; a.FamilyName != "Groß, gen. Klein" || a.StartsOn != "2026-08-01" || a.EndsOn != "2029-07-31" {
			t.Errorf("%+v", a)
		}
		w.says(w.load(strings.ReplaceAll(head, ";", "\t")+"A-3\tJ\xF6rg\tM\xFCller\t100017\tB\xE4cker\t1.8.2026\t31.7.2029\t\n", false), 1, 0, 0, 0)
		if a := w.all()[2]; a.Name() != "Jörg Müller" {
			t.Errorf("%+v", a)
		}
		for name, text := range map[string]string{"no columns": "Vorname;Nachname\nLena;Lerche\n", "nothing": "", "no list": "\x89PNG\x00\x01"} {
			_, err := registry.Import(bg, w.d, audit.Console, registry.Options{Chamber: "999"}, strings.NewReader(text))
			if !fault.Is(err, fault.KindInvalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err := registry.Import(bg, w.d, audit.Actor{Kind: audit.Person, Account: "jana"}, registry.Options{Chamber: "999"}, strings.NewReader(head))
		if !fault.Is(err, fault.KindForbidden) {
			t.Error("a person imports:", err)
		}
	})
}

// A table that was empty this morning is weighed while it fills, so that the
// registry's first list does not read all of it for each batch.
func TestAFirstListIsWeighed(t *testing.T) {
	d := dbtest.Open(t, "postgres", schema.Files)
	var list strings.Builder
	list.WriteString(head)
	for i := range 800 {
		fmt.Fprintf(&list, "A-%05d;Lena;Lerche;%d;Kaufmann für Büromanagement;01.08.2026;31.07.2029;\n", i, 100_000+i)
	}
	if r, err := registry.Import(bg, d, audit.Console, registry.Options{Chamber: "999"}, strings.NewReader(list.String())); err != nil || r.Created != 800 {
		t.Fatal(r, err)
	}
	if n := dbtest.Count(t, d, `SELECT reltuples::int FROM pg_class WHERE relname = 'apprenticeship'`); n < 512 {
		t.Errorf("PostgreSQL believes in %d rows", n)
	}
}

// R233: strict, a list with one bad row leaves nothing behind, and names it; the
// same list mended comes in as a whole.
func TestStrictImport_R233(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var list strings.Builder
		list.WriteString(head)
		for i := range 250 { // more than one batch: the bad row is in the second
			fmt.Fprintf(&list, "A-%d;Ada;Ahorn;100017;Bäckerin;01.08.2026;31.07.2029;\n", i+10)
		}
		strict := registry.Options{Chamber: "999", Strict: true}
		r, err := registry.Import(bg, w.d, audit.Console, strict, strings.NewReader(list.String()+"A-1;Max;Muster;100017;Astronaut;01.08.2026;31.07.2029;\n"))
		if f := fault.Of(err); f == nil || f.Key() != "registry.strict_rows" || len(r.Bad) != 1 || r.Bad[0].Line != 252 {
			t.Fatalf("%+v, %v", r, err)
		}
		if n := dbtest.Count(t, w.d, `SELECT count(*) FROM apprenticeship`) + dbtest.Count(t, w.d, `SELECT count(*) FROM audit WHERE event = 'registry.imported'`); n != 0 {
			t.Fatalf("a refused list left %d rows", n)
		}
		if r, err = registry.Import(bg, w.d, audit.Console, strict, strings.NewReader(list.String())); err != nil {
			t.Fatal(err)
		}
		w.says(r, 250, 0, 0, 0)
	})
}
