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
)

var recovery = regexp.MustCompile(`>[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}<`)

func relogin(p *policy.Policy) {
	p.Factor.Switch, p.Factor.Methods = "relogin", []string{"mail", "totp"}
}

// R161–R170, R176–R179: the way of the source. Radios, Speichern and Abbrechen;
// what is new is set up after the next sign-in, and the factor before is asked
// first, both ways.
func TestR165Relogin(t *testing.T) {
	each(t, relogin, func(t *testing.T, w *world) {
		w.create("anna")
		p := w.person("192.0.2.1")
		p.login("anna")
		p.get("/account/security").want(t, 200, "Zweistufige Verifizierung")                                  // R162
		p.get("/account/security/two-step").goes(t, "/account/confirm?next=%2Faccount%2Fsecurity%2Ftwo-step") // R163
		p.sure()
		p.get("/account/security/two-step").want(t, 200, "Zweistufige Verifizierung", "Änderung des zweiten Faktors",
			"Hier können Sie Ihren gewählten zweiten Faktor für die Authentifizierung ändern.", "E-Mail", "Mobile Token", "Abbrechen", "Speichern") // R164, R178
		p.post("/account/security/two-step", "do", "save", "kind", "fax").want(t, 422)
		p.post("/account/security/two-step", "do", "save", "kind", "totp").goes(t, "/account/security/two-step")
		p.get("/account/security/two-step").want(t, 200, "Melden Sie sich ab und wieder an, um Ihren zweiten Faktor auf Mobile Token umzustellen") // R167
		p = w.person("192.0.2.1")
		if to := p.login("anna"); to != "/login/setup" {
			t.Fatal("after the next sign-in:", to)
		}
		g := p.get("/login/setup").want(t, 200, "Scannen Sie bitte diesen QR-Code und tragen Sie hier das Einmal-Passwort ein.", "Weiter") // R168, R169
		key := keyIn(t, g)
		p.post("/login/setup", "do", "app", "code", w.totp(key)).goes(t, "/login/next")
		p.get("/login/next").goes(t, "/")
		if w.count(`SELECT count(*) FROM factor WHERE kind = 'totp' AND state = 'active'`) != 1 {
			t.Fatal("no app")
		}

		// A new device: the page says when, and there is no way around it.
		w.pass(11 * time.Minute)
		p.get("/account/security/two-step").goes(t, "/account/confirm?next=%2Faccount%2Fsecurity%2Ftwo-step")
		p.get("/account/confirm").want(t, 200, "das Sie mit Ihrer Authentifizierungs-App generiert haben") // R176
		p.post("/account/confirm", "do", "prove", "way", "totp", "code", w.totp(key), "next", "/account/security/two-step").goes(t, "/account/security/two-step")
		p.get("/account/security/two-step").want(t, 200, "Änderung des Mobilgerätes",
			"Bitte beachten Sie, dass Sie aus Sicherheitsgründen Ihr neues Mobilgerät erst nach Ihrem nächsten Login auf", "aktivieren können", // R165
			"Neue Verknüpfung mit Mobilgerät herstellen") // R166
		p.get("/account/security/authenticator").goes(t, "/account/security/two-step")
		p.post("/account/security/two-step", "do", "device").goes(t, "/account/security/two-step")
		p = w.person("192.0.2.1")
		if to := p.login("anna"); to != "/login/second-factor" {
			t.Fatal("the device before is not asked:", to)
		}
		w.pass(time.Minute)
		p.post("/login/second-factor", "do", "prove", "way", "totp", "code", w.totp(key)).goes(t, "/login/next")
		p.get("/login/next").goes(t, "/login/setup")
		next := keyIn(t, p.get("/login/setup").want(t, 200))
		if next == key {
			t.Fatal("the same key again")
		}
		p.post("/login/setup", "do", "app", "code", w.totp(next)).goes(t, "/login/next")
		p.get("/login/next").goes(t, "/")
		if n := w.count(`SELECT count(*) FROM factor WHERE state = 'active'`); n != 1 {
			t.Errorf("%d factors: the device before is still there", n)
		}

		// Back to mail: the same way (R177, R179), R175 at the end.
		w.pass(time.Minute)
		p.post("/account/security/two-step", "do", "save", "kind", "mail").goes(t, "/account/security/two-step")
		p = w.person("192.0.2.1")
		p.login("anna")
		w.pass(time.Minute)
		p.post("/login/second-factor", "do", "prove", "way", "totp", "code", w.totp(next)).goes(t, "/login/next")
		p.get("/login/next").goes(t, "/login/setup")
		p.get("/login/setup").want(t, 200, "Zweiten Faktor umstellen")
		cancelled := p.again()
		p.post("/login/setup", "do", "next", "kind", "mail").goes(t, "/login/next")
		p.get("/account/security").want(t, 303)
		p.get("/login/next").goes(t, "/")
		p.get("/account/security").want(t, 200, "Ihre persönlichen Daten wurden geändert") // R175
		cancelled.post("/login/setup", "do", "cancel")
		if w.count(`SELECT count(*) FROM factor WHERE kind = 'totp'`) != 0 || w.count(`SELECT count(*) FROM factor WHERE kind = 'mail' AND state = 'active'`) != 1 {
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
		p.get("/account/security/two-step").want(t, 200, "Zweistufige Verifizierung", "Sie haben keinen eigenen zweiten Faktor eingerichtet")
		p.app()
		p.app()
		p.post("/account/security/two-step", "do", "mail").goes(t, "/account/security/two-step")
		p.post("/account/security/two-step", "do", "mail").want(t, 409)
		g := p.get("/account/security/two-step").want(t, 200, "Wiederherstellungscode")
		if n := strings.Count(g.body, `href="/account/security/factors/`); n != 3 {
			t.Fatalf("%d factors listed, want 3", n)
		}
		if got := w.subjects(); len(got) != 3 {
			t.Error("mails:", got)
		}
		_, rest, _ := strings.Cut(g.body, `href="/account/security/factors/`)
		id, _, _ := strings.Cut(rest, `"`)
		one := "/account/security/factors/" + id
		bert := w.person("192.0.2.2")
		bert.login("bert")
		bert.sure()
		bert.get(one).want(t, 404) // not theirs
		bert.post(one, "do", "remove").want(t, 404)
		p.get(one).want(t, 200, "Entfernen")
		p.post(one, "do", "rename", "name", strings.Repeat("x", 300)).want(t, 422)
		p.post(one, "do", "rename", "name", "<b>Handy</b>").goes(t, "/account/security/two-step")
		p.get("/account/security/two-step").want(t, 200, "<b>Handy</b>")
		p.post(one, "do", "remove").goes(t, "/account/security/two-step")
		p.post(one, "do", "remove").want(t, 404)
		if n := w.count(`SELECT count(*) FROM factor WHERE state = 'active'`); n != 2 {
			t.Errorf("%d left", n)
		}
	})
}

// Decision 3, ux.md 3.3: who may not do without a factor sets one up before
// anything else; a code by mail opens that page, not more.
func TestLeast(t *testing.T) {
	each(t, func(p *policy.Policy) { p.Factor.Least = map[string]string{"operator": "totp"} }, func(t *testing.T, w *world) {
		a := w.create("otto")
		w.write(func(tx *db.Tx) error { return chamber.AddStaff(tx, audit.Console, a.ID, "", "operator") })
		p := w.person("192.0.2.1")
		if to := p.login("otto"); to != "/login/second-factor" {
			t.Fatal(to)
		}
		p.post("/login/second-factor", "do", "choose", "way", "mail").want(t, 303)
		p.post("/login/second-factor", "do", "prove", "way", "mail", "code", w.code()).goes(t, "/login/next")
		p.get("/login/next").goes(t, "/login/setup")
		p.get("/").goes(t, "/login/next")
		p.get("/login/setup").want(t, 200, "Für Ihre Aufgaben ist ein zweiter Faktor nötig")
		p.post("/login/setup", "do", "later").want(t, 422) // there is no later
		p.post("/login/setup", "do", "next", "kind", "mail").want(t, 422)
		p.post("/login/setup", "do", "next", "kind", "totp").goes(t, "/login/setup?kind=totp")
		key := keyIn(t, p.get("/login/setup?kind=totp").want(t, 200, "Für Ihre Aufgaben ist ein zweiter Faktor nötig"))
		p.post("/login/setup", "do", "app", "code", w.totp(key)).goes(t, "/login/next")
		p.get("/login/next").goes(t, "/")
		p.get("/").want(t, 200, "Start: pwd otp mfa")
		g := p.get("/account/security/two-step").want(t, 200)
		_, rest, _ := strings.Cut(g.body, `href="/account/security/factors/`)
		id, _, _ := strings.Cut(rest, `"`)
		p.post("/account/security/factors/"+id, "do", "remove").want(t, 409, "Richten Sie zuerst einen anderen ein")
		w.pass(time.Minute)
		p = w.person("192.0.2.1")
		p.login("otto")
		p.post("/login/second-factor", "do", "choose", "way", "mail").want(t, 422) // never again by mail
		p.post("/login/second-factor", "do", "prove", "way", "totp", "code", w.totp(key)).goes(t, "/login/next")
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
		p.get("/login/setup").want(t, 200, "freiwillig", "Weiter", "Später")
		p.post("/login/setup", "do", "next").want(t, 422, "Wählen Sie einen zweiten Faktor aus")
		p.post("/login/setup", "do", "later").goes(t, "/login/next")
		p.get("/login/next").goes(t, "/")
		if to := w.person("192.0.2.1").login("anna"); to != "/" {
			t.Error("offered twice:", to)
		}
		bert := w.person("192.0.2.2")
		bert.login("bert")
		bert.post("/login/setup", "do", "next", "kind", "totp").goes(t, "/login/setup?kind=totp")
		key := keyIn(t, bert.get("/login/setup?kind=totp"))
		bert.post("/login/setup", "do", "app", "code", w.totp(key)).goes(t, "/login/next")
		bert.get("/login/next").goes(t, "/")
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
		p.post("/account/security/recovery-codes").goes(t, "/account/security/recovery-codes")
		stolen := p.again()
		g := p.get("/account/security/recovery-codes").want(t, 200, "Wir zeigen Ihnen diese Codes nur jetzt")
		codes := recovery.FindAllString(g.body, -1)
		for i, code := range codes {
			codes[i] = strings.Trim(code, "<>")
		}
		if len(codes) != 10 {
			t.Fatalf("%d codes:\n%s", len(codes), g.text)
		}
		if g := p.get("/account/security/recovery-codes"); recovery.MatchString(g.body) {
			t.Error("shown twice")
		}
		elsewhere := w.person("192.0.2.3")
		elsewhere.login("anna")
		elsewhere.cookies["t_codes"] = stolen.cookies["t_codes"]
		if g := elsewhere.get("/account/security/recovery-codes"); recovery.MatchString(g.body) {
			t.Error("the cookie opens in another session")
		}
		for _, code := range codes {
			if w.count(`SELECT count(*) FROM recovery_code WHERE code_mac LIKE $1`, "%"+strings.ReplaceAll(code, "-", "")+"%") != 0 {
				t.Error("a code lies in the database")
			}
		}
		q := w.person("192.0.2.4")
		q.login("anna")
		q.get("/login/second-factor").want(t, 200, "Wiederherstellungscode verwenden")
		q.post("/login/second-factor", "do", "choose", "way", "recovery").goes(t, "/login/second-factor?way=recovery")
		q.get("/login/second-factor?way=recovery").want(t, 200, "Jeder Wiederherstellungscode gilt einmal")
		q.post("/login/second-factor", "do", "prove", "way", "recovery", "code", strings.ToLower(codes[3])).goes(t, "/login/next")
		q.get("/login/next").goes(t, "/")
		q = w.person("192.0.2.4")
		q.login("anna")
		q.post("/login/second-factor", "do", "prove", "way", "recovery", "code", codes[3]).want(t, 422)
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
		p.get("/account/security/password").goes(t, "/account/confirm?next=%2Faccount%2Fsecurity%2Fpassword")
		p.sure()
		p.get("/account/security/password").want(t, 200, "Bisheriges Passwort", "Mindestens 12 Zeichen")
		set := func(current, a, b string) page {
			return p.post("/account/security/password", "current", current, "password", a, "password_repeat", b)
		}
		const next = "Ofen Blech Teig Korb"
		set("", next, next).want(t, 422)
		set("geraten geraten", next, next).want(t, 422)
		set(plain, "kurz", "kurz").want(t, 422, "mindestens 12 Zeichen")
		set(plain, next, next+"!").want(t, 422, "dasselbe Passwort")
		set(plain, strings.Repeat("x", 200_000), "y").want(t, 422)
		w.inbox()
		before := p.again()
		set(plain, next, next).goes(t, "/account/security")
		p.get("/account/security").want(t, 200, "Ihr neues Passwort gilt", "Zuletzt geändert am 02.11.2026")
		elsewhere.get("/").goes(t, "/login")
		before.get("/").goes(t, "/login")
		if got := w.subjects(); len(got) != 1 || got[0] != "Ihr Passwort wurde geändert" {
			t.Error(got)
		}
		set(plain, next+"!", next+"!").want(t, 422) // the old one is no more
	})
}
