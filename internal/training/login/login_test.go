package login_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/schema"
)

// The good way: what is asked, what is sent, and who is in.
func TestSignIn_R225(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		p := newPortal(t, d)
		u := p.user()
		q := u.begins()
		for key, want := range map[string]string{
			"response_type": "code", "client_id": "training", "scope": "openid profile email organization roles",
			"redirect_uri": p.server.URL + "/oidc/callback", "code_challenge_method": "S256", "ui_locales": "de",
		} {
			if q.Get(key) != want {
				t.Errorf("%s is %q, wanted %q", key, q.Get(key), want)
			}
		}
		if len(q.Get("state")) != 43 || len(q.Get("nonce")) != 43 || len(q.Get("code_challenge")) != 43 {
			t.Errorf("state, nonce and challenge are %v", q)
		}
		if status, location, body := u.returns(q); status != 303 || location != "/inside?x=1" {
			t.Fatalf("came back to %d %q\n%s", status, location, body)
		}
		if _, _, body := u.send("GET", "/inside", nil); body != "Anna Muster / Bäckerei Korn / apprentice" {
			t.Errorf("inside is %q", body)
		}
		if p.provider.asked.Get("redirect_uri") != p.server.URL+"/oidc/callback" {
			t.Errorf("token request was %v", p.provider.asked)
		}
		if n := p.count(`SELECT count(*) FROM login_attempt`); n != 0 {
			t.Errorf("%d attempts are left", n)
		}
		// Signing in again replaces the session.
		if status, _, _ := u.returns(q); status != 303 { // the back button
			t.Errorf("the answer again: %d", status)
		}
		if n := p.count(`SELECT count(*) FROM audit WHERE event = 'session.started'`); n != 1 {
			t.Errorf("%d sessions started", n)
		}
	})
}

// Decision 0025: on a shared phone the drafts of one person are not for the next
// one who signs in, also if that one opens no week; one's own stay.
func TestDraftsAreOnePersons(t *testing.T) {
	p := newPortal(t, dbtest.Open(t, "sqlite", schema.Files))
	u := p.user()
	for i, x := range []struct{ sub, clears string }{{"anna", ""}, {"anna", ""}, {"bert", `"storage"`}, {"anna", `"storage"`}, {"anna", ""}} {
		p.provider.claims["sub"] = x.sub
		u.client.Jar.SetCookies(mustURL(t, u.server.URL), []*http.Cookie{{Name: "zunft_training_session", MaxAge: -1}}) // the session is over
		if status, _, body := u.returns(u.begins()); status != http.StatusSeeOther || u.header.Get("Clear-Site-Data") != x.clears {
			t.Errorf("%d. %s: %d, Clear-Site-Data %q\n%s", i+1, x.sub, status, u.header.Get("Clear-Site-Data"), body)
		}
	}
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	to, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// Whatever is wrong with an answer, nobody comes in.
func TestAnswersNotBelieved(t *testing.T) {
	type m = map[string]any
	now := time.Now().Unix()
	cases := map[string]struct {
		claims m
		answer []string
		before func(*provider)
		status int
	}{
		"other issuer (RFC 9207)":     {answer: []string{"iss", "https://evil.example"}},
		"no issuer (RFC 9207)":        {answer: []string{"iss", ""}},
		"other code":                  {answer: []string{"code", "guessed"}},
		"no code":                     {answer: []string{"code", ""}},
		"other state":                 {answer: []string{"state", "guessed"}},
		"no state":                    {answer: []string{"state", ""}},
		"other nonce":                 {claims: m{"nonce": "another"}},
		"no nonce":                    {claims: m{"nonce": nil}},
		"token of another issuer":     {claims: m{"iss": "https://evil.example"}},
		"token for another":           {claims: m{"aud": "somebody"}},
		"token for two, no azp":       {claims: m{"aud": []string{"training", "somebody"}}},
		"token for two, azp another":  {claims: m{"aud": []string{"training", "somebody"}, "azp": "somebody"}},
		"expired token":               {claims: m{"exp": now - 60}},
		"token from the future":       {claims: m{"iat": now + 3600}},
		"no subject":                  {claims: m{"sub": nil}},
		"long subject":                {claims: m{"sub": strings.Repeat("x", 256)}},
		"foreign key":                 {before: func(p *provider) { p.signer = newKey(p.t) }},
		"wrong at_hash":               {claims: m{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
		"userinfo of somebody else":   {claims: m{"name": nil}, before: func(p *provider) { p.userinfo = m{"sub": "emil", "name": "Emil"} }},
		"no role (R029)":              {claims: m{"roles": nil}, status: 403},
		"unknown role":                {claims: m{"roles": []string{"emperor"}}, status: 403},
		"no company":                  {claims: m{"organization": nil}, before: func(p *provider) { p.userinfo = m{"sub": "anna"} }, status: 403},
		"access_denied":               {answer: []string{"code", "", "error", "access_denied"}, status: 403},
		"login_required":              {answer: []string{"code", "", "error", "login_required"}, status: 403},
		"temporarily_unavailable":     {answer: []string{"code", "", "error", "temporarily_unavailable"}, status: 503},
		"an error nobody knows":       {answer: []string{"code", "", "error", "<script>alert(1)</script>"}},
		"an error and another issuer": {answer: []string{"error", "access_denied", "iss", "https://evil.example"}},
	}
	d := dbtest.Open(t, "sqlite", schema.Files)
	p := newPortal(t, d)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			fresh := newProvider(t)
			*p.provider = provider{t: t, server: p.provider.server, key: p.provider.key, now: time.Now, claims: map[string]any{}, metadata: map[string]any{}, userinfo: fresh.userinfo}
			for k, v := range c.claims {
				p.provider.claims[k] = v
			}
			key := p.provider.key
			if c.before != nil {
				c.before(p.provider)
			}
			p.provider.t = t
			u := p.user()
			status, location, body := u.returns(u.begins(), c.answer...)
			p.provider.key = key
			want := c.status
			if want == 0 {
				want = 400
			}
			if status != want || location != "" || !strings.Contains(body, `action="/login"`) || strings.Contains(body, "<script") {
				t.Errorf("answered %d %q, wanted the kind page with %d\n%s", status, location, want, body)
			}
			if u.inside() {
				t.Error("somebody came in")
			}
		})
	}
}

