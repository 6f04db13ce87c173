package membership

import (
	"slices"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
)

// othersStay counts the admins of an organization beside one person, without
// those who have asked for their account to be deleted: they are on their way out.
func othersStay(tx *db.Tx, organizationID, accountID string) (int, error) {
	return db.Value[int](tx, `SELECT count(*) FROM membership m JOIN account a ON a.id = m.account
		WHERE m.organization = $1 AND m.admin AND m.ended_at IS NULL AND m.account <> $2 AND a.delete_at IS NULL`, organizationID, accountID)
}

// byManagement is how long nobody takes the administration from somebody whom
// the management chose by letter: else those whom it does not trust would undo its
// choice in the next minute (decision 17).
const byManagement = 14 * 24 * time.Hour

// spareChosen refuses to take the administration from such a person; they
// themselves may step down.
func spareChosen(tx *db.Tx, by audit.Actor, m Member) error {
	if !m.Admin || by.Account == m.Account || by.Kind == audit.Command || by.Kind == audit.System {
		return nil
	}
	chosen, err := db.Value[db.Time](tx, `SELECT max(ended_at) FROM succession WHERE account = $1 AND organization = $2 AND state = 'done'`, m.Account, m.Organization)
	if err != nil || chosen.IsZero() {
		return err
	}
	if until := chosen.Add(byManagement); until.After(tx.Now()) {
		return fault.Conflict("membership.by_management", until.In(mail.Berlin).Format("02.01.2006"))
	}
	return nil
}

// IsLast reports whether nobody would administer the organization without this member (L06).
func IsLast(tx *db.Tx, m Member) (bool, error) {
	if !m.Admin {
		return false, nil
	}
	n, err := othersStay(tx, m.Organization, m.Account)
	return n == 0, err
}

// OnlyAdminOf lists the organizations that a person would leave without an
// admin. It does not lock them: [MayGo] does.
func OnlyAdminOf(tx *db.Tx, accountID string) ([]string, error) {
	return db.Values[string](tx, `SELECT m.organization FROM membership m WHERE m.account = $1 AND m.admin AND m.ended_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM membership o JOIN account a ON a.id = o.account
			WHERE o.organization = m.organization AND o.admin AND o.ended_at IS NULL AND o.account <> m.account AND a.delete_at IS NULL)
		ORDER BY m.organization`, accountID)
}

// MayGo is the gate before somebody asks for their account to be deleted: no
// organization may lose its last admin. The organizations are locked, always in
// the same order, so that of two last admins who go at once one stays.
func MayGo(tx *db.Tx, accountID string) error {
	held, err := db.Values[string](tx, `SELECT organization FROM membership WHERE account = $1 AND admin AND ended_at IS NULL ORDER BY organization`, accountID)
	if err != nil {
		return err
	}
	for _, id := range held {
		if err := lock(tx, id); err != nil {
			return err
		}
	}
	sole, err := OnlyAdminOf(tx, accountID)
	if err == nil && len(sole) > 0 {
		err = fault.Conflict("membership.last_admin")
	}
	return err
}

// EndAll takes a person out of every organization and ends their open requests:
// their account is deleted. Conflict: they are an organization's last admin.
func EndAll(tx *db.Tx, by audit.Actor, accountID string) error {
	all, err := Of(tx, accountID)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b Member) int { // always in the same order: no two wait for each other
		if a.Organization < b.Organization {
			return -1
		}
		return 1
	})
	for _, m := range all {
		if err := lock(tx, m.Organization); err != nil {
			return err
		}
		m, err := In(tx, m.Organization, accountID)
		if fault.Is(err, fault.KindNotFound) { // ended meanwhile
			continue
		}
		if err != nil {
			return err
		}
		if err := end(tx, by, m, "membership.left"); err != nil {
			return err
		}
	}
	if err := withdraw(tx, by, accountID, `applicant = $3`, accountID); err != nil {
		return err
	}
	// What they wrote to their companies is theirs; that they asked, and what came of it, stays.
	_, err = tx.Exec(`UPDATE request SET reason = '' WHERE applicant = $1`, accountID)
	return err
}

// What hangs on a membership ends with it. Requests are package request's,
// which stands above this one; their ends are so simple that they are said here.

// steppedDown puts back what a person has claimed who is no admin any more, and
// ends their absence and their standing in for others. It comes after the
// membership has changed: whoever claims holds that row, too (request.Claim).
func steppedDown(tx *db.Tx, m Member) error {
	if _, err := tx.Exec(`UPDATE request SET state = 'open', claimed_by = '', claimed_until = NULL WHERE organization = $1 AND state = 'claimed' AND claimed_by = $2`,
		m.Organization, m.Account); err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE membership SET away_from = NULL, away_until = NULL, deputy = '' WHERE id = $1 AND away_until IS NOT NULL`, m.ID); err != nil {
		return err
	}
	_, err := tx.Exec(`UPDATE membership SET deputy = '' WHERE organization = $1 AND deputy = $2 AND ended_at IS NULL`, m.Organization, m.Account)
	return err
}

// unnamed: who leaves acts for nobody else in the organization's name any more,
// and does not again by coming back (package mandate, [mandate.SetPerson]).
func unnamed(tx *db.Tx, m Member) error {
	acted, err := db.Values[string](tx, `SELECT d.principal FROM mandate_person n JOIN mandate d ON d.id = n.mandate WHERE n.account = $1 AND d.representative = $2 AND d.state = 'active'`, m.Account, m.Organization)
	for i := 0; err == nil && i < len(acted); i++ {
		err = Less(tx, m.Account, acted[i])
	}
	if err == nil {
		_, err = tx.Exec(`DELETE FROM mandate_person WHERE account = $1 AND mandate IN (SELECT id FROM mandate WHERE representative = $2 AND representative <> '')`, m.Account, m.Organization)
	}
	return err
}

// withdrawRequests ends the role requests of a person who leaves.
func withdrawRequests(tx *db.Tx, by audit.Actor, m Member) error {
	return withdraw(tx, by, m.Account, `organization = $3 AND applicant = $4 AND kind = 'role'`, m.Organization, m.Account)
}

func withdraw(tx *db.Tx, by audit.Actor, accountID, which string, args ...any) error {
	type ended struct{ id, kind, organization string }
	all, err := db.All(tx, func(e *ended) []any { return []any{&e.id, &e.kind, &e.organization} },
		`UPDATE request SET state = 'withdrawn', decided_at = $1, decided_by = $2 WHERE `+which+` AND state IN ('open', 'claimed') RETURNING id, kind, organization`,
		append([]any{tx.Now(), accountID}, args...)...)
	if err != nil {
		return err
	}
	for _, e := range all {
		if err := audit.Record(tx, by, audit.Entry{Event: e.kind + ".withdrawn", Account: accountID, Organization: e.organization, Thing: e.id}); err != nil {
			return err
		}
	}
	return nil
}
