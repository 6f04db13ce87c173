package correction

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
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/schema"
)

// A world has two chambers with a clerk each, and Lena, whose name comes from
// her contract.
type world struct {
	*testing.T
	d                  *db.DB
	clock              atomic.Int64
	here, there        chamber.Chamber
	clara, carl, xenia audit.Actor // clerks of here, here and there
	lena, selma        audit.Actor // fixed name, name of her own
	lenas              Wish
}

func each(t *testing.T, f func(w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{T: t, d: d}
		w.clock.Store(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC).UnixMicro())
		d.Now = func() time.Time { return time.UnixMicro(w.clock.Load()).UTC() }
		w.must(func(tx *db.Tx) (err error) {
			if err = policy.EnsureDefault(tx); err != nil {
				return err
			}
			if w.here, err = chamber.Create(tx, audit.Console, chamber.Chamber{Number: "999", Name: "Kammer Musterland", Phone: "0999 1234-0"}); err != nil {
				return err
			}
			if w.there, err = chamber.Create(tx, audit.Console, chamber.Chamber{Number: "998", Name: "Kammer Nebenan"}); err != nil {
				return err
			}
			for name, by := range map[string]*audit.Actor{"clara": &w.clara, "carl": &w.carl, "xenia": &w.xenia, "lena": &w.lena, "selma": &w.selma} {
				n := account.New{GivenName: "Lena", FamilyName: "Lerche", Username: name, Email: name + "@example.org", Password: "x", Confirmed: true}
				if name != "selma" {
					n.NameSource = "contract"
				}
				a, err := account.Create(tx, audit.Console, n)
				if err != nil {
					return err
				}
				by.Account = a.ID
			}
			for clerk, at := range map[string]string{w.clara.Account: w.here.ID, w.carl.Account: w.here.ID, w.xenia.Account: w.there.ID} {
				if err := chamber.AddStaff(tx, audit.Console, clerk, at, chamber.Clerk); err != nil {
					return err
				}
			}
			return nil
		})
		w.lenas = Wish{Chamber: w.here.ID, GivenName: "Lena Marie", FamilyName: "Lerche", Reason: "Im Vertrag steht mein zweiter Vorname."}
		f(w)
	})
}

func (w *world) pass(d time.Duration) { w.clock.Add(d.Microseconds()) }

func (w *world) try(f func(tx *db.Tx) error) error { return w.d.Write(w.Context(), f) }

func (w *world) must(f func(tx *db.Tx) error) {
	w.Helper()
	if err := w.try(f); err != nil {
		w.Fatal(err)
	}
}

func (w *world) refused(key string, f func(tx *db.Tx) error) {
	w.Helper()
	if err := w.try(f); fault.Of(err) == nil || fault.Of(err).Key() != key {
		w.Errorf("%v, want %s", err, key)
	}
}

func (w *world) submit(by audit.Actor, wish Wish) (c Correction) {
	w.Helper()
	w.must(func(tx *db.Tx) (err error) { c, err = Submit(tx, by, wish); return err })
	return c
}

func (w *world) name(by audit.Actor) (name string) {
	w.Helper()
	w.must(func(tx *db.Tx) error { a, err := account.Get(tx, by.Account); name = a.Name(); return err })
	return name
}

