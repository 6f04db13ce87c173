package paper

import (
	"fmt"
	"io"
	"time"
)

// Book is a document of many sheets behind a cover and an index: a report book
// to hand in. Each sheet begins on a page of its own, pages are counted through,
// and index and outline lead to the sheets.
type Book struct {
	Title, Subtitle, Author string
	Lang                    string    // "de-DE" when empty
	Date                    time.Time // when it was made; only in the file's properties
	Facts                   [][2]string
	Note                    string // on the cover, below the facts
	QR                      *QR    // on the cover
	IndexHeading            string
	IndexHead               []string  // of the index's columns; the last is the page number
	IndexWidths             []float64 // relative, as many
	Chapters                []Chapter
	Footer                  string // where a sheet says none
	// Progress is told how many chapters are laid out, of how many; may be nil.
	Progress func(done, all int)
}

// Chapter is a sheet of a book. Line is what the index says of it, without the
// page; one without a line stands in the outline only.
type Chapter struct {
	Name  string // in the outline
	Line  []string
	Sheet Sheet
}

// WriteBook writes a book as one A4 PDF.
func WriteBook(w io.Writer, b Book) error {
	fs, err := loadFaces()
	if err != nil {
		return fmt.Errorf("write book: %w", err)
	}
	m := meta{title: flat(fs.clean(b.Title)), author: told(b.Author), lang: b.Lang, date: b.Date}
	if err := write(w, m, b.layout(fs)); err != nil {
		return fmt.Errorf("write book: %w", err)
	}
	return nil
}

func (b Book) layout(fs *faces) []page {
	var chapters []page
	starts := make([]int, len(b.Chapters)) // page within the chapters, from 0
	foot := make([]string, 0, len(b.Chapters)+4)
	for i, c := range b.Chapters {
		starts[i] = len(chapters)
		pages := c.Sheet.body(fs).pages
		pages[0] = append(page{{kind: opMark, text: fs.clean(c.Name)}}, pages[0]...)
		chapters = append(chapters, pages...)
		for range pages {
			foot = append(foot, c.Sheet.Footer)
		}
		if b.Progress != nil {
			b.Progress(i+1, len(b.Chapters))
		}
	}
	front := b.front(fs, starts, 0)
	// The numbers are wider now, the lines are as many.
	front = b.front(fs, starts, len(front))
	all := append(front[:len(front):len(front)], chapters...)
	f := &flow{faces: fs}
	for i := range all {
		text := b.Footer
		if k := i - len(front); k >= 0 && foot[k] != "" {
			text = foot[k]
		}
		if i > 0 { // the cover has none
			f.foot(all[:i+1], b.Lang, text, len(all))
		}
	}
	return all
}

// front is the cover and the index; before is how many pages they take.
func (b Book) front(fs *faces, starts []int, before int) []page {
	f := &flow{faces: fs, pages: []page{nil}, x: sheetX, w: sheetW, y: 60, top: 22, bottom: 272, first: 272}
	if b.Subtitle != "" {
		f.text(small().with(10, 5), fs.clean(b.Subtitle))
		f.gap(2)
	}
	f.text(style{bold, 26, 11.5, 0}, fs.clean(b.Title))
	f.gap(10)
	Facts(b.Facts).put(f)
	if b.Note != "" {
		f.gap(4)
		f.text(prose(), fs.clean(b.Note))
	}
	if b.QR != nil {
		f.gap(8)
		b.QR.put(f)
	}
	f.turn()
	b.index(f, starts, before)
	return f.pages
}

func (b Book) index(f *flow, starts []int, before int) {
	f.add(op{kind: opMark, text: f.faces.clean(b.IndexHeading)})
	f.text(style{bold, 18, 8, 0}, f.faces.clean(b.IndexHeading))
	f.gap(4)
	t := Table{Head: b.IndexHead, Widths: b.IndexWidths}
	widths := t.columns(f, len(b.IndexHead))
	set := func(st style, row []string) {
		var cells []cell
		x := f.x
		for i, w := range widths {
			if i < len(row) {
				line, _ := f.faces.fit(st, f.faces.clean(row[i]), w-3)
				cells = append(cells, cell{x, w - 3, st, line})
			}
			x += w
		}
		f.row(cells)
	}
	top := func() {
		head := small()
		head.face, head.gray = bold, 60
		set(head, b.IndexHead)
		f.y += 0.8
		f.rule(f.x, f.y, f.w, 120)
		f.y++
	}
	top()
	for i, c := range b.Chapters {
		if len(c.Line) == 0 {
			continue
		}
		if f.y+prose().lead+1 > f.end() {
			f.turn()
			top()
		}
		to := before + starts[i] + 1
		f.add(op{kind: opLink, x: f.x, y: f.y, w: f.w, h: prose().lead, to: to})
		set(prose(), append(c.Line[:len(c.Line):len(c.Line)], fmt.Sprint(to)))
		f.y += 0.45
		f.rule(f.x, f.y, f.w, 225)
		f.y += 0.45
	}
}
