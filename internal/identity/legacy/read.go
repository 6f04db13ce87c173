package legacy

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"zunft/internal/ground/fault"
)

// The columns of a file; in JSON they are the names of the fields. "numbers"
// holds pieces like "apprentice:1234567", separated by blanks or commas.
var columns = []string{"username", "email", "given_name", "family_name", "salutation", "title", "language", "hash", "numbers", "chamber", "policy"}

// maxFile is more than two million accounts take.
const maxFile = 1 << 30

// A record is a row as it stands in the file.
type record struct {
	line int
	cell map[string]string
}

// read takes a CSV file (";" or ",", UTF-8 or Windows-1252, first row the
// columns), a JSON array of objects, or one JSON object a line.
func read(r io.Reader) ([]record, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxFile {
		return nil, fault.Invalid("file", "legacy.file_large")
	}
	b = bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF"))
	if !utf8.Valid(b) {
		if b, err = charmap.Windows1252.NewDecoder().Bytes(b); err != nil {
			return nil, err
		}
	}
	switch start := bytes.TrimLeft(b, " \t\r\n"); {
	case len(start) == 0:
		return nil, fault.Invalid("file", "legacy.file_empty")
	case start[0] == '[' || start[0] == '{':
		return readJSON(b)
	}
	return readCSV(b)
}

func readCSV(b []byte) (all []record, err error) {
	c := csv.NewReader(bytes.NewReader(b))
	head, _, _ := bytes.Cut(b, []byte("\n"))
	if bytes.Count(head, []byte(";")) > bytes.Count(head, []byte(",")) {
		c.Comma = ';'
	}
	var names []string
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if bad, ok := errors.AsType[*csv.ParseError](err); ok {
			if errors.Is(err, csv.ErrFieldCount) {
				return nil, fault.Invalid("file", "legacy.row_columns", bad.StartLine, len(row), len(names))
			}
			return nil, fault.Invalid("file", "legacy.row_form", bad.StartLine)
		}
		if err != nil {
			return nil, err
		}
		line, _ := c.FieldPos(0)
		if names == nil {
			for _, name := range row {
				name = strings.ToLower(strings.TrimSpace(name))
				if slices.Contains(names, name) {
					return nil, fault.Invalid("file", "legacy.column_twice", name)
				}
				if err := mustKnow(name); err != nil {
					return nil, err
				}
				names = append(names, name)
			}
			for _, need := range []string{"email", "given_name", "family_name"} {
				if !slices.Contains(names, need) {
					return nil, fault.Invalid("file", "legacy.column_missing", need)
				}
			}
			continue
		}
		cell := map[string]string{}
		for i, name := range names {
			cell[name] = row[i]
		}
		all = append(all, record{line, cell})
	}
}

func mustKnow(column string) error {
	if slices.Contains(columns, column) {
		return nil
	}
	return fault.Invalid("file", "legacy.column_unknown", column, strings.Join(columns, ", "))
}

func readJSON(b []byte) (all []record, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if bytes.TrimLeft(b, " \t\r\n")[0] == '[' {
		if _, err := d.Token(); err != nil {
			return nil, err
		}
	}
	line, seen := 1, 0
	for d.More() {
		at := int(d.InputOffset()) // the object begins at the next brace
		at += max(bytes.IndexByte(b[at:], '{'), 0)
		line += bytes.Count(b[seen:at], []byte("\n"))
		seen = at
		var object map[string]json.RawMessage
		if err := d.Decode(&object); err != nil {
			return nil, fault.Invalid("file", "legacy.row_form", line)
		}
		cell := map[string]string{}
		for name, raw := range object {
			if err := mustKnow(name); err != nil {
				return nil, err
			}
			if cell[name], err = text(raw); err != nil {
				return nil, fault.Invalid("file", "legacy.row_form", line)
			}
		}
		all = append(all, record{line, cell})
	}
	return all, nil
}

// text of a value: a string, null, a list of strings, or an object as it is
// (Keycloak's credentials).
func text(raw json.RawMessage) (string, error) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return "", err
	}
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case map[string]any:
		return string(raw), nil
	case []any:
		var all []string
		for _, one := range v {
			s, ok := one.(string)
			if !ok {
				return "", errors.New("not a list of texts")
			}
			all = append(all, s)
		}
		return strings.Join(all, " "), nil
	}
	return "", fmt.Errorf("%T is no text", v)
}
