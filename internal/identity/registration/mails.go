package registration

import (
	"embed"
	"fmt"

	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/notice"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails/*.txt
var mailFiles embed.FS

// Texts are this package's mails.
var Texts = mail.Parse(mailFiles)

// message is what the mails may use.
type message struct {
	Name, Company, Chamber, Reference, ID string
	Text                                  string // question or reason
	Contact                               string // how to reach the chamber, or who advises companies (R210)
	Organization                          string
	Deviates                              []string // fields that differ from the directory
	Elster                                bool
}

// write sends the applicant one of the mails in their language, unless they
// want no mails on this topic, or are gone.
func (r Registration) write(tx *db.Tx, text, answer string) error {
	c, err := chamber.Get(tx, r.Chamber)
	if err != nil {
		return err
	}
	settings, err := chamber.SettingsOf(tx, r.Chamber)
	if err != nil {
		return err
	}
	contact := c.Name
	for _, way := range []string{c.Phone, c.Hours, c.Email, settings.Adviser} {
		if way != "" {
			contact += "\n" + way
		}
	}
	a, err := account.Get(tx, r.Applicant)
	if err != nil {
		return fmt.Errorf("mail %s: %w", text, err)
	}
	if yes, err := notice.Mails(tx, r.Applicant, notice.Registrations); err != nil || !yes || a.State == account.Deleted {
		return err
	}
	person := a.Person()
	return Texts.Send(tx, person, text, message{Name: person.Name, Company: r.Name, Chamber: c.Name, Reference: r.Reference, ID: r.ID, Text: answer, Contact: contact, Organization: r.Organization, Deviates: r.Deviates, Elster: r.Way == chamber.ByElster})
}
