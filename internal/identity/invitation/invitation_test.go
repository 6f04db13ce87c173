package invitation_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/request"
)

// R020, R021, R104, R111, R113, R117, R213, R216: an admin invites by address,
// with roles and numbers; a mail brings the link; who owns the address accepts
// and is a member in the roles chosen; the inviter is told. An address with an
// account and one without look the same to the admin.
func TestInviteAndAccept(t *testing.T) {
	each(t, func(s *stand) {
		wish := invitation.Wish{Email: "Anna@Example.org", GivenName: "Anna", FamilyName: "Beispiel", ApprenticeNumber: "4711-A", Roles: []membership.Role{s.role("apprentice")}, Message: "Willkommen!"}
		known := s.invite(wish)
		wish.Email = "nobody@example.org"
		unknown := s.invite(wish)
		a, b := known, unknown
		a.ID, b.ID, a.Email, b.Email = "", "", "", ""
		if a.State != invitation.Sent || a.CreatedAt != b.CreatedAt || a.ExpiresAt != b.ExpiresAt || a.Account != b.Account || a.State != b.State {
			s.Errorf("the admin sees who has an account:\n%+v\n%+v", a, b)
		}
		if want := known.CreatedAt.Add(7 * 24 * time.Hour); !known.ExpiresAt.Equal(want.Time) {
			s.Error("valid until", known.ExpiresAt) // L01
		}
		mails := s.inbox("Anna@Example.org")
		if len(mails) != 1 || mails[0].Subject != "Bäckerei Morgenrot GmbH lädt Sie ein als Auszubildende:r" || !strings.Contains(mails[0].Body, "Willkommen!") || !strings.Contains(mails[0].Body, "Melden Sie sich dort mit Ihrem Konto an") {
			s.Fatalf("%+v", mails)
		}
		if len([]rune(mails[0].Subject)) > 60 {
			s.Error("subject", mails[0].Subject)
		}
		if other := s.inbox("nobody@example.org"); len(other) != 1 || !strings.Contains(other[0].Body, "noch keines haben") { // M02
			s.Errorf("%+v", other)
		}
		if s.told(s.anna, "notice.invited") != 1 {
			s.Error("the bell of who has an account is silent")
		}
		token := links.FindStringSubmatch(mails[0].Body)[1]
		s.must(func(tx *db.Tx) error {
			i, err := invitation.ByToken(tx, token)
			if err != nil || i.ID != known.ID {
				s.Error(i.ID, err)
			}
			return nil
		})
		s.wants(fault.KindNotFound, "", s.accept(s.lena, known.ID)) // not hers
		s.must(s.accept(s.anna, known.ID))
		m, is := s.member(s.anna, bakery)
		if !is || m.Admin || !m.Has(s.app, "apprentice") || len(m.Roles) != 1 {
			s.Errorf("%+v", m)
		}
		if n := s.count(`SELECT count(*) FROM membership WHERE id = $1 AND apprentice_number = '4711-A'`, m.ID); n != 1 {
			s.Error("the number is lost")
		}
		if n := s.count(`SELECT count(*) FROM role_grant WHERE membership = $1 AND granted_by = $2`, m.ID, s.bert.Account); n != 1 {
			s.Error("the role is not the inviter's to give")
		}
		if s.told(s.bert, "notice.invitation_accepted") != 1 {
			s.Error("the inviter is not told")
		}
		if i := s.look(known.ID); i.State != invitation.Accepted || i.Account != s.anna.Account || i.EndedAt.IsZero() {
			s.Errorf("%+v", i)
		}
		s.wants(fault.KindConflict, "invitation.already_accepted", s.accept(s.anna, known.ID))
		for _, event := range []string{"invitation.sent", "invitation.accepted", "membership.granted", "role.granted"} {
			if s.count(`SELECT count(*) FROM audit WHERE event = $1 AND organization = $2`, event, bakery) == 0 {
				s.Error("no record of", event)
			}
		}
		if n := s.count(`SELECT count(*) FROM audit WHERE detail LIKE '%example.org%'`); n != 0 {
			s.Error("addresses in the record")
		}
	})
}

