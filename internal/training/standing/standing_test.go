package standing_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
	"zunft/internal/training/person/persontest"
	"zunft/internal/training/schema"
	"zunft/internal/training/standing"
)

var (
	bg  = context.Background()
	now = time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC) // Wednesday of week 47
)

// comes signs somebody in and returns who acts.
func comes(t *testing.T, d *db.DB, sub, company string, roles ...string) audit.Actor {
	t.Helper()
	d.Now = func() time.Time { return now }
	c := person.Claims{
		Roles: roles, Person: person.Person{Sub: sub, Name: sub + " Muster", GivenName: sub, FamilyName: "Muster", Email: sub + "@beispiel.example", Language: "de"},
		Company: person.Company{ID: company, Name: company, ChamberNumber: "999"},
	}
	return persontest.Comes(t, d, c)
}

func read(t *testing.T, d *db.DB, f func(tx *db.Tx) error) {
	t.Helper()
	if err := d.Read(bg, f); err != nil {
		t.Fatal(err)
	}
}

func exec(t *testing.T, d *db.DB, query string, args ...any) {
	t.Helper()
	dbtest.Write(t, d, func(tx *db.Tx) error { _, err := tx.Exec(query, args...); return err })
}

// learns describes an apprenticeship as a company or the registry does; sub is
// empty for somebody who was never here.
func learns(t *testing.T, d *db.DB, sub, company string, from, to calendar.Date) (id string) {
	t.Helper()
	id = db.NewID()
	var who any
	if sub != "" {
		who = sub
	}
	exec(t, d, `INSERT INTO apprenticeship (id, person, company, given_name, family_name, name_key, words, occupation, starts_on, ends_on, source, created_at, changed_at)
		VALUES ($1, $2, $3, $4, 'Muster', $5, $5 || ' muster', 'bäcker', $6, $7, 'company', $8, $8)`, id, who, company, "Neu", sub+"x", from, to, db.At(now))
	return id
}

// writes stores a report as it is after many deeds.
func writes(t *testing.T, d *db.DB, sub, company, of string, w calendar.Week, state string) {
	t.Helper()
	long(t, d, sub, company, of, w.Date(1), w.Date(7), state, "week")
}

func long(t *testing.T, d *db.DB, sub, company, of string, first, last calendar.Date, state, kind string) {
	t.Helper()
	var sent any
	if state != "draft" {
		sent = db.At(now)
	}
	w := first.Week()
	exec(t, d, `INSERT INTO report (id, apprentice, apprenticeship, company, kind, year, week, first_day, last_day, state, submitted_at, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)`, db.NewID(), sub, of, company, kind, w.Year, w.Number, first, last, state, sent, db.At(now))
}

func of(t *testing.T, d *db.DB, id string) (s standing.Stand) {
	t.Helper()
	read(t, d, func(tx *db.Tx) error {
		a, err := apprenticeship.Get(tx, id)
		if err != nil {
			return err
		}
		all, err := standing.Of(tx, a)
		s = all[id]
		return err
	})
	return s
}

func w(number int) calendar.Week { return calendar.Week{Year: 2026, Number: number} }

