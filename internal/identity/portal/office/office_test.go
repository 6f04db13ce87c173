package office_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/clerk"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/office"
	"zunft/internal/identity/portal/portaltest"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
	"zunft/internal/identity/tally"
	"zunft/internal/identity/textblock"
)

// A world has a chamber that Clara leads and where Kuno works, another one that
// Xenia leads, Otto who runs the installation, and Nora, who works for nobody.
type world struct {
	*portaltest.World
	mux          *web.Mux
	home, abroad string // chambers
	ids          map[string]string
	browsers     map[string]*portaltest.Person
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{World: portaltest.New(t, d), ids: map[string]string{}, browsers: map[string]*portaltest.Person{}}
		site, door, m := w.Front(web.Phrases, account.Phrases, chamber.Phrases, clerk.Phrases, policy.Phrases, textblock.Phrases, office.Phrases)
		(&office.Pages{DB: d, Site: site, Door: door}).Mount(m)
		w.mux, w.Handler = m, m.Handler()
		w.Write(w.settle)
		for name := range w.ids {
			w.signIn(name)
		}
		w.Inbox()
		f(t, w)
	})
}

func (w *world) settle(tx *db.Tx) error {
	if err := policy.EnsureDefault(tx); err != nil {
		return err
	}
	for number, id := range map[string]*string{"999": &w.home, "998": &w.abroad} {
		c, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: number, Name: "Kammer " + number, Phone: "0999 1", Email: "post@kammer.example"})
		if err != nil {
			return err
		}
		*id = c.ID
	}
	for _, name := range []string{"clara", "kuno", "nora", "otto", "xenia"} {
		a, err := account.Create(tx, audit.Console, account.New{GivenName: strings.ToUpper(name[:1]) + name[1:], FamilyName: "Beispiel", Username: name, Email: name + "@example.org", Password: "x", Confirmed: true})
		if err != nil {
			return err
		}
		w.ids[name] = a.ID
	}
	for _, s := range [][3]string{{"clara", w.home, chamber.Clerk}, {"kuno", w.home, chamber.Clerk}, {"xenia", w.abroad, chamber.Clerk}, {"otto", "", chamber.Operator}} { // the first of each leads
		if err := chamber.AddStaff(tx, audit.Console, w.ids[s[0]], s[1], s[2]); err != nil {
			return err
		}
	}
	return nil
}

// signIn opens a browser in which somebody has just proved that it is them.
func (w *world) signIn(name string) *portaltest.Person {
	w.T.Helper()
	p := w.Person("192.0.2.7")
	w.Write(func(tx *db.Tx) (err error) {
		p.Cookies["t_session"], _, err = session.Start(tx, audit.Actor{Account: w.ids[name]}, w.ids[name], "pwd otp mfa")
		return err
	})
	w.browsers[name] = p
	return p
}

func (w *world) records(event string) int {
	w.T.Helper()
	return w.Count(`SELECT count(*) FROM audit WHERE event = $1`, event)
}

// block is a text block of a chamber.
func (w *world) block(chamberID, purpose, title string) (b textblock.Block) {
	w.T.Helper()
	w.Write(func(tx *db.Tx) (err error) {
		b, err = textblock.Add(tx, audit.Console, textblock.Block{Chamber: chamberID, Purpose: purpose, Title: title, Body: "Text zu " + title})
		return err
	})
	return b
}

