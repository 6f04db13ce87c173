package membership

import (
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/plain"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
)

// Twice a year (Settings.ReviewMonths) an organization's admins go through its
// members and say who still belongs there and in which roles: rights that nobody
// asks about outlive their reason. Nothing ends by itself; the question stays.
// Who came or was looked at within the period is not asked about.

// A Verdict on a member in a review.
type Verdict string

// The verdicts.
const (
	Keep       Verdict = "keep"
	TakeRoles  Verdict = "roles"  // still here, without roles
	TakeMember Verdict = "remove" // not here any more
)

// A Review is where an organization stands with it.
type Review struct {
	Due  bool
	Last db.Time // when it was done, or the organization began
	Next db.Time // when it is due; zero: never
}

// ReviewOf says whether an organization's review is due.
func ReviewOf(tx *db.Tx, o organization.Organization) (r Review, err error) {
	s, err := chamber.SettingsOf(tx, o.Chamber)
	if err != nil {
		return r, err
	}
	if err := tx.Scan(`SELECT COALESCE(reviewed_at, activated_at) FROM organization WHERE id = $1`, []any{o.ID}, &r.Last); err != nil {
		return r, err
	}
	if s.ReviewMonths == 0 || r.Last.IsZero() || o.State != organization.Active {
		return r, nil
	}
	r.Next = db.At(r.Last.AddDate(0, s.ReviewMonths, 0))
	r.Due = !r.Next.After(tx.Now())
	return r, nil
}

// period is since when who was looked at need not be looked at again.
func period(tx *db.Tx, organizationID string) (db.Time, error) {
	o, err := organization.Get(tx, organizationID)
	if err != nil {
		return db.Time{}, err
	}
	s, err := chamber.SettingsOf(tx, o.Chamber)
	months := s.ReviewMonths
	if months == 0 {
		months = 6
	}
	return db.At(tx.Now().AddDate(0, -months, 0)), err
}

const unreviewed = `m.organization = $2 AND m.ended_at IS NULL AND (m.until IS NULL OR m.until > $1) AND COALESCE(m.reviewed_at, m.since) <= $3`

// ToReview lists members whom nobody has looked at within the period, by name.
func ToReview(tx *db.Tx, by audit.Actor, organizationID string, limit int) ([]Listed, error) {
	if err := MustAdminister(tx, by, organizationID); err != nil {
		return nil, err
	}
	since, err := period(tx, organizationID)
	if err != nil {
		return nil, err
	}
	page, err := db.All(tx, (*Listed).fields, listed+` WHERE `+unreviewed+` ORDER BY m.name_key, m.id LIMIT $4`, tx.Now(), organizationID, since, limit)
	if err != nil {
		return nil, err
	}
	return page, withRoles(tx, page)
}

// Judge carries out what an admin decided about some members, by membership id.
// When nobody is left to look at, the review is done.
func Judge(tx *db.Tx, by audit.Actor, organizationID string, verdicts map[string]Verdict) (done bool, err error) {
	if err := lock(tx, organizationID); err != nil {
		return false, err
	}
	if err := MustAdminister(tx, by, organizationID); err != nil {
		return false, err
	}
	for id, verdict := range verdicts {
		m, err := load(tx, id)
		if fault.Is(err, fault.KindNotFound) { // has gone meanwhile
			continue
		}
		if err == nil && m.Organization != organizationID {
			err = fault.NotFound()
		}
		if err == nil {
			err = judge(tx, by, m, verdict)
		}
		if err != nil {
			return false, err
		}
	}
	since, err := period(tx, organizationID)
	if err != nil {
		return false, err
	}
	left, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM membership m WHERE `+unreviewed+`)`, tx.Now(), organizationID, since)
	if err != nil || left {
		return false, err
	}
	if _, err := tx.Exec(`UPDATE organization SET reviewed_at = $1, review_told_at = NULL WHERE id = $2`, tx.Now(), organizationID); err != nil {
		return false, err
	}
	return true, audit.Record(tx, by, audit.Entry{Event: "membership.review_done", Organization: organizationID, Thing: organizationID})
}

func judge(tx *db.Tx, by audit.Actor, m Member, v Verdict) error {
	switch v {
	case Keep:
	case TakeMember:
		if m.Admin { // the administration is taken on its own page, with a proof
			return fault.Conflict("membership.review_admin")
		}
		return Remove(tx, by, m.ID)
	case TakeRoles:
		held, err := Holdings(tx, m.ID)
		if err != nil {
			return err
		}
		for _, h := range held {
			if err := Take(tx, by, m.ID, h.Role, h.Site); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("verdict %q", v)
	}
	if _, err := tx.Exec(`UPDATE membership SET reviewed_at = $1 WHERE id = $2 AND ended_at IS NULL`, tx.Now(), m.ID); err != nil {
		return err
	}
	return record(tx, by, "membership.reviewed", m, map[string]any{"verdict": v})
}

// TellReviews tells the admins of organizations whose review has become due.
func TellReviews(tx *db.Tx) error {
	chambers, err := chamber.All(tx)
	if err != nil {
		return err
	}
	for _, c := range chambers {
		s, err := chamber.SettingsOf(tx, c.ID)
		if err != nil {
			return err
		}
		if s.ReviewMonths == 0 {
			continue
		}
		due, err := db.Values[string](tx, `UPDATE organization SET review_told_at = $1 WHERE id IN (SELECT id FROM organization
			WHERE chamber = $2 AND COALESCE(reviewed_at, activated_at) <= $3 AND state = 'active' AND review_told_at IS NULL
			ORDER BY COALESCE(reviewed_at, activated_at) LIMIT 200) AND review_told_at IS NULL RETURNING id`,
			tx.Now(), c.ID, db.At(tx.Now().AddDate(0, -s.ReviewMonths, 0)))
		if err != nil {
			return err
		}
		for _, id := range due {
			if err := tellReview(tx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func tellReview(tx *db.Tx, organizationID string) error {
	company, err := organization.Get(tx, organizationID)
	if err != nil {
		return err
	}
	admins, err := Admins(tx, organizationID)
	if err != nil {
		return err
	}
	people, err := account.GetMany(tx, admins)
	if err != nil {
		return err
	}
	silent, err := notice.Silent(tx, notice.Requests, admins...)
	if err != nil {
		return err
	}
	for _, id := range admins {
		if !silent[id] {
			l := letter{Name: people[id].Name(), Organization: company.Name, Short: plain.Short(company.Name, 28), ID: company.ID}
			if err := texts.Send(tx, people[id].Person(), "review", l); err != nil {
				return err
			}
		}
		if err := notice.Tell(tx, id, "notice.review_due", "/organizations/"+organizationID+"/review", company.Name); err != nil {
			return err
		}
	}
	return nil
}
