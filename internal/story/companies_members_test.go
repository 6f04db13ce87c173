package story_test

import (
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/request"
	"zunft/internal/story"
)

// team gives the bakery a second admin (Berta), a site and a few apprentices;
// it returns the address of the company and of Anna's request.
func team(t *testing.T, w *story.World) (bakery, annas string) {
	t.Helper()
	err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
		id, err := db.Value[string](tx, `SELECT id FROM organization WHERE ident_number = '100017'`)
		if err != nil {
			return err
		}
		phc, err := db.Value[string](tx, `SELECT password FROM account WHERE username = 'bert.backmann'`)
		if err != nil {
			return err
		}
		var app string
		if app, err = db.Value[string](tx, `SELECT application FROM application_role ORDER BY position LIMIT 1`); err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO site (id, organization, chamber, name, street, house_number, postcode, place, state, name_key, created_at)
			VALUES ('market', $1, (SELECT chamber FROM organization WHERE id = $1), 'Filiale Marktplatz', 'Markt', '2', '00999', 'Musterstadt', 'released', 'filiale', $2)`, id, tx.Now()); err != nil {
			return err
		}
		for i, name := range []string{"Berta", "Ciro", "Dana", "Emil", "Fatma", "Greta"} {
			a, err := account.Create(tx, audit.Console, account.New{GivenName: name, FamilyName: "Beispiel", Username: "team." + name, Email: "team-" + name + "@example.org", Password: phc, Language: "de", Confirmed: true})
			if err != nil {
				return err
			}
			var roles []membership.Role
			if i%2 == 1 {
				roles = append(roles, membership.Role{Application: app, Key: "apprentice"})
			}
			if err := membership.Grant(tx, audit.Console, id, a.ID, name == "Berta", roles...); err != nil {
				return err
			}
		}
		asked, err := db.Value[string](tx, `SELECT id FROM request WHERE kind = 'join' ORDER BY id LIMIT 1`)
		bakery, annas = w.Identity+"/organizations/"+id, w.Identity+"/requests/"+asked
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bakery, annas
}

// memberOf is the address of somebody's page among a company's members.
func memberOf(t *testing.T, w *story.World, bakery, username string) string {
	t.Helper()
	var id string
	if err := w.IdentityDB.Read(t.Context(), func(tx *db.Tx) (err error) {
		id, err = db.Value[string](tx, `SELECT m.id FROM membership m JOIN account a ON a.id = m.account WHERE a.username = $1 AND m.ended_at IS NULL`, username)
		return err
	}); err != nil {
		t.Fatal(username, err)
	}
	return bakery + "/members/" + id
}

func TestGalleryMembers(t *testing.T) {
	t.Parallel() // they meet nobody: two look at once, on two cores
	c := &clock{}
	w := start(t, "sqlite", story.Options{Now: c.now})
	bakery, annas := team(t, w)
	anna, bert := walks(t, w, "anna"), walks(t, w, "bert")
	anna.signIn()
	anna.Open(annas)
	anna.Inspect("members-request-dates")
	anna.Follow("An die Administration schreiben")
	anna.Press("Nachricht senden")
	anna.Inspect("members-relay-mistake")
	anna.Fill("Ihre Nachricht", "Ich fange am Montag an. Wer schaltet mich frei?")
	anna.Press("Nachricht senden")
	anna.Inspect("members-relayed")

	bert.signIn()
	bert.Open(bakery)
	bert.Inspect("members-company")
	bert.Open(annas)
	bert.Inspect("members-request-open")
	bert.Press("Mir zuweisen")
	bert.Inspect("members-request-mine")
	bert.Press("An andere Person übergeben")
	bert.Inspect("members-request-hand")
	bert.Press("Übergeben")
	bert.Inspect("members-request-handed")
	bert.Open(bakery + "/members")
	bert.Inspect("members-list")
	bert.In("Dana Beispiel").Follow("Rollen Dana Beispiel")
	bert.Inspect("members-list-open")
	bert.Open(bakery + "/members?show=idle")
	bert.Inspect("members-list-none")
	bert.Open(bakery + "/members?show=without&sort=new")
	bert.Inspect("members-list-filtered")
	bert.Open(memberOf(t, w, bakery, "team.Dana"))
	bert.Inspect("members-member")
	bert.Fill("Gilt bis einschließlich", "2020-01-01")
	bert.Press("Rolle vergeben")
	bert.Inspect("members-member-mistake")
	bert.Fill("Gilt bis einschließlich", c.now().AddDate(0, 6, 0).Format(time.DateOnly))
	bert.Press("Rolle vergeben")
	bert.Inspect("members-member-limited")
	bert.Follow("Ausbildungsportal")
	bert.Inspect("members-why-works")
	bert.Open(memberOf(t, w, bakery, "team.Fatma"))
	bert.Follow("Ausbildungsportal")
	bert.Inspect("members-why-stops")
	bert.Open(bakery + "/roles-matrix")
	bert.Inspect("members-matrix")
	bert.Open(bakery + "/away")
	bert.Press("Speichern")
	bert.Inspect("members-away-mistake")
	bert.Fill("Abwesend ab", c.now().Format(time.DateOnly))
	bert.Fill("Bis einschließlich", c.now().AddDate(0, 0, 14).Format(time.DateOnly))
	bert.Press("Speichern")
	bert.Inspect("members-away")
	c.pass(200 * 24 * time.Hour)
	if err := w.IdentityDB.Write(t.Context(), membership.TellReviews); err != nil {
		t.Fatal(err)
	}
	for range 4 { // all steps of waiting, the end last
		if err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error { _, err := request.Wait(tx, 100); return err }); err != nil {
			t.Fatal(err)
		}
	}
	as(t, w, "bert").post(bakery+"/invitations/new", url.Values{"do": {"invite"}, "email": {"nina.neu@example.org"}, "days": {"2"}, "language": {"de"}})
	bert = walks(t, w, "bert")
	bert.signIn()
	bert.HasText("1 Einladung läuft in 3 Tagen ab")
	bert.HasText("2 Mitgliedern eine Rolle geben")
	bert.Inspect("members-home-due")
	bert.Open(bakery)
	bert.Inspect("members-company-review")
	bert.Follow("Berechtigungen überprüfen")
	bert.Inspect("members-review")
	bert.Press("Speichern")
	bert.Inspect("members-review-mistake")
	anna = walks(t, w, "anna")
	anna.signIn()
	anna.Open(annas)
	anna.Inspect("members-request-expired")
	bert.Open(w.Identity + "/?lang=en")
	bert.Inspect("members-english-home")
	for _, page := range []string{"company", "list /members", "list-open /members?open=" + path.Base(memberOf(t, w, bakery, "team.Dana")), "matrix /roles-matrix", "review /review", "requests /requests", "away /away", "why " + strings.TrimPrefix(memberOf(t, w, bakery, "team.Fatma"), bakery) + "/why?application=" + oneID(t, w, `SELECT id FROM application WHERE client_id = 'training'`)} {
		name, at, _ := strings.Cut(page, " ")
		bert.Open(bakery + at)
		bert.Inspect("members-english-" + name)
	}
}

// ux.md task 2: somebody asks with a wished role; the admin lets them in with it
// in two clicks from the mail: the link, and "genehmigen". R020, R022, R114, R117, R131, R139.
func TestApprovedInTwoClicks(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		nora, bert := walks(t, w, "nora"), walks(t, w, "bert")
		nora.signIn()
		nora.Open(w.Identity + "/organizations/join")
		nora.Fill("Firmierung", "Bäckerei Morgenrot GmbH")
		nora.Fill("Straße", "Mehlgasse")
		nora.Fill("Hausnummer", "4")
		nora.Fill("PLZ", "00999")
		nora.Press("Weiter")
		nora.Fill("Begründung", "Ich fange am Montag in der Backstube an.")
		nora.Choose("Auszubildende:r")
		nora.Press("Anfrage senden")
		bert.signIn()
		clicks := 0
		click := func(f func()) { f(); clicks++ }
		click(func() { bert.Open(link(t, mail(t, w, "bert@example.org", "Nora N. möchte beitreten"), "/requests/")) })
		if !bert.Chosen("Auszubildende:r") {
			t.Error("the wished role is not ticked")
		}
		bert.LacksText("Wenn niemand antwortet") // told to the applicant
		click(func() { bert.Press("genehmigen") })
		bert.HasText("Die Anfrage ist angenommen.")
		if clicks > 2 {
			t.Errorf("%d clicks to approve with a role", clicks)
		}
		nora.Open(link(t, mail(t, w, "nora@example.org", "angenommen"), "/"))
		nora.Open(w.Training + "/reports")
		nora.HasText("Berichtsheft")
	})
}

// One visit of an admin to every page of members, in a browser without scripts:
// filters, a role for a time at a site, numbers (R216), roles at a glance, why a
// person can open an application, absence, hand-over and the review. R024, R025,
// R026, R027, R106, R107, R142, R143, R213, R214, R300.
func TestMembersOfACompany(t *testing.T) {
	c := &clock{}
	each(t, story.Options{Now: c.now}, func(t *testing.T, w *story.World) {
		bakery, annas := team(t, w)
		bert := walks(t, w, "bert")
		bert.signIn()
		bert.Open(bakery + "/members")
		bert.Press("Filtern und sortieren")
		bert.Choose("Ohne Rolle")
		bert.Press("Anwenden")
		bert.HasText("Fatma Beispiel")
		bert.LacksText("Lena Lerche")

		bert.Follow("Fatma Beispiel")
		bert.Fill("Azubi-Identnummer", "AZ 4711")
		bert.In("Arbeitet am Standort").Choose("Filiale Marktplatz")
		bert.Press("Speichern")
		bert.HasText("Die Änderungen sind gespeichert.")
		if got := bert.Value("Azubi-Identnummer"); got != "AZ 4711" {
			t.Error(got)
		}
		bert.Choose("Ausbilder:in")
		bert.Fill("Gilt ab", c.now().AddDate(0, 0, 2).Format(time.DateOnly))
		bert.Press("Rolle vergeben")
		bert.Follow("Ausbildungsportal")
		bert.HasText("Noch nicht. Unten steht, was fehlt.")
		c.pass(3 * 24 * time.Hour)
		bert = walks(t, w, "bert")
		bert.signIn()
		bert.Open(memberOf(t, w, bakery, "team.Fatma"))
		bert.Follow("Ausbildungsportal")
		bert.HasText("Ja, alle Voraussetzungen sind erfüllt.")

		bert.Open(bakery + "/roles-matrix?q=greta")
		bert.Choose("Ausbildungsverwaltung : Greta Beispiel")
		bert.Unchoose("Auszubildende:r : Greta Beispiel")
		bert.Press("Speichern")
		bert.HasText("Gespeichert. Geänderte Rollen: 2.")
		if !bert.Chosen("Ausbildungsverwaltung : Greta Beispiel") || bert.Chosen("Auszubildende:r : Greta Beispiel") {
			t.Error("the table shows something else than was saved")
		}

		bert.Open(annas)
		bert.Press("Mir zuweisen")
		bert.Press("An andere Person übergeben")
		bert.Press("Übergeben")
		bert.HasText("Diese Anfrage bearbeitet gerade Berta Beispiel")
		mail(t, w, "team-berta@example.org", "Übergeben an Sie")

		bert.Open(bakery + "/away")
		bert.Fill("Abwesend ab", c.now().Format(time.DateOnly))
		bert.Fill("Bis einschließlich", c.now().AddDate(0, 0, 14).Format(time.DateOnly))
		bert.Choose("Berta Beispiel")
		bert.Press("Speichern")
		bert.HasText("als abwesend eingetragen")
		mail(t, w, "team-berta@example.org", "Vertretung")
		bert.Press("Abwesenheit beenden")
		bert.HasText("Ihre Abwesenheit ist beendet.")

		c.pass(200 * 24 * time.Hour)
		bert = walks(t, w, "bert")
		bert.signIn()
		bert.Open(bakery)
		bert.HasText("Es ist Zeit, die Berechtigungen in Ihrem Unternehmen zu überprüfen.")
		bert.Follow("Berechtigungen überprüfen")
		bert.In("Ciro Beispiel").Choose("Entfernen")
		bert.In("Emil Beispiel").Choose("Rollen entziehen")
		bert.Press("Speichern")
		bert.HasText("Gespeichert. Diese Personen fehlen noch.")
		bert.LacksText("Ciro Beispiel")
		bert.In("Fatma Beispiel").Choose("Behalten")
		bert.Choose("Alle behalten, bei denen ich hier nichts gewählt habe")
		bert.Press("Speichern")
		bert.HasText("Die Überprüfung ist abgeschlossen.")
		bert.LacksText("Es ist Zeit")
		bert.Open(bakery + "/members?q=emil")
		bert.HasText("ohne Rolle")
	})
}
