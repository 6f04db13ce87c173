// Package registration is how a company comes into the portal: somebody asks,
// a clerk of the chamber compares with the member directory and decides.
//
//	submitted ──Approve──▶ approved ─┐      (or second ──Approve──▶ by another clerk)
//	 ▲  │ └─────Refuse───▶ refused   │ creates an organization
//	 │  │AskBack                     ▼
//	 │  ▼                    letter, or active at once
//	asked_back ──Resubmit──▶ submitted      (Withdraw from all that is pending)
//
// Ways (W05): by letter, the management is sent an activation code; by ELSTER,
// the certificate of the tax office stands beside application and directory at
// the desk, and approved is active.
//
// Policy:
//   - Any registered person may ask to register a company (W03). A clerk of the
//     chamber in charge decides, and never on an application of their own (R091).
//   - A company is registered once (R066), also when many try at the same moment.
//   - What an organization is called and where it sits comes from the chamber's
//     member directory, not from the application.
//   - An approval below a score of the chamber's choice needs a second clerk.
//   - Above a score of the chamber's choice nobody has to decide: what agrees with
//     one entry and has no flag is released at once; samples are looked at afterwards.
//   - The applicant is told which fields deviate, never what the directory says,
//     and only if it is beyond doubt which company is meant (decision 15).
package registration

import (
	"fmt"
	"slices"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/company"
	"zunft/internal/identity/organization"
)

// States of a registration.
const (
	Submitted = "submitted"
	AskedBack = "asked_back"
	Second    = "second" // a clerk said yes, another one has to (four eyes)
	Approved  = "approved"
	Refused   = "refused"
	Withdrawn = "withdrawn"
)

const (
	MostReason = 300 // characters of the applicant's reason (R089)
	MostAnswer = 500 // characters of a question or refusal
)

// A Registration is somebody's wish to register a company.
type Registration struct {
	ID, Reference, Chamber, Applicant string
	company.Company
	Reason        string
	State         string
	Way           string   // how the applicant wants to prove the company: chamber.ByLetter, chamber.ByElster
	Deviates      []string // fields that differ from the best entry, if it is beyond doubt
	Score         int      // 0..100 against the best entry of the directory, when submitted
	Entry         string   // that entry; after approval the one it was found to be
	Risk          int      // how closely a clerk should look
	ForwardedFrom string   // chamber that passed it on
	FirstClerk    string   // who said yes first
	Automatic     bool     // released by its score
	Sampled       bool     // … and drawn to be looked at afterwards
	SampledAt     db.Time
	Clerk         string // who took it on, or decided
	Answer        string // question or reason, as the applicant reads it
	Evidence      string
	Organization  string // what came of it
	SubmittedAt   db.Time
	DecidedAt     db.Time
	Version       int
}

// Pending reports whether it is still undecided.
func (r Registration) Pending() bool {
	return r.State == Submitted || r.State == AskedBack || r.State == Second
}

// Address is one line: "Schuteweg 1, 26723 Emden".
func (r Registration) Address() string { return organization.AddressOf(r.Company) }

// An Application is what a person fills in (S07).
type Application struct {
	company.Company
	Reason  string
	Chamber string // which of several, if the person chose; else empty
	Way     string // of those the chamber offers; empty: the first of them

	rating *rating
}

// OwnPending says that the applicant has asked for this company before.
type OwnPending struct {
	ID  string // of that registration
	err error
}

func (e *OwnPending) Error() string { return e.err.Error() }
func (e *OwnPending) Unwrap() error { return e.err }

// Prepare checks an application and says which registration would come of it
// and which chambers may be in charge (R081), without writing anything.
func Prepare(tx *db.Tx, by audit.Actor, a Application) (Registration, []chamber.Chamber, error) {
	r, serving, err := read(tx, a)
	if err != nil {
		return r, serving, err
	}
	return r, serving, once(tx, by, r)
}

