package password

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
)

// A Hasher makes and compares password hashes: argon2id, kept as PHC strings,
// a few at a time. Without the gate a hundred people signing in would be a
// hundred times 19 MiB, and a denial of service.
type Hasher struct {
	Cost  Cost     // of new hashes; older ones are renewed when their owner signs in
	Known *List    // passwords that others have lost; may be nil
	Words []string // what guesses begin with here: the name of the chamber, of the portal

	gate    chan struct{}
	waiting atomic.Int32
}

// Cost of a hash as argon2id counts it.
type Cost struct {
	KiB, Passes uint32
	Lanes       uint8
}

// defaultCost is what OWASP names for argon2id: 19 MiB, two passes, one lane.
var defaultCost = Cost{KiB: 19 << 10, Passes: 2, Lanes: 1}

// queue is how many may wait per slot: about a second.
const queue = 32

// NewHasher computes at most slots hashes at once; 0 means one per core.
func NewHasher(slots int) *Hasher {
	if slots <= 0 {
		slots = runtime.GOMAXPROCS(0)
	}
	return &Hasher{Cost: defaultCost, gate: make(chan struct{}, slots)}
}

// enter waits for a slot. A queue that is full is [fault.Limited].
func (h *Hasher) enter(ctx context.Context) (leave func(), err error) {
	if int(h.waiting.Add(1)) > (queue+1)*cap(h.gate) {
		h.waiting.Add(-1)
		return nil, fault.Limited("password.busy", 5*time.Second)
	}
	select {
	case h.gate <- struct{}{}:
		return func() { <-h.gate; h.waiting.Add(-1) }, nil
	case <-ctx.Done():
		h.waiting.Add(-1)
		return nil, ctx.Err()
	}
}

const saltBytes, keyBytes = 16, 32

// Hash makes the PHC string of a new password. One that others have lost, or
// that is nothing but the name of the chamber with a number behind it, is a
// problem of the field "password" (ASVS 6.2.11, 6.2.12): here, because every
// new password comes by.
func (h *Hasher) Hash(ctx context.Context, plain string) (string, error) {
	if h.Known.Has(plain) {
		return "", fault.Invalid("password", "password.known")
	}
	if guessable(norm.NFKC.String(plain), wordsOf(h.Words)) {
		return "", fault.Invalid("password", "password.common")
	}
	return h.Renew(ctx, plain)
}

// Renew makes the PHC string of a password that holds already.
func (h *Hasher) Renew(ctx context.Context, plain string) (string, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	salt := seal.Bytes(saltBytes)
	key := argon2.IDKey(normal(plain), salt, h.Cost.Passes, h.Cost.KiB, h.Cost.Lanes, keyBytes)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.Cost.KiB, h.Cost.Passes, h.Cost.Lanes, b64(salt), b64(key)), nil
}

// Verify compares a password with its PHC string, or with a hash of another
// product. Longer ones than anybody may choose cost what others cost and fit nothing.
func (h *Hasher) Verify(ctx context.Context, phc, plain string) (bool, error) {
	if len(plain) > maxPassword {
		return false, h.Dummy(ctx, "")
	}
	if Foreign(phc) {
		return h.verifyForeign(ctx, phc, plain)
	}
	cost, salt, want, err := parse(phc)
	if err != nil {
		return false, err
	}
	leave, err := h.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	got := argon2.IDKey(normal(plain), salt, cost.Passes, cost.KiB, cost.Lanes, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func (h *Hasher) verifyForeign(ctx context.Context, kept, plain string) (bool, error) {
	s, err := readKept(kept)
	if err != nil {
		return false, err
	}
	leave, err := h.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	return s.match(plain), nil
}

// Dummy costs what Verify costs and tells nothing: for accounts that do not exist.
func (h *Hasher) Dummy(ctx context.Context, plain string) error {
	leave, err := h.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	argon2.IDKey(normal(plain[:min(len(plain), maxPassword)]), make([]byte, saltBytes), h.Cost.Passes, h.Cost.KiB, h.Cost.Lanes, keyBytes)
	return nil
}

// Stale reports whether a hash was made with other parameters than today's, or
// by another product.
func (h *Hasher) Stale(phc string) bool {
	if Foreign(phc) {
		return true
	}
	cost, _, _, err := parse(phc)
	return err == nil && cost != h.Cost
}

// normal: an ü typed on one keyboard is the ü of another (NIST SP 800-63B).
func normal(plain string) []byte { return []byte(norm.NFKC.String(plain)) }

func parse(phc string) (c Cost, salt, key []byte, err error) {
	part := strings.Split(phc, "$")
	if len(part) != 6 || part[1] != "argon2id" || part[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, fmt.Errorf("password hash: not argon2id")
	}
	if _, err = fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &c.KiB, &c.Passes, &c.Lanes); err != nil {
		return c, nil, nil, fmt.Errorf("password hash: %w", err)
	}
	if c.KiB < 8 || c.KiB > maxKiB || c.Passes < 1 || c.Passes > maxWork || uint64(c.KiB)*uint64(c.Passes) > maxWork || c.Lanes < 1 || c.Lanes > maxLanes {
		return c, nil, nil, fmt.Errorf("password hash: argon2 with m=%d,t=%d,p=%d costs too much", c.KiB, c.Passes, c.Lanes)
	}
	if salt, err = base64.RawStdEncoding.DecodeString(part[4]); err != nil {
		return c, nil, nil, fmt.Errorf("password hash: %w", err)
	}
	if key, err = base64.RawStdEncoding.DecodeString(part[5]); err != nil || len(key) < 16 || len(key) > 128 {
		return c, nil, nil, fmt.Errorf("password hash: key")
	}
	return c, salt, key, nil
}
