package inviting_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/policy"
)

const newPassword = "Drei Enten im Regenbogen"

// R015, R021, R051, R215: somebody without an account makes one behind the link
// and belongs to the company: the name is known, the mailbox proved, so a
// password and the terms are all there is to fill in; two screens. The link
// stays valid until then.
func TestSignUpByInvitation(t *testing.T) {
	each(t, policy.Standard, func(w *world) {
		i, path := w.invite(invitation.Wish{Email: "nina@example.org", GivenName: "Nina", FamilyName: "Neu", ApprenticeNumber: "4711", Roles: []membership.Role{w.role("apprentice")}, Message: "Willkommen!"})
		p := w.Person("192.0.2.9")
		w.Pass(6 * 24 * time.Hour)
		for range 3 { // a mail scanner may look as often as it likes
			p.Get(path).Want(w, http.StatusOK, "Einladung von Bäckerei Morgenrot GmbH", "Bert Beispiel lädt Sie ein", "Willkommen!", "Nina Neu", "Auszubildende:r", "Passwort wählen", "nina@example.org")
		}
		if w.state(i.ID) != invitation.Sent {
			w.Fatal("looking changed it")
		}
		page := p.Get(path)
		form := append([]string{"do", "signup", "given_name", "Nina", "family_name", "Neu"}, termsOf(page.Body)...)
		p.Post(path, append(form, "password", "kurz")...).Want(w, http.StatusUnprocessableEntity, "mindestens 12 Zeichen", "Bestätigen Sie:")
		if w.Count(`SELECT count(*) FROM account WHERE email = 'nina@example.org'`) != 0 {
			w.Fatal("an account without a password")
		}
		form = append(form, "password", newPassword, "accept_1", "1", "accept_2", "1")
		p.Post(path, form...).Goes(w, "/login/next") // the dispatcher of sign-ins settles the rest
		if w.Count(`SELECT count(*) FROM account WHERE email = 'nina@example.org' AND state = 'active' AND given_name = 'Nina' AND confirmed_at IS NOT NULL`) != 1 {
			w.Fatal("no account")
		}
		var id string
		w.Write(func(tx *db.Tx) (err error) {
			id, err = db.Value[string](tx, `SELECT id FROM account WHERE email = 'nina@example.org'`)
			return err
		})
		if !w.member(id) || w.state(i.ID) != invitation.Accepted || w.Count(`SELECT count(*) FROM consent WHERE account = $1`, id) == 0 ||
			w.Count(`SELECT count(*) FROM membership WHERE apprentice_number = '4711'`) != 1 ||
			w.Count(`SELECT count(*) FROM session WHERE account = $1 AND next = '/organizations/bakery'`, id) != 1 {
			w.Error("not all that the link does is done")
		}
		w.Person("192.0.2.10").Get(path).Want(w, http.StatusGone, "angenommen")
		w.Person("192.0.2.10").Post(path, form...).Want(w, http.StatusGone, "angenommen")
	})
}

// A chamber's profile rules the sign-up by invitation, too: a user name where
// nothing else opens the account, its password rule, its terms.
func TestSignUpByProfile(t *testing.T) {
	each(t, "nordwestfalen", func(w *world) {
		rules, err := policy.Preset("nordwestfalen")
		if err != nil {
			w.Fatal(err)
		}
		rules.SignIn.By, rules.Default = []string{"username"}, true
		w.Write(func(tx *db.Tx) error { return policy.Save(tx, audit.Console, rules) })
		_, path := w.invite(invitation.Wish{Email: "nina@example.org"})
		p := w.Person("192.0.2.9")
		page := p.Get(path).Want(w, http.StatusOK, "Vorname", "Nachname", "Benutzername")
		form := append([]string{"do", "signup", "given_name", "Nina", "family_name", "Neu", "password", "Drei-Enten-im-Regen-7", "accept_1", "1", "accept_2", "1", "accept_3", "1"}, termsOf(page.Body)...)
		p.Post(path, form...).Want(w, http.StatusUnprocessableEntity, "Benutzername")
		p.Post(path, append(form, "username", "nina.neu")...).Goes(w, "/login/next")
		if w.Count(`SELECT count(*) FROM account WHERE username = 'nina.neu' AND policy = 'nordwestfalen'`) != 1 {
			w.Error("not under the chamber's policy")
		}
	})
}

