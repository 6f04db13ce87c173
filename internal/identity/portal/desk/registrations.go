package desk

import (
	"net/http"
	"net/url"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/registration"
)

type listPage struct {
	web.Frame
	clock
	Form           *web.Form
	Items          []registration.Item
	Statuses, Sort []web.Option
	First, Next    string // addresses of the first and the following page
	Query          string // what a case needs to know of this list: its order
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadQuery(r)
	page := &listPage{Form: f, Frame: web.Frame{Wide: true}}
	filter := registration.Filter{Status: f.Text("status"), Sort: f.Text("sort"), After: f.Text("after")}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		id, err := mine(tx, r)
		if err != nil {
			return err
		}
		page.clock = p.clock(tx, r)
		page.Items, err = registration.Queue(tx, web.Actor(r), id, filter)
		return err
	})
	if err != nil {
		return err
	}
	here := url.Values{"status": {filter.Status}, "sort": {filter.Sort}}
	if len(page.Items) > registration.PageSize {
		page.Items = page.Items[:registration.PageSize]
		here.Set("after", page.Items[registration.PageSize-1].ID)
		page.Next = "/chamber/registrations?" + here.Encode()
		here.Del("after")
	}
	if filter.After != "" {
		page.First = "/chamber/registrations?" + here.Encode()
	}
	page.Query = "?sort=" + url.QueryEscape(filter.Sort)
	for _, s := range []string{registration.StatusOpen, registration.StatusSecond, registration.StatusMine, registration.StatusAskedBack, registration.StatusSamples, registration.StatusDone} {
		page.Statuses = append(page.Statuses, web.Option{Value: s, Text: p.text(r, "desk.status."+s)})
	}
	for _, s := range []string{registration.ByAge, registration.ByRisk, registration.ByName} {
		page.Sort = append(page.Sort, web.Option{Value: s, Text: p.text(r, "desk.sort."+s)})
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "list", page)
}