// Every page and form of a chamber's own office, by every kind of person who has
// no business there: nothing is shown, nothing is changed. Clerks look, the
// leading ones change, each at their own chamber.
func TestOfficeIsTheTeams(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.block(w.home, textblock.Question, "Anschrift").ID
		open := map[string]bool{"GET /chamber/templates": true, "GET /chamber/team": true} // for clerks who do not lead
		before := w.everything()
		for _, route := range w.mux.Routes {
			method, path, found := strings.Cut(route.Pattern, " ")
			if !found {
				continue // files of the frame
			}
			path = strings.Replace(path, "{id}", id, 1)
			form := url.Values(nil)
			if method == http.MethodPost {
				form = url.Values{"do": {"remove"}, "person": {w.ids["kuno"]}, "up": {id}, "purpose": {"name"}, "title": {"x"}, "body": {"x"}, "phone": {"0190"}, "version": {"1"}}
			}
			if p := w.Person("192.0.2.9").Do(method, path, form); p.Status != http.StatusSeeOther || !strings.HasPrefix(p.To, "/login") {
				t.Errorf("%s %s: %d to %s for a stranger", method, path, p.Status, p.To)
			}
			for _, name := range []string{"nora", "otto", "kuno"} {
				want := http.StatusForbidden
				if name == "kuno" && open[route.Pattern] {
					want = http.StatusOK
				}
				if p := w.browsers[name].Do(method, path, form); p.Status != want {
					t.Errorf("%s %s: %d for %s, want %d", method, path, p.Status, name, want)
				}
			}
			if p := w.browsers["xenia"].Do(method, path, nil); method == http.MethodGet && (strings.Contains(p.Text, "Anschrift") && strings.Contains(path, "templates") || strings.Contains(p.Text, "Clara")) {
				t.Errorf("%s %s: another chamber's lead sees it", method, path)
			}
		}
		for _, do := range []string{"save", "remove"} { // of another chamber there is no such block, and no such colleague
			w.browsers["xenia"].Post("/chamber/templates/"+id, "do", do, "title", "x", "body", "x", "version", "1").Want(t, http.StatusNotFound)
			w.browsers["xenia"].Post("/chamber/team", "do", "remove", "person", w.ids["kuno"]).Want(t, http.StatusConflict)
		}
		w.browsers["xenia"].Get("/chamber/templates/"+id).Want(t, http.StatusNotFound)
		w.browsers["xenia"].Post("/chamber/templates", "up", id).Want(t, http.StatusNotFound)
		w.browsers["xenia"].Post("/chamber/team", "do", "lead", "person", w.ids["kuno"]).Want(t, http.StatusConflict)
		if after := w.everything(); after != before {
			t.Errorf("somebody changed what is not theirs:\n%s\n%s", before, after)
		}
	})
}

