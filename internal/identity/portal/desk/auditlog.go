package desk

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/web"
	"zunft/internal/identity/organization"
)

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
	Form    *web.Form
	Events  []web.Option
	Deeds   []Deed
	Older   string
	File    string // the same as a file
	Company string // only of this one
}

// auditFilter is what the form asks for; a day that is none is told.
func auditFilter(f *web.Form) audit.Filter {
	day := func(name string, after int) db.Time {
		typed := f.Text(name)
		if typed == "" {
			return db.Time{}
		}
		t, err := time.ParseInLocation("2006-01-02", typed, mail.Berlin)
		if err != nil || t.Year() < 2000 || t.Year() > 9000 {
			f.Add(name, "desk.day_form")
			return db.Time{}
		}
		return db.At(t.AddDate(0, 0, after))
	}
	return audit.Filter{Event: f.Text("event"), Request: strings.ToUpper(f.Text("request")), Organization: f.Text("organization"), Before: f.Text("before"), From: day("from", 0), Until: day("until", 1)}
}

// auditQuery is a filter as an address.
func auditQuery(f *web.Form, before string) string {
	v := url.Values{}
	for _, name := range []string{"event", "request", "organization", "from", "until"} {
		if t := f.Text(name); t != "" {
			v.Set(name, t)
		}
	}
	if before != "" {
		v.Set("before", before)
	}
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}

func (p *Pages) audit(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadQuery(r)
	page := &auditPage{Form: f, Frame: web.Frame{Wide: true}}
	filter := auditFilter(f)
	filter.Limit = 51
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if filter.Chamber, err = mine(tx, r); err != nil || !f.OK() {
			return err
		}
		rows, err := audit.List(tx, filter)
		if err != nil {
			return err
		}
		if len(rows) > 50 {
			rows = rows[:50]
			page.Older = "/chamber/audit" + auditQuery(f, rows[49].ID)
		}
		if filter.Organization != "" {
			if o, err := organization.Get(tx, filter.Organization); err == nil && o.Chamber == filter.Chamber {
				page.Company = o.Name
			}
		}
		page.Deeds, err = p.deeds(tx, r, rows)
		return err
	})
	if err != nil {
		return err
	}
	page.File = "/chamber/audit.csv" + auditQuery(f, "")
	page.Events = p.events(r)
	return p.Site.Show(w, r, f.Status(), templates, "audit", page)
}

// events that the record is filtered by: all that have words, in the order of these.
func (p *Pages) events(r *http.Request) []web.Option {
	all := []web.Option{{Text: p.text(r, "desk.all_events")}}
	for key := range p.Site.Catalog.Keys() {
		if event, ok := strings.CutPrefix(key, "audit.event."); ok {
			all = append(all, web.Option{Value: event, Text: p.text(r, key)})
		}
	}
	slices.SortFunc(all[1:], func(a, b web.Option) int { return strings.Compare(a.Text, b.Text) })
	return all
}

// event is the deed in words: those of the record, or of the person's own history.
func (p *Pages) event(r *http.Request, key string) string {
	for _, words := range []string{"audit.event." + key, "activity.event." + key} {
		if p.Site.Catalog.Has(words) {
			return p.text(r, words)
		}
	}
	return key
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
