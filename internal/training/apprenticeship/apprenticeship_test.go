package apprenticeship_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/assignment"
	"zunft/internal/training/bookform"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
	"zunft/internal/training/person/persontest"
	"zunft/internal/training/schema"
)

var (
	bg  = context.Background()
	now = time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)
)

type world struct {
	t *testing.T
	d *db.DB
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		d.Now = func() time.Time { return now }
		f(t, &world{t, d})
	})
}

func claims(name, company string, roles ...string) person.Claims {
	return person.Claims{
		Roles:   roles,
		Person:  person.Person{Sub: name, Name: name + " Muster", GivenName: name, FamilyName: "Muster", Email: name + "@beispiel.example", Language: "de"},
		Company: person.Company{ID: company, Name: "Bäckerei " + company, IdentNumber: "ident-" + company, ChamberNumber: "999"},
	}
}

// comes signs somebody in, as the door does.
func (w *world) comes(c person.Claims) audit.Actor {
	w.t.Helper()
	return persontest.Comes(w.t, w.d, c, apprenticeship.Link)
}

func (w *world) write(f func(tx *db.Tx) error) {
	w.t.Helper()
	dbtest.Write(w.t, w.d, f)
}

func (w *world) try(f func(tx *db.Tx) error) error { return w.d.Write(bg, f) }

func (w *world) count(query string, args ...any) (n int) {
	w.t.Helper()
	return dbtest.Count(w.t, w.d, query, args...)
}

func (w *world) get(id string) (a apprenticeship.Apprenticeship) {
	w.t.Helper()
	if err := w.d.Read(bg, func(tx *db.Tx) (err error) { a, err = apprenticeship.Get(tx, id); return err }); err != nil {
		w.t.Fatal(err)
	}
	return a
}

func wish(given string) apprenticeship.Wish {
	return apprenticeship.Wish{GivenName: given, FamilyName: "Muster", Occupation: "baecker", StartsOn: "2026-08-01", EndsOn: "2029-07-31", Land: "NI"}
}

func (w *world) create(by audit.Actor, x apprenticeship.Wish, sub string) (a apprenticeship.Apprenticeship) {
	w.t.Helper()
	w.write(func(tx *db.Tx) (err error) { a, err = apprenticeship.Create(tx, by, x, sub); return err })
	return a
}

func wants(t *testing.T, what string, err error, kind fault.Kind, field string) {
	t.Helper()
	f := fault.Of(err)
	if f == nil || f.Kind != kind || field != "" && !slices.ContainsFunc(f.Problems, func(p fault.Problem) bool { return p.Field == field }) {
		t.Errorf("%s: %v, wanted kind %v at %q", what, err, kind, field)
	}
}

