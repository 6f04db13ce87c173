// Package assignment knows who accompanies an apprenticeship, and when: trainers,
// and supervisors of departments, each from a day to a day (R232, R325).
//
//   - An apprentice has one trainer at a time; whoever is put in on some days
//     takes them out of the other's time. Supervisors there may be several.
//   - While no trainer is assigned, all trainers of the company accompany the
//     apprentice (R333).
//   - The trainer whom the contract names is assigned by their number, as soon
//     as both are known here; what the company said stays.
//   - Training admins assign, in the company they act for; nobody is their own
//     trainer.
//
// It stands below package apprenticeship, which tells it when one continues
// another or two become one.
package assignment

import (
	"embed"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

// Roles of who accompanies an apprentice.
const (
	Trainer    = "trainer"
	Supervisor = "supervisor"
)

// An Assignment says who accompanies an apprenticeship, and when.
type Assignment struct {
	ID, Apprenticeship, Person, Name string
	Role, Department                 string
	From, Until                      calendar.Date // Until is empty: open
}

func (x *Assignment) fields() []any {
	return []any{&x.ID, &x.Apprenticeship, &x.Person, &x.Name, &x.Role, &x.Department, &x.From, &x.Until}
}

const assignments = `SELECT x.id, x.apprenticeship, x.person, p.name, x.role, x.department, x.from_day, x.until_day FROM assignment x JOIN person p ON p.sub = x.person `

// On reports whether the assignment holds on a day.
func (x Assignment) On(day calendar.Date) bool {
	return x.From <= day && (x.Until == "" || x.Until >= day)
}

// Assigned are the assignments of some apprenticeships, in order of time. One
// question, however many there are.
func Assigned(tx *db.Tx, apprenticeships ...string) ([]Assignment, error) {
	if len(apprenticeships) == 0 {
		return nil, nil
	}
	args := make([]any, len(apprenticeships))
	for i, id := range apprenticeships {
		args[i] = id
	}
	return db.All(tx, (*Assignment).fields, assignments+`WHERE x.apprenticeship IN (`+db.In(1, len(args))+`) ORDER BY x.apprenticeship, x.from_day, x.id`, args...)
}

// Accompanies is the condition under which a person ($person) may read and
// decide on reports of the apprenticeship a, on a day ($day), beside having the
// role in its company: they are assigned, or no trainer is (R333; a supervisor
// alone must not shut the trainers out, nor a trainer who is none any more).
// Several people, as in "$1, $2", count as one.
func Accompanies(sub, day string) string {
	return `(EXISTS (SELECT 1 FROM assignment x WHERE x.apprenticeship = a.id AND x.person IN (` + sub + `) AND x.from_day <= ` + day + ` AND (x.until_day = '' OR x.until_day >= ` + day + `))
		OR NOT EXISTS (SELECT 1 FROM assignment x WHERE x.apprenticeship = a.id AND x.role = 'trainer' AND x.from_day <= ` + day + ` AND (x.until_day = '' OR x.until_day >= ` + day + `)
			AND EXISTS (SELECT 1 FROM company_role k WHERE k.company = a.company AND k.person = x.person AND k.role = 'trainer')))`
}

// Reads is Accompanies for a report r of that apprenticeship: who is assigned as
// its supervisor reads the weeks of their time with the apprentice, not the book
// (Art. 5 (1) c GDPR); also while no trainer is assigned.
func Reads(sub, day string) string {
	return `(EXISTS (SELECT 1 FROM assignment x WHERE x.apprenticeship = a.id AND x.person IN (` + sub + `) AND x.from_day <= ` + day + ` AND (x.until_day = '' OR x.until_day >= ` + day + `)
			AND (x.role = 'trainer' OR ` + During + `))
		OR NOT EXISTS (SELECT 1 FROM assignment x WHERE x.apprenticeship = a.id AND x.role = 'trainer' AND x.from_day <= ` + day + ` AND (x.until_day = '' OR x.until_day >= ` + day + `)
			AND EXISTS (SELECT 1 FROM company_role k WHERE k.company = a.company AND k.person = x.person AND k.role = 'trainer'))
		AND (NOT EXISTS (SELECT 1 FROM assignment x WHERE x.apprenticeship = a.id AND x.person IN (` + sub + `) AND x.role = 'supervisor')
			OR EXISTS (SELECT 1 FROM company_role k WHERE k.company = a.company AND k.person IN (` + sub + `) AND k.role = 'trainer')))`
}

// During is the condition that a report r has a day of the assignment x.
const During = `(x.from_day <= r.last_day AND (x.until_day = '' OR x.until_day >= r.first_day))`

// A Companion is somebody who may accompany apprentices in a company, with how
// many they do today.
type Companion struct {
	person.Person
	Trainer, Supervisor bool   // their roles
	Number              string // trainer number (R233)
	Trains, Supervises  int
}

// Companions are the trainers and supervisors of the actor's company, by name,
// a page at a time; after is the key of the last one of the page before.
func Companions(tx *db.Tx, by audit.Actor, after string, limit int) ([]Companion, string, error) {
	s, err := person.Admin(tx, by)
	if err != nil {
		return nil, "", err
	}
	today := calendar.Today(tx.Now())
	running := ` AND x.from_day <= $2 AND (x.until_day = '' OR x.until_day >= $2) AND a.company = $1 AND (a.ended_on = '' OR a.ended_on >= $2) AND (a.ends_on = '' OR a.ends_on >= $2)`
	count := func(role string) string {
		return `(SELECT count(*) FROM assignment x JOIN apprenticeship a ON a.id = x.apprenticeship WHERE x.person = p.sub AND x.role = '` + role + `'` + running + `)`
	}
	key, sub, _ := strings.Cut(after, "/")
	last := ""
	all, err := db.All(tx, func(c *Companion) []any {
		return []any{&c.Sub, &c.Name, &c.Email, &last, &c.Trainer, &c.Supervisor, &c.Number, &c.Trains, &c.Supervises}
	}, `SELECT p.sub, p.name, p.email, p.name_key,
			EXISTS (SELECT 1 FROM company_role r WHERE r.company = $1 AND r.person = p.sub AND r.role = 'trainer'),
			EXISTS (SELECT 1 FROM company_role r WHERE r.company = $1 AND r.person = p.sub AND r.role = 'supervisor'),
			COALESCE((SELECT n.trainer_number FROM company_number n WHERE n.company = $1 AND n.person = p.sub), ''), `+count(Trainer)+`, `+count(Supervisor)+`
		FROM person p WHERE p.sub IN (SELECT r.person FROM company_role r WHERE r.company = $1 AND r.role IN ('trainer', 'supervisor')) AND (p.name_key, p.sub) > ($3, $4)
		ORDER BY p.name_key, p.sub LIMIT $5`, s.Company.ID, today, key, sub, limit+1)
	if err != nil || len(all) <= limit {
		return all, "", err
	}
	all = all[:limit]
	key, err = db.Value[string](tx, `SELECT name_key FROM person WHERE sub = $1`, all[limit-1].Sub)
	return all, key + "/" + all[limit-1].Sub, err
}
