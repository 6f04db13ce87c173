package inviting_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/policy"
)

// R020, R106, R108, R109, R111, R112, R213: the page offers the roles in the
// application's own words, ticks what the catalogue says, keeps what was typed,
// and sends.
func TestAsk(t *testing.T) {
	each(t, policy.Standard, func(w *world) {
		bert := w.people["bert"]
		page := bert.Get(invitations+"/new").Want(w, http.StatusOK, "Person einladen", "Auszubildende:r", "Zeichnet Nachweise ab.")
		if !regexp.MustCompile(`value="`+w.app+` apprentice" checked`).MatchString(page.Body) || strings.Contains(page.Body, `value="`+w.app+` trainer" checked`) {
			w.Error("not the roles that the catalogue ticks")
		}
		failed := bert.Post(invitations+"/new", "do", "invite", "email", "kein@", "message", "Willkommen bei uns", "days", "7x").
			Want(w, http.StatusUnprocessableEntity, "Geben Sie eine E-Mail-Adresse mit @", "Geben Sie eine Zahl von 1 bis 90 Tagen an", "Willkommen bei uns")
		if !strings.Contains(failed.Body, `value="kein@"`) || strings.Contains(failed.Body, "apprentice\" checked") {
			w.Error("what was typed is lost")
		}
		bert.Post(invitations+"/new", "do", "invite", "email", "nina@example.org", "given_name", "Nina", "language", "de", "days", "10",
			"roles", w.app+" apprentice", "roles", w.app+" trainer").Goes(w, invitations)
		bert.Get(invitations).Want(w, http.StatusOK, "Nina", "nina@example.org", "Auszubildende:r", "Ausbilder:in", "Offen", "12.11.2026", "Die Einladung an nina@example.org ist unterwegs.")
		if m := w.One("nina@example.org", "Bäckerei Morgenrot GmbH lädt Sie ein"); !strings.Contains(m.Body, "- Ausbilder:in") {
			w.Error(m.Body)
		}
		// A member gets what is missing.
		bert.Post(invitations+"/new", "do", "invite", "email", "lena@example.org", "roles", w.app+" apprentice").Goes(w, "/organizations/bakery/members")
		// Without an address: a slip of paper.
		to := bert.Post(invitations+"/new", "do", "invite", "family_name", "Ohnemail")
		if to.Status != http.StatusSeeOther || !strings.HasPrefix(to.To, invitations+"/") {
			w.Fatal(to.Status, to.To)
		}
		slip := bert.Post(to.To, "do", "slip").Want(w, http.StatusOK, "Der Code wird nur jetzt angezeigt", "/invitations/code")
		if !regexp.MustCompile(`\b[A-Z0-9]{4} [A-Z0-9]{4} [A-Z0-9]{4}\b`).MatchString(slip.Text) || !strings.Contains(slip.Body, "<svg") {
			w.Error("no code on the slip", slip.Text)
		}
		if again := bert.Get(to.To); strings.Contains(again.Body, `class="code"`) {
			w.Error("the code is shown again")
		}
		w.people["lena"].Get(invitations).Want(w, http.StatusForbidden)
		w.people["lena"].Get(invitations+"/new").Want(w, http.StatusForbidden)
		w.people["anna"].Get(invitations+"/new").Want(w, http.StatusNotFound)
		w.people["anna"].Post(invitations+"/new", "email", "x@example.org", "admin", "1").Want(w, http.StatusNotFound)
		if got := w.Person("192.0.2.9").Get(invitations + "/new"); got.Status != http.StatusSeeOther || !strings.HasPrefix(got.To, "/login") {
			w.Error("a stranger", got.Status, got.To)
		}
	})
}

// R106, R107, R110, R112: in the words of a chamber that has its own; "Suchen"
// tells what the company knows, the same for an address with an account and one without.
func TestWordsOfAChamber(t *testing.T) {
	each(t, "meine-ihk", func(w *world) {
		bert := w.people["bert"]
		page := bert.Get(invitations+"/new").Want(w, http.StatusOK, "Benutzer hinzufügen", "Rolle auswählen", "Welchen Nutzer möchten Sie hinzufügen?", "Suchen", "Weiter", "Abbrechen")
		if !strings.Contains(page.Body, `type="radio"`) {
			w.Error("R108: exactly one role")
		}
		answers := map[string]string{}
		for _, email := range []string{"anna@example.org", "nobody@example.org"} {
			got := bert.Post(invitations+"/new", "do", "find", "email", email).Want(w, http.StatusOK, "gehört noch niemandem")
			answers[email] = strings.ReplaceAll(formKey.ReplaceAllString(got.Body, ""), email, "")
		}
		if answers["anna@example.org"] != answers["nobody@example.org"] {
			w.Error("Suchen tells who has an account")
		}
		bert.Post(invitations+"/new", "do", "find", "email", "lena@example.org").Want(w, http.StatusOK, "gehört schon zum Unternehmen")
		w.invite(invitation.Wish{Email: "open@example.org"})
		bert.Post(invitations+"/new", "do", "find", "email", "open@example.org").Want(w, http.StatusOK, "schon eine Einladung offen")
		bert.Post(invitations+"/new", "do", "find", "email", "").Want(w, http.StatusUnprocessableEntity, "Geben Sie Ihre E-Mail-Adresse ein")
	})
}

