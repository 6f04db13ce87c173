package account

import (
	"context"
	"slices"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/link"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
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
	Unknown bool   // with a refusal: nobody has this name (R280, where a policy tells)
	renewed string // PHC with today's parameters
	login   string // folded, as typed
	known   bool   // in a browser of theirs: no pause holds
}

// Authenticate finds out whose user name (or address, or number) and password
// these are, outside of any transaction. Whatever is wrong, the answer is the
// same and costs the same: unknown, wrong, paused, locked, unconfirmed, carried
// over from another product, no password yet. Somebody with the right password
// of an unconfirmed account gets a Proof with a Ticket. device is the mark of
// [Device] that the browser has, or empty.
func Authenticate(ctx context.Context, d *db.DB, h *password.Hasher, by audit.Actor, login, plain, device string) (Proof, error) {
	p := Proof{login: fold.Login(clip(login))}
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
		return db.Keep(limit.TakeIn(tx, "login/name/"+p.login, loginRate))
	}); err != nil {
		return p, err
	}
	c, err := p.candidates(ctx, d, login)
	if err != nil {
		return p, err
	}
	good, err := c.try(ctx, h, plain)
	if err != nil {
		return p, err
	}
	if !good {
		// A second hash in any case: somebody may have signed up with the address
		// of an account, and must not learn that there is one.
		yes, err := verify(ctx, h, c.waiting.password, plain)
		if err != nil {
			return p, err
		}
		if yes {
			p.Account = c.waiting
			return p, d.Read(ctx, func(tx *db.Tx) error { p.Ticket = ticket(tx, c.waiting.ID); return nil })
		}
		return p, d.Write(ctx, func(tx *db.Tx) error { return failed(tx, by, c.main, c.lock, p.known) })
	}
	p.Account = c.main
	if h.Stale(c.main.password) {
		p.renewed, err = h.Renew(ctx, plain)
	}
	return p, err
}

// Candidates are whom a typed name may mean.
type candidates struct {
	main, waiting Account // confirmed, and not (yet)
	ready         bool    // main may try
	lock          policy.Lock
	costliest     string // hash of another product that anybody still has
}

func (p *Proof) candidates(ctx context.Context, d *db.DB, login string) (c candidates, err error) {
	err = d.Read(ctx, func(tx *db.Tx) (err error) {
		var by way
		if c.main, by, err = lookUp(tx, login); err != nil && !fault.Is(err, fault.KindNotFound) {
			return err
		}
		if c.waiting, err = unconfirmedByKey(tx, p.login); err != nil && !fault.Is(err, fault.KindNotFound) {
			return err
		}
		p.Unknown = c.main.ID == "" && c.waiting.ID == ""
		rules, err := rulesOf(tx, c.main.Policy)
		if err != nil {
			return err
		}
		if !slices.Contains(rules.SignIn.By, by.policyName()) { // W07: each can be switched off
			c.main, p.known = Account{}, false
		}
		c.lock = rules.Lock
		c.ready = c.main.State == Active && (p.known || !c.main.pausedUntil.After(tx.Now()))
		c.costliest, err = db.Value[string](tx, `SELECT COALESCE(max(password), '') FROM account WHERE substr(password, 1, 1) = '~'`)
		return err
	})
	return c, err
}

// rulesOf is the policy of an account; the shipped standard while there is none.
func rulesOf(tx *db.Tx, key string) (policy.Policy, error) {
	rules, err := policy.Of(tx, key)
	if fault.Is(err, fault.KindNotFound) {
		return policy.Preset(policy.Standard)
	}
	return rules, err
}

// try compares. A refusal costs one hash of ours and, while somebody still has
// one, the costliest of another product (see password.Foreign).
func (c candidates) try(ctx context.Context, h *password.Hasher, plain string) (good bool, err error) {
	phc := ""
	if c.ready {
		phc = c.main.password
	}
	if good, err = verify(ctx, h, phc, plain); good || err != nil {
		return good, err
	}
	if password.Foreign(phc) {
		if err := h.Dummy(ctx, plain); err != nil {
			return false, err
		}
	}
	if c.costliest != "" && (phc == "" || !password.AsCostly(phc, c.costliest)) {
		_, err = h.Verify(ctx, c.costliest, plain)
	}
	return false, err
}

// verify compares with a hash, or pretends to.
func verify(ctx context.Context, h *password.Hasher, phc, plain string) (bool, error) {
	if phc == "" {
		return false, h.Dummy(ctx, plain)
	}
	return h.Verify(ctx, phc, plain)
}

// From the failure on that the policy names (the fifth), an account accepts no
// password: for 30 seconds, doubling up to an hour (decision 3; NIST SP
// 800-63B), or for 24 hours with a mail that ends it (R287, W11). Browsers that
// its owner has used before and passkeys open it all the same.
const (
	firstPause = 30 * time.Second
	longPause  = time.Hour
	day        = 24 * time.Hour
)

// failed counts; tries in a known browser have been counted there.
func failed(tx *db.Tx, by audit.Actor, a Account, lock policy.Lock, known bool) error {
	if known {
		if err := audit.Record(tx, by, audit.Entry{Event: "signin.failed", Account: a.ID, Detail: map[string]any{"device": "known"}}); err != nil {
			return err
		}
		return db.Keep(refused())
	}
	// After a whole day the count begins anew; pauses go on growing.
	n, err := db.Value[int](tx, `UPDATE account SET failures = CASE WHEN $3 AND paused_until IS NOT NULL THEN 1 ELSE failures + 1 END,
		paused_until = CASE WHEN $3 THEN NULL ELSE paused_until END
		WHERE id = $1 AND state = 'active' AND (paused_until IS NULL OR paused_until <= $2) RETURNING failures`, a.ID, tx.Now(), lock.Way == "day")
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return err
	}
	if n > 0 && n >= lock.After {
		if err := pause(tx, by, a, lock, n); err != nil {
			return err
		}
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "signin.failed", Account: a.ID}); err != nil {
		return err
	}
	return db.Keep(refused())
}

func pause(tx *db.Tx, by audit.Actor, a Account, lock policy.Lock, failures int) error {
	length := min(firstPause<<min(failures-lock.After, 16), longPause)
	if lock.Way == "day" {
		length = day
		if err := enqueueUnlock(tx, by, a.ID); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(`UPDATE account SET paused_until = $1 WHERE id = $2`, tx.Now().Add(length), a.ID); err != nil {
		return err
	}
	return audit.Record(tx, by, audit.Entry{Event: "account.paused", Account: a.ID, Detail: map[string]any{"failures": failures, "seconds": int(length.Seconds())}})
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
	if err := forgetTries(tx, a, p.login); err != nil {
		return Account{}, err
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
