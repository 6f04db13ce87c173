// Package directory is a chamber's member directory (Unternehmensverzeichnis):
// its file, its import, and the ways to find a company in it.
//
// The directory belongs to the chamber: it is imported, compared with, and never
// edited here. A company that left the file is reported and stays until the
// chamber says otherwise. Nothing of the directory is shown to applicants: they
// learn only whether their data meet exactly one entry (W06, protection against
// listing), while the clerk sees near misses too (R091).
//
// A directory is imported by a clerk of its chamber; the console may, too.
package directory

import (
	"cmp"
	"embed"
	"slices"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/company"
	"zunft/internal/identity/fold"
)

// Phrases are what people read of a file and its rows.
//
//go:embed phrases/*.json
var Phrases embed.FS

// Entry is one company of a chamber's member directory, as the file said it.
type Entry struct {
	ID      string
	Chamber string
	company.Company
	Management string // to whom the activation letter goes (R092); never shown to applicants

	ImportedAt db.Time // when this content came

	companyKey, contentHash string
}

// FindExact is the one entry of a chamber's directory that is this company:
// name, street, house number and postcode, and the ident number if it was
// given; exactly after normalization, or letter by letter where the chamber
// settled so (W06). Several equal entries are none: then a clerk decides. The
// answer tells an applicant nothing but yes or no.
func FindExact(tx *db.Tx, chamberID string, c company.Company) (Entry, error) {
	key := c.Key()
	if key == "" {
		return Entry{}, fault.NotFound()
	}
	found, err := entriesByKey(tx, chamberID, fold.Postcode(c.Postcode), key)
	if err != nil || len(found) == 0 {
		return Entry{}, cmp.Or(err, fault.NotFound())
	}
	settings, err := chamber.SettingsOf(tx, chamberID)
	if err != nil {
		return Entry{}, err
	}
	of, err := chamber.Get(tx, chamberID)
	if err != nil {
		return Entry{}, err
	}
	literal := settings.Matching == chamber.Literal
	found = slices.DeleteFunc(found, func(e Entry) bool {
		if literal && !company.Literally(c, e.Company) {
			return true
		}
		if strings.TrimSpace(c.IdentNumber) == "" {
			return false
		}
		ident, ok := fold.Ident(c.IdentNumber, of.Number)
		return !ok || e.IdentNumber != ident
	})
	if len(found) != 1 {
		return Entry{}, fault.NotFound()
	}
	return found[0], nil
}

// ByIdent is the entry with an ident number, in any of its spellings (R086).
func ByIdent(tx *db.Tx, chamberID, ident string) (Entry, error) {
	of, err := chamber.Get(tx, chamberID)
	if err != nil {
		return Entry{}, err
	}
	ident, ok := fold.Ident(ident, of.Number)
	if !ok {
		return Entry{}, fault.NotFound()
	}
	return entryByIdent(tx, chamberID, ident)
}

// Named are the entries of a chamber with a company's name at its postcode,
// whatever their street.
func Named(tx *db.Tx, chamberID string, c company.Company) ([]Entry, error) {
	name, postcode := fold.Name(c.Name), fold.Postcode(c.Postcode)
	if name == "" || postcode == "" {
		return nil, nil
	}
	var ids []string
	err := keysAt(tx, chamberID, postcode, func(id, key string) {
		if strings.HasPrefix(key, name+"|") && len(ids) < 20 {
			ids = append(ids, id)
		}
	})
	if err != nil {
		return nil, err
	}
	return entriesByID(tx, ids)
}

// Get is the entry with an id.
func Get(tx *db.Tx, id string) (Entry, error) { return entryByID(tx, id) }

// Size is how many entries a chamber's directory has, and when it last changed.
func Size(tx *db.Tx, chamberID string) (entries int, changed db.Time, err error) {
	return directorySize(tx, chamberID)
}
