package chamber

import (
	"encoding/json"

	"zunft/internal/ground/db"
)

// knownHashes is the directory as ident number → content hash.
func knownHashes(tx *db.Tx, chamberID string) (map[string]string, error) {
	known := map[string]string{}
	var ident, hash string
	err := tx.Each(`SELECT ident_number, content_hash FROM directory_entry WHERE chamber = $1`, []any{chamberID}, func(scan func(...any) error) error {
		if err := scan(&ident, &hash); err != nil {
			return err
		}
		known[ident] = hash
		return nil
	})
	return known, err
}

// upsertText adds or renews the entries of one JSON object, ident number →
// the other columns in their order. One text and three parameters for any
// number of rows: a VALUES list of some hundred rows names thousands of
// parameters, and SQLite looks each of them up by its name.
// (WHERE TRUE tells SQLite that ON CONFLICT is no join.)
const upsertText = `INSERT INTO directory_entry (` + entryColumns + `)
	SELECT value->>0, $1, key, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, value->>9, value->>10, value->>11, value->>12, $2
	FROM json_each($3) WHERE TRUE
	ON CONFLICT (chamber, ident_number) DO UPDATE SET name = excluded.name, legal_form = excluded.legal_form, street = excluded.street, house_number = excluded.house_number,
		postcode = excluded.postcode, place = excluded.place, register_kind = excluded.register_kind, register_number = excluded.register_number, register_court = excluded.register_court,
		management = excluded.management, company_key = excluded.company_key, content_hash = excluded.content_hash, imported_at = excluded.imported_at`

func upsert(tx *db.Tx, batch []*Entry) error {
	rows := make(map[string][13]string, len(batch))
	for _, e := range batch {
		rows[e.IdentNumber] = [...]string{db.NewID(), e.Name, e.LegalForm, e.Street, e.HouseNumber, e.Postcode, e.Place,
			e.RegisterKind, e.RegisterNumber, e.RegisterCourt, e.Management, e.companyKey, e.contentHash}
	}
	list, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	_, err = tx.Exec(upsertText, batch[0].Chamber, tx.Now(), string(list))
	return err
}
