package security_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/portaltest"
)

var recovery = regexp.MustCompile(`>[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}<`)

func relogin(p *policy.Policy) {
	p.Factor.Switch, p.Factor.Methods = "relogin", []string{"mail", "totp"}
}

// R161, R162, R163, R164, R165, R166, R167, R168, R169, R175, R176, R177, R178, R179: the way of the source. Radios, Speichern and Abbrechen;
// what is new is set up after the next sign-in, and the factor before is asked
// first, both ways.
func TestR165Relogin(t *testing.T) {
	each(t, relogin, func(t *testing.T, w *world) {
		w.create("anna")
		p := w.person("192.0.2.1")
		p.login("anna")
		p.Get("/account/security").Want(t, 200, "Zweistufige Verifizierung")                                  // R162
		p.Get("/account/security/two-step").Goes(t, "/account/confirm?next=%2Faccount%2Fsecurity%2Ftwo-step") // R163
		p.sure()
		p.Get("/account/security/two-step").Want(t, 200, "Zweistufige Verifizierung", "Änderung des zweiten Faktors",
			"Hier können Sie Ihren gewählten zweiten Faktor für die Authentifizierung ändern.", "E-Mail", "Mobile Token", "Abbrechen", "Speichern") // R164, R178
		p.Post("/account/security/two-step", "do", "save", "kind", "fax").Want(t, 422)
		p.Post("/account/security/two-step", "do", "save", "kind", "totp").Goes(t, "/account/security/two-step")
		p.Get("/account/security/two-step").Want(t, 200, "Melden Sie sich ab und wieder an, um Ihren zweiten Faktor auf Mobile Token umzustellen") // R167
		p = w.person("192.0.2.1")
		if to := p.login("anna"); to != "/login/setup" {
			t.Fatal("after the next sign-in:", to)
		}
		g := p.Get("/login/setup").Want(t, 200, "Scannen Sie bitte diesen QR-Code und tragen Sie hier das Einmal-Passwort ein.", "Weiter") // R168, R169
		key := keyIn(t, g)
		p.Post("/login/setup", "do", "app", "code", w.totp(key)).Goes(t, "/login/next")
		p.Get("/login/next").Goes(t, "/")
		if w.Count(`SELECT count(*) FROM factor WHERE kind = 'totp' AND state = 'active'`) != 1 {
			t.Fatal("no app")
		}

		// A new device: the page says when, and there is no way around it.
		w.Pass(11 * time.Minute)
		p.Get("/account/security/two-step").Goes(t, "/account/confirm?next=%2Faccount%2Fsecurity%2Ftwo-step")
		p.Get("/account/confirm").Want(t, 200, "das Sie mit Ihrer Authentifizierungs-App generiert haben") // R176
		p.Post("/account/confirm", "do", "prove", "way", "totp", "code", w.totp(key), "next", "/account/security/two-step").Goes(t, "/account/security/two-step")
		p.Get("/account/security/two-step").Want(t, 200, "Änderung des Mobilgerätes",
			"Bitte beachten Sie, dass Sie aus Sicherheitsgründen Ihr neues Mobilgerät erst nach Ihrem nächsten Login auf", "aktivieren können", // R165
			"Neue Verknüpfung mit Mobilgerät herstellen") // R166
		p.Get("/account/security/authenticator").Goes(t, "/account/security/two-step")
		p.Post("/account/security/two-step", "do", "device").Goes(t, "/account/security/two-step")
		p = w.person("192.0.2.1")
		if to := p.login("anna"); to != "/login/second-factor" {
			t.Fatal("the device before is not asked:", to)
		}
		w.Pass(time.Minute)
		p.Post("/login/second-factor", "do", "prove", "way", "totp", "code", w.totp(key)).Goes(t, "/login/next")
		p.Get("/login/next").Goes(t, "/login/setup")
		next := keyIn(t, p.Get("/login/setup").Want(t, 200))
		if next == key {
			t.Fatal("the same key again")
		}
		p.Post("/login/setup", "do", "app", "code", w.totp(next)).Goes(t, "/login/next")
		p.Get("/login/next").Goes(t, "/")
		if n := w.Count(`SELECT count(*) FROM factor WHERE state = 'active'`); n != 1 {
			t.Errorf("%d factors: the device before is still there", n)
		}

		// Back to mail: the same way (R177, R179), R175 at the end.
		w.Pass(time.Minute)
		p.Post("/account/security/two-step", "do", "save", "kind", "mail").Goes(t, "/account/security/two-step")
		p = w.person("192.0.2.1")
		p.login("anna")
		w.Pass(time.Minute)
		p.Post("/login/second-factor", "do", "prove", "way", "totp", "code", w.totp(next)).Goes(t, "/login/next")
		p.Get("/login/next").Goes(t, "/login/setup")
		p.Get("/login/setup").Want(t, 200, "Zweiten Faktor umstellen")
		cancelled := p.again()
		p.Post("/login/setup", "do", "next", "kind", "mail").Goes(t, "/login/next")
		p.Get("/account/security").Want(t, 303)
		p.Get("/login/next").Goes(t, "/")
		p.Get("/account/security").Want(t, 200, "Ihre persönlichen Daten wurden geändert") // R175
		cancelled.Post("/login/setup", "do", "cancel")
		if w.Count(`SELECT count(*) FROM factor WHERE kind = 'totp'`) != 0 || w.Count(`SELECT count(*) FROM factor WHERE kind = 'mail' AND state = 'active'`) != 1 {
			t.Error("not changed over to mail")
		}
	})
}

