package request

import (
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/membership"
)

// clocked sets a world's clock; pass moves it.
func (s *stand) clocked() (pass func(time.Duration)) {
	now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	s.Now = func() time.Time { return now }
	return func(d time.Duration) { now = now.Add(d) }
}

const day = 24 * time.Hour

// mails counts what was queued since the last look.
func (s *stand) mails() int {
	n := s.count(`SELECT count(*) FROM job WHERE kind = 'mail'`)
	s.must(func(tx *db.Tx) error { _, err := tx.Exec(`DELETE FROM job`); return err })
	return n
}

// waits lets the job come by twice: once is once.
func (s *stand) waits() {
	for range 2 {
		s.must(func(tx *db.Tx) error { _, err := Wait(tx, 100); return err })
	}
}

// Nobody answers: the admins are reminded, then everybody, then the chamber is
// told; in the end the request expires and may be made again. Each step happens
// once, at the moment the applicant was shown from the first day. R129, R147.
func TestNobodyAnswers(t *testing.T) {
	each(t, func(s *stand) {
		pass := s.clocked()
		clara := audit.Actor{Kind: audit.Person}
		s.must(func(tx *db.Tx) (err error) {
			if clara, err = person(tx, "Clara"); err != nil {
				return err
			}
			return chamber.AddStaff(tx, audit.Console, clara.Account, "c", chamber.Clerk)
		})
		s.mails()
		id := s.asks(s.anna, s.bakery)
		s.mails()
		var steps []Step
		s.must(func(tx *db.Tx) error {
			r, err := Get(tx, s.anna, id)
			steps = r.Schedule(chamber.DefaultSettings())
			return err
		})
		overdue := func() (n int) {
			s.must(func(tx *db.Tx) error {
				all, err := Overdue(tx, clara, "c", "", 10)
				counted, oldest, err2 := CountOverdue(tx, "c")
				if counted != len(all) || len(all) > 0 && oldest.IsZero() {
					t.Errorf("counted %d of %d", counted, len(all))
				}
				n = len(all)
				if err == nil {
					err = err2
				}
				return err
			})
			return n
		}
		s.wants(fault.KindForbidden, "", func(tx *db.Tx) error { _, err := Overdue(tx, s.bert, "c", "", 10); return err })
		for i, want := range []struct {
			what  string
			mails int // Bert and Berta; the chamber by its bell
			late  int
		}{{"reminded", 2, 0}, {"deputies", 2, 0}, {"chamber", 0, 1}, {"expired", 1, 0}} {
			if steps[i].What != want.what || steps[i].Done {
				t.Fatalf("step %d: %+v", i, steps[i])
			}
			pass(steps[i].At.Sub(db.At(s.Now())) - time.Second)
			s.waits()
			if n := s.count(`SELECT count(*) FROM audit WHERE thing = $1 AND event = $2`, id, "join."+want.what); n != 0 || s.mails() != 0 {
				t.Error(want.what, "too early")
			}
			pass(time.Second)
			s.waits()
			if n := s.count(`SELECT count(*) FROM audit WHERE thing = $1 AND event = $2`, id, "join."+want.what); n != 1 {
				t.Error(want.what, n, "times")
			}
			if n := s.mails(); n != want.mails {
				t.Errorf("%s: %d mails", want.what, n)
			}
			if n := overdue(); n != want.late {
				t.Errorf("%s: the chamber reads of %d", want.what, n)
			}
		}
		if s.state(id) != Expired {
			t.Error(s.state(id))
		}
		s.wants(fault.KindConflict, "request.already_decided", func(tx *db.Tx) error { return Approve(tx, s.bert, id, nil) })
		s.asks(s.anna, s.bakery)
	})
}

// Who has taken a request on is reminded alone.
func TestReminderOfTheOneWhoHasIt(t *testing.T) {
	each(t, func(s *stand) {
		pass := s.clocked()
		id := s.asks(s.anna, s.bakery)
		pass(3*day - time.Hour)
		s.must(func(tx *db.Tx) error { return Claim(tx, s.bert, id) })
		s.mails()
		pass(time.Hour)
		s.waits()
		if n := s.mails(); n != 1 {
			t.Errorf("%d mails", n)
		}
	})
}

