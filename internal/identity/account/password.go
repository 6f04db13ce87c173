package account

import (
	"context"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/link"
	"zunft/internal/identity/password"
)

// checkRate bounds how often somebody who is signed in may mistype their own
// password. It pauses nothing: a stolen session locks nobody out.
var checkRate = limit.Rate{Burst: 5, Every: time.Minute}

// Verify finds out whether plain is the password of somebody who is signed in
// (ASVS 6.2.3, 7.5.1). It hashes, so it runs outside of any transaction. What
// does not fit is a problem of the given field.
func Verify(ctx context.Context, d *db.DB, h *password.Hasher, by audit.Actor, id, field, plain string) (Proof, error) {
	if plain == "" {
		return Proof{}, fault.Invalid(field, "account.current_missing")
	}
	var p Proof
	if err := d.Write(ctx, func(tx *db.Tx) (err error) {
		if p.Account, err = load(tx, id); err != nil {
			return err
		}
		return limit.TakeIn(tx, "password/"+id, checkRate)
	}); err != nil {
		return Proof{}, err
	}
	good, err := h.Verify(ctx, p.Account.password, plain)
	if err != nil {
		return Proof{}, err
	}
	return p, d.Write(ctx, func(tx *db.Tx) error {
		if !good {
			if err := audit.Record(tx, by, audit.Entry{Event: "password.mistyped", Account: id}); err != nil {
				return err
			}
			return db.Keep(fault.Invalid(field, "account.current_refused"))
		}
		return limit.Forget(tx, "password/"+id)
	})
}

// ChangePassword replaces the password (PHC) of somebody who has just shown the
// one before by [Verify] (R180): exactly once per proof. Marks of known browsers
// end with it, open links for a new password become void, and the mail is sent.
// The caller ends all other sessions in the same transaction.
func ChangePassword(tx *db.Tx, by audit.Actor, p Proof, phc string) (Account, error) {
	if by.Account != p.Account.ID {
		return Account{}, fault.Forbidden()
	}
	a, err := db.One(tx, (*Account).fields, `UPDATE account SET password = $1, password_at = $2, failures = 0, paused_until = NULL, version = version + 1
		WHERE id = $3 AND password = $4 AND state = 'active' RETURNING `+columns, phc, tx.Now(), p.Account.ID, p.Account.password)
	if fault.Is(err, fault.KindNotFound) {
		return Account{}, fault.Conflict("account.try_again")
	}
	if err != nil {
		return Account{}, err
	}
	return a, replaced(tx, by, a, "password.changed")
}

// ResetPassword sets a new password (PHC) by the link of the mail: once, while
// the link is open (R285). A pause ends with it, and a lock that began with
// "Das waren nicht Sie?". The caller ends all sessions in the same transaction.
func ResetPassword(tx *db.Tx, by audit.Actor, token, phc string) (Account, error) {
	id, _, err := link.Use(tx, link.Password, token)
	if err != nil {
		return Account{}, err
	}
	a, err := setPassword(tx, by, id, phc)
	return a, link.Spent(err)
}

// setPassword replaces the password (PHC) of an account whose owner has proved
// in another way who they are. The caller has settled that, and ends all
// sessions in the same transaction. NotFound: the account is not open to it.
func setPassword(tx *db.Tx, by audit.Actor, id, phc string) (Account, error) {
	a, err := db.One(tx, (*Account).fields, `UPDATE account SET password = $1, password_at = $3, failures = 0, paused_until = NULL,
		state = 'active', lock_reason = '', locked_at = NULL, version = version + 1
		WHERE id = $2 AND `+mayReset+` RETURNING `+columns, phc, id, tx.Now())
	if err != nil {
		return Account{}, err
	}
	return a, replaced(tx, by, a, "password.reset")
}

// mayReset: a lock that its owner began by "Das waren nicht Sie?" ends with a
// new password; others end by [Unlock] or at the chamber.
const mayReset = `(state = 'active' OR state = 'locked' AND lock_reason = 'disavowed')`

func (a Account) mayReset() bool {
	return a.State == Active || a.State == Locked && a.LockReason == "disavowed"
}

// replaced is what follows when a password was replaced.
func replaced(tx *db.Tx, by audit.Actor, a Account, event string) error {
	if err := link.Revoke(tx, a.ID, link.Password); err != nil {
		return err
	}
	if err := forgetTries(tx, a); err != nil {
		return err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: event, Account: a.ID}); err != nil {
		return err
	}
	disavow, err := Disavowal(tx, a.ID)
	if err != nil {
		return err
	}
	return texts.Send(tx, a.Person(), "password_changed", passwordChanged{tx.Now(), disavow})
}

// passwordChanged is what the text password_changed may use.
type passwordChanged struct {
	At      db.Time
	Disavow string
}

// forgetTries: limits are for guessing; who proved themselves has not guessed.
func forgetTries(tx *db.Tx, a Account, also ...string) error {
	for _, name := range append(also, fold.Login(a.Email), fold.Login(a.Username)) {
		if err := limit.Forget(tx, "login/name/"+name); err != nil {
			return err
		}
	}
	return nil
}

// Known are the texts a password of this account must not contain (ASVS 6.2.11).
func (a Account) Known() []string {
	return []string{a.Username, a.Email, a.GivenName + " " + a.FamilyName}
}
