package review_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
	"zunft/internal/training/review"
	"zunft/internal/training/schema"
	"zunft/internal/training/substitute"
	"zunft/internal/training/supervisor"
)

// assigned puts somebody beside an apprentice.
func assigned(t *testing.T, d *db.DB, apprentice, sub, role string, from, until calendar.Date) {
	t.Helper()
	dbtest.Exec(t, d, `INSERT INTO assignment (id, apprenticeship, person, role, from_day, until_day, created_at)
		SELECT $1, a.id, $2, $3, $4, $5, $6 FROM apprenticeship a WHERE a.person = $7`, db.NewID(), sub, role, from, until, db.At(now), apprentice)
}

func twoSteps(t *testing.T, d *db.DB, company string) {
	t.Helper()
	dbtest.Exec(t, d, `INSERT INTO company_setting (company, occupation, electronic, mode, steps, due_days, changed_at) VALUES ($1, '', TRUE, 'week', 2, 7, $2)`, company, db.At(now))
}

// queue is whose reports wait for somebody, as the list and as the count have it.
func queue(t *testing.T, d *db.DB, by audit.Actor) (names []string) {
	t.Helper()
	if err := d.Read(bg, func(tx *db.Tx) error {
		all, err := review.Queue(tx, by)
		if err != nil {
			return err
		}
		for _, i := range all {
			names = append(names, i.Apprentice)
			r, err := review.For(tx, by, i.ID)
			if err != nil {
				t.Errorf("%s may not read what waits for them: %v", by.Account, err)
			}
			m, err := review.MayDo(tx, by, r)
			if err != nil || !m.Sign && by.Account != "vera" {
				t.Errorf("%s may not sign what waits for them (%v)", by.Account, err)
			}
		}
		n, _, err := review.Waiting(tx, by)
		if n != len(all) {
			t.Errorf("%d wait, the count says %d", len(all), n)
		}
		if err != nil {
			return err
		}
		session, err := person.Acting(tx, by) // R324: the weekly mail counts what the queue shows
		if err != nil || !session.Signs() {
			return err
		}
		piles, err := review.Piles(tx, session)
		mailed := 0
		for _, p := range piles {
			mailed += p.Count
		}
		if mailed != len(all) {
			t.Errorf("%d wait, the mail says %d", len(all), mailed)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return names
}

// week47 writes and submits a week.
func week47(t *testing.T, d *db.DB, by audit.Actor, to string) book.Report {
	t.Helper()
	r := must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Save(tx, by, week, 0, book.Text{Work: "Brötchen"}) })
	return must(t, d, func(tx *db.Tx) (book.Report, error) { return book.SubmitTo(tx, by, week, r.Version, to) })
}

// R232, R325, R333: trainers see those they are assigned to, and only those;
// while no trainer is assigned, all of the company do.
func TestOnlyTheirs_R333_R325_R232(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, emil := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "emil", "korn", "apprentice")
		bert, berta, petra := comes(t, d, "bert", "korn", "trainer"), comes(t, d, "berta", "korn", "trainer"), comes(t, d, "petra", "korn", "supervisor")
		vera, rita := comes(t, d, "vera", "korn", "training_admin"), comes(t, d, "rita", "stahl", "trainer")
		a := week47(t, d, anna, "")
		week47(t, d, emil, "")
		want := func(who audit.Actor, names string) {
			t.Helper()
			all := queue(t, d, who)
			slices.Sort(all)
			if got := strings.Join(all, " "); got != names {
				t.Errorf("%s has %q, wanted %q", who.Account, got, names)
			}
		}
		for _, by := range []audit.Actor{bert, berta, petra, vera} {
			want(by, "anna emil")
		}
		want(rita, "")
		assigned(t, d, "anna", "bert", "trainer", "2026-08-01", "2026-11-18")     // until today
		assigned(t, d, "emil", "petra", "supervisor", "2026-11-01", "2026-11-18") // until today
		assigned(t, d, "emil", "berta", "trainer", "2026-11-01", "")
		want(bert, "anna")
		want(berta, "emil")
		want(petra, "emil")
		want(vera, "anna emil")
		for verb, f := range map[string]func(tx *db.Tx) (book.Report, error){
			"read":     func(tx *db.Tx) (book.Report, error) { return review.For(tx, berta, a.ID) },
			"sign off": func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, berta, a.ID, a.Version, "") },
			"return":   func(tx *db.Tx) (book.Report, error) { return review.Return(tx, berta, a.ID, a.Version, "x") },
			"undo":     func(tx *db.Tx) (book.Report, error) { return review.Undo(tx, berta, a.ID, a.Version) },
		} {
			if _, err := do(d, f); !fault.Is(err, fault.KindNotFound) {
				t.Errorf("%s of another trainer's: %v", verb, err)
			}
		}
		// The day after the last one nobody is assigned any more: all trainers again.
		tomorrow := now.Add(24 * time.Hour)
		berta = comes(t, d, "berta", "korn", "trainer")
		gabi := comes(t, d, "gabi", "korn", "trainer", "supervisor")
		d.Now = func() time.Time { return tomorrow }
		dbtest.Exec(t, d, `UPDATE session SET ends_at = $1`, db.At(tomorrow.Add(time.Hour)))
		want(berta, "anna emil")
		want(petra, "anna") // emil has a trainer, and petra's time with him is over
		// A supervisor alone shuts no trainer out, also one who could train.
		assigned(t, d, "anna", "gabi", "supervisor", "2026-11-19", "")
		want(bert, "anna")
		want(berta, "anna emil")
		want(petra, "anna")
		want(gabi, "anna")
	})
}

