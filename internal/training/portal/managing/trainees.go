package managing

import (
	"net/http"
	"net/url"
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/assignment"
	"zunft/internal/training/calendar"
	"zunft/internal/training/occupation"
	"zunft/internal/training/person"
	"zunft/internal/training/standing"
)

// traineesPage is all that trainees.html may use.
type traineesPage struct {
	place
	Form          *web.Form
	Views, Orders []web.Option
	Narrowed      bool
	Stretch       int // how many were looked at, if there are more: 0 else
	Lines         []line
	After, More   string
	// Who has come and is not described: the first few, and the rest folded away.
	Undescribed, MoreUndescribed []person.Person
}

// unfolded is how many of the undescribed stand before the list.
const unfolded = 5

// narrowed reads the filter of a list from the address; a page may have views
// of its own.
func narrowed(r *http.Request, own ...string) (*web.Form, apprenticeship.Filter, error) {
	f := web.ReadQuery(r)
	filter := apprenticeship.Filter{View: f.Text("show"), Search: f.Text("q"), Companion: f.Text("by"), After: f.Raw("after")}
	if !slices.Contains(append(own, apprenticeship.Views()...), filter.View) {
		return f, filter, fault.NotFound()
	}
	return f, filter, nil
}

func (p *Pages) views(r *http.Request) (all []web.Option) {
	for _, v := range apprenticeship.Views() {
		key := v
		if v == apprenticeship.Running {
			key = "running"
		}
		all = append(all, web.Option{Value: v, Text: p.text(r, "managing.view."+key)})
	}
	return all
}

// nextPage is the address of what follows.
func nextPage(r *http.Request, cursor string) string {
	q := r.URL.Query()
	q.Set("after", cursor)
	return "?" + q.Encode()
}

func (p *Pages) trainees(w http.ResponseWriter, r *http.Request) error {
	form, filter, err := narrowed(r, late)
	if err != nil {
		return err
	}
	v := &traineesPage{Form: form, Views: p.views(r), Narrowed: filter.View != "" || filter.Search != "" || filter.Companion != "", After: filter.After}
	err = p.DB.Read(r.Context(), func(tx *db.Tx) error {
		if err := v.list(tx, p, r, filter); err != nil {
			return err
		}
		if !v.Narrowed && v.After == "" {
			v.Undescribed, err = apprenticeship.Undescribed(tx, web.Actor(r), 50)
			n := min(unfolded, len(v.Undescribed))
			v.Undescribed, v.MoreUndescribed = v.Undescribed[:n], v.Undescribed[n:]
		}
		return err
	})
	if err != nil {
		return err
	}
	v.at(r)
	return p.Site.Show(w, r, http.StatusOK, templates, "trainees", v)
}

// late is a view of this page: whose books have open weeks.
const late = "late"

// list reads a page, as package standing does for those who train: who is behind
// comes first if all fit on one page, or if somebody asks for it.
func (v *traineesPage) list(tx *db.Tx, p *Pages, r *http.Request, filter apprenticeship.Filter) error {
	v.Views = slices.Insert(v.Views, 1, web.Option{Value: late, Text: p.text(r, "managing.view.late")})
	for _, x := range []string{standing.Behind, standing.ByName} {
		v.Orders = append(v.Orders, web.Option{Value: x, Text: p.text(r, "managing.order."+x)})
	}
	order, most, only := v.Form.Text("order"), pageSize, filter.View == late
	if only || order == standing.Behind {
		most = standing.Stretch
	}
	if only {
		filter.View = apprenticeship.Running
	}
	all, err := apprenticeship.List(tx, web.Actor(r), filter, most+1)
	if err != nil {
		return err
	}
	if len(all) > most {
		all = all[:most]
		v.More = nextPage(r, all[most-1].Cursor)
		if most > pageSize {
			v.Stretch = most
		}
	}
	if v.Lines, err = lines(tx, all); err != nil {
		return err
	}
	if only {
		v.Lines = slices.DeleteFunc(v.Lines, func(l line) bool { return !l.Stand.Late() })
	}
	if order == "" {
		if order = standing.ByName; v.After == "" && v.More == "" {
			order = standing.Behind
		}
		v.Form.Values.Set("order", order)
	}
	if order == standing.Behind {
		slices.SortStableFunc(v.Lines, func(a, b line) int { return standing.ByNeed(a.Stand, b.Stand) })
	}
	return nil
}

