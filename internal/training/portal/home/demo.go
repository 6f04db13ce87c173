package home

import (
	"net/http"

	"zunft/internal/ground/web"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
)

// demoPage is all that demo.html may use: a sample of a book, for everybody (R236).
type demoPage struct {
	web.Frame
	Days  []demoDay
	Weeks []demoWeek
}

type demoDay struct {
	Date              calendar.Date
	Attendance, Hours string
}

type demoWeek struct{ Name, Kind, Key, Icon string }

// demo shows an invented apprentice's book; nothing of it is stored.
func (p *Pages) demo(w http.ResponseWriter, r *http.Request) error {
	v := &demoPage{Weeks: []demoWeek{
		{"14", "warning", "book.state.returned", "undo"},
		{"15", "success", "book.state.signed_off", "check"},
		{"16", "info", "book.state.submitted", "send"},
		{"17", "neutral", "home.empty", "circle"},
	}}
	week := calendar.Week{Year: 2026, Number: 17}
	for i, attendance := range []string{"company", "school", "company", "company", "vacation"} {
		d := demoDay{Date: week.Date(i + 1), Attendance: attendance}
		if attendance != "vacation" {
			d.Hours = p.Site.Catalog.Text(web.Lang(r), "home.demo_hours", book.Hours(8*60))
		}
		v.Days = append(v.Days, d)
	}
	v.Back = web.Link{Text: p.Site.Catalog.Text(web.Lang(r), "home.start_title"), Href: "/"}
	return p.Site.Show(w, r, http.StatusOK, templates, "demo", v)
}
