package password

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"math/bits"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// A hash of another product is kept as "~" and its price, two digits: the
// logarithm to base 2 of microseconds on a machine of 2025. The price is there
// so that the costliest can be found by an index: a refused sign-in of anybody
// costs as much, or the clock would tell whose account was carried over.
const foreignMark = "~"

// Foreign reports whether a hash was made by another product.
func Foreign(kept string) bool { return strings.HasPrefix(kept, foreignMark) }

// AsCostly reports whether a hash of another product costs what the costliest does.
func AsCostly(kept, costliest string) bool {
	return Foreign(kept) && len(kept) > 3 && len(costliest) > 3 && kept[:3] >= costliest[:3]
}

// Bounds of what a hash of another product may cost: about a second.
const (
	maxBcrypt     = 14
	maxIterations = 4_000_000
	maxKiB        = 256 << 10
	maxWork       = 1 << 20 // KiB times passes
	maxLanes      = 16
)

// Adopt makes a hash of another product into one that is kept until its owner
// signs in (R185): bcrypt, PBKDF2 (Django, passlib, LDAP, Keycloak's JSON),
// salted SHA of LDAP, and argon2 with whatever parameters. What costs too much,
// or cannot be read, is an error that says so.
func Adopt(text string) (kept string, err error) {
	text = strings.TrimSpace(text)
	if len(text) > 2048 {
		return "", errors.New("longer than any password hash")
	}
	if rest, ok := strings.CutPrefix(text, "{"); ok && strings.HasPrefix(strings.TrimSpace(rest), `"`) {
		if text, err = keycloak(text); err != nil {
			return "", err
		}
	}
	for _, scheme := range []string{"{CRYPT}", "{BCRYPT}", "{ARGON2}"} { // LDAP's names for what follows
		if len(text) > len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
			text = text[len(scheme):]
		}
	}
	if c, _, _, err := parse(text); err == nil && c == defaultCost {
		return text, nil // made as ours are
	}
	s, err := readForeign(text)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s%02d%s", foreignMark, max(bits.Len(uint(s.micros)), 1), text), nil
}

// A scheme is a hash of another product, read.
type scheme struct {
	micros int // what it costs, roughly
	match  func(plain string) bool
}

// readKept reads a hash with its mark; its bounds are checked again, as the row
// may have come from anywhere.
func readKept(kept string) (scheme, error) {
	if len(kept) < 4 {
		return scheme{}, errUnknownHash
	}
	return readForeign(kept[3:])
}

var errUnknownHash = errors.New("not a kind of password hash that is known here")

func readForeign(text string) (scheme, error) {
	upper := strings.ToUpper(text)
	switch {
	case strings.HasPrefix(text, "$2a$"), strings.HasPrefix(text, "$2b$"), strings.HasPrefix(text, "$2y$"):
		return readBcrypt(text)
	case strings.HasPrefix(text, "$argon2"):
		return readArgon2(text)
	case strings.HasPrefix(text, "$pbkdf2"), strings.HasPrefix(text, "pbkdf2_"), strings.HasPrefix(upper, "{PBKDF2"):
		return readPBKDF2(text)
	case strings.HasPrefix(upper, "{SSHA"):
		return readSSHA(text)
	}
	return scheme{}, errUnknownHash
}

func readBcrypt(text string) (scheme, error) {
	cost, err := bcrypt.Cost([]byte(text))
	if err != nil || len(text) != 60 {
		return scheme{}, errors.New("this bcrypt hash cannot be read")
	}
	if cost > maxBcrypt {
		return scheme{}, fmt.Errorf("bcrypt with cost %d takes too long: at most %d", cost, maxBcrypt)
	}
	return scheme{60 << cost, func(plain string) bool {
		if len(plain) > 72 {
			plain = plain[:72] // as PHP, OpenBSD and the others that made it
		}
		return bcrypt.CompareHashAndPassword([]byte(text), []byte(plain)) == nil
	}}, nil
}

func readArgon2(text string) (scheme, error) {
	id := strings.HasPrefix(text, "$argon2id$")
	if !id {
		rest, i := strings.CutPrefix(text, "$argon2i$")
		if !i {
			return scheme{}, errors.New("of the argon2 family argon2id and argon2i can be read")
		}
		text = "$argon2id$" + rest
	}
	c, salt, want, err := parse(text)
	if err != nil {
		return scheme{}, err
	}
	return scheme{int(c.KiB) * int(c.Passes) / 2, func(plain string) bool {
		key := argon2.IDKey
		if !id {
			key = argon2.Key
		}
		return same(key([]byte(plain), salt, c.Passes, c.KiB, c.Lanes, uint32(len(want))), want)
	}}, nil
}

