package request

import (
	"fmt"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/membership"
)

const requestColumns = `r.id, r.kind, r.organization, r.applicant, r.reason, r.state, r.claimed_by, r.claimed_until, r.answer, r.submitted_at, r.decided_at, r.decided_by, r.due_at, r.reminded_at, r.deputies_at, r.chamber_at`

func (r *Request) fields() []any {
	return []any{&r.ID, &r.Kind, &r.Organization, &r.Applicant, &r.Reason, &r.State, &r.ClaimedBy, &r.ClaimedUntil, &r.Answer, &r.SubmittedAt, &r.DecidedAt, &r.DecidedBy, &r.DueAt, &r.RemindedAt, &r.DeputiesAt, &r.ChamberAt}
}

// insert keeps a request; one undecided of a kind per person and organization.
func insert(tx *db.Tx, r Request) error {
	n, err := tx.Exec(`INSERT INTO request (id, kind, organization, applicant, reason, state, submitted_at, due_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (organization, applicant, kind) WHERE state IN ('open', 'claimed') DO NOTHING`,
		r.ID, r.Kind, r.Organization, r.Applicant, r.Reason, r.State, r.SubmittedAt, r.DueAt)
	if err != nil {
		return fmt.Errorf("submit request: %w", err)
	}
	if n == 0 {
		return fault.Conflict("request.already_asked")
	}
	for _, role := range r.Roles {
		if _, err := tx.Exec(`INSERT INTO request_role (request, application, role) VALUES ($1, $2, $3)`, r.ID, role.Application, role.Key); err != nil {
			return fmt.Errorf("submit request: %w", err)
		}
	}
	return nil
}

// request loads one request with the roles asked for.
func request(tx *db.Tx, id string) (Request, error) {
	r, err := db.One(tx, (*Request).fields, `SELECT `+requestColumns+` FROM request r WHERE r.id = $1`, id)
	if err != nil {
		return r, err
	}
	r.Roles, err = db.All(tx, func(r *membership.Role) []any { return []any{&r.Application, &r.Key} },
		`SELECT application, role FROM request_role WHERE request = $1 ORDER BY application, role`, id)
	return r, err
}

// Each step below is one conditional statement that says whether it happened.

func step(tx *db.Tx, query string, args ...any) (bool, error) {
	n, err := tx.Exec(query, args...)
	return n > 0, err
}

func claim(tx *db.Tx, id, admin string, until db.Time) (bool, error) {
	return step(tx, `UPDATE request SET state = 'claimed', claimed_by = $1, claimed_until = $2
		WHERE id = $3 AND (state = 'open' OR (state = 'claimed' AND claimed_until <= $4))`, admin, until, id, tx.Now())
}

func release(tx *db.Tx, id, admin string) (bool, error) {
	return step(tx, `UPDATE request SET state = 'open', claimed_by = '', claimed_until = NULL WHERE id = $1 AND state = 'claimed' AND claimed_by = $2`, id, admin)
}

func decide(tx *db.Tx, id, admin, state, answer string) (bool, error) {
	return step(tx, `UPDATE request SET state = $1, answer = $2, decided_at = $3, decided_by = $4 WHERE id = $5 AND state = 'claimed' AND claimed_by = $4`,
		state, answer, tx.Now(), admin, id)
}

func withdraw(tx *db.Tx, id, applicant string) (bool, error) {
	return step(tx, `UPDATE request SET state = 'withdrawn', decided_at = $1, decided_by = $2 WHERE id = $3 AND applicant = $2 AND state IN ('open', 'claimed')`,
		tx.Now(), applicant, id)
}

func expire(tx *db.Tx) ([]Request, error) {
	return db.All(tx, (*Request).fields, `UPDATE request AS r SET state = 'open', claimed_by = '', claimed_until = NULL
		WHERE r.state = 'claimed' AND r.claimed_until <= $1 RETURNING `+returned, tx.Now())
}

// returned is requestColumns without the alias: SQLite's RETURNING knows none.
const returned = `id, kind, organization, applicant, reason, state, claimed_by, claimed_until, answer, submitted_at, decided_at, decided_by, due_at, reminded_at, deputies_at, chamber_at`
