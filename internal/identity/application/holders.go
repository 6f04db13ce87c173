package application

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
)

// A Holding is how many people of an organization hold a role now.
type Holding struct {
	Organization, Name string
	People             int
}

// Holders are the organizations in which people hold a role, by id, at most
// fifty at once. The answer costs the same however many organizations there are:
// a role that few hold is counted over its grants; for another the organizations
// are gone through in bounded steps, so a page may be short and still not the
// last. next goes on from there; empty: that was all.
type Holders struct {
	Organizations []Holding
	People        int // in all; -1: more than [ManyHolders]
	Next          string
}

const (
	// ManyHolders is up to how many people are counted one by one.
	ManyHolders = 2000
	holdersPage = 50
	holdersStep = 2000 // organizations looked at for one page
)

const holdsNow = ` AND (g.starts_at IS NULL OR g.starts_at <= $3) AND (g.ends_at IS NULL OR g.ends_at > $3)`

// HoldersOf answers "wer hat diese Rolle". Operators and the console may ask.
func HoldersOf(tx *db.Tx, by audit.Actor, applicationID, role, after string) (h Holders, err error) {
	if err := mustOperate(tx, by); err != nil {
		return h, err
	}
	grants, err := db.Value[int](tx, `SELECT count(*) FROM (SELECT 1 FROM role_grant WHERE application = $1 AND role = $2 LIMIT $3) AS grants`, applicationID, role, ManyHolders+1)
	if err != nil {
		return h, err
	}
	if grants > ManyHolders {
		h.People = -1
		return h, h.walk(tx, applicationID, role, after)
	}
	const held = ` FROM role_grant g JOIN membership m ON m.id = g.membership WHERE g.application = $1 AND g.role = $2 AND m.ended_at IS NULL` + holdsNow
	if h.People, err = db.Value[int](tx, `SELECT count(DISTINCT m.id)`+held, applicationID, role, tx.Now()); err != nil {
		return h, err
	}
	h.Organizations, err = db.All(tx, (*Holding).fields, `SELECT o.id, o.name, n.people FROM organization o JOIN
		(SELECT m.organization, count(DISTINCT m.id) AS people`+held+` AND m.organization > $4 GROUP BY m.organization ORDER BY m.organization LIMIT $5) AS n ON n.organization = o.id ORDER BY o.id`,
		applicationID, role, tx.Now(), after, holdersPage+1)
	if len(h.Organizations) > holdersPage {
		h.Organizations = h.Organizations[:holdersPage]
		h.Next = h.Organizations[holdersPage-1].Organization
	}
	return h, err
}

func (h *Holding) fields() []any { return []any{&h.Organization, &h.Name, &h.People} }

// walk goes through the organizations themselves.
func (h *Holders) walk(tx *db.Tx, applicationID, role, after string) error {
	seen := 0
	var last string
	err := tx.Each(`SELECT o.id, o.name, (SELECT count(DISTINCT m.id) FROM membership m JOIN role_grant g ON g.membership = m.id
			WHERE m.organization = o.id AND m.ended_at IS NULL AND g.application = $1 AND g.role = $2`+holdsNow+`)
		FROM (SELECT id, name FROM organization WHERE id > $4 ORDER BY id LIMIT $5) AS o ORDER BY o.id`,
		[]any{applicationID, role, tx.Now(), after, holdersStep}, func(scan func(...any) error) error {
			var one Holding
			if err := scan(one.fields()...); err != nil {
				return err
			}
			if seen++; len(h.Organizations) < holdersPage {
				last = one.Organization
				if one.People > 0 {
					h.Organizations = append(h.Organizations, one)
				}
			} else if h.Next == "" {
				h.Next = last
			}
			return nil
		})
	if h.Next == "" && seen == holdersStep {
		h.Next = last
	}
	return err
}
