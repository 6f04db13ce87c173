package review_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/i18n"
	"zunft/internal/training/book"
	"zunft/internal/training/person"
	"zunft/internal/training/person/persontest"
	"zunft/internal/training/review"
	"zunft/internal/training/schema"
)

var (
	bg   = context.Background()
	now  = time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC) // Wednesday of week 47
	week = book.Week{Year: 2026, Number: 47}
)

// comes signs somebody in and returns who acts.
func comes(t *testing.T, d *db.DB, sub, company string, roles ...string) audit.Actor {
	t.Helper()
	d.Now = func() time.Time { return now }
	c := person.Claims{
		Roles: roles, Person: person.Person{Sub: sub, Name: strings.ToUpper(sub[:1]) + sub[1:], Email: sub + "@beispiel.example", Language: "de"},
		Company: person.Company{ID: company, Name: company},
	}
	return persontest.Comes(t, d, c)
}

// do runs a command and returns what it said.
func do(d *db.DB, f func(tx *db.Tx) (book.Report, error)) (r book.Report, err error) {
	err = d.Write(bg, func(tx *db.Tx) error { r, err = f(tx); return err })
	return r, err
}

func must(t *testing.T, d *db.DB, f func(tx *db.Tx) (book.Report, error)) book.Report {
	t.Helper()
	r, err := do(d, f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func submitted(t *testing.T, d *db.DB, anna audit.Actor) book.Report {
	t.Helper()
	r := must(t, d, func(tx *db.Tx) (book.Report, error) {
		return book.Save(tx, anna, week, 0, book.Text{Work: "Brötchen"})
	})
	return must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Submit(tx, anna, week, r.Version) })
}

// later lets time pass and does what is due then.
func later(t *testing.T, d *db.DB, after time.Duration) {
	t.Helper()
	then := d.Now().Add(after)
	d.Now = func() time.Time { return then }
	if err := review.Settle(bg, d); err != nil {
		t.Fatal(err)
	}
}

// together runs f 64 times at once and counts successes.
func together(f func(i int) error) (won int) {
	var ready, done sync.WaitGroup
	var mu sync.Mutex
	gate := make(chan struct{})
	for i := range 64 {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-gate
			if f(i) == nil {
				mu.Lock()
				won++
				mu.Unlock()
			}
		})
	}
	ready.Wait()
	close(gate)
	done.Wait()
	return won
}

// Two trainers sign off and return at once: one decision, one mail, one record.
func TestOneDecision_R227(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna := comes(t, d, "anna", "korn", "apprentice")
		bert, petra := comes(t, d, "bert", "korn", "trainer"), comes(t, d, "petra", "korn", "supervisor")
		r := submitted(t, d, anna)
		mails := dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`)
		won := together(func(i int) error {
			_, err := do(d, func(tx *db.Tx) (book.Report, error) {
				switch i % 4 {
				case 0:
					return review.SignOff(tx, bert, r.ID, r.Version, "")
				case 1:
					return review.Return(tx, petra, r.ID, r.Version, "Bitte genauer")
				case 2:
					return review.SignOff(tx, petra, r.ID, r.Version, "")
				}
				return book.TakeBack(tx, anna, week)
			})
			if err != nil && !fault.Is(err, fault.KindConflict) {
				t.Errorf("%d: %v", i, err)
			}
			return err
		})
		decisions := dbtest.Count(t, d, `SELECT count(*) FROM report_event WHERE event IN ('signed_off', 'returned', 'taken_back')`)
		records := dbtest.Count(t, d, `SELECT count(*) FROM audit WHERE event IN ('report.signed_off', 'report.returned', 'report.taken_back')`)
		if won < 1 || decisions != 1 || records != 1 {
			t.Errorf("%d successes, %d decisions, %d records; wanted one decision", won, decisions, records)
		}
		taken := dbtest.Count(t, d, `SELECT count(*) FROM report_event WHERE event = 'taken_back'`)
		later(t, d, review.UndoFor)
		if told := dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`) - mails; told != 1-taken {
			t.Errorf("%d mails about %d decisions", told, 1-taken)
		}
	})
}

