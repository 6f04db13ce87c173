package reviewing

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/training/calendar"
	"zunft/internal/training/login"
	"zunft/internal/training/person"
	"zunft/internal/training/review"
	"zunft/internal/training/substitute"
	"zunft/internal/training/supervisor"

	"zunft/internal/ground/fault"
)

// substitutePage is who stands in for whom.
type substitutePage struct {
	web.Frame
	Form        *web.Form
	People      []web.Option
	ForMe, ByMe []substitute.Substitution
	Today       calendar.Date
}

func (p *Pages) substitute(w http.ResponseWriter, r *http.Request) error {
	return p.showSubstitute(w, r, web.NewForm())
}

func (p *Pages) showSubstitute(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	v := &substitutePage{Form: form, People: []web.Option{{Text: p.text(r)("reviewing.substitute_choose")}}}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		v.Today = calendar.Today(tx.Now())
		if v.ForMe, v.ByMe, err = substitute.Mine(tx, web.Actor(r)); err != nil {
			return err
		}
		others, err := substitute.Others(tx, web.Actor(r))
		for _, o := range others {
			v.People = append(v.People, web.Option{Value: o.Sub, Text: o.Name})
		}
		return err
	})
	if err != nil {
		return err
	}
	v.Back = web.Link{Text: p.text(r)("reviewing.queue"), Href: "/reviews"}
	return p.Site.Show(w, r, form.Status(), templates, "substitute", v)
}

func (p *Pages) addSubstitute(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	from, _ := calendar.ParseDate(form.Text("from")) // nonsense is missing
	until, _ := calendar.ParseDate(form.Text("until"))
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		return substitute.Add(tx, web.Actor(r), form.Text("deputy"), from, until)
	})
	if form.Take(err) {
		return p.showSubstitute(w, r, form)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/substitute", "reviewing.done_substitute")
}

func (p *Pages) endSubstitute(w http.ResponseWriter, r *http.Request) error {
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return substitute.End(tx, web.Actor(r), r.PathValue("id")) })
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/substitute", "reviewing.done_substitute_ended")
}

// supervisorsPage is how a company's apprentices may send reports to people
// without an account (W14).
type supervisorsPage struct {
	web.Frame
	Form  *web.Form
	Ways  []web.Option
	Used  []supervisor.Access
	Asked bool // the company confirms addresses
}

func (p *Pages) supervisors(w http.ResponseWriter, r *http.Request) error {
	return p.showSupervisors(w, r, web.NewForm())
}

func (p *Pages) showSupervisors(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	s := login.Of(r)
	if !s.Is(person.TrainingAdmin) {
		return fault.Forbidden()
	}
	v := &supervisorsPage{Form: form}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		way, err := supervisor.WayOf(tx, s.Company.ID)
		if err != nil {
			return err
		}
		v.Asked = way != supervisor.ByPIN
		for _, x := range []supervisor.Way{supervisor.ByConfirmation, supervisor.ByPIN, supervisor.ByAccount} {
			key := "reviewing.way_" + string(x)
			v.Ways = append(v.Ways, web.Option{Value: string(x), Text: p.text(r)(key), Hint: p.text(r)(key + "_hint"), Selected: x == way})
		}
		v.Used, err = supervisor.Used(tx, web.Actor(r))
		return err
	})
	if err != nil {
		return err
	}
	v.Back = web.Link{Text: p.text(r)("managing.settings"), Href: "/company/settings"}
	return p.Site.Show(w, r, form.Status(), templates, "supervisors", v)
}

func (p *Pages) setSupervisors(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return supervisor.SetWay(tx, web.Actor(r), supervisor.Way(form.Text("way"))) })
	if form.Take(err) {
		return p.showSupervisors(w, r, form)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/company/supervisors", "reviewing.done_way")
}

// confirm says that the address a report was sent to is one of the company's;
// the page it was pressed on comes again.
func (p *Pages) confirm(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	email := form.Text("email")
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return review.Confirm(tx, web.Actor(r), r.PathValue("id"), email) })
	if form.Take(err) {
		return p.show(w, r, form)
	}
	if err != nil {
		return err
	}
	to := "/reviews/" + r.PathValue("id")
	switch form.Text("from") {
	case "queue":
		to = "/reviews"
	case "settings":
		to = "/company/supervisors"
	}
	return p.Site.Done(w, r, to, "reviewing.done_confirmed", email)
}

func (p *Pages) withdraw(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	if err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return supervisor.Withdraw(tx, web.Actor(r), form.Text("person")) }); err != nil {
		return err
	}
	return p.Site.Done(w, r, "/company/supervisors", "reviewing.done_withdrawn")
}
