package security_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/identity/policy"
)

// R151–R156, R160: a change asks for a second factor, by mail for who has set
// up nothing, in the source's words; the code is bound to the session that
// asked, works once, and what it opens closes after ten minutes.
func TestR151StepUpByMail(t *testing.T) {
	each(t, nil, func(t *testing.T, w *world) {
		w.create("anna")
		p := w.person("192.0.2.1")
		if to := p.login("anna"); to != "/" {
			t.Fatal("somebody without a factor is asked for one:", to)
		}
		p.get("/account/thing").goes(t, "/account/confirm?next=%2Faccount%2Fthing")
		confirm := "/account/confirm?next=%2Faccount%2Fthing"
		p.get(confirm).want(t, 200,
			"Aus Sicherheitsgründen ist eine Änderung der persönlichen Daten nur mit einer zusätzlichen Authentifizierung Ihrer Person möglich", // R151
			"Die Authentifizierung können Sie entweder mit einem Einmal-Passwort per E-Mail oder",                                               // R152
			"Bitte wählen Sie einen zweiten Faktor für die Authentifizierung", "E-Mail", "Mobile Token", "Anmelden")                             // R153, R154, R157
		if len(w.inbox()) != 0 {
			t.Error("a GET sent a code")
		}
		p.post("/account/confirm", "do", "choose", "next", "/account/thing").want(t, 422, "Wählen Sie einen zweiten Faktor aus")
		p.post("/account/confirm", "do", "choose", "way", "passport", "next", "/account/thing").want(t, 422)
		to := p.post("/account/confirm", "do", "choose", "way", "mail", "next", "/account/thing").to
		p.get(to).want(t, 200, "Sie haben sich für das Authentifizierungsverfahren des Einmal-Passwortes per E-Mail entschieden. Das Einmal-Passwort wurde Ihnen an Ihre in",
			"hinterlegte E-Mail-Adresse versandt", "Bitte tragen Sie hier das Einmal-Passwort ein und klicken dann auf „Anmelden“", "a…@beispiel.example") // R155, R156
		first := w.code()
		prove := func(p *person, code string) page {
			t.Helper()
			return p.post("/account/confirm", "do", "prove", "way", "mail", "code", code, "next", "/account/thing")
		}
		prove(p, "").want(t, 422, "Geben Sie den Code ein")
		prove(p, other(first)).want(t, 422, "Der Code stimmt nicht")
		p.post("/account/confirm", "do", "again", "way", "mail", "next", "/account/thing").goes(t, to)
		second := w.code()
		if first != second {
			prove(p, first).want(t, 422) // the newest one holds
		}
		// Whoever reads it cannot use it elsewhere (ASVS 6.6.2).
		elsewhere := w.person("192.0.2.9")
		elsewhere.login("anna")
		prove(elsewhere, second).want(t, 422)
		before := p.again()
		prove(p, second).goes(t, "/account/thing")
		p.get("/account/thing").want(t, 200, "Offen") // R160
		before.get("/account/thing").goes(t, "/login?next=%2Faccount%2Fthing")
		prove(p, second).want(t, 422) // once
		w.pass(10*time.Minute + time.Second)
		p.get("/account/thing").goes(t, "/account/confirm?next=%2Faccount%2Fthing")
		p.get("/").want(t, 200, "Start: pwd otp")
		// next leads nowhere else.
		p.post("/account/confirm", "do", "choose", "way", "mail", "next", "//boese.example/")
		p.post("/account/confirm", "do", "prove", "way", "mail", "code", w.code(), "next", "https://boese.example/").goes(t, "/")
	})
}

func other(code string) string {
	if code[0] == '9' {
		return "0" + code[1:]
	}
	return string(code[0]+1) + code[1:]
}

// R157–R159, R166, R168–R174, R200: "Mobile Token" at its first use shows the QR
// code, after a code by mail; then its codes do, each once.
func TestR158AppAtFirstUse(t *testing.T) {
	each(t, nil, func(t *testing.T, w *world) {
		w.create("anna")
		p := w.person("192.0.2.1")
		p.login("anna")
		to := p.post("/account/confirm", "do", "choose", "way", "totp", "next", "/account/thing").to
		p.get(to).want(t, 200, "Danach richten Sie Ihre Authentifizierungs-App ein")
		p.get("/account/security/authenticator").goes(t, "/account/confirm?next=%2Faccount%2Fsecurity%2Fauthenticator") // nobody skips it
		setup := "/account/security/authenticator?next=%2Faccount%2Fthing"
		p.post("/account/confirm", "do", "prove", "way", "mail", "then", "totp", "code", w.code(), "next", "/account/thing").goes(t, setup)
		g := p.get(setup).want(t, 200, "Scannen Sie bitte diesen QR-Code und tragen Sie hier das Einmal-Passwort ein.", // R169
			"Auf einem mobilen Endgerät?", "Sie haben noch keine Authentifizierungs-App?", "App-Store", // R170, R173
			"Google Authenticator", "Microsoft Authenticator", "Twilio Authy", "FreeOTP", // R172, R200
			"Bitte tragen Sie hier das Einmal-Passwort ein, das Sie mit Ihrer Authentifizierungs-App generiert haben.", // R171
			"Abbrechen", "Bestätigen") // R174
		if !strings.Contains(g.body, "<svg xmlns") {
			t.Error("no QR code (R158)")
		}
		key := keyIn(t, g)
		if keyIn(t, p.get(setup)) != key {
			t.Error("the page shows another key when it is loaded again")
		}
		add := func(code string) page {
			return p.post("/account/security/authenticator", "do", "app", "code", code, "name", "Diensthandy", "next", "/account/thing")
		}
		add(other(w.totp(key))).want(t, 422, "Der Code stimmt nicht")
		add("").want(t, 422, "Geben Sie den Code ein")
		add(w.totp(key)).goes(t, "/account/thing")
		if got := w.subjects(); len(got) != 1 {
			t.Error("mails about a new factor:", got)
		}
		p.get("/account/security/two-step").want(t, 200, "Diensthandy")
		p.post("/account/security/authenticator", "do", "app", "code", w.totp(key)).goes(t, "/account/security/two-step") // sent twice: nothing more
		w.pass(11 * time.Minute)
		// Now its codes do, and mail does not any more: it would be the weaker way in.
		g = p.get("/account/confirm?next=/account/thing").want(t, 200, "Bitte tragen Sie hier das Einmal-Passwort ein, das Sie mit Ihrer Authentifizierungs-App")
		if strings.Contains(g.body, `value="mail"`) {
			t.Error("a code by mail is offered beside the app")
		}
		p.post("/account/confirm", "do", "choose", "way", "mail").want(t, 422)
		code := w.totp(key)
		p.post("/account/confirm", "do", "prove", "way", "totp", "code", code, "next", "/account/thing").goes(t, "/account/thing")
		p.post("/account/confirm", "do", "prove", "way", "totp", "code", code).want(t, 422, "schon benutzt")
		p.get("/").want(t, 200, "otp mfa")
	})
}

