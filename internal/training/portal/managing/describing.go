package managing

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/calendar"
	"zunft/internal/training/occupation"
	"zunft/internal/training/person"
)

// formPage is all that form.html may use: to describe a new apprenticeship
// (Kind "new"), to change one ("edit"), or one that continues another ("continue").
type formPage struct {
	web.Frame
	Kind       string
	Form       *web.Form
	Occupation web.Input
	Laender    []web.Option
	Of         apprenticeship.Apprenticeship // edit, continue
	Person     person.Person                 // new: whose it will be
	Locked     string                        // name of the occupation, if the registry says it
}

func readWish(f *web.Form) apprenticeship.Wish {
	return apprenticeship.Wish{
		GivenName: f.Text("given_name"), FamilyName: f.Text("family_name"), Email: f.Text("email"), Number: f.Text("number"), Occupation: readOccupation(f),
		Retraining: f.Checked("retraining"), Site: f.Text("site"), Land: f.Text("land"), StartsOn: day(f, "starts_on"), EndsOn: day(f, "ends_on"),
	}
}

// check says what the page's own reading complains of before the rule does:
// of one field one complaint.
func check(f *web.Form, err error) bool {
	said := map[string]bool{}
	for _, x := range f.Problems {
		said[x.Field] = true
	}
	ft := fault.Of(err)
	if ft == nil {
		return false
	}
	if ft.Kind == fault.KindInvalid && len(said) > 0 {
		for _, x := range ft.Problems {
			if !said[x.Field] {
				f.Problems = append(f.Problems, x)
			}
		}
		return true
	}
	return f.Take(err)
}

func ticked(yes bool) string {
	if yes {
		return "1"
	}
	return ""
}

func filled(a apprenticeship.Apprenticeship) *web.Form {
	f := web.NewForm("given_name", a.GivenName, "family_name", a.FamilyName, "email", a.Email, "number", a.Number, "occupation", occupation.Name(a.Occupation),
		"site", a.Site, "land", a.Land, "starts_on", string(a.StartsOn), "ends_on", string(a.EndsOn))
	if a.Retraining {
		f.Values.Set("retraining", ticked(true))
	}
	return f
}

func (p *Pages) showForm(w http.ResponseWriter, r *http.Request, v *formPage) error {
	v.Occupation = p.occupationInput(r, v.Form)
	v.Laender = p.landChoice(r, v.Form.Text("land"))
	if v.Kind == "edit" && v.Of.Source == apprenticeship.Registry {
		v.Locked = occupation.Name(v.Of.Occupation)
	}
	v.Back = web.Link{Text: p.text(r, "managing.trainees"), Href: "/company/trainees"}
	if v.Of.ID != "" {
		v.Back = web.Link{Text: v.Of.Name(), Href: "/company/trainees/" + v.Of.ID}
	}
	return p.Site.Show(w, r, v.Form.Status(), templates, "form", v)
}

func (p *Pages) ask(w http.ResponseWriter, r *http.Request) error {
	v := &formPage{Kind: "new", Form: web.NewForm()}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		land, site, err := apprenticeship.Usual(tx, web.Actor(r))
		if err != nil {
			return err
		}
		v.Form = web.NewForm("land", land, "site", site)
		return v.whose(tx, r)
	})
	if err != nil {
		return err
	}
	if v.Person.Sub != "" {
		v.Form.Values.Set("given_name", v.Person.GivenName)
		v.Form.Values.Set("family_name", v.Person.FamilyName)
		v.Form.Values.Set("email", v.Person.Email)
	}
	return p.showForm(w, r, v)
}

// whose is the person of the address, if they may be given an apprenticeship.
func (v *formPage) whose(tx *db.Tx, r *http.Request) error {
	sub := r.FormValue("person")
	if sub == "" {
		return nil
	}
	free, err := apprenticeship.Free(tx, web.Actor(r), 1000)
	for _, x := range free {
		if x.Sub == sub {
			v.Person = x
		}
	}
	return err
}

