package standing

import (
	"net/http"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/calendar"
	"zunft/internal/training/login"
	"zunft/internal/training/standing"
)

// attendancePage is all that attendance.html may use.
type attendancePage struct {
	web.Frame
	Attendance standing.Attendance
}

func (p *Pages) attendance(w http.ResponseWriter, r *http.Request) error {
	v := &attendancePage{}
	s := login.Of(r)
	if !s.Writes() {
		return fault.Forbidden()
	}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		v.Attendance, err = standing.AttendanceOf(tx, s.Person.Sub, true)
		return err
	})
	if err != nil {
		return err
	}
	v.Back = web.Link{Text: p.text(r)("standing.year"), Href: "/reports"}
	return p.Site.Show(w, r, http.StatusOK, templates, "attendance", v)
}

// planPage is all that plan.html may use.
type planPage struct {
	web.Frame
	Plan []standing.Coverage
}

func (p *Pages) plan(w http.ResponseWriter, r *http.Request) error {
	v := &planPage{}
	err := p.own(r, func(tx *db.Tx, b standing.Book) (err error) {
		v.Plan, err = standing.PlanOf(tx, b.Running(), login.Of(r).Person.Sub, true)
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "plan", v)
}

// examPage is all that exam.html may use.
type examPage struct {
	web.Frame
	Form    *web.Form
	Points  []pointView
	Missing int
	Day     bool // the day of the intermediate exam can be said
}

// A pointView is a line of the list in words.
type pointView struct {
	standing.Point
	Kind, StateKey string
	Text           string
	Owner          string // who is next, in words; empty: nobody
	Href, Link     string // the fix, where there is one
}

var pointTags = map[string][2]string{
	"done":    {"success", "standing.point_done"},
	"running": {"info", "standing.point_running"},
	"said":    {"info", "standing.point_said"},
	"open":    {"warning", "standing.point_open"},
	"hint":    {"warning", "standing.point_hint"},
}

func (p *Pages) exam(w http.ResponseWriter, r *http.Request) error {
	return p.showExam(w, r, web.NewForm())
}

func (p *Pages) showExam(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	v := &examPage{Form: form}
	err := p.own(r, func(tx *db.Tx, b standing.Book) error {
		at, err := standing.AttendanceOf(tx, login.Of(r).Person.Sub, true)
		if err != nil {
			return err
		}
		points, err := standing.Exam(tx, b, at)
		if err != nil {
			return err
		}
		v.Missing = standing.MissingPoints(points)
		for _, x := range points {
			v.Points = append(v.Points, p.point(r, x, true))
			v.Day = v.Day || x.Key == standing.Intermediate && x.State != "done" && b.Running().ID != ""
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, form.Status(), templates, "exam", v)
}

// point says a line in words; own is for the apprentice themselves.
func (p *Pages) point(r *http.Request, x standing.Point, own bool) pointView {
	text := p.text(r)
	v := pointView{Point: x, Kind: pointTags[x.State][0], StateKey: pointTags[x.State][1]}
	key := "standing.exam." + x.Key + "." + x.State
	switch x.Key {
	case "intermediate":
		if x.Owner == "company" { // who nobody has entered has no place to keep it
			key += "_unknown"
		}
		fallthrough
	case "duration", "registered":
		v.Text = text(key)
		if x.Day != "" {
			v.Text = text(key, x.Day.German())
		}
	case "signed":
		if v.Text = text(key, x.N, x.Of); x.State == "open" && x.N == 0 {
			v.Text = text("standing.exam.signed.none")
		}
	case "complete":
		if v.Text = text(key, x.N, x.Of); x.Of == 0 {
			v.Text = text("standing.exam.complete.none")
		}
	default:
		v.Text = text(key, x.N, x.Of)
	}
	switch {
	case x.Owner == "":
	case len(x.Names) > 0:
		v.Owner = strings.Join(x.Names, ", ")
	case own && x.Owner == "apprentice":
		v.Owner = text("standing.owner_you")
	default:
		v.Owner = text("standing.owner." + x.Owner)
	}
	if own {
		v.fix(text)
	}
	return v
}

// fix is where the apprentice can do something about it.
func (v *pointView) fix(text func(string, ...any) string) {
	switch {
	case v.Key == "complete" && v.Week != (calendar.Week{}):
		v.Href, v.Link = "/reports/"+v.Week.String(), text("standing.fix_week", v.Week.Name())
	case v.Key == "intermediate" && v.State == "open" && v.Point.Owner == "apprentice":
		v.Href, v.Link = "#say", text("standing.fix_day")
	case v.Key == "signed" && v.State == "open":
		v.Href, v.Link = "/reports", text("standing.fix_book")
	case v.Key == "attendance":
		v.Href, v.Link = "/attendance", text("standing.fix_attendance")
	}
}

// intermediate is the apprentice's word on the intermediate exam.
func (p *Pages) intermediate(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	day, _ := calendar.ParseDate(form.Text("day"))
	s := login.Of(r)
	if !s.Writes() {
		return fault.Forbidden()
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		b, err := standing.Read(tx, s.Person.Sub, true)
		if err != nil {
			return err
		}
		return standing.Say(tx, web.Actor(r), b.Running().ID, standing.Intermediate, day)
	})
	if form.Take(err) {
		return p.showExam(w, r, form)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/exam", "standing.done_said")
}
