package supervisor

import (
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/person"
)

// A Way is how people without an account come to sign reports of a company (W14).
type Way string

const (
	ByConfirmation Way = "confirmed" // with a PIN, once the company has confirmed their address
	ByPIN          Way = "pin"       // with a PIN, whatever address an apprentice types
	ByAccount      Way = "account"   // not at all; new reports go to accounts only
)

// WayOf is the way of a company; without a word of theirs addresses are confirmed.
func WayOf(tx *db.Tx, company string) (Way, error) {
	way, err := db.Value[Way](tx, `SELECT way FROM supervisor_setting WHERE company = $1`, company)
	if fault.Is(err, fault.KindNotFound) {
		return ByConfirmation, nil
	}
	return way, err
}

// SetWay chooses it; training admins only. What was sent by then stays readable.
func SetWay(tx *db.Tx, by audit.Actor, way Way) error {
	s, err := person.Admin(tx, by)
	if err != nil {
		return err
	}
	if way != ByConfirmation && way != ByPIN && way != ByAccount {
		return fault.Invalid("way", "supervisor.way_missing")
	}
	before, err := WayOf(tx, s.Company.ID)
	if err != nil || before == way {
		return err
	}
	if _, err := tx.Exec(`INSERT INTO supervisor_setting (company, way, changed_at, changed_by) VALUES ($1, $2, $3, $4)
		ON CONFLICT (company) DO UPDATE SET way = $2, changed_at = $3, changed_by = $4`, s.Company.ID, way, tx.Now(), by.Account); err != nil {
		return fmt.Errorf("supervisor setting: %w", err)
	}
	return audit.Record(tx, by, audit.Entry{Event: "supervisor.setting_changed", Organization: s.Company.ID, Detail: map[string]any{"way": way}})
}

// Known reports whether somebody with a PIN may sign reports of a company: it
// asks for no confirmation, has confirmed their address, or has given a role to
// the account they have by now.
func Known(tx *db.Tx, company, sub string) (bool, error) {
	way, err := WayOf(tx, company)
	if err != nil || way == ByPIN {
		return err == nil, err
	}
	return db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM supervisor_known WHERE company = $1 AND person = $2)
		OR EXISTS (SELECT 1 FROM supervisor v JOIN company_role k ON k.person = v.account WHERE v.person = $2 AND k.company = $1 AND k.role IN ('trainer', 'supervisor'))`, company, sub)
}

// Unknown is the condition that the address a report r was sent to has a PIN,
// and that its company has not confirmed it; for companies that ask for it.
const Unknown = `(r.state = 'submitted' AND EXISTS (SELECT 1 FROM supervisor v WHERE v.person = r.approver
	AND NOT EXISTS (SELECT 1 FROM supervisor_known n WHERE n.company = r.company AND n.person = v.person)
	AND NOT EXISTS (SELECT 1 FROM company_role k WHERE k.company = r.company AND k.person = v.account AND k.role IN ('trainer', 'supervisor'))))`

// Confirm says that an address is that of somebody who may sign reports of a
// company, and tells them. Callers have asked who may. Twice is harmless.
func Confirm(tx *db.Tx, by audit.Actor, company, sub string) error {
	n, err := tx.Exec(`INSERT INTO supervisor_known (company, person, confirmed_at, confirmed_by) VALUES ($1, $2, $3, $4) ON CONFLICT (company, person) DO NOTHING`, company, sub, tx.Now(), by.Account)
	if err != nil || n == 0 {
		return err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "supervisor.confirmed", Account: sub, Organization: company}); err != nil {
		return err
	}
	c, err := person.CompanyOf(tx, company)
	if err != nil {
		return err
	}
	p, err := person.Get(tx, sub)
	if err != nil {
		return err
	}
	return texts.Send(tx, p.Mail(), "confirmed", map[string]any{"Company": c.Name, "Email": p.Email})
}

// Withdraw takes the confirmation of an address back; training admins only. What
// was signed stays. Twice is harmless.
func Withdraw(tx *db.Tx, by audit.Actor, sub string) error {
	s, err := person.Admin(tx, by)
	if err != nil {
		return err
	}
	n, err := tx.Exec(`DELETE FROM supervisor_known WHERE company = $1 AND person = $2`, s.Company.ID, sub)
	if err != nil || n == 0 {
		return err
	}
	return audit.Record(tx, by, audit.Entry{Event: "supervisor.withdrawn", Account: sub, Organization: s.Company.ID})
}

// An Access is somebody with a PIN to whom reports of a company were sent.
type Access struct {
	Person, Email string
	Reports       int    // sent, and not yet decided
	Report        string // id of one of them
	UsedAt        db.Time
	Account       bool    // has an account by now
	ConfirmedAt   db.Time // by the company, if at all
}

// Used are the people with a PIN for whom reports of the actor's company wait,
// or whose address it has confirmed, at most two hundred; training admins only.
func Used(tx *db.Tx, by audit.Actor) ([]Access, error) {
	s, err := person.Admin(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, func(a *Access) []any {
		return []any{&a.Person, &a.Email, &a.Reports, &a.Report, &a.UsedAt, &a.Account, &a.ConfirmedAt}
	}, `SELECT v.person, p.email, count(r.id), COALESCE(min(r.id), ''), v.used_at, v.account IS NOT NULL, n.confirmed_at
		FROM supervisor v JOIN person p ON p.sub = v.person LEFT JOIN supervisor_known n ON n.person = v.person AND n.company = $1
		LEFT JOIN report r ON r.approver = v.person AND r.approver <> '' AND r.company = $1 AND r.state IN ('submitted', 'checked')
		WHERE v.person IN (SELECT w.approver FROM report w WHERE w.company = $1 AND w.state IN ('submitted', 'checked') AND w.approver <> '' UNION SELECT person FROM supervisor_known WHERE company = $1)
		GROUP BY v.person, p.email, v.used_at, v.account, n.confirmed_at ORDER BY p.email LIMIT 200`, s.Company.ID)
}
