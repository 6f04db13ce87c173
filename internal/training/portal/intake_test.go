package portal_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/foreign"
	"zunft/internal/training/intake"
	"zunft/internal/training/schema"
)

// A book comes in: first a look, then drafts. Nothing is overwritten unasked,
// nothing that was submitted is touched, and others find nothing.
func TestTheBookComesIn_R226_R318_R334(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		emil := w.comes(claims("emil", "Emil", "Fremd", "korn", "apprentice"))
		bert := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer"))
		bert.get("/reports/import").is(403)
		bert.upload("/reports/import", "file", "x.csv", []byte("week;work\n2026-W40;x\n")).is(403)
		anna.writes("2026-W44", "Eingereicht und fertig")
		anna.follow("/reports/2026-W43", "version", "0", "do", "save", "work", "Mein Entwurf")
		anna.follow("/reports/2026-W42", "version", "0", "do", "save", "work", "Steht schon da")

		anna.get("/reports/import").is(200).has("Berichte einlesen", "Text einfügen")
		anna.upload("/reports/import", "file", "", nil).is(422).has("Wählen Sie eine Datei aus")
		anna.upload("/reports/import", "file", "x.xls", []byte("\xD0\xCF\x11\xE0....")).is(422).has("ohne Passwort")
		anna.upload("/reports/import", "file", "", nil, "text", "Ausbildungswoche ohne Daten").is(422).has("Ausbildungswoche ohne Daten", `href="#text"`)
		anna.upload("/reports/import", "file", "groß.csv", []byte(strings.Repeat("x", foreign.MaxFile+2<<20))).is(422).has("Die Datei ist zu groß")

		file := "week;work;school\n2026-W41;Aus der Datei <script>alert(1)</script>\u202e;Hefe\n2026-W42;Steht schon da;\n2026-W43;Anderes aus der Datei;\n2026-W44;Zu spät;\n2027-W40;Zukunft;\n2026-W40;" + strings.Repeat("x", 8001) + ";\nUnsinn;x;\n"
		at := anna.upload("/reports/import", "file", "heft.csv", []byte(file)).is(303).location
		look := anna.get(at).is(200).has("6 Wochen gefunden", "heft.csv", "anderer Entwurf da", "schon da", "schon eingereicht", "außerhalb der Ausbildung", "Dieser Text hat 8.001 Zeichen", "Nicht übernommen: eine Stelle", "„Unsinn x“ – keine Woche erkannt", "(Zeile 8)", "&lt;script&gt;", "Als Entwürfe übernehmen")
		look.lacks("<script>alert", "\u202e")
		emil.get(at).is(404)
		emil.post(at).is(404)
		emil.post(at + "/drop").is(404)
		anna.get("/reports/2026-W41").lacks("Aus der Datei") // only looked at so far
		anna.follow(at).has("Eine Woche ist jetzt ein Entwurf", "Ein Entwurf sagt etwas anderes und blieb", "Eine Woche war schon eingereicht", "Eine Woche stand schon da", "2 Wochen passten nicht")
		anna.post(at).is(303) // a second press changes nothing
		anna.get("/reports/2026-W41").is(200).has("Aus der Datei", "Hefe", "Entwurf")
		anna.get("/reports/2026-W43").has("Mein Entwurf").lacks("Anderes")
		anna.get("/reports/2026-W44").has("Eingereicht und fertig").lacks("Zu spät")

		at = anna.upload("/reports/import", "file", "heft.csv", []byte(file)).is(303).location
		anna.follow(at, "over", "1").has("Eine Woche ist jetzt ein Entwurf")
		anna.get("/reports/2026-W43").has("Anderes aus der Datei").lacks("Mein Entwurf")

		// Our own backup comes back whole; for somebody else's book it is just text.
		backup := anna.get("/reports/export.json").body
		at = emil.upload("/reports/import", "file", "Berichtsheft.json", []byte(backup)).is(303).location
		emil.follow(at).has("4 Wochen sind jetzt Entwürfe")
		emil.get("/reports/2026-W44").has("Eingereicht und fertig", "Prüfen und einreichen")

		// A timetable becomes lessons.
		at = anna.upload("/reports/import", "file", "plan.ics", []byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261117T080000\nDTEND:20261117T093000\nSUMMARY:Wirtschaft\nLOCATION:R 7\nRRULE:FREQ=WEEKLY;COUNT=3\nEND:VEVENT\nEND:VCALENDAR\n")).is(303).location
		anna.get(at).is(200).has("3 Schulstunden vom 17.11.2026 bis 01.12.2026", "Wirtschaft", "R 7", "3 Stunden übernehmen")
		anna.follow(at).has("Übernommen", "3 Schulstunden")
		if n := count(t, d, "lesson"); n != 3 {
			t.Errorf("%d lessons, wanted 3", n)
		}

		// Forgotten by hand, or by time.
		at = anna.upload("/reports/import", "file", "", nil, "text", "week;work\n2026-W30;x").is(303).location
		anna.follow(at + "/drop").has("Die Datei ist vergessen")
		anna.get(at).is(404)
		at = anna.upload("/reports/import", "file", "", nil, "text", "week;work\n2026-W30;x").is(303).location
		later := now.Add(25 * time.Hour)
		d.Now = func() time.Time { return later }
		anna.signIn()
		anna.get(at).is(404)
		if err := intake.Sweep(context.Background(), d); err != nil {
			t.Fatal(err)
		}
		if n := count(t, d, "intake"); n != 0 {
			t.Errorf("%d files are left", n)
		}
	})
}

// Pressed many times at once, a file is taken in once.
func TestAFileIsTakenInOnce(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		var file strings.Builder
		file.WriteString("week;work\n")
		for i := range 40 {
			fmt.Fprintf(&file, "2026-W%02d;Woche %d\n", i+1, i+1)
		}
		at := anna.upload("/reports/import", "file", "heft.csv", []byte(file.String())).is(303).location
		id := strings.TrimPrefix(at, "/imports/")
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				err := d.Write(context.Background(), func(tx *db.Tx) error {
					i, err := intake.Take(tx, anna.actor, id, false)
					if err == nil && i.Result.Taken != 40 {
						err = fmt.Errorf("taken %+v", i.Result)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		var taken int
		if err := d.Read(context.Background(), func(tx *db.Tx) (err error) {
			taken, err = db.Value[int](tx, `SELECT count(*) FROM audit WHERE event = 'intake.taken'`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if n := count(t, d, "report"); n != 40 || taken != 1 {
			t.Errorf("%d reports, taken %d times", n, taken)
		}
	})
}
