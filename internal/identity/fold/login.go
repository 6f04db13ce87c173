package fold

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Login is how user names and addresses are compared: compatibility forms and
// case are gone, so that "Anna@Beispiel.DE" is "anna@beispiel.de" (R046).
func Login(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.C, r) || unicode.IsSpace(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
}
