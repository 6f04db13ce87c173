package apprenticeship_test

import (
	"fmt"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/assignment"
	"zunft/internal/training/calendar"
)

// R232: a trainer's time ends where the next one's begins; supervisors of
// departments stand beside, and each only once; R333: without a trainer all do.
func TestR232Assignments(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		jana := w.comes(claims("jana", "korn", "training_admin"))
		for name, role := range map[string]string{"murat": "trainer", "ute": "trainer", "petra": "supervisor", "lena": "apprentice"} {
			w.comes(claims(name, "korn", role))
		}
		w.comes(claims("fremd", "stahl", "trainer"))
		var ids []string
		for i := range 6 {
			ids = append(ids, w.create(jana, wish(fmt.Sprint("azubi", i)), "").ID)
		}
		x := wish("lena")
		own := w.create(jana, x, "lena").ID
		assign := func(c assignment.Change) (n int, err error) {
			err = w.try(func(tx *db.Tx) (err error) { n, err = assignment.Assign(tx, jana, c); return err })
			return n, err
		}
		change := func(person, role string, from, until calendar.Date) assignment.Change {
			return assignment.Change{Apprenticeships: ids, Person: person, Role: role, From: from, Until: until}
		}
		// on are who accompany the first one on a day.
		on := func(day calendar.Date) (names string) {
			w.write(func(tx *db.Tx) error {
				all, err := assignment.Assigned(tx, ids[0])
				for _, a := range all {
					if a.On(day) {
						names += a.Person + " "
					}
				}
				return err
			})
			return names
		}
		if n, err := assign(change("murat", "trainer", "2026-08-01", "")); n != 6 || err != nil {
			t.Fatal(n, err)
		}
		if n, err := assign(change("murat", "trainer", "2026-08-01", "")); n != 0 || err != nil {
			t.Error("the same again changed", n, err)
		}
		if n, err := assign(change("ute", "trainer", "2027-01-01", "")); n != 6 || err != nil {
			t.Fatal(n, err)
		}
		if n, err := assign(change("petra", "supervisor", "2026-11-01", "2027-01-31")); n != 6 || err != nil {
			t.Fatal(n, err)
		}
		for day, want := range map[calendar.Date]string{"2026-07-31": "", "2026-10-31": "murat ", "2026-12-31": "murat petra ", "2027-01-01": "petra ute ", "2027-02-01": "ute "} {
			if got := on(day); got != want {
				t.Errorf("on %s: %q, wanted %q", day, got, want)
			}
		}
		// Four weeks away: before and after it is as it was.
		if _, err := assign(change("ute", "trainer", "2026-09-01", "2026-09-28")); err != nil {
			t.Fatal(err)
		}
		for day, want := range map[calendar.Date]string{"2026-08-31": "murat ", "2026-09-01": "ute ", "2026-09-28": "ute ", "2026-09-29": "murat ", "2027-03-01": "ute "} {
			if got := on(day); got != want {
				t.Errorf("on %s: %q, wanted %q", day, got, want)
			}
		}
		for what, c := range map[string]assignment.Change{
			"person":   change("lena", "trainer", "2026-11-01", ""),
			"person ":  change("fremd", "trainer", "2026-11-01", ""),
			"person  ": change("petra", "trainer", "2026-11-01", ""),
			"from":     change("murat", "trainer", "", ""),
			"until":    change("murat", "trainer", "2026-11-02", "2026-11-01"),
			"id":       {Person: "murat", Role: "trainer", From: "2026-11-01"},
			"id ":      {Apprenticeships: make([]string, 201), Person: "murat", Role: "trainer", From: "2026-11-01"},
		} {
			_, err := assign(c)
			field := what
			for field[len(field)-1] == ' ' {
				field = field[:len(field)-1]
			}
			wants(t, what, err, fault.KindInvalid, field)
		}
		c := change("murat", "trainer", "2026-11-01", "")
		c.Apprenticeships = append([]string{"nobody"}, ids...)
		_, err := assign(c)
		wants(t, "one that is not there", err, fault.KindNotFound, "")
		// Nobody is their own trainer, also who learns and trains.
		both := claims("lena", "korn", "apprentice", "trainer")
		w.comes(both)
		c = change("lena", "trainer", "2026-11-01", "")
		c.Apprenticeships = []string{own}
		_, err = assign(c)
		wants(t, "one's own trainer", err, fault.KindInvalid, "person")
		// Ended by a day; what had not begun is gone.
		w.write(func(tx *db.Tx) error {
			all, err := assignment.Assigned(tx, ids[0])
			for _, a := range all {
				if a.Person == "petra" {
					return assignment.Release(tx, jana, ids[0], a.ID, "2026-10-31")
				}
			}
			return err
		})
		if got := on("2026-12-01"); got != "murat " {
			t.Errorf("released: %q", got)
		}
		w.write(func(tx *db.Tx) error {
			all, _, err := assignment.Companions(tx, jana, "", 10)
			if len(all) != 4 || all[1].Sub != "murat" || all[1].Trains != 6 || all[2].Sub != "petra" || all[2].Supervises != 5 || !all[2].Supervisor {
				t.Errorf("companions: %+v", all)
			}
			first, next, err2 := assignment.Companions(tx, jana, "", 2)
			rest, end, err3 := assignment.Companions(tx, jana, next, 2)
			if len(first) != 2 || len(rest) != 2 || rest[0].Sub != "petra" || end != "" || err2 != nil || err3 != nil {
				t.Errorf("pages: %v %v", first, rest)
			}
			return err
		})
	})
}

