// Package info holds the pages behind the footer (R010): what a chamber must
// say about itself, what helps people on, and whom they reach. The texts are the
// operator's; until they write their own, these say who must.
//
//	GET /information-duties /terms-of-use /help /contact /privacy /imprint /accessibility
//
// Help and contact are one page, or two where a tenant has it so (R011). The
// contacts are what chambers and applications say of themselves (R222, R223).
package info

import (
	"embed"
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/terms"
	"zunft/internal/identity/visitor"
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
	m.Open("GET /help", p.help)
	m.Open("GET /contact", p.contact)
	for path, topic := range map[string]string{
		"/terms-of-use": "terms", "/privacy": "privacy", "/imprint": "imprint", "/accessibility": "accessibility",
	} {
		m.Open("GET "+path, func(w http.ResponseWriter, r *http.Request) error { return p.topic(w, r, topic) })
	}
}

// Footer is the line of links under every page, in the order of R010, or of
// R011 where the tenant's words tell support and contact apart (W10).
func Footer(text func(key string, args ...any) string, words policy.Words, lang string) []web.Link {
	links := []web.Link{
		{Text: text("info.title.duties"), Href: "/information-duties"},
		{Text: text("info.title.terms"), Href: "/terms-of-use"},
	}
	if words.Support.De == "" {
		links = append(links, web.Link{Text: text("info.title.help"), Href: "/help"})
	} else {
		links = append(links, web.Link{Text: words.Support.In(lang), Href: "/help"}, web.Link{Text: words.Contact.In(lang), Href: "/contact"})
	}
	return append(links,
		web.Link{Text: text("info.title.privacy"), Href: "/privacy"},
		web.Link{Text: text("info.title.imprint"), Href: "/imprint"},
		web.Link{Text: text("info.title.accessibility"), Href: "/accessibility"})
}

// page is all that page.html may use.
type page struct {
	web.Frame
	Title  string
	German bool // a text that exists in German only
	Blocks []terms.Block
}

func (p *Pages) text(r *http.Request, key string, args ...any) string {
	return p.Site.Catalog.Text(web.Lang(r), key, args...)
}

// blocks are a topic's text.
func (p *Pages) blocks(r *http.Request, topic string) []terms.Block {
	return terms.Terms{Body: p.text(r, "info.text."+topic, p.Site.Owner)}.Blocks()
}

func (p *Pages) topic(w http.ResponseWriter, r *http.Request, topic string) error {
	return p.Site.Show(w, r, http.StatusOK, templates, "page", &page{Title: p.text(r, "info.title."+topic), Blocks: p.blocks(r, topic)})
}

// words are what the tenant of whoever asks decided; a stranger's is the default.
func (p *Pages) words(tx *db.Tx, r *http.Request) (policy.Policy, error) {
	if v := visitor.Of(r); v != nil {
		return policy.Of(tx, v.Account.Policy)
	}
	return policy.Of(tx, "")
}

func (p *Pages) duties(w http.ResponseWriter, r *http.Request) error {
	view := &page{Title: p.text(r, "info.title.duties"), German: true}
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
