package details_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/identity/closing"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/site"
)

func (w *world) close() {
	w.T.Helper()
	if err := closing.CarryOut(w.T.Context(), w.D); err != nil {
		w.T.Fatal(err)
	}
}

// L07: an admin closes the account; for thirty days everything stays and any admin
// can take it back; then all that hangs on it ends, and the company can come anew.
func TestL07ClosingHasAGrace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browsers["lena"].Get(w.at("/close")).Want(t, http.StatusForbidden)
		w.browsers["bert"].Get(w.at("/close")).Want(t, http.StatusOK, "02.12.2026", "Mitgliedschaften von 2 Personen", "Ausbildungsnachweise")
		w.browsers["bert"].Post(w.at("/close"), "do", "close").Want(t, http.StatusUnprocessableEntity, "Setzen Sie den Haken")
		w.browsers["bert"].Post(w.at("/close"), "do", "close", "sure", "1").Goes(t, w.at("/close"))
		if m := w.One("bert@example.org", "Das Organisationskonto wird geschlossen"); !strings.Contains(m.Body, "02.12.2026") || !strings.Contains(m.Body, "Das waren nicht Sie?") {
			t.Error(m.Body)
		}
		w.browsers["bert"].Post(w.at("/close"), "do", "undo").Goes(t, w.at("/close"))
		w.One("bert@example.org", "Das Organisationskonto bleibt bestehen")
		w.browsers["bert"].Post(w.at("/close"), "do", "undo").Want(t, http.StatusConflict)
		w.Pass(31 * 24 * time.Hour)
		w.close()
		if w.state() != organization.Active {
			t.Fatal("closed though it was taken back")
		}

		// Now for good: with a site, a letter and a member with roles.
		w.Write(func(tx *db.Tx) error {
			s, err := site.Ask(tx, w.as("bert"), w.bakery, site.Site{Name: "Nord", Street: "Nordweg", HouseNumber: "1", Postcode: "00999", Place: "Musterdorf"})
			if err != nil {
				return err
			}
			if err := site.Release(tx, w.as("clara"), s.ID); err != nil {
				return err
			}
			if err := letter.QueueKind(tx, w.as("clara"), w.chamber, w.bakery, letter.Succession); err != nil {
				return err
			}
			_, err = closing.Ask(tx, w.as("bert"), w.bakery)
			return err
		})
		w.Inbox()
		w.Pass(30*24*time.Hour - time.Second)
		w.close()
		if w.state() != organization.Active {
			t.Fatal("a second too early")
		}
		w.Pass(time.Second)
		w.close()
		if w.state() != organization.Closed {
			t.Fatal("not closed")
		}
		w.One("bert@example.org", "Das Organisationskonto ist geschlossen")
		for what, query := range map[string]string{
			"members": `SELECT count(*) FROM membership WHERE ended_at IS NULL`, "sites": `SELECT count(*) FROM site WHERE state <> 'closed'`,
			"letters": `SELECT count(*) FROM letter WHERE state IN ('queued', 'printed')`,
		} {
			if n := w.Count(query); n != 0 {
				t.Error(n, what, "are left")
			}
		}
		if w.Count(`SELECT count(*) FROM audit WHERE event = 'membership.ended'`) != 2 || w.Count(`SELECT count(*) FROM notice WHERE account = $1 AND phrase = 'notice.organization_closed'`, w.ids["lena"]) != 1 {
			t.Error("lena is not told, or the record is silent")
		}
		w.look(func(tx *db.Tx) error {
			if taken, err := organization.Taken(tx, w.chamber, organization.Organization{}.Company, []string{"4711"}); err != nil || taken {
				t.Error("the company cannot come anew", err)
			}
			return nil
		})
	})
}

// Ask, undo and the clock at once: it is closed, or it stays, with all of its members.
func TestClosingRaces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Write(func(tx *db.Tx) error { return membership.Grant(tx, w.as("bert"), w.bakery, w.ids["nora"], true) })
		ask := func(name string) func(tx *db.Tx) error {
			return func(tx *db.Tx) error { _, err := closing.Ask(tx, w.as(name), w.bakery); return err }
		}
		if won := w.race(ask("bert"), ask("nora"), ask("bert"), ask("nora")); won != 1 {
			t.Error(won, "asked")
		}
		undo := func(tx *db.Tx) error { return closing.Undo(tx, w.as("nora"), w.bakery) }
		if won := w.race(repeat(5, undo)...); won != 1 {
			t.Error(won, "took it back")
		}
		w.Write(ask("bert"))
		w.Pass(30 * 24 * time.Hour)
		done := make(chan bool)
		go func() { w.close(); close(done) }()
		won := w.race(undo)
		<-done
		members, closed := w.Count(`SELECT count(*) FROM membership WHERE ended_at IS NULL`), w.state() == organization.Closed
		if closed == (won == 1) || closed == (members == 3) {
			t.Errorf("taken back: %d, closed: %v, members: %d", won, closed, members)
		}
	})
}

// A locked organization is not closed behind the chamber's back.
func TestClosingOfALockedOne(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Write(func(tx *db.Tx) error { _, err := closing.Ask(tx, w.as("bert"), w.bakery); return err })
		w.Write(func(tx *db.Tx) error { return organization.Lock(tx, w.as("clara"), w.bakery, "Klärung") })
		w.Pass(60 * 24 * time.Hour)
		w.close()
		if w.state() != organization.Locked {
			t.Error(w.state())
		}
		w.signIn()
		w.browsers["bert"].Get(w.at("/close")).Want(t, http.StatusOK, "gesperrt")
	})
}
