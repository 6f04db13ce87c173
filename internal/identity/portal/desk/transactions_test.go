package desk_test

import (
	"net/http"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/schema"
)

// A clerk's decision takes one transaction (issue C): what it changes, the
// company it makes, the letter, the evidence, the record and the mail. They are
// counted on the wire to PostgreSQL.
func TestADecisionIsOneTransaction(t *testing.T) {
	address, begun := dbtest.CountingWrites(t, dbtest.Migrated(t, "postgres", schema.Files))
	d, err := db.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	w := newWorld(t, d)
	spiel := func(do string) []string {
		all := bakery(do)
		for i := 0; i < len(all); i += 2 {
			switch all[i] {
			case "name":
				all[i+1] = "Spiel- und Spaß GmbH"
			case "street":
				all[i+1] = "Schuteweg"
			case "house_number":
				all[i+1] = "1"
			case "postcode":
				all[i+1] = "00002"
			case "place":
				all[i+1] = "Musterdorf"
			case "register_number", "register_kind":
				all[i+1] = ""
			}
		}
		return all
	}
	decide := func(id, what string, pairs ...string) {
		t.Helper()
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "claim"), http.StatusSeeOther)
		pairs = append(pairs, "do", what, "version", w.version(id))
		before := begun.Load()
		w.must(w.post("clara", "/chamber/registrations/"+id, pairs...), http.StatusSeeOther)
		if writes := begun.Load() - before; writes != 1 {
			t.Errorf("%s takes %d transactions", what, writes)
		}
	}
	id := w.submit("bert")
	decide(id, "ask", "question", "Welche Hausnummer stimmt?")
	w.lastMail("bert@example.org", "Rückfrage")
	other := w.submit("anna", spiel("submit")...)
	decide(other, "refuse", "refusal", "Wir finden Sie nicht im Verzeichnis.")
	third := w.submit("anna", spiel("submit")...)
	decide(third, "approve", "entry", w.entry("815"), "evidence", "callback")
	for what, query := range map[string]string{
		"company":  `SELECT count(*) FROM organization WHERE state = 'letter'`,
		"letter":   `SELECT count(*) FROM letter WHERE state = 'queued'`,
		"evidence": `SELECT count(*) FROM evidence WHERE method = 'callback'`,
		"record":   `SELECT count(*) FROM audit WHERE event = 'registration.approved'`,
	} {
		if n := value[int](w, query); n != 1 {
			t.Errorf("%s: %d", what, n)
		}
	}
}
