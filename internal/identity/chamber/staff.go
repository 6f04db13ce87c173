package chamber

import (
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

// Staff: who works for a chamber (clerk), and who runs the installation
// (operator, no chamber). Every command of the desk asks MustClerk first, so a
// clerk of one chamber has no say at another.

// Roles of staff.
const (
	Clerk    = "clerk"
	Operator = "operator"
)

// IsClerk reports whether the account is a clerk of that chamber.
func IsClerk(tx *db.Tx, accountID, chamberID string) (bool, error) {
	return db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM staff WHERE account = $1 AND chamber = $2 AND role = 'clerk')`, accountID, chamberID)
}

// IsLead reports whether the account is a leading clerk of that chamber.
func IsLead(tx *db.Tx, accountID, chamberID string) (bool, error) {
	return db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM staff WHERE account = $1 AND chamber = $2 AND role = 'clerk' AND lead)`, accountID, chamberID)
}

// ClerkOf is the chamber whose clerk the account is, or empty. Of several it
// is the one since longest.
func ClerkOf(tx *db.Tx, accountID string) (string, error) {
	chamberID, err := db.Value[string](tx, `SELECT chamber FROM staff WHERE account = $1 AND role = 'clerk' ORDER BY since, chamber LIMIT 1`, accountID)
	if fault.Is(err, fault.KindNotFound) {
		return "", nil
	}
	return chamberID, err
}

// Clerks are the accounts of a chamber's clerks.
func Clerks(tx *db.Tx, chamberID string) ([]string, error) {
	return db.Values[string](tx, `SELECT account FROM staff WHERE chamber = $1 AND role = 'clerk' ORDER BY since, account`, chamberID)
}

// IsOperator reports whether the account runs this installation.
func IsOperator(tx *db.Tx, accountID string) (bool, error) {
	return db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM staff WHERE account = $1 AND role = 'operator')`, accountID)
}

// MustClerk refuses everybody but a clerk of the chamber.
func MustClerk(tx *db.Tx, by audit.Actor, chamberID string) error {
	if by.Account == "" || chamberID == "" {
		return fault.Forbidden()
	}
	yes, err := IsClerk(tx, by.Account, chamberID)
	if err != nil {
		return err
	}
	if !yes {
		return fault.Forbidden()
	}
	return nil
}

// AddStaff makes somebody clerk of a chamber, or operator (chamberID empty).
// Only the console and operators may; being it already is no mistake.
func AddStaff(tx *db.Tx, by audit.Actor, accountID, chamberID, role string) error {
	if by.Kind != audit.Command && by.Kind != audit.System {
		operator, err := IsOperator(tx, by.Account)
		if err != nil {
			return err
		}
		if !operator {
			return fault.Forbidden()
		}
	}
	var at any
	if chamberID != "" {
		at = chamberID
	}
	// The first clerk of a chamber leads: somebody has to settle team and settings.
	added, err := tx.Exec(`INSERT INTO staff (account, chamber, role, lead, since) SELECT $1, $2, $3, $3 = 'clerk' AND NOT EXISTS (SELECT 1 FROM staff WHERE chamber = $2 AND lead), $4
		ON CONFLICT DO NOTHING`, accountID, at, role, tx.Now())
	if err != nil {
		return fmt.Errorf("add %s %s: %w", role, accountID, err)
	}
	if added == 0 {
		return nil
	}
	return audit.Record(tx, by, audit.Entry{Event: "staff.added", Account: accountID, Chamber: chamberID, Detail: map[string]any{"role": role}})
}

// MustLead lets the console, jobs and the leading clerks of a chamber pass: who
// settles team, settings and text blocks.
func MustLead(tx *db.Tx, by audit.Actor, chamberID string) error {
	if by.Kind == audit.Command || by.Kind == audit.System {
		return nil
	}
	yes, err := IsLead(tx, by.Account, chamberID)
	if err == nil && !yes {
		err = fault.Forbidden()
	}
	return err
}
