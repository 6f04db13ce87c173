package signup_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/account"
	"zunft/internal/identity/portal/portaltest"
)

// R031, R036 to R045 (R038, R040, R041), R047, R049 to R057 (R050, R052), R256,
// M01, S02–S05: the whole way, by the link.
func TestSignUpByLink(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.person("192.0.2.1")
		step1 := p.Get("/register").Want(t, 200, "Registrierung", "Ihre persönlichen Daten", "Informationspflichten",
			"Nach dem Absenden der Registrierungsdaten erhalten Sie eine E-Mail mit einem Link zur Bestätigung Ihrer E-Mail-Adresse",
			"Herr", "Frau", "keine Angabe", "Akademischer Titel", "Vorname", "Nachname", "E-Mail-Adresse wiederholen", "Weitere E-Mail-Adresse 4",
			"Anmeldedaten", "Ihr Benutzername sollte Sie eindeutig identifizieren.", "Passwort wiederholen", "Mindestens 12 Zeichen",
			"Weiter", "Abbrechen", "zurück zur Startseite", "Anmelden")
		order(t, step1.Body, `name="salutation"`, `name="title"`, `name="given_name"`, `name="family_name"`, `name="email"`, `name="email_repeat"`,
			`name="further_1"`, `name="further_4"`, `name="username"`, `name="password"`, `name="password_repeat"`, `value="next"`, `value="cancel"`)

		p.Do("POST", "/register", anna()).Goes(t, "/register/terms")
		step2 := p.Get("/register/terms").Want(t, 200, "Ich akzeptiere die Informationspflichten.", "Zurück", "Registrierung abschicken",
			"für die Zukunft widerrufen", "Aufsichtsbehörde", "Fassung 2026-11") // R051, R052, R053, R054
		if strings.Contains(step2.Body, " checked") {
			t.Error("the box is ticked beforehand (R250)")
		}
		p.Post("/register/terms", "do", "submit").Want(t, 422, "Setzen Sie den Haken") // R053
		if n := w.Count(`SELECT count(*) FROM account`); n != 0 {
			t.Fatalf("%d accounts without the tick", n)
		}
		id := shownTerms.FindStringSubmatch(step2.Body)[1]
		p.Post("/register/terms", "do", "submit", "accept", "1", "terms", id).Goes(t, "/register/verify")
		p.Get("/register/verify").Want(t, 200, "Registrierung abschließen", "Sie erhalten nun eine E-Mail zur Bestätigung Ihrer E-Mail-Adresse",
			"anna@beispiel.example", "Zur Anmeldung", "Sehen Sie auch im Spam-Ordner nach") // R055, R256
		p.signIn("anna", plain).Want(t, 200, "Bestätigen Sie") // R255: not before the address is confirmed
		if w.Count(`SELECT count(*) FROM signup_draft`) != 0 || w.Count(`SELECT count(*) FROM consent`) != 1 {
			t.Error("the draft stays, or the consent is not noted")
		}

		m := w.One("anna@beispiel.example", "Ihr Bestätigungscode: ") // R056
		if linkIn(m) == "" || code(m) == "" || strings.Contains(m.Body, "Anna") {
			t.Fatalf("mail: %s", m.Body)
		}
		elsewhere := w.person("198.51.100.7") // the link opens in any browser
		for range 3 {                         // mail scanners (W: GET shows a page, POST acts)
			elsewhere.Do("HEAD", linkIn(m), nil).Want(t, 200)
			elsewhere.Get(linkIn(m)).Want(t, 200, "E-Mail-Adresse bestätigen", "Anna Beispiel")
		}
		if w.Count(`SELECT count(*) FROM account WHERE state = 'active'`) != 0 {
			t.Fatal("a GET confirmed the address")
		}
		elsewhere.Post(linkIn(m), "do", "confirm").Goes(t, "/register/done")
		elsewhere.Get("/register/done").Want(t, 200, "Ihr Konto ist eingerichtet", "Zur Anmeldung", "registrieren Sie Ihr Unternehmen", "Beitritt") // S05, R057, R058, R059
		elsewhere.Get(linkIn(m)).Want(t, 410, "Dieser Link wurde am 02.11.2026, 09:00 Uhr schon benutzt. Melden Sie sich einfach an")
		elsewhere.Post(linkIn(m), "do", "confirm").Want(t, 409, "schon benutzt")

		p.signIn("anna", plain).Goes(t, "/")
		p.Get("/").Want(t, 200, "Start: Anna Beispiel")
		p.Get("/register").Goes(t, "/") // R015: an account is for those who have none
		for _, event := range []string{"account.registered", "consent.given", "account.confirmed", "session.started", "signin.succeeded"} {
			if w.Count(`SELECT count(*) FROM audit WHERE event = $1 AND ip <> '' AND request <> ''`, event) != 1 {
				t.Errorf("no audit row %s", event)
			}
		}
	})
}

