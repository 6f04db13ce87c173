package desk_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// R209, R210, R211, R212: question, answer, refusal with the reason and the chamber's contact (M11).
func TestR210QuestionAnswerRefusal(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		wrongStreet := bakery("submit")
		wrongStreet[5] = "Karl-May-Straße"
		id := w.submit("bert", wrongStreet...)
		if n := value[int](w, `SELECT score FROM registration`); n >= 100 || n < 60 {
			t.Errorf("score %d", n)
		}
		w.must(w.get("clara", "/chamber/registrations/"+id), http.StatusOK, "abweichend", "<mark>")
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "ask", "version", "1", "question", ""), http.StatusUnprocessableEntity, "Schreiben Sie, was Sie", "<details open>")
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "ask", "version", "1", "question", strings.Repeat("x", 501)), http.StatusUnprocessableEntity, "Kürzen Sie ihn auf 500 Zeichen")
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "ask", "version", "1", "question", "Heißt Ihre Straße Karl-Marx-Straße?"), http.StatusSeeOther)
		if m := w.lastMail("bert@example.org", "Rückfrage zu Ihrer Registrierung ["); !strings.Contains(m, "Heißt Ihre Straße Karl-Marx-Straße?") || !strings.Contains(m, "01234 5678-0") {
			t.Error(m)
		}
		w.must(w.get("bert", "/registrations/"+id), http.StatusOK, "Heißt Ihre Straße Karl-Marx-Straße?", "Antwort absenden", `value="Karl-May-Straße"`)
		if r := w.get("anna", "/registrations/"+id); r.Code != http.StatusNotFound {
			t.Errorf("Anna sees Bert's application: %d", r.Code)
		}
		better := append(bakery("resubmit"), "version", "2")
		w.must(w.post("anna", "/registrations/"+id, better...), http.StatusNotFound)
		w.must(w.post("bert", "/registrations/"+id, append(bakery("resubmit"), "version", "1")...), http.StatusConflict)
		w.must(w.post("bert", "/registrations/"+id, append(wrongStreet[:len(wrongStreet)-2:len(wrongStreet)-2], "do", "resubmit", "version", "2", "name", "")...), http.StatusSeeOther)
		// The clerk's old page does not decide on what changed meanwhile.
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "refuse", "version", "1", "refusal", "Nein."), http.StatusConflict, "seit Sie diese Seite geöffnet haben")
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "refuse", "version", "3", "refusal", "Die Straße gibt es nicht."), http.StatusSeeOther)
		m := w.lastMail("bert@example.org", "Ihre Registrierung wurde abgelehnt [")
		for _, says := range []string{"Die Straße gibt es nicht.", "01234 5678-0", "hilfe@kammer.example", "Mo–Fr 8–16 Uhr"} {
			if !strings.Contains(m, says) {
				t.Errorf("the mail does not say %q: %s", says, m)
			}
		}
		w.must(w.get("bert", "/registrations/"+id), http.StatusOK, "Abgelehnt", "Die Straße gibt es nicht.", "Neu registrieren")
		// Refused is not for ever: the queue then says that it is the second time.
		again := w.submit("bert")
		w.must(w.get("clara", "/chamber/registrations"), http.StatusOK, "Bäckerei Bert")
		w.must(w.post("bert", "/registrations/"+again, "do", "withdraw"), http.StatusSeeOther)
		w.must(w.post("bert", "/registrations/"+again, "do", "withdraw"), http.StatusConflict, "zurückgezogen")
		third := w.submit("bert")
		w.must(w.get("clara", "/chamber/registrations"), http.StatusOK, "2. Antrag")
		w.must(w.post("clara", "/chamber/registrations/"+again, "do", "refuse", "version", "1", "refusal", "Nein."), http.StatusConflict, "inzwischen zurückgezogen")
		w.approve(third)
		w.must(w.get("clara", "/chamber/registrations?status=done&sort=score"), http.StatusOK, "Abgelehnt", "Zurückgezogen", "Freigegeben")
		w.must(w.get("clara", "/chamber/registrations?status=mine"), http.StatusOK, "Keine Registrierungen")
	})
}

