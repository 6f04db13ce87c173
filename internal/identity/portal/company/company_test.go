package company

import (
	"testing"

	"github.com/jba/templatecheck"

	"zunft/internal/ground/web"
)

// The stories of these pages, through the front door, are told together with
// the chamber's desk: portal/desk/story_test.go.
func TestTemplates(t *testing.T) {
	pages := map[string]web.Page{"register": &registerPage{}, "check": &checkPage{}, "done": &statusPage{}, "status": &statusPage{}, "activate": &activatePage{}, "activated": &activatedPage{}}
	for _, name := range templates.Names() {
		if pages[name] == nil {
			t.Errorf("no page struct for %s.html", name)
		} else if err := templatecheck.CheckHTML(templates.Page(name), pages[name]); err != nil {
			t.Errorf("%s.html: %v", name, err)
		}
	}
}