// R161: side by side, the new one is confirmed before the old one goes, and no
// new sign-in is needed (decision 3); the last one that a role needs stays.
func TestR161SideBySide(t *testing.T) {
	each(t, nil, func(t *testing.T, w *world) {
		w.create("anna")
		w.create("bert")
		p := w.person("192.0.2.1")
		p.login("anna")
		p.sure()
		p.Get("/account/security/two-step").Want(t, 200, "Zweistufige Verifizierung", "Sie haben keinen eigenen zweiten Faktor eingerichtet")
		p.app()
		p.app()
		p.Post("/account/security/two-step", "do", "mail").Goes(t, "/account/security/two-step")
		p.Post("/account/security/two-step", "do", "mail").Want(t, 409)
		g := p.Get("/account/security/two-step").Want(t, 200, "Wiederherstellungscode")
		if n := strings.Count(g.Body, `href="/account/security/factors/`); n != 3 {
			t.Fatalf("%d factors listed, want 3", n)
		}
		if got := w.subjects(); len(got) != 3 {
			t.Error("mails:", got)
		}
		_, rest, _ := strings.Cut(g.Body, `href="/account/security/factors/`)
		id, _, _ := strings.Cut(rest, `"`)
		one := "/account/security/factors/" + id
		bert := w.person("192.0.2.2")
		bert.login("bert")
		bert.sure()
		bert.Get(one).Want(t, 404) // not theirs
		bert.Post(one, "do", "remove").Want(t, 404)
		p.Get(one).Want(t, 200, "Entfernen")
		p.Post(one, "do", "rename", "name", strings.Repeat("x", 300)).Want(t, 422)
		p.Post(one, "do", "rename", "name", "<b>Handy</b>").Goes(t, "/account/security/two-step")
		p.Get("/account/security/two-step").Want(t, 200, "<b>Handy</b>")
		p.Post(one, "do", "remove").Goes(t, "/account/security/two-step")
		p.Post(one, "do", "remove").Want(t, 404)
		if n := w.Count(`SELECT count(*) FROM factor WHERE state = 'active'`); n != 2 {
			t.Errorf("%d left", n)
		}
	})
}

