package table

import (
	"strings"

	"zunft/internal/ground/fault"
)

const maxSpan = 5 // lines that one quoted row may take

// splitText parts a text into rows. encoding/csv is not used because one
// unbalanced quote makes it swallow the rest of the file; here it costs at
// most its own row, whose text stays as it is.
func splitText(text string) ([]Line, error) {
	text = strings.TrimPrefix(text, "\uFEFF")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(text, "\n")
	delimiter, skip := delimiterOf(lines)
	var rows []Line
	for i := skip; i < len(lines); i++ {
		if strings.TrimSpace(lines[i]) == "" {
			continue
		}
		if len(rows) > MaxRows+1 { // and the header: enough to know that it is too long
			return nil, fault.Invalid("file", "table.rows", MaxRows)
		}
		cells, more := splitRow(lines[i:min(i+maxSpan, len(lines))], delimiter)
		if len(cells) > 4*maxWidth {
			return nil, fault.Invalid("file", "table.columns", maxWidth)
		}
		for k := range cells {
			cells[k] = Clean(cells[k])
		}
		rows = append(rows, Line{i + 1, cells})
		i += more
	}
	return rows, nil
}

// delimiterOf is what parts the cells: what Excel's "sep=;" says, or what
// makes known headings of the first line, or what is there most often.
func delimiterOf(lines []string) (delimiter byte, skip int) {
	for i, l := range lines {
		s := strings.TrimSpace(l)
		if s == "" {
			continue
		}
		if low := strings.ToLower(s); strings.HasPrefix(low, "sep=") && len(s) == 5 {
			return s[4], i + 1
		}
		best, most := byte(';'), 0
		for _, d := range []byte("\t;,|") {
			cells, _ := splitRow([]string{l}, d)
			score := len(cells) - 1
			if d == ',' && strings.Contains(l, "<") { // "Berger, Lena <lena@x.de>"
				score = 0
			}
			for _, c := range cells {
				if len(cells) > 1 && meaningOf(Clean(c)) != "" {
					score += 100
				}
			}
			if score > most {
				best, most = d, score
			}
		}
		return best, 0
	}
	return ';', 0
}

// splitRow reads one row from the first of some lines; more says how many
// further lines a quoted cell took. Quotes that make no sense are letters.
func splitRow(lines []string, delimiter byte) (cells []string, more int) {
	text := lines[0]
	for {
		cells, open, ok := quotedRow(text, delimiter)
		if ok {
			return cells, more
		}
		if !open || more+1 >= len(lines) {
			return strings.Split(lines[0], string(delimiter)), 0
		}
		more++
		text += "\n" + lines[more]
	}
}

// quotedRow parts a row at its delimiter. A quote opens a cell only at its
// beginning; inside another cell it is a letter (Gasthaus "Zum Löwen").
func quotedRow(s string, delimiter byte) (cells []string, open, ok bool) {
	for {
		lead := strings.TrimLeft(s, " ")
		if !strings.HasPrefix(lead, `"`) {
			cell, rest, more := strings.Cut(s, string(delimiter))
			cells = append(cells, cell)
			if !more {
				return cells, false, true
			}
			s = rest
			continue
		}
		var cell strings.Builder
		s = lead[1:]
		for {
			before, after, closed := strings.Cut(s, `"`)
			if !closed {
				return nil, true, false
			}
			cell.WriteString(before)
			if !strings.HasPrefix(after, `"`) {
				s = strings.TrimLeft(after, " ")
				break
			}
			cell.WriteByte('"')
			s = after[1:]
		}
		cells = append(cells, cell.String())
		if s == "" {
			return cells, false, true
		}
		if s[0] != delimiter {
			return nil, false, false
		}
		s = s[1:]
	}
}
