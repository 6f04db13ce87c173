package details_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/succession"
)

// password lets Bert ask for a new organization password; it returns the letter's
// text and code.
func (w *world) password() (text, code string) {
	w.T.Helper()
	w.browsers["bert"].Post(w.at("/succession"), "do", "letter").Goes(w.T, w.at("/succession"))
	_, text, all := w.print()
	return text, all[len(all)-1]
}

func (w *world) admin(name string) (yes bool) {
	w.look(func(tx *db.Tx) (err error) { yes, err = membership.IsAdmin(tx, w.as(name), w.bakery); return err })
	return yes
}

func (w *world) enter(name, code string) string {
	w.T.Helper()
	p := w.browsers[name].Post("/organizations/activate", "ident_number", "4711", "chamber_number", "999", "code", code)
	if p.Status != http.StatusSeeOther {
		return p.Text
	}
	return ""
}

// R102, R097, M09: an admin asks for a new organization password, it goes to the
// management by letter; whoever types it becomes admin after seven days, of which
// the present admins know at once.
func TestR102NewOrganizationPassword(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browsers["lena"].Get(w.at("/succession")).Want(t, http.StatusForbidden)
		w.browsers["nora"].Get(w.at("/succession")).Want(t, http.StatusNotFound)
		w.browsers["bert"].Get(w.at("/succession")).Want(t, http.StatusOK, "Neues Kennwort anfordern")
		text, code := w.password()
		for _, s := range []string{"Organisationskennwort", "Greta Grau", "Mehlgasse 4", "(von Bert", "http://portal.example/organizations/activate"} {
			if !strings.Contains(text, s) {
				t.Errorf("the letter lacks %q:\n%s", s, text)
			}
		}
		w.browsers["bert"].Get(w.at("/succession")).Want(t, http.StatusOK, "gedruckt")
		if said := w.enter("nora", withCheck("34679ACDEFG")); !strings.Contains(said, "passen nicht zusammen") {
			t.Error("a wrong code is told more:", said)
		}
		if said := w.enter("nora", code); said != "" {
			t.Fatal(said)
		}
		if w.admin("nora") {
			t.Fatal("admin at once, though there is one")
		}
		if m := w.One("bert@example.org", "Neue Administration in Ihrem Unternehmen"); !strings.Contains(m.Body, "Nora Nagel") || !strings.Contains(m.Body, "Das waren nicht Sie?") {
			t.Error(m.Body)
		}
		w.One("nora@example.org", "Ihr Organisationskennwort ist angekommen")
		w.browsers["bert"].Get(w.at("/succession")).Want(t, http.StatusOK, "Nora Nagel soll die Administration werden", "Einwand senden")
		w.Pass(succession.Wait - time.Second)
		w.carryOut()
		if w.admin("nora") {
			t.Error("too early")
		}
		w.Pass(time.Second)
		w.carryOut()
		if !w.admin("nora") || !w.admin("bert") {
			t.Error("nora is no admin, or bert is none any more")
		}
		w.One("nora@example.org", "Sie verwalten jetzt ein Unternehmen")
		w.One("bert@example.org", "Neue Administration")
	})
}

func (w *world) carryOut() {
	w.T.Helper()
	if err := succession.CarryOut(w.T.Context(), w.D); err != nil {
		w.T.Fatal(err)
	}
}

// Never an organization without an admin for long: where none is left, the letter
// makes one at once. A clerk sends it.
func TestSuccessionWhereNobodyIsLeft(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Exec(`UPDATE membership SET ended_at = since, admin = FALSE WHERE account = $1`, w.ids["bert"])
		if key := w.try(func(tx *db.Tx) error { return succession.SendLetter(tx, w.as("xenia"), w.bakery) }); key != "web.forbidden" {
			t.Error(key)
		}
		w.Write(func(tx *db.Tx) error { return succession.SendLetter(tx, w.as("clara"), w.bakery) })
		_, _, all := w.print()
		if said := w.enter("lena", all[0]); said != "" || !w.admin("lena") {
			t.Error("lena is no admin", said)
		}
		if said := w.enter("nora", all[0]); !strings.Contains(said, "passen nicht zusammen") {
			t.Error("the code is not spent:", said)
		}
	})
}