func order(t *testing.T, body string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		i := strings.Index(body, p)
		if i < 0 {
			t.Fatalf("%s is missing or stands too early", p)
		}
		body = body[i:]
	}
}

// R056, R057: the code of the mail works in the browser that asked, five
// times, and signs the person in, to where they were going.
func TestSignUpByCode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.person("192.0.2.1")
		p.Get("/register?next=/organizations/join").Want(t, 200)
		p.register("next", "/organizations/join").Goes(t, "/register/verify")
		m := w.One("anna@beispiel.example", "Ihr Bestätigungscode")
		if body := p.Get("/register/verify").Body; !strings.Contains(body, `autocomplete="one-time-code"`) || !strings.Contains(body, `name="code"`) {
			t.Error("the code field is not offered to the keyboard")
		}
		w.person("198.51.100.7").Post("/register/verify", "code", code(m)).Want(t, 409, "nur in dem Browser, der ihn angefordert hat")
		p.Post("/register/verify", "code", "12345").Want(t, 422, "Geben Sie die 6 Ziffern aus der E-Mail ein")
		p.Post("/register/verify", "code", wrong(m)).Want(t, 422, "Der Code stimmt nicht. Prüfen Sie die 6 Ziffern")
		p.Post("/register/verify", "code", code(m)).Goes(t, "/organizations/join")
		p.Get("/").Want(t, 200, "Start: Anna Beispiel")
		p.Get(linkIn(m)).Want(t, 410, "schon benutzt")

		q := w.person("192.0.2.2")
		q.register("email", "bert@beispiel.example", "email_repeat", "bert@beispiel.example", "username", "bert").Goes(t, "/register/verify")
		m = w.One("bert@beispiel.example", "Ihr Bestätigungscode")
		for range 5 {
			q.Post("/register/verify", "code", wrong(m)).Want(t, 422)
		}
		q.Post("/register/verify", "code", code(m)).Want(t, 422, "Das waren 5 Versuche")
		if w.Count(`SELECT count(*) FROM account WHERE state = 'active'`) != 1 {
			t.Fatal("the sixth try counted")
		}
		q.Post("/register/verify", "do", "again").Goes(t, "/register/verify")
		newer := w.One("bert@beispiel.example", "Ihr Bestätigungscode")
		q.Post("/register/verify", "code", code(m)).Want(t, 422)
		q.Post("/register/verify", "code", code(newer)).Goes(t, "/")
	})
}

// wrong is a code that is not the one of the mail.
func wrong(m mail.Message) string {
	if code(m) == "123456" {
		return "123457"
	}
	return "123456"
}

// R195, R294, W26: links of 24 hours, and the newest wins.
func TestLinkStates(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.person("192.0.2.1")
		p.register().Goes(t, "/register/verify")
		first := w.One("anna@beispiel.example", "Ihr Bestätigungscode")
		w.Pass(time.Minute)
		p.register("given_name", "Anne", "username", "anne").Goes(t, "/register/verify") // again: replaces the data
		second := w.One("anna@beispiel.example", "Ihr Bestätigungscode")
		if n := w.Count(`SELECT count(*) FROM account`); n != 1 {
			t.Fatalf("%d accounts after signing up twice", n)
		}
		p.Get(linkIn(first)).Want(t, 410, "Wir haben Ihnen inzwischen eine neuere E-Mail gesendet", "Neue E-Mail anfordern")
		p.Post(linkIn(first), "do", "confirm").Want(t, 409)
		w.Pass(24 * time.Hour)
		p.Get(linkIn(second)).Want(t, 410, "Dieser Link war 24 Stunden gültig", "Neue E-Mail anfordern")
		p.Post(linkIn(second), "do", "confirm").Want(t, 409)
		p.Post("/register/verify", "code", code(second)).Want(t, 422, "abgelaufen")

		elsewhere := w.person("198.51.100.7")
		elsewhere.Post(linkIn(second), "do", "again").Goes(t, "/register/verify")
		third := w.One("anna@beispiel.example", "Ihr Bestätigungscode")
		p.Post("/register/verify", "code", code(third)).Want(t, 422) // the code moved to the other browser
		elsewhere.Get(linkIn(third)).Want(t, 200, "Anne Beispiel")
		elsewhere.Post(linkIn(third), "do", "confirm").Goes(t, "/register/done")
		p.Get(linkIn(first)).Want(t, 410, "Ihre E-Mail-Adresse ist schon bestätigt. Melden Sie sich einfach an")
		p.Post(linkIn(first), "do", "again").Want(t, 409, "schon bestätigt")
		p.Get("/confirm/"+strings.Repeat("x", 43)).Want(t, 404, "Zu diesem Link gibt es keine Registrierung")
		p.Post("/confirm/%00", "do", "confirm").Want(t, 400)
		p.signIn("anne", plain).Goes(t, "/")
	})
}

