package paper

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Sheet is a document that is not a letter: a training record of a week
// (R224-R228; head and parts as the BIBB board's recommendation 156 has them:
// name, year of training, period; work, instruction, school), a list, a receipt.
type Sheet struct {
	Title    string
	Subtitle string
	Author   string
	Lang     string    // "de-DE" when empty
	Date     time.Time // when it was made; only in the file's properties
	Facts    [][2]string
	Sections []Section
	// Log is who did what when: submitted, returned, signed off. Since 1 August
	// 2024 the recorded approval is enough (BBiG § 13 sentence 2 no. 7).
	LogHeading string // "Freizeichnung" when empty
	Log        []LogEntry
	Sign       []string // lines to sign by hand, for older contracts
	QR         *QR
	Footer     string // left in the foot of each page; the page number is right
}

// Section is a heading with text, a table, or both. Empty says what to print
// where there is neither, "Keine Einträge".
type Section struct {
	Heading string
	Text    string
	Table   *Table
	Empty   string
}

// Table has columns of the given relative widths (equal ones when nil).
type Table struct {
	Head   []string
	Rows   [][]string
	Widths []float64
}

// LogEntry is one line of the sign-off log, each as it is to be printed.
type LogEntry struct{ When, Who, What, Note string }

// WriteSheet writes a document as an A4 PDF.
func WriteSheet(w io.Writer, s Sheet) error {
	fs, err := loadFaces()
	if err != nil {
		return fmt.Errorf("write sheet: %w", err)
	}
	m := meta{title: flat(fs.clean(s.Title)), author: told(s.Author), lang: s.Lang, date: s.Date}
	if err := write(w, m, s.layout(fs)); err != nil {
		return fmt.Errorf("write sheet: %w", err)
	}
	return nil
}

const sheetX, sheetW = 25.0, 160.0

func prose() style   { return style{regular, 10, 4.9, 20} }
func heading() style { return style{bold, 11.5, 5.6, 0} }

func (s Sheet) layout(fs *faces) []page {
	f := s.body(fs)
	foot := flat(fs.clean(s.Footer))
	if _, whole := fs.fit(footStyle(), foot, footW); !whole {
		f.gap(3)
		f.text(small(), foot)
	}
	n := len(f.pages)
	for i := range f.pages {
		f.foot(f.pages[:i+1], s.Lang, s.Footer, n)
	}
	return f.pages
}

// body is everything but the feet of the pages.
func (s Sheet) body(fs *faces) *flow {
	f := &flow{faces: fs, pages: []page{nil}, x: sheetX, w: sheetW, y: 18, top: 22, bottom: 272, first: 272}
	if s.Subtitle != "" {
		f.text(small().with(9, 4.6), fs.clean(s.Subtitle))
		f.gap(1)
	}
	f.text(style{bold, 18, 8, 0}, fs.clean(s.Title))
	f.gap(4)
	s.facts(f)
	for _, sec := range s.Sections {
		sec.put(f)
	}
	s.log(f)
	if len(s.Sign) > 0 {
		signatures(f, s.Sign)
	}
	if s.QR != nil {
		f.gap(4)
		s.QR.put(f)
	}
	return f
}

// facts sets facts in three columns or two, the label above the value; where one
// needs more room than that they all get a line of their own.
func (s Sheet) facts(f *flow) {
	if len(s.Facts) == 0 {
		return
	}
	label, value := small(), style{bold, 10.5, 5.2, 20}
	fits := func(cols int) bool {
		for _, kv := range s.Facts {
			k, v := f.faces.clean(kv[0]), f.faces.clean(kv[1])
			if room := f.w/float64(cols) - 5; strings.Contains(k+v, "\n") || f.faces.widthOf(label, k) > room || f.faces.widthOf(value, v) > room {
				return false
			}
		}
		return true
	}
	cols := 3
	for cols > 1 && !fits(cols) {
		cols--
	}
	if cols == 1 {
		Facts(s.Facts).put(f)
		f.gap(2)
		return
	}
	cw := f.w / float64(cols)
	f.rule(f.x, f.y, f.w, 190)
	f.y += 2.6
	for i := 0; i < len(s.Facts); i += cols {
		f.room(label.lead + value.lead)
		for k, kv := range s.Facts[i:min(i+cols, len(s.Facts))] {
			x := f.x + float64(k)*cw
			f.textAt(label, x, f.y, f.faces.clean(kv[0]))
			f.textAt(value, x, f.y+label.lead, f.faces.clean(kv[1]))
		}
		f.y += label.lead + value.lead + 2.2
	}
	f.rule(f.x, f.y, f.w, 190)
	f.gap(6)
}

