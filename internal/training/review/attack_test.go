package review_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/training/book"
	"zunft/internal/training/person"
	"zunft/internal/training/review"
	"zunft/internal/training/schema"
	"zunft/internal/training/supervisor"
)

// byPIN is who came with the PIN of an address, as an actor.
func byPIN(t *testing.T, d *db.DB, email string) (by audit.Actor) {
	t.Helper()
	err := d.Write(bg, func(tx *db.Tx) error {
		sub, err := db.Value[string](tx, `SELECT person FROM supervisor WHERE email_key = $1`, email)
		if err != nil {
			return err
		}
		id := db.NewID()
		by = audit.Actor{Kind: audit.Person, Account: sub, Session: id}
		_, err = tx.Exec(`INSERT INTO supervisor_session (id, token_hash, person, created_at, seen_at, ends_at) VALUES ($1, $2, $3, $4, $4, $5)`, id, id, sub, tx.Now(), tx.Now().Add(time.Hour))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return by
}

// R321: that a book was kept on paper for months is said by the trainer, never
// by an address that the apprentice typed.
func TestPaperTimeIsTheTrainersWord_R321(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna := comes(t, d, "anna", "korn", "apprentice")
		r := must(t, d, func(tx *db.Tx) (book.Report, error) {
			return book.SavePaper(tx, anna, "", 0, "2025-08-01", "2026-07-31", book.Text{Work: "Auf Papier."})
		})
		comes(t, d, "petra", "korn", "supervisor")
		bert := comes(t, d, "bert", "korn", "trainer")
		for _, to := range []string{"chef@zweitpostfach.example", "petra@beispiel.example"} {
			if _, err := do(d, func(tx *db.Tx) (book.Report, error) { return book.SubmitPaper(tx, anna, r.Version, to) }); key(err) != "book.approver_paper" {
				t.Errorf("sent to %s: %v", to, err)
			}
		}
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return book.SubmitPaper(tx, anna, r.Version, "") })
		petra := comes(t, d, "petra", "korn", "supervisor")
		if len(queue(t, d, petra)) != 0 || len(queue(t, d, bert)) != 1 {
			t.Error("sent to nobody else, it waits for trainers alone")
		}
		// Also one that was on its way to a PIN when the rule came.
		week47(t, d, comes(t, d, "emil", "korn", "apprentice"), "chef@zweitpostfach.example")
		dbtest.Exec(t, d, `UPDATE report SET approver = (SELECT person FROM supervisor) WHERE id = $1`, r.ID)
		pin := byPIN(t, d, "chef@zweitpostfach.example")
		if n := len(queue(t, d, petra)); n != 0 {
			t.Errorf("%d wait for the supervisor", n)
		}
		for _, by := range []audit.Actor{petra, pin} {
			if _, err := do(d, func(tx *db.Tx) (book.Report, error) { return review.ConfirmPaper(tx, by, r.ID, r.Version, "") }); key(err) != "review.paper_trainer" {
				t.Errorf("%s: %v", by.Account, err)
			}
		}
		must(t, d, func(tx *db.Tx) (book.Report, error) { return review.ConfirmPaper(tx, bert, r.ID, r.Version, "") })
	})
}

// Four eyes: who checked with a PIN is the same person with the account.
func TestFourEyesOfOnePerson(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna := comes(t, d, "anna", "korn", "apprentice")
		r := week47(t, d, anna, "bert@beispiel.example")
		twoSteps(t, d, "korn")
		known(t, d, "korn", "bert@beispiel.example")
		pin := byPIN(t, d, "bert@beispiel.example")
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, pin, r.ID, r.Version, "") })
		if r.State != book.Checked {
			t.Fatal(r.State)
		}
		bert := comes(t, d, "bert", "korn", "trainer")
		if err := d.Write(bg, func(tx *db.Tx) error {
			return supervisor.Upgrade(tx, bert, person.Person{Sub: "bert", Email: "bert@beispiel.example"})
		}); err != nil {
			t.Fatal(err)
		}
		if len(queue(t, d, bert)) != 0 {
			t.Error("it waits for him again")
		}
		if _, err := do(d, func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, bert, r.ID, r.Version, "") }); !fault.Is(err, fault.KindConflict) {
			t.Errorf("signed alone: %v", err)
		}
	})
}

