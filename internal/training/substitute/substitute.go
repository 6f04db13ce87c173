// Package substitute keeps who looks after somebody's apprentices while they
// are away (Vertretung), with a first and a last day.
//
//   - Only people who may sign in the same company stand in for each other, at
//     most for half a year, and one deputy at a time.
//   - A deputy sees and decides what the person who is away could; their own
//     name stands under it. It is not passed on: a deputy's deputy gets nothing.
//   - It ends by itself on the last day, or earlier by either of the two.
package substitute

import (
	"embed"
	"fmt"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/mail"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

// adds bound the mails that one person sends to others by it.
var adds = limit.Rate{Burst: 10, Every: time.Hour}

// longest is how many days ahead a substitution may end.
const longest = 183

// A Substitution of one person by another.
type Substitution struct {
	ID, Person, Name, Deputy, DeputyName string
	From, Until                          calendar.Date
}

func (s *Substitution) fields() []any {
	return []any{&s.ID, &s.Person, &s.Name, &s.Deputy, &s.DeputyName, &s.From, &s.Until}
}

const list = `SELECT s.id, s.person, p.name, s.deputy, d.name, s.from_day, s.until_day FROM substitute s JOIN person p ON p.sub = s.person JOIN person d ON d.sub = s.deputy
	WHERE s.company = $1 AND s.ended_at IS NULL AND s.until_day >= $2 `

func signer(tx *db.Tx, by audit.Actor) (person.Session, error) {
	s, err := person.Acting(tx, by)
	if err == nil && !s.Signs() {
		err = fault.Forbidden()
	}
	return s, err
}

// Add lets deputy stand in for the actor from a day to another, both included.
func Add(tx *db.Tx, by audit.Actor, deputy string, from, until calendar.Date) error {
	s, err := signer(tx, by)
	if err != nil {
		return err
	}
	if err := limit.Hold(tx, "substitute/"+s.Person.Sub); err != nil { // two windows at once: one deputy
		return err
	}
	today := calendar.Today(tx.Now())
	var p fault.Problems
	d, ok := person.Person{}, false
	others, err := Others(tx, by)
	if err != nil {
		return err
	}
	for _, o := range others {
		if o.Sub == deputy {
			d, ok = o, true
		}
	}
	if !ok {
		p.Add("deputy", "substitute.deputy_missing")
	}
	switch {
	case from == "":
		p.Add("from", "substitute.from_missing")
	case from < today:
		p.Add("from", "substitute.from_past")
	}
	switch {
	case until == "":
		p.Add("until", "substitute.until_missing")
	case from != "" && until < from:
		p.Add("until", "substitute.until_before")
	case until > today.Add(longest):
		p.Add("until", "substitute.until_far", today.Add(longest).German())
	}
	if err := p.Err(); err != nil {
		return err
	}
	taken, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM substitute WHERE person = $1 AND company = $2 AND ended_at IS NULL AND from_day <= $4 AND until_day >= $3)`,
		s.Person.Sub, s.Company.ID, from, until)
	if err != nil {
		return err
	}
	if taken {
		return fault.Conflict("substitute.taken")
	}
	if err := limit.TakeIn(tx, "substitute/new/"+s.Person.Sub, adds); err != nil {
		return err
	}
	id := db.NewID()
	if _, err := tx.Exec(`INSERT INTO substitute (id, company, person, deputy, from_day, until_day, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		id, s.Company.ID, s.Person.Sub, deputy, from, until, tx.Now()); err != nil {
		return fmt.Errorf("substitute: %w", err)
	}
	if err := audit.Record(tx, by, audit.Entry{
		Event: "substitute.added", Account: deputy, Organization: s.Company.ID, Thing: id, Detail: map[string]any{"from": from, "until": until},
	}); err != nil || d.Email == "" {
		return err
	}
	return texts.Send(tx, d.Mail(), "substitute", map[string]any{"Name": d.Name, "Person": s.Person.Name, "FirstDay": from.German(), "LastDay": until.German()})
}

// End ends a substitution early; both may. Ending twice is harmless.
func End(tx *db.Tx, by audit.Actor, id string) error {
	s, err := person.Acting(tx, by)
	if err != nil {
		return err
	}
	known, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM substitute WHERE id = $1 AND company = $2 AND (person = $3 OR deputy = $3))`, id, s.Company.ID, s.Person.Sub)
	if err != nil {
		return err
	}
	if !known {
		return fault.NotFound()
	}
	n, err := tx.Exec(`UPDATE substitute SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL`, tx.Now(), id)
	if err != nil || n == 0 {
		return err
	}
	return audit.Record(tx, by, audit.Entry{Event: "substitute.ended", Account: s.Person.Sub, Organization: s.Company.ID, Thing: id})
}

// Mine are the substitutions that run or come: who stands in for the actor,
// and for whom they do.
func Mine(tx *db.Tx, by audit.Actor) (forMe, byMe []Substitution, err error) {
	s, err := signer(tx, by)
	if err != nil {
		return nil, nil, err
	}
	today := calendar.Today(tx.Now())
	if forMe, err = db.All(tx, (*Substitution).fields, list+`AND s.person = $3 ORDER BY s.from_day LIMIT 50`, s.Company.ID, today, s.Person.Sub); err != nil {
		return nil, nil, err
	}
	byMe, err = db.All(tx, (*Substitution).fields, list+`AND s.deputy = $3 ORDER BY s.from_day LIMIT 50`, s.Company.ID, today, s.Person.Sub)
	return forMe, byMe, err
}

// Others are the people who could stand in for the actor.
func Others(tx *db.Tx, by audit.Actor) ([]person.Person, error) {
	s, err := signer(tx, by)
	if err != nil {
		return nil, err
	}
	all, err := person.With(tx, s.Company.ID, person.Trainer, person.Supervisor)
	others := all[:0]
	for _, p := range all {
		if p.Sub != s.Person.Sub {
			others = append(others, p)
		}
	}
	return others, err
}

// For are those for whom a person stands in today.
func For(tx *db.Tx, company, sub string) ([]string, error) {
	type deputy struct{ company, sub string }
	return db.Once(tx, deputy{company, sub}, func() ([]string, error) {
		return db.Values[string](tx, `SELECT person FROM substitute WHERE deputy = $1 AND company = $2 AND ended_at IS NULL AND from_day <= $3 AND until_day >= $3 ORDER BY person LIMIT 50`,
			sub, company, calendar.Today(tx.Now()))
	})
}

// Deputies are those who stand in today for any of some people.
func Deputies(tx *db.Tx, company string, subs []string) ([]string, error) {
	if len(subs) == 0 {
		return nil, nil
	}
	args := []any{company, calendar.Today(tx.Now())}
	for _, s := range subs {
		args = append(args, s)
	}
	return db.Values[string](tx, `SELECT DISTINCT deputy FROM substitute WHERE company = $1 AND ended_at IS NULL AND from_day <= $2 AND until_day >= $2 AND person IN (`+db.In(3, len(subs))+`)`, args...)
}
