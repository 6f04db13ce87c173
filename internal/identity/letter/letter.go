// Package letter sends what may only travel on paper: codes to the management of
// a company (R092, M08, M09), and to people who lost everything.
//
//	queued ──Print──▶ printed ──Try · Use──▶ used
//	                     │
//	                     ├──Reprint · Renew · five wrong tries · Void──▶ void
//	                     └──Return──▶ returned
//
// Kinds: activation (the first admin), succession (a further or new admin, R102),
// revocation (the management ends an account that it did not want), recovery (a
// person gets back into their account; its code is checked by package recovery).
//
// Policy:
//   - A code is made when its letter is printed and stands in clear in that PDF
//     and nowhere else: the database keeps a keyed hash of it. What was printed
//     cannot be printed again; a reprint is a new code and the old one is void.
//   - The letter goes to the management at the address of the member directory,
//     never to the person who registered (R092).
//   - A code holds 90 days and five tries, then a new letter is needed (L02).
//     One letter of a kind counts per organization at a time; of succession those
//     that are out hold until one is used, or an admin who fears for the office
//     would ask for a new one whenever one arrives (decision 17). The codes
//     of a revocation and a succession have no end of tries: else whoever is in
//     could use them up and be safe from the management. They have 50 random bits;
//     the doors where they are typed let nobody guess often.
//   - The person who registered is told fourteen days before their code is too old,
//     and when the letter came back.
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
	Queued   = "queued"
	Printed  = "printed"
	Used     = "used"
	Returned = "returned"
	Void     = "void"
)

// Kinds of letters.
const (
	Activation = "activation"
	Revocation = "revocation"
	Succession = "succession"
	Recovery   = "recovery"
)

// A Letter as the desk and its organization see it; it never knows its code.
type Letter struct {
	ID, Chamber, Kind      string
	Organization, Recovery string // to whose management, or to the person of which request
	Name, Place            string // of the company; of a recovery its reference
	State                  string
	AskedBy                string // account
	Batch, Reference       string // Reference stands on the letter: of its batch
	Why                    string // it came back
	Tries                  int
	CreatedAt, PrintedAt   db.Time
	ExpiresAt, EndedAt     db.Time
	DispatchedAt           db.Time // of its batch
}

// Live reports whether its code can still be used at that moment.
func (l Letter) Live(now db.Time) bool { return l.State == Printed && now.Before(l.ExpiresAt) }

// Queue puts an activation letter for the organization into the chamber's next batch.
func Queue(tx *db.Tx, by audit.Actor, chamberID, organizationID string) error {
	return QueueKind(tx, by, chamberID, organizationID, Activation)
}

// QueueKind puts a letter to the organization's management into the chamber's
// next batch. Conflict: one of this kind waits already, or its code holds.
func QueueKind(tx *db.Tx, by audit.Actor, chamberID, organizationID, kind string) error {
	return queue(tx, by, Letter{Chamber: chamberID, Organization: organizationID, Kind: kind})
}

// QueueRecovery puts the letter to a person who lost everything into the
// chamber's next batch. One that waits already goes out as it is.
func QueueRecovery(tx *db.Tx, by audit.Actor, chamberID, recoveryID string) error {
	err := queue(tx, by, Letter{Chamber: chamberID, Recovery: recoveryID, Kind: Recovery})
	if fault.Is(err, fault.KindConflict) {
		return nil
	}
	return err
}

func queue(tx *db.Tx, by audit.Actor, l Letter) error {
	l.ID, l.AskedBy = db.NewID(), by.Account
	queued, err := insert(tx, l)
	if err != nil {
		return err
	}
	if !queued {
		return fault.Conflict("letter.already_waiting")
	}
	return l.record(tx, by, "letter.queued", nil)
}

// record notes what became of a letter.
func (l Letter) record(tx *db.Tx, by audit.Actor, event string, detail map[string]any) error {
	if detail == nil {
		detail = map[string]any{}
	}
	detail["kind"] = l.Kind
	return audit.Record(tx, by, audit.Entry{Event: event, Organization: l.Organization, Chamber: l.Chamber, Thing: l.ID, Detail: detail})
}

// Waiting are a chamber's letters for the next batches, oldest first.
func Waiting(tx *db.Tx, chamberID string) ([]Letter, error) { return waiting(tx, chamberID) }

// Current is the organization's last letter with an activation code, whatever
// became of it.
func Current(tx *db.Tx, organizationID string) (Letter, error) {
	return Last(tx, organizationID, Activation)
}

// Last is the organization's last letter of a kind, whatever became of it.
func Last(tx *db.Tx, organizationID, kind string) (Letter, error) {
	return last(tx, organizationID, kind)
}

// Of are the last letters to an organization, newest first.
func Of(tx *db.Tx, organizationID string) ([]Letter, error) { return of(tx, organizationID) }