// The same link sent twice at once makes one account and one membership.
func TestSignUpOnce(t *testing.T) {
	each(t, policy.Standard, func(w *world) {
		_, path := w.invite(invitation.Wish{Email: "nina@example.org", GivenName: "Nina", FamilyName: "Neu"})
		page := w.Person("192.0.2.9").Get(path)
		form := append([]string{"do", "signup", "given_name", "Nina", "family_name", "Neu", "password", newPassword, "accept_1", "1", "accept_2", "1"}, termsOf(page.Body)...)
		var group sync.WaitGroup
		won := make([]int, 4)
		for n := range won {
			p := w.Person("192.0.2.9")
			group.Go(func() { won[n] = p.Post(path, form...).Status })
		}
		group.Wait()
		in := 0
		for _, status := range won {
			if status == http.StatusSeeOther {
				in++
			} else if status != http.StatusConflict && status != http.StatusUnprocessableEntity && status != http.StatusGone {
				w.Error("status", status)
			}
		}
		if in != 1 || w.Count(`SELECT count(*) FROM account WHERE email = 'nina@example.org'`) != 1 || w.Count(`SELECT count(*) FROM membership WHERE organization = 'bakery'`) != 3 {
			w.Error(won)
		}
	})
}

// Who is signed in accepts with one click; who has an account and is not, signs
// in first and comes back.
func TestAcceptSignedIn(t *testing.T) {
	each(t, policy.Standard, func(w *world) {
		i, path := w.invite(invitation.Wish{Email: "anna@example.org", Roles: []membership.Role{w.role("apprentice")}})
		stranger := w.Person("192.0.2.9")
		stranger.Get(path).Want(w, http.StatusOK, "gibt es schon ein Konto", "Anmelden und annehmen")
		stranger.Post(path, "do", "accept").Goes(w, "/login?next="+url.QueryEscape(path))
		stranger.Post(path, "do", "signup", "given_name", "Eva", "family_name", "Fremd", "password", newPassword, "accept_1", "1", "accept_2", "1").Want(w, http.StatusUnprocessableEntity)
		anna := w.people["anna"]
		anna.Get("/account/invitations").Want(w, http.StatusOK, "Bäckerei Morgenrot GmbH", "Auszubildende:r")
		anna.Get(path).Want(w, http.StatusOK, "Einladung annehmen")
		anna.Post(path, "do", "accept").Goes(w, "/organizations/bakery")
		if !w.member(w.ids["anna"]) || w.state(i.ID) != invitation.Accepted {
			w.Error("no member")
		}
		anna.Post(path, "do", "accept").Want(w, http.StatusConflict, "schon angenommen")
		anna.Get("/account/invitations").Want(w, http.StatusOK, "Keine offenen Einladungen")

		w.Write(func(tx *db.Tx) error { return membership.Leave(tx, audit.Actor{Account: w.ids["anna"]}, "bakery") })
		i, path = w.invite(invitation.Wish{Email: "anna@example.org"})
		w.people["lena"].Post("/account/invitations/"+i.ID, "do", "accept").Want(w, http.StatusNotFound)
		anna.Post("/account/invitations/"+i.ID, "do", "decline").Goes(w, "/account/invitations")
		anna.Get(path).Want(w, http.StatusGone, "abgelehnt")
		anna.Post("/account/invitations/"+i.ID, "do", "accept").Want(w, http.StatusConflict, "abgelehnt")
	})
}

