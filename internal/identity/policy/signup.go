package policy

// SignUp is a sign-up profile: what is asked, in which steps, and what must be
// accepted (glossary: Registrierungsprofil).
type SignUp struct {
	// MailDomains that are accepted; empty: all (R243).
	MailDomains []string `json:"mail_domains,omitempty"`
}

func (s SignUp) check() error { return nil }
