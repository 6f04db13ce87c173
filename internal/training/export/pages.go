package export

import (
	"slices"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/paper"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/occupation"
)

type say = func(key string, args ...any) string

// book lays the content out: cover, index, weeks, absences, record of sign-off.
func (c content) book(base, code string, text say) paper.Book {
	e := c.Export
	first, last := c.Reports[0], c.Reports[len(c.Reports)-1]
	signed := 0
	for _, r := range c.Reports {
		if r.State == book.SignedOff {
			signed++
		}
	}
	b := paper.Book{
		Title: text("export.title"), Subtitle: text("book.sheet.subtitle"), Author: c.Person.Name, Lang: e.Language, Date: e.CreatedAt.Time,
		Facts: [][2]string{{text("book.sheet.name"), c.Person.Name}, {text("book.sheet.company"), c.companies()}},
		Note:  text("export.note"),
		QR: &paper.QR{
			Text: base + "/verify/" + code, Size: 30,
			Caption: text("export.qr", base+"/verify", paper.Group(code, 4)),
		},
		IndexHeading: text("export.index"),
		IndexHead:    []string{text("export.index_week"), text("book.sheet.period"), text("book.sheet.state"), text("export.index_page")},
		IndexWidths:  []float64{50, 56, 40, 14},
		Footer:       text("export.title") + " · " + c.Person.Name,
	}
	if names := c.occupations(); names != "" {
		b.Facts = append(b.Facts, [2]string{text("export.occupation"), names})
	}
	if span := c.training(); span != "" {
		b.Facts = append(b.Facts, [2]string{text("export.training"), span})
	}
	b.Facts = append(b.Facts,
		[2]string{text("book.sheet.period"), calendar.Span(first.First, last.Last)},
		[2]string{text("export.weeks"), text("export.weeks_signed", len(c.Reports), signed)},
		[2]string{text("export.made"), e.CreatedAt.In(mail.Berlin).Format("02.01.2006, 15:04")},
	)
	year := 0
	for _, r := range c.Reports {
		name := r.Name(text)
		if r.Kind == book.Weekly {
			name += " / " + strconv.Itoa(r.Week.Year)
			year = r.Week.Year
		}
		b.Chapters = append(b.Chapters, paper.Chapter{
			Name: name, Line: []string{name, calendar.Span(r.First, r.Last), text("book.state." + string(r.State))},
			Sheet: book.Sheet(r, c.Person, c.Companies[r.Company], c.History[r.ID], e.Language, text),
		})
	}
	if year > 0 && e.Scope != Week {
		b.Chapters = append(b.Chapters, c.absences(text))
	}
	b.Chapters = append(b.Chapters, c.record(text))
	return b
}

// companies are the names of those it was written for, in order.
func (c content) companies() string {
	var names []string
	seen := map[string]bool{}
	for _, r := range c.Reports {
		if name := c.Companies[r.Company].Name; !seen[r.Company] {
			seen[r.Company] = true
			names = append(names, name)
		}
	}
	return strings.Join(names, "\n")
}

// occupations are the names of what is learned, as far as it is known.
func (c content) occupations() string {
	var names []string
	for _, a := range c.Apprenticeships {
		if name := occupation.Name(a.Occupation); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, "\n")
}

// training is from when to when the apprenticeships last, as far as it is known.
func (c content) training() string {
	var spans []string
	for _, a := range c.Apprenticeships {
		if a.StartsOn != "" && a.Last() != "" {
			spans = append(spans, calendar.Span(a.StartsOn, a.Last()))
		}
	}
	return strings.Join(spans, "\n")
}

// A stretch is days of one kind in a row; weekends and what was not said do
// not part it.
type stretch struct {
	kind        string
	first, last calendar.Date
	days        int
}

// absences lists who was where else: days per kind, and each stretch.
func (c content) absences(text say) paper.Chapter {
	counted := map[string]int{}
	var all []stretch
	open := map[string]int{} // kind → its last stretch in all
	for _, r := range c.Reports {
		for i, d := range r.Text.Days {
			if d.Attendance == "" {
				if i < 5 {
					clear(open)
				}
				continue
			}
			counted[d.Attendance]++
			day := r.Week.Date(i + 1)
			if !absence[d.Attendance] {
				clear(open)
				continue
			}
			if k, yes := open[d.Attendance]; yes && all[k].last.Days(day) <= 4 {
				all[k].last, all[k].days = day, all[k].days+1
				continue
			}
			clear(open)
			open[d.Attendance] = len(all)
			all = append(all, stretch{d.Attendance, day, day, 1})
		}
	}
	sums := &paper.Table{Head: []string{text("book.sheet.attendance"), text("export.days")}, Widths: []float64{60, 100}}
	for _, a := range book.Attendance {
		if n := counted[a]; n > 0 && a != "" {
			sums.Rows = append(sums.Rows, []string{text("book.attendance." + a), strconv.Itoa(n)})
		}
	}
	list := &paper.Table{Head: []string{text("book.sheet.period"), text("book.sheet.attendance"), text("export.days")}, Widths: []float64{70, 60, 30}}
	for _, s := range all {
		list.Rows = append(list.Rows, []string{calendar.Span(s.first, s.last), text("book.attendance." + s.kind), strconv.Itoa(s.days)})
	}
	s := paper.Sheet{Title: text("export.absences"), Lang: c.Export.Language}
	if len(sums.Rows) == 0 {
		s.Sections = append(s.Sections, paper.Section{Text: text("export.absences_unsaid")})
	} else {
		s.Sections = append(s.Sections, paper.Section{Heading: text("export.absences_sum"), Table: sums})
	}
	if len(list.Rows) > 0 {
		s.Sections = append(s.Sections, paper.Section{Heading: text("export.absences_list"), Table: list})
	}
	return paper.Chapter{Name: s.Title, Line: []string{s.Title, "", ""}, Sheet: s}
}

var absence = map[string]bool{"vacation": true, "sick": true, "holiday": true, "free": true}

// record is who signed which week off, and when (L16: that is what counts).
func (c content) record(text say) paper.Chapter {
	t := &paper.Table{Head: []string{text("export.index_week"), text("book.state.submitted"), text("book.sheet.state"), text("export.by")}, Widths: []float64{36, 36, 36, 52}}
	for _, r := range c.Reports {
		line := []string{r.Name(text), stamp(r.SubmittedAt), text("book.state." + string(r.State)), ""}
		if r.Kind == book.Weekly {
			line[0] += " / " + strconv.Itoa(r.Week.Year)
		}
		if r.State == book.SignedOff {
			line[2] += "\n" + stamp(r.DecidedAt)
			line[3] = c.People[r.DecidedBy]
			if r.CheckedBy != "" && r.CheckedBy != r.DecidedBy {
				line[3] += "\n" + text("export.checked_by", c.People[r.CheckedBy])
			}
		}
		t.Rows = append(t.Rows, line)
	}
	s := paper.Sheet{Title: text("export.record"), Lang: c.Export.Language, Sections: []paper.Section{{Text: text("export.record_law")}, {Table: t}}}
	return paper.Chapter{Name: s.Title, Line: []string{s.Title, "", ""}, Sheet: s}
}

func stamp(t db.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(mail.Berlin).Format("02.01.2006, 15:04")
}
