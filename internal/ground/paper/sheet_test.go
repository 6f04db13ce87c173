package paper

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// R224, R226, R227: the week as a document has its head, its parts and who
// signed it off, on one page where the week is an ordinary one.
func TestR224WeekOnPaper(t *testing.T) {
	path := save(t, sheetPDF(t, week()))
	tool(t, "qpdf", "--check", path)
	text := squeeze(tool(t, "pdftotext", "-layout", path, "-"))
	for _, want := range []string{
		"Ausbildungsnachweis Woche 47/2026", "Anna Ähre", "16.11.2026 – 22.11.2026", "Ausbildungsjahr",
		"Betriebliche Tätigkeiten", "Sauerteig angesetzt", "Unterweisungen", "Themen der Berufsschule", "Triebmittel und Gärführung",
		"Freizeichnung", "21.11.2026, 10:00 Uhr Bert Brot, Ausbilder freigezeichnet", "Keine Einträge", "Anna Ähre · Woche 47/2026 Seite 1 von 1",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the sheet lacks %q:\n%s", want, text)
		}
	}
}

// R226: notes or free text, of any length.
func TestR226LongTextFlowsOverPages(t *testing.T) {
	s := week()
	var b strings.Builder
	for i := range 900 {
		fmt.Fprintf(&b, "Wort%d ", i)
		if i%60 == 59 {
			b.WriteString("\n\n")
		}
	}
	s.Sections[1].Text = b.String()
	for i := range 80 {
		s.Sections[0].Table.Rows = append(s.Sections[0].Table.Rows, []string{"Mo", fmt.Sprintf("Zeile-%d", i), "1"})
	}
	path := save(t, sheetPDF(t, s))
	tool(t, "qpdf", "--check", path)
	ws := wordsOn(t, path)
	last := -1
	for _, w := range ws {
		var n int
		if _, err := fmt.Sscanf(w.text, "Wort%d", &n); err == nil {
			if n != last+1 {
				t.Fatalf("after word %d comes word %d", last, n)
			}
			last = n
		}
		if w.x0 < 20 || w.x1 > 190 || w.y1 > 290 {
			t.Errorf("%q leaves the text area on page %d", w.text, w.page)
		}
	}
	if last != 899 {
		t.Errorf("the last word is %d, want 899", last)
	}
	find(t, ws, "Zeile-79")
	pages := ws[len(ws)-1].page
	heads := 0
	for _, w := range ws {
		if w.text == "Stunden" {
			heads++
		}
	}
	if pages < 4 || heads < 3 {
		t.Errorf("%d pages, the table's head on %d of them", pages, heads)
	}
}

func TestSignatureLinesAndQR(t *testing.T) {
	s := week()
	s.Sign = []string{"Ort, Datum, Auszubildende:r", "Ort, Datum, Ausbilder:in"}
	s.QR = &QR{Text: "https://training.example/verify/7F3K", Caption: "Echtheit prüfen"}
	path := save(t, sheetPDF(t, s))
	tool(t, "pdftoppm", "-r", "150", "-png", path, path)
	pngs, err := filepath.Glob(path + "-*.png")
	if err != nil || len(pngs) == 0 {
		t.Fatal("no pages", err)
	}
	got := tool(t, "zbarimg", append([]string{"-q", "--raw"}, pngs[len(pngs)-1])...)
	if strings.TrimSpace(got) != s.QR.Text {
		t.Errorf("the QR code says %q", got)
	}
}

func TestQRSVG(t *testing.T) {
	const text = "otpauth://totp/Zunft:anna?secret=JBSWY3DPEHPK3PXP&issuer=Zunft"
	svg, err := QRSVG(text, `QR-Code "Anna" <für> die App`)
	if err != nil {
		t.Fatal(err)
	}
	var any struct {
		Label string `xml:"aria-label,attr"`
		Style string `xml:"style,attr"`
	}
	if err := xml.Unmarshal([]byte(svg), &any); err != nil || any.Label != `QR-Code "Anna" <für> die App` {
		t.Fatalf("svg is not sound: %v, label %q", err, any.Label)
	}
	for _, never := range []string{"style", "<script", "data:", " on", "href"} {
		if strings.Contains(strings.SplitN(svg, "aria-label", 2)[0]+strings.SplitN(svg, "shape-rendering", 2)[1], never) {
			t.Errorf("svg has %q", never)
		}
	}
	if len(svg) > 12_000 {
		t.Errorf("svg has %d bytes", len(svg))
	}
	if _, err := QRSVG("", "x"); err == nil {
		t.Error("no text, no error")
	}
	if _, err := QRSVG(strings.Repeat("x", 5000), "x"); err == nil {
		t.Error("too long, no error")
	}
	// Read it back from the screen: one page, as a browser would paint it.
	dir := t.TempDir()
	file := filepath.Join(dir, "qr.html")
	page := `<!doctype html><meta http-equiv="Content-Security-Policy" content="default-src 'none'"><title>QR</title>` + strings.Replace(svg, "<svg ", `<svg width="300" height="300" `, 1)
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	png := filepath.Join(dir, "qr.png")
	tool(t, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--user-data-dir="+filepath.Join(dir, "profile"), "--window-size=400,400", "--screenshot="+png, "file://"+file)
	if got := strings.TrimSpace(tool(t, "zbarimg", "-q", "--raw", png)); got != text {
		t.Errorf("the screen's QR code says %q", got)
	}
}

func BenchmarkLetter(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if err := WriteLetters(&bytes.Buffer{}, []Letter{activation()}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBatch100(b *testing.B) {
	batch := make([]Letter, 100)
	for i := range batch {
		batch[i] = activation()
	}
	b.ReportAllocs()
	var out bytes.Buffer
	for b.Loop() {
		out.Reset()
		if err := WriteLetters(&out, batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(out.Len())/100, "B/letter")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/100, "µs/letter")
}

func BenchmarkSheet(b *testing.B) {
	for b.Loop() {
		if err := WriteSheet(&bytes.Buffer{}, week()); err != nil {
			b.Fatal(err)
		}
	}
}
