package portal_test

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/planning"
	"zunft/internal/training/schema"
)

// attach sends files as a browser does: name, content, name, content …
func (b *visit) attach(path string, files ...string) page {
	b.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	_ = m.WriteField("form_key", "x")
	for i := 0; i+1 < len(files); i += 2 {
		w, _ := m.CreateFormFile("file", files[i])
		_, _ = w.Write([]byte(files[i+1]))
	}
	m.Close()
	r, _ := http.NewRequest("POST", b.server.URL+path, &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Accept-Language", "de")
	return b.do(r)
}

const aPDF = "%PDF-1.7\n1 0 obj <</Type/Catalog>> endobj\nxref\n0 1\ntrailer <<>>\nstartxref\n9\n%%EOF\n"

// R226: a new week is filled in by the pattern, and so it is saved; a week that
// was saved stays as it is whatever the pattern says later.
func TestTheWeekIsFilledIn_R226(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		anna.get("/reports/2026-W47").is(200).has("5 × Betrieb, 40 Std.", "Wochenmuster festlegen", `name="d1_hours" type="text" value="8"`)
		anna.get("/settings/pattern").is(200).has("Nur bundesweite Feiertage", "Erster Weihnachtstag")
		values := []string{"land", "SN", "regional", "corpus_christi"}
		for i, a := range []string{"company", "company", "school", "company", "company", "", ""} {
			values = append(values, fmt.Sprintf("d%d_attendance", i+1), a, fmt.Sprintf("d%d_hours", i+1), []string{"7,75", "0"}[min(1, i/5)], fmt.Sprintf("d%d_place", i+1), "Backstube <1>")
		}
		bad := append([]string{}, values...)
		bad[7] = "acht" // Monday's hours
		anna.post("/settings/pattern", bad...).is(422).has("Schreiben Sie die Stunden als Zahl", `href="#d1_hours"`, `value="acht"`)
		anna.follow("/settings/pattern", values...).has("Gespeichert. Neue Wochen beginnen jetzt so.", "Sachsen", "Fronleichnam")

		edit := anna.get("/reports/2026-W47").is(200).
			has("4 × Betrieb, 1 × Feiertag, 31 Std.", "Mittwoch, 18.11. · Buß- und Bettag", `value="Backstube &lt;1&gt;"`, `value="7:45"`).lacks("Wochenmuster festlegen")
		// The form as the browser sends it, one day changed.
		check := anna.follow("/reports/2026-W47", "version", edit.version(), "do", "check", "work", "Teige",
			"d1_attendance", "company", "d1_hours", "7:45", "d1_place", "Backstube", "d2_attendance", "sick").is(200)
		check.has("Betrieb · Backstube · 7:45 Std.", "krank", "1 × Betrieb, 1 × krank, 7:45 Std.")
		anna.follow("/absences", "attendance", "vacation", "from", "16.11.2026", "until", "2026-11-29").has("Urlaub", "14 Tage", "Eingetragen.")
		anna.get("/reports/2026-W47").is(200).has("1 × Betrieb, 1 × krank")
		anna.get("/reports/2026-W48").is(200).has("5 × Urlaub")
		anna.post("/absences", "attendance", "vacation", "from", "31.11.2026", "until", "x").is(422).has("Schreiben Sie den Tag so: 01.08.2026", `value="31.11.2026"`)
		anna.post("/reports/2026-W47", "version", check.version(), "do", "save", "work", "Teige", "d1_hours", "25", "d3_hours", "viel").is(422).
			has("Ein Tag hat höchstens 24 Stunden", "Schreiben Sie die Stunden als Zahl", `value="viel"`, "<details open>")
		// Trainers keep no book.
		bert := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer"))
		for _, path := range []string{"/settings/pattern", "/absences", "/snippets"} {
			bert.get(path).is(403)
		}
	})
}

