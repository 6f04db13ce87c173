package operator

import (
	"net/http"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
)

// overviewPage is all that overview.html may use.
type overviewPage struct {
	web.Frame
	Tasks                     []task
	Apps, Chambers, Operators int
}

// A task is something that an operator should look at.
type task struct {
	Text, Href, Kind, Word string
	At                     db.Time
}

// soon is how long before its end something is a task.
const soon = 30 * 24 * time.Hour

func (p *Pages) overview(w http.ResponseWriter, r *http.Request) error {
	page := &overviewPage{}
	if err := p.OpenID.WriteEvents(r.Context()); err != nil {
		return err
	}
	by := web.Actor(r)
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		apps, err := application.All(tx)
		if err != nil {
			return err
		}
		chambers, err := chamber.All(tx)
		if err != nil {
			return err
		}
		operators, err := chamber.Operators(tx, by)
		if err != nil {
			return err
		}
		failed, err := application.Failures(tx)
		if err != nil {
			return err
		}
		last, err := application.LastSecrets(tx)
		if err != nil {
			return err
		}
		page.Apps, page.Chambers, page.Operators = len(apps), len(chambers), len(operators)
		for _, a := range apps {
			if a.State != application.Active {
				continue
			}
			at, href := last[a.ID], "/admin/apps/"+a.ID
			switch secrets := href + "/secrets"; {
			case a.Public():
			case at.Count == 0:
				page.add(p.text(r, "operator.task_no_secret", a.Name), secrets, "danger", "operator.urgent", db.Time{})
			case !at.Ends.IsZero() && at.Ends.Sub(tx.Now()) < soon:
				page.add(p.text(r, "operator.task_secret_ends", a.Name), secrets, "warning", "operator.ends", at.Ends)
			}
			if n := failed[a.ID]; n > 0 {
				page.add(p.text(r, "operator.task_failures", n, a.Name), href+"/log?only=failed", "info", "operator.look", db.Time{})
			}
			if len(a.RedirectURIs) == 0 {
				page.add(p.text(r, "operator.task_no_redirect", a.Name), href+"/edit", "warning", "operator.urgent", db.Time{})
			}
		}
		for _, c := range chambers {
			if c.Valid(tx.Now()) && !c.ValidUntil.IsZero() && c.ValidUntil.Sub(tx.Now()) < 3*soon {
				key := "operator.task_chamber_ends"
				if c.Successor == "" {
					key = "operator.task_no_successor"
				}
				page.add(p.text(r, key, c.Name), "/admin/chambers/"+c.ID, "warning", "operator.ends", lastDay(c))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "overview", page)
}

func (o *overviewPage) add(text, href, kind, word string, at db.Time) {
	o.Tasks = append(o.Tasks, task{text, href, kind, word, at})
}
