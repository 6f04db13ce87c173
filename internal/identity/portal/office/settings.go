package office

import (
	"net/http"
	"slices"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/tally"
)

// numbers are the settings that are numbers, by the name of their field.
func numbers(s *chamber.Settings) map[string]*int {
	return map[string]*int{
		"four_eyes_below": &s.FourEyesBelow, "release_from": &s.ReleaseFrom, "sample_percent": &s.SamplePercent, "active_from": &s.ActiveFrom, "evidence_months": &s.EvidenceMonths,
		"letters_per_month": &s.LettersPerMonth, "invitation_days": &s.InvitationDays, "roster_days": &s.RosterDays, "remind_days": &s.RemindDays, "deputy_days": &s.DeputyDays,
		"chamber_days": &s.ChamberDays, "request_days": &s.RequestDays, "review_months": &s.ReviewMonths, "mandate_months": &s.MandateMonths, "close_days": &s.CloseDays,
	}
}

// fill writes settings into a form.
func fill(s chamber.Settings) *web.Form {
	f := web.NewForm("matching", s.Matching, "invitation", s.Invitation, "adviser", s.Adviser)
	f.Values["proofs"] = s.Proofs
	for name, n := range numbers(&s) {
		f.Values.Set(name, strconv.Itoa(*n))
	}
	for name, yes := range map[string]bool{"daily_summary": s.DailySummary, "mandate_approval": s.MandateApproval} {
		if yes {
			f.Values.Set(name, "1")
		}
	}
	return f
}

// readSettings takes a form's settings; what is no number is out of all bounds.
func readSettings(f *web.Form) chamber.Settings {
	s := chamber.Settings{
		Matching: f.Text("matching"), Invitation: f.Text("invitation"), Adviser: f.Text("adviser"), Proofs: slices.Compact(slices.Clone(f.All("proofs"))),
		DailySummary: f.Checked("daily_summary"), MandateApproval: f.Checked("mandate_approval"), Version: f.Number("version"),
	}
	for name, n := range numbers(&s) {
		*n = -1
		if v, err := strconv.Atoi(f.Text(name)); err == nil {
			*n = v
		}
	}
	return s
}

type settingsPage struct {
	web.Frame
	Form                          *web.Form
	Version                       int
	Matchings, Proofs, Invitation []web.Option
	Effect                        *tally.Effect // of a preview
}

func (p *Pages) settings(w http.ResponseWriter, r *http.Request) error {
	return p.showSettings(w, r, nil, nil)
}

// showSettings shows what was typed, or what holds.
func (p *Pages) showSettings(w http.ResponseWriter, r *http.Request, f *web.Form, e *tally.Effect) error {
	page := &settingsPage{Frame: web.Frame{Back: p.back(r)}, Form: f, Effect: e}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		id, err := led(tx, r)
		if err != nil {
			return err
		}
		s, err := chamber.SettingsOf(tx, id)
		page.Version = s.Version
		if f == nil {
			page.Form = fill(s)
		} else if f.Status() == http.StatusConflict { // somebody was quicker: their settings, and the reason
			page.Form = fill(s)
			page.Form.Problems = f.Problems
		}
		return err
	})
	if err != nil {
		return err
	}
	option := func(setting, value string) web.Option {
		return web.Option{Value: value, Text: p.text(r, "office."+setting+"."+value), Hint: p.text(r, "office."+setting+"_hint."+value)}
	}
	page.Matchings = []web.Option{option("matching", chamber.Normalized), option("matching", chamber.Literal)}
	page.Proofs = []web.Option{option("proof", chamber.ByLetter), option("proof", chamber.ByElster)}
	page.Invitation = []web.Option{option("invitation", chamber.AtOnce), option("invitation", chamber.Confirm)}
	return p.Site.Show(w, r, f.Status(), templates, "settings", page)
}

func (p *Pages) saveSettings(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	s := readSettings(f)
	if f.Text("do") == "preview" {
		var e *tally.Effect
		err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
			id, err := led(tx, r)
			if err != nil {
				return err
			}
			if err := s.Check(); err != nil {
				return err
			}
			found, err := tally.Preview(tx, web.Actor(r), id, s)
			e = &found
			return err
		})
		if err != nil && !f.Take(err) {
			return err
		}
		return p.showSettings(w, r, f, e)
	}
	if sure, err := p.Door.Sure(w, r); !sure {
		return err
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		id, err := led(tx, r)
		if err != nil {
			return err
		}
		return chamber.SaveSettings(tx, web.Actor(r), id, s)
	})
	if f.Take(err) {
		return p.showSettings(w, r, f, nil)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/chamber/settings", "office.settings_saved")
}

type contactPage struct {
	web.Frame
	Form    *web.Form
	Version int
}

func (p *Pages) contact(w http.ResponseWriter, r *http.Request) error {
	return p.showContact(w, r, nil)
}

func (p *Pages) showContact(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &contactPage{Frame: web.Frame{Back: web.Link{Text: p.text(r, "office.settings"), Href: "/chamber/settings"}}, Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		id, err := led(tx, r)
		if err != nil {
			return err
		}
		c, err := chamber.Get(tx, id)
		page.Version = c.Version
		if f == nil || f.Status() == http.StatusConflict {
			page.Form = web.NewForm("phone", c.Phone, "hours", c.Hours, "email", c.Email, "website", c.Website, "letter_signer", c.LetterSigner)
			if f != nil {
				page.Form.Problems = f.Problems
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "contact", page)
}

func (p *Pages) saveContact(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	if sure, err := p.Door.Sure(w, r); !sure {
		return err
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		id, err := led(tx, r)
		if err != nil {
			return err
		}
		return chamber.ChangeContact(tx, web.Actor(r), chamber.Chamber{
			ID: id, Phone: f.Text("phone"), Hours: f.Text("hours"), Email: f.Text("email"), Website: f.Text("website"), LetterSigner: f.Text("letter_signer"), Version: f.Number("version"),
		})
	})
	if f.Take(err) {
		return p.showContact(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/chamber/settings/contact", "office.contact_saved")
}
