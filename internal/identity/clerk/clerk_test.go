package clerk_test

import (
	"sync"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/clerk"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
)

// A world: Clara leads and Carl works at one chamber, Xenia at another; Anna
// chose the first one at her sign-up, Nina none.
type world struct {
	*testing.T
	d           *db.DB
	here, there string
	people      map[string]string
}

func each(t *testing.T, f func(w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{T: t, d: d, people: map[string]string{}}
		w.write(func(tx *db.Tx) error {
			for _, c := range []struct {
				number string
				id     *string
			}{{"999", &w.here}, {"998", &w.there}} {
				made, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: c.number, Name: "Kammer " + c.number})
				if err != nil {
					return err
				}
				*c.id = made.ID
			}
			for _, key := range []string{"Clara", "Carl", "Xenia", "Anna", "Nina"} {
				a, err := account.Create(tx, audit.Console, account.New{GivenName: key, FamilyName: "Muster", Email: key + "@example.org", Password: "x", Confirmed: true})
				if err != nil {
					return err
				}
				w.people[key] = a.ID
			}
			for _, s := range [][2]string{{"Clara", w.here}, {"Carl", w.here}, {"Xenia", w.there}} {
				if err := chamber.AddStaff(tx, audit.Console, w.people[s[0]], s[1], chamber.Clerk); err != nil {
					return err
				}
			}
			_, err := tx.Exec(`UPDATE account SET chamber = $1 WHERE id = $2`, w.here, w.people["Anna"])
			return err
		})
		f(w)
	})
}

func (w *world) write(f func(tx *db.Tx) error) {
	w.Helper()
	if err := w.d.Write(w.Context(), f); err != nil {
		w.Fatal(err)
	}
}

func (w *world) by(key string) audit.Actor {
	return audit.Actor{Kind: audit.Person, Account: w.people[key]}
}

func (w *world) do(f func(tx *db.Tx) error) error { return w.d.Write(w.Context(), f) }

func (w *world) count(query string, args ...any) (n int) {
	w.Helper()
	w.write(func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query, args...); return err })
	return n
}

// A clerk sees people who have to do with their chamber; each look is recorded.
func TestLook(t *testing.T) {
	each(t, func(w *world) {
		look := func(who, at, whom string) error {
			return w.do(func(tx *db.Tx) error { _, err := clerk.Look(tx, w.by(who), at, w.people[whom]); return err })
		}
		if err := look("Clara", w.here, "Anna"); err != nil {
			w.Error(err)
		}
		for _, c := range []struct {
			who, at, whom string
			kind          fault.Kind
		}{{"Clara", w.here, "Nina", fault.KindNotFound}, {"Xenia", w.there, "Anna", fault.KindNotFound}, {"Xenia", w.here, "Anna", fault.KindForbidden}, {"Anna", w.here, "Anna", fault.KindForbidden}} {
			if err := look(c.who, c.at, c.whom); !fault.Is(err, c.kind) {
				w.Error(c, err)
			}
		}
		if n := w.count(`SELECT count(*) FROM audit WHERE event = 'person.looked' AND account = $1 AND chamber = $2`, w.people["Anna"], w.here); n != 1 {
			w.Error("recorded looks:", n)
		}
	})
}

