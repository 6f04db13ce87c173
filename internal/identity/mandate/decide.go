package mandate

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
)

// other loads a mandate for a side to answer what the other has proposed.
func other(tx *db.Tx, by audit.Actor, id string) (Mandate, error) {
	m, err := load(tx, id)
	if err != nil {
		return m, err
	}
	principal, representative, err := m.sides(tx, by)
	switch {
	case err != nil:
		return m, err
	case m.ProposedSide == ForPrincipal && representative, m.ProposedSide == ForRepresentative && principal:
		return m, nil
	case principal || representative:
		return m, fault.Forbidden()
	}
	return m, fault.NotFound()
}

// Accept agrees to what the other side has proposed. It holds at once, or once
// the chamber has approved it (R298, R299).
func Accept(tx *db.Tx, by audit.Actor, id string) (Mandate, error) {
	m, err := other(tx, by, id)
	if err != nil {
		return m, err
	}
	for _, o := range []string{m.Principal, m.Representative} {
		if o == "" {
			continue
		}
		c, err := organization.Get(tx, o)
		if err != nil {
			return m, err
		}
		if c.State != organization.Active {
			return m, fault.Conflict("mandate.not_active", c.Name)
		}
	}
	if err := m.stillGiven(tx); err != nil {
		return m, err
	}
	s, err := chamber.SettingsOf(tx, m.Chamber)
	if err != nil {
		return m, err
	}
	state, person := Active, m.Account
	if s.MandateApproval {
		state = Accepted
	}
	if m.Representative == "" && m.Account == "" {
		person = by.Account
	}
	changed, err := move(tx, `UPDATE mandate SET state = $1, account = $2, accepted_by = $3, accepted_at = $4, token_hash = '', version = version + 1
		WHERE id = $5 AND state = 'proposed' AND ends_at > $4`, state, person, by.Account, tx.Now(), id)
	if err != nil {
		return m, meanwhile(tx, id, err)
	}
	if err := changed.record(tx, by, "mandate.accepted"); err != nil {
		return m, err
	}
	return changed, changed.tellAccepted(tx, by)
}

// stillGiven: power does not outlive its giver. What was proposed for the
// principal by somebody who is no admin of it any more cannot be accepted.
func (m Mandate) stillGiven(tx *db.Tx) error {
	if m.ProposedSide != ForPrincipal || m.ProposedBy == "" {
		return nil
	}
	yes, err := membership.IsAdmin(tx, audit.Actor{Account: m.ProposedBy}, m.Principal)
	if err == nil && !yes {
		err = fault.Conflict("mandate.giver_gone")
	}
	return err
}

// Decline says no to what the other side has proposed.
func Decline(tx *db.Tx, by audit.Actor, id string) error {
	m, err := other(tx, by, id)
	if err != nil {
		return err
	}
	m, err = move(tx, `UPDATE mandate SET state = 'declined', ended_by = $1, ended_at = $2, token_hash = '', version = version + 1 WHERE id = $3 AND state = 'proposed'`, by.Account, tx.Now(), m.ID)
	if err != nil {
		return meanwhile(tx, id, err)
	}
	if err := m.record(tx, by, "mandate.declined"); err != nil {
		return err
	}
	return m.tellEnd(tx, by, "declined")
}

// Revoke ends a mandate at once, or takes a proposal back; either side may.
func Revoke(tx *db.Tx, by audit.Actor, id string) error {
	m, err := load(tx, id)
	if err != nil {
		return err
	}
	principal, representative, err := m.sides(tx, by)
	if err != nil {
		return err
	}
	if !principal && !representative {
		return fault.NotFound()
	}
	if m.State == Proposed && m.ProposedSide == ForPrincipal && !principal || m.State == Proposed && m.ProposedSide == ForRepresentative && !representative {
		return fault.Forbidden() // they decline it
	}
	return revoke(tx, by, id, "revoked")
}

func revoke(tx *db.Tx, by audit.Actor, id, text string) error {
	m, err := move(tx, `UPDATE mandate SET state = 'revoked', ended_by = $1, ended_at = $2, token_hash = '', version = version + 1
		WHERE id = $3 AND state IN ('proposed', 'accepted', 'active')`, by.Account, tx.Now(), id)
	if err != nil {
		return meanwhile(tx, id, err)
	}
	if err := m.record(tx, by, "mandate.revoked"); err != nil {
		return err
	}
	if err := m.less(tx); err != nil {
		return err
	}
	return m.tellEnd(tx, by, text)
}

