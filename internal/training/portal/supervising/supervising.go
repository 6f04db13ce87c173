// Package supervising is where people sign reports who have no account (S45):
//
//	GET  /supervisor                      e-mail address and PIN; who is in: what was sent to them
//	POST /supervisor                      come in
//	GET  /supervisor/pin                  a new PIN
//	POST /supervisor/pin                  … goes to the address
//	GET  /supervisor/reports/{id}         one report
//	POST /supervisor/reports/{id}/sign-off
//	POST /supervisor/reports/{id}/undo    takes that back, for ten minutes
//	POST /supervisor/reports/{id}/return  with a reason (R331)
//	POST /supervisor/reports/{id}/comment
//	GET  /supervisor/reports/{id}/files/{file}
//	POST /supervisor/leave                sign out
//
// The mail that names a report leads to it; whoever has not come in yet types
// address and PIN first. What was sent to another address is not found. The
// address itself cannot be changed here (R292), and the page says who can.
package supervising

import (
	"embed"
	"net/http"
	"slices"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/attachment"
	"zunft/internal/training/book"
	"zunft/internal/training/person"
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
}

const cookie = "supervisor"

// Mount adds the routes. They are open: who comes with a PIN has no account.
func (p *Pages) Mount(m *web.Mux) {
	m.Open("GET /supervisor", p.start)
	m.Open("POST /supervisor", p.signIn)
	m.Open("GET /supervisor/pin", p.askPIN)
	m.Open("POST /supervisor/pin", p.newPIN)
	m.Open("GET /supervisor/reports/{id}", p.inside(p.report))
	m.Open("POST /supervisor/reports/{id}/sign-off", p.inside(p.signOff))
	m.Open("POST /supervisor/reports/{id}/undo", p.inside(p.undo))
	m.Open("POST /supervisor/reports/{id}/return", p.inside(p.giveBack))
	m.Open("POST /supervisor/reports/{id}/comment", p.inside(p.comment))
	m.Open("GET /supervisor/reports/{id}/files/{file}", p.inside(p.file))
	m.Open("POST /supervisor/leave", p.inside(p.leave))
}

func (p *Pages) text(r *http.Request) func(key string, args ...any) string {
	return func(key string, args ...any) string { return p.Site.Catalog.Text(web.Lang(r), key, args...) }
}

// who is the session of the browser's cookie, or none.
func (p *Pages) who(r *http.Request) (s supervisor.Session, in bool, err error) {
	token := p.Site.Cookie(r, cookie)
	if token == "" || len(token) > 100 {
		return s, false, nil
	}
	stale := false
	err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		s, err = supervisor.Resolve(tx, token)
		stale = tx.Now().Sub(s.SeenAt) > time.Minute
		return err
	})
	if fault.Is(err, fault.KindNotFound) {
		return s, false, nil
	}
	if err == nil && stale {
		err = p.DB.Write(r.Context(), func(tx *db.Tx) error { return supervisor.Touch(tx, s.ID) })
	}
	return s, err == nil, err
}

// isID: what may stand in an address as the id of a report.
func isID(s string) bool {
	return s != "" && len(s) < 50 && strings.Trim(s, "0123456789abcdef-") == ""
}

// A handler for somebody who came in.
type handler func(w http.ResponseWriter, r *http.Request, s supervisor.Session, by audit.Actor) error

// inside sends everybody else to the form, and back afterwards.
func (p *Pages) inside(h handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		s, in, err := p.who(r)
		if err != nil {
			return err
		}
		if !in {
			next := "/supervisor"
			if id := r.PathValue("id"); isID(id) {
				next += "?report=" + id
			}
			return web.See(w, r, next)
		}
		return h(w, r, s, s.Actor(web.Actor(r)))
	}
}

// listPage is what was sent to somebody.
type listPage struct {
	web.Frame
	Email            string
	Waiting, Decided []review.Item
	Now              db.Time
	Undo             *review.Done // what was signed off last, while it can be taken back
}

func (p *Pages) start(w http.ResponseWriter, r *http.Request) error {
	s, in, err := p.who(r)
	if err != nil {
		return err
	}
	if !in {
		return p.showStart(w, r, web.NewForm("report", r.URL.Query().Get("report")))
	}
	v := &listPage{Email: s.Email}
	err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		v.Now = tx.Now()
		by := s.Actor(web.Actor(r))
		if v.Waiting, v.Decided, err = review.Sent(tx, by); err != nil {
			return err
		}
		v.Undo, err = undoable(tx, by)
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "list", v)
}

// undoable is what the actor signed off last, or nil.
func undoable(tx *db.Tx, by audit.Actor) (*review.Done, error) {
	d, ok, err := review.Undoable(tx, by)
	if !ok {
		return nil, err
	}
	return &d, err
}

// reportPage is one report (S45).
type reportPage struct {
	web.Frame
	Form       *web.Form
	Report     book.Report
	Apprentice person.Person
	Company    person.Company
	Email      string
	Reading    review.Reading
	Files      []attachment.Attachment
	History    []book.Event
	May        review.May
	Paper      bool
	Next       string       // id of the next one that waits, or empty
	Undo       *review.Done // what was signed off last, while it can be taken back
}

