package story_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"zunft/internal/identity/policy"
	"zunft/internal/story"
)

// Links of other purposes, hostile values, missing proofs and second tabs at the
// pages of leaving: nothing happens that was not meant, and nothing breaks.
func TestLeavingUnderAttack(t *testing.T) {
	w := start(t, "sqlite", story.Options{Policy: rule(t, func(*policy.Policy) {})})
	nora := as(t, w, "nora")
	stranger := newVisitor(t)
	state := func() string {
		return value(t, w.IdentityDB, `SELECT state || ' ' || lock_reason || ' ' || CASE WHEN delete_at IS NULL THEN 'stays' ELSE 'goes' END FROM account WHERE email = 'nora@example.org'`)
	}
	status := func(r *http.Response, want ...int) {
		t.Helper()
		for _, s := range want {
			if r.StatusCode == s {
				return
			}
		}
		t.Errorf("%s %s: %d, want one of %v", r.Request.Method, r.Request.URL.Path[:min(60, len(r.Request.URL.Path))], r.StatusCode, want)
	}

	// Deleting asks for a tick, then for a proof; without them nothing goes.
	r, body := nora.post(w.Identity+"/account/delete", url.Values{})
	if status(r, 422); !strings.Contains(body, "Bestätigen Sie, dass Sie Ihr Konto löschen möchten") {
		t.Error("no tick is asked for")
	}
	r, _ = nora.post(w.Identity+"/account/delete", url.Values{"sure": {"1"}})
	if status(r, 303); !strings.HasPrefix(r.Header.Get("Location"), "/account/confirm") || state() != "active  stays" {
		t.Error("no proof is asked for:", r.Header.Get("Location"), state())
	}
	for _, page := range []string{"/account/data/0", "/account/data/0/download"} {
		r, _ = nora.get(w.Identity + page)
		if status(r, 303); !strings.HasPrefix(r.Header.Get("Location"), "/account/confirm") {
			t.Error("own data without a proof", page)
		}
	}

	// A lock; its mail holds two links, and each opens its own page only.
	r, _ = nora.post(w.Identity+"/account/lock", url.Values{})
	status(r, 303)
	if state() != "locked self stays" {
		t.Fatal(state())
	}
	report := link(t, mail(t, w, "nora@example.org", "Ihr Konto ist gesperrt"), "/report-activity/")
	token := report[strings.LastIndex(report, "/")+1:]
	for _, place := range []string{"/keep/", "/unlock/", "/recover/password/", "/undo/", "/confirm/"} {
		r, _ = stranger.get(w.Identity + place + token)
		status(r, 404)
		r, _ = stranger.post(w.Identity+place+token, url.Values{"password": {"Ganz neue Körner 8"}, "password_repeat": {"Ganz neue Körner 8"}})
		status(r, 404, 409, 422)
	}
	for _, method := range []string{"HEAD", "GET", "GET"} { // mail scanners
		r, _ = stranger.send(method, report, http.Header{}, nil)
		status(r, 200)
	}
	if state() != "locked self stays" {
		t.Error("a link was used by opening it, or at another page:", state())
	}
	for _, hostile := range []string{"x", strings.Repeat("A", 43), strings.Repeat("A", 1500), "%00", "%ff", "..%2f..", "<script>", "' OR 1=1 --"} {
		for _, place := range []string{"/report-activity/", "/keep/"} {
			address := w.Identity + place + strings.NewReplacer("<", "%3C", ">", "%3E", " ", "%20", "'", "%27").Replace(hostile)
			r, _ = stranger.get(address)
			status(r, 404, 400)
			r, _ = stranger.post(address, url.Values{})
			status(r, 404, 400)
		}
	}
	for _, login := range []string{"", " ", strings.Repeat("a", 100_000), "a\x00b", "<b>", "nora.nagel' --"} {
		r, body = stranger.post(w.Identity+"/unlock", url.Values{"login": {login}})
		if status(r, 303, 422, 429); strings.Contains(body, "<b>") {
			t.Error("what was typed is markup")
		}
	}
	r, _ = stranger.post(w.Identity+"/unlock", url.Values{"login": {strings.Repeat("a", 1<<20)}})
	status(r, 422, 413)

	// The button works once; a second tab reads that it was used.
	r, _ = stranger.post(report, url.Values{})
	if status(r, 303); !strings.HasPrefix(r.Header.Get("Location"), "/recover/password/") || state() != "locked disavowed stays" {
		t.Error(r.Header.Get("Location"), state())
	}
	r, body = newVisitor(t).post(report, url.Values{})
	if status(r, 410); !strings.Contains(body, "schon gesichert") {
		t.Error("the second tab reads nothing of it")
	}

	// Choices: what is no topic is nothing, and other people's are theirs.
	anna, bert := as(t, w, "anna"), as(t, w, "bert")
	r, _ = anna.post(w.Identity+"/account/notifications", url.Values{"topics": {"answers", "security", "everything", "' --"}, "account": {"bert"}})
	status(r, 303)
	if got := value(t, w.IdentityDB, `SELECT group_concat(topic || mail, ' ') FROM (SELECT topic, mail FROM notice_choice ORDER BY topic)`); got != "answers1 registrations0 requests0" {
		t.Error("choices:", got)
	}
	// One's own notices only; a notice leads to where it says and nowhere else.
	notice := value(t, w.IdentityDB, `SELECT n.id FROM notice n JOIN account a ON a.id = n.account WHERE a.email = 'bert@example.org' AND n.read_at IS NULL LIMIT 1`)
	r, _ = anna.post(w.Identity+"/notifications/"+notice, url.Values{})
	status(r, 404)
	r, _ = bert.post(w.Identity+"/notifications/"+notice+"?to=https://evil.example", url.Values{"href": {"https://evil.example"}})
	if status(r, 303); r.Header.Get("Location") != value(t, w.IdentityDB, `SELECT href FROM notice WHERE id = $1`, notice) {
		t.Error(r.Header.Get("Location"))
	}
	if left := value(t, w.IdentityDB, `SELECT CASE WHEN read_at IS NULL THEN 'unread' ELSE 'read' END FROM notice WHERE id = $1`, notice); left != "read" {
		t.Error("still unread")
	}
	// Others' sessions and strangers at the step of the sign-in.
	r, _ = stranger.get(w.Identity + "/login/keep")
	status(r, 303)
	r, _ = stranger.post(w.Identity+"/login/keep", url.Values{})
	status(r, 303)
	r, _ = anna.post(w.Identity+"/login/keep", url.Values{})
	status(r, 303)
}
