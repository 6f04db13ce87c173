package membership

import (
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

// R102, decision 0017: while an organization is locked, its admins do nothing
// for it and nobody holds a role in it; opened again, all is as it was.
func TestNobodyActsForALockedOrganization(t *testing.T) {
	each(t, func(s *stand) {
		var m Member
		s.must(func(tx *db.Tx) (err error) {
			if err = Grant(tx, s.bert, s.bakery, s.anna.Account, false, Role{s.app, "trainer"}); err == nil {
				m, err = In(tx, s.bakery, s.anna.Account)
			}
			return err
		})
		state := func(to string) {
			s.must(func(tx *db.Tx) error {
				_, err := tx.Exec(`UPDATE organization SET state = $2 WHERE id = $1`, s.bakery, to)
				return err
			})
		}
		state("locked")
		for name, f := range map[string]func(tx *db.Tx) error{
			"role":   func(tx *db.Tx) error { return SetRole(tx, s.bert, m.ID, s.app, "trainer", false) },
			"admin":  func(tx *db.Tx) error { return SetAdmin(tx, s.bert, m.ID, true) },
			"remove": func(tx *db.Tx) error { return Remove(tx, s.bert, m.ID) },
			"list":   func(tx *db.Tx) error { _, err := List(tx, s.bert, s.bakery, Filter{}, "", 10); return err },
		} {
			if err := s.Write(s.Context(), f); !fault.Is(err, fault.KindForbidden) || fault.Of(err).Key() != "membership.organization_locked" {
				s.Errorf("%s: %v", name, err)
			}
		}
		s.must(func(tx *db.Tx) error {
			if yes, err := IsAdmin(tx, s.bert, s.bakery); yes || err != nil {
				s.Error("administers a locked organization", err)
			}
			if roles, err := RolesFor(tx, s.anna.Account, s.app); len(roles) > 0 || err != nil {
				s.Error("holds roles in a locked organization", roles, err)
			}
			return nil
		})
		state("active")
		s.must(func(tx *db.Tx) error { return SetRole(tx, s.bert, m.ID, s.app, "trainer", false) })
	})
}
