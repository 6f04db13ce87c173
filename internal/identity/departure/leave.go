package departure

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/ground/limit"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/link"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/session"
)

// Lock is the acting person's own lock (R181): nobody gets in, until a link to
// the address of the account ends it (L05).
func Lock(tx *db.Tx, by audit.Actor) error {
	a, err := account.Lock(tx, by, by.Account, account.LockedBySelf)
	if err != nil {
		return err
	}
	if err := out(tx, by, a.ID); err != nil {
		return err
	}
	return tell(tx, a, "locked", letter{At: tx.Now()})
}

// out ends all sessions, and what could open the account later.
func out(tx *db.Tx, by audit.Actor, id string) error {
	if err := session.EndAll(tx, by, id, ""); err != nil {
		return err
	}
	for _, purpose := range []link.Purpose{link.Password, link.Email, link.Unlock} {
		if err := link.Revoke(tx, id, purpose); err != nil {
			return err
		}
	}
	return nil
}

// tell sends a mail about security.
func tell(tx *db.Tx, a account.Account, text string, l letter) (err error) {
	l.Name = a.Name()
	if l.Disavow, err = account.Disavowal(tx, a.ID); err != nil {
		return err
	}
	return texts.Send(tx, a.Person(), text, l)
}

// Ask begins the deletion of the acting person's own account (R181). It is
// carried out after [Grace]. Conflict: an organization would be left without an
// admin (L06), or it was asked for already.
func Ask(tx *db.Tx, by audit.Actor) (deleteAt db.Time, err error) {
	if by.Account == "" {
		return deleteAt, fault.Forbidden()
	}
	if err := membership.MayGo(tx, by.Account); err != nil {
		return deleteAt, err
	}
	if err := chamber.MayGo(tx, by.Account); err != nil {
		return deleteAt, err
	}
	deleteAt = tx.Now().Add(Grace)
	n, err := tx.Exec(`UPDATE account SET delete_at = $1, told_at = NULL, version = version + 1 WHERE id = $2 AND state = 'active' AND delete_at IS NULL`, deleteAt, by.Account)
	if err != nil {
		return deleteAt, err
	}
	if n == 0 {
		return deleteAt, fault.Conflict("departure.asked_already")
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "account.deletion_asked", Account: by.Account}); err != nil {
		return deleteAt, err
	}
	if err := out(tx, by, by.Account); err != nil {
		return deleteAt, err
	}
	a, err := account.Get(tx, by.Account)
	if err != nil {
		return deleteAt, err
	}
	token, err := keepLink(tx, a.ID, Grace)
	if err != nil {
		return deleteAt, err
	}
	return deleteAt, tell(tx, a, "going", letter{At: deleteAt, Token: token})
}

func keepLink(tx *db.Tx, id string, lasts time.Duration) (token string, err error) {
	token, _, err = link.Issue(tx, id, link.Keep, "", "", lasts)
	return token, err
}

// KeepLink looks at a link of [Keep] without using it.
func KeepLink(tx *db.Tx, token string) (l link.Link, deleteAt db.Time, err error) {
	if l, err = link.Look(tx, link.Keep, token); err != nil || l.State == link.Unknown {
		return l, deleteAt, err
	}
	a, err := account.Get(tx, l.Account)
	return l, a.DeleteAt, err
}

// Keep keeps an account that is going, or was told that it would, by the link
// of the mail: once.
func Keep(tx *db.Tx, by audit.Actor, token string) (account.Account, error) {
	id, _, err := link.Use(tx, link.Keep, token)
	if err != nil {
		return account.Account{}, err
	}
	by.Account = id // who holds the link has shown that the mailbox is theirs
	return KeepOwn(tx, by)
}

// KeepOwn keeps the account of the person who acts: they have come back.
func KeepOwn(tx *db.Tx, by audit.Actor) (account.Account, error) {
	n, err := tx.Exec(`UPDATE account SET delete_at = NULL, told_at = NULL, used_at = $1, version = version + 1
		WHERE id = $2 AND state = 'active' AND (delete_at IS NOT NULL OR told_at IS NOT NULL)`, tx.Now(), by.Account)
	if err == nil && n == 0 {
		err = fault.Conflict("departure.not_going")
	}
	if err != nil {
		return account.Account{}, err
	}
	if err := link.Revoke(tx, by.Account, link.Keep); err != nil {
		return account.Account{}, err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "account.kept", Account: by.Account}); err != nil {
		return account.Account{}, err
	}
	a, err := account.Get(tx, by.Account)
	if err != nil {
		return a, err
	}
	return a, tell(tx, a, "kept", letter{At: tx.Now()})
}

const unlockKind = "departure.unlock"

var (
	askRate  = limit.Rate{Burst: 20, Every: time.Minute}
	nameRate = limit.Rate{Burst: 3, Every: 10 * time.Minute}
)

// asked is the body of a job of unlockKind; what was typed is sealed: it may be an address.
type asked struct {
	ID, Login string
	By        audit.Actor
}

// AskUnlock takes note that somebody wants the link that ends their own lock, or
// a pause (L05, W11). Whether there is such an account is found out later, by a
// job, so that known and unknown names are answered alike.
func AskUnlock(tx *db.Tx, by audit.Actor, login string) error {
	key := fold.Login(login)
	if key == "" {
		return fault.Invalid("login", "departure.login_missing")
	}
	if len(login) > 1000 {
		return fault.Invalid("login", "departure.login_long")
	}
	if err := limit.TakeIn(tx, "unlock/ip/"+limit.Network(by.IP), askRate); err != nil {
		return err
	}
	if err := limit.TakeIn(tx, "unlock/name/"+key, nameRate); err != nil {
		return db.Keep(err)
	}
	id := db.NewID()
	return job.Enqueue(tx, unlockKind, id, asked{id, tx.Keys().Seal("unlock/"+id, []byte(login)), by})
}

func sendUnlock(d *db.DB) job.Work {
	return func(ctx context.Context, body []byte) error {
		var q asked
		if err := json.Unmarshal(body, &q); err != nil {
			return fmt.Errorf("%w: unlock: %w", job.ErrGiveUp, err)
		}
		login, err := d.Keys.Open("unlock/"+q.ID, q.Login)
		if err != nil {
			return fmt.Errorf("%w: %w", job.ErrGiveUp, err)
		}
		return d.Write(ctx, func(tx *db.Tx) error {
			a, err := account.ByLogin(tx, string(login))
			if fault.Is(err, fault.KindNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			// One person is asked for by name and by each address: it is one mailbox.
			if err := limit.TakeIn(tx, "unlock/account/"+a.ID, nameRate); err != nil {
				if fault.Is(err, fault.KindLimited) {
					return nil
				}
				return err
			}
			return account.SendUnlock(tx, q.By, a)
		})
	}
}
