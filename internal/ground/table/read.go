// Package table reads lists of people as they come: workbooks (XLSX), text
// separated by anything in any encoding, rows pasted from Excel or a mail
// program; and it guesses which column is what, in German and English.
//
// Policy: nothing is lost and nothing is trusted. Every row keeps its number in
// the file; quotes that make no sense cost their own row at most. A file is
// hostile until shown otherwise: bytes, rows, columns and cells are bounded
// before memory is spent, and what cannot be seen (marks that turn the direction
// of text, zero-width letters) does not come in.
package table

import (
	"bytes"
	"embed"
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"

	"zunft/internal/ground/fault"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

// What a list may be at most. A file is read whole, so these bound the memory
// of one upload; what is larger is refused with the bound in the sentence.
const (
	MaxFile  = 8 << 20 // bytes
	MaxRows  = 5000
	maxWidth = 60  // columns
	maxCell  = 500 // characters
)

// A Table is what a file or a paste holds, cleaned: no control characters, no
// marks that turn the direction of text, no empty rows.
type Table struct {
	Header []string // empty: the first row is data already
	Lines  []Line
}

// A Line of the file.
type Line struct {
	Number int // counted from 1, with the header
	Cells  []string
}

// Read makes a table of a file's bytes, whatever it is: a workbook (XLSX), or
// text separated by ; or , or tab in UTF-8, UTF-16 or Windows-1252.
func Read(file []byte) (Table, error) {
	switch {
	case len(file) > MaxFile:
		return Table{}, fault.Invalid("file", "table.large", MaxFile>>20)
	case bytes.HasPrefix(file, []byte("PK\x03\x04")), bytes.HasPrefix(file, []byte("PK\x05\x06")):
		rows, err := readWorkbook(file, words)
		if err != nil {
			return Table{}, err
		}
		return tabled(rows)
	case bytes.HasPrefix(file, []byte("\xD0\xCF\x11\xE0")): // Excel before 2007, and any workbook behind a password
		return Table{}, fault.Invalid("file", "table.old_sheet")
	}
	text, ok := decode(file)
	if !ok {
		return Table{}, fault.Invalid("file", "table.no_list")
	}
	return ReadText(text)
}

// ReadText makes a table of pasted text.
func ReadText(text string) (Table, error) {
	if len(text) > 2*MaxFile {
		return Table{}, fault.Invalid("file", "table.large", MaxFile>>20)
	}
	rows, err := splitText(text)
	if err != nil {
		return Table{}, err
	}
	return tabled(rows)
}

// tabled finds the header, drops what is empty and brings all rows to one width.
func tabled(rows []Line) (Table, error) {
	var t Table
	for _, l := range rows {
		if strings.Join(l.Cells, "") != "" {
			t.Lines = append(t.Lines, l)
		}
	}
	t.Lines = unrolled(t.Lines)
	if len(t.Lines) > 0 && isHeader(t.Lines[0].Cells) {
		t.Header, t.Lines = t.Lines[0].Cells, t.Lines[1:]
	}
	switch {
	case len(t.Lines) == 0:
		return Table{}, fault.Invalid("file", "table.empty")
	case len(t.Lines) > MaxRows:
		return Table{}, fault.Invalid("file", "table.rows", MaxRows)
	}
	width := used(t.Header)
	for _, l := range t.Lines {
		width = max(width, used(l.Cells))
	}
	if width > maxWidth {
		return Table{}, fault.Invalid("file", "table.columns", maxWidth)
	}
	if t.Header != nil {
		t.Header = sized(t.Header, width)
	}
	for i := range t.Lines {
		t.Lines[i].Cells = sized(t.Lines[i].Cells, width)
	}
	return t, nil
}

// unrolled makes rows of addresses that stand in one row, as mail programs
// copy them: "lena@x.de; Max Muster <max@x.de>".
func unrolled(lines []Line) []Line {
	if len(lines) != 1 || len(lines[0].Cells) < 2 {
		return lines
	}
	var rows []Line
	for _, c := range lines[0].Cells {
		if c == "" {
			continue
		}
		if !strings.Contains(c, "@") {
			return lines
		}
		rows = append(rows, Line{len(rows) + 1, []string{c}})
	}
	if len(rows) < 2 {
		return lines
	}
	return rows
}

// used is the number of cells up to the last that holds something.
func used(cells []string) int {
	n := len(cells)
	for n > 0 && cells[n-1] == "" {
		n--
	}
	return n
}

func sized(cells []string, width int) []string {
	out := make([]string, width)
	copy(out, cells)
	return out
}

// Decode brings a text file of any encoding to UTF-8; ok is false for what is
// no text. Callers bound its size.
func Decode(b []byte) (text string, ok bool) { return decode(b) }

// decode brings a file to UTF-8; ok is false for what is no text.
func decode(b []byte) (text string, ok bool) {
	for _, other := range []string{"%PDF", "\x89PNG", "\xFF\xD8\xFF", "{\\rtf", "GIF8"} {
		if bytes.HasPrefix(b, []byte(other)) {
			return "", false
		}
	}
	switch {
	case bytes.HasPrefix(b, []byte("\xEF\xBB\xBF")):
		b = b[3:]
	case bytes.HasPrefix(b, []byte("\xFF\xFE")):
		return utf16Text(b[2:], binary.LittleEndian)
	case bytes.HasPrefix(b, []byte("\xFE\xFF")):
		return utf16Text(b[2:], binary.BigEndian)
	}
	// Without a mark UTF-16 gives itself away: every other byte of Latin letters is zero.
	if zeros := bytes.Count(b[:min(len(b), 4096)], []byte{0}); zeros > 0 {
		if zeros*3 < min(len(b), 4096) {
			return "", false
		}
		if b[0] == 0 {
			return utf16Text(b, binary.BigEndian)
		}
		return utf16Text(b, binary.LittleEndian)
	}
	if utf8.Valid(b) {
		return string(b), true
	}
	// Line by line, so that a file glued together of two encodings is read, too.
	var out strings.Builder
	for line := range bytes.Lines(b) {
		if utf8.Valid(line) {
			out.Write(line)
			continue
		}
		s, err := charmap.Windows1252.NewDecoder().Bytes(line)
		if err != nil {
			return "", false
		}
		out.Write(s)
	}
	return out.String(), true
}

func utf16Text(b []byte, order binary.ByteOrder) (string, bool) {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units)), true
}

// Clean is a cell as it is kept: NFC, blanks single, without what cannot be
// seen. An apostrophe before a sign that spreadsheets take for a formula is
// the guard that our own files carry; it goes again.
func Clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r): // Cf: marks of direction, zero-width and soft hyphens
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Join(strings.Fields(norm.NFC.String(s)), " ")
	if len(s) > 1 && s[0] == '\'' && strings.IndexByte(formulaSigns, s[1]) >= 0 {
		s = s[1:]
	}
	if utf8.RuneCountInString(s) > maxCell {
		s = string([]rune(s)[:maxCell])
	}
	return s
}

// formulaSigns begin what Excel and LibreOffice would calculate.
const formulaSigns = "=+-@\t\r"

// Guard makes a cell harmless in a spreadsheet (OWASP: CSV injection).
func Guard(s string) string {
	if s != "" && strings.IndexByte(formulaSigns, s[0]) >= 0 {
		return "'" + s
	}
	return s
}
