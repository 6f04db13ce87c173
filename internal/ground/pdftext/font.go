package pdftext

import (
	"strconv"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"
)

// A font turns the codes of a string into letters and says how wide they are.
type font struct {
	two     bool // codes of two bytes
	letters map[int]string
	widths  map[int]float64 // in 1/1000 em
	width   float64         // of all others
}

// font of a resource; one of an indirect object is read once.
func (d *document) font(v any) *font {
	n := 0
	if r, is := v.(ref); is {
		if f, known := d.fonts[int(r)]; known {
			return f
		}
		n = int(r)
	}
	f := d.readFont(d.dict(v))
	if n > 0 {
		d.fonts[n] = f
	}
	return f
}

func (d *document) readFont(o dict) *font {
	f := &font{letters: map[int]string{}, widths: map[int]float64{}, width: 500}
	if o == nil {
		return f
	}
	f.two = d.get(o["Subtype"]) == name("Type0")
	if f.two {
		list, _ := d.get(o["DescendantFonts"]).([]any)
		if len(list) > 0 {
			d.wide(f, d.dict(list[0]))
		}
	} else {
		d.simple(f, o)
	}
	if r, is := o["ToUnicode"].(ref); is {
		if s, is := d.get(r).(stream); is {
			d.cmap(f, d.bytes(int(r), s))
		}
	}
	return f
}

// simple reads a font of one byte a letter: WinAnsi unless it says otherwise.
func (d *document) simple(f *font, o dict) {
	table := charmap.Windows1252
	encoding := d.get(o["Encoding"])
	if encoding == name("MacRomanEncoding") || d.dict(encoding)["BaseEncoding"] == name("MacRomanEncoding") {
		table = charmap.Macintosh
	}
	for c := 32; c < 256; c++ {
		f.letters[c] = string(table.DecodeByte(byte(c)))
	}
	code := 0
	differences, _ := d.get(d.dict(encoding)["Differences"]).([]any)
	for _, v := range differences {
		switch v := v.(type) {
		case float64:
			code = integer(v)
		case name:
			if letter := glyph(string(v)); letter != "" {
				f.letters[code] = letter
			}
			code++
		}
	}
	first := integer(d.get(o["FirstChar"]))
	widths, _ := d.get(o["Widths"]).([]any)
	for i, w := range widths {
		if w, is := d.get(w).(float64); is && i < 256 {
			f.widths[first+i] = w
		}
	}
}

// wide reads the widths of a composite font (9.7.4.3).
func (d *document) wide(f *font, o dict) {
	f.width = 1000
	if w, is := d.get(o["DW"]).(float64); is {
		f.width = w
	}
	list, _ := d.get(o["W"]).([]any)
	for i := 0; i+1 < len(list); {
		first := integer(list[i])
		if several, is := d.get(list[i+1]).([]any); is {
			for k, w := range several {
				if w, is := w.(float64); is && len(f.widths) < 1<<16 {
					f.widths[first+k] = w
				}
			}
			i += 2
			continue
		}
		if i+2 >= len(list) {
			return
		}
		w, _ := list[i+2].(float64)
		for c := first; c <= integer(list[i+1]) && c-first < 1<<16 && len(f.widths) < 1<<16 && d.tokens < maxTokens; c++ {
			f.widths[c] = w
			d.tokens++
		}
		i += 3
	}
}

// cmap reads a ToUnicode map (9.10.3): single codes and ranges.
func (d *document) cmap(f *font, b []byte) {
	l := &lexer{d: d, b: b}
	var stack []any
	for !l.done() {
		v := l.value(0)
		w, operator := v.(word)
		if !operator {
			if stack = append(stack, v); len(stack) > 10_000 {
				return
			}
			continue
		}
		switch w {
		case "endcodespacerange":
			if s, is := last(stack).(str); is {
				f.two = len(s) == 2
			}
		case "endbfchar":
			for i := 0; i+1 < len(stack); i += 2 {
				f.letters[code(stack[i])] = utf16Text(stack[i+1])
			}
		case "endbfrange":
			for i := 0; i+2 < len(stack); i += 3 {
				d.tokens += f.span(code(stack[i]), code(stack[i+1]), stack[i+2])
			}
		}
		stack = stack[:0]
	}
}

