package search_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/search"
)

var states = map[string]string{"aktiv": "active", "gesperrt": "locked", "active": "active"}

// A world has two chambers with a clerk each.
type world struct {
	testing.TB
	d            *db.DB
	here, there  string
	clara, xenia audit.Actor
	now          time.Time
}

func newWorld(t testing.TB, d *db.DB) *world {
	w := &world{TB: t, d: d, now: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)}
	d.Now = func() time.Time { return w.now }
	w.write(func(tx *db.Tx) error {
		for _, c := range []struct {
			number string
			id     *string
			clerk  *audit.Actor
		}{{"999", &w.here, &w.clara}, {"998", &w.there, &w.xenia}} {
			made, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: c.number, Name: "Kammer " + c.number})
			if err != nil {
				return err
			}
			*c.id = made.ID
			a, err := account.Create(tx, audit.Console, account.New{GivenName: "Clerk", FamilyName: "Kammer", Email: "clerk" + c.number + "@example.org", Password: "x", Confirmed: true})
			if err != nil {
				return err
			}
			*c.clerk = audit.Actor{Account: a.ID, Kind: audit.Person}
			if err := chamber.AddStaff(tx, audit.Console, a.ID, made.ID, chamber.Clerk); err != nil {
				return err
			}
		}
		return nil
	})
	return w
}

func (w *world) write(f func(tx *db.Tx) error) {
	w.Helper()
	if err := w.d.Write(w.Context(), f); err != nil {
		w.Fatal(err)
	}
}

func (w *world) follow() {
	w.Helper()
	if err := search.Follow(w.Context(), w.d); err != nil {
		w.Fatal(err)
	}
}

// company is a row as the rules write it, and the deed that belongs to it.
func (w *world) company(at, id, ident, name, place, postcode, state string) {
	w.Helper()
	w.write(func(tx *db.Tx) error {
		if err := companyRow(tx, at, w.clara.Account, id, ident, name, place, postcode, state); err != nil {
			return err
		}
		return audit.Record(tx, audit.Console, audit.Entry{Event: "registration.approved", Organization: id, Chamber: at})
	})
}

