package succession_test

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/succession"
)

// A world has a bakery that Bert administers and where Lena works, Nora and Max
// who belong to nobody, Clara, clerk of the bakery's chamber, and Xenia of another.
type world struct {
	*testing.T
	d   *db.DB
	mu  sync.Mutex
	now time.Time
	ids map[string]string
}

const bakery = "bakery"

func each(t *testing.T, f func(w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{T: t, d: d, now: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC), ids: map[string]string{}}
		d.Now = func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }
		w.must(w.settle)
		f(w)
	})
}

func (w *world) settle(tx *db.Tx) error {
	for id, number := range map[string]string{"c": "999", "x": "998"} {
		if _, err := tx.Exec(`INSERT INTO chamber (id, number, name, short_name, created_at) VALUES ($1, $2, 'Kammer Musterland', 'Musterland', $3)`, id, number, tx.Now()); err != nil {
			return err
		}
	}
	for _, name := range []string{"bert", "clara", "lena", "max", "nora", "xenia"} {
		a, err := account.Create(tx, audit.Console, account.New{GivenName: name, FamilyName: "Beispiel", Username: name, Email: name + "@example.org", Password: "x", Confirmed: true})
		if err != nil {
			return err
		}
		w.ids[name] = a.ID
	}
	for name, at := range map[string]string{"clara": "c", "xenia": "x"} {
		if err := chamber.AddStaff(tx, audit.Console, w.ids[name], at, chamber.Clerk); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
		management, company_key, name_key, state, registered_by, created_at) VALUES ('bakery', 'c', '4711', 'Bäckerei Morgenrot', '', 'Mehlgasse', '4', '00999', 'Musterdorf', '', '', '', 'Greta Grau', 'k', 'k', 'active', $1, $2)`, w.ids["bert"], tx.Now()); err != nil {
		return err
	}
	if err := membership.Grant(tx, audit.Console, bakery, w.ids["bert"], true); err != nil {
		return err
	}
	return membership.Grant(tx, audit.Console, bakery, w.ids["lena"], false)
}

func (w *world) as(name string) audit.Actor {
	return audit.Actor{Kind: audit.Person, Account: w.ids[name]}
}

func (w *world) pass(d time.Duration) { w.mu.Lock(); defer w.mu.Unlock(); w.now = w.now.Add(d) }

func (w *world) must(f func(tx *db.Tx) error) {
	w.Helper()
	if err := w.d.Write(w.Context(), f); err != nil {
		w.Fatal(err)
	}
}

func (w *world) exec(query string, args ...any) {
	w.Helper()
	w.must(func(tx *db.Tx) error { _, err := tx.Exec(query, args...); return err })
}

// wants runs a step that meets a fault with a phrase, or none (empty).
func (w *world) wants(key string, f func(tx *db.Tx) error) {
	w.Helper()
	got := ""
	if err := w.d.Write(w.Context(), f); fault.Of(err) != nil {
		got = fault.Of(err).Key()
	} else if err != nil {
		w.Fatal(err)
	}
	if got != key {
		w.Errorf("got %q, want %q", got, key)
	}
}

func (w *world) count(query string, args ...any) (n int) {
	w.Helper()
	w.must(func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query, args...); return err })
	return n
}

func (w *world) admin(name string) bool {
	w.Helper()
	return w.count(`SELECT count(*) FROM membership WHERE organization = 'bakery' AND account = $1 AND admin AND ended_at IS NULL`, w.ids[name]) == 1
}

func (w *world) carryOut() {
	w.Helper()
	if err := succession.CarryOut(w.Context(), w.d); err != nil {
		w.Fatal(err)
	}
}

var codes = regexp.MustCompile(`\b[34679ACDEFGHJKMNPQRTWXY]{4}[- ][34679ACDEFGHJKMNPQRTWXY]{4}[- ][34679ACDEFGHJKMNPQRTWXY]{4}\b`)

// code is what the management reads on the only letter that waits.
func (w *world) code() string {
	w.Helper()
	_, pdf, err := letter.Print(w.Context(), w.d, w.as("clara"), "c", "http://portal.example", func(*db.Tx, string, []string) (map[string]letter.Paper, error) { return nil, nil })
	if err != nil {
		w.Fatal(err)
	}
	if _, err := exec.LookPath("pdftotext"); err != nil {
		dbtest.Unavailable(w, "pdftotext (poppler-utils) is needed to read letters")
	}
	read := exec.Command("pdftotext", "-layout", "-", "-")
	read.Stdin = bytes.NewReader(pdf)
	text, err := read.Output()
	if err != nil {
		w.Fatal(err)
	}
	found := codes.FindString(string(text))
	if found == "" {
		w.Fatalf("no code on the letter:\n%s", text)
	}
	return seal.Normalize(found)
}

// letter is a new organization password, as Bert asks for it.
func (w *world) letter() string {
	w.Helper()
	w.must(func(tx *db.Tx) error { return succession.RequestLetter(tx, w.as("bert"), bakery) })
	return w.code()
}

func (w *world) enter(name, code string) func(tx *db.Tx) error {
	return func(tx *db.Tx) error {
		_, _, err := succession.Activate(tx, w.as(name), "4711", "999", code)
		return err
	}
}

// waiting brings Nora to where she waits; it returns the succession's id.
func (w *world) waiting() (id string) {
	w.Helper()
	w.must(w.enter("nora", w.letter()))
	w.must(func(tx *db.Tx) (err error) {
		id, err = db.Value[string](tx, `SELECT id FROM succession WHERE state = 'waiting'`)
		return err
	})
	return id
}

func (w *world) allow(name, id string) func(tx *db.Tx) error {
	return func(tx *db.Tx) error { return succession.Allow(tx, w.as(name), id) }
}

func (w *world) stop(name, id, why string) func(tx *db.Tx) error {
	return func(tx *db.Tx) error { return succession.Stop(tx, w.as(name), id, why) }
}

func (w *world) object(name, why string) func(tx *db.Tx) error {
	return func(tx *db.Tx) error { return succession.Object(tx, w.as(name), bakery, why) }
}

// R102: only an admin asks for a new organization password, or a clerk of the
// company's own chamber; and only for a company that goes on.
func TestR102WhoAsksForTheLetter(t *testing.T) {
	each(t, func(w *world) {
		for who, key := range map[string]string{"lena": "web.forbidden", "nora": "web.not_found", "clara": "web.not_found"} {
			w.wants(key, func(tx *db.Tx) error { return succession.RequestLetter(tx, w.as(who), bakery) })
		}
		for _, who := range []string{"bert", "lena", "xenia"} {
			w.wants("web.forbidden", func(tx *db.Tx) error { return succession.SendLetter(tx, w.as(who), bakery) })
		}
		w.exec(`UPDATE organization SET closes_at = $1`, db.At(w.now.Add(time.Hour)))
		w.wants("succession.not_active", func(tx *db.Tx) error { return succession.RequestLetter(tx, w.as("bert"), bakery) })
		w.wants("succession.not_active", func(tx *db.Tx) error { return succession.SendLetter(tx, w.as("clara"), bakery) })
		w.exec(`UPDATE organization SET closes_at = NULL, state = 'locked'`)
		w.wants("membership.organization_locked", func(tx *db.Tx) error { return succession.RequestLetter(tx, w.as("bert"), bakery) })
		w.wants("succession.not_active", func(tx *db.Tx) error { return succession.SendLetter(tx, w.as("clara"), bakery) })
		w.exec(`UPDATE organization SET state = 'active'`)
		if n := w.count(`SELECT count(*) FROM letter`); n != 0 {
			w.Fatal(n, "letters for nobody")
		}
		w.wants("", func(tx *db.Tx) error { return succession.RequestLetter(tx, w.as("bert"), bakery) })
		if w.count(`SELECT count(*) FROM notice WHERE account = $1 AND phrase = 'notice.letter_requested'`, w.ids["clara"]) != 1 || w.count(`SELECT count(*) FROM notice WHERE account = $1`, w.ids["xenia"]) != 0 {
			w.Error("the desk is not told, or another one is")
		}
		w.wants("letter.already_waiting", func(tx *db.Tx) error { return succession.SendLetter(tx, w.as("clara"), bakery) })
		w.code()                                                                                       // it is printed
		w.wants("", func(tx *db.Tx) error { return succession.SendLetter(tx, w.as("clara"), bakery) }) // the one before holds on
		if live, void := w.count(`SELECT count(*) FROM letter WHERE kind = 'succession' AND state = 'queued'`), w.count(`SELECT count(*) FROM letter WHERE state = 'void'`); live != 1 || void != 0 {
			w.Errorf("%d letters wait, %d are void", live, void)
		}
		if n := w.count(`SELECT count(*) FROM audit WHERE event = 'succession.letter_requested' AND organization = 'bakery' AND chamber = 'c'`); n != 2 {
			w.Error(n, "on the record")
		}
	})
}

// R097, R102: the code alone opens nothing, a wrong one is told no more than any
// other, each person has fifteen tries, and the letter outlives them all.
func TestR102WrongCodes(t *testing.T) {
	each(t, func(w *world) {
		code := w.letter()
		for _, v := range [][3]string{{"4712", "999", code}, {"4711", "998", code}} {
			w.wants("organization.activation_mismatch", func(tx *db.Tx) error {
				_, _, err := succession.Activate(tx, w.as("nora"), v[0], v[1], v[2])
				return err
			})
		}
		lost := code
		w.must(func(tx *db.Tx) error { // a clerk replaces a letter that was lost: its code is void
			l, err := letter.Last(tx, bakery, letter.Succession)
			if err != nil {
				return err
			}
			return letter.Reprint(tx, w.as("clara"), l.ID)
		})
		code = w.code()
		for range 13 {
			w.wants("organization.activation_mismatch", w.enter("nora", lost))
		}
		if err := w.d.Write(w.Context(), w.enter("nora", code)); !fault.Is(err, fault.KindLimited) {
			w.Error("the sixteenth try of one person is taken:", err)
		}
		w.wants("succession.admin_already", w.enter("bert", code)) // and it stays
		w.wants("", w.enter("max", code))
		if w.admin("max") || w.count(`SELECT count(*) FROM succession WHERE state = 'waiting' AND account = $1`, w.ids["max"]) != 1 {
			w.Error("max does not wait")
		}
		w.wants("organization.activation_mismatch", w.enter("max", code)) // it is used up
	})
}

// R102: an admin who asks for another letter cannot keep the one from working
// that the management has in its hands; once one is used, the others are void.
func TestR102TheFirstLetterHolds(t *testing.T) {
	each(t, func(w *world) {
		w.wants("", func(tx *db.Tx) error { return succession.RequestLetter(tx, w.as("bert"), bakery) })
		first := w.code()
		w.wants("", func(tx *db.Tx) error { return succession.RequestLetter(tx, w.as("bert"), bakery) })
		w.wants("letter.already_waiting", func(tx *db.Tx) error { return succession.SendLetter(tx, w.as("clara"), bakery) })
		second := w.code()
		w.wants("", func(tx *db.Tx) error { return succession.SendLetter(tx, w.as("clara"), bakery) }) // a third waits
		w.wants("", w.enter("nora", first))
		if n := w.count(`SELECT count(*) FROM letter WHERE state IN ('queued', 'printed')`); n != 0 {
			w.Errorf("%d letters left", n)
		}
		w.wants("organization.activation_mismatch", w.enter("max", second))
	})
}

// R102: while one waits another letter brings nobody else, and is not used up by
// the try; after the letter's time it is paper.
func TestR102OneAtATime(t *testing.T) {
	each(t, func(w *world) {
		w.waiting()
		second := w.letter()
		w.wants("succession.open_already", w.enter("max", second))
		w.wants("", w.object("bert", "Nora kennt hier niemand."))
		w.wants("succession.open_already", w.enter("max", second))
		id := ""
		w.must(func(tx *db.Tx) (err error) { id, err = db.Value[string](tx, `SELECT id FROM succession`); return err })
		w.wants("", w.stop("clara", id, "Die Geschäftsführung weiß nichts davon."))
		w.wants("", w.enter("max", second))
		w.exec(`UPDATE succession SET state = 'stopped', ended_at = created_at`)
		third := w.letter()
		w.pass(200 * 24 * time.Hour)
		w.wants("organization.activation_mismatch", w.enter("nora", third))
	})
}

// An admin who is locked out for a while can still object; one whose account is
// gone or about to go cannot, and where no other is left the letter works at once.
func TestR102WhoCouldObject(t *testing.T) {
	each(t, func(w *world) {
		code := w.letter()
		w.exec(`UPDATE account SET state = 'locked', lock_reason = 'self' WHERE id = $1`, w.ids["bert"])
		w.must(w.enter("nora", code))
		if w.admin("nora") {
			w.Fatal("admin at once behind the back of one who is locked out for a while")
		}
		w.exec(`UPDATE succession SET state = 'stopped', ended_at = created_at`)
		w.exec(`UPDATE account SET delete_at = $1 WHERE id = $2`, db.At(w.now.Add(time.Hour)), w.ids["bert"])
		w.must(func(tx *db.Tx) error { return succession.SendLetter(tx, w.as("clara"), bakery) })
		w.must(w.enter("nora", w.code()))
		if !w.admin("nora") || !w.admin("bert") {
			w.Error("nora is no admin, or bert is none any more")
		}
		if w.count(`SELECT count(*) FROM succession WHERE state = 'done' AND ended_at = due_at`) != 1 || w.count(`SELECT count(*) FROM audit WHERE event = 'succession.done' AND account = $1`, w.ids["nora"]) != 1 {
			w.Error("not on the record")
		}
		if w.count(`SELECT count(*) FROM evidence WHERE organization = 'bakery' AND method = 'letter' AND source = 'succession'`) != 2 {
			w.Error("the letters that were answered are no evidence")
		}
	})
}

// Object is for those who administer the company now, once, with a reason that
// a clerk can use.
func TestObjectionIsTheAdmins(t *testing.T) {
	each(t, func(w *world) {
		w.wants("succession.changed_meanwhile", w.object("bert", "Wogegen?"))
		w.waiting()
		for who, key := range map[string]string{"lena": "web.forbidden", "nora": "web.not_found", "max": "web.not_found", "clara": "web.not_found"} {
			w.wants(key, w.object(who, "Nein."))
			w.wants(key, func(tx *db.Tx) error { _, err := succession.Of(tx, w.as(who), bakery); return err })
		}
		w.wants("succession.reason_missing", w.object("bert", " \n "))
		w.wants("succession.reason_long", w.object("bert", strings.Repeat("ä", 501)))
		w.wants("", w.object("bert", " "+strings.Repeat("ä", 500)+"\n"))
		w.wants("succession.changed_meanwhile", w.object("bert", "Noch einmal."))
		w.must(func(tx *db.Tx) error {
			s, err := succession.Of(tx, w.as("bert"), bakery)
			if err == nil && (s.State != succession.Objected || s.Objection != strings.Repeat("ä", 500) || s.ObjectedBy != w.ids["bert"]) {
				w.Errorf("%+v", s)
			}
			return err
		})
		w.pass(10 * succession.Wait)
		w.carryOut()
		if w.admin("nora") {
			w.Error("the clock overruled an objection")
		}
		if w.count(`SELECT count(*) FROM notice WHERE account = $1 AND phrase = 'notice.succession_objected'`, w.ids["clara"]) != 1 {
			w.Error("the desk is not told")
		}
	})
}

// A clerk of the company's chamber decides, with or without an objection; nobody
// else, and nobody twice.
func TestTheDeskDecides(t *testing.T) {
	each(t, func(w *world) {
		id := w.waiting()
		for _, who := range []string{"bert", "lena", "nora", "xenia"} {
			w.wants("web.forbidden", w.allow(who, id))
			w.wants("web.forbidden", w.stop(who, id, "Nein."))
		}
		w.wants("web.not_found", w.allow("clara", "nothing"))
		w.wants("succession.reason_missing", w.stop("clara", id, "  "))
		w.wants("succession.reason_long", w.stop("clara", id, strings.Repeat("ä", 501)))
		w.wants("", w.stop("clara", id, "Die Geschäftsführung weiß nichts davon."))
		w.wants("succession.changed_meanwhile", w.allow("clara", id))
		w.wants("succession.changed_meanwhile", w.stop("clara", id, "Noch einmal."))
		w.pass(2 * succession.Wait)
		w.carryOut()
		if w.admin("nora") {
			w.Error("admin though it was stopped")
		}
		if w.count(`SELECT count(*) FROM notice WHERE account = $1 AND phrase = 'notice.succession_stopped'`, w.ids["nora"]) != 1 || w.count(`SELECT count(*) FROM succession WHERE clerk = $1 AND answer LIKE 'Die Gesch%'`, w.ids["clara"]) != 1 {
			w.Error("nora is not told, or the record does not say by whom")
		}
		id = w.waiting()
		w.wants("", w.allow("clara", id)) // need not wait for the seven days
		if !w.admin("nora") || !w.admin("bert") {
			w.Error("nora is no admin, or bert is none any more")
		}
		w.wants("succession.changed_meanwhile", w.object("bert", "Zu spät."))
	})
}

// Nobody becomes admin of a company, or with an account, that was closed or
// locked while they waited: not by the clock, and not by a clerk who does not know.
func TestSuccessionMeetsAnEnd(t *testing.T) {
	ends := map[string][2]string{
		"the person is locked":  {`UPDATE account SET state = 'locked', lock_reason = 'chamber' WHERE id = $1`, "nora"},
		"the person is gone":    {`UPDATE account SET state = 'deleted' WHERE id = $1`, "nora"},
		"the company is locked": {`UPDATE organization SET state = 'locked' WHERE registered_by = $1`, "bert"},
		"the company is closed": {`UPDATE organization SET state = 'closed' WHERE registered_by = $1`, "bert"},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				id := w.waiting()
				w.exec(end[0], w.ids[end[1]])
				w.wants("succession.not_active", w.allow("clara", id))
				w.pass(succession.Wait)
				w.carryOut()
				if w.admin("nora") || w.count(`SELECT count(*) FROM succession WHERE state = 'stopped' AND ended_at IS NOT NULL`) != 1 {
					w.Error("not stopped")
				}
			})
		})
	}
}

// The desk's list: objections of the own chamber only, the oldest first, fifty a page.
func TestQueueOfObjections(t *testing.T) {
	each(t, func(w *world) {
		w.must(func(tx *db.Tx) error {
			for i := range 60 {
				id := fmt.Sprintf("o%02d", i)
				if _, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
					management, company_key, name_key, state, registered_by, created_at) VALUES ($1, 'c', $1, $1, '', '', '', '', '', '', '', '', '', $1, $1, 'active', $2, $3)`, id, w.ids["bert"], tx.Now()); err != nil {
					return err
				}
				if _, err := tx.Exec(`INSERT INTO succession (id, organization, chamber, account, state, objected_by, created_at, due_at) VALUES ($1, $1, $2, $3, $4, $5, $6, $6)`,
					id, map[bool]string{true: "c", false: "x"}[i < 55], w.ids["nora"], map[bool]string{true: "objected", false: "waiting"}[i != 7], w.ids["bert"], tx.Now()); err != nil {
					return err
				}
			}
			return nil
		})
		var seen []string
		for after := ""; ; {
			var page []succession.Case
			w.must(func(tx *db.Tx) (err error) { page, err = succession.Queue(tx, w.as("clara"), "c", after); return err })
			for _, c := range page {
				seen = append(seen, c.ID)
				if c.Company != c.ID || c.Person == "" || c.Email != "nora@example.org" || c.Objector == "" {
					w.Errorf("%+v", c)
				}
			}
			if len(page) < 50 {
				break
			}
			after = page[len(page)-1].ID
		}
		if len(seen) != 54 || seen[0] != "o00" || seen[53] != "o54" {
			w.Error(len(seen), seen)
		}
		for _, who := range []string{"bert", "xenia"} {
			w.wants("web.forbidden", func(tx *db.Tx) error { _, err := succession.Queue(tx, w.as(who), "c", ""); return err })
		}
		w.must(func(tx *db.Tx) error {
			n, err := succession.Objections(tx, "c")
			if n != 54 {
				w.Error(n, "objections")
			}
			return err
		})
	})
}

