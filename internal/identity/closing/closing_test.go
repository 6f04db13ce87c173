package closing_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/closing"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/mandate"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/request"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
	"zunft/internal/identity/site"
)

// A world has a bakery that Bert and Berta administer and where Lena works, a
// butcher's of Carl's, Anna who belongs to nobody, and Clara, clerk of both.
type world struct {
	*testing.T
	d   *db.DB
	mu  sync.Mutex
	now time.Time
	ids map[string]string
	app string
}

const bakery, butcher = "bakery", "butcher"

func each(t *testing.T, f func(w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{T: t, d: d, now: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC), ids: map[string]string{}}
		d.Now = func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }
		w.must(w.settle)
		f(w)
	})
}

func (w *world) settle(tx *db.Tx) error {
	if _, err := tx.Exec(`INSERT INTO chamber (id, number, name, short_name, created_at) VALUES ('c', '999', 'Kammer Musterland', 'Musterland', $1)`, tx.Now()); err != nil {
		return err
	}
	for _, name := range []string{"anna", "bert", "berta", "carl", "clara", "lena"} {
		a, err := account.Create(tx, audit.Console, account.New{GivenName: name, FamilyName: "Beispiel", Username: name, Email: name + "@example.org", Password: "x", Confirmed: true})
		if err != nil {
			return err
		}
		w.ids[name] = a.ID
	}
	if err := chamber.AddStaff(tx, audit.Console, w.ids["clara"], "c", chamber.Clerk); err != nil {
		return err
	}
	a, err := application.Put(tx, audit.Console, application.Application{ClientID: "training", Name: "Berichtsheft", RedirectURIs: []string{"https://t.example/cb"}, SecretHash: "x"}, []application.Role{{Key: "trainer", NameDE: "Ausbilder:in"}})
	if err != nil {
		return err
	}
	w.app = a.ID
	for id, who := range map[string]string{bakery: "bert", butcher: "carl"} {
		if err := company(tx, id, w.ids[who]); err != nil {
			return err
		}
		if err := membership.Grant(tx, audit.Console, id, w.ids[who], true); err != nil {
			return err
		}
	}
	if err := membership.Grant(tx, audit.Console, bakery, w.ids["berta"], true); err != nil {
		return err
	}
	return membership.Grant(tx, audit.Console, bakery, w.ids["lena"], false, membership.Role{Application: w.app, Key: "trainer"})
}

