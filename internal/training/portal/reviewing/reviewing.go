// Package reviewing is where trainers read and sign off (S30):
//
//	GET  /reviews                    what waits, oldest first
//	GET  /reviews/{id}               one report; buttons lead on to the next; {id}.pdf is the PDF
//	POST /reviews/{id}/sign-off      "Abzeichnen und weiter"
//	POST /reviews/{id}/return        with a reason
//	POST /reviews/{id}/reopen        returns what was signed off already
//	POST /reviews/{id}/comment
//	GET  /trainees[/{id}]            apprentices of the company and their weeks
//
// Reports of other companies do not exist here (404). Training admins read.
package reviewing

import (
	"bytes"
	"embed"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/paper"
	"zunft/internal/ground/web"
	"zunft/internal/training/book"
	"zunft/internal/training/login"
	"zunft/internal/training/person"
	"zunft/internal/training/review"
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
	m.Signed("GET /reviews", p.queue)
	m.Signed("GET /reviews/{id}", p.review)
	m.Signed("POST /reviews/{id}/sign-off", p.signOff)
	m.Signed("POST /reviews/{id}/return", p.giveBack)
	m.Signed("POST /reviews/{id}/reopen", p.reopen)
	m.Signed("POST /reviews/{id}/comment", p.comment)
	m.Signed("GET /trainees", p.trainees)
	m.Signed("GET /trainees/{id}", p.trainee)
}

func (p *Pages) text(r *http.Request) func(key string, args ...any) string {
	return func(key string, args ...any) string { return p.Site.Catalog.Text(web.Lang(r), key, args...) }
}

type queuePage struct {
	web.Frame
	Items []review.Item
	Now   db.Time
	Signs bool
}

func (p *Pages) queue(w http.ResponseWriter, r *http.Request) error {
	v := &queuePage{Signs: login.Of(r).Signs()}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		v.Now = tx.Now()
		v.Items, err = review.Queue(tx, web.Actor(r))
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "queue", v)
}

// reviewPage is all that review.html may use.
type reviewPage struct {
	web.Frame
	Report     book.Report
	Form       *web.Form
	Apprentice person.Person
	Signer     string // name of who signs
	Days       []dayView
	History    []book.Event
	Place      int    // in the queue, from 1; 0: not in it
	Total      int    // of the queue
	Next       string // id of the next one in the queue, or empty
	Second     bool   // it was submitted before
	CanSign    bool   // may decide now
	CanReopen  bool
	CanComment bool
}

type dayView struct {
	Name, Attendance, Text string
	Lines                  []string
}

// load reads a report for its page.
func (p *Pages) load(tx *db.Tx, r *http.Request, form *web.Form) (*reviewPage, error) {
	by, s := web.Actor(r), login.Of(r)
	report, err := review.For(tx, by, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if !s.Reads() { // one's own report has its own page
		return nil, fault.NotFound()
	}
	other := report.Apprentice != s.Person.Sub
	v := &reviewPage{
		Report: report, Form: form, Signer: s.Person.Name,
		CanSign:    other && s.Signs() && report.State == book.Submitted,
		CanReopen:  other && s.Is(person.Trainer) && report.State == book.SignedOff,
		CanComment: s.Signs() || !other && s.Writes(),
	}
	if v.Apprentice, err = person.Get(tx, report.Apprentice); err != nil {
		return nil, err
	}
	if v.History, err = book.History(tx, report); err != nil {
		return nil, err
	}
	times := 0
	for _, e := range v.History {
		if e.Kind == "submitted" {
			times++
		}
	}
	v.Second = times > 1
	for i, d := range report.Text.Days {
		if d == (book.Day{}) {
			continue
		}
		said := ""
		if d.Attendance != "" {
			said = p.text(r)("book.attendance." + d.Attendance)
		}
		v.Days = append(v.Days, dayView{book.DayName(p.text(r), report.Week, i+1), said, d.Text, book.Part{Text: d.Text}.Lines()})
	}
	queue, err := review.Queue(tx, by)
	if err != nil {
		return nil, err
	}
	v.Total = len(queue)
	for i, item := range queue {
		if item.ID == report.ID {
			v.Place = i + 1
			v.Next = queue[(i+1)%len(queue)].ID
		}
	}
	if v.Next == report.ID {
		v.Next = ""
	}
	if v.Place == 0 && len(queue) > 0 {
		v.Next = queue[0].ID
	}
	v.Back = web.Link{Text: p.text(r)("reviewing.queue"), Href: "/reviews"}
	return v, nil
}

func (p *Pages) review(w http.ResponseWriter, r *http.Request) error {
	if id, yes := strings.CutSuffix(r.PathValue("id"), ".pdf"); yes {
		r.SetPathValue("id", id)
		return p.pdf(w, r)
	}
	return p.show(w, r, web.NewForm())
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	var v *reviewPage
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		v, err = p.load(tx, r, form)
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, form.Status(), templates, "review", v)
}

