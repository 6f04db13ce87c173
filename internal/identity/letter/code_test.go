package letter

import (
	"strings"
	"testing"

	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
)

// R097: every single wrong character and every swap of two is told from a
// wrong code, so it costs none of the five tries.
func TestR097SlipsAreFound(t *testing.T) {
	for range 200 {
		code := newCode()
		if got, err := ReadCode(strings.ToLower(code[:4] + "-" + code[4:8] + " " + code[8:])); err != nil || got != code {
			t.Fatalf("%s: %v", code, err)
		}
		for i := range code {
			for _, c := range alphabet {
				if slip := code[:i] + string(c) + code[i+1:]; slip != code {
					if _, err := ReadCode(slip); err == nil {
						t.Fatalf("%s for %s was not found", slip, code)
					}
				}
			}
			for j := range i {
				b := []byte(code)
				b[i], b[j] = b[j], b[i]
				if _, err := ReadCode(string(b)); string(b) != code && err == nil {
					t.Fatalf("%s for %s was not found", b, code)
				}
			}
		}
	}
}

func TestCodesUseTheAlphabetOfSeal(t *testing.T) {
	seen := map[rune]bool{}
	for _, r := range seal.Letters(5000) {
		seen[r] = true
		if !strings.ContainsRune(alphabet, r) {
			t.Fatalf("seal draws %q", r)
		}
	}
	if len(seen) != len(alphabet) {
		t.Errorf("seal draws %d characters, the alphabet has %d", len(seen), len(alphabet))
	}
	for _, r := range "0O1IL2Z5S8BUV" {
		if seen[r] {
			t.Errorf("%q looks like another character", r)
		}
	}
}

func FuzzReadCode(f *testing.F) {
	for _, s := range []string{"", "k7qm-3xtf-9rpa", "Öäü", "\x00", strings.Repeat("A", 1000), "ſ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, err := ReadCode(typed)
		if err == nil && (len(code) != codeLength || checkCharacter(code) != code[codeLength-1]) {
			t.Errorf("%q was read as %q", typed, code)
		}
		if err != nil && fault.Of(err) == nil {
			t.Errorf("%q: %v is no fault", typed, err)
		}
	})
}
