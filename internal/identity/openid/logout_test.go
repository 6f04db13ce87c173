package openid_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/application"
	"zunft/internal/identity/session"
)

func (b *browser) logout(pairs ...string) *page {
	b.w.t.Helper()
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return b.get("/oauth2/end-session?" + v.Encode())
}

// gone reports whether the session has ended.
func (b *browser) gone() bool {
	b.w.t.Helper()
	return b.authorize("plain", "prompt", "none").query("error") == "login_required"
}

// An application that holds an ID token of this very session ends it at once (RP-Initiated Logout 1.0).
func TestLogoutWithHint(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna := w.person("anna")
		b := w.signedIn(anna)
		token := w.exchange("plain", b.code("plain")).IDToken
		// Long expired tokens still say who is meant.
		now := time.Now()
		w.d.Now = func() time.Time { return now.Add(25 * time.Minute) }
		p := b.logout("id_token_hint", token, "post_logout_redirect_uri", bye, "state", "s1")
		if p.to == nil || p.to.String() != bye+"&state=s1" {
			t.Fatalf("%d %v %s", p.status, p.to, p.body)
		}
		if !b.gone() {
			t.Error("still signed in")
		}
		// And again, though nobody is signed in: the way back stays open.
		if p := b.logout("id_token_hint", token, "post_logout_redirect_uri", bye); p.to == nil || p.to.String() != bye {
			t.Errorf("second time: %v", p.to)
		}
		w.d.Now = time.Now
		b.login(anna, "/")
		token = w.exchange("plain", b.code("plain")).IDToken
		if p := b.logout("id_token_hint", token); p.to == nil || p.to.Path != "/logged-out" || !b.gone() {
			t.Errorf("without an address: %v", p.to)
		}
	})
}

// Without a token of this session a person is asked; the button comes from us only.
func TestLogoutAsks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna := w.person("anna")
		old := w.exchange("plain", w.signedIn(anna).code("plain")).IDToken // of another session
		b := w.signedIn(anna)
		for what, pairs := range map[string][]string{
			"nothing":                    {},
			"state only":                 {"state", "x"},
			"client only":                {"client_id", "plain", "post_logout_redirect_uri", bye, "state", "s2"},
			"a token of another session": {"id_token_hint", old, "post_logout_redirect_uri", bye, "state", "s2"},
		} {
			p := b.logout(pairs...)
			if p.to != nil || p.status != 200 || !strings.Contains(p.body, "Abmelden") && !strings.Contains(p.body, "Sign out") {
				t.Fatalf("%s: %d %v", what, p.status, p.to)
			}
			if b.gone() {
				t.Fatalf("%s: signed out without asking", what)
			}
			form := url.Values{}
			for i := 0; i < len(pairs); i += 2 {
				form.Set(pairs[i], pairs[i+1])
			}
			if p := b.post("/oauth2/end-session/confirmed", form, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); p.status != http.StatusForbidden || b.gone() {
				t.Fatalf("%s: another origin's button: %d", what, p.status)
			}
			p = b.post("/oauth2/end-session/confirmed", form)
			want := w.base + "/logged-out"
			if len(pairs) > 2 {
				want = bye + "&state=s2"
			}
			if p.to == nil || p.to.String() != want || !b.gone() {
				t.Errorf("%s: %v", what, p.to)
			}
			b.login(anna, "/")
		}
		p := b.post("/oauth2/end-session", url.Values{"client_id": {"plain"}}, "Origin", "https://app.example", "Sec-Fetch-Site", "cross-site")
		if p.status != http.StatusSeeOther || p.to.Path != "/oauth2/end-session" || b.gone() {
			t.Errorf("POST: %d %v", p.status, p.to)
		}
	})
}

// Nobody is sent where it is not registered, and no token that is not ours counts.
func TestLogoutRefusesForeignHintsAndAddresses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.application("other", nil)
		anna := w.person("anna")
		b := w.signedIn(anna)
		token := w.exchange("plain", b.code("plain")).IDToken
		for what, hint := range forgeries(t, w, token) {
			p := b.logout("id_token_hint", hint, "post_logout_redirect_uri", bye)
			if p.to != nil || p.status < 400 || p.status >= 500 {
				t.Errorf("%s: %d %v", what, p.status, p.to)
			}
			if p := b.authorize("plain", "prompt", "none", "id_token_hint", hint); p.query("error") != "invalid_request" {
				t.Errorf("%s at the authorization endpoint: %v", what, p.to)
			}
		}
		for what, pairs := range map[string][]string{
			"unregistered address":   {"id_token_hint", token, "post_logout_redirect_uri", "https://app.example/bye"},
			"query added":            {"id_token_hint", token, "post_logout_redirect_uri", bye + "&a=b"},
			"address without client": {"post_logout_redirect_uri", bye},
			"another client":         {"id_token_hint", token, "client_id", "other", "post_logout_redirect_uri", bye},
			"unknown client":         {"client_id", "nobody"},
			"a redirect URI":         {"id_token_hint", token, "post_logout_redirect_uri", callback},
		} {
			if p := b.logout(pairs...); p.to != nil || p.status < 400 || p.status >= 500 {
				t.Errorf("%s: %d %v", what, p.status, p.to)
			}
		}
		if p := b.get("/oauth2/end-session?state=a&state=b"); p.status < 400 || p.status >= 500 {
			t.Errorf("two states: %d", p.status)
		}
		if b.gone() {
			t.Error("one of them signed Anna out")
		}
	})
}

