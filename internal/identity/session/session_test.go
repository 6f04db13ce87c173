package session

import (
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/schema"
)

// The policy of the package comment, moment by moment.
func TestPolicy(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { return now }
		write := func(f func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Write(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		var a, b account.Account
		write(func(tx *db.Tx) (err error) {
			if a, err = account.Create(tx, audit.Console, account.New{GivenName: "Anna", FamilyName: "B", Email: "anna@beispiel.example", Confirmed: true}); err != nil {
				return err
			}
			b, err = account.Create(tx, audit.Console, account.New{GivenName: "Bert", FamilyName: "B", Email: "bert@beispiel.example", Confirmed: true})
			return err
		})
		start := func() (token string, s Session) {
			write(func(tx *db.Tx) (err error) {
				token, s, err = Start(tx, audit.Actor{IP: "192.0.2.1"}, a.ID, "pwd")
				return err
			})
			return token, s
		}
		opens := func(token string) (yes bool) {
			write(func(tx *db.Tx) error {
				_, err := Resolve(tx, token)
				if yes = err == nil; !yes && !fault.Is(err, fault.KindNotFound) {
					return err
				}
				return nil
			})
			return yes
		}
		touch := func(s Session) { write(func(tx *db.Tx) error { return Touch(tx, s.ID) }) }

		// 30 minutes of rest, moved on by use
		token, s := start()
		now = now.Add(Idle - time.Microsecond)
		if !opens(token) {
			t.Error("ended too early")
		}
		touch(s)
		now = now.Add(Idle - time.Microsecond)
		if !opens(token) {
			t.Error("use did not move the end")
		}
		now = now.Add(time.Microsecond)
		if opens(token) {
			t.Error("rested 30 minutes, and still open")
		}
		touch(s)
		if opens(token) {
			t.Error("a touch woke a session that had ended")
		}
		// 12 hours at most
		token, s = start()
		for range 24 {
			now = now.Add(Idle - time.Second)
			touch(s)
		}
		if !opens(token) {
			t.Error("ended before 12 hours")
		}
		now = now.Add(24 * time.Second)
		if opens(token) {
			t.Error("still open after 12 hours")
		}
		// Nobody ends, chooses or renews for others
		token, s = start()
		other, self := audit.Actor{Kind: audit.Person, Account: b.ID}, audit.Actor{Kind: audit.Person, Account: a.ID, Session: s.ID}
		write(func(tx *db.Tx) error {
			if err := End(tx, other, s.ID); err != nil {
				return err
			}
			if err := EndAll(tx, other, a.ID, ""); !fault.Is(err, fault.KindForbidden) {
				t.Error(err)
			}
			if err := Choose(tx, other, s.ID, "x", ""); !fault.Is(err, fault.KindNotFound) {
				t.Error(err)
			}
			if _, _, err := Reauthenticated(tx, other, s.ID, "pwd"); !fault.Is(err, fault.KindNotFound) {
				t.Error(err)
			}
			return Choose(tx, self, s.ID, "org", "")
		})
		if !opens(token) {
			t.Error("somebody else ended the session")
		}
		// All but this one; each ending is told once
		second, _ := start()
		write(func(tx *db.Tx) error { return EndAll(tx, self, a.ID, s.ID) })
		write(func(tx *db.Tx) error { return EndAll(tx, self, a.ID, s.ID) })
		if opens(second) || !opens(token) {
			t.Error("the wrong one ended")
		}
		write(func(tx *db.Tx) error {
			n, err := db.Value[int](tx, `SELECT count(*) FROM job WHERE kind = $1`, EndedKind)
			if n != 3 { // the two that timed out were still on record
				t.Errorf("%d applications' jobs", n)
			}
			return err
		})
		// An account that is not active opens nothing (GHSA-wv3h-x6c4-r867)
		write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE account SET state = 'locked' WHERE id = $1`, a.ID)
			return err
		})
		if opens(token) {
			t.Error("a locked account is signed in")
		}
	})
}

// Rows of sessions go a day after their last possible moment, however many.
func TestSweep(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { return now }
		var live string
		start := func(n int) {
			t.Helper()
			if err := d.Write(t.Context(), func(tx *db.Tx) (err error) {
				a, err := account.Create(tx, audit.Console, account.New{GivenName: "Anna", FamilyName: "B", Email: now.Format("150405") + "@beispiel.example", Confirmed: true})
				for range n {
					if err == nil {
						live, _, err = Start(tx, audit.Actor{IP: "192.0.2.1"}, a.ID, "pwd")
					}
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		start(1203)
		now = now.Add(Lifetime + kept + time.Second)
		start(1)
		if err := Sweep(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		d.Read(t.Context(), func(tx *db.Tx) error {
			if n, err := db.Value[int](tx, `SELECT count(*) FROM session`); n != 1 || err != nil {
				t.Error(n, err)
			}
			_, err := Resolve(tx, live)
			if err != nil {
				t.Error("the running session is gone", err)
			}
			return nil
		})
	})
}

// CVE-2025-12390, GHSA-rg35-5v25-mqvp, ASVS 7.2.4: every proof makes a new
// token, and the one before opens nothing; a pending session is none of the
// person's until it is complete, which it becomes once.
func TestEveryProofMakesANewToken(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { return now }
		by := audit.Actor{IP: "192.0.2.1"}
		var old []string
		var token string
		var s Session
		step := func(what string, want fault.Kind, f func(tx *db.Tx) (string, Session, error)) {
			t.Helper()
			now = now.Add(time.Minute)
			if err := d.Write(t.Context(), func(tx *db.Tx) error {
				next, got, err := f(tx)
				if want != 0 {
					if !fault.Is(err, want) {
						t.Errorf("%s: %v", what, err)
					}
					return nil
				}
				if err != nil {
					return err
				}
				old, token, s = append(old, token), next, got
				for _, o := range old {
					if _, err := Resolve(tx, o); !fault.Is(err, fault.KindNotFound) {
						t.Errorf("%s: a token of before opens: %v", what, err)
					}
				}
				_, err = Resolve(tx, token)
				return err
			}); err != nil {
				t.Fatal(what, err)
			}
		}
		var a account.Account
		if err := d.Write(t.Context(), func(tx *db.Tx) (err error) {
			a, err = account.Create(tx, audit.Console, account.New{GivenName: "Anna", FamilyName: "B", Email: "anna@beispiel.example", Confirmed: true})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		step("start", 0, func(tx *db.Tx) (string, Session, error) { return StartPending(tx, by, a.ID, "pwd", "/there") })
		if !s.Pending || s.Next != "/there" || !s.ProvedAt.IsZero() {
			t.Errorf("%+v", s)
		}
		step("second factor", 0, func(tx *db.Tx) (string, Session, error) { return Proved(tx, by, s, "otp mfa") })
		if !s.Pending || s.AMR != "pwd otp mfa" || s.ProvedAt.IsZero() {
			t.Errorf("%+v", s)
		}
		pending := s
		step("complete", 0, func(tx *db.Tx) (string, Session, error) { return Complete(tx, by, s) })
		if s.Pending || s.EndsAt.Sub(db.At(now)) != Lifetime {
			t.Errorf("%+v", s)
		}
		step("complete twice", fault.KindNotFound, func(tx *db.Tx) (string, Session, error) { return Complete(tx, by, pending) })
		auth := s.AuthTime
		step("step-up", 0, func(tx *db.Tx) (string, Session, error) { return Proved(tx, by, s, "hwk user mfa") })
		if s.AuthTime != auth || s.AMR != "pwd otp mfa hwk user" {
			t.Errorf("a step-up moves the time of authentication, or loses methods: %+v", s)
		}
		by.Account = a.ID
		step("again", 0, func(tx *db.Tx) (string, Session, error) { return Reauthenticated(tx, by, s.ID, "pwd") })
		step("again, with steps", 0, func(tx *db.Tx) (string, Session, error) { return ReauthenticatePending(tx, by, s.ID, "pwd", "/x") })
		if !s.Pending || s.AMR != "pwd" || !s.ProvedAt.IsZero() || !s.AuthTime.After(auth) || s.ID != pending.ID {
			t.Errorf("what was proved before counts in a new sign-in: %+v", s)
		}
		step("again while pending", fault.KindNotFound, func(tx *db.Tx) (string, Session, error) { return Reauthenticated(tx, by, s.ID, "pwd") })
		now = now.Add(PendingFor)
		step("too late", fault.KindNotFound, func(tx *db.Tx) (string, Session, error) { return Complete(tx, by, s) })
	})
}
