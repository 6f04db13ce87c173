package portal_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/portal"
	"zunft/internal/training/schema"
)

// R224–R229, R330–R335, S29, S30: written, submitted, returned, mended, signed
// off, returned again; each side reads what the other did.
func TestTheWholeWayOfAReport_R224_R226_R227_R229_R335(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		bert := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer"))
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))

		anna.get("/").is(200).has("Guten Tag, Anna", "Woche 47 schreiben und einreichen", `href="/reports"`).lacks(`href="/reviews"`)
		edit := anna.get("/reports/2026-W47").is(200).has("16.11. – 22.11.2026", "Betriebliche Tätigkeiten", "Tage, Ort und Stunden", "§ 13 Satz 2 Nr. 7 BBiG")

		// Submitting nothing says what to do; R-wording of ux.md 2.9 no. 16.
		anna.post("/reports/2026-W47/submit", "version", "0").is(422).has("Beschreiben Sie, was Sie im Betrieb gemacht haben – Stichworte genügen")

		check := anna.follow("/reports/2026-W47", "version", edit.version(), "do", "check", "work", "Brötchen geformt\r\nÖfen geputzt", "school", "Hefe",
			"d1_attendance", "company", "d1_text", "Teige", "d2_attendance", "school").is(200).
			has("Woche 47 prüfen und einreichen", "Brötchen geformt<br>Öfen geputzt", "Bert Meister", "Montag, 16.11.", "Jetzt einreichen")
		receipt := anna.follow("/reports/2026-W47/submit", "version", check.version()).is(200).has("Eingereicht", "Bert Meister", "Zurückziehen")
		_ = receipt
		anna.get("/reports/2026-W47").is(200).has("Eingereicht").lacks("<button class=\"button\" name=\"do\"")
		anna.post("/reports/2026-W47", "version", "2", "do", "save", "work", "anders").is(409).has("Ziehen Sie sie zurück", "anders")

		bert.get("/").is(200).has("1 Nachweis wartet auf Ihre Durchsicht").lacks(`href="/reports"`)
		id := idOf(t, bert.get("/reviews").is(200).has("Anna Muster, Woche 47"))
		review := bert.get("/reviews/"+id).is(200).has("Brötchen geformt", "Teige", "als Bert Meister", "Nachweis 1 von 1")
		bert.post("/reviews/"+id+"/return", "version", review.version()).is(422).has("Schreiben Sie, was noch anders werden soll")
		bert.post("/reviews/"+id+"/return", "version", review.version(), "reason", strings.Repeat("ä", 501)).is(422).has("höchstens 500 Zeichen")
		bert.follow("/reviews/"+id+"/return", "version", review.version(), "reason", "Bitte Mengen ergänzen").is(200).has("ist zurückgegeben", "Keine offenen Nachweise")
		bert.get("/reviews/" + id).is(200).has("wird gerade überarbeitet").lacks("Öfen geputzt")

		anna.get("/").is(200).has("Woche 47 überarbeiten", "„Bitte Mengen ergänzen“ – Bert Meister")
		edit = anna.get("/reports/2026-W47").is(200).has("Bitte Mengen ergänzen", "Brötchen geformt")
		anna.get("/reports/2026-W47/check").is(200).has("Seit die Woche zurückkam, haben Sie noch nichts geändert.")
		check = anna.follow("/reports/2026-W47", "version", edit.version(), "do", "check", "work", "200 Brötchen geformt").is(200).
			has("Geändert, seit die Woche zurückkam", "<ins><span class=\"visually-hidden\">Neu: </span>200 <span")
		anna.follow("/reports/2026-W47/submit", "version", check.version()).is(200)
		review = bert.get("/reviews/"+id).is(200).has("Neue Fassung, zurückgegeben am 18.11.2026", "Geändert:", "<ins><span class=\"visually-hidden\">Neu: </span>200 <span")
		bert.follow("/reviews/"+id+"/comment", "comment", "Schon viel besser").is(200).has("Schon viel besser")
		bert.follow("/reviews/"+id+"/sign-off", "version", review.version(), "reason", "Gut").is(200).has("ist abgezeichnet", "Rückgängig")
		anna.get("/reports/2026-W47").is(200).has("in Durchsicht").lacks("Abgezeichnet", "Gut")
		w.settle()
		anna.get("/reports/2026-W47").is(200).has("Abgezeichnet", "Schon viel besser", "Gut")
		anna.post("/reports/2026-W47/take-back").is(409)
		anna.follow("/reports/2026-W47/comment", "comment", "Danke").is(200).has("Danke")
		anna.get("/reports?view=list").is(200).has("Woche 47", "Abgezeichnet", "Leer")
		bert.get("/trainees").is(200).has("Anna Muster")
		bert.get("/trainees/anna").is(200).has("16.11. – 22.11.2026: Abgezeichnet")

		// R335: afterwards, by the trainer.
		review = bert.get("/reviews/" + id).is(200).has("Nachträglich zurückgeben")
		bert.follow("/reviews/"+id+"/reopen", "version", review.version(), "reason", "Doch noch etwas").is(200)
		anna.get("/reports/2026-W47").is(200).has("Doch noch etwas", "Prüfen und einreichen")

		// The PDF is the week (R224); text is checked in package book.
		pdf := anna.get("/reports/2026-W47.pdf").is(200)
		if !strings.HasPrefix(pdf.body, "%PDF-") || pdf.header.Get("Content-Type") != "application/pdf" {
			t.Errorf("no PDF: %.40q", pdf.body)
		}
	})
}

