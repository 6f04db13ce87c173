package story_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/succession"
	"zunft/internal/story"
)

// surely proves who it is, where a page asks for it, and sends what was kept meanwhile.
func (p *person) surely() {
	p.t.Helper()
	p.sure()
	if p.Has("Ihre Eingaben sind noch da") {
		p.Press("Jetzt absenden")
	}
}

// queues puts a letter to the bakery's management into the next batch, as a clerk.
func queues(t *testing.T, w *story.World, bakery, kind string) {
	t.Helper()
	err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
		o, err := organization.Get(tx, bakery)
		if err != nil {
			return err
		}
		return letter.QueueKind(tx, audit.Console, o.Chamber, bakery, kind)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// newLetter is the text of the n-th batch at the print shop, and its last code.
func newLetter(t *testing.T, w *story.World, n int) (text, code string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	batches, err := w.Prints.Wait(ctx, n)
	if err != nil {
		t.Fatal("no letter at the print shop", err)
	}
	pages, err := batches[n-1].Text(ctx)
	if err != nil {
		t.Fatal(err)
	}
	text = strings.Join(pages, "\n")
	all := letterCode.FindAllString(text, -1)
	if len(all) == 0 {
		t.Fatalf("no code in\n%s", text)
	}
	return text, all[len(all)-1]
}

// Letters, sites and details as the people of the story meet them, without scripts:
// a returned envelope, a new organization password and its successor, a site, the
// company's own data, an account that the management revokes, and one that closes.
//
// R027 R065 R092 R093 R097 R102 R300
func TestLettersSitesDetails(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			w, pass := clocked(t, engine)
			bakery := oneID(t, w, `SELECT id FROM organization WHERE ident_number = '100017'`)
			home := w.Identity + "/organizations/" + bakery
			bert, clara, nora, greta := walks(t, w, "bert"), walks(t, w, "clara"), walks(t, w, "nora"), walks(t, w, "greta")
			bert.signIn()
			clara.signIn()
			nora.signIn()

			// The company says how it is reached; the desk sees where that differs (R065, R027).
			bert.Open(home)
			bert.Follow("Unternehmensdaten")
			bert.Fill("Bezeichnung im Portal", "Morgenrot")
			bert.Fill("Telefon", "0999 55")
			bert.Press("Speichern")
			bert.HasText("Die Angaben sind gespeichert.")
			bert.Open(home)
			bert.HasText("Morgenrot")
			clara.Open(w.Identity + "/chamber/deviations")
			clara.HasText("Bäckerei Morgenrot")

			// A site: asked, released (R300). Three clicks from the company's page, two at the desk.
			admin, desk := &clicks{person: bert}, &clicks{person: clara}
			admin.Follow("Standorte")
			bert.Fill("Name des Standorts", "Filiale Nord")
			bert.Fill("Straße", "Nordweg")
			bert.Fill("PLZ", "00999")
			bert.Fill("Ort", "Musterdorf")
			admin.Press("Zur Freigabe senden")
			bert.HasText("wird geprüft")
			clara.Open(w.Identity + "/chamber/sites")
			desk.In("Filiale Nord").Press("Freigeben")
			desk.n++
			clara.HasText("Der Standort ist freigegeben.")
			if admin.n != 2 || desk.n != 1 {
				t.Errorf("a site takes %d and %d clicks, want 2 and 1", admin.n, desk.n)
			}
			mail(t, w, "bert@example.org", "Ihr Standort ist freigegeben")

			// A new organization password goes to the management (R102), …
			bert.Open(home + "/succession")
			bert.Press("Neues Kennwort anfordern")
			bert.surely()
			bert.HasText("Das Kennwort ist angefordert")
			clara.Open(w.Identity + "/chamber/letters")
			clara.HasText("Organisationskennwort")
			clara.Press("1 Brief an die Druckerei geben")
			clara.surely()
			text, code := newLetter(t, w, 1)
			if !strings.Contains(text, "Geschäftsführung") || !strings.Contains(text, "Ihr neues Organisationskennwort") {
				t.Errorf("the letter:\n%s", text)
			}
			nowhereInDatabase(t, w.IdentityDB, strings.NewReplacer("-", "", " ", "").Replace(code))
			clara.Press("Als versandt markieren")
			// … comes back, is booked with four clicks, and goes out again (R093).
			reference := strings.Fields(text[strings.Index(text, "B-"):])[0]
			back := &clicks{person: clara}
			clara.Open(w.Identity + "/chamber/letters")
			clara.Fill("Brief zurückgekommen? Unser Zeichen", reference)
			back.Press("Suchen")
			back.Follow("Kam zurück")
			clara.Choose("Unbekannt verzogen")
			back.Press("Rückläufer buchen")
			clara.HasText("Der Rückläufer ist gebucht.")
			if back.n > 3 {
				t.Errorf("booking returned mail takes %d clicks", back.n)
			}
			clara.Open(w.Identity + "/chamber/letters/returned")
			clara.Press("Neuen Brief vormerken")
			clara.Open(w.Identity + "/chamber/letters")
			clara.Press("1 Brief an die Druckerei geben")
			clara.surely()
			_, code = newLetter(t, w, 2)
			// The management gave it to Nora; Bert reads about it and she is in after seven days (R097).
			nora.Open(w.Identity + "/organizations/activate")
			nora.Fill("Identnummer", "100017")
			nora.Fill("Kammernummer", "999")
			nora.Fill("Passwort", strings.ToLower(code))
			nora.Press("Aktivieren")
			nora.HasText("Das Organisationskennwort ist angekommen")
			bert.Open(link(t, mail(t, w, "bert@example.org", "Neue Administration"), "/succession"))
			bert.HasText("Nora Nagel soll die Administration werden")
			pass(succession.Wait + time.Minute)
			if err := succession.CarryOut(t.Context(), w.IdentityDB); err != nil {
				t.Fatal(err)
			}
			mail(t, w, "nora@example.org", "Sie verwalten jetzt ein Unternehmen")
			nora.signIn()
			nora.Open(home + "/close")

			// Nora closes the account, and keeps it.
			nora.Choose("Ja, ich möchte das Konto von")
			nora.Press("Konto schließen")
			nora.surely()
			nora.HasText("Das Konto wird geschlossen.")
			mail(t, w, "bert@example.org", "wird geschlossen")
			nora.Press("Konto behalten")
			nora.HasText("Das Konto bleibt bestehen.")

			// The management revokes what it did not want: no account, one field, two buttons (R092).
			queues(t, w, bakery, letter.Revocation)
			clara.signIn()
			clara.Open(w.Identity + "/chamber/letters")
			clara.Press("1 Brief an die Druckerei geben")
			clara.proves(2) // a week later
			clara.Press("Jetzt absenden")
			text, code = newLetter(t, w, 3)
			if !strings.Contains(text, "Ihr Widerrufscode") {
				t.Errorf("the letter:\n%s", text)
			}
			hand := &clicks{person: greta}
			greta.Open(w.Identity + "/revoke")
			greta.Fill("Widerrufscode", code)
			hand.Press("Weiter")
			greta.HasText("Bäckerei Morgenrot")
			hand.Press("Konto sperren")
			greta.HasText("ist gesperrt")
			if hand.n != 2 {
				t.Errorf("revoking takes %d clicks", hand.n)
			}
			mail(t, w, "nora@example.org", "wurde widerrufen")
		})
	}
}

