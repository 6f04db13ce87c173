// Package planning knows a week before anybody writes it, so that an apprentice
// types only what was different (ux.md 0 no. 3):
//
//	pattern of the person's weeks  ◀ covered by ─ departments they are assigned to
//	                               ◀ planned times: vacation, illness, school blocks …
//	                               ◀ lessons of the school's timetable
//	                               ◀ public holidays of the Land
//
// Nothing of it is a report: Prefill is what the editor begins with, and only
// what is saved there counts. Beside that it keeps texts used again and again,
// and the sections of training plans with the words that speak for them.
package planning

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

// A Pattern is how a person's weeks usually are.
type Pattern struct {
	Days     [7]book.Day // attendance, place and minutes; no attendance: not at work
	Regional []string    // keys of holidays that hold where they work (calendar.RegionalHolidays)
	Land     string      // where the apprenticeship says none
	Own      bool        // the person said so; FALSE: the default
}

// standard is the pattern of who said nothing: Monday to Friday, eight hours
// (§ 8 section 1 JArbSchG).
var standard = Pattern{Days: [7]book.Day{usual, usual, usual, usual, usual}}

var usual = book.Day{Attendance: "company", Minutes: 8 * 60}

// PatternDays are the kinds of days a pattern may have.
var PatternDays = []string{"", "company", "school", "course", "free"}

// PatternOf is a person's pattern, or the standard one.
func PatternOf(tx *db.Tx, sub string) (Pattern, error) {
	type whose string
	return db.Once(tx, whose(sub), func() (Pattern, error) { return patternOf(tx, sub) })
}

func patternOf(tx *db.Tx, sub string) (Pattern, error) {
	p := Pattern{Own: true}
	var days, regional string
	err := tx.Scan(`SELECT days, regional, land FROM week_pattern WHERE person = $1`, []any{sub}, &days, &regional, &p.Land)
	if fault.Is(err, fault.KindNotFound) {
		return standard, nil
	}
	if err != nil {
		return p, fmt.Errorf("pattern of %s: %w", sub, err)
	}
	p.Regional = strings.Fields(regional)
	return p, json.Unmarshal([]byte(days), &p.Days)
}

// SavePattern keeps how the actor's weeks usually are.
func SavePattern(tx *db.Tx, by audit.Actor, p Pattern) error {
	s, err := person.Author(tx, by)
	if err != nil {
		return err
	}
	var wrong fault.Problems
	for i, d := range p.Days {
		name := book.DayField(i + 1)
		if !slices.Contains(PatternDays, d.Attendance) {
			wrong.Add(name+"_attendance", "book.attendance_unknown")
		}
		if utf8.RuneCountInString(d.Place) > book.MaxLine {
			wrong.Add(name+"_place", "book.place_long", book.MaxLine)
		}
		switch {
		case d.Minutes < 0:
			wrong.Add(name+"_hours", "book.hours_unreadable")
		case d.Minutes > 24*60:
			wrong.Add(name+"_hours", "book.hours_most")
		}
		p.Days[i] = book.Day{Attendance: d.Attendance, Place: d.Place, Minutes: d.Minutes}
	}
	if p.Land != "" && !slices.Contains(calendar.Lands, p.Land) {
		wrong.Add("land", "planning.land_unknown")
	}
	if err := wrong.Err(); err != nil {
		return err
	}
	known := func(key string) bool {
		return slices.ContainsFunc(calendar.Lands, func(land string) bool { return slices.Contains(calendar.RegionalHolidays(land), key) })
	}
	regional := slices.DeleteFunc(slices.Clone(p.Regional), func(key string) bool { return !known(key) })
	days, err := json.Marshal(p.Days)
	if err != nil {
		return err
	}
	if _, err = tx.Exec(`INSERT INTO week_pattern (person, days, regional, land, changed_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (person) DO UPDATE SET days = excluded.days, regional = excluded.regional, land = excluded.land, changed_at = excluded.changed_at`,
		s.Person.Sub, string(days), strings.Join(regional, " "), p.Land, tx.Now()); err != nil {
		return fmt.Errorf("keep pattern: %w", err)
	}
	return audit.Record(tx, by, audit.Entry{Event: "pattern.changed", Account: s.Person.Sub, Organization: s.Company.ID})
}

