package account

import (
	"context"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/link"
	"zunft/internal/identity/password"
)

// From the fifth failure on an account accepts no password for 30 seconds,
// doubling up to an hour (decision 3; NIST SP 800-63B: waits of 30 s to 1 h).
const (
	pauseFrom  = 5
	firstPause = 30 * time.Second
	longPause  = time.Hour
)

var (
	addressRate = limit.Rate{Burst: 100, Every: 3 * time.Second} // a school behind one address
	loginRate   = limit.Rate{Burst: 20, Every: 30 * time.Second} // tries for one name, from wherever
	askRate     = limit.Rate{Burst: 30, Every: 20 * time.Second} // mails asked for from one address
	nameRate    = limit.Rate{Burst: 4, Every: 15 * time.Minute}  // and for one name
)

// A Proof says that somebody knew the password of an account a moment ago.
// [Accept] turns it into a sign-in.
type Proof struct {
	Account Account
	Ticket  string // set while the account is unconfirmed: opens [ResendByTicket]
	renewed string // PHC with today's parameters
	known   bool   // in a browser of theirs: no pause holds
}

// Authenticate finds out whose user name (or address) and password these are,
// outside of any transaction. Whatever is wrong, the answer is the same and
// costs the same: unknown, wrong, paused, locked. Somebody with the right
// password of an unconfirmed account gets a Proof with a Ticket. device is the
// mark of [Device] that the browser has, or empty.
func Authenticate(ctx context.Context, d *db.DB, h *password.Hasher, by audit.Actor, login, plain, device string) (Proof, error) {
	var p Proof
	if err := d.Write(ctx, func(tx *db.Tx) error {
		if device != "" {
			a, err := ByLogin(tx, login)
			if err != nil && !fault.Is(err, fault.KindNotFound) {
				return err
			}
			if p.known, err = knownDevice(tx, a, device); err != nil || p.known {
				return err
			}
		}
		if err := limit.TakeIn(tx, "login/ip/"+limit.Network(by.IP), addressRate); err != nil {
			return err
		}
		return db.Keep(limit.TakeIn(tx, "login/name/"+fold.Login(clip(login)), loginRate))
	}); err != nil {
		return p, err
	}
	var main, waiting Account // confirmed, and not (yet)
	ready := false
	if err := d.Read(ctx, func(tx *db.Tx) (err error) {
		if main, err = ByLogin(tx, login); err != nil && !fault.Is(err, fault.KindNotFound) {
			return err
		}
		ready = main.State == Active && (p.known || !main.pausedUntil.After(tx.Now()))
		if waiting, err = unconfirmedByKey(tx, fold.Login(clip(login))); fault.Is(err, fault.KindNotFound) {
			err = nil
		}
		return err
	}); err != nil {
		return p, err
	}
	good, err := try(ctx, h, ready, main.password, plain)
	if err != nil {
		return p, err
	}
	if waiting.ID != "" { // costs a second hash, with or without a confirmed account beside it
		yes, err := try(ctx, h, true, waiting.password, plain)
		if err != nil {
			return p, err
		}
		if yes && !good {
			p.Account = waiting
			return p, d.Read(ctx, func(tx *db.Tx) error { p.Ticket = ticket(tx, waiting.ID); return nil })
		}
	}
	if !good {
		return p, d.Write(ctx, func(tx *db.Tx) error { return failed(tx, by, main, p.known) })
	}
	p.Account = main
	if h.Stale(main.password) {
		p.renewed, err = h.Hash(ctx, plain)
	}
	return p, err
}

// try verifies, or pretends to.
func try(ctx context.Context, h *password.Hasher, real bool, phc, plain string) (bool, error) {
	if !real {
		return false, h.Dummy(ctx, plain)
	}
	return h.Verify(ctx, phc, plain)
}

// failed counts; tries in a known browser have been counted there.
func failed(tx *db.Tx, by audit.Actor, a Account, known bool) error {
	if known {
		if err := audit.Record(tx, by, audit.Entry{Event: "signin.failed", Account: a.ID, Detail: map[string]any{"device": "known"}}); err != nil {
			return err
		}
		return db.Keep(refused())
	}
	n, err := db.Value[int](tx, `UPDATE account SET failures = failures + 1 WHERE id = $1 AND state = 'active'
		AND (paused_until IS NULL OR paused_until <= $2) RETURNING failures`, a.ID, tx.Now())
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return err
	}
	if n >= pauseFrom {
		pause := min(firstPause<<min(n-pauseFrom, 16), longPause)
		if _, err := tx.Exec(`UPDATE account SET paused_until = $1 WHERE id = $2`, tx.Now().Add(pause), a.ID); err != nil {
			return err
		}
		if err := audit.Record(tx, by, audit.Entry{Event: "account.paused", Account: a.ID, Detail: map[string]any{"failures": n, "seconds": int(pause.Seconds())}}); err != nil {
			return err
		}
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "signin.failed", Account: a.ID}); err != nil {
		return err
	}
	return db.Keep(refused())
}

func refused() error { return fault.Invalid("password", "account.signin_refused") }

// Accept is the sign-in itself: it holds only if nothing has changed since the
// proof, and no pause has begun (locks count at redemption, too). A link for a
// new password that is still open becomes void (R286).
func Accept(tx *db.Tx, by audit.Actor, p Proof) (Account, error) {
	if p.Account.State != Active {
		return Account{}, refused()
	}
	next := p.renewed
	if next == "" {
		next = p.Account.password
	}
	// A sign-in in a known browser gives strangers no new tries.
	reset, until := `failures = 0, paused_until = NULL, `, tx.Now()
	if p.known {
		reset, until = "", db.Time{Time: tx.Now().AddDate(100, 0, 0)}
	}
	a, err := db.One(tx, (*Account).fields, `UPDATE account SET `+reset+`password = $1, used_at = $5, told_at = NULL
		WHERE id = $2 AND state = 'active' AND password = $3 AND (paused_until IS NULL OR paused_until <= $4) RETURNING `+columns,
		next, p.Account.ID, p.Account.password, until, tx.Now())
	if fault.Is(err, fault.KindNotFound) {
		return Account{}, refused()
	}
	if err != nil {
		return Account{}, err
	}
	if err := link.Revoke(tx, a.ID, link.Password); err != nil {
		return Account{}, err
	}
	if p.known {
		return a, audit.Record(tx, by, audit.Entry{Event: "signin.succeeded", Account: a.ID, Detail: map[string]any{"device": "known"}})
	}
	// Limits are for guessing: who knew the password has not guessed.
	for _, name := range []string{a.Email, a.Username} {
		if err := limit.Forget(tx, "login/name/"+fold.Login(name)); err != nil {
			return Account{}, err
		}
	}
	if err := limit.Return(tx, "login/ip/"+limit.Network(by.IP), addressRate); err != nil {
		return Account{}, err
	}
	return a, audit.Record(tx, by, audit.Entry{Event: "signin.succeeded", Account: a.ID})
}

func clip(s string) string {
	if len(s) > 4*maxEmail {
		return ""
	}
	return s
}
