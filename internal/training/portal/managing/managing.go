// Package managing is where the training admins of a company work (R232–R234):
//
//	GET       /company                                who is trained and how far; what is to be done
//	GET       /company/trainees                       apprenticeships: search, views
//	GET  POST /company/trainees/new                   one more
//	GET       /company/trainees/{id}                  one of them
//	GET  POST /company/trainees/{id}/edit             change what the company says
//	GET  POST /company/trainees/{id}/end              over earlier than agreed
//	GET  POST /company/trainees/{id}/continue         another occupation, the same book
//	POST      /company/trainees/{id}/link, /unlink    whose it is
//	POST      /company/trainees/{id}/assignments/{assignment}/end
//	GET       /company/trainers                       trainers and supervisors
//	GET       /company/assignments                    tick some …
//	GET  POST /company/assignments/change             … and say who accompanies them from when
//	GET       /company/settings                       how report books are kept (R315, R316)
//	GET  POST /company/settings/{occupation}          of one occupation, or "all"
//	POST      /company/settings/{occupation}/reset
//	GET  POST /company/trainees/import                a list of apprentices
//	GET  POST /company/imports/{list}                 what was read, before it counts
//	     POST /company/imports/{list}/rows            mended in place
//	GET       /company/imports/{list}/rest.csv        rows that cannot be taken, to mend
//
// Apprenticeships of other companies do not exist here (404).
package managing

import (
	"embed"
	"net/http"
	"slices"
	"strings"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/assignment"
	"zunft/internal/training/calendar"
	"zunft/internal/training/login"
	"zunft/internal/training/occupation"
	"zunft/internal/training/standing"
)

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed all:templates
var files embed.FS

var templates = web.Parse(files)

// Pages of the place.
type Pages struct {
	DB   *db.DB
	Site *web.Site
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /company", p.overview)
	m.Signed("GET /company/trainees", p.trainees)
	m.Signed("GET /company/trainees/new", p.ask)
	m.Signed("POST /company/trainees/new", p.create)
	m.Signed("GET /company/trainees/import", p.askImport)
	m.Signed("POST /company/trainees/import", p.upload)
	m.Signed("GET /company/imports/{list}", p.list)
	m.Signed("POST /company/imports/{list}", p.take)
	m.Signed("POST /company/imports/{list}/rows", p.mend)
	m.Signed("GET /company/imports/{list}/rest.csv", p.rest)
	m.Signed("GET /company/trainees/{id}", p.trainee)
	m.Signed("GET /company/trainees/{id}/edit", p.edit)
	m.Signed("POST /company/trainees/{id}/edit", p.save)
	m.Signed("GET /company/trainees/{id}/end", p.askEnd)
	m.Signed("POST /company/trainees/{id}/end", p.end)
	m.Signed("GET /company/trainees/{id}/continue", p.askContinue)
	m.Signed("POST /company/trainees/{id}/continue", p.goOn)
	m.Signed("POST /company/trainees/{id}/link", p.link)
	m.Signed("POST /company/trainees/{id}/unlink", p.unlink)
	m.Signed("POST /company/trainees/{id}/assignments/{assignment}/end", p.release)
	m.Signed("GET /company/trainers", p.trainers)
	m.Signed("GET /company/assignments", p.assignments)
	m.Signed("GET /company/assignments/change", p.askChange)
	m.Signed("POST /company/assignments/change", p.change)
	m.Signed("GET /company/settings", p.settings)
	m.Signed("GET /company/settings/{occupation}", p.askSettings)
	m.Signed("POST /company/settings/{occupation}", p.settle)
	m.Signed("POST /company/settings/{occupation}/reset", p.reset)
}

const pageSize = 50

func (p *Pages) text(r *http.Request, key string, args ...any) string {
	return p.Site.Catalog.Text(web.Lang(r), key, args...)
}

