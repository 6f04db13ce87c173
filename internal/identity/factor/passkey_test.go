package factor

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/policy"
)

const (
	origin = "http://localhost:8080"
	secret = "a-secret-of-this-browser-of-43-characters---"
)

// An authenticator as WebAuthn Level 3 describes it: ES256, no attestation.
type authenticator struct {
	key    *ecdsa.PrivateKey
	id     []byte
	handle []byte
	count  uint32
	flags  byte   // beside user present and verified
	origin string // of the page that asked
}

func newAuthenticator() *authenticator {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	id := make([]byte, 32)
	rand.Read(id)
	return &authenticator{key: key, id: id, origin: origin, flags: 0x05}
}

type asked struct {
	PublicKey struct {
		Challenge string `json:"challenge"`
		RPID      string `json:"rpId"`
		RP        struct{ ID, Name string }
		User      struct{ ID, Name, DisplayName string }
		Exclude   []struct{ ID string } `json:"excludeCredentials"`
		Allow     []struct{ ID string } `json:"allowCredentials"`
		Verify    string                `json:"userVerification"`
		Selection struct {
			ResidentKey, UserVerification string
		} `json:"authenticatorSelection"`
	} `json:"publicKey"`
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// cbor writes the few shapes that are needed: head, byte string, text.
func head(kind byte, n int) []byte {
	switch {
	case n < 24:
		return []byte{kind<<5 | byte(n)}
	case n < 256:
		return []byte{kind<<5 | 24, byte(n)}
	}
	return []byte{kind<<5 | 25, byte(n >> 8), byte(n)}
}

func cborBytes(b []byte) []byte { return append(head(2, len(b)), b...) }
func cborText(s string) []byte  { return append(head(3, len(s)), s...) }

func (a *authenticator) data(rpID string, attested []byte) []byte {
	hash := sha256.Sum256([]byte(rpID))
	flags := a.flags
	if attested != nil {
		flags |= 0x40
	}
	out := append(hash[:], flags)
	out = binary.BigEndian.AppendUint32(out, a.count)
	return append(out, attested...)
}

func (a *authenticator) client(kind, challenge string) []byte {
	b, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.origin, "crossOrigin": false})
	if err != nil {
		panic(err)
	}
	return b
}

func (a *authenticator) answer(response map[string]any) []byte {
	b, err := json.Marshal(map[string]any{"id": b64(a.id), "rawId": b64(a.id), "type": "public-key", "clientExtensionResults": map[string]any{}, "response": response})
	if err != nil {
		panic(err)
	}
	return b
}

// register makes a passkey as the options ask.
func (a *authenticator) register(t testing.TB, options []byte) []byte {
	t.Helper()
	var o asked
	if err := json.Unmarshal(options, &o); err != nil {
		t.Fatal(err)
	}
	var err error
	if a.handle, err = base64.RawURLEncoding.DecodeString(o.PublicKey.User.ID); err != nil {
		t.Fatal(err)
	}
	point, err := a.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	cose := bytes.Join([][]byte{{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21}, cborBytes(point[1:33]), {0x22}, cborBytes(point[33:])}, nil)
	attested := bytes.Join([][]byte{make([]byte, 16), {0, byte(len(a.id))}, a.id, cose}, nil)
	object := bytes.Join([][]byte{{0xa3}, cborText("fmt"), cborText("none"), cborText("attStmt"), {0xa0}, cborText("authData"), cborBytes(a.data(o.PublicKey.RP.ID, attested))}, nil)
	return a.answer(map[string]any{"clientDataJSON": b64(a.client("webauthn.create", o.PublicKey.Challenge)), "attestationObject": b64(object), "transports": []string{"internal"}})
}

