package book

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/person"
	"zunft/internal/training/supervisor"
)

// A recipient of a submitted report; zero: the trainers.
type recipient struct {
	person     person.Person
	supervisor bool
	pin        string // of a supervisor who had none before (R268)
}

// approver finds whose address the apprentice typed: somebody with a role in
// the company, else a supervisor without an account. Nobody sends it to
// themselves.
func approver(tx *db.Tx, by audit.Actor, r Report, email string) (to recipient, err error) {
	if email == "" {
		return to, nil
	}
	key, err := supervisor.ReadEmail("approver", email)
	if err != nil {
		return to, err
	}
	writer, err := person.Get(tx, r.Apprentice)
	if err != nil {
		return to, err
	}
	if supervisor.Key(writer.Email) == key {
		return to, fault.Invalid("approver", "book.approver_self")
	}
	signers, err := person.With(tx, r.Company, person.Trainer, person.Supervisor)
	if err != nil {
		return to, err
	}
	for _, p := range signers {
		if p.Sub != r.Apprentice && supervisor.Key(p.Email) == key {
			return recipient{person: p}, nil
		}
	}
	to.supervisor = true
	to.person, to.pin, err = supervisor.Of(tx, by, key, writer.Language)
	return to, err
}

// LastApprover is the address to which the actor sent a report last, or empty.
func LastApprover(tx *db.Tx, by audit.Actor) (string, error) {
	s, err := author(tx, by)
	if err != nil {
		return "", err
	}
	email, err := db.Value[string](tx, `SELECT COALESCE(p.email, '') FROM report r LEFT JOIN person p ON p.sub = r.approver
		WHERE r.company = $1 AND r.apprentice = $2 AND r.submitted_at IS NOT NULL ORDER BY r.year DESC, r.week DESC LIMIT 1`, s.Company.ID, s.Person.Sub)
	if fault.Is(err, fault.KindNotFound) {
		return "", nil
	}
	return email, err
}

// ApproverOf is the person to whom a report was sent; false: the trainers.
func ApproverOf(tx *db.Tx, r Report) (person.Person, bool, error) {
	if r.Approver == "" {
		return person.Person{}, false, nil
	}
	p, err := person.Get(tx, r.Approver)
	return p, err == nil, err
}

// sentTo is a report that was sent to the address of the supervisor who acts.
// While it is back with the apprentice they see no text.
func sentTo(tx *db.Tx, by audit.Actor, id string) (Report, error) {
	s, err := supervisor.Acting(tx, by)
	if err != nil {
		return Report{}, err
	}
	r, err := byID(tx, id)
	if err != nil {
		return r, err
	}
	if r.Approver != s.Person || r.SubmittedAt.IsZero() {
		return Report{}, fault.NotFound()
	}
	if r.Open() {
		r.Text = Text{}
	}
	return r, nil
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
