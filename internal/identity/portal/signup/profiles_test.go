package signup_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/captcha"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/portaltest"
)

// use saves a preset; change may alter it.
func (w *world) use(key string, change func(*policy.Policy)) {
	w.T.Helper()
	p, err := policy.Preset(key)
	if err != nil {
		w.T.Fatal(err)
	}
	if change != nil {
		change(&p)
	}
	w.Write(func(tx *db.Tx) error { return policy.Save(tx, audit.Console, p) })
}

// hannover is the chamber of these tests.
func (w *world) hannover() (id string) {
	w.Write(func(tx *db.Tx) error {
		c, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: "998", Name: "Kammer Leinetal", ShortName: "KL"})
		id = c.ID
		return err
	})
	return id
}

var captchaID = regexp.MustCompile(`name="captcha_id" value="([\w-]+)"`)

// reads is what a person sees in the picture and hears in the sound of a page.
func (p *person) reads(g portaltest.Page) (id string, q captcha.Question) {
	p.w.T.Helper()
	m := captchaID.FindStringSubmatch(g.Body)
	if m == nil {
		p.w.T.Fatalf("no captcha:\n%s", g.Text)
	}
	p.w.Write(func(tx *db.Tx) (err error) { q, err = captcha.Open(tx, p.Cookies["t_signup"], m[1]); return err })
	return m[1], q
}

// R187, R191, R192, R193, R194, R195 (S24): LUX, with its question, its captcha and its button.
func TestLUX(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.use("lux", nil)
		leinetal := w.hannover()
		p := w.person("192.0.2.1")
		first := p.Get("/register?profile=lux").Want(t, 200, "Liegt Ihnen ein Registrierungscode vor?", "Ja", "Nein", "bestehenden Anmeldedaten")
		if strings.Contains(first.Body, " checked") {
			t.Error("an answer is chosen beforehand")
		}
		p.Get("/register/person?profile=lux").Goes(t, "/register?profile=lux") // one step after the other
		p.Post("/register", "profile", "lux", "do", "next").Want(t, 422, "Wählen Sie „Ja“ oder „Nein“")
		p.Post("/register", "profile", "lux", "do", "next", "has_code", "no").Goes(t, "/register/person?profile=lux")
		form := p.Get("/register/person?profile=lux").Want(t, 200, "Titel (freiwillig)", "E-Mail-Adresse", "info@", "Meine IHK", "Kammer Leinetal", "Zeichen aus dem Bild", "24 Stunden")
		order(t, form.Body, `name="title"`, `name="given_name"`, `name="family_name"`, `name="email"`, `name="password"`, `name="chamber"`, `name="captcha"`)
		if strings.Contains(form.Body, `name="username"`) || !strings.Contains(form.Body, "Registrieren</button>") || !strings.Contains(form.Header.Get("Content-Security-Policy"), "media-src 'self'") {
			t.Error("not the form of S24")
		}
		id, q := p.reads(form)
		for kind, want := range map[string]string{"picture": "image/png", "sound": "audio/wav"} {
			if g := p.Get("/register/captcha/"+id+"/"+kind).Want(t, 200); g.Header.Get("Content-Type") != want || len(g.Body) < 500 || g.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %v, %d bytes", kind, g.Header, len(g.Body))
			}
		}
		p.Get("/register/captcha/"+id+"/other").Want(t, 404)
		w.person("192.0.2.9").Get("/register/captcha/"+id+"/picture").Want(t, 404) // another browser's

		send := func(changes ...string) portaltest.Page {
			t.Helper()
			f := []string{"profile", "lux", "do", "submit", "title", "", "given_name", "Lux", "family_name", "Licht", "email", "lux@firma.example", "password", plain, "password_repeat", plain, "chamber", leinetal}
			return p.Post("/register/person", append(f, changes...)...)
		}
		send().Want(t, 422, "Geben Sie die Zeichen aus dem Bild")
		g := send("captcha", "AAAAA", "captcha_id", id).Want(t, 422, "Die Zeichen stimmen nicht")
		if !strings.Contains(g.Body, `value="Licht"`) {
			t.Error("what was typed is gone")
		}
		if !strings.Contains(g.Text, "Ihr Passwort ist gemerkt") {
			t.Error("the password is to be typed again for the sake of a captcha")
		}
		send("captcha", q.Letters, "captcha_id", id).Want(t, 422, "Das Bild ist abgelaufen") // the wrong answer spent it
		g = send("do", "captcha")
		id, q = p.reads(g)
		send("captcha", q.Letters, "captcha_id", id).Goes(t, "/register/verify")
		if w.Count(`SELECT count(*) FROM account WHERE policy = 'lux' AND chamber = $1 AND username = '' AND state = 'unconfirmed'`, leinetal) != 1 {
			t.Error("profile and chamber are not kept")
		}
		p.Get("/register/verify").Want(t, 200, "innerhalb von 24 Stunden", "lux@firma.example")
		m := w.One("lux@firma.example", "Ihr Bestätigungscode") // R194
		p.Get(linkIn(m)).Want(t, 200, "Lux Licht")
		w.person("192.0.2.8").Post(linkIn(m), "do", "confirm").Goes(t, "/register/done?profile=lux")
		p.Get("/register/done?profile=lux").Want(t, 200, "Ausbilder-Identnummern", "Eintragungsbestätigungen") // R196, R197, R198
	})
}

