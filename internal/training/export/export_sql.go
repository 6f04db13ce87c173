package export

import (
	"context"
	"fmt"

	"zunft/internal/ground/db"
)

const columns = `id, person, ordered_by, company, share, scope, first_day, last_day, signed, language, state, done, total, signed_off, initials, code, sha256, size, created_at, made_at, expires_at`

func (e *Export) fields() []any {
	return []any{
		&e.ID, &e.Person, &e.OrderedBy, &e.Company, &e.Share, &e.Scope, &e.First, &e.Last, &e.Signed, &e.Language, &e.State, &e.Done, &e.Total, &e.SignedOff,
		&e.Initials, &e.Code, &e.SHA256, &e.Size, &e.CreatedAt, &e.MadeAt, &e.ExpiresAt,
	}
}

func insert(tx *db.Tx, e Export) error {
	_, err := tx.Exec(`INSERT INTO export (id, person, ordered_by, company, share, scope, first_day, last_day, signed, language, state, initials, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'waiting', $11, $12, $13)`,
		e.ID, e.Person, e.OrderedBy, e.Company, e.Share, e.Scope, e.First, e.Last, e.Signed, e.Language, e.Initials, e.CreatedAt, e.ExpiresAt)
	return err
}

// waiting is the same order that is not made yet; none has no id.
func waiting(tx *db.Tx, e Export) (Export, error) {
	all, err := db.All(tx, (*Export).fields, `SELECT `+columns+` FROM export WHERE ordered_by = $1 AND state = 'waiting' AND person = $2 AND scope = $3 AND first_day = $4 AND last_day = $5
		AND signed = $6 AND language = $7 AND expires_at > $8 AND company = $9 AND share = $10 LIMIT 1`, e.OrderedBy, e.Person, e.Scope, e.First, e.Last, e.Signed, e.Language, tx.Now(), e.Company, e.Share)
	if err != nil || len(all) == 0 {
		return Export{}, err
	}
	return all[0], nil
}

// store keeps a file that is ready; false: the order was dropped meanwhile, or
// another worker was quicker.
func store(tx *db.Tx, e Export, file []byte) (bool, error) {
	n, err := tx.Exec(`UPDATE export SET state = 'made', done = $7, total = $7, signed_off = $1, code = $2, sha256 = $3, size = $4, made_at = $5 WHERE id = $6 AND state = 'waiting'`,
		e.SignedOff, e.Code, e.SHA256, len(file), tx.Now(), e.ID, e.Total)
	if err != nil || n == 0 {
		return false, err
	}
	for part := 0; len(file) > 0; part++ {
		piece := file[:min(len(file), partSize)]
		file = file[len(piece):]
		if _, err := tx.Exec(`INSERT INTO export_part (export, part, body) VALUES ($1, $2, $3)`, e.ID, part, piece); err != nil {
			return false, fmt.Errorf("store export: %w", err)
		}
	}
	return true, nil
}

// Sweep deletes files whose week is over, and what nobody verifies any more. A
// periodic job calls it.
func Sweep(ctx context.Context, d *db.DB) error {
	for _, step := range []struct{ what, query string }{
		{"files", `DELETE FROM export_part WHERE export IN (SELECT id FROM export WHERE expires_at < $1 AND state <> 'gone' ORDER BY expires_at LIMIT $2)`},
		{"exports", `UPDATE export SET state = 'gone' WHERE id IN (SELECT id FROM export e WHERE expires_at < $1 AND state <> 'gone' AND NOT EXISTS (SELECT 1 FROM export_part p WHERE p.export = e.id) ORDER BY expires_at LIMIT $2)`},
	} {
		if err := d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
			return tx.Exec(step.query, tx.Now(), most)
		}); err != nil {
			return fmt.Errorf("sweep %s of exports: %w", step.what, err)
		}
	}
	if err := d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
		return tx.Exec(`DELETE FROM export WHERE id IN (SELECT id FROM export WHERE state = 'gone' AND expires_at < $1 LIMIT $2)`, tx.Now().Add(-verified), most)
	}); err != nil {
		return fmt.Errorf("sweep exports: %w", err)
	}
	return nil
}
