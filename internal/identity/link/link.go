// Package link makes and ends the one-time links of mails, and the codes that
// can be typed instead.
//
// A link is 256 random bits of which the hash is kept, one open per account,
// purpose and target, ended by one conditional UPDATE (R285, R294). Opening it
// shows a page; only the button of that page uses it, because mail scanners
// open links. The code works only in the browser (or session) that asked, and
// five times.
package link

import (
	"embed"
	"strings"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

// A Purpose is what a link is for.
type Purpose string

// The purposes.
const (
	Confirm   Purpose = "confirm"    // a new account's address (R056)
	Password  Purpose = "password"   // a new password (R283)
	Email     Purpose = "email"      // a further or a new main address; target: its key (R293)
	EmailUndo Purpose = "email_undo" // the old main address takes the change back; target: the change
	Unlock    Purpose = "unlock"     // ends a lock (W11)
	Keep      Purpose = "keep"       // an account that would go stays
	Disavow   Purpose = "disavow"    // "Das waren nicht Sie?"; target: the mail
)

// tries is how often a code may be typed (L04).
const tries = 5

// A State is what became of a link (part 4 of the rules).
type State string

// The states.
const (
	Open       State = "open"
	Used       State = "used"
	Expired    State = "expired"
	Superseded State = "superseded" // a newer one was sent
	Void       State = "void"       // signed in with the old password (R286)
	Unknown    State = "unknown"    // never sent, or purged with its account
)

// A Link as the page behind it sees it.
type Link struct {
	State   State
	UsedAt  db.Time
	Account string // its id; empty for Unknown
	Target  string
}

// Issue makes the newest link of a purpose and target: the one before is
// superseded. The account's row is touched first, so that two at once come one
// after the other. browser is a secret of the browser, or the id of the
// session, in which the code can be typed; empty: nowhere.
func Issue(tx *db.Tx, account string, purpose Purpose, target, browser string, ttl time.Duration) (token, code string, err error) {
	if _, err = tx.Exec(`UPDATE account SET version = version + 1 WHERE id = $1`, account); err != nil {
		return "", "", err
	}
	if _, err = tx.Exec(`UPDATE account_link SET state = 'superseded' WHERE account = $1 AND purpose = $2 AND target = $3 AND state = 'open'`,
		account, purpose, target); err != nil {
		return "", "", err
	}
	id := db.NewID()
	token, code = seal.Token(), seal.Digits(6)
	if browser != "" {
		browser = seal.Hash(browser)
	}
	_, err = tx.Exec(`INSERT INTO account_link (id, account, purpose, target, token_hash, code_mac, browser, state, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9)`,
		id, account, purpose, target, seal.Hash(token), mac(tx, purpose, id, code), browser, tx.Now(), tx.Now().Add(ttl))
	return token, code, err
}

func mac(tx *db.Tx, purpose Purpose, id, code string) string {
	return tx.Keys().MAC("account."+string(purpose), id, code)
}

// Use ends an open link. Of many at once exactly one gets the account. What
// does not open (any more) is a conflict.
func Use(tx *db.Tx, purpose Purpose, token string) (account, target string, err error) {
	err = tx.Scan(`UPDATE account_link SET state = 'used', used_at = $1
		WHERE token_hash = $2 AND purpose = $3 AND state = 'open' AND expires_at > $1 RETURNING account, target`,
		[]any{tx.Now(), seal.Hash(token), purpose}, &account, &target)
	return account, target, Spent(err)
}

// Spent turns "not found" into what people read of a link that opens nothing any more.
func Spent(err error) error {
	if fault.Is(err, fault.KindNotFound) {
		return fault.Conflict("link.spent")
	}
	return err
}

// Revoke makes all open links of a purpose void.
func Revoke(tx *db.Tx, account string, purpose Purpose) error {
	_, err := tx.Exec(`UPDATE account_link SET state = 'void' WHERE account = $1 AND purpose = $2 AND state = 'open'`, account, purpose)
	return err
}

// Look looks at a link without using it.
func Look(tx *db.Tx, purpose Purpose, token string) (l Link, err error) {
	var expires db.Time
	err = tx.Scan(`SELECT account, target, state, expires_at, used_at FROM account_link WHERE token_hash = $1 AND purpose = $2`,
		[]any{seal.Hash(token), purpose}, &l.Account, &l.Target, &l.State, &expires, &l.UsedAt)
	if fault.Is(err, fault.KindNotFound) {
		return Link{State: Unknown}, nil
	}
	if err == nil && l.State == Open && !expires.After(tx.Now()) {
		l.State = Expired
	}
	return l, err
}

// Waiting is the account (and target) of the newest link of a purpose that
// this browser asked for. None is a conflict.
func Waiting(tx *db.Tx, purpose Purpose, browser string) (account, target string, err error) {
	if browser != "" {
		err = tx.Scan(`SELECT account, target FROM account_link WHERE browser = $1 AND purpose = $2 ORDER BY id DESC LIMIT 1`,
			[]any{seal.Hash(browser), purpose}, &account, &target)
	}
	if browser == "" || fault.Is(err, fault.KindNotFound) {
		return "", "", fault.Conflict("link.elsewhere")
	}
	return account, target, err
}

// UseCode ends the newest open link of a browser (or session) by its typed
// code. A wrong one is counted, whatever comes of it. The field is "code".
func UseCode(tx *db.Tx, purpose Purpose, browser, typed string) (account, target string, err error) {
	if browser == "" {
		return "", "", fault.Conflict("link.elsewhere")
	}
	var id, want, state string
	var tried int
	var expires db.Time
	err = tx.Scan(`SELECT id, state, expires_at FROM account_link WHERE browser = $1 AND purpose = $2 ORDER BY id DESC LIMIT 1`,
		[]any{seal.Hash(browser), purpose}, &id, &state, &expires)
	switch {
	case fault.Is(err, fault.KindNotFound):
		return "", "", fault.Conflict("link.elsewhere")
	case err != nil:
		return "", "", err
	case state == string(Used):
		return "", "", fault.Conflict("link.code_used")
	case state != string(Open) || !expires.After(tx.Now()):
		return "", "", fault.Invalid("code", "link.code_expired")
	}
	code := seal.Normalize(typed)
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		return "", "", fault.Invalid("code", "link.code_form")
	}
	err = tx.Scan(`UPDATE account_link SET tries = tries + 1 WHERE id = $1 AND state = 'open' AND tries < $2 RETURNING code_mac, tries`,
		[]any{id, tries}, &want, &tried)
	if fault.Is(err, fault.KindNotFound) {
		return "", "", fault.Invalid("code", "link.code_tries")
	}
	if err != nil {
		return "", "", err
	}
	if !seal.Equal(want, mac(tx, purpose, id, code)) {
		if tried >= tries {
			return "", "", db.Keep(fault.Invalid("code", "link.code_tries"))
		}
		return "", "", db.Keep(fault.Invalid("code", "link.code_wrong"))
	}
	err = tx.Scan(`UPDATE account_link SET state = 'used', used_at = $1 WHERE id = $2 AND state = 'open' RETURNING account, target`,
		[]any{tx.Now(), id}, &account, &target)
	return account, target, Spent(err)
}