// sign answers a question.
func (a *authenticator) sign(t testing.TB, options []byte) []byte {
	t.Helper()
	var o asked
	if err := json.Unmarshal(options, &o); err != nil {
		t.Fatal(err)
	}
	if a.count > 0 {
		a.count++
	}
	data, client := a.data(o.PublicKey.RPID, nil), a.client("webauthn.get", o.PublicKey.Challenge)
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(append(bytes.Clone(data), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return a.answer(map[string]any{"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": b64(a.handle)})
}

func (w *world) passkeys() *Passkeys { return NewPasskeys(origin, "Kammerkonto") }

// passkey gives a person one.
func (w *world) passkey(a account.Account) (*authenticator, Factor) {
	w.Helper()
	p, device := w.passkeys(), newAuthenticator()
	var f Factor
	w.must(func(tx *db.Tx) error {
		options, err := p.BeginRegister(tx, a, secret)
		if err != nil {
			return err
		}
		f, err = p.FinishRegister(tx, w.by(), a, secret, "Laptop", device.register(w, options))
		return err
	})
	return device, f
}

func (w *world) beginLogin(p *Passkeys) (options []byte) {
	w.Helper()
	w.must(func(tx *db.Tx) (err error) { options, err = p.BeginLogin(tx, w.by(), secret); return err })
	return options
}

func (w *world) finishLogin(p *Passkeys, response []byte) (a account.Account, amr string, err error) {
	err = w.write(func(tx *db.Tx) error { a, amr, err = p.FinishLogin(tx, w.by(), secret, response); return err })
	return a, amr, err
}

func TestPasskeysNeedAName(t *testing.T) {
	for base, want := range map[string]bool{"https://id.kammer.example": true, "http://localhost:8080": true, "http://127.0.0.1:8080": false, "https://[::1]:8": false, "https://192.0.2.1": false, "": false, ":": false} {
		if p := NewPasskeys(base, "x"); (p != nil) != want {
			t.Errorf("%s: %v", base, p)
		}
	}
	if p := NewPasskeys("https://id.kammer.example:8443", "x"); p.RPID != "id.kammer.example" || p.Origin != "https://id.kammer.example:8443" {
		t.Error(p)
	}
}

// ux.md task 18: a passkey is added, told, and signs in alone, with no name
// typed; what it shows is the best there is.
func TestPasskeySignsIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.passkeys()
		device, f := w.passkey(w.anna)
		if f.Name != "Laptop" || f.State != "active" || f.Kind != Passkey {
			t.Errorf("%+v", f)
		}
		if m := w.lastMail(); m.Subject != "Passkey hinzugefügt" || !strings.Contains(m.Body, "/report-activity/") {
			t.Errorf("%+v", m)
		}
		options := w.beginLogin(p)
		var o asked
		if err := json.Unmarshal(options, &o); err != nil || o.PublicKey.RPID != "localhost" || o.PublicKey.Verify != "required" || len(o.PublicKey.Allow) != 0 {
			t.Errorf("%s", options)
		}
		answer := device.sign(t, options)
		a, amr, err := w.finishLogin(p, answer)
		if err != nil || a.ID != w.anna.ID || amr != "hwk user mfa" || !Enough(amr, Passkey) {
			t.Error(a.ID, amr, err)
		}
		if n := w.count(`SELECT count(*) FROM audit WHERE event = 'signin.succeeded' AND account = $1`, a.ID); n != 1 {
			t.Error(n, "records")
		}
		if _, _, err := w.finishLogin(p, answer); key(err) != "factor.passkey_old" {
			t.Error("the same answer again:", err)
		}
		options = w.beginLogin(p)
		w.pass(ceremonyFor)
		if _, _, err := w.finishLogin(p, device.sign(t, options)); key(err) != "factor.passkey_old" {
			t.Error("too late:", err)
		}
		if n := w.due(w.anna, "pwd", "s1"); !n.Prove || !n.Ways.Passkey || !n.Ways.Mail {
			t.Errorf("asked after a password; where no script runs, a code by mail does: %+v", n)
		}
	})
}

// Every way an answer can be wrong reads the same and spends the ceremony.
func TestPasskeyRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.passkeys()
		device, f := w.passkey(w.anna)
		bert := w.person("bert")
		for name, forge := range map[string]func(options []byte) []byte{
			"nothing":      func([]byte) []byte { return nil },
			"no JSON":      func([]byte) []byte { return []byte("{") },
			"1 MB":         func([]byte) []byte { return bytes.Repeat([]byte("["), 1<<20) },
			"unknown key":  func(o []byte) []byte { return newAuthenticator().sign(t, o) },
			"other origin": func(o []byte) []byte { d := *device; d.origin = "https://evil.example"; return d.sign(t, o) },
			"not verified": func(o []byte) []byte { d := *device; d.flags = 0x01; return d.sign(t, o) },
			"other person": func(o []byte) []byte { d := *device; d.handle = []byte(bert.ID); return d.sign(t, o) },
			"other key":    func(o []byte) []byte { d := *device; d.key = newAuthenticator().key; return d.sign(t, o) },
			"other challenge": func(o []byte) []byte {
				return device.sign(t, bytes.Replace(o, []byte(`"challenge":"`), []byte(`"challenge":"AAAA`), 1))
			},
			"a registration": func(o []byte) []byte { return newAuthenticator().register(t, o) },
		} {
			options := w.beginLogin(p)
			if _, _, err := w.finishLogin(p, forge(options)); key(err) != "factor.passkey_refused" {
				t.Errorf("%s: %v", name, err)
			}
			if _, _, err := w.finishLogin(p, device.sign(t, options)); key(err) != "factor.passkey_old" {
				t.Errorf("%s: the ceremony is not spent: %v", name, err)
			}
		}
		// GHSA-wv3h, CVE-2026-9798: locked between question and answer.
		options := w.beginLogin(p)
		lock := func(state string) {
			w.must(func(tx *db.Tx) error {
				_, err := tx.Exec(`UPDATE account SET state = $1 WHERE id = $2`, state, w.anna.ID)
				return err
			})
		}
		lock("locked")
		if a, _, err := w.finishLogin(p, device.sign(t, options)); key(err) != "factor.passkey_refused" || a.ID != "" {
			t.Error("locked:", err)
		}
		lock("active")
		// In another browser there is no such ceremony; nor for another purpose.
		options = w.beginLogin(p)
		if err := w.write(func(tx *db.Tx) error {
			_, _, err := p.FinishLogin(tx, w.by(), strings.Repeat("y", 43), device.sign(t, options))
			return err
		}); key(err) != "factor.passkey_old" {
			t.Error(err)
		}
		if err := w.write(func(tx *db.Tx) error {
			_, err := p.FinishProof(tx, w.by(), w.anna, secret, device.sign(t, options))
			return err
		}); key(err) != "factor.passkey_old" {
			t.Error(err)
		}
		// Removed between question and answer.
		options = w.beginLogin(p)
		w.must(func(tx *db.Tx) error { return Remove(tx, w.by(), w.anna, f.ID) })
		if _, _, err := w.finishLogin(p, device.sign(t, options)); key(err) != "factor.passkey_refused" {
			t.Error(err)
		}
	})
}

