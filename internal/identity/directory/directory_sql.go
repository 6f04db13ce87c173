package directory

import "zunft/internal/ground/db"

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
