// Package share is the chamber's look into a report book, for a time
// (Zugriffsverwaltung).
//
//		         Ask (chamber)              Decline
//		nothing ───────────────▶ asked ─────────────▶ declined
//		   │ Grant (apprentice)    │ Grant
//		   │ OpenByLaw (chamber)   ▼
//		   └────────────────────▶ open ──End, or its time is over──▶ ended
//
//	  - The book is the apprentice's. They let the chamber look for some days and
//	    may end that at any time. Where the law gives the chamber the look itself,
//	    for admission (§ 43 section 1 no. 2 BBiG) and supervision (§ 76 BBiG), it
//	    opens by its own word, with a reason, and the apprentice is told at once.
//	  - Every look is recorded, and the apprentice reads who looked at what, when.
//	  - A chamber sees apprentices of its own number only; what it may see is what
//	    was submitted, never drafts.
package share

import (
	"embed"
	"fmt"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/mail"
	"zunft/internal/training/book"
	"zunft/internal/training/person"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

// Grounds of a look.
const (
	Consent     = "consent"
	Admission   = "admission"   // § 43 section 1 no. 2 BBiG
	Supervision = "supervision" // § 76 BBiG
)

// Days that people choose from; ByLaw is for how many the chamber opens itself.
var Days = []int{14, 30, 90}

const (
	ByLaw     = 14
	MaxReason = 500 // characters
)

// asks bound how often a chamber writes to one apprentice: who said no is not
// asked all day.
var asks = limit.Rate{Burst: 12, Every: 12 * time.Hour}

// A Share is one look, asked for, running or over.
type Share struct {
	ID, Person, Name, ChamberNumber string
	Ground, State, Reason           string
	AskedAt, OpenedAt               db.Time
	AskedBy, OpenedBy               string // names
	UntilAt, EndedAt                db.Time
	clerk                           string // sub of who asked
}

// Runs reports whether the chamber may look now.
func (s Share) Runs(now db.Time) bool { return s.State == "open" && s.UntilAt.After(now) }

// Asked reports whether the apprentice has to answer.
func (s Share) Asked() bool { return s.State == "asked" }

// Law reports whether the chamber opened it by law.
func (s Share) Law() bool { return s.Ground != Consent }

// Grant lets the chamber of the actor's apprenticeship look for some days: on
// their own account, or as an answer to a question. A look that runs already
// gets the new end.
func Grant(tx *db.Tx, by audit.Actor, days int) (Share, error) {
	s, chamber, err := owner(tx, by)
	if err != nil {
		return Share{}, err
	}
	return grant(tx, by, s, chamber, days, "")
}

// Allow answers the question of a chamber, which need not be the one of today's company.
func Allow(tx *db.Tx, by audit.Actor, id string, days int) (Share, error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return Share{}, err
	}
	asked, err := mine(tx, s, id)
	if err != nil {
		return asked, err
	}
	if !asked.Asked() {
		return asked, fault.Conflict("share.answered")
	}
	return grant(tx, by, s, asked.ChamberNumber, days, id)
}

// grant opens a look; answer is the question it answers, which only one answer can.
func grant(tx *db.Tx, by audit.Actor, s person.Session, chamber string, days int, answer string) (Share, error) {
	until, ok := db.Time{}, false
	for _, d := range Days {
		if d == days {
			until, ok = tx.Now().Add(time.Duration(d)*24*time.Hour), true
		}
	}
	if !ok {
		return Share{}, fault.Invalid("days", "share.days_missing")
	}
	if err := expire(tx, s.Person.Sub, chamber); err != nil {
		return Share{}, err
	}
	asked, err := answered(tx, s.Person.Sub, chamber)
	if err == nil && answer != "" && asked.ID != answer {
		err = fault.Conflict("share.answered")
	}
	if err != nil {
		return asked, err
	}
	id, err := open(tx, Share{ID: db.NewID(), Person: s.Person.Sub, ChamberNumber: chamber, Ground: Consent, Reason: asked.Reason}, by.Account, until)
	if err != nil {
		return Share{}, err
	}
	if err := record(tx, by, "granted", id, s.Person.Sub, map[string]any{"until": until.Time}); err != nil {
		return Share{}, err
	}
	if asked.clerk != "" {
		clerk, err := person.Get(tx, asked.clerk)
		if err != nil {
			return asked, err
		}
		if err := texts.Send(tx, clerk.Mail(), "share_granted", map[string]any{"Name": clerk.Name, "Apprentice": s.Person.Name, "Until": until, "ID": id}); err != nil {
			return asked, err
		}
	}
	return get(tx, id)
}