// A rogue admin does not keep the management out: wrong codes do not use the letter
// up, and an objection makes a clerk decide. A stopped one never becomes admin.
func TestSuccessionObjection(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, code := w.password()
		for range 8 {
			w.enter("bert", withCheck("34679ACDEFG"))
		}
		if said := w.enter("nora", code); said != "" {
			t.Fatal("worn out:", said)
		}
		w.browsers["bert"].Post(w.at("/succession"), "do", "object", "reason", "").Want(t, http.StatusUnprocessableEntity, "Nennen Sie den Grund")
		w.browsers["bert"].Post(w.at("/succession"), "do", "object", "reason", "Nora kennt hier niemand.").Goes(t, w.at("/succession"))
		w.Pass(succession.Wait * 2)
		w.carryOut()
		if w.admin("nora") {
			t.Fatal("admin though there is an objection")
		}
		w.signIn()
		w.browsers["xenia"].Get("/chamber/successions").Want(t, http.StatusOK, "Kein Einwand ist offen")
		w.browsers["bert"].Get("/chamber/successions").Want(t, http.StatusForbidden)
		w.browsers["clara"].Get("/chamber/successions").Want(t, http.StatusOK, "Nora kennt hier niemand.", "Nora Nagel", "Bert Backmann")
		var id string
		w.look(func(tx *db.Tx) (err error) { id, err = db.Value[string](tx, `SELECT id FROM succession`); return err })
		w.browsers["xenia"].Post("/chamber/successions", "do", "allow", "succession", id).Want(t, http.StatusForbidden)
		w.browsers["clara"].Get("/chamber/successions?stop="+id).Want(t, http.StatusOK, "Grund")
		w.browsers["clara"].Post("/chamber/successions", "do", "stop", "succession", id, "answer", "").Want(t, http.StatusUnprocessableEntity, "Nennen Sie den Grund")
		allow := func(tx *db.Tx) error { return succession.Allow(tx, w.as("clara"), id) }
		stop := func(tx *db.Tx) error {
			return succession.Stop(tx, w.as("clara"), id, "Die Geschäftsführung weiß nichts davon.")
		}
		w.Inbox()
		if won := w.race(allow, stop, allow, stop, allow, stop); won != 1 {
			t.Error(won, "decisions")
		}
		done := w.Count(`SELECT count(*) FROM succession WHERE state = 'done'`) == 1
		if done != w.admin("nora") {
			t.Error("done:", done, "admin:", w.admin("nora"))
		}
		if !done {
			if m := w.One("nora@example.org", "Ihre Anmeldung als Administration"); !strings.Contains(m.Body, "weiß nichts davon") {
				t.Error(m.Body)
			}
		}
	})
}

// One letter makes one successor, however many type it at once.
func TestSuccessionOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, code := w.password()
		var all []func(tx *db.Tx) error
		for _, name := range []string{"nora", "lena", "xenia", "nora", "lena", "xenia"} {
			all = append(all, func(tx *db.Tx) error {
				_, _, err := succession.Activate(tx, w.as(name), "4711", "999", code)
				return err
			})
		}
		if won := w.race(all...); won != 1 || w.Count(`SELECT count(*) FROM succession`) != 1 {
			t.Error(won, "of six")
		}
		w.Pass(succession.Wait)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := succession.CarryOut(context.WithoutCancel(t.Context()), w.D); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := w.Count(`SELECT count(*) FROM membership WHERE organization = $1 AND admin AND ended_at IS NULL`, w.bakery); n != 2 {
			t.Error(n, "admins")
		}
	})
}

// A company is sent three letters in thirty days at most, as its chamber settled;
// a new one makes the code before void. Somebody who administers it already uses
// nothing up.
func TestSuccessionLettersAreLimited(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, first := w.password()
		_, second := w.password()
		if said := w.enter("bert", first); !strings.Contains(said, "Sie verwalten Bäckerei Morgenrot GmbH schon") {
			t.Error("the first code was voided by asking for a second:", said)
		}
		if said := w.enter("bert", second); !strings.Contains(said, "Sie verwalten Bäckerei Morgenrot GmbH schon") {
			t.Error(said)
		}
		w.password()
		w.browsers["bert"].Post(w.at("/succession"), "do", "letter").Want(t, http.StatusTooManyRequests, "mehrere Briefe")
		if n := w.Count(`SELECT count(*) FROM letter WHERE kind = $1 AND state = 'void'`, letter.Succession); n != 0 {
			t.Error(n, "void")
		}
	})
}

// A letter that gives power needs a proof that it is really the admin who asks.
func TestSuccessionNeedsAProof(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Exec(`UPDATE session SET proved_at = NULL`)
		w.browsers["bert"].Post(w.at("/succession"), "do", "letter").Want(t, http.StatusSeeOther)
		w.browsers["bert"].Post(w.at("/close"), "do", "close", "sure", "1").Want(t, http.StatusSeeOther)
		if w.Count(`SELECT count(*) FROM letter`) != 0 || w.Count(`SELECT count(*) FROM organization WHERE closes_at IS NOT NULL`) != 0 {
			t.Error("done without a proof")
		}
	})
}
