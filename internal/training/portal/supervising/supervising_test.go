package supervising

import (
	"testing"

	"github.com/jba/templatecheck"
)

func TestTemplatesMatchTheirPages(t *testing.T) {
	for name, page := range map[string]any{"start": &startPage{}, "pin": &pinPage{}, "list": &listPage{}, "report": &reportPage{}} {
		if err := templatecheck.CheckHTML(templates.Page(name), page); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(templates.Names()); n != 4 {
		t.Errorf("%d templates, 4 checked", n)
	}
}
