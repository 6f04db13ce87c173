package fold

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zunft/internal/ground/dbtest"
)

// W06: exact after normalization, spelling by spelling.
func TestW06SpellingsOfOneName(t *testing.T) {
	same := [][]string{
		{"Bäckerei Bert GmbH", "BÄCKEREI BERT GMBH", "Baeckerei  Bert  GmbH", "Bäckerei Bert Gesellschaft mit beschränkter Haftung", "Bäckerei-Bert G.m.b.H.", "Ba\u0308ckerei Bert GmbH", "Bäckerei Bert Gesellschaft mbH"},
		{"Muster GmbH & Co. KG", "Muster GmbH u. Co KG", "Muster Gesellschaft mit beschränkter Haftung & Co. Kommanditgesellschaft", "MUSTER GMBH UND CO. KG", "Muster GmbH + Co.KG", "Muster GmbH&CoKG"},
		{"Müller und Söhne OHG", "Müller & Söhne oHG", "Mueller u. Soehne offene Handelsgesellschaft", "Müller+Söhne O.H.G."},
		{"Groß Handel e. K.", "GROẞ HANDEL E.K.", "Gross Handel eingetragener Kaufmann", "Groß Handel e. Kfr."},
		{"Muster UG (haftungsbeschränkt)", "Muster Unternehmergesellschaft (haftungsbeschränkt)", "Muster UG"},
		{"Tante Anna's Café", "Tante Annas Cafe", "Tante Anna’s Café"},
		{"Kanzlei Muster PartG mbB", "Kanzlei Muster Partnerschaftsgesellschaft mit beschränkter Berufshaftung"},
		{"ＡＢＣ GmbH", "ABC GmbH"},
	}
	for _, group := range same {
		for _, s := range group[1:] {
			if Name(s) != Name(group[0]) {
				t.Errorf("%q is %q, but %q is %q", group[0], Name(group[0]), s, Name(s))
			}
		}
	}
	for _, p := range [][2]string{{"Müller GmbH", "Muller GmbH"}, {"Muster GmbH", "Muster KG"}, {"Muster GmbH", "Muster"}, {"U. Muster", "und Muster"}, {"Bert I", "Bert II"}} {
		if Name(p[0]) == Name(p[1]) {
			t.Errorf("%q and %q are two companies, both %q", p[0], p[1], Name(p[0]))
		}
	}
}