// R257: unconfirmed accounts go after seven days, not a moment sooner, and
// in batches; confirmed ones stay.
func TestPurge(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.person("192.0.2.1")
		p.register().Goes(t, "/register/verify")
		m := w.One("anna@beispiel.example", "")
		if err := w.D.Write(t.Context(), func(tx *db.Tx) error {
			for i := range 1200 {
				if _, err := account.Create(tx, audit.Console, account.New{GivenName: "A", FamilyName: "B", Email: fmt.Sprintf("a%d@beispiel.example", i)}); err != nil {
					return err
				}
			}
			_, err := account.Create(tx, audit.Console, account.New{GivenName: "Otto", FamilyName: "B", Email: "otto@beispiel.example", Confirmed: true})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		purge := func(want int) {
			t.Helper()
			if err := account.Purge(t.Context(), w.D); err != nil {
				t.Fatal(err)
			}
			if n := w.Count(`SELECT count(*) FROM account`); n != want {
				t.Fatalf("%d accounts, want %d", n, want)
			}
		}
		w.Pass(7*24*time.Hour - time.Microsecond)
		purge(1202)
		w.Pass(time.Microsecond)
		purge(1)
		p.Get(linkIn(m)).Want(t, 404, "registrieren Sie sich dann neu")
		if w.Count(`SELECT count(*) FROM consent`) != 0 || w.Count(`SELECT count(*) FROM account_link`) != 0 {
			t.Error("something of the purged accounts stays")
		}
		if w.Count(`SELECT count(*) FROM audit WHERE event = 'account.purged' AND actor_kind = 'system'`) != 13 { // 1201 in hundreds
			t.Error("the batches left no audit rows")
		}
		p.register().Goes(t, "/register/verify") // the address and the name are free again
	})
}

// W12, R280: whoever signs up with a known address sees what they would see
// with an unknown one, then and afterwards; only the owner's mail differs.
func TestEnumeration(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna := w.person("192.0.2.1")
		anna.register().Goes(t, "/register/verify")
		m := w.One("anna@beispiel.example", "")
		anna.Post("/register/verify", "code", code(m)).Goes(t, "/")

		const secret = "Rad Kette Sattel Lenker"
		probe := func(email, username string) (trail []string) {
			p := w.person("198.51.100.7")
			note := func(g portaltest.Page) {
				g.Body = strings.ReplaceAll(g.Body, email, "EMAIL")
				hidden := ticketValue.ReplaceAllString(shownTerms.ReplaceAllString(g.Body, ""), "")
				trail = append(trail, fmt.Sprint(g.Status, g.To, len(hidden), len(g.Header.Values("Set-Cookie"))))
			}
			note(p.Do("POST", "/register", annaForm("email", email, "email_repeat", email, "username", username, "password", secret, "password_repeat", secret)))
			terms := p.Get("/register/terms")
			note(terms)
			note(p.Post("/register/terms", "do", "submit", "accept", "1", "terms", shownTerms.FindStringSubmatch(terms.Body)[1]))
			note(p.Get("/register/verify"))
			note(p.Post("/register/verify", "code", "000000"))
			note(p.Post("/register/verify", "do", "again"))
			note(p.signIn(email, secret))    // what I chose myself
			note(p.signIn(username, secret)) // R046: is the name reserved now?
			note(p.signIn(email, "etwas ganz anderes"))
			q := w.person("198.51.100.8")
			note(q.Do("POST", "/register", annaForm("email", "x"+email, "email_repeat", "x"+email, "username", username)))
			return trail
		}
		known, unknown := probe("anna@beispiel.example", "annette"), probe("emil@beispiel.example", "annegret")
		for i := range known {
			if known[i] != unknown[i] {
				t.Errorf("step %d: known %s, unknown %s", i+1, known[i], unknown[i])
			}
		}
		told := w.Inbox("anna@beispiel.example")
		if len(told) != 2 || told[0].Subject != "Es gibt bereits ein Konto mit Ihrer E-Mail-Adresse" || linkIn(told[0]) != "" {
			t.Errorf("the owner was told %+v", told)
		}
		if got := w.Inbox("emil@beispiel.example"); len(got) != 2 || linkIn(got[1]) == "" {
			t.Errorf("the new one was told %+v", got)
		}
		anna = w.person("192.0.2.1")
		anna.signIn("anna@beispiel.example", plain).Goes(t, "/") // and nothing has changed for her
	})
}

