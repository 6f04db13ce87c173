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
	"zunft/internal/identity/session"
	"zunft/internal/identity/terms"
)

// setUp gives an account a second factor that is active.
func (w *world) setUp(a account.Account, kind string) {
	w.t.Helper()
	w.exec(`INSERT INTO factor (id, account, kind, name, state, created_at) VALUES ($1, $2, $3, '', 'active', $4)`, db.NewID(), a.ID, kind, w.d.Now())
}

// proved is what the page of a second factor does after the code.
func (p *person) proved(amr string) {
	p.w.t.Helper()
	if err := p.w.d.Write(p.w.t.Context(), func(tx *db.Tx) error {
		s, err := session.Resolve(tx, p.cookies["t_session"])
		if err != nil {
			return err
		}
		p.cookies["t_session"], _, err = session.Proved(tx, audit.Actor{IP: p.ip}, s, amr)
		return err
	}); err != nil {
		p.w.t.Fatal(err)
	}
}

// R201, mesutpiskin#36: with a second factor the password opens nothing but the
// step that asks for it, in no tab and at no address; after it the way goes on
// to where it was to go, with a token of its own (ASVS 7.2.4).
func TestR201SecondFactorComesFirst(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.setUp(w.create("anna", true), "totp")
		p := w.person("192.0.2.1")
		p.get("/login/next").goes(t, "/login") // nobody is on the way
		p.signIn("anna", plain, "next", "/organizations/join?a=b").goes(t, "/login/next")
		half := p.cookies["t_session"]
		for range 2 { // the second tab
			p.get("/login/next").goes(t, "/login/second-factor")
			p.get("/").goes(t, "/login/next")
		}
		if p.cookies["t_device"] != "" {
			t.Error("half a sign-in makes the browser known")
		}
		if n := w.count(`SELECT count(*) FROM audit WHERE event = 'session.started'`); n != 0 {
			t.Error("half a sign-in is recorded as a session")
		}
		p.proved("otp mfa")
		proved := p.cookies["t_session"]
		p.get("/").goes(t, "/login/next") // until the dispatcher has seen it
		p.get("/login/next").goes(t, "/organizations/join?a=b")
		whole := p.cookies["t_session"]
		p.get("/").want(t, 200, "Start: Anna Beispiel")
		for name, token := range map[string]string{"half": half, "proved": proved} {
			q := w.person("192.0.2.1")
			q.cookies["t_session"] = token
			q.get("/").goes(t, "/login")
			q.get("/login/next").goes(t, "/login")
			if token == whole {
				t.Error(name, "is the token of the whole session")
			}
		}
		if w.count(`SELECT count(*) FROM session WHERE amr = 'pwd otp mfa' AND NOT pending`) != 1 {
			t.Error("the methods are not kept")
		}
		p.get("/login/next").goes(t, "/")

		// Half in, and out again: nothing is left.
		p.post("/logout")
		p.signIn("anna", plain).goes(t, "/login/next")
		half = p.cookies["t_session"]
		p.post("/logout").goes(t, "/logged-out")
		p.cookies["t_session"] = half
		p.get("/login/next").goes(t, "/login")
		// Half in, and somebody starts anew: the one before is over.
		p.signIn("anna", plain).goes(t, "/login/next")
		half = p.cookies["t_session"]
		p.get("/login").want(t, 200, "Anmelden")
		p.signIn("anna", plain).goes(t, "/login/next")
		p.cookies["t_session"] = half
		p.get("/login/next").goes(t, "/login")
		// The steps have 15 minutes.
		p.signIn("anna", plain).goes(t, "/login/next")
		w.pass(session.PendingFor)
		p.get("/login/next").goes(t, "/login")
	})
}