// ux.md 2.9 no. 9: an invitation to another address than that of the account:
// switch, or add the address, which the link has proved; that is a change of the
// account and needs a proof.
func TestOtherAddress(t *testing.T) {
	each(t, policy.Standard, func(w *world) {
		_, path := w.invite(invitation.Wish{Email: "anna.privat@example.net", Roles: []membership.Role{w.role("apprentice")}})
		anna := w.people["anna"]
		anna.Get(path).Want(w, http.StatusOK, "Diese Einladung gilt für a…@example.net. Sie sind als anna@example.org angemeldet.", "Konto wechseln", "Adresse zu meinem Konto hinzufügen")
		anna.Post(path, "do", "accept").Want(w, http.StatusNotFound)
		w.Pass(11 * time.Minute)
		if to := anna.Post(path, "do", "add"); !strings.HasPrefix(to.To, "/account/confirm") {
			w.Fatal("an address without a proof", to.Status, to.To)
		}
		anna = w.proves("anna")
		anna.Post(path, "do", "add").Goes(w, "/organizations/bakery")
		if w.Count(`SELECT count(*) FROM account_email WHERE account = $1 AND email_key = 'anna.privat@example.net' AND confirmed_at IS NOT NULL`, w.ids["anna"]) != 1 || !w.member(w.ids["anna"]) {
			w.Error("not added, or no member")
		}
		w.One("anna@example.org", "") // that an address was added

		// An address of somebody else's account cannot become hers, and what is over proves nothing.
		_, lenas := w.invite(invitation.Wish{Email: "carla@example.org"})
		_, over := w.invite(invitation.Wish{Email: "weg@example.org", Days: 1})
		w.Exec(`UPDATE account SET email = 'carla@example.org', email_key = 'carla@example.org' WHERE id = $1`, w.ids["lena"])
		page := anna.Get(lenas).Want(w, http.StatusOK, "Konto wechseln")
		if strings.Contains(page.Text, "hinzufügen") {
			w.Error("somebody else's address is offered")
		}
		anna.Post(lenas, "do", "add").Want(w, http.StatusConflict)
		w.Pass(25 * time.Hour)
		anna = w.proves("anna")
		if got := anna.Post(over, "do", "add"); got.Status == http.StatusSeeOther {
			w.Error("an expired link added an address")
		}
		if w.Count(`SELECT count(*) FROM account_email WHERE account = $1`, w.ids["anna"]) != 1 {
			w.Error("an address that nobody proved")
		}
		anna.Post(lenas, "do", "switch").Goes(w, "/login?next="+url.QueryEscape(lenas))
		if anna.Cookies["t_session"] != "" || w.Count(`SELECT count(*) FROM session WHERE account = $1 AND ended_at IS NULL AND auth_time > $2`, w.ids["anna"], db.At(w.D.Now().Add(-time.Minute))) != 0 {
			w.Error("still signed in")
		}
	})
}

// What ended says so; what never was is not found; declining needs no account.
func TestEnds(t *testing.T) {
	each(t, policy.Standard, func(w *world) {
		p := w.Person("192.0.2.9")
		p.Get("/invitations/"+strings.Repeat("A", 43)).Want(w, http.StatusNotFound, "Einladung nicht gefunden")
		p.Post("/invitations/"+strings.Repeat("A", 43), "do", "signup").Want(w, http.StatusNotFound)
		_, path := w.invite(invitation.Wish{Email: "nina@example.org"})
		p.Post(path, "do", "decline").Goes(w, "/")
		p.Get(path).Want(w, http.StatusGone, "abgelehnt")
		i, path := w.invite(invitation.Wish{Email: "ole@example.org", Days: 1})
		w.Write(func(tx *db.Tx) error { return invitation.Revoke(tx, audit.Actor{Account: w.ids["bert"]}, i.ID) })
		p.Get(path).Want(w, http.StatusGone, "zurückgezogen")
		_, path = w.invite(invitation.Wish{Email: "ida@example.org", Days: 1})
		page := p.Get(path).Want(w, http.StatusOK)
		w.Pass(25 * time.Hour)
		p.Get(path).Want(w, http.StatusGone, "abgelaufen")
		p.Post(path, append([]string{"do", "signup", "given_name", "Ida", "family_name", "Igel", "password", newPassword, "accept_1", "1"}, termsOf(page.Body)...)...).Want(w, http.StatusGone, "abgelaufen")
		p.Post(path, "do", "decline").Want(w, http.StatusConflict, "abgelaufen")
	})
}

