package address

import (
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/fold"
)

// AddProved adds a further address whose mailbox the person has just read, by
// the link of a mail that went there (ux.md 2.9 no. 9): no code need follow.
// The caller has looked at that link.
func AddProved(tx *db.Tx, by audit.Actor, typed string) error {
	email, err := account.ReadEmail("email", typed)
	if err != nil {
		return err
	}
	a, err := begin(tx, by)
	if err != nil {
		return err
	}
	key := fold.Login(email)
	if err := free(tx, a.ID, key); err != nil {
		return err
	}
	all, err := List(tx, a.ID)
	if err != nil {
		return err
	}
	noted := false
	for _, f := range all {
		noted = noted || fold.Login(f.Email) == key
	}
	if !noted && len(all) >= account.MaxFurther {
		return fault.Conflict("address.many", account.MaxFurther)
	}
	_, err = tx.Exec(`INSERT INTO account_email (account, email, email_key, created_at, confirmed_at) VALUES ($1, $2, $3, $4, $4)
		ON CONFLICT (account, email_key) DO UPDATE SET confirmed_at = excluded.confirmed_at`, a.ID, email, key, tx.Now())
	if db.Unique(err) {
		return fault.Conflict("account.try_again")
	}
	if err != nil {
		return fmt.Errorf("add address: %w", err)
	}
	if err := void(tx, a.ID, key); err != nil {
		return err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "address.confirmed", Account: a.ID, Detail: map[string]any{"by": "invitation"}}); err != nil {
		return err
	}
	return tell(tx, a, "address_added", message{Address: email})
}
