package application

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/i18n"
	"zunft/internal/identity/schema"
)

// A desk is one registered application on an engine, with a clock.
type desk struct {
	*testing.T
	d   *db.DB
	app Application
	now time.Time
}

func each(t *testing.T, f func(k *desk)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		k := &desk{T: t, d: d, now: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)}
		d.Now = func() time.Time { return k.now }
		a, roles := training()
		a.SecretHash, a.AuthMethod = "", "client_secret_basic"
		k.write(func(tx *db.Tx) (err error) {
			k.app, err = Put(tx, audit.Console, a, roles)
			return err
		})
		f(k)
	})
}

func (k *desk) write(f func(tx *db.Tx) error) {
	k.Helper()
	if err := k.d.Write(k.Context(), f); err != nil {
		k.Fatal(err)
	}
}

// fails wants a fault of a kind with a phrase that exists.
func (k *desk) fails(kind fault.Kind, f func(tx *db.Tx) error) {
	k.Helper()
	if err := k.d.Write(k.Context(), f); !fault.Is(err, kind) {
		k.Errorf("got %v, want fault %d", err, kind)
	}
}

func (k *desk) reload() {
	k.Helper()
	k.write(func(tx *db.Tx) (err error) { k.app, err = Get(tx, k.app.ID); return err })
}

// Two secrets are active at most, however many ask at once; each is shown once,
// opens until it expires or is revoked, and its use is noted to the day.
func TestSecrets(t *testing.T) {
	each(t, func(k *desk) {
		var mu sync.Mutex
		var plain []string
		var group sync.WaitGroup
		for range 12 {
			group.Go(func() {
				var one string
				err := k.d.Write(k.Context(), func(tx *db.Tx) (err error) { one, _, err = NewSecret(tx, audit.Console, k.app.ID, 90); return err })
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					plain = append(plain, one)
				} else if !fault.Is(err, fault.KindConflict) {
					k.Error(err)
				}
			})
		}
		group.Wait()
		if len(plain) != MaxSecrets {
			k.Fatalf("%d secrets are active", len(plain))
		}
		opens := func(shown string) (s Secret, ok bool) {
			k.write(func(tx *db.Tx) error {
				living, err := Living(tx, k.app.ID)
				s, ok = Opens(living, shown, tx.Now())
				return err
			})
			return s, ok
		}
		first, ok := opens(plain[0])
		second, also := opens(plain[1])
		if !ok || !also || first.ID == second.ID || !strings.HasSuffix(plain[0], first.Hint) || strings.Contains(first.Hash, plain[0]) {
			k.Fatal("both open, told apart by their ends:", first, second)
		}
		k.write(func(tx *db.Tx) error { return SecretUsed(tx, first.ID) })
		k.now = k.now.Add(3 * time.Hour)
		k.write(func(tx *db.Tx) error { return SecretUsed(tx, first.ID) })
		if s, _ := opens(plain[0]); s.UsedAt.Format(time.DateTime) != "2026-11-02 00:00:00" {
			k.Error("used at", s.UsedAt)
		}
		// Revoked once.
		won := 0
		for range 8 {
			group.Go(func() {
				err := k.d.Write(k.Context(), func(tx *db.Tx) error { return RevokeSecret(tx, audit.Console, k.app.ID, first.ID) })
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				}
			})
		}
		group.Wait()
		if _, ok := opens(plain[0]); ok || won != 1 {
			k.Error("revoked", won, "times; opens:", ok)
		}
		k.fails(fault.KindNotFound, func(tx *db.Tx) error { return RevokeSecret(tx, audit.Console, "another", second.ID) })
		k.now = k.now.Add(90 * 24 * time.Hour)
		if _, ok := opens(plain[1]); ok {
			k.Error("an expired secret opens")
		}
		k.write(func(tx *db.Tx) error { _, _, err := NewSecret(tx, audit.Console, k.app.ID, 0); return err })
		k.fails(fault.KindInvalid, func(tx *db.Tx) error { _, _, err := NewSecret(tx, audit.Console, k.app.ID, 5000); return err })
		k.fails(fault.KindForbidden, func(tx *db.Tx) error {
			_, _, err := NewSecret(tx, audit.Actor{Account: "x"}, k.app.ID, 0)
			return err
		})
		// A public client has none.
		k.reload()
		k.app.AuthMethod = "none"
		k.write(func(tx *db.Tx) error { return Change(tx, audit.Console, k.app) })
		k.fails(fault.KindConflict, func(tx *db.Tx) error { _, _, err := NewSecret(tx, audit.Console, k.app.ID, 0); return err })
		k.write(func(tx *db.Tx) error {
			living, err := Living(tx, k.app.ID)
			if len(living) != 0 {
				k.Error("a public client keeps", living)
			}
			return err
		})
	})
}

