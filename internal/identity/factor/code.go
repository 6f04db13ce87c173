package factor

import (
	"fmt"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
	"zunft/internal/identity/notice"
)

// From the fifth wrong code on an account accepts none for 30 seconds, doubling
// up to an hour, and a day from the hundredth (NIST SP 800-63B: at most 100
// consecutive failures, waits of 30 s to 1 h). A code by mail stands five tries.
const (
	pauseFrom  = 5
	firstPause = 30 * time.Second
	longPause  = time.Hour
	giveUpAt   = 100
	lastPause  = 24 * time.Hour
	codeTries  = 5
)

var (
	personRate  = limit.Rate{Burst: 5, Every: 3 * time.Minute}   // mails to one person
	networkRate = limit.Rate{Burst: 60, Every: 10 * time.Second} // and from one address: a school
)

// SendCode mails a one-time code that works in this session and nowhere else,
// for ten minutes (R155, M12; ASVS 6.5.1, 6.5.5, 6.6.2). The newest one holds.
func SendCode(tx *db.Tx, by audit.Actor, a account.Account, sessionID string) error {
	by = acting(by, a.ID)
	if err := lock(tx, a.ID); err != nil {
		return err
	}
	if err := allowed(tx, a, Mail); err != nil {
		return err
	}
	if err := paused(tx, a.ID); err != nil {
		return err
	}
	if err := limit.TakeIn(tx, "factor/ip/"+limit.Network(by.IP), networkRate); err != nil {
		return err
	}
	if err := limit.TakeIn(tx, "factor/mail/"+a.ID, personRate); err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE factor_code SET state = 'superseded' WHERE session = $1 AND state = 'open'`, sessionID); err != nil {
		return err
	}
	id, code := db.NewID(), seal.Digits(6)
	if _, err := tx.Exec(`INSERT INTO factor_code (id, account, session, code_mac, state, created_at, expires_at) VALUES ($1, $2, $3, $4, 'open', $5, $6)`,
		id, a.ID, sessionID, mailMAC(tx, id, code), tx.Now(), tx.Now().Add(codeFor)); err != nil {
		return fmt.Errorf("factor code: %w", err)
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "factor.code_sent", Account: a.ID, Thing: id}); err != nil {
		return err
	}
	disavow, err := account.Disavowal(tx, a.ID)
	if err != nil {
		return err
	}
	return texts.Send(tx, a.Person(), "code", struct{ Code, Spaced, Disavow string }{code, code[:3] + " " + code[3:], disavow})
}

func mailMAC(tx *db.Tx, id, code string) string { return tx.Keys().MAC("factor.mail", id, code) }

// allowed: the page offers what may prove a person, and nothing else does.
func allowed(tx *db.Tx, a account.Account, kind string) error {
	n, err := Ways(tx, a)
	if err == nil && !n.Ways.Has(kind) {
		err = fault.Conflict("factor.not_now")
	}
	return err
}

// paused: too many wrong codes a moment ago.
func paused(tx *db.Tx, id string) error {
	var until db.Time
	if err := tx.Scan(`SELECT code_paused_until FROM account WHERE id = $1`, []any{id}, &until); err != nil {
		return err
	}
	if wait := until.Sub(tx.Now()); !until.IsZero() && wait > 0 {
		return fault.Limited("factor.paused", wait, int(wait.Minutes())+1)
	}
	return nil
}

// Check proves a person by a code of a kind (mail, totp, recovery). amr is what
// the session gains. The field is "code". The caller notes the proof in the
// session, in the same transaction.
func Check(tx *db.Tx, by audit.Actor, a account.Account, sessionID, kind, code string) (amr string, err error) {
	by = acting(by, a.ID)
	typed, err := read(kind, code)
	if err != nil {
		return "", err
	}
	if err := allowed(tx, a, kind); err != nil {
		return "", err
	}
	// The count comes first and holds the account's row. Whatever is not a wrong
	// guess returns an error that undoes it.
	n, err := db.Value[int](tx, `UPDATE account SET code_failures = code_failures + 1
		WHERE id = $1 AND state = 'active' AND (code_paused_until IS NULL OR code_paused_until <= $2) RETURNING code_failures`, a.ID, tx.Now())
	if fault.Is(err, fault.KindNotFound) {
		if err := paused(tx, a.ID); err != nil {
			return "", err
		}
		return "", fault.Conflict("account.not_active")
	}
	if err != nil {
		return "", err
	}
	right := false
	switch kind {
	case Mail:
		right, err = useMail(tx, sessionID, typed)
	case TOTP:
		right, err = useTOTP(tx, a.ID, typed)
	case Recovery:
		right, err = useRecovery(tx, by, a, typed)
	}
	if err != nil {
		return "", err
	}
	if !right {
		return "", wrong(tx, by, a, kind, n)
	}
	_, err = tx.Exec(`UPDATE account SET code_failures = 0, code_paused_until = NULL WHERE id = $1`, a.ID)
	return AMR(kind), err
}

// read brings a typed code into the form it was made in; what cannot be one is
// said kindly and costs no try.
func read(kind, typed string) (string, error) {
	if len(typed) > 200 {
		typed = typed[:200]
	}
	code := seal.Normalize(typed)
	switch {
	case kind == Recovery:
		return readRecovery(code)
	case code == "":
		return "", fault.Invalid("code", "factor.code_missing")
	case len(code) != 6 || strings.Trim(code, "0123456789") != "":
		return "", fault.Invalid("code", "factor.code_form")
	}
	return code, nil
}

// useMail ends the session's open code, if it is the one.
func useMail(tx *db.Tx, sessionID, code string) (bool, error) {
	var id, want string
	var expires db.Time
	var tries int
	err := tx.Scan(`UPDATE factor_code SET tries = tries + 1 WHERE session = $1 AND state = 'open' RETURNING id, code_mac, expires_at, tries`,
		[]any{sessionID}, &id, &want, &expires, &tries)
	switch {
	case fault.Is(err, fault.KindNotFound), err == nil && !expires.After(tx.Now()):
		return false, fault.Invalid("code", "factor.code_expired")
	case err != nil:
		return false, err
	case tries > codeTries:
		return false, fault.Invalid("code", "factor.code_tries")
	case !seal.Equal(want, mailMAC(tx, id, code)):
		return false, nil
	}
	n, err := tx.Exec(`UPDATE factor_code SET state = 'used' WHERE id = $1 AND state = 'open'`, id)
	return n == 1, err
}

// wrong notes a wrong code; the count was taken before.
func wrong(tx *db.Tx, by audit.Actor, a account.Account, kind string, n int) error {
	if err := audit.Record(tx, by, audit.Entry{Event: "factor.code_failed", Account: a.ID, Detail: map[string]any{"kind": kind, "failures": n}}); err != nil {
		return err
	}
	if n < pauseFrom {
		return db.Keep(fault.Invalid("code", "factor.code_wrong"))
	}
	pause := min(firstPause<<min(n-pauseFrom, 16), longPause)
	if n >= giveUpAt {
		pause = lastPause
	}
	if _, err := tx.Exec(`UPDATE account SET code_paused_until = $1 WHERE id = $2`, tx.Now().Add(pause), a.ID); err != nil {
		return err
	}
	if n == pauseFrom { // somebody who knows the password guesses codes: the owner should know
		if err := audit.Record(tx, by, audit.Entry{Event: "factor.paused", Account: a.ID}); err != nil {
			return err
		}
		if err := notice.Tell(tx, a.ID, "notice.codes_paused", "/account/activity"); err != nil {
			return err
		}
		if err := send(tx, a, "codes_paused", "", 0); err != nil {
			return err
		}
	}
	return db.Keep(fault.Limited("factor.paused", pause, int(pause.Minutes())+1))
}

// send sends a mail about security.
func send(tx *db.Tx, a account.Account, name, kind string, left int) error {
	disavow, err := account.Disavowal(tx, a.ID)
	if err != nil {
		return err
	}
	return sendWith(tx, a, name, kind, left, disavow)
}

func sendWith(tx *db.Tx, a account.Account, name, kind string, left int, disavow string) error {
	return texts.Send(tx, a.Person(), name, struct {
		At            db.Time
		Kind, Disavow string
		Left          int
	}{tx.Now(), kind, disavow, left})
}
