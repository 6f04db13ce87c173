package details_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/recovery"
)

// unanswered makes the bakery one that waits for its activation letter.
func (w *world) unanswered() {
	w.T.Helper()
	w.Exec(`UPDATE organization SET state = 'letter', activated_at = NULL WHERE id = $1`, w.bakery)
	w.Exec(`DELETE FROM membership WHERE organization = $1`, w.bakery)
	w.Write(func(tx *db.Tx) error { return letter.Queue(tx, w.as("clara"), w.chamber, w.bakery) })
}

func (w *world) letterID() (id string) {
	w.look(func(tx *db.Tx) (err error) {
		id, err = db.Value[string](tx, `SELECT id FROM letter ORDER BY id DESC LIMIT 1`)
		return err
	})
	return id
}

// R092, R093: an envelope comes back. The clerk finds its batch by the reference
// on the letter and books it: the code is void, the person who waits reads why, and
// the letter stands in a list until a new one goes out.
func TestR093ReturnedMail(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.unanswered()
		batch, text, codes := w.print()
		clara, page := w.browsers["clara"], "/chamber/letters/batches/"+batch.ID
		if !strings.Contains(text, "Unser Zeichen "+batch.Reference+"/1") {
			t.Errorf("the letter does not say where it belongs:\n%s", text)
		}
		clara.Post(page, "do", "dispatch").Goes(t, page)
		w.One("bert@example.org", "Ihr Aktivierungsbrief ist unterwegs")
		for _, typed := range []string{batch.Reference + "/1", strings.ToLower(batch.Reference), " " + strings.ReplaceAll(batch.Reference, "-", " ") + "/17"} {
			clara.Get("/chamber/letters?find="+strings.ReplaceAll(typed, " ", "+")).Goes(t, page)
		}
		clara.Get("/chamber/letters?find=B-0000-000").Want(t, http.StatusUnprocessableEntity, "gibt es keinen Druckstapel")
		w.browsers["xenia"].Get("/chamber/letters?find="+batch.Reference).Want(t, http.StatusUnprocessableEntity, "gibt es keinen Druckstapel")
		id := w.letterID()
		clara.Get(page+"?returned="+id).Want(t, http.StatusOK, "Warum kam er zurück?")
		clara.Post(page, "returned", id).Want(t, http.StatusUnprocessableEntity, "Wählen Sie, warum der Brief zurückgekommen ist")
		w.browsers["xenia"].Post(page, "returned", id, "why", "moved").Want(t, http.StatusNotFound)
		clara.Post(page, "returned", id, "why", "moved").Goes(t, page)
		if m := w.One("bert@example.org", "Ihr Aktivierungsbrief kam zurück"); !strings.Contains(m.Body, "nicht mehr zu finden") || !strings.Contains(m.Body, "0999 1234-0") {
			t.Error(m.Body)
		}
		if said := w.enter("bert", codes[0]); !strings.Contains(said, "kein Aktivierungskennwort") {
			t.Error("the code of a letter that came back works:", said)
		}
		clara.Get("/chamber/letters/returned").Want(t, http.StatusOK, "Bäckerei Morgenrot GmbH", "Unbekannt verzogen")
		w.browsers["xenia"].Get("/chamber/letters/returned").Want(t, http.StatusOK, "Kein Brief ist zurückgekommen")
		clara.Get("/chamber/letters").Want(t, http.StatusOK, "1 Brief kam zurück")
		clara.Post(page, "letter", id).Goes(t, page) // send again
		clara.Get("/chamber/letters/returned").Want(t, http.StatusOK, "Kein Brief ist zurückgekommen")
		_, _, codes = w.print()
		if said := w.enter("bert", codes[0]); said != "" {
			t.Error(said)
		}
	})
}

// Booked as returned, entered and sent again at the same moment: one happens.
func TestReturnedRaces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.unanswered()
		_, _, codes := w.print()
		id := w.letterID()
		back := func(tx *db.Tx) error { return letter.Return(tx, w.as("clara"), id, "unknown") }
		use := func(tx *db.Tx) error {
			_, err := organization.Activate(tx, w.as("bert"), "4711", "999", codes[0])
			return err
		}
		if won := w.race(back, use, back, use, back, use); won != 1 {
			t.Error(won, "of six")
		}
		used, returned := w.Count(`SELECT count(*) FROM letter WHERE state = 'used'`), w.Count(`SELECT count(*) FROM letter WHERE state = 'returned'`)
		if active := w.state() == organization.Active; used+returned != 1 || active != (used == 1) {
			t.Errorf("used %d, returned %d, active %v", used, returned, active)
		}
	})
}

// L02: fourteen days before a code is too old, who waits for it is told, once.
func TestL02ReminderBeforeExpiry(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.unanswered()
		w.print()
		remind := func() {
			t.Helper()
			if err := w.D.Batches(t.Context(), letter.Remind); err != nil {
				t.Fatal(err)
			}
		}
		w.Pass(letter.Term - 14*24*time.Hour)
		remind()
		if got := w.Inbox("bert@example.org"); len(got) != 0 {
			t.Fatal("too early", got)
		}
		w.Pass(time.Second)
		remind()
		remind()
		if m := w.One("bert@example.org", "Ihr Aktivierungskennwort gilt noch bis 31.01.2027"); !strings.Contains(m.Body, "Bäckerei Morgenrot") {
			t.Error(m.Body)
		}
	})
}

