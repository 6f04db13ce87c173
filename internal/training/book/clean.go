package book

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// CleanLines is a text of several lines as a form would have brought it: NFC,
// line ends "\n", trimmed, without control characters and marks that turn the
// direction of text. What does not come through a form goes through here.
func CleanLines(s string) string {
	s = norm.NFC.String(strings.ToValidUTF8(s, ""))
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, s))
}

// CleanLine is the same for a single line; blanks in it are single.
func CleanLine(s string) string { return strings.Join(strings.Fields(CleanLines(s)), " ") }

// Furthest is how many weeks ahead somebody may write.
const Furthest = furthest

// Check says what Save would refuse of a text.
func (t Text) Check() error { return t.check() }
