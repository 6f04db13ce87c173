// Package takeover hands what an ended chamber kept to its successor: chambers
// of commerce and of crafts merge, and a merged chamber's companies are still
// companies.
//
// Policy:
//   - An operator, or the console, does it, once the term of the chamber is over
//     and the successor exists. It is done whole or not at all, and what comes to
//     the old chamber later can be handed over by doing it again.
//   - Companies go with their sites, letters, registrations, mandates and
//     successions; members, roles and the sessions of people stay as they are, and
//     so do the contracts of applications: tokens name the successor from the next
//     sign-in on. Cases at the desk (recoveries, corrections of names) go, too.
//   - Clerks go. They lead there only where nobody does: the successor settles
//     its own team, settings and text blocks.
//   - The ident number is unique within one chamber only. Where both chambers have
//     one number for two companies nothing is done: the desks settle that first,
//     the number stands in letters and directories.
//   - The record stays where things happened. So do the numbers people sign in
//     with: they were given out with the old chamber's number before them.
//   - Letters that are out name the old chamber's number; it goes on opening
//     ([organization.ByNumbers]).
package takeover

import (
	"embed"
	"fmt"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/notice"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

// MostClashes is how many clashes a [Plan] names.
const MostClashes = 50

// A Clash is an ident number that two companies have, one at each chamber.
type Clash struct{ Number, Name, There string }

// A Plan is what would go to whom.
type Plan struct {
	From, To                          chamber.Chamber
	Companies, Open, Clerks, Listings int // Open: registrations not decided; Listings: entries of the directory
	Clashes                           []Clash
}

// Look says what would be done. Conflict: the chamber goes on, or nobody follows it.
func Look(tx *db.Tx, by audit.Actor, chamberID string) (p Plan, err error) {
	if by.Kind != audit.Command {
		operator, err := chamber.IsOperator(tx, by.Account)
		if err == nil && !operator {
			err = fault.Forbidden()
		}
		if err != nil {
			return p, err
		}
	}
	if p.From, err = chamber.Get(tx, chamberID); err != nil {
		return p, err
	}
	if p.From.ValidUntil.IsZero() || p.From.ValidUntil.After(tx.Now()) {
		return p, fault.Conflict("takeover.not_over", p.From.Name)
	}
	if p.To, err = chamber.Heir(tx, p.From); fault.Is(err, fault.KindNotFound) {
		err = fault.Conflict("takeover.no_successor", p.From.Name)
	}
	if err != nil {
		return p, err
	}
	err = tx.Scan(`SELECT (SELECT count(*) FROM organization WHERE chamber = $1), (SELECT count(*) FROM registration WHERE chamber = $1 AND state IN ('submitted', 'asked_back', 'second')),
		(SELECT count(*) FROM staff WHERE chamber = $1), (SELECT count(*) FROM directory_entry WHERE chamber = $1)`, []any{p.From.ID}, &p.Companies, &p.Open, &p.Clerks, &p.Listings)
	if err != nil {
		return p, err
	}
	p.Clashes, err = db.All(tx, func(c *Clash) []any { return []any{&c.Number, &c.Name, &c.There} },
		`SELECT a.ident_number, a.name, b.name FROM organization a JOIN organization b ON b.chamber = $2 AND b.ident_number = a.ident_number AND b.state <> 'closed' WHERE a.chamber = $1 AND a.state <> 'closed'
		UNION SELECT a.ident_number, a.name, b.name FROM registration a JOIN registration b ON b.chamber = $2 AND b.state IN ('submitted', 'asked_back', 'second')
			AND (b.company_key = a.company_key OR b.ident_number = a.ident_number AND a.ident_number <> '') WHERE a.chamber = $1 AND a.state IN ('submitted', 'asked_back', 'second')
		ORDER BY 1, 2 LIMIT $3`, p.From.ID, p.To.ID, MostClashes)
	return p, err
}

// moves are what goes, each from chamber $1 to $2.
var moves = []string{
	`UPDATE organization SET chamber = $2, version = version + 1 WHERE chamber = $1`,
	`UPDATE site SET chamber = $2 WHERE chamber = $1`,
	`UPDATE registration SET chamber = $2, forwarded_from = CASE WHEN state IN ('submitted', 'asked_back', 'second') THEN $1 ELSE forwarded_from END, version = version + 1 WHERE chamber = $1`,
	`UPDATE letter_batch SET chamber = $2 WHERE chamber = $1`,
	`UPDATE letter SET chamber = $2 WHERE chamber = $1`,
	`UPDATE succession SET chamber = $2 WHERE chamber = $1`,
	`UPDATE mandate SET chamber = $2, version = version + 1 WHERE chamber = $1`,
	`UPDATE recovery SET chamber = $2 WHERE chamber = $1`,
	`UPDATE name_correction SET chamber = $2 WHERE chamber = $1`,
	`UPDATE account SET chamber = $2 WHERE chamber = $1`,
	// What the successor's directory says of a company goes first: it may know it already.
	`UPDATE directory_entry SET chamber = $2 WHERE chamber = $1 AND NOT EXISTS (SELECT 1 FROM directory_entry e WHERE e.chamber = $2 AND e.ident_number = directory_entry.ident_number)`,
	`DELETE FROM staff WHERE chamber = $1 AND role = 'clerk' AND account IN (SELECT account FROM staff WHERE chamber = $2 AND role = 'clerk')`,
	`UPDATE staff SET chamber = $2, lead = lead AND NOT EXISTS (SELECT 1 FROM staff s WHERE s.chamber = $2 AND s.lead) WHERE chamber = $1`,
}

// Do hands over everything there is. Conflict names what two companies share.
func Do(tx *db.Tx, by audit.Actor, chamberID string) (Plan, error) {
	// Two operators at once come one after the other: the second finds nothing left.
	if _, err := tx.Exec(`UPDATE chamber SET version = version WHERE id = $1`, chamberID); err != nil {
		return Plan{}, err
	}
	p, err := Look(tx, by, chamberID)
	if err != nil {
		return p, err
	}
	if len(p.Clashes) > 0 {
		var some []string
		for _, c := range p.Clashes[:min(len(p.Clashes), 5)] {
			some = append(some, c.Number+" "+c.Name)
		}
		return p, fault.Conflict("takeover.clash", strings.Join(some, ", "))
	}
	clerks, err := chamber.Clerks(tx, p.From.ID)
	if err != nil {
		return p, err
	}
	for _, move := range moves {
		if _, err := tx.Exec(move, p.From.ID, p.To.ID); err != nil {
			return p, fmt.Errorf("take over %s: %w", p.From.Number, err)
		}
	}
	// What clerks search by is made anew, beside serving (package search).
	if _, err := tx.Exec(`UPDATE search_progress SET upto = '', done = FALSE WHERE what IN ('organizations', 'people')`); err != nil {
		return p, err
	}
	for _, id := range clerks {
		if err := notice.Tell(tx, id, "notice.chamber_taken_over", "/chamber", p.From.Name, p.To.Name); err != nil {
			return p, err
		}
	}
	detail := map[string]any{"from": p.From.Number, "to": p.To.Number, "companies": p.Companies, "clerks": p.Clerks, "registrations": p.Open}
	return p, audit.Record(tx, by,
		audit.Entry{Event: "chamber.taken_over", Chamber: p.From.ID, Thing: p.To.ID, Detail: detail},
		audit.Entry{Event: "chamber.took_over", Chamber: p.To.ID, Thing: p.From.ID, Detail: detail})
}

// LastDay is the last day of the chamber that ended.
func (p Plan) LastDay() db.Time { return db.At(p.From.ValidUntil.In(mail.Berlin).AddDate(0, 0, -1)) }
