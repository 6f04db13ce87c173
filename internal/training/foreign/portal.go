package foreign

import (
	"regexp"
	"strings"

	"zunft/internal/ground/fault"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/export"
)

// The text of the older portals' PDF export (domain.md 4.2), by week or by day:
//
//	Ausbildungsnachweis auf Wochenbasis
//	Ausbilder	Status
//	Berg, Bert	Eingereicht am … freigegeben.
//	Ausbildungswoche 03.11.2025 bis 09.11.2025
//	Schule/Betrieb
//	Schule:
//	was gelernt wurde …
//	Betrieb:
//	was getan wurde …
//	Mo | 03.11.2025 | Betrieb | anwesend 08:00
//	08:00
//	Qualifikationen:
//	- …
//	Dauer gesamt: 37:30
//	Seite 7
//
// and the forms of the chambers ("Woche vom … bis …", "Betriebliche Tätigkeiten",
// a table of weekdays). What parts the cells is a line, a tab or blanks, as the
// PDF's reader found it. A week goes on over pages; before the first one there
// may be a cover and a list of contents.
var (
	weekLine = regexp.MustCompile(`(?im)^[ \t]*(?:Ausbildungswoche|Ausbildungsnachweis|Berichtsheft|Wochenbericht|Tätigkeitsnachweis|Nachweis|Zeitraum|Berichtszeitraum|Berichtswoche|Woche|KW[ \t]*\d{1,2}|Kalenderwoche|Für die (?:Woche|Zeit))\b[^\n]{0,60}?(\d{1,2}\.\d{1,2}\.\d{4})[ \t]*(?:bis|[-–])[ \t:]*(?:zum[ \t]+)?(\d{1,2}\.\d{1,2}\.\d{4})`)
	dayLine  = regexp.MustCompile(`(?i)^(Mo|Di|Mi|Do|Fr|Sa|So)[a-z]*\.?[\s|,]+(\d{1,2}\.\d{1,2}\.\d{4})[\s|]*(.*)$`)
	weekday  = regexp.MustCompile(`(?i)^(Mo|Di|Mi|Do|Fr|Sa|So)(?:ntag|enstag|ttwoch|nnerstag|eitag|mstag|nntag)?\.?:?[ ]*[\t|](.*)$`) // a row of a table
	timeIn   = regexp.MustCompile(`\b(\d{1,2}):([0-5]\d)\b(?:\s*(?:h|Std\.?|Stunden))?`)
	timeEnd  = regexp.MustCompile(`[\s|]+(\d{1,2}(?::[0-5]\d|[.,]\d{1,2})?)(?:\s*(?:h|Std\.?|Stunden))?$`)
	heading  = regexp.MustCompile(`(?i)^(Betriebliche Tätigkeit(?:en)?|Ausbildungsinhalte?|Betrieb:|Unterweisung(?:en)?[^:\n]{0,60}|Betrieblicher Unterricht[^:\n]{0,60}|Mit Unterweisung:|Themen (?:der Berufsschule|des Berufsschulunterrichts)|Berufsschule|Berufsschulunterricht[^:\n]{0,40}|Schule:|Ausbildungsabschnitt|Ausbildungsabteilung|Abteilung|Qualifikationen|Bemerkung(?:en)?[^:\n]{0,40}|Kommentare?|Abwesenheitsnotiz)\s*:?$`)
	inline   = regexp.MustCompile(`(?i)^(Ausbildungsabschnitt|Ausbildungsabteilung|Ausbildende Abteilung|Abteilung|Status|Name|Auszubildende(?:/r|r|n)?|Ausbildungsberuf|Ausbildungsjahr|Ausbilder(?:in|/in|:in)?|Nr\.?|Dauer gesamt|Gesamtstunden|Unterschrift[^:]{0,60})\s*:\s*(.*)$`)
	places   = regexp.MustCompile(`(?i)^(?:(?:Schule|Betrieb|Urlaub|Krank(?:heit)?|Feiertag|Zeitausgleich|Abwesend)(?:\s*[/,]\s*)?)+$`)
	// what pages repeat; nobody wrote it
	furniture = regexp.MustCompile(`(?i)^(?:Seite\s+\d+(?:\s+von\s+\d+)?|Ausbildungsnachweis auf (?:Wochen|Tages)basis|Tag\s+.{0,200}Stunden|\(?KW\s*\d{1,2}\)?)$`)
	pageHead  = regexp.MustCompile(`(?i)^(?:Auszubildende(?:/r|r)?|Ausbilder(?:in|:in|/in)?\s+Status|Status|Name|Datum,?\s+Unterschrift.*)$`)
)

