package calendar_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"zunft/internal/training/calendar"
)

// Easter by another way than the code's: the ecclesiastical moon by tables
// (Meeus, Jones, Butcher), and known from calendars for each year.
func easterByButcher(y int) (month, day int) {
	a, b, c := y%19, y/100, y%100
	d, e := b/4, b%4
	f := (b + 8) / 25
	g := (b - f + 1) / 3
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return n / 31, n%31 + 1
}

var easters = map[int]string{
	2020: "04-12", 2021: "04-04", 2022: "04-17", 2023: "04-09", 2024: "03-31", 2025: "04-20", 2026: "04-05", 2027: "03-28",
	2028: "04-16", 2029: "04-01", 2030: "04-21", 2031: "04-13", 2032: "03-28", 2033: "04-17", 2034: "04-09", 2035: "03-25",
}

// How many days each Land has by law in 2026, without those of some places.
var counts = map[string]int{
	"BW": 12, "BY": 12, "BE": 10, "BB": 12, "HB": 10, "HH": 10, "HE": 10, "MV": 11, "NI": 10, "NW": 11, "RP": 11, "SL": 12, "SN": 11, "ST": 11, "SH": 10, "TH": 11,
}

func keysOn(land string, d calendar.Date) (keys []string) {
	for _, h := range calendar.Holidays(land, d.Time().Year()) {
		if h.Date == d {
			keys = append(keys, h.Key)
		}
	}
	return keys
}

// All Länder, 2020 to 2035: the movable days stand as far from Easter as they
// must, on the right weekday, and fixed ones where the laws say.
func TestHolidaysOfAllLänder(t *testing.T) {
	offsets := map[string]int{"good_friday": -2, "easter_sunday": 0, "easter_monday": 1, "ascension": 39, "whit_sunday": 49, "whit_monday": 50, "corpus_christi": 60}
	weekdays := map[string]int{"good_friday": 5, "easter_sunday": 7, "easter_monday": 1, "ascension": 4, "whit_sunday": 7, "whit_monday": 1, "corpus_christi": 4, "repentance": 3}
	fixed := map[string]string{
		"new_year": "01-01", "epiphany": "01-06", "womens_day": "03-08", "labour_day": "05-01", "liberation": "05-08", "uprising": "06-17", "peace_feast": "08-08",
		"assumption": "08-15", "childrens_day": "09-20", "unity": "10-03", "reformation": "10-31", "all_saints": "11-01", "christmas": "12-25", "boxing_day": "12-26",
	}
	if len(calendar.Lands) != 16 {
		t.Fatal(calendar.Lands)
	}
	for year := calendar.FirstYear; year <= calendar.LastYear; year++ {
		month, day := easterByButcher(year)
		easter := calendar.DateOf(time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC))
		if !strings.HasSuffix(string(easter), easters[year]) {
			t.Fatalf("Easter %d is %s, the calendar says %s", year, easter, easters[year])
		}
		for _, land := range append([]string{""}, calendar.Lands...) {
			all := calendar.Holidays(land, year)
			if !slices.IsSortedFunc(all, func(a, b calendar.Holiday) int { return strings.Compare(string(a.Date), string(b.Date)) }) {
				t.Errorf("%s %d is not in order: %v", land, year, all)
			}
			seen := map[string]bool{}
			for _, h := range all {
				if seen[h.Key] {
					t.Errorf("%s %d has %s twice", land, year, h.Key)
				}
				seen[h.Key] = true
				if h.Name == "" || h.Date.Time().Year() != year {
					t.Errorf("%+v in %d", h, year)
				}
				if n, movable := offsets[h.Key]; movable && h.Date != easter.Add(n) {
					t.Errorf("%s %d: %s is on %s", land, year, h.Key, h.Date)
				}
				if w, known := weekdays[h.Key]; known && h.Date.Weekday() != w {
					t.Errorf("%s %d: %s is on day %d of the week", land, year, h.Key, h.Date.Weekday())
				}
				if at, known := fixed[h.Key]; known && !strings.HasSuffix(string(h.Date), at) {
					t.Errorf("%s %d: %s is on %s", land, year, h.Key, h.Date)
				}
				if h.Key == "repentance" && (h.Date < calendar.Date(h.Date[:4]+"-11-16") || h.Date > calendar.Date(h.Date[:4]+"-11-22")) {
					t.Errorf("%d: the Wednesday before 23 November is not %s", year, h.Date)
				}
			}
			for _, common := range []string{"new_year", "good_friday", "easter_monday", "labour_day", "ascension", "whit_monday", "unity", "christmas", "boxing_day"} {
				if !seen[common] {
					t.Errorf("%s %d lacks %s", land, year, common)
				}
			}
		}
	}
	for land, want := range counts {
		n := 0
		for _, h := range calendar.Holidays(land, 2026) {
			if !h.Regional {
				n++
			}
		}
		if n != want {
			t.Errorf("%s has %d holidays in 2026, wanted %d", land, n, want)
		}
	}
}

