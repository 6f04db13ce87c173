package assignment

import (
	"cmp"
	"fmt"
	"slices"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
)

// mostAtOnce is how many apprenticeships one change may concern.
const mostAtOnce = 200

// maxDepartment is how long the name of a department may be, in characters.
const maxDepartment = 120

// Chosen refuses a choice of nobody, and of more than mostAtOnce.
func Chosen(apprenticeships []string) error {
	switch n := len(apprenticeships); {
	case n == 0:
		return fault.Invalid("id", "assignment.nobody_ticked")
	case n > mostAtOnce:
		return fault.Invalid("id", "assignment.too_many", mostAtOnce)
	}
	return nil
}

// A Change is who accompanies some apprentices from a day on.
type Change struct {
	Apprenticeships []string
	Person, Role    string
	Department      string        // of a supervisor
	From, Until     calendar.Date // Until is empty: open
}

// Assign puts somebody beside apprentices of the actor's company (R232). An
// apprentice has one trainer at a time: another one's time ends the day before
// and goes on the day after. Supervisors there may be several. Whose trainer
// changes is told, and so are both trainers: each once for all the changes.
func Assign(tx *db.Tx, by audit.Actor, changes ...Change) (changed int, err error) {
	s, err := person.Admin(tx, by)
	if err != nil {
		return 0, err
	}
	var news moves
	for _, c := range changes {
		n, err := c.apply(tx, by, s, &news)
		if err != nil {
			return 0, err
		}
		changed += n
	}
	return changed, news.tell(tx, by, s.Company.ID)
}

func (c Change) apply(tx *db.Tx, by audit.Actor, s person.Session, news *moves) (changed int, err error) {
	if err := Chosen(c.Apprenticeships); err != nil {
		return 0, err
	}
	if err := s.Turn(tx); err != nil {
		return 0, err
	}
	all, err := learners(tx, s.Company.ID, c.Apprenticeships)
	if err != nil {
		return 0, err
	}
	if err := c.check(tx, s.Company.ID); err != nil {
		return 0, err
	}
	there, err := Assigned(tx, c.Apprenticeships...)
	if err != nil {
		return 0, err
	}
	for _, a := range all {
		if a.person == c.Person {
			return 0, fault.Invalid("person", "assignment.own_trainer", a.name)
		}
		var before []Assignment
		for _, x := range there {
			if x.Apprenticeship == a.id && x.Role == c.Role && (c.Role == Trainer || x.Person == c.Person) {
				before = append(before, x)
			}
		}
		after := carve(before, Assignment{Apprenticeship: a.id, Person: c.Person, Role: c.Role, Department: c.Department, From: c.From, Until: c.Until})
		if slices.Equal(before, after) {
			continue
		}
		changed++
		news.add(tx, a, before, c)
		if err := replace(tx, by, before, after); err != nil {
			return 0, err
		}
		if err := audit.Record(tx, by, audit.Entry{
			Event: "assignment.changed", Account: a.person, Organization: s.Company.ID, Chamber: a.chamber, Thing: a.id,
			Detail: map[string]any{"person": c.Person, "role": c.Role, "from": string(c.From), "until": string(c.Until)},
		}); err != nil {
			return 0, err
		}
	}
	return changed, nil
}

