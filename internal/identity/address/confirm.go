package address

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/link"
)

// A Request to confirm an address.
type Request struct {
	link.Link
	Account account.Account // whose it is to be; zero for link.Unknown
	Email   string          // empty: withdrawn meanwhile
	Main    bool            // it becomes the main address
}

func (q *Request) fill(tx *db.Tx) (err error) {
	if q.Account, err = account.Get(tx, q.Link.Account); err != nil {
		return err
	}
	q.Main = q.Target == mainTarget
	if q.Main {
		var c Change
		if c, err = Asked(tx, q.Account.ID); err == nil {
			q.Email = c.NewEmail
		}
	} else {
		var f Further
		if f, err = get(tx, q.Account.ID, q.Target); err == nil {
			q.Email = f.Email
		}
	}
	if fault.Is(err, fault.KindNotFound) {
		err = nil
	}
	return err
}

// Waiting is the newest request of a session, for the page that takes its code.
// A conflict: there is none.
func Waiting(tx *db.Tx, sessionID string) (q Request, err error) {
	if q.Link.Account, q.Target, err = link.Waiting(tx, link.Email, sessionID); err != nil {
		return q, err
	}
	return q, q.fill(tx)
}

// Look looks at the link of a mail without using it.
func Look(tx *db.Tx, token string) (q Request, err error) {
	if q.Link, err = link.Look(tx, link.Email, token); err != nil || q.State == link.Unknown {
		return q, err
	}
	return q, q.fill(tx)
}

// Confirm is the button behind the link of a mail (R293).
func Confirm(tx *db.Tx, by audit.Actor, token string) (Request, error) {
	id, target, err := link.Use(tx, link.Email, token)
	return confirm(tx, by, id, target, "link", err)
}

// ConfirmByCode takes the code of the mail, in the session that asked.
func ConfirmByCode(tx *db.Tx, by audit.Actor, code string) (Request, error) {
	id, target, err := link.UseCode(tx, link.Email, by.Session, code)
	return confirm(tx, by, id, target, "code", err)
}

func confirm(tx *db.Tx, by audit.Actor, id, target, way string, err error) (Request, error) {
	q := Request{Link: link.Link{State: link.Used, Account: id, Target: target, UsedAt: tx.Now()}, Main: target == mainTarget}
	if err != nil {
		return q, err
	}
	if q.Account, err = account.Get(tx, id); err != nil {
		return q, link.Spent(err)
	}
	if q.Account.State != account.Active { // locks count at redemption, too
		return q, fault.Conflict("link.spent")
	}
	if q.Main {
		c, err := Asked(tx, id)
		if err != nil {
			return q, link.Spent(err)
		}
		q.Email = c.NewEmail
		q.Account, err = change(tx, by, q.Account, c, way)
		return q, err
	}
	if err := free(tx, id, target); err != nil {
		return q, err
	}
	f, err := db.One(tx, (*Further).fields, `UPDATE account_email SET confirmed_at = $1 WHERE account = $2 AND email_key = $3 AND confirmed_at IS NULL
		RETURNING email, confirmed_at`, tx.Now(), id, target)
	if db.Unique(err) {
		return q, fault.Conflict("account.try_again")
	}
	if err != nil {
		return q, link.Spent(err)
	}
	q.Email = f.Email
	if err := audit.Record(tx, by, audit.Entry{Event: "address.confirmed", Account: id, Detail: map[string]any{"by": way}}); err != nil {
		return q, err
	}
	return q, tell(tx, q.Account, "address_added", message{Address: f.Email})
}

// free waits for its turn and lets pass whom the address may belong to. To
// others it is a link that opens nothing: they learn no more (W12).
func free(tx *db.Tx, accountID, key string) error {
	if err := account.Turn(tx, key); err != nil {
		return err
	}
	owner, err := account.Owner(tx, key)
	if fault.Is(err, fault.KindNotFound) || err == nil && owner.ID == accountID {
		return nil
	}
	if err != nil {
		return err
	}
	return fault.Conflict("link.spent")
}
