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

// RecoverKind is the job that answers "Passwort vergessen".
const RecoverKind = "account.recover"

// asked is the job's body; what was typed is sealed: it may be an address.
type asked struct {
	ID, Login string
	By        audit.Actor
}

// AskPassword takes note that somebody wants a link for a new password (R283,
// M13). Whether there is such an account is found out later by a job, so that
// known and unknown names are answered alike, in the same time.
func AskPassword(tx *db.Tx, by audit.Actor, login string) error {
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
	return job.Enqueue(tx, RecoverKind, id, asked{id, tx.Keys().Seal("recover/"+id, []byte(login)), by})
}

// Recover is the work of jobs of [RecoverKind]: it sends the link, if there is
// somebody to send it to.
func Recover(d *db.DB) job.Work {
	return func(ctx context.Context, body []byte) error {
		var q asked
		if err := json.Unmarshal(body, &q); err != nil {
			return fmt.Errorf("%w: recover: %w", job.ErrGiveUp, err)
		}
		login, err := d.Keys.Open("recover/"+q.ID, q.Login)
		if err != nil {
			return fmt.Errorf("%w: %w", job.ErrGiveUp, err)
		}
		return d.Write(ctx, func(tx *db.Tx) error { return sendPasswordLink(tx, q.By, string(login)) })
	}
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