// zbar reads the codes of a PDF's pages as a phone would.
func zbar(t *testing.T, pdf []byte) string {
	t.Helper()
	for _, tool := range []string{"pdftoppm", "zbarimg"} {
		if _, err := exec.LookPath(tool); err != nil {
			dbtest.Unavailable(t, tool+" is needed to read the codes of a letter")
		}
	}
	dir := t.TempDir()
	render := exec.Command("pdftoppm", "-r", "300", "-png", "-", filepath.Join(dir, "page"))
	render.Stdin = strings.NewReader(string(pdf))
	if out, err := render.CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	pages, _ := filepath.Glob(filepath.Join(dir, "*.png"))
	out, err := exec.Command("zbarimg", append([]string{"--quiet", "--nodbus", "--raw"}, pages...)...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 4 {
		t.Errorf("of %d pages one has no code: each letter is one page", len(pages))
	} else if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// Every page and state of letters, sites and details.
func TestGalleryLetters(t *testing.T) {
	t.Parallel() // they meet nobody: two look at once, on two cores
	w := start(t, "sqlite", story.Options{})
	bakery := oneID(t, w, `SELECT id FROM organization WHERE ident_number = '100017'`)
	home := w.Identity + "/organizations/" + bakery
	bert, clara, lena, nora, greta := walks(t, w, "bert"), walks(t, w, "clara"), walks(t, w, "lena"), walks(t, w, "nora"), walks(t, w, "greta")
	for _, p := range []*person{bert, clara, lena, nora} {
		p.signIn()
	}
	look := func(p *person, name, address string) {
		t.Helper()
		p.Open(address)
		p.Inspect("letters-" + name)
	}
	look(bert, "details-new", home+"/details")
	bert.Fill("PLZ", "12")
	bert.Fill("E-Mail-Adresse", "ohne")
	bert.Fill("Internetadresse", "keine")
	bert.Press("Speichern")
	bert.Inspect("letters-details-mistakes")
	bert.Open(home + "/details")
	for field, value := range map[string]string{"Bezeichnung im Portal": "Morgenrot", "Straße": "Ofenweg", "Hausnummer": "2", "PLZ": "00999", "Ort": "Musterdorf", "Telefon": "0999 55", "E-Mail-Adresse": "info@morgenrot.example", "Internetadresse": "www.morgenrot.example"} {
		bert.Fill(field, value)
	}
	bert.Press("Speichern")
	bert.Inspect("letters-details-saved")
	look(lena, "details-member", home+"/details")
	look(bert, "card", home)
	look(clara, "deviations", w.Identity+"/chamber/deviations")

	look(bert, "sites-none", home+"/sites")
	bert.Press("Zur Freigabe senden")
	bert.Inspect("letters-sites-mistakes")
	for i, name := range []string{"Filiale Nord", "Ausbildungswerkstatt in der Donaudampfschifffahrtsgesellschaftsstraße", "Filiale West"} {
		bert.Open(home + "/sites")
		bert.Fill("Name des Standorts", name)
		bert.Fill("Straße", "Nordweg")
		bert.Fill("PLZ", "00999")
		bert.Fill("Ort", "Musterdorf")
		if i == 1 {
			bert.Fill("Identnummer der Niederlassung", "100025")
		}
		bert.Press("Zur Freigabe senden")
	}
	look(clara, "site-queue", w.Identity+"/chamber/sites")
	clara.In("Filiale Nord").Press("Freigeben")
	clara.In("Filiale West").Follow("Nicht freigeben")
	clara.Press("Nicht freigeben")
	clara.Inspect("letters-site-refuse-mistake")
	clara.Fill("Grund", "Unter dieser Anschrift ist uns kein Betrieb bekannt. Teilen Sie uns mit, seit wann es ihn gibt.")
	clara.Press("Nicht freigeben")
	clara.Inspect("letters-site-refused")
	look(bert, "sites", home+"/sites")
	clara.In("Ausbildungswerkstatt in der Donaudampfschifffahrtsgesellschaftsstraße").Press("Freigeben")
	clara.Inspect("letters-site-queue-empty")

	look(bert, "succession", home+"/succession")
	bert.Press("Neues Kennwort anfordern")
	bert.surely()
	bert.Inspect("letters-succession-queued")
	queues(t, w, bakery, letter.Revocation)
	look(clara, "queue", w.Identity+"/chamber/letters")
	clara.Press("2 Briefe an die Druckerei geben")
	clara.surely()
	text, revocation := newLetter(t, w, 1)
	clara.Inspect("letters-batch")
	_, sheet := clara.Download("Begleitliste (PDF)")
	if !strings.Contains(onPaper(t, sheet), "Begleitliste") {
		t.Error("the cover sheet")
	}
	batches, err := w.Prints.Wait(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	// What a phone reads from the pictures: the pages where codes are typed, and no code.
	if got, want := strings.Fields(zbar(t, batches[0].PDF)), []string{w.Identity + "/organizations/activate", w.Identity + "/revoke"}; !slices.Equal(got, want) {
		t.Errorf("the QR codes hold %q, want %q", got, want)
	}
	clara.Press("Als versandt markieren")
	clara.Inspect("letters-batch-dispatched")
	clara.In("Organisationskennwort").Follow("Kam zurück")
	clara.Press("Rückläufer buchen")
	clara.Inspect("letters-returned-mistake")
	clara.Choose("Annahme verweigert")
	clara.Press("Rückläufer buchen")
	clara.Inspect("letters-batch-returned")
	look(clara, "returned", w.Identity+"/chamber/letters/returned")
	look(clara, "find-unknown", w.Identity+"/chamber/letters?find=B-3333-333")
	look(bert, "succession-returned", home+"/succession")

	code := letterCode.FindString(text)
	if r, _ := as(t, w, "nora").post(w.Identity+"/organizations/activate", url.Values{"ident_number": {"100017"}, "chamber_number": {"999"}, "code": {code}}); r.StatusCode == http.StatusSeeOther {
		t.Error("a returned code works")
	}
	clara.Open(w.Identity + "/chamber/letters/returned")
	clara.Press("Neuen Brief vormerken")
	look(clara, "returned-none", w.Identity+"/chamber/letters/returned")
	clara.Open(w.Identity + "/chamber/letters")
	clara.Press("1 Brief an die Druckerei geben")
	clara.surely()
	_, code = newLetter(t, w, 2)
	nora.Open(w.Identity + "/organizations/activate")
	nora.Fill("Identnummer", "100017")
	nora.Fill("Kammernummer", "999")
	nora.Fill("Passwort", code)
	nora.Press("Aktivieren")
	nora.Inspect("letters-succession-waits")
	look(bert, "succession-pending", home+"/succession")
	bert.Press("Einwand senden")
	bert.Inspect("letters-succession-objection-mistake")
	bert.Fill("Einwand", "Frau Nagel ist bei uns nicht bekannt.")
	bert.Press("Einwand senden")
	bert.Inspect("letters-succession-objected")
	look(clara, "successions", w.Identity+"/chamber/successions")
	clara.Follow("Ablehnen")
	clara.Inspect("letters-succession-stop")
	clara.Fill("Grund", "Die Geschäftsführung weiß davon nichts.")
	clara.Press("Ablehnen")
	clara.Inspect("letters-successions-empty")

	look(bert, "close", home+"/close")
	bert.Press("Konto schließen")
	bert.Inspect("letters-close-mistake")
	bert.Choose("Ja, ich möchte das Konto von")
	bert.Press("Konto schließen")
	bert.Inspect("letters-closing")
	look(bert, "card-closing", home)
	bert.Follow("Schließen zurücknehmen")
	bert.Press("Konto behalten")

	look(greta, "revoke", w.Identity+"/revoke")
	greta.Fill("Widerrufscode", "ABC")
	greta.Press("Weiter")
	greta.Inspect("letters-revoke-mistake")
	greta.Fill("Widerrufscode", revocation)
	greta.Press("Weiter")
	greta.Inspect("letters-revoke-check")
	greta.Press("Konto sperren")
	greta.Inspect("letters-revoked")
	look(bert, "card-locked", home)
	look(greta, "revoke-english", w.Identity+"/revoke?lang=en")
	look(bert, "details-english", home+"/details?lang=en")
}
