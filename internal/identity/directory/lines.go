package directory

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

const (
	maxRow   = 64 << 10 // bytes of one row
	maxSpan  = 5        // lines that one quoted row may take
	maxField = 300      // characters of one field
)

// line is one physical line of the file, in UTF-8.
type line struct {
	number  int
	text    string
	tooLong bool
}

// lines reads physical lines of at most maxRow bytes and takes lines back.
// A line that is no UTF-8 is read as Windows-1252, so that a file may mix
// both, as files glued together by hand do. encoding/csv is not used because
// one unbalanced quote makes it swallow the rest of the file.
type lines struct {
	r      *bufio.Reader
	number int
	back   []line // taken back, the next one last
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, maxRow+2)} }

func (l *lines) next() (line, error) {
	if n := len(l.back); n > 0 {
		next := l.back[n-1]
		l.back = l.back[:n-1]
		return next, nil
	}
	b, err := l.r.ReadSlice('\n')
	if errors.Is(err, io.EOF) && len(b) > 0 {
		err = nil
	}
	next := line{number: l.number + 1}
	for errors.Is(err, bufio.ErrBufferFull) { // pass over the rest
		next.tooLong = true
		b, err = l.r.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	if err != nil {
		return line{}, err
	}
	l.number++
	if !next.tooLong {
		next.text = decode(b)
	}
	return next, nil
}

func (l *lines) takeBack(some []line) {
	for i := len(some) - 1; i >= 0; i-- {
		l.back = append(l.back, some[i])
	}
}

func decode(b []byte) string {
	s := strings.TrimRight(string(b), "\r\n")
	if utf8.ValidString(s) {
		return s
	}
	if d, err := charmap.Windows1252.NewDecoder().String(s); err == nil {
		return d
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// How a row's quotes came out.
type quotes int

const (
	balanced quotes = iota
	open            // a quoted field does not end
	broken          // something follows a closing quote
)

// splitRow parts a row at its delimiter. A quote opens a field only at its
// beginning; inside another field it is a letter (Gasthaus "Zum Löwen").
func splitRow(s string, delimiter byte) ([]string, quotes) {
	var fields []string
	for {
		if lead := strings.TrimLeft(s, " "); strings.HasPrefix(lead, `"`) {
			value, rest, state := quoted(lead[1:], delimiter)
			if state != balanced {
				return nil, state
			}
			fields = append(fields, value)
			if rest == "" {
				return fields, balanced
			}
			s = rest[1:]
			continue
		}
		i := strings.IndexByte(s, delimiter)
		if i < 0 {
			return append(fields, s), balanced
		}
		fields = append(fields, s[:i])
		s = s[i+1:]
	}
}

// quoted reads up to the closing quote; rest is empty or begins with the delimiter.
func quoted(s string, delimiter byte) (value, rest string, state quotes) {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			return "", "", open
		}
		b.WriteString(s[:i])
		s = s[i+1:]
		if strings.HasPrefix(s, `"`) {
			b.WriteByte('"')
			s = s[1:]
			continue
		}
		s = strings.TrimLeft(s, " ")
		if s == "" || s[0] == delimiter {
			return b.String(), s, balanced
		}
		return "", "", broken
	}
}

// row reads one row of the wanted number of columns, over several lines if a
// quoted field says so and the result makes sense. If it makes none, only the
// first line is given up and the next is read for itself: an unbalanced quote
// costs one row, not the file.
func (l *lines) row(delimiter byte, columns int) (first line, fields []string, reason string, err error) {
	first, err = l.next()
	if err != nil {
		return first, nil, "", err
	}
	if first.tooLong {
		return first, nil, "directory.row_too_long", nil
	}
	fields, state := splitRow(first.text, delimiter)
	switch state {
	case balanced:
		return first, fields, "", nil
	case broken:
		return first, nil, "directory.row_quotes", nil
	}
	var more []line
	text := first.text
	for len(more) < maxSpan-1 {
		next, err := l.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return first, nil, "", err
		}
		more = append(more, next)
		if next.tooLong || len(text)+len(next.text) > maxRow {
			break
		}
		text += "\n" + next.text
		if !strings.Contains(next.text, `"`) {
			continue
		}
		if fields, state := splitRow(text, delimiter); state == balanced && len(fields) == columns {
			return first, fields, "", nil
		} else if state == broken {
			break
		}
	}
	l.takeBack(more)
	return first, nil, "directory.row_quotes", nil
}
