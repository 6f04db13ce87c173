package person

import (
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
)

// Why somebody is gone.
const (
	Purged = "purged" // the account is deleted for good: its subject never comes back
	Asked  = "asked"  // the operator was asked to forget them: a sign-in begins anew
)

// Leave takes from a person what only somebody who may come in has: sessions,
// roles, numbers, the address. It says whether they were here until now; an
// unknown person is not. The name stays, see package erasure.
func Leave(tx *db.Tx, by audit.Actor, sub, why, namedUntil string) (bool, error) {
	n, err := tx.Exec(`UPDATE person SET gone = $2, gone_at = $3, named_until = $4, look_at = $3, email = '' WHERE sub = $1 AND gone = ''`, sub, why, tx.Now(), namedUntil)
	if err != nil {
		return false, fmt.Errorf("leave: %w", err)
	}
	if n == 0 && why == Purged { // forgotten before: now they cannot come back
		if _, err := tx.Exec(`UPDATE person SET gone = 'purged' WHERE sub = $1 AND gone = 'asked'`, sub); err != nil {
			return false, fmt.Errorf("leave: %w", err)
		}
	}
	return n > 0, Strip(tx, by, sub)
}

// Strip ends the sessions of a person who is gone, and their roles; again, if
// something was under way when they went.
func Strip(tx *db.Tx, by audit.Actor, sub string) error {
	// What stood behind a token would lie there until the token's end.
	if _, err := tx.Exec(`UPDATE session SET ends_at = $2 WHERE person = $1 AND ended_at IS NULL AND ends_at > $2`, sub, tx.Now()); err != nil {
		return fmt.Errorf("leave: %w", err)
	}
	if _, err := EndBySub(tx, by, sub); err != nil {
		return err
	}
	for _, statement := range []string{
		`DELETE FROM company_role WHERE person = $1`,
		`DELETE FROM company_number WHERE person = $1`,
	} {
		if _, err := tx.Exec(statement, sub); err != nil {
			return fmt.Errorf("leave: %w", err)
		}
	}
	return nil
}

// Nameless is what people read in place of a name that is erased: nomen
// nominandum, in any language.
const Nameless = "N. N."

// Unname takes the name of a person who is gone; nothing of them is left to erase.
func Unname(tx *db.Tx, sub string) error {
	_, err := tx.Exec(`UPDATE person SET name = $2, given_name = '', family_name = $2, name_key = $3, email = '', look_at = NULL WHERE sub = $1 AND gone <> ''`, sub, Nameless, NameKey(Nameless))
	return err
}
