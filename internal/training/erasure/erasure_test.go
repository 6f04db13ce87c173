package erasure

import (
	"bytes"
	"image"
	"image/png"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/training/attachment"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/chain"
	"zunft/internal/training/export"
	"zunft/internal/training/person"
	"zunft/internal/training/person/persontest"
	"zunft/internal/training/planning"
	"zunft/internal/training/reminder"
	"zunft/internal/training/review"
	"zunft/internal/training/schema"
	"zunft/internal/training/share"
	"zunft/internal/training/token"
)

// A world is a company with an apprentice who wrote three weeks: one is signed
// off and sealed, one is submitted, one is a draft.
type world struct {
	*testing.T
	d          *db.DB
	now        time.Time
	anna, bert audit.Actor
	secret     string // of Anna's token
}

func each(t *testing.T, f func(w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{T: t, d: d, now: time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)} // Wednesday of week 47
		d.Now = func() time.Time { return w.now }
		w.anna, w.bert = w.comes("anna", person.Apprentice), w.comes("bert", person.Trainer)
		w.must(func(tx *db.Tx) error {
			r, err := book.Save(tx, w.anna, week(47), 0, book.Text{Work: "Zwiebelkuchen"})
			if err == nil {
				_, err = attachment.Add(tx, w.anna, week(47), picture(t))
			}
			if err == nil {
				r, err = book.Mine(tx, w.anna, week(47))
			}
			if err == nil {
				r, err = book.Submit(tx, w.anna, week(47), r.Version)
			}
			if err == nil {
				_, err = review.SignOff(tx, w.bert, r.ID, r.Version, "Gut, Zwiebelfisch")
			}
			return err
		})
		w.pass(time.Hour)
		w.must(func(tx *db.Tx) error {
			r, err := book.Save(tx, w.anna, week(46), 0, book.Text{Work: "Zwiebelbrot"})
			if err == nil {
				_, err = book.Submit(tx, w.anna, week(46), r.Version)
			}
			if err == nil {
				_, err = book.Save(tx, w.anna, week(45), 0, book.Text{Work: "Zwiebelsuppe"})
			}
			return err
		})
		if err := review.Settle(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		w.must(func(tx *db.Tx) (err error) {
			for _, f := range []func() error{
				func() error { return planning.SavePattern(tx, w.anna, planning.Pattern{}) },
				func() error { return planning.AddSnippet(tx, w.anna, "Zwiebeln schneiden") },
				func() error {
					return planning.Plan(tx, w.anna, planning.Time{Attendance: "sick", From: "2026-12-01", Until: "2026-12-02", Place: "Zwiebelallergie"})
				},
				func() error {
					_, err := planning.AddLessons(tx, w.anna, []planning.Lesson{{Day: "2026-12-03", Starts: 480, Ends: 525, Subject: "Zwiebelkunde"}})
					return err
				},
				func() error { _, err := reminder.Open(tx, w.anna); return err },
				func() error { _, err := reminder.Mine(tx, w.anna); return err },
				func() error {
					_, w.secret, err = token.Issue(tx, w.anna, "Zwiebelprogramm", token.Write, 365)
					return err
				},
				func() error { _, err := share.Grant(tx, w.anna, 30); return err },
				func() error {
					_, err := export.Order(tx, w.anna, export.Whose{}, export.Wish{Scope: export.Whole, Language: "de"})
					return err
				},
			} {
				if err := f(); err != nil {
					return err
				}
			}
			return nil
		})
		f(w)
	})
}

func week(n int) book.Week { return book.Week{Year: 2026, Number: n} }

func picture(t *testing.T) attachment.File {
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 9, 9)))
	f, err := attachment.Prepare("zwiebel.png", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func claims(sub, role string) person.Claims {
	c := persontest.Claims(sub, "korn", role)
	c.Person.Name, c.Person.GivenName, c.Person.FamilyName = sub+" Zwiebelfisch", sub, "Zwiebelfisch"
	c.Person.Email, c.ApprenticeNumber = sub+"@zwiebelfisch.example", map[string]string{person.Apprentice: "A-17"}[role]
	return c
}

func (w *world) comes(sub, role string) audit.Actor {
	by := persontest.Comes(w.T, w.d, claims(sub, role))
	by.IP, by.Agent = "192.0.2.1", "Zwiebelbrowser"
	return by
}

func (w *world) pass(d time.Duration)         { w.now = w.now.Add(d) }
func (w *world) must(f func(tx *db.Tx) error) { w.Helper(); dbtest.Write(w.T, w.d, f) }
func (w *world) count(q string, args ...any) int {
	w.Helper()
	return dbtest.Count(w.T, w.d, q, args...)
}
func (w *world) run() { w.Helper(); w.ok(Run(w.Context(), w.d, Years)) }

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) purge(sub string) {
	w.Helper()
	w.must(func(tx *db.Tx) error { return Purged(tx, audit.Job, sub, Years) })
}

