package desk_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/company"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/registration"
)

// R066: one company is registered once, whoever tries and however it is spelled.
func TestR066NobodyRegistersACompanyTwice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.submit("bert")
		// The same person: led to the application there is, by button and by page.
		if to := w.must(w.post("bert", "/organizations/register", bakery("submit")...), http.StatusSeeOther); to != "/registrations/"+id {
			t.Errorf("a second press leads to %s", to)
		}
		w.must(w.post("bert", "/organizations/register", bakery("check")...), http.StatusConflict, "Sie haben dieses Unternehmen schon registriert", "/registrations/"+id)
		// Somebody else, spelled otherwise, learns no names.
		other := append(bakery("submit"), "x", "")
		other[1], other[5] = "BÄCKEREI BERT GMBH", "Karl Marx Straße"
		r := w.post("anna", "/organizations/register", other...)
		w.must(r, http.StatusConflict, "Für dieses Unternehmen liegt schon ein Antrag vor")
		w.never(r, "Bert Bäcker", id)
		// By ident number, after approval, though the name is another.
		w.approve(id)
		wrongName := bakery("submit")
		wrongName[1], wrongName[13] = "Backhaus Bert GmbH", "0004711"
		w.must(w.post("anna", "/organizations/register", wrongName...), http.StatusConflict, "hat schon ein Organisationskonto")
		wrongName[13] = "" // no number, but the directory's only entry at this address
		wrongName[1] = "Bäckerei Bert GmbH"
		w.must(w.post("anna", "/organizations/register", wrongName...), http.StatusConflict, "hat schon ein Organisationskonto")
	})
}

func TestR066SixtyFourRegisterTheSameCompanyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var ids []string
		for i := range 64 {
			ids = append(ids, w.person("p"+string(rune('a'+i/8))+string(rune('a'+i%8)), "Person", "Beispiel"))
		}
		var won, late atomic.Int32
		race(64, func(i int) {
			err := w.d.Write(t.Context(), func(tx *db.Tx) error {
				_, err := registration.Submit(tx, audit.Actor{Kind: audit.Person, Account: ids[i]}, registration.Application{
					Company: company.Company{Name: "Spiel und Spaß GmbH", LegalForm: "gmbh", Street: "Schuteweg", HouseNumber: "1", Postcode: "00002", Place: "Musterdorf", IdentNumber: "815"}, Reason: "Ich leite die Ausbildung.",
				})
				return err
			})
			switch {
			case err == nil:
				won.Add(1)
			case strings.Contains(err.Error(), "registration.registration_pending"):
				late.Add(1)
			default:
				t.Error(err)
			}
		})
		if won.Load() != 1 || late.Load() != 63 {
			t.Errorf("%d registered, %d were told", won.Load(), late.Load())
		}
		if n := value[int](w, `SELECT count(*) FROM registration`); n != 1 {
			t.Errorf("%d registrations", n)
		}
	})
}

// R091: one decision, one organization, one letter; who is late reads who decided.
func TestR091SixtyFourApproveAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.submit("bert")
		entry := w.entry("4711")
		var won, late atomic.Int32
		race(64, func(i int) {
			clerk := []string{"clara", "carl"}[i%2]
			r := w.post(clerk, "/chamber/registrations/"+id, "do", "approve", "version", "1", "entry", entry, "evidence", "letter")
			switch r.Code {
			case http.StatusSeeOther:
				won.Add(1)
			case http.StatusConflict:
				late.Add(1)
				w.must(r, http.StatusConflict, "hat diesen Antrag am")
			default:
				t.Errorf("%d: %s", r.Code, text(r.Body.String()))
			}
		})
		if won.Load() != 1 || late.Load() != 63 {
			t.Errorf("%d approved, %d were late", won.Load(), late.Load())
		}
		for _, table := range []string{"organization", "letter"} {
			if n := value[int](w, `SELECT count(*) FROM `+table); n != 1 {
				t.Errorf("%d rows in %s", n, table)
			}
		}
		if n := len(w.mails("bert@example.org")); n != 2 {
			t.Errorf("Bert has %d mails, want two: received, approved", n)
		}
	})
}

