// Package limit slows down who tries too often.
//
// It is the generic cell rate algorithm (GCRA) in one SQL statement: a row per
// key holds the theoretical arrival time. It counts across all nodes and needs
// no other store. A key names what is limited and for whom, e.g.
// "login/ip/192.0.2.7"; keys that contain secrets or addresses are hashed.
package limit

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
)

// A Rate allows Burst at once and refills one per Every.
type Rate struct {
	Burst int
	Every time.Duration
}

// Network is what one subscriber holds, for keys by address: an IPv4 address,
// or an IPv6 /64, within which a new address costs nothing.
func Network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	if a = a.Unmap(); a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// Take counts one try for key in a transaction of its own, so that the count
// stays even when the try fails. Too many are [fault.Limited].
func Take(ctx context.Context, d *db.DB, key string, rate Rate) error {
	return d.Write(ctx, func(tx *db.Tx) error { return TakeIn(tx, key, rate) })
}

// TakeIn is Take inside a transaction of the caller.
func TakeIn(tx *db.Tx, key string, rate Rate) error {
	if len(key) > 40 {
		key = seal.Hash(key)
	}
	now := tx.Now().UnixMicro()
	every := rate.Every.Microseconds()
	tolerance := every * int64(rate.Burst-1)
	// The row moves on only if the try is allowed.
	moved, err := tx.Exec(`INSERT INTO limit_bucket (bucket, tat) VALUES ($1, CAST($2 AS BIGINT) + CAST($3 AS BIGINT))
		ON CONFLICT (bucket) DO UPDATE SET tat = CASE WHEN limit_bucket.tat < $2 THEN CAST($2 AS BIGINT) ELSE limit_bucket.tat END + CAST($3 AS BIGINT)
		WHERE limit_bucket.tat <= CAST($2 AS BIGINT) + CAST($4 AS BIGINT)`, key, now, every, tolerance)
	if err != nil {
		return err
	}
	if moved > 0 {
		return nil
	}
	tat, err := db.Value[int64](tx, `SELECT tat FROM limit_bucket WHERE bucket = $1`, key)
	if err != nil {
		return err
	}
	wait := time.Duration(max(tat-tolerance-now, 1000)) * time.Microsecond
	minutes := int(wait.Minutes()) + 1
	return fault.Limited("web.too_often", wait, minutes)
}

// Hold lets all who hold one of these keys come one after the other until the
// transaction ends; it limits nobody. On PostgreSQL they wait for a key's row,
// in one order; SQLite has one writer anyway.
func Hold(tx *db.Tx, keys ...string) error {
	if len(keys) == 0 {
		return nil
	}
	keys = slices.Clone(keys)
	for i, k := range keys {
		if len(k) > 40 {
			keys[i] = seal.Hash(k)
		}
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	args := make([]any, 0, 2*len(keys))
	for _, k := range keys {
		args = append(args, k, tx.Now().UnixMicro())
	}
	_, err := tx.Exec(`INSERT INTO limit_bucket (bucket, tat) VALUES `+db.Rows(len(keys), 2)+` ON CONFLICT (bucket) DO UPDATE SET tat = limit_bucket.tat`, args...)
	return err
}

// Return gives one try back: it turned out to be none of those that are
// limited. Whoever mixes good tries with bad ones gains nothing by it.
func Return(tx *db.Tx, key string, rate Rate) error {
	if len(key) > 40 {
		key = seal.Hash(key)
	}
	_, err := tx.Exec(`UPDATE limit_bucket SET tat = tat - CAST($1 AS BIGINT) WHERE bucket = $2`, rate.Every.Microseconds(), key)
	return err
}

// Forget clears a key, e.g. after a success.
func Forget(tx *db.Tx, key string) error {
	if len(key) > 40 {
		key = seal.Hash(key)
	}
	_, err := tx.Exec(`DELETE FROM limit_bucket WHERE bucket = $1`, key)
	return err
}

// Sweep removes keys that no longer limit anything, a batch at a time, so that
// nobody waits for it. A periodic job calls it.
func Sweep(ctx context.Context, d *db.DB) error {
	return d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
		return tx.Exec(`DELETE FROM limit_bucket WHERE bucket IN (SELECT bucket FROM limit_bucket WHERE tat < $1 ORDER BY tat LIMIT $2)`, tx.Now().UnixMicro(), most)
	})
}
