package paper

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
)

const (
	regular = iota
	bold
	mono
)

// style is how a piece of text looks: face, size in points, line height in mm
// and how dark it is (0 black, 255 white).
type style struct {
	face int
	size float64
	lead float64
	gray int
}

const ptToMM = 25.4 / 72

// baseline is how far below the top of its line a text stands.
func (s style) baseline() float64 { return (s.lead-s.size*ptToMM)/2 + 0.78*s.size*ptToMM }

func (s style) with(size, lead float64) style { s.size, s.lead = size, lead; return s }

// faces measures text. One belongs to one document; it is not shared.
type faces struct {
	font  [3]*sfnt.Font
	width [3]map[rune]float64 // advance in 1/1000 em; negative: no glyph
	buf   sfnt.Buffer
}

func loadFaces() (*faces, error) {
	f := &faces{}
	for i, ttf := range fontFiles() {
		parsed, err := sfnt.Parse(ttf)
		if err != nil {
			return nil, fmt.Errorf("parse font %d: %w", i, err)
		}
		f.font[i], f.width[i] = parsed, map[rune]float64{}
	}
	return f, nil
}

func fontFiles() [3][]byte { return [3][]byte{goregular.TTF, gobold.TTF, gomonobold.TTF} }

// advance is the width of a rune in 1/1000 em, or -1 where the face lacks it.
func (f *faces) advance(face int, r rune) float64 {
	if w, ok := f.width[face][r]; ok {
		return w
	}
	w := -1.0
	if r <= 0xFFFF { // the PDF writer's text strings end at the basic plane
		if g, err := f.font[face].GlyphIndex(&f.buf, r); err == nil && g != 0 {
			if a, err := f.font[face].GlyphAdvance(&f.buf, g, fixed.I(1000), font.HintingNone); err == nil {
				w = float64((a + 32) >> 6)
			}
		}
	}
	f.width[face][r] = w
	return w
}

func (f *faces) has(r rune) bool {
	return f.advance(regular, r) >= 0 && f.advance(bold, r) >= 0 && f.advance(mono, r) >= 0
}

// widthOf is the width of clean text in mm.
func (f *faces) widthOf(st style, s string) float64 {
	var w float64
	for _, r := range s {
		w += max(0, f.advance(st.face, r))
	}
	return w * st.size * ptToMM / 1000
}

// clean turns any text into text that these faces can print: composed, line
// breaks as \n, no control or format characters, and for what the faces lack
// the nearest letter or the character's number.
func (f *faces) clean(s string) string {
	s = norm.NFC.String(strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.ReplaceAll(s, "\r\n", "\n")
	var b strings.Builder
	var letter bool // the last rune was one that the face has, and a letter
	for _, r := range s {
		switch {
		case r == '\n' || r == '\r' || r == '\v' || r == '\f' || r == 0x85 || r == 0x2028 || r == 0x2029:
			b.WriteByte('\n')
		case r == 0xA0 || r == 0x202F:
			b.WriteRune(0xA0)
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Variation_Selector):
			// nothing to see
		case f.has(r):
			b.WriteRune(r)
			letter = unicode.IsLetter(r)
			continue
		case unicode.Is(unicode.Mn, r) && letter:
			continue // a mark the face lacks on a letter it has
		default:
			near := f.nearest(r)
			b.WriteString(near)
			letter = near[0] != '['
			continue
		}
		letter = false
	}
	return b.String()
}

func (f *faces) nearest(r rune) string {
	switch r {
	case 'ẞ':
		return "SS"
	case '\u2010', '\u2011':
		return "-"
	case '✓', '✔':
		return "√"
	case '☐':
		return "□"
	}
	// Letters with two marks: leave off the last mark until the face has it.
	parts := []rune(norm.NFD.String(string(r)))
	for end := len(parts) - 1; end >= 1; end-- {
		if c := norm.NFC.String(string(parts[:end])); f.hasAll(c) {
			return c
		}
	}
	if c := norm.NFKC.String(string(r)); f.hasAll(c) { // ligatures, full width
		return c
	}
	return fmt.Sprintf("[U+%04X]", r)
}

func (f *faces) hasAll(s string) bool {
	for _, r := range s {
		if !f.has(r) {
			return false
		}
	}
	return s != ""
}

// wrap breaks clean text into lines no wider than width: at blanks, after
// hyphens and slashes, and inside a word only where the word alone is too wide.
func (f *faces) wrap(st style, text string, width float64) []string {
	limit := width * 1000 / (st.size * ptToMM)
	var out []string
	for _, para := range strings.Split(strings.TrimRight(text, "\n "), "\n") {
		out = append(out, f.wrapLine(st.face, strings.TrimRight(para, " "), limit)...)
	}
	return out
}

func (f *faces) wrapLine(face int, text string, limit float64) []string {
	var out []string
	runes := []rune(text)
	for len(runes) > 0 {
		var w float64
		end, cut := 0, 0 // cut: where the line may be broken
		for end < len(runes) {
			a := max(0, f.advance(face, runes[end]))
			if w+a > limit && end > 0 && runes[end] != ' ' {
				break
			}
			w += a
			end++
			if prev := runes[end-1]; prev == ' ' || (prev == '-' || prev == '/') && end > 1 && runes[max(0, end-2)] != ' ' {
				cut = end
			}
		}
		if end < len(runes) && cut > 0 {
			end = cut
		}
		out = append(out, strings.TrimRight(string(runes[:end]), " "))
		runes = runes[end:]
	}
	if len(out) == 0 {
		return []string{""}
	}
	return out
}

// fit shortens clean text to one line of the width, with "…" if it must.
func (f *faces) fit(st style, text string, width float64) (line string, whole bool) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\n", " "))
	if f.widthOf(st, text) <= width {
		return text, true
	}
	room := width - f.widthOf(st, "…")
	var w float64
	for i, r := range text {
		w += max(0, f.advance(st.face, r)) * st.size * ptToMM / 1000
		if w > room {
			return strings.TrimRight(text[:i], " ") + "…", false
		}
	}
	return text, true
}
