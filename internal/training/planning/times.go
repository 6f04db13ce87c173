package planning

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
)

// A Time is known beforehand: vacation, a school block, a department.
type Time struct {
	ID, Attendance string
	From, Until    calendar.Date
	Place          string
}

// TimeKinds are what can be planned, in the order people choose from.
var TimeKinds = []string{"vacation", "school", "course", "company", "sick", "free"}

const (
	longest   = 366 // days of one planned time
	mostTimes = 200 // of one person
)

// On reports whether the day is in it.
func (t Time) On(day calendar.Date) bool {
	return t.From <= day && (t.Until == "" || day <= t.Until)
}

func (t Time) away() bool {
	return t.Attendance == "vacation" || t.Attendance == "sick" || t.Attendance == "free"
}

func (t *Time) fields() []any { return []any{&t.ID, &t.Attendance, &t.From, &t.Until, &t.Place} }

// Planned are a person's times that touch the days from to until. What was
// entered last counts where two overlap: it comes last.
func Planned(tx *db.Tx, sub string, from, until calendar.Date) ([]Time, error) {
	return db.All(tx, (*Time).fields, `SELECT id, attendance, from_day, until_day, place FROM planned_time
		WHERE person = $1 AND until_day >= $2 AND from_day <= $3 ORDER BY id`, sub, from, until)
}

// Mine are the actor's times that end on a day or later, the next first.
func Mine(tx *db.Tx, by audit.Actor, from calendar.Date) ([]Time, error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, (*Time).fields, `SELECT id, attendance, from_day, until_day, place FROM planned_time
		WHERE person = $1 AND until_day >= $2 ORDER BY until_day, id LIMIT $3`, s.Person.Sub, from, mostTimes)
}

// Plan adds a time; the same one twice is there once.
func Plan(tx *db.Tx, by audit.Actor, t Time) error {
	s, err := person.Author(tx, by)
	if err != nil {
		return err
	}
	var wrong fault.Problems
	if !slices.Contains(TimeKinds, t.Attendance) {
		wrong.Add("attendance", "planning.kind_missing")
	}
	switch {
	case t.From == "":
		wrong.Add("from", "planning.day_missing")
	case t.Until == "":
		t.Until = t.From
	case t.Until < t.From:
		wrong.Add("until", "planning.until_before", t.From.German())
	case t.From.Days(t.Until) > longest:
		wrong.Add("until", "planning.too_long", longest)
	}
	if utf8.RuneCountInString(t.Place) > book.MaxLine {
		wrong.Add("place", "book.place_long", book.MaxLine)
	}
	if t.Attendance == "company" && t.Place == "" {
		wrong.Add("place", "planning.place_missing")
	}
	if err := wrong.Err(); err != nil {
		return err
	}
	if n, err := db.Value[int](tx, `SELECT count(*) FROM planned_time WHERE person = $1 AND until_day >= $2`, s.Person.Sub, calendar.Today(tx.Now())); err != nil || n >= mostTimes {
		if err == nil {
			err = fault.Invalid("", "planning.times_many", mostTimes)
		}
		return err
	}
	n, err := tx.Exec(`INSERT INTO planned_time (id, person, attendance, from_day, until_day, place, created_at) SELECT $1, $2, $3, $4, $5, $6, $7
		WHERE NOT EXISTS (SELECT 1 FROM planned_time WHERE person = $2 AND until_day = $5 AND from_day = $4 AND attendance = $3 AND place = $6)`,
		db.NewID(), s.Person.Sub, t.Attendance, t.From, t.Until, t.Place, tx.Now())
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	if n == 0 {
		return nil
	}
	return audit.Record(tx, by, audit.Entry{Event: "time.planned", Account: s.Person.Sub, Organization: s.Company.ID, Detail: map[string]any{"from": t.From, "until": t.Until}})
}

// Unplan takes a time away; what reports say stays.
func Unplan(tx *db.Tx, by audit.Actor, id string) error {
	s, err := person.Author(tx, by)
	if err != nil {
		return err
	}
	n, err := tx.Exec(`DELETE FROM planned_time WHERE id = $1 AND person = $2`, id, s.Person.Sub)
	if err != nil || n == 0 { // pressed twice: gone is gone
		return err
	}
	return audit.Record(tx, by, audit.Entry{Event: "time.unplanned", Account: s.Person.Sub, Organization: s.Company.ID})
}

// A Lesson of the school's timetable.
type Lesson struct {
	Day            calendar.Date
	Starts, Ends   int // minutes of the day
	Subject, Place string
}

const (
	mostLessons = 5000 // at once: three years of school days
	maxSubject  = 100
)

// Lessons are a person's lessons from one day to another.
func Lessons(tx *db.Tx, sub string, from, until calendar.Date) ([]Lesson, error) {
	return db.All(tx, func(l *Lesson) []any { return []any{&l.Day, &l.Starts, &l.Ends, &l.Subject, &l.Place} },
		`SELECT day, starts, ends, subject, place FROM lesson WHERE person = $1 AND day BETWEEN $2 AND $3 ORDER BY day, starts, subject`, sub, from, until)
}

// AddLessons keeps lessons of the actor's timetable. On the days they are about
// they replace what was known, so that reading a timetable again mends it; other
// days stay. It says how many are kept.
func AddLessons(tx *db.Tx, by audit.Actor, lessons []Lesson) (int, error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return 0, err
	}
	if len(lessons) > mostLessons {
		return 0, fault.Invalid("", "planning.lessons_many", mostLessons)
	}
	type key struct {
		day     calendar.Date
		starts  int
		subject string
	}
	kept := map[key]Lesson{}
	days := map[calendar.Date]bool{}
	for _, l := range lessons {
		if _, ok := calendar.ParseDate(string(l.Day)); !ok || l.Subject == "" || l.Starts < 0 || l.Ends <= l.Starts || l.Ends > 24*60 {
			continue
		}
		l.Subject, l.Place = cut(l.Subject, maxSubject), cut(l.Place, book.MaxLine)
		kept[key{l.Day, l.Starts, l.Subject}] = l
		days[l.Day] = true
	}
	for chunk := range slices.Chunk(keys(days), 200) {
		args := []any{s.Person.Sub}
		for _, d := range chunk {
			args = append(args, d)
		}
		if _, err := tx.Exec(`DELETE FROM lesson WHERE person = $1 AND day IN (`+db.In(2, len(chunk))+`)`, args...); err != nil {
			return 0, fmt.Errorf("replace lessons: %w", err)
		}
	}
	var rows []Lesson
	for _, l := range kept {
		rows = append(rows, l)
	}
	for chunk := range slices.Chunk(rows, 100) {
		var args []any
		for _, l := range chunk {
			args = append(args, s.Person.Sub, l.Day, l.Starts, l.Ends, l.Subject, l.Place)
		}
		if _, err := tx.Exec(`INSERT INTO lesson (person, day, starts, ends, subject, place) VALUES `+db.Rows(len(chunk), 6), args...); err != nil {
			return 0, fmt.Errorf("keep lessons: %w", err)
		}
	}
	return len(kept), audit.Record(tx, by, audit.Entry{Event: "lessons.added", Account: s.Person.Sub, Organization: s.Company.ID, Detail: map[string]any{"lessons": len(kept), "days": len(days)}})
}

func keys(days map[calendar.Date]bool) (all []calendar.Date) {
	for d := range days {
		all = append(all, d)
	}
	slices.Sort(all)
	return all
}

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}
