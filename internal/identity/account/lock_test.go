package account

import (
	"context"
	"encoding/json"
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
	"zunft/internal/ground/job"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/link"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/schema"
)

// A hall is a database with people who try to get in.
type hall struct {
	*testing.T
	d     *db.DB
	h     *password.Hasher
	now   time.Time
	jobs  *job.Runner
	mails []mail.Message
}

const hefe = "Mehl Hefe Wasser"

func inHall(t *testing.T, f func(h *hall)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		h := &hall{T: t, d: d, h: password.NewHasher(2), now: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC), jobs: &job.Runner{DB: d}}
		h.h.Cost = password.Cost{KiB: 64, Passes: 1, Lanes: 1}
		d.Now = func() time.Time { return h.now }
		h.jobs.On(RecoverKind, Recover(d))
		h.jobs.On(mail.Kind, func(_ context.Context, body []byte) error {
			var sealed struct{ ID, Mail string }
			var m mail.Message
			if err := json.Unmarshal(body, &sealed); err != nil {
				return err
			}
			plain, err := d.Keys.Open("mail/"+sealed.ID, sealed.Mail)
			if err != nil {
				return err
			}
			err = json.Unmarshal(plain, &m)
			h.mails = append(h.mails, m)
			return err
		})
		f(h)
	})
}

func (h *hall) write(f func(tx *db.Tx) error) {
	h.Helper()
	if err := h.d.Write(h.Context(), f); err != nil {
		h.Fatal(err)
	}
}

// policy makes a preset of the standard with a change the default.
func (h *hall) policy(key string, change func(p *policy.Policy)) {
	h.Helper()
	p, err := policy.Preset(policy.Standard)
	if err != nil {
		h.Fatal(err)
	}
	p.Key, p.Name, p.Default = key, key, key == "default"
	change(&p)
	h.write(func(tx *db.Tx) error { return policy.Save(tx, audit.Console, p) })
}

func (h *hall) person(n New) (a Account) {
	h.Helper()
	if n.Password == "" {
		phc, err := h.h.Hash(h.Context(), hefe)
		if err != nil {
			h.Fatal(err)
		}
		n.Password = phc
	}
	n.GivenName, n.FamilyName, n.Email, n.Confirmed = "Anna", "Beispiel", n.Username+"@beispiel.example", true
	h.write(func(tx *db.Tx) (err error) { a, err = Create(tx, audit.Console, n); return err })
	return a
}

func (h *hall) enter(login, plain, device string) (a Account, mark string, err error) {
	h.Helper()
	p, err := Authenticate(h.Context(), h.d, h.h, audit.Actor{IP: "192.0.2.1"}, login, plain, device)
	if err == nil {
		err = h.d.Write(h.Context(), func(tx *db.Tx) (err error) {
			if a, err = Accept(tx, audit.Actor{IP: "192.0.2.1"}, p); err == nil {
				mark = Device(tx, a)
			}
			return err
		})
	}
	if err != nil && fault.Of(err) == nil {
		h.Fatal(err)
	}
	return a, mark, err
}

func (h *hall) opens(login, plain string) bool {
	h.Helper()
	_, _, err := h.enter(login, plain, "")
	return err == nil
}

func (h *hall) unlockLink() string {
	h.Helper()
	h.mails = nil
	if err := h.jobs.Drain(h.Context()); err != nil {
		h.Fatal(err)
	}
	if len(h.mails) == 0 {
		return ""
	}
	if m := regexp.MustCompile(`/unlock/([A-Za-z0-9_-]+)`).FindStringSubmatch(h.mails[len(h.mails)-1].Body); m != nil {
		return m[1]
	}
	return ""
}

