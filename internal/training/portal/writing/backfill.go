package writing

import (
	"net/http"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
)

// backfillPage is all that backfill.html may use.
type backfillPage struct {
	web.Frame
	Report book.Report
	Form   *web.Form
}

// backfill is the one long report of the time on paper, with the texts that
// chambers propose for it (R319, R320); ?of= is a day of an apprenticeship that
// is not today's.
func (p *Pages) backfill(w http.ResponseWriter, r *http.Request) error {
	var report book.Report
	of, _ := calendar.ParseDate(r.URL.Query().Get("of"))
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		report, err = book.MyPaper(tx, web.Actor(r), of)
		return err
	})
	if err != nil {
		return err
	}
	if !report.Open() {
		return web.See(w, r, "/reports/"+report.Week.String())
	}
	t := report.Text
	if report.Version == 0 {
		t.Department, t.Work = p.text(r)("writing.backfill_department"), p.text(r)("writing.backfill_work")
	}
	return p.showBackfill(w, r, report, web.NewForm("first", report.First.German(), "last", report.Last.German(),
		"department", t.Department, "work", t.Work, "version", strconv.Itoa(report.Version), "of", string(of)))
}

func (p *Pages) showBackfill(w http.ResponseWriter, r *http.Request, report book.Report, form *web.Form) error {
	v := &backfillPage{Report: report, Form: form}
	v.Back = web.Link{Text: p.text(r)("writing.year"), Href: "/reports"}
	return p.Site.Show(w, r, form.Status(), templates, "backfill", v)
}

// saveBackfill is the target of both buttons: each saves.
func (p *Pages) saveBackfill(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	first, _ := calendar.ReadDate(form.Text("first"))
	last, _ := calendar.ReadDate(form.Text("last"))
	of, _ := calendar.ParseDate(form.Text("of"))
	var report book.Report
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		report, err = book.SavePaper(tx, web.Actor(r), of, version(form), first, last, book.Text{Department: form.Text("department"), Work: form.Lines("work")})
		return err
	})
	if form.Take(err) {
		if fault.Is(err, fault.KindConflict) { // whoever saves now has read that it was changed
			form.Values.Set("version", strconv.Itoa(report.Version))
		}
		return p.showBackfill(w, r, report, form)
	}
	if err != nil {
		return err
	}
	if form.Text("do") == "check" {
		return web.See(w, r, "/reports/"+report.Week.String()+"/check")
	}
	return p.Site.Done(w, r, backfillOf(of), "writing.done_saved")
}

func backfillOf(day calendar.Date) string {
	if day == "" {
		return "/reports/backfill"
	}
	return "/reports/backfill?of=" + string(day)
}
