package table

import (
	"fmt"
	"testing"
)

// Columns are guessed whatever people call them, and names are parted.
func TestColumnsAreGuessed(t *testing.T) {
	for text, want := range map[string][]string{
		"first name;last name;e-mail address;trainee number;language\na;b;c@x.de;1;en":      {GivenName, FamilyName, Email, ApprenticeNumber, Language},
		"Nr.;Anrede;Name;Vorname;Azubi-Identnr.;E-Mail (geschäftlich)\n1;Frau;b;a;5;c@x.de": {"", "", FamilyName, GivenName, ApprenticeNumber, Email},
		"Name;Kontakt\nLena Berger;c@x.de":                                                  {FullName, Email},
		"Vorname;Irgendwas\nLena;c@x.de\nMax;d@x.de":                                        {GivenName, Email},
		"Lena;Berger;c@x.de;4711\nMax;Muster;d@x.de;4712":                                   {GivenName, FamilyName, Email, ""},
		"Berger, Lena\tc@x.de\nMuster, Max\td@x.de":                                         {FullName, Email},
		"c@x.de\nd@x.de": {Email},
		"E-Mail;E-Mail privat;Rolle\na@x.de;b@x.de;Azubi":      {Email, "", RoleName},
		"Vorname;Ausbilder;Ausbilder-Nr.;Identnummer\na;b;1;2": {GivenName, "", TrainerNumber, Number},
	} {
		list, err := ReadText(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := Guess(list); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for name, want := range map[string][2]string{
		"Lena Berger": {"Lena", "Berger"}, "Berger, Lena Marie": {"Lena Marie", "Berger"}, "Ursula von der Leyen": {"Ursula", "von der Leyen"}, "Cher": {"", "Cher"}, "Max Peter Muster": {"Max Peter", "Muster"},
	} {
		if g, f := SplitName(name); g != want[0] || f != want[1] {
			t.Errorf("%s: %q %q", name, g, f)
		}
	}
}
