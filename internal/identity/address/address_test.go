package address

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
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
	"zunft/internal/ground/job"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/account"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/link"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/schema"
)

// A world has Anna and Bert, a clock and a mailbox.
type world struct {
	*testing.T
	d          *db.DB
	clock      atomic.Int64
	jobs       *job.Runner
	mu         sync.Mutex
	mails      []mail.Message
	anna, bert audit.Actor
}

func each(t *testing.T, f func(w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{T: t, d: d, jobs: &job.Runner{DB: d}}
		w.clock.Store(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC).UnixMicro())
		d.Now = func() time.Time { return time.UnixMicro(w.clock.Load()).UTC() }
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
		w.must(policy.EnsureDefault)
		w.anna, w.bert = w.person("anna"), w.person("bert")
		f(w)
	})
}

func (w *world) pass(d time.Duration) { w.clock.Add(d.Microseconds()) }

func (w *world) person(name string) audit.Actor {
	w.Helper()
	by := audit.Actor{Session: "session of " + name, IP: "192.0.2.1"}
	w.must(func(tx *db.Tx) error {
		a, err := account.Create(tx, audit.Console, account.New{GivenName: "Anna", FamilyName: "Beispiel", Username: name, Email: name + "@old.example", Password: "x", Confirmed: true})
		by.Account = a.ID
		return err
	})
	return by
}

func (w *world) try(f func(tx *db.Tx) error) error { return w.d.Write(w.Context(), f) }

func (w *world) must(f func(tx *db.Tx) error) {
	w.Helper()
	if err := w.try(f); err != nil {
		w.Fatal(err)
	}
}

// refused fails unless f is refused with that phrase.
func (w *world) refused(key string, f func(tx *db.Tx) error) {
	w.Helper()
	if err := w.try(f); fault.Of(err) == nil || fault.Of(err).Key() != key {
		w.Errorf("%v, want %s", err, key)
	}
}

