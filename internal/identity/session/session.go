// Package session keeps who is signed in where.
//
// A session begins with a sign-in and is opened by 256 random bits in a cookie,
// of which only the hash is kept. Every sign-in makes a new one (ASVS 7.2.4):
// a token that was in the browser before opens nothing afterwards. It ends
//
//   - 30 minutes after it was last used (noted at most once a minute),
//   - 12 hours after its owner last proved who they are,
//   - when they sign out, or at once everywhere when the password is replaced
//     or the account stops being active.
//
// A sign-in that has steps to go (second factor, new terms) is a session that
// is pending: it opens nothing but these steps, for [PendingFor], and becomes a
// whole one, with a new token, when the last of them is done.
//
// Proving oneself again (OpenID prompt=login, max_age) keeps the session and
// its sid but gives it a new token and a new time of authentication.
//
// Ending is told to the connected applications by the job "session.ended".
package session

import (
	"context"
	"embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/ground/seal"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

const (
	// Idle is how long a session rests before it ends.
	Idle = 30 * time.Minute
	// Lifetime is how long a session lasts at most without a new proof.
	Lifetime = 12 * time.Hour
	// PendingFor is how long the steps of a sign-in may take.
	PendingFor = 15 * time.Minute
	// Fresh is how long a proof allows changes (R151, R160).
	Fresh = 10 * time.Minute
	touch = time.Minute
)

// EndedKind is the job that tells applications of an ended session; its body
// is {"session": id}.
const EndedKind = "session.ended"

// A Session is one browser in which somebody is signed in.
type Session struct {
	ID           string // also the sid claim
	Account      string
	Organization string // chosen for this session, or empty
	Mandate      string // by which the person acts for it, or empty: as its member
	AMR          string // how it was proved, RFC 8176, blank separated
	IP, Agent    string // where it began
	Pending      bool   // steps of the sign-in are to go
	Next         string // while pending: where the person was going
	AuthTime     db.Time
	ProvedAt     db.Time // the last second factor (or what the policy takes for one)
	CreatedAt    db.Time
	SeenAt       db.Time
	EndsAt       db.Time
}

const columns = `id, account, organization, mandate, amr, ip, agent, pending, next, auth_time, proved_at, created_at, seen_at, ends_at`

func (s *Session) fields() []any {
	return []any{&s.ID, &s.Account, &s.Organization, &s.Mandate, &s.AMR, &s.IP, &s.Agent, &s.Pending, &s.Next, &s.AuthTime, &s.ProvedAt, &s.CreatedAt, &s.SeenAt, &s.EndsAt}
}

// Start begins a session for somebody who has just proved who they are and has
// no more steps to go.
func Start(tx *db.Tx, by audit.Actor, account, amr string) (token string, s Session, err error) {
	return start(tx, by, Session{Account: account, AMR: amr, EndsAt: tx.Now().Add(Lifetime)})
}

// StartPending begins one that has: [Complete] makes it whole. next is where the
// person was going.
func StartPending(tx *db.Tx, by audit.Actor, account, amr, next string) (token string, s Session, err error) {
	return start(tx, by, Session{Account: account, AMR: amr, Pending: true, Next: next, EndsAt: tx.Now().Add(PendingFor)})
}

func start(tx *db.Tx, by audit.Actor, s Session) (string, Session, error) {
	token := seal.Token()
	s.ID, s.IP, s.Agent = db.NewID(), by.IP, by.Agent
	s.AuthTime, s.CreatedAt, s.SeenAt = tx.Now(), tx.Now(), tx.Now()
	if proves(s.AMR) {
		s.ProvedAt = tx.Now()
	}
	if _, err := tx.Exec(`INSERT INTO session (id, token_hash, account, amr, pending, auth_time, proved_at, ip, agent, created_at, seen_at, ends_at, next)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $6, $6, $10, $11)`,
		s.ID, seal.Hash(token), s.Account, s.AMR, s.Pending, tx.Now(), s.ProvedAt, s.IP, s.Agent, s.EndsAt, s.Next); err != nil {
		return "", s, fmt.Errorf("start session: %w", err)
	}
	if s.Pending {
		return token, s, nil
	}
	by.Account, by.Session = s.Account, s.ID
	return token, s, audit.Record(tx, by, audit.Entry{Event: "session.started", Account: s.Account, Thing: s.ID, Detail: map[string]any{"amr": s.AMR}})
}

// proves: more than a password was shown (a code by mail is amr "otp").
func proves(amr string) bool {
	for m := range strings.FieldsSeq(amr) {
		if m != "pwd" {
			return true
		}
	}
	return false
}

// addMethods joins methods of authentication (RFC 8176), each once.
func addMethods(amr, more string) string {
	all := strings.Fields(amr)
	for m := range strings.FieldsSeq(more) {
		if !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	return strings.Join(all, " ")
}

// Complete makes a pending session whole: its last step is done. The token
// before is dead.
func Complete(tx *db.Tx, by audit.Actor, s Session) (token string, _ Session, err error) {
	token = seal.Token()
	s, err = db.One(tx, (*Session).fields, `UPDATE session SET token_hash = $1, pending = FALSE, seen_at = $2, ends_at = $3
		WHERE id = $4 AND pending AND ended_at IS NULL AND ends_at > $2 RETURNING `+columns,
		seal.Hash(token), tx.Now(), tx.Now().Add(Lifetime), s.ID)
	if err != nil {
		return "", s, err
	}
	by.Account, by.Session = s.Account, s.ID
	event := "session.started"
	if s.AuthTime.After(s.CreatedAt) {
		event = "session.reauthenticated"
	}
	return token, s, audit.Record(tx, by, audit.Entry{Event: event, Account: s.Account, Thing: s.ID, Detail: map[string]any{"amr": s.AMR}})
}

// Proved notes a second factor (or another proof) in a session, pending or
// running: for [Fresh] changes are open (R151–R160). The token before is dead
// (ASVS 7.2.4); the time of authentication stays, the methods grow by more.
func Proved(tx *db.Tx, by audit.Actor, s Session, more string) (token string, _ Session, err error) {
	token = seal.Token()
	s, err = db.One(tx, (*Session).fields, `UPDATE session SET token_hash = $1, amr = $2, proved_at = $3, seen_at = $3
		WHERE id = $4 AND ended_at IS NULL AND ends_at > $3 RETURNING `+columns,
		seal.Hash(token), addMethods(s.AMR, more), tx.Now(), s.ID)
	if err != nil {
		return "", s, err
	}
	by.Account, by.Session = s.Account, s.ID
	return token, s, audit.Record(tx, by, audit.Entry{Event: "session.proved", Account: s.Account, Thing: s.ID, Detail: map[string]any{"amr": more}})
}

// Raise makes a whole session pending again: a new role needs a factor that it
// has not shown. Its person goes on once they have proved it.
func Raise(tx *db.Tx, id string) error {
	_, err := tx.Exec(`UPDATE session SET pending = TRUE, next = '' WHERE id = $1 AND NOT pending AND ended_at IS NULL`, id)
	return err
}

// Resolve finds the session a token opens, whole or pending. NotFound: it has
// ended, rested too long, or its account is not active any more.
func Resolve(tx *db.Tx, token string) (Session, error) {
	return db.One(tx, (*Session).fields, `SELECT `+columns+` FROM session WHERE token_hash = $1 AND ended_at IS NULL AND ends_at > $2 AND seen_at > $3
		AND EXISTS (SELECT 1 FROM account WHERE account.id = session.account AND account.state = 'active')`,
		seal.Hash(token), tx.Now(), tx.Now().Add(-Idle))
}

// Was is whose session a token opened, ended or not; NotFound once it is swept.
func Was(tx *db.Tx, token string) (account string, err error) {
	return db.Value[string](tx, `SELECT account FROM session WHERE token_hash = $1 AND NOT pending`, seal.Hash(token))
}

// Touch notes that a session is in use, at most once a minute.
func Touch(tx *db.Tx, id string) error {
	_, err := tx.Exec(`UPDATE session SET seen_at = $1 WHERE id = $2 AND ended_at IS NULL AND seen_at > $3 AND seen_at < $4`,
		tx.Now(), id, tx.Now().Add(-Idle), tx.Now().Add(-touch))
	return err
}

// End ends one session of the person who acts. Ending an ended one is no error.
func End(tx *db.Tx, by audit.Actor, id string) error {
	query, args := `UPDATE session SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL`, []any{tx.Now(), id}
	if stranger(by) {
		query, args = query+` AND account = $3`, append(args, by.Account)
	}
	return end(tx, by, query, args)
}

// EndAll ends all sessions of an account but one (or none, if exceptID is empty).
func EndAll(tx *db.Tx, by audit.Actor, account, exceptID string) error {
	if stranger(by) && by.Account != account {
		return fault.Forbidden()
	}
	return end(tx, by, `UPDATE session SET ended_at = $1 WHERE account = $2 AND id <> $3 AND ended_at IS NULL`, []any{tx.Now(), account, exceptID})
}

// stranger: a person may end their own sessions only; commands and jobs any.
func stranger(by audit.Actor) bool { return by.Kind == audit.Person || by.Kind == "" }

func end(tx *db.Tx, by audit.Actor, update string, args []any) error {
	ended, err := db.All(tx, (*Session).fields, update+` RETURNING `+columns, args...)
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	for _, s := range ended {
		if err := audit.Record(tx, by, audit.Entry{Event: "session.ended", Account: s.Account, Thing: s.ID}); err != nil {
			return err
		}
		if err := job.Enqueue(tx, EndedKind, s.ID, map[string]string{"session": s.ID}); err != nil {
			return err
		}
	}
	return nil
}

// Choose notes for which organization the person acts in this session, as its
// member or by a mandate; empty for none. The caller has settled that they may.
func Choose(tx *db.Tx, by audit.Actor, id, organization, mandate string) error {
	n, err := tx.Exec(`UPDATE session SET organization = $1, mandate = $2 WHERE id = $3 AND account = $4 AND ended_at IS NULL`, organization, mandate, id, by.Account)
	if err != nil {
		return fmt.Errorf("choose organization: %w", err)
	}
	if n == 0 {
		return fault.NotFound()
	}
	e := audit.Entry{Event: "session.organization_chosen", Account: by.Account, Organization: organization, Thing: id}
	if mandate != "" {
		e.Detail = map[string]any{"mandate": mandate}
	}
	return audit.Record(tx, by, e)
}

// Reauthenticated notes a new proof in a running session: the token before is
// dead, the sid stays.
func Reauthenticated(tx *db.Tx, by audit.Actor, id, amr string) (token string, s Session, err error) {
	token = seal.Token()
	s, err = db.One(tx, (*Session).fields, `UPDATE session SET token_hash = $1, amr = $2, auth_time = $3, seen_at = $3, ends_at = $4, ip = $5, agent = $6
		WHERE id = $7 AND account = $8 AND NOT pending AND ended_at IS NULL AND ends_at > $3 RETURNING `+columns,
		seal.Hash(token), amr, tx.Now(), tx.Now().Add(Lifetime), by.IP, by.Agent, id, by.Account)
	if err != nil {
		return "", s, err
	}
	return token, s, audit.Record(tx, by, audit.Entry{Event: "session.reauthenticated", Account: s.Account, Thing: id, Detail: map[string]any{"amr": amr}})
}

// ReauthenticatePending is the same for somebody who has steps to go after it:
// the session is pending again until [Complete], and so opens nothing else.
// What was proved before counts no more. next is where the person was going.
func ReauthenticatePending(tx *db.Tx, by audit.Actor, id, amr, next string) (token string, s Session, err error) {
	token = seal.Token()
	s, err = db.One(tx, (*Session).fields, `UPDATE session SET token_hash = $1, amr = $2, auth_time = $3, proved_at = NULL, seen_at = $3, ends_at = $4, ip = $5, agent = $6,
		pending = TRUE, next = $7 WHERE id = $8 AND account = $9 AND NOT pending AND ended_at IS NULL AND ends_at > $3 RETURNING `+columns,
		seal.Hash(token), amr, tx.Now(), tx.Now().Add(PendingFor), by.IP, by.Agent, next, id, by.Account)
	return token, s, err
}

// kept is how long a session's row outlives its last possible moment.
const kept = 24 * time.Hour

// Sweep forgets sessions that have long ended. A periodic job calls it.
func Sweep(ctx context.Context, d *db.DB) error {
	return d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
		return tx.Exec(`DELETE FROM session WHERE id IN (SELECT id FROM session WHERE ends_at < $1 ORDER BY ends_at LIMIT $2)`, tx.Now().Add(-kept), most)
	})
}
