package recovery_test

import (
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/identity/recovery"
)

// The code on paper: five tries, then a new print; a print makes the code
// before void; slips cost nothing.
func TestTheCodeOnPaper(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.ask(claim())
		w.approve(r, recovery.ByDesk)
		w.pass(73 * time.Hour)
		_, err := w.prove(r, "AAAA-AAAA-AAAA")
		says(t, err, "recovery.no_code_yet")
		text, first := w.print(r)
		if !strings.Contains(text, "Persönlich übergeben") {
			t.Error(text)
		}
		for typed, phrase := range map[string]string{"": "recovery.code_missing", "AAAA": "recovery.code_length", "AAAA-AAAA-AAA0": "recovery.code_characters", first + "A": "recovery.code_length"} {
			_, err := w.prove(r, typed)
			says(t, err, phrase)
		}
		for range 4 {
			_, err = w.prove(r, "AAAA-AAAA-AAAA")
			says(t, err, "recovery.code_wrong")
		}
		if _, err := w.prove(r, first); err != nil {
			t.Error("the fifth try:", err)
		}
		if n := race(32, func(int) error { _, err := w.prove(r, "AAAA-AAAA-AAAA"); return err }); n != 0 {
			t.Error(n)
		}
		_, err = w.prove(r, first)
		says(t, err, "recovery.code_burned")
		_, second := w.print(r)
		_, err = w.prove(r, first)
		says(t, err, "recovery.code_wrong")
		if _, err = w.prove(r, second); err != nil {
			t.Error(err)
		}
		// Two clerks print at once: one paper has the code that counts.
		prints := race(8, func(int) error {
			_, _, err := recovery.Print(t.Context(), w.d, w.carl, r.ID, "https://id.example/recover")
			return err
		})
		if prints < 1 {
			t.Error(prints)
		}
		w.pass(31 * 24 * time.Hour)
		_, err = w.prove(r, second)
		says(t, err, "recovery.over")
		w.sweep()
		if w.state(r) != recovery.Expired {
			t.Error(w.state(r))
		}
		w.pass(91 * 24 * time.Hour)
		w.sweep()
		if n := value[int](w, `SELECT count(*) FROM recovery`); n != 0 {
			t.Error("what was said is kept for ever")
		}
	})
}

// One-time things and decisions, raced: exactly one counts (security 3.4, 1 and 2).
func TestRaces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		// Two clerks decide.
		r := w.ask(claim())
		w.write(func(tx *db.Tx) error { return recovery.Match(tx, w.clara, r.ID, w.lena.ID) })
		n := race(8, func(i int) error {
			return w.try(func(tx *db.Tx) error {
				if i%2 == 0 {
					return recovery.Approve(tx, w.clara, r.ID, w.lena.ID, recovery.ByDesk, "")
				}
				return recovery.Approve(tx, w.carl, r.ID, w.lena.ID, recovery.ByEID, "")
			})
		})
		if n != 1 || value[int](w, `SELECT count(*) FROM audit WHERE thing = $1 AND event = 'recovery.approved'`, r.ID) != 1 {
			t.Error("approved", n)
		}
		// A second request for the same account waits for the first.
		second := w.ask(claim())
		says(t, w.try(func(tx *db.Tx) error {
			if err := recovery.Match(tx, w.clara, second.ID, w.lena.ID); err != nil {
				return err
			}
			return recovery.Approve(tx, w.clara, second.ID, w.lena.ID, recovery.ByDesk, "")
		}), "recovery.other_runs")
		w.write(func(tx *db.Tx) error { return recovery.Refuse(tx, w.carl, r.ID, "Doppelt") })

		// Completing, many times.
		r, secret, code := w.ready()
		if n := race(16, func(int) error { return w.complete(r, secret, code) }); n != 1 || w.state(r) != recovery.Done {
			t.Error("completed", n, w.state(r))
		}
	})
}

// Cancelling beside completing: one of both, and the account is of the one that counts.
func TestCancelBesideComplete(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r, secret, code := w.ready()
		body := w.mails("lena@example.org")[0].Body
		_, token, _ := strings.Cut(body, "/cancel/")
		token = strings.Fields(token)[0]
		n := race(8, func(i int) error {
			if i%2 == 0 {
				return w.complete(r, secret, code)
			}
			return w.try(func(tx *db.Tx) error { return recovery.Cancel(tx, stranger, r.Reference, token) })
		})
		email := value[string](w, `SELECT email FROM account WHERE id = $1`, w.lena.ID)
		if state := w.state(r); n != 1 || (state == recovery.Done) != (email == "lena@neu.example") || state != recovery.Done && state != recovery.Cancelled {
			t.Error(n, state, email)
		}
	})
}

