package story_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/chamber"
	"zunft/internal/story"
)

// clicks counts what a person presses and follows.
type clicks struct {
	*person
	n int
}

func (c *clicks) Press(text string)  { c.n++; c.person.Press(text) }
func (c *clicks) Follow(text string) { c.n++; c.person.Follow(text) }

func (w *invitations) id(query string, args ...any) (id string) {
	w.t.Helper()
	if err := w.IdentityDB.Read(w.t.Context(), func(tx *db.Tx) (err error) { id, err = db.Value[string](tx, query, args...); return err }); err != nil {
		w.t.Fatal(query, err)
	}
	return id
}

// invitations is a world with its bakery at hand.
type invitations struct {
	*story.World
	t      *testing.T
	bakery string
}

func inviting(t *testing.T, w *story.World) *invitations {
	i := &invitations{World: w, t: t}
	i.bakery = w.Identity + "/organizations/" + i.id(`SELECT id FROM organization WHERE ident_number = '100017'`)
	return i
}

// Task 3 and task 1 by invitation (ux.md 1.2), scripts off: Bert invites by one
// page; Nina, whom nobody knows, makes account, mailbox, membership and role on
// one screen and is in the report book; Nora, who has an account, needs one tap.
// The slip of paper does the same without mail.
//
// R020 R021 R104 R106 R107 R111 R112 R113 R117 R213 R215
func TestInvitations(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, world *story.World) {
		w := inviting(t, world)
		bert := &clicks{person: walks(t, world, "bert")}
		bert.signIn()
		bert.Open(w.bakery)
		bert.n = 0
		bert.Follow("Personen einladen")
		bert.Fill("E-Mail-Adresse der Person", "nina.neu@example.org")
		bert.Choose("Auszubildende:r")
		bert.Press("Weitere Angaben")
		bert.Fill("Vorname", "Nina")
		bert.Fill("Nachname", "Neu")
		bert.Fill("Azubi-Identnummer", "4711")
		bert.Press("Einladung senden")
		bert.HasText("Die Einladung an nina.neu@example.org ist unterwegs.")
		if bert.n > 3 {
			t.Errorf("inviting one person takes %d clicks from the company's page", bert.n)
		}

		// Somebody new: 2 screens, a password and the terms.
		m := mail(t, world, "nina.neu@example.org", "lädt Sie ein")
		nina := &clicks{person: walks(t, world, "nina")}
		nina.Open(link(t, m, "/invitations/"))
		nina.HasText("Bert Backmann lädt Sie ein")
		nina.Fill("Passwort wählen", story.Password)
		nina.Choose("Ich akzeptiere die Informationspflichten.")
		nina.Press("Konto anlegen und annehmen")
		nina.HasText("Sie gehören jetzt zu Bäckerei Morgenrot GmbH.")
		if !strings.HasPrefix(nina.URL(), w.bakery) || nina.n != 1 {
			t.Errorf("after %d clicks at %s, want 1 and the company", nina.n, nina.URL())
		}
		nina.HasText("Auszubildende:r")
		nina.Open(world.Training + "/reports") // no second sign-in, no second approval
		nina.HasText("Berichtsheft")
		bert.Open(world.Identity + "/notifications")
		bert.HasText("Nina Neu hat Ihre Einladung zu Bäckerei Morgenrot GmbH angenommen.")

		// Somebody known: signed in, one tap.
		bert.Open(w.bakery + "/invitations/new")
		bert.Fill("E-Mail-Adresse der Person", "nora@example.org")
		bert.Choose("Ausbilder:in")
		bert.Press("Einladung senden")
		nora := &clicks{person: walks(t, world, "nora")}
		nora.signIn()
		nora.Open(link(t, mail(t, world, "nora@example.org", "lädt Sie ein"), "/invitations/"))
		nora.Press("Einladung annehmen")
		nora.HasText("Sie gehören jetzt zu Bäckerei Morgenrot GmbH.")
		if nora.n != 1 {
			t.Errorf("accepting takes %d taps", nora.n)
		}
		// … and signed out: the sign-in leads back to the invitation.
		bert.Open(w.bakery + "/invitations/new")
		bert.Fill("E-Mail-Adresse der Person", "frida@example.org")
		bert.Press("Einladung senden")
		frida := walks(t, world, "frida")
		frida.Open(link(t, mail(t, world, "frida@example.org", "lädt Sie ein"), "/invitations/"))
		frida.Follow("Anmelden und annehmen")
		frida.Fill("Benutzername", "frida.fuchs")
		frida.Fill("Passwort", story.Password)
		frida.Press("Anmelden")
		frida.Press("Einladung annehmen")
		frida.HasText("Sie gehören jetzt zu Bäckerei Morgenrot GmbH.")

		// A slip of paper for who has no address yet: account first, then the code (R215).
		bert.Open(w.bakery + "/invitations/new")
		bert.Press("Weitere Angaben")
		bert.Fill("Vorname", "Ole")
		bert.Fill("Nachname", "Ohnemail")
		bert.Press("Einladung senden")
		bert.Press("Zettel mit Code")
		bert.HasText("Der Code wird nur jetzt angezeigt.")
		code := letterCode.FindString(bert.Text())
		ole := walks(t, world, "ole")
		ole.Open(world.Identity + "/invitations/code")
		ole.Fill("Code", strings.ToLower(code))
		ole.Press("Weiter")
		ole.HasText("Ole Ohnemail")
		ole.Follow("Konto anlegen")
		ole.fillIn("Ole", "Ohnemail", "ole.ohnemail", "ole@example.org")
		ole.Choose("Ich akzeptiere die Informationspflichten.")
		ole.Press("Registrierung abschicken")
		ole.Fill("Code aus der E-Mail", sixDigits.FindString(mail(t, world, "ole@example.org", "Bestätigungscode").Text))
		ole.Press("E-Mail-Adresse bestätigen")
		ole.Press("Einladung annehmen")
		ole.HasText("Sie gehören jetzt zu Bäckerei Morgenrot GmbH.")
	})
}

