package foreign_test

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"

	"zunft/internal/training/foreign"
)

// bombed is a workbook of which one part unpacks to very much.
func bombed(t testing.TB, begin, again string, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, part := range [][2]string{
		{"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook xmlns:r="x"><sheets><sheet name="A" r:id="r1"/></sheets></workbook>`},
		{"xl/worksheets/sheet1.xml", begin + strings.Repeat(again, size/len(again))},
	} {
		w, err := z.Create(part[0])
		if err == nil {
			_, err = w.Write([]byte(part[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	z.Close()
	return b.Bytes()
}

func pdfBomb() []byte {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	for range 100 {
		_, _ = w.Write(bytes.Repeat([]byte("(a) Tj "), 1<<17))
	}
	w.Close()
	return fmt.Appendf(nil, "%%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n2 0 obj <</Type/Pages/Kids[3 0 R]>> endobj\n3 0 obj <</Type/Page/Contents 5 0 R>> endobj\n5 0 obj <</Filter/FlateDecode/Length %d>> stream\n%s\nendstream endobj", z.Len(), z.Bytes())
}

// Hostile files are refused with a sentence that says what to do, and cost no
// more memory than a book does: what is allocated is counted, not what it took.
func TestHostileFilesCostLittle(t *testing.T) {
	const mega = 1 << 20
	record := `{"week":"2026-W01","days":[`
	for name, c := range map[string]struct {
		file []byte
		want string
		most uint64 // MB allocated, all in all
	}{
		"100 MB":                 {make([]byte, 100*mega), "foreign.large", 1},
		"one line":               {[]byte(strings.Repeat("x", 10*mega)), "foreign.large", 1},
		"a line below":           {[]byte("week;work\n2026-W01;" + strings.Repeat("x", 7*mega)), "", 80},
		"a million columns":      {[]byte("week;work" + strings.Repeat(";a", mega)), "foreign.wide", 30},
		"a million lines":        {[]byte("week;work\n" + strings.Repeat("2026-W01;x\n", 700_000)), "foreign.much", 50},
		"zip bomb":               {bombed(t, "<worksheet><sheetData>", "<row/>", 60*mega), "table.unpacked", 3500},
		"cell bomb":              {bombed(t, "<worksheet><sheetData><row><c><v>", "1", 60*mega), "table.unpacked", 400},
		"PDF bomb":               {pdfBomb(), "foreign.pdf_unreadable", 300},
		"deep JSON":              {[]byte(`{"reports":` + strings.Repeat("[", 10_000)), "foreign.json_broken", 60},
		"deeper JSON":            {[]byte(`[` + strings.Repeat(`{"a":`, mega)), "foreign.json_broken", 60},
		"a million reports":      {[]byte("[" + strings.Repeat("{},", 2*mega) + "{}]"), "foreign.much", 60},
		"a million days":         {[]byte("[" + record + strings.Repeat("{},", 2*mega) + "{}]}]"), "foreign.empty", 80},
		"every second":           {[]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260101T080000\nDTEND:20260101T090000\nSUMMARY:x\nRRULE:FREQ=SECONDLY\nEND:VEVENT\n"), "", 1},
		"many days":              {[]byte("BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:VEVENT\nDTSTART:20260101T080000\nDTEND:20260101T090000\nSUMMARY:x\nRRULE:FREQ=DAILY;UNTIL=20990101;COUNT=99999\nEND:VEVENT\n", 1000)), "foreign.lessons_many", 60},
		"an event of exceptions": {[]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260101T080000\nDTEND:20260101T090000\nSUMMARY:x\nEXDATE:" + strings.Repeat("20260101T080000,", 400_000) + "\nEND:VEVENT\n"), "", 60},
		"weeks without an end":   {[]byte(strings.Repeat("Ausbildungswoche 03.11.2025 bis 09.11.2025\n", 150_000)), "foreign.much", 60},
		"lines without an end":   {[]byte("Ausbildungswoche 03.11.2025 bis 09.11.2025\n" + strings.Repeat("Teig\n", 1_500_000)), "", 3000},
		"rows of one week":       {[]byte("week;work\n" + strings.Repeat("2026-W01;"+strings.Repeat("x", 1500)+"\n", 4900)), "", 400},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := foreign.Read(c.file)
		runtime.ReadMemStats(&after)
		if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > c.most {
			t.Errorf("%s: %d MB allocated, %d are allowed", name, used, c.most)
		}
		if got := problemOf(err); got != c.want && (c.want != "" || err != nil && got != "foreign.empty") {
			t.Errorf("%s: %s, wanted %s", name, got, c.want)
		}
	}
}

// A table means the same in every encoding that Excel and Windows write.
func TestEncodings(t *testing.T) {
	const text = "Woche;Tätigkeiten;Berufsschule\n2025-W45;Öfen geputzt – für 12 €;Größen & Maße\n"
	old, err := charmap.Windows1252.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	wide := func(order binary.AppendByteOrder, s string) (b []byte) {
		for _, u := range utf16.Encode([]rune(s)) {
			b = order.AppendUint16(b, u)
		}
		return b
	}
	for name, file := range map[string][]byte{
		"UTF-8": []byte(text), "with mark": []byte("\uFEFF" + text), "Windows-1252": []byte(old), "old Mac lines": []byte(strings.ReplaceAll(text, "\n", "\r")),
		"UTF-16LE": wide(binary.LittleEndian, "\uFEFF"+text), "UTF-16BE": wide(binary.BigEndian, "\uFEFF"+text), "bare UTF-16": wide(binary.LittleEndian, text),
		"Unicode text of Excel": wide(binary.LittleEndian, "\uFEFF"+strings.ReplaceAll(text, ";", "\t")),
	} {
		f, err := foreign.Read(file)
		if err != nil || len(f.Reports) != 1 || f.Reports[0].Work != "Öfen geputzt – für 12 €" || f.Reports[0].School != "Größen & Maße" {
			t.Errorf("%s: %v %+v", name, err, f.Reports)
		}
	}
	old, _ = charmap.Windows1252.NewEncoder().String(form)
	f, err := foreign.Read([]byte(old))
	if err != nil || len(f.Reports) != 1 || f.Reports[0].Department != "Backstube" || daysOf(f.Reports[0])[14:] == "" {
		t.Errorf("form: %v %+v", err, f)
	}
}
