package directory

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"

	"zunft/internal/ground/fault"
	"zunft/internal/identity/company"
	"zunft/internal/identity/fold"
)

const (
	heading = "Identnummer;Firmierung;Rechtsform;Straße;Hausnummer;PLZ;Ort;Registerart;HR-Nummer;Registergericht;Geschäftsführung\n"
	bakery  = "000011;Bäckerei Bert GmbH;GmbH;Mühlstraße;1 a;00001;Musterstadt;HRB;12345 B;Amtsgericht Stuttgart;Bert Bäcker\n"
)

func parse(t testing.TB, file string) (rows []Row, bad []*RowError, err error) {
	t.Helper()
	for row, e := range ParseDirectory(strings.NewReader(file), ParseOptions{ChamberNumber: "999"}) {
		if b, ok := errors.AsType[*RowError](e); ok {
			bad = append(bad, b)
		} else if e != nil {
			err = e
		} else {
			rows = append(rows, row)
		}
	}
	return rows, bad, err
}

// Issue A 1: UTF-8 or Windows-1252, ; or , (R072, R091).
func TestR072DirectoryInEveryDress(t *testing.T) {
	windows := mustWindows(t, heading+bakery)
	for name, file := range map[string]string{
		"utf-8":           heading + bakery,
		"bom":             "\uFEFF" + heading + bakery,
		"windows-1252":    windows,
		"mixed":           heading + mustWindows(t, bakery),
		"comma":           strings.ReplaceAll(heading+bakery, ";", ","),
		"tab":             strings.ReplaceAll(heading+bakery, ";", "\t"),
		"crlf":            strings.ReplaceAll(heading+bakery, "\n", "\r\n"),
		"no last newline": strings.TrimSpace(heading + bakery),
		"sep line":        "sep=;\r\n\r\n" + heading + bakery,
		"blank lines":     heading + "\n;;;;;;;;;;\n" + bakery + "\n",
		"quoted":          heading + `"000011";"Bäckerei Bert GmbH";"GmbH";"Mühlstraße";"1 a";"00001";"Musterstadt";"HRB";"12345 B";"Amtsgericht Stuttgart";"Bert Bäcker"`,
		"zeros kept":      heading + strings.Replace(bakery, "000011", `="000011"`, 1),
		"trailing ;":      heading + strings.TrimSpace(bakery) + ";\n",
		"long ident":      heading + strings.Replace(bakery, "000011", "000011999", 1),
		"in two lines":    heading + strings.Replace(bakery, "Bäckerei Bert GmbH", "\"Bäckerei\nBert GmbH\"", 1),
		"other names":     strings.NewReplacer("Identnummer", "MITGLIEDS-NR.", "Firmierung", "Firma", "PLZ", "Postleitzahl", "HR-Nummer", "Handelsregister-Nr.", "Geschäftsführung", "Geschäftsführer/in").Replace(heading) + bakery,
		"other order": "Ort;PLZ;Straße und Hausnummer;Umsatz;Mitgliedsnummer;Firma;Rechtsform;Registergericht;Registernummer;Inhaber\n" +
			"Musterstadt;00001;Mühlstraße 1 a;egal;11;Bäckerei Bert GmbH;GmbH;Amtsgericht Stuttgart;HRB 12345 B;Bert Bäcker\n",
	} {
		rows, bad, err := parse(t, file)
		if err != nil || len(bad) > 0 || len(rows) != 1 {
			t.Errorf("%s: %d rows, bad %v, %v", name, len(rows), bad, err)
			continue
		}
		want := Entry{Company: company.Company{
			IdentNumber: "11", Name: "Bäckerei Bert GmbH", LegalForm: "GmbH", Street: "Mühlstraße", HouseNumber: "1 a", Postcode: "00001", Place: "Musterstadt",
			RegisterKind: "HRB", RegisterNumber: "12345B", RegisterCourt: "Amtsgericht Stuttgart",
		}, Management: "Bert Bäcker"}
		if rows[0].Entry != want {
			t.Errorf("%s:\n got %+v\nwant %+v", name, rows[0].Entry, want)
		}
	}
}