// R287, W11: where a policy says so, several wrong passwords in a row lock for
// 24 hours. One mail goes out whose link ends it; a browser that the owner has
// used before opens all the time, and so does a new password.
func TestR287DayLock(t *testing.T) {
	inHall(t, func(h *hall) {
		h.policy("day", func(p *policy.Policy) { p.Lock = policy.Lock{Way: "day", After: 4} })
		h.policy("default", func(*policy.Policy) {})
		h.person(New{Username: "anna.b", Policy: "day"})
		_, mark, err := h.enter("anna.b", hefe, "")
		if err != nil {
			t.Fatal(err)
		}
		guess := func(n int) {
			t.Helper()
			for range n {
				if h.opens("anna.b", "geraten") {
					t.Fatal("a guess opens")
				}
			}
		}
		guess(3)
		if h.unlockLink() != "" || !h.opens("anna.b", hefe) {
			t.Fatal("locked too early")
		}
		guess(4)
		if h.opens("anna.b", hefe) {
			t.Fatal("no lock")
		}
		token := h.unlockLink()
		if token == "" || len(h.mails) != 1 || !strings.Contains(h.mails[0].Body, "03.11.2026, 09:00") {
			t.Fatalf("one mail is due: %v", h.mails)
		}
		if _, _, err := h.enter("anna.b", hefe, mark); err != nil {
			t.Error("the known browser is locked out, too:", err)
		}
		guess(3) // count nothing, send nothing
		if h.unlockLink() != "" {
			t.Error("a second mail")
		}
		h.now = h.now.Add(24*time.Hour - time.Second)
		if h.opens("anna.b", hefe) {
			t.Error("open before 24 hours are over")
		}
		h.now = h.now.Add(time.Second)
		if err := h.d.Write(t.Context(), func(tx *db.Tx) error { _, err := Unlock(tx, audit.Actor{}, token); return err }); !fault.Is(err, fault.KindConflict) {
			t.Error("an old link:", err)
		}
		guess(1) // begins to count anew
		if !h.opens("anna.b", hefe) {
			t.Error("still locked after 24 hours")
		}
		guess(4)
		token = h.unlockLink()
		var l Link
		h.write(func(tx *db.Tx) (err error) { l, err = UnlockLink(tx, token); return err })
		if l.State != link.Open || l.Account.Username != "anna.b" || h.opens("anna.b", hefe) {
			t.Error("looking at the link used it:", l.State)
		}
		h.write(func(tx *db.Tx) error { _, err := Unlock(tx, audit.Actor{}, token); return err })
		if !h.opens("anna.b", hefe) {
			t.Error("the link ended no lock")
		}
		guess(4)
		h.write(func(tx *db.Tx) error { return AskPassword(tx, audit.Actor{}, "anna.b") })
		if err := h.jobs.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(`/recover/password/([A-Za-z0-9_-]+)`).FindStringSubmatch(h.mails[len(h.mails)-1].Body)
		phc, err := h.h.Hash(t.Context(), "Salz Hefe Wasser")
		if err != nil || m == nil {
			t.Fatal(err, h.mails)
		}
		h.write(func(tx *db.Tx) error { _, err := ResetPassword(tx, audit.Actor{}, m[1], phc); return err })
		if !h.opens("anna.b", "Salz Hefe Wasser") {
			t.Error("a new password ended no lock")
		}
	})
}

// Decision 3: pauses grow from 30 seconds to an hour, from the failure on that
// the account's own policy names.
func TestPauseByPolicy(t *testing.T) {
	inHall(t, func(h *hall) {
		h.policy("default", func(p *policy.Policy) { p.Lock.After = 50 })
		h.policy("own", func(p *policy.Policy) { p.Lock.After = 3 })
		a := h.person(New{Username: "anna.b", Policy: "own"})
		for n := range 12 {
			want := time.Duration(0)
			if n >= 2 {
				want = min(30*time.Second<<(n-2), time.Hour)
			}
			if h.opens("anna.b", "geraten") {
				t.Fatal("a guess opens")
			}
			var now Account
			h.write(func(tx *db.Tx) (err error) { now, err = Get(tx, a.ID); return err })
			got := time.Duration(0)
			if !now.pausedUntil.IsZero() {
				got = now.pausedUntil.Sub(db.At(h.now))
			}
			if got != want {
				t.Fatalf("after %d failures %s, want %s", n+1, got, want)
			}
			h.now = h.now.Add(want + 10*time.Minute)
		}
		if h.unlockLink() != "" {
			t.Error("a pause sends no mail")
		}
	})
}