// Approving an open request takes it on in the same step: both are recorded
// (R131), and what another has taken on stays theirs.
func TestDecidedInOneStep(t *testing.T) {
	each(t, func(s *stand) {
		id := s.asks(s.anna, s.bakery, s.role("trainer"))
		s.must(func(tx *db.Tx) error { return Approve(tx, s.bert, id, []membership.Role{s.role("trainer")}) })
		if n := s.count(`SELECT count(*) FROM audit WHERE thing = $1 AND event IN ('join.claimed', 'join.approved')`, id); n != 2 {
			t.Errorf("%d records", n)
		}
		other := s.asks(s.carl, s.bakery)
		s.must(func(tx *db.Tx) error { return Claim(tx, s.berta, other) })
		s.wants(fault.KindConflict, "request.claimed_by_other", func(tx *db.Tx) error { return Deny(tx, s.bert, other, "nein") })
	})
}

// Hand-over: to another admin, by the one who has it; the claim is theirs then.
func TestHandOver(t *testing.T) {
	each(t, func(s *stand) {
		id := s.asks(s.anna, s.bakery)
		to := func(who audit.Actor, account string) func(*db.Tx) error {
			return func(tx *db.Tx) error { return HandOver(tx, who, id, account) }
		}
		s.wants(fault.KindConflict, "request.claim_first", to(s.bert, s.berta.Account))
		s.must(func(tx *db.Tx) error { return Claim(tx, s.bert, id) })
		s.wants(fault.KindInvalid, "request.hand_to", to(s.bert, s.carl.Account))
		s.wants(fault.KindInvalid, "request.hand_to", to(s.bert, s.bert.Account))
		s.wants(fault.KindConflict, "request.claimed_by_other", to(s.berta, s.bert.Account))
		s.must(to(s.bert, s.berta.Account))
		s.wants(fault.KindConflict, "request.claimed_by_other", func(tx *db.Tx) error { return Deny(tx, s.bert, id, "nein") })
		s.must(func(tx *db.Tx) error { return Deny(tx, s.berta, id, "nein") })

		// To somebody who steps down at the same moment: the request is never with one who cannot answer.
		for range 10 {
			id = s.asks2(s.anna, s.bakery)
			s.must(func(tx *db.Tx) error { return Claim(tx, s.bert, id) })
			berta, _ := s.in(s.berta, s.bakery)
			s.race(2, func(i int, tx *db.Tx) error {
				if i == 0 {
					return HandOver(tx, s.bert, id, s.berta.Account)
				}
				return membership.SetAdmin(tx, s.bert, berta.ID, false)
			})
			if n := s.count(`SELECT count(*) FROM request r WHERE r.state = 'claimed' AND NOT EXISTS (SELECT 1 FROM membership m WHERE m.account = r.claimed_by AND m.organization = r.organization AND m.admin)`); n != 0 {
				t.Fatal("a request lies with somebody who cannot answer it")
			}
			s.must(func(tx *db.Tx) error { return membership.Grant(tx, audit.Console, s.bakery, s.berta.Account, true) })
			s.must(func(tx *db.Tx) error { return Withdraw(tx, s.anna, id) })
		}
	})
}

// asks2 asks however often one has asked before.
func (s *stand) asks2(who audit.Actor, org string) string {
	s.must(func(tx *db.Tx) error { _, err := tx.Exec(`DELETE FROM limit_bucket`); return err })
	return s.asks(who, org)
}

