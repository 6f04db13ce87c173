package person

import (
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/seal"
)

// Lend begins a session without a browser: it stands behind a personal token,
// has its id, and lasts as long. No cookie opens it; whoever shows the token
// acts in it, with the roles that the person has in that company at that time.
// It ends with all sessions of the person (back-channel logout without a sid).
func Lend(tx *db.Tx, by audit.Actor, s Session, id string, until db.Time) error {
	_, err := tx.Exec(`INSERT INTO session (id, token_hash, person, company, sid, id_token, created_at, seen_at, ends_at) VALUES ($1, $2, $3, $4, '', '', $5, $5, $6)`,
		id, seal.Hash(seal.Token()), s.Person.Sub, s.Company.ID, tx.Now(), until)
	if err != nil {
		return fmt.Errorf("lend session: %w", err)
	}
	return audit.Record(tx, by, audit.Entry{Event: "session.lent", Account: s.Person.Sub, Organization: s.Company.ID, Thing: id})
}
