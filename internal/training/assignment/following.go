package assignment

import (
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/training/calendar"
)

// ByContract makes a person the trainer of those in a company whose contracts
// name their number and who have none yet (R333); only, if not empty, is the one
// apprenticeship to look at.
func ByContract(tx *db.Tx, by audit.Actor, company, sub, number, only string) error {
	if number == "" {
		return nil
	}
	type contract struct {
		id    string
		first calendar.Date
	}
	all, err := db.All(tx, func(c *contract) []any { return []any{&c.id, &c.first} }, `SELECT a.id, CASE WHEN a.starts_on = '' THEN $4 ELSE a.starts_on END FROM apprenticeship a
		WHERE a.company = $1 AND a.trainer_number = $2 AND (a.person IS NULL OR a.person <> $3) AND ($5 = '' OR a.id = $5)
		AND NOT EXISTS (SELECT 1 FROM assignment x WHERE x.apprenticeship = a.id AND x.role = 'trainer') ORDER BY a.id LIMIT 1000`,
		company, number, sub, calendar.Today(tx.Now()), only)
	if err != nil || len(all) == 0 {
		return err
	}
	args := make([]any, 0, 6*len(all))
	for _, c := range all {
		args = append(args, db.NewID(), c.id, sub, Trainer, c.first, tx.Now())
	}
	if _, err := tx.Exec(`INSERT INTO assignment (id, apprenticeship, person, role, from_day, created_at) VALUES `+db.Rows(len(all), 6), args...); err != nil {
		return fmt.Errorf("trainer by contract: %w", err)
	}
	return audit.Record(tx, by, audit.Entry{Event: "assignment.by_contract", Account: sub, Organization: company, Detail: map[string]any{"apprenticeships": len(all)}})
}

// OfContract looks for the trainer whom the contract of an apprenticeship names
// among those who were here.
func OfContract(tx *db.Tx, by audit.Actor, company, number, apprenticeship string) error {
	if number == "" {
		return nil
	}
	trainer, err := db.Values[string](tx, `SELECT n.person FROM company_number n JOIN company_role r ON r.company = n.company AND r.person = n.person AND r.role = 'trainer'
		WHERE n.company = $1 AND n.trainer_number = $2 LIMIT 1`, company, number)
	if err != nil || len(trainer) == 0 {
		return err
	}
	return ByContract(tx, by, company, trainer[0], number, apprenticeship)
}

// HandOver lets those who accompany an apprenticeship go on with the next one,
// which continues it and begins on first.
func HandOver(tx *db.Tx, from, next string, first calendar.Date) error {
	there, err := Assigned(tx, from)
	if err != nil {
		return err
	}
	for _, x := range there {
		if x.Until != "" && x.Until < first {
			continue
		}
		x.ID, x.Apprenticeship, x.From = "", next, max(x.From, first)
		if err := replace(tx, audit.Actor{Account: ""}, nil, []Assignment{x}); err != nil {
			return err
		}
	}
	return nil
}

// Move gives all assignments of an apprenticeship to another, which takes its place.
func Move(tx *db.Tx, from, to string) error {
	_, err := tx.Exec(`UPDATE assignment SET apprenticeship = $2 WHERE apprenticeship = $1`, from, to)
	return err
}

// NotOneself takes a person's assignments to their own apprenticeship away:
// nobody is their own trainer.
func NotOneself(tx *db.Tx, apprenticeship, sub string) error {
	_, err := tx.Exec(`DELETE FROM assignment WHERE apprenticeship = $1 AND person = $2`, apprenticeship, sub)
	return err
}
