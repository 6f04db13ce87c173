package intake

import (
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"

	"zunft/internal/ground/fault"
	"zunft/internal/ground/table"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/export"
)

// headings that files carry, folded: our own, and what apprentices and the
// older portals call them (ausbinhalt1 … are fields of theirs).
var headings = map[string]string{
	"week":        "week woche kw kalenderwoche ausbildungswoche wochennummer",
	"year":        "year jahr kalenderjahr",
	"from":        "from von vom beginn start startdatum edtvon datumvon zeitraumvon",
	"until":       "until bis ende end enddatum edtbis datumbis zeitraumbis",
	"date":        "date datum tag day",
	"department":  "department abteilung ausbildungsabschnitt abschnitt ausbabschnitt bereich",
	"work":        "work betrieblichetaetigkeiten betrieblichetaetigkeit taetigkeiten taetigkeit betrieb ausbinhalt1 bericht inhalt text beschreibung ausbildungsinhalte",
	"instruction": "instruction unterweisungen unterweisung schulungen schulung unterricht betrieblicherunterricht ausbinhalt2",
	"school":      "school berufsschule schule schulthemen themenderberufsschule ausbinhalt3",
	"attendance":  "attendance anwesenheit status art",
	"hours":       "hours stunden std dauer zeit",
	"place":       "place ort abteilungort",
}

var meaning = func() map[string]string {
	m := map[string]string{}
	for key, all := range headings {
		for h := range strings.FieldsSeq(all) {
			m[h] = key
		}
	}
	return m
}()

const maxLines = 5000

// readCSV reads a table with a heading line. A line is a week, or a day (it has
// a date, and no beginning and end).
func readCSV(text string) (f Found, err error) {
	first, _, _ := strings.Cut(text, "\n")
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = delimiter(first), true, -1, false
	head, err := r.Read()
	if err != nil {
		return f, fault.Invalid("file", "intake.unknown")
	}
	columns := map[string]int{}
	for i, h := range head {
		if key := meaning[table.FoldHeading(h)]; key != "" {
			if _, taken := columns[key]; !taken {
				columns[key] = i
			}
		}
	}
	has := func(keys ...string) bool {
		for _, k := range keys {
			if _, yes := columns[k]; !yes {
				return false
			}
		}
		return true
	}
	if !has("week") && !has("from") && !has("date") || !has("work") && !has("school") && !has("instruction") && !has("attendance") {
		return f, fault.Invalid("file", "intake.columns")
	}
	weeks := map[string]*export.Record{}
	var order []string
	for n := 0; ; n++ {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if n > maxLines {
			return f, fault.Invalid("file", "intake.much", MaxReports)
		}
		if err != nil {
			f.Skipped++
			continue
		}
		cell := func(key string) string {
			i, yes := columns[key]
			if !yes || i >= len(row) {
				return ""
			}
			return unguard(strings.TrimSpace(row[i]))
		}
		week, day, ok := place(cell)
		if !ok {
			if strings.TrimSpace(strings.Join(row, "")) != "" {
				f.Skipped++
			}
			continue
		}
		rec := weeks[week.String()]
		if rec == nil {
			rec = &export.Record{Week: week.String()}
			weeks[rec.Week] = rec
			order = append(order, rec.Week)
		}
		rec.Department = either(rec.Department, cell("department"))
		rec.Instruction, rec.School = below(rec.Instruction, cell("instruction")), below(rec.School, cell("school"))
		if day == "" {
			rec.Work = below(rec.Work, cell("work"))
			rec.Days = append(rec.Days, daysIn(cell("attendance"), week)...)
			continue
		}
		d := export.DayRecord{Date: day, Attendance: attendanceOf(cell("attendance")), Place: cell("place"), Text: cell("work")}
		if m := book.ReadHours(cell("hours")); m > 0 {
			d.Minutes = m
		}
		rec.Days = append(rec.Days, d)
	}
	for _, w := range order {
		f.Reports = append(f.Reports, *weeks[w])
	}
	return f, nil
}

// delimiter is what parts the heading line most often.
func delimiter(line string) rune {
	best, most := ';', 0
	for _, d := range ";\t,|" {
		if n := strings.Count(line, string(d)); n > most {
			best, most = d, n
		}
	}
	return best
}

// place is the week a line is about, and the day if it is about one.
func place(cell func(string) string) (w calendar.Week, day calendar.Date, ok bool) {
	if s := cell("week"); s != "" {
		if w, ok = calendar.ParseWeek(strings.ToUpper(s)); ok {
			return w, "", true
		}
		year := cell("year")
		if n, y, both := strings.Cut(s, "/"); both { // 47/2026
			s, year = n, y
		}
		s = strings.TrimLeft(strings.TrimSpace(s), "KkWwoche. ")
		number, err1 := strconv.Atoi(strings.TrimSpace(s))
		y, err2 := strconv.Atoi(strings.TrimSpace(year))
		if w = (calendar.Week{Year: y, Number: number}); err1 == nil && err2 == nil {
			if again, real := calendar.ParseWeek(w.String()); real && again == w {
				return w, "", true
			}
		}
	}
	if d, yes := calendar.ReadDate(cell("from")); yes {
		until, yes := calendar.ReadDate(cell("until"))
		if yes && (until < d || until.Week() != d.Week()) { // more than a week is no week
			return w, "", false
		}
		return d.Week(), "", true
	}
	if d, yes := calendar.ReadDate(cell("date")); yes {
		return d.Week(), d, true
	}
	return w, "", false
}

// daysIn reads what our own table says of days: "2026-11-09 vacation, …".
func daysIn(s string, w calendar.Week) (days []export.DayRecord) {
	for part := range strings.SplitSeq(s, ",") {
		date, said, _ := strings.Cut(strings.TrimSpace(part), " ")
		if d, ok := calendar.ParseDate(date); ok && d.Week() == w && attendanceOf(said) != "" {
			days = append(days, export.DayRecord{Date: d, Attendance: attendanceOf(said)})
		}
	}
	return days
}

// words for where somebody was, as the older portals and people write them.
var words = map[string]string{
	"betrieb": "company", "anwesend": "company", "arbeit": "company", "praesent": "company", "work": "company", "homeoffice": "company", "mobilesarbeiten": "company",
	"schule": "school", "berufsschule": "school", "unterricht": "school",
	"lehrgang": "course", "schulung": "course", "kurs": "course", "uelu": "course", "ueberbetrieblich": "course", "seminar": "course",
	"urlaub": "vacation", "krank": "sick", "krankheit": "sick", "arbeitsunfaehig": "sick", "feiertag": "holiday",
	"zeitausgleich": "free", "freizeitausgleich": "free", "gleittag": "free", "frei": "free", "sonstigeabwesenheit": "free", "abwesend": "free",
}

func attendanceOf(s string) string {
	s = table.FoldHeading(s)
	for _, a := range book.Attendance {
		if a == s {
			return a
		}
	}
	return words[s]
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// below puts one text under another, once.
func below(a, b string) string {
	if a == "" || b == "" || a == b {
		return either(a, b)
	}
	return a + "\n" + b
}

// unguard takes away what table.Guard put there.
func unguard(s string) string {
	if len(s) > 1 && s[0] == '\'' && strings.ContainsRune("=+-@\t\r", rune(s[1])) {
		return s[1:]
	}
	return s
}