// forgeries are ID tokens that look like ours and are not: no algorithm, the
// public key as HMAC secret, a key of one's own, changed claims, a logout token.
func forgeries(t *testing.T, w *world, token string) map[string]string {
	t.Helper()
	parts := strings.Split(token, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(w.browser().get("/oauth2/jwks").body), &set); err != nil {
		t.Fatal(err)
	}
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	sign := func(alg jose.SignatureAlgorithm, key any, kid, typ string, payload []byte) string {
		options := (&jose.SignerOptions{}).WithHeader("kid", kid)
		if typ != "" {
			options = options.WithType(jose.ContentType(typ))
		}
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := s.Sign(payload)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	mine, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	kid := set.Keys[0].KeyID
	public, err := json.Marshal(set.Keys[0])
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"alg none":               encode(`{"alg":"none","typ":"JWT","kid":"`+kid+`"}`) + "." + parts[1] + ".",
		"HS256 with public key":  sign(jose.HS256, public, kid, "JWT", payload),
		"own key, our kid":       sign(jose.ES256, mine, kid, "JWT", payload),
		"own key, foreign kid":   sign(jose.ES256, mine, "foreign", "JWT", payload),
		"our kid of another alg": encode(`{"alg":"ES256","typ":"JWT","kid":"`+set.Keys[1].KeyID+`"}`) + "." + parts[1] + "." + parts[2],
		"changed claims":         parts[0] + "." + encode(strings.Replace(string(payload), `"sub":"`, `"sub":"x`, 1)) + "." + parts[2],
		"signature cut":          parts[0] + "." + parts[1] + "." + parts[2][:20],
		"embedded key":           encode(`{"alg":"ES256","typ":"JWT","jwk":`+string(public)+`}`) + "." + parts[1] + "." + parts[2],
		"garbage":                "garbage", "dots": "..", "four parts": token + ".x", "not base64": "!.!.!",
		"very long": strings.Repeat("x", 9000) + "." + parts[1] + "." + parts[2],
	}
}

// Back-Channel Logout 1.0: every application that signed in with the session
// is told once, with a token its library accepts; one that was away is told later.
func TestBackChannelLogout(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var mu sync.Mutex
		var got []string
		answers := []int{http.StatusServiceUnavailable, http.StatusOK}
		rp := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			r.ParseForm()
			if r.URL.Path == "/moved" {
				t.Error("followed a redirect")
			}
			got = append(got, r.PostForm.Get("logout_token"))
			status := answers[min(len(got)-1, len(answers)-1)]
			if status == http.StatusServiceUnavailable {
				rw.Header().Set("Location", "/moved")
				status = http.StatusTemporaryRedirect
			}
			rw.WriteHeader(status)
		}))
		defer rp.Close()
		w.application("told", func(a *application.Application) { a.BackchannelLogoutURI = rp.URL + "/backchannel" })
		w.application("unconcerned", func(a *application.Application) { a.BackchannelLogoutURI = rp.URL + "/never" })
		anna := w.person("anna")
		b := w.signedIn(anna)
		b.code("unconcerned") // never exchanged: it knows nothing
		w.exchange("told", b.code("told"))
		token := w.exchange("told", b.code("told")).IDToken // twice in one session
		w.exchange("plain", b.code("plain"))                // has no address
		sid := claims(t, token)["sid"]
		w.write(func(tx *db.Tx) error { return session.End(tx, audit.Console, sid.(string)) })
		now := time.Now()
		for i := range 3 {
			w.d.Now = func() time.Time { return now.Add(time.Duration(i) * time.Hour) }
			if err := w.jobs.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.d.Now = time.Now
		if len(got) != 2 {
			t.Fatalf("told %d times, want one failure and one success", len(got))
		}
		provider, err := oidc.NewProvider(t.Context(), w.base)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := provider.Verifier(&oidc.Config{ClientID: "told", SkipExpiryCheck: true}).Verify(t.Context(), got[1]); err != nil {
			t.Error(err)
		}
		c := claims(t, got[1])
		events, _ := c["events"].(map[string]any)
		if c["sid"] != sid || c["sub"] != anna.ID || c["aud"] != "told" || c["jti"] == nil || c["iat"] == nil || c["exp"] == nil || c["nonce"] != nil || events["http://schemas.openid.net/event/backchannel-logout"] == nil {
			t.Errorf("claims %v", c)
		}
		head, _ := base64.RawURLEncoding.DecodeString(strings.Split(got[1], ".")[0])
		if !strings.Contains(string(head), `"logout+jwt"`) {
			t.Errorf("header %s", head)
		}
		if claims(t, got[0])["jti"] == c["jti"] {
			t.Error("the same token twice")
		}
		// It is no ID token.
		if p := b.logout("id_token_hint", got[1]); p.status < 400 {
			t.Errorf("logout token as hint: %d", p.status)
		}
	})
}

