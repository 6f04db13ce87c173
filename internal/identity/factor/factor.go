// Package factor keeps second factors: one-time codes by mail, authenticator
// apps (RFC 6238), passkeys (WebAuthn) and recovery codes.
//
//	 Want (policy "relogin")        StartTOTP
//	wanted ───────────────▶ (next sign-in) ─────▶ pending
//	                                                 │ ConfirmTOTP: its first code
//	       UseMail, FinishRegister                   ▼
//	(none) ──────────────────────────────────────▶ active ──▶ (removed)
//
// Several stand side by side, and a new one is confirmed before an old one goes
// (decision 3). Whoever has one is asked for it at every sign-in (R201);
// whoever has none proves changes by a code to their main address (R151–R155).
//
// Every one-time thing ends by one conditional UPDATE. Wrong codes are counted
// on the account, apart from wrong passwords, and make growing pauses; the
// count is taken before the comparison and on the account's row, so of many
// guesses at once each one counts, and an account that was locked meanwhile
// accepts nothing (GHSA-wv3h, CVE-2026-9798).
package factor

import (
	"context"
	"embed"
	"slices"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/account"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/session"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

// Kinds of factors.
const (
	Mail    = "mail"
	TOTP    = "totp"
	Passkey = "passkey"
	// Recovery is no factor of its own: a code that stands in for one.
	Recovery = "recovery"
)

// The states are "wanted" (to be set up at the next sign-in; R165, R167),
// "pending" (waits for its first code) and "active".

// rank orders kinds by what they are worth as the least one of a role.
var rank = map[string]int{"": 0, Mail: 1, TOTP: 2, Passkey: 3}

// AMR is what a session gains by a kind (RFC 8176). A code by mail is no second
// factor in the sense of NIST SP 800-63B; so it never says "mfa".
func AMR(kind string) string {
	switch kind {
	case Mail:
		return "otp"
	case TOTP, Recovery:
		return "otp mfa"
	case Passkey:
		return "hwk user mfa"
	}
	return ""
}

// Enough reports whether what a session has shown (amr) does for least.
func Enough(amr, least string) bool {
	shown := 0
	for method := range strings.FieldsSeq(amr) {
		shown = max(shown, map[string]int{"otp": rank[Mail], "mfa": rank[TOTP], "hwk": rank[Passkey]}[method])
	}
	return shown >= rank[least]
}

// A Factor of an account.
type Factor struct {
	ID, Account, Kind string
	Name              string // as its owner calls it, or empty
	State             string
	CreatedAt         db.Time
	ConfirmedAt       db.Time
	UsedAt            db.Time
}

const columns = `id, account, kind, name, state, created_at, confirmed_at, used_at`

func (f *Factor) fields() []any {
	return []any{&f.ID, &f.Account, &f.Kind, &f.Name, &f.State, &f.CreatedAt, &f.ConfirmedAt, &f.UsedAt}
}

// List reads an account's factors that are active or wanted, oldest first.
func List(tx *db.Tx, account string) ([]Factor, error) {
	return db.All(tx, (*Factor).fields, `SELECT `+columns+` FROM factor WHERE account = $1 AND state <> 'pending' ORDER BY id`, account)
}

// Kinds an account has active, and how many recovery codes are left.
type Kinds struct {
	Mail, TOTP, Passkey bool
	Codes               int
	Wanted              string // kind to be set up at the next sign-in, or empty
	wantedIn            string // the session that wanted it
}

// Active reads what an account has, in one query.
func Active(tx *db.Tx, account string) (k Kinds, err error) {
	const one = `COALESCE(MAX(CASE WHEN state = 'active' AND kind = `
	err = tx.Scan(`SELECT `+one+`'mail' THEN 1 END), 0), `+one+`'totp' THEN 1 END), 0), `+one+`'passkey' THEN 1 END), 0),
		COALESCE(MAX(CASE WHEN state = 'wanted' THEN kind END), ''), COALESCE(MAX(CASE WHEN state = 'wanted' THEN session END), ''),
		(SELECT count(*) FROM recovery_code WHERE account = $1 AND used_at IS NULL)
		FROM factor WHERE account = $1`, []any{account}, &k.Mail, &k.TOTP, &k.Passkey, &k.Wanted, &k.wantedIn, &k.Codes)
	return k, err
}

// Any reports whether any factor is active: then it is asked at every sign-in (R201).
func (k Kinds) Any() bool { return k.Mail || k.TOTP || k.Passkey }

// Has reports whether a kind is active; of recovery codes, whether one is left.
func (k Kinds) Has(kind string) bool {
	return kind == Mail && k.Mail || kind == TOTP && k.TOTP || kind == Passkey && k.Passkey || kind == Recovery && k.Codes > 0
}

// Satisfies reports whether something that is active does for least.
func (k Kinds) Satisfies(least string) bool {
	best := 0
	for _, kind := range []string{Mail, TOTP, Passkey} {
		if k.Has(kind) {
			best = rank[kind]
		}
	}
	return best >= rank[least]
}

// usable are the kinds that may prove this person now. A code by mail does, too,
// as long as no authenticator app is set up: without a script there are no
// passkeys (decision 8), and who has nothing yet proves changes by mail (R152).
// Nothing below least does, unless there is nothing else: then it opens the page
// to set up what is missing.
func (k Kinds) usable(least string) Kinds {
	k.Mail = k.Mail || !k.TOTP
	above := k
	above.Mail = k.Mail && rank[Mail] >= rank[least]
	above.TOTP = k.TOTP && rank[TOTP] >= rank[least]
	if rank[TOTP] < rank[least] { // a recovery code is worth an app, not a passkey
		above.Codes = 0
	}
	if above.Any() {
		return above
	}
	return k
}

// Least is the least kind that the roles of an account need; empty: none. What
// the installation's default policy asks of a role holds for everybody: nobody
// chooses less by signing up under another profile.
func Least(tx *db.Tx, account string, p policy.Policy) (least string, err error) {
	rules := []policy.Policy{p}
	if !p.Default {
		general, err := policy.Of(tx, "")
		if err != nil {
			return "", err
		}
		rules = append(rules, general)
	}
	if !slices.ContainsFunc(rules, func(p policy.Policy) bool { return len(p.Factor.Least) > 0 }) {
		return "", nil
	}
	roles, err := db.Values[string](tx, `SELECT role FROM staff WHERE account = $1
		UNION SELECT 'organization_admin' FROM membership WHERE account = $1 AND admin AND ended_at IS NULL`, account)
	for _, role := range roles {
		for _, p := range rules {
			if kind := p.Factor.Least[role]; rank[kind] > rank[least] {
				least = kind
			}
		}
	}
	return least, err
}

// A Need says what the sign-in of an account takes, and what is there for it.
type Need struct {
	Has    Kinds // what is active
	Ways   Kinds // what may prove this person now
	Least  string
	Policy policy.Policy
	Prove  bool // a second factor is asked
	SetUp  bool // one must be set up: a role needs it, or it is wanted
	Offer  bool // one is offered, once (R199)
}

// Due says what the sign-in of an account takes, given what its session has
// shown so far.
func Due(tx *db.Tx, a account.Account, s session.Session) (n Need, err error) {
	if n, err = Ways(tx, a); err != nil {
		return n, err
	}
	enough := Mail // also while what a role needs is missing: it takes what there is to set that up
	if n.Least != "" && n.Has.Satisfies(n.Least) {
		enough = n.Least
	}
	n.Prove = (n.Has.Any() || n.Least != "") && !Enough(s.AMR, enough)
	n.SetUp = !n.Has.Satisfies(n.Least) || n.Has.Wanted != "" && n.Has.wantedIn != s.ID
	if n.Policy.Factor.Offer && !n.Has.Any() && !n.SetUp {
		n.Offer, err = db.Value[bool](tx, `SELECT factor_offered_at IS NULL FROM account WHERE id = $1`, a.ID)
	}
	return n, err
}

// Ways says what an account has and what may prove its owner now, before changes.
func Ways(tx *db.Tx, a account.Account) (n Need, err error) {
	if n.Policy, err = policy.Of(tx, a.Policy); err != nil {
		return n, err
	}
	if n.Has, err = Active(tx, a.ID); err != nil {
		return n, err
	}
	n.Least, err = Least(tx, a.ID, n.Policy)
	n.Ways = n.Has.usable(n.Least)
	return n, err
}

// Offered notes that somebody has seen the offer of a second factor (R199, S25).
func Offered(tx *db.Tx, account string) error {
	_, err := tx.Exec(`UPDATE account SET factor_offered_at = $1 WHERE id = $2 AND factor_offered_at IS NULL`, tx.Now(), account)
	return err
}

// acting: somebody halfway through a sign-in acts, too.
func acting(by audit.Actor, account string) audit.Actor {
	if by.Account == "" && (by.Kind == audit.Person || by.Kind == "") {
		by.Account = account
	}
	return by
}

// lock makes changes of one account come one after the other.
func lock(tx *db.Tx, account string) error {
	n, err := tx.Exec(`UPDATE account SET version = version + 1 WHERE id = $1 AND state = 'active'`, account)
	if err == nil && n == 0 {
		err = fault.Conflict("account.not_active")
	}
	return err
}

const (
	codeFor     = 10 * time.Minute // a code by mail (ASVS 6.5.5)
	ceremonyFor = 10 * time.Minute
	setupFor    = time.Hour // a QR code that nobody confirmed
)

// sweeps forget what has run out.
var sweeps = []func(*db.Tx, int) (int64, error){
	func(tx *db.Tx, most int) (int64, error) {
		return tx.Exec(`DELETE FROM factor_code WHERE id IN (SELECT id FROM factor_code WHERE expires_at <= $1 LIMIT $2)`, tx.Now(), most)
	},
	func(tx *db.Tx, most int) (int64, error) {
		return tx.Exec(`DELETE FROM passkey_ceremony WHERE id IN (SELECT id FROM passkey_ceremony WHERE expires_at <= $1 LIMIT $2)`, tx.Now(), most)
	},
	func(tx *db.Tx, most int) (int64, error) {
		return tx.Exec(`DELETE FROM factor WHERE id IN (SELECT id FROM factor WHERE state = 'pending' AND created_at <= $1 LIMIT $2)`, tx.Now().Add(-setupFor), most)
	},
}

// Work adds what this package does by the clock.
func Work(r *job.Runner, d *db.DB) {
	r.Every(time.Hour, "factor.sweep", func(ctx context.Context) error {
		for _, sweep := range sweeps {
			if err := d.Batches(ctx, sweep); err != nil {
				return err
			}
		}
		return nil
	})
}
