package registration

import (
	"slices"
	"strings"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
)

// GetRegistration is a registration for a clerk of its chamber.
func GetRegistration(tx *db.Tx, by audit.Actor, id string) (Registration, error) {
	r, err := loadRegistration(tx, id)
	if err != nil {
		return r, err
	}
	if clerk, err := chamber.IsClerk(tx, by.Account, r.Chamber); err != nil {
		return r, err
	} else if !clerk {
		return r, fault.NotFound()
	}
	return r, nil
}

// Claim is "Mir zuweisen": the clerk takes the case on; Conflict if another was quicker.
func Claim(tx *db.Tx, by audit.Actor, id string) error { return pass(tx, by, id, "", by.Account) }

// Release gives the clerk's own case back.
func Release(tx *db.Tx, by audit.Actor, id string) error { return pass(tx, by, id, by.Account, "") }

// TakeOver takes the case from the clerk who has it, e.g. who is ill.
func TakeOver(tx *db.Tx, by audit.Actor, id, from string) error {
	if from == "" {
		return Claim(tx, by, id)
	}
	return pass(tx, by, id, from, by.Account)
}

func pass(tx *db.Tx, by audit.Actor, id, from, to string) error {
	r, err := GetRegistration(tx, by, id)
	if err != nil {
		return err
	}
	if err := notOwn(by, r); err != nil {
		return err
	}
	passed, err := passTo(tx, id, from, to)
	if err != nil {
		return err
	}
	if !passed {
		return quicker(tx, by, id)
	}
	event := "registration.claimed"
	switch {
	case to == "":
		event = "registration.released"
	case from != "":
		event = "registration.taken_over"
	}
	return r.record(tx, by, event, map[string]any{"from": from})
}

// Approve makes an organization of the directory's entry and queues the letter
// to its management (R091, R092). version is what the clerk saw.
func Approve(tx *db.Tx, by audit.Actor, id string, version int, entryID, method string) (organization.Organization, error) {
	r, err := deciding(tx, by, id)
	if err != nil {
		return organization.Organization{}, err
	}
	var p fault.Problems
	entry, err := directory.Get(tx, entryID)
	if fault.Is(err, fault.KindNotFound) || err == nil && entry.Chamber != r.Chamber {
		p.Add("entry", "registration.entry_missing")
	} else if err != nil {
		return organization.Organization{}, err
	}
	if !slices.Contains(organization.Methods(), method) {
		p.Add("evidence", "registration.evidence_missing")
	}
	if err := p.Err(); err != nil {
		return organization.Organization{}, err
	}
	o := organization.Organization{
		ID: db.NewID(), Chamber: r.Chamber, Company: entry.Company, Management: entry.Management,
		State: organization.AwaitingLetter, RegisteredBy: r.Applicant, CreatedAt: tx.Now(), Version: 1,
	}
	moved, err := decide(tx, decision{id: id, version: version, state: Approved, clerk: by.Account, entry: entryID, evidence: method, organization: o.ID})
	if err != nil {
		return o, err
	}
	if !moved {
		return o, quicker(tx, by, id)
	}
	created, err := organization.Create(tx, o)
	if err != nil {
		return o, err
	}
	if !created {
		return o, fault.Conflict("registration.entry_taken", entry.Name)
	}
	r.Organization = o.ID
	if method != organization.ByLetter { // the letter's own evidence comes with activation
		if err := organization.AddEvidence(tx, o.ID, organization.Proof{Method: method, Registration: r.ID, Clerk: by.Account}); err != nil {
			return o, err
		}
	}
	if err := r.record(tx, by, "registration.approved", map[string]any{"evidence": method, "entry": entryID, "score": r.Score}); err != nil {
		return o, err
	}
	if err := letter.Queue(tx, by, o.Chamber, o.ID); err != nil {
		return o, err
	}
	return o, r.outcome(tx, "registration_approved", "notice.registration_approved", "")
}

// AskBack asks the applicant; the case rests until they answer.
func AskBack(tx *db.Tx, by audit.Actor, id string, version int, question string) error {
	r, err := deciding(tx, by, id)
	if err != nil {
		return err
	}
	if question, err = answer("question", question, "registration.question_missing"); err != nil {
		return err
	}
	moved, err := decide(tx, decision{id: id, version: version, state: AskedBack, clerk: by.Account, answer: question})
	if err != nil {
		return err
	}
	if !moved {
		return quicker(tx, by, id)
	}
	if err := r.record(tx, by, "registration.asked_back", nil); err != nil {
		return err
	}
	return r.outcome(tx, "registration_asked_back", "notice.registration_asked_back", question)
}

// Refuse ends an application with the reason that the applicant reads (R209, R210).
func Refuse(tx *db.Tx, by audit.Actor, id string, version int, reason string) error {
	r, err := deciding(tx, by, id)
	if err != nil {
		return err
	}
	if reason, err = answer("refusal", reason, "registration.refusal_missing"); err != nil {
		return err
	}
	moved, err := decide(tx, decision{id: id, version: version, state: Refused, clerk: by.Account, answer: reason})
	if err != nil {
		return err
	}
	if !moved {
		return quicker(tx, by, id)
	}
	if err := r.record(tx, by, "registration.refused", nil); err != nil {
		return err
	}
	return r.outcome(tx, "registration_refused", "notice.registration_refused", reason)
}

