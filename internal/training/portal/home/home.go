// Package home is the start page of the training portal: "/".
//
// A stranger reads what this is and finds one button, "Anmelden mit
// Kammerkonto". Who is signed in finds what is to be done now, at most five
// things, each a verb and a date (ux.md 2.4): apprentices their weeks, trainers
// what waits for them, clerks of a chamber the books open to them; people with
// several roles all of it. "/demo" shows a sample book to everybody (R236).
package home

import (
	"embed"
	"net/http"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/document"
	"zunft/internal/training/login"
	"zunft/internal/training/person"
	"zunft/internal/training/planning"
	"zunft/internal/training/reminder"
	"zunft/internal/training/review"
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
	m.Open("GET /{$}", p.start)
	m.Open("GET /demo", p.demo)
}

type startPage struct{ web.Frame }

// boardPage is what somebody finds who is signed in.
type boardPage struct {
	web.Frame
	Session person.Session
	Now     db.Time
	Todo    []task
	More    int // tasks that are not shown
	Quiet   string
	Mine    *mine
	Stands  []standing.Stand // of the apprentices whom a trainer accompanies
	Others  bool             // there are more of them
	Desk    bool
	Shares  int // looks of the clerk's chamber that run or are asked for, at most a page
}

// A task is something to do now: a verb, a name, a date.
type task struct {
	Text, Note, Href string
	Kind, Key        string // its tag
}

// mine is the status of somebody's own book.
type mine struct {
	Book    standing.Book
	Missing int // points for admission to the exam
	Silence reminder.Silence
	Lost    string // day on which the portal was down; empty: none lately
}

// tasksShown and standsShown keep the page short (ux.md 2.4).
const (
	tasksShown  = 5
	standsShown = 12
)

