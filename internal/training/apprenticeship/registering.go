package apprenticeship

import (
	"cmp"
	"slices"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/training/person"
)

// An Entry is what the registry of a chamber says of one apprenticeship.
type Entry struct {
	Wish
	Chamber, Ident string // numbers
	Company        string // its id, if somebody of it was here
	TrainerNumber  string
}

// What Register did.
const (
	Created   = "created"
	Changed   = "changed"
	Unchanged = "unchanged"
)

// Known are the apprenticeships of a chamber by their number, and the companies
// by their ident number.
func Known(tx *db.Tx, chamber string, numbers, idents []string) (map[string][]Apprenticeship, map[string]string, error) {
	list := func(all []string) []any {
		args := []any{chamber}
		for _, v := range slices.Compact(slices.Sorted(slices.Values(all))) {
			args = append(args, v)
		}
		return args
	}
	known, companies := map[string][]Apprenticeship{}, map[string]string{}
	args := list(numbers)
	all, err := db.All(tx, (*Apprenticeship).fields, `SELECT `+columns+` FROM apprenticeship WHERE chamber_number = $1 AND number <> '' AND number IN (`+db.In(2, len(args)-1)+`) ORDER BY starts_on, id`, args...)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range all {
		known[a.Number] = append(known[a.Number], a)
	}
	args = list(idents)
	err = tx.Each(`SELECT ident_number, id FROM company WHERE chamber_number = $1 AND ident_number IN (`+db.In(2, len(args)-1)+`)`, args, func(scan func(...any) error) error {
		var ident, id string
		err := scan(&ident, &id)
		companies[ident] = id
		return err
	})
	return known, companies, err
}

// Register brings an apprenticeship up to the registry's word. known are those
// of the same number. The company's own words on site, federal state and
// address stay.
func Register(tx *db.Tx, by audit.Actor, known []Apprenticeship, e Entry) (Apprenticeship, string, error) {
	a, found := e.among(known)
	if !found && e.Company != "" {
		described, err := e.described(tx)
		if err != nil {
			return a, "", err
		}
		if len(described) == 1 {
			a, found = described[0], true
		}
	}
	before := a
	if !found {
		a = Apprenticeship{ID: db.NewID(), Version: 1, Email: e.Email, Site: e.Site, Land: e.Land}
		for _, x := range known { // another occupation, or another company: it goes on there
			if x.StartsOn < e.StartsOn {
				a.Previous = x.ID
				if x.Company == e.Company {
					a.Person = x.Person
				}
			}
		}
	}
	a.GivenName, a.FamilyName, a.Number, a.Occupation, a.Retraining = e.GivenName, e.FamilyName, e.Number, e.Occupation, e.Retraining
	a.StartsOn, a.EndsOn, a.TrainerNumber, a.ChamberNumber, a.IdentNumber, a.Source = e.StartsOn, e.EndsOn, e.TrainerNumber, e.Chamber, e.Ident, Registry
	if a.Company == "" {
		a.Company = e.Company
	}
	if a.EndedOn != "" && (a.EndedOn > a.EndsOn || a.EndedOn < a.StartsOn) {
		a.EndedOn = ""
	}
	if a == before {
		return a, Unchanged, nil
	}
	for _, x := range known { // ended by what follows it
		if !found && x.ID == a.Previous && x.Last() >= a.StartsOn {
			x.EndedOn = a.StartsOn.Add(-1)
			if err := store(tx, &x); err != nil {
				return a, "", err
			}
		}
	}
	if err := apart(tx, a); err != nil {
		return a, "", err
	}
	what := Changed
	var err error
	if found {
		err = store(tx, &a)
	} else {
		what, err = Created, insert(tx, a)
	}
	if err != nil {
		return a, "", err
	}
	detail := changes(before, a)
	if !found {
		detail = nil
	}
	if err := record(tx, by, a, what, detail); err != nil {
		return a, "", err
	}
	a, err = find(tx, by, a)
	return a, what, err
}

// among finds the entry among those of its number: the same first day, else the
// same occupation in the same company, else the only one that the company
// described.
func (e Entry) among(known []Apprenticeship) (Apprenticeship, bool) {
	here := func(a Apprenticeship) bool {
		return a.IdentNumber == e.Ident || a.Company != "" && a.Company == e.Company
	}
	for _, same := range []func(a Apprenticeship) bool{
		func(a Apprenticeship) bool { return here(a) && a.StartsOn == e.StartsOn },
		func(a Apprenticeship) bool { return here(a) && a.Occupation == e.Occupation },
		func(a Apprenticeship) bool { return here(a) && a.Source != Registry },
	} {
		if i := slices.IndexFunc(known, same); i >= 0 {
			return known[i], true
		}
	}
	return Apprenticeship{}, false
}

// described are apprenticeships that the company entered without the number.
func (e Entry) described(tx *db.Tx) ([]Apprenticeship, error) {
	sought := Apprenticeship{GivenName: e.GivenName, FamilyName: e.FamilyName}
	return db.All(tx, (*Apprenticeship).fields, `SELECT `+columns+` FROM apprenticeship WHERE company = $1 AND name_key = $2 AND number = '' AND (occupation = $3 OR occupation = '')
		AND (starts_on = $4 OR starts_on = '') AND source <> 'registry' LIMIT 2`, e.Company, sought.nameKey(), e.Occupation, e.StartsOn)
}

// Describe is what a row of the company's list says: who is there already, by
// number, or else by name, occupation and first day, is brought up to date. What
// the row leaves empty stays.
func Describe(tx *db.Tx, by audit.Actor, w Wish) (Apprenticeship, string, error) {
	s, err := person.Admin(tx, by)
	if err != nil {
		return Apprenticeship{}, "", err
	}
	sought := Apprenticeship{GivenName: w.GivenName, FamilyName: w.FamilyName}
	there, err := db.All(tx, (*Apprenticeship).fields, `SELECT `+columns+` FROM apprenticeship WHERE company = $1
		AND ($2 <> '' AND number = $2 OR name_key = $3 AND ($2 = '' OR number = '') AND (occupation = $4 OR occupation = '')) AND (starts_on = $5 OR starts_on = '') ORDER BY id LIMIT 2`,
		s.Company.ID, w.Number, sought.nameKey(), w.Occupation, w.StartsOn)
	if err != nil {
		return Apprenticeship{}, "", err
	}
	if len(there) != 1 {
		a, err := Create(tx, by, w, "")
		return a, Created, err
	}
	old := there[0]
	w.Email, w.Number, w.Site, w.Land = cmp.Or(w.Email, old.Email), cmp.Or(w.Number, old.Number), cmp.Or(w.Site, old.Site), cmp.Or(w.Land, old.Land)
	a, err := Edit(tx, by, old.ID, old.Version, w)
	if err == nil && a.Version == old.Version {
		return a, Unchanged, nil
	}
	return a, Changed, err
}
