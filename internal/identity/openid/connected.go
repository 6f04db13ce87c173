package openid

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
)

// A Connection is an application that may read something of a person now,
// because it signed them in.
type Connection struct {
	Application string // its id
	Name, URI   string
	Session     string // that it came with
	Offline     bool   // it outlives the session (offline_access)
	Since       db.Time
}

func (c *Connection) fields() []any {
	return []any{&c.Application, &c.Name, &c.URI, &c.Session, &c.Offline, &c.Since}
}

// Connections of an account, one per application and session, the newest first.
func Connections(tx *db.Tx, account string) ([]Connection, error) {
	return db.All(tx, (*Connection).fields, `SELECT application, name, uri, session, MAX(offline) = 1, MIN(since) AS first FROM (
			SELECT g.application, a.client_name AS name, a.client_uri AS uri, g.session, g.created_at AS since,
				CASE WHEN EXISTS (SELECT 1 FROM oidc_token t WHERE t.oidc_grant = g.id AND t.kind = 'refresh' AND t.expires_at > $1 AND t.used_at IS NULL)
					AND ' ' || g.scope || ' ' LIKE '% offline_access %' THEN 1 ELSE 0 END AS offline,
				CASE WHEN EXISTS (SELECT 1 FROM session s WHERE s.id = g.session AND s.ended_at IS NULL AND s.ends_at > $1) THEN 1 ELSE 0 END AS live
			FROM oidc_grant g JOIN application a ON a.id = g.application
			WHERE g.account = $2 AND g.revoked_at IS NULL AND g.code_used_at IS NOT NULL) AS grants
		WHERE live = 1 OR offline = 1 GROUP BY application, name, uri, session ORDER BY first DESC, application LIMIT 200`, tx.Now(), account)
}

// Disconnect takes an application everything the acting person has given it.
func Disconnect(tx *db.Tx, by audit.Actor, application string) error {
	return revokeGrants(tx, by, "disconnected", `account = $2 AND application = $3`, by.Account, application)
}

// DisconnectAll does so with every application: the account is locked or goes.
func DisconnectAll(tx *db.Tx, by audit.Actor, account, reason string) error {
	return revokeGrants(tx, by, reason, `account = $2`, account)
}
