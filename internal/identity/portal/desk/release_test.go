package desk_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/company"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/registration"
	"zunft/internal/identity/textblock"
)

// settle changes the chamber's settings.
func (w *world) settle(change func(s *chamber.Settings)) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		s, err := chamber.SettingsOf(tx, w.chamber)
		if err != nil {
			return err
		}
		change(&s)
		return chamber.SaveSettings(tx, audit.Console, w.chamber, s)
	})
}

func (w *world) state(id string) string {
	return value[string](w, `SELECT state FROM registration WHERE id = $1`, id)
}

// with replaces values of a form.
func with(form []string, pairs ...string) []string {
	form = append([]string{}, form...)
	for i := 0; i < len(pairs); i += 2 {
		found := false
		for j := 0; j < len(form); j += 2 {
			if form[j] == pairs[i] {
				form[j+1], found = pairs[i+1], true
			}
		}
		if !found {
			form = append(form, pairs[i], pairs[i+1])
		}
	}
	return form
}

// R091: below a score of the chamber's choice one clerk is not enough.
func TestR091LittleAgreesTwoClerks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.settle(func(s *chamber.Settings) { s.FourEyesBelow = 95 })
		id := w.submit("bert", with(bakery("submit"), "street", "Bahnhofstraße", "house_number", "7")...)
		approve := []string{"do", "approve", "entry", w.entry("4711"), "evidence", "callback"}
		w.must(w.post("clara", "/chamber/registrations/"+id, append(approve, "version", "1")...), http.StatusSeeOther)
		if w.state(id) != registration.Second || value[int](w, `SELECT count(*) FROM organization`) != 0 {
			t.Fatal("one yes was enough:", w.state(id))
		}
		if n := value[int](w, `SELECT count(*) FROM notice WHERE phrase = 'notice.registration_second' AND account = $1`, w.people["carl"]); n != 1 {
			t.Errorf("Carl has %d notices", n)
		}
		w.must(w.get("bert", "/registrations/"+id), http.StatusOK, "In Prüfung") // a matter of the chamber alone
		w.must(w.get("clara", "/chamber/registrations?status=second"), http.StatusOK, "Bäckerei Bert")
		page := w.get("clara", "/chamber/registrations/"+id)
		w.must(page, http.StatusOK, "Clara Kammer hat diesen Antrag schon freigegeben", "Vier-Augen-Prinzip")
		w.never(page, "Freigeben und Brief vormerken")
		w.must(w.post("clara", "/chamber/registrations/"+id, append(approve, "version", "2")...), http.StatusForbidden, "Die zweite kommt von einer anderen Person")
		// Thirty-two times the second yes: one organization.
		var won atomic.Int32
		race(32, func(int) {
			if r := w.post("carl", "/chamber/registrations/"+id, append(approve, "version", "2")...); r.Code == http.StatusSeeOther {
				won.Add(1)
			} else {
				w.must(r, http.StatusConflict)
			}
		})
		if won.Load() != 1 || w.state(id) != registration.Approved || value[int](w, `SELECT count(*) FROM organization`) != 1 {
			t.Errorf("%d won, %s", won.Load(), w.state(id))
		}
		if first := value[string](w, `SELECT first_clerk FROM registration`); first != w.people["clara"] {
			t.Error("who said yes first is forgotten")
		}
		// What agrees needs one clerk, as before.
		other := w.submit("anna", "name", "Spiel und Spaß GmbH", "legal_form", "gmbh", "street", "Schuteweg", "house_number", "1", "postcode", "00002", "place", "Musterdorf", "reason", "Ich leite sie.", "do", "submit")
		w.must(w.post("clara", "/chamber/registrations/"+other, "do", "approve", "version", "1", "entry", w.entry("815"), "evidence", "letter"), http.StatusSeeOther)
		if w.state(other) != registration.Approved {
			t.Error(w.state(other))
		}
	})
}

