package account

import (
	"fmt"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/link"
)

// unlockFor is as long as the longest lock that a mail ends by itself (R287).
const unlockFor = 24 * time.Hour

// Reasons of a lock. Only what its owner began ends by a mail.
const (
	LockedBySelf      = "self"      // R181
	LockedByChamber   = "chamber"   // by a clerk or at the console
	LockedForLeaving  = "leaving"   // the grace of a deletion
	LockedByDisavowal = "disavowed" // "Das waren nicht Sie?": ends with a new password
)

// Lock closes an account: it opens by no password, code or key, and its tokens
// end. People lock their own; commands and the system any. The caller ends all
// sessions in the same transaction.
func Lock(tx *db.Tx, by audit.Actor, id, reason string) (Account, error) {
	if (by.Kind == audit.Person || by.Kind == "") && (by.Account != id || reason == LockedByChamber) {
		return Account{}, fault.Forbidden()
	}
	return lock(tx, by, id, reason)
}

// LockByClerk closes an account for a chamber. Package clerk asks whether the
// clerk may; the caller ends all sessions in the same transaction.
func LockByClerk(tx *db.Tx, by audit.Actor, id string) (Account, error) {
	return lock(tx, by, id, LockedByChamber)
}

// UnlockByClerk ends what LockByClerk began, and nothing that its owner began.
func UnlockByClerk(tx *db.Tx, by audit.Actor, id string) (Account, error) {
	a, err := unlock(tx, id, `state = 'locked' AND lock_reason = 'chamber'`)
	if fault.Is(err, fault.KindNotFound) {
		return Account{}, fault.Conflict("account.not_locked")
	}
	if err != nil {
		return Account{}, err
	}
	return a, audit.Record(tx, by, audit.Entry{Event: "account.unlocked", Account: id, Detail: map[string]any{"by": "chamber"}})
}

func lock(tx *db.Tx, by audit.Actor, id, reason string) (Account, error) {
	a, err := db.One(tx, (*Account).fields, `UPDATE account SET state = 'locked', lock_reason = $1, locked_at = $2, version = version + 1
		WHERE id = $3 AND state = 'active' RETURNING `+columns, reason, tx.Now(), id)
	if fault.Is(err, fault.KindNotFound) {
		return Account{}, fault.Conflict("account.not_active")
	}
	if err != nil {
		return Account{}, err
	}
	return a, audit.Record(tx, by, audit.Entry{Event: "account.locked", Account: id, Detail: map[string]any{"reason": reason}})
}

// SendUnlock sends the link that ends a lock or a pause, if the account has one
// that a mail may end (W11). Otherwise it does nothing.
func SendUnlock(tx *db.Tx, by audit.Actor, a Account) error {
	if !a.mayUnlock() || a.State == Active && !a.pausedUntil.After(tx.Now()) {
		return nil
	}
	token, _, err := link.Issue(tx, a.ID, link.Unlock, "", "", unlockFor)
	if err != nil {
		return fmt.Errorf("unlock link: %w", err)
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "account.unlock_sent", Account: a.ID}); err != nil {
		return err
	}
	m := unlockMail{Token: token}
	if a.State == Active {
		m.Until = a.pausedUntil
	}
	return texts.Send(tx, a.Person(), "unlock", m)
}

// unlockMail is what the text unlock may use.
type unlockMail struct {
	Token string
	Until db.Time // of a pause; zero: a lock of one's own
}

func (a Account) mayUnlock() bool {
	return a.State == Active || a.State == Locked && a.LockReason == LockedBySelf
}

// UnlockLink looks at a link that ends a lock without using it.
func UnlockLink(tx *db.Tx, token string) (Link, error) { return look(tx, link.Unlock, token) }

// Unlock ends a lock of 24 hours, a pause (R287, W11) or a lock of one's own
// (R181) by the link of the mail: once.
func Unlock(tx *db.Tx, by audit.Actor, token string) (Account, error) {
	id, _, err := link.Use(tx, link.Unlock, token)
	if err != nil {
		return Account{}, err
	}
	a, err := unlock(tx, id, `(state = 'active' OR state = 'locked' AND lock_reason = 'self')`)
	if err != nil {
		return Account{}, link.Spent(err)
	}
	return a, audit.Record(tx, by, audit.Entry{Event: "account.unlocked", Account: id, Detail: map[string]any{"by": "link"}})
}

// Release ends whatever lock or pause there is, but the grace of a deletion:
// for commands and the system.
func Release(tx *db.Tx, by audit.Actor, id string) (Account, error) {
	if by.Kind != audit.Command && by.Kind != audit.System {
		return Account{}, fault.Forbidden()
	}
	a, err := unlock(tx, id, `(state = 'active' OR state = 'locked' AND lock_reason <> 'leaving')`)
	if fault.Is(err, fault.KindNotFound) {
		return Account{}, fault.Conflict("account.not_locked")
	}
	if err != nil {
		return Account{}, err
	}
	if err := link.Revoke(tx, id, link.Unlock); err != nil {
		return Account{}, err
	}
	return a, audit.Record(tx, by, audit.Entry{Event: "account.unlocked", Account: id, Detail: map[string]any{"by": "chamber"}})
}

func unlock(tx *db.Tx, id, which string) (Account, error) {
	a, err := db.One(tx, (*Account).fields, `UPDATE account SET state = 'active', lock_reason = '', locked_at = NULL, failures = 0, paused_until = NULL,
		version = version + 1 WHERE id = $1 AND `+which+` RETURNING `+columns, id)
	if err != nil {
		return Account{}, err
	}
	return a, forgetTries(tx, a)
}