// readPortal reads such a text; weeks begin where one says so.
func readPortal(text string) (f Found, err error) {
	starts := weekLine.FindAllStringSubmatchIndex(text, 4*MaxReports+1)
	if len(starts) > 4*MaxReports {
		return f, fault.Invalid("file", "foreign.much", MaxReports)
	}
	if len(starts) > 0 {
		f.pass("", text[:starts[0][0]], "foreign.left_cover")
	}
	for i, m := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		from, ok := calendar.ReadDate(text[m[2]:m[3]])
		until, ok2 := calendar.ReadDate(text[m[4]:m[5]])
		if !ok || !ok2 || until < from || from.Week() != until.Week() { // the contents: the time of the whole book
			f.pass("", text[m[0]:end], "foreign.left_span")
			continue
		}
		r := reader{f: &f, week: from.Week(), rec: export.Record{Week: from.Week().String()}}
		r.read(text[m[1]:end])
		f.Reports = append(f.Reports, r.rec)
	}
	return f, nil
}

// pass leaves lines that belong to no week, without what pages repeat.
func (f *Found) pass(week, text, why string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !furniture.MatchString(line) {
			f.leave(week, 0, line, why)
		}
	}
}

// A reader reads the lines below the one that names the week.
type reader struct {
	f      *Found
	week   calendar.Week
	rec    export.Record
	target *string           // where the next lines go; nil: they are left
	day    *export.DayRecord // of the lines read last
	first  bool              // the next line is the first one of the day
	length int               // of what was read, in bytes
	lines  int               // and in lines
}

// most says that a week has more than weeks have.
func (r *reader) most() bool { return r.length > maxRecord || r.lines > 3000 }

func (r *reader) read(text string) {
	r.target = &r.rec.Work
	above := true // nothing but the head was read
	for line := range strings.Lines(text) {
		line = strings.Trim(line, " \t\r\n\f|")
		if line == "" || furniture.MatchString(line) {
			continue
		}
		if above && places.MatchString(line) { // where the week was: the days say it again
			r.f.leave(r.rec.Week, 0, line, "foreign.left_place")
			continue
		}
		above = false
		r.line(line)
	}
}

func (r *reader) line(line string) {
	if date, rest, ok := r.dayIn(line); ok && !r.most() {
		r.length, r.lines = r.length+len(line), r.lines+1
		if date.Week() != r.week {
			r.f.leave(r.rec.Week, 0, line, "foreign.left_day")
			r.target, r.day = nil, nil
			return
		}
		d := dayOf(date, rest)
		r.rec.Days = join(r.rec.Days, []export.DayRecord{d})
		for i := range r.rec.Days {
			if r.rec.Days[i].Date == date {
				r.day = &r.rec.Days[i]
			}
		}
		r.target, r.first = &r.day.Text, true
		return
	}
	first := r.first
	r.first = false
	if r.length, r.lines = r.length+len(line), r.lines+1; r.most() {
		r.f.leave(r.rec.Week, 0, line, "foreign.left_long")
		return
	}
	if m := heading.FindStringSubmatch(line); m != nil {
		r.under(line, strings.ToLower(m[1]))
		return
	}
	if m := inline.FindStringSubmatch(line); m != nil {
		if key := strings.ToLower(m[1]); strings.Contains(key, "abschnitt") || strings.Contains(key, "abteilung") {
			r.rec.Department = either(r.rec.Department, m[2])
		} else {
			r.f.leave(r.rec.Week, 0, line, "foreign.left_head")
		}
		return
	}
	if pageHead.MatchString(line) { // of the next week: who keeps the book, and what was decided
		r.f.leave(r.rec.Week, 0, line, "foreign.left_head")
		r.target, r.day = nil, nil
		return
	}
	if first {
		if line = r.duration(line); line == "" {
			r.first = true
			return
		}
	}
	switch {
	case r.target == nil:
		r.f.leave(r.rec.Week, 0, line, "foreign.left_head")
	case r.target == &r.rec.Department && r.rec.Department != "":
		r.target = &r.rec.Work
		fallthrough
	default:
		*r.target = strings.TrimPrefix(*r.target+"\n"+line, "\n")
	}
}

