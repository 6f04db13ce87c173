package person

import (
	"fmt"
	"regexp"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

// An Office is a company that is a chamber's own: who has the role
// chamber_clerk in it works for that chamber. The operator says which ones,
// by command; no token can.
type Office struct {
	Company, Name, ChamberNumber string // Name: empty until somebody of it was here
	AddedAt                      db.Time
}

var chamberNumber = regexp.MustCompile(`^[0-9]{3}$`)

// AddOffice makes a company an office of a chamber.
func AddOffice(tx *db.Tx, by audit.Actor, company, chamber string) error {
	if company = line(company); company == "" {
		return fault.Invalid("company", "person.company_missing")
	}
	if !chamberNumber.MatchString(chamber) {
		return fault.Invalid("chamber", "person.chamber_number")
	}
	n, err := tx.Exec(`INSERT INTO chamber_office (company, chamber_number, added_at) VALUES ($1, $2, $3) ON CONFLICT (company) DO NOTHING`, company, chamber, tx.Now())
	if err != nil {
		return fmt.Errorf("add office: %w", err)
	}
	if n == 0 {
		return fault.Conflict("person.office_known")
	}
	return audit.Record(tx, by, audit.Entry{Event: "office.added", Organization: company, Chamber: chamber})
}

// RemoveOffice takes that back: its clerks may nothing any more, at once.
func RemoveOffice(tx *db.Tx, by audit.Actor, company string) error {
	chamber, err := db.Value[string](tx, `DELETE FROM chamber_office WHERE company = $1 RETURNING chamber_number`, company)
	if err != nil {
		return err
	}
	return audit.Record(tx, by, audit.Entry{Event: "office.removed", Organization: company, Chamber: chamber})
}

// Offices are all of them: one or a few for each chamber.
func Offices(tx *db.Tx) ([]Office, error) {
	return db.All(tx, func(o *Office) []any { return []any{&o.Company, &o.Name, &o.ChamberNumber, &o.AddedAt} },
		`SELECT o.company, COALESCE(c.name, ''), o.chamber_number, o.added_at FROM chamber_office o LEFT JOIN company c ON c.id = o.company ORDER BY o.chamber_number, o.company`)
}

func officeOf(tx *db.Tx, company string) (string, error) {
	number, err := db.Value[string](tx, `SELECT chamber_number FROM chamber_office WHERE company = $1`, company)
	if fault.Is(err, fault.KindNotFound) {
		return "", nil
	}
	return number, err
}