func last(stack []any) any {
	if len(stack) == 0 {
		return nil
	}
	return stack[len(stack)-1]
}

// span maps a range of codes and says how many.
func (f *font) span(first, end int, to any) int {
	if list, is := to.([]any); is {
		for k, v := range list {
			if first+k <= end {
				f.letters[first+k] = utf16Text(v)
			}
		}
		return len(list)
	}
	begin := []rune(utf16Text(to))
	if len(begin) == 0 {
		return 0
	}
	for c := first; c <= end && c-first < 1<<16 && len(f.letters) < 1<<17; c++ {
		begin := append([]rune(nil), begin...)
		begin[len(begin)-1] += rune(c - first)
		f.letters[c] = string(begin)
	}
	return max(0, min(end-first, 1<<16))
}

func code(v any) int {
	s, _ := v.(str)
	n := 0
	for _, c := range s[:min(len(s), 3)] {
		n = n<<8 | int(c)
	}
	return n
}

func utf16Text(v any) string {
	s, _ := v.(str)
	units := make([]uint16, 0, len(s)/2)
	for i := 0; i+1 < len(s) && i < 64; i += 2 {
		units = append(units, uint16(s[i])<<8|uint16(s[i+1]))
	}
	return string(utf16.Decode(units))
}

// show is what a string says, and how wide it is in em; spaced is how much each
// letter and each blank widens it.
func (f *font) show(s str, char, blank float64) (text string, width float64) {
	var out strings.Builder
	step := 1
	if f.two {
		step = 2
	}
	for i := 0; i+step <= len(s) && out.Len() < maxText; i += step {
		c := int(s[i])
		if f.two {
			c = c<<8 | int(s[i+1])
		}
		out.WriteString(f.letters[c])
		w, known := f.widths[c]
		if !known {
			w = f.width
		}
		width += w/1000 + char
		if c == ' ' && !f.two {
			width += blank
		}
	}
	return out.String(), width
}

// glyphs are the names of letters that German texts need (Adobe Glyph List).
var glyphs = map[string]string{
	"space": " ", "exclam": "!", "quotedbl": `"`, "numbersign": "#", "dollar": "$", "percent": "%", "ampersand": "&", "quotesingle": "'", "parenleft": "(", "parenright": ")",
	"asterisk": "*", "plus": "+", "comma": ",", "hyphen": "-", "period": ".", "slash": "/", "colon": ":", "semicolon": ";", "less": "<", "equal": "=", "greater": ">", "question": "?",
	"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "at": "@", "underscore": "_", "bar": "|",
	"adieresis": "ä", "odieresis": "ö", "udieresis": "ü", "Adieresis": "Ä", "Odieresis": "Ö", "Udieresis": "Ü", "germandbls": "ß", "eacute": "é", "section": "§", "degree": "°", "Euro": "€",
	"endash": "–", "emdash": "—", "bullet": "•", "quotedblbase": "„", "quotedblleft": "“", "quotedblright": "”", "quoteleft": "‘", "quoteright": "’", "ellipsis": "…", "fi": "fi", "fl": "fl", "ff": "ff",
	"bracketleft": "[", "bracketright": "]", "braceleft": "{", "braceright": "}", "backslash": `\`, "asciitilde": "~", "multiply": "×", "periodcentered": "·",
}

func glyph(s string) string {
	if len(s) == 1 {
		return s
	}
	if g := glyphs[s]; g != "" {
		return g
	}
	if h, is := strings.CutPrefix(s, "uni"); is && len(h) == 4 {
		if n, err := strconv.ParseUint(h, 16, 16); err == nil {
			return string(rune(n))
		}
	}
	return ""
}
