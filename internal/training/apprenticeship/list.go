package apprenticeship

import (
	"slices"
	"strconv"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/plain"
	"zunft/internal/training/assignment"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
)

func cutKey(after string) (key, id string) {
	key, id, _ = strings.Cut(after, "/")
	return key, id
}

// What a list of apprenticeships shows.
const (
	Running  = ""         // and those that begin later
	Ended    = "ended"    // and nothing else
	Unknown  = "unknown"  // nobody has come yet
	Alone    = "alone"    // no trainer is assigned today (R232)
	Sketched = "sketched" // occupation or days are missing
)

// Views in the order of the page.
func Views() []string { return []string{Running, Unknown, Alone, Sketched, Ended} }

// A Filter narrows the list of a company.
type Filter struct {
	View       string
	Search     string
	Companion  string // accompanied by this person today
	Occupation string
	After      string // Cursor of the last one of the page before
}

// A Listed apprenticeship.
type Listed struct {
	Apprenticeship
	Name   string // as the account says it, else as the company does
	Cursor string
}

// List are the apprenticeships of the actor's company, by name, at most so many.
func List(tx *db.Tx, by audit.Actor, f Filter, limit int) ([]Listed, error) {
	s, err := person.Admin(tx, by)
	if err != nil {
		return nil, err
	}
	where, args := f.where(s.Company.ID, calendar.Today(tx.Now()))
	args = append(args, limit)
	all, err := db.All(tx, func(l *Listed) []any { return append((&l.Apprenticeship).fields(), &l.Name, &l.Cursor) },
		`SELECT `+qualified+`, COALESCE(p.name, ''), a.name_key FROM apprenticeship a LEFT JOIN person p ON p.sub = a.person WHERE `+where+` ORDER BY a.name_key, a.id LIMIT `+at(len(args)), args...)
	for i := range all {
		if all[i].Name == "" {
			all[i].Name = all[i].Apprenticeship.Name()
		}
		all[i].Cursor += "/" + all[i].ID
	}
	return all, err
}

// Counts are how many apprenticeships a company has in each view, in one
// question.
func Counts(tx *db.Tx, by audit.Actor) (map[string]int, error) {
	s, err := person.Admin(tx, by)
	if err != nil {
		return nil, err
	}
	views := Views()
	sums, found := make([]string, len(views)), make([]int, len(views))
	into := make([]any, len(views))
	for i, v := range views {
		sums[i], into[i] = `count(*) FILTER (WHERE `+inView(v)+`)`, &found[i]
	}
	if err := tx.Scan(`SELECT `+strings.Join(sums, `, `)+` FROM apprenticeship a WHERE a.company = $1`, []any{s.Company.ID, calendar.Today(tx.Now())}, into...); err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for i, v := range views {
		counts[v] = found[i]
	}
	return counts, nil
}

// qualified are the columns of the table a.
var qualified = func() string {
	var q []string
	for c := range strings.SplitSeq(strings.ReplaceAll(columns, ", '')", "|)"), ", ") {
		if inner, yes := strings.CutPrefix(c, "COALESCE("); yes {
			c = "COALESCE(a." + strings.ReplaceAll(inner, "|)", ", '')")
		} else {
			c = "a." + c
		}
		q = append(q, c)
	}
	return strings.Join(q, ", ")
}()

func at(n int) string { return "$" + strconv.Itoa(n) }

// inView is the condition for apprenticeships a of a view; $2 is today.
func inView(view string) string {
	const ended = `(a.ended_on <> '' AND a.ended_on < $2 OR a.ended_on = '' AND a.ends_on <> '' AND a.ends_on < $2)`
	switch view {
	case Ended:
		return ended
	case Unknown:
		return `NOT ` + ended + ` AND a.person IS NULL`
	case Alone:
		return `NOT ` + ended + ` AND NOT EXISTS (SELECT 1 FROM assignment x WHERE x.apprenticeship = a.id AND x.role = 'trainer' AND x.from_day <= $2 AND (x.until_day = '' OR x.until_day >= $2))`
	case Sketched:
		return `NOT ` + ended + ` AND (a.occupation = '' OR a.starts_on = '' OR a.ends_on = '')`
	}
	return `NOT ` + ended
}

