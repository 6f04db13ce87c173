package membership

import (
	"errors"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/fold"
)

// A Listed member is a line of the member list.
type Listed struct {
	Member
	Username, Name string
}

// List shows an organization's members to its admins, by family name. search
// narrows to names that contain all of its words; after is the membership id
// of the last one of the page before.
func List(tx *db.Tx, by audit.Actor, organizationID, search, after string, limit int) ([]Listed, error) {
	if err := MustAdminister(tx, by, organizationID); err != nil {
		return nil, err
	}
	query, args := `SELECT m.id, m.organization, m.account, m.admin, m.since, a.username, a.given_name, a.family_name
		FROM membership m JOIN account a ON a.id = m.account WHERE m.organization = $1 AND m.ended_at IS NULL`, []any{organizationID}
	if after != "" {
		query += ` AND (a.name_key, m.id) > (SELECT b.name_key, p.id FROM membership p JOIN account b ON b.id = p.account WHERE p.id = $2)`
		args = append(args, after)
	}
	query += ` ORDER BY a.name_key, m.id`
	words := strings.Fields(fold.Text(search))
	if len(words) == 0 {
		args = append(args, limit)
		query += map[bool]string{true: ` LIMIT $3`, false: ` LIMIT $2`}[after != ""]
	}
	var page []Listed
	err := tx.Each(query, args, func(scan func(...any) error) error {
		var l Listed
		var given, family string
		if err := scan(&l.ID, &l.Organization, &l.Account, &l.Admin, &l.Since, &l.Username, &given, &family); err != nil {
			return err
		}
		l.Name = strings.TrimSpace(given + " " + family)
		if !contains(fold.Text(l.Name+" "+l.Username), words) {
			return nil
		}
		page = append(page, l)
		if len(page) == limit {
			return errFull
		}
		return nil
	})
	if err != nil && !errors.Is(err, errFull) {
		return nil, err
	}
	return page, withRoles(tx, page)
}

// errFull ends reading: the page is complete.
var errFull = errors.New("page is full")

func contains(folded string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(folded, w) {
			return false
		}
	}
	return true
}

// withRoles fills in the roles of a page of members in one statement.
func withRoles(tx *db.Tx, page []Listed) error {
	if len(page) == 0 {
		return nil
	}
	at, args := map[string]int{}, make([]any, len(page))
	for i, l := range page {
		at[l.ID], args[i] = i, l.ID
	}
	return tx.Each(`SELECT membership, application, role FROM role_grant WHERE membership IN (`+db.In(1, len(page))+`) ORDER BY application, role`, args,
		func(scan func(...any) error) error {
			var id string
			var r Role
			err := scan(&id, &r.Application, &r.Key)
			if i, ok := at[id]; ok {
				page[i].Roles = append(page[i].Roles, r)
			}
			return err
		})
}

// LoadMember is one membership for an admin of its organization, with the
// person's name.
func LoadMember(tx *db.Tx, by audit.Actor, membershipID string) (Listed, error) {
	m, err := gate(tx, by, membershipID)
	if err != nil {
		return Listed{}, err
	}
	l := Listed{Member: m}
	err = tx.Scan(`SELECT username, TRIM(given_name || ' ' || family_name) FROM account WHERE id = $1`, []any{m.Account}, &l.Username, &l.Name)
	return l, err
}
