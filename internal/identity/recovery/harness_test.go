package recovery_test

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/recovery"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
)

// A world is a chamber with two clerks (Clara, Carl), one of another chamber
// (Xenia), an operator (Otto), and Lena, who has lost everything.
type world struct {
	t                  *testing.T
	d                  *db.DB
	clock              atomic.Int64
	chamber            string
	lena               account.Account
	clara, carl, xenia audit.Actor
	otto               account.Account
	browser            string
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) { f(t, newWorld(t, d)) })
}

func newWorld(t *testing.T, d *db.DB) *world {
	w := &world{t: t, d: d, browser: "browser-of-lena"}
	w.clock.Store(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC).UnixMicro())
	d.Now = func() time.Time { return time.UnixMicro(w.clock.Load()).UTC() }
	w.write(func(tx *db.Tx) error {
		if err := policy.EnsureDefault(tx); err != nil {
			return err
		}
		here, err := chamber.Create(tx, audit.Console, chamber.Chamber{
			Number: "999", Name: "Kammer Musterland", Street: "Zunftplatz", HouseNumber: "1", Postcode: "00999", Place: "Musterstadt",
			Phone: "0999 1234-0", Email: "post@kammer.example", Postcodes: []string{"00"},
		})
		if err != nil {
			return err
		}
		w.chamber = here.ID
		there, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: "998", Name: "Kammer Anderswo"})
		if err != nil {
			return err
		}
		person := func(given, family, at, role string) (account.Account, error) {
			a, err := account.Create(tx, audit.Console, account.New{GivenName: given, FamilyName: family, Username: strings.ToLower(given), Email: strings.ToLower(given) + "@example.org", Language: "de", Password: "$argon2id$none", Confirmed: true})
			if err == nil && role != "" {
				err = chamber.AddStaff(tx, audit.Console, a.ID, at, role)
			}
			return a, err
		}
		for _, c := range []struct {
			actor       *audit.Actor
			given, role string
			at          string
		}{{&w.clara, "Clara", "clerk", here.ID}, {&w.carl, "Carl", "clerk", here.ID}, {&w.xenia, "Xenia", "clerk", there.ID}} {
			a, err := person(c.given, "Kammer", c.at, c.role)
			if err != nil {
				return err
			}
			*c.actor = audit.Actor{Account: a.ID, Kind: audit.Person, IP: "192.0.2.1"}
		}
		if w.otto, err = person("Otto", "Ostermann", "", "operator"); err != nil {
			return err
		}
		w.lena, err = person("Lena", "Lerche", "", "")
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO account_email (account, email, email_key, created_at, confirmed_at) VALUES ($1, 'lena@firma.example', 'lena@firma.example', $2, $2), ($1, 'lena@nie.example', 'lena@nie.example', $2, NULL)`, w.lena.ID, tx.Now())
		return err
	})
	return w
}

func (w *world) pass(d time.Duration) { w.clock.Add(d.Microseconds()) }

func (w *world) try(f func(tx *db.Tx) error) error { return w.d.Write(w.t.Context(), f) }

func (w *world) write(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.try(f); err != nil {
		w.t.Fatal(err)
	}
}

var stranger = audit.Actor{Kind: audit.Person, IP: "198.51.100.7"}

func claim() recovery.Claim {
	return recovery.Claim{GivenName: "Lena", FamilyName: "Lerche", Login: "lena", Contact: "0999 4711", Lang: "de"}
}

// ask submits what Lena types.
func (w *world) ask(c recovery.Claim) (r recovery.Recovery) {
	w.t.Helper()
	w.write(func(tx *db.Tx) (err error) {
		r, err = recovery.Submit(tx, stranger, w.browser, w.chamber, c)
		return err
	})
	return r
}

// approve lets Clara match and approve.
func (w *world) approve(r recovery.Recovery, evidence string) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		if err := recovery.Match(tx, w.clara, r.ID, w.lena.ID); err != nil {
			return err
		}
		return recovery.Approve(tx, w.clara, r.ID, w.lena.ID, evidence, "Lena Lerche\nLerchenweg 4\n00999 Musterstadt")
	})
}

func (w *world) find(r recovery.Recovery) (q recovery.Recovery) {
	w.t.Helper()
	w.write(func(tx *db.Tx) (err error) { q, err = recovery.Find(tx, r.Reference, w.browser); return err })
	return q
}

var onPaper = regexp.MustCompile(`[34679ACDEFGHJKMNPQRTWXY]{4}-[34679ACDEFGHJKMNPQRTWXY]{4}-[34679ACDEFGHJKMNPQRTWXY]{4}`)

// print returns the text and the code of the paper.
func (w *world) print(r recovery.Recovery) (text, code string) {
	w.t.Helper()
	_, pdf, err := recovery.Print(w.t.Context(), w.d, w.clara, r.ID, "https://id.example/recover")
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := exec.LookPath("pdftotext"); err != nil {
		dbtest.Unavailable(w.t, "pdftotext (poppler-utils) is needed to read the letter")
	}
	cmd := exec.Command("pdftotext", "-layout", "-", "-")
	cmd.Stdin = strings.NewReader(string(pdf))
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatal(err)
	}
	return string(out), onPaper.FindString(string(out))
}

// prove types the code on paper.
func (w *world) prove(r recovery.Recovery, code string) (secret string, err error) {
	err = w.try(func(tx *db.Tx) error {
		q, err := recovery.Find(tx, r.Reference, w.browser)
		if err != nil {
			return err
		}
		secret, err = recovery.Prove(tx, stranger, q, code)
		return err
	})
	return secret, err
}

const newPHC = "$argon2id$new"

// choose sets new address and password; it returns the code of the mail.
func (w *world) choose(r recovery.Recovery, secret, email string) string {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		q, err := recovery.Find(tx, r.Reference, w.browser)
		if err != nil {
			return err
		}
		return recovery.Choose(tx, stranger, q, secret, email, newPHC)
	})
	all := w.mails(email)
	return regexp.MustCompile(`\b\d{6}\b`).FindString(all[len(all)-1].Body)
}

func (w *world) complete(r recovery.Recovery, secret, code string) error {
	return w.try(func(tx *db.Tx) error {
		q, err := recovery.Find(tx, r.Reference, w.browser)
		if err != nil {
			return err
		}
		return recovery.Complete(tx, stranger, q, secret, code)
	})
}

// ready brings a request to where only the code of the mail is missing.
func (w *world) ready() (r recovery.Recovery, secret, code string) {
	w.t.Helper()
	r = w.ask(claim())
	w.approve(r, recovery.ByDesk)
	_, paper := w.print(r)
	w.pass(73 * time.Hour)
	secret, err := w.prove(r, paper)
	if err != nil {
		w.t.Fatal(err)
	}
	return r, secret, w.choose(r, secret, "lena@neu.example")
}

// mails to an address, as they wait.
func (w *world) mails(to string) (all []mail.Message) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		bodies, err := db.Values[string](tx, `SELECT body FROM job WHERE kind = $1 ORDER BY id`, mail.Kind)
		for _, b := range bodies {
			var s struct{ ID, Mail string }
			var m mail.Message
			if err := json.Unmarshal([]byte(b), &s); err != nil {
				return err
			}
			plain, err := tx.Keys().Open("mail/"+s.ID, s.Mail)
			if err != nil {
				return err
			}
			if err := json.Unmarshal(plain, &m); err != nil {
				return err
			}
			if m.To == to {
				all = append(all, m)
			}
		}
		return err
	})
	return all
}

func (w *world) subjects(to string) string {
	w.t.Helper()
	var all []string
	for _, m := range w.mails(to) {
		all = append(all, m.Subject)
	}
	return strings.Join(all, " | ")
}

func value[T any](w *world, query string, args ...any) (v T) {
	w.t.Helper()
	w.write(func(tx *db.Tx) (err error) { v, err = db.Value[T](tx, query, args...); return err })
	return v
}

func (w *world) state(r recovery.Recovery) string {
	return value[string](w, `SELECT state FROM recovery WHERE id = $1`, r.ID)
}

func (w *world) signIn() {
	w.write(func(tx *db.Tx) error { _, _, err := session.Start(tx, stranger, w.lena.ID, "pwd"); return err })
}

func (w *world) sweep() {
	w.t.Helper()
	if err := recovery.Sweep(w.t.Context(), w.d); err != nil {
		w.t.Fatal(err)
	}
}

// says checks which phrase a fault carries.
func says(t *testing.T, err error, phrase string) {
	t.Helper()
	ft := fault.Of(err)
	if ft == nil || ft.Key() != phrase {
		t.Fatalf("%v, want %s", err, phrase)
	}
}

// race runs f in n goroutines that begin together and counts who got through.
func race(n int, f func(i int) error) int {
	var won atomic.Int64
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			if f(i) == nil {
				won.Add(1)
			}
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return int(won.Load())
}