// § 14 (2) BBiG: apprentices do not read their own reports as somebody else: not
// by a label in their address, and not with the PIN of an address that is theirs.
func TestOwnSecondMailbox(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna := comes(t, d, "anna", "korn", "apprentice")
		r := must(t, d, func(tx *db.Tx) (book.Report, error) {
			return book.Save(tx, anna, week, 0, book.Text{Work: "Brötchen"})
		})
		submit := func(to string) (book.Report, error) {
			return do(d, func(tx *db.Tx) (book.Report, error) { return book.SubmitTo(tx, anna, week, r.Version, to) })
		}
		for _, own := range []string{"anna@beispiel.example", "anna+chef@beispiel.example", "Anna+x+y@Beispiel.example"} {
			if _, err := submit(own); key(err) != "book.approver_self" {
				t.Errorf("%s: %v", own, err)
			}
		}
		r, err := submit("anna@zweitpostfach.example") // nobody can know that
		if err != nil {
			t.Fatal(err)
		}
		known(t, d, "korn", "anna@zweitpostfach.example") // by mistake
		pin := byPIN(t, d, "anna@zweitpostfach.example")
		if err := d.Write(bg, func(tx *db.Tx) error { // until it is the address of her account
			return supervisor.Upgrade(tx, anna, person.Person{Sub: "anna", Email: "anna@zweitpostfach.example"})
		}); err != nil {
			t.Fatal(err)
		}
		for verb, f := range map[string]func(tx *db.Tx) (book.Report, error){
			"signs":   func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, pin, r.ID, r.Version, "") },
			"returns": func(tx *db.Tx) (book.Report, error) { return review.Return(tx, pin, r.ID, r.Version, "x") },
		} {
			if _, err := do(d, f); !fault.Is(err, fault.KindForbidden) {
				t.Errorf("%s her own: %v", verb, err)
			}
		}
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return book.TakeBack(tx, anna, week) })
		if _, err := submit("anna@zweitpostfach.example"); key(err) != "book.approver_self" {
			t.Errorf("sent to her own PIN: %v", err)
		}
	})
}

// § 14 (2) BBiG: who answers for the apprentice hears of every address without an
// account to which reports go, once; so a second mailbox does not stay unseen.
func TestTrainersHearOfNewAddresses(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, bert := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "bert", "korn", "trainer")
		comes(t, d, "vera", "korn", "training_admin")
		mails := func() int { return dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`) }
		r := week47(t, d, anna, "petra@muehle.example")
		if n := mails(); n != 2 { // to Petra, and to Bert
			t.Errorf("%d mails", n)
		}
		if err := d.Read(bg, func(tx *db.Tx) error { _, err := review.For(tx, bert, r.ID); return err }); err != nil {
			t.Errorf("the trainer cannot look: %v", err)
		}
		must(t, d, func(tx *db.Tx) (book.Report, error) { return review.Return(tx, bert, r.ID, r.Version, "Wer ist das?") })
		before := mails()
		must(t, d, func(tx *db.Tx) (book.Report, error) {
			return book.SubmitTo(tx, anna, week, r.Version+1, "petra@muehle.example")
		})
		if n := mails() - before; n != 1 {
			t.Errorf("the same address again: %d mails", n)
		}
	})
}

// Nobody's mailbox is filled by taking back and submitting all evening, nor by
// comments; the report waits all the same.
func TestNoMailCannon(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, bert := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "bert", "korn", "trainer")
		mails := func() int { return dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`) }
		r := week47(t, d, anna, "")
		for range 20 {
			r = must(t, d, func(tx *db.Tx) (book.Report, error) { return book.TakeBack(tx, anna, week) })
			r = must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Submit(tx, anna, week, r.Version) })
		}
		if n := mails(); n > 3 {
			t.Errorf("one report: %d mails to the trainer", n)
		}
		if len(queue(t, d, bert)) != 1 {
			t.Error("it does not wait")
		}
		for i := range 90 {
			w := book.Week{Year: 2026, Number: 46}.Add(-i)
			s := must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Save(tx, anna, w, 0, book.Text{Work: "Brötchen"}) })
			must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Submit(tx, anna, w, s.Version) })
		}
		if n := mails(); n > 60 {
			t.Errorf("one evening: %d mails to the trainer", n)
		}
		written := 0
		for i := range 60 {
			if err := d.Write(bg, func(tx *db.Tx) error { return review.Comment(tx, anna, r.ID, fmt.Sprint("Hallo ", i)) }); err == nil {
				written++
			} else if !fault.Is(err, fault.KindLimited) {
				t.Fatal(err)
			}
		}
		if written != 30 {
			t.Errorf("%d comments at once", written)
		}
	})
}

