package chamber

import (
	"fmt"
	"slices"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

// An Employee is an account with a role of staff.
type Employee struct {
	Account string
	Since   db.Time
}

// Operators are who runs this installation, since longest first.
func Operators(tx *db.Tx, by audit.Actor) ([]Employee, error) {
	if err := mustOperate(tx, by); err != nil {
		return nil, err
	}
	return db.All(tx, func(e *Employee) []any { return []any{&e.Account, &e.Since} }, `SELECT account, since FROM staff WHERE role = 'operator' ORDER BY since, account`)
}

// RemoveOperator ends somebody's being an operator. One stays always.
func RemoveOperator(tx *db.Tx, by audit.Actor, accountID string) error {
	if err := mustOperate(tx, by); err != nil {
		return err
	}
	// Two who remove each other meet at these rows; who comes second is no operator any more.
	all, err := db.Values[string](tx, `UPDATE staff SET since = since WHERE role = 'operator' RETURNING account`)
	if err != nil {
		return err
	}
	if err := mustOperate(tx, by); err != nil {
		return err
	}
	if slices.Contains(all, accountID) {
		if err := operatorStays(tx, accountID); err != nil {
			return err
		}
	}
	n, err := tx.Exec(`DELETE FROM staff WHERE account = $1 AND role = 'operator'`, accountID)
	if err != nil {
		return fmt.Errorf("remove operator %s: %w", accountID, err)
	}
	if n == 0 {
		return fault.NotFound()
	}
	return audit.Record(tx, by, audit.Entry{Event: "staff.removed", Account: accountID, Detail: map[string]any{"role": Operator}})
}

// operatorStays: beside this one there must be another, who has not asked for
// their own account to be deleted. The rows of all are held.
func operatorStays(tx *db.Tx, accountID string) error {
	others, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM staff s JOIN account a ON a.id = s.account WHERE s.role = 'operator' AND s.account <> $1 AND a.delete_at IS NULL)`, accountID)
	if err == nil && !others {
		err = fault.Conflict("chamber.operator_last")
	}
	return err
}

// MayGo is the gate before somebody asks for their account to be deleted: the
// installation keeps an operator, and a chamber whoever leads its team.
func MayGo(tx *db.Tx, accountID string) error {
	operators, err := db.Values[string](tx, `UPDATE staff SET since = since WHERE role = 'operator' RETURNING account`)
	if err != nil {
		return err
	}
	if slices.Contains(operators, accountID) {
		if err := operatorStays(tx, accountID); err != nil {
			return err
		}
	}
	led, err := db.Values[string](tx, `SELECT chamber FROM staff WHERE account = $1 AND role = 'clerk' AND lead ORDER BY chamber`, accountID)
	if err != nil {
		return err
	}
	for _, id := range led {
		if _, err := tx.Exec(`UPDATE chamber SET version = version WHERE id = $1`, id); err != nil {
			return err
		}
		if err := leadStays(tx, id, accountID); err != nil {
			return err
		}
	}
	return nil
}
