package account

import (
	"fmt"
	"unicode"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/fold"
)

// New is what an account begins with.
type New struct {
	Salutation, Title, GivenName, FamilyName string
	Username                                 string
	Email                                    string
	Further                                  []string // further addresses, kept unconfirmed (R043, R044)
	Language                                 string
	Policy, Chamber                          string // see Account
	Answers                                  string // JSON: what a sign-up profile asks beyond the fields here
	NameSource                               string // empty: "self"
	Password                                 string // PHC, made by a Hasher
	Confirmed                                bool   // the address needs no proof: story, demo, commands
}

// Check tidies the data and says all that is wrong with them at once. The
// fields of its problems are the names of the fields of the form.
func (n *New) Check() error {
	var p fault.Problems
	if n.Salutation != "" && n.Salutation != "mr" && n.Salutation != "ms" {
		p.Add("salutation", "account.salutation")
	}
	n.Title = personal(&p, "title", n.Title, maxTitle, "account.title_long", "account.title_form")
	n.GivenName = personal(&p, "given_name", n.GivenName, maxName, "account.given_name_long", "account.given_name_form")
	if !letters(n.GivenName) {
		p.Add("given_name", "account.given_name_missing")
	}
	n.FamilyName = personal(&p, "family_name", n.FamilyName, maxName, "account.family_name_long", "account.family_name_form")
	if !letters(n.FamilyName) {
		p.Add("family_name", "account.family_name_missing")
	}
	if n.Email = address(&p, "email", n.Email); n.Email == "" {
		p.Add("email", "account.email_missing")
	}
	n.Username = username(&p, n.Username)
	if n.Language != "en" {
		n.Language = "de"
	}
	seen := map[string]bool{fold.Login(n.Email): true}
	var further []string
	for i, typed := range n.Further {
		field := fmt.Sprintf("further_%d", i+1)
		a := address(&p, field, typed)
		if a == "" {
			continue
		}
		if seen[fold.Login(a)] {
			p.Add(field, "account.email_twice")
		}
		seen[fold.Login(a)] = true
		further = append(further, a)
	}
	if len(further) > MaxFurther {
		p.Add("further_1", "account.further_many", fmt.Sprint(MaxFurther))
	}
	n.Further = further
	return p.Err()
}

func letters(s string) bool {
	for _, r := range s {
		if unicode.IsLetter(r) {
			return true
		}
	}
	return false
}

// Create makes an account for commands, the demo and the story; people sign up
// by [SignUp]. User name and address must be free.
func Create(tx *db.Tx, by audit.Actor, n New) (Account, error) {
	if err := n.Check(); err != nil {
		return Account{}, err
	}
	if n.Confirmed {
		if err := Available(tx, n.Username); err != nil {
			return Account{}, err
		}
		if _, err := ownerOf(tx, fold.Login(n.Email)); err == nil {
			return Account{}, fault.Invalid("email", "account.email_taken")
		} else if !fault.Is(err, fault.KindNotFound) {
			return Account{}, err
		}
	}
	a, err := insert(tx, n, false)
	if db.Unique(err) {
		return Account{}, fault.Conflict("account.try_again")
	}
	if err != nil {
		return Account{}, fmt.Errorf("create account: %w", err)
	}
	if err := replaceFurther(tx, a.ID, n.Further); err != nil {
		return Account{}, fmt.Errorf("create account: %w", err)
	}
	return a, audit.Record(tx, by, audit.Entry{Event: "account.created", Account: a.ID})
}

// Available says whether a user name is free (R045, R046).
func Available(tx *db.Tx, name string) error {
	if name == "" {
		return nil
	}
	taken, err := usernameTaken(tx, name)
	if err == nil && taken {
		err = fault.Invalid("username", "account.username_taken")
	}
	return err
}
