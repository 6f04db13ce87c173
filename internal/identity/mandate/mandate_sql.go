package mandate

import (
	"fmt"

	"zunft/internal/ground/db"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
)

const columns = `id, reference, chamber, principal, representative, account, email, note, state, proposed_by, proposed_side, accepted_by, clerk, answer, ended_by,
	proposed_at, accepted_at, approved_at, starts_at, ends_at, ended_at`

func (m *Mandate) fields() []any {
	return []any{
		&m.ID, &m.Reference, &m.Chamber, &m.Principal, &m.Representative, &m.Account, &m.Email, &m.Note, &m.State, &m.ProposedBy, &m.ProposedSide, &m.AcceptedBy,
		&m.Clerk, &m.Answer, &m.EndedBy, &m.ProposedAt, &m.AcceptedAt, &m.ApprovedAt, &m.StartsAt, &m.EndsAt, &m.EndedAt,
	}
}

// insert: false if the reference is taken.
func insert(tx *db.Tx, m Mandate, token string) (bool, error) {
	hash := ""
	if token != "" {
		hash = seal.Hash(token)
	}
	n, err := tx.Exec(`INSERT INTO mandate (id, reference, principal, representative, account, email, email_key, token_hash, note, state, proposed_by, proposed_side, proposed_at, starts_at, ends_at, chamber)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT (reference) DO NOTHING`,
		m.ID, m.Reference, m.Principal, m.Representative, m.Account, m.Email, fold.Login(m.Email), hash, m.Note, m.State, m.ProposedBy, m.ProposedSide,
		m.ProposedAt, m.StartsAt, m.EndsAt, m.Chamber)
	if err != nil || n == 0 {
		return false, err
	}
	for _, r := range m.Roles {
		if _, err := tx.Exec(`INSERT INTO mandate_role (mandate, application, role) VALUES ($1, $2, $3)`, m.ID, r.Application, r.Key); err != nil {
			return false, fmt.Errorf("insert role of mandate: %w", err)
		}
	}
	return true, nil
}

func load(tx *db.Tx, id string) (Mandate, error) { return one(tx, `id = $1`, id) }

func one(tx *db.Tx, where string, args ...any) (Mandate, error) {
	m, err := db.One(tx, (*Mandate).fields, `SELECT `+columns+` FROM mandate WHERE `+where, args...)
	if err != nil {
		return m, err
	}
	all := []Mandate{m}
	err = withRoles(tx, all)
	return all[0], err
}

// move changes one mandate; NotFound: it is not in that state any more.
func move(tx *db.Tx, update string, args ...any) (Mandate, error) {
	m, err := db.One(tx, (*Mandate).fields, update+` RETURNING `+columns, args...)
	if err != nil {
		return m, err
	}
	all := []Mandate{m}
	err = withRoles(tx, all)
	return all[0], err
}

// withRoles fills in the roles of a page of mandates in one statement.
func withRoles(tx *db.Tx, all []Mandate) error {
	if len(all) == 0 {
		return nil
	}
	at, args := map[string]int{}, make([]any, len(all))
	for i, m := range all {
		at[m.ID], args[i] = i, m.ID
	}
	return tx.Each(`SELECT mandate, application, role FROM mandate_role WHERE mandate IN (`+db.In(1, len(all))+`) ORDER BY application, role`, args,
		func(scan func(...any) error) error {
			var id string
			var r membership.Role
			err := scan(&id, &r.Application, &r.Key)
			if i, ok := at[id]; ok {
				all[i].Roles = append(all[i].Roles, r)
			}
			return err
		})
}

// byIdent is the active organization with an ident number at a chamber.
func byIdent(tx *db.Tx, chamberID, ident string) (organization.Organization, error) {
	id, err := db.Value[string](tx, `SELECT id FROM organization WHERE chamber = $1 AND ident_number = $2 AND state = 'active'`, chamberID, ident)
	if err != nil {
		return organization.Organization{}, err
	}
	return organization.Get(tx, id)
}