// less tells applications that nobody acts by the mandate any more: whoever did
// is out of them at once (back-channel logout).
func (m Mandate) less(tx *db.Tx) error {
	if m.AcceptedBy == "" { // nobody ever acted by it
		return nil
	}
	actors := []string{m.Account}
	if m.Representative != "" {
		var err error
		if actors, err = db.Values[string](tx, `SELECT account FROM mandate_person WHERE mandate = $1 ORDER BY account`, m.ID); err != nil {
			return err
		}
	}
	for _, a := range actors {
		if err := membership.Less(tx, a, m.Principal); err != nil {
			return err
		}
	}
	return nil
}

// meanwhile says what a mandate has become when a step came too late.
func meanwhile(tx *db.Tx, id string, err error) error {
	if !fault.Is(err, fault.KindNotFound) {
		return err
	}
	m, err := load(tx, id)
	if err != nil {
		return err
	}
	if m.State == Proposed { // its last day is over, and nobody has cleared up yet
		m.State = Ended
	}
	return fault.Conflict("mandate.is_" + m.State)
}

// deciding loads an accepted mandate for a clerk of the principal's chamber
// who has no part in it.
func deciding(tx *db.Tx, by audit.Actor, id string) (Mandate, error) {
	m, err := ForClerk(tx, by, id)
	if err != nil {
		return m.Mandate, err
	}
	part := m.Account == by.Account || m.ProposedBy == by.Account || m.AcceptedBy == by.Account
	if m.Representative != "" && !part { // who belongs there may be named to act
		switch _, err := membership.In(tx, m.Representative, by.Account); {
		case err == nil:
			part = true
		case !fault.Is(err, fault.KindNotFound):
			return m.Mandate, err
		}
	}
	if part {
		return m.Mandate, &fault.Fault{Kind: fault.KindForbidden, Problems: []fault.Problem{{Key: "mandate.own"}}}
	}
	return m.Mandate, organization.NotOwn(tx, by, m.Principal)
}

// Approve lets a mandate hold that both sides have agreed to (R298).
func Approve(tx *db.Tx, by audit.Actor, id string) error {
	if _, err := deciding(tx, by, id); err != nil {
		return err
	}
	m, err := move(tx, `UPDATE mandate SET state = 'active', clerk = $1, approved_at = $2, version = version + 1 WHERE id = $3 AND state = 'accepted' AND ends_at > $2`,
		by.Account, tx.Now(), id)
	if err != nil {
		return meanwhile(tx, id, err)
	}
	if err := m.record(tx, by, "mandate.approved"); err != nil {
		return err
	}
	return m.tellHolds(tx, by)
}

// Refuse says no for the chamber, with a reason that both sides read.
func Refuse(tx *db.Tx, by audit.Actor, id, answer string) error {
	if _, err := deciding(tx, by, id); err != nil {
		return err
	}
	if answer = strings.TrimSpace(answer); answer == "" {
		return fault.Invalid("answer", "mandate.answer_missing")
	}
	if n := utf8.RuneCountInString(answer); n > MostNote {
		return fault.Invalid("answer", "mandate.note_long", MostNote)
	}
	m, err := move(tx, `UPDATE mandate SET state = 'refused', clerk = $1, answer = $2, ended_by = $1, ended_at = $3, version = version + 1 WHERE id = $4 AND state = 'accepted'`,
		by.Account, answer, tx.Now(), id)
	if err != nil {
		return meanwhile(tx, id, err)
	}
	if err := m.record(tx, by, "mandate.refused"); err != nil {
		return err
	}
	return m.tellEnd(tx, by, "refused")
}

