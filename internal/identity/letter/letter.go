// Package letter sends companies what may only travel on paper: the activation
// code (R092, M08, M09).
//
//	queued ──Print──▶ printed ──Try──▶ used
//	                     │
//	                     └──Reprint · Renew · five wrong tries──▶ void
//
// Policy:
//   - A code is made when its letter is printed and stands in clear in that PDF
//     and nowhere else: the database keeps a keyed hash of it. What was printed
//     cannot be printed again; a reprint is a new code and the old one is void.
//   - The letter goes to the management at the address of the member directory,
//     never to the person who registered (R092).
//   - A code holds 90 days and five tries, then a new letter is needed (L02).
//     One letter counts per organization at a time.
//   - Letters leave in batches: who printed, who took them to the post, and when.
package letter

import (
	"embed"
	"fmt"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/chamber"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

const (
	Tries = 5                   // wrong codes per letter (L02)
	Term  = 90 * 24 * time.Hour // how long a code holds (L02)
)

// States of a letter.
const (
	Queued  = "queued"
	Printed = "printed"
	Used    = "used"
	Void    = "void"
)

// A Letter as the desk and its organization see it; it never knows its code.
type Letter struct {
	ID, Chamber, Organization string
	Name, Place               string // of the company
	State                     string
	Batch                     string
	Tries                     int
	CreatedAt, PrintedAt      db.Time
	ExpiresAt, EndedAt        db.Time
	DispatchedAt              db.Time // of its batch
}

// Live reports whether its code can still be used at that moment.
func (l Letter) Live(now db.Time) bool { return l.State == Printed && now.Before(l.ExpiresAt) }

// Queue puts a letter for the organization into the chamber's next batch.
func Queue(tx *db.Tx, by audit.Actor, chamberID, organizationID string) error {
	l := Letter{ID: db.NewID(), Chamber: chamberID, Organization: organizationID}
	queued, err := insert(tx, l)
	if err != nil {
		return err
	}
	if !queued {
		return fault.Conflict("letter.already_waiting")
	}
	return audit.Record(tx, by, audit.Entry{Event: "letter.queued", Organization: organizationID, Chamber: chamberID, Thing: l.ID})
}

// Waiting are a chamber's letters for the next batches, oldest first.
func Waiting(tx *db.Tx, chamberID string) ([]Letter, error) { return waiting(tx, chamberID) }

// Current is the organization's last letter, whatever became of it.
func Current(tx *db.Tx, organizationID string) (Letter, error) { return current(tx, organizationID) }

// Renew makes the code that is out void and queues a new letter (M09). Its
// caller has settled that the actor may ask for one.
func Renew(tx *db.Tx, by audit.Actor, chamberID, organizationID string) error {
	if err := voidPrinted(tx, by, organizationID); err != nil {
		return err
	}
	return Queue(tx, by, chamberID, organizationID)
}

// Reprint is what a clerk does with a letter that was lost or came back: the
// old code is void from now on, a new letter waits for the next batch.
func Reprint(tx *db.Tx, by audit.Actor, letterID string) error {
	l, err := get(tx, letterID)
	if err != nil {
		return err
	}
	if err := chamber.MustClerk(tx, by, l.Chamber); err != nil {
		return err
	}
	if err := end(tx, letterID, Printed, Void); fault.Is(err, fault.KindNotFound) {
		return fault.Conflict("letter.not_printed")
	} else if err != nil {
		return fmt.Errorf("reprint letter %s: %w", letterID, err)
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "letter.voided", Organization: l.Organization, Chamber: l.Chamber, Thing: l.ID, Detail: map[string]any{"reason": "reprint"}}); err != nil {
		return err
	}
	return Queue(tx, by, l.Chamber, l.Organization)
}

// Try checks a code for an organization and uses the letter up if it is right.
// A wrong one counts: left says how many tries remain, and with the last the
// letter is void. The caller must commit in either case (db.Keep). Without a
// letter that holds it is a Conflict.
func Try(tx *db.Tx, by audit.Actor, organizationID, code string) (ok bool, left int, err error) {
	l, mac, err := count(tx, organizationID)
	if fault.Is(err, fault.KindNotFound) {
		return false, 0, fault.Conflict("letter.none_holds")
	}
	if err != nil {
		return false, 0, fmt.Errorf("try activation code of %s: %w", organizationID, err)
	}
	entry := audit.Entry{Event: "letter.used", Organization: organizationID, Chamber: l.Chamber, Thing: l.ID}
	if seal.Equal(mac, tx.Keys().MAC(macPurpose, l.ID, code)) {
		if err := end(tx, l.ID, Printed, Used); err != nil {
			return false, 0, err
		}
		return true, Tries - l.Tries, audit.Record(tx, by, entry)
	}
	entry.Event, entry.Detail = "letter.wrong_code", map[string]any{"tries": l.Tries}
	if l.Tries >= Tries {
		entry.Event = "letter.burned"
		if err := end(tx, l.ID, Printed, Void); err != nil {
			return false, 0, err
		}
	}
	return false, Tries - l.Tries, audit.Record(tx, by, entry)
}

const macPurpose = "activation"