func TestW06SpellingsOfOneAddress(t *testing.T) {
	for _, group := range [][]string{
		{"Karl-Marx-Straße", "Karl-Marx-Str.", "KARL MARX STRASSE", "Karl Marx Strasse", "karl-marx-straẞe", "Karl-Marxstr."},
		{"Bäckerstraße", "Bäcker Str.", "Bäcker-Straße", "Baeckerstrasse"},
		{"Straße des 17. Juni", "Str. des 17. Juni"},
		{"St.-Georg-Platz", "Sankt Georg Platz", "St. Georg-Pl."},
	} {
		for _, s := range group[1:] {
			if Street(s) != Street(group[0]) {
				t.Errorf("%q is %q, but %q is %q", group[0], Street(group[0]), s, Street(s))
			}
		}
	}
	for in, want := range map[string]string{"1 a": "1a", "1A": "1a", "01 a": "1a", "3 – 5": "3-5", "3-5": "3-5", "12/14": "12/14", " 7 ": "7", "100": "100", "1 - 03": "1-3", "5 -": "5", "3, 5": "3+5", "12 HINTERHAUS": "12hh", "Nr. 7": "7", "3 bis 5": "3-5", "12½": "12+1/2", "12 1/2": "12+1/2", "3 u. 5": "3+5", "3 u": "3u", "0": "0"} {
		if got := HouseNumber(in); got != want {
			t.Errorf("house number %q is %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"D-70174": "70174", " 70 174 ": "70174", "DE 70174": "70174", "00001": "00001"} {
		if got := Postcode(in); got != want {
			t.Errorf("postcode %q is %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string][2]string{
		"Musterstr. 12 a":         {"Musterstr.", "12 a"},
		"Straße des 17. Juni 135": {"Straße des 17. Juni", "135"},
		"Straße des 17. Juni":     {"Straße des 17. Juni", ""},
		"Am Markt 3 - 5":          {"Am Markt", "3 - 5"},
		"Hof":                     {"Hof", ""},
		"Weg 12 Hinterhaus":       {"Weg", "12 Hinterhaus"},
		"Am Kai 3 Haus 2":         {"Am Kai", "3 Haus 2"},
	} {
		if s, h := SplitStreet(in); s != want[0] || h != want[1] {
			t.Errorf("%q splits into %q and %q", in, s, h)
		}
	}
}

// R080, R086, W21: ident number, leading zeros, long form.
func TestR086IdentNumber(t *testing.T) {
	for _, c := range []struct {
		in, want string
		ok       bool
	}{
		{"11", "11", true},
		{" 000011 ", "11", true},
		{"560628108", "560628", true},
		{"560628 108", "560628", true},
		{"000011108", "11", true},
		{"560628109", "560628109", true},
		{"1234567890", "1234567890", true},
		{"12345678901", "", false},
		{"", "", false},
		{"0", "", false},
		{"A11", "", false},
		{"11.0", "", false},
		{"4,7E+05", "", false},
		{"１１", "11", true},
		{"١١", "", false},
	} {
		if got, ok := Ident(c.in, "108"); got != c.want || ok != c.ok {
			t.Errorf("ident %q is %q %v, want %q %v", c.in, got, ok, c.want, c.ok)
		}
	}
}

var pieces = rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
	"gmbh", "GmbH & Co. KG", "u.", "u", "&", "+", "und", "co", "cie", "e.", "g", "m", "b", "h", "kg", "auf Aktien", "Gesellschaft", "mit beschränkter Haftung", "haftungsbeschränkt",
	"str", "Str.", "Straße", "st", "pl", "Platz", "weg", "0", "01", "1 a", "-", "–", "/", "ẞ", "ß", "İ", "K", "Ǆ", "℡", "ﬃ", "\u0308", "a\u0323\u0308", "D-", "d", "e", "de", "12345", "ſ", "ϔ", "½",
}))

var spelled = rapid.Custom(func(t *rapid.T) string {
	s := ""
	for _, p := range rapid.SliceOfN(pieces, 0, 6).Draw(t, "pieces") {
		s += p + rapid.SampledFrom([]string{" ", "", "-"}).Draw(t, "gap")
	}
	return s
})

var folds = map[string]func(string) string{"text": Text, "name": Name, "street": Street, "house": HouseNumber, "postcode": Postcode, "place": Place}

// W06: folding twice is folding once, so keys may be stored.
func TestW06FoldsAreIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := spelled.Draw(t, "s")
		for name, f := range folds {
			if once := f(s); f(once) != once {
				t.Fatalf("%s: %q becomes %q, then %q", name, s, once, f(once))
			}
		}
		n, st, h, p := spelled.Draw(t, "name"), spelled.Draw(t, "street"), spelled.Draw(t, "house"), spelled.Draw(t, "postcode")
		if HouseNumber(h) == "" {
			h = "1"
		}
		if p = Postcode(p); len(p) > 5 {
			p = "00001"
		}
		if key := CompanyKey(strings.Repeat(n+"\ufdfa", 300), st, h, p); len(key) > longestKey {
			t.Fatalf("a key of %d bytes", len(key))
		}
		if a, b := CompanyKey(n, st, h, p), CompanyKey(Name(n), Street(st), HouseNumber(h), Postcode(p)); a != b {
			t.Fatalf("key %q, of the folded parts %q", a, b)
		}
	})
}

func FuzzFolds(f *testing.F) {
	f.Add("Bäckerei Bert GmbH & Co. KG")
	f.Add("HEIDESTRAẞE 17")
	f.Add("İſK℡\u0345ﬃ½ 1-03/a")
	f.Fuzz(func(t *testing.T, s string) {
		for name, f := range folds {
			if once := f(s); f(once) != once {
				t.Fatalf("%s: %q becomes %q, then %q", name, s, once, f(once))
			}
		}
		SplitStreet(s)
		if id, ok := Ident(s, "999"); ok && (len(id) > 10 || !Digits(id)) {
			t.Fatalf("ident %q of %q", id, s)
		}
	})
}

func BenchmarkCompanyKey(b *testing.B) {
	for b.Loop() {
		CompanyKey("Bäckerei Bert Gesellschaft mit beschränkter Haftung & Co. KG", "Karl-Marx-Straße", "12 a", "00001")
	}
}

// A hostile text must not cost more than its length: these took minutes when
// the folds were quadratic.
func TestFoldsAreLinear(t *testing.T) {
	for _, piece := range []string{"+", "u ", "e ", "str ", "weg ", "0", "-", "a\u0308", "\xff", "1 "} {
		long := strings.Repeat(piece, 1<<16) + "co"
		for name, f := range folds {
			start := dbtest.CPU()
			f(long)
			if d := dbtest.CPU() - start; d > 3*time.Second {
				t.Errorf("%s of %d times %q took %s", name, 1<<16, piece, d)
			}
		}
	}
}
