package portal_test

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/export"
	"zunft/internal/training/person"
	"zunft/internal/training/schema"
)

// exec changes the database as no page does.
func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	if err := w.d.Write(context.Background(), func(tx *db.Tx) error { _, err := tx.Exec(query, args...); return err }); err != nil {
		w.t.Fatal(err)
	}
}

// later moves the clock and works off what is due then.
func (w *world) later(after time.Duration) {
	w.t.Helper()
	then := w.d.Now().Add(after)
	w.d.Now = func() time.Time { return then }
	w.drain()
}

// described gives anna an apprenticeship of the registry with a trainer.
func (w *world) described(sub, trainer string) {
	w.exec(`INSERT INTO apprenticeship (id, person, company, chamber_number, given_name, family_name, occupation, starts_on, ends_on, source, created_at, changed_at)
		SELECT 'a-' || sub, sub, 'korn', '999', given_name, family_name, 'baecker', '2025-08-01', '2028-07-31', 'registry', $2, $2 FROM person WHERE sub = $1`, sub, db.At(now))
	w.exec(`INSERT INTO assignment (id, apprenticeship, person, role, from_day, until_day, created_at) VALUES ('x1', $1, 'vorher', 'trainer', '2025-08-01', '2026-03-31', $3), ('x2', $1, $2, 'trainer', '2026-04-01', '', $3)`, "a-"+sub, trainer, db.At(now))
}

// said checks a PDF that was ordered and returns its text.
func said(t *testing.T, b *visit, at string) string {
	t.Helper()
	text, _ := checked(t, b, at+"/file")
	return text
}

// checked returns a PDF's text, and where it lies.
func checked(t *testing.T, b *visit, at string) (text, path string) {
	t.Helper()
	pdf := b.get(at).is(200)
	path = filepath.Join(t.TempDir(), "heft.pdf")
	if err := os.WriteFile(path, []byte(pdf.body), 0o600); err != nil {
		t.Fatal(err)
	}
	program(t, "qpdf", "--check", path)
	return program(t, "pdftotext", "-layout", path, "-"), path
}

// R224, R330: each kind of PDF is sound and says the same: of one's own week, of
// a report one reads, of a week, a time and the whole book with a cover whose
// code /verify knows. While a sign-off can be taken back, none tells of it.
func TestEachKindOfPDF_R224_R330(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
	bert := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer"))
	anna.writes("2026-W46", "Öfen geputzt")
	report := "/reviews/" + idOf(t, bert.get("/reviews"))
	bert.follow(report+"/sign-off", "version", bert.get(report).version())
	for _, settled := range []bool{false, true} {
		if settled {
			w.later(11 * time.Minute)
		}
		files := map[string]*visit{"/reports/2026-W46.pdf": anna, report + ".pdf": bert}
		for _, wish := range [][]string{{"scope", "week", "week", "2026-W46"}, {"scope", "period", "from", "1.11.2026", "until", "30.11.2026"}, {"scope", "book"}} {
			files[anna.post("/reports/export", wish...).is(303).location+"/file"] = anna
		}
		w.drain()
		for at, b := range files {
			text, path := checked(t, b, at)
			wants(t, text, "Anna Muster", "Öfen geputzt", map[bool]string{false: "in Durchsicht", true: "Abgezeichnet"}[settled])
			if strings.Contains(text, "Bert Meister") != settled {
				t.Errorf("%s, settled: %t:\n%s", at, settled, text)
			}
			if !strings.HasSuffix(at, "/file") {
				continue
			}
			program(t, "pdftoppm", "-r", "150", "-l", "1", "-png", path, path)
			images, _ := filepath.Glob(path + "*.png")
			_, code, ok := strings.Cut(strings.TrimSpace(program(t, "zbarimg", "--quiet", "--raw", images[0])), "/verify/")
			if !ok {
				t.Fatalf("%s has no code", at)
			}
			w.stranger().get("/verify/"+code).is(200).has("A. M.", map[bool]string{false: "1, davon 0 abgezeichnet", true: "1, davon 1 abgezeichnet"}[settled]).lacks("Anna", "Öfen")
		}
	}
}

func wants(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(text, want) {
			t.Errorf("the PDF lacks %q:\n%s", want, text)
		}
	}
}

func lacks(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, not := range all {
		if strings.Contains(text, not) {
			t.Errorf("the PDF has %q:\n%s", not, text)
		}
	}
}

