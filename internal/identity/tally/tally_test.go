package tally_test

import (
	"fmt"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/tally"
)

type world struct {
	testing.TB
	d     *db.DB
	here  string
	clara audit.Actor
	now   time.Time
}

func newWorld(t testing.TB, d *db.DB) *world {
	w := &world{TB: t, d: d, now: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)}
	d.Now = func() time.Time { return w.now }
	w.write(func(tx *db.Tx) error {
		c, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: "999", Name: "Kammer"})
		if err != nil {
			return err
		}
		w.here = c.ID
		a, err := account.Create(tx, audit.Console, account.New{GivenName: "Clara", FamilyName: "Kammer", Email: "clara@example.org", Password: "x", Confirmed: true})
		w.clara = audit.Actor{Kind: audit.Person, Account: a.ID}
		if err != nil {
			return err
		}
		return chamber.AddStaff(tx, audit.Console, a.ID, c.ID, chamber.Clerk)
	})
	return w
}

func (w *world) write(f func(tx *db.Tx) error) {
	w.Helper()
	if err := w.d.Write(w.Context(), f); err != nil {
		w.Fatal(err)
	}
}

// register puts a registration there that was submitted some hours ago.
func (w *world) register(tx *db.Tx, n int, state string, score, hours int) error {
	at := tx.Now().Add(-time.Duration(hours) * time.Hour)
	var decided any
	if state == "approved" || state == "refused" {
		decided = tx.Now()
	}
	id := fmt.Sprintf("r%06d", n)
	_, err := tx.Exec(`INSERT INTO registration (id, reference, chamber, applicant, name, legal_form, street, house_number, postcode, place, ident_number, register_kind, register_number, register_court, reason, company_key, state, score, risk, entry, submitted_at, decided_at)
		VALUES ($1, $1, $2, $3, 'Muster', '', 'Weg', '1', '00001', 'Ort', '', '', '', '', '', $1, $4, $5, 0, '', $6, $7)`, id, w.here, w.clara.Account, state, score, at, decided)
	return err
}

func (w *world) queue(key string) (q tally.Queue) {
	w.Helper()
	w.write(func(tx *db.Tx) error {
		all, err := tally.Queues(tx, w.clara, w.here)
		for _, x := range all {
			if x.Key == key {
				q = x
			}
		}
		return err
	})
	return q
}

// Queues, figures of a month with half and nine of ten, and what other settings
// would do.
func TestFigures(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.write(func(tx *db.Tx) error {
			n := 0
			for _, r := range []struct {
				state        string
				score, hours int
			}{{"submitted", 95, 5}, {"submitted", 40, 50}, {"second", 60, 1}, {"asked_back", 70, 3}, {"approved", 99, 2}, {"approved", 99, 4}, {"refused", 10, 30}, {"withdrawn", 10, 30}} {
				n++
				if err := w.register(tx, n, r.state, r.score, r.hours); err != nil {
					return err
				}
			}
			return nil
		})
		if q := w.queue("registrations"); q.Count != 3 || w.now.Sub(q.Oldest.Time) != 50*time.Hour || q.More() {
			t.Error(q)
		}
		if q := w.queue("asked_back"); q.Count != 1 {
			t.Error(q)
		}
		if q := w.queue("letters"); q.Count != 0 || !q.Oldest.IsZero() {
			t.Error(q)
		}
		if err := d.Read(t.Context(), func(tx *db.Tx) error {
			_, err := tally.Queues(tx, audit.Actor{Account: "nobody"}, w.here)
			return err
		}); !fault.Is(err, fault.KindForbidden) {
			t.Error(err)
		}
		for range 2 { // a second count changes nothing
			if err := tally.Count(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
		w.write(func(tx *db.Tx) error {
			s, err := tally.Of(tx, w.clara, w.here)
			if err != nil || len(s.Months) != 13 {
				t.Fatal(s, err)
			}
			m, before := s.Months[0], s.Months[1]
			if m.Number != 11 || m.Year != 2026 || m.Approved != 2 || m.Refused != 1 || m.Median != 4 || m.Slow != 30 || m.Submitted+before.Submitted != 8 || before.Number != 10 {
				t.Errorf("%+v %+v", m, before)
			}
			if s.At.Unix() != w.now.Unix() {
				t.Error(s.At)
			}
			settled := chamber.DefaultSettings()
			settled.FourEyesBelow, settled.ReleaseFrom, settled.ActiveFrom = 50, 90, 100
			e, err := tally.Preview(tx, w.clara, w.here, settled)
			if err != nil || e.Open != 3 || e.FourEyes != 1 || e.Automatic != 1 || e.Active != 0 {
				t.Error(e, err)
			}
			return nil
		})
	})
}

// What the work list costs with few and with very many things waiting.
func BenchmarkQueues(b *testing.B) {
	dbtest.EachB(b, schema.Files, func(b *testing.B, d *db.DB) {
		for _, n := range []int{100, 10_000} {
			b.Run(fmt.Sprint(n), func(b *testing.B) {
				w := newWorld(b, dbtest.Open(b, d.Engine(), schema.Files))
				for done := 0; done < n; done += 1000 {
					w.write(func(tx *db.Tx) error {
						for i := done; i < min(done+1000, n); i++ {
							if err := w.register(tx, i, "submitted", 50, i%100); err != nil {
								return err
							}
						}
						return nil
					})
				}
				for b.Loop() {
					w.queue("registrations")
				}
			})
		}
	})
}