// everything that the office settles, as text.
func (w *world) everything() (all string) {
	w.T.Helper()
	w.Write(func(tx *db.Tx) error {
		for _, query := range []string{
			`SELECT account, COALESCE(chamber, ''), role || CASE WHEN lead THEN ' lead' ELSE '' END FROM staff ORDER BY account, role`,
			`SELECT id, title, body || position FROM text_block ORDER BY id`, `SELECT chamber, body, '' FROM chamber_setting ORDER BY chamber`,
			`SELECT number, phone || hours || email || website, letter_signer FROM chamber ORDER BY number`,
		} {
			if err := tx.Each(query, nil, func(scan func(...any) error) error {
				var a, b, c string
				err := scan(&a, &b, &c)
				all += fmt.Sprintln(a, b, c)
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	})
	return all
}

// Text blocks: written, put in order, changed and removed by the lead; what is
// wrong stands at its field, nothing typed is lost, and two who change the same
// one do not overwrite each other.
func TestTextBlocks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		clara := w.browsers["clara"]
		clara.Get("/chamber/templates").Want(t, http.StatusOK, "Rückfrage zu einer Registrierung", "Noch kein Textbaustein")
		form := clara.Get("/chamber/templates/new?purpose=refusal").Want(t, http.StatusOK, "Neuer Textbaustein")
		if !strings.Contains(form.Body, `<option value="refusal" selected>`) {
			t.Error("the purpose that was asked for is not chosen")
		}
		if unknown := clara.Get("/chamber/templates/new?purpose=anything"); !strings.Contains(unknown.Body, `<option value="question" selected>`) {
			t.Error("for an unknown purpose none is chosen")
		}
		page := clara.Post("/chamber/templates/new", "purpose", "refusal", "title", "", "body", "Zeile 1\r\nZeile <2>").Want(t, http.StatusUnprocessableEntity, "Geben Sie einen kurzen Titel ein")
		if !strings.Contains(page.Body, "Zeile 1\r\nZeile &lt;2&gt;</textarea>") || !strings.Contains(page.Body, `<option value="refusal" selected>`) {
			t.Error("what was typed is lost")
		}
		clara.Post("/chamber/templates/new", "purpose", "refusal", "title", strings.Repeat("ä", 61), "body", strings.Repeat("ä", 501)).Want(t, http.StatusUnprocessableEntity, "höchstens 60 Zeichen", "höchstens 500 Zeichen")
		clara.Post("/chamber/templates/new", "purpose", "anything", "title", "x", "body", "x").Want(t, http.StatusUnprocessableEntity, "Wählen Sie, wofür der Text gedacht ist")
		for _, title := range []string{"Anschrift", "Firmierung", "Verzeichnis"} {
			clara.Post("/chamber/templates/new", "purpose", "refusal", "title", "  "+title+"\t", "body", "Bitte prüfen Sie: "+title).Goes(t, "/chamber/templates")
		}
		order := func() string {
			body, at := clara.Get("/chamber/templates").Text, []string{}
			for line := range strings.Lines(body) {
				for _, title := range []string{"Anschrift", "Firmierung", "Verzeichnis"} {
					if strings.Contains(line, "Bitte prüfen Sie: "+title) {
						at = append(at, title)
					}
				}
			}
			return strings.Join(at, " ")
		}
		var id string
		w.Write(func(tx *db.Tx) (err error) {
			id, err = db.Value[string](tx, `SELECT id FROM text_block WHERE title = 'Verzeichnis' AND chamber = $1`, w.home)
			return err
		})
		for _, want := range []string{"Anschrift Verzeichnis Firmierung", "Verzeichnis Anschrift Firmierung", "Verzeichnis Anschrift Firmierung"} { // the first one stays
			clara.Post("/chamber/templates", "up", id).Goes(t, "/chamber/templates#b-"+id)
			if got := order(); got != want {
				t.Errorf("in order: %s, want %s", got, want)
			}
		}
		clara.Post("/chamber/templates", "up", db.NewID()).Want(t, http.StatusNotFound)
		if w.browsers["kuno"].Get("/chamber/templates").Want(t, http.StatusOK, "Ändern können das die Leitenden des Teams.", "Bitte prüfen Sie: Anschrift"); strings.Contains(w.browsers["kuno"].Get("/chamber/templates").Body, "/chamber/templates/new") {
			t.Error("somebody who may not is led to the form")
		}

		// Two windows on one block.
		clara.Get("/chamber/templates/"+id).Want(t, http.StatusOK, "Verzeichnis", "Bitte prüfen Sie: Verzeichnis")
		clara.Post("/chamber/templates/"+id, "do", "save", "version", "1", "title", "Nicht im Verzeichnis", "body", "Wir finden Sie nicht.").Goes(t, "/chamber/templates")
		clara.Post("/chamber/templates/"+id, "do", "save", "version", "1", "title", "Alt", "body", "Alt").Want(t, http.StatusConflict, "inzwischen jemand anders geändert", "Wir finden Sie nicht.")
		clara.Post("/chamber/templates/"+id, "do", "save", "version", "2", "title", "", "body", "Neu").Want(t, http.StatusUnprocessableEntity, "Geben Sie einen kurzen Titel ein", "Neu")
		clara.Post("/chamber/templates/"+id, "do", "anything", "version", "2").Want(t, http.StatusUnprocessableEntity)
		clara.Post("/chamber/templates/"+id, "do", "remove").Goes(t, "/chamber/templates")
		clara.Post("/chamber/templates/"+id, "do", "remove").Want(t, http.StatusNotFound)
		clara.Get("/chamber/templates/"+id).Want(t, http.StatusNotFound)
		for event, want := range map[string]int{"text_block.added": 3, "text_block.changed": 1, "text_block.moved": 2, "text_block.removed": 1} {
			if n := w.records(event); n != want {
				t.Errorf("%s: %d on the record, want %d", event, n, want)
			}
		}
		for i := range textblock.MostOfOne - 2 {
			w.block(w.home, textblock.Refusal, fmt.Sprint("Nummer ", i))
		}
		clara.Post("/chamber/templates/new", "purpose", "refusal", "title", "Einer mehr", "body", "x").Want(t, http.StatusUnprocessableEntity, "Entfernen Sie zuerst einen")
	})
}