// Decision 3, ux.md 3.3: who may not do without a factor sets one up before
// anything else; a code by mail opens that page, not more.
func TestLeast(t *testing.T) {
	each(t, func(p *policy.Policy) { p.Factor.Least = map[string]string{"operator": "totp"} }, func(t *testing.T, w *world) {
		a := w.create("otto")
		w.Write(func(tx *db.Tx) error { return chamber.AddStaff(tx, audit.Console, a.ID, "", "operator") })
		p := w.person("192.0.2.1")
		if to := p.login("otto"); to != "/login/second-factor" {
			t.Fatal(to)
		}
		p.Post("/login/second-factor", "do", "choose", "way", "mail").Want(t, 303)
		p.Post("/login/second-factor", "do", "prove", "way", "mail", "code", w.code()).Goes(t, "/login/next")
		p.Get("/login/next").Goes(t, "/login/setup")
		p.Get("/").Goes(t, "/login/next")
		p.Get("/login/setup").Want(t, 200, "Für Ihre Aufgaben ist ein zweiter Faktor nötig")
		p.Post("/login/setup", "do", "later").Want(t, 422) // there is no later
		p.Post("/login/setup", "do", "next", "kind", "mail").Want(t, 422)
		p.Post("/login/setup", "do", "next", "kind", "totp").Goes(t, "/login/setup?kind=totp")
		key := keyIn(t, p.Get("/login/setup?kind=totp").Want(t, 200, "Für Ihre Aufgaben ist ein zweiter Faktor nötig"))
		p.Post("/login/setup", "do", "app", "code", w.totp(key)).Goes(t, "/login/next")
		p.Get("/login/next").Goes(t, "/")
		p.Get("/").Want(t, 200, "Start: pwd otp mfa")
		g := p.Get("/account/security/two-step").Want(t, 200)
		_, rest, _ := strings.Cut(g.Body, `href="/account/security/factors/`)
		id, _, _ := strings.Cut(rest, `"`)
		p.Post("/account/security/factors/"+id, "do", "remove").Want(t, 409, "Richten Sie zuerst einen anderen ein")
		w.Pass(time.Minute)
		p = w.person("192.0.2.1")
		p.login("otto")
		p.Post("/login/second-factor", "do", "choose", "way", "mail").Want(t, 422) // never again by mail
		p.Post("/login/second-factor", "do", "prove", "way", "totp", "code", w.totp(key)).Goes(t, "/login/next")
	})
}

// R199, S25: voluntary, offered at the first sign-in, once.
func TestR199Offer(t *testing.T) {
	each(t, func(p *policy.Policy) { p.Factor.Offer = true }, func(t *testing.T, w *world) {
		w.create("anna")
		w.create("bert")
		p := w.person("192.0.2.1")
		if to := p.login("anna"); to != "/login/setup" {
			t.Fatal(to)
		}
		p.Get("/login/setup").Want(t, 200, "freiwillig", "Weiter", "Später")
		p.Post("/login/setup", "do", "next").Want(t, 422, "Wählen Sie einen zweiten Faktor aus")
		p.Post("/login/setup", "do", "later").Goes(t, "/login/next")
		p.Get("/login/next").Goes(t, "/")
		if to := w.person("192.0.2.1").login("anna"); to != "/" {
			t.Error("offered twice:", to)
		}
		bert := w.person("192.0.2.2")
		bert.login("bert")
		// R163: whoever has but the password does not choose the second factor.
		bert.Get("/login/setup?kind=totp").Want(t, 200, "freiwillig")
		bert.Post("/login/setup", "do", "app", "code", "123456").Goes(t, "/login/next")
		bert.Post("/login/setup/passkey").Want(t, 404)
		if w.Count(`SELECT count(*) FROM factor`) != 0 {
			t.Error("a key is shown to who has shown nothing but the password")
		}
		bert.Post("/login/setup", "do", "next", "kind", "totp").Goes(t, "/login/second-factor?then=totp&way=mail")
		bert.Get("/login/second-factor?then=totp&way=mail").Want(t, 200)
		bert.Post("/login/second-factor", "do", "prove", "way", "mail", "then", "totp", "code", w.code()).Goes(t, "/login/setup?kind=totp")
		key := keyIn(t, bert.Get("/login/setup?kind=totp"))
		bert.Post("/login/setup", "do", "app", "code", w.totp(key)).Goes(t, "/login/next")
		bert.Get("/login/next").Goes(t, "/")
		if to := w.person("192.0.2.2").login("bert"); to != "/login/second-factor" {
			t.Error("R201: not asked for it:", to)
		}
	})
}

