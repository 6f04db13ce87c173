package calendar

import (
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
)

// A Date is a day of the calendar, written and stored as 2026-08-01; empty is
// none. Dates compare as strings do.
type Date string

const iso = "2006-01-02"

// ParseDate reads 2026-08-01; ok is false for a day that does not exist, or
// outside of 1990 to 2099.
func ParseDate(s string) (Date, bool) {
	t, err := time.Parse(iso, s)
	if err != nil || t.Year() < 1990 || t.Year() > 2099 {
		return "", false
	}
	return Date(s), true
}

// DateOf is the day of a moment, in its own time zone.
func DateOf(t time.Time) Date { return Date(t.Format(iso)) }

// Today is the day in Berlin.
func Today(t db.Time) Date { return DateOf(t.In(mail.Berlin)) }

// Time is when the day begins in Berlin; of no date it is zero.
func (d Date) Time() time.Time {
	t, err := time.ParseInLocation(iso, string(d), mail.Berlin)
	if err != nil {
		return time.Time{}
	}
	return t
}

// Add is the day n days later.
func (d Date) Add(n int) Date {
	if d == "" {
		return ""
	}
	return DateOf(d.Time().AddDate(0, 0, n))
}

// Week is the week the day is in.
func (d Date) Week() Week {
	year, number := d.Time().ISOWeek()
	return Week{year, number}
}

// Weekday is 1 for Monday to 7 for Sunday.
func (d Date) Weekday() int { return (int(d.Time().Weekday())+6)%7 + 1 }

// German is the day as people write it, 01.08.2026.
func (d Date) German() string {
	if d == "" {
		return ""
	}
	return d.Time().Format("02.01.2006")
}

// Days is how many days there are from d to e, both counted.
func (d Date) Days(e Date) int {
	a, b := d.Time(), e.Time()
	utc := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	return int(utc(b).Sub(utc(a)).Hours())/24 + 1
}

// Span is "16.11. – 22.11.2026".
func Span(from, to Date) string {
	layout := "02.01."
	if from.Time().Year() != to.Time().Year() {
		layout = "02.01.2006"
	}
	return from.Time().Format(layout) + " – " + to.German()
}