func TestR091ClaimHasOneWinner(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.submit("bert")
		var won atomic.Int32
		race(64, func(i int) {
			if r := w.post([]string{"clara", "carl"}[i%2], "/chamber/registrations/"+id, "do", "claim"); r.Code == http.StatusSeeOther {
				won.Add(1)
			}
		})
		if won.Load() != 1 {
			t.Errorf("%d clerks have it", won.Load())
		}
		has := value[string](w, `SELECT clerk FROM registration`)
		other, name := "carl", "Clara Kammer"
		if has == w.people["carl"] {
			other, name = "clara", "Carl Kollege"
		}
		// The other one cannot decide, unless she takes it over in so many words.
		w.must(w.post(other, "/chamber/registrations/"+id, "do", "approve", "version", "1", "entry", w.entry("4711"), "evidence", "letter"), http.StatusConflict, name+" bearbeitet diesen Antrag gerade")
		w.must(w.get(other, "/chamber/registrations/"+id), http.StatusOK, "Von dort übernehmen")
		w.must(w.post(other, "/chamber/registrations/"+id, "do", "takeover", "from", has), http.StatusSeeOther)
		w.must(w.post(other, "/chamber/registrations/"+id, "do", "approve", "version", "1", "entry", w.entry("4711"), "evidence", "letter"), http.StatusSeeOther)
		if got := w.events(); !strings.Contains(got, "registration.taken_over registration.approved") {
			t.Error(got)
		}
	})
}

// R091: four eyes. A clerk registers a company and may not decide on it, nor take it on.
func TestR091NobodyApprovesTheirOwn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.submit("clara")
		for _, do := range []string{"claim", "approve", "ask", "refuse"} {
			w.must(w.post("clara", "/chamber/registrations/"+id, "do", do, "version", "1", "entry", w.entry("4711"), "evidence", "letter", "question", "Warum?", "refusal", "Darum."), http.StatusForbidden, "Vier-Augen-Prinzip")
		}
		r := w.get("clara", "/chamber/registrations/"+id)
		w.must(r, http.StatusOK, "Vier-Augen-Prinzip")
		w.never(r, "Freigeben und Brief vormerken")
		w.must(w.post("carl", "/chamber/registrations/"+id, "do", "approve", "version", "1", "entry", w.entry("4711"), "evidence", "letter"), http.StatusSeeOther)
	})
}

// The desk is closed to everybody but clerks, and each sees their own chamber.
func TestDeskIsOfOneChamberOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.submit("bert")
		org := w.approve(id)
		w.printed()
		batch := value[string](w, `SELECT id FROM letter_batch`)
		for _, path := range []string{"/chamber", "/chamber/registrations", "/chamber/registrations/" + id, "/chamber/letters", "/chamber/letters/batches/" + batch, "/chamber/directory", "/chamber/audit"} {
			if r := w.get("bert", path); r.Code != http.StatusForbidden && r.Code != http.StatusNotFound {
				t.Errorf("Bert sees %s: %d", path, r.Code)
			}
			r := w.get("xenia", path)
			w.never(r, "Bäckerei", value[string](w, `SELECT reference FROM registration`), value[string](w, `SELECT reference FROM letter_batch`))
			if strings.Contains(path, id) || strings.Contains(path, batch) {
				w.must(r, http.StatusNotFound)
			}
			if r := w.get("", path); r.Code != http.StatusSeeOther {
				t.Errorf("a stranger gets %d for %s", r.Code, path)
			}
		}
		for _, who := range []string{"bert", "xenia"} {
			for _, try := range [][]string{
				{"/chamber/registrations/" + id, "do", "refuse", "refusal", "Nein.", "version", "2"},
				{"/chamber/registrations/" + id, "do", "claim"},
				{"/chamber/letters/batches/" + batch, "do", "dispatch"},
				{"/chamber/letters/batches/" + batch, "do", "reprint_all"},
				{"/chamber/letters"},
			} {
				if r := w.post(who, try[0], try[1:]...); r.Code != http.StatusForbidden && r.Code != http.StatusNotFound && !(who == "xenia" && try[0] == "/chamber/letters" && r.Code == http.StatusConflict) {
					t.Errorf("%s may %v: %d", who, try, r.Code)
				}
			}
		}
		// Rules say the same without the pages.
		xenia := audit.Actor{Kind: audit.Person, Account: w.people["xenia"]}
		l := value[string](w, `SELECT id FROM letter WHERE organization = $1`, org)
		for name, f := range map[string]func(*db.Tx) error{
			"dispatch": func(tx *db.Tx) error { return letter.Dispatch(tx, xenia, batch) },
			"reprint":  func(tx *db.Tx) error { return letter.Reprint(tx, xenia, l) },
			"queue": func(tx *db.Tx) error {
				_, err := registration.Queue(tx, xenia, w.chamber, registration.Filter{})
				return err
			},
		} {
			if err := w.d.Write(t.Context(), f); err == nil {
				t.Errorf("Xenia may %s at another chamber", name)
			}
		}
	})
}

