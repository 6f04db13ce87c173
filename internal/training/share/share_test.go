package share_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/training/book"
	"zunft/internal/training/person"
	"zunft/internal/training/person/persontest"
	"zunft/internal/training/schema"
	"zunft/internal/training/share"
)

var (
	bg    = context.Background()
	start = time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)
)

// comes signs somebody in and returns who acts.
func comes(t *testing.T, d *db.DB, sub, company string, roles ...string) audit.Actor {
	t.Helper()
	c := person.Claims{
		Roles: roles, Person: person.Person{Sub: sub, Name: strings.ToUpper(sub[:1]) + sub[1:], GivenName: strings.ToUpper(sub[:1]) + sub[1:], FamilyName: "Öztürk-Meier", Email: sub + "@beispiel.example", Language: "de"},
		Company: person.Company{ID: company, Name: company, ChamberNumber: "999"},
	}
	return persontest.Comes(t, d, c)
}

// subjects of the mails that wait.
func subjects(t *testing.T, d *db.DB) (all []string) {
	t.Helper()
	err := d.Read(bg, func(tx *db.Tx) error {
		bodies, err := db.Values[string](tx, `SELECT body FROM job WHERE kind = 'mail' ORDER BY id`)
		for _, b := range bodies {
			var sealed struct{ ID, Mail string }
			if err := json.Unmarshal([]byte(b), &sealed); err != nil {
				return err
			}
			open, err := d.Keys.Open("mail/"+sealed.ID, sealed.Mail)
			if err != nil {
				return err
			}
			var m mail.Message
			if err := json.Unmarshal(open, &m); err != nil {
				return err
			}
			all = append(all, m.Subject)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// scene: Lena learns at Korn, in the district of chamber 999; Clara works for
// it, Kai for another.
type scene struct {
	t                *testing.T
	d                *db.DB
	lena, clara, kai audit.Actor
	learns           string
	now              time.Time
}

func newScene(t *testing.T, d *db.DB) *scene {
	s := &scene{t: t, d: d, now: start, learns: db.NewID()}
	d.Now = func() time.Time { return s.now }
	dbtest.Write(t, d, func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO chamber_office (company, chamber_number, added_at) VALUES ('office', '999', $1), ('far', '111', $1)`, tx.Now())
		return err
	})
	s.lena, s.clara, s.kai = comes(t, d, "lena", "korn", "apprentice"), comes(t, d, "clara", "office", "chamber_clerk"), comes(t, d, "kai", "far", "chamber_clerk")
	dbtest.Write(t, d, func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO apprenticeship (id, person, company, chamber_number, number, given_name, family_name, starts_on, source, created_at, changed_at)
			VALUES ($1, 'lena', 'korn', '999', 'A-77', 'Lena Marie', 'Öztürk-Meier', '2026-08-01', 'registry', $2, $2)`, s.learns, tx.Now())
		return err
	})
	return s
}

func (s *scene) do(f func(tx *db.Tx) (share.Share, error)) (sh share.Share, err error) {
	s.t.Helper()
	err = s.d.Write(bg, func(tx *db.Tx) error { sh, err = f(tx); return err })
	return sh, err
}

func (s *scene) must(f func(tx *db.Tx) (share.Share, error)) share.Share {
	s.t.Helper()
	sh, err := s.do(f)
	if err != nil {
		s.t.Fatal(err)
	}
	return sh
}

func (s *scene) look(by audit.Actor, id, week string) error {
	_, err := s.do(func(tx *db.Tx) (share.Share, error) { return share.Look(tx, by, id, week) })
	return err
}

func wants(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("%s: %v", what, err)
	}
}

// R236, S29 (Zugriffsverwaltung): the apprentice lets the chamber look for some
// days; who looked at what, when, is theirs to read; the look ends by date or by word.
func TestALookForATime(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		s := newScene(t, d)
		_, err := s.do(func(tx *db.Tx) (share.Share, error) { return share.Grant(tx, s.lena, 365) })
		wants(t, "a year", err, fault.KindInvalid)
		_, err = s.do(func(tx *db.Tx) (share.Share, error) { return share.Grant(tx, s.clara, 14) })
		wants(t, "a clerk grants", err, fault.KindForbidden)

		sh := s.must(func(tx *db.Tx) (share.Share, error) { return share.Grant(tx, s.lena, 14) })
		wants(t, "another chamber looks", s.look(s.kai, sh.ID, ""), fault.KindNotFound)
		wants(t, "the apprentice is no chamber", s.look(s.lena, sh.ID, ""), fault.KindForbidden)
		for _, week := range []string{"", "2026-W46"} {
			if err := s.look(s.clara, sh.ID, week); err != nil {
				t.Fatal(err)
			}
		}
		err = d.Read(bg, func(tx *db.Tx) error {
			seen, err := share.Seens(tx, s.lena)
			if len(seen) != 2 || seen[0].Week != "2026-W46" || seen[0].Name != "Clara" {
				t.Errorf("Lena reads %+v", seen)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		longer := s.must(func(tx *db.Tx) (share.Share, error) { return share.Grant(tx, s.lena, 30) })
		if longer.ID != sh.ID || !longer.UntilAt.After(sh.UntilAt) {
			t.Errorf("granted again: %+v", longer)
		}
		s.now = start.Add(30 * 24 * time.Hour)
		s.lena, s.clara, s.kai = comes(t, d, "lena", "korn", "apprentice"), comes(t, d, "clara", "office", "chamber_clerk"), comes(t, d, "kai", "far", "chamber_clerk")
		wants(t, "after its time", s.look(s.clara, sh.ID, ""), fault.KindNotFound)
		again := s.must(func(tx *db.Tx) (share.Share, error) { return share.Grant(tx, s.lena, 14) })
		if again.ID == sh.ID {
			t.Error("what was over runs again")
		}
		_, err = s.do(func(tx *db.Tx) (share.Share, error) { return again, share.End(tx, s.kai, again.ID) })
		wants(t, "another chamber ends it", err, fault.KindNotFound)
		s.must(func(tx *db.Tx) (share.Share, error) { return again, share.End(tx, s.lena, again.ID) })
		wants(t, "after the word", s.look(s.clara, again.ID, ""), fault.KindNotFound)
		_, err = s.do(func(tx *db.Tx) (share.Share, error) { return again, share.End(tx, s.lena, again.ID) })
		wants(t, "ended twice", err, fault.KindConflict)

		s.now = start.Add(500 * 24 * time.Hour)
		if err := share.Sweep(bg, d); err != nil {
			t.Fatal(err)
		}
		if n := dbtest.Count(t, d, `SELECT count(*) FROM share`) + dbtest.Count(t, d, `SELECT count(*) FROM share_look`); n != 0 {
			t.Errorf("%d rows are left after a year", n)
		}
	})
}

// The chamber asks, and the answer is the apprentice's; by law it opens itself,
// with a reason, and the apprentice is told (§§ 43, 76 BBiG).
func TestTheChamberAsks(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		s := newScene(t, d)
		ask := func(by audit.Actor, reason string) (share.Share, error) {
			return s.do(func(tx *db.Tx) (share.Share, error) { return share.Ask(tx, by, s.learns, reason) })
		}
		_, err := ask(s.clara, "")
		wants(t, "no reason", err, fault.KindInvalid)
		_, err = ask(s.kai, "Neugier")
		wants(t, "another chamber", err, fault.KindNotFound)
		asked, err := ask(s.clara, "Beratung im Betrieb")
		if err != nil {
			t.Fatal(err)
		}
		_, err = ask(s.clara, "Noch einmal")
		wants(t, "asked twice", err, fault.KindConflict)
		wants(t, "asked is not open", s.look(s.clara, asked.ID, ""), fault.KindNotFound)
		s.must(func(tx *db.Tx) (share.Share, error) { return asked, share.Decline(tx, s.lena, asked.ID) })
		if asked, err = ask(s.clara, "Doch bitte"); err != nil {
			t.Fatal(err)
		}
		sh := s.must(func(tx *db.Tx) (share.Share, error) { return share.Allow(tx, s.lena, asked.ID, 14) })
		_, err = s.do(func(tx *db.Tx) (share.Share, error) { return share.Allow(tx, s.lena, asked.ID, 14) })
		wants(t, "answered twice", err, fault.KindConflict)
		if err := s.look(s.clara, sh.ID, ""); err != nil || sh.Law() {
			t.Error(err, sh)
		}

		law := s.must(func(tx *db.Tx) (share.Share, error) {
			return share.OpenByLaw(tx, s.clara, s.learns, share.Supervision, "Beschwerde vom 16.11.")
		})
		if law.ID != sh.ID || !law.Law() {
			t.Errorf("what runs becomes the law's: %+v", law)
		}
		_, err = s.do(func(tx *db.Tx) (share.Share, error) { return law, share.End(tx, s.lena, law.ID) })
		wants(t, "the apprentice ends what the law opened", err, fault.KindConflict)
		s.must(func(tx *db.Tx) (share.Share, error) { return law, share.End(tx, s.clara, law.ID) })
		for subject, n := range map[string]int{"Ihre Kammer bittet": 2, "Ihre Kammer sieht": 1, "für Sie freigegeben": 1} {
			if got := strings.Count(strings.Join(subjects(t, d), "\n"), subject); got != n {
				t.Errorf("%d mails %q", got, subject)
			}
		}
	})
}

