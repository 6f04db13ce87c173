package review

import (
	"testing"

	"zunft/internal/ground/mail"
)

// Mail fills in a mail text.
func Mail(t *testing.T, name, lang string, data any) (subject, body string) {
	t.Helper()
	m, err := texts.Fill(mail.Person{Name: "Bert", Address: "bert@beispiel.example", Lang: lang}, name, data)
	if err != nil {
		t.Fatal(err)
	}
	return m.Subject, m.Body
}
