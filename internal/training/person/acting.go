package person

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
)

// Acting is the running session of an actor. Every command asks it who acts,
// for which company and with which roles; without one nothing is allowed.
func Acting(tx *db.Tx, by audit.Actor) (Session, error) {
	type who audit.Actor
	s, err := db.Once(tx, who(by), func() (Session, error) {
		return load(tx, sessions+`WHERE s.id = $1 AND s.person = $2 AND s.ended_at IS NULL AND s.ends_at > $3`, by.Session, by.Account, tx.Now())
	})
	if fault.Is(err, fault.KindNotFound) {
		return s, fault.Forbidden()
	}
	return s, err
}

// Author is the running session of somebody who keeps a report book in the
// company they act for.
func Author(tx *db.Tx, by audit.Actor) (Session, error) { return acting(tx, by, Session.Writes) }

// Reader is the running session of somebody who sees reports of others in the
// company they act for; of whom, is another question.
func Reader(tx *db.Tx, by audit.Actor) (Session, error) { return acting(tx, by, Session.Reads) }

// Admin is the running session of a training admin: the only ones who say what
// holds in a company.
func Admin(tx *db.Tx, by audit.Actor) (Session, error) {
	return acting(tx, by, func(s Session) bool { return s.Is(TrainingAdmin) })
}

// Clerk is the running session of somebody who works for a chamber: Chamber is
// not empty.
func Clerk(tx *db.Tx, by audit.Actor) (Session, error) {
	return acting(tx, by, func(s Session) bool { return s.Chamber() != "" })
}

// acting is Acting, for those who may.
func acting(tx *db.Tx, by audit.Actor, may func(Session) bool) (Session, error) {
	s, err := Acting(tx, by)
	if err == nil && !may(s) {
		err = fault.Forbidden()
	}
	return s, err
}

// Turn lets changes of what holds in the session's company come one after the
// other, until the end of the transaction.
func (s Session) Turn(tx *db.Tx) error { return limit.Hold(tx, "company/"+s.Company.ID) }

// In is what somebody is in a company, as a session without a beginning or end:
// for what is done for them while they are not here.
func In(tx *db.Tx, company, sub string) (s Session, err error) {
	if s.Person, err = Get(tx, sub); err != nil {
		return s, err
	}
	if s.Company, err = CompanyOf(tx, company); err != nil {
		return s, err
	}
	s.Roles, err = rolesIn(tx, company, sub)
	return s, err
}
