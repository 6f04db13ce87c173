package factor

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
)

// What every authenticator app knows (R200): SHA-1, six digits, 30 seconds
// (RFC 6238; the key has the 160 bits RFC 4226, section 4 recommends).
const (
	totpKey  = 20
	totpStep = 30
	totpSkew = 1 // steps a clock may be off (RFC 6238, section 5.2)
)

func totpCode(key []byte, step int64) string {
	m := hmac.New(sha1.New, key)
	m.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := m.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:])&0x7fffffff%1_000_000)
}

// totpMatch is the step whose code this is; ok is false if it is none near now.
func totpMatch(key []byte, now time.Time, code string) (step int64, ok bool) {
	current := now.Unix() / totpStep
	for s := current - totpSkew; s <= current+totpSkew; s++ {
		if seal.Equal(totpCode(key, s), code) { // all are compared: which one it was takes no time to tell
			step, ok = s, true
		}
	}
	return step, ok
}

func totpPlace(id string) string { return "factor/totp/" + id }

// useTOTP accepts a code of one of the person's apps, each step once: the one
// before and the one just shown do not work again (RFC 6238, section 5.2).
func useTOTP(tx *db.Tx, account, code string) (bool, error) {
	type app struct{ id, secret string }
	apps, err := db.All(tx, func(a *app) []any { return []any{&a.id, &a.secret} },
		`SELECT id, secret FROM factor WHERE account = $1 AND kind = 'totp' AND state = 'active' ORDER BY id`, account)
	if err != nil {
		return false, err
	}
	for _, a := range apps {
		key, err := tx.Keys().Open(totpPlace(a.id), a.secret)
		if err != nil {
			return false, err
		}
		step, ok := totpMatch(key, tx.Now().Time, code)
		if !ok {
			continue
		}
		n, err := tx.Exec(`UPDATE factor SET last_step = $1, used_at = $2 WHERE id = $3 AND state = 'active' AND last_step < $1`, step, tx.Now(), a.id)
		if err == nil && n == 0 {
			err = fault.Invalid("code", "factor.code_used")
		}
		return err == nil, err
	}
	return false, nil
}

// A Setup of an authenticator app, as the person sees it.
type Setup struct {
	ID   string
	Name string // of the device
	Key  string // base32 in groups of four, to type
	who  string // whose it is, as the app shows it
}

var base32Key = base32.StdEncoding.WithPadding(base32.NoPadding)

func setup(a account.Account, id, name string, key []byte) Setup {
	text := base32Key.EncodeToString(key)
	var groups []string
	for ; len(text) > 4; text = text[4:] {
		groups = append(groups, text[:4])
	}
	return Setup{id, name, strings.Join(append(groups, text), " "), a.Email}
}

// URI is what the QR code holds and "Auf einem mobilen Endgerät?" leads to
// (R158, R173): otpauth://totp/Issuer:anna@… . issuer is the portal's name.
func (s Setup) URI(issuer string) string {
	issuer = strings.ReplaceAll(issuer, ":", " ")                                               // it parts the label
	text := func(t string) string { return strings.ReplaceAll(url.QueryEscape(t), "+", "%20") } // apps do not read "+" as a blank
	return "otpauth://totp/" + text(issuer) + ":" + text(s.who) + "?secret=" + strings.ReplaceAll(s.Key, " ", "") +
		"&issuer=" + text(issuer) + "&algorithm=SHA1&digits=6&period=30"
}

// StartTOTP begins to set up an authenticator app in this session (R158, R168).
// What was begun before is forgotten.
func StartTOTP(tx *db.Tx, by audit.Actor, a account.Account, sessionID, name string) (Setup, error) {
	by = acting(by, a.ID)
	if err := lock(tx, a.ID); err != nil {
		return Setup{}, err
	}
	name, err := readName(name)
	if err != nil {
		return Setup{}, err
	}
	if _, err := mayAdd(tx, a, sessionID, TOTP); err != nil {
		return Setup{}, err
	}
	if _, err := tx.Exec(`DELETE FROM factor WHERE account = $1 AND kind = 'totp' AND state = 'pending'`, a.ID); err != nil {
		return Setup{}, err
	}
	id, key := db.NewID(), seal.Bytes(totpKey)
	if _, err := tx.Exec(`INSERT INTO factor (id, account, kind, name, state, secret, session, created_at) VALUES ($1, $2, 'totp', $3, 'pending', $4, $5, $6)`,
		id, a.ID, name, tx.Keys().Seal(totpPlace(id), key), sessionID, tx.Now()); err != nil {
		return Setup{}, fmt.Errorf("start totp: %w", err)
	}
	return setup(a, id, name, key), audit.Record(tx, by, audit.Entry{Event: "factor.begun", Account: a.ID, Thing: id, Detail: map[string]any{"kind": TOTP}})
}

// PendingTOTP is the setup that this session has begun. NotFound: none.
func PendingTOTP(tx *db.Tx, a account.Account, sessionID string) (Setup, error) {
	var id, name, secret string
	if err := tx.Scan(`SELECT id, name, secret FROM factor WHERE account = $1 AND kind = 'totp' AND state = 'pending' AND session = $2 AND created_at > $3`,
		[]any{a.ID, sessionID, tx.Now().Add(-setupFor)}, &id, &name, &secret); err != nil {
		return Setup{}, err
	}
	key, err := tx.Keys().Open(totpPlace(id), secret)
	if err != nil {
		return Setup{}, err
	}
	return setup(a, id, name, key), nil
}

// ConfirmTOTP makes it active by its first code (R159, R169, R174), in the
// session that began. The field is "code". A wrong one is nobody's guess: the
// key is on the screen.
func ConfirmTOTP(tx *db.Tx, by audit.Actor, a account.Account, sessionID, id, code string) (Factor, error) {
	by = acting(by, a.ID)
	typed, err := read(TOTP, code)
	if err != nil {
		return Factor{}, err
	}
	if err := lock(tx, a.ID); err != nil {
		return Factor{}, err
	}
	s, err := PendingTOTP(tx, a, sessionID)
	if fault.Is(err, fault.KindNotFound) || err == nil && s.ID != id {
		return Factor{}, fault.Conflict("factor.setup_gone")
	}
	if err != nil {
		return Factor{}, err
	}
	key, err := base32Key.DecodeString(strings.ReplaceAll(s.Key, " ", ""))
	if err != nil {
		return Factor{}, err
	}
	step, ok := totpMatch(key, tx.Now().Time, typed)
	if !ok {
		return Factor{}, fault.Invalid("code", "factor.first_code_wrong")
	}
	p, err := mayAdd(tx, a, sessionID, TOTP)
	if err != nil {
		return Factor{}, err
	}
	f, err := db.One(tx, (*Factor).fields, `UPDATE factor SET state = 'active', session = '', confirmed_at = $1, last_step = $2
		WHERE id = $3 AND account = $4 AND state = 'pending' RETURNING `+columns, tx.Now(), step, id, a.ID)
	if fault.Is(err, fault.KindNotFound) {
		return Factor{}, fault.Conflict("factor.setup_gone")
	}
	if err != nil {
		return Factor{}, err
	}
	return f, added(tx, by, a, p, f)
}
