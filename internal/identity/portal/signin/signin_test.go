package signin_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/ground/web"
	"zunft/internal/identity/password"
	"zunft/internal/identity/portal/portaltest"
)

// R031 to R035 (R034), S01: the page and the way in, by user name or address, in one field.
func TestSignIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.create("anna", true)
		p := w.person("192.0.2.1")
		g := p.Get("/login").Want(t, 200, "Anmelden", "Benutzername", "Passwort", "Benutzernamen speichern", "Sie haben Ihr Passwort vergessen?",
			"Neu hier? Jetzt registrieren", "Zur Startseite")
		for _, s := range []string{`name="username"`, `autocomplete="username webauthn"`, `autocomplete="current-password"`, `href="/recover/password"`, `href="/register"`} {
			if !strings.Contains(g.Body, s) {
				t.Errorf("the page lacks %s", s)
			}
		}
		p.signIn("", "").Want(t, 422, "Geben Sie Ihren Benutzernamen oder Ihre E-Mail-Adresse ein", "Geben Sie Ihr Passwort ein")
		g = p.signIn("anna", "Mehl Hefe Wasser").Want(t, 422, "Benutzername und Passwort passen nicht zusammen")
		if strings.Contains(g.Body, "Hefe") || !strings.Contains(g.Body, `value="anna"`) {
			t.Error("the password comes back, or the name does not")
		}
		for _, login := range []string{"anna", "ANNA", " anna@Beispiel.Example ", "ａｎｎａ"} {
			q := w.person("192.0.2.2")
			q.signIn(login, plain, "next", "/organizations/join?a=b").Goes(t, "/organizations/join?a=b")
			q.Get("/").Want(t, 200, "Start: Anna Beispiel")
		}

		// R032: the name is remembered, nothing else.
		p.signIn("anna", plain, "remember", "1").Goes(t, "/")
		p.Get("/login").Goes(t, "/")
		p.Post("/logout").Goes(t, "/logged-out")
		p.Get("/logged-out").Want(t, 200, "Sie sind abgemeldet")
		p.Get("/").Goes(t, "/login")
		if g := p.Get("/login").Want(t, 200); !strings.Contains(g.Body, `value="anna"`) || !strings.Contains(g.Body, " checked") {
			t.Error("the name is not remembered")
		}
		p.signIn("anna", plain).Goes(t, "/")
		p.Post("/logout").Goes(t, "/logged-out")
		if g := p.Get("/login"); strings.Contains(g.Body, `value="anna"`) {
			t.Error("the name is not forgotten")
		}
	})
}

// No open redirect: where one goes after signing in is a path of this site.
func TestNext(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.create("anna", true)
		for _, next := range []string{"https://boese.example/", "//boese.example", `/\boese.example`, "javascript:alert(1)", "boese", "/\t/boese.example", "http:boese.example", ""} {
			p := w.person("192.0.2.1")
			if g := p.Do("GET", "/login?next="+escape(next), nil).Want(t, 200); !strings.Contains(g.Body, `name="next" value="/"`) {
				t.Errorf("the page carries %q", next)
			}
			p.signIn("anna", plain, "next", next).Goes(t, "/")
		}
		w.pages.AllowNext = func(rw http.ResponseWriter, r *http.Request, next string) string {
			web.AllowForm(rw, "https://training.example/callback")
			return "Ausbildungsportal"
		}
		g := w.person("192.0.2.1").Get("/login?next=/oauth2/authorize%3Fclient_id=x").Want(t, 200, "weiter zu: Ausbildungsportal")
		if !strings.HasSuffix(g.Header.Get("Content-Security-Policy"), "form-action 'self' https://training.example") {
			t.Error(g.Header.Get("Content-Security-Policy"))
		}
		if !strings.Contains(g.Body, `href="/register?next=%2foauth2%2fauthorize%3fclient_id%3dx"`) {
			t.Error("the way to the application is lost at the sign-up")
		}
	})
}

func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02x", s[i])
	}
	return b.String()
}