// R188, R189, R190, R191: whatever is missing is named; a mailbox of many gets a
// warning that a person can answer.
func TestLUXRefusals(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.use("lux", nil)
		leinetal := w.hannover()
		p := w.person("192.0.2.1")
		p.Post("/register", "profile", "lux", "do", "next", "has_code", "no").Goes(t, "/register/person?profile=lux")
		id, q := p.reads(p.Get("/register/person"))
		send := func(fields map[string]string) portaltest.Page {
			t.Helper()
			f := []string{"profile", "lux", "do", "submit", "captcha", q.Letters, "captcha_id", id}
			for name, v := range map[string]string{"given_name": "Lux", "family_name": "Licht", "email": "lux@firma.example", "password": plain, "password_repeat": plain, "chamber": leinetal} {
				if own, ok := fields[name]; ok {
					v = own
				}
				f = append(f, name, v)
			}
			if fields["functional"] != "" {
				f = append(f, "functional", "1")
			}
			g := p.Post("/register/person", f...)
			if g.Status == 422 {
				id, q = p.reads(g)
			}
			return g
		}
		for _, c := range []struct{ field, value, says string }{
			{"given_name", "", "Vornamen"},
			{"family_name", "", "Nachnamen"},
			{"email", "", "E-Mail-Adresse"},
			{"email", "lux@firma", "mit @ und Endung"},
			{"chamber", "", "Wählen Sie Ihre Kammer"},
			{"chamber", "made-up", "Wählen Sie Ihre Kammer"},
			{"password", "kurz", "mindestens 12 Zeichen"},
			{"password_repeat", "anders", "dasselbe Passwort"},
			{"family_name", "Li\x00cht", "unsichtbare Zeichen"},
			{"family_name", "<b>Licht</b>", "nur mit Buchstaben"},
			{"chamber", "\u202e" + leinetal, "unsichtbare Zeichen"},
		} {
			send(map[string]string{c.field: c.value}).Want(t, 422, c.says)
		}
		send(map[string]string{"email": "info@firma.example", "given_name": ""}).Want(t, 422, "Vornamen", "lesen oft mehrere Personen") // all at once
		g := send(map[string]string{"email": "info@firma.example"}).Want(t, 422, "lesen oft mehrere Personen", "Dieses Postfach lese nur ich")
		if strings.Contains(g.Body, ` checked`) {
			t.Error("the answer is given beforehand")
		}
		if w.Count(`SELECT count(*) FROM account`) != 0 {
			t.Fatal("an account with mistakes")
		}
		send(map[string]string{"email": "info@firma.example", "functional": "1"}).Goes(t, "/register/verify")
	})
}

