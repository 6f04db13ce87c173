package login_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/schema"
)

// OpenID Connect Back-Channel Logout 1.0, 2.4 to 2.8: a good token ends the
// sessions it names, once; every other one ends nothing.
func TestBackchannelLogout(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		p := newPortal(t, d)
		u := p.user()
		u.comesIn()
		token := func(change map[string]any) map[string]any {
			c := map[string]any{
				"iss": p.provider.server.URL, "aud": "training", "sub": "anna", "sid": "sid-1", "jti": db.NewID(),
				"iat": time.Now().Unix(), "exp": time.Now().Add(2 * time.Minute).Unix(),
				"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
			}
			for k, v := range change {
				if v == nil {
					delete(c, k)
				} else {
					c[k] = v
				}
			}
			return c
		}
		post := func(raw string) int {
			t.Helper()
			res, err := http.PostForm(p.server.URL+"/oidc/backchannel-logout", url.Values{"logout_token": {raw}})
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.Header.Get("Cache-Control") != "no-store" {
				t.Error("answer may be cached")
			}
			return res.StatusCode
		}
		type m = map[string]any
		for name, raw := range map[string]string{
			"nothing": "", "no token": "x.y.z", "long": strings.Repeat("x", 70<<10),
			"foreign key":       p.provider.sign(newKey(t), token(nil)),
			"other issuer":      p.provider.sign(p.provider.key, token(m{"iss": "https://evil.example"})),
			"other audience":    p.provider.sign(p.provider.key, token(m{"aud": "somebody"})),
			"expired":           p.provider.sign(p.provider.key, token(m{"exp": time.Now().Add(-time.Minute).Unix()})),
			"without exp":       p.provider.sign(p.provider.key, token(m{"exp": nil})),
			"without iat":       p.provider.sign(p.provider.key, token(m{"iat": nil})),
			"from the future":   p.provider.sign(p.provider.key, token(m{"iat": time.Now().Add(time.Hour).Unix()})),
			"without jti":       p.provider.sign(p.provider.key, token(m{"jti": nil})),
			"without events":    p.provider.sign(p.provider.key, token(m{"events": nil})),
			"another event":     p.provider.sign(p.provider.key, token(m{"events": m{"urn:other": m{}}})),
			"event no object":   p.provider.sign(p.provider.key, token(m{"events": m{"http://schemas.openid.net/event/backchannel-logout": "yes"}})),
			"with a nonce":      p.provider.sign(p.provider.key, token(m{"nonce": "n"})),
			"no sid and no sub": p.provider.sign(p.provider.key, token(m{"sid": nil, "sub": nil})),
			"an ID token":       p.provider.sign(p.provider.key, p.provider.idToken()),
		} {
			if status := post(raw); status != http.StatusBadRequest {
				t.Errorf("%s: answered %d", name, status)
			}
			if !u.inside() {
				t.Fatalf("%s: ended the session", name)
			}
		}
		for name, change := range map[string]m{"other sid": {"sid": "sid-2"}, "other subject": {"sub": "emil"}} {
			if status := post(p.provider.sign(p.provider.key, token(change))); status != 200 || !u.inside() {
				t.Errorf("%s: answered %d", name, status)
			}
		}
		once := p.provider.sign(p.provider.key, token(nil))
		if status := post(once); status != 200 || u.inside() {
			t.Errorf("a good token: %d", status)
		}
		u.comesIn()
		if status := post(once); status != 400 || !u.inside() {
			t.Errorf("the same token again: %d", status)
		}
		if status := post(p.provider.sign(p.provider.key, token(m{"sid": nil}))); status != 200 || u.inside() {
			t.Errorf("by subject: %d", status)
		}
		if n := p.count(`SELECT count(*) FROM audit WHERE event = 'session.ended' AND actor_kind = 'system'`); n != 2 {
			t.Errorf("%d records of ended sessions", n)
		}
	})
}
