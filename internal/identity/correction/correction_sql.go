package correction

import (
	"fmt"

	"zunft/internal/ground/db"
)

const columns = `id, reference, account, chamber, title, given_name, family_name, reason, state, clerk, answer, submitted_at, decided_at, due_at`

func (c *Correction) fields() []any {
	return []any{
		&c.ID, &c.Reference, &c.Account, &c.Chamber, &c.Title, &c.GivenName, &c.FamilyName, &c.Reason, &c.State, &c.Clerk, &c.Answer,
		&c.SubmittedAt, &c.DecidedAt, &c.DueAt,
	}
}

// insert: false if the person has one under way, or the reference is taken.
func insert(tx *db.Tx, c Correction) (bool, error) {
	n, err := tx.Exec(`INSERT INTO name_correction (id, reference, account, chamber, title, given_name, family_name, reason, state, submitted_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'submitted', $9) ON CONFLICT DO NOTHING`,
		c.ID, c.Reference, c.Account, c.Chamber, c.Title, c.GivenName, c.FamilyName, c.Reason, c.SubmittedAt)
	if err != nil {
		return false, fmt.Errorf("insert correction: %w", err)
	}
	return n > 0, nil
}

func load(tx *db.Tx, id string) (Correction, error) {
	return db.One(tx, (*Correction).fields, `SELECT `+columns+` FROM name_correction WHERE id = $1`, id)
}

func latest(tx *db.Tx, accountID string) (Correction, error) {
	return db.One(tx, (*Correction).fields, `SELECT `+columns+` FROM name_correction WHERE account = $1 ORDER BY id DESC LIMIT 1`, accountID)
}

func pendingOf(tx *db.Tx, accountID string) (Correction, error) {
	return db.One(tx, (*Correction).fields, `SELECT `+columns+` FROM name_correction WHERE account = $1 AND state IN ('submitted', 'approved')`, accountID)
}

func queue(tx *db.Tx, chamberID string, decided bool, offset int) ([]Correction, error) {
	where := `state = 'submitted' ORDER BY submitted_at, id`
	if decided {
		where = `state <> 'submitted' ORDER BY submitted_at DESC, id DESC`
	}
	return db.All(tx, (*Correction).fields, `SELECT `+columns+` FROM name_correction WHERE chamber = $1 AND `+where+` LIMIT $2 OFFSET $3`,
		chamberID, PageSize+1, offset)
}

// move changes one correction; NotFound: it is not in that state any more.
func move(tx *db.Tx, update string, args ...any) (Correction, error) {
	return db.One(tx, (*Correction).fields, update+` RETURNING `+columns, args...)
}