// Where the chamber wants it, accepting is a request that the admin approves
// finally, with the invitation's role and the reason of the source.
//
// R103 R105 R114 R115 R116 R117
func TestInvitationsConfirmed(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, world *story.World) {
		w := inviting(t, world)
		settle(t, world)
		bert, nora := walks(t, world, "bert"), walks(t, world, "nora")
		bert.signIn()
		bert.Open(w.bakery + "/invitations/new")
		bert.Fill("E-Mail-Adresse der Person", "nora@example.org")
		bert.Choose("Auszubildende:r")
		bert.Press("Einladung senden")
		nora.signIn()
		nora.Open(link(t, mail(t, world, "nora@example.org", "lädt Sie ein"), "/invitations/"))
		nora.HasText("bestätigt die Administration des Unternehmens Ihren Beitritt noch einmal")
		nora.Press("Einladung annehmen")
		nora.HasText("Ihre Zusage ist angekommen.")
		bert.Open(world.Identity + "/")     // the dashboard shows it, too
		bert.HasText("Offene Anfragen (2)") // beside Anna's
		bert.Open(link(t, mail(t, world, "bert@example.org", "Neue Anfrage: Nora"), "/requests/"))
		bert.HasText("Diese Beitrittsanfrage entstand durch die Bestätigung eines Einladungslinks")
		bert.HasText("Auszubildende:r")
		bert.Press("Mir zuweisen")
		bert.Press("genehmigen")
		mail(t, world, "nora@example.org", "angenommen")
		nora.Open(world.Training + "/reports")
		nora.HasText("Berichtsheft")
	})
}

func settle(t *testing.T, w *story.World) {
	t.Helper()
	if err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
		c, err := chamber.ByNumber(tx, story.ChamberNumber)
		if err != nil {
			return err
		}
		s, err := chamber.SettingsOf(tx, c.ID)
		if err != nil {
			return err
		}
		s.Invitation = chamber.Confirm
		return chamber.SaveSettings(tx, audit.Console, c.ID, s)
	}); err != nil {
		t.Fatal(err)
	}
}

