package chamber

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"sync"

	"zunft/internal/identity/fold"
)

// The public list of chambers and the derived map of postcodes (R081; there
// is no official open one). It only fills in a form: the person corrects it,
// and the clerk has the last word. Each file's first line names its source.
//
//go:embed data/plz_ihk.csv
var postcodeFile string

//go:embed data/ihks.csv
var chamberFile string

//go:embed data/ihks_historic.csv
var historicFile string

// PublicChamber is a chamber of the public list, whether or not this
// installation serves it.
type PublicChamber struct {
	Number    string
	Name      string
	ShortName string
	Seat      string
	State     string // DE-… part, e.g. NW
}

// table reads one of our own embedded files: a source line, a header, rows.
func table(name, text string, columns int) [][]string {
	r := csv.NewReader(strings.NewReader(text))
	r.Comment = '#'
	r.FieldsPerRecord = columns
	all, err := r.ReadAll()
	if err != nil || len(all) < 2 {
		panic(fmt.Sprintf("embedded %s: %v", name, err)) // a defect of the build, seen by every test
	}
	return all[1:]
}

type publicList struct {
	chambers  []PublicChamber   // the 79 of today, by number
	names     map[string]string // number → name, historic ones too
	successor map[string]string // historic number → number of today
}

var public = sync.OnceValue(func() publicList {
	l := publicList{names: map[string]string{}, successor: map[string]string{}}
	for _, r := range table("ihks.csv", chamberFile, 8) {
		l.chambers = append(l.chambers, PublicChamber{Number: r[0], Name: r[3], ShortName: r[2], Seat: r[4], State: r[5]})
		l.names[r[0]] = r[3]
	}
	for _, r := range table("ihks_historic.csv", historicFile, 3) {
		l.names[r[0]] = r[1]
		l.successor[r[0]] = r[2]
	}
	return l
})

// PublicName is the name that belongs to a number, also of a chamber that
// exists no more; empty if there never was one.
func PublicName(number string) string { return public().names[number] }

// district is one postcode; its texts are parts of the embedded file.
type district struct{ postcode, numbers, places string }

// ambiguous: several chambers serve parts of the postcode.
func (d district) ambiguous() bool { return len(d.numbers) > 3 }

// districts is sorted by postcode, as the file is. Only the first use pays.
var districts = sync.OnceValue(readDistricts)

func readDistricts() []district {
	all := make([]district, 0, 11000)
	for line := range strings.Lines(postcodeFile) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] < '0' || line[0] > '9' {
			continue // the source line and the header
		}
		f := strings.SplitN(line, ",", 5)
		all = append(all, district{f[0], f[1], strings.Trim(f[4], `"`)})
	}
	return all
}

// near returns the districts whose postcode begins with prefix.
func near(prefix string) []district {
	all := districts()
	from, _ := slices.BinarySearchFunc(all, prefix, func(d district, p string) int { return strings.Compare(d.postcode, p) })
	to, _ := slices.BinarySearchFunc(all, prefix+":", func(d district, p string) int { return strings.Compare(d.postcode, p) }) // ':' follows '9'
	return all[from:to]
}

// NumbersFor names the chambers of the public list that may serve an address
// (R081). Where a postcode is shared, the place decides if the same place lies
// elsewhere under one of them alone; otherwise all of them are returned, for a
// person to choose. An unknown postcode has none.
func NumbersFor(postcode, place string) []string {
	postcode = fold.Postcode(postcode)
	if len(postcode) != 5 || !fold.Digits(postcode) {
		return nil
	}
	found := near(postcode)
	if len(found) == 0 {
		return nil
	}
	numbers := strings.Split(found[0].numbers, "|")
	if !found[0].ambiguous() {
		return numbers
	}
	if n := decide(fold.Place(place), postcode[:1], numbers); n != "" {
		return []string{n}
	}
	return numbers
}

// decide asks the postcodes of the same region that only one chamber serves
// where they put this place: "Hamburg" in a postcode shared with Lauenburg is
// Hamburg. Nine of ten must agree; the source has a few strays.
func decide(place, region string, numbers []string) string {
	if place == "" {
		return ""
	}
	votes, all := map[string]int{}, 0
	for _, d := range near(region) {
		if slices.Contains(numbers, d.numbers) && d.lists(place) {
			votes[d.numbers]++
			all++
		}
	}
	for n, v := range votes {
		if 10*v >= 9*all {
			return n
		}
	}
	return ""
}

// lists reports whether the folded place, or a part of it such as "Hamburg
// Rahlstedt", is one of the district's.
func (d district) lists(place string) bool {
	for p := range strings.SplitSeq(d.places, "|") {
		p = fold.Place(p)
		if p == place || strings.HasPrefix(p, place+" ") || strings.HasPrefix(place, p+" ") {
			return true
		}
	}
	return false
}
