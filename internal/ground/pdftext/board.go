package pdftext

import (
	"math"
	"sort"
	"strings"
)

// matrix is a b c d e f (8.3.3).
type matrix [6]float64

var identity = matrix{1, 0, 0, 1, 0, 0}

func (m matrix) times(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

// piece is text at a place on the page.
type piece struct {
	x, y, end, size float64
	text            string
}

// board is a page on which text is put.
type board struct {
	d      *document
	pieces []piece
	length int
	active map[int]bool // forms that are being followed
}

// state is what instructions change and q and Q keep.
type state struct {
	ctm               matrix
	font              *font
	size, char, blank float64
	leading, rise     float64
	stretch           float64
}

// run follows the instructions of a page or of a form on it.
func (b *board) run(code []byte, resources dict, ctm matrix, depth int) {
	if depth > 8 {
		return
	}
	b.d.tokens += len(code) / 16 // a long string is one token, and read each time
	l := &lexer{d: b.d, b: code}
	s := state{ctm: ctm, font: &font{width: 500}, stretch: 1}
	var kept []state
	var tm, line matrix
	var args []any
	num := func(i int) float64 {
		if i < len(args) {
			f, _ := args[i].(float64)
			return f
		}
		return 0
	}
	next := func(x, y float64) { line = matrix{1, 0, 0, 1, x, y}.times(line); tm = line }
	show := func(v any) {
		t, is := v.(str)
		if !is || b.d.err != nil {
			return
		}
		text, em := s.font.show(t, s.char/nonzero(s.size), s.blank/nonzero(s.size))
		at := matrix{s.size * s.stretch, 0, 0, s.size, 0, s.rise}.times(tm).times(s.ctm)
		b.put(piece{at[4], at[5], at[4] + em*at[0], math.Hypot(at[2], at[3]), text})
		tm = matrix{1, 0, 0, 1, em * s.size * s.stretch, 0}.times(tm)
	}
	for !l.done() && b.d.err == nil {
		v := l.value(1)
		op, is := v.(word)
		if !is {
			if args = append(args, v); len(args) > 1000 {
				args = args[:0]
			}
			continue
		}
		switch op {
		case "q":
			if len(kept) < 200 {
				kept = append(kept, s)
			}
		case "Q":
			if n := len(kept); n > 0 {
				s, kept = kept[n-1], kept[:n-1]
			}
		case "cm":
			s.ctm = matrix{num(0), num(1), num(2), num(3), num(4), num(5)}.times(s.ctm)
		case "BT":
			tm, line = identity, identity
		case "Tf":
			if len(args) == 2 {
				if key, is := args[0].(name); is {
					s.font = b.d.font(b.d.dict(resources["Font"])[string(key)])
				}
				s.size = num(1)
			}
		case "Tc":
			s.char = num(0)
		case "Tw":
			s.blank = num(0)
		case "Tz":
			s.stretch = num(0) / 100
		case "TL":
			s.leading = num(0)
		case "Ts":
			s.rise = num(0)
		case "Td":
			next(num(0), num(1))
		case "TD":
			s.leading = -num(1)
			next(num(0), num(1))
		case "Tm":
			line = matrix{num(0), num(1), num(2), num(3), num(4), num(5)}
			tm = line
		case "T*":
			next(0, -s.leading)
		case "Tj":
			if len(args) > 0 {
				show(args[0])
			}
		case "'":
			next(0, -s.leading)
			if len(args) > 0 {
				show(args[0])
			}
		case `"`:
			s.blank, s.char = num(0), num(1)
			next(0, -s.leading)
			if len(args) > 2 {
				show(args[2])
			}
		case "TJ":
			if len(args) > 0 {
				list, _ := args[0].([]any)
				for _, v := range list {
					if n, is := v.(float64); is {
						tm = matrix{1, 0, 0, 1, -n / 1000 * s.size * s.stretch, 0}.times(tm)
					} else {
						show(v)
					}
				}
			}
		case "Do":
			b.form(args, resources, s.ctm, depth)
		case "BI": // a picture between the instructions
			l.picture()
		}
		args = args[:0]
	}
}

func nonzero(f float64) float64 {
	if f == 0 {
		return 1
	}
	return f
}

// picture skips an inline image (8.9.7).
func (l *lexer) picture() {
	for i := l.pos; i+3 < len(l.b); i++ {
		if space(l.b[i]) && l.b[i+1] == 'E' && l.b[i+2] == 'I' && space(l.b[i+3]) {
			l.pos = i + 3
			return
		}
	}
	l.pos = len(l.b)
}

// form follows the instructions of a form XObject.
func (b *board) form(args []any, resources dict, ctm matrix, depth int) {
	if len(args) == 0 {
		return
	}
	key, _ := args[0].(name)
	v := b.d.dict(resources["XObject"])[string(key)]
	s, is := b.d.get(v).(stream)
	if !is || b.d.get(s.dict["Subtype"]) != name("Form") {
		return
	}
	n := 0
	if r, is := v.(ref); is {
		n = int(r)
	}
	if own := b.d.dict(s.dict["Resources"]); own != nil {
		resources = own
	}
	if list, is := b.d.get(s.dict["Matrix"]).([]any); is && len(list) == 6 {
		var m matrix
		for i, v := range list {
			m[i], _ = v.(float64)
		}
		ctm = m.times(ctm)
	}
	if n > 0 && b.active[n] { // a form on itself
		return
	}
	b.active[n] = true
	b.run(b.d.bytes(n, s), resources, ctm, depth+1)
	delete(b.active, n)
}

func (b *board) put(p piece) {
	if p.text == "" || math.IsNaN(p.x+p.y+p.end) || math.IsInf(p.x+p.y+p.end, 0) {
		return
	}
	if b.length += len(p.text); b.length > maxText {
		b.d.err = ErrTooMuch
		return
	}
	b.pieces = append(b.pieces, p)
}

// text puts the pieces in order: lines from the top, in each from the left.
// What is put at the same height is one line.
func (b *board) text() string {
	sort.SliceStable(b.pieces, func(i, j int) bool { return b.pieces[i].y > b.pieces[j].y })
	var out strings.Builder
	for i := 0; i < len(b.pieces); {
		k := i + 1
		for k < len(b.pieces) && b.pieces[i].y-b.pieces[k].y < 0.35*max(b.pieces[i].size, 1) {
			k++
		}
		line := b.pieces[i:k]
		sort.SliceStable(line, func(i, j int) bool { return line[i].x < line[j].x })
		for n, p := range line {
			if n > 0 {
				switch gap := p.x - line[n-1].end; {
				case gap > 1.2*p.size:
					out.WriteByte('\t')
				case gap > 0.15*p.size:
					out.WriteByte(' ')
				}
			}
			out.WriteString(p.text)
		}
		out.WriteByte('\n')
		i = k
	}
	return out.String()
}
