// Package registration is how a company comes into the portal: somebody asks,
// a clerk of the chamber compares with the member directory and decides.
//
//	submitted ──Approve──▶ approved ─┐      (or second ──Approve──▶ by another clerk)
//	 ▲  │ └─────Refuse───▶ refused   │ creates an organization
//	 │  │AskBack                     ▼
//	 │  ▼                    letter, or active at once
//	asked_back ──Resubmit──▶ submitted      (Withdraw from all that is pending)
//
// Policy:
//   - Any registered person may ask to register a company (W03). A clerk of the
//     chamber in charge decides, and never on an application of their own (R091).
//   - A company is registered once (R066), also when many try at the same moment.
//   - What an organization is called and where it sits comes from the chamber's
//     member directory, not from the application.
package registration

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/organization"
)

// States of a registration.
const (
	Submitted = "submitted"
	AskedBack = "asked_back"
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
	directory.Company
	Reason       string
	State        string
	Score        int    // 0..100 against the best entry of the directory, when submitted
	Entry        string // that entry; after approval the one it was found to be
	Clerk        string // who took it on, or decided
	Answer       string // question or reason, as the applicant reads it
	Evidence     string
	Organization string // what came of it
	SubmittedAt  db.Time
	DecidedAt    db.Time
	Version      int
}

// Pending reports whether it is still undecided.
func (r Registration) Pending() bool { return r.State == Submitted || r.State == AskedBack }

// Address is one line: "Schuteweg 1, 26723 Emden".
func (r Registration) Address() string { return organization.AddressOf(r.Company) }

// An Application is what a person fills in (S07).
type Application struct {
	directory.Company
	Reason  string
	Chamber string // which of several, if the person chose; else empty

	rating *rating
}

// A rating is how an application compares with the member directory (R072).
type rating struct {
	chamber string
	score   int
	entry   string
}