// LandOf is whose holidays count for an apprenticeship: its own, else what the
// person said; empty: those of all Länder.
func LandOf(a apprenticeship.Apprenticeship, p Pattern) string {
	if a.Land != "" {
		return a.Land
	}
	return p.Land
}

// Prefill is a week as it is expected, before anybody wrote it; days outside of
// the apprenticeship are empty.
func Prefill(tx *db.Tx, s person.Session, a apprenticeship.Apprenticeship, w calendar.Week) (days [7]book.Day, err error) {
	first, last, ok := a.Clip(w)
	if !ok {
		return days, nil
	}
	pattern, err := PatternOf(tx, s.Person.Sub)
	if err != nil {
		return days, err
	}
	times, err := Planned(tx, s.Person.Sub, w.Date(1), w.Date(7))
	if err != nil {
		return days, err
	}
	lessons, err := Lessons(tx, s.Person.Sub, w.Date(1), w.Date(7))
	if err != nil {
		return days, err
	}
	places, err := departments(tx, a.ID, w)
	if err != nil {
		return days, err
	}
	land := LandOf(a, pattern)
	for i := range days {
		day := w.Date(i + 1)
		if day < first || day > last {
			continue
		}
		days[i] = expected(day, pattern, places, times, lessons)
		if h, is := calendar.HolidayOn(land, day, pattern.Regional...); is && pattern.Days[i].Attendance != "" && h.Date == day {
			days[i] = book.Day{Attendance: "holiday"}
		}
	}
	return days, nil
}

// expected is a day that is no holiday.
func expected(day calendar.Date, pattern Pattern, places, times []Time, lessons []Lesson) book.Day {
	usual := pattern.Days[day.Weekday()-1]
	d := usual
	for _, t := range places {
		if t.On(day) && d.Attendance == "company" && d.Place == "" {
			d.Place = t.Place
		}
	}
	for _, t := range times {
		if !t.On(day) || usual.Attendance == "" || usual.Attendance == "free" {
			continue
		}
		switch d.Attendance = t.Attendance; {
		case t.away():
			return book.Day{Attendance: t.Attendance}
		case t.Place != "":
			d.Place = t.Place
		case t.Attendance != usual.Attendance:
			d.Place = ""
		}
	}
	return taught(d, day, lessons)
}

// taught makes a school day of a day with lessons.
func taught(d book.Day, day calendar.Date, lessons []Lesson) book.Day {
	var subjects []string
	starts, ends := 24*60, 0
	for _, l := range lessons {
		if l.Day != day {
			continue
		}
		starts, ends = min(starts, l.Starts), max(ends, l.Ends)
		if !slices.Contains(subjects, l.Subject) {
			subjects = append(subjects, l.Subject)
		}
		if d.Attendance != "school" {
			d = book.Day{Attendance: "school"}
		}
		if d.Place == "" {
			d.Place = l.Place
		}
	}
	if len(subjects) > 0 {
		d.Minutes, d.Text = ends-starts, strings.Join(subjects, ", ")
	}
	return d
}

// departments are where the apprentice is in the days of a week, as assigned.
func departments(tx *db.Tx, apprenticeship string, w calendar.Week) ([]Time, error) {
	return db.All(tx, func(t *Time) []any { return []any{&t.Place, &t.From, &t.Until} },
		`SELECT department, from_day, until_day FROM assignment WHERE apprenticeship = $1 AND from_day <= $2 AND department <> '' AND (until_day = '' OR until_day >= $3)
		ORDER BY from_day DESC`, apprenticeship, w.Date(7), w.Date(1))
}
