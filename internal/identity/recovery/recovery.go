// Package recovery gives an account back with the chamber's help when password,
// phone and mailbox are gone (ux.md task 10).
//
//	         Match + Approve          time            Complete
//	submitted ─────────────▶ approved ────▶ released ─────────▶ done
//	   │  │                     │              │
//	   │  └─ Refuse ▶ refused   └──────┬───────┘
//	   └──────── Cancel, or the owner signs in ▶ cancelled      (Sweep ▶ expired)
//
// Whoever asks has proved nothing, so known and unknown people get the same
// answer: a reference. A clerk of the chamber finds the account, and from that
// moment all its old channels are told, each with a link that cancels. The
// clerk must have seen evidence (identity card at the desk, eID, or a letter to
// the address in the chamber's own records) and never chooses a password or an
// address (ASVS 6.4.6): the person does, with a code that stands in clear on
// paper only, after a waiting time that the account's policy sets.
//
// Accounts of clerks and operators are not recovered here: a clerk could take
// them over.
package recovery

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/notice"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

// States of a recovery.
const (
	Submitted = "submitted"
	Approved  = "approved" // the waiting time runs
	Released  = "released" // it is over
	Done      = "done"
	Refused   = "refused"
	Cancelled = "cancelled" // by an old channel, or because the owner signed in
	Expired   = "expired"
)

const (
	// MostStory is how many characters the person may write beyond the fields.
	MostStory  = 300
	mostAnswer = 500
	// openFor is how long a chamber may leave a request lying.
	openFor = 60 * 24 * time.Hour
	// usableFor is how long after the waiting time the code works (NIST
	// 800-63A: enrolment codes by post 30 days).
	usableFor = 30 * 24 * time.Hour
	// keptFor is how long an ended one can be looked at; then what the person
	// said goes, the record of the deeds stays.
	keptFor = 90 * 24 * time.Hour
)

// A Claim is what somebody says of themselves.
type Claim struct {
	GivenName, FamilyName string
	Login                 string // e-mail address or user name, as far as they know it
	Number                string // apprentice number, or ident number or name of the company
	Contact               string // how the chamber reaches them
	Story                 string
	Lang                  string
}

// Name of the person as they write it.
func (c Claim) Name() string { return strings.TrimSpace(c.GivenName + " " + c.FamilyName) }

// A Recovery is one request.
type Recovery struct {
	ID, Reference, Chamber string
	Account                string // found by the clerk, or empty
	Claim                  Claim
	State                  string
	Clerk, Evidence        string
	Answer                 string // why it was refused, as the person reads it
	Address                string // where the letter goes, line by line
	Tries                  int
	SubmittedAt            db.Time
	DecidedAt, PrintedAt   db.Time
	DueAt                  db.Time // not before
	ExpiresAt, EndedAt     db.Time

	browser, proof, chosen string
	codeMAC, cancelHash    string
	provedAt               db.Time
	claimed, address       string // sealed
}

// Pending reports whether it can still lead to the account.
func (r Recovery) Pending() bool {
	return r.State == Submitted || r.State == Approved || r.State == Released
}

// Decided reports whether a clerk has approved it and it is not over.
func (r Recovery) Decided() bool { return r.State == Approved || r.State == Released }

// Ready reports whether the waiting time is over.
func (r Recovery) Ready(now db.Time) bool {
	return r.Decided() && !r.DueAt.After(now) && r.ExpiresAt.After(now)
}

// Printed reports whether there is a code on paper.
func (r Recovery) Printed() bool { return !r.PrintedAt.IsZero() }

// Burned reports whether the code was mistyped too often.
func (r Recovery) Burned() bool { return r.Tries >= tries }

var (
	askRate  = limit.Rate{Burst: 6, Every: 30 * time.Minute}
	findRate = limit.Rate{Burst: 10, Every: 6 * time.Minute}
)

