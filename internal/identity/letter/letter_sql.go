package letter

import (
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

const letterColumns = `l.id, l.chamber, l.organization, o.name, o.place, l.state, COALESCE(l.batch, ''), l.tries, l.created_at, l.printed_at, l.expires_at, l.ended_at, b.dispatched_at
	FROM letter l JOIN organization o ON o.id = l.organization LEFT JOIN letter_batch b ON b.id = l.batch`

func (l *Letter) fields() []any {
	return []any{&l.ID, &l.Chamber, &l.Organization, &l.Name, &l.Place, &l.State, &l.Batch, &l.Tries, &l.CreatedAt, &l.PrintedAt, &l.ExpiresAt, &l.EndedAt, &l.DispatchedAt}
}

func get(tx *db.Tx, id string) (Letter, error) {
	return db.One(tx, (*Letter).fields, `SELECT `+letterColumns+` WHERE l.id = $1`, id)
}

func current(tx *db.Tx, organizationID string) (Letter, error) {
	return db.One(tx, (*Letter).fields, `SELECT `+letterColumns+` WHERE l.organization = $1 ORDER BY l.id DESC LIMIT 1`, organizationID)
}

func waiting(tx *db.Tx, chamberID string) ([]Letter, error) {
	return db.All(tx, (*Letter).fields, `SELECT `+letterColumns+` WHERE l.chamber = $1 AND l.state = 'queued' ORDER BY l.id`, chamberID)
}

func inBatch(tx *db.Tx, batchID string) ([]Letter, error) {
	return db.All(tx, (*Letter).fields, `SELECT `+letterColumns+` WHERE l.batch = $1 ORDER BY l.id`, batchID)
}

// insert queues a letter unless one counts already.
func insert(tx *db.Tx, l Letter) (bool, error) {
	n, err := tx.Exec(`INSERT INTO letter (id, chamber, organization, kind, state, created_at) VALUES ($1, $2, $3, 'activation', 'queued', $4)
		ON CONFLICT (organization, kind) WHERE state IN ('queued', 'printed') DO NOTHING`, l.ID, l.Chamber, l.Organization, tx.Now())
	if err != nil {
		return false, fmt.Errorf("queue letter for %s: %w", l.Organization, err)
	}
	return n == 1, nil
}

// end moves a letter to its last state; NotFound if it is not in the state it must be in.
func end(tx *db.Tx, id, from, to string) error {
	n, err := tx.Exec(`UPDATE letter SET state = $1, ended_at = $2 WHERE id = $3 AND state = $4`, to, tx.Now(), id, from)
	if err == nil && n == 0 {
		return fault.NotFound()
	}
	return err
}

func voidPrinted(tx *db.Tx, by audit.Actor, organizationID string) error {
	gone, err := db.All(tx, func(l *Letter) []any { return []any{&l.ID, &l.Chamber} },
		`UPDATE letter SET state = 'void', ended_at = $1 WHERE organization = $2 AND state = 'printed' RETURNING id, chamber`, tx.Now(), organizationID)
	if err != nil {
		return fmt.Errorf("void letters of %s: %w", organizationID, err)
	}
	for _, l := range gone {
		if err := audit.Record(tx, by, audit.Entry{Event: "letter.voided", Organization: organizationID, Chamber: l.Chamber, Thing: l.ID, Detail: map[string]any{"reason": "renewed"}}); err != nil {
			return err
		}
	}
	return nil
}

// count takes one of the tries of the letter that holds. The row stays locked
// until the end of the transaction, so of many tries each is counted.
func count(tx *db.Tx, organizationID string) (l Letter, mac string, err error) {
	err = tx.Scan(`UPDATE letter SET tries = tries + 1 WHERE organization = $1 AND state = 'printed' AND expires_at > $2 AND tries < $3
		RETURNING id, chamber, tries, code_mac`, []any{organizationID, tx.Now(), Tries}, &l.ID, &l.Chamber, &l.Tries, &mac)
	return l, mac, err
}
