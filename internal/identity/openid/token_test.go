package openid_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/application"
	"zunft/internal/identity/session"
)

// One winner of 64, and because the code was used twice nothing that came of
// it is good any more (RFC 6749, section 4.1.2).
func TestCodeIsUsedOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.signedIn(w.person("anna"))
		code := b.code("plain", "scope", "openid offline_access")
		var won atomic.Int32
		var winner reply
		start := make(chan struct{})
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() {
				<-start
				switch r := w.exchange("plain", code); {
				case r.status == http.StatusOK:
					won.Add(1)
					winner = r
				case r.status != http.StatusBadRequest || r.Error != "invalid_grant":
					t.Errorf("%+v", r)
				}
			})
		}
		close(start)
		group.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d winners", won.Load())
		}
		if status, _ := w.userinfo(winner.AccessToken); status != http.StatusUnauthorized {
			t.Errorf("access token lives on: %d", status)
		}
		if r := w.token("plain", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {winner.RefreshToken}}); r.Error != "invalid_grant" {
			t.Errorf("refresh token lives on: %+v", r)
		}
	})
}

// Whatever is wrong, the code is burnt and the answer is the same.
func TestWrongExchangesBurnTheCode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.application("other", nil)
		anna := w.person("anna")
		b := w.signedIn(anna)
		for what, change := range map[string]func(url.Values) string{
			"wrong verifier":   func(f url.Values) string { f.Set("code_verifier", strings.Repeat("x", 43)); return "plain" },
			"short verifier":   func(f url.Values) string { f.Set("code_verifier", "x"); return "plain" },
			"no verifier":      func(f url.Values) string { f.Del("code_verifier"); return "plain" },
			"another redirect": func(f url.Values) string { f.Set("redirect_uri", callback+"x"); return "plain" },
			"no redirect":      func(f url.Values) string { f.Del("redirect_uri"); return "plain" },
			"another client":   func(f url.Values) string { return "other" },
		} {
			code := b.code("plain")
			form := codeForm(code)
			client := change(form)
			if r := w.token(client, form); r.status != http.StatusBadRequest || r.Error != "invalid_grant" {
				t.Errorf("%s: %+v", what, r)
			}
			if r := w.exchange("plain", code); r.Error != "invalid_grant" {
				t.Errorf("%s: the code works afterwards: %+v", what, r)
			}
		}
		// A verifier for a code without a challenge (downgrade).
		if r := w.exchange("plain", b.code("plain", "code_challenge", "", "code_challenge_method", "")); r.Error != "invalid_grant" {
			t.Errorf("verifier without challenge: %+v", r)
		}
		form := codeForm(b.code("plain", "code_challenge", "", "code_challenge_method", ""))
		form.Del("code_verifier")
		if r := w.token("plain", form); r.status != http.StatusOK {
			t.Errorf("without PKCE, where it is not required: %+v", r)
		}
		now := time.Now()
		code := b.code("plain")
		w.d.Now = func() time.Time { return now.Add(2 * time.Minute) }
		if r := w.exchange("plain", code); r.Error != "invalid_grant" {
			t.Errorf("expired code: %+v", r)
		}
		w.d.Now = time.Now
		code = b.code("plain")
		w.write(func(tx *db.Tx) error { return session.EndAll(tx, audit.Console, anna.ID, "") })
		if r := w.exchange("plain", code); r.Error != "invalid_grant" {
			t.Errorf("session has ended: %+v", r)
		}
		b = w.signedIn(anna)
		code = b.code("plain")
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE account SET state = 'locked' WHERE id = $1`, anna.ID)
			return err
		})
		if r := w.exchange("plain", code); r.Error != "invalid_grant" {
			t.Errorf("account is locked: %+v", r)
		}
	})
}

func TestClientAuthentication(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.application("post", func(a *application.Application) { a.AuthMethod = "client_secret_post" })
		w.application("public", func(a *application.Application) { a.AuthMethod, a.SecretHash = "none", "" })
		b := w.signedIn(w.person("anna"))
		with := func(pairs ...string) url.Values {
			f := codeForm("x")
			for i := 0; i < len(pairs); i += 2 {
				f.Set(pairs[i], pairs[i+1])
			}
			return f
		}
		for _, c := range []struct {
			what, header string
			form         url.Values
			status       int
			error        string
		}{
			{"nothing", "", with(), 401, "invalid_client"},
			{"wrong secret", basic("plain", "wrong"), with(), 401, "invalid_client"},
			{"no secret", basic("plain", ""), with(), 401, "invalid_client"},
			{"unknown", basic("nobody", secret), with(), 401, "invalid_client"},
			{"not escaped", "Basic cGxhaW46JXp6", with(), 401, "invalid_client"},
			{"not base64", "Basic !!!", with(), 401, "invalid_client"},
			{"another scheme", "Digest x", with(), 401, "invalid_client"},
			{"both ways", basic("plain", secret), with("client_secret", secret), 400, "invalid_request"},
			{"two ids", basic("plain", secret), with("client_id", "post"), 400, "invalid_request"},
			{"post instead of basic", "", with("client_id", "plain", "client_secret", secret), 401, "invalid_client"},
			{"basic instead of post", basic("post", secret), with(), 401, "invalid_client"},
			{"none instead of basic", "", with("client_id", "plain"), 401, "invalid_client"},
			{"public with a secret", basic("public", secret), with(), 401, "invalid_client"},
			{"right, wrong code", basic("plain", secret), with(), 400, "invalid_grant"},
			{"no grant type", basic("plain", secret), with("grant_type", ""), 400, "invalid_request"},
			{"password grant", basic("plain", secret), with("grant_type", "password"), 400, "unsupported_grant_type"},
			{"no code", basic("plain", secret), with("code", ""), 400, "invalid_request"},
		} {
			var headers []string
			if c.header != "" {
				headers = []string{"Authorization", c.header}
			} else {
				headers = []string{"X-None", "1"}
			}
			r := w.token("", c.form, headers...)
			if r.status != c.status || r.Error != c.error || r.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %s %q", c.what, r.status, r.Error, r.header.Get("Cache-Control"))
			}
			if c.status == 401 && !strings.HasPrefix(r.header.Get("WWW-Authenticate"), "Basic ") {
				t.Errorf("%s: WWW-Authenticate %q", c.what, r.header.Get("WWW-Authenticate"))
			}
		}
		twice := codeForm("x")
		twice["code"] = []string{"x", "y"}
		if r := w.token("plain", twice); r.status != 400 || r.Error != "invalid_request" {
			t.Errorf("parameter twice: %+v", r)
		}
		for _, headers := range [][]string{{"Content-Type", "application/json"}, {"Content-Type", "multipart/form-data; boundary=x"}} {
			if r := w.token("plain", codeForm("x"), append(headers, "Authorization", basic("plain", secret))...); r.status != 400 {
				t.Errorf("%v: %+v", headers, r)
			}
		}
		if r := w.token("plain", url.Values{"code": {strings.Repeat("x", 100_000)}}); r.status != 400 {
			t.Errorf("oversized: %+v", r)
		}
		if p := b.get("/oauth2/token"); p.status != http.StatusMethodNotAllowed {
			t.Errorf("GET: %d", p.status)
		}
		form := codeForm(b.code("post"))
		form.Set("client_id", "post")
		form.Set("client_secret", secret)
		if r := w.token("", form, "X-None", "1"); r.status != 200 || r.IDToken == "" {
			t.Errorf("post: %+v", r)
		}
		form = codeForm(b.code("public"))
		form.Set("client_id", "public")
		if r := w.token("", form, "X-None", "1"); r.status != 200 || r.IDToken == "" {
			t.Errorf("public: %+v", r)
		}
	})
}

func TestUserinfo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna := w.person("anna")
		b := w.signedIn(anna)
		r := w.exchange("plain", b.code("plain", "scope", "openid profile email"))
		if r.TokenType != "Bearer" || r.ExpiresIn <= 0 || r.Scope != "openid profile email" || r.header.Get("Cache-Control") != "no-store" || r.RefreshToken != "" {
			t.Errorf("%+v", r)
		}
		_, c := w.userinfo(r.AccessToken)
		for name, want := range map[string]any{"sub": anna.ID, "name": "Anna Beispiel", "given_name": "Anna", "family_name": "Beispiel", "preferred_username": "anna", "email": "anna@beispiel.example", "email_verified": true, "locale": "de"} {
			if c[name] != want {
				t.Errorf("%s = %v, want %v", name, c[name], want)
			}
		}
		if p := b.post("/oauth2/userinfo", url.Values{"access_token": {r.AccessToken}}); p.status != 200 || !strings.Contains(p.body, anna.ID) {
			t.Errorf("in the form: %d %s", p.status, p.body)
		}
		if p := b.post("/oauth2/userinfo", nil, "Authorization", "Bearer "+r.AccessToken); p.status != 200 {
			t.Errorf("POST with header: %d %s", p.status, p.body)
		}
		if p := b.post("/oauth2/userinfo", url.Values{"access_token": {r.AccessToken}}, "Authorization", "Bearer "+r.AccessToken); p.status != 400 {
			t.Errorf("both: %d", p.status)
		}
		if p := b.get("/oauth2/userinfo?access_token=" + r.AccessToken); p.status != 401 || strings.Contains(p.header.Get("WWW-Authenticate"), "error") {
			t.Errorf("in the address: %d %v", p.status, p.header)
		}
		id, _, _ := strings.Cut(r.AccessToken, ".")
		for _, wrong := range []string{"wrong", "", ".", id, id + ".", id + ".x", r.AccessToken + "x", "x" + r.AccessToken, strings.Repeat("x", 5000), r.IDToken} {
			p := b.post("/oauth2/userinfo", nil, "Authorization", "Bearer "+wrong)
			if p.status != 401 || !strings.Contains(p.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
				t.Errorf("%.20q: %d %v", wrong, p.status, p.header)
			}
		}
		now := time.Now()
		w.d.Now = func() time.Time { return now.Add(16 * time.Minute) }
		if status, _ := w.userinfo(r.AccessToken); status != 401 {
			t.Errorf("expired: %d", status)
		}
		w.d.Now = time.Now
		w.write(func(tx *db.Tx) error { return session.EndAll(tx, audit.Console, anna.ID, "") })
		if status, _ := w.userinfo(r.AccessToken); status != 401 {
			t.Errorf("after the session's end: %d", status)
		}
	})
}

func TestRefreshRotatesAndReuseEndsTheFamily(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.application("other", nil)
		anna := w.person("anna")
		first := w.exchange("plain", w.signedIn(anna).code("plain", "scope", "openid email offline_access"))
		renew := func(client, token string, more ...string) reply {
			t.Helper()
			f := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
			for i := 0; i < len(more); i += 2 {
				f.Set(more[i], more[i+1])
			}
			return w.token(client, f)
		}
		if r := renew("other", first.RefreshToken); r.Error != "invalid_grant" {
			t.Errorf("another client: %+v", r)
		}
		if r := renew("plain", first.RefreshToken, "scope", "openid profile"); r.Error != "invalid_scope" {
			t.Errorf("wider scope: %+v", r)
		}
		second := renew("plain", first.RefreshToken)
		if second.status != 200 || second.RefreshToken == first.RefreshToken || second.AccessToken == first.AccessToken {
			t.Fatalf("renewal: %+v", second)
		}
		before, after := claims(t, first.IDToken), claims(t, second.IDToken)
		for _, same := range []string{"iss", "sub", "aud", "auth_time", "sid"} {
			if before[same] != after[same] {
				t.Errorf("%s changed from %v to %v", same, before[same], after[same])
			}
		}
		for _, token := range []string{first.AccessToken, second.AccessToken} {
			if status, c := w.userinfo(token); status != 200 || c["email"] == nil {
				t.Errorf("access token: %d", status)
			}
		}
		// A lost answer (another connection): the same successor once more.
		if r := renew("plain", first.RefreshToken); r.RefreshToken != second.RefreshToken || r.status != 200 {
			t.Errorf("lost answer: %+v", r)
		}
		third := renew("plain", second.RefreshToken)
		if third.status != 200 {
			t.Fatalf("second renewal: %+v", third)
		}
		// It outlives the session, and not the account.
		w.write(func(tx *db.Tx) error { return session.EndAll(tx, audit.Console, anna.ID, "") })
		fourth := renew("plain", third.RefreshToken)
		if fourth.status != 200 {
			t.Fatalf("offline: %+v", fourth)
		}
		// The first one again, though its successor was used: somebody has stolen one of them.
		if r := renew("plain", first.RefreshToken); r.Error != "invalid_grant" {
			t.Errorf("reuse: %+v", r)
		}
		if r := renew("plain", fourth.RefreshToken); r.Error != "invalid_grant" {
			t.Errorf("the family lives on: %+v", r)
		}
		if status, _ := w.userinfo(fourth.AccessToken); status != 401 {
			t.Errorf("its access tokens live on: %d", status)
		}
		if r := renew("plain", "garbage"); r.Error != "invalid_grant" {
			t.Errorf("garbage: %+v", r)
		}
	})
}

// Whoever replaces a password ends what was granted before, offline access too
// (CVE-2026-1609 and its kind: a locked-out thief keeps no token).
func TestReplacedPasswordEndsOfflineAccess(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna := w.person("anna")
		first := w.exchange("plain", w.signedIn(anna).code("plain", "scope", "openid offline_access"))
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE account SET password_at = $1 WHERE id = $2`, tx.Now().Add(time.Second), anna.ID)
			return err
		})
		if r := w.token("plain", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.RefreshToken}}); r.Error != "invalid_grant" {
			t.Errorf("the refresh token lives on: %+v", r)
		}
		if status, _ := w.userinfo(first.AccessToken); status != 401 {
			t.Errorf("the access token lives on: %d", status)
		}
	})
}

