package reminder_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/training/calendar"
	"zunft/internal/training/reminder"
)

// unfold reads content lines as RFC 5545, section 3.1, says a reader does.
func unfold(s string) []string {
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(s, "\r\n ", ""), "\r\n"), "\r\n")
}

// unescape reads a TEXT value (section 3.3.11).
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			if s[i] == 'n' {
				b.WriteByte('\n')
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// RFC 5545: whatever a summary says, no line has more than 75 octets, none is
// cut within a character, and reading it gives the same text back.
func TestCalendarsFoldAndEscape(t *testing.T) {
	due := []reminder.Due{{Week: calendar.Week{Year: 2026, Number: 53}, Day: "2027-01-10"}}
	rapid.Check(t, func(t *rapid.T) {
		said := strings.Map(func(r rune) rune {
			if r < ' ' && r != '\n' || r == 0x7f {
				return -1
			}
			return r
		}, rapid.StringN(0, 200, 400).Draw(t, "summary"))
		ics := reminder.ICS(reminder.Feed{ID: "f"}, due, db.At(time.Unix(1795000000, 0)), "https://portal.example", func(key string, _ ...any) string {
			if key == "reminder.hand_in" {
				return said
			}
			return "Name"
		})
		for _, line := range strings.SplitAfter(strings.TrimSuffix(ics, "\r\n"), "\r\n") {
			line = strings.TrimSuffix(line, "\r\n")
			if len(line) > 75 || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n") {
				t.Fatalf("%d octets: %q", len(line), line)
			}
		}
		found := false
		for _, line := range unfold(ics) {
			if name, value, _ := strings.Cut(line, ":"); name == "SUMMARY" {
				found = true
				if got := unescape(value); got != said {
					t.Fatalf("%q became %q", said, got)
				}
			}
		}
		if !found {
			t.Fatal("no summary")
		}
	})
	ics := reminder.ICS(reminder.Feed{ID: "f"}, due, db.At(time.Unix(1795000000, 0)), "https://portal.example", func(key string, _ ...any) string { return `a,b;c\d` + "\nBEGIN:VALARM" })
	for _, want := range []string{`SUMMARY:a\,b\;c\\d\nBEGIN:VALARM` + "\r\n", "DTSTART;VALUE=DATE:20270110\r\nDTEND;VALUE=DATE:20270111\r\n", "UID:2026-W53-f@portal.example\r\n", "URL:https://portal.example/reports/2026-W53\r\n"} {
		if !strings.Contains(ics, want) {
			t.Errorf("no %q in\n%s", want, ics)
		}
	}
}

// The chosen hour is one of people's clocks, also over changes of the clock.
func TestMomentsKeepTheirHour(t *testing.T) {
	sunday := reminder.Moment{Weekday: 7, Hour: 18}
	at := db.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	for range 110 {
		day, next := sunday.Next(at)
		local := next.In(mail.Berlin)
		if !next.After(at) || next.Sub(at) > 7*24*time.Hour+time.Hour || local.Hour() != 18 || local.Weekday() != time.Sunday || calendar.DateOf(local) != day {
			t.Fatalf("after %s comes %s", at, local)
		}
		at = next
	}
}
