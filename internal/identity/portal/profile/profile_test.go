package profile

import (
	"testing"

	"github.com/jba/templatecheck"
)

func TestTemplates(t *testing.T) {
	for name, page := range map[string]any{
		"account": &accountPage{}, "data": &dataPage{}, "edit": &editPage{}, "correct": &correctPage{},
		"emails": &emailsPage{}, "email": &emailPage{}, "code": &codePage{}, "link": &linkPage{}, "undo": &undoPage{},
	} {
		if err := templatecheck.CheckHTML(templates.Page(name), page); err != nil {
			t.Error(err)
		}
	}
}