// Two admins change the trainer of the same six at once: on every day one
// trainer, whoever came last.
func TestAssignmentsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		jana := w.comes(claims("jana", "korn", "training_admin"))
		w.comes(claims("murat", "korn", "trainer"))
		w.comes(claims("ute", "korn", "trainer"))
		var ids []string
		for i := range 6 {
			ids = append(ids, w.create(jana, wish(fmt.Sprint("azubi", i)), "").ID)
		}
		var group sync.WaitGroup
		for i := range 24 {
			group.Go(func() {
				c := assignment.Change{Apprenticeships: ids, Person: []string{"murat", "ute"}[i%2], Role: "trainer", From: calendar.Date("2026-11-01").Add(i / 2)}
				if err := w.try(func(tx *db.Tx) error { _, err := assignment.Assign(tx, jana, c); return err }); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		w.write(func(tx *db.Tx) error {
			all, err := assignment.Assigned(tx, ids...)
			for _, id := range ids {
				for day := calendar.Date("2026-11-01"); day < "2026-12-31"; day = day.Add(1) {
					n := 0
					for _, a := range all {
						if a.Apprenticeship == id && a.On(day) {
							n++
						}
					}
					if n > 1 || n == 0 && day > "2026-11-12" {
						t.Fatalf("%d trainers on %s", n, day)
					}
				}
			}
			return err
		})
	})
}

