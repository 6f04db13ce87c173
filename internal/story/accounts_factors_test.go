package story_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/ground/browser"
	"zunft/internal/identity/policy"
	"zunft/internal/story"
)

// A clock that starts at the real time and is put forward, so that an app shows
// its next code without anybody waiting for it.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) pass(d time.Duration) { c.ahead.Add(int64(d)) }

// rule is a world's default policy: the standard one, changed.
func rule(t testing.TB, change func(p *policy.Policy)) *policy.Policy {
	t.Helper()
	p, err := policy.Preset(policy.Standard)
	if err != nil {
		t.Fatal(err)
	}
	p.Factor.Least = nil
	change(&p)
	return &p
}

// app is somebody's authenticator app: RFC 6238, written a second time, for the test.
type app struct {
	secret []byte
	clock  *clock
}

var appLink = regexp.MustCompile(`secret=([A-Z2-7]{32})`)

// scan takes the key from the link that opens the app on the same device (R173).
func (p *person) scan(c *clock) app {
	p.t.Helper()
	p.Press("Auf einem mobilen Endgerät?")
	link := p.Address("In der Authentifizierungs-App öffnen")
	m := appLink.FindStringSubmatch(link)
	if m == nil || !strings.HasPrefix(link, "otpauth://totp/") {
		p.t.Fatal("no key in the link:", link)
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(m[1])
	if err != nil {
		p.t.Fatal(err)
	}
	return app{secret, c}
}

func (a app) code() string {
	h := hmac.New(sha1.New, a.secret)
	binary.Write(h, binary.BigEndian, uint64(a.clock.now().Unix()/30))
	sum := h.Sum(nil)
	at := sum[19] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff)%1_000_000)
}

// wrongCode is none of those that an app could show now.
func (a app) wrongCode() string { return other(a.code()) }

func other(code string) string {
	if code[0] == '9' {
		return "0" + code[1:]
	}
	return string(code[0]+1) + code[1:]
}

// newest is the one-time password of the n-th mail that brought one.
func (p *person) newest(n int) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	for count := 1; ; count++ {
		mails, err := p.w.Mail.Wait(ctx, p.w.Person(p.key).Email, count)
		if err != nil {
			p.t.Fatalf("no %d mails with a one-time password", n)
		}
		seen := 0
		for _, m := range mails {
			if strings.HasPrefix(m.Subject, "Ihr Einmal-Passwort") {
				if seen++; seen == n {
					return sixDigits.FindString(m.Text)
				}
			}
		}
		count = len(mails)
	}
}

func (p *person) signOut() {
	p.t.Helper()
	p.Press("Abmelden")
	p.HasText("Sie sind abgemeldet")
}

// at fails unless the window is at this path.
func (p *person) at(path string) {
	p.t.Helper()
	if u, err := url.Parse(p.URL()); err != nil || u.Path != path {
		p.t.Fatalf("at %s, want %s\n%s", p.URL(), path, p.Text())
	}
}

// R151, R153, R154, R155, R156, R160, R163, R201: before a change a code by mail, without scripts, in a
// real browser; it is asked again when ten minutes have passed.
func TestFactorMail(t *testing.T) {
	c := &clock{}
	each(t, story.Options{Now: c.now}, func(t *testing.T, w *story.World) {
		anna := walks(t, w, "anna")
		anna.signIn()
		anna.Open(w.Identity + "/account/security")
		anna.Follow("Zweistufige Verifizierung")
		anna.HasText("Bitte wählen Sie einen zweiten Faktor für die Authentifizierung")
		anna.Choose("E-Mail")
		anna.Press("Anmelden")
		anna.HasText("Das Einmal-Passwort wurde Ihnen an Ihre in Kammerkonto hinterlegte E-Mail-Adresse versandt")
		first := anna.newest(1)
		anna.Fill("Einmal-Passwort", other(first))
		anna.Press("Anmelden")
		anna.HasText("Der Code stimmt nicht")
		anna.Press("Erneut senden")
		anna.HasText("Wir haben Ihnen ein neues Einmal-Passwort gesendet")
		anna.Fill("Einmal-Passwort", anna.newest(2))
		anna.Press("Anmelden")
		anna.at("/account/security/two-step")
		// She wants it at every sign-in (R201).
		anna.Press("Einmal-Passwort per E-Mail verwenden")
		anna.HasText("Danach fragen wir bei jeder Anmeldung und vor Änderungen")
		anna.signOut()
		anna.signIn()
		anna.at("/login/second-factor")
		anna.Choose("E-Mail")
		anna.Press("Anmelden")
		anna.Fill("Einmal-Passwort", anna.newest(3))
		anna.Press("Anmelden")
		anna.at("/")
		anna.Open(w.Identity + "/account/security/password")
		anna.at("/account/security/password") // proved a moment ago
		c.pass(11 * time.Minute)
		anna.Open(w.Identity + "/account/security/password")
		anna.at("/account/confirm")
		mail(t, w, "anna@example.org", "Einmal-Passwort per E-Mail hinzugefügt")
	})
}