// The team: people who have an account are taken in, told and signed out, so
// that they come back by the factor a clerk needs; whoever goes is signed out,
// and somebody leads, always.
func TestTeam(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		clara := w.browsers["clara"]
		clara.Get("/chamber/team").Want(t, http.StatusOK, "Clara Beispiel (Sie)", "Kuno Beispiel", "kuno@example.org", "Person aufnehmen")
		if p := w.browsers["kuno"].Get("/chamber/team").Want(t, http.StatusOK, "Kuno Beispiel (Sie)", "Ändern können das die Leitenden des Teams."); strings.Contains(p.Body, "<form class=") {
			t.Error("a clerk who leads nothing sees a form")
		}
		for typed, says := range map[string]string{"": "mit @ und Endung", "nora": "mit @ und Endung", "niemand@example.org": "kein offenes Konto"} {
			page := clara.Post("/chamber/team", "do", "add", "email", typed).Want(t, http.StatusUnprocessableEntity, says)
			if !strings.Contains(page.Body, `value="`+typed+`"`) && typed != "" {
				t.Error("what was typed is lost")
			}
		}
		clara.Post("/chamber/team", "do", "add", "email", "kuno@example.org").Want(t, http.StatusConflict, "gehört schon zum Team")
		clara.Post("/chamber/team", "do", "anything").Want(t, http.StatusUnprocessableEntity)
		clara.Post("/chamber/team", "do", "add", "email", " nora@example.org ").Goes(t, "/chamber/team")
		w.One("nora@example.org", "Sie gehören jetzt zum Team")
		w.browsers["nora"].Get("/chamber/team").Goes(t, "/login?next=%2Fchamber%2Fteam") // signed out
		w.signIn("nora").Get("/chamber/team").Want(t, http.StatusOK, "Nora Beispiel (Sie)")

		// The lead goes round, and never away.
		clara.Post("/chamber/team", "do", "no_lead", "person", w.ids["clara"]).Want(t, http.StatusConflict, "Eine Person muss das Team leiten")
		clara.Post("/chamber/team", "do", "remove", "person", w.ids["clara"]).Want(t, http.StatusConflict, "Eine Person muss das Team leiten")
		clara.Post("/chamber/team", "do", "lead", "person", w.ids["xenia"]).Want(t, http.StatusConflict, "Am Team hat sich gerade etwas geändert") // another chamber's
		clara.Post("/chamber/team", "do", "lead", "person", w.ids["nora"]).Goes(t, "/chamber/team")
		clara.Post("/chamber/team", "do", "lead", "person", w.ids["nora"]).Want(t, http.StatusConflict)
		w.browsers["nora"].Post("/chamber/team", "do", "no_lead", "person", w.ids["clara"]).Goes(t, "/chamber/team")
		clara.Post("/chamber/team", "do", "add", "email", "otto@example.org").Want(t, http.StatusForbidden) // from this moment
		w.browsers["nora"].Post("/chamber/team", "do", "remove", "person", w.ids["kuno"]).Goes(t, "/chamber/team")
		w.browsers["kuno"].Get("/chamber/team").Goes(t, "/login?next=%2Fchamber%2Fteam")
		w.One("kuno@example.org", "Sie gehören nicht mehr zum Team")
		w.signIn("kuno").Get("/chamber/team").Want(t, http.StatusForbidden)
		for event, want := range map[string]int{"staff.not_found": 1, "staff.lead_given": 1, "staff.lead_taken": 1, "staff.removed": 1} {
			if n := w.records(event); n != want {
				t.Errorf("%s: %d on the record, want %d", event, n, want)
			}
		}
	})
}

// Somebody who leads together with others goes by themselves, and is at home then.
func TestLeavingTheTeam(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browsers["clara"].Post("/chamber/team", "do", "lead", "person", w.ids["kuno"]).Goes(t, "/chamber/team")
		w.browsers["clara"].Post("/chamber/team", "do", "remove", "person", w.ids["clara"]).Goes(t, "/")
		w.browsers["clara"].Get("/chamber/team").Want(t, http.StatusForbidden) // signed in still
	})
}

// Two leads who take the lead from each other at once: one of them keeps it.
func TestOneLeadStays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browsers["clara"].Post("/chamber/team", "do", "lead", "person", w.ids["kuno"]).Goes(t, "/chamber/team")
		var done sync.WaitGroup
		for _, pair := range [][2]string{{"clara", "kuno"}, {"kuno", "clara"}, {"clara", "clara"}, {"kuno", "kuno"}} {
			p, do := w.browsers[pair[0]].Again(), []string{"no_lead", "remove"}
			for _, do := range do {
				done.Go(func() { p.Again().Post("/chamber/team", "do", do, "person", w.ids[pair[1]]) })
			}
		}
		done.Wait()
		if n := w.Count(`SELECT count(*) FROM staff WHERE chamber = $1 AND lead`, w.home); n != 1 {
			t.Error(n, "lead the team")
		}
	})
}