// The clock, an objection, a clerk who allows and one who stops, all at once: one
// of them wins, the person is admin exactly if it ended done, and everybody is
// told once.
func TestR102OneEnd(t *testing.T) {
	each(t, func(w *world) {
		for round := range 4 {
			id := w.waiting()
			w.pass(succession.Wait)
			var rounds sync.WaitGroup
			for range 2 {
				rounds.Go(func() {
					if err := succession.CarryOut(context.WithoutCancel(w.Context()), w.d); err != nil {
						w.Error(err)
					}
				})
			}
			w.race(w.allow("clara", id), w.stop("clara", id, "Nein."), w.object("bert", "Nein."), w.allow("clara", id), w.stop("clara", id, "Nein."))
			rounds.Wait()
			done := w.count(`SELECT count(*) FROM succession WHERE id = $1 AND state = 'done'`, id) == 1
			ends := w.count(`SELECT count(*) FROM audit WHERE thing = $1 AND event IN ('succession.done', 'succession.stopped')`, id)
			open := w.count(`SELECT count(*) FROM succession WHERE id = $1 AND state IN ('waiting', 'objected')`, id)
			if done != w.admin("nora") || ends+open != 1 {
				w.Errorf("round %d: done %t, admin %t, %d ends, %d open", round, done, w.admin("nora"), ends, open)
			}
			w.exec(`UPDATE succession SET state = 'stopped', ended_at = $1 WHERE state IN ('waiting', 'objected')`, db.At(w.now))
			w.exec(`UPDATE membership SET ended_at = $1, admin = FALSE WHERE account = $2 AND ended_at IS NULL`, db.At(w.now), w.ids["nora"])
			w.pass(60 * 24 * time.Hour) // letters are limited
		}
	})
}

