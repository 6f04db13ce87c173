package portal_test

import (
	"regexp"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/schema"
)

// R313, R317, R319, R320, R321: who comes in the second year enters the paper
// time as one report with the proposed texts; the trainer confirms that the
// book was kept on paper; from then on weeks have seven days. R322: what was
// written with a word processor counts the same, and the page says so.
func TestPaperTimeThroughThePages_R317(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		bert := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer"))
		p := anna.get("/reports/backfill").is(200).has("Ausbildungsnachweise sind schriftlich geführt worden",
			"Die Ausbildungsinhalte sind für den genannten Zeitraum schriftlich geführt und genehmigt worden.", `value="15.11.2026"`, "auf Papier oder mit einem Textprogramm")
		form := func(first, last string) []string {
			return []string{"do", "check", "version", p.version(), "first", first, "last", last, "department", "Ausbildungsnachweise sind schriftlich geführt worden", "work", "Schriftlich geführt & genehmigt."}
		}
		anna.post("/reports/backfill", form("heute", "31.07.2026")...).is(422).has("Geben Sie den ersten Tag der Papierzeit ein", `value="heute"`, "Schriftlich geführt &amp; genehmigt.")
		anna.post("/reports/backfill", form("01.08.2025", "18.11.2026")...).is(422).has("Geben Sie höchstens den 17.11.2026 ein")
		check := anna.follow("/reports/backfill", form("1.8.2025", "31.07.2026")...).is(200).has("Papierzeit prüfen und einreichen", "01.08.2025 – 31.07.2026")
		anna.get("/reports/2026-W10").is(303)
		anna.follow("/reports/2025-W31/submit", "version", check.version()).is(200).has("Papierzeit")
		queue := bert.get("/reviews").is(200).has("Papierzeit")
		path := regexp.MustCompile(`/reviews/[0-9a-f-]{36}`).FindString(queue.body)
		review := bert.get(path).is(200).has("ordnungsgemäß auf Papier geführt")
		bert.post(path+"/sign-off", "version", review.version()).is(422).has("Bestätigen Sie, dass das Berichtsheft in dieser Zeit ordnungsgemäß auf Papier geführt wurde")
		bert.post(path+"/sign-off", "version", review.version(), "paper", "yes").is(303)
		anna.get("/reports/backfill").is(303) // it is decided: nothing to change (R334)
		anna.get("/reports/2026-W31").is(200).has("01.08. – 02.08.2026")
		anna.get("/reports?year=2026").is(200).has("Auf Papier")
	})
}

// R317: a time on paper of an apprenticeship that is over is mended where it
// stands, not in today's.
func TestPaperTimeOfAnEarlierApprenticeship_R317(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		for id, days := range map[string][2]string{"a": {"2023-08-01", "2025-07-31"}, "b": {"2025-08-01", "2028-07-31"}} {
			dbtest.Exec(t, d, `INSERT INTO apprenticeship (id, person, company, starts_on, ends_on, source, created_at, changed_at) VALUES ($1, 'anna', 'korn', $2, $3, 'company', $4, $4)`, id, days[0], days[1], w.d.Now())
		}
		anna.get("/reports/backfill?of=2024-01-01").is(200).has(`value="01.08.2023"`, `value="31.07.2025"`)
		anna.post("/reports/backfill", "do", "save", "of", "2024-01-01", "version", "0", "first", "01.08.2023", "last", "31.07.2024", "work", "Auf Papier").is(303)
		at := anna.get("/reports/2024-W10").is(303).location
		anna.get(at).is(200).has("Auf Papier", `value="31.07.2024"`)
		anna.get("/reports/backfill").is(200).has(`value="01.08.2025"`)
		anna.post("/reports/backfill", "do", "check", "of", "2024-01-01", "version", "1", "first", "01.08.2023", "last", "30.06.2024", "work", "Auf Papier").is(303)
		anna.get("/reports/2023-W31/check").is(200).has("01.08.2023 – 30.06.2024")
	})
}
