package foreign_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/fault"
	"zunft/internal/ground/paper"
	"zunft/internal/training/calendar"
	"zunft/internal/training/export"
	"zunft/internal/training/foreign"
)

const old = `Ausbildungswoche 03.11.2025 bis 09.11.2025
Status: genehmigt
Ausbildungsabschnitt: Lager
Mo | 03.11.2025 | Betrieb | anwesend 08:00
Ware angenommen
und geprüft
Qualifikationen:
3.2 Waren annehmen
Di | 04.11.2025 | Schule | anwesend 06:00
Mi | 05.11.2025 | Urlaub
Themen der Berufsschule
Kaufvertrag
Bemerkung
nichts vom Azubi
Ausbildungswoche 10.11.2025 bis 16.11.2025
Status: in Bearbeitung
Betriebliche Tätigkeiten:
Inventur
Unterweisungen
Stapler
`

func problemOf(err error) string {
	if f := fault.Of(err); f != nil {
		return f.Key()
	}
	return fmt.Sprint(err)
}

func checkOld(t *testing.T, f foreign.Found, err error) {
	t.Helper()
	if err != nil || len(f.Reports) != 2 {
		t.Fatalf("%v %+v", err, f)
	}
	a, b := f.Reports[0], f.Reports[1]
	if a.Week != "2025-W45" || a.Department != "Lager" || a.School != "Kaufvertrag" || len(a.Days) != 3 || a.Work != "" {
		t.Errorf("%+v", a)
	}
	if d := a.Days[0]; d.Date != "2025-11-03" || d.Attendance != "company" || d.Minutes != 480 || !strings.HasPrefix(d.Text, "Ware angenommen\nund geprüft\nQualifikationen:\n3.2") {
		t.Errorf("%+v", d)
	}
	if a.Days[1].Attendance != "school" || a.Days[1].Minutes != 360 || a.Days[2].Attendance != "vacation" {
		t.Errorf("%+v", a.Days)
	}
	if b.Week != "2025-W46" || b.Work != "Inventur" || b.Instruction != "Stapler" {
		t.Errorf("%+v", b)
	}
}