// Decline answers a chamber's question with no.
func Decline(tx *db.Tx, by audit.Actor, id string) error {
	s, err := person.Author(tx, by)
	if err != nil {
		return err
	}
	if _, err := mine(tx, s, id); err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE share SET state = 'declined', ended_at = $1, ended_by = $2 WHERE id = $3 AND state = 'asked'`, tx.Now(), by.Account, id)
	if err != nil {
		return fmt.Errorf("decline share: %w", err)
	}
	if n == 0 {
		return fault.Conflict("share.answered")
	}
	return record(tx, by, "declined", id, s.Person.Sub, nil)
}

// End closes a look before its time: the apprentice what they granted, the
// chamber any of its own.
func End(tx *db.Tx, by audit.Actor, id string) error {
	s, err := person.Acting(tx, by)
	if err != nil {
		return err
	}
	sh, err := get(tx, id)
	if err != nil {
		return err
	}
	own, clerk := sh.Person == s.Person.Sub && s.Writes(), s.Chamber() != "" && s.Chamber() == sh.ChamberNumber
	switch {
	case !own && !clerk:
		return fault.NotFound()
	case own && sh.Law():
		return fault.Conflict("share.by_law")
	}
	n, err := tx.Exec(`UPDATE share SET state = 'ended', ended_at = $1, ended_by = $2 WHERE id = $3 AND state IN ('open', 'asked')`, tx.Now(), by.Account, id)
	if err != nil {
		return fmt.Errorf("end share: %w", err)
	}
	if n == 0 {
		return fault.Conflict("share.ended")
	}
	return record(tx, by, "ended", id, sh.Person, nil)
}

// Ask asks the apprentice of an apprenticeship for a look.
func Ask(tx *db.Tx, by audit.Actor, apprenticeship, reason string) (Share, error) {
	s, book, err := supervised(tx, by, apprenticeship, reason)
	if err != nil {
		return Share{}, err
	}
	id := db.NewID()
	n, err := tx.Exec(`INSERT INTO share (id, person, chamber_number, ground, state, reason, asked_at, asked_by) VALUES ($1, $2, $3, 'consent', 'asked', $4, $5, $6)
		ON CONFLICT (person, chamber_number, state) WHERE state IN ('asked', 'open') DO NOTHING`, id, book.Sub, s.Chamber(), reason, tx.Now(), by.Account)
	if err != nil {
		return Share{}, fmt.Errorf("ask for share: %w", err)
	}
	if n == 0 {
		return Share{}, fault.Conflict("share.asked_already")
	}
	if err := record(tx, by, "asked", id, book.Sub, nil); err != nil {
		return Share{}, err
	}
	if err := tell(tx, book, "share_asked", s, reason, db.Time{}); err != nil {
		return Share{}, err
	}
	return get(tx, id)
}

// OpenByLaw opens a look by the chamber's own word, for ByLaw days.
func OpenByLaw(tx *db.Tx, by audit.Actor, apprenticeship, ground, reason string) (Share, error) {
	if ground != Admission && ground != Supervision {
		return Share{}, fault.Invalid("ground", "share.ground_missing")
	}
	s, book, err := supervised(tx, by, apprenticeship, reason)
	if err != nil {
		return Share{}, err
	}
	if err := expire(tx, book.Sub, s.Chamber()); err != nil {
		return Share{}, err
	}
	until := tx.Now().Add(ByLaw * 24 * time.Hour)
	id, err := open(tx, Share{ID: db.NewID(), Person: book.Sub, ChamberNumber: s.Chamber(), Ground: ground, Reason: reason}, by.Account, until)
	if err != nil {
		return Share{}, err
	}
	if err := record(tx, by, "opened", id, book.Sub, map[string]any{"ground": ground}); err != nil {
		return Share{}, err
	}
	if err := tell(tx, book, "share_opened", s, reason, until); err != nil {
		return Share{}, err
	}
	return get(tx, id)
}

func tell(tx *db.Tx, p person.Person, text string, s person.Session, reason string, until db.Time) error {
	if p.Email == "" {
		return nil
	}
	return texts.Send(tx, p.Mail(), text, map[string]any{"Name": p.Name, "Chamber": s.Company.Name, "Clerk": s.Person.Name, "Reason": reason, "Until": until})
}

// supervised is the clerk's session, and the apprentice of an apprenticeship of
// their chamber.
func supervised(tx *db.Tx, by audit.Actor, id, reason string) (s person.Session, p person.Person, err error) {
	if s, err = person.Clerk(tx, by); err != nil {
		return s, p, err
	}
	switch n := utf8.RuneCountInString(reason); {
	case n == 0:
		return s, p, fault.Invalid("reason", "share.reason_missing")
	case n > MaxReason:
		return s, p, fault.Invalid("reason", "share.reason_long", MaxReason)
	}
	sub, err := db.Value[string](tx, `SELECT COALESCE(person, '') FROM apprenticeship WHERE id = $1 AND chamber_number = $2`, id, s.Chamber())
	if err != nil {
		return s, p, err
	}
	if sub == "" {
		return s, p, fault.Conflict("share.nobody")
	}
	if err := limit.TakeIn(tx, "share/"+s.Chamber()+"/"+sub, asks); err != nil {
		return s, p, err
	}
	p, err = person.Get(tx, sub)
	return s, p, err
}

// Look is the chamber's look at a book, or at one week of it; it is recorded.
func Look(tx *db.Tx, by audit.Actor, id, week string) (Share, error) {
	s, err := person.Clerk(tx, by)
	if err != nil {
		return Share{}, err
	}
	sh, err := get(tx, id)
	if err != nil {
		return sh, err
	}
	if sh.ChamberNumber != s.Chamber() || !sh.Runs(tx.Now()) {
		return Share{}, fault.NotFound()
	}
	if _, err := tx.Exec(`INSERT INTO share_look (id, share, at, person, week) VALUES ($1, $2, $3, $4, $5)`, db.NewID(), sh.ID, tx.Now(), by.Account, week); err != nil {
		return sh, fmt.Errorf("look: %w", err)
	}
	return sh, record(tx, by, "looked", sh.ID, sh.Person, map[string]any{"week": week})
}

// Report is the chamber's look at one report of a book. What its author is
// writing is not shown: a draft not at all, of a returned one no text.
func Report(tx *db.Tx, by audit.Actor, id, report string) (Share, book.Report, error) {
	r, err := book.Get(tx, report)
	if err != nil {
		return Share{}, r, err
	}
	sh, err := Look(tx, by, id, r.Week.String())
	if err != nil {
		return sh, book.Report{}, err
	}
	if r.Apprentice != sh.Person || r.SubmittedAt.IsZero() {
		return sh, book.Report{}, fault.NotFound()
	}
	r.State = r.Seen(tx.Now())
	if r.Open() {
		r.Text = book.Text{}
	}
	return sh, r, nil
}

func record(tx *db.Tx, by audit.Actor, event, id, sub string, detail map[string]any) error {
	return audit.Record(tx, by, audit.Entry{Event: "share." + event, Account: sub, Thing: id, Detail: detail})
}
