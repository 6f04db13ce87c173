package person_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/training/person"
	"zunft/internal/training/schema"
)

var bg = context.Background()

func claims(sub, company string, roles ...string) person.Claims {
	return person.Claims{
		Roles: roles, SID: "sid-" + sub,
		Person:  person.Person{Sub: sub, Name: sub + " Muster", GivenName: sub, FamilyName: "Muster", Email: sub + "@beispiel.example"},
		Company: person.Company{ID: company, Name: company},
	}
}

func start(t *testing.T, d *db.DB, c person.Claims) (token string, s person.Session) {
	t.Helper()
	err := d.Write(bg, func(tx *db.Tx) (err error) {
		if err := person.Learn(tx, audit.Job, c); err != nil {
			return err
		}
		token, s, err = person.Start(tx, audit.Job, c, "the.id.token")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return token, s
}

func resolve(d *db.DB, token string) (s person.Session, err error) {
	err = d.Read(bg, func(tx *db.Tx) (err error) { s, err = person.Resolve(tx, token); return err })
	return s, err
}

// Decision 1, R029: what is known is what the last token said; roles of one
// company replace those of that company only.
func TestLearnReplacesRoles_R029(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		token, s := start(t, d, claims("anna", "korn", "apprentice", "unknown_role"))
		if !slices.Equal(s.Roles, []string{"apprentice"}) || !s.Writes() || s.Reads() {
			t.Errorf("roles are %v", s.Roles)
		}
		start(t, d, claims("anna", "stahl", "trainer"))
		if s, _ := resolve(d, token); !slices.Equal(s.Roles, []string{"apprentice"}) {
			t.Errorf("another company's token changed the roles to %v", s.Roles)
		}
		start(t, d, claims("anna", "korn", "trainer", "supervisor"))
		if s, _ := resolve(d, token); !slices.Equal(s.Roles, []string{"trainer", "supervisor"}) {
			t.Errorf("a newer token did not replace the roles: %v", s.Roles)
		}
		err := d.Write(bg, func(tx *db.Tx) error { return person.Learn(tx, audit.Job, claims("anna", "korn")) })
		if !fault.Is(err, fault.KindInvalid) {
			t.Errorf("nobody comes in without a role, got %v", err)
		}
		if s, _ := resolve(d, token); len(s.Roles) != 0 {
			t.Errorf("the lost role stayed: %v", s.Roles)
		}
		if err := d.Write(bg, func(tx *db.Tx) error { return person.Learn(tx, audit.Job, claims("anna", "", "trainer")) }); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("nobody comes in without a company, got %v", err)
		}
		d.Read(bg, func(tx *db.Tx) error {
			rows, err := audit.List(tx, audit.Filter{Account: "anna", Event: "person.roles_learned"})
			if err != nil || len(rows) != 4 {
				t.Errorf("%d records of learned roles, wanted 4 (%v)", len(rows), err)
			}
			return nil
		})
	})
}

// Names come from somebody else's server: one short line, sorted as Germans sort.
func TestNames(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		for _, family := range []string{"Zander", "Ärmel", "Bauer\r\nBcc: x@y.example " + strings.Repeat("x", 300)} {
			c := claims(family[:2], "korn", "trainer")
			c.Person.Sub, c.Person.GivenName, c.Person.FamilyName, c.Person.Name = "s"+family[:3], "", family, family
			start(t, d, c)
		}
		var names []string
		err := d.Read(bg, func(tx *db.Tx) error {
			all, err := person.With(tx, "korn", person.Trainer)
			for _, p := range all {
				names = append(names, p.Name)
			}
			return err
		})
		if err != nil || len(names) != 3 || names[0] != "Ärmel" || names[2] != "Zander" || strings.ContainsAny(names[1], "\r\n") || len([]rune(names[1])) > 200 {
			t.Errorf("names are %q (%v)", names, err)
		}
	})
}