// traineePage is all that trainee.html may use.
type traineePage struct {
	web.Frame
	Form        *web.Form
	Line        line
	Person      person.Person // without Sub: not known yet
	Assignments []assignment.Assignment
	Today       calendar.Date
	Free        []web.Option // whose it might be
	Before      link
	After       []link
	Over        bool
}

// A link to another apprenticeship of the same person.
type link struct{ ID, Text string }

func (p *Pages) trainee(w http.ResponseWriter, r *http.Request) error {
	return p.showTrainee(w, r, web.NewForm())
}

func (p *Pages) showTrainee(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	v := &traineePage{Form: form}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		by := web.Actor(r)
		a, err := apprenticeship.For(tx, by, r.PathValue("id"))
		if err != nil {
			return err
		}
		v.Today = calendar.Today(tx.Now())
		listed := apprenticeship.Listed{Apprenticeship: a, Name: a.Name()}
		if a.Person != "" {
			if v.Person, err = person.Get(tx, a.Person); err != nil {
				return err
			}
			listed.Name = v.Person.Name
		} else if err := v.free(tx, p, r, a); err != nil {
			return err
		}
		all, err := lines(tx, []apprenticeship.Listed{listed})
		if err != nil {
			return err
		}
		v.Line = all[0]
		v.Over = a.Last() != "" && a.Last() < v.Today
		if v.Assignments, err = assignment.Assigned(tx, a.ID); err != nil {
			return err
		}
		return v.chain(tx, a)
	})
	if err != nil {
		return err
	}
	v.Back = web.Link{Text: p.text(r, "managing.trainees"), Href: "/company/trainees"}
	return p.Site.Show(w, r, form.Status(), templates, "trainee", v)
}

func (v *traineePage) free(tx *db.Tx, p *Pages, r *http.Request, a apprenticeship.Apprenticeship) error {
	people, err := apprenticeship.Free(tx, web.Actor(r), 200)
	if err != nil || len(people) == 0 {
		return err
	}
	v.Free = append(v.Free, web.Option{Text: p.text(r, "managing.choose_person")})
	for _, x := range people {
		v.Free = append(v.Free, web.Option{Value: x.Sub, Text: x.Name, Hint: x.Email, Selected: x.GivenName == a.GivenName && x.FamilyName == a.FamilyName})
	}
	return nil
}

// chain is what came before and after in this company; of others nothing is said.
func (v *traineePage) chain(tx *db.Tx, a apprenticeship.Apprenticeship) error {
	before, after, err := apprenticeship.Beside(tx, a)
	if err != nil {
		return err
	}
	say := func(x apprenticeship.Apprenticeship) link {
		return link{x.ID, occupation.Name(x.Occupation) + ", " + calendar.Span(x.StartsOn, x.Last())}
	}
	if before.ID != "" {
		v.Before = say(before)
	}
	for _, x := range after {
		v.After = append(v.After, say(x))
	}
	return nil
}

func (p *Pages) here(r *http.Request) string {
	return "/company/trainees/" + url.PathEscape(r.PathValue("id"))
}

// act runs a command of the page; what a person can mend comes back on it.
func (p *Pages) act(w http.ResponseWriter, r *http.Request, done string, command func(tx *db.Tx, f *web.Form) (to string, err error)) error {
	form := web.ReadForm(r)
	to := p.here(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		at, err := command(tx, form)
		if at != "" {
			to = "/company/trainees/" + at
		}
		return err
	})
	if form.Take(err) {
		return p.showTrainee(w, r, form)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, to, done)
}

func (p *Pages) link(w http.ResponseWriter, r *http.Request) error {
	return p.act(w, r, "managing.linked", func(tx *db.Tx, f *web.Form) (string, error) {
		a, err := apprenticeship.LinkPerson(tx, web.Actor(r), r.PathValue("id"), f.Number("version"), f.Text("person"))
		return a.ID, err // the row that the person began may be the one that stays
	})
}

func (p *Pages) unlink(w http.ResponseWriter, r *http.Request) error {
	return p.act(w, r, "managing.unlinked", func(tx *db.Tx, f *web.Form) (string, error) {
		_, err := apprenticeship.Unlink(tx, web.Actor(r), r.PathValue("id"), f.Number("version"))
		return "", err
	})
}

func (p *Pages) release(w http.ResponseWriter, r *http.Request) error {
	return p.act(w, r, "managing.released", func(tx *db.Tx, f *web.Form) (string, error) {
		return "", assignment.Release(tx, web.Actor(r), r.PathValue("id"), r.PathValue("assignment"), calendar.Today(tx.Now()))
	})
}

// word of how far a book is, for templates.
func (l line) Word() standing.Word { return l.Stand.Word() }
