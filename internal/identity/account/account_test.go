package account

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/schema"
)

// R046: user names and addresses are one however they are written.
func TestFold(t *testing.T) {
	for _, same := range [][]string{{"anna", "ANNA", "Anna ", "ａｎｎａ", "an\u200bna"}, {"groß", "GROSS", "GROẞ"}, {"müller", "MÜLLER", "mu\u0308ller"}} {
		for _, s := range same[1:] {
			if Fold(s) != Fold(same[0]) {
				t.Errorf("%q is not %q", s, same[0])
			}
		}
	}
	if Fold("muller") == Fold("müller") {
		t.Error("two people became one")
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"Anna", "GROẞ", "ﬃ", "İ", "\xff", "ǅ", "ᾳ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if a := Fold(s); Fold(a) != a {
			t.Errorf("Fold(%q) = %q, and again %q", s, a, Fold(a))
		}
	})
}

// R042: what is an address, and what only looks like one.
func TestAddress(t *testing.T) {
	for s, ok := range map[string]bool{
		"anna@beispiel.example": true, " anna+x@a-b.example ": true, "änne@bäcker.example": true, "o'neil@beispiel.example": true, "a.b.c@x.y.z.example": true,
		"anna": false, "anna@": false, "@b.example": false, "anna@beispiel": false, "anna@b..example": false, "anna@b.example.": false, "anna@.example": false,
		"a b@c.example": false, "\"a b\"@c.example": false, "a@[192.0.2.1]": false, "Anna <a@b.example>": false, "a@b.example,c@d.example": false,
		"a@b.example\r\nBcc: x@y.example": false, "a\x00@b.example": false, "a\u200b@b.example": false, strings.Repeat("a", 65) + "@b.example": false, "a@@b.example": false,
	} {
		var p fault.Problems
		if address(&p, "email", s); (len(p) == 0) != ok {
			t.Errorf("%q: %v, want ok %v", s, p, ok)
		}
	}
}

// Decision 3, R048: both policies.
func TestPolicy(t *testing.T) {
	for _, c := range []struct {
		policy   Policy
		password string
		want     string
	}{
		{Modern, "Mehl Hefe Wasser", ""},
		{Modern, "vier gelbe fahrräder", ""},
		{Modern, "xk3Lq9vbTz0P", ""},
		{Modern, "über alle Berge", ""},
		{Modern, "", "account.password_missing"},
		{Modern, "elfZeichen.", "account.password_short"},
		{Modern, "ü\u0308ü\u0308ü\u0308ü\u0308", "account.password_short"},
		{Modern, "passwort12345", "account.password_common"},
		{Modern, "P@ssw0rt!!!!", "account.password_common"},
		{Modern, "Sommer2026!!", "account.password_common"},
		{Modern, "hallohallohallo", "account.password_common"},
		{Modern, "123123123123", "account.password_common"},
		{Modern, "qwertzuiopü1", "account.password_common"},
		{Modern, "1q2w3e4r5t6z", "account.password_common"},
		{Modern, "01234567890123", "account.password_common"},
		{Modern, "Schatz-Katze-2020", "account.password_common"},
		{Modern, "das ist anna5678 hier", "account.password_about_you"},
		{Modern, "ANNA5678anna!", "account.password_about_you"},
		{Modern, strings.Repeat("lang ", 60), "account.password_long"},
		{Modern, "Mehl\tHefe\x00Wasser", "account.password_control"},
		{Modern, "Mehl Hefe \xff\xff Salz", "account.password_control"},
		{Classic, "Br0t&Mehl", ""},
		{Classic, "Br0t&Me", "account.password_short"},
		{Classic, "brotmehl0&", "account.password_classes"},
		{Classic, "BROTMEHL0&", "account.password_classes"},
		{Classic, "BrotMehl&", "account.password_classes"},
		{Classic, "BrotMehl0", "account.password_classes"},
		{Classic, "Passw0rt!", "account.password_common"},
	} {
		err := c.policy.Check(c.password, "anna5678", "anna5678@beispiel.example")
		got := ""
		if f := fault.Of(err); f != nil {
			got = f.Key()
		}
		if got != c.want {
			t.Errorf("%s %q: %q, want %q", c.policy, c.password, got, c.want)
		}
	}
}

