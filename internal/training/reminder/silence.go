package reminder

import (
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
	"zunft/internal/training/standing"
)

// A Silence is that somebody has submitted nothing since a day although weeks
// are open; On is the day after which their trainers hear of it. Zero: it is
// none, or the company does not want to know.
type Silence struct {
	Since, On calendar.Date
	Told      bool
}

// silent works a silence out. seen is since when we know the person here.
func silent(b standing.Book, seen calendar.Date, weeks int, r rest, days holidays) Silence {
	a := b.Running()
	if b.Open == 0 || weeks == 0 || !b.Electronic {
		return Silence{}
	}
	since := max(a.StartsOn, seen)
	for _, l := range b.Reports {
		if !l.SubmittedAt.IsZero() && l.State != "draft" {
			since = max(since, calendar.Today(l.SubmittedAt))
		}
	}
	if since == "" {
		return Silence{}
	}
	on := since
	for n := 0; n < weeks*7; {
		if on = on.Add(1); !slices.Contains(b.Lost, on) && !r.on(days, a.Land, on) {
			n++
		}
		if since.Days(on) > 2*366 { // nobody is away for ever
			break
		}
	}
	return Silence{Since: since, On: on}
}

// shows reports whether it is time to speak of it: half of the time is over.
func (s Silence) shows(today calendar.Date) bool {
	return s.Since != "" && (s.Told || s.Since.Days(today) >= s.Since.Days(s.On)/2)
}

// SilenceOf is what an apprentice must know of their own, and whether their
// trainers know it already; empty while it is too early to speak of.
func SilenceOf(tx *db.Tx, s person.Session, b standing.Book) (Silence, error) {
	if b.Open == 0 {
		return Silence{}, nil
	}
	sub, company := s.Person.Sub, b.Running().Company
	weeks, err := weeksOf(tx, []any{company})
	if err != nil {
		return Silence{}, err
	}
	today := calendar.Today(tx.Now())
	rests, err := restOf(tx, []any{sub}, today.Add(-remembered))
	if err != nil {
		return Silence{}, err
	}
	seen, err := seenSince(tx, []any{sub})
	if err != nil {
		return Silence{}, err
	}
	found := silent(b, seen[sub][company], weeks.of(company), rests[sub], holidays{})
	if found.Since == "" {
		return found, nil
	}
	told, err := db.Value[db.Time](tx, `SELECT told_at FROM silence WHERE person = $1 AND since = $2 AND told_at IS NOT NULL`, sub, found.Since)
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return Silence{}, err
	}
	if !told.IsZero() {
		found.Told, found.On = true, calendar.Today(told)
	}
	if !found.shows(today) {
		found = Silence{}
	}
	return found, nil
}

// remembered is how many days back planned absences put a silence off.
const remembered = 400

// seenSince is since when people are known to keep a book, by company.
func seenSince(tx *db.Tx, people []any) (map[string]map[string]calendar.Date, error) {
	all := map[string]map[string]calendar.Date{}
	return all, tx.Each(`SELECT person, company, min(since) FROM company_role WHERE person IN (`+db.In(1, len(people))+`) AND role IN ('apprentice', 'retrainee') GROUP BY person, company`, people,
		func(scan func(...any) error) error {
			var sub, company string
			var at db.Time
			err := scan(&sub, &company, &at)
			if all[sub] == nil {
				all[sub] = map[string]calendar.Date{}
			}
			all[sub][company] = calendar.Today(at)
			return err
		})
}
