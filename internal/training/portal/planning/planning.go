// Package planning is where an apprentice says once what would otherwise be
// typed every week:
//
//	GET       /settings                 all that can be set about a book, in one list
//	GET  POST /settings/pattern         how weeks usually are, and whose holidays hold
//	GET  POST /absences                 vacation, school blocks, departments, ahead
//	     POST /absences/{id}/remove
//	GET  POST /snippets                 texts used again and again
//	     POST /snippets/{id}/remove
//
// Weeks that nobody began yet are filled in from it (ux.md 0 no. 3); weeks that
// were saved stay as they are.
package planning

import (
	"embed"
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/login"
	"zunft/internal/training/planning"
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
	m.Signed("GET /settings", p.settings)
	m.Signed("GET /settings/pattern", p.pattern)
	m.Signed("POST /settings/pattern", p.savePattern)
	m.Signed("GET /absences", p.absences)
	m.Signed("POST /absences", p.plan)
	m.Signed("POST /absences/{id}/remove", p.unplan)
	m.Signed("GET /snippets", p.snippets)
	m.Signed("POST /snippets", p.addSnippet)
	m.Signed("POST /snippets/{id}/remove", p.removeSnippet)
}

func (p *Pages) text(r *http.Request) func(key string, args ...any) string {
	return func(key string, args ...any) string { return p.Site.Catalog.Text(web.Lang(r), key, args...) }
}

// settingsPage is all that settings.html may use.
type settingsPage struct {
	web.Frame
	Writes bool
}

// settings lists what people set once. Who keeps no book of their own has the
// reminders alone.
func (p *Pages) settings(w http.ResponseWriter, r *http.Request) error {
	s := login.Of(r)
	if !s.Writes() && !s.Reads() {
		return fault.Forbidden()
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "settings", &settingsPage{Writes: s.Writes()})
}

// back leads from a setting to the list of all.
func (p *Pages) back(r *http.Request) web.Link {
	return web.Link{Text: p.text(r)("planning.settings"), Href: "/settings"}
}

// patternPage is all that pattern.html may use.
type patternPage struct {
	web.Frame
	Form     *web.Form
	Days     []dayField
	Lands    []web.Option // empty: the apprenticeship says where
	Land     string       // name
	Regional []web.Option
	Week     string    // this week, to go on writing
	Next     []holiday // the next ones, so that a wrong Land is seen
}

type dayField struct {
	Name, Attendance, Place, Hours string
	Options                        []web.Option
	Free                           bool // a weekend's day off, folded away
}

type holiday struct{ Day, Name string }

func (p *Pages) pattern(w http.ResponseWriter, r *http.Request) error {
	return p.showPattern(w, r, nil)
}

func (p *Pages) showPattern(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	v := &patternPage{Form: form}
	text := p.text(r)
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		today := calendar.Today(tx.Now())
		v.Week = today.Week().String()
		if _, err := planning.Mine(tx, web.Actor(r), today); err != nil { // who keeps no book has no pattern
			return err
		}
		a, err := apprenticeship.Of(tx, *login.Of(r), today)
		if err != nil {
			return err
		}
		pattern, err := planning.PatternOf(tx, web.Actor(r).Account)
		if err != nil {
			return err
		}
		if form == nil {
			v.Form = formOf(pattern)
		} else {
			pattern.Land, pattern.Regional = form.Text("land"), form.All("regional")
		}
		v.land(text, a, pattern, today)
		return nil
	})
	if err != nil {
		return err
	}
	for i := range 7 {
		name := book.DayField(i + 1)
		f := dayField{Name: text("book.day." + weekdays[i]), Attendance: name + "_attendance", Place: name + "_place", Hours: name + "_hours"}
		for _, a := range planning.PatternDays {
			o := web.Option{Value: a, Text: text("planning.no_work")}
			if a != "" {
				o.Text = text("book.attendance." + a)
			}
			f.Options = append(f.Options, o)
		}
		f.Free = i >= 5 && v.Form.Text(f.Attendance) == "" && v.Form.Text(f.Hours) == ""
		v.Days = append(v.Days, f)
	}
	v.Back = p.back(r)
	return p.Site.Show(w, r, v.Form.Status(), templates, "pattern", v)
}

var weekdays = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}

// land offers the Länder, unless the apprenticeship says which, and what holds
// in some of its places only.
func (v *patternPage) land(text func(string, ...any) string, a apprenticeship.Apprenticeship, pattern planning.Pattern, today calendar.Date) {
	land := planning.LandOf(a, pattern)
	if a.Land == "" {
		v.Lands = []web.Option{{Text: text("planning.land_none")}}
		for _, l := range calendar.Lands {
			v.Lands = append(v.Lands, web.Option{Value: l, Text: text("planning.land." + l)})
		}
	}
	if land != "" {
		v.Land = text("planning.land." + land)
	}
	for _, key := range calendar.RegionalHolidays(land) {
		v.Regional = append(v.Regional, web.Option{Value: key, Text: text("planning.holiday." + key)})
	}
	for year := today.Time().Year(); len(v.Next) < 3 && year <= calendar.LastYear; year++ {
		for _, h := range calendar.Holidays(land, year) {
			if on, is := calendar.HolidayOn(land, h.Date, pattern.Regional...); is && on.Key == h.Key && h.Date >= today && len(v.Next) < 3 {
				v.Next = append(v.Next, holiday{h.Date.German(), text("planning.holiday." + h.Key)})
			}
		}
	}
}

