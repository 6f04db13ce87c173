package organization

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/company"
	"zunft/internal/identity/fold"
)

// Create keeps an organization that a registration brought about: it is what
// the directory's entry says. Created is false if the company has an account
// already (R066), also when somebody was quicker by a moment.
func Create(tx *db.Tx, o Organization) (created bool, err error) { return insertOrganization(tx, o) }

// Taken reports whether a company of the chamber has an account: it bears one
// of these ident numbers, or has this name and address.
func Taken(tx *db.Tx, chamberID string, c company.Company, idents []string) (bool, error) {
	key := fold.CompanyKey(c.Name, c.Street, c.HouseNumber, c.Postcode)
	if taken, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM organization WHERE company_key = $1 AND chamber = $2 AND state <> 'closed')`, key, chamberID); taken || err != nil || len(idents) == 0 {
		return taken, err
	}
	args := []any{chamberID}
	for _, i := range idents {
		args = append(args, i)
	}
	return db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM organization WHERE chamber = $1 AND ident_number IN (`+db.In(2, len(idents))+`) AND state <> 'closed')`, args...)
}

// AddressOf is a company's address in one line: "Schuteweg 1, 26723 Emden".
func AddressOf(c company.Company) string { return address(c) }

// Open makes an organization active without a code: a certificate spoke for it, or
// so much agreed with the directory that the chamber looks afterwards (decision 3).
// The caller makes its first admin in the same transaction, and tells them.
func Open(tx *db.Tx, by audit.Actor, o *Organization) error {
	if err := activate(tx, o); err != nil {
		return err
	}
	return audit.Record(tx, by, audit.Entry{Event: "organization.activated", Account: o.RegisteredBy, Organization: o.ID, Chamber: o.Chamber, Detail: map[string]any{"code": false}})
}