// A fixed list of days that are easy to get wrong.
func TestHolidaysThatAreSpecial(t *testing.T) {
	for _, c := range []struct {
		land, day, key string
	}{
		{"BE", "2020-05-08", "liberation"},
		{"BE", "2021-05-08", ""},
		{"BE", "2025-05-08", "liberation"},
		{"BB", "2025-05-08", ""},
		{"BE", "2028-06-17", "uprising"},
		{"BE", "2027-06-17", ""},
		{"BE", "2020-03-08", "womens_day"},
		{"MV", "2022-03-08", ""},
		{"MV", "2023-03-08", "womens_day"},
		{"TH", "2026-09-20", "childrens_day"},
		{"SN", "2026-11-18", "repentance"},
		{"SN", "2023-11-22", "repentance"},
		{"SN", "2029-11-21", "repentance"},
		{"BY", "2026-11-18", ""}, // schools are closed, work is not
		{"BW", "2026-01-06", "epiphany"},
		{"HE", "2026-11-01", ""},
		{"NW", "2026-11-01", "all_saints"},
		{"NI", "2026-10-31", "reformation"},
		{"NW", "2026-10-31", ""},
		{"HE", "2026-06-04", "corpus_christi"},
		{"BY", "2026-08-15", "assumption"},
		{"SL", "2026-08-15", "assumption"},
		{"BW", "2026-08-15", ""},
		{"BB", "2026-04-05", "easter_sunday"},
		{"HE", "2026-04-05", ""},
	} {
		if got := strings.Join(keysOn(c.land, calendar.Date(c.day)), " "); got != c.key {
			t.Errorf("%s %s is %q, wanted %q", c.land, c.day, got, c.key)
		}
	}
	// Regional ones count for who says so.
	for _, c := range []struct {
		land, day, key string
	}{{"BY", "2026-08-15", "assumption"}, {"BY", "2025-08-08", "peace_feast"}, {"SN", "2026-06-04", "corpus_christi"}, {"TH", "2026-06-04", "corpus_christi"}} {
		if h, ok := calendar.HolidayOn(c.land, calendar.Date(c.day)); ok {
			t.Errorf("%s %s is %s everywhere", c.land, c.day, h.Name)
		}
		if h, ok := calendar.HolidayOn(c.land, calendar.Date(c.day), "nothing", c.key); !ok || h.Key != c.key {
			t.Errorf("%s %s is no holiday in its places", c.land, c.day)
		}
		if !slices.Contains(calendar.RegionalHolidays(c.land), c.key) {
			t.Errorf("%s does not name %s", c.land, c.key)
		}
	}
	if h, ok := calendar.HolidayOn("SL", "2026-08-15"); !ok || h.Name != "Mariä Himmelfahrt" {
		t.Error(h)
	}
	if len(calendar.Holidays("BW", 2019)) != 0 || len(calendar.Holidays("BW", 2036)) != 0 || len(calendar.RegionalHolidays("HH")) != 0 {
		t.Error("holidays of years that nobody checked")
	}
	if _, ok := calendar.HolidayOn("BW", ""); ok {
		t.Error("no day is a holiday")
	}
}
