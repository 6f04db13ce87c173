package account

import (
	"context"
	"encoding/json"
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/ground/limit"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/link"
)

// RecoverKind is the job that answers "Passwort vergessen" and "Konto entsperren".
const RecoverKind = "account.recover"

// asked is the job's body; what was typed is sealed: it may be an address.
type asked struct {
	ID, Login string
	By        audit.Actor
	Account   string // known already: nobody asked
	Unlock    bool
}

// AskPassword takes note that somebody wants a link for a new password (R283,
// M13). Whether there is such an account is found out later by a job, so that
// known and unknown names are answered alike, in the same time.
func AskPassword(tx *db.Tx, by audit.Actor, login string) error {
	return ask(tx, by, login, false)
}

// AskUnlock does so for a link that ends a lock (R181, W11).
func AskUnlock(tx *db.Tx, by audit.Actor, login string) error { return ask(tx, by, login, true) }

func ask(tx *db.Tx, by audit.Actor, login string, unlock bool) error {
	if fold.Login(login) == "" {
		return fault.Invalid("login", "account.login_missing")
	}
	if len(login) > 4*maxEmail {
		return fault.Invalid("login", "account.email_long", "254")
	}
	if err := limit.TakeIn(tx, "recover/ip/"+limit.Network(by.IP), askRate); err != nil {
		return err
	}
	if err := limit.TakeIn(tx, "recover/name/"+fold.Login(login), nameRate); err != nil {
		return db.Keep(err)
	}
	id := db.NewID()
	return job.Enqueue(tx, RecoverKind, id, asked{ID: id, Login: tx.Keys().Seal("recover/"+id, []byte(login)), By: by, Unlock: unlock})
}

// enqueueUnlock sends the link by a job: what else it costs would tell that
// there is an account.
func enqueueUnlock(tx *db.Tx, by audit.Actor, account string) error {
	id := db.NewID()
	return job.Enqueue(tx, RecoverKind, id, asked{ID: id, By: by, Account: account, Unlock: true})
}

// Recover is the work of jobs of [RecoverKind]: it sends the link, if there is
// somebody to send it to.
func Recover(d *db.DB) job.Work {
	return func(ctx context.Context, body []byte) error {
		var q asked
		if err := json.Unmarshal(body, &q); err != nil {
			return fmt.Errorf("%w: recover: %w", job.ErrGiveUp, err)
		}
		if q.Account != "" {
			return d.Write(ctx, func(tx *db.Tx) error {
				a, err := load(tx, q.Account)
				if fault.Is(err, fault.KindNotFound) {
					return nil
				}
				if err != nil {
					return err
				}
				return SendUnlock(tx, q.By, a)
			})
		}
		login, err := d.Keys.Open("recover/"+q.ID, q.Login)
		if err != nil {
			return fmt.Errorf("%w: %w", job.ErrGiveUp, err)
		}
		if q.Unlock {
			return d.Write(ctx, func(tx *db.Tx) error { return sendUnlockLink(tx, q.By, string(login)) })
		}
		return d.Write(ctx, func(tx *db.Tx) error { return sendPasswordLink(tx, q.By, string(login)) })
	}
}

func sendUnlockLink(tx *db.Tx, by audit.Actor, login string) error {
	a, err := ByLogin(tx, login)
	if fault.Is(err, fault.KindNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := limit.TakeIn(tx, "recover/account/"+a.ID, nameRate); fault.Is(err, fault.KindLimited) {
		return nil
	} else if err != nil {
		return err
	}
	return SendUnlock(tx, by, a)
}

func sendPasswordLink(tx *db.Tx, by audit.Actor, login string) error {
	a, err := ByLogin(tx, login)
	if fault.Is(err, fault.KindNotFound) || err == nil && !a.mayReset() {
		return nil
	}
	if err != nil {
		return err
	}
	// One person is asked for by name and by each address: it is one mailbox.
	if err := limit.TakeIn(tx, "recover/account/"+a.ID, nameRate); fault.Is(err, fault.KindLimited) {
		return nil
	} else if err != nil {
		return err
	}
	to := a.Person()
	// A confirmed further address is there for exactly this (R044).
	if further, err := db.Value[string](tx, `SELECT email FROM account_email WHERE account = $1 AND email_key = $2 AND confirmed_at IS NOT NULL`, a.ID, fold.Login(login)); err == nil {
		to.Address = further
	} else if !fault.Is(err, fault.KindNotFound) {
		return err
	}
	token, _, err := link.Issue(tx, a.ID, link.Password, "", "", passwordFor)
	if err != nil {
		return fmt.Errorf("password link: %w", err)
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "password.link_sent", Account: a.ID}); err != nil {
		return err
	}
	return texts.Send(tx, to, "password_link", struct{ Token, Login string }{token, a.Username})
}
