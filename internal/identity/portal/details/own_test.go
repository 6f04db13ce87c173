package details_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/succession"
)

func (w *world) successionID() (id string) {
	w.look(func(tx *db.Tx) (err error) { id, err = db.Value[string](tx, `SELECT id FROM succession`); return err })
	return id
}

// R091: letters are printed at the desk, so who reads a code there could type it:
// a clerk does not decide about themselves.
func TestNoClerkAllowsThemselves(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, code := w.password()
		if said := w.enter("clara", code); said != "" {
			t.Fatal(said)
		}
		w.browsers["clara"].Post("/chamber/successions", "do", "allow", "succession", w.successionID()).Want(t, http.StatusForbidden, "eine andere Person Ihrer Kammer")
		w.browsers["clara"].Post("/chamber/successions", "do", "stop", "succession", w.successionID(), "answer", "doch nicht").Want(t, http.StatusForbidden)
		if w.admin("clara") {
			t.Error("a clerk made herself an admin")
		}
	})
}

// R091: nor about a company that they administer.
func TestNoClerkDecidesAboutTheirCompany(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, code := w.password()
		if said := w.enter("nora", code); said != "" {
			t.Fatal(said)
		}
		w.browsers["bert"].Post(w.at("/sites"), north...).Goes(t, w.at("/sites"))
		w.Write(func(tx *db.Tx) error { return membership.Grant(tx, w.as("bert"), w.bakery, w.ids["clara"], true) })
		w.signIn()
		clara := w.browsers["clara"]
		clara.Post("/chamber/successions", "do", "stop", "succession", w.successionID(), "answer", "kennen wir nicht").Want(t, http.StatusForbidden, "Sie administrieren dieses Unternehmen selbst")
		clara.Post("/chamber/sites", "do", "release", "site", w.siteID()).Want(t, http.StatusForbidden, "Sie administrieren dieses Unternehmen selbst")
		w.Write(func(tx *db.Tx) error { return organization.Lock(tx, w.as("clara"), w.bakery, "Klärung") })
		if key := w.try(func(tx *db.Tx) error { return organization.Unlock(tx, w.as("clara"), w.bakery) }); key != "organization.own_company" {
			t.Error("unlocks her own company:", key)
		}
	})
}

// It makes an admin, so it takes a proof; nobody becomes one who is locked.
func TestAllowingTakesAProof(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, code := w.password()
		if said := w.enter("nora", code); said != "" {
			t.Fatal(said)
		}
		w.Exec(`UPDATE session SET proved_at = NULL`)
		allow := func() (to string) {
			p := w.browsers["clara"].Post("/chamber/successions", "do", "allow", "succession", w.successionID())
			return p.To
		}
		if to := allow(); !strings.HasPrefix(to, "/account/confirm") || w.admin("nora") {
			t.Error("without a proof, to", to)
		}
		w.browsers["bert"].Post("/chamber/successions", "do", "allow", "succession", w.successionID()).Want(t, http.StatusForbidden)
		w.signIn()
		w.Exec(`UPDATE account SET state = 'locked' WHERE id = $1`, w.ids["nora"])
		w.browsers["clara"].Post("/chamber/successions", "do", "allow", "succession", w.successionID()).Want(t, http.StatusConflict)
		w.Exec(`UPDATE account SET state = 'active' WHERE id = $1`, w.ids["nora"])
		if allow(); !w.admin("nora") {
			t.Error("not allowed")
		}
	})
}

// Decision 17: nobody who administers the company can stop the management's
// choice, also not by undoing it a minute later.
func TestTheManagementsChoiceHolds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, code := w.password()
		if said := w.enter("nora", code); said != "" {
			t.Fatal(said)
		}
		w.Pass(succession.Wait)
		w.carryOut()
		nora := func() (id string) {
			w.look(func(tx *db.Tx) error { m, err := membership.In(tx, w.bakery, w.ids["nora"]); id = m.ID; return err })
			return id
		}
		demote := func(tx *db.Tx) error { return membership.SetAdmin(tx, w.as("bert"), nora(), false) }
		remove := func(tx *db.Tx) error { return membership.Remove(tx, w.as("bert"), nora()) }
		for what, rule := range map[string]func(tx *db.Tx) error{"demoted": demote, "removed": remove} {
			if key := w.try(rule); key != "membership.by_management" {
				t.Error(what, key)
			}
		}
		// The new one decides about the present ones, and may step down.
		w.Write(func(tx *db.Tx) error { return membership.Grant(tx, w.as("nora"), w.bakery, w.ids["lena"], true) })
		w.Write(func(tx *db.Tx) error { return membership.SetAdmin(tx, w.as("nora"), nora(), false) })
		w.Write(func(tx *db.Tx) error { return membership.SetAdmin(tx, w.as("lena"), nora(), true) })
		w.Pass(14 * 24 * time.Hour)
		w.Write(demote)
		w.Write(remove)
	})
}