func (p *Pages) start(w http.ResponseWriter, r *http.Request) error {
	s := login.Of(r)
	if s == nil {
		return p.Site.Show(w, r, http.StatusOK, templates, "start", &startPage{})
	}
	b := &boardPage{Session: *s, Quiet: "home.nothing_reviewing", Desk: s.Chamber() != ""}
	text := func(key string, args ...any) string { return p.Site.Catalog.Text(web.Lang(r), key, args...) }
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		b.Now = tx.Now()
		for _, part := range []struct {
			has  bool
			fill func(*db.Tx, audit.Actor, func(string, ...any) string) error
		}{{s.Reads(), b.reviewing}, {s.Writes(), b.writing}, {true, b.documents}, {b.Desk, b.desk}} {
			if !part.has {
				continue
			}
			if err := part.fill(tx, web.Actor(r), text); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if b.More = len(b.Todo) - tasksShown; b.More > 0 {
		b.Todo = b.Todo[:tasksShown]
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "board", b)
}

func (b *boardPage) add(t task) { b.Todo = append(b.Todo, t) }

// reviewing is what trainers, supervisors and training admins have to do.
func (b *boardPage) reviewing(tx *db.Tx, by audit.Actor, text func(string, ...any) string) error {
	waiting, oldest, err := review.Waiting(tx, by)
	if err != nil {
		return err
	}
	b.Counted = map[string]int{"/reviews": waiting}
	if waiting > 0 {
		t := task{text("home.waiting", waiting), text("home.today"), "/reviews", "info", "home.to_review"}
		if !b.Session.Signs() { // they see what waits for others
			t.Text = text("home.waiting_company", waiting)
		}
		if days := int(b.Now.Sub(oldest).Hours() / 24); days > 0 {
			t.Note = text("home.oldest", text("web.days_ago", days))
		}
		b.add(t)
	}
	if b.Session.Is(person.TrainingAdmin) {
		if err := b.company(tx, by, text); err != nil {
			return err
		}
	}
	l, err := standing.Company(tx, by, standing.Choice{})
	b.Others = l.Next != "" || len(l.Stands) > standsShown
	b.Stands = l.Stands[:min(len(l.Stands), standsShown)]
	return err
}

// company is what a training admin has to do, in a sum: the overview says what.
func (b *boardPage) company(tx *db.Tx, by audit.Actor, text func(string, ...any) string) error {
	counts, err := apprenticeship.Counts(tx, by)
	if err != nil {
		return err
	}
	without, err := apprenticeship.Undescribed(tx, by, 50)
	if n := counts[apprenticeship.Sketched] + len(without); n > 0 {
		b.add(task{text("home.describe", n), text("home.describe_note"), "/company", "warning", "managing.open"})
	}
	return err
}

// writing is what apprentices have to do: first what came back, then questions,
// then the oldest weeks that are missing, then this one.
func (b *boardPage) writing(tx *db.Tx, by audit.Actor, text func(string, ...any) string) error {
	b.Quiet = "home.nothing_writing"
	sub := b.Session.Person.Sub
	own, err := standing.Read(tx, sub, true)
	if err != nil {
		return err
	}
	missing, err := standing.MissingForExam(tx, own)
	if err != nil {
		return err
	}
	asked, err := share.Asked(tx, sub)
	if err != nil {
		return err
	}
	b.Mine = &mine{Book: own, Missing: missing}
	if b.Mine.Silence, err = reminder.SilenceOf(tx, b.Session, own); err != nil {
		return err
	}
	if lost := reminder.Lost(own.Lost, calendar.Today(b.Now)); len(lost) > 0 {
		b.Mine.Lost = lost[len(lost)-1].German()
	}
	back := own.Back()
	why, err := standing.Decisions(tx, back)
	if err != nil {
		return err
	}
	for _, l := range back {
		b.add(task{text("home.rework", l.Week.Name()), text("home.quoted", why[l.ID].Answer, why[l.ID].By), "/reports/" + l.Week.String(), "warning undo", "book.state.returned"})
	}
	if asked > 0 {
		b.add(task{text("home.asked"), text("home.asked_note"), "/shares", "info", "home.new"})
	}
	for _, c := range own.OpenWeeks() {
		if c.State != "returned" {
			b.add(task{text("home.hand_in", c.Week.Name()), c.Week.Dates(), "/reports/" + c.Week.String(), "danger warning", "home.missing"})
		}
	}
	for w, now := calendar.WeekOf(b.Now).Add(-2), calendar.WeekOf(b.Now); !now.Before(w); w = w.Add(1) {
		c := own.Cell(w)
		if c.State == standing.Outside && own.First.Year == 0 && w == now { // the first week of all
			c.State = standing.Now
		}
		if t, ok := current(c, own, text); ok {
			b.add(t)
		}
	}
	if own.Written {
		return nil
	}
	pattern, err := planning.PatternOf(tx, sub)
	if err == nil && !pattern.Own {
		b.add(task{text("home.pattern"), text("home.pattern_note"), "/settings/pattern", "neutral", "home.once"})
	}
	return err
}

// current is a week that runs, or ended and is not due yet.
func current(c standing.Cell, b standing.Book, text func(string, ...any) string) (task, bool) {
	if c.Open {
		return task{}, false
	}
	due := b.Due(c.Week)
	t := task{text("home.write", c.Week.Name()), text("home.due", c.Week.Dates(), book.DayName(text, due.Week(), due.Weekday())), "/reports/" + c.Week.String(), "neutral", "home.empty"}
	switch c.State {
	case standing.Now, standing.Empty:
		return t, true
	case "draft":
		t.Kind, t.Key = "neutral pencil", "book.state.draft"
		return t, true
	}
	return t, false
}

// documents tells of new ones (R308).
func (b *boardPage) documents(tx *db.Tx, _ audit.Actor, text func(string, ...any) string) error {
	n, err := document.Unread(tx, b.Session)
	if n > 0 { // in front: it is done with one tap
		b.Todo = append([]task{{text("home.documents", n), text("home.documents_note"), "/documents", "info", "home.new"}}, b.Todo...)
	}
	return err
}

// desk is a clerk's start.
func (b *boardPage) desk(tx *db.Tx, by audit.Actor, _ func(string, ...any) string) error {
	b.Quiet = "home.nothing_desk"
	all, err := share.Running(tx, by, "")
	b.Shares = len(all)
	return err
}