var ticketValue = regexp.MustCompile(`name="ticket" value="[^"]+"`)

func annaForm(changes ...string) url.Values { return anna(changes...) }

// One-time things have one winner: 64 at once on the link, 64 on the code.
func TestRaces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		race := func(f func() portaltest.Page) (winners int32) {
			var barrier, group sync.WaitGroup
			var won atomic.Int32
			barrier.Add(1)
			for range 64 {
				group.Go(func() {
					barrier.Wait()
					switch g := f(); {
					case g.Status == http.StatusSeeOther:
						won.Add(1)
					case g.Status >= 500:
						t.Errorf("status %d: %s", g.Status, g.Text)
					}
				})
			}
			barrier.Done()
			group.Wait()
			return won.Load()
		}
		p := w.person("192.0.2.1")
		p.register().Goes(t, "/register/verify")
		m := w.One("anna@beispiel.example", "")
		if n := race(func() portaltest.Page { return w.person("192.0.2.9").Post(linkIn(m), "do", "confirm") }); n != 1 {
			t.Errorf("%d confirmed by the link", n)
		}
		q := w.person("192.0.2.2")
		q.register("email", "bert@beispiel.example", "email_repeat", "bert@beispiel.example", "username", "bert").Goes(t, "/register/verify")
		m = w.One("bert@beispiel.example", "")
		secret := q.Cookies["t_signup"]
		if n := race(func() portaltest.Page {
			same := w.person("192.0.2.2")
			same.Cookies["t_signup"] = secret
			return same.Post("/register/verify", "code", code(m))
		}); n != 1 {
			t.Errorf("%d confirmed by the code", n)
		}
		if n := w.Count(`SELECT count(*) FROM session`); n != 1 {
			t.Errorf("%d sessions by the code", n)
		}
		// Guessing is no race either: 64 wrong codes are five tries.
		o := w.person("192.0.2.3")
		o.register("email", "otto@beispiel.example", "email_repeat", "otto@beispiel.example", "username", "otto").Goes(t, "/register/verify")
		m = w.One("otto@beispiel.example", "")
		secret = o.Cookies["t_signup"]
		race(func() portaltest.Page {
			same := w.person("192.0.2.3")
			same.Cookies["t_signup"] = secret
			return same.Post("/register/verify", "code", wrong(m))
		})
		if n := w.Count(`SELECT max(tries) FROM account_link`); n != 5 {
			t.Errorf("%d tries were counted", n)
		}
		// Signing up 16 times at once with one address leaves one open link.
		var group sync.WaitGroup
		for i := range 16 {
			group.Go(func() {
				c := w.person(fmt.Sprintf("192.0.2.%d", 100+i))
				c.register("email", "clara@beispiel.example", "email_repeat", "clara@beispiel.example", "username", "clara")
			})
		}
		group.Wait()
		if n := w.Count(`SELECT count(*) FROM account_link JOIN account ON account.id = account_link.account WHERE email_key = 'clara@beispiel.example' AND account_link.state = 'open'`); n != 1 {
			t.Errorf("%d open links", n)
		}
		if n := len(w.Inbox("clara@beispiel.example")); n != 4 {
			t.Errorf("%d mails to one address at once", n)
		}
	})
}

