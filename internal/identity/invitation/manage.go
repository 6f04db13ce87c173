package invitation

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/membership"
)

// A verified company may ask many people in, but it is no machine for mails:
// neither for many addresses nor for one of them.
var (
	hostRate    = limit.Rate{Burst: 5000, Every: 20 * time.Second}
	addressRate = limit.Rate{Burst: 10, Every: 2 * time.Hour}
)

const (
	quiet        = time.Hour          // between two mails that say the same
	between      = 20 * time.Hour     // at least, between reminders
	maxReminders = 5                  // that admins and we send in all
	early        = 3 * 24 * time.Hour // before the end we remind by ourselves
	kept         = 180 * 24 * time.Hour
)

func (h host) ration(tx *db.Tx, w Wish) error {
	if err := limit.TakeIn(tx, "invite/"+h.ID, hostRate); err != nil || w.Email == "" {
		return err
	}
	return limit.TakeIn(tx, "invite/to/"+fold.Login(w.Email), addressRate)
}

// administered loads an invitation for an admin of its organization.
func administered(tx *db.Tx, by audit.Actor, id string) (Invitation, error) {
	i, err := load(tx, id)
	if err != nil {
		return i, err
	}
	return i, membership.MustAdminister(tx, by, i.Organization)
}

// Look is an invitation for the admins of its organization.
func Look(tx *db.Tx, by audit.Actor, id string) (Invitation, error) { return administered(tx, by, id) }

// A Filter narrows a list; empty fields do not filter.
type Filter struct {
	State, Roster string
	Ending        bool   // open still, and over within [Soon]
	Search        string // all of its words in name, address or numbers
}

// Soon is before the end of an invitation, when the admins read of it on their
// first page.
const Soon = early

// mostWords of a search count: nobody's name has more, and each costs a comparison.
const mostWords = 8

var escaped = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// PageMax is how many invitations a page has at most.
const PageMax = 50

// List reads an organization's invitations, the newest first; after is the id
// of the last one of the page before, or empty. limit is PageMax at most.
func List(tx *db.Tx, by audit.Actor, organizationID string, f Filter, after string, limit int) ([]Invitation, error) {
	if err := membership.MustAdminister(tx, by, organizationID); err != nil {
		return nil, err
	}
	where, args := `organization = $1`, []any{organizationID}
	add := func(condition, value string) {
		if value != "" {
			args = append(args, value)
			where += fmt.Sprintf(condition, len(args))
		}
	}
	add(` AND state = $%d`, f.State)
	add(` AND roster = $%d`, f.Roster)
	add(` AND id < $%d`, after)
	words := strings.Fields(fold.Text(f.Search))
	for _, word := range words[:min(len(words), mostWords)] {
		add(` AND words LIKE $%d ESCAPE '!'`, "%"+escaped.Replace(word)+"%")
	}
	if f.Ending {
		args = append(args, tx.Now(), tx.Now().Add(Soon))
		where += fmt.Sprintf(` AND state IN ('sent', 'undeliverable') AND expires_at > $%d AND expires_at <= $%d`, len(args)-1, len(args))
	}
	if limit <= 0 || limit > PageMax {
		limit = PageMax
	}
	args = append(args, limit)
	return list(tx, where+fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(args)), args...)
}

// Ending counts the invitations of some organizations that are open still and
// over within [Soon], each up to a hundred. Only what the actor administers counts.
func Ending(tx *db.Tx, by audit.Actor, organizations []string) (map[string]int, error) {
	counts := map[string]int{}
	if len(organizations) == 0 {
		return counts, nil
	}
	args := []any{tx.Now(), tx.Now().Add(Soon), by.Account}
	var parts []string
	for _, id := range organizations {
		args = append(args, id)
		parts = append(parts, fmt.Sprintf(`SELECT m.organization, (SELECT count(*) FROM (SELECT 1 FROM invitation i WHERE i.organization = $%[1]d AND i.state IN ('sent', 'undeliverable')
			AND i.expires_at > $1 AND i.expires_at <= $2 LIMIT 100) AS ending) FROM membership m WHERE m.organization = $%[1]d AND m.account = $3 AND m.admin AND m.ended_at IS NULL`, len(args)))
	}
	return counts, tx.Each(strings.Join(parts, ` UNION ALL `), args, func(scan func(...any) error) error {
		var id string
		var n int
		err := scan(&id, &n)
		counts[id] = n
		return err
	})
}

