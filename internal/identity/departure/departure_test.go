package departure

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/link"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
)

// A world has a bakery with two admins, Bert and Berta, and Anna, its member; a
// clock, a mailbox, and a policy under which accounts go after 100 days.
type world struct {
	*testing.T
	d     *db.DB
	clock atomic.Int64
	jobs  *job.Runner
	mu    sync.Mutex
	mails []mail.Message

	anna, bert, berta audit.Actor
	chamber           string
}

const bakery = "bakery"

func each(t *testing.T, f func(w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{T: t, d: d, jobs: &job.Runner{DB: d}}
		w.clock.Store(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC).UnixMicro())
		d.Now = func() time.Time { return time.UnixMicro(w.clock.Load()).UTC() }
		w.jobs.On(session.EndedKind, func(context.Context, []byte) error { return nil })
		w.jobs.On(GoneKind, func(context.Context, []byte) error { return nil })
		w.jobs.On(account.RecoverKind, account.Recover(d))
		w.jobs.On(unlockKind, sendUnlock(d))
		w.jobs.On(mail.Kind, func(_ context.Context, body []byte) error {
			var sealed struct{ ID, Mail string }
			if err := json.Unmarshal(body, &sealed); err != nil {
				return err
			}
			plain, err := d.Keys.Open("mail/"+sealed.ID, sealed.Mail)
			if err != nil {
				return err
			}
			var m mail.Message
			w.mu.Lock()
			defer w.mu.Unlock()
			err = json.Unmarshal(plain, &m)
			w.mails = append(w.mails, m)
			return err
		})
		w.anna, w.bert, w.berta = w.person("anna"), w.person("bert"), w.person("berta")
		w.must(func(tx *db.Tx) error {
			p, err := policy.Preset(policy.Standard)
			if err != nil {
				return err
			}
			p.Default, p.UnusedAfter = true, 100
			if err := policy.Save(tx, audit.Console, p); err != nil {
				return err
			}
			c, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: "999", Name: "Kammer Musterland", ShortName: "KM"})
			if err != nil {
				return err
			}
			w.chamber = c.ID
			if _, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
				management, company_key, name_key, state, registered_by, created_at) VALUES ($1, $2, '1', 'Bäckerei', '', '', '', '', '', '', '', '', '', '', '', 'active', $3, $4)`,
				bakery, c.ID, w.bert.Account, tx.Now()); err != nil {
				return err
			}
			for _, by := range []audit.Actor{w.bert, w.berta} {
				if err := membership.Grant(tx, audit.Console, bakery, by.Account, true); err != nil {
					return err
				}
			}
			return membership.Grant(tx, audit.Console, bakery, w.anna.Account, false)
		})
		w.inbox()
		f(w)
	})
}

func (w *world) person(name string) audit.Actor {
	w.Helper()
	by := audit.Actor{Kind: audit.Person, IP: "192.0.2.1", Agent: "Zwiebelfischbrowser"}
	w.must(func(tx *db.Tx) error {
		a, err := account.Create(tx, audit.Console, account.New{GivenName: "Zwiebelfisch", FamilyName: "Beispiel", Username: name, Email: name + "@zwiebelfisch.example", Password: "x", Language: "de", Confirmed: true})
		by.Account = a.ID
		return err
	})
	return by
}

func (w *world) pass(d time.Duration) { w.clock.Add(d.Microseconds()) }

func (w *world) must(f func(tx *db.Tx) error) {
	w.Helper()
	if err := w.d.Write(w.Context(), f); err != nil {
		w.Fatal(err)
	}
}

// refused fails unless f is refused with that phrase.
func (w *world) refused(key string, f func(tx *db.Tx) error) {
	w.Helper()
	if err := w.d.Write(w.Context(), f); fault.Of(err) == nil || fault.Of(err).Key() != key {
		w.Fatalf("%v, want %s", err, key)
	}
}

func (w *world) get(by audit.Actor) (a account.Account) {
	w.Helper()
	w.must(func(tx *db.Tx) (err error) { a, err = account.Get(tx, by.Account); return err })
	return a
}

func (w *world) count(query string, args ...any) (n int) {
	w.Helper()
	w.must(func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query, args...); return err })
	return n
}

// signIn begins a session.
func (w *world) signIn(by audit.Actor) (token string) {
	w.Helper()
	w.must(func(tx *db.Tx) (err error) { token, _, err = session.Start(tx, by, by.Account, "pwd"); return err })
	return token
}

func (w *world) in(token string) bool {
	return w.d.Read(w.Context(), func(tx *db.Tx) error { _, err := session.Resolve(tx, token); return err }) == nil
}

// inbox works off all jobs and returns the mails since the last look.
func (w *world) inbox() []mail.Message {
	w.Helper()
	if err := w.jobs.Drain(w.Context()); err != nil {
		w.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	got := w.mails
	w.mails = nil
	return got
}

// one is the only new mail; it goes to that person and begins with that subject.
func (w *world) one(name, subject string) mail.Message {
	w.Helper()
	got := w.inbox()
	if len(got) != 1 || got[0].To != name+"@zwiebelfisch.example" || !strings.HasPrefix(got[0].Subject, subject) {
		w.Fatalf("mails %+v, want one to %s: %s", got, name, subject)
	}
	return got[0]
}

func token(t testing.TB, m mail.Message, path string) string {
	t.Helper()
	found := regexp.MustCompile(path + `([\w-]{43})`).FindStringSubmatch(m.Body)
	if found == nil {
		t.Fatalf("no %s in %s", path, m.Body)
	}
	return found[1]
}

// R181, L05: the own lock ends every session, and ends by a link to the mailbox.
func TestR181OwnLock(t *testing.T) {
	each(t, func(w *world) {
		a, b := w.signIn(w.anna), w.signIn(w.anna)
		w.must(func(tx *db.Tx) error { return Lock(tx, w.anna) })
		if x := w.get(w.anna); x.State != account.Locked || x.LockReason != account.LockedBySelf || w.in(a) || w.in(b) {
			w.Fatal("not locked", x.State, x.LockReason)
		}
		if m := w.one("anna", "Ihr Konto ist gesperrt"); !strings.Contains(m.Body, "/unlock\n") || !strings.Contains(m.Body, "/report-activity/") {
			w.Error(m.Body)
		}
		w.refused("account.not_active", func(tx *db.Tx) error { return Lock(tx, w.anna) })

		// Unknown, active and chamber-locked accounts are answered alike and get nothing.
		w.must(func(tx *db.Tx) error {
			_, err := account.Lock(tx, audit.Console, w.berta.Account, account.LockedByChamber)
			return err
		})
		for _, login := range []string{"nobody", "bert", "berta"} {
			w.must(func(tx *db.Tx) error { return AskUnlock(tx, audit.Actor{IP: "192.0.2.9"}, login) })
		}
		if got := w.inbox(); len(got) != 0 {
			w.Error("mails to those who have nothing to unlock", got)
		}
		w.refused("departure.login_missing", func(tx *db.Tx) error { return AskUnlock(tx, audit.Actor{IP: "192.0.2.9"}, " ") })
		w.must(func(tx *db.Tx) error { return AskUnlock(tx, audit.Actor{IP: "192.0.2.9"}, "anna@zwiebelfisch.example") })
		unlock := token(t, w.one("anna", "Ihr Konto entsperren"), "/unlock/")
		w.must(func(tx *db.Tx) error { _, err := account.Unlock(tx, audit.Actor{}, unlock); return err })
		if x := w.get(w.anna); x.State != account.Active {
			w.Error(x.State)
		}
		// Asked for again and again, it is limited.
		limited := false
		for range 6 {
			err := w.d.Write(w.Context(), func(tx *db.Tx) error { return AskUnlock(tx, audit.Actor{IP: "192.0.2.9"}, "anna") })
			limited = limited || fault.Is(err, fault.KindLimited)
		}
		if !limited {
			w.Error("no limit")
		}
	})
}

// R181: deletion has a grace; the link of the mail or coming back keeps the account.
func TestR181DeletionCanBeTakenBack(t *testing.T) {
	each(t, func(w *world) {
		s := w.signIn(w.anna)
		ask := func() (at db.Time) {
			w.must(func(tx *db.Tx) (err error) { at, err = Ask(tx, w.anna); return err })
			return at
		}
		if at := ask(); at.Sub(db.At(w.d.Now())) != Grace || w.in(s) || w.get(w.anna).DeleteAt != at {
			w.Fatal("no grace, or still signed in")
		}
		w.refused("departure.asked_already", func(tx *db.Tx) error { _, err := Ask(tx, w.anna); return err })
		keep := token(t, w.one("anna", "Ihr Konto wird am 02.12.2026 gelöscht"), "/keep/")
		w.pass(Grace - time.Second)
		if err := CarryOut(w.Context(), w.d); err != nil || w.get(w.anna).State != account.Active {
			w.Fatal("too early", err)
		}
		w.must(func(tx *db.Tx) error { _, err := Keep(tx, audit.Actor{}, keep); return err })
		w.one("anna", "Ihr Konto bleibt bestehen")
		w.refused("link.spent", func(tx *db.Tx) error { _, err := Keep(tx, audit.Actor{}, keep); return err })
		w.pass(Grace)
		if err := CarryOut(w.Context(), w.d); err != nil || w.get(w.anna).State != account.Active || !w.get(w.anna).DeleteAt.IsZero() {
			w.Fatal("deleted all the same", err)
		}
		ask()
		second := token(t, w.one("anna", "Ihr Konto wird"), "/keep/")
		w.must(func(tx *db.Tx) error { _, err := KeepOwn(tx, w.anna); return err })
		w.refused("link.spent", func(tx *db.Tx) error { _, err := Keep(tx, audit.Actor{}, second); return err })
		w.refused("departure.not_going", func(tx *db.Tx) error { _, err := KeepOwn(tx, w.anna); return err })
		w.inbox()
		if err := w.d.Write(w.Context(), func(tx *db.Tx) error { _, err := Ask(tx, audit.Actor{}); return err }); !fault.Is(err, fault.KindForbidden) {
			w.Error("a stranger asks", err)
		}
	})
}

// R181, decision 6: after the grace everything that says who it was is gone,
// from every table; the company, its other members and the record remain.
func TestR181DeletionIsReal(t *testing.T) {
	each(t, func(w *world) {
		w.signIn(w.anna)
		w.must(func(tx *db.Tx) error {
			for _, statement := range []string{
				`INSERT INTO account_email (account, email, email_key, created_at, confirmed_at) VALUES ($1, 'zwiebelfisch@x.example', 'zwiebelfisch@x.example', $2, $2)`,
				`INSERT INTO address_change (id, account, old_email, old_key, new_email, new_key, state, asked_at) VALUES ('ac', $1, 'zwiebelfisch', 'zwiebelfisch', 'zwiebelfisch', 'zwiebelfisch', 'done', $2)`,
				`INSERT INTO factor (id, account, kind, name, state, created_at) VALUES ('f', $1, 'totp', 'Zwiebelfisch', 'active', $2)`,
				`INSERT INTO notice (id, account, at, phrase, args, href) VALUES ('n', $1, $2, 'notice.removed', '["Zwiebelfisch"]', '/')`,
				`INSERT INTO notice_choice (account, topic, mail) VALUES ($1, 'requests', FALSE)`,
				`INSERT INTO dossier (id, account, state, body, asked_at) VALUES ('d', $1, 'ready', 'Zwiebelfisch', $2)`,
				`INSERT INTO request (id, kind, organization, applicant, reason, state, submitted_at) VALUES ('r', 'role', 'bakery', $1, 'Zwiebelfisch', 'open', $2)`,
				`INSERT INTO parked_form (id, account, path, body, expires_at) VALUES ('p', $1, '/', 'Zwiebelfisch', $2)`,
				`INSERT INTO recovery (id, reference, chamber, account, browser, claimed, state, submitted_at) SELECT 'v', 'W-1', id, $1, '', 'Zwiebelfisch', 'refused', $2 FROM chamber`,
				`INSERT INTO name_correction (id, reference, account, chamber, title, given_name, family_name, reason, state, submitted_at)
					SELECT 'c', 'N-1', $1, id, '', 'Zwiebelfisch', '', '', 'submitted', $2 FROM chamber`,
				`INSERT INTO staff (account, chamber, role, since) SELECT $1, id, 'clerk', $2 FROM chamber`,
				`INSERT INTO account_number (account, kind, chamber, number, number_key, since) SELECT $1, 'apprentice', id, 'Zwiebelfisch 7', 'zwiebelfisch7', $2 FROM chamber`,
			} {
				args := []any{w.anna.Account, tx.Now()}
				if !strings.Contains(statement, "$2") {
					args = args[:1]
				}
				if _, err := tx.Exec(statement, args...); err != nil {
					return err
				}
			}
			_, err := Ask(tx, w.anna)
			return err
		})
		w.inbox()
		w.pass(Grace)
		if err := CarryOut(w.Context(), w.d); err != nil {
			t.Fatal(err)
		}
		w.one("anna", "Ihr Konto ist gelöscht")
		if a := w.get(w.anna); a.State != account.Deleted || a.Name() != "" || a.Email != "" || a.Username != "" {
			t.Errorf("%+v", a)
		}
		w.must(func(tx *db.Tx) error { // the others of the story have the same given name
			if _, err := tx.Exec(`UPDATE membership SET words = '', name_key = '' WHERE account <> $1`, w.anna.Account); err != nil {
				return err
			}
			_, err := tx.Exec(`UPDATE account SET given_name = '', name_key = '', email = '', email_key = id WHERE id <> $1`, w.anna.Account)
			return err
		})
		for _, column := range w.columns() {
			table, name, _ := strings.Cut(column, ".")
			where := `LOWER(CAST(` + name + ` AS TEXT)) LIKE '%zwiebelfisch%'`
			if table == "audit" { // records on others stay as they are
				where += ` AND account = '` + w.anna.Account + `'`
			}
			if n := w.count(`SELECT count(*) FROM ` + table + ` WHERE ` + where); n > 0 {
				t.Errorf("%s still says who it was", column)
			}
		}
		if w.count(`SELECT count(*) FROM membership WHERE account = $1 AND ended_at IS NULL`, w.anna.Account) != 0 || w.count(`SELECT count(*) FROM membership WHERE ended_at IS NULL`) != 2 {
			t.Error("memberships")
		}
		if w.count(`SELECT count(*) FROM request WHERE state = 'withdrawn'`) != 1 || w.count(`SELECT count(*) FROM audit WHERE event = 'account.deleted'`) != 1 {
			t.Error("the request is open, or nothing is in the record")
		}
		// The address is free again; the tombstone is left alone for ever.
		w.person("anna")
		w.pass(1000 * 24 * time.Hour)
		if err := CarryOut(w.Context(), w.d); err != nil || w.count(`SELECT count(*) FROM audit WHERE event = 'account.deleted'`) != 1 {
			t.Error("deleted twice", err)
		}
	})
}

// columns of every table, as "table.column".
func (w *world) columns() (all []string) {
	w.Helper()
	query := `SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'`
	if w.d.Engine() != "sqlite" {
		query = `SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = current_schema()`
	}
	w.must(func(tx *db.Tx) (err error) { all, err = db.Values[string](tx, query); return err })
	if len(all) < 200 {
		w.Fatal("too few columns", len(all))
	}
	return all
}

