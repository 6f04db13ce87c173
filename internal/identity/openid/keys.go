package openid

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"zunft/internal/ground/db"
)

const (
	es256 = string(jose.ES256)
	rs256 = string(jose.RS256)

	retiredLife = 24 * time.Hour // a retired key is published that long: longer than anything it signed
)

// keys are the signing keys of the installation, loaded once. They are read on
// every request and written hardly ever, so readers see one immutable ring.
type keys struct {
	making sync.Mutex
	ring   atomic.Pointer[ring]
}

// A ring is the set of keys at a moment, with the JWKS rendered from it.
type ring struct {
	active map[string]*key // by alg
	byKid  map[string]*key // with those retired lately
	jwks   document
}

// A key with what it signs with, made once.
type key struct {
	kid, alg string
	public   jose.JSONWebKey
	private  crypto.Signer
	headers  map[string]string // by typ: the protected header, encoded
}

// Types of what we sign.
const (
	typeToken  = "JWT"
	typeLogout = "logout+jwt"
	typeEvent  = "secevent+jwt" // RFC 8417, section 2.3
)

// load reads the keys and makes the ES256 key if there is none.
func (k *keys) load(ctx context.Context, d *db.DB) error {
	if err := k.reload(ctx, d); err != nil {
		return err
	}
	_, err := k.get(ctx, d, es256)
	return err
}

// get is the key that signs with alg now; it is made if there is none.
func (k *keys) get(ctx context.Context, d *db.DB, alg string) (*key, error) {
	if r := k.ring.Load(); r != nil && r.active[alg] != nil {
		return r.active[alg], nil
	}
	k.making.Lock()
	defer k.making.Unlock()
	if r := k.ring.Load(); r != nil && r.active[alg] != nil {
		return r.active[alg], nil
	}
	// Another node may have made it meanwhile.
	if err := k.reload(ctx, d); err != nil {
		return nil, err
	}
	if r := k.ring.Load(); r.active[alg] != nil {
		return r.active[alg], nil
	}
	if err := generate(ctx, d, alg); err != nil {
		return nil, err
	}
	if err := k.reload(ctx, d); err != nil {
		return nil, err
	}
	if made := k.ring.Load().active[alg]; made != nil {
		return made, nil
	}
	return nil, fmt.Errorf("no %s key after making one", alg)
}

// published is the JWKS with a key for every algorithm we offer: complete from
// the first answer on, because others cache it.
func (k *keys) published(ctx context.Context, d *db.DB) (*document, error) {
	for _, alg := range []string{es256, rs256} {
		if _, err := k.get(ctx, d, alg); err != nil {
			return nil, err
		}
	}
	return &k.ring.Load().jwks, nil
}

// find is the published key with that id.
func (k *keys) find(kid string) *key {
	if r := k.ring.Load(); r != nil {
		return r.byKid[kid]
	}
	return nil
}

// generate makes a key and stores it sealed. Of two nodes that do so at once
// one wins (index signing_key_active); both go on with the winner's.
func generate(ctx context.Context, d *db.DB, alg string) error {
	private, err := func() (crypto.Signer, error) {
		if alg == rs256 {
			return rsa.GenerateKey(rand.Reader, 2048)
		}
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}()
	if err != nil {
		return fmt.Errorf("make %s key: %w", alg, err)
	}
	plain, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return fmt.Errorf("make %s key: %w", alg, err)
	}
	public := jose.JSONWebKey{Key: private.Public()}
	sum, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return fmt.Errorf("make %s key: %w", alg, err)
	}
	kid := base64.RawURLEncoding.EncodeToString(sum) // RFC 7638
	return d.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO signing_key (kid, alg, private, created_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (alg) WHERE retired_at IS NULL DO NOTHING`, kid, alg, tx.Keys().Seal(place(kid), plain), tx.Now())
		return err
	})
}

func place(kid string) string { return "signing_key/private/" + kid }

type storedKey struct {
	kid, alg, private string
	retiredAt         db.Time
}

func (s *storedKey) fields() []any { return []any{&s.kid, &s.alg, &s.private, &s.retiredAt} }

// reload swaps the ring for what the database holds.
func (k *keys) reload(ctx context.Context, d *db.DB) error {
	next := &ring{active: map[string]*key{}, byKid: map[string]*key{}}
	var set jose.JSONWebKeySet
	err := d.Read(ctx, func(tx *db.Tx) error {
		stored, err := db.All(tx, (*storedKey).fields, `SELECT kid, alg, private, retired_at FROM signing_key
			WHERE retired_at IS NULL OR retired_at > $1 ORDER BY alg, created_at, kid`, tx.Now().Add(-retiredLife))
		if err != nil {
			return err
		}
		for _, s := range stored {
			plain, err := tx.Keys().Open(place(s.kid), s.private)
			if err != nil {
				return fmt.Errorf("signing key %s was sealed with another master key: %w", s.kid, err)
			}
			made, err := newKey(s, plain)
			if err != nil {
				return fmt.Errorf("signing key %s: %w", s.kid, err)
			}
			next.byKid[s.kid] = made
			if s.retiredAt.IsZero() {
				next.active[s.alg] = made
			}
			set.Keys = append(set.Keys, made.public)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("load signing keys: %w", err)
	}
	body, err := json.Marshal(set)
	if err != nil {
		return fmt.Errorf("render the key set: %w", err)
	}
	next.jwks = newDocument(body, "application/json")
	k.ring.Store(next)
	return nil
}

func newKey(s storedKey, plain []byte) (*key, error) {
	private, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		return nil, err
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("cannot sign: %T", private)
	}
	made := &key{
		kid: s.kid, alg: s.alg, private: signer, headers: map[string]string{},
		public: jose.JSONWebKey{Key: signer.Public(), KeyID: s.kid, Algorithm: s.alg, Use: "sig"},
	}
	for _, typ := range []string{typeToken, typeLogout, typeEvent} {
		header, err := json.Marshal(map[string]string{"alg": s.alg, "kid": s.kid, "typ": typ})
		if err != nil {
			return nil, err
		}
		made.headers[typ] = base64.RawURLEncoding.EncodeToString(header) + "."
	}
	return made, nil
}

// sign makes a compact JWS of claims (RFC 7515, section 7.1). It is ours, other
// than reading one, because the header never changes: the library encodes it
// anew each time, which with ES256 costs half a signature.
func (k *key) sign(typ string, claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	head := k.headers[typ]
	out := make([]byte, 0, len(head)+base64.RawURLEncoding.EncodedLen(len(payload))+1+344)
	out = append(out, head...)
	out = base64.RawURLEncoding.AppendEncode(out, payload)
	sum := sha256.Sum256(out)
	var signature []byte
	switch private := k.private.(type) {
	case *ecdsa.PrivateKey: // RFC 7518, section 3.4: R and S, 32 bytes each
		r, s, err := ecdsa.Sign(rand.Reader, private, sum[:])
		if err != nil {
			return "", err
		}
		signature = make([]byte, 64)
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:])
	case *rsa.PrivateKey:
		if signature, err = rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, sum[:]); err != nil {
			return "", err
		}
	default:
		return "", fmt.Errorf("cannot sign with %T", private)
	}
	out = append(out, '.')
	return string(base64.RawURLEncoding.AppendEncode(out, signature)), nil
}

// halfHash is at_hash (OpenID Connect Core, section 3.1.3.6) for the two
// algorithms we sign with: the left half of SHA-256.
func halfHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
