package membership

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/organization"
)

// A Reason is one step on the way of a member into an application: what it is
// about, and how it stands.
type Reason struct {
	About string // "organization", "account", "application", "role", "factor"
	State string // see below
	Name  string // of what it is about, where people call it something
	At    db.Time
	Roles []Role // "role": what is held, or what would open it
}

// States of reasons. Everything but OK, Open and Asked stands in the way.
const (
	OK      = "ok"
	Open    = "open"    // "role": the application asks for none
	Asked   = "asked"   // "factor": whoever enters is asked for a second one; "role": somebody has to approve it
	Later   = "later"   // "role": begins at At
	Missing = "missing" // "role": none
	Not     = "not"     // it is not active
)

// Explain says step by step why a member can, or cannot, use an application:
// to admins about their members, and to everybody about themselves. Of the
// account an admin learns no more than whether it can be used.
func Explain(tx *db.Tx, by audit.Actor, membershipID, applicationID string) (reasons []Reason, err error) {
	m, err := load(tx, membershipID)
	if err != nil {
		return nil, err
	}
	if m.Account != by.Account {
		if err := MustAdminister(tx, by, m.Organization); err != nil {
			return nil, err
		}
	}
	company, err := organization.Get(tx, m.Organization)
	if err != nil {
		return nil, err
	}
	person, err := account.Get(tx, m.Account)
	if err != nil {
		return nil, err
	}
	offers, err := application.AllOffers(tx)
	if err != nil {
		return nil, err
	}
	step := func(about string, yes bool, name string) {
		state := Not
		if yes {
			state = OK
		}
		reasons = append(reasons, Reason{About: about, State: state, Name: name})
	}
	step("organization", company.State == organization.Active, company.Name)
	step("account", person.State == account.Active, person.Name())
	for _, o := range offers {
		if o.Application.ID != applicationID {
			continue
		}
		step("application", true, o.Application.Name)
		role, err := explainRole(tx, m, o)
		if err != nil {
			return nil, err
		}
		reasons = append(reasons, role)
		if role.State == OK {
			for _, r := range role.Roles {
				if _, declared, _ := offers.Role(r.Application, r.Key); declared.Requires != "" {
					reasons = append(reasons, Reason{About: "factor", State: Asked, Name: declared.Requires, Roles: []Role{r}})
					break
				}
			}
		}
		return reasons, nil
	}
	if app, err := application.Get(tx, applicationID); fault.Is(err, fault.KindNotFound) {
		return nil, fault.NotFound()
	} else if err != nil {
		return nil, err
	} else {
		step("application", false, app.Name)
	}
	return reasons, nil
}

// explainRole finds what a member holds of an application, or what is on its way.
func explainRole(tx *db.Tx, m Member, o application.Offer) (Reason, error) {
	r := Reason{About: "role", State: Missing}
	if len(o.Roles) == 0 {
		r.State = Open
		return r, nil
	}
	held, err := holdings(tx, `g.membership = $2 AND g.application = $3`, m.ID, o.Application.ID)
	if err != nil {
		return r, err
	}
	for _, h := range held {
		switch {
		case h.Holds(tx.Now()):
			if r.State != OK {
				r = Reason{About: "role", State: OK}
			}
			r.Roles = append(r.Roles, h.Role)
		case r.State != OK && (r.State == Missing || h.From.Before(r.At)):
			r = Reason{About: "role", State: Later, At: h.From, Roles: []Role{h.Role}}
		}
	}
	if r.State != Missing {
		return r, nil
	}
	waiting, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM request WHERE organization = $1 AND applicant = $2 AND kind = 'role' AND state IN ('open', 'claimed'))`, m.Organization, m.Account)
	if waiting {
		r.State = Asked
	}
	for _, declared := range o.Roles {
		r.Roles = append(r.Roles, Role{declared.Application, declared.Key})
	}
	return r, err
}