// CVE-2026-7507, GHSA-rg35-5v25-mqvp, CVE-2025-12390: a token that was in the
// browser before signing in, signing in again or signing out opens nothing.
func TestFixation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.create("anna", true)
		w.create("bert", true)
		opens := func(token string) bool {
			q := w.person("192.0.2.9")
			q.Cookies["t_session"] = token
			return q.Get("/").Status == 200
		}
		p := w.person("192.0.2.1")
		p.Cookies["t_session"] = strings.Repeat("A", 43) // planted by somebody
		p.signIn("anna", plain).Goes(t, "/")
		first := p.Cookies["t_session"]
		if first == strings.Repeat("A", 43) || !opens(first) {
			t.Fatal("the planted token was kept")
		}
		// prompt=login: the same session, another token, a new time.
		w.Pass(10 * time.Minute)
		p.Get("/login?again=1&next=/oauth2/authorize").Want(t, 200, "Sie sind als Anna Beispiel angemeldet")
		p.signIn("anna", plain, "again", "1", "next", "/oauth2/authorize").Goes(t, "/oauth2/authorize")
		second := p.Cookies["t_session"]
		if opens(first) || !opens(second) || w.Count(`SELECT count(*) FROM session`) != 1 {
			t.Error("proving oneself again keeps the old token, or makes a second session")
		}
		if w.Count(`SELECT count(*) FROM session WHERE auth_time > created_at`) != 1 {
			t.Error("auth_time did not move")
		}
		// Another account in the same browser: the session before is over.
		p.signIn("bert", plain, "again", "1").Goes(t, "/")
		third := p.Cookies["t_session"]
		if opens(second) || !opens(third) || w.Count(`SELECT count(*) FROM session WHERE ended_at IS NULL`) != 1 {
			t.Error("the session of the other account lives on")
		}
		p.Post("/logout").Goes(t, "/logged-out")
		if opens(third) {
			t.Error("signed out, and still in")
		}
		if w.Count(`SELECT count(*) FROM job WHERE kind = 'session.ended'`) != 2 {
			t.Error("applications are not told")
		}
	})
}

// Decision 3: from the fifth failure on a pause that grows; the right password
// does not get through it, and nobody can tell a pause from a wrong password.
func TestPause(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.create("anna", true)
		p := w.person("192.0.2.1")
		fail := func(n int) {
			for range n {
				p.signIn("anna", "etwas anderes!").Want(t, 422)
			}
		}
		fail(4)
		w.person("192.0.2.1").signIn("anna", plain).Goes(t, "/") // and counts from the start again
		fail(5)
		known := p.signIn("anna", plain).Want(t, 422)
		unknown := p.signIn("emil", plain).Want(t, 422)
		if formKey.ReplaceAllString(strings.ReplaceAll(known.Body, "anna", "emil"), "") != formKey.ReplaceAllString(unknown.Body, "") {
			t.Error("a pause shows")
		}
		w.Pass(29 * time.Second)
		p.signIn("anna", plain).Want(t, 422)
		w.Pass(time.Second)
		fail(1) // the sixth: a minute
		w.Pass(59 * time.Second)
		p.signIn("anna", plain).Want(t, 422)
		w.Pass(time.Second)
		p.signIn("anna", plain).Goes(t, "/")
		if w.Count(`SELECT failures FROM account`) != 0 || w.Count(`SELECT count(*) FROM audit WHERE event = 'account.paused'`) != 2 {
			t.Error("the counter stays, or the pauses are not recorded")
		}
	})
}

