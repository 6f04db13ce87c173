package book

import (
	"zunft/internal/ground/db"
	"zunft/internal/training/calendar"
)

// A Week of the calendar.
type Week = calendar.Week

// ParseWeek reads "2026-W47".
func ParseWeek(s string) (Week, bool) { return calendar.ParseWeek(s) }

// WeekOf is the week of a moment.
func WeekOf(t db.Time) Week { return calendar.WeekOf(t) }