// R181, R287: what a person locks, a mail opens; what the chamber locks, only
// the chamber opens; a lock after "Das waren nicht Sie?" ends with a password.
// One winner among 64 for the link.
func TestLocks(t *testing.T) {
	inHall(t, func(h *hall) {
		h.policy("default", func(*policy.Policy) {})
		a := h.person(New{Username: "anna.b"})
		me, stranger := audit.Actor{Account: a.ID, IP: "192.0.2.1"}, audit.Actor{Account: "other"}
		try := func(f func(tx *db.Tx) error) error { return h.d.Write(t.Context(), f) }
		lock := func(by audit.Actor, reason string) error {
			return try(func(tx *db.Tx) error { _, err := Lock(tx, by, a.ID, reason); return err })
		}
		if err := lock(stranger, LockedBySelf); !fault.Is(err, fault.KindForbidden) {
			t.Error("a stranger locks:", err)
		}
		if err := lock(me, LockedByChamber); !fault.Is(err, fault.KindForbidden) {
			t.Error("a person locks for the chamber:", err)
		}
		for _, c := range []struct {
			reason    string
			by        audit.Actor
			mail, new bool
		}{{LockedBySelf, me, true, false}, {LockedByChamber, audit.Console, false, false}, {LockedByDisavowal, me, false, true}} {
			var old string // a link from before
			h.write(func(tx *db.Tx) (err error) {
				old, _, err = link.Issue(tx, a.ID, link.Unlock, "", "", unlockFor)
				return err
			})
			if err := lock(c.by, c.reason); err != nil {
				t.Fatal(err)
			}
			if err := lock(c.by, c.reason); !fault.Is(err, fault.KindConflict) {
				t.Error("locked twice:", err)
			}
			if h.opens("anna.b", hefe) {
				t.Errorf("locked %s, and opens", c.reason)
			}
			h.now = h.now.Add(time.Hour)
			h.write(func(tx *db.Tx) error { return AskUnlock(tx, me, "anna.b") })
			token := h.unlockLink()
			if (token != "") != c.mail {
				t.Errorf("locked %s: mail %v", c.reason, h.mails)
			}
			if token == "" {
				token = old
			}
			won := h.race(func(tx *db.Tx) error { _, err := Unlock(tx, me, token); return err })
			if (won == 1) != c.mail || won > 1 {
				t.Errorf("locked %s: %d opened it by the link", c.reason, won)
			}
			h.write(func(tx *db.Tx) error { return AskPassword(tx, me, "anna.b") })
			h.mails = nil
			if err := h.jobs.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if sent := len(h.mails) == 1; sent != (c.new || c.mail) { // the one it opened again is active
				t.Errorf("locked %s: link for a password %v", c.reason, sent)
			}
			if err := try(func(tx *db.Tx) error { _, err := Release(tx, me, a.ID); return err }); !fault.Is(err, fault.KindForbidden) {
				t.Error("a person releases:", err)
			}
			h.write(func(tx *db.Tx) error { _, err := Release(tx, audit.Console, a.ID); return err })
			if !h.opens("anna.b", hefe) {
				t.Errorf("locked %s, released, and does not open", c.reason)
			}
			h.now = h.now.Add(2 * time.Hour)
		}
		if h.unlockLink(); try(func(tx *db.Tx) error { return AskUnlock(tx, me, "anna.b") }) != nil || h.unlockLink() != "" {
			t.Error("an account that is open gets a link to unlock")
		}
	})
}