// A session idles 30 minutes, lives 12 hours, and ends by itself, by sid, by subject.
func TestSessionEnds(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 11, 18, 8, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { return now }
		gone := func(what, token string) {
			t.Helper()
			if _, err := resolve(d, token); !fault.Is(err, fault.KindNotFound) {
				t.Errorf("%s: session still opens (%v)", what, err)
			}
		}
		token, s := start(t, d, claims("anna", "korn", "apprentice"))
		gone("a guess", token+"x")
		now = now.Add(29 * time.Minute)
		if _, err := resolve(d, token); err != nil {
			t.Fatal(err)
		}
		d.Write(bg, func(tx *db.Tx) error { return person.Touch(tx, s.ID) })
		now = now.Add(29 * time.Minute)
		if _, err := resolve(d, token); err != nil {
			t.Error("used sessions stay")
		}
		now = now.Add(2 * time.Minute)
		gone("idle", token)

		token, s = start(t, d, claims("anna", "korn", "apprentice"))
		for range 25 {
			now = now.Add(29 * time.Minute)
			d.Write(bg, func(tx *db.Tx) error { return person.Touch(tx, s.ID) })
		}
		gone("after 12 hours", token)

		ends := map[string]func(*db.Tx, person.Session) error{
			"End": func(tx *db.Tx, s person.Session) error { return person.End(tx, audit.Job, s.ID) },
			"EndBySID": func(tx *db.Tx, s person.Session) error {
				_, err := person.EndBySID(tx, audit.Job, s.SID, "")
				return err
			},
			"EndBySID, sub": func(tx *db.Tx, s person.Session) error {
				_, err := person.EndBySID(tx, audit.Job, s.SID, "anna")
				return err
			},
			"EndBySub": func(tx *db.Tx, s person.Session) error { _, err := person.EndBySub(tx, audit.Job, "anna"); return err },
		}
		other, _ := start(t, d, claims("emil", "korn", "apprentice"))
		for name, end := range ends {
			token, s := start(t, d, claims("anna", "korn", "apprentice"))
			if err := d.Write(bg, func(tx *db.Tx) error { return end(tx, s) }); err != nil {
				t.Fatal(err)
			}
			gone(name, token)
			if err := d.Read(bg, func(tx *db.Tx) error {
				_, err := person.Acting(tx, audit.Actor{Account: "anna", Session: s.ID})
				return err
			}); !fault.Is(err, fault.KindForbidden) {
				t.Errorf("%s: an ended session still acts (%v)", name, err)
			}
		}
		d.Write(bg, func(tx *db.Tx) error {
			for _, sub := range []string{"anna", ""} {
				if n, _ := person.EndBySID(tx, audit.Job, "", sub); n != 0 {
					t.Error("an empty sid ended sessions")
				}
			}
			if n, _ := person.EndBySID(tx, audit.Job, "sid-emil", "anna"); n != 0 {
				t.Error("a sid with another subject ended sessions")
			}
			return nil
		})
		if _, err := resolve(d, other); err != nil {
			t.Error("others' sessions stay")
		}
		// The ID token is kept for the hint, not in the clear.
		d.Read(bg, func(tx *db.Tx) error {
			s, _ := person.Resolve(tx, other)
			if hint, err := s.IDToken(tx); hint != "the.id.token" || err != nil {
				t.Errorf("hint %q (%v)", hint, err)
			}
			if n, err := db.Value[int](tx, `SELECT count(*) FROM session WHERE id_token LIKE '%the.id.token%' OR token_hash = $1`, other); n != 0 || err != nil {
				t.Errorf("%d secrets lie open (%v)", n, err)
			}
			return nil
		})
		now = now.Add(48 * time.Hour)
		if err := person.Sweep(bg, d); err != nil {
			t.Fatal(err)
		}
		d.Read(bg, func(tx *db.Tx) error {
			if n, _ := db.Value[int](tx, `SELECT count(*) FROM session`); n != 0 {
				t.Errorf("%d old sessions were kept", n)
			}
			return nil
		})
	})
}

// R323, R029: since when a role is known outlives further sign-ins and other
// roles, for a silence is counted from there; when it was seen last does not.
func TestSinceWhenARoleIsKnown_R029(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		day := time.Date(2026, 10, 5, 8, 0, 0, 0, time.UTC)
		first := day
		d.Now = func() time.Time { return day }
		for i, roles := range [][]string{{"apprentice"}, {"apprentice"}, {"apprentice", "supervisor"}, {"apprentice"}, {"supervisor", "apprentice"}} {
			day = first.AddDate(0, 0, i)
			start(t, d, claims("anna", "korn", roles...))
		}
		for role, since := range map[string]time.Time{"apprentice": first, "supervisor": day} {
			if n := dbtest.Count(t, d, `SELECT count(*) FROM company_role WHERE role = $1 AND since = $2 AND seen_at = $3`, role, db.At(since), db.At(day)); n != 1 {
				t.Error(role, "is not known since", since)
			}
		}
	})
}
