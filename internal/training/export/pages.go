package export

import (
	"slices"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/paper"
	"zunft/internal/training/assignment"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/occupation"
)

type say = func(key string, args ...any) string

// book lays the content out: cover, index, weeks, absences, record of sign-off.
func (c content) book(base, code string, text say) paper.Book {
	e := c.Export
	first, last := c.Reports[0], c.Reports[len(c.Reports)-1]
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
	if names := c.trainers(text); names != "" {
		b.Facts = append(b.Facts, [2]string{text("export.trainers"), names})
	}
	b.Facts = append(b.Facts,
		[2]string{text("book.sheet.period"), calendar.Span(first.First, last.Last)},
		[2]string{text("export.weeks"), c.states(text)},
	)
	covered := c.covered()
	if e.Scope != Week {
		if sums := c.sums(text); len(sums) > 0 {
			b.Facts = append(b.Facts, [2]string{text("export.attendance"), strings.Join(sums, ", ")})
		}
		if n := len(c.Plan); n > 0 {
			b.Facts = append(b.Facts, [2]string{text("export.plan"), text("export.plan_covered", len(covered), n)})
		}
	}
	b.Facts = append(b.Facts, [2]string{text("export.made"), stamp(e.CreatedAt)})
	year := 0
	for _, r := range c.Reports {
		name := r.Name(text)
		if r.Kind == book.Weekly {
			name += " / " + strconv.Itoa(r.Week.Year)
			year = r.Week.Year
		}
		b.Chapters = append(b.Chapters, paper.Chapter{
			Name: name, Line: []string{name, calendar.Span(r.First, r.Last), text("book.state." + string(r.State))},
			Sheet: book.Print{
				Report: r, Apprentice: c.Person, Company: c.Companies[r.Company], History: c.History[r.ID],
				Plan: c.named(r), Files: c.Files[r.ID], Now: c.Now,
			}.Sheet(e.Language, text),
		})
	}
	if e.Scope != Week {
		if year > 0 {
			b.Chapters = append(b.Chapters, c.absences(text))
		}
		if len(c.Plan) > 0 {
			b.Chapters = append(b.Chapters, c.coverage(covered, text))
		}
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

func (s stretch) dates() string {
	if s.first == s.last {
		return s.first.German()
	}
	return calendar.Span(s.first, s.last)
}

// absences lists who was where else: days per kind, and each stretch.
func (c content) absences(text say) paper.Chapter {
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
			day := r.Week.Date(i + 1)
			if !book.Absent(d.Attendance) {
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
	counted := c.attended()
	sums := &paper.Table{Head: []string{text("book.sheet.attendance"), text("export.days")}, Widths: []float64{60, 100}}
	for _, a := range book.Attendance {
		if n := counted[a]; n > 0 {
			sums.Rows = append(sums.Rows, []string{text("book.attendance." + a), strconv.Itoa(n)})
		}
	}
	list := &paper.Table{Head: []string{text("book.sheet.period"), text("book.sheet.attendance"), text("export.days")}, Widths: []float64{70, 60, 30}}
	for _, s := range all {
		list.Rows = append(list.Rows, []string{s.dates(), text("book.attendance." + s.kind), strconv.Itoa(s.days)})
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

// trainers are those who were assigned, with their time.
func (c content) trainers(text say) string {
	var lines []string
	for _, x := range c.Trainers {
		if x.Role != assignment.Trainer {
			continue
		}
		line := x.Name
		switch {
		case x.Until != "":
			line += ", " + calendar.Span(x.From, x.Until)
		case x.From != "":
			line += ", " + text("export.since", x.From.German())
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// states says how many reports there are, and in which states.
func (c content) states(text say) string {
	said := text("export.weeks_signed", len(c.Reports), c.count(book.SignedOff))
	var others []string
	for _, s := range []book.State{book.Checked, book.Submitted, book.Returned, book.Draft} {
		if n := c.count(s); n > 0 {
			others = append(others, text("book.state."+string(s))+": "+strconv.Itoa(n))
		}
	}
	if len(others) > 0 {
		said += " (" + strings.Join(others, ", ") + ")"
	}
	return said
}

// attended counts the days of each kind.
func (c content) attended() map[string]int {
	counted := map[string]int{}
	for _, r := range c.Reports {
		for _, d := range r.Text.Days {
			counted[d.Attendance]++
		}
	}
	delete(counted, "")
	return counted
}

// sums are the days of each kind in words, for the cover.
func (c content) sums(text say) (lines []string) {
	counted := c.attended()
	for _, a := range book.Attendance {
		if n := counted[a]; n > 0 {
			lines = append(lines, text("book.attendance."+a)+": "+text("export.days_n", n))
		}
	}
	return lines
}

// named are the names of the plan's sections that a report names.
func (c content) named(r book.Report) (names []string) {
	ids := sectionsOf(r)
	for _, s := range c.Plan {
		if slices.Contains(ids, s.ID) {
			names = append(names, s.Name())
		}
	}
	return names
}

// covered is in how many reports each section of the plan is named.
func (c content) covered() map[string]int {
	weeks := map[string]int{}
	for _, s := range c.Plan {
		for _, r := range c.Reports {
			if slices.Contains(sectionsOf(r), s.ID) {
				weeks[s.ID]++
			}
		}
	}
	return weeks
}

// coverage is the training plan, and how far it is documented.
func (c content) coverage(covered map[string]int, text say) paper.Chapter {
	t := &paper.Table{Head: []string{text("export.plan_section"), text("export.plan_weeks"), text("export.plan_planned")}, Widths: []float64{110, 26, 24}}
	for _, s := range c.Plan {
		planned := ""
		if s.Weeks > 0 {
			planned = strconv.Itoa(s.Weeks)
		}
		t.Rows = append(t.Rows, []string{s.Name(), strconv.Itoa(covered[s.ID]), planned})
	}
	s := paper.Sheet{Title: text("export.plan"), Lang: c.Export.Language, Sections: []paper.Section{{Text: text("export.plan_note")}, {Table: t}}}
	return paper.Chapter{Name: s.Title, Line: []string{s.Title, "", ""}, Sheet: s}
}

func stamp(t db.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(mail.Berlin).Format("02.01.2006, 15:04")
}
