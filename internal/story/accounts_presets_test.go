package story_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/captcha"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/policy"
	"zunft/internal/story"
)

// presets are used beside the default; preset reads one.
func use(t *testing.T, w *story.World, keys ...string) {
	t.Helper()
	err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
		for _, key := range keys {
			p, err := policy.Preset(key)
			if err == nil {
				err = policy.Save(tx, audit.Console, p)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// hears is the newest question that was asked: what eyes read in the picture
// and ears hear in the sound.
func hears(t *testing.T, w *story.World) (q captcha.Question) {
	t.Helper()
	err := w.IdentityDB.Read(t.Context(), func(tx *db.Tx) error {
		var id, sealed string
		if err := tx.Scan(`SELECT id, answer FROM captcha ORDER BY id DESC LIMIT 1`, nil, &id, &sealed); err != nil {
			return err
		}
		b, err := tx.Keys().Open("captcha/"+id, sealed)
		if err != nil {
			return err
		}
		return json.Unmarshal(b, &q)
	})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// confirms opens the link of the mail.
func (p *person) confirms(email string) {
	p.t.Helper()
	p.Open(link(p.t, mail(p.t, p.w, email, "Bestätigungscode"), "/confirm/"))
	p.Press("E-Mail-Adresse bestätigen")
	p.HasText("Ihr Konto ist eingerichtet")
}

// enters signs in with what was chosen at the sign-up.
func (p *person) enters(login, password string) {
	p.t.Helper()
	p.Open(p.w.Identity + "/login")
	p.Fill("Benutzername", login)
	p.Fill("Passwort", password)
	p.Press("Anmelden")
}

// R239, R240: where „Mein ias“ is the default, its two labels lead from any
// page to its profile; one that is offered beside it is there, too.
func TestR239LabelsOfThePolicy(t *testing.T) {
	ias, err := policy.Preset("mein-ias")
	if err != nil {
		t.Fatal(err)
	}
	w := start(t, "sqlite", story.Options{Empty: true, Policy: &ias})
	err = w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
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
	p := walks(t, w, "")
	p.Open(w.Identity + "/")
	p.Inspect("preset-start-offered")
	p.Open(w.Identity + "/help")
	p.Follow("Anmelden/Registrieren")
	p.Inspect("preset-ias-login")
	p.Follow("Hier registrieren")
	p.HasText("Registrierung bei „Mein ias“")
	p.Open(w.Identity + "/")
	p.Follow("LUX")
	p.HasText("Registrierungscode")
}

// Decision 3: four ways to get an account that are there today, each walked in
// a browser without scripts, from the first page to being signed in.
func TestPresets(t *testing.T) {
	each(t, story.Options{Empty: true}, func(t *testing.T, w *story.World) {
		use(t, w, "meine-ihk", "lux", "mein-ias", "nordwestfalen")
		var code account.Code
		err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
			c, err := chamber.ByNumber(tx, story.ChamberNumber)
			if err != nil {
				return err
			}
			code, err = account.NewCode(tx, audit.Console, c.ID, "apprentice", "47110815")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}

		t.Run("meine-ihk", func(t *testing.T) { // R039, R040, R041, R042, R045, R047, R048, R049, R051, R052, R053, R055, R056, R057
			t.Parallel()
			p := walks(t, w, "")
			p.Open(w.Identity + "/register?profile=meine-ihk")
			p.HasText("für meine ihk")
			p.Choose("Frau")
			p.Fill("Akademischer Titel", "Dr.")
			p.Fill("Vorname", "Mara")
			p.Fill("Nachname", "Ihkowski")
			p.Fill("E-Mail-Adresse", "mara@example.org")
			p.Fill("E-Mail-Adresse wiederholen", "mara@example.org")
			p.Fill("Benutzername", "mara.i")
			p.Fill("Passwort", "nurklein") // R048
			p.Fill("Passwort wiederholen", "nurklein")
			p.Press("Weiter")
			p.HasText("Bitte prüfen Sie Ihre Angaben")
			p.Fill("Passwort", "Wz4!qPl9")
			p.Fill("Passwort wiederholen", "Wz4!qPl9")
			p.Press("Weiter")
			p.Press("Zurück")
			p.HasText("Ihr Passwort ist gemerkt")
			p.Press("Weiter")
			p.Choose("Ich akzeptiere die Informationspflichten.")
			p.Press("Registrierung abschicken")
			p.HasText("Registrierung abschließen")
			p.confirms("mara@example.org")
			p.enters("mara.i", "Wz4!qPl9")
			p.HasText("Abmelden")
		})
		t.Run("lux", func(t *testing.T) { // R187, R189, R191, R192, R193, R195, R196, R199
			t.Parallel()
			p := walks(t, w, "")
			p.Open(w.Identity + "/register?profile=lux")
			p.HasText("Liegt Ihnen ein Registrierungscode vor?")
			p.Choose("Ja")
			p.Fill("Registrierungscode", code.Typed)
			p.Press("Weiter")
			p.Fill("Vorname", "Lukas")
			p.Fill("Nachname", "Luxmann")
			p.Fill("E-Mail-Adresse", "info@example.org")
			p.Fill("Passwort", story.Password)
			p.Fill("Passwort wiederholen", story.Password)
			p.Fill("Zeichen aus dem Bild", "AAAAA")
			p.Press("Registrieren")
			p.HasText("Vermeiden Sie Adressen wie info@")
			p.HasText("lesen oft mehrere Personen")
			if p.Value("Meine IHK") == "" {
				t.Error("the chamber of the code is not chosen")
			}
			p.Fill("E-Mail-Adresse", "lukas@example.org")
			p.Fill("Passwort", story.Password)
			p.Fill("Passwort wiederholen", story.Password)
			p.Fill("Zeichen aus dem Bild", hears(t, w).Digits) // heard
			p.Press("Registrieren")
			p.HasText("innerhalb von 24 Stunden")
			p.confirms("lukas@example.org")
			p.HasText("Ausbilder-Identnummern")
			p.enters("lukas@example.org", story.Password)
			p.HasText("Später") // a second factor is offered at the first sign-in (R199)
			p.Press("Später")
			p.HasText("Abmelden")
			p.Open(w.Identity + "/account/profile")
			p.HasText("47110815") // the number behind the code
		})
		t.Run("mein-ias", func(t *testing.T) { // R238, R241, R242, R245, R246, R249, R250, R253, R254, R256, R258
			t.Parallel()
			p := walks(t, w, "")
			p.Open(w.Identity + "/register?profile=mein-ias")
			p.HasText("Registrierung bei „Mein ias“")
			p.HasText("Anmelden/Registrieren") // R239: in the words of this profile
			p.Fill("Vorname", "Ida")
			p.Fill("Nachname", "Iasson")
			p.Fill("Firmen-E-Mail-Adresse", "ida@example.org")
			p.Fill("Individuelles Passwort", story.Password)
			p.Press("Weiter")
			p.Fill("Geburtsjahr", "1984")
			p.Press("Registrieren")
			p.HasText("Beantworten Sie diese Frage")
			p.In("Büroarbeitsplatz").Choose("Ja")
			p.In("disziplinarisch").Choose("Nein")
			p.Press("Registrieren")
			p.HasText("Aktualität und Änderung der Datenschutzerklärung")
			p.Press("Akzeptieren")
			p.HasText("Setzen Sie den Haken")
			p.Choose("Hiermit stimme ich den Nutzungsbedingungen")
			p.Press("Akzeptieren")
			p.HasText("Registrierung erfolgreich")
			p.HasText("innerhalb von 7 Tagen gelöscht")
			p.HasText("Weiter zu „Mein ias“")
			p.confirms("ida@example.org")
			p.enters("ida@example.org", story.Password)
			p.HasText("Abmelden")
			// What was not ticked is given, and taken back (R054, R250).
			p.Open(w.Identity + "/account/consents")
			p.In("Verwendung Ihrer E-Mail-Adresse").Press("Zustimmen")
			p.HasText("Ihre Zustimmung ist gespeichert.")
			p.In("Verwendung Ihrer E-Mail-Adresse").Press("Widerrufen")
			p.HasText("Ihr Widerruf ist gespeichert")
			p.In("Nutzungsbedingungen").Follow("Text lesen")
			p.HasText("Ein Konto gehört einer Person")
		})
		t.Run("nordwestfalen", func(t *testing.T) { // R271
			t.Parallel()
			p := walks(t, w, "")
			p.Open(w.Identity + "/register?profile=nordwestfalen")
			p.HasText("Teilnehmende einer Fortbildungs- oder Sachkundeprüfung")
			p.HasText("über die Prüfungskoordination der Kammer")
			p.Fill("Vorname", "Nele")
			p.Fill("Nachname", "Westphal")
			p.Fill("E-Mail-Adresse", "nele@example.org")
			p.Fill("E-Mail-Adresse wiederholen", "nele@example.org")
			p.Fill("Benutzername", "nele.w")
			p.Fill("Passwort", story.Password)
			p.Fill("Passwort wiederholen", story.Password)
			p.Press("Weiter")
			p.Choose("Ich akzeptiere die Informationspflichten.")
			p.Press("Registrierung abschicken")
			p.confirms("nele@example.org")
			p.enters("nele.w", story.Password)
			p.HasText("Abmelden")
		})
	})
}

// Every page of the four profiles, with mistakes and in English.
func TestGalleryPresets(t *testing.T) {
	t.Parallel() // they meet nobody: two look at once, on two cores
	w := start(t, "sqlite", story.Options{Empty: true})
	use(t, w, "meine-ihk", "lux", "mein-ias", "nordwestfalen")
	t.Run("meine-ihk", func(t *testing.T) {
		t.Parallel()
		p := walks(t, w, "")
		p.Open(w.Identity + "/register?profile=meine-ihk")
		p.Inspect("preset-ihk")
		p.Press("Weiter")
		p.Inspect("preset-ihk-mistakes")
		p.Open(w.Identity + "/register?profile=nordwestfalen")
		p.Inspect("preset-nw")
		p.Open(w.Identity + "/register?profile=meine-ihk&lang=en")
		p.Inspect("preset-ihk-english")
	})
	t.Run("lux", func(t *testing.T) {
		t.Parallel()
		p := walks(t, w, "")
		p.Open(w.Identity + "/register?profile=lux")
		p.Inspect("preset-lux-code")
		p.Choose("Ja")
		p.Press("Weiter")
		p.Inspect("preset-lux-code-mistake")
		p.Choose("Nein")
		p.Press("Weiter")
		p.Inspect("preset-lux-form")
		p.Fill("E-Mail-Adresse", "info@example.org")
		p.Press("Registrieren")
		p.Inspect("preset-lux-mistakes")
		p.Fill("Vorname", "Lukas")
		p.Fill("Nachname", "Luxmann")
		p.Fill("Passwort", story.Password)
		p.Fill("Passwort wiederholen", story.Password)
		p.Choose(story.Owner)
		p.Fill("Zeichen aus dem Bild", hears(t, w).Letters)
		p.Press("Registrieren")
		p.Inspect("preset-lux-functional")
		p.Fill("E-Mail-Adresse", "lukas@example.org")
		p.Fill("Passwort", story.Password)
		p.Fill("Passwort wiederholen", story.Password)
		p.Fill("Zeichen aus dem Bild", hears(t, w).Letters)
		p.Press("Registrieren")
		p.Inspect("preset-lux-sent")
		p.Open(link(t, mail(t, w, "lukas@example.org", "Bestätigungscode"), "/confirm/"))
		p.Inspect("preset-lux-confirm")
		p.Press("E-Mail-Adresse bestätigen")
		p.Inspect("preset-lux-done")
		p.Open(w.Identity + "/register?profile=lux&lang=en")
		p.Inspect("preset-lux-english")
	})
	t.Run("mein-ias", func(t *testing.T) {
		t.Parallel()
		p := walks(t, w, "")
		p.Open(w.Identity + "/register?profile=mein-ias")
		p.Inspect("preset-ias-1")
		p.Fill("Vorname", "Ida")
		p.Fill("Nachname", "Iasson")
		p.Fill("Firmen-E-Mail-Adresse", "ida@example.org")
		p.Fill("Individuelles Passwort", story.Password)
		p.Press("Weiter")
		p.Inspect("preset-ias-2")
		p.Fill("Geburtsjahr", "84")
		p.Press("Registrieren")
		p.Inspect("preset-ias-2-mistakes")
		p.Fill("Geburtsjahr", "")
		p.In("Büroarbeitsplatz").Choose("Ja")
		p.In("disziplinarisch").Choose("Nein")
		p.Press("Registrieren")
		p.Inspect("preset-ias-3")
		p.Press("Akzeptieren")
		p.Inspect("preset-ias-3-mistake")
		p.Choose("Hiermit stimme ich den Nutzungsbedingungen")
		p.Press("Akzeptieren")
		p.Inspect("preset-ias-sent")
		p.Fill("Code aus der E-Mail", regexp.MustCompile(`\b\d{6}\b`).FindString(mail(t, w, "ida@example.org", "Bestätigungscode").Text))
		p.Press("E-Mail-Adresse bestätigen")
		p.Open(w.Identity + "/account/consents")
		p.Inspect("consents")
		p.In("Verwendung Ihrer E-Mail-Adresse").Press("Zustimmen")
		p.Inspect("consents-given")
		p.In("Verwendung Ihrer E-Mail-Adresse").Press("Widerrufen")
		p.Inspect("consents-withdrawn")
		p.In("Nutzungsbedingungen").Follow("Text lesen")
		p.Inspect("consents-text")
		p.Open(w.Identity + "/account/consents?lang=en")
		p.Inspect("consents-english")
	})
}
