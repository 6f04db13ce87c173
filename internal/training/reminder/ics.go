package reminder

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/db"
)

// ICS writes a calendar as RFC 5545 wants it: one all-day event on the last day
// of each week's time, in the words of text. base is the portal's address.
func ICS(f Feed, weeks []Due, now db.Time, base string, text func(key string, args ...any) string) string {
	var b strings.Builder
	line := func(name, value string) { fold(&b, name+":"+value) }
	_, host, _ := strings.Cut(base, "//")
	line("BEGIN", "VCALENDAR")
	line("VERSION", "2.0")
	line("PRODID", "-//Zunft//"+escape(text("training.name"))+"//"+strings.ToUpper(text("reminder.language")))
	line("CALSCALE", "GREGORIAN")
	line("METHOD", "PUBLISH")
	line("NAME", escape(text("training.name"))) // RFC 7986, and what came before it
	line("X-WR-CALNAME", escape(text("training.name")))
	line("REFRESH-INTERVAL;VALUE=DURATION", "PT6H")
	line("X-PUBLISHED-TTL", "PT6H")
	for _, d := range weeks {
		key := "reminder.hand_in"
		if d.Returned {
			key = "reminder.rework"
		}
		line("BEGIN", "VEVENT")
		line("UID", d.Week.String()+"-"+f.ID+"@"+escape(host))
		line("DTSTAMP", now.UTC().Format("20060102T150405Z"))
		line("DTSTART;VALUE=DATE", day(d.Day.Time()))
		line("DTEND;VALUE=DATE", day(d.Day.Add(1).Time())) // exclusive
		line("SUMMARY", escape(text(key, d.Week.Name())))
		line("DESCRIPTION", escape(text("reminder.week", d.Week.Dates())+"\n"+base+"/reports/"+d.Week.String()))
		line("URL", base+"/reports/"+d.Week.String())
		line("CLASS", "PRIVATE")
		line("TRANSP", "TRANSPARENT")
		line("END", "VEVENT")
	}
	if len(weeks) == 0 { // section 3.6: at least one component
		for _, l := range []string{"BEGIN:VTIMEZONE", "TZID:UTC", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0000", "TZOFFSETTO:+0000", "END:STANDARD", "END:VTIMEZONE"} {
			fold(&b, l)
		}
	}
	line("END", "VCALENDAR")
	return b.String()
}

func day(t time.Time) string { return t.Format("20060102") }

// escape makes a TEXT value (RFC 5545, section 3.3.11).
func escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ReplaceAll(s, "\r\n", "\n"))
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(s)
}

// fold writes a content line: at most 75 octets each without the line break,
// never within a character (RFC 5545, section 3.1).
func fold(b *strings.Builder, s string) {
	room := 75
	for len(s) > room {
		cut := room
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		fmt.Fprintf(b, "%s\r\n ", s[:cut])
		s, room = s[cut:], 74 // the blank counts
	}
	b.WriteString(s + "\r\n")
}