// A lock needs a reason, ends all sessions, and only the chamber's own lock is
// ended at the desk; staff is not locked.
func TestLock(t *testing.T) {
	each(t, func(w *world) {
		w.write(func(tx *db.Tx) error {
			_, _, err := session.Start(tx, w.by("Anna"), w.people["Anna"], "pwd")
			return err
		})
		lock := func(who, whom, reason string) error {
			return w.do(func(tx *db.Tx) error { return clerk.Lock(tx, w.by(who), w.here, w.people[whom], reason) })
		}
		unlock := func(who, whom string) error {
			return w.do(func(tx *db.Tx) error { return clerk.Unlock(tx, w.by(who), w.here, w.people[whom]) })
		}
		if err := lock("Clara", "Anna", " "); !fault.Is(err, fault.KindInvalid) {
			w.Error("without a reason", err)
		}
		for _, whom := range []string{"Carl", "Clara"} {
			if err := lock("Clara", whom, "Grund"); !fault.Is(err, fault.KindConflict) {
				w.Error(whom, err)
			}
		}
		if err := lock("Xenia", "Anna", "Grund"); !fault.Is(err, fault.KindForbidden) {
			w.Error("a clerk of elsewhere", err)
		}
		// Of many who lock at once, one does.
		var group sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for range 8 {
			group.Go(func() {
				if err := lock("Clara", "Anna", "Das Telefon ist weg."); err == nil {
					mu.Lock()
					won++
					mu.Unlock()
				} else if !fault.Is(err, fault.KindConflict) {
					w.Error(err)
				}
			})
		}
		group.Wait()
		if won != 1 || w.count(`SELECT count(*) FROM session WHERE account = $1 AND ended_at IS NULL`, w.people["Anna"]) != 0 {
			w.Error("locked", won, "times, or a session runs on")
		}
		if err := unlock("Carl", "Anna"); err != nil {
			w.Error(err)
		}
		w.write(func(tx *db.Tx) error {
			_, err := account.Lock(tx, w.by("Anna"), w.people["Anna"], account.LockedBySelf)
			return err
		})
		if err := unlock("Clara", "Anna"); !fault.Is(err, fault.KindConflict) {
			w.Error("a clerk ends a lock of its owner", err)
		}
	})
}

