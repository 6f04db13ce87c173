package table

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"

	"zunft/internal/ground/fault"
)

// sheetRows reads the cells of a sheet.
func sheetRows(z *zip.Reader, name string, shared []string, k taste) ([]Line, error) {
	d, end, err := part(z, name, maxSheet)
	if err != nil {
		return nil, err
	}
	defer end()
	var rows []Line
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		e, ok := t.(xml.StartElement)
		if !ok || e.Name.Local != "row" {
			continue
		}
		number, last := len(rows)+1, 0
		if len(rows) > 0 {
			last = rows[len(rows)-1].Number
			number = last + 1
		}
		if n, err := strconv.Atoi(attribute(e, "r")); err == nil && n > last && n <= 1<<20 {
			number = n
		}
		cells, err := rowCells(d, shared, k)
		if err != nil {
			return nil, err
		}
		if strings.Join(cells, "") == "" { // sheets are full of rows that only have a color
			continue
		}
		if rows = append(rows, Line{number, cells}); len(rows) > MaxRows+1 {
			return nil, fault.Invalid("file", "table.rows", MaxRows)
		}
	}
}

func rowCells(d *xml.Decoder, shared []string, k taste) (cells []string, err error) {
	next := 0
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.EndElement:
			if t.Name.Local == "row" {
				return cells, nil
			}
		case xml.StartElement:
			if t.Name.Local != "c" {
				continue
			}
			at := next
			if n, ok := columnOf(attribute(t, "r")); ok {
				at = n
			}
			next = at + 1
			text, err := cellText(d, attribute(t, "t"), shared, k)
			if err != nil {
				return nil, err
			}
			if text == "" {
				continue
			}
			if at >= 4*maxWidth {
				return nil, fault.Invalid("file", "table.columns", maxWidth)
			}
			for len(cells) <= at {
				cells = append(cells, "")
			}
			cells[at] = text
		}
	}
}

// cellText reads a cell up to its end: the value that was stored, also of a formula.
func cellText(d *xml.Decoder, kind string, shared []string, k taste) (text string, err error) {
	var value strings.Builder
	inValue := false
	for {
		t, err := d.Token()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "v":
				inValue = true
			case "is":
				if text, err = richText(d, "is", k); err != nil {
					return "", err
				}
			}
		case xml.CharData:
			if inValue && value.Len() < k.most {
				value.Write(t)
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "v":
				inValue = false
			case "c":
				return cellValue(kind, value.String(), text, shared, k), nil
			}
		}
	}
}

// cellValue is the text of a cell by its kind (ST_CellType).
func cellValue(kind, value, inline string, shared []string, k taste) string {
	switch kind {
	case "s":
		if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && n >= 0 && n < len(shared) {
			return shared[n]
		}
		return ""
	case "inlineStr":
		return inline
	case "b", "e":
		return Clean(value)
	case "str":
		return k.kept(escapes(value))
	}
	// A number: 4711 and not 4.711E3; a long one keeps its digits.
	value = strings.TrimSpace(value)
	if f, err := strconv.ParseFloat(value, 64); err == nil && strings.ContainsAny(value, "eE.") && f == float64(int64(f)) && f < 1e15 && f > -1e15 {
		return strconv.FormatInt(int64(f), 10)
	}
	return Clean(value)
}

// columnOf is the column of "AB12", counted from 0.
func columnOf(reference string) (int, bool) {
	n := 0
	for i := range len(reference) {
		c := reference[i] | 0x20
		if c < 'a' || c > 'z' {
			break
		}
		if n = n*26 + int(c-'a') + 1; n > 16384 {
			return 0, false
		}
	}
	return n - 1, n > 0
}
