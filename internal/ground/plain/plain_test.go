package plain

import (
	"testing"

	"pgregory.net/rapid"
)

// The quick way of German letters is no other fold.
func TestW06QuickFoldIsTheSameFold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune("azAZ09 '`-&+./|^~\\\x00\"äöüÄÖÜßẞ"))).Draw(t, "s")
		if quick, ok := plainGerman(s); !ok || quick != plainUnicode(s) {
			t.Fatalf("%q: %q, %t, and %q", s, quick, ok, plainUnicode(s))
		}
	})
}
