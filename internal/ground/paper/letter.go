package paper

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// DIN 5008 form B, in mm on A4.
const (
	textX, textW = 25.0, 165.0
	fieldX       = 20.0
	fieldW       = 85.0
	returnY      = 45.0 // return line: 5 mm
	remarkY      = 50.0 // endorsements: 12.7 mm, three lines
	addressY     = 62.7 // address: 27.3 mm, six lines
	fieldEnd     = 90.0
	infoX, infoY = 125.0, 50.0
	infoW        = 70.0 // of the 75 that the standard leaves, 5 keep to the margin
	infoEnd      = 95.0
	subjectY     = 98.4
)

// WriteLetters writes letters into one PDF, in their order, each beginning on a
// page of its own. A letter that is too long runs on, with numbered pages.
func WriteLetters(w io.Writer, letters []Letter) error {
	if len(letters) == 0 {
		return errors.New("write letters: there are none")
	}
	fs, err := loadFaces()
	if err != nil {
		return fmt.Errorf("write letters: %w", err)
	}
	var pages []page
	for _, l := range letters {
		pages = append(pages, l.layout(fs)...)
	}
	one := letters[0]
	title := fs.clean(one.Subject)
	if len(letters) > 1 {
		title = fmt.Sprintf("%s (%d)", title, len(letters))
	}
	m := meta{title: flat(title), author: flat(fs.clean(one.Sender.Name)), lang: one.Lang, date: one.Date}
	if err := write(w, m, pages); err != nil {
		return fmt.Errorf("write %d letters: %w", len(letters), err)
	}
	return nil
}

func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

// words are the few that a page says by itself.
type words struct{ date, page, to, sender string }

func wordsIn(lang string) words {
	if strings.HasPrefix(strings.ToLower(lang), "en") {
		return words{"Date", "Page %d of %d", "To", "From"}
	}
	return words{"Datum", "Seite %d von %d", "An", "Absender"}
}

func (l Letter) layout(fs *faces) []page {
	say := wordsIn(l.Lang)
	f := &flow{faces: fs, pages: []page{nil}, x: textX, w: textW, top: 34, letter: true}
	foot, rest := footer(fs, l.Sender.Footer)
	footH := float64(len(foot)) * tiny().lead
	f.bottom = 297 - 12 - footH - 9 // foot, then the page number, then white
	f.first = f.bottom

	var over []string // what the fixed fields could not hold, in full
	over = append(over, f.head(l.Sender, say)...)
	over = append(over, f.window(l, say)...)
	over = append(over, f.info(l, say)...)
	over = append(over, rest...)

	f.y = subjectY
	f.text(subject(), fs.clean(l.Subject))
	f.y += 6.2
	for _, b := range l.Blocks {
		if b != nil {
			b.put(f)
		}
	}
	for _, text := range over {
		f.text(small(), text)
		f.gap(2)
	}
	f.marks()
	f.furniture(l, say, foot)
	return f.pages
}

// head is the letterhead: 45 mm, the name left, the lines right.
func (f *flow) head(s Sender, say words) (over []string) {
	name := f.faces.clean(s.Name)
	st := style{bold, 15, 6.6, 0}
	for st.size > 10 && f.faces.widthOf(st, name) > infoX-textX-8 {
		st.size--
	}
	lines := f.faces.wrap(st, name, infoX-textX-8)
	if len(lines) > 3 {
		over = append(over, say.sender+": "+name)
		lines[2], _ = f.faces.fit(st, lines[2]+"…", infoX-textX-8)
		lines = lines[:3]
	}
	y := 15.5
	for _, l := range lines {
		f.textAt(st, textX, y, l)
		y += st.lead
	}
	var all []string
	for _, l := range s.Lines {
		all = append(all, f.faces.wrap(small(), f.faces.clean(l), infoW-5)...)
	}
	if most := 6; len(all) > most {
		over = append(over, say.sender+": "+f.joined(s.Lines))
		all = all[:most]
	}
	y = 16.6
	for _, l := range all {
		f.textAt(small(), infoX, y, l)
		y += small().lead
	}
	return over
}

