// Package succession brings a company a new admin by letter (R102): the management
// is sent an organization password and gives it to whom it wants.
//
//	          Enter, an admin there        7 days
//	letter ─────────────────────▶ waiting ────────▶ done (admin)
//	   │                            │ Object           ▲
//	   │                            ▼           Allow  │
//	   │                         objected ─────────────┤
//	   │                            └────Stop───▶ stopped
//	   └──── Enter, no admin left ─────────────────────┘
//
// Policy:
//   - An admin asks for the letter, or a clerk does where nobody administers the
//     company any more. It goes to the management at the directory's address.
//   - The management outranks the admins: it is whom the chamber trusts (R092). So
//     nobody who administers the company can stop its choice. But they are told at
//     once, and the change waits seven days: a letter may be stolen. An objection
//     makes it wait until a clerk has talked to the management and decides.
//   - Where no admin is left, whoever enters the code becomes one at once.
//   - The present admins stay: the new one decides about them, and they not about
//     the new one for fourteen days (package membership).
//   - Wrong codes do not use up the letter, or an admin could keep it from working;
//     each person may try 15 times, then one in four minutes (the code has 50 bits).
package succession

import (
	"context"
	"embed"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails/*.txt
var mailFiles embed.FS

// Texts are this package's mails.
var Texts = mail.Parse(mailFiles)

// States of a succession.
const (
	Waiting  = "waiting"
	Objected = "objected"
	Done     = "done"
	Stopped  = "stopped"
)

// Wait is how long the present admins have to object.
const Wait = 7 * 24 * time.Hour

// A Succession is somebody who is to become an admin.
type Succession struct {
	ID, Organization, Chamber, Account string
	State, Objection, ObjectedBy       string
	Answer                             string
	CreatedAt, DueAt, EndedAt          db.Time
}

// Pending reports whether it is not decided yet.
func (s Succession) Pending() bool { return s.State == Waiting || s.State == Objected }

// RequestLetter is an admin's: the management is sent a new organization password
// (R102, M09). Those that are out hold on, or asking would keep them from working.
func RequestLetter(tx *db.Tx, by audit.Actor, organizationID string) error {
	if err := membership.MustAdminister(tx, by, organizationID); err != nil {
		return err
	}
	o, err := organization.Get(tx, organizationID)
	if err != nil {
		return err
	}
	if o.State != organization.Active || o.Closing() {
		return fault.Conflict("succession.not_active", o.Name)
	}
	if err := organization.TakeLetter(tx, o); err != nil {
		return err
	}
	if err := letter.Renew(tx, by, o.Chamber, o.ID, letter.Succession); err != nil {
		return err
	}
	if err := record(tx, by, "succession.letter_requested", o.ID, o.Chamber, by.Account, ""); err != nil {
		return err
	}
	return organization.TellClerks(tx, o.Chamber, "", "notice.letter_requested", "/chamber/letters", o.Name)
}

// SendLetter is a clerk's, for a company that asked by another way.
func SendLetter(tx *db.Tx, by audit.Actor, organizationID string) error {
	o, err := organization.Get(tx, organizationID)
	if err != nil {
		return err
	}
	if err := chamber.MustClerk(tx, by, o.Chamber); err != nil {
		return err
	}
	if o.State != organization.Active || o.Closing() {
		return fault.Conflict("succession.not_active", o.Name)
	}
	if err := letter.Renew(tx, by, o.Chamber, o.ID, letter.Succession); err != nil {
		return err
	}
	return record(tx, by, "succession.letter_requested", o.ID, o.Chamber, by.Account, "")
}

// Activate takes the three values of a letter (R097): of the one that makes an
// organization active, whose registrant becomes its first admin (R101: the caller
// sees to it), or of one with a new password (R102), of which a succession comes.
// Which it is, its reader need not know.
func Activate(tx *db.Tx, by audit.Actor, identNumber, chamberNumber, code string) (o organization.Organization, s Succession, err error) {
	number, folded, err := organization.ReadActivation(identNumber, chamberNumber, code)
	if err != nil {
		return o, s, err
	}
	o, err = organization.ByNumbers(tx, identNumber, number)
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return o, s, err
	}
	if err == nil && o.State == organization.Active && by.Account != "" {
		holds, err := letter.Holds(tx, o.ID, letter.Succession)
		if err != nil {
			return o, s, err
		}
		if holds {
			s, err = enter(tx, by, o, folded, number)
			return o, s, err
		}
	}
	o, err = organization.Activate(tx, by, identNumber, chamberNumber, code)
	return o, s, err
}

// enter uses the letter up and makes the person an admin, or one to be.
func enter(tx *db.Tx, by audit.Actor, o organization.Organization, code, number string) (s Succession, err error) {
	if err := organization.TakeActivation(tx, by); err != nil {
		return s, err
	}
	ok, _, err := letter.Try(tx, by, o.ID, letter.Succession, code)
	if fault.Is(err, fault.KindConflict) || err == nil && !ok {
		return s, db.Keep(organization.Mismatch(tx, by, number)) // strangers learn nothing
	}
	if err != nil {
		return s, err
	}
	me, err := membership.In(tx, o.ID, by.Account)
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return s, err
	}
	if me.Admin {
		return s, fault.Conflict("succession.admin_already", o.Name) // the letter stays
	}
	s = Succession{ID: db.NewID(), Organization: o.ID, Chamber: o.Chamber, Account: by.Account, State: Waiting, CreatedAt: tx.Now(), DueAt: tx.Now().Add(Wait)}
	admins, err := able(tx, o.ID)
	if err != nil {
		return s, err
	}
	if len(admins) == 0 {
		s.State, s.DueAt = Done, tx.Now()
	}
	added, err := insert(tx, s)
	if err != nil {
		return s, err
	}
	if !added {
		return s, fault.Conflict("succession.open_already")
	}
	if err := organization.AddEvidence(tx, o.ID, organization.Proof{Method: organization.ByLetter, Source: "succession", Clerk: by.Account}); err != nil {
		return s, err
	}
	if err := record(tx, by, "succession.entered", o.ID, o.Chamber, by.Account, s.ID); err != nil {
		return s, err
	}
	if s.State == Done {
		return s, s.finish(tx, by, o)
	}
	return s, s.tellAsked(tx, o, admins)
}

// Object is a present admin's: a clerk decides, after a word with the management.
func Object(tx *db.Tx, by audit.Actor, organizationID, reason string) error {
	if err := membership.MustAdminister(tx, by, organizationID); err != nil {
		return err
	}
	reason = strings.TrimSpace(reason)
	if reason == "" {
		return fault.Invalid("reason", "succession.reason_missing")
	}
	if n := utf8.RuneCountInString(reason); n > 500 {
		return fault.Invalid("reason", "succession.reason_long", n)
	}
	s, err := move(tx, `state = 'objected', objection = $2, objected_by = $3`, `organization = $1 AND state = 'waiting'`, organizationID, reason, by.Account)
	if err != nil {
		return err
	}
	o, err := organization.Get(tx, organizationID)
	if err != nil {
		return err
	}
	if err := record(tx, by, "succession.objected", o.ID, o.Chamber, s.Account, s.ID); err != nil {
		return err
	}
	return organization.TellClerks(tx, o.Chamber, "", "notice.succession_objected", "/chamber/successions", o.Name)
}

// Allow and Stop are a clerk's: they have talked to the management. Letters are
// printed at the desk, so nobody there decides about themselves, nor about a
// company that they administer.
func Allow(tx *db.Tx, by audit.Actor, id string) error {
	if _, err := deciding(tx, by, id); err != nil {
		return err
	}
	s, err := move(tx, `state = 'done', clerk = $2, ended_at = $3`, `id = $1 AND state IN ('waiting', 'objected')`, id, by.Account, tx.Now())
	if err != nil {
		return err
	}
	o, able, err := s.able(tx)
	if err == nil && !able { // the account is locked or gone, or the company is
		err = fault.Conflict("succession.not_active", o.Name)
	}
	if err != nil {
		return err
	}
	return s.finish(tx, by, o)
}

// Stop: see Allow. The person reads the reason.
func Stop(tx *db.Tx, by audit.Actor, id, answer string) error {
	if _, err := deciding(tx, by, id); err != nil {
		return err
	}
	answer = strings.TrimSpace(answer)
	if answer == "" {
		return fault.Invalid("answer", "succession.reason_missing")
	}
	if n := utf8.RuneCountInString(answer); n > 500 {
		return fault.Invalid("answer", "succession.reason_long", n)
	}
	s, err := move(tx, `state = 'stopped', answer = $2, clerk = $3, ended_at = $4`, `id = $1 AND state IN ('waiting', 'objected')`, id, answer, by.Account, tx.Now())
	if err != nil {
		return err
	}
	return s.stopped(tx, by)
}

// deciding is a succession for a clerk who has no part in it.
func deciding(tx *db.Tx, by audit.Actor, id string) (Succession, error) {
	s, err := get(tx, id)
	if err != nil {
		return s, err
	}
	if err := chamber.MustClerk(tx, by, s.Chamber); err != nil {
		return s, err
	}
	if s.Account == by.Account {
		return s, &fault.Fault{Kind: fault.KindForbidden, Problems: []fault.Problem{{Key: "succession.own"}}}
	}
	return s, organization.NotOwn(tx, by, s.Organization)
}

// Of is what is pending for an organization, for its admins, or NotFound.
func Of(tx *db.Tx, by audit.Actor, organizationID string) (Succession, error) {
	if err := membership.MustAdminister(tx, by, organizationID); err != nil {
		return Succession{}, err
	}
	return pending(tx, organizationID)
}

// A Case is a succession as the desk sees it.
type Case struct {
	Succession
	Company, Person, Email, Objector string
}

// Queue are a chamber's objections, oldest first; after is the id of the last one
// of the page before. 50 a page.
func Queue(tx *db.Tx, by audit.Actor, chamberID, after string) ([]Case, error) {
	if err := chamber.MustClerk(tx, by, chamberID); err != nil {
		return nil, err
	}
	cases, err := queue(tx, chamberID, after)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range cases {
		ids = append(ids, c.Account, c.ObjectedBy)
	}
	people, err := account.GetMany(tx, ids)
	for i, c := range cases {
		cases[i].Person, cases[i].Email, cases[i].Objector = people[c.Account].Name(), people[c.Account].Email, people[c.ObjectedBy].Name()
	}
	return cases, err
}

// Objections is how many objections wait for a chamber.
func Objections(tx *db.Tx, chamberID string) (int, error) { return objections(tx, chamberID) }

// Work adds what this package does by the clock.
func Work(r *job.Runner, d *db.DB) {
	r.Every(time.Hour, "succession.due", func(ctx context.Context) error { return CarryOut(ctx, d) })
}

// CarryOut makes those admins whose time has come, each in a transaction of its own.
func CarryOut(ctx context.Context, d *db.DB) error {
	for {
		var due []string
		err := d.Read(ctx, func(tx *db.Tx) (err error) { due, err = dueNow(tx); return err })
		if err != nil || len(due) == 0 {
			return err
		}
		for _, id := range due {
			if err := d.Write(ctx, func(tx *db.Tx) error { return carryOut(tx, id) }); err != nil && !fault.Is(err, fault.KindConflict) {
				return err
			}
		}
	}
}

func carryOut(tx *db.Tx, id string) error {
	s, err := move(tx, `state = 'done', ended_at = $2`, `id = $1 AND state = 'waiting' AND due_at <= $2`, id, tx.Now())
	if err != nil {
		return err
	}
	o, able, err := s.able(tx)
	if err != nil {
		return err
	}
	by := audit.Actor{Kind: audit.System, Account: s.Account}
	if !able {
		if s, err = move(tx, `state = 'stopped'`, `id = $1 AND state = 'done'`, id); err != nil {
			return err
		}
		return s.stopped(tx, by)
	}
	return s.finish(tx, by, o)
}

// able reports whether the person can become an admin there.
func (s Succession) able(tx *db.Tx) (o organization.Organization, yes bool, err error) {
	if o, err = organization.Get(tx, s.Organization); err != nil {
		return o, false, err
	}
	a, err := account.Get(tx, s.Account)
	return o, o.State == organization.Active && a.State == account.Active, err
}

// finish makes the person an admin and tells everybody.
func (s Succession) finish(tx *db.Tx, by audit.Actor, o organization.Organization) error {
	if err := membership.Grant(tx, by, o.ID, s.Account, true); err != nil {
		return fmt.Errorf("succession %s: %w", s.ID, err)
	}
	if err := record(tx, by, "succession.done", o.ID, o.Chamber, s.Account, s.ID); err != nil {
		return err
	}
	return s.tellDone(tx, o)
}

func (s Succession) stopped(tx *db.Tx, by audit.Actor) error {
	if err := record(tx, by, "succession.stopped", s.Organization, s.Chamber, s.Account, s.ID); err != nil {
		return err
	}
	o, err := organization.Get(tx, s.Organization)
	if err != nil {
		return err
	}
	if err := notice.Tell(tx, s.Account, "notice.succession_stopped", "/", o.Name); err != nil {
		return err
	}
	return s.write(tx, o, []string{s.Account}, "succession_stopped")
}

func record(tx *db.Tx, by audit.Actor, event, organizationID, chamberID, person, thing string) error {
	return audit.Record(tx, by, audit.Entry{Event: event, Account: person, Organization: organizationID, Chamber: chamberID, Thing: thing})
}
