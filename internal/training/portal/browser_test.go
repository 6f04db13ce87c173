package portal_test

import (
	"testing"

	"zunft/internal/ground/browser"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/schema"
)

// Every page as people see it, with scripts off (R230, R304–R306): no
// violation found by axe in light and dark, no sideways scrolling at 320 px.
func TestPagesInABrowser_R230(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	anna := w.comes(claims("anna", "Anna", "Muster", "Morgenrot GmbH", "apprentice"))
	emil := w.comes(claims("emil", "Emil", "Neumann", "Morgenrot GmbH", "apprentice"))
	bert := w.comes(claims("bert", "Bert", "Meister", "Morgenrot GmbH", "trainer"))

	b := browser.New(t, browser.Options{Width: 360})
	at := w.server.URL
	b.Open(at + "/")
	b.HasText("Anmelden mit Kammerkonto")
	b.Inspect("training/start")
	b.Open(at + "/help")
	b.Inspect("training/help")
	b.Open(at + "/oidc/callback?state=fremd")
	b.Inspect("training/stopped")

	b.Open(at + "/cookie/" + anna.token)
	b.Inspect("training/board-first")
	b.Open(at + "/reports/2026-W45")
	b.Fill("Betriebliche Tätigkeiten", "Backstube aufgeräumt")
	b.Press("Speichern")
	b.Open(at + "/reports/2026-W46")
	b.Fill("Betriebliche Tätigkeiten", "Mehl geliefert bekommen und eingelagert, Roggenteige angesetzt, Sauerteig gepflegt.")
	b.Press("Prüfen und einreichen")
	b.Press("Jetzt einreichen")
	b.HasText("Eingereicht")
	b.Open(at + "/")
	b.Inspect("training/board")
	b.Follow("Woche 47 schreiben und einreichen")
	b.Inspect("training/edit")
	b.Fill("Betriebliche Tätigkeiten", "Brötchen")
	b.Press("Tage, Ort und Stunden")
	b.Inspect("training/edit-days")
	b.Press("Prüfen und einreichen")
	b.Inspect("training/check")
	b.Press("Jetzt einreichen")
	b.Inspect("training/submitted")
	b.Follow("Nachweis ansehen")
	b.Inspect("training/read")
	b.Open(at + "/reports")
	b.Inspect("training/year")

	check := emil.follow("/reports/2026-W47", "version", "0", "do", "check", "work", "Teig geknetet", "d1_attendance", "company", "d1_text", "Teig", "d2_attendance", "school")
	emil.follow("/reports/2026-W47/submit", "version", check.version())

	b.Open(at + "/cookie/" + bert.token)
	b.Inspect("training/board-trainer")
	b.Open(at + "/reviews")
	b.Inspect("training/reviews")
	b.Follow("Emil Neumann, Woche 47")
	b.Inspect("training/review")
	b.Press("Zurückgeben oder Bemerkung")
	b.Press("Zurückgeben")
	b.HasText("Schreiben Sie, was noch anders werden soll")
	b.Inspect("training/review-failed")
	b.Fill("Bemerkung", "Welche Teige waren es?")
	b.Press("Zurückgeben")
	b.HasText("ist zurückgegeben")
	b.Press("Abzeichnen und weiter")
	b.HasText("ist abgezeichnet")
	b.Press("Abzeichnen")
	b.HasText("Keine offenen Nachweise")
	b.Inspect("training/reviews-empty")
	b.Open(at + "/trainees")
	b.Inspect("training/trainees")
	b.Follow("Anna Muster")
	b.Inspect("training/trainee")
	b.Follow("Woche 47")
	b.Inspect("training/review-done")

	b.Open(at + "/cookie/" + emil.token)
	b.Follow("Woche 47 überarbeiten")
	b.HasText("Welche Teige waren es?")
	b.Inspect("training/edit-returned")
	emil.follow("/reports/2026-W47", "version", emil.get("/reports/2026-W47").version(), "do", "save", "work", "Auf dem Telefon geändert")
	b.Fill("Betriebliche Tätigkeiten", "Auf dem Rechner geändert")
	b.Press("Speichern")
	b.HasText("Sie sehen beide Fassungen")
	b.Inspect("training/edit-both")
}

// The pages for who signs with a PIN (S45, R304), on a phone.
func TestSupervisorInABrowser_R329(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	anna := w.comes(claims("anna", "Anna", "Muster", "Morgenrot GmbH", "apprentice"))
	anna.submitTo("2026-W45", "Backstube aufgeräumt", "petra.paulsen@muehle.example").is(303)
	anna.submitTo("2026-W46", "Roggenteige angesetzt und Sauerteig gepflegt", "petra.paulsen@muehle.example").is(303)
	pin := pinOf(w.mails("petra.paulsen@muehle.example")[0])

	b := browser.New(t, browser.Options{Width: 360})
	at := w.server.URL
	b.Open(at + "/supervisor")
	b.Inspect("training/pin")
	b.Follow("PIN nicht zur Hand?")
	b.Inspect("training/pin-new")
	b.Open(at + "/supervisor")
	b.Fill("E-Mail-Adresse", "petra.paulsen@muehle.example")
	b.Fill("PIN", "0000")
	b.Press("Anmelden")
	b.HasText("passen nicht zusammen")
	b.Inspect("training/pin-failed")
	b.Fill("PIN", pin)
	b.Press("Anmelden")
	b.HasText("Ihre Nachweise")
	b.Inspect("training/pin-list")
	b.Follow("Anna Muster, Woche 45")
	b.Inspect("training/pin-report")
	b.Press("Abzeichnen und weiter")
	b.HasText("Woche 45 von Anna Muster ist abgezeichnet")
	b.HasText("Anna Muster, Woche 46") // the next one, at once
	b.Press("Zurückgeben oder Bemerkung")
	b.Press("Zurückgeben")
	b.HasText("Schreiben Sie, was noch anders werden soll")
	b.Fill("Bemerkung", "Welche Mengen waren es?")
	b.Press("Zurückgeben")
	b.HasText("Keine offenen Nachweise")
	b.Inspect("training/pin-list-done")
	b.Follow("Anna Muster, Woche 45")
	b.Inspect("training/pin-report-done")
	b.Press("Abmelden")
	b.HasText("Sie sind abgemeldet")

	b.Open(at + "/cookie/" + anna.token)
	b.Open(at + "/reports/2026-W46")
	b.Press("Prüfen und einreichen")
	b.Inspect("training/check-approver")
}
