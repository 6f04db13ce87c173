package membership

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
)

// Invited is what an accepted invitation brings beside the person (package
// invitation).
type Invited struct {
	By               string // the admin who invited: the roles are theirs to give
	Admin            bool
	Site             string
	ApprenticeNumber string
	TrainerNumber    string
	Roles            []Role
}

// Welcome makes the person who acts a member as an admin has settled in
// advance. What a member has already stays.
func Welcome(tx *db.Tx, by audit.Actor, organizationID string, inv Invited) error {
	if err := Grant(tx, by, organizationID, by.Account, inv.Admin, inv.Roles...); err != nil {
		return err
	}
	m, err := In(tx, organizationID, by.Account)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE role_grant SET granted_by = $1 WHERE membership = $2 AND granted_by = $3 AND granted_at = $4`, inv.By, m.ID, by.Account, tx.Now()); err != nil {
		return err
	}
	return Furnish(tx, m.ID, inv)
}

// Furnish writes site and numbers of an invitation into a membership, where it
// says any. Callers have settled that it is right.
func Furnish(tx *db.Tx, membershipID string, inv Invited) error {
	if inv.Site == "" && inv.ApprenticeNumber == "" && inv.TrainerNumber == "" {
		return nil
	}
	_, err := tx.Exec(`UPDATE membership SET site = CASE WHEN $1 = '' THEN site ELSE $1 END,
		apprentice_number = CASE WHEN $2 = '' THEN apprentice_number ELSE $2 END, trainer_number = CASE WHEN $3 = '' THEN trainer_number ELSE $3 END
		WHERE id = $4`, inv.Site, inv.ApprenticeNumber, inv.TrainerNumber, membershipID)
	return err
}