func company(tx *db.Tx, id, by string) error {
	_, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
		management, company_key, name_key, state, registered_by, created_at) VALUES ($1, 'c', $1, $1, '', 'Mehlgasse', '4', '00999', 'Musterdorf', '', '', '', '', $1, $1, 'active', $2, $3)`, id, by, tx.Now())
	return err
}

func (w *world) as(name string) audit.Actor {
	return audit.Actor{Kind: audit.Person, Account: w.ids[name]}
}

func (w *world) pass(d time.Duration) { w.mu.Lock(); defer w.mu.Unlock(); w.now = w.now.Add(d) }

func (w *world) must(f func(tx *db.Tx) error) {
	w.Helper()
	if err := w.d.Write(w.Context(), f); err != nil {
		w.Fatal(err)
	}
}

// wants runs a step that meets a fault with a phrase, or none (empty).
func (w *world) wants(key string, f func(tx *db.Tx) error) {
	w.Helper()
	got := ""
	if err := w.d.Write(w.Context(), f); fault.Of(err) != nil {
		got = fault.Of(err).Key()
	} else if err != nil {
		w.Fatal(err)
	}
	if got != key {
		w.Errorf("got %q, want %q", got, key)
	}
}

func (w *world) count(query string, args ...any) (n int) {
	w.Helper()
	w.must(func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query, args...); return err })
	return n
}

func (w *world) state(id string) (s string) {
	w.Helper()
	w.must(func(tx *db.Tx) error { o, err := organization.Get(tx, id); s = o.State; return err })
	return s
}

func (w *world) ask(name, id string) func(tx *db.Tx) error {
	return func(tx *db.Tx) error { _, err := closing.Ask(tx, w.as(name), id); return err }
}

func (w *world) undo(name, id string) func(tx *db.Tx) error {
	return func(tx *db.Tx) error { return closing.Undo(tx, w.as(name), id) }
}

func (w *world) carryOut() {
	w.Helper()
	if err := closing.CarryOut(w.Context(), w.d); err != nil {
		w.Fatal(err)
	}
}

const day = 24 * time.Hour

// R028: to close a company is its administrators' and nobody else's: no
// member's, no other company's administrator's, not even a clerk's; and every
// step is on the record with who did it.
func TestR028WhoMayClose(t *testing.T) {
	each(t, func(w *world) {
		refused := map[string]string{"lena": "web.forbidden", "carl": "web.not_found", "anna": "web.not_found", "clara": "web.not_found"} // who does not belong there learns nothing
		for who, key := range refused {
			w.wants(key, w.ask(who, bakery))
		}
		w.wants("web.not_found", func(tx *db.Tx) error { _, err := closing.Ask(tx, audit.Actor{}, bakery); return err })
		w.wants("closing.changed_meanwhile", w.undo("bert", bakery)) // there is nothing to take back
		w.wants("", w.ask("bert", bakery))
		w.wants("closing.changed_meanwhile", w.ask("berta", bakery))
		for who, key := range refused {
			w.wants(key, w.undo(who, bakery))
		}
		w.wants("", w.undo("berta", bakery)) // any of them
		w.wants("", w.ask("berta", bakery))
		w.pass(30 * day)
		w.carryOut()
		if w.state(bakery) != organization.Closed || w.state(butcher) != organization.Active {
			w.Error("closed is not the one that was asked for")
		}
		w.wants("web.not_found", w.undo("berta", bakery)) // there is no way back, and nobody administers it
		for event, by := range map[string]string{"organization.closing": "bert", "organization.closing_undone": "berta", "organization.closed": ""} {
			if w.count(`SELECT count(*) FROM audit WHERE event = $1 AND organization = $2 AND chamber = 'c' AND actor = $3`, event, bakery, w.ids[by]) != 1 {
				w.Errorf("%s by %q is not on the record once", event, by)
			}
		}
	})
}

// L07: the grace is the chamber's; a chamber without one closes with the next
// round. A setting that changes later does not move what was promised.
func TestL07TheGraceIsTheChambers(t *testing.T) {
	each(t, func(w *world) {
		days := func(n int) {
			w.must(func(tx *db.Tx) error {
				s, err := chamber.SettingsOf(tx, "c")
				if err != nil {
					return err
				}
				s.CloseDays = n
				return chamber.SaveSettings(tx, audit.Console, "c", s)
			})
		}
		days(7)
		w.must(func(tx *db.Tx) error {
			at, err := closing.Ask(tx, w.as("bert"), bakery)
			if err == nil && !at.Equal(w.now.Add(7*day)) {
				w.Error("closes at", at)
			}
			return err
		})
		days(0)
		w.must(w.ask("carl", butcher))
		w.carryOut()
		if w.state(butcher) != organization.Closed || w.state(bakery) != organization.Active {
			w.Error(w.state(butcher), w.state(bakery))
		}
		w.pass(7*day - time.Second)
		w.carryOut()
		if w.state(bakery) != organization.Active {
			w.Error("a second too early")
		}
		w.pass(time.Second)
		w.carryOut()
		if w.state(bakery) != organization.Closed {
			w.Error("not closed")
		}
	})
}

// Only an active company is closed: one that waits for its letter or is locked
// cannot be asked for, and a lock ends the grace.
func TestClosingNeedsAnActiveCompany(t *testing.T) {
	each(t, func(w *world) {
		w.must(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE organization SET state = 'letter' WHERE id = $1`, butcher)
			return err
		})
		w.wants("closing.changed_meanwhile", w.ask("carl", butcher))
		w.must(w.ask("bert", bakery))
		w.must(func(tx *db.Tx) error { return organization.Lock(tx, w.as("clara"), bakery, "Klärung") })
		w.wants("membership.organization_locked", w.undo("bert", bakery)) // nobody acts for a locked one
		w.pass(60 * day)
		w.carryOut()
		if w.state(bakery) != organization.Locked {
			w.Error(w.state(bakery))
		}
		w.must(func(tx *db.Tx) error { return organization.Unlock(tx, w.as("clara"), bakery) })
		w.carryOut()
		if w.state(bakery) != organization.Active {
			w.Error("the lock's end closed it")
		}
		w.wants("", w.ask("bert", bakery)) // who still wants it asks anew
	})
}

