package invitation_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/invitation"
)

// Reminders carry the same link, at most one a day and five in all; we remind
// by ourselves three days before the end; then it expires (L01), and half a
// year later it is forgotten.
func TestRemindAndExpire(t *testing.T) {
	each(t, func(s *stand) {
		i := s.invite(invitation.Wish{Email: "new@example.org", Days: 60})
		token := s.token("new@example.org")
		remind := func(tx *db.Tx) error { return invitation.Remind(tx, s.bert, i.ID) }
		s.wants(fault.KindConflict, "invitation.reminded_today", remind)
		for range 4 {
			s.pass(25 * time.Hour)
			s.must(remind)
			if s.token("new@example.org") != token {
				s.Error("another link")
			}
		}
		s.pass(25 * time.Hour)
		s.must(remind)
		s.inbox("new@example.org")
		s.pass(25 * time.Hour)
		s.wants(fault.KindConflict, "invitation.reminded_enough", remind)

		paper := s.invite(invitation.Wish{FamilyName: "Ohnemail", Days: 60})
		s.wants(fault.KindConflict, "invitation.remind_paper", func(tx *db.Tx) error { return invitation.Remind(tx, s.bert, paper.ID) })

		late := s.invite(invitation.Wish{Email: "late@example.org", Roster: "r"}) // 21 days, as lists have
		s.inbox("late@example.org")
		if err := s.jobs.Begin(context.Background()); err != nil {
			s.Fatal(err)
		}
		s.pass(17 * 24 * time.Hour)
		if got := s.inbox("late@example.org"); len(got) != 0 {
			s.Error("reminded too early")
		}
		s.pass(25 * time.Hour)
		if got := s.inbox("late@example.org"); len(got) != 1 || got[0].Subject != "Erinnerung: Bäckerei Morgenrot GmbH hat Sie eingeladen" {
			s.Errorf("%+v", got)
		}
		if got := s.look(late.ID); got.Reminders != 1 {
			s.Error(got.Reminders, "reminders")
		}
		s.pass(2 * time.Hour)
		if len(s.inbox("late@example.org")) != 0 {
			s.Error("reminded twice")
		}
		s.pass(3 * 24 * time.Hour)
		s.inbox("late@example.org")
		if got := s.look(late.ID); got.State != invitation.Expired || got.EndedAt.IsZero() {
			s.Errorf("%+v", got)
		}
		s.wants(fault.KindConflict, "invitation.already_expired", func(tx *db.Tx) error { return invitation.Remind(tx, s.bert, late.ID) })
		s.pass(181 * 24 * time.Hour)
		s.inbox("x")
		if n := s.count(`SELECT count(*) FROM invitation WHERE id = $1`, late.ID); n != 0 {
			s.Error("kept for ever")
		}
	})
}

// Two admins remind at once: one mail.
func TestRemindRace(t *testing.T) {
	each(t, func(s *stand) {
		i := s.invite(invitation.Wish{Email: "new@example.org"})
		s.inbox("new@example.org")
		s.pass(25 * time.Hour)
		var group sync.WaitGroup
		for n := range 4 {
			who := []audit.Actor{s.bert, s.berta}[n%2]
			group.Go(func() {
				err := s.Write(context.Background(), func(tx *db.Tx) error { return invitation.Remind(tx, who, i.ID) })
				if err != nil && (fault.Of(err) == nil || fault.Of(err).Key() != "invitation.reminded_today") {
					s.Error(err)
				}
			})
		}
		group.Wait()
		if got := s.inbox("new@example.org"); len(got) != 1 {
			s.Error(len(got), "mails")
		}
	})
}

// "Alle offenen erinnern": of one list or of all, whoever was not mailed today.
func TestRemindAll(t *testing.T) {
	each(t, func(s *stand) {
		for n := range 130 {
			s.invite(invitation.Wish{Email: fmt.Sprintf("list-%d@example.org", n), Roster: "r1"})
		}
		s.invite(invitation.Wish{Email: "other@example.org"})
		s.invite(invitation.Wish{FamilyName: "Ohnemail", Roster: "r1"})
		s.inbox("x")
		s.mails = nil
		all := func(roster string) (n int) {
			s.must(func(tx *db.Tx) (err error) { n, err = invitation.RemindAll(tx, s.bert, bakery, roster); return err })
			return n
		}
		if n := all(""); n != 0 {
			s.Error(n, "reminded on the day of the mail")
		}
		s.pass(25 * time.Hour)
		if n := all("r1"); n != 130 {
			s.Error(n, "of the list")
		}
		all("r1") // pressed twice
		s.inbox("x")
		if len(s.mails) != 130 {
			s.Error(len(s.mails), "mails")
		}
		if n := all(""); n != 1 {
			s.Error(n, "left")
		}
		if counts := s.counts("r1"); counts[invitation.Sent] != 131 {
			s.Error(counts)
		}
	})
}

