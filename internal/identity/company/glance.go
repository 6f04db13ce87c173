package company

import (
	"cmp"
	"slices"
	"strings"

	"zunft/internal/identity/fold"
)

// A Glance rates companies by their stored company key alone, with the weights
// that name, street and house number have in the full comparison.
type Glance struct {
	name, street      pairs
	streetText, house string
	seen              []rated
}

// stranger: names less similar have nothing to do with each other.
const stranger = 0.4

type rated struct {
	id    string
	value float64
}

// GlanceFor begins a glance with the company that is looked for.
func GlanceFor(c Company) *Glance {
	street := fold.Street(c.Street)
	return &Glance{name: pairsOf(bare(fold.Name(c.Name))), street: pairsOf(street), streetText: street, house: fold.HouseNumber(c.HouseNumber)}
}

// At rates the company with a key ([Company.Key]). Another name in another street is a stranger and not
// worth the whole comparison.
func (g *Glance) At(id, key string) {
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

// Nearest are the ids of those worth a full comparison, most similar first and
// limit at most, without those known already.
func (g *Glance) Nearest(limit int, known func(id string) bool) (ids []string) {
	slices.SortFunc(g.seen, func(a, b rated) int { return cmp.Or(cmp.Compare(b.value, a.value), strings.Compare(a.id, b.id)) })
	for _, r := range g.seen {
		if len(ids) == limit {
			break
		}
		if !known(r.id) {
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
