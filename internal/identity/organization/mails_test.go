package organization

import (
	"testing"
	"unicode/utf8"

	"zunft/internal/ground/mail"
)

func TestMailsFill(t *testing.T) {
	for _, lang := range []string{"de", "en"} {
		m, err := Texts.Fill(mail.Person{Name: "Bert Bäcker", Address: "bert@example.org", Lang: lang}, "organization_activated", message{})
		if err != nil || m.Lang != lang || utf8.RuneCountInString(m.Subject) > 60 {
			t.Errorf("%s: %q (%d) %v", lang, m.Subject, utf8.RuneCountInString(m.Subject), err)
		}
	}
}
