package portal_test

import (
	"regexp"
	"strings"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/schema"
)

// R232, R234: the pages of the training administration are open to training
// admins of the company; for others they are forbidden, and what belongs to
// another company is not there.
func TestCompanyPages_R232_R234(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		jana, rosa := w.comes(claims("jana", "Jana", "Kern", "korn", "training_admin")), w.comes(claims("rosa", "Rosa", "Rot", "stahl", "training_admin"))
		murat, lena := w.comes(claims("murat", "Murat", "Meister", "korn", "trainer")), w.comes(claims("lena", "Lena", "Lerche", "korn", "apprentice"))
		new := []string{"given_name", "Lena", "family_name", "Lerche", "occupation", "Bäckerin", "starts_on", "1.8.2026", "ends_on", "2029-07-31", "land", "NI", "person", "lena"}
		jana.post("/company/trainees/new", "given_name", "Lena", "occupation", "Fachkraft", "starts_on", "gestern").is(422).
			has("Geben Sie den Nachnamen ein", "Ähnlich sind", "Fachkraft Agrarservice", "Schreiben Sie den Tag so", `value="gestern"`)
		p := jana.post("/company/trainees/new", new...).is(303)
		jana.post("/company/trainees/new", append(new, "again", "1")...).is(409).has("schon eingetragen")
		at := p.location
		jana.get(at).is(200).has("Lena Lerche", "Bäcker/-in", "01.08.2026", "Niedersachsen", `href="/trainees/lena"`)
		id := strings.TrimPrefix(at, "/company/trainees/")
		pages := []string{"/company", "/company/trainees", "/company/trainees/new", "/company/trainers", "/company/assignments", "/company/assignments/change?id=" + id, "/company/settings", "/company/settings/all", "/company/settings/baecker", "/company/trainees/import"}
		own := []string{at, at + "/edit", at + "/end", at + "/continue"}
		for _, page := range append(pages, own...) {
			jana.get(page).is(200)
			murat.get(page).is(403)
			lena.get(page).is(403)
		}
		for _, page := range append(own, "/company/assignments/change?id="+id, "/company/imports/"+id, "/company/settings/astronaut", "/company/trainees?show=nonsense") {
			rosa.get(page).is(404)
		}
		for _, page := range []string{at + "/edit", at + "/end", at + "/continue", at + "/link", at + "/unlink", at + "/assignments/x/end", "/company/assignments/change"} {
			rosa.post(page, "id", id, "ended_on", "2027-01-01", "from", "2026-11-01", "person", "trainer/murat").is(404)
			murat.post(page, "id", id, "ended_on", "2027-01-01", "from", "2026-11-01", "person", "trainer/murat").is(403)
		}
		// What was typed with an old version is not lost, and changes nothing.
		jana.post(at+"/edit", "version", "99", "given_name", "Lena", "family_name", "Lerche", "occupation", "Konditorin", "starts_on", "2026-08-01", "ends_on", "2029-07-31", "site", "Filiale Nord").
			is(409).has("inzwischen geändert", "Filiale Nord")
		jana.post("/company/assignments/change", "id", id, "person", "trainer/murat", "from", "bald").is(422).has("Schreiben Sie den Tag so", `value="bald"`)
		jana.follow("/company/assignments/change", "id", id, "person", "trainer/murat", "from", "2026-11-01").is(200).has("Zuordnungen geändert: 1", "Murat Meister")
		// A list by paste: what is wrong is named, what is right is taken once.
		jana.post("/company/trainees/import").is(422)
		at = jana.upload("/company/trainees/import", "file", "liste.csv", []byte("Vorname;Nachname;Beruf;Beginn;Ende\nEva;Erle;Bäckerin;1.8.2026;31.7.2029\nUwe;Ulme;Bäcker;32.8.2026;31.7.2029\nIda;Igel;Astronautin;1.8.2026;31.7.2029")).is(303).location
		jana.get(at).is(200).has("1 Zeile kann übernommen werden.", "2 sind zu korrigieren", `name="starts_on-3" type="text" value="32.8.2026"`, "Zeile 3: Uwe Ulme")
		jana.get(at+"?edit=2").is(200).has("Zeile ändern", `name="given_name-2"`).lacks(`name="given_name-3"`)
		jana.follow(at+"/rows", "line", "3", "starts_on-3", "2.8.2026", "line", "4", "out-4", "1", "given_name-4", "Ida").has("2 Zeilen können übernommen werden.", "1 wird weggelassen.").lacks("zu korrigieren")
		for _, stranger := range []string{at, at + "/rows"} {
			rosa.post(stranger, "line", "3").is(404)
			murat.post(stranger, "line", "3").is(403)
		}
		jana.follow(at).has("Übernommen: 2 neu, 0 geändert.")
		jana.post(at+"/rows", "line", "3").is(409)
		jana.get("/company/trainees?q=lerche&show=alone").is(200).has("Keine Treffer")
		jana.get("/company").is(200).has("Lena Lerche", "Murat Meister")
	})
}

// L14, R232: in the lists of a company and of those who train who is behind
// comes first, and can be shown alone.
func TestWhoIsBehindStandsFirst_L14(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		jana := w.comes(claims("jana", "Jana", "Jung", "korn", "training_admin"))
		for name, began := range map[string]string{"Ada": "2026-11-16", "Mia": "2026-08-01", "Zoe": "2026-10-01"} {
			w.comes(claims(strings.ToLower(name), name, "Muster", "korn", "apprentice"))
			dbtest.Exec(t, d, `INSERT INTO apprenticeship (id, person, company, given_name, family_name, name_key, words, occupation, starts_on, ends_on, source, created_at, changed_at)
				VALUES ($1, $1, 'korn', $2, 'Muster', $1, $1, 'baecker', $3, '2029-07-31', 'company', $4, $4)`, strings.ToLower(name), name, began, w.d.Now())
		}
		order := func(path, want string) {
			t.Helper()
			body, got := main(jana.get(path).is(200).body), ""
			for _, m := range regexp.MustCompile(`<th scope="row"><a [^>]*>(\w+) Muster`).FindAllStringSubmatch(body, -1) {
				got += m[1] + " "
			}
			if strings.TrimSpace(got) != want {
				t.Errorf("%s lists %q, not %q", path, got, want)
			}
		}
		for _, list := range []string{"/trainees", "/company/trainees"} {
			order(list, "Mia Zoe Ada")
			order(list+"?order=name", "Ada Mia Zoe")
			order(list+"?order=behind&q=zo", "Zoe")
			jana.get(list + "?show=nonsense").is(404)
		}
		order("/trainees?show=open&order=name", "Mia Zoe")
		order("/company/trainees?show=late", "Mia Zoe")
		order("/company", "Mia Zoe Ada")
		jana.get("/trainees?show=waiting").is(200).has("Alle zeigen")
	})
}
