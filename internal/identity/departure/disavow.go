package departure

import (
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
	"zunft/internal/identity/address"
	"zunft/internal/identity/link"
)

// A Secured account, after "Das waren nicht Sie?".
type Secured struct {
	Account account.Account
	// Token opens the page for a new password: whoever holds the link of the
	// mail has shown that the mailbox is theirs. Empty if the main address was
	// changed since that mail was sent, and too long ago to take it back: then
	// the link goes to the address of today; an old mailbox opens nothing.
	Token string
}

// Disavow secures an account whose owner says, by the link of a mail about
// security, that it was not them (ux.md 2.5): it is locked until there is a new
// password, all sessions end, what is open by link or half set up becomes void.
// Second factors stay: a mailbox alone must not take them away. Only the one goes
// that the mail was about, as long as an address could be taken back, too: a
// stranger's passkey would open the secured account.
func Disavow(tx *db.Tx, by audit.Actor, token string) (s Secured, err error) {
	since, err := sentAt(tx, token)
	if err != nil {
		return s, link.Spent(err)
	}
	id, about, err := link.Use(tx, link.Disavow, token)
	if err != nil {
		return s, err
	}
	if strings.HasPrefix(about, account.DisavowChange) { // that mail went to the old mailbox, in the moment of the change
		since = since.Add(-time.Microsecond)
	}
	by.Account = id
	if s.Account, err = account.Get(tx, id); err != nil {
		return s, err
	}
	switch {
	case s.Account.State == account.Active:
		if s.Account, err = account.Lock(tx, by, id, account.LockedByDisavowal); err != nil {
			return s, err
		}
	case !Disavowable(s.Account):
		return s, fault.Conflict("departure.locked_already")
	default: // locked by themselves, or by whoever it was: a new password ends that, too
		if _, err := tx.Exec(`UPDATE account SET lock_reason = 'disavowed', version = version + 1 WHERE id = $1 AND state = 'locked'`, id); err != nil {
			return s, err
		}
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "account.disavowed", Account: id}); err != nil {
		return s, err
	}
	if err := out(tx, by, id); err != nil {
		return s, err
	}
	for _, statement := range []string{
		`UPDATE account SET delete_at = NULL WHERE id = $1`,
		`UPDATE address_change SET state = 'superseded' WHERE account = $1 AND state = 'asked'`,
		`DELETE FROM account_email WHERE account = $1 AND confirmed_at IS NULL`,
		`DELETE FROM factor WHERE account = $1 AND state <> 'active'`,
		`UPDATE factor_code SET state = 'superseded' WHERE account = $1 AND state = 'open'`,
	} {
		if _, err := tx.Exec(statement, id); err != nil {
			return s, err
		}
	}
	if f, ok := newFactor(about, since, tx.Now()); ok {
		n, err := tx.Exec(`DELETE FROM factor WHERE id = $1 AND account = $2`, f, id)
		if err != nil {
			return s, err
		}
		if n > 0 {
			if err := audit.Record(tx, by, audit.Entry{Event: "factor.removed", Account: id, Thing: f, Detail: map[string]any{"by": "disavowed"}}); err != nil {
				return s, err
			}
		}
	}
	// The main address of today may be the stranger's: what can be taken back is.
	undone, password, err := address.UndoSince(tx, by, id, since)
	if err == nil {
		s.Account, s.Token = undone, password
		return s, nil
	}
	if !fault.Is(err, fault.KindNotFound) {
		return s, err
	}
	moved, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM address_change WHERE account = $1 AND state = 'done' AND done_at > $2)`, id, since)
	if err != nil {
		return s, err
	}
	if moved {
		err := account.AskPassword(tx, by, s.Account.Email)
		if fault.Is(err, fault.KindLimited) { // one was sent a moment ago
			err = nil
		}
		return s, err
	}
	s.Token, _, err = link.Issue(tx, id, link.Password, "", "", passwordFor)
	return s, err
}

// newFactor is the id of the second factor that a link is about (the link's
// target), if it was added so short a time ago that the link takes it away.
func newFactor(about string, sent, now db.Time) (id string, ok bool) {
	id, ok = strings.CutPrefix(about, account.DisavowFactor)
	return id, ok && now.Sub(sent) < address.UndoFor
}

// Disavowable accounts can be secured by their owner; what the chamber has
// locked is secure already, and the chamber's to end.
func Disavowable(a account.Account) bool {
	return a.State == account.Active || a.State == account.Locked && (a.LockReason == account.LockedBySelf || a.LockReason == account.LockedByDisavowal)
}

// sentAt is when the mail with this link was written.
func sentAt(tx *db.Tx, token string) (db.Time, error) {
	return db.Value[db.Time](tx, `SELECT created_at FROM account_link WHERE token_hash = $1`, seal.Hash(token))
}
