// Package standing is where people see how far a report book is:
//
//	GET  /reports                  the year, a link per week; ?view=list is the same as a list
//	GET  /attendance               days by kind, and what was missed
//	GET  /plan                     the training plan, and how far it is documented
//	GET  /exam                     what is missing for admission (§ 43 BBiG)
//	POST /exam/intermediate        "I took part on …"
//	GET  /shares                   who may look, who looked
//	POST /shares                   grants the chamber a look
//	POST /shares/{id}/{deed}       grant, decline, end
//	GET  /documents                of the chamber; POST /documents/{id} opens one, GET shows it then, {id}.pdf is the file
//	GET  /trainees[/{id}]          for trainers and training admins, in words
//	POST /trainees/{id}/registered "the contract is registered since …"
//
// {id} of a trainee is the person.
package standing

import (
	"embed"
	"net/http"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/calendar"
	"zunft/internal/training/login"
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
	m.Signed("GET /reports", p.year)
	m.Signed("GET /attendance", p.attendance)
	m.Signed("GET /plan", p.plan)
	m.Signed("GET /exam", p.exam)
	m.Signed("POST /exam/intermediate", p.intermediate)
	m.Signed("GET /shares", p.shares)
	m.Signed("POST /shares", p.grant)
	m.Signed("POST /shares/{id}/{deed}", p.answer)
	m.Signed("GET /documents", p.documents)
	m.Signed("POST /documents/{id}", p.open)
	m.Signed("GET /documents/{id}", p.read)
	m.Signed("GET /trainees", p.trainees)
	m.Signed("GET /trainees/{id}", p.trainee)
	m.Signed("POST /trainees/{id}/registered", p.registered)
}

func (p *Pages) text(r *http.Request) func(key string, args ...any) string {
	return func(key string, args ...any) string { return p.Site.Catalog.Text(web.Lang(r), key, args...) }
}

// own reads the book of who is signed in; others have none.
func (p *Pages) own(r *http.Request, f func(tx *db.Tx, b standing.Book) error) error {
	s := login.Of(r)
	if !s.Writes() {
		return fault.Forbidden()
	}
	return p.DB.Read(r.Context(), func(tx *db.Tx) error {
		b, err := standing.Read(tx, s.Person.Sub, true)
		if err != nil {
			return err
		}
		return f(tx, b)
	})
}

// yearPage is all that year.html may use.
type yearPage struct {
	web.Frame
	Year       string
	Prev, Next string // empty: there is nothing
	List       bool
	Months     []month
	Book       standing.Book
	Backfill   bool          // the paper time can still be told (R317)
	Go         calendar.Week // where to go on: the oldest that is missing, else this one; zero: neither
	GoKey      string        // and with which words
}

type month struct {
	Name  string
	Short string // three letters
	Weeks []weekView
}

// A weekView is a week of the year with its words and shape.
type weekView struct {
	standing.Cell
	Kind, Key, Icon string
	Href            string // empty: nothing to read or write
}

// shapes are the words, colours and signs of a week's state: never colour alone.
var shapes = map[string]weekView{
	"draft":          {Kind: "neutral", Key: "book.state.draft", Icon: "pencil"},
	"submitted":      {Kind: "info", Key: "book.state.submitted", Icon: "send"},
	"checked":        {Kind: "info", Key: "book.state.checked", Icon: "eye"},
	"returned":       {Kind: "warning", Key: "book.state.returned", Icon: "undo"},
	"signed_off":     {Kind: "success", Key: "book.state.signed_off", Icon: "check"},
	standing.Paper:   {Kind: "success", Key: "standing.state_paper", Icon: "letter"},
	standing.Missing: {Kind: "danger", Key: "standing.state_missing", Icon: "warning"},
	standing.Empty:   {Kind: "neutral", Key: "standing.state_empty", Icon: "circle"},
	standing.Now:     {Kind: "neutral", Key: "standing.state_now", Icon: "circle"},
	standing.Future:  {Kind: "future", Key: "standing.state_future"},
	standing.Outside: {Kind: "outside", Key: "standing.state_outside"},
}