// R003: an application is changed without a program; who saw an older state changes nothing.
func TestR003Change(t *testing.T) {
	each(t, func(k *desk) {
		k.app.Name, k.app.Support, k.app.RedirectURIs = "Berichtsheft", "help@training.example", []string{"https://training.example/a", "https://training.example/b"}
		var mu sync.Mutex
		var group sync.WaitGroup
		won := 0
		for range 8 {
			group.Go(func() {
				err := k.d.Write(k.Context(), func(tx *db.Tx) error { return Change(tx, audit.Console, k.app) })
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else if f := fault.Of(err); f == nil || f.Key() != "application.changed_meanwhile" {
					k.Error(err)
				}
			})
		}
		group.Wait()
		if won != 1 {
			k.Error(won, "changes of one state")
		}
		k.reload()
		if k.app.Name != "Berichtsheft" || k.app.Support != "help@training.example" || len(k.app.RedirectURIs) != 2 || k.app.ClientID != "training" {
			k.Errorf("%+v", k.app)
		}
		k.fails(fault.KindInvalid, func(tx *db.Tx) error {
			a := k.app
			a.RedirectURIs = []string{""}
			return Change(tx, audit.Console, a)
		})
		k.fails(fault.KindInvalid, func(tx *db.Tx) error {
			_, err := Register(tx, audit.Console, Application{ClientID: "training", Name: "Noch eins"})
			return err
		})
		k.write(func(tx *db.Tx) error { return SetState(tx, audit.Console, k.app.ID, Disabled) })
		k.write(func(tx *db.Tx) error {
			offers, err := AllOffers(tx)
			if len(offers) != 0 {
				k.Error("a disabled application is offered")
			}
			return err
		})
		k.write(func(tx *db.Tx) error {
			n, err := db.Value[int](tx, `SELECT count(*) FROM audit WHERE thing = $1 AND event IN ('application.changed', 'application.disabled')`, k.app.ID)
			if n != 2 {
				k.Error("records:", n)
			}
			return err
		})
	})
}

// member makes somebody a member of a new organization who holds a role.
func (k *desk) member(organization, role string) (membership string) {
	k.Helper()
	membership = db.NewID()
	k.write(func(tx *db.Tx) error {
		person := db.NewID()
		for _, q := range []struct {
			query string
			args  []any
		}{
			{`INSERT INTO chamber (id, number, name, short_name, created_at) VALUES ('c', '999', 'Kammer Musterland', 'KM', $1) ON CONFLICT DO NOTHING`, []any{tx.Now()}},
			{`INSERT INTO account (id, salutation, title, given_name, family_name, name_key, username, username_key, email, email_key, password, state, created_at)
				VALUES ($1, '', '', 'A', 'B', '', $1, $1, '', $1, '', 'active', $2)`, []any{person, tx.Now()}},
			{`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court, management, company_key, name_key, state, registered_by, created_at)
				VALUES ($1, 'c', $1, $1, '', '', '', '', '', '', '', '', '', $1, $1, 'active', $2, $3) ON CONFLICT DO NOTHING`, []any{organization, person, tx.Now()}},
			{`INSERT INTO membership (id, organization, account, since) VALUES ($1, $2, $3, $4)`, []any{membership, organization, person, tx.Now()}},
			{`INSERT INTO role_grant (membership, application, role, granted_by, granted_at) VALUES ($1, $2, $3, 'console', $4)`, []any{membership, k.app.ID, role, tx.Now()}},
		} {
			if _, err := tx.Exec(q.query, q.args...); err != nil {
				return fmt.Errorf("%s: %w", q.query, err)
			}
		}
		return nil
	})
	return membership
}

