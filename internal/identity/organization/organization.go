// Package organization knows the companies that have an account, and that
// somebody proved to speak for them (activation). Package registration makes them.
//
//	letter ──Activate──▶ active ──(package closing)──▶ closed
//	                     │  ▲
//	          Revoke·Lock▼  │Unlock
//	                     locked
//
//	letter ──TakeBack · Abandon──▶ closed       (nobody answered)
//
// Policy:
//   - What an organization is called and where it sits comes from the chamber's
//     member directory, not from who registered it.
//   - Approved is not active: first the management must have had the letter with
//     the activation code (R092), and the three values must match (R097). Only
//     the person who registered can activate, and becomes its first admin (R101);
//     membership is granted by the caller in the same transaction.
//   - To anybody else the answer to a wrong activation is always the same.
//   - What its admins say of their company (R065) stands beside the directory's data
//     and never in their place: letters, matching and applications go by the
//     directory. When the directory changes, the organization follows.
//   - Where a company is active at once, its management can revoke that with the
//     code of a letter, without an account. A locked organization gives no rights
//     until a clerk has cleared it up.
package organization

import (
	"cmp"
	"embed"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/company"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/notice"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

// States of an organization.
const (
	AwaitingLetter = "letter" // approved, the letter is not answered yet (R093)
	Active         = "active"
	Locked         = "locked" // by its management's revocation, or by the chamber
	Closed         = "closed"
)

// Reasons why an organization is locked.
const (
	Revoked   = "revoked"
	ByChamber = "chamber"
)

// An Organization is a company with an account; its data are the directory's.
type Organization struct {
	ID, Chamber string
	company.Company
	Management   string // to whom letters go; for the desk only
	Own          Own    // what its admins say
	OwnAt        db.Time
	State        string
	LockedReason string
	LockedAt     db.Time
	ClosesAt     db.Time // its admins close it: when the grace ends
	RegisteredBy string
	CreatedAt    db.Time
	ActivatedAt  db.Time
	Version      int
}

// Label is what its members know it by: the name its admins gave it, or its own.
// Never for strangers, whom it could deceive.
func (o Organization) Label() string { return cmp.Or(o.Own.Name, o.Name) }

// Closing reports whether its admins have begun to close it.
func (o Organization) Closing() bool { return !o.ClosesAt.IsZero() && o.State != Closed }

// Address is one line: "Schuteweg 1, 26723 Emden".
func (o Organization) Address() string { return address(o.Company) }

func address(c company.Company) string {
	street := c.Street
	if c.HouseNumber != "" {
		street += " " + c.HouseNumber
	}
	return street + ", " + c.Postcode + " " + c.Place
}

// Get is the organization with an id.
func Get(tx *db.Tx, id string) (Organization, error) { return load(tx, id) }

// GetMany are the organizations with these ids.
func GetMany(tx *db.Tx, ids []string) (map[string]Organization, error) { return loadMany(tx, ids) }

// RegisteredBy are the organizations that a person registered and that are not closed.
func RegisteredBy(tx *db.Tx, accountID string) ([]Organization, error) {
	return registeredBy(tx, accountID)
}

var activationRate = limit.Rate{Burst: 15, Every: 4 * time.Minute} // tries per person, right or wrong

// ReadActivation checks the form of the three values without looking anything
// up: what cannot be right costs no try.
func ReadActivation(ident, chamberNumber, code string) (number, folded string, err error) {
	var p fault.Problems
	if ident == "" {
		p.Add("ident_number", "organization.ident_missing")
	}
	number = strings.Join(strings.Fields(chamberNumber), "")
	if number == "" {
		p.Add("chamber_number", "organization.chamber_number_missing")
	} else if len(number) != 3 || !digits(number) {
		p.Add("chamber_number", "organization.chamber_number_form")
	} else if _, ok := fold.Ident(ident, number); ident != "" && !ok {
		p.Add("ident_number", "organization.ident_form")
	}
	folded, err = letter.ReadCode(code)
	if f := fault.Of(err); f != nil {
		p = append(p, f.Problems...)
	} else if err != nil {
		return "", "", err
	}
	return number, folded, p.Err()
}

// Activate checks the three values of the letter (R097) and makes the
// organization active. Of five wrong codes the last makes the letter void
// (L02). Only who registered the company can; everybody else gets the answer
// for values that do not match, and uses up none of the letter's tries.
// The caller grants the first admin in the same transaction (R101).
func Activate(tx *db.Tx, by audit.Actor, identNumber, chamberNumber, code string) (Organization, error) {
	number, code, err := ReadActivation(identNumber, chamberNumber, code)
	if err != nil {
		return Organization{}, err
	}
	if by.Account == "" {
		return Organization{}, fault.Forbidden()
	}
	if err := TakeActivation(tx, by); err != nil {
		return Organization{}, err
	}
	o, c, err := forActivation(tx, by, identNumber, number)
	if fault.Is(err, fault.KindNotFound) {
		return o, db.Keep(Mismatch(tx, by, number))
	}
	if err != nil {
		return o, err
	}
	if o.State == Active {
		return o, db.Keep(fault.Conflict("organization.active_already", o.Name))
	}
	ok, left, err := letter.Try(tx, by, o.ID, letter.Activation, code)
	if fault.Of(err) != nil {
		return o, db.Keep(err)
	}
	if err != nil {
		return o, err
	}
	if !ok {
		if left == 0 {
			return o, db.Keep(fault.Invalid("code", "organization.code_burned"))
		}
		return o, db.Keep(fault.Invalid("code", "organization.code_wrong", left))
	}
	if err := activate(tx, &o); err != nil {
		return o, err
	}
	if err := AddEvidence(tx, o.ID, Proof{Method: ByLetter, Clerk: by.Account}); err != nil {
		return o, err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "organization.activated", Account: by.Account, Organization: o.ID, Chamber: o.Chamber}); err != nil {
		return o, err
	}
	return o, tell(tx, o.RegisteredBy, "organization_activated", message{Company: o.Name, Chamber: c.Name, ID: o.ID})
}

