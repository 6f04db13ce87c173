package application

import (
	"fmt"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
)

// A Secret of a confidential client. Two at most are active, so that one can be
// exchanged without a pause: make the second, install it, revoke the first.
type Secret struct {
	ID, Application string
	Hash            string
	Hint            string // its last characters, to tell two apart; empty where it came as a hash
	CreatedBy       string // account; empty: at the console
	CreatedAt       db.Time
	ExpiresAt       db.Time // zero: never
	UsedAt          db.Time // to the day
	RevokedAt       db.Time
}

// MaxSecrets are active at once.
const MaxSecrets = 2

// Active reports whether it opens at a moment.
func (s Secret) Active(at db.Time) bool {
	return s.RevokedAt.IsZero() && (s.ExpiresAt.IsZero() || at.Before(s.ExpiresAt))
}

// HashSecret is what is kept of a client secret. Secrets are random (256
// bits), so a plain hash suffices: there is nothing to guess.
func HashSecret(secret string) string { return seal.Hash(secret) }

// Opens says which of an application's secrets was shown. All are compared, in
// constant time.
func Opens(secrets []Secret, shown string, at db.Time) (found Secret, ok bool) {
	hash := HashSecret(shown)
	for _, s := range secrets {
		if seal.Equal(s.Hash, hash) && s.Active(at) {
			found, ok = s, true
		}
	}
	return found, ok
}

const secretColumns = `id, application, secret_hash, hint, created_by, created_at, expires_at, used_at, revoked_at`

func (s *Secret) fields() []any {
	return []any{&s.ID, &s.Application, &s.Hash, &s.Hint, &s.CreatedBy, &s.CreatedAt, &s.ExpiresAt, &s.UsedAt, &s.RevokedAt}
}

// Living are the secrets that open an application now.
func Living(tx *db.Tx, applicationID string) ([]Secret, error) {
	return db.All(tx, (*Secret).fields, `SELECT `+secretColumns+` FROM application_secret WHERE application = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2) ORDER BY id`, applicationID, tx.Now())
}

// Secrets are an application's last ones, newest first, those that open
// nothing any more too. Operators and the console may look.
func Secrets(tx *db.Tx, by audit.Actor, applicationID string) ([]Secret, error) {
	if err := mustOperate(tx, by); err != nil {
		return nil, err
	}
	return db.All(tx, (*Secret).fields, `SELECT `+secretColumns+` FROM application_secret WHERE application = $1 ORDER BY id DESC LIMIT 20`, applicationID)
}

const maxSecretDays = 3 * 365

// NewSecret makes a secret that expires after some days (0: never) and shows
// it this once. Conflict if two are active already.
func NewSecret(tx *db.Tx, by audit.Actor, applicationID string, days int) (plain string, s Secret, err error) {
	if err := mustOperate(tx, by); err != nil {
		return "", s, err
	}
	if days < 0 || days > maxSecretDays {
		return "", s, fault.Invalid("days", "application.secret_days", maxSecretDays)
	}
	// The row keeps others from adding one until the end of the transaction.
	a, err := db.One(tx, (*Application).fields, `UPDATE application SET state = state WHERE id = $1 RETURNING `+columns, applicationID)
	if err != nil {
		return "", s, err
	}
	if a.Public() {
		return "", s, fault.Conflict("application.secret_public")
	}
	living, err := Living(tx, applicationID)
	if err != nil {
		return "", s, err
	}
	if len(living) >= MaxSecrets {
		return "", s, fault.Conflict("application.secret_two")
	}
	plain = seal.Token()
	s = Secret{ID: db.NewID(), Application: applicationID, Hash: HashSecret(plain), Hint: plain[len(plain)-4:], CreatedBy: by.Account, CreatedAt: tx.Now()}
	if days > 0 {
		s.ExpiresAt = tx.Now().Add(time.Duration(days) * 24 * time.Hour)
	}
	if err := s.insert(tx); err != nil {
		return "", s, err
	}
	return plain, s, audit.Record(tx, by, audit.Entry{Event: "application.secret_added", Thing: applicationID, Detail: map[string]any{"secret": s.ID}})
}

func (s Secret) insert(tx *db.Tx) error {
	_, err := tx.Exec(`INSERT INTO application_secret (`+secretColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		s.ID, s.Application, s.Hash, s.Hint, s.CreatedBy, s.CreatedAt, s.ExpiresAt, s.UsedAt, s.RevokedAt)
	if err != nil {
		return fmt.Errorf("add a secret to application %s: %w", s.Application, err)
	}
	return nil
}

// RevokeSecret ends a secret: within a second nobody is let in with it.
func RevokeSecret(tx *db.Tx, by audit.Actor, applicationID, id string) error {
	if err := mustOperate(tx, by); err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE application_secret SET revoked_at = $1 WHERE id = $2 AND application = $3 AND revoked_at IS NULL`, tx.Now(), id, applicationID)
	if err != nil {
		return err
	}
	if n == 0 {
		if _, err := db.Value[string](tx, `SELECT id FROM application_secret WHERE id = $1 AND application = $2`, id, applicationID); err != nil {
			return err
		}
		return fault.Conflict("application.secret_gone")
	}
	return audit.Record(tx, by, audit.Entry{Event: "application.secret_revoked", Thing: applicationID, Detail: map[string]any{"secret": id}})
}

// onlySecret makes the secret that Put was given the only one; without one all stay as they are.
func onlySecret(tx *db.Tx, by audit.Actor, a Application) error {
	if a.SecretHash == "" && !a.Public() {
		return nil
	}
	if _, err := tx.Exec(`UPDATE application_secret SET revoked_at = $1 WHERE application = $2 AND revoked_at IS NULL AND secret_hash <> $3`, tx.Now(), a.ID, a.SecretHash); err != nil {
		return err
	}
	living, err := Living(tx, a.ID)
	if err != nil || len(living) > 0 || a.Public() {
		return err
	}
	return Secret{ID: db.NewID(), Application: a.ID, Hash: a.SecretHash, CreatedBy: by.Account, CreatedAt: tx.Now()}.insert(tx)
}

// SecretUsed notes that a secret was shown today; once a day is enough.
func SecretUsed(tx *db.Tx, id string) error {
	today := db.At(tx.Now().Truncate(24 * time.Hour))
	_, err := tx.Exec(`UPDATE application_secret SET used_at = $1 WHERE id = $2 AND (used_at IS NULL OR used_at < $1)`, today, id)
	return err
}

// A Supply is how many secrets of an application are active, and when the last of them ends.
type Supply struct {
	Count int
	Ends  db.Time // zero: never
}

// LastSecrets is the supply of every application that has a secret.
func LastSecrets(tx *db.Tx) (map[string]Supply, error) {
	all := map[string]Supply{}
	err := tx.Each(`SELECT application, expires_at FROM application_secret WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1) ORDER BY application`, []any{tx.Now()}, func(scan func(...any) error) error {
		var id string
		var ends db.Time
		err := scan(&id, &ends)
		s, known := all[id]
		if !known || !s.Ends.IsZero() && (ends.IsZero() || ends.After(s.Ends)) {
			s.Ends = ends
		}
		s.Count++
		all[id] = s
		return err
	})
	return all, err
}
