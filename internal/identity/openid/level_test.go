package openid_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/session"
)

// prove is what the page for a step-up does after the code.
func (w *world) prove(b *browser, a account.Account, amr string) {
	w.t.Helper()
	at, _ := url.Parse(w.base)
	w.write(func(tx *db.Tx) error {
		var s session.Session
		err := tx.Scan(`SELECT id, amr FROM session WHERE account = $1 AND ended_at IS NULL`, []any{a.ID}, &s.ID, &s.AMR)
		if err != nil {
			return err
		}
		token, _, err := session.Proved(tx, audit.Actor{}, s, amr)
		b.c.Jar.SetCookies(at, []*http.Cookie{{Name: "zunft_session", Value: token, Path: "/"}})
		return err
	})
}

func (w *world) give(a account.Account, kind string) {
	w.write(func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO factor (id, account, kind, name, state, created_at) VALUES ($1, $2, $3, '', 'active', $4)`, db.NewID(), a.ID, kind, tx.Now())
		return err
	})
}

// acr and amr say what was really shown (OpenID Connect Core, section 2): a code
// by mail raises neither, an app and a passkey do.
func TestHonestLevels(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna := w.person("anna")
		b := w.signedIn(anna)
		for _, c := range []struct{ more, acr string }{{"", "pw"}, {"otp", "pw"}, {"otp mfa", "mfa"}, {"hwk user mfa", "phr"}} {
			if c.more != "" {
				w.prove(b, anna, c.more)
			}
			got := claims(t, w.exchange("plain", b.code("plain")).IDToken)
			if got["acr"] != c.acr {
				t.Errorf("%s: acr %v, want %s", c.more, got["acr"], c.acr)
			}
			var amr []string
			for _, m := range got["amr"].([]any) {
				amr = append(amr, m.(string))
			}
			for _, m := range append(strings.Fields(c.more), "pwd") {
				if !slices.Contains(amr, m) {
					t.Errorf("amr %v lacks %s", amr, m)
				}
			}
		}
		if body := b.get("/.well-known/openid-configuration").body; !strings.Contains(body, `"acr_values_supported":["pw","mfa","phr"]`) {
			t.Error(body)
		}
	})
}

// acr_values is a wish: who can is asked once, before the code; who cannot goes
// on as they are, and the token says so. As an essential claim it is a condition
// (RFC 9470, section 5).
func TestLevelsAsked(t *testing.T) {
	const essential = `{"id_token":{"acr":{"essential":true,"values":["mfa"]}}}`
	each(t, func(t *testing.T, w *world) {
		w.write(policy.EnsureDefault)
		now := time.Now()
		w.d.Now = func() time.Time { return now }
		anna, bert := w.person("anna"), w.person("bert")
		w.give(anna, "totp")
		b := w.signedIn(anna)
		p := b.authorize("plain", "acr_values", "phr") // has none: the wish stays one
		if p.query("code") == "" {
			t.Fatalf("%v", p.to)
		}
		if p := b.authorize("plain", "acr_values", "urn:example:high 2"); p.query("code") == "" { // nobody's values
			t.Errorf("%v", p.to)
		}
		if p := b.authorize("plain", "acr_values", "pw"); p.query("code") == "" {
			t.Errorf("%v", p.to)
		}
		if p := b.authorize("plain", "acr_values", "mfa", "prompt", "none"); p.query("code") == "" {
			t.Errorf("a wish, silently: %v", p.to)
		}
		if p := b.authorize("plain", "claims", essential, "prompt", "none"); p.query("error") != "interaction_required" {
			t.Errorf("a condition, silently: %v", p.to)
		}
		for _, asked := range [][]string{{"acr_values", "mfa"}, {"claims", essential}} {
			p = b.authorize("plain", asked...)
			if p.to == nil || p.to.Path != "/account/confirm" {
				t.Fatalf("not asked: %v", p.to)
			}
			next := p.query("next")
			if p := b.get(next); p.to.Path != "/account/confirm" {
				t.Fatalf("went on without a proof: %v", p.to)
			}
			now = now.Add(time.Minute)
			w.prove(b, anna, "otp") // by mail: less than was asked
			p = b.get(next)
			if asked[0] == "acr_values" && p.query("code") == "" || asked[0] == "claims" && p.query("error") != "unmet_authentication_requirements" {
				t.Errorf("%s after a code by mail: %v", asked[0], p.to)
			}
			now = now.Add(time.Minute)
			p = b.authorize("plain", asked...)
			now = now.Add(time.Minute)
			w.prove(b, anna, "otp mfa")
			if p = b.get(p.query("next")); p.query("code") == "" {
				t.Fatalf("%s after the app: %v", asked[0], p.to)
			}
			if got := claims(t, w.exchange("plain", p.query("code")).IDToken); got["acr"] != "mfa" {
				t.Error(got["acr"])
			}
			if p := b.authorize("plain", asked...); p.query("code") == "" {
				t.Errorf("asked again although it was shown: %v", p.to)
			}
			w.write(func(tx *db.Tx) error {
				_, err := tx.Exec(`UPDATE session SET ended_at = $1`, tx.Now())
				return err
			})
			b = w.signedIn(anna)
		}
		// Who has nothing better cannot meet a condition.
		c := w.signedIn(bert)
		if p := c.authorize("plain", "claims", essential); p.query("error") != "unmet_authentication_requirements" {
			t.Errorf("%v", p.to)
		}
		if p := c.authorize("plain", "acr_values", "mfa phr"); p.query("code") == "" {
			t.Errorf("%v", p.to)
		}
		if p := c.authorize("plain", "claims", "{broken"); p.query("code") == "" {
			t.Errorf("claims that nobody understands: %v", p.to)
		}
	})
}
