package chamber

import (
	"fmt"

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
	if len(all) == 1 && all[0] == accountID {
		return fault.Conflict("chamber.operator_last")
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
