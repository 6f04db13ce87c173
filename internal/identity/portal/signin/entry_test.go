package signin_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/policy"
)

// choose makes a shipped policy the default one.
func (w *world) choose(key string, change func(*policy.Policy)) {
	w.T.Helper()
	if err := w.D.Write(w.T.Context(), func(tx *db.Tx) error {
		rules, err := policy.Preset(key)
		if err != nil {
			return err
		}
		rules.Default = true
		if change != nil {
			change(&rules)
		}
		return policy.Save(tx, audit.Console, rules)
	}); err != nil {
		w.T.Fatal(err)
	}
}

// R278, R279, R281, S35: five pages to sign in at, each in the words of its
// people, all of them for one and the same account.
func TestR278EntryPages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.create("anna", true)
		if g := w.person("192.0.2.1").Get("/login").Want(t, 200); strings.Contains(g.Body, "/login/ways") {
			t.Error("the standard leads to the entry pages")
		}
		w.choose("nordwestfalen", nil)
		p := w.person("192.0.2.1")
		if g := p.Get("/login?next=/requests").Want(t, 200); !strings.Contains(g.Body, `href="/login/ways?next=%2frequests"`) {
			t.Error("the way to the entry pages is missing, or forgets where one was going")
		}
		g := p.Get("/login/ways?next=/requests").Want(t, 200, "Ausbildungsbetrieb", "Auszubildende", "Prüfende", "Ausbildende",
			"Ausbildungsbeauftragte", "Ausschließlich zur Genehmigung von Ausbildungsnachweisen", "Ein Zugang öffnet alle Portale")
		for _, key := range []string{"company", "apprentice", "examiner", "trainer", "supervisor"} {
			if !strings.Contains(g.Body, `href="/login/`+key+`?next=%2frequests"`) {
				t.Error("no way to", key)
			}
			q := w.person("192.0.2.2")
			q.Get("/login/"+key+"?next=/requests").Want(t, 200, "Anmelden: ", "Passwort", "Benutzernamen speichern", "Passwort vergessen")
			q.signIn("anna", plain, "entry", key, "next", "/requests").Goes(t, "/requests")
		}
		p.Get("/login/apprentice").Want(t, 200, "Anmelden: Auszubildende", "Azubinummer (Identnummer) oder E-Mail-Adresse")
		p.signIn("", plain, "entry", "apprentice").Want(t, 422, "Anmelden: Auszubildende", "Geben Sie Ihre Azubinummer oder Ihre E-Mail-Adresse ein")
		p.Get("/login/nobody").Want(t, 404)
		p.signIn("anna", "nicht dieses hier", "entry", "<b>").Want(t, 422, "passen nicht zusammen")
	})
}

// W07: what opens an account is the chamber's choice, and the page says it.
func TestW07WordsOfTheField(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.choose(policy.Standard, func(p *policy.Policy) { p.SignIn.By = []string{"email"} })
		if g := w.person("192.0.2.1").Get("/login").Want(t, 200, "E-Mail-Adresse"); strings.Contains(g.Text, "Benutzername ") {
			t.Error("asks for a user name")
		}
		w.choose(policy.Standard, func(p *policy.Policy) { p.SignIn.By = []string{"number"} })
		w.person("192.0.2.1").Get("/login").Want(t, 200, "Azubinummer (Identnummer)")
	})
}

// R240: the link to the sign-up reads as the policy says, and leads to every
// profile that asks for it, with where the person was going.
func TestR240WaysToSignUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if g := w.person("192.0.2.1").Get("/login").Want(t, 200, "Neu hier? Jetzt registrieren"); strings.Contains(g.Body, "profile=") {
			t.Error("leads to a profile that nobody offers")
		}
		w.choose("mein-ias", nil)
		w.person("192.0.2.1").Get("/login").Want(t, 200, "Hier registrieren")
		err := w.D.Write(t.Context(), func(tx *db.Tx) error {
			p, err := policy.Preset("lux")
			if err != nil {
				return err
			}
			p.SignUp.Offered = true
			return policy.Save(tx, audit.Console, p)
		})
		if err != nil {
			t.Fatal(err)
		}
		g := w.person("192.0.2.1").Get("/login?next=/organizations/join").Want(t, 200, "Hier registrieren", "Registrieren für: LUX")
		for _, href := range []string{`"/register?next=%2forganizations%2fjoin"`, `"/register?profile=lux&amp;next=%2forganizations%2fjoin"`} {
			if !strings.Contains(g.Body, href) {
				t.Errorf("no link to %s", href)
			}
		}
	})
}