// R157, R158, R159, R169, R174, R201: an authenticator app from its QR code to the
// sign-in at a connected application; lost, a recovery code stands in for it.
func TestFactorApp(t *testing.T) {
	c := &clock{}
	each(t, story.Options{Now: c.now}, func(t *testing.T, w *story.World) {
		lena := walks(t, w, "lena")
		lena.signIn()
		lena.Open(w.Identity + "/account/confirm?next=/account/security/two-step")
		lena.Choose("Mobile Token")
		lena.Press("Anmelden")
		lena.Fill("Einmal-Passwort", lena.newest(1))
		lena.Press("Anmelden")
		lena.HasText("Scannen Sie bitte diesen QR-Code und tragen Sie hier das Einmal-Passwort ein.")
		a := lena.scan(c)
		lena.Fill("Einmal-Passwort", a.wrongCode())
		lena.Press("Bestätigen")
		lena.HasText("Der Code stimmt nicht")
		lena.Fill("Einmal-Passwort", a.code())
		lena.Press("Bestätigen")
		lena.at("/account/security/two-step")
		lena.Follow("Codes erzeugen")
		lena.Press("Codes erzeugen")
		codes := recoveryCode.FindAllString(lena.Text(), -1)
		if len(codes) != 10 {
			t.Fatalf("%d recovery codes\n%s", len(codes), lena.Text())
		}
		lena.Follow("Ich habe die Codes aufbewahrt")
		lena.signOut()

		// On the way to the report book: password, code, and on to where she was going.
		lena.Open(w.Training + "/reports")
		lena.Fill("Benutzername", w.Person("lena").Username)
		lena.Fill("Passwort", story.Password)
		lena.Press("Anmelden")
		lena.at("/login/second-factor")
		lena.Press("Anmelden") // nothing typed
		lena.HasText("Geben Sie den Code ein")
		c.pass(time.Minute)
		lena.Fill("Einmal-Passwort", a.code())
		lena.Press("Anmelden")
		lena.at("/reports")
		if !strings.HasPrefix(lena.URL(), w.Training) {
			t.Fatal("not where she was going:", lena.URL())
		}
		lena.Open(w.Identity + "/")
		lena.signOut()

		// Without the phone.
		lena.signIn()
		lena.Follow("Wiederherstellungscode verwenden")
		lena.Fill("Wiederherstellungscode", strings.ToLower(codes[0]))
		lena.Press("Anmelden")
		lena.at("/")
		lena.Open(w.Identity + "/account/security/two-step")
		lena.Follow("Bearbeiten")
		lena.Press("Entfernen")
		lena.HasText("Der zweite Faktor ist entfernt")
		lena.signOut()
		lena.signIn()
		lena.at("/")
		// Somebody who breaks off is nobody.
		anna := walks(t, w, "anna")
		anna.signIn()
		anna.at("/")
	})
}

var recoveryCode = regexp.MustCompile(`\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b`)

