package info

import (
	"testing"

	"github.com/jba/templatecheck"

	"zunft/internal/ground/web"
)

func TestTemplates(t *testing.T) {
	pages := map[string]web.Page{"page": &page{}, "help": &helpPage{}}
	for _, name := range templates.Names() {
		if pages[name] == nil {
			t.Errorf("no page struct for %s", name)
		} else if err := templatecheck.CheckHTML(templates.Page(name), pages[name]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
