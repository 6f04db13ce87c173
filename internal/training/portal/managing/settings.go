package managing

import (
	"errors"
	"net/http"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/bookform"
	"zunft/internal/training/occupation"
)

// errAgain takes back what a form that was partly unreadable has done.
var errAgain = errors.New("form comes back")

// settingsPage is all that settings.html may use.
type settingsPage struct {
	place
	Rows    []settingRow
	Changes []formChange
}

type settingRow struct {
	bookform.Row
	Name, Path string
}

type formChange struct {
	bookform.Change
	Occupation string
}

func (p *Pages) settings(w http.ResponseWriter, r *http.Request) error {
	v := &settingsPage{}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		rows, err := bookform.All(tx, web.Actor(r))
		if err != nil {
			return err
		}
		for i, row := range rows {
			if i > 0 && row.Occupation == "" {
				continue
			}
			v.Rows = append(v.Rows, settingRow{row, p.occupationName(r, row.Occupation), pathOf(row.Occupation)})
		}
		changes, err := bookform.OwnChanges(tx, web.Actor(r), 10)
		for _, c := range changes {
			v.Changes = append(v.Changes, formChange{c, p.occupationName(r, c.Occupation)})
		}
		return err
	})
	if err != nil {
		return err
	}
	v.at(r)
	return p.Site.Show(w, r, http.StatusOK, templates, "settings", v)
}

func (p *Pages) occupationName(r *http.Request, key string) string {
	if key == "" {
		return p.text(r, "managing.all_occupations")
	}
	return occupation.Name(key)
}

func pathOf(key string) string {
	if key == "" {
		return "all"
	}
	return key
}

// settingPage is all that setting.html may use.
type settingPage struct {
	web.Frame
	Form         *web.Form
	Row          settingRow
	Modes, Steps []web.Option
}

// row is the line of the address.
func row(tx *db.Tx, r *http.Request) (bookform.Row, error) {
	key := r.PathValue("occupation")
	if key == "all" {
		key = ""
	} else if _, ok := occupation.Get(key); !ok {
		return bookform.Row{}, fault.NotFound()
	}
	rows, err := bookform.All(tx, web.Actor(r))
	if err != nil {
		return bookform.Row{}, err
	}
	for _, x := range rows {
		if x.Occupation == key {
			return x, nil
		}
	}
	return bookform.Row{Occupation: key, Settings: rows[0].Settings}, nil // nobody learns it yet
}

func (p *Pages) askSettings(w http.ResponseWriter, r *http.Request) error {
	return p.showSettings(w, r, nil)
}

func (p *Pages) showSettings(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	v := &settingPage{Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		x, err := row(tx, r)
		v.Row = settingRow{x, p.occupationName(r, x.Occupation), pathOf(x.Occupation)}
		return err
	})
	if err != nil {
		return err
	}
	if f == nil {
		v.Form = web.NewForm("mode", v.Row.Mode, "steps", strconv.Itoa(v.Row.Steps), "due_days", strconv.Itoa(v.Row.DueDays))
		if v.Row.Electronic {
			v.Form.Values.Set("electronic", ticked(true))
		}
	}
	v.Modes = []web.Option{{Value: "week", Text: p.text(r, "managing.mode_week"), Hint: p.text(r, "managing.mode_week_hint")}, {Value: "day", Text: p.text(r, "managing.mode_day"), Hint: p.text(r, "managing.mode_day_hint")}}
	v.Steps = []web.Option{{Value: "1", Text: p.text(r, "managing.steps_one")}, {Value: "2", Text: p.text(r, "managing.steps_two"), Hint: p.text(r, "managing.steps_two_hint")}}
	v.Back = web.Link{Text: p.text(r, "managing.settings"), Href: "/company/settings"}
	return p.Site.Show(w, r, v.Form.Status(), templates, "setting", v)
}

func (p *Pages) settle(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	set := bookform.Settings{Electronic: f.Checked("electronic"), Mode: f.Text("mode"), Steps: f.Number("steps"), DueDays: -1}
	if n, err := strconv.Atoi(f.Text("due_days")); err == nil {
		set.DueDays = n
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		x, err := row(tx, r)
		if err != nil {
			return err
		}
		return bookform.Settle(tx, web.Actor(r), x.Occupation, set)
	})
	if f.Take(err) {
		return p.showSettings(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/company/settings", "managing.saved")
}

func (p *Pages) reset(w http.ResponseWriter, r *http.Request) error {
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		x, err := row(tx, r)
		if err != nil {
			return err
		}
		return bookform.Unsettle(tx, web.Actor(r), x.Occupation)
	})
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/company/settings", "managing.reset_done")
}
