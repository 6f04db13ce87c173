package home_test

import (
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
)

// ux.md 2.4: an admin reads on the first page what nobody asks for but somebody
// should look at: a review that is due, invitations that end, members without a role.
func TestUpkeep(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.company("small", 3, 0)
		w.application()
		for _, nothing := range []string{"Einladung", "überprüfen"} {
			if strings.Contains(w.get("small"), nothing) {
				t.Error("too early:", nothing)
			}
		}
		w.write(func(tx *db.Tx) error {
			for n, i := range []struct {
				state string
				days  int
			}{{"sent", 1}, {"undeliverable", 2}, {"sent", 4}, {"sent", -1}, {"accepted", 1}} {
				id := string(rune('a' + n))
				if _, err := tx.Exec(`INSERT INTO invitation (id, organization, email, email_key, state, token_hash, invited_by, created_at, expires_at) VALUES ($1, 'small', $1, $1, $2, $1, 'x', $3, $4)`,
					id, i.state, tx.Now(), tx.Now().Add(time.Duration(i.days)*24*time.Hour)); err != nil {
					return err
				}
			}
			_, err := tx.Exec(`UPDATE organization SET activated_at = $1, review_told_at = $2 WHERE id = 'small'`, db.At(time.Date(2025, 3, 4, 12, 0, 0, 0, time.UTC)), tx.Now())
			return err
		})
		page := w.get("small")
		for _, want := range []string{"Berechtigungen bei small überprüfen", "Nicht überprüft seit 04.03.2025", "2 Einladungen laufen in 3 Tagen ab", `/organizations/small/invitations?state=ending`, "2 Mitgliedern eine Rolle geben", `/organizations/small/members?show=without`} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
	})
}

// Whoever represents companies without belonging to one finds them, and the
// applications they open, on the first page, and is not sent to join one.
func TestRepresentative(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.company("small", 1, 0)
		app := w.application()
		w.write(func(tx *db.Tx) error {
			vogt, err := account.Create(tx, audit.Console, account.New{GivenName: "Viktor", FamilyName: "Vogt", Email: "vogt@example.org", Password: "x", Confirmed: true})
			if err != nil {
				return err
			}
			if _, err = tx.Exec(`INSERT INTO mandate (id, reference, chamber, principal, account, state, proposed_by, proposed_side, proposed_at, starts_at, ends_at) VALUES ('m', 'V-1', 'c', 'small', $1, 'active', 'x', 'principal', $2, $2, $3)`,
				vogt.ID, tx.Now(), tx.Now().Add(time.Hour)); err != nil {
				return err
			}
			if _, err = tx.Exec(`INSERT INTO mandate_role (mandate, application, role) VALUES ('m', $1, 'trainer')`, app); err != nil {
				return err
			}
			w.cookies["vogt"], _, err = session.Start(tx, audit.Console, vogt.ID, "pwd")
			return err
		})
		page := w.get("vogt")
		for _, want := range []string{"Unternehmen, die ich vertrete", `href="/mandates/m"`, `value="small.m"`, "https://training.example", "als Vertretung"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
		if strings.Contains(page, "Ihrem Unternehmen beitreten") {
			t.Error("asked to join a company")
		}
	})
}

// application declares a role that opens one.
func (w *world) application() (id string) {
	w.Helper()
	w.write(func(tx *db.Tx) error {
		a, err := application.Put(tx, audit.Console, application.Application{ClientID: "training", Name: "Berichtsheft", ClientURI: "https://training.example", RedirectURIs: []string{"https://training.example/cb"}, SecretHash: "x"}, []application.Role{{Key: "trainer", NameDE: "Ausbilder:in"}})
		id = a.ID
		return err
	})
	return id
}
