package foreign

import (
	"encoding/csv"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"zunft/internal/ground/fault"
	"zunft/internal/ground/table"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/export"
)

// headings that files carry, folded: our own, and what apprentices and the
// older portals call them (ausbinhalt1 … are fields of theirs).
var headings = map[string]string{
	"week":        "week woche kw kalenderwoche ausbildungswoche wochennummer",
	"year":        "year jahr kalenderjahr",
	"from":        "from von vom beginn start startdatum edtvon datumvon zeitraumvon",
	"until":       "until bis ende end enddatum edtbis datumbis zeitraumbis",
	"date":        "date datum tag day",
	"department":  "department abteilung ausbildungsabschnitt abschnitt ausbabschnitt bereich",
	"work":        "work betrieblichetaetigkeiten betrieblichetaetigkeit taetigkeiten taetigkeit betrieb ausbinhalt1 bericht inhalt text beschreibung ausbildungsinhalte",
	"instruction": "instruction unterweisungen unterweisung schulungen schulung unterricht betrieblicherunterricht ausbinhalt2",
	"school":      "school berufsschule schule schulthemen themenderberufsschule ausbinhalt3",
	"attendance":  "attendance anwesenheit status art",
	"hours":       "hours stunden std dauer zeit",
	"place":       "place ort abteilungort",
	"":            "state stand genehmigt nr lfdnr no name", // known, and of no use: what was decided elsewhere
}

var meaning = func() map[string]string {
	m := map[string]string{}
	for key, all := range headings {
		for h := range strings.FieldsSeq(all) {
			m[h] = key
		}
	}
	return m
}()

const (
	maxLines = 5000
	maxWidth = 1000 // separators of a line
	maxTitle = 10   // lines above the headings
)

// rows of a table, one after the other with their number in the file, until
// io.EOF. Any other error is about one row.
type rows func() (line int, cells []string, err error)

