package membership

import (
	"embed"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/plain"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
)

//go:embed mails/*.txt
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

// letter is what the mail texts may use.
type letter struct {
	Name         string // of the reader
	Organization string
	Short        string // the organization, short enough for a subject
	ID           string // of the organization
	Role         string // in the reader's language; empty: it is about the membership
	At           db.Time
}

// RoleName is what people call a role, in their language.
func RoleName(offers application.Offers, r Role, lang string) string {
	if _, role, ok := offers.Role(r.Application, r.Key); ok {
		return role.Name(lang)
	}
	return r.Key
}

// tellMember puts a change of a membership under the member's bell, unless it
// was the member's own doing.
func tellMember(tx *db.Tx, by audit.Actor, m Member, phrase string, roles ...Role) error {
	if m.Account == by.Account {
		return nil
	}
	company, err := organization.Get(tx, m.Organization)
	if err != nil {
		return err
	}
	args := []string{company.Name}
	if len(roles) > 0 {
		person, err := account.Get(tx, m.Account)
		if err != nil {
			return err
		}
		offers, err := application.AllOffers(tx)
		if err != nil {
			return err
		}
		args = append(args, RoleName(offers, roles[0], person.Language))
	}
	return notice.Tell(tx, m.Account, phrase, "/organizations/"+m.Organization, args...)
}

// tellGone tells somebody by mail and bell who is a member no more.
func tellGone(tx *db.Tx, m Member, name string) error {
	company, err := organization.Get(tx, m.Organization)
	if err != nil {
		return err
	}
	person, err := account.Get(tx, m.Account)
	if err != nil {
		return err
	}
	yes, err := notice.Mails(tx, m.Account, notice.Answers)
	if err == nil && yes {
		err = texts.Send(tx, person.Person(), name, letter{Name: person.Name(), Organization: company.Name, Short: plain.Short(company.Name, 28)})
	}
	if err != nil {
		return err
	}
	return notice.Tell(tx, m.Account, "notice.removed", "/", company.Name)
}
