package security_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/portaltest"
)

// R151, R152, R153, R154, R155, R156, R160: a change asks for a second factor, by mail for who has set
// up nothing, in the source's words; the code is bound to the session that
// asked, works once, and what it opens closes after ten minutes.
func TestR151StepUpByMail(t *testing.T) {
	each(t, nil, func(t *testing.T, w *world) {
		w.create("anna")
		p := w.person("192.0.2.1")
		if to := p.login("anna"); to != "/" {
			t.Fatal("somebody without a factor is asked for one:", to)
		}
		p.Get("/account/thing").Goes(t, "/account/confirm?next=%2Faccount%2Fthing")
		confirm := "/account/confirm?next=%2Faccount%2Fthing"
		p.Get(confirm).Want(t, 200,
			"Aus Sicherheitsgründen ist eine Änderung der persönlichen Daten nur mit einer zusätzlichen Authentifizierung Ihrer Person möglich", // R151
			"Die Authentifizierung können Sie entweder mit einem Einmal-Passwort per E-Mail oder",                                               // R152
			"Bitte wählen Sie einen zweiten Faktor für die Authentifizierung", "E-Mail", "Mobile Token", "Anmelden")                             // R153, R154, R157
		if len(w.Inbox()) != 0 {
			t.Error("a GET sent a code")
		}
		p.Post("/account/confirm", "do", "choose", "next", "/account/thing").Want(t, 422, "Wählen Sie einen zweiten Faktor aus")
		p.Post("/account/confirm", "do", "choose", "way", "passport", "next", "/account/thing").Want(t, 422)
		to := p.Post("/account/confirm", "do", "choose", "way", "mail", "next", "/account/thing").To
		p.Get(to).Want(t, 200, "Sie haben sich für das Authentifizierungsverfahren des Einmal-Passwortes per E-Mail entschieden. Das Einmal-Passwort wurde Ihnen an Ihre in",
			"hinterlegte E-Mail-Adresse versandt", "Bitte tragen Sie hier das Einmal-Passwort ein und klicken dann auf „Anmelden“", "a…@beispiel.example") // R155, R156
		first := w.code()
		prove := func(p *person, code string) portaltest.Page {
			t.Helper()
			return p.Post("/account/confirm", "do", "prove", "way", "mail", "code", code, "next", "/account/thing")
		}
		prove(p, "").Want(t, 422, "Geben Sie den Code ein")
		prove(p, other(first)).Want(t, 422, "Der Code stimmt nicht")
		p.Post("/account/confirm", "do", "again", "way", "mail", "next", "/account/thing").Goes(t, to)
		second := w.code()
		if first != second {
			prove(p, first).Want(t, 422) // the newest one holds
		}
		// Whoever reads it cannot use it elsewhere (ASVS 6.6.2).
		elsewhere := w.person("192.0.2.9")
		elsewhere.login("anna")
		prove(elsewhere, second).Want(t, 422)
		before := p.again()
		prove(p, second).Goes(t, "/account/thing")
		p.Get("/account/thing").Want(t, 200, "Offen") // R160
		before.Get("/account/thing").Goes(t, "/login?next=%2Faccount%2Fthing")
		prove(p, second).Want(t, 422) // once
		w.Pass(10*time.Minute + time.Second)
		p.Get("/account/thing").Goes(t, "/account/confirm?next=%2Faccount%2Fthing")
		p.Get("/").Want(t, 200, "Start: pwd otp")
		// next leads nowhere else.
		p.Post("/account/confirm", "do", "choose", "way", "mail", "next", "//boese.example/")
		p.Post("/account/confirm", "do", "prove", "way", "mail", "code", w.code(), "next", "https://boese.example/").Goes(t, "/")
	})
}

func other(code string) string {
	if code[0] == '9' {
		return "0" + code[1:]
	}
	return string(code[0]+1) + code[1:]
}

