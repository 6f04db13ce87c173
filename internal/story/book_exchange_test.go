package story_test

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/browser"
	"zunft/internal/ground/dbtest"
	"zunft/internal/story"
)

// untilReady reloads as the page does by itself, until the file is there. The
// story's workers make it meanwhile.
func (p *person) untilReady() {
	p.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); p.Reload() {
		if p.Has("Fertig") {
			return
		}
	}
	p.t.Fatal("the PDF is not made:\n", p.Text())
}

// Lena takes her book out on a phone, somebody who got it checks that it is
// genuine; she brings in what she wrote elsewhere, and a program of hers writes
// (ux.md 4, nos. 17 and 24).
func TestOutAndIn_R224_R226(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		lena := onPhone(t, w, "lena")
		week, before := weekAgo(0), weekAgo(1)
		lena.Open(w.Training + "/reports/" + week.String())
		lena.Fill("Betriebliche Tätigkeiten", "Roggenteige angesetzt, Brötchen geformt.")
		lena.Press("Prüfen und einreichen")
		lena.Press("Jetzt einreichen")

		lena.Open(w.Training + "/reports")
		lena.Follow("Berichtsheft ausgeben")
		lena.Press("PDF erstellen")
		lena.untilReady()
		lena.HasText("1 Nachweise, davon 0 abgezeichnet")
		header, pdf := lena.Download("PDF herunterladen")
		if header.Get("Content-Type") != "application/pdf" || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
			t.Fatal(header)
		}
		path := filepath.Join(t.TempDir(), "heft.pdf")
		if err := os.WriteFile(path, pdf, 0o600); err != nil {
			t.Fatal(err)
		}
		code := coverCode(t, path)

		anybody := &person{browser.New(t, browser.Options{Width: 360}), t, w, ""}
		anybody.Open(w.Training + "/verify")
		anybody.Fill("Code", code)
		anybody.Press("Prüfen")
		anybody.HasText("Dieses Dokument wurde hier erstellt")
		anybody.HasText("L.")
		anybody.LacksText("Lena")
		anybody.Upload("PDF-Datei", path)
		anybody.Press("Vergleichen")
		anybody.HasText("Die Datei ist echt")

		lena.Open(w.Training + "/reports")
		lena.Follow("Berichte einlesen")
		old := filepath.Join(t.TempDir(), "altes Heft.csv")
		if err := os.WriteFile(old, []byte("Woche;Tätigkeiten;Berufsschule\n"+before.String()+";Sauerteig gepflegt;Hefe\n"+week.String()+";zu spät;\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		lena.Upload("Datei", old)
		lena.Press("Lesen und ansehen")
		lena.HasText("2 Wochen gefunden")
		lena.HasText("schon eingereicht")
		lena.Press("Als Entwürfe übernehmen")
		lena.HasText("Eine Woche ist jetzt ein Entwurf")
		lena.Open(w.Training + "/reports/" + before.String())
		if got := lena.Value("Betriebliche Tätigkeiten"); got != "Sauerteig gepflegt" {
			t.Error(got)
		}

		lena.Open(w.Training + "/settings/tokens")
		lena.Fill("Wofür ist der Schlüssel?", "Skript")
		lena.Choose("Lesen und Entwürfe schreiben")
		lena.Press("Schlüssel erstellen")
		key := regexp.MustCompile(`zt_[A-Za-z0-9_-]{43}`).FindString(lena.Text())
		r, _ := http.NewRequest("PUT", w.Training+"/api/v1/reports/"+weekAgo(2).String(), strings.NewReader(`{"version":0,"work":"Vom Skript"}`))
		r.Header.Set("Authorization", "Bearer "+key)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Error("the program gets", res.StatusCode)
		}
		lena.Open(w.Training + "/reports/" + weekAgo(2).String())
		if got := lena.Value("Betriebliche Tätigkeiten"); got != "Vom Skript" {
			t.Error(got)
		}
	})
}

// coverCode is the code on the cover of a PDF.
func coverCode(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command("pdftotext", "-layout", "-l", "1", path, "-").Output()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		dbtest.Unavailable(t, "pdftotext is not installed (poppler-utils)")
	}
	code := regexp.MustCompile(`[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4}`).FindString(string(out))
	if code == "" {
		t.Fatalf("no code on the cover:\n%s", out)
	}
	return code
}