// R227, R333: a submitted report is told to those who are assigned, not to all.
func TestToldWhoIsAssigned_R333_M20(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, bert := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "bert", "korn", "trainer")
		comes(t, d, "berta", "korn", "trainer")
		comes(t, d, "gerd", "korn", "trainer")
		r := week47(t, d, anna, "")
		if n := dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`); n != 3 {
			t.Errorf("nobody assigned: %d mails", n)
		}
		assigned(t, d, "anna", "bert", "trainer", "2026-08-01", "")
		if err := d.Write(bg, func(tx *db.Tx) error {
			return substitute.Add(tx, bert, "gerd", calendar.Today(tx.Now()), calendar.Today(tx.Now()).Add(3))
		}); err != nil {
			t.Fatal(err)
		}
		before := dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`)
		must(t, d, func(tx *db.Tx) (book.Report, error) { return book.TakeBack(tx, anna, week) })
		must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Submit(tx, anna, week, r.Version+1) })
		if n := dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`) - before; n != 2 {
			t.Errorf("bert and his deputy: %d mails", n)
		}
		// In two steps who reads first is told first; whose time is over, not at all.
		comes(t, d, "petra", "korn", "supervisor")
		comes(t, d, "paul", "korn", "supervisor")
		assigned(t, d, "anna", "petra", "supervisor", "2026-08-01", "")
		assigned(t, d, "anna", "paul", "supervisor", "2026-08-01", "2026-11-17")
		told := func(w book.Week, want string) {
			t.Helper()
			s := must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Save(tx, anna, w, 0, book.Text{Work: "x"}) })
			if err := d.Read(bg, func(tx *db.Tx) error {
				all, err := book.Signers(tx, anna, s)
				names := ""
				for _, p := range all {
					names += p.Sub + " "
				}
				if names != want {
					t.Errorf("told are %s, wanted %s", names, want)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			before := dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`)
			must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Submit(tx, anna, w, s.Version) })
			if n := dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`) - before; n != len(strings.Fields(want)) {
				t.Errorf("%d mails for %s", n, want)
			}
		}
		told(week.Add(-1), "bert gerd petra ")
		twoSteps(t, d, "korn")
		told(week.Add(-2), "petra ")
	})
}

// Substitutes see and decide from the first day to the last, in their own name;
// it is not passed on, and one at a time.
func TestSubstitute(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, bert := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "bert", "korn", "trainer")
		berta, gerd := comes(t, d, "berta", "korn", "trainer"), comes(t, d, "gerd", "korn", "trainer")
		rita := comes(t, d, "rita", "stahl", "trainer")
		r := week47(t, d, anna, "")
		assigned(t, d, "anna", "bert", "trainer", "2026-08-01", "")
		add := func(by audit.Actor, deputy string, from, until calendar.Date) error {
			return d.Write(bg, func(tx *db.Tx) error { return substitute.Add(tx, by, deputy, from, until) })
		}
		for name, c := range map[string]struct {
			deputy      string
			from, until calendar.Date
			key         string
		}{
			"nobody":          {"", "2026-11-18", "2026-11-20", "substitute.deputy_missing"},
			"oneself":         {"bert", "2026-11-18", "2026-11-20", "substitute.deputy_missing"},
			"other company":   {"rita", "2026-11-18", "2026-11-20", "substitute.deputy_missing"},
			"apprentice":      {"anna", "2026-11-18", "2026-11-20", "substitute.deputy_missing"},
			"no days":         {"berta", "", "", "substitute.from_missing"},
			"in the past":     {"berta", "2026-11-17", "2026-11-20", "substitute.from_past"},
			"ends first":      {"berta", "2026-11-20", "2026-11-19", "substitute.until_before"},
			"longer than 6 m": {"berta", "2026-11-18", "2027-11-18", "substitute.until_far"},
		} {
			if err := add(bert, c.deputy, c.from, c.until); key(err) != c.key {
				t.Errorf("%s: %v", name, err)
			}
		}
		won := together(func(i int) error { // two windows, many presses: one deputy
			return add(bert, []string{"berta", "gerd"}[i%2], "2026-11-18", "2026-11-20")
		})
		if n := dbtest.Count(t, d, `SELECT count(*) FROM substitute`); won != 1 || n != 1 {
			t.Fatalf("%d winners, %d substitutions", won, n)
		}
		dbtest.Exec(t, d, `UPDATE substitute SET deputy = 'berta'`)
		if err := add(berta, "gerd", "2026-11-18", "2026-11-20"); err != nil {
			t.Fatal(err)
		}
		if len(queue(t, d, berta)) != 1 || len(queue(t, d, bert)) != 1 || len(queue(t, d, gerd)) != 0 {
			t.Error("the deputy sees it, the one who is away too, a deputy's deputy does not")
		}
		id := ""
		_ = d.Read(bg, func(tx *db.Tx) (err error) {
			id, err = db.Value[string](tx, `SELECT id FROM substitute WHERE deputy = 'berta'`)
			return err
		})
		end := func(by audit.Actor) error {
			return d.Write(bg, func(tx *db.Tx) error { return substitute.End(tx, by, id) })
		}
		for _, by := range []audit.Actor{gerd, rita, anna} {
			if err := end(by); !fault.Is(err, fault.KindNotFound) {
				t.Errorf("%s ends it: %v", by.Account, err)
			}
		}
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, berta, r.ID, r.Version, "") })
		if r.DecidedBy != "berta" {
			t.Errorf("signed as %s", r.DecidedBy)
		}
		for range 2 { // twice is harmless, and by either of the two
			if err := end(berta); err != nil {
				t.Error(err)
			}
		}
		// Ten minutes are ten minutes: what she signed off she may still take back, and nothing else.
		if err := d.Read(bg, func(tx *db.Tx) error {
			m, err := review.MayDo(tx, berta, seen(t, d, berta, r.ID))
			if want := (review.May{Undo: true}); m != want {
				t.Errorf("after the end: %+v", m)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return review.Undo(tx, berta, r.ID, r.Version) })
		if r.State != book.Submitted || len(queue(t, d, bert)) != 1 {
			t.Errorf("taken back: %s", r.State)
		}
		if _, err := do(d, func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, berta, r.ID, r.Version, "") }); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("signs off after the end: %v", err)
		}
		// It ends by itself after its last day, and begins on its first.
		for _, c := range []struct {
			from, until calendar.Date
			n           int
		}{{"2026-11-16", "2026-11-17", 0}, {"2026-11-19", "2026-11-20", 0}, {"2026-11-18", "2026-11-18", 1}} {
			dbtest.Exec(t, d, `UPDATE substitute SET person = 'bert', deputy = 'berta', from_day = $1, until_day = $2, ended_at = NULL WHERE id = $3`, c.from, c.until, id)
			if n := len(queue(t, d, berta)); n != c.n {
				t.Errorf("from %s to %s the deputy has %d", c.from, c.until, n)
			}
		}
	})
}

// R325, R326, two steps: a supervisor checks first, then a trainer signs, who is
// somebody else; each step has its ten minutes and its mail.
func TestTwoSteps_R325_R326(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, bert := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "bert", "korn", "trainer")
		petra, both := comes(t, d, "petra", "korn", "supervisor"), comes(t, d, "gabi", "korn", "trainer", "supervisor")
		comes(t, d, "vera", "korn", "training_admin")
		r := week47(t, d, anna, "")
		twoSteps(t, d, "korn")
		if len(queue(t, d, bert)) != 1 {
			t.Error("where no supervisor is assigned the trainer's step is enough")
		}
		for _, p := range [][2]string{{"petra", "supervisor"}, {"gabi", "trainer"}, {"bert", "trainer"}} {
			assigned(t, d, "anna", p[0], p[1], "2026-08-01", "")
		}
		sign := func(by audit.Actor, version int) (book.Report, error) {
			return do(d, func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, by, r.ID, version, "") })
		}
		if len(queue(t, d, bert)) != 0 || len(queue(t, d, petra)) != 1 || len(queue(t, d, both)) != 1 {
			t.Error("the first step waits for supervisors")
		}
		if _, err := sign(bert, r.Version); key(err) != "review.waits_first" {
			t.Errorf("the trainer before the first step: %v", err)
		}
		mails := func() int { return dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`) }
		before := mails()
		r, _ = sign(petra, r.Version)
		if r.State != book.Checked || r.CheckedBy != "petra" {
			t.Fatalf("first step: %+v", r)
		}
		if len(queue(t, d, petra)) != 0 || len(queue(t, d, bert)) != 1 {
			t.Error("the second step waits for trainers")
		}
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return review.Undo(tx, petra, r.ID, r.Version) })
		if r.State != book.Submitted || r.CheckedBy != "" {
			t.Errorf("first step taken back: %+v", r)
		}
		r, _ = sign(both, r.Version) // as a supervisor
		if r.State != book.Checked || len(queue(t, d, both)) != 0 {
			t.Errorf("who has both roles does the first step: %s", r.State)
		}
		if _, err := sign(both, r.Version); key(err) != "review.other_eyes" {
			t.Errorf("both steps by one person: %v", err)
		}
		later(t, d, review.UndoFor)
		if n := mails() - before; n != 1 { // bert; gabi checked it herself, petra is no trainer
			t.Errorf("%d mails about the second step", n)
		}
		r, _ = sign(bert, r.Version)
		if r.State != book.SignedOff || r.CheckedBy != "gabi" {
			t.Errorf("second step: %+v", r)
		}
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return review.Undo(tx, bert, r.ID, r.Version) })
		if r.State != book.Checked || r.CheckedBy != "gabi" {
			t.Errorf("second step taken back: %+v", r)
		}
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return review.Return(tx, bert, r.ID, r.Version, "Mengen") })
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Submit(tx, anna, week, r.Version) })
		if r.CheckedBy != "" || len(queue(t, d, bert)) != 0 || len(queue(t, d, petra)) != 1 {
			t.Errorf("returned, it begins with the first step again: %+v", r)
		}
	})
}

