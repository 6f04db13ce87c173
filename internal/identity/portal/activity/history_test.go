package activity

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jba/templatecheck"

	"zunft/internal/identity/portal/portaltest"
)

func TestTemplates(t *testing.T) {
	for name, page := range map[string]any{
		"sessions": &sessionsPage{}, "apps": &appsPage{}, "history": &historyPage{}, "choices": &choicesPage{}, "report": &reportPage{},
	} {
		if err := templatecheck.CheckHTML(templates.Page(name), page); err != nil {
			t.Error(err)
		}
	}
}

// elsewhere are events on something else than a person's account.
var elsewhere = regexp.MustCompile(`^(application|audit|batch|chamber|directory|letter|policy|terms|text_block|staff\.not_found|organization\.(activation_failed|closed|followed|revocation_failed)|authorize|token|refresh|openid|roster|request\.relayed|account\.(purged|imported)|invitation\.(sent|renewed|reminded|slip_made|declined|revoked|expired|undeliverable)|registration_code\.made|registration\.name)`)

// Every event that a rule records on an account is told in words, or left out on
// purpose: what comes new cannot be forgotten.
func TestEveryEventHasWords(t *testing.T) {
	de, err := os.ReadFile("phrases/de.json")
	if err != nil {
		t.Fatal(err)
	}
	for key, where := range portaltest.Events(t, "../..") {
		if elsewhere.MatchString(key) {
			continue
		}
		if told := strings.Contains(string(de), `"activity.event.`+key+`"`); !told && !quiet[key] {
			t.Errorf("%s records %s: no words for it, and not left out", where, key)
		}
	}
}
