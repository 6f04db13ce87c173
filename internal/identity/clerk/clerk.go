// Package clerk is what a clerk may see and do beyond the queues: look at a
// person, lock and unlock them, send a company a new letter.
//
// Policy:
//   - Of people a clerk sees only those who have to do with their chamber
//     (package search); everybody else is not there. Of their memberships a
//     clerk sees those in companies of this chamber.
//   - Each look at a person is recorded before it is shown, and the person finds
//     it in their history.
//   - A lock by the chamber needs a reason, which the person reads. It ends all
//     sessions; the caller also takes back what applications were given. Staff
//     is not locked at the desk: whoever works for a chamber is the team's, and
//     operators have the console. Nobody locks themselves here.
//   - A clerk unlocks what their chamber locked, never what another chamber or
//     the person did.
package clerk

import (
	"embed"
	"fmt"
	"strings"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/search"
	"zunft/internal/identity/session"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

// MostReason is how long a reason may be.
const MostReason = 500

// A Belonging is a membership of a person in a company of the chamber.
type Belonging struct {
	Organization organization.Organization
	Member       membership.Member
}

// A View is what a clerk sees of a person.
type View struct {
	Account  account.Account
	Numbers  []account.Number
	Belongs  []Belonging
	Factors  factor.Kinds
	Sessions int
	Staff    bool // works for a chamber, or runs the installation
}

// Look is one look at a person; it is recorded.
func Look(tx *db.Tx, by audit.Actor, chamberID, accountID string) (View, error) {
	v, err := look(tx, by, chamberID, accountID)
	if err != nil {
		return v, err
	}
	return v, audit.Record(tx, by, audit.Entry{Event: "person.looked", Account: accountID, Chamber: chamberID})
}

func look(tx *db.Tx, by audit.Actor, chamberID, accountID string) (v View, err error) {
	if v.Account, err = known(tx, by, chamberID, accountID); err != nil {
		return v, err
	}
	if v.Numbers, err = account.Numbers(tx, accountID); err != nil {
		return v, err
	}
	members, err := membership.Of(tx, accountID)
	if err != nil {
		return v, err
	}
	var ids []string
	for _, m := range members {
		ids = append(ids, m.Organization)
	}
	companies, err := organization.GetMany(tx, ids)
	if err != nil {
		return v, err
	}
	for _, m := range members {
		if o := companies[m.Organization]; o.Chamber == chamberID {
			v.Belongs = append(v.Belongs, Belonging{o, m})
		}
	}
	if v.Factors, err = factor.Active(tx, accountID); err != nil {
		return v, err
	}
	sessions, err := session.List(tx, accountID)
	if err != nil {
		return v, err
	}
	v.Sessions = len(sessions)
	v.Staff, err = isStaff(tx, accountID)
	return v, err
}

// known is a person who has to do with the chamber of the clerk who asks.
func known(tx *db.Tx, by audit.Actor, chamberID, accountID string) (a account.Account, err error) {
	if err := chamber.MustClerk(tx, by, chamberID); err != nil {
		return a, err
	}
	yes, err := search.Knows(tx, chamberID, accountID)
	if err == nil && !yes {
		err = fault.NotFound()
	}
	if err != nil {
		return a, err
	}
	if a, err = account.Get(tx, accountID); err == nil && a.State != account.Active && a.State != account.Locked {
		err = fault.NotFound()
	}
	return a, err
}

func isStaff(tx *db.Tx, accountID string) (bool, error) {
	return db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM staff WHERE account = $1)`, accountID)
}

// message is what the mails may use.
type message struct {
	Name, Reason, Chamber, Phone, Hours, Email string
	At                                         db.Time
	Disavow                                    string // of the mail about an unlocked account
}

// Lock closes a person's account for the chamber. All sessions end here; the
// caller takes back what applications were given.
func Lock(tx *db.Tx, by audit.Actor, chamberID, accountID, reason string) error {
	a, err := known(tx, by, chamberID, accountID)
	if err != nil {
		return err
	}
	staff, err := isStaff(tx, accountID)
	if err != nil {
		return err
	}
	if staff || accountID == by.Account {
		return fault.Conflict("clerk.staff")
	}
	if reason = strings.TrimSpace(reason); reason == "" {
		return fault.Invalid("reason", "clerk.reason_missing")
	} else if utf8.RuneCountInString(reason) > MostReason {
		return fault.Invalid("reason", "clerk.reason_long", MostReason)
	}
	if _, err := account.LockByClerk(tx, by, accountID); err != nil {
		return err
	}
	if err := endSessions(tx, by, accountID); err != nil {
		return err
	}
	return tell(tx, by, chamberID, "person.locked", "locked", a, message{Reason: reason})
}

// Unlock opens an account that the chamber, or the console, locked.
func Unlock(tx *db.Tx, by audit.Actor, chamberID, accountID string) error {
	a, err := known(tx, by, chamberID, accountID)
	if err != nil {
		return err
	}
	locks, err := audit.List(tx, audit.Filter{Account: accountID, Event: "person.locked", Limit: 1})
	if err != nil {
		return err
	}
	if len(locks) > 0 && locks[0].Entry.Chamber != chamberID && a.LockReason == account.LockedByChamber {
		other, err := chamber.Get(tx, locks[0].Entry.Chamber)
		if err == nil {
			err = fault.Conflict("clerk.locked_elsewhere", other.Name)
		}
		return err
	}
	if _, err := account.UnlockByClerk(tx, by, accountID); err != nil {
		return err
	}
	token, err := account.Disavowal(tx, accountID)
	if err != nil {
		return err
	}
	return tell(tx, by, chamberID, "person.unlocked", "unlocked", a, message{Disavow: token})
}

// endSessions of somebody else: the system does it, because of what the clerk
// did, which is recorded by itself.
func endSessions(tx *db.Tx, by audit.Actor, accountID string) error {
	return session.EndAll(tx, audit.Actor{Kind: audit.System, Request: by.Request}, accountID, "")
}

// tell records for the chamber what was done and writes to the person.
func tell(tx *db.Tx, by audit.Actor, chamberID, event, text string, a account.Account, m message) error {
	c, err := chamber.Get(tx, chamberID)
	if err != nil {
		return err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: event, Account: a.ID, Chamber: chamberID}); err != nil {
		return err
	}
	m.Name, m.At, m.Chamber, m.Phone, m.Hours, m.Email = a.Name(), tx.Now(), c.Name, c.Phone, c.Hours, c.Email
	return texts.Send(tx, a.Person(), text, m)
}

// SendLetter queues a letter to the management of a company: with a new
// activation code while it waits for the first, or for a new admin once it is
// active (R102). It counts against the letters of a month.
func SendLetter(tx *db.Tx, by audit.Actor, organizationID string) error {
	o, err := organization.Get(tx, organizationID)
	if err != nil {
		return err
	}
	if err := chamber.MustClerk(tx, by, o.Chamber); err != nil {
		return err
	}
	kind := letter.Activation
	switch o.State {
	case organization.AwaitingLetter:
	case organization.Active:
		kind = letter.Succession
	default:
		return fault.Conflict("clerk.no_letter")
	}
	if err := organization.TakeLetter(tx, o); err != nil {
		return err
	}
	if err := letter.Renew(tx, by, o.Chamber, o.ID, kind); err != nil {
		return fmt.Errorf("letter to %s: %w", o.ID, err)
	}
	return audit.Record(tx, by, audit.Entry{Event: "organization.letter_requested", Organization: o.ID, Chamber: o.Chamber, Detail: map[string]any{"kind": kind}})
}

// Waiting are requests of people that nobody has answered.
type Waiting struct {
	Count  int
	Oldest db.Time
}

// Requests are those at one company.
func Requests(tx *db.Tx, by audit.Actor, organizationID string) (w Waiting, err error) {
	o, err := organization.Get(tx, organizationID)
	if err != nil {
		return w, err
	}
	if err := chamber.MustClerk(tx, by, o.Chamber); err != nil {
		return w, err
	}
	err = tx.Scan(`SELECT count(*), min(submitted_at) FROM request WHERE organization = $1 AND state IN ('open', 'claimed')`, []any{organizationID}, &w.Count, &w.Oldest)
	return w, err
}