// Two sign-ups may choose the same name; who confirms first has it, the other
// signs in by address (R046).
func TestSameUsername(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, b := w.person("192.0.2.1"), w.person("192.0.2.2")
		a.register().Goes(t, "/register/verify")
		b.register("email", "anna2@beispiel.example", "email_repeat", "anna2@beispiel.example", "username", "ＡＮＮＡ", "password", "Ofen Blech Teig Korb", "password_repeat", "Ofen Blech Teig Korb").Goes(t, "/register/verify")
		b.Post("/register/verify", "code", code(w.One("anna2@beispiel.example", ""))).Goes(t, "/")
		a.Post("/register/verify", "code", code(w.One("anna@beispiel.example", ""))).Goes(t, "/")
		a.Get("/login").Goes(t, "/")
		c := w.person("192.0.2.3")
		c.signIn("anna", plain).Want(t, 422)
		c.signIn("Anna@Beispiel.Example", plain).Goes(t, "/")
		w.person("192.0.2.4").signIn("anna", "Ofen Blech Teig Korb").Goes(t, "/")
		w.person("192.0.2.4").Do("POST", "/register", anna("email", "x@beispiel.example", "email_repeat", "x@beispiel.example")).Want(t, 422, "Dieser Benutzername ist schon vergeben")
	})
}

// R248 and the no-JS contract: "Zurück" and every complaint keep what was
// typed, except the password, which waits as its hash.
func TestBackKeepsData(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.person("192.0.2.1")
		p.Do("POST", "/register", anna("title", "Dr.", "further_2", "privat@beispiel.example")).Goes(t, "/register/terms")
		p.Post("/register/terms", "do", "back").Goes(t, "/register")
		g := p.Get("/register").Want(t, 200, "Ihr Passwort ist gemerkt")
		for _, v := range []string{`value="Dr."`, `value="Anna"`, `value="Beispiel"`, `value="anna"`, `value="privat@beispiel.example"`, `<details class="more" open>`} {
			if !strings.Contains(g.Body, v) {
				t.Errorf("%s is gone", v)
			}
		}
		if strings.Contains(g.Body, "Mehl") || strings.Contains(g.Body, "argon2") {
			t.Error("the page shows the password")
		}
		if w.person("198.51.100.7").Get("/register").Want(t, 200); strings.Contains(w.person("198.51.100.7").Get("/register").Body, "Beispiel\"") {
			t.Error("another browser sees the draft")
		}
		g = p.Do("POST", "/register", anna("password", "", "password_repeat", "", "email_repeat", "other@beispiel.example", "given_name", "Änne")).Want(t, 422,
			"Bitte prüfen Sie Ihre Angaben", "Geben Sie hier dieselbe E-Mail-Adresse noch einmal ein")
		if !strings.Contains(g.Body, `value="Änne"`) || !strings.Contains(g.Text, "Fehler: Registrierung") {
			t.Error("what was typed is gone, or the title does not say that something is wrong")
		}
		p.register("password", "", "password_repeat", "", "further_2", "privat@beispiel.example").Goes(t, "/register/verify")
		if w.Count(`SELECT count(*) FROM account_email WHERE confirmed_at IS NULL AND email_key = 'privat@beispiel.example'`) != 1 {
			t.Error("the further address is not kept unconfirmed (R043, R044)")
		}
		m := w.One("anna@beispiel.example", "")
		p.Post(linkIn(m), "do", "confirm").Goes(t, "/register/done")
		p.signIn("anna", plain).Goes(t, "/")
		q := w.person("192.0.2.5")
		q.signIn("privat@beispiel.example", plain).Want(t, 422) // not confirmed: opens nothing

		r := w.person("192.0.2.6")
		r.Do("POST", "/register", anna("username", "rita", "email", "r@beispiel.example", "email_repeat", "r@beispiel.example")).Goes(t, "/register/terms")
		r.Post("/register", "do", "cancel").Goes(t, "/") // R049: Abbrechen
		if w.Count(`SELECT count(*) FROM signup_draft`) != 0 {
			t.Error("the draft stays after Abbrechen")
		}
		r.Get("/register/terms").Goes(t, "/register")
		w.Pass(3 * time.Hour)
	})
}

