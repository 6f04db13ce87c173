package succession

import (
	"fmt"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

const columns = `id, organization, chamber, account, state, objection, objected_by, answer, created_at, due_at, ended_at`

func (s *Succession) fields() []any {
	return []any{&s.ID, &s.Organization, &s.Chamber, &s.Account, &s.State, &s.Objection, &s.ObjectedBy, &s.Answer, &s.CreatedAt, &s.DueAt, &s.EndedAt}
}

func get(tx *db.Tx, id string) (Succession, error) {
	return db.One(tx, (*Succession).fields, `SELECT `+columns+` FROM succession WHERE id = $1`, id)
}

func pending(tx *db.Tx, organizationID string) (Succession, error) {
	return db.One(tx, (*Succession).fields, `SELECT `+columns+` FROM succession WHERE organization = $1 AND state IN ('waiting', 'objected')`, organizationID)
}

// able are the admins who could object: without those whose account is locked for
// good, or on its way out. The organization's row makes this and the answer one.
func able(tx *db.Tx, organizationID string) ([]string, error) {
	if _, err := tx.Exec(`UPDATE organization SET version = version WHERE id = $1`, organizationID); err != nil {
		return nil, err
	}
	return db.Values[string](tx, `SELECT m.account FROM membership m JOIN account a ON a.id = m.account
		WHERE m.organization = $1 AND m.admin AND m.ended_at IS NULL AND a.state <> 'deleted' AND a.delete_at IS NULL ORDER BY m.since, m.id`, organizationID)
}

// insert reports false if another succession of the organization is pending.
func insert(tx *db.Tx, s Succession) (bool, error) {
	var ended any
	if s.State == Done {
		ended = tx.Now()
	}
	n, err := tx.Exec(`INSERT INTO succession (id, organization, chamber, account, state, created_at, due_at, ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		s.ID, s.Organization, s.Chamber, s.Account, s.State, s.CreatedAt, s.DueAt, ended)
	if err != nil {
		return false, fmt.Errorf("insert succession: %w", err)
	}
	return n == 1, nil
}

// move is one step of one succession; Conflict if somebody was quicker.
func move(tx *db.Tx, set, where string, args ...any) (Succession, error) {
	s, err := db.One(tx, (*Succession).fields, `UPDATE succession SET `+set+` WHERE `+where+` RETURNING `+columns, args...)
	if fault.Is(err, fault.KindNotFound) {
		err = fault.Conflict("succession.changed_meanwhile")
	}
	return s, err
}

func queue(tx *db.Tx, chamberID, after string) ([]Case, error) {
	return db.All(tx, func(c *Case) []any { return append(c.fields(), &c.Company) },
		`SELECT s.id, s.organization, s.chamber, s.account, s.state, s.objection, s.objected_by, s.answer, s.created_at, s.due_at, s.ended_at, o.name
		FROM succession s JOIN organization o ON o.id = s.organization WHERE s.chamber = $1 AND s.state = 'objected' AND s.id > $2 ORDER BY s.id LIMIT 50`, chamberID, after)
}

func objections(tx *db.Tx, chamberID string) (int, error) {
	return db.Value[int](tx, `SELECT count(*) FROM succession WHERE chamber = $1 AND state = 'objected'`, chamberID)
}

func dueNow(tx *db.Tx) ([]string, error) {
	return db.Values[string](tx, `SELECT id FROM succession WHERE state = 'waiting' AND due_at <= $1 ORDER BY due_at, id LIMIT 100`, tx.Now())
}