// What a field of the settings refuses; all that is wrong is said at once, and
// what was typed stays.
func TestSettings(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		clara := w.browsers["clara"]
		page := clara.Get("/chamber/settings").Want(t, http.StatusOK, "Genau nach Angleichung", "Sofort Mitglied")
		if !strings.Contains(page.Body, `name="request_days" type="text" value="90"`) && !strings.Contains(page.Body, `value="90"`) {
			t.Error("the default does not stand there")
		}
		form := []string{
			"version", "0", "do", "save", "matching", "normalized", "proofs", "letter", "invitation", "member", "adviser", "", "four_eyes_below", "0", "release_from", "0", "sample_percent", "10", "active_from", "0",
			"evidence_months", "24", "letters_per_month", "3", "invitation_days", "7", "roster_days", "21", "remind_days", "3", "deputy_days", "7", "chamber_days", "14", "request_days", "90", "review_months", "6",
			"mandate_months", "24", "close_days", "30",
		}
		with := func(pairs ...string) []string {
			all := append([]string{}, form...)
			for i := 0; i < len(pairs); i += 2 {
				for j := 0; j < len(all); j += 2 {
					if all[j] == pairs[i] {
						all[j+1] = pairs[i+1]
					}
				}
			}
			return all
		}
		page = clara.Post("/chamber/settings", with("release_from", "101", "sample_percent", "viel", "letters_per_month", "", "matching", "ungefähr", "proofs", "fax", "invitation", "nie", "adviser", strings.Repeat("ä", 201))...).
			Want(t, http.StatusUnprocessableEntity, "Geben Sie eine Zahl von 0 bis 100 ein", "Geben Sie eine Zahl von 1 bis 20 ein", "Wählen Sie einen der Werte aus", "Wählen Sie mindestens einen Weg des Nachweises", "Kürzen Sie den Text auf 200 Zeichen")
		for _, typed := range []string{`value="101"`, `value="viel"`} {
			if !strings.Contains(page.Body, typed) {
				t.Errorf("%s is lost", typed)
			}
		}
		clara.Post("/chamber/settings", with("remind_days", "8")...).Want(t, http.StatusUnprocessableEntity, "Die Fristen müssen aufeinander folgen")
		if w.Count(`SELECT count(*) FROM chamber_setting`) != 0 {
			t.Fatal("kept though something was wrong")
		}
		// A preview says what would come of it, and keeps nothing.
		w.open(4)
		w.browsers["clara"].Post("/chamber/settings", with("do", "preview", "release_from", "50")...).Want(t, http.StatusOK, "Mit diesen Werten", "2 von 4 offenen Registrierungen wären ohne Prüfung freigegeben", "Noch ist nichts gespeichert")
		clara.Post("/chamber/settings", with("do", "preview", "release_from", "500")...).Want(t, http.StatusUnprocessableEntity, "Geben Sie eine Zahl von 0 bis 100 ein")
		if w.Count(`SELECT count(*) FROM chamber_setting`) != 0 {
			t.Fatal("a preview kept something")
		}
		clara.Post("/chamber/settings", with("release_from", "90", "matching", "literal", "invitation", "confirm")...).Goes(t, "/chamber/settings")
		if body := clara.Get("/chamber/settings").Want(t, http.StatusOK).Body; !strings.Contains(body, `value="90"`) || !strings.Contains(body, `value="literal" checked`) || !strings.Contains(body, `value="confirm" checked`) {
			t.Error("what was saved does not stand there")
		}
		// Who saw the settings before that does not undo them unseen.
		page = clara.Post("/chamber/settings", with("close_days", "5")...).Want(t, http.StatusConflict, "inzwischen jemand anders geändert")
		if !strings.Contains(page.Body, `value="literal" checked`) {
			t.Error("the new state is not shown")
		}
		clara.Post("/chamber/settings", with("version", "1", "close_days", "5")...).Goes(t, "/chamber/settings")
		w.Write(func(tx *db.Tx) error {
			for id, days := range map[string]int{w.home: 5, w.abroad: 30} { // each chamber's own
				s, err := chamber.SettingsOf(tx, id)
				if err != nil || s.CloseDays != days {
					t.Error(s.CloseDays, err)
				}
			}
			return nil
		})
		if n := w.records("chamber.settings_changed"); n != 2 {
			t.Error(n, "on the record")
		}
	})
}

