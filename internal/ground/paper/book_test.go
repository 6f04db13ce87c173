package paper

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

func reportBook(weeks int) Book {
	b := Book{
		Title: "Berichtsheft", Subtitle: "Ausbildungsnachweise nach § 13 BBiG", Author: "Lena Berger", Date: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC),
		Facts: [][2]string{{"Auszubildende:r", "Lena Berger"}, {"Beruf", "Fachinformatiker:in"}}, Note: "Alle Wochen.",
		QR:           &QR{Text: "https://training.example/verify/K7M4P2XR9TQ8", Caption: "Echtheit prüfen"},
		IndexHeading: "Inhalt", IndexHead: []string{"Woche", "Zeitraum", "Stand", "Seite"}, IndexWidths: []float64{30, 60, 50, 20}, Footer: "Berichtsheft",
	}
	for i := range weeks {
		name := fmt.Sprintf("Woche %d", i+1)
		b.Chapters = append(b.Chapters, Chapter{Name: name, Line: []string{name, "01.01. – 07.01.2026", "abgezeichnet"}, Sheet: Sheet{
			Title: name, Footer: name + " im Fuß",
			Sections: []Section{{Heading: "Arbeit", Text: strings.Repeat("Server gewartet und Größe geprüft. ", 30)}},
		}})
	}
	return b
}

// A book counts its pages through, and index and outline lead to the right one.
func TestBookLeadsToItsChapters(t *testing.T) {
	var b, again bytes.Buffer
	if err := WriteBook(&b, reportBook(90)); err != nil {
		t.Fatal(err)
	}
	if err := WriteBook(&again, reportBook(90)); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Fatal("the same book gives other bytes", err)
	}
	path := save(t, b.Bytes())
	tool(t, "qpdf", "--check", path)
	all := tool(t, "pdftotext", "-layout", path, "-")
	pages := strings.Split(all, "\f")
	if !strings.Contains(pages[0], "Lena Berger") || strings.Contains(pages[0], "Seite 1") {
		t.Errorf("cover:\n%s", pages[0])
	}
	found := 0
	for _, line := range strings.Split(strings.Join(pages[1:4], "\n"), "\n") {
		w := strings.Fields(line)
		if len(w) != 7 || w[0] != "Woche" {
			continue
		}
		var at int
		fmt.Sscan(w[6], &at)
		found++
		if at < 1 || at > len(pages) || !strings.Contains(pages[at-1], "Woche "+w[1]+" im Fuß") || !strings.Contains(pages[at-1], fmt.Sprintf("Seite %d von", at)) {
			t.Errorf("index says %q; page %d is\n%s", line, at, pages[min(max(at, 1), len(pages))-1])
		}
	}
	if found != 90 {
		t.Errorf("%d lines in the index, wanted 90", found)
	}
	if json := tool(t, "qpdf", "--json", "--json-key=outlines", path); strings.Count(json, `"title": "Woche `) != 90 || !strings.Contains(json, `"destpageposfrom1": 5`) {
		t.Errorf("outline:\n%.600s", json)
	}
}

// The file's own description names people as they are, whatever the faces lack.
func TestBookKnowsItsAuthor(t *testing.T) {
	book := reportBook(1)
	book.Author = " Thị Nguyễn\u202e 陈 "
	var b bytes.Buffer
	if err := WriteBook(&b, book); err != nil {
		t.Fatal(err)
	}
	if said := tool(t, "pdfinfo", save(t, b.Bytes())); !strings.Contains(said, "Author:          Thị Nguyễn 陈\n") {
		t.Error(said)
	}
}

// A book of 150 weeks is laid out and written well within three seconds.
func BenchmarkBook150(b *testing.B) {
	for b.Loop() {
		var out bytes.Buffer
		if err := WriteBook(&out, reportBook(150)); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(out.Len())/1024, "KiB")
	}
}
