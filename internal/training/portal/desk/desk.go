// Package desk is where a chamber's clerks work in the training portal:
//
//	GET  /chamber/report-books                looks that run or are asked for; ?q= finds apprentices
//	GET  /chamber/apprenticeships/{id}       asks for a look, or opens one by law; {id} is the apprenticeship
//	POST /chamber/apprenticeships/{id}
//	GET  /chamber/report-books/{id}           the book, week by week; every look is recorded
//	GET  /chamber/report-books/{id}/reports/{report}
//	POST /chamber/report-books/{id}/end
//	POST /chamber/report-books/{id}/confirm   what was said of the way to the exam
//	GET  /chamber/documents[/new]             documents with proof of reading (R308–R312)
//	POST /chamber/documents
//	GET  /chamber/documents/{id}
//	POST /chamber/documents/{id}/withdraw
//	GET  /chamber/form-changes                electronic or on paper, as companies report it (R314)
//
// Whoever has no chamber in this session finds nothing of it (403).
package desk

import (
	"embed"
	"net/http"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/book"
	"zunft/internal/training/bookform"
	"zunft/internal/training/calendar"
	"zunft/internal/training/occupation"
	"zunft/internal/training/share"
	"zunft/internal/training/standing"
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
	m.Signed("GET /chamber/report-books", p.books)
	m.Signed("GET /chamber/apprenticeships/{id}", p.ask)
	m.Signed("POST /chamber/apprenticeships/{id}", p.send)
	m.Signed("GET /chamber/report-books/{id}", p.book)
	m.Signed("GET /chamber/report-books/{id}/reports/{report}", p.report)
	m.Signed("POST /chamber/report-books/{id}/end", p.end)
	m.Signed("POST /chamber/report-books/{id}/confirm", p.confirm)
	m.Signed("GET /chamber/documents", p.documents)
	m.Signed("GET /chamber/documents/new", p.newDocument)
	m.Signed("POST /chamber/documents", p.publish)
	m.Signed("GET /chamber/documents/{id}", p.document)
	m.Signed("POST /chamber/documents/{id}/withdraw", p.withdraw)
	m.Signed("GET /chamber/form-changes", p.changes)
}

func (p *Pages) text(r *http.Request) func(key string, args ...any) string {
	return func(key string, args ...any) string { return p.Site.Catalog.Text(web.Lang(r), key, args...) }
}

// booksPage is all that books.html may use.
type booksPage struct {
	web.Frame
	Form     *web.Form
	Searched bool
	Found    []found
	Shares   []share.Share
	More     string // id after which the next page begins
}

type found struct {
	share.Found
	Occupation string
}

func (p *Pages) books(w http.ResponseWriter, r *http.Request) error {
	v := &booksPage{Form: web.ReadQuery(r)}
	q := v.Form.Text("q")
	v.Searched = q != ""
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		all, err := share.Find(tx, web.Actor(r), q)
		if err != nil {
			return err
		}
		for _, f := range all {
			v.Found = append(v.Found, found{f, occupation.Name(f.Occupation)})
		}
		if v.Shares, err = share.Running(tx, web.Actor(r), v.Form.Text("before")); err == nil && len(v.Shares) == share.Page {
			v.More = v.Shares[share.Page-1].ID
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "books", v)
}

// askPage is all that ask.html may use.
type askPage struct {
	web.Frame
	Form  *web.Form
	Found found
	Ways  []web.Option
}

func (p *Pages) ask(w http.ResponseWriter, r *http.Request) error {
	return p.showAsk(w, r, web.NewForm())
}

func (p *Pages) showAsk(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	v, text := &askPage{Form: form}, p.text(r)
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		f, err := share.Apprenticeship(tx, web.Actor(r), r.PathValue("id"))
		v.Found = found{f, occupation.Name(f.Occupation)}
		return err
	})
	if err != nil {
		return err
	}
	for _, way := range []string{share.Consent, share.Admission, share.Supervision} {
		v.Ways = append(v.Ways, web.Option{Value: way, Text: text("desk.way." + way), Hint: text("desk.way_hint." + way), Selected: way == share.Consent})
	}
	v.Back = web.Link{Text: text("desk.books"), Href: "/chamber/report-books"}
	return p.Site.Show(w, r, form.Status(), templates, "ask", v)
}

func (p *Pages) send(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	to, done := "/chamber/report-books", "desk.done_asked"
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		if form.Text("way") == share.Consent {
			_, err := share.Ask(tx, web.Actor(r), r.PathValue("id"), form.Lines("reason"))
			return err
		}
		s, err := share.OpenByLaw(tx, web.Actor(r), r.PathValue("id"), form.Text("way"), form.Lines("reason"))
		to, done = "/chamber/report-books/"+s.ID, "desk.done_opened"
		return err
	})
	if form.Take(err) {
		return p.showAsk(w, r, form)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, to, done)
}

