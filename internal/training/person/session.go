package person

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/seal"
)

const (
	idle = 30 * time.Minute
	life = 12 * time.Hour
)

// A Session is one sign-in: who, for which company, with which roles.
type Session struct {
	ID        string
	Person    Person
	Company   Company
	Roles     []string
	SID       string
	CreatedAt db.Time
	SeenAt    db.Time
	EndsAt    db.Time
	idToken   string
	office    string // number of the chamber whose office the company is
}

// Is reports whether the person has one of the roles in this company.
func (s Session) Is(roles ...string) bool {
	return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(s.Roles, r) })
}

// Chamber is the number of the chamber for which the person works in this
// session, or empty: they have the role, and the company is the chamber's office.
func (s Session) Chamber() string {
	if !s.Is(ChamberClerk) {
		return ""
	}
	return s.office
}

// Writes reports whether the person keeps a report book here.
func (s Session) Writes() bool { return s.Is(Apprentice, Retrainee) }

// Signs reports whether the person signs reports off here.
func (s Session) Signs() bool { return s.Is(Trainer, Supervisor) }

// Reads reports whether the person sees the reports of others here.
func (s Session) Reads() bool { return s.Is(Trainer, Supervisor, TrainingAdmin) }

// A found session as it is read: in one question, for every page asks it.
type found struct {
	Session
	roles string // with blanks between
}

func (s *found) fields() []any {
	return append([]any{
		&s.ID, &s.SID, &s.CreatedAt, &s.SeenAt, &s.EndsAt, &s.idToken, &s.office, &s.roles,
		&s.Company.ID, &s.Company.Name, &s.Company.IdentNumber, &s.Company.ChamberNumber, &s.Company.SeenAt,
	}, s.Person.fields()...)
}

const sessions = `SELECT s.id, s.sid, s.created_at, s.seen_at, s.ends_at, s.id_token, COALESCE(o.chamber_number, ''),
	COALESCE((SELECT string_agg(k.role, ' ') FROM company_role k WHERE k.company = s.company AND k.person = s.person), ''), c.id, c.name, c.ident_number, c.chamber_number, c.seen_at,
	p.sub, p.name, p.given_name, p.family_name, p.email, p.language, p.seen_at
	FROM session s JOIN person p ON p.sub = s.person JOIN company c ON c.id = s.company LEFT JOIN chamber_office o ON o.company = s.company `

// Start begins a session after Learn. The token goes into the browser's
// cookie; the ID token is kept sealed, as the hint for signing out at the
// identity portal too (OpenID Connect RP-Initiated Logout 1.0).
func Start(tx *db.Tx, by audit.Actor, c Claims, idToken string) (token string, s Session, err error) {
	token, id := seal.Token(), db.NewID()
	sealed := ""
	if idToken != "" {
		sealed = tx.Keys().Seal("session/id_token/"+id, []byte(idToken))
	}
	_, err = tx.Exec(`INSERT INTO session (id, token_hash, person, company, sid, id_token, created_at, seen_at, ends_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)`,
		id, seal.Hash(token), c.Person.Sub, c.Company.ID, c.SID, sealed, tx.Now(), tx.Now().Add(life))
	if err != nil {
		return "", s, fmt.Errorf("start session: %w", err)
	}
	by.Account, by.Session = c.Person.Sub, id
	if err := audit.Record(tx, by, audit.Entry{Event: "session.started", Account: c.Person.Sub, Organization: c.Company.ID, Thing: id}); err != nil {
		return "", s, err
	}
	s, err = Resolve(tx, token)
	return token, s, err
}

// Resolve finds the running session of a token; an ended, idle or unknown one
// is fault.NotFound.
func Resolve(tx *db.Tx, token string) (Session, error) {
	return load(tx, sessions+`WHERE s.token_hash = $1 AND s.ended_at IS NULL AND s.ends_at > $2 AND s.seen_at > $3`,
		seal.Hash(token), tx.Now(), tx.Now().Add(-idle))
}

func load(tx *db.Tx, query string, args ...any) (Session, error) {
	s, err := db.One(tx, (*found).fields, query, args...)
	s.Roles = inOrder(strings.Fields(s.roles))
	if s.office == "" {
		s.Roles = slices.DeleteFunc(s.Roles, func(r string) bool { return r == ChamberClerk })
	}
	return s.Session, err
}

// Touch notes that the session was used; callers do so at most once a minute.
func Touch(tx *db.Tx, id string) error {
	_, err := tx.Exec(`UPDATE session SET seen_at = $1 WHERE id = $2 AND ended_at IS NULL`, tx.Now(), id)
	return err
}

// IDToken is the token the session began with, or empty.
func (s Session) IDToken(tx *db.Tx) (string, error) {
	if s.idToken == "" {
		return "", nil
	}
	b, err := tx.Keys().Open("session/id_token/"+s.ID, s.idToken)
	return string(b), err
}

// End ends one session.
func End(tx *db.Tx, by audit.Actor, id string) error {
	_, err := end(tx, by, `id = $2`, id)
	return err
}

// EndBySID ends the sessions that came from one session of the identity
// portal; sub, if not empty, must match too.
func EndBySID(tx *db.Tx, by audit.Actor, sid, sub string) (int, error) {
	if sid == "" {
		return 0, nil
	}
	if sub == "" {
		return end(tx, by, `sid = $2`, sid)
	}
	return end(tx, by, `sid = $2 AND person = $3`, sid, sub)
}

// EndBySub ends all sessions of a person.
func EndBySub(tx *db.Tx, by audit.Actor, sub string) (int, error) {
	return end(tx, by, `person = $2`, sub)
}

func end(tx *db.Tx, by audit.Actor, which string, args ...any) (int, error) {
	type gone struct{ id, person, company string }
	all, err := db.All(tx, func(g *gone) []any { return []any{&g.id, &g.person, &g.company} },
		`UPDATE session SET ended_at = $1, id_token = '' WHERE `+which+` AND ended_at IS NULL RETURNING id, person, company`, append([]any{tx.Now()}, args...)...)
	if err != nil {
		return 0, fmt.Errorf("end session: %w", err)
	}
	for _, g := range all {
		if err := audit.Record(tx, by, audit.Entry{Event: "session.ended", Account: g.person, Organization: g.company, Thing: g.id}); err != nil {
			return 0, err
		}
	}
	return len(all), nil
}

// Sweep forgets sessions, sign-in attempts, logout tokens and parked forms
// whose time is over, a batch at a time. A periodic job calls it.
func Sweep(ctx context.Context, d *db.DB) error {
	old := []struct {
		table, key, time string
		kept             time.Duration
	}{{"session", "id", "ends_at", 24 * time.Hour}, {"login_attempt", "state_hash", "expires_at", 0}, {"logout_token", "jti", "expires_at", 0}, {"parked_form", "browser", "expires_at", 0}}
	for _, o := range old {
		if err := d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
			return tx.Exec(`DELETE FROM `+o.table+` WHERE `+o.time+` < $1 AND `+o.key+` IN (SELECT `+o.key+` FROM `+o.table+` WHERE `+o.time+` < $1 ORDER BY `+o.time+` LIMIT $2)`, tx.Now().Add(-o.kept), most)
		}); err != nil {
			return fmt.Errorf("sweep %s: %w", o.table, err)
		}
	}
	return nil
}
