package factor

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
)

// Passkeys of one portal: they hold at its host and nowhere else. They are
// discoverable (one signs in without a name) and always verify their user.
type Passkeys struct {
	RPID, Origin string
	Name         string // of the portal, as the authenticator shows it

	rp *webauthn.WebAuthn
}

// askRate bounds who asks for ceremonies from one address: a school begins to work.
var askRate = limit.Rate{Burst: 200, Every: 2 * time.Second}

// NewPasskeys for the portal at base; nil where its host is an IP address (or
// nothing): WebAuthn knows names only.
func NewPasskeys(base, name string) *Passkeys {
	u, err := url.Parse(base)
	if err != nil || u.Hostname() == "" {
		return nil
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return nil
	}
	p := &Passkeys{RPID: u.Hostname(), Origin: u.Scheme + "://" + u.Host, Name: name}
	yes := true
	timeout := webauthn.TimeoutConfig{Timeout: ceremonyFor, TimeoutUVD: ceremonyFor} // told to the browser; the database enforces it
	p.rp, err = webauthn.New(&webauthn.Config{
		RPID: p.RPID, RPDisplayName: name, RPOrigins: []string{p.Origin},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: &yes, ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: timeout, Registration: timeout},
	})
	if err != nil {
		return nil
	}
	return p
}

// owner is an account as the library sees it. Its handle is the account's id,
// which says nothing about the person.
type owner struct {
	account.Account
	credentials []webauthn.Credential
}

func (o owner) WebAuthnID() []byte                         { return []byte(o.ID) }
func (o owner) WebAuthnName() string                       { return o.Email }
func (o owner) WebAuthnDisplayName() string                { return o.Account.Name() }
func (o owner) WebAuthnCredentials() []webauthn.Credential { return o.credentials }

// kept is a passkey as the table holds it.
type kept struct{ id, account, secret string }

func (k kept) credential() (c webauthn.Credential, err error) {
	if err = json.Unmarshal([]byte(k.secret), &c); err != nil {
		err = fmt.Errorf("passkey %s: %w", k.id, err)
	}
	return c, err
}

func ownerOf(tx *db.Tx, a account.Account) (o owner, err error) {
	o.Account = a
	all, err := db.All(tx, func(k *kept) []any { return []any{&k.id, &k.account, &k.secret} },
		`SELECT id, account, secret FROM factor WHERE account = $1 AND kind = 'passkey' AND state = 'active' ORDER BY id`, a.ID)
	for _, k := range all {
		c, err := k.credential()
		if err != nil {
			return o, err
		}
		o.credentials = append(o.credentials, c)
	}
	return o, err
}

// A ceremony is what was asked of the authenticator. Its row is named after the
// browser's secret; it is taken out by the first answer, right or not.
type ceremony struct {
	Purpose string // "register", "login", "proof"
	Session webauthn.SessionData
}

func ceremonyPlace(id string) string { return "passkey_ceremony/" + id }

func begin(tx *db.Tx, purpose, account, secret string, s *webauthn.SessionData, options any) ([]byte, error) {
	if len(secret) < 20 {
		return nil, fault.Conflict("factor.passkey_old")
	}
	id := seal.Hash(secret)
	body, err := json.Marshal(ceremony{purpose, *s})
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(`INSERT INTO passkey_ceremony (id, account, body, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET account = excluded.account, body = excluded.body, expires_at = excluded.expires_at`,
		id, account, tx.Keys().Seal(ceremonyPlace(id), body), tx.Now().Add(ceremonyFor)); err != nil {
		return nil, fmt.Errorf("passkey ceremony: %w", err)
	}
	return json.Marshal(options)
}

