package openid

import (
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
)

// workClaims say where the person works in this application (decision 10).
type workClaims struct {
	Organization *organizationClaim `json:"organization,omitempty"`
	Roles        []string           `json:"roles,omitempty"`
}

type organizationClaim struct {
	ID            string          `json:"id"`
	Name          string          `json:"name"`
	IdentNumber   string          `json:"ident_number"`
	ChamberNumber string          `json:"chamber_number"`
	Site          *string         `json:"site"` // null: the head office
	Evidence      []evidenceClaim `json:"evidence"`
}

type evidenceClaim struct {
	Method string `json:"method"`
	At     int64  `json:"at"`
	Until  *int64 `json:"until"` // null: holds until revoked
}

// idToken are the claims of OpenID Connect Core, section 2.
type idToken struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience string   `json:"aud"`
	Expires  int64    `json:"exp"`
	IssuedAt int64    `json:"iat"`
	AuthTime int64    `json:"auth_time"`
	Nonce    string   `json:"nonce,omitempty"`
	ACR      string   `json:"acr"`
	AMR      []string `json:"amr,omitempty"`
	Session  string   `json:"sid"`
	AtHash   string   `json:"at_hash"`
	workClaims
}

// personClaims are what userinfo adds (section 5.1).
type personClaims struct {
	Subject           string `json:"sub"`
	Name              string `json:"name,omitempty"`
	GivenName         string `json:"given_name,omitempty"`
	FamilyName        string `json:"family_name,omitempty"`
	PreferredUsername string `json:"preferred_username,omitempty"`
	Locale            string `json:"locale,omitempty"`
	Email             string `json:"email,omitempty"`
	EmailVerified     *bool  `json:"email_verified,omitempty"`
	workClaims
}

// work reads where the person of a grant works now. NotFound says that the
// application declares roles and the person has none of them left in the
// organization of the grant (R029, R148).
func work(tx *db.Tx, g grant) (c workClaims, err error) {
	if g.roles {
		all, err := membership.RolesFor(tx, g.Account, g.Application)
		if err != nil {
			return c, err
		}
		roles := slices.Sorted(slices.Values(all[g.Organization]))
		if len(roles) == 0 {
			return c, fault.NotFound()
		}
		if granted(g.Scope, "roles") {
			c.Roles = roles
		}
	} else if g.Organization != "" {
		// Without roles membership alone counts, and it may have ended.
		if _, err := membership.In(tx, g.Organization, g.Account); fault.Is(err, fault.KindNotFound) {
			return c, nil
		} else if err != nil {
			return c, err
		}
	}
	if g.Organization != "" && granted(g.Scope, "organization") {
		c.Organization, err = organizationOf(tx, g.Organization)
	}
	return c, err
}

func organizationOf(tx *db.Tx, id string) (*organizationClaim, error) {
	o, err := organization.Get(tx, id)
	if err != nil {
		return nil, err
	}
	at, err := chamber.Get(tx, o.Chamber)
	if err != nil {
		return nil, err
	}
	seen, err := organization.Evidence(tx, id)
	if err != nil {
		return nil, err
	}
	c := &organizationClaim{ID: o.ID, Name: o.Name, IdentNumber: o.IdentNumber, ChamberNumber: at.Number, Evidence: []evidenceClaim{}}
	for _, e := range seen {
		said := evidenceClaim{Method: e.Method, At: e.At.Unix()}
		if !e.Until.IsZero() {
			until := e.Until.Unix()
			said.Until = &until
		}
		c.Evidence = append(c.Evidence, said)
	}
	return c, nil
}

// person reads what the scope lets the application know.
func person(tx *db.Tx, g grant) (c personClaims, err error) {
	c.Subject = g.Account
	profile, email := granted(g.Scope, "profile"), granted(g.Scope, "email")
	if profile || email {
		a, err := account.Get(tx, g.Account)
		if err != nil {
			return c, err
		}
		if profile {
			c.Name, c.GivenName, c.FamilyName, c.PreferredUsername, c.Locale = a.Name(), a.GivenName, a.FamilyName, a.Username, a.Language
		}
		if email && a.Email != "" {
			verified := !a.ConfirmedAt.IsZero()
			c.Email, c.EmailVerified = a.Email, &verified
		}
	}
	if granted(g.Scope, "roles") || granted(g.Scope, "organization") {
		c.workClaims, err = work(tx, g)
		if fault.Is(err, fault.KindNotFound) {
			err = nil // who they are is still true
		}
	}
	return c, err
}
