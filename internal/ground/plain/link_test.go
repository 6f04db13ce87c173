package plain

import "testing"

// What strangers write leads nobody away from our mails.
func TestLeads(t *testing.T) {
	for text, want := range map[string]bool{
		"Siehe https://example.org/a":            true,
		"ftp://x":                                true,
		"WWW.Example":                            true,
		"Melden Sie sich auf zunft-portal.de an": true,
		"boese.example.com/anmelden":             true,
		"Boese.DE":                               true,
		"bo\u200bese.d\u00ade":                   true,
		"boese．de":                               true,
		"boese。com":                              true,
		"müller-bäcker.de":                       true,
		"пример.рф":                              true,
		"bit.ly/abc":                             true,
		"a.co":                                   true,
		"anna@example.org/pfad":                  true,
		"@example.org":                           true,

		"Ich lerne ab 1.8.2026 in der Backstube.":                 false,
		"z.B. am Mo.-Fr., z.Hd. Frau Dr.med. Amsel, v.l.n.r.":     false,
		"Dipl.Ing. Otto, Hr.Meier, St.Gallen, GmbH & Co.KG":       false,
		"Der Plan steht in plan.pdf, Seite 3.4":                   false,
		"Fragen an anna.amsel@example.org oder an b@c.example.de": false,
		"Ich bin da. Es geht los ... im Mai":                      false,
		"":                                                        false,
	} {
		if got := Leads(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
