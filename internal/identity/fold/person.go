package fold

import (
	"slices"
	"strings"

	"zunft/internal/ground/plain"
)

// titles are written before or between names and are no part of them (§ 5 PAuswG
// lists the doctor's degree in a field of its own).
var titles = map[string]bool{
	"dr": true, "prof": true, "professor": true, "doktor": true, "dipl": true, "ing": true, "med": true, "dent": true, "vet": true, "rer": true, "nat": true, "pol": true, "phil": true,
	"jur": true, "iur": true, "oec": true, "habil": true, "hc": true, "herr": true, "frau": true, "mag": true, "ba": true, "bsc": true, "msc": true, "mba": true, "kfm": true, "betriebswirt": true,
}

// particles stand before a family name and are left out on some papers.
var particles = []string{"von", "vom", "van", "der", "den", "de", "da", "di", "del", "della", "zu", "zum", "zur", "und", "la", "le", "el", "al", "graf", "graefin", "freiherr", "freifrau", "baron"}

// Person brings a person's name to lower-case words without titles: given
// names, a comma, the family name. "Dr. Lena-Marie VON DER HEIDE" is
// "lena marie, von der heide".
func Person(given, family string) string {
	return strings.Join(untitled(given), " ") + ", " + strings.Join(untitled(family), " ")
}

func untitled(s string) []string {
	all := plain.Words(s)
	kept := slices.DeleteFunc(slices.Clone(all), func(w string) bool { return titles[w] })
	if len(kept) == 0 { // somebody is called Frau
		return all
	}
	return kept
}

// Likeness of two names.
type Likeness int

// How far two names can be one person's.
const (
	Other    Likeness = iota
	Shorter           // one leaves out given names, or the particle of a noble name (R217: what is most often forgotten)
	Spelling          // the same in other letters, case or signs, or with a title
	Same
)

// People compares two names: titles, case, hyphens and transliteration are
// spelling; second given names may be missing on one side, but no given name
// may stand against another one. A guess it is not: two people of one name
// stay two people, and who decides on more than a greeting asks for a number, too.
func People(given, family, otherGiven, otherFamily string) Likeness {
	if given == otherGiven && family == otherFamily {
		return Same
	}
	g, f, og, of := untitled(given), untitled(family), untitled(otherGiven), untitled(otherFamily)
	if len(f) == 0 || len(of) == 0 || len(g) == 0 || len(og) == 0 {
		return Other
	}
	likeness := Spelling
	if strings.Join(f, "") != strings.Join(of, "") {
		if a, b := noble(f), noble(of); len(a) != len(f) && len(b) != len(of) || strings.Join(a, "") != strings.Join(b, "") {
			return Other
		}
		likeness = Shorter
	}
	if strings.Join(g, "") == strings.Join(og, "") {
		return likeness
	}
	if within(g, og) || within(og, g) {
		return Shorter
	}
	return Other
}

// noble leaves the particles before a family name out.
func noble(family []string) []string {
	for len(family) > 1 && slices.Contains(particles, family[0]) {
		family = family[1:]
	}
	return family
}

// within: all these given names are among those, in their order.
func within(some, all []string) bool {
	for _, name := range all {
		if len(some) > 0 && some[0] == name {
			some = some[1:]
		}
	}
	return len(some) == 0
}
