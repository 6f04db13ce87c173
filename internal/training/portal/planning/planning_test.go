package planning

import (
	"testing"

	"github.com/jba/templatecheck"
)

func TestTemplatesMatchTheirPages(t *testing.T) {
	for name, page := range map[string]any{"settings": &settingsPage{}, "pattern": &patternPage{}, "absences": &absencesPage{}, "snippets": &snippetsPage{}} {
		if err := templatecheck.CheckHTML(templates.Page(name), page); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(templates.Names()); n != 4 {
		t.Errorf("%d templates, 4 checked", n)
	}
}
