package story_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"zunft/internal/story"
)

// Kinds of people, by the keys of those who are one.
var kinds = map[string]string{
	"signed":   "anna bert clara frida kuno lena murat nora otto rita",
	"clerk":    "clara kuno",
	"lead":     "clara",
	"operator": "otto",
}

// The authorization matrix of every route without an id (those with one are in
// TestAccess): who gets in. "open" is for strangers, too. A route that is in
// neither is for nobody: this test fails until somebody has decided.
var matrix = map[string]string{
	"open": `/ | GET /{$} | GET /healthz | GET /readyz | GET /logged-out
		GET /login | POST /login | GET /login/ways | GET /login/next | GET /login/second-factor | POST /login/second-factor | POST /login/second-factor/passkey
		GET /login/setup | POST /login/setup | POST /login/setup/passkey | GET /login/terms | POST /login/terms | POST /login/passkey | POST /login/passkey/options
		GET /login/keep | POST /login/keep | POST /logout | GET /unlock | POST /unlock
		GET /register | POST /register | GET /register/verify | POST /register/verify | GET /register/done
		GET /recover | POST /recover | GET /recover/password | POST /recover/password | GET /recover/assisted | POST /recover/assisted
		GET /chambers | GET /information-duties | GET /invitations/code | POST /invitations/code | GET /revoke | POST /revoke | POST /account/preferences
		GET /accessibility | GET /contact | GET /imprint | GET /privacy | GET /help | GET /terms-of-use`,
	"signed": `GET /account | GET /account/activity | GET /account/apps | GET /account/confirm | POST /account/confirm | POST /account/confirm/passkey
		GET /account/consents | GET /account/data | POST /account/data | GET /account/delete | POST /account/delete
		GET /account/emails | POST /account/emails | GET /account/emails/add | POST /account/emails/add | GET /account/emails/confirm | POST /account/emails/confirm
		GET /account/emails/main | POST /account/emails/main | GET /account/invitations | GET /account/lock | POST /account/lock
		GET /account/mandates | GET /account/mandates/new | POST /account/mandates/new | GET /account/notifications | POST /account/notifications
		GET /account/profile | GET /account/profile/correction | POST /account/profile/correction | GET /account/profile/edit | POST /account/profile/edit
		GET /account/security | GET /account/security/authenticator | POST /account/security/authenticator | GET /account/security/passkeys | POST /account/security/passkeys
		POST /account/security/passkeys/options | GET /account/security/password | POST /account/security/password | GET /account/security/recovery-codes
		POST /account/security/recovery-codes | GET /account/security/two-step | POST /account/security/two-step | GET /account/sessions | POST /account/sessions/end-others
		GET /acting | POST /acting | GET /authorize/no-access | POST /authorize/no-access | GET /authorize/organization | POST /authorize/organization
		GET /parked | POST /parked | GET /notifications | POST /notifications/read | GET /organizations/activate | POST /organizations/activate | GET /organizations/activated
		GET /organizations/join | POST /organizations/join | GET /organizations/register | POST /organizations/register | GET /requests`,
	"clerk": `GET /chamber | GET /chamber/audit | GET /chamber/audit.csv | GET /chamber/deviations | GET /chamber/directory | POST /chamber/directory | GET /chamber/identities
		GET /chamber/letters | POST /chamber/letters | GET /chamber/letters/returned | GET /chamber/mandates | GET /chamber/organizations | GET /chamber/persons | GET /chamber/recoveries
		GET /chamber/registrations | GET /chamber/requests | GET /chamber/sites | POST /chamber/sites | GET /chamber/statistics | GET /chamber/successions | POST /chamber/successions
		GET /chamber/team | GET /chamber/templates`,
	"lead": `GET /chamber/settings | GET /chamber/settings/contact | POST /chamber/settings | POST /chamber/settings/contact | POST /chamber/team | POST /chamber/templates | POST /chamber/templates/new | GET /chamber/templates/new`,
	"operator": `GET /admin | GET /admin/apps | GET /admin/apps/new | POST /admin/apps/new | GET /admin/chambers | GET /admin/chambers/new | POST /admin/chambers/new
		GET /admin/users | POST /admin/users`,
}

// Who may do what (issue C): each route of the route table and each kind of
// person. Whoever may not is told so or finds nothing, and changes nothing.
func TestMatrix(t *testing.T) {
	h := intrude(t, start(t, "sqlite", story.Options{}))
	group := map[string]string{}
	for kind, patterns := range matrix {
		for p := range strings.FieldsFuncSeq(patterns, func(r rune) bool { return r == '|' || r == '\n' }) {
			if p = strings.TrimSpace(p); p != "" {
				group[p] = kind
			}
		}
	}
	who := map[string]*visitor{"stranger": newVisitor(t)}
	for _, p := range h.People {
		who[p.Key] = as(t, h.World, p.Key)
	}
	h.proved()
	ours := []string{"organization", "registration", "membership", "role_grant", "request", "letter", "letter_batch", "staff", "evidence", "chamber", "chamber_setting", "text_block", "application", "application_role", "application_secret", "site", "invitation", "mandate"}
	before := dump(t, h.IdentityDB, ours...)
	for _, route := range h.ID.Mux.Routes {
		if strings.Contains(route.Pattern, "{") && !strings.Contains(route.Pattern, "{$}") || machine(route.Pattern) {
			continue
		}
		kind, known := group[route.Pattern]
		if !known {
			t.Errorf("%s: say here who may", route.Pattern)
			continue
		}
		delete(group, route.Pattern)
		if route.Open != (kind == "open") {
			t.Errorf("%s is open: %t, but is for: %s", route.Pattern, route.Open, kind)
		}
		if kind == "open" {
			continue
		}
		method, path, _ := strings.Cut(route.Pattern, " ")
		for key, v := range who {
			may := slices.Contains(strings.Fields(kinds[kind]), key)
			if may && method == "POST" {
				continue // what it does is told elsewhere
			}
			var r *http.Response
			var body string
			if method == "GET" {
				r, body = v.get(h.Identity + path)
			} else {
				r, body = v.post(h.Identity+path, url.Values{"do": {"add"}, "email": {"rita@example.org"}, "yes": {"1"}, "name": {"x"}, "id": {h.bakery}, "number": {"777"}, "version": {"0"}})
			}
			refused := r.StatusCode == http.StatusForbidden || r.StatusCode == http.StatusNotFound
			toLogin := r.StatusCode == http.StatusSeeOther && strings.HasPrefix(r.Header.Get("Location"), "/login")
			switch {
			case may && (refused && kind != "signed" || toLogin || r.StatusCode >= 500):
				t.Errorf("%s: %s may, and gets %d %s", route.Pattern, key, r.StatusCode, r.Header.Get("Location"))
			case !may && key == "stranger" && !toLogin, !may && key != "stranger" && !refused:
				t.Errorf("%s: %s may not, and gets %d\n%s", route.Pattern, key, r.StatusCode, text(body))
			}
		}
	}
	for p := range group {
		t.Errorf("%s: there is no such route any more", p)
	}
	if after := dump(t, h.IdentityDB, ours...); !slices.Equal(before, after) {
		t.Errorf("somebody changed what is not theirs:\n%s", difference(before, after))
	}
}
