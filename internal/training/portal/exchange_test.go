package portal_test

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/mail"
	"zunft/internal/training/calendar"
	"zunft/internal/training/export"
	"zunft/internal/training/portal"
	"zunft/internal/training/schema"
)

// program runs a tool; where it is missing the test skips, in CI it fails.
func program(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed; CI needs it", name)
		}
		dbtest.Unavailable(t, name+" is not installed (qpdf, poppler-utils, zbar-tools)")
	}
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// upload sends a form with one file.
func (b *visit) upload(path, field, name string, file []byte, values ...string) page {
	b.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for i := 0; i+1 < len(values); i += 2 {
		_ = m.WriteField(values[i], values[i+1])
	}
	if name != "" {
		part, _ := m.CreateFormFile(field, name)
		_, _ = part.Write(file)
	}
	m.Close()
	r, _ := http.NewRequest("POST", b.server.URL+path, &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Accept-Language", "de")
	return b.do(r)
}

// writes saves and submits a week.
func (b *visit) writes(week, work string, more ...string) page {
	b.t.Helper()
	check := b.follow("/reports/"+week, append([]string{"version", "0", "do", "check", "work", work}, more...)...)
	return b.follow("/reports/"+week+"/submit", "version", check.version())
}

// drain works off what is due.
func (w *world) drain() {
	w.t.Helper()
	w.portal.Jobs.On(mail.Kind, func(context.Context, []byte) error { return nil })
	if err := w.portal.Jobs.Drain(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

// The book goes out as a PDF made by a job, and whoever holds it finds out that
// it is genuine without reading a name.
func TestTheBookGoesOut_R224_R226(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		bert := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer"))
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		emil := w.comes(claims("emil", "Emil", "Fremd", "korn", "apprentice"))
		anna.writes("2026-W45", "Öfen geputzt, Größe 3", "d1_attendance", "vacation", "d2_attendance", "vacation", "d3_attendance", "school")
		anna.writes("2026-W46", "Sauerteig 🥨 angesetzt")
		emil.writes("2026-W46", "Geheimes von Emil")
		id := idOf(t, bert.get("/reviews"))
		bert.follow("/reviews/"+id+"/sign-off", "version", bert.get("/reviews/"+id).version())
		w.later(11 * time.Minute) // so long it can be taken back, see TestOthersTakeABookOut
		anna.follow("/reports/2026-W47", "version", "0", "do", "save", "work", "Noch ein Entwurf")

		anna.get("/reports/export").is(200).has("Das ganze Heft", "Einen Zeitraum", "Eine Woche")
		waiting := anna.follow("/reports/export", "scope", "book").is(200).has("Ihr PDF entsteht", `http-equiv="refresh"`)
		second := anna.post("/reports/export", "scope", "book").is(303) // pressed twice: one order
		w.drain()
		ready := anna.get(second.location).is(200).has("Fertig", "3 Nachweise, davon 1 abgezeichnet", "PDF herunterladen").lacks("http-equiv")
		_ = waiting
		emil.get(second.location).is(404)
		emil.get(second.location + "/file").is(404)
		emil.post(second.location + "/drop").is(404)
		bert.get("/reports/export").is(403)
		bert.post("/reports/export", "scope", "book").is(403)

		pdf := anna.get(second.location + "/file").is(200)
		if pdf.header.Get("Content-Disposition") != `attachment; filename="Berichtsheft.pdf"` || pdf.header.Get("Content-Type") != "application/pdf" {
			t.Error(pdf.header)
		}
		path := filepath.Join(t.TempDir(), "heft.pdf")
		if err := os.WriteFile(path, []byte(pdf.body), 0o600); err != nil {
			t.Fatal(err)
		}
		program(t, "qpdf", "--check", path)
		said := program(t, "pdftotext", "-layout", path, "-")
		for _, want := range []string{"Berichtsheft", "Anna Muster", "Bäckerei korn", "Inhalt", "Woche 45 / 2026", "Woche 46 / 2026", "Öfen geputzt, Größe 3", "Sauerteig", "Noch ein Entwurf", "Entwurf", "Abwesenheiten", "02.11. – 03.11.2026", "Urlaub", "Protokoll der Freizeichnung", "Bert Meister"} {
			if !strings.Contains(said, want) {
				t.Errorf("the PDF lacks %q:\n%s", want, said)
			}
		}
		if strings.Contains(said, "Emil") {
			t.Error("the PDF has what somebody else wrote")
		}
		program(t, "pdftoppm", "-r", "150", "-f", "1", "-l", "1", "-png", path, strings.TrimSuffix(path, ".pdf"))
		images, _ := filepath.Glob(strings.TrimSuffix(path, ".pdf") + "*.png")
		qr := strings.TrimSpace(program(t, "zbarimg", "--quiet", "--raw", images[0]))
		address, code, ok := strings.Cut(qr, "/verify/")
		if !ok || address != w.server.URL || len(code) != 12 {
			t.Fatalf("the QR code says %q", qr)
		}

		// Anybody checks it; nobody reads a name.
		s := w.stranger()
		s.get("/verify").is(200).has("Dokument prüfen")
		s.post("/verify", "code", "kurz").is(422).has("Der Code hat 12 Zeichen", "kurz")
		s.post("/verify", "code", "AAAA-AAAA-AAAA").is(422).has("kennen wir kein Dokument")
		grouped := code[:4] + "-" + strings.ToLower(code[4:8]) + " " + code[8:]
		verified := s.follow("/verify", "code", grouped).is(200).has("wurde hier erstellt", "Berichtsheft, vollständig", "A. M.", "3, davon 1 abgezeichnet", "Keine Freizeichnung wurde zurückgenommen")
		verified.lacks("Anna", "Muster<", "korn", "Öfen")
		s.upload("/verify/"+code, "file", "heft.pdf", []byte(pdf.body)).is(200).has("Die Datei ist echt").lacks("Anna")
		s.upload("/verify/"+code, "file", "heft.pdf", []byte(pdf.body+" ")).is(200).has("Diese Datei ist eine andere")
		s.upload("/verify/"+code, "file", "", nil).is(422).has("Wählen Sie die PDF-Datei aus")
		s.upload("/verify/"+code, "file", "leer.pdf", nil).is(422)

		// What was taken back afterwards shows (R335).
		later := now.Add(time.Hour)
		d.Now = func() time.Time { return later }
		bert.signIn()
		bert.follow("/reviews/"+id+"/reopen", "version", bert.get("/reviews/"+id).version(), "reason", "Doch nicht")
		s.get("/verify/" + code).is(200).has("Ein Nachweis wurde seitdem nachträglich zurückgegeben")

		// Only what was signed off; nothing of it is left.
		anna.signIn()
		empty := anna.post("/reports/export", "scope", "book", "signed", "1").is(303)
		w.drain()
		anna.get(empty.location).is(200).has("Keine Nachweise")

		// One week, and a time.
		week := anna.post("/reports/export", "scope", "week", "week", "2026-w46").is(303)
		period := anna.post("/reports/export", "scope", "period", "from", "2.11.2026", "until", "2026-11-08").is(303)
		w.drain()
		anna.get(week.location).has("1 Nachweise, davon 0", "09.11. – 15.11.2026")
		anna.get(period.location).has("1 Nachweise, davon 0", "02.11. – 08.11.2026")
		if name := anna.get(week.location + "/file").is(200).header.Get("Content-Disposition"); !strings.Contains(name, "Ausbildungsnachweis-2026-W46.pdf") {
			t.Error(name)
		}
		for _, bad := range [][]string{{"scope", "period"}, {"scope", "period", "from", "31.02.2026", "until", "x"}, {"scope", "period", "from", "2.2.2026", "until", "1.2.2026"}, {"scope", "week"}, {"scope", "week", "week", "2026-W99"}, {"scope", "alles"}} {
			anna.post("/reports/export", bad...).is(422).has("Fehler:")
		}

		// Deleted by hand, or by time; verifying goes on.
		anna.follow(second.location + "/drop").has("Die Datei ist gelöscht")
		anna.get(second.location + "/file").is(409)
		later = now.Add(8 * 24 * time.Hour)
		if err := export.Sweep(context.Background(), d); err != nil {
			t.Fatal(err)
		}
		anna.signIn()
		anna.get(week.location + "/file").is(409)
		anna.get("/reports/export").lacks("Ihre Dateien")
		s.get("/verify/" + code).is(200).has("A. M.")
		if n := count(t, d, "export_part"); n != 0 {
			t.Errorf("%d parts of files are left", n)
		}
		later = now.Add(6 * 365 * 24 * time.Hour)
		if err := export.Sweep(context.Background(), d); err != nil {
			t.Fatal(err)
		}
		if n := count(t, d, "export"); n != 0 {
			t.Errorf("%d exports are left", n)
		}
		_ = ready
	})
}

func count(t *testing.T, d *db.DB, table string) (n int) {
	t.Helper()
	if err := d.Read(context.Background(), func(tx *db.Tx) (err error) {
		n, err = db.Value[int](tx, `SELECT count(*) FROM `+table)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// Many workers at one order: one file is stored; and a mail goes only to who
// had to wait.
func TestAnOrderIsMadeOnce(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		anna.writes("2026-W46", "Sauerteig angesetzt")
		at := anna.post("/reports/export", "scope", "book").is(303).location
		id := strings.TrimPrefix(at, "/exports/")
		later := now.Add(2 * time.Minute)
		d.Now = func() time.Time { return later }
		m := &export.Maker{DB: d, Base: w.server.URL, Catalog: catalog(t)}
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if err := m.Make(context.Background(), []byte(`{"id":"`+id+`"}`)); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		anna.get(at).is(200).has("Fertig")
		if n := count(t, d, "export_part"); n != 1 {
			t.Errorf("%d parts stored, wanted 1", n)
		}
		ready := 0
		for _, m := range w.mails("anna@beispiel.example") {
			if strings.Contains(m.Subject, "liegt als PDF bereit") {
				ready++
			}
		}
		if ready != 1 {
			t.Errorf("%d mails that it is ready, wanted 1", ready)
		}
	})
}

// Who orders without end waits.
func TestOrdersAreLimited(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
	for i := range 13 {
		p := anna.post("/reports/export", "scope", "week", "week", fmt.Sprintf("2026-W%02d", i+10))
		if want := map[bool]int{true: 303, false: 429}[i < 12]; p.status != want {
			t.Errorf("order %d answered %d, wanted %d", i, p.status, want)
		}
	}
	s := w.stranger()
	got := 0
	for range 40 {
		if s.post("/verify", "code", "AAAA-AAAA-AAAA").status == 429 {
			got++
		}
	}
	if got == 0 {
		t.Error("codes can be tried without end")
	}
}

func catalog(t testing.TB) *i18n.Catalog {
	t.Helper()
	c, err := portal.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A whole book of 150 weeks is made in under three seconds, pages and all.
func BenchmarkWholeBook150(b *testing.B) {
	dbtest.EachB(b, schema.Files, func(b *testing.B, d *db.DB) {
		w := newWorld(b, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		file := "week;work;instruction;school;attendance\n"
		for week, n := (calendar.Week{Year: 2024, Number: 1}), 0; n < 150; week, n = week.Add(1), n+1 {
			file += fmt.Sprintf("%s;%s;%s;%s;%s vacation\n", week, strings.Repeat("Server gewartet und Größe geprüft. ", 20), "Sicherheit", strings.Repeat("Netzwerke. ", 20), week.Date(1))
		}
		anna.follow(anna.upload("/reports/import", "file", "heft.csv", []byte(file)).is(303).location).has("150 Wochen sind jetzt Entwürfe")
		m := &export.Maker{DB: d, Base: w.server.URL, Catalog: catalog(b)}
		for b.Loop() {
			b.StopTimer()
			at := anna.post("/reports/export", "scope", "book").is(303).location
			b.StartTimer()
			if err := m.Make(context.Background(), []byte(`{"id":"`+strings.TrimPrefix(at, "/exports/")+`"}`)); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			anna.get(at).has("150 Nachweise")
			anna.post(at + "/drop").is(303)
			if err := d.Write(context.Background(), func(tx *db.Tx) error { _, err := tx.Exec(`DELETE FROM limit_bucket`); return err }); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
		if perBook := b.Elapsed() / time.Duration(b.N); perBook > 3*time.Second {
			b.Errorf("a book takes %s", perBook)
		}
	})
}
