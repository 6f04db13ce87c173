// Package behalf answers on whose behalf a person may act at this moment, and
// with which roles: as a member, or by a mandate (R029, R143, R295). Pages offer
// the choice, tokens say what was chosen. It reads what membership, mandate and
// site have written, and changes nothing.
//
// What holds is asked at every use and kept nowhere: who left, whose role or
// mandate is over or was revoked, and whose organization is locked or closed
// acts no more from that moment on. The cost does not grow with how many
// organizations a person has, except in [Contexts] with a search.
package behalf

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/organization"
)

// A Context is one organization for which a person may act: as a member
// (Mandate is empty), or by a mandate.
type Context struct {
	organization.Organization
	Mandate string  // its id
	Via     string  // the representing organization that named the person, or empty
	Until   db.Time // when a mandate (or a membership) ends, or zero
	Admin   bool    // administers it
}

// Label is what the person knows it by: its members by what their admins call
// it; who acts by a mandate belongs to others, whom that could deceive (decision 18).
func (c Context) Label() string {
	if c.Mandate != "" {
		return c.Name
	}
	return c.Organization.Label()
}

// Value names a context in a form: the organization, or organization and mandate.
func (c Context) Value() string {
	if c.Mandate == "" {
		return c.ID
	}
	return c.ID + "." + c.Mandate
}

// LastDay is the last day of a mandate, as people write it; empty without an end.
func (c Context) LastDay() string {
	if c.Until.IsZero() {
		return ""
	}
	return c.Until.Add(-time.Second).In(mail.Berlin).Format("02.01.2006")
}

// ReadValue takes the value of a context apart.
func ReadValue(v string) (organizationID, mandateID string) {
	organizationID, mandateID, _ = strings.Cut(v, ".")
	return organizationID, mandateID
}

// What may stand for an application in [Contexts], [Only] and [Look]: whatever
// the roles.
const (
	Anyhow    = ""
	AsMember  = "-member"  // mandates do not count
	ByMandate = "-mandate" // memberships do not
)

// What holds now: $1 is the person, $2 the moment.
const (
	memberNow  = `m.ended_at IS NULL AND (m.until IS NULL OR m.until > $2)`
	grantNow   = `(g.starts_at IS NULL OR g.starts_at <= $2) AND (g.ends_at IS NULL OR g.ends_at > $2)`
	mandateNow = `d.state = 'active' AND d.starts_at <= $2 AND d.ends_at > $2`
	// A person named by a representing organization acts while they belong to it and it is active.
	namedNow = `mandate_person n JOIN mandate d ON d.id = n.mandate JOIN membership m ON m.organization = d.representative AND m.account = n.account AND ` + memberNow + `
		JOIN organization r ON r.id = d.representative AND r.state = 'active' WHERE n.account = $1 AND ` + mandateNow
)

// contexts of $1 at $2; in those with roles of an application if $3 is one.
// It ends in a WHERE that callers may go on with AND.
func contexts(application string) string {
	// CROSS JOIN: SQLite must not begin with all organizations.
	const joined = `) AS c CROSS JOIN organization o WHERE o.id = c.organization AND o.state = 'active'`
	if application == AsMember {
		return `(SELECT m.organization, '' AS mandate, '' AS via, m.until, m.admin FROM membership m WHERE m.account = $1 AND ` + memberNow + joined
	}
	asMember, byMandate := "", ""
	switch application {
	case Anyhow:
	case ByMandate:
		asMember = ` AND FALSE`
	default:
		asMember = ` AND EXISTS (SELECT 1 FROM role_grant g WHERE g.membership = m.id AND g.application = $3 AND ` + grantNow + `)`
		byMandate = ` AND EXISTS (SELECT 1 FROM mandate_role x WHERE x.mandate = d.id AND x.application = $3)`
	}
	return `(SELECT m.organization, '' AS mandate, '' AS via, m.until, m.admin FROM membership m WHERE m.account = $1 AND ` + memberNow + asMember + `
		UNION ALL SELECT d.principal, d.id, '', d.ends_at, FALSE FROM mandate d WHERE d.account = $1 AND d.account <> '' AND d.representative = '' AND ` + mandateNow + byMandate + `
		UNION ALL SELECT d.principal, d.id, d.representative, d.ends_at, FALSE FROM ` + namedNow + byMandate + joined
}