// R326: what was sent to one person waits for that person; the trainer reads it.
// W14: with the PIN first, later with an account: the same history.
func TestUpgrade_W14_R326(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, bert, vera := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "bert", "korn", "trainer"), comes(t, d, "vera", "korn", "training_admin")
		r := week47(t, d, anna, "petra@beispiel.example")
		if len(queue(t, d, bert)) != 0 || seen(t, d, bert, r.ID).Text.Work == "" {
			t.Error("it waits for Petra, and the trainer reads it")
		}
		assigned(t, d, "anna", "bert", "trainer", "2026-08-01", "")
		petra := comes(t, d, "petra", "korn", "supervisor")
		if len(queue(t, d, petra)) != 0 {
			t.Error("another account sees it before the address is known to be theirs")
		}
		if err := d.Write(bg, func(tx *db.Tx) error {
			p, err := person.Get(tx, "petra")
			if err != nil {
				return err
			}
			for range 2 {
				if err := supervisor.Upgrade(tx, audit.Job, p); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if n := dbtest.Count(t, d, `SELECT count(*) FROM audit WHERE event = 'supervisor.upgraded'`); n != 1 {
			t.Errorf("%d upgrades recorded", n)
		}
		if len(queue(t, d, petra)) != 1 {
			t.Error("with the account she has what was sent to her address")
		}
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, petra, r.ID, r.Version, "") })
		if r.DecidedBy != "petra" {
			t.Errorf("signed by %s", r.DecidedBy)
		}
		// The other way of W14: only people with an account.
		set := func(by audit.Actor, way supervisor.Way) error {
			return d.Write(bg, func(tx *db.Tx) error { return supervisor.SetWay(tx, by, way) })
		}
		if err := set(bert, supervisor.ByAccount); !fault.Is(err, fault.KindForbidden) {
			t.Errorf("a trainer decides on the way: %v", err)
		}
		if err := set(vera, supervisor.ByAccount); err != nil {
			t.Fatal(err)
		}
		next := must(t, d, func(tx *db.Tx) (book.Report, error) {
			return book.Save(tx, anna, week.Add(-1), 0, book.Text{Work: "x"})
		})
		submit := func(to string) error {
			_, err := do(d, func(tx *db.Tx) (book.Report, error) { return book.SubmitTo(tx, anna, week.Add(-1), next.Version, to) })
			return err
		}
		if err := submit("kurt@muehle.example"); key(err) != "book.approver_account" {
			t.Errorf("to an address without an account: %v", err)
		}
		if err := submit("petra@beispiel.example"); err != nil {
			t.Errorf("to one with an account: %v", err)
		}
	})
}

