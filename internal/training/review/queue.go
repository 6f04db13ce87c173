package review

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/book"
	"zunft/internal/training/person"
	"zunft/internal/training/supervisor"
)

// An Item of a queue or list.
type Item struct {
	ID, Apprentice, Name string
	Week                 book.Week
	State                book.State
	SubmittedAt          db.Time
}

func (i *Item) fields() []any {
	return []any{&i.ID, &i.Apprentice, &i.Name, &i.Week.Year, &i.Week.Number, &i.State, &i.SubmittedAt}
}

const items = `SELECT r.id, r.apprentice, p.name, r.year, r.week, r.state, r.submitted_at FROM report r JOIN person p ON p.sub = r.apprentice `

// QueueSize is how many reports a queue shows at once.
const QueueSize = 200

// Queue is what waits for a decision in the actor's company, oldest first,
// without the actor's own.
func Queue(tx *db.Tx, by audit.Actor) ([]Item, error) {
	s, err := reader(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, (*Item).fields, items+`WHERE r.company = $1 AND r.state = 'submitted' AND r.apprentice <> $2
		ORDER BY r.submitted_at, r.id LIMIT $3`, s.Company.ID, s.Person.Sub, QueueSize)
}

// Waiting counts the queue and says since when the oldest waits.
func Waiting(tx *db.Tx, by audit.Actor) (n int, oldest db.Time, err error) {
	s, err := reader(tx, by)
	if err != nil {
		return 0, oldest, err
	}
	err = tx.Scan(`SELECT count(*), min(submitted_at) FROM report WHERE company = $1 AND state = 'submitted' AND apprentice <> $2`,
		[]any{s.Company.ID, s.Person.Sub}, &n, &oldest)
	return n, oldest, err
}

func reader(tx *db.Tx, by audit.Actor) (person.Session, error) {
	s, err := person.Acting(tx, by)
	if err == nil && !s.Reads() {
		err = fault.Forbidden()
	}
	return s, err
}

// A Trainee is an apprentice of the company, with counts.
type Trainee struct {
	Sub, Name                      string
	Submitted, Returned, SignedOff int
	Last                           db.Time // submitted at
}

// Trainees are the apprentices of the actor's company, by name.
func Trainees(tx *db.Tx, by audit.Actor) ([]Trainee, error) {
	s, err := reader(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, func(t *Trainee) []any {
		return []any{&t.Sub, &t.Name, &t.Submitted, &t.Returned, &t.SignedOff, &t.Last}
	}, `SELECT p.sub, p.name, count(r.id) FILTER (WHERE r.state = 'submitted'), count(r.id) FILTER (WHERE r.state = 'returned'),
			count(r.id) FILTER (WHERE r.state = 'signed_off'), max(r.submitted_at)
		FROM person p LEFT JOIN report r ON r.apprentice = p.sub AND r.company = $1
		WHERE p.sub IN (SELECT person FROM company_role WHERE company = $1 AND role IN ('apprentice', 'retrainee')
			UNION SELECT apprentice FROM report WHERE company = $1 AND submitted_at IS NOT NULL)
		GROUP BY p.sub, p.name, p.name_key ORDER BY p.name_key, p.sub`, s.Company.ID)
}

// ReportsOf are the reports of one apprentice of the actor's company that were
// submitted once, newest week first.
func ReportsOf(tx *db.Tx, by audit.Actor, sub string) (person.Person, []Item, error) {
	all, err := Trainees(tx, by)
	if err != nil {
		return person.Person{}, nil, err
	}
	for _, t := range all {
		if t.Sub != sub {
			continue
		}
		p, err := person.Get(tx, sub)
		if err != nil {
			return p, nil, err
		}
		s, err := reader(tx, by)
		if err != nil {
			return p, nil, err
		}
		reports, err := db.All(tx, (*Item).fields, items+`WHERE r.company = $1 AND r.apprentice = $2 AND r.submitted_at IS NOT NULL
			ORDER BY r.year DESC, r.week DESC`, s.Company.ID, sub)
		return p, reports, err
	}
	return person.Person{}, nil, fault.NotFound()
}

// Sent lists what was sent to the address of the supervisor who acts, newest
// first, whosoever wrote it (R269, R329); of two lists the first is what waits.
func Sent(tx *db.Tx, by audit.Actor) (waiting, decided []Item, err error) {
	s, err := supervisor.Acting(tx, by)
	if err != nil {
		return nil, nil, err
	}
	if waiting, err = db.All(tx, (*Item).fields, items+`WHERE r.approver = $1 AND r.state = 'submitted' ORDER BY r.submitted_at, r.id LIMIT $2`, s.Person, QueueSize); err != nil {
		return nil, nil, err
	}
	decided, err = db.All(tx, (*Item).fields, items+`WHERE r.approver = $1 AND r.submitted_at IS NOT NULL AND r.state IN ('signed_off', 'returned')
		ORDER BY r.submitted_at DESC, r.id LIMIT $2`, s.Person, doneShown)
	return waiting, decided, err
}

const doneShown = 50
