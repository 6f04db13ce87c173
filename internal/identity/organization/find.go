package organization

import (
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/company"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/fold"
)

// FindForJoin is the one active organization that these data name (R121, R122,
// W06): name, street, house number and postcode, and the ident number if given;
// exactly after normalization, or letter by letter where its chamber settled so.
// Near misses are never told.
func FindForJoin(tx *db.Tx, name, street, house, postcode, ident string) (Organization, error) {
	key := fold.CompanyKey(name, street, house, postcode)
	if key == "" {
		return Organization{}, fault.NotFound()
	}
	found, err := activeByKey(tx, key)
	if err != nil {
		return Organization{}, err
	}
	said := company.Company{Name: name, Street: street, HouseNumber: house, Postcode: postcode}
	var match []Organization
	for _, o := range found {
		settings, err := chamber.SettingsOf(tx, o.Chamber)
		if err != nil {
			return Organization{}, err
		}
		if settings.Matching == chamber.Literal && !company.Literally(said, o.Company) {
			continue
		}
		if ident != "" {
			c, err := chamber.Get(tx, o.Chamber)
			if err != nil {
				return Organization{}, err
			}
			if folded, ok := fold.Ident(ident, c.Number); !ok || folded != o.IdentNumber {
				continue
			}
		}
		match = append(match, o)
	}
	if len(match) != 1 {
		return Organization{}, fault.NotFound()
	}
	return match[0], nil
}

// mostDeviating: who has more fields wrong does not know the company they name.
const mostDeviating = 2

// Deviates are the fields in which these data differ from the one active
// organization that they can only mean: its ident number is the same, or its name
// and postcode are, and no more than two fields differ. Else there are none: a
// stranger must not learn which companies are here, field by field (decision 15).
// What the right value is nobody is told. Callers bound how often they ask.
func Deviates(tx *db.Tx, c company.Company) ([]string, error) {
	serving, err := chamber.Serving(tx, fold.Postcode(c.Postcode), "")
	if err != nil {
		return nil, err
	}
	var meant []string // the fields, of each organization that is meant
	known := 0
	for _, at := range serving {
		entries, err := directory.Named(tx, at.ID, c)
		if err != nil {
			return nil, err
		}
		if e, err := directory.ByIdent(tx, at.ID, c.IdentNumber); err == nil && !slices.ContainsFunc(entries, func(o directory.Entry) bool { return o.ID == e.ID }) {
			entries = append(entries, e)
		} else if err != nil && !fault.Is(err, fault.KindNotFound) {
			return nil, err
		}
		for _, e := range entries {
			o, err := byIdent(tx, at.ID, e.IdentNumber)
			if fault.Is(err, fault.KindNotFound) || err == nil && o.State != Active {
				continue
			}
			if err != nil {
				return nil, err
			}
			if m := company.Compare(c, o.Company, at.Number); m.Known() {
				meant, known = m.Deviates(), known+1
			}
		}
	}
	if known != 1 || len(meant) > mostDeviating {
		return nil, nil
	}
	return meant, nil
}