// L07: everything that hangs on a company ends with it, in one moment what gives
// power, and what belongs to others stays.
func TestL07WhatEndsAndWhatStays(t *testing.T) {
	each(t, func(w *world) {
		trainer := []membership.Role{{Application: w.app, Key: "trainer"}}
		days := mandate.Wish{Roles: trainer, First: db.At(w.now), Last: db.At(w.now.AddDate(0, 6, 0))}
		w.must(func(tx *db.Tx) error {
			for _, n := range []string{"1", "2"} {
				s, err := site.Ask(tx, w.as("bert"), bakery, site.Site{Name: "Nord " + n, Street: "Nordweg", HouseNumber: n, Postcode: "00999", Place: "Musterdorf"})
				if err == nil && n == "2" {
					err = site.Release(tx, w.as("clara"), s.ID)
				}
				if err != nil {
					return err
				}
			}
			for _, kind := range []string{letter.Succession, letter.Revocation} {
				if err := letter.QueueKind(tx, w.as("clara"), "c", bakery, kind); err != nil {
					return err
				}
			}
			if _, err := invitation.Invite(tx, w.as("bert"), bakery, invitation.Wish{Email: "neu@example.org", Language: "de"}); err != nil {
				return err
			}
			if _, err := invitation.Invite(tx, w.as("carl"), butcher, invitation.Wish{Email: "neu@example.org", Language: "de"}); err != nil {
				return err
			}
			if _, err := request.Submit(tx, w.as("anna"), bakery, "Bitte", nil); err != nil {
				return err
			}
			if _, err := request.Submit(tx, w.as("lena"), butcher, "Bitte", nil); err != nil {
				return err
			}
			given, has := days, days
			given.Email, has.IdentNumber, has.ChamberNumber = "anna@example.org", butcher, "999"
			m, err := mandate.Propose(tx, w.as("bert"), mandate.ForPrincipal, bakery, given)
			if err == nil {
				_, err = mandate.Accept(tx, w.as("anna"), m.ID)
			}
			if err != nil {
				return err
			}
			for _, insert := range []string{
				`INSERT INTO succession (id, organization, chamber, account, state, created_at, due_at) VALUES ('s', 'bakery', 'c', $1, 'objected', $2, $2)`,
				`INSERT INTO roster (id, organization, name, state, columns, header, total, created_by, created_at, expires_at) VALUES ('r', 'bakery', 'x', 'sending', '[]', '[]', 0, $1, $2, $2)`,
				`INSERT INTO mandate (id, reference, chamber, principal, representative, state, proposed_by, proposed_side, proposed_at, starts_at, ends_at) VALUES ('m', 'V-1', 'c', 'butcher', 'bakery', 'active', $1, 'principal', $2, $2, $2)`,
			} {
				if _, err := tx.Exec(insert, w.ids["anna"], tx.Now()); err != nil {
					return err
				}
			}
			_, err = closing.Ask(tx, w.as("bert"), bakery)
			return err
		})
		w.pass(30 * day)
		w.carryOut()
		for what, query := range map[string]string{
			"members":           `SELECT count(*) FROM membership WHERE organization = 'bakery' AND (ended_at IS NULL OR admin)`,
			"roles":             `SELECT count(*) FROM role_grant`,
			"requests":          `SELECT count(*) FROM request WHERE organization = 'bakery' AND state <> 'expired'`,
			"invitations":       `SELECT count(*) FROM invitation WHERE organization = 'bakery' AND state <> 'revoked'`,
			"mandates":          `SELECT count(*) FROM mandate WHERE state <> 'revoked'`, // given, and had
			"sites":             `SELECT count(*) FROM site WHERE state <> 'closed'`,
			"letters":           `SELECT count(*) FROM letter WHERE state <> 'void'`,
			"successions":       `SELECT count(*) FROM succession WHERE state <> 'stopped'`,
			"lists":             `SELECT count(*) FROM roster WHERE state <> 'dropped'`,
			"accounts not open": `SELECT count(*) FROM account WHERE state <> 'active'`,
		} {
			if n := w.count(query); n != 0 {
				w.Errorf("%d %s", n, what)
			}
		}
		for what, query := range map[string]string{
			"members of the other":     `SELECT count(*) FROM membership WHERE organization = 'butcher' AND ended_at IS NULL`,
			"requests of the other":    `SELECT count(*) FROM request WHERE organization = 'butcher' AND state = 'open'`,
			"invitations of the other": `SELECT count(*) FROM invitation WHERE organization = 'butcher' AND state = 'sent'`,
			"lena's end on the record": `SELECT count(*) FROM audit WHERE event = 'membership.ended' AND account = '` + w.ids["lena"] + `' AND detail LIKE '%closed%'`,
			"anna's end on the record": `SELECT count(*) FROM audit WHERE event = 'request.expired' AND account = '` + w.ids["anna"] + `'`,
			"lena told":                `SELECT count(*) FROM notice WHERE phrase = 'notice.organization_closed' AND account = '` + w.ids["lena"] + `'`,
			"anna told":                `SELECT count(*) FROM notice WHERE phrase = 'notice.organization_closed' AND account = '` + w.ids["anna"] + `'`,
		} {
			if n := w.count(query); n != 1 {
				w.Errorf("%s: %d", what, n)
			}
		}
		// Whoever was in it is a stranger to it now.
		w.must(func(tx *db.Tx) error {
			held, err := membership.HeldBy(tx, w.ids["lena"], w.app)
			if len(held) != 0 {
				w.Error("lena still has roles:", held)
			}
			return err
		})
		w.wants("web.not_found", func(tx *db.Tx) error { return membership.MustAdminister(tx, w.as("bert"), bakery) })
	})
}

