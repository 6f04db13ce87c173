package policy

import (
	"encoding/json"
	"net/url"
	"strings"
)

// Words are a tenant's own for places that every portal has (W01, W10). What is
// left out the pages say themselves.
type Words struct {
	// Join leads into a company that is registered: "Organisation beitreten" (R120).
	Join Text `json:"join,omitzero"`
	// Support and Contact, both or neither: two links in the footer instead of
	// "Hilfe und Kontakt" (R010, R011).
	Support Text `json:"support,omitzero"`
	Contact Text `json:"contact,omitzero"`
}

// ReadWords takes the words out of a policy as it is kept: every page needs
// them, and nothing else of it.
func ReadWords(body string) (Words, error) {
	var p struct{ Words Words }
	err := json.Unmarshal([]byte(body), &p)
	return p.Words, err
}

// A Guide on the help page is a manual or a video (R221). It lies elsewhere, so
// it is a link: nothing of it is loaded before somebody follows it.
type Guide struct {
	Title Text   `json:"title"`
	URL   string `json:"url"`
	Video bool   `json:"video,omitempty"`
}

// Host is who gets to know of the visit.
func (g Guide) Host() string {
	u, err := url.Parse(g.URL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// words says what is wrong with words and guides, or nothing.
func (p Policy) words() string {
	if w := p.Words; (w.Support.De == "") != (w.Contact.De == "") {
		return "words: support and contact, or neither"
	}
	for _, g := range p.Guides {
		u, err := url.Parse(g.URL)
		if err != nil || u.Scheme != "https" || g.Host() == "" || u.User != nil || strings.TrimSpace(g.Title.De) == "" {
			return "guides: " + g.URL
		}
	}
	return ""
}