func (s *stand) counts(roster string) (counts map[string]int) {
	s.must(func(tx *db.Tx) (err error) { counts, err = invitation.Counts(tx, s.bert, bakery, roster); return err })
	return counts
}

// Declining needs no account, and tells the inviter; revoking ends it for the
// person; a mail server's refusal is shown and mended by inviting anew.
func TestOtherEnds(t *testing.T) {
	each(t, func(s *stand) {
		i := s.invite(invitation.Wish{Email: "new@example.org", GivenName: "Nina"})
		token := s.token("new@example.org")
		s.must(func(tx *db.Tx) error { return invitation.DeclineByToken(tx, audit.Actor{}, token) })
		if got := s.look(i.ID); got.State != invitation.Declined || got.Account != "" {
			s.Errorf("%+v", got)
		}
		if s.told(s.bert, "notice.invitation_declined") != 1 {
			s.Error("the inviter is not told")
		}
		s.wants(fault.KindConflict, "invitation.already_declined", func(tx *db.Tx) error { return invitation.DeclineByToken(tx, audit.Actor{}, token) })

		i = s.invite(invitation.Wish{Email: "anna@example.org"})
		s.must(func(tx *db.Tx) error {
			open, err := invitation.Waiting(tx, s.anna.Account)
			if len(open) != 1 || open[0].ID != i.ID {
				s.Errorf("%+v", open)
			}
			return err
		})
		s.must(func(tx *db.Tx) error { return invitation.Revoke(tx, s.berta, i.ID) })
		s.wants(fault.KindConflict, "invitation.already_revoked", s.accept(s.anna, i.ID))
		s.must(func(tx *db.Tx) error {
			open, err := invitation.Waiting(tx, s.anna.Account)
			if len(open) != 0 {
				s.Errorf("%+v", open)
			}
			return err
		})

		i = s.invite(invitation.Wish{Email: "nowhere@example.org"})
		refused := invitation.Refused(s.DB)
		for range 2 {
			if err := refused(context.Background(), "invitation/"+i.ID, "550 5.1.1 user unknown"); err != nil {
				s.Fatal(err)
			}
		}
		if err := refused(context.Background(), "dossier/"+i.ID, "550"); err != nil {
			s.Fatal(err)
		}
		if got := s.look(i.ID); got.State != invitation.Bounced || got.Failure != "550 5.1.1 user unknown" {
			s.Errorf("%+v", got)
		}
		if s.told(s.bert, "notice.invitation_undeliverable") != 1 {
			s.Error("the inviter is not told, or twice")
		}
		s.pass(2 * time.Hour)
		if again := s.invite(invitation.Wish{Email: "nowhere@example.org"}); again.ID != i.ID || again.State != invitation.Sent || again.Failure != "" {
			s.Errorf("%+v", again)
		}
		s.must(func(tx *db.Tx) error { return invitation.RevokeAll(tx, audit.Console, bakery) })
		if n := s.count(`SELECT count(*) FROM invitation WHERE state IN ('sent', 'undeliverable')`); n != 0 {
			s.Error(n, "open after the company closed")
		}
	})
}