func idOf(t *testing.T, p page) string {
	t.Helper()
	_, rest, ok := strings.Cut(p.body, `<a href="/reviews/`)
	if !ok {
		t.Fatalf("no report on the page:\n%s", main(p.body))
	}
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

// Trainers of another company find nothing, apprentices nothing of others.
func TestOthersFindNothing_R227(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		bert := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer"))
		rita := w.comes(claims("rita", "Rita", "Fremd", "stahl", "trainer"))
		emil := w.comes(claims("emil", "Emil", "Muster", "korn", "apprentice"))
		vera := w.comes(claims("vera", "Vera", "Amt", "korn", "training_admin"))
		check := anna.follow("/reports/2026-W47", "version", "0", "do", "check", "work", "Geheimes Rezept")
		draft := anna.get("/reports/2026-W46")
		_ = draft
		anna.follow("/reports/2026-W47/submit", "version", check.version())
		id := idOf(t, bert.get("/reviews"))

		rita.get("/reviews").is(200).lacks("Anna")
		for _, path := range []string{"", ".pdf"} {
			rita.get("/reviews/" + id + path).is(404)
			emil.get("/reviews/" + id + path).is(404)
		}
		rita.get("/trainees/anna").is(404)
		for _, verb := range []string{"sign-off", "return", "reopen", "comment"} {
			rita.post("/reviews/"+id+"/"+verb, "version", "2", "reason", "x", "comment", "x").is(404)
			emil.post("/reviews/"+id+"/"+verb, "version", "2", "reason", "x", "comment", "x").is(404)
		}
		emil.get("/reviews").is(403)
		emil.get("/trainees").is(403)
		emil.get("/reports/2026-W47").is(200).lacks("Geheimes")
		bert.get("/reports").is(403)

		// A training admin reads and does not sign.
		vera.get("/reviews/"+id).is(200).has("Geheimes Rezept").lacks("Abzeichnen und", "Zurückgeben</button>")
		vera.post("/reviews/"+id+"/sign-off", "version", "2").is(403)

		for _, path := range []string{"/reports/2026-W54", "/reports/2026-W00", "/reports/9999-W01", "/reports/2026-47", "/reports/2027-W40", "/reports?year=1980", "/reviews/nichts"} {
			p := anna.get(path)
			if p.status != 404 {
				t.Errorf("%s answered %d, wanted 404", path, p.status)
			}
		}
	})
}

// The same week open twice: both versions are shown, nothing is overwritten.
func TestTwoDevicesShowBothVersions(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		anna.follow("/reports/2026-W47", "version", "0", "do", "save", "work", "vom Telefon").has("Gespeichert.")
		both := anna.post("/reports/2026-W47", "version", "0", "do", "save", "work", "vom Rechner").is(409).
			has("auf einem anderen Gerät geändert", "vom Telefon", "vom Rechner", "Gespeicherte Fassung behalten")
		anna.get("/reports/2026-W47").has("vom Telefon").lacks("vom Rechner")
		anna.follow("/reports/2026-W47", "version", both.version(), "do", "save", "work", "vom Rechner").has("vom Rechner")
		// The same button pressed twice is no conflict.
		anna.follow("/reports/2026-W47", "version", both.version(), "do", "save", "work", "vom Rechner").has("Gespeichert.")
	})
}

