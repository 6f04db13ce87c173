package inviting

import (
	"testing"

	"github.com/jba/templatecheck"

	"zunft/internal/ground/web"
)

// Every template is checked against the struct that fills it.
func TestTemplates(t *testing.T) {
	pages := map[string]web.Page{"list": &listPage{}, "new": &askPage{}, "one": &onePage{}, "answer": &answerPage{}, "code": &codePage{}, "mine": &minePage{}}
	for _, name := range templates.Names() {
		if pages[name] == nil {
			t.Errorf("no struct for %s", name)
		} else if err := templatecheck.CheckHTML(templates.Page(name), pages[name]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
