package foreign_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"

	"zunft/internal/training/export"
	"zunft/internal/training/foreign"
)

// byWeek is what the older portal prints of weeks: a list of contents, heads
// with what was decided, pages on which a week goes on, hours that are repeated.
const byWeek = "IHK Musterstadt\nBerichtsheft von Lena Lerche\n\f" +
	"Inhaltsverzeichnis\nAusbildungswoche 30.12.2024 bis 08.02.2026\nBerichtheftswoche Seitenzahl Status Ort\n06.01.2025 bis 12.01.2025 7 4 1 Schule/Betrieb\nSeite 3\n\f" +
	"Ausbildungsnachweis auf Wochenbasis\nAuszubildende/r\nLerche, Lena\nAusbilder\tStatus\nBerg, Bert\tEingereicht am 10.02.2025. Von Ausbilder:in Bert\nBerg am 27.08.2025 freigegeben.\n" +
	"Ausbildungswoche 06.01.2025 bis 12.01.2025\nSchule/Betrieb\nSchule:\nDienstag:\nGK: Sachmängel\nBetrieb:\nIT-Abteilung:\n-PDF-Dateien einfügen\n" +
	"Mo | 06.01.2025 | Feiertag | abwesend 00:00\nDi | 07.01.2025 | Schule | anwesend 07:00\n07:00\nQualifikationen:\n- Allgemeinbildende Fächer\nMi | 08.01.2025 | Betrieb | anwesend 07:25\n07:25\nSeite 7\n\f" +
	"Ausbildungsnachweis auf Wochenbasis\nQualifikationen:\n- Betreiben von IT-Systemen\nDo | 09.01.2025 | Betrieb | anwesend 04:00\nDo | 09.01.2025 | Schule | anwesend 03:05\nDauer gesamt: 21:30\nSeite 8\n\f" +
	"Ausbildungsnachweis auf Wochenbasis\nAusbilder\tStatus\nBerg, Bert\tam 02.02.2025 abgelehnt.\nAusbildungswoche 13.01.2025 bis 19.01.2025\nUrlaub\nMo | 13.01.2025 | Urlaub | abwesend 00:00\nDi | 14.01.2025 | sonstige Abwesenheit 00:00\n"

// byDay is what it prints of days.
const byDay = "Ausbildungsnachweis auf Tagesbasis\nAusbildungswoche 01.09.2025 bis 07.09.2025\nMo | 01.09.2025 | Betrieb | anwesend 08:00\nWillkommenstage: 08:00\nHinfahrt um 07:00 mit dem Rad\nQualifikationen:\n- Sonstige\nSeite 5\n\f" +
	"Ausbildungsnachweis auf Tagesbasis\nDi | 02.09.2025 | Schule | anwesend 07:00\nErster Tag 07:00\nSeite 6 von 9\nSchulregeln\nMi | 10.09.2025 | Betrieb\nfremder Tag\n"

// form is the form of many chambers, with a table of weekdays.
const form = "Ausbildungsnachweis Nr. 16 Woche vom 14.04.2025 bis 20.04.2025 (KW 16)\nName: Lerche, Lena\nAusbildende Abteilung: Backstube\nTag\tBetriebliche Tätigkeiten, Unterweisungen\tStunden\n" +
	"Montag\tTeig angesetzt\t8\nund gewogen\nDienstag\tBerufsschule\t6,5\nKarfreitag war frei\nFreitag\tFeiertag\t0\nSamstag\tVerkauf vor Ostern, ruhig\t4:30\nThemen der Berufsschule:\nHefe\nBemerkungen des Ausbilders\ngut gemacht\n"

func daysOf(r export.Record) string {
	var s []string
	for _, d := range r.Days {
		s = append(s, fmt.Sprintf("%s %s %d %q", d.Date[8:], d.Attendance, d.Minutes, d.Text))
	}
	return strings.Join(s, "; ")
}

// What the older portals print is understood week by week, and day by day.
func TestWhatOlderPortalsPrint(t *testing.T) {
	f, err := foreign.ReadText(byWeek)
	if err != nil || len(f.Reports) != 2 {
		t.Fatalf("%v %+v", err, f)
	}
	a, b := f.Reports[0], f.Reports[1]
	if a.Week != "2025-W02" || a.School != "Dienstag:\nGK: Sachmängel" || a.Work != "IT-Abteilung:\n-PDF-Dateien einfügen" ||
		daysOf(a) != `06 holiday 0 ""; 07 school 420 "Qualifikationen:\n- Allgemeinbildende Fächer"; 08 company 445 "Qualifikationen:\n- Betreiben von IT-Systemen"; 09 company 425 ""` {
		t.Errorf("%+v\n%s", a, daysOf(a))
	}
	if b.Week != "2025-W03" || b.Work != "" || daysOf(b) != `13 vacation 0 ""; 14 free 0 ""` {
		t.Errorf("%+v\n%s", b, daysOf(b))
	}
	f, err = foreign.ReadText(byDay)
	if err != nil || len(f.Reports) != 1 || f.Reports[0].Work != "" ||
		daysOf(f.Reports[0]) != `01 company 480 "Willkommenstage:\nHinfahrt um 07:00 mit dem Rad\nQualifikationen:\n- Sonstige"; 02 school 420 "Erster Tag\nSchulregeln"` {
		t.Errorf("%v %+v\n%s", err, f, daysOf(f.Reports[0]))
	}
	f, err = foreign.ReadText(form)
	if err != nil || len(f.Reports) != 1 || f.Reports[0].Department != "Backstube" || f.Reports[0].School != "Hefe" ||
		daysOf(f.Reports[0]) != `14  480 "Teig angesetzt\nund gewogen"; 15 school 390 "Karfreitag war frei"; 18 holiday 0 ""; 19  270 "Verkauf vor Ostern, ruhig"` {
		t.Errorf("%v %+v\n%s", err, f, daysOf(f.Reports[0]))
	}
}