// check is what `zunft training verify` says of Anna's book.
func (w *world) check(kept chain.Seal) (f chain.Finding) {
	w.Helper()
	w.ok(w.d.Read(w.Context(), func(tx *db.Tx) (err error) { f, err = chain.Check(tx, "anna", kept); return err }))
	return f
}

// columns of every table but the ground's, as "table.column".
func (w *world) columns() (all []string) {
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

// says are the columns that still hold a word.
func (w *world) says(word string) (where []string) {
	w.Helper()
	for _, column := range w.columns() {
		table, name, _ := strings.Cut(column, ".")
		if w.count(`SELECT count(*) FROM `+table+` WHERE LOWER(CAST(`+name+` AS TEXT)) LIKE $1`, "%"+word+"%") > 0 {
			where = append(where, column)
		}
	}
	return where
}

// Art. 17 GDPR: what has no ground goes with the account; the book stays until
// its time is over; then nothing says who it was, and the chain says "erased".
func TestALifeOfABook(t *testing.T) {
	each(t, func(w *world) {
		head := w.check(chain.Seal{}).Head
		goes := []string{"allergie", "zwiebelkunde", "schneiden", "zwiebelsuppe", "zwiebelprogramm", "anna@"}
		for _, word := range goes {
			if w.says(word) == nil {
				w.Errorf("%s was never there", word)
			}
		}
		w.purge("anna")
		for name, query := range map[string]string{
			"session":           `SELECT count(*) FROM session WHERE person = 'anna' AND (ended_at IS NULL OR ends_at > '2026-11-19')`,
			"role":              `SELECT count(*) FROM company_role WHERE person = 'anna'`,
			"number":            `SELECT count(*) FROM company_number WHERE person = 'anna'`,
			"token":             `SELECT count(*) FROM api_token`,
			"feed":              `SELECT count(*) FROM calendar_feed`,
			"reminder":          `SELECT count(*) FROM reminder WHERE person = 'anna'`,
			"draft":             `SELECT count(*) FROM report WHERE state = 'draft'`,
			"look with consent": `SELECT count(*) FROM share WHERE state = 'open'`,
			"file":              `SELECT count(*) FROM export WHERE expires_at > '2026-11-19'`,
			"address":           `SELECT count(*) FROM person WHERE sub = 'anna' AND email <> ''`,
			"number's address":  `SELECT count(*) FROM apprenticeship WHERE email <> ''`,
			"network address":   `SELECT count(*) FROM audit WHERE account = 'anna' AND (ip <> '' OR agent <> '')`,
		} {
			if n := w.count(query); n != 0 {
				w.Errorf("%s stays: %d", name, n)
			}
		}
		for _, word := range goes {
			if where := w.says(word); where != nil {
				w.Errorf("%s is still in %v", word, where)
			}
		}
		if err := w.d.Write(w.Context(), func(tx *db.Tx) error { _, _, err := token.Find(tx, audit.Actor{}, w.secret); return err }); !fault.Is(err, fault.KindNotFound) {
			w.Error("the token opens:", err)
		}
		if err := w.d.Write(w.Context(), func(tx *db.Tx) error { return person.Learn(tx, audit.Job, claims("anna", person.Apprentice)) }); fault.Of(err) == nil || fault.Of(err).Key() != "person.gone" {
			w.Error("came back:", err)
		}
		// The record stays, and can be signed and read as before.
		if w.count(`SELECT count(*) FROM report`) != 2 || w.check(head).Misfits != nil {
			w.Error("the book is not whole", w.check(head).Misfits)
		}
		w.must(func(tx *db.Tx) error {
			id, err := db.Value[string](tx, `SELECT id FROM report WHERE state = 'submitted'`)
			if err == nil {
				_, err = review.SignOff(tx, w.bert, id, 2, "")
			}
			return err
		})
		w.pass(time.Hour)
		w.ok(review.Settle(w.Context(), w.d))
		head = w.check(head).Head

		// The registry says the end; the book is kept to the last day of the third year after.
		dbtest.Exec(w.T, w.d, `UPDATE apprenticeship SET starts_on = '2026-08-01', ends_on = '2029-07-31'`)
		w.run()
		w.now = time.Date(2032, 12, 31, 22, 59, 0, 0, time.UTC) // 23:59 in Berlin
		w.run()
		if w.count(`SELECT count(*) FROM report`) != 2 {
			w.Fatal("erased too early")
		}
		w.now = time.Date(2033, 1, 31, 12, 0, 0, 0, time.UTC)
		w.run()
		for _, table := range []string{"report", "report_event", "report_version", "report_seal", "attachment", "attachment_part", "share", "export", "apprenticeship", "decision"} {
			if n := w.count(`SELECT count(*) FROM ` + table); n != 0 {
				w.Errorf("%d rows of %s are left", n, table)
			}
		}
		if where := w.says("anna zwiebelfisch"); where != nil {
			w.Error("her name is still in", where)
		}
		f := w.check(head)
		if f.Erased.IsZero() || f.Misfits != nil || f.Seals != 0 {
			w.Errorf("verify says %+v", f)
		}
		if f := w.check(chain.Seal{Number: 1, Digest: "another"}); len(f.Misfits) != 1 || f.Misfits[0].What != chain.Missing {
			w.Errorf("a head that never was: %+v", f)
		}
		if w.count(`SELECT count(*) FROM audit WHERE event = 'book.erased' AND account = 'anna'`) != 1 || w.count(`SELECT count(*) FROM audit WHERE event = 'person.erased' AND account = 'anna'`) != 1 {
			w.Error("not in the record once")
		}
		if w.count(`SELECT count(*) FROM person WHERE look_at IS NOT NULL`) != 0 {
			w.Error("somebody is looked at for ever")
		}
	})
}

// Whoever signed stands by name beside it as long as the longest book may need
// it, and has no access from the first moment on.
func TestATrainerLeaves(t *testing.T) {
	each(t, func(w *world) {
		w.must(func(tx *db.Tx) error {
			if _, err := tx.Exec(`INSERT INTO assignment (id, apprenticeship, person, role, from_day, until_day, created_at) SELECT 'now', id, 'bert', 'trainer', '2026-09-01', '', $1 FROM apprenticeship`, tx.Now()); err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO assignment (id, apprenticeship, person, role, from_day, until_day, created_at) SELECT 'later', id, 'bert', 'supervisor', '2027-09-01', '', $1 FROM apprenticeship`, tx.Now()); err != nil {
				return err
			}
			_, err := tx.Exec(`UPDATE report SET approver = 'bert' WHERE state = 'submitted'`)
			return err
		})
		w.purge("bert")
		if w.count(`SELECT count(*) FROM assignment WHERE id = 'now' AND until_day = '2026-11-18'`) != 1 || w.count(`SELECT count(*) FROM assignment`) != 1 || w.count(`SELECT count(*) FROM report WHERE approver <> ''`) != 0 {
			w.Error("still assigned")
		}
		if err := w.d.Write(w.Context(), func(tx *db.Tx) error { _, _, err := review.Waiting(tx, w.bert); return err }); !fault.Is(err, fault.KindForbidden) {
			w.Error("still reads:", err)
		}
		w.now = time.Date(2034, 12, 31, 12, 0, 0, 0, time.UTC)
		w.run()
		if w.count(`SELECT count(*) FROM person WHERE sub = 'bert' AND name = 'bert Zwiebelfisch' AND email = ''`) != 1 {
			w.Error("the name beside the signed weeks is gone")
		}
		w.now = time.Date(2035, 1, 31, 12, 0, 0, 0, time.UTC)
		w.run()
		if w.count(`SELECT count(*) FROM person WHERE sub = 'bert' AND name = 'N. N.' AND look_at IS NULL`) != 1 || w.says("bert zwiebelfisch") != nil {
			w.Error("the name stays for ever in", w.says("bert zwiebelfisch"))
		}
		if f := w.check(chain.Seal{}); f.Seals != 1 || f.Misfits != nil { // Anna is still here: her book is hers
			w.Errorf("%+v", f)
		}
	})
}

// The event comes twice, to several nodes, for somebody unknown, and while the
// person saves: what the save left behind is gone after the next night.
func TestAtTheSameTime(t *testing.T) {
	each(t, func(w *world) {
		var group sync.WaitGroup
		for i := range 16 {
			group.Go(func() {
				err := w.d.Write(w.Context(), func(tx *db.Tx) error {
					_, err := book.Save(tx, w.anna, week(20+i), 0, book.Text{Work: "Zwiebelrest"})
					return err
				})
				if err != nil && fault.Of(err) == nil {
					t.Error(err)
				}
			})
			if i%4 == 0 {
				group.Go(func() {
					if err := w.d.Write(w.Context(), func(tx *db.Tx) error { return Purged(tx, audit.Job, "anna", Years) }); err != nil {
						t.Error(err)
					}
				})
			}
		}
		group.Wait()
		w.purge("emil")
		if n := w.count(`SELECT count(*) FROM audit WHERE event = 'person.left'`); n != 1 {
			w.Errorf("left %d times", n)
		}
		if n := w.count(`SELECT count(*) FROM person`); n != 2 {
			w.Errorf("%d people", n)
		}
		w.run()
		if w.says("zwiebelrest") != nil || w.count(`SELECT count(*) FROM report`) != 2 {
			w.Error("a draft is left")
		}
	})
}

// The operator erases for somebody who asked: by command only, and before the
// time only if the controller says so. They may come again, and begin a new chain.
func TestForget(t *testing.T) {
	each(t, func(w *world) {
		head := w.check(chain.Seal{}).Head
		forget := func(by audit.Actor, now bool) (k Kept, err error) {
			err = w.d.Write(w.Context(), func(tx *db.Tx) (err error) { k, err = Forget(tx, by, "anna", Years, now); return err })
			return k, err
		}
		for _, by := range []audit.Actor{w.anna, w.bert, audit.Job} {
			if _, err := forget(by, true); !fault.Is(err, fault.KindForbidden) {
				w.Error("erased by", by.Kind, err)
			}
		}
		k, err := forget(audit.Console, false)
		if err != nil || !k.Book || k.Reports != 2 || k.Until != "2029-12-31" || k.Gone != person.Asked {
			w.Fatalf("%+v %v", k, err)
		}
		if w.count(`SELECT count(*) FROM audit WHERE event = 'person.left' AND actor_kind = 'command'`) != 1 {
			w.Error("nothing in the record")
		}
		w.anna = w.comes("anna", person.Apprentice) // before the time was over: the book is theirs again
		if k, err = forget(audit.Console, true); err != nil || k.Book || k.Name != person.Nameless {
			w.Fatalf("%+v %v", k, err)
		}
		if f := w.check(head); f.Erased.IsZero() || f.Misfits != nil {
			w.Errorf("verify says %+v", f)
		}
		w.anna = w.comes("anna", person.Apprentice)
		w.must(func(tx *db.Tx) error {
			r, err := book.Save(tx, w.anna, week(47), 0, book.Text{Work: "Neu"})
			if err == nil {
				r, err = book.Submit(tx, w.anna, week(47), r.Version)
			}
			if err == nil {
				_, err = review.SignOff(tx, w.bert2(tx), r.ID, r.Version, "")
			}
			return err
		})
		w.pass(time.Hour)
		w.ok(review.Settle(w.Context(), w.d))
		if f := w.check(head); f.Erased.IsZero() || f.Misfits != nil || f.Seals != 1 || f.Head.Number != 1 {
			w.Errorf("the new chain: %+v", f)
		}
		w.run()
		if w.count(`SELECT count(*) FROM report`) != 1 {
			w.Error("erased, and she is here")
		}
		// Taking a book out behind everybody's back is still seen.
		dbtest.Exec(w.T, w.d, `DELETE FROM report`)
		if f := w.check(chain.Seal{}); len(f.Misfits) != 1 || f.Misfits[0].What != chain.Missing {
			w.Errorf("taken out: %+v", f)
		}
	})
}

// bert2 is Bert in a session of today.
func (w *world) bert2(tx *db.Tx) audit.Actor {
	_, s, err := person.Start(tx, w.bert, claims("bert", person.Trainer), "")
	w.ok(err)
	return audit.Actor{Kind: audit.Person, Account: "bert", Session: s.ID}
}

// What the registry said of people who never came goes in its time, too.
func TestNobodyCame(t *testing.T) {
	each(t, func(w *world) {
		dbtest.Exec(w.T, w.d, `INSERT INTO apprenticeship (id, chamber_number, number, family_name, starts_on, ends_on, source, created_at, changed_at)
			VALUES ('old', '999', 'A-1', 'Zwiebelkönig', '2019-08-01', '2022-07-31', 'registry', $1, $1), ('new', '999', 'A-2', 'Zwiebelprinz', '2020-08-01', '2023-07-31', 'registry', $1, $1),
				('open', '999', 'A-3', 'Zwiebelgraf', '2019-08-01', '', 'registry', $1, $1)`, db.At(w.now))
		w.run()
		if n := w.count(`SELECT count(*) FROM apprenticeship WHERE id IN ('new', 'open')`); n != 2 || w.says("zwiebelkönig") != nil {
			w.Errorf("%d left, and %v", n, w.says("zwiebelkönig"))
		}
		w.must(func(tx *db.Tx) error {
			id, sub, err := Find(tx, "999", "A-2")
			if err != nil || id != "new" || sub != "" {
				t.Errorf("found %q of %q: %v", id, sub, err)
			}
			until, err := ForgetUnknown(tx, audit.Console, id, Years, false)
			if err != nil || until != "2026-12-31" {
				t.Errorf("kept until %q %v", until, err)
			}
			_, err = ForgetUnknown(tx, audit.Console, id, Years, true)
			return err
		})
		if w.count(`SELECT count(*) FROM apprenticeship WHERE id = 'new'`) != 0 || w.count(`SELECT count(*) FROM audit WHERE event = 'apprenticeship.erased'`) != 2 {
			w.Error("not erased, or nothing in the record")
		}
	})
}

// Every table that refers to people is forgotten, or stays for a reason.
func TestEveryTableIsForgotten(t *testing.T) {
	stays := map[string]string{
		"person":             "the tombstone itself",
		"session":            "ended, and gone with the next sweep (person.Strip)",
		"company_role":       "person.Strip",
		"company_number":     "person.Strip",
		"parked_form":        "gone after a day",
		"assignment":         "ended in forget; goes with the book it belongs to",
		"report_event":       "goes with its report",
		"report_seal":        "goes with its report",
		"export_part":        "goes with its export",
		"share_look":         "goes with its share",
		"document_reading":   "goes with its document",
		"substitute":         "ended; ids that name nobody",
		"supervisor":         "ended; ids that name nobody",
		"supervisor_session": "ended, and gone with the next sweep",
	}
	statements := strings.Join(append(append(append([]string{}, forgotten...), ended...), whole...), "\n")
	each(t, func(w *world) {
		for _, column := range w.columns() {
			table, name, _ := strings.Cut(column, ".")
			switch name {
			case "person", "apprentice", "ordered_by", "deputy", "sub":
				if stays[table] == "" && !strings.Contains(statements, "FROM "+table+" ") && !strings.Contains(statements, "UPDATE "+table+" ") {
					t.Errorf("%s: neither forgotten nor kept for a reason", column)
				}
			}
		}
	})
}

func TestLastOf(t *testing.T) {
	for day, want := range map[calendar.Date]string{"2026-01-01": "2029-12-31", "2026-12-31": "2029-12-31"} {
		if got := lastOf(day, 3); got != want {
			t.Errorf("%s: %s", day, got)
		}
	}
}

// Art. 15 GDPR: who is here takes along what is held of them, of nobody else.
func TestHeld(t *testing.T) {
	each(t, func(w *world) {
		held := func(by audit.Actor) (s string) {
			w.must(func(tx *db.Tx) error { b, err := Held(tx, by); s = string(b); return err })
			return s
		}
		for _, word := range []string{"Zwiebelallergie", "Zwiebelkunde", "Zwiebeln schneiden", "Zwiebelprogramm", "anna@zwiebelfisch.example", "A-17", "Gut, Zwiebelfisch", "zwiebel.png", "report.sealed", "2026-12-01", "consent"} {
			if !strings.Contains(held(w.anna), word) {
				w.Errorf("%s is held, and not told", word)
			}
		}
		if s := held(w.bert); !strings.Contains(s, `"trainer"`) || strings.Contains(s, "anna") || strings.Contains(s, "Zwiebelallergie") {
			w.Error("of Bert:", s)
		}
		if err := w.d.Read(w.Context(), func(tx *db.Tx) error { _, err := Held(tx, audit.Actor{}); return err }); !fault.Is(err, fault.KindForbidden) {
			w.Error("a stranger:", err)
		}
	})
}