// A second clerk may also refuse, and ask back; then it begins anew.
func TestSecondClerkSaysNo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.settle(func(s *chamber.Settings) { s.FourEyesBelow = 100 })
		id := w.submit("bert", with(bakery("submit"), "house_number", "7")...)
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "approve", "entry", w.entry("4711"), "evidence", "callback", "version", "1"), http.StatusSeeOther)
		w.must(w.post("carl", "/chamber/registrations/"+id, "do", "ask", "question", "Welche Hausnummer stimmt?", "version", "2"), http.StatusSeeOther)
		if value[string](w, `SELECT first_clerk FROM registration`) != "" {
			t.Error("the first yes holds for what may change now")
		}
		w.must(w.post("bert", "/registrations/"+id, append(bakery("resubmit"), "version", "3")...), http.StatusSeeOther)
		w.must(w.post("carl", "/chamber/registrations/"+id, "do", "approve", "entry", w.entry("4711"), "evidence", "callback", "version", "4"), http.StatusSeeOther)
		if w.state(id) != registration.Approved {
			t.Error("all agrees now, one clerk is enough:", w.state(id))
		}
	})
}

// What agrees with the directory is released at once where the chamber settled
// so, samples are looked at, and nothing with a flag passes.
func TestR072ReleasedByItsScore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.settle(func(s *chamber.Settings) { s.ReleaseFrom, s.SamplePercent, s.EvidenceMonths = 95, 100, 24 })
		id := w.submit("bert")
		w.must(w.get("bert", "/registrations/"+id+"/done"), http.StatusOK, "Ihr Antrag ist freigegeben")
		w.must(w.get("bert", "/registrations/"+id), http.StatusOK, "Wartet auf Brief", "stimmen mit dem Verzeichnis")
		w.lastMail("bert@example.org", "Ihre Registrierung ist freigegeben [")
		if n := value[int](w, `SELECT count(*) FROM letter WHERE state = 'queued' AND kind = 'activation'`); n != 1 {
			t.Errorf("%d letters wait", n)
		}
		if m := value[string](w, `SELECT method FROM evidence`); m != organization.ByDirectory {
			t.Error(m)
		}
		months := value[bool](w, `SELECT until IS NOT NULL FROM evidence`)
		if !months {
			t.Error("the evidence holds for ever")
		}
		// The sample: one clerk looks at it, once.
		w.must(w.get("clara", "/chamber/registrations?status=samples"), http.StatusOK, "Bäckerei Bert", "ohne Sachbearbeitung")
		w.must(w.get("clara", "/chamber/registrations/"+id), http.StatusOK, "zur Prüfung ausgelost", "Nachweise", "automatisch", "Verzeichnis", "Ohne Sachbearbeitung freigegeben")
		var won atomic.Int32
		race(16, func(i int) {
			if r := w.post([]string{"clara", "carl"}[i%2], "/chamber/registrations/"+id, "do", "looked"); r.Code == http.StatusSeeOther {
				won.Add(1)
			} else {
				w.must(r, http.StatusConflict, "inzwischen jemand anderes angesehen")
			}
		})
		if won.Load() != 1 {
			t.Errorf("%d clerks had the sample", won.Load())
		}
		w.must(w.get("clara", "/chamber/registrations?status=samples"), http.StatusOK, "Keine Registrierungen")

		// Flags and doubts wait for a clerk: an address of everybody's provider,
		toys := []string{"name", "Spiel- und Spaß GmbH", "legal_form", "gmbh", "street", "Schuteweg", "house_number", "1", "postcode", "00002", "place", "Musterdorf", "reason", "Ich leite sie.", "do", "submit"}
		w.write(func(tx *db.Tx) error {
			a, err := account.Create(tx, audit.Console, account.New{GivenName: "Gerd", FamilyName: "Gmx", Username: "gerd", Email: "gerd@gmx.de", Language: "de", Password: "$argon2id$none", Confirmed: true})
			w.people["gerd"] = a.ID
			return err
		})
		waiting := w.submit("gerd", toys...)
		if w.state(waiting) != registration.Submitted {
			t.Error("a freemail address was released")
		}
		w.must(w.post("gerd", "/registrations/"+waiting, "do", "withdraw"), http.StatusSeeOther)
		// the second application for a company,
		if again := w.submit("anna", toys...); w.state(again) != registration.Submitted {
			t.Error("a second application was released")
		} else {
			w.must(w.post("anna", "/registrations/"+again, "do", "withdraw"), http.StatusSeeOther)
		}
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`DELETE FROM registration WHERE applicant <> $1`, w.people["bert"])
			return err
		})
		// a clerk's own (R091),
		if own := w.submit("clara", toys...); w.state(own) != registration.Submitted {
			t.Error("a clerk's own application was released")
		} else {
			w.write(func(tx *db.Tx) error { _, err := tx.Exec(`DELETE FROM registration WHERE id = $1`, own); return err })
		}
		// and what does not agree.
		if bad := w.submit("anna", with(toys, "house_number", "9", "legal_form", "kg")...); w.state(bad) != registration.Submitted {
			t.Error("a deviating application was released")
		}
	})
}

