package diff_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/diff"
)

// Put together, the pieces are both texts, whatever they are.
func TestWordsAreBothTexts(t *testing.T) {
	word := rapid.SampledFrom([]string{"Teig", "kneten", " ", "\n", "ä", "20", ",", "🍞", "  ", "Ofen", "e\u0301", "\u202e"})
	text := rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(word, 0, 60).Draw(t, "words"), "") })
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "before"), text.Draw(t, "after")
		var before, after string
		last := ""
		for _, p := range diff.Words(a, b) {
			if p.Text == "" || p.Kind == last {
				t.Fatalf("piece %+v after %s", p, last)
			}
			last = p.Kind
			if p.Kind != "ins" {
				before += p.Text
			}
			if p.Kind != "del" {
				after += p.Text
			}
		}
		if a != before || b != after {
			t.Fatalf("%q → %q became %q → %q", a, b, before, after)
		}
		if diff.Changed(diff.Words(a, b)) != (a != b) {
			t.Fatal("changed or not")
		}
	})
}

// What a person would say was changed.
func TestWordsAsPeopleSee(t *testing.T) {
	for _, c := range [][3]string{
		{"Teig geknetet", "Teig geknetet", "Teig geknetet"},
		{"Teig geknetet", "20 Teige geknetet", "[-Teig][+20 Teige] geknetet"},
		{"Ofen geputzt", "Ofen geputzt und geheizt", "Ofen geputzt[+ und geheizt]"},
		{"", "neu", "[+neu]"},
		{"weg", "", "[-weg]"},
		{"Maße Bohrbild", "Maße Bohrbild 4 × 6,5 mm", "Maße Bohrbild[+ 4 × 6,5 mm]"},
	} {
		got := ""
		for _, p := range diff.Words(c[0], c[1]) {
			switch p.Kind {
			case "ins":
				got += "[+" + p.Text + "]"
			case "del":
				got += "[-" + p.Text + "]"
			default:
				got += p.Text
			}
		}
		if got != c[2] {
			t.Errorf("%q → %q: %s, wanted %s", c[0], c[1], got, c[2])
		}
	}
}

// The longest texts that differ everywhere cost little, also time.
func TestWordsAreBounded(t *testing.T) {
	a, b := strings.Repeat("a ", 4000), strings.Repeat("b ", 4000)
	begin := dbtest.CPU()
	for range 5 {
		diff.Words(a, b)
	}
	if took := (dbtest.CPU() - begin) / 5; took > 200*time.Millisecond {
		t.Errorf("took %s", took)
	}
}

func BenchmarkWords(b *testing.B) {
	one := strings.Repeat("Teig geknetet, Ofen geheizt und geputzt. ", 190)
	other := strings.Replace(strings.Replace(one, "geheizt", "angeheizt", 40), "Teig", "20 Teige", 20)
	for b.Loop() {
		diff.Words(one, other)
	}
}
