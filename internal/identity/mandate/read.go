package mandate

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
)

// A Party is an organization of a mandate, as the reader may know it.
type Party struct {
	ID, Name, Address      string
	IdentNumber, ChamberNo string
	Hidden                 bool // has not agreed yet: the reader sees the number they typed
}

// An Item is a mandate with the names that its reader may see.
type Item struct {
	Mandate
	For                             Party  // the principal
	By                              Party  // the representing organization, or none
	Person                          string // the representing person: name, or address until they agree
	SidePrincipal, SideRepresenting bool   // the reader speaks for
	Clerk                           string // name
}

// Mine reports whether the reader has to answer a proposal.
func (i Item) Mine() bool {
	return i.State == Proposed && (i.ProposedSide == ForPrincipal && i.SideRepresenting || i.ProposedSide == ForRepresentative && i.SidePrincipal)
}

// Get is a mandate for those who speak for one of its sides, or act by it.
func Get(tx *db.Tx, by audit.Actor, id string) (Item, error) {
	m, err := load(tx, id)
	if err != nil {
		return Item{}, err
	}
	i := Item{Mandate: m}
	if i.SidePrincipal, i.SideRepresenting, err = m.sides(tx, by); err != nil {
		return i, err
	}
	if !i.SidePrincipal && !i.SideRepresenting {
		named, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM mandate_person WHERE mandate = $1 AND account = $2)`, id, by.Account)
		if err != nil || !named {
			if err == nil {
				err = fault.NotFound()
			}
			return i, err
		}
	}
	all := []Item{i}
	return all[0], fill(tx, all)
}

// ForClerk is a mandate for a clerk of the principal's chamber, once both
// sides have agreed to it.
func ForClerk(tx *db.Tx, by audit.Actor, id string) (Item, error) {
	m, err := load(tx, id)
	if err != nil {
		return Item{}, err
	}
	clerk, err := chamber.IsClerk(tx, by.Account, m.Chamber)
	if err != nil {
		return Item{}, err
	}
	if !clerk || m.AcceptedAt.IsZero() {
		return Item{}, fault.NotFound()
	}
	all := []Item{{Mandate: m}}
	err = fill(tx, all)
	return all[0], err
}

// ByToken is the proposal behind the link of a mail. NotFound: answered,
// taken back, over, or never made.
func ByToken(tx *db.Tx, token string) (Item, error) {
	m, err := one(tx, `token_hash = $1 AND token_hash <> '' AND state = 'proposed' AND ends_at > $2`, seal.Hash(token), tx.Now())
	if err != nil {
		return Item{}, err
	}
	all := []Item{{Mandate: m}}
	err = fill(tx, all)
	return all[0], err
}

// Addressed reports whether the person who acts owns the address it was proposed to.
func Addressed(tx *db.Tx, by audit.Actor, m Mandate) (bool, error) {
	return m.addressed(tx, by.Account)
}

// fill reads all names of a page in a few statements.
func fill(tx *db.Tx, all []Item) error {
	var orgs, people []string
	for _, i := range all {
		orgs = append(orgs, i.Principal)
		if i.Representative != "" {
			orgs = append(orgs, i.Representative)
		}
		people = append(people, i.Account, i.Mandate.Clerk)
	}
	companies, err := organization.GetMany(tx, orgs)
	if err != nil {
		return err
	}
	names, err := account.GetMany(tx, people)
	if err != nil {
		return err
	}
	chambers, err := chamber.All(tx)
	if err != nil {
		return err
	}
	numbers := map[string]string{}
	for _, c := range chambers {
		numbers[c.ID] = c.Number
	}
	for n := range all {
		i := &all[n]
		agreed := !i.AcceptedAt.IsZero()
		party := func(id string, hidden bool) Party {
			o := companies[id]
			p := Party{ID: id, Name: o.Name, Address: o.Address(), IdentNumber: o.IdentNumber, ChamberNo: numbers[o.Chamber], Hidden: hidden}
			if hidden {
				p.Name, p.Address = "", ""
			}
			return p
		}
		i.For = party(i.Principal, !agreed && i.ProposedSide == ForRepresentative && !i.SidePrincipal)
		if i.Representative != "" {
			i.By = party(i.Representative, !agreed && i.ProposedSide == ForPrincipal && !i.SideRepresenting)
		} else if i.Person = i.Email; i.Account != "" {
			i.Person = names[i.Account].Name()
		}
		i.Clerk = names[i.Mandate.Clerk].Name()
	}
	return nil
}

const running = `state IN ('proposed', 'accepted', 'active')`

func which(past bool) string {
	if past {
		return `NOT ` + running
	}
	return running
}

// before is the first id of a page: after every UUID, or the last one of the page before.
func before(after string) string {
	if after == "" {
		return "~"
	}
	return after
}

// OfOrganization lists the mandates that an organization gave and has, newest
// first: those that run, or those of the past. after is the id of the last one
// of the page before.
func OfOrganization(tx *db.Tx, by audit.Actor, organizationID string, past bool, after string, limit int) ([]Item, error) {
	if err := membership.MustAdminister(tx, by, organizationID); err != nil {
		return nil, err
	}
	part := func(side string) string {
		return `SELECT id FROM (SELECT id FROM mandate WHERE ` + side + ` = $1 AND id < $2 AND ` + which(past) + ` ORDER BY id DESC LIMIT $3) AS ` + side
	}
	all, err := db.All(tx, (*Mandate).fields, `SELECT `+columns+` FROM mandate WHERE id IN (`+part("principal")+` UNION `+part("representative")+`) ORDER BY id DESC LIMIT $3`,
		organizationID, before(after), limit)
	if err != nil {
		return nil, err
	}
	return list(tx, all, func(i *Item) {
		i.SidePrincipal, i.SideRepresenting = i.Principal == organizationID, i.Representative == organizationID
	})
}

// Of lists the mandates of the person who acts: given to them, proposed to one
// of their addresses, or naming them for their organization.
func Of(tx *db.Tx, by audit.Actor, past bool, after string, limit int) ([]Item, error) {
	part := func(name, query string) string {
		return `SELECT id FROM (` + query + ` AND mandate.id < $2 AND ` + which(past) + ` ORDER BY mandate.id DESC LIMIT $3) AS ` + name
	}
	query := `SELECT ` + columns + ` FROM mandate WHERE id IN (` +
		part("own", `SELECT id FROM mandate WHERE account = $1 AND representative = ''`) + ` UNION ` +
		part("named", `SELECT mandate.id FROM mandate_person JOIN mandate ON mandate.id = mandate_person.mandate WHERE mandate_person.account = $1`) + ` UNION ` +
		part("asked", `SELECT id FROM mandate WHERE state = 'proposed' AND email_key <> '' AND account = '' AND email_key IN (SELECT email_key FROM account WHERE id = $1
			UNION SELECT email_key FROM account_email WHERE account = $1 AND confirmed_at IS NOT NULL)`) +
		`) ORDER BY id DESC LIMIT $3`
	all, err := db.All(tx, (*Mandate).fields, query, by.Account, before(after), limit)
	if err != nil {
		return nil, err
	}
	return list(tx, all, func(i *Item) { i.SideRepresenting = i.Representative == "" })
}

func list(tx *db.Tx, all []Mandate, side func(*Item)) ([]Item, error) {
	if err := withRoles(tx, all); err != nil {
		return nil, err
	}
	items := make([]Item, len(all))
	for n, m := range all {
		items[n].Mandate = m
		side(&items[n])
	}
	return items, fill(tx, items)
}

// Queue lists what a chamber's clerks have to approve, longest waiting first
// (after is the id of the last one of the page before), or what they decided,
// newest first.
func Queue(tx *db.Tx, by audit.Actor, chamberID string, decided bool, after string, limit int) ([]Item, error) {
	if err := chamber.MustClerk(tx, by, chamberID); err != nil {
		return nil, err
	}
	query, args := `SELECT `+columns+` FROM mandate WHERE chamber = $1 AND `, []any{chamberID}
	switch {
	case decided:
		query += `clerk <> '' AND id < $2 ORDER BY id DESC LIMIT $3`
		args = append(args, before(after), limit)
	case after != "":
		query += `state = 'accepted' AND (accepted_at, id) > (SELECT accepted_at, id FROM mandate WHERE id = $2) ORDER BY accepted_at, id LIMIT $3`
		args = append(args, after, limit)
	default:
		query += `state = 'accepted' ORDER BY accepted_at, id LIMIT $2`
		args = append(args, limit)
	}
	all, err := db.All(tx, (*Mandate).fields, query, args...)
	if err != nil {
		return nil, err
	}
	return list(tx, all, func(*Item) {})
}

// A Named person acts by a mandate for the representing organization.
type Named struct{ Account, Name string }

// Persons are those whom the representing organization lets act and who still
// belong to it, by name.
func Persons(tx *db.Tx, mandateID string) ([]Named, error) {
	return db.All(tx, func(n *Named) []any { return []any{&n.Account, &n.Name} }, `SELECT a.id, TRIM(a.given_name || ' ' || a.family_name) FROM mandate_person n JOIN mandate d ON d.id = n.mandate
		JOIN membership m ON m.organization = d.representative AND m.account = n.account AND m.ended_at IS NULL JOIN account a ON a.id = n.account
		WHERE n.mandate = $1 ORDER BY a.name_key, a.id LIMIT 200`, mandateID)
}