var formKey = regexp.MustCompile(`name="form_key" value="[^"]*"`)

// Who makes admins proves who they are; what was typed waits meanwhile.
func TestAdminNeedsProof(t *testing.T) {
	each(t, policy.Standard, func(w *world) {
		w.Pass(11 * time.Minute)
		to := w.people["bert"].Post(invitations+"/new", "do", "invite", "email", "chefin@example.org", "admin", "1")
		if to.Status != http.StatusSeeOther || !strings.HasPrefix(to.To, "/account/confirm") {
			w.Fatal(to.Status, to.To)
		}
		if w.Count(`SELECT count(*) FROM invitation`) != 0 {
			w.Fatal("invited without a proof")
		}
		w.proves("bert").Post(invitations+"/new", "do", "invite", "email", "chefin@example.org", "admin", "1").Goes(w, invitations)
		if m := w.One("chefin@example.org", "Bäckerei Morgenrot GmbH lädt Sie ein"); !strings.Contains(m.Body, "- Administration des Unternehmens") {
			w.Error(m.Body)
		}
	})
}

// An admin's pages are the same whether an address has an account or not.
func TestNobodyLearnsOfAccounts(t *testing.T) {
	each(t, policy.Standard, func(w *world) {
		bert, pages := w.people["bert"], map[string]string{}
		for _, email := range []string{"anna@example.org", "otto@example.org"} {
			done := bert.Post(invitations+"/new", "do", "invite", "email", email).Goes(w, invitations)
			list := bert.Get(done.To)
			id := regexp.MustCompile(invitations + `/([\w-]{36})"`).FindStringSubmatch(list.Body)[1]
			one := bert.Get(invitations+"/"+id).Want(w, http.StatusOK, email)
			found := bert.Post(invitations+"/"+id, "do", "remind").Want(w, http.StatusConflict, "Erinnern Sie morgen")
			again := bert.Post(invitations+"/new", "do", "invite", "email", email).Goes(w, invitations)
			notice := bert.Get(again.To)
			w.Inbox()
			all := list.Body + one.Body + found.Body + notice.Body
			pages[email] = strings.NewReplacer(id, "", email, "").Replace(formKey.ReplaceAllString(all, ""))
			w.Exec(`DELETE FROM invitation`)
		}
		if pages["anna@example.org"] != pages["otto@example.org"] {
			w.Error("the pages differ")
		}
	})
}

// Remind, revoke and remind all, from the pages; another company's is none of hers.
func TestManage(t *testing.T) {
	each(t, policy.Standard, func(w *world) {
		bert := w.people["bert"]
		i, _ := w.invite(invitation.Wish{Email: "nina@example.org"})
		other, _ := w.invite(invitation.Wish{Email: "ole@example.org"})
		bert.Post(invitations+"/remind").Goes(w, invitations)
		bert.Get(invitations).Want(w, http.StatusOK, "Niemand zu erinnern")
		w.Pass(25 * time.Hour)
		w.Write(func(tx *db.Tx) error { return w.signIn(tx, "bert", "pwd") })
		bert = w.people["bert"]
		bert.Post(invitations+"/"+i.ID, "do", "remind").Goes(w, invitations)
		w.One("nina@example.org", "Erinnerung: Bäckerei Morgenrot GmbH hat Sie eingeladen")
		bert.Post(invitations+"/remind").Goes(w, invitations)
		bert.Get(invitations).Want(w, http.StatusOK, "Wir erinnern jetzt. Einladungen: 1.")
		w.One("ole@example.org", "Erinnerung")
		bert.Post(invitations+"/"+i.ID, "do", "revoke").Goes(w, invitations)
		bert.Get(invitations+"?state=revoked").Want(w, http.StatusOK, "nina@example.org", "Zurückgezogen")
		if page := bert.Get(invitations + "?state=revoked"); strings.Contains(page.Text, "ole@example.org") {
			w.Error("the filter filters nothing")
		}
		bert.Get(invitations+"?state=declined").Want(w, http.StatusOK, "Keine Einladungen in dieser Auswahl")
		bert.Get(invitations+"/"+i.ID).Want(w, http.StatusOK, "Zurückgezogen", "Neu einladen")
		bert.Post(invitations+"/"+i.ID, "do", "revoke").Want(w, http.StatusConflict, "zurückgezogen")
		bert.Post(invitations+"/"+other.ID, "do", "dance").Want(w, http.StatusUnprocessableEntity)
		bert.Get("/organizations/other/invitations/"+other.ID).Want(w, http.StatusNotFound)
		w.people["lena"] = w.proves("lena")
		w.people["lena"].Post(invitations+"/"+other.ID, "do", "revoke").Want(w, http.StatusForbidden)
		w.proves("anna").Post(invitations+"/"+other.ID, "do", "revoke").Want(w, http.StatusNotFound)
	})
}
