package organization

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/ground/limit"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/notice"
)

// revokeRate is how often one network may type codes that fit nothing. A code has
// 50 random bits: a million tries a day would hit one of a thousand letters once in
// two thousand years.
var revokeRate = limit.Rate{Burst: 10, Every: time.Minute}

// LookRevocation is the organization whose management holds this code, so that
// they see what they are about to lock. ip is where the question comes from.
func LookRevocation(tx *db.Tx, by audit.Actor, ip, typed string) (Organization, letter.Letter, error) {
	code, err := letter.ReadCode(typed)
	if err != nil {
		return Organization{}, letter.Letter{}, err
	}
	key := "revoke/" + limit.Network(ip)
	if err := limit.TakeIn(tx, key, revokeRate); err != nil {
		return Organization{}, letter.Letter{}, err
	}
	l, err := letter.LookRevocation(tx, code)
	if fault.Is(err, fault.KindNotFound) {
		if err := audit.Record(tx, by, audit.Entry{Event: "organization.revocation_failed"}); err != nil {
			return Organization{}, l, err
		}
		return Organization{}, l, db.Keep(fault.Invalid("code", "organization.revocation_unknown"))
	}
	if err != nil {
		return Organization{}, l, err
	}
	if err := limit.Return(tx, key, revokeRate); err != nil {
		return Organization{}, l, err
	}
	o, err := load(tx, l.Organization)
	return o, l, err
}

// Revoke locks the organization: its management did not want it. Whoever holds
// the letter may, without an account; that is what the letter is for.
func Revoke(tx *db.Tx, by audit.Actor, ip, typed string) (Organization, error) {
	o, l, err := LookRevocation(tx, by, ip, typed)
	if err != nil {
		return o, err
	}
	if err := letter.Use(tx, by, l); err != nil {
		return o, err
	}
	if err := lock(tx, by, &o, Revoked, ""); err != nil {
		return o, err
	}
	return o, TellClerks(tx, o.Chamber, "", "notice.organization_revoked", "/chamber/organizations/"+o.ID, o.Name)
}

// Lock is a clerk's: until it is unlocked, nobody acts for the organization. The
// admins read the reason.
func Lock(tx *db.Tx, by audit.Actor, id, reason string) error {
	o, err := forClerk(tx, by, id)
	if err != nil {
		return err
	}
	if reason, err = why(reason, "organization.lock_reason_missing"); err != nil {
		return err
	}
	return lock(tx, by, &o, ByChamber, reason)
}

