package membership

import (
	"context"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/plain"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
)

// What has an end date is called to mind before, and ends by itself: for
// everybody who asks at its very moment (see [Holding.Holds]), in the record
// when the job comes by.

// Work is what happens without anybody asking.
func Work(r *job.Runner, d *db.DB) {
	r.Every(15*time.Minute, "membership.ends", func(ctx context.Context) error { return d.Batches(ctx, Ends) })
	r.Every(time.Hour, "membership.reminders", func(ctx context.Context) error { return d.Batches(ctx, RemindEnds) })
	r.Every(6*time.Hour, "membership.reviews", func(ctx context.Context) error { return d.Write(ctx, TellReviews) })
}

// notified is how long before its end something is called to mind.
const notified = 14 * 24 * time.Hour

// Ends carries out what has come to its end, some at a time.
func Ends(tx *db.Tx, most int) (int64, error) {
	type grant struct {
		membership string
		Holding
	}
	over, err := db.All(tx, func(g *grant) []any { return append([]any{&g.membership}, g.fields()...) },
		`SELECT g.membership, `+holdingColumns+` FROM role_grant g WHERE g.ends_at <= $1 ORDER BY g.ends_at LIMIT $2`, tx.Now(), most)
	if err != nil {
		return 0, err
	}
	done := int64(0)
	for _, g := range over {
		n, err := tx.Exec(`DELETE FROM role_grant WHERE membership = $1 AND application = $2 AND role = $3 AND site = $4 AND ends_at <= $5`,
			g.membership, g.Application, g.Key, g.Site, tx.Now())
		if err != nil {
			return done, err
		}
		if n == 0 {
			continue
		}
		done++
		m, err := byID(tx, g.membership)
		if err != nil {
			return done, err
		}
		if err := record(tx, audit.Job, "role.expired", m, Holding{Role: g.Role, Site: g.Site}.detail()); err != nil {
			return done, err
		}
		if err := less(tx, m); err != nil {
			return done, err
		}
		if err := tellMember(tx, audit.Job, m, "notice.role_ended", g.Role); err != nil {
			return done, err
		}
	}
	left, err := db.Values[string](tx, `SELECT id FROM membership WHERE until <= $1 AND until IS NOT NULL AND ended_at IS NULL ORDER BY until LIMIT $2`, tx.Now(), most)
	if err != nil {
		return done, err
	}
	for _, id := range left {
		m, err := byID(tx, id)
		if err != nil {
			return done, err
		}
		if err := lock(tx, m.Organization); err != nil {
			return done, err
		}
		if m, err = byID(tx, id); err != nil {
			return done, err
		}
		if m.Until.IsZero() || m.Until.After(tx.Now()) { // prolonged meanwhile
			continue
		}
		switch err := end(tx, audit.Job, m, "membership.expired"); {
		case fault.Is(err, fault.KindNotFound): // ended meanwhile
		case err != nil:
			return done, err
		default:
			done++
			if err := tellGone(tx, m, "ended"); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// expire ends a membership whose date has passed, before the job comes by:
// whoever comes back begins anew, without the roles of then.
func expire(tx *db.Tx, id string) error {
	m, err := byID(tx, id)
	if err != nil {
		return err
	}
	return end(tx, audit.Job, m, "membership.expired")
}

// byID is a membership, current or past its date, with all roles it was given.
func byID(tx *db.Tx, id string) (m Member, err error) {
	err = tx.Scan(`SELECT id, organization, account, admin, since, until FROM membership WHERE id = $1`, []any{id}, &m.ID, &m.Organization, &m.Account, &m.Admin, &m.Since, &m.Until)
	if err != nil {
		return m, err
	}
	m.Roles, err = db.All(tx, func(r *Role) []any { return []any{&r.Application, &r.Key} }, `SELECT DISTINCT application, role FROM role_grant WHERE membership = $1 ORDER BY application, role`, id)
	return m, err
}

// ending is something that ends soon.
type ending struct {
	membership, account, organization string
	role                              Role // empty: the membership itself
	site                              string
	at                                db.Time
}

// RemindEnds tells members and their admins of what ends soon, once.
func RemindEnds(tx *db.Tx, most int) (int64, error) {
	fields := func(e *ending) []any {
		return []any{&e.membership, &e.account, &e.organization, &e.role.Application, &e.role.Key, &e.site, &e.at}
	}
	soon := tx.Now().Add(notified)
	due, err := db.All(tx, fields, `SELECT m.id, m.account, m.organization, g.application, g.role, g.site, g.ends_at FROM role_grant g JOIN membership m ON m.id = g.membership
		WHERE g.ends_at > $1 AND g.ends_at <= $2 AND g.told_at IS NULL ORDER BY g.ends_at LIMIT $3`, tx.Now(), soon, most)
	if err != nil {
		return 0, err
	}
	more, err := db.All(tx, fields, `SELECT id, account, organization, '', '', '', until FROM membership
		WHERE until > $1 AND until <= $2 AND told_at IS NULL AND ended_at IS NULL ORDER BY until LIMIT $3`, tx.Now(), soon, most)
	if err != nil {
		return 0, err
	}
	var offers application.Offers
	if len(due) > 0 {
		if offers, err = application.AllOffers(tx); err != nil {
			return 0, err
		}
	}
	done := int64(0)
	for _, e := range append(due, more...) {
		query, args := `UPDATE membership SET told_at = $1 WHERE id = $2 AND until = $3 AND told_at IS NULL`, []any{tx.Now(), e.membership, e.at}
		if e.role.Key != "" {
			query = `UPDATE role_grant SET told_at = $1 WHERE membership = $2 AND ends_at = $3 AND told_at IS NULL AND application = $4 AND role = $5 AND site = $6`
			args = append(args, e.role.Application, e.role.Key, e.site)
		}
		n, err := tx.Exec(query, args...)
		if err != nil {
			return done, err
		}
		if n == 0 {
			continue
		}
		done++
		if err := e.tell(tx, offers); err != nil {
			return done, err
		}
	}
	return done, nil
}

// tell writes to the member, and puts it under the bells of the admins, who can prolong it.
func (e ending) tell(tx *db.Tx, offers application.Offers) error {
	company, err := organization.Get(tx, e.organization)
	if err != nil {
		return err
	}
	person, err := account.Get(tx, e.account)
	if err != nil {
		return err
	}
	yes, err := notice.Mails(tx, e.account, notice.Answers)
	if err != nil {
		return err
	}
	if yes {
		l := letter{Name: person.Name(), Organization: company.Name, Short: plain.Short(company.Name, 28), At: e.at, ID: company.ID}
		if e.role.Key != "" {
			l.Role = RoleName(offers, e.role, person.Language)
		}
		if err := texts.Send(tx, person.Person(), "ending", l); err != nil {
			return err
		}
	}
	admins, err := Admins(tx, e.organization)
	if err != nil {
		return err
	}
	for _, id := range admins {
		if id == e.account {
			continue
		}
		if err := notice.Tell(tx, id, "notice.member_ending", "/organizations/"+e.organization+"/members/"+e.membership, person.Name(), e.at.In(mail.Berlin).Format("02.01.2006"), company.Name); err != nil {
			return err
		}
	}
	return nil
}
