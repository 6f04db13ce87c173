package standing

import (
	"slices"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/plain"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/assignment"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
	"zunft/internal/training/substitute"
)

// A listed apprenticeship, with what it is sorted by.
type listed struct {
	apprenticeship.Apprenticeship
	key string
}

// accompanied reads apprenticeships that run in a company, or ended lately:
// the last reports are signed off after the last day.
func accompanied(tx *db.Tx, s person.Session, search, after string, limit int) ([]listed, error) {
	today := calendar.Today(tx.Now())
	key, id, _ := strings.Cut(after, "/")
	args := []any{s.Company.ID, today.Add(-60), key, id, limit}
	who, args, err := accompanies(tx, s, today, args)
	if err != nil {
		return nil, err
	}
	for i, w := range plain.Words(search) {
		if i == 5 {
			break
		}
		args = append(args, "%"+w+"%")
		who += ` AND a.words LIKE ` + db.In(len(args), 1)
	}
	return db.All(tx, (*listed).fields, list+`WHERE a.company = $1 AND (a.name_key, a.id) > ($3, $4) AND (a.ended_on = '' OR a.ended_on >= $2) AND (a.ended_on <> '' OR a.ends_on = '' OR a.ends_on >= $2)`+who+`
		ORDER BY a.name_key, a.id LIMIT $5`, args...)
}

// accompanies is the condition under which somebody sees the apprenticeship a
// of their company: training admins all, others whom they accompany or stand in for.
func accompanies(tx *db.Tx, s person.Session, today calendar.Date, args []any) (string, []any, error) {
	if s.Is(person.TrainingAdmin) {
		return "", args, nil
	}
	people := []any{s.Person.Sub}
	if s.Signs() {
		away, err := substitute.For(tx, s.Company.ID, s.Person.Sub)
		if err != nil {
			return "", args, err
		}
		for _, sub := range away {
			people = append(people, sub)
		}
	}
	args = append(args, today)
	day := db.In(len(args), 1)
	return ` AND ` + assignment.Accompanies(db.In(len(args)+1, len(people)), day), append(args, people...), nil
}

const list = `SELECT a.id, a.name_key, COALESCE(a.person, ''), COALESCE(a.company, ''), a.chamber_number, COALESCE(p.given_name, a.given_name), COALESCE(p.family_name, a.family_name),
	a.occupation, a.retraining, a.site, a.land, a.starts_on, a.ends_on, a.ended_on, a.source, a.version
	FROM apprenticeship a LEFT JOIN person p ON p.sub = a.person `

func (a *listed) fields() []any {
	return []any{
		&a.ID, &a.key, &a.Person, &a.Company, &a.ChamberNumber, &a.GivenName, &a.FamilyName, &a.Occupation, &a.Retraining,
		&a.Site, &a.Land, &a.StartsOn, &a.EndsOn, &a.EndedOn, &a.Source, &a.Version,
	}
}

// accompaniedBy is the newest apprenticeship of a person that somebody sees.
func accompaniedBy(tx *db.Tx, s person.Session, sub string) (listed, error) {
	args := []any{s.Company.ID, sub}
	who, args, err := accompanies(tx, s, calendar.Today(tx.Now()), args)
	if err != nil {
		return listed{}, err
	}
	return db.One(tx, (*listed).fields, list+`WHERE a.company = $1 AND a.person = $2`+who+` ORDER BY a.starts_on DESC, a.id DESC LIMIT 1`, args...)
}

