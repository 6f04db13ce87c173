// Package supervisor lets people sign reports who have no account: whoever
// looks after an apprentice for some weeks (Ausbildungsbeauftragte, W14).
//
//	apprentice sends a report to an address ──▶ first time: a PIN goes there, in the same mail (R268, R328)
//	                                            later: the mail alone; the PIN stays the same, for all apprentices (R269, R329)
//	address + PIN ──▶ a session of thirty minutes that opens what was sent to this address
//
// Policy:
//   - The PIN is bound to the address. Nobody can sign up for one, and nobody can
//     change the address: an apprentice who types a new one causes a new access
//     (R292), and the old one keeps what was sent to it.
//   - A PIN has 8 characters of 32 (40 bits); a keyed hash of it is kept (L10).
//     From the fifth wrong one on it rests for 15 minutes, doubling up to a day.
//     A new PIN, mailed to the address, ends that and makes the old one void.
//   - Whoever types an address proves nothing about it, and it may be a second
//     mailbox of their own. So who came with a PIN reads, returns and comments at
//     once, and signs off when the company has confirmed the address, once (Way).
//   - To strangers every answer is the same: whether an address is known is not told.
package supervisor

import (
	"context"
	"embed"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/seal"
	"zunft/internal/training/person"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

const (
	length     = 8 // of a PIN (L10)
	after      = 5 // wrong ones until it rests
	firstPause = 15 * time.Minute
	longPause  = 24 * time.Hour
	idle       = 30 * time.Minute
	life       = 4 * time.Hour
	maxEmail   = 254
)

var (
	contactRate = limit.Rate{Burst: 5, Every: 12 * time.Hour}   // new people that one apprentice writes to
	tryRate     = limit.Rate{Burst: 30, Every: 2 * time.Minute} // PINs from one network
	newRate     = limit.Rate{Burst: 3, Every: 4 * time.Hour}    // new PINs for one address
)

// prefix of the subject of people who are known by an address alone.
const prefix = "pin:"

// Is reports whether the actor came with a PIN.
func Is(by audit.Actor) bool { return strings.HasPrefix(by.Account, prefix) }

// Key is an address as it is compared.
func Key(email string) string { return strings.ToLower(norm.NFKC.String(strings.TrimSpace(email))) }

// Mailbox is the key of the mailbox that an address leads to, as far as anybody
// can know: what stands after a plus sign is its owner's label (RFC 5233).
func Mailbox(email string) string {
	local, domain, _ := strings.Cut(Key(email), "@")
	local, _, _ = strings.Cut(local, "+")
	return local + "@" + domain
}

// ReadEmail checks an address that was typed into a field and returns its key.
func ReadEmail(field, typed string) (string, error) {
	key := Key(typed)
	local, domain, _ := strings.Cut(key, "@")
	form := local != "" && len(key) <= maxEmail && strings.Contains(strings.Trim(domain, "."), ".") && !strings.HasSuffix(domain, ".") && !strings.Contains(domain, "..")
	for _, c := range key {
		form = form && c > ' ' && c != 0x7f && !strings.ContainsRune(`,;:<>"()[]\`, c) && !(c >= 0x80 && c < 0xa0) && !(c >= 0x2000 && c <= 0x206f)
	}
	switch {
	case key == "":
		return "", fault.Invalid(field, "supervisor.email_missing")
	case !form || strings.Contains(domain, "@"):
		return "", fault.Invalid(field, "supervisor.email_form")
	}
	return key, nil
}

// Of is the person behind an address that an apprentice sends a report to. Who
// is written to for the first time gets a PIN, which is returned here once and
// never again.
func Of(tx *db.Tx, by audit.Actor, key, lang string) (p person.Person, pin string, err error) {
	if p, err = byKey(tx, key); !fault.Is(err, fault.KindNotFound) {
		return p, "", err
	}
	if err := limit.TakeIn(tx, "supervisor/new/"+by.Account, contactRate); err != nil {
		return p, "", err
	}
	if err := limit.Hold(tx, "supervisor/"+key); err != nil { // two apprentices at once: one access
		return p, "", err
	}
	if p, err = byKey(tx, key); !fault.Is(err, fault.KindNotFound) {
		return p, "", err
	}
	if p, err = person.ByAddress(tx, prefix+db.NewID(), key, lang); err != nil {
		return p, "", fmt.Errorf("supervisor: %w", err)
	}
	pin = seal.Letters(length)
	if _, err := tx.Exec(`INSERT INTO supervisor (person, email_key, pin_mac, pin_at) VALUES ($1, $2, $3, $4)`, p.Sub, key, mac(tx, p.Sub, pin), tx.Now()); err != nil {
		return p, "", fmt.Errorf("supervisor: %w", err)
	}
	return p, shown(pin), audit.Record(tx, by, audit.Entry{Event: "supervisor.invited", Account: p.Sub})
}

func byKey(tx *db.Tx, key string) (person.Person, error) {
	sub, err := db.Value[string](tx, `SELECT person FROM supervisor WHERE email_key = $1`, key)
	if err != nil {
		return person.Person{}, err
	}
	return person.Get(tx, sub)
}

func mac(tx *db.Tx, sub, pin string) string { return tx.Keys().MAC("supervisor/pin", sub, pin) }

// shown is a PIN as people read and type it: "7F3K-22MX".
func shown(pin string) string { return pin[:length/2] + "-" + pin[length/2:] }

// A Session of somebody who came with a PIN.
type Session struct {
	ID, Person, Email string
	SeenAt            db.Time
}

// Actor is who acts in it.
func (s Session) Actor(by audit.Actor) audit.Actor {
	by.Kind, by.Account, by.Session = audit.Person, s.Person, s.ID
	return by
}

// SignIn opens a session with an address and its PIN (R329). A wrong one counts,
// also when the transaction fails otherwise: the caller commits (db.Keep).
func SignIn(tx *db.Tx, by audit.Actor, email, pin string) (token string, err error) {
	if err := limit.TakeIn(tx, "supervisor/ip/"+limit.Network(by.IP), tryRate); err != nil {
		return "", err
	}
	var sub, want string
	var failures int
	var paused db.Time
	err = tx.Scan(`SELECT person, pin_mac, failures, paused_until FROM supervisor WHERE email_key = $1`, []any{Key(email)}, &sub, &want, &failures, &paused)
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return "", err
	}
	good := seal.Equal(mac(tx, sub, seal.Normalize(pin)), want) && sub != "" && !paused.After(tx.Now())
	if good { // only if nobody replaced the PIN or tried it to death meanwhile
		n, err := tx.Exec(`UPDATE supervisor SET failures = 0, paused_until = NULL, used_at = $3 WHERE person = $1 AND pin_mac = $2 AND (paused_until IS NULL OR paused_until <= $3)`, sub, want, tx.Now())
		if err != nil {
			return "", err
		}
		good = n == 1
	}
	if !good {
		return "", wrong(tx, by, sub)
	}
	// What an older PIN opened ends now that its owner has the new one; not when
	// somebody asked for it, who may be anybody.
	if _, err := tx.Exec(`UPDATE supervisor_session SET ended_at = $1 WHERE person = $2 AND ended_at IS NULL AND created_at < (SELECT pin_at FROM supervisor WHERE person = $2)`, tx.Now(), sub); err != nil {
		return "", fmt.Errorf("supervisor session: %w", err)
	}
	token = seal.Token()
	id := db.NewID()
	if _, err := tx.Exec(`INSERT INTO supervisor_session (id, token_hash, person, created_at, seen_at, ends_at) VALUES ($1, $2, $3, $4, $4, $5)`,
		id, seal.Hash(token), sub, tx.Now(), tx.Now().Add(life)); err != nil {
		return "", fmt.Errorf("supervisor session: %w", err)
	}
	by.Account, by.Session = sub, id
	return token, audit.Record(tx, by, audit.Entry{Event: "supervisor.signed_in", Account: sub, Thing: id})
}

// wrong counts a wrong PIN; of an address that nobody knows nothing is counted,
// and the answer is the same.
func wrong(tx *db.Tx, by audit.Actor, sub string) error {
	n, err := db.Value[int](tx, `UPDATE supervisor SET failures = failures + 1 WHERE person = $1 AND (paused_until IS NULL OR paused_until <= $2) RETURNING failures`, sub, tx.Now())
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return err
	}
	if n >= after {
		until := tx.Now().Add(min(firstPause<<min(n-after, 10), longPause))
		if _, err := tx.Exec(`UPDATE supervisor SET paused_until = $1 WHERE person = $2`, until, sub); err != nil {
			return err
		}
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "supervisor.failed", Account: sub}); err != nil {
		return err
	}
	return db.Keep(fault.Invalid("pin", "supervisor.refused"))
}

// NewPIN mails a new one to an address that has had one; the old one is void,
// and what it opened ends when the new one is used. To an address that nobody
// knows nothing happens, and the answer is the same.
func NewPIN(tx *db.Tx, by audit.Actor, email string) error {
	key, err := ReadEmail("email", email)
	if err != nil {
		return err
	}
	if err := limit.TakeIn(tx, "supervisor/ip/"+limit.Network(by.IP), tryRate); err != nil {
		return err
	}
	if err := limit.TakeIn(tx, "supervisor/pin/"+key, newRate); err != nil {
		return err
	}
	p, err := byKey(tx, key)
	if fault.Is(err, fault.KindNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	pin := seal.Letters(length)
	if _, err := tx.Exec(`UPDATE supervisor SET pin_mac = $2, pin_at = $3, failures = 0, paused_until = NULL WHERE person = $1`, p.Sub, mac(tx, p.Sub, pin), tx.Now()); err != nil {
		return fmt.Errorf("new PIN: %w", err)
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "supervisor.pin_renewed", Account: p.Sub}); err != nil {
		return err
	}
	return texts.Send(tx, p.Mail(), "pin", map[string]any{"PIN": shown(pin), "Email": p.Email})
}

const sessions = `SELECT s.id, s.person, p.email, s.seen_at FROM supervisor_session s JOIN person p ON p.sub = s.person WHERE s.ended_at IS NULL `

func (s *Session) fields() []any { return []any{&s.ID, &s.Person, &s.Email, &s.SeenAt} }

// Resolve finds the running session of a token and notes that it is in use.
func Resolve(tx *db.Tx, token string) (Session, error) {
	return db.One(tx, (*Session).fields, sessions+`AND s.token_hash = $1 AND s.ends_at > $2 AND s.seen_at > $3`, seal.Hash(token), tx.Now(), tx.Now().Add(-idle))
}

// Touch notes that a session was used; callers do so at most once a minute.
func Touch(tx *db.Tx, id string) error {
	_, err := tx.Exec(`UPDATE supervisor_session SET seen_at = $1 WHERE id = $2 AND ended_at IS NULL`, tx.Now(), id)
	return err
}

// Acting is the running session of an actor; without one nothing is allowed.
func Acting(tx *db.Tx, by audit.Actor) (Session, error) {
	s, err := db.One(tx, (*Session).fields, sessions+`AND s.id = $1 AND s.person = $2 AND s.ends_at > $3`, by.Session, by.Account, tx.Now())
	if fault.Is(err, fault.KindNotFound) {
		err = fault.Forbidden()
	}
	return s, err
}

// End ends the session of whoever acts.
func End(tx *db.Tx, by audit.Actor) error {
	n, err := tx.Exec(`UPDATE supervisor_session SET ended_at = $1 WHERE id = $2 AND person = $3 AND ended_at IS NULL`, tx.Now(), by.Session, by.Account)
	if err != nil || n == 0 {
		return err
	}
	return audit.Record(tx, by, audit.Entry{Event: "supervisor.signed_out", Account: by.Account, Thing: by.Session})
}

// Sweep forgets sessions that have long ended. A periodic job calls it.
func Sweep(ctx context.Context, d *db.DB) error {
	return d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
		return tx.Exec(`DELETE FROM supervisor_session WHERE id IN (SELECT id FROM supervisor_session WHERE ends_at < $1 ORDER BY ends_at LIMIT $2)`, tx.Now().Add(-24*time.Hour), most)
	})
}

// Upgrade remembers that somebody who signed in with an account is behind an
// address with a PIN: what was sent to it is theirs there too (W14). The PIN
// goes on to open what it opened. The identity portal has confirmed the address.
func Upgrade(tx *db.Tx, by audit.Actor, p person.Person) error {
	key := Key(p.Email)
	if key == "" {
		return nil
	}
	pin, err := db.Value[string](tx, `UPDATE supervisor SET account = $1 WHERE email_key = $2 AND (account IS NULL OR account <> $1) RETURNING person`, p.Sub, key)
	if fault.Is(err, fault.KindNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("upgrade supervisor: %w", err)
	}
	return audit.Record(tx, by, audit.Entry{Event: "supervisor.upgraded", Account: p.Sub, Thing: pin})
}

// Before is who an account was before it had one: the people behind its
// addresses with a PIN.
func Before(tx *db.Tx, account string) ([]string, error) {
	return db.Values[string](tx, `SELECT person FROM supervisor WHERE account = $1 ORDER BY person`, account)
}

// Account is who has an account by now, of somebody with a PIN; or nobody.
func Account(tx *db.Tx, sub string) ([]string, error) {
	return db.Values[string](tx, `SELECT account FROM supervisor WHERE person = $1 AND account IS NOT NULL`, sub)
}
