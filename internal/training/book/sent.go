package book

import (
	"slices"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/bookform"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
	"zunft/internal/training/substitute"
	"zunft/internal/training/supervisor"
)

// A recipient of a submitted report; zero: the trainers.
type recipient struct {
	person     person.Person
	supervisor bool
	pin        string // of a supervisor who had none before (R268)
	first      bool   // of a supervisor: nothing of this apprentice went there before
	unknown    bool   // of a supervisor: signs when the company has confirmed the address
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
	if supervisor.Mailbox(writer.Email) == supervisor.Mailbox(key) {
		return to, fault.Invalid("approver", "book.approver_self")
	}
	roles := []string{person.Trainer, person.Supervisor}
	if r.Kind == Paper { // R321
		roles = roles[:1]
	}
	signers, err := person.With(tx, r.Company, roles...)
	if err != nil {
		return to, err
	}
	for _, p := range signers {
		if p.Sub != r.Apprentice && supervisor.Key(p.Email) == key {
			return recipient{person: p}, nil
		}
	}
	if r.Kind == Paper {
		return to, fault.Invalid("approver", "book.approver_paper")
	}
	if way, err := supervisor.WayOf(tx, r.Company); err != nil || way == supervisor.ByAccount { // W14, the other way
		if err == nil {
			err = fault.Invalid("approver", "book.approver_account")
		}
		return to, err
	}
	to.supervisor = true
	if to.person, to.pin, err = supervisor.Of(tx, by, key, writer.Language); err != nil {
		return to, err
	}
	own, err := supervisor.Before(tx, r.Apprentice)
	if err == nil && slices.Contains(own, to.person.Sub) { // an address that was theirs
		err = fault.Invalid("approver", "book.approver_self")
	}
	if err != nil {
		return to, err
	}
	known, err := supervisor.Known(tx, r.Company, to.person.Sub)
	if err != nil {
		return to, err
	}
	before, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM report WHERE approver = $1 AND apprentice = $2)`, to.person.Sub, r.Apprentice)
	to.unknown, to.first = !known, !before
	return to, err
}

// LastApprover is the address to which the actor sent a report last, or empty.
func LastApprover(tx *db.Tx, by audit.Actor) (string, error) {
	s, err := person.Author(tx, by)
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

// Who a report waits for.
type Waits int

const (
	First  Waits = iota // whoever reads it first: of two steps the supervisors, if any is assigned
	Second              // of two steps the trainers
)

// Accompanying are those who are told that a report waits: who is assigned to
// the apprenticeship today (R232, R333), if no trainer is then all of the
// company; and who stands in for them.
func Accompanying(tx *db.Tx, apprenticeshipID, company string, step Waits) ([]person.Person, error) {
	return accompanying(tx, apprenticeshipID, company, step, "", "9999-12-31")
}

// Reading is Accompanying for a report: of supervisors those whose time with the
// apprentice has a day of it.
func Reading(tx *db.Tx, r Report, step Waits) ([]person.Person, error) {
	return accompanying(tx, r.Apprenticeship, r.Company, step, r.First, r.Last)
}

func accompanying(tx *db.Tx, apprenticeshipID, company string, step Waits, first, last calendar.Date) ([]person.Person, error) {
	a, err := apprenticeship.Get(tx, apprenticeshipID)
	if err != nil {
		return nil, err
	}
	settings, err := bookform.Of(tx, company, a.Occupation)
	if err != nil {
		return nil, err
	}
	var subs, supervisors, trainers []string
	err = tx.Each(`SELECT DISTINCT x.person, x.role FROM assignment x JOIN company_role c ON c.company = $2 AND c.person = x.person AND c.role IN ('trainer', 'supervisor')
		WHERE x.apprenticeship = $1 AND x.from_day <= $3 AND (x.until_day = '' OR x.until_day >= $3) AND (x.role = 'trainer' OR x.from_day <= $5 AND (x.until_day = '' OR x.until_day >= $4))`,
		[]any{a.ID, company, calendar.Today(tx.Now()), first, last}, func(scan func(...any) error) error {
			var sub, role string
			err := scan(&sub, &role)
			if role == person.Supervisor {
				supervisors = append(supervisors, sub)
			} else {
				trainers = append(trainers, sub)
			}
			return err
		})
	if err != nil {
		return nil, err
	}
	if len(trainers) == 0 {
		all, err := person.With(tx, company, person.Trainer)
		if err != nil {
			return nil, err
		}
		for _, p := range all {
			trainers = append(trainers, p.Sub)
		}
	}
	switch {
	case settings.Steps == 2 && step == First && len(supervisors) > 0:
		subs = supervisors
	case settings.Steps == 2 && step == Second:
		subs = trainers
	default:
		subs = append(supervisors, trainers...)
	}
	deputies, err := substitute.Deputies(tx, company, subs)
	if err != nil {
		return nil, err
	}
	return person.These(tx, append(subs, deputies...))
}