var digests = map[string]func() hash.Hash{"1": sha1.New, "256": sha256.New, "512": sha512.New}

// readPBKDF2 reads passlib's "$pbkdf2-sha256$29000$salt$key" (and "i=29000"),
// LDAP's "{PBKDF2-SHA256}29000$salt$key" and Django's "pbkdf2_sha256$600000$salt$key".
func readPBKDF2(text string) (scheme, error) {
	bad := errors.New("this PBKDF2 hash cannot be read")
	django := strings.HasPrefix(text, "pbkdf2_")
	text = strings.Replace(strings.TrimLeft(text, "{$"), "}", "$", 1)
	part := strings.Split(text, "$")
	if len(part) != 4 {
		return scheme{}, bad
	}
	bit := strings.NewReplacer("pbkdf2", "", "sha", "", "-", "", "_", "").Replace(strings.ToLower(part[0]))
	if bit == "" {
		bit = "1" // passlib's and LDAP's plain "pbkdf2"
	}
	digest, known := digests[bit]
	count, _, _ := strings.Cut(strings.TrimPrefix(part[1], "i="), ",")
	rounds, err := strconv.Atoi(count)
	if !known || err != nil || rounds < 1 {
		return scheme{}, bad
	}
	if rounds > maxIterations {
		return scheme{}, fmt.Errorf("PBKDF2 with %d iterations takes too long: at most %d", rounds, maxIterations)
	}
	salt, ok := []byte(part[2]), true
	if !django {
		salt, ok = anyBase64(part[2])
	}
	want, ok2 := anyBase64(part[3])
	if !ok || !ok2 || len(want) < 16 || len(want) > 128 {
		return scheme{}, bad
	}
	blocks := (len(want) + digest().Size() - 1) / digest().Size()
	return scheme{rounds * blocks / 3, func(plain string) bool {
		got, err := pbkdf2.Key(digest, plain, salt, rounds, len(want))
		return err == nil && same(got, want)
	}}, nil
}

func readSSHA(text string) (scheme, error) {
	name, rest, _ := strings.Cut(text[1:], "}")
	digest := digests[map[string]string{"SSHA": "1", "SSHA256": "256", "SSHA512": "512"}[strings.ToUpper(name)]]
	sum, ok := anyBase64(rest)
	if digest == nil || !ok || len(sum) <= digest().Size() || len(sum) > digest().Size()+64 {
		return scheme{}, errors.New("this salted SHA hash cannot be read")
	}
	want, salt := sum[:digest().Size()], sum[digest().Size():]
	return scheme{1, func(plain string) bool {
		h := digest()
		h.Write([]byte(plain))
		h.Write(salt)
		return same(h.Sum(nil), want)
	}}, nil
}

// keycloak reads a credential as Keycloak exports it.
func keycloak(text string) (string, error) {
	bad := errors.New("this is no password credential of Keycloak")
	var credential struct {
		SecretData, CredentialData string
	}
	var secret struct{ Value, Salt string }
	var how struct {
		HashIterations       int
		Algorithm            string
		AdditionalParameters map[string][]string
	}
	if json.Unmarshal([]byte(text), &credential) != nil || json.Unmarshal([]byte(credential.SecretData), &secret) != nil || json.Unmarshal([]byte(credential.CredentialData), &how) != nil {
		return "", bad
	}
	salt, ok := anyBase64(secret.Salt)
	value, ok2 := anyBase64(secret.Value)
	if !ok || !ok2 {
		return "", bad
	}
	b64 := base64.RawStdEncoding.EncodeToString
	if how.Algorithm == "argon2" {
		first := func(name string) string {
			if all := how.AdditionalParameters[name]; len(all) > 0 {
				return all[0]
			}
			return ""
		}
		if first("version") != "1.3" {
			return "", errors.New("argon2 before version 1.3 cannot be read")
		}
		return fmt.Sprintf("$argon2%s$v=%d$m=%s,t=%d,p=%s$%s$%s", first("type"), argon2.Version, first("memory"), how.HashIterations, first("parallelism"), b64(salt), b64(value)), nil
	}
	if !strings.HasPrefix(how.Algorithm, "pbkdf2") {
		return "", bad
	}
	return fmt.Sprintf("$%s$%d$%s$%s", how.Algorithm, how.HashIterations, b64(salt), b64(value)), nil
}

// anyBase64 reads the usual kinds: with and without padding, for addresses,
// and passlib's with a point for the plus.
func anyBase64(s string) ([]byte, bool) {
	s = strings.NewReplacer(".", "+", "-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	b, err := base64.RawStdEncoding.DecodeString(s)
	return b, err == nil
}

func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
