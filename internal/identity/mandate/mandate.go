// Package mandate holds who may act for an organization without belonging to
// it (representation, R295–R303). Package behalf asks what of it holds.
//
// A mandate names a principal (for whom), a representative (a person, or an
// organization that says which of its people), roles of applications, and from
// when until when. One side proposes it, the other accepts; nobody ever types
// somebody else's password (W13). Where the chamber wants to, it approves (R298).
//
//	         Accept                    Approve
//	proposed ──────▶ accepted ─────────────────▶ active ──▶ ended    its last day is over
//	   │       └─────(no approval)──────────────▶  │
//	   │ Decline        │ Refuse                   │
//	   ▼                ▼                          ▼
//	declined         refused                    revoked   by either side, at any time
//
// The policy:
//
//   - Whoever gives power is an admin of the principal: proposing or accepting
//     for it. The representative only agrees.
//   - A person is proposed by address: the account that owns the confirmed
//     address may accept, no other, whoever got hold of the mail. Until then the
//     principal learns nothing about whether there is an account.
//   - An organization is found by ident number and chamber. Who is not one of
//     its people sees its number only, until it agrees.
//   - What holds is asked at every use: a mandate that was revoked, has ended,
//     whose organizations closed, or whose person left the representing
//     organization opens nothing from that moment on ([Holds]).
//   - Every step is one conditional UPDATE; who comes second reads what happened.
package mandate

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/plain"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

// States of a mandate.
const (
	Proposed = "proposed"
	Accepted = "accepted" // the chamber has to approve it
	Active   = "active"
	Declined = "declined" // by the side it was proposed to
	Refused  = "refused"  // by the chamber
	Revoked  = "revoked"
	Ended    = "ended" // its time is over, or nobody answered
)

// Sides of a mandate.
const (
	ForPrincipal      = "principal"
	ForRepresentative = "representative"
)

const (
	// MostNote is how long a note and an answer may be.
	MostNote = 500
	// AnswerWithin is how long a proposal waits.
	AnswerWithin = 30 * 24 * time.Hour
	// ToldBefore is how long before its end both sides are told.
	ToldBefore = 14 * 24 * time.Hour
)

// rate bounds proposals, and with them the ident numbers one person can try;
// addressRate the mails to one address, whoever sends them.
var (
	rate        = limit.Rate{Burst: 15, Every: 30 * time.Minute}
	addressRate = limit.Rate{Burst: 10, Every: 2 * time.Hour}
)

// A Mandate as it stands.
type Mandate struct {
	ID, Reference            string
	Principal                string // organization
	Chamber                  string // of the principal
	Representative           string // organization, or empty: a person
	Account                  string // that person, once known
	Email                    string // to which it was proposed
	Note, State              string
	ProposedBy, ProposedSide string
	AcceptedBy               string
	Clerk, Answer            string
	EndedBy                  string
	ProposedAt, AcceptedAt   db.Time
	ApprovedAt               db.Time
	StartsAt, EndsAt         db.Time
	EndedAt                  db.Time
	Roles                    []membership.Role
}

// Running reports whether it may still come to something.
func (m Mandate) Running() bool {
	return m.State == Proposed || m.State == Accepted || m.State == Active
}

// LastDay is the last moment on which it holds, as people name it.
func (m Mandate) LastDay() db.Time { return m.EndsAt.Add(-time.Second) }

// A Wish is what somebody proposes.
type Wish struct {
	Email                      string // of the representing person
	Company                    bool   // a company is to represent
	IdentNumber, ChamberNumber string // of the other organization
	Roles                      []membership.Role
	Note                       string
	First, Last                db.Time // days, both included
}

