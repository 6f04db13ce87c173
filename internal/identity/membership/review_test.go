package membership

import (
	"fmt"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/organization"
)

// The half-yearly review: it becomes due, is told once, asks about everybody who
// was not looked at, carries out what was said, and is done when nobody is left.
func TestReview(t *testing.T) {
	each(t, func(s *stand) {
		pass := s.clocked()
		s.must(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE organization SET activated_at = $1`, tx.Now())
			if err == nil {
				err = Grant(tx, audit.Console, s.bakery, s.anna.Account, false, Role{s.app, "trainer"})
			}
			if err == nil {
				_, err = tx.Exec(`UPDATE membership SET since = $1`, tx.Now())
			}
			return err
		})
		due := func() (r Review) {
			if err := s.Read(t.Context(), func(tx *db.Tx) error {
				o, err := organization.Get(tx, s.bakery)
				if err == nil {
					r, err = ReviewOf(tx, o)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return r
		}
		tell := func() int {
			for range 2 {
				s.must(TellReviews)
			}
			return s.count(`SELECT count(*) FROM notice WHERE phrase = 'notice.review_due' AND account IN ($1, $2)`, s.bert.Account, s.berta.Account)
		}
		if due().Due || tell() != 0 {
			t.Error("due at once")
		}
		pass(200 * 24 * time.Hour)
		if n := tell(); !due().Due || n != 2 {
			t.Error("not due or not told after half a year:", n)
		}
		anna, _ := s.in(s.anna, s.bakery)
		bert, _ := s.in(s.bert, s.bakery)
		berta, _ := s.in(s.berta, s.bakery)
		carl, _ := s.in(s.carl, s.butcher)
		judge := func(who audit.Actor, verdicts map[string]Verdict) (done bool, err error) {
			err = s.Write(t.Context(), func(tx *db.Tx) (err error) { done, err = Judge(tx, who, s.bakery, verdicts); return err })
			return done, err
		}
		if _, err := judge(s.carl, nil); !fault.Is(err, fault.KindNotFound) {
			t.Error("another company's admin:", err)
		}
		if _, err := judge(s.anna, nil); !fault.Is(err, fault.KindForbidden) {
			t.Error("a member:", err)
		}
		if _, err := judge(s.bert, map[string]Verdict{carl.ID: Keep}); !fault.Is(err, fault.KindNotFound) {
			t.Error("a member of another company:", err)
		}
		if _, err := judge(s.bert, map[string]Verdict{berta.ID: TakeMember}); !fault.Is(err, fault.KindConflict) {
			t.Error("an admin is removed without a proof:", err)
		}
		if done, err := judge(s.bert, map[string]Verdict{bert.ID: Keep, anna.ID: TakeRoles}); done || err != nil {
			t.Error(done, err)
		}
		if m, is := s.in(s.anna, s.bakery); !is || len(m.Roles) != 0 {
			t.Error("roles stay")
		}
		left := 0
		s.must(func(tx *db.Tx) error {
			all, err := ToReview(tx, s.bert, s.bakery, 10)
			left = len(all)
			return err
		})
		if left != 1 {
			t.Error("left to look at:", left)
		}
		if done, err := judge(s.bert, map[string]Verdict{berta.ID: Keep}); !done || err != nil || due().Due {
			t.Error("not done:", done, err)
		}
		if n := s.count(`SELECT count(*) FROM audit WHERE event = 'membership.review_done'`); n != 1 {
			t.Error(n)
		}
		pass(200 * 24 * time.Hour)
		if n := tell(); n != 4 {
			t.Error("told again half a year later:", n)
		}
	})
}

// Why can this person (not) …: every way in, and what stands in it.
func TestExplain(t *testing.T) {
	each(t, func(s *stand) {
		pass := s.clocked()
		s.must(func(tx *db.Tx) error { return Grant(tx, audit.Console, s.bakery, s.anna.Account, false) })
		anna, _ := s.in(s.anna, s.bakery)
		explain := func(who audit.Actor) (text string, err error) {
			err = s.Read(t.Context(), func(tx *db.Tx) error {
				reasons, err := Explain(tx, who, anna.ID, s.app)
				for _, r := range reasons {
					text += r.About + " " + r.State + "; "
				}
				return err
			})
			return text, err
		}
		want := func(what, want string) {
			t.Helper()
			for _, who := range []audit.Actor{s.bert, s.anna} { // the admin, and the person
				if got, err := explain(who); got != want || err != nil {
					t.Errorf("%s: %q, want %q, %v", what, got, want, err)
				}
			}
		}
		const until = "organization ok; account ok; application ok; "
		want("no role", until+"role missing; ")
		if _, err := explain(s.carl); !fault.Is(err, fault.KindNotFound) {
			t.Error("a stranger:", err)
		}
		trainer := Role{s.app, "trainer"}
		s.must(func(tx *db.Tx) error {
			return Give(tx, s.bert, anna.ID, Holding{Role: trainer, From: tx.Now().Add(time.Hour)})
		})
		want("later", until+"role later; ")
		pass(time.Hour)
		want("now", until+"role ok; ")
		s.must(func(tx *db.Tx) error { _, err := tx.Exec(`UPDATE application_role SET requires = 'mfa'`); return err })
		want("with a factor", until+"role ok; factor asked; ")
		s.must(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE account SET state = 'locked', lock_reason = 'chamber' WHERE id = $1`, s.anna.Account)
			return err
		})
		if got, _ := explain(s.bert); got != "organization ok; account not; application ok; role ok; factor asked; " {
			t.Error("locked:", got)
		}
		s.must(func(tx *db.Tx) error { _, err := tx.Exec(`UPDATE application SET state = 'disabled'`); return err })
		if got, _ := explain(s.bert); got != "organization ok; account not; application not; " {
			t.Error("switched off:", got)
		}
	})
}

// A page of the member list costs the same in a company of 50 and of 5,000: it
// reads what it shows.
func BenchmarkList(b *testing.B) {
	for _, n := range []int{50, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkList(b, n) })
	}
}