// R151, W07: with a factor of one's own choice, too, proving oneself again
// (prompt=login) asks for it, keeps the sid, and what was proved before does
// not count.
func TestAgainAsksTheFactor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.setUp(w.create("anna", true), "mail")
		p := w.person("192.0.2.1")
		p.signIn("anna", plain).goes(t, "/login/next")
		p.proved("otp")
		p.get("/login/next").goes(t, "/")
		w.pass(5 * time.Minute)
		p.signIn("anna", plain, "again", "1", "next", "/oauth2/authorize").goes(t, "/login/next")
		p.get("/").goes(t, "/login/next")
		p.get("/login/next").goes(t, "/login/second-factor")
		p.proved("otp")
		p.get("/login/next").goes(t, "/oauth2/authorize")
		p.get("/").want(t, 200)
		if w.count(`SELECT count(*) FROM session`) != 1 || w.count(`SELECT count(*) FROM session WHERE auth_time > created_at`) != 1 {
			t.Error("another session, or the time did not move")
		}
		if w.count(`SELECT count(*) FROM audit WHERE event = 'session.reauthenticated'`) != 1 || w.count(`SELECT count(*) FROM audit WHERE event = 'session.started'`) != 1 {
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
		w.exec(`INSERT INTO factor (id, account, kind, name, state, session, created_at) VALUES ($1, $2, 'totp', '', 'wanted', 'an earlier one', $3)`, db.NewID(), a.ID, w.d.Now())
		p := w.person("192.0.2.1")
		p.signIn("anna", plain).goes(t, "/login/next")
		p.get("/login/next").goes(t, "/login/setup")
		w.exec(`UPDATE factor SET state = 'active'`)
		p.get("/login/next").goes(t, "/login/second-factor")

		// A clerk has none yet: a code by mail first, then an app, then the terms.
		c := w.create("clara", true)
		w.exec(`INSERT INTO chamber (id, number, name, short_name, created_at) VALUES ('c', '999', 'Kammer', 'K', $1)`, w.d.Now())
		w.exec(`INSERT INTO staff (account, chamber, role, since) VALUES ($1, 'c', 'clerk', $2)`, c.ID, w.d.Now())
		w.exec(`DELETE FROM consent WHERE account = $1`, c.ID)
		q := w.person("192.0.2.2")
		q.signIn("clara", plain).goes(t, "/login/next")
		q.get("/login/next").goes(t, "/login/second-factor")
		q.proved("otp")
		q.get("/login/next").goes(t, "/login/setup")
		w.setUp(c, "totp")
		q.get("/login/next").goes(t, "/login/second-factor")
		q.proved("otp mfa")
		q.get("/login/next").goes(t, "/login/terms")

		// Offered once, after everything else.
		if err := w.d.Write(t.Context(), func(tx *db.Tx) error {
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
		r.signIn("bert", plain).goes(t, "/login/next")
		r.get("/login/next").goes(t, "/login/setup")
		w.exec(`UPDATE account SET factor_offered_at = $1 WHERE id = $2`, w.d.Now(), b.ID) // "Später"
		r.get("/login/next").goes(t, "/")
		r.post("/logout")
		r.signIn("bert", plain).goes(t, "/")
	})
}

