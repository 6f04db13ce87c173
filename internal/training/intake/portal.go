package intake

import (
	"regexp"
	"strings"

	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/export"
)

// The text of the older portals' PDF export (domain.md 4.2):
//
//	Ausbildungswoche 03.11.2025 bis 09.11.2025
//	Status: genehmigt
//	Mo | 03.11.2025 | Betrieb | anwesend 08:00
//	was getan wurde …
//	Qualifikationen:
//	…
//
// What parts the cells is a line, a tab or blanks, as the PDF's reader found it.
var (
	weekLine = regexp.MustCompile(`(?im)^\s*(?:Ausbildungswoche|Ausbildungsnachweis(?: für die Woche)?(?: vom)?|Zeitraum:?|Berichtszeitraum:?)\s+(?:vom\s+)?(\d{1,2}\.\d{1,2}\.\d{4})\s*(?:bis|[-–])\s*(\d{1,2}\.\d{1,2}\.\d{4})`)
	dayLine  = regexp.MustCompile(`(?i)^\s*(Mo|Di|Mi|Do|Fr|Sa|So)[a-z]*\.?[\s|,]+(\d{1,2}\.\d{1,2}\.\d{4})[\s|]*(.*)$`)
	timeIn   = regexp.MustCompile(`\b(\d{1,2}):([0-5]\d)\b(?:\s*(?:h|Std\.?|Stunden))?`)
	heading  = regexp.MustCompile(`(?i)^\s*(Betriebliche Tätigkeiten?|Ausbildungsinhalte?|Unterweisungen?[^:]*|Betrieblicher Unterricht[^:]*|Themen der Berufsschule|Berufsschul(?:e|unterricht)[^:]*|Ausbildungsabschnitt|Ausbildungsabteilung|Abteilung|Qualifikationen|Status|Bemerkung(?:en)?[^:]*|Kommentare?|Name|Seite \d+.*)\s*:?\s*$`)
	inline   = regexp.MustCompile(`(?i)^\s*(Ausbildungsabschnitt|Ausbildungsabteilung|Abteilung|Status|Name|Auszubildende[^:]*|Ausbildungsberuf|Ausbildungsjahr|Ausbildende[^:]*|Nr\.?)\s*:\s*(.*)$`)
)

// readPortal reads such a text; weeks begin where one says so.
func readPortal(text string) (f Found, err error) {
	starts := weekLine.FindAllStringSubmatchIndex(text, MaxReports+2)
	for i, m := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		from, ok := calendar.ReadDate(text[m[2]:m[3]])
		until, ok2 := calendar.ReadDate(text[m[4]:m[5]])
		if !ok || !ok2 || until < from || from.Week() != until.Week() {
			f.Skipped++
			continue
		}
		f.Reports = append(f.Reports, portalWeek(from.Week(), text[m[1]:end]))
	}
	return f, nil
}

// portalWeek reads the lines below the one that names the week.
func portalWeek(w calendar.Week, text string) export.Record {
	rec := export.Record{Week: w.String()}
	var day *export.DayRecord
	target := &rec.Work
	var nowhere string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if m := dayLine.FindStringSubmatch(line); m != nil {
			date, ok := calendar.ReadDate(m[2])
			if !ok || date.Week() != w {
				target = &nowhere
				continue
			}
			rec.Days = append(rec.Days, dayOf(date, m[3]))
			day = &rec.Days[len(rec.Days)-1]
			target = &day.Text
			continue
		}
		if m := heading.FindStringSubmatch(line); m != nil {
			switch key := strings.ToLower(m[1]); {
			case strings.HasPrefix(key, "betriebliche t"), strings.HasPrefix(key, "ausbildungsinhalt"):
				target, day = &rec.Work, nil
			case strings.HasPrefix(key, "unterweisung"), strings.HasPrefix(key, "betrieblicher u"):
				target, day = &rec.Instruction, nil
			case strings.Contains(key, "berufsschul"):
				target, day = &rec.School, nil
			case strings.HasPrefix(key, "ausbildungsab"), key == "abteilung":
				target = &rec.Department
			case key == "qualifikationen":
				if day == nil {
					target = &rec.Work
				}
				*target = below(*target, "Qualifikationen:")
			default: // state, remarks, page numbers: not what the apprentice wrote
				target = &nowhere
			}
			continue
		}
		if m := inline.FindStringSubmatch(line); m != nil {
			if key := strings.ToLower(m[1]); strings.HasPrefix(key, "ausbildungsab") || key == "abteilung" {
				rec.Department = either(rec.Department, m[2])
			}
			continue
		}
		if target == &rec.Department && rec.Department != "" {
			target = &rec.Work
		}
		*target = strings.TrimPrefix(*target+"\n"+line, "\n")
	}
	return rec
}

// dayOf reads the rest of a day's line: "Betrieb | anwesend 08:00".
func dayOf(date calendar.Date, rest string) export.DayRecord {
	d := export.DayRecord{Date: date}
	if m := timeIn.FindString(rest); m != "" {
		if n := book.ReadHours(timeIn.FindStringSubmatch(rest)[1] + ":" + timeIn.FindStringSubmatch(rest)[2]); n > 0 && n <= 24*60 {
			d.Minutes = n
		}
		rest = strings.Replace(rest, m, " ", 1)
	}
	var left []string
	for _, word := range strings.FieldsFunc(rest, func(r rune) bool { return r == '|' || r == '\t' || r == ' ' }) {
		switch a := attendanceOf(word); {
		case a == "":
			left = append(left, word)
		case d.Attendance == "" || strings.EqualFold(d.Attendance, "company") && !strings.EqualFold(word, "anwesend"):
			d.Attendance = a
		}
	}
	if d.Attendance == "" {
		if a := attendanceOf(strings.Join(left, "")); a != "" {
			d.Attendance, left = a, nil
		}
	}
	d.Text = strings.Join(left, " ")
	return d
}
