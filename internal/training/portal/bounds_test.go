package portal_test

import (
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/schema"
)

// assign puts somebody beside an apprenticeship.
func (w *world) assign(apprenticeship, sub, role, from, until string) {
	w.exec(`INSERT INTO assignment (id, apprenticeship, person, role, from_day, until_day, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`, db.NewID(), apprenticeship, sub, role, from, until, db.At(now))
}

// idIn is the report of a week.
func (w *world) idIn(week int) (id string) {
	w.t.Helper()
	if err := w.d.Read(w.t.Context(), func(tx *db.Tx) (err error) {
		id, err = db.Value[string](tx, `SELECT id FROM report WHERE week = $1`, week)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return id
}

// R232, R325, Art. 5 (1) c GDPR: who supervises an apprentice for some weeks reads
// and signs these weeks, and what was sent to them, on every way out of the
// portal; not the rest of the book, nor why somebody was away.
func TestSupervisorsReadTheirWeeks_R232_R325(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		bert, petra := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer")), w.comes(claims("petra", "Petra", "Paulsen", "korn", "supervisor"))
		w.comes(claims("vorher", "Vor", "Her", "korn", "trainer"))
		w.described("anna", "bert")
		w.assign("a-anna", "petra", "supervisor", "2026-11-09", "2026-11-22")
		anna.writes("2026-W40", "Geheime Rezeptur")
		anna.writes("2026-W46", "Torten verziert", "attendance-1", "sick")
		anna.submitTo("2026-W41", "An Petra gesendet", "petra@beispiel.example").is(303)
		w40, w41, w46 := w.idIn(40), w.idIn(41), w.idIn(46)
		petra.get("/reviews").is(200).has(w46, w41).lacks(w40)
		petra.get("/reviews/all").is(200).has("Torten verziert").lacks("Geheime Rezeptur")
		for _, path := range []string{"", ".pdf", "/files/x"} {
			petra.get("/reviews/" + w40 + path).is(404)
		}
		for _, path := range []string{"/sign-off", "/return", "/comment", "/undo", "/confirm"} {
			petra.post("/reviews/"+w40+path, "version", "2", "reason", "x", "comment", "x").is(404)
		}
		petra.get("/reviews/" + w41).is(200).has("An Petra gesendet")
		petra.get("/trainees/anna").is(200).has("/reviews/"+w46).lacks("/reviews/"+w40, "krank")
		bert.get("/trainees/anna").is(200).has("/reviews/"+w46, "/reviews/"+w40)
		hers, his := petra.post("/trainees/anna/export", "scope", "book").is(303).location, bert.post("/trainees/anna/export", "scope", "book").is(303).location
		w.drain()
		petra.get(hers).is(200).has("2 Nachweise")
		bert.get(his).is(200).has("3 Nachweise")

		// Two steps: of a week without a supervisor the trainer's step is enough, and
		// nobody waits for who may not read it.
		w.exec(`INSERT INTO company_setting (company, occupation, electronic, mode, steps, due_days, changed_at) VALUES ('korn', '', TRUE, 'week', 2, 7, $1)`, db.At(now))
		bert.get("/reviews").is(200).has(w40).lacks(w46)
		bert.follow("/reviews/"+w40+"/sign-off", "version", bert.get("/reviews/"+w40).version()).is(200).has("ist abgezeichnet")
		petra.follow("/reviews/"+w46+"/sign-off", "version", petra.get("/reviews/"+w46).version()).is(200).has("durchgesehen")

		// Without a trainer who is assigned it is the same.
		w.exec(`DELETE FROM assignment WHERE role = 'trainer'`)
		petra.get("/reviews/" + w40).is(404)
		petra.get("/reviews/" + w46).is(200)
	})
}

