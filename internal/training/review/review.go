// Package review is how reports are read, signed off or returned: by trainers
// and supervisors with an account, and by those who came with a PIN.
//
//		           SignOff (one step)                    ten minutes
//		submitted ───────────────────────▶ signed_off … ─────────────▶ sealed, M21
//		   │  ▲ ▲                            ▲   │ │
//		   │  │ └───────────── Undo ─────────│───┘ │ Reopen (R335)
//		   │  └─ Undo ─ checked ─ SignOff ───┘     ▼
//		   ├─ SignOff ──▲ (first of two steps)  returned
//		   └─ Return ─────────────────────────────▶
//
//	  - Who accompanies an apprenticeship decides: who is assigned today, or while
//	    no trainer is, everybody of the company with the role (R325, R333); who
//	    stands in for them; and the one person it was sent to (R326). Nobody
//	    decides on their own.
//	  - A supervisor reads and decides on the weeks of their time with the apprentice,
//	    and on what was sent to them; not on the rest of the book.
//	  - Two steps (a setting of the company): a supervisor reads first, then a
//	    trainer, who is another person. Where no supervisor is assigned and the
//	    report was sent to nobody else, the trainer's step is enough.
//	  - The long report of the paper time is signed off by a trainer (R321): others
//	    may do the first of two steps, or return it.
//	  - Who came with a PIN signs when the company has confirmed their address, if
//	    it asks for that (package supervisor): it may be the apprentice's own.
//	  - A sign-off can be taken back for ten minutes. So long the apprentice reads
//	    "in Durchsicht" and gets no mail; then Settle seals it. A return is not
//	    held back: its reason helps at once, and it takes nothing from anybody.
//	  - What is decided is the version that was read: of two people one wins, and
//	    the other reads what happened.
//	  - What is final is sealed (L16); see package chain.
package review