// Counts of a list's invitations by state.
func Counts(tx *db.Tx, by audit.Actor, organizationID, roster string) (map[string]int, error) {
	if err := membership.MustAdminister(tx, by, organizationID); err != nil {
		return nil, err
	}
	counts := map[string]int{}
	return counts, tx.Each(`SELECT state, count(*) FROM invitation WHERE roster = $1 AND organization = $2 AND roster <> '' GROUP BY state`, []any{roster, organizationID},
		func(scan func(...any) error) error {
			var state string
			var n int
			err := scan(&state, &n)
			counts[state] = n
			return err
		})
}

// Slip makes the code for a person's slip of paper; the one before is void
// (ux.md 2.6). It is shown once and kept nowhere.
func Slip(tx *db.Tx, by audit.Actor, id string) (code string, err error) {
	i, err := administered(tx, by, id)
	if err != nil {
		return "", err
	}
	code = seal.Letters(codeLength)
	n, err := tx.Exec(`UPDATE invitation SET code_mac = $1 WHERE id = $2 AND state IN ('sent', 'undeliverable') AND expires_at > $3`, codeMAC(tx, code), id, tx.Now())
	if err != nil {
		return "", err
	}
	if n == 0 {
		return "", tooLate(tx, id)
	}
	return code, i.record(tx, by, "invitation.slip_made", nil)
}

// SlipPath is where the code of a slip is typed; the QR code brings it along,
// as the link in a mail would.
func SlipPath(code string) string { return "/invitations/code?code=" + code }

// Revoke takes an open invitation back.
func Revoke(tx *db.Tx, by audit.Actor, id string) error {
	i, err := administered(tx, by, id)
	if err != nil {
		return err
	}
	if i, err = settle(tx, audit.Actor{}, i, Revoked); err != nil {
		return err
	}
	return i.record(tx, by, "invitation.revoked", nil)
}

// RevokeAll takes back every open invitation of an organization that closes.
// Callers have settled that it does.
func RevokeAll(tx *db.Tx, by audit.Actor, organizationID string) error {
	ended, err := db.All(tx, (*Invitation).fields, `UPDATE invitation SET state = 'revoked', ended_at = $1, code_mac = ''
		WHERE organization = $2 AND state IN ('sent', 'undeliverable') RETURNING `+columns, tx.Now(), organizationID)
	if err != nil {
		return err
	}
	for _, i := range ended {
		if err := i.record(tx, by, "invitation.revoked", nil); err != nil {
			return err
		}
	}
	return nil
}

// Remind mails an open invitation again, with the same link.
func Remind(tx *db.Tx, by audit.Actor, id string) error {
	i, err := administered(tx, by, id)
	if err != nil {
		return err
	}
	h, err := open(tx, i.Organization)
	if err != nil {
		return err
	}
	switch {
	case !i.Open(tx.Now()):
		return tooLate(tx, id)
	case i.Email == "":
		return fault.Conflict("invitation.remind_paper")
	case i.Reminders >= maxReminders:
		return fault.Conflict("invitation.reminded_enough", maxReminders)
	case tx.Now().Sub(i.SentAt) < between:
		return fault.Conflict("invitation.reminded_today")
	}
	return h.remind(tx, by, i)
}

func (h host) remind(tx *db.Tx, by audit.Actor, i Invitation) error {
	n, err := tx.Exec(`UPDATE invitation SET reminders = reminders + 1, state = 'sent', failure = '' WHERE id = $1 AND state IN ('sent', 'undeliverable') AND reminders = $2 AND expires_at > $3`,
		i.ID, i.Reminders, tx.Now())
	if err != nil {
		return err
	}
	if n == 0 {
		now, err := load(tx, i.ID)
		if err == nil && now.Open(tx.Now()) { // another admin was quicker
			err = fault.Conflict("invitation.reminded_today")
		}
		if err == nil {
			err = tooLate(tx, i.ID)
		}
		return err
	}
	if err := i.record(tx, by, "invitation.reminded", nil); err != nil {
		return err
	}
	_, err = h.post(tx, i, "reminder", true)
	return err
}

