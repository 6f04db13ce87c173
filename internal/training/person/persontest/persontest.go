// Package persontest lets people be there in tests of the training portal's
// rules, as the door lets them in.
package persontest

import (
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/person"
)

// Claims are what a token says of somebody in a company of chamber 999; who
// needs more, sets it.
func Claims(sub, company string, roles ...string) person.Claims {
	return person.Claims{
		Roles:   roles,
		Person:  person.Person{Sub: sub, Name: sub, Email: sub + "@beispiel.example", Language: "de"},
		Company: person.Company{ID: company, Name: company, ChamberNumber: "999"},
	}
}

// Comes signs somebody in. also, in the same transaction, is what a door does
// beside it.
func Comes(t testing.TB, d *db.DB, c person.Claims, also ...func(tx *db.Tx, by audit.Actor, c person.Claims) error) audit.Actor {
	t.Helper()
	by := audit.Actor{Kind: audit.Person, Account: c.Person.Sub}
	dbtest.Write(t, d, func(tx *db.Tx) error {
		if err := person.Learn(tx, by, c); err != nil {
			return err
		}
		for _, f := range also {
			if err := f(tx, by, c); err != nil {
				return err
			}
		}
		_, s, err := person.Start(tx, by, c, "")
		by.Session = s.ID
		return err
	})
	return by
}