// L02: five wrong codes and the letter is void; a new one works.
func TestL02FiveWrongCodesMakeTheLetterVoid(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.approve(w.submit("bert"))
		_, codes := w.printed()
		activate := func(who, ident, number, code string) reply {
			return w.post(who, "/organizations/activate", "ident_number", ident, "chamber_number", number, "code", code)
		}
		// What cannot be a code costs no try and is said kindly (ux.md 2.9 no. 13).
		w.must(activate("bert", "4711", "999", codes[0][:13]), http.StatusUnprocessableEntity, "Der Code hat 12 Zeichen, Sie haben 11 eingegeben")
		w.must(activate("bert", "4711", "999", "O"+codes[0][1:]), http.StatusUnprocessableEntity, "Das Zeichen „O“ kommt im Aktivierungskennwort nicht vor")
		w.must(activate("bert", "", "9", ""), http.StatusUnprocessableEntity, "Geben Sie die Identnummer aus dem Brief ein", "Geben Sie die Kammernummer mit 3 Ziffern ein", "Geben Sie das Aktivierungskennwort aus dem Brief ein")
		// Others get one answer, right or wrong, and use nothing up (R097, R101).
		for _, r := range []reply{activate("anna", "4711", "999", codes[0]), activate("anna", "4711", "999", wrong(codes[0])), activate("anna", "9999", "999", codes[0]), activate("anna", "4711", "123", codes[0])} {
			w.must(r, http.StatusUnprocessableEntity, "Die drei Angaben passen nicht zusammen")
			w.never(r, "Noch")
		}
		if n := value[int](w, `SELECT tries FROM letter`); n != 0 {
			t.Fatalf("%d tries are gone", n)
		}
		for left := 4; left >= 1; left-- {
			says := "Noch " + string(rune('0'+left)) + " Versuch"
			w.must(activate("bert", "4711", "999", wrong(codes[0])), http.StatusUnprocessableEntity, says)
		}
		w.must(activate("bert", "4711", "999", wrong(codes[0])), http.StatusUnprocessableEntity, "Das war der fünfte Versuch")
		w.must(activate("bert", "4711", "999", codes[0]), http.StatusConflict, "gilt gerade kein Aktivierungskennwort")
		org := value[string](w, `SELECT id FROM organization`)
		w.must(w.get("bert", "/organizations/activate"), http.StatusOK, "Neuen Brief anfordern", "gilt nicht mehr")
		// S10, M09
		if r := w.post("anna", "/organizations/activate", "letter", org); r.Code != http.StatusNotFound {
			t.Errorf("Anna asks for Bert's letter: %d", r.Code)
		}
		w.must(w.post("bert", "/organizations/activate", "letter", org), http.StatusSeeOther)
		w.must(w.post("bert", "/organizations/activate", "letter", org), http.StatusConflict, "schon vorgemerkt")
		_, again := w.printed()
		w.must(activate("bert", "4711", "999", again[0]), http.StatusSeeOther)
		w.must(activate("bert", "4711", "999", again[0]), http.StatusConflict, "ist schon aktiv")
	})
}