func (p *Pages) create(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	wish := readWish(f)
	var a apprenticeship.Apprenticeship
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		a, err = apprenticeship.Create(tx, web.Actor(r), wish, f.Text("person"))
		return err
	})
	if check(f, err) {
		v := &formPage{Kind: "new", Form: f}
		if err := p.DB.Read(r.Context(), func(tx *db.Tx) error { return v.whose(tx, r) }); err != nil {
			return err
		}
		return p.showForm(w, r, v)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/company/trainees/"+a.ID, "managing.created", a.Name())
}

// one reads the apprenticeship of the address for a form.
func (p *Pages) one(r *http.Request) (a apprenticeship.Apprenticeship, today calendar.Date, err error) {
	err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		today = calendar.Today(tx.Now())
		a, err = apprenticeship.For(tx, web.Actor(r), r.PathValue("id"))
		return err
	})
	return a, today, err
}

func (p *Pages) edit(w http.ResponseWriter, r *http.Request) error {
	a, _, err := p.one(r)
	if err != nil {
		return err
	}
	return p.showForm(w, r, &formPage{Kind: "edit", Form: filled(a), Of: a})
}

func (p *Pages) save(w http.ResponseWriter, r *http.Request) error {
	a, _, err := p.one(r)
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	var wish apprenticeship.Wish
	if a.Source == apprenticeship.Registry {
		wish = apprenticeship.Wish{Email: f.Text("email"), Site: f.Text("site"), Land: f.Text("land")}
	} else {
		wish = readWish(f)
	}
	err = p.DB.Write(r.Context(), func(tx *db.Tx) error {
		_, err := apprenticeship.Edit(tx, web.Actor(r), a.ID, f.Number("version"), wish)
		return err
	})
	if check(f, err) {
		return p.showForm(w, r, &formPage{Kind: "edit", Form: f, Of: a})
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, p.here(r), "managing.saved")
}

func (p *Pages) askContinue(w http.ResponseWriter, r *http.Request) error {
	a, _, err := p.one(r)
	if err != nil {
		return err
	}
	f := filled(a)
	for _, empty := range []string{"occupation", "starts_on"} {
		f.Values.Del(empty)
	}
	return p.showForm(w, r, &formPage{Kind: "continue", Form: f, Of: a})
}

func (p *Pages) goOn(w http.ResponseWriter, r *http.Request) error {
	a, _, err := p.one(r)
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	wish := readWish(f)
	var next apprenticeship.Apprenticeship
	err = p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		next, err = apprenticeship.Continue(tx, web.Actor(r), a.ID, f.Number("version"), wish)
		return err
	})
	if check(f, err) {
		return p.showForm(w, r, &formPage{Kind: "continue", Form: f, Of: a})
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/company/trainees/"+next.ID, "managing.continued")
}

// endPage is all that end.html may use.
type endPage struct {
	web.Frame
	Form *web.Form
	Of   apprenticeship.Apprenticeship
}

func (p *Pages) askEnd(w http.ResponseWriter, r *http.Request) error {
	a, today, err := p.one(r)
	if err != nil {
		return err
	}
	first := a.EndedOn
	if first == "" {
		first = max(a.StartsOn, today)
	}
	return p.showEnd(w, r, a, web.NewForm("ended_on", string(first)))
}

func (p *Pages) showEnd(w http.ResponseWriter, r *http.Request, a apprenticeship.Apprenticeship, f *web.Form) error {
	v := &endPage{Form: f, Of: a}
	v.Back = web.Link{Text: a.Name(), Href: "/company/trainees/" + a.ID}
	return p.Site.Show(w, r, f.Status(), templates, "end", v)
}

func (p *Pages) end(w http.ResponseWriter, r *http.Request) error {
	a, _, err := p.one(r)
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	last, done := day(f, "ended_on"), "managing.ended"
	if f.Text("do") == "undo" {
		last, done = "", "managing.end_undone"
	} else if last == "" && f.OK() {
		f.Add("ended_on", "managing.last_missing")
	}
	if !f.OK() {
		return p.showEnd(w, r, a, f)
	}
	err = p.DB.Write(r.Context(), func(tx *db.Tx) error {
		_, err := apprenticeship.End(tx, web.Actor(r), a.ID, f.Number("version"), last)
		return err
	})
	if f.Take(err) {
		return p.showEnd(w, r, a, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, p.here(r), done)
}
