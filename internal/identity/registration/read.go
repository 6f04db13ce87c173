package registration

import (
	"strings"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/organization"
)

// read checks the fields (S07) and finds the chamber in charge.
func read(tx *db.Tx, a Application) (Registration, []chamber.Chamber, error) {
	r := Registration{Company: a.Company, Reason: strings.TrimSpace(a.Reason)}
	p := check(&r)
	var serving []chamber.Chamber
	if len(r.Postcode) == 5 {
		var err error
		if serving, err = chamber.Serving(tx, r.Postcode, r.Place); err != nil {
			return r, nil, err
		}
		for _, c := range serving {
			if c.ID == a.Chamber || len(serving) == 1 {
				r.Chamber = c.ID
			}
		}
		if len(serving) == 0 {
			notServed(&p, r)
		}
	}
	for _, c := range serving {
		if c.ID == r.Chamber && r.IdentNumber != "" {
			r.IdentNumber, _ = fold.Ident(r.IdentNumber, c.Number)
		}
	}
	return r, serving, p.Err()
}

// notServed names the chamber elsewhere that is in charge (ux.md 2.9 no. 12).
func notServed(p *fault.Problems, r Registration) {
	var names []string
	for _, n := range chamber.NumbersFor(r.Postcode, r.Place) {
		names = append(names, chamber.PublicName(n))
	}
	if len(names) == 0 {
		p.Add("postcode", "registration.postcode_unknown", r.Postcode)
		return
	}
	p.Add("postcode", "registration.not_served", strings.TrimSpace(r.Postcode+" "+r.Place), strings.Join(names, ", "))
}

// check tidies the fields and says what is wrong with them.
func check(r *Registration) (p fault.Problems) {
	text := func(value *string, field, missing string, most int) {
		*value = strings.Join(strings.Fields(*value), " ")
		if *value == "" && missing != "" {
			p.Add(field, missing)
		}
		if utf8.RuneCountInString(*value) > most {
			p.Add(field, "registration.too_long", most)
		}
	}
	text(&r.Name, "name", "registration.name_missing", 200)
	r.LegalForm = strings.TrimSpace(r.LegalForm)
	if r.LegalForm == "" {
		p.Add("legal_form", "registration.legal_form_missing")
	} else if chamber.LegalFormLabel(r.LegalForm) == r.LegalForm {
		p.Add("legal_form", "registration.legal_form_unknown")
	}
	text(&r.Street, "street", "registration.street_missing", 100)
	text(&r.HouseNumber, "house_number", "registration.house_number_missing", 12)
	r.Postcode = fold.Postcode(r.Postcode)
	if r.Postcode == "" {
		p.Add("postcode", "registration.postcode_missing")
	} else if len(r.Postcode) != 5 || !fold.Digits(r.Postcode) {
		p.Add("postcode", "registration.postcode_form")
		r.Postcode = ""
	}
	text(&r.Place, "place", "registration.place_missing", 100)
	r.IdentNumber = strings.TrimSpace(r.IdentNumber)
	if _, ok := fold.Ident(r.IdentNumber, ""); r.IdentNumber != "" && !ok {
		p.Add("ident_number", "registration.ident_form")
	}
	text(&r.RegisterNumber, "register_number", "", 30)
	if r.RegisterCourt != "" && chamber.RegisterCourtLabel(r.RegisterCourt) == r.RegisterCourt {
		p.Add("register_court", "registration.register_unknown")
	}
	if r.RegisterKind != "" && chamber.RegisterKindKey(r.RegisterKind) == "" {
		p.Add("register_kind", "registration.register_unknown")
	}
	if r.Reason == "" {
		p.Add("reason", "registration.reason_missing")
	} else if n := utf8.RuneCountInString(r.Reason); n > MostReason {
		p.Add("reason", "registration.reason_long", n)
	}
	if len(p) == 0 && r.Key() == "" {
		p.Add("name", "registration.name_missing")
	}
	return p
}

// once refuses a company that has an account or is being registered (R066).
func once(tx *db.Tx, by audit.Actor, r Registration) error {
	if r.Chamber == "" {
		return nil
	}
	idents := []string{}
	if r.IdentNumber != "" {
		idents = append(idents, r.IdentNumber)
	}
	if entry, err := directory.FindExact(tx, r.Chamber, r.Company); err == nil {
		idents = append(idents, entry.IdentNumber)
	} else if !fault.Is(err, fault.KindNotFound) {
		return err
	}
	taken, err := organization.Taken(tx, r.Chamber, r.Company, idents)
	if err != nil {
		return err
	}
	if taken {
		return fault.Conflict("registration.registered_already")
	}
	other, err := pendingLike(tx, r)
	if fault.Is(err, fault.KindNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if other.Applicant == by.Account {
		return &OwnPending{ID: other.ID, err: fault.Conflict("registration.registration_own_pending", other.Reference)}
	}
	return fault.Conflict("registration.registration_pending")
}
