package registration

import (
	"testing"
	"unicode/utf8"

	"zunft/internal/ground/mail"
)

func TestMailsFill(t *testing.T) {
	for _, name := range []string{"registration_received", "registration_approved", "registration_asked_back", "registration_refused", "registration_proved", "registration_active", "registration_joined", "registration_forwarded"} {
		for _, lang := range []string{"de", "en"} {
			m, err := Texts.Fill(mail.Person{Name: "Bert Bäcker", Address: "bert@example.org", Lang: lang}, name, message{Reference: "R-7F3K-22M", Deviates: []string{"name", "register_court"}})
			if err != nil || m.Lang != lang || utf8.RuneCountInString(m.Subject) > 60 {
				t.Errorf("%s.%s: %q (%d) %v", name, lang, m.Subject, utf8.RuneCountInString(m.Subject), err)
			}
		}
	}
}

func TestFreemail(t *testing.T) {
	for address, yes := range map[string]bool{"a@web.de": true, "A@GMX.DE": true, "info@baeckerei-bert.example": false, "": false, "@": false} {
		if Freemail(address) != yes {
			t.Errorf("%q: %v", address, !yes)
		}
	}
}