// take ends a ceremony: of many answers exactly one is looked at.
func take(tx *db.Tx, purpose, account, secret string) (webauthn.SessionData, error) {
	var whose, sealed string
	id := seal.Hash(secret)
	err := tx.Scan(`DELETE FROM passkey_ceremony WHERE id = $1 AND expires_at > $2 RETURNING account, body`, []any{id, tx.Now()}, &whose, &sealed)
	if fault.Is(err, fault.KindNotFound) {
		return webauthn.SessionData{}, fault.Conflict("factor.passkey_old")
	}
	if err != nil {
		return webauthn.SessionData{}, err
	}
	body, err := tx.Keys().Open(ceremonyPlace(id), sealed)
	if err != nil {
		return webauthn.SessionData{}, err
	}
	var c ceremony
	if err := json.Unmarshal(body, &c); err != nil {
		return c.Session, fmt.Errorf("passkey ceremony: %w", err)
	}
	if c.Purpose != purpose || whose != account { // begun for something else, or by somebody else in this browser
		return c.Session, db.Keep(fault.Conflict("factor.passkey_old"))
	}
	return c.Session, nil
}

// refuse: whatever was wrong with the answer, it is the same to read, and the
// ceremony is spent.
func refuse(tx *db.Tx, by audit.Actor, account string) error {
	if err := audit.Record(tx, by, audit.Entry{Event: "factor.passkey_refused", Account: account}); err != nil {
		return err
	}
	return db.Keep(fault.Invalid("passkey", "factor.passkey_refused"))
}

// BeginRegister are the options (JSON) to make a passkey with. secret is the
// browser's: only there the ceremony can be finished.
func (p *Passkeys) BeginRegister(tx *db.Tx, a account.Account, secret string) ([]byte, error) {
	if _, err := mayAdd(tx, a, "", Passkey); err != nil {
		return nil, err
	}
	o, err := ownerOf(tx, a)
	if err != nil {
		return nil, err
	}
	options, s, err := p.rp.BeginRegistration(o, webauthn.WithExclusions(webauthn.Credentials(o.credentials).CredentialDescriptors()))
	if err != nil {
		return nil, err
	}
	return begin(tx, "register", a.ID, secret, s, options)
}

// FinishRegister keeps the passkey that was made. The field is "passkey".
func (p *Passkeys) FinishRegister(tx *db.Tx, by audit.Actor, a account.Account, secret, name string, response []byte) (f Factor, err error) {
	by = acting(by, a.ID)
	if name, err = readName(name); err != nil {
		return f, err
	}
	if err := lock(tx, a.ID); err != nil {
		return f, err
	}
	s, err := take(tx, "register", a.ID, secret)
	if err != nil {
		return f, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return f, refuse(tx, by, a.ID)
	}
	made, err := p.rp.CreateCredential(owner{Account: a}, s, parsed)
	if err != nil {
		return f, refuse(tx, by, a.ID)
	}
	rule, err := mayAdd(tx, a, "", Passkey)
	if err != nil {
		return f, err
	}
	made.Attestation = webauthn.CredentialAttestation{} // we asked for none
	body, err := json.Marshal(made)
	if err != nil {
		return f, err
	}
	f, err = db.One(tx, (*Factor).fields, `INSERT INTO factor (id, account, kind, name, state, secret, credential, created_at, confirmed_at)
		VALUES ($1, $2, 'passkey', $3, 'active', $4, $5, $6, $6) ON CONFLICT (credential) WHERE credential IS NOT NULL DO NOTHING RETURNING `+columns,
		db.NewID(), a.ID, name, string(body), credentialID(made.ID), tx.Now())
	if fault.Is(err, fault.KindNotFound) {
		return f, db.Keep(fault.Conflict("factor.passkey_known"))
	}
	if err != nil {
		return f, err
	}
	return f, added(tx, by, a, rule, f)
}

func credentialID(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }

// BeginLogin are the options to sign in with: whoever it is, the passkey says.
// So they tell nothing about anybody.
func (p *Passkeys) BeginLogin(tx *db.Tx, by audit.Actor, secret string) ([]byte, error) {
	if err := limit.TakeIn(tx, "passkey/ip/"+limit.Network(by.IP), askRate); err != nil {
		return nil, err
	}
	options, s, err := p.rp.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, err
	}
	return begin(tx, "login", "", secret, s, options)
}