// R321: the long report of the paper time is confirmed, not only signed off.
func TestPaperIsConfirmed_R321(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, bert := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "bert", "korn", "trainer")
		r := week47(t, d, anna, "")
		dbtest.Exec(t, d, `UPDATE report SET kind = 'paper'`)
		if _, err := do(d, func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, bert, r.ID, r.Version, "") }); key(err) != "review.paper_unconfirmed" || fault.Of(err).Problems[0].Field != "paper" {
			t.Error(err)
		}
		if err := d.Read(bg, func(tx *db.Tx) error {
			all, err := review.Texts(tx, bert, 9)
			if len(all) != 0 {
				t.Error("the paper time is not read through among others")
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		must(t, d, func(tx *db.Tx) (book.Report, error) { return review.ConfirmPaper(tx, bert, r.ID, r.Version, "") })
	})
}

// R228, R229: the other side is told of comments, once in an hour.
func TestCommentsAreTold_R228_R229(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, bert := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "bert", "korn", "trainer")
		r := week47(t, d, anna, "")
		told := dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`)
		n := 0
		say := func(by audit.Actor, want int) {
			t.Helper()
			n++
			if err := d.Write(bg, func(tx *db.Tx) error { return review.Comment(tx, by, r.ID, fmt.Sprint("Satz ", n)) }); err != nil {
				t.Fatal(err)
			}
			now := dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`)
			if now-told != want {
				t.Errorf("comment %d: %d mails, wanted %d", n, now-told, want)
			}
			told = now
		}
		say(anna, 0) // nobody has read it yet: it comes with the report
		say(bert, 1)
		say(bert, 0)
		later(t, d, 61*time.Minute)
		dbtest.Exec(t, d, `UPDATE session SET ends_at = $1`, db.At(d.Now().Add(time.Hour)))
		say(anna, 1)
		say(bert, 1)
	})
}
