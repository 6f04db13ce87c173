package openid

import (
	"encoding/json"
	"slices"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
)

// Scopes that an application may ask for, in our order.
func Scopes() []string { return slices.Clone(scopes) }

// A Preview is what an application would be told of a person now.
type Preview struct {
	Refused           bool // no role, no code (R029); what userinfo says is shown all the same
	IDToken, UserInfo string
}

// Preview makes the claims of a person at an application by the code that makes
// tokens, and makes no token. Operators and the console may look, and each look
// is recorded on the person.
func (p *Provider) Preview(tx *db.Tx, by audit.Actor, a application.Application, accountID, organizationID, scope string) (v Preview, err error) {
	if by.Kind != audit.Command {
		if operator, err := chamber.IsOperator(tx, by.Account); err != nil || !operator {
			return v, orForbidden(err)
		}
	}
	catalogue, err := application.Catalogue(tx, a.ID)
	if err != nil {
		return v, err
	}
	g := grant{
		ID: db.NewID(), Application: a.ID, Account: accountID, Session: "…", Organization: organizationID, Scope: knownScope(scope),
		ACR: acrPassword, AMR: "pwd", AuthTime: tx.Now(), inTime: true, alive: true, roles: len(catalogue) > 0,
	}
	at, err := work(tx, g)
	if v.Refused = fault.Is(err, fault.KindNotFound); err != nil && !v.Refused {
		return v, err
	}
	if !v.Refused {
		if v.IDToken, err = indented(p.idToken(a, g, at, "…", tx.Now(), "")); err != nil {
			return v, err
		}
	}
	who, err := person(tx, g)
	if err != nil {
		return v, err
	}
	if v.UserInfo, err = indented(&who); err != nil {
		return v, err
	}
	return v, audit.Record(tx, by, audit.Entry{Event: "claims.previewed", Account: accountID, Organization: organizationID, Thing: a.ID, Detail: map[string]any{"scope": g.Scope}})
}

// knownScope is what we know of a scope, in our order; openid is always there.
func knownScope(scope string) string {
	asked := append(strings.Fields(scope), "openid")
	return strings.Join(slices.DeleteFunc(Scopes(), func(s string) bool { return !slices.Contains(asked, s) }), " ")
}

func orForbidden(err error) error {
	if err == nil {
		return fault.Forbidden()
	}
	return err
}

func indented(claims any) (string, error) {
	b, err := json.MarshalIndent(claims, "", "  ")
	return string(b), err
}