// R325, R333: who may decide, and on whose reports.
func TestWhoMayDecide_R325(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna := comes(t, d, "anna", "korn", "apprentice", "trainer") // both, and still not her own
		r := submitted(t, d, anna)
		for name, c := range map[string]struct {
			by   audit.Actor
			kind fault.Kind
		}{
			"own report":      {anna, fault.KindForbidden},
			"other company":   {comes(t, d, "rita", "stahl", "trainer"), fault.KindNotFound},
			"apprentice":      {comes(t, d, "emil", "korn", "apprentice"), fault.KindNotFound},
			"training admin":  {comes(t, d, "vera", "korn", "training_admin"), fault.KindForbidden},
			"nobody":          {audit.Actor{}, fault.KindForbidden},
			"foreign session": {audit.Actor{Account: "bert", Session: anna.Session}, fault.KindForbidden},
		} {
			for verb, f := range map[string]func(tx *db.Tx) (book.Report, error){
				"sign off": func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, c.by, r.ID, r.Version, "") },
				"return":   func(tx *db.Tx) (book.Report, error) { return review.Return(tx, c.by, r.ID, r.Version, "x") },
				"reopen":   func(tx *db.Tx) (book.Report, error) { return review.Reopen(tx, c.by, r.ID, r.Version, "x") },
			} {
				if _, err := do(d, f); !fault.Is(err, c.kind) {
					t.Errorf("%s, %s: %v", name, verb, err)
				}
			}
		}
		petra := comes(t, d, "petra", "korn", "supervisor")
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, petra, r.ID, r.Version, "") })
		if _, err := do(d, func(tx *db.Tx) (book.Report, error) { return review.Reopen(tx, petra, r.ID, r.Version, "x") }); !fault.Is(err, fault.KindForbidden) {
			t.Errorf("supervisors do not reopen: %v", err)
		}
		// A role that a newer token no longer gives is gone at once, also in an older session.
		bert := comes(t, d, "bert", "korn", "trainer")
		comes(t, d, "bert", "korn", "training_admin")
		if _, err := do(d, func(tx *db.Tx) (book.Report, error) { return review.Reopen(tx, bert, r.ID, r.Version, "x") }); !fault.Is(err, fault.KindForbidden) {
			t.Errorf("a lost role still works: %v", err)
		}
	})
}

// The trainer decides on what they have read: a version that changed
// meanwhile conflicts and says so.
func TestDecisionIsOnWhatWasRead_R334_L15(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, bert := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "bert", "korn", "trainer")
		read := submitted(t, d, anna)
		back := must(t, d, func(tx *db.Tx) (book.Report, error) { return book.TakeBack(tx, anna, week) })
		signOff := func(version int) string {
			_, err := do(d, func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, bert, read.ID, version, "") })
			if !fault.Is(err, fault.KindConflict) {
				t.Fatalf("wanted a conflict, got %v", err)
			}
			return fault.Of(err).Key()
		}
		if key := signOff(read.Version); key != "review.was_taken_back" {
			t.Error(key)
		}
		r := must(t, d, func(tx *db.Tx) (book.Report, error) {
			return book.Save(tx, anna, week, back.Version, book.Text{Work: "Ganz anders"})
		})
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Submit(tx, anna, week, r.Version) })
		if key := signOff(read.Version); key != "review.was_changed" {
			t.Error(key)
		}
		must(t, d, func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, bert, r.ID, r.Version, "") })
		if key := signOff(r.Version); key != "review.was_signed_off" {
			t.Error(key)
		}
		for name, f := range map[string]func(tx *db.Tx) (book.Report, error){
			"save": func(tx *db.Tx) (book.Report, error) {
				return book.Save(tx, anna, week, r.Version+1, book.Text{Work: "doch"})
			},
			"submit":    func(tx *db.Tx) (book.Report, error) { return book.Submit(tx, anna, week, r.Version+1) },
			"take back": func(tx *db.Tx) (book.Report, error) { return book.TakeBack(tx, anna, week) },
		} {
			if _, err := do(d, f); !fault.Is(err, fault.KindConflict) { // R334
				t.Errorf("%s after sign-off: %v", name, err)
			}
		}
		// L16: the digest of what was signed off is kept, and is that of what was submitted.
		if n := dbtest.Count(t, d, `SELECT count(*) FROM report_event a JOIN report_event b ON a.digest = b.digest
			WHERE a.event = 'signed_off' AND b.event = 'submitted' AND a.digest <> ''`); n != 1 {
			t.Errorf("%d submissions have the digest of what was signed off, wanted 1", n)
		}
	})
}