// Renew makes what is out of a kind void, other than succession, and queues a new
// letter (M09). Its caller has settled that the actor may ask for one.
func Renew(tx *db.Tx, by audit.Actor, chamberID, organizationID, kind string) error {
	if kind == Succession {
		return QueueKind(tx, by, chamberID, organizationID, kind)
	}
	if err := voidWhere(tx, by, "renewed", `organization = $2 AND kind = $3 AND state = 'printed'`, organizationID, kind); err != nil {
		return err
	}
	return QueueKind(tx, by, chamberID, organizationID, kind)
}

// VoidAll makes every letter void that waits or is out for an organization: it
// is closed or locked. kinds none: of every kind.
func VoidAll(tx *db.Tx, by audit.Actor, organizationID, why string, kinds ...string) error {
	if len(kinds) == 0 {
		return voidWhere(tx, by, why, `organization = $2 AND state IN ('queued', 'printed')`, organizationID)
	}
	for _, kind := range kinds {
		if err := voidWhere(tx, by, why, `organization = $2 AND kind = $3 AND state IN ('queued', 'printed')`, organizationID, kind); err != nil {
			return err
		}
	}
	return nil
}

// VoidRecovery takes a recovery's letter out of the queue, and makes the code void
// that is out: the request ended, or its paper was printed by itself.
func VoidRecovery(tx *db.Tx, by audit.Actor, recoveryID, why string) error {
	return voidWhere(tx, by, why, `recovery = $2 AND state IN ('queued', 'printed')`, recoveryID)
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
	switch err := end(tx, letterID, Printed, Void); {
	case fault.Is(err, fault.KindNotFound) && l.State == Returned: // it stays booked as returned
	case fault.Is(err, fault.KindNotFound):
		return fault.Conflict("letter.not_printed")
	case err != nil:
		return fmt.Errorf("reprint letter %s: %w", letterID, err)
	default:
		if err := l.record(tx, by, "letter.voided", map[string]any{"reason": "reprint"}); err != nil {
			return err
		}
	}
	l.Batch = ""
	return queue(tx, by, Letter{Chamber: l.Chamber, Organization: l.Organization, Recovery: l.Recovery, Kind: l.Kind})
}

// Try checks the code of a letter to an organization's management and uses the
// letter up if it is right. A wrong one counts: left says how many tries remain,
// and with the last the letter is void. The caller must commit in either case
// (db.Keep). Without a letter that holds it is a Conflict.
func Try(tx *db.Tx, by audit.Actor, organizationID, kind, code string) (ok bool, left int, err error) {
	live, err := count(tx, organizationID, kind)
	if err != nil {
		return false, 0, fmt.Errorf("try %s code of %s: %w", kind, organizationID, err)
	}
	if len(live) == 0 {
		return false, 0, fault.Conflict("letter.none_holds")
	}
	for _, l := range live {
		if !seal.Equal(l.mac, mark(tx, kind, l.ID, code)) {
			continue
		}
		if err := end(tx, l.ID, Printed, Used); err != nil {
			return false, 0, err
		}
		if err := l.record(tx, by, "letter.used", nil); err != nil {
			return false, 0, err
		}
		return true, Tries - l.Tries, VoidAll(tx, by, organizationID, "used", kind)
	}
	l := live[0]
	event := "letter.wrong_code"
	if kind == Activation && l.Tries >= Tries {
		event = "letter.burned"
		if err := end(tx, l.ID, Printed, Void); err != nil {
			return false, 0, err
		}
	}
	return false, Tries - l.Tries, l.record(tx, by, event, map[string]any{"tries": l.Tries})
}

// Holds reports whether a letter of a kind is out whose code can still be used.
func Holds(tx *db.Tx, organizationID, kind string) (bool, error) {
	return db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM letter WHERE organization = $1 AND kind = $2 AND state = 'printed' AND expires_at > $3)`, organizationID, kind, tx.Now())
}

// LookRevocation is the letter with this revocation code, or NotFound: of codes
// that were used, replaced or never made nobody learns more.
func LookRevocation(tx *db.Tx, code string) (Letter, error) {
	return byMark(tx, mark(tx, Revocation, "", code))
}

// Use spends a letter; Conflict if somebody was quicker.
func Use(tx *db.Tx, by audit.Actor, l Letter) error {
	err := end(tx, l.ID, Printed, Used)
	if fault.Is(err, fault.KindNotFound) {
		return fault.Conflict("letter.not_printed")
	}
	if err != nil {
		return err
	}
	return l.record(tx, by, "letter.used", nil)
}

// mark is what the database keeps of a code. The code of a revocation is all
// that its reader types, so the letter must be found by it.
func mark(tx *db.Tx, kind, letterID, code string) string {
	if kind == Revocation {
		letterID = ""
	}
	return tx.Keys().MAC(kind, letterID, code)
}
