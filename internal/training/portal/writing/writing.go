// Package writing is where an apprentice keeps the report book (S29):
//
//	GET  /reports/{week}             the week: editor, or what was submitted; 2026-W47.pdf is the PDF
//	POST /reports/{week}             every button saves (name=do: save, check, copy, files, vacation …)
//	GET  /reports/backfill           the one long report of the paper time (R317); POST saves it
//	GET  /reports/{week}/day/{date}  one day, for those who write day by day; POST saves it
//	GET  /reports/{week}/attachments files of the week; POST adds some; …/{file} is one, …/{file}/remove
//	GET  /reports/{week}/check       read it through
//	POST /reports/{week}/submit
//	GET  /reports/{week}/submitted   the receipt
//	POST /reports/{week}/take-back
//	POST /reports/{week}/comment
//
// The text boxes come first, days are folded away until somebody wants them
// (R226). A page that was changed elsewhere meanwhile shows both versions.
package writing

import (
	"bytes"
	"embed"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/paper"
	"zunft/internal/ground/web"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/attachment"
	"zunft/internal/training/book"
	"zunft/internal/training/login"
	"zunft/internal/training/person"
	"zunft/internal/training/planning"
	"zunft/internal/training/review"
	"zunft/internal/training/supervisor"
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
	Door *login.Door // keeps what was typed when a session ended
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /reports/backfill", p.backfill)
	m.Signed("POST /reports/backfill", p.saveBackfill)
	m.Signed("GET /reports/{week}", p.week)
	m.Signed("POST /reports/{week}", p.save)
	m.Signed("GET /reports/{week}/day/{date}", p.day)
	m.Signed("POST /reports/{week}/day/{date}", p.saveDay)
	m.Signed("GET /reports/{week}/attachments", p.attachments)
	m.Signed("POST /reports/{week}/attachments", p.attach)
	m.Signed("GET /reports/{week}/attachments/{file}", p.file)
	m.Signed("POST /reports/{week}/attachments/{file}/remove", p.detach)
	m.Signed("GET /reports/{week}/check", p.check)
	m.Signed("POST /reports/{week}/submit", p.submit)
	m.Signed("GET /reports/{week}/submitted", p.submitted)
	m.Signed("POST /reports/{week}/take-back", p.takeBack)
	m.Signed("POST /reports/{week}/comment", p.comment)
}

func (p *Pages) text(r *http.Request) func(key string, args ...any) string {
	return func(key string, args ...any) string { return p.Site.Catalog.Text(web.Lang(r), key, args...) }
}

// weekOf is the week in the path.
func weekOf(r *http.Request) (book.Week, error) {
	w, ok := book.ParseWeek(r.PathValue("week"))
	if !ok {
		return w, fault.NotFound()
	}
	return w, nil
}

// weekPage is a week that cannot be edited now, its check page and its receipt.
type weekPage struct {
	web.Frame
	Report   book.Report
	Form     *web.Form
	Days     []dayView
	Sections []planning.Section
	Suggest  []web.Option // sections for which the text speaks
	Files    []attachment.Attachment
	DaysSum  string
	History  []book.Event
	Trainers []person.Person
	SentTo   string // name of the one person it was sent to; empty: the trainers
	Unknown  string // an address it was sent to, where nobody signs before the company has confirmed it
	Prev     book.Week
	Next     book.Week
	Again    bool          // it was returned before
	Changes  []review.Part // what differs since
	Open     book.Week     // the oldest week that is missing; zero if none
	Short    int           // characters, if so few that a hint helps; else 0
	Early    bool
	Missing  string // phrase of what lacks; empty: nothing
}

type dayView struct {
	Name, Attendance string // attendance with place and hours
	Text             string
	Lines            []string
}

// dayView is the n-th day from 0 as people read it.
func (p *Pages) dayView(r *http.Request, w book.Week, n int, d book.Day) dayView {
	var said []string
	if d.Attendance != "" {
		said = append(said, p.text(r)("book.attendance."+d.Attendance))
	}
	if d.Place != "" && (len(said) == 0 || d.Place != said[0]) {
		said = append(said, d.Place)
	}
	if h := book.Hours(d.Minutes); h != "" {
		said = append(said, p.text(r)("writing.hours_short", h))
	}
	return dayView{book.DayName(p.text(r), w, n+1), strings.Join(said, " · "), d.Text, book.Part{Text: d.Text}.Lines()}
}

// drafts keeps on the device what was not sent (decision 0025). What it does
// goes without: every button saves.
const drafts = "drafts.js"

// short is below how many characters a hint asks whether that is all.
const short = 40

func (p *Pages) view(r *http.Request, report book.Report) *weekPage {
	v := &weekPage{Frame: web.Frame{Script: drafts}, Report: report, Form: web.NewForm(), Prev: report.Week.Add(-1), Next: report.Week.Add(1)}
	for i, d := range report.Text.Days {
		if d != (book.Day{}) {
			v.Days = append(v.Days, p.dayView(r, report.Week, i, d))
		}
	}
	v.DaysSum = p.said(r, report.Text.Days)
	v.Back = web.Link{Text: p.text(r)("writing.year"), Href: "/reports"}
	return v
}

// more reads what belongs to a report beside its text.
func (v *weekPage) more(tx *db.Tx) (err error) {
	if v.Report.Version == 0 {
		return nil
	}
	if v.Files, err = attachment.List(tx, v.Report.ID); err != nil {
		return err
	}
	ids := v.Report.Text.Sections
	for _, d := range v.Report.Text.Days {
		ids += " " + d.Sections
	}
	v.Sections, err = planning.SectionsByID(tx, book.JoinIDs(ids))
	return err
}

