package directory

import "zunft/internal/ground/db"

const entryColumns = `id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court, management, company_key, content_hash, imported_at`

func (e *Entry) fields() []any {
	return []any{
		&e.ID, &e.Chamber, &e.IdentNumber, &e.Name, &e.LegalForm, &e.Street, &e.HouseNumber, &e.Postcode, &e.Place,
		&e.RegisterKind, &e.RegisterNumber, &e.RegisterCourt, &e.Management, &e.companyKey, &e.contentHash, &e.ImportedAt,
	}
}

// entriesByKey names the postcode too, which is the key's last part: one index serves both.
func entriesByKey(tx *db.Tx, chamberID, postcode, key string) ([]Entry, error) {
	return db.All(tx, (*Entry).fields, `SELECT `+entryColumns+` FROM directory_entry WHERE chamber = $1 AND postcode = $2 AND company_key = $3 ORDER BY ident_number LIMIT 20`, chamberID, postcode, key)
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

// entriesByNumber are the entries with this ident number, or with this
// register number, which several courts give to different companies.
func entriesByNumber(tx *db.Tx, chamberID, ident, register string) ([]Entry, error) {
	return db.All(tx, (*Entry).fields, `SELECT `+entryColumns+` FROM directory_entry WHERE chamber = $1 AND ident_number = $2
		UNION SELECT `+entryColumns+` FROM directory_entry WHERE chamber = $1 AND register_number = $3 AND register_number <> '' ORDER BY id LIMIT 50`, chamberID, ident, register)
}

// keysAt calls f for every company key of a postcode; directory_near holds all
// that is read.
func keysAt(tx *db.Tx, chamberID, postcode string, f func(id, key string)) error {
	var id, key string
	return tx.Each(`SELECT id, company_key FROM directory_entry WHERE chamber = $1 AND postcode = $2`, []any{chamberID, postcode}, func(scan func(...any) error) error {
		err := scan(&id, &key)
		if err == nil {
			f(id, key)
		}
		return err
	})
}

func entriesByID(tx *db.Tx, ids []string) ([]Entry, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	return db.All(tx, (*Entry).fields, `SELECT `+entryColumns+` FROM directory_entry WHERE id IN (`+db.In(1, len(ids))+`)`, args...)
}
