package factor

import (
	"encoding/json"
	"regexp"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/account"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
)

// A world is a database with Anna in it, and a clock.
type world struct {
	testing.TB
	d    *db.DB
	mu   sync.Mutex
	now  time.Time
	anna account.Account
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) { f(t, newWorld(t, d)) })
}

func newWorld(t testing.TB, d *db.DB) *world {
	w := &world{TB: t, d: d, now: time.Date(2026, 11, 2, 8, 0, 10, 0, time.UTC)}
	d.Now = func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }
	w.must(policy.EnsureDefault)
	w.anna = w.person("anna")
	return w
}

func (w *world) pass(d time.Duration) { w.mu.Lock(); w.now = w.now.Add(d); w.mu.Unlock() }

func (w *world) write(f func(tx *db.Tx) error) error { return w.d.Write(w.Context(), f) }

func (w *world) must(f func(tx *db.Tx) error) {
	w.Helper()
	if err := w.write(f); err != nil {
		w.Fatal(err)
	}
}

func (w *world) person(name string) (a account.Account) {
	w.Helper()
	w.must(func(tx *db.Tx) (err error) {
		a, err = account.Create(tx, audit.Console, account.New{GivenName: name, FamilyName: "Beispiel", Username: name, Email: name + "@beispiel.example", Confirmed: true})
		return err
	})
	return a
}

// rule gives a person the standard policy, changed.
func (w *world) rule(a *account.Account, change func(p *policy.Policy)) {
	w.Helper()
	w.must(func(tx *db.Tx) error {
		p, err := policy.Preset(policy.Standard)
		if err != nil {
			return err
		}
		p.Key = "of-" + a.GivenName
		change(&p)
		if _, err := tx.Exec(`UPDATE account SET policy = $1 WHERE id = $2`, p.Key, a.ID); err != nil {
			return err
		}
		a.Policy = p.Key
		return policy.Save(tx, audit.Console, p)
	})
}

func (w *world) role(a account.Account, role string) {
	w.must(func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO staff (account, chamber, role, since) VALUES ($1, NULL, $2, $3)`, a.ID, role, tx.Now())
		return err
	})
}

// by is Anna in the session s1.
func (w *world) by() audit.Actor {
	return audit.Actor{Account: w.anna.ID, Session: "s1", IP: "192.0.2.1", Agent: "test"}
}

// mails are all that were sent, newest last.
func (w *world) mails() (all []mail.Message) {
	w.Helper()
	w.must(func(tx *db.Tx) error {
		all = nil
		bodies, err := db.Values[string](tx, `SELECT body FROM job WHERE kind = 'mail' ORDER BY id`)
		for _, body := range bodies {
			var s struct{ ID, Mail string }
			if err := json.Unmarshal([]byte(body), &s); err != nil {
				return err
			}
			plain, err := tx.Keys().Open("mail/"+s.ID, s.Mail)
			if err != nil {
				return err
			}
			var m mail.Message
			if err := json.Unmarshal(plain, &m); err != nil {
				return err
			}
			all = append(all, m)
		}
		return err
	})
	return all
}

func (w *world) lastMail() mail.Message {
	w.Helper()
	all := w.mails()
	if len(all) == 0 {
		w.Fatal("no mail")
	}
	return all[len(all)-1]
}

var sixDigits = regexp.MustCompile(`(?m)^\d{6}$`)

// code asks for a code by mail and reads it.
func (w *world) code(session string) string {
	w.Helper()
	w.must(func(tx *db.Tx) error { return SendCode(tx, w.by(), w.anna, session) })
	return sixDigits.FindString(w.lastMail().Body)
}

func (w *world) check(session, kind, code string) (amr string, err error) {
	err = w.write(func(tx *db.Tx) error { amr, err = Check(tx, w.by(), w.anna, session, kind, code); return err })
	return amr, err
}

// app sets up an authenticator app and returns what shows its codes.
func (w *world) app(a account.Account, session string) (Factor, func() string) {
	w.Helper()
	var s Setup
	w.must(func(tx *db.Tx) (err error) { s, err = StartTOTP(tx, w.by(), a, session, "Telefon"); return err })
	show := w.shows(s)
	var f Factor
	w.must(func(tx *db.Tx) (err error) { f, err = ConfirmTOTP(tx, w.by(), a, session, s.ID, show()); return err })
	w.pass(time.Minute) // the first code is spent
	return f, show
}

func (w *world) shows(s Setup) func() string {
	return func() string {
		w.mu.Lock()
		defer w.mu.Unlock()
		return codeAt(w, s.Key, w.now)
	}
}

func (w *world) due(a account.Account, amr, session_ string) (n Need) {
	w.Helper()
	w.must(func(tx *db.Tx) (err error) { n, err = Due(tx, a, session.Session{ID: session_, AMR: amr}); return err })
	return n
}

func (w *world) count(query string, args ...any) (n int) {
	w.Helper()
	w.must(func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query, args...); return err })
	return n
}

// race runs f n times at once and returns how many had no error; what else went
// wrong must be a fault.
func (w *world) race(n int, f func(tx *db.Tx) error) (won int) {
	w.Helper()
	var ready, done sync.WaitGroup
	start, mu := make(chan struct{}), sync.Mutex{}
	ready.Add(n)
	for range n {
		done.Go(func() {
			ready.Done()
			<-start
			err := w.write(f)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if fault.Of(err) == nil {
				w.Error(err)
			}
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return won
}

func key(err error) string {
	if f := fault.Of(err); f != nil {
		return f.Key()
	}
	return ""
}