// The state is bound to the browser that began, and good once.
func TestStateIsBoundToTheBrowser(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		p := newPortal(t, d)
		victim, attacker := p.user(), p.user()
		q := attacker.begins()
		victim.begins()
		p.provider.mu.Lock()
		p.provider.nonce, p.provider.challenge = q.Get("nonce"), q.Get("code_challenge")
		p.provider.mu.Unlock()
		if status, _, _ := victim.returns(q); status != 400 || victim.inside() {
			t.Errorf("the attacker's answer was taken in another browser: %d", status)
		}
		// It was not used up by that.
		var won sync.Map
		var group sync.WaitGroup
		gate := make(chan struct{})
		for i := range 64 {
			group.Go(func() {
				<-gate
				r, _ := http.NewRequest("GET", p.server.URL+"/oidc/callback?"+url.Values{"code": {"good"}, "state": {q.Get("state")}, "iss": {p.provider.server.URL}}.Encode(), nil)
				u, _ := url.Parse(p.server.URL)
				for _, c := range attacker.client.Jar.Cookies(u) {
					r.AddCookie(c)
				}
				res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				res.Body.Close()
				if res.StatusCode == 303 {
					won.Store(i, true)
				}
			})
		}
		close(gate)
		group.Wait()
		n := 0
		won.Range(func(any, any) bool { n++; return true })
		if n != 1 || p.count(`SELECT count(*) FROM session`) != 1 {
			t.Errorf("%d of 64 came in with one state", n)
		}
		// Old attempts are void.
		u := p.user()
		q = u.begins()
		d.Now = func() time.Time { return time.Now().Add(11 * time.Minute) }
		p.provider.now = d.Now
		if status, _, _ := u.returns(q); status != 400 {
			t.Errorf("an attempt of 11 minutes ago: %d", status)
		}
	})
}