// mail is the newest mail to an address, whose subject holds a text.
func (w *world) mail(to, subject string) mail.Message {
	w.Helper()
	if err := w.jobs.Drain(w.Context()); err != nil {
		w.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range slices.Backward(w.mails) {
		if m.To == to && strings.Contains(m.Subject, subject) {
			return m
		}
	}
	w.Fatalf("no mail to %s about %q among %d", to, subject, len(w.mails))
	return mail.Message{}
}

var (
	digits = regexp.MustCompile(`(?m)^\d{6}$`)
	tokens = regexp.MustCompile(`/(?:confirm-email|undo)/([\w-]{43})`)
)

func code(m mail.Message) string { return digits.FindString(m.Body) }

func token(m mail.Message) string { return tokens.FindStringSubmatch(m.Body)[1] }

// opens says whose account an address opens, or "".
func (w *world) opens(address string) (id string) {
	w.Helper()
	w.must(func(tx *db.Tx) error {
		a, err := account.ByLogin(tx, address)
		id = a.ID
		if fault.Is(err, fault.KindNotFound) {
			return nil
		}
		return err
	})
	return id
}

func (w *world) main(by audit.Actor, address string) (undo string) {
	w.Helper()
	var old string
	w.must(func(tx *db.Tx) error {
		a, err := account.Get(tx, by.Account)
		old = a.Email
		if err != nil {
			return err
		}
		_, err = AskChange(tx, by, address)
		return err
	})
	c := code(w.mail(address, "Bestätigungscode"))
	w.must(func(tx *db.Tx) error { _, err := ConfirmByCode(tx, by, c); return err })
	return token(w.mail(old, "7 Tage widerrufbar"))
}

// R043, R044: up to four further addresses; each opens the account once its
// mailbox has answered, and not a moment longer than it is there.
func TestR043FurtherAddresses(t *testing.T) {
	each(t, func(w *world) {
		add := func(address string) func(tx *db.Tx) error {
			return func(tx *db.Tx) error { return Add(tx, w.anna, address) }
		}
		w.must(add(" privat@new.example "))
		first := w.mail("privat@new.example", "Bestätigungscode")
		if w.opens("privat@new.example") != "" {
			t.Error("an address opens before its mailbox has answered")
		}
		w.refused("address.is_main", add("ANNA@old.example"))
		w.refused("account.email_form", add("no address"))
		w.refused("account.email_missing", add(" "))
		// The code counts in the session that asked, five times.
		w.refused("link.elsewhere", func(tx *db.Tx) error { _, err := ConfirmByCode(tx, w.bert, code(first)); return err })
		w.refused("link.code_wrong", func(tx *db.Tx) error { _, err := ConfirmByCode(tx, w.anna, "000000"+code(first)[6:]); return err })
		// R294: a newer mail makes the one before useless.
		w.must(func(tx *db.Tx) error { return Again(tx, w.anna, "privat@new.example") })
		second := w.mail("privat@new.example", "Bestätigungscode")
		w.refused("link.spent", func(tx *db.Tx) error { _, err := Confirm(tx, audit.Actor{}, token(first)); return err })
		w.must(func(tx *db.Tx) error {
			q, err := Look(tx, token(second))
			if q.State != link.Open || q.Email != "privat@new.example" || q.Main || q.Account.ID != w.anna.Account {
				t.Errorf("%+v", q)
			}
			return err
		})
		w.must(func(tx *db.Tx) error { _, err := Confirm(tx, audit.Actor{}, token(second)); return err }) // the link works anywhere
		if w.opens("PRIVAT@new.example") != w.anna.Account {
			t.Error("a confirmed address does not open the account")
		}
		w.mail("anna@old.example", "Weitere E-Mail-Adresse")
		w.refused("link.code_used", func(tx *db.Tx) error { _, err := ConfirmByCode(tx, w.anna, code(second)); return err })
		w.refused("address.is_further", add("privat@new.example"))
		w.pass(time.Hour)
		for i := range 3 {
			w.must(add(fmt.Sprintf("f%d@new.example", i)))
		}
		w.refused("address.many", add("fifth@new.example"))
		w.must(func(tx *db.Tx) error { return Remove(tx, w.anna, "Privat@new.example") })
		w.mail("anna@old.example", "entfernt")
		if w.opens("privat@new.example") != "" {
			t.Error("a removed address still opens the account")
		}
		w.refused("address.changed_meanwhile", func(tx *db.Tx) error { return Remove(tx, w.anna, "privat@new.example") })
		w.must(add("fifth@new.example"))
		// A link whose address was removed meanwhile opens nothing.
		left := w.mail("fifth@new.example", "Bestätigungscode")
		w.must(func(tx *db.Tx) error { return Remove(tx, w.anna, "fifth@new.example") })
		w.refused("link.spent", func(tx *db.Tx) error { _, err := Confirm(tx, w.anna, token(left)); return err })
		// 24 hours.
		w.pass(time.Hour)
		w.must(func(tx *db.Tx) error { return Again(tx, w.anna, "f0@new.example") })
		late := w.mail("f0@new.example", "Bestätigungscode")
		w.pass(confirmFor)
		w.refused("link.spent", func(tx *db.Tx) error { _, err := Confirm(tx, w.anna, token(late)); return err })
	})
}

// R290, R293, R294: the new main address counts once it has answered; the old
// one is told and is nobody else's for seven days.
func TestR293ChangeOfTheMainAddress(t *testing.T) {
	each(t, func(w *world) {
		ask := func(address string) {
			w.must(func(tx *db.Tx) error { _, err := AskChange(tx, w.anna, address); return err })
		}
		ask("first@new.example")
		first := w.mail("first@new.example", "Bestätigungscode")
		if w.opens("first@new.example") != "" || w.opens("anna@old.example") != w.anna.Account {
			t.Error("the change held before the new mailbox answered")
		}
		ask("second@new.example")
		w.refused("link.spent", func(tx *db.Tx) error { _, err := Confirm(tx, w.anna, token(first)); return err })
		w.must(func(tx *db.Tx) error { return AskAgain(tx, w.anna) })
		w.must(func(tx *db.Tx) error {
			_, _, err := link.Issue(tx, w.anna.Account, link.Password, "", "", time.Hour) // lies in the old mailbox
			return err
		})
		c := code(w.mail("second@new.example", "Bestätigungscode"))
		w.must(func(tx *db.Tx) error {
			q, err := ConfirmByCode(tx, w.anna, c)
			if !q.Main || q.Email != "second@new.example" || q.Account.Email != "second@new.example" {
				t.Errorf("%+v", q)
			}
			return err
		})
		if w.opens("second@new.example") != w.anna.Account || w.opens("anna@old.example") != "" {
			t.Error("the change does not hold")
		}
		for to, subject := range map[string]string{"anna@old.example": "7 Tage widerrufbar", "second@new.example": "ist geändert"} {
			if m := w.mail(to, subject); !strings.Contains(m.Body, "/report-activity/") {
				t.Error("no way to secure the account in", m.Subject)
			}
		}
		w.must(func(tx *db.Tx) error {
			n, err := db.Value[int](tx, `SELECT count(*) FROM account_link WHERE account = $1 AND purpose = 'password' AND state = 'open'`, w.anna.Account)
			if n != 0 {
				t.Error("a link for a new password is open in the old mailbox")
			}
			return err
		})
		// Bert asks for the old address: answered like a free one, but only Anna's mailbox learns why.
		w.must(func(tx *db.Tx) error { return Add(tx, w.bert, "anna@old.example") })
		if m := w.mail("anna@old.example", "gehört schon"); digits.MatchString(m.Body) {
			t.Error("a code was sent for an address of somebody else")
		}
		w.pass(UndoFor)
		w.must(func(tx *db.Tx) error { return Again(tx, w.bert, "anna@old.example") })
		free := w.mail("anna@old.example", "Bestätigungscode")
		w.must(func(tx *db.Tx) error { _, err := ConfirmByCode(tx, w.bert, code(free)); return err })
		if w.opens("anna@old.example") != w.bert.Account {
			t.Error("after seven days the old address is not free")
		}
	})
}

// R044: a further address that is confirmed becomes the main one at once; the
// old one stays as a further one.
func TestFurtherBecomesMain(t *testing.T) {
	each(t, func(w *world) {
		w.must(func(tx *db.Tx) error { return Add(tx, w.anna, "privat@new.example") })
		c := code(w.mail("privat@new.example", "Bestätigungscode"))
		w.must(func(tx *db.Tx) error { _, err := ConfirmByCode(tx, w.anna, c); return err })
		w.must(func(tx *db.Tx) error {
			done, err := AskChange(tx, w.anna, "privat@new.example")
			if !done {
				t.Error("asked for a code again")
			}
			return err
		})
		w.must(func(tx *db.Tx) error {
			a, err := account.Get(tx, w.anna.Account)
			if err != nil {
				return err
			}
			all, err := List(tx, a.ID)
			if a.Email != "privat@new.example" || len(all) != 1 || all[0].Email != "anna@old.example" || !all[0].Confirmed() {
				t.Error(a.Email, all)
			}
			return err
		})
		w.refused("address.is_main", func(tx *db.Tx) error { _, err := AskChange(tx, w.anna, "privat@new.example"); return err })
	})
}

// The old address takes a change back within seven days, whatever came after
// it: later changes and addresses go, the account waits for a new password.
func TestUndo(t *testing.T) {
	each(t, func(w *world) {
		w.must(func(tx *db.Tx) error { return Add(tx, w.anna, "long@own.example") })
		c := code(w.mail("long@own.example", "Bestätigungscode"))
		w.must(func(tx *db.Tx) error { _, err := ConfirmByCode(tx, w.anna, c); return err })
		w.pass(30 * 24 * time.Hour)
		undo := w.main(w.anna, "thief@new.example")
		w.pass(time.Hour)
		later := w.main(w.anna, "thief@second.example") // and on, so that the first link should reach nothing
		w.must(func(tx *db.Tx) error { return Add(tx, w.anna, "thief@third.example") })
		c3 := code(w.mail("thief@third.example", "Bestätigungscode"))
		w.must(func(tx *db.Tx) error { _, err := ConfirmByCode(tx, w.anna, c3); return err })
		w.must(func(tx *db.Tx) error { _, err := AskChange(tx, w.anna, "thief@fourth.example"); return err })
		fourth := w.mail("thief@fourth.example", "Bestätigungscode")
		w.must(func(tx *db.Tx) error {
			_, err := account.Lock(tx, w.anna, w.anna.Account, account.LockedBySelf)
			return err
		})
		w.must(func(tx *db.Tx) error {
			u, err := LookUndo(tx, undo)
			if u.State != link.Open || u.Change.OldEmail != "anna@old.example" {
				t.Errorf("%+v", u)
			}
			return err
		})
		var password string
		w.must(func(tx *db.Tx) error {
			a, token, err := Undo(tx, audit.Actor{}, undo)
			password = token
			if a.Email != "anna@old.example" || a.State != account.Locked || a.LockReason != account.LockedByDisavowal {
				t.Errorf("%+v", a)
			}
			return err
		})
		if !strings.Contains(w.mail("anna@old.example", "gilt wieder").Body, password) {
			t.Error("the link for a new password is not in the mail")
		}
		w.mail("thief@second.example", "gilt nicht mehr")
		for address, whose := range map[string]string{
			"anna@old.example": w.anna.Account, "long@own.example": w.anna.Account,
			"thief@new.example": "", "thief@second.example": "", "thief@third.example": "",
		} {
			if w.opens(address) != whose {
				t.Errorf("%s opens %q", address, w.opens(address))
			}
		}
		w.refused("link.spent", func(tx *db.Tx) error { _, err := Confirm(tx, w.anna, token(fourth)); return err })
		w.refused("link.spent", func(tx *db.Tx) error { _, _, err := Undo(tx, audit.Actor{}, undo); return err })
		w.refused("link.spent", func(tx *db.Tx) error { _, _, err := Undo(tx, audit.Actor{}, later); return err })
		w.must(func(tx *db.Tx) error {
			if u, err := LookUndo(tx, later); err != nil || u.State != link.Superseded {
				t.Error(u.State, err)
			}
			a, err := account.ResetPassword(tx, audit.Actor{}, password, "y")
			if a.State != account.Active {
				t.Error("a new password does not open the account again:", a.State)
			}
			return err
		})
	})
}

// After seven days the change stays; a lock by the chamber is none of a mail's business.
func TestUndoIsOver(t *testing.T) {
	each(t, func(w *world) {
		undo := w.main(w.anna, "new@new.example")
		other := w.main(w.bert, "bert@new.example")
		w.must(func(tx *db.Tx) error {
			_, err := account.Lock(tx, audit.Console, w.bert.Account, account.LockedByChamber)
			return err
		})
		w.must(func(tx *db.Tx) error {
			a, password, err := Undo(tx, audit.Actor{}, other)
			if password != "" || a.LockReason != account.LockedByChamber || a.Email != "bert@old.example" {
				t.Errorf("%q %+v", password, a)
			}
			return err
		})
		w.pass(UndoFor)
		w.refused("link.spent", func(tx *db.Tx) error { _, _, err := Undo(tx, audit.Actor{}, undo); return err })
	})
}

// CVE-2026-9798 (a lock checked at the start, not at redemption): whoever is
// locked meanwhile confirms nothing, by code or link.
func TestLockedAtRedemption(t *testing.T) {
	each(t, func(w *world) {
		w.must(func(tx *db.Tx) error { _, err := AskChange(tx, w.anna, "new@new.example"); return err })
		m := w.mail("new@new.example", "Bestätigungscode")
		w.must(func(tx *db.Tx) error {
			_, err := account.Lock(tx, audit.Console, w.anna.Account, account.LockedByChamber)
			return err
		})
		w.refused("link.spent", func(tx *db.Tx) error { _, err := Confirm(tx, audit.Actor{}, token(m)); return err })
		w.refused("link.spent", func(tx *db.Tx) error { _, err := ConfirmByCode(tx, w.anna, code(m)); return err })
		if err := w.try(func(tx *db.Tx) error { return Add(tx, w.anna, "x@new.example") }); !fault.Is(err, fault.KindForbidden) {
			t.Error("a locked person adds an address", err)
		}
	})
}

// R243: who may sign up with an address of some domains only keeps to them;
// a further one, for the day the main one is lost, may be any.
func TestR243DomainOfTheMainAddress(t *testing.T) {
	each(t, func(w *world) {
		p, err := policy.Preset(policy.Standard)
		if err != nil {
			t.Fatal(err)
		}
		p.Default, p.SignUp.MailDomains = true, []string{"old.example"}
		w.must(func(tx *db.Tx) error { return policy.Save(tx, audit.Console, p) })
		w.refused("policy.mail_domain", func(tx *db.Tx) error { _, err := AskChange(tx, w.anna, "anna@new.example"); return err })
		w.must(func(tx *db.Tx) error { _, err := AskChange(tx, w.anna, "anna.neu@OLD.example"); return err })
		w.must(func(tx *db.Tx) error { return Add(tx, w.anna, "anna@new.example") })
	})
}

// race runs all of fs at once and says how many won.
func (w *world) race(fs ...func(tx *db.Tx) error) int {
	w.Helper()
	var barrier, group sync.WaitGroup
	var won atomic.Int32
	barrier.Add(1)
	for _, f := range fs {
		group.Go(func() {
			barrier.Wait()
			if err := w.try(f); err == nil {
				won.Add(1)
			} else if fault.Of(err) == nil {
				w.Error(err)
			}
		})
	}
	barrier.Done()
	group.Wait()
	return int(won.Load())
}

// One address, many who would own it at the same moment: as a further address,
// as the main one, as the address of a new account. One has it afterwards; the
// tables together know no second owner.
func TestOneOwner(t *testing.T) {
	each(t, func(w *world) {
		var fs []func(tx *db.Tx) error
		key := fold.Login("wanted@new.example")
		for i := range 8 {
			by := w.person(fmt.Sprintf("p%02d", i))
			var one string
			w.must(func(tx *db.Tx) (err error) { // as ask does it, without the limit for one mailbox
				if i%2 == 0 {
					if _, err := tx.Exec(`INSERT INTO account_email (account, email, email_key, created_at) VALUES ($1, $2, $2, $3)`, by.Account, key, tx.Now()); err != nil {
						return err
					}
					one, _, err = link.Issue(tx, by.Account, link.Email, key, by.Session, confirmFor)
					return err
				}
				a, err := account.Get(tx, by.Account)
				if err != nil {
					return err
				}
				if _, err := note(tx, a, key); err != nil {
					return err
				}
				one, _, err = link.Issue(tx, by.Account, link.Email, mainTarget, by.Session, confirmFor)
				return err
			})
			fs = append(fs, func(tx *db.Tx) error { _, err := Confirm(tx, by, one); return err })
		}
		var confirm string
		w.must(func(tx *db.Tx) error {
			a, err := account.Create(tx, audit.Console, account.New{GivenName: "N", FamilyName: "N", Email: "wanted@new.example", Password: "x"})
			if err != nil {
				return err
			}
			confirm, _, err = link.Issue(tx, a.ID, link.Confirm, "", "", time.Hour)
			return err
		})
		fs = append(fs, func(tx *db.Tx) error { _, err := account.Confirm(tx, audit.Actor{}, confirm); return err })
		if n := w.race(fs...); n != 1 {
			t.Errorf("%d have the address", n)
		}
		w.must(func(tx *db.Tx) error {
			n, err := db.Value[int](tx, `SELECT (SELECT count(*) FROM account WHERE email_key = $1 AND state <> 'unconfirmed')
				+ (SELECT count(*) FROM account_email WHERE email_key = $1 AND confirmed_at IS NOT NULL)`, key)
			if n != 1 {
				t.Errorf("%d rows say that it is theirs", n)
			}
			return err
		})
	})
}

// Code and link of one mail, 64 times at once: it is confirmed once. Undone 64
// times at once while the next change is confirmed: the old address has it.
func TestRaces(t *testing.T) {
	each(t, func(w *world) {
		w.must(func(tx *db.Tx) error { return Add(tx, w.anna, "f@new.example") })
		m := w.mail("f@new.example", "Bestätigungscode")
		var fs []func(tx *db.Tx) error
		for i := range 64 {
			fs = append(fs, func(tx *db.Tx) (err error) {
				if i%16 == 0 { // a code may be typed five times
					_, err = ConfirmByCode(tx, w.anna, code(m))
				} else {
					_, err = Confirm(tx, audit.Actor{}, token(m))
				}
				return err
			})
		}
		if n := w.race(fs...); n != 1 {
			t.Errorf("confirmed %d times", n)
		}
		undo := w.main(w.anna, "second@new.example")
		w.must(func(tx *db.Tx) error { _, err := AskChange(tx, w.anna, "third@new.example"); return err })
		next := w.mail("third@new.example", "Bestätigungscode")
		var undone atomic.Int32
		fs = []func(tx *db.Tx) error{func(tx *db.Tx) error { _, err := Confirm(tx, audit.Actor{}, token(next)); return err }}
		for range 63 {
			fs = append(fs, func(tx *db.Tx) error {
				_, _, err := Undo(tx, audit.Actor{}, undo)
				if err == nil {
					undone.Add(1)
				}
				return err
			})
		}
		w.race(fs...)
		if undone.Load() != 1 {
			t.Errorf("undone %d times", undone.Load())
		}
		if w.opens("anna@old.example") != w.anna.Account || w.opens("third@new.example") != "" || w.opens("second@new.example") != "" {
			t.Error("the old address does not have the account")
		}
	})
}

// Every mail in both languages; those about security end with the way to
// secure the account (ux.md 2.5).
func TestMails(t *testing.T) {
	if _, err := i18n.Load(Phrases); err != nil {
		t.Fatal(err)
	}
	now := db.At(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC))
	m := message{Token: "TOKEN", Code: "123456", Spaced: "123 456", Address: "anna@beispiel.example", Main: true, At: now, Until: now, Disavow: "DISAVOW"}
	for _, name := range []string{"address_confirm", "address_taken", "address_added", "address_removed", "address_changing", "address_changed", "address_taken_back", "address_undone"} {
		for lang, notYou := range map[string]string{"de": "Das waren nicht Sie?", "en": "This was not you?"} {
			got, err := texts.Fill(mail.Person{Address: "a@b.example", Lang: lang}, name, m)
			if err != nil || got.Subject == "" || len([]rune(got.Subject)) > 60 || !strings.Contains(got.Body, notYou) {
				t.Errorf("%s.%s: %v %+v", name, lang, err, got)
			}
			if secures := strings.HasSuffix(strings.TrimSpace(got.Body), "/report-activity/DISAVOW"); secures == slices.Contains([]string{"address_confirm", "address_taken", "address_taken_back"}, name) {
				t.Errorf("%s.%s: secures %v", name, lang, secures)
			}
		}
	}
}