func (p *Pages) load(tx *db.Tx, r *http.Request, by audit.Actor, f *web.Form) (*reportPage, error) {
	report, err := review.For(tx, by, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	v := &reportPage{Form: f, Report: report, Paper: report.Kind == book.Paper}
	if v.May, err = review.MayDo(tx, by, report); err != nil {
		return nil, err
	}
	if v.Apprentice, err = person.Get(tx, report.Apprentice); err != nil {
		return nil, err
	}
	if v.Company, err = person.CompanyOf(tx, report.Company); err != nil {
		return nil, err
	}
	since, err := review.Since(tx, by, report)
	if err != nil {
		return nil, err
	}
	if !report.Open() {
		if v.Reading, err = review.ReadSince(tx, report, since, p.text(r)); err != nil {
			return nil, err
		}
		if v.Files, err = attachment.List(tx, report.ID); err != nil {
			return nil, err
		}
	}
	if v.Undo, err = undoable(tx, by); err != nil {
		return nil, err
	}
	v.May.Undo = v.May.Undo && (v.Undo == nil || v.Undo.Item.ID != report.ID) // one button for one thing
	waiting, _, err := review.Sent(tx, by)
	if err != nil {
		return nil, err
	}
	for i := range waiting { // the one after this, else the oldest
		if x := waiting[len(waiting)-1-i]; x.ID != report.ID {
			v.Next = x.ID
		} else if v.Next != "" {
			break
		}
	}
	v.History, err = book.History(tx, report)
	v.History = slices.DeleteFunc(v.History, func(e book.Event) bool { return e.At.Before(since) })
	return v, err
}

func (p *Pages) report(w http.ResponseWriter, r *http.Request, s supervisor.Session, by audit.Actor) error {
	return p.showReport(w, r, s, by, web.NewForm())
}

func (p *Pages) showReport(w http.ResponseWriter, r *http.Request, s supervisor.Session, by audit.Actor, f *web.Form) error {
	var v *reportPage
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		v, err = p.load(tx, r, by, f)
		return err
	})
	if err != nil {
		return err
	}
	v.Email = s.Email
	v.Back = web.Link{Text: p.text(r)("supervising.list"), Href: "/supervisor"}
	return p.Site.Show(w, r, f.Status(), templates, "report", v)
}

// decide runs a command on the version that was read and leads on: to an
// address, or without one to the next report that waits. Without a notice the
// bar for taking it back says what happened.
func (p *Pages) decide(w http.ResponseWriter, r *http.Request, s supervisor.Session, by audit.Actor, to, done string, command func(tx *db.Tx, v *reportPage, version int) error) error {
	f := web.ReadForm(r)
	name, week := "", ""
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		v, err := p.load(tx, r, by, f)
		if err != nil {
			return err
		}
		name, week = v.Apprentice.Name, v.Report.Week.Name()
		if to == "" {
			if to = "/supervisor"; v.Next != "" {
				to += "/reports/" + v.Next
			}
		}
		return command(tx, v, f.Number("version"))
	})
	if f.Take(err) {
		return p.showReport(w, r, s, by, f)
	}
	if err != nil {
		return err
	}
	if done == "" {
		return web.See(w, r, to)
	}
	return p.Site.Done(w, r, to, done, week, name)
}

func (p *Pages) signOff(w http.ResponseWriter, r *http.Request, s supervisor.Session, by audit.Actor) error {
	return p.decide(w, r, s, by, "", "", func(tx *db.Tx, v *reportPage, version int) error {
		sign := review.SignOff
		if v.Paper && v.Form.Checked("paper") {
			sign = review.ConfirmPaper
		}
		_, err := sign(tx, by, v.Report.ID, version, v.Form.Lines("reason"))
		return err
	})
}

func (p *Pages) undo(w http.ResponseWriter, r *http.Request, s supervisor.Session, by audit.Actor) error {
	return p.decide(w, r, s, by, "/supervisor/reports/"+r.PathValue("id"), "supervising.done_undone", func(tx *db.Tx, v *reportPage, version int) error {
		_, err := review.Undo(tx, by, v.Report.ID, version)
		return err
	})
}

func (p *Pages) giveBack(w http.ResponseWriter, r *http.Request, s supervisor.Session, by audit.Actor) error {
	return p.decide(w, r, s, by, "", "supervising.done_returned", func(tx *db.Tx, v *reportPage, version int) error {
		_, err := review.Return(tx, by, v.Report.ID, version, v.Form.Lines("reason"))
		return err
	})
}

func (p *Pages) comment(w http.ResponseWriter, r *http.Request, s supervisor.Session, by audit.Actor) error {
	return p.decide(w, r, s, by, "/supervisor/reports/"+r.PathValue("id"), "supervising.done_comment", func(tx *db.Tx, v *reportPage, _ int) error {
		return review.Comment(tx, by, v.Report.ID, v.Form.Lines("comment"))
	})
}

// file sends an attachment of a report, always to be saved, never to be shown
// within this portal.
func (p *Pages) file(w http.ResponseWriter, r *http.Request, _ supervisor.Session, by audit.Actor) error {
	var a attachment.Attachment
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		report, err := review.For(tx, by, r.PathValue("id"))
		if err == nil && report.Open() {
			err = fault.NotFound()
		}
		if err != nil {
			return err
		}
		a, err = attachment.Get(tx, report.ID, r.PathValue("file"))
		return err
	})
	if err != nil {
		return err
	}
	return web.Send(w, a.Name, a.Type(), a.Size, attachment.Pieces(r.Context(), p.DB, a.ID))
}
