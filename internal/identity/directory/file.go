package directory

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"zunft/internal/ground/fault"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/fold"
)

// RowError is a row of the file that could not be used, and why. The rest of
// the file still counts.
type RowError struct {
	Line   int    // of the file, counted from 1
	Column int    // counted from 1; 0 if the row as a whole is meant
	Header string // the column's name as the file writes it
	Reason string // phrase key
	Args   []any
}

func (e *RowError) Error() string {
	return fmt.Sprintf("line %d, column %d %s: %s", e.Line, e.Column, e.Header, e.Reason)
}

// Row is a usable row of the file.
type Row struct {
	Line int
	Entry
}

// ParseOptions say whose directory is read.
type ParseOptions struct {
	ChamberNumber string // lets the long form of ident numbers be read
	MaxRows       int    // 0: two million
}

const maxRows = 2_000_000

// The columns of a directory with the headings that chambers give them,
// folded. Only those marked are needed.
var columns = []struct {
	field    string
	label    string // what we call it when it is missing
	needed   bool
	headings string
	of       func(*Entry) *string
}{
	{"ident_number", "Identnummer", true, "identnummer ident identnr mitgliedsnummer mitgliedsnr mitgliednummer unternehmensidentnummer ihkidentnummer firmenidentnummer", func(e *Entry) *string { return &e.IdentNumber }},
	{"name", "Firmierung", true, "firmierung firma firmenname unternehmen unternehmensname name namederfirma", func(e *Entry) *string { return &e.Name }},
	{"legal_form", "Rechtsform", false, "rechtsform rf", func(e *Entry) *string { return &e.LegalForm }},
	{"street", "Straße", true, "strasse str strassenname", func(e *Entry) *string { return &e.Street }},
	{"house_number", "Hausnummer", false, "hausnummer hausnr hnr hsnr nr", func(e *Entry) *string { return &e.HouseNumber }},
	{"street_and_number", "", false, "strasseundhausnummer strassehausnummer strasseundnr strassenr strhnr strassehausnr strasseundhausnr anschrift adresse", nil},
	{"postcode", "PLZ", true, "plz postleitzahl", func(e *Entry) *string { return &e.Postcode }},
	{"place", "Ort", true, "ort stadt wohnort gemeinde sitz", func(e *Entry) *string { return &e.Place }},
	{"register_kind", "Registerart", false, "registerart regart registertyp hrart", func(e *Entry) *string { return &e.RegisterKind }},
	{"register_number", "HR-Nummer", false, "hrnummer hrnr registernummer registernr handelsregisternummer handelsregisternr hr", func(e *Entry) *string { return &e.RegisterNumber }},
	{"register_court", "Registergericht", false, "registergericht amtsgericht gericht", func(e *Entry) *string { return &e.RegisterCourt }},
	{"management", "Geschäftsführung", false, "geschaeftsfuehrung geschaeftsfuehrer geschaeftsfuehrerin inhaber inhaberin vertretungsberechtigt vertretungsberechtigte managementsname management leitung ansprechpartner", func(e *Entry) *string { return &e.Management }},
}

func foldHeading(s string) string { return strings.ReplaceAll(fold.Text(s), " ", "") }

// head says which column of the file is which of ours.
type head struct {
	delimiter byte
	headers   []string
	meaning   []int // index into columns, -1 if of no interest
	combined  bool  // street and house number are one column
}

func readHead(text string, delimiter byte) (h head, known int) {
	headers, state := splitRow(text, delimiter)
	if state != balanced {
		return head{}, 0
	}
	h = head{delimiter: delimiter, headers: headers}
	for _, s := range headers {
		f, m := foldHeading(s), -1
		for i, c := range columns {
			if f != "" && strings.Contains(" "+c.headings+" ", " "+f+" ") {
				m, known = i, known+1
			}
		}
		h.meaning = append(h.meaning, m)
	}
	return h, known
}

// check complains about columns that are missing or there twice.
func (h *head) check() error {
	at := map[string]int{}
	for i, m := range h.meaning {
		if m < 0 {
			continue
		}
		if at[columns[m].field] > 0 {
			return fault.Invalid("file", "directory.file_column_twice", columns[m].label)
		}
		at[columns[m].field] = i + 1
	}
	h.combined = at["street_and_number"] > 0 && at["street"] == 0
	var missing []string
	for _, c := range columns {
		if c.needed && at[c.field] == 0 && !(c.field == "street" && h.combined) {
			missing = append(missing, c.label)
		}
	}
	if missing != nil {
		return fault.Invalid("file", "directory.file_columns_missing", strings.Join(missing, ", "))
	}
	return nil
}

// begin looks at the first bytes: what is no CSV at all is said before any row is.
func begin(l *lines) error {
	start, err := l.r.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read directory: %w", err)
	}
	switch {
	case len(start) == 0:
		return fault.Invalid("file", "directory.file_empty")
	case bytes.HasPrefix(start, []byte("PK\x03\x04")) || bytes.HasPrefix(start, []byte("\xD0\xCF\x11\xE0")):
		return fault.Invalid("file", "directory.file_is_sheet")
	case bytes.HasPrefix(start, []byte("\xFF\xFE")) || bytes.HasPrefix(start, []byte("\xFE\xFF")) || bytes.IndexByte(start, 0) >= 0:
		return fault.Invalid("file", "directory.file_utf16")
	case bytes.HasPrefix(start, []byte("\xEF\xBB\xBF")):
		l.r.Discard(3)
	}
	return nil
}