// The letter to a person who lost everything goes out with the others; what is
// printed by itself, or ended, does not. Its code works, and the one before does not.
func TestRecoveryInTheBatch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		stranger := audit.Actor{Kind: audit.Person, IP: "198.51.100.7"}
		ask := func(browser string) (r recovery.Recovery) {
			w.Write(func(tx *db.Tx) (err error) {
				if r, err = recovery.Submit(tx, stranger, browser, w.chamber, recovery.Claim{GivenName: "Lena", FamilyName: "Lerche", Login: "lena", Contact: "0999 4711", Lang: "de"}); err != nil {
					return err
				}
				if err = recovery.Match(tx, w.as("clara"), r.ID, w.ids["lena"]); err != nil {
					return err
				}
				return recovery.Approve(tx, w.as("clara"), r.ID, w.ids["lena"], recovery.ByLetter, "Lena Lerche\nLerchenweg 4\n00999 Musterstadt")
			})
			return r
		}
		r := ask("one")
		w.unanswered()
		w.browsers["clara"].Get("/chamber/letters").Want(t, http.StatusOK, r.Reference, "Wiederherstellung", "2 Briefe")
		batch, text, codes := w.print()
		for _, s := range []string{"Lena Lerche", "Lerchenweg 4", r.Reference, "http://portal.example/recover", batch.Reference + "/1", batch.Reference + "/2"} {
			if !strings.Contains(text, s) {
				t.Errorf("the letters lack %q:\n%s", s, text)
			}
		}
		w.Pass(30 * 24 * time.Hour / 10)
		w.look(func(tx *db.Tx) (err error) { r, err = recovery.Get(tx, w.as("clara"), r.ID); return err })
		prove := func(code string) string {
			return w.try(func(tx *db.Tx) error { _, err := recovery.Prove(tx, stranger, r, code); return err })
		}
		if key := prove(codes[0]); key != "" {
			t.Error("the code of the batch:", key)
		}
		// Lost: printed again, by itself. The one in the batch is void with it.
		w.Write(func(tx *db.Tx) error { return letter.Reprint(tx, w.as("clara"), firstOf(t, tx, batch.ID)) })
		if _, _, err := recovery.Print(t.Context(), w.D, w.as("clara"), r.ID, "http://portal.example/recover"); err != nil {
			t.Fatal(err)
		}
		if key := prove(codes[0]); key != "recovery.code_wrong" {
			t.Error("the old code:", key)
		}
		if n := w.Count(`SELECT count(*) FROM letter WHERE kind = 'recovery' AND state = 'queued'`); n != 0 {
			t.Error(n, "still in the queue")
		}
		w.Write(func(tx *db.Tx) error {
			return recovery.Refuse(tx, w.as("clara"), r.ID, "Die Person hat sich gemeldet.")
		})
		other := ask("two")
		w.Exec(`UPDATE recovery SET state = 'expired', ended_at = due_at WHERE id = $1`, other.ID) // nobody told the letter
		if _, _, err := letter.Print(t.Context(), w.D, w.as("clara"), w.chamber, "http://portal.example", recovery.Papers); err == nil {
			t.Error("a letter for a request that ended")
		}
		if n := w.Count(`SELECT count(*) FROM letter WHERE state = 'queued'`); n != 0 {
			t.Error(n, "letters wait for ever")
		}
	})
}

func firstOf(t *testing.T, tx *db.Tx, batch string) string {
	_, letters, err := letter.GetBatch(tx, batch)
	if err != nil {
		t.Fatal(err)
	}
	return letters[0].ID
}

// ux.md 2.6 no. 6: the cover sheet names every letter of a batch and no code, with
// lines for who put them into envelopes and took them to the post.
func TestCoverSheet(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.unanswered()
		batch, _, codes := w.print()
		p := w.browsers["clara"].Get("/chamber/letters/batches/" + batch.ID + "/sheet")
		if p.Header.Get("Content-Type") != "application/pdf" || p.Header.Get("Cache-Control") != "no-store" {
			t.Error(p.Header)
		}
		text := readPDF(t, []byte(p.Body))
		for _, s := range []string{"Begleitliste " + batch.Reference, "Bäckerei Morgenrot GmbH", "Musterdorf", "Aktivierungskennwort", "Zur Post gegeben", "Clara Clausen"} {
			if !strings.Contains(text, s) {
				t.Errorf("the sheet lacks %q:\n%s", s, text)
			}
		}
		if strings.Contains(strings.ReplaceAll(text, " ", ""), codes[0]) {
			t.Error("a code on the cover sheet")
		}
		w.browsers["xenia"].Get("/chamber/letters/batches/"+batch.ID+"/sheet").Want(t, http.StatusNotFound)
	})
}