// S07, R074, R088, R089: fields and limits, all complaints at once, what was typed is still there.
func TestR074FieldsOfTheForm(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.must(w.post("bert", "/organizations/register", "do", "check"), http.StatusUnprocessableEntity,
			"Geben Sie die Firmierung ein", "Wählen Sie die Rechtsform aus", "Geben Sie die Straße ein", "Geben Sie die Hausnummer ein", "Geben Sie die PLZ ein", "Geben Sie den Ort ein", "Begründen Sie Ihren Antrag", "Bitte prüfen Sie Ihre Angaben")
		for field, c := range map[string][2]string{
			"name":           {strings.Repeat("ä", 201), "höchstens 200 Zeichen"},
			"house_number":   {"1234567890123", "höchstens 12 Zeichen"},
			"postcode":       {"1234", "Geben Sie die PLZ mit 5 Ziffern ein"},
			"legal_form":     {"gmbh2", "Wählen Sie eine Rechtsform aus der Liste"},
			"ident_number":   {"12a", "höchstens 10 Ziffern"},
			"reason":         {strings.Repeat("ß", 301), "Die Begründung hat 301 Zeichen"},
			"register_court": {"Nirgendwo", "Wählen Sie einen Eintrag aus der Liste"},
		} {
			form := bakery("submit")
			for i := 0; i < len(form); i += 2 {
				if form[i] == field {
					form[i+1] = c[0]
				}
			}
			w.must(w.post("bert", "/organizations/register", form...), http.StatusUnprocessableEntity, c[1], "Karl-Marx-Str")
		}
		long := bakery("check")
		long[1], long[21] = strings.Repeat("ä", 200), strings.Repeat("ß", 300)
		w.must(w.post("bert", "/organizations/register", long...), http.StatusOK)
		// R081: another chamber is in charge, and named.
		away := bakery("submit")
		away[9], away[11] = "70174", "Stuttgart"
		w.must(w.post("bert", "/organizations/register", away...), http.StatusUnprocessableEntity, "Für 70174 Stuttgart ist eine andere Kammer zuständig: Industrie- und Handelskammer Region Stuttgart")
		away[9], away[11] = "99999", "Nirgendwo"
		w.must(w.post("bert", "/organizations/register", away...), http.StatusUnprocessableEntity, "kennen wir keine Kammer")
		// Two chambers serve 0009x: the likelier is chosen, the person may correct it.
		both := bakery("check")
		both[9] = "00091"
		w.must(w.post("bert", "/organizations/register", both...), http.StatusOK, "Kammer Anderswo", "Kammer Musterland", "mehrere Kammern")
		both[len(both)-1] = "submit"
		w.must(w.post("bert", "/organizations/register", both...), http.StatusUnprocessableEntity, "Wählen Sie die Kammer")
		id := w.submit("bert", append(both, "chamber", w.chamber)...)
		if got := value[string](w, `SELECT chamber FROM registration WHERE id = $1`, id); got != w.chamber {
			t.Error("the person's correction was lost")
		}
	})
}

// The member directory is imported at the desk: a dry run first, bad rows by line and column.
func TestR072DirectoryAtTheDesk(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		file := listed + "x;Kaputt GmbH;GmbH;Weg;1;00001;Ort;;;;\n99;Neu GmbH;GmbH;Neuer Weg;1;00001;Musterstadt;;;;Nora Neu\n"
		w.must(w.upload("clara", "try", file), http.StatusOK, "nichts wurde geschrieben", "Zeile 5", "1 (Identnummer)", "Die Identnummer braucht 1 bis 10 Ziffern")
		if n := value[int](w, `SELECT count(*) FROM directory_entry`); n != 3 {
			t.Errorf("a dry run wrote: %d", n)
		}
		w.must(w.upload("clara", "strict", file), http.StatusUnprocessableEntity, "Nichts wurde übernommen: 1 Zeile ist zu prüfen")
		w.must(w.upload("clara", "write", file), http.StatusOK, "auf dem Stand der Datei")
		if n := value[int](w, `SELECT count(*) FROM directory_entry`); n != 4 {
			t.Errorf("%d entries, want 4", n)
		}
		w.must(w.upload("clara", "write", strings.Replace(file, "Berta Bäcker", "Berta Neumann", 1)), http.StatusOK, "Berta Neumann", "Berta Bäcker")
		w.must(w.upload("clara", "write", "PK\x03\x04"), http.StatusUnprocessableEntity, "Speichern Sie sie als CSV")
		w.must(w.upload("bert", "write", file), http.StatusForbidden)
		w.must(w.post("clara", "/chamber/directory", "mode", "write"), http.StatusUnprocessableEntity, "Das Formular ließ sich nicht lesen")
		w.must(w.get("clara", "/chamber/audit?event=directory.imported"), http.StatusOK, "Verzeichnis eingelesen")
	})
}

func (w *world) upload(who, mode, file string) reply {
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	m.WriteField("mode", mode)
	part, err := m.CreateFormFile("file", "verzeichnis.csv")
	if err != nil {
		w.t.Fatal(err)
	}
	part.Write([]byte(file))
	m.Close()
	r := httptest.NewRequest(http.MethodPost, "/chamber/directory", &b)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.AddCookie(&http.Cookie{Name: "t_session", Value: w.session(w.people[who])})
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r.WithContext(w.t.Context()))
	return reply{rec, who, "upload " + mode}
}
