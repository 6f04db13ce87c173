package writing

import (
	"testing"

	"github.com/jba/templatecheck"
)

func TestTemplatesMatchTheirPages(t *testing.T) {
	for name, page := range map[string]any{"edit": &editPage{}, "read": &weekPage{}, "check": &weekPage{}, "submitted": &weekPage{}, "day": &dayPage{}, "attachments": &filesPage{}, "backfill": &backfillPage{}} {
		if err := templatecheck.CheckHTML(templates.Page(name), page); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(templates.Names()); n != 7 {
		t.Errorf("%d templates, 7 checked", n)
	}
}
