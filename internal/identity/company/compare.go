package company

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"zunft/internal/identity/chamber"
	"zunft/internal/identity/fold"
)

// Verdict says in one word how a field compares; the desk writes it out, so
// that no clerk needs to see colors (R091).
type Verdict string

const (
	Same      Verdict = "same"      // letter by letter
	Spelling  Verdict = "spelling"  // same after normalization (W06)
	Different Verdict = "different" //
	Missing   Verdict = "missing"   // one side or both say nothing
)

// FieldMatch is one line of the comparison.
type FieldMatch struct {
	Field           string // name, legal_form, street, house_number, postcode, place, ident_number, register_kind, register_number, register_court
	Applied, Listed string
	Verdict         Verdict
	Reason          Reason // why it is not the same, if that can be said
}

// Match is how far an application and an entry say the same. Score is 100 if
// all fields that both sides fill in agree.
type Match struct {
	Score  int
	Fields []FieldMatch
}

// Deviates are the fields that differ, in their order.
func (m Match) Deviates() (fields []string) {
	for _, f := range m.Fields {
		if f.Verdict == Different {
			fields = append(fields, f.Field)
		}
	}
	return fields
}

// Known reports whether the comparison is about one company beyond doubt: the
// ident number is the same, or name and postcode are. Only then may anybody
// outside the desk be told which fields differ.
func (m Match) Known() bool {
	equal := map[string]bool{}
	for _, f := range m.Fields {
		equal[f.Field] = f.Verdict == Same || f.Verdict == Spelling
	}
	return equal["ident_number"] || equal["name"] && equal["postcode"]
}

// SameNumber: an ident or register number in common is worth a look at any score.
func (m Match) SameNumber() bool {
	return slices.ContainsFunc(m.Fields, func(f FieldMatch) bool {
		return (f.Field == "ident_number" || f.Field == "register_number") && (f.Verdict == Same || f.Verdict == Spelling)
	})
}

// compared fields with their weight. The name says most; the address decides
// between namesakes; a number is typed from a letter and rarely wrong, so when
// given it weighs as much as a street. Fields that a side leaves out weigh
// nothing (R085: optional fields make matching easier, not harder). Half a
// weight is earned by a name, street or place that is nearly right.
var compared = []struct {
	field  string
	weight int
	near   bool // a similarity of 0.8 and more earns its share
	of     func(Company) string
	fold   func(value, chamberNumber string) string
}{
	{"name", 30, true, func(c Company) string { return c.Name }, func(v, _ string) string { return fold.Name(v) }},
	{"legal_form", 8, false, func(c Company) string { return c.LegalForm }, func(v, _ string) string { return cmp.Or(chamber.LegalFormKey(v), fold.Name(v)) }},
	{"street", 15, true, func(c Company) string { return c.Street }, func(v, _ string) string { return fold.Street(v) }},
	{"house_number", 7, false, func(c Company) string { return c.HouseNumber }, func(v, _ string) string { return fold.HouseNumber(v) }},
	{"postcode", 12, false, func(c Company) string { return c.Postcode }, func(v, _ string) string { return fold.Postcode(v) }},
	{"place", 5, true, func(c Company) string { return c.Place }, func(v, _ string) string { return fold.Place(v) }},
	{"ident_number", 15, false, func(c Company) string { return c.IdentNumber }, func(v, n string) string { f, _ := fold.Ident(v, n); return f }},
	{"register_kind", 1, false, func(c Company) string { return c.RegisterKind }, func(v, _ string) string { return cmp.Or(chamber.RegisterKindKey(v), fold.Text(v)) }},
	{"register_number", 5, false, func(c Company) string { return c.RegisterNumber }, func(v, _ string) string { _, n, _ := chamber.FoldRegisterNumber(v); return cmp.Or(n, fold.Text(v)) }},
	{"register_court", 2, false, func(c Company) string { return c.RegisterCourt }, func(v, _ string) string { return cmp.Or(chamber.RegisterCourtKey(v), chamber.FoldCourt(v)) }},
}

const nearEnough = 0.8

// Compare lays an application beside an entry of the directory (R072, R091).
// chamberNumber lets the long form of an ident number be read.
func Compare(applied Company, listed Company, chamberNumber string) Match {
	applied, listed = Tidy(applied), Tidy(listed)
	var m Match
	earned, possible := 0.0, 0.0
	for _, c := range compared {
		f := FieldMatch{Field: c.field, Applied: c.of(applied), Listed: c.of(listed)}
		a, l := c.fold(f.Applied, chamberNumber), c.fold(f.Listed, chamberNumber)
		switch {
		case strings.TrimSpace(f.Applied) == "" || strings.TrimSpace(f.Listed) == "":
			f.Verdict = Missing
			if c.field == "house_number" && strings.TrimSpace(f.Applied) == strings.TrimSpace(f.Listed) {
				f.Verdict = Same // a street without numbers
			}
		case norm.NFC.String(f.Applied) == norm.NFC.String(f.Listed):
			f.Verdict = Same
		case a == l && a != "", c.near && joined(a) == joined(l) && joined(a) != "": // "Fahrrad-Werkstatt" and "Fahrradwerkstatt" are one word
			f.Verdict = Spelling
		default:
			f.Verdict = Different
		}
		f.Reason = why(c.field, f, a, l)
		m.Fields = append(m.Fields, f)
		weight := float64(c.weight)
		switch f.Verdict {
		case Same, Spelling:
			earned, possible = earned+weight, possible+weight
		case Different:
			possible += weight
			if s := nearness(c.near, a, l); s >= nearEnough {
				earned += weight * s / 2
			} else if f.Reason == Suffix || f.Reason == OneDigit {
				earned += weight / 2
			}
		}
	}
	if possible > 0 {
		m.Score = int(100 * earned / possible)
	}
	return m
}

// joined leaves blanks out.
func joined(folded string) string { return strings.ReplaceAll(folded, " ", "") }

// nearness is the similarity of two folded texts where a field counts it.
func nearness(counts bool, a, b string) float64 {
	if !counts {
		return 0
	}
	return pairsOf(bare(a)).similarity(bare(b))
}
