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
	"testing"
	"time"

	"zunft/internal/identity/policy"
	"zunft/internal/story"
)

// A clock that starts at the real time and is put forward, so that an app shows
// its next code without anybody waiting for it.
type clock struct{ ahead time.Duration }

func (c *clock) now() time.Time       { return time.Now().Add(c.ahead) }
func (c *clock) pass(d time.Duration) { c.ahead += d }

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

// Every page of the security place and its states (axe, 320 px, pictures).
func TestGalleryFactors(t *testing.T) {
	c := &clock{}
	w := start(t, "sqlite", story.Options{Now: c.now, Policy: rule(t, func(p *policy.Policy) { p.Factor.Offer = true })})
	anna := walks(t, w, "anna")
	anna.signIn()
	anna.at("/login/setup")
	anna.Inspect("factors-offer")
	anna.Press("Weiter")
	anna.Inspect("factors-offer-mistake")
	anna.Press("Später")
	anna.at("/")
	anna.Open(w.Identity + "/account/security")
	anna.Inspect("factors-overview-new")
	anna.Follow("Zweistufige Verifizierung")
	anna.Inspect("factors-confirm-choose")
	anna.Press("Anmelden")
	anna.Inspect("factors-confirm-choose-mistake")
	anna.Choose("Mobile Token")
	anna.Press("Anmelden")
	anna.Inspect("factors-confirm-first-app")
	anna.Open(w.Identity + "/account/confirm?next=/account/security/two-step")
	anna.Choose("E-Mail")
	anna.Press("Anmelden")
	anna.Inspect("factors-confirm-mail")
	anna.Fill("Einmal-Passwort", "12")
	anna.Press("Anmelden")
	anna.Inspect("factors-confirm-mail-mistake")
	anna.Fill("Einmal-Passwort", anna.newest(2))
	anna.Press("Anmelden")
	anna.at("/account/security/two-step")
	anna.Inspect("factors-two-step-new")
	anna.Follow("Authentifizierungs-App einrichten")
	anna.Inspect("factors-app")
	a := anna.scan(c)
	anna.Press("Sie haben noch keine Authentifizierungs-App?")
	anna.Inspect("factors-app-open")
	anna.Fill("Einmal-Passwort", a.wrongCode())
	anna.Press("Bestätigen")
	anna.Inspect("factors-app-mistake")
	anna.Fill("Einmal-Passwort", a.code())
	anna.Fill("Bezeichnung", "Handy mit einem ziemlich langen Namen, damit es umbricht")
	anna.Press("Bestätigen")
	anna.Press("Einmal-Passwort per E-Mail verwenden")
	anna.Inspect("factors-two-step")
	anna.Follow("Bearbeiten")
	anna.Inspect("factors-one")
	anna.Open(w.Identity + "/account/security/recovery-codes")
	anna.Inspect("factors-codes-none")
	anna.Press("Codes erzeugen")
	anna.Inspect("factors-codes-new")
	anna.Follow("Ich habe die Codes aufbewahrt")
	anna.Inspect("factors-overview")
	anna.Open(w.Identity + "/account/security/recovery-codes")
	anna.Inspect("factors-codes-left")
	anna.Open(w.Identity + "/account/security/passkeys")
	anna.Inspect("factors-passkeys")
	anna.Open(w.Identity + "/account/security/password")
	anna.Inspect("factors-password")
	anna.Press("Passwort ändern")
	anna.Inspect("factors-password-mistake")
	anna.Press("Abmelden")
	anna.signIn()
	anna.at("/login/second-factor")
	anna.Inspect("factors-login-choose")
	anna.Choose("Mobile Token")
	anna.Press("Anmelden")
	anna.Inspect("factors-login-app")
	anna.Fill("Einmal-Passwort", "000000")
	anna.Press("Anmelden")
	anna.Inspect("factors-login-app-mistake")
	anna.Follow("Wiederherstellungscode verwenden")
	anna.Inspect("factors-login-recovery")

	old := start(t, "sqlite", story.Options{Now: c.now, Policy: rule(t, func(p *policy.Policy) {
		p.Factor.Switch, p.Factor.Methods, p.Factor.Least = "relogin", []string{"mail", "totp"}, map[string]string{"clerk": "totp"}
	})})
	lena := walks(t, old, "lena")
	lena.signIn()
	lena.Open(old.Identity + "/account/security/two-step")
	lena.Choose("E-Mail")
	lena.Press("Anmelden")
	lena.Fill("Einmal-Passwort", lena.newest(1))
	lena.Press("Anmelden")
	lena.Inspect("factors-relogin")
	lena.Choose("Mobile Token")
	lena.Press("Speichern")
	lena.Inspect("factors-relogin-wanted")
	lena.signOut()
	lena.signIn()
	lena.Inspect("factors-relogin-setup")
	a = lena.scan(c)
	lena.Fill("Einmal-Passwort", a.code())
	lena.Press("Weiter")
	lena.Open(old.Identity + "/account/security/two-step")
	lena.Inspect("factors-relogin-device")
	lena.Choose("E-Mail")
	lena.Press("Speichern")
	lena.signOut()
	lena.signIn()
	c.pass(time.Minute)
	lena.Fill("Einmal-Passwort", a.code())
	lena.Press("Anmelden")
	lena.Inspect("factors-relogin-to-mail")
	clara := walks(t, old, "clara")
	clara.signIn()
	clara.Choose("E-Mail")
	clara.Press("Anmelden")
	clara.Fill("Einmal-Passwort", clara.newest(1))
	clara.Press("Anmelden")
	clara.Inspect("factors-least")
}
