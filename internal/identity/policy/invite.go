package policy

import (
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

// Invite words the page on which admins ask people in, where a chamber has
// words of its own (R106–R112). Texts that are left out are those of the page.
type Invite struct {
	Heading Text `json:"heading,omitzero"` // "Benutzer hinzufügen"
	Roles   Text `json:"roles,omitzero"`   // "Rolle auswählen"
	Email   Text `json:"email,omitzero"`   // "Welchen Nutzer möchten Sie hinzufügen?"
	Find    Text `json:"find,omitzero"`    // "Suchen": a button beside the address; left out, there is none
	Next    Text `json:"next,omitzero"`    // "Weiter"
	// OneRole: exactly one (R108); else several may be ticked (W22).
	OneRole bool `json:"one_role,omitempty"`
}

// OfChamber is the policy under which the people of a chamber's companies come
// in: the chamber's own, or the default.
func OfChamber(tx *db.Tx, chamber string) (Policy, error) {
	all, err := list(tx, `chamber = $1 OR is_default`, chamber)
	if err == nil && len(all) == 0 {
		err = fault.NotFound()
	}
	if err != nil {
		return Policy{}, err
	}
	for _, p := range all {
		if p.Chamber == chamber {
			return p, nil
		}
	}
	return all[0], nil
}