// Recovery codes are shown once, work once, and stand in for the factor.
func TestRecoveryCodes(t *testing.T) {
	each(t, nil, func(t *testing.T, w *world) {
		w.create("anna")
		p := w.person("192.0.2.1")
		p.login("anna")
		p.sure()
		p.app()
		p.Post("/account/security/recovery-codes").Goes(t, "/account/security/recovery-codes")
		stolen := p.again()
		g := p.Get("/account/security/recovery-codes").Want(t, 200, "Wir zeigen Ihnen diese Codes nur jetzt")
		codes := recovery.FindAllString(g.Body, -1)
		for i, code := range codes {
			codes[i] = strings.Trim(code, "<>")
		}
		if len(codes) != 10 {
			t.Fatalf("%d codes:\n%s", len(codes), g.Text)
		}
		if g := p.Get("/account/security/recovery-codes"); recovery.MatchString(g.Body) {
			t.Error("shown twice")
		}
		elsewhere := w.person("192.0.2.3")
		elsewhere.login("anna")
		elsewhere.Cookies["t_codes"] = stolen.Cookies["t_codes"]
		if g := elsewhere.Get("/account/security/recovery-codes"); recovery.MatchString(g.Body) {
			t.Error("the cookie opens in another session")
		}
		for _, code := range codes {
			if w.Count(`SELECT count(*) FROM recovery_code WHERE code_mac LIKE $1`, "%"+strings.ReplaceAll(code, "-", "")+"%") != 0 {
				t.Error("a code lies in the database")
			}
		}
		q := w.person("192.0.2.4")
		q.login("anna")
		q.Get("/login/second-factor").Want(t, 200, "Wiederherstellungscode verwenden")
		q.Post("/login/second-factor", "do", "choose", "way", "recovery").Goes(t, "/login/second-factor?way=recovery")
		q.Get("/login/second-factor?way=recovery").Want(t, 200, "Jeder Wiederherstellungscode gilt einmal")
		q.Post("/login/second-factor", "do", "prove", "way", "recovery", "code", strings.ToLower(codes[3])).Goes(t, "/login/next")
		q.Get("/login/next").Goes(t, "/")
		q = w.person("192.0.2.4")
		q.login("anna")
		q.Post("/login/second-factor", "do", "prove", "way", "recovery", "code", codes[3]).Want(t, 422)
	})
}

// R180: a new password takes the step-up and the old one (ASVS 6.2.3, 7.5.1);
// everybody else is signed out, this window has a new token.
func TestR180Password(t *testing.T) {
	each(t, nil, func(t *testing.T, w *world) {
		w.create("anna")
		elsewhere := w.person("192.0.2.8")
		elsewhere.login("anna")
		p := w.person("192.0.2.1")
		p.login("anna")
		p.Get("/account/security/password").Goes(t, "/account/confirm?next=%2Faccount%2Fsecurity%2Fpassword")
		p.sure()
		p.Get("/account/security/password").Want(t, 200, "Bisheriges Passwort", "Mindestens 12 Zeichen")
		set := func(current, a, b string) portaltest.Page {
			return p.Post("/account/security/password", "current", current, "password", a, "password_repeat", b)
		}
		const next = "Ofen Blech Teig Korb"
		set("", next, next).Want(t, 422)
		set("geraten geraten", next, next).Want(t, 422)
		set(plain, "kurz", "kurz").Want(t, 422, "mindestens 12 Zeichen")
		set(plain, next, next+"!").Want(t, 422, "dasselbe Passwort")
		set(plain, strings.Repeat("x", 200_000), "y").Want(t, 422)
		w.Inbox()
		before := p.again()
		set(plain, next, next).Goes(t, "/account/security")
		p.Get("/account/security").Want(t, 200, "Ihr neues Passwort gilt", "Zuletzt geändert am 02.11.2026")
		elsewhere.Get("/").Goes(t, "/login")
		before.Get("/").Goes(t, "/login")
		if got := w.subjects(); len(got) != 1 || got[0] != "Ihr Passwort wurde geändert" {
			t.Error(got)
		}
		set(plain, next+"!", next+"!").Want(t, 422) // the old one is no more
	})
}
