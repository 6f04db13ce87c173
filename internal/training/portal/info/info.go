// Package info holds the pages behind the footer: help with the report book and
// its legal ground (R235, R236), privacy, imprint, accessibility.
package info

import (
	"embed"
	"net/http"
	"strings"

	"zunft/internal/ground/web"
)

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed all:templates
var files embed.FS

var templates = web.Parse(files)

// Pages of the place.
type Pages struct{ Site *web.Site }

var topics = []string{"help", "privacy", "imprint", "accessibility"}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	for _, topic := range topics {
		m.Open("GET /"+topic, func(w http.ResponseWriter, r *http.Request) error { return p.show(w, r, topic) })
	}
}

// Footer is the line of links under every page.
func Footer(text func(key string) string) (links []web.Link) {
	for _, topic := range topics {
		links = append(links, web.Link{Text: text("info.title." + topic), Href: "/" + topic})
	}
	return links
}

// page is all that page.html may use.
type page struct {
	web.Frame
	Heading string
	Parts   []part
}

// A part of a text: a heading, or a paragraph.
type part struct {
	Heading bool
	Text    string
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, topic string) error {
	v := &page{Heading: p.Site.Catalog.Text(web.Lang(r), "info.title."+topic)}
	for text := range strings.SplitSeq(p.Site.Catalog.Text(web.Lang(r), "info.text."+topic, p.Site.Owner), "\n\n") {
		heading, yes := strings.CutPrefix(text, "# ")
		v.Parts = append(v.Parts, part{yes, heading})
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "page", v)
}