// Nothing is lost unsaid: every word of a text is in a report, or is named as
// left, or stands on every page.
func TestNothingIsLostUnsaid(t *testing.T) {
	for name, text := range map[string]string{"by week": byWeek, "by day": byDay, "form": form, "old": old} {
		f, err := foreign.ReadText(text)
		if err != nil {
			t.Fatal(name, err)
		}
		var all strings.Builder
		for _, r := range f.Reports {
			fmt.Fprintln(&all, r.Department, r.Work, r.Instruction, r.School, daysOf(r))
		}
		for _, l := range f.Left {
			if l.Why == "" || l.Text == "" {
				t.Errorf("%s: left without a word: %+v", name, l)
			}
			fmt.Fprintln(&all, l.Text)
		}
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \n\t\f|,.:/()-", r) }) {
			if strings.Contains("0123456789", word[:1]) || strings.Contains("Seite von KW Tag Stunden Ausbildungsnachweis auf Wochenbasis Tagesbasis Ausbildungswoche Woche vom bis Nr Mo Di Mi Do Fr Montag Dienstag Freitag Samstag anwesend abwesend Betrieb Betriebliche Tätigkeiten Schule Berufsschule Feiertag Urlaub sonstige Abwesenheit Themen der Unterweisungen Ausbildungsabschnitt Abteilung Ausbildende", word) {
				continue
			}
			if !strings.Contains(all.String(), word) {
				t.Errorf("%s: %q is lost", name, word)
			}
		}
	}
}

// A workbook as Excel keeps it: a title above the headings, days as numbers,
// hours as parts of a day, a column that means nothing, a text of two lines.
func TestWeeksOfAWorkbook(t *testing.T) {
	cell := func(s string) string { return `<c t="inlineStr"><is><t xml:space="preserve">` + s + `</t></is></c>` }
	row := func(cells ...string) string { return `<row>` + strings.Join(cells, "") + `</row>` }
	file := xlsx(t, row(cell("Mein Berichtsheft"))+row()+
		row(cell("Datum"), cell("Anwesenheit"), cell("Std."), cell("Tätigkeit"), cell("Laune"))+
		row(`<c><v>45964</v></c>`, cell("Betrieb"), `<c><v>0.3125</v></c>`, cell("Teig\nund "+strings.Repeat("Öfen ", 300)), cell("gut"))+
		row(`<c><v>45965.0</v></c>`, cell("Schule"), `<c><v>6.5</v></c>`, `<c><f>[1]Tabelle!A1</f></c>`)+
		row(`<c t="str"><v>05.11.2025</v></c>`, cell("mal so"), cell("viel"), `<c t="str"><f>HYPERLINK("http://boese.example")</f><v>Torte</v></c>`)+
		row(cell("irgendwann"), cell("Betrieb"), cell(""), cell("ohne Tag")))
	f, err := foreign.Read(file)
	if err != nil || len(f.Reports) != 1 {
		t.Fatalf("%v %+v", err, f)
	}
	want := `03 company 450 ` + fmt.Sprintf("%q", "Teig\nund "+strings.TrimSpace(strings.Repeat("Öfen ", 300))) + `; 04 school 390 ""; 05  0 "Torte"`
	if got := daysOf(f.Reports[0]); got != want {
		t.Error(got)
	}
	var left []string
	for _, l := range f.Left {
		left = append(left, fmt.Sprint(l.Line, " ", l.Text, " ", strings.TrimPrefix(l.Why, "foreign.left_")))
	}
	if got := strings.Join(left, ", "); got != "1 Mein Berichtsheft title, 2 Laune column, 5 mal so cell, 5 viel cell, 6 irgendwann Betrieb ohne Tag row" {
		t.Error(got)
	}
}

func xlsx(t testing.TB, rows string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, part := range [][2]string{
		{"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="externalLink" Target="file:///etc/passwd" TargetMode="External"/></Relationships>`},
		{"xl/workbook.xml", `<workbook xmlns:r="x"><sheets><sheet name="A" r:id="r1"/></sheets></workbook>`},
		{"xl/worksheets/sheet1.xml", `<worksheet><sheetData>` + rows + `</sheetData></worksheet>`},
	} {
		w, err := z.Create(part[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(part[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