// Submit hands in an application (R090). Any registered person may (W03).
func Submit(tx *db.Tx, by audit.Actor, a Application) (Registration, error) {
	if by.Account == "" {
		return Registration{}, fault.Forbidden()
	}
	r, _, err := Prepare(tx, by, a)
	if err != nil {
		return r, err
	}
	if r.Chamber == "" {
		return r, fault.Invalid("chamber", "registration.chamber_choose")
	}
	if err := limit.TakeIn(tx, "registration/"+by.Account, limit.Rate{Burst: 20, Every: time.Hour}); err != nil {
		return r, err
	}
	settings, err := chamber.SettingsOf(tx, r.Chamber)
	if err != nil {
		return r, err
	}
	if r.Way = a.Way; r.Way == "" {
		r.Way = settings.Proofs[0]
	}
	if !slices.Contains(settings.Proofs, r.Way) {
		return r, fault.Invalid("way", "registration.way_unknown")
	}
	r.ID, r.Applicant, r.State, r.SubmittedAt, r.Version = db.NewID(), by.Account, Submitted, tx.Now(), 1
	clear, err := r.rate(tx, a)
	if err != nil {
		return r, err
	}
	for try := 0; ; try++ {
		r.Reference = "R-" + seal.Reference()
		inserted, err := insertRegistration(tx, r)
		if err != nil {
			return r, err
		}
		if inserted {
			break
		}
		// Somebody was quicker by a moment, or the reference is taken.
		if err := once(tx, by, r); err != nil {
			return r, err
		}
		if try == 5 {
			return r, fmt.Errorf("submit registration of %s: no reference is free", r.Name)
		}
	}
	if err := r.record(tx, by, "registration.submitted", nil); err != nil {
		return r, err
	}
	flags, err := r.settleRisk(tx)
	if err != nil {
		return r, err
	}
	if clear && !flags.Flagged() && settings.ReleaseFrom > 0 && r.Score >= settings.ReleaseFrom && r.Way == chamber.ByLetter {
		if released, err := releaseAlone(tx, &r, settings); released || err != nil {
			return r, err
		}
	}
	if err := r.write(tx, "registration_received", ""); err != nil {
		return r, err
	}
	return r, organization.TellClerks(tx, r.Chamber, "", "notice.registration_submitted", "/chamber/registrations/"+r.ID, r.Name, r.Reference)
}

// Resubmit answers a clerk's question with corrected data.
func Resubmit(tx *db.Tx, by audit.Actor, id string, version int, a Application) (Registration, error) {
	was, err := own(tx, by, id)
	if err != nil {
		return was, err
	}
	r, _, err := read(tx, a)
	if err != nil {
		return r, err
	}
	r.ID, r.Reference, r.Applicant, r.Clerk, r.State, r.Way, r.SubmittedAt = was.ID, was.Reference, was.Applicant, was.Clerk, Submitted, was.Way, was.SubmittedAt
	if r.Chamber == "" {
		return r, fault.Invalid("chamber", "registration.chamber_choose")
	}
	if r.Chamber != was.Chamber {
		r.Clerk = ""
	}
	if err := once(tx, by, r); err != nil {
		return r, err
	}
	if _, err := r.rate(tx, a); err != nil {
		return r, err
	}
	changed, err := resubmit(tx, r, version)
	if db.Unique(err) {
		return r, fault.Conflict("registration.registration_pending")
	}
	if err != nil {
		return r, err
	}
	if !changed {
		return r, quicker(tx, by, id)
	}
	if _, err := r.settleRisk(tx); err != nil {
		return r, err
	}
	if err := r.record(tx, by, "registration.resubmitted", nil); err != nil {
		return r, err
	}
	return r, organization.TellClerks(tx, r.Chamber, r.Clerk, "notice.registration_resubmitted", "/chamber/registrations/"+r.ID, r.Name, r.Reference)
}

// Withdraw takes the applicant's own application back.
func Withdraw(tx *db.Tx, by audit.Actor, id string) error {
	r, err := own(tx, by, id)
	if err != nil {
		return err
	}
	moved, err := decide(tx, decision{id: id, state: Withdrawn, clerk: r.Clerk, anyClerk: true})
	if err != nil {
		return err
	}
	if !moved {
		return quicker(tx, by, id)
	}
	return r.record(tx, by, "registration.withdrawn", nil)
}

// OwnRegistration is one of the applicant's own registrations.
func OwnRegistration(tx *db.Tx, by audit.Actor, id string) (Registration, error) {
	return own(tx, by, id)
}

// Registrations are all of a person, newest first.
func Registrations(tx *db.Tx, accountID string) ([]Registration, error) {
	return registrationsOf(tx, accountID)
}

func own(tx *db.Tx, by audit.Actor, id string) (Registration, error) {
	r, err := loadRegistration(tx, id)
	if err == nil && (by.Account == "" || r.Applicant != by.Account) {
		err = fault.NotFound()
	}
	return r, err
}

func (r Registration) record(tx *db.Tx, by audit.Actor, event string, detail map[string]any) error {
	return audit.Record(tx, by, audit.Entry{Event: event, Account: r.Applicant, Organization: r.Organization, Chamber: r.Chamber, Thing: r.ID, Detail: detail})
}
