package openid_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/application"
	"zunft/internal/identity/openid"
)

// events of an application as its operator reads them: outcome, reason, count, oldest first.
func (w *world) events(a application.Application) (lines []string, all []application.Event) {
	w.t.Helper()
	if err := w.p.WriteEvents(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.write(func(tx *db.Tx) (err error) {
		all, err = application.Events(tx, audit.Console, a.ID, false, "")
		return err
	})
	for _, e := range all {
		args := make([]any, len(e.Args))
		for i, s := range e.Args {
			args[i] = s
		}
		line := fmt.Sprintf("%s %d× %s", e.Outcome, e.Times, e.Reason)
		if e.Reason != "" && !w.p.Site.Catalog.Has(e.Reason) || strings.Contains(w.p.Site.Catalog.Text("de", e.Reason, args...), "%!") {
			w.t.Errorf("%s reads %q", line, w.p.Site.Catalog.Text("de", e.Reason, args...))
		}
		lines = append([]string{line}, lines...)
	}
	return lines, all
}

// What happens at an application's door is told to its operator with a human
// reason, and to nobody else; no secret and no code gets into it.
func TestEventLog(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.application("other", nil)
		anna := w.person("anna")
		b := w.signedIn(anna)
		b.authorize("plain", "redirect_uri", callback+"/")
		b.authorize("plain", "prompt", "none", "scope", "profile")
		w.browser().authorize("plain", "prompt", "none")
		b.authorize("training")
		var codes []string
		for range 3 {
			codes = append(codes, b.code("plain"))
		}
		w.exchange("plain", codes[0])
		w.exchange("plain", codes[0])
		form := codeForm(codes[1])
		form.Set("code_verifier", strings.Repeat("x", 43))
		w.token("plain", form)
		form = codeForm(codes[2])
		form.Set("redirect_uri", callback+"?")
		w.token("plain", form)
		w.exchange("other", b.code("plain"))
		w.token("plain", codeForm("x"), "Authorization", basic("plain", "another secret"))
		w.token("plain", url.Values{"grant_type": {"password"}})
		late := b.code("plain")
		now := time.Now()
		w.d.Now = func() time.Time { return now.Add(2 * time.Minute) }
		w.exchange("plain", late)
		w.d.Now = time.Now

		lines, all := w.events(w.plain)
		want := map[string]bool{
			"authorize.redirect_uri 1× application.differs_slash_extra": true,
			"authorize.invalid_scope 1× openid.event_refused":           true,
			"authorize.login_required 1× openid.event_login_required":   true,
			"authorize.ok 5× ": true,
			"token.ok 1× ":     true,
			"token.invalid_grant 1× openid.event_code_unknown":     true,
			"token.invalid_grant 1× openid.event_code_verifier":    true,
			"token.invalid_grant 1× application.differs_query":     true,
			"token.invalid_client 1× openid.event_secret":          true,
			"token.unsupported_grant_type 1× openid.event_refused": true,
			"token.invalid_grant 1× openid.event_code_late":        true,
		}
		for _, l := range lines {
			if !want[l] {
				t.Errorf("unexpected: %s", l)
			}
			delete(want, l)
		}
		if len(want) > 0 {
			t.Error("missing:", want, "in", lines)
		}
		kept, _ := json.Marshal(all)
		for _, hidden := range append(codes, late, secret, "another secret") {
			if strings.Contains(string(kept), hidden) || strings.Contains(string(kept), strings.Split(hidden, ".")[0]) {
				t.Errorf("the log holds %q", hidden)
			}
		}
		if lines, _ := w.events(w.training); len(lines) != 1 || lines[0] != "authorize.no_role 1× openid.event_no_role" {
			t.Error(lines) // R029: who has no role is led to where one asks
		}
		// A secret's use is noted.
		var used []application.Secret
		w.write(func(tx *db.Tx) (err error) { used, err = application.Living(tx, w.plain.ID); return err })
		if len(used) != 1 || used[0].UsedAt.IsZero() {
			t.Error("the use of a secret is not noted:", used)
		}
	})
}

// Somebody who tries a thousand addresses does not fill the log.
func TestEventLogIsBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		for i := range 200 {
			b.authorize("plain", "redirect_uri", fmt.Sprintf("https://evil.example/%d", i))
		}
		if lines, _ := w.events(w.plain); len(lines) > 130 {
			t.Error(len(lines), "events")
		}
	})
}