// Active at once, checked afterwards (ux.md 1.3): the applicant is the first
// admin (R101), and the management is sent a code to revoke it with.
func TestActiveAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.settle(func(s *chamber.Settings) { s.ReleaseFrom, s.ActiveFrom, s.SamplePercent = 95, 95, 0 })
		id := w.submit("bert")
		w.must(w.get("bert", "/registrations/"+id+"/done"), http.StatusOK, "Ihr Unternehmen ist freigeschaltet", "sofort aktiv")
		w.must(w.get("bert", "/registrations/"+id), http.StatusOK, "Aktiv", "Organisationskonto aktiviert")
		m := w.lastMail("bert@example.org", "Ihr Unternehmen ist freigeschaltet [")
		if !strings.Contains(m, "Geschäftsführung erhält einen Brief") {
			t.Error(m)
		}
		if kind := value[string](w, `SELECT kind FROM letter WHERE state = 'queued'`); kind != "revocation" {
			t.Error(kind)
		}
		if n := value[int](w, `SELECT count(*) FROM membership WHERE admin AND account = $1`, w.people["bert"]); n != 1 {
			t.Error("no admin")
		}
		if value[bool](w, `SELECT sampled FROM registration`) {
			t.Error("a sample of none")
		}
		// By a clerk's hand, too, where the entry agrees that much.
		w.settle(func(s *chamber.Settings) { s.ReleaseFrom = 0 })
		other := w.submit("anna", "name", "Spiel und Spaß GmbH", "legal_form", "gmbh", "street", "Schuteweg", "house_number", "1", "postcode", "00002", "place", "Musterdorf", "reason", "Ich leite sie.", "do", "submit")
		w.must(w.get("clara", "/chamber/registrations/"+other), http.StatusOK, "Freigeben, sofort aktiv")
		w.must(w.post("clara", "/chamber/registrations/"+other, "do", "approve", "version", "1", "entry", w.entry("815"), "evidence", "callback"), http.StatusSeeOther)
		if n := value[int](w, `SELECT count(*) FROM organization WHERE state = 'active'`); n != 2 {
			t.Errorf("%d active", n)
		}
	})
}

