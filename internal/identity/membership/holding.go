package membership

import (
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/application"
)

// A Holding is a role that a member was given: from when, until when, and at
// which site. Without dates it holds from now on; without a site in the whole
// organization.
type Holding struct {
	Role
	Site        string
	From, Until db.Time
	By          string // account of who gave it
	At          db.Time
}

// Holds reports whether it counts at a moment.
func (h Holding) Holds(now db.Time) bool {
	return (h.From.IsZero() || !h.From.After(now)) && (h.Until.IsZero() || h.Until.After(now))
}

// holds is the same for a query, $1 being the moment.
const holds = `(g.starts_at IS NULL OR g.starts_at <= $1) AND (g.ends_at IS NULL OR g.ends_at > $1)`

// Holdings of a membership, those that begin later, too; what has ended is gone.
func Holdings(tx *db.Tx, membershipID string) ([]Holding, error) {
	return holdings(tx, `g.membership = $2`, membershipID)
}

// HeldBy are what a person holds in an application now, by active organization:
// [RolesFor] with the sites.
func HeldBy(tx *db.Tx, accountID, applicationID string) (map[string][]Holding, error) {
	held := map[string][]Holding{}
	err := tx.Each(`SELECT m.organization, `+holdingColumns+` FROM membership m JOIN role_grant g ON g.membership = m.id JOIN organization o ON o.id = m.organization
		WHERE m.account = $2 AND m.ended_at IS NULL AND (m.until IS NULL OR m.until > $1) AND g.application = $3 AND o.state = 'active' AND `+holds+`
		ORDER BY m.organization, g.role, g.site`, []any{tx.Now(), accountID, applicationID}, func(scan func(...any) error) error {
		var organization string
		var h Holding
		err := scan(append([]any{&organization}, h.fields()...)...)
		held[organization] = append(held[organization], h)
		return err
	})
	return held, err
}

const holdingColumns = `g.application, g.role, g.site, g.starts_at, g.ends_at, g.granted_by, g.granted_at`

func (h *Holding) fields() []any {
	return []any{&h.Application, &h.Key, &h.Site, &h.From, &h.Until, &h.By, &h.At}
}

func holdings(tx *db.Tx, where string, args ...any) ([]Holding, error) {
	return db.All(tx, (*Holding).fields, `SELECT `+holdingColumns+` FROM role_grant g WHERE (g.ends_at IS NULL OR g.ends_at > $1) AND `+where+`
		ORDER BY g.application, g.role, g.site`, append([]any{tx.Now()}, args...)...)
}

// Give lets a member hold a role for a time or at a site. What they hold of it
// there already gets these dates.
func Give(tx *db.Tx, by audit.Actor, membershipID string, h Holding) error {
	m, err := gate(tx, by, membershipID)
	if err != nil {
		return err
	}
	if err := Known(tx, []Role{h.Role}); err != nil {
		return err
	}
	var p fault.Problems
	if !h.Until.IsZero() && !h.Until.After(tx.Now()) {
		p.Add("until", "membership.until_past")
	} else if !h.Until.IsZero() && !h.Until.After(h.From) {
		p.Add("until", "membership.until_before")
	}
	if err := p.Err(); err != nil {
		return err
	}
	if err := released(tx, m.Organization, h.Site); err != nil {
		return err
	}
	if err := hold(tx, m.ID); err != nil {
		return err
	}
	if err := compatible(tx, m.ID, []Role{h.Role}); err != nil {
		return err
	}
	if !h.From.IsZero() && !h.From.After(tx.Now()) {
		h.From = db.Time{}
	}
	changed, err := tx.Exec(`INSERT INTO role_grant (membership, application, role, site, starts_at, ends_at, granted_by, granted_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (membership, application, role, site) DO UPDATE SET starts_at = excluded.starts_at, ends_at = excluded.ends_at, told_at = NULL,
			granted_by = excluded.granted_by, granted_at = excluded.granted_at
		WHERE role_grant.starts_at IS DISTINCT FROM excluded.starts_at OR role_grant.ends_at IS DISTINCT FROM excluded.ends_at`,
		m.ID, h.Application, h.Key, h.Site, h.From, h.Until, by.Account, tx.Now())
	if err != nil {
		return fmt.Errorf("give role %s: %w", h.Key, err)
	}
	if changed == 0 {
		return nil
	}
	if err := record(tx, by, "role.granted", m, h.detail()); err != nil {
		return err
	}
	if !h.Holds(tx.Now()) { // what was held until now begins later
		if err := less(tx, m); err != nil {
			return err
		}
	}
	return tellMember(tx, by, m, "notice.role_given", h.Role)
}

// Take ends one holding: the role at that site, or in the whole organization.
func Take(tx *db.Tx, by audit.Actor, membershipID string, r Role, site string) error {
	m, err := gate(tx, by, membershipID)
	if err != nil {
		return err
	}
	if err := hold(tx, m.ID); err != nil {
		return err
	}
	n, err := tx.Exec(`DELETE FROM role_grant WHERE membership = $1 AND application = $2 AND role = $3 AND site = $4`, m.ID, r.Application, r.Key, site)
	if err != nil || n == 0 {
		return err
	}
	if err := record(tx, by, "role.withdrawn", m, Holding{Role: r, Site: site}.detail()); err != nil {
		return err
	}
	if err := less(tx, m); err != nil {
		return err
	}
	return tellMember(tx, by, m, "notice.role_taken", r)
}

// detail is what the record says of a holding.
func (h Holding) detail() map[string]any {
	d := map[string]any{"application": h.Application, "role": h.Key}
	if h.Site != "" {
		d["site"] = h.Site
	}
	if !h.From.IsZero() {
		d["from"] = h.From
	}
	if !h.Until.IsZero() {
		d["until"] = h.Until
	}
	return d
}

// compatible refuses roles that exclude one another, or one that is held:
// nobody is examiner and apprentice in one organization (application.Role).
// What begins later counts, too: it would begin by itself. The membership is held.
func compatible(tx *db.Tx, membershipID string, roles []Role) error {
	if len(roles) == 0 {
		return nil
	}
	offers, err := application.AllOffers(tx)
	if err != nil {
		return err
	}
	held, err := Holdings(tx, membershipID)
	if err != nil {
		return err
	}
	all := roles
	for _, h := range held {
		all = append(all[:len(all):len(all)], h.Role)
	}
	for _, r := range roles {
		_, a, _ := offers.Role(r.Application, r.Key)
		for _, other := range all {
			if _, b, ok := offers.Role(other.Application, other.Key); ok && a.Excludes(b) {
				return fault.Invalid("roles", "membership.role_exclusive", a.Word(), b.Word())
			}
		}
	}
	return nil
}

// released refuses a site that is none of the organization's, or not released
// (R300), and keeps it from being closed until the end of the transaction.
// Package site stands above this one; empty is the head office.
func released(tx *db.Tx, organizationID, site string) error {
	if site == "" {
		return nil
	}
	n, err := tx.Exec(`UPDATE site SET version = version WHERE id = $1 AND organization = $2 AND state = 'released'`, site, organizationID)
	if err == nil && n == 0 {
		err = fault.Invalid("site", "membership.site_unknown")
	}
	return err
}
