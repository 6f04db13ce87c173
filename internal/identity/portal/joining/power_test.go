package joining_test

import (
	"net/url"
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/membership"
)

func (w *world) as(name string) audit.Actor {
	return audit.Actor{Kind: audit.Person, Account: w.ids[name], IP: "192.0.2.9"}
}

// unproved takes from everybody that they showed a moment ago who they are.
func (w *world) unproved() {
	w.Helper()
	w.write(func(tx *db.Tx) error { _, err := tx.Exec(`UPDATE session SET proved_at = NULL`); return err })
}

func (w *world) admin(name string) bool {
	w.Helper()
	return w.count(`SELECT count(*) FROM membership WHERE account = $1 AND organization = 'bakery' AND admin AND ended_at IS NULL`, w.ids[name]) == 1
}

// confirmed is the request of somebody who accepted an invitation to administer,
// where the chamber lets an admin approve again (R105).
func (w *world) confirmed() string {
	w.Helper()
	var id string
	w.write(func(tx *db.Tx) error {
		s := chamber.DefaultSettings()
		s.Invitation = chamber.Confirm
		if err := chamber.SaveSettings(tx, audit.Console, "c", s); err != nil {
			return err
		}
		i, err := invitation.Invite(tx, w.as("bert"), "bakery", invitation.Wish{Email: "anna@example.org", Admin: true})
		if err != nil {
			return err
		}
		if _, err := invitation.Accept(tx, w.as("anna"), i.ID); err != nil {
			return err
		}
		id, err = db.Value[string](tx, `SELECT id FROM request WHERE invitation = $1`, i.ID)
		return err
	})
	return "/requests/" + id
}

// R105: approving somebody who was invited as an admin makes one, so the page
// says so and asks for a proof, like every other way to give that power.
func TestApprovingAnAdminTakesAProof(t *testing.T) {
	each(t, func(w *world) {
		path := w.confirmed()
		w.unproved()
		w.get("berta", path).shows("in die Administration von Bäckerei Brotmann GmbH eingeladen")
		if to := w.post("berta", path+"/approve", nil).to; !strings.HasPrefix(to, "/account/confirm") {
			t.Errorf("approved without a proof, to %q", to)
		}
		w.do("carl", "POST", path+"/approve", nil, 404)
		if w.count(`SELECT count(*) FROM membership WHERE account = $1`, w.ids["anna"]) != 0 {
			t.Error("a member without a proof")
		}
		w.write(func(tx *db.Tx) error { _, err := tx.Exec(`UPDATE session SET proved_at = $1`, tx.Now()); return err })
		w.post("berta", path+"/approve", nil)
		if !w.admin("anna") {
			t.Error("approved and no admin")
		}
	})
}

// Decision 16: power does not outlive its giver, also where an admin approves
// again: whom a removed admin invited comes in as a member.
func TestPowerDoesNotOutliveItsGiver(t *testing.T) {
	each(t, func(w *world) {
		path := w.confirmed()
		w.write(func(tx *db.Tx) error {
			m, err := membership.In(tx, "bakery", w.ids["bert"])
			if err != nil {
				return err
			}
			return membership.SetAdmin(tx, w.as("berta"), m.ID, false)
		})
		w.get("berta", path).hides("in die Administration von")
		w.post("berta", path+"/approve", nil)
		if w.admin("anna") || w.count(`SELECT count(*) FROM membership WHERE account = $1 AND ended_at IS NULL`, w.ids["anna"]) != 1 {
			t.Error("an admin by the word of somebody who is none")
		}
	})
}

// Taking the administration from somebody else takes a proof as giving it does;
// stepping down does not.
func TestTakingTheAdministrationTakesAProof(t *testing.T) {
	each(t, func(w *world) {
		w.unproved()
		berta := "/organizations/bakery/members/" + w.member("berta", "bakery")
		for path, form := range map[string]url.Values{berta + "/admin": v("yes", "0"), berta + "/remove": nil} {
			if to := w.post("bert", path, form).to; !strings.HasPrefix(to, "/account/confirm") {
				t.Errorf("%s without a proof, to %q", path, to)
			}
			w.do("anna", "POST", path, form, 404)
		}
		if !w.admin("berta") {
			t.Fatal("done without a proof")
		}
		w.post("berta", berta+"/admin", v("yes", "0"))
		if w.admin("berta") {
			t.Error("cannot step down")
		}
		w.post("bert", berta+"/remove", nil) // a member is no matter of power
	})
}

// What a stranger writes stands in mails to admins, which carry our links only.
func TestStrangersSendNoLinks(t *testing.T) {
	each(t, func(w *world) {
		step2 := w.post("anna", "/organizations/join", bakeryData).to
		for _, text := range []string{"Bitte hier anmelden: https://kammer.evil.example", "Siehe WWW.evil.example"} {
			w.do("anna", "POST", step2, v("reason", text), 422).shows("ohne Internetadressen", text)
			w.do("anna", "POST", step2+"/message", v("message", text), 422).shows("ohne Internetadressen", text)
		}
		w.post("anna", step2+"/message", v("message", "Wer ist zuständig?"))
		w.post("anna", step2, v("reason", "Ich bin Azubi."))
	})
}

// A search of very many words is cut, not a defect.
func TestSearchOfManyWords(t *testing.T) {
	each(t, func(w *world) {
		w.get("bert", "/organizations/bakery/members?q="+strings.Repeat("bert+", 3000)).shows("Bert Beispiel")
	})
}

// A membership that is over by its date and not yet ended in the record does not
// come back with its roles: who is let in again begins anew.
func TestBackAfterTheEnd(t *testing.T) {
	each(t, func(w *world) {
		role := membership.Role{Application: w.app.ID, Key: "trainer"}
		w.write(func(tx *db.Tx) error {
			return membership.Grant(tx, audit.Console, "bakery", w.ids["anna"], false, role)
		})
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE membership SET until = $1 WHERE account = $2`, tx.Now(), w.ids["anna"])
			return err
		})
		w.do("anna", "GET", "/organizations/bakery", nil, 404)
		path := w.asks("anna", "Ich bin wieder da.")
		w.post("bert", path+"/approve", nil)
		w.get("anna", "/organizations/bakery")
		if w.count(`SELECT count(*) FROM role_grant`) != 0 || w.count(`SELECT count(*) FROM audit WHERE event = 'membership.expired'`) != 1 {
			t.Error("with the roles of then, or the end is not in the record")
		}
	})
}
