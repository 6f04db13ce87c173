package membership

import (
	"slices"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

// othersStay counts the admins of an organization beside one person, without
// those who have asked for their account to be deleted: they are on their way out.
func othersStay(tx *db.Tx, organizationID, accountID string) (int, error) {
	return db.Value[int](tx, `SELECT count(*) FROM membership m JOIN account a ON a.id = m.account
		WHERE m.organization = $1 AND m.admin AND m.ended_at IS NULL AND m.account <> $2 AND a.delete_at IS NULL`, organizationID, accountID)
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
	asked, err := db.All(tx, (*Request).fields, `UPDATE request AS r SET state = 'withdrawn', decided_at = $1, decided_by = $2
		WHERE r.applicant = $3 AND r.state IN ('open', 'claimed') RETURNING `+returned, tx.Now(), accountID, accountID)
	if err != nil {
		return err
	}
	for _, r := range asked {
		if err := note(tx, by, r, Withdrawn, nil); err != nil {
			return err
		}
	}
	// What they wrote to their companies is theirs; that they asked, and what came of it, stays.
	_, err = tx.Exec(`UPDATE request SET reason = '' WHERE applicant = $1`, accountID)
	return err
}