// R187: with a registration code the number behind it opens the account, once
// its address is confirmed; a code works for one.
func TestRegistrationCode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.use("lux", nil)
		leinetal := w.hannover()
		var c account.Code
		hand := func() {
			t.Helper()
			w.Write(func(tx *db.Tx) (err error) {
				c, err = account.NewCode(tx, audit.Console, leinetal, "apprentice", "4711-08")
				return err
			})
		}
		hand()
		old := c
		hand() // again: the first is void
		if w.Count(`SELECT count(*) FROM registration_code WHERE code_mac LIKE $1`, "%"+strings.ReplaceAll(c.Typed, "-", "")+"%") != 0 {
			t.Error("the code is kept in clear")
		}
		begin := func(p *person, typed string) portaltest.Page {
			return p.Post("/register", "profile", "lux", "do", "next", "has_code", "yes", "registration_code", typed)
		}
		p := w.person("192.0.2.1")
		begin(p, "").Want(t, 422, "Geben Sie Ihren Registrierungscode ein")
		begin(p, "AAAA-AAAA-AAAA").Want(t, 422, "Diesen Registrierungscode kennen wir nicht")
		begin(p, old.Typed).Want(t, 422, "Diesen Registrierungscode kennen wir nicht")
		begin(p, "'; DROP TABLE account; --").Want(t, 422, "Diesen Registrierungscode kennen wir nicht")
		register := func(p *person, email string) {
			t.Helper()
			begin(p, strings.ToLower(strings.ReplaceAll(c.Typed, "-", " "))).Goes(t, "/register/person?profile=lux")
			g := p.Get("/register/person?profile=lux")
			if !strings.Contains(g.Body, leinetal+`" selected`) {
				t.Error("the chamber of the code is not chosen")
			}
			id, q := p.reads(g)
			p.Post("/register/person", "profile", "lux", "do", "submit", "given_name", "Azra", "family_name", "Bi", "email", email, "password", plain, "password_repeat", plain,
				"chamber", leinetal, "captcha", q.Digits, "captcha_id", id).Goes(t, "/register/verify")
		}
		// Eight people with one code: all get an account, one the number.
		const people = 8
		var group sync.WaitGroup
		var waiting []func()
		for i := range people {
			p := w.person(fmt.Sprintf("192.0.2.%d", 10+i))
			email := fmt.Sprintf("azra%d@beispiel.example", i)
			register(p, email)
			link := linkIn(w.One(email, "Ihr Bestätigungscode"))
			waiting = append(waiting, func() { p.Post(link, "do", "confirm") })
		}
		for _, confirm := range waiting {
			group.Go(confirm)
		}
		group.Wait()
		if n := w.Count(`SELECT count(*) FROM account WHERE state = 'active'`); n != people {
			t.Errorf("%d accounts", n)
		}
		if n := w.Count(`SELECT count(*) FROM account_number WHERE number = '4711-08' AND kind = 'apprentice' AND chamber = $1`, leinetal); n != 1 {
			t.Errorf("%d numbers", n)
		}
		if n := w.Count(`SELECT count(*) FROM audit WHERE event = 'registration_code.used'`); n != 1 {
			t.Errorf("%d uses on record", n)
		}
		begin(w.person("192.0.2.2"), c.Typed).Want(t, 422, "schon benutzt")
		c.Typed = ""
		hand()
		w.Pass(181 * 24 * time.Hour)
		begin(w.person("192.0.2.2"), c.Typed).Want(t, 422, "Diesen Registrierungscode kennen wir nicht")
		w.Pass(90 * 24 * time.Hour)
		if err := account.Purge(t.Context(), w.D); err != nil || w.Count(`SELECT count(*) FROM registration_code`) != 0 {
			t.Error("old codes stay", err)
		}
		for range 60 {
			if g := begin(w.person("203.0.113.5"), "AAAA-AAAA-AAAC"); g.Status == http.StatusTooManyRequests {
				return
			}
		}
		t.Error("guessing codes has no end")
	})
}

