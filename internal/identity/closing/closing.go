// Package closing ends a company's account: its admins ask, everything stays for a
// grace (L07), then the clock carries it out.
//
//	        Ask                 the grace
//	active ─────▶ active, closing ─────▶ closed
//	   ▲             │
//	   └────Undo─────┘
//
// What ends on that day: memberships, roles, requests, invitations, mandates, sites
// and letters. What stays: people's own accounts, the record, and what applications
// keep, as training records for apprentices and chamber. The company can be
// registered again at once.
package closing

import (
	"context"
	"embed"
	"fmt"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/ground/limit"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/mandate"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

// askRate bounds the mails to all admins that closing and keeping in turn would send.
var askRate = limit.Rate{Burst: 6, Every: 4 * time.Hour}

// Ask is an admin's: the company's account is closed when the chamber's grace is over.
func Ask(tx *db.Tx, by audit.Actor, organizationID string) (db.Time, error) {
	o, err := administered(tx, by, organizationID)
	if err != nil {
		return db.Time{}, err
	}
	at, err := When(tx, o)
	if err != nil {
		return at, err
	}
	if err := limit.TakeIn(tx, "closing/"+o.ID, askRate); err != nil {
		return at, err
	}
	n, err := tx.Exec(`UPDATE organization SET closes_at = $1, version = version + 1 WHERE id = $2 AND state = 'active' AND closes_at IS NULL`, at, o.ID)
	if err != nil {
		return at, err
	}
	if n == 0 {
		return at, fault.Conflict("closing.changed_meanwhile")
	}
	o.ClosesAt = at
	if err := record(tx, by, "organization.closing", o, map[string]any{"at": at.Format(time.DateOnly)}); err != nil {
		return at, err
	}
	return at, tell(tx, by, o, "organization_closing", "notice.organization_closing", true)
}

// When is when the account would be closed if it were asked now.
func When(tx *db.Tx, o organization.Organization) (db.Time, error) {
	settled, err := chamber.SettingsOf(tx, o.Chamber)
	return tx.Now().Add(time.Duration(settled.CloseDays) * 24 * time.Hour), err
}

// Undo is any admin's, until the grace is over.
func Undo(tx *db.Tx, by audit.Actor, organizationID string) error {
	o, err := administered(tx, by, organizationID)
	if err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE organization SET closes_at = NULL, version = version + 1 WHERE id = $1 AND state = 'active' AND closes_at IS NOT NULL`, o.ID)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.Conflict("closing.changed_meanwhile")
	}
	if err := record(tx, by, "organization.closing_undone", o, nil); err != nil {
		return err
	}
	return tell(tx, by, o, "organization_kept", "notice.organization_kept", false)
}

func administered(tx *db.Tx, by audit.Actor, organizationID string) (organization.Organization, error) {
	if err := membership.MustAdminister(tx, by, organizationID); err != nil {
		return organization.Organization{}, err
	}
	return organization.Get(tx, organizationID)
}

// tell writes to the admins, with the name of who did it.
func tell(tx *db.Tx, by audit.Actor, o organization.Organization, text, phrase string, secure bool) error {
	who := ""
	if by.Account != "" {
		a, err := account.Get(tx, by.Account)
		if err != nil {
			return err
		}
		who = a.Name()
	}
	return o.TellAdmins(tx, text, phrase, "/organizations/"+o.ID+"/close", who, secure)
}

func record(tx *db.Tx, by audit.Actor, event string, o organization.Organization, detail map[string]any) error {
	return audit.Record(tx, by, audit.Entry{Event: event, Account: by.Account, Organization: o.ID, Chamber: o.Chamber, Detail: detail})
}

// Work adds what this package does by the clock.
func Work(r *job.Runner, d *db.DB) {
	r.Every(time.Hour, "closing.due", func(ctx context.Context) error { return CarryOut(ctx, d) })
}

// CarryOut closes the organizations whose grace is over: each in a transaction,
// then its members, a batch at a time. What was begun and broke off goes on.
func CarryOut(ctx context.Context, d *db.DB) error {
	for {
		var due []string
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			due, err = db.Values[string](tx, `SELECT id FROM organization WHERE closes_at IS NOT NULL AND state <> 'closed' AND closes_at <= $1 ORDER BY closes_at, id LIMIT 100`, tx.Now())
			return err
		})
		if err != nil {
			return err
		}
		for _, id := range due {
			if err := d.Write(ctx, func(tx *db.Tx) error { return shut(tx, id) }); err != nil && !fault.Is(err, fault.KindConflict) {
				return err
			}
		}
		if len(due) == 0 {
			break
		}
	}
	return d.Batches(ctx, part)
}

// shut closes one organization; from this moment nobody has a role in it.
func shut(tx *db.Tx, id string) error {
	n, err := tx.Exec(`UPDATE organization SET state = 'closed', closed_at = $1, closes_at = NULL, version = version + 1 WHERE id = $2 AND state = 'active' AND closes_at <= $1`, tx.Now(), id)
	if err != nil {
		return fmt.Errorf("close %s: %w", id, err)
	}
	if n == 0 {
		return fault.Conflict("closing.changed_meanwhile") // taken back, or locked, a moment ago
	}
	by := audit.Job
	o, err := organization.Get(tx, id)
	if err != nil {
		return err
	}
	if err := record(tx, by, "organization.closed", o, nil); err != nil {
		return err
	}
	if err := o.TellAdmins(tx, "organization_closed", "notice.organization_closed", "/", "", false); err != nil {
		return err
	}
	if err := letter.VoidAll(tx, by, id, "closed"); err != nil {
		return err
	}
	if err := invitation.RevokeAll(tx, by, id); err != nil {
		return err
	}
	if err := mandate.EndOf(tx, by, id); err != nil {
		return err
	}
	for _, statement := range []string{
		`UPDATE site SET state = 'closed', closed_at = $2, version = version + 1 WHERE organization = $1 AND state <> 'closed'`,
		`UPDATE succession SET state = 'stopped', ended_at = $2 WHERE organization = $1 AND state IN ('waiting', 'objected')`,
		`UPDATE roster SET state = 'dropped', done_at = $2, version = version + 1 WHERE organization = $1 AND state IN ('draft', 'sending')`,
	} {
		if _, err := tx.Exec(statement, id, tx.Now()); err != nil {
			return err
		}
	}
	return nil
}

// part ends some memberships and requests of closed organizations.
func part(tx *db.Tx, most int) (int64, error) {
	type row struct{ id, organization, account string }
	fields := func(r *row) []any { return []any{&r.id, &r.organization, &r.account} }
	// Another node may do the same: the second condition is looked at again by whoever waited.
	members, err := db.All(tx, fields, `UPDATE membership SET ended_at = $1, admin = FALSE WHERE ended_at IS NULL AND id IN (
			SELECT m.id FROM organization o JOIN membership m ON m.organization = o.id AND m.ended_at IS NULL WHERE o.state = 'closed' AND o.closed_at > $2 LIMIT $3)
		RETURNING id, organization, account`, tx.Now(), tx.Now().Add(-resume), most)
	if err != nil {
		return 0, err
	}
	for _, m := range members {
		if _, err := tx.Exec(`DELETE FROM role_grant WHERE membership = $1`, m.id); err != nil {
			return 0, err
		}
		if err := audit.Record(tx, audit.Job, audit.Entry{Event: "membership.ended", Account: m.account, Organization: m.organization, Thing: m.id, Detail: map[string]any{"reason": "closed"}}); err != nil {
			return 0, err
		}
	}
	requests, err := db.All(tx, fields, `UPDATE request SET state = 'expired', decided_at = $1 WHERE state IN ('open', 'claimed') AND id IN (
			SELECT r.id FROM organization o JOIN request r ON r.organization = o.id AND r.state IN ('open', 'claimed') WHERE o.state = 'closed' AND o.closed_at > $2 LIMIT $3)
		RETURNING id, organization, applicant`, tx.Now(), tx.Now().Add(-resume), most)
	if err != nil {
		return 0, err
	}
	for _, r := range requests {
		if err := audit.Record(tx, audit.Job, audit.Entry{Event: "request.expired", Account: r.account, Organization: r.organization, Thing: r.id, Detail: map[string]any{"reason": "closed"}}); err != nil {
			return 0, err
		}
	}
	var ids []string
	for _, r := range append(members, requests...) {
		ids = append(ids, r.organization)
	}
	names, err := organization.GetMany(tx, ids)
	if err != nil {
		return 0, err
	}
	for _, r := range append(members, requests...) {
		if err := notice.Tell(tx, r.account, "notice.organization_closed", "/", names[r.organization].Name); err != nil {
			return 0, err
		}
	}
	return int64(max(len(members), len(requests))), nil
}

// resume is how long after a closing its rest is looked for.
const resume = 7 * 24 * time.Hour
