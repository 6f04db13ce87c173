package succession

import (
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
)

// message is what the mails may use.
type message struct {
	Name, Person, Company, ID string
	Chamber, Answer           string
	Due                       db.Time
	Disavow                   string
}

// tellAsked tells the present admins who is to join them, and from when.
func (s Succession) tellAsked(tx *db.Tx, o organization.Organization, admins []string) error {
	for _, id := range admins {
		if err := notice.Tell(tx, id, "notice.succession_asked", "/organizations/"+o.ID+"/succession", o.Name); err != nil {
			return err
		}
	}
	if err := s.write(tx, o, admins, "succession_asked"); err != nil {
		return err
	}
	return s.write(tx, o, []string{s.Account}, "succession_waits")
}

// tellDone tells the admins there were, and the new one.
func (s Succession) tellDone(tx *db.Tx, o organization.Organization) error {
	admins, err := membership.Admins(tx, o.ID)
	if err != nil {
		return err
	}
	var others []string
	for _, id := range admins {
		if id == s.Account {
			continue
		}
		others = append(others, id)
		if err := notice.Tell(tx, id, "notice.succession_done", "/organizations/"+o.ID+"/members", o.Name); err != nil {
			return err
		}
	}
	if err := notice.Tell(tx, s.Account, "notice.succession_mine", "/organizations/"+o.ID, o.Name); err != nil {
		return err
	}
	if err := s.write(tx, o, others, "succession_done"); err != nil {
		return err
	}
	return s.write(tx, o, []string{s.Account}, "succession_mine")
}

// write sends a mail about who administers a company. It is about security, so
// nobody can switch it off.
func (s Succession) write(tx *db.Tx, o organization.Organization, to []string, text string) error {
	people, err := account.GetMany(tx, append([]string{s.Account}, to...))
	if err != nil {
		return err
	}
	c, err := chamber.Get(tx, o.Chamber)
	if err != nil {
		return err
	}
	for _, id := range to {
		if people[id].State == account.Deleted {
			continue
		}
		token, err := account.Disavowal(tx, id)
		if err != nil {
			return err
		}
		person := people[id].Person()
		m := message{Name: person.Name, Person: people[s.Account].Name(), Company: o.Name, ID: o.ID, Chamber: c.Name, Answer: s.Answer, Due: s.DueAt, Disavow: token}
		if err := Texts.Send(tx, person, text, m); err != nil {
			return err
		}
	}
	return nil
}