// ux.md 2.8: a whole week of vacation is one tap and its submission; holidays
// stay, and the week counts as described.
func TestAWholeWeekAway(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
	check := anna.follow("/reports/2026-W40", "version", "0", "do", "vacation", "d4_attendance", "holiday", "d1_attendance", "company", "d1_hours", "8").is(200).
		has("Woche 40 prüfen und einreichen", "4 × Urlaub, 1 × Feiertag").lacks("Beschreiben Sie")
	anna.follow("/reports/2026-W40/submit", "version", check.version()).has("Eingereicht")
	check = anna.follow("/reports/2026-W41", "version", "0", "do", "sick", "work", "nur Montag früh").has("5 × krank", "nur Montag früh")
	anna.follow("/reports/2026-W42", "version", "0", "do", "sick", "d1_attendance", "company", "d1_hours", "8", "d1_text", "Mittags heim").has("5 × krank", "Mittags heim") // what was typed stays
	anna.follow("/reports/2026-W41/submit", "version", check.version()).has("Eingereicht")
}

// R226: day by day, where the company wants it so (R234): each day has a page,
// saving one keeps the others, and both versions are shown where two differ.
func TestDayByDay_R226_R234(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		anna.get("/reports/2026-W47").is(200).lacks("day:2026-11-16")
		w.write(`INSERT INTO company_setting (company, occupation, electronic, mode, steps, due_days, changed_at) VALUES ('korn', '', TRUE, 'day', 1, 7, '2026-01-01T00:00:00Z')`)
		anna.get("/reports/2026-W47").is(200).has(`value="day:2026-11-16"`, "Montag, 16.11.", "Betrieb, 8 Std.")
		day := anna.get("/reports/2026-W47/day/2026-11-16").is(200).has("Montag, 16.11.", `value="8"`, "Speichern und nächster Tag")
		next := anna.follow("/reports/2026-W47/day/2026-11-16", "version", day.version(), "do", "next", "d_text", "Teige <b>", "d_attendance", "company", "d_hours", "8").
			has("Dienstag, 17.11.", "Gespeichert.", `value="8"`)
		anna.follow("/reports/2026-W47/day/2026-11-17", "version", next.version(), "do", "save", "d_text", "Brote", "d_attendance", "company", "d_hours", "7").
			has("Geschrieben", "Betrieb, 7 Std.", "5 × Betrieb, 39 Std.")
		// The page of a device that did not see Tuesday.
		both := anna.post("/reports/2026-W47/day/2026-11-17", "version", next.version(), "do", "save", "d_text", "Vom Telefon").is(409).has("Brote", "Vom Telefon", "Gespeicherte Fassung behalten")
		anna.follow("/reports/2026-W47/day/2026-11-17", "version", both.version(), "do", "save", "d_text", "Vom Telefon").has("Gespeichert.")
		third := anna.get("/reports/2026-W47/day/2026-11-18").version()
		anna.post("/reports/2026-W47/day/2026-11-18", "version", third, "d_text", strings.Repeat("x", 2001), "d_hours", "x").is(422).has(`href="#d_text"`, `href="#d_hours"`)
		check := anna.get("/reports/2026-W47/check").is(200).has("Teige &lt;b&gt;", "Vom Telefon")
		anna.follow("/reports/2026-W47/submit", "version", check.version()).has("Eingereicht")
		if p := anna.get("/reports/2026-W47/day/2026-11-16"); p.status != 303 {
			t.Error(p.status)
		}
		for _, path := range []string{"2026-W47/day/2026-11-23", "2026-W47/day/2026-13-01", "2026-W47/day/heute"} {
			anna.get("/reports/" + path).is(404)
		}
	})
}

// A session that ended meanwhile loses no text of a day either.
func TestExpiredSessionLosesNoDay(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		later := now.Add(31 * time.Minute)
		d.Now = func() time.Time { return later }
		anna.post("/reports/2026-W47/day/2026-11-17", "version", "0", "who", "anna", "do", "next", "d_text", "Lange getippt", "d_hours", "6").is(503)
		anna.signIn()
		anna.get("/reports/2026-W47/day/2026-11-17").is(200).has("Ihr Text ist noch da", "Lange getippt", `value="6"`)
		anna.follow("/reports/2026-W47/day/2026-11-17", "version", "0", "who", "anna", "do", "save", "d_text", "Lange getippt", "d_hours", "6").has("Gespeichert.")
		anna.get("/reports/2026-W47/day/2026-11-17").is(200).has("Lange getippt").lacks("Ihr Text ist noch da")
	})
}

