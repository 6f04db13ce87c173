package acting_test

import (
	"testing"

	"github.com/jba/templatecheck"

	"zunft/internal/identity/portal/acting"
)

func TestTemplates(t *testing.T) {
	for name, page := range acting.AllPages() {
		if err := templatecheck.CheckHTML(acting.Template(name), page); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