func TestDiscoveryAndKeys(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		p := b.get("/.well-known/openid-configuration")
		var m map[string]any
		if err := json.Unmarshal([]byte(p.body), &m); err != nil {
			t.Fatal(err)
		}
		if m["issuer"] != w.base || m["authorization_response_iss_parameter_supported"] != true || m["request_uri_parameter_supported"] != false || m["backchannel_logout_session_supported"] != true {
			t.Errorf("%v", m)
		}
		for name, value := range m {
			address, ok := value.(string)
			if !ok || name == "issuer" {
				continue
			}
			if p := b.get(address); p.status == http.StatusNotFound || p.status >= 500 {
				t.Errorf("%s: %d", name, p.status)
			}
		}
		if other := b.get("/.well-known/oauth-authorization-server"); other.body != p.body {
			t.Error("RFC 8414 document differs")
		}
		for _, path := range []string{"/.well-known/openid-configuration", "/oauth2/jwks"} {
			p := b.get(path)
			if p.header.Get("Access-Control-Allow-Origin") != "*" || p.header.Get("Content-Type") != "application/json" || !strings.Contains(p.header.Get("Cache-Control"), "max-age") || p.header.Get("Set-Cookie") != "" {
				t.Errorf("%s: %v", path, p.header)
			}
			for method, status := range map[string]int{http.MethodHead: 200, http.MethodOptions: 204, http.MethodPost: 405, http.MethodDelete: 405} {
				r, _ := http.NewRequest(method, w.base+path, nil)
				if q := b.do(r); q.status != status || method == http.MethodHead && (q.body != "" || q.header.Get("Content-Length") != p.header.Get("Content-Length")) {
					t.Errorf("%s %s: %d %q", method, path, q.status, q.body)
				}
			}
			r, _ := http.NewRequest(http.MethodGet, w.base+path, nil)
			r.Header.Set("If-None-Match", p.header.Get("ETag"))
			if q := b.do(r); q.status != http.StatusNotModified {
				t.Errorf("%s: not 304 but %d", path, q.status)
			}
		}
		jwks := b.get("/oauth2/jwks").body
		if strings.Contains(jwks, `"d"`) || strings.Count(jwks, `"kid"`) != 2 || !strings.Contains(jwks, `"use":"sig"`) || !strings.Contains(jwks, "RS256") || !strings.Contains(jwks, "ES256") {
			t.Errorf("%s", jwks)
		}
		// Another node, and a restart, publish the same keys; what is stored is sealed.
		again := secondNode(t, w)
		if got := again.get("/oauth2/jwks").body; got != jwks {
			t.Errorf("keys changed: %s", got)
		}
		stored, err := storedKeys(t, w)
		if err != nil || len(stored) != 2 {
			t.Fatalf("%d stored keys, %v", len(stored), err)
		}
		for _, s := range stored {
			if !strings.HasPrefix(s, "1.") {
				t.Error("a private key is not sealed")
			}
		}
	})
}

func TestKeysAreMadeOnceHoweverManyNodesStart(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.write(func(tx *db.Tx) error { _, err := tx.Exec(`DELETE FROM signing_key`); return err })
		var mu sync.Mutex
		sets := map[string]bool{}
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				set := secondNode(t, w).get("/oauth2/jwks").body
				mu.Lock()
				defer mu.Unlock()
				sets[set] = true
			})
		}
		group.Wait()
		if len(sets) != 1 {
			t.Errorf("%d different key sets", len(sets))
		}
	})
}

func storedKeys(t *testing.T, w *world) (keys []string, err error) {
	err = w.d.Read(t.Context(), func(tx *db.Tx) (err error) {
		keys, err = db.Values[string](tx, `SELECT private FROM signing_key`)
		return err
	})
	return keys, err
}
