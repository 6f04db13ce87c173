package managing

import (
	"net/http"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/assignment"
	"zunft/internal/training/calendar"
)

// assignmentsPage is all that assignments.html may use.
type assignmentsPage struct {
	place
	Form        *web.Form
	Views       []web.Option
	People      []web.Option
	Narrowed    bool
	All         bool   // everybody on the page is ticked
	TickAll     string // the address that does it
	Lines       []line
	After, More string
}

func (p *Pages) assignments(w http.ResponseWriter, r *http.Request) error {
	form, filter, err := narrowed(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	q.Set("all", "1")
	v := &assignmentsPage{Form: form, Narrowed: filter.View != "" || filter.Search != "" || filter.Companion != "", After: filter.After, All: form.Checked("all"), TickAll: "?" + q.Encode() + "#list"}
	for _, o := range p.views(r) {
		if o.Value != apprenticeship.Ended {
			v.Views = append(v.Views, o)
		}
	}
	err = p.DB.Read(r.Context(), func(tx *db.Tx) error {
		people, _, err := assignment.Companions(tx, web.Actor(r), "", mostPeople)
		if err != nil {
			return err
		}
		v.People = []web.Option{{Text: p.text(r, "managing.anybody")}}
		for _, c := range people {
			v.People = append(v.People, web.Option{Value: c.Sub, Text: c.Name})
		}
		all, err := apprenticeship.List(tx, web.Actor(r), filter, pageSize+1)
		if err != nil {
			return err
		}
		if len(all) > pageSize {
			all = all[:pageSize]
			q.Del("all")
			v.More = nextPage(r, all[pageSize-1].Cursor)
		}
		v.Lines, err = lines(tx, all)
		return err
	})
	if err != nil {
		return err
	}
	v.at(r)
	return p.Site.Show(w, r, http.StatusOK, templates, "assignments", v)
}

// mostPeople is how many trainers and supervisors a choice offers.
const mostPeople = 300

// changePage is all that change.html may use.
type changePage struct {
	web.Frame
	Form   *web.Form
	Lines  []line
	People []web.Option
	More   bool // the form's further fields are open
}

func (p *Pages) askChange(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadQuery(r)
	f.Values.Del("from")
	return p.showChange(w, r, f)
}

func (p *Pages) showChange(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	v := &changePage{Form: f, More: f.Text("until") != "" || f.Text("department") != ""}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		by := web.Actor(r)
		if !f.Values.Has("from") {
			f.Values.Set("from", string(calendar.Today(tx.Now())))
		}
		people, _, err := assignment.Companions(tx, by, "", mostPeople)
		if err != nil {
			return err
		}
		v.People = p.people(r, people)
		all, err := apprenticeship.Several(tx, by, f.All("id"))
		if fault.Is(err, fault.KindInvalid) { // nobody is ticked
			if f.OK() {
				f.Take(err)
			}
			return nil
		}
		if err != nil {
			return err
		}
		listed := make([]apprenticeship.Listed, len(all))
		for i, a := range all {
			listed[i] = apprenticeship.Listed{Apprenticeship: a, Name: a.Name()}
		}
		v.Lines, err = lines(tx, listed)
		return err
	})
	if err != nil {
		return err
	}
	v.Back = web.Link{Text: p.text(r, "managing.assignments"), Href: "/company/assignments"}
	if len(v.Lines) == 1 { // from one's own page, and back there
		v.Back = web.Link{Text: v.Lines[0].Name, Href: "/company/trainees/" + v.Lines[0].ID}
	}
	return p.Site.Show(w, r, f.Status(), templates, "change", v)
}

// people are who may be chosen, each with what they would be.
func (p *Pages) people(r *http.Request, all []assignment.Companion) []web.Option {
	options := []web.Option{{Text: p.text(r, "managing.choose_person")}}
	for _, c := range all {
		if c.Trainer {
			options = append(options, web.Option{Value: assignment.Trainer + "/" + c.Sub, Text: c.Name, Hint: p.text(r, "managing.as_trainer")})
		}
	}
	for _, c := range all {
		options = append(options, web.Option{Value: assignment.Supervisor + "/" + c.Sub, Text: c.Name, Hint: p.text(r, "managing.as_supervisor")})
	}
	return options
}

func (p *Pages) change(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	c := assignment.Change{Apprenticeships: f.All("id"), Department: f.Text("department"), From: day(f, "from"), Until: day(f, "until")}
	c.Role, c.Person, _ = strings.Cut(f.Text("person"), "/")
	if c.Role == assignment.Trainer {
		c.Department = ""
	}
	n := 0
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		n, err = assignment.Assign(tx, web.Actor(r), c)
		if err == nil && !f.OK() {
			err = errAgain
		}
		return err
	})
	if err == errAgain || check(f, err) {
		return p.showChange(w, r, f)
	}
	if err != nil {
		return err
	}
	to := "/company/assignments"
	if len(c.Apprenticeships) == 1 {
		to = "/company/trainees/" + c.Apprenticeships[0]
	}
	return p.Site.Done(w, r, to, "managing.assigned", strconv.Itoa(n))
}

// trainersPage is all that trainers.html may use.
type trainersPage struct {
	place
	People      []assignment.Companion
	After, More string
}

func (p *Pages) trainers(w http.ResponseWriter, r *http.Request) error {
	v := &trainersPage{After: r.URL.Query().Get("after")}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		v.People, v.More, err = assignment.Companions(tx, web.Actor(r), v.After, pageSize)
		return err
	})
	if err != nil {
		return err
	}
	if v.More != "" {
		v.More = nextPage(r, v.More)
	}
	v.at(r)
	return p.Site.Show(w, r, http.StatusOK, templates, "trainers", v)
}
