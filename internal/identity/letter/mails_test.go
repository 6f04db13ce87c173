package letter

import (
	"testing"
	"unicode/utf8"

	"zunft/internal/ground/mail"
)

func TestMailsFill(t *testing.T) {
	for _, lang := range []string{"de", "en"} {
		m, err := Texts.Fill(mail.Person{Name: "Bert Bäcker", Address: "bert@example.org", Lang: lang}, "letter_dispatched", message{Name: "Bert Bäcker", Company: "Bäckerei Bert GmbH"})
		if err != nil || m.Lang != lang || utf8.RuneCountInString(m.Subject) > 60 {
			t.Errorf("%s: %+v %v", lang, m, err)
		}
	}
}
