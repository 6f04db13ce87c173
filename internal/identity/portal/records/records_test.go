package records_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/clerk"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/activity"
	"zunft/internal/identity/portal/desk"
	"zunft/internal/identity/portal/portaltest"
	"zunft/internal/identity/portal/records"
	"zunft/internal/identity/request"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/search"
	"zunft/internal/identity/session"
	"zunft/internal/identity/tally"
)

// A world has two chambers with a clerk each: Clara with a bakery (Bert
// administers, Lena works there), Xenia with a mill (Murat administers). Nora
// belongs to nobody, Otto runs the installation.
type world struct {
	*portaltest.World
	mux          *web.Mux
	home, abroad string
	bakery, mill string
	ids          map[string]string
	browsers     map[string]*portaltest.Person
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{World: portaltest.New(t, d), ids: map[string]string{}, browsers: map[string]*portaltest.Person{}, bakery: db.NewID(), mill: db.NewID()}
		site, door, m := w.Front(web.Phrases, account.Phrases, application.Phrases, chamber.Phrases, clerk.Phrases, directory.Phrases, letter.Phrases, membership.Phrases, notice.Phrases, organization.Phrases, policy.Phrases,
			request.Phrases, activity.Phrases, desk.Phrases, records.Phrases)
		(&records.Pages{DB: d, Site: site, Door: door}).Mount(m)
		w.mux, w.Handler = m, m.Handler()
		w.Write(w.settle)
		for name := range w.ids {
			w.signIn(name)
		}
		w.follow()
		w.Inbox()
		f(t, w)
	})
}

func (w *world) settle(tx *db.Tx) error {
	if err := policy.EnsureDefault(tx); err != nil {
		return err
	}
	for number, id := range map[string]*string{"999": &w.home, "998": &w.abroad} {
		c, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: number, Name: "Kammer " + number, Phone: "0999 1"})
		if err != nil {
			return err
		}
		*id = c.ID
	}
	for _, name := range []string{"anna", "bert", "clara", "kuno", "lena", "murat", "nora", "otto", "xenia"} {
		a, err := account.Create(tx, audit.Console, account.New{GivenName: strings.ToUpper(name[:1]) + name[1:], FamilyName: "Beispiel", Username: name, Email: name + "@example.org", Password: "x", Confirmed: true})
		if err != nil {
			return err
		}
		w.ids[name] = a.ID
	}
	for _, s := range [][3]string{{"clara", w.home, chamber.Clerk}, {"kuno", w.home, chamber.Clerk}, {"xenia", w.abroad, chamber.Clerk}, {"otto", "", chamber.Operator}} {
		if err := chamber.AddStaff(tx, audit.Console, w.ids[s[0]], s[1], s[2]); err != nil {
			return err
		}
	}
	for _, c := range []struct{ id, chamber, ident, name, admin string }{{w.bakery, w.home, "100017", "Bäckerei Morgenrot GmbH", "bert"}, {w.mill, w.abroad, "200001", "Mühle Weißenborn", "murat"}} {
		if err := company(tx, c.id, c.chamber, c.ident, c.name, organization.Active, w.ids[c.admin]); err != nil {
			return err
		}
		if err := membership.Grant(tx, audit.Console, c.id, w.ids[c.admin], true); err != nil {
			return err
		}
	}
	return membership.Grant(tx, audit.Console, w.bakery, w.ids["lena"], false)
}