func (s Section) put(f *flow) {
	f.room(heading().lead + 2*prose().lead + 4) // a heading never ends a page
	if s.Heading != "" {
		f.text(heading(), f.faces.clean(s.Heading))
		f.gap(1.2)
	}
	text := f.faces.clean(s.Text)
	if strings.TrimSpace(text) == "" && s.Table == nil {
		st := prose()
		st.gray = 85
		if text = f.faces.clean(s.Empty); text != "" {
			f.text(st, text)
		}
	} else if strings.TrimSpace(text) != "" {
		f.text(prose(), text)
		f.gap(1.5)
	}
	if s.Table != nil {
		s.Table.put(f)
	}
	f.gap(5)
}

func (t *Table) put(f *flow) {
	cols := len(t.Head)
	for _, r := range t.Rows {
		cols = max(cols, len(r))
	}
	if cols == 0 {
		return
	}
	if f.w/float64(cols) < 14 { // more columns than a page can hold
		t.asList(f, cols)
		return
	}
	widths := t.columns(f, cols)
	head := small()
	head.face, head.gray = bold, 60
	set := func(st style, row []string) {
		var cells []cell
		x := f.x
		for i, w := range widths {
			text := ""
			if i < len(row) {
				text = f.faces.clean(row[i])
			}
			cells = append(cells, cell{x, w - 3, st, text})
			x += w
		}
		f.row(cells)
	}
	top := func() {
		if len(t.Head) > 0 {
			set(head, t.Head)
			f.y += 0.8
		}
		f.rule(f.x, f.y, f.w, 120)
		f.y += 1
	}
	f.room(3 * prose().lead)
	top()
	for _, r := range t.Rows {
		if f.y+prose().lead+1 > f.end() && !f.fresh() {
			f.turn()
			top()
		}
		set(prose(), r)
		f.y += 0.9
		f.rule(f.x, f.y, f.w, 215)
		f.y += 0.9
	}
}

// columns shares the width out; none gets less than 12 mm.
func (t *Table) columns(f *flow, cols int) []float64 {
	widths := make([]float64, cols)
	var sum float64
	for i := range widths {
		widths[i] = 1
		if i < len(t.Widths) && t.Widths[i] > 0 && t.Widths[i] < 1e6 {
			widths[i] = t.Widths[i]
		}
		sum += widths[i]
	}
	spare := f.w - 12*float64(cols)
	for i := range widths {
		widths[i] = 12 + spare*widths[i]/sum
	}
	return widths
}

func (t *Table) asList(f *flow, cols int) {
	for _, r := range t.Rows {
		for i := range cols {
			var k, v string
			if i < len(t.Head) {
				k = f.faces.clean(t.Head[i])
			}
			if i < len(r) {
				v = f.faces.clean(r[i])
			}
			if k+v != "" {
				f.text(prose(), strings.Trim(k+": "+v, ": "))
			}
		}
		f.gap(2)
	}
}

func (s Sheet) log(f *flow) {
	if len(s.Log) == 0 {
		return
	}
	name := s.LogHeading
	if name == "" {
		name = "Freizeichnung"
	}
	t := &Table{Head: []string{"Wann", "Wer", "Was"}, Widths: []float64{34, 44, 58}}
	if strings.HasPrefix(strings.ToLower(s.Lang), "en") {
		t.Head = []string{"When", "Who", "What"}
	}
	for _, e := range s.Log {
		what := e.What
		if e.Note != "" {
			what += "\n" + e.Note
		}
		t.Rows = append(t.Rows, []string{e.When, e.Who, what})
	}
	f.gap(1)
	Section{Heading: name, Table: t}.put(f)
}

// signatures draws lines to sign on, two side by side.
func signatures(f *flow, who []string) {
	w := (f.w - 10) / 2
	for i := 0; i < len(who); i += 2 {
		var cells []cell
		for k, name := range who[i:min(i+2, len(who))] {
			cells = append(cells, cell{f.x + float64(k)*(w+10), w, small(), f.faces.clean(name)})
		}
		f.room(24)
		f.y += 14
		for _, c := range cells {
			f.rule(c.x, f.y, w, 60)
		}
		f.y += 1
		f.row(cells)
	}
}

func footStyle() style { return small().with(8, 4) }

const footW = sheetW - 35 // beside the page number

// foot puts the foot on the last of some pages: what it is, and which of n.
func (f *flow) foot(pages []page, lang, text string, n int) {
	on := *f
	on.edge, on.pages = true, pages
	st := footStyle()
	text, _ = f.faces.fit(st, flat(f.faces.clean(text)), footW)
	num := pageOf(wordsIn(lang), len(pages), n)
	on.rule(sheetX, 280, sheetW, 190)
	on.textAt(st, sheetX, 281.5, text)
	on.textAt(st, sheetX+sheetW-f.faces.widthOf(st, num), 281.5, num)
}
