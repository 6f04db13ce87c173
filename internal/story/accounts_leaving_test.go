package story_test

import (
	"testing"

	"zunft/internal/identity/policy"
	"zunft/internal/story"
)

// Every page and state of leaving, sessions, history and notices (axe, 320 px, pictures).
func TestGalleryLeaving(t *testing.T) {
	c := &clock{}
	w := start(t, "sqlite", story.Options{Now: c.now, Policy: rule(t, func(*policy.Policy) {})})
	t.Run("sessions", func(t *testing.T) { t.Parallel(); galleryOfSessions(t, w) })
	t.Run("data", func(t *testing.T) { t.Parallel(); galleryOfData(t, w) })
	t.Run("lock", func(t *testing.T) { t.Parallel(); galleryOfLock(t, w) })
	t.Run("delete", func(t *testing.T) { t.Parallel(); galleryOfDelete(t, w) })
}

func galleryOfSessions(t *testing.T, w *story.World) {
	lena := walks(t, w, "lena")
	lena.signIn()
	lena.Open(w.Identity + "/account/sessions")
	lena.Inspect("leaving-sessions-one")
	lena.Open(w.Identity + "/account/apps")
	lena.Inspect("leaving-apps-none")
	lena.Open(w.Training + "/reports")
	other := walks(t, w, "lena")
	other.signIn()
	lena.Open(w.Identity + "/account/sessions")
	lena.Inspect("leaving-sessions")
	lena.Open(w.Identity + "/account/apps")
	lena.Inspect("leaving-apps")
	lena.Open(w.Identity + "/account/activity")
	lena.Inspect("leaving-activity")
	lena.Open(w.Identity + "/account/notifications")
	lena.Inspect("leaving-choices")
	lena.Unchoose("Eigene Anfragen und Mitgliedschaften")
	lena.Press("Speichern")
	lena.Inspect("leaving-choices-saved")
	lena.Open(w.Identity + "/notifications")
	lena.Inspect("leaving-bell")
	for _, page := range []string{"sessions", "activity", "notifications", "apps"} {
		lena.Open(w.Identity + "/account/" + page + "?lang=en")
		lena.Inspect("leaving-english-" + page)
	}
	lena.Open(w.Identity + "/account/sessions?lang=de")
	lena.Press("Alle anderen Geräte abmelden")
	lena.Inspect("leaving-sessions-ended")
}

func galleryOfData(t *testing.T, w *story.World) {
	murat := walks(t, w, "murat")
	murat.signIn()
	murat.Open(w.Identity + "/account/data")
	murat.Inspect("leaving-data")
	murat.Press("Daten zusammenstellen")
	murat.Inspect("leaving-data-asked")
	mail(t, w, "murat@example.org", "Datenexport")
	murat.Open(w.Identity + "/account/data")
	murat.Inspect("leaving-data-ready")
	murat.Follow("Daten vom")
	murat.proves(1)
	murat.HasText("Mitgliedschaften")
	murat.Inspect("leaving-dossier")
	murat.Open(murat.URL() + "?lang=en")
	murat.Inspect("leaving-english-dossier")
}

func galleryOfLock(t *testing.T, w *story.World) {
	nora := walks(t, w, "nora")
	nora.signIn()
	nora.Open(w.Identity + "/account/lock")
	nora.Inspect("leaving-lock")
	nora.Press("Konto sperren")
	nora.Inspect("leaving-locked")
	nora.Press("Link anfordern")
	nora.Inspect("leaving-unlock-mistake")
	nora.Fill("Benutzername oder E-Mail-Adresse", "nora.nagel")
	nora.Press("Link anfordern")
	nora.Inspect("leaving-unlock-sent")
	nora.Open(link(t, mail(t, w, "nora@example.org", "Ihr Konto ist gesperrt"), "/report-activity/"))
	nora.Inspect("leaving-report")
	report := nora.URL()
	nora.Press("Konto jetzt sichern")
	nora.Inspect("leaving-report-password")
	nora.Open(report)
	nora.Inspect("leaving-report-used")
	nora.Open(w.Identity + "/report-activity/nothing?lang=en")
	nora.Inspect("leaving-english-report-unknown")
}

func galleryOfDelete(t *testing.T, w *story.World) {
	bert := walks(t, w, "bert")
	bert.signIn()
	bert.Open(w.Identity + "/account/delete")
	bert.Inspect("leaving-delete-last-admin")
	frida := walks(t, w, "frida")
	frida.signIn()
	frida.Open(w.Identity + "/account/delete")
	frida.Inspect("leaving-delete")
	frida.Press("Konto löschen")
	frida.Inspect("leaving-delete-mistake")
	frida.Choose("Ja, ich möchte mein Konto löschen.")
	frida.Press("Konto löschen")
	frida.proves(1)
	frida.Inspect("leaving-delete-parked")
	frida.Press("Jetzt absenden")
	frida.Inspect("leaving-delete-going")
	frida.Open(link(t, mail(t, w, "frida@example.org", "Ihr Konto wird am"), "/keep/"))
	frida.Inspect("leaving-keep")
	keep := frida.URL()
	frida.signIn()
	frida.Inspect("leaving-keep-signing-in")
	frida.Press("Konto behalten und weiter")
	frida.Open(keep)
	frida.Inspect("leaving-keep-over")
	frida.Open(w.Identity + "/keep/nothing?lang=en")
	frida.Inspect("leaving-english-keep-unknown")
}
