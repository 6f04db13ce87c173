package plain

import "testing"

func TestShort(t *testing.T) {
	for _, c := range []struct {
		in   string
		most int
		want string
	}{
		{"Bäckerei", 8, "Bäckerei"},
		{"Bäckerei", 7, "Bäcker…"},
		{"Hof der Öle", 9, "Hof der…"}, // no blank before the ellipsis
		{"", 1, ""},
		{"ÄÖ", 1, "…"},
	} {
		if got := Short(c.in, c.most); got != c.want {
			t.Errorf("%q in %d: %q, want %q", c.in, c.most, got, c.want)
		}
	}
}
