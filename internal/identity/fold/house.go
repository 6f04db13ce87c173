package fold

import (
	"strings"
	"unicode"

	"zunft/internal/ground/plain"
)

// houseWords are what stands beside a house's number, in the short form; an
// empty one says nothing.
var houseWords = map[string]string{
	"nr": "", "no": "", "hausnr": "", "hausnummer": "", "nummer": "",
	"haus": "haus", "hs": "haus", "hinterhaus": "hh", "hinterh": "hh", "hh": "hh", "vorderhaus": "vh", "vorderh": "vh", "vh": "vh",
	"gebaeude": "geb", "geb": "geb", "eingang": "eingang", "halle": "halle",
}

var fractions = strings.NewReplacer("½", "+1/2", "¼", "+1/4", "¾", "+3/4")

// HouseNumber folds "1 a", "1A" and "01a" to "1a", "3 – 5" and "3 bis 5" to
// "3-5", "3 u. 5" to "3+5", "12 Hinterhaus" to "12hh", "Nr. 7" to "7".
// What stands between two parts stays: 1-3, 1 3 and 1/3 are not 13.
func HouseNumber(s string) string {
	h := house{text: []rune(plain.Fold(fractions.Replace(s)))}
	for h.at < len(h.text) {
		r := h.text[h.at]
		switch {
		case unicode.IsDigit(r):
			h.number(h.run(unicode.IsDigit))
		case unicode.IsLetter(r):
			h.word(h.run(unicode.IsLetter))
		default:
			h.between(r)
			h.at++
		}
	}
	return h.out.String()
}

type house struct {
	text []rune
	at   int
	out  strings.Builder
	gap  byte // what stands before the next part: 0 nothing, ' ' a blank, '-', '/' or '+'
	last byte // the last part: 0 none, '1' a number, 'a' a letter or word
}

// run is the text from here on as far as it is of one kind.
func (h *house) run(of func(rune) bool) string {
	from := h.at
	for h.at < len(h.text) && of(h.text[h.at]) {
		h.at++
	}
	return string(h.text[from:h.at])
}

func (h *house) between(r rune) {
	switch {
	case unicode.Is(unicode.Pd, r) || r == '−':
		h.gap = '-'
	case r == '/' || r == '⁄':
		h.gap = '/'
	case r == '+' || r == '&' || r == ',' || r == ';':
		h.gap = '+'
	case h.gap == 0:
		h.gap = ' '
	}
}

func (h *house) number(digits string) {
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		digits = "0"
	}
	h.write(digits, '1')
}

func (h *house) word(w string) {
	short, known := houseWords[w]
	switch {
	case known && short == "":
		h.between(' ')
		return
	case known:
		h.gap, w = min(h.gap, ' '), short // "12, Hinterhaus" is "12 Hinterhaus"
	case h.last == '1' && h.nextDigit() && w == "bis":
		h.gap = '-'
		return
	case h.last == '1' && h.nextDigit() && (w == "u" || w == "und"):
		h.gap = '+'
		return
	}
	h.write(w, 'a')
}

// nextDigit: the next part is a number.
func (h *house) nextDigit() bool {
	for i := h.at; i < len(h.text) && i < h.at+4; i++ {
		if unicode.IsDigit(h.text[i]) {
			return true
		}
		if unicode.IsLetter(h.text[i]) {
			return false
		}
	}
	return false
}

// write adds a part. Two numbers, and two words, never run into one.
func (h *house) write(part string, kind byte) {
	gap := h.gap
	if gap == ' ' {
		gap = 0
	}
	if gap == 0 && h.last == kind {
		gap = '+'
	}
	if gap != 0 && h.last != 0 {
		h.out.WriteByte(gap)
	}
	h.out.WriteString(part)
	h.gap, h.last = 0, kind
}
