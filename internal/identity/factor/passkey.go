package factor

import (
	_ "github.com/go-webauthn/webauthn/webauthn"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
)

// Passkeys of one portal: they hold at its host and nowhere else.
type Passkeys struct {
	RPID, Origin string
	Name         string // of the portal, as the authenticator shows it
}

// NewPasskeys for the portal at base; nil where its host is an IP address:
// there are no passkeys then.
func NewPasskeys(base, name string) *Passkeys { return nil }

// BeginRegister are the options (JSON) to make a passkey with. secret is the
// browser's: only there the ceremony can be finished.
func (p *Passkeys) BeginRegister(tx *db.Tx, a account.Account, secret string) ([]byte, error) {
	return nil, fault.NotFound()
}

// FinishRegister keeps the passkey that was made. The field is "passkey".
func (p *Passkeys) FinishRegister(tx *db.Tx, by audit.Actor, a account.Account, secret, name string, response []byte) (Factor, error) {
	return Factor{}, fault.NotFound()
}

// BeginLogin are the options to sign in with: whoever it is, the passkey says.
func (p *Passkeys) BeginLogin(tx *db.Tx, by audit.Actor, secret string) ([]byte, error) {
	return nil, fault.NotFound()
}

// FinishLogin finds out who signed in. The caller starts the session.
func (p *Passkeys) FinishLogin(tx *db.Tx, by audit.Actor, secret string, response []byte) (a account.Account, amr string, err error) {
	return a, "", fault.NotFound()
}

// BeginProof are the options to prove a known person with one of their passkeys:
// second factor, and before changes.
func (p *Passkeys) BeginProof(tx *db.Tx, a account.Account, secret string) ([]byte, error) {
	return nil, fault.NotFound()
}

// FinishProof checks it.
func (p *Passkeys) FinishProof(tx *db.Tx, by audit.Actor, a account.Account, secret string, response []byte) (amr string, err error) {
	return "", fault.NotFound()
}
