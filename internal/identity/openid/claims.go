package openid

import (
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/behalf"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
)

// workClaims say where the person works in this application (decision 10).
type workClaims struct {
	Organization *organizationClaim `json:"organization,omitempty"`
	Roles        []string           `json:"roles,omitempty"`
	SiteRoles    []siteRoles        `json:"site_roles,omitempty"` // that hold at one site only
	Act          *actClaim          `json:"act,omitempty"`        // by a mandate: who acts (RFC 8693, section 4.1)

	// Of a member in the organization, as their admins entered them (R216, R233).
	ApprenticeNumber string `json:"apprentice_number,omitempty"`
	TrainerNumber    string `json:"trainer_number,omitempty"`
}

// siteRoles are roles at one site. An application that does not know them
// widens nothing: they are not among the roles.
type siteRoles struct {
	Site  siteClaim `json:"site"`
	Roles []string  `json:"roles"`
}

type siteClaim struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	IdentNumber string `json:"ident_number,omitempty"`
}

// actClaim names the person who acts for the organization, and for which
// organization they do so.
type actClaim struct {
	Subject      string           `json:"sub"`
	Name         string           `json:"name,omitempty"` // with scope profile
	Organization *actOrganization `json:"organization,omitempty"`
}

type actOrganization struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type organizationClaim struct {
	ID            string          `json:"id"`
	Name          string          `json:"name"`
	IdentNumber   string          `json:"ident_number"`
	ChamberNumber string          `json:"chamber_number"`
	Site          *siteClaim      `json:"site"` // null: the whole organization
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
// organization of the grant (R029, R148), or none that this sign-in reaches.
func work(tx *db.Tx, g grant) (c workClaims, err error) {
	var site *siteClaim
	if g.roles {
		if site, err = c.roles(tx, g); err != nil {
			return c, err
		}
	} else if g.Organization != "" {
		// Without roles membership alone counts, and it may have ended.
		if _, err := behalf.Look(tx, g.Account, behalf.AsMember, g.Organization, ""); fault.Is(err, fault.KindNotFound) {
			return c, nil
		} else if err != nil {
			return c, err
		}
	}
	if g.Mandate != "" {
		if c.Act, err = acts(tx, g); err != nil {
			return c, err
		}
	}
	if g.Organization != "" && granted(g.Scope, "organization") {
		if c.Organization, err = organizationOf(tx, g.Organization); err != nil {
			return c, err
		}
		c.Organization.Site = site
		if g.Mandate == "" {
			c.ApprenticeNumber, c.TrainerNumber, err = membership.Numbers(tx, g.Organization, g.Account)
		}
	}
	return c, err
}

// roles fills in what the person holds: roles of the whole organization, and
// those of single sites. Who holds nothing but roles at one site works there:
// then it is the organization's site that the token names.
func (c *workClaims) roles(tx *db.Tx, g grant) (only *siteClaim, err error) {
	held, err := behalf.RolesIn(tx, g.Account, g.Application, g.Organization, g.Mandate)
	if err != nil {
		return nil, err
	}
	held = slices.DeleteFunc(held, func(h behalf.Held) bool { return !reaches(g.ACR, h) })
	if len(held) == 0 {
		return nil, fault.NotFound()
	}
	var whole []string
	var at []siteRoles
	for _, h := range held {
		if h.Site == "" {
			whole = append(whole, h.Role)
			continue
		}
		i := slices.IndexFunc(at, func(s siteRoles) bool { return s.Site.ID == h.Site })
		if i < 0 {
			i, at = len(at), append(at, siteRoles{Site: siteClaim{h.Site, h.SiteName, h.SiteIdentity}})
		}
		at[i].Roles = append(at[i].Roles, h.Role)
	}
	if len(whole) == 0 && len(at) == 1 && granted(g.Scope, "organization") {
		only, whole, at = &at[0].Site, at[0].Roles, nil
	}
	if granted(g.Scope, "roles") {
		c.Roles, c.SiteRoles = whole, at
	}
	return only, nil
}

// acts names who acts by the mandate of a grant.
func acts(tx *db.Tx, g grant) (*actClaim, error) {
	c := &actClaim{Subject: g.Account}
	if granted(g.Scope, "profile") {
		a, err := account.Get(tx, g.Account)
		if err != nil {
			return nil, err
		}
		c.Name = a.Name()
	}
	id, err := behalf.Acts(tx, g.Mandate)
	if err != nil || id == "" || !granted(g.Scope, "organization") {
		return c, err
	}
	o, err := organization.Get(tx, id)
	c.Organization = &actOrganization{o.ID, o.Name}
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
