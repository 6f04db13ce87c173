package writing

import (
	"net/http"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/book"
	"zunft/internal/training/login"
	"zunft/internal/training/review"
)

// editPage is all that edit.html may use.
type editPage struct {
	weekPage
	DayFields []dayField
	OpenDays  bool
	Who       string       // whom the text belongs to, see login's parked forms
	Restored  bool         // typed before the session ended
	Stored    *book.Report // the other version, if there are two
	LastWeek  bool         // there is something to copy
}

// dayField names the inputs of a day.
type dayField struct {
	Legend, Attendance, Place, Hours, Sections, Text string
	Options                  []web.Option
}

func version(f *web.Form) int {
	n := f.Number("version") // nonsense is version 0: nobody's
	return n
}

// formOf fills the editor with what is stored.
func formOf(r book.Report) *web.Form {
	f := web.NewForm("work", r.Text.Work, "instruction", r.Text.Instruction, "school", r.Text.School, "department", r.Text.Department, "sections", r.Text.Sections,
		"version", strconv.Itoa(r.Version))
	for i, d := range r.Text.Days {
		name := book.DayField(i + 1)
		f.Values.Set(name+"_attendance", d.Attendance)
		f.Values.Set(name+"_place", d.Place)
		f.Values.Set(name+"_hours", book.Hours(d.Minutes))
		f.Values.Set(name+"_sections", d.Sections)
		f.Values.Set(name+"_text", d.Text)
	}
	return f
}

// textOf reads the editor.
func textOf(f *web.Form) book.Text {
	t := book.Text{Department: f.Text("department"), Work: f.Lines("work"), Instruction: f.Lines("instruction"), School: f.Lines("school"), Sections: f.Text("sections")}
	for i := range t.Days {
		name := book.DayField(i + 1)
		t.Days[i] = book.Day{
			Attendance: f.Text(name + "_attendance"), Place: f.Text(name + "_place"), Minutes: book.ReadHours(f.Text(name + "_hours")),
			Sections: f.Text(name + "_sections"), Text: f.Lines(name + "_text"),
		}
	}
	return t
}

func (p *Pages) showEditor(w http.ResponseWriter, r *http.Request, report book.Report, history []book.Event, form *web.Form, restored bool) error {
	v := &editPage{weekPage: *p.view(r, report), Who: web.Actor(r).Account, Restored: restored}
	v.Form, v.History = form, history
	typed := textOf(form)
	v.OpenDays = typed.Daily()
	for i := range report.Text.Days {
		name := book.DayField(i + 1)
		f := dayField{Legend: book.DayName(p.text(r), report.Week, i+1), Attendance: name + "_attendance", Place: name + "_place", Hours: name + "_hours", Sections: name + "_sections", Text: name + "_text"}
		for _, a := range book.Attendance {
			o := web.Option{Value: a, Text: p.text(r)("writing.attendance_none")}
			if a != "" {
				o.Text = p.text(r)("book.attendance." + a)
			}
			f.Options = append(f.Options, o)
		}
		v.DayFields = append(v.DayFields, f)
	}
	if typed != report.Text && (restored && version(form) != report.Version || form.Status() == http.StatusConflict) {
		v.Stored = &report
		if report.Open() { // whoever saves now has seen both
			form.Values.Set("version", strconv.Itoa(report.Version))
		}
	}
	return p.Site.Show(w, r, form.Status(), templates, "edit", v)
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
	var report book.Report
	err = p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if do == "discard" {
			return p.Door.Unpark(tx, r, path)
		}
		if do == "copy" {
			report, err = book.CopyLast(tx, by, week, version(form), textOf(form))
			if fault.Is(err, fault.KindInvalid) && fault.Of(err).Key() == "book.nothing_to_copy" {
				if _, other := book.Save(tx, by, week, version(form), textOf(form)); other != nil {
					return other
				}
				return db.Keep(err) // what was typed is saved all the same
			}
		} else {
			report, err = book.Save(tx, by, week, version(form), textOf(form))
		}
		if err == nil && do == "comment" {
			err = review.Comment(tx, by, report.ID, form.Lines("comment"))
			if fault.Is(err, fault.KindInvalid) {
				form.Values.Set("version", strconv.Itoa(report.Version))
				return db.Keep(err) // every button saves
			}
		}
		if err != nil {
			return err
		}
		return p.Door.Unpark(tx, r, path)
	})
	if form.Take(err) {
		return p.again(w, r, week, form)
	}
	if err != nil {
		return err
	}
	switch do {
	case "check":
		return web.See(w, r, path+"/check")
	case "comment":
		return p.Site.Done(w, r, path, "writing.done_comment")
	case "copy":
		return p.Site.Done(w, r, path, "writing.done_copied")
	case "discard":
		return p.Site.Done(w, r, path, "writing.done_discarded")
	}
	return p.Site.Done(w, r, path, "writing.done_saved")
}

// again shows the editor with what was typed, beside what is stored.
func (p *Pages) again(w http.ResponseWriter, r *http.Request, week book.Week, form *web.Form) error {
	var report book.Report
	var history []book.Event
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if report, err = book.Mine(tx, web.Actor(r), week); err != nil || report.Version == 0 {
			return err
		}
		history, err = book.History(tx, report)
		return err
	})
	if err != nil {
		return err
	}
	if form.Problems[0].Key == "book.nothing_to_copy" {
		form.Values.Set("version", strconv.Itoa(report.Version))
	}
	return p.showEditor(w, r, report, history, form, false)
}
