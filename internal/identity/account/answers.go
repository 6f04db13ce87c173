package account

import (
	"encoding/json"
	"fmt"
	"maps"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

// AnswersOf are what an account answered at its sign-up.
func AnswersOf(tx *db.Tx, id string) (a Answers, err error) {
	text, err := db.Value[string](tx, `SELECT answers FROM account WHERE id = $1`, id)
	if err != nil || text == "" {
		return a, err
	}
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return a, fmt.Errorf("answers of %s: %w", id, err)
	}
	return a, nil
}

// ChangeAnswers replaces the answers to a profile's own questions (R245–R247)
// for the person who acts. changed is false if all was so already.
func ChangeAnswers(tx *db.Tx, by audit.Actor, profile map[string]string) (changed bool, err error) {
	n, err := tx.Exec(`UPDATE account SET version = version + 1 WHERE id = $1 AND state = 'active'`, by.Account)
	if err != nil {
		return false, err
	}
	if n == 0 {
		return false, fault.Forbidden()
	}
	a, err := AnswersOf(tx, by.Account)
	if err != nil || maps.Equal(a.Profile, profile) {
		return false, err
	}
	a.Profile = profile
	if _, err := tx.Exec(`UPDATE account SET answers = $1 WHERE id = $2`, a.String(), by.Account); err != nil {
		return false, fmt.Errorf("change answers: %w", err)
	}
	return true, audit.Record(tx, by, audit.Entry{Event: "account.changed", Account: by.Account, Detail: map[string]any{"fields": []string{"answers"}}})
}