// R236, R333: who accompanies an apprentice, the company's training admin and a
// chamber while its look runs take a book out: what was submitted, nothing that
// is being written. Everybody else finds nothing, and the owner reads who did.
// A sign-off that can be taken back (R330) is none on paper and in data.
func TestOthersTakeABookOut_R236_R330_R333(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		bert := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer"))
		carla := w.comes(claims("carla", "Carla", "Leitung", "korn", "training_admin"))
		rudi := w.comes(claims("rudi", "Rudi", "Anders", "korn", "trainer"))
		vera := w.comes(claims("vera", "Vera", "Fremd", "mehl", "trainer", "training_admin"))
		emil := w.comes(claims("emil", "Emil", "Azubi", "korn", "apprentice"))
		w.comes(claims("vorher", "Frida", "Früher", "korn", "trainer"))
		if err := d.Write(context.Background(), func(tx *db.Tx) error { return person.AddOffice(tx, audit.Console, "amt", "999") }); err != nil {
			t.Fatal(err)
		}
		clara := w.comes(claims("clara", "Clara", "Kammer", "amt", "chamber_clerk"))
		w.described("anna", "bert")

		decide := func(week, deed, reason string) {
			t.Helper()
			id := idOf(t, bert.get("/reviews"))
			bert.follow("/reviews/"+id+"/"+deed, "version", bert.get("/reviews/"+id).version(), "reason", reason)
		}
		anna.writes("2026-W43", "Wird gerade verbessert")
		decide("2026-W43", "return", "Der Trainer schreibt etwas")
		anna.writes("2026-W44", "Öfen geputzt", "d1_attendance", "vacation", "d2_attendance", "company", "d2_place", "Backstube", "sections", "4n3vxudo")
		decide("2026-W44", "sign-off", "Sehr ordentlich")
		w.later(11 * time.Minute)
		anna.writes("2026-W45", "Teige angesetzt")
		anna.follow("/reports/2026-W46", "version", "0", "do", "save", "work", "Noch ein Entwurf")
		anna.writes("2026-W47", "Gerade abgezeichnet")
		last := "/reviews/" + w.text(`SELECT id FROM report WHERE week = 47`)
		bert.follow(last+"/sign-off", "version", bert.get(last).version())

		// In data, too, what can be taken back is in review (R330).
		data := anna.get("/reports/export.json").is(200)
		if n := strings.Count(data.body, `"state": "signed_off"`); n != 1 || !strings.Contains(data.body, `"state": "checked"`) {
			t.Errorf("%d signed off in the data:\n%s", n, data.body)
		}
		if csv := anna.get("/reports/export.csv").body; strings.Count(csv, ";signed_off;") != 1 {
			t.Error(csv)
		}

		bert.get("/trainees/anna").is(200).has("/trainees/anna/export")
		bert.get("/trainees/anna/export").is(200).has("Das Berichtsheft von Anna Muster", "sieht, dass Sie es ausgegeben haben").lacks("CSV", "Zugangsschlüssel")
		for who, b := range map[string]*visit{"another trainer": rudi, "another company": vera} {
			if p := b.get("/trainees/anna/export"); p.status != 404 {
				t.Errorf("%s reads the page: %d", who, p.status)
			}
			b.post("/trainees/anna/export", "scope", "book").is(404)
			b.get("/chamber/report-books/x/export").is(403)
		}
		emil.get("/trainees/anna/export").is(403)
		emil.post("/trainees/anna/export", "scope", "book").is(403)
		clara.get("/trainees/anna/export").is(403)
		bert.post("/trainees/anna/export", "scope", "period").is(422).has("Das Berichtsheft von Anna Muster", "Geben Sie den ersten Tag ein")

		at := bert.post("/trainees/anna/export", "scope", "book").is(303).location
		bert.post("/trainees/anna/export", "scope", "book").is(303)
		admins := carla.post("/trainees/anna/export", "scope", "book").is(303).location
		if at == admins {
			t.Fatal("two people share an order")
		}
		w.drain()
		bert.get(at).is(200).has("Anna Muster", "3 Nachweise, davon 1 abgezeichnet", "/trainees/anna/export")
		bert.get("/trainees/anna/export").has("Ihre Dateien", at)
		carla.get("/trainees/anna/export").lacks(at)
		rudi.get(at + "/file").is(404)
		anna.get(at + "/file").is(404) // hers is another one: with her drafts
		text := said(t, bert, at)
		wants(t, text, "Anna Muster", "Bäckerei korn", "Bäcker", "01.08.2025 – 31.07.2028", "Frida Früher", "Bert Meister, seit 01.04.2026", "3, davon 1 abgezeichnet (in Durchsicht: 1, Eingereicht: 1)",
			"Urlaub: ein Tag", "Betrieb: ein Tag", "Öfen geputzt", "Sehr ordentlich", "Backstube", "Teige angesetzt", "Gerade abgezeichnet", "Bezug zum Ausbildungsplan", "Sicherheit und Gesundheit",
			"1 von 4 Abschnitten belegt", "Protokoll der Freizeichnung")
		lacks(t, text, "Noch ein Entwurf", "Wird gerade verbessert")
		if n := strings.Count(text, "abgezeichnet ") + strings.Count(text, "abgezeichnet\n"); n == 0 {
			t.Error("nothing is signed off")
		}
		pending := text[strings.Index(text, "Gerade abgezeichnet"):]
		pending, _, _ = strings.Cut(pending, "Abwesenheiten")
		lacks(t, pending, "Bert Meister")
		carla.get(admins + "/file").is(200)

		// The chamber, only while its look runs.
		clara.get("/chamber/report-books/nothing/export").is(404)
		anna.follow("/shares", "days", "14").is(200)
		share := w.text(`SELECT id FROM share`)
		clara.get("/chamber/report-books/" + share).is(200).has("/chamber/report-books/" + share + "/export")
		clara.get("/chamber/report-books/" + share + "/export").is(200).has("Das Berichtsheft von Anna Muster")
		bert.post("/chamber/report-books/"+share+"/export", "scope", "book").is(403)
		kept := clara.post("/chamber/report-books/"+share+"/export", "scope", "book").is(303).location
		w.drain()
		text = said(t, clara, kept)
		wants(t, text, "Öfen geputzt", "Teige angesetzt")
		lacks(t, text, "Noch ein Entwurf", "Wird gerade verbessert", "Sehr ordentlich", "Der Trainer schreibt etwas")
		anna.get("/shares").is(200).has("Wer hat das Heft ausgegeben?", "<strong>Bert Meister</strong> (Bäckerei korn): das ganze Heft als PDF", "<strong>Carla Leitung</strong>", "<strong>Clara Kammer</strong> (Kammer): das ganze Heft als PDF")
		emil.get("/shares").is(200).lacks("Wer hat das Heft ausgegeben?")
		waiting := clara.post("/chamber/report-books/"+share+"/export", "scope", "week", "week", "2026-W44").is(303).location
		anna.follow("/shares/" + share + "/end").is(200)
		clara.get(kept).is(404)
		clara.get(kept + "/file").is(404)
		clara.post("/chamber/report-books/"+share+"/export", "scope", "book").is(404)
		w.drain()
		if n := w.count(`SELECT count(*) FROM export_part WHERE export = '` + strings.TrimPrefix(waiting, "/exports/") + `'`); n != 0 {
			t.Error("a file was made although the look had ended")
		}
		if n := w.count(`SELECT count(*) FROM audit WHERE event = 'export.ordered' AND account = 'anna'`); n != 4 {
			t.Errorf("%d orders recorded", n)
		}
		if n := w.count(`SELECT count(*) FROM share_look`); n != 3 { // the page, and two orders
			t.Errorf("%d looks recorded", n)
		}

		// Who does not accompany her any more gets nothing of what was made before.
		w.exec(`UPDATE assignment SET until_day = '2026-11-17' WHERE id = 'x2'`)
		w.exec(`INSERT INTO assignment (id, apprenticeship, person, role, from_day, created_at) VALUES ('x3', 'a-anna', 'rudi', 'trainer', '2026-11-18', $1)`, db.At(now))
		bert.get(at + "/file").is(404)
		rudi.get("/trainees/anna/export").is(200)

		// Ten minutes later it is signed off (R330).
		w.later(11 * time.Minute)
		own := anna.post("/reports/export", "scope", "book").is(303).location
		w.drain()
		wants(t, said(t, anna, own), "5, davon 2 abgezeichnet", "Noch ein Entwurf")
	})
}