// A counter that does not move: there are two of them.
func TestPasskeyCounter(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.passkeys()
		device, _ := w.passkey(w.anna)
		device.count = 7
		if _, _, err := w.finishLogin(p, device.sign(t, w.beginLogin(p))); err != nil {
			t.Fatal(err)
		}
		clone := *device
		if _, _, err := w.finishLogin(p, device.sign(t, w.beginLogin(p))); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.finishLogin(p, clone.sign(t, w.beginLogin(p))); key(err) != "factor.passkey_refused" {
			t.Error("a copy:", err)
		}
	})
}

// As second factor and before changes: only their own, only in their browser.
func TestPasskeyProves(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.passkeys()
		begin := func(a account.Account) (options []byte, err error) {
			err = w.write(func(tx *db.Tx) error { options, err = p.BeginProof(tx, a, secret); return err })
			return options, err
		}
		finish := func(a account.Account, response []byte) (amr string, err error) {
			err = w.write(func(tx *db.Tx) error { amr, err = p.FinishProof(tx, w.by(), a, secret, response); return err })
			return amr, err
		}
		if _, err := begin(w.anna); key(err) != "factor.not_now" {
			t.Error(err)
		}
		device, _ := w.passkey(w.anna)
		bert := w.person("bert")
		other, _ := w.passkey(bert)
		options, err := begin(w.anna)
		var o asked
		if err != nil || json.Unmarshal(options, &o) != nil || len(o.PublicKey.Allow) != 1 || o.PublicKey.Allow[0].ID != b64(device.id) {
			t.Errorf("%s %v", options, err)
		}
		if amr, err := finish(w.anna, device.sign(t, options)); err != nil || amr != "hwk user mfa" {
			t.Error(amr, err)
		}
		options, _ = begin(w.anna)
		if _, err := finish(w.anna, other.sign(t, options)); key(err) != "factor.passkey_refused" {
			t.Error(err)
		}
		options, _ = begin(w.anna)
		if _, err := finish(bert, other.sign(t, options)); key(err) != "factor.passkey_old" {
			t.Error("begun by somebody else in this browser:", err)
		}
	})
}

// One passkey is kept once; policy, limits and exclusions hold.
func TestPasskeyIsAdded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.passkeys()
		device, _ := w.passkey(w.anna)
		var options []byte
		begin := func(a account.Account) {
			w.must(func(tx *db.Tx) (err error) { options, err = p.BeginRegister(tx, a, secret); return err })
		}
		begin(w.anna)
		var o asked
		if err := json.Unmarshal(options, &o); err != nil || len(o.PublicKey.Exclude) != 1 || o.PublicKey.Selection.ResidentKey != "required" || o.PublicKey.Selection.UserVerification != "required" ||
			o.PublicKey.RP.Name != "Kammerkonto" || o.PublicKey.User.Name != w.anna.Email {
			t.Errorf("%s", options)
		}
		finish := func(a account.Account, response []byte) error {
			return w.write(func(tx *db.Tx) error {
				_, err := p.FinishRegister(tx, w.by(), a, secret, "", response)
				return err
			})
		}
		if err := finish(w.anna, device.register(t, options)); key(err) != "factor.passkey_known" {
			t.Error(err)
		}
		bert := w.person("bert")
		begin(bert)
		if err := finish(bert, device.register(t, options)); key(err) != "factor.passkey_known" {
			t.Error("somebody else's:", err)
		}
		begin(bert)
		if err := finish(w.anna, newAuthenticator().register(t, options)); key(err) != "factor.passkey_old" {
			t.Error("begun by somebody else:", err)
		}
		begin(bert)
		unverified := newAuthenticator()
		unverified.flags = 0x01
		if err := finish(bert, unverified.register(t, options)); key(err) != "factor.passkey_refused" {
			t.Error(err)
		}
		begin(bert)
		answer := newAuthenticator().register(t, options)
		if won := w.race(16, func(tx *db.Tx) error { _, err := p.FinishRegister(tx, w.by(), bert, secret, "", answer); return err }); won != 1 {
			t.Error(won)
		}
		w.rule(&bert, func(p *policy.Policy) { p.Factor.Methods = []string{Mail} })
		if err := w.write(func(tx *db.Tx) error { _, err := p.BeginRegister(tx, bert, secret); return err }); err == nil {
			t.Error("against the policy")
		}
	})
}

