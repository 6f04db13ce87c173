package registration

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/company"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
)

// release ends a registration well: the organization is made of the directory's
// entry, what proves it is kept, and either the letter goes out first (R092) or,
// where score or certificate speak for themselves, the company is active at once.
func release(tx *db.Tx, by audit.Actor, r Registration, d decision, entry directory.Entry, score int, s chamber.Settings) (organization.Organization, error) {
	o := organization.Organization{
		ID: db.NewID(), Chamber: r.Chamber, Company: entry.Company, Management: entry.Management,
		State: organization.AwaitingLetter, RegisteredBy: r.Applicant, CreatedAt: tx.Now(), Version: 1,
	}
	d.state, d.entry, d.organization = Approved, entry.ID, o.ID
	moved, err := decide(tx, d)
	if err != nil {
		return o, err
	}
	if !moved {
		return o, quicker(tx, by, r.ID)
	}
	created, err := organization.Create(tx, o)
	if err != nil {
		return o, err
	}
	if !created {
		return o, fault.Conflict("registration.entry_taken", entry.Name)
	}
	r.Organization, r.State, r.Clerk = o.ID, Approved, d.clerk
	if d.evidence != organization.ByLetter { // the letter's own evidence comes with activation
		if err := organization.AddEvidence(tx, o.ID, organization.Proof{Method: d.evidence, Source: d.source, Registration: r.ID, Clerk: d.clerk}); err != nil {
			return o, err
		}
	}
	detail := map[string]any{"evidence": d.evidence, "entry": entry.ID, "score": score, "automatic": d.automatic}
	if r.FirstClerk != "" {
		detail["first"] = r.FirstClerk
	}
	if err := r.record(tx, by, "registration.approved", detail); err != nil {
		return o, err
	}
	if err := settleOthers(tx, by, r, entry.ID); err != nil {
		return o, err
	}
	if d.evidence == organization.ByElster || s.ActiveFrom > 0 && score >= s.ActiveFrom {
		return o, atOnce(tx, by, r, &o, d.evidence)
	}
	if err := letter.Queue(tx, by, o.Chamber, o.ID); err != nil {
		return o, err
	}
	return o, r.outcome(tx, "registration_approved", "notice.registration_approved", "")
}

// atOnce makes the organization active and its applicant the first admin
// (R101). Without a certificate the management is sent a code with which it can
// revoke that (ux.md 1.3).
func atOnce(tx *db.Tx, by audit.Actor, r Registration, o *organization.Organization, evidence string) error {
	if err := organization.Open(tx, by, o); err != nil {
		return err
	}
	if err := membership.Grant(tx, by, o.ID, r.Applicant, true); err != nil {
		return err
	}
	text := "registration_proved" // R211
	if evidence != organization.ByElster {
		text = "registration_active"
		if err := letter.QueueKind(tx, by, o.Chamber, o.ID, letter.Revocation); err != nil {
			return err
		}
	}
	return r.outcome(tx, text, "notice.registration_active", "")
}

// settleOthers ends the other applications for the same entry: the company has
// an account now, and their applicants learn how to join it.
func settleOthers(tx *db.Tx, by audit.Actor, r Registration, entryID string) error {
	others, err := pendingFor(tx, r.Chamber, entryID, r.ID)
	if err != nil {
		return err
	}
	for _, other := range others {
		moved, err := decide(tx, decision{id: other.ID, state: Refused, clerk: by.Account, anyClerk: true})
		if err != nil {
			return err
		}
		if !moved {
			continue
		}
		if err := other.record(tx, by, "registration.refused", map[string]any{"for": r.ID}); err != nil {
			return err
		}
		if err := other.outcome(tx, "registration_joined", "notice.registration_refused", ""); err != nil {
			return err
		}
	}
	return nil
}

// releaseAlone approves what its score speaks for; nobody decides. It does not
// touch the application of a clerk of the chamber: that has four eyes (R091).
func releaseAlone(tx *db.Tx, r *Registration, s chamber.Settings) (bool, error) {
	if clerk, err := chamber.IsClerk(tx, r.Applicant, r.Chamber); err != nil || clerk {
		return false, err
	}
	entry, err := directory.Get(tx, r.Entry)
	if err != nil {
		return false, err
	}
	if s.Matching == chamber.Literal && !company.Literally(r.Company, entry.Company) { // R121
		return false, nil
	}
	if taken, err := organization.Taken(tx, r.Chamber, entry.Company, []string{entry.IdentNumber}); err != nil || taken {
		return false, err
	}
	d := decision{id: r.ID, version: r.Version, source: r.Reference, anyClerk: true, automatic: true, sampled: drawn(s.SamplePercent), evidence: organization.ByDirectory}
	o, err := release(tx, audit.Job, *r, d, entry, r.Score, s)
	if err != nil {
		return false, err
	}
	r.State, r.Organization, r.Automatic, r.Sampled = Approved, o.ID, true, d.sampled
	return true, nil
}

// drawn draws a sample: nobody can foresee whose application is looked at.
func drawn(percent int) bool {
	b := seal.Bytes(4)
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	return int(n%100) < percent
}

// Samples are what was released without a clerk and drawn to be looked at, oldest first.
func Samples(tx *db.Tx, by audit.Actor, chamberID, after string, limit int) ([]Item, error) {
	if err := chamber.MustClerk(tx, by, chamberID); err != nil {
		return nil, err
	}
	items, err := samples(tx, chamberID, after, limit)
	if err != nil {
		return nil, err
	}
	return items, named(tx, items)
}

// Looked notes that a clerk has looked at a sample. What they find they act
// upon at the organization.
func Looked(tx *db.Tx, by audit.Actor, id string) error {
	r, err := deciding(tx, by, id)
	if err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE registration SET sampled_at = $1, clerk = $2 WHERE id = $3 AND sampled AND sampled_at IS NULL`, tx.Now(), by.Account, id)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.Conflict("registration.sampled_meanwhile")
	}
	return r.record(tx, by, "registration.sampled", nil)
}

// second keeps the first yes; another clerk has to say it, too.
func second(tx *db.Tx, by audit.Actor, r Registration, d decision) error {
	d.state, d.first, d.clerk = Second, by.Account, ""
	moved, err := decide(tx, d)
	if err != nil {
		return err
	}
	if !moved {
		return quicker(tx, by, r.ID)
	}
	if err := r.record(tx, by, "registration.seconded", map[string]any{"evidence": d.evidence, "entry": d.entry}); err != nil {
		return err
	}
	clerks, err := chamber.Clerks(tx, r.Chamber)
	if err != nil {
		return err
	}
	first, err := account.Get(tx, by.Account)
	if err != nil {
		return err
	}
	for _, c := range clerks {
		if c == by.Account || c == r.Applicant {
			continue
		}
		if err := notice.Tell(tx, c, "notice.registration_second", "/chamber/registrations/"+r.ID, r.Name, first.Name()); err != nil {
			return err
		}
	}
	return nil
}