// The older portals' export, as its text is pasted, and as a PDF.
func TestOldPortals(t *testing.T) {
	f, err := foreign.ReadText(old)
	checkOld(t, f, err)
	var b bytes.Buffer
	s := paper.Sheet{Title: "Berichtsheft", Date: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, week := range strings.SplitAfter(old, "nichts vom Azubi\n") {
		s.Sections = append(s.Sections, paper.Section{Text: week})
	}
	if err := paper.WriteSheet(&b, s); err != nil {
		t.Fatal(err)
	}
	f, err = foreign.Read(b.Bytes())
	checkOld(t, f, err)
}

// Our own files come back as they went out.
func TestRoundTrip(t *testing.T) {
	d := export.Data{Format: export.Format, Version: 1, Name: "Anna", Reports: []export.Record{
		{Week: "2026-W46", Work: "=1+1; \"zitiert\"\nzweite Zeile", School: "Öl, Maße", Days: []export.DayRecord{{Date: "2026-11-09", Attendance: "vacation"}}},
		{Week: "2026-W47", Department: "Werkstatt", Instruction: "+Sicherheit", Days: []export.DayRecord{{Date: "2026-11-17", Attendance: "company", Minutes: 450, Place: "Halle", Text: "Bohren"}}},
	}}
	var j, c bytes.Buffer
	if err := d.JSON(&j); err != nil {
		t.Fatal(err)
	}
	if err := d.CSV(&c); err != nil {
		t.Fatal(err)
	}
	f, err := foreign.Read(j.Bytes())
	if err != nil || fmt.Sprintf("%+v", f.Reports) != fmt.Sprintf("%+v", d.Reports) {
		t.Errorf("JSON: %v\n%+v\n%+v", err, f.Reports, d.Reports)
	}
	f, err = foreign.Read(c.Bytes())
	if err != nil || len(f.Reports) != 2 || f.Reports[0].Work != d.Reports[0].Work || f.Reports[0].School != "Öl, Maße" || f.Reports[0].Days[0].Attendance != "vacation" || f.Reports[1].Instruction != "+Sicherheit" || f.Reports[1].Department != "Werkstatt" {
		t.Errorf("CSV: %v\n%+v", err, f.Reports)
	}
}

// Tables as people keep them: by week or by day, with all kinds of headings.
func TestTables(t *testing.T) {
	for name, one := range map[string]struct{ text, want string }{
		"week numbers":  {"KW;Jahr;Betriebliche Tätigkeiten;Berufsschule\n45;2025;Teig;Hefe\nKW 46;2025;Ofen;\n", "2025-W45 Teig Hefe, 2025-W46 Ofen "},
		"week and year": {"Woche,Bericht\n45/2025,Teig\n", "2025-W45 Teig "},
		"from and to":   {"Von\tBis\tTätigkeiten\n03.11.2025\t09.11.2025\tTeig\n", "2025-W45 Teig "},
		"fields":        {"edtvon;edtbis;ausbinhalt1;ausbinhalt3\n03.11.2025;07.11.2025;Teig;Hefe\n", "2025-W45 Teig Hefe"},
		"days":          {"Datum;Ort;Anwesenheit;Stunden;Tätigkeit\n03.11.2025;Halle;anwesend;7,5;Bohren\n04.11.2025;;Berufsschule;;\n", "2025-W45   2025-11-03/company/450/Halle/Bohren 2025-11-04/school/0//"},
		"twice":         {"week;work\n2025-W45;alt\n2025-W45;neu\n", "2025-W45 alt\nneu "},
	} {
		f, err := foreign.ReadText(one.text)
		var got []string
		for _, r := range f.Reports {
			line := r.Week + " " + r.Work + " " + r.School
			for _, d := range r.Days {
				line += fmt.Sprintf(" %s/%s/%d/%s/%s", d.Date, d.Attendance, d.Minutes, d.Place, d.Text)
			}
			got = append(got, line)
		}
		if err != nil || strings.Join(got, ", ") != one.want {
			t.Errorf("%s: %v\n got %q\nwant %q", name, err, strings.Join(got, ", "), one.want)
		}
	}
}

const timetable = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;TZID=Europe/Berlin:20261109T080000\r\nDTEND;TZID=Europe/Berlin:20261109T093000\r\nSUMMARY:Deutsch\\, Lese\r\n n\r\nLOCATION:R 12\r\n" +
	"RRULE:FREQ=WEEKLY;COUNT=4;INTERVAL=1;BYDAY=MO,TH\r\nEXDATE;TZID=Europe/Berlin:20261116T080000\r\nBEGIN:VALARM\r\nSUMMARY:Wecker\r\nDURATION:PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nDTSTART:20260710T060000Z\r\nDURATION:PT45M\r\nSUMMARY:Sport\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261225\r\nSUMMARY:Ferien\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nDTSTART:20261110T080000\r\nDTEND:20261110T090000\r\nSUMMARY:Ausfall\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

// A timetable (RFC 5545): folded lines, time zones, repeats, what is cancelled.
func TestTimetable(t *testing.T) {
	f, err := foreign.ReadText(timetable)
	var got []string
	for _, l := range f.Lessons {
		got = append(got, fmt.Sprintf("%s %d-%d %s (%s)", l.Day, l.Starts, l.Ends, l.Subject, l.Place))
	}
	want := "2026-07-10 480-525 Sport ()\n2026-11-09 480-570 Deutsch, Lesen (R 12)\n2026-11-12 480-570 Deutsch, Lesen (R 12)\n2026-11-19 480-570 Deutsch, Lesen (R 12)"
	if err != nil || strings.Join(got, "\n") != want || len(f.Left) != 2 {
		t.Errorf("%v, %d left\n%s", err, len(f.Left), strings.Join(got, "\n"))
	}
}

// What is no book says what to do.
func TestWhatCannotBeRead(t *testing.T) {
	weeks := []string{"week;work"}
	for w, n := (calendar.Week{Year: 2010, Number: 1}), 0; n < foreign.MaxReports+1; w, n = w.Add(1), n+1 {
		weeks = append(weeks, w.String()+";x")
	}
	for want, file := range map[string]string{
		"foreign.nothing":        "",
		"foreign.large":          strings.Repeat("x", foreign.MaxFile+1),
		"foreign.workbook":       "\xD0\xCF\x11\xE0rest",
		"table.sheet_broken":     "PK\x03\x04rest",
		"foreign.wide":           "week;work\n2026-W01" + strings.Repeat(";", 1<<20),
		"foreign.pdf_unreadable": "%PDF-1.4 nichts",
		"foreign.unknown":        "\x89PNG\r\n",
		"foreign.columns":        "Hallo Welt\n",
		"foreign.json_broken":    `{"format":`,
		"foreign.json_other":     `{"format":"anders"}`,
		"foreign.empty":          `[]`,
		"foreign.much":           strings.Join(weeks, "\n"),
		"foreign.lessons_many":   "BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:VEVENT\nDTSTART:20260101T080000\nDTEND:20260101T090000\nSUMMARY:x\nRRULE:FREQ=DAILY\nEND:VEVENT\n", 30),
	} {
		if _, err := foreign.Read([]byte(file)); problemOf(err) != want {
			t.Errorf("%.30q: %v, wanted %s", file, err, want)
		}
	}
}

// Whatever people bring, reading it ends, with weeks that exist.
func FuzzRead(f *testing.F) {
	for _, text := range []string{old, timetable, byWeek, byDay, form, "KW;Jahr;Inhalt\n45;2025;x\n"} {
		f.Add([]byte(text))
	}
	f.Add(xlsx(f, `<row><c t="str"><v>Datum</v></c><c t="str"><v>Text</v></c></row><row><c><v>45964</v></c><c t="str"><v>x</v></c></row>`))
	f.Add([]byte("week;work\n2025-W45;neu\n"))
	f.Add([]byte(`{"format":"zunft-report-book","reports":[{"week":"2026-W01","days":[{"date":"2026-01-01"}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		found, err := foreign.Read(b)
		if err != nil {
			if fault.Of(err) == nil {
				t.Errorf("%v is for nobody to read", err)
			}
			return
		}
		for _, r := range found.Reports {
			if _, ok := calendar.ParseWeek(r.Week); !ok {
				t.Errorf("week %q", r.Week)
			}
		}
	})
}
