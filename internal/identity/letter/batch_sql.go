package letter

import (
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
)

const batchColumns = `id, reference, chamber, printed_by, printed_at, letters, dispatched_by, dispatched_at FROM letter_batch`

func (b *Batch) fields() []any {
	return []any{&b.ID, &b.Reference, &b.Chamber, &b.PrintedBy, &b.PrintedAt, &b.Letters, &b.DispatchedBy, &b.DispatchedAt}
}

func getBatch(tx *db.Tx, id string) (Batch, error) {
	return db.One(tx, (*Batch).fields, `SELECT `+batchColumns+` WHERE id = $1`, id)
}

func batches(tx *db.Tx, chamberID, before string) ([]Batch, error) {
	if before == "" {
		before = "~" // after every id
	}
	return db.All(tx, (*Batch).fields, `SELECT `+batchColumns+` WHERE chamber = $1 AND id < $2 ORDER BY id DESC LIMIT 50`, chamberID, before)
}

func batchByReference(tx *db.Tx, chamberID, reference string) (Batch, error) {
	return db.One(tx, (*Batch).fields, `SELECT `+batchColumns+` WHERE reference = $1 AND chamber = $2`, reference, chamberID)
}

func insertBatch(tx *db.Tx, b Batch) error {
	_, err := tx.Exec(`INSERT INTO letter_batch (id, reference, chamber, printed_by, printed_at, letters) VALUES ($1, $2, $3, $4, $5, $6)`,
		b.ID, b.Reference, b.Chamber, b.PrintedBy, b.PrintedAt, b.Letters)
	if err != nil {
		return fmt.Errorf("insert batch: %w", err)
	}
	return nil
}

func book(tx *db.Tx, letterID string, b Batch, mac string, expires db.Time) (bool, error) {
	n, err := tx.Exec(`UPDATE letter SET state = 'printed', batch = $1, code_mac = $2, printed_at = $3, expires_at = $4 WHERE id = $5 AND state = 'queued'`,
		b.ID, mac, b.PrintedAt, expires, letterID)
	if err != nil {
		return false, fmt.Errorf("book letter %s: %w", letterID, err)
	}
	return n == 1, nil
}

func stamp(tx *db.Tx, by audit.Actor, batchID string) (bool, error) {
	n, err := tx.Exec(`UPDATE letter_batch SET dispatched_by = $1, dispatched_at = $2 WHERE id = $3 AND dispatched_at IS NULL`, by.Account, tx.Now(), batchID)
	return n == 1, err
}

// recipient is who hears that a letter is on its way: not the management, but
// the person who registered.
type recipient struct {
	Account, Company string
	Organization     string
	Why              string
	Expires          db.Time
}

// owners adds who registered, where the company still waits for its letter.
func owners(tx *db.Tx, all []recipient) (some []recipient, err error) {
	args := make([]any, len(all))
	of := map[string]recipient{}
	for i, r := range all {
		args[i], of[r.Organization] = r.Organization, r
	}
	some, err = db.All(tx, func(r *recipient) []any { return []any{&r.Organization, &r.Account, &r.Company} },
		`SELECT id, registered_by, name FROM organization WHERE state = 'letter' AND id IN (`+db.In(1, len(args))+`) ORDER BY id`, args...)
	for i, r := range some {
		some[i].Expires = of[r.Organization].Expires
	}
	return some, err
}

func recipients(tx *db.Tx, batchID string) ([]recipient, error) {
	return db.All(tx, func(r *recipient) []any { return []any{&r.Account, &r.Company, &r.Expires} },
		`SELECT o.registered_by, o.name, l.expires_at FROM letter l JOIN organization o ON o.id = l.organization WHERE l.batch = $1 AND l.kind = 'activation' AND l.state = 'printed' ORDER BY l.id`, batchID)
}

// sheetsFor reads what stands on the letters that wait. A letter goes to the
// address in the directory of today, whatever the company calls itself here
// (R092); only where the directory has lost the company, to the one it had.
func sheetsFor(tx *db.Tx, chamberID string) ([]sheet, error) {
	return db.All(tx, func(s *sheet) []any {
		return []any{&s.letter, &s.kind, &s.recovery, &s.organization, &s.name, &s.ident, &s.street, &s.house, &s.postcode, &s.place, &s.management, &s.registeredBy, &s.askedBy, &s.queued, &s.active, &s.since}
	}, `SELECT l.id, l.kind, l.recovery, COALESCE(o.id, ''), COALESCE(e.name, o.name, ''), COALESCE(o.ident_number, ''), COALESCE(e.street, o.street, ''), COALESCE(e.house_number, o.house_number, ''),
			COALESCE(e.postcode, o.postcode, ''), COALESCE(e.place, o.place, ''), COALESCE(e.management, o.management, ''), COALESCE(o.registered_by, ''), l.asked_by, l.created_at, o.activated_at,
			COALESCE((SELECT submitted_at FROM registration WHERE organization = o.id AND organization <> '' AND state = 'approved' ORDER BY id LIMIT 1), o.created_at, l.created_at)
		FROM letter l LEFT JOIN organization o ON o.id = l.organization LEFT JOIN directory_entry e ON e.chamber = o.chamber AND e.ident_number = o.ident_number
		WHERE l.chamber = $1 AND l.state = 'queued' ORDER BY l.id LIMIT $2`, chamberID, MostInBatch)
}

// Counts of a chamber's letters.
type Counts struct {
	Waiting  int // to be printed
	Unsent   int // batches printed and not taken to the post
	Returned int // that came back and that no new letter answers
}

// Count counts a chamber's letters for its desk.
func Count(tx *db.Tx, chamberID string) (c Counts, err error) {
	if c.Waiting, err = db.Value[int](tx, `SELECT count(*) FROM letter WHERE chamber = $1 AND state = 'queued'`, chamberID); err != nil {
		return c, err
	}
	if c.Unsent, err = db.Value[int](tx, `SELECT count(*) FROM letter_batch WHERE chamber = $1 AND dispatched_at IS NULL`, chamberID); err != nil {
		return c, err
	}
	c.Returned, err = db.Value[int](tx, `SELECT count(*) FROM letter l WHERE l.chamber = $1 AND l.state = 'returned' AND `+unanswered, chamberID)
	return c, err
}
