package dossier

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
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
	"zunft/internal/identity/link"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
)

// Every table that refers to accounts is collected, or left out for a reason.
func TestEveryTableIsCollected(t *testing.T) {
	left := map[string]string{
		"factor_code":         "codes that live ten minutes",
		"passkey_ceremony":    "a question that lives five minutes",
		"parked_form":         "what its owner typed and will send; a day, sealed, in one browser",
		"dossier":             "this",
		"chamber_person":      "made of the account and its memberships, for the search of clerks",
		"chamber_person_word": "the same",
	}
	d := dbtest.Open(t, "sqlite", schema.Files)
	var refer []string
	err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
		refer, err = db.Values[string](tx, `SELECT DISTINCT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name IN ('account', 'applicant', 'registered_by')`)
		return err
	})
	if err != nil || len(refer) < 20 {
		t.Fatal(refer, err)
	}
	for _, table := range refer {
		found := false
		for _, s := range sources {
			found = found || strings.HasPrefix(s.from+" ", table+" ")
		}
		if found == (left[table] != "") {
			t.Errorf("%s is neither collected nor left out for a reason, or both", table)
		}
	}
}

// Everything about one person, nothing of another, and no secret; the same on
// both engines.
func TestCollect(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { return now }
		var mails []mail.Message
		jobs := &job.Runner{DB: d}
		Work(jobs, d)
		jobs.On(mail.Kind, func(_ context.Context, body []byte) error {
			var sealed struct{ ID, Mail string }
			if err := json.Unmarshal(body, &sealed); err != nil {
				return err
			}
			plain, err := d.Keys.Open("mail/"+sealed.ID, sealed.Mail)
			if err != nil {
				return err
			}
			var m mail.Message
			err = json.Unmarshal(plain, &m)
			mails = append(mails, m)
			return err
		})
		write := func(f func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Write(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		person := func(name string) audit.Actor {
			var a account.Account
			write(func(tx *db.Tx) (err error) {
				a, err = account.Create(tx, audit.Console, account.New{GivenName: "Anna", FamilyName: "Amsel", Username: name, Email: name + "@example.org", Password: "GEHEIM", Language: "de", Confirmed: true})
				return err
			})
			return audit.Actor{Kind: audit.Person, Account: a.ID, IP: "192.0.2.1", Agent: "Firefox"}
		}
		anna, bert := person("anna"), person("bert")
		var token, open string
		write(func(tx *db.Tx) (err error) {
			if token, _, err = session.Start(tx, anna, anna.Account, "pwd"); err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO notice_choice (account, topic, mail) VALUES ($1, 'requests', FALSE), ($2, 'answers', TRUE)`, anna.Account, bert.Account); err != nil {
				return err
			}
			open, _, err = link.Issue(tx, anna.Account, link.Keep, "", "", time.Hour)
			return err
		})
		// Asked many times at once, it is put together once.
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				if err := d.Write(t.Context(), func(tx *db.Tx) error { return Ask(tx, anna) }); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if err := jobs.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(mails) != 1 || mails[0].To != "anna@example.org" || !strings.Contains(mails[0].Body, "/account/data\n") || !strings.Contains(mails[0].Body, "/report-activity/") {
			t.Fatal(mails)
		}
		var all []Dossier
		write(func(tx *db.Tx) (err error) { all, err = List(tx, anna.Account); return err })
		if len(all) != 1 || all[0].State != Ready {
			t.Fatal(all)
		}
		// It lies there sealed.
		var body string
		write(func(tx *db.Tx) (err error) { body, err = db.Value[string](tx, `SELECT body FROM dossier`); return err })
		if strings.Contains(body, "anna") {
			t.Error("readable in the database")
		}
		if err := d.Write(t.Context(), func(tx *db.Tx) error { _, _, err := Open(tx, bert, all[0].ID); return err }); !fault.Is(err, fault.KindNotFound) {
			t.Error("somebody else's", err)
		}
		var got Dossier
		var sections []Section
		write(func(tx *db.Tx) (err error) { got, sections, err = Open(tx, anna, all[0].ID); return err })
		file, err := JSON(got, sections)
		if err != nil {
			t.Fatal(err)
		}
		var read struct {
			Account string
			Data    map[string][]map[string]string
		}
		if err := json.Unmarshal(file, &read); err != nil || read.Account != anna.Account || len(read.Data) != len(sources) {
			t.Fatal(err, string(file))
		}
		me := read.Data["account"][0]
		if me["email"] != "anna@example.org" || me["created_at"] != "2026-11-02T08:00:00Z" || me["given_name"] != "Anna" {
			t.Error(me)
		}
		if c := read.Data["notice_choices"]; len(c) != 1 || c[0]["mail"] != "false" || c[0]["topic"] != "requests" {
			t.Error(c)
		}
		if s := read.Data["sessions"]; len(s) != 1 || s[0]["ip"] != "192.0.2.1" || s[0]["ended_at"] != "" {
			t.Error(s)
		}
		for _, never := range []string{"GEHEIM", token, open, bert.Account, "bert"} {
			if strings.Contains(string(file), never) {
				t.Errorf("the file holds %s", never)
			}
		}
		// A week later it is gone.
		now = now.Add(kept)
		write(func(tx *db.Tx) error { _, err := sweep(tx, 10); return err })
		write(func(tx *db.Tx) error {
			n, err := db.Value[int](tx, `SELECT count(*) FROM dossier`)
			if n != 0 {
				t.Error("kept")
			}
			return err
		})
		// Three times at once, then there is a wait.
		now = now.Add(24 * time.Hour)
		limited := false
		for range 5 {
			err := d.Write(t.Context(), func(tx *db.Tx) error { return Ask(tx, anna) })
			limited = limited || fault.Is(err, fault.KindLimited)
			if err := jobs.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if !limited {
			t.Error("no limit")
		}
	})
}

func TestMails(t *testing.T) {
	for _, lang := range []string{"de", "en"} {
		m, err := texts.Fill(mail.Person{Name: "Anna", Address: "anna@example.org", Lang: lang}, "ready", letter{"Anna", db.At(time.Now()), "TOKEN"})
		if err != nil || m.Lang != lang || utf8.RuneCountInString(m.Subject) > 60 {
			t.Errorf("%s: %q %v", lang, m.Subject, err)
		}
	}
}