// What a closing began and a crash broke off goes on: members are ended in
// batches, and nobody has a role in between, because the company is closed.
func TestClosingGoesOnAfterACrash(t *testing.T) {
	each(t, func(w *world) {
		const many = 1200
		w.must(func(tx *db.Tx) error {
			for i := range many {
				id := fmt.Sprintf("p%04d", i)
				if _, err := tx.Exec(`INSERT INTO account (id, salutation, title, given_name, family_name, name_key, username, username_key, email, email_key, password, state, created_at)
					VALUES ($1, '', '', 'P', $1, $1, $1, $1, $1, $1, '', 'active', $2)`, id, tx.Now()); err != nil {
					return err
				}
				if _, err := tx.Exec(`INSERT INTO membership (id, organization, account, since) VALUES ($1, 'bakery', $1, $2)`, id, tx.Now()); err != nil {
					return err
				}
			}
			_, err := tx.Exec(`UPDATE organization SET state = 'closed', closed_at = $1 WHERE id = 'bakery'`, tx.Now()) // and then the machine stopped
			return err
		})
		w.must(func(tx *db.Tx) error {
			held, err := membership.HeldBy(tx, w.ids["lena"], w.app)
			if len(held) != 0 {
				w.Error("a closed company gives roles")
			}
			return err
		})
		w.pass(time.Hour)
		w.carryOut()
		w.carryOut()
		if n := w.count(`SELECT count(*) FROM membership WHERE organization = 'bakery' AND ended_at IS NULL`); n != 0 {
			w.Error(n, "members are left")
		}
		for event, want := range map[string]int{"membership.ended": many + 3, "organization.closed": 0} {
			if n := w.count(`SELECT count(*) FROM audit WHERE event = $1`, event); n != want {
				w.Errorf("%d times %s, want %d", n, event, want)
			}
		}
	})
}

// The clock runs on every node: one company is closed once, its people are told
// once, however many rounds meet; and taking back is won or lost as a whole.
func TestClosingOnce(t *testing.T) {
	each(t, func(w *world) {
		var all []func(tx *db.Tx) error
		for i := range 6 {
			all = append(all, w.ask([]string{"bert", "berta"}[i%2], bakery))
		}
		if won := w.race(all...); won != 1 {
			w.Error(won, "of six asked")
		}
		w.pass(30 * day)
		var rounds sync.WaitGroup
		for range 4 {
			rounds.Go(func() {
				if err := closing.CarryOut(context.WithoutCancel(w.Context()), w.d); err != nil {
					w.Error(err)
				}
			})
		}
		undone := w.race(w.undo("bert", bakery), w.undo("berta", bakery))
		rounds.Wait()
		w.carryOut()
		closed, left := w.state(bakery) == organization.Closed, w.count(`SELECT count(*) FROM membership WHERE organization = 'bakery' AND ended_at IS NULL`)
		if undone > 1 || closed == (undone == 1) || closed && left != 0 || !closed && left != 3 {
			w.Errorf("taken back %d times, closed: %t, %d members", undone, closed, left)
		}
		if closed {
			if n := w.count(`SELECT count(*) FROM audit WHERE event IN ('organization.closed', 'membership.ended')`); n != 4 {
				w.Error(n, "ends on the record, want one of the company and three of people")
			}
			if n := w.count(`SELECT count(*) FROM notice WHERE phrase = 'notice.organization_closed' AND account = $1`, w.ids["lena"]); n != 1 {
				w.Error("lena is told", n, "times")
			}
		}
	})
}

// race runs commands at once and returns how many succeed; what fails must be a fault.
func (w *world) race(all ...func(tx *db.Tx) error) (won int) {
	w.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	begin := make(chan bool)
	for _, f := range all {
		wg.Go(func() {
			<-begin
			err := w.d.Write(context.WithoutCancel(w.Context()), f)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if fault.Of(err) == nil {
				w.Error(err)
			}
		})
	}
	close(begin)
	wg.Wait()
	return won
}

// A closed company signs nobody out of the portal: accounts belong to people.
func TestClosingLeavesSessions(t *testing.T) {
	each(t, func(w *world) {
		var token string
		w.must(func(tx *db.Tx) (err error) {
			token, _, err = session.Start(tx, w.as("lena"), w.ids["lena"], "pwd")
			return err
		})
		w.must(w.ask("bert", bakery))
		w.must(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE organization SET closes_at = $1 WHERE id = 'bakery'`, tx.Now())
			return err
		})
		w.carryOut()
		w.must(func(tx *db.Tx) error { _, err := session.Resolve(tx, token); return err })
		if events := w.count(`SELECT count(*) FROM audit WHERE event = 'session.ended'`); events != 0 {
			w.Error(events, "sessions ended")
		}
	})
}