// count fills the stands of spans. What stands in report_book comes in one line
// per person ("202530signed_off* 202648draft"; * is the time on paper) and is
// counted here: a row per report cost twice as much with SQLite and four times
// with PostgreSQL, and counting by state took SQLite seven times as long.
func count(tx *db.Tx, spans []span, stands map[string]Stand) error {
	people, args := map[string][]span{}, []any{}
	for _, s := range spans {
		if people[s.a.Person] == nil {
			args = append(args, s.a.Person)
		}
		people[s.a.Person] = append(people[s.a.Person], s)
	}
	covered, lowest, long := map[string]int{}, map[string]int{}, false
	err := tx.Each(`SELECT apprentice, string_agg(CAST(year * 100 + week AS TEXT) || CASE WHEN undo_until > `+db.In(len(args)+1, 1)+` THEN 'checked' ELSE state END || CASE kind WHEN 'paper' THEN '*' ELSE '' END, ' ')
		FROM report WHERE apprentice IN (`+db.In(1, len(args))+`) GROUP BY apprentice`, append(args, tx.Now()),
		func(scan func(...any) error) error {
			var sub, reports string
			if err := scan(&sub, &reports); err != nil {
				return err
			}
			all := strings.Fields(reports)
			slices.Sort(all)
			for _, s := range people[sub] {
				st := stands[s.a.ID]
				last := 0 // the week counted last as covered: in a week of change there are two reports
				for _, r := range all {
					at, err := strconv.Atoi(r[:6])
					if err != nil {
						return err
					}
					state, onPaper := strings.CutSuffix(r[6:], "*")
					long = long || onPaper
					if at < s.first || at > s.last {
						continue
					}
					st.add(state, at)
					if lowest[s.a.ID] == 0 {
						lowest[s.a.ID] = at
					}
					if done(state) && at <= s.due && at != last {
						covered[s.a.ID]++
						last = at
					}
				}
				stands[s.a.ID] = st
			}
			return nil
		})
	if err == nil && long {
		err = paper(tx, people, covered, lowest)
	}
	if err != nil {
		return err
	}
	for _, s := range spans {
		st := stands[s.a.ID]
		first := s.first
		if first == 0 {
			first = lowest[s.a.ID]
		}
		if first > 0 {
			st.First = week(first)
		}
		st.Weeks, st.Open = between(first, s.ended), max(0, between(first, s.due)-covered[s.a.ID])
		stands[s.a.ID] = st
	}
	return nil
}

// add counts a report.
func (s *Stand) add(state string, at int) {
	switch state {
	case "signed_off":
		s.SignedOff++
	case "submitted", "checked":
		s.Waiting++
	case "returned":
		s.Returned++
	case "draft":
		s.Drafts++
	}
	if done(state) {
		s.Last = week(at)
	}
}

// done: its author has nothing more to do.
func done(state string) bool {
	return state == "submitted" || state == "checked" || state == "signed_off"
}

// paper adds the weeks that a long report covers beyond the one it stands in
// (R317). Who has one, has one.
func paper(tx *db.Tx, people map[string][]span, covered, lowest map[string]int) error {
	args := make([]any, 0, len(people))
	for sub := range people {
		args = append(args, sub)
	}
	return tx.Each(`SELECT apprentice, year * 100 + week, first_day, last_day, state FROM report WHERE kind = 'paper' AND apprentice IN (`+db.In(1, len(args))+`)`, args,
		func(scan func(...any) error) error {
			var sub, state string
			var at int
			var first, last calendar.Date
			if err := scan(&sub, &at, &first, &last, &state); err != nil {
				return err
			}
			for _, s := range people[sub] {
				from, to := max(number(first.Week()), s.first), min(number(last.Week()), s.last)
				if low := lowest[s.a.ID]; from <= to && (low == 0 || from < low) {
					lowest[s.a.ID] = from
				}
				if !done(state) {
					continue
				}
				covered[s.a.ID] += between(from, min(to, s.due))
				if at >= s.first && at <= s.due {
					covered[s.a.ID]-- // it was counted as one week
				}
			}
			return nil
		})
}

// apprenticeships of a person, the oldest first.
func apprenticeships(tx *db.Tx, sub string) ([]apprenticeship.Apprenticeship, error) {
	return db.All(tx, owned, own+`WHERE person = $1 ORDER BY starts_on, id`, sub)
}

const own = `SELECT id, COALESCE(person, ''), COALESCE(company, ''), chamber_number, given_name, family_name, occupation, retraining,
	site, land, starts_on, ends_on, ended_on, COALESCE(previous, ''), source, version FROM apprenticeship `

func owned(a *apprenticeship.Apprenticeship) []any {
	return []any{
		&a.ID, &a.Person, &a.Company, &a.ChamberNumber, &a.GivenName, &a.FamilyName, &a.Occupation, &a.Retraining,
		&a.Site, &a.Land, &a.StartsOn, &a.EndsOn, &a.EndedOn, &a.Previous, &a.Source, &a.Version,
	}
}

