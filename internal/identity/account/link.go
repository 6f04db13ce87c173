package account

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
)

// Purposes of a one-time link.
const (
	confirmLink  = "confirm"
	passwordLink = "password"
)

const (
	confirmFor  = 24 * time.Hour // R195, W26
	passwordFor = 2 * time.Hour  // L01
	codeTries   = 5              // L04
)

// A LinkState is what became of a link (part 4 of the rules).
type LinkState string

const (
	LinkOpen       LinkState = "open"
	LinkUsed       LinkState = "used"
	LinkExpired    LinkState = "expired"
	LinkSuperseded LinkState = "superseded" // a newer one was sent
	LinkVoid       LinkState = "void"       // signed in with the old password (R286)
	LinkUnknown    LinkState = "unknown"    // never sent, or purged with its account
)

// A Link as the page behind it sees it.
type Link struct {
	State   LinkState
	UsedAt  db.Time
	Account Account // zero for LinkUnknown
	id      string
}

// issue makes the newest link of a purpose: the one before is superseded. The
// account's row is touched first, so that two at once come one after the other.
func issue(tx *db.Tx, account, purpose, browser string, ttl time.Duration) (token, code string, err error) {
	if _, err = tx.Exec(`UPDATE account SET version = version + 1 WHERE id = $1`, account); err != nil {
		return "", "", err
	}
	if _, err = tx.Exec(`UPDATE account_link SET state = 'superseded' WHERE account = $1 AND purpose = $2 AND state = 'open'`, account, purpose); err != nil {
		return "", "", err
	}
	id := db.NewID()
	token, code = seal.Token(), seal.Digits(6)
	if browser != "" {
		browser = seal.Hash(browser)
	}
	_, err = tx.Exec(`INSERT INTO account_link (id, account, purpose, token_hash, code_mac, browser, state, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8)`,
		id, account, purpose, seal.Hash(token), tx.Keys().MAC("account."+purpose, id, code), browser, tx.Now(), tx.Now().Add(ttl))
	return token, code, err
}

// use ends an open link. Of many at once exactly one gets the account.
func use(tx *db.Tx, purpose, token string) (account string, err error) {
	return db.Value[string](tx, `UPDATE account_link SET state = 'used', used_at = $1
		WHERE token_hash = $2 AND purpose = $3 AND state = 'open' AND expires_at > $1 RETURNING account`, tx.Now(), seal.Hash(token), purpose)
}

// revoke makes an open link void.
func revoke(tx *db.Tx, account, purpose string) error {
	_, err := tx.Exec(`UPDATE account_link SET state = 'void' WHERE account = $1 AND purpose = $2 AND state = 'open'`, account, purpose)
	return err
}

func look(tx *db.Tx, purpose, token string) (l Link, err error) {
	var account string
	var expires db.Time
	err = tx.Scan(`SELECT id, account, state, expires_at, used_at FROM account_link WHERE token_hash = $1 AND purpose = $2`,
		[]any{seal.Hash(token), purpose}, &l.id, &account, &l.State, &expires, &l.UsedAt)
	if fault.Is(err, fault.KindNotFound) {
		return Link{State: LinkUnknown}, nil
	}
	if err != nil {
		return l, err
	}
	if l.State == LinkOpen && !expires.After(tx.Now()) {
		l.State = LinkExpired
	}
	l.Account, err = load(tx, account)
	return l, err
}

// ConfirmationLink looks at a confirmation link without using it.
func ConfirmationLink(tx *db.Tx, token string) (Link, error) { return look(tx, confirmLink, token) }

// PasswordLink looks at a link for a new password without using it.
func PasswordLink(tx *db.Tx, token string) (Link, error) { return look(tx, passwordLink, token) }

// spent: the link does not open anything any more; the page says why.
func spent(err error) error {
	if fault.Is(err, fault.KindNotFound) {
		return fault.Conflict("account.link_spent")
	}
	return err
}

// useCode ends the open confirmation link of a browser by its typed code. A
// wrong one is counted, whatever comes of it.
func useCode(tx *db.Tx, browser, typed string) (account string, err error) {
	if browser == "" {
		return "", fault.Conflict("account.code_elsewhere")
	}
	var id, mac, state string
	var tries int
	var expires db.Time
	err = tx.Scan(`SELECT id, state, tries, expires_at FROM account_link WHERE browser = $1 AND purpose = 'confirm' ORDER BY id DESC LIMIT 1`,
		[]any{seal.Hash(browser)}, &id, &state, &tries, &expires)
	switch {
	case fault.Is(err, fault.KindNotFound):
		return "", fault.Conflict("account.code_elsewhere")
	case err != nil:
		return "", err
	case state == string(LinkUsed):
		return "", fault.Conflict("account.code_used")
	case state != string(LinkOpen) || !expires.After(tx.Now()):
		return "", fault.Invalid("code", "account.code_expired")
	}
	code := seal.Normalize(typed)
	if n := len(code); n != 6 || strings.Trim(code, "0123456789") != "" {
		return "", fault.Invalid("code", "account.code_form")
	}
	err = tx.Scan(`UPDATE account_link SET tries = tries + 1 WHERE id = $1 AND state = 'open' AND tries < $2 RETURNING code_mac, tries`,
		[]any{id, codeTries}, &mac, &tries)
	if fault.Is(err, fault.KindNotFound) {
		return "", fault.Invalid("code", "account.code_tries")
	}
	if err != nil {
		return "", err
	}
	if !seal.Equal(mac, tx.Keys().MAC("account."+confirmLink, id, code)) {
		if tries >= codeTries {
			return "", db.Keep(fault.Invalid("code", "account.code_tries"))
		}
		return "", db.Keep(fault.Invalid("code", "account.code_wrong"))
	}
	account, err = db.Value[string](tx, `UPDATE account_link SET state = 'used', used_at = $1 WHERE id = $2 AND state = 'open' RETURNING account`, tx.Now(), id)
	return account, spent(err)
}

var errNoTicket = errors.New("no ticket")

// A ticket says for a quarter of an hour that somebody knew the password of an
// account that is not confirmed yet.
func ticket(tx *db.Tx, account string) string {
	return tx.Keys().Seal("account/ticket", fmt.Appendf(nil, "%d %s", tx.Now().Unix(), account))
}

func openTicket(tx *db.Tx, sealed string) (account string, err error) {
	b, err := tx.Keys().Open("account/ticket", sealed)
	if err != nil {
		return "", errNoTicket
	}
	var at int64
	if _, err := fmt.Sscanf(string(b), "%d %s", &at, &account); err != nil || tx.Now().Sub(db.At(time.Unix(at, 0))) > 15*time.Minute {
		return "", errNoTicket
	}
	return account, nil
}