// Of a grant, a decline and the chamber's taking back at once, one wins.
func TestAnswersAtOnce(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		s := newScene(t, d)
		for range 8 {
			asked := s.must(func(tx *db.Tx) (share.Share, error) { return share.Ask(tx, s.clara, s.learns, "Beratung") })
			answers := []func(tx *db.Tx) error{
				func(tx *db.Tx) error { _, err := share.Allow(tx, s.lena, asked.ID, 14); return err },
				func(tx *db.Tx) error { return share.Decline(tx, s.lena, asked.ID) },
				func(tx *db.Tx) error { return share.End(tx, s.clara, asked.ID) },
				func(tx *db.Tx) error { _, err := share.Allow(tx, s.lena, asked.ID, 30); return err },
			}
			won, wg := make(chan int, len(answers)), sync.WaitGroup{}
			for i, f := range answers {
				wg.Go(func() {
					if err := d.Write(bg, f); err == nil {
						won <- i
					} else if !fault.Is(err, fault.KindConflict) {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if len(won) != 1 {
				t.Fatalf("%d answers won", len(won))
			}
			open := dbtest.Count(t, d, `SELECT count(*) FROM share WHERE state = 'open'`)
			if i := <-won; (open == 1) != (i == 0 || i == 3) {
				t.Errorf("answer %d won, %d open", i, open)
			}
			dbtest.Write(t, d, func(tx *db.Tx) error { _, err := tx.Exec(`DELETE FROM share`); return err })
		}
	})
}

// A clerk finds apprentices of their own chamber only, by number or name.
func TestFind(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		s := newScene(t, d)
		found := func(by audit.Actor, text string) (n int) {
			t.Helper()
			if err := d.Read(bg, func(tx *db.Tx) error { all, err := share.Find(tx, by, text); n = len(all); return err }); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for _, text := range []string{"A-77", "Öztürk-Meier", "öztürk-meier", "Lena Marie Öztürk-Meier", " lena  marie öztürk-meier "} {
			if found(s.clara, text) != 1 {
				t.Errorf("%q finds nobody", text)
			}
		}
		for _, text := range []string{"", " ", "A-7", "Lena", "%", "Karl Öztürk-Meier", strings.Repeat("x", 300)} {
			if found(s.clara, text) != 0 {
				t.Errorf("%q finds somebody", text)
			}
		}
		if found(s.kai, "A-77") != 0 {
			t.Error("another chamber finds Lena")
		}
		if err := d.Read(bg, func(tx *db.Tx) error { _, err := share.Find(tx, s.lena, "A-77"); return err }); !fault.Is(err, fault.KindForbidden) {
			t.Error(err)
		}
	})
}

// R236, Art. 5 (1) c GDPR: a look shows what was submitted, of this person and of
// nobody else: no draft, no text of what is being mended, no sign-off that can
// still be taken back; and its log is theirs alone.
func TestWhatALookShows_R236(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		s := newScene(t, d)
		emil := comes(t, d, "emil", "korn", "apprentice")
		writes := func(by audit.Actor, number int, state string) (id string) {
			t.Helper()
			w := book.Week{Year: 2026, Number: number}
			dbtest.Write(t, d, func(tx *db.Tx) error {
				r, err := book.Save(tx, by, w, 0, book.Text{Work: "Rezept"})
				if err == nil && state != "draft" {
					_, err = book.Submit(tx, by, w, r.Version)
				}
				id = r.ID
				return err
			})
			if state != "draft" {
				dbtest.Exec(t, d, `UPDATE report SET state = $2 WHERE id = $1`, id, state)
			}
			return id
		}
		draft, back := writes(s.lena, 47, "draft"), writes(s.lena, 46, "returned")
		sent, pending := writes(s.lena, 45, "submitted"), writes(s.lena, 44, "signed_off")
		dbtest.Exec(t, d, `UPDATE report SET undo_until = $2 WHERE id = $1`, pending, db.At(s.now.Add(time.Minute)))
		his := writes(emil, 45, "submitted")
		sh := s.must(func(tx *db.Tx) (share.Share, error) { return share.Grant(tx, s.lena, 14) })
		read := func(by audit.Actor, report string) (r book.Report, err error) {
			err = d.Write(bg, func(tx *db.Tx) error { _, r, err = share.Report(tx, by, sh.ID, report); return err })
			return r, err
		}
		for id, what := range map[string]string{draft: "a draft", his: "somebody else's report"} {
			_, err := read(s.clara, id)
			wants(t, what, err, fault.KindNotFound)
		}
		_, err := read(s.kai, sent)
		wants(t, "another chamber", err, fault.KindNotFound)
		for id, want := range map[string]struct {
			state book.State
			work  string
		}{back: {book.Returned, ""}, sent: {book.Submitted, "Rezept"}, pending: {book.Checked, "Rezept"}} {
			if r, err := read(s.clara, id); err != nil || r.State != want.state || r.Text.Work != want.work {
				t.Errorf("week %d: %s, %q, %v", r.Week.Number, r.State, r.Text.Work, err)
			}
		}
		// What was refused is no look; what was read is one, and Emil reads none of it.
		if err := d.Read(bg, func(tx *db.Tx) error {
			hers, err := share.Seens(tx, s.lena)
			if len(hers) != 3 {
				t.Errorf("Lena reads of %d looks", len(hers))
			}
			if err != nil {
				return err
			}
			others, err := share.Seens(tx, emil)
			if len(others) != 0 {
				t.Errorf("Emil reads of %d looks into Lena's book", len(others))
			}
			if all, err := share.Mine(tx, emil); err != nil || len(all) != 0 {
				t.Errorf("Emil has %d looks, %v", len(all), err)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		_, err = s.do(func(tx *db.Tx) (share.Share, error) { return sh, share.End(tx, emil, sh.ID) })
		wants(t, "another apprentice ends it", err, fault.KindNotFound)
		// A shorter time brings no end nearer; the law's ground stays, whatever is granted then.
		longer := s.must(func(tx *db.Tx) (share.Share, error) { return share.Grant(tx, s.lena, 90) })
		if again := s.must(func(tx *db.Tx) (share.Share, error) { return share.Grant(tx, s.lena, 14) }); !again.UntilAt.Equal(longer.UntilAt.Time) {
			t.Errorf("until %s becomes until %s", longer.UntilAt, again.UntilAt)
		}
		for _, ground := range []string{"", share.Consent, "curiosity"} {
			_, err := s.do(func(tx *db.Tx) (share.Share, error) { return share.OpenByLaw(tx, s.clara, s.learns, ground, "Weil") })
			wants(t, "opened on the ground "+ground, err, fault.KindInvalid)
		}
		s.must(func(tx *db.Tx) (share.Share, error) {
			return share.OpenByLaw(tx, s.clara, s.learns, share.Admission, "Zulassung")
		})
		if again := s.must(func(tx *db.Tx) (share.Share, error) { return share.Grant(tx, s.lena, 14) }); again.Ground != share.Admission {
			t.Errorf("the law's look is on the ground %s", again.Ground)
		}
	})
}

// R236: a question is answered by whom it was put to, and by nobody else; what the
// law opens lasts fourteen days.
func TestWhoAnswers_R236(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		s := newScene(t, d)
		emil := comes(t, d, "emil", "korn", "apprentice")
		asked := s.must(func(tx *db.Tx) (share.Share, error) { return share.Ask(tx, s.clara, s.learns, "Beratung") })
		for who, by := range map[string]audit.Actor{"another apprentice": emil, "the chamber itself": s.clara} {
			kind := fault.KindNotFound
			if by == s.clara {
				kind = fault.KindForbidden
			}
			_, err := s.do(func(tx *db.Tx) (share.Share, error) { return share.Allow(tx, by, asked.ID, 14) })
			wants(t, who+" allows", err, kind)
			_, err = s.do(func(tx *db.Tx) (share.Share, error) { return asked, share.Decline(tx, by, asked.ID) })
			wants(t, who+" declines", err, kind)
		}
		s.must(func(tx *db.Tx) (share.Share, error) { return asked, share.Decline(tx, s.lena, asked.ID) })
		law := s.must(func(tx *db.Tx) (share.Share, error) {
			return share.OpenByLaw(tx, s.clara, s.learns, share.Supervision, "Beschwerde")
		})
		s.now = start.Add(14*24*time.Hour - time.Second)
		s.clara = comes(t, d, "clara", "office", "chamber_clerk")
		if err := s.look(s.clara, law.ID, ""); err != nil {
			t.Errorf("in the last second: %v", err)
		}
		s.now = start.Add(14 * 24 * time.Hour)
		wants(t, "after fourteen days", s.look(s.clara, law.ID, ""), fault.KindNotFound)
	})
}
