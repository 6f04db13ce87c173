package calendar_test

import (
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/training/calendar"
)

// Every day from 2020 to 2035 is in the week that says so, and weeks follow one
// another without a gap, also over changes of the clock and of the year.
func TestDaysAndWeeks(t *testing.T) {
	week := calendar.Week{Year: 2019, Number: 52}
	for day := calendar.Date("2019-12-30"); day < "2036-01-01"; day = day.Add(1) {
		if day.Weekday() == 1 {
			if next := week.Add(1); !week.Before(next) {
				t.Fatal(week, next)
			}
			week = week.Add(1)
		}
		if day.Week() != week || week.Date(day.Weekday()) != day {
			t.Fatalf("%s is in %s, not in %s", day, day.Week(), week)
		}
		if got, ok := calendar.ParseWeek(week.String()); !ok || got != week {
			t.Fatal(week, got, ok)
		}
		if got, ok := calendar.ParseDate(string(day)); !ok || got != day {
			t.Fatal(day, got, ok)
		}
		if day.Days(day.Add(6)) != 7 || day.Add(1).Add(-1) != day {
			t.Fatal(day)
		}
	}
	for _, s := range []string{"", "2026-02-29", "2026-13-01", "26-01-01", "2026-1-1", "1900-01-01", "2026-01-01x"} {
		if d, ok := calendar.ParseDate(s); ok {
			t.Errorf("%q is %s", s, d)
		}
	}
	late := db.At(time.Date(2026, 11, 22, 23, 30, 0, 0, time.UTC)) // Monday in Berlin
	if calendar.Today(late) != "2026-11-23" || calendar.WeekOf(late).Number != 48 {
		t.Error(calendar.Today(late))
	}
}