// Unlock ends a lock, whatever its reason was; not that of the clerk's own company.
func Unlock(tx *db.Tx, by audit.Actor, id string) error {
	o, err := forClerk(tx, by, id)
	if err == nil {
		err = NotOwn(tx, by, id)
	}
	if err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE organization SET state = 'active', locked_reason = '', locked_at = NULL, version = version + 1 WHERE id = $1 AND state = 'locked'`, id)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.Conflict("organization.changed_meanwhile")
	}
	if err := o.record(tx, by, "organization.unlocked", nil); err != nil {
		return err
	}
	return o.TellAdmins(tx, "organization_unlocked", "notice.organization_unlocked", "/organizations/"+id, "", false)
}

// TakeBack is a clerk's: an approved company whose letter nobody answers is no
// more, and can be registered again, also by those whom it really belongs to.
// Who registered it reads the reason.
func TakeBack(tx *db.Tx, by audit.Actor, id, reason string) error {
	o, err := forClerk(tx, by, id)
	if err != nil {
		return err
	}
	if reason, err = why(reason, "organization.take_back_reason_missing"); err != nil {
		return err
	}
	if err := drop(tx, by, o); err != nil {
		return err
	}
	c, err := chamber.Get(tx, o.Chamber)
	if err != nil {
		return err
	}
	if err := notice.Tell(tx, o.RegisteredBy, "notice.organization_taken_back", "/", o.Name); err != nil {
		return err
	}
	return tell(tx, o.RegisteredBy, "organization_taken_back", message{Company: o.Name, Said: reason, Contact: contact(c)})
}

// Abandon ends what a person registered and nobody has activated: only they
// could, and their account is deleted.
func Abandon(tx *db.Tx, by audit.Actor, accountID string) error {
	all, err := registeredBy(tx, accountID)
	for _, o := range all {
		if err == nil && o.State == AwaitingLetter {
			err = drop(tx, by, o)
		}
	}
	return err
}

// drop ends an organization that waits for the answer to its letter.
func drop(tx *db.Tx, by audit.Actor, o Organization) error {
	n, err := tx.Exec(`UPDATE organization SET state = 'closed', closed_at = $1, version = version + 1 WHERE id = $2 AND state = 'letter'`, tx.Now(), o.ID)
	if err != nil {
		return fmt.Errorf("take back %s: %w", o.ID, err)
	}
	if n == 0 {
		return fault.Conflict("organization.changed_meanwhile")
	}
	if err := letter.VoidAll(tx, by, o.ID, "closed"); err != nil {
		return err
	}
	return o.record(tx, by, "organization.taken_back", nil)
}

func forClerk(tx *db.Tx, by audit.Actor, id string) (Organization, error) {
	o, err := load(tx, id)
	if err != nil {
		return o, err
	}
	return o, chamber.MustClerk(tx, by, o.Chamber)
}

func why(text, missing string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", fault.Invalid("reason", missing)
	}
	if n := utf8.RuneCountInString(text); n > 500 {
		return "", fault.Invalid("reason", "organization.reason_long", n)
	}
	return text, nil
}

// LockedKind is the job that tells applications that nobody acts for an
// organization any more; its body names the organization.
const LockedKind = "organization.locked"

func lock(tx *db.Tx, by audit.Actor, o *Organization, reason, said string) error {
	n, err := tx.Exec(`UPDATE organization SET state = 'locked', locked_reason = $1, locked_at = $2, closes_at = NULL, version = version + 1 WHERE id = $3 AND state = 'active'`, reason, tx.Now(), o.ID)
	if err != nil {
		return fmt.Errorf("lock %s: %w", o.ID, err)
	}
	if n == 0 {
		return fault.Conflict("organization.not_active", o.Name)
	}
	o.State, o.LockedReason, o.LockedAt = Locked, reason, tx.Now()
	if err := o.record(tx, by, "organization.locked", map[string]any{"reason": reason}); err != nil {
		return err
	}
	if err := job.Enqueue(tx, LockedKind, o.ID, map[string]string{"organization": o.ID}); err != nil {
		return err
	}
	text := "organization_locked"
	if reason == Revoked {
		text = "organization_revoked"
	}
	return o.TellAdmins(tx, text, "notice.organization_locked", "/organizations/"+o.ID, said, false)
}

func (o Organization) record(tx *db.Tx, by audit.Actor, event string, detail map[string]any) error {
	return audit.Record(tx, by, audit.Entry{Event: event, Account: by.Account, Organization: o.ID, Chamber: o.Chamber, Detail: detail})
}

// TellAdmins writes to all admins of an organization, by mail and under the bell.
// It is about security: nobody can switch these mails off. secure adds the link
// of "this was not you?".
func (o Organization) TellAdmins(tx *db.Tx, text, phrase, href, said string, secure bool) error {
	ids, err := db.Values[string](tx, `SELECT account FROM membership WHERE organization = $1 AND admin AND ended_at IS NULL ORDER BY since, id`, o.ID)
	if err != nil {
		return err
	}
	people, err := account.GetMany(tx, ids)
	if err != nil {
		return err
	}
	c, err := chamber.Get(tx, o.Chamber)
	if err != nil {
		return err
	}
	for _, id := range ids {
		person := people[id].Person()
		m := message{Name: person.Name, Company: o.Name, Chamber: c.Name, Contact: contact(c), ID: o.ID, Said: said, At: o.ClosesAt}
		if secure {
			if m.Disavow, err = account.Disavowal(tx, id); err != nil {
				return err
			}
		}
		if err := Texts.Send(tx, person, text, m); err != nil {
			return err
		}
		if err := notice.Tell(tx, id, phrase, href, o.Name); err != nil {
			return err
		}
	}
	return nil
}

// contact says how to reach the chamber, as far as it told us, line by line.
func contact(c chamber.Chamber) string {
	var all []string
	for _, s := range []string{c.Name, c.Phone, c.Hours, c.Email} {
		if s != "" {
			all = append(all, s)
		}
	}
	return strings.Join(all, "\n")
}