func mustWindows(t *testing.T, s string) string {
	t.Helper()
	w, err := charmap.Windows1252.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func row(ident, name string) string {
	return ident + ";" + name + ";GmbH;Hauptstraße;1;00001;Musterstadt;;;;\n"
}

// Issue A 1: a bad row is reported with line, column and reason; the rest counts.
func TestR072BadRowsAreReportedAndTheRestCounts(t *testing.T) {
	file := heading + // line 1
		row("1", "Gut") + // 2
		row("x1", "Ident") + // 3
		row("2", "") + // 4
		row("1", "Doppelt") + // 5
		"3;Kurz;GmbH\n" + // 6
		strings.Replace(row("4", "PLZ"), "00001", "1067", 1) + // 7
		row("5", "Nul\x00l") + // 8
		row("6", strings.Repeat("ä", 301)) + // 9
		row("7", `"Offen`) + // 10: would swallow the rest
		row("8", `Gasthaus "Zum Löwen"`) + // 11
		row("9", `"Zum" Löwen`) + // 12
		row("10", strings.Repeat("x", 70<<10)) + // 13
		row("11", strings.Repeat("ä", 300)) + // 14
		row("12345678901", "Zu lang") + // 15
		row("12", `"Der ""Löwe"""`) // 16
	rows, bad, err := parse(t, file)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range bad {
		got = append(got, strings.TrimSpace(fmt.Sprintln(b.Line, b.Column, b.Header, b.Reason, b.Args)))
	}
	want := []string{
		"3 1 Identnummer directory.row_ident []",
		"4 2 Firmierung directory.row_required []",
		"5 1 Identnummer directory.row_duplicate [2]",
		"6 0  directory.row_columns [3 11]",
		"7 6 PLZ directory.row_postcode []",
		"8 2 Firmierung directory.row_characters []",
		"9 2 Firmierung directory.row_field_long []",
		"10 0  directory.row_quotes []",
		"12 0  directory.row_quotes []",
		"13 0  directory.row_too_long []",
		"15 1 Identnummer directory.row_ident []",
	}
	for i := range max(len(want), len(got)) {
		if i >= len(got) || i >= len(want) || strings.Join(strings.Fields(got[i]), " ") != strings.Join(strings.Fields(want[i]), " ") {
			t.Fatalf("bad rows:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	var lines []int
	for _, r := range rows {
		lines = append(lines, r.Line)
	}
	if fmt.Sprint(lines) != "[2 11 14 16]" {
		t.Errorf("good rows in lines %v", lines)
	}
	if rows[1].Name != `Gasthaus "Zum Löwen"` || rows[3].Name != `Der "Löwe"` {
		t.Errorf("names %q, %q", rows[1].Name, rows[3].Name)
	}
}

// A file that is no directory is refused as a whole, with a sentence.
func TestFilesThatAreNoDirectory(t *testing.T) {
	for file, key := range map[string]string{
		"":                               "directory.file_empty",
		"\n\n":                           "directory.file_empty",
		"PK\x03\x04rest of a sheet":      "directory.file_is_sheet",
		"\xFF\xFEI\x00d\x00":             "directory.file_utf16",
		"I\x00d\x00e\x00n\x00":           "directory.file_utf16",
		"<html><body>":                   "directory.file_columns_missing",
		"Identnummer;Firma;PLZ\n1;2;3\n": "directory.file_columns_missing",
		"Firma;" + heading + bakery:      "directory.file_column_twice",
		strings.Repeat("x", 100<<10):     "directory.file_columns_missing",
	} {
		rows, bad, err := parse(t, file)
		if f := fault.Of(err); f == nil || f.Key() != key || len(rows)+len(bad) > 0 {
			t.Errorf("%.20q: %v, %d rows, %d bad; want %s", file, err, len(rows), len(bad), key)
		}
	}
	n := 0
	var last error
	for _, err := range ParseDirectory(strings.NewReader(heading+row("1", "a")+row("2", "b")+row("3", "c")), ParseOptions{MaxRows: 2}) {
		n, last = n+1, err
	}
	if f := fault.Of(last); n != 3 || f == nil || f.Key() != "directory.file_too_many_rows" {
		t.Errorf("row limit: %d steps, %v", n, last)
	}
}

// Whatever is uploaded: no panic, no row that breaks a promise, no line twice,
// and an unbalanced quote never swallows a good row after it.
func FuzzParseDirectory(f *testing.F) {
	f.Add([]byte(heading + bakery))
	f.Add([]byte("sep=,\nIdent,Firma,Str.,PLZ,Ort\n1,\"a\nb\",c,00001,d\n\"1,,\n"))
	f.Add([]byte("\xEF\xBB\xBF" + heading + "1;\"x"))
	f.Add([]byte("Ident\tFirma\tStr\tPLZ\tOrt\n\x00\t\xe4\t\t\t\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		line, idents := 0, map[string]bool{}
		for r, err := range ParseDirectory(bytes.NewReader(b), ParseOptions{ChamberNumber: "999", MaxRows: 1000}) {
			at := r.Line
			if bad, ok := errors.AsType[*RowError](err); ok {
				at = bad.Line
				if bad.Reason == "" {
					t.Fatalf("no reason: %v", bad)
				}
			} else if err != nil {
				if fault.Of(err) == nil {
					t.Fatalf("a defect: %v", err)
				}
				return
			} else {
				if idents[r.IdentNumber] || !fold.Digits(r.IdentNumber) || len(r.IdentNumber) > 10 || r.Name == "" || len(r.Postcode) != 5 || r.Place == "" {
					t.Fatalf("row %+v", r)
				}
				idents[r.IdentNumber] = true
			}
			if at <= line {
				t.Fatalf("line %d after %d", at, line)
			}
			line = at
		}
		last := "4711;Nach allem;GmbH;Hauptstraße;1;00001;Musterstadt;;;;"
		found := false
		for r, err := range ParseDirectory(strings.NewReader(heading+string(bytes.ReplaceAll(b, []byte("4711"), nil))+strings.Repeat("\n", maxSpan)+last), ParseOptions{}) {
			found = err == nil && r.Name == "Nach allem"
		}
		if !found {
			t.Fatal("the last row was swallowed")
		}
	})
}

func BenchmarkParseDirectory(b *testing.B) {
	var file strings.Builder
	file.WriteString(heading)
	for i := range 10_000 {
		fmt.Fprintf(&file, "%d;Bäckerei Nummer %d GmbH & Co. KG;GmbH & Co. KG;Karl-Marx-Straße;%d a;00001;Musterstadt;HRA;%d;Amtsgericht Stuttgart;Bert Bäcker\n", i+1, i, i%200, i+1)
	}
	for b.Loop() {
		rows, _, _ := parse(b, file.String())
		if len(rows) != 10_000 {
			b.Fatal(len(rows))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/10_000, "µs/row")
}