// Every page and state of out and in: axe, light and dark, 320 pixels.
func TestGalleryBookExchange(t *testing.T) {
	t.Parallel() // they meet nobody: two look at once, on two cores
	w := start(t, "sqlite", story.Options{})
	lena := onPhone(t, w, "lena")
	lena.Open(w.Training + "/reports/" + weekAgo(1).String())
	lena.Fill("Betriebliche Tätigkeiten", "Roggenteige angesetzt, Brötchen geformt.")
	lena.Press("Prüfen und einreichen")
	lena.Press("Jetzt einreichen")
	lena.Open(w.Training + "/reports/" + weekAgo(2).String())
	lena.Fill("Betriebliche Tätigkeiten", "Öfen geputzt")
	lena.Press("Speichern")

	lena.Open(w.Training + "/reports/export")
	lena.Inspect("exchange-export")
	lena.Choose("Einen Zeitraum")
	lena.Press("PDF erstellen")
	lena.HasText("Geben Sie den ersten Tag ein")
	lena.Inspect("exchange-export-failed")
	lena.Open(w.Training + "/reports/export")
	lena.Press("PDF erstellen")
	lena.untilReady()
	lena.Inspect("exchange-ready")
	_, pdf := lena.Download("PDF herunterladen")
	path := filepath.Join(t.TempDir(), "heft.pdf")
	if err := os.WriteFile(path, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	lena.Open(w.Training + "/reports/export")
	lena.Inspect("exchange-export-files")

	s := &person{browser.New(t, browser.Options{Width: 360}), t, w, ""}
	s.Open(w.Training + "/verify")
	s.Inspect("exchange-verify")
	s.Fill("Code", "AAAA-AAAA-AAAA")
	s.Press("Prüfen")
	s.Inspect("exchange-verify-unknown")
	s.Fill("Code", coverCode(t, path))
	s.Press("Prüfen")
	s.Inspect("exchange-verify-known")
	s.Upload("PDF-Datei", path)
	s.Press("Vergleichen")
	s.Inspect("exchange-verify-same")
	if err := os.WriteFile(path, append(pdf, ' '), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Upload("PDF-Datei", path)
	s.Press("Vergleichen")
	s.Inspect("exchange-verify-different")
	s.Open(w.Training + "/api")
	s.Inspect("exchange-api")

	lena.Open(w.Training + "/reports/import")
	lena.Inspect("exchange-import")
	lena.Press("Lesen und ansehen")
	lena.Inspect("exchange-import-failed")
	take := func(name, content string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		lena.Open(w.Training + "/reports/import")
		lena.Upload("Datei", file)
		lena.Press("Lesen und ansehen")
	}
	take("altes Heft.csv", "Woche;Tätigkeiten\n"+weekAgo(3).String()+";Sauerteig gepflegt\n"+weekAgo(2).String()+";Etwas anderes\n"+weekAgo(1).String()+";zu spät\n"+weekAgo(0).String()+";"+strings.Repeat("x", 8001)+"\n2019-W40;lange her\n")
	lena.Inspect("exchange-intake")
	lena.Press("Als Entwürfe übernehmen")
	lena.Inspect("exchange-intake-done")
	take("Stundenplan.ics", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261117T080000\nDTEND:20261117T093000\nSUMMARY:Wirtschaft und Soziales\nLOCATION:R 7\nRRULE:FREQ=WEEKLY;COUNT=30;BYDAY=TU,TH\nEND:VEVENT\nEND:VCALENDAR\n")
	lena.Inspect("exchange-lessons")
	lena.Press("30 Stunden übernehmen")
	lena.Inspect("exchange-lessons-done")

	lena.Open(w.Training + "/settings/tokens")
	lena.Inspect("exchange-tokens-none")
	lena.Fill("Wofür ist der Schlüssel?", "Skript auf meinem Rechner")
	lena.Press("Schlüssel erstellen")
	lena.Inspect("exchange-tokens-issued")
	lena.Press("Widerrufen")
	lena.Inspect("exchange-tokens-revoked")
}