// After the grace there is no second answer, even if nobody used the successor.
func TestRefreshGraceEnds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.exchange("plain", w.signedIn(w.person("anna")).code("plain", "scope", "openid offline_access"))
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.RefreshToken}}
		second := w.token("plain", form)
		now := time.Now()
		w.d.Now = func() time.Time { return now.Add(time.Minute) }
		if r := w.token("plain", form); r.Error != "invalid_grant" {
			t.Errorf("after the grace: %+v", r)
		}
		if r := w.token("plain", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {second.RefreshToken}}); r.Error != "invalid_grant" {
			t.Errorf("the family lives on: %+v", r)
		}
	})
}

// A lost answer is one whose connection is gone: as long as it stands, the old
// token is refused, over whichever connection it comes.
func TestRefreshAnswerIsLostWithItsConnection(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		closed := make(chan string, 100)
		w.watch(func(c net.Conn, state http.ConnState) {
			w.p.ConnState(c, state)
			if state == http.StateClosed {
				closed <- c.RemoteAddr().String()
			}
		})
		first := w.exchange("plain", w.signedIn(w.person("anna")).code("plain", "scope", "openid offline_access"))
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.RefreshToken}}
		answered, other := w.browser(), w.browser()
		var address string
		own := &http.Transport{DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, to)
			if err == nil {
				address = c.LocalAddr().String()
			}
			return c, err
		}}
		answered.c.Transport = own
		p := answered.post("/oauth2/token", form, "Authorization", basic("plain", secret))
		if p.status != 200 {
			t.Fatal(p.body)
		}
		for _, b := range []*browser{answered, other} {
			if p := b.post("/oauth2/token", form, "Authorization", basic("plain", secret)); p.status != 400 || !strings.Contains(p.body, "invalid_grant") {
				t.Errorf("answered and asked again: %d %s", p.status, p.body)
			}
		}
		own.CloseIdleConnections()
		for <-closed != address {
		}
		var again reply
		q := other.post("/oauth2/token", form, "Authorization", basic("plain", secret))
		if err := json.Unmarshal([]byte(q.body), &again); err != nil || q.status != 200 || !strings.Contains(p.body, again.RefreshToken) {
			t.Errorf("lost answer: %d %s", q.status, q.body)
		}
	})
}

