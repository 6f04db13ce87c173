package takeover_test

import (
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/search"
	"zunft/internal/identity/takeover"
)

// A world: two chambers, a clerk who leads at each, one at both, a company with
// an admin and everything that names its chamber.
type world struct {
	TB       testing.TB
	DB       *db.DB
	old, new chamber.Chamber
	people   map[string]string
}

func each(t *testing.T, f func(w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{TB: t, DB: d, people: map[string]string{}}
		w.must(func(tx *db.Tx) (err error) {
			if w.old, err = chamber.Create(tx, audit.Console, chamber.Chamber{Number: "101", Name: "Kammer Alt"}); err != nil {
				return err
			}
			if w.new, err = chamber.Create(tx, audit.Console, chamber.Chamber{Number: "102", Name: "Kammer Neu"}); err != nil {
				return err
			}
			for _, key := range []string{"alma", "nele", "both", "bert", "otto"} {
				a, err := account.Create(tx, audit.Console, account.New{GivenName: key, FamilyName: "Muster", Email: key + "@example.org", Password: "x", Confirmed: true})
				if err != nil {
					return err
				}
				w.people[key] = a.ID
			}
			for _, s := range [][2]string{{"alma", w.old.ID}, {"nele", w.new.ID}, {"both", w.old.ID}, {"both", w.new.ID}} {
				if err := chamber.AddStaff(tx, audit.Console, w.people[s[0]], s[1], chamber.Clerk); err != nil {
					return err
				}
			}
			if err := chamber.AddStaff(tx, audit.Console, w.people["otto"], "", chamber.Operator); err != nil {
				return err
			}
			if err := w.company(tx, "bakery", w.old.ID, "4711"); err != nil {
				return err
			}
			for _, insert := range []string{
				`INSERT INTO registration (id, reference, chamber, applicant, name, legal_form, street, house_number, postcode, place, ident_number, register_kind, register_number, register_court, reason, company_key, state, score, entry, risk, submitted_at)
					VALUES ('r', 'R-1', $1, $2, 'Mühle', '', '', '', '', '', '12', '', '', '', '', 'm', 'submitted', 1, '', 1, $3)`,
				`INSERT INTO site (id, organization, chamber, name, street, house_number, postcode, place, state, name_key, created_at) VALUES ('s', 'bakery', $1, 'Filiale', '', '', '', '', 'asked', $2, $3)`,
				`INSERT INTO directory_entry (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court, management, company_key, content_hash, imported_at)
					VALUES ('e', $1, '4711', 'Bäckerei', '', '', '', '', '', '', '', '', $2, 'k', '', $3)`,
				`INSERT INTO letter (id, chamber, organization, kind, state, asked_by, created_at) VALUES ('l', $1, 'bakery', 'succession', 'queued', $2, $3)`,
			} {
				if _, err := tx.Exec(insert, w.old.ID, w.people["bert"], tx.Now()); err != nil {
					return err
				}
			}
			if _, err := tx.Exec(`UPDATE account SET chamber = $1 WHERE id = $2`, w.old.ID, w.people["bert"]); err != nil {
				return err
			}
			return membership.Grant(tx, audit.Console, "bakery", w.people["bert"], true)
		})
		f(w)
	})
}