// race runs commands at once; what fails must be a fault.
func (w *world) race(all ...func(tx *db.Tx) error) {
	w.Helper()
	var wg sync.WaitGroup
	begin := make(chan bool)
	for _, f := range all {
		wg.Go(func() {
			<-begin
			if err := w.d.Write(context.WithoutCancel(w.Context()), f); err != nil && fault.Of(err) == nil {
				w.Error(err)
			}
		})
	}
	close(begin)
	wg.Wait()
}

// A company that waits for its first letter is activated by the same form: its
// registrant only, and no succession comes of it.
func TestR097TheSameFormActivates(t *testing.T) {
	each(t, func(w *world) {
		w.exec(`UPDATE organization SET state = 'letter'`)
		w.must(func(tx *db.Tx) error { return letter.Queue(tx, w.as("clara"), "c", bakery) })
		code := w.code()
		w.wants("organization.activation_mismatch", w.enter("nora", code))
		w.wants("", w.enter("bert", code))
		w.must(func(tx *db.Tx) error {
			o, err := organization.Get(tx, bakery)
			if o.State != organization.Active {
				w.Error(o.State)
			}
			return err
		})
		if n := w.count(`SELECT count(*) FROM succession`); n != 0 {
			w.Error(n, "successions")
		}
	})
}