// suggest offers sections of the plan for which the text speaks and that nobody
// chose yet, the likeliest first.
func (v *weekPage) suggest(tx *db.Tx, a apprenticeship.Apprenticeship) error {
	plan, err := planning.PlanOf(tx, a.ChamberNumber, a.Occupation)
	if err != nil {
		return err
	}
	t := v.Report.Text
	text := t.Work + "\n" + t.Instruction + "\n" + t.School
	for _, d := range t.Days {
		text += "\n" + d.Text
	}
	for _, s := range planning.Suggest(plan, text) {
		if !slices.ContainsFunc(v.Sections, func(c planning.Section) bool { return c.ID == s.ID }) && len(v.Suggest) < suggested {
			v.Suggest = append(v.Suggest, web.Option{Value: s.ID, Text: s.Name()})
		}
	}
	return nil
}

const suggested = 5

// unknown says when a report waits for more than somebody's eyes: the apprentice
// can ask for it (decision 0029).
func (v *weekPage) unknown(tx *db.Tx) error {
	to, one, err := book.ApproverOf(tx, v.Report)
	if err != nil || !one || v.Report.State != book.Submitted || !supervisor.Is(audit.Actor{Account: to.Sub}) {
		return err
	}
	known, err := supervisor.Known(tx, v.Report.Company, to.Sub)
	if !known {
		v.Unknown = to.Email
	}
	return err
}

// week shows the editor while the week is open, else what was submitted.
func (p *Pages) week(w http.ResponseWriter, r *http.Request) error {
	if name, yes := strings.CutSuffix(r.PathValue("week"), ".pdf"); yes {
		r.SetPathValue("week", name)
		return p.pdf(w, r)
	}
	week, err := weekOf(r)
	if err != nil {
		return err
	}
	var d desk
	var v *weekPage
	err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if d, err = p.look(tx, r, week, r.URL.Path); err != nil {
			return err
		}
		if d.report.Open() || d.parked != nil {
			d, err = p.spread(tx, r, d)
			return err
		}
		v = p.view(r, d.report)
		v.History = d.history
		if v.Prev.Date(7) < d.of.StartsOn { // there the book has not begun, or was kept elsewhere
			v.Prev = book.Week{}
		}
		if ends := d.of.Last(); ends != "" && v.Next.Date(1) > ends {
			v.Next = book.Week{}
		}
		if err := v.unknown(tx); err != nil {
			return err
		}
		return v.more(tx)
	})
	if f := fault.Of(err); f != nil && f.Key() == "book.paper_week" || err == nil && d.report.Kind == book.Paper && v == nil {
		return web.See(w, r, backfillOf(max(d.report.First, week.Date(1))))
	}
	if err != nil {
		return err
	}
	if v != nil {
		return p.Site.Show(w, r, http.StatusOK, templates, "read", v)
	}
	if d.parked != nil {
		return p.showEditor(w, r, d, &web.Form{Values: d.parked}, true)
	}
	return p.showEditor(w, r, d, formOf(d.report), false)
}

func (p *Pages) comment(w http.ResponseWriter, r *http.Request) error {
	week, err := weekOf(r)
	if err != nil {
		return err
	}
	form := web.ReadForm(r)
	var report book.Report
	var history []book.Event
	err = p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if report, err = book.Mine(tx, web.Actor(r), week); err != nil {
			return err
		}
		if report.Version == 0 || report.Open() { // the editor has a button of its own
			return fault.NotFound()
		}
		if history, err = book.History(tx, report); err != nil {
			return err
		}
		return review.Comment(tx, web.Actor(r), report.ID, form.Lines("comment"))
	})
	if form.Take(err) {
		v := p.view(r, report)
		v.History, v.Form = history, form
		if err := p.DB.Read(r.Context(), v.more); err != nil {
			return err
		}
		return p.Site.Show(w, r, form.Status(), templates, "read", v)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/reports/"+week.String(), "writing.done_comment")
}

func (p *Pages) pdf(w http.ResponseWriter, r *http.Request) error {
	week, err := weekOf(r)
	if err != nil {
		return err
	}
	print := book.Print{Apprentice: login.Of(r).Person}
	err = p.DB.Read(r.Context(), func(tx *db.Tx) error {
		report, err := book.Mine(tx, web.Actor(r), week)
		if err != nil {
			return err
		}
		if report.Version == 0 {
			return fault.NotFound()
		}
		print.Report, print.Now = report, tx.Now()
		if print.Company, err = person.CompanyOf(tx, report.Company); err != nil { // not that of today
			return err
		}
		if print.History, err = book.History(tx, report); err != nil {
			return err
		}
		reading, err := review.Read(tx, report, p.text(r))
		if err != nil {
			return err
		}
		print.Plan = reading.Plan
		files, err := attachment.List(tx, report.ID)
		print.Files = attachment.Names(files)
		return err
	})
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := paper.WriteSheet(&b, print.Sheet(web.Lang(r), p.text(r))); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", fmt.Sprintf(`inline; filename="Ausbildungsnachweis-%s.pdf"`, week))
	h.Set("Content-Length", fmt.Sprint(b.Len()))
	_, err = b.WriteTo(w)
	return err
}