// race runs f 64 times at once and says how often it worked.
func (h *hall) race(f func(tx *db.Tx) error) int {
	h.Helper()
	var barrier, group sync.WaitGroup
	var won atomic.Int32
	barrier.Add(1)
	for range 64 {
		group.Go(func() {
			barrier.Wait()
			if err := h.d.Write(h.Context(), f); err == nil {
				won.Add(1)
			} else if fault.Of(err) == nil {
				h.Error(err)
			}
		})
	}
	barrier.Done()
	group.Wait()
	return int(won.Load())
}

// R180, ASVS 6.2.3: who is signed in changes the password by showing the one
// before, once per proof. The known browsers end, the mail goes out.
func TestR180ChangePassword(t *testing.T) {
	inHall(t, func(h *hall) {
		h.policy("default", func(*policy.Policy) {})
		a := h.person(New{Username: "anna.b"})
		me := audit.Actor{Account: a.ID}
		_, mark, err := h.enter("anna.b", hefe, "")
		if err != nil {
			t.Fatal(err)
		}
		for plain, key := range map[string]string{"": "account.current_missing", "geraten": "account.current_refused"} {
			if _, err := Verify(t.Context(), h.d, h.h, me, a.ID, "current", plain); fault.Of(err) == nil || fault.Of(err).Key() != key || fault.Of(err).Problems[0].Field != "current" {
				t.Errorf("%q: %v", plain, err)
			}
		}
		proof, err := Verify(t.Context(), h.d, h.h, me, a.ID, "current", hefe)
		if err != nil {
			t.Fatal(err)
		}
		phc, err := h.h.Hash(t.Context(), "Salz Hefe Wasser")
		if err != nil {
			t.Fatal(err)
		}
		if err := h.d.Write(t.Context(), func(tx *db.Tx) error {
			_, err := ChangePassword(tx, audit.Actor{Account: "other"}, proof, phc)
			return err
		}); !fault.Is(err, fault.KindForbidden) {
			t.Error("a stranger changes it:", err)
		}
		var open string
		h.write(func(tx *db.Tx) (err error) {
			open, _, err = link.Issue(tx, a.ID, link.Password, "", "", passwordFor)
			return err
		})
		if won := h.race(func(tx *db.Tx) error { _, err := ChangePassword(tx, me, proof, phc); return err }); won != 1 {
			t.Errorf("%d changed it", won)
		}
		if h.opens("anna.b", hefe) || !h.opens("anna.b", "Salz Hefe Wasser") {
			t.Error("the old one opens, or the new one does not")
		}
		h.write(func(tx *db.Tx) error {
			now, err := Get(tx, a.ID)
			if known, _ := knownDevice(tx, now, mark); known || now.PasswordAt.IsZero() {
				t.Error("a browser from before is known still", now.PasswordAt)
			}
			if l, _ := PasswordLink(tx, open); l.State != link.Void {
				t.Error("an open link for a password is", l.State)
			}
			return err
		})
		if err := h.jobs.Drain(t.Context()); err != nil || len(h.mails) != 1 || !strings.Contains(h.mails[0].Body, "/report-activity/") {
			t.Error(err, h.mails)
		}
		// Guessing in a session that was left open is slowed down, and pauses nobody.
		limited := false
		for range 10 {
			_, err := Verify(t.Context(), h.d, h.h, me, a.ID, "current", "geraten")
			limited = limited || fault.Is(err, fault.KindLimited)
		}
		if !limited || !h.opens("anna.b", "Salz Hefe Wasser") {
			t.Error("guesses in a session: limited", limited)
		}
	})
}

