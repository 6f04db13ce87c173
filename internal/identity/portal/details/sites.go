package details

import (
	"cmp"
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/site"
)

// sitesPage is all that sites.html may use.
type sitesPage struct {
	company
	Sites []site.Site
	After string // the next page begins behind it
}

// pageSize of the lists.
const pageSize = 50

func (p *Pages) sites(w http.ResponseWriter, r *http.Request) error {
	return p.showSites(w, r, web.NewForm())
}

func (p *Pages) showSites(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &sitesPage{company: company{Form: f}}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		err := p.open(tx, r, &page.company, true)
		if err != nil {
			return err
		}
		page.Sites, err = site.Of(tx, web.Actor(r), page.Company.ID, web.ReadQuery(r).Text("after"))
		return err
	})
	if err != nil {
		return err
	}
	if n := len(page.Sites); n == pageSize {
		page.After = page.Sites[n-1].ID
	}
	return p.Site.Show(w, r, f.Status(), templates, "sites", page)
}

func (p *Pages) changeSites(w http.ResponseWriter, r *http.Request) error {
	f, by, id, phrase := web.ReadForm(r), web.Actor(r), r.PathValue("id"), "details.site_asked"
	s := site.Site{Name: f.Text("name"), Street: f.Text("street"), HouseNumber: f.Text("house_number"), Postcode: f.Text("postcode"), Place: f.Text("place"), IdentNumber: f.Text("ident_number")}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		if c := f.Text("close"); c != "" {
			phrase = "details.site_closed"
			return site.Close(tx, by, c)
		}
		_, err := site.Ask(tx, by, id, s)
		return err
	})
	if f.Take(err) {
		return p.showSites(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/organizations/"+id+"/sites", phrase)
}

// siteQueuePage is all that site_queue.html may use.
type siteQueuePage struct {
	web.Frame
	Form  *web.Form
	Cases []site.Case
	Now   db.Time
	Open  string // id of the site that is about to be refused
	After string
}

// Refusing reports whether the clerk is about to say no to this site: its
// form is open, and those of the others are not.
func (s *siteQueuePage) Refusing(id string) bool { return s.Open == id }

func (p *Pages) siteQueue(w http.ResponseWriter, r *http.Request) error {
	return p.showSiteQueue(w, r, web.NewForm())
}

func (p *Pages) showSiteQueue(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &siteQueuePage{Form: f, Frame: web.Frame{Back: web.Link{Text: p.text(r, "details.desk"), Href: "/chamber"}}}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		id, err := desk(tx, r)
		if err != nil {
			return err
		}
		page.Now, page.Open = tx.Now(), cmp.Or(f.Text("site"), web.ReadQuery(r).Text("refuse"))
		page.Cases, err = site.Queue(tx, web.Actor(r), id, web.ReadQuery(r).Text("after"))
		return err
	})
	if err != nil {
		return err
	}
	if n := len(page.Cases); n == pageSize {
		page.After = page.Cases[n-1].ID
	}
	return p.Site.Show(w, r, f.Status(), templates, "site_queue", page)
}

func (p *Pages) decideSite(w http.ResponseWriter, r *http.Request) error {
	f, by, phrase := web.ReadForm(r), web.Actor(r), "details.site_released"
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		if f.Text("do") == "refuse" {
			phrase = "details.site_refused"
			return site.Refuse(tx, by, f.Text("site"), f.Lines("answer"))
		}
		return site.Release(tx, by, f.Text("site"))
	})
	if f.Take(err) {
		return p.showSiteQueue(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/chamber/sites", phrase)
}
