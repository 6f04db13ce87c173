package directory

import (
	"fmt"
	"strings"

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

const entryWidth = 16 // columns of directory_entry

// upsertText is the statement for n rows. The first two parameters, chamber
// and moment, are shared by all rows.
func upsertText(n int) string {
	var b strings.Builder
	b.WriteString(`INSERT INTO directory_entry (` + entryColumns + `) VALUES `)
	at := 3
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "($%d, $1, ", at)
		b.WriteString(db.In(at+1, entryWidth-3))
		b.WriteString(", $2)")
		at += entryWidth - 2
	}
	b.WriteString(` ON CONFLICT (chamber, ident_number) DO UPDATE SET name = excluded.name, legal_form = excluded.legal_form, street = excluded.street, house_number = excluded.house_number,
		postcode = excluded.postcode, place = excluded.place, register_kind = excluded.register_kind, register_number = excluded.register_number, register_court = excluded.register_court,
		management = excluded.management, company_key = excluded.company_key, content_hash = excluded.content_hash, imported_at = excluded.imported_at`)
	return b.String()
}

var fullBatch = upsertText(batchRows)

func upsert(tx *db.Tx, batch []*Entry) error {
	text := fullBatch
	if len(batch) != batchRows {
		text = upsertText(len(batch))
	}
	args := make([]any, 0, 2+len(batch)*(entryWidth-2))
	args = append(args, batch[0].Chamber, tx.Now())
	for _, e := range batch {
		args = append(args, db.NewID(), e.IdentNumber, e.Name, e.LegalForm, e.Street, e.HouseNumber, e.Postcode, e.Place,
			e.RegisterKind, e.RegisterNumber, e.RegisterCourt, e.Management, e.companyKey, e.contentHash)
	}
	_, err := tx.Exec(text, args...)
	return err
}