// HackerOne #3692149 for ceremonies: 64 answers at once, one sign-in.
func TestOneCeremonyManyAnswers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.passkeys()
		device, _ := w.passkey(w.anna)
		answer := device.sign(t, w.beginLogin(p))
		if won := w.race(64, func(tx *db.Tx) error { _, _, err := p.FinishLogin(tx, w.by(), secret, answer); return err }); won != 1 {
			t.Error(won)
		}
		// Two browsers, one passkey, the same moment: a counter is used once.
		device.count = 5
		var options [2][]byte
		for i := range options {
			w.must(func(tx *db.Tx) (err error) {
				options[i], err = p.BeginLogin(tx, w.by(), strings.Repeat(string(rune('a'+i)), 43))
				return err
			})
		}
		first := device.sign(t, options[0])
		device.count--
		answers := [2][]byte{first, device.sign(t, options[1])}
		var next atomic.Int32
		if won := w.race(2, func(tx *db.Tx) error {
			i := next.Add(1) % 2
			_, _, err := p.FinishLogin(tx, w.by(), strings.Repeat(string(rune('a'+i)), 43), answers[i])
			return err
		}); won != 1 {
			t.Errorf("%d with one count", won)
		}
	})
}

// Strangers ask for questions as often as a school does, and no oftener.
func TestPasskeyQuestionsAreLimited(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.passkeys()
		var err error
		asked := 0
		for ; err == nil && asked < 1000; asked++ {
			err = w.write(func(tx *db.Tx) error {
				_, err := p.BeginLogin(tx, audit.Actor{IP: "192.0.2.9"}, secret)
				return err
			})
		}
		if key(err) != "web.too_often" || asked != askRate.Burst+1 {
			t.Error(asked, err)
		}
	})
}

// Whatever a browser posts, nothing breaks and nothing is accepted. Without a
// database, which would leave time for a few tries only.
func FuzzPasskeyAnswer(f *testing.F) {
	p, device := NewPasskeys(origin, "Kammerkonto"), newAuthenticator()
	anna := owner{Account: account.Account{ID: "anna", Email: "anna@beispiel.example", GivenName: "Anna"}}
	creation, create, err := p.rp.BeginRegistration(anna)
	if err != nil {
		f.Fatal(err)
	}
	options, err := json.Marshal(creation)
	if err != nil {
		f.Fatal(err)
	}
	registered := device.register(f, options)
	parsed, err := protocol.ParseCredentialCreationResponseBytes(registered)
	if err != nil {
		f.Fatal(err)
	}
	made, err := p.rp.CreateCredential(anna, *create, parsed)
	if err != nil {
		f.Fatal(err)
	}
	anna.credentials = []webauthn.Credential{*made}
	assertion, login, err := p.rp.BeginDiscoverableLogin()
	if err != nil {
		f.Fatal(err)
	}
	if options, err = json.Marshal(assertion); err != nil {
		f.Fatal(err)
	}
	f.Add(device.sign(f, options))
	f.Add(registered)
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{}}`))
	create.Challenge, login.Challenge = b64(make([]byte, 32)), b64(make([]byte, 32)) // of these no answer knows
	find := func(_, _ []byte) (webauthn.User, error) { return anna, nil }
	f.Fuzz(func(t *testing.T, response []byte) {
		if parsed, err := protocol.ParseCredentialCreationResponseBytes(response); err == nil {
			if _, err := p.rp.CreateCredential(anna, *create, parsed); err == nil {
				t.Fatal("registered")
			}
		}
		if parsed, err := protocol.ParseCredentialRequestResponseBytes(response); err == nil {
			if _, _, err := p.rp.ValidatePasskeyLogin(find, *login, parsed); err == nil {
				t.Fatal("signed in")
			}
		}
	})
}