// R333: the trainer whom the contract names accompanies from its first day, by
// their number; what the company said before stays.
func TestR333TrainerOfTheContract(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		jana := w.comes(claims("jana", "korn", "training_admin"))
		w.comes(claims("ute", "korn", "trainer"))
		a, b := w.create(jana, wish("a"), ""), w.create(jana, wish("b"), "")
		w.write(func(tx *db.Tx) error {
			if _, err := tx.Exec(`UPDATE apprenticeship SET trainer_number = 'T-4'`); err != nil {
				return err
			}
			_, err := assignment.Assign(tx, jana, assignment.Change{Apprenticeships: []string{b.ID}, Person: "ute", Role: "trainer", From: "2026-09-01"})
			return err
		})
		murat := claims("murat", "korn", "trainer", "apprentice") // who retrains is not his own trainer
		murat.TrainerNumber = "T-4"
		own := w.create(jana, wish("murat"), "")
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE apprenticeship SET trainer_number = 'T-4', email = 'murat@beispiel.example' WHERE id = $1`, own.ID)
			return err
		})
		for range 2 {
			w.comes(murat)
		}
		if n := w.count(`SELECT count(*) FROM assignment WHERE apprenticeship = $1`, own.ID); n != 0 || w.get(own.ID).Person != "murat" {
			t.Errorf("%d trainers of his own", n)
		}
		// Who is no trainer any more gets nobody by their number.
		gerd := claims("gerd", "korn", "trainer")
		gerd.TrainerNumber = "T-5"
		w.comes(gerd)
		gerd.Roles = []string{"supervisor"}
		w.comes(gerd)
		late := w.create(jana, wish("late"), "")
		w.write(func(tx *db.Tx) error {
			if _, err := tx.Exec(`UPDATE apprenticeship SET trainer_number = 'T-5' WHERE id = $1`, late.ID); err != nil {
				return err
			}
			return assignment.OfContract(tx, jana, "korn", "T-5", late.ID)
		})
		if n := w.count(`SELECT count(*) FROM assignment WHERE apprenticeship = $1`, late.ID); n != 0 {
			t.Errorf("%d assigned by the number of who trains no more", n)
		}
		w.write(func(tx *db.Tx) error {
			all, err := assignment.Assigned(tx, a.ID, b.ID)
			if len(all) != 2 {
				t.Fatalf("%+v", all)
			}
			for _, x := range all {
				if x.Apprenticeship == a.ID && (x.Person != "murat" || x.From != "2026-08-01") || x.Apprenticeship == b.ID && x.Person != "ute" {
					t.Errorf("%+v", x)
				}
			}
			return err
		})
	})
}

// Whatever is said in whatever order: on every day each person accompanies at
// most once, a day has one trainer, and it is the one said last for that day.
func TestAssignmentsAgainstAModel(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		jana := w.comes(claims("jana", "korn", "training_admin"))
		people := []string{"murat", "ute", "vera"}
		for _, p := range people {
			w.comes(claims(p, "korn", "trainer"))
		}
		n := 0
		rapid.Check(t, func(t *rapid.T) {
			n++
			id := w.create(jana, wish(fmt.Sprint("azubi", n)), "").ID
			model := map[calendar.Date]string{}
			const first = calendar.Date("2026-11-01")
			for range rapid.IntRange(1, 8).Draw(t, "changes") {
				c := assignment.Change{Apprenticeships: []string{id}, Person: rapid.SampledFrom(people).Draw(t, "person"), Role: "trainer"}
				from := rapid.IntRange(0, 30).Draw(t, "from")
				c.From = first.Add(from)
				to := 40
				if rapid.Bool().Draw(t, "ends") {
					to = rapid.IntRange(from, 35).Draw(t, "to")
					c.Until = first.Add(to)
				}
				if err := w.try(func(tx *db.Tx) error { _, err := assignment.Assign(tx, jana, c); return err }); err != nil {
					t.Fatal(err)
				}
				for i := from; i <= to; i++ {
					model[first.Add(i)] = c.Person
				}
			}
			if err := w.try(func(tx *db.Tx) error {
				all, err := assignment.Assigned(tx, id)
				for i := range 41 {
					day, got := first.Add(i), ""
					for _, a := range all {
						if a.On(day) {
							got += a.Person
						}
					}
					if got != model[day] {
						t.Fatalf("on %s: %q, wanted %q in %+v", day, got, model[day], all)
					}
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		})
	})
}

// R232: released before the first day nobody was ever assigned; from a day on, it
// ends with that day. Who goes on with the next apprenticeship is who was there.
func TestReleaseAndHandOver_R232(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		jana := w.comes(claims("jana", "korn", "training_admin"))
		for _, name := range []string{"murat", "ute", "petra"} {
			w.comes(claims(name, "korn", "trainer", "supervisor"))
		}
		a := w.create(jana, wish("lena"), "")
		assign := func(person, role string, from, until calendar.Date) string {
			t.Helper()
			w.write(func(tx *db.Tx) error {
				_, err := assignment.Assign(tx, jana, assignment.Change{Apprenticeships: []string{a.ID}, Person: person, Role: role, From: from, Until: until})
				return err
			})
			id := ""
			w.write(func(tx *db.Tx) (err error) {
				id, err = db.Value[string](tx, `SELECT id FROM assignment WHERE person = $1`, person)
				return err
			})
			return id
		}
		release := func(id string, last calendar.Date) error {
			return w.try(func(tx *db.Tx) error { return assignment.Release(tx, jana, a.ID, id, last) })
		}
		all := func(of string) (said string) {
			w.write(func(tx *db.Tx) error {
				all, err := assignment.Assigned(tx, of)
				for _, x := range all {
					said += fmt.Sprintf("%s %s %s–%s; ", x.Person, x.Role, x.From, x.Until)
				}
				return err
			})
			return said
		}
		murat := assign("murat", "trainer", "2026-08-01", "")
		petra := assign("petra", "supervisor", "2027-01-01", "2027-02-28")
		assign("ute", "supervisor", "2026-09-01", "2026-10-31")
		wants(t, "no day", release(murat, ""), fault.KindInvalid, "until")
		if err := release(petra, "2026-12-31"); err != nil {
			t.Fatal(err)
		}
		if got := all(a.ID); got != "murat trainer 2026-08-01–; ute supervisor 2026-09-01–2026-10-31; " {
			t.Errorf("after Petra was released: %s", got)
		}
		// Another occupation from December on: Murat goes on, Ute was over.
		next := wish("lena")
		next.Occupation, next.StartsOn = "konditor", "2026-12-01"
		id := ""
		w.write(func(tx *db.Tx) error {
			n, err := apprenticeship.Continue(tx, jana, a.ID, w.get(a.ID).Version, next)
			id = n.ID
			return err
		})
		if got := all(id); got != "murat trainer 2026-12-01–; " {
			t.Errorf("with the next one go on: %s", got)
		}
		if err := release(murat, "2026-11-30"); err != nil || all(a.ID) != "murat trainer 2026-08-01–2026-11-30; ute supervisor 2026-09-01–2026-10-31; " {
			t.Errorf("released: %s, %v", all(a.ID), err)
		}
	})
}
