package review_test

import (
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/training/book"
	"zunft/internal/training/review"
	"zunft/internal/training/schema"
)

// R325, R330, R333, R334, R335: what each reader is offered in each state of a
// report, for pages show the buttons that stand here; and nobody but its author
// reads what is being written.
func TestWhatEachIsOffered_R325_R330_R335(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna := comes(t, d, "anna", "korn", "apprentice", "trainer") // both, and still not her own
		bert, berta := comes(t, d, "bert", "korn", "trainer"), comes(t, d, "berta", "korn", "trainer")
		petra, vera := comes(t, d, "petra", "korn", "supervisor"), comes(t, d, "vera", "korn", "training_admin")
		others := []audit.Actor{bert, berta, petra, vera}
		secret := book.Text{Work: "Geheimes Rezept"}
		r := must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Save(tx, anna, week, 0, secret) })
		for _, by := range others {
			if err := d.Read(bg, func(tx *db.Tx) error { _, err := review.For(tx, by, r.ID); return err }); !fault.Is(err, fault.KindNotFound) {
				t.Errorf("%s finds a draft that was never submitted: %v", by.Account, err)
			}
		}
		offered := func(when string, want map[string]review.May) {
			t.Helper()
			for _, by := range append(others, anna) {
				x := seen(t, d, by, r.ID)
				if err := d.Read(bg, func(tx *db.Tx) error {
					m, err := review.MayDo(tx, by, x)
					if m != want[by.Account] {
						t.Errorf("%s, %s: %+v, wanted %+v", when, by.Account, m, want[by.Account])
					}
					return err
				}); err != nil {
					t.Fatal(err)
				}
				readable := by.Account == "anna" || x.State != book.Draft && x.State != book.Returned
				if readable != (x.Text == secret) {
					t.Errorf("%s, %s reads %q", when, by.Account, x.Text.Work)
				}
			}
		}
		talk := review.May{Comment: true}
		decide := review.May{Sign: true, Return: true, Comment: true}
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Submit(tx, anna, week, r.Version) })
		offered("submitted", map[string]review.May{"anna": talk, "bert": decide, "berta": decide, "petra": decide})
		if _, err := do(d, func(tx *db.Tx) (book.Report, error) {
			return review.SignOff(tx, bert, r.ID, r.Version, strings.Repeat("ß", review.MaxReason+1)) // R332: optional, and no essay
		}); key(err) != "review.reason_long" || fault.Of(err).Problems[0].Field != "reason" {
			t.Errorf("a remark without end: %v", err)
		}
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return book.TakeBack(tx, anna, week) })
		offered("taken back", map[string]review.May{"anna": talk, "bert": talk, "berta": talk, "petra": talk})
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Submit(tx, anna, week, r.Version) })
		r = must(t, d, func(tx *db.Tx) (book.Report, error) {
			return review.SignOff(tx, petra, r.ID, r.Version, strings.Repeat("ß", review.MaxReason))
		})
		pending := map[string]review.May{"anna": talk, "bert": talk, "berta": talk, "petra": {Undo: true, Comment: true}}
		offered("signed off just now", pending)
		later(t, d, 10*time.Minute-time.Second) // ten minutes, whatever the constant says
		offered("a second before it is final", pending)
		later(t, d, time.Second)
		again := review.May{Reopen: true, Comment: true}
		offered("final", map[string]review.May{"anna": talk, "bert": again, "berta": again, "petra": talk})
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return review.Reopen(tx, bert, r.ID, r.Version, "Mengen") })
		offered("returned", map[string]review.May{"anna": talk, "bert": talk, "berta": talk, "petra": talk})
	})
}

// R326, R328, two steps: what was sent to an address waits for that address; the
// trainer reads it, may return it, and does not skip the first step.
func TestTwoStepsByPIN_R325_R326(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, bert := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "bert", "korn", "trainer")
		twoSteps(t, d, "korn")
		r := week47(t, d, anna, "petra@muehle.example")
		known(t, d, "korn", "petra@muehle.example")
		sign := func(by audit.Actor) error {
			x, err := do(d, func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, by, r.ID, r.Version, "") })
			if err == nil {
				r = x
			}
			return err
		}
		if err := sign(bert); key(err) != "review.waits_first" {
			t.Errorf("the trainer skips the first step: %v", err)
		}
		if err := d.Read(bg, func(tx *db.Tx) error {
			m, err := review.MayDo(tx, bert, seen(t, d, bert, r.ID))
			if want := (review.May{Return: true, Comment: true}); m != want {
				t.Errorf("the trainer is offered %+v", m)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		petra := byPIN(t, d, "petra@muehle.example")
		if err := sign(petra); err != nil || r.State != book.Checked {
			t.Fatalf("first step: %s, %v", r.State, err)
		}
		if err := sign(petra); !fault.Is(err, fault.KindConflict) {
			t.Errorf("both steps by PIN: %v", err)
		}
		if err := sign(bert); err != nil || r.State != book.SignedOff {
			t.Errorf("second step: %s, %v", r.State, err)
		}
	})
}

