package chamber

import (
	"strings"

	"zunft/internal/ground/db"
)

const chamberColumns = `id, number, name, short_name, street, house_number, postcode, place, phone, hours, email, website, letter_signer, postcodes, valid_from, valid_until, successor, created_at, version`

// commas keeps postcode prefixes in one column.
type commas struct{ list *[]string }

func (c commas) Scan(src any) error {
	s, _ := src.(string)
	*c.list = nil
	if s != "" {
		*c.list = strings.Split(s, ",")
	}
	return nil
}

// optional is a reference that may be NULL.
type optional struct{ id *string }

func (o optional) Scan(src any) error {
	*o.id, _ = src.(string)
	return nil
}

func orNull(id string) any {
	if id == "" {
		return nil
	}
	return id
}

func (c *Chamber) fields() []any {
	return []any{
		&c.ID, &c.Number, &c.Name, &c.ShortName, &c.Street, &c.HouseNumber, &c.Postcode, &c.Place, &c.Phone, &c.Hours, &c.Email, &c.Website, &c.LetterSigner,
		commas{&c.Postcodes},
		&c.ValidFrom, &c.ValidUntil,
		optional{&c.Successor},
		&c.CreatedAt, &c.Version,
	}
}

func insert(tx *db.Tx, c Chamber) error {
	_, err := tx.Exec(`INSERT INTO chamber (`+chamberColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 1)`,
		c.ID, c.Number, c.Name, c.ShortName, c.Street, c.HouseNumber, c.Postcode, c.Place, c.Phone, c.Hours, c.Email, c.Website, c.LetterSigner,
		strings.Join(c.Postcodes, ","), c.ValidFrom, c.ValidUntil, orNull(c.Successor), c.CreatedAt)
	return err
}

func update(tx *db.Tx, c Chamber) (int64, error) {
	return tx.Exec(`UPDATE chamber SET name = $2, short_name = $3, street = $4, house_number = $5, postcode = $6, place = $7, phone = $8, hours = $9, email = $10, website = $11,
		letter_signer = $12, postcodes = $13, valid_from = $14, valid_until = $15, successor = $16, version = version + 1 WHERE id = $1 AND version = $17`,
		c.ID, c.Name, c.ShortName, c.Street, c.HouseNumber, c.Postcode, c.Place, c.Phone, c.Hours, c.Email, c.Website, c.LetterSigner,
		strings.Join(c.Postcodes, ","), c.ValidFrom, c.ValidUntil, orNull(c.Successor), c.Version)
}

// load reads by one of the two unique columns; the name is never input.
func load(tx *db.Tx, column, value string) (Chamber, error) {
	return db.One(tx, (*Chamber).fields, `SELECT `+chamberColumns+` FROM chamber WHERE `+column+` = $1`, value)
}

func loadAll(tx *db.Tx) ([]Chamber, error) {
	return db.All(tx, (*Chamber).fields, `SELECT `+chamberColumns+` FROM chamber ORDER BY number`)
}