// SetPerson says whether one of the representing organization's people acts by
// the mandate. Its admins say so; themselves they name like anybody.
func SetPerson(tx *db.Tx, by audit.Actor, id, accountID string, yes bool) error {
	m, err := load(tx, id)
	if err != nil {
		return err
	}
	if m.Representative == "" {
		return fault.NotFound()
	}
	if err := mustSpeakFor(tx, by, m.Representative); err != nil {
		return err
	}
	if !m.Running() {
		return fault.Conflict("mandate.is_" + m.State)
	}
	var n int64
	if yes {
		if _, err := membership.In(tx, m.Representative, accountID); err != nil {
			return err
		}
		n, err = tx.Exec(`INSERT INTO mandate_person (mandate, account, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, id, accountID, tx.Now())
	} else {
		n, err = tx.Exec(`DELETE FROM mandate_person WHERE mandate = $1 AND account = $2`, id, accountID)
	}
	if err != nil || n == 0 {
		return err
	}
	event := map[bool]string{true: "mandate.person_named", false: "mandate.person_removed"}[yes]
	if err := audit.Record(tx, by, audit.Entry{Event: event, Account: accountID, Organization: m.Principal, Thing: m.ID, Detail: map[string]any{"representative": m.Representative}}); err != nil {
		return err
	}
	if !yes {
		if err := membership.Less(tx, accountID, m.Principal); err != nil {
			return err
		}
	}
	return m.tellPerson(tx, by, accountID, yes)
}

// EndOf ends all mandates that an organization gave or has: it closes.
func EndOf(tx *db.Tx, by audit.Actor, organizationID string) error {
	ids, err := db.Values[string](tx, `SELECT id FROM mandate WHERE (principal = $1 OR representative = $1) AND state IN ('proposed', 'accepted', 'active') ORDER BY id`, organizationID)
	for i := 0; err == nil && i < len(ids); i++ {
		err = revoke(tx, by, ids[i], "revoked")
	}
	return err
}

// EndAll ends all mandates of a person whose account is deleted.
func EndAll(tx *db.Tx, by audit.Actor, accountID string) error {
	ids, err := db.Values[string](tx, `SELECT id FROM mandate WHERE account = $1 AND state IN ('proposed', 'accepted', 'active') ORDER BY id`, accountID)
	for i := 0; err == nil && i < len(ids); i++ {
		err = revoke(tx, by, ids[i], "revoked")
	}
	return err
}

// Work adds what this package does by the clock.
func Work(r *job.Runner, d *db.DB) {
	r.Every(time.Hour, "mandate.due", func(ctx context.Context) error { return Due(ctx, d) })
}

// Due ends mandates whose last day is over and proposals that nobody answered,
// and tells both sides of those that end soon. What is over opens nothing
// before that, either ([Holds]).
func Due(ctx context.Context, d *db.DB) error {
	for _, step := range []struct{ update, event string }{
		{`UPDATE mandate SET state = 'ended', ended_at = $1, token_hash = '', version = version + 1 WHERE id = (SELECT id FROM mandate
			WHERE state IN ('proposed', 'accepted', 'active') AND ends_at <= $1 ORDER BY ends_at, id LIMIT 1) AND state IN ('proposed', 'accepted', 'active')`, "mandate.ended"},
		{`UPDATE mandate SET state = 'ended', ended_at = $1, token_hash = '', version = version + 1 WHERE id = (SELECT id FROM mandate
			WHERE state = 'proposed' AND proposed_at <= $2 ORDER BY proposed_at, id LIMIT 1) AND state = 'proposed'`, "mandate.ended"},
		{`UPDATE mandate SET told_at = $1 WHERE id = (SELECT id FROM mandate
			WHERE state = 'active' AND told_at IS NULL AND ends_at <= $2 ORDER BY ends_at, id LIMIT 1) AND told_at IS NULL`, ""},
	} {
		for again := true; again; {
			err := d.Write(ctx, func(tx *db.Tx) error {
				args := []any{tx.Now()}
				switch {
				case step.event == "":
					args = append(args, tx.Now().Add(ToldBefore))
				case strings.Contains(step.update, "$2"):
					args = append(args, tx.Now().Add(-AnswerWithin))
				}
				m, err := move(tx, step.update, args...)
				if again = err == nil; fault.Is(err, fault.KindNotFound) {
					return nil
				}
				if err != nil {
					return err
				}
				if step.event == "" {
					return m.tellSoon(tx)
				}
				if err := m.record(tx, audit.Job, step.event); err != nil {
					return err
				}
				if err := m.less(tx); err != nil {
					return err
				}
				return m.tellEnd(tx, audit.Job, "ended")
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