// A company whose letter nobody answers is not kept from its owners for ever: the
// chamber takes the approval back, and it ends with the account that registered
// it. Its letters are void, and it can be registered again.
func TestUnansweredCompaniesEnd(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		squat := func() (id, code string) {
			w.Write(func(tx *db.Tx) error {
				e, err := directory.ByIdent(tx, w.chamber, "815")
				if err != nil {
					return err
				}
				id = db.NewID()
				o := organization.Organization{ID: id, Chamber: w.chamber, Company: e.Company, Management: e.Management, State: organization.AwaitingLetter, RegisteredBy: w.ids["nora"], CreatedAt: tx.Now(), Version: 1}
				if created, err := organization.Create(tx, o); err != nil || !created {
					t.Fatal("it cannot be registered", created, err)
				}
				return letter.Queue(tx, w.as("clara"), w.chamber, id)
			})
			_, _, all := w.print()
			return id, all[len(all)-1]
		}
		type end = func(id string) func(tx *db.Tx) error
		takeBack := func(who, reason string) end {
			return func(id string) func(tx *db.Tx) error {
				return func(tx *db.Tx) error { return organization.TakeBack(tx, w.as(who), id, reason) }
			}
		}
		for _, how := range []end{
			takeBack("clara", "Die Geschäftsführung weiß nichts davon."),
			func(string) func(tx *db.Tx) error {
				return func(tx *db.Tx) error { return organization.Abandon(tx, w.as("nora"), w.ids["nora"]) }
			},
		} {
			id, code := squat()
			if key := w.try(takeBack("xenia", "x")(id)); key != "web.forbidden" {
				t.Error("a clerk of elsewhere:", key)
			}
			if key := w.try(takeBack("clara", " ")(id)); key != "organization.take_back_reason_missing" {
				t.Error("without a reason:", key)
			}
			w.Write(how(id))
			if n := w.Count(`SELECT count(*) FROM letter WHERE organization = $1 AND state <> 'void'`, id); n != 0 {
				t.Error(n, "letters are left")
			}
			p := w.browsers["nora"].Post("/organizations/activate", "ident_number", "815", "chamber_number", "999", "code", code)
			p.Want(t, http.StatusUnprocessableEntity, "passen nicht zusammen")
			if key := w.try(how(id)); key != "" && key != "organization.changed_meanwhile" {
				t.Error(key)
			}
		}
		if m := w.Inbox("nora@example.org"); len(m) != 1 || !strings.Contains(m[0].Body, "weiß nichts davon") {
			t.Errorf("%+v", m)
		}
		// At the desk, after a proof and with a reason.
		third, _ := squat()
		page := "/chamber/organizations/" + third
		w.browsers["clara"].Get(page).Want(t, http.StatusOK, "Freigabe zurücknehmen")
		w.browsers["xenia"].Post(page, "do", "take_back", "reason", "x").Want(t, http.StatusNotFound)
		w.browsers["clara"].Post(page, "do", "take_back", "reason", "").Want(t, http.StatusUnprocessableEntity, "Nennen Sie den Grund")
		w.Exec(`UPDATE session SET proved_at = NULL`)
		if p := w.browsers["clara"].Post(page, "do", "take_back", "reason", "Klärung"); !strings.HasPrefix(p.To, "/account/confirm") {
			t.Error("taken back without a proof", p.Status, p.To)
		}
		w.signIn()
		w.browsers["clara"].Post(page, "do", "take_back", "reason", "Klärung").Goes(t, page)
		w.browsers["clara"].Get(page).Want(t, http.StatusOK, "Die Freigabe ist zurückgenommen", "Freigabe eines Unternehmens zurückgenommen")

		id, code := squat()
		// Answered and taken back at once: one of them.
		activate := func(tx *db.Tx) error {
			_, _, err := succession.Activate(tx, w.as("nora"), "815", "999", code)
			return err
		}
		if won := w.race(activate, takeBack("clara", "Klärung")(id), activate, takeBack("clara", "Klärung")(id)); won != 1 {
			t.Error(won, "of activation and taking back")
		}
		if key := w.try(takeBack("clara", "Klärung")(w.bakery)); key != "organization.changed_meanwhile" {
			t.Error("an active one is taken back:", key)
		}
	})
}
