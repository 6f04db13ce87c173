package directory

import (
	"cmp"
	"slices"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/company"
	"zunft/internal/identity/fold"
)

// Candidate is an entry that may be the company applied for.
type Candidate struct {
	Entry Entry
	Match company.Match
}

const (
	worthShowing = 35 // a lower score is another company at the same postcode
	mostCompared = 50 // entries compared field by field, which costs a hundred times a glance at the key
)

// Candidates are the entries that may be the company applied for, best first,
// for the clerk's desk (R091): same ident number, same register number, or
// alike at the same postcode. They are never shown to applicants.
//
// Names were folded when the file was imported; of the thousands that share a
// postcode only the stored keys are read, and the nearest compared in full.
func Candidates(tx *db.Tx, chamberID string, c company.Company, limit int) ([]Candidate, error) {
	of, err := chamber.Get(tx, chamberID)
	if err != nil {
		return nil, err
	}
	c = company.Tidy(c)
	ident, _ := fold.Ident(c.IdentNumber, of.Number)
	_, register, _ := chamber.FoldRegisterNumber(c.RegisterNumber)
	entries, err := entriesByNumber(tx, chamberID, ident, register)
	if err != nil {
		return nil, err
	}
	g := company.GlanceFor(c)
	if err := keysAt(tx, chamberID, fold.Postcode(c.Postcode), g.At); err != nil {
		return nil, err
	}
	near, err := entriesByID(tx, g.Nearest(mostCompared, func(id string) bool {
		return slices.ContainsFunc(entries, func(e Entry) bool { return e.ID == id })
	}))
	if err != nil {
		return nil, err
	}
	return best(c, append(entries, near...), of.Number, limit), nil
}

// best compares in full and returns the most similar entries, best first.
func best(applied company.Company, entries []Entry, chamberNumber string, limit int) []Candidate {
	var all []Candidate
	for _, e := range entries {
		if m := company.Compare(applied, e.Company, chamberNumber); m.Score >= worthShowing || m.SameNumber() {
			all = append(all, Candidate{e, m})
		}
	}
	slices.SortFunc(all, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.Match.Score, a.Match.Score), strings.Compare(a.Entry.IdentNumber, b.Entry.IdentNumber))
	})
	return all[:min(len(all), max(limit, 0))]
}
