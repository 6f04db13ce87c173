package reminder

import (
	"slices"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/training/calendar"
)

// A rest is on which days somebody is left alone.
type rest struct {
	land     string // said by themselves
	regional []string
	away     []span
}

type span struct{ from, until calendar.Date }

// on reports whether it is one of them; land is that of the apprenticeship, if
// it says one.
func (r rest) on(days holidays, land string, day calendar.Date) bool {
	if land == "" {
		land = r.land
	}
	return slices.ContainsFunc(r.away, func(s span) bool { return s.from <= day && day <= s.until }) || days.on(land, r.regional, day)
}

// holidays remembers what it worked out, for a batch of people.
type holidays map[string]map[calendar.Date]bool

func (h holidays) on(land string, regional []string, day calendar.Date) bool {
	key := string(day[:4]) + land + strings.Join(regional, " ")
	year, known := h[key]
	if !known {
		year = map[calendar.Date]bool{}
		for _, x := range calendar.Holidays(land, day.Time().Year()) {
			if !x.Regional || slices.Contains(regional, x.Key) {
				year[x.Date] = true
			}
		}
		h[key] = year
	}
	return year[day]
}

// restOf is what apprentices planned, since a day, and where they work.
func restOf(tx *db.Tx, people []any, since calendar.Date) (map[string]rest, error) {
	all := map[string]rest{}
	err := tx.Each(`SELECT person, land, regional FROM week_pattern WHERE person IN (`+db.In(1, len(people))+`)`, people, func(scan func(...any) error) error {
		var sub, land, regional string
		err := scan(&sub, &land, &regional)
		all[sub] = rest{land: land, regional: strings.Fields(regional)}
		return err
	})
	if err != nil {
		return nil, err
	}
	n := len(people) + 1
	return all, tx.Each(`SELECT person, from_day, until_day FROM planned_time WHERE person IN (`+db.In(1, len(people))+`) AND until_day >= `+db.In(n, 1)+` AND attendance IN ('vacation', 'sick', 'free')`,
		append(slices.Clone(people), since), func(scan func(...any) error) error {
			var sub string
			var s span
			err := scan(&sub, &s.from, &s.until)
			r := all[sub]
			r.away = append(r.away, s)
			all[sub] = r
			return err
		})
}

// restOfSigners is when trainers have a substitute today, and where their
// apprentices work, if that is one Land.
func restOfSigners(tx *db.Tx, people, companies []any, at map[string][]string) (map[string]rest, error) {
	lands := map[string][]string{}
	err := tx.Each(`SELECT DISTINCT company, land FROM apprenticeship WHERE company IN (`+db.In(1, len(companies))+`) AND land <> ''`, companies, func(scan func(...any) error) error {
		var company, land string
		err := scan(&company, &land)
		lands[company] = append(lands[company], land)
		return err
	})
	if err != nil {
		return nil, err
	}
	all := map[string]rest{}
	for sub, in := range at {
		var r rest
		if len(in) == 1 && len(lands[in[0]]) == 1 {
			r.land = lands[in[0]][0]
		}
		all[sub] = r
	}
	today := calendar.Today(tx.Now())
	n := len(people) + 1
	return all, tx.Each(`SELECT person, from_day, until_day FROM substitute WHERE person IN (`+db.In(1, len(people))+`) AND ended_at IS NULL AND from_day <= `+db.In(n, 1)+` AND until_day >= `+db.In(n, 1),
		append(slices.Clone(people), today), func(scan func(...any) error) error {
			var sub string
			var s span
			err := scan(&sub, &s.from, &s.until)
			r := all[sub]
			r.away = append(r.away, s)
			all[sub] = r
			return err
		})
}
