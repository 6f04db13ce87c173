package info

import (
	"net/http"
	"net/mail"
	"net/url"
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/terms"
	"zunft/internal/identity/visitor"
)

// whole is how many chambers stand there in full; more fold out one by one.
const whole = 3

// helpPage is help, contact, or both.
type helpPage struct {
	web.Frame
	Title        string
	Blocks       []terms.Block
	Guides       []guide
	Contact      string // the page that has the contacts, if it is another one
	Chambers     []chamber.Chamber
	Others       []chamber.Chamber // fold out
	Applications []desk
	Lists        bool // the contacts stand here
}

// A guide in the reader's language.
type guide struct {
	policy.Guide
	Text string
}

// A desk answers questions about an application (R223).
type desk struct {
	Name, Manual string
	Support      string
	Href         string // of Support, if it is an address of mail or the web
}

// help is "Hilfe und Kontakt", or "Support" alone.
func (p *Pages) help(w http.ResponseWriter, r *http.Request) error {
	page := &helpPage{Title: p.text(r, "info.title.help"), Blocks: p.blocks(r, "help")}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		its, err := p.words(tx, r)
		if err != nil {
			return err
		}
		for _, g := range its.Guides {
			page.Guides = append(page.Guides, guide{g, g.Title.In(web.Lang(r))})
		}
		if its.Words.Support.De != "" {
			page.Title, page.Contact = its.Words.Support.In(web.Lang(r)), its.Words.Contact.In(web.Lang(r))
			return page.desks(tx)
		}
		return page.contacts(tx, r)
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "help", page)
}

// contact says whom one reaches.
func (p *Pages) contact(w http.ResponseWriter, r *http.Request) error {
	page := &helpPage{Title: p.text(r, "info.title.contact")}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		its, err := p.words(tx, r)
		if err != nil {
			return err
		}
		if its.Words.Contact.De != "" {
			page.Title = its.Words.Contact.In(web.Lang(r))
		}
		return page.contacts(tx, r)
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "help", page)
}

// contacts are the chambers, those of the person first, and the desks of applications.
func (page *helpPage) contacts(tx *db.Tx, r *http.Request) error {
	page.Lists = true
	all, err := chamber.Current(tx)
	if err != nil {
		return err
	}
	var own []string
	if v := visitor.Of(r); v != nil {
		if own, err = membership.Chambers(tx, v.Account.ID); err != nil {
			return err
		}
		own = append(own, v.Account.Chamber)
	}
	for _, c := range all {
		if slices.Contains(own, c.ID) || len(all) <= whole {
			page.Chambers = append(page.Chambers, c)
		} else {
			page.Others = append(page.Others, c)
		}
	}
	slices.SortStableFunc(page.Chambers, func(a, b chamber.Chamber) int {
		return rank(own, b.ID) - rank(own, a.ID)
	})
	return page.desks(tx)
}

func rank(own []string, id string) int {
	if slices.Contains(own, id) {
		return 1
	}
	return 0
}

// desks are those of applications that name one, or have a manual (R007, R223).
func (page *helpPage) desks(tx *db.Tx) error {
	offers, err := application.AllOffers(tx)
	for _, o := range offers {
		a := o.Application
		if a.Support != "" || a.ManualURI != "" {
			page.Applications = append(page.Applications, desk{a.Name, a.ManualURI, a.Support, href(a.Support)})
		}
	}
	return err
}

// href makes a link of what is an address of mail or of the web.
func href(s string) string {
	if a, err := mail.ParseAddress(s); err == nil && a.Address == s {
		return "mailto:" + s
	}
	if u, err := url.Parse(s); err == nil && u.Scheme == "https" && u.Host != "" {
		return s
	}
	return ""
}
