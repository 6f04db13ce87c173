package details_test

import (
	"net/http"
	"strings"
	"testing"

	"zunft/internal/identity/organization"
)

// R028: only who administers a company closes it, or takes that back: the page
// refuses everybody else, a member, a stranger, even the chamber's clerk.
func TestR028OnlyAdminsClose(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		closing := func() int { return w.Count(`SELECT count(*) FROM organization WHERE closes_at IS NOT NULL`) }
		refused := func() {
			t.Helper()
			for name, status := range map[string]int{"lena": http.StatusForbidden, "nora": http.StatusNotFound, "clara": http.StatusNotFound, "xenia": http.StatusNotFound} {
				w.browsers[name].Get(w.at("/close")).Want(t, status)
				for _, do := range []string{"close", "undo"} {
					w.browsers[name].Post(w.at("/close"), "do", do, "sure", "1").Want(t, status)
				}
			}
			if p := w.Person("192.0.2.99").Post(w.at("/close"), "do", "close", "sure", "1"); p.Status != http.StatusSeeOther || !strings.HasPrefix(p.To, "/login") {
				t.Error("somebody who is not signed in:", p.Status, p.To)
			}
		}
		if refused(); closing() != 0 {
			t.Fatal("somebody else closes it")
		}
		w.browsers["bert"].Post(w.at("/close"), "do", "close", "sure", "1").Goes(t, w.at("/close"))
		if refused(); closing() != 1 || w.state() != organization.Active {
			t.Error("somebody else takes it back")
		}
	})
}