// R333: who trains somebody in one apprenticeship reads nothing of another one of
// the same person in the same company, on no way out; training admins read both.
func TestTrainersReadTheirApprenticeship_R333(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
	bert, gerd := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer")), w.comes(claims("gerd", "Gerd", "Anders", "korn", "trainer"))
	vera := w.comes(claims("vera", "Vera", "Amt", "korn", "training_admin"))
	w.comes(claims("vorher", "Vor", "Her", "korn", "trainer"))
	w.described("anna", "bert")
	w.exec(`UPDATE apprenticeship SET ended_on = '2026-10-18'`)
	w.exec(`INSERT INTO apprenticeship (id, person, company, chamber_number, given_name, family_name, occupation, starts_on, ends_on, source, created_at, changed_at)
		SELECT 'b-anna', person, company, chamber_number, given_name, family_name, 'konditor', '2026-10-19', '2029-10-18', source, created_at, changed_at FROM apprenticeship`)
	w.assign("b-anna", "gerd", "trainer", "2026-10-19", "")
	anna.writes("2026-W41", "Bei Bert gebacken")
	anna.writes("2026-W46", "Bei Gerd verziert")
	for b, c := range map[*visit]struct{ his, other, weeks string }{bert: {w.idIn(41), w.idIn(46), "1 Nachweis"}, gerd: {w.idIn(46), w.idIn(41), "1 Nachweis"}} {
		b.get("/reviews/" + c.his).is(200)
		b.get("/reviews/" + c.other).is(404)
		b.get("/trainees/anna").is(200).lacks("/reviews/" + c.other)
		at := b.post("/trainees/anna/export", "scope", "book").is(303).location
		w.drain()
		b.get(at).is(200).has(c.weeks).lacks("2 Nachweise")
	}
	at := vera.post("/trainees/anna/export", "scope", "book").is(303).location
	w.drain()
	vera.get(at).is(200).has("2 Nachweise")
}

// R329, decision 0029: a PIN opens what was sent to its address. What others read,
// returned and wrote before that is not shown, not even as what is gone.
func TestAPINOpensWhatWasSent_R329(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna, bert := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice")), w.comes(claims("bert", "Bert", "Meister", "korn", "trainer"))
		anna.writes("2026-W46", "Teige, und Streit um den Lohn")
		report := "/reviews/" + w.idIn(46)
		bert.follow(report+"/comment", "comment", "Das klären wir zu zweit").is(200)
		bert.follow(report+"/return", "version", bert.get(report).version(), "reason", "Ohne das Private").is(200)
		later := now.Add(time.Minute)
		w.d.Now = func() time.Time { return later }
		anna.submitTo("2026-W46", "Teige geknetet", "kurt@muehle.example").is(303)
		kurt := w.stranger()
		page := kurt.follow("/supervisor", "email", "kurt@muehle.example", "pin", pinOf(w.mails("kurt@muehle.example")[0]), "report", w.idIn(46)).is(200)
		page.has("Teige geknetet", "eingereicht").lacks("Lohn", "Das klären wir", "Ohne das Private", "Neue Fassung")
		bert.get(report).is(200).has("Lohn", "Das klären wir", "Ohne das Private")
	})
}

// Art. 5 (1) c GDPR: who trains in two companies reads in one nothing of what
// they decided in the other, nor takes it back there.
func TestDecisionsOfAnotherCompany(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	anna, bert := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice")), w.comes(claims("bert", "Bert", "Meister", "korn", "trainer"))
	anna.writes("2026-W46", "Teige")
	report := "/reviews/" + w.idIn(46)
	bert.follow(report+"/sign-off", "version", bert.get(report).version()).is(200).has("Anna Muster")
	bert.get("/reviews/done").is(200).has("Anna Muster")
	there := w.comes(claims("bert", "Bert", "Meister", "stahl", "trainer"))
	there.get("/reviews/done").is(200).lacks("Anna Muster")
	there.get("/reviews").is(200).lacks("Anna Muster", "Rückgängig")
	bert.get("/reviews").is(200).has("Anna Muster", "Rückgängig")
}

// A sheet names the company for which it was written, also when its author has
// gone on to another (§ 13 no. 7 BBiG).
func TestASheetNamesItsCompany(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice")).writes("2026-W46", "Teige")
	anna := w.comes(claims("anna", "Anna", "Muster", "stahl", "apprentice"))
	if text, _ := checked(t, anna, "/reports/2026-W46.pdf"); !strings.Contains(text, "Bäckerei korn") || strings.Contains(text, "stahl") {
		t.Errorf("the sheet says:\n%s", text)
	}
}