// A role that somebody holds stays; one that only the past names is retired and
// comes back when it is declared anew.
func TestDeclare(t *testing.T) {
	each(t, func(k *desk) {
		m := k.member("bakery", "trainer")
		_, roles := training()
		only := roles[1:]
		declare := func(roles []Role) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				a, err := Get(tx, k.app.ID)
				if err != nil {
					return err
				}
				return Declare(tx, audit.Console, a.ID, a.Version, roles)
			}
		}
		k.fails(fault.KindConflict, declare(only))
		k.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE membership SET ended_at = $1 WHERE id = $2`, tx.Now(), m)
			return err
		})
		k.write(declare(only))
		names := func() (names []string) {
			k.write(func(tx *db.Tx) error {
				all, err := Catalogue(tx, k.app.ID)
				names = keys(all)
				return err
			})
			return names
		}
		if got := fmt.Sprint(names()); got != "[apprentice]" {
			k.Error("declared", got)
		}
		k.write(func(tx *db.Tx) error {
			kept, err := db.Value[int](tx, `SELECT count(*) FROM application_role WHERE role = 'trainer' AND retired_at IS NOT NULL`)
			if kept != 1 {
				k.Error("what the past names is gone")
			}
			return err
		})
		k.write(declare(roles))
		if got := fmt.Sprint(names()); got != "[trainer apprentice]" {
			k.Error("declared anew", got)
		}
		k.fails(fault.KindConflict, func(tx *db.Tx) error { return Declare(tx, audit.Console, k.app.ID, 1, nil) }) // an old state
		k.fails(fault.KindForbidden, func(tx *db.Tx) error { return Declare(tx, audit.Actor{Account: "x"}, k.app.ID, 1, nil) })
	})
}

// "Wer hat diese Rolle": counted per organization, only what holds now, the same
// by grants and by organizations, page after page without a gap.
func TestHolders(t *testing.T) {
	each(t, func(k *desk) {
		for i := range 60 {
			for range 1 + i%2 {
				k.member(fmt.Sprintf("o%02d", i), "apprentice")
			}
		}
		past := k.member("o99", "apprentice")
		k.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE role_grant SET ends_at = $1 WHERE membership = $2`, tx.Now(), past)
			return err
		})
		k.write(func(tx *db.Tx) error {
			var all []Holding
			after := ""
			for range 3 {
				h, err := HoldersOf(tx, audit.Console, k.app.ID, "apprentice", after)
				if err != nil {
					return err
				}
				if h.People != 90 {
					k.Error("people:", h.People)
				}
				all = append(all, h.Organizations...)
				if after = h.Next; after == "" {
					break
				}
			}
			if len(all) != 60 || all[0].People != 1 || all[59].People != 2 || all[59].Name != "o59" {
				k.Error(all)
			}
			// The way for a role that many hold says the same.
			var walked []Holding
			after = ""
			for range 3 {
				h := Holders{}
				if err := h.walk(tx, k.app.ID, "apprentice", after); err != nil {
					return err
				}
				walked = append(walked, h.Organizations...)
				if after = h.Next; after == "" {
					break
				}
			}
			if fmt.Sprint(walked) != fmt.Sprint(all) {
				k.Errorf("walked %v\ncounted %v", walked, all)
			}
			return nil
		})
	})
}

// Events are read newest first and forgotten after thirty days, or when a
// thousand newer ones are there.
func TestEvents(t *testing.T) {
	each(t, func(k *desk) {
		k.write(func(tx *db.Tx) error {
			return Log(tx, []Event{
				{Application: k.app.ID, At: tx.Now(), Outcome: "authorize.ok", Account: "anna", Times: 3},
				{Application: "gone", At: tx.Now(), Outcome: "authorize.ok"},
				{Application: k.app.ID, At: tx.Now(), Outcome: "authorize.redirect", Reason: "application.differs_slash_missing", Args: []string{"a"}, Sent: "https://x.example"},
			})
		})
		read := func(failed bool) (all []Event) {
			k.write(func(tx *db.Tx) (err error) { all, err = Events(tx, audit.Console, k.app.ID, failed, ""); return err })
			return all
		}
		all := read(false)
		if len(all) != 2 || all[1].Times != 3 || !all[1].OK() || all[0].OK() || all[0].Args[0] != "a" || all[0].Sent != "https://x.example" || len(read(true)) != 1 {
			k.Error(all)
		}
		k.write(func(tx *db.Tx) error {
			failed, err := Failures(tx)
			if failed[k.app.ID] != 1 {
				k.Error("failures", failed)
			}
			return err
		})
		k.fails(fault.KindForbidden, func(tx *db.Tx) error {
			_, err := Events(tx, audit.Actor{Account: "x"}, k.app.ID, false, "")
			return err
		})
		k.now = k.now.Add(31 * 24 * time.Hour)
		many := make([]Event, eventMost+30)
		k.write(func(tx *db.Tx) error {
			for i := range many {
				many[i] = Event{Application: k.app.ID, At: tx.Now(), Outcome: "token.ok"}
			}
			return Log(tx, many)
		})
		if err := k.d.Batches(k.Context(), SweepEvents); err != nil {
			k.Fatal(err)
		}
		k.write(func(tx *db.Tx) error {
			n, err := db.Value[int](tx, `SELECT count(*) FROM application_event`)
			old, _ := db.Value[int](tx, `SELECT count(*) FROM application_event WHERE account = 'anna'`)
			if n != eventMost || old != 0 {
				k.Error("kept", n, "old", old)
			}
			return err
		})
	})
}

