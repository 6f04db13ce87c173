// Package diff says what changed between two texts, word by word, as people
// would see it (Myers, "An O(ND) Difference Algorithm", 1986): shortest, but
// changes that only a blank parts are shown as one.
package diff

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Piece of a text that was changed.
type Piece struct {
	Kind string // "same", "ins" or "del"
	Text string
}

// Lines of the piece, without their ends.
func (p Piece) Lines() []string { return strings.Split(p.Text, "\n") }

// Changed reports whether anything differs.
func Changed(pieces []Piece) bool {
	for _, p := range pieces {
		if p.Kind != "same" {
			return true
		}
	}
	return false
}

// mostSteps bounds the work of a comparison, in words that were put in or taken
// out; texts that differ more are shown as replaced.
const mostSteps = 1500

// Words compares two texts word by word. Put together, the pieces that are same
// or ins are after, those that are same or del are before; neighbors differ in
// kind, and none is empty.
func Words(before, after string) []Piece {
	a, b := words(before), words(after)
	var pieces []Piece
	add := func(kind string, text []string) {
		if len(text) == 0 {
			return
		}
		t := strings.Join(text, "")
		if n := len(pieces); n > 0 && pieces[n-1].Kind == kind {
			pieces[n-1].Text += t
			return
		}
		pieces = append(pieces, Piece{kind, t})
	}
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	add("same", a[:head])
	middle(a[head:len(a)-tail], b[head:len(b)-tail], add)
	add("same", a[len(a)-tail:])
	return readable(pieces)
}

// readable puts changes together that only a blank parts: "in Woche" became
// "und die" as a whole, not word by word.
func readable(pieces []Piece) (all []Piece) {
	del, ins := "", ""
	flush := func() {
		if del != "" {
			all = append(all, Piece{"del", del})
		}
		if ins != "" {
			all = append(all, Piece{"ins", ins})
		}
		del, ins = "", ""
	}
	for i, p := range pieces {
		switch {
		case p.Kind == "del":
			del += p.Text
		case p.Kind == "ins":
			ins += p.Text
		case del+ins != "" && i+1 < len(pieces) && strings.Trim(p.Text, " ") == "":
			del, ins = del+p.Text, ins+p.Text
		default:
			flush()
			all = append(all, p)
		}
	}
	flush()
	return all
}

// middle finds a shortest way from a to b and says its steps in order.
func middle(a, b []string, add func(string, []string)) {
	n, m := len(a), len(b)
	most := min(n+m, mostSteps)
	furthest := make([]int, 2*most+2) // by diagonal x-y, shifted by most
	var trace [][]int
	found := -1
search:
	for d := 0; d <= most; d++ {
		trace = append(trace, append([]int(nil), furthest[most-d:most+d+1]...))
		for k := -d; k <= d; k += 2 {
			x := 0
			switch {
			case d == 0:
			case k == -d || k != d && furthest[most+k-1] < furthest[most+k+1]:
				x = furthest[most+k+1]
			default:
				x = furthest[most+k-1] + 1
			}
			y := x - k
			for x < n && y < m && a[x] == b[y] {
				x, y = x+1, y+1
			}
			furthest[most+k] = x
			if x >= n && y >= m {
				found = d
				break search
			}
		}
	}
	if found < 0 {
		add("del", a)
		add("ins", b)
		return
	}
	type step struct {
		kind       string
		from, till int
	}
	var steps []step
	x, y := n, m
	for d := found; d > 0; d-- {
		v := trace[d] // before round d: diagonals -d to d, of which round d-1 filled the inner ones
		at := func(k int) int { return v[k+d] }
		k := x - y
		var before int
		if k == -d || k != d && at(k-1) < at(k+1) {
			before = k + 1
		} else {
			before = k - 1
		}
		px := at(before)
		py := px - before
		sx, sy := px, py
		kind := "del"
		if before == k+1 {
			kind, sy = "ins", py+1
		} else {
			sx = px + 1
		}
		steps = append(steps, step{"same", sx, x})
		if kind == "ins" {
			steps = append(steps, step{"ins", py, sy})
		} else {
			steps = append(steps, step{"del", px, sx})
		}
		x, y = px, py
	}
	steps = append(steps, step{"same", 0, x})
	for i := len(steps) - 1; i >= 0; i-- {
		from := a
		if steps[i].kind == "ins" {
			from = b
		}
		add(steps[i].kind, from[steps[i].from:steps[i].till])
	}
}

// words cuts a text into words, signs, and the space between them.
func words(s string) (all []string) {
	class := func(r rune) int {
		switch {
		case r == '\n':
			return 0
		case unicode.IsSpace(r):
			return 1
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r):
			return 2
		}
		return 3
	}
	for len(s) > 0 {
		first, size := utf8.DecodeRuneInString(s)
		end := size
		for kind := class(first); end < len(s) && kind != 0 && kind != 3; {
			r, n := utf8.DecodeRuneInString(s[end:])
			if class(r) != kind {
				break
			}
			end += n
		}
		all, s = append(all, s[:end]), s[end:]
	}
	return all
}