// R226: too long, and nothing is lost.
func TestLongTextsComeBack_R226(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
	long := strings.Repeat("x", 8001)
	anna.post("/reports/2026-W47", "version", "0", "do", "save", "work", long, "d3_text", strings.Repeat("y", 2001)).is(422).
		has(long, "Dieser Text hat 8.001 Zeichen", `href="#d3_text"`, "<details open>", "Fehler:")
	anna.follow("/reports/2026-W47", "version", "0", "do", "save", "work", long[1:], "d3_attendance", "holiday").is(200).has("Gespeichert.")
	anna.post("/reports/2026-W47", "version", "1", "do", "save", "work", "kurz", "d3_attendance", "strand").is(422).has("Wählen Sie eine Angabe")
}

// Copying puts last week's text under what was typed, once.
func TestCopyLastWeek(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
	p := anna.post("/reports/2026-W47", "version", "0", "do", "copy", "work", "Neues").is(422).has("In der Vorwoche steht noch nichts", "Neues")
	anna.get("/reports/2026-W47").has("Neues") // every button saves
	anna.follow("/reports/2026-W46", "version", "0", "do", "save", "work", "Altes", "school", "Hefe")
	p = anna.follow("/reports/2026-W47", "version", p.version(), "do", "copy", "work", "Neues").has("Neues\nAltes", "Hefe")
	anna.follow("/reports/2026-W47", "version", p.version(), "do", "copy", "work", "Neues\nAltes", "school", "Hefe").has("Neues\nAltes<").lacks("Altes\nAltes")
	// Days come along, but nobody is on vacation again; a week has its own vacation.
	anna.follow("/reports/2026-W44", "version", "0", "do", "save", "work", "Altes", "d1_attendance", "school", "d1_text", "Rechnen", "d2_attendance", "vacation", "d3_attendance", "company")
	p = anna.follow("/reports/2026-W45", "version", "0", "do", "copy", "d3_attendance", "sick", "d3_text", "Arzt").has("Altes", "Rechnen")
	for day, want := range map[string]string{"d1": "school", "d2": "", "d3": "sick", "d4": ""} {
		_, rest, _ := strings.Cut(p.body, `name="`+day+`_attendance"`)
		rest, _, _ = strings.Cut(rest, "</select>")
		if !strings.Contains(rest, `<option value="`+want+`" selected`) {
			t.Errorf("%s is not %q: %s", day, want, rest)
		}
	}
}

// A session that ended meanwhile loses no text: it is there again after
// signing in, for the same person only.
func TestExpiredSessionLosesNoText(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		later := now.Add(31 * time.Minute)
		d.Now = func() time.Time { return later }
		// The identity portal does not answer in this test; the text is parked all the same.
		anna.post("/reports/2026-W47", "version", "0", "who", "anna", "do", "save", "work", "Lange getippt").is(503).has("Die Anmeldung ist gerade nicht möglich", `value="/reports/2026-W47"`)

		emil := &visit{world: w, client: anna.client, claims: claims("emil", "Emil", "Muster", "korn", "apprentice")}
		emil.signIn() // the same browser, somebody else
		emil.get("/reports/2026-W47").is(200).lacks("Lange getippt")
		emil.post("/reports/2026-W47", "version", "0", "who", "anna", "do", "save", "work", "Lange getippt").is(403)
		anna.signIn()
		anna.get("/reports/2026-W47").is(200).has("Ihr Text ist noch da", "Lange getippt")
		anna.follow("/reports/2026-W47", "version", "0", "who", "anna", "do", "save", "work", "Lange getippt").has("Gespeichert.", "Lange getippt").lacks("Ihr Text ist noch da")

		// It waits for a day, and no longer.
		lost := later.Add(31 * time.Minute)
		d.Now = func() time.Time { return lost }
		anna.post("/reports/2026-W46", "version", "0", "who", "anna", "do", "save", "work", "Vergessen").is(503)
		for _, c := range []struct {
			after time.Duration
			there bool
		}{{23 * time.Hour, true}, {24 * time.Hour, false}} {
			then := lost.Add(c.after)
			d.Now = func() time.Time { return then }
			anna.signIn()
			if p := anna.get("/reports/2026-W46").is(200); strings.Contains(p.body, "Vergessen") != c.there {
				t.Errorf("after %s: %s", c.after, main(p.body))
			}
		}
	})
}

