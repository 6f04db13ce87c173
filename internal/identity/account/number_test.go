package account

import (
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/policy"
)

// R284: whoever takes somebody's number as their user name does not stand in
// its owner's way, neither at the door nor when a new password is asked for.
func TestR284ANumberIsItsOwners(t *testing.T) {
	inHall(t, func(h *hall) {
		h.policy("default", func(*policy.Policy) {})
		lena := h.person(New{Username: "lena"})
		h.write(func(tx *db.Tx) error {
			c, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: "133", Name: "Kammer Musterland"})
			if err != nil {
				return err
			}
			return AddNumber(tx, audit.Console, lena.ID, "apprentice", c.ID, "123-4567")
		})
		h.person(New{Username: "1234567"})
		h.person(New{Username: "133-1234567"})
		other := h.person(New{Username: "7654321"})
		for typed, want := range map[string]string{"1234567": lena.ID, "123-4567": lena.ID, "133-1234567": lena.ID, "133/123 4567": lena.ID, "lena": lena.ID, "7654321": other.ID} {
			h.write(func(tx *db.Tx) error {
				a, err := ByLogin(tx, typed)
				if a.ID != want {
					t.Errorf("%s opens the account of %q", typed, a.Username)
				}
				return err
			})
		}
	})
}
