package chamber

import (
	"slices"
	"strings"
	"testing"
)

func TestPublicChambersAre79AndHistoricOnesHaveASuccessor(t *testing.T) {
	all := public().chambers
	if len(all) != 79 {
		t.Fatalf("%d chambers, want 79", len(all))
	}
	if !slices.IsSortedFunc(all, func(a, b PublicChamber) int { return strings.Compare(a.Number, b.Number) }) {
		t.Error("chambers are not in the order of their numbers")
	}
	if PublicName("133") == "" || PublicName("105") == "" || PublicName("999") != "" {
		t.Errorf("names: %q, %q, %q", PublicName("133"), PublicName("105"), PublicName("999"))
	}
	if next := public().successor["178"]; next != "117" {
		t.Errorf("178 became %q", next)
	}
	for _, c := range all {
		if public().successor[c.Number] != "" {
			t.Errorf("%s is of today and historic", c.Number)
		}
	}
}

// R081: the chamber comes from the address.
func TestR081ChamberFromPostcode(t *testing.T) {
	for _, c := range []struct {
		postcode, place string
		want            []string
	}{
		{"70174", "Stuttgart", []string{"175"}},
		{" 70 174 ", "", []string{"175"}},
		{"D-30159", "Hannover", []string{"133"}},
		{"21039", "Hamburg", []string{"131"}},          // shared with Lauenburg: the place decides
		{"21039", "HAMBURG", []string{"131"}},          // folded
		{"12529", "berlin", []string{"107"}},           //
		{"21039", "", []string{"131", "150"}},          // shared, no place
		{"21039", "Nirgendwo", []string{"131", "150"}}, // shared, place unknown
		{"00000", "Musterstadt", nil},
		{"7017", "", nil},
		{"abcde", "", nil},
		{"", "", nil},
		{"701745", "", nil},
	} {
		if got := NumbersFor(c.postcode, c.place); !slices.Equal(got, c.want) {
			t.Errorf("NumbersFor(%q, %q) = %v, want %v", c.postcode, c.place, got, c.want)
		}
	}
}

func TestEveryPostcodeLeadsToChambersOfToday(t *testing.T) {
	shared := 0
	all := districts()
	if len(all) != 10813 {
		t.Errorf("%d postcodes, want 10813", len(all))
	}
	if !slices.IsSortedFunc(all, func(a, b district) int { return strings.Compare(a.postcode, b.postcode) }) {
		t.Error("the search needs sorted postcodes")
	}
	for _, d := range all {
		numbers := NumbersFor(d.postcode, "")
		if len(numbers) == 0 {
			t.Errorf("%s has no chamber", d.postcode)
		}
		if len(numbers) > 1 {
			shared++
		}
		for _, n := range numbers {
			if PublicName(n) == "" || public().successor[n] != "" {
				t.Errorf("%s leads to %s", d.postcode, n)
			}
		}
	}
	if shared != 105 {
		t.Errorf("%d shared postcodes, want 105", shared)
	}
}

// What the first person to fill in a postcode pays; nobody pays at start.
func BenchmarkFinderFirstUse(b *testing.B) {
	for b.Loop() {
		readDistricts()
	}
}

func BenchmarkFinder(b *testing.B) {
	NumbersFor("70174", "")
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			NumbersFor("70174", "Stuttgart")
		}
	})
	b.Run("shared", func(b *testing.B) {
		for b.Loop() {
			NumbersFor("21039", "Hamburg")
		}
	})
}