// R051, R254: a new version of what one must accept is asked for at the next
// sign-in, nothing is ticked beforehand, and without it there is no way in.
func TestR254NewTermsAtSignIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.create("anna", true)
		p := w.person("192.0.2.1")
		p.signIn("anna", plain).goes(t, "/")
		w.pass(time.Hour)
		if err := w.d.Write(t.Context(), func(tx *db.Tx) error {
			return terms.Publish(tx, audit.Console, terms.Terms{Kind: terms.InformationDuties, Version: "2027-01", Title: "Informationspflichten", Body: "# Neu\n\nHier ist etwas neu.", Required: true})
		}); err != nil {
			t.Fatal(err)
		}
		p.signIn("anna", plain, "next", "/organizations/join").goes(t, "/login/next")
		p.get("/login/next").goes(t, "/login/terms")
		g := p.get("/login/terms").want(t, 200, "Hier ist etwas neu.", "Fassung 2027-01")
		if strings.Contains(g.body, " checked") {
			t.Error("ticked beforehand")
		}
		id := between(g.body, `name="terms" value="`)
		p.post("/login/terms", "terms", id).want(t, 422, "um weiterzumachen", "Hier ist etwas neu.")
		p.post("/login/terms").goes(t, "/login/next") // nothing shown, nothing accepted
		p.get("/login/next").goes(t, "/login/terms")
		p.post("/login/terms", "terms", "nothing", "accept_nothing", "1").goes(t, "/login/next")
		p.get("/login/next").goes(t, "/login/terms")
		p.get("/").goes(t, "/login/next")
		p.post("/login/terms", "terms", id, "accept_"+id, "1").goes(t, "/login/next")
		p.get("/login/next").goes(t, "/organizations/join")
		p.get("/login/terms").goes(t, "/login/next")
		p.post("/login/terms", "terms", id).goes(t, "/login/next")
		if w.count(`SELECT count(*) FROM audit WHERE event = 'consent.given' AND account = $1 AND actor = $1`, a.ID) != 1 {
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
		p.signIn("anna", plain).goes(t, "/login/next")
		p.proved("otp mfa")
		var barrier, group sync.WaitGroup
		var won, five atomic.Int32
		barrier.Add(1)
		for range 64 {
			group.Go(func() {
				q := w.person("192.0.2.1")
				q.cookies["t_session"] = p.cookies["t_session"]
				barrier.Wait()
				switch g := q.get("/login/next"); {
				case g.status == http.StatusSeeOther && g.to == "/":
					won.Add(1)
				case g.status >= 500:
					five.Add(1)
				}
			})
		}
		barrier.Done()
		group.Wait()
		if won.Load() != 1 || five.Load() != 0 || w.count(`SELECT count(*) FROM audit WHERE event = 'session.started'`) != 1 {
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
		p.signIn("anna", plain).goes(t, "/login/next")
		p.proved("otp mfa")
		w.exec(`UPDATE account SET state = 'locked' WHERE id = $1`, a.ID)
		p.get("/login/next").goes(t, "/login")
		p.get("/").goes(t, "/login")
	})
}

// "Neue Anmeldung bei Ihrem Konto": not at the first, not in a browser that is
// known, not twice from the same place; and only when one is in, not halfway.
func TestNewDeviceIsTold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.create("anna", true)
		const to = "anna@beispiel.example"
		home := w.person("192.0.2.1")
		home.signIn("anna", plain).goes(t, "/")
		home.post("/logout")
		home.ip = "198.51.100.7" // the same browser, another network
		home.signIn("anna", plain).goes(t, "/")
		if got := w.inbox(to); len(got) != 0 {
			t.Fatalf("%+v", got)
		}
		away := w.person("203.0.113.9")
		away.signIn("anna", plain).goes(t, "/")
		m := w.one(to, newDevice)
		if !strings.Contains(m.Body, "203.0.113.9") || !strings.Contains(m.Body, "Das waren nicht Sie? Sichern Sie Ihr Konto sofort:\n⟦base⟧/report-activity/") {
			t.Error(m.Body)
		}
		w.person("203.0.113.9").signIn("anna", plain).goes(t, "/")
		w.setUp(a, "totp")
		thief := w.person("203.0.113.77")
		thief.signIn("anna", plain).goes(t, "/login/next")
		thief.get("/login/next").goes(t, "/login/second-factor")
		if got := w.inbox(to); len(got) != 0 {
			t.Fatalf("%+v", got)
		}
		thief.proved("otp mfa")
		thief.get("/login/next").goes(t, "/")
		w.one(to, newDevice)
		// The mark of one person's browser is nothing for another.
		w.create("bert", true)
		home.post("/logout")
		home.signIn("bert", plain).goes(t, "/")
		w.person("192.0.2.50").signIn("bert", plain).goes(t, "/")
		w.one("bert@beispiel.example", newDevice)
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
			w.exec(`UPDATE account SET paused_until = NULL, state = 'active' WHERE id = $1`, a.ID)
			by := audit.Actor{IP: "192.0.2.1"}
			proof, err := account.Authenticate(t.Context(), w.d, w.hasher, by, "anna", plain, "")
			if err != nil {
				t.Fatal(err)
			}
			w.exec(lock, a.ID)
			if err := w.d.Write(t.Context(), func(tx *db.Tx) error { _, err := account.Accept(tx, by, proof); return err }); err == nil {
				t.Error("signed in in spite of", lock)
			}
		}
	})
}