// One invitation is open per organization and address: again changes it, with
// the same link; the mail comes anew after an hour. On paper, a number or a
// name counts as the address does.
func TestInviteAgain(t *testing.T) {
	each(t, func(s *stand) {
		first := s.invite(invitation.Wish{Email: "new@example.org", Roles: []membership.Role{s.role("apprentice")}})
		token := s.token("new@example.org")
		s.pass(30 * time.Minute)
		again := s.invite(invitation.Wish{Email: "NEW@example.org", GivenName: "Nina", Roles: []membership.Role{s.role("trainer")}, Days: 20})
		if again.ID != first.ID || again.GivenName != "Nina" || len(again.Roles) != 1 || again.Roles[0].Key != "trainer" || !again.ExpiresAt.After(first.ExpiresAt) {
			s.Errorf("%+v", again)
		}
		if got := s.inbox("NEW@example.org"); len(got) != 0 {
			s.Error("mailed twice within the hour")
		}
		s.pass(31 * time.Minute)
		s.invite(invitation.Wish{Email: "new@example.org"})
		if s.token("new@example.org") != token {
			s.Error("another link: the one before is dead")
		}
		for _, w := range []invitation.Wish{{GivenName: "Lena", FamilyName: "Leise", ApprenticeNumber: "77"}, {GivenName: "Ole", FamilyName: "Ohnemail"}} {
			one, two := s.invite(w), s.invite(w)
			if one.ID != two.ID || one.Email != "" || !one.SentAt.IsZero() {
				s.Errorf("%+v %+v", one, two)
			}
		}
		if n := s.count(`SELECT count(*) FROM invitation`); n != 3 {
			s.Error(n, "invitations")
		}
		// Another company's invitation to the same address is its own.
		s.must(func(tx *db.Tx) error {
			_, err := invitation.Invite(tx, s.carl, butcher, invitation.Wish{Email: "new@example.org"})
			return err
		})
		if n := s.count(`SELECT count(*) FROM invitation WHERE state = 'sent'`); n != 4 {
			s.Error(n, "invitations")
		}
	})
}

// A member who is invited gets what is missing, at once.
func TestInviteMember(t *testing.T) {
	each(t, func(s *stand) {
		i := s.invite(invitation.Wish{Email: "lena@example.org", Roles: []membership.Role{s.role("apprentice")}, TrainerNumber: "A 12"})
		if i.State != invitation.Member || i.ID != "" {
			s.Errorf("%+v", i)
		}
		if m, _ := s.member(s.lena, bakery); !m.Has(s.app, "apprentice") || m.Admin {
			s.Errorf("%+v", m)
		}
		if s.told(s.lena, "notice.role_given") != 1 {
			s.Error("the member is not told")
		}
		// A role that excludes hers stops this row of a list, whole, and no other.
		s.must(func(tx *db.Tx) error {
			all, err := invitation.InviteMany(tx, s.bert, bakery, []invitation.Wish{
				{Email: "lena@example.org", Roles: []membership.Role{s.role("training_admin"), s.role("trainer")}}, {Email: "fine@example.org"},
			})
			if err != nil || all[0].Problem == nil || all[1].Problem != nil {
				s.Errorf("%+v %v", all, err)
			}
			return err
		})
		if m, _ := s.member(s.lena, bakery); len(m.Roles) != 1 {
			s.Errorf("half of the roles: %+v", m)
		}
		s.must(func(tx *db.Tx) error { _, err := tx.Exec(`DELETE FROM invitation`); return err })
		if s.count(`SELECT count(*) FROM invitation`) != 0 || len(s.inbox("lena@example.org")) != 0 {
			s.Error("an invitation all the same")
		}
		if s.count(`SELECT count(*) FROM membership WHERE trainer_number = 'A 12'`) != 1 {
			s.Error("the number is lost")
		}
		s.invite(invitation.Wish{Email: "lena@example.org", Admin: true})
		if m, _ := s.member(s.lena, bakery); !m.Admin || !m.Has(s.app, "apprentice") {
			s.Errorf("%+v", m)
		}
		// "Suchen" (R110) tells what the company knows, and nothing about accounts.
		s.invite(invitation.Wish{Email: "open@example.org"})
		for email, want := range map[string]string{"lena@example.org": invitation.Member, "open@example.org": invitation.Sent, "anna@example.org": "", "nobody@example.org": ""} {
			s.must(func(tx *db.Tx) error {
				got, err := invitation.Find(tx, s.bert, bakery, email)
				if got != want {
					s.Errorf("%s: %q, want %q", email, got, want)
				}
				return err
			})
		}
	})
}