// bookPage is all that book.html may use.
type bookPage struct {
	web.Frame
	Share      share.Share
	Book       standing.Book
	Occupation string
	Attendance standing.Attendance
	Steps      []standing.Step // said, and not confirmed yet
	Reports    []standing.Line // the newest first
	Decisions  map[string]standing.Decision
	Year       string
	Prev, Next string
}

// book is a look: the transaction writes that it happened.
func (p *Pages) book(w http.ResponseWriter, r *http.Request) error {
	v := &bookPage{}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if v.Share, err = share.Look(tx, web.Actor(r), r.PathValue("id"), ""); err != nil {
			return err
		}
		if v.Book, err = standing.Read(tx, v.Share.Person, false); err != nil {
			return err
		}
		if v.Attendance, err = standing.AttendanceOf(tx, v.Share.Person, false); err != nil {
			return err
		}
		if v.Steps, err = standing.Said(tx, v.Share.Person); err != nil {
			return err
		}
		v.fill(r, calendar.WeekOf(tx.Now()))
		v.Decisions, err = standing.Decisions(tx, v.Reports)
		return err
	})
	if err != nil {
		return err
	}
	v.Back = web.Link{Text: p.text(r)("desk.books"), Href: "/chamber/report-books"}
	return p.Site.Show(w, r, http.StatusOK, templates, "book", v)
}

func (v *bookPage) fill(r *http.Request, now calendar.Week) {
	v.Occupation = occupation.Name(v.Book.Running().Occupation)
	year := now.Year
	if n, err := strconv.Atoi(r.URL.Query().Get("year")); err == nil && n >= 2000 && n < year {
		year = n
	}
	v.Year = strconv.Itoa(year)
	if first := v.Book.First.Year; first != 0 && first < year {
		v.Prev = strconv.Itoa(year - 1)
	}
	if year < now.Year {
		v.Next = strconv.Itoa(year + 1)
	}
	for i := len(v.Book.Reports) - 1; i >= 0; i-- {
		if l := v.Book.Reports[i]; l.Week.Year == year && l.State != "draft" {
			v.Reports = append(v.Reports, l)
		}
	}
}

// reportPage is all that report.html may use.
type reportPage struct {
	web.Frame
	Share  share.Share
	Report book.Report
	Days   []dayView
}

type dayView struct {
	Name, Attendance string
	Lines            []string
}

func (p *Pages) report(w http.ResponseWriter, r *http.Request) error {
	v, text := &reportPage{}, p.text(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		v.Share, v.Report, err = share.Report(tx, web.Actor(r), r.PathValue("id"), r.PathValue("report"))
		return err
	})
	if err != nil {
		return err
	}
	for i, d := range v.Report.Text.Days {
		if d == (book.Day{}) {
			continue
		}
		said := []string{}
		if d.Attendance != "" {
			said = append(said, text("book.attendance."+d.Attendance))
		}
		if d.Place != "" {
			said = append(said, d.Place)
		}
		if d.Minutes > 0 {
			said = append(said, text("desk.hours", book.Hours(d.Minutes)))
		}
		v.Days = append(v.Days, dayView{book.DayName(text, v.Report.Week, i+1), strings.Join(said, ", "), book.Part{Text: d.Text}.Lines()})
	}
	v.Back = web.Link{Text: v.Share.Name, Href: "/chamber/report-books/" + v.Share.ID}
	return p.Site.Show(w, r, http.StatusOK, templates, "report", v)
}

func (p *Pages) end(w http.ResponseWriter, r *http.Request) error {
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		if _, err := share.Of(tx, web.Actor(r), r.PathValue("id")); err != nil {
			return err
		}
		return share.End(tx, web.Actor(r), r.PathValue("id"))
	})
	if err != nil && !fault.Is(err, fault.KindConflict) { // ended is ended
		return err
	}
	return p.Site.Done(w, r, "/chamber/report-books", "desk.done_ended")
}

// confirm is the chamber's word on a step of the way to the exam.
func (p *Pages) confirm(w http.ResponseWriter, r *http.Request) error {
	form, id := web.ReadForm(r), r.PathValue("id")
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		if _, err := share.Look(tx, web.Actor(r), id, ""); err != nil {
			return err
		}
		return standing.Confirm(tx, web.Actor(r), form.Text("apprenticeship"), form.Text("kind"))
	})
	if err != nil && !fault.Is(err, fault.KindConflict) { // confirmed is confirmed
		return err
	}
	return p.Site.Done(w, r, "/chamber/report-books/"+id, "desk.done_confirmed")
}

// changesPage is all that changes.html may use.
type changesPage struct {
	web.Frame
	Changes []change
	More    string
}

type change struct {
	bookform.Change
	Of string // name of the occupation
}

const changesShown = 50

func (p *Pages) changes(w http.ResponseWriter, r *http.Request) error {
	v := &changesPage{}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		all, err := bookform.Changes(tx, web.Actor(r), r.URL.Query().Get("before"), changesShown)
		for _, c := range all {
			v.Changes = append(v.Changes, change{c, occupation.Name(c.Occupation)})
		}
		if len(all) == changesShown {
			v.More = all[changesShown-1].ID
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "changes", v)
}
