package signin

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
)

// parkedPage is all that parked.html may use.
type parkedPage struct {
	web.Frame
	Path   string
	Fields []parkedField
	Shown  []string // what the person wrote, for them to see that it is there
}

type parkedField struct{ Name, Value string }

// parked offers to send again what was posted when the session had ended or a
// proof was missing.
func (p *Pages) parked(w http.ResponseWriter, r *http.Request) error {
	kept, err := p.Door.Parked(r)
	if fault.Is(err, fault.KindNotFound) {
		return web.See(w, r, "/")
	}
	if err != nil {
		return err
	}
	page := &parkedPage{Path: web.LocalPath(kept.Path)}
	for name, values := range kept.Values {
		for _, v := range values {
			page.Fields = append(page.Fields, parkedField{name, v})
			if written(name, v) {
				page.Shown = append(page.Shown, v)
			}
		}
	}
	slices.SortStableFunc(page.Fields, func(a, b parkedField) int { return strings.Compare(a.Name, b.Name) })
	slices.Sort(page.Shown)
	return p.Site.Show(w, r, http.StatusOK, templates, "parked", page)
}

// written: not a choice, a version or an id that the page put there itself.
func written(name, value string) bool {
	return utf8.RuneCountInString(value) > 2 && name != "do" && name != "next" && !(len(value) == 36 && strings.Count(value, "-") == 4) &&
		strings.ContainsAny(value, " .@0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÜ")
}

// forget throws it away.
func (p *Pages) forget(w http.ResponseWriter, r *http.Request) error {
	if err := p.Door.Unpark(w, r); err != nil {
		return err
	}
	return web.See(w, r, "/")
}