// The clerk's side of ELSTER: R205, R206, R207, R208, R209, R210, R211, R212.
func TestR208CertificateBesideApplicationAndDirectory(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.must(w.post("bert", "/organizations/register", with(bakery("submit"), "way", "elster")...), http.StatusUnprocessableEntity, "Wählen Sie, wie Sie das Unternehmen nachweisen")
		w.settle(func(s *chamber.Settings) {
			s.Proofs, s.Adviser = []string{chamber.ByElster, chamber.ByLetter}, "Ausbildungsberatung: Doris Beispiel, 01234 5678-55"
		})
		w.must(w.post("bert", "/organizations/register", bakery("check")...), http.StatusOK, "Wie möchten Sie das Unternehmen nachweisen?", "ELSTER-Organisationszertifikat", "Per Brief")
		id := w.submit("bert", with(bakery("submit"), "way", "elster")...)
		w.must(w.get("bert", "/registrations/"+id), http.StatusOK, "fehlt noch das ELSTER-Zertifikat", "In Prüfung") // requested (R212)
		w.must(w.get("clara", "/chamber/registrations/"+id), http.StatusOK, "Das Zertifikat liegt noch nicht vor")
		approve := []string{"do", "approve", "entry", w.entry("4711"), "evidence", "elster"}
		w.must(w.post("clara", "/chamber/registrations/"+id, append(approve, "version", "1")...), http.StatusUnprocessableEntity, "noch kein ELSTER-Zertifikat")

		certificate := registration.Certificate{Company: company.Company{Name: "BAECKEREI BERT GMBH", Street: "KARL-MARX-STR.", HouseNumber: "12A", Postcode: "00001", Place: "MUSTERDORF"}, Serial: "1A:2B:3C", Issuer: "ELSTER"}
		attach := func(who string) error {
			return w.d.Write(t.Context(), func(tx *db.Tx) error {
				return registration.AttachCertificate(tx, audit.Actor{Kind: audit.Person, Account: w.people[who]}, id, certificate)
			})
		}
		if err := attach("anna"); !fault.Is(err, fault.KindNotFound) {
			t.Error("Anna shows a certificate for Bert's application:", err)
		}
		if err := attach("bert"); err != nil {
			t.Fatal(err)
		}
		if sealed := value[string](w, `SELECT certificate FROM registration`); strings.Contains(sealed, "BAECKEREI") || sealed == "" {
			t.Error("the certificate is not sealed")
		}
		w.must(w.get("clara", "/chamber/registrations/"+id), http.StatusOK, "Zertifikat: fehlt", "Zertifikat: abweichend", "MUSTERD<mark>ORF</mark>", "Zertifikat 1A:2B:3C", "ELSTER-Zertifikat")
		w.must(w.post("clara", "/chamber/registrations/"+id, append(approve, "version", "2")...), http.StatusSeeOther)
		m := w.lastMail("bert@example.org", "Ihr Unternehmen ist freigeschaltet [")
		if !strings.Contains(m, "ein Brief ist nicht nötig") {
			t.Error(m)
		}
		if n := value[int](w, `SELECT count(*) FROM letter`); n != 0 {
			t.Errorf("%d letters", n)
		}
		if got := value[string](w, `SELECT method || ' ' || source FROM evidence`); got != "elster 1A:2B:3C" {
			t.Error(got)
		}
		if n := value[int](w, `SELECT count(*) FROM membership WHERE admin AND account = $1`, w.people["bert"]); n != 1 {
			t.Error("no admin")
		}
		if err := attach("bert"); !fault.Is(err, fault.KindConflict) {
			t.Error("a certificate after the decision:", err)
		}

		// Refused: the reason and who advises (R209, R210). And whoever has no certificate takes the letter.
		toys := w.submit("anna", "name", "Spiel- und Spaß GmbH", "legal_form", "gmbh", "street", "Schuteweg", "house_number", "1", "postcode", "00002", "place", "Musterdorf", "reason", "Ich leite sie.", "do", "submit", "way", "elster")
		w.must(w.post("anna", "/registrations/"+toys, "do", "letter"), http.StatusSeeOther)
		w.must(w.post("anna", "/registrations/"+toys, "do", "letter"), http.StatusConflict)
		w.must(w.post("clara", "/chamber/registrations/"+toys, "do", "refuse", "version", "2", "refusal", "Sie stehen nicht im Register."), http.StatusSeeOther)
		m = w.lastMail("anna@example.org", "Ihre Registrierung wurde abgelehnt [")
		for _, says := range []string{"Sie stehen nicht im Register.", "Doris Beispiel, 01234 5678-55"} {
			if !strings.Contains(m, says) {
				t.Errorf("the mail does not say %q: %s", says, m)
			}
		}
	})
}