// Every table that refers to accounts goes with them, or stays for a reason.
func TestEveryTableIsForgotten(t *testing.T) {
	stays := map[string]string{
		"account":           "the tombstone itself",
		"audit":             "the record of deeds, without address and browser",
		"membership":        "ended: the company's history, by an id that names nobody",
		"organization":      "registered by an id that names nobody",
		"registration":      "the chamber's decision, by an id that names nobody",
		"registration_code": "used by an id that names nobody",
		"succession":        "the chamber's record, by an id that names nobody",
		"request":           "decided for an id that names nobody, without its reason",
	}
	each(t, func(w *world) {
		for _, column := range w.columns() {
			table, name, _ := strings.Cut(column, ".")
			if name != "account" && name != "applicant" && name != "registered_by" || stays[table] != "" {
				continue
			}
			found := false
			for _, statement := range forgotten {
				found = found || strings.Contains(statement, " "+table+" ")
			}
			if !found {
				t.Errorf("%s: neither forgotten nor kept for a reason", column)
			}
		}
	})
}

// L06: no organization loses its last admin by a deletion, whoever goes first.
func TestL06LastAdminStays(t *testing.T) {
	each(t, func(w *world) {
		ask := func(by audit.Actor) func(*db.Tx) error {
			return func(tx *db.Tx) error { _, err := Ask(tx, by); return err }
		}
		// Both at once: one goes, one stays.
		var group sync.WaitGroup
		var went, stayed atomic.Int32
		for _, by := range []audit.Actor{w.bert, w.berta} {
			group.Go(func() {
				switch err := w.d.Write(w.Context(), ask(by)); {
				case err == nil:
					went.Add(1)
				case fault.Is(err, fault.KindConflict) && fault.Of(err).Key() == "membership.last_admin":
					stayed.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if went.Load() != 1 || stayed.Load() != 1 {
			t.Fatal(went.Load(), stayed.Load())
		}
		going, staying := w.bert, w.berta
		if w.get(w.bert).DeleteAt.IsZero() {
			going, staying = w.berta, w.bert
		}
		// Whoever stays is the last admin already, though the other is still there.
		w.refused("membership.last_admin", func(tx *db.Tx) error { return membership.Leave(tx, staying, bakery) })
		// If they are gone all the same, the deletion waits.
		w.must(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE membership SET admin = FALSE WHERE account = $1`, staying.Account)
			return err
		})
		w.inbox()
		w.pass(Grace)
		if err := CarryOut(w.Context(), w.d); err != nil || w.get(going).State != account.Active {
			t.Fatal("the company is left alone", err)
		}
		if got := w.inbox(); len(got) != 1 || !strings.Contains(got[0].Subject, "wartet auf Sie") {
			t.Fatal(got)
		}
		w.must(func(tx *db.Tx) error { return membership.Grant(tx, audit.Console, bakery, staying.Account, true) })
		w.pass(postponed)
		if err := CarryOut(w.Context(), w.d); err != nil || w.get(going).State != account.Deleted {
			t.Fatal("it waits for ever", err)
		}
	})
}

// Unused accounts are told twice and then go; a sign-in, or the link, keeps them.
// Who administers a company or works for a chamber is left alone.
func TestUnusedAccountsGo(t *testing.T) {
	each(t, func(w *world) {
		day := 24 * time.Hour
		clara, used := w.person("clara"), w.person("used")
		w.must(func(tx *db.Tx) error { return chamber.AddStaff(tx, audit.Console, clara.Account, w.chamber, "clerk") })
		turn := func() {
			w.Helper()
			if err := TellUnused(w.Context(), w.d); err != nil {
				t.Fatal(err)
			}
			if err := CarryOut(w.Context(), w.d); err != nil {
				t.Fatal(err)
			}
		}
		w.pass(100*day - time.Second)
		turn()
		if got := w.inbox(); len(got) != 0 {
			t.Fatal("too early", got)
		}
		w.must(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE account SET used_at = $1 WHERE id = $2`, tx.Now(), used.Account)
			return err
		})
		w.pass(time.Second)
		if p, err := Look(w.Context(), w.d, 10); err != nil || p.Unused != 1 || p.All != 0 {
			t.Errorf("%+v %v", p, err)
		}
		turn()
		turn() // nobody is told twice in a day
		first := w.one("anna", "Ihr Konto wird am")
		w.pass(again)
		turn()
		second := w.one("anna", "Letzte Erinnerung")
		w.refused("link.spent", func(tx *db.Tx) error { _, err := Keep(tx, audit.Actor{}, token(t, first, "/keep/")); return err })
		w.pass(last - time.Second)
		turn()
		if w.get(w.anna).State != account.Active {
			t.Fatal("too early")
		}
		w.must(func(tx *db.Tx) error { _, err := Keep(tx, audit.Actor{}, token(t, second, "/keep/")); return err })
		w.inbox()
		w.pass(time.Second)
		turn()
		if w.get(w.anna).State != account.Active || len(w.inbox()) != 0 {
			t.Fatal("kept, and gone")
		}
		w.pass(100 * day)
		for _, wait := range []time.Duration{0, again, last} {
			w.pass(wait)
			turn()
		}
		for by, state := range map[audit.Actor]string{w.anna: account.Deleted, used: account.Deleted, w.bert: account.Active, w.berta: account.Active, clara: account.Active} {
			if got := w.get(by).State; got != state {
				t.Errorf("%s, want %s", got, state)
			}
		}
	})
}

// Of many at once, exactly one disavows; the same for keeping; and an account is
// either kept or deleted, never both.
func TestRaces(t *testing.T) {
	each(t, func(w *world) {
		race := func(n int, f func(tx *db.Tx) error) (won int32) {
			var group sync.WaitGroup
			var wins atomic.Int32
			start := make(chan struct{})
			for range n {
				group.Go(func() {
					<-start
					switch err := w.d.Write(w.Context(), f); {
					case err == nil:
						wins.Add(1)
					case !fault.Is(err, fault.KindConflict):
						t.Error(err)
					}
				})
			}
			close(start)
			group.Wait()
			return wins.Load()
		}
		var disavow string
		w.must(func(tx *db.Tx) (err error) { disavow, err = account.Disavowal(tx, w.anna.Account); return err })
		if n := race(64, func(tx *db.Tx) error { _, err := Disavow(tx, audit.Actor{IP: "192.0.2.1"}, disavow); return err }); n != 1 {
			t.Error("disavowed", n)
		}
		w.must(func(tx *db.Tx) error { _, err := account.Release(tx, audit.Console, w.anna.Account); return err })
		if n := race(64, func(tx *db.Tx) error { _, err := Ask(tx, w.anna); return err }); n != 1 {
			t.Error("asked", n)
		}
		var keep string
		for _, m := range w.inbox() {
			if strings.Contains(m.Body, "/keep/") {
				keep = token(t, m, "/keep/")
			}
		}
		if n := race(64, func(tx *db.Tx) error { _, err := Keep(tx, audit.Actor{}, keep); return err }); n != 1 {
			t.Error("kept", n)
		}
		for range 10 {
			by := w.person("x" + db.NewID()[24:])
			w.must(func(tx *db.Tx) error { _, err := Ask(tx, by); return err })
			w.pass(Grace)
			var group sync.WaitGroup
			var kept, gone error
			group.Go(func() { kept = w.d.Write(w.Context(), func(tx *db.Tx) error { _, err := KeepOwn(tx, by); return err }) })
			group.Go(func() { gone = CarryOut(w.Context(), w.d) })
			group.Wait()
			if gone != nil {
				t.Fatal(gone)
			}
			if state := w.get(by).State; (kept == nil) != (state == account.Active) || kept != nil && state != account.Deleted {
				t.Errorf("%v, and it is %s", kept, state)
			}
		}
	})
}

// "Das waren nicht Sie?": every session ends, what is open becomes void, the
// account waits for a new password, and the link leads straight to it. Second
// factors stay.
func TestDisavow(t *testing.T) {
	each(t, func(w *world) {
		issue := func(by audit.Actor) (token string) {
			w.must(func(tx *db.Tx) (err error) { token, err = account.Disavowal(tx, by.Account); return err })
			return token
		}
		disavow := func(token string) (s Secured) {
			w.Helper()
			w.must(func(tx *db.Tx) (err error) { s, err = Disavow(tx, audit.Actor{IP: "192.0.2.1"}, token); return err })
			return s
		}
		first, later := issue(w.anna), issue(w.anna)
		one, two := w.signIn(w.anna), w.signIn(w.anna)
		var reset string
		w.must(func(tx *db.Tx) (err error) {
			if reset, _, err = link.Issue(tx, w.anna.Account, link.Password, "", "", time.Hour); err != nil {
				return err
			}
			for _, state := range []string{"active", "pending"} {
				if _, err := tx.Exec(`INSERT INTO factor (id, account, kind, name, state, created_at) VALUES ($1, $2, 'totp', '', $3, $4)`, state, w.anna.Account, state, tx.Now()); err != nil {
					return err
				}
			}
			_, err = tx.Exec(`INSERT INTO address_change (id, account, old_email, old_key, new_email, new_key, state, asked_at) VALUES ('a', $1, 'o', 'o', 'n', 'n', 'asked', $2)`, w.anna.Account, tx.Now())
			return err
		})
		s := disavow(first)
		if a := w.get(w.anna); a.State != account.Locked || a.LockReason != account.LockedByDisavowal || w.in(one) || w.in(two) || s.Token == "" {
			t.Fatal("not secured", a.State, a.LockReason)
		}
		if w.count(`SELECT count(*) FROM factor`) != 1 || w.count(`SELECT count(*) FROM address_change WHERE state = 'superseded'`) != 1 {
			t.Error("factors or the change under way")
		}
		w.refused("link.spent", func(tx *db.Tx) error { _, err := account.ResetPassword(tx, audit.Actor{}, reset, "y"); return err })
		w.refused("link.spent", func(tx *db.Tx) error { _, err := Disavow(tx, audit.Actor{}, first); return err })
		w.refused("link.spent", func(tx *db.Tx) error { _, err := Disavow(tx, audit.Actor{}, "unknown"); return err })
		s = disavow(later) // another mail of the same night
		w.must(func(tx *db.Tx) error { _, err := account.ResetPassword(tx, audit.Actor{}, s.Token, "y"); return err })
		if a := w.get(w.anna); a.State != account.Active {
			t.Error("the new password does not open", a.State)
		}
		w.inbox()

		// A deletion or lock that a stranger began ends with it; the chamber's lock does not.
		token := issue(w.anna)
		w.must(func(tx *db.Tx) error { _, err := Ask(tx, w.anna); return err })
		disavow(token)
		if !w.get(w.anna).DeleteAt.IsZero() {
			t.Error("still going")
		}
		token = issue(w.bert)
		w.must(func(tx *db.Tx) error { return Lock(tx, w.bert) })
		if disavow(token).Token == "" || w.get(w.bert).LockReason != account.LockedByDisavowal {
			t.Error("a stranger's lock keeps the owner out")
		}
		token = issue(w.berta)
		w.must(func(tx *db.Tx) error {
			_, err := account.Lock(tx, audit.Console, w.berta.Account, account.LockedByChamber)
			return err
		})
		w.refused("departure.locked_already", func(tx *db.Tx) error { _, err := Disavow(tx, audit.Actor{}, token); return err })
		if n := w.count(`SELECT count(*) FROM account_link WHERE purpose = 'disavow' AND state = 'open' AND account = $1`, w.berta.Account); n != 1 {
			t.Error("the link is used up", n)
		}
		w.inbox()

		// Expired after 30 days.
		x := w.person("xaver")
		token = issue(x)
		w.pass(30 * 24 * time.Hour)
		w.refused("link.spent", func(tx *db.Tx) error { _, err := Disavow(tx, audit.Actor{}, token); return err })
	})
}

// If the main address was changed after the mail, what can be taken back is; an
// old mailbox opens nothing after that time: the link goes to the address of now.
func TestDisavowAfterTheAddressMoved(t *testing.T) {
	each(t, func(w *world) {
		move := func(by audit.Actor, id, old string) {
			w.must(func(tx *db.Tx) error {
				if _, err := tx.Exec(`INSERT INTO address_change (id, account, old_email, old_key, new_email, new_key, state, asked_at, done_at, undo_until) VALUES ($1, $2, $3, $3, $4, $4, 'done', $5, $5, $6)`,
					id, by.Account, old, "new-"+old, tx.Now(), tx.Now().Add(7*24*time.Hour)); err != nil {
					return err
				}
				_, err := tx.Exec(`UPDATE account SET email = $1, email_key = $1 WHERE id = $2`, "new-"+old, by.Account)
				return err
			})
		}
		var token, other string
		w.must(func(tx *db.Tx) (err error) {
			if token, err = account.Disavowal(tx, w.anna.Account); err != nil {
				return err
			}
			other, err = account.Disavowal(tx, w.bert.Account)
			return err
		})
		w.pass(time.Hour)
		move(w.anna, "1", "anna@zwiebelfisch.example")
		move(w.bert, "2", "bert@zwiebelfisch.example")
		var s Secured
		w.must(func(tx *db.Tx) (err error) { s, err = Disavow(tx, audit.Actor{IP: "192.0.2.1"}, token); return err })
		if a := w.get(w.anna); a.Email != "anna@zwiebelfisch.example" || s.Token == "" || a.State != account.Locked {
			t.Error("the stranger's address stays", a.Email, a.State)
		}
		w.inbox()
		w.pass(8 * 24 * time.Hour)
		w.must(func(tx *db.Tx) (err error) { s, err = Disavow(tx, audit.Actor{IP: "192.0.2.1"}, other); return err })
		if a := w.get(w.bert); a.Email != "new-bert@zwiebelfisch.example" || s.Token != "" {
			t.Error("an old mailbox opens the account")
		}
		if got := w.inbox(); len(got) != 1 || got[0].To != "new-bert@zwiebelfisch.example" || !strings.Contains(got[0].Body, "/recover/password/") {
			t.Error(got)
		}
	})
}

func TestMails(t *testing.T) {
	l := letter{Name: "Anna Amsel", At: db.At(time.Date(2026, 12, 2, 8, 0, 0, 0, time.UTC)), Days: 1095, Token: "TOKEN", Disavow: "DISAVOW"}
	for _, name := range []string{"locked", "going", "kept", "gone", "waits", "unused"} {
		for _, lang := range []string{"de", "en"} {
			for _, l.Again = range []bool{false, true} {
				m, err := texts.Fill(mail.Person{Name: "Anna", Address: "anna@example.org", Lang: lang}, name, l)
				if err != nil || m.Lang != lang || utf8.RuneCountInString(m.Subject) > 60 {
					t.Errorf("%s.%s: %q (%d) %v", name, lang, m.Subject, utf8.RuneCountInString(m.Subject), err)
				}
			}
		}
	}
}
