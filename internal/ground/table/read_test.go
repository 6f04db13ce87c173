package table

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
)

const people = "Vorname;Nachname;E-Mail;Rolle\nLena;Müller;lena@example.org;Azubi\nMax;Groß;max@example.org;Ausbilder/in\n"

// A list means the same in every encoding and with every delimiter people use.
func TestEncodingsAndDelimiters(t *testing.T) {
	utf16File := func(order func(uint16) []byte, mark bool) []byte {
		var b []byte
		if mark {
			b = append(b, order(0xFEFF)...)
		}
		for _, u := range utf16.Encode([]rune(people)) {
			b = append(b, order(u)...)
		}
		return b
	}
	little := func(u uint16) []byte { return []byte{byte(u), byte(u >> 8)} }
	big := func(u uint16) []byte { return []byte{byte(u >> 8), byte(u)} }
	old, err := charmap.Windows1252.NewEncoder().String(people)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(people, "\n")
	oldRest, _ := charmap.Windows1252.NewEncoder().String(rest)
	for name, file := range map[string][]byte{
		"UTF-8": []byte(people), "with mark": []byte("\uFEFF" + people), "Windows-1252": []byte(old), "UTF-16LE": utf16File(little, true), "UTF-16BE": utf16File(big, true),
		"UTF-16LE bare": utf16File(little, false), "UTF-16BE bare": utf16File(big, false), "glued": []byte(head + "\n" + oldRest),
		"comma": []byte(strings.ReplaceAll(people, ";", ",")), "tab": []byte(strings.ReplaceAll(people, ";", "\t")), "bar": []byte(strings.ReplaceAll(people, ";", "|")),
		"sep=": []byte("sep=;\r\n" + people), "old Mac": []byte(strings.ReplaceAll(people, "\n", "\r")), "empty rows": []byte("\n\n;;;\n" + people + ";;;\n\n"),
		"quoted":             []byte("\"Vorname\";\"Nachname\";\"E-Mail\";\"Rolle\"\n\"Lena\";\"Müller\";lena@example.org;Azubi\nMax;\"Groß\";max@example.org;\"Ausbilder/in\"\n"),
		"marks of direction": []byte("Vorname;Nachname;E-Mail;Rolle\n\u202eLena\u202c;Mu\u0308ller;\u200blena@exam\u00adple.org\u200f;Azubi\nMax;  Groß\u00a0;max@example.org;Ausbilder/in"),
		"XLSX":               workbook(t, cellsOf(people)...),
	} {
		got, err := Read(file)
		if err != nil || !slices.Equal(got.Header, []string{"Vorname", "Nachname", "E-Mail", "Rolle"}) || len(got.Lines) != 2 ||
			!slices.Equal(got.Lines[0].Cells, []string{"Lena", "Müller", "lena@example.org", "Azubi"}) || !slices.Equal(got.Lines[1].Cells, []string{"Max", "Groß", "max@example.org", "Ausbilder/in"}) {
			t.Errorf("%s: %v %+v", name, err, got)
		}
	}
}

// Excel's rows as they are pasted, cells of several lines, and quotes that make no sense.
func TestPastedAndQuoted(t *testing.T) {
	for text, want := range map[string][]Line{
		"Lena\tBerger\tlena@x.de\r\nMax\tMuster\tmax@x.de\r\n":                {{1, []string{"Lena", "Berger", "lena@x.de"}}, {2, []string{"Max", "Muster", "max@x.de"}}},
		"lena@x.de; Max Muster <max@x.de>;":                                   {{1, []string{"lena@x.de"}}, {2, []string{"Max Muster <max@x.de>"}}},
		"lena@x.de\nmax@x.de":                                                 {{1, []string{"lena@x.de"}}, {2, []string{"max@x.de"}}},
		"Name;E-Mail\n\"Berger,\nLena\";lena@x.de\nMax \"der\" Muster;m@x.de": {{2, []string{"Berger, Lena", "lena@x.de"}}, {4, []string{`Max "der" Muster`, "m@x.de"}}},
		"Name;E-Mail\n\"Lena;lena@x.de\nMax;m@x.de\nEva;e@x.de":               {{2, []string{`"Lena`, "lena@x.de"}}, {3, []string{"Max", "m@x.de"}}, {4, []string{"Eva", "e@x.de"}}},
		"Name;E-Mail\n\"Lena\"x;lena@x.de":                                    {{2, []string{`"Lena"x`, "lena@x.de"}}},
		"Name;E-Mail\n'=1+1;'@x":                                              {{2, []string{"=1+1", "@x"}}}, // our own guard goes again
	} {
		got, err := ReadText(text)
		if err != nil || !slices.EqualFunc(got.Lines, want, func(a, b Line) bool { return a.Number == b.Number && slices.Equal(a.Cells, b.Cells) }) {
			t.Errorf("%q: %v %+v", text, err, got.Lines)
		}
	}
}