// findHead reads the line of headings; its delimiter is the one that makes
// most sense of it. Excel's "sep=;" and empty lines may come before.
func findHead(l *lines) (head, error) {
	for {
		first, err := l.next()
		if errors.Is(err, io.EOF) {
			return head{}, fault.Invalid("file", "directory.file_empty")
		}
		if err != nil {
			return head{}, fmt.Errorf("read directory: %w", err)
		}
		if s := strings.TrimSpace(first.text); !first.tooLong && (s == "" || strings.HasPrefix(strings.ToLower(s), "sep=") && len(s) == 5) {
			continue
		}
		best, most := head{}, -1
		for _, delimiter := range []byte(";,\t") {
			if h, known := readHead(first.text, delimiter); known > most {
				best, most = h, known
			}
		}
		return best, best.check()
	}
}

// ParseDirectory reads a chamber's member directory, row by row: UTF-8 (with
// or without BOM) or Windows-1252, separated by ; or , or tab. A row that
// cannot be used is a *RowError and the rest goes on; every other error ends
// the file.
func ParseDirectory(r io.Reader, o ParseOptions) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		l := newLines(r)
		if err := begin(l); err != nil {
			yield(Row{}, err)
			return
		}
		h, err := findHead(l)
		if err != nil {
			yield(Row{}, err)
			return
		}
		seen := map[string]int{} // ident number → line
		for n := 0; ; n++ {
			first, fields, reason, err := l.row(h.delimiter, len(h.headers))
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Row{}, fmt.Errorf("read directory, line %d: %w", l.number+1, err))
				return
			}
			if n >= cmp.Or(o.MaxRows, maxRows) {
				yield(Row{}, fault.Invalid("file", "directory.file_too_many_rows", cmp.Or(o.MaxRows, maxRows)))
				return
			}
			if reason == "" && blank(fields) {
				continue
			}
			row := Row{Line: first.number}
			bad := &RowError{Line: first.number, Reason: reason}
			if reason == "" {
				row.Entry, bad = h.entry(fields, first.number, o.ChamberNumber)
			}
			if bad == nil {
				if other, twice := seen[row.IdentNumber]; twice {
					bad = h.bad(first.number, "ident_number", "directory.row_duplicate", fmt.Sprint(other))
				} else {
					seen[row.IdentNumber] = first.number
				}
			}
			if bad != nil {
				if !yield(Row{}, bad) {
					return
				}
				continue
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

func blank(fields []string) bool {
	for _, f := range fields {
		if strings.TrimSpace(f) != "" {
			return false
		}
	}
	return true
}

// bad names the column that holds one of our fields.
func (h head) bad(line int, field, reason string, args ...any) *RowError {
	e := &RowError{Line: line, Reason: reason, Args: args}
	for i, m := range h.meaning {
		if m >= 0 && (columns[m].field == field || field == "street" && columns[m].field == "street_and_number") {
			e.Column, e.Header = i+1, strings.TrimSpace(h.headers[i])
		}
	}
	return e
}

// entry makes an entry of a row, or says what is wrong with it.
func (h head) entry(fields []string, line int, chamberNumber string) (Entry, *RowError) {
	var e Entry
	for len(fields) > len(h.headers) && strings.TrimSpace(fields[len(fields)-1]) == "" {
		fields = fields[:len(fields)-1] // a delimiter at the end of the line
	}
	if len(fields) != len(h.headers) {
		return e, &RowError{Line: line, Reason: "directory.row_columns", Args: []any{fmt.Sprint(len(fields)), fmt.Sprint(len(h.headers))}}
	}
	for i, m := range h.meaning {
		if m < 0 {
			continue
		}
		value, reason := cell(fields[i])
		if reason != "" {
			return e, &RowError{Line: line, Column: i + 1, Header: strings.TrimSpace(h.headers[i]), Reason: reason}
		}
		if of := columns[m].of; of != nil {
			*of(&e) = value
		} else if h.combined {
			e.Street, e.HouseNumber = fold.SplitStreet(value)
		}
	}
	for _, c := range columns {
		if c.needed && *c.of(&e) == "" {
			return e, h.bad(line, c.field, "directory.row_required")
		}
	}
	ident, ok := fold.Ident(e.IdentNumber, chamberNumber)
	if !ok {
		return e, h.bad(line, "ident_number", "directory.row_ident")
	}
	e.IdentNumber = ident
	e.Postcode = fold.Postcode(e.Postcode)
	if len(e.Postcode) != 5 || !fold.Digits(e.Postcode) { // spreadsheets drop a leading zero: better asked than guessed
		return e, h.bad(line, "postcode", "directory.row_postcode")
	}
	if kind, number, ok := chamber.FoldRegisterNumber(e.RegisterNumber); ok {
		e.RegisterNumber, e.RegisterKind = number, cmp.Or(e.RegisterKind, kind)
	}
	e.RegisterKind = cmp.Or(chamber.RegisterKindKey(e.RegisterKind), e.RegisterKind)
	return e, nil
}

// cell cleans one value: blanks of all kinds are one blank, ="0012" (how
// spreadsheets keep zeros) is 0012; control characters are refused.
func cell(s string) (value, reason string) {
	s = strings.Join(strings.Fields(s), " ")
	if strings.HasPrefix(s, `="`) && strings.HasSuffix(s, `"`) && len(s) > 3 {
		s = s[2 : len(s)-1]
	}
	if utf8.RuneCountInString(s) > maxField {
		return "", "directory.row_field_long"
	}
	for _, r := range s {
		if r == unicode.ReplacementChar || unicode.IsControl(r) {
			return "", "directory.row_characters"
		}
	}
	return s, ""
}