// R232: training admins keep the apprenticeships of their company, nobody else.
func TestR232OnlyTrainingAdmins(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		jana, murat := w.comes(claims("jana", "korn", "training_admin")), w.comes(claims("murat", "korn", "trainer"))
		lena, rosa := w.comes(claims("lena", "korn", "apprentice")), w.comes(claims("rosa", "stahl", "training_admin"))
		a := w.create(jana, wish("lena"), "")
		all := map[string]func(tx *db.Tx, by audit.Actor) error{
			"create": func(tx *db.Tx, by audit.Actor) error {
				_, err := apprenticeship.Create(tx, by, wish("x"), "")
				return err
			},
			"edit": func(tx *db.Tx, by audit.Actor) error {
				_, err := apprenticeship.Edit(tx, by, a.ID, 1, wish("y"))
				return err
			},
			"end": func(tx *db.Tx, by audit.Actor) error {
				_, err := apprenticeship.End(tx, by, a.ID, 1, "2027-01-01")
				return err
			},
			"continue": func(tx *db.Tx, by audit.Actor) error {
				_, err := apprenticeship.Continue(tx, by, a.ID, 1, wish("y"))
				return err
			},
			"link": func(tx *db.Tx, by audit.Actor) error {
				_, err := apprenticeship.LinkPerson(tx, by, a.ID, 1, "lena")
				return err
			},
			"unlink": func(tx *db.Tx, by audit.Actor) error { _, err := apprenticeship.Unlink(tx, by, a.ID, 1); return err },
			"assign": func(tx *db.Tx, by audit.Actor) error {
				_, err := assignment.Assign(tx, by, assignment.Change{Apprenticeships: []string{a.ID}, Person: "murat", Role: "trainer", From: "2026-11-01"})
				return err
			},
			"release": func(tx *db.Tx, by audit.Actor) error { return assignment.Release(tx, by, a.ID, "x", "2026-11-01") },
			"read":    func(tx *db.Tx, by audit.Actor) error { _, err := apprenticeship.For(tx, by, a.ID); return err },
		}
		whole := map[string]func(tx *db.Tx, by audit.Actor) error{
			"settle": func(tx *db.Tx, by audit.Actor) error {
				return bookform.Settle(tx, by, "", bookform.Defaults)
			},
			"unsettle": func(tx *db.Tx, by audit.Actor) error { return bookform.Unsettle(tx, by, "baecker") },
			"settings": func(tx *db.Tx, by audit.Actor) error { _, err := bookform.All(tx, by); return err },
			"list": func(tx *db.Tx, by audit.Actor) error {
				_, err := apprenticeship.List(tx, by, apprenticeship.Filter{}, 9)
				return err
			},
			"counts": func(tx *db.Tx, by audit.Actor) error { _, err := apprenticeship.Counts(tx, by); return err },
			"companions": func(tx *db.Tx, by audit.Actor) error {
				_, _, err := assignment.Companions(tx, by, "", 9)
				return err
			},
			"undescribed": func(tx *db.Tx, by audit.Actor) error { _, err := apprenticeship.Undescribed(tx, by, 9); return err },
			"free":        func(tx *db.Tx, by audit.Actor) error { _, err := apprenticeship.Free(tx, by, 9); return err },
			"own changes": func(tx *db.Tx, by audit.Actor) error { _, err := bookform.OwnChanges(tx, by, 9); return err },
		}
		for name, f := range all {
			for who, by := range map[string]audit.Actor{"trainer": murat, "apprentice": lena, "nobody": {}} {
				wants(t, name+" by "+who, w.try(func(tx *db.Tx) error { return f(tx, by) }), fault.KindForbidden, "")
			}
			if name != "create" {
				wants(t, name+" by another company", w.try(func(tx *db.Tx) error { return f(tx, rosa) }), fault.KindNotFound, "")
			}
		}
		for name, f := range whole {
			for who, by := range map[string]audit.Actor{"trainer": murat, "apprentice": lena, "nobody": {}} {
				wants(t, name+" by "+who, w.try(func(tx *db.Tx) error { return f(tx, by) }), fault.KindForbidden, "")
			}
		}
		if got := w.get(a.ID); got.Version != a.Version {
			t.Error("something changed")
		}
	})
}

// What a company writes is checked, and the same is not kept twice.
func TestWishes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		jana := w.comes(claims("jana", "korn", "training_admin"))
		for field, change := range map[string]func(*apprenticeship.Wish){
			"given_name":  func(x *apprenticeship.Wish) { x.GivenName = "" },
			"family_name": func(x *apprenticeship.Wish) { x.FamilyName = strings.Repeat("ü", 101) },
			"email":       func(x *apprenticeship.Wish) { x.Email = "lena@" },
			"occupation":  func(x *apprenticeship.Wish) { x.Occupation = "astronaut" },
			"land":        func(x *apprenticeship.Wish) { x.Land = "XX" },
			"starts_on":   func(x *apprenticeship.Wish) { x.StartsOn = "" },
			"ends_on":     func(x *apprenticeship.Wish) { x.EndsOn = "2026-08-01" },
			"number":      func(x *apprenticeship.Wish) { x.Number = strings.Repeat("1", 41) },
			"site":        func(x *apprenticeship.Wish) { x.Site = strings.Repeat("1", 121) },
		} {
			x := wish("lena")
			change(&x)
			wants(t, field, w.try(func(tx *db.Tx) error { _, err := apprenticeship.Create(tx, jana, x, ""); return err }), fault.KindInvalid, field)
		}
		x := wish("lena")
		x.EndsOn = "2032-09-01"
		wants(t, "seven years", w.try(func(tx *db.Tx) error { _, err := apprenticeship.Create(tx, jana, x, ""); return err }), fault.KindInvalid, "ends_on")
		// The button pressed by many at once: one row.
		var won sync.Map
		var group sync.WaitGroup
		for i := range 16 {
			group.Go(func() {
				if err := w.try(func(tx *db.Tx) error { _, err := apprenticeship.Create(tx, jana, wish("lena"), ""); return err }); err == nil {
					won.Store(i, true)
				} else if !fault.Is(err, fault.KindConflict) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		n := 0
		won.Range(func(any, any) bool { n++; return true })
		if n != 1 || w.count(`SELECT count(*) FROM apprenticeship`) != 1 || w.count(`SELECT count(*) FROM audit WHERE event = 'apprenticeship.created'`) != 1 {
			t.Errorf("%d of 16 created it", n)
		}
	})
}