// Submit asks the chamber for help. browser is a secret of the browser: there
// the state can be seen. Nothing is looked up, so nobody can tell from the
// answer whether there is such an account.
func Submit(tx *db.Tx, by audit.Actor, browser, chamberID string, c Claim) (Recovery, error) {
	r := Recovery{ID: db.NewID(), Chamber: chamberID, Claim: c, State: Submitted, SubmittedAt: tx.Now(), ExpiresAt: tx.Now().Add(openFor)}
	if err := r.check(tx); err != nil {
		return r, err
	}
	if err := limit.TakeIn(tx, "recovery/ip/"+limit.Network(by.IP), askRate); err != nil {
		return r, err
	}
	claimed, err := json.Marshal(r.Claim)
	if err != nil {
		return r, err
	}
	r.browser, r.claimed = seal.Hash(browser), tx.Keys().Seal("recovery/claimed/"+r.ID, claimed)
	for try := 0; ; try++ {
		r.Reference = "W-" + seal.Reference()
		inserted, err := insert(tx, r)
		if err != nil {
			return r, err
		}
		if inserted {
			break
		}
		if try == 5 {
			return r, fmt.Errorf("submit recovery: no reference is free")
		}
	}
	if err := r.record(tx, by, "recovery.submitted", nil); err != nil {
		return r, err
	}
	clerks, err := chamber.Clerks(tx, r.Chamber)
	for _, clerk := range clerks {
		if err := notice.Tell(tx, clerk, "notice.recovery_submitted", "/chamber/recoveries/"+r.ID, r.Claim.Name(), r.Reference); err != nil {
			return r, err
		}
	}
	return r, err
}

func (r *Recovery) check(tx *db.Tx) error {
	var p fault.Problems
	text := func(value *string, field, missing string, most int) {
		*value = strings.Join(strings.Fields(*value), " ")
		if *value == "" && missing != "" {
			p.Add(field, missing)
		} else if utf8.RuneCountInString(*value) > most {
			p.Add(field, "recovery.too_long", most)
		}
	}
	c := &r.Claim
	text(&c.GivenName, "given_name", "recovery.given_name_missing", 100)
	text(&c.FamilyName, "family_name", "recovery.family_name_missing", 100)
	text(&c.Login, "login", "", 254)
	text(&c.Number, "number", "", 200)
	if c.Login == "" && c.Number == "" {
		p.Add("login", "recovery.nothing_known")
	}
	all, err := chamber.Current(tx)
	if err != nil {
		return err
	}
	known := false
	for _, one := range all {
		known = known || one.ID == r.Chamber
	}
	if !known {
		p.Add("chamber", "recovery.chamber_missing")
	}
	text(&c.Contact, "contact", "recovery.contact_missing", 200)
	c.Story = strings.TrimSpace(c.Story)
	if n := utf8.RuneCountInString(c.Story); n > MostStory {
		p.Add("story", "recovery.story_long", n)
	}
	return p.Err()
}

// Find is the request with a reference, for the browser that asked for it or
// has named it last. Everybody else finds nothing.
func Find(tx *db.Tx, reference, browser string) (Recovery, error) {
	r, err := byReference(tx, reference)
	if err == nil && (browser == "" || !seal.Equal(r.browser, seal.Hash(browser))) {
		return Recovery{}, fault.NotFound()
	}
	return r, err
}

// Asked are the requests of a browser that are not over, newest first.
func Asked(tx *db.Tx, browser string) ([]Recovery, error) {
	if browser == "" {
		return nil, nil
	}
	return ofBrowser(tx, seal.Hash(browser))
}

// Recognize lets another browser see a request: by its reference and the family
// name. What does not fit tells nothing of which of the two it was.
func Recognize(tx *db.Tx, by audit.Actor, browser, reference, familyName string) (Recovery, error) {
	var p fault.Problems
	if seal.Normalize(reference) == "" {
		p.Add("reference", "recovery.reference_missing")
	}
	if strings.TrimSpace(familyName) == "" {
		p.Add("family_name", "recovery.family_name_missing")
	}
	if err := p.Err(); err != nil {
		return Recovery{}, err
	}
	if err := limit.TakeIn(tx, "recovery/find/"+limit.Network(by.IP), findRate); err != nil {
		return Recovery{}, err
	}
	r, err := byReference(tx, reference)
	if fault.Is(err, fault.KindNotFound) || err == nil && fold.Text(r.Claim.FamilyName) != fold.Text(familyName) {
		return Recovery{}, db.Keep(fault.Invalid("reference", "recovery.unknown"))
	}
	if err != nil {
		return Recovery{}, err
	}
	_, err = tx.Exec(`UPDATE recovery SET browser = $1 WHERE id = $2`, seal.Hash(browser), r.ID)
	return r, err
}

func (r Recovery) record(tx *db.Tx, by audit.Actor, event string, detail map[string]any) error {
	return audit.Record(tx, by, audit.Entry{Event: event, Account: r.Account, Chamber: r.Chamber, Thing: r.ID, Detail: detail})
}

// Work adds what this package does by the clock.
func Work(r *job.Runner, d *db.DB) {
	r.Every(15*time.Minute, "recovery.sweep", func(ctx context.Context) error { return Sweep(ctx, d) })
}
