package writing

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/attachment"
	"zunft/internal/training/book"
	"zunft/internal/training/bookform"
	"zunft/internal/training/calendar"
	"zunft/internal/training/login"
	"zunft/internal/training/planning"
	"zunft/internal/training/review"
)

// A desk is all that lies beside a report while somebody writes it.
type desk struct {
	report   book.Report
	of       apprenticeship.Apprenticeship
	settings bookform.Settings
	history  []book.Event
	plan     []planning.Section
	snippets []planning.Snippet
	files    []attachment.Attachment
	holidays [7]string  // keys
	own      bool       // the person has a week pattern
	parked   url.Values // typed when a session ended, or nil
}

// sit reads the desk. A week that nobody began is filled in as it is expected;
// the report itself stays unwritten until somebody presses a button.
func (p *Pages) sit(tx *db.Tx, r *http.Request, week book.Week, path string) (desk, error) {
	d, err := p.look(tx, r, week, path)
	if err != nil {
		return d, err
	}
	return p.spread(tx, r, d)
}

// look reads what readers of a report want as well as its writer.
func (p *Pages) look(tx *db.Tx, r *http.Request, week book.Week, path string) (d desk, err error) {
	if d.report, d.of, d.settings, err = book.Desk(tx, web.Actor(r), week); err != nil {
		return d, err
	}
	if d.report.Version > 0 {
		if d.history, err = book.History(tx, d.report); err != nil {
			return d, err
		}
	}
	d.parked, err = p.Door.Parked(tx, r, path)
	return d, err
}

// spread adds what one needs to write.
func (p *Pages) spread(tx *db.Tx, r *http.Request, d desk) (desk, error) {
	by, week, a := web.Actor(r), d.report.Week, d.of
	pattern, err := planning.PatternOf(tx, by.Account)
	if err != nil {
		return d, err
	}
	d.own = pattern.Own
	for i := range d.holidays {
		if h, is := calendar.HolidayOn(planning.LandOf(a, pattern), week.Date(i+1), pattern.Regional...); is {
			d.holidays[i] = h.Key
		}
	}
	if d.report.Version == 0 {
		if d.report.Text.Days, err = planning.Prefill(tx, *login.Of(r), a, week); err != nil {
			return d, err
		}
	} else if d.files, err = attachment.List(tx, d.report.ID); err != nil {
		return d, err
	}
	if d.plan, err = planning.PlanOf(tx, a.ChamberNumber, a.Occupation); err != nil {
		return d, err
	}
	d.snippets, err = planning.Snippets(tx, by)
	return d, err
}

// editPage is all that edit.html may use.
type editPage struct {
	weekPage
	DayFields []dayField
	DayLinks  []dayLink // day by day (R226): the first thing on the page; empty: week by week
	DaysSaid  string    // "4 × Betrieb, 1 × Berufsschule, 40 Std."
	OpenDays  bool
	Who       string       // whom the text belongs to, see login's parked forms
	Saved     bool         // the fields show what is stored, and no more
	Restored  bool         // typed before the session ended
	Stored    *book.Report // the other version, if there are two
	Plan      []web.Option
	Former    []string // sections that the plan has no more
	Chosen    int
	Fresh     bool // nobody wrote anything yet
	Snippets  []planning.Snippet
	Pattern   bool // the person has none yet: where to make one
}

// dayField names the inputs of a day.
type dayField struct {
	Legend, Attendance, Place, Hours, Sections, Text string
	Options                                          []web.Option
	Free, Written                                    bool // a weekend's day off; it has a text of its own
}

type dayLink struct {
	Date       calendar.Date
	Name, Said string
	Kind, Key  string
}

func version(f *web.Form) int {
	n := f.Number("version") // nonsense is version 0: nobody's
	return n
}

// formOf fills the editor with what is stored.
func formOf(r book.Report) *web.Form {
	f := web.NewForm("work", r.Text.Work, "instruction", r.Text.Instruction, "school", r.Text.School, "department", r.Text.Department,
		"version", strconv.Itoa(r.Version))
	f.Values["sections"] = strings.Fields(r.Text.Sections)
	for i, d := range r.Text.Days {
		dayInto(f, book.DayField(i+1), d)
	}
	return f
}

func dayInto(f *web.Form, name string, d book.Day) {
	f.Values.Set(name+"_attendance", d.Attendance)
	f.Values.Set(name+"_place", d.Place)
	f.Values.Set(name+"_hours", book.Hours(d.Minutes))
	f.Values.Set(name+"_text", d.Text)
	f.Values[name+"_sections"] = strings.Fields(d.Sections)
}

