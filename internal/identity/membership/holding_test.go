package membership

import (
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/application"
)

// clocked sets a world's clock; pass moves it.
func (s *stand) clocked() (pass func(time.Duration)) {
	now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	s.Now = func() time.Time { return now }
	return func(d time.Duration) { now = now.Add(d) }
}

func (s *stand) roles(who audit.Actor) (roles []string) {
	s.Helper()
	if err := s.Read(s.Context(), func(tx *db.Tx) error {
		held, err := RolesFor(tx, who.Account, s.app)
		roles = held[s.bakery]
		return err
	}); err != nil {
		s.Fatal(err)
	}
	return roles
}

// R024, R026, R029, R143, R300: a role for a time counts from its first to its
// last moment, whether a job has come by or not; one at a site counts, too. What
// has ended is recorded and told once; who goes before is reminded once.
func TestHoldings(t *testing.T) {
	each(t, func(s *stand) {
		pass := s.clocked()
		day := 24 * time.Hour
		s.must(func(tx *db.Tx) error { return Grant(tx, audit.Console, s.bakery, s.anna.Account, false) })
		anna, _ := s.in(s.anna, s.bakery)
		at := func(d time.Duration) db.Time { return db.At(s.Now().Add(d)) }
		trainer := Role{s.app, "trainer"}
		give := func(who audit.Actor, h Holding) func(*db.Tx) error {
			return func(tx *db.Tx) error { return Give(tx, who, anna.ID, h) }
		}
		s.wants(fault.KindInvalid, "membership.until_past", give(s.bert, Holding{Role: trainer, Until: at(-day)}))
		s.wants(fault.KindInvalid, "membership.until_before", give(s.bert, Holding{Role: trainer, From: at(5 * day), Until: at(4 * day)}))
		s.wants(fault.KindInvalid, "membership.site_unknown", give(s.bert, Holding{Role: trainer, Site: "elsewhere"}))
		s.wants(fault.KindForbidden, "", give(s.anna, Holding{Role: trainer}))
		s.wants(fault.KindNotFound, "", give(s.carl, Holding{Role: trainer}))
		s.must(give(s.bert, Holding{Role: trainer, From: at(5 * day), Until: at(30 * day)}))
		if len(s.roles(s.anna)) != 0 {
			t.Error("holds before it begins")
		}
		pass(5 * day)
		if m, _ := s.in(s.anna, s.bakery); len(s.roles(s.anna)) != 1 || !m.Has(s.app, "trainer") {
			t.Error("does not hold from its first moment")
		}
		reminders := func() (n int) {
			for range 2 { // once is once
				s.must(func(tx *db.Tx) error { _, err := RemindEnds(tx, 100); return err })
			}
			return s.count(`SELECT count(*) FROM notice WHERE phrase = 'notice.member_ending'`)
		}
		if n := reminders(); n != 0 {
			t.Error("reminded too early:", n)
		}
		pass(15 * day)
		if n := reminders(); n != 2 { // both admins
			t.Error("reminders:", n)
		}
		pass(10 * day)
		if len(s.roles(s.anna)) != 0 {
			t.Error("holds after its end")
		}
		for range 2 {
			s.must(func(tx *db.Tx) error { _, err := Ends(tx, 100); return err })
		}
		if n := s.count(`SELECT count(*) FROM audit WHERE event = 'role.expired' AND thing = $1`, anna.ID); n != 1 || s.count(`SELECT count(*) FROM role_grant`) != 0 {
			t.Error("ended", n, "times")
		}
		// At a site, beside the whole organization; each is taken for itself.
		s.must(func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO site (id, organization, chamber, name, street, house_number, postcode, place, state, name_key, created_at)
				VALUES ('market', $1, 'c', 'Markt', 'Markt', '1', '99999', 'Musterstadt', 'released', 'markt', $2)`, s.bakery, tx.Now())
			return err
		})
		s.must(give(s.bert, Holding{Role: trainer, Site: "market"}))
		s.must(give(s.bert, Holding{Role: trainer}))
		if held := s.roles(s.anna); len(held) != 1 {
			t.Error("twice the same role:", held)
		}
		s.must(func(tx *db.Tx) error { return Take(tx, s.bert, anna.ID, trainer, "") })
		if held := s.roles(s.anna); len(held) != 1 {
			t.Error("the one at the site went, too")
		}
		s.must(func(tx *db.Tx) error { return SetRole(tx, s.bert, anna.ID, s.app, "trainer", false) })
		if held := s.roles(s.anna); len(held) != 0 {
			t.Error("Nein leaves it at the site")
		}
	})
}

// R216: numbers and site as the company says. A membership with an end is over
// at that moment; who administers has none (L06).
func TestDetails(t *testing.T) {
	each(t, func(s *stand) {
		pass := s.clocked()
		s.must(func(tx *db.Tx) error {
			return Grant(tx, audit.Console, s.bakery, s.anna.Account, false, Role{s.app, "apprentice"})
		})
		anna, _ := s.in(s.anna, s.bakery)
		bert, _ := s.in(s.bert, s.bakery)
		until := db.At(s.Now().Add(10 * 24 * time.Hour))
		set := func(who audit.Actor, id string, d Details) func(*db.Tx) error {
			return func(tx *db.Tx) error { return SetDetails(tx, who, id, d) }
		}
		s.wants(fault.KindInvalid, "membership.until_admin", set(s.berta, bert.ID, Details{Until: until}))
		s.wants(fault.KindInvalid, "membership.number_form", set(s.bert, anna.ID, Details{ApprenticeNumber: "=1+1"}))
		s.wants(fault.KindInvalid, "membership.number_form", set(s.bert, anna.ID, Details{TrainerNumber: strings.Repeat("1", 31)}))
		s.wants(fault.KindForbidden, "", set(s.anna, anna.ID, Details{ApprenticeNumber: "1"}))
		for range 2 {
			s.must(set(s.bert, anna.ID, Details{Until: until, ApprenticeNumber: "AZ-123/4", TrainerNumber: "77"}))
		}
		if n := s.count(`SELECT count(*) FROM audit WHERE event = 'membership.changed'`); n != 1 {
			t.Error("recorded", n)
		}
		if m, _ := s.in(s.anna, s.bakery); m.ApprenticeNumber != "AZ-123/4" || m.TrainerNumber != "77" || !m.Until.Equal(until.Time) {
			t.Errorf("%+v", m)
		}
		s.wants(fault.KindConflict, "membership.admin_until", func(tx *db.Tx) error { return SetAdmin(tx, s.bert, anna.ID, true) })
		pass(10 * 24 * time.Hour)
		if _, is := s.in(s.anna, s.bakery); is || len(s.roles(s.anna)) != 0 {
			t.Error("still a member at the end")
		}
		for range 2 {
			s.must(func(tx *db.Tx) error { _, err := Ends(tx, 100); return err })
		}
		if n := s.count(`SELECT count(*) FROM audit WHERE event = 'membership.expired'`); n != 1 || s.count(`SELECT count(*) FROM role_grant`) != 0 {
			t.Error("expired", n, "times")
		}
	})
}

// The catalogue's word: roles that exclude one another are never held together,
// however they come: one by one, at once, or for later.
func TestExclusiveRoles(t *testing.T) {
	each(t, func(s *stand) {
		s.must(func(tx *db.Tx) error {
			a, err := application.ByClientID(tx, "training")
			if err != nil {
				return err
			}
			_, err = application.Put(tx, audit.Console, a, []application.Role{
				{Key: "trainer", NameDE: "Ausbilder:in", ExclusiveWith: []string{"apprentice"}}, {Key: "apprentice", NameDE: "Auszubildende:r"},
			})
			return err
		})
		trainer, apprentice := Role{s.app, "trainer"}, Role{s.app, "apprentice"}
		s.wants(fault.KindInvalid, "membership.role_exclusive", func(tx *db.Tx) error {
			return Grant(tx, audit.Console, s.bakery, s.anna.Account, false, trainer, apprentice)
		})
		s.must(func(tx *db.Tx) error { return Grant(tx, audit.Console, s.bakery, s.anna.Account, false, apprentice) })
		anna, _ := s.in(s.anna, s.bakery)
		s.wants(fault.KindInvalid, "membership.role_exclusive", func(tx *db.Tx) error { return SetRole(tx, s.bert, anna.ID, s.app, "trainer", true) })
		later := Holding{Role: trainer, From: db.At(time.Now().Add(time.Hour))}
		s.wants(fault.KindInvalid, "membership.role_exclusive", func(tx *db.Tx) error { return Give(tx, s.bert, anna.ID, later) })
		s.must(func(tx *db.Tx) error { return SetRole(tx, s.bert, anna.ID, s.app, "apprentice", false) })
		won := s.race(8, func(i int, tx *db.Tx) error {
			return SetRole(tx, s.bert, anna.ID, s.app, []string{"trainer", "apprentice"}[i%2], true)
		})
		if n := s.count(`SELECT count(*) FROM role_grant WHERE membership = $1`, anna.ID); n != 1 || won == 0 {
			t.Errorf("%d roles held, %d steps succeeded", n, won)
		}
	})
}

// The list's filters, each alone; R133, R142.
func TestFilters(t *testing.T) {
	each(t, func(s *stand) {
		s.must(func(tx *db.Tx) error {
			return Grant(tx, audit.Console, s.bakery, s.anna.Account, false, Role{s.app, "trainer"})
		})
		anna, _ := s.in(s.anna, s.bakery)
		s.must(func(tx *db.Tx) error { return SetDetails(tx, s.bert, anna.ID, Details{Until: tx.Now().Add(Soon / 2)}) })
		s.must(func(tx *db.Tx) error { return Grant(tx, audit.Console, s.bakery, s.carl.Account, false) })
		s.must(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE account SET used_at = $1 WHERE id = $2`, tx.Now().Add(-2*Idle), s.berta.Account)
			return err
		})
		for _, c := range []struct {
			Filter
			want string
		}{
			{Filter{}, "anna bert berta carl"},
			{Filter{Search: "BEISPIEL an"}, "anna"},
			{Filter{Search: "100%"}, ""},
			{Filter{Role: Role{s.app, "trainer"}}, "anna"},
			{Filter{Without: true}, "carl"},
			{Filter{Admins: true}, "bert berta"},
			{Filter{Ending: true}, "anna"},
			{Filter{Idle: true}, "berta"},
			{Filter{Site: "market"}, ""},
			{Filter{Newest: true, Admins: false, Search: "anna"}, "anna"},
		} {
			err := s.Read(t.Context(), func(tx *db.Tx) error {
				found, err := List(tx, s.bert, s.bakery, c.Filter, "", 10)
				var names []string
				for _, m := range found {
					names = append(names, m.Username)
				}
				if got := strings.Join(names, " "); got != c.want {
					t.Errorf("%+v: %q, want %q", c.Filter, got, c.want)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}