// R217, R218: what is asked for is checked, and says what mostly is missing.
func TestR217Submit(t *testing.T) {
	each(t, func(w *world) {
		with := func(change func(*Wish)) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				wish := w.lenas
				change(&wish)
				_, err := Submit(tx, w.lena, wish)
				return err
			}
		}
		w.refused("correction.same", with(func(q *Wish) { q.GivenName = " Lena " }))
		w.refused("correction.reason_missing", with(func(q *Wish) { q.Reason = " \n" }))
		w.refused("correction.reason_long", with(func(q *Wish) { q.Reason = strings.Repeat("ä", MostReason+1) }))
		w.refused("correction.chamber_missing", with(func(q *Wish) { q.Chamber = "nowhere" }))
		w.refused("account.given_name_form", with(func(q *Wish) { q.GivenName = "<script>" }))
		w.refused("account.family_name_missing", with(func(q *Wish) { q.FamilyName = "" }))
		w.refused("correction.not_fixed", func(tx *db.Tx) error { _, err := Submit(tx, w.selma, w.lenas); return err })
		c := w.submit(w.lena, w.lenas)
		if !strings.HasPrefix(c.Reference, "N-") || c.State != Submitted {
			t.Errorf("%+v", c)
		}
		w.refused("correction.pending", func(tx *db.Tx) error { _, err := Submit(tx, w.lena, w.lenas); return err })
		// Only she takes it back, and only while nobody has decided.
		w.refused("correction.decided_meanwhile", func(tx *db.Tx) error { return Withdraw(tx, w.selma, c.ID) })
		w.must(func(tx *db.Tx) error { return Withdraw(tx, w.lena, c.ID) })
		w.refused("correction.withdrawn_meanwhile", func(tx *db.Tx) error { _, err := Approve(tx, w.clara, c.ID, "", "Lena Marie", "Lerche"); return err })
	})
}

// R219, R220: a clerk of that chamber decides, not the person; the name holds
// at once, as the clerk wrote it, and stays the contract's.
func TestR220Approve(t *testing.T) {
	each(t, func(w *world) {
		c := w.submit(w.lena, w.lenas)
		for name, by := range map[string]audit.Actor{"a stranger": w.selma, "a clerk of another chamber": w.xenia, "herself": w.lena} {
			for deed, err := range map[string]error{
				"approves": w.try(func(tx *db.Tx) error { _, err := Approve(tx, by, c.ID, "", "X", "Y"); return err }),
				"refuses":  w.try(func(tx *db.Tx) error { return Refuse(tx, by, c.ID, "Nein.") }),
				"reads":    w.try(func(tx *db.Tx) error { _, err := Get(tx, by, c.ID); return err }),
			} {
				if !fault.Is(err, fault.KindNotFound) {
					t.Errorf("%s %s: %v", name, deed, err)
				}
			}
			if err := w.try(func(tx *db.Tx) error { _, err := Queue(tx, by, w.here.ID, false, 0); return err }); !fault.Is(err, fault.KindForbidden) {
				t.Errorf("%s sees the queue: %v", name, err)
			}
		}
		w.must(func(tx *db.Tx) error {
			all, err := Queue(tx, w.clara, w.here.ID, false, 0)
			if len(all) != 1 || all[0].Person.Email != "lena@example.org" || all[0].Person.Name() != "Lena Lerche" {
				t.Errorf("%+v", all)
			}
			return err
		})
		w.refused("account.given_name_missing", func(tx *db.Tx) error { _, err := Approve(tx, w.clara, c.ID, "", " ", "Lerche"); return err })
		w.must(func(tx *db.Tx) error {
			_, err := Approve(tx, w.clara, c.ID, "Dr.", "Lena  Maria", "Lerche")
			return err
		})
		if got := w.name(w.lena); got != "Dr. Lena Maria Lerche" {
			t.Error(got)
		}
		w.refused("correction.approved_meanwhile", func(tx *db.Tx) error { return Refuse(tx, w.carl, c.ID, "Zu spät.") })
		w.must(func(tx *db.Tx) error {
			a, changed, err := account.ChangePerson(tx, w.lena, account.Person{GivenName: "Ganz", FamilyName: "Anders", Username: "lena", Language: "en"})
			if !changed || a.Name() != "Dr. Lena Maria Lerche" || a.Language != "en" {
				t.Errorf("a fixed name was changed by its owner: %+v", a)
			}
			return err
		})
		// Four eyes: Clara's own name is Carl's business.
		own := w.submit(w.clara, w.lenas)
		w.refused("correction.own", func(tx *db.Tx) error { _, err := Approve(tx, w.clara, own.ID, "", "X", "Y"); return err })
		w.refused("correction.answer_missing", func(tx *db.Tx) error { return Refuse(tx, w.carl, own.ID, " ") })
		w.must(func(tx *db.Tx) error { return Refuse(tx, w.carl, own.ID, "Im Vertrag steht nur Lena.") })
		w.must(func(tx *db.Tx) error {
			l, err := Latest(tx, w.clara.Account)
			if l.State != Refused || l.Answer == "" || w.clara.Account != l.Account {
				t.Errorf("%+v", l)
			}
			return err
		})
	})
}

