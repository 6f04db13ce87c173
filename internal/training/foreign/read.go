// Package foreign reads files from elsewhere: reports from files of ours (JSON,
// CSV), from spreadsheets, and from the exports of the older portals; lessons
// from a school's timetable (ICS). It knows no database: what becomes of what it
// found, package intake decides.
//
//   - A file is hostile until shown otherwise: size, reports, lines and lessons
//     are bounded before memory is spent, and nothing of it is executed or asked
//     for elsewhere.
//   - Nothing is lost unsaid: what was not understood is named ([Left]).
package foreign

import (
	"bytes"
	"embed"
	"encoding/json"
	"io"
	"reflect"
	"strings"

	"zunft/internal/ground/fault"
	"zunft/internal/ground/pdftext"
	"zunft/internal/ground/table"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/export"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

// Limits of one file.
const (
	MaxFile    = 8 << 20 // bytes
	MaxReports = 300     // a book of five years
)

// Read finds out what a file is by what is in it, and reads it. It asks no
// database: callers do it before their transaction.
func Read(file []byte) (Found, error) {
	switch {
	case len(file) == 0:
		return Found{}, fault.Invalid("file", "foreign.nothing")
	case len(file) > MaxFile:
		return Found{}, fault.Invalid("file", "foreign.large", MaxFile>>20)
	case bytes.HasPrefix(file, []byte("PK\x03\x04")):
		return checked(readWorkbook(file))
	case bytes.HasPrefix(file, []byte("\xD0\xCF\x11\xE0")): // Excel before 2007, or behind a password
		return Found{}, fault.Invalid("file", "foreign.workbook")
	case bytes.Contains(file[:min(len(file), 1024)], []byte("%PDF-")):
		text, err := pdftext.Read(file)
		if err != nil {
			return Found{}, fault.Invalid("file", "foreign.pdf_unreadable")
		}
		return checked(readPortal(text))
	}
	text, ok := table.Decode(file)
	if !ok {
		return Found{}, fault.Invalid("file", "foreign.unknown")
	}
	return ReadText(text)
}

// ReadText reads what somebody pasted, or a file of text.
func ReadText(text string) (Found, error) {
	text = strings.TrimSpace(strings.TrimPrefix(text, "\uFEFF"))
	if !strings.Contains(text, "\n") { // lines as old Macs end them
		text = strings.ReplaceAll(text, "\r", "\n")
	}
	switch {
	case text == "":
		return Found{}, fault.Invalid("file", "foreign.nothing")
	case len(text) > 2*MaxFile: // a file of another encoding may grow
		return Found{}, fault.Invalid("file", "foreign.large", MaxFile>>20)
	case text[0] == '{' || text[0] == '[':
		return checked(readJSON(text))
	case hasPrefixFold(text, "BEGIN:VCALENDAR"):
		return checked(readCalendar(text))
	case weekLine.MatchString(text):
		return checked(readPortal(text))
	}
	return checked(readCSV(text))
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// checked cleans what was read: one report a week, none without text, and not
// too many. What stands there twice is put together.
func checked(f Found, err error) (Found, error) {
	if err != nil {
		return Found{}, err
	}
	at := map[string]int{}
	out := f
	out.Reports = nil
	for _, rec := range f.Reports {
		rec = export.Clean(rec)
		w, ok := calendar.ParseWeek(rec.Week)
		if !ok {
			out.leave("", 0, rec.Week+" "+either(rec.Work, rec.School), "foreign.left_row")
			continue
		}
		if t, err := rec.Text(w); err == nil && t.Empty() {
			out.leave(rec.Week, 0, "", "foreign.left_empty")
			continue
		}
		key := rec.Week
		if rec.Kind == book.Paper { // may begin in the week of another report
			key += string(rec.First)
		}
		i, twice := at[key]
		if !twice {
			at[key] = len(out.Reports)
			out.Reports = append(out.Reports, rec)
			continue
		}
		if one := &out.Reports[i]; size(*one)+size(rec) > maxRecord {
			out.leave(rec.Week, 0, rec.Work, "foreign.left_long")
		} else if !reflect.DeepEqual(*one, rec) {
			out.leave(rec.Week, 0, rec.Department, "foreign.left_twice")
			one.Department = either(one.Department, rec.Department)
			one.Work, one.Instruction, one.School = below(one.Work, rec.Work), below(one.Instruction, rec.Instruction), below(one.School, rec.School)
			one.Sections = append(one.Sections, rec.Sections...)
			one.Days = join(one.Days, rec.Days)
		}
	}
	switch {
	case len(out.Reports) > MaxReports:
		return Found{}, fault.Invalid("file", "foreign.much", MaxReports)
	case len(out.Reports) == 0 && len(out.Lessons) == 0:
		return Found{}, fault.Invalid("file", "foreign.empty")
	}
	return out, nil
}

// maxRecord is what a report has at most, as JSON: all its texts, each
// character escaped.
const maxRecord = 400 << 10

// size is about how many bytes the texts of a record have. What grows line by
// line stops at maxRecord: each line costs as much as all before it.
func size(rec export.Record) int {
	n := len(rec.Department) + len(rec.Work) + len(rec.Instruction) + len(rec.School)
	for _, d := range rec.Days {
		n += 100 + len(d.Place) + len(d.Text)
	}
	return n
}

// readJSON reads a file of ours: the whole book, or a list of records. They are
// read one by one, so that a file of millions costs no memory.
func readJSON(text string) (f Found, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	broken := fault.Invalid("file", "foreign.json_broken")
	list := func() error {
		if t, err := d.Token(); err != nil || t != json.Delim('[') {
			return broken
		}
		for n := 0; d.More(); n++ {
			var raw json.RawMessage
			if n > 2*MaxReports {
				return fault.Invalid("file", "foreign.much", MaxReports)
			}
			if d.Decode(&raw) != nil {
				return broken
			}
			if len(raw) > maxRecord {
				f.leave("", n+1, string(raw[:100]), "foreign.left_long")
				continue
			}
			var rec export.Record
			if json.Unmarshal(raw, &rec) != nil {
				f.leave("", n+1, string(raw[:min(len(raw), 200)]), "foreign.left_unread")
				continue
			}
			f.Reports = append(f.Reports, rec)
		}
		_, err := d.Token()
		if err != nil {
			return broken
		}
		return nil
	}
	if text[0] == '[' {
		err = list()
	} else {
		err = object(d, broken, list)
	}
	if err != nil {
		return Found{}, err
	}
	if _, err := d.Token(); err != io.EOF {
		return Found{}, broken
	}
	return f, nil
}

// object reads the frame around the reports.
func object(d *json.Decoder, broken error, list func() error) error {
	if _, err := d.Token(); err != nil {
		return broken
	}
	format := ""
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return broken
		}
		var raw json.RawMessage
		switch key {
		case "reports":
			err = list()
		case "format":
			err = d.Decode(&format)
		default:
			err = d.Decode(&raw)
		}
		if fault.Of(err) != nil {
			return err
		}
		if err != nil {
			return broken
		}
	}
	if _, err := d.Token(); err != nil {
		return broken
	}
	if format != export.Format {
		return fault.Invalid("file", "foreign.json_other")
	}
	return nil
}
