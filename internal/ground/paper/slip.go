package paper

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Slip is a note of A6 for one person: a code to type and the same as a QR
// code. Four stand on a sheet of A4, to be cut apart.
type Slip struct {
	From    string // small, at the head
	To      string // the name, large
	Title   string
	Steps   []string
	Code    string
	QR      string // what the QR code says
	Caption string // below: until when it holds, and what to do with it
}

const (
	slipW, slipH = 105.0, 148.5
	slipEdge     = 9.0
	slipQR       = 34.0
)

// WriteSlips writes slips as an A4 PDF, four to a sheet. What does not fit a
// slip is shortened with "…": a slip that ran on would be another person's.
func WriteSlips(w io.Writer, title, author, lang string, date time.Time, slips []Slip) error {
	if len(slips) == 0 {
		return errors.New("write slips: there are none")
	}
	fs, err := loadFaces()
	if err != nil {
		return fmt.Errorf("write slips: %w", err)
	}
	var pages []page
	for i, s := range slips {
		if i%4 == 0 {
			pages = append(pages, cuts())
		}
		f := &flow{faces: fs, pages: pages[len(pages)-1:], x: float64(i%2)*slipW + slipEdge, w: slipW - 2*slipEdge, y: float64(i%4/2)*slipH + slipEdge}
		if err := s.put(f); err != nil {
			return fmt.Errorf("write slip %d: %w", i+1, err)
		}
	}
	m := meta{title: flat(fs.clean(title)), author: flat(fs.clean(author)), lang: lang, date: date}
	if err := write(w, m, pages); err != nil {
		return fmt.Errorf("write %d slips: %w", len(slips), err)
	}
	return nil
}

// cuts are the lines to cut along.
func cuts() page {
	return page{{kind: opLine, x: slipW, y: 0, h: 297, line: 190}, {kind: opLine, x: 0, y: slipH, w: 210, line: 190}}
}

func (s Slip) put(f *flow) error {
	end := f.y + slipH - 2*slipEdge
	s.lines(f, small(), s.From, 2)
	f.y += 2
	s.lines(f, style{bold, 16, 7, 0}, s.To, 2)
	f.y += 2
	s.lines(f, strong(), s.Title, 2)
	f.y += 2
	for i, step := range s.Steps {
		s.lines(f, body().with(10, 4.7), fmt.Sprintf("%d. %s", i+1, step), 3)
	}
	qr, err := newMatrix(s.QR)
	if err != nil {
		return err
	}
	// The codes stand at the foot, where every slip has them.
	caption := s.wrapped(f, small(), s.Caption, 3)
	y := end - float64(len(caption))*small().lead
	for i, l := range caption {
		f.textAt(small(), f.x, y+float64(i)*small().lead, l)
	}
	code := style{mono, 15, 7, 0}
	y -= 5 + code.lead
	f.textAt(code, f.x, y, f.faces.clean(s.Code))
	y -= 4 + slipQR
	f.add(op{kind: opQR, x: f.x + 4, y: y, w: slipQR, qr: qr})
	return nil
}

// wrapped is a text on a few lines at most.
func (s Slip) wrapped(f *flow, st style, text string, most int) []string {
	lines := f.faces.wrap(st, f.faces.clean(text), f.w)
	if len(lines) > most {
		last, _ := f.faces.fit(st, strings.Join(lines[most-1:], " "), f.w)
		lines = append(lines[:most-1:most-1], last)
	}
	return lines
}

func (s Slip) lines(f *flow, st style, text string, most int) {
	for _, l := range s.wrapped(f, st, text, most) {
		f.textAt(st, f.x, f.y, l)
		f.y += st.lead
	}
}