// open puts registrations before the chamber, half of which fit the directory well.
func (w *world) open(n int) {
	w.T.Helper()
	w.Write(func(tx *db.Tx) error {
		for i := range n {
			if _, err := tx.Exec(`INSERT INTO registration (id, reference, chamber, applicant, name, legal_form, street, house_number, postcode, place, ident_number, register_kind, register_number, register_court, reason, company_key, state, score, risk, entry, submitted_at)
				VALUES ($1, $1, $2, $3, 'x', '', '', '', '', '', '', '', '', '', 'x', $1, 'submitted', $4, 0, 'entry', $5)`, fmt.Sprint("r", i), w.home, w.ids["nora"], 30+40*(i%2), tx.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	if err := tally.Count(w.T.Context(), w.D); err != nil {
		w.T.Fatal(err)
	}
}

// How people reach the chamber (R222), and who signs its letters.
func TestR222Contact(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		clara := w.browsers["clara"]
		if page := clara.Get("/chamber/settings/contact").Want(t, http.StatusOK, "Sprechzeiten"); !strings.Contains(page.Body, `value="post@kammer.example"`) {
			t.Error("what holds does not stand there")
		}
		page := clara.Post("/chamber/settings/contact", "version", "1", "phone", strings.Repeat("1", 201), "email", "post", "website", "ftp://kammer.example", "hours", "Montag").
			Want(t, http.StatusUnprocessableEntity, "Kürzen Sie den Text auf 200 Zeichen", "mit @", "www.kammer.example")
		if !strings.Contains(page.Body, `value="Montag"`) || !strings.Contains(page.Body, `value="ftp://kammer.example"`) {
			t.Error("what was typed is lost")
		}
		clara.Post("/chamber/settings/contact", "version", "1", "phone", "0999 2", "hours", " Mo–Fr   8–12 ", "letter_signer", "Clara Clausen").Goes(t, "/chamber/settings/contact")
		w.Write(func(tx *db.Tx) error {
			c, err := chamber.Get(tx, w.home)
			if err != nil || c.Phone != "0999 2" || c.Hours != "Mo–Fr 8–12" || c.Email != "" || c.LetterSigner != "Clara Clausen" || c.Name != "Kammer 999" || c.Number != "999" {
				t.Errorf("%+v %v", c, err)
			}
			return nil
		})
		clara.Post("/chamber/settings/contact", "version", "1", "phone", "0999 3").Want(t, http.StatusConflict, "Inzwischen hat jemand die Angaben dieser Kammer geändert")
		if n := w.records("chamber.updated"); n != 1 {
			t.Error(n, "on the record")
		}
	})
}

// What gives power or settles how the chamber works is asked for a proof first;
// what was sent waits for it.
func TestOfficeNeedsAProof(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Pass(session.Fresh + time.Second)
		before := w.everything()
		clara := w.browsers["clara"]
		for _, path := range []string{"/chamber/team", "/chamber/settings", "/chamber/settings/contact"} {
			clara.Post(path, "do", "add", "email", "nora@example.org", "version", "1").Goes(t, "/account/confirm?next=%2Fparked")
			clara.Get(path).Want(t, http.StatusOK) // looking does not
		}
		if w.everything() != before {
			t.Error("changed without a proof")
		}
		clara.Post("/chamber/templates/new", "purpose", "name", "title", "x", "body", "x").Goes(t, "/chamber/templates") // everyday work
	})
}

// The pages exist in English, too.
func TestOfficeInEnglish(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		clara := w.browsers["clara"]
		clara.Get("/chamber/team?lang=en").Want(t, http.StatusOK, "Team")
		for _, path := range []string{"/chamber/templates", "/chamber/templates/new", "/chamber/settings", "/chamber/settings/contact"} {
			if p := clara.Get(path).Want(t, http.StatusOK); strings.Contains(p.Text, "office.") || strings.Contains(p.Text, "Speichern") {
				t.Errorf("%s is not all English:\n%s", path, p.Text)
			}
		}
		clara.Post("/chamber/team", "do", "add", "email", "").Want(t, http.StatusUnprocessableEntity, "with @ and an ending")
	})
}
