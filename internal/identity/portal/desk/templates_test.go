package desk

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jba/templatecheck"

	"zunft/internal/ground/web"
	"zunft/internal/identity/portal/portaltest"
)

func TestTemplates(t *testing.T) {
	pages := map[string]web.Page{
		"start": &startPage{}, "list": &listPage{}, "case": &casePage{}, "letters": &lettersPage{}, "batch": &batchPage{}, "returned": &returnedPage{}, "directory": &directoryPage{}, "audit": &auditPage{}, "recoveries": &recoveriesPage{}, "recovery": &recoveryPage{},
		"identities": &identitiesPage{}, "identity": &identityPage{},
	}
	for _, name := range templates.Names() {
		if pages[name] == nil {
			t.Errorf("no page struct for %s.html", name)
		} else if err := templatecheck.CheckHTML(templates.Page(name), pages[name]); err != nil {
			t.Errorf("%s.html: %v", name, err)
		}
	}
}

// Every event that the record of a chamber may hold is told in words, at the
// desk and on the pages of a company and a person.
func TestEveryEventHasWords(t *testing.T) {
	words := map[string]bool{}
	for _, file := range []string{"phrases/de.json", "phrases/en.json", "../activity/phrases/de.json", "../activity/phrases/en.json"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]any
		if err := json.Unmarshal(b, &all); err != nil {
			t.Fatal(err)
		}
		for key := range all {
			words[filepath.Base(file)+" "+key] = true
		}
	}
	// An application's own log, and what the system does on nobody's account.
	elsewhere := regexp.MustCompile(`^(authorize|token|refresh|openid)\.|^account\.(purged|imported)$`)
	for key, where := range portaltest.Events(t, "../..") {
		for _, lang := range []string{"de.json ", "en.json "} {
			if !words[lang+"audit.event."+key] && !words[lang+"activity.event."+key] && !elsewhere.MatchString(key) {
				t.Errorf("%s records %s: no words for it in %s", where, key, lang)
			}
		}
	}
}

// R091: what differs is marked in the text, not by color alone.
func TestR091DifferencesAreMarked(t *testing.T) {
	show := func(all []Piece) string {
		var b strings.Builder
		for _, p := range all {
			if p.Mark {
				b.WriteString("[" + p.Text + "]")
			} else {
				b.WriteString(p.Text)
			}
		}
		return b.String()
	}
	for _, c := range [][4]string{
		{"Spiel u. Spaß GmbH", "Spiel- und Spaß GmbH", "Spiel u[.] Spaß GmbH", "Spiel[- und] Spaß GmbH"},
		{"Karl-May-Straße", "Karl-Marx-Straße", "Karl-Ma[y]-Straße", "Karl-Ma[rx]-Straße"},
		{"Ähre", "Ahre", "[Ä]hre", "[A]hre"},
		{"", "x", "", "[x]"},
	} {
		left, right := mark(c[0], c[1])
		if show(left) != c[2] || show(right) != c[3] {
			t.Errorf("%q, %q: %q, %q", c[0], c[1], show(left), show(right))
		}
		var joined string
		for _, p := range left {
			joined += p.Text
		}
		if joined != c[0] {
			t.Errorf("%q became %q", c[0], joined)
		}
	}
}