// R227, R324: what has waited longest comes first, whichever week it is, in the
// queue, when all are read together, and on the list of who came with a PIN;
// R269, R329: who came with one reads what went to that address, and no other.
func TestOldestFirst_R227_R269_R329(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, emil, bert := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "emil", "korn", "apprentice"), comes(t, d, "bert", "korn", "trainer")
		clock := now.Add(-time.Hour)
		d.Now = func() time.Time { return clock }
		sent := func(by audit.Actor, w book.Week, to string) book.Report {
			t.Helper()
			clock = clock.Add(time.Minute)
			r := must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Save(tx, by, w, 0, book.Text{Work: "Teige"}) })
			return must(t, d, func(tx *db.Tx) (book.Report, error) { return book.SubmitTo(tx, by, w, r.Version, to) })
		}
		// The report that was begun first is submitted last: its id says nothing.
		begun := must(t, d, func(tx *db.Tx) (book.Report, error) {
			return book.Save(tx, anna, week.Add(-5), 0, book.Text{Work: "Teige"})
		})
		b, c := sent(anna, week, ""), sent(emil, week.Add(-3), "")
		p1, p2 := sent(anna, week.Add(-1), "petra@muehle.example"), sent(emil, week.Add(-2), "petra@muehle.example")
		k := sent(anna, week.Add(-3), "kurt@muehle.example")
		clock = clock.Add(time.Minute)
		a := must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Submit(tx, anna, week.Add(-5), begun.Version) })
		ids := func(all []review.Item) (ids string) {
			for _, x := range all {
				ids += x.ID + " "
			}
			return ids
		}
		if err := d.Read(bg, func(tx *db.Tx) error {
			all, err := review.Queue(tx, bert)
			if want := b.ID + " " + c.ID + " " + a.ID + " "; ids(all) != want {
				t.Errorf("the queue is %s, wanted %s", ids(all), want)
			}
			if err != nil {
				return err
			}
			texts, err := review.Texts(tx, bert, 9)
			if len(texts) != 3 || texts[0].ID != b.ID || texts[2].ID != a.ID {
				t.Errorf("read together: %d", len(texts))
			}
			if err != nil {
				return err
			}
			n, oldest, err := review.Waiting(tx, bert)
			if n != 3 || !oldest.Equal(b.SubmittedAt.Time) {
				t.Errorf("%d wait since %s", n, oldest)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		petra, kurt := byPIN(t, d, "petra@muehle.example"), byPIN(t, d, "kurt@muehle.example")
		known(t, d, "korn", "petra@muehle.example")
		lists := func(by audit.Actor, waiting, decided string) {
			t.Helper()
			if err := d.Read(bg, func(tx *db.Tx) error {
				w, done, err := review.Sent(tx, by)
				if ids(w) != waiting || ids(done) != decided {
					t.Errorf("%s: %s waits, %s is decided", by.Account, ids(w), ids(done))
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		lists(petra, p1.ID+" "+p2.ID+" ", "")
		lists(kurt, k.ID+" ", "")
		must(t, d, func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, petra, p1.ID, p1.Version, "") })
		lists(petra, p2.ID+" ", p1.ID+" ")
		lists(kurt, k.ID+" ", "")
		for verb, f := range map[string]func(tx *db.Tx) (book.Report, error){
			"reads":   func(tx *db.Tx) (book.Report, error) { return review.For(tx, kurt, p2.ID) },
			"signs":   func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, kurt, p2.ID, p2.Version, "") },
			"returns": func(tx *db.Tx) (book.Report, error) { return review.Return(tx, kurt, p2.ID, p2.Version, "x") },
			"undoes":  func(tx *db.Tx) (book.Report, error) { return review.Undo(tx, kurt, p1.ID, p1.Version+1) },
		} {
			if _, err := do(d, f); !fault.Is(err, fault.KindNotFound) {
				t.Errorf("another PIN %s: %v", verb, err)
			}
		}
	})
}
