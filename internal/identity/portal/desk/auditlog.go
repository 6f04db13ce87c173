package desk

import (
	"net/http"
	"net/url"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/organization"
)

// events that a chamber's record is filtered by.
var events = []string{
	"registration.submitted", "registration.resubmitted", "registration.withdrawn", "registration.claimed", "registration.released", "registration.taken_over",
	"registration.approved", "registration.asked_back", "registration.refused",
	"letter.queued", "letter.printed", "letter.voided", "letter.wrong_code", "letter.burned", "letter.used", "batch.printed", "batch.dispatched",
	"recovery.submitted", "recovery.searched", "recovery.matched", "recovery.approved", "recovery.printed", "recovery.released", "recovery.wrong_code", "recovery.burned",
	"recovery.proved", "recovery.code_sent", "recovery.done", "recovery.refused", "recovery.cancelled", "recovery.expired",
	"organization.activated", "organization.letter_requested", "directory.imported", "chamber.created", "chamber.updated", "staff.added",
}

// A Deed is a row of the record in words.
type Deed struct {
	audit.Row
	Event   string
	Who     string
	Whom    string // if it is somebody else
	Company string
	Href    string
}

type auditPage struct {
	web.Frame
	Form   *web.Form
	Events []web.Option
	Deeds  []Deed
	Older  string
}

func (p *Pages) audit(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadQuery(r)
	page := &auditPage{Form: f, Frame: web.Frame{Wide: true}}
	filter := audit.Filter{Event: f.Text("event"), Request: f.Text("request"), Before: f.Text("before"), Limit: 51}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if filter.Chamber, err = mine(tx, r); err != nil {
			return err
		}
		rows, err := audit.List(tx, filter)
		if err != nil {
			return err
		}
		if len(rows) > 50 {
			rows = rows[:50]
			page.Older = "/chamber/audit?" + url.Values{"event": {filter.Event}, "request": {filter.Request}, "before": {rows[49].ID}}.Encode()
		}
		page.Deeds, err = p.deeds(tx, r, rows)
		return err
	})
	if err != nil {
		return err
	}
	page.Events = []web.Option{{Text: p.text(r, "desk.all_events")}}
	for _, e := range events {
		page.Events = append(page.Events, web.Option{Value: e, Text: p.event(r, e)})
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "audit", page)
}

// event is the deed in words, or its key where there are none.
func (p *Pages) event(r *http.Request, key string) string {
	if !p.Site.Catalog.Has("audit.event." + key) {
		return key
	}
	return p.text(r, "audit.event."+key)
}

func (p *Pages) deeds(tx *db.Tx, r *http.Request, rows []audit.Row) (all []Deed, err error) {
	var people, companies []string
	for _, row := range rows {
		people = append(people, row.By.Account, row.Entry.Account)
		companies = append(companies, row.Entry.Organization)
	}
	who, err := names(tx, people)
	if err != nil {
		return nil, err
	}
	organizations, err := organization.GetMany(tx, companies)
	for _, row := range rows {
		d := Deed{Row: row, Event: p.event(r, row.Entry.Event), Who: who[row.By.Account], Company: organizations[row.Entry.Organization].Name}
		if row.Entry.Account != row.By.Account {
			d.Whom = who[row.Entry.Account]
		}
		switch {
		case row.By.Kind == audit.Command:
			d.Who = p.text(r, "desk.console")
		case row.By.Kind == audit.System:
			d.Who = p.text(r, "desk.system")
		case d.Who == "":
			d.Who = p.text(r, "desk.unknown")
		}
		if len(row.Entry.Event) > 13 && row.Entry.Event[:13] == "registration." {
			d.Href = "/chamber/registrations/" + row.Entry.Thing
		} else if len(row.Entry.Event) > 6 && row.Entry.Event[:6] == "batch." {
			d.Href = "/chamber/letters/batches/" + row.Entry.Thing
		} else if strings.HasPrefix(row.Entry.Event, "recovery.") {
			d.Href = "/chamber/recoveries/" + row.Entry.Thing
		}
		all = append(all, d)
	}
	return all, err
}
