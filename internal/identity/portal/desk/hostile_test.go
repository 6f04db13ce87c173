package desk_test

import (
	"net/http"
	"strings"
	"testing"
)

// Hostile addresses and values get a 4xx, never a defect.
func TestHostileInput(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.submit("bert")
		for _, bad := range []string{"%00", "%ff", "x%00y", "..%2f", strings.Repeat("x", 1000), "%27%20OR%201=1"} {
			for _, path := range []string{
				"/chamber/registrations/" + bad, "/chamber/letters/batches/" + bad, "/registrations/" + bad, "/registrations/" + bad + "/done", "/organizations/activated?organization=" + bad,
				"/chamber/registrations/" + id + "?entry=" + bad, "/chamber/registrations/" + id + "?ident=" + bad, "/chamber/letters?before=" + bad, "/chamber/audit?before=" + bad + "&event=" + bad, "/chamber/registrations?status=" + bad + "&page=" + bad,
			} {
				for _, who := range []string{"clara", "bert"} {
					if r := w.get(who, path); r.Code >= 500 {
						t.Errorf("%s %s: %d", who, path, r.Code)
					}
				}
			}
			plain := strings.NewReplacer("%00", "\x00", "%ff", "\xff").Replace(bad)
			for _, form := range [][]string{
				{"/organizations/activate", "letter", plain},
				{"/organizations/activate", "ident_number", plain, "chamber_number", plain, "code", plain},
				{"/chamber/registrations/" + id, "do", "approve", "entry", plain, "evidence", plain, "version", plain},
				{"/chamber/registrations/" + id, "do", "takeover", "from", plain},
				{"/registrations/" + id, "do", "resubmit", "name", plain, "postcode", plain, "chamber", plain},
			} {
				for _, who := range []string{"clara", "bert"} {
					if r := w.post(who, form[0], form[1:]...); r.Code >= 500 {
						t.Errorf("%s posts %q: %d", who, form, r.Code)
					}
				}
			}
			hostile := bakery("submit")
			for i := 1; i < len(hostile)-2; i += 2 {
				hostile[i] = plain
			}
			if r := w.post("bert", "/organizations/register", hostile...); r.Code != http.StatusUnprocessableEntity {
				t.Errorf("register %q: %d", plain, r.Code)
			}
		}
	})
}