// 64 at once: at most one renewal moves the token on, and all who are answered have the same successor.
func TestRefreshRaced(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.exchange("plain", w.signedIn(w.person("anna")).code("plain", "scope", "openid offline_access"))
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.RefreshToken}}
		var mu sync.Mutex
		successors := map[string]bool{}
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() {
				r := w.token("plain", form)
				mu.Lock()
				defer mu.Unlock()
				if r.status == 200 {
					successors[r.RefreshToken] = true
				} else if r.Error != "invalid_grant" {
					t.Errorf("%+v", r)
				}
			})
		}
		group.Wait()
		if len(successors) != 1 {
			t.Errorf("%d successors", len(successors))
		}
		n := 0
		err := w.d.Read(t.Context(), func(tx *db.Tx) error {
			return tx.Scan(`SELECT count(*) FROM oidc_token WHERE kind = 'refresh' AND used_at IS NULL`, nil, &n)
		})
		if err != nil || n != 1 {
			t.Errorf("%d open refresh tokens, %v", n, err)
		}
	})
}

func TestIntrospectionAndRevocation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.application("other", nil)
		w.application("public", func(a *application.Application) { a.AuthMethod, a.SecretHash = "none", "" })
		anna := w.person("anna")
		b := w.signedIn(anna)
		r := w.exchange("plain", b.code("plain", "scope", "openid offline_access"))
		ask := func(client, path, token string) *page {
			t.Helper()
			return b.post(path, url.Values{"token": {token}}, "Authorization", basic(client, secret))
		}
		active := func(client, token string) bool {
			t.Helper()
			p := ask(client, "/oauth2/introspect", token)
			if p.status != 200 {
				t.Fatalf("%d %s", p.status, p.body)
			}
			return strings.Contains(p.body, `"active":true`)
		}
		for _, token := range []string{r.AccessToken, r.RefreshToken} {
			if !active("plain", token) {
				t.Error("one's own token is inactive")
			}
			if active("other", token) {
				t.Error("another's token is active")
			}
		}
		if p := ask("plain", "/oauth2/introspect", r.AccessToken); !strings.Contains(p.body, anna.ID) || !strings.Contains(p.body, `"client_id":"plain"`) || !strings.Contains(p.body, `"exp":`) {
			t.Errorf("%s", p.body)
		}
		if active("plain", "garbage") {
			t.Error("garbage is active")
		}
		if p := b.post("/oauth2/introspect", url.Values{"token": {r.AccessToken}, "client_id": {"public"}}); p.status != 401 {
			t.Errorf("a public client introspects: %d", p.status)
		}
		if p := ask("other", "/oauth2/revoke", r.RefreshToken); p.status != 200 || !active("plain", r.RefreshToken) {
			t.Error("another client revoked it")
		}
		ask("other", "/oauth2/revoke", r.AccessToken)
		if !active("plain", r.AccessToken) {
			t.Error("another client revoked it")
		}
		if p := ask("plain", "/oauth2/revoke", r.AccessToken); p.status != 200 || active("plain", r.AccessToken) || !active("plain", r.RefreshToken) {
			t.Error("access token: revocation")
		}
		renewed := w.token("plain", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {r.RefreshToken}})
		if p := ask("plain", "/oauth2/revoke", renewed.AccessToken); p.status != 200 || active("plain", renewed.AccessToken) {
			t.Error("renewed access token: revocation")
		}
		if p := ask("plain", "/oauth2/revoke", renewed.RefreshToken); p.status != 200 || active("plain", renewed.RefreshToken) {
			t.Error("refresh token: revocation")
		}
		if p := ask("plain", "/oauth2/revoke", "garbage"); p.status != 200 {
			t.Errorf("garbage: %d", p.status)
		}
	})
}
