package review

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/person"
)

// A Trainee is an apprentice of the company, with counts.
type Trainee struct {
	Sub, Name                      string
	Submitted, Returned, SignedOff int
	Last                           db.Time // submitted at
}

// Trainees are the apprentices of the actor's company, by name.
func Trainees(tx *db.Tx, by audit.Actor) ([]Trainee, error) {
	s, err := readers(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, func(t *Trainee) []any {
		return []any{&t.Sub, &t.Name, &t.Submitted, &t.Returned, &t.SignedOff, &t.Last}
	}, `SELECT p.sub, p.name, count(r.id) FILTER (WHERE r.state = 'submitted'), count(r.id) FILTER (WHERE r.state = 'returned'),
			count(r.id) FILTER (WHERE r.state = 'signed_off'), max(r.submitted_at)
		FROM person p LEFT JOIN report r ON r.apprentice = p.sub AND r.company = $1
		WHERE p.sub IN (SELECT person FROM company_role WHERE company = $1 AND role IN ('apprentice', 'retrainee')
			UNION SELECT apprentice FROM report WHERE company = $1 AND submitted_at IS NOT NULL)
		GROUP BY p.sub, p.name, p.name_key ORDER BY p.name_key, p.sub`, s.Company.ID)
}

// ReportsOf are the reports of one apprentice of the actor's company that were
// submitted once, newest week first.
func ReportsOf(tx *db.Tx, by audit.Actor, sub string) (person.Person, []Item, error) {
	all, err := Trainees(tx, by)
	if err != nil {
		return person.Person{}, nil, err
	}
	for _, t := range all {
		if t.Sub != sub {
			continue
		}
		p, err := person.Get(tx, sub)
		if err != nil {
			return p, nil, err
		}
		s, err := readers(tx, by)
		if err != nil {
			return p, nil, err
		}
		reports, err := db.All(tx, (*Item).fields, items+`WHERE r.company = $1 AND r.apprentice = $2 AND r.submitted_at IS NOT NULL
			ORDER BY r.year DESC, r.week DESC`, s.Company.ID, sub)
		return p, reports, err
	}
	return person.Person{}, nil, fault.NotFound()
}