// readCSV reads separated text with a heading line.
func readCSV(text string) (Found, error) {
	sign := delimiter(text)
	for line := range strings.Lines(text) { // before a reader makes a list of each
		if strings.Count(line, string(sign)) > maxWidth {
			return Found{}, fault.Invalid("file", "foreign.wide", maxWidth)
		}
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = sign, true, -1
	return readTable(func() (int, []string, error) {
		cells, err := r.Read()
		line := 0
		if err == nil {
			line, _ = r.FieldPos(0)
		} else if e, is := errors.AsType[*csv.ParseError](err); is {
			line = e.StartLine
		}
		return line, cells, err
	}, false)
}

// readWorkbook reads the first sheet of an XLSX file.
func readWorkbook(file []byte) (Found, error) {
	all, err := table.Texts(file)
	if err != nil {
		return Found{}, err
	}
	return readTable(func() (int, []string, error) {
		if len(all) == 0 {
			return 0, nil, io.EOF
		}
		l := all[0]
		all = all[1:]
		return l.Number, l.Cells, nil
	}, true)
}

// A grid is a table while it is read.
type grid struct {
	f       Found
	columns map[string]int
	excel   bool // days and times may be numbers
	weeks   map[string]*export.Record
	order   []string
}

// readTable reads a table: a line is a week, or a day (it has a date, and no
// beginning and end).
func readTable(next rows, excel bool) (Found, error) {
	g := grid{excel: excel, weeks: map[string]*export.Record{}}
	for n := 0; ; n++ {
		line, cells, err := next()
		switch {
		case errors.Is(err, io.EOF) && g.columns == nil:
			return g.f, fault.Invalid("file", "foreign.columns")
		case errors.Is(err, io.EOF):
			for _, w := range g.order {
				g.f.Reports = append(g.f.Reports, *g.weeks[w])
			}
			return g.f, nil
		case n > maxLines:
			return g.f, fault.Invalid("file", "foreign.much", MaxReports)
		case err != nil:
			g.f.leave("", line, "", "foreign.left_unread")
		case strings.TrimSpace(strings.Join(cells, "")) == "":
		case g.columns == nil && !g.head(line, cells):
			if n >= maxTitle {
				return g.f, fault.Invalid("file", "foreign.columns")
			}
			g.f.leave("", line, strings.Join(cells, " "), "foreign.left_title")
		case line != g.f.head:
			g.row(line, cells)
		}
	}
}

// head finds out which column is which, if the line says so.
func (g *grid) head(line int, cells []string) bool {
	columns, unknown := map[string]int{}, []string{}
	for i, h := range cells {
		key, known := meaning[table.FoldHeading(h)]
		if _, taken := columns[key]; known && !taken {
			if key != "" {
				columns[key] = i
			}
		} else if strings.TrimSpace(h) != "" {
			unknown = append(unknown, h)
		}
	}
	has := func(keys ...string) bool {
		for _, k := range keys {
			if _, yes := columns[k]; yes {
				return true
			}
		}
		return false
	}
	if !has("week", "from", "date") || !has("work", "school", "instruction", "attendance") {
		return false
	}
	g.columns, g.f.head = columns, line
	for _, h := range unknown {
		g.f.leave("", line, h, "foreign.left_column")
	}
	return true
}

func (g *grid) row(line int, cells []string) {
	cell := func(key string) string {
		i, yes := g.columns[key]
		if !yes || i >= len(cells) {
			return ""
		}
		return unguard(strings.TrimSpace(cells[i]))
	}
	week, day, ok := g.place(cell)
	if !ok {
		g.f.leave("", line, strings.Join(cells, " "), "foreign.left_row")
		return
	}
	rec := g.weeks[week.String()]
	if rec == nil {
		rec = &export.Record{Week: week.String()}
		g.weeks[rec.Week] = rec
		g.order = append(g.order, rec.Week)
	} else if day == "" {
		g.f.leave(rec.Week, line, "", "foreign.left_twice")
	}
	if n := size(*rec); n > 0 && n+len(strings.Join(cells, "")) > maxRecord {
		g.f.leave(rec.Week, line, strings.Join(cells, " "), "foreign.left_long")
		return
	}
	if d := cell("department"); rec.Department == "" {
		rec.Department = d
	} else if d != "" && d != rec.Department {
		g.f.leave(rec.Week, line, d, "foreign.left_second")
	}
	rec.Instruction, rec.School = below(rec.Instruction, cell("instruction")), below(rec.School, cell("school"))
	said := cell("attendance")
	attendance := attendanceOf(said)
	if day == "" {
		rec.Work = below(rec.Work, cell("work"))
		days := daysIn(said, week)
		rec.Days = join(rec.Days, days)
		if len(days) == 0 && said != "" {
			g.f.leave(rec.Week, line, said, "foreign.left_cell")
		}
		return
	}
	if said != "" && attendance == "" {
		g.f.leave(rec.Week, line, said, "foreign.left_cell")
	}
	d := export.DayRecord{Date: day, Attendance: attendance, Place: cell("place"), Text: cell("work")}
	if h := cell("hours"); h != "" {
		if d.Minutes = g.minutes(h); d.Minutes < 0 || d.Minutes > 24*60 {
			d.Minutes = 0
			g.f.leave(rec.Week, line, h, "foreign.left_cell")
		}
	}
	rec.Days = join(rec.Days, []export.DayRecord{d})
}

// minutes of a cell. Excel keeps 7:30 as a part of a day, 0.3125: between two
// and twelve hours that is meant, for nobody writes a day of less than half an
// hour as a decimal.
func (g *grid) minutes(s string) int {
	if f, err := strconv.ParseFloat(s, 64); g.excel && err == nil && f > 1.99/24 && f <= 0.5 {
		return int(math.Round(f * 24 * 60))
	}
	return book.ReadHours(s)
}

// date of a cell; Excel counts days since 30.12.1899.
func (g *grid) date(s string) (calendar.Date, bool) {
	if f, err := strconv.ParseFloat(s, 64); g.excel && err == nil && f > 30000 && f < 75000 {
		return calendar.DateOf(time.Date(1899, 12, 30+int(f), 12, 0, 0, 0, time.UTC)), true
	}
	return calendar.ReadDate(s)
}

// delimiter is what parts the first lines most often.
func delimiter(text string) rune {
	lines := strings.SplitN(text, "\n", maxTitle)
	best, most := ';', 0
	for _, line := range lines[:min(len(lines), maxTitle-1)] {
		for _, d := range ";\t,|" {
			if n := strings.Count(line, string(d)); n > most {
				best, most = d, n
			}
		}
		if most > 0 && meaning[table.FoldHeading(strings.Split(line, string(best))[0])] != "" {
			break // the headings
		}
	}
	return best
}

// place is the week a line is about, and the day if it is about one.
func (g *grid) place(cell func(string) string) (w calendar.Week, day calendar.Date, ok bool) {
	if s := cell("week"); s != "" {
		if w, ok = calendar.ParseWeek(strings.ToUpper(s)); ok {
			return w, "", true
		}
		year := cell("year")
		if n, y, both := strings.Cut(s, "/"); both { // 47/2026
			s, year = n, y
		}
		s = strings.TrimLeft(strings.TrimSpace(s), "KkWwoche. ")
		number, err1 := strconv.Atoi(strings.TrimSpace(s))
		y, err2 := strconv.Atoi(strings.TrimSpace(year))
		if w = (calendar.Week{Year: y, Number: number}); err1 == nil && err2 == nil {
			if again, real := calendar.ParseWeek(w.String()); real && again == w {
				return w, "", true
			}
		}
	}
	if d, yes := g.date(cell("from")); yes {
		until, yes := g.date(cell("until"))
		if yes && (until < d || until.Week() != d.Week()) { // more than a week is no week
			return w, "", false
		}
		return d.Week(), "", true
	}
	if d, yes := g.date(cell("date")); yes {
		return d.Week(), d, true
	}
	return w, "", false
}

// daysIn reads what our own table says of days: "2026-11-09 vacation, …".
func daysIn(s string, w calendar.Week) (days []export.DayRecord) {
	for part := range strings.SplitSeq(s, ",") {
		date, said, _ := strings.Cut(strings.TrimSpace(part), " ")
		if d, ok := calendar.ParseDate(date); ok && d.Week() == w && attendanceOf(said) != "" {
			days = append(days, export.DayRecord{Date: d, Attendance: attendanceOf(said)})
		}
	}
	return days
}

// words for where somebody was, as the older portals and people write them.
var words = map[string]string{
	"betrieb": "company", "anwesend": "company", "arbeit": "company", "praesent": "company", "work": "company", "homeoffice": "company", "mobilesarbeiten": "company",
	"schule": "school", "berufsschule": "school", "unterricht": "school",
	"lehrgang": "course", "schulung": "course", "kurs": "course", "uelu": "course", "ueberbetrieblich": "course", "seminar": "course",
	"urlaub": "vacation", "krank": "sick", "krankheit": "sick", "arbeitsunfaehig": "sick", "feiertag": "holiday",
	"zeitausgleich": "free", "freizeitausgleich": "free", "gleittag": "free", "frei": "free", "sonstigeabwesenheit": "free", "abwesend": "free",
}

func attendanceOf(s string) string {
	s = table.FoldHeading(s)
	for _, a := range book.Attendance {
		if a == s {
			return a
		}
	}
	return words[s]
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// below puts one text under another, once.
func below(a, b string) string {
	if a == "" || b == "" || a == b || strings.HasSuffix(a, "\n"+b) {
		return either(a, b)
	}
	return a + "\n" + b
}

// join puts days together; of one date there is one: a morning in the company
// and an afternoon at school are a day of both texts and all hours.
func join(days, more []export.DayRecord) []export.DayRecord {
next:
	for _, m := range more {
		for i := range days {
			if d := &days[i]; d.Date == m.Date {
				if d.Attendance != m.Attendance || d.Place != m.Place || d.Minutes != m.Minutes || d.Text != m.Text {
					d.Attendance, d.Place, d.Text = either(d.Attendance, m.Attendance), either(d.Place, m.Place), below(d.Text, m.Text)
					d.Minutes = min(d.Minutes+m.Minutes, 24*60)
					d.Sections = append(d.Sections, m.Sections...)
				}
				continue next
			}
		}
		days = append(days, m)
	}
	return days
}

// unguard takes away what table.Guard put there.
func unguard(s string) string {
	if len(s) > 1 && s[0] == '\'' && strings.ContainsRune("=+-@\t\r", rune(s[1])) {
		return s[1:]
	}
	return s
}
