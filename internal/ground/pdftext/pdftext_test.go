package pdftext_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/paper"
	"zunft/internal/ground/pdftext"
)

func sheet(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	err := paper.WriteSheet(&b, paper.Sheet{
		Title: "Ausbildungswoche 03.11.2025 bis 09.11.2025", Footer: "Fuß", Date: time.Date(2025, 11, 9, 0, 0, 0, 0, time.UTC),
		Sections: []paper.Section{
			{Heading: "Betriebliche Tätigkeiten", Text: "Öfen geputzt, Größe § 3 „gemessen“ – 12 €\nzweite Zeile"},
			{Heading: "Tage", Table: &paper.Table{Head: []string{"Tag", "Ort"}, Rows: [][]string{{"Mo", "Betrieb"}, {"Di", "Schule"}}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What our own paper prints is read again, with composite fonts.
func TestReadsWhatPaperPrints(t *testing.T) {
	text, err := pdftext.Read(sheet(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Ausbildungswoche 03.11.2025 bis 09.11.2025\n", "Betriebliche Tätigkeiten\n", "Öfen geputzt, Größe § 3 „gemessen“ – 12 €\nzweite Zeile\n", "Mo\tBetrieb\nDi\tSchule\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("text lacks %q:\n%s", want, text)
		}
	}
}

// The same file as other programs would pack it; an encrypted one is refused.
func TestReadsOtherPackings(t *testing.T) {
	if _, err := exec.LookPath("qpdf"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("qpdf is not installed; CI needs it")
		}
		dbtest.Unavailable(t, "qpdf is not installed")
	}
	want, err := pdftext.Read(sheet(t))
	if err != nil {
		t.Fatal(err)
	}
	in, out := filepath.Join(t.TempDir(), "in.pdf"), filepath.Join(t.TempDir(), "out.pdf")
	if err := os.WriteFile(in, sheet(t), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, how := range [][]string{{"--object-streams=generate"}, {"--qdf"}, {"--linearize"}, {"--stream-data=uncompress"}, {"--object-streams=generate", "--linearize"}} {
		if b, err := exec.Command("qpdf", append(how, in, out)...).CombinedOutput(); err != nil {
			t.Fatal(err, string(b))
		}
		b, _ := os.ReadFile(out)
		if got, err := pdftext.Read(b); err != nil || got != want {
			t.Errorf("%v: %v\n%s", how, err, got)
		}
	}
	if b, err := exec.Command("qpdf", "--encrypt", "a", "b", "256", "--", in, out).CombinedOutput(); err != nil {
		t.Fatal(err, string(b))
	}
	b, _ := os.ReadFile(out)
	if _, err := pdftext.Read(b); !errors.Is(err, pdftext.ErrEncrypted) {
		t.Errorf("encrypted: %v", err)
	}
}

// A simple font with names of letters, a form, and instructions of all kinds.
func TestReadsSimpleFonts(t *testing.T) {
	text, err := pdftext.Read([]byte(hand(`BT /F 10 Tf 14 TL 50 700 Td (Gr\374\337e \(1\)) Tj T* [(zw) -20 (ei) -900 (drei)] TJ (vier) ' 0 0 (f\101nf) " ET /X Do`, "")))
	if err != nil || text != "Grüße (1)\nzwei drei\nvier\nfänf\nim Formular\n" {
		t.Errorf("%v %q", err, text)
	}
}

// hand is a PDF written by hand.
func hand(content, more string) string {
	form := "BT /F 10 Tf 50 100 Td (im Formular) Tj ET"
	return fmt.Sprintf(`%%PDF-1.4
1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
2 0 obj <</Type/Pages/Kids[3 0 R 2 0 R]/Count 1/Resources<</Font<</F 4 0 R>>/XObject<</X 6 0 R>>>>>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/Contents 5 0 R>> endobj
4 0 obj <</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding<</BaseEncoding/WinAnsiEncoding/Differences[65/adieresis]>>>> endobj
5 0 obj <</Length %d>> stream
%s
endstream endobj
6 0 obj <</Subtype/Form/Length %d>> stream
%s /X Do
endstream endobj
%s
%%%%EOF`, len(content), content, len(form)+6, form, more)
}

// Bombs, loops and nonsense end soon, with an error or with what there is.
func TestHostileFiles(t *testing.T) {
	pack := func(b []byte) string {
		var z bytes.Buffer
		w := zlib.NewWriter(&z)
		_, _ = w.Write(b)
		w.Close()
		return z.String()
	}
	bomb := pack(bytes.Repeat([]byte("0"), 40<<20))
	many := pack(bytes.Repeat([]byte("(a) Tj "), 2<<20))
	deep := strings.Repeat("[", 1<<20)
	begin := dbtest.CPU()
	for name, file := range map[string]string{
		"bomb":        hand("", "5 0 obj <</Filter/FlateDecode/Length 9>> stream\n"+bomb+"\nendstream endobj"),
		"many":        hand("", "5 0 obj <</Filter/FlateDecode/Length 9>> stream\n"+many+"\nendstream endobj"),
		"twice":       hand("", "5 0 obj <</Filter[/FlateDecode/FlateDecode]>> stream\n"+pack([]byte(bomb))+"\nendstream endobj"),
		"deep":        hand("", "7 0 obj "+deep),
		"open string": hand("BT (", ""),
		"open dict":   "%PDF-1.4\n1 0 obj <</Type/Catalog/Pages <<",
		"self":        hand("", "1 0 obj 1 0 R endobj"),
		"objects":     "%PDF-" + strings.Repeat("1 0 obj ", 1<<19),
		"stream":      "%PDF-\n1 0 obj <</Type/ObjStm/N 1000000000/First 99>> stream\nendstream",
		"map":         hand("", "4 0 obj <</Subtype/Type0/ToUnicode 8 0 R>> endobj 8 0 obj <<>> stream\n<0000> <FFFFFF> <0041> endbfrange\nendstream endobj"),
		"widths":      hand("BT /F 1 Tf (x) Tj ET", "4 0 obj <</Subtype/Type0/DescendantFonts[<</W[0 999999999 1]>>]>> endobj"),
		"no":          "hello",
		"picture":     hand("BI ID xxxx", ""),
	} {
		text, err := pdftext.Read([]byte(file))
		if err == nil && len(text) > 4<<20 {
			t.Errorf("%s: %d bytes of text", name, len(text))
		}
	}
	if took := dbtest.CPU() - begin; took > 20*time.Second {
		t.Errorf("took %s", took)
	}
}

// Whatever the bytes are, reading them ends.
func FuzzRead(f *testing.F) {
	f.Add(sheet(f))
	f.Add([]byte(hand(`BT /F 10 Tf 14 TL 50 700 Td (Gr\374\337e) Tj T* [(zw) -20 (ei)] TJ ET /X Do`, "")))
	f.Fuzz(func(t *testing.T, b []byte) {
		begin := dbtest.CPU()
		_, _ = pdftext.Read(append([]byte("%PDF-"), b...))
		if took := dbtest.CPU() - begin; took > 10*time.Second {
			t.Errorf("took %s", took)
		}
	})
}
