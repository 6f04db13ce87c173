package standing

import (
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
)

// A Point is one line of "Was fehlt zur Prüfungszulassung": what § 43 BBiG asks
// for, how it stands, and whose turn it is.
type Point struct {
	Key   string   // duration, intermediate, registered, complete, signed; attendance is a hint, no condition
	State string   // done, running, open, said, hint
	Owner string   // apprentice, trainer, company, chamber; empty when it is done
	Names []string // of the owners, as far as they are known
	Day   calendar.Date
	N, Of int
	Week  calendar.Week // where to begin, of weeks
}

// Fulfilled reports whether nobody has to do anything now.
func (p Point) Fulfilled() bool { return p.State == "done" || p.State == "running" }

// Kinds of an exam step.
const (
	Intermediate = "intermediate"
	Registered   = "registered"
)

// A Step is what was said of the way to the exam.
type Step struct {
	Apprenticeship, Kind string
	Day                  calendar.Date
	SaidBy               string
	ConfirmedAt          db.Time
}

// before is how long before its end an apprenticeship may be for the exam:
// § 43 section 1 no. 1 BBiG, not later than two months after the exam.
const before = 61

// Exam is the list of § 43 BBiG for the running apprenticeship of a book.
func Exam(tx *db.Tx, b Book, at Attendance) ([]Point, error) {
	points, err := pointsOf(tx, b)
	if err != nil {
		return nil, err
	}
	owners := map[string]string{"trainer": person.Trainer, "company": person.TrainingAdmin}
	known := map[string][]string{}
	for i, p := range points {
		role, asked := owners[p.Owner]
		if !asked {
			continue
		}
		if _, there := known[role]; !there {
			if known[role], err = names(tx, b.Running(), calendar.Today(tx.Now()), role); err != nil {
				return nil, err
			}
		}
		points[i].Names = known[role]
	}
	if at.Hint() {
		points = append(points, Point{Key: "attendance", State: "hint", Owner: "chamber", N: at.Missed, Of: at.Days})
	}
	return points, nil
}

// MissingForExam counts the points of Exam that somebody has to do something
// for; who that is, it does not ask.
func MissingForExam(tx *db.Tx, b Book) (int, error) {
	points, err := pointsOf(tx, b)
	return MissingPoints(points), err
}

// pointsOf are those of Exam, without names.
func pointsOf(tx *db.Tx, b Book) ([]Point, error) {
	a := b.Running()
	steps, err := stepsOf(tx, a.ID)
	if err != nil {
		return nil, fmt.Errorf("exam of %s: %w", a.ID, err)
	}
	today := calendar.Today(tx.Now())
	points := []Point{duration(a, today)}
	if !a.Retraining { // §§ 43, 48 BBiG: the intermediate exam is for those in training
		owner := "apprentice"
		if a.ID == "" { // first somebody has to enter the apprenticeship
			owner = "company"
		}
		points = append(points, stepped(Point{Key: "intermediate"}, steps[Intermediate], owner))
	}
	registered := Point{Key: "registered", State: "done"}
	if a.Source != apprenticeship.Registry {
		registered = stepped(Point{Key: "registered"}, steps[Registered], "company")
	}
	complete := Point{Key: "complete", State: "done", N: b.Open, Of: b.Weeks}
	if open := b.OpenWeeks(); len(open) > 0 {
		complete.State, complete.Owner, complete.Week = "open", "apprentice", open[0].Week
	} else if !b.Written {
		complete.State, complete.Owner, complete.Week = "open", "apprentice", today.Week()
	}
	signed := Point{Key: "signed", State: "done", N: b.Waiting, Of: b.SignedOff}
	switch {
	case b.Waiting > 0:
		signed.State, signed.Owner = "open", "trainer"
	case b.SignedOff == 0:
		signed.State, signed.Owner = "open", "apprentice"
	}
	return append(points, registered, complete, signed), nil
}

func duration(a apprenticeship.Apprenticeship, today calendar.Date) Point {
	p := Point{Key: "duration", State: "running", Day: a.EndsOn}
	switch {
	case a.StartsOn == "" || a.EndsOn == "":
		p.State, p.Owner = "open", "company"
	case a.EndsOn <= today.Add(before):
		p.State = "done"
	}
	return p
}

func stepped(p Point, s Step, owner string) Point {
	p.State, p.Owner = "open", owner
	if s.Kind == "" {
		return p
	}
	p.Day = s.Day
	if p.State, p.Owner = "said", "chamber"; !s.ConfirmedAt.IsZero() {
		p.State, p.Owner = "done", ""
	}
	return p
}

// MissingPoints counts the points that somebody has to do something for.
func MissingPoints(points []Point) (n int) {
	for _, p := range points {
		if !p.Fulfilled() && p.State != "hint" {
			n++
		}
	}
	return n
}

// Say is the apprentice's word that they took part in the intermediate exam,
// or the company's that the contract is registered; the chamber confirms it.
func Say(tx *db.Tx, by audit.Actor, id, kind string, day calendar.Date) error {
	s, err := person.Acting(tx, by)
	if err != nil {
		return err
	}
	a, err := apprenticeship.Get(tx, id)
	if err != nil {
		return err
	}
	mine := kind == Intermediate && a.Person == s.Person.Sub && s.Writes()
	ours := kind == Registered && a.Company == s.Company.ID && s.Is(person.TrainingAdmin)
	switch {
	case !mine && !ours:
		return fault.NotFound()
	case day == "":
		return fault.Invalid("day", "standing.day_missing")
	case day > calendar.Today(tx.Now()):
		return fault.Invalid("day", "standing.day_later")
	case kind == Intermediate && a.StartsOn != "" && day < a.StartsOn:
		return fault.Invalid("day", "standing.day_earlier", a.StartsOn.German())
	}
	n, err := tx.Exec(`INSERT INTO exam_step (apprenticeship, kind, day, said_at, said_by) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (apprenticeship, kind) DO UPDATE SET day = $3, said_at = $4, said_by = $5 WHERE exam_step.confirmed_at IS NULL`, a.ID, kind, day, tx.Now(), by.Account)
	if err != nil {
		return fmt.Errorf("exam step: %w", err)
	}
	if n == 0 {
		return fault.Conflict("standing.step_confirmed")
	}
	return audit.Record(tx, by, audit.Entry{Event: "exam_step.said", Account: a.Person, Organization: a.Company, Thing: a.ID, Detail: map[string]any{"kind": kind, "day": string(day)}})
}

// Confirm is the chamber's word on what was said, once.
func Confirm(tx *db.Tx, by audit.Actor, id, kind string) error {
	s, err := person.Acting(tx, by)
	if err != nil {
		return err
	}
	a, err := apprenticeship.Get(tx, id)
	if err != nil {
		return err
	}
	if s.Chamber() == "" || s.Chamber() != a.ChamberNumber {
		return fault.NotFound()
	}
	n, err := tx.Exec(`UPDATE exam_step SET confirmed_at = $1, confirmed_by = $2 WHERE apprenticeship = $3 AND kind = $4 AND confirmed_at IS NULL`, tx.Now(), by.Account, a.ID, kind)
	if err != nil {
		return fmt.Errorf("exam step: %w", err)
	}
	if n == 0 {
		return fault.Conflict("standing.step_confirmed")
	}
	return audit.Record(tx, by, audit.Entry{Event: "exam_step.confirmed", Account: a.Person, Organization: a.Company, Thing: a.ID, Detail: map[string]any{"kind": kind}})
}
