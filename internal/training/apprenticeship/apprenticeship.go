// Package apprenticeship knows who learns what, where and how long
// (Ausbildungsverhältnis, also Umschulung), who accompanies them, and how their
// company keeps report books.
//
//   - What the chamber's registry, the company and the apprentice's sign-in say
//     comes together in one row. Whoever writes before anybody described their
//     apprenticeship gets a row of their own (source "self"), which the company
//     or the registry completes.
//   - The book belongs to the person: a change of company or occupation begins
//     another apprenticeship that continues the one before.
//   - Whose apprenticeship it is, is found by the number or the address that the
//     identity portal says at sign-in, or said by the company (link.go). Nothing
//     written before is lost: the row that somebody began is the one completed.
//   - The chamber's registry has the last word on occupation, days and numbers;
//     the company on everything else (§ 34 BBiG: the registry is the chamber's).
//   - Trainers and supervisors are assigned for a time (R232, R325). While no
//     trainer is assigned, all trainers of the company accompany the apprentice.
//   - Training admins keep all of it, in the company they act for, and nobody else.
package apprenticeship

import (
	"embed"
	"fmt"

	"zunft/internal/ground/db"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

// Sources of an apprenticeship.
const (
	Self     = "self"
	Company  = "company"
	Registry = "registry"
)

// An Apprenticeship is the time that one person learns one occupation in one
// company. Days are empty while nobody said them.
type Apprenticeship struct {
	ID, Person, Company                string // Person, Company: empty while unknown
	ChamberNumber, IdentNumber, Number string
	TrainerNumber                      string // of the trainer whom the contract names
	GivenName, FamilyName, Email       string
	Occupation                         string
	Retraining                         bool
	Site, Land                         string
	StartsOn, EndsOn, EndedOn          calendar.Date
	Previous, Source                   string
	Version                            int
}

const columns = `id, COALESCE(person, ''), COALESCE(company, ''), chamber_number, ident_number, number, trainer_number, given_name, family_name, email, occupation, retraining, site, land, starts_on, ends_on, ended_on, COALESCE(previous, ''), source, version`

func (a *Apprenticeship) fields() []any {
	return []any{
		&a.ID, &a.Person, &a.Company, &a.ChamberNumber, &a.IdentNumber, &a.Number, &a.TrainerNumber, &a.GivenName, &a.FamilyName, &a.Email, &a.Occupation, &a.Retraining,
		&a.Site, &a.Land, &a.StartsOn, &a.EndsOn, &a.EndedOn, &a.Previous, &a.Source, &a.Version,
	}
}

// Last is the last day, agreed or real; empty while nobody said one.
func (a Apprenticeship) Last() calendar.Date {
	if a.EndedOn != "" {
		return a.EndedOn
	}
	return a.EndsOn
}

// Clip shortens a week to the days of the apprenticeship; ok is false if none
// is left.
func (a Apprenticeship) Clip(w calendar.Week) (first, last calendar.Date, ok bool) {
	first, last = max(w.Date(1), a.StartsOn), w.Date(7)
	if end := a.Last(); end != "" {
		last = min(last, end)
	}
	return first, last, first <= last
}

// Of is the apprenticeship of a person in a company to which a day belongs;
// else the one that is nearest: the newest that began before, or the first.
// Without any it is one that is not stored yet (ID is empty), see Ensure.
func Of(tx *db.Tx, s person.Session, day calendar.Date) (Apprenticeship, error) {
	all, err := Here(tx, s)
	return all.On(day), err
}

// A Row of apprenticeships of one person in one company, the oldest first; at
// least one.
type Row []Apprenticeship

// Here are those of a person in the company of their session, for callers who
// ask for more days than one; see Of.
func Here(tx *db.Tx, s person.Session) (Row, error) {
	all, err := db.All(tx, (*Apprenticeship).fields, `SELECT `+columns+` FROM apprenticeship WHERE person = $1 AND company = $2 ORDER BY starts_on, id`, s.Person.Sub, s.Company.ID)
	if err != nil {
		return Row{{}}, fmt.Errorf("apprenticeship of %s: %w", s.Person.Sub, err)
	}
	if len(all) == 0 {
		all = []Apprenticeship{{
			Person: s.Person.Sub, Company: s.Company.ID, ChamberNumber: s.Company.ChamberNumber, IdentNumber: s.Company.IdentNumber,
			GivenName: s.Person.GivenName, FamilyName: s.Person.FamilyName, Email: s.Person.Email,
			Retraining: s.Is(person.Retrainee) && !s.Is(person.Apprentice), Source: Self,
		}}
	}
	return all, nil
}

// On is the one to which a day belongs, see Of.
func (all Row) On(day calendar.Date) Apprenticeship {
	found := all[0]
	for _, a := range all[1:] {
		if a.StartsOn <= day {
			found = a
		}
	}
	return found
}

// Within is the one that a week is written for, and its days there: that of its
// Monday, else of its Sunday, when there is a gap between two. ok is false if it
// is in none.
func (all Row) Within(w calendar.Week) (a Apprenticeship, first, last calendar.Date, ok bool) {
	for _, day := range []int{1, 7} {
		a = all.On(w.Date(day))
		if first, last, ok = a.Clip(w); ok {
			break
		}
	}
	return a, first, last, ok
}

// Ensure stores what Of found for nobody had described it.
func Ensure(tx *db.Tx, a Apprenticeship) (Apprenticeship, error) {
	if a.ID != "" {
		return a, nil
	}
	_, err := tx.Exec(`INSERT INTO apprenticeship (id, person, company, chamber_number, ident_number, given_name, family_name, name_key, words, email, retraining, source, created_at, changed_at)
		SELECT $1, $2, $3, $4, $5, $6, $7, name_key, $11, $8, $9, 'self', $10, $10 FROM person WHERE sub = $2
		ON CONFLICT (person, company) WHERE source = 'self' DO NOTHING`,
		db.NewID(), a.Person, a.Company, a.ChamberNumber, a.IdentNumber, a.GivenName, a.FamilyName, a.Email, a.Retraining, tx.Now(), a.words())
	if err != nil {
		return a, fmt.Errorf("keep apprenticeship: %w", err)
	}
	return db.One(tx, (*Apprenticeship).fields, `SELECT `+columns+` FROM apprenticeship WHERE person = $1 AND company = $2 AND source = 'self'`, a.Person, a.Company)
}

// Get reads an apprenticeship.
func Get(tx *db.Tx, id string) (Apprenticeship, error) {
	return db.One(tx, (*Apprenticeship).fields, `SELECT `+columns+` FROM apprenticeship WHERE id = $1`, id)
}
