// Package info holds the pages behind the footer (R010): what a chamber must
// say about itself and what helps people on. The texts are the operator's;
// until they write their own, these say who must.
//
//	GET /information-duties /terms-of-use /help /privacy /imprint /accessibility
package info

import (
	"embed"
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/terms"
)

//go:embed templates
var files embed.FS

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

var templates = web.Parse(files)

// Pages behind the footer.
type Pages struct {
	DB   *db.DB
	Site *web.Site
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	m.Open("GET /information-duties", p.duties)
	for path, topic := range map[string]string{
		"/terms-of-use": "terms", "/help": "help", "/privacy": "privacy", "/imprint": "imprint", "/accessibility": "accessibility",
	} {
		m.Open("GET "+path, func(w http.ResponseWriter, r *http.Request) error { return p.topic(w, r, topic) })
	}
}

// Footer is the line of links under every page, in the order of R010.
func Footer(text func(key string) string) []web.Link {
	return []web.Link{
		{Text: text("info.title.duties"), Href: "/information-duties"},
		{Text: text("info.title.terms"), Href: "/terms-of-use"},
		{Text: text("info.title.help"), Href: "/help"},
		{Text: text("info.title.privacy"), Href: "/privacy"},
		{Text: text("info.title.imprint"), Href: "/imprint"},
		{Text: text("info.title.accessibility"), Href: "/accessibility"},
	}
}

// page is all that page.html may use.
type page struct {
	web.Frame
	Title  string
	German bool // a text that exists in German only
	Blocks []terms.Block
}

func (p *Pages) topic(w http.ResponseWriter, r *http.Request, topic string) error {
	text := func(key string, args ...any) string { return p.Site.Catalog.Text(web.Lang(r), key, args...) }
	return p.Site.Show(w, r, http.StatusOK, templates, "page", &page{
		Title: text("info.title." + topic), Blocks: terms.Terms{Body: text("info.text."+topic, p.Site.Owner)}.Blocks(),
	})
}

func (p *Pages) duties(w http.ResponseWriter, r *http.Request) error {
	view := &page{Title: p.Site.Catalog.Text(web.Lang(r), "info.title.duties"), German: true}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		all, err := terms.Current(tx)
		for _, t := range all {
			if t.Kind == terms.InformationDuties {
				view.Blocks = append(view.Blocks, t.Blocks()...)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "page", view)
}
