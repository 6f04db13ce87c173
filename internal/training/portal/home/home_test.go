package home

import (
	"testing"

	"github.com/jba/templatecheck"
)

func TestTemplatesMatchTheirPages(t *testing.T) {
	for name, page := range map[string]any{"start": &startPage{}, "board": &boardPage{}, "demo": &demoPage{}} {
		if err := templatecheck.CheckHTML(templates.Page(name), page); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(templates.Names()); n != 3 {
		t.Errorf("%d templates, 3 checked", n)
	}
}
