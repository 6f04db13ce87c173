package membership

import (
	"fmt"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/fold"
)

// A Filter narrows the member list; empty, it shows everybody by family name.
type Filter struct {
	Search  string // all of its words in name or user name
	Role    Role   // who holds this now
	Without bool   // who holds no role; admins need none
	Admins  bool
	Site    string // who works there, or holds a role there
	Ending  bool   // membership or a role ends within [Soon]
	Idle    bool   // nobody signed in with the account for [Idle]
	Newest  bool   // the last to come first, instead of by name
}

// What "soon" is, and since when somebody has not been here to be asked about.
const (
	Soon = 30 * 24 * time.Hour
	Idle = 90 * 24 * time.Hour
)

// mostWords of a search count: nobody's name has more, and each costs a comparison.
const mostWords = 8

// A Listed member is a line of the member list.
type Listed struct {
	Member
	Username, Name string
	Holdings       []Holding // what begins later, too
}

// List shows an organization's members to its admins. after is the membership
// id of the last one of the page before. The page is read from an index in its
// order, so that it costs the same in a company of any size; only a filter that
// meets few makes it go on looking.
func List(tx *db.Tx, by audit.Actor, organizationID string, f Filter, after string, limit int) ([]Listed, error) {
	if err := MustAdminister(tx, by, organizationID); err != nil {
		return nil, err
	}
	args := []any{tx.Now(), organizationID}
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	query := listed + ` WHERE m.organization = $2 AND m.ended_at IS NULL AND (m.until IS NULL OR m.until > $1)`
	words := strings.Fields(fold.Text(f.Search))
	for _, word := range words[:min(len(words), mostWords)] {
		query += ` AND m.words LIKE ` + arg("%"+escaped.Replace(word)+"%") + ` ESCAPE '!'`
	}
	if f.Role.Key != "" {
		query += ` AND EXISTS (SELECT 1 FROM role_grant g WHERE g.membership = m.id AND g.application = ` + arg(f.Role.Application) + ` AND g.role = ` + arg(f.Role.Key) + ` AND ` + holds + `)`
	}
	if f.Without {
		query += ` AND NOT m.admin AND NOT EXISTS (SELECT 1 FROM role_grant g WHERE g.membership = m.id AND ` + holds + `)`
	}
	if f.Admins {
		query += ` AND m.admin`
	}
	if f.Site != "" {
		site := arg(f.Site)
		query += ` AND (m.site = ` + site + ` OR EXISTS (SELECT 1 FROM role_grant g WHERE g.membership = m.id AND g.site = ` + site + `))`
	}
	if f.Ending {
		soon := arg(tx.Now().Add(Soon))
		query += ` AND (m.until <= ` + soon + ` OR EXISTS (SELECT 1 FROM role_grant g WHERE g.membership = m.id AND g.ends_at <= ` + soon + `))`
	}
	if f.Idle {
		query += ` AND COALESCE(a.used_at, a.created_at) <= ` + arg(tx.Now().Add(-Idle))
	}
	key, order, beyond := `m.name_key, m.id`, ` ORDER BY m.name_key, m.id`, `>`
	if f.Newest {
		key, order, beyond = `m.since, m.id`, ` ORDER BY m.since DESC, m.id DESC`, `<`
	}
	if after != "" {
		query += ` AND (` + key + `) ` + beyond + ` (SELECT ` + key + ` FROM membership m WHERE m.id = ` + arg(after) + ` AND m.organization = $2)`
	}
	page, err := db.All(tx, (*Listed).fields, query+order+` LIMIT `+arg(limit), args...)
	if err != nil {
		return nil, err
	}
	return page, withRoles(tx, page)
}

var escaped = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

const listed = `SELECT m.id, m.organization, m.account, m.admin, m.since, m.until, m.site, m.apprentice_number, m.trainer_number,
	a.username, TRIM(a.given_name || ' ' || a.family_name) FROM membership m JOIN account a ON a.id = m.account`

func (l *Listed) fields() []any {
	return []any{&l.ID, &l.Organization, &l.Account, &l.Admin, &l.Since, &l.Until, &l.Site, &l.ApprenticeNumber, &l.TrainerNumber, &l.Username, &l.Name}
}

// withRoles fills in what a page of members holds, in one statement.
func withRoles(tx *db.Tx, page []Listed) error {
	if len(page) == 0 {
		return nil
	}
	at, args := map[string]int{}, []any{tx.Now()}
	for i, l := range page {
		at[l.ID], args = i, append(args, l.ID)
	}
	return tx.Each(`SELECT g.membership, `+holdingColumns+` FROM role_grant g WHERE (g.ends_at IS NULL OR g.ends_at > $1) AND g.membership IN (`+db.In(2, len(page))+`)
		ORDER BY g.application, g.role, g.site`, args, func(scan func(...any) error) error {
		var id string
		var h Holding
		err := scan(append([]any{&id}, h.fields()...)...)
		if i, ok := at[id]; ok {
			l := &page[i]
			l.Holdings = append(l.Holdings, h)
			if h.Holds(tx.Now()) && !l.Has(h.Application, h.Key) {
				l.Roles = append(l.Roles, h.Role)
			}
		}
		return err
	})
}

// LoadMember is one membership for an admin of its organization, with the
// person's name.
func LoadMember(tx *db.Tx, by audit.Actor, membershipID string) (Listed, error) {
	if _, err := gate(tx, by, membershipID); err != nil {
		return Listed{}, err
	}
	l, err := db.One(tx, (*Listed).fields, listed+` WHERE m.id = $1 AND m.ended_at IS NULL`, membershipID)
	if err != nil {
		return l, err
	}
	page := []Listed{l}
	err = withRoles(tx, page)
	return page[0], err
}
