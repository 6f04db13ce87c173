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