func (c Change) check(tx *db.Tx, company string) error {
	var p fault.Problems
	if c.From == "" {
		p.Add("from", "assignment.from_missing")
	} else if c.Until != "" && c.Until < c.From {
		p.Add("until", "assignment.until_early", c.From.German())
	}
	if utf8.RuneCountInString(c.Department) > maxDepartment {
		p.Add("department", "assignment.long", maxDepartment)
	}
	roles := []string{Trainer}
	if c.Role == Supervisor { // a trainer may supervise in a department, too
		roles = append(roles, Supervisor)
	}
	args := []any{company, c.Person}
	for _, r := range roles {
		args = append(args, r)
	}
	is, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM company_role WHERE company = $1 AND person = $2 AND role IN (`+db.In(3, len(roles))+`))`, args...)
	if err != nil {
		return err
	}
	if !is || c.Role != Trainer && c.Role != Supervisor {
		p.Add("person", "assignment.person_missing")
	}
	return p.Err()
}

// A learner is what must be known of an apprenticeship to put somebody beside it.
type learner struct {
	id, person, chamber, name string
	last                      calendar.Date // agreed or real; empty while nobody said one
}

const learnersOf = `SELECT id, COALESCE(person, ''), chamber_number, given_name || ' ' || family_name, CASE WHEN ended_on <> '' THEN ended_on ELSE ends_on END FROM apprenticeship WHERE company = $1 `

func (l *learner) fields() []any { return []any{&l.id, &l.person, &l.chamber, &l.name, &l.last} }

// learners are the apprenticeships of a company with some IDs, by name; if one
// is not the company's, none is found.
func learners(tx *db.Tx, company string, ids []string) ([]learner, error) {
	args := []any{company}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		args = append(args, id)
	}
	all, err := db.All(tx, (*learner).fields, learnersOf+`AND id IN (`+db.In(2, len(args)-1)+`) ORDER BY name_key, id`, args...)
	if err == nil && len(all) != len(args)-1 {
		err = fault.NotFound()
	}
	return all, err
}

// carve takes the time of x out of the others' and puts x in: on every day of
// x it is x who accompanies, on every other day who did before. What then
// touches and says the same is one again.
func carve(before []Assignment, x Assignment) (after []Assignment) {
	for _, o := range before {
		if x.Until != "" && o.From > x.Until || o.Until != "" && o.Until < x.From {
			after = append(after, o)
			continue
		}
		if o.From < x.From {
			head := o
			head.Until = x.From.Add(-1)
			after = append(after, head)
		}
		if x.Until != "" && (o.Until == "" || o.Until > x.Until) {
			tail := o
			tail.From = x.Until.Add(1)
			if o.From < x.From {
				tail.ID = "" // its head has it
			}
			after = append(after, tail)
		}
	}
	after = append(after, x)
	slices.SortFunc(after, func(a, b Assignment) int { return cmp.Compare(a.From, b.From) })
	joined := after[:1]
	for _, o := range after[1:] {
		last := &joined[len(joined)-1]
		if last.Person == o.Person && last.Department == o.Department && last.Until != "" && last.Until.Add(1) == o.From {
			last.Until = o.Until
			last.ID, last.Name = cmp.Or(last.ID, o.ID), cmp.Or(last.Name, o.Name)
			continue
		}
		joined = append(joined, o)
	}
	for i := range joined { // what is said again keeps its row
		for _, o := range before {
			if joined[i].ID == "" && o.Person == joined[i].Person && o.From == joined[i].From && !slices.ContainsFunc(joined, func(y Assignment) bool { return y.ID == o.ID }) {
				joined[i].ID, joined[i].Name = o.ID, o.Name
			}
		}
	}
	return joined
}

// replace writes the difference.
func replace(tx *db.Tx, by audit.Actor, before, after []Assignment) error {
	kept := map[string]bool{}
	for _, x := range after {
		if x.ID == "" {
			_, err := tx.Exec(`INSERT INTO assignment (id, apprenticeship, person, role, department, from_day, until_day, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
				db.NewID(), x.Apprenticeship, x.Person, x.Role, x.Department, x.From, x.Until, tx.Now(), by.Account)
			if err != nil {
				return fmt.Errorf("assign: %w", err)
			}
			continue
		}
		kept[x.ID] = true
		if slices.Contains(before, x) {
			continue
		}
		if _, err := tx.Exec(`UPDATE assignment SET from_day = $2, until_day = $3, department = $4 WHERE id = $1`, x.ID, x.From, x.Until, x.Department); err != nil {
			return fmt.Errorf("assign: %w", err)
		}
	}
	for _, x := range before {
		if !kept[x.ID] {
			if _, err := tx.Exec(`DELETE FROM assignment WHERE id = $1`, x.ID); err != nil {
				return fmt.Errorf("assign: %w", err)
			}
		}
	}
	return nil
}

// Release ends an assignment with a day; before its first day it goes altogether.
func Release(tx *db.Tx, by audit.Actor, apprenticeship, id string, last calendar.Date) error {
	s, err := person.Admin(tx, by)
	if err != nil {
		return err
	}
	a, err := db.One(tx, (*learner).fields, learnersOf+`AND id = $2`, s.Company.ID, apprenticeship)
	if err != nil {
		return err
	}
	if last == "" {
		return fault.Invalid("until", "assignment.until_missing")
	}
	if err := s.Turn(tx); err != nil {
		return err
	}
	x, err := db.One(tx, (*Assignment).fields, assignments+`WHERE x.id = $1 AND x.apprenticeship = $2`, id, a.id)
	if err != nil {
		return err
	}
	after := x
	after.Until = last
	left := []Assignment{after}
	if last < x.From {
		left = nil
	}
	if err := replace(tx, by, []Assignment{x}, left); err != nil {
		return err
	}
	if err := audit.Record(tx, by, audit.Entry{
		Event: "assignment.released", Account: a.person, Organization: s.Company.ID, Chamber: a.chamber, Thing: a.id, Detail: map[string]any{"person": x.Person, "role": x.Role, "until": string(last)},
	}); err != nil {
		return err
	}
	var news moves
	news.released(tx, a, x, max(x.From, last.Add(1)))
	return news.tell(tx, by, s.Company.ID)
}