// A slip's code opens its invitation to whoever has an account, however it is
// typed; a new one makes it void; guessing has an end.
func TestSlip(t *testing.T) {
	each(t, func(s *stand) {
		i := s.invite(invitation.Wish{GivenName: "Anna", FamilyName: "Beispiel"})
		slip := func() (code string) {
			s.must(func(tx *db.Tx) (err error) { code, err = invitation.Slip(tx, s.bert, i.ID); return err })
			return code
		}
		old, code := slip(), slip()
		if n := s.count(`SELECT count(*) FROM invitation WHERE code_mac LIKE '%' || $1 || '%' OR token_hash LIKE '%' || $1 || '%'`, code); n != 0 {
			s.Error("the code lies in the database")
		}
		anna := s.anna
		anna.IP = "192.0.2.7"
		take := func(code string) func(*db.Tx) error {
			return func(tx *db.Tx) error { _, err := invitation.AcceptSlip(tx, anna, code); return err }
		}
		s.wants(fault.KindInvalid, "invitation.code_unknown", take(old))
		s.wants(fault.KindInvalid, "invitation.code_missing", take(" "))
		s.wants(fault.KindInvalid, "invitation.code_length", take(code[:11]))
		s.wants(fault.KindNotFound, "", func(tx *db.Tx) error { _, err := invitation.AcceptSlip(tx, audit.Actor{}, code); return err })
		s.wants(fault.KindNotFound, "", s.accept(anna, i.ID)) // by its id alone it is nobody's
		s.must(take(fmt.Sprintf("%s-%s %s", code[:4], code[4:8], string(append([]byte{code[8] | 0x20}, code[9:]...)))))
		if _, is := s.member(s.anna, bakery); !is {
			s.Error("no member")
		}
		s.wants(fault.KindInvalid, "invitation.code_unknown", take(code))
		s.wants(fault.KindConflict, "invitation.already_accepted", func(tx *db.Tx) error { _, err := invitation.Slip(tx, s.bert, i.ID); return err })
		limited := false
		for range 25 {
			limited = limited || fault.Is(s.Write(context.Background(), take("AAAAAAAAAAAA")), fault.KindLimited)
		}
		if !limited {
			s.Error("guessing has no end")
		}
	})
}

// An admin pages through many, newest first; the page is bounded.
func TestList(t *testing.T) {
	each(t, func(s *stand) {
		for n := range 120 {
			s.invite(invitation.Wish{Email: fmt.Sprintf("list-%d@example.org", n)})
		}
		s.must(func(tx *db.Tx) error {
			seen, after := map[string]bool{}, ""
			for range 3 {
				page, err := invitation.List(tx, s.bert, bakery, invitation.Filter{State: invitation.Sent}, after, 1000)
				if err != nil || len(page) == 0 || len(page) > invitation.PageMax {
					return fmt.Errorf("%d on the page: %w", len(page), err)
				}
				for _, i := range page {
					if seen[i.ID] || after != "" && i.ID >= after {
						s.Error("out of order", i.ID)
					}
					seen[i.ID], after = true, i.ID
				}
			}
			if len(seen) != 120 {
				s.Error(len(seen), "seen")
			}
			none, err := invitation.List(tx, s.bert, bakery, invitation.Filter{State: invitation.Declined}, "", 0)
			if len(none) != 0 {
				s.Error(none)
			}
			return err
		})
		// Found by name, address or number, however they are spelled; and what ends soon.
		s.invite(invitation.Wish{Email: "oezguer@example.org", GivenName: "Özgür", FamilyName: "Groß", ApprenticeNumber: "AZ-4711", Days: 2})
		for f, want := range map[invitation.Filter]int{
			{Search: "özgür GROSS"}: 1, {Search: "az 4711"}: 1, {Search: "oezguer@example.org"}: 1, {Search: "zeppelin%"}: 0, {Search: "LIST-77@example"}: 1,
			{Search: "gross", State: invitation.Accepted}: 0, {Ending: true}: 1, {Ending: true, Search: "list"}: 0,
		} {
			s.must(func(tx *db.Tx) error {
				found, err := invitation.List(tx, s.bert, bakery, f, "", 0)
				if len(found) != want {
					s.Errorf("%+v: %d found, want %d", f, len(found), want)
				}
				return err
			})
		}
		s.must(func(tx *db.Tx) error {
			n, err := invitation.Ending(tx, s.bert, []string{bakery})
			if n[bakery] != 1 {
				s.Error("ending soon:", n)
			}
			if n, err := invitation.Ending(tx, s.anna, []string{bakery}); err != nil || len(n) != 0 {
				s.Error("told to somebody else:", n, err)
			}
			return err
		})
	})
}

// No company is a machine for mails to one address.
func TestRation(t *testing.T) {
	each(t, func(s *stand) {
		limited := false
		for range 12 {
			err := s.Write(context.Background(), func(tx *db.Tx) error {
				i, err := invitation.Invite(tx, s.bert, bakery, invitation.Wish{Email: "victim@example.org"})
				if err != nil {
					return err
				}
				return invitation.Revoke(tx, s.bert, i.ID)
			})
			limited = limited || fault.Is(err, fault.KindLimited)
		}
		if !limited || len(s.inbox("victim@example.org")) > 10 {
			s.Error("no end of mails")
		}
	})
}
