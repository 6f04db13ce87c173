package chamber

import (
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

// The team of a chamber: its clerks, of whom some lead. Leading clerks take
// people in and let them go; a chamber that has a leading clerk keeps one.

// A Colleague is a clerk of a chamber.
type Colleague struct {
	Account string
	Lead    bool
	Since   db.Time
}

// Team are the clerks of a chamber, those since longest first.
func Team(tx *db.Tx, chamberID string) ([]Colleague, error) {
	return db.All(tx, func(c *Colleague) []any { return []any{&c.Account, &c.Lead, &c.Since} },
		`SELECT account, lead, since FROM staff WHERE chamber = $1 AND role = 'clerk' ORDER BY since, account LIMIT 500`, chamberID)
}

// AddColleague makes somebody a clerk of the chamber; Conflict if they are it.
// The caller ends their sessions: a sign-in asks for the factor a clerk needs.
func AddColleague(tx *db.Tx, by audit.Actor, chamberID, accountID string) error {
	if err := MustLead(tx, by, chamberID); err != nil {
		return err
	}
	n, err := tx.Exec(`INSERT INTO staff (account, chamber, role, since) VALUES ($1, $2, 'clerk', $3) ON CONFLICT DO NOTHING`, accountID, chamberID, tx.Now())
	if err != nil {
		return fmt.Errorf("add clerk %s: %w", accountID, err)
	}
	if n == 0 {
		return fault.Conflict("chamber.clerk_already")
	}
	return audit.Record(tx, by, audit.Entry{Event: "staff.added", Account: accountID, Chamber: chamberID, Detail: map[string]any{"role": Clerk}})
}

// RemoveColleague ends somebody's work for the chamber.
func RemoveColleague(tx *db.Tx, by audit.Actor, chamberID, accountID string) error {
	if err := MustLead(tx, by, chamberID); err != nil {
		return err
	}
	return withLead(tx, chamberID, func() (int64, error) {
		return tx.Exec(`DELETE FROM staff WHERE account = $1 AND chamber = $2 AND role = 'clerk'`, accountID, chamberID)
	}, audit.Entry{Event: "staff.removed", Account: accountID, Chamber: chamberID, Detail: map[string]any{"role": Clerk}}, by)
}

// SetLead says whether a clerk leads.
func SetLead(tx *db.Tx, by audit.Actor, chamberID, accountID string, yes bool) error {
	if err := MustLead(tx, by, chamberID); err != nil {
		return err
	}
	event := "staff.lead_taken"
	if yes {
		event = "staff.lead_given"
	}
	return withLead(tx, chamberID, func() (int64, error) {
		return tx.Exec(`UPDATE staff SET lead = $3 WHERE account = $1 AND chamber = $2 AND role = 'clerk' AND lead <> $3`, accountID, chamberID, yes)
	}, audit.Entry{Event: event, Account: accountID, Chamber: chamberID}, by)
}

// withLead changes the team of a chamber so that somebody leads it afterwards,
// too: changes of one team come one after the other.
func withLead(tx *db.Tx, chamberID string, change func() (int64, error), e audit.Entry, by audit.Actor) error {
	if _, err := tx.Exec(`UPDATE chamber SET version = version WHERE id = $1`, chamberID); err != nil {
		return err
	}
	n, err := change()
	if err != nil {
		return fmt.Errorf("team of chamber %s: %w", chamberID, err)
	}
	if n == 0 {
		return fault.Conflict("chamber.team_changed")
	}
	if err := leadStays(tx, chamberID, ""); err != nil {
		return err
	}
	return audit.Record(tx, by, e)
}

// leadStays: beside this one somebody leads the team who has not asked for their
// own account to be deleted.
func leadStays(tx *db.Tx, chamberID, accountID string) error {
	led, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM staff s JOIN account a ON a.id = s.account WHERE s.chamber = $1 AND s.role = 'clerk' AND s.lead AND s.account <> $2 AND a.delete_at IS NULL)`, chamberID, accountID)
	if err == nil && !led {
		err = fault.Conflict("chamber.last_lead")
	}
	return err
}

// ChangeContact changes what people and letters say of how to reach the
// chamber: for its leading clerks. Everything else is its operator's.
func ChangeContact(tx *db.Tx, by audit.Actor, c Chamber) error {
	if err := MustLead(tx, by, c.ID); err != nil {
		return err
	}
	was, err := Get(tx, c.ID)
	if err != nil {
		return err
	}
	now := was
	now.Phone, now.Hours, now.Email, now.Website, now.LetterSigner, now.Version = c.Phone, c.Hours, c.Email, c.Website, c.LetterSigner, c.Version
	return change(tx, by, was, now)
}