// What is wrong with a wish is said by field, all at once.
func TestCheck(t *testing.T) {
	each(t, func(s *stand) {
		for name, c := range map[string]struct {
			w    invitation.Wish
			want string
		}{
			"nobody":         {invitation.Wish{}, "email: invitation.whom"},
			"address":        {invitation.Wish{Email: "anna@"}, "email: account.email_form"},
			"number":         {invitation.Wish{Email: "a@b.de", ApprenticeNumber: "=cmd()"}, "apprentice_number: invitation.number_form"},
			"long number":    {invitation.Wish{Email: "a@b.de", TrainerNumber: strings.Repeat("7", 41)}, "trainer_number: invitation.number_long"},
			"bare host":      {invitation.Wish{Email: "a@b.de", Message: "Melden Sie sich auf boese.de an"}, "message: invitation.message_link"},
			"name is a host": {invitation.Wish{Email: "a@b.de", GivenName: "Boese.De"}, "given_name: account.given_name_form"},
			"link":           {invitation.Wish{Email: "a@b.de", Message: "Klick: https://böse.example"}, "message: invitation.message_link"},
			"long message":   {invitation.Wish{Email: "a@b.de", Message: strings.Repeat("ä", 301)}, "message: invitation.message_long"},
			"days":           {invitation.Wish{Email: "a@b.de", Days: 91}, "days: invitation.days"},
			"no role":        {invitation.Wish{Email: "a@b.de", Roles: []membership.Role{s.role("king")}}, "roles: invitation.role_unknown"},
			"exclusive":      {invitation.Wish{Email: "a@b.de", Roles: []membership.Role{s.role("apprentice"), s.role("trainer")}}, "roles: invitation.roles_exclusive"},
			"site":           {invitation.Wish{Email: "a@b.de", Site: "nowhere"}, "site: invitation.site"},
			"name is a link": {invitation.Wish{Email: "a@b.de", GivenName: "www.böse.example"}, "given_name: account.given_name_form"},
			"all at once":    {invitation.Wish{Email: "x", Days: -1}, "email: account.email_form; days: invitation.days"},
			"fine":           {invitation.Wish{Email: "a@b.de", Message: "Bis Montag!\nIhr Team", ApprenticeNumber: "12 345/A-7", Roles: []membership.Role{s.role("apprentice")}}, ""},
			"paper":          {invitation.Wish{FamilyName: "Ohnemail"}, ""},
		} {
			s.must(func(tx *db.Tx) error {
				err := invitation.Check(tx, bakery, c.w)
				if f := fault.Of(err); (c.want == "") != (err == nil) || f != nil && f.Error() != c.want {
					s.Errorf("%s: %v, want %s", name, err, c.want)
				}
				many, err := invitation.CheckMany(tx, bakery, []invitation.Wish{{Email: "a@b.de"}, c.w})
				if err != nil || many[0] != nil || (many[1] != nil) != (c.want != "") {
					s.Errorf("%s among others: %v %v", name, many, err)
				}
				return nil
			})
		}
		s.must(func(tx *db.Tx) error { // one bad wish stops no other
			all, err := invitation.InviteMany(tx, s.bert, bakery, []invitation.Wish{{Email: "one@example.org"}, {Email: "bad"}, {Email: "two@example.org"}})
			if err != nil || all[0].Problem != nil || all[1].Problem == nil || all[2].Invitation.ID == "" {
				s.Errorf("%+v %v", all, err)
			}
			return nil
		})
	})
}