// Another chamber is in charge: it decides, with its own directory, and the
// applicant knows where the application lies.
func TestForwardedToTheChamberInCharge(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		other := value[string](w, `SELECT id FROM chamber WHERE number = '998'`)
		if _, err := directory.Import(t.Context(), w.d, audit.Console, other, strings.NewReader(strings.ReplaceAll(listed, "00001", "00091")), directory.ImportOptions{Strict: true}); err != nil {
			t.Fatal(err)
		}
		id := w.submit("bert", with(bakery("submit"), "postcode", "00091", "chamber", w.chamber)...)
		was := value[int](w, `SELECT score FROM registration`)
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "forward", "version", "1"), http.StatusUnprocessableEntity, "Wählen Sie die Kammer, die zuständig ist", "Schreiben Sie, warum")
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "forward", "version", "1", "to", w.chamber, "forward", "Dorthin."), http.StatusUnprocessableEntity, "Wählen Sie die Kammer")
		ends := func(at any) {
			w.write(func(tx *db.Tx) error {
				_, err := tx.Exec(`UPDATE chamber SET valid_until = $1 WHERE id = $2`, at, other)
				return err
			})
		}
		ends(db.At(w.d.Now().Add(-time.Hour))) // nobody works there any more
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "forward", "version", "1", "to", other, "forward", "Dorthin."), http.StatusUnprocessableEntity, "Wählen Sie die Kammer")
		ends(nil)
		var won atomic.Int32
		race(16, func(i int) {
			r := w.post([]string{"clara", "carl"}[i%2], "/chamber/registrations/"+id, "do", "forward", "version", "1", "to", other, "forward", "Ihr Sitz liegt bei uns nicht im Bezirk.")
			if r.Code == http.StatusSeeOther {
				won.Add(1)
			}
		})
		if won.Load() != 1 {
			t.Errorf("passed on %d times", won.Load())
		}
		if got := value[string](w, `SELECT chamber FROM registration`); got != other {
			t.Error("it lies where it lay")
		}
		if now := value[int](w, `SELECT score FROM registration`); now <= was {
			t.Errorf("score %d, before %d: not compared with the new chamber's directory", now, was)
		}
		m := w.lastMail("bert@example.org", "Jetzt bei einer anderen Kammer [")
		for _, says := range []string{"Kammer Anderswo", "Ihr Sitz liegt bei uns nicht im Bezirk."} {
			if !strings.Contains(m, says) {
				t.Errorf("the mail does not say %q: %s", says, m)
			}
		}
		w.must(w.get("bert", "/registrations/"+id), http.StatusOK, "Kammer Anderswo")
		w.must(w.get("clara", "/chamber/registrations/"+id), http.StatusNotFound)
		w.must(w.get("xenia", "/chamber/registrations/"+id), http.StatusOK, "Weitergeleitet von: Kammer Musterland")
		w.must(w.get("clara", "/chamber/audit?event=registration.forwarded"), http.StatusOK, "Registrierung weitergeleitet")
		w.must(w.get("xenia", "/chamber/audit?event=registration.forwarded"), http.StatusOK, "Registrierung weitergeleitet")
	})
}

// The applicant reads which field deviates, never what the directory says; of a
// company that is only similar nothing is told (decision 15).
func TestDeviationsAreTold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.submit("bert", with(bakery("submit"), "street", "Bahnhofstraße", "register_number", "HRB 9")...)
		for _, page := range []string{"/registrations/" + id, "/registrations/" + id + "/done"} {
			r := w.get("bert", page)
			w.must(r, http.StatusOK, "stimmt nicht mit dem Unternehmensverzeichnis überein", "<li>Straße</li>", "<li>HR-Nummer</li>")
			w.never(r, "Karl-Marx", "2011", "<li>Hausnummer</li>", "<li>PLZ</li>")
		}
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "ask", "version", "1", "question", "Welche Straße stimmt?"), http.StatusSeeOther)
		if m := w.lastMail("bert@example.org", "Rückfrage zu"); !strings.Contains(m, "- Straße\n- HR-Nummer\n") || strings.Contains(m, "Karl-Marx") {
			t.Error(m)
		}
		w.must(w.post("bert", "/registrations/"+id, append(bakery("resubmit"), "version", "2")...), http.StatusSeeOther)
		w.never(w.get("bert", "/registrations/"+id), "stimmt nicht mit dem Unternehmensverzeichnis")
		// A similar name at the same postcode: not a word.
		other := w.submit("anna", with(bakery("submit"), "name", "Bäckerei Berta KG", "legal_form", "kg", "house_number", "14")...)
		w.never(w.get("anna", "/registrations/"+other), "stimmt nicht mit dem Unternehmensverzeichnis")
	})
}

