// Package correction corrects names that come from a contract or an eID: the
// chamber has looked at them, so the person asks and a clerk decides (R217–R220).
//
//	           Submit           Approve            (wait of the policy)
//	(nobody) ─────────▶ submitted ────────▶ approved ─────────────▶ done
//	                       │ └── Approve, no wait ──────────────────▲
//	                       ├── Refuse ───▶ refused
//	                       └── Withdraw ─▶ withdrawn
//
// The name in the contract counts (R218). The most frequent reason is a second
// given name that was left out (R217): the texts say so before anything is
// asked for. The clerk may write the name as the contract has it (R220); the
// person reads what was decided in mail and portal. A person has one correction
// under way at a time, and nobody decides about their own.
package correction

import (
	"embed"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/policy"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

// States of a correction.
const (
	Submitted = "submitted"
	Approved  = "approved" // waits until it is due
	Done      = "done"
	Refused   = "refused"
	Withdrawn = "withdrawn"
)

// MostReason is how long a reason and an answer may be.
const MostReason = 500

// rate bounds how often one person asks.
var rate = limit.Rate{Burst: 3, Every: 8 * time.Hour}

// A Correction of a name.
type Correction struct {
	ID, Reference, Account, Chamber string
	Title, GivenName, FamilyName    string // wanted; decided: as the clerk wrote it
	Reason                          string
	State, Clerk, Answer            string
	SubmittedAt, DecidedAt, DueAt   db.Time
}

// Pending reports whether it is under way.
func (c Correction) Pending() bool { return c.State == Submitted || c.State == Approved }

// Name as it is wanted.
func (c Correction) Name() string {
	return strings.TrimSpace(c.Title + " " + c.GivenName + " " + c.FamilyName)
}

// A Wish is what somebody asks for.
type Wish struct{ Chamber, Title, GivenName, FamilyName, Reason string }

// Submit asks the chamber to correct the name of the person who acts.
func Submit(tx *db.Tx, by audit.Actor, w Wish) (Correction, error) {
	a, err := account.Get(tx, by.Account)
	if err != nil {
		return Correction{}, err
	}
	if !a.NameFixed() {
		return Correction{}, fault.Conflict("correction.not_fixed")
	}
	var p fault.Problems
	name, err := account.CheckName(w.Title, w.GivenName, w.FamilyName)
	if ft := fault.Of(err); ft != nil {
		p = ft.Problems
	} else if err != nil {
		return Correction{}, err
	}
	if w.Reason = strings.TrimSpace(w.Reason); w.Reason == "" {
		p.Add("reason", "correction.reason_missing")
	} else if n := utf8.RuneCountInString(w.Reason); n > MostReason {
		p.Add("reason", "correction.reason_long", n)
	}
	if c, err := chamber.Get(tx, w.Chamber); fault.Is(err, fault.KindNotFound) || err == nil && !c.Valid(tx.Now()) {
		p.Add("chamber", "correction.chamber_missing")
	} else if err != nil {
		return Correction{}, err
	}
	if len(p) == 0 && name.Title == a.Title && name.GivenName == a.GivenName && name.FamilyName == a.FamilyName {
		p.Add("given_name", "correction.same")
	}
	if err := p.Err(); err != nil {
		return Correction{}, err
	}
	if err := limit.TakeIn(tx, "correction/"+a.ID, rate); err != nil {
		return Correction{}, err
	}
	c := Correction{
		ID: db.NewID(), Account: a.ID, Chamber: w.Chamber, Title: name.Title, GivenName: name.GivenName, FamilyName: name.FamilyName,
		Reason: w.Reason, State: Submitted, SubmittedAt: tx.Now(),
	}
	for range 5 {
		c.Reference = "N-" + seal.Reference()
		added, err := insert(tx, c)
		if err != nil {
			return c, err
		}
		if added {
			return c, c.submitted(tx, by, a)
		}
		if _, err := pendingOf(tx, a.ID); err == nil {
			return c, fault.Conflict("correction.pending")
		} else if !fault.Is(err, fault.KindNotFound) {
			return c, err
		}
	}
	return c, fmt.Errorf("correction: no free reference")
}

func (c Correction) submitted(tx *db.Tx, by audit.Actor, a account.Account) error {
	if err := c.record(tx, by, "name_correction.submitted"); err != nil {
		return err
	}
	clerks, err := chamber.Clerks(tx, c.Chamber)
	if err != nil {
		return err
	}
	for _, clerk := range clerks {
		if err := notice.Tell(tx, clerk, "notice.correction_submitted", "/chamber/identities/"+c.ID, a.Name(), c.Reference); err != nil {
			return err
		}
	}
	return c.write(tx, "correction_submitted")
}

// Withdraw takes one's own wish back while nobody has decided.
func Withdraw(tx *db.Tx, by audit.Actor, id string) error {
	c, err := move(tx, `UPDATE name_correction SET state = 'withdrawn', decided_at = $1 WHERE id = $2 AND account = $3 AND state = 'submitted'`, tx.Now(), id, by.Account)
	if fault.Is(err, fault.KindNotFound) {
		return fault.Conflict("correction.decided_meanwhile")
	}
	if err != nil {
		return err
	}
	return c.record(tx, by, "name_correction.withdrawn")
}

// Latest is the newest correction of an account. NotFound: there was none.
func Latest(tx *db.Tx, accountID string) (Correction, error) { return latest(tx, accountID) }

func (c Correction) record(tx *db.Tx, by audit.Actor, event string) error {
	return audit.Record(tx, by, audit.Entry{Event: event, Account: c.Account, Chamber: c.Chamber, Thing: c.ID})
}

// message is what the mails may use.
type message struct {
	Reference, Name, Answer, Contact string
	Due                              db.Time // zero: at once
}

// write sends the person one of the mails.
func (c Correction) write(tx *db.Tx, text string) error {
	a, err := account.Get(tx, c.Account)
	if err != nil {
		return err
	}
	at, err := chamber.Get(tx, c.Chamber)
	if err != nil {
		return err
	}
	contact := at.Name
	for _, way := range []string{at.Phone, at.Hours, at.Email} {
		if way != "" {
			contact += "\n" + way
		}
	}
	m := message{Reference: c.Reference, Name: c.Name(), Answer: c.Answer, Contact: contact}
	if c.State == Approved {
		m.Due = c.DueAt
	}
	return texts.Send(tx, a.Person(), text, m)
}

// wait is how long a corrected name waits before it holds (R220; W17: not at all).
func wait(tx *db.Tx, accountID string) (time.Duration, error) {
	a, err := account.Get(tx, accountID)
	if err != nil {
		return 0, err
	}
	p, err := policy.Of(tx, a.Policy)
	return p.NameWait.Duration(), err
}
