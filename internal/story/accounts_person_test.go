package story_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/identity/correction"
	"zunft/internal/identity/policy"
	"zunft/internal/story"
)

// proves is the step before changes (R151, R154, R156): a code by mail.
func (p *person) proves(n int) {
	p.t.Helper()
	p.at("/account/confirm")
	p.HasText("Aus Sicherheitsgründen ist eine Änderung der persönlichen Daten nur mit einer zusätzlichen Authentifizierung Ihrer Person möglich.")
	p.Choose("E-Mail")
	p.Press("Anmelden")
	p.Fill("Einmal-Passwort", p.newest(n))
	p.Press("Anmelden")
}

// fromContract: the person's name is one that a contract gave.
func fromContract(t testing.TB, w *story.World, key string) {
	t.Helper()
	if err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE account SET name_source = 'contract' WHERE username = $1`, w.Person(key).Username)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// secondLink confirms an address with the mail that came after the first one.
func secondLink(t *testing.T, w *story.World, to, first string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	mails, err := w.Mail.Wait(ctx, to, 2)
	if err != nil {
		t.Fatal("no second mail to", to)
	}
	for _, m := range mails {
		if l := link(t, m, "/confirm-email/"); l != first {
			return l
		}
	}
	t.Fatal("both mails have one link")
	return ""
}

var nameReference = regexp.MustCompile(`N-[0-9A-Z]{4}-[0-9A-Z]{3}`)

// A person's data and addresses, from the tile to the undo in the old mailbox;
// and a name that the chamber corrects.
//
// R043 R044 R149 R150 R151 R160 R175 R180 R181 R182 R183 R217 R218 R219 R220
// R290 R293 R294
func TestPersonalData(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			c := &clock{}
			w := start(t, engine, story.Options{Now: c.now, Policy: rule(t, func(p *policy.Policy) { p.NameWait = 24 })})
			t.Run("addresses", func(t *testing.T) { addresses(t, w) })
			t.Run("name", func(t *testing.T) { correctedName(t, w, c) })
		})
	}
}

func addresses(t *testing.T, w *story.World) {
	anna, bert := walks(t, w, "anna"), walks(t, w, "bert")
	bert.signIn()
	bert.Open(w.Identity + "/account")
	bert.HasText("Unternehmensadministration") // R183
	anna.signIn()
	anna.Open(w.Identity + "/account")
	anna.LacksText("Unternehmensadministration")
	for _, tile := range []string{"Passwort ändern", "Zweistufige Verifizierung", "Konto sperren", "Konto löschen"} { // R162, R180, R181, R182
		anna.HasText(tile)
	}

	// Personal data: seen, proved, changed.
	anna.Follow("Meine persönlichen Daten")
	anna.HasText("Amsel")
	anna.Follow("Bearbeiten")
	anna.proves(1)
	anna.at("/account/profile/edit")
	anna.Fill("Nachname", "<b>Amsel</b>")
	anna.Press("Speichern")
	anna.HasText("Bitte prüfen Sie Ihre Angaben")
	if anna.Value("Nachname") != "<b>Amsel</b>" {
		t.Error("what was typed is lost")
	}
	anna.Fill("Nachname", "Amsel-Specht")
	anna.Press("Speichern")
	anna.HasText("Ihre persönlichen Daten wurden geändert")
	anna.HasText("Amsel-Specht")
	mail(t, w, "anna@example.org", "persönlichen Daten wurden geändert")

	// A further address, by the code; a mistake costs nothing.
	anna.Follow("E-Mail-Adresse ändern") // R290
	anna.Follow("Adresse hinzufügen")
	anna.Fill("Weitere E-Mail-Adresse", "anna.privat")
	anna.Press("Code senden")
	anna.HasText("Geben Sie eine E-Mail-Adresse mit @ und Endung ein")
	anna.Fill("Weitere E-Mail-Adresse", "anna.privat@example.org")
	anna.Press("Code senden")
	code := sixDigits.FindString(mail(t, w, "anna.privat@example.org", "Bestätigungscode").Text)
	anna.Fill("Code aus der E-Mail", other(code))
	anna.Press("E-Mail-Adresse bestätigen")
	anna.HasText("Der Code stimmt nicht")
	anna.Fill("Code aus der E-Mail", code)
	anna.Press("E-Mail-Adresse bestätigen")
	anna.HasText("gehört jetzt zu Ihrem Konto")
	mail(t, w, "anna@example.org", "Weitere E-Mail-Adresse")

	// Somebody else's address is answered alike (W12).
	anna.Follow("Adresse hinzufügen")
	anna.Fill("Weitere E-Mail-Adresse", "bert@example.org")
	anna.Press("Code senden")
	anna.HasText("Wir haben Ihnen einen Code mit 6 Ziffern gesendet.")
	if m := mail(t, w, "bert@example.org", "gehört schon"); strings.Contains(m.Text, "/confirm-email/") {
		t.Error("a way to confirm was sent for somebody else's address")
	}
	anna.Open(w.Identity + "/account/emails")
	anna.In("bert@example.org").Press("Entfernen")
	anna.HasText("Die E-Mail-Adresse ist entfernt.")

	// The main address: the newest link counts, in whatever browser.
	anna.Follow("Haupt-Adresse ändern")
	anna.Fill("Neue E-Mail-Adresse", "anna.neu@example.org")
	anna.Press("Code senden")
	first := link(t, mail(t, w, "anna.neu@example.org", "Bestätigungscode"), "/confirm-email/")
	anna.Press("Neuen Code senden")
	second := secondLink(t, w, "anna.neu@example.org", first)
	anna.Open(w.Identity + "/account/emails")
	anna.Follow("Code eingeben") // the way back to it
	anna.HasText("Neue Haupt-Adresse")
	stranger := walks(t, w, "stranger")
	stranger.Open(first)
	stranger.HasText("Es gibt eine neuere E-Mail.") // R294
	stranger.Open(second)
	stranger.HasText("Anna Amsel-Specht")
	stranger.Press("E-Mail-Adresse bestätigen") // R293
	stranger.HasText("Ihre Haupt-Adresse ist geändert.")
	stranger.Fill("Benutzername", "anna.neu@example.org")
	stranger.Fill("Passwort", story.Password)
	stranger.Press("Anmelden")
	stranger.HasText("Abmelden")

	// The old mailbox takes it back.
	undo := link(t, mail(t, w, "anna@example.org", "7 Tage widerrufbar"), "/undo/")
	owner := walks(t, w, "stranger")
	owner.Open(undo)
	owner.HasText("anna.neu@example.org")
	owner.Press("Änderung zurücknehmen")
	owner.HasText("Ihre alte E-Mail-Adresse gilt wieder")
	anna.Reload()
	anna.at("/login") // signed out everywhere
	stranger.Reload()
	stranger.LacksText("Abmelden")
	owner.Fill("Neues Passwort", "Kuchenblech-und-Hefe-9")
	owner.Fill("Neues Passwort wiederholen", "Kuchenblech-und-Hefe-9")
	owner.Press("Passwort festlegen")
	owner.Fill("Benutzername", "anna@example.org")
	owner.Fill("Passwort", "Kuchenblech-und-Hefe-9")
	owner.Press("Anmelden")
	owner.HasText("Abmelden")
	owner.Open(undo)
	owner.HasText("schon zurückgenommen")
	owner.Open(w.Identity + "/account/emails")
	owner.LacksText("anna.privat@example.org") // it came in the week before
}

func correctedName(t *testing.T, w *story.World, c *clock) {
	fromContract(t, w, "lena")
	lena, clara := walks(t, w, "lena"), walks(t, w, "clara")
	lena.signIn()
	lena.Open(w.Identity + "/account/profile")
	lena.HasText("Ihr Name stammt aus Ihrem Vertrag.") // R218
	lena.Follow("Namen korrigieren lassen")
	lena.proves(1)
	lena.HasText("Am häufigsten fehlt ein zweiter Vorname") // R217
	lena.Fill("Was soll anders sein?", "Im Vertrag steht mein zweiter Vorname.")
	lena.Press("Korrektur beantragen")
	lena.HasText("Meist fehlt ein zweiter Vorname")
	lena.Fill("Vornamen", "Lena Maria")
	lena.Press("Korrektur beantragen")
	lena.HasText("Ihre Kammer prüft Ihren Namen")
	reference := nameReference.FindString(lena.Text())
	if reference == "" {
		t.Fatal("no reference on the page")
	}
	clara.signIn()
	clara.Open(w.Identity + "/chamber")
	clara.Follow("Namen korrigieren")
	clara.HasText(reference)
	clara.Follow("Lena Lerche")
	clara.HasText("lena@example.org") // R219
	clara.Fill("Vornamen", "Lena Marie")
	clara.Press("Namen so übernehmen")
	clara.HasText("Der Name ist freigegeben: Lena Marie Lerche.")
	mail(t, w, "lena@example.org", "Ihr Name wird korrigiert ["+reference+"]")
	lena.Reload()
	lena.HasText("Ihr Name wird korrigiert")
	if strings.Contains(name(t, w, "lena"), "Marie") {
		t.Error("the name holds before the wait is over")
	}
	c.pass(24*time.Hour + time.Minute) // R220
	if err := correction.Due(t.Context(), w.IdentityDB); err != nil {
		t.Fatal(err)
	}
	if got := name(t, w, "lena"); got != "Lena Marie Lerche" {
		t.Error(got)
	}
}

func name(t testing.TB, w *story.World, key string) (name string) {
	t.Helper()
	if err := w.IdentityDB.Read(t.Context(), func(tx *db.Tx) (err error) {
		name, err = db.Value[string](tx, `SELECT given_name || ' ' || family_name FROM account WHERE username = $1`, w.Person(key).Username)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return name
}

// Every page of a person's own account and its states (axe, 320 px, pictures).
func TestGalleryPerson(t *testing.T) {
	t.Parallel() // they meet nobody: two look at once, on two cores
	c := &clock{}
	w := start(t, "sqlite", story.Options{Now: c.now, Policy: rule(t, func(p *policy.Policy) { p.NameWait = 24 })})
	fromContract(t, w, "lena")
	fromContract(t, w, "murat")
	t.Run("account", func(t *testing.T) {
		t.Parallel()
		bert := walks(t, w, "bert")
		bert.signIn()
		bert.Open(w.Identity + "/account")
		bert.Inspect("person-account-admin")
		bert.Open(w.Identity + "/account?lang=en")
		bert.Inspect("person-account-english")
		bert.Open(w.Identity + "/account/emails?lang=de")
		bert.Inspect("person-emails-none")
		bert.Open(w.Identity + "/account/emails/confirm")
		bert.Inspect("person-code-none")
	})
	t.Run("addresses", func(t *testing.T) {
		t.Parallel()
		galleryOfAddresses(t, w)
	})
	t.Run("name", func(t *testing.T) {
		t.Parallel()
		galleryOfNames(t, w)
	})
}

func galleryOfAddresses(t *testing.T, w *story.World) {
	anna := walks(t, w, "anna")
	anna.signIn()
	anna.Open(w.Identity + "/account/profile")
	anna.Inspect("person-data")
	anna.Follow("Bearbeiten")
	anna.proves(1)
	anna.Inspect("person-edit")
	anna.Fill("Vornamen", "")
	anna.Fill("Nachname", "https://www.example.org")
	anna.Fill("Benutzername", "bert.backmann")
	anna.Press("Speichern")
	anna.Inspect("person-edit-mistakes")
	anna.Fill("Vornamen", "Anna Aurelia")
	anna.Fill("Nachname", "Amsel")
	anna.Fill("Benutzername", "anna.amsel")
	anna.Press("Speichern")
	anna.Inspect("person-data-changed")
	anna.Open(w.Identity + "/account/emails/add")
	anna.Inspect("person-add")
	anna.Press("Code senden")
	anna.Inspect("person-add-mistake")
	anna.Fill("Weitere E-Mail-Adresse", "anna.amsel.aus.musterstadt@eine-lange-domain.example.org")
	anna.Press("Code senden")
	anna.Inspect("person-code")
	anna.Press("E-Mail-Adresse bestätigen")
	anna.Inspect("person-code-mistake")
	anna.Follow("Später")
	anna.Inspect("person-emails-unconfirmed")
	anna.In("eine-lange-domain").Follow("Code eingeben")
	anna.Press("Neuen Code senden")
	m := mail(t, w, "anna.amsel.aus.musterstadt@eine-lange-domain.example.org", "Bestätigungscode")
	superseded := link(t, m, "/confirm-email/")
	anna.Open(secondLink(t, w, "anna.amsel.aus.musterstadt@eine-lange-domain.example.org", superseded))
	anna.Inspect("person-link")
	anna.Press("E-Mail-Adresse bestätigen")
	anna.Inspect("person-emails-confirmed")
	anna.Open(superseded)
	anna.Inspect("person-link-superseded")
	anna.Open(w.Identity + "/confirm-email/nothing")
	anna.Inspect("person-link-unknown")
	anna.Open(w.Identity + "/account/emails/main")
	anna.Inspect("person-main")
	anna.Fill("Neue E-Mail-Adresse", "anna@example.org")
	anna.Press("Code senden")
	anna.Inspect("person-main-mistake")
	anna.Fill("Neue E-Mail-Adresse", "anna.neu@example.org")
	anna.Press("Code senden")
	anna.Open(w.Identity + "/account/emails")
	anna.Inspect("person-emails-asked")
	anna.In("eine-lange-domain").Press("Zur Haupt-Adresse machen")
	anna.Inspect("person-emails-changed")
	undo := link(t, mail(t, w, "anna@example.org", "7 Tage widerrufbar"), "/undo/")
	anna.Open(undo)
	anna.Inspect("person-undo")
	anna.Press("Änderung zurücknehmen")
	anna.Inspect("person-undone")
	anna.Open(undo)
	anna.Inspect("person-undo-used")
	anna.Open(w.Identity + "/undo/nothing")
	anna.Inspect("person-undo-unknown")
}

func galleryOfNames(t *testing.T, w *story.World) {
	lena, murat, clara := walks(t, w, "lena"), walks(t, w, "murat"), walks(t, w, "clara")
	clara.signIn()
	clara.Open(w.Identity + "/chamber/identities")
	clara.Inspect("person-identities-none")
	lena.signIn()
	lena.Open(w.Identity + "/account/profile")
	lena.Inspect("person-data-contract")
	lena.Follow("Namen korrigieren lassen")
	lena.proves(1)
	lena.Inspect("person-correct")
	lena.Press("Korrektur beantragen")
	lena.Inspect("person-correct-mistakes")
	lena.Fill("Vornamen", "Lena Marie")
	lena.Fill("Was soll anders sein?", "Im Vertrag steht mein zweiter Vorname Marie.")
	lena.Press("Korrektur beantragen")
	lena.Inspect("person-correct-sent")
	lena.Open(w.Identity + "/account/profile/edit")
	lena.Inspect("person-edit-contract")
	murat.signIn()
	murat.Open(w.Identity + "/account/profile/correction")
	murat.proves(1)
	murat.Fill("Nachname", "Yilmaz")
	murat.Fill("Was soll anders sein?", "Der Punkt fehlt.")
	murat.Press("Korrektur beantragen")
	clara.Open(w.Identity + "/chamber")
	clara.Inspect("person-desk")
	clara.Open(w.Identity + "/chamber/identities")
	clara.Inspect("person-identities")
	clara.Follow("Murat")
	late := walks(t, w, "clara")
	late.signIn()
	late.Open(clara.URL())
	clara.Press("Korrektur ablehnen")
	clara.Press("Ablehnen")
	clara.Inspect("person-identity-mistake")
	clara.Fill("Grund der Ablehnung", "Im Vertrag steht Yılmaz, mit ı ohne Punkt.")
	clara.Press("Ablehnen")
	late.Press("Namen so übernehmen")
	late.Inspect("person-identity-conflict")
	clara.Open(w.Identity + "/chamber/identities")
	clara.Follow("Lena")
	clara.Inspect("person-identity")
	clara.Press("Namen so übernehmen")
	clara.Open(w.Identity + "/chamber/identities?status=done")
	clara.Inspect("person-identities-done")
	clara.Follow("Lena")
	clara.Inspect("person-identity-approved")
	lena.Open(w.Identity + "/account/profile")
	lena.Inspect("person-data-approved")
	murat.Open(w.Identity + "/account/profile")
	murat.Inspect("person-data-refused")
}
