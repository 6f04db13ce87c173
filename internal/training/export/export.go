// Package export takes a report book out of the portal: as a PDF to hand in
// (week, period or whole book), and as data that package intake reads again.
//
//		Order ──▶ waiting ──Make (a job)──▶ made ──Sweep, Drop──▶ gone
//		                        └─ nothing written ─▶ empty
//
//	  - Apprentices take out all that they wrote, in whatever company (the book
//	    belongs to the person, § 13 no. 7 BBiG). Who accompanies them takes out what
//	    they read of it, submitted for their company; a chamber what was submitted, while its
//	    look runs (package share). The owner of the book reads who did so (Others).
//	  - A sign-off that can still be taken back is none: it prints as "in Durchsicht".
//	  - The cover carries a code, made when the file is made and kept as a keyed
//	    hash. Whoever holds the paper reads at /verify what it is, and compares a
//	    file's digest; of the person they see initials, which stand on the cover
//	    anyway.
//	  - A file is kept for a week, what /verify says of it for five years.
package export

import (
	"embed"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/mail"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
	"zunft/internal/training/share"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

// Kind of the job that makes a file.
const Kind = "export.make"

// Scopes of an export.
const (
	Whole  = "book"
	Period = "period"
	Week   = "week"
)

// States of an export.
const (
	Waiting = "waiting"
	Made    = "made"
	Empty   = "empty" // nothing was written in this time
	Gone    = "gone"  // the file was deleted
)

const (
	kept     = 7 * 24 * time.Hour
	verified = 5 * 365 * 24 * time.Hour
	partSize = 512 << 10
)

// orders bound what one person has made: a file costs a second of one core.
var orders = limit.Rate{Burst: 12, Every: 5 * time.Minute}

// An Export is a file that was ordered.
type Export struct {
	ID, Person, OrderedBy, Company string
	Share                          string // id of the chamber's look by which it was ordered
	Scope                          string
	First, Last                    calendar.Date // empty: no bound
	Signed                         bool          // only what was signed off
	Language, State                string
	Done, Total, SignedOff         int
	Initials, Code, SHA256         string // Code: its keyed hash
	Size                           int
	CreatedAt, MadeAt, ExpiresAt   db.Time
}

// Percent is how far the file is.
func (e Export) Percent() int {
	if e.Total == 0 {
		return 0
	}
	return 100 * e.Done / e.Total
}

// Dates are the bounds as people read them; empty for the whole book.
func (e Export) Dates() string {
	if e.First == "" || e.Last == "" {
		return ""
	}
	return calendar.Span(e.First, e.Last)
}

// Name of the file.
func (e Export) Name() string {
	name := "Berichtsheft"
	if e.Scope == Week {
		name = "Ausbildungsnachweis-" + e.First.Week().String()
	} else if e.First != "" {
		name += "-" + string(e.First) + "-bis-" + string(e.Last)
	}
	return name + ".pdf"
}

// A Wish is what somebody wants to have.
type Wish struct {
	Scope       string
	First, Last calendar.Date // of a period; of a week its Monday
	Signed      bool
	Language    string
}

// Check says what is wrong with a wish, by the names of the form's fields.
func (w Wish) Check() error {
	var p fault.Problems
	switch w.Scope {
	case Whole:
		return nil
	case Week:
		if w.First == "" {
			p.Add("week", "export.week_missing")
		}
	case Period:
		if w.First == "" {
			p.Add("from", "export.from_missing")
		}
		if w.Last == "" {
			p.Add("until", "export.until_missing")
		} else if w.First > w.Last {
			p.Add("until", "export.backwards")
		}
	default:
		p.Add("scope", "export.scope_missing")
	}
	return p.Err()
}

// Order has a book made. The same order that still waits is given back: a second
// press changes nothing.
func Order(tx *db.Tx, by audit.Actor, of Whose, w Wish) (Export, error) {
	e, owner, err := of.open(tx, by)
	if err != nil {
		return e, err
	}
	if err := w.Check(); err != nil {
		return e, err
	}
	e.ID, e.Scope, e.Signed, e.Language, e.State = db.NewID(), w.Scope, w.Signed, w.Language, Waiting
	e.Initials, e.CreatedAt, e.ExpiresAt = initials(owner), tx.Now(), tx.Now().Add(kept)
	switch w.Scope {
	case Period:
		e.First, e.Last = w.First, w.Last
	case Week:
		e.First, e.Last = w.First.Week().Date(1), w.First.Week().Date(7)
	}
	same, err := waiting(tx, e)
	if err != nil || same.ID != "" {
		return same, err
	}
	if err := limit.TakeIn(tx, "export/"+e.OrderedBy, orders); err != nil {
		return e, err
	}
	if e.Share != "" { // a look like any other, which the owner reads (R236)
		if _, err := share.Look(tx, by, e.Share, ""); err != nil {
			return e, err
		}
	}
	if err := insert(tx, e); err != nil {
		return e, fmt.Errorf("order export: %w", err)
	}
	if err := job.Enqueue(tx, Kind, e.ID, order{e.ID}); err != nil {
		return e, err
	}
	return e, audit.Record(tx, by, audit.Entry{Event: "export.ordered", Account: e.Person, Organization: e.Company, Thing: e.ID, Detail: map[string]any{"scope": e.Scope, "from": e.First, "until": e.Last, "signed": e.Signed}})
}

// order is the body of the job.
type order struct {
	ID string `json:"id"`
}

// Mine are the exports of a book that the actor ordered and that have a file or
// wait for one, newest first.
func Mine(tx *db.Tx, by audit.Actor, of Whose) ([]Export, error) {
	e, _, err := of.open(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, (*Export).fields, `SELECT `+columns+` FROM export WHERE ordered_by = $1 AND person = $2 AND company = $3 AND share = $4 AND state <> 'gone' AND expires_at > $5
		ORDER BY id DESC LIMIT 20`, e.OrderedBy, e.Person, e.Company, e.Share, tx.Now())
}

// Get is one of the actor's exports, and whose book it is. What they may not see
// any more is not found.
func Get(tx *db.Tx, by audit.Actor, id string) (Export, person.Person, error) {
	s, err := person.Acting(tx, by)
	if err != nil {
		return Export{}, person.Person{}, err
	}
	e, err := db.One(tx, (*Export).fields, `SELECT `+columns+` FROM export WHERE id = $1 AND ordered_by = $2`, id, s.Person.Sub)
	if err != nil || e.Own() {
		return e, s.Person, err
	}
	now, owner, err := e.whose().open(tx, by)
	if err == nil && now.Company != e.Company || fault.Is(err, fault.KindForbidden) {
		err = fault.NotFound()
	}
	if err != nil {
		return Export{}, owner, err
	}
	return e, owner, nil
}

// File is the PDF of one of the actor's exports, while it is kept.
func File(tx *db.Tx, by audit.Actor, id string) (Export, []byte, error) {
	e, _, err := Get(tx, by, id)
	if err != nil {
		return e, nil, err
	}
	if e.State != Made || !tx.Now().Before(e.ExpiresAt) {
		return e, nil, fault.Conflict("export.gone")
	}
	b := make([]byte, 0, e.Size)
	err = tx.Each(`SELECT body FROM export_part WHERE export = $1 ORDER BY part`, []any{e.ID}, func(scan func(...any) error) error {
		var part []byte
		err := scan(&part)
		b = append(b, part...)
		return err
	})
	return e, b, err
}

// Drop deletes the file of an export before its time. Twice is harmless.
func Drop(tx *db.Tx, by audit.Actor, id string) (Export, error) {
	e, _, err := Get(tx, by, id)
	if err != nil {
		return e, err
	}
	n, err := tx.Exec(`UPDATE export SET state = 'gone' WHERE id = $1 AND state <> 'gone'`, e.ID)
	if err != nil || n == 0 {
		return e, err
	}
	if _, err := tx.Exec(`DELETE FROM export_part WHERE export = $1`, e.ID); err != nil {
		return e, err
	}
	return e, audit.Record(tx, by, audit.Entry{Event: "export.dropped", Account: e.Person, Thing: e.ID})
}

// initials are all that a stranger reads of a name: "L. B."
func initials(p person.Person) string {
	var out []string
	for _, s := range []string{p.GivenName, p.FamilyName} {
		if r, n := utf8.DecodeRuneInString(strings.TrimSpace(s)); n > 0 {
			out = append(out, string(r)+".")
		}
	}
	return strings.Join(out, " ")
}
