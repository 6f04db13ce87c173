package story_test

import (
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/browser"
	"zunft/internal/ground/db"
	"zunft/internal/story"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/review"
)

// settled lets the ten minutes pass in which sign-offs can be taken back.
func settled(t *testing.T, w *story.World) {
	t.Helper()
	if err := w.TrainingDB.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE report SET undo_until = $1 WHERE undo_until IS NOT NULL`, tx.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := review.Settle(t.Context(), w.TrainingDB); err != nil {
		t.Fatal(err)
	}
}

// writes submits some weeks of somebody who has signed in at the training
// portal, from so many weeks ago on, to the trainers or an address.
func writes(t *testing.T, w *story.World, name string, ago, weeks int, to, text string) {
	t.Helper()
	if err := w.TrainingDB.Write(t.Context(), func(tx *db.Tx) error {
		by := audit.Actor{Kind: audit.Person}
		if err := tx.Scan(`SELECT s.id, s.person FROM session s JOIN person p ON p.sub = s.person WHERE p.name = $1 AND s.ended_at IS NULL ORDER BY s.id DESC LIMIT 1`, []any{name}, &by.Session, &by.Account); err != nil {
			return err
		}
		for i := range weeks {
			week := calendar.WeekOf(tx.Now()).Add(-ago + i)
			text := book.Text{Department: "Backstube", Work: text + " in Woche " + week.Name() + ".", School: "Hefe und Sauerteig"}
			for n := range 5 {
				text.Days[n] = book.Day{Attendance: []string{"company", "school", "company", "school", "vacation"}[n], Minutes: []int{480, 360, 480, 360, 0}[n]}
			}
			r, err := book.Save(tx, by, week, 0, text)
			if err != nil {
				return err
			}
			if _, err := book.SubmitTo(tx, by, week, r.Version, to); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// reportOf is the report that somebody wrote of a week.
func reportOf(t *testing.T, w *story.World, week book.Week) (id string) {
	t.Helper()
	if err := w.TrainingDB.Read(t.Context(), func(tx *db.Tx) (err error) {
		id, err = db.Value[string](tx, `SELECT id FROM report WHERE year = $1 AND week = $2`, week.Year, week.Number)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return id
}

// hand counts what a trainer presses and follows.
type hand struct {
	*person
	n int
}

func (p *hand) press(text string) { p.t.Helper(); p.n++; p.Press(text) }

func (p *hand) follow(text string) { p.t.Helper(); p.n++; p.Follow(text) }

// ux.md 1.2 task 7: twelve reports are thirteen clicks on a phone of 360 pixels,
// without scripts (R227, R230); the last one can be taken back, on the spot.
func TestTwelveReportsAreThirteenClicks_R227_R230(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		lena := onPhone(t, w, "lena")
		murat := &hand{person: onPhone(t, w, "murat")}
		writes(t, w, "Lena Lerche", 13, 12, "", "Roggenteige angesetzt, Brötchen geformt")
		murat.Open(w.Training + "/reviews")
		murat.n = 0
		murat.HasText("12 Nachweise warten")
		murat.follow("Lena Lerche, Woche " + weekAgo(13).Name())
		for range 11 {
			murat.press("Abzeichnen und weiter")
			murat.HasText("ist abgezeichnet")
		}
		murat.HasText("Nachweis 1 von 1")
		murat.press("Abzeichnen")
		murat.HasText("Keine offenen Nachweise")
		if murat.n != 13 {
			t.Errorf("%d clicks, thirteen are promised", murat.n)
		}
		// The apprentice reads nothing of it before the ten minutes are over.
		lena.Open(w.Training + "/reports/" + weekAgo(2).String())
		lena.HasText("in Durchsicht")
		lena.LacksText("abgezeichnet")
		murat.Press("Rückgängig")
		murat.HasText("ist zurückgenommen")
		murat.Press("Abzeichnen")
		settled(t, w)
		mail(t, w, "lena@example.org", "abgezeichnet")
		lena.Reload()
		lena.HasText("Abgezeichnet")
		murat.Open(w.Training + "/reviews")
		murat.LacksText("Rückgängig")
		murat.Follow("Erledigt")
		murat.HasText("Woche " + weekAgo(2).Name())
	})
}

// R229, R331, R334, R335: returned with reasons, mended, only the changes are
// marked; signed, returned afterwards; the dialog on both sides. Twelve at once
// with one confirmation.
func TestReturnedAndMended_R229_R331_R334_R335(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		lena, murat := walks(t, w, "lena"), walks(t, w, "murat")
		lena.signIn()
		lena.Open(w.Training + "/reports")
		murat.signIn()
		murat.Open(w.Training + "/reviews")
		writes(t, w, "Lena Lerche", 2, 1, "", "Teige angesetzt")
		week := weekAgo(2)
		murat.Open(w.Training + "/reviews")
		murat.Follow("Lena Lerche")
		murat.Press("Zurückgeben oder Bemerkung")
		murat.Choose("Genauer beschreiben")
		murat.Press("Zurückgeben")
		murat.HasText("ist zurückgegeben")
		mail(t, w, "lena@example.org", "zurückgegeben")
		lena.Open(w.Training + "/reports/" + week.String())
		lena.HasText("Bitte beschreiben Sie genauer")
		lena.Fill("Betriebliche Tätigkeiten", "Teige angesetzt, davon 20 kg Roggen, in Woche "+week.Name()+".")
		lena.Press("Prüfen und einreichen")
		lena.Press("Jetzt einreichen")
		murat.Open(w.Training + "/reviews")
		murat.Follow("Lena Lerche")
		murat.HasText("Geändert: Betriebliche Tätigkeiten")
		murat.HasText("20 kg Roggen")
		murat.Press("Kommentar schreiben")
		murat.Fill("Ihr Kommentar", "Jetzt ist es klar.")
		murat.Press("Kommentar senden")
		murat.Press("Abzeichnen")
		settled(t, w)
		lena.Open(w.Training + "/reports/" + week.String())
		lena.HasText("Abgezeichnet")
		lena.HasText("Jetzt ist es klar.")
		if lena.Has("Prüfen und einreichen") {
			t.Error("a signed week can be changed") // R334
		}
		murat.Open(w.Training + "/reviews/" + reportOf(t, w, week))
		murat.Press("Nachträglich zurückgeben")
		murat.Fill("Was soll noch anders werden?", "Die Berufsschule fehlt.")
		murat.In("Was soll noch anders werden?").Press("Zurückgeben")
		lena.Reload()
		lena.HasText("Die Berufsschule fehlt.")

		writes(t, w, "Lena Lerche", 15, 12, "", "Öfen bestückt")
		murat.Open(w.Training + "/reviews")
		murat.Follow("Alle lesen")
		murat.Press("Abzeichnen")
		murat.HasText("Bestätigen Sie, dass Sie die Nachweise durchgesehen haben")
		murat.Choose("Ich habe diese Nachweise durchgesehen")
		murat.Press("Abzeichnen")
		murat.HasText("Gemeinsam abgezeichnete Nachweise: 12.")
	})
}

// R268, R328, R329, W14: by PIN from the mail, with a way back for ten minutes.
func TestBySupervisorsPIN_R268_R328_R329_W14(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		lena := walks(t, w, "lena")
		lena.signIn()
		lena.Open(w.Training + "/reports")
		writes(t, w, "Lena Lerche", 1, 1, "petra@example.org", "Torten verziert")
		m := mail(t, w, "petra@example.org", "abzuzeichnen")
		_, rest, _ := strings.Cut(m.Text, "PIN: ")
		pin, _, _ := strings.Cut(rest, "\n")
		petra := &person{browser.New(t, browser.Options{Width: 360}), t, w, "petra"}
		petra.Open(link(t, m, "/supervisor/reports/"))
		petra.Fill("E-Mail-Adresse", "petra@example.org")
		petra.Fill("PIN", strings.TrimSpace(pin))
		petra.Press("Anmelden")
		petra.HasText("Torten verziert")
		petra.HasText("hat Ihre Adresse noch nicht bestätigt") // decision 0029
		murat := walks(t, w, "murat")
		murat.signIn()
		murat.Open(w.Training + "/reviews")
		murat.Press("Adresse bestätigen")
		murat.HasText("ist bestätigt")
		petra.Open(link(t, mail(t, w, "petra@example.org", "jetzt Nachweise abzeichnen"), "/supervisor"))
		petra.Follow("Lena Lerche")
		petra.Press("Abzeichnen")
		petra.HasText("ist abgezeichnet")
		petra.Press("Rückgängig")
		petra.HasText("ist zurückgenommen")
		petra.Press("Abzeichnen")
		settled(t, w)
		mail(t, w, "lena@example.org", "abgezeichnet")
	})
}

// The pages of review, in every state.
func TestGalleryBookReview(t *testing.T) {
	t.Parallel() // they meet nobody: two look at once, on two cores
	w := start(t, "sqlite", story.Options{})
	lena, murat := walks(t, w, "lena"), walks(t, w, "murat")
	lena.signIn()
	lena.Open(w.Training + "/reports")
	murat.signIn()
	murat.Open(w.Training + "/reviews")
	murat.Inspect("book-review-none")
	writes(t, w, "Lena Lerche", 5, 3, "", "Roggenteige angesetzt, Brötchen geformt")
	murat.Reload()
	murat.Inspect("book-review-queue")
	murat.Follow("Lena Lerche, Woche " + weekAgo(5).Name())
	murat.Inspect("book-review-report")
	murat.Press("Zurückgeben oder Bemerkung")
	murat.Press("Zurückgeben")
	murat.Inspect("book-review-mistake")
	murat.Choose("Genauer beschreiben")
	murat.Fill("Bemerkung", "Welche Teige waren es?")
	murat.Press("Zurückgeben")
	lena.Open(w.Training + "/reports/" + weekAgo(5).String())
	lena.Inspect("book-review-returned")
	lena.Fill("Betriebliche Tätigkeiten", "Zwanzig Roggenteige angesetzt, Brötchen geformt und die Öfen bestückt.")
	lena.Press("Prüfen und einreichen")
	lena.Press("Jetzt einreichen")
	murat.Press("Abzeichnen und weiter")
	murat.Inspect("book-review-undo")
	murat.Open(w.Training + "/reviews/all")
	murat.Inspect("book-review-all")
	murat.Press("Abzeichnen")
	murat.Inspect("book-review-all-mistake")
	murat.Open(w.Training + "/reviews")
	murat.Follow("Lena Lerche, Woche " + weekAgo(5).Name())
	murat.Inspect("book-review-changes")
	murat.Press("Abzeichnen")
	murat.Open(w.Training + "/reviews/done")
	murat.Inspect("book-review-done")
	lena.Open(w.Training + "/reports/" + weekAgo(5).String())
	lena.Inspect("book-review-pending")
	murat.Open(w.Training + "/reviews/" + reportOf(t, w, weekAgo(5)))
	murat.Inspect("book-review-pending-trainer")
	settled(t, w)
	murat.Reload()
	murat.Press("Nachträglich zurückgeben")
	murat.Inspect("book-review-reopen")
	murat.Open(w.Training + "/substitute")
	murat.Inspect("book-review-substitute-nobody")
	colleague(t, w)
	murat.Reload()
	murat.Press("Vertretung eintragen")
	murat.Inspect("book-review-substitute-mistake")
	today := calendar.DateOf(time.Now())
	murat.Choose("Vera Vertretung")
	murat.Fill("Erster Tag", string(today))
	murat.Fill("Letzter Tag", string(today.Add(7)))
	murat.Press("Vertretung eintragen")
	murat.Inspect("book-review-substitute")
	murat.Open(w.Training + "/substitute?lang=en")
	murat.Inspect("book-review-substitute-english")
	murat.Open(w.Training + "/company/supervisors?lang=de")
	murat.Inspect("book-review-supervisors")

	// Who administers training reads, and signs nothing.
	bert, _ := companyBert(t, w)
	bert.Open(w.Training + "/")
	bert.Inspect("book-review-admin-start")
	bert.Follow("im Unternehmen auf Durchsicht")
	bert.Inspect("book-review-admin-queue")
	bert.Follow("Lena Lerche")
	bert.Inspect("book-review-admin-report")
	if bert.Has("Abzeichnen und weiter") || bert.Has("Zurückgeben") {
		t.Error("a training admin could sign off")
	}
	bert.Open(w.Training + "/trainees?q=niemand")
	bert.Inspect("book-review-admin-trainees-nobody")
	bert.Follow("Alle zeigen")
	bert.Open(w.Training + "/trainees?q=LERCHE")
	bert.Inspect("book-review-admin-trainees")
	bert.Follow("Lena Lerche")
	bert.Inspect("book-review-admin-trainee")
	bert.LacksText("krank")
	bert.HasText("sehen die Personen, die abzeichnen")

	// In English.
	murat.Open(w.Training + "/reviews?lang=en")
	murat.Inspect("book-review-english-queue")
	murat.Open(w.Training + "/reviews/all")
	murat.Inspect("book-review-english-all")
	murat.Open(w.Training + "/reviews")
	murat.Follow("Lena Lerche")
	murat.Inspect("book-review-english-report")
	murat.Press("Return or write")
	murat.Press("Return")
	murat.Inspect("book-review-english-mistake")
	murat.Open(w.Training + "/trainees")
	murat.Inspect("book-review-english-trainees")
	murat.Follow("Lena Lerche")
	murat.Inspect("book-review-english-trainee")
	murat.Open(w.Training + "/?lang=de")

	writes(t, w, "Lena Lerche", 1, 1, "petra@example.org", "Torten verziert")
	m := mail(t, w, "petra@example.org", "abzuzeichnen")
	_, rest, _ := strings.Cut(m.Text, "PIN: ")
	pin, _, _ := strings.Cut(rest, "\n")
	petra := walks(t, w, "stranger")
	petra.Open(link(t, m, "/supervisor/reports/"))
	petra.Inspect("book-review-pin")
	petra.Fill("E-Mail-Adresse", "petra@example.org")
	petra.Fill("PIN", strings.TrimSpace(pin))
	petra.Press("Anmelden")
	petra.Inspect("book-review-pin-unknown")
	murat.Open(w.Training + "/reviews")
	murat.Inspect("book-review-addresses")
	murat.Follow("petra@example.org")
	murat.Inspect("book-review-address")
	murat.Open(w.Training + "/company/supervisors")
	murat.Inspect("book-review-supervisors-address")
	murat.Press("Adresse bestätigen")
	murat.Inspect("book-review-supervisors-confirmed")
	petra.Reload()
	petra.Inspect("book-review-pin-report")
	petra.Press("Abzeichnen")
	petra.Inspect("book-review-pin-undo")
	petra.Follow("Lena Lerche")
	petra.Inspect("book-review-pin-signed")
}

// colleague puts a second trainer beside Murat, who also administers training.
func colleague(t *testing.T, w *story.World) {
	t.Helper()
	if err := w.TrainingDB.Write(t.Context(), func(tx *db.Tx) error {
		if _, err := tx.Exec(`INSERT INTO person (sub, name, given_name, family_name, name_key, email, language, seen_at) VALUES ('vera', 'Vera Vertretung', 'Vera', 'Vertretung', 'vera', 'vera@example.org', 'de', $1)`, tx.Now()); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO company_role (company, person, role, since, seen_at) SELECT company, 'vera', 'trainer', $1, $1 FROM company_role r JOIN person p ON p.sub = r.person WHERE p.name LIKE 'Murat%' AND r.role = 'trainer'
			UNION ALL SELECT company, person, 'training_admin', $1, $1 FROM company_role r JOIN person p ON p.sub = r.person WHERE p.name LIKE 'Murat%' AND r.role = 'trainer'`, tx.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
