package correction

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/notice"
)

// An Item is a correction with the person as they are called today.
type Item struct {
	Correction
	Person    account.Account
	ClerkName string
}

// PageSize is how many rows Queue returns at most; one more means there are more.
const PageSize = 50

// Queue lists a chamber's corrections: the open ones, oldest first, or the
// decided ones, newest first.
func Queue(tx *db.Tx, by audit.Actor, chamberID string, decided bool, offset int) ([]Item, error) {
	if err := chamber.MustClerk(tx, by, chamberID); err != nil {
		return nil, err
	}
	all, err := queue(tx, chamberID, decided, offset)
	if err != nil {
		return nil, err
	}
	return items(tx, all)
}

func items(tx *db.Tx, all []Correction) ([]Item, error) {
	var ids []string
	for _, c := range all {
		ids = append(ids, c.Account, c.Clerk)
	}
	people, err := account.GetMany(tx, ids)
	list := make([]Item, len(all))
	for i, c := range all {
		list[i] = Item{Correction: c, Person: people[c.Account]}
		if c.Clerk != "" {
			list[i].ClerkName = people[c.Clerk].Name()
		}
	}
	return list, err
}

// Get is a correction for a clerk of its chamber.
func Get(tx *db.Tx, by audit.Actor, id string) (Item, error) {
	c, err := load(tx, id)
	if err != nil {
		return Item{}, err
	}
	clerk, err := chamber.IsClerk(tx, by.Account, c.Chamber)
	if err != nil {
		return Item{}, err
	}
	if !clerk {
		return Item{}, fault.NotFound()
	}
	all, err := items(tx, []Correction{c})
	if err != nil {
		return Item{}, err
	}
	return all[0], nil
}

// deciding is Get for a decision: four eyes.
func deciding(tx *db.Tx, by audit.Actor, id string) (Item, error) {
	i, err := Get(tx, by, id)
	if err == nil && i.Account == by.Account {
		err = &fault.Fault{Kind: fault.KindForbidden, Problems: []fault.Problem{{Key: "correction.own"}}}
	}
	return i, err
}

// Approve corrects the name to what the clerk wrote: as the contract has it
// (R220). It holds at once, or after the wait of the person's policy.
func Approve(tx *db.Tx, by audit.Actor, id, title, given, family string) (Correction, error) {
	i, err := deciding(tx, by, id)
	if err != nil {
		return i.Correction, err
	}
	name, err := account.CheckName(title, given, family)
	if err != nil {
		return i.Correction, err
	}
	wait, err := wait(tx, i.Account)
	if err != nil {
		return i.Correction, err
	}
	state, due := Done, tx.Now()
	if wait > 0 {
		state, due = Approved, tx.Now().Add(wait)
	}
	c, err := move(tx, `UPDATE name_correction SET state = $1, title = $2, given_name = $3, family_name = $4, clerk = $5, decided_at = $6, due_at = $7
		WHERE id = $8 AND state = 'submitted'`, state, name.Title, name.GivenName, name.FamilyName, by.Account, tx.Now(), due, id)
	if fault.Is(err, fault.KindNotFound) {
		return i.Correction, quicker(tx, by, id)
	}
	if err != nil {
		return c, err
	}
	if err := c.record(tx, by, "name_correction.approved"); err != nil {
		return c, err
	}
	if state == Done {
		return c, c.apply(tx, by)
	}
	if err := notice.Tell(tx, c.Account, "notice.correction_approved", "/account/profile", day(c.DueAt)); err != nil {
		return c, err
	}
	return c, c.write(tx, "correction_approved")
}

func day(t db.Time) string { return t.In(mail.Berlin).Format("02.01.2006, 15:04") }

// apply writes the name into the account and tells its owner.
func (c Correction) apply(tx *db.Tx, by audit.Actor) error {
	if _, err := account.CorrectName(tx, by, c.Account, c.Title, c.GivenName, c.FamilyName); err != nil {
		if fault.Is(err, fault.KindNotFound) { // gone meanwhile
			return fault.Conflict("correction.account_gone")
		}
		return err
	}
	if err := notice.Tell(tx, c.Account, "notice.correction_done", "/account/profile", c.Name()); err != nil {
		return err
	}
	return c.write(tx, "correction_approved")
}

// Refuse leaves the name as it is, with the reason that the person reads.
func Refuse(tx *db.Tx, by audit.Actor, id, answer string) error {
	if _, err := deciding(tx, by, id); err != nil {
		return err
	}
	if answer = strings.TrimSpace(answer); answer == "" {
		return fault.Invalid("answer", "correction.answer_missing")
	}
	if n := utf8.RuneCountInString(answer); n > MostReason {
		return fault.Invalid("answer", "correction.reason_long", n)
	}
	c, err := move(tx, `UPDATE name_correction SET state = 'refused', clerk = $1, answer = $2, decided_at = $3 WHERE id = $4 AND state = 'submitted'`,
		by.Account, answer, tx.Now(), id)
	if fault.Is(err, fault.KindNotFound) {
		return quicker(tx, by, id)
	}
	if err != nil {
		return err
	}
	if err := c.record(tx, by, "name_correction.refused"); err != nil {
		return err
	}
	if err := notice.Tell(tx, c.Account, "notice.correction_refused", "/account/profile"); err != nil {
		return err
	}
	return c.write(tx, "correction_refused")
}

// quicker says what happened to a correction in the meantime, and who did it.
func quicker(tx *db.Tx, by audit.Actor, id string) error {
	i, err := Get(tx, by, id)
	if err != nil {
		return err
	}
	if i.State == Withdrawn {
		return fault.Conflict("correction.withdrawn_meanwhile")
	}
	if i.State == Refused {
		return fault.Conflict("correction.refused_meanwhile", i.ClerkName, day(i.DecidedAt))
	}
	return fault.Conflict("correction.approved_meanwhile", i.ClerkName, day(i.DecidedAt))
}

// Work adds what this package does by the clock: names whose wait is over hold.
func Work(r *job.Runner, d *db.DB) {
	r.Every(5*time.Minute, "correction.due", func(ctx context.Context) error { return Due(ctx, d) })
}

// Due lets the approved names hold whose wait is over, one after the other.
func Due(ctx context.Context, d *db.DB) error {
	for {
		found := false
		err := d.Write(ctx, func(tx *db.Tx) error {
			c, err := move(tx, `UPDATE name_correction SET state = 'done' WHERE state = 'approved' AND id = (SELECT id FROM name_correction
				WHERE state = 'approved' AND due_at <= $1 ORDER BY due_at, id LIMIT 1)`, tx.Now())
			if fault.Is(err, fault.KindNotFound) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("correction due: %w", err)
			}
			found = true
			if err = c.apply(tx, audit.Job); fault.Is(err, fault.KindConflict) {
				return nil // nobody is there any more to be called so
			}
			return err
		})
		if err != nil || !found {
			return err
		}
	}
}
