package foreign

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/training/calendar"
	"zunft/internal/training/planning"
)

// Limits of a timetable.
const (
	maxEvents  = 20_000
	maxLessons = 5000
	maxRepeats = 400 // of one event: a lesson every day of two school years
)

// event is a VEVENT, as far as a timetable needs it (RFC 5545).
type event struct {
	starts, ends      time.Time
	allDay, cancelled bool
	duration          time.Duration
	subject, place    string
	rule              map[string]string
	except            []time.Time
}

// readCalendar reads lessons: events of a day or less with a beginning and an
// end. What repeats daily or weekly is written out, other rules count once.
func readCalendar(text string) (f Found, err error) {
	var e *event
	events, inside := 0, 0 // inside: how deep in parts of an event, such as an alarm
	for line := range unfolded(text) {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		name, params, _ := strings.Cut(name, ";")
		switch name = strings.ToUpper(strings.TrimSpace(name)); {
		case name == "BEGIN" && strings.EqualFold(value, "VEVENT"):
			if events++; events > maxEvents {
				return f, fault.Invalid("file", "foreign.lessons_many", maxLessons)
			}
			e, inside = &event{}, 0
		case e != nil && name == "BEGIN":
			inside++
		case inside > 0:
			if name == "END" {
				inside--
			}
		case name == "END" && e != nil && strings.EqualFold(value, "VEVENT"):
			lessons, ok := e.lessons()
			if !ok {
				f.leave("", 0, e.subject+" "+calendar.DateOf(e.starts).German(), "foreign.left_lesson")
			} else if freq := e.rule["FREQ"]; freq != "" && freq != "WEEKLY" && freq != "DAILY" {
				f.leave("", 0, e.subject+" "+calendar.DateOf(e.starts).German(), "foreign.left_rule")
			}
			f.Lessons = append(f.Lessons, lessons...)
			if len(f.Lessons) > maxLessons {
				return f, fault.Invalid("file", "foreign.lessons_many", maxLessons)
			}
			e = nil
		case e != nil:
			e.read(name, params, value)
		}
	}
	slices.SortStableFunc(f.Lessons, func(a, b planning.Lesson) int {
		if c := strings.Compare(string(a.Day), string(b.Day)); c != 0 {
			return c
		}
		return a.Starts - b.Starts
	})
	return f, nil
}

// unfolded are the lines, each whole: one that begins with a blank goes on the
// one before (3.1). A line has at most 4,000 bytes here.
func unfolded(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		var whole strings.Builder
		for line := range strings.Lines(text) {
			line = strings.TrimRight(line, "\r\n")
			if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
				if whole.Len() < 4000 {
					whole.WriteString(line[1:])
				}
				continue
			}
			if whole.Len() > 0 && !yield(whole.String()) {
				return
			}
			whole.Reset()
			whole.WriteString(line[:min(len(line), 4000)])
		}
		if whole.Len() > 0 {
			yield(whole.String())
		}
	}
}

func (e *event) read(name, params, value string) {
	switch name {
	case "DTSTART":
		e.starts, e.allDay = moment(params, value)
	case "DTEND":
		e.ends, _ = moment(params, value)
	case "DURATION":
		e.duration = durationOf(value)
	case "SUMMARY":
		e.subject = unescaped(value)
	case "LOCATION":
		e.place = unescaped(value)
	case "STATUS":
		e.cancelled = strings.EqualFold(strings.TrimSpace(value), "CANCELLED")
	case "RRULE":
		e.rule = map[string]string{}
		for part := range strings.SplitSeq(value, ";") {
			k, v, _ := strings.Cut(part, "=")
			e.rule[strings.ToUpper(k)] = strings.ToUpper(v)
		}
	case "EXDATE":
		for one := range strings.SplitSeq(value, ",") {
			if t, _ := moment(params, one); !t.IsZero() && len(e.except) < maxRepeats {
				e.except = append(e.except, t)
			}
		}
	}
}