// dayIn is the day that a line begins, by its date, or by its weekday in a table.
func (r *reader) dayIn(line string) (date calendar.Date, rest string, ok bool) {
	if m := dayLine.FindStringSubmatch(line); m != nil {
		date, ok = calendar.ReadDate(m[2])
		return date, m[3], ok
	}
	if m := weekday.FindStringSubmatch(line); m != nil {
		n := strings.Index("modimidofrsaso", strings.ToLower(m[1]))/2 + 1
		return r.week.Date(n), m[2], true
	}
	return "", "", false
}

// duration takes the hours away that the first line of a day repeats.
func (r *reader) duration(line string) string {
	m := timeEnd.FindStringSubmatchIndex(" " + line)
	if m == nil || r.day == nil {
		return line
	}
	if n := book.ReadHours((" " + line)[m[2]:m[3]]); n > 0 && n == r.day.Minutes {
		return strings.TrimSpace((" " + line)[:m[0]])
	}
	return line
}

// under goes on below a heading.
func (r *reader) under(line, key string) {
	part := func(to *string) { r.target, r.day = to, nil }
	switch {
	case strings.HasPrefix(key, "betriebliche t"), strings.HasPrefix(key, "ausbildungsinhalt"), key == "betrieb:":
		part(&r.rec.Work)
	case strings.Contains(key, "unterweisung"), strings.HasPrefix(key, "betrieblicher u"):
		part(&r.rec.Instruction)
	case strings.Contains(key, "schul"):
		part(&r.rec.School)
	case strings.HasPrefix(key, "ausbildungsab"), key == "abteilung":
		part(&r.rec.Department)
	case key == "qualifikationen", key == "abwesenheitsnotiz":
		if r.day == nil {
			r.target = &r.rec.Work
		}
		*r.target = below(*r.target, strings.TrimSuffix(line, ":")+":")
	default: // remarks: not what the apprentice wrote
		r.f.leave(r.rec.Week, 0, line, "foreign.left_head")
		part(nil)
	}
}

// dayOf reads the rest of a day's line: "Betrieb | anwesend 08:00", or what was
// done and the hours.
func dayOf(date calendar.Date, rest string) export.DayRecord {
	d := export.DayRecord{Date: date}
	rest = strings.TrimSpace(rest)
	if m := timeIn.FindStringSubmatch(rest); m != nil {
		if n := book.ReadHours(m[1] + ":" + m[2]); n > 0 && n <= 24*60 {
			d.Minutes = n
			rest = strings.Replace(rest, m[0], " ", 1)
		} else if n == 0 {
			rest = strings.Replace(rest, m[0], " ", 1)
		}
	} else if m := timeEnd.FindStringSubmatchIndex(rest); m != nil {
		if n := book.ReadHours(rest[m[2]:m[3]]); n >= 0 && n <= 24*60 && strings.ContainsAny(rest[m[0]:m[2]], "\t|") {
			d.Minutes, rest = n, rest[:m[0]]
		}
	}
	cells := strings.FieldsFunc(rest, func(r rune) bool { return r == '|' || r == '\t' })
	var left []string
	for _, cell := range cells {
		if a := attendanceOf(cell); a != "" && d.Attendance == "" {
			d.Attendance = a
			continue
		}
		var more []string
		for _, word := range strings.Fields(cell) {
			switch a := attendanceOf(word); {
			case a == "" || len(strings.Fields(cell)) > 2: // a sentence is no place
				more = append(more, word)
			case d.Attendance == "" || d.Attendance == "company" && !strings.EqualFold(word, "anwesend"):
				d.Attendance = a
			}
		}
		if len(more) > 0 {
			left = append(left, strings.Join(more, " "))
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
