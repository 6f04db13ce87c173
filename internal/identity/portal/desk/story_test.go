package desk_test

import (
	"net/http"
	"strings"
	"testing"

	"zunft/internal/ground/db"
)

// The whole way of a company: registered, approved, written to, activated
// (R060, R066–R101, M07, M08).
func TestR060CompanyStory(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		// The form: two steps, the heading, the four explanations (R068, R070, R071, R072, R073), fields and help (R074, R075, R076, R077,
		// R078, R079, R080, R082, R083, R084, R085, R086, R087, R088, R089)
		w.must(w.get("bert", "/organizations/register"), http.StatusOK, "Organisationskonto erstellen", "Dateneingabe", "Zusammenfassung", "Noch 300 Zeichen verfügbar",
			"erhält die Geschäftsführung Ihrer Organisation postalisch ein Passwort", "Mitgliedsnummer (= Identnummer)", "Impressum Ihrer Unternehmenswebseite", "Gesellschaft mit beschränkter Haftung")
		// The summary: the chamber is filled in (R081), what was typed is carried (S08), sending hands it to the chamber (R090)
		w.must(w.post("bert", "/organizations/register", bakery("check")...), http.StatusOK, "Kammer Musterland", "Karl-Marx-Str. 12A, 00001 Musterstadt", "Absenden", "Zurück", `name="reason" value="Ich leite`)
		w.must(w.post("bert", "/organizations/register", bakery("edit")...), http.StatusOK, `value="Karl-Marx-Str."`, "Ich leite die Ausbildung")

		id := w.submit("bert")
		ref := value[string](w, `SELECT reference FROM registration WHERE id = $1`, id)
		w.must(w.get("bert", "/registrations/"+id+"/done"), http.StatusOK, ref, "Ihre Vorgangsnummer", "einige Werktage")
		w.must(w.get("bert", "/registrations/"+id), http.StatusOK, "In Prüfung", "Antrag eingegangen")
		if m := w.lastMail("bert@example.org", "Registrierung Ihres Unternehmens eingegangen ["+ref+"]"); !strings.Contains(m, "/registrations/"+id) {
			t.Error("the mail does not lead to the application:", m)
		}
		if n := value[int](w, `SELECT count(*) FROM notice WHERE phrase = 'notice.registration_submitted'`); n != 2 {
			t.Errorf("%d clerks know of the task, want both (M07)", n)
		}

		// The desk: a clerk compares with the directory (R072, R091, S11)
		w.must(w.get("clara", "/chamber"), http.StatusOK, "Arbeitsvorrat", ref)
		w.must(w.get("clara", "/chamber/registrations"), http.StatusOK, ref, "Bert Bäcker", "heute")
		w.must(w.get("clara", "/chamber/registrations/"+id), http.StatusOK, "Schreibweise", "gleich", "<mark>", "Berta Bäcker", "Mir zuweisen", "Freigeben und Brief vormerken", "Rückfrage", "Ablehnen", "Noch niemandem zugewiesen")
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "claim"), http.StatusSeeOther)
		w.must(w.get("carl", "/chamber/registrations/"+id), http.StatusOK, "In Bearbeitung: Clara Kammer")
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "approve", "version", "1", "entry", w.entry("4711")), http.StatusUnprocessableEntity, "Wählen Sie aus, wodurch das Unternehmen nachgewiesen ist")
		org := w.approve(id)
		w.must(w.get("bert", "/registrations/"+id), http.StatusOK, "Wartet auf Brief", "einige Werktage")
		w.lastMail("bert@example.org", "Ihre Registrierung ist freigegeben ["+ref+"]")
		if name := value[string](w, `SELECT name FROM organization WHERE id = $1`, org); name != "Bäckerei Bert GmbH" {
			t.Errorf("the organization is called %q, not as the directory says", name)
		}

		// Approved, and the wait for the letter is visible (R093). The letter goes to the management and bears the numbers (R092, R098)
		w.must(w.get("clara", "/chamber/letters"), http.StatusOK, "1 Brief drucken", "Bäckerei Bert GmbH")
		paper, codes := w.printed()
		if len(codes) != 1 {
			t.Fatalf("%d codes on paper:\n%s", len(codes), paper)
		}
		for _, says := range []string{"Geschäftsführung", "Berta Bäcker", "Karl-Marx-Straße 12 a", "00001 Musterstadt", "4711", "999", "Kammer Musterland", "Bert Bäcker", "Gültig bis", "http://id.example/organizations/activate", "Vertraulich", "Sie haben nicht damit gerechnet?"} {
			if !strings.Contains(paper, says) {
				t.Errorf("the letter does not say %q:\n%s", says, paper)
			}
		}
		if strings.Contains(paper, "Seite 2") || strings.Count(paper, "\f") != 1 {
			t.Error("an ordinary letter is longer than a page")
		}
		if strings.Contains(paper, "bert@example.org") {
			t.Error("the letter tells the management the applicant's address")
		}
		nowhere(t, w, codes[0])
		batch := value[string](w, `SELECT id FROM letter_batch`)
		w.must(w.post("clara", "/chamber/letters/batches/"+batch, "do", "dispatch"), http.StatusSeeOther)
		w.must(w.get("clara", "/chamber/letters/batches/"+batch), http.StatusOK, "Clara Kammer", "Bäckerei Bert GmbH", "Nachdruck")
		w.must(w.post("carl", "/chamber/letters/batches/"+batch, "do", "dispatch"), http.StatusConflict, "Clara Kammer hat diesen Druckstapel am")
		w.lastMail("bert@example.org", "Ihr Aktivierungsbrief ist unterwegs")

		// Activation: heading and text (R096), three fields (R095), buttons (R099), the values must match (R097), the end (R100), the first admin (R101)
		w.must(w.get("bert", "/organizations/activate"), http.StatusOK, "Organisation aktivieren", "Zum Aktivieren der Organisation füllen Sie bitte folgendes Formular aus.", "Identnummer", "Kammernummer", "Passwort", "Abbrechen", "Aktivieren", "unterwegs zur Geschäftsführung")
		to := w.must(w.post("bert", "/organizations/activate", "ident_number", " 00 4711", "chamber_number", "999", "code", strings.ToLower(strings.ReplaceAll(codes[0], "-", " "))), http.StatusSeeOther)
		w.must(w.get("bert", to), http.StatusOK, "Die Unternehmensregistrierung ist abgeschlossen", "Bäckerei Bert GmbH", "Rollen")
		if len(w.admins) != 1 || w.admins[0] != org+"/"+w.people["bert"] {
			t.Errorf("first admins: %v (R101)", w.admins)
		}
		w.lastMail("bert@example.org", "Ihr Unternehmen ist freigeschaltet")
		w.must(w.get("bert", "/registrations/"+id), http.StatusOK, "Aktiv", "Organisationskonto aktiviert")
		if n := value[int](w, `SELECT count(*) FROM evidence WHERE organization = $1 AND method IN ('letter', 'callback')`, org); n != 2 {
			t.Errorf("%d pieces of evidence, want callback and letter", n)
		}
		want := "registration.submitted registration.claimed registration.approved letter.queued letter.printed batch.printed batch.dispatched letter.used organization.activated"
		if got := w.events(); got != want {
			t.Errorf("record of deeds:\n got %s\nwant %s", got, want)
		}
		w.must(w.get("clara", "/chamber/audit"), http.StatusOK, "Registrierung freigegeben", "Clara Kammer", "Organisation aktiviert", "Bert Bäcker", "Kommandozeile")
		w.must(w.get("clara", "/chamber/audit?event=batch.printed"), http.StatusOK, "Druckstapel gedruckt")

		// R066: never again
		w.must(w.post("anna", "/organizations/register", bakery("submit")...), http.StatusConflict, "hat schon ein Organisationskonto", "/organizations/join")
	})
}

// nowhere: no text column of any table holds the code, in any spelling.
func nowhere(t *testing.T, w *world, code string) {
	t.Helper()
	tables := map[string][]string{}
	err := w.d.Read(t.Context(), func(tx *db.Tx) error {
		query := `SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'`
		if w.d.Engine() == "postgres" {
			query = `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'`
		}
		return tx.Each(query, nil, func(scan func(...any) error) error {
			var table, column string
			err := scan(&table, &column)
			tables[table] = append(tables[table], column)
			return err
		})
	})
	if err != nil || len(tables) < 20 {
		t.Fatalf("%d tables: %v", len(tables), err)
	}
	plain := strings.ReplaceAll(code, "-", "")
	for table, columns := range tables {
		for _, column := range columns {
			for _, spelling := range []string{code, plain, plain[:8], strings.ToLower(plain)} {
				n := value[int](w, `SELECT count(*) FROM "`+table+`" WHERE CAST("`+column+`" AS TEXT) LIKE '%' || $1 || '%'`, spelling)
				if n > 0 {
					t.Errorf("the code stands in %s.%s", table, column)
				}
			}
		}
	}
}
