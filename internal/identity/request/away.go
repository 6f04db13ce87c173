package request

import (
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/account"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
)

// An Absence of an admin: mails about requests go to the deputy, who is another
// admin, and what the absent one has taken on is handed over.
type Absence struct {
	From, Until db.Time
	Deputy      string // account, or empty: the other admins suffice
}

// AwayMax is how long an absence lasts at most: who is longer away hands the office over.
const AwayMax = 366 * 24 * time.Hour

// awayRate bounds the mails to a deputy.
var awayRate = limit.Rate{Burst: 10, Every: 2 * time.Hour}

// AwayOf is an admin's own absence, current or to come; zero: none.
func AwayOf(tx *db.Tx, organizationID, accountID string) (a Absence, err error) {
	err = tx.Scan(`SELECT away_from, away_until, deputy FROM membership WHERE organization = $1 AND account = $2 AND ended_at IS NULL AND away_until > $3`,
		[]any{organizationID, accountID, tx.Now()}, &a.From, &a.Until, &a.Deputy)
	if fault.Is(err, fault.KindNotFound) {
		return Absence{}, nil
	}
	return a, err
}

// awayNow are the admins of an organization who are away now.
func awayNow(tx *db.Tx, organizationID string) (map[string]Absence, error) {
	away := map[string]Absence{}
	err := tx.Each(`SELECT account, away_from, away_until, deputy FROM membership WHERE organization = $1 AND admin AND ended_at IS NULL AND away_from <= $2 AND away_until > $2`,
		[]any{organizationID, tx.Now()}, func(scan func(...any) error) error {
			var id string
			var a Absence
			err := scan(&id, &a.From, &a.Until, &a.Deputy)
			away[id] = a
			return err
		})
	return away, err
}

// SetAway notes when the acting admin is away, and who stands in.
func SetAway(tx *db.Tx, by audit.Actor, organizationID string, a Absence) error {
	if err := membership.MustAdminister(tx, by, organizationID); err != nil {
		return err
	}
	var p fault.Problems
	if a.From.IsZero() {
		p.Add("from", "request.away_from")
	}
	switch {
	case a.Until.IsZero():
		p.Add("until", "request.away_until")
	case !a.Until.After(tx.Now()) || !a.Until.After(a.From):
		p.Add("until", "request.away_past")
	case a.Until.Sub(a.From) > AwayMax:
		p.Add("until", "request.away_long")
	}
	if a.Deputy == by.Account {
		p.Add("deputy", "request.deputy_self")
	}
	if err := p.Err(); err != nil {
		return err
	}
	if err := limit.TakeIn(tx, "away/"+organizationID+"/"+by.Account, awayRate); err != nil {
		return err
	}
	if err := membership.HoldAdmin(tx, organizationID, by.Account); err != nil {
		return err
	}
	if a.Deputy != "" {
		if err := membership.HoldAdmin(tx, organizationID, a.Deputy); fault.Is(err, fault.KindForbidden) {
			return fault.Invalid("deputy", "request.deputy_admin")
		} else if err != nil {
			return err
		}
	}
	if _, err := tx.Exec(`UPDATE membership SET away_from = $1, away_until = $2, deputy = $3 WHERE organization = $4 AND account = $5 AND ended_at IS NULL`,
		a.From, a.Until, a.Deputy, organizationID, by.Account); err != nil {
		return err
	}
	if err := audit.Record(tx, by, audit.Entry{
		Event: "membership.away", Account: by.Account, Organization: organizationID, Thing: organizationID,
		Detail: map[string]any{"from": a.From, "until": a.Until, "deputy": a.Deputy},
	}); err != nil {
		return err
	}
	if a.Deputy == "" {
		return nil
	}
	return tellDeputy(tx, by, organizationID, a)
}

// tellDeputy lets somebody know whom they stand in for.
func tellDeputy(tx *db.Tx, by audit.Actor, organizationID string, a Absence) error {
	company, err := organization.Get(tx, organizationID)
	if err != nil {
		return err
	}
	people, err := account.GetMany(tx, []string{by.Account, a.Deputy})
	if err != nil {
		return err
	}
	s := stage{company: company, applicant: people[by.Account]}
	if err := s.write(tx, people[a.Deputy], "deputy", letter{Other: people[by.Account].Name(), From: a.From, Until: a.Until}); err != nil {
		return err
	}
	day := func(t db.Time) string { return t.In(mail.Berlin).Format("02.01.2006") }
	return notice.Tell(tx, a.Deputy, "notice.deputy", "/organizations/"+organizationID+"/requests", people[by.Account].Name(), company.Name, day(a.From), day(a.Until))
}

