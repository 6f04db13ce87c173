package chamber

import (
	"slices"
	"strings"
	"sync"

	"zunft/internal/ground/db"
	"zunft/internal/identity/fold"
)

// A Found chamber serves what somebody looked for.
type Found struct {
	PublicChamber
	Website string // of a chamber of this installation
	Here    bool   // it is one: people sign in here
}

const maxFound = 20

// Find answers the finder: a postcode, a place, or both in one line (R282,
// S51). Chambers of this installation come first; more than twenty places of
// one name are told as many.
func Find(tx *db.Tx, query string) (found []Found, many bool, err error) {
	postcode, place := split(query)
	var numbers []string
	switch {
	case len(postcode) == 5:
		numbers = NumbersFor(postcode, place)
		here, err := Serving(tx, postcode, place)
		if err != nil {
			return nil, false, err
		}
		for _, c := range here {
			numbers = append([]string{c.Number}, slices.DeleteFunc(numbers, func(n string) bool { return n == c.Number })...)
		}
	case len(fold.Place(place)) >= 2:
		numbers = placed(fold.Place(place))
	}
	if many = len(numbers) > maxFound; many {
		numbers = numbers[:maxFound]
	}
	own, err := Current(tx)
	if err != nil {
		return nil, false, err
	}
	for _, n := range numbers {
		f := Found{}
		if i := slices.IndexFunc(public().chambers, func(c PublicChamber) bool { return c.Number == n }); i >= 0 {
			f.PublicChamber = public().chambers[i]
		}
		if i := slices.IndexFunc(own, func(c Chamber) bool { return c.Number == n }); i >= 0 {
			f.Number, f.Name, f.ShortName, f.Seat, f.Website, f.Here = n, own[i].Name, own[i].ShortName, own[i].Place, own[i].Website, true
		}
		if f.Name != "" {
			found = append(found, f)
		}
	}
	slices.SortStableFunc(found, func(a, b Found) int {
		if a.Here == b.Here {
			return 0
		}
		if a.Here {
			return -1
		}
		return 1
	})
	return found, many, nil
}

// split takes the postcode out of what was typed; the rest is the place.
func split(query string) (postcode, place string) {
	var rest []string
	for _, word := range strings.Fields(query) {
		if digits := strings.TrimPrefix(strings.ToUpper(word), "D-"); postcode == "" && len(digits) == 5 && fold.Digits(digits) {
			postcode = digits
			continue
		}
		rest = append(rest, word)
	}
	return postcode, strings.Join(rest, " ")
}

type placement struct{ place, numbers string }

// places of the public list in order, folded once, when somebody first looks.
var places = sync.OnceValue(func() (all []placement) {
	seen := map[placement]bool{}
	for _, d := range districts() {
		for p := range strings.SplitSeq(d.places, "|") {
			if p := (placement{fold.Place(p), d.numbers}); p.place != "" && !seen[p] {
				seen[p] = true
				all = append(all, p)
			}
		}
	}
	slices.SortFunc(all, func(a, b placement) int { return strings.Compare(a.place+"\x00"+a.numbers, b.place+"\x00"+b.numbers) })
	return all
})

// placed names the chambers that serve a place of this name, or one whose name
// begins with it ("Frankfurt" finds both); the very name alone comes first.
func placed(place string) (numbers []string) {
	all := places()
	from, _ := slices.BinarySearchFunc(all, place, func(p placement, s string) int { return strings.Compare(p.place, s) })
	for _, p := range all[from:] {
		if !strings.HasPrefix(p.place, place) {
			break
		}
		if p.place != place && !strings.HasPrefix(p.place, place+" ") {
			continue
		}
		for n := range strings.SplitSeq(p.numbers, "|") {
			if !slices.Contains(numbers, n) {
				numbers = append(numbers, n)
			}
		}
	}
	return numbers
}
