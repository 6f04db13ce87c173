package invitation

import (
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/plain"
	"zunft/internal/identity/account"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
)

// letter is what the mail texts may use.
type letter struct {
	Name         string // as the admin wrote it, perhaps empty
	Organization string
	Short        string // the organization, short enough for a subject
	As           string // the only role, for a subject; or empty
	By           string // who invites, or empty
	Roles        []string
	Admin        bool
	Message      string
	Token        string
	Known        bool // the address has an account; only its owner reads this (M02)
	Until        db.Time
	Days         int // left, at least 1
}

// post sends the mail with the link; within an hour the same is not said twice.
func (h host) post(tx *db.Tx, i Invitation, name string, again bool) (Invitation, error) {
	if !again && !i.SentAt.IsZero() && tx.Now().Sub(i.SentAt) < quiet {
		return i, nil
	}
	l := letter{
		Name: i.Name(), Organization: h.Name, Short: plain.Short(h.Name, 28), Admin: i.Admin, Message: i.Message, Token: token(tx, i.ID), Until: i.ExpiresAt,
		Days: max(1, int(i.ExpiresAt.Sub(tx.Now()).Hours()/24+0.5)),
	}
	for _, r := range i.Roles {
		if _, role, ok := h.offers.Role(r.Application, r.Key); ok {
			l.Roles = append(l.Roles, role.Name(i.Language))
		}
	}
	if len(l.Roles) == 1 && !i.Admin {
		l.As = plain.Short(l.Roles[0], 60-utf8.RuneCountInString(l.Short)-utf8.RuneCountInString(" lädt Sie ein als "))
	}
	if i.InvitedBy != "" {
		admin, err := account.Get(tx, i.InvitedBy)
		if err != nil {
			return i, err
		}
		l.By = admin.Name()
	}
	owner, err := account.Owner(tx, fold.Login(i.Email))
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return i, err
	}
	if l.Known = err == nil; l.Known && !again {
		if err := notice.Tell(tx, owner.ID, "notice.invited", "/account/invitations", h.Name); err != nil {
			return i, err
		}
	}
	if err := texts.SendAbout(tx, mail.Person{Name: i.Name(), Address: i.Email, Lang: i.Language}, name, l, about+i.ID); err != nil {
		return i, err
	}
	i.SentAt = tx.Now()
	_, err = tx.Exec(`UPDATE invitation SET sent_at = $1, token_hash = $2 WHERE id = $3`, i.SentAt, hash(l.Token), i.ID)
	return i, err
}

// tellGiven tells a member of the roles that are new.
func (h host) tellGiven(tx *db.Tx, by audit.Actor, m membership.Member, roles []membership.Role) error {
	if m.Account == by.Account {
		return nil
	}
	person, err := account.Get(tx, m.Account)
	if err != nil {
		return err
	}
	for _, r := range roles {
		_, declared, _ := h.offers.Role(r.Application, r.Key)
		if m.Has(r.Application, r.Key) {
			continue
		}
		if err := notice.Tell(tx, m.Account, "notice.role_given", "/organizations/"+h.ID, h.Name, declared.Name(person.Language)); err != nil {
			return err
		}
	}
	return nil
}

// about marks our mails for the mail server's refusals.
const about = "invitation/"

// tellAccepted puts it under the bell of who invited (R113).
func tellAccepted(tx *db.Tx, by audit.Actor, i Invitation, o organization.Organization) error {
	person, err := account.Get(tx, by.Account)
	if err != nil {
		return err
	}
	return tellInviter(tx, i, "notice.invitation_accepted", "/organizations/"+i.Organization+"/members", person.Name(), o.Name)
}

func tellDeclined(tx *db.Tx, i Invitation) error {
	return tellInviter(tx, i, "notice.invitation_declined", "/organizations/"+i.Organization+"/invitations", i.who())
}

func tellUndeliverable(tx *db.Tx, i Invitation) error {
	return tellInviter(tx, i, "notice.invitation_undeliverable", "/organizations/"+i.Organization+"/invitations?state=undeliverable", i.who())
}

func tellInviter(tx *db.Tx, i Invitation, phrase, href string, args ...string) error {
	if i.InvitedBy == "" || i.InvitedBy == i.Account {
		return nil
	}
	return notice.Tell(tx, i.InvitedBy, phrase, href, args...)
}

// who is the person as the inviter knows them.
func (i Invitation) who() string {
	if name := i.Name(); name != "" {
		return name
	}
	return i.Email
}