// Every page and state of invitations: axe finds nothing, nothing scrolls sideways.
func TestGalleryInvitations(t *testing.T) {
	t.Parallel() // they meet nobody: two look at once, on two cores
	world := start(t, "sqlite", story.Options{})
	w := inviting(t, world)
	bert, nora, stranger := walks(t, world, "bert"), walks(t, world, "nora"), walks(t, world, "stranger")
	bert.signIn()
	bert.Open(w.bakery)
	bert.Inspect("inviting-company")
	bert.Open(w.bakery + "/invitations")
	bert.Inspect("inviting-empty")
	bert.Open(w.bakery + "/invitations/new")
	bert.Inspect("inviting-new")
	bert.Fill("E-Mail-Adresse der Person", "nina.neu@")
	bert.Press("Weitere Angaben")
	bert.Fill("Gültig, in Tagen", "viele")
	bert.Fill("Nachricht", "Siehe https://beispiel.example")
	bert.Press("Einladung senden")
	bert.Inspect("inviting-new-mistakes")
	bert.Fill("E-Mail-Adresse der Person", "nina.neu@example.org")
	bert.Fill("Gültig, in Tagen", "7")
	bert.Fill("Vorname", "Nina")
	bert.Fill("Nachname", "Neu")
	bert.Fill("Nachricht", "Wir freuen uns auf dich! Am 1. August um 8 Uhr geht es los.")
	bert.Choose("Auszubildende:r")
	bert.Press("Einladung senden")
	bert.Inspect("inviting-sent")
	v := as(t, world, "bert")
	for _, email := range []string{"nora@example.org", "weg@example.org", "spaet@example.org", "nein@example.org", "zurueck@example.org", "anna.privat@example.net"} {
		v.post(w.bakery+"/invitations/new", url.Values{"do": {"invite"}, "email": {email}, "days": {"7"}, "language": {"de"}})
	}
	change := func(query, email string) {
		t.Helper()
		if err := world.IdentityDB.Write(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec(query, email); return err }); err != nil {
			t.Fatal(err)
		}
	}
	page := func(email string) string {
		t.Helper()
		return link(t, mail(t, world, email, "lädt Sie ein"), "/invitations/")
	}
	invited := func(email string) string {
		return w.bakery + "/invitations/" + w.id(`SELECT id FROM invitation WHERE email = $1`, email)
	}
	ninas, noras, late, declined, annas := page("nina.neu@example.org"), page("nora@example.org"), page("spaet@example.org"), page("nein@example.org"), page("anna.privat@example.net")
	change(`UPDATE invitation SET state = 'undeliverable', failure = '550 5.1.1 <weg@example.org>: Recipient address rejected' WHERE email = $1`, "weg@example.org")
	change(`UPDATE invitation SET state = 'expired', ended_at = expires_at WHERE email = $1`, "spaet@example.org")
	change(`UPDATE invitation SET state = 'revoked', ended_at = created_at WHERE email = $1`, "zurueck@example.org")
	stranger.Open(declined)
	stranger.Press("Ablehnen")
	stranger.Inspect("inviting-declined")
	for name, address := range map[string]string{"gone-declined": declined, "gone-expired": late, "unknown": world.Identity + "/invitations/nothing", "code": world.Identity + "/invitations/code", "known": noras, "signup": ninas} {
		stranger.Open(address)
		stranger.Inspect("inviting-" + name)
	}
	stranger.Open(ninas)
	stranger.Fill("Passwort wählen", "kurz")
	stranger.Press("Konto anlegen und annehmen")
	stranger.Inspect("inviting-signup-mistakes")
	stranger.Open(ninas + "?lang=en")
	stranger.Inspect("inviting-signup-english")
	stranger.Open(ninas + "?lang=de")
	nora.signIn()
	nora.Open(noras)
	nora.Inspect("inviting-accept")
	nora.Open(annas)
	nora.Inspect("inviting-other-address")
	nora.Open(world.Identity + "/account/invitations")
	nora.Inspect("inviting-mine")
	nora.In("Bäckerei Morgenrot GmbH").Press("Einladung annehmen")
	nora.Inspect("inviting-accepted")
	nora.Open(world.Identity + "/account/invitations")
	nora.Inspect("inviting-mine-none")
	bert.Open(w.bakery + "/invitations")
	bert.Inspect("inviting-list")
	bert.Open(w.bakery + "/invitations?state=declined")
	bert.Inspect("inviting-list-declined")
	bert.Open(w.bakery + "/invitations")
	bert.Fill("Name, E-Mail-Adresse oder Nummer", "nina")
	bert.Press("Suchen")
	bert.HasText("Nina Neu")
	bert.LacksText("weg@example.org")
	bert.Inspect("inviting-list-found")
	bert.Open(w.bakery + "/invitations?q=Zeppelin")
	bert.Inspect("inviting-list-nothing")
	bert.Open(w.bakery + "/invitations/new")
	bert.Press("Weitere Angaben")
	bert.Fill("Vorname", "Ole")
	bert.Fill("Nachname", "Ohnemail")
	bert.Press("Einladung senden")
	bert.Inspect("inviting-paper")
	bert.Press("Zettel mit Code")
	bert.Inspect("inviting-slip")
	code := letterCode.FindString(bert.Text())
	for name, email := range map[string]string{"open": "nina.neu@example.org", "bounced": "weg@example.org", "accepted": "nora@example.org", "revoked": "zurueck@example.org"} {
		bert.Open(invited(email))
		bert.Inspect("inviting-one-" + name)
	}
	bert.Open(invited("nina.neu@example.org"))
	bert.Press("Erinnern")
	bert.Inspect("inviting-one-conflict")
	stranger.Open(world.Identity + "/invitations/code?code=AAAAAAAAAAAA")
	stranger.Inspect("inviting-code-mistake")
	stranger.Open(world.Identity + "/invitations/code")
	stranger.Fill("Code", code)
	stranger.Press("Weiter")
	stranger.Inspect("inviting-slip-open")
	bert.Open(w.bakery + "/invitations?lang=en")
	bert.Inspect("inviting-english-list")
	bert.Open(w.bakery + "/invitations/new")
	bert.Press("Further details")
	bert.Inspect("inviting-english-new")
	bert.Open(invited("weg@example.org"))
	bert.Inspect("inviting-english-one")
	if r, _ := v.get(w.bakery + "/invitations"); r.StatusCode != http.StatusOK {
		t.Error(r.Status)
	}
}
