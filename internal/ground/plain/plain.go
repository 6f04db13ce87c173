// Package plain is about text that people wrote: what they mean by it
// (lower-case words of plain letters, so that two spellings compare as equal),
// whether it leads somewhere, and its beginning where there is little room.
package plain

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Text brings a text to lower-case words of letters and digits, one blank
// between them: compatibility forms, case, ß and umlauts (ae, oe, ue), other
// accents, hyphens and punctuation are gone; & and + are the word "und".
func Text(s string) string { return strings.Join(Words(s), " ") }

var (
	apostrophes = strings.NewReplacer("´", "", "`", "", "’", "", "‘", "", "'", "")
	ampersands  = strings.NewReplacer("&", " und ", "+", " und ")
)

var letters = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "æ", "ae", "œ", "oe", "ø", "oe", "ł", "l", "đ", "d", "ı", "i", "ð", "d", "þ", "th", "ħ", "h")

// Fold is Text's first half: no upper case, no accents, no compatibility forms.
func Fold(s string) string {
	if p, ok := plainGerman(s); ok {
		return p
	}
	return plainUnicode(s)
}

// plainGerman is plainUnicode for the letters that nearly all names are made
// of, at a tenth of the cost: a bulk import folds half a million texts.
func plainGerman(s string) (string, bool) {
	b := make([]byte, 0, len(s)+8)
	for _, r := range s {
		switch {
		case r == '\'' || r == '`':
		case r >= 'A' && r <= 'Z':
			b = append(b, byte(r)+'a'-'A')
		case r < 0x80:
			b = append(b, byte(r))
		case r == 'ä' || r == 'Ä':
			b = append(b, 'a', 'e')
		case r == 'ö' || r == 'Ö':
			b = append(b, 'o', 'e')
		case r == 'ü' || r == 'Ü':
			b = append(b, 'u', 'e')
		case r == 'ß' || r == 'ẞ':
			b = append(b, 's', 's')
		default:
			return "", false
		}
	}
	return string(b), true
}

func plainUnicode(s string) string {
	s = apostrophes.Replace(s)
	// NFKC may yield new capitals and capitals new compositions (İ, K, ℡):
	// two rounds settle every character of Unicode; the fuzz test watches.
	for range 2 {
		s = strings.ToLower(norm.NFKC.String(s))
	}
	s = letters.Replace(s)
	return letters.Replace(strings.ToLower(strings.Map(func(r rune) rune { // again: ǽ is æ with an accent
		if unicode.Is(unicode.M, r) || r == '\'' || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, norm.NFKD.String(s))))
}

// Words are the words of a text, as in Text.
func Words(s string) []string {
	if s = Fold(s); strings.ContainsAny(s, "&+") {
		s = ampersands.Replace(s)
	}
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
