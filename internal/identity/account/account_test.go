package account

import (
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
	"zunft/internal/identity/link"
	"zunft/internal/identity/schema"
)

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

// R040, R041, R046: an account made by a command is checked like any other.
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
		"password_link": struct{ Token, Login string }{"TOKEN", "anna"}, "password_changed": passwordChanged{now, "TOKEN"}, "data_changed": passwordChanged{now, "TOKEN"}, "unlock": unlockMail{"TOKEN", now},
		"new_device": newDevice{now, "Firefox, Windows", "192.0.2.1", "TOKEN"},
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
			token, _, err = link.Issue(tx, a.ID, link.Password, "", "", passwordFor)
			return err
		})
		race("password", func(tx *db.Tx) error { _, err := ResetPassword(tx, audit.Actor{}, token, "phc"); return err })
		for _, by := range []string{"link", "code"} {
			write(func(tx *db.Tx) (err error) {
				if a, err = Create(tx, audit.Console, New{GivenName: "B", FamilyName: "B", Email: by + "@beispiel.example"}); err != nil {
					return err
				}
				token, code, err = link.Issue(tx, a.ID, link.Confirm, "", "browser"+by, confirmFor)
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
