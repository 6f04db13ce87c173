package organization

import (
	"fmt"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/company"
)

const columns = `id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
	management, own_name, own_street, own_house_number, own_postcode, own_place, phone, email, website, own_at,
	state, locked_reason, locked_at, closes_at, registered_by, created_at, activated_at, version`

func companyFields(c *company.Company) []any {
	return []any{&c.IdentNumber, &c.Name, &c.LegalForm, &c.Street, &c.HouseNumber, &c.Postcode, &c.Place, &c.RegisterKind, &c.RegisterNumber, &c.RegisterCourt}
}

func (o *Organization) fields() []any {
	all := append([]any{&o.ID, &o.Chamber}, companyFields(&o.Company)...)
	all = append(all, &o.Management, &o.Own.Name, &o.Own.Street, &o.Own.HouseNumber, &o.Own.Postcode, &o.Own.Place, &o.Own.Phone, &o.Own.Email, &o.Own.Website, &o.OwnAt)
	return append(all, &o.State, &o.LockedReason, &o.LockedAt, &o.ClosesAt, &o.RegisteredBy, &o.CreatedAt, &o.ActivatedAt, &o.Version)
}

func load(tx *db.Tx, id string) (Organization, error) {
	return db.One(tx, (*Organization).fields, `SELECT `+columns+` FROM organization WHERE id = $1`, id)
}

func loadMany(tx *db.Tx, ids []string) (map[string]Organization, error) {
	found := map[string]Organization{}
	for len(ids) > 0 {
		some := ids[:min(len(ids), 500)]
		ids = ids[len(some):]
		args := make([]any, len(some))
		for i, id := range some {
			args[i] = id
		}
		all, err := db.All(tx, (*Organization).fields, `SELECT `+columns+` FROM organization WHERE id IN (`+db.In(1, len(args))+`)`, args...)
		if err != nil {
			return nil, err
		}
		for _, o := range all {
			found[o.ID] = o
		}
	}
	return found, nil
}

func registeredBy(tx *db.Tx, accountID string) ([]Organization, error) {
	return db.All(tx, (*Organization).fields, `SELECT `+columns+` FROM organization WHERE registered_by = $1 AND state <> 'closed' ORDER BY name_key, id`, accountID)
}

func activeByKey(tx *db.Tx, key string) ([]Organization, error) {
	return db.All(tx, (*Organization).fields, `SELECT `+columns+` FROM organization WHERE company_key = $1 AND state = 'active' ORDER BY id LIMIT 20`, key)
}

func byIdent(tx *db.Tx, chamberID, ident string) (Organization, error) {
	return db.One(tx, (*Organization).fields, `SELECT `+columns+` FROM organization WHERE chamber = $1 AND ident_number = $2 AND state <> 'closed'`, chamberID, ident)
}

// insertOrganization reports false if the company has an account already.
func insertOrganization(tx *db.Tx, o Organization) (bool, error) {
	n, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
			management, company_key, name_key, state, registered_by, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) ON CONFLICT (chamber, ident_number) WHERE state <> 'closed' DO NOTHING`,
		o.ID, o.Chamber, o.IdentNumber, o.Name, o.LegalForm, o.Street, o.HouseNumber, o.Postcode, o.Place, o.RegisterKind, o.RegisterNumber, o.RegisterCourt,
		o.Management, o.Key(), nameKey(o.Name), o.State, o.RegisteredBy, o.CreatedAt)
	if err != nil {
		return false, fmt.Errorf("insert organization %s: %w", o.Name, err)
	}
	return n == 1, nil
}

// activate moves an organization on if it still waits for its letter.
func activate(tx *db.Tx, o *Organization) error {
	n, err := tx.Exec(`UPDATE organization SET state = 'active', activated_at = $1, version = version + 1 WHERE id = $2 AND state = 'letter'`, tx.Now(), o.ID)
	if err != nil {
		return fmt.Errorf("activate %s: %w", o.ID, err)
	}
	if n == 0 {
		return fault.Conflict("organization.active_already", o.Name)
	}
	o.State, o.ActivatedAt, o.Version = Active, tx.Now(), o.Version+1
	return nil
}
