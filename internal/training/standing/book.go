package standing

import (
	"fmt"
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/bookform"
	"zunft/internal/training/calendar"
	"zunft/internal/training/outage"
)

// States of a week in the year, beside those of a report.
const (
	Outside = ""        // before the book begins, or after it ended
	Future  = "future"  // has not begun
	Now     = "now"     // runs
	Empty   = "empty"   // ended, the days of grace run
	Missing = "missing" // due, and nothing was written
	Paper   = "paper"   // in the long report of the paper time
)

// A Cell is one week of a book.
type Cell struct {
	Week    calendar.Week
	State   string // of the report, or one of the above
	Report  string // id; empty: nothing was written
	Open    bool   // due, and not submitted, checked or signed off
	Current bool
}

// A Book is all of one person, whichever company they wrote for.
type Book struct {
	Apprenticeships []apprenticeship.Apprenticeship // the oldest first
	First, Last     calendar.Week                   // the first and last that count; Last is zero while no end is known
	Cells           []Cell                          // from First to the last one that has ended, runs or was written; the oldest first
	SignedOff       int
	Waiting         int
	Returned        int
	Drafts          int
	Open            int             // as in Cells
	Weeks           int             // that have ended
	PaperUntil      calendar.Date   // last day of the paper time; empty: none
	Written         bool            // there is any report
	Reports         []Line          // what was written, the oldest first
	Lost            []calendar.Date // days that count for no deadline: the portal was down
	Electronic      bool            // FALSE: kept on paper (R316)
	grace           int             // days of grace after a week
}

// A Line is what lists say of a report.
type Line struct {
	ID, Company string
	Week        calendar.Week
	First, Last calendar.Date
	State, Kind string
	SubmittedAt db.Time
}

// Due is the day until which a week's report is in time.
func (b Book) Due(w calendar.Week) calendar.Date { return outage.Due(w.Date(7), b.grace, b.Lost) }

// Back are the returned reports, the oldest first.
func (b Book) Back() (back []Line) {
	for _, l := range b.Reports {
		if l.State == "returned" {
			back = append(back, l)
		}
	}
	return back
}

// Running is the newest apprenticeship, or none.
func (b Book) Running() apprenticeship.Apprenticeship {
	if len(b.Apprenticeships) == 0 {
		return apprenticeship.Apprenticeship{}
	}
	return b.Apprenticeships[len(b.Apprenticeships)-1]
}

// Cell of a week; what lies outside of the book is Outside, or to come.
func (b Book) Cell(w calendar.Week) Cell {
	if n := between(number(b.First), number(w)) - 1; n >= 0 && n < len(b.Cells) {
		return b.Cells[n]
	}
	if b.First.Year > 0 && b.First.Before(w) && (b.Last.Year == 0 || !b.Last.Before(w)) {
		return Cell{Week: w, State: Future}
	}
	return Cell{Week: w}
}

// OpenWeeks are those to write now, the oldest first.
func (b Book) OpenWeeks() (open []Cell) {
	for _, c := range b.Cells {
		if c.Open {
			open = append(open, c)
		}
	}
	return open
}

// Read reads the book of a person. Own is how they see it themselves: a
// decision that can still be taken back is not told yet, and drafts are theirs
// alone.
func Read(tx *db.Tx, sub string, own bool) (Book, error) { return read(tx, sub, "", own) }

// read is the same for the time in one company; empty: in all.
func read(tx *db.Tx, sub, company string, own bool) (b Book, err error) {
	if b.Apprenticeships, err = apprenticeships(tx, sub); err != nil {
		return b, fmt.Errorf("book of %s: %w", sub, err)
	}
	if b.Reports, err = lines(tx, sub, own); err != nil {
		return b, fmt.Errorf("book of %s: %w", sub, err)
	}
	if company != "" {
		b.Apprenticeships = slices.DeleteFunc(b.Apprenticeships, func(a apprenticeship.Apprenticeship) bool { return a.Company != company })
		b.Reports = slices.DeleteFunc(b.Reports, func(l Line) bool { return l.Company != company })
	}
	set, err := bookform.Of(tx, b.Running().Company, b.Running().Occupation)
	if err != nil {
		return b, err
	}
	if b.Lost, err = outage.Lost(tx); err != nil {
		return b, err
	}
	b.Electronic = set.Electronic
	b.fill(calendar.Today(tx.Now()), set.DueDays)
	return b, nil
}

// fill makes the weeks from the days of the apprenticeships and what was written.
func (b *Book) fill(today calendar.Date, grace int) {
	now := today.Week()
	b.grace = grace
	b.Written = len(b.Reports) > 0
	first, last, open := 0, 0, len(b.Apprenticeships) == 0
	for _, a := range b.Apprenticeships {
		if a.StartsOn != "" && (first == 0 || number(a.StartsOn.Week()) < first) {
			first = number(a.StartsOn.Week())
		}
		if end := a.Last(); end != "" {
			last = max(last, number(end.Week()))
		} else {
			open = true
		}
	}
	written, shown := map[calendar.Week]Line{}, number(now)
	paper := map[calendar.Week]string{}
	for _, l := range b.Reports {
		if first == 0 || number(l.First.Week()) < first {
			first = number(l.First.Week())
		}
		shown = max(shown, number(l.Last.Week()))
		if l.Kind == Paper {
			b.PaperUntil = max(b.PaperUntil, l.Last)
			for w := l.First.Week(); !l.Last.Week().Before(w); w = w.Add(1) {
				paper[w] = l.State
			}
		}
		if old, two := written[l.Week]; !two || old.State == "draft" { // of two in a week of change the one that says more
			written[l.Week] = l
		}
	}
	if first == 0 {
		return
	}
	b.First = week(first)
	if !open {
		b.Last = week(last)
		shown = max(min(number(now), last), min(shown, last))
	}
	for w := b.First; number(w) <= shown; w = w.Add(1) {
		b.add(w, written[w], paper[w], today, grace)
	}
}

func (b *Book) add(w calendar.Week, l Line, paper string, today calendar.Date, grace int) {
	c := Cell{Week: w, State: l.State, Report: l.ID, Current: w == today.Week()}
	end := w.Date(7)
	if last := b.Running().Last(); last != "" {
		end = min(end, max(last, w.Date(1)))
	}
	ended, due := end < today, outage.Due(end, grace, b.Lost) < today
	if l.ID == "" && paper != "" {
		c.State = paper
	}
	c.Open = due && !done(c.State)
	switch {
	case paper != "" && done(c.State):
		c.State = Paper
	case c.State != "":
	case due:
		c.State = Missing
	case ended:
		c.State = Empty
	case w.Date(1) > today:
		c.State = Future
	default:
		c.State = Now
	}
	if ended {
		b.Weeks++
	}
	if c.Open {
		b.Open++
	}
	switch l.State {
	case "signed_off":
		b.SignedOff++
	case "submitted", "checked":
		b.Waiting++
	case "returned":
		b.Returned++
	case "draft":
		b.Drafts++
	}
	b.Cells = append(b.Cells, c)
}
