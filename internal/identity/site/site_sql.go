package site

import (
	"fmt"

	"zunft/internal/ground/db"
)

const columns = `s.id, s.organization, s.ident_number, s.name, s.street, s.house_number, s.postcode, s.place, s.state, s.answer, s.clerk, s.created_at, s.decided_at, s.version`

func (s *Site) fields() []any {
	return []any{&s.ID, &s.Organization, &s.IdentNumber, &s.Name, &s.Street, &s.HouseNumber, &s.Postcode, &s.Place, &s.State, &s.Answer, &s.Clerk, &s.CreatedAt, &s.DecidedAt, &s.Version}
}

func get(tx *db.Tx, id string) (Site, error) {
	return db.One(tx, (*Site).fields, `SELECT `+columns+` FROM site s WHERE s.id = $1`, id)
}

// insert reports false if too many wait already. The organization's row makes
// those who ask take turns.
func insert(tx *db.Tx, s Site, chamberID string) (bool, error) {
	if err := turn(tx, s.Organization); err != nil {
		return false, err
	}
	n, err := db.Value[int](tx, `SELECT count(*) FROM site WHERE organization = $1 AND state = 'asked'`, s.Organization)
	if err != nil || n >= MostOpen {
		return false, err
	}
	_, err = tx.Exec(`INSERT INTO site (id, organization, chamber, ident_number, name, street, house_number, postcode, place, state, name_key, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		s.ID, s.Organization, chamberID, s.IdentNumber, s.Name, s.Street, s.HouseNumber, s.Postcode, s.Place, s.State, nameKey(s.Name), s.CreatedAt)
	if err != nil {
		return false, fmt.Errorf("insert site %s: %w", s.Name, err)
	}
	return true, nil
}

// turn makes changes to an organization's sites take turns.
func turn(tx *db.Tx, organizationID string) error {
	_, err := tx.Exec(`UPDATE organization SET version = version WHERE id = $1`, organizationID)
	return err
}

// used is how many people and roles hold at a site.
func used(tx *db.Tx, s Site) (int, error) {
	return db.Value[int](tx, `SELECT count(*) FROM membership m WHERE m.organization = $1 AND m.ended_at IS NULL
		AND (m.site = $2 OR EXISTS (SELECT 1 FROM role_grant g WHERE g.membership = m.id AND g.site = $2))`, s.Organization, s.ID)
}

// list is a page of the sites that are not closed, by name.
func list(tx *db.Tx, organizationID, after string) ([]Site, error) {
	behind, args := ``, []any{organizationID}
	if after != "" {
		behind, args = ` AND (s.name_key, s.id) > (SELECT name_key, id FROM site WHERE id = $2)`, append(args, after)
	}
	return db.All(tx, (*Site).fields, `SELECT `+columns+` FROM site s WHERE s.organization = $1 AND s.state <> 'closed'`+behind+` ORDER BY s.name_key, s.id LIMIT 50`, args...)
}

// mostReleased bounds what a form offers.
const mostReleased = 500

func released(tx *db.Tx, organizationID string) ([]Site, error) {
	return db.All(tx, (*Site).fields, `SELECT `+columns+` FROM site s WHERE s.organization = $1 AND s.state = 'released' ORDER BY s.name_key, s.id LIMIT $2`, organizationID, mostReleased)
}

func queue(tx *db.Tx, chamberID, after string) ([]Case, error) {
	return db.All(tx, func(c *Case) []any {
		return append(c.fields(), &c.Company, &c.CompanyAddress, &c.Ident, &c.Listed)
	}, `SELECT `+columns+`, o.name, o.street || ' ' || o.house_number || ', ' || o.postcode || ' ' || o.place, o.ident_number,
			COALESCE(e.name || ', ' || e.street || ' ' || e.house_number || ', ' || e.postcode || ' ' || e.place, '')
		FROM site s JOIN organization o ON o.id = s.organization LEFT JOIN directory_entry e ON e.chamber = s.chamber AND e.ident_number = s.ident_number AND s.ident_number <> ''
		WHERE s.chamber = $1 AND s.state = 'asked' AND s.id > $2 ORDER BY s.id LIMIT 50`, chamberID, after)
}