// moment is a time in Berlin; zero if it is none. A time zone that we do not
// know, and none, is Berlin's.
func moment(params, value string) (t time.Time, day bool) {
	value = strings.TrimSpace(value)
	if t, err := time.ParseInLocation("20060102", value, mail.Berlin); err == nil {
		return t, true
	}
	if t, err := time.Parse("20060102T150405Z", value); err == nil {
		return t.In(mail.Berlin), false
	}
	zone := mail.Berlin
	if _, id, ok := strings.Cut(strings.ToUpper(params), "TZID="); ok {
		id = params[len(params)-len(id):]
		id, _, _ = strings.Cut(id, ";")
		if l, err := time.LoadLocation(strings.Trim(id, `"`)); err == nil && len(id) < 64 {
			zone = l
		}
	}
	t, err := time.ParseInLocation("20060102T150405", value, zone)
	if err != nil {
		return time.Time{}, false
	}
	return t.In(mail.Berlin), false
}

var durationForm = regexp.MustCompile(`^PT(?:(\d{1,2})H)?(?:(\d{1,3})M)?(?:\d{1,2}S)?$`)

func durationOf(s string) time.Duration {
	m := durationForm.FindStringSubmatch(strings.ToUpper(strings.TrimSpace(s)))
	if m == nil {
		return 0
	}
	h, _ := strconv.Atoi(m[1])
	minutes, _ := strconv.Atoi(m[2])
	return time.Duration(h)*time.Hour + time.Duration(minutes)*time.Minute
}

func unescaped(s string) string {
	return strings.TrimSpace(strings.NewReplacer(`\n`, " ", `\N`, " ", `\,`, ",", `\;`, ";", `\\`, `\`).Replace(s))
}

// lessons are the times of an event; ok is false for what is no lesson.
func (e *event) lessons() (all []planning.Lesson, ok bool) {
	if e.ends.IsZero() && e.duration > 0 {
		e.ends = e.starts.Add(e.duration)
	}
	if e.cancelled || e.allDay || e.subject == "" || e.starts.IsZero() || !e.ends.After(e.starts) ||
		calendar.DateOf(e.starts) != calendar.DateOf(e.ends) || e.starts.Year() < 1990 || e.starts.Year() > 2098 {
		return nil, false
	}
	minutes := func(t time.Time) int { return t.Hour()*60 + t.Minute() }
	for _, day := range e.days() {
		if !slices.ContainsFunc(e.except, func(t time.Time) bool { return calendar.DateOf(t) == day }) {
			all = append(all, planning.Lesson{Day: day, Starts: minutes(e.starts), Ends: minutes(e.ends), Subject: e.subject, Place: e.place})
		}
	}
	return all, true
}

var weekdays = map[string]int{"MO": 1, "TU": 2, "WE": 3, "TH": 4, "FR": 5, "SA": 6, "SU": 7}

// days are when an event is: once, or as its rule says (3.3.10; DAILY and
// WEEKLY with INTERVAL, COUNT, UNTIL, BYDAY).
func (e *event) days() []calendar.Date {
	first := calendar.DateOf(e.starts)
	freq := e.rule["FREQ"]
	if freq != "WEEKLY" && freq != "DAILY" {
		return []calendar.Date{first}
	}
	interval := max(1, number(e.rule["INTERVAL"], 1))
	count := number(e.rule["COUNT"], maxRepeats)
	until := first.Add(2 * 366)
	if u := e.rule["UNTIL"]; len(u) >= 8 {
		if t, _ := moment("", u); !t.IsZero() {
			until = min(until, calendar.DateOf(t))
		}
	}
	on := map[int]bool{}
	for d := range strings.SplitSeq(e.rule["BYDAY"], ",") {
		if n := weekdays[d]; n > 0 {
			on[n] = true
		}
	}
	if len(on) == 0 && freq == "WEEKLY" {
		on[first.Weekday()] = true
	}
	monday := first.Week().Date(1)
	var days []calendar.Date
	for day := first; day <= until && len(days) < min(count, maxRepeats); day = day.Add(1) {
		gone := first.Days(day) - 1
		if freq == "WEEKLY" {
			gone = (monday.Days(day) - 1) / 7
		}
		if gone%interval == 0 && (len(on) == 0 || on[day.Weekday()]) {
			days = append(days, day)
		}
	}
	return days
}

func number(s string, otherwise int) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 10_000 {
		return otherwise
	}
	return n
}
