package account

import (
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/fold"
)

// Taken says which of some user names and addresses belong to somebody, as
// [Available] and [Owner] would; the keys are folded.
func Taken(tx *db.Tx, usernames, addresses []string) (names, mails map[string]bool, err error) {
	names, mails = map[string]bool{}, map[string]bool{}
	for _, c := range []struct {
		keys  []string
		query string
		now   bool
		into  map[string]bool
	}{
		{usernames, `SELECT username_key FROM account WHERE state <> 'unconfirmed' AND username_key IN (`, false, names},
		{addresses, `SELECT email_key FROM account WHERE state <> 'unconfirmed' AND email_key IN (`, false, mails},
		{addresses, `SELECT email_key FROM account_email WHERE confirmed_at IS NOT NULL AND email_key IN (`, false, mails},
		{addresses, `SELECT old_key FROM address_change WHERE state = 'done' AND undo_until > $1 AND old_key IN (`, true, mails},
	} {
		for keys := c.keys; len(keys) > 0; keys = keys[min(len(keys), 200):] {
			var args []any
			if c.now {
				args = append(args, tx.Now())
			}
			n := min(len(keys), 200)
			query := c.query + db.In(len(args)+1, n) + `)`
			for _, k := range keys[:n] {
				args = append(args, k)
			}
			found, err := db.Values[string](tx, query, args...)
			if err != nil {
				return nil, nil, err
			}
			for _, k := range found {
				c.into[k] = true
			}
		}
	}
	return names, mails, nil
}

// TakenNumbers says which numbers belong to somebody: keys of numbers go in,
// "chamber kind key" comes out.
func TakenNumbers(tx *db.Tx, keys []string) (map[string]bool, error) {
	taken := map[string]bool{}
	for ; len(keys) > 0; keys = keys[min(len(keys), 200):] {
		n := min(len(keys), 200)
		args := make([]any, n)
		for i, k := range keys[:n] {
			args[i] = k
		}
		found, err := db.Values[string](tx, `SELECT chamber || ' ' || kind || ' ' || number_key FROM account_number WHERE number_key IN (`+db.In(1, n)+`)`, args...)
		if err != nil {
			return nil, err
		}
		for _, k := range found {
			taken[k] = true
		}
	}
	return taken, nil
}

// Carry makes an account that was somebody's at another product: it is active
// and keeps its password (R185, R186). The caller has checked n and looked with
// [Taken] in the same transaction; who is quicker all the same wins by the index.
func Carry(tx *db.Tx, by audit.Actor, n New) (Account, error) {
	n.Confirmed = true
	if err := Turn(tx, fold.Login(n.Email)); err != nil {
		return Account{}, err
	}
	a, err := insert(tx, n, false)
	if err != nil {
		return Account{}, fmt.Errorf("carry account: %w", err)
	}
	return a, audit.Record(tx, by, audit.Entry{Event: "account.carried", Account: a.ID})
}
