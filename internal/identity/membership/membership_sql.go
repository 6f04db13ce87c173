package membership

import (
	"fmt"
	"slices"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
)

// current finds memberships with the roles that hold, both at $1: what ends by
// its date is over at that moment, not when a job comes by.
const current = `SELECT m.id, m.organization, m.account, m.admin, m.since, m.until, m.site, m.apprentice_number, m.trainer_number,
	COALESCE(g.application, ''), COALESCE(g.role, '')
	FROM membership m LEFT JOIN role_grant g ON g.membership = m.id AND ` + holds + `
	WHERE m.ended_at IS NULL AND (m.until IS NULL OR m.until > $1)`

// members reads memberships with their roles, one row per role, in one statement.
func members(tx *db.Tx, query string, args ...any) ([]Member, error) {
	var all []Member
	err := tx.Each(current+query, append([]any{tx.Now()}, args...), func(scan func(...any) error) error {
		var m Member
		var r Role
		if err := scan(&m.ID, &m.Organization, &m.Account, &m.Admin, &m.Since, &m.Until, &m.Site, &m.ApprenticeNumber, &m.TrainerNumber, &r.Application, &r.Key); err != nil {
			return err
		}
		if n := len(all); n == 0 || all[n-1].ID != m.ID {
			all = append(all, m)
		}
		if last := &all[len(all)-1]; r.Key != "" && !last.Has(r.Application, r.Key) {
			last.Roles = append(last.Roles, r)
		}
		return nil
	})
	return all, err
}

func member(tx *db.Tx, query string, args ...any) (Member, error) {
	all, err := members(tx, query, args...)
	if err == nil && len(all) == 0 {
		err = fault.NotFound()
	}
	if err != nil {
		return Member{}, err
	}
	return all[0], nil
}

// Of lists a person's current memberships, oldest first.
func Of(tx *db.Tx, accountID string) ([]Member, error) {
	return members(tx, ` AND m.account = $2 ORDER BY m.since, m.id, g.application, g.role`, accountID)
}

// In is a person's current membership in an organization, or NotFound.
func In(tx *db.Tx, organizationID, accountID string) (Member, error) {
	return member(tx, ` AND m.organization = $2 AND m.account = $3 ORDER BY m.id, g.application, g.role`, organizationID, accountID)
}

func load(tx *db.Tx, id string) (Member, error) {
	return member(tx, ` AND m.id = $2 ORDER BY m.id, g.application, g.role`, id)
}

// Admins are the accounts of an organization's admins, longest in office first.
func Admins(tx *db.Tx, organizationID string) ([]string, error) {
	return db.Values[string](tx, `SELECT account FROM membership WHERE organization = $1 AND admin AND ended_at IS NULL ORDER BY since, id`, organizationID)
}

// Size is how many members an organization has.
func Size(tx *db.Tx, organizationID string) (int, error) {
	return db.Value[int](tx, `SELECT count(*) FROM membership WHERE organization = $1 AND ended_at IS NULL`, organizationID)
}

// RolesFor are the roles a person holds in an application, by active
// organization: what a token may say (R029).
func RolesFor(tx *db.Tx, accountID, applicationID string) (map[string][]string, error) {
	roles := map[string][]string{}
	held, err := HeldBy(tx, accountID, applicationID)
	for organization, all := range held {
		for _, h := range all {
			if !slices.Contains(roles[organization], h.Key) {
				roles[organization] = append(roles[organization], h.Key)
			}
		}
	}
	return roles, err
}

// enter makes the membership, or locks the one there is.
func enter(tx *db.Tx, organizationID, accountID string) (m Member, joined bool, err error) {
	person, err := account.Get(tx, accountID)
	if err != nil {
		return m, false, err
	}
	id := db.NewID()
	m = Member{Organization: organizationID, Account: accountID}
	err = tx.Scan(`INSERT INTO membership (id, organization, account, admin, since, name_key, words) VALUES ($1, $2, $3, FALSE, $4, $5, $6)
		ON CONFLICT (organization, account) WHERE ended_at IS NULL DO UPDATE SET since = membership.since RETURNING id, admin, since, until`,
		[]any{id, organizationID, accountID, tx.Now(), person.NameKey(), person.Words()}, &m.ID, &m.Admin, &m.Since, &m.Until)
	if err != nil {
		return m, false, fmt.Errorf("enter organization %s: %w", organizationID, err)
	}
	return m, m.ID == id, nil
}

// hold locks a current membership, so that nobody ends it while roles are given.
func hold(tx *db.Tx, id string) error {
	n, err := tx.Exec(`UPDATE membership SET since = since WHERE id = $1 AND ended_at IS NULL`, id)
	if err == nil && n == 0 {
		err = fault.NotFound()
	}
	return err
}

// HoldAdmin keeps an admin in office until the end of the transaction;
// forbidden to whom is none (any more).
func HoldAdmin(tx *db.Tx, organizationID, accountID string) error {
	n, err := tx.Exec(`UPDATE membership SET since = since WHERE organization = $1 AND account = $2 AND admin AND ended_at IS NULL`, organizationID, accountID)
	if err == nil && n == 0 {
		err = fault.Forbidden()
	}
	return err
}

// lock makes the changes of an organization's admins take turns. A row lock
// holds until the end of the transaction, and what is read after it is what
// the one before has committed: this is true of PostgreSQL's READ COMMITTED
// and of SQLite's single writer.
func lock(tx *db.Tx, organizationID string) error {
	n, err := tx.Exec(`UPDATE organization SET version = version WHERE id = $1`, organizationID)
	if err == nil && n == 0 {
		err = fault.NotFound()
	}
	return err
}

// setAdmin gives or takes the office. An admin has no end date.
func setAdmin(tx *db.Tx, id string, yes bool) error {
	_, err := tx.Exec(`UPDATE membership SET admin = $1, until = CASE WHEN $1 THEN NULL ELSE until END WHERE id = $2 AND ended_at IS NULL`, yes, id)
	return err
}

func endMembership(tx *db.Tx, id string) error {
	n, err := tx.Exec(`UPDATE membership SET ended_at = $1, admin = FALSE, name_key = '', words = '', away_from = NULL, away_until = NULL, deputy = '' WHERE id = $2 AND ended_at IS NULL`, tx.Now(), id)
	if err == nil && n == 0 {
		err = fault.NotFound()
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM role_grant WHERE membership = $1`, id)
	return err
}

func insertGrant(tx *db.Tx, by audit.Actor, membershipID string, r Role) (added bool, err error) {
	n, err := tx.Exec(`INSERT INTO role_grant (membership, application, role, granted_by, granted_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		membershipID, r.Application, r.Key, by.Account, tx.Now())
	return n > 0, err
}

func deleteGrant(tx *db.Tx, membershipID string, r Role) (taken bool, err error) {
	n, err := tx.Exec(`DELETE FROM role_grant WHERE membership = $1 AND application = $2 AND role = $3`, membershipID, r.Application, r.Key)
	return n > 0, err
}

// Known checks that each role is declared by an active application.
func Known(tx *db.Tx, roles []Role) error {
	if len(roles) == 0 {
		return nil
	}
	declared := map[Role]bool{}
	err := tx.Each(`SELECT r.application, r.role FROM application_role r JOIN application a ON a.id = r.application WHERE a.state = 'active' AND r.retired_at IS NULL`, nil, func(scan func(...any) error) error {
		var r Role
		err := scan(&r.Application, &r.Key)
		declared[r] = true
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range roles {
		if !declared[r] {
			return fault.Invalid("roles", "membership.role_unknown")
		}
	}
	return nil
}