// R157, R158, R159, R169, R170, R171, R172, R173, R174, R200: "Mobile Token" at its first use shows the QR
// code, after a code by mail; then its codes do, each once.
func TestR158AppAtFirstUse(t *testing.T) {
	each(t, nil, func(t *testing.T, w *world) {
		w.create("anna")
		p := w.person("192.0.2.1")
		p.login("anna")
		to := p.Post("/account/confirm", "do", "choose", "way", "totp", "next", "/account/thing").To
		p.Get(to).Want(t, 200, "Danach richten Sie Ihre Authentifizierungs-App ein")
		p.Get("/account/security/authenticator").Goes(t, "/account/confirm?next=%2Faccount%2Fsecurity%2Fauthenticator") // nobody skips it
		setup := "/account/security/authenticator?next=%2Faccount%2Fthing"
		p.Post("/account/confirm", "do", "prove", "way", "mail", "then", "totp", "code", w.code(), "next", "/account/thing").Goes(t, setup)
		g := p.Get(setup).Want(t, 200, "Scannen Sie bitte diesen QR-Code und tragen Sie hier das Einmal-Passwort ein.", // R169
			"Auf einem mobilen Endgerät?", "Sie haben noch keine Authentifizierungs-App?", "App-Store", // R170, R173
			"Google Authenticator", "Microsoft Authenticator", "Twilio Authy", "FreeOTP", // R172, R200
			"Bitte tragen Sie hier das Einmal-Passwort ein, das Sie mit Ihrer Authentifizierungs-App generiert haben.", // R171
			"Abbrechen", "Bestätigen") // R174
		if !strings.Contains(g.Body, "<svg xmlns") {
			t.Error("no QR code (R158)")
		}
		key := keyIn(t, g)
		if keyIn(t, p.Get(setup)) != key {
			t.Error("the page shows another key when it is loaded again")
		}
		add := func(code string) portaltest.Page {
			return p.Post("/account/security/authenticator", "do", "app", "code", code, "name", "Diensthandy", "next", "/account/thing")
		}
		add(other(w.totp(key))).Want(t, 422, "Der Code stimmt nicht")
		add("").Want(t, 422, "Geben Sie den Code ein")
		add(w.totp(key)).Goes(t, "/account/thing")
		if got := w.subjects(); len(got) != 1 {
			t.Error("mails about a new factor:", got)
		}
		p.Get("/account/security/two-step").Want(t, 200, "Diensthandy")
		p.Post("/account/security/authenticator", "do", "app", "code", w.totp(key)).Goes(t, "/account/security/two-step") // sent twice: nothing more
		w.Pass(11 * time.Minute)
		// Now its codes do, and mail does not any more: it would be the weaker way in.
		g = p.Get("/account/confirm?next=/account/thing").Want(t, 200, "Bitte tragen Sie hier das Einmal-Passwort ein, das Sie mit Ihrer Authentifizierungs-App")
		if strings.Contains(g.Body, `value="mail"`) {
			t.Error("a code by mail is offered beside the app")
		}
		p.Post("/account/confirm", "do", "choose", "way", "mail").Want(t, 422)
		code := w.totp(key)
		p.Post("/account/confirm", "do", "prove", "way", "totp", "code", code, "next", "/account/thing").Goes(t, "/account/thing")
		p.Post("/account/confirm", "do", "prove", "way", "totp", "code", code).Want(t, 422, "schon benutzt")
		p.Get("/").Want(t, 200, "otp mfa")
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
		p.Get("/account/thing").Goes(t, "/login/next")
		p.Get("/").Goes(t, "/login/next")
		p.Get("/account/confirm").Goes(t, "/login/next")
		p.Get("/login/setup").Goes(t, "/login/next") // nobody adds a factor before they have shown one
		p.Post("/login/setup", "do", "app", "code", "123456").Goes(t, "/login/next")
		p.Get("/login/second-factor").Want(t, 200, "Bitte tragen Sie hier das Einmal-Passwort ein, das Sie mit Ihrer Authentifizierungs-App generiert haben.", "Anmelden", "Abbrechen")
		half := p.again()
		p.Post("/login/second-factor", "do", "prove", "way", "totp", "code", other(w.totp(key))).Want(t, 422)
		p.Post("/login/second-factor", "do", "prove", "way", "totp", "code", w.totp(key)).Goes(t, "/login/next")
		p.Get("/login/next").Goes(t, "/")
		p.Get("/account/thing").Want(t, 200, "Offen")
		half.Get("/").Goes(t, "/login") // the token from before the step opens nothing
		half.Get("/login/second-factor").Goes(t, "/login")
		p.Get("/login/second-factor").Goes(t, "/")

		p = w.person("192.0.2.1")
		p.login("anna")
		token := p.again()
		p.Post("/login/second-factor", "do", "cancel").Goes(t, "/logged-out")
		w.Pass(time.Minute)
		token.Post("/login/second-factor", "do", "prove", "way", "totp", "code", w.totp(key)).Goes(t, "/login")
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
				switch g := p.Post("/login/second-factor", "do", "prove", "way", "totp", "code", code); {
				case g.Status == 303 && g.To == "/login/next":
					won.Add(1)
				case g.Status >= 500:
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
		p.Get("/account/thing").Want(t, 200, "Offen") // signed in a moment ago
		w.Pass(11 * time.Minute)
		p.Get("/account/thing").Goes(t, "/account/confirm?next=%2Faccount%2Fthing")
		p.Get("/account/confirm?next=%2Faccount%2Fthing").Want(t, 200, "Geben Sie zur Sicherheit Ihr Passwort noch einmal ein", "Bestätigen")
		prove := func(plain string) portaltest.Page {
			return p.Post("/account/confirm", "do", "prove", "way", "password", "password", plain, "next", "/account/thing")
		}
		for range 5 {
			prove("geraten geraten").Want(t, 422)
		}
		prove(plain).Want(t, 429)
		w.Pass(10 * time.Minute)
		prove(plain).Goes(t, "/account/thing")
		p.Get("/account/thing").Want(t, 200, "Offen")
		p.Post("/account/confirm", "do", "choose", "way", "mail").Want(t, 422) // not what the policy says
	})
}