// textOf reads the editor.
func textOf(f *web.Form) book.Text {
	t := book.Text{
		Department: f.Text("department"), Work: f.Lines("work"), Instruction: f.Lines("instruction"), School: f.Lines("school"),
		Sections: book.JoinIDs(f.All("sections")...),
	}
	for i := range t.Days {
		t.Days[i] = dayOf(f, book.DayField(i+1))
	}
	return t
}

func dayOf(f *web.Form, name string) book.Day {
	return book.Day{
		Attendance: f.Text(name + "_attendance"), Place: f.Text(name + "_place"), Minutes: book.ReadHours(f.Text(name + "_hours")),
		Sections: book.JoinIDs(f.All(name + "_sections")...), Text: f.Lines(name + "_text"),
	}
}

func (p *Pages) showEditor(w http.ResponseWriter, r *http.Request, d desk, form *web.Form, restored bool) error {
	report, text := d.report, p.text(r)
	v := &editPage{weekPage: *p.view(r, report), Who: web.Actor(r).Account, Saved: !restored && form.Status() == http.StatusOK, Restored: restored, Pattern: !d.own && report.Version == 0}
	v.Form, v.History, v.Files, v.Snippets = form, d.history, d.files, d.snippets
	typed := textOf(form)
	v.Fresh = report.Version == 0 && form.OK() && typed.Length() == 0
	v.DaysSaid = p.said(r, typed.Days)
	for _, day := range typed.Days {
		v.OpenDays = v.OpenDays || day.Text != "" && d.settings.Mode != "day" || day.Minutes < 0
	}
	wrong := map[string]bool{}
	for _, problem := range form.Problems {
		v.OpenDays = v.OpenDays || strings.HasPrefix(problem.Field, "d")
		wrong[problem.Field] = true
	}
	for i := range report.Text.Days {
		date := report.Week.Date(i + 1)
		if date < report.First || date > report.Last {
			continue
		}
		name := book.DayField(i + 1)
		legend := book.DayName(text, report.Week, i+1)
		if d.holidays[i] != "" {
			legend += " · " + text("planning.holiday."+d.holidays[i])
		}
		v.DayFields = append(v.DayFields, dayField{
			Legend: legend, Attendance: name + "_attendance", Place: name + "_place", Hours: name + "_hours", Sections: name + "_sections", Text: name + "_text",
			Options: p.attendances(r),
			Free:    i >= 5 && typed.Days[i] == (book.Day{}),
			Written: typed.Days[i].Text != "" || wrong[name+"_text"],
		})
		if d.settings.Mode == "day" {
			v.DayLinks = append(v.DayLinks, p.dayLink(r, report.Week, i, typed.Days[i]))
		}
	}
	v.Plan, v.Former = options(d.plan, typed.Sections)
	v.Chosen = len(strings.Fields(typed.Sections))
	if typed != report.Text && (restored && version(form) != report.Version || form.Status() == http.StatusConflict) {
		v.Stored = &report
		if report.Open() { // whoever saves now has seen both
			form.Values.Set("version", strconv.Itoa(report.Version))
		}
	}
	return p.Site.Show(w, r, form.Status(), templates, "edit", v)
}

// attendances are what a day may be.
func (p *Pages) attendances(r *http.Request) (all []web.Option) {
	for _, a := range book.Attendance {
		o := web.Option{Value: a, Text: p.text(r)("writing.attendance_none")}
		if a != "" {
			o.Text = p.text(r)("book.attendance." + a)
		}
		all = append(all, o)
	}
	return all
}

// said sums days up: "4 × Betrieb, 1 × Berufsschule, 40 Std.".
func (p *Pages) said(r *http.Request, days [7]book.Day) string {
	text := p.text(r)
	var parts []string
	minutes := 0
	for _, a := range book.Attendance[1:] {
		n := 0
		for _, d := range days {
			if d.Attendance == a {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, strconv.Itoa(n)+" × "+text("book.attendance."+a))
		}
	}
	for _, d := range days {
		minutes += max(0, d.Minutes)
	}
	if h := book.Hours(minutes); h != "" {
		parts = append(parts, text("writing.hours_short", h))
	}
	return strings.Join(parts, ", ")
}

// options of a plan, the chosen ones ticked, and what was chosen that it has no
// more.
func options(plan []planning.Section, chosen string) (all []web.Option, former []string) {
	ids := map[string]bool{}
	for _, id := range strings.Fields(chosen) {
		ids[id] = true
	}
	for _, s := range plan {
		all = append(all, web.Option{Value: s.ID, Text: s.Name(), Selected: ids[s.ID]})
		delete(ids, s.ID)
	}
	for _, id := range strings.Fields(chosen) {
		if ids[id] {
			former = append(former, id)
		}
	}
	return all, former
}

