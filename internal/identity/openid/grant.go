package openid

import (
	"context"
	"fmt"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/behalf"
)

// A grant is what one authorization gave: its code and all tokens that came of it.
type grant struct {
	ID, Application, Account, Session, Organization string
	Mandate                                         string // by which the person acts for the organization, or empty
	Scope, Nonce, RedirectURI, Challenge            string
	ACR, AMR                                        string
	AuthTime                                        db.Time
	inTime                                          bool // the code has not expired
	alive                                           bool // account active, its password not replaced since, the session not ended or not needed, the mandate in force
	roles                                           bool // the application declares roles
}

func unixMicro(n int64) time.Time { return time.UnixMicro(n) }

func (g *grant) offline() bool { return granted(g.Scope, "offline_access") }

const grantColumns = `id, application, account, session, organization, mandate, scope, nonce, redirect_uri, code_challenge, acr, amr, auth_time, code_expires_at > $1, revoked_at IS NULL,
	EXISTS (SELECT 1 FROM account a WHERE a.id = oidc_grant.account AND a.state = 'active' AND (a.password_at IS NULL OR a.password_at <= oidc_grant.created_at)),
	EXISTS (SELECT 1 FROM session s WHERE s.id = oidc_grant.session AND s.ended_at IS NULL AND s.ends_at > $1),
	EXISTS (SELECT 1 FROM application_role r WHERE r.application = oidc_grant.application AND r.retired_at IS NULL)`

// readGrant reads a grant whose query has the moment as $1.
func readGrant(tx *db.Tx, query string, args ...any) (grant, error) {
	var g grant
	var active, open, kept bool
	err := tx.Scan(query, append([]any{tx.Now()}, args...), &g.ID, &g.Application, &g.Account, &g.Session, &g.Organization, &g.Mandate, &g.Scope, &g.Nonce, &g.RedirectURI, &g.Challenge,
		&g.ACR, &g.AMR, &g.AuthTime, &g.inTime, &kept, &active, &open, &g.roles)
	g.alive = active && kept && (open || g.offline())
	if err == nil && g.alive && g.Mandate != "" { // over the moment it is revoked
		g.alive, err = behalf.Holds(tx, g.Mandate, g.Account)
	}
	return g, err
}