// The slip of paper: a code for whoever has an account; who has none makes one
// and comes back, and the code is valid until then (R215).
func TestSlipOfPaper(t *testing.T) {
	each(t, policy.Standard, func(w *world) {
		i, _ := w.invite(invitation.Wish{GivenName: "Anna", FamilyName: "Beispiel", Roles: []membership.Role{w.role("apprentice")}})
		slip := w.people["bert"].Post(invitations+"/"+i.ID, "do", "slip").Want(w, http.StatusOK)
		code := regexp.MustCompile(`\b[A-Z0-9]{4} [A-Z0-9]{4} [A-Z0-9]{4}\b`).FindString(slip.Text)
		plain := strings.ReplaceAll(code, " ", "")
		p := w.Person("192.0.2.9")
		p.Get("/invitations/code").Want(w, http.StatusOK, "Einladung mit Code annehmen")
		p.Post("/invitations/code", "do", "look", "code", "").Goes(w, "/invitations/code?code=")
		p.Get("/invitations/code?code=ABC").Want(w, http.StatusUnprocessableEntity, "Der Code hat 12 Zeichen, Sie haben 3 eingegeben")
		p.Get("/invitations/code?code=AAAAAAAAAAAA").Want(w, http.StatusUnprocessableEntity, "Dieser Code öffnet keine Einladung")
		to := p.Post("/invitations/code", "do", "look", "code", strings.ToLower(code))
		page := p.Get(to.To).Want(w, http.StatusOK, "Anna Beispiel", "Bäckerei Morgenrot GmbH", "Konto anlegen", "Anmelden")
		if !strings.Contains(page.Body, "/register?next=") {
			w.Error("no way to an account and back")
		}
		p.Post("/invitations/code", "do", "accept", "code", plain).Goes(w, "/login?next="+url.QueryEscape(invitation.SlipPath(plain)))
		anna := w.people["anna"]
		anna.Get(invitation.SlipPath(plain)).Want(w, http.StatusOK, "Einladung annehmen")
		anna.Post("/invitations/code", "do", "accept", "code", plain).Goes(w, "/organizations/bakery")
		if !w.member(w.ids["anna"]) {
			w.Error("no member")
		}
		anna.Post("/invitations/code", "do", "accept", "code", plain).Want(w, http.StatusUnprocessableEntity, "öffnet keine Einladung")
	})
}

// R103, R105: where the admin confirms again, the person reads so before and after.
func TestConfirmIsSaid(t *testing.T) {
	each(t, policy.Standard, func(w *world) {
		w.Write(func(tx *db.Tx) error {
			s := chamber.DefaultSettings()
			s.Invitation = chamber.Confirm
			return chamber.SaveSettings(tx, audit.Console, "c", s)
		})
		w.people["bert"].Get(invitations+"/new").Want(w, http.StatusOK, "bestätigen Sie den Beitritt noch einmal")
		_, path := w.invite(invitation.Wish{Email: "anna@example.org"})
		anna := w.people["anna"]
		anna.Get(path).Want(w, http.StatusOK, "bestätigt die Administration des Unternehmens Ihren Beitritt noch einmal")
		anna.Post(path, "do", "accept").Goes(w, "/")
		if w.member(w.ids["anna"]) || w.Count(`SELECT count(*) FROM request WHERE state = 'open'`) != 1 {
			w.Error("a member without the admin's second word")
		}
	})
}
