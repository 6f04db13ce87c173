package exchange

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/book"
	"zunft/internal/training/foreign"
	"zunft/internal/training/intake"
	"zunft/internal/training/person"
	"zunft/internal/training/planning"
)

// importPage is all that import.html may use.
type importPage struct {
	web.Frame
	Form *web.Form
	File web.Input
}

func (p *Pages) importForm(w http.ResponseWriter, r *http.Request) error {
	return p.showImport(w, r, web.NewForm())
}

func (p *Pages) showImport(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	if err := p.DB.Read(r.Context(), func(tx *db.Tx) error { _, err := person.Author(tx, web.Actor(r)); return err }); err != nil {
		return err // who keeps no book has nothing to take in
	}
	v := &importPage{Form: form, File: web.Input{
		ID: "file", Name: "file", Type: "file", Label: p.text(r, "exchange.import_file"), Hint: p.text(r, "exchange.import_file_hint", foreign.MaxFile>>20), Optional: true,
	}}
	for _, problem := range form.Problems {
		if problem.Field == "file" && v.File.Error == "" {
			v.File.Error = p.text(r, problem.Key, problem.Args...)
		}
	}
	v.Back = p.back(r, "exchange.book", "/reports")
	return p.Site.Show(w, r, form.Status(), templates, "import", v)
}

// read takes the upload, reads it before any transaction, and keeps a preview.
func (p *Pages) read(w http.ResponseWriter, r *http.Request) error {
	form := web.NewForm()
	found, name, err := received(w, r, form)
	var kept intake.Intake
	if err == nil {
		if name == "" {
			name = p.text(r, "exchange.pasted")
		}
		err = p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
			kept, err = intake.Keep(tx, web.Actor(r), name, found)
			return err
		})
	}
	if form.Take(err) {
		return p.showImport(w, r, form)
	}
	if err != nil {
		return err
	}
	return web.See(w, r, "/imports/"+kept.ID)
}

// received reads a form of one file and one text, of which one is filled.
func received(w http.ResponseWriter, r *http.Request, form *web.Form) (f foreign.Found, name string, err error) {
	const most = foreign.MaxFile + 1<<20
	large := fault.Invalid("file", "foreign.large", foreign.MaxFile>>20)
	if r.ContentLength > most {
		return f, "", large
	}
	r.Body = http.MaxBytesReader(w, r.Body, most)
	body, err := r.MultipartReader()
	if err != nil {
		return f, "", fault.Invalid("", "web.form_unreadable")
	}
	var file []byte
	for {
		part, err := body.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		var b []byte
		if err == nil {
			b, err = io.ReadAll(part)
		}
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return f, "", large
		}
		if err != nil {
			return f, "", fault.Invalid("", "web.form_unreadable")
		}
		switch {
		case part.FormName() == "file" && part.FileName() != "":
			file, name = b, part.FileName()
		case part.FormName() == "text":
			form.Values.Set("text", string(b))
		}
	}
	if name != "" {
		f, err = foreign.Read(file)
		return f, name, err
	}
	f, err = foreign.ReadText(form.Raw("text"))
	if ft := fault.Of(err); ft != nil && form.Raw("text") != "" { // beside the box it was pasted into
		err = fault.Invalid("text", ft.Key(), ft.Problems[0].Args...)
	}
	return f, "", err
}

// intakePage is all that intake.html may use.
type intakePage struct {
	web.Frame
	Form    *web.Form
	Intake  intake.Intake
	Entries []entry
	Counts  map[string]int    // by verdict
	Left    []leftPart        // of no week
	More    int               // left as well, not named
	Lessons []planning.Lesson // the first ones
	Number  int               // of lessons
	First   string
	Last    string
}

// Ready is how many reports would become drafts.
func (v *intakePage) Ready() int { return v.Counts[intake.New] + v.Counts[intake.Other] }

// NotTaken is how many parts belong to no week that is shown.
func (v *intakePage) NotTaken() int { return len(v.Left) + v.More }

// entry is one report of the file: what was understood of it, and what was not.
type entry struct {
	intake.Entry
	Begin, Complaint string
	Number           int    // of days
	Hours            string // of all days; empty: none
	Days             []readDay
	Left             []leftPart
}

// Paper reports whether it is a time on paper.
func (e entry) Paper() bool { return e.Record.Kind == book.Paper }

// readDay is a day as it was understood.
type readDay struct{ Name, Said, Place, Hours, Text string }

// leftPart is a part of the file that is not taken in.
type leftPart struct {
	foreign.Left
	Reason string
}

const shownLessons = 12

func (p *Pages) look(w http.ResponseWriter, r *http.Request) error {
	return p.showIntake(w, r, web.NewForm())
}

func (p *Pages) showIntake(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	v := &intakePage{Form: form, Counts: map[string]int{}}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		i, found, err := intake.Get(tx, web.Actor(r), r.PathValue("id"))
		if err != nil {
			return err
		}
		v.Intake, v.More, v.Number = i, found.More, len(found.Lessons)
		if n := len(found.Lessons); n > 0 {
			v.First, v.Last = found.Lessons[0].Day.German(), found.Lessons[n-1].Day.German()
			v.Lessons = found.Lessons[:min(n, shownLessons)]
		}
		all, err := intake.Look(tx, web.Actor(r), found)
		if err != nil {
			return err
		}
		left := map[string][]leftPart{}
		for _, l := range found.Left {
			left[l.Week] = append(left[l.Week], leftPart{l, p.text(r, l.Why)})
		}
		for _, e := range all {
			v.Entries = append(v.Entries, p.entry(r, e, left[e.Record.Week]))
			delete(left, e.Record.Week)
		}
		for _, week := range slices.Sorted(maps.Keys(left)) { // of no week first
			v.Left = append(v.Left, left[week]...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, e := range v.Entries {
		v.Counts[e.Verdict]++
	}
	v.Back = p.back(r, "exchange.import", "/reports/import")
	return p.Site.Show(w, r, form.Status(), templates, "intake", v)
}

// entry brings a report of the file into words.
func (p *Pages) entry(r *http.Request, e intake.Entry, left []leftPart) entry {
	shown := entry{Entry: e, Begin: intake.Begin(e.Text), Left: left}
	if e.Problem != nil {
		shown.Complaint = p.text(r, e.Problem.Key, e.Problem.Args...)
	}
	minutes := 0
	for i, d := range e.Text.Days {
		if d == (book.Day{}) {
			continue
		}
		day := readDay{Name: e.Week.Date(i + 1).German(), Place: d.Place, Hours: book.Hours(d.Minutes), Text: d.Text}
		if d.Attendance != "" {
			day.Said = p.text(r, "book.attendance."+d.Attendance)
		}
		minutes += d.Minutes
		shown.Days = append(shown.Days, day)
	}
	shown.Number, shown.Hours = len(shown.Days), book.Hours(minutes)
	return shown
}

func (p *Pages) take(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		_, err := intake.Take(tx, web.Actor(r), r.PathValue("id"), form.Checked("over"))
		return err
	})
	if form.Take(err) {
		return p.showIntake(w, r, form)
	}
	if err != nil {
		return err
	}
	return web.See(w, r, "/imports/"+r.PathValue("id"))
}

func (p *Pages) forget(w http.ResponseWriter, r *http.Request) error {
	if err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return intake.Drop(tx, web.Actor(r), r.PathValue("id")) }); err != nil {
		return err
	}
	return p.Site.Done(w, r, "/reports/import", "exchange.done_forgotten")
}
