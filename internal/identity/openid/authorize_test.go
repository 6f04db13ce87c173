package openid_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"zunft/internal/identity/application"
)

// What cannot be trusted becomes a page, never a redirect.
func TestUntrustedRequestsAreNeverRedirected(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.application("off", func(a *application.Application) { a.State = application.Disabled })
		b := w.signedIn(w.person("anna"))
		good := request("plain").Encode()
		for what, query := range map[string]string{
			"nothing":                     "",
			"unknown client":              request("nobody").Encode(),
			"disabled client":             request("off").Encode(),
			"no client":                   request("plain", "client_id", "").Encode(),
			"no redirect URI":             request("plain", "redirect_uri", "").Encode(),
			"another path":                request("plain", "redirect_uri", callback+"/x").Encode(),
			"a query added":               request("plain", "redirect_uri", callback+"?a=b").Encode(),
			"a fragment":                  request("plain", "redirect_uri", callback+"#x").Encode(),
			"path tricks":                 request("plain", "redirect_uri", callback+"/../cb").Encode(),
			"another case":                request("plain", "redirect_uri", strings.ToUpper(callback)).Encode(),
			"user info":                   request("plain", "redirect_uri", "https://app.example@evil.example/cb").Encode(),
			"another host":                request("plain", "redirect_uri", "https://evil.example/cb").Encode(),
			"a script":                    request("plain", "redirect_uri", "javascript:alert(1)").Encode(),
			"client twice":                good + "&client_id=plain",
			"redirect URI twice":          good + "&redirect_uri=" + url.QueryEscape(callback),
			"malformed escapes":           good + "&x=%zz",
			"a zero byte":                 request("pl\x00ain").Encode(),
			"not UTF-8":                   "client_id=%ff%fe&redirect_uri=" + url.QueryEscape(callback),
			"very many parameters":        good + strings.Repeat("&a=b", 100),
			"an open redirect on the way": request("plain", "redirect_uri", "//evil.example").Encode(),
		} {
			p := b.get("/oauth2/authorize?" + query)
			if p.to != nil || p.status < 400 || p.status >= 500 {
				t.Errorf("%s: %d %v", what, p.status, p.to)
			}
			if !strings.Contains(p.header.Get("Content-Type"), "text/html") || strings.Contains(p.header.Get("Content-Security-Policy"), "app.example") {
				t.Errorf("%s: %v", what, p.header)
			}
		}
		if p := b.get("/oauth2/authorize?" + good + "&x=" + strings.Repeat("x", 20_000)); p.status != http.StatusRequestURITooLong {
			t.Errorf("oversized: %d", p.status)
		}
	})
}

// What the application may know is told at its redirect URI, with state and iss (RFC 9207).
func TestErrorsGoBackWithStateAndIssuer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.application("strict", func(a *application.Application) { a.RequirePKCE = true })
		w.application("public", func(a *application.Application) { a.AuthMethod, a.SecretHash = "none", "" })
		b := w.signedIn(w.person("anna"))
		for _, c := range []struct{ what, client, want, changes string }{
			{"no response type", "plain", "invalid_request", "response_type="},
			{"implicit", "plain", "unsupported_response_type", "response_type=id_token"},
			{"hybrid", "plain", "unsupported_response_type", "response_type=code token"},
			{"fragment", "plain", "invalid_request", "response_mode=fragment"},
			{"no openid", "plain", "invalid_scope", "scope=profile"},
			{"no scope", "plain", "invalid_scope", "scope="},
			{"request object", "plain", "request_not_supported", "request=e30.e30."},
			{"request URI", "plain", "request_uri_not_supported", "request_uri=https://app.example/r"},
			{"registration", "plain", "registration_not_supported", "registration={}"},
			{"plain challenge", "plain", "invalid_request", "code_challenge_method=plain"},
			{"no method", "plain", "invalid_request", "code_challenge_method="},
			{"method without challenge", "plain", "invalid_request", "code_challenge="},
			{"short challenge", "plain", "invalid_request", "code_challenge=abc"},
			{"PKCE required", "strict", "invalid_request", "code_challenge=&code_challenge_method="},
			{"PKCE of a public client", "public", "invalid_request", "code_challenge=&code_challenge_method="},
			{"none with others", "plain", "invalid_request", "prompt=none login"},
			{"unknown prompt", "plain", "invalid_request", "prompt=create"},
			{"negative age", "plain", "invalid_request", "max_age=-1"},
			{"age in words", "plain", "invalid_request", "max_age=old"},
			{"foreign hint", "plain", "invalid_request", "id_token_hint=e30.e30.e30"},
			{"long nonce", "plain", "invalid_request", "nonce=" + strings.Repeat("n", 2000)},
			{"duplicate scope", "plain", "invalid_request", "+scope=openid"},
			{"duplicate nonce", "plain", "invalid_request", "+nonce=x"},
		} {
			extra, duplicate := c.changes, ""
			if rest, yes := strings.CutPrefix(c.changes, "+"); yes {
				extra, duplicate = "", "&"+rest
			}
			var changes []string
			for pair := range strings.SplitSeq(extra, "&") {
				if name, value, ok := strings.Cut(pair, "="); ok {
					changes = append(changes, name, value)
				}
			}
			p := b.get("/oauth2/authorize?" + request(c.client, changes...).Encode() + duplicate)
			if p.to == nil || !strings.HasPrefix(p.to.String(), callback+"?") || p.query("error") != c.want || p.query("state") != "st" || p.query("iss") != w.base || p.query("code") != "" {
				t.Errorf("%s: %d %v", c.what, p.status, p.to)
			}
		}
		// A state that is there twice is not guessed.
		if p := b.get("/oauth2/authorize?" + request("plain").Encode() + "&state=other"); p.query("error") != "invalid_request" || p.query("state") != "" {
			t.Errorf("two states: %v", p.to)
		}
		// A redirect URI with a query of its own keeps it.
		p := b.authorize("plain", "redirect_uri", "https://app.example/cb2?a=b")
		if p.query("a") != "b" || p.query("code") == "" {
			t.Errorf("query of the redirect URI: %v", p.to)
		}
		// Unknown parameters are ignored, even twice; unknown scopes too.
		if p := b.get("/oauth2/authorize?" + request("plain", "scope", "openid address phone").Encode() + "&foo=1&foo=2"); p.query("code") == "" {
			t.Errorf("unknown parameters: %v", p.to)
		}
	})
}

