// Package request holds how somebody comes to belong to an organization, or to
// hold roles in it, by asking.
//
// A person asks to join ([Submit]) or, as a member, for roles ([SubmitRole]);
// an admin takes the request on ([Claim], "Mir zuweisen", R131) and then
// decides it ([Approve], [Deny]); deciding an open one takes it on in the same
// step. Only who has claimed it may decide, so two admins never answer twice. A
// claim is a lease: after 24 hours another admin may take over; it can be handed
// over before ([HandOver]). Who is away has a deputy ([SetAway]).
//
//	        Claim               Approve
//	open ───────────▶ claimed ───────────▶ approved
//	 │ ◀───────────      │  └─────────────▶ denied     with a reason (L09)
//	 │ Release, lease    │       Deny
//	 │ has ended         │
//	 ├───────────────────┴────────────────▶ withdrawn  by the applicant
//	 └────────────────────────────────────▶ expired    nobody answered ([Wait])
//
// Every step is one conditional UPDATE; who comes second reads what happened.
// Requests are seen by the admins of that organization and by the applicant
// alone; for everybody else they do not exist. What an approved one gives is
// kept by package membership.
package request

import (
	"embed"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/plain"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

// Limits of what is written (L03, R140), and how long a claim holds.
const (
	ReasonMax = 300
	AnswerMax = 500
	Lease     = 24 * time.Hour
)

// requestRate: each request is a mail to every admin, so asking, withdrawing
// and asking again has an end.
var requestRate = limit.Rate{Burst: 5, Every: 4 * time.Hour}

// Kinds and states of requests.
const (
	Join      = "join" // to belong to the organization
	ForRoles  = "role" // of a member, for roles
	Open      = "open"
	Claimed   = "claimed"
	Approved  = "approved"
	Denied    = "denied"
	Withdrawn = "withdrawn"
	Expired   = "expired"
)

// A Request is one person's wish to belong to an organization or to hold
// roles in it.
type Request struct {
	ID, Kind, Organization, Applicant string
	Reason                            string
	State                             string
	ClaimedBy                         string // an admin, while Claimed
	ClaimedUntil                      db.Time
	Answer                            string // why it was denied, as the applicant reads it
	SubmittedAt, DecidedAt            db.Time
	DecidedBy                         string
	DueAt                             db.Time // when the next of these happens, if nobody answers
	RemindedAt, DeputiesAt, ChamberAt db.Time
	Roles                             []membership.Role // asked for (R139)
}

// Undecided reports whether somebody still has to answer.
func (r Request) Undecided() bool { return r.State == Open || r.State == Claimed }

// MayClaim reports whether the request can be taken on at a moment.
func (r Request) MayClaim(now db.Time) bool {
	return r.State == Open || r.State == Claimed && !r.ClaimedUntil.After(now)
}

// Submit asks for membership in an active organization, perhaps with roles
// (R118, R125, R126). Every account may (W04).
func Submit(tx *db.Tx, by audit.Actor, organizationID, reason string, roles []membership.Role) (Request, error) {
	if _, err := membership.In(tx, organizationID, by.Account); err == nil {
		return Request{}, fault.Conflict("request.already_member")
	} else if !fault.Is(err, fault.KindNotFound) {
		return Request{}, err
	}
	return submit(tx, by, Request{Kind: Join, Organization: organizationID, Reason: reason, Roles: roles})
}

// SubmitRole asks for roles as a member (R145–R147).
func SubmitRole(tx *db.Tx, by audit.Actor, organizationID, reason string, roles []membership.Role) (Request, error) {
	m, err := membership.In(tx, organizationID, by.Account)
	if err != nil {
		return Request{}, err
	}
	missing := slices.DeleteFunc(slices.Clone(roles), func(r membership.Role) bool { return m.Has(r.Application, r.Key) })
	if len(roles) > 0 && len(missing) == 0 {
		return Request{}, fault.Conflict("request.roles_held")
	}
	return submit(tx, by, Request{Kind: ForRoles, Organization: organizationID, Reason: reason, Roles: missing})
}

func submit(tx *db.Tx, by audit.Actor, r Request) (Request, error) {
	org, err := organization.Get(tx, r.Organization)
	if err != nil {
		return r, err
	}
	if org.State != organization.Active || by.Account == "" {
		return r, fault.NotFound()
	}
	r.Reason = strings.TrimSpace(r.Reason)
	var p fault.Problems
	if r.Kind == ForRoles && len(r.Roles) == 0 {
		p.Add("roles", "request.roles_required")
	}
	if r.Reason == "" {
		p.Add("reason", "request.reason_required")
	} else if utf8.RuneCountInString(r.Reason) > ReasonMax {
		p.Add("reason", "request.reason_long", ReasonMax)
	} else if plain.Leads(r.Reason) {
		p.Add("reason", "request.no_links")
	}
	if err := p.Err(); err != nil {
		return r, err
	}
	r.Roles = unique(r.Roles)
	if err := membership.Known(tx, r.Roles); err != nil {
		return r, err
	}
	if err := limit.TakeIn(tx, "request/"+r.Organization+"/"+by.Account, requestRate); err != nil {
		return r, err
	}
	r.ID, r.Applicant, r.State, r.SubmittedAt = db.NewID(), by.Account, Open, tx.Now()
	s, err := chamber.SettingsOf(tx, org.Chamber)
	if err != nil {
		return r, err
	}
	r.DueAt, _ = r.next(s)
	if err := insert(tx, r); err != nil {
		return r, err
	}
	if err := note(tx, by, r, "submitted", nil); err != nil {
		return r, err
	}
	return r, tellSubmitted(tx, r)
}

// Claim takes a request on, so that no other admin answers it ("Mir
// zuweisen", R131). A claim that has ended may be taken over.
func Claim(tx *db.Tx, by audit.Actor, id string) error {
	r, err := review(tx, by, id)
	if err != nil {
		return err
	}
	ok, err := take(tx, by, r)
	if err == nil && !ok {
		err = tooLate(tx, by, id)
	}
	return err
}

// take claims for an admin who stays one as long as the transaction runs: who is
// demoted at the same moment has their claims put back after it (package membership).
func take(tx *db.Tx, by audit.Actor, r Request) (bool, error) {
	if err := membership.HoldAdmin(tx, r.Organization, by.Account); err != nil {
		return false, err
	}
	ok, err := claim(tx, r.ID, by.Account, tx.Now().Add(Lease))
	if err != nil || !ok {
		return false, err
	}
	return true, note(tx, by, r, "claimed", nil)
}

// Release puts a claimed request back, for another to take on.
func Release(tx *db.Tx, by audit.Actor, id string) error {
	r, err := review(tx, by, id)
	if err != nil {
		return err
	}
	ok, err := release(tx, id, by.Account)
	if err != nil {
		return err
	}
	if !ok {
		return tooLate(tx, by, id)
	}
	return note(tx, by, r, "released", nil)
}

// Approve grants what was asked: membership, with the given roles or none
// (R127, R128), or for a role request one role at least. The admin may give
// other roles than asked for.
func Approve(tx *db.Tx, by audit.Actor, id string, roles []membership.Role) error {
	r, err := review(tx, by, id)
	if err != nil {
		return err
	}
	roles = unique(roles)
	if r.Kind == ForRoles && len(roles) == 0 {
		return fault.Invalid("roles", "request.approve_roles_required")
	}
	if err := membership.Known(tx, roles); err != nil {
		return err
	}
	if err := settle(tx, by, r, Approved, ""); err != nil {
		return err
	}
	detail := map[string]any{"roles": roles}
	if err := note(tx, by, r, Approved, detail); err != nil {
		return err
	}
	if r.Kind == ForRoles { // for members only: who has left meanwhile does not come back by this
		err := membership.AddRoles(tx, by, r.Organization, r.Applicant, roles...)
		if fault.Is(err, fault.KindNotFound) {
			return fault.Conflict("request.applicant_left")
		}
		if err != nil {
			return err
		}
	} else if err := membership.Grant(tx, by, r.Organization, r.Applicant, false, roles...); err != nil {
		return err
	}
	if err := fulfil(tx, by, r); err != nil {
		return err
	}
	r.State, r.Roles = Approved, roles
	return tellDecided(tx, r)
}

// Deny turns the request down and tells why; a reason is required (L09, R140).
func Deny(tx *db.Tx, by audit.Actor, id, answer string) error {
	r, err := review(tx, by, id)
	if err != nil {
		return err
	}
	answer = strings.TrimSpace(answer)
	if answer == "" {
		return fault.Invalid("answer", "request.answer_required")
	}
	if utf8.RuneCountInString(answer) > AnswerMax {
		return fault.Invalid("answer", "request.answer_long", AnswerMax)
	}
	if err := settle(tx, by, r, Denied, answer); err != nil {
		return err
	}
	if err := note(tx, by, r, Denied, nil); err != nil {
		return err
	}
	r.State, r.Answer = Denied, answer
	return tellDecided(tx, r)
}

// Withdraw takes the actor's own request back, as long as nobody has decided it.
func Withdraw(tx *db.Tx, by audit.Actor, id string) error {
	r, err := request(tx, id)
	if err != nil {
		return err
	}
	if r.Applicant != by.Account {
		return fault.NotFound()
	}
	ok, err := withdraw(tx, id, by.Account)
	if err != nil {
		return err
	}
	if !ok {
		return fault.Conflict("request.already_decided")
	}
	if err := note(tx, by, r, Withdrawn, nil); err != nil {
		return err
	}
	return tellWithdrawn(tx, r)
}

// ExpireLeases gives back what nobody has answered in time. A job calls it;
// Claim does not wait for it.
func ExpireLeases(tx *db.Tx) error {
	expired, err := expire(tx)
	if err != nil {
		return err
	}
	for _, r := range expired {
		if err := note(tx, audit.Job, r, "lease_ended", nil); err != nil {
			return err
		}
	}
	return nil
}

// Get is a request for its applicant and the admins of its organization.
func Get(tx *db.Tx, by audit.Actor, id string) (Request, error) {
	r, err := request(tx, id)
	if err != nil {
		return r, err
	}
	if by.Account == r.Applicant && by.Account != "" {
		return r, nil
	}
	yes, err := membership.IsAdmin(tx, by, r.Organization)
	if err == nil && !yes {
		return Request{}, fault.NotFound()
	}
	return r, err
}

// review loads a request for one who may answer it. To everybody else but the
// applicant it does not exist.
func review(tx *db.Tx, by audit.Actor, id string) (Request, error) {
	r, err := Get(tx, by, id)
	if err != nil {
		return r, err
	}
	yes, err := membership.IsAdmin(tx, by, r.Organization)
	if err == nil && !yes {
		err = fault.Forbidden()
	}
	return r, err
}

// settle decides a request for the one who claimed it, or takes it on first: two
// clicks, one transaction (R131; ux.md task 2).
func settle(tx *db.Tx, by audit.Actor, r Request, state, answer string) error {
	if r.MayClaim(tx.Now()) {
		if _, err := take(tx, by, r); err != nil { // another was quicker: decide says so
			return err
		}
	}
	ok, err := decide(tx, r.ID, by.Account, state, answer)
	if err == nil && !ok {
		err = tooLate(tx, by, r.ID)
	}
	return err
}

// tooLate says why a step found the request in another state.
func tooLate(tx *db.Tx, by audit.Actor, id string) error {
	r, err := request(tx, id)
	switch {
	case err != nil:
		return err
	case !r.Undecided():
		return fault.Conflict("request.already_decided")
	case r.State == Open:
		return fault.Conflict("request.claim_first")
	case r.ClaimedBy == by.Account:
		return fault.Conflict("request.claimed_by_you")
	}
	return fault.Conflict("request.claimed_by_other")
}

func note(tx *db.Tx, by audit.Actor, r Request, what string, detail map[string]any) error {
	return audit.Record(tx, by, audit.Entry{Event: r.Kind + "." + what, Account: r.Applicant, Organization: r.Organization, Thing: r.ID, Detail: detail})
}

func unique(roles []membership.Role) (once []membership.Role) {
	for _, r := range roles {
		if !slices.Contains(once, r) {
			once = append(once, r)
		}
	}
	return once
}