// R228: files of a week: those that can be kept are kept, each other one is
// named with what to do; they are sent to be saved only, to nobody else.
func TestFilesOfAWeek_R228(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		emil := w.comes(claims("emil", "Emil", "Muster", "korn", "apprentice"))
		edit := anna.follow("/reports/2026-W47", "version", "0", "do", "files", "work", "Teige").is(200).has("Zu dieser Woche gibt es noch keine Dateien", `accept=".pdf`, " multiple")
		_ = edit
		anna.attach("/reports/2026-W47/attachments").is(422).has("Wählen Sie mindestens eine Datei aus")
		heic := "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"
		p := anna.attach("/reports/2026-W47/attachments", "Beleg ä.pdf", aPDF, "bombe.zip", "PK\x03\x04", "beleg.pdf", heic, "IMG_2044.heic", string(make([]byte, 11<<20))).is(422)
		p.has("Beleg ä.pdf</a>", "bombe.zip ist kein PDF, JPG, PNG oder HEIC", "beleg.pdf ist vom Inhalt her HEIC, nicht PDF", "IMG_2044.heic hat 12 MB. Erlaubt sind 10 MB und PDF, JPG, PNG oder HEIC. Ihr Text ist gespeichert")
		anna.get("/reports/2026-W47").is(200).has("Teige", "Dateien (1)", "Beleg ä.pdf")
		_, rest, _ := strings.Cut(p.body, `<a href="/reports/2026-W47/attachments/`)
		id, _, _ := strings.Cut(rest, `"`)
		file := anna.get("/reports/2026-W47/attachments/" + id).is(200)
		if h := file.header; file.body != aPDF || h.Get("Content-Type") != "application/pdf" || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("Content-Disposition") != `attachment; filename="Beleg _.pdf"; filename*=UTF-8''Beleg%20%C3%A4.pdf` || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
			t.Error(h, len(file.body))
		}
		emil.get("/reports/2026-W47/attachments/" + id).is(404)
		emil.get("/reports/2026-W47/attachments").is(200).lacks("Beleg")
		emil.post("/reports/2026-W47/attachments/" + id + "/remove").is(303)
		anna.get("/reports/2026-W47/attachments/" + id).is(200)
		// A week that nobody began gets its files too.
		if p := emil.attach("/reports/2026-W46/attachments", "a.pdf", aPDF); p.status != 303 {
			t.Error(p.status)
		}
		emil.get("/reports/2026-W46").is(200).has("Dateien (1)")
		check := anna.get("/reports/2026-W47/check").is(200).has("Beleg ä.pdf")
		anna.follow("/reports/2026-W47/submit", "version", check.version()).is(200)
		anna.get("/reports/2026-W47").is(200).has("Beleg ä.pdf")
		anna.get("/reports/2026-W47/attachments").is(200).lacks("Hochladen", "Entfernen")
		anna.attach("/reports/2026-W47/attachments", "b.pdf", aPDF+"\n").is(409).has("Ziehen Sie sie zurück")
		anna.post("/reports/2026-W47/attachments/" + id + "/remove").is(409)
	})
}

// What the issue calls bad input: the text comes back as it was typed, nothing
// is executed, and what no eye should see is gone.
func TestBadInputOfAWeek_R226(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		long := strings.Repeat("ä", 20_000)
		anna.post("/reports/2026-W47", "version", "0", "do", "save", "work", long, "d1_place", strings.Repeat("x", 101)).is(422).
			has(long, "Dieser Text hat 20.000 Zeichen", "Kürzen Sie den Ort auf höchstens 100 Zeichen")
		anna.follow("/reports/2026-W47", "version", "0", "do", "save",
			"work", "🥐👩🏽‍🍳 <script>alert(1)</script>\r\n\u202eumgekehrt\u202c\x00\x07", "instruction", "{{.Frame}} ${7*7} '; DROP TABLE report; --", "school", "مرحبا \u2067עברית\u2069",
			"sections", "abc ../x <b> "+strings.Repeat("z", 21), "d1_text", "<img src=x onerror=alert(1)>").is(200).
			has("🥐👩🏽‍🍳 &lt;script&gt;alert(1)&lt;/script&gt;\numgekehrt<", "{{.Frame}} ${7*7} &#39;; DROP TABLE report; --", "مرحبا עברית", "&lt;img src=x onerror=alert(1)&gt;", `name="sections" value="abc"`).
			lacks("<script>alert", "\u202e", "\u2067", "<img src=x", strings.Repeat("z", 21))
		for path, status := range map[string]int{"/reports/2027-W10": 404, "/reports/2026-W53": 200, "/reports/2025-W53": 404, "/reports/2026-W00": 404, "/reports/2026-W47-W48": 404} {
			if p := anna.get(path); p.status != status {
				t.Errorf("%s answered %d, wanted %d", path, p.status, status)
			}
		}
		anna.post("/reports/2027-W10", "version", "0", "do", "save", "work", "zu weit voraus").is(404)
		// A week in the future is kept, and says when it can be submitted.
		check := anna.follow("/reports/2026-W49", "version", "0", "do", "check", "work", "vorausgedacht").has("Diese Woche hat noch nicht begonnen")
		anna.post("/reports/2026-W49/submit", "version", check.version()).is(422).has("Einreichen können Sie ab Montag, 30.11.2026")
	})
}