const (
	remindKind = "invitation.remind"
	batch      = 100
)

// round is the body of a job of remindKind.
type round struct{ Organization, Roster, Admin string }

// RemindAll reminds everybody who has not answered, of one list or of all, and
// was not mailed within a day. It says how many; a job sends the mails, a
// hundred to a transaction.
func RemindAll(tx *db.Tx, by audit.Actor, organizationID, roster string) (int, error) {
	if err := membership.MustAdminister(tx, by, organizationID); err != nil {
		return 0, err
	}
	n, err := db.Value[int](tx, `SELECT count(*) FROM invitation WHERE `+due, organizationID, roster, tx.Now(), tx.Now().Add(-between), maxReminders)
	if err != nil || n == 0 {
		return n, err
	}
	return n, job.Enqueue(tx, remindKind, organizationID+"/"+roster, round{organizationID, roster, by.Account})
}

const due = `organization = $1 AND ($2 = '' OR roster = $2) AND state = 'sent' AND expires_at > $3 AND email <> '' AND sent_at <= $4 AND reminders < $5`

func remindRound(d *db.DB) job.Work {
	return func(ctx context.Context, body []byte) error {
		var r round
		if err := json.Unmarshal(body, &r); err != nil {
			return fmt.Errorf("%w: remind: %w", job.ErrGiveUp, err)
		}
		by := audit.Actor{Account: r.Admin, Kind: audit.Person}
		for more := true; more; {
			err := d.Write(ctx, func(tx *db.Tx) error {
				h, err := open(tx, r.Organization)
				if fault.Is(err, fault.KindNotFound) { // closed meanwhile
					more = false
					return nil
				}
				if err != nil {
					return err
				}
				all, err := list(tx, due+` ORDER BY id LIMIT $6`, r.Organization, r.Roster, tx.Now(), tx.Now().Add(-between), maxReminders, batch)
				more = len(all) == batch
				for _, i := range all {
					if err != nil {
						break
					}
					err = h.remind(tx, by, i)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// Undeliverable notes that the mail server of the address refuses our mail;
// the inviter is told. Mail that is only late changes nothing.
func Undeliverable(tx *db.Tx, id, why string) error {
	if len(why) > 300 {
		why = strings.ToValidUTF8(why[:300], "")
	}
	i, err := db.One(tx, (*Invitation).fields, `UPDATE invitation SET state = 'undeliverable', failure = $1 WHERE id = $2 AND state = 'sent' RETURNING `+columns, why, id)
	if fault.Is(err, fault.KindNotFound) { // answered meanwhile, by another way
		return nil
	}
	if err != nil {
		return err
	}
	if err := i.record(tx, audit.Job, "invitation.undeliverable", nil); err != nil {
		return err
	}
	return tellUndeliverable(tx, i)
}

// Find tells an admin what the organization itself knows of an address (R110):
// Member, Sent for an open invitation, or empty. Whether it has an account
// stays out of it.
func Find(tx *db.Tx, by audit.Actor, organizationID, email string) (string, error) {
	if err := membership.MustAdminister(tx, by, organizationID); err != nil {
		return "", err
	}
	email, err := account.ReadEmail("email", email)
	if err != nil {
		return "", err
	}
	key := fold.Login(email)
	if _, err := memberBy(tx, organizationID, key); err == nil || !fault.Is(err, fault.KindNotFound) {
		return Member, err
	}
	_, err = one(tx, `organization = $1 AND email_key = $2 AND state IN ('sent', 'undeliverable')`, organizationID, key)
	if fault.Is(err, fault.KindNotFound) {
		return "", nil
	}
	return Sent, err
}
