package foreign

import (
	"zunft/internal/ground/plain"
	"zunft/internal/training/book"
	"zunft/internal/training/export"
	"zunft/internal/training/planning"
)

// Found is what a file holds: what was understood, and what was left.
type Found struct {
	Reports []export.Record   `json:"reports,omitempty"`
	Lessons []planning.Lesson `json:"lessons,omitempty"`
	Left    []Left            `json:"left,omitempty"`
	More    int               `json:"more,omitempty"` // left as well, beyond maxLeft

	head int // line of the headings, while a table is read
}

// A Left part of a file is not taken in, and why: nothing is lost unsaid.
type Left struct {
	Week string `json:"w,omitempty"` // empty: of none
	Line int    `json:"n,omitempty"` // in the file, from 1; 0: it has none
	Text string `json:"t,omitempty"` // its beginning
	Why  string `json:"y"`           // phrase
}

// maxLeft is how many left parts are named; the others are counted.
const maxLeft = 400

// leave keeps what is not taken in.
func (f *Found) leave(week string, line int, text, why string) {
	if len(f.Left) >= maxLeft {
		f.More++
		return
	}
	if len(text) > 2000 { // before it is cleaned
		text = text[:2000]
	}
	f.Left = append(f.Left, Left{week, line, plain.Short(book.CleanLine(text), 200), why})
}

// Of are the left parts of a week; of none, for "".
func (f Found) Of(week string) (all []Left) {
	for _, l := range f.Left {
		if l.Week == week {
			all = append(all, l)
		}
	}
	return all
}