// Double submit: pressed five times at once, handed over once; the same for
// saving.
func TestSubmitOnce(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		w.comes(claims("bert", "Bert", "Meister", "korn", "trainer"))
		together := func(path string, values ...string) {
			var all sync.WaitGroup
			for range 5 {
				all.Go(func() {
					if p := anna.post(path, values...); p.status != 303 {
						t.Errorf("%s answered %d", path, p.status)
					}
				})
			}
			all.Wait()
		}
		together("/reports/2026-W47", "version", "0", "do", "check", "work", "Teige und Brote", "d1_attendance", "company", "d1_hours", "8")
		check := anna.get("/reports/2026-W47/check").is(200)
		if check.version() != "1" {
			t.Error("saved more than once:", check.version())
		}
		together("/reports/2026-W47/submit", "version", "1", "sections", "abcdefgh")
		for query, want := range map[string]int{
			`SELECT count(*) FROM report_event WHERE event = 'submitted'`:                    1,
			`SELECT count(*) FROM report WHERE sections = 'abcdefgh' AND version = 2`:        1,
			`SELECT count(*) FROM audit WHERE event IN ('report.submitted', 'report.saved')`: 2,
		} {
			if n := w.count(query); n != want {
				t.Errorf("%s is %d, wanted %d", query, n, want)
			}
		}
	})
}

// Sections of the plan: ticked in the week, suggested by the text where it is
// read through, kept with the submission, and shown by name.
func TestQualifications(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	if err := w.d.Write(context.Background(), func(tx *db.Tx) error {
		return planning.PutPlan(tx, audit.Job, "999", "", []planning.Section{{Number: "A1", Title: "Weizenbrot herstellen", Keywords: "weizen brötchen"}, {Number: "A2", Title: "Feine Backwaren", Keywords: "torte kuchen"}})
	}); err != nil {
		t.Fatal(err)
	}
	anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
	edit := anna.get("/reports/2026-W47").is(200).has("A1 Weizenbrot herstellen", "A2 Feine Backwaren").lacks("S1 ")
	_, rest, _ := strings.Cut(edit.body, `name="sections" value="`)
	first, _, _ := strings.Cut(rest, `"`)
	check := anna.follow("/reports/2026-W47", "version", "0", "do", "check", "work", "Brötchen und Käsekuchen", "sections", first).is(200).
		has("Passt das dazu?", "A2 Feine Backwaren", "<li>A1 Weizenbrot herstellen</li>")
	_, rest, _ = strings.Cut(check.body, `name="sections" value="`)
	second, _, _ := strings.Cut(rest, `"`)
	if second == first {
		t.Error("what was chosen is suggested again")
	}
	anna.follow("/reports/2026-W47/submit", "version", check.version(), "sections", second)
	anna.get("/reports/2026-W47").is(200).has("<li>A1 Weizenbrot herstellen</li>", "<li>A2 Feine Backwaren</li>")
}