// R280, W12, CVE-2026-9798: unknown, wrong, paused, locked, deleted, empty and
// very long are answered alike.
func TestSameAnswer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.create("wrong", true)
		w.create("unconf", false)
		for _, state := range []string{"locked", "deleted"} {
			a := w.create(state, true)
			w.Exec(`UPDATE account SET state = $1 WHERE id = $2`, state, a.ID)
		}
		answer := func(login, pass string) string {
			g := w.person("192.0.2.1").signIn(login, pass)
			return fmt.Sprint(g.Status, len(g.Header), formKey.ReplaceAllString(strings.ReplaceAll(strings.ReplaceAll(g.Body, login, "LOGIN"), `class="input w-30"`, ""), ""))
		}
		want := answer("nobody", "Irgend ein Passwort")
		for _, c := range [][2]string{
			{"wrong", "Irgend ein Passwort"},
			{"unconf", "Irgend ein Passwort"},
			{"locked", plain},
			{"deleted", plain},
			{"wrong", strings.Repeat("x", 100_000)},
			{"wrong", "\x00"},
			{"wrong\x00", "\xff"},
		} {
			if got := answer(c[0], c[1]); got != want && c[0] != "wrong\x00" {
				t.Errorf("%s: %.200s\nwant %.200s", c[0], got, want)
			}
		}
		w.person("192.0.2.1").signIn("wrong", strings.Repeat("p", 1<<20)).Want(t, 413, "zu groß")
		w.person("192.0.2.1").signIn(strings.Repeat("ä", 20_000), plain).Want(t, 422)
		// R255: who knows the password of an unconfirmed account may have a new mail, and no session.
		g := w.person("192.0.2.1").signIn("unconf", plain).Want(t, 200, "Bestätigen Sie zuerst Ihre E-Mail-Adresse", "Neue E-Mail anfordern")
		if w.Count(`SELECT count(*) FROM session`) != 0 || !strings.Contains(g.Body, `name="ticket"`) {
			t.Error("an unconfirmed account is signed in, or cannot go on")
		}
	})
}

// Decision 3: who has signed in here before gets in while strangers guess from
// everywhere; guessing in that browser is counted, too, and the mark ends with
// the password and opens nothing for anybody else.
func TestKnownDevice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.create("anna", true)
		w.create("bert", true)
		owner, thief := w.person("192.0.2.1"), w.person("192.0.2.9")
		owner.signIn("anna", plain).Goes(t, "/")
		owner.Post("/logout")
		strangers := func() {
			for i := range 30 {
				w.person(fmt.Sprint("198.51.100.", i)).signIn("anna", "geraten geraten")
			}
		}
		strangers()
		if got := w.person("192.0.2.2").signIn("anna", plain).Status; got == 303 {
			t.Fatal("no pause at all")
		}
		owner.signIn("anna", plain).Goes(t, "/")
		owner.Post("/logout")
		if w.Count(`SELECT failures FROM account WHERE username = 'anna'`) == 0 {
			t.Error("the owner's sign-in gave the strangers new tries")
		}
		// The mark is good for anna only.
		for range 6 {
			w.person("192.0.2.3").signIn("bert", "geraten geraten")
		}
		thief.Cookies = map[string]string{"t_device": owner.Cookies["t_device"]}
		thief.signIn("bert", plain).Want(t, 422)
		// Whoever has the mark may try ten times.
		for range 12 {
			thief.signIn("anna", "geraten geraten")
		}
		if got := thief.signIn("anna", plain).Status; got == 303 {
			t.Error("a known browser guesses without end")
		}
		w.Pass(time.Hour)
		strangers()
		w.Exec(`UPDATE account SET password = (SELECT password FROM account WHERE username = 'bert') WHERE username = 'anna'`)
		if got := owner.signIn("anna", plain).Status; got == 303 {
			t.Error("the mark outlives the password")
		}
	})
}

// Limits per address and per name hold even where there is no account to pause.
func TestLimits(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for range 20 {
			w.person("192.0.2.1").signIn("nobody", "x").Want(t, 422)
		}
		w.person("192.0.2.2").signIn("NOBODY", "x").Want(t, 429, "Das waren viele Versuche")
		for i := range 100 {
			g := w.person("198.51.100.7").signIn(fmt.Sprint("name", i), "x")
			if g.Status != 422 {
				t.Fatalf("try %d: %d", i, g.Status)
			}
		}
		g := w.person("198.51.100.7").signIn("somebody", "x").Want(t, 429)
		if g.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After on a form")
		}
		w.person("198.51.100.8").signIn("somebody", "x").Want(t, 422)
	})
}

