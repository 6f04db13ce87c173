package reminding

import (
	"testing"

	"github.com/jba/templatecheck"
)

func TestTemplatesMatchTheirPages(t *testing.T) {
	pages := map[string]any{"choices": &choicesPage{}, "weeks": &weeksPage{}}
	for name, page := range pages {
		if err := templatecheck.CheckHTML(templates.Page(name), page); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(templates.Names()); n != len(pages) {
		t.Errorf("%d templates, %d checked", n, len(pages))
	}
}
