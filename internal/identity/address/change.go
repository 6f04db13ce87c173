package address

import (
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/identity/account"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/link"
	"zunft/internal/identity/policy"
)

// A Change of the main address.
type Change struct {
	ID, Account        string
	OldEmail, NewEmail string
	State              string // asked, done, undone, superseded
	AskedAt, DoneAt    db.Time
	UndoUntil          db.Time
}

const changeColumns = `id, account, old_email, new_email, state, asked_at, done_at, undo_until`

func (c *Change) fields() []any {
	return []any{&c.ID, &c.Account, &c.OldEmail, &c.NewEmail, &c.State, &c.AskedAt, &c.DoneAt, &c.UndoUntil}
}

// Asked is the change that waits for its new address to answer.
func Asked(tx *db.Tx, accountID string) (Change, error) {
	return db.One(tx, (*Change).fields, `SELECT `+changeColumns+` FROM address_change WHERE account = $1 AND state = 'asked'`, accountID)
}

// Undoable is the newest change that the old address can still take back.
func Undoable(tx *db.Tx, accountID string) (Change, error) {
	return db.One(tx, (*Change).fields, `SELECT `+changeColumns+` FROM address_change WHERE account = $1 AND state = 'done' AND undo_until > $2
		ORDER BY id DESC LIMIT 1`, accountID, tx.Now())
}

// AskChange begins the change of the main address. A further address that is
// confirmed becomes it at once, and the old one a further one; a new one gets
// the mail that confirms it. The change asked for before is superseded (R294).
func AskChange(tx *db.Tx, by audit.Actor, typed string) (done bool, err error) {
	email, err := account.ReadEmail("email", typed)
	if err != nil {
		return false, err
	}
	a, err := begin(tx, by)
	if err != nil {
		return false, err
	}
	key := fold.Login(email)
	if key == fold.Login(a.Email) {
		return false, fault.Invalid("email", "address.is_main")
	}
	rules, err := policy.Of(tx, a.Policy)
	if err == nil {
		err = rules.SignUp.MailAllowed(email) // R243: what holds at the sign-up holds afterwards
	}
	if err != nil {
		return false, err
	}
	c, err := note(tx, a, email)
	if err != nil {
		return false, err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "address.change_asked", Account: a.ID, Thing: c.ID}); err != nil {
		return false, err
	}
	f, err := get(tx, a.ID, key)
	if err == nil && f.Confirmed() {
		if err := limit.TakeIn(tx, "address/person/"+a.ID, personRate); err != nil {
			return false, err
		}
		if a, err = change(tx, by, a, c, "further"); err != nil {
			return false, err
		}
		_, err = tx.Exec(`INSERT INTO account_email (account, email, email_key, created_at, confirmed_at) VALUES ($1, $2, $3, $4, $4)`,
			a.ID, c.OldEmail, fold.Login(c.OldEmail), tx.Now())
		return true, err
	}
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return false, err
	}
	return false, ask(tx, by, a, email, mainTarget)
}

// AskAgain sends the mail to the new main address once more.
func AskAgain(tx *db.Tx, by audit.Actor) error {
	a, err := begin(tx, by)
	if err != nil {
		return err
	}
	c, err := Asked(tx, a.ID)
	if fault.Is(err, fault.KindNotFound) {
		return fault.Conflict("address.changed_meanwhile")
	}
	if err != nil {
		return err
	}
	return ask(tx, by, a, c.NewEmail, mainTarget)
}

// Withdraw gives up the change that waits.
func Withdraw(tx *db.Tx, by audit.Actor) error {
	a, err := begin(tx, by)
	if err != nil {
		return err
	}
	if err := supersede(tx, a.ID); err != nil {
		return err
	}
	if err := void(tx, a.ID, mainTarget); err != nil {
		return err
	}
	return audit.Record(tx, by, audit.Entry{Event: "address.change_withdrawn", Account: a.ID})
}

func supersede(tx *db.Tx, accountID string) error {
	_, err := tx.Exec(`UPDATE address_change SET state = 'superseded' WHERE account = $1 AND state = 'asked'`, accountID)
	return err
}

// note writes down what is asked for, instead of what was asked for before.
func note(tx *db.Tx, a account.Account, email string) (Change, error) {
	if err := supersede(tx, a.ID); err != nil {
		return Change{}, err
	}
	return db.One(tx, (*Change).fields, `INSERT INTO address_change (id, account, old_email, old_key, new_email, new_key, state, asked_at)
		VALUES ($1, $2, $3, $4, $5, $6, 'asked', $7) RETURNING `+changeColumns, db.NewID(), a.ID, a.Email, fold.Login(a.Email), email, fold.Login(email), tx.Now())
}

