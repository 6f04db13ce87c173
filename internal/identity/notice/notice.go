// Package notice is the bell: what a person should know, kept in the portal.
//
// A notice is told in the transaction of the change it tells about. It holds a
// phrase key and texts, so it reads in the person's language, and one link to
// where something can be done (ux.md 2.7). Mails are sent beside it by the
// rule that tells.
package notice

import (
	"embed"
	"encoding/json"
	"fmt"
	"time"

	"zunft/internal/ground/db"
)

// Phrases of all notices; each key begins with "notice.".
//
//go:embed phrases/*.json
var Phrases embed.FS

// A Notice as its reader sees it.
type Notice struct {
	ID     string
	At     db.Time
	Phrase string
	Args   []any // texts for the phrase
	Href   string
	ReadAt db.Time
}

// Tell puts a notice under a person's bell. href is a path of the portal.
func Tell(tx *db.Tx, account, phrase, href string, args ...string) error {
	if args == nil {
		args = []string{}
	}
	b, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("notice %s: %w", phrase, err)
	}
	_, err = tx.Exec(`INSERT INTO notice (id, account, at, phrase, args, href) VALUES ($1, $2, $3, $4, $5, $6)`,
		db.NewID(), account, tx.Now(), phrase, string(b), href)
	return err
}

// Unread counts what the person has not seen, up to 99.
func Unread(tx *db.Tx, account string) (int, error) {
	return db.Value[int](tx, `SELECT count(*) FROM (SELECT 1 FROM notice WHERE account = $1 AND read_at IS NULL LIMIT 99) AS unread`, account)
}

// PageSize is how many notices List returns at most.
const PageSize = 50

// List reads a person's notices, newest first; before is the id of the last
// one of the page before, or empty.
func List(tx *db.Tx, account, before string) ([]Notice, error) {
	if before == "" {
		before = "~" // after every UUID
	}
	type row struct {
		Notice
		args string
	}
	rows, err := db.All(tx, func(r *row) []any { return []any{&r.ID, &r.At, &r.Phrase, &r.args, &r.Href, &r.ReadAt} },
		`SELECT id, at, phrase, args, href, read_at FROM notice WHERE account = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, account, before, PageSize)
	all := make([]Notice, len(rows))
	for i, r := range rows {
		if err := json.Unmarshal([]byte(r.args), &r.Notice.Args); err != nil {
			return nil, fmt.Errorf("notice %s: %w", r.ID, err)
		}
		all[i] = r.Notice
	}
	return all, err
}

// MarkRead marks everything the person has as seen.
func MarkRead(tx *db.Tx, account string) error {
	_, err := tx.Exec(`UPDATE notice SET read_at = $1 WHERE account = $2 AND read_at IS NULL`, tx.Now(), account)
	return err
}

// kept is how long a notice stays under the bell. Notices name others: they are
// news, not a record.
const kept = 180 * 24 * time.Hour

// Sweep forgets old notices. A periodic job calls it.
func Sweep(tx *db.Tx, most int) (int64, error) {
	return tx.Exec(`DELETE FROM notice WHERE id IN (SELECT id FROM (SELECT id, at FROM notice ORDER BY id LIMIT $1) AS oldest WHERE at <= $2)`, most, tx.Now().Add(-kept))
}

// Read marks one notice of a person as seen and says where it leads.
func Read(tx *db.Tx, account, id string) (href string, err error) {
	return db.Value[string](tx, `UPDATE notice SET read_at = COALESCE(read_at, $1) WHERE id = $2 AND account = $3 RETURNING href`, tx.Now(), id, account)
}
