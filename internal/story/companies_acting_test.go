package story_test

import (
	"fmt"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/mandate"
	"zunft/internal/identity/membership"
	"zunft/internal/story"
)

// branch is another company, in which people hold a role in the report book.
func branch(t *testing.T, w *story.World, ident, name, admin string, roles map[string]string) (id string) {
	t.Helper()
	err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
		id = db.NewID()
		who := func(key string) (account string, err error) {
			return db.Value[string](tx, `SELECT id FROM account WHERE username = $1`, w.Person(key).Username)
		}
		boss, err := who(admin)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court, management, company_key, name_key, state, registered_by, created_at)
			SELECT $1, id, $2, $3, '', 'Deichweg', '7', '00998', 'Musterhausen', '', '', '', '', $1, $3, 'active', $4, $5 FROM chamber WHERE number = $6`, id, ident, name, boss, tx.Now(), story.ChamberNumber); err != nil {
			return err
		}
		if err := membership.Grant(tx, audit.Console, id, boss, true); err != nil {
			return err
		}
		app, err := application.ByClientID(tx, "training")
		for key, role := range roles {
			if err != nil {
				return err
			}
			var account string
			if account, err = who(key); err == nil {
				err = membership.Grant(tx, audit.Console, id, account, false, membership.Role{Application: app.ID, Key: role})
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Acting for, scripts off: Murat works for two companies, is asked once at the
// sign-in, and switches; Nora acts for the bakery by a mandate that Bert gave
// her address, with her own account; every page says for whom; Bert ends it.
//
// R202 R203 R295 R296 R301 R302 R303
func TestActingFor(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		branch(t, w, "100900", "Mühle Deichgraf", "frida", map[string]string{"murat": "trainer"})

		// Several companies: one question, one answer, and the token carries it alone.
		murat := &clicks{person: walks(t, w, "murat")}
		murat.signIn()
		murat.HasText("Sie handeln für sich selbst")
		murat.n = 0
		murat.Open(w.Training + "/reviews")
		murat.HasText("Für wen handeln Sie?")
		murat.Press("Wählen : Mühle Deichgraf")
		murat.LacksText("Für wen handeln Sie?")
		murat.Open(w.Identity + "/")
		murat.HasText("Sie handeln für: Mühle Deichgraf")
		murat.Follow("Wechseln")
		murat.Press("Wählen : Bäckerei Morgenrot GmbH")
		murat.HasText("Sie handeln jetzt für Bäckerei Morgenrot GmbH.")
		if murat.n != 3 {
			t.Errorf("choosing and switching takes %d clicks, want 3", murat.n)
		}

		// A mandate: Bert gives, Nora accepts, nobody types another's password.
		bert := &clicks{person: walks(t, w, "bert")}
		bert.signIn()
		bert.Open(w.Identity + "/organizations/" + oneID(t, w, `SELECT id FROM organization WHERE ident_number = '100017'`))
		bert.n = 0
		bert.Follow("Vertretungen")
		bert.Follow("Person als Vertretung einsetzen")
		bert.sure()
		bert.Fill("E-Mail-Adresse der Person", "nora@example.org")
		bert.Choose("Ausbilder:in (Ausbildungsportal)")
		bert.Press("Anfrage senden")
		bert.HasText("Wartet auf Antwort")
		if bert.n != 3 {
			t.Errorf("letting somebody act takes %d clicks, want 3", bert.n)
		}
		nora := walks(t, w, "nora")
		nora.signIn()
		nora.Open(w.Training + "/reviews")
		nora.HasText("Sie vertreten ein Unternehmen?") // R303
		nora.Open(link(t, mail(t, w, "nora@example.org", "Vertretung für Bäckerei"), "/representation/"))
		nora.HasText("Bäckerei Morgenrot GmbH bittet Sie")
		nora.Press("Annehmen")
		nora.HasText("Die Vertretung gilt.")
		mail(t, w, "bert@example.org", "Vertretung gilt")
		nora.Press("Jetzt dafür handeln")
		nora.HasText("Sie handeln für: Bäckerei Morgenrot GmbH (Vertretung bis ")
		nora.Open(w.Training + "/reviews")
		nora.LacksText("Ihnen fehlt eine Berechtigung")
		nora.HasText("Abmelden")

		// Bert ends it; at once nobody acts by it.
		bert.Reload()
		bert.HasText("Nora Nagel")
		bert.Follow("Vertretung beenden")
		bert.Press("Beenden")
		bert.HasText("Die Vertretung ist beendet.")
		mail(t, w, "nora@example.org", "Vertretung beendet")
		nora.Open(w.Identity + "/account/mandates")
		nora.LacksText("Sie handeln für:")
		nora.HasText("Zurzeit gibt es keine Vertretung.")
	})
}

// Where the chamber approves, Clara does, in two clicks; a company acts through
// those of its people whom it names.
//
// R297 R298 R299
func TestActingApproved(t *testing.T) {
	w := start(t, "sqlite", story.Options{})
	office := branch(t, w, "100901", "Steuerkanzlei Zahl", "frida", map[string]string{"nora": "trainer"})
	approving(t, w)
	frida, clara, bert, nora := walks(t, w, "frida"), &clicks{person: walks(t, w, "clara")}, walks(t, w, "bert"), walks(t, w, "nora")
	frida.signIn()
	frida.Open(w.Identity + "/organizations/" + office + "/mandates")
	frida.Follow("Vertretung anbieten")
	frida.Fill("Identnummer des Unternehmens", "100017")
	frida.Fill("Kammernummer", "999")
	frida.Choose("Ausbilder:in (Ausbildungsportal)")
	frida.Press("Vertretung anbieten")
	frida.HasText("Identnummer 100017, Kammer 999")
	frida.LacksText("Morgenrot")
	bert.signIn()
	bert.Open(link(t, mail(t, w, "bert@example.org", "Vertretung für Bäckerei"), "/mandates/"))
	bert.HasText("Steuerkanzlei Zahl möchte für Ihr Unternehmen handeln.")
	bert.Press("Zustimmen")
	bert.sure()
	bert.Press("Jetzt absenden") // what was pressed before the proof
	bert.HasText("Jetzt prüft die Kammer")
	clara.signIn()
	clara.Open(w.Identity + "/chamber/mandates")
	clara.n = 0
	clara.Follow("Bäckerei Morgenrot GmbH")
	clara.Press("Genehmigen")
	clara.HasText("Genehmigt.")
	if clara.n != 2 {
		t.Errorf("approving takes %d clicks, want 2", clara.n)
	}
	frida.Open(link(t, mail(t, w, "frida@example.org", "Vertretung gilt"), "/mandates/"))
	frida.HasText("noch niemand benannt")
	frida.Follow("Ändern : Es handeln")
	frida.Press("Benennen : Nora Nagel")
	frida.sure()
	frida.Press("Jetzt absenden")
	frida.HasText("Die Person kann jetzt handeln.")
	nora.signIn()
	nora.Open(w.Identity + "/acting")
	nora.HasText("als Steuerkanzlei Zahl")
	nora.Press("Wählen : Bäckerei Morgenrot GmbH")
	nora.HasText("Sie handeln für: Bäckerei Morgenrot GmbH (Vertretung bis ")
}

func approving(t *testing.T, w *story.World) {
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
		s.MandateApproval = true
		return chamber.SaveSettings(tx, audit.Console, c.ID, s)
	}); err != nil {
		t.Fatal(err)
	}
}

// Every page and state of acting for: axe finds nothing, nothing scrolls sideways.
func TestGalleryActing(t *testing.T) {
	t.Parallel() // they meet nobody: two look at once, on two cores
	w := start(t, "sqlite", story.Options{})
	bakery := oneID(t, w, `SELECT id FROM organization WHERE ident_number = '100017'`)
	office := branch(t, w, "100901", "Steuerkanzlei Zahl, Ziffer und Partner Partnerschaftsgesellschaft mbB", "frida", map[string]string{"nora": "trainer", "murat": "trainer"})
	who := func(key string) audit.Actor {
		return audit.Actor{Account: oneID(t, w, `SELECT id FROM account WHERE username = $1`, w.Person(key).Username), Kind: audit.Person}
	}
	app := oneID(t, w, `SELECT id FROM application WHERE client_id = 'training'`)
	approving(t, w)
	propose := func(by audit.Actor, side, organization string, wish mandate.Wish) (m mandate.Mandate) {
		t.Helper()
		wish.First, wish.Last, wish.Note = db.At(w.IdentityDB.Now()), db.At(w.IdentityDB.Now().Add(200*24*time.Hour)), "Wir kümmern uns um die Ausbildungsverträge."
		wish.Roles = []membership.Role{{Application: app, Key: "trainer"}, {Application: app, Key: "training_admin"}}
		if err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) (err error) { m, err = mandate.Propose(tx, by, side, organization, wish); return err }); err != nil {
			t.Fatal(err)
		}
		return m
	}
	step := func(f func(tx *db.Tx) error) {
		t.Helper()
		if err := w.IdentityDB.Write(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	asked := propose(who("bert"), mandate.ForPrincipal, bakery, mandate.Wish{Email: "nora@example.org"})
	company := propose(who("frida"), mandate.ForRepresentative, office, mandate.Wish{IdentNumber: "100017", ChamberNumber: "999"})

	stranger, bert, nora, frida, clara, murat := walks(t, w, "stranger"), walks(t, w, "bert"), walks(t, w, "nora"), walks(t, w, "frida"), walks(t, w, "clara"), walks(t, w, "murat")
	letter := link(t, mail(t, w, "nora@example.org", "Vertretung für Bäckerei"), "/representation/")
	stranger.Open(letter)
	stranger.Inspect("acting-link-stranger")
	frida.signIn()
	frida.Open(letter)
	frida.Inspect("acting-link-mismatch")
	frida.Open(w.Identity + "/mandates/" + company.ID)
	frida.Inspect("acting-offered")
	frida.Open(w.Identity + "/organizations/" + office + "/mandates/new?to=offer")
	frida.Press("Vertretung anbieten")
	frida.Inspect("acting-offer-missing")
	bert.signIn()
	bert.Open(w.Identity + "/organizations/" + bakery + "/mandates")
	bert.Inspect("acting-company")
	bert.Open(w.Identity + "/organizations/" + bakery + "/mandates?show=past")
	bert.Inspect("acting-company-past")
	bert.Open(w.Identity + "/organizations/" + bakery + "/mandates/new")
	bert.sure()
	bert.Inspect("acting-propose")
	bert.Fill("E-Mail-Adresse der Person", "nora")
	bert.Press("Anfrage senden")
	bert.Inspect("acting-propose-missing")
	bert.Open(w.Identity + "/organizations/" + bakery + "/mandates/new?to=company")
	bert.Inspect("acting-propose-company")
	bert.Open(w.Identity + "/mandates/" + company.ID)
	bert.Inspect("acting-to-agree")
	bert.Open(w.Identity + "/mandates/" + asked.ID + "/revoke")
	bert.Inspect("acting-revoke")
	nora.signIn()
	nora.Open(letter)
	nora.Inspect("acting-to-accept")
	nora.Press("Annehmen")
	nora.Inspect("acting-accepted")
	stranger.Open(letter)
	stranger.Inspect("acting-link-gone")
	clara.signIn()
	clara.Open(w.Identity + "/chamber/mandates")
	clara.Inspect("acting-queue")
	clara.Follow("Bäckerei Morgenrot GmbH")
	clara.Inspect("acting-decide")
	clara.Press("Nicht genehmigen")
	clara.Press("Begründung senden")
	clara.Inspect("acting-decide-missing")
	clara.Press("Genehmigen")
	clara.Inspect("acting-queue-empty")
	clara.Follow("Entschiedene anzeigen")
	clara.Inspect("acting-decided")
	step(func(tx *db.Tx) error { _, err := mandate.Accept(tx, who("bert"), company.ID); return err })
	step(func(tx *db.Tx) error { return mandate.Approve(tx, who("clara"), company.ID) })
	frida.Open(w.Identity + "/mandates/" + company.ID)
	frida.Inspect("acting-nobody-named")
	frida.Open(w.Identity + "/mandates/" + company.ID + "/people")
	frida.Inspect("acting-people")
	step(func(tx *db.Tx) error {
		return mandate.SetPerson(tx, who("frida"), company.ID, who("nora").Account, true)
	})
	frida.Reload()
	frida.Inspect("acting-people-named")
	nora.Open(w.Identity + "/acting")
	nora.Inspect("acting-contexts")
	nora.Press(fmt.Sprintf("Wählen : Bäckerei Morgenrot GmbH, Vertretung bis %s", asked.LastDay().Format("02.01.2006")))
	nora.Inspect("acting-home")
	nora.Open(w.Identity + "/account/mandates")
	nora.Inspect("acting-account")
	nora.Open(w.Identity + "/account/mandates/new")
	nora.Inspect("acting-offer")
	murat.signIn()
	murat.Open(w.Training + "/reviews")
	murat.Inspect("acting-question")
	// Many companies: pages and a search.
	step(func(tx *db.Tx) error {
		for i := range 60 {
			id, member := db.NewID(), db.NewID()
			if _, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court, management, company_key, name_key, state, registered_by, created_at)
				SELECT $1, id, $2, $3, '', 'Weg', '1', '00998', 'Musterhausen', '', '', '', '', $1, $3, 'active', $4, $5 FROM chamber WHERE number = $6`, id, fmt.Sprint(700000+i), fmt.Sprintf("Filiale %02d", i), who("murat").Account, tx.Now(), story.ChamberNumber); err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO membership (id, organization, account, since) VALUES ($1, $2, $3, $4)`, member, id, who("murat").Account, tx.Now()); err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO role_grant (membership, application, role, granted_by, granted_at) VALUES ($1, $2, 'trainer', '', $3)`, member, app, tx.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	murat.Open(w.Training + "/reviews")
	murat.Inspect("acting-question-many")
	murat.Fill("Unternehmen suchen", "Filiale 59")
	murat.Press("Suchen")
	murat.Inspect("acting-question-found")
	murat.Fill("Unternehmen suchen", "Zeppelin")
	murat.Press("Suchen")
	murat.Inspect("acting-question-nothing")
	murat.Open(w.Identity + "/acting")
	murat.Inspect("acting-contexts-many")
	murat.Open(w.Identity + "/")
	murat.Inspect("acting-home-many")
	for _, look := range []struct {
		who        *person
		name, path string
	}{
		{nora, "home", "/?lang=en"},
		{nora, "contexts", "/acting"},
		{nora, "account", "/account/mandates"},
		{nora, "offer", "/account/mandates/new"},
		{nora, "question", "/authorize/organization?next=/"},
		{bert, "company", "/organizations/" + bakery + "/mandates?lang=en"},
		{bert, "propose", "/organizations/" + bakery + "/mandates/new"},
		{bert, "mandate", "/mandates/" + asked.ID},
		{clara, "decided", "/chamber/mandates?show=decided&lang=en"},
	} {
		look.who.Open(w.Identity + look.path)
		look.who.Inspect("acting-english-" + look.name)
	}
}
