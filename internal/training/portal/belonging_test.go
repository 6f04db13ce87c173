package portal_test

import (
	"slices"
	"strings"
	"testing"

	"zunft/internal/ground/dbtest"
	"zunft/internal/training/schema"
)

// R203: who belongs to which company is changed in the identity portal only.
// All that a person can send here is named below, and none of it is about
// companies; what the tokens say is the whole truth, at every sign-in anew.
func TestCompaniesAreChangedElsewhere_R203(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	var changes []string
	for _, route := range w.portal.Mux.Routes {
		if path, ok := strings.CutPrefix(route.Pattern, "POST "); ok {
			changes = append(changes, path)
		}
	}
	slices.Sort(changes)
	want := []string{
		"/absences", "/absences/{id}/remove", "/chamber/apprenticeships/{id}", "/chamber/documents", "/chamber/documents/{id}/withdraw",
		"/chamber/report-books/{id}/confirm", "/chamber/report-books/{id}/end", "/chamber/report-books/{id}/export", "/company/assignments/change", "/company/imports/{list}", "/company/imports/{list}/rows",
		"/company/reminders",
		"/company/settings/{occupation}", "/company/settings/{occupation}/reset", "/company/supervisors", "/company/supervisors/withdraw", "/company/trainees/import",
		"/company/trainees/new", "/company/trainees/{id}/assignments/{assignment}/end", "/company/trainees/{id}/continue", "/company/trainees/{id}/edit",
		"/company/trainees/{id}/end", "/company/trainees/{id}/link", "/company/trainees/{id}/unlink", "/documents/{id}", "/exam/intermediate",
		"/exports/{id}/drop", "/imports/{id}", "/imports/{id}/drop", "/login", "/logout", "/oidc/backchannel-logout", "/oidc/events", "/reports/backfill",
		"/reports/export", "/reports/import", "/reports/{week}", "/reports/{week}/attachments", "/reports/{week}/attachments/{file}/remove",
		"/reports/{week}/comment", "/reports/{week}/day/{date}", "/reports/{week}/submit", "/reports/{week}/take-back", "/reviews/all",
		"/reviews/{id}/comment", "/reviews/{id}/confirm", "/reviews/{id}/reopen", "/reviews/{id}/return", "/reviews/{id}/sign-off", "/reviews/{id}/undo", "/settings/pattern",
		"/settings/reminders", "/settings/reminders/calendar", "/settings/reminders/calendar/end", "/settings/tokens", "/settings/tokens/{id}/revoke", "/shares", "/shares/{id}/{deed}", "/snippets", "/snippets/{id}/remove", "/substitute",
		"/substitute/{id}/end", "/supervisor", "/supervisor/leave", "/supervisor/pin", "/supervisor/reports/{id}/comment",
		"/supervisor/reports/{id}/return", "/supervisor/reports/{id}/sign-off", "/supervisor/reports/{id}/undo", "/trainees/{id}/export", "/trainees/{id}/registered", "/verify",
		"/verify/{code}",
	}
	if !slices.Equal(changes, want) {
		t.Errorf("what can be sent:\n%s\nwant\n%s", strings.Join(changes, "\n"), strings.Join(want, "\n"))
	}
	w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice")).get("/").is(200).has("Bäckerei korn")
	w.comes(claims("anna", "Anna", "Muster", "mehl", "apprentice")).get("/").is(200).has("Bäckerei mehl").lacks("Bäckerei korn")
}

// R291, R290: apprentices, and everybody else, find the way to their e-mail
// address here, on every page: "Profil" leads to the account.
func TestTheWayToTheAccount_R291(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
	for _, page := range []string{"/", "/reports", "/reports/2026-W47"} {
		if p := anna.get(page).is(200); !strings.Contains(p.body, `href="http://127.0.0.1:1/account"`) || !strings.Contains(p.body, " Profil</a>") {
			t.Errorf("%s: no way to the account", page)
		}
	}
	w.comes(claims("bert", "Bert", "Meister", "korn", "trainer")).get("/reviews").is(200).has(`href="http://127.0.0.1:1/account"`)
}
