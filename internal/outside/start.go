package outside

import (
	"net/http"
	"strings"
)

// Start is the demo's first page: where everything is, who can sign in, and
// what to click first.
type Start struct {
	Identity, Training, Mailbox, PrintShop string // base addresses
	People                                 []Person
	Steps                                  []Step // the way that DefaultSteps tells when nil
}

// Person is somebody of the story who can sign in.
type Person struct {
	Key, Username, Email, Password string
	Says                           string // who she is, in her own words
	Name                           string // "Anna" from the key "anna" when empty
}

// Called is the person's name on the page.
func (p Person) Called() string {
	if p.Name != "" || p.Key == "" {
		return p.Name
	}
	return strings.ToUpper(p.Key[:1]) + p.Key[1:]
}

// Initial is the letter on the person's badge.
func (p Person) Initial() string {
	for _, r := range p.Called() {
		return strings.ToUpper(string(r))
	}
	return "?"
}

// Step is one thing to do: a short imperative, why it is worth it, and where.
type Step struct{ Title, Text, URL, Link string }

// DefaultSteps is the first walk through the story.
func (s Start) DefaultSteps() []Step {
	return []Step{
		{"Als Bert anmelden", "Bert verwaltet die Rollen in seiner Bäckerei. Benutzername und Passwort stehen auf dieser Seite.", s.Identity, "Identitätsportal öffnen"},
		{"Anna aufnehmen", "Anna wartet auf Antwort: Anfrage öffnen, „Mir zuweisen“, Rolle vergeben, zustimmen.", s.Identity, "Zu den Anfragen"},
		{"Die Mail lesen", "Anna hat Nachricht bekommen – über einen echten Mailserver in den Briefkasten.", at(s.Mailbox, "/mail"), "Briefkasten öffnen"},
		{"Als Anna ins Berichtsheft", "In einem anderen Browserfenster als Anna anmelden und die Woche schreiben.", s.Training, "Ausbildungsportal öffnen"},
		{"Den Brief ansehen", "Der Aktivierungsbrief an die Geschäftsführung liegt in der Druckerei, mit Kennwort und QR-Code.", at(s.PrintShop, "/letters"), "Druckerei öffnen"},
	}
}

func at(base, path string) string {
	if base == "" {
		return ""
	}
	return strings.TrimSuffix(base, "/") + path
}

// Handler serves the page at / and its look.
func (s Start) Handler() http.Handler {
	if s.Steps == nil {
		s.Steps = s.DefaultSteps()
	}
	mux := http.NewServeMux()
	looks(mux)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		show(w, http.StatusOK, "start.html", s)
	})
	return mux
}

// MailList and LetterList are where the mailbox and the print shop begin.
func (s Start) MailList() string { return at(s.Mailbox, "/mail") }

// LetterList is the print shop's list.
func (s Start) LetterList() string { return at(s.PrintShop, "/letters") }