// L02: 90 days.
func TestL02CodeExpires(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.approve(w.submit("bert"))
		_, codes := w.printed()
		now := w.d.Now
		w.d.Now = now
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE letter SET expires_at = $1`, tx.Now())
			return err
		})
		w.must(w.post("bert", "/organizations/activate", "ident_number", "4711", "chamber_number", "999", "code", codes[0]), http.StatusConflict, "gilt gerade kein")
		w.must(w.get("bert", "/organizations/activate"), http.StatusOK, "abgelaufen")
	})
}

// R097, R101: the right code, 64 times at once: active once, one admin.
func TestR097ActivationHasOneWinner(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.approve(w.submit("bert"))
		_, codes := w.printed()
		var won atomic.Int32
		race(64, func(int) {
			by := audit.Actor{Kind: audit.Person, Account: w.people["bert"]}
			err := w.d.Write(t.Context(), func(tx *db.Tx) error {
				if _, err := tx.Exec(`DELETE FROM limit_bucket`); err != nil { // the pace is not what is tested
					return err
				}
				_, err := organization.Activate(tx, by, "4711", "999", codes[0])
				return err
			})
			if err == nil {
				won.Add(1)
			}
		})
		if won.Load() != 1 {
			t.Errorf("activated %d times", won.Load())
		}
		if n := value[int](w, `SELECT count(*) FROM evidence WHERE method = 'letter'`); n != 1 {
			t.Errorf("%d pieces of evidence", n)
		}
	})
}

// A reprint is a new code; the old one is void (R102, M09).
func TestReprintVoidsTheOldCode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.approve(w.submit("bert"))
		_, first := w.printed()
		batch, l := value[string](w, `SELECT id FROM letter_batch`), value[string](w, `SELECT id FROM letter`)
		w.must(w.post("clara", "/chamber/letters/batches/"+batch, "letter", l), http.StatusSeeOther)
		w.must(w.post("carl", "/chamber/letters/batches/"+batch, "letter", l), http.StatusConflict, "benutzt oder ersetzt")
		_, second := w.printed()
		if first[0] == second[0] {
			t.Error("the code is the same")
		}
		w.must(w.post("bert", "/organizations/activate", "ident_number", "4711", "chamber_number", "999", "code", first[0]), http.StatusUnprocessableEntity, "Noch 4 Versuche")
		w.must(w.post("bert", "/organizations/activate", "ident_number", "4711", "chamber_number", "999", "code", second[0]), http.StatusSeeOther)
	})
}

// Letters are printed once, however many clerks press the button; the stamp of
// dispatch is set once.
func TestR092PrintAndDispatchHaveOneWinner(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.approve(w.submit("bert"))
		var printed, dispatched atomic.Int32
		race(16, func(i int) {
			if r := w.post([]string{"clara", "carl"}[i%2], "/chamber/letters"); r.Code == http.StatusOK {
				printed.Add(1)
			} else {
				w.must(r, http.StatusConflict)
			}
		})
		batch := value[string](w, `SELECT id FROM letter_batch`)
		race(64, func(i int) {
			if r := w.post([]string{"clara", "carl"}[i%2], "/chamber/letters/batches/"+batch, "do", "dispatch"); r.Code == http.StatusSeeOther {
				dispatched.Add(1)
			}
		})
		if printed.Load() != 1 || dispatched.Load() != 1 {
			t.Errorf("printed %d times, dispatched %d times", printed.Load(), dispatched.Load())
		}
		n := 0
		for _, m := range w.mails("bert@example.org") {
			if strings.HasPrefix(m, "Ihr Aktivierungsbrief") {
				n++
			}
		}
		if n != 1 {
			t.Errorf("Bert reads %d times that his letter is on its way", n)
		}
	})
}

// A print shop that refuses leaves no code alive and the letters waiting.
func TestPrintShop(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.approve(w.submit("bert"))
		var pdf []byte
		fails := true
		w.desk.PrintShop = func(_ context.Context, b letter.Batch, file []byte) error {
			pdf = file
			if fails {
				return errors.New("no paper")
			}
			return nil
		}
		w.must(w.post("clara", "/chamber/letters", "do", "shop"), http.StatusConflict, "Die Druckerei hat den Stapel nicht angenommen", "1 Brief an die Druckerei geben")
		lost := codeOnPaper.FindString(pdfText(t, pdf))
		fails = false
		w.must(w.post("clara", "/chamber/letters", "do", "shop"), http.StatusSeeOther)
		code := codeOnPaper.FindString(pdfText(t, pdf))
		w.must(w.post("bert", "/organizations/activate", "ident_number", "4711", "chamber_number", "999", "code", lost), http.StatusUnprocessableEntity, "Noch 4")
		w.must(w.post("bert", "/organizations/activate", "ident_number", "4711", "chamber_number", "999", "code", code), http.StatusSeeOther)
	})
}

// Guessing is slow: fifteen tries, right or wrong, then a pause (R097).
func TestR097GuessingIsLimited(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.approve(w.submit("bert"))
		_, codes := w.printed()
		for range 15 {
			w.must(w.post("anna", "/organizations/activate", "ident_number", "4711", "chamber_number", "999", "code", wrong(codes[0])), http.StatusUnprocessableEntity)
		}
		w.must(w.post("anna", "/organizations/activate", "ident_number", "4711", "chamber_number", "999", "code", wrong(codes[0])), http.StatusTooManyRequests, "Versuchen Sie es in")
		w.must(w.post("bert", "/organizations/activate", "ident_number", "4711", "chamber_number", "999", "code", codes[0]), http.StatusSeeOther)
	})
}

// FindForJoin meets spellings, not near misses, and active companies only (R122, W06).
func TestW06FindForJoin(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		org := w.approve(w.submit("bert"))
		find := func(name, street, house, postcode, ident string) (found string) {
			err := w.d.Read(t.Context(), func(tx *db.Tx) error {
				o, err := organization.FindForJoin(tx, name, street, house, postcode, ident)
				found = o.ID
				return err
			})
			if err != nil && err.Error() != "web.not_found" {
				t.Error(err)
			}
			return found
		}
		if find("Bäckerei Bert GmbH", "Karl-Marx-Straße", "12 a", "00001", "") != "" {
			t.Error("found before it is active")
		}
		_, codes := w.printed()
		w.must(w.post("bert", "/organizations/activate", "ident_number", "4711", "chamber_number", "999", "code", codes[0]), http.StatusSeeOther)
		for _, ident := range []string{"", "4711", "0004711"} {
			if find("BÄCKEREI BERT Gesellschaft mit beschränkter Haftung", "Karl Marx Str.", "12A", "00001", ident) != org {
				t.Errorf("not found with ident number %q", ident)
			}
		}
		for _, miss := range [][5]string{{"Bäckerei Bert", "Karl-Marx-Straße", "12 a", "00001", ""}, {"Bäckerei Bert GmbH", "Karl-Marx-Straße", "12", "00001", ""}, {"Bäckerei Bert GmbH", "Karl-Marx-Straße", "12 a", "00001", "4712"}, {"", "", "", "", "4711"}} {
			if got := find(miss[0], miss[1], miss[2], miss[3], miss[4]); got != "" {
				t.Errorf("%v was found", miss)
			}
		}
	})
}
