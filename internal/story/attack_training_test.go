package story_test

import (
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/membership"
	"zunft/internal/story"
)

// The training portal knows roles from the last sign-in. Who loses one, or the
// company, is out there at once, not in the evening: a dismissed trainer signs
// nothing any more.
func TestDismissedTrainer(t *testing.T) {
	w := start(t, "sqlite", story.Options{})
	bert := audit.Actor{Kind: audit.Person, Account: value(t, w.IdentityDB, `SELECT id FROM account WHERE username = 'bert.backmann'`)}
	app := value(t, w.IdentityDB, `SELECT id FROM application WHERE client_id = 'training'`)
	of := value(t, w.IdentityDB, `SELECT m.id FROM membership m JOIN account a ON a.id = m.account WHERE a.username = 'murat.yilmaz'`)
	deed := func(f func(tx *db.Tx) error) {
		t.Helper()
		if err := w.IdentityDB.Write(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	role := func(yes bool) func(tx *db.Tx) error {
		return func(tx *db.Tx) error { return membership.SetRole(tx, bert, of, app, "trainer", yes) }
	}
	for _, loses := range []func(tx *db.Tx) error{role(false), func(tx *db.Tx) error { return membership.Remove(tx, bert, of) }} {
		deed(role(true))
		murat := as(t, w, "murat")
		murat.follow(w.Training + "/reviews")
		there := murat.cookie(w.Training, trainingCookie)
		if !in(t, w.Training, "/reviews", trainingCookie, there) {
			t.Fatal("Murat is not in")
		}
		deed(loses)
		ended(t, w.TrainingDB)
		if in(t, w.Training, "/reviews", trainingCookie, there) {
			t.Error("dismissed, and still in")
		}
	}
}
