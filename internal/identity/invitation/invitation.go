// Package invitation lets an organization's admins ask people in: one link does
// account, mailbox, membership and roles (R103–R117, R215; ux.md 0 no. 4).
//
//	    Invite                    Accept
//	 ──────────▶ sent ─────────────────────────▶ accepted   member at once, or a join request that
//	              │  ▲ │                            ▲        the admin approves again (setting "confirm")
//	mail refused  │  │ │ Decline, Revoke, Expire    │ the slip of paper
//	              ▼  │ └──▶ declined revoked expired│
//	      undeliverable ────────────────────────────┘
//	           Invite or Remind again: a new mail
//
// Policy:
//   - Admins invite, see and revoke; nobody else. They never learn whether an
//     address has an account: page, time and states are the same. Only members,
//     whom they see anyway, are told apart, by their main address.
//   - One invitation is open per organization and address. Inviting again
//     changes it and mails it again; a person without mail gets a slip of paper
//     with a code.
//   - The link proves the mailbox, so the account that accepts must own the
//     address. A slip proves nothing but itself.
//   - Every end is one conditional UPDATE: of accept, decline, revoke and expire
//     at once, one happens.
//   - Who was made admin in advance becomes one only while the admin who
//     invited still is one.
//   - Half a year after its end an invitation is forgotten.
package invitation