// window fills the address field. Up to six lines stand where the standard has
// them; up to nine use the endorsements' room too.
func (f *flow) window(l Letter, say words) (over []string) {
	inner := fieldX + fieldW - textX
	ret := style{regular, 7, 3.4, 60}
	if text := flat(f.faces.clean(l.Sender.ReturnLine)); text != "" {
		for ret.size > 6 && f.faces.widthOf(ret, text) > inner {
			ret.size -= 0.5
		}
		line, whole := f.faces.fit(ret, text, inner)
		if !whole {
			over = append(over, say.sender+": "+text)
		}
		f.textAt(ret, textX, returnY+0.6, line)
		f.rule(textX, returnY+4.5, f.faces.widthOf(ret, line), 140)
	}
	st := style{regular, 11, 4.55, 0}
	var lines []string
	for size := 11.0; size >= 10; size -= 0.5 {
		st.size, lines = size, nil
		for _, t := range l.To {
			if t = flat(f.faces.clean(t)); t != "" { // no empty lines in an address
				lines = append(lines, f.faces.wrap(st, t, inner)...)
			}
		}
		if len(lines) <= 6 {
			break
		}
	}
	remark := style{regular, 8.5, 4.1, 30}
	var above []string
	for _, t := range l.Remarks {
		above = append(above, f.faces.wrap(remark, flat(f.faces.clean(t)), inner)...)
	}
	y, most := addressY, 6
	if len(lines) > most && len(above) == 0 {
		y, most = fieldEnd-float64(min(len(lines), 8))*st.lead, 8
	}
	if len(lines) > most {
		over = append(over, say.to+": "+f.joined(l.To))
		lines[most-1], _ = f.faces.fit(st, lines[most-1]+"…", inner-2)
		lines = lines[:most]
	}
	for _, t := range lines {
		f.textAt(st, textX, y, t)
		y += st.lead
	}
	if len(above) > 3 {
		over = append(over, f.joined(l.Remarks))
		above = above[:3]
	}
	y = addressY - float64(len(above))*remark.lead
	for _, t := range above {
		f.textAt(remark, textX, y, t)
		y += remark.lead
	}
	return over
}

// info is the information block, right of the window.
func (f *flow) info(l Letter, say words) (over []string) {
	rows := append([][2]string{}, l.Info...)
	if !l.Date.IsZero() {
		rows = append(rows, [2]string{say.date, l.Date.Format("02.01.2006")})
	}
	value := style{regular, 9.5, 4.7, 20}
	label := style{regular, 8.5, 4.7, 85}
	lw := 18.0
	for _, kv := range rows {
		lw = max(lw, min(32, f.faces.widthOf(label, f.faces.clean(kv[0]))+3))
	}
	y := infoY
	// The date has its line kept for it, whatever else is said.
	for i, kv := range rows {
		k := f.faces.wrap(label, f.faces.clean(kv[0]), lw-2)
		v := f.faces.wrap(value, f.faces.clean(kv[1]), infoW-lw)
		h := float64(max(len(k), len(v))) * value.lead
		end := infoEnd
		if i < len(rows)-1 {
			end -= value.lead
		}
		if y+h > end {
			over = append(over, flat(f.faces.clean(kv[0]))+": "+f.faces.clean(kv[1]))
			continue
		}
		for j, t := range k {
			f.textAt(label, infoX, y+float64(j)*value.lead+0.15, t)
		}
		for j, t := range v {
			f.textAt(value, infoX+lw, y+float64(j)*value.lead, t)
		}
		y += h
	}
	return over
}

func (f *flow) joined(lines []string) string {
	var out []string
	for _, l := range lines {
		if l = flat(f.faces.clean(l)); l != "" {
			out = append(out, l)
		}
	}
	return strings.Join(out, ", ")
}

// marks are for whoever folds and files: on the first page only.
func (f *flow) marks() {
	for _, m := range []struct{ y, w float64 }{{fold1, 4}, {fold2, 4}, {hole, 6}} {
		f.pages[0] = append(f.pages[0], op{kind: opLine, x: 4, y: m.y, w: m.w, line: 120})
	}
}

const footLines = 5

// footer wraps the foot of a letter; one of more than five lines is shortened and
// comes back in full for the body.
func footer(fs *faces, lines []string) (foot, rest []string) {
	for _, l := range lines {
		foot = append(foot, fs.wrap(tiny(), fs.clean(l), textW)...)
	}
	if len(foot) > footLines {
		for _, l := range lines {
			rest = append(rest, fs.clean(l))
		}
		foot = foot[:footLines]
		foot[footLines-1], _ = fs.fit(tiny(), foot[footLines-1]+"…", textW)
	}
	return foot, rest
}

// furniture is what every page has: the foot, page numbers, and from the second
// page on who writes to whom about what.
func (f *flow) furniture(l Letter, say words, foot []string) {
	on := *f
	on.edge = true
	n := len(f.pages)
	for i := range f.pages {
		on.pages = f.pages[:i+1]
		y := 297 - 12 - float64(len(foot))*tiny().lead
		if len(foot) > 0 {
			on.rule(textX, y-2, textW, 190)
		}
		for k, t := range foot {
			on.textAt(tiny(), textX, y+float64(k)*tiny().lead, t)
		}
		if n == 1 {
			continue
		}
		num := pageOf(say, i+1, n)
		on.textAt(small(), textX+textW-f.faces.widthOf(small(), num), f.bottom+1.6, num)
		if i > 0 {
			date := ""
			if !l.Date.IsZero() {
				date = l.Date.Format("02.01.2006")
			}
			dw := f.faces.widthOf(small(), date)
			name, _ := f.faces.fit(small(), flat(f.faces.clean(l.Sender.Name))+" · "+flat(f.faces.clean(l.Subject)), textW-dw-6)
			on.textAt(small(), textX, 20, name)
			on.textAt(small(), textX+textW-dw, 20, date)
			on.rule(textX, 26, textW, 190)
		}
	}
}

func pageOf(say words, i, n int) string {
	if n == 0 {
		return strconv.Itoa(i)
	}
	return fmt.Sprintf(say.page, i, n)
}
