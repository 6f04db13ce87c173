package plain

import (
	"strings"
	"unicode/utf8"
)

// Short is a text of at most that many characters, for subject lines and
// lists: a longer one ends in an ellipsis, which counts. most is at least 1.
func Short(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:most-1])) + "…"
}