// lines are the reports of a book without their texts, as they stand in
// report_book. While a sign-off can be taken back everybody reads "in
// Durchsicht".
func lines(tx *db.Tx, sub string, own bool) ([]Line, error) {
	query := othersLines
	if own {
		query = ownLines
	}
	return db.All(tx, func(l *Line) []any {
		return []any{&l.ID, &l.Company, &l.Week.Year, &l.Week.Number, &l.First, &l.Last, &l.State, &l.Kind, &l.SubmittedAt}
	}, query, sub, tx.Now())
}

const (
	othersLines = `SELECT id, company, year, week, first_day, last_day, CASE WHEN undo_until > $2 THEN 'checked' ELSE state END, kind, submitted_at
		FROM report WHERE apprentice = $1 AND submitted_at IS NOT NULL ORDER BY year, week`
	ownLines = `SELECT id, company, year, week, first_day, last_day, CASE WHEN undo_until > $2 THEN 'checked' ELSE state END, kind, submitted_at
		FROM report WHERE apprentice = $1 ORDER BY year, week`
)

// A Decision is who decided about a report, and why it was returned.
type Decision struct{ By, Answer string }

// Decisions are those about some lines, by report; who signed off is told when
// it is final.
func Decisions(tx *db.Tx, lines []Line) (map[string]Decision, error) {
	all, ids := map[string]Decision{}, make([]any, 0, len(lines))
	for _, l := range lines {
		ids = append(ids, l.ID)
	}
	if len(ids) == 0 {
		return all, nil
	}
	return all, tx.Each(`SELECT r.id, COALESCE(p.name, ''), r.answer FROM report r LEFT JOIN person p ON p.sub = r.decided_by AND (r.undo_until IS NULL OR r.undo_until <= `+db.In(len(ids)+1, 1)+`)
		WHERE r.id IN (`+db.In(1, len(ids))+`)`, append(ids, tx.Now()),
		func(scan func(...any) error) error {
			var id string
			var d Decision
			err := scan(&id, &d.By, &d.Answer)
			all[id] = d
			return err
		})
}

// stepsOf are the exam steps of an apprenticeship, by kind.
func stepsOf(tx *db.Tx, id string) (map[string]Step, error) {
	all, err := db.All(tx, func(s *Step) []any { return []any{&s.Apprenticeship, &s.Kind, &s.Day, &s.SaidBy, &s.ConfirmedAt} },
		`SELECT apprenticeship, kind, day, said_by, confirmed_at FROM exam_step WHERE apprenticeship = $1`, id)
	steps := map[string]Step{}
	for _, s := range all {
		steps[s.Kind] = s
	}
	return steps, err
}

// names are at most three people with a role who accompany an apprenticeship.
func names(tx *db.Tx, a apprenticeship.Apprenticeship, day calendar.Date, role string) ([]string, error) {
	condition := assignment.Accompanies("p.sub", "$3")
	if role == person.TrainingAdmin {
		condition = `$3 <> ''`
	}
	return db.Values[string](tx, `SELECT p.name FROM apprenticeship a JOIN company_role k ON k.company = a.company AND k.role = $2 JOIN person p ON p.sub = k.person
		WHERE a.id = $1 AND `+condition+` ORDER BY p.name_key, p.sub LIMIT 3`, a.ID, role, day)
}

// Said are the steps of a person's apprenticeships that wait for the chamber's word.
func Said(tx *db.Tx, sub string) ([]Step, error) {
	return db.All(tx, func(s *Step) []any { return []any{&s.Apprenticeship, &s.Kind, &s.Day, &s.SaidBy, &s.ConfirmedAt} },
		`SELECT e.apprenticeship, e.kind, e.day, p.name, e.confirmed_at FROM apprenticeship a JOIN exam_step e ON e.apprenticeship = a.id JOIN person p ON p.sub = e.said_by
		WHERE a.person = $1 AND e.confirmed_at IS NULL ORDER BY e.said_at`, sub)
}
