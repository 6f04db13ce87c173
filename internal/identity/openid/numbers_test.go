package openid_test

import (
	"testing"

	"zunft/internal/ground/db"
)

// R216, R233: the numbers that an organization entered for its member are told
// with the organization, and with nothing less.
func TestR216NumbersOfAMember(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna := w.person("anna")
		bakery := w.organization("Bäckerei", w.person("bert"))
		w.employ(bakery, anna, "trainer")
		ask := func(scope string) map[string]any {
			t.Helper()
			return claims(t, w.exchange("training", w.signedIn(anna).code("training", "scope", scope)).IDToken)
		}
		if c := ask("openid organization roles"); c["apprentice_number"] != nil || c["trainer_number"] != nil {
			t.Errorf("numbers that nobody entered: %v", c)
		}
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE membership SET apprentice_number = 'A-17', trainer_number = 'T-4' WHERE account = $1`, anna.ID)
			return err
		})
		if c := ask("openid organization roles"); c["apprentice_number"] != "A-17" || c["trainer_number"] != "T-4" {
			t.Errorf("with the organization: %v", c)
		}
		if c := ask("openid roles"); c["apprentice_number"] != nil || c["trainer_number"] != nil {
			t.Errorf("without the organization: %v", c)
		}
	})
}
