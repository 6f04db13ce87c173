package story_test

import (
	"bytes"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/ground/dbtest"
	"zunft/internal/story"
)

var caseNumber = regexp.MustCompile(`W-[0-9A-Z]{4}-[0-9A-Z]{3}`)

// clocked is a world whose clock goes on when told to.
func clocked(t *testing.T, engine string) (*story.World, func(time.Duration)) {
	var ahead atomic.Int64
	w := start(t, engine, story.Options{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	return w, func(d time.Duration) { ahead.Add(int64(d)) }
}

// onPaper reads a PDF.
func onPaper(t *testing.T, pdf []byte) string {
	t.Helper()
	if _, err := exec.LookPath("pdftotext"); err != nil {
		dbtest.Unavailable(t, "pdftotext (poppler-utils) is needed to read the letter")
	}
	cmd := exec.Command("pdftotext", "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("pdftotext: %v", err)
	}
	return string(out)
}

// asks is what Lena types who has lost everything; it returns the case number.
func (p *person) asks(login string) string {
	p.t.Helper()
	p.Open(p.w.Identity + "/recover")
	p.Choose("Nichts davon")
	p.Press("Weiter")
	p.Fill("Vorname", "Lena")
	p.Fill("Nachname", "Lerche")
	p.Fill("Wie erreicht Sie die Kammer?", "0999 4711")
	p.Fill("E-Mail-Adresse oder Benutzername des Kontos", login)
	p.Press("Antrag senden")
	p.HasText("Ihr Antrag ist eingegangen")
	number := caseNumber.FindString(p.Text())
	if number == "" {
		p.t.Fatal("no case number on the page")
	}
	return number
}

// atTheDesk is Clara at another browser, who has just proved that it is her.
func atTheDesk(t testing.TB, w *story.World) *visitor {
	t.Helper()
	clara := as(t, w, "clara")
	proved(t, w)
	return clara
}

// approves is what Clara does with it at the desk.
func (p *person) approves(number, evidence string) {
	p.t.Helper()
	p.Open(p.w.Identity + "/chamber")
	p.Follow("Wiederherstellungen")
	p.HasText(number)
	p.Follow("Lena Lerche")
	p.Press("Ja, Konto zuordnen")
	p.Choose(evidence)
	if evidence == "Brief an die bekannte Anschrift" {
		p.Fill("Anschrift für den Brief", "Lena Lerche\nLerchenweg 4\n00999 Musterstadt")
	}
	p.Press("Freigeben, Wartezeit beginnen")
	p.surely()
	p.HasText("Die Wartezeit läuft")
}

// Task 10 of ux.md, in a browser with scripts off: everything is lost, the
// chamber gives the account back by letter, after 72 hours in which every old
// channel was told (R044, ASVS 6.4.3, 6.4.6).
func TestRecoveryWithTheChamber(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			w, later := clocked(t, engine)
			lena, clara := walks(t, w, "lena"), walks(t, w, "clara")
			number := lena.asks("lena.lerche")
			lena.HasText("Das bringen Sie mit")
			_, sheet := lena.Download("Merkblatt drucken")
			if text := onPaper(t, sheet); !strings.Contains(text, number) || !strings.Contains(text, "Personalausweis") || !strings.Contains(text, "0999 1234-0") {
				t.Error("the sheet lacks number, what to bring or where to go:\n", text)
			}
			clara.signIn()
			clara.approves(number, "Brief an die bekannte Anschrift")
			mail(t, w, "lena@example.org", "Wiederherstellung Ihres Kontos beantragt")
			cancel := link(t, mail(t, w, "lena@example.org", "Ihr Konto wird wiederhergestellt"), "/cancel/")
			clara.HasText("Brief mit Code drucken")
			_, paper := atTheDesk(t, w).post(clara.URL(), url.Values{"do": {"print"}}) // saved, not shown
			text := onPaper(t, []byte(paper))
			code := letterCode.FindString(text)
			if code == "" || !strings.Contains(text, "Lerchenweg 4") || !strings.Contains(text, number) {
				t.Fatal("no letter with address, number and code:\n", text)
			}
			nowhereInDatabase(t, w.IdentityDB, strings.NewReplacer("-", "", " ", "").Replace(code))

			lena.Reload()
			lena.HasText("Bis dahin kann widersprechen")
			lena.LacksText("Code von der Kammer")
			later(73 * time.Hour)

			// At another computer: number and name, then the code.
			home := walks(t, w, "lena")
			home.Open(w.Identity + "/recover/" + number)
			home.Fill("Nachname", "Lärche")
			home.Press("Vorgang öffnen")
			home.HasText("finden wir keinen Vorgang")
			home.Fill("Nachname", "lerche")
			home.Press("Vorgang öffnen")
			home.Fill("Code von der Kammer", "AAAA-AAAA-AAAA")
			home.Press("Weiter")
			home.HasText("Noch 4 Versuche")
			home.Fill("Code von der Kammer", strings.ToLower(code))
			home.Press("Weiter")
			home.Fill("Neue E-Mail-Adresse", "lena.neu@example.org")
			home.Fill("Neues Passwort", "kurz")
			home.Fill("Neues Passwort wiederholen", "kurz")
			home.Press("Weiter")
			home.HasText("mindestens 12 Zeichen")
			home.Fill("Neues Passwort", "Roggen Dinkel Emmer 8")
			home.Fill("Neues Passwort wiederholen", "Roggen Dinkel Emmer 8")
			home.Press("Weiter")
			home.Fill("Code aus der E-Mail", sixDigits.FindString(mail(t, w, "lena.neu@example.org", "Bestätigungscode").Text))
			home.Press("Zugang wiederherstellen")
			home.HasText("Ihr Zugang ist wiederhergestellt")

			mail(t, w, "lena.neu@example.org", "Ihr Zugang ist wiederhergestellt")
			mail(t, w, "lena@example.org", "Ihr Konto hat eine neue E-Mail-Adresse")
			home.Open(cancel)
			home.HasText("rufen Sie sofort Ihre Kammer an") // too late to cancel
			home.Open(w.Identity + "/login")
			home.Fill("Benutzername", "lena.neu@example.org")
			home.Fill("Passwort", "Roggen Dinkel Emmer 8")
			home.Press("Anmelden")
			home.HasText("Abmelden")
			clara.signIn()
			clara.Open(w.Identity + "/chamber/recoveries?status=done")
			clara.HasText("Wiederhergestellt")
		})
	}
}

