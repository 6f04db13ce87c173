package story_test

import (
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
	bert.Open(bakery + "/members?show=idle")
	bert.Inspect("members-list-none")
	bert.Open(bakery + "/members?show=without&sort=new")
	bert.Inspect("members-list-filtered")
	bert.Open(memberOf(t, w, bakery, "team.Dana"))
	bert.Inspect("members-member")
	bert.Press("Rolle für eine Zeit oder einen Standort vergeben")
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
	bert = walks(t, w, "bert")
	bert.signIn()
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
}
