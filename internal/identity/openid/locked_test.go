package openid_test

import (
	"net/http"
	"net/url"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/session"
)

// GHSA-wv3h-x6c4-r867, CVE-2026-1609: a locked person × everything that gives
// or shows a token, whoever locked the account; and unlocked, what was taken by
// ending the sessions stays taken.
func TestLockedPersonTimesEveryGrant(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, reason := range []string{account.LockedByChamber, account.LockedBySelf, account.LockedForLeaving, account.LockedByDisavowal} {
			anna := w.person("anna-" + reason)
			b := w.signedIn(anna)
			tokens := w.exchange("plain", b.code("plain", "scope", "openid offline_access"))
			online := w.exchange("plain", b.code("plain"))
			code := b.code("plain")
			if tokens.RefreshToken == "" || online.AccessToken == "" {
				t.Fatal("no tokens to begin with")
			}
			w.write(func(tx *db.Tx) error {
				_, err := account.Lock(tx, audit.Actor{Kind: audit.Command}, anna.ID, reason)
				return err
			})
			if r := w.exchange("plain", code); r.Error != "invalid_grant" {
				t.Errorf("%s, code: %+v", reason, r)
			}
			if r := w.token("plain", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.RefreshToken}}); r.Error != "invalid_grant" {
				t.Errorf("%s, refresh: %+v", reason, r)
			}
			for name, token := range map[string]string{"offline": tokens.AccessToken, "online": online.AccessToken} {
				if status, _ := w.userinfo(token); status != http.StatusUnauthorized {
					t.Errorf("%s, userinfo, %s: %d", reason, name, status)
				}
			}
			for _, prompt := range []string{"", "none"} {
				p := b.authorize("plain", "prompt", prompt)
				if p.query("code") != "" || p.to == nil || p.to.Path != "/login" && p.query("error") != "login_required" {
					t.Errorf("%s, authorize %q: %v", reason, prompt, p.to)
				}
			}
		}
	})
}

// mesutpiskin#36 at the provider: half a sign-in gives no code, in no tab, and
// by no prompt.
func TestHalfASignInGivesNoCode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna := w.person("anna")
		b := w.browser()
		at, _ := url.Parse(w.base)
		w.write(func(tx *db.Tx) error {
			token, _, err := session.StartPending(tx, audit.Actor{}, anna.ID, "pwd", "/")
			b.c.Jar.SetCookies(at, []*http.Cookie{{Name: "zunft_session", Value: token, Path: "/"}})
			return err
		})
		if p := b.authorize("plain"); p.to == nil || p.to.Path != "/login" {
			t.Errorf("%v", p.to)
		}
		if p := b.authorize("plain", "prompt", "none"); p.query("error") != "login_required" {
			t.Errorf("%v", p.to)
		}
		if p := b.authorize("plain", "max_age", "10000"); p.query("code") != "" {
			t.Errorf("%v", p.to)
		}
	})
}
