package reviewing

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/paper"
	"zunft/internal/ground/web"
	"zunft/internal/training/attachment"
	"zunft/internal/training/book"
	"zunft/internal/training/login"
	"zunft/internal/training/person"
	"zunft/internal/training/review"
)

// reviewPage is all that review.html may use.
type reviewPage struct {
	web.Frame
	Report     book.Report
	Form       *web.Form
	Apprentice person.Person
	Signer     string // name of who signs
	Reading    review.Reading
	Files      []attachment.Attachment
	History    []book.Event
	Reasons    []web.Option // to tick when returning
	May        review.May
	Place      int    // in the queue, from 1; 0: not in it
	Total      int    // of the queue
	Next       string // id of the next one in the queue, or empty
	Undo       *review.Done
	Paper      bool
	SentTo     string // address without an account, if it waits for a confirmation
}

// reasons are the chips of a return: the key of what is said, and its label.
var reasons = []string{"short", "detail", "attendance", "school", "place", "spelling"}

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
	v := &reviewPage{Report: report, Form: form, Signer: s.Person.Name, Paper: report.Kind == book.Paper}
	if v.May, err = review.MayDo(tx, by, report); err != nil {
		return nil, err
	}
	if v.Apprentice, err = person.Get(tx, report.Apprentice); err != nil {
		return nil, err
	}
	if v.May.Unknown {
		to, err := person.Get(tx, report.Approver)
		if v.SentTo = to.Email; err != nil {
			return nil, err
		}
	}
	if v.History, err = book.History(tx, report); err != nil {
		return nil, err
	}
	if !report.Open() {
		if v.Reading, err = review.Read(tx, report, p.text(r)); err != nil {
			return nil, err
		}
		if v.Files, err = attachment.List(tx, report.ID); err != nil {
			return nil, err
		}
	}
	for _, key := range reasons {
		v.Reasons = append(v.Reasons, web.Option{Value: key, Text: p.text(r)("reviewing.reason." + key)})
	}
	queue, err := review.Queue(tx, by)
	if err != nil {
		return nil, err
	}
	v.Total = len(queue)
	v.Counted = map[string]int{"/reviews": v.Total}
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
	v.Undo, err = undoable(tx, r)
	return v, err
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
	var now db.Time
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		now = tx.Now()
		v, err = p.load(tx, r, web.NewForm())
		return err
	})
	if err == nil && v.Report.Open() { // it is back with the apprentice
		err = fault.NotFound()
	}
	if err != nil {
		return err
	}
	print := book.Print{
		Report: v.Report, Apprentice: v.Apprentice, Company: login.Of(r).Company, History: v.History,
		Plan: v.Reading.Plan, Files: attachment.Names(v.Files), Now: now,
	}
	var b bytes.Buffer
	if err := paper.WriteSheet(&b, print.Sheet(web.Lang(r), p.text(r))); err != nil {
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
// report of the queue. Without a notice the bar for taking it back says what happened.
func (p *Pages) decide(w http.ResponseWriter, r *http.Request, done string, command func(tx *db.Tx, v *reviewPage, version int) error) error {
	form := web.ReadForm(r)
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
		return command(tx, before, form.Number("version"))
	})
	if form.Take(err) {
		return p.show(w, r, form)
	}
	if err != nil {
		return err
	}
	if done == "" {
		return web.See(w, r, to)
	}
	return p.Site.Done(w, r, to, done, week, name)
}

func (p *Pages) signOff(w http.ResponseWriter, r *http.Request) error {
	return p.decide(w, r, "", func(tx *db.Tx, v *reviewPage, version int) error {
		sign := review.SignOff
		if v.Paper && v.Form.Checked("paper") {
			sign = review.ConfirmPaper
		}
		_, err := sign(tx, web.Actor(r), v.Report.ID, version, v.Form.Lines("reason"))
		return err
	})
}

func (p *Pages) giveBack(w http.ResponseWriter, r *http.Request) error {
	return p.decide(w, r, "reviewing.done_returned", func(tx *db.Tx, v *reviewPage, version int) error {
		_, err := review.Return(tx, web.Actor(r), v.Report.ID, version, p.reason(v))
		return err
	})
}

func (p *Pages) reopen(w http.ResponseWriter, r *http.Request) error {
	return p.decide(w, r, "reviewing.done_returned", func(tx *db.Tx, v *reviewPage, version int) error {
		_, err := review.Reopen(tx, web.Actor(r), v.Report.ID, version, v.Form.Lines("reason"))
		return err
	})
}

// reason is what was ticked, in the apprentice's language, and what was written.
func (p *Pages) reason(v *reviewPage) string {
	var all []string
	for _, key := range reasons {
		for _, ticked := range v.Form.All("why") {
			if ticked == key {
				all = append(all, p.Site.Catalog.Text(v.Apprentice.Language, "reviewing.said."+key))
			}
		}
	}
	if text := v.Form.Lines("reason"); text != "" {
		all = append(all, text)
	}
	return strings.Join(all, "\n")
}

// undo takes a sign-off back; the page it was pressed on comes again.
func (p *Pages) undo(w http.ResponseWriter, r *http.Request) error {
	form, id := web.ReadForm(r), r.PathValue("id")
	var week, name string
	to := "/reviews/" + id
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		report, err := review.Undo(tx, web.Actor(r), id, form.Number("version"))
		if err != nil {
			return err
		}
		if _, err := review.For(tx, web.Actor(r), id); fault.Is(err, fault.KindNotFound) {
			to = "/reviews" // their time with it is over: taking it back was all that was left
		}
		apprentice, err := person.Get(tx, report.Apprentice)
		week, name = report.Week.Name(), apprentice.Name
		return err
	})
	if form.Take(err) {
		return p.show(w, r, form)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, to, "reviewing.done_undone", week, name)
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

// file sends an attachment of a report that the actor may read, always to be
// saved, never to be shown within this portal.
func (p *Pages) file(w http.ResponseWriter, r *http.Request) error {
	var a attachment.Attachment
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		report, err := review.For(tx, web.Actor(r), r.PathValue("id"))
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
