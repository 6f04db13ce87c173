package openid

import (
	"net/http"
	"net/url"
	"slices"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/behalf"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

// A choice of organization: the one, as its member or by a mandate, with what
// the person holds there; or why there is none yet.
type choice struct {
	organization, mandate string
	held                  []behalf.Held
	none, several         bool
}

// choose finds the organization this sign-in is for (decision 10): the one that
// was chosen in this session, or the only one in which the person has a role in
// the application, as a member or by a mandate (R029, R202, R301). An application
// that declares no roles serves every account: it gets the person's organization
// if that is clear, and one is asked for only if it wants to know it. Mandates
// name roles; where there are none they open nothing. It costs the same
// for one organization and for thousands.
func (p *Provider) choose(r *http.Request, a application.Application, q request, s session.Session) (c choice, err error) {
	err = p.DB.Read(r.Context(), func(tx *db.Tx) error {
		catalogue, err := application.Catalogue(tx, a.ID)
		if err != nil {
			return err
		}
		in, wanted := a.ID, true
		if len(catalogue) == 0 {
			in, wanted = behalf.AsMember, granted(q.scope, "organization")
		}
		at, err := chosenOrOnly(tx, in, s, &c)
		if fault.Is(err, fault.KindNotFound) {
			c.none = len(catalogue) > 0
			return nil
		}
		if c.several = c.several && wanted; err != nil || at.ID == "" {
			return err
		}
		c.organization, c.mandate = at.ID, at.Mandate
		if len(catalogue) > 0 {
			c.held, err = behalf.RolesIn(tx, s.Account, a.ID, c.organization, c.mandate)
			c.none = len(c.held) == 0 // its site was closed, say
		}
		return err
	})
	return c, err
}

// chosenOrOnly is what the session acts for if that is possible here, else the
// only possibility. NotFound: there is none.
func chosenOrOnly(tx *db.Tx, in string, s session.Session, c *choice) (at behalf.Context, err error) {
	if s.Organization != "" {
		if at, err = behalf.Look(tx, s.Account, in, s.Organization, s.Mandate); !fault.Is(err, fault.KindNotFound) {
			return at, err
		}
	}
	at, c.several, err = behalf.Only(tx, s.Account, in)
	if c.several {
		return behalf.Context{}, err
	}
	return at, err
}

// reaches reports whether a sign-in of this level may act in a role.
func reaches(acr string, h behalf.Held) bool {
	return slices.Index(levels, acr) >= slices.Index(levels, h.Requires) // "" is below all
}

// Reaches reports whether a sign-in by these methods (amr) may act in a role
// that requires a level.
func Reaches(amr, requires string) bool { return reaches(acrOf(amr), behalf.Held{Requires: requires}) }

// raise settles whether the sign-in is strong enough for the roles held (their
// requires). Who has what it takes is asked for it once. Roles that are out of
// reach are left out of the token; if none is left, a page says what to set up.
func (p *Provider) raise(w http.ResponseWriter, r *http.Request, q request, a application.Application, v *visitor.Visitor, c choice) (done bool, err error) {
	have := acrOf(v.Session.AMR)
	usable := len(c.held) == 0
	for i := len(levels) - 1; i > 0; i-- {
		if !slices.ContainsFunc(c.held, func(h behalf.Held) bool { return h.Requires == levels[i] && !reaches(have, h) }) {
			continue
		}
		if done, err = p.prove(w, r, q, v, levels[i]); done || err != nil {
			return done, err
		}
	}
	for _, h := range c.held {
		usable = usable || reaches(have, h)
	}
	switch {
	case usable:
		return false, nil
	case q.silent():
		return true, p.deny(w, r, q, refuse("interaction_required", "the person's roles require a stronger sign-in"))
	}
	return true, web.See(w, r, "/authorize/no-access?"+url.Values{"client_id": {a.ClientID}, "organization": {c.organization}, "mandate": {c.mandate}}.Encode())
}

// record notes the sign-in; by a mandate, with who acts for whom. A mandate that
// was the only possibility becomes what the session acts for: every page says so.
func (c choice) record(tx *db.Tx, by audit.Actor, s session.Session, a application.Application) error {
	e := audit.Entry{Event: "application.signed_in", Account: s.Account, Organization: c.organization, Thing: a.ID}
	if c.mandate != "" {
		representative, err := behalf.Acts(tx, c.mandate)
		if err != nil {
			return err
		}
		e.Detail = map[string]any{"mandate": c.mandate}
		if representative != "" {
			e.Detail["representative"] = representative
		}
		if s.Mandate != c.mandate {
			if err := session.Choose(tx, by, s.ID, c.organization, c.mandate); err != nil {
				return err
			}
		}
	}
	return audit.Record(tx, by, e)
}