// What is no list, or too much of one, is refused with a sentence that says what to do.
func TestHostileFiles(t *testing.T) {
	many := strings.Builder{}
	many.WriteString("Vorname;E-Mail\n")
	for i := range 100_000 {
		fmt.Fprintf(&many, "A;a%d@example.org\n", i)
	}
	for name, c := range map[string]struct {
		file []byte
		key  string
	}{
		"nothing":         {nil, "table.empty"},
		"only a header":   {[]byte("Vorname;E-Mail\n"), "table.empty"},
		"100,000 rows":    {[]byte(many.String()), "table.rows"},
		"100 MB":          {make([]byte, 100<<20), "table.large"},
		"zeros":           {make([]byte, 1000), "table.empty"},
		"picture":         {[]byte("\x89PNG\r\n\x1a\n\x00\x00"), "table.no_list"},
		"picture of text": {[]byte("\xFF\xD8\xFFabcdef"), "table.no_list"},
		"PDF":             {[]byte("%PDF-1.7\n…"), "table.no_list"},
		"Excel 97":        {[]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), "table.old_sheet"},
		"no workbook":     {zipped(t, "readme.txt", "hello"), "table.sheet_broken"},
		"half a workbook": {workbook(t, []string{"Vorname"}, []string{"Lena"})[:200], "table.sheet_broken"},
		"wide":            {[]byte(strings.Repeat("a;", 70) + "a\n"), "table.columns"},
		"very wide":       {[]byte(strings.Repeat("a;", 100_000)), "table.columns"},
		"entity bomb": {zipped(t, "xl/_rels/workbook.xml.rels", `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><Relationships><Relationship Id="r1" Target="&b;"/></Relationships>`,
			"xl/workbook.xml", `<workbook><sheets><sheet r:id="r1" xmlns:r="x"/></sheets></workbook>`), "table.sheet_broken"},
		"strings bomb": {bomb(t, "xl/sharedStrings.xml", "<sst>", "<si><t></t></si>", 60<<20), "table.unpacked"},
		"text bomb":    {bomb(t, "xl/sharedStrings.xml", "<sst><si><t>", "a", 60<<20), "table.unpacked"},
		"sheet bomb":   {bomb(t, "xl/worksheets/sheet1.xml", "<worksheet><sheetData>", "<row/>", 60<<20), "table.unpacked"},
		"cell bomb":    {bomb(t, "xl/worksheets/sheet1.xml", "<worksheet><sheetData><row><c><v>", "1", 60<<20), "table.unpacked"},
		"far column":   {workbookXML(t, `<row r="1"><c r="XFD1" t="str"><v>Lena</v></c></row>`), "table.columns"},
		"outside":      {zipped(t, "xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Target="http://evil.example/sheet.xml" TargetMode="External"/></Relationships>`, "xl/workbook.xml", `<workbook><sheets><sheet r:id="r1" xmlns:r="x"/></sheets></workbook>`), "table.sheet_broken"},
	} {
		start := dbtest.CPU()
		_, err := Read(c.file)
		if f := fault.Of(err); f == nil || f.Key() != c.key {
			t.Errorf("%s: %v, want %s", name, err, c.key)
		}
		if took := dbtest.CPU() - start; took > 10*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}

// Numbers, formulas, rich text, hidden sheets: what stands in a workbook is
// read as a person sees it.
func TestWorkbooks(t *testing.T) {
	file := workbookXML(t, `<row r="3"><c r="A3" t="inlineStr"><is><r><t>Vor</t></r><r><t>name</t></r><rPh><t>no</t></rPh></is></c><c r="C3" t="str"><v>Azubi-Nr.</v></c></row>
		<row r="4"/><row r="7"><c r="A7" t="str"><f>B1</f><v>Lena_x000D_ Marie</v></c><c r="B7" t="b"><v>1</v></c><c r="C7"><v>4.711E3</v></c><c t="e"><v>#NAME?</v></c></row>
		<row r="8"><c t="str"><v>Max</v></c><c/><c><v>12345678901</v></c></row>`)
	got, err := Read(file)
	if err != nil || !slices.Equal(got.Header, []string{"Vorname", "", "Azubi-Nr.", ""}) || len(got.Lines) != 2 || got.Lines[0].Number != 7 ||
		!slices.Equal(got.Lines[0].Cells, []string{"Lena Marie", "1", "4711", "#NAME?"}) || !slices.Equal(got.Lines[1].Cells, []string{"Max", "", "12345678901", ""}) {
		t.Errorf("%v %+v", err, got)
	}
	// Written by excelize 2.11.0: the first sheet is hidden, the second holds the list.
	real, err := os.ReadFile("testdata/excelize.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	got, err = Read(real)
	if err != nil || len(got.Lines) != 3 || !slices.Equal(got.Header[:4], []string{"Vorname", "Nachname", "E-Mail-Adresse", "Azubi-Identnummer"}) ||
		!slices.Equal(got.Lines[2].Cells[:4], []string{"Jürgen", "Weiß", "juergen@example.org", "100042"}) {
		t.Errorf("%v %+v", err, got)
	}
}

func TestFormulaGuard(t *testing.T) {
	for _, s := range []string{"=1+1", "+49", "-1", "@SUM(A1)"} {
		if g := Guard(s); g != "'"+s || Clean(g) != s {
			t.Errorf("%q: %q, back %q", s, g, Clean(g))
		}
	}
	for _, s := range []string{"", "Lena", "O'Neil", "'s Gravenhage", "a=b"} {
		if Guard(s) != s || Clean(s) != s {
			t.Errorf("%q is harmless", s)
		}
	}
}

// Whatever comes in: no panic, and what comes out keeps the bounds.
func FuzzRead(f *testing.F) {
	f.Add([]byte(people))
	f.Add([]byte("\xFF\xFEa\x00;\x00"))
	f.Add([]byte("a\tb\n\"c\nd\"\te"))
	f.Add(workbook(f, cellsOf(people)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		table, err := Read(b)
		if err != nil {
			if fault.Of(err) == nil {
				t.Fatal(err)
			}
			return
		}
		kept(t, table)
	})
}

// The parts of a workbook one by one: fuzzing the bytes of a zip never gets past its checksums.
func FuzzSheet(f *testing.F) {
	f.Add(`<row r="1"><c r="A1" t="s"><v>0</v></c></row>`, `<si><t>x</t></si>`)
	f.Add(`<row><c t="inlineStr"><is><t>_x000D_</t></is></c></row>`, ``)
	f.Fuzz(func(t *testing.T, sheet, shared string) {
		file := zipped(t, "xl/workbook.xml", `<workbook><sheets><sheet r:id="r1" xmlns:r="x"/></sheets></workbook>`, "xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>`,
			"xl/sharedStrings.xml", "<sst>"+shared+"</sst>", "xl/worksheets/sheet1.xml", "<worksheet><sheetData>"+sheet+"</sheetData></worksheet>")
		table, err := Read(file)
		if err != nil {
			if fault.Of(err) == nil {
				t.Fatal(err)
			}
			return
		}
		kept(t, table)
	})
}

func kept(t *testing.T, table Table) {
	if len(table.Lines) == 0 || len(table.Lines) > MaxRows {
		t.Fatal(len(table.Lines), "rows")
	}
	width, last := len(table.Lines[0].Cells), 0
	for _, l := range table.Lines {
		if len(l.Cells) != width || width > maxWidth || l.Number <= last {
			t.Fatalf("row %d has %d cells of %d, after %d", l.Number, len(l.Cells), width, last)
		}
		last = l.Number
		for _, c := range l.Cells {
			if !utf8.ValidString(c) || utf8.RuneCountInString(c) > maxCell || Clean(c) != c && !strings.HasPrefix(c, "'") || strings.ContainsAny(c, "\n\r\x00\u202e\u200b") {
				t.Fatalf("cell %q", c)
			}
		}
	}
	if len(Guess(table)) != width {
		t.Fatal("columns", Guess(table))
	}
}

func cellsOf(text string) (rows [][]string) {
	for line := range strings.Lines(text) {
		rows = append(rows, strings.Split(strings.TrimSpace(line), ";"))
	}
	return rows
}

// workbook is a small XLSX with shared strings, as Excel writes it.
func workbook(t testing.TB, rows ...[]string) []byte {
	var sheet, shared strings.Builder
	n := 0
	for i, cells := range rows {
		fmt.Fprintf(&sheet, `<row r="%d">`, i+1)
		for k, c := range cells {
			fmt.Fprintf(&sheet, `<c r="%c%d" t="s"><v>%d</v></c>`, 'A'+k, i+1, n)
			fmt.Fprintf(&shared, `<si><t xml:space="preserve">%s</t></si>`, c)
			n++
		}
		sheet.WriteString("</row>")
	}
	return workbookOf(t, sheet.String(), shared.String())
}

func workbookXML(t testing.TB, sheet string) []byte { return workbookOf(t, sheet, "") }

func workbookOf(t testing.TB, sheet, shared string) []byte {
	return zipped(t, "[Content_Types].xml", "<Types/>",
		"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml", `<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="alt" sheetId="1" state="hidden" r:id="rId9"/><sheet name="Liste" sheetId="2" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="rId1" Type="worksheet" Target="/xl/worksheets/sheet1.xml"/><Relationship Id="rId9" Type="worksheet" Target="worksheets/sheet9.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml", `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`+sheet+`</sheetData></worksheet>`,
		"xl/sharedStrings.xml", `<sst>`+shared+`</sst>`)
}

func zipped(t testing.TB, parts ...string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i+1 < len(parts); i += 2 {
		w, err := z.Create(parts[i])
		if err == nil {
			_, err = w.Write([]byte(parts[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bomb is a workbook one of whose parts unpacks to size.
func bomb(t testing.TB, name, start, again string, size int) []byte {
	parts := map[string]string{"xl/sharedStrings.xml": "<sst/>", "xl/worksheets/sheet1.xml": "<worksheet/>"}
	parts[name] = start + strings.Repeat(again, size/len(again))
	return zipped(t, "xl/workbook.xml", `<workbook><sheets><sheet r:id="r1" xmlns:r="x"/></sheets></workbook>`, "xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/sharedStrings.xml", parts["xl/sharedStrings.xml"], "xl/worksheets/sheet1.xml", parts["xl/worksheets/sheet1.xml"])
}
