// Package reminder tells people once a week what waits for them, at the day and
// hour they chose, or not at all:
//
//   - Apprentices and retrainees: which weeks are missing or came back (R323).
//     Nothing missing, no mail.
//   - Trainers and supervisors: how much waits, since when and of whom (R324).
//     Whoever likes that better than a mail per submission (M20) says so.
//   - Whoever has submitted nothing for some weeks (a company's setting, four by
//     default) is told that their trainers will hear of it, since when it counts
//     and on which day; then they hear of it, once per silence.
//   - It rests on public holidays, in planned absences, while a substitute stands
//     in, and after outages: then the mail comes at the same hour of the next day
//     that is none. Days of rest do not count for silence.
//
// Run sends: in batches, by what is due first. Who takes a batch moves its rows
// on in the same transaction as the mails, and a row per person and week says
// that it was sent, so two nodes send once and a crash sends nothing twice.
package reminder

import (
	"embed"
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
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

// Kinds of reminders.
const (
	Writing   = "writing"
	Reviewing = "reviewing"
)

// Usual is when reminders come where nobody chose.
var Usual = map[string]Moment{Writing: {7, 18}, Reviewing: {5, 9}}

// roles whose people are reminded.
var roles = map[string][]string{Writing: {person.Apprentice, person.Retrainee}, Reviewing: {person.Trainer, person.Supervisor}}

// A Choice is how somebody wants to be reminded.
type Choice struct {
	Kind   string
	Weekly bool
	Moment
	Quiet bool    // no mail per submission
	Next  db.Time // zero: not planned yet
}

func (c *Choice) fields() []any {
	return []any{&c.Kind, &c.Weekly, &c.Weekday, &c.Hour, &c.Quiet, &c.Next}
}

// kindsOf are what somebody is reminded of, by what they do.
func kindsOf(s person.Session) (kinds []string) {
	if s.Writes() {
		kinds = append(kinds, Writing)
	}
	if s.Signs() {
		kinds = append(kinds, Reviewing)
	}
	return kinds
}

// Mine are the actor's choices, one per thing they do; else fault.Forbidden.
func Mine(tx *db.Tx, by audit.Actor) ([]Choice, error) {
	s, err := acting(tx, by)
	if err != nil {
		return nil, err
	}
	stored, err := db.All(tx, (*Choice).fields, `SELECT kind, weekly, weekday, hour, quiet, next_at FROM reminder WHERE person = $1`, s.Person.Sub)
	if err != nil {
		return nil, err
	}
	var all []Choice
	for _, kind := range kindsOf(s) {
		c := Choice{Kind: kind, Weekly: true, Moment: Usual[kind]}
		_, c.Next = c.Moment.Next(tx.Now())
		for _, x := range stored {
			if x.Kind == kind {
				c = x
			}
		}
		all = append(all, c)
	}
	return all, nil
}

func acting(tx *db.Tx, by audit.Actor) (person.Session, error) {
	s, err := person.Acting(tx, by)
	if err == nil && len(kindsOf(s)) == 0 {
		err = fault.Forbidden()
	}
	return s, err
}

// Choose keeps how the actor wants to be reminded; kinds that they do not have
// are ignored.
func Choose(tx *db.Tx, by audit.Actor, choices ...Choice) error {
	s, err := acting(tx, by)
	if err != nil {
		return err
	}
	var wrong fault.Problems
	for _, c := range choices {
		if c.Weekly && !c.ok() {
			wrong.Add(c.Kind+"_day", "reminder.moment_missing", FirstHour, LastHour)
		}
	}
	if err := wrong.Err(); err != nil {
		return err
	}
	for _, kind := range kindsOf(s) {
		for _, c := range choices {
			if c.Kind != kind {
				continue
			}
			if err := choose(tx, by, s, c); err != nil {
				return err
			}
		}
	}
	return nil
}

func choose(tx *db.Tx, by audit.Actor, s person.Session, c Choice) error {
	if !c.Weekly { // the row goes on at the usual time, and sends nothing
		c.Moment, c.Quiet = Usual[c.Kind], false
	}
	c.Quiet = c.Quiet && c.Kind == Reviewing
	slot, at := c.Moment.Next(tx.Now())
	n, err := tx.Exec(`INSERT INTO reminder (person, kind, weekly, weekday, hour, quiet, slot, next_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (person, kind) DO UPDATE SET weekly = excluded.weekly, weekday = excluded.weekday, hour = excluded.hour, quiet = excluded.quiet, slot = excluded.slot, next_at = excluded.next_at, changed_at = excluded.changed_at
		WHERE reminder.weekly <> excluded.weekly OR reminder.weekday <> excluded.weekday OR reminder.hour <> excluded.hour OR reminder.quiet <> excluded.quiet`,
		s.Person.Sub, c.Kind, c.Weekly, c.Weekday, c.Hour, c.Quiet, slot, at, tx.Now())
	if err != nil {
		return fmt.Errorf("choose reminders: %w", err)
	}
	if n == 0 {
		return nil
	}
	return audit.Record(tx, by, audit.Entry{
		Event: "reminder.chosen", Account: s.Person.Sub, Organization: s.Company.ID,
		Detail: map[string]any{"kind": c.Kind, "weekly": c.Weekly, "weekday": c.Weekday, "hour": c.Hour, "quiet": c.Quiet},
	})
}

// usualWeeks is after how many weeks without a submission trainers hear of it,
// where the company said nothing.
const usualWeeks = 4

// Weeks are those a company can choose from; 0 is never.
var Weeks = []int{2, 3, 4, 6, 8, 12, 0}

// WeeksOf is what the actor's company chose.
func WeeksOf(tx *db.Tx, by audit.Actor) (int, error) {
	s, err := person.Admin(tx, by)
	if err != nil {
		return 0, err
	}
	all, err := weeksOf(tx, []any{s.Company.ID})
	return all.of(s.Company.ID), err
}

// SetWeeks chooses for the actor's company.
func SetWeeks(tx *db.Tx, by audit.Actor, weeks int) error {
	s, err := person.Admin(tx, by)
	if err != nil {
		return err
	}
	known := false
	for _, w := range Weeks {
		known = known || w == weeks
	}
	if !known {
		return fault.Invalid("weeks", "reminder.weeks_missing")
	}
	n, err := tx.Exec(`INSERT INTO reminder_setting (company, weeks, changed_at, changed_by) VALUES ($1, $2, $3, $4)
		ON CONFLICT (company) DO UPDATE SET weeks = excluded.weeks, changed_at = excluded.changed_at, changed_by = excluded.changed_by WHERE reminder_setting.weeks <> excluded.weeks`,
		s.Company.ID, weeks, tx.Now(), s.Person.Sub)
	if err != nil || n == 0 {
		return err
	}
	return audit.Record(tx, by, audit.Entry{Event: "company.reminder_settled", Organization: s.Company.ID, Chamber: s.Company.ChamberNumber, Detail: map[string]any{"weeks": weeks}})
}

// settled is what companies chose, by id.
type settled map[string]int

func (s settled) of(company string) int {
	if n, said := s[company]; said {
		return n
	}
	return usualWeeks
}

func weeksOf(tx *db.Tx, companies []any) (settled, error) {
	all := settled{}
	if len(companies) == 0 {
		return all, nil
	}
	return all, tx.Each(`SELECT company, weeks FROM reminder_setting WHERE company IN (`+db.In(1, len(companies))+`)`, companies, func(scan func(...any) error) error {
		var company string
		var weeks int
		err := scan(&company, &weeks)
		all[company] = weeks
		return err
	})
}

// Lost are the days of the last two weeks on which the portal was down for
// hours, of those that a book knows.
func Lost(days []calendar.Date, today calendar.Date) (lately []calendar.Date) {
	for _, d := range days {
		if d >= today.Add(-14) {
			lately = append(lately, d)
		}
	}
	return lately
}