func arguments(accountID string, now db.Time, application string) []any {
	if application == Anyhow || application == AsMember || application == ByMandate {
		return []any{accountID, now}
	}
	return []any{accountID, now, application}
}

var errFull = errors.New("page is full")

// Contexts lists for whom a person may act, by name: with a role in an
// application, or at all (application is empty). search narrows to those whose
// name, place or ident number contain all of its words; after is the value of
// the last one of the page before.
func Contexts(tx *db.Tx, accountID, application, search, after string, limit int) (page []Context, err error) {
	args := arguments(accountID, tx.Now(), application)
	query := `SELECT o.id, o.chamber, o.name, o.own_name, o.street, o.house_number, o.postcode, o.place, o.ident_number, c.mandate, c.via, c.until, c.admin FROM ` + contexts(application)
	if after != "" {
		id, mandate := ReadValue(after)
		at := len(args)
		args = append(args, id, mandate)
		query += ` AND (o.name_key, o.id, c.mandate) > ((SELECT name_key FROM organization WHERE id = ` + place(at+1) + `), ` + place(at+1) + `, ` + place(at+2) + `)`
	}
	query += ` ORDER BY o.name_key, o.id, c.mandate`
	words := strings.Fields(fold.Text(search))
	if len(words) == 0 {
		args = append(args, limit)
		query += ` LIMIT ` + place(len(args))
	}
	err = tx.Each(query, args, func(scan func(...any) error) error {
		c := Context{}
		if err := scan(&c.ID, &c.Chamber, &c.Name, &c.Own.Name, &c.Street, &c.HouseNumber, &c.Postcode, &c.Place, &c.IdentNumber, &c.Mandate, &c.Via, &c.Until, &c.Admin); err != nil {
			return err
		}
		folded := fold.Text(c.Name + " " + c.Own.Name + " " + c.Place + " " + c.IdentNumber)
		for _, w := range words {
			if !strings.Contains(folded, w) {
				return nil
			}
		}
		if page = append(page, c); len(page) == limit {
			return errFull
		}
		return nil
	})
	if errors.Is(err, errFull) {
		err = nil
	}
	return page, err
}

func place(n int) string { return "$" + strconv.Itoa(n) }

// Only is the context of a person if there is one and no other; several says
// that there are more.
func Only(tx *db.Tx, accountID, application string) (c Context, several bool, err error) {
	n := 0
	query := `SELECT o.id, o.name, o.own_name, c.mandate FROM ` + contexts(application) + ` LIMIT 2`
	err = tx.Each(query, arguments(accountID, tx.Now(), application), func(scan func(...any) error) error {
		n++
		return scan(&c.ID, &c.Name, &c.Own.Name, &c.Mandate)
	})
	if err == nil && n == 0 {
		err = fault.NotFound()
	}
	return c, n > 1, err
}

// Look is one context of a person, with a role in an application or at all.
// NotFound: they may not act so (any more).
func Look(tx *db.Tx, accountID, application, organizationID, mandateID string) (c Context, err error) {
	args := arguments(accountID, tx.Now(), application)
	at := len(args)
	err = tx.Scan(`SELECT o.id, o.name, o.own_name, c.mandate, c.via, c.until, c.admin FROM `+contexts(application)+` AND c.organization = `+place(at+1)+` AND c.mandate = `+place(at+2)+` LIMIT 1`,
		append(args, organizationID, mandateID), &c.ID, &c.Name, &c.Own.Name, &c.Mandate, &c.Via, &c.Until, &c.Admin)
	return c, err
}

