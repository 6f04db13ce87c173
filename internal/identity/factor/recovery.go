package factor

import (
	"fmt"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
	"zunft/internal/identity/notice"
)

// Ten recovery codes of eight characters in Crockford's base 32 (40 bits each,
// guessed as seldom as every other code): O reads as 0, I and L as 1.
const (
	codesMade = 10
	codeChars = 8
	crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

func newRecovery() string {
	b := seal.Bytes(codeChars)
	for i := range b {
		b[i] = crockford[b[i]&31]
	}
	return string(b)
}

// readRecovery takes a code that went through seal.Normalize.
func readRecovery(code string) (string, error) {
	code = strings.NewReplacer("O", "0", "I", "1", "L", "1").Replace(code)
	if code == "" {
		return "", fault.Invalid("code", "factor.recovery_missing")
	}
	if len(code) != codeChars || strings.Trim(code, crockford) != "" {
		return "", fault.Invalid("code", "factor.recovery_form")
	}
	return code, nil
}

func recoveryMAC(tx *db.Tx, account, code string) string {
	return tx.Keys().MAC("factor.recovery", account, code)
}

// NewCodes makes ten recovery codes ("7F3K-22MX"), shown once; the ones before
// are void.
func NewCodes(tx *db.Tx, by audit.Actor, a account.Account) ([]string, error) {
	by = acting(by, a.ID)
	if err := lock(tx, a.ID); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(`DELETE FROM recovery_code WHERE account = $1`, a.ID); err != nil {
		return nil, err
	}
	codes, rows, args := make([]string, codesMade), make([]string, codesMade), []any{a.ID, tx.Now()}
	for i := range codes {
		code := newRecovery()
		codes[i] = code[:4] + "-" + code[4:]
		rows[i] = fmt.Sprintf("($%d, $1, $%d, $2)", len(args)+1, len(args)+2)
		args = append(args, db.NewID(), recoveryMAC(tx, a.ID, code))
	}
	if _, err := tx.Exec(`INSERT INTO recovery_code (id, account, code_mac, made_at) VALUES `+strings.Join(rows, ", "), args...); err != nil {
		return nil, err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "factor.codes_made", Account: a.ID}); err != nil {
		return nil, err
	}
	if err := notice.Tell(tx, a.ID, "notice.codes_made", "/account/security"); err != nil {
		return nil, err
	}
	return codes, send(tx, a, "codes_made", "", codesMade)
}

// useRecovery ends one recovery code.
func useRecovery(tx *db.Tx, by audit.Actor, a account.Account, code string) (bool, error) {
	mac := recoveryMAC(tx, a.ID, code)
	n, err := tx.Exec(`UPDATE recovery_code SET used_at = $1 WHERE account = $2 AND code_mac = $3 AND used_at IS NULL`, tx.Now(), a.ID, mac)
	if err != nil {
		return false, err
	}
	if n == 0 {
		used, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM recovery_code WHERE account = $1 AND code_mac = $2)`, a.ID, mac)
		if err == nil && used {
			err = fault.Invalid("code", "factor.recovery_used")
		}
		return false, err
	}
	left, err := db.Value[int](tx, `SELECT count(*) FROM recovery_code WHERE account = $1 AND used_at IS NULL`, a.ID)
	if err != nil {
		return false, err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "factor.recovery_used", Account: a.ID, Detail: map[string]any{"left": left}}); err != nil {
		return false, err
	}
	if err := notice.Tell(tx, a.ID, "notice.recovery_used", "/account/security"); err != nil {
		return false, err
	}
	return true, send(tx, a, "recovery_used", "", left)
}
