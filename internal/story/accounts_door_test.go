package story_test

import (
	"net/url"
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/terms"
	"zunft/internal/story"
)

// northWest is the shipped policy of that name, without least factors of staff.
func northWest(t testing.TB) *policy.Policy {
	t.Helper()
	p, err := policy.Preset("nordwestfalen")
	if err != nil {
		t.Fatal(err)
	}
	p.Factor.Least = nil
	return &p
}

func write(t testing.TB, d *db.DB, f func(tx *db.Tx) error) {
	t.Helper()
	if err := d.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// numbered gives somebody of the story an apprentice number.
func numbered(t testing.TB, w *story.World, key, number string) {
	t.Helper()
	write(t, w.IdentityDB, func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO account_number (account, kind, chamber, number, number_key, since)
			SELECT a.id, 'apprentice', c.id, $1, $2, $3 FROM account a, chamber c WHERE a.username = $4 AND c.number = '999'`, number, account.NumberKey(number), tx.Now(), w.Person(key).Username)
		return err
	})
}

// newTerms is a new version of what everybody must accept.
func newTerms(t testing.TB, w *story.World) {
	t.Helper()
	write(t, w.IdentityDB, func(tx *db.Tx) error {
		return terms.Publish(tx, audit.Console, terms.Terms{
			Kind: terms.InformationDuties, Version: "2027-01", Title: "Informationspflichten", Required: true,
			Body: "# Was ist neu?\n\nWir nennen jetzt auch die Druckerei, die Ihre Briefe druckt.\n\n- Name und Anschrift der Geschäftsführung\n- das Aktivierungskennwort",
		})
	})
}

// endSessions ends everybody's session, as time does.
func endSessions(t testing.TB, w *story.World) {
	t.Helper()
	write(t, w.IdentityDB, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE session SET ended_at = $1 WHERE ended_at IS NULL`, tx.Now())
		return err
	})
}

// The door as Nord Westfalen describes it, in a browser without scripts.
//
// R254 R278 R279 R280 R281 R282 R283 R284 R285 R287 R288 R289
func TestTheDoor(t *testing.T) {
	each(t, story.Options{Policy: northWest(t)}, func(t *testing.T, w *story.World) {
		numbered(t, w, "lena", "4711-0815")
		lena := walks(t, w, "lena")
		// An unknown name is told, and where else one could have meant to go.
		lena.Open(w.Training + "/reports")
		lena.Fill("Benutzername", "lena.lerchee")
		lena.Fill("Passwort", story.Password)
		lena.Press("Anmelden")
		lena.HasText("ist nicht im Online-Portal der IHK registriert.")
		lena.HasText("Ausbildungsbeauftragte")
		lena.Follow("Auszubildende")
		lena.HasText("Anmelden: Auszubildende")
		lena.HasText("weiter zu: Ausbildungsportal")
		// By number, with new terms on the way, back to the application.
		newTerms(t, w)
		lena.Fill("Azubinummer (Identnummer) oder E-Mail-Adresse", "4711 0815")
		lena.Fill("Passwort", story.Password)
		lena.Press("Anmelden")
		lena.HasText("Neue Fassung zum Lesen")
		lena.HasText("die Druckerei, die Ihre Briefe druckt")
		lena.Press("Weiter")
		lena.HasText("Bitte prüfen Sie Ihre Angaben")
		lena.Choose("Ich akzeptiere die Informationspflichten.")
		lena.Press("Weiter")
		if !strings.HasPrefix(lena.URL(), w.Training+"/reports") {
			t.Fatal("the way to the application ends at ", lena.URL())
		}

		// The finder.
		lena.Open(w.Identity + "/chambers")
		lena.Fill("Ort oder Postleitzahl", "48143")
		lena.Press("Suchen")
		lena.HasText("Nord Westfalen")

		// Forgotten, by number; the help where nobody is meant.
		murat := walks(t, w, "murat")
		murat.Open(w.Identity + "/recover/password")
		murat.Fill("Benutzername oder E-Mail-Adresse", "4711 9999")
		murat.Press("Absenden")
		murat.HasText("Leider konnten wir Ihnen keine E-Mail zusenden.")
		murat.HasText("Screenshot")
		murat.Fill("Benutzername oder E-Mail-Adresse", "4711-0815")
		murat.Press("Absenden")
		murat.HasText("Sehen Sie in Ihr Postfach")
		link(t, mail(t, w, "lena@example.org", "Passwort zurücksetzen"), "/recover/password/")

		// Five wrong passwords close the door for a day; the mail opens it.
		v := newVisitor(t)
		for range northWest(t).Lock.After {
			v.post(w.Identity+"/login", url.Values{"username": {"murat.yilmaz"}, "password": {"Nicht dieses 1!"}})
		}
		murat.signIn()
		murat.HasText("passen nicht zusammen")
		murat.Open(link(t, mail(t, w, "murat@example.org", "Ihr Konto entsperren"), "/unlock/"))
		murat.Press("Konto entsperren")
		murat.HasText("Ihr Konto ist entsperrt. Melden Sie sich an.")
		murat.signIn()
		murat.HasText("Neue Fassung zum Lesen")
		murat.Press("Nicht jetzt, abmelden")
		murat.HasText("Sie sind abgemeldet")
	})
}