// Hashes made with older parameters are renewed at sign-in.
func TestRehash(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.create("anna", true)
		w.Hasher.Cost = password.Cost{KiB: 128, Passes: 2, Lanes: 1}
		w.person("192.0.2.1").signIn("anna", plain).Goes(t, "/")
		if w.Count(`SELECT count(*) FROM account WHERE id = $1 AND password LIKE '%m=128,t=2,p=1%'`, a.ID) != 1 {
			t.Error("the hash is the old one")
		}
		w.person("192.0.2.1").signIn("anna", plain).Goes(t, "/")
	})
}

// R263, R283, R285, R286, S36, M13: a forgotten password.
func TestRecover(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.create("anna", true)
		w.create("unconf", false)
		p := w.person("192.0.2.1")
		elsewhere := w.person("192.0.2.5")
		elsewhere.signIn("anna", plain).Goes(t, "/")

		p.Get("/recover/password").Want(t, 200, "Passwort vergessen", "Benutzername oder E-Mail-Adresse", "Absenden")
		p.Post("/recover/password", "login", " ").Want(t, 422, "Geben Sie Ihren Benutzernamen oder Ihre E-Mail-Adresse ein")
		answers := map[string]bool{}
		for _, login := range []string{"anna", "anna@beispiel.example", "nobody", "unconf", "x\x00y", strings.Repeat("z", 300)} {
			g := p.Post("/recover/password", "login", login)
			answers[fmt.Sprint(g.Status, g.To, len(g.Body), len(g.Header))] = true
		}
		if len(answers) != 1 {
			t.Errorf("known and unknown are told apart: %v", answers)
		}
		p.Get("/recover/password?sent").Want(t, 200, "Gibt es ein Konto mit Ihrer Angabe")
		mails := w.Inbox("anna@beispiel.example")
		if len(mails) != 2 || mails[0].Subject != "Passwort zurücksetzen" || len(w.Inbox("unconf@beispiel.example")) != 0 {
			t.Fatalf("mails %+v", mails)
		}
		older, newer := mails[0], mails[1]
		p.Get(linkIn(older)).Want(t, 410, "neuere E-Mail", "Neuen Link anfordern")
		p.Do("HEAD", linkIn(newer), nil).Want(t, 200)
		p.Get(linkIn(newer)).Want(t, 200, "Neues Passwort festlegen", "Mindestens 12 Zeichen")
		const next = "Ofen Blech Teig Korb"
		set := func(path, a, b string) portaltest.Page { return p.Post(path, "password", a, "password_repeat", b) }
		set(linkIn(older), next, next).Want(t, 410)
		set(linkIn(newer), "kurz", "kurz").Want(t, 422, "mindestens 12 Zeichen")
		set(linkIn(newer), "xx anna xx xx", "xx anna xx xx").Want(t, 422, "in dem Ihr Benutzername")
		set(linkIn(newer), next, next+"!").Want(t, 422, "dasselbe Passwort")
		set(linkIn(newer), next, next).Goes(t, "/login")
		p.Get("/login").Want(t, 200, "Ihr neues Passwort gilt")
		changed := w.One("anna@beispiel.example", "Ihr Passwort wurde geändert")
		if !strings.Contains(changed.Body, "/report-activity/") || !strings.Contains(changed.Body, "Das waren nicht Sie?") {
			t.Errorf("mail: %s", changed.Body)
		}
		elsewhere.Get("/").Goes(t, "/login") // all sessions ended
		if w.Count(`SELECT count(*) FROM account WHERE password_at IS NOT NULL`) != 1 {
			t.Error("what was granted before does not end") // see openid, TestReplacedPasswordEndsOfflineAccess
		}
		p.Get(linkIn(newer)).Want(t, 410, "schon benutzt") // R285
		set(linkIn(newer), "Noch ein Anderes Wort", "Noch ein Anderes Wort").Want(t, 410)
		p.signIn("anna", plain).Want(t, 422)
		p.signIn("anna", next).Goes(t, "/")

		// R286: signing in with the old password makes an open link void.
		p.Post("/recover/password", "login", "anna")
		m := w.One("anna@beispiel.example", "Passwort zurücksetzen")
		w.person("192.0.2.6").signIn("anna", next).Goes(t, "/")
		p.Get(linkIn(m)).Want(t, 410, "mit Ihrem bisherigen Passwort angemeldet")
		set(linkIn(m), plain, plain).Want(t, 410)
		// L01: two hours.
		p.Post("/recover/password", "login", "anna")
		m = w.One("anna@beispiel.example", "Passwort zurücksetzen")
		w.Pass(2 * time.Hour)
		p.Get(linkIn(m)).Want(t, 410, "Dieser Link war 2 Stunden gültig")
		set(linkIn(m), plain, plain).Want(t, 410)
		p.Get("/recover/password/"+strings.Repeat("x", 43)).Want(t, 404, "Diesen Link kennen wir nicht")
		// A pause ends with a new password: the way back in is open to the owner.
		for range 6 {
			p.signIn("anna", "falsch geraten").Want(t, 422)
		}
		p.Post("/recover/password", "login", "anna@beispiel.example")
		m = w.One("anna@beispiel.example", "Passwort zurücksetzen")
		set(linkIn(m), plain, plain).Goes(t, "/login")
		p.signIn("anna", plain).Goes(t, "/")
	})
}