// Propose offers a mandate: as an admin of the principal (side ForPrincipal,
// organizationID is the principal) or as representative (ForRepresentative;
// organizationID is empty where the person offers themselves, R295, R297).
func Propose(tx *db.Tx, by audit.Actor, side, organizationID string, w Wish) (Mandate, error) {
	m := Mandate{ID: db.NewID(), State: Proposed, ProposedBy: by.Account, ProposedSide: side, ProposedAt: tx.Now(), Note: strings.TrimSpace(w.Note)}
	if organizationID != "" {
		if err := mustSpeakFor(tx, by, organizationID); err != nil {
			return m, err
		}
	} else if side == ForPrincipal || by.Account == "" {
		return m, fault.Forbidden()
	}
	if err := limit.TakeIn(tx, "mandate/"+by.Account, rate); err != nil {
		return m, err
	}
	var p fault.Problems
	other, err := find(tx, &p, side, w)
	if err != nil {
		return m, err
	}
	m.Principal, m.Representative = organizationID, other.ID
	m.Chamber = other.Chamber
	if side == ForPrincipal {
		o, err := organization.Get(tx, m.Principal)
		if err != nil {
			return m, err
		}
		m.Chamber = o.Chamber
	}
	if side == ForRepresentative {
		m.Principal, m.Representative = other.ID, organizationID
		if organizationID == "" {
			m.Account = by.Account
		}
	} else if other.ID == "" {
		m.Email = strings.TrimSpace(w.Email)
	}
	if other.ID != "" && other.ID == organizationID {
		p.Add("ident_number", "mandate.self")
	}
	if utf8.RuneCountInString(m.Note) > MostNote {
		p.Add("note", "mandate.note_long", MostNote)
	}
	if plain.Leads(m.Note) {
		p.Add("note", "mandate.note_link") // our mails carry our links only
	}
	if err := m.period(tx, &p, w); err != nil {
		return m, err
	}
	if m.Roles, err = roles(tx, &p, w.Roles); err != nil {
		return m, err
	}
	if err := p.Err(); err != nil {
		return m, db.Keep(err) // the try counts
	}
	token := ""
	if m.Email != "" {
		if err := limit.TakeIn(tx, "mandate/to/"+fold.Login(m.Email), addressRate); err != nil {
			return m, err
		}
		token = seal.Token()
	}
	if err := m.insert(tx, token); err != nil {
		return m, err
	}
	if err := m.record(tx, by, "mandate.proposed"); err != nil {
		return m, err
	}
	return m, m.tellProposed(tx, by, token)
}

// find is the organization that is asked; none: a person is, by address.
func find(tx *db.Tx, p *fault.Problems, side string, w Wish) (o organization.Organization, err error) {
	if side == ForPrincipal && !w.Company {
		if _, err := account.ReadEmail("email", w.Email); err != nil {
			f := fault.Of(err)
			if f == nil {
				return o, err
			}
			*p = append(*p, f.Problems...)
		}
		return o, nil
	}
	number := strings.TrimSpace(w.ChamberNumber)
	if strings.TrimSpace(w.IdentNumber) == "" {
		p.Add("ident_number", "mandate.ident_missing")
	}
	if number == "" {
		p.Add("chamber_number", "mandate.chamber_missing")
	}
	if len(*p) > 0 {
		return o, nil
	}
	c, err := chamber.ByNumber(tx, number)
	if fault.Is(err, fault.KindNotFound) {
		p.Add("chamber_number", "mandate.chamber_unknown", number)
		return o, nil
	}
	if err != nil {
		return o, err
	}
	ident, ok := fold.Ident(w.IdentNumber, number)
	if ok {
		o, err = byIdent(tx, c.ID, ident)
	}
	if !ok || fault.Is(err, fault.KindNotFound) {
		p.Add("ident_number", "mandate.not_found", strings.TrimSpace(w.IdentNumber), number)
		return organization.Organization{}, nil
	}
	return o, err
}

// period checks the days against the longest time of the principal's chamber.
func (m *Mandate) period(tx *db.Tx, p *fault.Problems, w Wish) error {
	if w.First.IsZero() {
		p.Add("first", "mandate.first_missing")
	}
	if w.Last.IsZero() {
		p.Add("last", "mandate.last_missing")
	}
	if w.First.IsZero() || w.Last.IsZero() {
		return nil
	}
	m.StartsAt = midnight(w.First, 0)
	m.EndsAt = midnight(w.Last, 1)
	today := midnight(tx.Now(), 0)
	s, err := chamber.SettingsOf(tx, m.Chamber) // none found: the defaults
	if err != nil {
		return err
	}
	switch {
	case m.StartsAt.Before(today):
		p.Add("first", "mandate.first_past")
	case !m.StartsAt.Before(m.EndsAt):
		p.Add("last", "mandate.last_before")
	case m.EndsAt.After(db.At(m.StartsAt.In(mail.Berlin).AddDate(0, s.MandateMonths, 1))):
		p.Add("last", "mandate.last_late", s.MandateMonths)
	}
	return nil
}

