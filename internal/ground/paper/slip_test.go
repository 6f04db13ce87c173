package paper

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

func slip(name, code string) Slip {
	return Slip{
		From: "Bäckerei Morgenrot GmbH", To: name, Title: "Einladung zu Bäckerei Morgenrot GmbH",
		Steps: []string{"Scannen Sie den QR-Code mit dem Handy, oder öffnen Sie id.kammer.example/invitations/code", "Geben Sie den Code ein, falls er noch nicht dort steht.", "Falls Sie noch kein Konto haben: Legen Sie es dort an, das dauert wenige Minuten."},
		Code:  Group(code, 4), QR: "https://id.kammer.example/invitations/code?code=" + code,
		Caption: "Gültig bis 22.08.2026. Der Code ist persönlich und gilt einmal. Geben Sie ihn nicht weiter.",
	}
}

// Four slips to a sheet, each with its own name and code; what is too long is
// shortened and never runs into the next person's (ux.md 2.6 no. 5).
func TestSlips(t *testing.T) {
	var slips []Slip
	for i := range 5 {
		slips = append(slips, slip(fmt.Sprintf("Lena Nummer%d", i), fmt.Sprintf("K7M4P2XR9TQ%d", i)))
	}
	long := slip(strings.Repeat("Langername ", 40), "AAAABBBBCCCC")
	long.From, long.Title, long.Caption = strings.Repeat("Firma ", 100), strings.Repeat("Titel ", 100), strings.Repeat("Hinweis ", 200)
	slips = append(slips, long)
	var first, second bytes.Buffer
	date := time.Date(2026, 8, 1, 8, 0, 0, 0, time.UTC)
	for _, b := range []*bytes.Buffer{&first, &second} {
		if err := WriteSlips(b, "Zettel", "Bäckerei", "de", date, slips); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same slips give other bytes")
	}
	file := save(t, first.Bytes())
	tool(t, "qpdf", "--check", file)
	text := tool(t, "pdftotext", "-layout", file, "-")
	for i := range 5 {
		if !strings.Contains(text, fmt.Sprintf("Lena Nummer%d", i)) || !strings.Contains(text, fmt.Sprintf("K7M4-P2XR-9TQ%d", i)) {
			t.Errorf("slip %d lacks its name or code:\n%s", i, text)
		}
	}
	if pages := strings.Count(text, "\f"); pages != 2 {
		t.Errorf("%d sheets for six slips", pages)
	}
	// A code at the foot of the long one still stands, and its QR code reads.
	if !strings.Contains(text, "AAAA-BBBB-CCCC") {
		t.Error("the long slip lost its code")
	}
	tool(t, "pdftoppm", "-r", "200", "-png", file, file)
	if read := tool(t, "zbarimg", "--quiet", "--raw", file+"-1.png"); strings.Count(read, "https://id.kammer.example/invitations/code?code=K7M4P2XR9TQ") != 4 {
		t.Errorf("QR codes on the first sheet: %s", read)
	}
	if err := WriteSlips(&first, "", "", "", date, nil); err == nil {
		t.Error("no slips are a file")
	}
}
