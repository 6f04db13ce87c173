package company

import (
	"net/http"
	"slices"
	"strconv"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/registration"
)

// A Step is a line of the timeline: what happened, and when.
type Step struct {
	At   db.Time
	Text string // phrase key
}

type statusPage struct {
	web.Frame
	Form *web.Form
	lists
	Registration registration.Registration
	Organization organization.Organization
	Chamber      chamber.Chamber
	Facts        []Fact
	Steps        []Step
	dialog       []Step // questions and answers
	Letter       letter.Letter
	Certified    bool // an ELSTER certificate was shown
}

// Deviates are the fields that differ from the directory, while that can be mended.
func (s *statusPage) Deviates() []string {
	if !s.Registration.Pending() {
		return nil
	}
	return s.Registration.Deviates
}

// NoCertificate: the company is to be proved by ELSTER, and nothing was shown yet.
func (s *statusPage) NoCertificate() bool {
	return s.Registration.Way == chamber.ByElster && !s.Certified && (s.Registration.State == registration.Submitted || s.Registration.State == registration.AskedBack)
}

// What is the phrase that says what the state means.
func (s *statusPage) What() string {
	switch {
	case s.State() == registration.Refused && s.Registration.Answer == "":
		return "company.what.joined"
	case s.State() == organization.AwaitingLetter && s.Registration.Automatic:
		return "company.what.letter_automatic"
	}
	return "company.what." + s.State()
}

// State is what the page's heading line says: the registration's state, and
// after approval the organization's (R093: "wartet auf Brief" is visible).
func (s *statusPage) State() string {
	if s.Registration.State == registration.Approved && s.Organization.State != "" {
		return s.Organization.State
	}
	if s.Registration.State == registration.Second { // a matter of the chamber alone
		return registration.Submitted
	}
	return s.Registration.State
}

// Kind is how the state's tag looks.
func (s *statusPage) Kind() string {
	switch s.State() {
	case organization.Active:
		return "success"
	case organization.Locked:
		return "danger"
	case registration.AskedBack:
		return "warning"
	case registration.Refused:
		return "danger"
	case registration.Withdrawn, organization.Closed:
		return "neutral"
	}
	return "info"
}

// Version is the hidden field that notices when somebody was quicker.
func (s *statusPage) Version() string { return strconv.Itoa(s.Registration.Version) }

func (p *Pages) loadStatus(r *http.Request, f *web.Form) (*statusPage, error) {
	page := &statusPage{lists: p.lists(r)}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.Registration, err = registration.OwnRegistration(tx, web.Actor(r), r.PathValue("id")); err != nil {
			return err
		}
		if page.Chamber, err = chamber.Get(tx, page.Registration.Chamber); err != nil {
			return err
		}
		postcode, place := page.Registration.Postcode, page.Registration.Place
		if f.Text("postcode") != "" { // being corrected
			postcode, place = f.Text("postcode"), f.Text("place")
		}
		if page.Certified, err = registration.Certified(tx, page.Registration.ID); err != nil {
			return err
		}
		all, err := chamber.Serving(tx, postcode, place)
		if err != nil {
			return err
		}
		for _, c := range all {
			page.Chambers = append(page.Chambers, web.Option{Value: c.ID, Text: c.Name})
		}
		if page.dialog, err = dialog(tx, page.Registration); err != nil || page.Registration.Organization == "" {
			return err
		}
		if page.Organization, err = organization.Get(tx, page.Registration.Organization); err != nil {
			return err
		}
		if page.Letter, err = letter.Current(tx, page.Organization.ID); fault.Is(err, fault.KindNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	page.Facts = p.facts(r, page.Registration)
	page.Steps = steps(page)
	return page, nil
}

// dialog is when the chamber asked back and the person answered, as recorded.
func dialog(tx *db.Tx, reg registration.Registration) (all []Step, err error) {
	for event, text := range map[string]string{
		"registration.asked_back": "company.step.asked_back", "registration.resubmitted": "company.step.resubmitted",
		"registration.certified": "company.step.certified", "registration.way_changed": "company.step.way_changed",
	} {
		rows, err := audit.List(tx, audit.Filter{Account: reg.Applicant, Event: event})
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if row.Entry.Thing == reg.ID {
				all = append(all, Step{row.At, text})
			}
		}
	}
	slices.SortFunc(all, func(a, b Step) int { return a.At.Compare(b.At.Time) })
	return all, nil
}

func steps(s *statusPage) (all []Step) {
	add := func(at db.Time, text string) {
		if !at.IsZero() {
			all = append(all, Step{at, text})
		}
	}
	add(s.Registration.SubmittedAt, "company.step.submitted")
	all = append(all, s.dialog...)
	add(s.Registration.DecidedAt, "company.step."+s.Registration.State)
	add(s.Letter.PrintedAt, "company.step.printed")
	add(s.Letter.DispatchedAt, "company.step.dispatched")
	add(s.Organization.ActivatedAt, "company.step.active")
	slices.Reverse(all)
	return all
}

func (p *Pages) showStatus(w http.ResponseWriter, r *http.Request) error {
	page, err := p.loadStatus(r, web.NewForm())
	if err != nil {
		return err
	}
	page.Form = formOf(page.Registration)
	return p.Site.Show(w, r, http.StatusOK, templates, "status", page)
}

func (p *Pages) showDone(w http.ResponseWriter, r *http.Request) error {
	page, err := p.loadStatus(r, web.NewForm())
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "done", page)
}

// answer is what the applicant does with an application: send it again after a
// question, or take it back.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request) error {
	f, by, id := web.ReadForm(r), web.Actor(r), r.PathValue("id")
	version := f.Number("version")
	phrase := "company.resubmitted"
	a, err := p.rated(r, f)
	if err != nil {
		return err
	}
	err = p.DB.Write(r.Context(), func(tx *db.Tx) error {
		switch f.Text("do") {
		case "withdraw":
			phrase = "company.withdrawn"
			return registration.Withdraw(tx, by, id)
		case "letter":
			phrase = "company.by_letter"
			return registration.ByLetterInstead(tx, by, id)
		}
		_, err := registration.Resubmit(tx, by, id, version, a)
		return err
	})
	if f.Take(err) {
		page, err := p.loadStatus(r, f)
		if err != nil {
			return err
		}
		if page.Form = f; f.Text("do") != "resubmit" {
			page.Form = formOf(page.Registration)
			page.Form.Problems = f.Problems
		}
		return p.Site.Show(w, r, f.Status(), templates, "status", page)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/registrations/"+id, phrase)
}
