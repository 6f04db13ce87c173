package story_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
	"zunft/internal/story"
	learner "zunft/internal/training/person"
	"zunft/internal/training/registry"
)

// companyDay is a day of this year's training as forms take it.
func companyDay(years, month, day int) string {
	return fmt.Sprintf("%04d-%02d-%02d", time.Now().Year()+years, month, day)
}

// companyRole gives somebody of the bakery a role in the training portal, and numbers.
func companyRole(t *testing.T, w *story.World, key, role string, d membership.Details) {
	t.Helper()
	if err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
		app, err := application.ByClientID(tx, "training")
		if err != nil {
			return err
		}
		bakery, err := db.Value[string](tx, `SELECT id FROM organization WHERE ident_number = '100017'`)
		if err != nil {
			return err
		}
		account, err := db.Value[string](tx, `SELECT id FROM account WHERE username = $1`, w.Person(key).Username)
		if err != nil {
			return err
		}
		if err := membership.Grant(tx, audit.Console, bakery, account, key == "bert", membership.Role{Application: app.ID, Key: role}); err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE membership SET apprentice_number = $1, trainer_number = $2 WHERE account = $3`, d.ApprenticeNumber, d.TrainerNumber, account)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// companyPeople are more trainers and apprentices of the bakery, as their own
// tokens would have said.
func companyPeople(t *testing.T, w *story.World, bakery string, apprentices int, trainers ...string) {
	t.Helper()
	if err := w.TrainingDB.Write(t.Context(), func(tx *db.Tx) error {
		for i := range apprentices {
			given := []string{"Ada", "Ben", "Cem", "Dana", "Emil", "Finja", "Greta", "Hanna", "Ivo", "Jule"}[i%10]
			if err := learner.Learn(tx, audit.Job, learner.Claims{
				Roles:   []string{"apprentice"},
				Person:  learner.Person{Sub: fmt.Sprint("azubi-", i), GivenName: given, FamilyName: "Ahorn", Email: strings.ToLower(given) + "@example.org"},
				Company: learner.Company{ID: bakery, Name: "Bäckerei Morgenrot GmbH", IdentNumber: "100017", ChamberNumber: story.ChamberNumber},
			}); err != nil {
				return err
			}
		}
		for _, name := range trainers {
			given, family, _ := strings.Cut(name, " ")
			if err := learner.Learn(tx, audit.Job, learner.Claims{
				Roles:   []string{"trainer"},
				Person:  learner.Person{Sub: "trainer-" + given, GivenName: given, FamilyName: family, Email: strings.ToLower(given) + "@example.org"},
				Company: learner.Company{ID: bakery, Name: "Bäckerei Morgenrot GmbH", IdentNumber: "100017", ChamberNumber: story.ChamberNumber},
			}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// companyBert signs Bert in at the training portal as its training admin.
func companyBert(t *testing.T, w *story.World) (*person, string) {
	t.Helper()
	companyRole(t, w, "bert", "training_admin", membership.Details{})
	bert := walks(t, w, "bert")
	bert.signIn()
	bert.Open(w.Training + "/company")
	return bert, rosterValue(t, w, `SELECT id FROM organization WHERE ident_number = '100017'`)
}

// companyNew enters an apprenticeship by the page.
func companyNew(p *person, given, family, number string) {
	p.t.Helper()
	p.Open(p.w.Training + "/company/trainees/new")
	p.Fill("Vorname", given)
	p.Fill("Nachname", family)
	p.Fill("Ausbildungsberuf", "Bäckerin")
	p.Fill("Beginn", companyDay(0, 8, 1))
	p.Fill("Vereinbartes Ende", companyDay(3, 7, 31))
	p.Fill("Bundesland", "Niedersachsen")
	p.Fill("Azubi-Identnummer", number)
	p.Press("Ausbildung eintragen")
	p.HasText("ist eingetragen")
}

// R216, R232, R233: the company describes an apprenticeship, by its number the
// apprentice finds it at the next sign-in, by theirs the trainer is assigned by
// the company; ux.md task 15: a new trainer for six apprentices in five clicks.
func TestApprenticeshipsOfACompany(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		bert, bakery := companyBert(t, w)
		bert.HasText("Überblick")
		companyNew(bert, "Lena", "Lerche", "A-1001")
		bert.HasText("Noch mit niemandem verbunden")
		companyRole(t, w, "lena", "apprentice", membership.Details{ApprenticeNumber: "A-1001"})
		lena := walks(t, w, "lena")
		lena.signIn()
		lena.Open(w.Training + "/reports")
		bert.Reload()
		bert.LacksText("Noch mit niemandem verbunden")
		bert.HasText("lena@example.org")

		// Murat leaves six to Ute.
		companyPeople(t, w, bakery, 5, "Ute Uhl")
		murat := walks(t, w, "murat")
		murat.signIn()
		murat.Open(w.Training + "/reviews")
		for i, name := range []string{"Ada", "Ben", "Cem", "Dana", "Emil"} {
			companyNew(bert, name, "Ahorn", fmt.Sprint("A-20", i))
		}
		assign := func(who string) (clicks int) {
			t.Helper()
			click := func(do func()) { t.Helper(); clicks++; do() }
			bert.Open(w.Training + "/company/assignments")
			click(func() { bert.Follow("Alle 6 ankreuzen") })
			click(func() { bert.Press("Zuordnung ändern") })
			bert.HasText("Zuordnung ändern für 6 Personen")
			click(func() { bert.Fill("Wer ist zuständig?", who+" (Ausbilder:in)") })
			click(func() { bert.Fill("Ab", companyDay(0, 9, 1)) })
			click(func() { bert.Press("Zuordnung speichern") })
			bert.HasText("Zuordnungen geändert: 6")
			return clicks
		}
		assign("Murat Yılmaz")
		if n := assign("Ute Uhl"); n > 5 {
			t.Errorf("%d clicks, ux.md allows 5", n)
		}
		if n := count(t, w.TrainingDB, `SELECT count(*) FROM assignment WHERE person = 'trainer-Ute' AND until_day = ''`); n != 6 {
			t.Errorf("Ute accompanies %d", n)
		}
		// One by one works as well; nobody ticked says so.
		bert.Open(w.Training + "/company/assignments")
		bert.Press("Zuordnung ändern")
		bert.HasText("Kreuzen Sie mindestens eine Person an")
		bert.Follow("Zur Liste")
		bert.Choose("Ada Ahorn")
		bert.Choose("Lena Lerche")
		bert.Press("Zuordnung ändern")
		bert.HasText("Zuordnung ändern für 2 Personen")

		// A list from Excel: looked at, taken over once, the rest comes back as a file.
		bert.Open(w.Training + "/company/trainees")
		bert.Follow("Liste einlesen")
		bert.Upload("Datei", rosterFile(t, "Azubis.xlsx", companyList()))
		bert.Press("Liste einlesen")
		bert.HasText("2 Zeilen können übernommen werden. 1 ist zu korrigieren.")
		if header, csv := bert.Download("1 Zeile als Datei"); !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") || !strings.Contains(string(csv), "Astronautin") {
			t.Errorf("%v\n%s", header, csv)
		}
		bert.Press("2 Zeilen übernehmen")
		bert.HasText("Übernommen: 1 neu, 0 geändert.") // Ada was there already
		if n := count(t, w.TrainingDB, `SELECT count(*) FROM assignment x JOIN apprenticeship a ON a.id = x.apprenticeship WHERE a.given_name = 'Jule' AND x.person = 'trainer-Ute'`); n != 1 {
			t.Error("the list's trainer was not assigned")
		}

		// R333: Murat now sees none of them.
		murat.Open(w.Training + "/trainees")
		murat.LacksText("Lena Lerche")

		// R315, R316, R314: on paper from now on, and the chamber is told.
		bert.Open(w.Training + "/company/settings")
		bert.In("Bäcker/-in").Follow("Ändern")
		bert.Unchoose("Elektronischer Ausbildungsnachweis")
		bert.Press("Speichern")
		bert.HasText("Meldungen an die Kammer")
		if n := count(t, w.TrainingDB, `SELECT count(*) FROM form_change WHERE occupation = 'baecker' AND apprenticeships = 6 AND chamber_number = '999'`); n != 1 {
			t.Errorf("%d changes of form reported", n)
		}
		// Nobody else manages: Murat reads a page that says so.
		murat.Open(w.Training + "/company")
		if murat.Status() != 403 {
			t.Error("a trainer manages:", murat.Status())
		}
	})
}

// companyList is a table as a company keeps it: one is there already, one is
// new, one cannot be.
func companyList() [][]string {
	return [][]string{
		{"Name", "Vorname", "Azubi-Nr.", "Ausbildungsberuf", "Beginn", "Ende", "Ausbilder"},
		{"Ahorn", "Ada", "A-200", "Bäcker/-in", companyDay(0, 8, 1), companyDay(3, 7, 31), ""},
		{"Jasmin", "Jule", "A-300", "Konditorin", companyDay(0, 9, 1), companyDay(3, 8, 31), "Ute Uhl"},
		{"Stern", "Stella", "A-301", "Astronautin", companyDay(0, 9, 1), companyDay(3, 8, 31), ""},
	}
}

// Every page of the training administration, empty, filled, and with mistakes.
func TestGalleryBookCompany(t *testing.T) {
	t.Parallel() // they meet nobody: two look at once, on two cores
	w := start(t, "sqlite", story.Options{})
	bert, bakery := companyBert(t, w)
	bert.Inspect("company-overview-empty")
	for _, page := range []string{"trainees", "trainers", "assignments", "settings"} {
		bert.Open(w.Training + "/company/" + page)
		bert.Inspect("company-" + page + "-empty")
	}
	companyPeople(t, w, bakery, 6, "Ute Uhl", "Friedrich-Wilhelm Freiherr-von-Zabeltitz")
	murat := walks(t, w, "murat")
	murat.signIn()
	murat.Open(w.Training + "/reviews")
	bert.Open(w.Training + "/company/trainees/new")
	bert.Inspect("company-new")
	bert.Fill("Ausbildungsberuf", "Back")
	bert.Fill("E-Mail-Adresse", "lena@")
	bert.Press("Ausbildung eintragen")
	bert.Inspect("company-new-mistakes")
	companyNew(bert, "Lena", "Lerche", "A-1001")
	bert.Inspect("company-trainee-unknown")
	companyNew(bert, "Ada", "Ahorn", "")
	trainee := bert.URL()
	bert.Fill("Person", "Ada Ahorn (ada@example.org)")
	bert.Press("Verbinden")
	bert.Inspect("company-trainee-linked")
	companyNew(bert, "Ben", "Ahorn", "A-3")
	bert.Open(w.Training + "/company/trainees")
	bert.Inspect("company-trainees")
	bert.Open(w.Training + "/company/trainees?q=nobody")
	bert.Inspect("company-trainees-none")
	bert.Open(w.Training + "/company/assignments")
	bert.Follow("ankreuzen")
	bert.Inspect("company-assignments")
	bert.Press("Zuordnung ändern")
	bert.Inspect("company-change")
	bert.Press("Zuordnung speichern")
	bert.Inspect("company-change-mistake")
	bert.Fill("Wer ist zuständig?", "Ute Uhl (Ausbilder:in)")
	bert.Press("Zuordnung speichern")
	bert.Inspect("company-assignments-done")
	bert.Open(w.Training + "/company/assignments/change")
	bert.Inspect("company-change-nobody")
	bert.Open(trainee)
	bert.Inspect("company-trainee-assigned")
	bert.Open(trainee + "/edit")
	bert.Inspect("company-edit")
	bert.Open(trainee + "/continue")
	bert.Press("Fortsetzen")
	bert.Inspect("company-continue-mistakes")
	bert.Open(trainee + "/end")
	bert.Fill("Letzter Tag", companyDay(9, 1, 1))
	bert.Press("Ausbildung beenden")
	bert.Inspect("company-end-mistake")
	bert.Open(w.Training + "/company/settings")
	bert.Inspect("company-settings")
	bert.In("Bäcker/-in").Follow("Ändern")
	bert.Fill("Tage bis überfällig", "99")
	bert.Press("Speichern")
	bert.Inspect("company-setting-mistake")
	bert.Fill("Tage bis überfällig", "3")
	bert.Unchoose("Elektronischer Ausbildungsnachweis")
	bert.Press("Speichern")
	bert.Inspect("company-settings-reported")
	bert.Open(w.Training + "/company/trainers")
	bert.Inspect("company-trainers")
	bert.Open(w.Training + "/company")
	bert.Inspect("company-overview")
	bert.Open(w.Training + "/company/trainees/import")
	bert.Inspect("company-import")
	bert.Press("Liste einlesen")
	bert.Inspect("company-import-nothing")
	bert.Upload("Datei", rosterFile(t, "Azubis.xlsx", companyList()))
	bert.Press("Liste einlesen")
	bert.Inspect("company-list")
	bert.Press("2 Zeilen übernehmen")
	bert.Inspect("company-list-done")
	bert.Back()
	bert.Reload()
	bert.Inspect("company-list-taken")
	if _, err := registry.Import(t.Context(), w.TrainingDB, audit.Console, registry.Options{Chamber: story.ChamberNumber}, strings.NewReader(
		"Azubi-Identnummer;Vorname;Nachname;Identnummer;Ausbildungsberuf;Beginn;Ende\nA-1001;Lena;Lerche;100017;Bäckerin;"+companyDay(0, 8, 1)+";"+companyDay(3, 7, 31)+"\n")); err != nil {
		t.Fatal(err)
	}
	bert.Open(w.Training + "/company/trainees?q=Lerche")
	bert.Follow("Lena Lerche")
	bert.Inspect("company-trainee-registry")
	bert.Follow("Angaben ändern")
	bert.Inspect("company-edit-registry")
}
