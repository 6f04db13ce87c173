package signin_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/portaltest"
	"zunft/internal/identity/session"
	"zunft/internal/identity/terms"
)

// setUp gives an account a second factor that is active.
func (w *world) setUp(a account.Account, kind string) {
	w.T.Helper()
	w.Exec(`INSERT INTO factor (id, account, kind, name, state, created_at) VALUES ($1, $2, $3, '', 'active', $4)`, db.NewID(), a.ID, kind, w.D.Now())
}

// proved is what the page of a second factor does after the code.
func (p *person) proved(amr string) {
	p.w.T.Helper()
	if err := p.w.D.Write(p.w.T.Context(), func(tx *db.Tx) error {
		s, err := session.Resolve(tx, p.Cookies["t_session"])
		if err != nil {
			return err
		}
		p.Cookies["t_session"], _, err = session.Proved(tx, audit.Actor{IP: p.IP}, s, amr)
		return err
	}); err != nil {
		p.w.T.Fatal(err)
	}
}

// R201, mesutpiskin#36: with a second factor the password opens nothing but the
// step that asks for it, in no tab and at no address; after it the way goes on
// to where it was to go, with a token of its own (ASVS 7.2.4).
func TestR201SecondFactorComesFirst(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.setUp(w.create("anna", true), "totp")
		p := w.person("192.0.2.1")
		p.Get("/login/next").Goes(t, "/login") // nobody is on the way
		p.signIn("anna", plain, "next", "/organizations/join?a=b").Goes(t, "/login/next")
		half := p.Cookies["t_session"]
		for range 2 { // the second tab
			p.Get("/login/next").Goes(t, "/login/second-factor")
			p.Get("/").Goes(t, "/login/next")
		}
		if p.Cookies["t_device"] != "" {
			t.Error("half a sign-in makes the browser known")
		}
		if n := w.Count(`SELECT count(*) FROM audit WHERE event = 'session.started'`); n != 0 {
			t.Error("half a sign-in is recorded as a session")
		}
		p.proved("otp mfa")
		proved := p.Cookies["t_session"]
		p.Get("/").Goes(t, "/login/next") // until the dispatcher has seen it
		p.Get("/login/next").Goes(t, "/organizations/join?a=b")
		whole := p.Cookies["t_session"]
		p.Get("/").Want(t, 200, "Start: Anna Beispiel")
		for name, token := range map[string]string{"half": half, "proved": proved} {
			q := w.person("192.0.2.1")
			q.Cookies["t_session"] = token
			q.Get("/").Goes(t, "/login")
			q.Get("/login/next").Goes(t, "/login")
			if token == whole {
				t.Error(name, "is the token of the whole session")
			}
		}
		if w.Count(`SELECT count(*) FROM session WHERE amr = 'pwd otp mfa' AND NOT pending`) != 1 {
			t.Error("the methods are not kept")
		}
		p.Get("/login/next").Goes(t, "/")

		// Half in, and out again: nothing is left.
		p.Post("/logout")
		p.signIn("anna", plain).Goes(t, "/login/next")
		half = p.Cookies["t_session"]
		p.Post("/logout").Goes(t, "/logged-out")
		p.Cookies["t_session"] = half
		p.Get("/login/next").Goes(t, "/login")
		// Half in, and somebody starts anew: the one before is over.
		p.signIn("anna", plain).Goes(t, "/login/next")
		half = p.Cookies["t_session"]
		p.Get("/login").Want(t, 200, "Anmelden")
		p.signIn("anna", plain).Goes(t, "/login/next")
		p.Cookies["t_session"] = half
		p.Get("/login/next").Goes(t, "/login")
		// The steps have 15 minutes.
		p.signIn("anna", plain).Goes(t, "/login/next")
		w.Pass(session.PendingFor)
		p.Get("/login/next").Goes(t, "/login")
	})
}

// R151, W07: with a factor of one's own choice, too, proving oneself again
// (prompt=login) asks for it, keeps the sid, and what was proved before does
// not count.
func TestAgainAsksTheFactor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.setUp(w.create("anna", true), "mail")
		p := w.person("192.0.2.1")
		p.signIn("anna", plain).Goes(t, "/login/next")
		p.proved("otp")
		p.Get("/login/next").Goes(t, "/")
		w.Pass(5 * time.Minute)
		p.signIn("anna", plain, "again", "1", "next", "/oauth2/authorize").Goes(t, "/login/next")
		p.Get("/").Goes(t, "/login/next")
		p.Get("/login/next").Goes(t, "/login/second-factor")
		p.proved("otp")
		p.Get("/login/next").Goes(t, "/oauth2/authorize")
		p.Get("/").Want(t, 200)
		if w.Count(`SELECT count(*) FROM session`) != 1 || w.Count(`SELECT count(*) FROM session WHERE auth_time > created_at`) != 1 {
			t.Error("another session, or the time did not move")
		}
		if w.Count(`SELECT count(*) FROM audit WHERE event = 'session.reauthenticated'`) != 1 || w.Count(`SELECT count(*) FROM audit WHERE event = 'session.started'`) != 1 {
			t.Error("the record says something else")
		}
	})
}