// Snippets: kept once, put below the text with one tap, which saves.
func TestSnippets(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
	emil := w.comes(claims("emil", "Emil", "Muster", "korn", "apprentice"))
	anna.post("/snippets", "text", " ").is(422).has("Schreiben Sie den Text, den Sie öfter brauchen")
	anna.follow("/snippets", "text", "Öfen geputzt\nBleche gezählt").has("Öfen geputzt<br>Bleche gezählt", "Gespeichert.")
	edit := anna.get("/reports/2026-W47").is(200).has("Öfen geputzt …")
	_, rest, _ := strings.Cut(edit.body, `value="snippet:`)
	id, _, _ := strings.Cut(rest, `"`)
	anna.follow("/reports/2026-W47", "version", "0", "do", "snippet:"+id, "work", "Regale").has("Regale\nÖfen geputzt\nBleche gezählt<", "Der Textbaustein steht jetzt")
	emil.post("/reports/2026-W47", "version", "0", "do", "snippet:"+id, "work", "Regale").is(404)
	emil.post("/snippets/" + id + "/remove").is(303)
	anna.follow("/snippets/" + id + "/remove").lacks("Öfen geputzt")
}

// R226, ux.md 0 no. 2: what leads out of the editor keeps what was typed; a week
// that is as it was filled in stays unwritten, so that a new pattern reaches it.
func TestEveryWayOutSaves_R226(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		const week = "/reports/2026-W47"
		send := func(do, version, work string) page {
			form := []string{"do", do, "version", version, "work", work}
			for i := range 5 {
				form = append(form, fmt.Sprintf("d%d_attendance", i+1), "company", fmt.Sprintf("d%d_hours", i+1), "8")
			}
			return anna.post(week, form...)
		}
		for do, to := range map[string]string{"pattern": "/settings/pattern", "absences": "/absences", "snippets": "/snippets", "day:2026-11-17": week + "/day/2026-11-17"} {
			if p := send(do, "0", "").is(303); p.location != to {
				t.Errorf("%s leads to %s", do, p.location)
			}
		}
		if v := anna.get(week).has("Leer").version(); v != "0" {
			t.Error("a week that nobody wrote in was saved", v)
		}
		if p := send("snippets", "0", "Teige <1>").is(303); p.location != "/snippets" {
			t.Error(p.location)
		}
		edit := anna.get(week).has("Teige &lt;1&gt;", "Entwurf")
		if p := send("day:2026-11-30", edit.version(), "Teige <2>").is(303); p.location != week {
			t.Error("a day of another week", p.location)
		}
		anna.get(week).has("Teige &lt;2&gt;")
		send("absences", edit.version(), "Teige <3>").is(409).has("Teige &lt;2&gt;", "Teige &lt;3&gt;")
	})
}

func (w *world) write(query string, args ...any) {
	w.t.Helper()
	if err := w.d.Write(context.Background(), func(tx *db.Tx) error { _, err := tx.Exec(query, args...); return err }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) count(query string, args ...any) (n int) {
	w.t.Helper()
	if err := w.d.Read(context.Background(), func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query, args...); return err }); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// R232, R325: who may sign is who is assigned; without an assignment every
// trainer of the company.
func TestSignersAreTheAssigned(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
	w.comes(claims("bert", "Bert", "Meister", "korn", "trainer"))
	w.comes(claims("berta", "Berta", "Bach", "korn", "trainer"))
	check := anna.follow("/reports/2026-W47", "version", "0", "do", "check", "work", "Teige")
	if body := main(check.body); !strings.Contains(body, "Bert Meister") || !strings.Contains(body, "Berta Bach") {
		t.Errorf("nobody is assigned: %s", body)
	}
	dbtest.Exec(t, w.d, `INSERT INTO assignment (id, apprenticeship, person, role, from_day, until_day, created_at) SELECT 'x', id, 'berta', 'trainer', '2026-08-01', '', $1 FROM apprenticeship`, db.At(now))
	for _, path := range []string{"/check", "/submitted"} {
		if path == "/submitted" {
			anna.post("/reports/2026-W47/submit", "version", check.version()).is(http.StatusSeeOther)
		}
		if body := main(anna.get("/reports/2026-W47" + path).body); strings.Contains(body, "Bert Meister") || !strings.Contains(body, "Berta Bach") {
			t.Errorf("%s, Berta is assigned: %s", path, body)
		}
	}
}