// R020, R021: only admins of the organization invite and see; for strangers
// there is nothing, members are forbidden.
func TestOnlyAdmins(t *testing.T) {
	each(t, func(s *stand) {
		i := s.invite(invitation.Wish{Email: "new@example.org"})
		for who, kind := range map[audit.Actor]fault.Kind{s.lena: fault.KindForbidden, s.anna: fault.KindNotFound, s.carl: fault.KindNotFound, {}: fault.KindNotFound} {
			for name, f := range map[string]func(*db.Tx) error{
				"invite": func(tx *db.Tx) error {
					_, err := invitation.Invite(tx, who, bakery, invitation.Wish{Email: "x@example.org"})
					return err
				},
				"many": func(tx *db.Tx) error { _, err := invitation.InviteMany(tx, who, bakery, nil); return err },
				"look": func(tx *db.Tx) error { _, err := invitation.Look(tx, who, i.ID); return err },
				"find": func(tx *db.Tx) error { _, err := invitation.Find(tx, who, bakery, "x@example.org"); return err },
				"list": func(tx *db.Tx) error {
					_, err := invitation.List(tx, who, bakery, invitation.Filter{}, "", 0)
					return err
				},
				"counts":  func(tx *db.Tx) error { _, err := invitation.Counts(tx, who, bakery, "r"); return err },
				"remind":  func(tx *db.Tx) error { return invitation.Remind(tx, who, i.ID) },
				"all":     func(tx *db.Tx) error { _, err := invitation.RemindAll(tx, who, bakery, ""); return err },
				"revoke":  func(tx *db.Tx) error { return invitation.Revoke(tx, who, i.ID) },
				"slip":    func(tx *db.Tx) error { _, err := invitation.Slip(tx, who, i.ID); return err },
				"accept":  s.accept(who, i.ID),
				"decline": func(tx *db.Tx) error { return invitation.Decline(tx, who, i.ID) },
			} {
				want := kind
				if name == "accept" || name == "decline" {
					want = fault.KindNotFound
				}
				if err := s.Write(context.Background(), f); !fault.Is(err, want) {
					s.Errorf("%s by %v: %v, want kind %d", name, who.Account, err, want)
				}
			}
		}
		if s.look(i.ID).State != invitation.Sent {
			s.Error("changed")
		}
	})
}

// Accept, accept, decline, revoke and expire at once: one happens, and the
// membership is as the invitation says.
func TestRaces(t *testing.T) {
	each(t, func(s *stand) {
		for n := range 6 {
			i := s.invite(invitation.Wish{Email: "anna@example.org", Roles: []membership.Role{s.role("apprentice")}, Days: 1})
			var group sync.WaitGroup
			var mu sync.Mutex
			var won []string
			begin := make(chan struct{})
			for name, f := range map[string]func(*db.Tx) error{
				"accept": s.accept(s.anna, i.ID), "again": s.accept(s.anna, i.ID),
				"decline": func(tx *db.Tx) error { return invitation.Decline(tx, s.anna, i.ID) },
				"revoke":  func(tx *db.Tx) error { return invitation.Revoke(tx, s.berta, i.ID) },
				"expire": func(tx *db.Tx) error {
					n, err := invitation.Expire(tx, 10)
					if err == nil && n == 0 {
						err = errors.New("nothing to expire")
					}
					return err
				},
			} {
				group.Go(func() {
					<-begin
					err := s.Write(context.Background(), f)
					if err != nil && fault.Of(err) == nil && name != "expire" {
						s.Error(name, err)
					}
					if err == nil {
						mu.Lock()
						won = append(won, name)
						mu.Unlock()
					}
				})
			}
			if n%3 == 2 { // its time is over for some of them
				s.pass(24 * time.Hour)
			}
			close(begin)
			group.Wait()
			if len(won) != 1 {
				s.Fatalf("round %d: %v", n, won)
			}
			_, is := s.member(s.anna, bakery)
			state := s.look(i.ID).State
			if is != (state == invitation.Accepted) || is != slices.Contains([]string{"accept", "again"}, won[0]) {
				s.Errorf("%v won; member %v, state %s", won, is, state)
			}
			if is {
				s.must(func(tx *db.Tx) error { return membership.Leave(tx, s.anna, bakery) })
			}
		}
	})
}

