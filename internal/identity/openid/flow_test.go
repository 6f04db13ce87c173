package openid_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"zunft/internal/identity/application"
)

// The whole way with a foreign library as the application: discovery, code,
// PKCE, ID token, userinfo, in both algorithms.
func TestFlowWithForeignLibrary(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.application("rsa", func(a *application.Application) { a.IDTokenAlg = "RS256" })
		anna := w.person("anna")
		for _, client := range []string{"plain", "rsa"} {
			ctx := context.Background()
			provider, err := oidc.NewProvider(ctx, w.base)
			if err != nil {
				t.Fatal(err)
			}
			config := oauth2.Config{ClientID: client, ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: callback, Scopes: []string{"openid", "email", "profile"}}
			v := oauth2.GenerateVerifier()
			b := w.browser()
			p := b.get(config.AuthCodeURL("the state", oidc.Nonce("the nonce"), oauth2.S256ChallengeOption(v)))
			if p.to == nil || p.to.Path != "/login" {
				t.Fatalf("a stranger must sign in: %d %v", p.status, p.to)
			}
			login := b.get(p.to.String())
			if want := `login for "App ` + client + `"`; login.body != want {
				t.Errorf("login page says %s, want %s", login.body, want)
			}
			if csp := login.header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https://app.example") {
				t.Errorf("the form may not lead on to the application: %s", csp)
			}
			p = b.login(anna, p.query("next"))
			p = b.get(p.to.String())
			if p.query("state") != "the state" || p.query("iss") != w.base || !strings.HasPrefix(p.to.String(), callback+"?") {
				t.Fatalf("answer %v", p.to)
			}
			token, err := config.Exchange(ctx, p.query("code"), oauth2.VerifierOption(v))
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := token.Extra("id_token").(string)
			id, err := provider.Verifier(&oidc.Config{ClientID: client}).Verify(ctx, raw)
			if err != nil {
				t.Fatal(err)
			}
			if id.Nonce != "the nonce" || id.Subject != anna.ID || id.VerifyAccessToken(token.AccessToken) != nil {
				t.Errorf("nonce %q sub %q at_hash %v", id.Nonce, id.Subject, id.VerifyAccessToken(token.AccessToken))
			}
			if _, err := provider.Verifier(&oidc.Config{ClientID: "other"}).Verify(ctx, raw); err == nil {
				t.Error("accepted by another application")
			}
			info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
			if err != nil {
				t.Fatal(err)
			}
			if info.Subject != anna.ID || info.Email != "anna@beispiel.example" || !info.EmailVerified {
				t.Errorf("userinfo %+v", info)
			}
		}
	})
}

// R029: no code for somebody without a role; R030: not for an admin either.
// R148: as soon as the role is there, the way is free, and the token says it.
func TestR029NoRoleNoCode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna := w.person("anna")
		b := w.signedIn(anna)
		refused := func(why string) {
			t.Helper()
			p := b.authorize("training", "scope", "openid organization roles")
			if p.to == nil || p.to.Path != "/authorize/no-access" || strings.Contains(p.to.RawQuery, "code=") {
				t.Fatalf("%s: %d %v", why, p.status, p.to)
			}
			if p := b.authorize("training", "prompt", "none"); p.query("error") != "interaction_required" || p.query("code") != "" {
				t.Errorf("%s: prompt=none gives %v", why, p.to)
			}
		}
		refused("belongs to nobody")
		bakery := w.organization("Bäckerei Beispiel", anna)
		w.employ(bakery, anna)
		refused("member without a role")
		w.admin(bakery, anna)
		refused("admin without a role (R030)")
		w.employ(bakery, anna, "trainer", "apprentice")
		code := b.code("training", "scope", "openid organization roles")
		r := w.exchange("training", code)
		c := claims(t, r.IDToken)
		org, _ := c["organization"].(map[string]any)
		if org["id"] != bakery || org["name"] != "Bäckerei Beispiel" || org["chamber_number"] != "999" || org["ident_number"] != "4711Bäckerei Beispiel" || len(org["evidence"].([]any)) != 1 {
			t.Errorf("organization claim %v", org)
		}
		if site, there := org["site"]; !there || site != nil {
			t.Errorf("site %v", org)
		}
		if roles, _ := c["roles"].([]any); len(roles) != 2 || roles[0] != "apprentice" || roles[1] != "trainer" {
			t.Errorf("roles %v", c["roles"])
		}
		for _, name := range []string{"auth_time", "acr", "amr", "sid", "at_hash", "iat", "exp"} {
			if c[name] == nil {
				t.Errorf("no claim %s", name)
			}
		}
		_, info := w.userinfo(r.AccessToken)
		if info["organization"] == nil || info["roles"] == nil || info["email"] != nil || info["name"] != nil {
			t.Errorf("userinfo says %v", info)
		}
		// What was not asked for is not told.
		c = claims(t, w.exchange("training", b.code("training")).IDToken)
		if c["organization"] != nil || c["roles"] != nil {
			t.Errorf("told unasked: %v", c)
		}
		// A role withdrawn between code and exchange counts at once.
		code = b.code("training")
		w.withdrawRoles(anna)
		if r := w.exchange("training", code); r.Error != "invalid_grant" {
			t.Errorf("exchanged without a role: %+v", r)
		}
		refused("role withdrawn")
	})
}

