package operator

import (
	"testing"

	"github.com/jba/templatecheck"

	"zunft/internal/ground/web"
)

func TestTemplates(t *testing.T) {
	pages := map[string]web.Page{
		"overview": &overviewPage{}, "chambers": &chambersPage{}, "chamber": &chamberPage{}, "users": &usersPage{}, "apps": &appsPage{}, "app": &appPage{}, "app-form": &formPage{},
		"redirects": &redirectsPage{}, "roles": &rolesPage{}, "role": &rolePage{}, "holders": &holdersPage{}, "secrets": &secretsPage{}, "claims-preview": &previewPage{}, "log": &logPage{}, "takeover": &takeoverPage{},
	}
	for _, name := range templates.Names() {
		if pages[name] == nil {
			t.Errorf("no page struct for %s", name)
		} else if err := templatecheck.CheckHTML(templates.Page(name), pages[name]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
