package request

import (
	"embed"
	"slices"
	"unicode/utf8"

	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/plain"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
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
	Applicant    string // full name
	Initial      string // "Anna B.", for a subject
	Username     string
	Reason       string
	Answer       string
	Roles        []string // names, in the reader's language
	Request      string   // id
	Other        string   // another admin, or who is away
	From, Until  db.Time
	Days         int // it waits already
	Email        string
	ID           string // of the organization
}

// stage is what the mails and notices about one request need.
type stage struct {
	request   Request
	company   organization.Organization
	applicant account.Account
	offers    application.Offers
}

func set(tx *db.Tx, r Request) (s stage, err error) {
	s.request = r
	if s.company, err = organization.Get(tx, r.Organization); err != nil {
		return s, err
	}
	if s.applicant, err = account.Get(tx, r.Applicant); err != nil {
		return s, err
	}
	if len(r.Roles) > 0 {
		s.offers, err = application.AllOffers(tx)
	}
	return s, err
}

func (s stage) send(tx *db.Tx, to account.Account, name string) error {
	return s.write(tx, to, name, letter{})
}

// write sends a mail with what this one says beyond the request.
func (s stage) write(tx *db.Tx, to account.Account, name string, more letter) error {
	l := letter{
		Name: to.Name(), Organization: s.company.Name, Short: plain.Short(s.company.Name, 28), Applicant: s.applicant.Name(), Initial: initial(s.applicant),
		Username: s.applicant.Username, Reason: s.request.Reason, Answer: s.request.Answer, Request: s.request.ID, ID: s.company.ID,
		Other: more.Other, From: more.From, Until: more.Until, Email: more.Email,
	}
	if !s.request.SubmittedAt.IsZero() {
		l.Days = int(tx.Now().Sub(s.request.SubmittedAt).Hours() / 24)
	}
	for _, r := range s.request.Roles {
		l.Roles = append(l.Roles, membership.RoleName(s.offers, r, to.Language))
	}
	return texts.Send(tx, to.Person(), name, l)
}

// answer writes to the applicant, who may have chosen to read it in the portal only.
func (s stage) answer(tx *db.Tx, name string) error {
	if yes, err := notice.Mails(tx, s.applicant.ID, notice.Answers); err != nil || !yes {
		return err
	}
	return s.send(tx, s.applicant, name)
}

// tellSubmitted confirms to the applicant and calls the admins: mail and bell (M04, M06).
func tellSubmitted(tx *db.Tx, r Request) error {
	s, err := set(tx, r)
	if err != nil {
		return err
	}
	if err := s.answer(tx, r.Kind+"_sent"); err != nil {
		return err
	}
	phrase := "notice.join_submitted"
	if r.Kind == ForRoles {
		phrase = "notice.role_submitted"
	}
	return s.call(tx, r.Kind+"_received", phrase, false)
}

// call tells the admins of a request: everybody by the bell, by mail those who
// are here or stand in for one who is not. everybody: those away, too.
func (s stage) call(tx *db.Tx, mail, phrase string, everybody bool) error {
	return s.callWith(tx, mail, phrase, "/requests/"+s.request.ID, letter{}, everybody)
}

// relay is call for a message that belongs to no request.
func (s stage) relay(tx *db.Tx) error {
	return s.callWith(tx, "relay", "notice.relay", "/organizations/"+s.company.ID, letter{Email: s.applicant.Email}, false)
}

func (s stage) callWith(tx *db.Tx, mail, phrase, href string, more letter, everybody bool) error {
	admins, err := membership.Admins(tx, s.company.ID)
	if err != nil {
		return err
	}
	people, err := account.GetMany(tx, admins)
	if err != nil {
		return err
	}
	silent, err := notice.Silent(tx, notice.Requests, admins...)
	if err != nil {
		return err
	}
	away, err := awayNow(tx, s.company.ID)
	if err != nil {
		return err
	}
	here := func(id string) bool { return everybody || away[id].Until.IsZero() }
	if !slices.ContainsFunc(admins, here) { // nobody is: then all of them
		here = func(string) bool { return true }
	}
	for _, a := range away {
		if a.Deputy != "" {
			silent[a.Deputy] = false // who stands in for somebody is written to
		}
	}
	for _, id := range admins {
		if id == s.applicant.ID {
			continue
		}
		if here(id) && !silent[id] {
			if err := s.write(tx, people[id], mail, more); err != nil {
				return err
			}
		}
		if err := notice.Tell(tx, id, phrase, href, s.applicant.Name(), s.company.Name); err != nil {
			return err
		}
	}
	return nil
}

// tellDecided tells the applicant the outcome (M05, M06); r holds the roles given.
func tellDecided(tx *db.Tx, r Request) error {
	s, err := set(tx, r)
	if err != nil {
		return err
	}
	if err := s.answer(tx, r.Kind+"_"+r.State); err != nil {
		return err
	}
	phrases := map[string]string{
		Join + Approved: "notice.join_approved", Join + Denied: "notice.join_denied",
		ForRoles + Approved: "notice.role_approved", ForRoles + Denied: "notice.role_denied",
	}
	return notice.Tell(tx, r.Applicant, phrases[r.Kind+r.State], "/requests/"+r.ID, s.company.Name)
}

// tellWithdrawn lets the admin know who had taken the request on.
func tellWithdrawn(tx *db.Tx, r Request) error {
	if r.ClaimedBy == "" {
		return nil
	}
	s, err := set(tx, r)
	if err != nil {
		return err
	}
	return notice.Tell(tx, r.ClaimedBy, "notice.request_withdrawn", "/requests/"+r.ID, s.applicant.Name(), s.company.Name)
}

// initial is a name for a subject line: "Anna B."
func initial(a account.Account) string {
	r, _ := utf8.DecodeRuneInString(a.FamilyName)
	if a.FamilyName == "" {
		return plain.Short(a.GivenName, 20)
	}
	return plain.Short(a.GivenName, 18) + " " + string(r) + "."
}
