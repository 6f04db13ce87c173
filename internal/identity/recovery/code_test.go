package recovery

import (
	"strings"
	"testing"

	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
)

// Whatever is typed: a code in its own form, or a fault that says what to do.
func FuzzReadCode(f *testing.F) {
	for _, s := range []string{"", "7gwa 4net-f33d", "7GWA4NETF33D", "0OIL", "ä", strings.Repeat("A", 100), "AAAA–AAAA–AAAA", "\x00\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, err := readCode(typed)
		if err != nil {
			if !fault.Is(err, fault.KindInvalid) || fault.Of(err).Problems[0].Field != "code" {
				t.Errorf("%q: %v", typed, err)
			}
			return
		}
		if len(code) != codeLength || strings.Trim(code, alphabet) != "" {
			t.Errorf("%q is read as %q", typed, code)
		}
		if again, err := readCode(strings.ToLower(code[:4] + " - " + code[4:])); again != code || err != nil {
			t.Errorf("%q is not itself: %q %v", code, again, err)
		}
	})
}

// Every code we make can be read.
func TestCodesCanBeRead(t *testing.T) {
	for range 1000 {
		code := seal.Letters(codeLength)
		if got, err := readCode(code); got != code || err != nil {
			t.Fatal(code, got, err)
		}
	}
}