// Two admins invite one person at once: one invitation.
func TestInviteRace(t *testing.T) {
	each(t, func(s *stand) {
		var group sync.WaitGroup
		for n := range 6 {
			who := []audit.Actor{s.bert, s.berta}[n%2]
			group.Go(func() {
				if err := s.Write(context.Background(), func(tx *db.Tx) error {
					_, err := invitation.Invite(tx, who, bakery, invitation.Wish{Email: "race@example.org", Roles: []membership.Role{s.role("apprentice")}})
					return err
				}); err != nil {
					s.Error(err)
				}
			})
		}
		group.Wait()
		if n := s.count(`SELECT count(*) FROM invitation`); n != 1 {
			s.Error(n, "invitations")
		}
		if n := s.count(`SELECT count(*) FROM invitation_role`); n != 1 {
			s.Error(n, "roles")
		}
	})
}

// R103, R105, R113, R115, R116, R117: where the chamber wants it, accepting is a request to
// join with a reason of its own, which the admin approves finally; the roles,
// the number and the site are then those of the invitation.
func TestConfirm(t *testing.T) {
	each(t, func(s *stand) {
		s.must(func(tx *db.Tx) error {
			settings, err := chamber.SettingsOf(tx, "c")
			if err != nil {
				return err
			}
			settings.Invitation = chamber.Confirm
			return chamber.SaveSettings(tx, audit.Console, "c", settings)
		})
		i := s.invite(invitation.Wish{Email: "anna@example.org", Admin: true, ApprenticeNumber: "4711", Roles: []membership.Role{s.role("apprentice")}})
		s.inbox("bert@example.org")
		s.must(s.accept(s.anna, i.ID))
		if _, is := s.member(s.anna, bakery); is {
			s.Fatal("a member before the admin confirmed")
		}
		mails := s.inbox("bert@example.org")
		if len(mails) != 1 || !strings.Contains(mails[0].Body, "Diese Beitrittsanfrage entstand durch die Bestätigung eines Einladungslinks") { // M03, R115
			s.Errorf("%+v", mails)
		}
		if s.told(s.bert, "notice.join_submitted") != 1 || s.told(s.berta, "notice.join_submitted") != 1 {
			s.Error("the bell is silent")
		}
		var id string
		s.must(func(tx *db.Tx) (err error) {
			id, err = db.Value[string](tx, `SELECT id FROM request WHERE invitation = $1`, i.ID)
			return err
		})
		s.must(func(tx *db.Tx) error {
			r, err := request.Get(tx, s.bert, id)
			if err != nil || r.Kind != request.Join || len(r.Roles) != 1 || r.Roles[0] != s.role("apprentice") {
				s.Errorf("%+v %v", r, err)
			}
			if err := request.Claim(tx, s.bert, id); err != nil {
				return err
			}
			return request.Approve(tx, s.bert, id, r.Roles)
		})
		m, is := s.member(s.anna, bakery)
		if !is || !m.Has(s.app, "apprentice") || !m.Admin {
			s.Errorf("%+v", m)
		}
		if s.count(`SELECT count(*) FROM membership WHERE apprentice_number = '4711' AND ended_at IS NULL`) != 1 {
			s.Error("the number is lost")
		}
		// Her own request does not stand in the way of an invitation.
		s.must(func(tx *db.Tx) error { return membership.Leave(tx, s.anna, bakery) })
		s.must(func(tx *db.Tx) error { _, err := request.Submit(tx, s.anna, bakery, "Ich war es.", nil); return err })
		i = s.invite(invitation.Wish{Email: "anna@example.org"})
		s.must(s.accept(s.anna, i.ID))
		if s.count(`SELECT count(*) FROM request WHERE state = 'open' AND invitation = $1`, i.ID) != 1 || s.count(`SELECT count(*) FROM request WHERE state IN ('open', 'claimed')`) != 1 {
			s.Error("not one request, of the invitation")
		}
	})
}