import (
	"embed"
	"slices"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/plain"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/site"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails/*.txt
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

// States of an invitation.
const (
	Sent     = "sent"          // or, without an address, waiting for its slip
	Bounced  = "undeliverable" // the mail server of the address refused it
	Accepted = "accepted"
	Declined = "declined"
	Expired  = "expired"
	Revoked  = "revoked"
	// Member is no state of a row: the person belongs to the organization, and
	// got what was missing.
	Member = "member"
)

// States in the order of lists.
func States() []string { return []string{Sent, Bounced, Accepted, Declined, Expired, Revoked} }

// Bounds of what is written.
const (
	MessageMax = 300
	NumberMax  = 40
	DaysMax    = 90
)

// An Invitation as the admins of the organization see it.
type Invitation struct {
	ID, Organization, Roster                 string
	Email, GivenName, FamilyName, Language   string // Email empty: a slip of paper brings the code
	Admin                                    bool
	Site                                     string
	ApprenticeNumber, TrainerNumber, Message string
	State                                    string
	Account                                  string // who accepted
	InvitedBy                                string
	Failure                                  string // Bounced: what the mail server said
	CreatedAt, SentAt, ExpiresAt, EndedAt    db.Time
	Reminders                                int
	Roles                                    []membership.Role
}

// Name of the person as the admin wrote it, perhaps empty.
func (i Invitation) Name() string { return strings.TrimSpace(i.GivenName + " " + i.FamilyName) }

// Open reports whether it can be accepted at a moment.
func (i Invitation) Open(now db.Time) bool {
	return (i.State == Sent || i.State == Bounced) && i.ExpiresAt.After(now)
}

// A Wish is whom to invite into what. The names of its fields in problems are
// email, given_name, family_name, language, site, apprentice_number,
// trainer_number, message, roles, days.
type Wish struct {
	Email, GivenName, FamilyName, Language   string
	Admin                                    bool
	Site                                     string
	ApprenticeNumber, TrainerNumber, Message string
	Roles                                    []membership.Role
	Days                                     int    // how long it holds; 0: as the chamber has settled
	Roster                                   string // the list it comes from, or empty
}

// A host is an organization that invites, with all that is the same for each
// of many invitations: they cost no query of their own.
type host struct {
	organization.Organization
	settings chamber.Settings
	offers   application.Offers
	sites    map[string]bool // released ones that were asked for
}

func open(tx *db.Tx, organizationID string) (h host, err error) {
	if h.Organization, err = organization.Get(tx, organizationID); err != nil {
		return h, err
	}
	if h.State != organization.Active {
		return h, fault.NotFound()
	}
	if h.settings, err = chamber.SettingsOf(tx, h.Chamber); err != nil {
		return h, err
	}
	h.offers, err = application.AllOffers(tx)
	h.sites = map[string]bool{}
	return h, err
}

// Check says all that is wrong with a wish, by field; nothing is changed.
func Check(tx *db.Tx, organizationID string, w Wish) error {
	h, err := open(tx, organizationID)
	if err != nil {
		return err
	}
	return h.check(tx, &w)
}

// CheckMany is Check for many wishes of one organization: a fault or nil for
// each, in their order.
func CheckMany(tx *db.Tx, organizationID string, wishes []Wish) ([]error, error) {
	h, err := open(tx, organizationID)
	if err != nil {
		return nil, err
	}
	found := make([]error, len(wishes))
	for i := range wishes {
		w := wishes[i]
		if err := h.check(tx, &w); err != nil {
			if fault.Of(err) == nil {
				return nil, err
			}
			found[i] = err
		}
	}
	return found, nil
}

// check tidies a wish and says what is wrong with it.
func (h host) check(tx *db.Tx, w *Wish) error {
	var p fault.Problems
	n := account.New{GivenName: w.GivenName, FamilyName: w.FamilyName, Email: w.Email, Language: w.Language}
	if f := fault.Of(n.Check()); f != nil {
		for _, problem := range f.Problems { // an address and names are no duty
			if !strings.HasSuffix(problem.Key, "_missing") || value(w, problem.Field) != "" {
				p = append(p, problem)
			}
		}
	}
	w.GivenName, w.FamilyName, w.Email, w.Language = n.GivenName, n.FamilyName, n.Email, n.Language
	if w.Email == "" && w.GivenName+w.FamilyName == "" {
		p.Add("email", "invitation.whom")
	}
	w.Message = strings.TrimSpace(w.Message)
	if n := len([]rune(w.Message)); n > MessageMax {
		p.Add("message", "invitation.message_long", MessageMax)
	}
	if plain.Leads(w.Message) {
		p.Add("message", "invitation.message_link") // our mails carry our links only
	}
	w.ApprenticeNumber, w.TrainerNumber = number(&p, "apprentice_number", w.ApprenticeNumber), number(&p, "trainer_number", w.TrainerNumber)
	if w.Days == 0 {
		w.Days = h.settings.InvitationDays
		if w.Roster != "" {
			w.Days = h.settings.RosterDays
		}
	}
	if w.Days < 1 || w.Days > DaysMax {
		p.Add("days", "invitation.days", DaysMax)
	}
	h.roles(&p, w)
	if w.Site != "" {
		known, seen := h.sites[w.Site]
		if !seen {
			err := site.MustRelease(tx, h.ID, w.Site)
			if err != nil && fault.Of(err) == nil {
				return err
			}
			known = err == nil
			h.sites[w.Site] = known
		}
		if !known {
			p.Add("site", "invitation.site")
		}
	}
	return p.Err()
}

func value(w *Wish, field string) string {
	switch field {
	case "email":
		return w.Email
	case "given_name":
		return w.GivenName
	case "family_name":
		return w.FamilyName
	}
	return ""
}

// roles must be declared, each once.
func (h host) roles(p *fault.Problems, w *Wish) {
	seen := map[membership.Role]bool{}
	var once []membership.Role
	for _, r := range w.Roles {
		if seen[r] {
			continue
		}
		seen[r] = true
		_, declared, ok := h.offers.Role(r.Application, r.Key)
		if !ok {
			p.Add("roles", "invitation.role_unknown")
		}
		for _, other := range once {
			_, o, _ := h.offers.Role(other.Application, other.Key)
			if other.Application == r.Application && (slices.Contains(declared.ExclusiveWith, other.Key) || slices.Contains(o.ExclusiveWith, r.Key)) {
				p.Add("roles", "invitation.roles_exclusive", o.Word(), declared.Word())
			}
		}
		once = append(once, r)
	}
	w.Roles = once
}

// number checks a number as the chamber prints it on its letters.
func number(p *fault.Problems, field, typed string) string {
	s := strings.Join(strings.Fields(typed), " ")
	if len([]rune(s)) > NumberMax {
		p.Add(field, "invitation.number_long", NumberMax)
		return s
	}
	for _, r := range s {
		if !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune(" -/.", r)) {
			p.Add(field, "invitation.number_form")
			return s
		}
	}
	return s
}

// A Result is what came of one wish of many.
type Result struct {
	Invitation Invitation
	Problem    error // a fault, or nil
}

// Invite asks one person in. An invitation that is open for the address is
// changed and mailed again; a member (State Member) gets what is missing.
func Invite(tx *db.Tx, by audit.Actor, organizationID string, w Wish) (Invitation, error) {
	if err := membership.MustAdminister(tx, by, organizationID); err != nil {
		return Invitation{}, err
	}
	h, err := open(tx, organizationID)
	if err != nil {
		return Invitation{}, err
	}
	return h.invite(tx, by, w)
}

// InviteMany is Invite for a part of a list, in one transaction. What is wrong
// with one of them stops none of the others.
func InviteMany(tx *db.Tx, by audit.Actor, organizationID string, wishes []Wish) ([]Result, error) {
	if err := membership.MustAdminister(tx, by, organizationID); err != nil {
		return nil, err
	}
	h, err := open(tx, organizationID)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(wishes))
	for i, w := range wishes {
		made, err := h.invite(tx, by, w)
		if err != nil && fault.Of(err) == nil {
			return nil, err
		}
		results[i] = Result{made, err}
	}
	return results, nil
}

func (h host) invite(tx *db.Tx, by audit.Actor, w Wish) (Invitation, error) {
	if err := h.check(tx, &w); err != nil {
		return Invitation{}, err
	}
	if err := h.ration(tx, w); err != nil {
		return Invitation{}, err
	}
	if w.Email != "" {
		m, err := memberBy(tx, h.ID, fold.Login(w.Email))
		if err == nil {
			return h.complete(tx, by, m, w)
		}
		if !fault.Is(err, fault.KindNotFound) {
			return Invitation{}, err
		}
	}
	i := Invitation{
		ID: db.NewID(), Organization: h.ID, Roster: w.Roster, Email: w.Email, GivenName: w.GivenName, FamilyName: w.FamilyName, Language: w.Language,
		Admin: w.Admin, Site: w.Site, ApprenticeNumber: w.ApprenticeNumber, TrainerNumber: w.TrainerNumber, Message: w.Message, State: Sent,
		InvitedBy: by.Account, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(time.Duration(w.Days) * 24 * time.Hour), Roles: w.Roles,
	}
	id, err := save(tx, i, hash(token(tx, i.ID)))
	if err != nil {
		return Invitation{}, err
	}
	event := "invitation.sent"
	if id != i.ID {
		event = "invitation.renewed"
	}
	if i, err = load(tx, id); err != nil {
		return i, err
	}
	if err := i.record(tx, by, event, map[string]any{"admin": i.Admin, "roles": i.Roles, "roster": i.Roster}); err != nil {
		return i, err
	}
	if i.Email == "" {
		return i, nil
	}
	return h.post(tx, i, "invited", false)
}

// complete gives a member what an invitation would have given.
func (h host) complete(tx *db.Tx, by audit.Actor, m membership.Member, w Wish) (Invitation, error) {
	i := Invitation{Organization: h.ID, Email: w.Email, State: Member, Account: m.Account, Roles: w.Roles}
	if w.Admin {
		if err := membership.SetAdmin(tx, by, m.ID, true); err != nil {
			return i, err
		}
	}
	// All roles or none: of a list, the other rows go on.
	if err := membership.AddRoles(tx, by, h.ID, m.Account, w.Roles...); err != nil {
		return i, err
	}
	if err := h.tellGiven(tx, by, m, w.Roles); err != nil {
		return i, err
	}
	if err := membership.Furnish(tx, m.ID, membership.Invited{Site: w.Site, ApprenticeNumber: w.ApprenticeNumber, TrainerNumber: w.TrainerNumber}); err != nil {
		return i, err
	}
	return i, i.record(tx, by, "invitation.met_member", map[string]any{"roles": w.Roles, "roster": w.Roster})
}

// record notes what happened; details hold keys, no names.
func (i Invitation) record(tx *db.Tx, by audit.Actor, event string, detail map[string]any) error {
	return audit.Record(tx, by, audit.Entry{Event: event, Account: i.Account, Organization: i.Organization, Thing: i.ID, Detail: detail})
}

// token of the link in the mails. It is derived, so that a reminder carries the
// same link as the mail before; 256 bits that nobody finds without our key.
func token(tx *db.Tx, id string) string { return tx.Keys().MAC("invitation.token", id, "") }

func hash(token string) string { return seal.Hash(token) }
