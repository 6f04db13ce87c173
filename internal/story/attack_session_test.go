package story_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/story"
)

const identityCookie, trainingCookie = "zunft_session", "zunft_training_session"

// in reports whether a session token still opens something.
func in(t *testing.T, base, path, name, token string) bool {
	t.Helper()
	r, _ := newVisitor(t).send("GET", base+path, http.Header{"Cookie": {name + "=" + token}}, nil)
	return r.StatusCode == http.StatusOK
}

// Session tokens: fixed by nobody, new with each proof, dead after their end,
// by hand or by time; both portals (CVE-2026-7507, CVE-2025-12390, ASVS 7.2.4).
func TestSessions(t *testing.T) {
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	w := start(t, "sqlite", story.Options{Now: now})
	p := w.Person("lena")
	form := url.Values{"username": {p.Username}, "password": {p.Password}}
	token := func(r *http.Response, name string) string {
		for _, c := range r.Cookies() {
			if c.Name == name {
				return c.Value
			}
		}
		return ""
	}

	// Fixation: a token that was there before opens nothing after.
	fixed := strings.Repeat("A", 43)
	post := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	with := func(cookie string) http.Header {
		h := post.Clone()
		h.Set("Cookie", cookie)
		return h
	}
	r, _ := newVisitor(t).send("POST", w.Identity+"/login", with(identityCookie+"="+fixed), strings.NewReader(form.Encode()))
	first := token(r, identityCookie)
	if first == "" || first == fixed || len(first) < 43 || in(t, w.Identity, "/account", identityCookie, fixed) {
		t.Error("fixation")
	}
	// Flags: HttpOnly, SameSite=Lax, the whole site, no Domain, no lifetime for the session.
	for _, c := range r.Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Domain != "" || c.Path != "/" {
			t.Error("cookie", c.Raw)
		}
		if c.Name == identityCookie && (c.MaxAge != 0 || !c.Expires.IsZero()) {
			t.Error("the session outlives the browser", c.Raw)
		}
	}
	// Two cookies of one name, or many: no panic, and not the attacker's session beside the own.
	r, _ = newVisitor(t).send("GET", w.Identity+"/account", http.Header{"Cookie": {identityCookie + "=" + fixed + "; " + identityCookie + "=" + first}}, nil)
	if r.StatusCode >= 500 {
		t.Error(r.StatusCode)
	}
	// Signing in again, as the same or as somebody else: the old token is dead.
	r, _ = newVisitor(t).send("POST", w.Identity+"/login", with(identityCookie+"="+first), strings.NewReader(form.Encode()))
	second := token(r, identityCookie)
	if second == "" || second == first || in(t, w.Identity, "/account", identityCookie, first) {
		t.Error("the token before the sign-in lives on")
	}
	// Proving oneself again (prompt=login): new token, the old one is dead.
	again := url.Values{"username": {p.Username}, "password": {p.Password}, "again": {"1"}}
	r, _ = newVisitor(t).send("POST", w.Identity+"/login", with(identityCookie+"="+second), strings.NewReader(again.Encode()))
	third := token(r, identityCookie)
	if third == "" || in(t, w.Identity, "/account", identityCookie, second) || !in(t, w.Identity, "/account", identityCookie, third) {
		t.Error("the token before the new proof lives on")
	}
	// again=1 with somebody else's password is no proof of the first person's.
	bert := w.Person("bert")
	r, _ = newVisitor(t).send("POST", w.Identity+"/login", with(identityCookie+"="+third), strings.NewReader(url.Values{"username": {bert.Username}, "password": {bert.Password}, "again": {"1"}}.Encode()))
	if in(t, w.Identity, "/account", identityCookie, third) || token(r, identityCookie) == "" {
		t.Error("two people in one session")
	}
	// The name "remember" keeps the name, nothing else (R032).
	r, _ = newVisitor(t).send("POST", w.Identity+"/login", post, strings.NewReader(url.Values{"username": {p.Username}, "password": {p.Password}, "remember": {"1"}}.Encode()))
	for _, c := range r.Cookies() {
		if c.Name != identityCookie && c.MaxAge > 0 && strings.Contains(c.Value, token(r, identityCookie)) {
			t.Error("the session is remembered", c.Name)
		}
	}

	// Out at the identity portal: token dead, training too, by back-channel.
	lena := as(t, w, "lena")
	lena.follow(w.Training + "/reports")
	here, there := lena.cookie(w.Identity, identityCookie), lena.cookie(w.Training, trainingCookie)
	if !in(t, w.Training, "/reports", trainingCookie, there) {
		t.Fatal("not in at the training portal")
	}
	lena.post(w.Identity+"/logout", nil)
	ended(t, w.TrainingDB)
	if in(t, w.Identity, "/account", identityCookie, here) || in(t, w.Training, "/reports", trainingCookie, there) {
		t.Error("signed out, and still in")
	}
	// A new password ends everything everywhere.
	lena = as(t, w, "lena")
	lena.follow(w.Training + "/reports")
	here = lena.cookie(w.Identity, identityCookie)
	newVisitor(t).post(w.Identity+"/recover/password", url.Values{"login": {"lena.lerche"}})
	at := link(t, mail(t, w, "lena@example.org", "Passwort"), "/recover/password/")
	newVisitor(t).get(at) // a scanner looks
	newVisitor(t).send("HEAD", at, nil, nil)
	if r, body := newVisitor(t).post(at, url.Values{"password": {"Butterkuchen am Blech"}, "password_repeat": {"Butterkuchen am Blech"}}); r.StatusCode != http.StatusSeeOther {
		t.Fatal(text(body))
	}
	ended(t, w.TrainingDB)
	if in(t, w.Identity, "/account", identityCookie, here) {
		t.Error("the thief of a session is still in after the new password")
	}

	// Time: 30 minutes of rest, 12 hours at most; the row goes a day later.
	anna := as(t, w, "anna")
	ahead.Add(int64(29 * time.Minute))
	if r, _ := anna.get(w.Identity + "/account"); r.StatusCode != http.StatusOK {
		t.Error("out before 30 minutes")
	}
	ahead.Add(int64(31 * time.Minute))
	if r, _ := anna.get(w.Identity + "/account"); r.StatusCode == http.StatusOK {
		t.Error("in after 30 minutes of rest")
	}
	anna = as(t, w, "anna")
	for range 12*3 - 1 {
		ahead.Add(int64(20 * time.Minute))
		if r, _ := anna.get(w.Identity + "/account"); r.StatusCode != http.StatusOK {
			t.Fatal("out although in use", time.Duration(ahead.Load()))
		}
	}
	ahead.Add(int64(21 * time.Minute))
	if r, _ := anna.get(w.Identity + "/account"); r.StatusCode == http.StatusOK {
		t.Error("in after 12 hours")
	}
	ahead.Add(int64(26 * time.Hour))
	for deadline := time.Now().Add(20 * time.Second); count(t, w.IdentityDB, `SELECT count(*) FROM session`) > 0; {
		if time.Now().After(deadline) {
			t.Fatal("sessions are kept for ever")
		}
		<-time.After(20 * time.Millisecond)
	}
}

