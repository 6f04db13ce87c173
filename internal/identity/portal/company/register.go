package company

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/web"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/registration"
)

type registerPage struct {
	web.Frame
	Form *web.Form
	lists
	Own  string // id of the person's own application for the same company
	Join bool   // the company is here already: ask to join
}

type checkPage struct {
	web.Frame
	Form     *web.Form
	Facts    []Fact
	Hidden   []Fact       // what was typed, carried along
	Chambers []web.Option // where several may be in charge
	Chamber  string       // where one is
	Ways     []web.Option // how the company can be proved, where there is a choice (W05)
}

func (p *Pages) showRegister(w http.ResponseWriter, r *http.Request) error {
	return p.registerForm(w, r, web.NewForm(), &registerPage{})
}

func (p *Pages) registerForm(w http.ResponseWriter, r *http.Request, f *web.Form, page *registerPage) error {
	page.Form, page.lists = f, p.lists(r)
	return p.Site.Show(w, r, f.Status(), templates, "register", page)
}

// register is the assistant (R070): the button says whether to check the data,
// to go back to them, or to hand them in.
func (p *Pages) register(w http.ResponseWriter, r *http.Request) error {
	f, by := web.ReadForm(r), web.Actor(r)
	switch f.Text("do") {
	case "edit":
		return p.registerForm(w, r, f, &registerPage{})
	case "submit":
		var made registration.Registration
		a, err := p.rated(r, f)
		if err == nil {
			err = p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
				made, err = registration.Submit(tx, by, a)
				return err
			})
		}
		if own, yes := errors.AsType[*registration.OwnPending](err); yes { // the button was pressed twice
			return web.See(w, r, "/registrations/"+own.ID)
		}
		if ft := fault.Of(err); ft != nil && (ft.Key() == "registration.chamber_choose" || ft.Key() == "registration.way_unknown") {
			f.Take(err)
			return p.check(w, r, f)
		}
		if err != nil {
			return p.again(w, r, f, err)
		}
		return web.See(w, r, "/registrations/"+made.ID+"/done")
	}
	return p.check(w, r, f)
}

// rated is the application, compared with the directory before the transaction.
func (p *Pages) rated(r *http.Request, f *web.Form) (a registration.Application, err error) {
	err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		a, err = registration.Rate(tx, application(f))
		return err
	})
	return a, err
}

// check shows the summary (S08) if there is nothing to mend.
func (p *Pages) check(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	var made registration.Registration
	var serving []chamber.Chamber
	var ways []string
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if made, serving, err = registration.Prepare(tx, web.Actor(r), application(f)); err != nil {
			return err
		}
		ways, err = waysOf(tx, serving)
		return err
	})
	if err != nil {
		return p.again(w, r, f, err)
	}
	page := &checkPage{Form: f, Facts: p.facts(r, made)}
	for _, way := range ways {
		page.Ways = append(page.Ways, web.Option{Value: way, Text: p.Site.Catalog.Text(web.Lang(r), "company.way."+way), Hint: p.Site.Catalog.Text(web.Lang(r), "company.way_hint."+way), Selected: way == ways[0]})
	}
	if f.Values.Get("way") == "" {
		f.Values.Del("way") // the likeliest is chosen
	}
	for _, name := range fields {
		if (name != "chamber" || len(serving) < 2) && (name != "way" || len(ways) < 2) {
			page.Hidden = append(page.Hidden, Fact{name, f.Values.Get(name)})
		}
	}
	for i, c := range serving {
		page.Chamber = c.Name
		page.Chambers = append(page.Chambers, web.Option{Value: c.ID, Text: c.Name, Selected: i == 0})
	}
	if f.Values.Get("chamber") == "" {
		f.Values.Del("chamber") // the likeliest is chosen
	}
	return p.Site.Show(w, r, f.Status(), templates, "check", page)
}

// waysOf are the ways to prove a company that these chambers offer, the
// likeliest first.
func waysOf(tx *db.Tx, serving []chamber.Chamber) (ways []string, err error) {
	for _, c := range serving {
		settings, err := chamber.SettingsOf(tx, c.ID)
		if err != nil {
			return nil, err
		}
		for _, way := range settings.Proofs {
			if !slices.Contains(ways, way) {
				ways = append(ways, way)
			}
		}
	}
	return ways, nil
}

// registeredRate bounds how often one person is told that a company is here.
var registeredRate = limit.Rate{Burst: 10, Every: 5 * time.Minute}

func (p *Pages) again(w http.ResponseWriter, r *http.Request, f *web.Form, err error) error {
	page := &registerPage{}
	if own, yes := errors.AsType[*registration.OwnPending](err); yes {
		page.Own = own.ID
	}
	if fault.Is(err, fault.KindConflict) { // telling who is here already has an end
		if limited := limit.Take(r.Context(), p.DB, "registered/"+web.Actor(r).Account, registeredRate); limited != nil {
			err, page.Own = limited, ""
		}
	}
	if !f.Take(err) {
		return err
	}
	page.Join = f.Problems[0].Key == "registration.registered_already"
	return p.registerForm(w, r, f, page)
}