// Who has to do with two chambers is unlocked by the one that locked them.
func TestNoChamberEndsAnothersLock(t *testing.T) {
	each(t, func(w *world) {
		w.write(func(tx *db.Tx) error {
			if _, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
				management, company_key, name_key, state, registered_by, created_at) VALUES ('bakery', $1, '1', 'Bäckerei', '', '', '', '', '', '', '', '', '', '', '', 'active', $2, $3)`, w.there, w.people["Nina"], tx.Now()); err != nil {
				return err
			}
			return membership.Grant(tx, audit.Console, "bakery", w.people["Anna"], false)
		})
		unlock := func(who, at string) error {
			return w.do(func(tx *db.Tx) error { return clerk.Unlock(tx, w.by(who), at, w.people["Anna"]) })
		}
		w.write(func(tx *db.Tx) error {
			return clerk.Lock(tx, w.by("Clara"), w.here, w.people["Anna"], "Verdacht auf Betrug")
		})
		if err := unlock("Xenia", w.there); !fault.Is(err, fault.KindConflict) || fault.Of(err).Key() != "clerk.locked_elsewhere" {
			w.Error("another chamber ends the lock:", err)
		}
		if err := unlock("Clara", w.here); err != nil {
			w.Error(err)
		}
		w.write(func(tx *db.Tx) error {
			return clerk.Lock(tx, w.by("Xenia"), w.there, w.people["Anna"], "Das Telefon ist weg.")
		})
		if err := unlock("Xenia", w.there); err != nil {
			w.Error(err)
		}
	})
}

// Who leads takes people in and lets them go; a team keeps somebody who leads,
// also when two take the lead from each other at once.
func TestTeam(t *testing.T) {
	each(t, func(w *world) {
		if err := w.do(func(tx *db.Tx) error { _, err := clerk.Hire(tx, w.by("Carl"), w.here, "anna@example.org"); return err }); !fault.Is(err, fault.KindForbidden) {
			w.Error("who does not lead takes in", err)
		}
		if err := w.do(func(tx *db.Tx) error { _, err := clerk.Hire(tx, w.by("Clara"), w.here, "who@example.org"); return err }); !fault.Is(err, fault.KindInvalid) {
			w.Error("nobody's address", err)
		}
		w.write(func(tx *db.Tx) error {
			if _, _, err := session.Start(tx, w.by("Anna"), w.people["Anna"], "pwd"); err != nil {
				return err
			}
			_, err := clerk.Hire(tx, w.by("Clara"), w.here, "ANNA@example.org")
			return err
		})
		if w.count(`SELECT count(*) FROM session WHERE account = $1 AND ended_at IS NULL`, w.people["Anna"]) != 0 {
			w.Error("whoever becomes a clerk signs in anew")
		}
		lead := func(by, whom string, yes bool) error {
			return w.do(func(tx *db.Tx) error { return chamber.SetLead(tx, w.by(by), w.here, w.people[whom], yes) })
		}
		if err := lead("Clara", "Clara", false); !fault.Is(err, fault.KindConflict) {
			w.Error("the last lead goes", err)
		}
		if err := w.do(func(tx *db.Tx) error { return clerk.Dismiss(tx, w.by("Clara"), w.here, w.people["Clara"]) }); !fault.Is(err, fault.KindConflict) {
			w.Error("the last lead leaves", err)
		}
		for round := range 5 {
			for _, who := range []string{"Clara", "Carl"} {
				_ = lead(leads(w), who, true)
			}
			var group sync.WaitGroup
			for i, pair := range [][2]string{{"Clara", "Carl"}, {"Carl", "Clara"}} {
				group.Go(func() {
					if err := lead(pair[0], pair[1], false); err != nil && fault.Of(err) == nil {
						w.Error(round, i, err)
					}
				})
			}
			group.Wait()
			if n := w.count(`SELECT count(*) FROM staff WHERE chamber = $1 AND lead`, w.here); n < 1 {
				w.Fatal("nobody leads")
			}
		}
		leader := w.by(leads(w))
		if err := w.do(func(tx *db.Tx) error { return clerk.Dismiss(tx, leader, w.here, w.people["Anna"]) }); err != nil {
			w.Error(err)
		}
	})
}

// leads is the key of somebody who leads.
func leads(w *world) string {
	for key, id := range w.people {
		if w.count(`SELECT count(*) FROM staff WHERE account = $1 AND lead AND chamber = $2`, id, w.here) == 1 {
			return key
		}
	}
	w.Fatal("nobody leads")
	return ""
}

// Who becomes or ceases to be an operator is told by mail, once, and signs in
// anew with the factor that the role needs.
func TestOperatorsAreTold(t *testing.T) {
	each(t, func(w *world) {
		letters := func(n int64) {
			w.Helper()
			var got int64
			w.write(func(tx *db.Tx) (err error) {
				got, err = db.Value[int64](tx, `SELECT count(*) FROM job WHERE kind = 'mail'`)
				return err
			})
			if got != n {
				w.Errorf("%d mails, want %d", got, n)
			}
		}
		person := func(tx *db.Tx, key string) account.Account {
			a, err := account.Get(tx, w.people[key])
			if err != nil {
				w.Fatal(err)
			}
			return a
		}
		w.write(func(tx *db.Tx) error { return clerk.AddOperator(tx, audit.Console, person(tx, "Nina")) })
		letters(1)
		w.write(func(tx *db.Tx) error {
			_, _, err := session.Start(tx, audit.Actor{Account: w.people["Anna"]}, w.people["Anna"], "pwd")
			return err
		})
		for range 2 { // being it already is no news
			w.write(func(tx *db.Tx) error { return clerk.AddOperator(tx, w.by("Nina"), person(tx, "Anna")) })
			letters(2)
		}
		w.write(func(tx *db.Tx) error {
			running, err := session.List(tx, w.people["Anna"])
			if len(running) != 0 {
				w.Error("an operator goes on with a session of before")
			}
			return err
		})
		w.write(func(tx *db.Tx) error { return clerk.RemoveOperator(tx, w.by("Nina"), person(tx, "Anna")) })
		letters(3)
		err := w.d.Write(w.Context(), func(tx *db.Tx) error { return clerk.AddOperator(tx, w.by("Clara"), person(tx, "Anna")) })
		if !fault.Is(err, fault.KindForbidden) {
			w.Error(err)
		}
		w.write(func(tx *db.Tx) error { return clerk.AddClerk(tx, audit.Console, person(tx, "Anna"), w.there) })
		letters(4)
	})
}
