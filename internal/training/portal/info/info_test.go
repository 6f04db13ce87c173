package info

import (
	"testing"

	"github.com/jba/templatecheck"
)

func TestTemplatesMatchTheirPages(t *testing.T) {
	for name, view := range map[string]any{"page": &page{}} {
		if err := templatecheck.CheckHTML(templates.Page(name), view); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(templates.Names()); n != 1 {
		t.Errorf("%d templates, 1 checked", n)
	}
}
