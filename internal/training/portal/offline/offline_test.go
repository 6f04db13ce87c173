package offline

import (
	"testing"

	"github.com/jba/templatecheck"
)

func TestTemplatesMatchTheirPages(t *testing.T) {
	if err := templatecheck.CheckHTML(templates.Page("offline"), &offlinePage{}); err != nil {
		t.Error(err)
	}
	if n := len(templates.Names()); n != 1 {
		t.Errorf("%d templates, 1 checked", n)
	}
}