// save is the target of every button of the editor.
func (p *Pages) save(w http.ResponseWriter, r *http.Request) error {
	week, err := weekOf(r)
	if err != nil {
		return err
	}
	form := web.ReadForm(r)
	do, by, path := form.Text("do"), web.Actor(r), r.URL.Path
	if who := form.Text("who"); who != "" && who != login.Of(r).Person.Sub {
		return fault.Forbidden() // typed by somebody else who was signed in here
	}
	err = p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if do != "discard" {
			if err := p.press(tx, r, week, form, do); err != nil {
				return err
			}
		}
		return p.Door.Unpark(tx, r, path)
	})
	if form.Take(err) {
		return p.again(w, r, week, form)
	}
	if err != nil {
		return err
	}
	do, _, _ = strings.Cut(do, ":")
	switch do {
	case "check", "vacation", "sick":
		return web.See(w, r, path+"/check")
	case "files":
		return web.See(w, r, path+"/attachments")
	case "day":
		_, day, _ := strings.Cut(form.Text("do"), ":")
		if d, ok := calendar.ParseDate(day); ok && d.Week() == week {
			return web.See(w, r, path+"/day/"+day)
		}
	case "pattern":
		return web.See(w, r, "/settings/pattern")
	case "snippets", "absences":
		return web.See(w, r, "/"+do)
	case "comment", "discard", "snippet", "copy":
		return p.Site.Done(w, r, path, done[do], by.Account)
	}
	return p.Site.Done(w, r, path, "writing.done_saved")
}

var done = map[string]string{"comment": "writing.done_comment", "discard": "writing.done_discarded", "snippet": "writing.done_snippet", "copy": "writing.done_copied"}

// press does what a button says; every one of them saves.
func (p *Pages) press(tx *db.Tx, r *http.Request, week book.Week, form *web.Form, do string) error {
	by, typed, at := web.Actor(r), textOf(form), version(form)
	switch do, id, _ := strings.Cut(do, ":"); do {
	case "day", "pattern", "snippets", "absences":
		// Ways out of the editor keep what was typed, too. A week that is as it
		// was filled in stays unwritten: a new pattern still reaches it.
		if typed.Length() == 0 {
			report, a, _, err := book.Desk(tx, by, week)
			if err != nil || report.Version > 0 && typed == report.Text {
				return err
			}
			if report.Version == 0 {
				days, err := planning.Prefill(tx, *login.Of(r), a, week)
				if err != nil || typed == (book.Text{Days: days}) {
					return err
				}
			}
		}
		_, err := book.Save(tx, by, week, at, typed)
		return err
	case "vacation", "sick":
		_, err := book.Away(tx, by, week, at, typed, do)
		return err
	case "snippet":
		s, err := planning.SnippetOf(tx, by, id)
		if err != nil {
			return err
		}
		typed.Work = strings.TrimLeft(typed.Work+"\n"+s.Text, "\n")
		_, err = book.Save(tx, by, week, at, typed)
		return err
	case "copy":
		_, err := book.CopyLast(tx, by, week, at, typed)
		if fault.Is(err, fault.KindInvalid) && fault.Of(err).Key() == "book.nothing_to_copy" {
			if _, other := book.Save(tx, by, week, at, typed); other != nil {
				return other
			}
			return db.Keep(err) // what was typed is saved all the same
		}
		return err
	case "comment":
		report, err := book.Save(tx, by, week, at, typed)
		if err != nil {
			return err
		}
		err = review.Comment(tx, by, report.ID, form.Lines("comment"))
		if fault.Is(err, fault.KindInvalid) {
			form.Values.Set("version", strconv.Itoa(report.Version))
			return db.Keep(err)
		}
		return err
	}
	_, err := book.Save(tx, by, week, at, typed)
	return err
}

// again shows the editor with what was typed, beside what is stored.
func (p *Pages) again(w http.ResponseWriter, r *http.Request, week book.Week, form *web.Form) error {
	var d desk
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		d, err = p.sit(tx, r, week, r.URL.Path)
		return err
	})
	if err != nil {
		return err
	}
	if form.Problems[0].Key == "book.nothing_to_copy" {
		form.Values.Set("version", strconv.Itoa(d.report.Version))
	}
	return p.showEditor(w, r, d, form, false)
}
