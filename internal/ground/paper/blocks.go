package paper

import (
	"strconv"
	"strings"
)

// The type of a letter: one family, few sizes, and no colour, because most
// letters are printed black on white.
func body() style    { return style{regular, 10.5, 5.0, 20} }
func strong() style  { return style{bold, 10.5, 5.0, 20} }
func small() style   { return style{regular, 8.5, 4.1, 85} }
func tiny() style    { return style{regular, 7.5, 3.5, 95} }
func subject() style { return style{bold, 11.5, 5.4, 0} }

const blockGap = 3.4

func (p Paragraph) put(f *flow) {
	st := body()
	if p.Bold {
		st = strong()
	}
	f.text(st, f.faces.clean(p.Text))
	f.gap(blockGap)
}

func (t Facts) put(f *flow) {
	if len(t) == 0 {
		return
	}
	label, value := body(), strong()
	label.gray = 70
	w := 30.0
	for _, kv := range t {
		w = max(w, min(62, f.faces.widthOf(label, f.faces.clean(kv[0]))+6))
	}
	f.room(12)
	f.rule(f.x, f.y, f.w, 205)
	for _, kv := range t {
		f.y += 1.1
		f.row([]cell{
			{f.x, w - 4, label, f.faces.clean(kv[0])},
			{f.x + w, f.w - w, value, f.faces.clean(kv[1])},
		})
		f.y += 1.1
		f.rule(f.x, f.y, f.w, 205)
	}
	f.gap(blockGap + 1)
}

func (c Code) put(f *flow) {
	label, value, caption := f.faces.clean(c.Label), f.faces.clean(c.Value), f.faces.clean(c.Caption)
	const pad = 5.5
	big := style{mono, 24, 10.5, 0}
	for big.size > 14 && f.faces.widthOf(big, value) > f.w-2*pad {
		big.size--
	}
	type part struct {
		st    style
		lines []string
	}
	var parts []part
	h := 2 * pad
	for _, p := range []struct {
		st   style
		text string
	}{{small(), label}, {big, value}, {small(), caption}} {
		if strings.TrimSpace(p.text) == "" {
			continue
		}
		lines := f.faces.wrap(p.st, p.text, f.w-2*pad)
		parts = append(parts, part{p.st, lines})
		h += float64(len(lines)) * p.st.lead
	}
	if h > f.height() { // larger than a page: no box then
		for _, p := range parts {
			for _, l := range p.lines {
				f.room(p.st.lead)
				f.textAt(p.st, f.x, f.y, l)
				f.y += p.st.lead
			}
		}
		f.gap(blockGap)
		return
	}
	f.keepOffFolds(h)
	f.add(op{kind: opBox, x: f.x, y: f.y, w: f.w, h: h, line: 150, fill: 246})
	y := f.y + pad
	for _, p := range parts {
		for _, l := range p.lines {
			f.textAt(p.st, f.x+(f.w-f.faces.widthOf(p.st, l))/2, y, l)
			y += p.st.lead
		}
	}
	f.y += h
	f.gap(blockGap + 1.6)
}

// Fold and hole marks of DIN 5008 form B, mm from the top edge.
const (
	fold1 = 105.0
	fold2 = 210.0
	hole  = 148.5
)

// keepOffFolds finds room for h mm: in the middle third of a letter's first
// page where that can be, and in no case across a fold.
func (f *flow) keepOffFolds(h float64) {
	const off = 3.0
	if f.letter && f.onFirst() {
		if f.y < fold1+off {
			f.y = fold1 + off
		}
		if f.y < fold2+off && f.y+h > fold2-off {
			f.y = fold2 + off
		}
	}
	f.room(h)
}

func (q QR) put(f *flow) {
	size := q.Size
	if size == 0 {
		size = 28
	}
	size = min(max(size, 18), 80)
	caption := f.faces.clean(q.Caption)
	m, err := newMatrix(q.Text)
	if err != nil { // too long for a code: a person can still read it
		f.text(body(), strings.TrimSpace(caption+"\n"+f.faces.clean(q.Text)))
		f.gap(blockGap)
		return
	}
	quiet := 4 * size / float64(m.size)
	x := f.x + size + max(6, quiet)
	st := small()
	lines := f.faces.wrap(st, caption, f.x+f.w-x)
	h := float64(len(lines)) * st.lead
	f.gap(max(0, quiet-blockGap))
	if h > max(size, f.height()/2) { // a long caption goes below
		f.room(size)
		f.add(op{kind: opQR, x: f.x, y: f.y, w: size, qr: m})
		f.y += size + quiet
		f.text(st, caption)
		f.gap(blockGap)
		return
	}
	f.room(max(size, h))
	f.add(op{kind: opQR, x: f.x, y: f.y, w: size, qr: m})
	y := f.y + max(0, (size-h)/2)
	for _, l := range lines {
		f.textAt(st, x, y, l)
		y += st.lead
	}
	f.y += max(size, h)
	f.gap(max(quiet, blockGap+1.6))
}

func (s Steps) put(f *flow) {
	indent := 5.0 + 2*float64(len(strconv.Itoa(len(s))))
	for i, text := range s {
		f.row([]cell{
			{f.x, indent, strong(), strconv.Itoa(i+1) + "."},
			{f.x + indent, f.w - indent, body(), f.faces.clean(text)},
		})
		f.y += 1.2
	}
	f.gap(blockGap - 1.2)
}
