package paper

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// R092: the letter reaches the management in a window envelope. The address
// field of DIN 5008 form B holds all of the address and nothing else.
func TestR092AddressStandsInTheWindow(t *testing.T) {
	ws := wordsOn(t, save(t, lettersPDF(t, activation())))
	var inside []string
	for _, w := range ws {
		if w.x0 < fieldX+fieldW && w.y1 > returnY && w.y0 < fieldEnd {
			inside = append(inside, w.text)
			if w.x0 < textX-0.2 || w.x1 > fieldX+fieldW || w.y0 < returnY || w.y1 > fieldEnd+0.6 {
				t.Errorf("%q leaves the address field: %.1f-%.1f, %.1f-%.1f mm", w.text, w.x0, w.x1, w.y0, w.y1)
			}
		}
	}
	got := strings.Join(inside, " ")
	want := "Kammer Musterland · Marktplatz 1 · 12345 Musterstadt Bäckerei Groß &amp; Söhne GmbH Geschäftsführung Frau Łucja Yılmaz-Groß Mühlenstraße 12 a 12347 Musterstadt"
	if got != want {
		t.Errorf("the window shows %q, want %q", got, want)
	}
	near := func(what string, got, want, by float64) {
		if math.Abs(got-want) > by {
			t.Errorf("%s at %.1f mm, want %.1f", what, got, want)
		}
	}
	near("address, top", find(t, ws, "Bäckerei").y0, addressY, 1)
	near("address, left", find(t, ws, "Geschäftsführung").x0, 25, 0.3)
	near("information block, left", find(t, ws, "Unser").x0, 125, 0.3)
	near("information block, top", find(t, ws, "Unser").y0, 50, 1)
	near("subject, top", find(t, ws, "Ihr").y0, 98.4, 1)
	if d := find(t, ws, "21.11.2026"); d.x0 < 125 || d.y1 > infoEnd {
		t.Errorf("the date stands at %.1f, %.1f", d.x0, d.y1)
	}
}

// R098: Identnummer and Kammernummer are in the activation letter; the code
// stands between the folds.
func TestR098NumbersAndCodeInTheMiddleThird(t *testing.T) {
	path := save(t, lettersPDF(t, activation()))
	ws := wordsOn(t, path)
	code := find(t, ws, "K7M4-P2XR-9TQ8")
	if code.page != 1 || code.y0 < fold1 || code.y1 > fold2 {
		t.Errorf("the code stands on page %d at %.1f-%.1f mm, want between %.0f and %.0f", code.page, code.y0, code.y1, fold1, fold2)
	}
	text := tool(t, "pdftotext", "-layout", path, "-")
	for _, want := range []string{"Identnummer       4711002", "Kammernummer      999", "gültig bis 20.01.2027"} {
		if !strings.Contains(squeeze(text), squeeze(want)) {
			t.Errorf("the letter lacks %q:\n%s", want, text)
		}
	}
	tool(t, "qpdf", "--check", path)
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestCodeNeverOnAFold(t *testing.T) {
	fs, err := loadFaces()
	if err != nil {
		t.Fatal(err)
	}
	for n := range 40 { // a text before it that grows line by line
		l := activation()
		l.Blocks = []Block{Paragraph{Text: strings.Repeat("Zeile\n", n) + "Ende"}, Code{Label: "Kennwort", Value: "K7M4-P2XR-9TQ8"}}
		for _, o := range l.layout(fs)[0] {
			if o.kind != opBox {
				continue
			}
			for _, fold := range []float64{fold1, fold2} {
				if o.y < fold && o.y+o.h > fold {
					t.Errorf("after %d lines the box from %.1f to %.1f mm lies on the fold at %.0f", n, o.y, o.y+o.h, fold)
				}
			}
		}
	}
}

func TestMarks(t *testing.T) {
	fs, err := loadFaces()
	if err != nil {
		t.Fatal(err)
	}
	at := map[float64]bool{}
	for _, o := range activation().layout(fs)[0] {
		if o.kind == opLine && o.x < 10 {
			at[o.y] = true
		}
	}
	if len(at) != 3 || !at[105] || !at[210] || !at[148.5] {
		t.Errorf("marks at %v, want 105, 148.5 and 210 mm", at)
	}
}

func TestQRIsReadFromThePrintedPage(t *testing.T) {
	path := save(t, lettersPDF(t, activation()))
	tool(t, "pdftoppm", "-r", "150", "-png", path, path)
	got := strings.TrimSpace(tool(t, "zbarimg", "-q", "--raw", path+"-1.png"))
	if want := "https://konto.kammer-musterland.example/aktivieren"; got != want {
		t.Errorf("the QR code says %q, want %q", got, want)
	}
}

func TestLongLetterRunsOnWithPageNumbers(t *testing.T) {
	l := activation()
	for i := range 40 {
		l.Blocks = append(l.Blocks, Paragraph{Text: fmt.Sprintf("Absatz%d mit etwas Text, der die Seite füllt.", i)})
	}
	short := activation()
	short.Subject = "Kurzer Brief"
	path := save(t, lettersPDF(t, l, short))
	ws := wordsOn(t, path)
	pages := ws[len(ws)-1].page
	if pages != 4 {
		t.Fatalf("%d pages, want 3 of the long letter and 1 of the short", pages)
	}
	for i := range 40 {
		find(t, ws, fmt.Sprintf("Absatz%d", i))
	}
	text := tool(t, "pdftotext", "-layout", path, "-")
	for _, want := range []string{"Seite 1 von 3", "Seite 2 von 3", "Seite 3 von 3"} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q stands %d times", want, strings.Count(text, want))
		}
	}
	if strings.Contains(text, "von 1") {
		t.Error("a letter of one page needs no page number")
	}
}

