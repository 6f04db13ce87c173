package book

import (
	"strings"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/paper"
	"zunft/internal/training/person"
)

// A Print is a report that goes on paper.
type Print struct {
	Report     Report
	Apprentice person.Person
	Company    person.Company
	History    []Event  // newest first
	Plan       []string // names of the training plan's sections that the report names
	Files      []string // names of what is attached
	Now        db.Time  // a sign-off that can be taken back then is printed as "in Durchsicht", and not told
}

// Sheet is the report on paper, with the head and parts of recommendation 156 of
// the BIBB board and the record of its sign-off. text speaks the reader's language.
func (p Print) Sheet(lang string, text func(key string, args ...any) string) paper.Sheet {
	r := p.Report
	r.State = r.Seen(p.Now)
	s := paper.Sheet{
		Title: r.Heading(text), Subtitle: text("book.sheet.subtitle"), Author: p.Apprentice.Name, Lang: lang, Date: r.ChangedAt.Time,
		Facts: [][2]string{
			{text("book.sheet.name"), p.Apprentice.Name},
			{text("book.sheet.company"), p.Company.Name},
			{text("book.sheet.period"), r.Dates()},
			{text("book.sheet.state"), text("book.state." + string(r.State))},
		},
		LogHeading: text("book.sheet.log"),
		Footer:     text("book.sheet.footer", p.Apprentice.Name, r.Name(text), r.Dates()),
	}
	if r.Text.Department != "" {
		s.Facts = append(s.Facts, [2]string{text("book.sheet.department"), r.Text.Department})
	}
	none := text("book.sheet.none")
	s.Sections = []paper.Section{
		{Heading: text("book.part.work"), Text: r.Text.Work, Empty: none},
		{Heading: text("book.part.instruction"), Text: r.Text.Instruction, Empty: none},
		{Heading: text("book.part.school"), Text: r.Text.School, Empty: none},
	}
	if r.Text.Daily() {
		s.Sections = append(s.Sections, paper.Section{Heading: text("book.part.days"), Table: daysTable(r, text)})
	}
	if len(p.Plan) > 0 {
		s.Sections = append(s.Sections, paper.Section{Heading: text("book.sheet.plan"), Text: strings.Join(p.Plan, "\n")})
	}
	if len(p.Files) > 0 {
		s.Sections = append(s.Sections, paper.Section{Heading: text("book.sheet.files"), Text: strings.Join(p.Files, "\n")})
	}
	history := r.told(p.History, r.UndoUntil.After(p.Now))
	for i := len(history) - 1; i >= 0; i-- { // oldest first
		e := history[i]
		s.Log = append(s.Log, paper.LogEntry{When: e.At.In(mail.Berlin).Format("02.01.2006, 15:04"), Who: e.Person, What: text("book.event." + e.Kind), Note: e.Text})
	}
	return s
}

// Heading is "Ausbildungsnachweis Woche 47", or that of the paper time.
func (r Report) Heading(text func(key string, args ...any) string) string {
	if r.Kind == Paper {
		return text("book.sheet.title_paper")
	}
	return text("book.sheet.title", r.Week.Name())
}

// Name is "Woche 47", or "Papierzeit".
func (r Report) Name(text func(key string, args ...any) string) string {
	if r.Kind == Paper {
		return text("book.sheet.paper")
	}
	return text("book.sheet.week", r.Week.Name())
}

func daysTable(r Report, text func(key string, args ...any) string) *paper.Table {
	t := &paper.Table{Head: []string{text("book.sheet.day"), text("book.sheet.attendance"), text("book.sheet.hours"), text("book.sheet.done")}, Widths: []float64{30, 28, 12, 86}}
	for i, d := range r.Text.Days {
		if d == (Day{}) {
			continue
		}
		var said []string
		if d.Attendance != "" {
			said = append(said, text("book.attendance."+d.Attendance))
		}
		if d.Place != "" {
			said = append(said, d.Place)
		}
		t.Rows = append(t.Rows, []string{DayName(text, r.Week, i+1), strings.Join(said, ", "), Hours(d.Minutes), d.Text})
	}
	return t
}

// DayName is "Montag, 16.11." for the n-th day of a week.
func DayName(text func(key string, args ...any) string, w Week, n int) string {
	return text("book.day."+strings.ToLower(time.Weekday(n%7).String())) + ", " + w.Day(n).Format("02.01.")
}