// Day is the beginning of a day, as the calendar of people has it.
func Day(year int, month time.Month, day int) db.Time {
	return db.At(time.Date(year, month, day, 0, 0, 0, 0, mail.Berlin))
}

func midnight(t db.Time, days int) db.Time {
	year, month, day := t.In(mail.Berlin).Date()
	return Day(year, month, day+days)
}

func (m Mandate) record(tx *db.Tx, by audit.Actor, event string) error {
	detail := map[string]any{}
	if m.Representative != "" {
		detail["representative"] = m.Representative
	}
	return audit.Record(tx, by, audit.Entry{Event: event, Account: m.Account, Organization: m.Principal, Chamber: m.Chamber, Thing: m.ID, Detail: detail})
}

// mustSpeakFor is the gate in front of everything an organization says here.
func mustSpeakFor(tx *db.Tx, by audit.Actor, organizationID string) error {
	if err := membership.MustAdminister(tx, by, organizationID); err != nil {
		return err
	}
	o, err := organization.Get(tx, organizationID)
	if err == nil && o.State != organization.Active {
		err = fault.Conflict("mandate.not_active", o.Name)
	}
	return err
}

// sides says for which sides of a mandate somebody may speak.
func (m Mandate) sides(tx *db.Tx, by audit.Actor) (principal, representative bool, err error) {
	if by.Kind == audit.Command || by.Kind == audit.System {
		return true, true, nil
	}
	if by.Account == "" {
		return false, false, nil
	}
	if principal, err = membership.IsAdmin(tx, by, m.Principal); err != nil {
		return false, false, err
	}
	switch {
	case m.Representative != "":
		representative, err = membership.IsAdmin(tx, by, m.Representative)
	case m.Account != "":
		representative = m.Account == by.Account
	default:
		representative, err = m.addressed(tx, by.Account)
	}
	return principal, representative, err
}

// addressed reports whether an account owns the address a mandate was proposed
// to: today, not before a change that could still be taken back.
func (m Mandate) addressed(tx *db.Tx, accountID string) (bool, error) {
	return db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM account WHERE id = $1 AND email_key = $2 AND state <> 'unconfirmed')
		OR EXISTS (SELECT 1 FROM account_email WHERE account = $1 AND email_key = $2 AND confirmed_at IS NOT NULL)`, accountID, fold.Login(m.Email))
}

// roles checks that there are some, that applications declare them, and that
// one person may hold them together.
func roles(tx *db.Tx, p *fault.Problems, wanted []membership.Role) (known []membership.Role, err error) {
	if len(wanted) == 0 {
		p.Add("roles", "mandate.roles_missing")
		return nil, nil
	}
	offers, err := application.AllOffers(tx)
	if err != nil {
		return nil, err
	}
	var seen []application.Role
	for _, r := range wanted {
		_, role, ok := offers.Role(r.Application, r.Key)
		if !ok {
			return nil, fault.Invalid("roles", "mandate.role_unknown")
		}
		if slices.Contains(known, r) {
			continue
		}
		for _, other := range seen {
			if role.Excludes(other) {
				p.Add("roles", "mandate.roles_exclude", role.Word(), other.Word())
			}
		}
		known, seen = append(known, r), append(seen, role)
	}
	return known, nil
}

// insert finds a free reference.
func (m *Mandate) insert(tx *db.Tx, token string) error {
	for range 5 {
		m.Reference = "V-" + seal.Reference()
		added, err := insert(tx, *m, token)
		if err != nil || added {
			return err
		}
	}
	return fmt.Errorf("mandate: no free reference")
}