// change carries out what was asked for: the new address is the main one, the
// old one is told and can take it back.
func change(tx *db.Tx, by audit.Actor, a account.Account, c Change, way string) (account.Account, error) {
	key := fold.Login(c.NewEmail)
	if err := free(tx, a.ID, key); err != nil {
		return a, err
	}
	if err := move(tx, a.ID, fold.Login(c.OldEmail), c.NewEmail, account.Active); err != nil {
		return a, err
	}
	n, err := tx.Exec(`UPDATE address_change SET state = 'done', done_at = $1, undo_until = $2 WHERE id = $3 AND state = 'asked'`, tx.Now(), tx.Now().Add(UndoFor), c.ID)
	if err != nil {
		return a, err
	}
	if n == 0 {
		return a, fault.Conflict("link.spent")
	}
	if err := void(tx, a.ID, key); err != nil { // had it been asked for as a further one
		return a, err
	}
	// A link for a new password that lies in the old mailbox opens nothing any more.
	if err := link.Revoke(tx, a.ID, link.Password); err != nil {
		return a, err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "address.changed", Account: a.ID, Thing: c.ID, Detail: map[string]any{"by": way}}); err != nil {
		return a, err
	}
	undo, _, err := link.Issue(tx, a.ID, link.EmailUndo, c.ID, "", UndoFor)
	if err != nil {
		return a, fmt.Errorf("undo link: %w", err)
	}
	disavow, err := account.DisavowalOf(tx, a.ID, account.DisavowChange+c.ID)
	if err != nil {
		return a, err
	}
	if err := texts.Send(tx, a.Person(), "address_changing", message{Token: undo, Address: c.NewEmail, At: tx.Now(), Until: tx.Now().Add(UndoFor), Disavow: disavow}); err != nil {
		return a, err
	}
	a.Email = c.NewEmail
	return a, tell(tx, a, "address_changed", message{Address: c.NewEmail, Until: tx.Now().Add(UndoFor)})
}

