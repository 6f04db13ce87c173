package book

import (
	"slices"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/training/calendar"
)

// A Week of the calendar.
type Week = calendar.Week

// ParseWeek reads "2026-W47".
func ParseWeek(s string) (Week, bool) { return calendar.ParseWeek(s) }

// WeekOf is the week of a moment.
func WeekOf(t db.Time) Week { return calendar.WeekOf(t) }

// Describes reports whether the report says something: by any text, or because
// nobody worked on any day from Monday to Friday that belongs to it.
func (r Report) Describes() bool {
	t := r.Text
	for i := range 5 {
		if day := r.Week.Date(i + 1); r.First != "" && (day < r.First || day > r.Last) {
			t.Days[i].Attendance = "free"
		}
	}
	return t.Describes()
}

// Lacks is what a report that describes nothing wants: the field, and a phrase;
// empty: nothing. Who was at school only is not asked about the company.
func (r Report) Lacks() (field, key string) {
	if r.Describes() {
		return "", ""
	}
	school := false
	for i, d := range r.Text.Days {
		if day := r.Week.Date(i + 1); r.First != "" && (day < r.First || day > r.Last) {
			continue
		}
		school = school || d.Attendance == "school"
		if i < 5 && d.Attendance != "school" && !Absent(d.Attendance) {
			return "work", "book.work_missing"
		}
	}
	if school {
		return "school", "book.school_missing"
	}
	return "work", "book.work_missing"
}

// Minutes are all of the week's days.
func (t Text) Minutes() (n int) {
	for _, d := range t.Days {
		n += d.Minutes
	}
	return n
}

// JoinIDs makes one list of several lists of ids with blanks between: each once,
// in their order; what no id can be is left out.
func JoinIDs(lists ...string) string {
	var all []string
	for _, id := range strings.Fields(strings.Join(lists, " ")) {
		if len(id) <= 20 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") == "" && !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return strings.Join(all, " ")
}

// Absent reports whether somebody was not at work on a day of this attendance.
func Absent(attendance string) bool { return absent[attendance] }