// Absence: mails go to the deputy, claims are handed to them, and nobody is
// forgotten when all are away. R113, R129.
func TestAbsence(t *testing.T) {
	each(t, func(s *stand) {
		pass := s.clocked()
		id := s.asks(s.anna, s.bakery)
		s.must(func(tx *db.Tx) error { return Claim(tx, s.bert, id) })
		at := func(d time.Duration) db.Time { return db.At(s.Now().Add(d)) }
		away := func(who audit.Actor, a Absence) func(*db.Tx) error {
			return func(tx *db.Tx) error { return SetAway(tx, who, s.bakery, a) }
		}
		s.wants(fault.KindInvalid, "request.away_from", away(s.bert, Absence{}))
		s.wants(fault.KindInvalid, "request.away_past", away(s.bert, Absence{From: at(day), Until: at(day)}))
		s.wants(fault.KindInvalid, "request.away_long", away(s.bert, Absence{From: at(0), Until: at(400 * day)}))
		s.wants(fault.KindInvalid, "request.deputy_self", away(s.bert, Absence{From: at(0), Until: at(day), Deputy: s.bert.Account}))
		s.wants(fault.KindInvalid, "request.deputy_admin", away(s.bert, Absence{From: at(0), Until: at(day), Deputy: s.carl.Account}))
		s.wants(fault.KindNotFound, "", away(s.carl, Absence{From: at(0), Until: at(day)}))
		s.must(away(s.bert, Absence{From: at(time.Hour), Until: at(10 * day), Deputy: s.berta.Account}))
		passOn := func() { s.must(func(tx *db.Tx) error { _, err := PassOn(tx, 100); return err }) }
		holder := func() (who string) {
			s.must(func(tx *db.Tx) error {
				r, err := Get(tx, s.bert, id)
				who = r.ClaimedBy
				return err
			})
			return who
		}
		passOn()
		if holder() != s.bert.Account {
			t.Error("handed over before the absence begins")
		}
		pass(time.Hour)
		passOn()
		passOn()
		if holder() != s.berta.Account {
			t.Error("not handed to the deputy")
		}
		if n := s.count(`SELECT count(*) FROM audit WHERE event = 'join.handed_over'`); n != 1 {
			t.Error("handed over", n, "times")
		}
		s.must(func(tx *db.Tx) error { return Withdraw(tx, s.anna, id) })
		s.mails()
		id = s.asks2(s.anna, s.bakery)
		if n := s.mails(); n != 2 { // Anna's confirmation, and Berta
			t.Error("mails while Bert is away:", n)
		}
		s.must(func(tx *db.Tx) error { return Withdraw(tx, s.anna, id) })
		s.must(away(s.berta, Absence{From: at(0), Until: at(day)}))
		s.mails()
		id = s.asks2(s.anna, s.bakery)
		if n := s.mails(); n != 3 {
			t.Error("mails while everybody is away:", n)
		}
		s.must(func(tx *db.Tx) error { return EndAway(tx, s.bert, s.bakery) })
		s.must(func(tx *db.Tx) error {
			a, err := AwayOf(tx, s.bakery, s.bert.Account)
			if !a.Until.IsZero() {
				t.Error("still away")
			}
			return err
		})
		// A deputy who steps down stands in for nobody.
		s.must(away(s.bert, Absence{From: at(0), Until: at(day), Deputy: s.berta.Account}))
		berta, _ := s.in(s.berta, s.bakery)
		s.must(func(tx *db.Tx) error { return membership.SetAdmin(tx, s.bert, berta.ID, false) })
		if n := s.count(`SELECT count(*) FROM membership WHERE deputy <> ''`); n != 0 {
			t.Error("a deputy who is no admin")
		}
	})
}

// "Who is my admin?": the message reaches them, no name comes back, and there is
// an end to it.
func TestRelay(t *testing.T) {
	each(t, func(s *stand) {
		relay := func(message string) error {
			return s.Write(t.Context(), func(tx *db.Tx) error { return Relay(tx, s.anna, s.bakery, message) })
		}
		if err := relay(" "); !fault.Is(err, fault.KindInvalid) {
			t.Error(err)
		}
		if err := relay(strings.Repeat("x", 501)); !fault.Is(err, fault.KindInvalid) {
			t.Error(err)
		}
		for _, link := range []string{"https://boese.example", "Melden Sie sich auf boese.de an"} { // our mails carry our links only
			if f := fault.Of(relay(link)); f == nil || f.Problems[0].Key != "request.no_links" {
				t.Errorf("%q: %v", link, f)
			}
		}
		s.mails()
		if err := relay("Wer schaltet mich frei?"); err != nil {
			t.Fatal(err)
		}
		if n := s.mails(); n != 2 {
			t.Errorf("%d mails", n)
		}
		sent := 1
		for ; sent < 10 && relay("noch einmal") == nil; sent++ {
		}
		if sent != relaysOfPerson.Burst {
			t.Errorf("%d messages in a row", sent)
		}
		s.must(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE organization SET state = 'locked' WHERE id = $1`, s.bakery)
			return err
		})
		if err := relay("geschlossen?"); !fault.Is(err, fault.KindNotFound) {
			t.Error(err)
		}
	})
}
