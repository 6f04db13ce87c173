package departure

import (
	"context"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/mandate"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/registration"
	"zunft/internal/identity/session"
)

// forgotten is what goes with a person, row by row. What is not named here and
// refers to accounts stays for a reason; a test holds the list of both.
var forgotten = []string{
	`DELETE FROM account_email WHERE account = $1`,
	`DELETE FROM account_number WHERE account = $1`,
	`DELETE FROM account_link WHERE account = $1`,
	// What happened at an application's door stays its thirty days, by nobody; an application keeps a thousand at most.
	`UPDATE application_event SET account = '' WHERE account = $1`,
	`DELETE FROM address_change WHERE account = $1`,
	`DELETE FROM consent WHERE account = $1`,
	`DELETE FROM dossier WHERE account = $1`,
	`DELETE FROM factor WHERE account = $1`,
	`DELETE FROM mandate_person WHERE account = $1`,
	// Whom a company let act for it stays, by an id that names nobody; package mandate has ended it.
	`UPDATE mandate SET email = '', email_key = '' WHERE account = $1`,
	`DELETE FROM factor_code WHERE account = $1`,
	`DELETE FROM name_correction WHERE account = $1`,
	`DELETE FROM notice WHERE account = $1`,
	`DELETE FROM notice_choice WHERE account = $1`,
	`DELETE FROM oidc_grant WHERE account = $1`,
	`DELETE FROM parked_form WHERE account = $1`,
	`DELETE FROM passkey_ceremony WHERE account = $1`,
	`DELETE FROM recovery_code WHERE account = $1`,
	`DELETE FROM session WHERE account = $1`,
	`DELETE FROM staff WHERE account = $1`,
	// That somebody was invited and came stays with the company; who, does not.
	`UPDATE invitation SET email = '', email_key = '', given_name = '', family_name = '', apprentice_number = '', trainer_number = '', message = '', failure = '', words = '' WHERE account = $1`,
	// The chamber's decision stays; what was claimed, and where the letter went, does not.
	`UPDATE membership SET words = '', name_key = '', apprentice_number = '', trainer_number = '' WHERE account = $1`,
	`DELETE FROM chamber_person_word WHERE account = $1`,
	`DELETE FROM chamber_person WHERE account = $1`,
	`UPDATE recovery SET claimed = '', address = '', account = '', state = CASE WHEN state IN ('submitted', 'approved', 'released') THEN 'cancelled' ELSE state END WHERE account = $1`,
}

// dueAtOnce is how many ids are read at once.
const dueAtOnce = 100

// CarryOut deletes the accounts whose time has come, each in a transaction of
// its own. A periodic job calls it.
func CarryOut(ctx context.Context, d *db.DB) error {
	for {
		var due []string
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			due, err = db.Values[string](tx, `SELECT id FROM account WHERE delete_at IS NOT NULL AND delete_at <= $1 ORDER BY delete_at, id LIMIT $2`, tx.Now(), dueAtOnce)
			return err
		})
		if err != nil || len(due) == 0 {
			return err
		}
		for _, id := range due {
			err := d.Write(ctx, func(tx *db.Tx) error { return remove(tx, id) })
			if fault.Is(err, fault.KindConflict) {
				err = d.Write(ctx, func(tx *db.Tx) error { return postpone(tx, id) })
			}
			if err != nil && !fault.Is(err, fault.KindNotFound) { // kept a moment ago
				return err
			}
		}
	}
}

// GoneKind is the job that follows the end of an account: whoever tells
// applications (package openid) does it.
const GoneKind = "account.gone"

// Gone is the body of a job of [GoneKind]: an id that names nobody any more.
type Gone struct {
	Account string  `json:"account"`
	At      db.Time `json:"at"`
}

// remove makes an account a tombstone: an id that others may still refer to,
// and nothing else. NotFound: it is not due (any more). Conflict: an
// organization would be left without an admin.
func remove(tx *db.Tx, id string) error {
	a, err := account.Get(tx, id)
	if err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE account SET state = 'deleted', lock_reason = '', salutation = '', title = '', given_name = '', family_name = '', name_key = '',
		username = '', username_key = id, email = '', email_key = id, password = '', password_at = NULL, policy = '', chamber = '', answers = '', name_source = 'self',
		failures = 0, paused_until = NULL, code_failures = 0, code_paused_until = NULL, confirmed_at = NULL, used_at = NULL, told_at = NULL, locked_at = NULL,
		delete_at = NULL, version = version + 1
		WHERE id = $1 AND state IN ('active', 'locked') AND delete_at IS NOT NULL AND delete_at <= $2`, id, tx.Now())
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.NotFound()
	}
	by := audit.Actor{Kind: audit.System, Account: id} // the clock, on behalf of the person
	if err := session.EndAll(tx, by, id, ""); err != nil {
		return err
	}
	if err := membership.EndAll(tx, by, id); err != nil {
		return err
	}
	if err := chamber.MayGo(tx, id); err != nil { // the others went first
		return err
	}
	if err := mandate.EndAll(tx, by, id); err != nil {
		return err
	}
	registrations, err := registration.Registrations(tx, id)
	if err != nil {
		return err
	}
	for _, r := range registrations {
		if r.Pending() {
			if err := registration.Withdraw(tx, by, r.ID); err != nil {
				return err
			}
		}
	}
	if err := organization.Abandon(tx, by, id); err != nil {
		return err
	}
	for _, statement := range forgotten {
		if _, err := tx.Exec(statement, id); err != nil {
			return err
		}
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "account.deleted", Account: id}); err != nil {
		return err
	}
	if err := audit.Forget(tx, id); err != nil {
		return err
	}
	if err := job.Enqueue(tx, GoneKind, id, Gone{Account: id, At: tx.Now()}); err != nil {
		return err
	}
	return texts.Send(tx, a.Person(), "gone", letter{Name: a.Name(), At: tx.Now()})
}

// postpone waits for a company to find another admin: the others left, or
// stopped being one, after this person had asked.
func postpone(tx *db.Tx, id string) error {
	at := tx.Now().Add(postponed)
	n, err := tx.Exec(`UPDATE account SET delete_at = $1, version = version + 1 WHERE id = $2 AND delete_at IS NOT NULL AND delete_at <= $3`, at, id, tx.Now())
	if err != nil || n == 0 {
		return err
	}
	if err := audit.Record(tx, audit.Job, audit.Entry{Event: "account.deletion_postponed", Account: id}); err != nil {
		return err
	}
	a, err := account.Get(tx, id)
	if err != nil {
		return err
	}
	token, err := keepLink(tx, id, postponed)
	if err != nil {
		return err
	}
	return texts.Send(tx, a.Person(), "waits", letter{Name: a.Name(), At: at, Token: token})
}
