package apprenticeship

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

// MostAtOnce is how many apprenticeships one change may concern.
const MostAtOnce = 200

// A Change is who accompanies some apprentices from a day on.
type Change struct {
	Apprenticeships []string
	Person, Role    string
	Department      string        // of a supervisor
	From, Until     calendar.Date // Until is empty: open
}

// Assign puts somebody beside apprentices of the actor's company (R232). An
// apprentice has one trainer at a time: another one's time ends the day before
// and goes on the day after. Supervisors there may be several.
func Assign(tx *db.Tx, by audit.Actor, c Change) (changed int, err error) {
	s, err := Admin(tx, by)
	if err != nil {
		return 0, err
	}
	if err := turn(tx, s.Company.ID); err != nil {
		return 0, err
	}
	all, err := Several(tx, by, c.Apprenticeships)
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
		if a.Person == c.Person {
			return 0, fault.Invalid("person", "apprenticeship.own_trainer", a.Name())
		}
		var before []Assignment
		for _, x := range there {
			if x.Apprenticeship == a.ID && x.Role == c.Role && (c.Role == Trainer || x.Person == c.Person) {
				before = append(before, x)
			}
		}
		after := carve(before, Assignment{Apprenticeship: a.ID, Person: c.Person, Role: c.Role, Department: c.Department, From: c.From, Until: c.Until})
		if slices.Equal(before, after) {
			continue
		}
		changed++
		if err := replace(tx, by, before, after); err != nil {
			return 0, err
		}
		if err := audit.Record(tx, by, audit.Entry{
			Event: "assignment.changed", Account: a.Person, Organization: a.Company, Chamber: a.ChamberNumber, Thing: a.ID,
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
		p.Add("from", "apprenticeship.from_missing")
	} else if c.Until != "" && c.Until < c.From {
		p.Add("until", "apprenticeship.until_early", c.From.German())
	}
	if utf8.RuneCountInString(c.Department) > maxSite {
		p.Add("department", "apprenticeship.long", maxSite)
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
		p.Add("person", "apprenticeship.person_missing")
	}
	return p.Err()
}

// Several are apprenticeships of the actor's company, by name; if one is not
// theirs, none is found.
func Several(tx *db.Tx, by audit.Actor, ids []string) ([]Apprenticeship, error) {
	s, err := Admin(tx, by)
	switch {
	case err != nil:
		return nil, err
	case len(ids) == 0:
		return nil, fault.Invalid("id", "apprenticeship.nobody_ticked")
	case len(ids) > MostAtOnce:
		return nil, fault.Invalid("id", "apprenticeship.too_many", MostAtOnce)
	}
	args := []any{s.Company.ID}
	for _, id := range ids {
		args = append(args, id)
	}
	all, err := db.All(tx, (*Apprenticeship).fields, `SELECT `+columns+` FROM apprenticeship WHERE company = $1 AND id IN (`+db.In(2, len(ids))+`) ORDER BY name_key, id`, args...)
	if err == nil && len(all) != len(slices.Compact(slices.Sorted(slices.Values(ids)))) {
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
func Release(tx *db.Tx, by audit.Actor, id, assignment string, last calendar.Date) error {
	s, a, err := mine(tx, by, id)
	if err != nil {
		return err
	}
	if last == "" {
		return fault.Invalid("until", "apprenticeship.until_missing")
	}
	if err := turn(tx, s.Company.ID); err != nil {
		return err
	}
	x, err := db.One(tx, (*Assignment).fields, assignments+`WHERE x.id = $1 AND x.apprenticeship = $2`, assignment, a.ID)
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
	return audit.Record(tx, by, audit.Entry{
		Event: "assignment.released", Account: a.Person, Organization: a.Company, Chamber: a.ChamberNumber, Thing: a.ID, Detail: map[string]any{"person": x.Person, "role": x.Role, "until": string(last)},
	})
}

// handOver lets those who accompany an apprenticeship go on with the one that
// continues it.
func handOver(tx *db.Tx, from string, next Apprenticeship) error {
	there, err := Assigned(tx, from)
	if err != nil {
		return err
	}
	for _, x := range there {
		if x.Until != "" && x.Until < next.StartsOn {
			continue
		}
		x.ID, x.Apprenticeship, x.From = "", next.ID, max(x.From, next.StartsOn)
		if err := replace(tx, audit.Actor{Account: ""}, nil, []Assignment{x}); err != nil {
			return err
		}
	}
	return nil
}

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
	s, err := Admin(tx, by)
	if err != nil {
		return nil, "", err
	}
	today := calendar.Today(tx.Now())
	running := ` AND x.from_day <= $2 AND (x.until_day = '' OR x.until_day >= $2) AND a.company = $1 AND (a.ended_on = '' OR a.ended_on >= $2) AND (a.ends_on = '' OR a.ends_on >= $2)`
	count := func(role string) string {
		return `(SELECT count(*) FROM assignment x JOIN apprenticeship a ON a.id = x.apprenticeship WHERE x.person = p.sub AND x.role = '` + role + `'` + running + `)`
	}
	key, sub := cutKey(after)
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