const iasForm = "/register/profile?profile=mein-ias"

// R241, R242, R243, R244, R245, R246, R247, R248, R249, R250, R251, R252, R253,
// R254, R256, R258, R259 (S31, S32, S33, S34): Mein ias in three steps.
func TestMeinIas(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.use("mein-ias", func(p *policy.Policy) { p.SignUp.MailDomains = []string{"firma.example"} })
		p := w.person("192.0.2.1")
		first := p.Get("/register?profile=mein-ias").Want(t, 200, "Registrierung bei „Mein ias“", "Firmen-E-Mail-Adresse", "Individuelles Passwort", "Weiter", "meinias@beispiel.example")
		order(t, first.Body, `name="given_name"`, `name="family_name"`, `name="email"`, `name="password"`)
		for _, not := range []string{"salutation", "username", "password_repeat", "email_repeat", "further_1"} {
			if strings.Contains(first.Body, `name="`+not+`"`) {
				t.Error("asks for", not)
			}
		}
		one := func(email string) portaltest.Page {
			return p.Post("/register", "profile", "mein-ias", "do", "next", "given_name", "Ina", "family_name", "Ast", "email", email, "password", plain)
		}
		one("ina@privat.example").Want(t, 422, "Geben Sie Ihre Firmen-E-Mail-Adresse ein; sie endet auf @firma.example") // R243
		one("ina@firma.example").Goes(t, iasForm)
		second := p.Get(iasForm).Want(t, 200, "Geburtsjahr (freiwillig)", "Geschlecht (freiwillig)", "Sprache (freiwillig)",
			"Arbeiten Sie überwiegend an einem Büroarbeitsplatz?", "Sind Ihnen Mitarbeitende disziplinarisch zugeordnet?", "Zurück", "Registrieren")
		if strings.Contains(second.Body, " checked") {
			t.Error("an answer is given beforehand")
		}
		two := func(pairs ...string) portaltest.Page {
			return p.Post("/register/profile", append([]string{"profile", "mein-ias", "do", "next"}, pairs...)...)
		}
		two().Want(t, 422, "Beantworten Sie diese Frage")
		two("office_work", "yes", "leads_people", "vielleicht", "birth_year", "84").Want(t, 422, "Geben Sie ein Jahr von 1906 bis 2026 ein", "Wählen Sie eine der Antworten")
		two("office_work", "yes", "leads_people", "no", "birth_year", "1984", "gender", "male", "language", "en", "do", "back").Goes(t, "/register/terms?profile=mein-ias")
		// Back, and what was typed is there (R248).
		p.Post("/register/terms", "profile", "mein-ias", "do", "back").Goes(t, iasForm)
		if g := p.Get(iasForm); !strings.Contains(g.Body, `value="1984"`) || strings.Count(g.Body, " checked") != 2 || !strings.Contains(g.Body, `value="male" selected`) {
			t.Error("the answers are gone")
		}
		p.Post("/register/profile", "profile", "mein-ias", "do", "back").Goes(t, "/register?profile=mein-ias")
		if g := p.Get("/register?profile=mein-ias"); !strings.Contains(g.Body, `value="ina@firma.example"`) || !strings.Contains(g.Text, "Ihr Passwort ist gemerkt") {
			t.Error("step 1 is gone")
		}
		third := p.Get("/register/terms?profile=mein-ias").Want(t, 200, "Datenschutzinformationen", "Nutzungsbedingungen", "Beschwerderecht",
			"Aktualität und Änderung der Datenschutzerklärung", "Hiermit stimme ich den Nutzungsbedingungen", "Ich stimme zu, dass meine bei der Registrierung verwendete E-Mail-Adresse", "Ablehnen", "Akzeptieren")
		if strings.Contains(third.Body, " checked") {
			t.Error("a box is ticked beforehand (R250)")
		}
		shown := []string{"profile", "mein-ias"}
		for _, m := range shownTerms.FindAllStringSubmatch(third.Body, -1) {
			shown = append(shown, "terms", m[1])
		}
		required, optional := "accept_2", "accept_3"
		p.Post("/register/terms", append(shown, "do", "submit", optional, "1")...).Want(t, 422, "Setzen Sie den Haken, um fortzufahren: Nutzungsbedingungen")
		p.Post("/register/terms", append(shown, "do", "submit", required, "1")...).Goes(t, "/register/verify")
		if n := w.Count(`SELECT count(*) FROM consent JOIN terms ON terms.id = consent.terms`); n != 1 {
			t.Errorf("%d consents, want the required one only", n)
		}
		p.Get("/register/verify").Want(t, 200, "Registrierung erfolgreich", "Spam-Ordner", "Unbestätigte Profile werden innerhalb von 7 Tagen gelöscht", "Weiter zu „Mein ias“", "Haben Sie noch Fragen?", "meinias@beispiel.example")
		var answers string
		w.Write(func(tx *db.Tx) (err error) {
			answers, err = db.Value[string](tx, `SELECT answers FROM account WHERE email = 'ina@firma.example' AND language = 'en' AND policy = 'mein-ias'`)
			return err
		})
		var kept account.Answers
		if err := json.Unmarshal([]byte(answers), &kept); err != nil || fmt.Sprint(kept.Profile) != "map[birth_year:1984 gender:male leads_people:no office_work:yes]" {
			t.Errorf("%s: %v", answers, err)
		}
		m := w.One("ina@firma.example", "Your confirmation code")
		p.Post("/register/verify", "code", code(m)).Goes(t, "/")
		p.Get("/").Want(t, 200, "Start: Ina Ast") // no word of a lost user name

		// Declining leaves nothing (R252).
		q := w.person("192.0.2.2")
		q.Post("/register", "profile", "mein-ias", "do", "next", "given_name", "Nein", "family_name", "Danke", "email", "nein@firma.example", "password", plain).Goes(t, iasForm)
		q.Post("/register/profile", "profile", "mein-ias", "do", "next", "office_work", "no", "leads_people", "no").Goes(t, "/register/terms?profile=mein-ias")
		q.Post("/register/terms", "profile", "mein-ias", "do", "cancel").Goes(t, "/")
		if w.Count(`SELECT count(*) FROM signup_draft`)+w.Count(`SELECT count(*) FROM account WHERE given_name = 'Nein'`) != 0 {
			t.Error("something stays after declining")
		}
	})
}

