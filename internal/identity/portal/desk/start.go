package desk

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/registration"
	"zunft/internal/identity/tally"
)

// hrefs are where the queues of the work list lie; the first ones are always
// shown, the others when something waits there.
var hrefs = map[string]string{
	"registrations": "/chamber/registrations", "mine": "/chamber/registrations?status=mine", "asked_back": "/chamber/registrations?status=asked_back", "samples": "/chamber/registrations?status=samples",
	"names": "/chamber/identities", "recoveries": "/chamber/recoveries", "letters": "/chamber/letters", "batches": "/chamber/letters", "returned": "/chamber/letters/returned",
	"sites": "/chamber/sites", "successions": "/chamber/successions", "mandates": "/chamber/mandates", "overdue": "/chamber/requests",
}

var always = map[string]bool{"registrations": true, "mine": true, "names": true, "recoveries": true, "letters": true}

// A Pile is a queue of the work list.
type Pile struct {
	tally.Queue
	Href string
}

type startPage struct {
	web.Frame
	clock
	Piles   []Pile
	Oldest  []registration.Item
	Entries int // of the member directory
	Changed db.Time
	Lead    bool
}

// start is the work list: every queue with its oldest, and what waits longest.
func (p *Pages) start(w http.ResponseWriter, r *http.Request) error {
	page := &startPage{Frame: web.Frame{Wide: true}}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		id, err := mine(tx, r)
		if err != nil {
			return err
		}
		by := web.Actor(r)
		page.clock = p.clock(tx, r)
		queues, err := tally.Queues(tx, by, id)
		if err != nil {
			return err
		}
		for _, q := range queues {
			if q.Count > 0 || always[q.Key] {
				page.Piles = append(page.Piles, Pile{q, hrefs[q.Key]})
			}
		}
		if page.Oldest, err = registration.Queue(tx, by, id, registration.Filter{}); err != nil {
			return err
		}
		page.Oldest = page.Oldest[:min(len(page.Oldest), 5)]
		if page.Lead, err = chamber.IsLead(tx, by.Account, id); err != nil {
			return err
		}
		page.Entries, page.Changed, err = directory.Size(tx, id)
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "start", page)
}