// R202: with roles in several companies the person chooses, and the choice holds for the session.
func TestR202SeveralOrganizations(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna := w.person("anna")
		first, second := w.organization("Bäckerei A", anna), w.organization("Bäckerei B", anna)
		w.employ(first, anna, "trainer")
		w.employ(second, anna, "apprentice")
		b := w.signedIn(anna)
		if p := b.authorize("training", "prompt", "none"); p.query("error") != "interaction_required" {
			t.Errorf("prompt=none: %v", p.to)
		}
		p := b.authorize("training", "scope", "openid organization roles")
		if p.to == nil || p.to.Path != "/authorize/organization" {
			t.Fatalf("no choice offered: %v", p.to)
		}
		next := p.query("next")
		chooser := b.get(p.to.String())
		if chooser.status != 200 || !strings.Contains(chooser.body, "Bäckerei A") || !strings.Contains(chooser.body, "Bäckerei B") || !strings.Contains(chooser.header.Get("Content-Security-Policy"), " https://app.example") {
			t.Fatalf("chooser: %d %s", chooser.status, chooser.header)
		}
		if p := b.post("/authorize/organization", url.Values{"next": {next}}); p.status != 422 {
			t.Errorf("nothing chosen: %d", p.status)
		}
		if p := b.post("/authorize/organization", url.Values{"next": {next}, "organization": {w.organization("Fremd", anna)}}); p.status != 422 {
			t.Errorf("foreign organization: %d", p.status)
		}
		p = b.post("/authorize/organization", url.Values{"next": {next}, "organization": {second}})
		p = b.get(p.to.String())
		c := claims(t, w.exchange("training", p.query("code")).IDToken)
		if c["organization"].(map[string]any)["id"] != second || c["roles"].([]any)[0] != "apprentice" || len(c["roles"].([]any)) != 1 {
			t.Errorf("claims %v", c)
		}
		b.code("training") // not asked again
	})
}

// An application without a catalogue serves every account (decision 10).
func TestApplicationWithoutCatalogueServesEverybody(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna := w.person("anna")
		b := w.signedIn(anna)
		ask := func() any {
			t.Helper()
			return claims(t, w.exchange("plain", b.code("plain", "scope", "openid organization roles")).IDToken)["organization"]
		}
		if got := ask(); got != nil {
			t.Errorf("organization of nobody: %v", got)
		}
		w.employ(w.organization("Bäckerei A", anna), anna)
		if got, _ := ask().(map[string]any); got["name"] != "Bäckerei A" {
			t.Errorf("one membership: %v", got)
		}
		second := w.organization("Bäckerei B", anna)
		w.employ(second, anna)
		// Of several one is asked for only if the application wants to know it.
		b.code("plain")
		if p := b.authorize("plain", "scope", "openid organization", "prompt", "none"); p.query("error") != "interaction_required" {
			t.Errorf("two memberships, silently: %v", p.to)
		}
		p := b.authorize("plain", "scope", "openid organization roles")
		if p.to == nil || p.to.Path != "/authorize/organization" {
			t.Fatalf("two memberships, nothing chosen: %v", p.to)
		}
		b.post("/authorize/organization", url.Values{"next": {p.query("next")}, "organization": {second}})
		if got, _ := ask().(map[string]any); got["id"] != second {
			t.Errorf("the chosen one: %v", got)
		}
	})
}
