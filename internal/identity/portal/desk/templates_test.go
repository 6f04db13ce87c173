package desk

import (
	"strings"
	"testing"

	"github.com/jba/templatecheck"

	"zunft/internal/ground/web"
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
