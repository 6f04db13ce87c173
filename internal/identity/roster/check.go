package roster

import (
	"fmt"
	"slices"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/table"
	"zunft/internal/identity/application"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/site"
)

func isMeaning(m string) bool { return slices.Contains(table.Meanings(), m) }

// columnField is the form field of a column.
func columnField(i int) string { return fmt.Sprintf("column-%d", i) }

// catalogOf loads what words can mean: three statements, however long the list.
func (l Roster) catalogOf(tx *db.Tx) (catalog, error) {
	offers, err := application.AllOffers(tx)
	if err != nil {
		return catalog{}, err
	}
	places, err := site.Released(tx, l.Organization)
	return newCatalog(offers, places), err
}

// fieldOf is the meaning of the column behind a field of an invitation.
func (l Roster) fieldOf(r Row, field string) string {
	switch field {
	case "roles":
		return table.RoleName
	case table.ApprenticeNumber, table.TrainerNumber:
		if l.Cell(r, field) == "" {
			return table.Number
		}
	case table.GivenName, table.FamilyName:
		if l.Cell(r, field) == "" && l.Cell(r, table.FullName) != "" {
			return table.FullName
		}
	}
	return field
}

// check says of each row whether it can be sent, and why not. The rows are all
// that may be sent: a person who stands there twice is found.
func (l Roster) check(tx *db.Tx, rows []Row) error {
	c, err := l.catalogOf(tx)
	if err != nil {
		return err
	}
	wishes := make([]invitation.Wish, len(rows))
	for i := range rows {
		wishes[i] = l.wish(c, &rows[i])
	}
	found, err := invitation.CheckMany(tx, l.Organization, wishes)
	if err != nil {
		return err
	}
	seen := map[string]int{}
	for i := range rows {
		r := &rows[i]
		if f := fault.Of(found[i]); f != nil {
			for _, p := range f.Problems {
				field := l.fieldOf(*r, p.Field)
				if !slices.ContainsFunc(r.Problems, func(q Problem) bool { return q.Field == field && !q.Warning }) { // one reason is enough, and ours comes first
					r.complain(field, p.Key, p.Args...)
				}
			}
		}
		if key := personKey(wishes[i]); key != "" && r.State != LeftOut {
			if line := seen[key]; line != 0 {
				r.complain(table.Email, "roster.row_twice", line)
			} else {
				seen[key] = r.Number
			}
		}
		switch {
		case r.State == LeftOut || r.State == Sent:
		case r.Bad():
			r.State = Bad
		default:
			r.State = OK
		}
	}
	return nil
}

// personKey tells the people of one list apart, as invitations do: by address,
// or on paper by number, or by name.
func personKey(w invitation.Wish) string {
	switch {
	case w.Email != "":
		return "@" + fold.Login(w.Email)
	case w.ApprenticeNumber+w.TrainerNumber != "":
		return "#" + fold.Login(w.ApprenticeNumber+"/"+w.TrainerNumber)
	case w.GivenName+w.FamilyName != "":
		return fold.Login(w.GivenName + "/" + w.FamilyName)
	}
	return ""
}

// checkDefaults says what is wrong with what holds for all.
func (l Roster) checkDefaults(tx *db.Tx, d Defaults) error {
	err := invitation.Check(tx, l.Organization, invitation.Wish{GivenName: "A", Language: d.Language, Site: d.Site, Message: d.Message, Roles: d.Roles, Days: d.Days})
	if d.Days == 0 && err == nil {
		err = fault.Invalid("days", "invitation.days", invitation.DaysMax)
	}
	return err
}

// recheck keeps the list and checks all rows that were not sent.
func (l Roster) recheck(tx *db.Tx) error {
	if err := save(tx, l); err != nil {
		return err
	}
	before, err := rows(tx, l.ID, `state <> 'done'`)
	if err != nil {
		return err
	}
	after := slices.Clone(before)
	if err := l.check(tx, after); err != nil {
		return err
	}
	var changed []Row
	for i := range after {
		if after[i].State != before[i].State || problemText(after[i].Problems) != problemText(before[i].Problems) {
			changed = append(changed, after[i])
		}
	}
	return updateRows(tx, l.ID, changed, false)
}

// Wishes are some rows read as invitations, for a page.
func Wishes(tx *db.Tx, l Roster, some []Row) ([]invitation.Wish, error) {
	c, err := l.catalogOf(tx)
	if err != nil {
		return nil, err
	}
	wishes := make([]invitation.Wish, len(some))
	for i, r := range some { // a copy: what was found wrong stays as it was found
		wishes[i] = l.wish(c, &r)
	}
	return wishes, nil
}

// RoleNames are what a list may write for the roles there are, in a language,
// each so that it means one role.
func RoleNames(tx *db.Tx, lang string) (names []string, err error) {
	offers, err := application.AllOffers(tx)
	if err != nil {
		return nil, err
	}
	c := newCatalog(offers, nil)
	for _, o := range offers {
		for _, r := range o.Roles {
			name := r.Name(lang)
			if len(c.roles[table.FoldHeading(name)]) > 1 {
				name = o.Application.Name + ": " + name
			}
			names = append(names, name)
		}
	}
	return names, nil
}

// Summary says what a list would send.
type Summary struct {
	Mails, Slips int
	Roles        []RoleCount
	Without      int // people without a role
}

// A RoleCount says how many get a role.
type RoleCount struct {
	Application application.Application
	Role        application.Role
	Count       int
}

// Sum counts what would be sent now.
func Sum(tx *db.Tx, l Roster) (s Summary, err error) {
	c, err := l.catalogOf(tx)
	if err != nil {
		return s, err
	}
	ready, err := rows(tx, l.ID, `state = 'ok'`)
	if err != nil {
		return s, err
	}
	counts := map[string]int{}
	for i := range ready {
		w := l.wish(c, &ready[i])
		if w.Email == "" {
			s.Slips++
		} else {
			s.Mails++
		}
		if len(w.Roles) == 0 {
			s.Without++
		}
		for _, r := range w.Roles {
			counts[r.Application+"\x00"+r.Key]++
		}
	}
	for _, o := range c.offers {
		for _, r := range o.Roles {
			if n := counts[r.Application+"\x00"+r.Key]; n > 0 {
				s.Roles = append(s.Roles, RoleCount{o.Application, r, n})
			}
		}
	}
	return s, nil
}

// Reasons are the phrases of what stands in the way of a row, for the file
// that comes back.
func (r Row) Reasons(text func(key string, args ...any) string) string {
	var all []string
	for _, p := range r.Problems {
		if !p.Warning {
			all = append(all, text(p.Key, p.Args...))
		}
	}
	return strings.Join(all, " ")
}
