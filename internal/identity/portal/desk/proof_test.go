package desk_test

import (
	"net/http"
	"strings"
	"testing"

	"zunft/internal/ground/db"
)

// What opens accounts and companies takes a proof at the desk, too: codes on
// paper, a recovery, and the directory, by whose addresses letters go.
func TestPowerTakesAProof(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.lost("anna@example.org")
		at := "/chamber/recoveries/" + id
		w.must(w.post("clara", at, "do", "match", "account", w.people["anna"]), http.StatusSeeOther)
		stale := func() {
			w.write(func(tx *db.Tx) error { _, err := tx.Exec(`UPDATE session SET proved_at = NULL`); return err })
		}
		fresh := func() {
			w.write(func(tx *db.Tx) error { _, err := tx.Exec(`UPDATE session SET proved_at = $1`, tx.Now()); return err })
		}
		approve := func() reply {
			return w.post("clara", at, "do", "approve", "account", w.people["anna"], "evidence", "letter", "address", "Anna Beispiel\nWeg 1\n00001 Musterstadt")
		}
		asks := func(r reply) {
			t.Helper()
			if to := w.must(r, http.StatusSeeOther); !strings.HasPrefix(to, "/account/confirm") {
				t.Errorf("%s: no proof, to %q", r.path, to)
			}
		}
		stale()
		asks(approve())
		fresh()
		if to := w.must(approve(), http.StatusSeeOther); to != at {
			t.Fatal(to)
		}
		stale()
		asks(w.post("clara", at, "do", "print"))
		asks(w.post("clara", "/chamber/letters", "do", "download"))
		asks(w.upload("clara", "write", strings.Replace(listed, "Karl-Marx-Straße;12 a", "Postfach;1", 1)))
		w.must(w.post("bert", "/chamber/letters", "do", "download"), http.StatusForbidden)
		for query, what := range map[string]string{
			`SELECT count(*) FROM letter WHERE state = 'printed'`: "letters printed", `SELECT count(*) FROM recovery WHERE code_mac <> ''`: "codes made", `SELECT count(*) FROM directory_entry WHERE street = 'Postfach'`: "entries changed",
		} {
			w.write(func(tx *db.Tx) error {
				n, err := db.Value[int](tx, query)
				if n != 0 {
					t.Error(n, what, "without a proof")
				}
				return err
			})
		}
		fresh()
		w.must(w.post("clara", "/chamber/letters", "do", "download"), http.StatusOK)
	})
}

// An id in the address shows nobody's data: a clerk sees accounts that the
// request names, or that they looked up by it, which is in the record.
func TestNobodysDataByAnID(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		at := "/chamber/recoveries/" + w.lost("anna@example.org")
		w.never(w.get("clara", at+"?account="+w.people["bert"]), "bert@example.org")
		w.must(w.get("clara", at+"?account="+w.people["bert"]), http.StatusOK, "anna@example.org")
		to := w.must(w.post("clara", at, "do", "find", "find", "bert"), http.StatusSeeOther)
		w.must(w.get("clara", to), http.StatusOK, "bert@example.org")
		other := "/chamber/recoveries/" + w.lost("nobody@example.org")
		w.never(w.get("clara", other+"?account="+w.people["bert"]), "bert@example.org")
	})
}
