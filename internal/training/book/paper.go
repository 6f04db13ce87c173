package book

import (
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
)

// longest is how many days a paper time may have: the longest apprenticeships
// take three and a half years, with an extension five.
const longest = 5*366 + 1

// A time on paper, first and last day; both empty if there is none.
type paperTime struct{ first, last calendar.Date }

func (p paperTime) String() string { return calendar.Span(p.first, p.last) }

// cut leaves of a week what comes after the time on paper, which is the
// beginning of the book (R317); ok is false if that is no day.
func (p paperTime) cut(first, last calendar.Date) (calendar.Date, calendar.Date, bool) {
	if p.first == "" {
		return first, last, true
	}
	first = max(first, p.last.Add(1))
	return first, last, first <= last
}

func paperOf(tx *db.Tx, apprenticeshipID string) (p paperTime, err error) {
	all, err := db.All(tx, func(p *paperTime) []any { return []any{&p.first, &p.last} }, `SELECT first_day, last_day FROM report WHERE apprenticeship = $1 AND kind = 'paper'`, apprenticeshipID)
	if err != nil || len(all) == 0 {
		return p, err
	}
	return all[0], nil
}

// Dates are the report's first and last day, "16.11. – 22.11.2026".
func (r Report) Dates() string {
	if r.First == "" {
		return r.Week.Dates()
	}
	return calendar.Span(r.First, r.Last)
}

// turn makes those who begin reports of one apprenticeship wait for each other.
func turn(tx *db.Tx, apprenticeshipID string) error {
	_, err := tx.Exec(`UPDATE apprenticeship SET changed_at = changed_at WHERE id = $1`, apprenticeshipID)
	return err
}

// MyPaper is the actor's one long report of what was written on paper (R313,
// R317), in the apprenticeship to which a day belongs; without a day in that of
// today. Version is 0 while there is none, and its days are then those that
// could be.
func MyPaper(tx *db.Tx, by audit.Actor, day calendar.Date) (Report, error) {
	r, _, err := myPaper(tx, by, day)
	return r, err
}

func myPaper(tx *db.Tx, by audit.Actor, day calendar.Date) (r Report, a apprenticeship.Apprenticeship, err error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return r, a, err
	}
	today := calendar.Today(tx.Now())
	if day == "" {
		day = today
	}
	if a, err = apprenticeship.Of(tx, s, day); err != nil {
		return r, a, err
	}
	r, err = db.One(tx, (*Report).fields, `SELECT `+columns+` FROM report WHERE apprenticeship = $1 AND kind = 'paper'`, a.ID)
	if fault.Is(err, fault.KindNotFound) {
		last := today.Week().Date(1).Add(-1)
		if end := a.Last(); end != "" {
			last = min(last, end)
		}
		return Report{
			Apprentice: s.Person.Sub, Apprenticeship: a.ID, Company: s.Company.ID, Kind: Paper, State: Draft,
			First: a.StartsOn, Last: last,
		}, a, nil
	}
	r.State = r.Seen(tx.Now())
	return r, a, err
}

// SavePaper keeps the long report of MyPaper: its days and texts. It is the
// first one of the apprenticeship: it touches no week that was written here, and
// what follows has seven days at most (R317, R318).
func SavePaper(tx *db.Tx, by audit.Actor, day calendar.Date, version int, first, last calendar.Date, t Text) (Report, error) {
	r, a, err := myPaper(tx, by, day)
	if err != nil {
		return r, err
	}
	if r.Version > 0 && r.Text == t && r.First == first && r.Last == last { // also a second press of the same button
		return r, nil
	}
	if err := mayWrite(tx, by, r, a); err != nil {
		return r, err
	}
	if r.Version != version {
		return r, changedElsewhere(r)
	}
	if err := checkPaper(a, first, last, calendar.Today(tx.Now())); err != nil {
		return r, err
	}
	if err := t.check(); err != nil {
		return r, err
	}
	if a, err = apprenticeship.Ensure(tx, a); err != nil {
		return r, err
	}
	if err := turn(tx, a.ID); err != nil {
		return r, err
	}
	if err := noOverlap(tx, r.Apprentice, a.ID, first, last); err != nil {
		return r, err
	}
	r.Apprenticeship, r.First, r.Last, r.Week, r.Text, r.ChangedAt, r.Version = a.ID, first, last, first.Week(), t, tx.Now(), version+1
	var saved bool
	if version == 0 {
		r.ID = db.NewID()
		saved, err = insert(tx, r)
	} else {
		if saved, err = update(tx, r, version); err == nil && saved {
			_, err = tx.Exec(`UPDATE report SET first_day = $2, last_day = $3, year = $4, week = $5 WHERE id = $1`, r.ID, first, last, r.Week.Year, r.Week.Number)
		}
	}
	if err != nil {
		return r, fmt.Errorf("save paper time: %w", err)
	}
	if !saved {
		if r, err = MyPaper(tx, by, day); err != nil {
			return r, err
		}
		return r, changedElsewhere(r)
	}
	return r, record(tx, by, r, "saved", "")
}

// checkPaper says which days cannot be.
func checkPaper(a apprenticeship.Apprenticeship, first, last, today calendar.Date) error {
	var p fault.Problems
	switch {
	case first == "":
		p.Add("first", "book.paper_first")
	case a.StartsOn != "" && first < a.StartsOn:
		p.Add("first", "book.paper_early", a.StartsOn.German())
	}
	switch end := a.Last(); {
	case last == "":
		p.Add("last", "book.paper_last")
	case last >= today:
		p.Add("last", "book.paper_future", today.Add(-1).German())
	case end != "" && last > end:
		p.Add("last", "book.paper_after", end.German())
	case first != "" && last < first:
		p.Add("last", "book.paper_order")
	case first != "" && first.Days(last) <= 7:
		p.Add("last", "book.paper_short")
	case first != "" && first.Days(last) > longest:
		p.Add("last", "book.paper_long")
	}
	return p.Err()
}

// noOverlap refuses days before which, or within which, a week was written.
func noOverlap(tx *db.Tx, sub, apprenticeshipID string, first, last calendar.Date) error {
	w, err := db.One(tx, func(w *Week) []any { return []any{&w.Year, &w.Number} }, `SELECT year, week FROM report WHERE apprentice = $1 AND kind = 'week' AND first_day <= $2 AND (apprenticeship = $3 OR last_day >= $4)
		ORDER BY first_day LIMIT 1`, sub, last, apprenticeshipID, first)
	if fault.Is(err, fault.KindNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return fault.Invalid("last", "book.paper_overlap", w.Name(), w.Dates())
}

// SubmitPaper hands the long report over; whoever signs it off confirms that
// the book was kept on paper until then (R321).
func SubmitPaper(tx *db.Tx, by audit.Actor, version int, email string) (Report, error) {
	r, err := MyPaper(tx, by, "")
	if err != nil {
		return r, err
	}
	if r.Version == 0 {
		return r, fault.NotFound()
	}
	return SubmitTo(tx, by, r.Week, version, email)
}

// CheckPaper says what SavePaper would refuse of these days, in the
// apprenticeship to which the first one belongs.
func CheckPaper(tx *db.Tx, by audit.Actor, first, last calendar.Date) error {
	r, a, err := myPaper(tx, by, first)
	if err == nil {
		err = mayWrite(tx, by, r, a)
	}
	if err == nil {
		err = checkPaper(a, first, last, calendar.Today(tx.Now()))
	}
	if err == nil {
		err = noOverlap(tx, r.Apprentice, a.ID, first, last)
	}
	return err
}
