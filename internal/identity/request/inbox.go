package request

import (
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
)

// A Section of the inbox.
type Section string

// The sections, in the order admins read them.
const (
	Mine      Section = "mine"   // "Meine Anfragen": claimed by the reader (R132)
	OpenJoins Section = "open"   // "Offene Anfragen" (R129)
	OpenRoles Section = "roles"  // "Rollenanfragen" (R134)
	Others    Section = "others" // other admins are at it
)

// Sections in order.
var Sections = []Section{Mine, OpenJoins, OpenRoles, Others}

// An Entry is a line of an inbox (R133): the request and the names around it.
type Entry struct {
	Request
	Username, Name string // of the applicant
	Company        string
	ClaimedByName  string
}

const entries = `SELECT ` + requestColumns + `, a.username, TRIM(a.given_name || ' ' || a.family_name), o.name, COALESCE(TRIM(c.given_name || ' ' || c.family_name), '')
	FROM request r JOIN account a ON a.id = r.applicant JOIN organization o ON o.id = r.organization LEFT JOIN account c ON c.id = r.claimed_by `

func (e *Entry) fields() []any {
	return append(e.Request.fields(), &e.Username, &e.Name, &e.Company, &e.ClaimedByName)
}

// where narrows to a section. The literal state list is what lets both
// engines use the partial index request_queue.
var where = map[Section]string{
	Mine:      `r.state IN ('open', 'claimed') AND r.state = 'claimed' AND r.claimed_by = $1`,
	OpenJoins: `r.state IN ('open', 'claimed') AND r.state = 'open' AND r.kind = 'join'`,
	OpenRoles: `r.state IN ('open', 'claimed') AND r.state = 'open' AND r.kind = 'role'`,
	Others:    `r.state IN ('open', 'claimed') AND r.state = 'claimed' AND r.claimed_by <> $1`,
}

// administered is the permission check of the inbox, and its arguments: $1 is
// the actor, $2 the organization if it is one. Of one organization the index
// yields requests in order; of several they are sorted first.
func administered(by audit.Actor, organizationID string) (condition string, args []any) {
	if organizationID == "" {
		return ` AND r.organization IN (SELECT m.organization FROM membership m WHERE m.account = $1 AND m.admin AND m.ended_at IS NULL)`, []any{by.Account}
	}
	return ` AND r.organization = $2 AND EXISTS (SELECT 1 FROM membership m WHERE m.account = $1 AND m.organization = $2 AND m.admin AND m.ended_at IS NULL)`,
		[]any{by.Account, organizationID}
}

// Inbox lists undecided requests to organizations that the actor administers,
// oldest first: of one organization or, with an empty id, of all. after is the
// id of the last entry of the page before. One statement: names are looked up
// for the entries of the page only.
func Inbox(tx *db.Tx, by audit.Actor, organizationID string, s Section, after string, limit int) ([]Entry, error) {
	condition, args := administered(by, organizationID)
	page := `SELECT r.id FROM request r WHERE ` + where[s] + condition
	if after != "" {
		args = append(args, after)
		page += fmt.Sprintf(` AND (r.submitted_at, r.id) > (SELECT p.submitted_at, p.id FROM request p WHERE p.id = $%d)`, len(args))
	}
	args = append(args, limit)
	page += fmt.Sprintf(` ORDER BY r.submitted_at, r.id LIMIT $%d`, len(args))
	return db.All(tx, (*Entry).fields, entries+`WHERE r.id IN (`+page+`) ORDER BY r.submitted_at, r.id`, args...)
}

// Counts of the sections, and since when the oldest open request waits.
type Counts struct {
	Mine, OpenJoins, OpenRoles, Others int
	Oldest                             db.Time
}

// Of is the count of a section.
func (c Counts) Of(s Section) int {
	return map[Section]int{Mine: c.Mine, OpenJoins: c.OpenJoins, OpenRoles: c.OpenRoles, Others: c.Others}[s]
}

// Waiting is how many nobody has taken on.
func (c Counts) Waiting() int { return c.OpenJoins + c.OpenRoles }

// CountInbox counts what Inbox lists, in one statement from the index.
func CountInbox(tx *db.Tx, by audit.Actor, organizationID string) (c Counts, err error) {
	condition, args := administered(by, organizationID)
	err = tx.Each(`SELECT r.kind, '', count(*), min(r.submitted_at) FROM request r WHERE r.state IN ('open', 'claimed') AND r.state = 'open'`+condition+` GROUP BY r.kind
		UNION ALL SELECT '', r.claimed_by, count(*), min(r.submitted_at) FROM request r WHERE r.state IN ('open', 'claimed') AND r.state = 'claimed'`+condition+` GROUP BY r.claimed_by`,
		args, func(scan func(...any) error) error {
			var kind, who string
			var n int
			var oldest db.Time
			if err := scan(&kind, &who, &n, &oldest); err != nil {
				return err
			}
			switch {
			case kind == Join:
				c.OpenJoins = n
			case kind == ForRoles:
				c.OpenRoles = n
			case who == by.Account:
				c.Mine = n
			default:
				c.Others += n
			}
			if kind != "" && (c.Oldest.IsZero() || oldest.Before(c.Oldest)) {
				c.Oldest = oldest
			}
			return nil
		})
	return c, err
}

// Asked lists the actor's own requests, newest first; before is the id of the
// last one of the page before.
func Asked(tx *db.Tx, by audit.Actor, before string, limit int) ([]Entry, error) {
	query, args := entries+`WHERE r.applicant = $1`, []any{by.Account, limit}
	if before != "" {
		query += ` AND r.id < $3`
		args = append(args, before)
	}
	return db.All(tx, (*Entry).fields, query+` ORDER BY r.id DESC LIMIT $2`, args...)
}

// Pending lists the actor's own undecided requests, oldest first.
func Pending(tx *db.Tx, by audit.Actor, limit int) ([]Entry, error) {
	return db.All(tx, (*Entry).fields, entries+`WHERE r.applicant = $1 AND r.state IN ('open', 'claimed') ORDER BY r.id LIMIT $2`, by.Account, limit)
}
