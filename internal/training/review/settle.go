package review

import (
	"context"
	"fmt"

	"zunft/internal/ground/db"
	"zunft/internal/training/book"
	"zunft/internal/training/chain"
	"zunft/internal/training/person"
)

// Settle makes decisions final whose ten minutes are over: what was signed off
// is sealed and the apprentice told (M21, R330); what was checked goes on to
// the trainers (M20). A periodic job calls it.
func Settle(ctx context.Context, d *db.DB) error {
	return d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
		ids, err := db.Values[string](tx, `UPDATE report SET undo_until = NULL WHERE id IN
			(SELECT id FROM report WHERE undo_until IS NOT NULL AND undo_until <= $1 ORDER BY undo_until LIMIT $2`+tx.SkipLocked()+`) AND undo_until <= $1 RETURNING id`, tx.Now(), most)
		if err != nil {
			return 0, err
		}
		for _, id := range ids {
			if err := settle(tx, id); err != nil {
				return 0, fmt.Errorf("settle %s: %w", id, err)
			}
		}
		return int64(len(ids)), nil
	})
}

func settle(tx *db.Tx, id string) error {
	r, err := book.Get(tx, id)
	if err != nil {
		return err
	}
	switch r.State {
	case book.SignedOff:
		if err := chain.Add(tx, r); err != nil {
			return err
		}
		remark, err := db.Value[string](tx, `SELECT text FROM report_event WHERE report = $1 AND event = 'signed_off' ORDER BY id DESC LIMIT 1`, id)
		if err != nil {
			return err
		}
		return tellApprentice(tx, r, "signed_off", remark)
	case book.Checked:
		return tellTrainers(tx, r)
	}
	return nil
}

// tellTrainers sends M20 for the second step.
func tellTrainers(tx *db.Tx, r book.Report) error {
	writer, err := person.Get(tx, r.Apprentice)
	if err != nil {
		return err
	}
	checker, err := person.Get(tx, r.CheckedBy)
	if err != nil {
		return err
	}
	people, err := book.Reading(tx, r, book.Second)
	if err == nil {
		people, err = person.Told(tx, person.Here(tx, people))
	}
	if err != nil {
		return err
	}
	for _, p := range people {
		if p.Sub == r.Apprentice || p.Sub == r.CheckedBy || p.Email == "" {
			continue
		}
		if err := texts.Send(tx, p.Mail(), "report_checked", map[string]any{
			"Name": p.Name, "Apprentice": writer.Name, "Checker": checker.Name, "Week": r.Week.Name(), "Dates": r.Dates(), "ID": r.ID,
		}); err != nil {
			return err
		}
	}
	return nil
}

// Sweep forgets decisions after ninety days. A periodic job calls it.
func Sweep(ctx context.Context, d *db.DB) error {
	return d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
		return tx.Exec(`DELETE FROM decision WHERE id IN (SELECT id FROM decision WHERE at < $1 ORDER BY at LIMIT $2)`, tx.Now().Add(-shown), most)
	})
}
