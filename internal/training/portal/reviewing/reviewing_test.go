package reviewing

import (
	"testing"

	"github.com/jba/templatecheck"
)

func TestTemplatesMatchTheirPages(t *testing.T) {
	for name, page := range map[string]any{"queue": &queuePage{}, "review": &reviewPage{}, "all": &allPage{}, "done": &donePage{}, "substitute": &substitutePage{}, "supervisors": &supervisorsPage{}} {
		if err := templatecheck.CheckHTML(templates.Page(name), page); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(templates.Names()); n != 6 {
		t.Errorf("%d templates, 6 checked", n)
	}
}
