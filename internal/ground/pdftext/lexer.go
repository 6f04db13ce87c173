package pdftext

import (
	"bytes"
	"encoding/hex"
	"strconv"
)

// lexer reads values and operators (7.2, 7.3). At the end it gives nil, again
// and again; callers look at done.
type lexer struct {
	d   *document
	b   []byte
	pos int
}

func (l *lexer) done() bool { return l.pos >= len(l.b) || l.d.tokens > maxTokens }

func space(c byte) bool {
	return c == 0 || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' '
}

func delimits(c byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0 }

func (l *lexer) skip() {
	for l.pos < len(l.b) {
		switch c := l.b[l.pos]; {
		case space(c):
			l.pos++
		case c == '%':
			for l.pos < len(l.b) && l.b[l.pos] != '\n' && l.b[l.pos] != '\r' {
				l.pos++
			}
		default:
			return
		}
	}
}

// value is the next value or operator; closing brackets are operators, too.
func (l *lexer) value(depth int) any {
	l.skip()
	l.d.tokens++
	if l.done() || depth > maxDepth {
		l.pos = max(l.pos, min(len(l.b), l.pos+1))
		return nil
	}
	switch c := l.b[l.pos]; c {
	case '/':
		l.pos++
		return name(l.nameText())
	case '(':
		return l.literal()
	case '<':
		if l.pos+1 < len(l.b) && l.b[l.pos+1] == '<' {
			l.pos += 2
			return l.dict(depth)
		}
		return l.hex()
	case '[':
		l.pos++
		var list []any
		for !l.done() {
			v := l.value(depth + 1)
			if v == word("]") {
				break
			}
			if w, is := v.(word); is && w == "R" && len(list) >= 2 {
				list = referred(list)
				continue
			}
			list = append(list, v)
		}
		return list
	case ']', '{', '}', ')':
		l.pos++
		return word(c)
	case '>':
		l.pos++
		if l.pos < len(l.b) && l.b[l.pos] == '>' {
			l.pos++
			return word(">>")
		}
		return word(">")
	}
	return l.plain(depth)
}

// referred makes "12 0 R" at the end of a list one reference.
func referred(list []any) []any {
	n, ok := list[len(list)-2].(float64)
	if !ok {
		return list
	}
	return append(list[:len(list)-2], ref(integer(n)))
}

func (l *lexer) plain(depth int) any {
	start := l.pos
	for l.pos < len(l.b) && !space(l.b[l.pos]) && !delimits(l.b[l.pos]) {
		l.pos++
	}
	s := string(l.b[start:l.pos])
	if f, err := strconv.ParseFloat(s, 64); err == nil && len(s) < 40 {
		if depth == 0 && f >= 0 { // "12 0 R" where no list gathers it
			if m := refForm(l.b[l.pos:min(len(l.b), l.pos+20)]); m > 0 {
				l.pos += m
				return ref(integer(f))
			}
		}
		return f
	}
	switch s {
	case "true":
		return true
	case "false":
		return false
	case "null":
		return nil
	}
	return word(s)
}

// refForm is the length of " 0 R" at the beginning, or 0.
func refForm(b []byte) int {
	i := 0
	for i < len(b) && space(b[i]) {
		i++
	}
	digits := i
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	if digits == 0 || i == digits {
		return 0
	}
	blank := i
	for i < len(b) && space(b[i]) {
		i++
	}
	if i == blank || i >= len(b) || b[i] != 'R' || i+1 < len(b) && !space(b[i+1]) && !delimits(b[i+1]) {
		return 0
	}
	return i + 1
}

func (l *lexer) nameText() string {
	var out []byte
	for l.pos < len(l.b) && !space(l.b[l.pos]) && !delimits(l.b[l.pos]) {
		c := l.b[l.pos]
		if c == '#' && l.pos+2 < len(l.b) {
			if v, err := hex.DecodeString(string(l.b[l.pos+1 : l.pos+3])); err == nil {
				out = append(out, v[0])
				l.pos += 3
				continue
			}
		}
		out = append(out, c)
		l.pos++
	}
	return string(out)
}

func (l *lexer) dict(depth int) dict {
	d := dict{}
	var list []any // all values; references are two of them and an R
	for !l.done() {
		v := l.value(depth + 1)
		if v == word(">>") {
			break
		}
		if w, is := v.(word); is && w == "R" && len(list) >= 2 {
			list = referred(list)
			continue
		}
		list = append(list, v)
	}
	for i := 0; i+1 < len(list); i += 2 {
		if key, is := list[i].(name); is {
			d[string(key)] = list[i+1]
		}
	}
	return d
}

func (l *lexer) hex() str {
	l.pos++
	var digits []byte
	for l.pos < len(l.b) && l.b[l.pos] != '>' {
		if c := l.b[l.pos]; !space(c) {
			digits = append(digits, c)
		}
		l.pos++
	}
	l.pos++
	if len(digits)%2 == 1 {
		digits = append(digits, '0')
	}
	out, _ := hex.DecodeString(string(digits))
	return out
}

func (l *lexer) literal() str {
	l.pos++
	var out []byte
	for open := 1; l.pos < len(l.b); l.pos++ {
		c := l.b[l.pos]
		switch c {
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				l.pos++
				return out
			}
		case '\\':
			l.pos++
			if l.pos >= len(l.b) {
				return out
			}
			out = l.escaped(out)
			continue
		}
		out = append(out, c)
	}
	return out
}

func (l *lexer) escaped(out []byte) []byte {
	switch c := l.b[l.pos]; c {
	case 'n':
		return append(out, '\n')
	case 'r':
		return append(out, '\r')
	case 't':
		return append(out, '\t')
	case 'b', 'f':
		return out
	case '\n':
		return out
	case '\r':
		if l.pos+1 < len(l.b) && l.b[l.pos+1] == '\n' {
			l.pos++
		}
		return out
	default:
		if c < '0' || c > '7' {
			return append(out, c)
		}
		n := 0
		for k := 0; k < 3 && l.pos < len(l.b) && l.b[l.pos] >= '0' && l.b[l.pos] <= '7'; k++ {
			n = n*8 + int(l.b[l.pos]-'0')
			l.pos++
		}
		l.pos--
		return append(out, byte(n))
	}
}

// data is what stands between stream and endstream; end is behind it.
func (l *lexer) data(d dict) (raw []byte, end int, ok bool) {
	l.skip()
	if !bytes.HasPrefix(l.b[min(l.pos, len(l.b)):], []byte("stream")) {
		return nil, 0, false
	}
	start := l.pos + len("stream")
	if start < len(l.b) && l.b[start] == '\r' {
		start++
	}
	if start < len(l.b) && l.b[start] == '\n' {
		start++
	}
	if n, is := d["Length"].(float64); is && n >= 0 && start+int(n) <= len(l.b) {
		if rest := bytes.TrimLeft(l.b[start+int(n):min(len(l.b), start+int(n)+20)], "\r\n \t"); bytes.HasPrefix(rest, []byte("endstream")) {
			return l.b[start : start+int(n)], start + int(n), true
		}
	}
	if l.d.open { // looked through to the end of the file already
		return nil, 0, false
	}
	n := bytes.Index(l.b[min(start, len(l.b)):], []byte("endstream"))
	if n < 0 {
		l.d.open = true
		return nil, 0, false
	}
	return l.b[start : start+n], start + n, true
}