// R161, R162, R163, R164, R165, R166, R167, R168, R173, R175: the way of the source, "relogin", there and back.
func TestFactorRelogin(t *testing.T) {
	c := &clock{}
	options := story.Options{Now: c.now, Policy: rule(t, func(p *policy.Policy) { p.Factor.Switch, p.Factor.Methods = "relogin", []string{"mail", "totp"} })}
	each(t, options, func(t *testing.T, w *story.World) {
		nora := walks(t, w, "nora")
		nora.signIn()
		nora.Open(w.Identity + "/account/security")
		nora.Follow("Zweistufige Verifizierung") // R162
		nora.Choose("E-Mail")
		nora.Press("Anmelden")
		nora.Fill("Einmal-Passwort", nora.newest(1)) // R163
		nora.Press("Anmelden")
		nora.HasText("Änderung des zweiten Faktors") // R164
		nora.Choose("Mobile Token")
		nora.Press("Speichern")
		nora.HasText("Melden Sie sich ab und wieder an") // R167
		nora.signOut()
		nora.signIn()
		nora.at("/login/setup")
		a := nora.scan(c) // R168, R173
		nora.Fill("Einmal-Passwort", a.code())
		nora.Press("Weiter")
		nora.HasText("Ihre persönlichen Daten wurden geändert") // R175
		nora.Follow("Schließen")
		nora.LacksText("Ihre persönlichen Daten wurden geändert")

		nora.Open(w.Identity + "/account/security/two-step")
		nora.HasText("erst nach Ihrem nächsten Login auf Kammerkonto aktivieren können") // R165
		nora.Press("Neue Verknüpfung mit Mobilgerät herstellen")                         // R166
		nora.signOut()
		nora.signIn()
		c.pass(time.Minute)
		nora.Fill("Einmal-Passwort", a.code()) // the device before
		nora.Press("Anmelden")
		nora.at("/login/setup")
		b := nora.scan(c)
		nora.Fill("Einmal-Passwort", b.code())
		nora.Press("Weiter")

		c.pass(11 * time.Minute)
		nora.Open(w.Identity + "/account/security/two-step")
		nora.HasText("das Sie mit Ihrer Authentifizierungs-App generiert haben") // R176
		nora.Fill("Einmal-Passwort", b.code())
		nora.Press("Anmelden")
		nora.Choose("E-Mail")
		nora.Press("Speichern") // R177, R179
		nora.signOut()
		nora.signIn()
		c.pass(time.Minute)
		nora.Fill("Einmal-Passwort", b.code())
		nora.Press("Anmelden")
		nora.at("/login/setup")
		nora.Press("Weiter")
		nora.HasText("Ihre persönlichen Daten wurden geändert")
		nora.signOut()
		nora.signIn()
		nora.Choose("E-Mail")
		nora.Press("Anmelden")
		nora.Fill("Einmal-Passwort", nora.newest(2))
		nora.Press("Anmelden")
		nora.at("/")
	})
}

// Decision 3: a clerk, an operator and an organization's admin have the least
// factor that the policy asks of them, from the first sign-in on; a code by mail
// is never enough for the first two.
func TestFactorLeast(t *testing.T) {
	c := &clock{}
	least := map[string]string{"clerk": "totp", "operator": "totp", "organization_admin": "mail"}
	each(t, story.Options{Now: c.now, Policy: rule(t, func(p *policy.Policy) { p.Factor.Least = least })}, func(t *testing.T, w *story.World) {
		for _, key := range []string{"clara", "otto"} {
			p := walks(t, w, key)
			p.signIn()
			p.at("/login/second-factor")
			p.Open(w.Identity + "/chamber") // not yet
			p.at("/login/second-factor")
			p.Choose("E-Mail")
			p.Press("Anmelden")
			p.Fill("Einmal-Passwort", p.newest(1))
			p.Press("Anmelden")
			p.at("/login/setup")
			p.HasText("Für Ihre Aufgaben ist ein zweiter Faktor nötig")
			p.LacksText("Später")
			p.Open(w.Identity + "/chamber")
			p.at("/login/setup")
			a := p.scan(c)
			p.Fill("Einmal-Passwort", a.code())
			p.Press("Weiter")
			p.at("/")
			p.signOut()
			p.signIn()
			p.HasText("das Sie mit Ihrer Authentifizierungs-App generiert haben")
			p.LacksText("per E-Mail")
			c.pass(time.Minute)
			p.Fill("Einmal-Passwort", a.code())
			p.Press("Anmelden")
			p.at("/")
		}
		bert := walks(t, w, "bert")
		bert.signIn()
		bert.Choose("E-Mail")
		bert.Press("Anmelden")
		bert.Fill("Einmal-Passwort", bert.newest(1))
		bert.Press("Anmelden")
		bert.at("/login/setup")
		bert.Choose("E-Mail")
		bert.Press("Weiter")
		bert.at("/")
		anna := walks(t, w, "anna") // nobody in particular
		anna.signIn()
		anna.at("/")
	})
}