// R048, R038, R045: meine ihk with its own rule and words.
func TestMeineIHK(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.use("meine-ihk", func(p *policy.Policy) { p.Default = true })
		p := w.person("192.0.2.1")
		p.Get("/register").Want(t, 200, "für meine ihk", "Ihr Benutzername sollte Sie eindeutig identifizieren", "Weitere E-Mail-Adresse 4", "8 Zeichen", "Abbrechen")
		p.Do("POST", "/register", anna("password", "nurklein", "password_repeat", "nurklein")).Want(t, 422, "Groß")
		p.register("password", "Wz4!qPl9", "password_repeat", "Wz4!qPl9").Goes(t, "/register/verify")
		m := w.One("anna@beispiel.example", "Ihr Bestätigungscode")
		w.person("192.0.2.3").Post(linkIn(m), "do", "confirm").Goes(t, "/register/done")
	})
}

// A draft belongs to its profile: two windows do not mix, and nothing of the
// first reaches the account of the second.
func TestTwoWindows(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.use("mein-ias", nil)
		p := w.person("192.0.2.1")
		p.Post("/register", "profile", "mein-ias", "do", "next", "given_name", "Ina", "family_name", "Ast", "email", "ina@firma.example", "password", plain).Goes(t, iasForm)
		p.Do("POST", "/register", anna("profile", "standard")).Goes(t, "/register/terms") // the second window
		p.Post("/register/profile", "profile", "mein-ias", "do", "next", "office_work", "no", "leads_people", "no").Goes(t, "/register?profile=mein-ias")
		p.Get("/register?profile=mein-ias").Want(t, 200, "In einem anderen Fenster haben Sie inzwischen eine andere Registrierung begonnen")
		id := shownTerms.FindStringSubmatch(p.Get("/register/terms").Body)[1]
		p.Post("/register/terms", "do", "submit", "accept", "1", "terms", id).Goes(t, "/register/verify")
		if w.Count(`SELECT count(*) FROM account WHERE policy = 'standard' AND given_name = 'Anna' AND answers = ''`) != 1 || w.Count(`SELECT count(*) FROM account`) != 1 {
			t.Error("the windows mixed")
		}
		w.person("192.0.2.2").Get("/register?profile=gone").Want(t, 404)
		w.person("192.0.2.2").Get("/register/nowhere").Want(t, 404)
		w.person("192.0.2.2").Post("/register/terms", "profile", "mein-ias", "do", "submit", "accept_2", "1").Goes(t, "/register?profile=mein-ias")
	})
}