// Strangers see the start page and nothing else: the report book is for who has
// an account (R184). Every form may end at the identity portal (CSP form-action).
func TestStrangers_R225_R231_R235_R236(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	s := w.stranger()
	p := s.get("/").is(200).has("Anmelden mit Kammerkonto", `action="/login"`, "Ausbildungsportal", "§ 13 Satz 2 Nr. 7")
	if csp := p.header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "form-action 'self' http://127.0.0.1:1") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy is %q", csp)
	}
	s.get("/help").is(200).has("§ 14 Abs. 2", "§ 13 Satz 2 Nr. 7 BBiG", "kostenfrei") // R231, R235, R236
	for _, path := range []string{"/privacy", "/imprint", "/accessibility", "/healthz", "/readyz", "/logged-out"} {
		s.get(path).is(200)
	}
	s.get("/nirgends").is(404)
	for _, path := range []string{"/reports", "/reports/2026-W47", "/reviews", "/trainees"} {
		s.get(path).is(503).lacks("Woche 47") // on to the identity portal, which does not run here
	}
	for _, route := range w.portal.Mux.Routes {
		open := map[string]bool{
			"GET /{$}": true, "POST /login": true, "GET /oidc/callback": true, "POST /logout": true, "GET /logged-out": true,
			"POST /oidc/backchannel-logout": true, "POST /oidc/events": true, "GET /help": true, "GET /privacy": true, "GET /imprint": true, "GET /accessibility": true,
			"GET /healthz": true, "GET /readyz": true, "/": true,
			"GET /demo": true, "GET /verify": true, "POST /verify": true, "GET /verify/{code}": true, "POST /verify/{code}": true,
			// by key: these ask for it themselves, see TestAProgramWrites
			"GET /api": true, "GET /api/v1/openapi.json": true, "GET /api/v1/reports": true, "/api/v1/reports/{week}": true, "/api/v1/": true,
			"GET /offline": true, "GET /offline.js": true, // nothing of anybody, see TestWritingWithoutAConnection
			"GET /calendar/{file}": true, // by its secret, see TestTheCalendarOfWeeks
			// by PIN (R329): these ask for it themselves, see TestSupervisor
			"GET /supervisor": true, "POST /supervisor": true, "GET /supervisor/pin": true, "POST /supervisor/pin": true, "POST /supervisor/leave": true,
			"GET /supervisor/reports/{id}": true, "POST /supervisor/reports/{id}/sign-off": true, "POST /supervisor/reports/{id}/return": true,
			"POST /supervisor/reports/{id}/undo": true, "POST /supervisor/reports/{id}/comment": true, "GET /supervisor/reports/{id}/files/{file}": true,
		}
		if route.Open != open[route.Pattern] {
			t.Errorf("%s is open to strangers: %v", route.Pattern, route.Open)
		}
		if method, path, _ := strings.Cut(route.Pattern, " "); method == "POST" && !route.Open {
			r, _ := http.NewRequest("POST", w.server.URL+strings.NewReplacer("{week}", "2026-W47", "{id}", "x").Replace(path), nil)
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			if p := s.do(r); p.status != 403 {
				t.Errorf("%s from elsewhere answered %d, wanted 403", route.Pattern, p.status)
			}
		}
	}
}

// A person with both roles has both navigations, and never signs their own.
func TestBothRoles(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	both := w.comes(claims("gabi", "Gabi", "Beide", "korn", "apprentice", "trainer"))
	both.get("/").is(200).has(`href="/reports"`, `href="/reviews"`, "Bäckerei korn")
	check := both.follow("/reports/2026-W47", "version", "0", "do", "check", "work", "Etwas Längeres, damit es reicht")
	both.follow("/reports/2026-W47/submit", "version", check.version()).has("noch keine ausbildende Person")
	both.get("/reviews").is(200).lacks("Gabi Beide, Woche")
	var id string
	err := w.d.Read(context.Background(), func(tx *db.Tx) (err error) {
		id, err = db.Value[string](tx, `SELECT id FROM report`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	both.post("/reviews/"+id+"/sign-off", "version", "2").is(403)
}

// The role catalogue is what admins read: complete, in both languages.
func TestRoleCatalogue(t *testing.T) {
	for _, r := range portal.Roles {
		if r.Key == "" || r.NameDE == "" || r.NameEN == "" || r.DescriptionDE == "" || r.DescriptionEN == "" {
			t.Errorf("role %+v is not complete", r)
		}
	}
	if len(portal.Roles) != 6 {
		t.Errorf("%d roles, wanted 6", len(portal.Roles))
	}
}