// R233, R237: by number or address the apprentice finds their apprenticeship at
// sign-in, or the company finds who was here already; never of another company.
func TestR233LinkedByNumber(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		jana := w.comes(claims("jana", "korn", "training_admin"))
		byNumber, byAddress, none := wish("lena"), wish("anna"), wish("emil")
		byNumber.Number, byAddress.Email = "A-17", "Anna@Beispiel.example"
		a, b, c := w.create(jana, byNumber, ""), w.create(jana, byAddress, ""), w.create(jana, none, "")
		stranger := claims("lotte", "stahl", "apprentice")
		stranger.ApprenticeNumber = "A-17"
		w.comes(stranger)
		trainer := claims("murat", "korn", "trainer")
		trainer.ApprenticeNumber = "A-17"
		w.comes(trainer)
		if w.get(a.ID).Person != "" {
			t.Fatal("somebody of another company, or no apprentice, was taken for the apprentice")
		}
		lena := claims("lena", "korn", "apprentice")
		lena.ApprenticeNumber = "A-17"
		w.comes(lena)
		w.comes(claims("anna", "korn", "apprentice"))
		w.comes(claims("emil", "korn", "apprentice"))
		for id, want := range map[string]string{a.ID: "lena", b.ID: "anna", c.ID: ""} {
			if got := w.get(id); got.Person != want {
				t.Errorf("%s is %q's, wanted %q", got.GivenName, got.Person, want)
			}
		}
		// The same address and another number: that is for the company to say.
		both := wish("ada")
		both.Number, both.Email = "A-20", "ada@beispiel.example"
		e := w.create(jana, both, "")
		ada := claims("ada", "korn", "apprentice")
		ada.ApprenticeNumber = "A-21"
		w.comes(ada)
		if got := w.get(e.ID); got.Person != "" {
			t.Error("linked by the address, against the number")
		}
		// One that is somebody's is nobody else's; what was written for stays theirs.
		wants(t, "linked to somebody else", w.try(func(tx *db.Tx) error {
			_, err := apprenticeship.LinkPerson(tx, jana, a.ID, w.get(a.ID).Version, "ada")
			return err
		}), fault.KindConflict, "")
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO report (id, apprentice, apprenticeship, company, kind, year, week, first_day, last_day, state, created_at, changed_at)
				VALUES ($1, 'lena', $2, 'korn', 'week', 2026, 46, '2026-11-09', '2026-11-15', 'draft', $3, $3)`, db.NewID(), a.ID, tx.Now())
			return err
		})
		wants(t, "unlinked although something was written", w.try(func(tx *db.Tx) error {
			_, err := apprenticeship.Unlink(tx, jana, a.ID, w.get(a.ID).Version)
			return err
		}), fault.KindConflict, "")
		// Two people with one number: nobody is guessed.
		for _, name := range []string{"ida", "ilse"} {
			twin := claims(name, "korn", "apprentice")
			twin.ApprenticeNumber = "A-18"
			w.comes(twin)
		}
		x := wish("ida")
		x.Number = "A-18"
		if got := w.create(jana, x, ""); got.Person != "" {
			t.Error("guessed", got.Person)
		}
		x.Number, x.GivenName = "A-19", "otto"
		otto := claims("otto", "korn", "apprentice")
		otto.ApprenticeNumber = "A-19"
		w.comes(otto)
		if got := w.create(jana, x, ""); got.Person != "otto" {
			t.Error("who was here already is not found:", got.Person)
		}
		// The admin says it: only somebody who learns here; one winner of many.
		for _, sub := range []string{"murat", "lotte", "nobody", ""} {
			wants(t, "linked to "+sub, w.try(func(tx *db.Tx) error { _, err := apprenticeship.LinkPerson(tx, jana, c.ID, 1, sub); return err }), fault.KindInvalid, "person")
		}
		w.comes(claims("emma", "korn", "apprentice"))
		var group sync.WaitGroup
		var won sync.Map
		for i := range 16 {
			group.Go(func() {
				if err := w.try(func(tx *db.Tx) error {
					_, err := apprenticeship.LinkPerson(tx, jana, c.ID, 1, []string{"emil", "emma"}[i%2])
					return err
				}); err == nil {
					won.Store(i, true)
				} else if !fault.Is(err, fault.KindConflict) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		n := 0
		won.Range(func(any, any) bool { n++; return true })
		if n != 1 {
			t.Errorf("%d of 16 were linked", n)
		}
		w.write(func(tx *db.Tx) error {
			got, err := apprenticeship.Unlink(tx, jana, c.ID, 2)
			if got.Person != "" {
				t.Error("still linked")
			}
			return err
		})
	})
}

// Who wrote before anybody described their apprenticeship keeps row and
// reports: the description completes it, with its trainer.
func TestOwnRowIsCompleted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		jana, lena := w.comes(claims("jana", "korn", "training_admin")), w.comes(claims("lena", "korn", "apprentice"))
		w.comes(claims("murat", "korn", "trainer"))
		var own apprenticeship.Apprenticeship
		w.write(func(tx *db.Tx) error {
			s, err := person.Acting(tx, lena)
			if err != nil {
				return err
			}
			a, err := apprenticeship.Of(tx, s, "2026-11-18")
			if err != nil || a.ID != "" {
				t.Error("there is one already", a.ID, err)
			}
			own, err = apprenticeship.Ensure(tx, a)
			return err
		})
		a := w.create(jana, wish("lena"), "")
		w.write(func(tx *db.Tx) error {
			if _, err := assignment.Assign(tx, jana, assignment.Change{Apprenticeships: []string{a.ID}, Person: "murat", Role: "trainer", From: "2026-08-01"}); err != nil {
				return err
			}
			_, err := apprenticeship.LinkPerson(tx, jana, a.ID, a.Version, "lena")
			return err
		})
		got := w.get(own.ID)
		if got.Source != apprenticeship.Company || got.Occupation != "baecker" || got.StartsOn != "2026-08-01" || w.count(`SELECT count(*) FROM apprenticeship`) != 1 {
			t.Errorf("not completed: %+v", got)
		}
		if w.count(`SELECT count(*) FROM assignment WHERE apprenticeship = $1`, own.ID) != 1 {
			t.Error("the trainer was lost")
		}
	})
}

// A change of occupation or company keeps the book: each goes on where the one
// before ended, in the same person's hand, with who accompanies them.
func TestChangeOfOccupationAndCompany(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		jana, rosa := w.comes(claims("jana", "korn", "training_admin")), w.comes(claims("rosa", "stahl", "training_admin"))
		w.comes(claims("lena", "korn", "apprentice"))
		w.comes(claims("murat", "korn", "trainer"))
		a := w.create(jana, wish("lena"), "lena")
		w.write(func(tx *db.Tx) error {
			_, err := assignment.Assign(tx, jana, assignment.Change{Apprenticeships: []string{a.ID}, Person: "murat", Role: "trainer", From: "2026-08-01"})
			return err
		})
		x := wish("")
		x.Occupation, x.StartsOn, x.EndsOn = "konditor", "2026-08-01", "2029-07-31"
		cont := func(x apprenticeship.Wish) (next apprenticeship.Apprenticeship, err error) {
			err = w.try(func(tx *db.Tx) (err error) {
				next, err = apprenticeship.Continue(tx, jana, a.ID, a.Version, x)
				return err
			})
			return next, err
		}
		_, err := cont(x)
		wants(t, "from its first day", err, fault.KindInvalid, "starts_on")
		x.StartsOn, x.EndsOn = "2029-08-02", "2030-07-31"
		_, err = cont(x)
		wants(t, "with a gap", err, fault.KindInvalid, "starts_on")
		x.StartsOn, x.EndsOn = "2027-02-01", "2029-12-31"
		next, err := cont(x)
		if err != nil {
			t.Fatal(err)
		}
		if old := w.get(a.ID); old.EndedOn != "2027-01-31" || next.Previous != a.ID || next.Person != "lena" || next.Name() != "lena Muster" {
			t.Errorf("ended on %q, next %+v", old.EndedOn, next)
		}
		_, err = cont(x)
		wants(t, "twice", err, fault.KindConflict, "")
		if w.count(`SELECT count(*) FROM assignment WHERE apprenticeship = $1 AND from_day = '2027-02-01' AND person = 'murat'`, next.ID) != 1 {
			t.Error("the trainer does not go on")
		}
		// Days that overlap in one company are refused, of another one they are not: part-time in two.
		wants(t, "overlap", w.try(func(tx *db.Tx) error { _, err := apprenticeship.Create(tx, jana, wish("lena2"), "lena"); return err }), fault.KindInvalid, "starts_on")
		w.write(func(tx *db.Tx) error {
			_, err := apprenticeship.End(tx, jana, next.ID, next.Version, "2027-06-30")
			return err
		})
		w.comes(claims("lena", "stahl", "apprentice"))
		y := wish("lena")
		y.StartsOn, y.EndsOn = "2027-07-01", "2029-12-31"
		if other := w.create(rosa, y, "lena"); other.Previous != next.ID {
			t.Errorf("in the new company it continues %q", other.Previous)
		}
		// Each day has its apprenticeship.
		w.write(func(tx *db.Tx) error {
			s := person.Session{Person: person.Person{Sub: "lena"}, Company: person.Company{ID: "korn"}}
			for day, want := range map[calendar.Date]string{"2026-07-01": a.ID, "2027-01-31": a.ID, "2027-02-01": next.ID, "2028-01-01": next.ID} {
				if got, err := apprenticeship.Of(tx, s, day); err != nil || got.ID != want {
					t.Errorf("%s belongs to %q (%v)", day, got.Occupation, err)
				}
			}
			return nil
		})
		wants(t, "ended outside", w.try(func(tx *db.Tx) error {
			_, err := apprenticeship.End(tx, jana, next.ID, next.Version+1, "2030-01-01")
			return err
		}), fault.KindInvalid, "ended_on")
		wants(t, "an old version", w.try(func(tx *db.Tx) error {
			_, err := apprenticeship.End(tx, jana, next.ID, next.Version, "2027-05-01")
			return err
		}), fault.KindConflict, "")
		w.write(func(tx *db.Tx) error { _, err := apprenticeship.End(tx, jana, next.ID, next.Version+1, ""); return err })
		if w.get(next.ID).EndedOn != "" {
			t.Error("the end cannot be taken back")
		}
	})
}

// R234, R315, R316: settings for all and for one occupation; R314: what changes
// the form is reported to the chamber, once, and to that chamber alone.
func TestR314R315SettingsAndForm(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		jana := w.comes(claims("jana", "korn", "training_admin"))
		w.write(func(tx *db.Tx) error { return person.AddOffice(tx, audit.Console, "office", "999") })
		w.write(func(tx *db.Tx) error { return person.AddOffice(tx, audit.Console, "far", "111") })
		clara, fritz := w.comes(claims("clara", "office", "chamber_clerk")), w.comes(claims("fritz", "far", "chamber_clerk"))
		for i := range 3 {
			x := wish(fmt.Sprint("lena", i))
			if i == 2 {
				x.Occupation = "konditor"
			}
			w.create(jana, x, "")
		}
		of := func(key string) (s bookform.Settings) {
			w.write(func(tx *db.Tx) (err error) { s, err = bookform.Of(tx, "korn", key); return err })
			return s
		}
		settle := func(key string, s bookform.Settings) {
			t.Helper()
			w.write(func(tx *db.Tx) error { return bookform.Settle(tx, jana, key, s) })
		}
		changes := func(by audit.Actor) (all []bookform.Change) {
			t.Helper()
			w.write(func(tx *db.Tx) (err error) { all, err = bookform.Changes(tx, by, "", 10); return err })
			return all
		}
		daily := bookform.Settings{Electronic: true, Mode: "day", Steps: 2, DueDays: 3}
		settle("baecker", daily)
		if of("baecker") != daily || of("konditor") != bookform.Defaults || of("") != bookform.Defaults {
			t.Error("settings of one occupation count for it alone")
		}
		if len(changes(clara)) != 0 {
			t.Error("the form did not change")
		}
		paper := bookform.Defaults
		paper.Electronic = false
		settle("konditor", paper)
		settle("konditor", paper)
		settle("", paper)
		if got := changes(clara); len(got) != 2 || got[1].Occupation != "konditor" || got[1].Electronic || got[1].Apprenticeships != 1 || got[1].By != "jana Muster" || got[0].Apprenticeships != 0 {
			t.Errorf("reported: %+v", got)
		}
		if len(changes(fritz)) != 0 {
			t.Error("another chamber is told")
		}
		otto := w.comes(claims("otto", "stahl", "training_admin"))
		w.write(func(tx *db.Tx) error {
			own, err := bookform.OwnChanges(tx, jana, 9)
			if len(own) != 2 {
				t.Errorf("the company reads %d of its reports", len(own))
			}
			if err != nil {
				return err
			}
			others, err := bookform.OwnChanges(tx, otto, 9)
			if len(others) != 0 {
				t.Errorf("another company reads %d of them", len(others))
			}
			return err
		})
		wants(t, "a company reads the chamber's list", w.try(func(tx *db.Tx) error { _, err := bookform.Changes(tx, jana, "", 9); return err }), fault.KindForbidden, "")
		w.write(func(tx *db.Tx) error { return bookform.Unsettle(tx, jana, "baecker") })
		if got := changes(clara); len(got) != 3 || got[0].Occupation != "baecker" || got[0].Apprenticeships != 2 {
			t.Errorf("back to what holds for all: %+v", got)
		}
		for field, s := range map[string]bookform.Settings{"mode": {Mode: "month", Steps: 1}, "steps": {Mode: "day", Steps: 3}, "due_days": {Mode: "day", Steps: 1, DueDays: 29}} {
			wants(t, field, w.try(func(tx *db.Tx) error { return bookform.Settle(tx, jana, "", s) }), fault.KindInvalid, field)
		}
		wants(t, "an occupation there is not", w.try(func(tx *db.Tx) error { return bookform.Settle(tx, jana, "astronaut", daily) }), fault.KindNotFound, "")
		w.write(func(tx *db.Tx) error {
			rows, err := bookform.All(tx, jana)
			if len(rows) != 3 || rows[0].Occupation != "" || rows[0].Electronic || rows[1].Occupation != "konditor" || rows[1].Count != 1 || !rows[1].Own || rows[2].Own || rows[2].Electronic || rows[2].Count != 2 {
				t.Errorf("rows: %+v", rows)
			}
			return err
		})
		// What holds for all concerns those without settings of their own, while they run.
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE apprenticeship SET ended_on = '2026-11-17' WHERE id = (SELECT min(id) FROM apprenticeship WHERE occupation = 'baecker')`)
			return err
		})
		settle("", bookform.Defaults)
		if got := changes(clara); len(got) != 4 || got[0].Occupation != "" || !got[0].Electronic || got[0].Apprenticeships != 1 {
			t.Errorf("of one baker, another who has ended, and a confectioner of whom something else is said: %+v", got)
		}
	})
}