// A POST from the application's origin becomes a GET, and only that is answered.
func TestAuthorizeByPost(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.signedIn(w.person("anna"))
		p := b.post("/oauth2/authorize", request("plain"), "Origin", "https://app.example", "Sec-Fetch-Site", "cross-site")
		if p.status != http.StatusSeeOther || p.to.Path != "/oauth2/authorize" {
			t.Fatalf("%d %v", p.status, p.to)
		}
		if p = b.get(p.to.String()); p.query("code") == "" {
			t.Errorf("no code: %v", p.to)
		}
		if p := b.post("/oauth2/authorize", url.Values{"x": {strings.Repeat("x", 40_000)}}); p.status < 400 || p.status >= 500 {
			t.Errorf("oversized: %d", p.status)
		}
	})
}

// prompt=login asks again, whatever comes along; it ends after one sign-in.
func TestPromptLoginCannotBeSkipped(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna := w.person("anna")
		b := w.signedIn(anna)
		first := claims(t, w.exchange("plain", b.code("plain")).IDToken)
		for _, prompt := range []string{"login", "select_account", "login consent"} {
			p := b.authorize("plain", "prompt", prompt)
			if p.to == nil || p.to.Path != "/login" || p.query("again") != "1" {
				t.Fatalf("not asked: %v", p.to)
			}
			next := p.query("next")
			if p := b.get(next); p.to.Path != "/login" {
				t.Fatalf("went on without signing in: %v", p.to)
			}
			for _, forged := range []string{"zunft_since=1", "zunft_since=1.AAAA"} {
				if p := b.get("/oauth2/authorize?" + request("plain", "prompt", prompt).Encode() + "&" + forged); p.to.Path != "/login" {
					t.Fatalf("a forged moment lets through: %v", p.to)
				}
			}
			p = b.login(anna, next)
			p = b.get(p.to.String())
			if p.query("code") == "" {
				t.Fatalf("asked twice: %v", p.to)
			}
			// The moment belongs to that request alone.
			moment, err := url.Parse(next)
			if err != nil {
				t.Fatal(err)
			}
			if p := b.get("/oauth2/authorize?" + request("plain", "prompt", prompt, "nonce", "other", "zunft_since", moment.Query().Get("zunft_since")).Encode()); p.to.Path != "/login" {
				t.Errorf("the moment of another request lets through: %v", p.to)
			}
		}
		again := claims(t, w.exchange("plain", b.code("plain", "prompt", "none")).IDToken)
		if again["auth_time"].(float64) < first["auth_time"].(float64) || again["sid"] != first["sid"] || again["sub"] != first["sub"] {
			t.Errorf("before %v, after %v", first, again)
		}
	})
}

func TestMaxAge(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna := w.person("anna")
		b := w.signedIn(anna)
		b.code("plain", "max_age", "10000")
		now := time.Now()
		w.d.Now = func() time.Time { return now.Add(5 * time.Minute) }
		b.code("plain", "max_age", "10000")
		if p := b.authorize("plain", "max_age", "60", "prompt", "none"); p.query("error") != "login_required" {
			t.Errorf("too old, silently: %v", p.to)
		}
		for _, age := range []string{"60", "0"} {
			p := b.authorize("plain", "max_age", age)
			if p.to.Path != "/login" {
				t.Fatalf("max_age=%s: %v", age, p.to)
			}
			now = now.Add(time.Minute)
			p = b.login(anna, p.query("next"))
			if p = b.get(p.to.String()); p.query("code") == "" {
				t.Errorf("max_age=%s asks for ever: %v", age, p.to)
			}
		}
	})
}

func TestPromptNoneAndHints(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna, bert := w.person("anna"), w.person("bert")
		if p := w.browser().authorize("plain", "prompt", "none"); p.query("error") != "login_required" {
			t.Errorf("stranger: %v", p.to)
		}
		b := w.signedIn(anna)
		token := w.exchange("plain", b.code("plain", "prompt", "none")).IDToken
		b.code("plain", "prompt", "none", "id_token_hint", token)
		other := w.signedIn(bert)
		if p := other.authorize("plain", "prompt", "none", "id_token_hint", token); p.query("error") != "login_required" {
			t.Errorf("hint of another person: %v", p.to)
		}
		p := other.authorize("plain", "id_token_hint", token)
		if p.to.Path != "/login" {
			t.Fatalf("hint of another person: %v", p.to)
		}
		next := p.query("next")
		if p = other.login(bert, next); other.get(p.to.String()).query("error") != "login_required" {
			t.Error("still another person, and no error")
		}
		if p = other.login(anna, next); other.get(p.to.String()).query("code") == "" {
			t.Error("the right person, and no code")
		}
		p = w.browser().authorize("plain", "login_hint", "anna@beispiel.example", "ui_locales", "en de")
		if p.query("username") != "anna@beispiel.example" || p.query("lang") != "en" {
			t.Errorf("hints are lost: %v", p.to)
		}
	})
}