// R042, R046, R047, R048: every field says what to do; hostile values are
// refused and leave nothing.
func TestRefusals(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		long := strings.Repeat("n", 10_000)
		for _, c := range []struct {
			name    string
			changes []string
			status  int
			text    string
		}{
			{"no name", []string{"given_name", " ", "family_name", "."}, 422, "Geben Sie Ihren Vornamen ein"},
			{"no address", []string{"email", ""}, 422, "Geben Sie Ihre E-Mail-Adresse ein"},
			{"no real address", []string{"email", "anna@beispiel"}, 422, "Geben Sie eine E-Mail-Adresse mit @ und Endung ein"},
			{"two addresses", []string{"email", "a@b.example, c@d.example"}, 422, "Geben Sie eine E-Mail-Adresse mit @ und Endung ein"},
			{"address with a name", []string{"email", "Anna <a@b.example>"}, 422, "Geben Sie eine E-Mail-Adresse mit @ und Endung ein"},
			{"address too long", []string{"email", strings.Repeat("a", 60) + "@" + strings.Repeat("b.", 120) + "example"}, 422, "höchstens 254 Zeichen"},
			{"repeat differs", []string{"email_repeat", "anna@beispiel.test"}, 422, "dieselbe E-Mail-Adresse"},
			{"further twice", []string{"further_3", "ANNA@beispiel.example"}, 422, "Diese E-Mail-Adresse haben Sie schon angegeben"},
			{"user name like an address", []string{"username", "anna@beispiel.example"}, 422, "ohne @"},
			{"user name short", []string{"username", "ab"}, 422, "mit 3 bis 64 Zeichen"},
			{"user name in another script", []string{"username", "аnnа"}, 422, "nur mit Buchstaben"},
			{"no user name", []string{"username", ""}, 422, "Wählen Sie einen Benutzernamen"},
			{"no password", []string{"password", "", "password_repeat", ""}, 422, "Geben Sie ein Passwort ein"},
			{"short password", []string{"password", "Abc1!def", "password_repeat", "Abc1!def"}, 422, "Das Passwort braucht mindestens 12 Zeichen"},
			{"common password", []string{"password", "passwort1234", "password_repeat", "passwort1234"}, 422, "lässt sich leicht erraten"},
			{"password is the name", []string{"password", "mein-anna-lied!", "password_repeat", "mein-anna-lied!"}, 422, "in dem Ihr Benutzername"},
			{"password long", []string{"password", strings.Repeat("x y z ", 50), "password_repeat", strings.Repeat("x y z ", 50)}, 422, "Kürzen Sie das Passwort"},
			{"repeat of the password differs", []string{"password_repeat", "etwas anderes"}, 422, "dasselbe Passwort"},
			{"salutation", []string{"salutation", "dr"}, 422, "Wählen Sie eine der Anreden"},
			{"10,000 letters", []string{"family_name", long}, 422, "Kürzen Sie den Nachnamen auf höchstens 100 Zeichen"},
			{"markup", []string{"given_name", "<script>alert(1)</script>"}, 422, "Schreiben Sie den Vornamen nur mit Buchstaben"},
			{"a link as name", []string{"given_name", "www.boese.example"}, 422, "Schreiben Sie den Vornamen nur mit Buchstaben"},
			{"NUL", []string{"given_name", "An\x00na"}, 422, "unsichtbare Zeichen"},
			{"right to left", []string{"family_name", "Bei\u202espiel"}, 422, "unsichtbare Zeichen"},
			{"no UTF-8", []string{"username", "anna\xff\xfe", "email", "\xff"}, 422, ""},
			{"NUL in the password", []string{"password", "Mehl Hefe\x00Wasser", "password_repeat", "Mehl Hefe\x00Wasser"}, 422, "nicht eintippen"},
			{"1 MB password", []string{"password", strings.Repeat("p", 1<<20)}, 413, "zu groß"},
			{"header in the address", []string{"email", "a@b.example\r\nBcc: c@d.example", "email_repeat", "a@b.example\r\nBcc: c@d.example"}, 422, ""},
		} {
			p := w.person("192.0.2.1")
			g := p.Do("POST", "/register", anna(c.changes...))
			if g.Status != c.status || !strings.Contains(g.Text, c.text) || strings.Contains(g.Body, "<script") {
				t.Errorf("%s: status %d, want %d and %q\n%s", c.name, g.Status, c.status, c.text, g.Text)
			}
		}
		if n := w.Count(`SELECT count(*) FROM account`) + w.Count(`SELECT count(*) FROM signup_draft`); n != 0 {
			t.Errorf("%d rows stay", n)
		}
	})
}

// The mails that a stranger can cause are counted per address.
func TestMailLimit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.person("192.0.2.1")
		p.register().Goes(t, "/register/verify")
		for range 3 {
			p.Post("/register/verify", "do", "again").Goes(t, "/register/verify")
		}
		p.Post("/register/verify", "do", "again").Want(t, http.StatusTooManyRequests, "Das waren viele Versuche")
		if n := len(w.Inbox("anna@beispiel.example")); n != 4 {
			t.Errorf("%d mails", n)
		}
		w.Pass(15 * time.Minute)
		p.Post("/register/verify", "do", "again").Goes(t, "/register/verify")
	})
}
