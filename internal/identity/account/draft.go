package account

import (
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
)

// draftFor is how long a half-finished sign-up is kept.
const draftFor = 2 * time.Hour

// Draft keeps what was typed in step 1 of the sign-up until step 2 is sent,
// sealed, under the secret of the browser.
func Draft(tx *db.Tx, browser string, body []byte) error {
	id := seal.Hash(browser)
	_, err := tx.Exec(`INSERT INTO signup_draft (id, body, created_at, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET body = excluded.body, expires_at = excluded.expires_at`,
		id, tx.Keys().Seal("signup_draft/"+id, body), tx.Now(), tx.Now().Add(draftFor))
	return err
}

// Drafted reads it again.
func Drafted(tx *db.Tx, browser string) ([]byte, error) {
	id := seal.Hash(browser)
	body, err := db.Value[string](tx, `SELECT body FROM signup_draft WHERE id = $1 AND expires_at > $2`, id, tx.Now())
	if err != nil {
		return nil, err
	}
	return tx.Keys().Open("signup_draft/"+id, body)
}

// SpendDraft forgets it as the sign-up is made of it: of many at once exactly
// one finds it.
func SpendDraft(tx *db.Tx, browser string) error {
	n, err := tx.Exec(`DELETE FROM signup_draft WHERE id = $1`, seal.Hash(browser))
	if err == nil && n == 0 {
		err = fault.NotFound()
	}
	return err
}

// Undraft forgets it.
func Undraft(tx *db.Tx, browser string) error {
	_, err := tx.Exec(`DELETE FROM signup_draft WHERE id = $1`, seal.Hash(browser))
	return err
}
