package leaving

import (
	"testing"

	"github.com/jba/templatecheck"
)

func TestTemplates(t *testing.T) {
	for name, page := range map[string]any{
		"lock": &lockPage{}, "unlock": &unlockPage{}, "delete": &deletePage{}, "keep": &keepPage{}, "data": &dataPage{}, "dossier": &dossierPage{},
	} {
		if err := templatecheck.CheckHTML(templates.Page(name), page); err != nil {
			t.Error(err)
		}
	}
}
