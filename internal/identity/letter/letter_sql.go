package letter

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

const letterColumns = `l.id, l.chamber, l.kind, COALESCE(l.organization, ''), l.recovery, COALESCE(o.name, r.reference, ''), COALESCE(o.place, ''), l.state, l.asked_by,
	COALESCE(l.batch, ''), COALESCE(b.reference, ''), l.returned_why, l.tries, l.created_at, l.printed_at, l.expires_at, l.ended_at, b.dispatched_at
	FROM letter l LEFT JOIN organization o ON o.id = l.organization LEFT JOIN recovery r ON r.id = l.recovery LEFT JOIN letter_batch b ON b.id = l.batch`

func (l *Letter) fields() []any {
	return []any{
		&l.ID, &l.Chamber, &l.Kind, &l.Organization, &l.Recovery, &l.Name, &l.Place, &l.State, &l.AskedBy,
		&l.Batch, &l.Reference, &l.Why, &l.Tries, &l.CreatedAt, &l.PrintedAt, &l.ExpiresAt, &l.EndedAt, &l.DispatchedAt,
	}
}

func get(tx *db.Tx, id string) (Letter, error) {
	return db.One(tx, (*Letter).fields, `SELECT `+letterColumns+` WHERE l.id = $1`, id)
}

func last(tx *db.Tx, organizationID, kind string) (Letter, error) {
	return db.One(tx, (*Letter).fields, `SELECT `+letterColumns+` WHERE l.organization = $1 AND l.kind = $2 ORDER BY l.id DESC LIMIT 1`, organizationID, kind)
}

func of(tx *db.Tx, organizationID string) ([]Letter, error) {
	return db.All(tx, (*Letter).fields, `SELECT `+letterColumns+` WHERE l.organization = $1 ORDER BY l.id DESC LIMIT 50`, organizationID)
}

func byMark(tx *db.Tx, mac string) (Letter, error) {
	return db.One(tx, (*Letter).fields, `SELECT `+letterColumns+` WHERE l.code_mac = $1 AND l.kind = 'revocation' AND l.state = 'printed' AND l.expires_at > $2`, mac, tx.Now())
}

func waiting(tx *db.Tx, chamberID string) ([]Letter, error) {
	return db.All(tx, (*Letter).fields, `SELECT `+letterColumns+` WHERE l.chamber = $1 AND l.state = 'queued' ORDER BY l.id LIMIT $2`, chamberID, MostInBatch+1)
}

func inBatch(tx *db.Tx, batchID string) ([]Letter, error) {
	return db.All(tx, (*Letter).fields, `SELECT `+letterColumns+` WHERE l.batch = $1 ORDER BY l.id`, batchID)
}

// unanswered: no later letter went where l did not arrive.
const unanswered = `NOT EXISTS (SELECT 1 FROM letter n WHERE n.organization = l.organization AND n.kind = l.kind AND n.id > l.id)
	AND NOT EXISTS (SELECT 1 FROM letter n WHERE n.recovery = l.recovery AND n.recovery <> '' AND n.id > l.id)`

// returned are those that came back and that no later letter of the kind answers.
func returned(tx *db.Tx, chamberID, before string) ([]Letter, error) {
	if before == "" {
		before = "~" // after every id
	}
	return db.All(tx, (*Letter).fields, `SELECT `+letterColumns+` WHERE l.chamber = $1 AND l.state = 'returned' AND l.id < $2
		AND `+unanswered+` ORDER BY l.id DESC LIMIT 50`, chamberID, before)
}

// insert queues a letter unless one counts already.
func insert(tx *db.Tx, l Letter) (bool, error) {
	n, err := tx.Exec(`INSERT INTO letter (id, chamber, organization, recovery, kind, state, asked_by, created_at) VALUES ($1, $2, NULLIF(CAST($3 AS TEXT), ''), $4, $5, 'queued', $6, $7)
		ON CONFLICT DO NOTHING`, l.ID, l.Chamber, l.Organization, l.Recovery, l.Kind, l.AskedBy, tx.Now())
	if err != nil {
		return false, fmt.Errorf("queue letter for %s%s: %w", l.Organization, l.Recovery, err)
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

// voidWhere makes letters void; $1 is the moment.
func voidWhere(tx *db.Tx, by audit.Actor, why, where string, args ...any) error {
	gone, err := db.All(tx, func(l *Letter) []any { return []any{&l.ID, &l.Chamber, &l.Organization, &l.Kind} },
		`UPDATE letter SET state = 'void', ended_at = $1 WHERE `+where+` RETURNING id, chamber, COALESCE(organization, ''), kind`, append([]any{tx.Now()}, args...)...)
	if err != nil {
		return fmt.Errorf("void letters: %w", err)
	}
	for _, l := range gone {
		if err := l.record(tx, by, "letter.voided", map[string]any{"reason": why}); err != nil {
			return err
		}
	}
	return nil
}

// count takes one of the tries of the letter that holds. The row stays locked
// until the end of the transaction, so of many tries each is counted.
func count(tx *db.Tx, organizationID, kind string) ([]counted, error) {
	most := Tries
	if kind != Activation {
		most = math.MaxInt32 // see Policy
	}
	live, err := db.All(tx, func(l *counted) []any { return []any{&l.ID, &l.Chamber, &l.Tries, &l.mac} },
		`UPDATE letter SET tries = tries + 1 WHERE organization = $1 AND kind = $2 AND state = 'printed' AND expires_at > $3 AND tries < $4
		RETURNING id, chamber, tries, code_mac`, organizationID, kind, tx.Now(), most)
	slices.SortFunc(live, func(a, b counted) int { return strings.Compare(b.ID, a.ID) }) // newest first
	for i := range live {
		live[i].Organization, live[i].Kind = organizationID, kind
	}
	return live, err
}

// A counted letter is one whose code is being tried.
type counted struct {
	Letter
	mac string
}