// Who was made admin in advance becomes one only while the inviter is one.
func TestAdminInvitation(t *testing.T) {
	each(t, func(s *stand) {
		i := s.invite(invitation.Wish{Email: "anna@example.org", Admin: true})
		s.must(func(tx *db.Tx) error {
			m, err := membership.In(tx, bakery, s.bert.Account)
			if err != nil {
				return err
			}
			return membership.SetAdmin(tx, s.berta, m.ID, false)
		})
		s.wants(fault.KindConflict, "invitation.inviter_gone", s.accept(s.anna, i.ID))
		if _, is := s.member(s.anna, bakery); is {
			s.Error("a member all the same")
		}
		s.must(func(tx *db.Tx) (err error) {
			_, err = invitation.Invite(tx, s.berta, bakery, invitation.Wish{Email: "anna@example.org", Admin: true})
			return err
		})
		s.must(s.accept(s.anna, i.ID))
		if m, _ := s.member(s.anna, bakery); !m.Admin {
			s.Error("no admin")
		}
		// A company that is locked admits nobody.
		i = s.invite2(s.berta, "nina@example.org")
		s.must(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE organization SET state = 'locked' WHERE id = 'bakery'`)
			return err
		})
		s.wants(fault.KindConflict, "invitation.closed", func(tx *db.Tx) error {
			if _, err := tx.Exec(`UPDATE account SET email = 'nina@example.org', email_key = 'nina@example.org' WHERE id = $1`, s.carl.Account); err != nil {
				return err
			}
			return s.accept(s.carl, i.ID)(tx)
		})
		s.wants(fault.KindForbidden, "membership.organization_locked", func(tx *db.Tx) error {
			_, err := invitation.Invite(tx, s.berta, bakery, invitation.Wish{Email: "x@example.org"})
			return err
		})
	})
}

func (s *stand) invite2(by audit.Actor, email string) (i invitation.Invitation) {
	s.Helper()
	s.must(func(tx *db.Tx) (err error) {
		i, err = invitation.Invite(tx, by, bakery, invitation.Wish{Email: email})
		return err
	})
	return i
}

// R300: a site counts once the chamber has released it to the organization; who
// accepts works there.
func TestSite(t *testing.T) {
	each(t, func(s *stand) {
		s.must(func(tx *db.Tx) error {
			for id, c := range map[string][2]string{"hafen": {bakery, "released"}, "markt": {bakery, "asked"}, "fremd": {butcher, "released"}} {
				if _, err := tx.Exec(`INSERT INTO site (id, chamber, organization, name, street, house_number, postcode, place, state, name_key, created_at)
					VALUES ($1, 'c', $2, $1, 'Kai', '1', '99999', 'Musterstadt', $3, $1, $4)`, id, c[0], c[1], tx.Now()); err != nil {
					return err
				}
			}
			return nil
		})
		for _, site := range []string{"markt", "fremd"} {
			s.wants(fault.KindInvalid, "invitation.site", func(tx *db.Tx) error {
				_, err := invitation.Invite(tx, s.bert, bakery, invitation.Wish{Email: "anna@example.org", Site: site})
				return err
			})
		}
		i := s.invite(invitation.Wish{Email: "anna@example.org", Site: "hafen"})
		s.must(s.accept(s.anna, i.ID))
		if s.count(`SELECT count(*) FROM membership WHERE account = $1 AND site = 'hafen'`, s.anna.Account) != 1 {
			s.Error("not at the site")
		}
	})
}
