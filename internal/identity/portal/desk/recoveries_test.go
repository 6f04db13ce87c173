package desk_test

import (
	"net/http"
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/recovery"
)

func (w *world) lost(login string) string {
	w.t.Helper()
	var r recovery.Recovery
	w.write(func(tx *db.Tx) (err error) {
		if err := policy.EnsureDefault(tx); err != nil {
			return err
		}
		r, err = recovery.Submit(tx, audit.Actor{IP: "198.51.100.1"}, "browser", w.chamber, recovery.Claim{GivenName: "Anna", FamilyName: "Beispiel", Login: login, Contact: "0151 <b>5</b>", Story: "Handy weg"})
		return err
	})
	return r.ID
}

// Task 10 at the desk: only this chamber's clerks; the account is found, its
// owner told, the code stands on paper alone (ASVS 6.4.6).
func TestRecoveriesAtTheDesk(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.lost("anna@example.org")
		at := "/chamber/recoveries/" + id
		w.must(w.get("bert", "/chamber/recoveries"), http.StatusForbidden)
		w.must(w.get("xenia", at), http.StatusNotFound)
		w.must(w.post("xenia", at, "do", "match", "account", w.people["anna"]), http.StatusNotFound)
		w.must(w.post("xenia", at, "do", "print"), http.StatusNotFound)
		w.must(w.get("clara", "/chamber"), http.StatusOK, "Wiederherstellungen")
		w.must(w.get("clara", "/chamber/recoveries"), http.StatusOK, "Anna Beispiel", "0151 <b>5</b>")
		w.must(w.get("clara", at), http.StatusOK, "anna@example.org", "Ja, Konto zuordnen", "Handy weg")
		w.never(w.get("clara", at), "Freigeben, Wartezeit")
		w.must(w.post("clara", at, "do", "approve", "account", w.people["anna"], "evidence", "desk"), http.StatusConflict)
		w.must(w.post("clara", at, "do", "find", "find", "niemand"), http.StatusUnprocessableEntity, "Dazu gibt es kein Konto")
		to := w.must(w.post("clara", at, "do", "find", "find", "bert"), http.StatusSeeOther)
		w.must(w.get("clara", to), http.StatusOK, "bert@example.org", "abweichend")
		w.must(w.post("clara", at, "do", "match", "account", w.people["carl"]), http.StatusConflict, "stellt der Betrieb wieder her")
		w.must(w.post("clara", at, "do", "match", "account", w.people["anna"]), http.StatusSeeOther)
		w.lastMail("anna@example.org", "Wiederherstellung Ihres Kontos beantragt")
		w.must(w.post("clara", at, "do", "approve", "account", w.people["anna"]), http.StatusUnprocessableEntity, "Wählen Sie aus, wie die Identität geprüft wurde")
		w.must(w.post("clara", at, "do", "approve", "account", w.people["anna"], "evidence", "letter", "address", "Anna"), http.StatusUnprocessableEntity, "drei bis sechs Zeilen", "Anna</textarea>")
		w.must(w.post("clara", at, "do", "approve", "account", w.people["anna"], "evidence", "letter", "address", "Anna Beispiel\nWeg 1\n00001 Musterstadt"), http.StatusSeeOther)
		w.must(w.post("carl", at, "do", "approve", "account", w.people["anna"], "evidence", "desk"), http.StatusConflict, "Clara Kammer")
		r := w.post("clara", at, "do", "print")
		w.must(r, http.StatusOK)
		code := codeOnPaper.FindString(strings.ReplaceAll(pdfText(t, r.Body.Bytes()), "W-", ""))
		if code == "" || r.Header().Get("Cache-Control") != "no-store" {
			t.Fatal("no code on the paper")
		}
		w.never(w.get("clara", at), code)
		w.must(w.get("clara", at), http.StatusOK, "Neuen Code drucken", "Weg 1")
		w.must(w.post("clara", at, "do", "refuse"), http.StatusUnprocessableEntity)
		w.must(w.post("clara", at, "do", "refuse", "refusal", "Der Brief kam zurück."), http.StatusSeeOther)
		w.must(w.post("carl", at, "do", "print"), http.StatusConflict)
		w.must(w.get("carl", "/chamber/recoveries?status=done&page=99999999999"), http.StatusOK)
		w.must(w.get("carl", "/chamber/audit?event=recovery.printed"), http.StatusOK, "Wiederherstellungscode gedruckt")
	})
}
