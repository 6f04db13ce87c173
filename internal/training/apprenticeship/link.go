package apprenticeship

import (
	"fmt"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/assignment"
	"zunft/internal/training/person"
)

// Link finds what is known of a person who signs in: apprenticeships that name
// their number or address get their person, the company those that the registry
// knew by its ident number, a trainer those whose contract names their number.
// It costs four questions that an index answers, and usually changes nothing.
func Link(tx *db.Tx, by audit.Actor, c person.Claims) error {
	s := c.Company
	if s.IdentNumber != "" && s.ChamberNumber != "" {
		n, err := tx.Exec(`UPDATE apprenticeship SET company = $1, changed_at = $2 WHERE company IS NULL AND chamber_number = $3 AND ident_number = $4`, s.ID, tx.Now(), s.ChamberNumber, s.IdentNumber)
		if err != nil {
			return fmt.Errorf("link company: %w", err)
		}
		if n > 0 {
			if err := audit.Record(tx, by, audit.Entry{Event: "apprenticeship.company_known", Organization: s.ID, Chamber: s.ChamberNumber, Detail: map[string]any{"apprenticeships": n}}); err != nil {
				return err
			}
		}
	}
	roles, err := db.Values[string](tx, `SELECT role FROM company_role WHERE company = $1 AND person = $2`, s.ID, c.Person.Sub)
	if err != nil {
		return err
	}
	for _, role := range roles {
		switch role {
		case person.Apprentice, person.Retrainee:
			err = learns(tx, by, c)
		case person.Trainer:
			err = assignment.ByContract(tx, by, s.ID, c.Person.Sub, c.TrainerNumber, "")
		}
		if err != nil {
			return fmt.Errorf("link %s: %w", role, err)
		}
	}
	return nil
}

// learns gives a person the apprenticeships in a company that name them.
func learns(tx *db.Tx, by audit.Actor, c person.Claims) error {
	waiting, err := db.All(tx, (*Apprenticeship).fields, `SELECT `+columns+` FROM apprenticeship WHERE company = $1 AND person IS NULL
		AND (number <> '' AND number = $2 OR email <> '' AND lower(email) = $3) ORDER BY starts_on, id LIMIT 10`, c.Company.ID, c.ApprenticeNumber, strings.ToLower(c.Person.Email))
	if err != nil {
		return err
	}
	for _, a := range waiting {
		if a.Number != "" && c.ApprenticeNumber != "" && a.Number != c.ApprenticeNumber { // the same address, another number: the company must say
			continue
		}
		if _, err := take(tx, by, a, c.Person.Sub); err != nil && fault.Of(err) == nil {
			return err // what overlaps stays for the company to mend
		}
	}
	return nil
}

// find looks for the person and the trainer of an apprenticeship among those
// who were here.
func find(tx *db.Tx, by audit.Actor, a Apprenticeship) (Apprenticeship, error) {
	if a.Company == "" {
		return a, nil
	}
	if err := assignment.OfContract(tx, by, a.Company, a.TrainerNumber, a.ID); err != nil {
		return a, err
	}
	if a.Person != "" {
		return a, nil
	}
	const isOne = ` AND EXISTS (SELECT 1 FROM company_role r WHERE r.company = $1 AND r.person = p.sub AND r.role IN ('apprentice', 'retrainee'))`
	var found []string
	var err error
	if a.Number != "" {
		found, err = db.Values[string](tx, `SELECT p.sub FROM company_number n JOIN person p ON p.sub = n.person WHERE n.company = $1 AND n.apprentice_number = $2`+isOne+` LIMIT 2`, a.Company, a.Number)
	}
	if err == nil && len(found) == 0 && a.Email != "" {
		found, err = db.Values[string](tx, `SELECT p.sub FROM company_role m JOIN person p ON p.sub = m.person
			LEFT JOIN company_number n ON n.company = m.company AND n.person = m.person
			WHERE m.company = $1 AND m.role IN ('apprentice', 'retrainee') AND lower(p.email) = $2 AND ($3 = '' OR COALESCE(n.apprentice_number, '') IN ('', $3)) LIMIT 2`,
			a.Company, strings.ToLower(a.Email), a.Number)
	}
	if err != nil || len(found) == 0 || len(found) == 2 && found[0] != found[1] {
		return a, err
	}
	taken, err := take(tx, by, a, found[0])
	if fault.Of(err) != nil { // overlaps with another of theirs: the company must say
		return a, nil
	}
	return taken, err
}