// R199, S25: voluntary at the first sign-in; who takes it up has it asked at
// each further one (R201).
func TestFactorOffer(t *testing.T) {
	c := &clock{}
	each(t, story.Options{Now: c.now, Policy: rule(t, func(p *policy.Policy) { p.Factor.Offer = true })}, func(t *testing.T, w *story.World) {
		anna := walks(t, w, "anna")
		anna.signIn()
		anna.HasText("Die Multi-Faktor-Authentifizierung ist freiwillig")
		anna.Press("Später")
		anna.at("/")
		anna.signOut()
		anna.signIn()
		anna.at("/")
		lena := walks(t, w, "lena")
		lena.signIn()
		lena.Choose("Mobile Token")
		lena.Press("Weiter")
		// R163: the code by mail comes first, or a stolen password would choose the factor.
		lena.Fill("Einmal-Passwort", lena.newest(1))
		lena.Press("Anmelden")
		a := lena.scan(c)
		lena.Fill("Einmal-Passwort", a.code())
		lena.Press("Weiter")
		lena.at("/")
		lena.signOut()
		lena.signIn()
		c.pass(time.Minute)
		lena.Fill("Einmal-Passwort", a.code())
		lena.Press("Anmelden")
		lena.at("/")
	})
}

// Passkeys, with scripts on and a virtual authenticator: made after a step-up,
// used before a change, as second factor, and to sign in with nothing else. They
// need a name as host, so this world is at localhost.
func TestFactorPasskey(t *testing.T) {
	options := story.Options{Listen: "localhost:0", Policy: rule(t, func(p *policy.Policy) { p.Factor.Least = map[string]string{"operator": "passkey"} })}
	each(t, options, func(t *testing.T, w *story.World) {
		anna := &person{browser.New(t, browser.Options{Scripts: true}), t, w, "anna"}
		offers := anna.Authenticator()
		offers(false) // or the passkey offered in the field of the name is quicker
		anna.signIn()
		anna.Open(w.Identity + "/account/security/passkeys")
		anna.Choose("E-Mail")
		anna.Press("Anmelden")
		anna.Fill("Einmal-Passwort", anna.newest(1))
		anna.Press("Anmelden")
		anna.at("/account/security/passkeys")
		anna.LacksText("Passkeys brauchen JavaScript")
		anna.Fill("Bezeichnung", "Laptop")
		anna.Inspect("factors-passkeys-script")
		anna.Press("Passkey hinzufügen")
		anna.HasText("Ihr Passkey ist eingerichtet")
		anna.HasText("Laptop")
		mail(t, w, "anna@example.org", "Passkey hinzugefügt")
		anna.Fill("Bezeichnung", "Noch einmal") // the same device once more
		anna.Key("Enter")
		anna.HasText("Auf diesem Gerät haben Sie schon einen Passkey")
		anna.signOut()

		// As second factor after the password …
		anna.signIn()
		anna.at("/login/second-factor")
		anna.Press("Mit Passkey bestätigen")
		anna.HasText("Abmelden")
		anna.at("/")
		anna.signOut()
		// … and alone: by the button, or chosen in the field of the name.
		anna.Open(w.Identity + "/login?next=/account/security")
		anna.Press("Mit Passkey anmelden")
		anna.HasText("Womit Sie sich anmelden")
		anna.at("/account/security")
		anna.signOut()
		offers(true)
		anna.Open(w.Identity + "/login?next=/account/security")
		anna.HasText("Womit Sie sich anmelden")
		anna.at("/account/security")
		offers(false)
		anna.Open(w.Identity + "/account/security/passkeys")
		anna.at("/account/security/passkeys") // proved a moment ago
		anna.Follow("Bearbeiten")
		anna.Press("Entfernen")
		anna.HasText("Sie haben noch keinen Passkey")
		anna.signOut()
		// What was removed opens nothing.
		anna.Open(w.Identity + "/login")
		anna.Press("Mit Passkey anmelden")
		anna.HasText("Wir konnten Sie mit diesem Passkey nicht anmelden")
		anna.Inspect("factors-passkey-refused")
		anna.Follow("Mit Passwort anmelden")

		// A role may need one: nothing else will do.
		otto := &person{browser.New(t, browser.Options{Scripts: true}), t, w, "otto"}
		otto.Authenticator()
		otto.signIn()
		otto.Choose("E-Mail")
		otto.Press("Anmelden")
		otto.Fill("Einmal-Passwort", otto.newest(1))
		otto.Press("Anmelden")
		otto.at("/login/setup")
		otto.LacksText("Mobile Token")
		otto.Inspect("factors-passkey-least")
		otto.Press("Passkey hinzufügen")
		otto.at("/")
		otto.HasText("Ihr zweiter Faktor ist eingerichtet")

		// Without scripts there is no button, and everything else is as it was.
		lena := walks(t, w, "lena")
		lena.signIn()
		lena.at("/")
		lena.Open(w.Identity + "/login?again=1")
		lena.LacksText("Mit Passkey anmelden")
	})
}