func answer(field, text, missing string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", fault.Invalid(field, missing)
	}
	if n := utf8.RuneCountInString(text); n > MostAnswer {
		return "", fault.Invalid(field, "registration.answer_long", n)
	}
	return text, nil
}

// deciding loads a registration for a decision: a clerk of its chamber, and
// not the applicant (four eyes, R091).
func deciding(tx *db.Tx, by audit.Actor, id string) (Registration, error) {
	r, err := GetRegistration(tx, by, id)
	if err != nil {
		return r, err
	}
	return r, notOwn(by, r)
}

func notOwn(by audit.Actor, r Registration) error {
	if r.Applicant == by.Account {
		return &fault.Fault{Kind: fault.KindForbidden, Problems: []fault.Problem{{Key: "registration.own_registration"}}}
	}
	return nil
}

// outcome tells the applicant in mail and portal.
func (r Registration) outcome(tx *db.Tx, text, phrase, answer string) error {
	if err := r.write(tx, text, answer); err != nil {
		return err
	}
	return notice.Tell(tx, r.Applicant, phrase, "/registrations/"+r.ID, r.Name)
}

// quicker says what happened to a registration in the meantime, and who did it.
func quicker(tx *db.Tx, by audit.Actor, id string) error {
	r, err := loadRegistration(tx, id)
	if err != nil {
		return err
	}
	name := ""
	if r.Clerk != "" {
		people, err := account.GetMany(tx, []string{r.Clerk})
		if err != nil {
			return err
		}
		name = people[r.Clerk].Name()
	}
	at := r.DecidedAt.In(mail.Berlin).Format("02.01.2006, 15:04")
	switch {
	case r.State == Withdrawn:
		return fault.Conflict("registration.withdrawn_meanwhile")
	case r.State == Approved:
		return fault.Conflict("registration.approved_meanwhile", name, at)
	case r.State == Refused:
		return fault.Conflict("registration.refused_meanwhile", name, at)
	case r.Clerk != "" && r.Clerk != by.Account && r.Applicant != by.Account:
		return fault.Conflict("registration.claimed_meanwhile", name)
	}
	return fault.Conflict("registration.changed_meanwhile")
}

// Queue lists a chamber's registrations for its desk.
func Queue(tx *db.Tx, by audit.Actor, chamberID string, f Filter) ([]Item, error) {
	if err := chamber.MustClerk(tx, by, chamberID); err != nil {
		return nil, err
	}
	items, err := queue(tx, by, chamberID, f)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, i := range items {
		ids = append(ids, i.Applicant, i.Clerk)
	}
	people, err := account.GetMany(tx, ids)
	for i := range items {
		applicant := people[items[i].Applicant]
		items[i].ApplicantName, items[i].Freemail = applicant.Name(), Freemail(applicant.Email)
		if items[i].Clerk != "" {
			items[i].ClerkName = people[items[i].Clerk].Name()
		}
	}
	return items, err
}

// Statuses a queue can be filtered by.
const (
	StatusOpen      = "open"
	StatusMine      = "mine"
	StatusAskedBack = "asked_back"
	StatusDone      = "done"
)

// A Filter of the queue.
type Filter struct {
	Status string // see above; empty is open
	Sort   string // "age" (default), "score": the least alike first, "name"
	Offset int
}

// PageSize is how many rows Queue returns at most; one more means there are more.
const PageSize = 50

// An Item is a row of the queue with what a clerk should know before opening it.
type Item struct {
	Registration
	ApplicantName, ClerkName string
	Duplicate                bool // the company has an account, or another application is open for the same entry
	Again                    bool // not the first application for this company
	Freemail                 bool // the applicant's address is of a provider that everybody can use
}

// Flagged reports whether there is anything to look out for.
func (i Item) Flagged() bool { return i.Duplicate || i.Again || i.Freemail }

// ItemOf is the queue's row of one registration.
func ItemOf(tx *db.Tx, by audit.Actor, r Registration) (Item, error) {
	i, err := item(tx, r.ID)
	if err != nil {
		return i, err
	}
	people, err := account.GetMany(tx, []string{r.Applicant, r.Clerk})
	a := people[r.Applicant]
	i.ApplicantName, i.Freemail = a.Name(), Freemail(a.Email)
	if r.Clerk != "" {
		i.ClerkName = people[r.Clerk].Name()
	}
	return i, err
}

// Next is the open registration after this one in the queue by age, or empty:
// first those nobody else has taken on.
func Next(tx *db.Tx, by audit.Actor, r Registration) (string, error) { return next(tx, by, r) }

// Counts of a chamber's desk.
type Counts struct {
	Open, Old, Mine, AskedBack int // Old: open for more than three days
}

// Count counts a chamber's registrations.
func Count(tx *db.Tx, by audit.Actor, chamberID string) (Counts, error) {
	if err := chamber.MustClerk(tx, by, chamberID); err != nil {
		return Counts{}, err
	}
	return counts(tx, by, chamberID)
}

var freemail = strings.Fields("gmx.de gmx.net gmx.at web.de gmail.com googlemail.com outlook.com outlook.de hotmail.com hotmail.de live.de yahoo.com yahoo.de t-online.de freenet.de icloud.com me.com aol.com proton.me protonmail.com posteo.de mailbox.org mail.de arcor.de")

// Freemail reports whether an address says nothing about a company.
func Freemail(address string) bool {
	_, domain, _ := strings.Cut(strings.ToLower(address), "@")
	return slices.Contains(freemail, domain)
}
