// Package company is what is said of a company, and when two sayings are about
// the same one (W06): a verdict and a reason a field, a score over all, and a
// glance for thousands at once.
//
// It knows no database and decides nothing: directory searches with it,
// registration and organization say what follows from how far two agree.
package company

import (
	"strings"

	"golang.org/x/text/unicode/norm"

	"zunft/internal/identity/chamber"
	"zunft/internal/identity/fold"
)

// Company is what an applicant says of a company (R074–R084) and what a
// directory says of it. LegalForm, RegisterKind and RegisterCourt may be a
// list's key or a directory's wording.
type Company struct {
	IdentNumber    string
	Name           string
	LegalForm      string
	Street         string
	HouseNumber    string
	Postcode       string
	Place          string
	RegisterKind   string
	RegisterNumber string
	RegisterCourt  string
}

// Key is the company's [fold.CompanyKey].
func (c Company) Key() string { return fold.CompanyKey(c.Name, c.Street, c.HouseNumber, c.Postcode) }

// Literally reports whether two companies are written alike in name, street,
// house number and postcode, letter by letter (the seed's "müssen exakt
// entsprechen", R121); only blanks around and between words are not looked at.
func Literally(a, b Company) bool {
	plain := func(s string) string { return norm.NFC.String(strings.Join(strings.Fields(s), " ")) }
	return plain(a.Name) == plain(b.Name) && plain(a.Street+" "+a.HouseNumber) == plain(b.Street+" "+b.HouseNumber) && plain(a.Postcode) == plain(b.Postcode)
}

// Tidy brings house number and register kind to their own fields if they were
// written into the neighboring one.
func Tidy(c Company) Company {
	if strings.TrimSpace(c.HouseNumber) == "" {
		c.Street, c.HouseNumber = fold.SplitStreet(c.Street)
	}
	if kind, _, ok := chamber.FoldRegisterNumber(c.RegisterNumber); ok && strings.TrimSpace(c.RegisterKind) == "" {
		c.RegisterKind = kind
	}
	return c
}