// One company, two applications under different names: the approval of one
// settles the other, whose applicant learns how to join.
func TestR066ApprovalSettlesTheOthers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.submit("bert")
		second := w.submit("anna", with(bakery("submit"), "street", "Karl-Marks-Straße", "house_number", "12 b")...)
		w.must(w.get("clara", "/chamber/registrations/"+second), http.StatusOK, "Dublette")
		w.approve(first)
		if w.state(second) != registration.Refused {
			t.Fatal(w.state(second))
		}
		if m := w.lastMail("anna@example.org", "Ihr Unternehmen ist schon dabei ["); !strings.Contains(m, "/organizations/join") {
			t.Error(m)
		}
		r := w.get("anna", "/registrations/"+second)
		w.must(r, http.StatusOK, "Stellen Sie eine Beitrittsanfrage", "/organizations/join")
		w.never(r, "Bert Bäcker")
	})
}

// Text blocks: put into the answer to be changed, or sent as they are.
func TestTextBlocksInAnswers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.submit("bert")
		w.never(w.get("clara", "/chamber/registrations/"+id), "Textbaustein")
		var block, foreign textblock.Block
		other := value[string](w, `SELECT id FROM chamber WHERE number = '998'`)
		w.write(func(tx *db.Tx) (err error) {
			if block, err = textblock.Add(tx, audit.Console, textblock.Block{Chamber: w.chamber, Purpose: textblock.Question, Title: "Hausnummer unklar", Body: "Welche Hausnummer stimmt?"}); err != nil {
				return err
			}
			foreign, err = textblock.Add(tx, audit.Console, textblock.Block{Chamber: other, Purpose: textblock.Question, Title: "Fremd", Body: "Von woanders."})
			return err
		})
		w.must(w.get("clara", "/chamber/registrations/"+id), http.StatusOK, "Textbaustein", "Hausnummer unklar")
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "insert_question", "question_block", block.ID, "question", "", "version", "1"), http.StatusOK, "Welche Hausnummer stimmt?</textarea>", "<details open>")
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "ask", "question_block", foreign.ID, "question", "", "version", "1"), http.StatusUnprocessableEntity, "Diesen Textbaustein gibt es nicht mehr")
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "ask", "question_block", block.ID, "question", "12 oder 12a?", "version", "1"), http.StatusSeeOther)
		if m := w.lastMail("bert@example.org", "Rückfrage"); !strings.Contains(m, "Welche Hausnummer stimmt?\n12 oder 12a?") {
			t.Error(m)
		}
	})
}

// Decisions race: approve, refuse, ask back, pass on, withdraw. One final state,
// and the record says the same.
func TestR091DecisionsRace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		other := value[string](w, `SELECT id FROM chamber WHERE number = '998'`)
		for round := range 4 {
			id := w.submit("bert", with(bakery("submit"), "name", fmt.Sprintf("Bäckerei Bert %c GmbH", 'A'+round), "street", "Sackgasse", "house_number", fmt.Sprint(round+1))...)
			race(10, func(i int) {
				who, form := []string{"clara", "carl"}[i%2], []string{"version", "1"}
				switch i / 2 {
				case 0:
					form = append(form, "do", "approve", "entry", w.entry([]string{"4711", "4712", "815", "815"}[round]), "evidence", "callback")
				case 1:
					form = append(form, "do", "refuse", "refusal", "Nein.")
				case 2:
					form = append(form, "do", "ask", "question", "Wie?")
				case 3:
					form = append(form, "do", "forward", "to", other, "forward", "Dorthin.")
				default:
					w.post("bert", "/registrations/"+id, "do", "withdraw")
					return
				}
				w.post(who, "/chamber/registrations/"+id, form...)
			})
			state := w.state(id)
			var events []string
			err := w.d.Read(t.Context(), func(tx *db.Tx) (err error) {
				events, err = db.Values[string](tx, `SELECT event FROM audit WHERE thing = $1 AND event IN ('registration.approved', 'registration.refused', 'registration.withdrawn') ORDER BY id`, id)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			ends := map[string]string{registration.Approved: "registration.approved", registration.Refused: "registration.refused", registration.Withdrawn: "registration.withdrawn"}
			if want := ends[state]; len(events) > 1 || want != "" && (len(events) != 1 || events[0] != want) || want == "" && len(events) != 0 {
				t.Errorf("the state is %s, the record says %v", state, events)
			}
			if n := value[int](w, `SELECT count(*) FROM organization WHERE id = (SELECT organization FROM registration WHERE id = $1)`, id); (n == 1) != (state == registration.Approved) {
				t.Errorf("state %s with %d organizations", state, n)
			}
		}
	})
}