func view(c standing.Cell, href string) weekView {
	v := shapes[c.State]
	v.Cell, v.Href = c, href
	return v
}

// year shows the weeks of one year, month by month, with their states.
func (p *Pages) year(w http.ResponseWriter, r *http.Request) error {
	v := &yearPage{List: r.URL.Query().Get("view") == "list"}
	err := p.own(r, func(tx *db.Tx, b standing.Book) error {
		now := calendar.WeekOf(tx.Now())
		year := now.Year
		if y := r.URL.Query().Get("year"); y != "" {
			n, err := strconv.Atoi(y)
			if err != nil || n < 2000 || n > now.Year {
				return fault.NotFound()
			}
			year = n
		}
		v.fill(p.text(r), b, year, now)
		return nil
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "year", v)
}

func (v *yearPage) fill(text func(string, ...any) string, b standing.Book, year int, now calendar.Week) {
	v.Book, v.Year = b, strconv.Itoa(year)
	if first := b.First.Year; year > 2000 && (first == 0 || first < year || b.Running().StartsOn == "") {
		v.Prev = strconv.Itoa(year - 1)
	}
	if year < now.Year {
		v.Next = strconv.Itoa(year + 1)
	}
	open := b.OpenWeeks()
	switch c := b.Cell(now); {
	case len(b.Back()) > 0:
		v.Go, v.GoKey = b.Back()[0].Week, "standing.go_back"
	case len(open) > 0:
		v.Go, v.GoKey = open[0].Week, "standing.go_late"
	case c.State == standing.Now, c.State == standing.Empty, c.State == "draft", !b.Written && b.First.Year == 0:
		v.Go, v.GoKey = now, "standing.fix_week"
	}
	// Time on paper comes before all that was written here (R317), also beside a week begun too early.
	v.Backfill = b.PaperUntil == "" && len(open) > 1 && (!b.Written || open[1].Week.Before(b.Reports[0].Week))
	v.Months = months(text, year, func(w calendar.Week) weekView {
		c := b.Cell(w)
		if c.State == standing.Outside && b.Running().StartsOn == "" && !now.Before(w) { // nobody said when it began
			c.State = standing.Empty
		}
		switch c.State {
		case standing.Outside, standing.Future:
			return view(c, "")
		case standing.Paper:
			if c.Report == "" {
				return view(c, "")
			}
		}
		return view(c, "/reports/"+w.String())
	})
	if v.List {
		v.Months = newestFirst(v.Months)
	}
}

// newestFirst turns the months around, without weeks that nobody can open.
func newestFirst(all []month) (turned []month) {
	for i := len(all) - 1; i >= 0; i-- {
		m := month{Name: all[i].Name}
		for k := len(all[i].Weeks) - 1; k >= 0; k-- {
			if w := all[i].Weeks[k]; w.Href != "" || w.State == standing.Paper {
				m.Weeks = append(m.Weeks, w)
			}
		}
		if len(m.Weeks) > 0 {
			turned = append(turned, m)
		}
	}
	return turned
}

// months are the weeks of a year. A week belongs to the month of its Thursday,
// as it does to its year.
func months(text func(string, ...any) string, year int, of func(calendar.Week) weekView) (all []month) {
	for w := (calendar.Week{Year: year, Number: 1}); w.Year == year; w = w.Add(1) {
		name := text("standing.month." + strconv.Itoa(int(w.Day(4).Month())))
		if n := len(all); n == 0 || all[n-1].Name != name {
			all = append(all, month{Name: name, Short: string([]rune(name)[:3])})
		}
		m := &all[len(all)-1]
		m.Weeks = append(m.Weeks, of(w))
	}
	return all
}
