// Package standing says how far report books are: in words for trainers and
// companies, week by week for their owner, and against what the chamber asks
// for admission to the exam (§ 43 BBiG). It reads what others wrote and changes
// nothing.
//
//   - A week is due when it ended and the company's days of grace are over
//     (company_setting.due_days). It is open if it is due and its report is not
//     submitted, checked or signed off; a returned one is open again (L14).
//     Days on which the portal was down for hours are none of them.
//   - The long report of the paper time covers all its weeks (R317).
//   - The book belongs to the person: for an apprenticeship the weeks between its
//     first and last day count, wherever they were written.
//   - Counts come from the index report_book alone, whatever people wrote.
package standing

import (
	"cmp"
	"embed"
	"fmt"
	"slices"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/calendar"
	"zunft/internal/training/outage"
	"zunft/internal/training/person"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

// A Stand is how far one apprenticeship's book is.
type Stand struct {
	Apprenticeship apprenticeship.Apprenticeship
	Name           string // of the apprentice, as the account or else the company writes it
	Known          bool   // has signed in here
	Electronic     bool   // FALSE: kept on paper (R316)
	Weeks          int    // that ended since it began
	SignedOff      int
	Waiting        int // submitted or checked
	Returned       int
	Drafts         int
	Open           int           // due, and not submitted, checked or signed off
	First, Last    calendar.Week // the first that counts; the newest submitted, checked or signed off; zero: none
}

// A Word is how a stand is said: "im Plan", "3 Wochen offen". Kind is the shape
// and colour beside it.
type Word struct {
	Kind, Key string
	N         int // 0: the phrase has no number
}

// Word of a stand.
func (s Stand) Word() Word {
	switch {
	case !s.Electronic:
		return Word{"neutral", "standing.on_paper", 0}
	case !s.Known && s.Last == (calendar.Week{}):
		return Word{"neutral", "standing.not_here", 0}
	case s.Weeks == 0 && s.Last == (calendar.Week{}):
		return Word{"neutral", "standing.not_begun", 0}
	case s.Open == 0:
		return Word{"success", "standing.on_plan", 0}
	case s.Open < Far:
		return Word{"warning", "standing.open", s.Open}
	}
	return Word{"danger", "standing.open", s.Open}
}

// Far is from how many open weeks on it is time to talk.
const Far = 5

// Of says how far the books of some apprenticeships are, by their id. It asks
// four questions, however many there are; callers ask for a page at a time.
func Of(tx *db.Tx, all ...apprenticeship.Apprenticeship) (map[string]Stand, error) {
	stands := make(map[string]Stand, len(all))
	spans := make([]span, 0, len(all))
	lost, err := outage.Lost(tx)
	if err != nil {
		return nil, fmt.Errorf("standing: %w", err)
	}
	var companies []string
	for _, a := range all {
		companies = append(companies, a.Company)
	}
	kept, err := keptBy(tx, companies)
	if err != nil {
		return nil, fmt.Errorf("standing: %w", err)
	}
	today := calendar.Today(tx.Now())
	for _, a := range all {
		set := kept.of(a)
		stands[a.ID] = Stand{Apprenticeship: a, Name: name(a), Known: a.Person != "", Electronic: set.Electronic}
		if a.ID != "" && a.Person != "" {
			spans = append(spans, spanOf(a, today, outage.Grace(today, set.DueDays, lost)))
		}
	}
	if len(spans) == 0 {
		return stands, nil
	}
	if err := count(tx, spans, stands); err != nil {
		return nil, fmt.Errorf("standing: %w", err)
	}
	return stands, nil
}

func name(a apprenticeship.Apprenticeship) string {
	switch {
	case a.GivenName == "":
		return a.FamilyName
	case a.FamilyName == "":
		return a.GivenName
	}
	return a.GivenName + " " + a.FamilyName
}

// A span is which weeks of a person count for an apprenticeship. Weeks are
// numbers that compare, 202647.
type span struct {
	a                       apprenticeship.Apprenticeship
	first, ended, due, last int // first 0: from the first one written
}

const never = 999999

func number(w calendar.Week) int { return w.Year*100 + w.Number }

func week(n int) calendar.Week { return calendar.Week{Year: n / 100, Number: n % 100} }

// between is how many weeks there are from a to b, both counted.
func between(a, b int) int {
	if a == 0 || b < a {
		return 0
	}
	return calendar.DateOf(week(a).Monday()).Days(week(b).Date(7)) / 7
}

func spanOf(a apprenticeship.Apprenticeship, today calendar.Date, grace int) span {
	s := span{a: a, last: never}
	if a.StartsOn != "" {
		s.first = number(a.StartsOn.Week())
	}
	// A week ends on its Sunday, or with the apprenticeship.
	s.ended, s.due = number(today.Add(-7).Week()), number(today.Add(-7-grace).Week())
	if end := a.Last(); end != "" {
		s.last = number(end.Week())
		if end < today {
			s.ended = max(s.ended, s.last)
		}
		if end.Add(grace) < today {
			s.due = max(s.due, s.last)
		}
		s.ended, s.due = min(s.ended, s.last), min(s.due, s.last)
	}
	return s
}

// What a list of Company shows, and in which order.
const (
	WithOpen    = "open"    // weeks are due
	WithWaiting = "waiting" // reports wait for a decision
	Behind      = "behind"  // who has most open weeks is first
	ByName      = "name"
)

// A Choice of whom a list shows. Its zero value shows everybody: who is behind
// first if they fit on one page, else by name.
type Choice struct {
	Search string // words in names and numbers
	Show   string // WithOpen, WithWaiting or empty
	Order  string // Behind, ByName or empty
	After  string // Next of the page before
}

// A Listing is a page of Company.
type Listing struct {
	Stands []Stand
	Order  string // Behind or ByName
	Next   string // empty: this was all
}

// Page is how many apprenticeships a page of the list shows. For an order or a
// choice that needs their books, so many of them are looked at, a page a stretch.
const (
	Page    = 50
	Stretch = 200
)

// Company are the apprenticeships that run in the actor's company, a page at a
// time: trainers and supervisors see those they accompany (R333), training
// admins all.
func Company(tx *db.Tx, by audit.Actor, c Choice) (l Listing, err error) {
	s, err := person.Reader(tx, by)
	if err != nil {
		return l, err
	}
	most := Page
	if c.Show != "" || c.Order == Behind {
		most = Stretch
	}
	all, err := accompanied(tx, s, c.Search, c.After, most+1)
	if err != nil {
		return l, err
	}
	if len(all) > most {
		all = all[:most]
		l.Next = all[most-1].key + "/" + all[most-1].ID
	}
	if l.Stands, err = inOrder(tx, all); err != nil {
		return l, err
	}
	l.Stands = slices.DeleteFunc(l.Stands, func(s Stand) bool {
		return c.Show == WithOpen && !s.Late() || c.Show == WithWaiting && s.Waiting == 0
	})
	if l.Order = c.Order; l.Order == "" {
		if l.Order = ByName; c.After == "" && l.Next == "" {
			l.Order = Behind
		}
	}
	if l.Order == Behind {
		slices.SortStableFunc(l.Stands, ByNeed)
	}
	return l, nil
}

// Late reports whether weeks are open of a book that is kept here.
func (s Stand) Late() bool { return s.Electronic && s.Open > 0 }

// ByNeed orders stands: who is furthest behind first, then who has most to be read.
func ByNeed(a, b Stand) int {
	need := func(s Stand) int {
		if !s.Late() {
			return 0
		}
		return s.Open
	}
	return cmp.Or(cmp.Compare(need(b), need(a)), cmp.Compare(b.Waiting, a.Waiting))
}

// A Trainee is one apprentice as those see them who accompany them.
type Trainee struct {
	Stand      Stand
	Book       Book
	Attendance Attendance
	Plan       []Coverage
	Exam       []Point
}

// TraineeOf reads one apprentice of the actor's company; somebody whom they do
// not accompany is not found (R333).
func TraineeOf(tx *db.Tx, by audit.Actor, sub string) (t Trainee, err error) {
	a, err := accompaniedNow(tx, by, sub)
	if err != nil {
		return t, err
	}
	stands, err := inOrder(tx, []listed{a})
	if err != nil {
		return t, err
	}
	t.Stand = stands[0]
	return t, t.read(tx, a.Apprenticeship)
}

// Accompanied is the newest apprenticeship of a person whom the actor
// accompanies; of somebody else none is found (R333).
func Accompanied(tx *db.Tx, by audit.Actor, sub string) (apprenticeship.Apprenticeship, error) {
	a, err := accompaniedNow(tx, by, sub)
	return a.Apprenticeship, err
}

func accompaniedNow(tx *db.Tx, by audit.Actor, sub string) (listed, error) {
	s, err := person.Reader(tx, by)
	if err != nil {
		return listed{}, err
	}
	return accompaniedBy(tx, s, sub)
}

// read: what was written for another company, before or after, and who was ill
// there, is nobody's business here (Art. 5 (1) c GDPR).
func (t *Trainee) read(tx *db.Tx, a apprenticeship.Apprenticeship) (err error) {
	if t.Book, err = read(tx, a.Person, a.Company, false); err != nil {
		return err
	}
	if t.Attendance, err = attendanceOf(tx, a.Person, a.Company, false); err != nil {
		return err
	}
	if t.Plan, err = PlanOf(tx, a, a.Person, false); err != nil {
		return err
	}
	t.Exam, err = Exam(tx, t.Book, t.Attendance)
	return err
}

// Unplaced are people who keep a report book in the actor's company and of whom
// nobody has said yet what they learn, at most a page of them.
func Unplaced(tx *db.Tx, by audit.Actor) ([]string, error) {
	s, err := person.Reader(tx, by)
	if err != nil {
		return nil, err
	}
	return db.Values[string](tx, `SELECT p.name FROM person p WHERE p.sub IN (SELECT r.person FROM company_role r WHERE r.company = $1 AND r.role IN ('apprentice', 'retrainee'))
		AND NOT EXISTS (SELECT 1 FROM apprenticeship a WHERE a.person = p.sub AND a.company = $1) ORDER BY p.name_key, p.sub LIMIT $2`, s.Company.ID, Page)
}

func inOrder(tx *db.Tx, all []listed) ([]Stand, error) {
	asked := make([]apprenticeship.Apprenticeship, len(all))
	for i, a := range all {
		asked[i] = a.Apprenticeship
	}
	by, err := Of(tx, asked...)
	if err != nil {
		return nil, err
	}
	stands := make([]Stand, len(all))
	for i, a := range all {
		stands[i] = by[a.ID]
	}
	return stands, nil
}
