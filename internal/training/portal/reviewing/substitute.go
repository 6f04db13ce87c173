package reviewing

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/training/calendar"
	"zunft/internal/training/login"
	"zunft/internal/training/person"
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
	Form *web.Form
	Ways []web.Option
	Used []supervisor.Access
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
		yes, err := supervisor.ByPIN(tx, s.Company.ID)
		if err != nil {
			return err
		}
		v.Ways = []web.Option{
			{Value: "pin", Text: p.text(r)("reviewing.way_pin"), Hint: p.text(r)("reviewing.way_pin_hint"), Selected: yes},
			{Value: "account", Text: p.text(r)("reviewing.way_account"), Hint: p.text(r)("reviewing.way_account_hint"), Selected: !yes},
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
	way := form.Text("way")
	if way != "pin" && way != "account" {
		form.Add("way", "reviewing.way_missing")
		return p.showSupervisors(w, r, form)
	}
	if err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return supervisor.SetByPIN(tx, web.Actor(r), way == "pin") }); err != nil {
		return err
	}
	return p.Site.Done(w, r, "/company/supervisors", "reviewing.done_way")
}