// Where the ID token is short, userinfo completes it; an address nobody
// confirmed is not kept.
func TestUserinfoCompletes(t *testing.T) {
	p := newPortal(t, dbtest.Open(t, "sqlite", schema.Files))
	p.provider.claims = map[string]any{"name": nil, "given_name": nil, "email": nil, "email_verified": nil}
	p.provider.userinfo = map[string]any{
		"sub": "anna", "name": "Anna Ußer", "given_name": "Anna", "family_name": "Ußer", "email": "neu@beispiel.example", "email_verified": false,
		"roles": []string{"trainer"}, "organization": map[string]any{"id": "stahl", "name": "Stahl"},
	}
	u := p.user()
	u.comesIn()
	if _, _, body := u.send("GET", "/inside", nil); body != "Anna Ußer / Bäckerei Korn / apprentice" {
		t.Errorf("inside is %q", body)
	}
	if n := p.count(`SELECT count(*) FROM person WHERE email <> ''`); n != 0 {
		t.Error("an unconfirmed address was kept")
	}
}

// The identity portal may start later; strangers read a kind page until then.
func TestIdentityPortalStartsLater(t *testing.T) {
	p := newPortal(t, dbtest.Open(t, "sqlite", schema.Files))
	p.provider.down = true
	u := p.user()
	status, _, body := u.send("GET", "/inside", nil)
	if status != 503 || !strings.Contains(body, "Die Anmeldung ist gerade nicht möglich") {
		t.Errorf("answered %d\n%s", status, body)
	}
	if status, _, _ := u.send("GET", "/logged-out", nil); status != 200 {
		t.Errorf("pages of our own: %d", status)
	}
	p.provider.down = false
	p.door.Forget()
	u.comesIn()
}

// A token endpoint that does not answer is not the person's fault.
func TestTokenEndpointDown(t *testing.T) {
	p := newPortal(t, dbtest.Open(t, "sqlite", schema.Files))
	p.provider.metadata["token_endpoint"] = "http://127.0.0.1:1/token"
	u := p.user()
	if status, _, body := u.returns(u.begins()); status != 503 || !strings.Contains(body, "gerade nicht möglich") || u.inside() {
		t.Errorf("answered %d\n%s", status, body)
	}
}

// Signing out ends our session first and leads to the identity portal, with
// the hint (RP-Initiated Logout 1.0).
func TestSignOut(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		p := newPortal(t, d)
		u := p.user()
		u.comesIn()
		status, location, _ := u.send("POST", "/logout", nil)
		to, err := url.Parse(location)
		if err != nil || status != 303 || !strings.HasPrefix(location, p.provider.server.URL+"/end?") {
			t.Fatalf("signing out led to %d %q", status, location)
		}
		q := to.Query()
		if q.Get("post_logout_redirect_uri") != p.server.URL+"/logged-out" || q.Get("client_id") != "training" || q.Get("state") == "" {
			t.Errorf("request is %v", q)
		}
		if parts := strings.Split(q.Get("id_token_hint"), "."); len(parts) != 3 {
			t.Errorf("hint is %q", q.Get("id_token_hint"))
		} else if b, _ := base64.RawURLEncoding.DecodeString(parts[1]); !strings.Contains(string(b), `"sub":"anna"`) {
			t.Errorf("hint says %s", b)
		}
		if u.inside() || p.count(`SELECT count(*) FROM session WHERE ended_at IS NULL`) != 0 {
			t.Error("still signed in")
		}
		if status, location, _ := u.send("POST", "/logout", nil); status != 303 || location != "/logged-out" {
			t.Errorf("signing out twice: %d %q", status, location)
		}
		if _, _, body := u.send("GET", "/logged-out?state=x", nil); !strings.Contains(body, "Sie sind abgemeldet") {
			t.Errorf("page is %s", body)
		}
		u.comesIn()
		if status, _, _ := u.send("GET", "/logout", nil); status != 404 || !u.inside() {
			t.Errorf("a link signed somebody out: %d", status)
		}
	})
}

// No open redirect: the page to come back to is one of ours.
func TestComesBackToOurPagesOnly(t *testing.T) {
	p := newPortal(t, dbtest.Open(t, "sqlite", schema.Files))
	for _, next := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"} {
		u := p.user()
		_, location, _ := u.send("POST", "/login", url.Values{"next": {next}})
		to, _ := url.Parse(location)
		q := to.Query()
		p.provider.nonce, p.provider.challenge = q.Get("nonce"), q.Get("code_challenge")
		if status, location, _ := u.returns(q); status != 303 || location != "/" {
			t.Errorf("%q led to %d %q", next, status, location)
		}
	}
}
