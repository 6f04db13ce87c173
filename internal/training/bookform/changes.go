package bookform

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/training/person"
)

// A Change is what a chamber is told of a company (R314).
type Change struct {
	ID, Company, Name, IdentNumber, Occupation string
	Electronic                                 bool
	Apprenticeships                            int
	At                                         db.Time
	By                                         string // name
}

func (f *Change) fields() []any {
	return []any{&f.ID, &f.Company, &f.Name, &f.IdentNumber, &f.Occupation, &f.Electronic, &f.Apprenticeships, &f.At, &f.By}
}

const changes = `SELECT f.id, f.company, c.name, c.ident_number, f.occupation, f.electronic, f.apprenticeships, f.changed_at, COALESCE(p.name, '')
	FROM form_change f JOIN company c ON c.id = f.company LEFT JOIN person p ON p.sub = f.changed_by `

// Changes are what companies of the actor's chamber reported, the newest
// first; before is the ID of the last one of the page before, or empty.
func Changes(tx *db.Tx, by audit.Actor, before string, limit int) ([]Change, error) {
	s, err := person.Clerk(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, (*Change).fields, changes+`WHERE f.chamber_number = $1 AND ($2 = '' OR f.id < $2) ORDER BY f.id DESC LIMIT $3`, s.Chamber(), before, limit)
}

// OwnChanges are what the actor's company reported, the newest first.
func OwnChanges(tx *db.Tx, by audit.Actor, limit int) ([]Change, error) {
	s, err := person.Admin(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, (*Change).fields, changes+`WHERE f.company = $1 ORDER BY f.id DESC LIMIT $2`, s.Company.ID, limit)
}
