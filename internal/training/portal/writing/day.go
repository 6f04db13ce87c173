package writing

import (
	"net/http"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/login"
	"zunft/internal/training/planning"
)

// dayPage is all that day.html may use: one day of a week, for those who keep
// their book day by day (R226).
type dayPage struct {
	web.Frame
	Form          *web.Form
	Week          book.Week
	Date          calendar.Date
	Name, Holiday string
	Field         dayField
	Plan          []web.Option
	Former        []string
	Chosen        int
	Who           string
	Saved         bool // as in editPage
	Restored      bool
	Prev, Next    calendar.Date // empty: another week's
	Stored        *dayView      // the other version, if there are two
}

// dayLink leads from the week to one of its days.
func (p *Pages) dayLink(r *http.Request, w book.Week, i int, d book.Day) dayLink {
	l := dayLink{Date: w.Date(i + 1), Name: book.DayName(p.text(r), w, i+1), Kind: "neutral", Key: "writing.empty"}
	if book.Absent(d.Attendance) || d.Attendance == "" && i >= 5 {
		l.Key = "" // nothing is expected
	}
	if d.Attendance != "" {
		l.Said = p.text(r)("book.attendance." + d.Attendance)
	}
	if h := book.Hours(d.Minutes); h != "" {
		l.Said = strings.TrimPrefix(l.Said+", ", ", ") + p.text(r)("writing.hours_short", h)
	}
	if d.Text != "" {
		l.Kind, l.Key = "success", "writing.day_written"
	}
	return l
}

// dateOf is the day in the path, of the week in the path.
func dateOf(r *http.Request) (book.Week, calendar.Date, error) {
	w, err := weekOf(r)
	if err != nil {
		return w, "", err
	}
	d, ok := calendar.ParseDate(r.PathValue("date"))
	if !ok || d.Week() != w {
		return w, "", fault.NotFound()
	}
	return w, d, nil
}

func (p *Pages) day(w http.ResponseWriter, r *http.Request) error {
	return p.showDay(w, r, nil)
}

func (p *Pages) showDay(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	week, date, err := dateOf(r)
	if err != nil {
		return err
	}
	var d desk
	err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		d, err = p.sit(tx, r, week, r.URL.Path)
		return err
	})
	if err != nil {
		return err
	}
	if date < d.report.First || date > d.report.Last {
		return fault.NotFound()
	}
	if !d.report.Open() && form == nil {
		return web.See(w, r, "/reports/"+week.String())
	}
	i, text := date.Weekday()-1, p.text(r)
	v := &dayPage{Week: week, Date: date, Name: book.DayName(text, week, i+1), Who: web.Actor(r).Account, Form: form}
	stored := d.report.Text.Days[i]
	switch {
	case form != nil:
	case d.parked != nil:
		v.Form, v.Restored = &web.Form{Values: d.parked}, true
	default:
		v.Form = web.NewForm("version", strconv.Itoa(d.report.Version))
		dayInto(v.Form, "d", stored)
	}
	v.Field = dayField{Attendance: "d_attendance", Place: "d_place", Hours: "d_hours", Sections: "d_sections", Text: "d_text", Options: p.attendances(r)}
	if d.holidays[i] != "" {
		v.Holiday = text("planning.holiday." + d.holidays[i])
	}
	v.Script, v.Saved = drafts, form == nil && !v.Restored
	typed := dayOf(v.Form, "d")
	v.Plan, v.Former = options(d.plan, typed.Sections)
	v.Chosen = len(strings.Fields(typed.Sections))
	if typed != stored && (v.Restored && version(v.Form) != d.report.Version || v.Form.Status() == http.StatusConflict) {
		other := p.dayView(r, week, i, stored)
		v.Stored = &other
		v.Form.Values.Set("version", strconv.Itoa(d.report.Version))
	}
	if date > d.report.First && date.Weekday() > 1 {
		v.Prev = date.Add(-1)
	}
	if date < d.report.Last && date.Weekday() < 7 {
		v.Next = date.Add(1)
	}
	v.Back = web.Link{Text: text("writing.week", week.Name()), Href: "/reports/" + week.String()}
	return p.Site.Show(w, r, v.Form.Status(), templates, "day", v)
}

// saveDay keeps one day; the others stay as they are stored, or as the week is
// expected if nobody wrote anything yet.
func (p *Pages) saveDay(w http.ResponseWriter, r *http.Request) error {
	week, date, err := dateOf(r)
	if err != nil {
		return err
	}
	form := web.ReadForm(r)
	if who := form.Text("who"); who != "" && who != login.Of(r).Person.Sub {
		return fault.Forbidden()
	}
	i := date.Weekday() - 1
	err = p.DB.Write(r.Context(), func(tx *db.Tx) error {
		report, a, _, err := book.Desk(tx, web.Actor(r), week)
		if err != nil {
			return err
		}
		t := report.Text
		if report.Version == 0 {
			if t.Days, err = planning.Prefill(tx, *login.Of(r), a, week); err != nil {
				return err
			}
		}
		t.Days[i] = dayOf(form, "d")
		if _, err = book.Save(tx, web.Actor(r), week, version(form), t); err != nil {
			return atDay(err, book.DayField(i+1))
		}
		return p.Door.Unpark(tx, r, r.URL.Path)
	})
	if form.Take(err) {
		return p.showDay(w, r, form)
	}
	if err != nil {
		return err
	}
	to := "/reports/" + week.String()
	switch do := form.Text("do"); {
	case do == "next" && i < 6:
		to += "/day/" + string(date.Add(1))
	case do == "prev" && i > 0:
		to += "/day/" + string(date.Add(-1))
	}
	return p.Site.Done(w, r, to, "writing.done_saved")
}

// atDay names the fields of a day's problems as its own page does.
func atDay(err error, field string) error {
	ft := fault.Of(err)
	if ft == nil || ft.Kind != fault.KindInvalid {
		return err
	}
	var p fault.Problems
	for _, problem := range ft.Problems {
		p.Add(strings.Replace(problem.Field, field+"_", "d_", 1), problem.Key, problem.Args...)
	}
	return p.Err()
}