func formOf(p planning.Pattern) *web.Form {
	f := web.NewForm("land", p.Land)
	f.Values["regional"] = p.Regional
	for i, d := range p.Days {
		name := book.DayField(i + 1)
		f.Values.Set(name+"_attendance", d.Attendance)
		f.Values.Set(name+"_place", d.Place)
		f.Values.Set(name+"_hours", book.Hours(d.Minutes))
	}
	return f
}

func (p *Pages) savePattern(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	pattern := planning.Pattern{Land: form.Text("land"), Regional: form.All("regional")}
	for i := range pattern.Days {
		name := book.DayField(i + 1)
		pattern.Days[i] = book.Day{Attendance: form.Text(name + "_attendance"), Place: form.Text(name + "_place"), Minutes: book.ReadHours(form.Text(name + "_hours"))}
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return planning.SavePattern(tx, web.Actor(r), pattern) })
	if form.Take(err) {
		return p.showPattern(w, r, form)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/settings/pattern", "planning.done_pattern")
}

// absencesPage is all that absences.html may use.
type absencesPage struct {
	web.Frame
	Form  *web.Form
	Times []timeLine
	Kinds []web.Option
	Week  string // this week, to go on writing
}

type timeLine struct {
	planning.Time
	Said, Days string
	Count      int
}

func (p *Pages) absences(w http.ResponseWriter, r *http.Request) error {
	return p.showAbsences(w, r, web.NewForm())
}

func (p *Pages) showAbsences(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	v := &absencesPage{Form: form}
	var times []planning.Time
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		v.Week = book.WeekOf(tx.Now()).String()
		times, err = planning.Mine(tx, web.Actor(r), calendar.Today(tx.Now()).Add(-28))
		return err
	})
	if err != nil {
		return err
	}
	for _, t := range times {
		l := timeLine{Time: t, Said: p.text(r)("book.attendance." + t.Attendance), Days: t.From.German(), Count: t.From.Days(t.Until)}
		if t.From != t.Until {
			l.Days = calendar.Span(t.From, t.Until)
		}
		v.Times = append(v.Times, l)
	}
	for _, k := range planning.TimeKinds {
		v.Kinds = append(v.Kinds, web.Option{Value: k, Text: p.text(r)("planning.kind_" + k)})
	}
	v.Back = p.back(r)
	return p.Site.Show(w, r, form.Status(), templates, "absences", v)
}

func (p *Pages) plan(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	t := planning.Time{Attendance: form.Text("attendance"), Place: form.Text("place")}
	for _, f := range []struct {
		name string
		day  *calendar.Date
	}{{"from", &t.From}, {"until", &t.Until}} {
		typed := form.Text(f.name)
		d, ok := calendar.ReadDate(typed)
		if *f.day = d; !ok && typed != "" {
			form.Add(f.name, "planning.day_unreadable")
		}
	}
	if !form.OK() {
		return p.showAbsences(w, r, form)
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return planning.Plan(tx, web.Actor(r), t) })
	if form.Take(err) {
		return p.showAbsences(w, r, form)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/absences", "planning.done_planned")
}

func (p *Pages) unplan(w http.ResponseWriter, r *http.Request) error {
	if err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return planning.Unplan(tx, web.Actor(r), r.PathValue("id")) }); err != nil {
		return err
	}
	return p.Site.Done(w, r, "/absences", "planning.done_removed")
}

// snippetsPage is all that snippets.html may use.
type snippetsPage struct {
	web.Frame
	Form     *web.Form
	Snippets []planning.Snippet
	Week     string // this week, to go on writing
}

func (p *Pages) snippets(w http.ResponseWriter, r *http.Request) error {
	return p.showSnippets(w, r, web.NewForm())
}

func (p *Pages) showSnippets(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	v := &snippetsPage{Form: form}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		v.Week = book.WeekOf(tx.Now()).String()
		v.Snippets, err = planning.Snippets(tx, web.Actor(r))
		return err
	})
	if err != nil {
		return err
	}
	v.Back = p.back(r)
	return p.Site.Show(w, r, form.Status(), templates, "snippets", v)
}

func (p *Pages) addSnippet(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return planning.AddSnippet(tx, web.Actor(r), form.Lines("text")) })
	if form.Take(err) {
		return p.showSnippets(w, r, form)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/snippets", "planning.done_snippet")
}

func (p *Pages) removeSnippet(w http.ResponseWriter, r *http.Request) error {
	if err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return planning.RemoveSnippet(tx, web.Actor(r), r.PathValue("id")) }); err != nil {
		return err
	}
	return p.Site.Done(w, r, "/snippets", "planning.done_removed")
}
