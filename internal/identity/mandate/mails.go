package mandate

import (
	"cmp"
	"embed"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/plain"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
)

//go:embed mails
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

// letter is what the mail texts may use.
type letter struct {
	Reference string
	Principal string
	Short     string   // the principal, short enough for a subject
	By        string   // who acts: a person or an organization
	Offered   bool     // the representative has proposed it
	Roles     []string // in the reader's language
	First     db.Time
	Last      db.Time // day
	Note      string
	Answer    string
	Waiting   bool   // for the chamber
	Path      string // where to see it and do something
	Disavow   string // for who did it: "Das waren nicht Sie?"
}

// stage is what all mails and notices about one mandate need.
type stage struct {
	Mandate
	principal string
	by        string
	offers    application.Offers
}

func (m Mandate) stage(tx *db.Tx) (s stage, err error) {
	s.Mandate = m
	o, err := organization.Get(tx, m.Principal)
	if err != nil {
		return s, err
	}
	s.principal, s.by = o.Name, m.Email // never what its admins call it: readers are strangers (decision 18)
	switch {
	case m.Representative != "":
		r, err := organization.Get(tx, m.Representative)
		if err != nil {
			return s, err
		}
		s.by = r.Name
	case m.Account != "":
		a, err := account.Get(tx, m.Account)
		if err != nil {
			return s, err
		}
		if s.by = a.Name(); s.by == "" { // the account is gone
			s.by = m.Reference
		}
	}
	s.offers, err = application.AllOffers(tx)
	return s, err
}

func (s stage) letter(lang string) letter {
	l := letter{
		Reference: s.Reference, Principal: s.principal, Short: plain.Short(s.principal, 24), By: s.by, Offered: s.ProposedSide == ForRepresentative, First: s.StartsAt, Last: s.LastDay(),
		Note: s.Note, Answer: s.Answer, Waiting: s.State == Accepted, Path: "/mandates/" + s.ID,
	}
	for _, r := range s.Roles {
		if a, role, ok := s.offers.Role(r.Application, r.Key); ok {
			l.Roles = append(l.Roles, role.Name(lang)+" ("+a.Name+")")
		}
	}
	return l
}

// send writes to one person with an account; who did it themselves reads how
// to take it back if it was not them.
func (s stage) send(tx *db.Tx, to account.Account, text string, own bool) error {
	if to.State == account.Deleted || to.Email == "" {
		return nil
	}
	l := s.letter(to.Language)
	if own {
		var err error
		if l.Disavow, err = account.Disavowal(tx, to.ID); err != nil {
			return err
		}
	}
	return texts.Send(tx, to.Person(), text, l)
}

// tell reaches the people of one side by mail and bell.
func (s stage) tell(tx *db.Tx, by audit.Actor, principal bool, text, phrase string, args ...string) error {
	ids := []string{s.Account}
	organizationID := s.Representative
	if principal {
		organizationID = s.Principal
	}
	if organizationID != "" {
		var err error
		if ids, err = membership.Admins(tx, organizationID); err != nil {
			return err
		}
	}
	people, err := account.GetMany(tx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		a, known := people[id]
		if !known {
			continue
		}
		own := id == by.Account
		if text != "" {
			if err := s.send(tx, a, text, own && text == "holds"); err != nil {
				return err
			}
		}
		if own {
			continue
		}
		if err := notice.Tell(tx, id, phrase, "/mandates/"+s.ID, args...); err != nil {
			return err
		}
	}
	return nil
}

// tellProposed asks the other side; whoever gives power reads that it was done
// in their name.
func (m Mandate) tellProposed(tx *db.Tx, by audit.Actor, token string) error {
	s, err := m.stage(tx)
	if err != nil {
		return err
	}
	if m.ProposedSide == ForRepresentative {
		return s.tell(tx, by, true, "proposed", "notice.mandate_offered", s.by, s.principal)
	}
	if m.Email == "" {
		return s.tell(tx, by, false, "proposed", "notice.mandate_proposed", s.principal)
	}
	lang, err := reads(tx, by, m.Email)
	if err != nil {
		return err
	}
	l := s.letter(lang)
	l.Path = "/representation/" + token
	return texts.Send(tx, mail.Person{Name: m.Email, Address: m.Email, Lang: lang}, "proposed", l)
}

// reads is the language of somebody of whom an address is known: that of their
// account, which only they notice; else of whoever writes to them.
func reads(tx *db.Tx, by audit.Actor, email string) (string, error) {
	a, err := account.Owner(tx, fold.Login(email))
	if fault.Is(err, fault.KindNotFound) && by.Account != "" {
		a, err = account.Get(tx, by.Account)
	}
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return "", err
	}
	return cmp.Or(a.Language, "de"), nil
}

// tellAccepted tells both sides that it holds, or the chamber that it is asked.
func (m Mandate) tellAccepted(tx *db.Tx, by audit.Actor) error {
	if m.State == Active {
		return m.tellHolds(tx, by)
	}
	s, err := m.stage(tx)
	if err != nil {
		return err
	}
	if err := organization.TellClerks(tx, m.Chamber, "", "notice.mandate_waiting", "/chamber/mandates/"+m.ID, s.by, s.principal); err != nil {
		return err
	}
	return s.both(tx, by, "holds", "notice.mandate_accepted", s.by, s.principal)
}

func (m Mandate) tellHolds(tx *db.Tx, by audit.Actor) error {
	s, err := m.stage(tx)
	if err != nil {
		return err
	}
	return s.both(tx, by, "holds", "notice.mandate_holds", s.by, s.principal)
}

func (s stage) both(tx *db.Tx, by audit.Actor, text, phrase string, args ...string) error {
	if err := s.tell(tx, by, true, text, phrase, args...); err != nil {
		return err
	}
	return s.tell(tx, by, false, text, phrase, args...)
}

// tellEnd tells what came of it: declined, refused, revoked or ended. Of a
// proposal that nobody answered only its own side hears.
func (m Mandate) tellEnd(tx *db.Tx, by audit.Actor, outcome string) error {
	s, err := m.stage(tx)
	if err != nil {
		return err
	}
	phrase := "notice.mandate_" + outcome
	if m.AcceptedAt.IsZero() && outcome != "revoked" {
		return s.tell(tx, by, m.ProposedSide == ForPrincipal, outcome, phrase, s.by, s.principal)
	}
	return s.both(tx, by, outcome, phrase, s.by, s.principal)
}

func (m Mandate) tellSoon(tx *db.Tx) error {
	s, err := m.stage(tx)
	if err != nil {
		return err
	}
	return s.both(tx, audit.Job, "soon", "notice.mandate_soon", s.by, s.principal, s.LastDay().In(mail.Berlin).Format("02.01.2006"))
}

// tellPerson tells somebody that they act now, or no more, for their organization's mandate.
func (m Mandate) tellPerson(tx *db.Tx, by audit.Actor, accountID string, yes bool) error {
	if accountID == by.Account {
		return nil
	}
	o, err := organization.Get(tx, m.Principal)
	if err != nil {
		return err
	}
	phrase := map[bool]string{true: "notice.mandate_named", false: "notice.mandate_unnamed"}[yes]
	return notice.Tell(tx, accountID, phrase, "/account/mandates", o.Name)
}