// move puts another main address into the account's row, if the one before is
// still the main one and the account in that state. A further address that becomes it is one no more.
func move(tx *db.Tx, accountID, oldKey, email, state string) error {
	if _, err := tx.Exec(`DELETE FROM account_email WHERE account = $1 AND email_key = $2`, accountID, fold.Login(email)); err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE account SET email = $1, email_key = $2, version = version + 1 WHERE id = $3 AND email_key = $4 AND state = $5`,
		email, fold.Login(email), accountID, oldKey, state)
	switch {
	case db.Unique(err):
		return fault.Conflict("account.try_again")
	case err != nil:
		return fmt.Errorf("main address: %w", err)
	case n == 0:
		return fault.Conflict("link.spent")
	}
	return nil
}

// An Undoing is what the link in the old mailbox would do.
type Undoing struct {
	link.Link
	Change  Change
	Account account.Account
}

// LookUndo looks at the link that takes a change back, without using it.
func LookUndo(tx *db.Tx, token string) (u Undoing, err error) {
	if u.Link, err = link.Look(tx, link.EmailUndo, token); err != nil || u.State == link.Unknown {
		return u, err
	}
	if u.Change, err = db.One(tx, (*Change).fields, `SELECT `+changeColumns+` FROM address_change WHERE id = $1 AND account = $2`, u.Target, u.Link.Account); err != nil {
		return u, err
	}
	u.Account, err = account.Get(tx, u.Link.Account)
	if u.State == link.Open && (u.Change.State != "done" || !u.Change.UndoUntil.After(tx.Now())) {
		u.State = link.Superseded // an older change was taken back, and this one with it
	}
	return u, err
}

// Undo is the button behind that link: the old address is the main one again,
// whatever has become of it since. Further addresses that were confirmed in the
// week before the change or later go with it: whoever changed the one may have
// added the other. The account is locked until it has a new password: the token
// opens the page for it, and goes to the old address, too. It is empty where the
// chamber has locked the account. The caller ends all sessions in the same
// transaction.
func Undo(tx *db.Tx, by audit.Actor, token string) (a account.Account, password string, err error) {
	id, changeID, err := link.Use(tx, link.EmailUndo, token)
	if err != nil {
		return a, "", err
	}
	return undo(tx, by, id, changeID)
}

// UndoSince takes back the changes since a moment, as [Undo] does, for the
// holder of another link that went to the old address after that moment: "Das
// waren nicht Sie?". NotFound: there is none that can be taken back.
func UndoSince(tx *db.Tx, by audit.Actor, accountID string, since db.Time) (a account.Account, password string, err error) {
	id, err := db.Value[string](tx, `SELECT id FROM address_change WHERE account = $1 AND state = 'done' AND done_at > $2 AND undo_until > $3 ORDER BY id LIMIT 1`,
		accountID, since, tx.Now())
	if err != nil {
		return a, "", err
	}
	return undo(tx, by, accountID, id)
}

func undo(tx *db.Tx, by audit.Actor, id, changeID string) (a account.Account, password string, err error) {
	if _, err := tx.Exec(`UPDATE account SET version = version + 1 WHERE id = $1`, id); err != nil {
		return a, "", err
	}
	if a, err = account.Get(tx, id); err != nil {
		return a, "", link.Spent(err)
	}
	if a.State != account.Active && a.State != account.Locked {
		return a, "", fault.Conflict("link.spent")
	}
	by.Account = id // who holds the link has proved the mailbox
	c, err := db.One(tx, (*Change).fields, `UPDATE address_change SET state = 'undone' WHERE id = $1 AND account = $2 AND state = 'done' AND undo_until > $3
		RETURNING `+changeColumns, changeID, id, tx.Now())
	if err != nil {
		return a, "", link.Spent(err)
	}
	if err := account.Turn(tx, fold.Login(c.OldEmail)); err != nil {
		return a, "", err
	}
	if _, err := tx.Exec(`UPDATE address_change SET state = CASE WHEN state = 'asked' THEN 'superseded' ELSE 'undone' END
		WHERE account = $1 AND id > $2 AND state IN ('asked', 'done')`, id, c.ID); err != nil {
		return a, "", err
	}
	if _, err := tx.Exec(`DELETE FROM account_email WHERE account = $1 AND (confirmed_at IS NULL OR confirmed_at > $2)`, id, c.AskedAt.Add(-UndoFor)); err != nil {
		return a, "", err
	}
	// A lock is no way to keep the owner out.
	if err := move(tx, id, fold.Login(a.Email), c.OldEmail, a.State); err != nil {
		return a, "", err
	}
	for _, p := range []link.Purpose{link.Email, link.Password} {
		if err := link.Revoke(tx, id, p); err != nil {
			return a, "", err
		}
	}
	// What went to the new mailbox since must not open the account again.
	if _, err := tx.Exec(`UPDATE account_link SET state = 'void' WHERE account = $1 AND purpose = 'disavow' AND state = 'open' AND created_at >= $2`, id, c.DoneAt); err != nil {
		return a, "", err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "address.change_undone", Account: id, Thing: c.ID}); err != nil {
		return a, "", err
	}
	if err := texts.Send(tx, a.Person(), "address_taken_back", message{At: tx.Now(), Address: a.Email}); err != nil {
		return a, "", err
	}
	a.Email = c.OldEmail
	if err := secure(tx, by, &a); err != nil {
		return a, "", err
	}
	if a.LockReason == account.LockedByDisavowal {
		if password, _, err = link.Issue(tx, id, link.Password, "", "", passwordFor); err != nil {
			return a, "", err
		}
	}
	return a, password, tell(tx, a, "address_undone", message{Token: password, Address: c.OldEmail})
}

// secure locks the account until there is a new password, as after "Das waren
// nicht Sie?": whoever changed the address may know the one of now. A lock or a
// deletion that they began gives way; one by the chamber stays.
func secure(tx *db.Tx, by audit.Actor, a *account.Account) error {
	n, err := tx.Exec(`UPDATE account SET state = 'locked', lock_reason = 'disavowed', locked_at = $1, delete_at = NULL
		WHERE id = $2 AND (state = 'active' OR state = 'locked' AND lock_reason IN ('self', 'leaving', 'disavowed'))`, tx.Now(), a.ID)
	if err != nil || n == 0 {
		return err
	}
	a.State, a.LockReason = account.Locked, account.LockedByDisavowal
	return audit.Record(tx, by, audit.Entry{Event: "account.locked", Account: a.ID, Detail: map[string]any{"reason": a.LockReason}})
}