func (g *grant) insert(tx *db.Tx, codeHash string) error {
	_, err := tx.Exec(`INSERT INTO oidc_grant (id, application, account, session, organization, scope, nonce, redirect_uri, code_hash, code_challenge, auth_time, acr, amr, created_at, code_expires_at, mandate)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		g.ID, g.Application, g.Account, g.Session, g.Organization, g.Scope, g.Nonce, g.RedirectURI, codeHash, g.Challenge, g.AuthTime, g.ACR, g.AMR, tx.Now(), tx.Now().Add(codeLife), g.Mandate)
	if err != nil {
		return fmt.Errorf("insert grant: %w", err)
	}
	return nil
}

// bearerOf is what applications carry, code or access token: the id of the
// grant, to find it without an index of its own, and 256 random bits, of which
// only the hash is kept.
func bearerOf(grantID, secret string) string { return grantID + "." + secret }

// readBearer takes it apart. What is no bearer finds nothing.
func readBearer(s string) (grantID, hash string) {
	grantID, secret, _ := strings.Cut(s, ".")
	if !plain(grantID, 64) {
		return "", ""
	}
	return grantID, seal.Hash(secret)
}

// useCode burns the code and notes the access token that comes of it, in one
// statement: exactly one caller gets the grant. If the caller then finds
// something wrong, it keeps the token to itself, and so nobody has it. A second
// use is NotFound, and all that came of the code is revoked (RFC 6749, section
// 4.1.2): its transaction must be kept.
func useCode(tx *db.Tx, by audit.Actor, code, secret string) (grant, error) {
	id, hash := readBearer(code)
	g, err := readGrant(tx, `UPDATE oidc_grant SET code_used_at = $1, access_hash = $2, access_expires_at = $3 WHERE id = $4 AND code_hash = $5 AND code_used_at IS NULL RETURNING `+grantColumns,
		seal.Hash(secret), tx.Now().Add(accessLife), id, hash)
	if !fault.Is(err, fault.KindNotFound) {
		return g, err
	}
	if revokeErr := revokeGrants(tx, by, "code_reused", `id = $2 AND code_hash = $3`, id, hash); revokeErr != nil {
		return g, revokeErr
	}
	return g, err
}

// revokeGrants ends grants that match a condition and all their tokens. $1 is the moment.
func revokeGrants(tx *db.Tx, by audit.Actor, reason, condition string, args ...any) error {
	type revoked struct{ id, application, account, organization string }
	gone, err := db.All(tx, func(r *revoked) []any { return []any{&r.id, &r.application, &r.account, &r.organization} },
		`UPDATE oidc_grant SET revoked_at = $1 WHERE revoked_at IS NULL AND `+condition+` RETURNING id, application, account, organization`, append([]any{tx.Now()}, args...)...)
	if err != nil {
		return fmt.Errorf("revoke grants: %w", err)
	}
	for _, g := range gone {
		err := audit.Record(tx, by, audit.Entry{Event: "grant.revoked", Account: g.account, Organization: g.organization, Thing: g.application, Detail: map[string]any{"reason": reason}})
		if err != nil {
			return err
		}
	}
	return nil
}

// addToken keeps the hash of a new token.
func addToken(tx *db.Tx, kind, token, grantID string, life time.Duration) error {
	_, err := tx.Exec(`INSERT INTO oidc_token (token_hash, oidc_grant, kind, expires_at) VALUES ($1, $2, $3, $4)`, seal.Hash(token), grantID, kind, tx.Now().Add(life))
	if err != nil {
		return fmt.Errorf("insert %s token: %w", kind, err)
	}
	return nil
}

// byAccessToken is the living grant of an access token, NotFound if either is no
// more, or the application is switched off.
func byAccessToken(tx *db.Tx, token string) (grant, error) {
	id, hash := readBearer(token)
	g, err := readGrant(tx, `SELECT `+grantColumns+` FROM oidc_grant WHERE id = $2 AND EXISTS (SELECT 1 FROM application a WHERE a.id = oidc_grant.application AND a.state = 'active') AND (access_hash = $3 AND access_expires_at > $1
		OR EXISTS (SELECT 1 FROM oidc_token t WHERE t.token_hash = $3 AND t.oidc_grant = $2 AND t.kind = 'access' AND t.expires_at > $1))`, id, hash)
	return living(g, err)
}

// byRefreshToken is the same for a refresh token that was not renewed yet.
func byRefreshToken(tx *db.Tx, token string) (grant, error) {
	g, err := readGrant(tx, `SELECT `+grantColumns+` FROM oidc_grant WHERE id =
		(SELECT oidc_grant FROM oidc_token WHERE token_hash = $2 AND kind = 'refresh' AND expires_at > $1 AND used_at IS NULL)`, seal.Hash(token))
	return living(g, err)
}

func living(g grant, err error) (grant, error) {
	if err == nil && !g.alive {
		err = fault.NotFound()
	}
	return g, err
}

// tokenEnd is when an access or refresh token of a grant expires.
func tokenEnd(tx *db.Tx, g grant, token string) (db.Time, error) {
	hash := seal.Hash(token)
	if id, inner := readBearer(token); id == g.ID {
		hash = inner
	}
	return db.Value[db.Time](tx, `SELECT COALESCE((SELECT expires_at FROM oidc_token WHERE token_hash = $1), (SELECT access_expires_at FROM oidc_grant WHERE id = $2))`, hash, g.ID)
}

// successor of a renewed token. It is derived, so that a lost answer can be
// given once more although only hashes are kept.
func successor(tx *db.Tx, old string) string { return tx.Keys().MAC("openid/refresh", "", old) }

// A renewal is what came of showing a refresh token.
type renewal struct {
	grant grant
	token string // the new refresh token
	again bool   // the same answer once more
}

// renew rotates a refresh token (RFC 9700, section 4.14.2): one caller moves it
// on. Who comes with the old one within the grace gets the same successor if the
// first answer may have been lost, and is refused if not. After the grace, or
// once the successor was used, the whole family is revoked. An error that counts
// must be kept.
func renew(tx *db.Tx, by audit.Actor, old string, lost bool) (renewal, error) {
	hash, next := seal.Hash(old), successor(tx, old)
	n := renewal{token: next}
	moved, err := tx.Exec(`UPDATE oidc_token SET used_at = $1, successor = $2 WHERE token_hash = $3 AND kind = 'refresh' AND used_at IS NULL AND expires_at > $1`, tx.Now(), seal.Hash(next), hash)
	if err != nil {
		return n, err
	}
	n.again = moved == 0
	if n.again {
		var usedAt db.Time
		var id, followedBy string
		err := tx.Scan(`SELECT oidc_grant, used_at, successor FROM oidc_token WHERE token_hash = $1 AND kind = 'refresh' AND used_at IS NOT NULL AND expires_at > $2`, []any{hash, tx.Now()}, &id, &usedAt, &followedBy)
		if err != nil {
			return n, err
		}
		fresh, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM oidc_token WHERE token_hash = $1 AND used_at IS NULL)`, followedBy)
		if err != nil {
			return n, err
		}
		if !fresh || tx.Now().Sub(usedAt) > grace {
			if err := revokeGrants(tx, by, "refresh_token_reused", `id = $2`, id); err != nil {
				return n, err
			}
			return n, fault.NotFound()
		}
		if !lost {
			return n, fault.NotFound()
		}
	}
	n.grant, err = readGrant(tx, `SELECT `+grantColumns+` FROM oidc_grant WHERE id = (SELECT oidc_grant FROM oidc_token WHERE token_hash = $2)`, hash)
	if err != nil {
		return n, err
	}
	if !n.grant.alive {
		return n, fault.NotFound()
	}
	if !n.again {
		err = addToken(tx, "refresh", next, n.grant.ID, refreshLife)
	}
	return n, err
}

const sweepBatch = 500

// sweep removes tokens and grants nobody can use any more, in bounded batches,
// so that no transaction grows with what has piled up.
func (p *Provider) sweep(ctx context.Context) error {
	for _, statement := range []string{
		`DELETE FROM oidc_token WHERE token_hash IN (SELECT token_hash FROM oidc_token WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`,
		// A grant is kept for as long as its code could be told to be used twice.
		`DELETE FROM oidc_grant WHERE id IN (SELECT g.id FROM oidc_grant g WHERE g.code_expires_at < $1
			AND NOT EXISTS (SELECT 1 FROM oidc_token t WHERE t.oidc_grant = g.id)
			AND NOT EXISTS (SELECT 1 FROM session s WHERE s.id = g.session AND s.ended_at IS NULL) LIMIT $2)`,
	} {
		for {
			var gone int64
			err := p.DB.Write(ctx, func(tx *db.Tx) (err error) {
				gone, err = tx.Exec(statement, tx.Now().Add(-time.Hour), sweepBatch)
				return err
			})
			if err != nil {
				return fmt.Errorf("sweep %s: %w", strings.Fields(statement)[2], err)
			}
			if gone < sweepBatch {
				break
			}
		}
	}
	p.answered.sweep(p.DB.Now())
	return nil
}
