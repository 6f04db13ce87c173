package account

import (
	"cmp"

	"zunft/internal/ground/db"
	"zunft/internal/identity/fold"
)

const columns = `id, salutation, title, given_name, family_name, username, email, state, lock_reason, language,
	policy, chamber, name_source, created_at, confirmed_at, used_at, password_at, delete_at, password, paused_until`

func (a *Account) fields() []any {
	return []any{
		&a.ID, &a.Salutation, &a.Title, &a.GivenName, &a.FamilyName, &a.Username, &a.Email, &a.State, &a.LockReason, &a.Language,
		&a.Policy, &a.Chamber, &a.NameSource, &a.CreatedAt, &a.ConfirmedAt, &a.UsedAt, &a.PasswordAt, &a.DeleteAt, &a.password, &a.pausedUntil,
	}
}

func load(tx *db.Tx, id string) (Account, error) {
	return db.One(tx, (*Account).fields, `SELECT `+columns+` FROM account WHERE id = $1`, id)
}

func loadMany(tx *db.Tx, ids []string) ([]Account, error) {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	return db.All(tx, (*Account).fields, `SELECT `+columns+` FROM account WHERE id IN (`+db.In(1, len(ids))+`)`, args...)
}

func unconfirmedByKey(tx *db.Tx, key string) (Account, error) {
	return db.One(tx, (*Account).fields, `SELECT `+columns+` FROM account WHERE id = (SELECT id FROM (
		SELECT id, created_at FROM account WHERE email_key = $1 AND state = 'unconfirmed'
		UNION ALL SELECT id, created_at FROM account WHERE username_key = $1 AND state = 'unconfirmed') AS found ORDER BY created_at DESC LIMIT 1)
		AND state = 'unconfirmed'`, key)
}

func usernameTaken(tx *db.Tx, username string) (bool, error) {
	return db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM account WHERE username_key = $1 AND state <> 'unconfirmed')`, fold.Login(username))
}

// ownerOf is the confirmed account an address belongs to: as its main address,
// as a further one, or as the one it had until a change that can be taken back.
func ownerOf(tx *db.Tx, emailKey string) (Account, error) {
	return db.One(tx, (*Account).fields, `SELECT `+columns+` FROM account WHERE id = (SELECT id FROM (
		SELECT id FROM account WHERE email_key = $1 AND state <> 'unconfirmed'
		UNION ALL SELECT account FROM account_email WHERE email_key = $1 AND confirmed_at IS NOT NULL
		UNION ALL SELECT account FROM address_change WHERE old_key = $1 AND state = 'done' AND undo_until > $2) AS found LIMIT 1)`, emailKey, tx.Now())
}

// insert writes a new account. With upsert, an unconfirmed account of the same
// address takes the new data instead and keeps its id.
func insert(tx *db.Tx, n New, upsert bool) (Account, error) {
	again := ``
	if upsert {
		again = ` ON CONFLICT (email_key) WHERE state = 'unconfirmed' DO UPDATE SET salutation = excluded.salutation, title = excluded.title,
			given_name = excluded.given_name, family_name = excluded.family_name, name_key = excluded.name_key, username = excluded.username,
			username_key = excluded.username_key, email = excluded.email, password = excluded.password, language = excluded.language,
			policy = excluded.policy, chamber = excluded.chamber, answers = excluded.answers, name_source = excluded.name_source,
			created_at = excluded.created_at, version = account.version + 1`
	}
	return db.One(tx, (*Account).fields, insertText+insertOne+again+` RETURNING `+columns, row(tx, n, db.NewID())...)
}

const (
	insertText = `INSERT INTO account (id, salutation, title, given_name, family_name, name_key, username, username_key,
		email, email_key, password, state, language, created_at, confirmed_at, policy, chamber, answers, name_source) VALUES `
	insertOne = `($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`
	rowValues = 19
)

// row is what insertText takes of a new account.
func row(tx *db.Tx, n New, id string) []any {
	state, confirmed := Unconfirmed, db.Time{}
	if n.Confirmed {
		state, confirmed = Active, tx.Now()
	}
	return []any{
		id, n.Salutation, n.Title, n.GivenName, n.FamilyName, nameKey(n.FamilyName, n.GivenName), n.Username, cmp.Or(fold.Login(n.Username), id),
		n.Email, fold.Login(n.Email), n.Password, state, n.Language, tx.Now(), confirmed, n.Policy, n.Chamber, n.Answers, cmp.Or(n.NameSource, "self"),
	}
}

func replaceFurther(tx *db.Tx, id string, addresses []string) error {
	if _, err := tx.Exec(`DELETE FROM account_email WHERE account = $1`, id); err != nil {
		return err
	}
	for _, a := range addresses {
		if _, err := tx.Exec(`INSERT INTO account_email (account, email, email_key, created_at) VALUES ($1, $2, $3, $4)`, id, a, fold.Login(a), tx.Now()); err != nil {
			return err
		}
	}
	return nil
}

// activate ends the state unconfirmed, once. A user name that somebody else
// confirmed first is dropped; the address opens the account all the same.
func activate(tx *db.Tx, id string) (Account, error) {
	const taken = `EXISTS (SELECT 1 FROM account AS other WHERE other.username_key = account.username_key AND other.state <> 'unconfirmed')`
	return db.One(tx, (*Account).fields, `UPDATE account SET state = 'active', confirmed_at = $1, version = version + 1,
		username = CASE WHEN `+taken+` THEN '' ELSE username END,
		username_key = CASE WHEN `+taken+` THEN id ELSE username_key END
		WHERE id = $2 AND state = 'unconfirmed'
		AND NOT EXISTS (SELECT 1 FROM account AS other WHERE other.email_key = account.email_key AND other.state <> 'unconfirmed')
		AND NOT EXISTS (SELECT 1 FROM account_email AS other WHERE other.email_key = account.email_key AND other.confirmed_at IS NOT NULL)
		AND NOT EXISTS (SELECT 1 FROM address_change AS other WHERE other.old_key = account.email_key AND other.state = 'done' AND other.undo_until > $1)
		RETURNING `+columns, tx.Now(), id)
}