import (
	"embed"
	"slices"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/assignment"
	"zunft/internal/training/book"
	"zunft/internal/training/bookform"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
	"zunft/internal/training/substitute"
	"zunft/internal/training/supervisor"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

// Limits, in characters.
const (
	MaxReason  = 500 // of a return, and a remark at signing off
	MaxComment = 2000
)

// UndoFor is how long a sign-off can be taken back.
const UndoFor = 10 * time.Minute

// A reader is who looks at reports of others.
type reader struct {
	person.Session          // zero for who came with a PIN
	sub            string   // who acts
	self           []string // all that is known of the one person who acts: with an account, and with PINs
	people         []string // they, and those for whom they stand in today
	addressed      []string // people, and what they were before they had an account
	late           bool     // of the report that was loaded: their time with it is over, only taking back is left
}

func (v reader) pin() bool { return v.ID == "" }

func readerOf(tx *db.Tx, by audit.Actor) (reader, error) {
	type who audit.Actor
	return db.Once(tx, who(by), func() (reader, error) { return whoReads(tx, by) })
}

func whoReads(tx *db.Tx, by audit.Actor) (reader, error) {
	if supervisor.Is(by) {
		s, err := supervisor.Acting(tx, by)
		if err != nil {
			return reader{}, err
		}
		account, err := supervisor.Account(tx, s.Person)
		return reader{sub: s.Person, self: append(account, s.Person), addressed: []string{s.Person}}, err
	}
	s, err := person.Acting(tx, by)
	if err != nil {
		return reader{}, err
	}
	return signedIn(tx, s)
}

func signedIn(tx *db.Tx, s person.Session) (reader, error) {
	v := reader{Session: s, sub: s.Person.Sub, people: []string{s.Person.Sub}}
	if s.Signs() {
		away, err := substitute.For(tx, s.Company.ID, v.sub)
		if err != nil {
			return v, err
		}
		v.people = append(v.people, away...)
	}
	before, err := supervisor.Before(tx, v.sub)
	v.self = append([]string{v.sub}, before...)
	v.addressed = append(slices.Clone(v.people), before...)
	return v, err
}

// args numbers arguments of a query as they come.
type args []any

func (a *args) add(v any) string {
	*a = append(*a, v)
	return db.In(len(*a), 1)
}

func (a *args) list(all []string) string {
	first := len(*a) + 1
	for _, v := range all {
		*a = append(*a, v)
	}
	return db.In(first, len(all))
}

// accompanied is the condition for reports r of apprenticeships a that the
// reader may decide on, by assignment or address.
func (v reader) accompanied(tx *db.Tx, a *args) string {
	day := a.add(calendar.Today(tx.Now()))
	return `(r.approver IN (` + a.list(v.addressed) + `) OR ` + assignment.Reads(a.list(v.people), day) + `)`
}

// For is a report as the actor may see it: the apprentice sees their own, who
// comes with a PIN what was sent to their address, trainers and supervisors
// what they accompany, training admins what is their company's; all these once
// it was submitted. Of a report that is back with the apprentice they see no
// text. Everything else is not found.
func For(tx *db.Tx, by audit.Actor, id string) (book.Report, error) {
	r, _, err := load(tx, by, id)
	return r, err
}

func load(tx *db.Tx, by audit.Actor, id string) (book.Report, reader, error) {
	v, err := readerOf(tx, by)
	if err != nil {
		return book.Report{}, v, err
	}
	r, err := book.Get(tx, id)
	if err != nil {
		return r, v, err
	}
	yes, mine := false, false
	switch {
	case v.pin():
		yes = r.Approver == v.sub
	case r.Company != v.Company.ID:
	case r.Apprentice == v.sub && v.Writes():
		yes, mine = true, true
	case v.Is(person.TrainingAdmin):
		yes = true
	case v.Signs():
		if v.late, err = v.tooLate(tx, r); err == nil {
			yes = !v.late || v.pending(tx, r) // ten minutes are ten minutes, though a substitution ended meanwhile
		}
	}
	if err != nil {
		return book.Report{}, v, err
	}
	if !yes || !mine && r.SubmittedAt.IsZero() {
		return book.Report{}, v, fault.NotFound()
	}
	if mine {
		r.State = r.Seen(tx.Now())
	} else if r.Open() {
		r.Text = book.Text{}
	}
	return r, v, nil
}

// May is what an actor may do with a report now.
type May struct {
	Sign    bool // sign off, or return
	First   bool // … as the first of two steps
	Return  bool // only return: a trainer, while it waits for the first step
	Reopen  bool
	Comment bool
	Undo    bool
	Unknown bool // it was sent to an address that the company has not confirmed: nobody signs there yet
	Confirm bool // confirm that address
}

// MayDo says what the actor may do with a report that For gave them.
func MayDo(tx *db.Tx, by audit.Actor, r book.Report) (May, error) {
	v, err := readerOf(tx, by)
	if err == nil && v.pending(tx, r) && !v.pin() {
		v.late, err = v.tooLate(tx, r)
	}
	if err != nil {
		return May{}, err
	}
	return v.may(tx, r)
}

// pending: what the reader signed off can still be taken back.
func (v reader) pending(tx *db.Tx, r book.Report) bool {
	return r.DecidedBy == v.sub && r.UndoUntil.After(tx.Now()) && (r.State == book.SignedOff || r.State == book.Checked)
}

// tooLate: neither assignment nor substitution lets the reader see the report now.
func (v reader) tooLate(tx *db.Tx, r book.Report) (bool, error) {
	a := args{r.ID}
	return db.Value[bool](tx, `SELECT NOT EXISTS (SELECT 1 FROM report r JOIN apprenticeship a ON a.id = r.apprenticeship WHERE r.id = $1 AND `+v.accompanied(tx, &a)+`)`, a...)
}

func (v reader) may(tx *db.Tx, r book.Report) (m May, err error) {
	own := slices.Contains(v.self, r.Apprentice)
	m.Comment = own && !r.SubmittedAt.IsZero() || !own && (v.pin() || v.Signs())
	if r.State == book.Submitted && supervisor.Is(audit.Actor{Account: r.Approver}) {
		known, err := supervisor.Known(tx, r.Company, r.Approver)
		if err != nil {
			return m, err
		}
		m.Unknown = !known
		m.Confirm = !known && !own && !v.late && v.Is(person.Trainer, person.TrainingAdmin)
	}
	if own || !v.pin() && !v.Signs() {
		return m, nil // never one's own
	}
	m.Undo = v.pending(tx, r)
	if v.late {
		return May{Undo: m.Undo}, nil
	}
	trainer := v.Is(person.Trainer)
	paper := r.Kind == book.Paper && !trainer // R321: the trainer confirms it
	switch r.State {
	case book.Submitted:
		two, assigned, err := steps(tx, r)
		if err != nil {
			return m, err
		}
		sentElsewhere := r.Approver != "" && !slices.Contains(v.addressed, r.Approver)
		switch {
		case v.pin() && m.Unknown:
			m.Return = true
		case !trainer:
			m.Sign, m.First = two || !paper, two
			m.Return = true
		case !two || !sentElsewhere && (r.Approver != "" || !assigned):
			m.Sign = true
		default: // somebody else's first step; who has both roles may do that one
			m.Sign, m.First, m.Return = v.Is(person.Supervisor), v.Is(person.Supervisor), true
		}
		m.Return = m.Return || m.Sign
	case book.Checked:
		m.Sign = trainer && !slices.Contains(v.self, r.CheckedBy)
		m.Return = trainer
	case book.SignedOff:
		m.Reopen = trainer && !r.UndoUntil.After(tx.Now())
	}
	return m, nil
}

// steps says whether a report needs two, and whether a supervisor is assigned
// today who could do the first.
func steps(tx *db.Tx, r book.Report) (two, assigned bool, err error) {
	a, err := apprenticeship.Get(tx, r.Apprenticeship)
	if err != nil {
		return false, false, err
	}
	s, err := bookform.Of(tx, r.Company, a.Occupation)
	if err != nil || s.Steps != 2 {
		return false, false, err
	}
	assigned, err = db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM assignment x JOIN report r ON r.id = $4 WHERE x.apprenticeship = $1 AND x.role = 'supervisor' AND x.from_day <= $2 AND (x.until_day = '' OR x.until_day >= $2)
		AND `+assignment.During+` AND EXISTS (SELECT 1 FROM company_role k WHERE k.company = $3 AND k.person = x.person AND k.role IN ('trainer', 'supervisor')))`,
		r.Apprenticeship, calendar.Today(tx.Now()), r.Company, r.ID)
	return true, assigned, err
}
