package story_test

import (
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/story"
	"zunft/internal/training/calendar"
)

// silentWeeks lets Lena have learned for weeks without a report, and the
// portal have been down the day before yesterday.
func silentWeeks(t *testing.T, w *story.World, weeks int) {
	t.Helper()
	err := w.TrainingDB.Write(t.Context(), func(tx *db.Tx) error {
		lena, err := db.Value[string](tx, `SELECT sub FROM person WHERE email = 'lena@example.org'`)
		if err != nil {
			return err
		}
		start := calendar.Today(tx.Now()).Add(-7 * weeks)
		for _, q := range []struct {
			query string
			args  []any
		}{
			{`DELETE FROM report WHERE apprentice = $1`, []any{lena}},
			{`DELETE FROM apprenticeship WHERE person = $1`, []any{lena}},
			{`UPDATE company_role SET since = $2 WHERE person = $1`, []any{lena, db.At(start.Time())}},
			{`INSERT INTO apprenticeship (id, person, company, name_key, starts_on, source, created_at, changed_at) SELECT 'silent', person, company, 'x', $2, 'company', $3, $3 FROM company_role WHERE person = $1 LIMIT 1`, []any{lena, start, tx.Now()}},
			{`INSERT INTO outage (id, from_at, until_at) VALUES ('o', $1, $2)`, []any{tx.Now().Add(-50 * 3600e9), tx.Now().Add(-44 * 3600e9)}},
		} {
			if _, err := tx.Exec(q.query, q.args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// R323, R324: when people are reminded is chosen without scripts, in two taps.
func TestRemindersAreChosen(t *testing.T) {
	t.Parallel()
	w := start(t, "sqlite", story.Options{})
	lena := onPhone(t, w, "lena")
	lena.Open(w.Training + "/settings")
	lena.Follow("Erinnerungen")
	lena.Fill("Wochentag", "Montag")
	lena.Press("Speichern")
	lena.HasText("Gespeichert.")
}

// Every page and state of the reminders: axe, light and dark, 320 pixels.
func TestGalleryBookReminders(t *testing.T) {
	t.Parallel() // they meet nobody: two look at once, on two cores
	w := start(t, "sqlite", story.Options{})
	lena, murat, bert := onPhone(t, w, "lena"), onPhone(t, w, "murat"), onPhone(t, w, "bert")
	lena.Open(w.Training + "/settings/reminders")
	lena.Inspect("reminders-writing")
	silentWeeks(t, w, 3)
	lena.Open(w.Training + "/")
	lena.HasText("Sie haben seit dem")
	lena.Inspect("reminders-silence")
	lena.Open(w.Training + "/settings/reminders")
	lena.HasText("länger nicht erreichbar")
	lena.Press("Adresse für den Kalender holen")
	lena.Inspect("reminders-calendar")

	murat.Open(w.Training + "/settings/reminders")
	murat.Inspect("reminders-reviewing")
	bert.Open(w.Training + "/company/reminders")
	bert.Inspect("reminders-company")
}