// Mails to one address are counted, whoever asks.
func TestRecoverLimit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.create("anna", true)
		for i := range 4 {
			w.person(fmt.Sprintf("192.0.2.%d", i)).Post("/recover/password", "login", "anna").Goes(t, "/recover/password?sent")
		}
		w.person("192.0.2.50").Post("/recover/password", "login", "Anna").Want(t, 429)
		if n := len(w.Inbox("anna@beispiel.example")); n != 4 {
			t.Errorf("%d mails", n)
		}
	})
}

// A link for a new password has one winner among 64.
func TestRaces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.create("anna", true)
		w.person("192.0.2.1").Post("/recover/password", "login", "anna")
		m := w.One("anna@beispiel.example", "Passwort zurücksetzen")
		var barrier, group sync.WaitGroup
		var won, five atomic.Int32
		barrier.Add(1)
		for i := range 64 {
			group.Go(func() {
				barrier.Wait()
				next := fmt.Sprintf("Ofen Blech Teig %02d", i)
				switch g := w.person(fmt.Sprintf("192.0.3.%d", i)).Post(linkIn(m), "password", next, "password_repeat", next); {
				case g.Status == http.StatusSeeOther:
					won.Add(1)
				case g.Status >= 500:
					five.Add(1)
				}
			})
		}
		barrier.Done()
		group.Wait()
		if won.Load() != 1 || five.Load() != 0 {
			t.Errorf("%d set a password, %d defects", won.Load(), five.Load())
		}
		if n := w.Count(`SELECT count(*) FROM audit WHERE event = 'password.reset'`); n != 1 {
			t.Errorf("%d audit rows", n)
		}
		// 64 guesses at once are not 64 guesses: the pause holds at redemption, too.
		five.Store(0)
		var barrier2 sync.WaitGroup
		barrier2.Add(1)
		for i := range 19 {
			group.Go(func() {
				barrier2.Wait()
				if g := w.person(fmt.Sprintf("192.0.4.%d", i)).signIn("anna", "geraten und falsch"); g.Status >= 500 {
					five.Add(1)
				}
			})
		}
		barrier2.Done()
		group.Wait()
		if n := w.Count(`SELECT failures FROM account`); n != 5 || five.Load() != 0 {
			t.Errorf("%d failures counted before the pause, %d defects", n, five.Load())
		}
	})
}

var formKey = regexp.MustCompile(`<input type="hidden" name="form_key" value="[^"]*">`)
