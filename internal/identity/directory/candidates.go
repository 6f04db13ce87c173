package directory

import (
	"cmp"
	"slices"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/fold"
)

// Candidate is an entry that may be the company applied for.
type Candidate struct {
	Entry Entry
	Match Match
}

const (
	worthShowing = 35  // a lower score is another company at the same postcode
	stranger     = 0.4 // names less similar have nothing to do with each other
	mostCompared = 50  // entries compared field by field, which costs a hundred times a glance at the key
)

// Candidates are the entries that may be the company applied for, best first,
// for the clerk's desk (R091): same ident number, same register number, or
// alike at the same postcode. They are never shown to applicants.
//
// Names were folded when the file was imported; of the thousands that share a
// postcode only the stored keys are read, and the nearest compared in full.
func Candidates(tx *db.Tx, chamberID string, c Company, limit int) ([]Candidate, error) {
	of, err := chamber.Get(tx, chamberID)
	if err != nil {
		return nil, err
	}
	c = tidy(c)
	ident, _ := fold.Ident(c.IdentNumber, of.Number)
	_, register, _ := chamber.FoldRegisterNumber(c.RegisterNumber)
	entries, err := entriesByNumber(tx, chamberID, ident, register)
	if err != nil {
		return nil, err
	}
	g := glanceFor(c)
	if err := keysAt(tx, chamberID, fold.Postcode(c.Postcode), g.at); err != nil {
		return nil, err
	}
	near, err := entriesByID(tx, g.nearest(entries))
	if err != nil {
		return nil, err
	}
	return best(c, append(entries, near...), of.Number, limit), nil
}

// best compares in full and returns the most similar entries, best first.
func best(applied Company, entries []Entry, chamberNumber string, limit int) []Candidate {
	var all []Candidate
	for _, e := range entries {
		if m := Compare(applied, e.Company, chamberNumber); m.Score >= worthShowing || m.sameNumber() {
			all = append(all, Candidate{e, m})
		}
	}
	slices.SortFunc(all, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.Match.Score, a.Match.Score), strings.Compare(a.Entry.IdentNumber, b.Entry.IdentNumber))
	})
	return all[:min(len(all), max(limit, 0))]
}

// sameNumber: an ident or register number in common is worth a look at any score.
func (m Match) sameNumber() bool {
	return slices.ContainsFunc(m.Fields, func(f FieldMatch) bool {
		return (f.Field == "ident_number" || f.Field == "register_number") && (f.Verdict == Same || f.Verdict == Spelling)
	})
}

// A glance rates entries by their stored company key alone, with the weights
// that name, street and house number have in the full comparison.
type glance struct {
	name, street      pairs
	streetText, house string
	seen              []rated
}

type rated struct {
	id    string
	value float64
}

func glanceFor(c Company) *glance {
	street := fold.Street(c.Street)
	return &glance{name: pairsOf(bare(fold.Name(c.Name))), street: pairsOf(street), streetText: street, house: fold.HouseNumber(c.HouseNumber)}
}

// at rates an entry. Another name in another street is a stranger and not
// worth the whole comparison.
func (g *glance) at(id, key string) {
	name, rest, _ := strings.Cut(key, "|")
	street, rest, _ := strings.Cut(rest, "|")
	house, _, _ := strings.Cut(rest, "|")
	n, s := g.name.similarity(bare(name)), 1.0
	if street != g.streetText {
		if n < stranger {
			return
		}
		s = g.street.similarity(street) / 2
	}
	value := 30*n + 15*s
	if house == g.house {
		value += 7
	}
	g.seen = append(g.seen, rated{id, value})
}

// nearest are the ids of the entries worth a full comparison, without those known already.
func (g *glance) nearest(known []Entry) (ids []string) {
	slices.SortFunc(g.seen, func(a, b rated) int { return cmp.Or(cmp.Compare(b.value, a.value), strings.Compare(a.id, b.id)) })
	for _, r := range g.seen {
		if len(ids) == mostCompared {
			break
		}
		if !slices.ContainsFunc(known, func(e Entry) bool { return e.ID == r.id }) {
			ids = append(ids, r.id)
		}
	}
	return ids
}

var formWords = map[string]bool{
	"gmbh": true, "mbh": true, "ggmbh": true, "ug": true, "kgaa": true, "kg": true, "ag": true, "ohg": true, "gbr": true, "egbr": true, "ek": true,
	"eg": true, "ev": true, "partg": true, "mbb": true, "partgmbb": true, "se": true, "vvag": true, "co": true, "und": true,
}

// bare leaves out the words of legal forms at the end of a folded name: that
// two names both end in GmbH makes them no more alike.
func bare(folded string) string {
	for {
		rest, last := "", folded
		if i := strings.LastIndexByte(folded, ' '); i >= 0 {
			rest, last = folded[:i], folded[i+1:]
		}
		if !formWords[last] || rest == "" {
			return folded
		}
		folded = rest
	}
}

// pairs are the letter pairs of a folded text, sorted.
type pairs []uint16

const longest = 300 // no name is longer

func pairsOf(s string) pairs {
	s = s[:min(len(s), longest)]
	var p pairs
	for i := range len(s) - 1 {
		p = append(p, uint16(s[i])<<8|uint16(s[i+1]))
	}
	slices.Sort(p)
	return p
}

// similarity is Dice's coefficient of the letter pairs of two folded texts:
// 1 for equal texts, 0 without a common pair. It takes no memory, since it is
// asked thousands of times for one application.
func (p pairs) similarity(s string) float64 {
	s = s[:min(len(s), longest)]
	if len(p) == 0 || len(s) < 2 {
		return 0
	}
	var room [longest]bool
	taken, common := room[:len(p)], 0
	for i := range len(s) - 1 {
		pair := uint16(s[i])<<8 | uint16(s[i+1])
		at, there := slices.BinarySearch(p, pair)
		for ; there && at < len(p) && p[at] == pair; at++ {
			if !taken[at] {
				taken[at] = true
				common++
				break
			}
		}
	}
	return 2 * float64(common) / float64(len(p)+len(s)-1)
}