// day reads a day of a form as browsers send it, or as people write it.
func day(f *web.Form, name string) calendar.Date {
	typed := f.Text(name)
	if typed == "" {
		return ""
	}
	if d, ok := calendar.ParseDate(typed); ok {
		return d
	}
	if t, err := time.Parse("2.1.2006", typed); err == nil {
		if d, ok := calendar.ParseDate(t.Format(time.DateOnly)); ok {
			return d
		}
	}
	f.Add(name, "managing.day_form")
	return ""
}

// input is a field of a form that the template helpers cannot make.
func (p *Pages) input(r *http.Request, f *web.Form, in web.Input) web.Input {
	in.ID, in.Label, in.Value = in.Name, p.text(r, in.Label), f.Values.Get(in.Name)
	if in.Hint != "" {
		in.Hint = p.text(r, in.Hint)
	}
	for _, x := range f.Problems {
		if x.Field == in.Name && in.Error == "" {
			in.Error = p.text(r, x.Key, x.Args...)
		}
	}
	return in
}

// occupationInput offers all names while somebody types.
func (p *Pages) occupationInput(r *http.Request, f *web.Form) web.Input {
	in := web.Input{Name: "occupation", Label: "managing.occupation", Hint: "managing.occupation_hint", Autocomplete: "off", Required: true}
	for _, o := range occupation.All() {
		in.Suggest = append(in.Suggest, o.Name)
	}
	return p.input(r, f, in)
}

// readOccupation finds what was typed; else it says what is like it.
func readOccupation(f *web.Form) string {
	typed := f.Text("occupation")
	if o, ok := occupation.Find(typed); ok {
		return o.Key
	}
	if like := occupation.Search(typed, 3); len(like) > 0 {
		var names []string
		for _, o := range like {
			names = append(names, "„"+o.Name+"“")
		}
		f.Add("occupation", "managing.occupation_like", strings.Join(names, ", "))
	}
	return ""
}

// landChoice are the federal states.
func (p *Pages) landChoice(r *http.Request, chosen string) []web.Option {
	all := []web.Option{{Value: "", Text: p.text(r, "managing.land_none"), Selected: chosen == ""}}
	for _, l := range apprenticeship.Laender {
		all = append(all, web.Option{Value: l, Text: p.text(r, "managing.land."+l), Selected: l == chosen})
	}
	slices.SortFunc(all[1:], func(a, b web.Option) int { return strings.Compare(a.Text, b.Text) })
	return all
}

// A place of the administration, wide, with links to the others if the frame's
// navigation has no room for them.
type place struct {
	web.Frame
	Places bool
}

func (p *place) at(r *http.Request) {
	s := login.Of(r)
	p.Wide, p.Places = true, s.Signs() || s.Writes()
}

// A line of a list.
type line struct {
	apprenticeship.Listed
	Occupation  string
	Stand       standing.Stand
	Trainers    []assignment.Assignment // today
	Supervisors []assignment.Assignment
	Next        []assignment.Assignment // begin later
}

// lines completes a page of the list: three questions for how far they are, one
// for who accompanies them.
func lines(tx *db.Tx, all []apprenticeship.Listed) ([]line, error) {
	ids, asked := make([]string, len(all)), make([]apprenticeship.Apprenticeship, len(all))
	for i, a := range all {
		ids[i], asked[i] = a.ID, a.Apprenticeship
	}
	stands, err := standing.Of(tx, asked...)
	if err != nil {
		return nil, err
	}
	there, err := assignment.Assigned(tx, ids...)
	if err != nil {
		return nil, err
	}
	today := calendar.Today(tx.Now())
	found := make([]line, len(all))
	for i, a := range all {
		l := line{Listed: a, Occupation: occupation.Name(a.Occupation), Stand: stands[a.ID]}
		for _, x := range there {
			switch {
			case x.Apprenticeship != a.ID:
			case x.On(today) && x.Role == assignment.Trainer:
				l.Trainers = append(l.Trainers, x)
			case x.On(today):
				l.Supervisors = append(l.Supervisors, x)
			case x.From > today:
				l.Next = append(l.Next, x)
			}
		}
		found[i] = l
	}
	return found, nil
}
