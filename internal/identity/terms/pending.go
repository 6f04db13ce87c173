package terms

import (
	"slices"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/policy"
)

// A Choice is a text of a profile, and what a person said to it.
type Choice struct {
	Terms
	Box         policy.Text // what the person says: "Ich akzeptiere …"; empty: the text is only shown
	Must        bool        // an account needs it
	GivenAt     db.Time     // zero: never
	WithdrawnAt db.Time     // zero: it holds
	Given       bool        // given and not taken back, for this version
	Earlier     string      // an earlier version that was, and is not taken back either
}

// Asked are the current texts that a profile shows, in its order.
func Asked(tx *db.Tx, s policy.SignUp) (all []Choice, err error) {
	current, err := Current(tx)
	if err != nil {
		return nil, err
	}
	for _, ref := range s.Terms {
		if i := slices.IndexFunc(current, func(t Terms) bool { return t.Kind == ref.Kind }); i >= 0 {
			all = append(all, Choice{Terms: current[i], Box: ref.Box, Must: ref.Required})
		}
	}
	return all, nil
}

// Of are the texts of an account's profile, with what the person said to the
// current versions.
func Of(tx *db.Tx, a account.Account) ([]Choice, error) {
	p, err := policy.Of(tx, a.Policy)
	if err != nil {
		return nil, err
	}
	all, err := Asked(tx, p.SignUp)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	said, err := consents(tx, a.ID)
	for i, c := range all {
		for _, s := range said {
			switch {
			case s.terms == c.ID:
				all[i].GivenAt, all[i].WithdrawnAt, all[i].Given = s.givenAt, s.withdrawnAt, s.withdrawnAt.IsZero()
			case s.kind == c.Kind && s.withdrawnAt.IsZero():
				all[i].Earlier = s.version
			}
		}
	}
	return all, err
}

// Pending are the texts that an account must accept before it goes on: the
// required ones of its profile, in the current version (R051, R254).
func Pending(tx *db.Tx, a account.Account) ([]Choice, error) {
	all, err := Of(tx, a)
	return slices.DeleteFunc(all, func(c Choice) bool { return !c.Must || c.Given }), err
}

type consent struct {
	terms, kind, version string
	givenAt, withdrawnAt db.Time
}

// consents of an account, the earliest version first.
func consents(tx *db.Tx, account string) ([]consent, error) {
	return db.All(tx, func(c *consent) []any { return []any{&c.terms, &c.kind, &c.version, &c.givenAt, &c.withdrawnAt} },
		`SELECT terms, kind, version, given_at, withdrawn_at FROM consent JOIN terms ON terms.id = consent.terms WHERE account = $1 ORDER BY valid_from, terms.id`, account)
}

// Agree gives a consent from the page of consents: to a text of the account's
// profile, in its current version.
func Agree(tx *db.Tx, by audit.Actor, a account.Account, id string) error {
	if by.Account != a.ID {
		return fault.Forbidden()
	}
	all, err := Of(tx, a)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(c Choice) bool { return c.ID == id })
	if i < 0 || all[i].Box == (policy.Text{}) { // a newer version came, or one that is only shown
		return fault.Conflict("terms.changed")
	}
	return Give(tx, by, a.ID, id)
}

// Withdraw takes a voluntary consent back, for the future (R054, R250), to this
// version of the text and all before; it can be given again. What an account needs is taken back by deleting the account.
func Withdraw(tx *db.Tx, by audit.Actor, a account.Account, id string) error {
	if by.Account != a.ID {
		return fault.Forbidden()
	}
	all, err := Of(tx, a)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(c Choice) bool { return c.ID == id })
	if i < 0 {
		return fault.NotFound()
	}
	if all[i].Must {
		return fault.Conflict("terms.needed")
	}
	n, err := tx.Exec(`UPDATE consent SET withdrawn_at = $1 WHERE account = $2 AND withdrawn_at IS NULL
		AND terms IN (SELECT id FROM terms WHERE kind = $3)`, tx.Now(), a.ID, all[i].Kind)
	if err != nil || n == 0 { // twice counts once
		return err
	}
	return audit.Record(tx, by, audit.Entry{Event: "consent.withdrawn", Account: a.ID, Thing: id})
}
