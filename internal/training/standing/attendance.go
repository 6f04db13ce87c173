package standing

import (
	"encoding/json"
	"fmt"

	"zunft/internal/ground/db"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
)

// Attendance is what a book says of the days: how many of each kind, and what
// was missed. Vacation and public holidays are no missed time; sickness is.
type Attendance struct {
	Kinds   []Kind   // in the order people choose from; only those that occur
	Missed  int      // days
	Days    int      // that should have been training: without vacation, holidays and time off
	Absent  []Absent // the newest first
	Percent int      // Missed of Days, rounded up
}

// A Kind of day and how many there were.
type Kind struct {
	Name    string // of book.Attendance
	Days    int
	Minutes int
}

// Absent is a time of one kind without a break; a weekend is none.
type Absent struct {
	Kind        string
	First, Last calendar.Date
	Days        int
}

// much is from how many percent of missed days on the chamber may doubt that
// the time of training was spent (§ 43 section 1 no. 1 BBiG; the share is the
// chambers' practice, no law).
const much = 10

// Hint reports whether so much was missed that it should be talked about.
func (a Attendance) Hint() bool { return a.Missed*100 > a.Days*much }

// AttendanceOf reads the days of a book; own as in Read. Until is the last
// week that counts: what is planned for later was not missed yet.
func AttendanceOf(tx *db.Tx, sub string, own bool) (Attendance, error) {
	return attendanceOf(tx, sub, "", own)
}

// attendanceOf is the same for what was written for a company; empty: for all.
func attendanceOf(tx *db.Tx, sub, company string, own bool) (Attendance, error) {
	t := &tally{kinds: map[string]*Kind{}, today: calendar.Today(tx.Now())}
	drafts := ` AND submitted_at IS NOT NULL AND state <> 'draft'`
	if own {
		drafts = ``
	}
	err := tx.Each(`SELECT year, week, days FROM report WHERE apprentice = $1 AND days <> '' AND ($2 = '' OR company = $2)`+drafts+` ORDER BY year, week`, []any{sub, company},
		func(scan func(...any) error) error {
			var w calendar.Week
			var text string
			if err := scan(&w.Year, &w.Number, &text); err != nil {
				return err
			}
			var days [7]book.Day
			if err := json.Unmarshal([]byte(text), &days); err != nil {
				return err
			}
			for i, d := range days {
				t.day(w.Date(i+1), d)
			}
			return nil
		})
	if err != nil {
		return Attendance{}, fmt.Errorf("attendance of %s: %w", sub, err)
	}
	return t.sum(), nil
}

type tally struct {
	kinds map[string]*Kind
	times []Absent
	today calendar.Date
}

func (t *tally) day(date calendar.Date, d book.Day) {
	if d.Attendance == "" || date > t.today {
		return
	}
	k := t.kinds[d.Attendance]
	if k == nil {
		k = &Kind{Name: d.Attendance}
		t.kinds[d.Attendance] = k
	}
	k.Days++
	k.Minutes += d.Minutes
	if d.Attendance != "sick" && d.Attendance != "vacation" && d.Attendance != "free" {
		return
	}
	if n := len(t.times) - 1; n >= 0 && t.times[n].Kind == d.Attendance && goesOn(t.times[n].Last, date) {
		t.times[n].Last = date
		t.times[n].Days++
		return
	}
	t.times = append(t.times, Absent{d.Attendance, date, date, 1})
}

// goesOn: the next day, or Monday after Friday or Saturday.
func goesOn(last, date calendar.Date) bool {
	gap := last.Days(date) - 1
	return gap == 1 || date.Weekday() == 1 && gap <= 3
}

func (t *tally) sum() (a Attendance) {
	for _, name := range book.Attendance {
		k := t.kinds[name]
		if k == nil {
			continue
		}
		a.Kinds = append(a.Kinds, *k)
		switch name {
		case "sick":
			a.Missed += k.Days
			a.Days += k.Days
		case "company", "school", "course":
			a.Days += k.Days
		}
	}
	for i := len(t.times) - 1; i >= 0; i-- {
		a.Absent = append(a.Absent, t.times[i])
	}
	if a.Days > 0 {
		a.Percent = (a.Missed*100 + a.Days - 1) / a.Days
	}
	return a
}