// R284, W07: a number opens the account with its chamber before it, alone if
// only one person has it, and not at all where a policy leaves numbers out.
func TestR284Numbers(t *testing.T) {
	inHall(t, func(h *hall) {
		h.policy("default", func(*policy.Policy) {})
		h.policy("names", func(p *policy.Policy) { p.SignIn.By = []string{"username"} })
		h.policy("numbers", func(p *policy.Policy) { p.SignIn.By = []string{"number"} })
		anna, berta, clara := h.person(New{Username: "anna.b", Policy: "numbers"}), h.person(New{Username: "berta.b"}), h.person(New{Username: "clara.b", Policy: "names"})
		h.write(func(tx *db.Tx) error {
			for _, number := range []string{"133", "150"} {
				c, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: number, Name: "Kammer " + number, ShortName: number})
				if err != nil {
					return err
				}
				for _, n := range [][3]string{
					{anna.ID, "apprentice", map[string]string{"133": "12 345-67", "150": "77"}[number]},
					{berta.ID, "trainer", map[string]string{"133": "T/99", "150": "1234567"}[number]},
					{clara.ID, "member", number + "00"},
				} {
					if err := AddNumber(tx, audit.Console, n[0], n[1], c.ID, n[2]); err != nil {
						return err
					}
				}
			}
			return nil
		})
		for login, want := range map[string]string{
			"133-1234567": "anna.b", "133-12345-67": "anna.b", "150-1234567": "berta.b", "1234567": "", "77": "anna.b", "t99": "berta.b", "133/T 99": "berta.b",
			"150-99": "", "133-": "", "-": "", "150-": "", "": "", "13300": "clara.b",
		} {
			h.write(func(tx *db.Tx) error {
				if a, err := ByLogin(tx, login); a.Username != want || (err != nil) != (want == "") {
					t.Errorf("%q is %q, want %q: %v", login, a.Username, want, err)
				}
				return nil
			})
		}
		for login, want := range map[string]bool{"133-1234567": true, "anna.b": false, "anna.b@beispiel.example": false, "berta.b": true, "t99": true, "clara.b": true, "13300": false, "clara.b@beispiel.example": false} {
			if got := h.opens(login, hefe); got != want {
				t.Errorf("%q opens: %v, want %v", login, got, want)
			}
		}
		if err := h.d.Write(t.Context(), func(tx *db.Tx) error {
			return AddNumber(tx, audit.Console, clara.ID, "member", "", "1")
		}); err == nil {
			t.Error("a number of no chamber")
		}
	})
}

// R185, R186: a hash of another product opens once and is ours from then on;
// an account without a password opens to nobody.
func TestR185ForeignHashIsRenewed(t *testing.T) {
	inHall(t, func(h *hall) {
		h.policy("default", func(*policy.Policy) {})
		const bcrypt, salted = "$2y$05$abcdefghijklmnopqrstuuNRDW/EOvoh8ZiMlAOEBb6H2DAlKVV/2", "{SSHA}aUnU2TqqCwV62ARQknKTaB20mddzYWx0c2FsdA=="
		for name, hash := range map[string]string{"anna.b": bcrypt, "berta.b": salted} {
			kept, err := password.Adopt(hash)
			if err != nil {
				t.Fatal(err)
			}
			a := h.person(New{Username: name, Password: kept})
			if h.opens(name, "Brot & Bier") || !h.opens(name, "Brot & Bier für 7") {
				t.Error("the old password does not open")
			}
			h.write(func(tx *db.Tx) error {
				now, err := Get(tx, a.ID)
				if h.h.Stale(now.password) {
					t.Error("not renewed:", now.password)
				}
				return err
			})
			if !h.opens(name, "Brot & Bier für 7") || h.opens(name, kept) || h.opens(name, hash) {
				t.Error("renewed, and does not open, or opens with its hash")
			}
		}
		h.person(New{Username: "clara.b", Password: "-"})
		h.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE account SET password = '' WHERE username = 'clara.b'`)
			return err
		})
		if h.opens("clara.b", "") || h.opens("clara.b", "x") {
			t.Error("no password opens")
		}
	})
}
