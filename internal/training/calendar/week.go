// Package calendar knows weeks and days as people here count them: ISO 8601
// weeks from Monday to Sunday, in Berlin's time.
package calendar

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
)

// A Week of the calendar (ISO 8601), as paths write it: 2026-W47.
type Week struct{ Year, Number int }

var weekForm = regexp.MustCompile(`^(20[0-9]{2})-W([0-9]{2})$`)

// ParseWeek reads "2026-W47"; ok is false for a week the year does not have.
func ParseWeek(s string) (w Week, ok bool) {
	m := weekForm.FindStringSubmatch(s)
	if m == nil {
		return w, false
	}
	w.Year, _ = strconv.Atoi(m[1])
	w.Number, _ = strconv.Atoi(m[2])
	return w, w.Number >= 1 && WeekOf(db.At(w.Monday())) == w
}

// WeekOf is the week of a moment.
func WeekOf(t db.Time) Week {
	year, number := t.In(mail.Berlin).ISOWeek()
	return Week{year, number}
}

// Monday is when the week begins.
func (w Week) Monday() time.Time {
	january4 := time.Date(w.Year, 1, 4, 0, 0, 0, 0, mail.Berlin) // is always in week 1
	back := (int(january4.Weekday()) + 6) % 7
	return january4.AddDate(0, 0, 7*(w.Number-1)-back)
}

// Day is the n-th day, Monday is 1.
func (w Week) Day(n int) time.Time { return w.Monday().AddDate(0, 0, n-1) }

// Date is the n-th day, Monday is 1.
func (w Week) Date(n int) Date { return DateOf(w.Day(n)) }

// Add is the week n weeks later.
func (w Week) Add(n int) Week {
	year, number := w.Monday().AddDate(0, 0, 7*n).ISOWeek()
	return Week{year, number}
}

// Before reports whether w comes before v.
func (w Week) Before(v Week) bool { return w.Year < v.Year || w.Year == v.Year && w.Number < v.Number }

// String is the week as paths write it.
func (w Week) String() string { return fmt.Sprintf("%04d-W%02d", w.Year, w.Number) }

// Name is the number alone, for "Woche 47".
func (w Week) Name() string { return strconv.Itoa(w.Number) }

// Dates are the first and last day, "16.11. – 22.11.2026".
func (w Week) Dates() string { return Span(w.Date(1), w.Date(7)) }