// A job that dies at any moment leaves nothing behind, and starts again.
func TestAMakerThatDies(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		anna.writes("2026-W46", "Sauerteig angesetzt")
		at := anna.post("/reports/export", "scope", "book").is(303).location
		body := []byte(`{"id":"` + strings.TrimPrefix(at, "/exports/") + `"}`)
		m := &export.Maker{DB: d, Base: w.server.URL, Catalog: catalog(t)}
		died := 0
		for left := time.Duration(0); ; left += 2 * time.Millisecond {
			ctx, cancel := context.WithTimeout(context.Background(), left)
			err := m.Make(ctx, body)
			cancel()
			parts := w.count(`SELECT count(*) FROM export_part`)
			if err == nil {
				if parts != 1 {
					t.Errorf("%d parts when it is made", parts)
				}
				break
			}
			died++
			if parts != 0 || w.count(`SELECT count(*) FROM audit WHERE event = 'export.made'`) != 0 {
				t.Fatalf("a job that died left %d parts", parts)
			}
		}
		if died == 0 {
			t.Error("it never died")
		}
		anna.get(at).is(200).has("Fertig")
	})
}

// Names of any script, length and direction do not break the book, in both languages.
func TestABookOfManyScripts(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	c := claims("anna", "Änne-Sofie 🥨 عائشة", strings.Repeat("Şahin-Öztürk-Lüdenscheidt ", 6)+"日本", "korn", "apprentice")
	c.Company.Name = "Bäckerei & Konditorei „Zum güldenen Ährenkranz“ Groß-Umstadt Gesellschaft mit beschränkter Haftung & Co. KG 🍞"
	anna := w.comes(c)
	for _, trainer := range []string{"bert", "vorher"} {
		other := claims(trainer, trainer, "Meister", "korn", "trainer")
		other.Company = c.Company
		w.comes(other)
	}
	w.described("anna", "bert")
	anna.writes("2026-W45", "שלום עולם — Öfen 🧯, مرحبا بالعالم, 中文, e\u0301, "+strings.Repeat("Donaudampfschifffahrtsgesellschaft", 9))
	for i := range 8 {
		week := fmt.Sprintf("2026-W%02d", 30+i)
		anna.writes(week, strings.Repeat("Roggenteige angesetzt, Brötchen geformt und Öfen beschickt. ", 6), "d1_attendance", "company", "d2_attendance", "school", "d3_attendance", "vacation", "d4_attendance", "sick", "d5_attendance", "course", "d1_text", "Teige", "sections", "tiayl2xs")
	}
	de := anna.post("/reports/export", "scope", "book").is(303).location
	w.drain()
	text := said(t, anna, de)
	wants(t, text, "Änne-Sofie", "Şahin-Öztürk", "Ährenkranz", "9, davon 0 abgezeichnet (Eingereicht: 9)", "Berufsschule: 8 Tage", "Digitalisierte Arbeitswelt", "Inhalt")
	r, _ := http.NewRequest("POST", w.server.URL+"/reports/export", strings.NewReader("scope=book"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Accept-Language", "en")
	en := anna.do(r).is(303).location
	w.drain()
	wants(t, said(t, anna, en), "Report book", "9, of which 0 signed off", "Training plan", "8 days")
}

// All attachments leave as one archive, piece by piece: what the server holds
// does not grow with them.
func TestTheArchiveNeedsNoMemory(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
	anna.writes("2026-W46", "Sauerteig angesetzt")
	report := w.text(`SELECT id FROM report`)
	const files, parts, size = 64, 4, 512 << 10 // 128 MB
	piece := make([]byte, size)
	for i := range files {
		id := fmt.Sprintf("f%03d", i)
		w.exec(`INSERT INTO attachment (id, report, name, kind, size, sha256, added_at, added_by) VALUES ($1, $2, 'Ofen.png', 'png', $3, $1, $4, 'anna')`, id, report, parts*size, db.At(now))
		for n := range parts {
			piece[0] = byte(i)
			w.exec(`INSERT INTO attachment_part (attachment, number, bytes) VALUES ($1, $2, $3)`, id, n, piece)
		}
	}
	r, _ := http.NewRequest("GET", w.server.URL+"/reports/attachments.zip", nil)
	res, err := anna.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	live := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "a.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	before, most, all := live(), uint64(0), int64(0)
	for {
		n, err := io.CopyN(file, res.Body, 8<<20)
		all, most = all+n, max(most, live())
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if most > before+24<<20 {
		t.Errorf("%d MB held while %d MB were sent", (most-before)>>20, all>>20)
	}
	z, err := zip.NewReader(file, all)
	if err != nil || len(z.File) != files || z.File[1].Name != "2026-W46/Ofen (2).png" {
		t.Fatal(err, len(z.File))
	}
	b, err := z.File[files-1].Open()
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(b)
	if err != nil || len(got) != parts*size || got[0] != files-1 {
		t.Error(err, len(got))
	}
}

func (w *world) text(query string) (s string) {
	w.t.Helper()
	if err := w.d.Read(context.Background(), func(tx *db.Tx) (err error) { s, err = db.Value[string](tx, query); return err }); err != nil {
		w.t.Fatal(err)
	}
	return s
}
