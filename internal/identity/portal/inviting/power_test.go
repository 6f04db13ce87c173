package inviting_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/roster"
)

// Whoever holds an admin's slip becomes one, so its code takes the proof that
// the invitation took: a browser left open makes nobody an admin. Slips of a
// whole list make none.
func TestAdminSlipNeedsProof(t *testing.T) {
	each(t, policy.Standard, func(w *world) {
		i, _ := w.invite(invitation.Wish{Email: "chefin@example.org", Admin: true})
		plain, _ := w.invite(invitation.Wish{Email: "nina@example.org"})
		w.Pass(11 * time.Minute)
		to := w.people["bert"].Post(invitations+"/"+i.ID, "do", "slip")
		if to.Status != http.StatusSeeOther || !strings.HasPrefix(to.To, "/account/confirm") {
			w.Errorf("%d to %q", to.Status, to.To)
		}
		if n := w.Count(`SELECT count(*) FROM invitation WHERE code_mac <> ''`); n != 0 {
			w.Error(n, "codes without a proof")
		}
		w.people["bert"].Post(invitations+"/"+plain.ID, "do", "slip").Want(w, http.StatusOK, "Der Code wird nur jetzt angezeigt")
		w.people["lena"].Post(invitations+"/"+i.ID, "do", "slip").Want(w, http.StatusForbidden)
		w.proves("bert").Post(invitations+"/"+i.ID, "do", "slip").Want(w, http.StatusOK, "Der Code wird nur jetzt angezeigt")

		// What waits for the proof of somebody who adds the address of their mail keeps no link in clear.
		_, path := w.invite(invitation.Wish{Email: "anna.privat@example.net"})
		w.people["anna"].Post(path, "do", "add").Want(w, http.StatusSeeOther)
		if w.Count(`SELECT count(*) FROM parked_form`) == 0 || w.Count(`SELECT count(*) FROM parked_form WHERE path LIKE '%invitations%' OR body LIKE '%invitations%'`) != 0 {
			w.Error("nothing waits, or the link is kept in clear")
		}
		w.Exec(`UPDATE invitation SET roster = 'list', state = 'undeliverable'`)
		w.Write(func(tx *db.Tx) error {
			ids, err := roster.SlipsOf(tx, roster.Roster{ID: "list"})
			if slices.Contains(ids, i.ID) || !slices.Contains(ids, plain.ID) {
				w.Error("a list makes a slip for an admin", ids)
			}
			return err
		})
	})
}
