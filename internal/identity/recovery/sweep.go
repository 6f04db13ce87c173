package recovery

import (
	"context"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
)

// most are looked at in one go; the rest comes with the next.
const most = 200

// Sweep lets time pass: approved requests are released when their waiting time
// is over, or cancelled if the owner has signed in meanwhile; what nobody went
// on with expires; what has long ended is forgotten.
func Sweep(ctx context.Context, d *db.DB) error {
	err := d.Write(ctx, func(tx *db.Tx) error {
		returned, err := many(tx, `account <> '' AND state IN ('approved', 'released') AND `+back+` LIMIT $1`, most)
		if err != nil {
			return err
		}
		for _, r := range returned {
			if err := r.cancel(tx, audit.Job, "signin"); err != nil {
				return err
			}
		}
		due, err := many(tx, `state = 'approved' AND due_at <= $1 ORDER BY due_at LIMIT $2`, tx.Now(), most)
		if err != nil {
			return err
		}
		for _, r := range due {
			if _, err := tx.Exec(`UPDATE recovery SET state = 'released' WHERE id = $1 AND state = 'approved'`, r.ID); err != nil {
				return err
			}
			if err := r.record(tx, audit.Job, "recovery.released", nil); err != nil {
				return err
			}
		}
		old, err := many(tx, `ended_at IS NULL AND expires_at <= $1 ORDER BY expires_at LIMIT $2`, tx.Now(), most)
		if err != nil {
			return err
		}
		for _, r := range old {
			if _, err := tx.Exec(`UPDATE recovery SET state = CASE WHEN state = 'cancelled' THEN state ELSE 'expired' END, ended_at = $1, code_mac = '', proof = '', chosen = '' WHERE id = $2 AND ended_at IS NULL`, tx.Now(), r.ID); err != nil {
				return err
			}
			if err := r.record(tx, audit.Job, "recovery.expired", nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
		return tx.Exec(`DELETE FROM recovery WHERE id IN (SELECT id FROM recovery WHERE ended_at <= $1 ORDER BY ended_at LIMIT $2)`, tx.Now().Add(-keptFor), most)
	})
}