// R280, R281, R288, R289, W12: where the chamber chose the seed's wording, an
// unknown name is told, with what to check; a wrong password never is more than that.
func TestR280SeedWording(t *testing.T) {
	const unknown = "Der eingegebene Benutzername oder die E-Mail-Adresse ist nicht im Online-Portal der IHK registriert."
	const unsent = "Leider konnten wir Ihnen keine E-Mail zusenden. Bitte wenden Sie sich an Ihre zuständige Sachbearbeitung in der IHK."
	each(t, func(t *testing.T, w *world) {
		w.create("anna", true)
		p := w.person("192.0.2.1")
		if g := p.signIn("nobody", plain).Want(t, 422); strings.Contains(g.Text, unknown) {
			t.Error("the standard tells")
		}
		p.Post("/recover/password", "login", "nobody").Goes(t, "/recover/password?sent")
		w.choose("nordwestfalen", nil)
		g := p.signIn("nobody", plain, "next", "/requests").Want(t, 422, unknown, "Haben Sie die richtige Anmeldung gewählt?", "IHK-Finder")
		if !strings.Contains(g.Body, `href="/login/supervisor?next=%2frequests"`) || !strings.Contains(g.Body, `value="nobody"`) {
			t.Error("the help is not complete, or what was typed is gone")
		}
		if g := p.signIn("anna", "nicht dieses hier").Want(t, 422, "passen nicht zusammen"); strings.Contains(g.Text, unknown) {
			t.Error("a known name is told to be unknown")
		}
		p.Get("/recover/password").Want(t, 200, "Azubinummer (Identnummer) oder E-Mail-Adresse") // R284
		p.Post("/recover/password", "login", "nobody").Want(t, 422, unsent, "Screenshot", "IHK-Finder")
		p.Post("/recover/password", "login", "anna").Goes(t, "/recover/password?sent")
		w.One("anna@beispiel.example", "Passwort zurücksetzen")
	})
}

// R284, R285: an apprentice gets the link by the number, at the address on file.
func TestR284RecoverByNumber(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.create("anna", true)
		w.Exec(`INSERT INTO chamber (id, number, name, short_name, created_at) VALUES ('c', '133', 'Kammer', 'K', $1)`, w.D.Now())
		w.Exec(`INSERT INTO account_number (account, kind, chamber, number, number_key, since) VALUES ($1, 'apprentice', 'c', '123 4567', '1234567', $2)`, a.ID, w.D.Now())
		p := w.person("192.0.2.1")
		for _, login := range []string{"1234567", "133-1234567", "123 4567"} {
			p.signIn(login, plain).Goes(t, "/")
			p.Post("/logout")
		}
		p.Post("/recover/password", "login", "123-4567").Goes(t, "/recover/password?sent")
		w.One("anna@beispiel.example", "Passwort zurücksetzen")
	})
}

// The rule for a new password is that of the account, not of the installation (R048).
func TestR048RuleOfTheAccount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.create("anna", true)
		if err := w.D.Write(t.Context(), func(tx *db.Tx) error {
			rules, err := policy.Preset("nordwestfalen")
			if err != nil {
				return err
			}
			rules.Password = "classic"
			return policy.Save(tx, audit.Console, rules)
		}); err != nil {
			t.Fatal(err)
		}
		w.Exec(`UPDATE account SET policy = 'nordwestfalen' WHERE id = $1`, a.ID)
		w.person("192.0.2.1").Post("/recover/password", "login", "anna")
		at := linkIn(w.One("anna@beispiel.example", "Passwort zurücksetzen"))
		p := w.person("192.0.2.1")
		p.Get(at).Want(t, 200, "8 Zeichen")
		p.Post(at, "password", "lauter kleine buchstaben", "password_repeat", "lauter kleine buchstaben").Want(t, 422)
		p.Post(at, "password", "Hf7#kQzw", "password_repeat", "Hf7#kQzw").Goes(t, "/login")
	})
}

