package application

import (
	"fmt"

	"zunft/internal/ground/db"
)

// An Offer is an active application with the roles it declares.
type Offer struct {
	Application Application
	Roles       []Role
}

// Offers is what organizations can grant roles of, in order of the applications' names.
type Offers []Offer

// AllOffers loads every active application with its catalogue: two statements,
// however many there are.
func AllOffers(tx *db.Tx) (Offers, error) {
	all, err := active(tx)
	if err != nil {
		return nil, fmt.Errorf("load catalogues: %w", err)
	}
	roles, err := rolesOfActive(tx)
	if err != nil {
		return nil, fmt.Errorf("load catalogues: %w", err)
	}
	offers := make(Offers, len(all))
	for i, a := range all {
		offers[i].Application = a
		for _, r := range roles {
			if r.Application == a.ID {
				offers[i].Roles = append(offers[i].Roles, r)
			}
		}
	}
	return offers, nil
}

// Role finds what an application declares under a key.
func (o Offers) Role(application, key string) (Application, Role, bool) {
	for _, offer := range o {
		if offer.Application.ID != application {
			continue
		}
		for _, r := range offer.Roles {
			if r.Key == key {
				return offer.Application, r, true
			}
		}
	}
	return Application{}, Role{}, false
}

// WithRoles are the offers that declare roles at all.
func (o Offers) WithRoles() (with Offers) {
	for _, offer := range o {
		if len(offer.Roles) > 0 {
			with = append(with, offer)
		}
	}
	return with
}
