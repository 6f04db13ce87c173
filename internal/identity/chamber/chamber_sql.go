package chamber

import (
	"strings"

	"zunft/internal/ground/db"
)

const chamberColumns = `id, number, name, short_name, street, house_number, postcode, place, phone, hours, email, website, letter_signer, postcodes, valid_from, valid_until, successor, created_at`

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
	return []any{&c.ID, &c.Number, &c.Name, &c.ShortName, &c.Street, &c.HouseNumber, &c.Postcode, &c.Place, &c.Phone, &c.Hours, &c.Email, &c.Website, &c.LetterSigner,
		commas{&c.Postcodes}, &c.ValidFrom, &c.ValidUntil, optional{&c.Successor}, &c.CreatedAt}
}

func insert(tx *db.Tx, c Chamber) error {
	_, err := tx.Exec(`INSERT INTO chamber (`+chamberColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		c.ID, c.Number, c.Name, c.ShortName, c.Street, c.HouseNumber, c.Postcode, c.Place, c.Phone, c.Hours, c.Email, c.Website, c.LetterSigner,
		strings.Join(c.Postcodes, ","), c.ValidFrom, c.ValidUntil, orNull(c.Successor), c.CreatedAt)
	return err
}

func update(tx *db.Tx, c Chamber) error {
	_, err := tx.Exec(`UPDATE chamber SET name = $2, short_name = $3, street = $4, house_number = $5, postcode = $6, place = $7, phone = $8, hours = $9, email = $10, website = $11,
		letter_signer = $12, postcodes = $13, valid_from = $14, valid_until = $15, successor = $16 WHERE id = $1`,
		c.ID, c.Name, c.ShortName, c.Street, c.HouseNumber, c.Postcode, c.Place, c.Phone, c.Hours, c.Email, c.Website, c.LetterSigner,
		strings.Join(c.Postcodes, ","), c.ValidFrom, c.ValidUntil, orNull(c.Successor))
	return err
}

// load reads by one of the two unique columns; the name is never input.
func load(tx *db.Tx, column, value string) (Chamber, error) {
	return db.One(tx, (*Chamber).fields, `SELECT `+chamberColumns+` FROM chamber WHERE `+column+` = $1`, value)
}

func loadAll(tx *db.Tx) ([]Chamber, error) {
	return db.All(tx, (*Chamber).fields, `SELECT `+chamberColumns+` FROM chamber ORDER BY number`)
}

const entryColumns = `id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court, management, company_key, content_hash, imported_at`

func (e *Entry) fields() []any {
	return []any{&e.ID, &e.Chamber, &e.IdentNumber, &e.Name, &e.LegalForm, &e.Street, &e.HouseNumber, &e.Postcode, &e.Place,
		&e.RegisterKind, &e.RegisterNumber, &e.RegisterCourt, &e.Management, &e.companyKey, &e.contentHash, &e.ImportedAt}
}

func entriesByKey(tx *db.Tx, chamberID, key string) ([]Entry, error) {
	return db.All(tx, (*Entry).fields, `SELECT `+entryColumns+` FROM directory_entry WHERE chamber = $1 AND company_key = $2 ORDER BY ident_number LIMIT 20`, chamberID, key)
}

func entryByIdent(tx *db.Tx, chamberID, ident string) (Entry, error) {
	return db.One(tx, (*Entry).fields, `SELECT `+entryColumns+` FROM directory_entry WHERE chamber = $1 AND ident_number = $2`, chamberID, ident)
}

func entryByID(tx *db.Tx, id string) (Entry, error) {
	return db.One(tx, (*Entry).fields, `SELECT `+entryColumns+` FROM directory_entry WHERE id = $1`, id)
}

func directorySize(tx *db.Tx, chamberID string) (n int, changed db.Time, err error) {
	err = tx.Scan(`SELECT COUNT(*), MAX(imported_at) FROM directory_entry WHERE chamber = $1`, []any{chamberID}, &n, &changed)
	return n, changed, err
}

// nearLimit keeps the desk quick where thousands of companies share a postcode.
const nearLimit = 3000

// entriesNear unites four index look-ups; UNION drops what is found twice, and
// the rank keeps certain finds when the postcode alone would fill the limit.
func entriesNear(tx *db.Tx, chamberID, key, ident, register, postcode string) ([]Entry, error) {
	return db.All(tx, (*Entry).fields, `SELECT `+entryColumns+` FROM directory_entry WHERE id IN (
		SELECT id FROM (SELECT id, 1 AS rank FROM directory_entry WHERE chamber = $1 AND company_key = $2 AND company_key <> ''
		UNION ALL SELECT id, 1 FROM directory_entry WHERE chamber = $1 AND ident_number = $3
		UNION ALL SELECT id, 2 FROM directory_entry WHERE chamber = $1 AND register_number = $4 AND register_number <> ''
		UNION ALL SELECT id, 3 FROM directory_entry WHERE chamber = $1 AND postcode = $5) found
		ORDER BY rank, id LIMIT $6)`, chamberID, key, ident, register, postcode, nearLimit)
}