// L14: a week is open when it is over, the days of grace are over too, and
// nobody has submitted its report; what was returned is open again.
func TestOpenWeeks_L14(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		comes(t, d, "lena", "korn", "apprentice")
		id := learns(t, d, "lena", "korn", "2026-10-05", "2029-07-31") // Monday of week 41
		is := func(what string, weeks, open int, word string) {
			t.Helper()
			if s := of(t, d, id); s.Weeks != weeks || s.Open != open || s.Word().Key != word || s.Word().N != open {
				t.Errorf("%s: %d weeks, %d open, %v", what, s.Weeks, s.Open, s.Word())
			}
		}
		is("six weeks ended, of the last one the days of grace run", 6, 5, "standing.open")
		for number, state := range map[int]string{41: "signed_off", 42: "submitted", 43: "checked", 44: "returned", 45: "draft"} {
			writes(t, d, "lena", "korn", id, w(number), state)
		}
		is("a draft and a returned one are open", 6, 2, "standing.open")
		if s := of(t, d, id); s.SignedOff != 1 || s.Waiting != 2 || s.Returned != 1 || s.Drafts != 1 || s.Last != w(43) || s.First != w(41) {
			t.Errorf("%+v", s)
		}
		exec(t, d, `UPDATE report SET state = 'submitted' WHERE week IN (44, 45)`)
		is("all that is due was submitted", 6, 0, "standing.on_plan")
		exec(t, d, `INSERT INTO company_setting (company, occupation, electronic, mode, steps, due_days, changed_at) VALUES ('korn', '', TRUE, 'week', 1, 0, $1)`, db.At(now))
		is("without days of grace week 46 is open", 6, 1, "standing.open")
		exec(t, d, `UPDATE apprenticeship SET ended_on = '2026-11-10'`)
		is("the last week ended with the apprenticeship", 6, 1, "standing.open")
		exec(t, d, `UPDATE apprenticeship SET ended_on = '2026-11-07'`)
		is("what comes after the last day does not count", 5, 0, "standing.on_plan")
		exec(t, d, `UPDATE company_setting SET electronic = FALSE`)
		is("R316: the book is kept on paper", 5, 0, "standing.on_paper")
		exec(t, d, `UPDATE company_setting SET electronic = TRUE`)
		exec(t, d, `UPDATE apprenticeship SET starts_on = '2026-12-01', ended_on = ''`)
		exec(t, d, `DELETE FROM report`)
		is("it begins in December", 0, 0, "standing.not_begun")
		// From five open weeks on it is time to talk; a sign-off that can be taken back is none yet.
		exec(t, d, `UPDATE apprenticeship SET starts_on = '2026-10-05'`)
		exec(t, d, `UPDATE company_setting SET due_days = 7`)
		if s := of(t, d, id); s.Word() != (standing.Word{Kind: "danger", Key: "standing.open", N: 5}) {
			t.Errorf("five weeks: %+v", s.Word())
		}
		writes(t, d, "lena", "korn", id, w(41), "signed_off")
		if s := of(t, d, id); s.Word() != (standing.Word{Kind: "warning", Key: "standing.open", N: 4}) || s.SignedOff != 1 || s.Waiting != 0 {
			t.Errorf("four weeks: %+v", s)
		}
		exec(t, d, `UPDATE report SET undo_until = $1`, db.At(now.Add(time.Minute)))
		if s := of(t, d, id); s.SignedOff != 0 || s.Waiting != 1 || s.Open != 4 {
			t.Errorf("signed off a minute ago: %+v", s)
		}
		exec(t, d, `DELETE FROM report`)
		// The time on paper is shown as such, once somebody has vouched for it (R317).
		long(t, d, "lena", "korn", id, "2026-10-05", "2026-10-25", "draft", "paper")
		for state, shown := range map[string]string{"draft": "draft", "signed_off": standing.Paper} {
			exec(t, d, `UPDATE report SET state = $1`, state)
			read(t, d, func(tx *db.Tx) error {
				b, err := standing.Read(tx, "lena", true)
				for _, n := range []int{41, 42, 43} {
					if c := b.Cell(w(n)); c.State != shown || c.Open != (state == "draft") {
						t.Errorf("the paper time is %s, and week %d: %+v", state, n, c)
					}
				}
				if c := b.Cell(w(44)); c.State != standing.Missing {
					t.Errorf("the week after it: %+v", c)
				}
				return err
			})
		}
		exec(t, d, `DELETE FROM report`)
		if s := of(t, d, learns(t, d, "", "korn", "2026-09-01", "")); s.Word().Key != "standing.not_here" || s.Name != "Neu Muster" {
			t.Errorf("who was never here: %+v", s)
		}
	})
}