// R199, R201, S20, S21: who has a factor is asked for it at every sign-in; until
// then nothing is open. Cancelling ends it.
func TestR201SecondFactorAtEverySignIn(t *testing.T) {
	each(t, nil, func(t *testing.T, w *world) {
		w.create("anna")
		p := w.person("192.0.2.1")
		p.login("anna")
		p.sure()
		key := p.app()
		p = w.person("192.0.2.1")
		if to := p.login("anna"); to != "/login/second-factor" {
			t.Fatal("not asked:", to)
		}
		p.get("/account/thing").goes(t, "/login/next")
		p.get("/").goes(t, "/login/next")
		p.get("/account/confirm").goes(t, "/login/next")
		p.get("/login/setup").goes(t, "/login/next") // nobody adds a factor before they have shown one
		p.post("/login/setup", "do", "app", "code", "123456").goes(t, "/login/next")
		p.get("/login/second-factor").want(t, 200, "Bitte tragen Sie hier das Einmal-Passwort ein, das Sie mit Ihrer Authentifizierungs-App generiert haben.", "Anmelden", "Abbrechen")
		half := p.again()
		p.post("/login/second-factor", "do", "prove", "way", "totp", "code", other(w.totp(key))).want(t, 422)
		p.post("/login/second-factor", "do", "prove", "way", "totp", "code", w.totp(key)).goes(t, "/login/next")
		p.get("/login/next").goes(t, "/")
		p.get("/account/thing").want(t, 200, "Offen")
		half.get("/").goes(t, "/login") // the token from before the step opens nothing
		half.get("/login/second-factor").goes(t, "/login")
		p.get("/login/second-factor").goes(t, "/")

		p = w.person("192.0.2.1")
		p.login("anna")
		token := p.again()
		p.post("/login/second-factor", "do", "cancel").goes(t, "/logged-out")
		w.pass(time.Minute)
		token.post("/login/second-factor", "do", "prove", "way", "totp", "code", w.totp(key)).goes(t, "/login")
	})
}

// One app code, 64 browsers that all know the password: one gets in.
func TestCodeRace(t *testing.T) {
	each(t, nil, func(t *testing.T, w *world) {
		w.create("anna")
		p := w.person("192.0.2.1")
		p.login("anna")
		p.sure()
		key := p.app()
		people := make([]*person, 64)
		for i := range people {
			people[i] = w.person("192.0.2.7")
			people[i].login("anna")
		}
		code := w.totp(key)
		var won, five atomic.Int32
		var barrier, group sync.WaitGroup
		barrier.Add(1)
		for _, p := range people {
			group.Go(func() {
				barrier.Wait()
				switch g := p.post("/login/second-factor", "do", "prove", "way", "totp", "code", code); {
				case g.status == 303 && g.to == "/login/next":
					won.Add(1)
				case g.status >= 500:
					five.Add(1)
				}
			})
		}
		barrier.Done()
		group.Wait()
		if won.Load() != 1 || five.Load() != 0 {
			t.Errorf("%d got in with one code, %d defects", won.Load(), five.Load())
		}
	})
}

// W13: where the policy asks for nothing more, changes ask for the password;
// five wrong ones make a pause.
func TestNeverAsksForThePassword(t *testing.T) {
	each(t, func(p *policy.Policy) { p.Factor.Ask = "never" }, func(t *testing.T, w *world) {
		w.create("anna")
		p := w.person("192.0.2.1")
		p.login("anna")
		p.get("/account/thing").want(t, 200, "Offen") // signed in a moment ago
		w.pass(11 * time.Minute)
		p.get("/account/thing").goes(t, "/account/confirm?next=%2Faccount%2Fthing")
		p.get("/account/confirm?next=%2Faccount%2Fthing").want(t, 200, "Geben Sie zur Sicherheit Ihr Passwort noch einmal ein", "Bestätigen")
		prove := func(plain string) page {
			return p.post("/account/confirm", "do", "prove", "way", "password", "password", plain, "next", "/account/thing")
		}
		for range 5 {
			prove("geraten geraten").want(t, 422)
		}
		prove(plain).want(t, 429)
		w.pass(10 * time.Minute)
		prove(plain).goes(t, "/account/thing")
		p.get("/account/thing").want(t, 200, "Offen")
		p.post("/account/confirm", "do", "choose", "way", "mail").want(t, 422) // not what the policy says
	})
}