func forActivation(tx *db.Tx, by audit.Actor, identNumber, number string) (o Organization, c chamber.Chamber, err error) {
	if c, err = chamber.ByNumber(tx, number); err != nil {
		return o, c, err
	}
	ident, _ := fold.Ident(identNumber, number)
	o, err = byIdent(tx, c.ID, ident)
	if err == nil && o.RegisteredBy != by.Account {
		err = fault.NotFound()
	}
	return o, c, err
}

// ByNumbers is the organization with the two numbers of a letter, or NotFound.
func ByNumbers(tx *db.Tx, identNumber, chamberNumber string) (Organization, error) {
	c, err := chamber.ByNumber(tx, chamberNumber)
	if err != nil {
		return Organization{}, err
	}
	ident, _ := fold.Ident(identNumber, chamberNumber)
	o, err := byIdent(tx, c.ID, ident)
	if !fault.Is(err, fault.KindNotFound) || c.Successor == "" {
		return o, err
	}
	heir, err := chamber.Heir(tx, c) // letters that were out when a chamber ended name its number
	if err != nil {
		return Organization{}, err
	}
	return byIdent(tx, heir.ID, ident)
}

// TakeActivation counts a person's try to activate something, right or wrong.
func TakeActivation(tx *db.Tx, by audit.Actor) error {
	return limit.TakeIn(tx, "activate/"+by.Account, activationRate)
}

// Mismatch is the answer to everything that does not fit together.
func Mismatch(tx *db.Tx, by audit.Actor, number string) error {
	if err := audit.Record(tx, by, audit.Entry{Event: "organization.activation_failed", Account: by.Account}); err != nil {
		return err
	}
	return fault.Invalid("", "organization.activation_mismatch")
}

// RequestLetter sends the management a new letter (R102, M09): the one before
// is lost, its code used up or too old. The old code is void at once. Until
// the organization is active that is up to who registered it.
func RequestLetter(tx *db.Tx, by audit.Actor, organizationID string) error {
	o, err := load(tx, organizationID)
	if err != nil {
		return err
	}
	if o.RegisteredBy != by.Account || by.Account == "" {
		return fault.NotFound()
	}
	if o.State != AwaitingLetter {
		return fault.Conflict("organization.active_already", o.Name)
	}
	if err := TakeLetter(tx, o); err != nil {
		return err
	}
	if err := letter.Renew(tx, by, o.Chamber, o.ID, letter.Activation); err != nil {
		return err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "organization.letter_requested", Account: by.Account, Organization: o.ID, Chamber: o.Chamber}); err != nil {
		return err
	}
	return TellClerks(tx, o.Chamber, "", "notice.letter_requested", "/chamber/letters", o.Name)
}

// TakeLetter counts one letter that people asked for against what the chamber
// sends a company in thirty days.
func TakeLetter(tx *db.Tx, o Organization) error {
	settled, err := chamber.SettingsOf(tx, o.Chamber)
	if err != nil {
		return err
	}
	n := settled.LettersPerMonth
	err = limit.TakeIn(tx, "letter/"+o.ID, limit.Rate{Burst: n, Every: 30 * 24 * time.Hour / time.Duration(n)})
	if fault.Is(err, fault.KindLimited) {
		return fault.Limited("organization.letters_limited", fault.Of(err).Wait)
	}
	return err
}

// tell writes to a person in their language, unless they want no mails on this
// topic, or are gone.
func tell(tx *db.Tx, accountID, text string, m message) error {
	a, err := account.Get(tx, accountID)
	if err != nil {
		return fmt.Errorf("mail %s: %w", text, err)
	}
	if yes, err := notice.Mails(tx, accountID, notice.Registrations); err != nil || !yes || a.State == account.Deleted {
		return err
	}
	person := a.Person()
	m.Name = person.Name
	return Texts.Send(tx, person, text, m)
}

// TellClerks puts a notice under the bell of the chamber's clerks, or of the
// one clerk who has the case.
func TellClerks(tx *db.Tx, chamberID, clerk, phrase, href string, args ...string) error {
	clerks := []string{clerk}
	if clerk == "" {
		var err error
		if clerks, err = chamber.Clerks(tx, chamberID); err != nil {
			return err
		}
	}
	for _, c := range clerks {
		if err := notice.Tell(tx, c, phrase, href, args...); err != nil {
			return err
		}
	}
	return nil
}

// nameKey sorts names as people do, on both engines.
func nameKey(name string) string {
	return hex.EncodeToString(collate.New(language.German, collate.IgnoreCase).KeyFromString(&collate.Buffer{}, name))
}

func digits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}