// Counting in the index says what walking over the weeks says, for any book
// with a paper time, two companies, and any first and last day (R317, L14).
func TestStandingIsTheWalk_R317(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		states := []string{"draft", "submitted", "checked", "returned", "signed_off", "", ""}
		for seed := range 25 {
			rnd := rand.New(rand.NewPCG(uint64(seed), 1))
			sub := fmt.Sprint("p", seed)
			comes(t, d, sub, "korn", "apprentice")
			comes(t, d, sub, "mehl", "apprentice")
			start := calendar.Date("2024-08-01").Add(rnd.IntN(60))
			change := start.Add(200 + rnd.IntN(200))
			one, two := learns(t, d, sub, "korn", start, change), learns(t, d, sub, "mehl", change.Add(1), "2027-07-31")
			done, wrote := map[calendar.Week]bool{}, map[calendar.Week]string{}
			begin := start.Week()
			if rnd.IntN(2) == 0 {
				end := start.Week().Add(rnd.IntN(40)).Date(7)
				long(t, d, sub, "korn", one, start, end, "signed_off", "paper")
				wrote[begin] = "signed_off"
				for ; begin.Date(1) < end; begin = begin.Add(1) {
					done[begin] = true
				}
			}
			for k := begin; k.Before(w(48)); k = k.Add(1) {
				if state := states[rnd.IntN(len(states))]; state != "" {
					id, company := one, "korn"
					if k.Date(7) > change {
						id, company = two, "mehl"
					}
					writes(t, d, sub, company, id, k, state)
					wrote[k], done[k] = state, state == "submitted" || state == "checked" || state == "signed_off"
				}
			}
			for id, days := range map[string][2]calendar.Date{one: {start, change}, two: {change.Add(1), "2027-07-31"}} {
				var want standing.Stand
				for k := days[0].Week(); k.Date(1) <= days[1] && k.Date(1) < "2026-11-18"; k = k.Add(1) {
					end := min(k.Date(7), days[1])
					if end < "2026-11-18" {
						want.Weeks++
					}
					if end.Add(7) < "2026-11-18" && !done[k] {
						want.Open++
					}
					switch wrote[k] {
					case "signed_off":
						want.SignedOff++
					case "submitted", "checked":
						want.Waiting++
					case "returned":
						want.Returned++
					case "draft":
						want.Drafts++
					}
				}
				s := of(t, d, id)
				got := standing.Stand{Weeks: s.Weeks, Open: s.Open, SignedOff: s.SignedOff, Waiting: s.Waiting, Returned: s.Returned, Drafts: s.Drafts}
				if got != want {
					t.Errorf("seed %d, %v: %+v, wanted %+v", seed, days, got, want)
				}
			}
		}
	})
}

// R333: who trains sees those they accompany and nobody else; who administers
// training sees all; pages follow one another without a gap.
func TestWhoIsListed_R333(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		murat, petra, jana := comes(t, d, "murat", "korn", "trainer"), comes(t, d, "petra", "korn", "trainer"), comes(t, d, "jana", "korn", "training_admin")
		stranger, lena := comes(t, d, "otto", "mehl", "trainer"), comes(t, d, "lena", "korn", "apprentice")
		for i := range standing.Page + 10 {
			sub := fmt.Sprintf("azubi%02d", i)
			comes(t, d, sub, "korn", "apprentice")
			id := learns(t, d, sub, "korn", "2026-08-01", "")
			if i == 3 {
				exec(t, d, `INSERT INTO assignment (id, apprenticeship, person, role, from_day, created_at) VALUES ($1, $2, 'murat', 'trainer', '2026-08-01', $3)`, db.NewID(), id, db.At(now))
			}
			if i == 4 {
				exec(t, d, `UPDATE apprenticeship SET ended_on = '2026-08-30' WHERE id = $1`, id)
			}
		}
		names := func(by audit.Actor) (all []string) {
			t.Helper()
			for after, more := "", true; more; more = after != "" {
				var page standing.Listing
				read(t, d, func(tx *db.Tx) (err error) {
					page, err = standing.Company(tx, by, standing.Choice{After: after})
					return err
				})
				for _, s := range page.Stands {
					all = append(all, s.Apprenticeship.Person)
				}
				after = page.Next
			}
			return all
		}
		all := names(jana)
		if len(all) != standing.Page+9 || all[0] != "azubi00" || all[4] != "azubi05" {
			t.Errorf("the administration sees %d: %v", len(all), all)
		}
		if got := names(murat); len(got) != len(all) {
			t.Errorf("Murat sees %d", len(got))
		}
		if got := names(petra); len(got) != len(all)-1 {
			t.Errorf("Petra sees Murat's apprentice too: %d", len(got))
		}
		read(t, d, func(tx *db.Tx) error {
			found, err := standing.Company(tx, petra, standing.Choice{Search: "AZUBI03"}) // Murat's alone
			if len(found.Stands) != 0 || found.Next != "" {
				t.Errorf("Petra finds %v", found)
			}
			if err != nil {
				return err
			}
			found, err = standing.Company(tx, petra, standing.Choice{Search: "Azubi05 must"})
			if len(found.Stands) != 1 || found.Stands[0].Apprenticeship.Person != "azubi05" {
				t.Errorf("found: %+v", found)
			}
			return err
		})
		// Who stands in sees what the other sees, as long as they do.
		for _, c := range []struct{ from, until string }{{"2026-11-19", "2026-11-30"}, {"2026-11-01", "2026-11-17"}, {"2026-11-18", "2026-11-18"}} {
			exec(t, d, `DELETE FROM substitute`)
			exec(t, d, `INSERT INTO substitute (id, company, person, deputy, from_day, until_day, created_at) VALUES ('s', 'korn', 'murat', 'petra', $1, $2, $3)`, c.from, c.until, db.At(now))
			want := len(all) - 1
			if c.from == "2026-11-18" {
				want = len(all)
			}
			if got := names(petra); len(got) != want {
				t.Errorf("standing in from %s to %s Petra sees %d of %d", c.from, c.until, len(got), len(all))
			}
		}
		// A supervisor alone shuts no trainer out, also one who could train; whose
		// last day is over sees nobody to whom another trainer is assigned.
		exec(t, d, `DELETE FROM substitute`)
		ute := comes(t, d, "ute", "korn", "trainer", "supervisor")
		exec(t, d, `INSERT INTO assignment (id, apprenticeship, person, role, from_day, created_at) SELECT 'alone', id, 'ute', 'supervisor', '2026-08-01', $1 FROM apprenticeship WHERE person = 'azubi05'`, db.At(now))
		for _, c := range []struct {
			last calendar.Date
			more int
		}{{"2026-11-18", 1}, {"2026-11-17", 0}} {
			exec(t, d, `DELETE FROM assignment WHERE id = 'until'`)
			exec(t, d, `INSERT INTO assignment (id, apprenticeship, person, role, from_day, until_day, created_at) SELECT 'until', id, 'ute', 'supervisor', '2026-08-01', $1, $2 FROM apprenticeship WHERE person = 'azubi03'`, c.last, db.At(now))
			for who, by := range map[string]audit.Actor{"Petra": petra, "Ute": ute} {
				want := len(all) - 1
				if who == "Ute" {
					want += c.more
				}
				if got := names(by); len(got) != want || !slices.Contains(got, "azubi05") {
					t.Errorf("Ute until %s: %s sees %d, wanted %d", c.last, who, len(got), want)
				}
			}
		}
		if got := names(stranger); got != nil {
			t.Errorf("another company sees %v", got)
		}
		if err := d.Read(bg, func(tx *db.Tx) error { _, err := standing.Company(tx, lena, standing.Choice{}); return err }); !fault.Is(err, fault.KindForbidden) {
			t.Errorf("an apprentice sees %v", err)
		}
	})
}