// R216, R233: what the registry knows of a company by its number is found by the
// company with this number in this chamber, and by no other; who retrains begins
// a retraining. Two companies have one number in two chambers.
func TestCompanyOfTheRegistry_R216(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO apprenticeship (id, chamber_number, ident_number, name_key, starts_on, source, created_at, changed_at)
				VALUES ('r', '999', 'ident-korn', 'x', '2026-08-01', 'registry', $1, $1)`, tx.Now())
			return err
		})
		far := claims("fritz", "korn", "trainer")
		far.Company.ID, far.Company.ChamberNumber = "other", "111"
		w.comes(far)
		if got := w.get("r"); got.Company != "" {
			t.Errorf("found by %s, of another chamber", got.Company)
		}
		w.comes(claims("murat", "stahl", "trainer"))
		if got := w.get("r"); got.Company != "" {
			t.Errorf("found by %s, with another number", got.Company)
		}
		w.comes(claims("jana", "korn", "training_admin"))
		if got := w.get("r"); got.Company != "korn" {
			t.Errorf("found by %q", got.Company)
		}
		for name, roles := range map[string][]string{"rita": {"retrainee"}, "lena": {"apprentice"}, "both": {"apprentice", "retrainee"}} {
			by := w.comes(claims(name, "korn", roles...))
			w.write(func(tx *db.Tx) error {
				s, err := person.Acting(tx, by)
				if err != nil {
					return err
				}
				a, err := apprenticeship.Of(tx, s, "2026-11-18")
				if a.Retraining != (name == "rita") {
					t.Errorf("%s: retraining is %t", name, a.Retraining)
				}
				return err
			})
		}
	})
}
