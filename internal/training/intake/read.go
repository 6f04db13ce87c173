package intake

import (
	"bytes"
	"encoding/json"
	"strings"

	"zunft/internal/ground/fault"
	"zunft/internal/ground/pdftext"
	"zunft/internal/ground/table"
	"zunft/internal/training/calendar"
	"zunft/internal/training/export"
)

// Read finds out what a file is by what is in it, and reads it. It asks no
// database: callers do it before their transaction.
func Read(file []byte) (Found, error) {
	switch {
	case len(file) == 0:
		return Found{}, fault.Invalid("file", "intake.nothing")
	case len(file) > MaxFile:
		return Found{}, fault.Invalid("file", "intake.large", MaxFile>>20)
	case bytes.HasPrefix(file, []byte("PK\x03\x04")), bytes.HasPrefix(file, []byte("\xD0\xCF\x11\xE0")):
		return Found{}, fault.Invalid("file", "intake.workbook")
	case bytes.Contains(file[:min(len(file), 1024)], []byte("%PDF-")):
		text, err := pdftext.Read(file)
		if err != nil {
			return Found{}, fault.Invalid("file", "intake.pdf_unreadable")
		}
		return checked(readPortal(text))
	}
	text, ok := table.Decode(file)
	if !ok {
		return Found{}, fault.Invalid("file", "intake.unknown")
	}
	return ReadText(text)
}

// ReadText reads what somebody pasted, or a file of text.
func ReadText(text string) (Found, error) {
	text = strings.TrimSpace(strings.TrimPrefix(text, "\uFEFF"))
	switch {
	case text == "":
		return Found{}, fault.Invalid("file", "intake.nothing")
	case len(text) > MaxFile:
		return Found{}, fault.Invalid("file", "intake.large", MaxFile>>20)
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

// checked cleans what was read: one report a week (the last one counts), none
// without text, and not too many.
func checked(f Found, err error) (Found, error) {
	if err != nil {
		return Found{}, err
	}
	at := map[string]int{}
	out := Found{Lessons: f.Lessons, Skipped: f.Skipped}
	for _, rec := range f.Reports {
		rec = export.Clean(rec)
		w, ok := calendar.ParseWeek(rec.Week)
		t, err := rec.Text(w)
		if !ok || err == nil && t.Empty() {
			out.Skipped++
			continue
		}
		if i, twice := at[rec.Week]; twice {
			out.Reports[i] = rec
			out.Skipped++
			continue
		}
		at[rec.Week] = len(out.Reports)
		out.Reports = append(out.Reports, rec)
	}
	switch {
	case len(out.Reports) > MaxReports:
		return Found{}, fault.Invalid("file", "intake.much", MaxReports)
	case len(out.Reports) == 0 && len(out.Lessons) == 0:
		return Found{}, fault.Invalid("file", "intake.empty")
	}
	return out, nil
}

// readJSON reads a file of ours: the whole book, or a list of records.
func readJSON(text string) (f Found, err error) {
	var d export.Data
	if text[0] == '[' {
		err = json.Unmarshal([]byte(text), &d.Reports)
	} else {
		err = json.Unmarshal([]byte(text), &d)
		if err == nil && d.Format != export.Format {
			err = fault.Invalid("file", "intake.json_other")
		}
	}
	if fault.Of(err) != nil {
		return f, err
	}
	if err != nil {
		return f, fault.Invalid("file", "intake.json_broken")
	}
	return Found{Reports: d.Reports}, nil
}
