package export

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
	"zunft/internal/training/share"
	"zunft/internal/training/standing"
)

// Whose book somebody takes out; the zero one is their own.
type Whose struct {
	Trainee string // an apprentice whom they accompany, or of their company
	Share   string // the look of their chamber
}

// open says who orders of whose book what: all of it, what was written for a
// company, or what a look shows. Who may not, finds nothing.
func (of Whose) open(tx *db.Tx, by audit.Actor) (e Export, owner person.Person, err error) {
	s, err := person.Acting(tx, by)
	if err != nil {
		return e, owner, err
	}
	e = Export{Person: s.Person.Sub, OrderedBy: s.Person.Sub}
	switch {
	case of.Share != "":
		sh, err := share.Of(tx, by, of.Share)
		if err != nil {
			return e, owner, err
		}
		if !sh.Runs(tx.Now()) {
			return e, owner, fault.NotFound()
		}
		e.Share, e.Person = sh.ID, sh.Person
	case of.Trainee != "":
		a, err := standing.Accompanied(tx, by, of.Trainee)
		if err != nil {
			return e, owner, err
		}
		e.Person, e.Company = a.Person, a.Company
	case !s.Writes():
		return e, owner, fault.Forbidden()
	}
	owner, err = person.Get(tx, e.Person)
	return e, owner, err
}

// Owner of a book, for who may take it out.
func (of Whose) Owner(tx *db.Tx, by audit.Actor) (person.Person, error) {
	_, owner, err := of.open(tx, by)
	return owner, err
}

// Own reports whether the book's owner ordered, all that they wrote.
func (e Export) Own() bool { return e.Company == "" && e.Share == "" }

func (e Export) whose() Whose {
	if e.Share != "" {
		return Whose{Share: e.Share}
	}
	return Whose{Trainee: e.Person}
}

// A Taken is a book that somebody else took out, as its owner reads it.
type Taken struct {
	At          db.Time
	Name        string // who
	Company     string // for which; empty: the chamber
	Scope       string
	First, Last calendar.Date
}

// Dates are the bounds as people read them; empty for the whole book.
func (t Taken) Dates() string { return Export{First: t.First, Last: t.Last}.Dates() }

// Others are the newest exports of the actor's book that others ordered.
func Others(tx *db.Tx, by audit.Actor) ([]Taken, error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, func(t *Taken) []any { return []any{&t.At, &t.Name, &t.Company, &t.Scope, &t.First, &t.Last} },
		`SELECT e.created_at, p.name, COALESCE(c.name, ''), e.scope, e.first_day, e.last_day FROM export e JOIN person p ON p.sub = e.ordered_by LEFT JOIN company c ON c.id = e.company
		WHERE e.person = $1 AND e.ordered_by <> e.person ORDER BY e.id DESC LIMIT 50`, s.Person.Sub)
}
