package registration

import (
	"slices"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
)

// Queue lists a chamber's registrations for its desk, a page at a time.
func Queue(tx *db.Tx, by audit.Actor, chamberID string, f Filter) ([]Item, error) {
	if err := chamber.MustClerk(tx, by, chamberID); err != nil {
		return nil, err
	}
	items, err := queue(tx, by, chamberID, f)
	if err != nil {
		return nil, err
	}
	return items, named(tx, items)
}

// named fills in who applied and who has it.
func named(tx *db.Tx, items []Item) error {
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
	return err
}

// Statuses a queue can be filtered by.
const (
	StatusOpen      = "open"
	StatusMine      = "mine"
	StatusSecond    = "second" // one clerk said yes, another has to
	StatusAskedBack = "asked_back"
	StatusSamples   = "samples" // released without a clerk, to be looked at
	StatusDone      = "done"
)

// Orders of a queue.
const (
	ByAge  = "age"
	ByRisk = "risk" // what needs a close look first
	ByName = "name"
)

// A Filter of the queue.
type Filter struct {
	Status string // see above; empty is open
	Sort   string // see above; empty is by age. What is done is always sorted by its end
	After  string // id of the last row of the page before
	Limit  int    // 0: PageSize, and one more that says whether there are more
}

// PageSize is how many rows a page of the queue has.
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
	one := []Item{i}
	err = named(tx, one)
	return one[0], err
}

// Next is the open registration after this one in the queue, or empty: one
// that nobody else has taken on and that the clerk may decide. After the last
// comes the first again.
func Next(tx *db.Tx, by audit.Actor, r Registration, sort string) (string, error) {
	return next(tx, by, r, sort)
}

// Counts of a chamber's desk.
type Counts struct {
	Open, Old, Mine, AskedBack int // Old: open for more than three days
	Second, Samples            int
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