// Every page and state of the way, looked at.
func TestGalleryRecovery(t *testing.T) {
	t.Parallel() // they meet nobody: two look at once, on two cores
	w, later := clocked(t, "sqlite")
	lena, clara := walks(t, w, "lena"), walks(t, w, "clara")
	lena.Open(w.Identity + "/recover")
	lena.Inspect("recover-start")
	for _, have := range []string{"code", "device", "mail"} {
		lena.Open(w.Identity + "/recover?have=" + have)
		lena.Inspect("recover-have-" + have)
	}
	lena.Open(w.Identity + "/recover/W-AAAA-AAA")
	lena.Inspect("recover-elsewhere")
	lena.Press("Vorgang öffnen")
	lena.Inspect("recover-elsewhere-mistakes")
	lena.Open(w.Identity + "/recover/assisted")
	lena.Inspect("recover-assisted")
	lena.Press("Antrag senden")
	lena.Inspect("recover-assisted-mistakes")
	lena.Open(w.Identity + "/recover/assisted?lang=en")
	lena.Inspect("recover-assisted-english")
	lena.Open(w.Identity + "/recover?lang=de")
	number := lena.asks("lena@example.org")
	lena.Inspect("recover-submitted")
	lena.Open(w.Identity + "/recover")
	lena.Inspect("recover-start-asked")
	clara.signIn()
	clara.Open(w.Identity + "/chamber/recoveries")
	clara.Inspect("recover-desk-list")
	clara.Open(w.Identity + "/chamber/recoveries?status=waiting")
	clara.Inspect("recover-desk-empty")
	clara.Open(w.Identity + "/chamber/recoveries")
	clara.Follow("Lena Lerche")
	clara.Inspect("recover-desk-found")
	clara.Press("Anderes Konto suchen")
	clara.Fill("E-Mail-Adresse, Benutzername oder Nummer", "niemand")
	clara.Press("Suchen")
	clara.Inspect("recover-desk-nobody")
	clara.Fill("E-Mail-Adresse, Benutzername oder Nummer", "otto.ostermann")
	clara.Press("Suchen")
	clara.Inspect("recover-desk-staff")
	clara.Follow("Lena Lerche")
	clara.Press("Ja, Konto zuordnen")
	clara.Inspect("recover-desk-matched")
	clara.Press("Freigeben, Wartezeit beginnen")
	clara.surely()
	clara.Inspect("recover-desk-mistake")
	clara.Choose("Ausweis in der Kammer gesehen")
	clara.Press("Freigeben, Wartezeit beginnen")
	clara.surely()
	clara.Inspect("recover-desk-approved")
	at := clara.URL()
	lena.Open(w.Identity + "/recover/" + number)
	lena.Inspect("recover-wait")
	cancel := link(t, mail(t, w, "lena@example.org", "Ihr Konto wird wiederhergestellt"), "/cancel/")
	other := walks(t, w, "stranger")
	other.Open(cancel)
	other.Inspect("recover-cancel")
	later(73 * time.Hour)
	lena.Reload()
	lena.Inspect("recover-no-paper")
	_, paper := atTheDesk(t, w).post(at, url.Values{"do": {"print"}})
	lena.Reload()
	lena.Inspect("recover-code")
	lena.Press("Weiter")
	lena.Inspect("recover-code-missing")
	lena.Fill("Code von der Kammer", letterCode.FindString(strings.ReplaceAll(onPaper(t, []byte(paper)), number, "")))
	lena.Press("Weiter")
	lena.Inspect("recover-choose")
	lena.Press("Weiter")
	lena.Inspect("recover-choose-mistakes")
	lena.Fill("Neue E-Mail-Adresse", "lena.neu@example.org")
	lena.Fill("Neues Passwort", "Roggen Dinkel Emmer 8")
	lena.Fill("Neues Passwort wiederholen", "Roggen Dinkel Emmer 8")
	lena.Press("Weiter")
	lena.Inspect("recover-confirm")
	lena.Press("Zugang wiederherstellen")
	lena.Inspect("recover-confirm-mistake")
	lena.Press("Andere E-Mail-Adresse")
	lena.Inspect("recover-choose-again")
	lena.Open(w.Identity + "/recover/" + number)
	lena.Fill("Code aus der E-Mail", sixDigits.FindString(mail(t, w, "lena.neu@example.org", "Bestätigungscode").Text))
	lena.Press("Zugang wiederherstellen")
	lena.Inspect("recover-done")
	other.Open(cancel)
	other.Inspect("recover-cancel-late")

	// Another one is cancelled, a third refused.
	number = lena.asks("lena.neu@example.org")
	clara.signIn()
	clara.approves(number, "Brief an die bekannte Anschrift")
	clara.Inspect("recover-desk-letter")
	other.Open(link(t, mail(t, w, "lena.neu@example.org", "Ihr Konto wird wiederhergestellt"), "/cancel/"))
	other.Press("Abbrechen, das war ich nicht")
	other.Inspect("recover-cancelled")
	lena.Open(w.Identity + "/recover/" + number)
	lena.Inspect("recover-status-cancelled")
	number = lena.asks("gibt.es.nicht")
	clara.Open(w.Identity + "/chamber/recoveries")
	clara.Follow("Lena Lerche")
	clara.Inspect("recover-desk-none")
	clara.Press("Antrag ablehnen")
	clara.Press("Ablehnen")
	clara.Inspect("recover-desk-refuse-mistake")
	clara.Fill("Grund der Ablehnung", "Zu diesen Angaben finden wir kein Konto. Rufen Sie uns an.")
	clara.Press("Ablehnen")
	clara.Open(w.Identity + "/chamber/recoveries?status=done")
	clara.Inspect("recover-desk-done")
	lena.Open(w.Identity + "/recover/" + number)
	lena.Inspect("recover-refused")
	clara.Open(w.Identity + "/chamber")
	clara.Inspect("recover-desk-start")
	clara.Open(w.Identity + "/chamber/audit")
	clara.Inspect("recover-desk-audit")
}