// A stranger who asks for a new PIN of somebody's address does not end what
// they are doing; its owner does, with the new one.
func TestStrangersEndNoPINSession(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna := comes(t, d, "anna", "korn", "apprentice")
		r := week47(t, d, anna, "petra@muehle.example")
		pin := byPIN(t, d, "petra@muehle.example")
		moment := now.Add(time.Minute)
		d.Now = func() time.Time { return moment }
		if err := d.Write(bg, func(tx *db.Tx) error {
			return supervisor.NewPIN(tx, audit.Actor{IP: "192.0.2.66"}, "petra@muehle.example")
		}); err != nil {
			t.Fatal(err)
		}
		if err := d.Read(bg, func(tx *db.Tx) error { _, err := review.For(tx, pin, r.ID); return err }); err != nil {
			t.Errorf("a stranger has ended it: %v", err)
		}
	})
}

// R325, R333: a trainer who is none any more shuts nobody out.
func TestTrainerWhoLeft_R333(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, _ := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "bert", "korn", "trainer")
		berta := comes(t, d, "berta", "korn", "trainer")
		r := week47(t, d, anna, "")
		assigned(t, d, "anna", "bert", "trainer", "2026-08-01", "")
		comes(t, d, "bert", "korn", "apprentice") // his role was taken away
		if n := len(queue(t, d, berta)); n != 1 {
			t.Errorf("the other trainer sees %d", n)
		}
		if err := d.Read(bg, func(tx *db.Tx) error { _, err := review.For(tx, berta, r.ID); return err }); err != nil {
			t.Error(err)
		}
	})
}

// Two steps: a supervisor who is none any more keeps no report waiting.
func TestSupervisorWhoLeft(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna := comes(t, d, "anna", "korn", "apprentice")
		comes(t, d, "petra", "korn", "supervisor")
		bert := comes(t, d, "bert", "korn", "trainer")
		r := week47(t, d, anna, "")
		twoSteps(t, d, "korn")
		assigned(t, d, "anna", "petra", "supervisor", "2026-08-01", "")
		if n := len(queue(t, d, bert)); n != 0 {
			t.Errorf("before the first step: %d", n)
		}
		comes(t, d, "petra", "korn", "training_admin")
		if n := len(queue(t, d, bert)); n != 1 {
			t.Errorf("nobody can do the first step: %d", n)
		}
		must(t, d, func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, bert, r.ID, r.Version, "") })
	})
}

// Art. 5 (1) e GDPR: whoever left a company and never comes back does not read
// for ever who submits there; its training admins hear of it instead.
func TestWhoLeftIsNotToldForEver(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		comes(t, d, "bert", "korn", "trainer")
		late := now.Add(200 * 24 * time.Hour)
		anna, _ := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "vera", "korn", "training_admin")
		d.Now = func() time.Time { return late }
		dbtest.Exec(t, d, `UPDATE session SET ends_at = $1`, db.At(late.Add(time.Hour)))
		dbtest.Exec(t, d, `UPDATE person SET seen_at = $1 WHERE sub <> 'bert'`, db.At(late))
		for n, seen := range map[string]time.Time{"vera": now, "bert": late} {
			dbtest.Exec(t, d, `UPDATE person SET seen_at = $1 WHERE sub = 'bert'`, db.At(seen))
			w := book.Week{Year: 2027, Number: 10}
			if n == "bert" {
				w.Number = 11
			}
			r := must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Save(tx, anna, w, 0, book.Text{Work: "x"}) })
			must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Submit(tx, anna, w, r.Version) })
			if to := addressee(t, d); to != n+"@beispiel.example" {
				t.Errorf("told %s, wanted %s", to, n)
			}
		}
	})
}

// addressee is to whom the newest mail goes.
func addressee(t *testing.T, d *db.DB) (to string) {
	t.Helper()
	if err := d.Read(bg, func(tx *db.Tx) error {
		body, err := db.Value[string](tx, `SELECT body FROM job WHERE kind = 'mail' ORDER BY id DESC LIMIT 1`)
		if err != nil {
			return err
		}
		var sealed struct{ ID, Mail string }
		if err := json.Unmarshal([]byte(body), &sealed); err != nil {
			return err
		}
		plain, err := d.Keys.Open("mail/"+sealed.ID, sealed.Mail)
		if err != nil {
			return err
		}
		var m struct{ To string }
		err = json.Unmarshal(plain, &m)
		to = m.To
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return to
}