func company(tx *db.Tx, id, chamberID, ident, name, state, by string) error {
	if _, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
		management, company_key, name_key, state, registered_by, created_at) VALUES ($1, $2, $3, $4, '', 'Mehlgasse', '4', '00999', 'Musterdorf', '', '', '', 'Greta Grau', $1, lower($4), $5, $6, $7)`,
		id, chamberID, ident, name, state, by, tx.Now()); err != nil {
		return err
	}
	return audit.Record(tx, audit.Console, audit.Entry{Event: "organization.created", Organization: id, Chamber: chamberID}) // words follow the record
}

// follow brings what happened into the search and the figures.
func (w *world) follow() {
	w.T.Helper()
	w.Pass(time.Minute)
	if err := search.Follow(w.T.Context(), w.D); err != nil {
		w.T.Fatal(err)
	}
	if err := tally.Count(w.T.Context(), w.D); err != nil {
		w.T.Fatal(err)
	}
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

func (w *world) at() string             { return "/chamber/organizations/" + w.bakery }
func (w *world) who(name string) string { return "/chamber/persons/" + w.ids[name] }

// Every page and form by every kind of person who has no business there, and by
// a clerk of another chamber: nothing is shown, nothing is changed.
func TestRecordsAreTheClerks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, route := range w.mux.Routes {
			method, path, found := strings.Cut(route.Pattern, " ")
			if !found {
				continue // files of the frame
			}
			path = strings.Replace(path, "organizations/{id}", "organizations/"+w.bakery, 1)
			path = strings.Replace(path, "persons/{id}", "persons/"+w.ids["lena"], 1)
			forms := []url.Values{nil}
			if method == http.MethodPost {
				forms = forms[:0]
				for _, do := range []string{"lock", "unlock", "letter", "take_back"} {
					forms = append(forms, url.Values{"do": {do}, "reason": {"Darum."}})
				}
			}
			for _, form := range forms {
				if p := w.Person("192.0.2.9").Do(method, path, form); p.Status != http.StatusSeeOther || !strings.HasPrefix(p.To, "/login") {
					t.Errorf("%s %s: %d to %s for a stranger", method, path, p.Status, p.To)
				}
				for _, name := range []string{"bert", "lena", "nora", "otto"} {
					if p := w.browsers[name].Do(method, path, form); p.Status != http.StatusForbidden {
						t.Errorf("%s %s: %d for %s", method, path, p.Status, name)
					}
				}
				p := w.browsers["xenia"].Do(method, path, form)
				if strings.Contains(route.Pattern, "{id}") && p.Status != http.StatusNotFound || strings.Contains(p.Text, "Morgenrot") || strings.Contains(p.Text, "Lena") {
					t.Errorf("%s %s: %d for another chamber's clerk\n%s", method, path, p.Status, p.Text)
				}
			}
		}
		if n := w.records("person.looked"); n != 0 {
			t.Error(n, "looks on the record though nobody saw anything")
		}
		for what, query := range map[string]string{"locked": `SELECT count(*) FROM organization WHERE state <> 'active'`, "letters": `SELECT count(*) FROM letter`, "people locked": `SELECT count(*) FROM account WHERE state <> 'active'`} {
			if n := w.Count(query); n != 0 {
				t.Error(n, what)
			}
		}
		w.browsers["clara"].Get("/chamber/organizations/"+db.NewID()).Want(t, http.StatusNotFound)
		w.browsers["clara"].Get("/chamber/persons/"+db.NewID()).Want(t, http.StatusNotFound)
	})
}

// Searching companies: what was asked for stands in the address and in the
// fields; filters work typed and as fields; a page has fifty and leads on.
func TestSearchCompanies(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		clara := w.browsers["clara"]
		clara.Get("/chamber/organizations").Want(t, http.StatusOK, "Bäckerei Morgenrot GmbH", "Mehlgasse 4, 00999 Musterdorf", "100017")
		for query, found := range map[string]bool{
			"q=morgen": true, "q=BAECK+muster": true, "q=dorf": false, "q=100017": true, "q=nr%3A100017": true, "q=plz%3A00999": true, "q=ort%3Amuster": true, "place=Musterdorf": true, "status=active": true, "q=status%3Aaktiv+morgen": true,
			"q=status%3Agesperrt": false, "status=locked": false, "place=Nirgendwo": false, "q=morgen+abend": false, "q=M%C3%BChle": false, "q=200001": false, "q=nr%3A200001": false, "q=%25": true, "q='%3B+DROP+TABLE": false,
		} {
			p := clara.Get("/chamber/organizations?"+query).Want(t, http.StatusOK)
			if strings.Contains(p.Text, "Bäckerei Morgenrot") != found {
				t.Errorf("%s: found %t", query, !found)
			}
			if strings.Contains(p.Text, "Mühle Weißenborn") {
				t.Errorf("%s finds another chamber's company", query)
			}
		}
		p := clara.Get("/chamber/organizations?q=%3Cb%3Enichts&place=Nirgendwo&status=closed").Want(t, http.StatusOK, "Keine Treffer für „<b>nichts Geschlossen Nirgendwo“")
		for _, kept := range []string{`value="&lt;b&gt;nichts"`, `value="Nirgendwo"`, `<option value="closed" selected>`} {
			if !strings.Contains(p.Body, kept) {
				t.Errorf("the field lost %s", kept)
			}
		}
		clara.Get("/chamber/organizations?status=anything").Want(t, http.StatusOK, "Bäckerei Morgenrot") // no filter that anybody knows

		w.Write(func(tx *db.Tx) error {
			for i := range 60 {
				if err := company(tx, db.NewID(), w.home, fmt.Sprint(300000+i), fmt.Sprintf("Gewerbe %02d", i), organization.Active, w.ids["nora"]); err != nil {
					return err
				}
			}
			return nil
		})
		w.follow()
		first := clara.Get("/chamber/organizations?q=gewerbe").Want(t, http.StatusOK, "Gewerbe 00", "Gewerbe 49", "Weitere")
		next := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(first.Body)
		if next == nil || strings.Contains(first.Text, "Gewerbe 50") {
			t.Fatal("the first page is not one of fifty")
		}
		second := clara.Get(strings.ReplaceAll(next[1], "&amp;", "&")).Want(t, http.StatusOK, "Gewerbe 50", "Gewerbe 59", "Zum Anfang")
		if strings.Contains(second.Text, "Gewerbe 49") || strings.Contains(second.Body, `rel="next"`) || !strings.Contains(second.Body, `value="gewerbe"`) {
			t.Error("the second page is not what is left")
		}
		clara.Get("/chamber/organizations?q=gewerbe&after="+db.NewID()).Want(t, http.StatusOK, "Gewerbe 00") // it is gone: from the beginning
	})
}

// A chamber without a company yet is led on.
func TestSearchWhereThereIsNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Exec(`UPDATE organization SET chamber = $1`, w.abroad)
		w.browsers["clara"].Get("/chamber/organizations").Want(t, http.StatusOK, "Noch kein Unternehmen hat hier ein Konto.")
		w.browsers["clara"].Get("/chamber/requests").Want(t, http.StatusOK, "Keine Anfrage ist so lange offen.")
		w.browsers["clara"].Get(w.at()).Want(t, http.StatusNotFound)
	})
}

// One company: data, people, evidence, letters and the record; a lock with a
// reason that its administration reads, and its end.
func TestOneCompany(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		clara := w.browsers["clara"]
		w.Write(func(tx *db.Tx) error {
			if err := organization.AddEvidence(tx, w.bakery, organization.Proof{Method: organization.ByLetter, Source: "Verzeichnis", Clerk: w.ids["kuno"], At: tx.Now()}); err != nil {
				return err
			}
			_, err := request.Submit(tx, audit.Actor{Account: w.ids["nora"]}, w.bakery, "Bitte", nil)
			return err
		})
		w.Inbox()
		clara.Get(w.at()).Want(t, http.StatusOK, "Bäckerei Morgenrot GmbH", "Identnummer 100017", "Greta Grau", "Bert Beispiel", "bert@example.org", "Kuno Beispiel", "Noch kein Brief.", "Das Verzeichnis nennt dieses Unternehmen nicht mehr.")
		for _, tried := range []struct{ reason, says string }{{"", "Nennen Sie den Grund"}, {" \n", "Nennen Sie den Grund"}, {strings.Repeat("ä", 501), "500"}} {
			p := clara.Post(w.at(), "do", "lock", "reason", tried.reason).Want(t, http.StatusUnprocessableEntity, tried.says)
			if !strings.Contains(p.Body, "<details open>") {
				t.Error("the form is folded up over its own complaint")
			}
		}
		clara.Post(w.at(), "do", "anything").Want(t, http.StatusUnprocessableEntity)
		clara.Post(w.at(), "do", "unlock").Want(t, http.StatusConflict)
		clara.Post(w.at(), "do", "lock", "reason", "Die Geschäftsführung hat angerufen.").Goes(t, w.at())
		if m := w.One("bert@example.org", ""); !strings.Contains(m.Body, "Die Geschäftsführung hat angerufen.") {
			t.Error(m.Body)
		}
		clara.Get(w.at()).Want(t, http.StatusOK, "Von der Kammer gesperrt", "Sperre aufheben", "Gesperrt")
		clara.Post(w.at(), "do", "lock", "reason", "Noch einmal.").Want(t, http.StatusConflict)
		clara.Post(w.at(), "do", "letter").Want(t, http.StatusConflict, "Heben Sie zuerst die Sperre auf")
		clara.Post(w.at(), "do", "unlock").Goes(t, w.at())
		w.One("bert@example.org", "")
		for event, want := range map[string]int{"organization.locked": 1, "organization.unlocked": 1} {
			if n := w.Count(`SELECT count(*) FROM audit WHERE event = $1 AND organization = $2 AND chamber = $3 AND actor = $4`, event, w.bakery, w.home, w.ids["clara"]); n != want {
				t.Errorf("%s: %d on the record", event, n)
			}
		}
		clara.Get(w.at()).Want(t, http.StatusOK, "Clara Beispiel", "Ganzer Verlauf im Protokoll")
	})
}

// R102: a clerk sends a company a new letter, one at a time, and three in thirty
// days, as its chamber settled, whoever of the desk asks.
func TestR102LetterFromTheDesk(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		clara, offer := w.browsers["clara"], `value="letter"`
		for i := range 3 {
			if p := clara.Get(w.at()).Want(t, http.StatusOK, "mit dem eine weitere Person Administration wird"); !strings.Contains(p.Body, offer) {
				t.Error("no letter is offered")
			}
			clara.Post(w.at(), "do", "letter").Goes(t, w.at())
			if p := clara.Get(w.at()).Want(t, http.StatusOK, "Neue Administration", "Wartet"); strings.Contains(p.Body, offer) {
				t.Error("another letter is offered while one waits")
			}
			if i < 2 { // after the third it is said that there were enough
				clara.Post(w.at(), "do", "letter").Want(t, http.StatusConflict, "schon vorgemerkt")
			}
			if n := w.Count(`SELECT count(*) FROM letter`); n != i+1 {
				t.Error(n, "letters")
			}
			w.printed()
		}
		w.browsers["kuno"].Post(w.at(), "do", "letter").Want(t, http.StatusTooManyRequests)
		if live, void := w.Count(`SELECT count(*) FROM letter WHERE organization = $1 AND kind = 'succession' AND state = 'printed'`, w.bakery), w.Count(`SELECT count(*) FROM letter WHERE state = 'void'`); live != 3 || void != 0 { // a further one must not keep the management out
			t.Errorf("%d letters hold, %d are void", live, void)
		}
		clara.Get(w.at()).Want(t, http.StatusOK, "Gedruckt")
		w.Pass(31 * 24 * time.Hour)
		w.Exec(`UPDATE organization SET state = 'letter' WHERE id = $1`, w.bakery)
		clara = w.signIn("clara")
		clara.Get(w.at()).Want(t, http.StatusOK, "mit neuem Aktivierungskennwort")
		clara.Post(w.at(), "do", "letter").Goes(t, w.at())
		if w.Count(`SELECT count(*) FROM letter WHERE kind = 'activation' AND state = 'queued'`) != 1 {
			t.Error("a company that was never active is sent another kind of letter")
		}
		if n := w.Count(`SELECT count(*) FROM audit WHERE event = 'organization.letter_requested' AND organization = $1 AND actor = $2`, w.bakery, w.ids["clara"]); n != 4 {
			t.Error(n, "on the record")
		}
	})
}

// printed brings the letters that wait onto paper.
func (w *world) printed() {
	w.T.Helper()
	none := func(*db.Tx, string, []string) (map[string]letter.Paper, error) { return nil, nil }
	if _, _, err := letter.Print(w.T.Context(), w.D, audit.Actor{Account: w.ids["clara"]}, w.home, portaltest.Base, none); err != nil {
		w.T.Fatal(err)
	}
}

// Searching people: nobody is listed before somebody is asked for; found is who
// has to do with the chamber, and nobody else.
func TestSearchPeople(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		clara := w.browsers["clara"]
		if p := clara.Get("/chamber/persons").Want(t, http.StatusOK, "Jeder Blick auf eine Person wird verzeichnet"); strings.Contains(p.Text, "Lena") {
			t.Error("people are listed unasked")
		}
		for query, want := range map[string]string{
			"q=lena": "Lena Beispiel", "q=bei": "Lena Beispiel", "q=lena%40example.org": "Lena Beispiel", "status=active": "Lena Beispiel", "q=status%3Aaktiv+lena": "Lena Beispiel",
			"q=murat": "Keine Treffer für „murat“", "q=nora": "Keine Treffer", "q=murat%40example.org": "Keine Treffer", "q=status%3Agesperrt": "Keine Treffer", "status=locked&q=lena": "Keine Treffer",
		} {
			clara.Get("/chamber/persons?"+query).Want(t, http.StatusOK, want)
		}
		if n := w.records("person.looked"); n != 0 {
			t.Error("a search is on the record as a look")
		}
		for _, name := range []string{"murat", "nora", "otto"} { // not by their id either
			clara.Get(w.who(name)).Want(t, http.StatusNotFound)
			clara.Post(w.who(name), "do", "lock", "reason", "Darum.").Want(t, http.StatusNotFound)
		}
		w.Write(func(tx *db.Tx) error { return membership.Grant(tx, audit.Console, w.bakery, w.ids["murat"], false) })
		w.follow()
		p := clara.Get("/chamber/persons?q=murat").Want(t, http.StatusOK, "Murat Beispiel")
		if p = clara.Get(w.who("murat")).Want(t, http.StatusOK, "Bäckerei Morgenrot GmbH"); strings.Contains(p.Text, "Mühle") {
			t.Error("a clerk sees of a person what belongs to another chamber")
		}
	})
}

// One person: each look is recorded, and they can see it; a lock ends all
// sessions, its reason is read; the chamber opens what a chamber locked only.
func TestOnePerson(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		clara := w.browsers["clara"]
		clara.Get(w.who("lena")).Want(t, http.StatusOK, "Lena Beispiel", "lena@example.org", "Ihr Blick auf diese Seite ist verzeichnet.", "Bäckerei Morgenrot GmbH", "Mitglied", "selbst angegeben")
		if w.Count(`SELECT count(*) FROM audit WHERE event = 'person.looked' AND account = $1 AND actor = $2 AND chamber = $3`, w.ids["lena"], w.ids["clara"], w.home) != 1 {
			t.Error("the look is not on the record")
		}
		for _, tried := range []struct{ reason, says string }{{"", "Geben Sie den Grund der Sperre ein"}, {strings.Repeat("ä", 501), "höchstens 500 Zeichen"}} {
			p := clara.Post(w.who("lena"), "do", "lock", "reason", tried.reason).Want(t, http.StatusUnprocessableEntity, tried.says)
			if !strings.Contains(p.Body, "<details open>") || !strings.Contains(p.Body, ">\n"+tried.reason+"</textarea>") {
				t.Error("the form is folded up, or what was typed is lost")
			}
		}
		clara.Post(w.who("lena"), "do", "anything").Want(t, http.StatusUnprocessableEntity)
		clara.Post(w.who("lena"), "do", "unlock").Want(t, http.StatusConflict)
		clara.Post(w.who("lena"), "do", "lock", "reason", "Das Telefon wurde gestohlen.").Goes(t, w.who("lena"))
		if m := w.One("lena@example.org", "Ihre Kammer hat Ihr Konto gesperrt"); !strings.Contains(m.Body, "Das Telefon wurde gestohlen.") || !strings.Contains(m.Body, "Kammer 999") {
			t.Error(m.Body)
		}
		w.browsers["lena"].Get("/chamber/persons").Goes(t, "/login?next=%2Fchamber%2Fpersons")
		clara.Get(w.who("lena")).Want(t, http.StatusOK, "Gesperrt", "Die Kammer hat dieses Konto gesperrt.", "Konto entsperren")
		clara.Get("/chamber/persons?q=lena").Want(t, http.StatusOK, "Lena Beispiel")
		clara.Post(w.who("lena"), "do", "lock", "reason", "Noch einmal.").Want(t, http.StatusConflict)
		clara.Post(w.who("lena"), "do", "unlock").Goes(t, w.who("lena"))
		if m := w.One("lena@example.org", "Ihr Konto ist wieder offen"); !strings.Contains(m.Body, "/report-activity/") {
			t.Error(m.Body)
		}
		// What people did themselves stays theirs.
		w.Exec(`UPDATE account SET state = 'locked', lock_reason = 'self' WHERE id = $1`, w.ids["lena"])
		clara.Get(w.who("lena")).Want(t, http.StatusOK, "Diese Person hat ihr Konto selbst gesperrt.", "Diese Sperre hebt die Person selbst auf.")
		clara.Post(w.who("lena"), "do", "unlock").Want(t, http.StatusConflict)
		// Staff and oneself are not for the desk.
		for _, name := range []string{"kuno", "clara"} {
			clara.Post(w.who(name), "do", "lock", "reason", "Darum.").Want(t, http.StatusConflict, "wird hier nicht gesperrt")
		}
		if p := clara.Get(w.who("clara")).Want(t, http.StatusOK, "Ihr eigenes Konto sperren Sie im Profil."); strings.Contains(p.Body, `value="lock"`) {
			t.Error("the page offers what it refuses")
		}
		if n := w.records("person.locked"); n != 1 {
			t.Error(n, "locks on the record")
		}
		w.Exec(`UPDATE account SET state = 'deleted' WHERE id = $1`, w.ids["lena"])
		clara.Get(w.who("lena")).Want(t, http.StatusNotFound)
	})
}

// What opens and closes a company or an account is asked for a proof first; a
// letter and looking are not.
func TestRecordsNeedAProof(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Pass(session.Fresh + time.Second)
		clara := w.browsers["clara"]
		for _, path := range []string{w.at(), w.who("lena")} {
			for _, do := range []string{"lock", "unlock"} {
				clara.Post(path, "do", do, "reason", "Darum.").Goes(t, "/account/confirm?next=%2Fparked")
			}
			clara.Get(path).Want(t, http.StatusOK)
		}
		if w.Count(`SELECT count(*) FROM organization WHERE state = 'locked'`)+w.Count(`SELECT count(*) FROM account WHERE state = 'locked'`) != 0 {
			t.Error("locked without a proof")
		}
		clara.Post(w.at(), "do", "letter").Goes(t, w.at())
	})
}

// Requests that no administration answers come to the desk of their chamber, the
// longest waiting first; it sees them and decides nothing (L12).
func TestOverdueRequests(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Write(func(tx *db.Tx) error {
			for name, org := range map[string]string{"nora": w.bakery, "anna": w.mill} {
				if _, err := request.Submit(tx, audit.Actor{Account: w.ids[name]}, org, "Bitte", nil); err != nil {
					return err
				}
			}
			return nil
		})
		clara := w.browsers["clara"]
		clara.Get("/chamber/requests").Want(t, http.StatusOK, "Keine Anfrage ist so lange offen.")
		for range 3 {
			w.Pass(14 * 24 * time.Hour)
			if err := w.D.Batches(t.Context(), request.Wait); err != nil {
				t.Fatal(err)
			}
		}
		clara = w.signIn("clara")
		if p := clara.Get("/chamber/requests").Want(t, http.StatusOK, "Bäckerei Morgenrot GmbH", "Nora Beispiel"); strings.Contains(p.Text, "Mühle") || strings.Contains(p.Body, "<form method") && strings.Contains(p.Body, "/approve") {
			t.Error("another chamber's, or something to decide")
		}
		w.Write(func(tx *db.Tx) error {
			for i := range 55 {
				id := fmt.Sprintf("late-%02d", i)
				if _, err := tx.Exec(`INSERT INTO account (id, salutation, title, given_name, family_name, name_key, username, username_key, email, email_key, password, state, created_at)
					VALUES ($1, '', '', 'Person', $1, $1, $1, $1, $1, $1, '', 'active', $2)`, id, tx.Now()); err != nil {
					return err
				}
				if _, err := tx.Exec(`INSERT INTO request (id, kind, organization, applicant, reason, state, submitted_at, chamber_at) VALUES ($1, 'join', $2, $1, 'x', 'open', $3, $4)`, id, w.bakery, tx.Now(), tx.Now().Add(time.Duration(i)*time.Second)); err != nil {
					return err
				}
			}
			return nil
		})
		first := clara.Get("/chamber/requests").Want(t, http.StatusOK, "late-00", "late-48", "Weitere")
		next := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(first.Body)
		if next == nil || strings.Contains(first.Text, "late-49") {
			t.Fatal("the first page is not one of fifty")
		}
		if p := clara.Get(next[1]).Want(t, http.StatusOK, "late-49", "late-54"); strings.Contains(p.Text, "late-48") {
			t.Error("the second page repeats the first")
		}
	})
}

// Figures: what waits, by queue with its age, and a chart whose numbers a screen
// reader reads; of the own chamber only.
func TestStatistics(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		clara := w.browsers["clara"]
		clara.Get("/chamber/statistics").Want(t, http.StatusOK, "Gerade wartet nichts.")
		w.Write(func(tx *db.Tx) error {
			for i := range 5 {
				at := map[bool]string{true: w.home, false: w.abroad}[i < 3]
				if _, err := tx.Exec(`INSERT INTO registration (id, reference, chamber, applicant, name, legal_form, street, house_number, postcode, place, ident_number, register_kind, register_number, register_court, reason, company_key, state, score, risk, entry, submitted_at)
					VALUES ($1, $1, $2, $3, 'x', '', '', '', '', '', '', '', '', '', 'x', $1, 'submitted', 50, 0, '', $4)`, fmt.Sprint("r", i), at, w.ids["nora"], tx.Now()); err != nil {
					return err
				}
			}
			return nil
		})
		w.follow()
		p := clara.Get("/chamber/statistics").Want(t, http.StatusOK, "Aktive Unternehmen", "Registrierungen nach Monat", "Registrierungen")
		if !strings.Contains(p.Body, `<span class="tile-count">1</span>`) || strings.Contains(p.Body, `<span class="tile-count">2</span></a></li>`) && !strings.Contains(p.Text, "Personen") {
			t.Error("the counts are another chamber's")
		}
		chart := regexp.MustCompile(`(?s)<svg[^>]*aria-labelledby="chart-title chart-text".*?</svg>`).FindString(p.Body)
		if !strings.Contains(chart, "November: 3") || !strings.Contains(chart, `<desc id="chart-text">`) {
			t.Errorf("the chart does not say its numbers:\n%s", chart)
		}
		if strings.Contains(p.Body, "<script") || strings.Contains(chart, "href=") {
			t.Error("the chart needs more than the page")
		}
		w.browsers["xenia"].Get("/chamber/statistics").Want(t, http.StatusOK, "Kennzahlen")
	})
}

// The pages exist in English, too.
func TestRecordsInEnglish(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		clara := w.browsers["clara"]
		clara.Get("/chamber/statistics?lang=en").Want(t, http.StatusOK)
		for _, path := range []string{"/chamber/organizations?q=x", "/chamber/persons?q=x", w.at(), w.who("lena"), "/chamber/requests"} {
			p := clara.Get(path).Want(t, http.StatusOK)
			for _, german := range []string{"records.", "Suchen", "Sperre", "Unternehmen", "Keine Treffer"} {
				if strings.Contains(p.Text, german) {
					t.Errorf("%s is not all English: %s", path, german)
				}
			}
		}
		clara.Post(w.who("lena"), "do", "lock", "reason", "").Want(t, http.StatusUnprocessableEntity)
	})
}