// R165, R167: what is wanted is set up at the next sign-in; R199, S25: what is
// offered is offered last, and least factors of a role are asked of it alone
// (ASVS 6.3.3).
func TestR199StepsInTheirOrder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.create("anna", true)
		w.Exec(`INSERT INTO factor (id, account, kind, name, state, session, created_at) VALUES ($1, $2, 'totp', '', 'wanted', 'an earlier one', $3)`, db.NewID(), a.ID, w.D.Now())
		p := w.person("192.0.2.1")
		p.signIn("anna", plain).Goes(t, "/login/next")
		p.Get("/login/next").Goes(t, "/login/setup")
		w.Exec(`UPDATE factor SET state = 'active'`)
		p.Get("/login/next").Goes(t, "/login/second-factor")

		// A clerk has none yet: a code by mail first, then an app, then the terms.
		c := w.create("clara", true)
		w.Exec(`INSERT INTO chamber (id, number, name, short_name, created_at) VALUES ('c', '999', 'Kammer', 'K', $1)`, w.D.Now())
		w.Exec(`INSERT INTO staff (account, chamber, role, since) VALUES ($1, 'c', 'clerk', $2)`, c.ID, w.D.Now())
		w.Exec(`DELETE FROM consent WHERE account = $1`, c.ID)
		q := w.person("192.0.2.2")
		q.signIn("clara", plain).Goes(t, "/login/next")
		q.Get("/login/next").Goes(t, "/login/second-factor")
		q.proved("otp")
		q.Get("/login/next").Goes(t, "/login/setup")
		w.setUp(c, "totp")
		q.Get("/login/next").Goes(t, "/login/second-factor")
		q.proved("otp mfa")
		q.Get("/login/next").Goes(t, "/login/terms")

		// Offered once, after everything else.
		if err := w.D.Write(t.Context(), func(tx *db.Tx) error {
			rule, err := policy.Preset(policy.Standard)
			rule.Default, rule.Factor.Offer = true, true
			if err != nil {
				return err
			}
			return policy.Save(tx, audit.Console, rule)
		}); err != nil {
			t.Fatal(err)
		}
		b := w.create("bert", true)
		r := w.person("192.0.2.3")
		r.signIn("bert", plain).Goes(t, "/login/next")
		r.Get("/login/next").Goes(t, "/login/setup")
		w.Exec(`UPDATE account SET factor_offered_at = $1 WHERE id = $2`, w.D.Now(), b.ID) // "Später"
		r.Get("/login/next").Goes(t, "/")
		r.Post("/logout")
		r.signIn("bert", plain).Goes(t, "/")
	})
}

// R051, R254: a new version of what one must accept is asked for at the next
// sign-in, nothing is ticked beforehand, and without it there is no way in.
func TestR254NewTermsAtSignIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.create("anna", true)
		p := w.person("192.0.2.1")
		p.signIn("anna", plain).Goes(t, "/")
		w.Pass(time.Hour)
		if err := w.D.Write(t.Context(), func(tx *db.Tx) error {
			return terms.Publish(tx, audit.Console, terms.Terms{Kind: terms.InformationDuties, Version: "2027-01", Title: "Informationspflichten", Body: "# Neu\n\nHier ist etwas neu.", Required: true})
		}); err != nil {
			t.Fatal(err)
		}
		p.signIn("anna", plain, "next", "/organizations/join").Goes(t, "/login/next")
		p.Get("/login/next").Goes(t, "/login/terms")
		g := p.Get("/login/terms").Want(t, 200, "Hier ist etwas neu.", "Fassung 2027-01")
		if strings.Contains(g.Body, " checked") {
			t.Error("ticked beforehand")
		}
		id := between(g.Body, `name="terms" value="`)
		p.Post("/login/terms", "terms", id).Want(t, 422, "um weiterzumachen", "Hier ist etwas neu.")
		p.Post("/login/terms").Goes(t, "/login/next") // nothing shown, nothing accepted
		p.Get("/login/next").Goes(t, "/login/terms")
		p.Post("/login/terms", "terms", "nothing", "accept_nothing", "1").Goes(t, "/login/next")
		p.Get("/login/next").Goes(t, "/login/terms")
		p.Get("/").Goes(t, "/login/next")
		p.Post("/login/terms", "terms", id, "accept_"+id, "1").Goes(t, "/login/next")
		p.Get("/login/next").Goes(t, "/organizations/join")
		p.Get("/login/terms").Goes(t, "/login/next")
		p.Post("/login/terms", "terms", id).Goes(t, "/login/next")
		if w.Count(`SELECT count(*) FROM audit WHERE event = 'consent.given' AND account = $1 AND actor = $1`, a.ID) != 1 {
			t.Error("who accepted what is not on record")
		}
	})
}