func (w *world) company(tx *db.Tx, id, chamberID, ident string) error {
	_, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
		management, company_key, name_key, state, registered_by, created_at) VALUES ($1, $2, $3, 'Bäckerei', '', '', '', '', '', '', '', '', '', $1, $1, 'active', $4, $5)`, id, chamberID, ident, w.people["bert"], tx.Now())
	return err
}

func (w *world) must(f func(tx *db.Tx) error) {
	w.TB.Helper()
	if err := w.DB.Write(w.TB.Context(), f); err != nil {
		w.TB.Fatal(err)
	}
}

func (w *world) Count(query string, args ...any) int { return dbtest.Count(w.TB, w.DB, query, args...) }

// ends makes the old chamber a past one with its successor.
func (w *world) ends() {
	w.must(func(tx *db.Tx) error {
		c, err := chamber.Get(tx, w.old.ID)
		if err != nil {
			return err
		}
		c.ValidUntil, c.Successor = tx.Now().Add(-time.Hour), w.new.ID
		return chamber.Update(tx, audit.Console, c)
	})
}

func (w *world) do(by audit.Actor) (p takeover.Plan, err error) {
	err = w.DB.Write(w.TB.Context(), func(tx *db.Tx) (err error) { p, err = takeover.Do(tx, by, w.old.ID); return err })
	return p, err
}

// R081 and what chambers are: data with a term and a successor. An ended
// chamber's companies, cases and clerks go to the one that follows it; members
// and their roles stay, old letters go on opening, and clerks find the company.
func TestTakeover(t *testing.T) {
	each(t, func(w *world) {
		for range 2 {
			if _, err := w.do(audit.Console); fault.Of(err) == nil || fault.Of(err).Key() != "takeover.not_over" {
				w.TB.Error("a chamber that goes on:", err)
			}
		}
		w.ends()
		if _, err := w.do(audit.Actor{Account: w.people["alma"]}); !fault.Is(err, fault.KindForbidden) {
			w.TB.Error("a clerk hands their chamber over:", err)
		}
		p, err := w.do(audit.Actor{Account: w.people["otto"]})
		if err != nil || p.Companies != 1 || p.Open != 1 || p.Clerks != 2 || p.Listings != 1 {
			w.TB.Fatal(p, err)
		}
		for _, table := range []string{"organization", "registration", "site", "directory_entry", "letter", "staff"} {
			if n := w.Count(`SELECT count(*) FROM `+table+` WHERE chamber = $1`, w.old.ID); n != 0 {
				w.TB.Errorf("%d rows of %s stay behind", n, table)
			}
		}
		if err := search.Follow(w.TB.Context(), w.DB); err != nil {
			w.TB.Fatal(err)
		}
		w.must(func(tx *db.Tx) error {
			o, err := organization.ByNumbers(tx, "4711", "101") // as on the letter of the old chamber
			if err != nil || o.Chamber != w.new.ID {
				w.TB.Error("the old chamber's letter:", o.Chamber, err)
			}
			m, err := membership.In(tx, "bakery", w.people["bert"])
			if err != nil || !m.Admin {
				w.TB.Error("the admin:", m, err)
			}
			for _, c := range []struct {
				name       string
				work, lead bool
			}{{"alma", true, false}, {"nele", true, true}, {"both", true, false}} {
				work, err := chamber.IsClerk(tx, w.people[c.name], w.new.ID)
				if err != nil {
					return err
				}
				lead, err := chamber.IsLead(tx, w.people[c.name], w.new.ID)
				if err != nil {
					return err
				}
				if work != c.work || lead != c.lead {
					w.TB.Errorf("%s: clerk %t, leads %t", c.name, work, lead)
				}
			}
			found, err := search.Organizations(tx, audit.Actor{Account: w.people["nele"]}, w.new.ID, search.Read("baeckerei", "102", nil), "", 10)
			if err != nil || len(found.IDs) != 1 {
				w.TB.Error("the desk does not find it:", found, err)
			}
			return nil
		})
		for _, at := range []string{w.old.ID, w.new.ID} {
			if w.Count(`SELECT count(*) FROM audit WHERE chamber = $1 AND event IN ('chamber.taken_over', 'chamber.took_over')`, at) != 1 {
				w.TB.Error("not in the record of", at)
			}
		}
		if p, err := w.do(audit.Console); err != nil || p.Companies != 0 { // again: nothing is left
			w.TB.Error(p, err)
		}
	})
}

// A number that two companies have, one at each chamber, stops it whole.
func TestTakeoverClash(t *testing.T) {
	each(t, func(w *world) {
		w.must(func(tx *db.Tx) error { return w.company(tx, "mill", w.new.ID, "4711") })
		w.ends()
		p, err := w.do(audit.Console)
		if fault.Of(err) == nil || fault.Of(err).Key() != "takeover.clash" || len(p.Clashes) != 1 || p.Clashes[0].Number != "4711" {
			w.TB.Error(p.Clashes, err)
		}
		if w.Count(`SELECT count(*) FROM organization WHERE chamber = $1`, w.old.ID) != 1 || w.Count(`SELECT count(*) FROM staff WHERE chamber = $1`, w.old.ID) != 2 {
			w.TB.Error("something went all the same")
		}
		w.must(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE organization SET state = 'closed' WHERE id = 'mill'`)
			return err
		})
		if _, err := w.do(audit.Console); err != nil {
			w.TB.Error(err)
		}
	})
}

// Two operators at the same moment: one hands over, the other finds nothing left.
func TestTakeoverOnce(t *testing.T) {
	each(t, func(w *world) {
		w.ends()
		var wg sync.WaitGroup
		var mu sync.Mutex
		moved := 0
		for range 4 {
			wg.Go(func() {
				p, err := w.do(audit.Console)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					w.TB.Error(err)
				}
				moved += p.Companies
			})
		}
		wg.Wait()
		if moved != 1 {
			w.TB.Errorf("%d companies handed over", moved)
		}
	})
}
