package review

import (
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/diff"
	"zunft/internal/training/book"
	"zunft/internal/training/planning"
)

// A Reading is a report as it is read: its texts with what changed since it was
// returned, and its days in a line each.
type Reading struct {
	Texts   []Part
	Days    []Day
	Brief   bool     // the days have no texts: one line says all
	Plan    []string // sections of the training plan
	Again   bool     // it was returned before
	Since   db.Time  // when
	Changed []string // headings of what changed, if Again
}

// A Part has a heading and its text in pieces.
type Part struct {
	Heading string
	Pieces  []diff.Piece
}

// A Day says attendance, place and hours, then what was done.
type Day struct {
	Name, Short, Said, Was string // "Montag, 16.11.", "Montag"; Was: what it said before, if that differs
	Initial                string // "Mo"
	Pieces                 []diff.Piece
}

// Read prepares a report for reading, with the words of the reader's language.
func Read(tx *db.Tx, r book.Report, text func(key string, args ...any) string) (Reading, error) {
	all, err := ReadAll(tx, []book.Report{r}, text)
	if err != nil {
		return Reading{}, err
	}
	return all[0], nil
}

// ReadSince is Read for somebody who came with a PIN: of what was before the
// report came to them (Since) they read nothing, not even as what is gone.
func ReadSince(tx *db.Tx, r book.Report, since db.Time, text func(key string, args ...any) string) (Reading, error) {
	before, err := befores(tx, []book.Report{r})
	if err != nil {
		return Reading{}, err
	}
	if before[r.ID].at.Before(since) {
		delete(before, r.ID)
	}
	all, err := readAll(tx, []book.Report{r}, before, text)
	if err != nil {
		return Reading{}, err
	}
	return all[0], nil
}

// Since is when a report came to the address of the supervisor who acts: its
// last submission, or the one on which they said something first.
func Since(tx *db.Tx, by audit.Actor, r book.Report) (at db.Time, err error) {
	err = tx.Scan(`SELECT max(at) FROM report_event WHERE report = $1 AND event = 'submitted'
		AND id < COALESCE((SELECT min(id) FROM report_event WHERE report = $1 AND person = $2), 'g')`, []any{r.ID, by.Account}, &at)
	return at, err
}

// ReadAll is Read for several, with as many questions as for one.
func ReadAll(tx *db.Tx, reports []book.Report, text func(key string, args ...any) string) ([]Reading, error) {
	before, err := befores(tx, reports)
	if err != nil {
		return nil, err
	}
	return readAll(tx, reports, before, text)
}

func readAll(tx *db.Tx, reports []book.Report, before map[string]version, text func(key string, args ...any) string) ([]Reading, error) {
	var ids []string
	for _, r := range reports {
		ids = append(ids, sectionsOf(r)...)
	}
	sections, err := planning.SectionsByID(tx, strings.Join(ids, " "))
	if err != nil {
		return nil, err
	}
	all := make([]Reading, len(reports))
	for i, r := range reports {
		old, again := before[r.ID]
		all[i] = read(r, old, again, text)
		for _, s := range sections {
			for _, id := range sectionsOf(r) {
				if s.ID == id {
					all[i].Plan = append(all[i].Plan, s.Name())
				}
			}
		}
	}
	return all, nil
}

func sectionsOf(r book.Report) (ids []string) {
	seen := map[string]bool{}
	for _, list := range append([]string{r.Text.Sections}, daySections(r)...) {
		for _, id := range strings.Fields(list) {
			if !seen[id] {
				seen[id], ids = true, append(ids, id)
			}
		}
	}
	return ids
}

func daySections(r book.Report) (all []string) {
	for _, d := range r.Text.Days {
		all = append(all, d.Sections)
	}
	return all
}

func read(r book.Report, old version, again bool, text func(key string, args ...any) string) Reading {
	v := Reading{Again: again, Since: old.at, Brief: true}
	compare := func(before, after string) []diff.Piece {
		if again {
			return diff.Words(before, after)
		}
		return diff.Words(after, after)
	}
	part := func(heading, before, after string) {
		p := Part{heading, compare(before, after)}
		if diff.Changed(p.Pieces) {
			v.Changed = append(v.Changed, p.Heading)
		}
		if len(p.Pieces) > 0 {
			v.Texts = append(v.Texts, p)
		}
	}
	part(text("book.sheet.department"), old.text.Department, r.Text.Department)
	part(text("book.part.work"), old.text.Work, r.Text.Work)
	part(text("book.part.instruction"), old.text.Instruction, r.Text.Instruction)
	part(text("book.part.school"), old.text.School, r.Text.School)
	for i, d := range r.Text.Days {
		o := old.text.Days[i]
		if d == (book.Day{}) && (!again || o == (book.Day{})) {
			continue
		}
		day := Day{Name: book.DayName(text, r.Week, i+1), Said: said(d, text), Pieces: compare(o.Text, d.Text)}
		if was := said(o, text); again && was != day.Said {
			day.Was = was
		}
		if day.Was != "" || again && said(o, text) != day.Said || diff.Changed(day.Pieces) {
			v.Changed = append(v.Changed, day.Name)
		}
		day.Short, _, _ = strings.Cut(day.Name, ",")
		day.Initial = string([]rune(day.Short)[:2])
		v.Brief = v.Brief && len(day.Pieces) == 0
		v.Days = append(v.Days, day)
	}
	return v
}

// said is "Betrieb, Backstube, 8 h".
func said(d book.Day, text func(key string, args ...any) string) string {
	var words []string
	if d.Attendance != "" {
		words = append(words, text("book.attendance."+d.Attendance))
	}
	if d.Place != "" {
		words = append(words, d.Place)
	}
	if d.Minutes > 0 {
		words = append(words, book.Hours(d.Minutes)+"\u00a0h")
	}
	return strings.Join(words, ", ")
}