// Holds reports whether a person may act by a mandate at this moment.
func Holds(tx *db.Tx, mandateID, accountID string) (bool, error) {
	return db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM mandate d JOIN organization o ON o.id = d.principal AND o.state = 'active'
		WHERE d.id = $3 AND `+mandateNow+` AND (d.representative = '' AND d.account = $1 OR d.representative <> '' AND EXISTS (SELECT 1 FROM `+namedNow+` AND d.id = $3)))`,
		accountID, tx.Now(), mandateID)
}

// A Held role of an application.
type Held struct {
	Role                         string
	Site, SiteName, SiteIdentity string // holds at this site only; empty: in the whole organization
	Requires                     string // acr that the sign-in must reach, or empty
}

// RolesIn are the roles of an application in which a person acts for one
// organization at this moment: what a token may say (R029, R143). It costs the
// same however many organizations the person has. A role at a site holds while
// the chamber has released that site (R300).
func RolesIn(tx *db.Tx, accountID, application, organizationID, mandateID string) ([]Held, error) {
	fields := func(h *Held) []any { return []any{&h.Role, &h.Site, &h.SiteName, &h.SiteIdentity, &h.Requires} }
	if mandateID == "" {
		return db.All(tx, fields, `SELECT g.role, g.site, COALESCE(s.name, ''), COALESCE(s.ident_number, ''), r.requires
			FROM membership m JOIN role_grant g ON g.membership = m.id JOIN application_role r ON r.application = g.application AND r.role = g.role
			JOIN organization o ON o.id = m.organization AND o.state = 'active' LEFT JOIN site s ON s.id = g.site AND s.organization = m.organization AND s.state = 'released'
			WHERE m.account = $1 AND m.organization = $3 AND g.application = $4 AND `+memberNow+` AND `+grantNow+` AND (g.site = '' OR s.id IS NOT NULL) ORDER BY g.role, g.site`,
			accountID, tx.Now(), organizationID, application)
	}
	if yes, err := Holds(tx, mandateID, accountID); err != nil || !yes {
		return nil, err
	}
	return db.All(tx, fields, `SELECT x.role, '', '', '', r.requires FROM mandate d JOIN mandate_role x ON x.mandate = d.id JOIN application_role r ON r.application = x.application AND r.role = x.role
		WHERE d.id = $1 AND d.principal = $2 AND x.application = $3 ORDER BY x.role`, mandateID, organizationID, application)
}

// RolesOf are the keys of the roles held in each of a page of contexts, by
// [Context.Value].
func RolesOf(tx *db.Tx, accountID, application string, page []Context) (map[string][]string, error) {
	held := map[string][]string{}
	var orgs, mandates []any
	for _, c := range page {
		if c.Mandate == "" {
			orgs = append(orgs, c.ID)
		} else {
			mandates = append(mandates, c.Mandate)
		}
	}
	read := func(query string, args ...any) error {
		return tx.Each(query, args, func(scan func(...any) error) error {
			var c Context
			var role string
			err := scan(&c.ID, &c.Mandate, &role)
			held[c.Value()] = append(held[c.Value()], role)
			return err
		})
	}
	if len(orgs) > 0 {
		if err := read(`SELECT m.organization, '', g.role FROM membership m JOIN role_grant g ON g.membership = m.id WHERE m.account = $1 AND g.application = $3 AND `+memberNow+` AND `+grantNow+
			` AND m.organization IN (`+db.In(4, len(orgs))+`)`, append([]any{accountID, tx.Now(), application}, orgs...)...); err != nil {
			return nil, err
		}
	}
	if len(mandates) > 0 {
		if err := read(`SELECT d.principal, d.id, x.role FROM mandate d JOIN mandate_role x ON x.mandate = d.id WHERE x.application = $1 AND d.id IN (`+db.In(2, len(mandates))+`)`,
			append([]any{application}, mandates...)...); err != nil {
			return nil, err
		}
	}
	return held, nil
}

// Applications are the ids of those that a person's mandates open at this moment.
func Applications(tx *db.Tx, accountID string) ([]string, error) {
	return db.Values[string](tx, `SELECT DISTINCT x.application FROM mandate_role x WHERE x.mandate IN (SELECT c.mandate FROM `+contexts(ByMandate)+`) ORDER BY x.application`, accountID, tx.Now())
}

// Acts names the organization that acts by a mandate, or none: a person does.
func Acts(tx *db.Tx, mandateID string) (representative string, err error) {
	return db.Value[string](tx, `SELECT representative FROM mandate WHERE id = $1`, mandateID)
}
