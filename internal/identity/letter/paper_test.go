package letter

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/chamber"
)

// R092, R098, R102: the letters' words, as pdftotext reads them from the PDF; each is
// one page.
func TestR092TextOfTheLetter(t *testing.T) {
	if _, err := exec.LookPath("pdftotext"); err != nil {
		dbtest.Unavailable(t, "pdftotext (poppler-utils) is needed to read the letter")
	}
	day := func(m time.Month, d int) db.Time { return db.Time{Time: time.Date(2026, m, d, 9, 0, 0, 0, time.UTC)} }
	for kind, golden := range map[string]string{Activation: "letter.txt", Succession: "succession.txt", Revocation: "revocation.txt"} {
		r := run{
			batch: Batch{Reference: "D-2026-0001", PrintedAt: day(11, 23)},
			chamber: chamber.Chamber{
				Number: "999", Name: "Kammer Musterland", Street: "Am Markt", HouseNumber: "1", Postcode: "00001", Place: "Musterstadt",
				Phone: "0000 123", Hours: "Mo–Fr 9–16 Uhr", Email: "info@kammer.example", Website: "https://kammer.example", LetterSigner: "Clara Clausen",
			},
			expires: day(12, 23),
			sheets: []sheet{{
				kind: kind, name: "Bäckerei Morgenrot GmbH", ident: "4711", street: "Mehlgasse", house: "4", postcode: "00999", place: "Musterdorf", management: "Greta Grau",
				registeredBy: "Bert Backmann", askedBy: "Bert Backmann", queued: day(11, 22), active: day(11, 21), since: day(11, 20), code: "ABCDEFGHJKMN",
			}},
		}
		pdf, err := r.pdf("https://portal.example")
		if err != nil {
			t.Fatal(err)
		}
		read := exec.Command("pdftotext", "-layout", "-", "-")
		read.Stdin = bytes.NewReader(pdf)
		text, err := read.Output()
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "\f"); n != 1 {
			t.Errorf("%s: %d pages", kind, n)
		}
		var got strings.Builder
		for line := range strings.Lines(string(text)) {
			if words := strings.Fields(line); len(words) > 0 {
				got.WriteString(strings.Join(words, " ") + "\n")
			}
		}
		dbtest.Golden(t, golden, got.String())
	}
}
