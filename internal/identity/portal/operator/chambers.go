package operator

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/web"
	"zunft/internal/identity/chamber"
)

// chambersPage is all that chambers.html may use.
type chambersPage struct {
	web.Frame
	Chambers []chamberLine
}

type chamberLine struct {
	chamber.Chamber
	State, Kind string // word and shape
	Next        string // name of the successor
	LastDay     db.Time
}

func (p *Pages) chambers(w http.ResponseWriter, r *http.Request) error {
	page := &chambersPage{Frame: p.back(p.text(r, "operator.title"), "/admin")}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		all, err := chamber.All(tx)
		for _, c := range all {
			l := chamberLine{Chamber: c, State: "operator.chamber_valid", Kind: "success", LastDay: lastDay(c)}
			switch {
			case c.Valid(tx.Now()):
			case !c.ValidFrom.IsZero() && tx.Now().Before(c.ValidFrom):
				l.State, l.Kind = "operator.chamber_coming", "info"
			default:
				l.State, l.Kind = "operator.chamber_past", "neutral"
			}
			if i := slices.IndexFunc(all, func(s chamber.Chamber) bool { return s.ID == c.Successor }); i >= 0 {
				l.Next = all[i].Name
			}
			page.Chambers = append(page.Chambers, l)
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "chambers", page)
}

// lastDay is the last day on which a chamber exists; zero: without end.
func lastDay(c chamber.Chamber) db.Time {
	if c.ValidUntil.IsZero() {
		return db.Time{}
	}
	return db.At(c.ValidUntil.In(mail.Berlin).AddDate(0, 0, -1))
}

// chamberPage is all that chamber.html may use.
type chamberPage struct {
	web.Frame
	Form       *web.Form
	Chamber    chamber.Chamber // empty: a new one
	Successors []web.Option
	Over       bool // its term, and somebody follows it
}

func (p *Pages) newChamber(w http.ResponseWriter, r *http.Request) error {
	return p.showChamber(w, r, &chamberPage{Form: web.NewForm()})
}

func (p *Pages) chamber(w http.ResponseWriter, r *http.Request) error {
	page := &chamberPage{}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) { page.Chamber, err = chamber.Get(tx, r.PathValue("id")); return err })
	if err != nil {
		return err
	}
	c := page.Chamber
	page.Form = web.NewForm("name", c.Name, "short_name", c.ShortName, "street", c.Street, "house_number", c.HouseNumber, "postcode", c.Postcode, "place", c.Place,
		"phone", c.Phone, "hours", c.Hours, "email", c.Email, "website", c.Website, "letter_signer", c.LetterSigner, "postcodes", strings.Join(c.Postcodes, ", "),
		"valid_from", day(c.ValidFrom), "valid_until", day(lastDay(c)), "successor", c.Successor)
	return p.showChamber(w, r, page)
}

func (p *Pages) showChamber(w http.ResponseWriter, r *http.Request, page *chamberPage) error {
	page.Frame = p.back(p.text(r, "operator.chambers"), "/admin/chambers")
	page.Successors = []web.Option{{Text: p.text(r, "operator.no_successor")}}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		page.Over = page.Chamber.Successor != "" && !page.Chamber.ValidUntil.IsZero() && !page.Chamber.ValidUntil.After(tx.Now())
		all, err := chamber.All(tx)
		for _, c := range all {
			if c.ID != page.Chamber.ID {
				page.Successors = append(page.Successors, web.Option{Value: c.ID, Text: c.Number + " " + c.Name})
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, page.Form.Status(), templates, "chamber", page)
}

func (p *Pages) addChamber(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	c := readChamber(f)
	c.Number = f.Text("number")
	if f.OK() {
		err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) { c, err = chamber.Create(tx, web.Actor(r), c); return err })
		if !f.Take(err) {
			if err != nil {
				return err
			}
			return p.Site.Done(w, r, "/admin/chambers", "operator.chamber_added", c.Name)
		}
	}
	return p.showChamber(w, r, &chamberPage{Form: f})
}

func (p *Pages) changeChamber(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	c := readChamber(f)
	c.ID, c.Version = r.PathValue("id"), f.Number("version")
	var was chamber.Chamber
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if was, err = chamber.Get(tx, c.ID); err != nil || !f.OK() {
			return err
		}
		return chamber.Update(tx, web.Actor(r), c)
	})
	if err != nil && !f.Take(err) {
		return err
	}
	if !f.OK() {
		return p.showChamber(w, r, &chamberPage{Form: f, Chamber: was})
	}
	return p.Site.Done(w, r, "/admin/chambers", "operator.chamber_changed", c.Name)
}

func readChamber(f *web.Form) chamber.Chamber {
	c := chamber.Chamber{
		Name: f.Text("name"), ShortName: f.Text("short_name"), Street: f.Text("street"), HouseNumber: f.Text("house_number"), Postcode: f.Text("postcode"), Place: f.Text("place"),
		Phone: f.Text("phone"), Hours: f.Text("hours"), Email: f.Text("email"), Website: f.Text("website"), LetterSigner: f.Text("letter_signer"), Successor: f.Text("successor"),
		Postcodes: strings.FieldsFunc(f.Text("postcodes"), func(r rune) bool { return r == ',' || r == ' ' }),
	}
	c.ValidFrom = readDay(f, "valid_from", 0)
	c.ValidUntil = readDay(f, "valid_until", 1)
	return c
}

// readDay reads a day and is the moment it begins, some days later, in the chambers' time.
func readDay(f *web.Form, field string, later int) db.Time {
	typed := f.Text(field)
	if typed == "" {
		return db.Time{}
	}
	for _, layout := range []string{time.DateOnly, "2.1.2006"} {
		if t, err := time.ParseInLocation(layout, typed, mail.Berlin); err == nil && t.Year() > 1800 && t.Year() < 3000 {
			return db.At(t.AddDate(0, 0, later))
		}
	}
	f.Add(field, "operator.day_form")
	return db.Time{}
}

// day is a moment's day as an <input type=date> wants it.
func day(t db.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(mail.Berlin).Format(time.DateOnly)
}