func between(s, after string) string {
	_, rest, _ := strings.Cut(s, after)
	got, _, _ := strings.Cut(rest, `"`)
	return got
}

// A pending session becomes a whole one once, however many tabs ask at once.
func TestRaceOfTheLastStep(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.setUp(w.create("anna", true), "totp")
		p := w.person("192.0.2.1")
		p.signIn("anna", plain).Goes(t, "/login/next")
		p.proved("otp mfa")
		var barrier, group sync.WaitGroup
		var won, five atomic.Int32
		barrier.Add(1)
		for range 64 {
			group.Go(func() {
				q := w.person("192.0.2.1")
				q.Cookies["t_session"] = p.Cookies["t_session"]
				barrier.Wait()
				switch g := q.Get("/login/next"); {
				case g.Status == http.StatusSeeOther && g.To == "/":
					won.Add(1)
				case g.Status >= 500:
					five.Add(1)
				}
			})
		}
		barrier.Done()
		group.Wait()
		if won.Load() != 1 || five.Load() != 0 || w.Count(`SELECT count(*) FROM audit WHERE event = 'session.started'`) != 1 {
			t.Errorf("%d whole sessions, %d defects", won.Load(), five.Load())
		}
	})
}

// GHSA-wv3h-x6c4-r867: who is locked halfway gets no further.
func TestLockedHalfway(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.create("anna", true)
		w.setUp(a, "totp")
		p := w.person("192.0.2.1")
		p.signIn("anna", plain).Goes(t, "/login/next")
		p.proved("otp mfa")
		w.Exec(`UPDATE account SET state = 'locked' WHERE id = $1`, a.ID)
		p.Get("/login/next").Goes(t, "/login")
		p.Get("/").Goes(t, "/login")
	})
}

// "Neue Anmeldung bei Ihrem Konto": not at the first, not in a browser that is
// known, not twice from the same place; and only when one is in, not halfway.
func TestNewDeviceIsTold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.create("anna", true)
		const to = "anna@beispiel.example"
		home := w.person("192.0.2.1")
		home.signIn("anna", plain).Goes(t, "/")
		home.Post("/logout")
		home.IP = "198.51.100.7" // the same browser, another network
		home.signIn("anna", plain).Goes(t, "/")
		if got := w.Inbox(to); len(got) != 0 {
			t.Fatalf("%+v", got)
		}
		away := w.person("203.0.113.9")
		away.signIn("anna", plain).Goes(t, "/")
		m := w.One(to, portaltest.NewDevice)
		if !strings.Contains(m.Body, "203.0.113.9") || !strings.Contains(m.Body, "Das waren nicht Sie? Sichern Sie Ihr Konto sofort:\n⟦base⟧/report-activity/") {
			t.Error(m.Body)
		}
		w.person("203.0.113.9").signIn("anna", plain).Goes(t, "/")
		w.setUp(a, "totp")
		thief := w.person("203.0.113.77")
		thief.signIn("anna", plain).Goes(t, "/login/next")
		thief.Get("/login/next").Goes(t, "/login/second-factor")
		if got := w.Inbox(to); len(got) != 0 {
			t.Fatalf("%+v", got)
		}
		thief.proved("otp mfa")
		thief.Get("/login/next").Goes(t, "/")
		w.One(to, portaltest.NewDevice)
		// The mark of one person's browser is nothing for another.
		w.create("bert", true)
		home.Post("/logout")
		home.signIn("bert", plain).Goes(t, "/")
		w.person("192.0.2.50").signIn("bert", plain).Goes(t, "/")
		w.One("bert@beispiel.example", portaltest.NewDevice)
	})
}

// CVE-2026-9798: what locks counts when the proof is redeemed, not only when the
// password is looked at.
func TestLockCountsAtRedemption(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.create("anna", true)
		for _, lock := range []string{
			`UPDATE account SET paused_until = '2099-01-01T00:00:00Z' WHERE id = $1`, `UPDATE account SET state = 'locked' WHERE id = $1`,
			`UPDATE account SET password = password || 'x' WHERE id = $1`,
		} {
			w.Exec(`UPDATE account SET paused_until = NULL, state = 'active' WHERE id = $1`, a.ID)
			by := audit.Actor{IP: "192.0.2.1"}
			proof, err := account.Authenticate(t.Context(), w.D, w.Hasher, by, "anna", plain, "")
			if err != nil {
				t.Fatal(err)
			}
			w.Exec(lock, a.ID)
			if err := w.D.Write(t.Context(), func(tx *db.Tx) error { _, err := account.Accept(tx, by, proof); return err }); err == nil {
				t.Error("signed in in spite of", lock)
			}
		}
	})
}