func TestNamesOfEuropeAndProperties(t *testing.T) {
	l := activation()
	l.To = []string{"Łukasz Yılmaz Groß", "Çağla Özgür-Šimůnková", "Nguyễn Văn Ăn", "Șerban Țepeș", "12345 Ærøskøbing"}
	path := save(t, lettersPDF(t, l))
	text := tool(t, "pdftotext", "-layout", path, "-")
	// Two marks on one letter are more than the face has: the nearest letter stands.
	for _, want := range []string{"Łukasz Yılmaz Groß", "Çağla Özgür-Šimůnková", "Nguyên Văn Ăn", "Șerban Țepeș", "Ærøskøbing"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the text:\n%s", want, text)
		}
	}
	info := tool(t, "pdfinfo", "-isodates", path)
	for _, want := range []string{"Title:           Ihr Aktivierungskennwort für das Kammerkonto", "Author:          Kammer Musterland", "CreationDate:    2026-11-21T10:00:00", "Page size:       595.28 x 841.89 pts (A4)"} {
		if !strings.Contains(info, want) {
			t.Errorf("properties lack %q:\n%s", want, info)
		}
	}
	if fonts := tool(t, "pdffonts", path); strings.Contains(fonts, " no  no ") {
		t.Errorf("a font is not embedded:\n%s", fonts)
	}
	if q := tool(t, "qpdf", "--json=2", "--json-key=qpdf", path); !strings.Contains(q, `"/Lang": "u:de-DE"`) {
		t.Error("the file does not say that it is German")
	}
}

func TestSameInputSameBytes(t *testing.T) {
	l := []Letter{activation(), activation()}
	a := lettersPDF(t, l...)
	for range 5 {
		if !bytes.Equal(a, lettersPDF(t, l...)) {
			t.Fatal("two runs differ")
		}
	}
	if !bytes.Equal(sheetPDF(t, week()), sheetPDF(t, week())) {
		t.Fatal("two runs of a sheet differ")
	}
	l[0].Date = time.Time{}
	if !bytes.Equal(lettersPDF(t, l...), lettersPDF(t, l...)) {
		t.Fatal("two runs without a date differ")
	}
	if err := WriteLetters(&bytes.Buffer{}, nil); err == nil {
		t.Error("no letters, no error")
	}
}

func TestGroup(t *testing.T) {
	for _, c := range []struct {
		code string
		n    int
		want string
	}{
		{"K7M4P2XR9TQ8", 4, "K7M4-P2XR-9TQ8"},
		{"k7m4-p2xr 9tq8", 4, "k7m4-p2xr-9tq8"},
		{"ABCDE", 4, "ABCD-E"},
		{"ÄÖÜß", 2, "ÄÖ-Üß"},
		{"ABC", 0, "ABC"},
		{"", 4, ""},
	} {
		if got := Group(c.code, c.n); got != c.want {
			t.Errorf("Group(%q, %d) = %q, want %q", c.code, c.n, got, c.want)
		}
	}
}