// R282, S51: the finder knows places and postcodes.
func TestR282Finder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if err := w.D.Write(t.Context(), func(tx *db.Tx) error {
			_, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: "999", Name: "Kammer Musterland", ShortName: "KM", Place: "Musterstadt", Postcodes: []string{"00"}})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		p := w.person("192.0.2.1")
		find := func(q string) string { return "/chambers?q=" + url.QueryEscape(q) }
		if g := p.Get("/chambers").Want(t, 200, "IHK-Finder", "Ort oder Postleitzahl"); strings.Contains(g.Text, "gefunden") {
			t.Error("found something before anybody asked")
		}
		p.Get(find("26721")).Want(t, 200, "1 Kammer gefunden", "Emden")
		p.Get(find("emden")).Want(t, 200, "Emden")
		p.Get(find("Münster")).Want(t, 200, "Nord Westfalen")
		p.Get(find("muenster")).Want(t, 200, "Nord Westfalen")
		p.Get(find("D-48143 Münster")).Want(t, 200, "1 Kammer gefunden", "Nord Westfalen")
		p.Get(find("00999 Musterstadt")).Want(t, 200, "Kammer Musterland", "in diesem Portal")
		p.Get(find("Frankfurt")).Want(t, 200, "Frankfurt am Main", "Ostbrandenburg", "Mehrere Kammern sind möglich")
		for _, q := range []string{"Atlantis", "99999", "%%", "<script>", "' OR 1=1", "\u202e26721x", "0"} {
			g := p.Get(find(q))
			if g.Status >= 500 || strings.Contains(g.Body, "<script>") {
				t.Error(q, g.Status)
			}
		}
		p.Get(find("Atlantis")).Want(t, 200, "Keine Kammer gefunden")
		p.Get(find(" ")).Want(t, 422, "Geben Sie einen Ort oder eine Postleitzahl ein")
		p.Get(find(strings.Repeat("ä", 101))).Want(t, 422, "höchstens 100")
	})
}