// ux.md 7, check 6: the session ends while somebody writes; after signing in
// the text is back and goes where it was meant to go.
func TestNoTextIsLost(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		nora := walks(t, w, "nora")
		nora.signIn()
		nora.Open(w.Identity + "/organizations/join")
		nora.Fill("Firmierung", "Bäckerei Morgenrot GmbH")
		nora.Fill("Straße", "Mehlgasse")
		nora.Fill("Hausnummer", "4")
		nora.Fill("PLZ", "00999")
		endSessions(t, w)
		nora.Press("Weiter")
		nora.HasText("Passwort")
		nora.Fill("Benutzername", w.Person("nora").Username)
		nora.Fill("Passwort", story.Password)
		nora.Press("Anmelden")
		nora.HasText("Ihre Eingaben sind noch da")
		nora.HasText("Mehlgasse")
		nora.Press("Jetzt absenden")
		if nora.Has("Ihre Eingaben sind noch da") || !nora.Has("Morgenrot") {
			t.Error("the form did not go where it was to go:", nora.URL(), nora.Text())
		}
	})
}

// Every page of the door and its states (axe, 320 px, pictures).
func TestGalleryDoor(t *testing.T) {
	t.Parallel() // they meet nobody: two look at once, on two cores
	w := start(t, "sqlite", story.Options{Policy: northWest(t)})
	numbered(t, w, "lena", "4711-0815")
	p := walks(t, w, "lena")
	p.Open(w.Identity + "/login")
	p.Inspect("door-login")
	p.Follow("Anmelden als Betrieb")
	p.Inspect("door-ways")
	for _, key := range []string{"company", "apprentice", "examiner", "trainer", "supervisor"} {
		p.Open(w.Identity + "/login/" + key)
		p.Inspect("door-entry-" + key)
	}
	p.Press("Anmelden")
	p.Inspect("door-entry-mistakes")
	p.Fill("Benutzername oder E-Mail-Adresse", "niemand")
	p.Fill("Passwort", story.Password)
	p.Press("Anmelden")
	p.Inspect("door-unknown")
	p.Open(w.Identity + "/chambers")
	p.Inspect("door-finder")
	p.Press("Suchen")
	p.Inspect("door-finder-mistakes")
	for name, q := range map[string]string{"one": "48143", "here": "00999", "several": "Frankfurt", "none": "Atlantis"} {
		p.Open(w.Identity + "/chambers?q=" + q)
		p.Inspect("door-finder-" + name)
	}
	p.Open(w.Identity + "/recover/password")
	p.Inspect("door-recover")
	p.Fill("Benutzername oder E-Mail-Adresse", "niemand")
	p.Press("Absenden")
	p.Inspect("door-recover-unsent")
	newTerms(t, w)
	p.signIn()
	p.Inspect("door-terms")
	p.Press("Weiter")
	p.Inspect("door-terms-mistakes")
	p.Choose("Ich akzeptiere die Informationspflichten.")
	p.Press("Weiter")

	p.Open(w.Identity + "/organizations/join")
	p.Fill("Firmierung", "Bäckerei Morgenrot GmbH")
	p.Fill("Straße", "Mehlgasse")
	p.Fill("Hausnummer", "4")
	p.Fill("PLZ", "00999")
	endSessions(t, w)
	p.Press("Weiter")
	p.Fill("Benutzername", w.Person("lena").Username)
	p.Fill("Passwort", story.Password)
	p.Press("Anmelden")
	p.Inspect("door-parked")

	q := walks(t, w, "murat")
	v := newVisitor(t)
	for range northWest(t).Lock.After {
		v.post(w.Identity+"/login", url.Values{"username": {"murat.yilmaz"}, "password": {"Nicht dieses 1!"}})
	}
	at := link(t, mail(t, w, "murat@example.org", "Ihr Konto entsperren"), "/unlock/")
	q.Open(at)
	q.Inspect("door-unlock")
	q.Press("Konto entsperren")
	q.Inspect("door-unlocked")
	q.Open(at)
	q.Inspect("door-unlock-used")
	q.Open(w.Identity + "/unlock/nothing")
	q.Inspect("door-unlock-unknown")
	q.Open(w.Identity + "/login/apprentice?lang=en")
	q.Inspect("door-english-entry")
	q.Open(w.Identity + "/login/ways")
	q.Inspect("door-english-ways")
}
