package operator

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
)

// logPage is all that log.html may use.
type logPage struct {
	web.Frame
	App    application.Application
	Events []eventLine
	Only   bool // what went wrong
	Before string
	More   string
}

type eventLine struct {
	application.Event
	Why, Who string
}

const eventsPage = 100

func (p *Pages) log(w http.ResponseWriter, r *http.Request) error {
	if err := p.OpenID.WriteEvents(r.Context()); err != nil {
		return err
	}
	q := r.URL.Query()
	page := &logPage{Only: q.Get("only") == "failed", Before: q.Get("before")}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.App, err = application.Get(tx, r.PathValue("id")); err != nil {
			return err
		}
		all, err := application.Events(tx, web.Actor(r), page.App.ID, page.Only, page.Before)
		if err != nil {
			return err
		}
		var ids []string
		for _, e := range all {
			ids = append(ids, e.Account)
		}
		people, err := account.GetMany(tx, ids)
		for _, e := range all {
			l := eventLine{Event: e, Who: people[e.Account].Username}
			if e.Reason != "" {
				args := make([]any, len(e.Args))
				for i, a := range e.Args {
					args[i] = a
				}
				l.Why = p.text(r, e.Reason, args...)
			}
			page.Events = append(page.Events, l)
		}
		if len(all) == eventsPage {
			page.More = all[eventsPage-1].ID
		}
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = p.back(page.App.Name, "/admin/apps/"+page.App.ID)
	return p.Site.Show(w, r, http.StatusOK, templates, "log", page)
}