// The list goes on where it ended, in each order; the next case follows it.
func TestQueuePagesAndOrders(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var ids []string
		for i := range 7 {
			ids = append(ids, w.submit(w.fresh(i), with(bakery("submit"), "name", fmt.Sprintf("Betrieb %c GmbH", 'G'-i), "street", []string{"Karl-Marx-Str.", "Sackgasse"}[i%2], "house_number", fmt.Sprint(i+1))...))
		}
		by := audit.Actor{Kind: audit.Person, Account: w.people["clara"]}
		for _, sort := range []string{registration.ByAge, registration.ByRisk, registration.ByName, ""} {
			var whole, pages []string
			err := w.d.Read(t.Context(), func(tx *db.Tx) error {
				all, err := registration.Queue(tx, by, w.chamber, registration.Filter{Sort: sort})
				for _, i := range all {
					whole = append(whole, i.ID)
				}
				for after := ""; err == nil; {
					page, more := []registration.Item(nil), error(nil)
					page, more = registration.Queue(tx, by, w.chamber, registration.Filter{Sort: sort, After: after, Limit: 2})
					if err = more; len(page) == 0 {
						break
					}
					for _, i := range page {
						pages = append(pages, i.ID)
					}
					after = page[len(page)-1].ID
				}
				if err != nil {
					return err
				}
				// From the last the way leads to the first again.
				at, err := registration.GetRegistration(tx, by, whole[0])
				for _, id := range append(whole[1:], whole[0]) {
					next, err := registration.Next(tx, by, at, sort)
					if err != nil || next != id {
						t.Errorf("%s: next is %s, want %s (%v)", sort, next, id, err)
					}
					if at, err = registration.GetRegistration(tx, by, id); err != nil {
						return err
					}
				}
				for i := 1; sort == registration.ByRisk && i < len(all); i++ {
					if all[i].Risk > all[i-1].Risk {
						t.Error("the greater risk comes later")
					}
				}
				return err
			})
			if err != nil || len(whole) != 7 || strings.Join(whole, " ") != strings.Join(pages, " ") {
				t.Errorf("%s: %v\n%v\n%v", sort, err, whole, pages)
			}
		}
		w.must(w.get("clara", "/chamber/registrations?sort=risk"), http.StatusOK, "Größtes Risiko zuerst", "?sort=risk")
		w.must(w.get("clara", "/chamber/registrations?after="+ids[6]), http.StatusOK, "Zum Anfang")
		w.must(w.get("clara", "/chamber/registrations?after=nothing"), http.StatusNotFound)
	})
}

// fresh is somebody new.
func (w *world) fresh(i int) string {
	key := fmt.Sprintf("fresh%d", i)
	w.person(key, "Person", "Beispiel")
	return key
}