// A mail scanner opens every link, twice, in any way but a person's press of
// the button; the link still works for its owner (authelia#2994, fusionauth#629).
func TestMailScanner(t *testing.T) {
	w := start(t, "sqlite", story.Options{})
	v := newVisitor(t)
	v.signUp(w, "mia.moewe", "mia@example.org", nil)
	m := mail(t, w, "mia@example.org", "Bestätigungscode")
	scanner := newVisitor(t)
	for _, l := range m.Links() {
		for _, method := range []string{"HEAD", "GET", "GET", "OPTIONS", "PUT"} {
			scanner.send(method, l, nil, nil)
		}
		// A form posted by a script of another origin.
		if r, _ := scanner.send("POST", l, http.Header{"Origin": {"https://scanner.example"}, "Sec-Fetch-Site": {"cross-site"}}, nil); r.StatusCode < 400 {
			t.Error("a form from another origin is taken", r.StatusCode)
		}
	}
	if n := count(t, w.IdentityDB, `SELECT count(*) FROM account WHERE username = 'mia.moewe' AND state = 'unconfirmed'`); n != 1 {
		t.Fatal("the scanner confirmed the account")
	}
	at := link(t, m, "/confirm/")
	if r, body := newVisitor(t).post(at, nil); r.StatusCode != http.StatusSeeOther {
		t.Error("the link is worn out", r.StatusCode, text(body))
	}
	// Used, it says so and opens nothing; the page that shows it sends no Referer elsewhere.
	r, _ := newVisitor(t).get(at)
	if r.StatusCode != http.StatusGone || !strings.HasPrefix(r.Header.Get("Referrer-Policy"), "same-origin") && r.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Error(r.StatusCode, r.Header.Get("Referrer-Policy"))
	}
}