// L14, ux.md 2.4: who is furthest behind is first, then whose reports wait; a list
// shows only those with open weeks, or with something to read. Of more than a
// stretch each stretch is in its order, and none is lost between two.
func TestWhoIsBehindIsFirst_L14(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		jana := comes(t, d, "jana", "korn", "training_admin")
		for i := range standing.Stretch + 5 {
			sub := fmt.Sprintf("azubi%03d", i)
			comes(t, d, sub, "korn", "apprentice")
			began := calendar.Date("2026-11-16") // this week: nothing is due
			switch i {
			case 7:
				began = "2026-08-01"
			case 150:
				began = "2026-06-01" // the longest
			case 203:
				began = "2026-10-01"
			}
			learns(t, d, sub, "korn", began, "")
		}
		list := func(c standing.Choice) (l standing.Listing, names []string) {
			t.Helper()
			read(t, d, func(tx *db.Tx) (err error) { l, err = standing.Company(tx, jana, c); return err })
			for _, s := range l.Stands {
				names = append(names, s.Apprenticeship.Person)
			}
			return l, names
		}
		if l, names := list(standing.Choice{}); len(names) != standing.Page || l.Order != standing.ByName || names[7] != "azubi007" {
			t.Errorf("so many are listed %s: %v", l.Order, names)
		}
		l, names := list(standing.Choice{Order: standing.Behind})
		if len(names) != standing.Stretch || names[0] != "azubi150" || names[1] != "azubi007" || names[2] != "azubi000" {
			t.Errorf("behind first: %d, %v", len(names), names[:5])
		}
		if _, names := list(standing.Choice{Order: standing.Behind, After: l.Next}); len(names) != 5 || names[0] != "azubi203" {
			t.Errorf("the next stretch: %v", names)
		}
		if l, names := list(standing.Choice{Show: standing.WithOpen, Order: standing.Behind}); fmt.Sprint(names) != "[azubi150 azubi007]" || l.Next == "" {
			t.Errorf("with open weeks: %v, then %q", names, l.Next)
		}
		if l, names := list(standing.Choice{Search: "azubi15"}); len(names) != 10 || l.Order != standing.Behind || names[0] != "azubi150" || names[1] != "azubi151" {
			t.Errorf("a page of them is listed %s: %v", l.Order, names)
		}
		if _, names := list(standing.Choice{Show: standing.WithWaiting}); names != nil {
			t.Errorf("waiting: %v", names)
		}
	})
}
