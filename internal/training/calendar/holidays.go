package calendar

import (
	"cmp"
	"slices"
	"time"
)

// Public holidays (gesetzliche Feiertage) of all Länder as their laws stand for
// the years 2020 to 2035. The laws are the Länder's; dates that changed since
// 2020: 8 May 2020, 8 May 2025 and 17 June 2028 once in Berlin (§ 1 Abs. 1
// Feiertagsgesetz Berlin), 8 March in Mecklenburg-Vorpommern since 2023. What
// holds in some places of a Land only is Regional: whoever works there says so.

// Lands are the Länder by their codes of ISO 3166-2:DE, without "DE-".
var Lands = []string{"BW", "BY", "BE", "BB", "HB", "HH", "HE", "MV", "NI", "NW", "RP", "SL", "SN", "ST", "SH", "TH"}

// FirstYear and LastYear are the years whose holidays are known.
const (
	FirstYear = 2020
	LastYear  = 2035
)

// A Holiday of a Land.
type Holiday struct {
	Date     Date
	Key      string // "new_year": the key of its name, see Key in holidays
	Name     string // German name, as the law says
	Regional bool   // in some places of the Land only
}

// A rule says when and where a holiday is.
type rule struct {
	key, name  string
	month, day int    // of a fixed day
	easter     int    // days after Easter Sunday, if month is 0
	before     bool   // Wednesday before 23 November
	lands      string // with a blank around each; empty: all
	regional   string // Länder in some places of which it is
	from, to   int    // years, if not all
}

var rules = []rule{
	{key: "new_year", name: "Neujahr", month: 1, day: 1},
	{key: "epiphany", name: "Heilige Drei Könige", month: 1, day: 6, lands: " BW BY ST "},
	{key: "womens_day", name: "Internationaler Frauentag", month: 3, day: 8, lands: " BE "},
	{key: "womens_day", name: "Internationaler Frauentag", month: 3, day: 8, lands: " MV ", from: 2023},
	{key: "good_friday", name: "Karfreitag", easter: -2},
	{key: "easter_sunday", name: "Ostersonntag", easter: 0, lands: " BB "},
	{key: "easter_monday", name: "Ostermontag", easter: 1},
	{key: "labour_day", name: "Tag der Arbeit", month: 5, day: 1},
	{key: "liberation", name: "Tag der Befreiung", month: 5, day: 8, lands: " BE ", from: 2020, to: 2020},
	{key: "liberation", name: "Tag der Befreiung", month: 5, day: 8, lands: " BE ", from: 2025, to: 2025},
	{key: "ascension", name: "Christi Himmelfahrt", easter: 39},
	{key: "whit_sunday", name: "Pfingstsonntag", easter: 49, lands: " BB "},
	{key: "whit_monday", name: "Pfingstmontag", easter: 50},
	{key: "corpus_christi", name: "Fronleichnam", easter: 60, lands: " BW BY HE NW RP SL ", regional: " SN TH "},
	{key: "uprising", name: "Jahrestag des Volksaufstands", month: 6, day: 17, lands: " BE ", from: 2028, to: 2028},
	{key: "peace_feast", name: "Augsburger Friedensfest", month: 8, day: 8, lands: " ", regional: " BY "},
	{key: "assumption", name: "Mariä Himmelfahrt", month: 8, day: 15, lands: " SL ", regional: " BY "},
	{key: "childrens_day", name: "Weltkindertag", month: 9, day: 20, lands: " TH "},
	{key: "unity", name: "Tag der Deutschen Einheit", month: 10, day: 3},
	{key: "reformation", name: "Reformationstag", month: 10, day: 31, lands: " BB HB HH MV NI SN ST SH TH "},
	{key: "all_saints", name: "Allerheiligen", month: 11, day: 1, lands: " BW BY NW RP SL "},
	{key: "repentance", name: "Buß- und Bettag", before: true, lands: " SN "},
	{key: "christmas", name: "Erster Weihnachtstag", month: 12, day: 25},
	{key: "boxing_day", name: "Zweiter Weihnachtstag", month: 12, day: 26},
}

// in says whether the holiday is one in a Land, and whether in some places only.
func (r rule) in(land string) (yes, regional bool) {
	has := func(list string) bool {
		for i := 0; i+4 <= len(list); i += 3 {
			if list[i+1:i+3] == land {
				return true
			}
		}
		return false
	}
	if has(r.regional) {
		return true, true
	}
	return r.lands == "" || has(r.lands), false
}

func (r rule) date(year int, easter time.Time) Date {
	switch {
	case r.before:
		d := time.Date(year, 11, 22, 0, 0, 0, 0, time.UTC)
		return DateOf(d.AddDate(0, 0, -(int(d.Weekday())+4)%7)) // back to a Wednesday
	case r.month > 0:
		return DateOf(time.Date(year, time.Month(r.month), r.day, 0, 0, 0, 0, time.UTC))
	}
	return DateOf(easter.AddDate(0, 0, r.easter))
}

// easter is Easter Sunday (Gauß, with the corrections of Lichtenberg).
func easter(year int) time.Time {
	k := year / 100
	m := 15 + (3*k+3)/4 - (8*k+13)/25
	s := 2 - (3*k+3)/4
	a := year % 19
	d := (19*a + m) % 30
	r := (d + a/11) / 29
	og := 21 + d - r
	sz := 7 - (year+year/4+s)%7
	oe := 7 - (og-sz)%7
	return time.Date(year, 3, og+oe, 0, 0, 0, 0, time.UTC)
}

// Holidays are those of a Land in a year, in order of their days. Of an unknown
// Land (also none) they are those that all have in common.
func Holidays(land string, year int) []Holiday {
	if year < FirstYear || year > LastYear {
		return nil
	}
	sunday := easter(year)
	var all []Holiday
	for _, r := range rules {
		if r.from > 0 && year < r.from || r.to > 0 && year > r.to {
			continue
		}
		if yes, regional := r.in(land); yes {
			all = append(all, Holiday{r.date(year, sunday), r.key, r.name, regional})
		}
	}
	slices.SortStableFunc(all, func(a, b Holiday) int { return cmp.Compare(a.Date, b.Date) })
	return all
}

// HolidayOn is the holiday of a Land on a day; of two on one day the first by
// its name. Regional ones count if their key is among regional.
func HolidayOn(land string, day Date, regional ...string) (Holiday, bool) {
	if day == "" {
		return Holiday{}, false
	}
	for _, h := range Holidays(land, day.Time().Year()) {
		if h.Date == day && (!h.Regional || slices.Contains(regional, h.Key)) {
			return h, true
		}
	}
	return Holiday{}, false
}

// RegionalHolidays are the keys of holidays that some places of a Land have.
func RegionalHolidays(land string) (keys []string) {
	for _, r := range rules {
		if _, regional := r.in(land); regional {
			keys = append(keys, r.key)
		}
	}
	return keys
}
