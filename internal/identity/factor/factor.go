// Package factor keeps second factors: one-time codes by mail, authenticator
// apps, passkeys and recovery codes.
package factor

import (
	"embed"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/identity/account"
	"zunft/internal/identity/policy"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

// Kinds of factors.
const (
	Mail    = "mail"
	TOTP    = "totp"
	Passkey = "passkey"
	// Recovery is no factor of its own: a code that stands in for one.
	Recovery = "recovery"
)

// A Factor of an account.
type Factor struct {
	ID, Account, Kind string
	Name              string // as its owner calls it, or empty
	State             string // "wanted", "pending" or "active"
	CreatedAt         db.Time
	ConfirmedAt       db.Time
	UsedAt            db.Time
}

// Kinds an account has active, and how many recovery codes are left.
type Kinds struct {
	Mail, TOTP, Passkey bool
	Codes               int
	Wanted              string // kind to be set up at the next sign-in (R165, R167), or empty
}

// Any reports whether any factor is active: then it is asked at every sign-in (R201).
func (k Kinds) Any() bool { return k.Mail || k.TOTP || k.Passkey }

// Usable are the kinds that may prove this person now: mail, too, as long as no
// authenticator app is set up (R152; decision 8: a code remains without script),
// and nothing below least.
func (k Kinds) Usable(least string) Kinds { return k }

// Satisfies reports whether something that is active does for least.
func (k Kinds) Satisfies(least string) bool { return false }

// Enough reports whether what a session has shown (amr) does for least.
func Enough(amr, least string) bool { return false }

// List reads an account's factors that are active or wanted, oldest first.
func List(tx *db.Tx, account string) ([]Factor, error) { return nil, nil }

// Active reads what an account has.
func Active(tx *db.Tx, account string) (Kinds, error) { return Kinds{}, nil }

// Least is the least kind that the roles of an account need under a policy; empty: none.
func Least(tx *db.Tx, account string, p policy.Policy) (string, error) { return "", nil }

// A Need says what the sign-in of an account takes.
type Need struct {
	Has    Kinds
	Least  string // kind that a role of theirs needs at least, or empty
	Prove  bool   // a second factor is asked
	SetUp  bool   // one must be set up: a role needs it, or it is wanted
	Offer  bool   // one is offered (R199)
	Policy policy.Policy
}

// Due says what the sign-in of an account takes, given what its session has
// shown so far (amr).
func Due(tx *db.Tx, a account.Account, amr string) (Need, error) { return Need{}, nil }

// SendCode mails a one-time code that works in this session (R155, M12).
func SendCode(tx *db.Tx, by audit.Actor, a account.Account, sessionID string) error {
	return fault.NotFound()
}

// Check proves a person by a code of a kind (mail, totp, recovery). amr is what
// the session gains. The field is "code".
func Check(tx *db.Tx, by audit.Actor, a account.Account, sessionID, kind, code string) (amr string, err error) {
	return "", fault.NotFound()
}

// A Setup of an authenticator app, as the person sees it.
type Setup struct {
	ID   string
	Name string
	Key  string // base32 in groups of four, to type
	who  string
}

// URI is what the QR code holds: otpauth://totp/… (R158, R173).
func (s Setup) URI(issuer string) string { return "" }

// StartTOTP begins to set up an authenticator app in this session (R158, R168).
func StartTOTP(tx *db.Tx, by audit.Actor, a account.Account, sessionID, name string) (Setup, error) {
	return Setup{}, fault.NotFound()
}

// PendingTOTP is the setup that this session has begun. NotFound: none.
func PendingTOTP(tx *db.Tx, a account.Account, sessionID string) (Setup, error) {
	return Setup{}, fault.NotFound()
}

// ConfirmTOTP makes it active by its first code. The field is "code".
func ConfirmTOTP(tx *db.Tx, by audit.Actor, a account.Account, sessionID, id, code string) (Factor, error) {
	return Factor{}, fault.NotFound()
}

// UseMail makes codes by mail a factor of their own choice.
func UseMail(tx *db.Tx, by audit.Actor, a account.Account, sessionID string) (Factor, error) {
	return Factor{}, fault.NotFound()
}

// Want notes that a kind is to be set up at the next sign-in (R165, R167, R179).
func Want(tx *db.Tx, by audit.Actor, a account.Account, sessionID, kind string) error {
	return fault.NotFound()
}

// Rename a factor. The field is "name".
func Rename(tx *db.Tx, by audit.Actor, a account.Account, id, name string) error {
	return fault.NotFound()
}

// Remove a factor. Conflict: a role of theirs needs it.
func Remove(tx *db.Tx, by audit.Actor, a account.Account, id string) error { return fault.NotFound() }

// RemoveAll takes all factors and recovery codes away, when an account was
// recovered with the chamber's help.
func RemoveAll(tx *db.Tx, by audit.Actor, account string) error { return fault.NotFound() }

// NewCodes makes ten recovery codes, shown once; the ones before are void.
func NewCodes(tx *db.Tx, by audit.Actor, a account.Account) ([]string, error) {
	return nil, fault.NotFound()
}

// Work adds what this package does after the request and by the clock.
func Work(r *job.Runner, d *db.DB) {}
