package account

import (
	"errors"
	"fmt"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/identity/link"
)

const (
	confirmFor  = 24 * time.Hour // R195, W26
	passwordFor = 2 * time.Hour  // L01
)

// A Link of a mail, with the account it was sent to.
type Link struct {
	link.Link
	Account Account // zero for link.Unknown
}

func look(tx *db.Tx, purpose link.Purpose, token string) (l Link, err error) {
	if l.Link, err = link.Look(tx, purpose, token); err != nil || l.State == link.Unknown {
		return l, err
	}
	l.Account, err = load(tx, l.Link.Account)
	return l, err
}

// ConfirmationLink looks at a confirmation link without using it.
func ConfirmationLink(tx *db.Tx, token string) (Link, error) { return look(tx, link.Confirm, token) }

// PasswordLink looks at a link for a new password without using it.
func PasswordLink(tx *db.Tx, token string) (Link, error) { return look(tx, link.Password, token) }

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
