package paper

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/text/unicode/norm"
)

// op is one thing on a page, in mm from the top left.
type op struct {
	kind       int
	x, y, w, h float64
	text       string
	style      style
	line, fill int // gray of line and filling; -1 none
	qr         *matrix
	edge       bool // repeated on each page: foot, page number
	to         int  // page that a link leads to, from 1
}

const (
	opText = iota
	opLine
	opBox
	opQR
	opMark // entry of the outline
	opLink
)

type page []op

// flow fills pages from top to bottom. Everything is laid out before a byte is
// written, so that page counts are known and blocks can be measured.
type flow struct {
	faces       *faces
	pages       []page
	x, w, y     float64
	top, bottom float64 // of the pages after the first
	first       float64 // bottom of the first page
	letter      bool    // the first page has folds
	edge        bool    // what is added now belongs to the page's edge
}

func (f *flow) add(o op) {
	o.edge = f.edge
	f.pages[len(f.pages)-1] = append(f.pages[len(f.pages)-1], o)
}

func (f *flow) onFirst() bool   { return len(f.pages) == 1 }
func (f *flow) fresh() bool     { return !f.onFirst() && f.y <= f.top }
func (f *flow) height() float64 { return f.bottom - f.top }

func (f *flow) end() float64 {
	if f.onFirst() {
		return f.first
	}
	return f.bottom
}

func (f *flow) turn() {
	f.pages = append(f.pages, nil)
	f.y = f.top
}

// room turns the page unless h mm are left on it (or nothing is on it yet).
func (f *flow) room(h float64) {
	if f.y+h > f.end() && !f.fresh() {
		f.turn()
	}
}

// gap leaves white space, but never at the top of a page.
func (f *flow) gap(h float64) {
	if !f.fresh() {
		f.y += h
	}
}

// textAt puts clean text on a line whose top is y.
func (f *flow) textAt(st style, x, y float64, s string) {
	if s != "" {
		f.add(op{kind: opText, x: x, y: y + st.baseline(), text: s, style: st})
	}
}

func (f *flow) rule(x, y, w float64, gray int) {
	f.add(op{kind: opLine, x: x, y: y, w: w, h: 0, line: gray})
}

// text sets running text and turns pages as needed.
func (f *flow) text(st style, text string) {
	lines := f.faces.wrap(st, text, f.w)
	for i, l := range lines {
		if i == 0 && len(lines) > 1 {
			f.room(2 * st.lead) // no single first line at the foot of a page
		} else {
			f.room(st.lead)
		}
		f.textAt(st, f.x, f.y, l)
		f.y += st.lead
	}
}

// cell is one column of a row.
type cell struct {
	x, w  float64
	style style
	text  string
}

// row sets cells side by side; each wraps in its own width, and the row runs on
// over the page if it must.
func (f *flow) row(cells []cell) {
	var lines [][]string
	var most int
	var lead float64
	for _, c := range cells {
		l := f.faces.wrap(c.style, c.text, c.w)
		lines = append(lines, l)
		most, lead = max(most, len(l)), max(lead, c.style.lead)
	}
	if h := float64(most) * lead; h < f.height()/3 {
		f.room(h)
	}
	for i := range most {
		f.room(lead)
		for k, c := range cells {
			if i < len(lines[k]) {
				f.textAt(c.style, c.x, f.y, lines[k][i])
			}
		}
		f.y += lead
	}
}

// meta is what the file says about itself.
type meta struct {
	title, author, lang string
	date                time.Time
}

// told is a name as the file's own description may say it: letters that the
// faces lack are none there that a reader's program lacks.
func told(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.In(r, unicode.Cf, unicode.Cc) && !unicode.IsSpace(r):
			return -1
		case r > 0xFFFF: // the PDF writer's text strings end at the basic plane
			return unicode.ReplacementChar
		}
		return r
	}, norm.NFC.String(strings.ToValidUTF8(s, "\uFFFD")))
	return flat(s)
}

// write turns laid out pages into a PDF. The same pages give the same bytes.
func write(w io.Writer, m meta, pages []page) error {
	pdf := fpdf.New("P", "mm", "A4", "")
	pdf.SetCatalogSort(true)
	pdf.SetAutoPageBreak(false, 0)
	pdf.SetMargins(0, 0, 0)
	if m.date.IsZero() {
		m.date = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	pdf.SetCreationDate(m.date.UTC())
	pdf.SetModificationDate(m.date.UTC())
	pdf.SetTitle(m.title, true)
	pdf.SetAuthor(m.author, true)
	pdf.SetCreator("Zunft", true)
	pdf.SetProducer("Zunft", true)
	pdf.SetLang(langTag(m.lang))
	used := usedFaces(pages)
	for i, ttf := range fontFiles() {
		if used[i] {
			pdf.AddUTF8FontFromBytes(faceName(i), "", bytes.Clone(ttf))
		}
	}
	for _, p := range pages {
		pdf.AddPage()
		for _, o := range p {
			draw(pdf, o)
		}
	}
	if err := pdf.Output(w); err != nil {
		return fmt.Errorf("write pdf: %w", err)
	}
	return nil
}

func faceName(i int) string { return [3]string{"regular", "bold", "mono"}[i] }

func usedFaces(pages []page) (used [3]bool) {
	used[regular] = true
	for _, p := range pages {
		for _, o := range p {
			if o.kind == opText {
				used[o.style.face] = true
			}
		}
	}
	return used
}

func langTag(s string) string {
	keep := func(r rune) rune {
		if r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}
	if s = strings.Map(keep, s); s == "" {
		return "de-DE"
	}
	return s
}

func draw(pdf *fpdf.Fpdf, o op) {
	switch o.kind {
	case opText:
		pdf.SetFont(faceName(o.style.face), "", o.style.size)
		pdf.SetTextColor(o.style.gray, o.style.gray, o.style.gray)
		pdf.Text(o.x, o.y, o.text)
	case opLine:
		pdf.SetLineWidth(0.2)
		pdf.SetDrawColor(o.line, o.line, o.line)
		pdf.Line(o.x, o.y, o.x+o.w, o.y+o.h)
	case opBox:
		how := "F"
		if o.line >= 0 {
			pdf.SetLineWidth(0.3)
			pdf.SetDrawColor(o.line, o.line, o.line)
			how = "FD"
		}
		pdf.SetFillColor(o.fill, o.fill, o.fill)
		pdf.RoundedRect(o.x, o.y, o.w, o.h, 2, "1234", how)
	case opQR:
		pdf.SetFillColor(0, 0, 0)
		o.qr.draw(pdf, o.x, o.y, o.w)
	case opMark:
		pdf.SetFont(faceName(regular), "", 10) // it is written as this font's text
		pdf.Bookmark(o.text, 0, 0)
	case opLink:
		to := pdf.AddLink()
		pdf.SetLink(to, 0, o.to)
		pdf.Link(o.x, o.y, o.w, o.h, to)
	}
}