// The new address is proved; one that belongs to somebody else is told to its
// reader alone, and the way goes on (W12).
func TestTheNewAddress(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r, secret, code := w.ready()
		says(t, w.complete(r, secret, "12345"), "link.code_form")
		wrong := "000000"
		if code == wrong {
			wrong = "000001"
		}
		says(t, w.complete(r, secret, wrong), "link.code_wrong")
		taken := w.choose(r, secret, "otto@example.org")
		says(t, w.complete(r, secret, code), "link.code_wrong") // of the address before
		says(t, w.complete(r, secret, taken), "account.email_taken")
		w.pass(11 * time.Minute)
		late := w.choose(r, secret, "lena@example.org") // the old one, if it works again
		w.pass(11 * time.Minute)
		says(t, w.complete(r, secret, late), "link.code_expired")
		w.pass(time.Hour)
		says(t, w.complete(r, secret, late), "recovery.proof_gone")
	})
}

// A refusal is read by the person; an open request that nobody works on expires.
func TestRefusedAndForgotten(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r, left := w.ask(claim()), w.ask(claim())
		w.write(func(tx *db.Tx) error { return recovery.Refuse(tx, w.clara, r.ID, " Wir finden Sie nicht. ") })
		if q := w.find(r); q.State != recovery.Refused || q.Answer != "Wir finden Sie nicht." {
			t.Error(q)
		}
		says(t, w.try(func(tx *db.Tx) error { return recovery.Refuse(tx, w.carl, r.ID, "Ich auch") }), "recovery.decided_meanwhile")
		w.pass(61 * 24 * time.Hour)
		w.sweep()
		if w.state(left) != recovery.Expired || w.state(r) != recovery.Refused {
			t.Error(w.state(left), w.state(r))
		}
		// An account that is deleted takes along what was said; the row still reads.
		gone := w.ask(claim())
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE recovery SET claimed = '', address = '', account = '', state = 'cancelled' WHERE id = $1`, gone.ID)
			return err
		})
		w.write(func(tx *db.Tx) error {
			done, err := recovery.Queue(tx, w.clara, w.chamber, recovery.StatusDone, 0)
			if len(done) != 3 {
				t.Error(done)
			}
			return err
		})
		w.pass(61 * 24 * time.Hour)
		w.sweep()
		if w.state(gone) != recovery.Cancelled {
			t.Error(w.state(gone))
		}
	})
}

// Candidates: by e-mail address, user name and number, and colleagues of a
// company by name; only counted statements, whatever is found.
func TestCandidates(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO account_number (account, kind, chamber, number, number_key, since) VALUES ($1, 'apprentice', $2, '4711-A', '4711a', $3)`, w.lena.ID, w.chamber, tx.Now())
			return err
		})
		c := claim()
		c.Login, c.Number = "LENA@firma.example", "4711-a"
		r := w.ask(c)
		w.write(func(tx *db.Tx) error {
			if found, err := recovery.Candidates(tx, r, w.otto.ID); err != nil || len(found) != 1 {
				t.Errorf("somebody nobody looked up is shown: %v %+v", err, found)
			}
			otto, err := recovery.Search(tx, w.clara, r.ID, w.otto.Email)
			if err != nil {
				return err
			}
			found, err := recovery.Candidates(tx, r, otto.ID)
			if err != nil {
				return err
			}
			if len(found) != 2 || found[0].ID != w.otto.ID || !found[0].Staff || found[0].NameFits {
				t.Errorf("%+v", found)
			}
			if l := found[1]; l.ID != w.lena.ID || !l.NameFits || !l.LoginFits || !l.NumberFits || !l.Ties || len(l.Addresses) != 2 || l.Staff {
				t.Errorf("%+v", l)
			}
			return nil
		})
		says(t, w.try(func(tx *db.Tx) error { _, err := recovery.Search(tx, w.clara, r.ID, "nobody"); return err }), "recovery.find_nobody")
		w.write(func(tx *db.Tx) error {
			a, err := recovery.Search(tx, w.clara, r.ID, "lena@example.org")
			if err == nil && a.ID != w.lena.ID {
				t.Error(a)
			}
			return err
		})
		if n := value[int](w, `SELECT count(*) FROM audit WHERE event = 'recovery.searched' AND account = $1`, w.lena.ID); n != 1 {
			t.Error("a search leaves no record", n)
		}
	})
}
