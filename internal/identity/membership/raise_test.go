package membership

import (
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/session"
)

// least saves a default policy that asks a factor of admins, or none (empty).
func (s *stand) least(kind string) {
	s.Helper()
	s.must(func(tx *db.Tx) error {
		p, err := policy.Preset(policy.Standard)
		if err != nil {
			return err
		}
		p.Default, p.Factor.Least = true, map[string]string{"operator": "totp"}
		if kind != "" {
			p.Factor.Least["organization_admin"] = kind
		}
		return policy.Save(tx, audit.Console, p)
	})
}

// signIn begins a session that has shown these methods; opens says whether it
// still opens more than the sign-in's next step.
func (s *stand) signIn(who audit.Actor, amr string) (opens func() bool) {
	s.Helper()
	var token string
	s.must(func(tx *db.Tx) (err error) {
		token, _, err = session.Start(tx, who, who.Account, amr)
		return err
	})
	return func() (whole bool) {
		s.Helper()
		s.must(func(tx *db.Tx) error {
			got, err := session.Resolve(tx, token)
			whole = !got.Pending
			return err
		})
		return whole
	}
}

// Who becomes an admin while they are signed in goes on only once they have shown
// the factor that the policy asks of admins, in each session that has not; by
// whatever way they became one.
func TestBecomingAdminRaisesSessions(t *testing.T) {
	ways := map[string]func(s *stand) func(tx *db.Tx) error{
		"made one": func(s *stand) func(tx *db.Tx) error {
			s.must(func(tx *db.Tx) error { return Grant(tx, audit.Console, s.bakery, s.anna.Account, false) })
			m, _ := s.in(s.anna, s.bakery)
			return func(tx *db.Tx) error { return SetAdmin(tx, s.bert, m.ID, true) }
		},
		"by a letter or an invitation": func(s *stand) func(tx *db.Tx) error {
			return func(tx *db.Tx) error { return Grant(tx, audit.Console, s.bakery, s.anna.Account, true) }
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			each(t, func(s *stand) {
				s.least("totp")
				become := way(s)
				password, mail, app, passkey := s.signIn(s.anna, "pwd"), s.signIn(s.anna, "pwd otp"), s.signIn(s.anna, "pwd otp mfa"), s.signIn(s.anna, "hwk user")
				others := s.signIn(s.berta, "pwd")
				s.must(become)
				if password() || mail() {
					s.Error("a session without the factor still opens what admins do")
				}
				if !app() || !passkey() {
					s.Error("a session that has shown enough is asked again")
				}
				if !others() {
					s.Error("somebody else's session is raised")
				}
			})
		})
	}
}

// Where the policy asks nothing of admins, and for whoever becomes a member only,
// nobody is interrupted; and it happens once, when somebody becomes an admin, not
// whenever they are given a role.
func TestNobodyIsRaisedWithoutReason(t *testing.T) {
	each(t, func(s *stand) {
		s.least("")
		opens := s.signIn(s.anna, "pwd")
		s.must(func(tx *db.Tx) error { return Grant(tx, audit.Console, s.bakery, s.anna.Account, true) })
		if !opens() {
			s.Error("raised, though the policy asks nothing")
		}
		s.least("totp")
		carl := s.signIn(s.carl, "pwd") // an admin elsewhere, and a member here
		s.must(func(tx *db.Tx) error {
			return Grant(tx, audit.Console, s.bakery, s.carl.Account, false, Role{s.app, "trainer"})
		})
		s.must(func(tx *db.Tx) error {
			return Grant(tx, audit.Console, s.bakery, s.anna.Account, false, Role{s.app, "trainer"})
		})
		if !carl() || !opens() {
			s.Error("raised without becoming an admin")
		}
	})
}