// R229, R330–R332: the dialog, mails about decisions, reasons.
func TestDialogAndReasons_R229_R330_R331_R332(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, bert := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "bert", "korn", "trainer")
		emil, rita := comes(t, d, "emil", "korn", "apprentice"), comes(t, d, "rita", "stahl", "trainer")
		r := submitted(t, d, anna)
		say := func(by audit.Actor, text string) error {
			return d.Write(bg, func(tx *db.Tx) error { return review.Comment(tx, by, r.ID, text) })
		}
		for range 2 { // pressed twice, said once
			for _, by := range []audit.Actor{anna, bert} {
				if err := say(by, "Wie viele Brötchen?"); err != nil {
					t.Error(err)
				}
			}
		}
		for text, kind := range map[string]fault.Kind{"": fault.KindInvalid, strings.Repeat("x", 2001): fault.KindInvalid} {
			if err := say(bert, text); !fault.Is(err, kind) {
				t.Error(err)
			}
		}
		for _, by := range []audit.Actor{emil, rita} {
			if err := say(by, "Hallo"); !fault.Is(err, fault.KindNotFound) {
				t.Errorf("%s: %v", by.Account, err)
			}
		}
		if err := say(comes(t, d, "vera", "korn", "training_admin"), "Hallo"); !fault.Is(err, fault.KindForbidden) {
			t.Errorf("who reads only: %v", err)
		}
		if n := dbtest.Count(t, d, `SELECT count(*) FROM report_event WHERE event = 'comment'`); n != 2 {
			t.Errorf("%d comments", n)
		}
		for reason, key := range map[string]string{"": "review.reason_missing", strings.Repeat("ß", 501): "review.reason_long"} {
			_, err := do(d, func(tx *db.Tx) (book.Report, error) { return review.Return(tx, bert, r.ID, r.Version, reason) })
			if f := fault.Of(err); f == nil || f.Key() != key || f.Problems[0].Field != "reason" {
				t.Errorf("%.10q: %v", reason, err)
			}
		}
		mails := dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`)
		r = must(t, d, func(tx *db.Tx) (book.Report, error) {
			return review.Return(tx, bert, r.ID, r.Version, strings.Repeat("ß", 500))
		})
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Submit(tx, anna, week, r.Version) })        // again, M20
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, bert, r.ID, r.Version, "") }) // no remark needed
		later(t, d, review.UndoFor)
		if told := dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`) - mails; told != 3 {
			t.Errorf("%d mails, wanted returned, submitted, signed off", told)
		}
		if r.Answer != "" || r.DecidedBy != "bert" || r.DecidedAt.IsZero() {
			t.Errorf("signed off: %+v", r)
		}
		err := d.Read(bg, func(tx *db.Tx) error {
			history, err := book.History(tx, r)
			var kinds []string
			for _, e := range history {
				kinds = append(kinds, e.Kind)
			}
			if got := strings.Join(kinds, " "); got != "signed_off submitted returned comment comment submitted" {
				t.Errorf("history is %s", got)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// M21: subjects and texts in both languages, short subjects.
func TestMails_M21(t *testing.T) {
	data := map[string]any{"Name": "Bert", "Trainer": "Bert Meister", "Apprentice": "Anna Muster", "Writer": "Anna Muster", "Week": "47", "Dates": week.Dates(), "ID": "7", "Path": "2026-W47", "Text": "Bitte Mengen"}
	for name, subject := range map[string]string{"report_returned": "Woche 47 wurde zurückgegeben", "report_signed_off": "Woche 47 ist abgezeichnet"} {
		for _, lang := range i18n.Languages() {
			s, body := review.Mail(t, name, lang, data)
			if len([]rune(s)) > 60 || lang == "de" && s != subject {
				t.Errorf("subject %q", s)
			}
			if !strings.Contains(body, "47") || !strings.Contains(body, "Bitte Mengen") {
				t.Errorf("%s.%s: %s", name, lang, body)
			}
		}
	}
}
