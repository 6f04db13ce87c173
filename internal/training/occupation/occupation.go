// Package occupation is the list of recognised training occupations
// (Ausbildungsberufe, § 4 BBiG, § 25 HwO), embedded with its source.
//
//   - The key is made of the short name and never changes; it is what is stored.
//   - The name is the one of the official statistics, for everybody: „Bäcker/-in“.
//   - People and registries write names as they like: „Bäckerin“, „Bäcker (m/w/d)“,
//     „Kauffrau für Büromanagement“, „Fachinformatiker, Fachrichtung …“. Find
//     takes them all; a test shows that no two occupations become one by that.
package occupation

import (
	_ "embed"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"

	"zunft/internal/ground/plain"
)

//go:embed occupations.csv
var file string

// An Occupation of the list.
type Occupation struct {
	Key    string
	Name   string
	Months int // usual duration; 0: the list does not say
	words  []string
}

var (
	list    []Occupation
	byKey   = map[string]Occupation{}
	byWords = map[string]Occupation{}
)

func init() {
	r := csv.NewReader(strings.NewReader(file))
	r.Comma, r.Comment = ';', '#'
	rows, err := r.ReadAll()
	if err != nil {
		panic("occupations.csv: " + err.Error())
	}
	for _, row := range rows[1:] {
		o := Occupation{Key: row[0], Name: row[1]}
		o.Months, _ = strconv.Atoi(row[3])
		o.words = words(row[2])
		list = append(list, o)
		byKey[o.Key] = o
		for _, spelling := range []string{row[1], row[2]} {
			byWords[strings.Join(words(spelling), " ")] = o
		}
	}
}

// All occupations, by name.
func All() []Occupation { return slices.Clone(list) }

// Get is the occupation of a key.
func Get(key string) (Occupation, bool) {
	o, ok := byKey[key]
	return o, ok
}

// Name is the name of a key: empty for none, and the key itself if the list
// does not know it (any more).
func Name(key string) string {
	if o, ok := byKey[key]; ok {
		return o.Name
	}
	return key
}

// Find is the occupation that somebody wrote down, by key or in any spelling.
func Find(text string) (Occupation, bool) {
	if o, ok := byKey[strings.TrimSpace(text)]; ok {
		return o, true
	}
	if len(text) > 200 {
		return Occupation{}, false
	}
	if o, ok := byWords[strings.Join(words(text), " ")]; ok {
		return o, true
	}
	// What follows the name: „Fachinformatiker – Anwendungsentwicklung“.
	for _, sign := range []string{"Fachrichtung", "Schwerpunkt", "(", ",", ":", " – ", " - "} {
		if head, _, cut := strings.Cut(text, sign); cut {
			if o, ok := byWords[strings.Join(words(head), " ")]; ok {
				return o, true
			}
		}
	}
	return Occupation{}, false
}

// Search are the occupations whose names have words beginning as all of the
// text's do, at most so many.
func Search(text string, most int) (found []Occupation) {
	wanted := words(text)
	if len(wanted) == 0 || len(text) > 200 {
		return nil
	}
	for _, o := range list {
		has := true
		for _, w := range wanted {
			has = has && slices.ContainsFunc(o.words, func(x string) bool { return strings.HasPrefix(x, w) })
		}
		if has {
			if found = append(found, o); len(found) == most {
				break
			}
		}
	}
	return found
}

// without are words that stand for one gender or the other, and for none.
var without = map[string]bool{"in": true, "innen": true, "frau": true, "mann": true, "r": true, "e": true, "m": true, "w": true, "d": true, "x": true, "gehilfin": true}

// words are the words of a name without what says a gender.
func words(name string) (all []string) {
	name = strings.NewReplacer("(m/w/d)", "", "(w/m/d)", "", "*", "/", ":in", "/in", "_", "/").Replace(name)
	for _, w := range plain.Words(name) {
		if without[w] {
			continue
		}
		if w = stem(w); len(all) > 1 && all[len(all)-1] == "und" && all[len(all)-2] == w { // „Bäcker und Bäckerin“
			all = all[:len(all)-1]
			continue
		}
		if len(all) > 0 && all[len(all)-1] == w { // „Koch/Köchin“
			continue
		}
		all = append(all, w)
	}
	return all
}

// stem makes one word of Bäcker and Bäckerin, Technologe and Technologin,
// Angestellter and Angestellte, Kaufmann and Kauffrau.
func stem(w string) string {
	switch w {
	case "koechin":
		return "koch"
	case "zimmerin":
		return stem("zimmerer")
	}
	if head, yes := strings.CutSuffix(w, "frau"); yes && head != "" {
		return head + "mann"
	}
	if len(w) > 5 {
		w = strings.TrimSuffix(w, "in")
	}
	return strings.TrimSuffix(strings.TrimSuffix(w, "r"), "e")
}
