package acting_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/mandate"
	"zunft/internal/identity/membership"
)

// Decision 18: what admins call their company is for its members. To strangers
// it goes by the directory, in mails, on pages and in the line that says for
// whom one acts; else an admin could write to people in the name of a bank.
func TestStrangersReadTheDirectorysName(t *testing.T) {
	each(t, func(w *world) {
		w.Exec(`UPDATE organization SET own_name = 'Sparkasse Musterland' WHERE id IN ('bakery', 'office')`)
		w.settings(func(s *chamber.Settings) { s.MandateApproval = true })
		m := w.propose("bert", "anna@example.org")
		mail := w.One("anna@example.org", "Vertretung für Bäckerei Brotmann GmbH")
		if strings.Contains(mail.Body+mail.Subject, "Sparkasse") {
			w.Error(mail.Subject, mail.Body)
		}
		says := func(who, path string, status int) {
			w.Helper()
			if p := w.people[who].Get(path); p.Status != status || strings.Contains(p.Text, "Sparkasse") {
				w.Errorf("%s reads at %s: %d %s", who, path, p.Status, p.Text)
			}
		}
		says("anna", links.FindString(mail.Body), http.StatusSeeOther)
		says("lena", links.FindString(mail.Body), http.StatusOK)
		says("anna", "/mandates/"+m.ID, http.StatusOK)
		says("anna", "/account/mandates", http.StatusOK)
		w.Write(func(tx *db.Tx) error { _, err := mandate.Accept(tx, w.as("anna"), m.ID); return err })
		says("clara", "/chamber/mandates/"+m.ID, http.StatusOK)
		w.Write(func(tx *db.Tx) error { return mandate.Approve(tx, w.as("clara"), m.ID) })
		says("anna", "/acting", http.StatusOK)
		w.people["anna"].Post("/acting", "context", "bakery."+m.ID).Goes(w, "/")
		says("anna", "/acting", http.StatusOK)
		for _, got := range w.Inbox() {
			if strings.Contains(got.Body+got.Subject, "Sparkasse") {
				w.Error(got.To, got.Subject, got.Body)
			}
		}
		if n := w.Count(`SELECT count(*) FROM notice WHERE args LIKE '%Sparkasse%'`); n != 0 {
			w.Error(n, "notices")
		}
	})
}

// ofOffice is a mandate of the bakery that the tax office has, by which Max acts.
func (w *world) ofOffice() (m mandate.Mandate) {
	w.Helper()
	w.Write(func(tx *db.Tx) (err error) {
		wish := w.wish()
		wish.Company, wish.IdentNumber, wish.ChamberNumber = true, "200001", "999"
		if m, err = mandate.Propose(tx, w.as("bert"), mandate.ForPrincipal, "bakery", wish); err != nil {
			return err
		}
		if m, err = mandate.Accept(tx, w.as("zoe"), m.ID); err != nil {
			return err
		}
		return mandate.SetPerson(tx, w.as("zoe"), m.ID, w.ids["max"], true)
	})
	return m
}

// R297: who leaves the representing company acts no more, reads no more of the
// mandate, and does not act again by merely coming back.
func TestNamedNoMoreAfterComingBack(t *testing.T) {
	each(t, func(w *world) {
		m := w.ofOffice()
		w.Write(func(tx *db.Tx) error { return membership.Leave(tx, w.as("max"), "office") })
		w.people["max"].Get("/mandates/"+m.ID).Want(w, http.StatusNotFound)
		w.people["max"].Get("/mandates/"+m.ID+"/form.pdf").Want(w, http.StatusNotFound)
		w.Write(func(tx *db.Tx) error { return membership.Grant(tx, audit.Console, "office", w.ids["max"], false) })
		if got := w.rolesBy("max", m.ID); got != "" {
			w.Errorf("acts again as %q, and nobody named him", got)
		}
		if got := w.people["zoe"].Get("/mandates/"+m.ID+"/people").Want(w, http.StatusOK); !strings.Contains(got.Body, `name="add" value="`+w.ids["max"]) {
			w.Error("cannot be named again")
		}
	})
}

// R298: a clerk who belongs to the representing company, or administers the
// other, has a part in the mandate.
func TestNoClerkApprovesForTheirCompany(t *testing.T) {
	each(t, func(w *world) {
		w.settings(func(s *chamber.Settings) { s.MandateApproval = true })
		m := w.ofOffice()
		approve := func(tx *db.Tx) error { return mandate.Approve(tx, w.as("clara"), m.ID) }
		for _, c := range []struct {
			organization string
			admin        bool
		}{{"office", false}, {"bakery", true}} {
			w.Write(func(tx *db.Tx) error {
				return membership.Grant(tx, audit.Console, c.organization, w.ids["clara"], c.admin)
			})
			if err := w.D.Write(t.Context(), approve); !fault.Is(err, fault.KindForbidden) {
				w.Error(c, err)
			}
			w.Write(func(tx *db.Tx) error { return membership.Leave(tx, w.as("clara"), c.organization) })
		}
		w.Write(approve)
	})
}

// Many admins together do not fill a stranger's mailbox.
func TestProposalsToOneAddressAreLimited(t *testing.T) {
	each(t, func(w *world) {
		limited := 0
		for i := range 24 {
			who, at := "bert", "bakery"
			if i%2 == 1 {
				who, at = "zoe", "office"
			}
			if w.people[who].Post("/organizations/"+at+"/mandates/new", w.form("to", "person", "email", "Opfer@example.org")...).Status == http.StatusTooManyRequests {
				limited++
			}
		}
		if got := len(w.Inbox("Opfer@example.org")); got != 10 || limited != 14 {
			w.Error(got, "mails,", limited, "refused")
		}
	})
}

// Whoever has given an address up does not accept what is proposed to it, also
// while the change could still be taken back: the mailbox may be another's.
func TestGivenUpAddressAcceptsNothing(t *testing.T) {
	each(t, func(w *world) {
		m := w.propose("bert", "anna@example.org")
		w.Exec(`UPDATE account SET email = 'neu@example.org', email_key = 'neu@example.org' WHERE id = $1`, w.ids["anna"])
		w.Exec(`INSERT INTO address_change (id, account, old_email, old_key, new_email, new_key, state, asked_at, done_at, undo_until)
			VALUES ('c', $1, 'anna@example.org', 'anna@example.org', 'neu@example.org', 'neu@example.org', 'done', $2, $2, $3)`, w.ids["anna"], db.At(w.D.Now()), db.At(w.D.Now().Add(time.Hour)))
		w.people["anna"].Get("/mandates/"+m.ID).Want(w, http.StatusNotFound)
		w.people["anna"].Post("/mandates/"+m.ID, "do", "accept").Want(w, http.StatusNotFound)
		if w.state(m.ID) != mandate.Proposed {
			w.Error(w.state(m.ID))
		}
	})
}