func TestHasher(t *testing.T) {
	h := NewHasher(2)
	phc, err := h.Hash(t.Context(), "Müller & Söhne")
	if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatal(phc, err)
	}
	for plain, want := range map[string]bool{"Müller & Söhne": true, "Mu\u0308ller & So\u0308hne": true, "Muller & Sohne": false, "": false} {
		if got, err := h.Verify(t.Context(), phc, plain); got != want || err != nil {
			t.Errorf("%q: %v %v", plain, got, err)
		}
	}
	if h.Stale(phc) {
		t.Error("a fresh hash is stale")
	}
	for _, bad := range []string{"", "x", "$argon2id$v=19$m=99999999,t=2,p=1$AAAA$AAAA", "$argon2i$v=19$m=64,t=1,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAA", "$2b$10$x"} {
		if ok, err := h.Verify(t.Context(), bad, "x"); ok || err == nil {
			t.Errorf("%q verifies", bad)
		}
	}
}

// The gate: who comes when the queue is full is told to wait, and nobody else suffers.
func TestGate(t *testing.T) {
	h := NewHasher(1)
	h.Cost = Cost{KiB: 64, Passes: 1, Lanes: 1}
	h.gate <- struct{}{} // somebody is hashing
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for range queue + 1 {
		group.Go(func() {
			if err := h.Dummy(ctx, "x"); !errors.Is(err, context.Canceled) {
				t.Errorf("a waiting one got %v", err)
			}
		})
	}
	for h.waiting.Load() < queue+1 {
		runtime.Gosched() // until all stand in the queue
	}
	if err := h.Dummy(ctx, "x"); !fault.Is(err, fault.KindLimited) {
		t.Errorf("one too many: %v", err)
	}
	cancel()
	group.Wait()
	<-h.gate
	if err := h.Dummy(t.Context(), "x"); err != nil {
		t.Error(err)
	}
}