// Both secrets of an application open it at once, so one is exchanged without a pause.
func TestTwoSecrets(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.signedIn(w.person("anna"))
		var second string
		w.write(func(tx *db.Tx) (err error) {
			second, _, err = application.NewSecret(tx, audit.Console, w.plain.ID, 30)
			return err
		})
		with := func(s string) reply {
			return w.token("plain", codeForm(b.code("plain")), "Authorization", basic("plain", s))
		}
		wait := func(s string, status int) { // a change holds within a second
			t.Helper()
			for deadline := time.Now().Add(10 * time.Second); with(s).status != status; {
				if time.Now().After(deadline) {
					t.Fatalf("the secret still answers otherwise than %d", status)
				}
			}
		}
		wait(second, 200)
		wait(secret, 200)
		w.write(func(tx *db.Tx) error {
			living, err := application.Living(tx, w.plain.ID)
			if err != nil {
				return err
			}
			return application.RevokeSecret(tx, audit.Console, w.plain.ID, living[0].ID)
		})
		wait(secret, 401)
		wait(second, 200)
		now := time.Now()
		w.d.Now = func() time.Time { return now.Add(31 * 24 * time.Hour) }
		if r := w.token("plain", codeForm("x"), "Authorization", basic("plain", second)); r.status != 401 {
			t.Error("expired:", r.status)
		}
	})
}

// An application that is switched off gets no code, no token, and nothing for
// the tokens it has.
func TestSwitchedOff(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.signedIn(w.person("anna"))
		has, code := w.exchange("plain", b.code("plain", "scope", "openid offline_access")), b.code("plain")
		if status, _ := w.userinfo(has.AccessToken); status != 200 {
			t.Fatal(status)
		}
		w.write(func(tx *db.Tx) error {
			return application.SetState(tx, audit.Console, w.plain.ID, application.Disabled)
		})
		if status, _ := w.userinfo(has.AccessToken); status != 401 {
			t.Error("userinfo:", status)
		}
		if p := b.authorize("plain"); p.status != 400 || p.to != nil {
			t.Error("authorize:", p.status, p.to)
		}
		for deadline := time.Now().Add(10 * time.Second); ; { // noticed within a second
			refused := w.token("plain", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}}).status == 401
			if refused && w.exchange("plain", code).status == 401 && w.token("plain", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {has.RefreshToken}}).status == 401 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the token endpoint still answers")
			}
		}
	})
}

// The preview says what the application would read, by the code that makes the
// tokens; it makes none, and each look is recorded on the person.
func TestPreview(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna, otto := w.person("anna"), w.person("otto")
		bakery := w.organization("Bäckerei", anna)
		w.employ(bakery, anna, "trainer")
		b := w.signedIn(anna)
		tokens := w.exchange("training", b.code("training", "scope", "openid profile email organization roles", "nonce", ""))
		_, userinfo := w.userinfo(tokens.AccessToken)
		grants := func() (n int) {
			w.write(func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, `SELECT count(*) FROM oidc_grant`); return err })
			return n
		}
		before := grants()
		var v openid.Preview
		look := func(by audit.Actor, account, organization, scope string) (err error) {
			return w.d.Write(t.Context(), func(tx *db.Tx) error {
				v, err = w.p.Preview(tx, by, w.training, account, organization, scope)
				return err
			})
		}
		if err := look(audit.Console, anna.ID, bakery, "profile email organization roles"); err != nil {
			t.Fatal(err)
		}
		var id, info map[string]any
		if json.Unmarshal([]byte(v.IDToken), &id) != nil || json.Unmarshal([]byte(v.UserInfo), &info) != nil {
			t.Fatal(v)
		}
		real := claims(t, tokens.IDToken)
		for name := range real {
			switch name {
			case "iat", "exp", "auth_time", "sid", "at_hash":
				if id[name] == nil {
					t.Errorf("the preview lacks %s", name)
				}
			default:
				if !reflect.DeepEqual(id[name], real[name]) {
					t.Errorf("%s is %v, the token says %v", name, id[name], real[name])
				}
			}
		}
		if len(id) != len(real) || !reflect.DeepEqual(info, userinfo) {
			t.Errorf("preview %v\nuserinfo %v", info, userinfo)
		}
		if grants() != before {
			t.Error("the preview made a grant")
		}
		if err := look(audit.Console, otto.ID, "", "roles"); err != nil || !v.Refused || v.IDToken != "" {
			t.Error("no role, no code (R029):", v, err)
		}
		if err := look(audit.Actor{Account: otto.ID}, anna.ID, bakery, ""); !fault.Is(err, fault.KindForbidden) {
			t.Error("who is no operator looks:", err)
		}
		w.write(func(tx *db.Tx) error {
			n, err := db.Value[int](tx, `SELECT count(*) FROM audit WHERE event = 'claims.previewed' AND account = $1`, anna.ID)
			if n != 1 {
				t.Error("looks recorded:", n)
			}
			return err
		})
	})
}
