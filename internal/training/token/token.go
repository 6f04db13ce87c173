// Package token keeps personal tokens: with one, a program of their own reads
// or writes a person's report book through /api/v1 (ux.md 4, no. 24).
//
//   - A token is 256 random bits of which the hash is stored. It is shown once.
//   - It acts for one person in one company, reads or also writes drafts, and
//     never more: submitting and signing off stay with people.
//   - Behind it stands a session that no cookie opens (person.Lend), so every
//     rule asks the same question as for a browser, and ending all sessions of a
//     person ends their tokens.
//   - It ends when its time is over, when it is revoked, and rests while the
//     person has not signed in for its company for 60 days: only that tells us
//     that they still have their role there. A sign-in for another company does not.
package token

import (
	"context"
	"embed"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/seal"
	"zunft/internal/training/person"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

// Scopes of a token.
const (
	Read  = "read"
	Write = "write" // drafts, beside reading
)

var issues = limit.Rate{Burst: 20, Every: time.Hour}

// Days that a token may last.
var Days = []int{30, 90, 180, 365}

const (
	prefix  = "zt_" // programs that look for secrets in code find it by this
	atMost  = 10    // running tokens of a person
	maxName = 60
	rests   = 60 * 24 * time.Hour
	kept    = 90 * 24 * time.Hour // after its end, so that people see what there was
)

// A Token as its owner sees it.
type Token struct {
	ID, Person, Company         string
	Name, Hint, Scope           string
	CreatedAt, ExpiresAt        db.Time
	UsedAt, EndedAt, LastSignIn db.Time
}

// Runs reports whether it still opens something.
func (t Token) Runs(now db.Time) bool { return t.EndedAt.IsZero() && now.Before(t.ExpiresAt) }

const columns = `t.id, t.person, t.company, t.name, t.hint, t.scope, t.created_at, t.expires_at, t.used_at, t.ended_at,
	COALESCE((SELECT max(k.seen_at) FROM company_role k WHERE k.company = t.company AND k.person = t.person), p.seen_at)`

const from = ` FROM api_token t JOIN person p ON p.sub = t.person `

func (t *Token) fields() []any {
	return []any{&t.ID, &t.Person, &t.Company, &t.Name, &t.Hint, &t.Scope, &t.CreatedAt, &t.ExpiresAt, &t.UsedAt, &t.EndedAt, &t.LastSignIn}
}

// Issue makes a token for the actor; the secret is shown once and nowhere kept.
func Issue(tx *db.Tx, by audit.Actor, name, scope string, days int) (t Token, secret string, err error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return t, "", err
	}
	var p fault.Problems
	if n := utf8.RuneCountInString(name); n == 0 || n > maxName {
		p.Add("name", "token.name_missing", maxName)
	}
	if scope != Read && scope != Write {
		p.Add("scope", "token.scope_missing")
	}
	known := false
	for _, d := range Days {
		known = known || d == days
	}
	if !known {
		p.Add("days", "token.days_missing")
	}
	if err := p.Err(); err != nil {
		return t, "", err
	}
	if err := limit.Hold(tx, "token/"+s.Person.Sub); err != nil { // the count below is of one at a time
		return t, "", err
	}
	if err := limit.TakeIn(tx, "token/new/"+s.Person.Sub, issues); err != nil { // each is a mail, and a row that stays
		return t, "", err
	}
	secret = prefix + seal.Token()
	t = Token{
		ID: db.NewID(), Person: s.Person.Sub, Company: s.Company.ID, Name: name, Hint: secret[len(secret)-4:], Scope: scope,
		CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(time.Duration(days) * 24 * time.Hour), LastSignIn: s.Person.SeenAt,
	}
	made, err := tx.Exec(`INSERT INTO api_token (id, token_hash, person, company, name, hint, scope, created_at, expires_at)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 WHERE (SELECT count(*) FROM api_token WHERE person = $3 AND ended_at IS NULL AND expires_at > $8) < $10`,
		t.ID, seal.Hash(secret), t.Person, t.Company, t.Name, t.Hint, t.Scope, t.CreatedAt, t.ExpiresAt, atMost)
	if err != nil {
		return t, "", fmt.Errorf("issue token: %w", err)
	}
	if made == 0 {
		return t, "", fault.Conflict("token.many", atMost)
	}
	if err := person.Lend(tx, by, s, t.ID, t.ExpiresAt); err != nil {
		return t, "", err
	}
	if err := texts.Send(tx, s.Person.Mail(), "token_issued", map[string]any{"Name": s.Person.Name, "Token": t.Name, "At": t.CreatedAt, "Until": t.ExpiresAt, "Writes": scope == Write}); err != nil {
		return t, "", err
	}
	return t, secret, audit.Record(tx, by, audit.Entry{Event: "token.issued", Account: t.Person, Organization: t.Company, Thing: t.ID, Detail: map[string]any{"scope": scope, "days": days}})
}

// Mine are the actor's tokens, newest first; ended ones stay in view for a while.
func Mine(tx *db.Tx, by audit.Actor) ([]Token, error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, (*Token).fields, `SELECT `+columns+from+`WHERE t.person = $1 ORDER BY t.id DESC LIMIT 50`, s.Person.Sub)
}

// Revoke ends one of the actor's tokens. Twice is harmless.
func Revoke(tx *db.Tx, by audit.Actor, id string) error {
	s, err := person.Acting(tx, by)
	if err != nil {
		return err
	}
	t, err := db.One(tx, (*Token).fields, `SELECT `+columns+from+`WHERE t.id = $1 AND t.person = $2`, id, s.Person.Sub)
	if err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE api_token SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL`, tx.Now(), t.ID)
	if err != nil || n == 0 {
		return err
	}
	if err := person.End(tx, by, t.ID); err != nil {
		return err
	}
	return audit.Record(tx, by, audit.Entry{Event: "token.revoked", Account: t.Person, Organization: t.Company, Thing: t.ID})
}

// Find is the running token of a secret, and as whom it acts; anything else is
// fault.NotFound. by says where the request came from.
func Find(tx *db.Tx, by audit.Actor, secret string) (Token, audit.Actor, error) {
	if !strings.HasPrefix(secret, prefix) || len(secret) > 100 {
		return Token{}, by, fault.NotFound()
	}
	t, err := db.One(tx, (*Token).fields, `SELECT `+columns+from+`JOIN session s ON s.id = t.id WHERE t.token_hash = $1 AND t.ended_at IS NULL AND t.expires_at > $2 AND s.ended_at IS NULL`,
		seal.Hash(secret), tx.Now())
	if err != nil {
		return t, by, err
	}
	if tx.Now().Sub(t.LastSignIn) > rests {
		return t, by, fault.Conflict("token.rests", int(rests.Hours()/24))
	}
	by.Account, by.Session, by.Kind = t.Person, t.ID, audit.Person
	return t, by, nil
}

// Used notes that a token was used; callers do so at most once an hour.
func Used(tx *db.Tx, t Token) error {
	_, err := tx.Exec(`UPDATE api_token SET used_at = $1 WHERE id = $2`, tx.Now(), t.ID)
	return err
}

// Sweep forgets tokens that ended long ago. A periodic job calls it.
func Sweep(ctx context.Context, d *db.DB) error {
	err := d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
		return tx.Exec(`DELETE FROM api_token WHERE id IN (SELECT id FROM api_token WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`, tx.Now().Add(-kept), most)
	})
	if err != nil {
		return fmt.Errorf("sweep tokens: %w", err)
	}
	return nil
}