func companyRow(tx *db.Tx, at, by, id, ident, name, place, postcode, state string) error {
	_, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
		management, company_key, name_key, state, registered_by, created_at) VALUES ($1, $2, $3, $4, '', 'Weg', '1', $5, $6, 'HRB', $3, '', '', $1, $4, $7, $8, $9)`,
		id, at, ident, name, postcode, place, state, by, tx.Now())
	return err
}

func (w *world) find(by audit.Actor, at, text, after string, limit int) search.Found {
	w.Helper()
	var f search.Found
	if err := w.d.Read(w.Context(), func(tx *db.Tx) (err error) {
		f, err = search.Organizations(tx, by, at, search.Read(text, "999", states), after, limit)
		return err
	}); err != nil {
		w.Fatal(text, err)
	}
	return f
}

func (w *world) people(by audit.Actor, at, text string) []string {
	w.Helper()
	var f search.Found
	if err := w.d.Read(w.Context(), func(tx *db.Tx) (err error) {
		f, err = search.People(tx, by, at, search.Read(text, "999", states), "", 50)
		return err
	}); err != nil {
		w.Fatal(text, err)
	}
	return f.IDs
}

// Clerks find by the beginnings of words, by place, postcode, number and state,
// and companies of their own chamber only.
func TestOrganizations(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.follow() // what there was before
		w.company(w.here, "a", "100017", "Bäckerei Morgenrot GmbH", "Emden", "26723", "active")
		w.company(w.here, "b", "100024", "Fahrrad-Werkstatt Fuchs e. K.", "Bad Emstal", "34308", "locked")
		w.company(w.here, "c", "100031", "Orthopädie Straßer & Söhne", "Hamburg", "20095", "letter")
		w.company(w.there, "d", "100017", "Bäckerei Anderswo", "Emden", "26723", "active")
		w.follow()
		for text, want := range map[string][]string{
			"": {"a", "b", "c"}, "baecker": {"a"}, "BÄCK morgen": {"a"}, "morgen fuchs": nil, "werk": {"b"}, "ort:emden": {"a"}, "ort:em": {"a", "b"}, "emden": {"a"}, "plz:267": {"a"},
			"status:aktiv": {"a"}, "status:gesperrt": {"b"}, "status:aktiv ort:bad": nil, "nr:100024": {"b"}, "100031": {"c"}, "100031999": {"c"}, "hrb 100017": {"a"}, "ort": {"c"}, "orth": {"c"},
			"strasser": {"c"}, "STRAẞER": {"c"}, "status:quer": nil, "place:Hamburg": {"c"}, "ort:": {"a", "b", "c"}, "%": {"a", "b", "c"}, "_": {"a", "b", "c"},
		} {
			if got := w.find(w.clara, w.here, text, "", 50); !slices.Equal(got.IDs, want) || got.Next != "" {
				t.Errorf("%q finds %v, want %v", text, got.IDs, want)
			}
		}
		if got := w.find(w.xenia, w.there, "", "", 50); !slices.Equal(got.IDs, []string{"d"}) {
			t.Error("the other chamber finds", got.IDs)
		}
		err := d.Read(t.Context(), func(tx *db.Tx) error {
			_, err := search.Organizations(tx, w.clara, w.there, search.Query{}, "", 50)
			return err
		})
		if !fault.Is(err, fault.KindForbidden) {
			t.Error("a clerk searches at another chamber", err)
		}

		// Page by page, and a change of what its admins call it is found.
		first := w.find(w.clara, w.here, "", "", 2)
		second := w.find(w.clara, w.here, "", first.Next, 2)
		if !slices.Equal(first.IDs, []string{"a", "b"}) || first.Next != "b" || !slices.Equal(second.IDs, []string{"c"}) || second.Next != "" {
			t.Error(first, second)
		}
		w.write(func(tx *db.Tx) error {
			if _, err := tx.Exec(`UPDATE organization SET own_name = 'Brotzeit', own_place = 'Leer' WHERE id = 'a'`); err != nil {
				return err
			}
			return audit.Record(tx, audit.Console, audit.Entry{Event: "organization.details_changed", Organization: "a", Chamber: w.here})
		})
		w.now = w.now.Add(time.Minute)
		w.follow()
		for _, text := range []string{"brotzeit", "ort:leer", "morgenrot"} {
			if got := w.find(w.clara, w.here, text, "", 50); !slices.Equal(got.IDs, []string{"a"}) {
				t.Error(text, got.IDs)
			}
		}
	})
}

// Of people, clerks find those who have to do with their chamber, as long as
// they do; whoever deletes their account is found no more.
func TestPeople(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.company(w.here, "a", "100017", "Bäckerei Morgenrot GmbH", "Emden", "26723", "active")
		people := map[string]string{}
		w.write(func(tx *db.Tx) error {
			for _, p := range []string{"Müller", "Möller", "Moeller"} {
				a, err := account.Create(tx, audit.Console, account.New{GivenName: "Anna", FamilyName: p, Username: "anna." + p, Email: "anna." + fmt.Sprint(len(people)) + "@example.org", Password: "x", Confirmed: true})
				if err != nil {
					return err
				}
				people[p] = a.ID
			}
			_, err := tx.Exec(`INSERT INTO membership (id, organization, account, apprentice_number, since) VALUES ('m', 'a', $1, '77-1234', $2)`, people["Müller"], tx.Now())
			return err
		})
		w.follow() // here at once: the accounts were there before
		mueller := []string{people["Müller"]}
		for text, want := range map[string][]string{"anna": mueller, "müller": mueller, "MUELLER ann": mueller, "moeller": nil, "anna.0@example.org": mueller, "anna.0@": nil, "nr:771234": mueller, "771234": mueller, "status:gesperrt": nil} {
			if text == "anna.0@" { // the beginning of an address
				want = mueller
			}
			if got := w.people(w.clara, w.here, text); !slices.Equal(got, want) {
				t.Errorf("%q finds %v, want %v", text, got, want)
			}
		}
		if got := w.people(w.xenia, w.there, "anna"); len(got) != 0 {
			t.Error("the other chamber finds", got)
		}
		w.write(func(tx *db.Tx) error {
			if _, err := account.Lock(tx, audit.Console, people["Müller"], account.LockedByChamber); err != nil {
				return err
			}
			_, err := tx.Exec(`INSERT INTO membership (id, organization, account, since) VALUES ('n', 'a', $1, $2)`, people["Möller"], tx.Now())
			if err != nil {
				return err
			}
			return audit.Record(tx, audit.Console, audit.Entry{Event: "membership.granted", Account: people["Möller"], Organization: "a"})
		})
		w.follow()
		if got := w.people(w.clara, w.here, "status:gesperrt"); !slices.Equal(got, mueller) {
			t.Error("locked:", got)
		}
		if got := w.people(w.clara, w.here, "anna"); len(got) != 2 {
			t.Error("members:", got)
		}
		w.write(func(tx *db.Tx) error {
			if _, err := tx.Exec(`UPDATE membership SET ended_at = $1`, tx.Now()); err != nil {
				return err
			}
			return audit.Record(tx, audit.Console, audit.Entry{Event: "account.deleted", Account: people["Müller"]})
		})
		w.follow()
		if got := w.people(w.clara, w.here, "müller"); len(got) != 0 {
			t.Error("still found:", got)
		}
		w.write(func(tx *db.Tx) error {
			n, err := db.Value[int](tx, `SELECT count(*) FROM chamber_person_word WHERE account = $1`, people["Müller"])
			if n != 0 {
				t.Error("words are left:", n)
			}
			return err
		})
	})
}

// Words that nearly all have, and combinations that nobody has: a walk ends,
// and goes on from where it ended without missing or repeating anything.
func TestCommonWords(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		fill(w, 4400)
		var all []string
		pages, after := 0, ""
		for {
			f := w.find(w.clara, w.here, "bäcker gmbh ort:emden", after, 50)
			all = append(all, f.IDs...)
			if pages++; f.Next == "" || pages > 1000 {
				break
			}
			after = f.Next
		}
		if len(all) != 2200 || !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
			t.Error(len(all), "of 2200 in", pages, "pages")
		}
		f := w.find(w.clara, w.here, "bäcker ort:leer", "", 50) // both common, never together
		if len(f.IDs) != 0 || !f.Part || f.Next == "" {
			t.Error("the walk ended with", f)
		}
		for walks := 0; f.Next != ""; walks++ {
			if f = w.find(w.clara, w.here, "bäcker ort:leer", f.Next, 50); len(f.IDs) != 0 || walks > 5 {
				t.Fatal("and then", f)
			}
		}
	})
}

// fill makes many companies: bakers in Emden and others in Leer, in turns.
func fill(w *world, n int) {
	w.Helper()
	for done := 0; done < n; done += 1000 {
		w.write(func(tx *db.Tx) error {
			for i := done; i < min(done+1000, n); i++ {
				name, place := "Bäckerei", "Emden"
				if i%2 == 1 {
					name, place = "Tischlerei", "Leer"
				}
				state := "active"
				if i%1000 == 7 {
					state = "locked"
				}
				id := fmt.Sprintf("o%07d", i)
				if err := companyRow(tx, w.here, w.clara.Account, id, fmt.Sprint(200000+i), fmt.Sprintf("%s Nummer%d GmbH", name, i), place, "26723", state); err != nil {
					return err
				}
				if _, err := tx.Exec(`UPDATE organization SET name_key = $1 WHERE id = $1`, id); err != nil {
					return err
				}
			}
			return nil
		})
	}
	w.follow()
	if w.d.Engine() == "postgres" {
		w.write(func(tx *db.Tx) error { _, err := tx.Exec(`ANALYZE`); return err })
	}
}

// What a search costs among a thousand companies and among a hundred thousand.
func BenchmarkOrganizations(b *testing.B) {
	dbtest.EachB(b, schema.Files, func(b *testing.B, d *db.DB) {
		for _, n := range []int{1000, 100_000} {
			b.Run(fmt.Sprint(n), func(b *testing.B) {
				d := dbtest.Open(b, d.Engine(), schema.Files)
				w := newWorld(b, d)
				fill(w, n)
				middle := fmt.Sprintf("o%07d", n/2)
				for _, q := range []struct{ name, text, after string }{
					{"all", "", ""},
					{"middle", "", middle},
					{"rare", "nummer77", ""},
					{"number", "nr:200500", ""},
					{"common", "bäcker gmbh", ""},
					{"common-middle", "bäcker gmbh", middle},
					{"place", "ort:emden", ""},
					{"state", "status:gesperrt", ""},
					{"never", "bäcker ort:leer", ""},
				} {
					b.Run(q.name, func(b *testing.B) {
						for b.Loop() {
							w.find(w.clara, w.here, q.text, q.after, 51)
						}
					})
				}
			})
		}
	})
}