// A sign-up that is sent many times at once is one: the draft is spent by the first.
func TestSentTwice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.person("192.0.2.1")
		p.Do("POST", "/register", anna()).Goes(t, "/register/terms")
		id := shownTerms.FindStringSubmatch(p.Get("/register/terms").Body)[1]
		secret := p.Cookies["t_signup"]
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() {
				same := w.person("192.0.2.1")
				same.Cookies["t_signup"] = secret
				if g := same.Post("/register/terms", "do", "submit", "accept", "1", "terms", id); g.Status >= 500 {
					t.Errorf("status %d", g.Status)
				}
			})
		}
		group.Wait()
		if n := len(w.Inbox("anna@beispiel.example")); n != 1 || w.Count(`SELECT count(*) FROM account`) != 1 || w.Count(`SELECT count(*) FROM audit WHERE event = 'account.registered'`) != 1 {
			t.Errorf("%d mails", n)
		}
	})
}

// Hostile values in any field of any profile: refused or tidied, never run,
// never an error of ours, and nothing is kept of them.
func TestHostile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, key := range policy.Presets() {
			if key != policy.Standard {
				w.use(key, nil)
			}
			pol, _ := policy.Preset(key)
			for _, f := range pol.SignUp.Steps[0].Fields() {
				name := map[string]string{"further": "further_1"}[f.Name]
				if name == "" {
					name = f.Name
				}
				for _, v := range []string{"<script>alert(1)</script>", "a\x00b", "\u202eb", "\xff\xfe", "'; DROP TABLE account; --", strings.Repeat("ä", 10_000), "%s%n", "{{.}}", "\r\nBcc: x@y.example", "-1", "9999999999999999999"} {
					g := w.person("192.0.2.1").Post("/register", "profile", key, "do", "next", name, v)
					if g.Status != 422 && g.Status != 413 && g.Status != 400 || strings.Contains(g.Body, "<script") {
						t.Errorf("%s, %s = %.20q: status %d to %s", key, name, v, g.Status, g.To)
					}
				}
			}
			for field, v := range map[string]string{"profile": "../" + key, "do": "drop", "next": "//evil.example", "terms": "'"} {
				if g := w.person("192.0.2.1").Post("/register", field, v); g.Status >= 500 || strings.Contains(g.Body, "evil.example") {
					t.Errorf("%s = %s: status %d", field, v, g.Status)
				}
			}
		}
		if n := w.Count(`SELECT count(*) FROM account`) + w.Count(`SELECT count(*) FROM signup_draft`); n != 0 {
			t.Errorf("%d rows stay", n)
		}
	})
}

// A megabyte in any field of any profile is refused before anything is computed.
func TestHuge(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, key := range policy.Presets() {
			if key != policy.Standard {
				w.use(key, nil)
			}
			p, _ := policy.Preset(key)
			for _, f := range p.SignUp.Steps[0].Fields() {
				w.person("192.0.2.1").Post("/register", "profile", key, "do", "next", f.Name, strings.Repeat("x", 1<<20)).Want(t, 413, "zu groß")
			}
		}
	})
}
