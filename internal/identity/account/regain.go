package account

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/link"
)

// ReadEmail checks one typed e-mail address for the field named.
func ReadEmail(field, typed string) (string, error) {
	var p fault.Problems
	s := address(&p, field, typed)
	if s == "" {
		p.Add(field, "account.email_missing")
	}
	return s, p.Err()
}

// Addresses are all confirmed addresses of an account, the main one first: the
// channels on which its owner is told what others do to it.
func (a Account) Addresses(tx *db.Tx) ([]string, error) {
	further, err := db.Values[string](tx, `SELECT email FROM account_email WHERE account = $1 AND confirmed_at IS NOT NULL ORDER BY created_at, email_key`, a.ID)
	return append([]string{a.Email}, further...), err
}

// Regain gives an account back to its owner under a new address and password
// (PHC), after the chamber has seen who they are. What was lost opens nothing
// any more: further addresses, one-time links in old mailboxes, the old one's
// right to undo a change. A lock ends with it; an account that is leaving or
// gone stays so. The caller takes factors and sessions away in the same
// transaction.
func Regain(tx *db.Tx, by audit.Actor, id, email, phc string) (Account, error) {
	if err := Turn(tx, fold.Login(email)); err != nil {
		return Account{}, err
	}
	if owner, err := ownerOf(tx, fold.Login(email)); err == nil && owner.ID != id {
		return Account{}, fault.Invalid("email", "account.email_taken")
	} else if err != nil && !fault.Is(err, fault.KindNotFound) {
		return Account{}, err
	}
	a, err := db.One(tx, (*Account).fields, `UPDATE account SET email = $1, email_key = $2, password = $3, password_at = $4, state = 'active', lock_reason = '', locked_at = NULL,
			failures = 0, paused_until = NULL, code_failures = 0, code_paused_until = NULL, told_at = NULL, version = version + 1
		WHERE id = $5 AND delete_at IS NULL AND (state = 'active' OR state = 'locked' AND lock_reason <> 'leaving') RETURNING `+columns,
		email, fold.Login(email), phc, tx.Now(), id)
	if db.Unique(err) { // somebody else confirmed it a moment ago
		return Account{}, fault.Invalid("email", "account.email_taken")
	}
	if err != nil {
		return Account{}, link.Spent(err)
	}
	for _, sql := range []string{
		`DELETE FROM account_email WHERE account = $1`,
		`UPDATE address_change SET state = 'superseded' WHERE account = $1 AND state = 'asked'`,
		`UPDATE address_change SET undo_until = NULL WHERE account = $1 AND state = 'done' AND undo_until IS NOT NULL`,
		`UPDATE account_link SET state = 'void' WHERE account = $1 AND state = 'open'`,
	} {
		if _, err := tx.Exec(sql, id); err != nil {
			return Account{}, err
		}
	}
	if err := forgetTries(tx, a); err != nil {
		return Account{}, err
	}
	return a, audit.Record(tx, by, audit.Entry{Event: "account.regained", Account: id})
}
