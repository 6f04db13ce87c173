package factor

import (
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/identity/policy"
)

// What the least factor of each role is: a clerk's, also of one who leads the
// team, an operator's, an admin's of a company; of several roles the highest
// counts, and none of a role that is over.
func TestLeastOfEachRole(t *testing.T) {
	staff := func(role string, chamber any, lead bool) func(w *world) {
		return func(w *world) {
			w.must(func(tx *db.Tx) error {
				_, err := tx.Exec(`INSERT INTO staff (account, chamber, role, lead, since) VALUES ($1, $2, $3, $4, $5)`, w.anna.ID, chamber, role, lead, tx.Now())
				return err
			})
		}
	}
	member := func(admin, ended bool) func(w *world) {
		return func(w *world) {
			w.must(func(tx *db.Tx) error {
				var end any
				if ended {
					end = tx.Now()
				}
				_, err := tx.Exec(`INSERT INTO membership (id, organization, account, admin, since, ended_at) VALUES ($1, 'bakery', $2, $3, $4, $5)`, db.NewID(), w.anna.ID, admin, tx.Now(), end)
				return err
			})
		}
	}
	for _, c := range []struct {
		name  string
		roles []func(w *world)
		want  string
	}{
		{"nobody", nil, ""},
		{"member", []func(w *world){member(false, false)}, ""},
		{"admin", []func(w *world){member(true, false)}, Mail},
		{"admin once", []func(w *world){member(true, true)}, ""},
		{"clerk", []func(w *world){staff("clerk", "c", false)}, TOTP},
		{"lead", []func(w *world){staff("clerk", "c", true)}, TOTP},
		{"operator", []func(w *world){staff("operator", nil, false)}, Passkey},
		{"admin and lead", []func(w *world){member(true, false), staff("clerk", "c", true)}, TOTP},
		{"lead and operator", []func(w *world){staff("clerk", "c", true), staff("operator", nil, false)}, Passkey},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.must(func(tx *db.Tx) error {
					if _, err := tx.Exec(`INSERT INTO chamber (id, number, name, short_name, created_at) VALUES ('c', '999', 'Kammer', 'Kammer', $1)`, tx.Now()); err != nil {
						return err
					}
					_, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
						management, company_key, name_key, state, registered_by, created_at) VALUES ('bakery', 'c', '1', 'Bäckerei', '', '', '', '', '', '', '', '', '', 'k', 'k', 'active', $1, $2)`, w.anna.ID, tx.Now())
					return err
				})
				w.rule(&w.anna, func(p *policy.Policy) {
					p.Factor.Least = map[string]string{"clerk": TOTP, "operator": Passkey, "organization_admin": Mail}
				})
				for _, role := range c.roles {
					role(w)
				}
				n := w.due(w.anna, "pwd", "s1")
				if n.Least != c.want || n.Prove != (c.want != "") || n.SetUp != (c.want != "") {
					t.Errorf("%+v, want %q", n, c.want)
				}
			})
		})
	}
}

// What the shipped policies ask of those who see everybody's data: clerks and
// operators need more than a code by mail, everywhere.
func TestLeastOfStaffInEveryPreset(t *testing.T) {
	for _, key := range policy.Presets() {
		p, err := policy.Preset(key)
		if err != nil {
			t.Fatal(err)
		}
		for _, role := range []string{"clerk", "operator"} {
			if rank[p.Factor.Least[role]] < rank[TOTP] {
				t.Errorf("%s asks %q of a %s", key, p.Factor.Least[role], role)
			}
		}
	}
}