func (p *Pages) pdf(w http.ResponseWriter, r *http.Request) error {
	var v *reviewPage
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		v, err = p.load(tx, r, web.NewForm())
		return err
	})
	if err == nil && v.Report.Open() { // it is back with the apprentice
		err = fault.NotFound()
	}
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := paper.WriteSheet(&b, book.Sheet(v.Report, v.Apprentice, login.Of(r).Company, v.History, web.Lang(r), p.text(r))); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", fmt.Sprintf(`inline; filename="Ausbildungsnachweis-%s.pdf"`, v.Report.Week))
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	_, err = b.WriteTo(w)
	return err
}

// decide runs a command on the version that was read and goes on to the next
// report of the queue.
func (p *Pages) decide(w http.ResponseWriter, r *http.Request, done string, command func(tx *db.Tx, id string, version int, text string) (book.Report, error)) error {
	form := web.ReadForm(r)
	version := form.Number("version")
	to, name, week := "/reviews", "", ""
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		before, err := p.load(tx, r, form) // its place in the queue, before it leaves it
		if err != nil {
			return err
		}
		if to = "/reviews"; before.Next != "" {
			to += "/" + before.Next
		}
		name, week = before.Apprentice.Name, before.Report.Week.Name()
		_, err = command(tx, before.Report.ID, version, form.Lines("reason"))
		return err
	})
	if form.Take(err) {
		return p.show(w, r, form)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, to, done, week, name)
}

func (p *Pages) signOff(w http.ResponseWriter, r *http.Request) error {
	return p.decide(w, r, "reviewing.done_signed_off", func(tx *db.Tx, id string, version int, text string) (book.Report, error) {
		return review.SignOff(tx, web.Actor(r), id, version, text)
	})
}

func (p *Pages) giveBack(w http.ResponseWriter, r *http.Request) error {
	return p.decide(w, r, "reviewing.done_returned", func(tx *db.Tx, id string, version int, text string) (book.Report, error) {
		return review.Return(tx, web.Actor(r), id, version, text)
	})
}

func (p *Pages) reopen(w http.ResponseWriter, r *http.Request) error {
	return p.decide(w, r, "reviewing.done_returned", func(tx *db.Tx, id string, version int, text string) (book.Report, error) {
		return review.Reopen(tx, web.Actor(r), id, version, text)
	})
}

func (p *Pages) comment(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		return review.Comment(tx, web.Actor(r), r.PathValue("id"), form.Lines("comment"))
	})
	if form.Take(err) {
		return p.show(w, r, form)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/reviews/"+r.PathValue("id"), "reviewing.done_comment")
}

type traineesPage struct {
	web.Frame
	Trainees []review.Trainee
}

func (p *Pages) trainees(w http.ResponseWriter, r *http.Request) error {
	v := &traineesPage{}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		v.Trainees, err = review.Trainees(tx, web.Actor(r))
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "trainees", v)
}

type traineePage struct {
	web.Frame
	Person  person.Person
	Reports []review.Item
}

func (p *Pages) trainee(w http.ResponseWriter, r *http.Request) error {
	v := &traineePage{}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		v.Person, v.Reports, err = review.ReportsOf(tx, web.Actor(r), r.PathValue("id"))
		return err
	})
	if err != nil {
		return err
	}
	v.Back = web.Link{Text: p.text(r)("reviewing.trainees"), Href: "/trainees"}
	return p.Site.Show(w, r, http.StatusOK, templates, "trainee", v)
}