// ux.md: no expired session may lose text. What was posted is sent again by the
// same person in the same browser, without passwords, and by nobody else.
func TestParkedForm(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.create("anna", true)
		w.create("bert", true)
		const reason = "Ich bilde hier aus.\r\nSeit „2019“ <b>"
		p := w.person("192.0.2.1")
		p.signIn("anna", plain).Goes(t, "/")
		w.Pass(31 * time.Minute) // the session rests too long
		p.Post("/echo?x=1", "reason", reason, "password", "geheim 123", "current", "geheim 4", "code", "geheim 5", "letter_code", "geheim 6", "postcode", "00999", "do", "send", "role", "trainer", "role", "apprentice").Goes(t, "/login?next=%2Fparked")
		if w.Count(`SELECT count(*) FROM parked_form WHERE body LIKE '%bilde%'`) != 0 {
			t.Error("what was typed is kept in clear")
		}
		p.signIn("anna", plain, "next", "/parked").Goes(t, "/parked")
		g := p.Get("/parked").Want(t, 200, "Ihre Eingaben sind noch da", "Ich bilde hier aus.")
		if strings.Contains(g.Body, "geheim") || strings.Contains(g.Text, "trainer") || strings.Contains(g.Body, "<b>") {
			t.Error("too much is shown", g.Text)
		}
		for _, s := range []string{`action="/echo"`, `name="reason" value="Ich bilde hier aus.` + "\r\n", `name="do" value="send"`, `name="postcode" value="00999"`, `name="role" value="trainer"`, `name="role" value="apprentice"`} {
			if !strings.Contains(g.Body, s) {
				t.Errorf("the form lacks %s", s)
			}
		}
		p.Get("/parked").Want(t, 200) // the back button
		// Somebody else at this browser, and the same person at another.
		q := w.person("192.0.2.9")
		q.Cookies["t_parked"] = p.Cookies["t_parked"]
		q.signIn("bert", plain).Goes(t, "/")
		q.Get("/parked").Goes(t, "/")
		other := w.person("192.0.2.8")
		other.signIn("anna", plain).Goes(t, "/")
		other.Get("/parked").Goes(t, "/")
		w.person("192.0.2.7").Get("/parked").Goes(t, "/login?next=%2Fparked")

		p.Post("/parked").Goes(t, "/")
		p.Get("/parked").Goes(t, "/")
		if w.Count(`SELECT count(*) FROM parked_form`) != 0 {
			t.Error("thrown away, and still there")
		}
		// A day later it is gone.
		p.Post("/logout")
		p.signIn("anna", plain)
		w.Pass(31 * time.Minute)
		p.Post("/echo", "reason", reason).Goes(t, "/login?next=%2Fparked")
		w.Pass(24 * time.Hour)
		p.signIn("anna", plain).Goes(t, "/")
		p.Get("/parked").Goes(t, "/")
		// Nobody's form is kept.
		stranger := w.person("192.0.2.66")
		stranger.Post("/echo", "reason", reason)
		if stranger.Cookies["t_parked"] != "" {
			t.Error("a stranger's form is kept")
		}
	})
}

// R181, R287, W11: the link ends one's own lock and a day's pause, once; whoever
// asks is answered alike, and a chamber's lock stays.
func TestR287Unlock(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.choose("nordwestfalen", func(p *policy.Policy) { p.SignIn.Unknown = "same"; p.Lock = policy.Lock{Way: "day", After: 5} })
		w.create("anna", true)
		b := w.create("bert", true)
		const to = "anna@beispiel.example"
		for range 5 {
			w.person("192.0.2.1").signIn("anna", "nicht dieses hier").Want(t, 422)
		}
		w.One(to, "") // "Ihr Konto entsperren", by itself
		w.Pass(23 * time.Hour)
		p := w.person("192.0.2.2")
		p.signIn("anna", plain).Want(t, 422, "passen nicht zusammen")
		ask := func(login string) {
			if err := w.D.Write(t.Context(), func(tx *db.Tx) error { return account.AskUnlock(tx, audit.Actor{IP: "192.0.2.2"}, login) }); err != nil {
				t.Fatal(err)
			}
		}
		ask("anna")
		ask("bert")
		m := w.One(to, "Ihr Konto entsperren")
		if len(w.Inbox("bert@beispiel.example")) != 0 {
			t.Error("a mail for an account that is open")
		}
		at := "/unlock/" + between(strings.ReplaceAll(m.Body, "\n", `"`), "/unlock/")
		p.Get(at).Want(t, 200, "Mit einem Klick")
		p.Do("HEAD", at, nil)
		p.signIn("anna", plain).Want(t, 422) // looking changes nothing
		p.Post(at).Goes(t, "/login")
		p.Get("/login").Want(t, 200, "Ihr Konto ist entsperrt")
		p.Post(at).Want(t, 410, "schon benutzt")
		p.signIn("anna", plain).Goes(t, "/")
		p.Get("/unlock/"+strings.Repeat("x", 43)).Want(t, 404, "Diesen Link kennen wir nicht")
		// What the chamber locked, no mail opens.
		if err := w.D.Write(t.Context(), func(tx *db.Tx) error {
			_, err := account.Lock(tx, audit.Console, b.ID, account.LockedByChamber)
			return err
		}); err != nil && fault.Of(err) == nil {
			t.Fatal(err)
		}
		ask("bert")
		if len(w.Inbox("bert@beispiel.example")) != 0 {
			t.Error("a mail that would open what the chamber locked")
		}
	})
}
