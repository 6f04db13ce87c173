package request

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/identity/membership"
)

// SubmitInvited is [Submit] for somebody who accepted an invitation where the
// chamber wants the admin to approve once more (R103, R105). The reason is
// written for them (R115); a request of their own that waits is taken back for
// it. Members need none: what an admin gives them holds at once.
func SubmitInvited(tx *db.Tx, by audit.Actor, organizationID, invitation, reason string, inv membership.Invited) (Request, error) {
	before, err := db.Values[string](tx, `SELECT id FROM request WHERE organization = $1 AND applicant = $2 AND kind = $3 AND state IN ('open', 'claimed')`, organizationID, by.Account, Join)
	if err != nil {
		return Request{}, err
	}
	for _, id := range before {
		if err := Withdraw(tx, by, id); err != nil {
			return Request{}, err
		}
	}
	// Whoever was invited has not asked too often: the try is given back before it is taken.
	if err := limit.Return(tx, "request/"+organizationID+"/"+by.Account, requestRate); err != nil {
		return Request{}, err
	}
	r, err := submit(tx, by, Request{Kind: Join, Organization: organizationID, Reason: reason, Roles: inv.Roles})
	if err != nil {
		return r, err
	}
	_, err = tx.Exec(`UPDATE request SET invitation = $1, site = $2 WHERE id = $3`, invitation, inv.Site, r.ID)
	return r, err
}

// fulfil completes an approved request that came of an invitation by what that
// says beyond roles: site, numbers, administration (R117).
func fulfil(tx *db.Tx, by audit.Actor, r Request) error {
	var inv membership.Invited
	err := tx.Scan(`SELECT i.site, i.apprentice_number, i.trainer_number FROM request q JOIN invitation i ON i.id = q.invitation
		WHERE q.id = $1 AND q.invitation <> ''`, []any{r.ID}, &inv.Site, &inv.ApprenticeNumber, &inv.TrainerNumber)
	if fault.Is(err, fault.KindNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if inv.Admin, err = MakesAdmin(tx, r); err != nil {
		return err
	}
	if inv.Admin {
		if err := membership.Grant(tx, by, r.Organization, r.Applicant, true); err != nil {
			return err
		}
	}
	m, err := membership.In(tx, r.Organization, r.Applicant)
	if err != nil {
		return err
	}
	return membership.Furnish(tx, m.ID, inv)
}

// MakesAdmin reports whether approving a request makes its applicant an admin:
// they were invited as one, and who invited them still is one (power does not
// outlive its giver, decision 16). Pages say so, and ask for a proof.
func MakesAdmin(tx *db.Tx, r Request) (bool, error) {
	inviter, err := db.Value[string](tx, `SELECT i.invited_by FROM request q JOIN invitation i ON i.id = q.invitation WHERE q.id = $1 AND q.invitation <> '' AND i.admin`, r.ID)
	if fault.Is(err, fault.KindNotFound) {
		return false, nil
	}
	if err != nil || inviter == "" { // invited at the console
		return err == nil, err
	}
	return membership.IsAdmin(tx, audit.Actor{Account: inviter}, r.Organization)
}
