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

// A Carried person of another product, and the numbers that open the account.
type Carried struct {
	New
	Numbers []GivenNumber
}

// A GivenNumber is a number that a chamber gave and that opens the account (R284).
type GivenNumber struct{ Kind, Number, Chamber string } // Chamber: its id

// Carry makes accounts of people who had one at another product: they are
// active and keep their passwords (R185, R186). The caller has checked them and
// looked with [Taken] and [TakenNumbers] in the same transaction; who is quicker
// all the same wins by the index, and then nobody is carried.
func Carry(tx *db.Tx, by audit.Actor, people []Carried) error {
	if len(people) == 0 {
		return nil
	}
	var keys []string
	var rows, numbers []any
	var done []audit.Entry
	for _, p := range people {
		p.Confirmed = true
		id := db.NewID()
		keys = append(keys, fold.Login(p.Email))
		rows = append(rows, row(tx, p.New, id)...)
		done = append(done, audit.Entry{Event: "account.carried", Account: id})
		for _, n := range p.Numbers {
			numbers = append(numbers, id, n.Kind, n.Chamber, n.Number, NumberKey(n.Number), tx.Now())
			done = append(done, audit.Entry{Event: "account.number_added", Account: id, Chamber: n.Chamber, Detail: map[string]any{"kind": n.Kind}})
		}
	}
	if err := Turn(tx, keys...); err != nil {
		return err
	}
	if _, err := tx.Exec(insertText+db.Rows(len(people), rowValues), rows...); err != nil {
		return fmt.Errorf("carry accounts: %w", err)
	}
	if len(numbers) > 0 {
		if _, err := tx.Exec(`INSERT INTO account_number (account, kind, chamber, number, number_key, since) VALUES `+db.Rows(len(numbers)/6, 6), numbers...); err != nil {
			return fmt.Errorf("carry numbers: %w", err)
		}
	}
	return audit.Record(tx, by, done...)
}
