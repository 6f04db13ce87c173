package acting

import (
	"html/template"

	"zunft/internal/ground/web"
)

// Template is a page as the template test sees it.
func Template(name string) *template.Template { return templates.Page(name) }

// AllPages has every page with its struct.
func AllPages() map[string]web.Page {
	return map[string]web.Page{
		"contexts": &contextsPage{}, "list": &listPage{}, "propose": &proposePage{}, "mandate": &mandatePage{}, "revoke": &revokePage{}, "people": &peoplePage{},
		"link": &linkPage{}, "queue": &queuePage{}, "decide": &decidePage{},
	}
}
