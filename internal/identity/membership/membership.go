// Package membership holds who belongs to which organization, in which roles,
// who administers it, and how one comes to belong to it.
//
// A member without a role is a member and nothing more: no application opens
// (R029), not even for an admin, who gives roles to himself like to anybody
// (R025, R030). Roles are declared by applications (package application) and
// granted per organization; a change counts at once (R143). Who leaves loses
// all roles in the same moment (L08). An organization never loses its last
// admin: every step that could take one away locks the organization first.
//
// Who belongs here comes by a decision: an organization's activation, an
// invitation (package invitation) or a request (package request).
package membership

import (
	"embed"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/identity/account"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/session"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

// A Role names what is granted: a key of an application's catalogue.
type Role struct{ Application, Key string }

// A Member is a person's membership in one organization.
type Member struct {
	ID, Organization, Account string
	Admin                     bool // the role organization_admin
	Since, Until              db.Time
	Site                      string // where the person works; empty: the head office
	ApprenticeNumber          string // as the company says (R216)
	TrainerNumber             string
	Roles                     []Role // that hold now, wherever
}

// Has reports whether the member holds a role.
func (m Member) Has(application, key string) bool {
	for _, r := range m.Roles {
		if r == (Role{application, key}) {
			return true
		}
	}
	return false
}

// Grant makes a person a member (if not one already), an admin if admin is
// set, and gives roles. It never takes anything away. Callers have settled
// that it is right: activation of the organization, an approved request.
func Grant(tx *db.Tx, by audit.Actor, organizationID, accountID string, admin bool, roles ...Role) error {
	if err := Known(tx, roles); err != nil {
		return err
	}
	m, joined, err := enter(tx, organizationID, accountID)
	if err == nil && !m.Until.IsZero() && !m.Until.After(tx.Now()) { // over by its date, and the job has not come by
		if err = expire(tx, m.ID); err == nil {
			m, joined, err = enter(tx, organizationID, accountID)
		}
	}
	if err != nil {
		return err
	}
	if joined {
		if err := record(tx, by, "membership.granted", m, nil); err != nil {
			return err
		}
	}
	if admin && !m.Admin {
		if err := setAdmin(tx, m.ID, true); err != nil {
			return err
		}
		if err := record(tx, by, "membership.admin_granted", m, nil); err != nil {
			return err
		}
		if err := raise(tx, m.Account); err != nil {
			return err
		}
	}
	return give(tx, by, m, roles)
}

// AddRoles gives roles to somebody who is a member. NotFound: they are none (any more).
func AddRoles(tx *db.Tx, by audit.Actor, organizationID, accountID string, roles ...Role) error {
	if err := Known(tx, roles); err != nil {
		return err
	}
	m, err := In(tx, organizationID, accountID)
	if err != nil {
		return err
	}
	if err := hold(tx, m.ID); err != nil {
		return err
	}
	return give(tx, by, m, roles)
}

// give adds roles to a membership that the transaction holds.
func give(tx *db.Tx, by audit.Actor, m Member, roles []Role) error {
	if err := compatible(tx, m.ID, roles); err != nil {
		return err
	}
	for _, r := range roles {
		added, err := insertGrant(tx, by, m.ID, r)
		if err != nil {
			return err
		}
		if !added {
			continue
		}
		if err := record(tx, by, "role.granted", m, map[string]any{"application": r.Application, "role": r.Key}); err != nil {
			return err
		}
	}
	return nil
}

func record(tx *db.Tx, by audit.Actor, event string, m Member, detail map[string]any) error {
	return audit.Record(tx, by, audit.Entry{Event: event, Account: m.Account, Organization: m.Organization, Thing: m.ID, Detail: detail})
}

// Chambers are those of the companies a person belongs to.
func Chambers(tx *db.Tx, accountID string) ([]string, error) {
	return db.Values[string](tx, `SELECT DISTINCT o.chamber FROM membership m JOIN organization o ON o.id = m.organization WHERE m.account = $1 AND m.ended_at IS NULL ORDER BY o.chamber`, accountID)
}

// IsAdmin reports whether the actor administers the organization, which nobody
// does while it is locked.
func IsAdmin(tx *db.Tx, by audit.Actor, organizationID string) (bool, error) {
	m, err := In(tx, organizationID, by.Account)
	if fault.Is(err, fault.KindNotFound) || err == nil && !m.Admin {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	locked, err := isLocked(tx, organizationID)
	return !locked, err
}

// MustAdminister is the gate in front of every command on an organization's
// members: members who are no admins are forbidden, for strangers there is
// nothing. The console may, as everywhere.
func MustAdminister(tx *db.Tx, by audit.Actor, organizationID string) error {
	if by.Kind == audit.Command || by.Kind == audit.System {
		return nil
	}
	m, err := In(tx, organizationID, by.Account)
	if err != nil {
		return err
	}
	if !m.Admin {
		return fault.Forbidden()
	}
	locked, err := isLocked(tx, organizationID)
	if err == nil && locked {
		err = &fault.Fault{Kind: fault.KindForbidden, Problems: []fault.Problem{{Key: "membership.organization_locked"}}}
	}
	return err
}

// isLocked: nobody acts for an organization that is locked.
func isLocked(tx *db.Tx, organizationID string) (bool, error) {
	return db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM organization WHERE id = $1 AND state = 'locked')`, organizationID)
}

// SetRole gives a member a role ("Ja") or takes it ("Nein"), at once (R024, R026, R143).
func SetRole(tx *db.Tx, by audit.Actor, membershipID, application, role string, yes bool) error {
	m, err := gate(tx, by, membershipID)
	if err != nil {
		return err
	}
	r := Role{application, role}
	if yes {
		if err := Known(tx, []Role{r}); err != nil {
			return err
		}
	}
	if err := hold(tx, m.ID); err != nil {
		return err
	}
	if yes {
		if m.Has(application, role) {
			return nil
		}
		if err := give(tx, by, m, []Role{r}); err != nil {
			return err
		}
		return tellMember(tx, by, m, "notice.role_given", r)
	}
	taken, err := deleteGrant(tx, m.ID, r)
	if err != nil || !taken {
		return err
	}
	if err := record(tx, by, "role.withdrawn", m, map[string]any{"application": application, "role": role}); err != nil {
		return err
	}
	if err := less(tx, m); err != nil {
		return err
	}
	return tellMember(tx, by, m, "notice.role_taken", r)
}

// SetAdmin makes a member an admin or an admin a plain member. The last admin stays.
func SetAdmin(tx *db.Tx, by audit.Actor, membershipID string, yes bool) error {
	m, err := gate(tx, by, membershipID)
	if err != nil {
		return err
	}
	if err := lock(tx, m.Organization); err != nil {
		return err
	}
	if m, err = gate(tx, by, membershipID); err != nil { // again: what we read before the lock may be over
		return err
	}
	if m.Admin == yes {
		return nil
	}
	event, phrase := "membership.admin_granted", "notice.admin_given"
	if !yes {
		event, phrase = "membership.admin_withdrawn", "notice.admin_taken"
		if err := spareLast(tx, m); err != nil {
			return err
		}
		if err := spareChosen(tx, by, m); err != nil {
			return err
		}
	} else if !m.Until.IsZero() {
		return fault.Conflict("membership.admin_until")
	}
	if err := setAdmin(tx, m.ID, yes); err != nil {
		return err
	}
	if !yes {
		err = steppedDown(tx, m)
	} else {
		err = raise(tx, m.Account)
	}
	if err != nil {
		return err
	}
	if err := record(tx, by, event, m, nil); err != nil {
		return err
	}
	return tellMember(tx, by, m, phrase)
}

// Remove ends somebody's membership.
func Remove(tx *db.Tx, by audit.Actor, membershipID string) error {
	m, err := gate(tx, by, membershipID)
	if err != nil {
		return err
	}
	if err := lock(tx, m.Organization); err != nil {
		return err
	}
	if m, err = gate(tx, by, membershipID); err != nil {
		return err
	}
	if err := spareChosen(tx, by, m); err != nil {
		return err
	}
	if err := end(tx, by, m, "membership.removed"); err != nil {
		return err
	}
	if m.Account == by.Account {
		return nil
	}
	return tellGone(tx, m, "removed")
}

// Leave ends the actor's own membership ("Aus Organisation austreten", R144).
func Leave(tx *db.Tx, by audit.Actor, organizationID string) error {
	if err := lock(tx, organizationID); err != nil {
		return err
	}
	m, err := In(tx, organizationID, by.Account)
	if err != nil {
		return err
	}
	return end(tx, by, m, "membership.left")
}

// end needs the organization locked and m read after that.
func end(tx *db.Tx, by audit.Actor, m Member, event string) error {
	if m.Admin {
		if err := spareLast(tx, m); err != nil {
			return err
		}
	}
	if err := endMembership(tx, m.ID); err != nil {
		return err
	}
	if err := steppedDown(tx, m); err != nil {
		return err
	}
	if err := unnamed(tx, m); err != nil {
		return err
	}
	var roles []string
	for _, r := range m.Roles {
		roles = append(roles, r.Application+" "+r.Key)
	}
	if err := withdrawRequests(tx, by, m); err != nil {
		return err
	}
	if err := less(tx, m); err != nil {
		return err
	}
	return record(tx, by, event, m, map[string]any{"roles": roles})
}

// LessKind is the job that tells applications that somebody may do less in an
// organization than their token says; its body names account and organization.
const LessKind = "membership.less"

func less(tx *db.Tx, m Member) error { return Less(tx, m.Account, m.Organization) }

// Less is for whoever else takes power from a person: a mandate that ends.
func Less(tx *db.Tx, accountID, organizationID string) error {
	return job.Enqueue(tx, LessKind, accountID+" "+organizationID, map[string]string{"account": accountID, "organization": organizationID})
}

// spareLast refuses to take an organization its last admin (L06).
func spareLast(tx *db.Tx, m Member) error {
	n, err := othersStay(tx, m.Organization, m.Account)
	if err == nil && n == 0 {
		err = fault.Conflict("membership.last_admin")
	}
	return err
}

// gate loads a current membership for one who may change it.
func gate(tx *db.Tx, by audit.Actor, membershipID string) (Member, error) {
	m, err := load(tx, membershipID)
	if err != nil {
		return m, err
	}
	return m, MustAdminister(tx, by, m.Organization)
}

// raise sends the sessions of a new admin back to the sign-in's last step that
// have not shown the factor which the office needs.
func raise(tx *db.Tx, accountID string) error {
	running, err := session.List(tx, accountID)
	if err != nil || len(running) == 0 {
		return err
	}
	person, err := account.Get(tx, accountID)
	if err != nil {
		return err
	}
	rules, err := policy.Of(tx, person.Policy)
	if fault.Is(err, fault.KindNotFound) { // no policy asks for anything
		return nil
	}
	if err != nil {
		return err
	}
	least, err := factor.Least(tx, accountID, rules)
	if err != nil || least == "" {
		return err
	}
	for _, s := range running {
		if !factor.Enough(s.AMR, least) {
			if err := session.Raise(tx, s.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
