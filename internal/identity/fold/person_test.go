package fold

import (
	"testing"

	"pgregory.net/rapid"
)

// R217, R218: second given names that are missing, titles, hyphens and other
// letters are no other person; another given name is.
func TestR217People(t *testing.T) {
	for _, c := range []struct {
		given, family, otherGiven, otherFamily string
		want                                   Likeness
	}{
		{"Lena", "Berger", "Lena", "Berger", Same},
		{"LENA", "BERGER", "Lena", "Berger", Spelling},
		{"Lena Marie", "Berger", "Lena", "Berger", Shorter},
		{"Lena", "Berger", "Lena Marie Sophie", "Berger", Shorter},
		{"Marie", "Berger", "Lena Marie", "Berger", Shorter}, // the name people are called by is not always the first
		{"Lena-Marie", "Berger", "Lena Marie", "Berger", Spelling},
		{"Lenamarie", "Berger", "Lena Marie", "Berger", Spelling},
		{"Lena", "Berger", "Lea", "Berger", Other},
		{"Lena Marie", "Berger", "Lena Sophie", "Berger", Other},
		{"Marie Lena", "Berger", "Lena Marie", "Berger", Other},
		{"Jürgen", "Müller-Lüdenscheid", "Juergen", "Mueller Luedenscheid", Spelling},
		{"Dr. Lena", "Berger", "Lena", "Berger", Spelling},
		{"Prof. Dr. med. Lena", "Berger", "Lena", "Berger", Spelling},
		{"Lena", "Dr. Berger", "Lena", "Berger", Spelling},
		{"Lena", "von der Heide", "Lena", "von der Heide", Same},
		{"Lena", "Heide", "Lena", "von der Heide", Shorter},
		{"Lena", "van Heide", "Lena", "von Heide", Other},
		{"Lena", "Heider", "Lena", "von der Heide", Other},
		{"Murat", "Yılmaz", "Murat", "Yilmaz", Spelling},
		{"Murat", "YILMAZ", "Murat", "Yılmaz", Spelling},
		{"François", "Lefèvre", "Francois", "Lefevre", Spelling},
		{"Søren", "Ångström", "Soeren", "Angstroem", Spelling},
		{"Muller", "Weiß", "Müller", "Weiss", Other},
		{"Anna", "Weiß", "Anna", "WEIẞ", Spelling},
		{"Anna", "", "Anna", "", Same},
		{"Anna", "", "Anne", "", Other},
		{"", "Frau", "", "Frau", Same},
		{"Doktor", "Frau", "Doktor", "FRAU", Spelling}, // somebody is called so
	} {
		if got := People(c.given, c.family, c.otherGiven, c.otherFamily); got != c.want {
			t.Errorf("%s %s and %s %s: %d, want %d", c.given, c.family, c.otherGiven, c.otherFamily, got, c.want)
		}
	}
	if got := Person("Dr. Lena-Marie", "VON DER HEIDE"); got != "lena marie, von der heide" {
		t.Error(got)
	}
}

// Who is compared with whom makes no difference, and everybody is themselves.
func TestPeopleAreFair(t *testing.T) {
	name := rapid.Custom(func(t *rapid.T) string {
		return rapid.StringOf(rapid.RuneFrom([]rune("aÄßı -.'vonDr"))).Draw(t, "free") + rapid.SampledFrom([]string{"", " von Lena", "Lena Marie", "Dr. Lena", "der", "Müller-", "Weiß"}).Draw(t, "part")
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b, c, d := name.Draw(t, "a"), name.Draw(t, "b"), name.Draw(t, "c"), name.Draw(t, "d")
		if People(a, b, c, d) != People(c, d, a, b) {
			t.Fatalf("%d one way, %d the other", People(a, b, c, d), People(c, d, a, b))
		}
		if People(a, b, a, b) != Same {
			t.Fatal("not themselves")
		}
	})
}

func FuzzPeople(f *testing.F) {
	f.Add("Dr. Lena", "von der Heide", "Lena Marie", "Heide")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		if People(a, b, c, d) != People(c, d, a, b) {
			t.Errorf("%q %q %q %q", a, b, c, d)
		}
	})
}
