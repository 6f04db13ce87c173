package membership

import (
	"fmt"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/chamber"
)

// What an admin reads on their first page (ux.md 2.4). Each is bounded: the
// page costs the same for companies of any size.

// A DueReview is a company whose half-yearly review waits for its admins.
type DueReview struct {
	Organization string
	Last         db.Time // when it was done before, or the organization began
	chamber      string
}

// DueReviews are those of the actor's companies that were told that their
// review is due ([TellReviews]), the longest due first.
func DueReviews(tx *db.Tx, by audit.Actor, limit int) (due []DueReview, err error) {
	told, err := db.All(tx, func(d *DueReview) []any { return []any{&d.Organization, &d.Last, &d.chamber} },
		`SELECT o.id, COALESCE(o.reviewed_at, o.activated_at), o.chamber FROM membership m JOIN organization o ON o.id = m.organization
			WHERE m.account = $1 AND m.admin AND m.ended_at IS NULL AND o.state = 'active' AND o.review_told_at IS NOT NULL ORDER BY o.review_told_at, o.id LIMIT $2`, by.Account, limit)
	if err != nil {
		return nil, err
	}
	asks := map[string]bool{} // a chamber may have stopped asking since
	for _, d := range told {
		if _, known := asks[d.chamber]; !known {
			s, err := chamber.SettingsOf(tx, d.chamber)
			if err != nil {
				return nil, err
			}
			asks[d.chamber] = s.ReviewMonths > 0
		}
		if asks[d.chamber] {
			due = append(due, d)
		}
	}
	return due, nil
}

// newest is among how many members [Roleless] looks for those without a role:
// who has none has mostly just come.
const newest = 200

// Roleless counts, in each of some organizations that the actor administers,
// who of the newest members has no role; admins need none.
func Roleless(tx *db.Tx, by audit.Actor, organizations []string) (map[string]int, error) {
	counts := map[string]int{}
	if len(organizations) == 0 {
		return counts, nil
	}
	args := []any{tx.Now(), by.Account, newest}
	var parts []string
	for _, id := range organizations {
		args = append(args, id)
		parts = append(parts, fmt.Sprintf(`SELECT x.organization, (SELECT count(*) FROM (SELECT m.id FROM membership m WHERE m.organization = $%[1]d AND m.ended_at IS NULL
			AND (m.until IS NULL OR m.until > $1) AND NOT m.admin ORDER BY m.since DESC, m.id DESC LIMIT $3) AS n WHERE NOT EXISTS (SELECT 1 FROM role_grant g WHERE g.membership = n.id AND `+holds+`))
			FROM membership x WHERE x.organization = $%[1]d AND x.account = $2 AND x.admin AND x.ended_at IS NULL`, len(args)))
	}
	return counts, tx.Each(strings.Join(parts, ` UNION ALL `), args, func(scan func(...any) error) error {
		var id string
		var n int
		err := scan(&id, &n)
		counts[id] = n
		return err
	})
}
