package fold

import "testing"

// R046: user names and addresses are one however they are written.
func TestLogin(t *testing.T) {
	for _, same := range [][]string{{"anna", "ANNA", "Anna ", "ａｎｎａ", "an\u200bna"}, {"groß", "GROSS", "GROẞ"}, {"müller", "MÜLLER", "mu\u0308ller"}} {
		for _, s := range same[1:] {
			if Login(s) != Login(same[0]) {
				t.Errorf("%q is not %q", s, same[0])
			}
		}
	}
	if Login("muller") == Login("müller") {
		t.Error("two people became one")
	}
}

func FuzzLogin(f *testing.F) {
	for _, s := range []string{"Anna", "GROẞ", "ﬃ", "İ", "\xff", "ǅ", "ᾳ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if a := Login(s); Login(a) != a {
			t.Errorf("Login(%q) = %q, and again %q", s, a, Login(a))
		}
	})
}
