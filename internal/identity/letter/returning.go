package letter

import (
	"context"
	"fmt"
	"slices"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/notice"
)

// Whys are why a letter came back, as the post marks it.
func Whys() []string { return []string{"moved", "unknown", "refused", "other"} }

// Return books a letter that came back: its code is void, and the person who
// registered the company reads why they wait in vain. It may have been used or
// replaced before; then there is nothing to book.
func Return(tx *db.Tx, by audit.Actor, letterID, why string) error {
	l, err := get(tx, letterID)
	if err != nil {
		return err
	}
	if err := chamber.MustClerk(tx, by, l.Chamber); err != nil {
		return err
	}
	if !slices.Contains(Whys(), why) {
		return fault.Invalid("why", "letter.why_missing")
	}
	n, err := tx.Exec(`UPDATE letter SET state = 'returned', returned_why = $1, ended_at = $2 WHERE id = $3 AND state = 'printed'`, why, tx.Now(), letterID)
	if err != nil {
		return fmt.Errorf("return letter %s: %w", letterID, err)
	}
	if n == 0 {
		return fault.Conflict("letter.not_printed")
	}
	if err := l.record(tx, by, "letter.returned", map[string]any{"reason": why}); err != nil {
		return err
	}
	if l.Kind != Activation {
		return nil // nobody waits for it but the desk
	}
	owner, err := db.Value[string](tx, `SELECT registered_by FROM organization WHERE id = $1`, l.Organization)
	if err != nil {
		return err
	}
	if err := notice.Tell(tx, owner, "notice.letter_returned", "/organizations/activate", l.Name); err != nil {
		return err
	}
	return write(tx, []recipient{{Account: owner, Company: l.Name, Why: why}}, l.Chamber, "letter_returned")
}

// ReturnedLetters are those of a chamber that came back and that no new letter
// answers, newest first; before is the id of the last one of the page before.
func ReturnedLetters(tx *db.Tx, chamberID, before string) ([]Letter, error) {
	return returned(tx, chamberID, before)
}

// remindBefore is how long before its code is too old a letter is called to mind.
const remindBefore = 14 * 24 * time.Hour

// Work adds what this package does by the clock.
func Work(r *job.Runner, d *db.DB) {
	r.Every(time.Hour, "letter.remind", func(ctx context.Context) error { return d.Batches(ctx, Remind) })
}

// Remind tells people that the code they wait for will soon be too old, once
// for each letter. A periodic job calls it, a batch at a time.
func Remind(tx *db.Tx, most int) (int64, error) {
	due, err := db.All(tx, func(l *Letter) []any { return []any{&l.ID, &l.Chamber, &l.Organization, &l.ExpiresAt} },
		`UPDATE letter SET reminded_at = $1 WHERE id IN (SELECT id FROM letter WHERE state = 'printed' AND expires_at < $2 AND reminded_at IS NULL AND kind = 'activation' ORDER BY expires_at LIMIT $3`+tx.SkipLocked()+`)
		RETURNING id, chamber, COALESCE(organization, ''), expires_at`, tx.Now(), tx.Now().Add(remindBefore), most)
	if err != nil {
		return 0, fmt.Errorf("remind of letters: %w", err)
	}
	late := map[string][]recipient{} // by chamber
	for _, l := range due {
		if tx.Now().Before(l.ExpiresAt) { // else the job rested for long: too old already
			late[l.Chamber] = append(late[l.Chamber], recipient{Organization: l.Organization, Expires: l.ExpiresAt})
		}
	}
	for chamberID, all := range late {
		if all, err = owners(tx, all); err != nil {
			return 0, err
		}
		if err := write(tx, all, chamberID, "letter_expires"); err != nil {
			return 0, err
		}
	}
	return int64(len(due)), nil
}

// write sends a mail about letters to those who want them and are still there.
func write(tx *db.Tx, all []recipient, chamberID, text string) error {
	var ids []string
	for _, to := range all {
		ids = append(ids, to.Account)
	}
	people, err := account.GetMany(tx, ids)
	if err != nil {
		return err
	}
	silent, err := notice.Silent(tx, notice.Registrations, ids...)
	if err != nil {
		return err
	}
	c, err := chamber.Get(tx, chamberID)
	if err != nil {
		return err
	}
	for _, to := range all {
		if silent[to.Account] || people[to.Account].State == account.Deleted {
			continue
		}
		person := people[to.Account].Person()
		data := message{Name: person.Name, Company: to.Company, Chamber: c.Name, Contact: reach(c), Why: to.Why, Expires: to.Expires}
		if err := Texts.Send(tx, person, text, data); err != nil {
			return err
		}
	}
	return nil
}

// message is what the mails may use.
type message struct {
	Name, Company, Chamber string
	Contact                string // ": 0491 … oder …"
	Why                    string // it came back
	Expires                db.Time
}
