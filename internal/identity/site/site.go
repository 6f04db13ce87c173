// Package site knows the branches and training sites below a company's head
// office (W25): one organization, and where its people work.
//
//	        Ask                 Release
//	admin ───────▶ asked ───────────────▶ released ──Close──▶ closed
//	                 └──────Refuse──────▶ refused
//
// Policy:
//   - An admin of the head office asks for a site; a clerk of its chamber releases
//     it to the head office (R300), after a look into the directory where the
//     branch has an ident number of its own. Not for their own company.
//   - Only released sites can be given to members and roles. A site that somebody
//     still works at is not closed.
package site

import (
	"embed"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/fold"
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

// States of a site.
const (
	Asked   = "asked"
	Open    = "released"
	Refused = "refused"
	Shut    = "closed"
)

// askRate bounds what the chamber's clerks are told: asking and closing again has an end.
var askRate = limit.Rate{Burst: 60, Every: 30 * time.Minute}

// MostOpen is how many sites of a company may wait for its chamber at once.
const MostOpen = 20

// A Site of an organization.
type Site struct {
	ID, Organization                     string
	IdentNumber, Name                    string
	Street, HouseNumber, Postcode, Place string
	State, Answer, Clerk                 string
	CreatedAt, DecidedAt                 db.Time
	Version                              int
}

// Address is one line.
func (s Site) Address() string {
	return strings.TrimSpace(s.Street+" "+s.HouseNumber) + ", " + s.Postcode + " " + s.Place
}

// check brings what was typed into form and says what is wrong with it.
func (s *Site) check(chamberNumber string) error {
	var p fault.Problems
	for _, f := range []struct {
		field    string
		value    *string
		most     int
		required bool
	}{
		{"name", &s.Name, 100, true}, {"street", &s.Street, 80, true}, {"house_number", &s.HouseNumber, 12, false}, {"place", &s.Place, 60, true},
	} {
		*f.value = strings.Join(strings.Fields(*f.value), " ")
		if n := utf8.RuneCountInString(*f.value); n > f.most {
			p.Add(f.field, "site.long", f.most, n)
		} else if n == 0 && f.required {
			p.Add(f.field, "site."+f.field+"_missing")
		}
	}
	s.Postcode = strings.TrimSpace(s.Postcode)
	if len(s.Postcode) != 5 || strings.Trim(s.Postcode, "0123456789") != "" {
		p.Add("postcode", "site.postcode_form")
	}
	if s.IdentNumber != "" {
		folded, ok := fold.Ident(s.IdentNumber, chamberNumber)
		if !ok {
			p.Add("ident_number", "site.ident_form")
		}
		s.IdentNumber = folded
	}
	return p.Err()
}

// Ask is an admin's: the chamber releases the site, or says why not.
func Ask(tx *db.Tx, by audit.Actor, organizationID string, s Site) (Site, error) {
	if err := membership.MustAdminister(tx, by, organizationID); err != nil {
		return s, err
	}
	o, err := organization.Get(tx, organizationID)
	if err != nil {
		return s, err
	}
	if o.State != organization.Active || o.Closing() {
		return s, fault.Conflict("site.not_active", o.Name)
	}
	c, err := chamber.Get(tx, o.Chamber)
	if err != nil {
		return s, err
	}
	if err := s.check(c.Number); err != nil {
		return s, err
	}
	s.ID, s.Organization, s.State, s.Answer, s.Clerk, s.CreatedAt, s.Version = db.NewID(), organizationID, Asked, "", "", tx.Now(), 1
	if err := limit.TakeIn(tx, "site/"+o.ID, askRate); err != nil {
		return s, err
	}
	added, err := insert(tx, s, o.Chamber)
	if err != nil {
		return s, err
	}
	if !added {
		return s, fault.Conflict("site.many", MostOpen)
	}
	if err := record(tx, by, "site.asked", o, s.ID); err != nil {
		return s, err
	}
	return s, organization.TellClerks(tx, o.Chamber, "", "notice.site_asked", "/chamber/sites", s.Name+" ("+o.Name+")")
}

// Of are an organization's sites by name, for its admins; without those closed.
func Of(tx *db.Tx, by audit.Actor, organizationID, after string) ([]Site, error) {
	if err := membership.MustAdminister(tx, by, organizationID); err != nil {
		return nil, err
	}
	return list(tx, organizationID, after)
}

// Released are the sites that members and roles of an organization can be given.
func Released(tx *db.Tx, organizationID string) ([]Site, error) { return released(tx, organizationID) }

// MustRelease refuses what is no released site of the organization; empty is the
// head office, and always there.
func MustRelease(tx *db.Tx, organizationID, id string) error {
	if id == "" {
		return nil
	}
	s, err := get(tx, id)
	if err == nil && (s.Organization != organizationID || s.State != Open) {
		err = fault.NotFound()
	}
	if fault.Is(err, fault.KindNotFound) {
		err = fault.Invalid("site", "site.unknown")
	}
	return err
}

// Close ends a site that nobody works at any more, or one that still waits.
func Close(tx *db.Tx, by audit.Actor, id string) error {
	s, err := get(tx, id)
	if err != nil {
		return err
	}
	if err := membership.MustAdminister(tx, by, s.Organization); err != nil {
		return err
	}
	// Whoever gives the site to somebody at this moment waits for its row, or is seen.
	if _, err := tx.Exec(`UPDATE site SET version = version WHERE id = $1`, id); err != nil {
		return err
	}
	people, err := used(tx, s)
	if err != nil {
		return err
	}
	if people > 0 {
		return fault.Conflict("site.in_use", people)
	}
	n, err := tx.Exec(`UPDATE site SET state = 'closed', closed_at = $1, version = version + 1 WHERE id = $2 AND state IN ('asked', 'released')`, tx.Now(), id)
	if err != nil {
		return fmt.Errorf("close site %s: %w", id, err)
	}
	if n == 0 {
		return fault.Conflict("site.changed_meanwhile")
	}
	o, err := organization.Get(tx, s.Organization)
	if err != nil {
		return err
	}
	return record(tx, by, "site.closed", o, s.ID)
}

// A Case is a site as the desk sees it.
type Case struct {
	Site
	Company, CompanyAddress, Ident string
	Listed                         string // the directory's entry under the branch's own ident number
}

// Queue are the sites that wait for a chamber, oldest first; after is the id of
// the last one of the page before. 50 a page.
func Queue(tx *db.Tx, by audit.Actor, chamberID, after string) ([]Case, error) {
	if err := chamber.MustClerk(tx, by, chamberID); err != nil {
		return nil, err
	}
	return queue(tx, chamberID, after)
}

// Release lets the head office have the site (R300).
func Release(tx *db.Tx, by audit.Actor, id string) error {
	return decide(tx, by, id, Open, "")
}

// Refuse says why the head office does not get it.
func Refuse(tx *db.Tx, by audit.Actor, id, answer string) error {
	answer = strings.TrimSpace(answer)
	if answer == "" {
		return fault.Invalid("answer", "site.answer_missing")
	}
	if n := utf8.RuneCountInString(answer); n > 500 {
		return fault.Invalid("answer", "site.long", 500, n)
	}
	return decide(tx, by, id, Refused, answer)
}

func decide(tx *db.Tx, by audit.Actor, id, state, answer string) error {
	s, err := get(tx, id)
	if err != nil {
		return err
	}
	o, err := organization.Get(tx, s.Organization)
	if err != nil {
		return err
	}
	if err := chamber.MustClerk(tx, by, o.Chamber); err != nil {
		return err
	}
	if err := organization.NotOwn(tx, by, o.ID); err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE site SET state = $1, answer = $2, clerk = $3, decided_at = $4, version = version + 1 WHERE id = $5 AND state = 'asked'`, state, answer, by.Account, tx.Now(), id)
	if err != nil {
		return fmt.Errorf("decide site %s: %w", id, err)
	}
	if n == 0 {
		return fault.Conflict("site.changed_meanwhile")
	}
	event, phrase := "site.released", "notice.site_released"
	if state == Refused {
		event, phrase = "site.refused", "notice.site_refused"
	}
	if err := record(tx, by, event, o, id); err != nil {
		return err
	}
	s.State, s.Answer = state, answer
	return tell(tx, o, s, phrase)
}

func record(tx *db.Tx, by audit.Actor, event string, o organization.Organization, id string) error {
	return audit.Record(tx, by, audit.Entry{Event: event, Account: by.Account, Organization: o.ID, Chamber: o.Chamber, Thing: id})
}

// tell writes the chamber's answer to the admins.
func tell(tx *db.Tx, o organization.Organization, s Site, phrase string) error {
	ids, err := membership.Admins(tx, o.ID)
	if err != nil {
		return err
	}
	people, err := account.GetMany(tx, ids)
	if err != nil {
		return err
	}
	silent, err := notice.Silent(tx, notice.Registrations, ids...)
	if err != nil {
		return err
	}
	c, err := chamber.Get(tx, o.Chamber)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := notice.Tell(tx, id, phrase, "/organizations/"+o.ID+"/sites", s.Name); err != nil {
			return err
		}
		if silent[id] {
			continue
		}
		person := people[id].Person()
		if err := Texts.Send(tx, person, "site_"+s.State, message{Name: person.Name, Company: o.Name, ID: o.ID, Site: s.Name, Answer: s.Answer, Chamber: c.Name}); err != nil {
			return err
		}
	}
	return nil
}

// message is what the mails may use.
type message struct{ Name, Company, ID, Site, Answer, Chamber string }

// nameKey sorts names as people do, on both engines.
func nameKey(name string) string {
	return hex.EncodeToString(collate.New(language.German, collate.IgnoreCase).KeyFromString(&collate.Buffer{}, name))
}