// R121, W06: literal matching as a chamber's choice; deviations for who joins
// only if they know which company they mean.
func TestR121LiteralMatchingAndDeviationsOfJoining(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		org := w.approve(w.submit("bert"))
		w.write(func(tx *db.Tx) error { _, err := tx.Exec(`UPDATE organization SET state = 'active'`); return err })
		find := func(name, street, house string) (found string) {
			err := w.d.Read(t.Context(), func(tx *db.Tx) error {
				o, err := organization.FindForJoin(tx, name, street, house, "00001", "")
				found = o.ID
				return err
			})
			if err != nil && !fault.Is(err, fault.KindNotFound) {
				t.Error(err)
			}
			return found
		}
		if find("BÄCKEREI BERT GMBH", "Karl-Marx-Str.", "12A") != org {
			t.Error("not found by another spelling")
		}
		w.settle(func(s *chamber.Settings) { s.Matching = chamber.Literal })
		if find("BÄCKEREI BERT GMBH", "Karl-Marx-Str.", "12A") != "" || find("Bäckerei Bert GmbH", "Karl-Marx-Straße", "12 a") != org {
			t.Error("literal matching does not go by the letter")
		}
		deviates := func(name, street, house, postcode, ident string) (got string) {
			err := w.d.Read(t.Context(), func(tx *db.Tx) error {
				fields, err := organization.Deviates(tx, company.Company{Name: name, Street: street, HouseNumber: house, Postcode: postcode, IdentNumber: ident})
				got = strings.Join(fields, " ")
				return err
			})
			if err != nil {
				t.Error(err)
			}
			return got
		}
		for _, c := range []struct{ name, street, house, postcode, ident, want string }{
			{"Bäckerei Bert GmbH", "Karl-Marx-Straße", "12", "00001", "", "house_number"},
			{"Bäckerei Bert GmbH", "Karl-Marx-Straße", "12 a", "00001", "4712", "ident_number"},
			{"Bäckerei Bert", "Karl-Marx-Straße", "12 a", "00001", "4711", "name"},
			{"Bäckerei Bert", "Karl-Marx-Straße", "12 a", "00001", "", ""}, // nearly the name: which company?
			{"Unbekannt GmbH", "Irgendwo", "1", "00001", "4711", ""},       // a guessed number
			{"Bäckerei Bert GmbH", "Weg", "1", "00002", "", ""},            // another postcode
			{"Spiel- und Spaß GmbH", "Schuteweg", "2", "00002", "", ""},    // in the directory, but not here
			{"Bäckerei Bert GmbH", "", "", "", "", ""},                     // nothing to go by
		} {
			if got := deviates(c.name, c.street, c.house, c.postcode, c.ident); got != c.want {
				t.Errorf("%+v: %q", c, got)
			}
		}
	})
}

// Thirty-two people register what is released by its score, at the same moment:
// one organization; the others wait for a clerk, or read that it is here (R066).
func TestR066ReleaseByScoreHasOneWinner(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.settle(func(s *chamber.Settings) { s.ReleaseFrom, s.ActiveFrom, s.SamplePercent = 90, 90, 50 })
		for i := range 32 {
			w.fresh(i)
		}
		race(32, func(i int) {
			// Each spells it otherwise, so that no index of pending keys stops them.
			form := with(bakery("submit"), "house_number", []string{"12A", "12 a", "12a", "012a"}[i%4], "name", fmt.Sprintf("Bäckerei Bert %s", []string{"GmbH", "Gesellschaft mbH", "G.m.b.H.", "GMBH"}[i/4%4]))
			if r := w.post(fmt.Sprintf("fresh%d", i), "/organizations/register", form...); r.Code != http.StatusSeeOther {
				w.must(r, http.StatusConflict)
			}
		})
		if n := value[int](w, `SELECT count(*) FROM organization`); n != 1 {
			t.Errorf("%d organizations", n)
		}
		if n := value[int](w, `SELECT count(*) FROM membership WHERE admin`); n != 1 {
			t.Errorf("%d admins", n)
		}
		if n := value[int](w, `SELECT count(*) FROM registration WHERE state = 'approved'`); n != 1 {
			t.Errorf("%d approved", n)
		}
	})
}

// R121: where a chamber goes by the letter, another spelling waits for a clerk.
func TestR121LiterallyReleased(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.settle(func(s *chamber.Settings) { s.ReleaseFrom, s.Matching = 90, chamber.Literal })
		if id := w.submit("bert"); w.state(id) != registration.Submitted {
			t.Error("another spelling was released")
		}
		if id := w.submit("anna", "name", "Spiel- und Spaß GmbH", "legal_form", "gmbh", "street", "Schuteweg", "house_number", "1", "postcode", "00002", "place", "Musterdorf", "reason", "Ich leite sie.", "do", "submit"); w.state(id) != registration.Approved {
			t.Error("the same letters were not released")
		}
	})
}