// R039–R047: an account made by a command is checked like any other.
func TestCreate(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		create := func(n New) (a Account, err error) {
			err = d.Write(t.Context(), func(tx *db.Tx) error { a, err = Create(tx, audit.Console, n); return err })
			return a, err
		}
		a, err := create(New{Title: "Dr.", GivenName: " Anna  Maria ", FamilyName: "Beispiel-Özdemir", Username: "anna", Email: "Anna@beispiel.example", Confirmed: true})
		if err != nil || a.Name() != "Dr. Anna Maria Beispiel-Özdemir" || a.State != Active || a.ConfirmedAt.IsZero() || a.Language != "de" {
			t.Fatal(a, err)
		}
		if _, err := create(New{GivenName: "A", FamilyName: "B", Username: "ANNA", Email: "x@beispiel.example", Confirmed: true}); fault.Of(err) == nil || fault.Of(err).Key() != "account.username_taken" {
			t.Error(err)
		}
		if _, err := create(New{GivenName: "A", FamilyName: "B", Email: "anna@BEISPIEL.example", Confirmed: true}); fault.Of(err) == nil || fault.Of(err).Key() != "account.email_taken" {
			t.Error(err)
		}
		for i := range 3 { // without a user name
			if _, err := create(New{GivenName: "A", FamilyName: "B", Email: strings.Repeat("b", i+1) + "@beispiel.example", Confirmed: true}); err != nil {
				t.Error(err)
			}
		}
		err = d.Read(t.Context(), func(tx *db.Tx) error {
			for _, login := range []string{"anna", " ANNA", "anna@beispiel.example"} {
				if got, err := ByLogin(tx, login); err != nil || got.ID != a.ID {
					t.Errorf("%q: %v %v", login, got.ID, err)
				}
			}
			for _, login := range []string{"", "nobody", "\x00", strings.Repeat("a", 5000)} {
				if _, err := ByLogin(tx, login); !fault.Is(err, fault.KindNotFound) {
					t.Errorf("%q: %v", login, err)
				}
			}
			many, err := GetMany(tx, []string{a.ID, "nobody"})
			if len(many) != 1 || many[a.ID].Username != "anna" {
				t.Error(many)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// R044: a confirmed further address opens the account and receives its link.
func TestFurtherAddress(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			a, err := Create(tx, audit.Console, New{GivenName: "Anna", FamilyName: "B", Email: "anna@beispiel.example", Further: []string{"privat@beispiel.example"}, Confirmed: true})
			if err != nil {
				return err
			}
			if _, err := ByLogin(tx, "privat@beispiel.example"); !fault.Is(err, fault.KindNotFound) {
				t.Error("an unconfirmed address opens an account")
			}
			if _, err := tx.Exec(`UPDATE account_email SET confirmed_at = $1`, tx.Now()); err != nil {
				return err
			}
			if got, err := ByLogin(tx, "PRIVAT@beispiel.example"); err != nil || got.ID != a.ID {
				t.Error(got.ID, err)
			}
			if _, err := Create(tx, audit.Console, New{GivenName: "X", FamilyName: "Y", Email: "privat@beispiel.example", Confirmed: true}); fault.Of(err) == nil {
				t.Error("somebody else took the further address")
			}
			return sendPasswordLink(tx, audit.Actor{}, "privat@beispiel.example")
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// Every mail in both languages: subject at most 60 characters, and what a
// security mail must say.
func TestMails(t *testing.T) {
	if _, err := i18n.Load(Phrases); err != nil {
		t.Fatal(err)
	}
	now := db.At(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC))
	for name, data := range map[string]any{
		"confirm": confirmMail{Token: "TOKEN", Code: "123456", Spaced: "123 456"}, "exists": confirmMail{},
		"password_link": struct{ Token, Login string }{"TOKEN", "anna"}, "password_changed": struct{ At db.Time }{now},
	} {
		for lang, notYou := range map[string]string{"de": "Das waren nicht Sie?", "en": "This was not you?"} {
			m, err := texts.Fill(mail.Person{Address: "a@b.example", Lang: lang}, name, data)
			if err != nil || m.Subject == "" || len([]rune(m.Subject)) > 60 || !strings.Contains(m.Body, notYou) {
				t.Errorf("%s.%s: %v %+v", name, lang, err, m)
			}
		}
	}
}

// One winner among 64, where nothing stands before the rule: link for a new
// password, confirmation by link and by code.
func TestOneWinner(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		write := func(f func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Write(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		race := func(name string, f func(tx *db.Tx) error) {
			t.Helper()
			var barrier, group sync.WaitGroup
			var won atomic.Int32
			barrier.Add(1)
			for range 64 {
				group.Go(func() {
					barrier.Wait()
					if err := d.Write(t.Context(), f); err == nil {
						won.Add(1)
					} else if fault.Of(err) == nil {
						t.Errorf("%s: %v", name, err)
					}
				})
			}
			barrier.Done()
			group.Wait()
			if won.Load() != 1 {
				t.Errorf("%s: %d winners", name, won.Load())
			}
		}
		var a Account
		var token, code string
		write(func(tx *db.Tx) (err error) {
			if a, err = Create(tx, audit.Console, New{GivenName: "Anna", FamilyName: "B", Email: "anna@beispiel.example", Confirmed: true}); err != nil {
				return err
			}
			token, _, err = issue(tx, a.ID, passwordLink, "", passwordFor)
			return err
		})
		race("password", func(tx *db.Tx) error { _, err := ResetPassword(tx, audit.Actor{}, token, "phc"); return err })
		for _, by := range []string{"link", "code"} {
			write(func(tx *db.Tx) (err error) {
				if a, err = Create(tx, audit.Console, New{GivenName: "B", FamilyName: "B", Email: by + "@beispiel.example"}); err != nil {
					return err
				}
				token, code, err = issue(tx, a.ID, confirmLink, "browser"+by, confirmFor)
				return err
			})
			race(by, func(tx *db.Tx) (err error) {
				if by == "link" {
					_, err = Confirm(tx, audit.Actor{}, token)
				} else {
					_, err = ConfirmByCode(tx, audit.Actor{}, "browser"+by, code)
				}
				return err
			})
		}
	})
}