// LinkPerson says whose apprenticeship it is: somebody who is an apprentice or
// retrainee of the company here.
func LinkPerson(tx *db.Tx, by audit.Actor, id string, version int, sub string) (Apprenticeship, error) {
	s, a, err := mine(tx, by, id)
	if err != nil {
		return a, err
	}
	if err := s.Turn(tx); err != nil {
		return a, err
	}
	if a.Version != version || a.Person != "" {
		return a, fault.Conflict("apprenticeship.was_changed")
	}
	return take(tx, by, a, sub)
}

// take makes sub the person of a. If they have begun to write before anybody
// described their apprenticeship, that row is completed, so that its reports
// stay where they are.
func take(tx *db.Tx, by audit.Actor, a Apprenticeship, sub string) (Apprenticeship, error) {
	is, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM company_role WHERE company = $1 AND person = $2 AND role IN ('apprentice', 'retrainee'))`, a.Company, sub)
	if err != nil {
		return a, err
	}
	if !is {
		return a, fault.Invalid("person", "apprenticeship.no_apprentice")
	}
	taken := a
	taken.Person = sub
	own, err := db.All(tx, (*Apprenticeship).fields, `SELECT `+columns+` FROM apprenticeship WHERE person = $1 AND company = $2 AND source = 'self' AND id <> $3`, sub, a.Company, a.ID)
	if err != nil {
		return a, err
	}
	if len(own) == 1 {
		taken.ID, taken.Version = own[0].ID, own[0].Version
	}
	if err := apart(tx, taken); err != nil {
		return a, err
	}
	if taken.Previous == "" {
		if taken.Previous, err = before(tx, taken); err != nil {
			return a, err
		}
	}
	if len(own) == 1 {
		if err := assignment.Move(tx, a.ID, taken.ID); err != nil {
			return a, err
		}
		if _, err := tx.Exec(`UPDATE apprenticeship SET previous = $2 WHERE previous = $1`, a.ID, taken.ID); err != nil {
			return a, err
		}
		n, err := tx.Exec(`DELETE FROM apprenticeship WHERE id = $1 AND version = $2 AND person IS NULL`, a.ID, a.Version)
		if err != nil {
			return a, fmt.Errorf("complete %s by %s: %w", taken.ID, a.ID, err)
		}
		if n == 0 {
			return a, fault.Conflict("apprenticeship.was_changed")
		}
	}
	if err := assignment.NotOneself(tx, taken.ID, sub); err != nil {
		return a, err
	}
	if err := store(tx, &taken); err != nil {
		return a, err
	}
	return taken, record(tx, by, taken, "linked", nil)
}

// before is the apprenticeship of the same person, in whatever company, that
// this one continues.
func before(tx *db.Tx, a Apprenticeship) (string, error) {
	if a.StartsOn == "" {
		return "", nil
	}
	id, err := db.Value[string](tx, `SELECT id FROM apprenticeship WHERE person = $1 AND id <> $2 AND starts_on <> '' AND starts_on < $3 ORDER BY starts_on DESC, id LIMIT 1`, a.Person, a.ID, a.StartsOn)
	if fault.Is(err, fault.KindNotFound) {
		return "", nil
	}
	return id, err
}

// Unlink takes back whose it is, while nothing was written for it.
func Unlink(tx *db.Tx, by audit.Actor, id string, version int) (Apprenticeship, error) {
	s, a, err := mine(tx, by, id)
	if err != nil {
		return a, err
	}
	if err := s.Turn(tx); err != nil {
		return a, err
	}
	written, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM report WHERE apprenticeship = $1)`, a.ID)
	if err != nil {
		return a, err
	}
	if written || a.Source == Self {
		return a, fault.Conflict("apprenticeship.has_reports")
	}
	gone := a
	a.Person, a.Previous, a.Version = "", "", version
	if err := store(tx, &a); err != nil {
		return a, err
	}
	return a, record(tx, by, gone, "unlinked", nil)
}