// Rate compares the application with the member directory. Where thousands of
// companies share a postcode that takes its time, so pages do it before their
// transaction; Submit and Resubmit do it themselves where nobody did.
func Rate(tx *db.Tx, a Application) (Application, error) {
	r, _, err := read(tx, a)
	if fault.Of(err) != nil || err == nil && r.Chamber == "" {
		return a, nil // Submit says what is wrong
	}
	if err != nil {
		return a, err
	}
	best, err := directory.Candidates(tx, r.Chamber, r.Company, 1)
	if err != nil {
		return a, err
	}
	a.rating = &rating{chamber: r.Chamber}
	if len(best) > 0 {
		a.rating.score, a.rating.entry = best[0].Match.Score, best[0].Entry.ID
	}
	return a, nil
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
	r.ID, r.Applicant, r.State, r.SubmittedAt, r.Version = db.NewID(), by.Account, Submitted, tx.Now(), 1
	if err := r.rate(tx, a); err != nil {
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
	r.ID, r.Reference, r.Applicant, r.Clerk, r.State = was.ID, was.Reference, was.Applicant, was.Clerk, Submitted
	if r.Chamber == "" {
		return r, fault.Invalid("chamber", "registration.chamber_choose")
	}
	if r.Chamber != was.Chamber {
		r.Clerk = ""
	}
	if err := once(tx, by, r); err != nil {
		return r, err
	}
	if err := r.rate(tx, a); err != nil {
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

// read checks the fields (S07) and finds the chamber in charge.
func read(tx *db.Tx, a Application) (Registration, []chamber.Chamber, error) {
	r := Registration{Company: a.Company, Reason: strings.TrimSpace(a.Reason)}
	p := check(&r)
	var serving []chamber.Chamber
	if len(r.Postcode) == 5 {
		var err error
		if serving, err = chamber.Serving(tx, r.Postcode, r.Place); err != nil {
			return r, nil, err
		}
		for _, c := range serving {
			if c.ID == a.Chamber || len(serving) == 1 {
				r.Chamber = c.ID
			}
		}
		if len(serving) == 0 {
			notServed(&p, r)
		}
	}
	for _, c := range serving {
		if c.ID == r.Chamber && r.IdentNumber != "" {
			r.IdentNumber, _ = fold.Ident(r.IdentNumber, c.Number)
		}
	}
	return r, serving, p.Err()
}

// notServed names the chamber elsewhere that is in charge (ux.md 2.9 no. 12).
func notServed(p *fault.Problems, r Registration) {
	var names []string
	for _, n := range chamber.NumbersFor(r.Postcode, r.Place) {
		names = append(names, chamber.PublicName(n))
	}
	if len(names) == 0 {
		p.Add("postcode", "registration.postcode_unknown", r.Postcode)
		return
	}
	p.Add("postcode", "registration.not_served", strings.TrimSpace(r.Postcode+" "+r.Place), strings.Join(names, ", "))
}

// check tidies the fields and says what is wrong with them.
func check(r *Registration) (p fault.Problems) {
	text := func(value *string, field, missing string, most int) {
		*value = strings.Join(strings.Fields(*value), " ")
		if *value == "" && missing != "" {
			p.Add(field, missing)
		}
		if utf8.RuneCountInString(*value) > most {
			p.Add(field, "registration.too_long", most)
		}
	}
	text(&r.Name, "name", "registration.name_missing", 200)
	r.LegalForm = strings.TrimSpace(r.LegalForm)
	if r.LegalForm == "" {
		p.Add("legal_form", "registration.legal_form_missing")
	} else if chamber.LegalFormLabel(r.LegalForm) == r.LegalForm {
		p.Add("legal_form", "registration.legal_form_unknown")
	}
	text(&r.Street, "street", "registration.street_missing", 100)
	text(&r.HouseNumber, "house_number", "registration.house_number_missing", 12)
	r.Postcode = fold.Postcode(r.Postcode)
	if r.Postcode == "" {
		p.Add("postcode", "registration.postcode_missing")
	} else if len(r.Postcode) != 5 || !fold.Digits(r.Postcode) {
		p.Add("postcode", "registration.postcode_form")
		r.Postcode = ""
	}
	text(&r.Place, "place", "registration.place_missing", 100)
	r.IdentNumber = strings.TrimSpace(r.IdentNumber)
	if _, ok := fold.Ident(r.IdentNumber, ""); r.IdentNumber != "" && !ok {
		p.Add("ident_number", "registration.ident_form")
	}
	text(&r.RegisterNumber, "register_number", "", 30)
	if r.RegisterCourt != "" && chamber.RegisterCourtLabel(r.RegisterCourt) == r.RegisterCourt {
		p.Add("register_court", "registration.register_unknown")
	}
	if r.RegisterKind != "" && chamber.RegisterKindKey(r.RegisterKind) == "" {
		p.Add("register_kind", "registration.register_unknown")
	}
	if r.Reason == "" {
		p.Add("reason", "registration.reason_missing")
	} else if n := utf8.RuneCountInString(r.Reason); n > MostReason {
		p.Add("reason", "registration.reason_long", n)
	}
	if len(p) == 0 && r.Key() == "" {
		p.Add("name", "registration.name_missing")
	}
	return p
}

// once refuses a company that has an account or is being registered (R066).
func once(tx *db.Tx, by audit.Actor, r Registration) error {
	if r.Chamber == "" {
		return nil
	}
	idents := []string{}
	if r.IdentNumber != "" {
		idents = append(idents, r.IdentNumber)
	}
	if entry, err := directory.FindExact(tx, r.Chamber, r.Company); err == nil {
		idents = append(idents, entry.IdentNumber)
	} else if !fault.Is(err, fault.KindNotFound) {
		return err
	}
	taken, err := organization.Taken(tx, r.Chamber, r.Company, idents)
	if err != nil {
		return err
	}
	if taken {
		return fault.Conflict("registration.registered_already")
	}
	other, err := pendingLike(tx, r)
	if fault.Is(err, fault.KindNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if other.Applicant == by.Account {
		return &OwnPending{ID: other.ID, err: fault.Conflict("registration.registration_own_pending", other.Reference)}
	}
	return fault.Conflict("registration.registration_pending")
}

// rate keeps how the application compares with the member directory.
func (r *Registration) rate(tx *db.Tx, a Application) (err error) {
	if a.rating == nil || a.rating.chamber != r.Chamber {
		if a, err = Rate(tx, a); err != nil || a.rating == nil {
			return err
		}
	}
	r.Score, r.Entry = a.rating.score, a.rating.entry
	return nil
}

func (r Registration) record(tx *db.Tx, by audit.Actor, event string, detail map[string]any) error {
	return audit.Record(tx, by, audit.Entry{Event: event, Account: r.Applicant, Organization: r.Organization, Chamber: r.Chamber, Thing: r.ID, Detail: detail})
}