func (f Filter) where(company string, today calendar.Date) (string, []any) {
	args := []any{company, today}
	place := func(v any) string { args = append(args, v); return at(len(args)) }
	where := `a.company = $1 AND ` + inView(f.View)
	for i, w := range plain.Words(f.Search) {
		if i == 5 {
			break
		}
		where += ` AND a.words LIKE ` + place("%"+w+"%")
	}
	if f.Companion != "" {
		where += ` AND a.id IN (SELECT x.apprenticeship FROM assignment x WHERE x.person = ` + place(f.Companion) + ` AND x.from_day <= $2 AND (x.until_day = '' OR x.until_day >= $2))`
	}
	if f.Occupation != "" {
		where += ` AND a.occupation = ` + place(f.Occupation)
	}
	if f.After != "" {
		key, id := cutKey(f.After)
		where += ` AND (a.name_key, a.id) > (` + place(key) + `, ` + place(id) + `)`
	}
	return where, args
}

// Undescribed are people who keep a report book in the actor's company although
// nobody said what they learn, at most so many.
func Undescribed(tx *db.Tx, by audit.Actor, limit int) ([]person.Person, error) {
	s, err := person.Admin(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, func(p *person.Person) []any { return []any{&p.Sub, &p.Name, &p.GivenName, &p.FamilyName, &p.Email} },
		`SELECT p.sub, p.name, p.given_name, p.family_name, p.email FROM person p
		WHERE p.sub IN (SELECT r.person FROM company_role r WHERE r.company = $1 AND r.role IN ('apprentice', 'retrainee'))
		AND NOT EXISTS (SELECT 1 FROM apprenticeship a WHERE a.person = p.sub AND a.company = $1) ORDER BY p.name_key, p.sub LIMIT $2`, s.Company.ID, limit)
}

// Free are apprentices of the actor's company to whom an apprenticeship may be
// given: who has none there that somebody described.
func Free(tx *db.Tx, by audit.Actor, limit int) ([]person.Person, error) {
	s, err := person.Admin(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, func(p *person.Person) []any { return []any{&p.Sub, &p.Name, &p.GivenName, &p.FamilyName, &p.Email} },
		`SELECT p.sub, p.name, p.given_name, p.family_name, p.email FROM person p
		WHERE p.sub IN (SELECT r.person FROM company_role r WHERE r.company = $1 AND r.role IN ('apprentice', 'retrainee'))
		AND NOT EXISTS (SELECT 1 FROM apprenticeship a WHERE a.person = p.sub AND a.company = $1 AND a.source <> 'self') ORDER BY p.name_key, p.sub LIMIT $2`, s.Company.ID, limit)
}

// Several are the apprenticeships of the actor's company that somebody chose to
// assign, by name; if one is not theirs, none is found.
func Several(tx *db.Tx, by audit.Actor, ids []string) ([]Apprenticeship, error) {
	s, err := person.Admin(tx, by)
	if err != nil {
		return nil, err
	}
	if err := assignment.Chosen(ids); err != nil {
		return nil, err
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

// Beside are the apprenticeships of the same company that this one continues,
// and that continue it.
func Beside(tx *db.Tx, a Apprenticeship) (before Apprenticeship, after []Apprenticeship, err error) {
	all, err := db.All(tx, (*Apprenticeship).fields, `SELECT `+columns+` FROM apprenticeship WHERE company = $1 AND (id = $2 OR previous = $3) ORDER BY starts_on, id LIMIT 10`, a.Company, a.Previous, a.ID)
	for _, x := range all {
		if x.ID == a.Previous {
			before = x
		} else {
			after = append(after, x)
		}
	}
	return before, after, err
}

// Usual is where the newest apprenticeship of the actor's company is learned:
// the next one probably, too.
func Usual(tx *db.Tx, by audit.Actor) (land, site string, err error) {
	s, err := person.Admin(tx, by)
	if err != nil {
		return "", "", err
	}
	err = tx.Scan(`SELECT land, site FROM apprenticeship WHERE company = $1 AND land <> '' ORDER BY id DESC LIMIT 1`, []any{s.Company.ID}, &land, &site)
	if fault.Is(err, fault.KindNotFound) {
		err = nil
	}
	return land, site, err
}
