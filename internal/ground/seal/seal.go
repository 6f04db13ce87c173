// Package seal makes and keeps secrets: random tokens of which only the hash
// is stored, short codes of which only a keyed hash is stored, and sealed
// values (AES-256-GCM) for what must be read again.
//
// All keys derive from one master key per installation. Losing it makes
// sealed values unreadable and open codes void; nothing else breaks.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Keys are derived from the installation's master key.
type Keys struct {
	mac  []byte
	aead cipher.AEAD
}

// New derives the keys. The master key must have at least 32 bytes.
func New(master []byte) (*Keys, error) {
	if len(master) < 32 {
		return nil, errors.New("master key must have at least 32 bytes")
	}
	derive := func(info string) []byte {
		k, err := hkdf.Key(sha256.New, master, nil, info, 32)
		if err != nil {
			panic(err) // only for impossible lengths
		}
		return k
	}
	block, err := aes.NewCipher(derive("zunft seal v1"))
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Keys{mac: derive("zunft mac v1"), aead: aead}, nil
}

// Random makes keys that nobody else has, for tests and the demo.
func Random() *Keys {
	k, err := New(Bytes(32))
	if err != nil {
		panic(err)
	}
	return k
}

// Bytes are n random bytes.
func Bytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails, crypto/rand crashes the program instead
	return b
}

// Token is a fresh secret of 256 bits for links, sessions and access tokens.
// Store Hash(token), give out the token.
func Token() string { return base64.RawURLEncoding.EncodeToString(Bytes(32)) }

// Hash is how a random token is stored and looked up.
func Hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// MAC is how a short code is stored: a keyed hash, because a code alone can be
// guessed from its plain hash. purpose and owner bind it to its use.
func (k *Keys) MAC(purpose, owner, code string) string {
	m := hmac.New(sha256.New, k.mac)
	fmt.Fprintf(m, "%d:%s%d:%s%s", len(purpose), purpose, len(owner), owner, code)
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// Equal compares two hashes without telling where they differ.
func Equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// Seal encrypts; place (table/column/row) is bound to the result, so a sealed
// value cannot be moved elsewhere.
func (k *Keys) Seal(place string, plain []byte) string {
	nonce := Bytes(k.aead.NonceSize())
	return "1." + base64.RawURLEncoding.EncodeToString(k.aead.Seal(nonce, nonce, plain, []byte(place)))
}

// Open decrypts what Seal made for the same place.
func (k *Keys) Open(place, sealed string) ([]byte, error) {
	body, ok := strings.CutPrefix(sealed, "1.")
	b, err := base64.RawURLEncoding.DecodeString(body)
	if !ok || err != nil || len(b) < k.aead.NonceSize() {
		return nil, errors.New("open " + place + ": not a sealed value")
	}
	n := k.aead.NonceSize()
	plain, err := k.aead.Open(nil, b[:n], b[n:], []byte(place))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", place, err)
	}
	return plain, nil
}

// Digits is a fresh code of n digits (20 bits for six), for mails and apps.
func Digits(n int) string { return pick("0123456789", n) }

// letters leaves out what looks alike on paper: 0 O, 1 I L, 2 Z, 5 S, 8 B, U V.
const letters = "34679ACDEFGHJKMNPQRTWXY"

// Letters is a fresh code of n characters that cannot be confused on paper.
// Twelve of them carry 54 bits.
func Letters(n int) string { return pick(letters, n) }

// Reference is a short public number for people to quote, e.g. "7F3K-22M".
// It is no secret.
func Reference() string { return pick(letters, 4) + "-" + pick(letters, 3) }

func pick(alphabet string, n int) string {
	out := make([]byte, 0, n)
	limit := 256 - 256%len(alphabet)
	for len(out) < n {
		for _, b := range Bytes(n) {
			if int(b) < limit && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}

// Normalize brings a typed code into the form it was made in: upper case,
// without blanks and hyphens.
func Normalize(typed string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-' || r == '\u2013' || r == '\u00a0' || r == '\t' || r == '\n' || r == '\r' || r == '.':
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, typed)
}