// R220: with a wait, the name holds when it is over, once, however many nodes look.
func TestR220Wait(t *testing.T) {
	each(t, func(w *world) {
		p, err := policy.Preset(policy.Standard)
		if err != nil {
			t.Fatal(err)
		}
		p.Default, p.NameWait = true, 24
		w.must(func(tx *db.Tx) error { return policy.Save(tx, audit.Console, p) })
		c := w.submit(w.lena, w.lenas)
		w.must(func(tx *db.Tx) error { _, err := Approve(tx, w.clara, c.ID, "", "Lena Marie", "Lerche"); return err })
		due := func() {
			t.Helper()
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					if err := Due(t.Context(), w.d); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
		}
		w.pass(24*time.Hour - time.Second)
		due()
		if got := w.name(w.lena); got != "Lena Lerche" {
			t.Error("the name holds too early:", got)
		}
		w.refused("correction.pending", func(tx *db.Tx) error { _, err := Submit(tx, w.lena, w.lenas); return err })
		w.pass(time.Second)
		due()
		if got := w.name(w.lena); got != "Lena Marie Lerche" {
			t.Error(got)
		}
		w.must(func(tx *db.Tx) error {
			n, err := db.Value[int](tx, `SELECT count(*) FROM audit WHERE event = 'account.name_corrected'`)
			if n != 1 {
				t.Errorf("corrected %d times", n)
			}
			return err
		})
	})
}

// Two clerks and the person at once: one of them has decided.
func TestOneDecision(t *testing.T) {
	each(t, func(w *world) {
		c := w.submit(w.lena, w.lenas)
		var barrier, group sync.WaitGroup
		var won atomic.Int32
		barrier.Add(1)
		for i := range 63 {
			group.Go(func() {
				barrier.Wait()
				err := w.try(func(tx *db.Tx) (err error) {
					switch i % 3 {
					case 0:
						_, err = Approve(tx, w.clara, c.ID, "", "Lena Marie", "Lerche")
					case 1:
						err = Refuse(tx, w.carl, c.ID, "Nein.")
					default:
						err = Withdraw(tx, w.lena, c.ID)
					}
					return err
				})
				if err == nil {
					won.Add(1)
				} else if fault.Of(err) == nil {
					t.Error(err)
				}
			})
		}
		barrier.Done()
		group.Wait()
		if won.Load() != 1 {
			t.Errorf("%d decisions", won.Load())
		}
	})
}

// Every mail in both languages, its reference at the end of the subject.
func TestMails(t *testing.T) {
	if _, err := i18n.Load(Phrases); err != nil {
		t.Fatal(err)
	}
	at := db.At(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC))
	for _, name := range []string{"correction_submitted", "correction_approved", "correction_refused"} {
		for _, due := range []db.Time{{}, at} {
			for _, lang := range []string{"de", "en"} {
				m, err := texts.Fill(mail.Person{Address: "a@b.example", Lang: lang}, name,
					message{Reference: "N-7F3K-22M", Name: "Lena Marie Lerche", Answer: "Im Vertrag steht nur Lena.", Contact: "Kammer Musterland\n0999 1234-0", Due: due})
				if err != nil || !strings.HasSuffix(m.Subject, "[N-7F3K-22M]") || len([]rune(m.Subject)) > 60 || !strings.Contains(m.Body, "0999 1234-0") {
					t.Errorf("%s.%s: %v %+v", name, lang, err, m)
				}
			}
		}
	}
}