// The tester says what differs from the nearest address, in both languages.
func TestExplain(t *testing.T) {
	catalog, err := i18n.Load(Phrases)
	if err != nil {
		t.Fatal(err)
	}
	registered := []string{"https://app.example/callback", "https://app.example/callback/", "https://other.example:8443/cb?a=b", "com.example.app:/cb", "https://app.example/Ä%20b"}
	for sent, want := range map[string]string{
		"https://app.example/callback":           "",
		"https://app.example/callback ":          "Am Anfang oder Ende steht ein Leerzeichen zu viel",
		"https://app.example/callback//":         "Unterscheidet sich am Ende: „/“ ist zu viel",
		"https://other.example:8443/cb?a=b/":     "Unterscheidet sich am Ende: „/“ ist zu viel",
		"http://app.example/callback":            "Unterscheidet sich am Anfang: eingetragen ist „https“, gesendet wurde „http“",
		"https://app.example:8080/callback":      "Unterscheidet sich im Port: eingetragen ist „–“, gesendet wurde „:8080“",
		"https://other.example/cb?a=b":           "Unterscheidet sich im Port: eingetragen ist „:8443“, gesendet wurde „–“",
		"https://www.app.example/callback":       "Unterscheidet sich im Rechnernamen: eingetragen ist „app.example“, gesendet wurde „www.app.example“",
		"https://App.example/Callback":           "Unterscheidet sich in der Groß- und Kleinschreibung ab Zeichen 9: eingetragen ist „app.example/callback“, gesendet wurde „App.example/Callback“",
		"https://app.example/callback?x=1":       "Unterscheidet sich hinter dem „?“: eingetragen ist „–“, gesendet wurde „?x=1“",
		"https://other.example:8443/cb?a=c":      "Unterscheidet sich hinter dem „?“: eingetragen ist „?a=b“, gesendet wurde „?a=c“",
		"https://app.example/callback#top":       "Eine redirect_uri darf kein „#“ enthalten",
		"https://app.example/call":               "Unterscheidet sich im Pfad ab Zeichen 25: eingetragen ist „back“, gesendet wurde „–“",
		"https://app.example/%C3%84%20b":         "Unterscheidet sich in der Prozent-Schreibweise ab Zeichen 21: eingetragen ist „Ä%20b“, gesendet wurde „%C3%84%20b“",
		"https://evil.example/login":             "Unterscheidet sich ab Zeichen 9: eingetragen ist „app.example/callback“, gesendet wurde „evil.example/login“",
		"com.example.app:/cb/":                   "Unterscheidet sich am Ende: „/“ ist zu viel",
		"":                                       "Es kam keine redirect_uri",
		"https://app.example/callback\x7f%zz":    "Das ist keine vollständige Adresse. Ab Zeichen 29 steht „\x7f%zz“ statt „–“",
		"https://app.example/callback-for-login": "Unterscheidet sich im Pfad ab Zeichen 29: eingetragen ist „–“, gesendet wurde „-for-login“",
	} {
		d, ok := Explain(registered, sent)
		if ok != (want == "") {
			t.Errorf("%q is registered: %v", sent, ok)
		}
		if want == "" {
			continue
		}
		if got := catalog.Text("de", d.Phrase, d.Args...); got != want {
			t.Errorf("%q: %s\nwant %s", sent, got, want)
		}
		if got := catalog.Text("en", d.Phrase, d.Args...); got == d.Phrase || strings.Contains(got, "%!") {
			t.Errorf("%q in English: %s", sent, got)
		}
	}
	if d, ok := Explain([]string{"https://app.example/callback/"}, "https://app.example/callback"); ok || d.Phrase != "application.differs_slash_missing" {
		t.Error(d)
	}
	if d, ok := Explain(nil, "https://app.example/callback"); ok || d.Phrase != "application.differs_none" {
		t.Error(d)
	}
}

// Whatever is sent, the tester has a sentence for it, and says yes only to what is registered.
func FuzzExplain(f *testing.F) {
	f.Add("https://app.example/callback", "https://app.example/callback/")
	f.Add("com.example:/x", "http://[::1")
	f.Fuzz(func(t *testing.T, registered, sent string) {
		d, ok := Explain([]string{registered}, sent)
		if ok != (registered == sent) || !ok && d.Phrase == "" {
			t.Error(registered, sent, d, ok)
		}
	})
}
