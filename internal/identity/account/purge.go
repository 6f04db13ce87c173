package account

import (
	"context"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
)

const (
	purgeAfter = 7 * 24 * time.Hour  // R257
	linksKept  = 90 * 24 * time.Hour // so that an old link still says why it does not open
)

// purgeBatch is how many accounts one transaction deletes: each looks into every
// table that refers to accounts, and nobody should wait for five hundred.
const purgeBatch = 100

// Purge deletes unconfirmed accounts after seven days (R257), drafts nobody
// went on with, and links and codes nobody will ask about. It works in small
// transactions, so that nobody waits for it.
func Purge(ctx context.Context, d *db.DB) error {
	for n := int64(purgeBatch); n == purgeBatch; {
		if err := d.Write(ctx, func(tx *db.Tx) (err error) { n, err = purgeUnconfirmed(tx, purgeBatch); return err }); err != nil {
			return err
		}
	}
	for _, step := range []func(*db.Tx, int) (int64, error){purgeDrafts, purgeLinks, purgeCodes} {
		if err := d.Batches(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

func purgeUnconfirmed(tx *db.Tx, most int) (int64, error) {
	n, err := tx.Exec(`DELETE FROM account WHERE state = 'unconfirmed' AND id IN (SELECT id FROM account
		WHERE state = 'unconfirmed' AND created_at <= $1 ORDER BY created_at LIMIT $2)`, tx.Now().Add(-purgeAfter), most)
	if err != nil || n == 0 {
		return n, err
	}
	return n, audit.Record(tx, audit.Job, audit.Entry{Event: "account.purged", Detail: map[string]any{"unconfirmed": n}})
}

func purgeDrafts(tx *db.Tx, most int) (int64, error) {
	return tx.Exec(`DELETE FROM signup_draft WHERE id IN (SELECT id FROM signup_draft WHERE expires_at <= $1 LIMIT $2)`, tx.Now(), most)
}

func purgeLinks(tx *db.Tx, most int) (int64, error) {
	return tx.Exec(`DELETE FROM account_link WHERE id IN (SELECT id FROM account_link WHERE created_at <= $1 ORDER BY created_at LIMIT $2)`,
		tx.Now().Add(-linksKept), most)
}

// Due is what [Purge] would delete now.
type Due struct {
	Unconfirmed, Drafts, Links int
	First                      []Account // the oldest of the unconfirmed, at most ten
}

// PurgeDue looks what Purge would delete, and deletes nothing.
func PurgeDue(tx *db.Tx) (d Due, err error) {
	until := tx.Now().Add(-purgeAfter)
	if err = tx.Scan(`SELECT (SELECT count(*) FROM account WHERE state = 'unconfirmed' AND created_at <= $1), (SELECT count(*) FROM signup_draft WHERE expires_at <= $2),
		(SELECT count(*) FROM account_link WHERE created_at <= $3)`, []any{until, tx.Now(), tx.Now().Add(-linksKept)}, &d.Unconfirmed, &d.Drafts, &d.Links); err != nil {
		return d, err
	}
	d.First, err = db.All(tx, (*Account).fields, `SELECT `+columns+` FROM account WHERE state = 'unconfirmed' AND created_at <= $1 ORDER BY created_at LIMIT 10`, until)
	return d, err
}