// FinishLogin finds out who signed in, if their account is active now; it is the
// sign-in itself, as [account.Accept] is. The caller begins the session. Pauses
// after wrong passwords hold nobody up who has a passkey.
func (p *Passkeys) FinishLogin(tx *db.Tx, by audit.Actor, secret string, response []byte) (a account.Account, amr string, err error) {
	s, err := take(tx, "login", "", secret)
	if err != nil {
		return a, "", err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return a, "", refuse(tx, by, "")
	}
	var k kept
	err = tx.Scan(`SELECT id, account, secret FROM factor WHERE credential = $1 AND kind = 'passkey' AND state = 'active'`,
		[]any{credentialID(parsed.RawID)}, &k.id, &k.account, &k.secret)
	if fault.Is(err, fault.KindNotFound) {
		return a, "", refuse(tx, by, "")
	}
	if err != nil {
		return a, "", err
	}
	c, err := k.credential()
	if err != nil {
		return a, "", err
	}
	if a, err = account.Get(tx, k.account); err != nil {
		return a, "", err
	}
	find := func(_, _ []byte) (webauthn.User, error) {
		return owner{Account: a, credentials: []webauthn.Credential{c}}, nil
	}
	_, used, err := p.rp.ValidatePasskeyLogin(find, s, parsed)
	if err != nil {
		return account.Account{}, "", refuse(tx, by, a.ID)
	}
	n, err := tx.Exec(`UPDATE account SET used_at = $1, told_at = NULL WHERE id = $2 AND state = 'active'`, tx.Now(), a.ID)
	if err == nil && n == 0 { // locked or gone (GHSA-wv3h): it reads like any other refusal
		err = refuse(tx, by, a.ID)
	}
	if err == nil {
		err = k.renew(tx, by, used)
	}
	if err != nil {
		return account.Account{}, "", err
	}
	return a, AMR(Passkey), audit.Record(tx, by, audit.Entry{Event: "signin.succeeded", Account: a.ID, Thing: k.id, Detail: map[string]any{"by": Passkey}})
}

// renew writes back what changed. A counter that did not move says that there
// are two of them (WebAuthn Level 3, 6.1.1).
func (k kept) renew(tx *db.Tx, by audit.Actor, used *webauthn.Credential) error {
	if used.Authenticator.CloneWarning {
		return refuse(tx, by, k.account)
	}
	body, err := json.Marshal(used)
	if err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE factor SET secret = $1, used_at = $2 WHERE id = $3 AND state = 'active' AND secret = $4`, string(body), tx.Now(), k.id, k.secret)
	if err == nil && n == 0 { // removed, or used elsewhere in this moment
		err = refuse(tx, by, k.account)
	}
	return err
}

// BeginProof are the options to prove a known person with one of their passkeys:
// as second factor, and before changes.
func (p *Passkeys) BeginProof(tx *db.Tx, a account.Account, secret string) ([]byte, error) {
	o, err := ownerOf(tx, a)
	if err != nil {
		return nil, err
	}
	if len(o.credentials) == 0 {
		return nil, fault.Conflict("factor.not_now")
	}
	options, s, err := p.rp.BeginLogin(o, webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, err
	}
	return begin(tx, "proof", a.ID, secret, s, options)
}

// FinishProof checks it. amr is what the session gains.
func (p *Passkeys) FinishProof(tx *db.Tx, by audit.Actor, a account.Account, secret string, response []byte) (amr string, err error) {
	by = acting(by, a.ID)
	if err := lock(tx, a.ID); err != nil {
		return "", err
	}
	s, err := take(tx, "proof", a.ID, secret)
	if err != nil {
		return "", err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return "", refuse(tx, by, a.ID)
	}
	o, err := ownerOf(tx, a)
	if err != nil {
		return "", err
	}
	used, err := p.rp.ValidateLogin(o, s, parsed)
	if err != nil {
		return "", refuse(tx, by, a.ID)
	}
	var k kept
	if err := tx.Scan(`SELECT id, account, secret FROM factor WHERE credential = $1 AND state = 'active'`, []any{credentialID(used.ID)}, &k.id, &k.account, &k.secret); err != nil {
		return "", err
	}
	return AMR(Passkey), k.renew(tx, by, used)
}