// EndAway: the acting admin is back.
func EndAway(tx *db.Tx, by audit.Actor, organizationID string) error {
	if err := membership.MustAdminister(tx, by, organizationID); err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE membership SET away_from = NULL, away_until = NULL, deputy = '' WHERE organization = $1 AND account = $2 AND ended_at IS NULL AND away_until IS NOT NULL`,
		organizationID, by.Account)
	if err != nil || n == 0 {
		return err
	}
	return audit.Record(tx, by, audit.Entry{Event: "membership.back", Account: by.Account, Organization: organizationID, Thing: organizationID})
}

// PassOn hands what an absent admin has taken on to their deputy.
func PassOn(tx *db.Tx, most int) (int64, error) {
	passed, err := db.All(tx, (*Request).fields, `UPDATE request AS r SET claimed_until = $2, claimed_by = (SELECT m.deputy FROM membership m
			WHERE m.organization = r.organization AND m.account = r.claimed_by AND m.ended_at IS NULL)
		WHERE r.id IN (SELECT q.id FROM request q JOIN membership m ON m.organization = q.organization AND m.account = q.claimed_by AND m.ended_at IS NULL
			JOIN membership d ON d.organization = q.organization AND d.account = m.deputy AND d.admin AND d.ended_at IS NULL
			WHERE q.state = 'claimed' AND m.away_from <= $1 AND m.away_until > $1 AND NOT (d.away_from IS NOT NULL AND d.away_from <= $1 AND d.away_until > $1) AND q.applicant <> m.deputy
			ORDER BY q.claimed_until LIMIT $3) AND r.state = 'claimed' RETURNING `+returned, tx.Now(), tx.Now().Add(Lease), most)
	if err != nil {
		return 0, err
	}
	for _, r := range passed {
		if err := membership.HoldAdmin(tx, r.Organization, r.ClaimedBy); err != nil {
			return 0, err
		}
		if err := note(tx, audit.Job, r, "handed_over", map[string]any{"to": r.ClaimedBy}); err != nil {
			return 0, err
		}
	}
	return int64(len(passed)), nil
}

// HandOver gives a request that the actor has taken on to another admin.
func HandOver(tx *db.Tx, by audit.Actor, id, to string) error {
	r, err := review(tx, by, id)
	if err != nil {
		return err
	}
	if to == "" || to == by.Account || to == r.Applicant {
		return fault.Invalid("to", "request.hand_to")
	}
	if err := membership.HoldAdmin(tx, r.Organization, to); fault.Is(err, fault.KindForbidden) {
		return fault.Invalid("to", "request.hand_to")
	} else if err != nil {
		return err
	}
	ok, err := step(tx, `UPDATE request SET claimed_by = $1, claimed_until = $2 WHERE id = $3 AND state = 'claimed' AND claimed_by = $4`, to, tx.Now().Add(Lease), id, by.Account)
	if err != nil {
		return err
	}
	if !ok {
		return tooLate(tx, by, id)
	}
	if err := note(tx, by, r, "handed_over", map[string]any{"to": to}); err != nil {
		return err
	}
	people, err := account.GetMany(tx, []string{by.Account, to})
	if err != nil {
		return err
	}
	s, err := set(tx, r)
	if err != nil {
		return err
	}
	if yes, err := notice.Mails(tx, to, notice.Requests); err != nil {
		return err
	} else if yes {
		if err := s.write(tx, people[to], "handed", letter{Other: people[by.Account].Name()}); err != nil {
			return err
		}
	}
	return notice.Tell(tx, to, "notice.request_handed", "/requests/"+id, people[by.Account].Name(), s.company.Name)
}

// remind writes to one admin: the one who has taken the request on.
func (s stage) remind(tx *db.Tx, admin string) error {
	person, err := account.Get(tx, admin)
	if err != nil {
		return err
	}
	yes, err := notice.Mails(tx, admin, notice.Requests)
	if err == nil && yes {
		err = s.send(tx, person, "reminder")
	}
	if err != nil {
		return err
	}
	return notice.Tell(tx, admin, "notice.request_reminder", "/requests/"+s.request.ID, s.applicant.Name(), s.company.Name)
}
